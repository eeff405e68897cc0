//! What the word at the cursor is, purely: the words of a line in, a place out.
//!
//! The words are read off the same description of the command line as for a run, so there is no second list of the
//! options that take a value. It is read as clap reads it: what takes a value takes the next word, whatever that
//! looks like, and the first word that is no option begins the command.
//!
//! Deliberately absent: a value that is glued to a letter (`-treport`). A shell would have to replace a part of a
//! word, and nobody writes that by hand.

use crate::config::layer::{Layer, Origin, RawValue};
use crate::config::options::OptionName;
use clap::{Arg, Command, ValueHint};
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;

/// What a word is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// The name of a task.
    Task,
    /// The name of a task that has results.
    StoredTask,
    /// The name of a group of defaults.
    Environment,
    /// A policy.
    Policy,
    /// A key, or its first digits.
    Key,
    /// A transaction that is not over.
    Transaction,
    /// The name of a subcommand, where a command may stand as well.
    Step,
    /// A word of the command, whose first word has this number.
    Command(usize),
    /// Something that the generated scripts know, or nobody.
    Static,
}

/// The word at the cursor, and what those in front of it say about it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Cursor {
    /// What it is.
    pub(super) place: Place,
    /// What is typed of it, without the option that it is glued to.
    pub(super) typed: OsString,
    /// The options that say where to look: `--config` and `--cache-dir`.
    pub(super) layer: Layer,
}

/// Reads the words up to the cursor, the name of the program first.
pub(super) fn cursor_of(program: &Command, words: &[OsString]) -> Cursor {
    let mut reader = Reader { commands: vec![program], positional: 0, layer: Layer::new() };
    let at = |place, typed: &[u8], layer| Cursor { place, typed: OsStr::from_bytes(typed).to_owned(), layer };
    let Some((typed, before)) = words.split_last() else { return at(Place::Static, b"", reader.layer) };
    let typed = typed.as_bytes();
    let mut before = before.iter().enumerate().skip(1);
    while let Some((number, word)) = before.next() {
        match reader.read(word.as_bytes()) {
            Read::Nothing => {}
            Read::Command => return at(Place::Command(number), typed, reader.layer),
            // What follows `--` begins the command, whatever it looks like.
            Read::Dashes if reader.takes_command() => {
                return at(Place::Command(number + 1), typed, reader.layer);
            }
            Read::Dashes => {}
            Read::Option(option) => match before.next() {
                Some((_, value)) => reader.note(option, value),
                None => return at(reader.place_of(option), typed, reader.layer),
            },
        }
    }
    if let Some((option, value)) = reader.glued(typed) {
        return at(reader.place_of(option), value, reader.layer);
    }
    if typed.starts_with(b"-") {
        return at(Place::Static, typed, reader.layer);
    }
    at(reader.place_of_positional(words.len().saturating_sub(1)), typed, reader.layer)
}

/// What a word in front of the cursor was.
enum Read<'c> {
    /// A subcommand, a switch, an option with its value, a positional value.
    Nothing,
    /// An option whose value is the next word.
    Option(&'c Arg),
    /// `--`.
    Dashes,
    /// The first word of the command.
    Command,
}

struct Reader<'c> {
    /// The subcommands that were entered, the program first.
    commands: Vec<&'c Command>,
    /// How many positional values were given to the last of them.
    positional: usize,
    layer: Layer,
}

