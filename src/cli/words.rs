//! The words of a `run` that are written in the plain way, read straight off the table.
//!
//! To build clap's arguments for the whole table takes longer than all else that a small hit does. So a line that is
//! beyond doubt is read here, and any other (a flag that nobody knows, a value that is missing or no choice, several
//! short flags in one word, a call for help) is left to clap, which then also has the words for what is wrong. What is
//! read here has to come out as clap reads it; a test holds the two against each other on lines made from the table.

use crate::config::layer::{Layer, Located, Origin, RawValue};
use crate::config::options::{Kind, OPTIONS, OptionName, OptionRow};
use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};

/// Returns the options and the command; `None` where clap has to read the line.
pub fn plainly_written(words: &[OsString]) -> Option<(Layer, Vec<OsString>)> {
    let mut layer = Layer::new();
    let mut lists: BTreeMap<OptionName, Vec<Located<OsString>>> = BTreeMap::new();
    let mut rest = words;
    while let Some((word, behind)) = rest.split_first() {
        if word == "--" {
            rest = behind;
            break;
        }
        if word.as_bytes().first() != Some(&b'-') {
            break;
        }
        rest = behind;
        let (flag, attached) = named(word)?;
        let origin = |long: &str| Origin::Flag(format!("--{long}"));
        let row = match flag {
            Flag::Of(row) => row,
            Flag::Undoing(row, long) if attached.is_none() => {
                layer.set(row.name, RawValue::Switch(false), origin(&long));
                continue;
            }
            Flag::Undoing(..) => return None,
        };
        if row.kind == Kind::Switch {
            if attached.is_some() {
                return None;
            }
            layer.set(row.name, RawValue::Switch(true), origin(row.long));
            continue;
        }
        let value = match attached {
            Some(value) => value,
            None => {
                let (value, behind) = rest.split_first()?;
                if value.as_bytes().first() == Some(&b'-') {
                    return None;
                }
                rest = behind;
                value.clone()
            }
        };
        match row.kind {
            Kind::List => lists.entry(row.name).or_default().push(Located::new(value, origin(row.long))),
            Kind::Choice(words) if !words.iter().any(|word| value == *word) => return None,
            Kind::Choice(_) | Kind::Text | Kind::Switch => {
                layer.set(row.name, RawValue::Text(value), origin(row.long));
            }
        }
    }
    for (name, elements) in lists {
        layer.set(name, RawValue::List(elements), Origin::Flag(format!("--{}", name.row().long)));
    }
    Some((layer, rest.to_vec()))
}

/// What a flag names.
enum Flag {
    Of(&'static OptionRow),
    /// The twin that undoes a switch, and the name under which it is known.
    Undoing(&'static OptionRow, String),
}

/// Returns what a word that begins with a dash names, and the value that is attached to it.
fn named(word: &OsStr) -> Option<(Flag, Option<OsString>)> {
    let bytes = word.as_bytes();
    let Some(long) = bytes.strip_prefix(b"--") else {
        let [b'-', short] = bytes else { return None };
        let row = OPTIONS.iter().find(|row| row.short == Some(char::from(*short)))?;
        return Some((Flag::Of(row), None));
    };
    let (name, attached) = match long.iter().position(|byte| *byte == b'=') {
        Some(at) => (&long[..at], Some(OsString::from_vec(long[at + 1..].to_vec()))),
        None => (long, None),
    };
    let name = std::str::from_utf8(name).ok()?;
    if let Some(row) = OPTIONS.iter().find(|row| row.long == name || row.aliases.contains(&name)) {
        return Some((Flag::Of(row), attached));
    }
    OPTIONS.iter().find_map(|row| {
        let undoing = row.undoing();
        let is_it = undoing.iter().any(|long| long == name);
        is_it.then(|| (Flag::Undoing(row, undoing[0].clone()), attached.clone()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::options::{command_argument, command_from, layer_from, run_arguments};
    use clap::Command;
    use proptest::prelude::*;

    fn by_clap(words: &[OsString]) -> Option<(Layer, Vec<OsString>)> {
        let command =
            Command::new("run").disable_version_flag(true).args(run_arguments()).arg(command_argument());
        let matches = command.try_get_matches_from([OsString::from("run")].iter().chain(words)).ok()?;
        Some((layer_from(&matches), command_from(&matches)))
    }

    fn words(text: &str) -> Vec<OsString> {
        text.split(' ').map(OsString::from).collect()
    }

    #[test]
    fn plain_lines_are_read() {
        for line in [
            "echo hi",
            "-- echo hi",
            "--version v1 --ignore DEBUG -- python3 train.py --ignore x",
            "-i src/** -i !src/gen -o dist --ttl=1d --serialize --no-serialize make",
            "--force --no-force --cache-version 3 --stdin hash cat",
            "--salt= x",
            "-0 --input-list files x",
            "--task train",
        ] {
            let words = words(line);
            let read = plainly_written(&words);
            assert!(read.is_some(), "{line}");
            assert_eq!(read, by_clap(&words), "{line}");
        }
    }

    #[test]
    fn doubtful_lines_are_left_to_clap() {
        for line in [
            "--help",
            "-h",
            "--unknwn x",
            "--ttl",
            "--ttl --refresh x",
            "--stdin nul x",
            "--serialize=yes x",
            "--no-serialize=yes x",
            "-i=x y",
            "-0i x y",
            "- x",
            "-\u{fc} x",
        ] {
            assert_eq!(plainly_written(&words(line)), None, "{line}");
        }
    }

    /// A word as somebody may write it, right or wrong.
    fn any_word() -> impl Strategy<Value = OsString> {
        let row = proptest::sample::select(OPTIONS);
        let flag = (row, 0..5_usize, "[a-z=:*-]{0,4}").prop_map(|(row, form, value)| {
            let value = match row.kind {
                Kind::Choice(words) if value.len() < 3 => words[value.len() % words.len()].to_owned(),
                _ => value,
            };
            match form {
                0 => format!("--{}", row.long),
                1 => format!("--{}={value}", row.long),
                2 => row.short.map_or_else(|| format!("--{}={value}", row.long), |short| format!("-{short}")),
                3 => row.undoing().last().map_or_else(|| value.clone(), |undoing| format!("--{undoing}")),
                _ => row.aliases.first().map_or_else(|| value.clone(), |alias| format!("--{alias}={value}")),
            }
        });
        let other = proptest::sample::select(vec!["x", "--", "-", "", "=", "null", "-x", "--x=y", "1"]);
        let bytes = proptest::collection::vec(any::<u8>().prop_filter("no NUL", |byte| *byte != 0), 0..4);
        prop_oneof![
            8 => flag.prop_map(OsString::from),
            4 => other.prop_map(OsString::from),
            1 => bytes.prop_map(OsString::from_vec),
        ]
    }

    proptest! {
        #[test]
        fn what_is_read_comes_out_as_clap_reads_it(words in proptest::collection::vec(any_word(), 0..6)) {
            if let Some(read) = plainly_written(&words) {
                prop_assert_eq!(Some(read), by_clap(&words));
            }
        }
    }
}
