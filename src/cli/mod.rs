//! Floor 4: flags, subcommands, dispatch. One file a subcommand.
//!
//! Every subcommand turns its flags into a call of the floors below and the answer into words; nothing is decided
//! here. Errors end up in one place, [`run()`], which prints them with their causes and the way out.

pub mod completions;
pub mod config;
pub mod context;
mod entry_choice;
pub mod explain;
pub mod failure;
pub mod flow;
mod help;
pub mod init;
pub mod key;
pub mod local_cache;
pub mod man;
pub mod options;
pub mod report;
pub mod run;
mod store_choice;
pub mod transaction;
mod usage;
pub mod words;

use crate::report::reporter::say;
use crate::world::host::Host;
use crate::world::process::Termination;
use clap::error::ErrorKind;
use clap::{ArgMatches, Command};
use failure::Failure;
use std::ffi::OsString;
use std::io::{BufWriter, Write};

/// The version of this program.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// What taskcache exits with for its own failures.
pub const FAILURE: u8 = 125;

/// Returns the whole command line, as clap sees it.
pub fn command() -> Command {
    let program = Command::new("taskcache")
        .version(VERSION)
        .about("Memoise any command: run it once, replay it from then on")
        .long_about(
            "Memoise any command: run it once, replay it from then on.\n\n\
             The command, its input files and its environment make a key. Where a result is stored under it, \
             stdout, stderr, exit code and output files come back as if the command had run.",
        )
        .after_help(EXAMPLES)
        .subcommand_required(true)
        .arg_required_else_help(true)
        .subcommand(run::command())
        .subcommand(explain::command())
        .subcommand(key::command())
        .subcommand(flow::command())
        .subcommand(transaction::command())
        .subcommand(context::command())
        .subcommand(local_cache::command())
        .subcommand(report::command())
        .subcommand(config::command())
        .subcommand(init::command())
        .subcommand(completions::command())
        .subcommand(man::command());
    help::described(program)
}

const EXAMPLES: &str = "\
Examples:
  taskcache run -- ./slow-report --year 2026
  taskcache run --version v1 --ignore DEBUG -- python3 train.py
  taskcache run -i 'src/**' -o dist -- npm run build
  taskcache local-cache list
  taskcache local-cache clear";

/// Runs the program: `invocation` is argv with the program's name.
pub fn run(host: &Host, invocation: &[OsString]) -> Termination {
    if invocation.get(1).is_some_and(|word| word == "run")
        && let Some((layer, command)) = words::plainly_written(&invocation[2..])
    {
        return ended(run::run_command(host, &layer, command, invocation));
    }
    if invocation.get(1).is_some_and(|word| word == completions::CANDIDATES) {
        return ended(completions::candidates(host, &invocation[2..]));
    }
    // A hit is mostly start-up, and to build the flags of all subcommands is a good part of it: the one that is
    // named in the usual place is built alone.
    let only = match invocation.get(1).and_then(|word| word.to_str()) {
        Some("run") => Some(run::command().bin_name("taskcache run")),
        Some("explain") => Some(explain::command().bin_name("taskcache explain")),
        Some("key") => Some(key::command().bin_name("taskcache key")),
        _ => None,
    };
    let (name, matched) = match only {
        Some(only) => {
            let name = only.get_name().to_owned();
            match only.try_get_matches_from(&invocation[1..]) {
                // What help says at length is not built for a run.
                Err(error) if error.kind() == ErrorKind::DisplayHelp => {
                    (String::new(), command().try_get_matches_from(invocation))
                }
                matched => (name, matched),
            }
        }
        None => (String::new(), command().try_get_matches_from(invocation)),
    };
    let matches = match matched {
        Ok(matches) => matches,
        Err(error) => return usage(&error, invocation),
    };
    let (name, arguments) = matches.subcommand().unwrap_or((&name, &matches));
    ended(dispatch(host, name, arguments, invocation))
}

/// Tells a failure, where it is one.
fn ended(result: Result<Termination, Failure>) -> Termination {
    match result {
        Ok(termination) => termination,
        Err(failure) => {
            say(&format!("error: {}", failure.message));
            if let Some(hint) = &failure.hint {
                say(&format!("hint: {hint}"));
            }
            Termination::Exited(failure.exit_code)
        }
    }
}

fn dispatch(
    host: &Host,
    name: &str,
    arguments: &ArgMatches,
    invocation: &[OsString],
) -> Result<Termination, Failure> {
    match name {
        "run" => run::run(host, arguments, invocation),
        "explain" => explain::run(host, arguments, invocation),
        "key" => key::run(host, arguments),
        "flow" => flow::run(host, arguments),
        "transaction" => transaction::run(host, arguments),
        "context" => context::run(host),
        "local-cache" => local_cache::run(host, arguments),
        "report" => report::run(host, arguments),
        "config" => config::run(host, arguments),
        "init" => init::run(host, arguments),
        "completions" => completions::run(arguments),
        "man" => man::run(host, arguments),
        other => Err(Failure::new(format!("unknown command '{other}'"))),
    }
}

/// Help and version go to standard output and are a success; every other complaint of clap's is ours to fail with.
fn usage(error: &clap::Error, invocation: &[OsString]) -> Termination {
    let text = error.render().to_string();
    match error.kind() {
        _ if !error.use_stderr() => ended(print(&text).map(|()| Termination::Exited(0))),
        // Who gives no command at all wants to know what there is.
        ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
            // A page, and none of our lines: nothing stands in front of it. Where stderr is closed nobody is told.
            let _ = std::io::stderr().lock().write_all(text.as_bytes());
            Termination::Exited(FAILURE)
        }
        _ => {
            let words: Vec<_> = invocation.iter().map(|word| word.to_string_lossy().into_owned()).collect();
            ended(Err(usage::complaint(error, &command(), &words)))
        }
    }
}

/// Writes to standard output. A reader that went away is a success: it has what it wanted.
pub fn print(text: &str) -> Result<(), Failure> {
    print_pieces([text])
}

/// The same piece by piece, for what is better not held in memory as a whole.
pub fn print_pieces<T: AsRef<str>>(pieces: impl IntoIterator<Item = T>) -> Result<(), Failure> {
    let mut stdout = BufWriter::with_capacity(64 * 1024, std::io::stdout().lock());
    let mut pieces = pieces.into_iter();
    let written = pieces.try_for_each(|piece| stdout.write_all(piece.as_ref().as_bytes()));
    match written.and_then(|()| stdout.flush()) {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => {
            Err(Failure::new(format!("cannot write to standard output: {error}")))
        }
        _ => Ok(()),
    }
}
