//! What a failure means to the user: the message, the way out, the exit code.

use super::FAILURE;
use crate::config::error::ConfigError;
use crate::engine::flow::FlowError;
use crate::engine::plan::PlanError;
use crate::engine::record::with_cause;
use crate::engine::run::RunError;
use crate::engine::transaction::TransactionError;
use crate::model::fingerprint::ParseKeyPrefixError;
use crate::store::StoreError;
use crate::world::file::FileError;
use std::error::Error;

/// A failure, ready to be told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// What is wrong, reading after "error:".
    pub message: String,
    /// What to do about it.
    pub hint: Option<String>,
    /// What to exit with.
    pub exit_code: u8,
}

impl Failure {
    /// Makes a failure of our own.
    pub fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), hint: None, exit_code: FAILURE }
    }

    /// Adds the way out.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    pub(super) fn of(error: &dyn Error) -> Self {
        let mut message = error.to_string();
        let mut cause = error.source();
        while let Some(inner) = cause {
            // Some messages tell their cause themselves.
            let text = inner.to_string();
            if !message.ends_with(&text) {
                message.push_str(": ");
                message.push_str(&text);
            }
            cause = inner.source();
        }
        Self::new(message)
    }
}

impl From<RunError> for Failure {
    fn from(error: RunError) -> Self {
        let hint = error.hint().map(str::to_owned);
        Self { exit_code: error.exit_code(), hint, ..Self::of(&error) }
    }
}

impl From<PlanError> for Failure {
    fn from(error: PlanError) -> Self {
        RunError::from(error).into()
    }
}

impl From<FlowError> for Failure {
    fn from(error: FlowError) -> Self {
        Self { exit_code: error.exit_code(), ..Self::of(&error) }
    }
}

impl From<TransactionError> for Failure {
    fn from(error: TransactionError) -> Self {
        match error {
            TransactionError::Store(error) => error.into(),
            other => Self { exit_code: other.exit_code(), ..Self::of(&other) },
        }
    }
}

impl From<ConfigError> for Failure {
    fn from(error: ConfigError) -> Self {
        let hint = error.hint();
        Self { hint, ..Self::of(&error) }
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        let hint = match &error {
            StoreError::Damaged { .. } => Some(
                "it is moved to 'quarantine' in the store where that can be written; the next run starts anew",
            ),
            StoreError::Newer { .. } => Some("use the newer taskcache, or another store with --cache-dir"),
            StoreError::Foreign(_) | StoreError::NotAFolder(_) | StoreError::ForeignOwner(_) => {
                Some("choose another folder with --cache-dir or TASKCACHE_DIR")
            }
            _ => None,
        };
        Self { hint: hint.map(str::to_owned), ..Self::new(with_cause(&error)) }
    }
}

impl From<FileError> for Failure {
    fn from(error: FileError) -> Self {
        Self::of(&error)
    }
}

impl From<ParseKeyPrefixError> for Failure {
    fn from(error: ParseKeyPrefixError) -> Self {
        Self::of(&error).hint("'taskcache local-cache list' shows the keys")
    }
}
