//! Hot records: one immutable file an entry, so that a hit need not open the index.
//!
//! The index is the book, a hot record is a bookmark in it: the entry's body as the row has it, and the streams where
//! they are small. A look-up that finds it whole gives the entry without SQLite, whose opening takes longer than all
//! else that a small hit does. Anything else falls back to the index, so all of them may be lost, and only time is.
//!
//! A record never says what the index would not:
//!
//! - It is put in place, replaced and taken away only by who holds the index's write lock (`BEGIN IMMEDIATE`). Who
//!   writes or removes a row takes the record away in the same transaction, before the commit; who puts one in place
//!   does so after the commit, in a transaction of its own that first sees that the row is still that of its entry.
//!   So whatever dies or fails in between, there is no record, or it is that of the row.
//! - It names the index file that it belongs to. A record beside another index (deleted and made anew, put back from
//!   a backup) counts as none, and so does one beside a file whose head is not that of an index in the present format.
//!   Who makes or migrates an index first removes all.
//! - A checksum covers all of it, and the entry has to be that of the key. It is not flushed: what a power cut leaves
//!   half written fails the checksum. That it is gone is flushed, before a change of its row is that a power cut shall
//!   not undo.
//! - Inside of a transaction of the store records are not asked, because what is staged there goes first.
//!
//! What a power cut may do is to lose a row whose record reached the disk. That record is still a right result; it
//! goes with the next removal, of whatever entries, and with the next collection.
//!
//! Deliberately absent: contents of output files, which a restore takes from the store as always; the fingerprint of a
//! result with many inputs, which a hit does not need (see [`super::record_form`]); and the size of the records in the
//! store's limits; their number is limited instead.

use super::content::{Body, SMALL};
use super::index::{BUSY, Index};
use super::quarantine::INDEX;
use super::record_form::{HotRecord, decode, encode};
use super::{Found, Store, StoreError};
use crate::model::digest::Digest;
use crate::model::entry::Entry;
use crate::model::fingerprint::CacheKey;
use crate::world::file::{
    FileError, create_private_folder, open_for_reading, read_at_most, replace, sharded,
};
use crate::world::filesystem;
use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Bigger records are not made: reading one would take as long as opening the index.
const LARGEST: usize = 256 * 1024;

/// How many records a collection leaves, the latest made first.
const KEPT: usize = 50_000;

/// The records of a store.
#[derive(Debug, Clone)]
pub struct HotRecords {
    folder: PathBuf,
}

impl HotRecords {
    /// Returns the records beside an index.
    pub fn beside(index: &Path) -> Self {
        Self { folder: index.with_file_name("records") }
    }

    fn path(&self, key: &CacheKey) -> PathBuf {
        sharded(&self.folder, key.digest())
    }

    /// Returns the record of a key, if it is whole and belongs to the index of this identity.
    pub fn read(&self, key: &CacheKey, index: (u64, u64)) -> Option<HotRecord> {
        let bytes = read_at_most(&self.path(key), LARGEST).ok()?;
        let (owner, record) = decode(&bytes).ok()?;
        (owner == index && record.entry.key == *key).then_some(record)
    }

    /// Puts a record in place. The caller holds the index's write lock, and the row is that of the entry.
    fn put(&self, key: &CacheKey, bytes: &[u8], _lock: &WriteLock<'_>) -> Result<(), FileError> {
        let path = self.path(key);
        match replace(&path, bytes) {
            Err(error) if error.is_missing() => {
                create_private_folder(path.parent().unwrap_or(&self.folder))?;
                replace(&path, bytes)
            }
            other => other,
        }
    }

    /// Takes the record of a key away. The caller holds the index's write lock. One that cannot be taken away is an
    /// error: the row must not change then.
    pub(super) fn forget(&self, key: &CacheKey) -> Result<(), FileError> {
        remove(&self.path(key)).map(|_| ())
    }

