//! Advisory locks on files, which the kernel releases when their owner dies, however it dies.
//!
//! A lock is free if and only if the kernel says so: no age, no heartbeat, no breaking. The descriptor is closed on
//! exec, so that a command never keeps a lock that its wrapper took.

use super::file::{FileError, open_private};
use rustix::fs::OFlags;
use rustix::io::Errno;
use std::fs::{File, TryLockError};
use std::io;
use std::path::Path;
use std::time::{Duration, Instant};

/// A lock that is held until it is dropped.
#[derive(Debug)]
pub struct FileLock {
    file: File,
}

/// Whether others may hold the same lock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sharing {
    /// Any number of shared holders.
    Shared,
    /// One holder alone.
    Exclusive,
}

impl FileLock {
    /// Takes the lock on the file at `path`, which is created where it is missing. Waits for at most `patience`;
    /// `None` says that somebody else still held it then.
    pub fn take(path: &Path, sharing: Sharing, patience: Duration) -> Result<Option<Self>, FileError> {
        let deadline = Instant::now() + patience;
        let mut pause = Duration::from_millis(1);
        loop {
            let file = open(path)?;
            let attempt = match sharing {
                Sharing::Shared => file.try_lock_shared(),
                Sharing::Exclusive => file.try_lock(),
            };
            match attempt {
                // Somebody may have removed the file between our opening and our locking it; then the lock is on
                // a file that nobody will find again, and we start over.
                Ok(()) if is_still_there(&file, path) => return Ok(Some(Self { file })),
                Ok(()) => continue,
                Err(TryLockError::WouldBlock) => {}
                Err(TryLockError::Error(error)) => return Err(FileError::of("lock", path)(error)),
            }
            let now = Instant::now();
            if now >= deadline {
                return Ok(None);
            }
            std::thread::sleep(pause.min(deadline - now));
            pause = (pause * 2).min(Duration::from_millis(50));
        }
    }
}

impl FileLock {
    /// Replaces what stands in the locked file, for people to read.
    pub fn write(&self, bytes: &[u8]) -> io::Result<()> {
        use std::os::unix::fs::FileExt;
        self.file.set_len(0)?;
        self.file.write_all_at(bytes, 0)
    }
}

/// Returns whether somebody holds the lock on the file at `path`, in whatever way; `None` where there is no such file.
/// Nothing is created.
pub fn is_held(path: &Path) -> Result<Option<bool>, FileError> {
    let file = match super::file::open_for_reading(path) {
        Ok(file) => file,
        Err(error) if error.is_missing() => return Ok(None),
        Err(error) => return Err(error),
    };
    match file.try_lock() {
        // Removed by its owner at this very moment, who then let go of it.
        Ok(()) if !path.exists() => Ok(None),
        Ok(()) => Ok(Some(false)),
        Err(TryLockError::WouldBlock) => Ok(Some(true)),
        Err(TryLockError::Error(error)) => Err(FileError::of("lock", path)(error)),
    }
}

fn open(path: &Path) -> Result<File, FileError> {
    match open_private(path, OFlags::RDWR) {
        // A store that may be read and not written still has its locks.
        Err(error) if [Errno::ROFS, Errno::ACCESS].iter().any(|errno| error.is(*errno)) => {
            File::open(path).map_err(FileError::of("open", path))
        }
        other => other,
    }
}

fn is_still_there(file: &File, path: &Path) -> bool {
    use super::file::Witness;
    let (Ok(held), found) = (Witness::of_open(file), Witness::of_path(path)) else { return false };
    match found {
        Ok(found) => held.identity() == found.identity(),
        Err(error) => error.kind() != io::ErrorKind::NotFound,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOT_AT_ALL: Duration = Duration::ZERO;

    #[test]
    fn shared_locks_go_together_and_an_exclusive_one_stands_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lock");
        let take = |sharing| FileLock::take(&path, sharing, NOT_AT_ALL).unwrap();
        let first = take(Sharing::Shared).unwrap();
        let second = take(Sharing::Shared).unwrap();
        assert!(take(Sharing::Exclusive).is_none());
        drop((first, second));
        let alone = take(Sharing::Exclusive).unwrap();
        assert!(take(Sharing::Shared).is_none());
        drop(alone);
        assert!(take(Sharing::Shared).is_some());
    }

    #[test]
    fn a_lock_on_a_removed_file_is_no_lock() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lock");
        let old = FileLock::take(&path, Sharing::Exclusive, NOT_AT_ALL).unwrap().unwrap();
        std::fs::remove_file(&path).unwrap();
        assert!(FileLock::take(&path, Sharing::Exclusive, NOT_AT_ALL).unwrap().is_some());
        drop(old);
    }

    #[test]
    fn a_look_at_a_lock_makes_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("lock");
        assert_eq!(is_held(&path).unwrap(), None);
        let shared = FileLock::take(&path, Sharing::Shared, NOT_AT_ALL).unwrap();
        assert_eq!(is_held(&path).unwrap(), Some(true));
        drop(shared);
        assert_eq!(is_held(&path).unwrap(), Some(false));
    }

    #[test]
    fn what_cannot_be_locked_is_named() {
        let error = FileLock::take(Path::new("/nowhere/lock"), Sharing::Shared, NOT_AT_ALL).unwrap_err();
        assert_eq!(error.to_string(), "cannot create '/nowhere/lock'");
    }
}
