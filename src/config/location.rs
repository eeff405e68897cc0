//! Where the store is, how large it may grow, and how it is shared.

use super::document::StoreTable;
use super::effective::Effective;
use super::error::ConfigError;
use super::file::{ConfigFile, ConfigFiles};
use super::layer::{Located, Origin};
use super::options::OptionName;
use super::settings::StoreSettings;
use super::stack::{Stack, refuse};
use crate::model::locking::{LeaseLength, LockMeans, Locking};
use crate::model::time::{Size, Span};
use crate::world::host::Host;
use std::ffi::OsStr;
use std::fmt::Display;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

/// The store's folder under the home folder.
pub const DEFAULT_FOLDER: &str = ".flyte/local-cache/taskcache";

/// How many bytes of content the store may hold.
pub const DEFAULT_SIZE: Size = Size::from_bytes(10 << 30);

/// How long an entry may lie unused.
pub const DEFAULT_AGE: Span = Span::from_millis(30 * 24 * 60 * 60 * 1000);

/// The settings of the store, each with its origin.
pub(super) struct LocatedStore {
    /// The folder, or why there is none.
    pub(super) dir: Result<Located<PathBuf>, ConfigError>,
    /// How large it may grow.
    pub(super) max_size: Located<Size>,
    /// How long an entry may lie unused.
    pub(super) max_age: Located<Span>,
    /// By which means processes keep out of each other's way.
    pub(super) locks: Located<LockMeans>,
    /// How long a lease is valid.
    pub(super) lease: Located<LeaseLength>,
}

impl LocatedStore {
    /// Returns what counts, with its origins.
    pub(super) fn effective(&self) -> Vec<Effective> {
        let dir = match &self.dir {
            Ok(dir) => Effective::text("store.dir", dir.value.clone(), &dir.origin),
            Err(_) => Effective { name: "store.dir".to_owned(), value: None, origin: Origin::BuiltIn },
        };
        let (size, age) = (&self.max_size, &self.max_age);
        let size = Effective::text("store.max_size", size.value.to_string(), &size.origin);
        let age = Effective::text("store.max_age", age.value.to_string(), &age.origin);
        let locks = Effective::text("store.locks", self.locks.value.name(), &self.locks.origin);
        let lease = Effective::text("store.lease", self.lease.value.to_string(), &self.lease.origin);
        vec![dir, size, age, locks, lease]
    }

    /// Drops the origins.
    pub(super) fn settings(&self) -> Result<StoreSettings, ConfigError> {
        let dir = self.dir.as_ref().map_err(ConfigError::clone)?.value.clone();
        let locking = Locking { means: self.locks.value, lease: self.lease.value };
        Ok(StoreSettings { dir, max_size: self.max_size.value, max_age: self.max_age.value, locking })
    }
}

/// Finds the settings of the store. That there is no home folder is no fault of the run: it is kept for whoever
/// opens the store. Every other fault is one.
pub(super) fn locate(
    host: &Host,
    stack: &Stack<'_>,
    files: &ConfigFiles,
) -> Result<LocatedStore, ConfigError> {
    let dir = match directory(host, stack, files) {
        Err(error) if error != ConfigError::NoStoreFolder => return Err(error),
        dir => dir,
    };
    Ok(LocatedStore {
        dir,
        max_size: setting(files, |store| store.max_size.as_ref(), DEFAULT_SIZE)?,
        max_age: setting(files, |store| store.max_age.as_ref(), DEFAULT_AGE)?,
        locks: setting(files, |store| store.locks.as_ref(), LockMeans::default())?,
        lease: setting(files, |store| store.lease.as_ref(), LeaseLength::default())?,
    })
}

fn each(files: &ConfigFiles) -> impl Iterator<Item = &ConfigFile> {
    files.project.iter().chain(&files.user)
}

/// Reads a value of the nearest config that has one.
fn setting<T: FromStr<Err: Display>>(
    files: &ConfigFiles,
    get: impl Fn(&StoreTable) -> Option<&Located<String>>,
    built_in: T,
) -> Result<Located<T>, ConfigError> {
    let Some(said) = each(files).find_map(|file| get(&file.document.store)) else {
        return Ok(Located::new(built_in, Origin::BuiltIn));
    };
    let value = said.value.parse().map_err(|error| refuse(&said.origin, error))?;
    Ok(Located::new(value, said.origin.clone()))
}

/// Finds the folder. In a config it is relative to the config's own folder, the user's too: a store that moves with
/// the working directory is never meant.
fn directory(host: &Host, stack: &Stack<'_>, files: &ConfigFiles) -> Result<Located<PathBuf>, ConfigError> {
    if let Some(found) = stack.text(OptionName::CacheDir) {
        return folder(host, found.value, found.origin, stack.base(found.depth));
    }
    let said = each(files).find_map(|file| Some((file, file.document.store.dir.as_ref()?)));
    if let Some((file, said)) = said {
        return folder(host, OsStr::new(&said.value), &said.origin, &file.folder);
    }
    let home = host.home.as_ref().ok_or(ConfigError::NoStoreFolder)?;
    Ok(Located::new(host.absolute(&home.join(DEFAULT_FOLDER)), Origin::BuiltIn))
}

/// Reads a folder: `~` in front is the home folder.
fn folder(host: &Host, text: &OsStr, origin: &Origin, base: &Path) -> Result<Located<PathBuf>, ConfigError> {
    if text.as_bytes().trim_ascii().is_empty() {
        return Err(refuse(origin, "the value is empty"));
    }
    let path = match Path::new(text).strip_prefix("~") {
        Ok(rest) => host.home.as_ref().ok_or(ConfigError::NoStoreFolder)?.join(rest),
        Err(_) => base.join(text),
    };
    Ok(Located::new(host.absolute(&path), origin.clone()))
}