    /// The same for many, where the change of their rows is going to survive a power cut: it must not bring a record
    /// back.
    pub(super) fn forget_for_good<'k>(
        &self,
        keys: impl IntoIterator<Item = &'k CacheKey>,
    ) -> Result<(), FileError> {
        let mut shards = BTreeSet::new();
        for key in keys {
            let path = self.path(key);
            if remove(&path)? {
                shards.extend(path.parent().map(Path::to_owned));
            }
        }
        for shard in shards {
            match open_for_reading(&shard) {
                Err(error) if error.is_missing() => {}
                opened => opened?.sync_all().map_err(FileError::of("sync", &shard))?,
            }
        }
        Ok(())
    }

    /// Takes all records away.
    pub(super) fn forget_all(&self) -> Result<(), FileError> {
        match std::fs::remove_dir_all(&self.folder) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                Err(FileError::of("remove", &self.folder)(error))
            }
            _ => Ok(()),
        }
    }

    /// Returns every file among the records, with its key where it has a name of ours, the latest made first.
    fn files(&self) -> Result<Vec<(PathBuf, Option<CacheKey>)>, FileError> {
        let mut files = Vec::new();
        for entry in walkdir::WalkDir::new(&self.folder).min_depth(1) {
            let entry = match entry {
                Ok(entry) => entry,
                Err(error)
                    if error.io_error().is_some_and(|error| error.kind() == std::io::ErrorKind::NotFound) =>
                {
                    continue;
                }
                Err(error) => return Err(FileError::of("read folder", &self.folder)(error)),
            };
            if entry.file_type().is_dir() {
                continue;
            }
            let name =
                entry.path().strip_prefix(&self.folder).ok().and_then(Path::to_str).unwrap_or_default();
            let made = entry.metadata().ok().and_then(|metadata| metadata.modified().ok());
            let digest: Option<Digest> = name.replacen('/', "", 1).parse().ok();
            files.push((made, entry.path().to_owned(), digest.map(CacheKey::from_digest)));
        }
        files.sort_by(|one, other| other.0.cmp(&one.0).then_with(|| one.1.cmp(&other.1)));
        Ok(files.into_iter().map(|(_, path, key)| (path, key)).collect())
    }

    /// Returns the records that have no row, what is no record, and the records above the number that is kept.
    pub(super) fn superfluous(
        &self,
        has_row: impl Fn(&CacheKey) -> bool,
    ) -> Result<Vec<Superfluous>, FileError> {
        let mut kept = 0;
        let mut superfluous = Vec::new();
        for (path, key) in self.files()? {
            match key {
                Some(key) if !has_row(&key) => superfluous.push(Superfluous::Rowless(key)),
                Some(_) if kept < KEPT => kept += 1,
                _ => superfluous.push(Superfluous::Excess(path)),
            }
        }
        Ok(superfluous)
    }

    /// Takes away what was found superfluous. A record whose row was written meanwhile stays.
    pub(super) fn sweep(
        &self,
        superfluous: &[Superfluous],
        has_row: impl Fn(&CacheKey) -> bool,
        _lock: &WriteLock<'_>,
    ) -> Result<(), FileError> {
        for one in superfluous {
            match one {
                Superfluous::Rowless(key) if has_row(key) => {}
                Superfluous::Rowless(key) => self.forget(key)?,
                Superfluous::Excess(path) => remove(path).map(|_| ())?,
            }
        }
        Ok(())
    }
}

impl Store {
    /// Looks an entry up among the hot records; where it is found, its small streams need no index either. The record
    /// may lack the fingerprint.
    pub(super) fn find_record(&self, key: &CacheKey) -> Option<HotRecord> {
        if !self.chain.is_empty() || self.index.get().is_some() {
            return None;
        }
        let path = self.layout.path(INDEX);
        // Before the index is opened, and never after: closing any descriptor of the file drops SQLite's locks on it.
        let Some(identity) = Index::marked_identity(&path) else {
            self.wanted.set(Some(Wanted::Marks));
            return None;
        };
        let Some(mut record) = HotRecords::beside(&path).read(key, identity) else {
            self.wanted.set(Some(Wanted::Record));
            return None;
        };
        self.streams.borrow_mut().append(&mut record.streams);
        Some(record)
    }

    /// Leaves a hot record for the next hit of an entry that the index gave because a look-up found no record. A look-up
    /// by path sets opens the index first and asks for none, so none is left. Whoever holds the write lock is not waited
    /// for.
    pub fn leave_wanted_record(&self, entry: &Entry) {
        let Some(wanted) = self.wanted.take().filter(|_| !self.reads_only) else { return };
        if wanted == Wanted::Marks
            && let Some(index) = self.index.get()
        {
            index.fold_log();
        }
        self.leave_record(entry, Duration::ZERO);
    }

    /// Leaves a hot record for the next hit of an entry whose row was just written or read. Waits for others up to
    /// `patience`. Nothing is lost where it cannot be made but the time that it would have spared.
    pub(super) fn leave_record(&self, entry: &Entry, patience: Duration) {
        if self.chain.is_empty() {
            let _ = self.make_record(entry, patience);
        }
    }

