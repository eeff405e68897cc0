//! The options of `run` as arguments of the command line, read off [`OPTIONS`].
//!
//! Values stay bytes: nothing but a choice is looked at here. Of an option that is no list the last one counts, and so
//! does the last one of a switch and its `--no-…`; wrappers and aliases can add options in front without asking what
//! the caller adds behind.
//!
//! # Where the command begins
//!
//! The first word that is no option begins the command, and everything behind it is the command's, flags and `--`
//! included. A `--` in front of it is optional, and needed for a program whose name begins with a dash. A flag in
//! front of the command that nobody knows is an error, because it is a mistyped one of ours.
//!
//! Deliberately absent: `--version` for the program's own version. On `run` it is the cache version.

use crate::config::layer::{Layer, Located, Origin, RawValue};
use crate::config::options::{Kind, OPTIONS, OptionRow};
use clap::builder::{OsStringValueParser, PossibleValuesParser, ValueParser};
use clap::{Arg, ArgAction, ArgMatches, ValueHint};
use std::ffi::OsString;

/// The name under which the words of the command are found.
const COMMAND: &str = "command";

/// Returns the arguments for every option of the table, the undoing twins of switches included.
pub fn run_arguments() -> Vec<Arg> {
    OPTIONS.iter().flat_map(|row| [Some(argument(row)), undoing_argument(row)]).flatten().collect()
}

/// Returns the argument that takes the command: all words from the first one that is no option.
pub fn command_argument() -> Arg {
    Arg::new(COMMAND)
        .value_name("COMMAND")
        .help("The command to run, and its arguments")
        .value_parser(OsStringValueParser::new())
        .value_hint(ValueHint::CommandWithArguments)
        .num_args(0..)
        .trailing_var_arg(true)
}

/// Returns the words of the command.
pub fn command_from(matches: &ArgMatches) -> Vec<OsString> {
    values(matches, COMMAND)
}

/// Returns what the command line says about the options.
pub fn layer_from(matches: &ArgMatches) -> Layer {
    let mut layer = Layer::new();
    for row in OPTIONS {
        let origin = Origin::Flag(format!("--{}", row.long));
        match row.kind {
            Kind::Switch => {
                let undone = row.undoing().into_iter().next();
                if is_given(matches, row.long) {
                    layer.set(row.name, RawValue::Switch(true), origin);
                } else if let Some(long) = undone.filter(|long| is_given(matches, long)) {
                    layer.set(row.name, RawValue::Switch(false), Origin::Flag(format!("--{long}")));
                }
            }
            Kind::List => {
                let elements = values(matches, row.long).into_iter();
                let elements: Vec<_> =
                    elements.map(|element| Located::new(element, origin.clone())).collect();
                if !elements.is_empty() {
                    layer.set(row.name, RawValue::List(elements), origin);
                }
            }
            Kind::Text => {
                if let Some(text) = values(matches, row.long).pop() {
                    layer.set(row.name, RawValue::Text(text), origin);
                }
            }
            Kind::Choice(_) => {
                if let Ok(Some(word)) = matches.try_get_one::<String>(row.long) {
                    layer.set(row.name, RawValue::Text(word.into()), origin);
                }
            }
        }
    }
    layer
}

/// Returns the argument of a row, which is known by its long name.
fn argument(row: &OptionRow) -> Arg {
    let argument = Arg::new(row.long)
        .long(row.long)
        .short(row.short)
        .visible_aliases(row.aliases)
        .help(row.help)
        .help_heading(row.heading.title());
    match row.kind {
        Kind::Switch => switch(argument).overrides_with_all(row.undoing().first()),
        Kind::List => valued(argument, row).action(ArgAction::Append),
        Kind::Text | Kind::Choice(_) => valued(argument, row).overrides_with(row.long),
    }
}

/// Returns the hidden argument that undoes a switch.
fn undoing_argument(row: &OptionRow) -> Option<Arg> {
    let mut names = row.undoing().into_iter();
    let long = names.next()?;
    let argument = Arg::new(long.clone()).long(long).aliases(names).hide(true);
    Some(switch(argument).help(format!("Undo --{}", row.long)).overrides_with(row.long))
}

/// Makes a switch. It may be repeated, since overriding itself is what clap calls that.
fn switch(argument: Arg) -> Arg {
    let itself = argument.get_id().clone();
    argument.action(ArgAction::SetTrue).overrides_with(itself)
}

