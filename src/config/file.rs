//! Finding and reading config files: the project's `taskcache.toml` and the user's `taskcache/config.toml`.
//!
//! # Whom to believe
//!
//! A config names commands that run (`command`, `version_cmds`, `input_cmds`, `key_cmd`), and the project's is
//! searched upward, through folders where others may write, such as `/tmp`. So a file that was *found* must belong to
//! the caller or to root, and nobody else may write it. A file that was *named* (`--config`, `TASKCACHE_CONFIG`) was
//! vouched for by naming it: containers often run with another id than that of the mounted checkout, and there has
//! to be a way to say that this is meant. What is no regular file, or larger than 1 MiB, is refused either way.

use super::document::{self, Document};
use super::error::ConfigError;
use super::layer::Origin;
use crate::world::host::Host;
use rustix::fs::{FileType, Mode, OFlags, RawMode, Stat};
use std::ffi::OsStr;
use std::fs::File;
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};

/// The project's file.
pub const PROJECT_FILE: &str = "taskcache.toml";

/// The user's file, in the folder for configuration.
pub const USER_FILE: &str = "taskcache/config.toml";

/// How many bytes a config may have.
const MAX_CONFIG: u64 = 1 << 20;

/// A config file that was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConfigFile {
    /// The file, absolute where the working directory is known.
    pub path: PathBuf,
    /// Its folder.
    pub folder: PathBuf,
    /// What it says.
    pub document: Document,
}

/// The config files of a run.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ConfigFiles {
    /// The project's, or the one that was named instead.
    pub project: Option<ConfigFile>,
    /// The user's.
    pub user: Option<ConfigFile>,
}

impl ConfigFiles {
    /// Reads the files. `named` is the project's file where it was named and is not to be searched.
    pub fn read(host: &Host, named: Option<(&OsStr, &Origin)>) -> Result<Self, ConfigError> {
        let project = match named {
            Some((name, origin)) => Some(named_file(host, name, origin)?),
            None => search(host)?,
        };
        let user = match &host.config_directory {
            Some(folder) => found_file(host, &folder.join(USER_FILE), Base::WorkingDirectory)?,
            None => None,
        };
        Ok(Self { project, user })
    }
}

/// What paths in a file are relative to.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Base {
    Folder,
    WorkingDirectory,
}

