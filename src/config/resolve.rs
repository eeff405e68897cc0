//! Layers into settings.
//!
//! From the highest to the lowest: option, variable, the project's `[task.NAME]`, `[env.NAME]` and `[defaults]`, then
//! the same three of the user, then the built-in. The project's config stands above the user's as a whole, so that a
//! project means the same for everybody who works in it.
//!
//! # Contradictions
//!
//! What cannot both hold is a fault on one layer and a question of rank between two: the higher one drops the lower
//! one. So `--cached-only` works under an exported `TASKCACHE_REFRESH=true`, and `--cached-only --refresh` is refused.
//!
//! One rank is turned round: a config that says `refresh = false` is about a task that must not be refreshed, and
//! stands above the variable that asks every task to.
//!
//! Only what counts is read: a bad value that a higher layer replaces stops no run. [`check`] reads everything.

use super::assemble::{Circumstances, Detail};
use super::effective::Effective;
use super::error::ConfigError;
use super::file::{ConfigFile, ConfigFiles};
use super::layer::{Layer, Located, Origin, RawValue};
use super::location::locate;
use super::options::OptionName;
use super::settings::{Settings, StoreSettings};
use super::stack::{Source, Stack, refuse, utf8};
use super::variables::{enabled, variables};
use super::version::decide;
use crate::model::nearest::nearest;
use crate::model::path::printable;
use crate::world::host::Host;
use std::collections::BTreeSet;
use std::ffi::OsString;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// What all layers come to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resolved {
    /// Every option of the run.
    pub settings: Settings,
    /// The store; the only error is [`ConfigError::NoStoreFolder`], with which a run can go on without a store.
    pub store: Result<StoreSettings, ConfigError>,
    /// Every option as it counts, in the order of the table, then the limits of the store and `enabled`. Only a survey
    /// tells them.
    pub origins: Vec<Effective>,
    /// The project's config file.
    pub project_file: Option<PathBuf>,
    /// The user's config file.
    pub user_file: Option<PathBuf>,
}

/// Resolves a run. Without a command, the command of the named task is taken.
pub fn resolve(host: &Host, flags: &Layer, command: &[OsString]) -> Result<Resolved, ConfigError> {
    resolve_in(host, flags, command, Detail::Values)
}

fn resolve_in(
    host: &Host,
    flags: &Layer,
    command: &[OsString],
    detail: Detail,
) -> Result<Resolved, ConfigError> {
    let inputs = Gathered::from(host, flags)?;
    let task = match (inputs.named_task(), command.first()) {
        (Some(named), _) => {
            if command.is_empty() {
                inputs.require_command(&named)?;
            }
            named
        }
        (None, Some(program)) => {
            let name = Path::new(program).file_name().unwrap_or(program);
            Located::new(name.as_bytes().to_vec(), Origin::Program)
        }
        (None, None) => return Err(ConfigError::NoCommand { tasks: inputs.tasks_with_command() }),
    };
    inputs.resolve(task, command.is_empty(), detail)
}

/// Resolves without a run, as for `config show` and for commands about the store. The task is empty where none is
/// named.
pub fn survey(host: &Host, flags: &Layer) -> Result<Resolved, ConfigError> {
    let inputs = Gathered::from(host, flags)?;
    let task = inputs.named_task().unwrap_or(Located::new(Vec::new(), Origin::BuiltIn));
    inputs.resolve(task, true, Detail::Origins)
}

/// Reads every table of every config, also what no run would use now, and returns what is wrong: for each table the
/// first fault.
pub fn check(host: &Host, flags: &Layer) -> Vec<ConfigError> {
    let inputs = match Gathered::from(host, flags) {
        Ok(inputs) => inputs,
        Err(error) => return vec![error],
    };
    let mut faults = Vec::new();
    for (source, file) in inputs.files() {
        let document = &file.document;
        let tasks = document.tasks.values().map(|task| &task.layer);
        for layer in [&document.defaults].into_iter().chain(tasks).chain(document.environments.values()) {
            let stack = inputs.stack([(source, layer)]);
            let task = Located::new(b"task".to_vec(), Origin::Program);
            let read = match decide(&stack) {
                Err(error) if !matches!(error, ConfigError::OverrideWithoutVersion(_)) => Err(error),
                decided => {
                    inputs.circumstances().assemble(&stack, task, decided.unwrap_or_default(), Detail::Values)
                }
            };
            let named = environment_of(&[layer]).and_then(|named| inputs.require_environment(named.as_ref()));
            faults.extend(read.err().into_iter().chain(named.err()));
        }
        let circumstances = inputs.circumstances();
        let policies = document.policies.values();
        faults.extend(policies.filter_map(|said| circumstances.policy(&said.value, &said.origin).err()));
    }
    let stack = inputs.stack([]);
    faults.extend(locate(host, &stack, &inputs.files).err());
    faults
}

/// Everything that was read before it is known which tables apply.
struct Gathered<'h> {
    host: &'h Host,
    flags: &'h Layer,
    variables: Layer,
    enabled: Located<bool>,
    files: ConfigFiles,
}

/// A task's name.
type Named = Located<Vec<u8>>;

impl<'h> Gathered<'h> {
    fn from(host: &'h Host, flags: &'h Layer) -> Result<Self, ConfigError> {
        let variables = variables(host)?;
        let enabled = enabled(host)?;
        let named = [flags, &variables].into_iter().find_map(|layer| layer.text(OptionName::Config));
        let files = ConfigFiles::read(host, named)?;
        Ok(Self { host, flags, variables, enabled, files })
    }

    fn files(&self) -> impl Iterator<Item = (Source, &ConfigFile)> {
        let project = self.files.project.iter().map(|file| (Source::Project, file));
        project.chain(self.files.user.iter().map(|file| (Source::User, file)))
    }

