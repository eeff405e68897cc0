//! What the store holds, added up by task, and what the latest results of a task were made from.
//!
//! Everything is asked of SQLite in one statement each, so that a store of a hundred thousand entries is added up
//! without a body being decoded.

use super::index::{key_of, read_body, unsigned};
use super::{Found, Store, StoreError};
use crate::model::fingerprint::Fingerprint;
use rusqlite::params;

/// What is stored of a task.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holding {
    /// The project.
    pub project: String,
    /// The domain.
    pub domain: String,
    /// The task's name.
    pub task: Vec<u8>,
    /// How many entries.
    pub entries: u64,
    /// How many bytes of content they refer to, each content counted once. What two tasks share counts for both.
    pub bytes: u64,
}

impl Store {
    /// Returns how many entries there are, and how many bytes of content they refer to, each content counted once.
    pub fn holding_total(&self) -> Result<(u64, u64), StoreError> {
        let statement = "SELECT (SELECT count(*) FROM entry),
             (SELECT coalesce(sum(size), 0) FROM (SELECT size FROM reference GROUP BY digest))";
        let total = self
            .index()?
            .connection()
            .query_row(statement, [], |row| Ok((unsigned(row.get(0)?), unsigned(row.get(1)?))))
            .map_err(self.index()?.failed("add up entries"));
        self.noting_damage(total)
    }

    /// Returns what is stored of each task, in the order of project, domain and task.
    pub fn holdings(&self) -> Result<Vec<Holding>, StoreError> {
        let connection = self.index()?.connection();
        let read = || {
            let mut query = connection.prepare(
                "SELECT project, domain, task, count(*), coalesce((
                     SELECT sum(size) FROM (
                         SELECT DISTINCT digest, reference.size FROM entry AS own
                         JOIN reference ON reference.key = own.key
                         WHERE own.project = entry.project AND own.domain = entry.domain AND own.task = entry.task)
                     ), 0)
                 FROM entry GROUP BY project, domain, task ORDER BY project, domain, task",
            )?;
            let rows = query.query_map([], |row| {
                Ok(Holding {
                    project: row.get(0)?,
                    domain: row.get(1)?,
                    task: row.get(2)?,
                    entries: unsigned(row.get(3)?),
                    bytes: unsigned(row.get(4)?),
                })
            })?;
            rows.collect::<rusqlite::Result<Vec<_>>>()
        };
        self.noting_damage(read().map_err(self.index()?.failed("add up entries")))
    }

    /// Returns the fingerprints of a task's latest results, the last recorded first, at most `most`. Damaged entries
    /// are passed over.
    pub fn latest_fingerprints(&self, of: &Holding, most: u32) -> Result<Vec<Fingerprint>, StoreError> {
        let connection = self.index()?.connection();
        let read = || {
            let mut query = connection.prepare_cached(
                "SELECT key, body, checksum FROM entry WHERE project = ?1 AND domain = ?2 AND task = ?3
                 ORDER BY created DESC, key LIMIT ?4",
            )?;
            let rows = query.query_map(params![of.project, of.domain, of.task, most], |row| {
                let (key, body, sum): ([u8; 32], Vec<u8>, Vec<u8>) = (row.get(0)?, row.get(1)?, row.get(2)?);
                Ok(match read_body(&key_of(key), &body, &sum) {
                    Found::Entry(entry) => Some(entry.fingerprint),
                    Found::Absent | Found::Damaged => None,
                })
            })?;
            rows.filter_map(Result::transpose).collect::<rusqlite::Result<Vec<_>>>()
        };
        self.noting_damage(read().map_err(self.index()?.failed("list entries")))
    }
}

#[cfg(test)]
mod tests {
    use super::super::Durability;
    use super::super::content::stage_bytes;
    use super::*;
    use crate::model::entry::tests::sample;
    use crate::model::entry::{Content, Entry, Segment, Stream, Transcript};
    use crate::model::fingerprint::{Ingredient, IngredientKind};
    use crate::model::output::OutputTree;
    use crate::model::time::Timestamp;

    fn record(store: &mut Store, task: &str, version: &[u8], stdout: &[u8], created: i64) {
        let ingredients = vec![
            Ingredient::of(IngredientKind::Task, "", task.as_bytes()),
            Ingredient::of(IngredientKind::Version, "", version),
        ];
        let fingerprint = Fingerprint::new(ingredients).unwrap();
        let order = vec![Segment { stream: Stream::Stdout, length: stdout.len() as u64 }];
        let entry = Entry {
            key: fingerprint.key(),
            task: task.into(),
            created: Timestamp::from_millis(created),
            transcript: Transcript { stdout: Content::of(stdout), order, ..Transcript::silent() },
            outputs: OutputTree::default(),
            fingerprint,
            ..sample()
        };
        let staged = stage_bytes(stdout.to_vec(), || panic!("it is small")).unwrap();
        store.record(&entry, vec![staged], None, entry.created, Durability::Process).unwrap();
    }

    #[test]
    fn contents_count_once_for_a_task_and_once_in_all() {
        let folder = tempfile::tempdir().unwrap();
        let mut store = Store::open(&folder.path().join("store")).unwrap();
        assert_eq!((store.holding_total().unwrap(), store.holdings().unwrap()), ((0, 0), vec![]));
        record(&mut store, "a", b"1", b"shared", 10);
        record(&mut store, "a", b"2", b"shared", 30);
        record(&mut store, "a", b"3", b"own", 20);
        record(&mut store, "b", b"1", b"shared", 40);
        let holding = |task: &str, entries, bytes| Holding {
            project: "default".into(),
            domain: "development".into(),
            task: task.into(),
            entries,
            bytes,
        };
        assert_eq!(store.holding_total().unwrap(), (4, 9));
        assert_eq!(store.holdings().unwrap(), [holding("a", 3, 9), holding("b", 1, 6)]);
        let latest = store.latest_fingerprints(&holding("a", 3, 9), 2).unwrap();
        let versions: Vec<_> = latest.iter().map(|one| one.ingredients()[1].digest).collect();
        let expected = [b"2", b"3"].map(|v| Ingredient::of(IngredientKind::Version, "", v).digest);
        assert_eq!(versions, expected);
    }
}
