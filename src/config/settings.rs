//! What a run was asked to do: every option with its type, after all layers were laid over each other.
//!
//! [`Settings`] is plain data. Where each value came from is kept beside it (see `origins`), and nothing here
//! knows about flags, variables or files.

use crate::model::exit_codes::ExitCodes;
use crate::model::ignore::IgnoreRule;
use crate::model::locking::Locking;
use crate::model::policy::Policy;
use crate::model::time::{Size, Span};
use std::ffi::OsString;
use std::path::PathBuf;

/// Who says what the version is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Behavior {
    /// The digest of the source, and the version policies.
    #[default]
    Auto,
    /// The `--version` alone.
    Override,
    /// Run, look nothing up, store nothing.
    Disable,
}

/// Which environment variables matter.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum EnvMode {
    /// Every one but the session noise.
    #[default]
    All,
    /// Those that `--env` names.
    Declared,
    /// Those that `--env` names, and the command sees no others but `--pass-env` and a minimum.
    Strict,
}

/// What the command reads on standard input.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum StdinMode {
    /// End of file.
    #[default]
    Null,
    /// What stands on ours, which is keyed.
    Hash,
    /// What stands on ours, unkeyed; nothing is stored.
    Inherit,
}

/// How the working directory enters the key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum CwdMode {
    /// Relative where a config names the project, else absolute.
    #[default]
    Auto,
    /// As an absolute path.
    Absolute,
    /// Relative to the project root.
    Relative,
    /// Not at all.
    Ignore,
}

/// What times restored files get.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OutputMtime {
    /// As if just written.
    #[default]
    Now,
    /// What is already right is not touched.
    Keep,
}

/// What a hit prints.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Replay {
    /// Both streams.
    #[default]
    All,
    /// Standard output.
    Stdout,
    /// Standard error.
    Stderr,
    /// Nothing.
    None,
}

/// What happens when a wait for another run ends without its result.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OnTimeout {
    /// Run without the reservation.
    #[default]
    Run,
    /// Exit with 124.
    Fail,
}

/// What happens when the store cannot be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum FailMode {
    /// One warning, and the command runs.
    #[default]
    Open,
    /// Exit with 125.
    Closed,
}

/// When the line about the outcome is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Status {
    /// Where standard error is a terminal.
    #[default]
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// How a pattern counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PatternKind {
    /// It has to match something.
    Required,
    /// It may match nothing (`?` in front).
    Optional,
    /// What it matches is taken out (`!` in front).
    Excluded,
}

/// A declared input or output: `[NAME=][!|?]PATTERN`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern {
    /// The name, where one was given.
    pub name: Option<String>,
    /// How it counts.
    pub kind: PatternKind,
    /// The path or glob as written, without name and mark, as bytes.
    pub text: Vec<u8>,
    /// The absolute folder that it is relative to: the working directory for options and variables, the file's
    /// folder for a project's config.
    pub base: PathBuf,
}

/// A literal input: `NAME=TEXT`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedValue {
    /// The name.
    pub name: String,
    /// The text, as bytes.
    pub text: Vec<u8>,
}

/// A probe command: `[NAME=]CMD`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProbeCommand {
    /// The name; the command itself where none was given.
    pub name: Vec<u8>,
    /// What `sh -c` runs, as bytes.
    pub command: Vec<u8>,
}

