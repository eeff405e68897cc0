//! A flow run: an id and parameters that nested runs inherit.
//!
//! A flow caches nothing itself. What it gives is a scope: with `RUN_ID` in its policy a nested run shares results
//! within one flow run only, with `FLOW_PARAMETERS` between flow runs of equal parameters. A flow inside of a flow is
//! a run of its own, with its own id and parameters, as a subflow is in Prefect.

use super::context::{variable, with_variables};
use super::plan::PlanError;
use super::source::Source;
use crate::world::file::random_number;
use crate::world::host::Host;
use crate::world::process::{CaptureMode, Invocation, StartError, StdinSource, Termination, execute};
use serde_json::{Map, Value, json};
use std::ffi::OsString;
use std::os::unix::ffi::OsStrExt;

/// A flow run that is to be started.
#[derive(Debug, Clone)]
pub struct FlowRun<'a> {
    /// Its name, if it has one.
    pub name: Option<String>,
    /// Its parameters.
    pub parameters: Vec<(String, String)>,
    /// The command, never empty.
    pub command: &'a [OsString],
}

/// Why a flow run could not be started.
#[derive(Debug, thiserror::Error)]
pub enum FlowError {
    /// The working directory is gone.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// The command cannot be started.
    #[error(transparent)]
    Start(#[from] StartError),
}

impl FlowError {
    /// Returns what taskcache exits with.
    pub const fn exit_code(&self) -> u8 {
        match self {
            Self::Plan(error) => error.exit_code(),
            Self::Start(error) => error.exit_code(),
        }
    }
}

/// Returns an id that no other flow run has: 32 hex digits.
pub fn new_id() -> String {
    format!("{:016x}{:016x}", random_number(), random_number())
}

/// Returns the environment of a flow's command.
pub fn environment_of(
    environment: &[(OsString, OsString)],
    id: &str,
    name: Option<&str>,
    parameters: &[(String, String)],
) -> Vec<(OsString, OsString)> {
    let parameters: Map<String, Value> =
        parameters.iter().map(|(name, value)| (name.clone(), Value::from(value.as_str()))).collect();
    let described = json!({ "id": id, "name": name, "parameters": parameters }).to_string();
    let own = [(variable::RUN_ID, id.to_owned()), (variable::FLOW, described)];
    with_variables(environment, own.map(|(name, value)| (name, value.into())))
}

/// Runs a flow's command with the caller's own streams, and ends as it ended.
pub fn run(host: &Host, flow: &FlowRun<'_>) -> Result<Termination, FlowError> {
    let directory = host.directory.as_deref().ok_or(PlanError::NoDirectory)?;
    let argv: Vec<&[u8]> = flow.command.iter().map(|word| word.as_bytes()).collect();
    let source = Source::find(&argv, &host.environment, directory)?;
    let environment = environment_of(&host.environment, &new_id(), flow.name.as_deref(), &flow.parameters);
    let execution = execute(Invocation {
        program: &source.program,
        argv: flow.command,
        environment: &environment,
        directory: Some(directory),
        stdin: StdinSource::Inherit,
        capture: CaptureMode::Off,
        spool_folder: &|| Ok("/".into()),
        spool_limit: 0,
    })?;
    Ok(execution.termination)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flow_replaces_the_one_around_it() {
        let outer = environment_of(&[("X".into(), "1".into())], "a", None, &[("k".into(), "v".into())]);
        let inner = environment_of(&outer, "b", Some("in"), &[]);
        let expected = [
            ("X", "1"),
            ("TASKCACHE_RUN_ID", "b"),
            ("TASKCACHE_FLOW", "{\"id\":\"b\",\"name\":\"in\",\"parameters\":{}}"),
        ];
        assert_eq!(inner, expected.map(|(name, value)| (name.into(), value.into())));
    }

    #[test]
    fn ids_are_their_own() {
        assert_eq!(new_id().len(), 32);
        assert_ne!(new_id(), new_id());
    }
}
