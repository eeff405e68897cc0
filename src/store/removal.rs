//! Taking entries out, and the contents that nothing refers to any more.
//!
//! Rows go first, in one transaction; then contents, under the collection lock held alone. So at every moment each
//! row finds its contents, and a crash in between leaves contents without a row, which the next removal takes.

use super::index::{Row, blob, failure, unsigned};
use super::{Store, StoreError};
use crate::model::digest::Digest;
use crate::model::fingerprint::CacheKey;
use crate::model::ignore::wildcard;
use crate::model::time::Timestamp;
use crate::world::lock::Sharing;
use rusqlite::{TransactionBehavior, params};
use std::collections::BTreeSet;
use std::time::Duration;

/// Which entries to take out, or to list: those that fit everything that is named. In names `*` stands for any
/// characters.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Selection {
    /// Of this project.
    pub project: Option<String>,
    /// Of this domain.
    pub domain: Option<String>,
    /// Of this task.
    pub task: Option<Vec<u8>>,
    /// Recorded before this time.
    pub before: Option<Timestamp>,
    /// Recorded at this time or later.
    pub after: Option<Timestamp>,
    /// One of these.
    pub keys: Option<BTreeSet<CacheKey>>,
}

impl Selection {
    /// Returns whether this selects everything there is.
    pub fn is_everything(&self) -> bool {
        *self == Self::default()
    }

    /// Returns whether a row fits.
    pub fn takes(&self, row: &Row) -> bool {
        let fits =
            |pattern: Option<&[u8]>, name: &[u8]| pattern.is_none_or(|pattern| wildcard(pattern, name));
        fits(self.project.as_deref().map(str::as_bytes), row.project.as_bytes())
            && fits(self.domain.as_deref().map(str::as_bytes), row.domain.as_bytes())
            && fits(self.task.as_deref(), &row.task)
            && self.before.is_none_or(|before| row.created < before)
            && self.after.is_none_or(|after| row.created >= after)
            && self.keys.as_ref().is_none_or(|keys| keys.contains(&row.key))
    }
}

/// What was taken out, or would be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Removed {
    /// How many entries.
    pub entries: u64,
    /// How many bytes of content nothing refers to any more.
    pub bytes: u64,
}

/// How long a removal waits for recorders before it leaves the contents to the next one.
const PATIENCE: Duration = Duration::from_secs(30);

