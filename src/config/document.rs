//! The text of a config file into layers, purely: bytes in, tables out.
//!
//! Nothing is guessed. A key, a table or a type that this release does not know is an error with its line and the
//! nearest known name, because a mistyped `outputs` that is silently ignored would be a wrong hit later. Of several
//! faults the first in the file is told.
//!
//! Values are checked for their type alone; what they mean is decided in `resolve`, as for every other layer.

use super::error::{ConfigError, Spot, expected};
use super::layer::{Layer, Located, Origin, RawValue};
use super::options::{Kind, OPTIONS, OptionRow, Place};
use super::values::is_name;
use crate::model::nearest::nearest;
use crate::model::path::printable;
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// The tables of one config file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Document {
    /// `[defaults]`.
    pub defaults: Layer,
    /// Each `[task.NAME]`.
    pub tasks: BTreeMap<String, TaskTable>,
    /// Each `[env.NAME]`.
    pub environments: BTreeMap<String, Layer>,
    /// Each `[policy.NAME]`.
    pub policies: BTreeMap<String, Located<String>>,
    /// `[store]`.
    pub store: StoreTable,
}

/// A `[task.NAME]`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TaskTable {
    /// Its options.
    pub layer: Layer,
    /// Its command, as words.
    pub command: Option<Located<Vec<OsString>>>,
}

/// The `[store]`, as it is written.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StoreTable {
    /// The folder.
    pub dir: Option<Located<String>>,
    /// How large it may grow.
    pub max_size: Option<Located<String>>,
    /// How long an entry may lie unused.
    pub max_age: Option<Located<String>>,
    /// By which means processes keep out of each other's way.
    pub locks: Option<Located<String>>,
    /// How long a lease is valid.
    pub lease: Option<Located<String>>,
}

/// The keys of `[store]`.
pub(super) const STORE_KEYS: [&str; 5] = ["dir", "max_size", "max_age", "locks", "lease"];

/// The tables that a file may have.
const TABLES: [&str; 5] = ["defaults", "task", "env", "policy", "store"];

/// A kind of table with options in it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Section {
    Defaults,
    Task,
    Environment,
}

/// A table or an array element, with its position.
type Node<'i> = Spanned<DeValue<'i>>;

/// Reads a file's bytes. `path` is what errors and origins show; `base` is the folder that paths in it are relative
/// to, where that is not the working directory.
pub fn parse(bytes: &[u8], path: &Path, base: Option<&Path>) -> Result<Document, ConfigError> {
    let newlines = bytes.iter().enumerate().filter(|(_, byte)| **byte == b'\n');
    let newlines: Vec<usize> = newlines.map(|(at, _)| at).collect();
    let reader = Reader { path, base, newlines };
    let syntax = |at, reason| ConfigError::Syntax { spot: reader.spot(at), reason };
    let text =
        std::str::from_utf8(bytes).map_err(|error| syntax(error.valid_up_to(), "not UTF-8".to_owned()))?;
    let table = DeTable::parse(text).map_err(|error| {
        let at = error.span().map_or(0, |span| span.start);
        syntax(at, printable(error.message().as_bytes()))
    })?;
    reader.document(table.get_ref())
}

/// What is known while one file is read.
struct Reader<'p> {
    path: &'p Path,
    base: Option<&'p Path>,
    newlines: Vec<usize>,
}