/// Why bytes of a file are not there.
enum ReadError {
    Missing,
    Failed(String),
    Refused(String, Option<&'static str>),
}

/// Looks for the project's file, from the working directory upward.
fn search(host: &Host) -> Result<Option<ConfigFile>, ConfigError> {
    let folders = host.directory.iter().flat_map(|directory| directory.ancestors());
    for folder in folders {
        if let Some(file) = found_file(host, &folder.join(PROJECT_FILE), Base::Folder)? {
            return Ok(Some(file));
        }
    }
    Ok(None)
}

/// Reads a file that stands where one may stand.
fn found_file(host: &Host, path: &Path, base: Base) -> Result<Option<ConfigFile>, ConfigError> {
    match bytes_of(path, true) {
        Ok(bytes) => config(host, path.to_owned(), path, base, &bytes).map(Some),
        Err(ReadError::Missing) => Ok(None),
        Err(error) => Err(error.at(relative(host, path))),
    }
}

/// Reads a file that was named. Its folder is resolved, since a project root with `..` or links in it would make
/// relative paths in keys differ from those of a run inside of it.
fn named_file(host: &Host, name: &OsStr, origin: &Origin) -> Result<ConfigFile, ConfigError> {
    let given = Path::new(name);
    if given.as_os_str().is_empty() {
        let (origin, reason) = (Box::new(origin.clone()), "'' names no file".to_owned());
        return Err(ConfigError::Value { origin, reason, hint: None });
    }
    let path = host.absolute(given);
    let bytes = bytes_of(&path, false).map_err(|error| error.at(given.to_owned()))?;
    let folder = path.parent().and_then(|folder| folder.canonicalize().ok());
    let path = match (folder, path.file_name()) {
        (Some(folder), Some(name)) => folder.join(name),
        _ => path,
    };
    config(host, path, given, Base::Folder, &bytes)
}

/// Reads what a file says.
fn config(
    host: &Host,
    path: PathBuf,
    as_found: &Path,
    base: Base,
    bytes: &[u8],
) -> Result<ConfigFile, ConfigError> {
    let folder = path.parent().unwrap_or(&path).to_owned();
    let base = (base == Base::Folder).then_some(folder.as_path());
    let document = document::parse(bytes, &relative(host, as_found), base)?;
    Ok(ConfigFile { path, folder, document })
}

/// Returns a path as it is shown: relative where it lies in or below the working directory.
fn relative(host: &Host, path: &Path) -> PathBuf {
    let below = host.directory.as_ref().and_then(|directory| path.strip_prefix(directory).ok());
    below.unwrap_or(path).to_owned()
}

/// Reads a file that may be a config. It is looked at before it is opened, because opening a device can do
/// something, and again afterwards, because it may have been replaced; without blocking, because of FIFOs.
fn bytes_of(path: &Path, found: bool) -> Result<Vec<u8>, ReadError> {
    let failed = |error: rustix::io::Errno| ReadError::Failed(std::io::Error::from(error).to_string());
    // The link first: one that dangles was found. Behind a folder that cannot be searched nothing was.
    if found && let Err(error) = rustix::fs::lstat(path) {
        let kind = std::io::Error::from(error).kind();
        let is_absent =
            matches!(kind, ErrorKind::NotFound | ErrorKind::NotADirectory | ErrorKind::PermissionDenied);
        return Err(if is_absent { ReadError::Missing } else { failed(error) });
    }
    let stat = rustix::fs::stat(path).map_err(failed)?;
    let judge =
        |stat: &Stat| match refusal(stat.st_mode, stat.st_uid, found, rustix::process::geteuid().as_raw()) {
            Some((reason, hint)) => Err(ReadError::Refused(reason.to_owned(), hint)),
            None => Ok(()),
        };
    judge(&stat)?;
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::CLOEXEC | OFlags::NOCTTY;
    let opened = rustix::fs::open(path, flags, Mode::empty()).map_err(failed)?;
    judge(&rustix::fs::fstat(&opened).map_err(failed)?)?;
    read_up_to(File::from(opened), MAX_CONFIG)
}

/// Returns why a file is not taken for a config.
fn refusal(mode: RawMode, owner: u32, found: bool, us: u32) -> Option<(&'static str, Option<&'static str>)> {
    let kind = match FileType::from_raw_mode(mode) {
        FileType::RegularFile => None,
        FileType::Directory => Some("it is a directory"),
        FileType::Fifo => Some("it is a FIFO"),
        FileType::Socket => Some("it is a socket"),
        _ => Some("it is a device"),
    };
    let mode = Mode::from_raw_mode(mode);
    let vouch = "change that, or name the file with --config to say that it is meant";
    if let Some(kind) = kind {
        Some((kind, None))
    } else if found && owner != us && owner != 0 {
        Some(("it belongs to another user", Some(vouch)))
    } else if found && mode.contains(Mode::WOTH) {
        Some(("everybody may write it", Some(vouch)))
    } else {
        None
    }
}

fn read_up_to(file: File, limit: u64) -> Result<Vec<u8>, ReadError> {
    let mut bytes = Vec::new();
    match file.take(limit + 1).read_to_end(&mut bytes) {
        Ok(length) if length as u64 > limit => {
            Err(ReadError::Refused(format!("it has more than {} MiB", limit >> 20), None))
        }
        Ok(_) => Ok(bytes),
        Err(error) => Err(ReadError::Failed(error.to_string())),
    }
}

impl ReadError {
    fn at(self, path: PathBuf) -> ConfigError {
        match self {
            Self::Missing => ConfigError::Unreadable { path, reason: "it is not there".to_owned() },
            Self::Failed(reason) => ConfigError::Unreadable { path, reason },
            Self::Refused(reason, hint) => ConfigError::Refused { path, reason, hint },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::options::OptionName;
    use crate::config::testing::host_in;
    use std::fs;
    use std::os::unix::fs::{PermissionsExt, symlink};

    const TTL: &str = "[defaults]\nttl = '1h'\n";

    fn project(host: &Host, name: Option<&str>) -> Result<Option<ConfigFile>, ConfigError> {
        let origin = Origin::Flag("--config".into());
        let files = ConfigFiles::read(host, name.map(|name| (OsStr::new(name), &origin)))?;
        Ok(files.project)
    }

    fn origin(file: &ConfigFile) -> String {
        file.document.defaults.text(OptionName::Ttl).map(|(_, origin)| origin.to_string()).unwrap()
    }

    #[test]
    fn the_nearest_file_upward_is_the_projects() {
        let temporary = tempfile::tempdir().unwrap();
        let root = temporary.path().canonicalize().unwrap();
        let mut host = host_in(&root, &[]);
        assert_eq!(project(&host, None).unwrap(), None);
        fs::write(root.join(PROJECT_FILE), TTL).unwrap();
        let file = project(&host, None).unwrap().unwrap();
        assert_eq!(file.folder, root);
        assert_eq!(origin(&file), format!("{}:2 [defaults] ttl", root.join(PROJECT_FILE).display()));
        fs::write(root.join("work").join(PROJECT_FILE), TTL).unwrap();
        let file = project(&host, None).unwrap().unwrap();
        assert_eq!(
            (file.folder.clone(), origin(&file)),
            (root.join("work"), "taskcache.toml:2 [defaults] ttl".into())
        );
        host.directory = None;
        assert_eq!(project(&host, None).unwrap(), None);
    }

    #[test]
    fn a_named_file_stands_for_the_searched_one() {
        let temporary = tempfile::tempdir().unwrap();
        let root = temporary.path().canonicalize().unwrap();
        let host = host_in(&root, &[]);
        fs::write(root.join("work").join(PROJECT_FILE), "[defaults]\n").unwrap();
        fs::write(root.join("other.toml"), TTL).unwrap();
        let file = project(&host, Some("../other.toml")).unwrap().unwrap();
        assert_eq!((file.path.clone(), file.folder.clone()), (root.join("other.toml"), root.clone()));
        assert_eq!(origin(&file), "../other.toml:2 [defaults] ttl");
        let error = project(&host, Some("gone.toml")).unwrap_err();
        assert_eq!(error.to_string(), "cannot read gone.toml: No such file or directory (os error 2)");
        let error = project(&host, Some("")).unwrap_err();
        assert_eq!(error.to_string(), "option --config: '' names no file");
    }

    #[test]
    fn the_users_file_is_relative_to_the_working_directory() {
        let temporary = tempfile::tempdir().unwrap();
        let host = host_in(temporary.path(), &[]);
        let path = temporary.path().join("config").join(USER_FILE);
        fs::write(&path, TTL).unwrap();
        let files = ConfigFiles::read(&host, None).unwrap();
        assert_eq!(files.user.map(|file| file.document.defaults.base().is_none()), Some(true));
    }

    #[test]
    fn what_is_no_regular_file_is_refused() {
        let temporary = tempfile::tempdir().unwrap();
        let host = host_in(temporary.path(), &[]);
        let path = temporary.path().join("work").join(PROJECT_FILE);
        let refused = |name| project(&host, name).unwrap_err().to_string();
        fs::create_dir(&path).unwrap();
        assert_eq!(refused(None), "taskcache.toml is refused as config: it is a directory");
        fs::remove_dir(&path).unwrap();
        rustix::fs::mkfifoat(rustix::fs::CWD, &path, Mode::from_raw_mode(0o600)).unwrap();
        assert_eq!(refused(None), "taskcache.toml is refused as config: it is a FIFO");
        assert_eq!(refused(Some("taskcache.toml")), "taskcache.toml is refused as config: it is a FIFO");
        assert_eq!(refused(Some("/dev/null")), "/dev/null is refused as config: it is a device");
        fs::remove_file(&path).unwrap();
        let mut long = b"#".repeat(1 << 20);
        fs::write(&path, &long).unwrap();
        assert!(project(&host, None).unwrap().is_some());
        long.push(b'#');
        fs::write(&path, &long).unwrap();
        assert_eq!(refused(None), "taskcache.toml is refused as config: it has more than 1 MiB");
        fs::remove_file(&path).unwrap();
        symlink("nowhere", &path).unwrap();
        assert_eq!(refused(None), "cannot read taskcache.toml: No such file or directory (os error 2)");
    }

    #[test]
    fn a_file_that_others_control_has_to_be_named() {
        let temporary = tempfile::tempdir().unwrap();
        let host = host_in(temporary.path(), &[]);
        let path = temporary.path().join("work").join(PROJECT_FILE);
        fs::write(&path, TTL).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o666)).unwrap();
        let error = project(&host, None).unwrap_err();
        assert_eq!(error.to_string(), "taskcache.toml is refused as config: everybody may write it");
        assert_eq!(
            error.hint().as_deref(),
            Some("change that, or name the file with --config to say that it is meant")
        );
        assert!(project(&host, Some("taskcache.toml")).unwrap().is_some());

        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        let reason = |found, owner, us| refusal(0o100644, owner, found, us).map(|(reason, _)| reason);
        assert_eq!(reason(true, 1000, 1001), Some("it belongs to another user"));
        assert_eq!(reason(true, 1000, 0), Some("it belongs to another user"));
        assert_eq!(reason(false, 1000, 1001), None);
        assert_eq!(reason(true, 1000, 1000), None);
        assert_eq!(reason(true, 0, 1000), None);
    }
}
