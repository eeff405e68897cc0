//! Where a damaged index goes, so that the next run works and nothing is destroyed unseen.
//!
//! An index that SQLite calls damaged helps nobody: every run with it would warn and go without the cache. It is
//! moved aside with its log files, under the collection lock held alone, and the next run makes a new one. Contents
//! stay where they are: what a new entry refers to is found again, the rest goes with the next removal.
//!
//! A disk that fails to read once makes SQLite call the database damaged as well. So an index that SQLite found
//! malformed is read through once more before it is moved: what was stored is not given up for a passing fault. Damage
//! that is no matter of form, such as a number where a text belongs, is not asked about again: SQLite cannot see it.
//!
//! Two processes may see the same damage at once. Each knows which file it had open, and only that one is moved: the
//! new index that the first of them made room for is not touched by the second.

use super::{Layout, PATIENCE, StoreError};
use crate::world::file::{FileError, Witness, create_private_folder};
use crate::world::lock::{FileLock, Sharing};
use rusqlite::{Connection, ErrorCode, OpenFlags};
use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};

/// The name of the index in the store's folder.
pub const INDEX: &str = "index.db";

/// The folder for what is moved aside.
const FOLDER: &str = "quarantine";

/// What SQLite keeps beside a database. The database itself comes last: while it stands, nothing was moved aside.
const PARTS: [&str; 4] = ["-wal", "-shm", "-journal", ""];

/// How many damaged indexes are kept.
const KEPT: usize = 4;

/// Returns what tells a file from one that takes its place; `None` where there is none.
pub fn identity(path: &Path) -> Option<(u64, u64)> {
    Witness::of_path(path).ok().map(|witness| witness.identity())
}

/// Moves the index aside where an error says that it is damaged, if it still is the file that was `seen`. Gives the
/// error back: that the index could not be moved changes nothing about what it is.
pub fn after(error: StoreError, layout: &Layout, seen: Option<(u64, u64)>) -> StoreError {
    if let StoreError::Damaged { source, .. } = &error {
        let is_malformed = source.sqlite_error_code() == Some(ErrorCode::DatabaseCorrupt);
        // Where the store cannot be written, or a stopped process holds the lock, the next run tries again.
        let _ = set_aside(layout, seen, is_malformed);
    }
    error
}

/// Returns whether SQLite finds nothing wrong in the whole of an index.
fn is_sound(index: &Path) -> bool {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let check = |connection: Connection| {
        connection.query_row("PRAGMA integrity_check(1)", [], |row| row.get::<_, String>(0))
    };
    Connection::open_with_flags(index, flags).and_then(check).is_ok_and(|verdict| verdict == "ok")
}

/// Returns the folder for what is moved aside.
pub(super) fn folder(layout: &Layout) -> PathBuf {
    layout.path(FOLDER)
}

/// Moves the index that was `seen` aside and returns where it is now; `None` where it is another one already, or
/// others keep the store busy, or, where it is to be read through once more, nothing is wrong with it.
pub(super) fn set_aside(
    layout: &Layout,
    seen: Option<(u64, u64)>,
    ask_again: bool,
) -> Result<Option<PathBuf>, FileError> {
    let Some(_lock) = FileLock::take(&layout.path("locks").join("collection"), Sharing::Exclusive, PATIENCE)?
    else {
        return Ok(None);
    };
    let index = layout.path(INDEX);
    if seen.is_none() || identity(&index) != seen {
        return Ok(None);
    }
    if ask_again && is_sound(&index) {
        return Ok(None);
    }
    let folder = folder(layout);
    create_private_folder(&folder)?;
    let millis = crate::world::file::file_time(&folder)?.div_euclid(1_000_000);
    let aside = folder.join(format!("{INDEX}.damaged-{millis}"));
    for part in PARTS {
        let from = with_suffix(&index, part);
        let to = with_suffix(&aside, part);
        match std::fs::rename(&from, &to) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                return Err(FileError::of("rename", &from)(error));
            }
            _ => {}
        }
    }
    drop_oldest(&folder)?;
    Ok(Some(aside))
}

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut text: OsString = path.as_os_str().to_owned();
    text.push(suffix);
    text.into()
}