impl Reader<'_> {
    fn document(&self, root: &DeTable<'_>) -> Result<Document, ConfigError> {
        let mut document = Document::default();
        for (name, at, value) in in_order(root) {
            if !TABLES.contains(&name) {
                return Err(self.strange_root(name, at, value));
            }
            let table = self.table(name, name, at, value)?;
            match name {
                "defaults" => document.defaults = self.section(Section::Defaults, name, table)?.layer,
                "store" => document.store = self.store(table)?,
                _ => self.named_tables(name, table, &mut document)?,
            }
        }
        Ok(document)
    }

    /// Reads the tables below `[task]`, `[env]` or `[policy]`.
    fn named_tables(
        &self,
        kind: &str,
        table: &DeTable<'_>,
        document: &mut Document,
    ) -> Result<(), ConfigError> {
        for (name, at, value) in in_order(table) {
            let path = format!("{kind}.{}", quoted(name));
            if kind == "policy" {
                let policy = self.policy(name, at, value, &path)?;
                document.policies.insert(name.to_owned(), policy);
                continue;
            }
            let table = self.table(kind, name, at, value)?;
            if kind == "task" {
                document.tasks.insert(name.to_owned(), self.section(Section::Task, &path, table)?);
            } else {
                let environment = self.section(Section::Environment, &path, table)?.layer;
                document.environments.insert(name.to_owned(), environment);
            }
        }
        Ok(())
    }

    /// Reads a table of options.
    fn section(&self, section: Section, path: &str, table: &DeTable<'_>) -> Result<TaskTable, ConfigError> {
        let mut read = TaskTable { layer: Layer::default(), command: None };
        if let Some(base) = self.base {
            read.layer = Layer::based(base.to_owned());
        }
        for (key, at, value) in in_order(table) {
            let origin = self.origin(path, key, at);
            if section == Section::Task && key == "command" {
                read.command = Some(Located::new(self.command(value, &origin)?, origin));
                continue;
            }
            let Some((row, undoes)) = row_of(section, key) else {
                return Err(self.unknown_key(path, key, at, near_key(section, key)));
            };
            let mut raw = self.raw_value(row, value, &origin)?;
            if let (true, RawValue::Switch(on)) = (undoes, &mut raw) {
                *on = !*on;
            }
            match read.layer.get(row.name) {
                Some(other) if other.value != raw => {
                    return Err(ConfigError::Contradiction {
                        first: other.origin.to_string(),
                        second: origin.to_string(),
                        hint: None,
                    });
                }
                _ => read.layer.set(row.name, raw, origin),
            }
        }
        Ok(read)
    }

    fn raw_value(&self, row: &OptionRow, value: &Node<'_>, origin: &Origin) -> Result<RawValue, ConfigError> {
        Ok(match row.kind {
            Kind::Switch => match value.get_ref() {
                DeValue::Boolean(on) => RawValue::Switch(*on),
                other => return Err(wrong(origin, expected::SWITCH, other)),
            },
            Kind::List => match value.get_ref() {
                DeValue::Array(elements) => {
                    let elements = elements.iter().map(|element| {
                        let origin = self.moved(origin, element);
                        Ok(Located::new(text(element.get_ref(), &origin)?.into(), origin))
                    });
                    RawValue::List(elements.collect::<Result<_, _>>()?)
                }
                other => return Err(wrong(origin, expected::LIST, other)),
            },
            Kind::Text | Kind::Choice(_) => RawValue::Text(text(value.get_ref(), origin)?.into()),
        })
    }

    /// Reads a command: words, or a text for the shell.
    fn command(&self, value: &Node<'_>, origin: &Origin) -> Result<Vec<OsString>, ConfigError> {
        let words: Vec<OsString> = match value.get_ref() {
            DeValue::Array(words) => {
                let words = words.iter().map(|word| {
                    let origin = self.moved(origin, word);
                    text(word.get_ref(), &origin).map(OsString::from)
                });
                words.collect::<Result<_, _>>()?
            }
            DeValue::String(script) if script.trim().is_empty() => Vec::new(),
            value @ DeValue::String(_) => vec!["sh".into(), "-c".into(), text(value, origin)?.into()],
            other => return Err(wrong(origin, expected::COMMAND, other)),
        };
        if words.first().is_none_or(|program| program.is_empty()) {
            let reason = "the command is empty".to_owned();
            return Err(ConfigError::Value { origin: Box::new(origin.clone()), reason, hint: None });
        }
        Ok(words)
    }

    /// Reads `[policy.NAME]` with its `expression`, or `NAME = "..."` within `[policy]`.
    fn policy(
        &self,
        name: &str,
        at: usize,
        value: &Node<'_>,
        path: &str,
    ) -> Result<Located<String>, ConfigError> {
        let origin = self.origin("policy", name, at);
        let refuse = |reason: &str, hint: Option<String>| ConfigError::Value {
            origin: Box::new(origin.clone()),
            reason: format!("'{}' {reason}", printable(name.as_bytes())),
            hint,
        };
        if BUILT_IN_POLICIES.contains(&name) {
            return Err(refuse("is the name of a built-in policy", None));
        }
        if !is_name(name.as_bytes()) {
            let hint = "write letters, digits, '_', '.' and '-', with a letter or '_' in front";
            return Err(refuse("cannot be named in a policy", Some(hint.into())));
        }
        let DeValue::Table(table) = value.get_ref() else {
            return Ok(Located::new(text(value.get_ref(), &origin)?, origin));
        };
        let mut expression = None;
        for (key, at, value) in in_order(table) {
            if key != "expression" {
                return Err(self.unknown_key(path, key, at, Some("expression".into())));
            }
            let origin = self.origin(path, key, at);
            expression = Some(Located::new(text(value.get_ref(), &origin)?, origin));
        }
        expression.ok_or_else(|| refuse("has no 'expression'", None))
    }

    fn store(&self, table: &DeTable<'_>) -> Result<StoreTable, ConfigError> {
        let mut store = StoreTable::default();
        for (key, at, value) in in_order(table) {
            let origin = self.origin("store", key, at);
            let field = match key {
                "dir" => &mut store.dir,
                "max_size" => &mut store.max_size,
                "max_age" => &mut store.max_age,
                "locks" => &mut store.locks,
                "lease" => &mut store.lease,
                _ => {
                    let near = nearest(key, STORE_KEYS).map(str::to_owned);
                    return Err(self.unknown_key("store", key, at, near));
                }
            };
            *field = Some(Located::new(text(value.get_ref(), &origin)?, origin));
        }
        Ok(store)
    }

    fn table<'t, 'i>(
        &self,
        table: &str,
        key: &str,
        at: usize,
        value: &'t Node<'i>,
    ) -> Result<&'t DeTable<'i>, ConfigError> {
        match value.get_ref() {
            DeValue::Table(found) => Ok(found),
            other => Err(wrong(&self.origin(table, key, at), expected::TABLE, other)),
        }
    }

    /// Says what is wrong with a name outside all tables.
    fn strange_root(&self, name: &str, at: usize, value: &Node<'_>) -> ConfigError {
        let spot = self.spot(at);
        let shown = printable(name.as_bytes());
        if value.get_ref().is_table() {
            let near = nearest(name, TABLES).map(str::to_owned);
            return ConfigError::UnknownTable { spot, table: shown, nearest: near };
        }
        let hint = match row_of(Section::Defaults, name) {
            Some(_) => "put it below [defaults]",
            None => "the tables are [defaults], [task.NAME], [env.NAME], [policy.NAME] and [store]",
        };
        ConfigError::KeyOutsideTable { spot, key: shown, hint }
    }

    fn unknown_key(&self, table: &str, key: &str, at: usize, nearest: Option<String>) -> ConfigError {
        let (spot, key) = (self.spot(at), printable(key.as_bytes()));
        ConfigError::UnknownKey { spot, table: table.to_owned(), key, nearest }
    }

    fn origin(&self, table: &str, key: &str, at: usize) -> Origin {
        let (path, line) = (self.path.to_owned(), self.line(at));
        Origin::File { path, line, table: table.to_owned(), key: key.to_owned() }
    }

    /// Returns an origin as it is for an element, which may stand on a line of its own.
    fn moved(&self, origin: &Origin, element: &Node<'_>) -> Origin {
        let mut origin = origin.clone();
        if let Origin::File { line, .. } = &mut origin {
            *line = self.line(element.span().start);
        }
        origin
    }

    fn spot(&self, at: usize) -> Spot {
        Spot { path: PathBuf::from(self.path), line: self.line(at) }
    }

    fn line(&self, at: usize) -> usize {
        self.newlines.partition_point(|newline| *newline < at) + 1
    }
}

