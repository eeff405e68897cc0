//! Every file and folder of the store: whose it is, who may read it, whether its bytes are those of its name.
//!
//! Part of a verification (see [`super::verification`]). What is not ours is told and left alone, whatever is asked
//! for. What is ours and wrong is removed by a repair, and what only stands where ours belongs is moved to
//! `quarantine/misplaced`. A damaged content goes under the collection lock held alone, after the rows that refer to
//! it: a recorder publishes contents under the same lock, so the right one is never taken for the damaged one.
//!
//! Folders are read one at a time and contents piece by piece: memory does not grow with the store. What vanishes
//! meanwhile was somebody else's to remove.

use super::finding::{Fault, Repair, Subject};
use super::quarantine::{self, INDEX};
use super::verification::{Verification, remove_referrers};
use super::{Store, StoreError, TAG, hot_record, placement, scratch, witness};
use crate::model::count::counted;
use crate::model::digest::Digest;
use crate::model::entry::Content;
use crate::model::path::printable;
use crate::world::file::{
    FileError, FileType, Witness, create_private_folder, open_for_reading, random_number, read_whole,
};
use crate::world::lock::{FileLock, Sharing};
use crate::world::reading::content_of;
use rusqlite::params;
use std::ffi::OsStr;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// What stands in the store's folder. Locks are only looked at for who may read them, and a quarantine not at all.
const KNOWN: [&str; 14] = [
    "CACHEDIR.TAG",
    INDEX,
    "index.db-wal",
    "index.db-shm",
    "index.db-journal",
    "blobs",
    "tmp",
    "locks",
    "witnesses",
    "placements",
    "records",
    "quarantine",
    "history.jsonl",
    "collected",
];

/// After this time without a change, a file under a temporary name has nobody any more who is about to rename it.
const ABANDONED: i128 = 3_600 * 1_000_000_000;

/// How long a repair waits for recorders.
const PATIENCE: Duration = Duration::from_secs(30);

/// What the files of a folder hold.
#[derive(Clone, Copy)]
enum Shelf {
    Contents,
    Witnesses,
    Placements,
    Records,
}

