//! Which file a command's first word means, and why it cannot be started.
//!
//! The search is that of `execvp`, done beforehand, because the program's file is part of the key. Like there, a
//! file that may not be executed hides none further down the path, but is remembered: the shell's 126 instead of
//! 127.

use crate::model::path::printable;
use rustix::fs::Access;
use std::ffi::OsStr;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// What a shell exits with where there is no such command.
pub const NOT_FOUND: u8 = 127;

/// Where programs are searched when `PATH` is not set; what the C libraries use.
const DEFAULT_PATH: &str = "/bin:/usr/bin";

/// A command that did not start, or was lost.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// There is no such program.
    #[error("{}: command not found", printable(.program.as_os_str().as_bytes()))]
    NotFound {
        /// The program, as typed or as resolved.
        program: PathBuf,
    },
    /// There is a file, and it is not a program that we may execute.
    #[error("{}: cannot execute: {source}", printable(.program.as_os_str().as_bytes()))]
    NotExecutable {
        /// The file.
        program: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The system did not start it for a reason that is not the program's.
    #[error("{}: cannot start: {source}", printable(.program.as_os_str().as_bytes()))]
    Start {
        /// The program.
        program: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The command's working directory cannot be entered.
    #[error("cannot enter the directory '{}': {source}", printable(.directory.as_os_str().as_bytes()))]
    Directory {
        /// The directory.
        directory: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Pipes, threads or signal handlers for the run could not be made; nothing has started.
    #[error("{}: cannot prepare to run it: {source}", printable(.program.as_os_str().as_bytes()))]
    Prepare {
        /// The program.
        program: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The command started, and the system would not tell how it ended.
    #[error("{}: cannot wait for it: {source}", printable(.program.as_os_str().as_bytes()))]
    Lost {
        /// The program.
        program: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

impl StartError {
    /// Returns what a shell, or a wrapper such as `env`, exits with in this case.
    pub const fn exit_code(&self) -> u8 {
        match self {
            Self::NotFound { .. } => NOT_FOUND,
            Self::NotExecutable { .. } | Self::Start { .. } => 126,
            Self::Directory { .. } | Self::Prepare { .. } | Self::Lost { .. } => 125,
        }
    }

    /// Returns the way out, where the word shows what was meant.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::NotFound { program } => {
                let word = program.as_os_str().as_bytes();
                if BUILTINS.iter().any(|name| name.as_bytes() == word) {
                    Some("what only a shell knows needs one: sh -c '...'")
                } else if word.contains(&b' ') {
                    Some("a line for the shell is written: sh -c '...'")
                } else {
                    None
                }
            }
            Self::NotExecutable { source, .. } if source.kind() == io::ErrorKind::PermissionDenied => {
                Some("make it executable, or put its interpreter in front")
            }
            _ => None,
        }
    }
}

/// What people take for programs: builtins of shells that change the shell itself, and so exist nowhere else.
const BUILTINS: [&str; 13] = [
    ".", "alias", "cd", "eval", "exec", "export", "set", "shift", "source", "trap", "ulimit", "umask",
    "unset",
];

/// Finds the program that `word` means. The result has a slash; a relative one counts from `directory`.
pub fn resolve_program(
    word: &OsStr,
    path_variable: Option<&OsStr>,
    directory: &Path,
) -> Result<PathBuf, StartError> {
    let not_found = || StartError::NotFound { program: word.into() };
    if word.is_empty() {
        return Err(not_found());
    }
    if word.as_bytes().contains(&b'/') {
        return match inspect(&directory.join(word)) {
            Ok(()) => Ok(word.into()),
            Err(source) if is_absence(&source) => Err(not_found()),
            Err(source) => Err(StartError::NotExecutable { program: word.into(), source }),
        };
    }
    let path = path_variable.unwrap_or(OsStr::new(DEFAULT_PATH));
    let mut refused = None;
    for folder in path.as_bytes().split(|byte| *byte == b':') {
        // An empty part means the working directory, since the days of the first shells.
        let folder = if folder.is_empty() { Path::new(".") } else { Path::new(OsStr::from_bytes(folder)) };
        let candidate = folder.join(word);
        match inspect(&directory.join(&candidate)) {
            Ok(()) => return Ok(candidate),
            Err(source) if source.kind() == io::ErrorKind::PermissionDenied => {
                refused.get_or_insert(StartError::NotExecutable { program: candidate, source });
            }
            Err(_) => {}
        }
    }
    Err(refused.unwrap_or_else(not_found))
}

fn is_absence(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}

/// Succeeds for a regular file that we may execute.
fn inspect(file: &Path) -> io::Result<()> {
    let metadata = std::fs::metadata(file)?;
    if metadata.is_dir() {
        return Err(io::ErrorKind::IsADirectory.into());
    }
    if !metadata.is_file() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "not a regular file"));
    }
    Ok(rustix::fs::access(file, Access::EXEC_OK)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::{self, Permissions};
    use std::os::unix::fs::PermissionsExt;

    fn file(folder: &Path, name: &str, mode: u32) {
        let path = folder.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, "").unwrap();
        fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
    }

    fn resolved(word: &str, path: Option<&str>, directory: &Path) -> Result<PathBuf, (u8, String)> {
        resolve_program(word.as_ref(), path.map(OsStr::new), directory)
            .map_err(|error| (error.exit_code(), error.to_string()))
    }

    #[test]
    fn what_was_meant_is_told() {
        let missing = |program: &str| StartError::NotFound { program: program.into() }.hint();
        assert_eq!(missing("cd"), Some("what only a shell knows needs one: sh -c '...'"));
        assert_eq!(missing("ls -l"), Some("a line for the shell is written: sh -c '...'"));
        assert_eq!(missing("sl"), None);
    }

    #[test]
    fn the_path_is_searched_like_execvp_does() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        file(root, "plain/tool", 0o644);
        file(root, "bin/tool", 0o755);
        file(root, "here", 0o755);
        file(root, "plain/data", 0o644);
        fs::create_dir(root.join("bin/folder")).unwrap();
        let path = format!("{0}/missing:{0}/plain:{0}/bin/tool:{0}/bin", root.display());

        assert_eq!(resolved("tool", Some(&path), root), Ok(root.join("bin/tool")));
        assert_eq!(resolved("tool", Some("plain:bin"), root), Ok("bin/tool".into()));
        assert_eq!(resolved("here", Some("bin:"), root), Ok("./here".into()));
        assert_eq!(resolved("here", Some(""), root), Ok("./here".into()));
        assert_eq!(resolved("sh", None, root), Ok("/bin/sh".into()));
        let refusal =
            format!("{}/plain/data: cannot execute: Permission denied (os error 13)", root.display());
        assert_eq!(resolved("data", Some(&path), root), Err((126, refusal)));
        assert_eq!(resolved("folder", Some(&path), root), Err((127, "folder: command not found".into())));
        assert_eq!(resolved("", Some(&path), root), Err((127, ": command not found".into())));
        assert_eq!(
            resolved("no\x1b[1m", Some(&path), root).unwrap_err().1,
            "no\\u{1b}[1m: command not found"
        );
    }

    #[test]
    fn a_word_with_a_slash_is_taken_as_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        file(root, "bin/tool", 0o755);
        file(root, "bin/data", 0o644);

        assert_eq!(resolved("bin/tool", None, root), Ok("bin/tool".into()));
        assert_eq!(resolved("./bin/tool", None, root), Ok("./bin/tool".into()));
        assert_eq!(resolved("bin/none", None, root), Err((127, "bin/none: command not found".into())));
        assert_eq!(resolved("bin/tool/x", None, root), Err((127, "bin/tool/x: command not found".into())));
        let refusal = "bin/data: cannot execute: Permission denied (os error 13)".into();
        assert_eq!(resolved("bin/data", None, root), Err((126, refusal)));
        let refusal = "./bin: cannot execute: is a directory".into();
        assert_eq!(resolved("./bin", None, root), Err((126, refusal)));
    }
}