/// What policies call their built-in parts; a config must not give these names another meaning.
pub(super) const BUILT_IN_POLICIES: [&str; 6] =
    ["DEFAULT", "INPUTS", "TASK_SOURCE", "FLOW_PARAMETERS", "RUN_ID", "NONE"];

/// Returns the entries of a table in the order of the file.
fn in_order<'t, 'i>(table: &'t DeTable<'i>) -> Vec<(&'t str, usize, &'t Node<'i>)> {
    let entries = table.iter().map(|(key, value)| (key.get_ref().as_ref(), key.span().start, value));
    let mut entries: Vec<_> = entries.collect();
    entries.sort_by_key(|(_, at, _)| *at);
    entries
}

/// Returns the row that a key stands for, and whether the key undoes it.
fn row_of(section: Section, key: &str) -> Option<(&'static OptionRow, bool)> {
    rows(section).find_map(|row| {
        let undoes = row.undoing_key().as_deref() == Some(key);
        (undoes || row.key().as_deref() == Some(key)).then_some((row, undoes))
    })
}

/// Returns the rows that a section may say.
fn rows(section: Section) -> impl Iterator<Item = &'static OptionRow> {
    OPTIONS.iter().filter(move |row| match row.place {
        Place::Tables => true,
        Place::AboveEnvironments => section != Section::Environment,
        Place::Store(_) | Place::Nowhere => false,
    })
}

