//! From settings to a key: what a run depends on, put together before anything is looked up or run.
//!
//! A plan is made once and then only read. Whatever it cannot find out is an error: a key that lacks a part would be
//! a wrong key.

use super::context::Context;
use super::event::BypassReason;
use super::inputs::{InputError, Sources, gather, refuse_overlaps};
use super::outputs::{OutputError, Outputs};
use super::source::{Source, SourceError};
use super::watch::Watch;
use crate::config::settings::{Behavior, CwdMode, EnvMode, Settings, StdinMode};
use crate::model::codec::Encoder;
use crate::model::digest::Digest;
use crate::model::entry::Content;
use crate::model::environment::{self, Undeclared};
use crate::model::fingerprint::{
    CacheKey, ConflictError, Fingerprint, Ingredient, IngredientKind as Kind, Presence,
};
use crate::model::ignore::IgnoreRule;
use crate::model::path::printable;
use crate::model::policy::PolicyPart;
use crate::store::witness::WitnessBook;
use crate::world::host::Host;
use crate::world::probe::{ProbeError, output_of};
use crate::world::process::StartError;
use serde_json::json;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// Why there is no plan.
#[derive(Debug, thiserror::Error)]
pub enum PlanError {
    /// The program cannot be started.
    #[error(transparent)]
    Start(#[from] StartError),
    /// The working directory is gone or cannot be read.
    #[error("the working directory does not exist or cannot be read")]
    NoDirectory,
    /// `--cwd relative` without a project.
    #[error("option --cwd: 'relative' needs a project root, and no taskcache.toml was found")]
    NoProjectRoot,
    /// The working directory is not below the project root.
    #[error("option --cwd: the working directory is not below the project root '{}'", printable(.0.as_os_str().as_bytes()))]
    OutsideProject(PathBuf),
    /// An input cannot be gathered.
    #[error(transparent)]
    Input(#[from] InputError),
    /// An output is refused.
    #[error(transparent)]
    Output(#[from] OutputError),
    /// The source cannot be read.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// A command that makes part of the key failed.
    #[error("option --{option}: {source}")]
    Probe {
        /// The option that named it.
        option: &'static str,
        /// What happened.
        source: ProbeError,
    },
    /// `--key-cmd` printed nothing.
    #[error("option --key-cmd: the command printed no key")]
    EmptyKey,
    /// Two parts of the key have one name and different values.
    #[error("the key cannot be made: {0}")]
    Conflict(#[from] ConflictError),
    /// An `--ignore` rule that names nothing, under `--strict`.
    #[error("option --ignore: nothing here is called '{0}'")]
    IgnoredNothing(String),
}

impl PlanError {
    /// Returns what taskcache exits with.
    pub const fn exit_code(&self) -> u8 {
        match self {
            Self::Start(error) => error.exit_code(),
            _ => 125,
        }
    }

    /// Returns why the command runs without the cache then, where this is no reason not to run it.
    pub const fn bypass(&self) -> Option<BypassReason> {
        match self {
            // A program may be executable and not readable; nobody can say whether it changed.
            Self::Source(SourceError::File(_)) => Some(BypassReason::Source),
            Self::Input(InputError::OwnFile(_)) => Some(BypassReason::OwnFile),
            _ => None,
        }
    }

    /// Returns the way out, where there is one.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Start(error) => error.hint(),
            Self::Input(error) => error.hint(),
            Self::Output(error) => Some(error.hint()),
            Self::NoProjectRoot => Some("write a taskcache.toml in the project's folder, or leave --cwd out"),
            Self::Probe { .. } => {
                Some("the output of this command is part of the key; it has to exit with 0")
            }
            Self::IgnoredNothing(_) => Some("leave --strict out if it may be missing"),
            _ => None,
        }
    }
}

/// For how many ingredients there is room behind those of the inputs; the flow's come after them.
const ROOM: usize = 16;

/// Everything a run depends on, and everything that starting it needs.
#[derive(Debug)]
pub struct Plan {
    /// The command as given.
    pub command: Vec<OsString>,
    /// The program that it means.
    pub program: PathBuf,
    /// Where it runs.
    pub directory: PathBuf,
    /// What it sees, but for what taskcache adds.
    pub environment: Vec<(OsString, OsString)>,
    /// All ingredients that are known beforehand.
    pub recipe: Fingerprint,
    /// Their key, computed once: with many inputs that takes as long as looking it up.
    pub key: CacheKey,
    /// The files behind them.
    pub watch: Watch,
    /// The declared outputs.
    pub outputs: Outputs,
    /// What names the place that outputs are put into: the task with its outputs in this working directory.
    pub place: Digest,
    /// Rules of `--ignore` that took nothing out.
    pub idle_rules: Vec<IgnoreRule>,
}

/// What a plan is made from.
#[derive(Debug, Clone, Copy)]
pub struct Request<'a> {
    /// The machine.
    pub host: &'a Host,
    /// The options.
    pub settings: &'a Settings,
    /// The command, never empty.
    pub command: &'a [OsString],
    /// Where it runs: the working directory, or the project root for a command of the config.
    pub directory: &'a Path,
    /// The store's folder.
    pub store: Option<&'a Path>,
    /// What stands on standard input, where it is keyed.
    pub stdin: Option<Content>,
    /// The runs around this one.
    pub context: &'a Context,
}

/// Makes the plan.
pub fn plan(request: Request<'_>, book: &mut WitnessBook) -> Result<Plan, PlanError> {
    let Request { host, settings, command, directory, .. } = request;
    let environment = visible_environment(host, settings);
    let outputs = Outputs::declare(&settings.outputs, settings.depfile.as_deref())?;
    let store = request.store.unwrap_or(Path::new("/nonexistent"));
    outputs.check(directory, host.home.as_deref(), store)?;
    let argv: Vec<&[u8]> = command.iter().map(|word| word.as_bytes()).collect();
    let source = Source::find(&argv, &environment, directory)?;
    refuse_overlaps(&settings.inputs, &outputs)?;
    for (name, path) in source.files(&argv, directory) {
        outputs.check_input(&path, &name)?;
    }
    let mut maker = Maker { request, environment: &environment, ingredients: Vec::new(), taken: Vec::new() };
    let mut watched = Vec::new();
    let mut watch = Watch::default();
    let mut files = Vec::new();
    maker.identity()?;
    if let Some(key) = maker.own_key()? {
        maker.ingredients.push(Ingredient::of(Kind::Key, "", &key));
        maker.output_signature(&outputs);
    } else {
        maker.signature(&outputs);
        maker.version()?;
        maker.directory()?;
        if settings.policy.has(PolicyPart::TaskSource) && settings.behavior == Behavior::Auto {
            let root = maker.shared_root();
            let (ingredients, files) = source.digest(&argv, directory, root, book)?;
            maker.ingredients.extend(ingredients);
            watched.extend(files);
        }
        if settings.policy.has(PolicyPart::Inputs) {
            maker.arguments(&argv);
            maker.variables();
            maker.values()?;
            let words = if settings.argument_inputs { source.plain_arguments(&argv) } else { Vec::new() };
            let sources = Sources {
                patterns: &settings.inputs,
                arguments: &words,
                ignores: &maker.ignores(),
                outputs: &outputs,
                directory,
                store: request.store,
            };
            let inputs = gather(sources, maker.ingredients.len() + ROOM, book)?;
            files = inputs.ingredients;
            maker.taken.extend(inputs.ignored);
            watch = inputs.watch;
        }
        maker.flow();
    }
    let idle_rules = maker.idle_rules(&argv);
    if settings.strict
        && let Some(rule) = idle_rules.first()
    {
        return Err(PlanError::IgnoredNothing(rule.to_string()));
    }
    let place = maker.place(&outputs);
    let recipe = Fingerprint::joining(maker.ingredients, files)?;
    Ok(Plan {
        command: command.to_vec(),
        program: source.program,
        directory: directory.to_owned(),
        environment,
        key: recipe.key(),
        recipe,
        watch: watch.with_source(watched),
        outputs,
        place,
        idle_rules,
    })
}

/// Returns what the command sees of the environment.
pub fn visible_environment(host: &Host, settings: &Settings) -> Vec<(OsString, OsString)> {
    if settings.env_mode != EnvMode::Strict {
        return host.environment.clone();
    }
    let passes = |name: &OsStr| {
        let name = name.as_bytes();
        environment::STRICT_MINIMUM.iter().any(|known| known.as_bytes() == name)
            || environment::is_declared(name, &settings.envs)
            || environment::is_declared(name, &settings.pass_envs)
            || name.starts_with(b"TASKCACHE_")
    };
    host.environment.iter().filter(|(name, _)| passes(name)).cloned().collect()
}

/// Returns the rules of `--ignore` and those that the policy takes out.
pub fn all_ignores(settings: &Settings) -> Vec<IgnoreRule> {
    let of_policy = settings.policy.without().map(IgnoreRule::for_name);
    settings.ignores.iter().cloned().chain(of_policy).collect()
}

struct Maker<'a> {
    request: Request<'a>,
    environment: &'a [(OsString, OsString)],
    ingredients: Vec<Ingredient>,
    taken: Vec<Vec<u8>>,
}