impl Store {
    /// Says what `remove` would take out.
    pub fn plan_removal(&self, selection: &Selection) -> Result<Removed, StoreError> {
        let keys = self.selected(selection)?;
        let failed = self.index()?.failed("plan a removal");
        let connection = self.index()?.connection();
        connection
            .execute_batch("CREATE TEMP TABLE IF NOT EXISTS selected (key BLOB PRIMARY KEY) WITHOUT ROWID; DELETE FROM selected;")
            .map_err(&failed)?;
        for key in &keys {
            connection
                .prepare_cached("INSERT INTO selected (key) VALUES (?1)")
                .and_then(|mut insert| insert.execute([blob(key)]))
                .map_err(&failed)?;
        }
        let bytes: i64 = connection
            .query_row(
                "SELECT coalesce(sum(size), 0) FROM (
                     SELECT DISTINCT digest, size FROM reference WHERE key IN selected
                     AND NOT EXISTS (SELECT 1 FROM reference other
                                     WHERE other.digest = reference.digest AND other.key NOT IN selected))",
                [],
                |row| row.get(0),
            )
            .map_err(&failed)?;
        Ok(Removed { entries: keys.len() as u64, bytes: unsigned(bytes) })
    }

    fn selected(&self, selection: &Selection) -> Result<Vec<CacheKey>, StoreError> {
        let rows = self.index()?.rows()?;
        Ok(rows.iter().filter(|row| selection.takes(row)).map(|row| row.key).collect())
    }

    /// Takes entries out, and then every content that nothing refers to. Says what went.
    pub fn remove(&mut self, selection: &Selection) -> Result<Removed, StoreError> {
        let removed = self.remove_selected(selection);
        let removed = self.noting_damage(removed)?;
        if selection.is_everything() {
            super::quarantine::empty(&self.layout)?;
        }
        Ok(removed)
    }

    fn remove_selected(&mut self, selection: &Selection) -> Result<Removed, StoreError> {
        let keys = self.selected(selection)?;
        let path = self.index()?.path().to_owned();
        let failed = |source| failure(&path, "remove entries", source);
        let records = self.index()?.records().clone();
        let transaction = self
            .index_mut()?
            .connection_mut()
            .transaction_with_behavior(TransactionBehavior::Immediate)
            .map_err(failed)?;
        let mut entries = 0;
        for key in &keys {
            records.forget(key)?;
            entries += transaction
                .prepare_cached("DELETE FROM entry WHERE key = ?1")
                .and_then(|mut delete| delete.execute(params![blob(key)]))
                .map_err(failed)? as u64;
            transaction
                .prepare_cached("DELETE FROM reference WHERE key = ?1")
                .and_then(|mut delete| delete.execute(params![blob(key)]))
                .map_err(failed)?;
        }
        transaction
            .execute("DELETE FROM path_set WHERE recipe NOT IN (SELECT recipe FROM entry)", [])
            .map_err(failed)?;
        transaction.commit().map_err(failed)?;
        // A record whose row a power cut took would be a hit on what is said to be gone.
        self.sweep_records()?;
        Ok(Removed { entries, bytes: self.collect_contents()? })
    }

    /// Removes every content that nothing refers to; returns how many bytes that were.
    pub fn collect_contents(&mut self) -> Result<u64, StoreError> {
        let _lock = self.collection_lock(Sharing::Exclusive, PATIENCE)?;
        let path = self.index()?.path().to_owned();
        let failed = |source| failure(&path, "collect contents", source);
        let transaction = self
            .index_mut()?
            .connection_mut()
            .transaction_with_behavior(TransactionBehavior::Immediate)
            .map_err(failed)?;
        let unreferenced = "FROM small_content WHERE digest NOT IN (SELECT digest FROM reference)
             AND digest NOT IN (SELECT digest FROM staged_reference)";
        let small: i64 = transaction
            .query_row(&format!("SELECT coalesce(sum(length(bytes)), 0) {unreferenced}"), [], |row| {
                row.get(0)
            })
            .map_err(failed)?;
        transaction.execute(&format!("DELETE {unreferenced}"), []).map_err(failed)?;
        let mut referenced = BTreeSet::new();
        {
            let mut query = transaction
                .prepare("SELECT digest FROM reference UNION SELECT digest FROM staged_reference")
                .map_err(failed)?;
            let rows = query.query_map([], |row| row.get::<_, [u8; 32]>(0)).map_err(failed)?;
            for digest in rows {
                referenced.insert(Digest::from_bytes(digest.map_err(failed)?));
            }
        }
        transaction.commit().map_err(failed)?;
        let mut bytes = unsigned(small);
        for content in self.contents.list()? {
            if !referenced.contains(&content.digest) {
                self.contents.remove(&content.digest)?;
                bytes += content.size;
            }
        }
        super::scratch::sweep(&self.layout.path("tmp"))?;
        super::leftovers::sweep(&self.layout)?;
        Ok(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::super::content::{SMALL, Staged, stage_bytes};
    use super::super::{Durability, Found};
    use super::*;
    use crate::model::entry::tests::sample;
    use crate::model::entry::{Content, Entry, Segment, Stream, Transcript};
    use crate::model::fingerprint::{Fingerprint, Ingredient, IngredientKind};
    use crate::model::output::OutputTree;

    fn entry(task: &str, stdout: &[u8], created: i64) -> Entry {
        let fingerprint =
            Fingerprint::new(vec![Ingredient::of(IngredientKind::Task, "", task.as_bytes())]).unwrap();
        let order = vec![Segment { stream: Stream::Stdout, length: stdout.len() as u64 }];
        Entry {
            key: fingerprint.key(),
            task: task.into(),
            created: Timestamp::from_millis(created),
            transcript: Transcript { stdout: Content::of(stdout), order, ..Transcript::silent() },
            outputs: OutputTree::default(),
            ..sample()
        }
    }

    fn record(store: &mut Store, entry: &Entry, bytes: &[u8]) {
        let scratch = store.scratch().unwrap().unused_path();
        let staged: Vec<Staged> = vec![stage_bytes(bytes.to_vec(), || scratch).unwrap()];
        store.record(entry, staged, None, entry.created, Durability::Process).unwrap();
    }

    fn large(byte: u8) -> Vec<u8> {
        vec![byte; usize::try_from(SMALL).unwrap() * 2]
    }

    #[test]
    fn what_is_shared_stays_until_its_last_entry_goes() {
        let folder = tempfile::tempdir().unwrap();
        let mut store = Store::open(&folder.path().join("store")).unwrap();
        let (shared, own) = (large(1), b"own".to_vec());
        let entries = [entry("a", &shared, 1), entry("b", &shared, 2), entry("c", &own, 3)];
        for (entry, bytes) in entries.iter().zip([&shared, &shared, &own]) {
            record(&mut store, entry, bytes);
        }
        let only = |task: &str| Selection { task: Some(task.into()), ..Selection::default() };
        assert_eq!(store.plan_removal(&only("a")).unwrap(), Removed { entries: 1, bytes: 0 });
        assert_eq!(store.remove(&only("a")).unwrap(), Removed { entries: 1, bytes: 0 });
        assert!(matches!(store.find(&entries[0].key).unwrap(), Found::Absent));
        assert!(store.has(&Content::of(&shared)).unwrap());
        let rest = Removed { entries: 2, bytes: shared.len() as u64 + 3 };
        assert_eq!(store.plan_removal(&Selection::default()).unwrap(), rest);
        assert_eq!(store.remove(&Selection::default()).unwrap(), rest);
        assert!(!store.has(&Content::of(&shared)).unwrap());
        assert_eq!(store.remove(&Selection::default()).unwrap(), Removed::default());
    }

    #[test]
    fn selections_by_age_and_key() {
        let folder = tempfile::tempdir().unwrap();
        let mut store = Store::open(&folder.path().join("store")).unwrap();
        let entries = [entry("a", b"1", 10), entry("b", b"2", 20), entry("c", b"3", 30)];
        for (entry, bytes) in entries.iter().zip([b"1", b"2", b"3"]) {
            record(&mut store, entry, bytes);
        }
        let old = Selection { before: Some(Timestamp::from_millis(20)), ..Selection::default() };
        assert_eq!(store.remove(&old).unwrap(), Removed { entries: 1, bytes: 1 });
        let new = Selection { after: Some(Timestamp::from_millis(30)), ..Selection::default() };
        assert_eq!(store.plan_removal(&new).unwrap(), Removed { entries: 1, bytes: 1 });
        let wild = Selection { task: Some(b"?*".to_vec()), ..Selection::default() };
        assert_eq!(store.plan_removal(&wild).unwrap().entries, 0);
        let wild =
            Selection { project: Some("def*".into()), task: Some(b"*".to_vec()), ..Selection::default() };
        assert_eq!(store.plan_removal(&wild).unwrap().entries, 2);
        let keys = Some(BTreeSet::from([entries[2].key]));
        assert_eq!(store.remove(&Selection { keys, ..Selection::default() }).unwrap().entries, 1);
        assert_eq!(store.index().unwrap().rows().unwrap().len(), 1);
    }

    #[test]
    fn contents_without_a_row_are_collected() {
        let folder = tempfile::tempdir().unwrap();
        let mut store = Store::open(&folder.path().join("store")).unwrap();
        let bytes = large(9);
        let scratch = store.scratch().unwrap().unused_path();
        let Staged::File { content, path } = stage_bytes(bytes.clone(), || scratch).unwrap() else {
            panic!()
        };
        store.contents.publish(&content, &path, Durability::Process).unwrap();
        assert_eq!(store.collect_contents().unwrap(), bytes.len() as u64);
        assert!(!store.has(&content).unwrap());
    }
}