    fn make_record(&self, entry: &Entry, patience: Duration) -> Result<(), StoreError> {
        let index = self.index()?;
        let failed = index.failed("take the write lock");
        let (Some(identity), true) = (index.identity(), filesystem::is_local(index.path()).unwrap_or(false))
        else {
            return Ok(());
        };
        let mut streams = Vec::new();
        for content in [&entry.transcript.stdout, &entry.transcript.stderr] {
            if content.size > 0
                && content.size <= SMALL
                && let Some(Body::Memory(bytes)) = self.body(content)?
            {
                streams.push(bytes);
            }
        }
        let bytes = encode(entry, &streams, identity);
        if bytes.len() > LARGEST {
            return Ok(());
        }
        let lock = WriteLock::take(index, patience).map_err(&failed)?;
        // Another run may have replaced it, or a removal taken it out, since its row was written or read.
        if matches!(index.find(&entry.key)?, Found::Entry(found) if *found == *entry) {
            index.records().put(&entry.key, &bytes, &lock)?;
        }
        Ok(())
    }

    /// Takes away the hot records that lost their row, and the oldest of too many.
    pub(super) fn sweep_records(&self) -> Result<(), StoreError> {
        let index = self.index()?;
        // A row that cannot be read counts as there: what stays too long harms nobody.
        let has_row = |key: &CacheKey| index.has_row(key).unwrap_or(true);
        let superfluous = index.records().superfluous(has_row)?;
        if superfluous.is_empty() {
            return Ok(());
        }
        let lock = WriteLock::take(index, BUSY).map_err(index.failed("take the write lock"))?;
        Ok(index.records().sweep(&superfluous, has_row, &lock)?)
    }
}

/// What a look-up lacked to be over without the index.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wanted {
    /// The head of the index file does not show our marks; they may lie in the log.
    Marks,
    /// There was no whole record of the key.
    Record,
}

/// A file that a collection takes away.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Superfluous {
    /// A record without a row.
    Rowless(CacheKey),
    /// One record too many, or what is none.
    Excess(PathBuf),
}

/// Proof that the index's write lock is held.
#[derive(Debug)]
pub(super) struct WriteLock<'a>(
    #[expect(dead_code, reason = "held, and released when it is dropped")] rusqlite::Transaction<'a>,
);

impl<'a> WriteLock<'a> {
    /// Takes the lock of an index; waits for others up to `patience`.
    fn take(index: &'a Index, patience: Duration) -> rusqlite::Result<Self> {
        index.connection().busy_timeout(patience)?;
        let behavior = rusqlite::TransactionBehavior::Immediate;
        let taken = rusqlite::Transaction::new_unchecked(index.connection(), behavior).map(Self);
        index.connection().busy_timeout(BUSY)?;
        taken
    }
}

/// Returns whether there was something to remove.
fn remove(path: &Path) -> Result<bool, FileError> {
    match std::fs::remove_file(path) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(FileError::of("remove", path)(error)),
    }
}

#[cfg(test)]
mod tests {
    use super::super::content::Staged;
    use super::super::record_form::inspect;
    use super::super::{Durability, Found, Layout};
    use super::*;
    use crate::model::entry::tests::sample;
    use crate::model::entry::{Content, Segment, Stream, Transcript};
    use crate::model::fingerprint::{Fingerprint, Ingredient, IngredientKind};
    use crate::model::path_set::PathSet;
    use crate::model::time::Timestamp;
    use crate::store::removal::Selection;

    /// A store with one entry, which was recorded by a `Store` that is gone.
    struct Scene {
        folder: tempfile::TempDir,
        entry: Entry,
    }

    impl Scene {
        fn new() -> Self {
            let stdout = Content::of(b"out");
            let order = vec![Segment { stream: Stream::Stdout, length: 3 }];
            let entry =
                Entry { transcript: Transcript { stdout, order, ..Transcript::silent() }, ..sample() };
            let scene = Self { folder: tempfile::tempdir().unwrap(), entry };
            scene.record(&scene.entry);
            scene
        }

        fn root(&self) -> PathBuf {
            self.folder.path().join("store")
        }

        fn open(&self) -> Store {
            Store::open(&self.root()).unwrap()
        }

        fn record(&self, entry: &Entry) {
            let staged = vec![Staged::Memory(b"out".to_vec())];
            self.open().record(entry, staged, None, entry.created, Durability::Process).unwrap();
        }

