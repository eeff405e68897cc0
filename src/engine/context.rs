//! The runs around a run: what a command inside of another cached command inherits, and what it must not.
//!
//! A command sees its key, task and outcome in its environment. A nested run inherits the flow run, the transaction
//! and the store, but never the key or the task around it; and it knows all keys that are being computed around it,
//! so that a command which asks for its own result gets an error and not an endless descent.

use crate::model::fingerprint::CacheKey;
use crate::world::host::Host;
use serde_json::{Map, Value, json};
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// The variables that taskcache sets for a command.
pub mod variable {
    /// The key of the run around.
    pub const KEY: &str = "TASKCACHE_KEY";
    /// Its task.
    pub const TASK: &str = "TASKCACHE_TASK";
    /// Its outcome so far: `miss`, `refresh` or `bypass`.
    pub const OUTCOME: &str = "TASKCACHE_OUTCOME";
    /// The id of the flow run.
    pub const RUN_ID: &str = "TASKCACHE_RUN_ID";
    /// The flow run with its name and parameters, as JSON.
    pub const FLOW: &str = "TASKCACHE_FLOW";
    /// The transaction.
    pub const TRANSACTION: &str = "TASKCACHE_TRANSACTION";
    /// Which key and task are inherited, so that they are not taken for options: hex, `;`, hex.
    pub const CONTEXT: &str = crate::config::variables::CONTEXT_VARIABLE;
    /// The keys that are being computed around, joined with `:`.
    pub const STACK: &str = "TASKCACHE_STACK";
    /// The store.
    pub const DIR: &str = "TASKCACHE_DIR";
}

/// How many levels of nesting are looked at; a forged list does not cost more.
const DEEPEST: usize = 64;

/// A flow run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Flow {
    /// Its id.
    pub id: String,
    /// Its name, if it has one.
    pub name: Option<String>,
    /// Its parameters.
    pub parameters: Map<String, Value>,
}

/// What surrounds a run.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Context {
    /// The keys that are being computed around this run, the outermost first.
    pub stack: Vec<CacheKey>,
    /// The task of the run around.
    pub task: Option<Vec<u8>>,
    /// The outcome of the run around.
    pub outcome: Option<String>,
    /// The flow run.
    pub flow: Option<Flow>,
    /// The transaction.
    pub transaction: Option<String>,
}

impl Context {
    /// Reads the context from the environment. What does not parse is no context: anybody may set variables.
    pub fn of(host: &Host) -> Self {
        let text = |name: &str| host.variable(name).and_then(OsStr::to_str).filter(|text| !text.is_empty());
        let stack = text(variable::STACK).unwrap_or_default();
        let is_inside = text(variable::CONTEXT).is_some();
        let described: Option<Map<String, Value>> =
            text(variable::FLOW).and_then(|flow| serde_json::from_str(flow).ok());
        let flow = text(variable::RUN_ID).map(|id| {
            let described =
                described.as_ref().filter(|flow| flow.get("id").and_then(Value::as_str) == Some(id));
            let field = |name: &str| described.and_then(|flow| flow.get(name));
            Flow {
                id: id.to_owned(),
                name: field("name").and_then(Value::as_str).map(str::to_owned),
                parameters: field("parameters").and_then(Value::as_object).cloned().unwrap_or_default(),
            }
        });
        Self {
            stack: stack.split(':').take(DEEPEST).filter_map(|key| key.parse().ok()).collect(),
            task: host.variable(variable::TASK).filter(|_| is_inside).map(|task| task.as_bytes().to_vec()),
            outcome: text(variable::OUTCOME).map(str::to_owned),
            flow,
            transaction: text(variable::TRANSACTION).map(str::to_owned),
        }
    }

