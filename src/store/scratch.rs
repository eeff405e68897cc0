//! A process's own folder for files that are not stored yet.
//!
//! The folder's lock file is held while the process lives. A folder whose lock is free belongs to nobody any more
//! and is swept. The folder lies on the blobs' file system, so that a finished file is published by a rename.

use crate::world::file::{FileError, create_private_folder, random_number};
use crate::world::lock::{FileLock, Sharing, is_held};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// A folder that is removed when its owner is done with it.
#[derive(Debug)]
pub struct Scratch {
    path: PathBuf,
    _lock: FileLock,
}

const LOCK: &str = "owner";

impl Scratch {
    /// Makes a folder below `parent`.
    pub fn create(parent: &Path) -> Result<Self, FileError> {
        loop {
            let path = parent.join(format!("{:016x}", random_number()));
            create_private_folder(&path)?;
            // A sweeper may remove the folder before it is locked; then the lock file cannot be made, or can no
            // longer be found, and another name is tried.
            match FileLock::take(&path.join(LOCK), Sharing::Exclusive, Duration::ZERO) {
                Ok(Some(lock)) => return Ok(Self { path, _lock: lock }),
                Ok(None) => {}
                Err(error) if error.is_missing() => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// Returns the folder.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Returns a path in the folder that nothing has yet.
    pub fn unused_path(&self) -> PathBuf {
        self.path.join(format!("{:016x}", random_number()))
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // What cannot be removed now is swept later, because its lock is free.
        let _ = std::fs::remove_dir_all(&self.path);
    }
}

/// Returns whether a folder's owner lives; `None` where it never was locked.
pub(super) fn is_owned(folder: &Path) -> Option<bool> {
    // One that cannot be asked counts as owned: then nobody sweeps it.
    is_held(&folder.join(LOCK)).unwrap_or(Some(true))
}

/// Removes a folder if its owner is gone; says whether it did.
pub(super) fn sweep_one(folder: &Path) -> Result<bool, FileError> {
    let Ok(Some(_lock)) = FileLock::take(&folder.join(LOCK), Sharing::Exclusive, Duration::ZERO) else {
        return Ok(false);
    };
    std::fs::remove_dir_all(folder).map_err(FileError::of("remove", folder))?;
    Ok(true)
}

/// Removes the folders below `parent` whose owners are gone; returns how many.
pub fn sweep(parent: &Path) -> Result<usize, FileError> {
    let mut swept = 0;
    let folders = match std::fs::read_dir(parent) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(0),
        other => other.map_err(FileError::of("read folder", parent))?,
    };
    for folder in folders {
        let folder = folder.map_err(FileError::of("read folder", parent))?.path();
        swept += usize::from(sweep_one(&folder)?);
    }
    Ok(swept)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_lives_as_long_as_its_owner() {
        let parent = tempfile::tempdir().unwrap();
        let mine = Scratch::create(parent.path()).unwrap();
        let path = mine.path().to_owned();
        assert_eq!(sweep(parent.path()).unwrap(), 0);
        assert!(path.exists());
        drop(mine);
        assert!(!path.exists());
    }

    #[test]
    fn what_a_dead_process_left_is_swept() {
        let parent = tempfile::tempdir().unwrap();
        let left = parent.path().join("0123456789abcdef");
        std::fs::create_dir(&left).unwrap();
        std::fs::write(left.join("half"), b"x").unwrap();
        assert_eq!(sweep(parent.path()).unwrap(), 1);
        assert!(!left.exists());
    }
}
