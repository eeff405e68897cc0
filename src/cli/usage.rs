//! What clap complains of, in our words: a message that reads after "error:", and the way out as a hint.
//!
//! Deliberately absent: the usage lines. Who mistyped one word knows the rest, and the hint names the help.

use super::failure::Failure;
use crate::config::error::did_you_mean;
use crate::model::nearest::nearest;
use crate::model::path::printable;
use clap::Command;
use clap::error::{ContextKind, ContextValue, ErrorKind};

/// Puts a complaint into our words. `invocation` is argv with the program's name.
pub(super) fn complaint(error: &clap::Error, program: &Command, invocation: &[String]) -> Failure {
    let text = |kind| match error.get(kind) {
        Some(ContextValue::String(text)) => Some(text.clone()),
        Some(ContextValue::Strings(texts)) => Some(texts.join(", ")),
        _ => None,
    };
    let path = subcommands(program, invocation);
    let help = format!("'{} --help' describes all options", path.join(" "));
    let given = text(ContextKind::InvalidArg).unwrap_or_default();
    let option = printable(given.split([' ', '=']).next().unwrap_or_default().as_bytes());
    let value = text(ContextKind::InvalidValue);
    let suggested = |kind| text(kind).map(|name| did_you_mean(&name));
    match (error.kind(), value) {
        (ErrorKind::UnknownArgument, _) if given.starts_with('-') => {
            let hint = suggested(ContextKind::SuggestedArg).unwrap_or(help);
            Failure::new(format!("unknown option '{}'", printable(given.as_bytes()))).hint(hint)
        }
        (ErrorKind::UnknownArgument, _) => {
            Failure::new(format!("unexpected argument '{}'", printable(given.as_bytes()))).hint(help)
        }
        (ErrorKind::InvalidSubcommand, _) => {
            let name = text(ContextKind::InvalidSubcommand).unwrap_or_default();
            let shown = printable(name.as_bytes());
            Failure::new(format!("unknown command '{shown}'")).hint(way_to(program, &path, &name, &shown))
        }
        (ErrorKind::InvalidValue, Some(value)) if value.is_empty() => {
            Failure::new(format!("option {option}: the value is missing")).hint(help)
        }
        (ErrorKind::InvalidValue, Some(value)) => {
            let known = match error.get(ContextKind::ValidValue) {
                Some(ContextValue::Strings(known)) => known.clone(),
                _ => Vec::new(),
            };
            let near = nearest(&value, known.iter().map(String::as_str)).map(did_you_mean);
            let place = if given.starts_with('-') { format!("option {option}") } else { option };
            let message =
                format!("{place}: '{}' is none of {}", printable(value.as_bytes()), known.join(", "));
            Failure { hint: near, ..Failure::new(message) }
        }
        (ErrorKind::MissingRequiredArgument, _) => {
            Failure::new(format!("{} is missing", alternatives(&given))).hint(help)
        }
        (ErrorKind::MissingSubcommand, _) => Failure::new("a command is missing").hint(help),
        _ => Failure::new(plain(error)).hint(help),
    }
}

/// Returns an argument that is missing; where one of several would do, not in the notation of a usage line.
fn alternatives(given: &str) -> String {
    match given.strip_prefix('<').and_then(|rest| rest.strip_suffix('>')) {
        Some(group) if group.contains('|') => group.replace('|', " or "),
        _ => given.to_owned(),
    }
}

/// Returns clap's own words on one line. They repeat what was typed.
fn plain(error: &clap::Error) -> String {
    let text = error.render().to_string();
    let first = text.lines().next().unwrap_or_default();
    printable(first.strip_prefix("error: ").unwrap_or(first).as_bytes())
}

/// Returns the name of the program and of the subcommands that were entered.
fn subcommands(program: &Command, invocation: &[String]) -> Vec<String> {
    let mut path = vec![program.get_name().to_owned()];
    let mut command = program;
    for word in invocation.iter().skip(1) {
        let Some(sub) = command.find_subcommand(word) else { break };
        path.push(sub.get_name().to_owned());
        command = sub;
    }
    path
}

