//! Which store a command about the store means, and what the configs say about it; and the options that such
//! commands have in common.
//!
//! The configs are read once, and only when something in them is asked for: who names the store by `--cache-dir` gets
//! by with a faulty config. What only tells something goes on then with what is built in, and a warning; what deletes
//! or locks does not, because another limit would take what was to stay, and two who lock by different means do not
//! keep out of each other's way.

use super::failure::Failure;
use crate::config::error::ConfigError;
use crate::config::layer::{Layer, Origin, RawValue};
use crate::config::location::{DEFAULT_AGE, DEFAULT_SIZE};
use crate::config::options::OptionName;
use crate::config::resolve::{Resolved, survey};
use crate::config::settings::{Status, StoreSettings};
use crate::model::locking::Locking;
use crate::model::retention::RetentionPolicy;
use crate::model::time::{Span, Timestamp};
use crate::report::progress::Progress;
use crate::report::reporter::say;
use crate::world::host::Host;
use clap::{Arg, ArgMatches, value_parser};
use std::cell::OnceCell;
use std::path::PathBuf;

/// A store that is chosen by an option, or else by variables and configs.
pub(super) struct StoreChoice<'a> {
    host: &'a Host,
    named: Option<PathBuf>,
    resolved: OnceCell<Result<Resolved, ConfigError>>,
}

impl<'a> StoreChoice<'a> {
    /// Takes the choice from the arguments of a command that has [`cache_dir`].
    pub(super) fn of(host: &'a Host, arguments: &ArgMatches) -> Self {
        let named = arguments.get_one::<PathBuf>("cache-dir").map(|folder| host.absolute(folder));
        Self { host, named, resolved: OnceCell::new() }
    }

    fn resolved(&self) -> Result<&Resolved, &ConfigError> {
        let read = || {
            let mut flags = Layer::new();
            if let Some(folder) = &self.named {
                let origin = Origin::Flag("--cache-dir".into());
                flags.set(OptionName::CacheDir, RawValue::Text(folder.clone().into()), origin);
            }
            survey(self.host, &flags)
        };
        self.resolved.get_or_init(read).as_ref()
    }

    fn settings(&self) -> Result<&StoreSettings, ConfigError> {
        match self.resolved() {
            Ok(resolved) => resolved.store.as_ref().map_err(ConfigError::clone),
            Err(error) => Err(error.clone()),
        }
    }

    /// Returns the store's folder.
    pub(super) fn root(&self) -> Result<PathBuf, Failure> {
        match &self.named {
            Some(folder) => Ok(folder.clone()),
            None => Ok(self.settings()?.dir.clone()),
        }
    }

    /// Returns the settings of the store, for what deletes or locks.
    pub(super) fn certain(&self) -> Result<StoreSettings, Failure> {
        Ok(self.settings()?.clone())
    }

    /// Returns the settings of the store, for what only tells something.
    pub(super) fn likely(&self) -> Result<StoreSettings, Failure> {
        match (self.settings(), &self.named) {
            (Err(error), Some(folder)) => {
                let hint = error.hint().map(|hint| format!("; {hint}")).unwrap_or_default();
                say(&format!("warning: what is built in counts: {error}{hint}"));
                Ok(StoreSettings {
                    dir: folder.clone(),
                    max_size: DEFAULT_SIZE,
                    max_age: DEFAULT_AGE,
                    locking: Locking::default(),
                })
            }
            (settings, _) => Ok(settings?.clone()),
        }
    }

    /// Returns what shows long work on the store. A config with a fault says nothing about it, and is no reason not to
    /// do it.
    pub(super) fn progress(&self) -> Progress {
        let status = self.resolved().map_or(Status::Auto, |resolved| resolved.settings.status);
        Progress::of(status, self.host)
    }
}

/// Returns the limits that these settings set.
pub(super) fn policy(settings: &StoreSettings) -> RetentionPolicy {
    RetentionPolicy { max_size: settings.max_size, max_age: settings.max_age, insists: false }
}

/// Returns the option that names the store.
pub(super) fn cache_dir() -> Arg {
    Arg::new("cache-dir")
        .long("cache-dir")
        .value_name("DIR")
        .value_parser(value_parser!(PathBuf))
        .help("Use the store in DIR")
}

/// Returns the option that chooses between words and JSON.
pub(super) fn format() -> Arg {
    Arg::new("format")
        .long("format")
        .value_name("FORMAT")
        .value_parser(["text", "json"])
        .default_value("text")
        .help("Write for people or for programs")
}

/// Returns whether JSON is asked for.
pub(super) fn is_json(arguments: &ArgMatches) -> bool {
    arguments.get_one::<String>("format").is_some_and(|format| format == "json")
}

/// Returns the option that leaves earlier runs out.
pub(super) fn since() -> Arg {
    Arg::new("since")
        .long("since")
        .value_name("AGE")
        .help("Count only the runs of this last time, such as 7d")
}

/// Returns the time that is the age given to an option before `now`.
pub(super) fn time_ago(now: Timestamp, option: &str, age: &str) -> Result<Timestamp, Failure> {
    let age: Span = age.parse().map_err(|error| Failure::new(format!("option --{option}: {error}")))?;
    let millis = i64::try_from(age.as_millis()).unwrap_or(i64::MAX);
    Ok(Timestamp::from_millis(now.as_millis().saturating_sub(millis)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::testing::host_with;
    use crate::model::time::Size;
    use clap::Command;
    use std::path::Path;

    fn host(directory: &Path) -> Host {
        Host { directory: Some(directory.to_owned()), home: None, ..host_with(&[]) }
    }

    fn arguments(words: &[&str]) -> ArgMatches {
        Command::new("c").arg(cache_dir()).try_get_matches_from([&["c"], words].concat()).unwrap()
    }

    #[test]
    fn a_named_store_needs_no_home_folder_and_has_the_limits_of_the_config() {
        let folder = tempfile::tempdir().unwrap();
        let host = host(folder.path());
        std::fs::write(folder.path().join("taskcache.toml"), "[store]\nmax_size = '1KiB'\n").unwrap();
        let choice = StoreChoice::of(&host, &arguments(&["--cache-dir", "S"]));
        let settings = choice.certain().unwrap();
        assert_eq!(settings.dir, folder.path().join("S"));
        assert_eq!(policy(&settings).max_size, Size::from_bytes(1024));
        let unnamed = StoreChoice::of(&host, &arguments(&[]));
        assert_eq!(unnamed.root().unwrap_err(), ConfigError::NoStoreFolder.into());
        assert!(unnamed.likely().is_err());
    }

    #[test]
    fn the_configs_are_read_once_and_not_before_they_are_asked_for() {
        let folder = tempfile::tempdir().unwrap();
        let host = host(folder.path());
        let choice = StoreChoice::of(&host, &arguments(&["--cache-dir", "S"]));
        let config = folder.path().join("taskcache.toml");
        std::fs::write(&config, "[store]\nmax_size = '1KiB'\n").unwrap();
        assert_eq!(choice.root().unwrap(), folder.path().join("S"));
        std::fs::write(&config, "[store]\nmax_size = '2KiB'\n").unwrap();
        let size = || choice.certain().unwrap().max_size;
        assert_eq!(size(), Size::from_bytes(2048));
        std::fs::write(&config, "no toml").unwrap();
        assert_eq!((size(), choice.likely().unwrap().max_size), (size(), size()));
    }
}