    fn stack<'s>(&'s self, layers: impl IntoIterator<Item = (Source, &'s Layer)>) -> Stack<'s> {
        Stack::new(layers, self.host.directory.clone().unwrap_or_default())
    }

    /// Returns the task where an option or a variable names it.
    fn named_task(&self) -> Option<Named> {
        let (text, origin) =
            [self.flags, &self.variables].into_iter().find_map(|layer| layer.text(OptionName::Task))?;
        Some(Located::new(text.as_bytes().to_vec(), origin.clone()))
    }

    /// Returns the command of a task, the project's before the user's.
    fn command(&self, task: &[u8]) -> Option<&Vec<OsString>> {
        let task = std::str::from_utf8(task).ok()?;
        let mut tables = self.files().filter_map(|(_, file)| file.document.tasks.get(task));
        tables.find_map(|table| table.command.as_ref()).map(|command| &command.value)
    }

    fn tasks_with_command(&self) -> Vec<String> {
        let tasks = self.files().flat_map(|(_, file)| &file.document.tasks);
        let names = tasks.filter(|(_, task)| task.command.is_some()).map(|(name, _)| name);
        let names: BTreeSet<_> = names.map(|name| printable(name.as_bytes())).collect();
        names.into_iter().collect()
    }

    /// Refuses a task that has no command.
    fn require_command(&self, task: &Named) -> Result<(), ConfigError> {
        if self.command(&task.value).is_some() {
            return Ok(());
        }
        let (origin, name) = (Box::new(task.origin.clone()), printable(&task.value));
        let known =
            |file: &ConfigFile| file.document.tasks.keys().any(|known| known.as_bytes() == task.value);
        if self.files().any(|(_, file)| known(file)) {
            return Err(ConfigError::TaskWithoutCommand { origin, name });
        }
        let tasks = self.tasks_with_command();
        let nearest = nearest(&name, tasks.iter().map(String::as_str)).map(str::to_owned);
        Err(ConfigError::UnknownTask { origin, name, nearest, tasks })
    }

    /// Refuses an environment that has no table.
    fn require_environment(&self, named: Option<&Located<String>>) -> Result<(), ConfigError> {
        let Some(named) = named else { return Ok(()) };
        let known: Vec<&str> = self
            .files()
            .flat_map(|(_, file)| file.document.environments.keys())
            .map(String::as_str)
            .collect();
        if known.contains(&named.value.as_str()) {
            return Ok(());
        }
        let nearest = nearest(&named.value, known).map(|name| printable(name.as_bytes()));
        let (origin, name) = (Box::new(named.origin.clone()), printable(named.value.as_bytes()));
        Err(ConfigError::UnknownEnvironment { origin, name, nearest })
    }

    fn circumstances(&self) -> Circumstances<'_> {
        Circumstances { files: &self.files, enabled: self.enabled.value }
    }

    fn resolve(&self, task: Named, take_command: bool, detail: Detail) -> Result<Resolved, ConfigError> {
        let name = std::str::from_utf8(&task.value).ok();
        let table = |file: &'_ ConfigFile| {
            name.and_then(|name| file.document.tasks.get(name)).map(|table| table.layer.clone())
        };
        let tables: Vec<_> = self.files().map(|(source, file)| (source, file, table(file))).collect();
        let caller = [self.flags, &self.variables];
        let of_files = tables.iter().flat_map(|(_, file, task)| task.iter().chain([&file.document.defaults]));
        let choosing: Vec<&Layer> = caller.into_iter().chain(of_files).collect();
        let environment = environment_of(&choosing)?;
        self.require_environment(environment.as_ref())?;

        let mut layers: Vec<(Source, &Layer)> = caller.map(|layer| (Source::Caller, layer)).into();
        for (source, file, task) in &tables {
            let group = environment.as_ref().and_then(|named| file.document.environments.get(&named.value));
            let of_file = task.iter().chain(group).chain([&file.document.defaults]);
            layers.extend(of_file.map(|layer| (*source, layer)));
        }
        let mut stack = self.stack(layers);
        stack.let_config_forbid(OptionName::Refresh);
        let command = if take_command { self.command(&task.value).cloned() } else { None };
        let version = decide(&stack)?;
        if let Some(depth) = version.depth {
            stack.forget_below(depth, OptionName::VersionCmd);
        }
        let (settings, mut origins) = self.circumstances().assemble(&stack, task, version, detail)?;
        let settings = Settings { command: command.unwrap_or_default(), ..settings };
        let store = locate(self.host, &stack, &self.files)?;
        if detail == Detail::Origins {
            origins.extend(store.effective());
            let on = Located::new(RawValue::Switch(self.enabled.value), self.enabled.origin.clone());
            origins.push(Effective { name: "enabled".to_owned(), value: Some(on.value), origin: on.origin });
        }
        let path = |file: &Option<ConfigFile>| file.as_ref().map(|file| file.path.clone());
        let (project_file, user_file) = (path(&self.files.project), path(&self.files.user));
        Ok(Resolved { settings, store: store.settings(), origins, project_file, user_file })
    }
}

/// Returns the environment that the highest of these layers names.
fn environment_of(layers: &[&Layer]) -> Result<Option<Located<String>>, ConfigError> {
    let named = layers.iter().find_map(|layer| layer.text(OptionName::Environment));
    let Some((text, origin)) = named else { return Ok(None) };
    match utf8(text, origin)? {
        "" => Err(refuse(origin, "the value is empty")),
        name => Ok(Some(Located::new(name.to_owned(), origin.clone()))),
    }
}

#[cfg(test)]
mod tests;