        fn records(&self) -> HotRecords {
            HotRecords::beside(&Layout { root: self.root() }.path(INDEX))
        }

        fn path(&self) -> PathBuf {
            self.records().path(&self.entry.key)
        }

        /// What a look-up finds, and whether it opened the index.
        fn look_up(&self) -> (Option<Entry>, bool) {
            let store = self.open();
            let found = match store.find(&self.entry.key).unwrap() {
                Found::Entry(entry) => Some(*entry),
                Found::Absent | Found::Damaged => None,
            };
            (found, store.index.get().is_some())
        }
    }

    #[test]
    fn a_hit_needs_no_index() {
        let scene = Scene::new();
        assert_eq!(scene.look_up(), (Some(scene.entry.clone()), false));
        let store = scene.open();
        store.find(&scene.entry.key).unwrap();
        let body = store.body(&scene.entry.transcript.stdout).unwrap();
        assert!(matches!(body, Some(Body::Memory(bytes)) if bytes == b"out"));
        assert!(store.has(&scene.entry.transcript.stdout).unwrap());
        assert!(store.index.get().is_none());
    }

    #[test]
    fn any_damage_leaves_the_answer_to_the_index() {
        let scene = Scene::new();
        let whole = std::fs::read(scene.path()).unwrap();
        for at in 0..whole.len() {
            let mut bytes = whole.clone();
            bytes[at] ^= 1 << (at % 8);
            std::fs::write(scene.path(), &bytes).unwrap();
            assert_eq!(scene.look_up(), (Some(scene.entry.clone()), true), "bit of byte {at}");
            std::fs::write(scene.path(), &whole[..at]).unwrap();
            assert_eq!(scene.look_up(), (Some(scene.entry.clone()), true), "cut at {at}");
        }
        let mut long = whole.clone();
        long.push(0);
        std::fs::write(scene.path(), &long).unwrap();
        assert!(scene.look_up().1);
        std::fs::remove_file(scene.path()).unwrap();
        assert_eq!(scene.look_up(), (Some(scene.entry.clone()), true));
        let name = scene.entry.key.digest();
        assert_eq!(inspect(&whole, name), Ok(()));
        assert!(inspect(&long, name).is_err() && inspect(&whole, &Digest::of(b"")).is_err());
    }

    #[test]
    fn a_long_fingerprint_is_left_to_the_index() {
        let file = |number| Ingredient::of(IngredientKind::Input, format!("file-{number:04}"), b"");
        let fingerprint = Fingerprint::new((0..1000).map(file).collect()).unwrap();
        let key = fingerprint.key();
        let scene = Scene::new();
        let entry = Entry { key, recipe: key, fingerprint, ..scene.entry.clone() };
        scene.record(&entry);
        let store = scene.open();
        let Found::Entry(found) = store.find_to_replay(&key).unwrap() else { panic!("nothing was found") };
        assert_eq!(*found, Entry { fingerprint: Fingerprint::default(), ..entry.clone() });
        assert!(store.index.get().is_none());
        let Found::Entry(found) = store.find(&key).unwrap() else { panic!("nothing was found") };
        assert_eq!((*found, store.index.get().is_some()), (entry, true));
    }

    #[test]
    fn an_index_hit_leaves_a_record() {
        let scene = Scene::new();
        std::fs::remove_dir_all(scene.root().join("records")).unwrap();
        let store = scene.open();
        assert!(matches!(store.find(&scene.entry.key), Ok(Found::Entry(_))));
        store.leave_wanted_record(&scene.entry);
        assert_eq!(scene.look_up(), (Some(scene.entry.clone()), false));
    }

    #[test]
    fn a_hit_that_asked_for_no_record_leaves_none() {
        let scene = Scene::new();
        std::fs::remove_dir_all(scene.root().join("records")).unwrap();
        let store = scene.open();
        // As a look-up by path sets does, which needs the index in any case.
        assert_eq!(store.path_sets(&scene.entry.recipe).unwrap(), []);
        assert!(matches!(store.find(&scene.entry.key), Ok(Found::Entry(_))));
        store.leave_wanted_record(&scene.entry);
        assert!(!scene.path().exists());
        let paths = PathSet::new(vec![b"a.h".to_vec()]);
        let staged = vec![Staged::Memory(b"out".to_vec())];
        let now = scene.entry.created;
        scene.open().record(&scene.entry, staged, Some(&paths), now, Durability::Process).unwrap();
        assert!(!scene.path().exists());
    }