    /// Returns the environment of a command: `environment` with this run's own facts in place of those around it.
    pub fn environment_inside(
        &self,
        environment: &[(OsString, OsString)],
        inside: &Inside<'_>,
    ) -> Vec<(OsString, OsString)> {
        let mut own: Vec<(&str, OsString)> = Vec::new();
        own.push((variable::TASK, OsStr::from_bytes(inside.task).to_owned()));
        own.push((variable::OUTCOME, inside.outcome.into()));
        let key = inside.key.map(|key| key.to_string()).unwrap_or_default();
        own.push((variable::CONTEXT, crate::config::variables::context(&key, inside.task).into()));
        if let Some(store) = inside.store {
            own.push((variable::DIR, store.as_os_str().to_owned()));
        }
        if let Some(inner) = inside.key {
            let stack = self.stack.iter().map(ToString::to_string).chain([inner.to_string()]);
            own.push((variable::STACK, stack.collect::<Vec<_>>().join(":").into()));
            own.push((variable::KEY, key.into()));
        }
        let foreign = [variable::KEY, crate::world::background::MARK];
        let kept = environment.iter().filter(|(name, _)| !foreign.iter().any(|foreign| name == foreign));
        with_variables(&kept.cloned().collect::<Vec<_>>(), own)
    }

    /// Returns what `taskcache context` prints.
    pub fn to_json(&self) -> Value {
        let text = |bytes: &Vec<u8>| String::from_utf8_lossy(bytes).into_owned();
        json!({
            "task": self.task.as_ref().map(text),
            "key": self.stack.last().map(ToString::to_string),
            "outcome": self.outcome.as_ref().filter(|_| self.task.is_some()),
            "run_id": self.flow.as_ref().map(|flow| &flow.id),
            "flow": self.flow.as_ref().and_then(|flow| flow.name.as_ref()),
            "parameters": self.flow.as_ref().map(|flow| &flow.parameters),
            "transaction": self.transaction,
        })
    }
}

/// Returns an environment with variables of our own in the place of those that have their names.
pub(super) fn with_variables<'n>(
    environment: &[(OsString, OsString)],
    own: impl IntoIterator<Item = (&'n str, OsString)>,
) -> Vec<(OsString, OsString)> {
    let own: Vec<_> = own.into_iter().map(|(name, value)| (OsString::from(name), value)).collect();
    let is_replaced = |name: &OsString| own.iter().any(|(own, _)| own == name);
    environment.iter().filter(|(name, _)| !is_replaced(name)).chain(&own).cloned().collect()
}

/// What a command is told about its own run.
#[derive(Debug, Clone, Copy)]
pub struct Inside<'a> {
    /// The task.
    pub task: &'a [u8],
    /// The key, where there is one.
    pub key: Option<CacheKey>,
    /// The outcome so far.
    pub outcome: &'a str,
    /// The store's folder.
    pub store: Option<&'a Path>,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::world::host::{Clock, Terminals};

    fn host(environment: Vec<(OsString, OsString)>) -> Host {
        Host {
            environment,
            directory: Some("/w".into()),
            home: None,
            config_directory: None,
            terminals: Terminals::default(),
            streams_joined: false,
            umask: 0o022,
            process: 1,
            clock: Clock::System,
        }
    }

    #[test]
    fn nested_runs_see_each_other() {
        let key = |digit: &str| digit.repeat(64).parse::<CacheKey>().unwrap();
        let outer =
            Inside { task: b"out", key: Some(key("a")), outcome: "miss", store: Some(Path::new("/s")) };
        let environment = vec![("PATH".into(), "/bin".into()), ("TASKCACHE_KEY".into(), "mine".into())];
        let environment = Context::default().environment_inside(&environment, &outer);
        let context = Context::of(&host(environment.clone()));
        assert_eq!(context.stack, [key("a")]);
        assert_eq!(context.task.as_deref(), Some(&b"out"[..]));
        let inner = Inside { task: b"in", key: Some(key("b")), outcome: "refresh", store: None };
        let context = Context::of(&host(context.environment_inside(&environment, &inner)));
        assert_eq!(context.stack, [key("a"), key("b")]);
        assert_eq!(context.to_json()["key"], key("b").to_string());
        assert_eq!(context.to_json()["outcome"], "refresh");
    }

    #[test]
    fn forged_variables_are_no_context() {
        let forged = vec![
            (variable::STACK.into(), "x:y:../..".into()),
            (variable::FLOW.into(), "{broken".into()),
            (variable::RUN_ID.into(), "r1".into()),
        ];
        let context = Context::of(&host(forged));
        assert_eq!(context.stack, []);
        let flow = Flow { id: "r1".into(), name: None, parameters: Map::new() };
        assert_eq!(context.flow, Some(flow));
    }
}