impl Maker<'_> {
    fn add(&mut self, kind: Kind, name: impl Into<Vec<u8>>, value: &[u8]) {
        self.ingredients.push(Ingredient::of(kind, name, value));
    }

    fn ignores(&self) -> Vec<IgnoreRule> {
        all_ignores(self.request.settings)
    }

    /// Project, domain and salt: what no key is without, one's own included.
    fn identity(&mut self) -> Result<(), PlanError> {
        let settings = self.request.settings;
        self.add(Kind::Project, "", settings.project.as_bytes());
        self.add(Kind::Domain, "", settings.domain.as_bytes());
        if let Some(salt) = &settings.salt {
            self.add(Kind::Salt, "", salt);
        }
        Ok(())
    }

    /// The key that the caller computes, where there is one.
    fn own_key(&self) -> Result<Option<Vec<u8>>, PlanError> {
        let Request { settings, directory, command, context, .. } = self.request;
        if let Some(key) = &settings.key {
            return Ok(Some(key.clone()));
        }
        let Some(key_command) = &settings.key_cmd else { return Ok(None) };
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let flow = context.flow.as_ref();
        let about = json!({
            "task": text(&settings.task),
            "project": settings.project,
            "domain": settings.domain,
            "command": command.iter().map(|word| text(word.as_bytes())).collect::<Vec<_>>(),
            "cwd": text(directory.as_os_str().as_bytes()),
            "run_id": flow.map(|flow| flow.id.clone()),
            "parameters": flow.map(|flow| flow.parameters.clone()).unwrap_or_default(),
            "values": settings.values.iter().map(|value| (value.name.clone(), json!(text(&value.text))))
                .collect::<serde_json::Map<_, _>>(),
        });
        let mut input = about.to_string().into_bytes();
        input.push(b'\n');
        let output = output_of(key_command, self.environment, directory, &input)
            .map_err(|source| PlanError::Probe { option: "key-cmd", source })?;
        let key = output.trim_ascii();
        if key.is_empty() { Err(PlanError::EmptyKey) } else { Ok(Some(key.to_vec())) }
    }

    /// What is declared, and every rule that leaves something out.
    fn signature(&mut self, outputs: &Outputs) {
        let settings = self.request.settings;
        self.add(Kind::Task, "", &settings.task);
        self.add(Kind::Policy, "", settings.policy.to_string().as_bytes());
        let stdin: &[u8] = match settings.stdin {
            StdinMode::Null => b"null",
            StdinMode::Hash => b"hash",
            StdinMode::Inherit => b"inherit",
        };
        self.add(Kind::Signature, "stdin", stdin);
        let env_mode: &[u8] = match settings.env_mode {
            EnvMode::All => b"all",
            EnvMode::Declared => b"declared",
            EnvMode::Strict => b"strict",
        };
        self.add(Kind::Signature, "env-mode", env_mode);
        self.add(Kind::Signature, "argument-inputs", if settings.argument_inputs { b"yes" } else { b"no" });
        for pattern in &settings.inputs {
            let mut encoder = Encoder::new();
            encoder.bytes(&super::outputs::base_text(&pattern.base, self.request.directory));
            let name = [
                b"input:",
                pattern.name.as_deref().unwrap_or("").as_bytes(),
                b"=",
                mark(pattern),
                &pattern.text,
            ];
            self.add(Kind::Signature, name.concat(), &encoder.finish());
        }
        let names = settings.values.iter().map(|value| ("value:", value.name.as_bytes()));
        let names = names.chain(settings.input_cmds.iter().map(|probe| ("probe:", probe.name.as_slice())));
        for (kind, name) in names {
            self.add(Kind::Signature, [kind.as_bytes(), name].concat(), b"");
        }
        self.variable_patterns("env:", &settings.envs);
        for rule in self.ignores() {
            self.add(Kind::Signature, [b"ignore:", rule.to_bytes().as_slice()].concat(), b"");
        }
        if settings.env_mode == EnvMode::Strict {
            self.variable_patterns("pass-env:", &settings.pass_envs);
        }
        if let Some(depfile) = &settings.depfile {
            let relative = depfile.strip_prefix(self.request.directory).unwrap_or(depfile);
            self.add(Kind::Signature, "depfile", relative.as_os_str().as_bytes());
        }
        self.output_signature(outputs);
    }

    /// Patterns of variables. Their order counts as soon as one takes out, for then the last that fits decides.
    fn variable_patterns(&mut self, kind: &str, patterns: &[Vec<u8>]) {
        let is_ordered = patterns.iter().any(|pattern| pattern.starts_with(b"!"));
        for (position, pattern) in patterns.iter().enumerate() {
            let position = if is_ordered { format!("{position}=") } else { String::new() };
            self.add(Kind::Signature, [kind.as_bytes(), position.as_bytes(), pattern].concat(), b"");
        }
    }

    fn output_signature(&mut self, outputs: &Outputs) {
        if self.request.settings.clean_outputs && !outputs.is_empty() {
            self.add(Kind::Signature, "clean-outputs", b"");
        }
        if !outputs.is_empty() {
            // Restored files get exactly the modes that they had, and those came about under this umask.
            let umask = format!("{:03o}", self.request.host.umask);
            self.add(Kind::Signature, "umask", umask.as_bytes());
        }
        for (number, value) in outputs.signature(self.request.directory).into_iter().enumerate() {
            self.add(Kind::Signature, format!("output:{number}"), &value);
        }
    }

    fn version(&mut self) -> Result<(), PlanError> {
        let Request { settings, directory, .. } = self.request;
        if let Some(version) = &settings.version {
            self.add(Kind::Version, "", version.as_bytes());
        }
        for command in &settings.version_cmds {
            let output = output_of(command, self.environment, directory, b"")
                .map_err(|source| PlanError::Probe { option: "version-cmd", source })?;
            self.add(Kind::Version, command.clone(), &output);
        }
        Ok(())
    }

    /// Returns the project root where paths below it are named relative to it.
    fn shared_root(&self) -> Option<&Path> {
        let settings = self.request.settings;
        let is_relative = match settings.cwd {
            CwdMode::Relative => true,
            CwdMode::Auto => settings.project_from_config,
            CwdMode::Absolute | CwdMode::Ignore => false,
        };
        settings.project_root.as_deref().filter(|_| is_relative)
    }

    fn directory(&mut self) -> Result<(), PlanError> {
        let Request { settings, directory, host, .. } = self.request;
        let mode: &[u8] = match settings.cwd {
            CwdMode::Auto => b"auto",
            CwdMode::Absolute => b"absolute",
            CwdMode::Relative => b"relative",
            CwdMode::Ignore => b"ignore",
        };
        self.add(Kind::Signature, "cwd", mode);
        if settings.cwd == CwdMode::Ignore {
            return Ok(());
        }
        if settings.cwd == CwdMode::Relative && settings.project_root.is_none() {
            return Err(PlanError::NoProjectRoot);
        }
        let value = match self.shared_root() {
            Some(root) => {
                let below =
                    directory.strip_prefix(root).map_err(|_| PlanError::OutsideProject(root.to_owned()))?;
                [b"relative:", below.as_os_str().as_bytes()].concat()
            }
            // A shell keeps the way it came by, links included, and some commands print that one.
            None => {
                let logical = host.variable("PWD").map(OsStr::as_bytes).unwrap_or_default();
                let differs = logical.starts_with(b"/") && logical != directory.as_os_str().as_bytes();
                let mut encoder = Encoder::new();
                encoder.bytes(directory.as_os_str().as_bytes()).bytes(if differs { logical } else { b"" });
                [b"absolute:", encoder.finish().as_slice()].concat()
            }
        };
        self.add(Kind::Directory, "", &value);
        Ok(())
    }

    /// The words of argv that are not ignored, by position among those that are left.
    fn arguments(&mut self, argv: &[&[u8]]) {
        let ignores = self.ignores();
        let mut position = 0_usize;
        for (at, word) in argv.iter().enumerate() {
            if at > 0 && ignores.iter().any(|rule| rule.takes_argument(word)) {
                continue;
            }
            self.add(Kind::Argument, position.to_string(), word);
            position += 1;
        }
    }

    fn variables(&mut self) {
        let settings = self.request.settings;
        let ignores = self.ignores();
        let undeclared = match settings.env_mode {
            EnvMode::All => Undeclared::Keyed,
            EnvMode::Declared | EnvMode::Strict => Undeclared::LeftOut,
        };
        for (name, value) in
            environment::keyed_variables(&self.request.host.environment, undeclared, &settings.envs)
        {
            if ignores.iter().any(|rule| rule.takes_variable(&name)) {
                self.taken.push(name);
                continue;
            }
            let digest = value.as_deref().map_or(Presence::Absent, Presence::Present).digest();
            self.ingredients.push(Ingredient::new(Kind::Environment, name, digest));
        }
    }

    fn values(&mut self) -> Result<(), PlanError> {
        let Request { settings, directory, stdin, .. } = self.request;
        let ignores = self.ignores();
        let is_ignored = |name: &[u8]| ignores.iter().any(|rule| rule.takes_input(name));
        for value in &settings.values {
            if is_ignored(value.name.as_bytes()) {
                self.taken.push(value.name.clone().into_bytes());
            } else {
                self.add(Kind::Value, value.name.clone(), &value.text);
            }
        }
        for probe in &settings.input_cmds {
            if is_ignored(&probe.name) {
                self.taken.push(probe.name.clone());
                continue;
            }
            let output = output_of(&probe.command, self.environment, directory, b"")
                .map_err(|source| PlanError::Probe { option: "input-cmd", source })?;
            let mut encoder = Encoder::new();
            encoder.bytes(&probe.command).bytes(&output);
            self.add(Kind::Probe, probe.name.clone(), &encoder.finish());
        }
        if let Some(stdin) = stdin {
            let mut encoder = Encoder::new();
            encoder.digest(&stdin.digest).u64(stdin.size);
            self.add(Kind::Stdin, "", &encoder.finish());
        }
        Ok(())
    }

    /// The flow's id and parameters, as far as the policy wants them. That there is a flow then was checked before.
    fn flow(&mut self) {
        let policy = &self.request.settings.policy;
        let Some(flow) = &self.request.context.flow else { return };
        if policy.has(PolicyPart::RunId) {
            self.add(Kind::RunId, "", flow.id.as_bytes());
        }
        if policy.has(PolicyPart::FlowParameters) {
            for (name, value) in &flow.parameters {
                self.add(Kind::FlowParameter, name.clone(), value.to_string().as_bytes());
            }
        }
    }

    fn idle_rules(&self, argv: &[&[u8]]) -> Vec<IgnoreRule> {
        let settings = self.request.settings;
        let known: Vec<&[u8]> = settings
            .inputs
            .iter()
            .filter_map(|pattern| pattern.name.as_ref())
            .map(String::as_bytes)
            .chain(settings.envs.iter().map(Vec::as_slice))
            .chain(self.taken.iter().map(Vec::as_slice))
            .collect();
        let is_idle = |rule: &IgnoreRule| {
            let by_name = known.iter().any(|name| rule.takes_variable(name) || rule.takes_input(name));
            !by_name && !argv.iter().skip(1).any(|word| rule.takes_argument(word))
        };
        settings.ignores.iter().filter(|rule| is_idle(rule)).cloned().collect()
    }

    fn place(&self, outputs: &Outputs) -> Digest {
        let Request { settings, directory, .. } = self.request;
        let mut encoder = Encoder::new();
        encoder.bytes(settings.project.as_bytes()).bytes(settings.domain.as_bytes()).bytes(&settings.task);
        encoder.bytes(directory.as_os_str().as_bytes());
        // A name that is only the program's says little: `make` is many tasks, and what one of them put there is
        // not another's to take away.
        let program =
            self.request.command.first().map(|word| Path::new(word).file_name().unwrap_or_default());
        if program.is_some_and(|program| program.as_bytes() == settings.task) {
            for word in self.request.command {
                encoder.bytes(word.as_bytes());
            }
        }
        for output in outputs.signature(directory) {
            encoder.bytes(&output);
        }
        Digest::of(&encoder.finish())
    }
}

const fn mark(pattern: &crate::config::settings::Pattern) -> &'static [u8] {
    use crate::config::settings::PatternKind;
    match pattern.kind {
        PatternKind::Required => b"",
        PatternKind::Optional => b"?",
        PatternKind::Excluded => b"!",
    }
}
