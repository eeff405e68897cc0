//! `taskcache explain`: the key of a run, whether it would hit, and why; or what two entries differ in.
//!
//! Two words that are both 6 to 64 hex digits, without `--` in front, are the keys of two entries; whatever else
//! stands there is a command. The rule looks at nothing but the words, so that a script knows what it gets.

use super::entry_choice::{entry_in, unknown};
use super::failure::Failure;
use super::options::{command_argument, command_from, layer_from, run_arguments};
use super::print;
use super::run::Requested;
use crate::config::resolve::survey;
use crate::engine::event::Outcome;
use crate::engine::explain::{between, explain};
use crate::model::fingerprint::KeyPrefix;
use crate::report::explanation::{comparison_text, explanation_text};
use crate::report::explanation_json::{comparison_json, explanation_json};
use crate::store::{Store, StoreError};
use crate::world::host::Host;
use crate::world::process::Termination;
use crate::world::program::NOT_FOUND;
use clap::{Arg, ArgAction, ArgMatches, Command};
use std::ffi::OsString;

const EXAMPLES: &str = "\
Examples:
  taskcache explain -- make               hit or miss, and why
  taskcache explain --hit -- make         what is not in the key and has changed
  taskcache explain 3f2a91c2 7bd04e11     what two entries differ in
  taskcache explain -q -- make || echo it would run

It takes all options of 'taskcache run' as well; 'taskcache run -h' lists them.

Exit codes: 0; with -q 0 a hit, 1 the command would run, 2 the cache would not
be asked; 125 a failure";

/// Returns the subcommand.
pub fn command() -> Command {
    Command::new("explain")
        .about("Say whether a command would hit, and why")
        .long_about(
            "Say whether a command would hit, and why, with the same options as run. Nothing is run, and nothing is \
             changed; probes and version commands are run, because their output is part of the key.",
        )
        .override_usage("taskcache explain [OPTIONS] [--] COMMAND [ARG]...\n       taskcache explain [OPTIONS] KEY KEY")
        .disable_version_flag(true)
        .arg(
            Arg::new("hit")
                .long("hit")
                .action(ArgAction::SetTrue)
                .help("Tell what is not in the key of a hit and has changed since"),
        )
        .arg(
            Arg::new("quiet")
                .long("quiet")
                .short('q')
                .action(ArgAction::SetTrue)
                .conflicts_with("format")
                .help("Print nothing; exit with 0 for a hit, 1 for a miss, 2 where the cache is not asked"),
        )
        .arg(
            Arg::new("format")
                .long("format")
                .value_name("FORMAT")
                .value_parser(["text", "json"])
                .help("Write for people or for programs"),
        )
        .args(run_arguments())
        .arg(command_argument())
        .after_help(EXAMPLES)
}

/// Explains.
pub fn run(host: &Host, arguments: &ArgMatches, invocation: &[OsString]) -> Result<Termination, Failure> {
    let quiet = arguments.get_flag("quiet");
    let is_json = arguments.get_one::<String>("format").is_some_and(|format| format == "json");
    if let Some(keys) = keys_in(&command_from(arguments), invocation) {
        if quiet || arguments.get_flag("hit") {
            return Err(Failure::new("-q and --hit are about a command, not about two keys")
                .hint("put '--' in front of a command whose words look like keys"));
        }
        return compare_entries(host, arguments, keys, is_json);
    }
    let requested = Requested::of(host, arguments)?;
    let explanation = explain(requested.job(host), arguments.get_flag("hit")).map_err(|error| {
        let failure = Failure::from(error);
        match lone_key(&requested.command, invocation) {
            Some(key) if failure.exit_code == NOT_FOUND => failure.hint(format!(
                "'taskcache local-cache show {key}' shows an entry; to compare it, give two keys"
            )),
            _ => failure,
        }
    })?;
    if quiet {
        return Ok(Termination::Exited(match explanation.outcome {
            Outcome::Hit | Outcome::Stale => 0,
            Outcome::Miss(_) | Outcome::Refresh | Outcome::Verify => 1,
            Outcome::Bypass(_) => 2,
        }));
    }
    match is_json {
        true => print(&format!("{}\n", explanation_json(&explanation)))?,
        false => print(&explanation_text(&explanation))?,
    }
    Ok(Termination::Exited(0))
}

/// Returns the word that looks like a key and stands alone in the place of a command.
fn lone_key<'a>(words: &'a [OsString], invocation: &[OsString]) -> Option<&'a str> {
    let [word] = words else { return None };
    let is_marked = invocation.len().checked_sub(2).is_some_and(|at| invocation[at] == "--");
    word.to_str().filter(|word| !is_marked && word.parse::<KeyPrefix>().is_ok())
}

/// Returns the two keys that a command line names in the place of a command.
fn keys_in(words: &[OsString], invocation: &[OsString]) -> Option<[KeyPrefix; 2]> {
    let [old, new] = words else { return None };
    let is_marked = invocation.len().checked_sub(3).is_some_and(|at| invocation[at] == "--");
    let key = |word: &OsString| word.to_str().and_then(|word| word.parse().ok());
    Some([key(old)?, key(new)?]).filter(|_| !is_marked)
}

fn compare_entries(
    host: &Host,
    arguments: &ArgMatches,
    keys: [KeyPrefix; 2],
    is_json: bool,
) -> Result<Termination, Failure> {
    let root = survey(host, &layer_from(arguments))?.store?.dir;
    let [old, new] = keys;
    let store = match Store::open_for_reading(&root) {
        Err(StoreError::Missing(_)) => return Err(unknown(&old)),
        opened => opened?,
    };
    let (old, new) = (entry_in(&store, &old)?, entry_in(&store, &new)?);
    let (comparison, causes) = between(&store, &old, &new)?;
    match is_json {
        true => print(&format!("{}\n", comparison_json(&old, &new, &comparison, &causes)))?,
        false => print(&comparison_text(&old, &new, &comparison, &causes, host.clock.now()))?,
    }
    Ok(Termination::Exited(0))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(line: &str) -> Vec<OsString> {
        line.split_whitespace().map(OsString::from).collect()
    }

    #[test]
    fn two_words_of_hex_digits_are_keys() {
        for (line, are_keys) in [
            ("taskcache explain abcdef 0123456789", true),
            ("taskcache explain --format json ABCDEF 012345", true),
            ("taskcache explain -- abcdef 012345", false),
            ("taskcache explain abcdef 01234", false),
            ("taskcache explain abcdef 012345 x", false),
            ("taskcache explain abcdef", false),
        ] {
            let matches = command().try_get_matches_from(&words(line)[1..]).unwrap();
            assert_eq!(keys_in(&command_from(&matches), &words(line)).is_some(), are_keys, "{line}");
        }
    }
}
