//! A run past the cache: nothing is looked up, captured or stored.
//!
//! The command sees what it would see without taskcache, but for the variables that tell it where it is.

use super::context::{Context, Inside};
use super::event::{BypassReason, NotStored, Outcome};
use super::plan::{PlanError, visible_environment};
use super::run::{Run, RunError, Tale};
use super::source::Source;
use crate::config::settings::{Behavior, Settings, StdinMode};
use crate::model::policy::PolicyPart;
use crate::world::process::{CaptureMode, Invocation, StdinSource, Termination, execute};
use std::os::unix::ffi::OsStrExt;

/// Returns why the cache is not asked at all, as far as the options tell.
pub(super) fn bypass_reason(settings: &Settings, context: &Context) -> Option<BypassReason> {
    let needs_flow = [PolicyPart::RunId, PolicyPart::FlowParameters];
    // A key of the caller's own takes the place of what the policy names.
    let has_own_key = settings.key.is_some() || settings.key_cmd.is_some();
    if !settings.enabled {
        Some(BypassReason::Disabled)
    } else if settings.no_cache {
        Some(BypassReason::NoCache)
    } else if settings.behavior == Behavior::Disable {
        Some(BypassReason::Behavior)
    } else if settings.policy.is_none() {
        Some(BypassReason::Policy)
    } else if settings.stdin == StdinMode::Inherit {
        Some(BypassReason::Stdin)
    } else if !has_own_key
        && context.flow.is_none()
        && needs_flow.iter().any(|part| settings.policy.has(*part))
    {
        Some(BypassReason::NoFlow)
    } else {
        None
    }
}

impl Run<'_> {
    /// Runs the command without the cache: nothing is looked up, captured or stored.
    pub(super) fn bypass(&mut self, reason: BypassReason) -> Result<Termination, RunError> {
        if self.settings().cached_only {
            return Err(RunError::NotCached(reason.name()));
        }
        self.run_alone(Outcome::Bypass(reason), None)
    }

    pub(super) fn run_alone(
        &mut self,
        outcome: Outcome,
        not_stored: Option<NotStored>,
    ) -> Result<Termination, RunError> {
        let environment = visible_environment(self.job.host, self.settings());
        let argv: Vec<&[u8]> = self.job.command.iter().map(|word| word.as_bytes()).collect();
        let source = Source::find(&argv, &environment, &self.directory).map_err(PlanError::from)?;
        let inside = Inside {
            task: &self.job.settings.task,
            key: None,
            outcome: outcome.kind().name(),
            store: self.job.store,
        };
        let environment = self.context.environment_inside(&environment, &inside);
        let stdin = match (self.settings().stdin, self.stdin.take()) {
            (StdinMode::Null, _) => StdinSource::Null,
            (_, Some(spooled)) => StdinSource::File(spooled.into_file()),
            // Nothing is keyed here, so there is no reason to read ahead.
            (StdinMode::Hash | StdinMode::Inherit, None) => StdinSource::Inherit,
        };
        let execution = execute(Invocation {
            program: &source.program,
            argv: self.job.command,
            environment: &environment,
            directory: Some(&self.directory),
            stdin,
            capture: CaptureMode::Off,
            spool_folder: &|| Ok("/".into()),
            spool_limit: 0,
        })?;
        let tale = Tale { duration: Some(execution.duration), not_stored, ..Tale::default() };
        self.finish(outcome, execution.termination, tale);
        Ok(execution.termination)
    }
}
