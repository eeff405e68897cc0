//! What counts in the end, option by option, for `config show` and for docs.
//!
//! Nothing is hidden: a config is no place for secrets, and a salt or a value that is not shown could not be
//! compared between two machines.

use super::conflicts::Conflicts;
use super::layer::{Located, Origin, RawValue};
use super::options::{Kind, OPTIONS, OptionName, OptionRow, Place};
use super::settings::{Behavior, EnvMode};
use super::stack::Stack;
use super::version::Decision;
use crate::model::path::printable;
use std::ffi::OsString;
use std::fmt;
use std::os::unix::ffi::{OsStrExt, OsStringExt};

/// One option as it counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Effective {
    /// What a config calls it: a key, `store.` and a key, or the long name where no config can say it.
    pub name: String,
    /// The value, lists with all that they inherit; `None` where nobody says one.
    pub value: Option<RawValue>,
    /// Where it came from.
    pub origin: Origin,
}

impl Effective {
    /// Names what stands for a row.
    fn of(row: &OptionRow, said: Option<Located<RawValue>>) -> Self {
        let name = match row.place {
            Place::Store(key) => format!("store.{key}"),
            _ => row.key().unwrap_or_else(|| row.long.replace('-', "_")),
        };
        match said {
            Some(said) => Self { name, value: Some(said.value), origin: said.origin },
            None => Self { name, value: None, origin: Origin::BuiltIn },
        }
    }

    /// Names a text.
    pub(super) fn text(name: &str, text: impl Into<OsString>, origin: &Origin) -> Self {
        Self { name: name.to_owned(), value: Some(RawValue::Text(text.into())), origin: origin.clone() }
    }
}

/// Returns every option as it counts, in the order of the table. The store's folder is left to those who find it.
pub(super) fn effective(
    stack: &Stack<'_>,
    task: &Located<Vec<u8>>,
    version: &Decision,
    conflicts: &Conflicts,
    env_mode: EnvMode,
) -> Vec<Effective> {
    let rows = OPTIONS.iter().filter(|row| !matches!(row.place, Place::Store(_)));
    rows.map(|row| {
        let text = |text: &[u8], origin: &Origin| {
            let text = RawValue::Text(OsString::from_vec(text.to_vec()));
            Some(Located::new(text, origin.clone()))
        };
        let said = match row.name {
            OptionName::Task if task.value.is_empty() => None,
            OptionName::Task => text(&task.value, &task.origin),
            OptionName::Version => {
                let said = version.version.as_ref();
                said.and_then(|said| text(said.value.as_bytes(), &said.origin))
            }
            OptionName::Behavior => {
                let word = match version.behavior.value {
                    Behavior::Auto => "auto",
                    Behavior::Override => "override",
                    Behavior::Disable => "disable",
                };
                text(word.as_bytes(), &version.behavior.origin)
            }
            OptionName::EnvMode if stack.text(OptionName::EnvMode).is_none() => match env_mode {
                EnvMode::Declared => {
                    let envs = stack.raw(OptionName::Env.row());
                    envs.and_then(|envs| text(b"declared", &envs.origin))
                }
                EnvMode::All | EnvMode::Strict => text(b"all", &Origin::BuiltIn),
            },
            _ => match conflicts.by(row.name) {
                Some(by) => absent(row).map(|value| Located::new(value, by.clone())),
                None => {
                    stack.raw(row).or_else(|| absent(row).map(|value| Located::new(value, Origin::BuiltIn)))
                }
            },
        };
        Effective::of(row, said)
    })
    .collect()
}

/// Returns what it comes to that nobody says an option. `--refresh` knows a third state, which is nothing.
fn absent(row: &OptionRow) -> Option<RawValue> {
    match row.kind {
        Kind::Switch if row.name != OptionName::Refresh => Some(RawValue::Switch(false)),
        Kind::List => Some(RawValue::List(Vec::new())),
        Kind::Switch | Kind::Text | Kind::Choice(_) => None,
    }
}

impl fmt::Display for Effective {
    /// Writes the value alone, safe for a terminal: nothing where there is none, a list as a config writes it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.value {
            None => Ok(()),
            Some(RawValue::Text(text)) => f.write_str(&printable(text.as_bytes())),
            Some(RawValue::Switch(on)) => write!(f, "{on}"),
            Some(RawValue::List(elements)) => {
                let quoted = |element: &Located<OsString>| {
                    let text = printable(element.value.as_bytes()).replace('\\', "\\\\").replace('"', "\\\"");
                    format!("\"{text}\"")
                };
                let elements: Vec<_> = elements.iter().map(quoted).collect();
                write!(f, "[{}]", elements.join(", "))
            }
        }
    }
}
