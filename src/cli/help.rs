//! What `--help` and the manual pages say beyond `-h`.
//!
//! The options of `run` are described twice: in one line, in the table, and at length, here. A run builds its flags at
//! every start and needs none of this, so it is laid over the description of the whole command line, which is built
//! for help, pages and completions alone.
//!
//! `explain -h` and `key -h` show what is their own, and point at `run -h` for the rest.

use crate::config::options::{Kind, OPTIONS, OptionName, OptionRow};
use clap::{Arg, Command};

/// The subcommands that take the options of `run`, and whether their `-h` lists them.
const TAKE_OPTIONS: [(&str, bool); 3] = [("run", true), ("key", false), ("explain", false)];

/// Lays the long help over a command line.
pub(super) fn described(mut program: Command) -> Command {
    for (name, is_listed) in TAKE_OPTIONS {
        if program.find_subcommand(name).is_some() {
            let at_length = |argument| at_length(argument, is_listed);
            program = program.mut_subcommand(name, |command| command.mut_args(at_length));
        }
    }
    program
}

fn at_length(argument: Arg, is_listed: bool) -> Arg {
    let row = OPTIONS.iter().find(|row| argument.get_id() == row.long);
    match row {
        Some(row) => argument.long_help(long_help(row)).hide_short_help(!is_listed),
        None => argument,
    }
}

/// Returns the line of the table, what there is to say beyond it, and the other places to say it.
fn long_help(row: &OptionRow) -> String {
    let mut text = row.help.to_owned();
    if let Some(more) = more(row.name) {
        text.push_str("\n\n");
        text.push_str(more);
    }
    let mut places = vec![format!("variable: {}", row.variable())];
    places.extend(row.key().map(|key| format!("key: {key}")));
    places.extend(row.built_in.map(|value| format!("built-in: {value}")));
    if row.kind == Kind::List {
        places.push("repeatable".to_owned());
    }
    format!("{text}\n\n[{}]", places.join("; "))
}

/// Returns what one line cannot say.
fn more(name: OptionName) -> Option<&'static str> {
    Some(match name {
        OptionName::Task => {
            "Without it the task is the program's base name. Without a command, the 'command' of [task.NAME] runs, in \
             the folder of taskcache.toml."
        }
        OptionName::Project | OptionName::Domain => "Entries never cross projects and domains.",
        OptionName::Version => {
            "Alone it means --behavior override: the content of the program and its script no longer counts. Change \
             it to have everything computed anew."
        }
        OptionName::Behavior => {
            "'auto' takes the digest of the program and its script, and what --version-cmd prints. 'override' takes \
             --version alone. 'disable' runs, and neither looks up nor stores."
        }
        OptionName::VersionCmd => "It runs by 'sh -c'. If it fails, nothing is run and the exit code is 125.",
        OptionName::Policy => {
            "Names are joined by '+'; '-' takes named inputs out. DEFAULT is INPUTS + TASK_SOURCE; others are \
             FLOW_PARAMETERS, RUN_ID, NONE, and those of [policy.NAME]."
        }
        OptionName::Key => {
            "All who name it in the same project and domain share one entry, whatever their command and inputs are."
        }
        OptionName::Input => {
            "Globs know '*', '**', '?', '[a-z]' and '{a,b}'. A folder means its whole tree. A pattern that finds \
             nothing is an error; with '?' in front its absence counts. Arguments that name existing files are \
             inputs by themselves."
        }
        OptionName::Value => "Another text makes another key.",
        OptionName::InputCmd => "It runs by 'sh -c' before the look-up, as in --input-cmd 'cc --version'.",
        OptionName::Env => {
            "Unset and empty are different. From the first --env on, no other variable counts."
        }
        OptionName::EnvMode => {
            "'all' counts every variable but the noise of a session; 'declared' counts those of --env; 'strict' does \
             that, and shows the command only these, those of --pass-env, and a minimum such as PATH and HOME. \
             'all', until an --env is given, 'declared' from then on."
        }
        OptionName::Stdin => {
            "'null': it reads end of file. 'hash': all of it is read first, counts in the key, and is given to the \
             command. 'inherit': it is passed on, and nothing is looked up or stored."
        }
        OptionName::Cwd => {
            "'auto': relative to the folder of taskcache.toml where the config names the project, else absolute. \
             'relative' lets checkouts share results; 'ignore' leaves it out."
        }
        OptionName::Ignore => {
            "An environment variable, a named input or value, a NAME=... word of the command, or an option of it: \
             --ignore=--jobs takes out '--jobs' and '--jobs=4'. 'env:', 'input:' and 'arg:' in front narrow it; '*' is \
             a wildcard."
        }
        OptionName::Depfile => {
            "For compilers: 'cc -MMD -MF main.d …'. Its lines, as make reads them, are inputs of the next look-up. The file \
             itself is an output without being declared."
        }
        OptionName::Output => {
            "It is stored after a success and put back on a hit. If it is missing after a success, there is a \
             warning and nothing is stored. The working directory, its parents, and folders that hold an input are refused."
        }
        OptionName::OutputMtime => {
            "'now': as if just written, so that make is content. 'keep': what is right already is not touched."
        }
        OptionName::Ttl => "It is stored with the result. A hit does not extend it.",
        OptionName::MaxAge => "It concerns this run alone. What is too old is replaced.",
        OptionName::Stale => "Refused with outputs, which must not change behind the caller's back.",
        OptionName::Refresh => {
            "A --no-refresh wins over TASKCACHE_REFRESH; it still stores where nothing is."
        }
        OptionName::CacheExit => {
            "Codes and ranges, or 'any'. A death by signal and a command that cannot be started are never kept."
        }
        OptionName::Serialize => {
            "If the one that runs fails or dies, the next takes over. A hit waits for nobody."
        }
        OptionName::Verify => {
            "The exit code is the command's; under --strict 125 where something differs. Nothing is replaced."
        }
        OptionName::Paranoid => "It changes no key.",
        OptionName::Strict => {
            "Rules of --ignore that name nothing, inputs that changed during the run, differences under --verify, \
             variables that look like ours and are not: each ends with 125."
        }
        OptionName::Status => {
            "'auto': where standard error is a terminal. 'taskcache explain' with the same words says why it is a miss."
        }
        OptionName::Events => "docs/events.md lists the fields, which are stable.",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_long_help_says_more_than_the_short_one() {
        let mut program = crate::cli::command();
        let run = program.find_subcommand_mut("run").unwrap();
        let (short, long) = (run.render_help().to_string(), run.render_long_help().to_string());
        assert!(!short.contains("TASKCACHE_"), "{short}");
        for row in OPTIONS {
            assert!(long.contains(&format!("[variable: {}", row.variable())), "{}", row.long);
            let more = more(row.name).unwrap_or_default();
            assert!(!short.contains(more) || more.is_empty(), "{}", row.long);
        }
        assert!(short.contains("127 not found\n") && long.contains("127 not found\n"), "{long}");
    }

    #[test]
    fn the_options_of_a_run_are_listed_once() {
        let mut program = crate::cli::command();
        for (name, is_listed) in TAKE_OPTIONS {
            let command = program.find_subcommand_mut(name).unwrap();
            assert_eq!(command.render_help().to_string().contains("--ttl"), is_listed, "{name}");
            assert!(command.render_long_help().to_string().contains("--ttl"), "{name}");
        }
    }

    /// A flag that a run builds has no long help, so that a hit does not pay for it.
    #[test]
    fn a_run_builds_none_of_it() {
        assert!(
            crate::cli::options::run_arguments().iter().all(|argument| argument.get_long_help().is_none())
        );
    }
}
