//! The stack of layers, read option by option into [`Settings`].

use super::conflicts::Conflicts;
use super::document::BUILT_IN_POLICIES;
use super::effective::{Effective, effective};
use super::error::{ConfigError, did_you_mean};
use super::file::{ConfigFile, ConfigFiles};
use super::layer::{Located, Origin};
use super::lists;
use super::options::OptionName as O;
use super::settings::{
    CwdMode, EnvMode, FailMode, NamedValue, OnTimeout, OutputMtime, Pattern, ProbeCommand, Replay, Settings,
    Status, StdinMode,
};
use super::stack::{Source, Stack, refuse, utf8};
use super::values::{ValueError, variable_pattern};
use super::version::Decision;
use crate::model::ignore::IgnoreRule;
use crate::model::path::printable;
use crate::model::policy::{Policy, PolicyError};
use std::os::unix::ffi::OsStrExt;

/// What settings depend on beside the stack.
pub(super) struct Circumstances<'f> {
    /// The config files.
    pub(super) files: &'f ConfigFiles,
    /// Whether caching is on at all.
    pub(super) enabled: bool,
}

/// How much is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Detail {
    /// The settings alone: what a run needs.
    Values,
    /// Where each of them came from as well.
    Origins,
}

impl Circumstances<'_> {
    /// Reads every option.
    pub(super) fn assemble(
        &self,
        stack: &Stack<'_>,
        task: Located<Vec<u8>>,
        version: Decision,
        detail: Detail,
    ) -> Result<(Settings, Vec<Effective>), ConfigError> {
        let is_said = !matches!(task.origin, Origin::BuiltIn | Origin::Program);
        if is_said && task.value.trim_ascii().is_empty() {
            return Err(refuse(&task.origin, "the value is empty"));
        }
        let conflicts = Conflicts::of(stack)?;
        let counts = |name| !conflicts.drops(name);
        let envs = variable_patterns(stack, O::Env)?;
        let env_mode = match stack.text(O::EnvMode) {
            None if !envs.is_empty() => EnvMode::Declared,
            _ => stack.choice(O::EnvMode, &[EnvMode::All, EnvMode::Declared, EnvMode::Strict])?,
        };
        let origins = match detail {
            Detail::Values => Vec::new(),
            Detail::Origins => effective(stack, &task, &version, &conflicts, env_mode),
        };
        let project = stack.text(O::Project);
        let settings = Settings {
            task: task.value,
            environment: stack.word(O::Environment)?,
            project: stack.word(O::Project)?.unwrap_or_default(),
            domain: stack.word(O::Domain)?.unwrap_or_default(),
            version: version.version.map(|version| version.value),
            behavior: version.behavior.value,
            salt: stack.text(O::Salt).map(|found| found.value.as_bytes().to_vec()),
            version_cmds: stack.each(O::VersionCmd, |element| command(element.text.as_bytes()))?,
            policy: match stack.text(O::Policy) {
                Some(found) => self.policy(utf8(found.value, found.origin)?, found.origin)?,
                None => Policy::default(),
            },
            key: stack.bytes(O::Key)?.filter(|_| counts(O::Key)),
            key_cmd: stack.bytes(O::KeyCmd)?.filter(|_| counts(O::KeyCmd)),
            inputs: inputs(stack)?,
            values: named_values(stack)?,
            input_cmds: stack.each(O::InputCmd, |element| ProbeCommand::parse(element.text.as_bytes()))?,
            envs,
            pass_envs: variable_patterns(stack, O::PassEnv)?,
            env_mode,
            stdin: stack.choice(O::Stdin, &[StdinMode::Null, StdinMode::Hash, StdinMode::Inherit])?,
            cwd: stack
                .choice(O::Cwd, &[CwdMode::Auto, CwdMode::Absolute, CwdMode::Relative, CwdMode::Ignore])?,
            ignores: stack.each(O::Ignore, |element| IgnoreRule::new(element.text.as_bytes()))?,
            depfile: stack.path(O::Depfile)?,
            argument_inputs: !stack.is_on(O::NoArgumentInputs),
            outputs: patterns(stack, O::Output)?,
            clean_outputs: stack.is_on(O::CleanOutputs),
            output_mtime: stack.choice(O::OutputMtime, &[OutputMtime::Now, OutputMtime::Keep])?,
            replay: stack.choice(O::Replay, &[Replay::All, Replay::Stdout, Replay::Stderr, Replay::None])?,
            ttl: stack.parsed(O::Ttl)?,
            max_age: stack.parsed(O::MaxAge)?,
            stale: stack.parsed(O::Stale)?,
            warm: stack.is_on(O::Warm),
            refresh: stack.switch(O::Refresh).map(|found| found.value).filter(|_| counts(O::Refresh)),
            no_cache: stack.is_on(O::NoCache) && counts(O::NoCache),
            read_only: stack.is_on(O::ReadOnly),
            cached_only: stack.is_on(O::CachedOnly) && counts(O::CachedOnly),
            cache_exit: stack.parsed(O::CacheExit)?.unwrap_or_default(),
            failure_ttl: stack.parsed(O::FailureTtl)?,
            serialize: stack.is_on(O::Serialize),
            wait: stack.parsed(O::Wait)?,
            on_timeout: stack.choice(O::OnTimeout, &[OnTimeout::Run, OnTimeout::Fail])?,
            verify: stack.is_on(O::Verify),
            min_time: stack.parsed(O::MinTime)?,
            fail_mode: stack.choice(O::FailMode, &[FailMode::Open, FailMode::Closed])?,
            paranoid: stack.is_on(O::Paranoid),
            strict: stack.is_on(O::Strict),
            status: stack.choice(O::Status, &[Status::Auto, Status::Always, Status::Never])?,
            events: stack.path(O::Events)?,
            enabled: self.enabled,
            project_root: self.files.project.as_ref().map(|file| file.folder.clone()),
            project_from_config: project.is_some_and(|found| stack.source(found.depth) == Source::Project),
            command: Vec::new(),
        };
        Ok((settings, origins))
    }

    /// Reads a policy, with the names of the project's config before those of the user's.
    pub(super) fn policy(&self, expression: &str, origin: &Origin) -> Result<Policy, ConfigError> {
        let files = || [&self.files.project, &self.files.user].into_iter().flatten();
        let find = |name: &str| {
            let said = files().find_map(|file: &ConfigFile| file.document.policies.get(name));
            said.map(|said| said.value.as_str())
        };
        let names: Vec<String> = files().flat_map(|file| file.document.policies.keys().cloned()).collect();
        Policy::parse(expression, find, &names).map_err(|error| {
            let hint = match &error {
                PolicyError::UnknownName { nearest: Some(nearest), .. } => Some(did_you_mean(nearest)),
                PolicyError::UnknownName { nearest: None, .. } | PolicyError::MissingName(_) => {
                    let known: Vec<_> =
                        BUILT_IN_POLICIES.into_iter().chain(names.iter().map(String::as_str)).collect();
                    Some(format!("the names are {}", known.join(", ")))
                }
                _ => None,
            };
            let reason = printable(error.to_string().as_bytes());
            ConfigError::Value { origin: Box::new(origin.clone()), reason, hint }
        })
    }
}

