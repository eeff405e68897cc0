//! One layer: what one place says, as it says it, each value with its origin.
//!
//! A layer holds raw values, checked for no more than their kind. What they mean is decided once, in `resolve`,
//! after all layers were laid over each other, so that every place is read by the same rules.

use super::options::OptionName;
use crate::model::path::printable;
use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fmt;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// Where a value came from.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Origin {
    /// An option of the command line, with its dashes.
    Flag(String),
    /// An environment variable.
    Variable(String),
    /// A place in a config file.
    File {
        /// The file, as it is shown: relative where it lies in or below the working directory.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// The table, such as `task.train`.
        table: String,
        /// The key.
        key: String,
    },
    /// A line (or element) of a list file, such as that of `--input-list`.
    ListFile {
        /// The file, as it was given.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
    },
    /// The name of the program that is run.
    Program,
    /// What counts where nobody says anything.
    BuiltIn,
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flag(flag) => write!(f, "option {flag}"),
            Self::Variable(name) => write!(f, "variable {name}"),
            Self::File { path, line, table, key } => {
                write!(f, "{}:{line} [{table}] {}", shown(path), printable(key.as_bytes()))
            }
            Self::ListFile { path, line } => write!(f, "{}:{line}", shown(path)),
            Self::Program => f.write_str("name of the program"),
            Self::BuiltIn => f.write_str("built-in"),
        }
    }
}

/// Returns a path as text that is safe on a terminal.
pub(super) fn shown(path: &Path) -> String {
    printable(path.as_os_str().as_bytes())
}

/// Something with its origin.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Located<T> {
    /// What it is.
    pub value: T,
    /// Where it came from.
    pub origin: Origin,
}

impl<T> Located<T> {
    /// Puts the two together.
    pub const fn new(value: T, origin: Origin) -> Self {
        Self { value, origin }
    }
}

/// A value as it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RawValue {
    /// Of a text or a choice.
    Text(OsString),
    /// Of a list: each element with its own origin, since in a file it has its own line.
    List(Vec<Located<OsString>>),
    /// Of a switch.
    Switch(bool),
}

/// What one place says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Layer {
    values: BTreeMap<OptionName, Located<RawValue>>,
    base: Option<PathBuf>,
}

impl Layer {
    /// Returns a layer that says nothing and whose paths are relative to the working directory.
    pub fn new() -> Self {
        Self::default()
    }

    /// Returns a layer that says nothing and whose paths are relative to `base`.
    pub fn based(base: PathBuf) -> Self {
        Self { base: Some(base), ..Self::default() }
    }

    /// Returns the folder that paths are relative to, where it is not the working directory.
    pub fn base(&self) -> Option<&Path> {
        self.base.as_deref()
    }

    /// Says a value. What the layer said before about the option is forgotten.
    pub fn set(&mut self, name: OptionName, value: RawValue, origin: Origin) {
        self.values.insert(name, Located::new(value, origin));
    }

    /// Says nothing about an option any more.
    pub fn forget(&mut self, name: OptionName) {
        self.values.remove(&name);
    }

    /// Returns what the layer says about an option.
    pub fn get(&self, name: OptionName) -> Option<&Located<RawValue>> {
        self.values.get(&name)
    }

    /// Returns the text that the layer says.
    pub fn text(&self, name: OptionName) -> Option<(&OsStr, &Origin)> {
        match self.get(name)? {
            Located { value: RawValue::Text(text), origin } => Some((text, origin)),
            _ => None,
        }
    }

    /// Returns what the layer says about a switch.
    pub fn switch(&self, name: OptionName) -> Option<(bool, &Origin)> {
        match self.get(name)? {
            Located { value: RawValue::Switch(on), origin } => Some((*on, origin)),
            _ => None,
        }
    }

    /// Returns the list that the layer says.
    pub fn list(&self, name: OptionName) -> Option<(&[Located<OsString>], &Origin)> {
        match self.get(name)? {
            Located { value: RawValue::List(elements), origin } => Some((elements, origin)),
            _ => None,
        }
    }

    /// Returns whether the layer says nothing.
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn origins_read_as_people_expect() {
        let file = |path: &str, table: &str| Origin::File {
            path: path.into(),
            line: 12,
            table: table.into(),
            key: "ttl".into(),
        };
        for (origin, text) in [
            (Origin::Flag("--ttl".into()), "option --ttl"),
            (Origin::Variable("TASKCACHE_TTL".into()), "variable TASKCACHE_TTL"),
            (file("taskcache.toml", "task.train"), "taskcache.toml:12 [task.train] ttl"),
            (file("/a\nb/taskcache.toml", "defaults"), "/a\\nb/taskcache.toml:12 [defaults] ttl"),
            (Origin::ListFile { path: "files.txt".into(), line: 3 }, "files.txt:3"),
            (Origin::Program, "name of the program"),
            (Origin::BuiltIn, "built-in"),
        ] {
            assert_eq!(origin.to_string(), text);
        }
    }

    #[test]
    fn the_last_word_on_an_option_counts() {
        let mut layer = Layer::new();
        assert!(layer.is_empty());
        layer.set(OptionName::Ttl, RawValue::Text("1s".into()), Origin::BuiltIn);
        layer.set(OptionName::Ttl, RawValue::Text("2s".into()), Origin::Flag("--ttl".into()));
        assert_eq!(layer.text(OptionName::Ttl), Some((OsStr::new("2s"), &Origin::Flag("--ttl".into()))));
        assert_eq!(layer.switch(OptionName::Ttl), None);
        assert_eq!(layer.list(OptionName::Ttl), None);
        assert_eq!(layer.text(OptionName::Stale), None);
    }
}
