//! `taskcache man`: the manual pages, one for the program and one for each subcommand.
//!
//! They are generated from the description of the command line. What that does not know, such as exit codes and files,
//! stands in sections of the program's own page, written by hand here.

use super::failure::Failure;
use super::print;
use crate::world::document;
use crate::world::host::Host;
use crate::world::process::Termination;
use clap::{Arg, ArgMatches, Command, value_parser};
use clap_mangen::Man;
use std::path::PathBuf;

const EXAMPLES: &str = "\
Examples:
  taskcache man | man -l -
  taskcache man ~/.local/share/man/man1";

/// What the description of the command line does not say.
const SECTIONS: &str = r#".SH EXIT STATUS
That of the command, on a hit as on a run. Where it died by a signal,
.B taskcache
dies by the same one.
.TP
.B 124
A miss under
.BR \-\-cached\-only ,
or a wait that ended under
.BR "\-\-on\-timeout fail" .
.TP
.B 125
A failure of
.B taskcache
itself: options, configuration,
.BR "\-\-fail\-mode closed" .
.TP
.B 126
The command was found and cannot be executed.
.TP
.B 127
The command was not found.
.SH ENVIRONMENT
Each option of
.BR taskcache\-run (1)
can come as
.B TASKCACHE_
and its name in capitals; lists are separated by colons.
.TP
.B TASKCACHE_DIR
The folder of the store.
.TP
.B TASKCACHE_ENABLED
.B false
switches all caching off.
.TP
.BR TASKCACHE_KEY ", " TASKCACHE_TASK ", " TASKCACHE_OUTCOME ", " TASKCACHE_RUN_ID ", " TASKCACHE_TRANSACTION
Set for the command that is run.
.SH FILES
.TP
.I taskcache.toml
The configuration of a project, searched upward from the working directory.
.TP
.I ~/.config/taskcache/config.toml
Your own.
.TP
.I ~/.flyte/local\-cache/taskcache/
The store.
"#;

/// Returns the subcommand.
pub fn command() -> Command {
    Command::new("man")
        .about("Print the manual page, or write all of them into a folder")
        .disable_version_flag(true)
        .arg(
            Arg::new("dir")
                .value_name("DIR")
                .value_parser(value_parser!(PathBuf))
                .value_hint(clap::ValueHint::DirPath)
                .help("The folder for the pages of all subcommands; it is made where it is missing"),
        )
        .after_help(EXAMPLES)
}

/// Prints the program's page, or writes all pages.
pub fn run(host: &Host, arguments: &ArgMatches) -> Result<Termination, Failure> {
    let Some(folder) = arguments.get_one::<PathBuf>("dir") else {
        let pages = pages();
        print(pages.first().map_or("", |(_, text)| text))?;
        return Ok(Termination::Exited(0));
    };
    let folder = host.absolute(folder);
    document::create_folder(&folder)?;
    for (name, text) in pages() {
        document::write(&folder.join(name), &text)?;
    }
    Ok(Termination::Exited(0))
}

/// Returns all pages, each under the name of its file, the program's first.
pub fn pages() -> Vec<(String, String)> {
    let mut program = super::command().disable_help_subcommand(true);
    program.build();
    let mut pages = Vec::new();
    collect(&program, &mut pages);
    pages
}

fn collect(command: &Command, pages: &mut Vec<(String, String)>) {
    let man = Man::new(command.clone()).manual("taskcache").source(format!("taskcache {}", super::VERSION));
    let mut page = Vec::new();
    let rendered = man
        .render_title(&mut page)
        .and_then(|()| man.render_name_section(&mut page))
        .and_then(|()| man.render_synopsis_section(&mut page))
        .and_then(|()| man.render_description_section(&mut page))
        .and_then(|()| man.render_options_section(&mut page))
        .and_then(|()| match command.get_subcommands().next() {
            Some(_) => man.render_subcommands_section(&mut page),
            None => Ok(()),
        });
    rendered.expect("a page is written into memory, which takes anything");
    let mut text = String::from_utf8_lossy(&page).into_owned();
    text.push_str(&examples(command));
    if pages.is_empty() {
        text.push_str(SECTIONS);
    }
    pages.push((man.get_filename(), text));
    for sub in command.get_subcommands().filter(|sub| !sub.is_hide_set()) {
        collect(sub, pages);
    }
}

/// Returns what stands below the options in the help: examples up to the first empty line, then notes.
fn examples(command: &Command) -> String {
    let Some(help) = command.get_after_help() else { return String::new() };
    let help = help.to_string();
    let (examples, notes) = help.split_once("\n\n").unwrap_or((&help, ""));
    let examples = examples.strip_prefix("Examples:\n").unwrap_or(examples);
    let mut text = format!(".SH EXAMPLES\n.nf\n{}.fi\n", escaped(examples));
    if !notes.is_empty() {
        text.push_str(&format!(".SH NOTES\n{}", escaped(notes)));
    }
    text
}

/// Returns lines as roff takes them literally: otherwise a backslash begins an escape, a dash is a hyphen, and a dot or
/// an apostrophe in front begins a request.
fn escaped(text: &str) -> String {
    let literal = |line: &str| format!("\\&{}\n", line.replace('\\', "\\e").replace('-', "\\-"));
    text.lines().map(|line| literal(line.strip_prefix("  ").unwrap_or(line))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_a_page_for_each_subcommand() {
        let pages = pages();
        assert_eq!(pages[0].0, "taskcache.1");
        for sub in crate::cli::command().get_subcommands() {
            let name = format!("taskcache-{}.1", sub.get_name());
            assert!(pages.iter().any(|(known, _)| *known == name), "{name}");
        }
        let (_, run) = pages.iter().find(|(name, _)| name == "taskcache-run.1").unwrap();
        assert!(run.contains(".SH EXAMPLES\n.nf\n\\&taskcache run \\-\\- ./slow"), "{run}");
    }
}