impl Verification<'_> {
    /// Checks all files.
    pub(super) fn files(&mut self) -> Result<(), StoreError> {
        let root = self.layout.root.clone();
        let Some(own) = self.look(&root) else { return Ok(()) };
        self.access(&root, &own);
        for path in names(&root)? {
            let name = path.file_name().unwrap_or_default();
            match name.to_str() {
                Some("quarantine") => {}
                Some("blobs") => self.shelf(&path, Shelf::Contents)?,
                Some("witnesses") => self.shelf(&path, Shelf::Witnesses)?,
                Some("placements") => self.shelf(&path, Shelf::Placements)?,
                Some("records") => self.shelf(&path, Shelf::Records)?,
                Some("tmp") => self.scratch_folders(&path)?,
                Some("locks") => self.locks(&path)?,
                Some("history.jsonl") => self.history(&path),
                Some(known) if KNOWN.contains(&known) => {
                    if let Some(witness) = self.look(&path) {
                        self.access(&path, &witness);
                    }
                }
                _ => self.stray(&path, |stem| KNOWN.iter().any(|known| stem == known.as_bytes())),
            }
        }
        self.tag(&root);
        self.unreferenced()
    }

    /// Returns the facts of what stands at a path; `None`, after telling why, where that cannot be had.
    fn look(&mut self, path: &Path) -> Option<Witness> {
        match Witness::of_path(path) {
            Ok(witness) => Some(witness),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => {
                self.found(
                    Fault::Unreadable,
                    Subject::Path(path.to_owned()),
                    error.to_string(),
                    Repair::None,
                );
                None
            }
        }
    }

    /// Checks who owns something and who else may read or write it.
    fn access(&mut self, path: &Path, witness: &Witness) {
        let subject = || Subject::Path(path.to_owned());
        if witness.owner() != rustix::process::geteuid().as_raw() {
            let detail = format!("it belongs to user {}", witness.owner());
            self.found(Fault::Owner, subject(), detail, Repair::None);
        }
        let permissions = witness.permissions();
        if permissions & 0o077 != 0 && witness.file_type() != FileType::Symlink {
            let detail = format!("its mode {permissions:o} lets others in");
            self.mending(Fault::Mode, subject(), detail, |_| {
                let mode = rustix::fs::Mode::from_raw_mode(permissions & 0o700);
                Ok(rustix::fs::chmod(path, mode).map_err(FileError::of("set the mode of", path))?)
            });
        }
    }

    /// Checks one of the folders in which files are named by digests.
    fn shelf(&mut self, folder: &Path, shelf: Shelf) -> Result<(), StoreError> {
        if !self.is_folder(folder) {
            return Ok(());
        }
        for path in names(folder)? {
            let name = path.file_name().unwrap_or_default().as_bytes();
            if name.len() != 2 || !is_hex(name) {
                self.stray(&path, |stem| stem == b"now");
                continue;
            }
            if !self.is_folder(&path) {
                continue;
            }
            for file in names(&path)? {
                match digest_of(&file) {
                    Some(digest) => self.file(&file, &digest, shelf)?,
                    None => self.stray(&file, |stem| stem.len() == 62 && is_hex(stem)),
                }
            }
        }
        Ok(())
    }

    /// Returns whether a folder of ours is one, and checks who may enter it.
    fn is_folder(&mut self, path: &Path) -> bool {
        let Some(witness) = self.look(path) else { return false };
        if witness.file_type() != FileType::Directory {
            self.misplaced(path, "no folder stands in the place of one");
            return false;
        }
        self.access(path, &witness);
        true
    }

    fn misplaced(&mut self, path: &Path, detail: &str) {
        self.mending(Fault::Misplaced, Subject::Path(path.to_owned()), detail, |this| {
            let folder = quarantine::folder(&this.layout).join("misplaced");
            create_private_folder(&folder)?;
            let to = folder.join(format!("{:016x}", random_number()));
            Ok(std::fs::rename(path, to).map_err(FileError::of("rename", path))?)
        });
    }

    fn file(&mut self, path: &Path, digest: &Digest, shelf: Shelf) -> Result<(), StoreError> {
        let Some(witness) = self.look(path) else { return Ok(()) };
        if witness.file_type() != FileType::File {
            self.misplaced(path, "it is no regular file");
            return Ok(());
        }
        self.access(path, &witness);
        let subject = Subject::Path(path.to_owned());
        let (fault, outcome) = match shelf {
            Shelf::Contents => return self.content(path, digest),
            Shelf::Witnesses => (Fault::Witness, inspected(path, |bytes| witness::inspect(bytes, digest))),
            Shelf::Placements => (Fault::Placement, inspected(path, placement::inspect)),
            Shelf::Records => (Fault::Record, inspected(path, |bytes| hot_record::inspect(bytes, digest))),
        };
        match outcome {
            // Replaced or removed since it was listed: whoever did that wrote a whole one.
            Err(_) if Witness::of_path(path).ok() != Some(witness) => {}
            Err(detail) => self.mending(fault, subject, detail, |_| remove(path)),
            Ok(()) => {}
        }
        Ok(())
    }

    /// Reads a content. One that is wrong goes with the entries that refer to it.
    fn content(&mut self, path: &Path, digest: &Digest) -> Result<(), StoreError> {
        let why = match read(path) {
            Ok(None) => return Ok(()),
            Ok(Some(content)) if content.digest == *digest => {
                self.checked.contents += 1;
                self.checked.bytes += content.size;
                return Ok(());
            }
            Ok(Some(content)) => format!("its {} bytes are not those of its name", content.size),
            Err(error) => format!("it cannot be read: {}", error.source),
        };
        let entries = self.referrers(digest)?;
        let detail = match entries {
            0 => why,
            count => format!("{why}; {} it", counted(count, "entry needs", "entries need")),
        };
        self.mending(Fault::ContentDamaged, Subject::Path(path.to_owned()), detail, |this| {
            this.remove_content(path, digest)
        });
        Ok(())
    }

    fn referrers(&mut self, digest: &Digest) -> Result<u64, StoreError> {
        let Some(store) = &self.store else { return Ok(0) };
        let count: i64 = store
            .index()?
            .connection()
            .prepare_cached(
                "SELECT (SELECT count(*) FROM reference WHERE digest = ?1)
                     + (SELECT count(*) FROM staged_reference WHERE digest = ?1)",
            )
            .and_then(|mut query| query.query_row([digest.as_bytes().as_slice()], |row| row.get(0)))
            .map_err(store.index()?.failed("count references"))?;
        Ok(super::index::unsigned(count))
    }

    fn remove_content(&mut self, path: &Path, digest: &Digest) -> Result<(), StoreError> {
        let lock = self.layout.path("locks").join("collection");
        let _lock = FileLock::take(&lock, Sharing::Exclusive, PATIENCE)?
            .ok_or_else(|| StoreError::Locked(self.layout.root.clone()))?;
        // A hit may have dropped it, and a recorder stored it anew, before the lock was ours.
        if matches!(read(path), Ok(None))
            || read(path).is_ok_and(|found| found.is_some_and(|c| c.digest == *digest))
        {
            return Ok(());
        }
        if self.store.is_some() {
            self.change("remove entries of a damaged content", |connection| {
                remove_referrers(connection, digest)
            })?;
        }
        remove(path)
    }

    /// Tells of something under a name that is none of ours: a file that was about to get its name, or a foreign one.
    fn stray(&mut self, path: &Path, is_ours: impl Fn(&[u8]) -> bool) {
        let Some(witness) = self.look(path) else { return };
        let name = path.file_name().unwrap_or_default().as_bytes();
        let stem = name.len().checked_sub(17).map(|at| name.split_at(at));
        let is_temporary = stem.is_some_and(|(stem, rest)| {
            rest.starts_with(b".")
                && is_hex(&rest[1..])
                && is_ours(stem)
                && witness.file_type() == FileType::File
        });
        let subject = Subject::Path(path.to_owned());
        if !is_temporary {
            self.found(Fault::Foreign, subject, "nothing of taskcache has this name", Repair::None);
        } else if self.is_abandoned(&witness) {
            self.mending(Fault::Leftover, subject, "a file that never got its name", |_| remove(path));
        }
    }

    fn is_abandoned(&self, witness: &Witness) -> bool {
        witness.modified().saturating_add(ABANDONED) < i128::from(self.now.as_millis()) * 1_000_000
    }

    /// Checks the folders of processes at work. One whose lock is free belongs to nobody any more.
    fn scratch_folders(&mut self, folder: &Path) -> Result<(), StoreError> {
        if !self.is_folder(folder) {
            return Ok(());
        }
        for path in names(folder)? {
            let name = path.file_name().unwrap_or_default().as_bytes();
            let Some(witness) = self.look(&path) else { continue };
            if name.len() != 16 || !is_hex(name) || witness.file_type() != FileType::Directory {
                self.stray(&path, |stem| stem == b"now");
                continue;
            }
            self.access(&path, &witness);
            // A young one whose lock is free was just made and is about to be locked.
            let is_free = scratch::is_owned(&path) != Some(true);
            if is_free && self.is_abandoned(&witness) {
                let subject = Subject::Path(path.clone());
                self.mending(Fault::Leftover, subject, "the folder of a process that is gone", |_| {
                    Ok(scratch::sweep_one(&path).map(|_| ())?)
                });
            }
        }
        Ok(())
    }

    fn locks(&mut self, folder: &Path) -> Result<(), StoreError> {
        if !self.is_folder(folder) {
            return Ok(());
        }
        for path in names(folder)? {
            let Some(witness) = self.look(&path) else { continue };
            match witness.file_type() {
                FileType::Directory => self.locks(&path)?,
                FileType::File => self.access(&path, &witness),
                FileType::Symlink | FileType::Special => self.misplaced(&path, "it is no regular file"),
            }
        }
        Ok(())
    }

    fn history(&mut self, path: &Path) {
        let Some(witness) = self.look(path) else { return };
        if witness.file_type() != FileType::File {
            return self.misplaced(path, "it is no regular file");
        }
        self.access(path, &witness);
        match super::history::unreadable_lines(path) {
            Ok(0) => {}
            Ok(lines) => {
                let detail = format!("{} cannot be read", counted(lines, "line", "lines"));
                self.found(Fault::History, Subject::Path(path.to_owned()), detail, Repair::None);
            }
            Err(error) => {
                let detail = error.source.to_string();
                self.found(Fault::Unreadable, Subject::Path(path.to_owned()), detail, Repair::None);
            }
        }
    }

    fn tag(&mut self, root: &Path) {
        let path = root.join("CACHEDIR.TAG");
        if !read_whole(&path).is_ok_and(|bytes| bytes == TAG) {
            let detail = "the tag for backup programs is missing or changed";
            self.mending(Fault::Tag, Subject::Path(path.clone()), detail, |_| {
                Ok(crate::world::file::replace(&path, TAG)?)
            });
        }
    }

    /// Contents that nobody refers to: what a killed recorder left, or what is being recorded now.
    fn unreferenced(&mut self) -> Result<(), StoreError> {
        let Some(store) = &self.store else { return Ok(()) };
        let (mut count, mut bytes) = unreferenced_rows(store)?;
        let folder = self.layout.path("blobs");
        for shard in names(&folder).unwrap_or_default() {
            for file in names(&shard).unwrap_or_default() {
                if let (Some(digest), Ok(witness)) = (digest_of(&file), Witness::of_path(&file))
                    && self.referrers(&digest)? == 0
                {
                    count += 1;
                    bytes += witness.size();
                }
            }
        }
        if count > 0 {
            let count = counted(count, "content", "contents");
            let detail = format!("{count}, {bytes} bytes in all, that no entry needs");
            self.found(Fault::Unreferenced, Subject::Store, detail, Repair::None);
        }
        Ok(())
    }
}

