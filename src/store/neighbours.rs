//! Entries that a miss may be compared with.
//!
//! Read for an explanation alone, and never more than a bounded part of the store: the newest rows of one task by
//! the index that is there for it, or the newest rows of all. Whoever asks is told how many were read and whether
//! there were more.

use super::index::{checksum, key_of, read_body};
use super::{Found, Store, StoreError};
use crate::model::codec::DecodeError;
use crate::model::entry::Entry;
use crate::model::fingerprint::CacheKey;
use rusqlite::{Row, params};

/// How much is read at most.
#[derive(Debug, Clone, Copy)]
pub struct Bound {
    /// How many rows.
    pub rows: u32,
    /// How many bytes of them, besides those of the first row.
    pub bytes: usize,
}

/// A task in its namespaces.
#[derive(Debug, Clone, Copy)]
pub struct Namespace<'a> {
    /// The project.
    pub project: &'a str,
    /// The domain.
    pub domain: &'a str,
    /// The task's name.
    pub task: &'a [u8],
}

/// The newest entries, and how far that is all there is.
#[derive(Debug, Default)]
pub struct Neighbours {
    /// The entries, the one that was recorded last first.
    pub entries: Vec<Entry>,
    /// How many rows were read.
    pub read: usize,
    /// Whether there are more rows than were read.
    pub more: bool,
    /// How many of the rows that were read have a key of another format.
    pub of_other_format: usize,
}

impl Store {
    /// Returns the newest entries of a task.
    pub fn neighbours(&self, of: Namespace<'_>, most: Bound) -> Result<Neighbours, StoreError> {
        let query = "SELECT key, body, checksum FROM entry WHERE project = ?1 AND domain = ?2 AND task = ?3
                     ORDER BY created DESC LIMIT ?4";
        self.read_neighbours(query, params![of.project, of.domain, of.task, most.rows + 1], most)
    }

    /// Returns the newest entries of the whole store.
    pub fn newest(&self, most: Bound) -> Result<Neighbours, StoreError> {
        // Rows are numbered as they are recorded, and this order needs no sorting.
        let query = "SELECT key, body, checksum FROM entry ORDER BY rowid DESC LIMIT ?1";
        self.read_neighbours(query, params![most.rows + 1], most)
    }

    fn read_neighbours(
        &self,
        query: &str,
        parameters: &[&dyn rusqlite::ToSql],
        most: Bound,
    ) -> Result<Neighbours, StoreError> {
        let failed = self.index()?.failed("read entries of the task");
        let mut query = self.index()?.connection().prepare(query).map_err(&failed)?;
        let mut rows = query.query(parameters).map_err(&failed)?;
        let mut neighbours = Neighbours::default();
        let mut bytes = 0;
        while let Some(row) = rows.next().map_err(&failed)? {
            if neighbours.read == most.rows as usize || bytes > most.bytes {
                neighbours.more = true;
                break;
            }
            neighbours.read += 1;
            // One row of a wrong type is its own damage.
            let Ok((key, body, sum)) = columns(row) else { continue };
            bytes += body.len();
            let key = key_of(key);
            match read_body(&key, &body, &sum) {
                Found::Entry(entry) => neighbours.entries.push(*entry),
                _ if has_other_key_format(&key, &body, &sum) => neighbours.of_other_format += 1,
                _ => {}
            }
        }
        Ok(neighbours)
    }
}

type Columns = ([u8; 32], Vec<u8>, Vec<u8>);

fn columns(row: &Row<'_>) -> rusqlite::Result<Columns> {
    Ok((row.get(0)?, row.get(1)?, row.get(2)?))
}

/// Returns whether a row is whole, and the fingerprint in it has a key format that is not ours.
fn has_other_key_format(key: &CacheKey, body: &[u8], sum: &[u8]) -> bool {
    let is_whole = sum == checksum(key, body);
    is_whole && matches!(Entry::decode(body), Err(DecodeError::Unknown { what: "key format", .. }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::entry::tests::sample;
    use crate::model::fingerprint::{Fingerprint, Ingredient, IngredientKind, KEY_FORMAT};
    use crate::model::time::Timestamp;
    use crate::store::Durability;

    fn entry(word: &str, task: &[u8], created: i64) -> Entry {
        let ingredient = Ingredient::of(IngredientKind::Argument, "0", word.as_bytes());
        let fingerprint = Fingerprint::new(vec![ingredient]).unwrap();
        let key = fingerprint.key();
        let created = Timestamp::from_millis(created);
        Entry { key, recipe: key, task: task.to_vec(), created, fingerprint, ..sample() }
    }

    fn rows(rows: u32) -> Bound {
        Bound { rows, bytes: usize::MAX }
    }

    #[test]
    fn the_newest_of_a_task_are_read_and_what_is_left_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("store");
        let mut store = Store::open(&root).unwrap();
        for number in 0..5 {
            for task in [b"a", b"b"] {
                let word = format!("{number}{}", task[0]);
                let entry = entry(&word, task, number);
                store.record(&entry, Vec::new(), None, entry.created, Durability::Process).unwrap();
            }
        }
        let store = Store::open_for_reading(&root).unwrap();
        let of = Namespace { project: "default", domain: "development", task: b"a" };
        let times = |found: &Neighbours| -> Vec<i64> {
            found.entries.iter().map(|entry| entry.created.as_millis()).collect()
        };
        let some = store.neighbours(of, rows(3)).unwrap();
        assert_eq!((times(&some), some.read, some.more), (vec![4, 3, 2], 3, true));
        let all = store.neighbours(of, rows(5)).unwrap();
        assert_eq!((times(&all), all.read, all.more), (vec![4, 3, 2, 1, 0], 5, false));
        let few = store.neighbours(of, Bound { rows: 5, bytes: 0 }).unwrap();
        assert_eq!((times(&few), few.read, few.more), (vec![4], 1, true));
        assert_eq!(store.newest(rows(3)).unwrap().entries.len(), 3);
        let none = Namespace { task: b"c", ..of };
        assert_eq!(store.neighbours(none, rows(3)).unwrap().read, 0);
    }

    #[test]
    fn keys_of_another_format_and_damage_are_told_apart() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("store");
        let mut store = Store::open(&root).unwrap();
        let entry = entry("x", b"a", 1);
        store.record(&entry, Vec::new(), None, entry.created, Durability::Process).unwrap();
        let encoded = entry.fingerprint.canonical_bytes();
        let mut body = entry.encode();
        let at = body.windows(encoded.len()).position(|window| window == encoded).unwrap();
        body[at..at + 4].copy_from_slice(&(KEY_FORMAT + 1).to_be_bytes());
        let of = Namespace { project: "default", domain: "development", task: b"a" };
        for (sum, others) in [(checksum(&entry.key, &body), 1), (vec![0; 16], 0)] {
            let update = "UPDATE entry SET body = ?1, checksum = ?2";
            store.index().unwrap().connection().execute(update, params![body, sum]).unwrap();
            let found = store.neighbours(of, rows(3)).unwrap();
            assert_eq!((found.entries.len(), found.read, found.of_other_format), (0, 1, others));
        }
    }
}