/// Returns what to write instead of a subcommand that there is none of: the nearest one beside it, one of that name
/// elsewhere, or else how a program of that name is run.
fn way_to(program: &Command, path: &[String], name: &str, shown: &str) -> String {
    let inner = path.iter().skip(1).try_fold(program, |command, name| command.find_subcommand(name));
    let beside = inner.into_iter().flat_map(Command::get_subcommands).map(Command::get_name);
    if let Some(near) = nearest(name, beside) {
        return did_you_mean(near);
    }
    // Of two places the store is meant: who types 'list' has results in mind, and no transactions.
    let elsewhere = program
        .get_subcommands()
        .filter(|sub| sub.find_subcommand(name).is_some())
        .min_by_key(|sub| sub.get_name() != "local-cache");
    match elsewhere {
        Some(sub) => did_you_mean(&format!("{} {} {name}", program.get_name(), sub.get_name())),
        None if path.len() == 1 => {
            format!("write 'taskcache run -- {shown} …' to run a program of that name")
        }
        None => format!("'{} --help' lists the commands", path.join(" ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns what is said of a line.
    fn said(line: &str) -> (String, String) {
        let words: Vec<String> = line.split(' ').map(str::to_owned).collect();
        let error = crate::cli::command().try_get_matches_from(&words).unwrap_err();
        let failure = complaint(&error, &crate::cli::command(), &words);
        (failure.message, failure.hint.unwrap_or_default())
    }

    #[test]
    fn mistakes_are_told_with_the_way_out() {
        for (line, message, hint) in [
            ("taskcache run --taks x true", "unknown option '--taks'", "did you mean '--task'?"),
            (
                "taskcache run --xyz x",
                "unknown option '--xyz'",
                "'taskcache run --help' describes all options",
            ),
            ("taskcache run -z x", "unknown option '-z'", "'taskcache run --help' describes all options"),
            ("taskcache rnu make", "unknown command 'rnu'", "did you mean 'run'?"),
            ("taskcache gc", "unknown command 'gc'", "did you mean 'taskcache local-cache gc'?"),
            ("taskcache list", "unknown command 'list'", "did you mean 'taskcache local-cache list'?"),
            (
                "taskcache make",
                "unknown command 'make'",
                "write 'taskcache run -- make …' to run a program of that name",
            ),
            ("taskcache local-cache sho", "unknown command 'sho'", "did you mean 'show'?"),
            (
                "taskcache local-cache xyz",
                "unknown command 'xyz'",
                "'taskcache local-cache --help' lists the commands",
            ),
            (
                "taskcache run --stdin hahs x",
                "option --stdin: 'hahs' is none of null, hash, inherit",
                "did you mean 'hash'?",
            ),
            ("taskcache run --stdin x y", "option --stdin: 'x' is none of null, hash, inherit", ""),
            (
                "taskcache run --ttl",
                "option --ttl: the value is missing",
                "'taskcache run --help' describes all options",
            ),
            (
                "taskcache run --refresh=yes x",
                "unexpected value 'yes' for '--refresh' found; no more were expected",
                "'taskcache run --help' describes all options",
            ),
            (
                "taskcache completions tcsh",
                "<SHELL>: 'tcsh' is none of bash, elvish, fish, powershell, zsh",
                "",
            ),
            (
                "taskcache completions",
                "<SHELL> is missing",
                "'taskcache completions --help' describes all options",
            ),
            (
                "taskcache report",
                "--html <FILE> or --format <FORMAT> is missing",
                "'taskcache report --help' describes all options",
            ),
            (
                "taskcache local-cache list x",
                "unexpected argument 'x'",
                "'taskcache local-cache list --help' describes all options",
            ),
        ] {
            assert_eq!(said(line), (message.to_owned(), hint.to_owned()), "{line}");
        }
    }
}
