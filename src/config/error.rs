//! Why a run could not be configured. Every error names the place that has to be changed; what to write there
//! instead is a hint, which is shown on a line of its own.
//!
//! Whoever reports one of these exits with 125: taskcache's own failure, before the command was looked at. The one
//! exception is [`ConfigError::NoStoreFolder`], which concerns the store alone and follows `--fail-mode`.

use super::layer::{Origin, shown};
use std::path::PathBuf;

/// A place in a config file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spot {
    /// The file, as it is shown.
    pub path: PathBuf,
    /// The line, from 1.
    pub line: usize,
}

impl std::fmt::Display for Spot {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}", shown(&self.path), self.line)
    }
}

/// Why a run could not be configured. Texts within are safe on a terminal.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ConfigError {
    /// A value that cannot be read.
    #[error("{origin}: {reason}")]
    Value {
        /// Where it stands.
        origin: Box<Origin>,
        /// What is wrong with it.
        reason: String,
        /// What to write instead.
        hint: Option<String>,
    },
    /// Two values of one layer that cannot both hold.
    #[error("{first} contradicts {second}")]
    Contradiction {
        /// The one, with its value where that matters.
        first: String,
        /// The other.
        second: String,
        /// What to write instead.
        hint: Option<&'static str>,
    },
    /// `override`, and no version on any layer.
    #[error("{0}: 'override' needs a version, and none is given")]
    OverrideWithoutVersion(Box<Origin>),
    /// A group of defaults that no config has.
    #[error("{origin}: there is no table [env.{name}]")]
    UnknownEnvironment {
        /// Who names it.
        origin: Box<Origin>,
        /// Its name.
        name: String,
        /// The known name that is nearest to it.
        nearest: Option<String>,
    },
    /// Neither a command nor a task that could have one.
    #[error("no command is given")]
    NoCommand {
        /// The tasks that have a command.
        tasks: Vec<String>,
    },
    /// No command, and a task that no config has.
    #[error("{origin}: no command is given and there is no table [task.{name}]")]
    UnknownTask {
        /// Who names it.
        origin: Box<Origin>,
        /// Its name.
        name: String,
        /// The known name that is nearest to it.
        nearest: Option<String>,
        /// The tasks that have a command.
        tasks: Vec<String>,
    },
    /// No command, and a task that has none either.
    #[error("{origin}: no command is given and [task.{name}] has none")]
    TaskWithoutCommand {
        /// Who names it.
        origin: Box<Origin>,
        /// Its name.
        name: String,
    },
    /// A file that cannot be read.
    #[error("cannot read {}: {reason}", shown(.path))]
    Unreadable {
        /// The file, as it is shown.
        path: PathBuf,
        /// What the system says.
        reason: String,
    },
    /// A file that is not taken for a config.
    #[error("{} is refused as config: {reason}", shown(.path))]
    Refused {
        /// The file, as it is shown.
        path: PathBuf,
        /// Why.
        reason: String,
        /// What to do about it.
        hint: Option<&'static str>,
    },
    /// A file that is no TOML.
    #[error("{spot}: {reason}")]
    Syntax {
        /// Where.
        spot: Spot,
        /// What the parser says.
        reason: String,
    },
    /// A key that means nothing.
    #[error("{spot}: unknown key '{key}' in [{table}]")]
    UnknownKey {
        /// Where.
        spot: Spot,
        /// The table that it stands in.
        table: String,
        /// The key.
        key: String,
        /// The known key that is nearest to it, or what says the same.
        nearest: Option<String>,
    },
    /// A table that means nothing.
    #[error("{spot}: unknown table [{table}]")]
    UnknownTable {
        /// Where.
        spot: Spot,
        /// The table.
        table: String,
        /// The known table that is nearest to it.
        nearest: Option<String>,
    },
    /// A key above the first table.
    #[error("{spot}: key '{key}' stands outside a table")]
    KeyOutsideTable {
        /// Where.
        spot: Spot,
        /// The key.
        key: String,
        /// Where it belongs.
        hint: &'static str,
    },
    /// A variable with our prefix that nobody knows.
    #[error("variable {name} stands for no option")]
    UnknownVariable {
        /// Its name.
        name: String,
        /// The known name that is nearest to it.
        nearest: Option<String>,
    },
    /// A value of another type than its key takes.
    #[error("{origin}: expected {expected}, found {found}")]
    WrongType {
        /// Where.
        origin: Box<Origin>,
        /// What the key takes.
        expected: &'static str,
        /// What stands there.
        found: &'static str,
    },
    /// A folder that has to be under the home folder, which nobody knows.
    #[error("there is no home folder, and no folder is given for the store")]
    NoStoreFolder,
}

impl ConfigError {
    /// Returns what to do about it, as a sentence fragment for a line of its own.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Value { hint, .. } => hint.clone(),
            Self::Contradiction { hint, .. } | Self::Refused { hint, .. } => hint.map(str::to_owned),
            Self::OverrideWithoutVersion(_) => Some("give --version, or 'version' in a config".into()),
            Self::UnknownEnvironment { nearest, .. }
            | Self::UnknownKey { nearest, .. }
            | Self::UnknownVariable { nearest, .. }
            | Self::UnknownTable { nearest, .. } => nearest.as_deref().map(did_you_mean),
            Self::NoCommand { tasks } => {
                Some(listed(tasks).unwrap_or_else(|| {
                    "write it behind the options, as in 'taskcache run -- COMMAND'".into()
                }))
            }
            Self::UnknownTask { nearest, tasks, .. } => {
                nearest.as_deref().map(did_you_mean).or_else(|| listed(tasks))
            }
            Self::TaskWithoutCommand { name, .. } => Some(format!("add 'command' to [task.{name}]")),
            Self::KeyOutsideTable { hint, .. } => Some((*hint).to_owned()),
            Self::WrongType { expected, .. } => example(expected).map(str::to_owned),
            Self::NoStoreFolder => Some("give --cache-dir, or set TASKCACHE_DIR or HOME".into()),
            Self::Unreadable { .. } | Self::Syntax { .. } => None,
        }
    }
}

/// Returns the usual question about a name that is safe on a terminal.
pub fn did_you_mean(name: &str) -> String {
    format!("did you mean '{name}'?")
}

/// Returns the tasks that could be run.
fn listed(tasks: &[String]) -> Option<String> {
    (!tasks.is_empty()).then(|| format!("tasks with a command: {}", tasks.join(", ")))
}

/// What a key takes, as errors say it.
pub(super) mod expected {
    /// A text.
    pub(in crate::config) const TEXT: &str = "a string";
    /// A list.
    pub(in crate::config) const LIST: &str = "an array of strings";
    /// A switch.
    pub(in crate::config) const SWITCH: &str = "true or false";
    /// A table.
    pub(in crate::config) const TABLE: &str = "a table";
    /// A command.
    pub(in crate::config) const COMMAND: &str = "an array of words or a string";
}

/// Returns how such a value is written.
fn example(kind: &str) -> Option<&'static str> {
    match kind {
        expected::TEXT => Some("write it in quotes"),
        expected::LIST => Some("write [\"...\", \"...\"]"),
        expected::SWITCH => Some("write it without quotes"),
        _ => None,
    }
}