/// Names hold their time in milliseconds, all of the same length, so that the oldest sorts first.
fn drop_oldest(folder: &Path) -> Result<(), FileError> {
    let failed = |error| FileError::of("read folder", folder)(error);
    let entries = std::fs::read_dir(folder).map_err(failed)?;
    let mut names: Vec<OsString> = entries
        .map(|entry| entry.map(|entry| entry.file_name()))
        .collect::<Result<_, _>>()
        .map_err(failed)?;
    names.retain(|name| !PARTS[..3].iter().any(|part| name.as_encoded_bytes().ends_with(part.as_bytes())));
    names.sort();
    let surplus = names.len().saturating_sub(KEPT);
    for name in &names[..surplus] {
        for part in PARTS {
            remove(&with_suffix(&folder.join(name), part))?;
        }
    }
    Ok(())
}

fn remove(path: &Path) -> Result<(), FileError> {
    let removed = match Witness::of_path(path) {
        Ok(witness) if witness.file_type() == crate::world::file::FileType::Directory => {
            std::fs::remove_dir_all(path)
        }
        Ok(_) => std::fs::remove_file(path),
        Err(_) => return Ok(()),
    };
    removed.map_err(FileError::of("remove", path))
}

/// Removes all that was moved aside.
pub fn empty(layout: &Layout) -> Result<(), FileError> {
    remove(&layout.path(FOLDER))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn damaged(layout: &Layout) -> StoreError {
        StoreError::Damaged { path: layout.path(INDEX), source: rusqlite::Error::QueryReturnedNoRows }
    }

    fn names(folder: &Path) -> Vec<String> {
        let names = std::fs::read_dir(folder).unwrap();
        let mut names: Vec<_> =
            names.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[test]
    fn only_the_index_that_was_seen_is_moved() {
        let folder = tempfile::tempdir().unwrap();
        let layout = Layout { root: folder.path().to_owned() };
        std::fs::create_dir(layout.path("locks")).unwrap();
        for name in ["index.db", "index.db-wal"] {
            std::fs::write(layout.path(name), name).unwrap();
        }
        let seen = identity(&layout.path(INDEX));
        after(StoreError::Missing(layout.root.clone()), &layout, seen);
        assert!(layout.path(INDEX).exists(), "another error is none of ours");
        after(damaged(&layout), &layout, seen);
        let moved = names(&layout.path(FOLDER));
        assert_eq!(moved.len(), 2);
        assert!(moved[0].starts_with("index.db.damaged-") && moved[1] == format!("{}-wal", moved[0]));
        assert_eq!(names(&layout.root), ["locks", "quarantine"]);
        std::fs::write(layout.path(INDEX), "new").unwrap();
        after(damaged(&layout), &layout, seen);
        assert!(layout.path(INDEX).exists(), "somebody else made a new one meanwhile");
        empty(&layout).unwrap();
        assert_eq!(names(&layout.root), ["index.db", "locks"]);
    }

    #[test]
    fn an_index_that_could_not_be_read_for_a_moment_stays() {
        let folder = tempfile::tempdir().unwrap();
        let layout = Layout { root: folder.path().to_owned() };
        std::fs::create_dir(layout.path("locks")).unwrap();
        let index = layout.path(INDEX);
        Connection::open(&index)
            .unwrap()
            .execute_batch("CREATE TABLE t (x); INSERT INTO t VALUES (1)")
            .unwrap();
        let malformed = || {
            let code = rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_CORRUPT);
            let source = rusqlite::Error::SqliteFailure(code, None);
            StoreError::Damaged { path: layout.path(INDEX), source }
        };
        after(malformed(), &layout, identity(&index));
        assert!(index.exists());
        let mut bytes = std::fs::read(&index).unwrap();
        bytes[4096..].fill(0xff);
        std::fs::write(&index, bytes).unwrap();
        after(malformed(), &layout, identity(&index));
        assert!(!index.exists());
    }

    #[test]
    fn a_few_are_kept() {
        let folder = tempfile::tempdir().unwrap();
        for number in 1000..1010 {
            for part in ["", "-wal"] {
                std::fs::write(folder.path().join(format!("index.db.damaged-{number}{part}")), "").unwrap();
            }
        }
        drop_oldest(folder.path()).unwrap();
        let kept = names(folder.path());
        assert_eq!((kept.len(), kept[0].as_str()), (2 * KEPT, "index.db.damaged-1006"));
    }
}
