//! `taskcache completions`: the completion script of a shell.
//!
//! The scripts are generated from the description of the command line, and know its flags and subcommands. What a
//! script cannot know (the tasks of a config, the keys of a store, where the cached command begins) is asked of the
//! program at each TAB; a few lines by hand in each shell's language hook that in front of what was generated. They
//! stand beside this file, each under the name of its shell.
//!
//! PowerShell has no such lines: its script is what the generator gives.

mod candidates;
mod cursor;

use super::failure::Failure;
use super::print;
use crate::world::process::Termination;
use clap::{Arg, ArgMatches, Command, value_parser};
use clap_complete::{Shell, generate};

pub(super) use candidates::run as candidates;

/// The subcommand by which the scripts ask. It is no part of the described command line, so that no script, page or
/// help shows it to people.
pub const CANDIDATES: &str = "complete";

const EXAMPLES: &str = "\
Examples:
  taskcache completions bash > ~/.local/share/bash-completion/completions/taskcache
  taskcache completions zsh > ~/.zfunc/_taskcache          with ~/.zfunc in fpath, before compinit
  taskcache completions fish > ~/.config/fish/completions/taskcache.fish
  taskcache completions elvish > ~/.config/elvish/lib/taskcache.elv     then 'use taskcache' in rc.elv
  taskcache completions powershell >> $PROFILE";

/// The lines by hand.
const HOOKS: [(Shell, &str); 4] = [
    (Shell::Bash, include_str!("hook.bash")),
    (Shell::Zsh, include_str!("hook.zsh")),
    (Shell::Fish, include_str!("hook.fish")),
    (Shell::Elvish, include_str!("hook.elv")),
];

/// Returns the subcommand.
pub fn command() -> Command {
    Command::new("completions")
        .about("Print the completion script of a shell")
        .disable_version_flag(true)
        .arg(
            Arg::new("shell")
                .value_name("SHELL")
                .required(true)
                .value_parser(value_parser!(Shell))
                .help("The shell that the script is for"),
        )
        .after_help(EXAMPLES)
}

/// Prints a script.
pub fn run(arguments: &ArgMatches) -> Result<Termination, Failure> {
    let shell = arguments.get_one::<Shell>("shell").ok_or_else(|| Failure::new("a shell is missing"))?;
    print(&script(*shell))?;
    Ok(Termination::Exited(0))
}

/// Returns the script of a shell.
pub fn script(shell: Shell) -> String {
    let mut bytes = Vec::new();
    generate(shell, &mut super::command(), "taskcache", &mut bytes);
    let generated = String::from_utf8_lossy(&bytes);
    // Some generators leave blanks at the ends of lines.
    let lines = generated.lines().map(str::trim_end);
    let generated: String = lines.map(|line| format!("{line}\n")).collect();
    let hook = HOOKS.iter().find(|(known, _)| *known == shell).map_or("", |(_, hook)| hook);
    match shell {
        // The generated function gets another name, and the hook, which calls it, its old one.
        Shell::Bash => before(&renamed(&generated), "\nif [[ \"${BASH_VERSINFO[0]}\" -eq 4", hook),
        Shell::Zsh => before(&renamed(&generated), "\nif [ \"$funcstack[1]\" = \"_taskcache\" ]", hook),
        // The hook lies over the function by which each line asks where it is.
        Shell::Fish => {
            let function = "function __fish_taskcache_using_subcommand\n";
            let renamed = "function __taskcache_static_using_subcommand\n";
            format!("{}\n{hook}", asking(&generated.replacen(function, renamed, 1)))
        }
        _ if hook.is_empty() => generated,
        _ => format!("{generated}\n{hook}"),
    }
}

fn renamed(generated: &str) -> String {
    generated.replacen("_taskcache() {\n", "_taskcache_static() {\n", 1)
}

/// Puts a hook in front of the last place where a text stands.
fn before(generated: &str, text: &str, hook: &str) -> String {
    match generated.rfind(text) {
        Some(at) => format!("{}\n{hook}{}", &generated[..at], &generated[at..]),
        None => format!("{generated}\n{hook}"),
    }
}

/// Lets the options whose values the program knows ask for them, in fish: there each option is a line.
fn asking(generated: &str) -> String {
    let knows =
        |line: &str| [" -l task ", " -l environment ", " -l policy "].iter().any(|name| line.contains(name));
    let lines = generated.lines().map(|line| match line.strip_suffix(" -r").filter(|line| knows(line)) {
        Some(line) => format!("{line} -x -a \"(__taskcache_values)\"\n"),
        None => format!("{line}\n"),
    });
    lines.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_hook_is_where_it_belongs() {
        for shell in [Shell::Bash, Shell::Zsh] {
            let script = script(shell);
            for once in ["\n_taskcache_static() {\n", "_taskcache() {\n"] {
                let count = script.lines().filter(|line| line.ends_with(once.trim())).count();
                assert!(count >= 1, "{shell}: {once}");
            }
            let hook = script.find("\n_taskcache() {\n").unwrap();
            assert!(script.find("_taskcache_static() {\n").unwrap() < hook, "{shell}");
        }
        let fish = script(Shell::Fish);
        for function in ["__taskcache_static_using_subcommand", "__fish_taskcache_using_subcommand"] {
            assert_eq!(fish.matches(&format!("function {function}\n")).count(), 1, "{function}");
        }
        let asking = fish.lines().filter(|line| line.ends_with("-x -a \"(__taskcache_values)\"")).count();
        assert!(asking >= 8, "run and key, three options each, show and the filters: {asking}");
        for (shell, hook) in HOOKS {
            assert!(script(shell).contains(hook), "{shell}");
        }
    }
}