/// Reads a command for the shell.
fn command(bytes: &[u8]) -> Result<Vec<u8>, ValueError> {
    if bytes.trim_ascii().is_empty() {
        return Err(ValueError::NoCommand(printable(bytes)));
    }
    Ok(bytes.to_vec())
}

fn patterns(stack: &Stack<'_>, name: O) -> Result<Vec<Pattern>, ConfigError> {
    stack.each(name, |element| Pattern::parse(element.text.as_bytes(), element.base))
}

fn variable_patterns(stack: &Stack<'_>, name: O) -> Result<Vec<Vec<u8>>, ConfigError> {
    stack.each(name, |element| variable_pattern(element.text.as_bytes()))
}

/// Reads the declared inputs, then those of the lists.
fn inputs(stack: &Stack<'_>) -> Result<Vec<Pattern>, ConfigError> {
    let mut inputs = patterns(stack, O::Input)?;
    for list in stack.list(O::InputList) {
        inputs.extend(lists::read(&list, stack.is_on(O::Null))?);
    }
    Ok(inputs)
}

/// Reads literal inputs. Of two with one name the later counts, so that `\"...\"` can be added to and corrected.
fn named_values(stack: &Stack<'_>) -> Result<Vec<NamedValue>, ConfigError> {
    let mut values: Vec<NamedValue> = Vec::new();
    for value in stack.each(O::Value, |element| NamedValue::parse(element.text.as_bytes()))? {
        values.retain(|other| other.name != value.name);
        values.push(value);
    }
    Ok(values)
}