/// Every option of a run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// The task's name, as bytes (a program's base name need not be UTF-8).
    pub task: Vec<u8>,
    /// The group of defaults that was chosen.
    pub environment: Option<String>,
    /// The project.
    pub project: String,
    /// The domain.
    pub domain: String,
    /// The version, never empty.
    pub version: Option<String>,
    /// Who says what the version is; agrees with `version`.
    pub behavior: Behavior,
    /// The salt, as bytes.
    pub salt: Option<Vec<u8>>,
    /// Version policies: commands for `sh -c`.
    pub version_cmds: Vec<Vec<u8>>,
    /// Which ingredients make the key.
    pub policy: Policy,
    /// A key of the caller's own.
    pub key: Option<Vec<u8>>,
    /// A command that prints one.
    pub key_cmd: Option<Vec<u8>>,
    /// Declared inputs, in order, those of the lists behind them.
    pub inputs: Vec<Pattern>,
    /// Literal inputs.
    pub values: Vec<NamedValue>,
    /// Probe commands.
    pub input_cmds: Vec<ProbeCommand>,
    /// Patterns of environment variables that matter, `!` in front takes out.
    pub envs: Vec<Vec<u8>>,
    /// Patterns of variables that the command sees in strict mode.
    pub pass_envs: Vec<Vec<u8>>,
    /// Which environment variables matter.
    pub env_mode: EnvMode,
    /// What the command reads.
    pub stdin: StdinMode,
    /// How the working directory enters the key.
    pub cwd: CwdMode,
    /// What is kept out of the key.
    pub ignores: Vec<IgnoreRule>,
    /// The dependency file that the command writes, as an absolute path.
    pub depfile: Option<PathBuf>,
    /// Whether arguments that name files are inputs.
    pub argument_inputs: bool,
    /// Declared outputs, in order.
    pub outputs: Vec<Pattern>,
    /// Empty the output folders before a run and before a restore.
    pub clean_outputs: bool,
    /// What times restored files get.
    pub output_mtime: OutputMtime,
    /// What a hit prints.
    pub replay: Replay,
    /// How long the result is valid.
    pub ttl: Option<Span>,
    /// Nothing older than this is taken.
    pub max_age: Option<Span>,
    /// Older than this: replay, and refresh in the background.
    pub stale: Option<Span>,
    /// Fill in the background.
    pub warm: bool,
    /// `Some(true)`: run and overwrite; `Some(false)`: immune to a refresh of a lower layer.
    pub refresh: Option<bool>,
    /// Neither look up nor store.
    pub no_cache: bool,
    /// Look up only.
    pub read_only: bool,
    /// Never run.
    pub cached_only: bool,
    /// Exit codes that are kept.
    pub cache_exit: ExitCodes,
    /// How long a result with a non-zero exit code is valid.
    pub failure_ttl: Option<Span>,
    /// One run at a time for a key.
    pub serialize: bool,
    /// How long to wait for it.
    pub wait: Option<Span>,
    /// What happens after that.
    pub on_timeout: OnTimeout,
    /// Run although there is an entry, and compare.
    pub verify: bool,
    /// Do not store what ran faster than this.
    pub min_time: Option<Span>,
    /// What happens when the store cannot be used.
    pub fail_mode: FailMode,
    /// No stat cache; every input and blob is read again.
    pub paranoid: bool,
    /// Warnings become errors.
    pub strict: bool,
    /// When the line about the outcome is printed.
    pub status: Status,
    /// Where events are appended, as an absolute path.
    pub events: Option<PathBuf>,
    /// `false`: no caching at all (`TASKCACHE_ENABLED`, `FLYTE_LOCAL_CACHE_ENABLED`).
    pub enabled: bool,
    /// The folder of the project's config.
    pub project_root: Option<PathBuf>,
    /// Whether a config, and not an option, names the project.
    pub project_from_config: bool,
    /// The command of `[task.NAME]`, for when none was given; it runs in `project_root`.
    pub command: Vec<OsString>,
}

/// Where the store is, how large it may grow, and how it is shared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoreSettings {
    /// The folder, absolute.
    pub dir: PathBuf,
    /// How many bytes of content it may hold.
    pub max_size: Size,
    /// How long an entry may lie unused.
    pub max_age: Span,
    /// By which means processes keep out of each other's way.
    pub locking: Locking,
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// Returns the settings of a run without any option.
    pub(crate) fn settings() -> Settings {
        Settings {
            task: b"task".to_vec(),
            environment: None,
            project: "default".into(),
            domain: "development".into(),
            version: None,
            behavior: Behavior::Auto,
            salt: None,
            version_cmds: Vec::new(),
            policy: Policy::default(),
            key: None,
            key_cmd: None,
            inputs: Vec::new(),
            values: Vec::new(),
            input_cmds: Vec::new(),
            envs: Vec::new(),
            pass_envs: Vec::new(),
            env_mode: EnvMode::All,
            stdin: StdinMode::Null,
            cwd: CwdMode::Auto,
            ignores: Vec::new(),
            depfile: None,
            argument_inputs: true,
            outputs: Vec::new(),
            clean_outputs: false,
            output_mtime: OutputMtime::Now,
            replay: Replay::All,
            ttl: None,
            max_age: None,
            stale: None,
            warm: false,
            refresh: None,
            no_cache: false,
            read_only: false,
            cached_only: false,
            cache_exit: ExitCodes::default(),
            failure_ttl: None,
            serialize: false,
            wait: None,
            on_timeout: OnTimeout::Run,
            verify: false,
            min_time: None,
            fail_mode: FailMode::Open,
            paranoid: false,
            strict: false,
            status: Status::Auto,
            events: None,
            enabled: true,
            project_root: None,
            project_from_config: false,
            command: Vec::new(),
        }
    }
}