fn unreferenced_rows(store: &Store) -> Result<(u64, u64), StoreError> {
    let (count, bytes): (i64, i64) = store
        .index()?
        .connection()
        .query_row(
            "SELECT count(*), coalesce(sum(length(bytes)), 0) FROM small_content
             WHERE digest NOT IN (SELECT digest FROM reference)
             AND digest NOT IN (SELECT digest FROM staged_reference)",
            params![],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )
        .map_err(store.index()?.failed("count contents"))?;
    Ok((super::index::unsigned(count), super::index::unsigned(bytes)))
}

/// Returns the paths in a folder, in the order of their names. A folder that is gone holds nothing.
fn names(folder: &Path) -> Result<Vec<PathBuf>, FileError> {
    let failed = |error| FileError::of("read folder", folder)(error);
    let entries = match std::fs::read_dir(folder) {
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
            return Ok(Vec::new());
        }
        other => other.map_err(failed)?,
    };
    let mut paths: Vec<PathBuf> =
        entries.map(|entry| entry.map(|entry| entry.path())).collect::<Result<_, _>>().map_err(failed)?;
    paths.sort_unstable();
    Ok(paths)
}

/// Returns the digest that a file's name and that of its folder make.
fn digest_of(path: &Path) -> Option<Digest> {
    let shard = path.parent().and_then(Path::file_name).and_then(OsStr::to_str)?;
    format!("{shard}{}", path.file_name()?.to_str()?).parse().ok()
}

fn is_hex(bytes: &[u8]) -> bool {
    bytes.iter().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(byte))
}

/// Reads a content; `None` where it is gone.
fn read(path: &Path) -> Result<Option<Content>, FileError> {
    match open_for_reading(path) {
        Ok(file) => content_of(&file).map(Some).map_err(FileError::of("read", path)),
        Err(error) if error.is_missing() => Ok(None),
        Err(error) => Err(error),
    }
}

fn inspected<E: std::fmt::Display>(
    path: &Path,
    inspect: impl FnOnce(&[u8]) -> Result<(), E>,
) -> Result<(), String> {
    let bytes = read_whole(path).map_err(|error| format!("it cannot be read: {}", error.source))?;
    inspect(&bytes).map_err(|error| printable(error.to_string().as_bytes()))
}

fn remove(path: &Path) -> Result<(), StoreError> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(FileError::of("remove", path)(error).into())
        }
        _ => Ok(()),
    }
}