/// Returns the key that a strange one was probably meant to be.
fn near_key(section: Section, key: &str) -> Option<String> {
    let long = key.replace('_', "-");
    let same = |row: &&OptionRow| row.long == long || row.aliases.contains(&long.as_str());
    if let Some(row) = OPTIONS.iter().find(same) {
        return match row.place {
            Place::Store(key) => Some(format!("[store] {key}")),
            _ if rows(section).any(|known| known.name == row.name) => row.key(),
            _ => None,
        };
    }
    let mut keys: Vec<String> = rows(section).filter_map(OptionRow::key).collect();
    if section == Section::Task {
        keys.push("command".to_owned());
    }
    nearest(key, keys.iter().map(String::as_str)).map(str::to_owned)
}

/// Takes a text that the system can take too: one without a NUL byte.
fn text(value: &DeValue<'_>, origin: &Origin) -> Result<String, ConfigError> {
    match value {
        DeValue::String(text) if text.contains('\0') => Err(ConfigError::Value {
            origin: Box::new(origin.clone()),
            reason: "the value holds a NUL byte".to_owned(),
            hint: None,
        }),
        DeValue::String(text) => Ok(text.as_ref().to_owned()),
        other => Err(wrong(origin, expected::TEXT, other)),
    }
}

fn wrong(origin: &Origin, expected: &'static str, value: &DeValue<'_>) -> ConfigError {
    let found = match value {
        DeValue::String(_) => "a string",
        DeValue::Integer(_) | DeValue::Float(_) => "a number",
        DeValue::Boolean(_) => "a boolean",
        DeValue::Datetime(_) => "a date",
        DeValue::Array(_) => "an array",
        DeValue::Table(_) => "a table",
    };
    ConfigError::WrongType { origin: Box::new(origin.clone()), expected, found }
}

/// Returns a name as it is written in the header of a table.
fn quoted(name: &str) -> String {
    let bare = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-');
    if !name.is_empty() && name.bytes().all(bare) {
        name.to_owned()
    } else {
        format!("\"{}\"", printable(name.as_bytes()))
    }
}

#[cfg(test)]
mod tests;