    #[test]
    fn who_holds_the_write_lock_is_not_waited_for_and_not_overtaken() {
        let scene = Scene::new();
        let other = Entry { exit_code: 7, ..scene.entry.clone() };
        let store = scene.open();
        store.index().unwrap();
        // Somebody replaced the row since this one was read.
        scene.record(&other);
        store.leave_record(&scene.entry, Duration::ZERO);
        assert_eq!(scene.look_up(), (Some(other.clone()), false));
        scene.records().forget(&scene.entry.key).unwrap();
        let holder = scene.open();
        let lock = WriteLock::take(holder.index().unwrap(), Duration::ZERO).unwrap();
        store.leave_record(&other, Duration::ZERO);
        drop(lock);
        assert!(!scene.path().exists());
    }

    #[test]
    fn a_record_goes_with_its_row() {
        let scene = Scene::new();
        scene.open().remove(&Selection::default()).unwrap();
        assert!(!scene.path().exists());
        assert_eq!(scene.look_up(), (None, true));
    }

    #[test]
    fn a_removal_takes_records_away_that_lost_their_row() {
        let nothing = Selection { task: Some(b"another".to_vec()), ..Selection::default() };
        for selection in [Selection::default(), nothing] {
            let scene = Scene::new();
            // As after a power cut that the row did not survive.
            let store = scene.open();
            store.index().unwrap().connection().execute("DELETE FROM entry", []).unwrap();
            drop(store);
            assert_eq!(scene.look_up(), (Some(scene.entry.clone()), false));
            scene.open().remove(&selection).unwrap();
            assert_eq!(scene.look_up(), (None, true), "{selection:?}");
        }
    }

    #[test]
    fn a_row_whose_record_cannot_be_taken_away_stays() {
        let scene = Scene::new();
        std::fs::remove_file(scene.path()).unwrap();
        // A folder of that name: even root cannot remove it as a file.
        std::fs::create_dir(scene.path()).unwrap();
        assert!(scene.open().remove(&Selection::default()).is_err());
        let other = Entry { exit_code: 7, ..scene.entry.clone() };
        let refused = scene.open().record(&other, Vec::new(), None, other.created, Durability::Process);
        assert!(refused.is_err());
        assert_eq!(scene.look_up(), (Some(scene.entry.clone()), true));
    }

    #[test]
    fn a_record_of_another_index_counts_as_none() {
        let scene = Scene::new();
        let index = scene.root().join(INDEX);
        std::fs::copy(&index, scene.root().join("copy")).unwrap();
        std::fs::rename(scene.root().join("copy"), &index).unwrap();
        assert!(scene.look_up().1, "the index was put back from a backup");
        for name in ["index.db", "index.db-wal", "index.db-shm"] {
            let _ = std::fs::remove_file(scene.root().join(name));
        }
        assert_eq!(scene.look_up(), (None, true), "the index was deleted");
        assert!(!scene.path().exists(), "a new index begins without records");
    }

    #[test]
    fn a_commit_takes_away_what_it_replaces() {
        let scene = Scene::new();
        let beginning = crate::store::transaction::Beginning {
            parent: None,
            isolation: crate::store::transaction::Isolation::ReadCommitted,
            command: String::new(),
            expires: None,
            hooks: Vec::new(),
        };
        let mut store = scene.open();
        let id = store.begin(&beginning, Timestamp::from_millis(1)).unwrap();
        store.enter(&id).unwrap();
        let other = Entry { exit_code: 7, ..scene.entry.clone() };
        let staged = vec![Staged::Memory(b"out".to_vec())];
        store.record(&other, staged, None, other.created, Durability::Process).unwrap();
        assert_eq!(scene.look_up(), (Some(scene.entry.clone()), false), "staged, and nobody else sees it");
        let inside = {
            let mut store = scene.open();
            store.enter(&id).unwrap();
            store.find(&scene.entry.key).unwrap()
        };
        assert!(matches!(inside, Found::Entry(entry) if entry.exit_code == 7));
        store.commit(&id).unwrap();
        assert_eq!(scene.look_up(), (Some(other), true));
    }

    #[test]
    fn a_collection_sweeps_what_lost_its_row() {
        let scene = Scene::new();
        let store = scene.open();
        let stray = [
            scene.records().path(&CacheKey::from_digest(Digest::of(b"gone"))),
            scene.root().join("records/x"),
        ];
        for path in &stray {
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, b"x").unwrap();
        }
        store.sweep_records().unwrap();
        assert!(scene.path().exists() && stray.iter().all(|path| !path.exists()));
    }
}