fn valued(argument: Arg, row: &OptionRow) -> Arg {
    let parser: ValueParser = match row.kind {
        Kind::Choice(words) => PossibleValuesParser::new(words).into(),
        Kind::Text | Kind::List | Kind::Switch => OsStringValueParser::new().into(),
    };
    let hint = match row.value_name {
        "FILE" => ValueHint::FilePath,
        "DIR" => ValueHint::DirPath,
        "[NAME=]PATTERN" => ValueHint::AnyPath,
        _ => ValueHint::Unknown,
    };
    argument.value_name(row.value_name).value_parser(parser).value_hint(hint)
}

/// Returns whether a switch was given. One that a subcommand does not have was not.
fn is_given(matches: &ArgMatches, long: &str) -> bool {
    matches!(matches.try_get_one::<bool>(long), Ok(Some(true)))
}

/// Returns all values of an argument; none for one that a subcommand does not have.
fn values(matches: &ArgMatches, name: &str) -> Vec<OsString> {
    let values = matches.try_get_many::<OsString>(name).ok().flatten();
    values.into_iter().flatten().cloned().collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::options::OptionName;
    use clap::Command;
    use clap::error::ErrorKind;
    use std::collections::BTreeSet;
    use std::os::unix::ffi::OsStringExt;

    fn command() -> Command {
        Command::new("run").disable_version_flag(true).args(run_arguments()).arg(command_argument())
    }

    fn parse<T: Into<OsString>>(words: impl IntoIterator<Item = T>) -> Result<ArgMatches, clap::Error> {
        command().try_get_matches_from(
            [OsString::from("run")].into_iter().chain(words.into_iter().map(Into::into)),
        )
    }

    /// Returns the layer and the command of a line without blanks in its words.
    fn line(text: &str) -> (Layer, Vec<OsString>) {
        let matches = parse(text.split_whitespace()).unwrap();
        (layer_from(&matches), command_from(&matches))
    }

    fn text(layer: &Layer, name: OptionName) -> String {
        layer.text(name).map(|(text, _)| text.to_string_lossy().into_owned()).unwrap_or_default()
    }

    #[test]
    fn clap_finds_no_fault() {
        command().debug_assert();
    }

    #[test]
    fn every_row_is_an_argument_exactly_once() {
        let arguments = run_arguments();
        let ids: BTreeSet<_> = arguments.iter().map(|argument| argument.get_id().as_str()).collect();
        assert_eq!(ids.len(), arguments.len());
        let shown: Vec<_> = arguments.iter().filter(|argument| !argument.is_hide_set()).collect();
        let longs: Vec<_> = shown.iter().filter_map(|argument| argument.get_long()).collect();
        let rows: Vec<_> = OPTIONS.iter().map(|row| row.long).collect();
        assert_eq!(longs, rows);
        for row in OPTIONS {
            let words = match row.kind {
                Kind::Switch => vec![format!("--{}", row.long)],
                Kind::Choice(words) => vec![format!("--{}={}", row.long, words[0])],
                Kind::Text | Kind::List => vec![format!("--{}=x", row.long)],
            };
            let layer = layer_from(&parse(words).unwrap());
            let given: Vec<_> = OPTIONS.iter().filter(|other| layer.get(other.name).is_some()).collect();
            assert_eq!(given, [row]);
            let origin = layer.get(row.name).map(|said| said.origin.to_string());
            assert_eq!(origin, Some(format!("option --{}", row.long)));
            for alias in row.aliases {
                let value = if row.kind == Kind::Switch { "" } else { "=x" };
                let layer = layer_from(&parse([format!("--{alias}{value}")]).unwrap());
                assert!(layer.get(row.name).is_some(), "{alias}");
            }
            for undoing in row.undoing() {
                let layer = layer_from(&parse([format!("--{undoing}")]).unwrap());
                assert_eq!(layer.switch(row.name).map(|(on, _)| on), Some(false), "{undoing}");
            }
        }
    }

    #[test]
    fn what_stands_behind_the_first_word_is_the_commands() {
        let (layer, words) = line("-i x cc -c foo.c");
        assert_eq!(words, ["cc", "-c", "foo.c"]);
        assert_eq!(layer.list(OptionName::Input).map(|(elements, _)| elements.len()), Some(1));
        assert_eq!(line("-- cc -c -- -x").1, ["cc", "-c", "--", "-x"]);
        assert_eq!(line("cc -- -x").1, ["cc", "--", "-x"]);
        assert_eq!(line("cc --ttl 5s --help").1, ["cc", "--ttl", "5s", "--help"]);
        assert_eq!(line("-- --strange -i").1, ["--strange", "-i"]);
        assert_eq!(line("-- -- x").1, ["--", "x"]);
        assert_eq!(line("--ttl 5s").1, [""; 0]);
        assert!(line("cc --ttl 5s").0.is_empty());
    }

    #[test]
    fn unknown_flags_before_the_command_are_errors() {
        let error = parse(["--unknwn", "--", "x"]).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::UnknownArgument);
        let error = parse(["--serialise", "--", "x"]).unwrap_err();
        assert!(error.to_string().contains("--serialize"), "{error}");
        let error = parse(["--statsu", "never", "x"]).unwrap_err();
        assert!(error.to_string().contains("--status"), "{error}");
        let error = parse(["--stdin", "nul", "x"]).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidValue);
        assert!(error.to_string().contains("null"), "{error}");
        assert!(parse(["-c", "x"]).is_err());
    }

    #[test]
    fn the_last_of_a_pair_counts() {
        let switch =
            |text: &str, name| line(text).0.switch(name).map(|(on, origin)| (on, origin.to_string()));
        let serialize = |text| switch(text, OptionName::Serialize);
        assert_eq!(serialize("x"), None);
        assert_eq!(serialize("--serialize --serialize x"), Some((true, "option --serialize".into())));
        assert_eq!(serialize("--serialize --no-serialize x"), Some((false, "option --no-serialize".into())));
        assert_eq!(serialize("--no-serialize --serialize x"), Some((true, "option --serialize".into())));
        assert_eq!(
            switch("--no-cache --cache x", OptionName::NoCache),
            Some((false, "option --cache".into()))
        );
        assert_eq!(
            switch("--force --no-force x", OptionName::Refresh),
            Some((false, "option --no-refresh".into()))
        );
        let (layer, _) = line("--ttl 1s --ttl 2s --stdin hash --stdin null --cache-version 1 --version 2 x");
        assert_eq!(text(&layer, OptionName::Ttl), "2s");
        assert_eq!(text(&layer, OptionName::Stdin), "null");
        assert_eq!(text(&layer, OptionName::Version), "2");
    }

    #[test]
    fn values_may_look_like_flags_behind_an_equals_sign() {
        let (layer, words) = line("--ignore=--jobs --ignore=-j -e A -e !B -0 make --jobs=4");
        let elements = |name| {
            let (elements, _) = layer.list(name).unwrap();
            elements.iter().map(|element| element.value.to_string_lossy().into_owned()).collect::<Vec<_>>()
        };
        assert_eq!(elements(OptionName::Ignore), ["--jobs", "-j"]);
        assert_eq!(elements(OptionName::Env), ["A", "!B"]);
        assert_eq!(words, ["make", "--jobs=4"]);
    }

    #[test]
    fn bytes_survive() {
        let bytes = |text: &[u8]| OsString::from_vec(text.to_vec());
        let words =
            [bytes(b"--salt=\xff"), bytes(b"-i"), bytes(b"\xfe=\xfd"), bytes(b"cc\xfc"), bytes(b"-\xfb")];
        let matches = parse(words).unwrap();
        let layer = layer_from(&matches);
        assert_eq!(layer.text(OptionName::Salt).map(|(text, _)| text.to_owned()), Some(bytes(b"\xff")));
        let (inputs, _) = layer.list(OptionName::Input).unwrap();
        assert_eq!(inputs[0].value, bytes(b"\xfe=\xfd"));
        assert_eq!(command_from(&matches), [bytes(b"cc\xfc"), bytes(b"-\xfb")]);
        let empty = parse(["--salt=", "", "x"]).unwrap();
        assert_eq!(layer_from(&empty).text(OptionName::Salt).map(|(text, _)| text.len()), Some(0));
        assert_eq!(command_from(&empty), ["", "x"]);
    }

    #[test]
    fn a_subcommand_may_lack_options() {
        let matches = Command::new("key").arg(command_argument()).try_get_matches_from(["key", "x"]).unwrap();
        assert!(layer_from(&matches).is_empty());
    }

    #[test]
    fn the_help_is_grouped_and_hides_the_twins() {
        let help = command().render_help().to_string();
        let mut rest = help.as_str();
        for heading in crate::config::options::Heading::ALL {
            let found = rest.find(&format!("{}:\n", heading.title()));
            assert!(found.is_some(), "{}", heading.title());
            rest = &rest[found.unwrap_or_default()..];
        }
        assert!(!help.contains("--no-serialize") && help.contains("-i, --input <[NAME=]PATTERN>"), "{help}");
        assert!(help.contains("run [OPTIONS] [COMMAND]..."), "{help}");
    }
}