impl<'c> Reader<'c> {
    fn command(&self) -> &'c Command {
        self.commands.last().expect("the program itself is always there")
    }

    fn read(&mut self, word: &[u8]) -> Read<'c> {
        if word == b"--" {
            return Read::Dashes;
        }
        if word.starts_with(b"--") {
            return match (self.glued(word), self.long(&word[2..])) {
                (Some((option, value)), _) => {
                    self.note(option, OsStr::from_bytes(value));
                    Read::Nothing
                }
                (None, Some(option)) => Read::Option(option),
                (None, None) => Read::Nothing,
            };
        }
        if word.len() > 1 && word.starts_with(b"-") {
            return self.letters(&word[1..]).map_or(Read::Nothing, Read::Option);
        }
        let sub = std::str::from_utf8(word).ok().and_then(|name| self.command().find_subcommand(name));
        if let Some(sub) = sub.filter(|_| self.positional == 0) {
            self.commands.push(sub);
            return Read::Nothing;
        }
        if self.takes_command() {
            return Read::Command;
        }
        self.positional += 1;
        Read::Nothing
    }

    fn takes_command(&self) -> bool {
        let hints = self.command().get_positionals().map(Arg::get_value_hint);
        hints.into_iter().any(|hint| hint == ValueHint::CommandWithArguments)
    }

    /// Returns the option that takes a value and has this long name.
    fn long(&self, name: &[u8]) -> Option<&'c Arg> {
        self.valued().find(|option| {
            let names = option.get_long().into_iter().chain(option.get_all_aliases().into_iter().flatten());
            names.into_iter().any(|known| known.as_bytes() == name)
        })
    }

    /// Returns the option at the end of a word of letters, where its value is the next word.
    fn letters(&self, letters: &[u8]) -> Option<&'c Arg> {
        for (at, letter) in letters.iter().enumerate() {
            let option = self.valued().find(|option| option.get_short() == Some(char::from(*letter)));
            if let Some(option) = option {
                return (at + 1 == letters.len()).then_some(option);
            }
        }
        None
    }

    fn valued(&self) -> impl Iterator<Item = &'c Arg> {
        let own = self.command().get_opts();
        let global =
            self.commands.clone().into_iter().flat_map(Command::get_opts).filter(|o| o.is_global_set());
        own.chain(global).filter(|option| option.get_action().takes_values())
    }

    /// Splits `--option=value`.
    fn glued<'w>(&self, word: &'w [u8]) -> Option<(&'c Arg, &'w [u8])> {
        let rest = word.strip_prefix(b"--")?;
        let equals = rest.iter().position(|byte| *byte == b'=')?;
        Some((self.long(&rest[..equals])?, &rest[equals + 1..]))
    }

    /// Remembers an option that says where to look.
    fn note(&mut self, option: &Arg, value: &OsStr) {
        let name = match option.get_id().as_str() {
            "config" => OptionName::Config,
            "cache-dir" => OptionName::CacheDir,
            _ => return,
        };
        let origin = Origin::Flag(format!("--{}", name.row().long));
        self.layer.set(name, RawValue::Text(value.to_owned()), origin);
    }

    fn place_of(&self, option: &Arg) -> Place {
        match option.get_id().as_str() {
            "task" if self.commands.iter().any(|command| command.get_name() == "local-cache") => {
                Place::StoredTask
            }
            "task" => Place::Task,
            "environment" => Place::Environment,
            "policy" => Place::Policy,
            _ => Place::Static,
        }
    }

    /// Returns what a word is that is no option and has this number.
    fn place_of_positional(&self, number: usize) -> Place {
        if self.takes_command() {
            return if self.command().has_subcommands() { Place::Step } else { Place::Command(number) };
        }
        let mut positionals = self.command().get_positionals();
        let name = positionals.nth(self.positional).or_else(|| self.command().get_positionals().last());
        match name.and_then(|argument| argument.get_value_names()?.first()).map(clap::builder::Str::as_str) {
            Some("KEY") => Place::Key,
            Some("ID") => Place::Transaction,
            _ => Place::Static,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Reads a line whose last word, which may be empty, is the one at the cursor.
    fn cursor(line: &str) -> (Place, String) {
        let words: Vec<_> = line.split(' ').map(OsString::from).collect();
        let cursor = cursor_of(&crate::cli::command(), &words);
        (cursor.place, cursor.typed.into_string().unwrap())
    }

    #[test]
    fn places_are_found() {
        for (line, place, typed) in [
            ("taskcache ", Place::Static, ""),
            ("taskcache ru", Place::Static, "ru"),
            ("taskcache run --ta", Place::Static, "--ta"),
            ("taskcache run --task ", Place::Task, ""),
            ("taskcache run -t re", Place::Task, "re"),
            ("taskcache run -0t re", Place::Task, "re"),
            ("taskcache run --task=re", Place::Task, "re"),
            ("taskcache run --ttl 5m -t ", Place::Task, ""),
            ("taskcache run --ttl=5m --environment ", Place::Environment, ""),
            ("taskcache run --policy IN", Place::Policy, "IN"),
            ("taskcache run --ttl ", Place::Static, ""),
            ("taskcache run --cache-version -t x", Place::Command(4), "x"),
            ("taskcache config show -t ", Place::Task, ""),
            ("taskcache local-cache list --task ", Place::StoredTask, ""),
            ("taskcache local-cache show 3f", Place::Key, "3f"),
            ("taskcache local-cache --cache-dir x show ", Place::Key, ""),
            ("taskcache local-cache remove aa bb", Place::Key, "bb"),
            ("taskcache transaction commit ", Place::Transaction, ""),
            ("taskcache transaction be", Place::Step, "be"),
            ("taskcache transaction -- ma", Place::Command(3), "ma"),
        ] {
            assert_eq!(cursor(line), (place, typed.to_owned()), "{line}");
        }
    }

    #[test]
    fn the_command_is_found_where_a_run_finds_it() {
        for (line, at) in [
            ("taskcache run ma", 2),
            ("taskcache run -- ma", 3),
            ("taskcache run -- -t", 3),
            ("taskcache run -i src make -t ", 4),
            ("taskcache run --refresh --no-serialize make --task ", 4),
            ("taskcache key -e LANG -- sort ", 5),
            ("taskcache flow --param a=b ./x -- y", 4),
        ] {
            assert_eq!(cursor(line).0, Place::Command(at), "{line}");
        }
    }

    #[test]
    fn where_to_look_is_noted() {
        let words = ["taskcache", "run", "--config", "a.toml", "--cache-dir=s", "-t", ""].map(OsString::from);
        let layer = cursor_of(&crate::cli::command(), &words).layer;
        assert_eq!(layer.text(OptionName::Config).map(|(text, _)| text), Some(OsStr::new("a.toml")));
        assert_eq!(layer.text(OptionName::CacheDir).map(|(text, _)| text), Some(OsStr::new("s")));
        assert_eq!(cursor_of(&crate::cli::command(), &[]).place, Place::Static);
    }
}
