//! A new index out of what can still be read of a damaged one.
//!
//! The damaged index is moved aside first, as it always is, and stays there. Each row that can be read proves itself:
//! an entry by its checksum, a small content by its digest, a list of dependencies by its name. What does is written
//! into the new index; an entry that a run stored there meanwhile is newer and stays.
//!
//! A broken page makes every row behind it unreadable in that direction. So the scan jumps ahead until a row answers,
//! and goes back from there as far as rows answer. What transactions had staged is not kept: a part of them would be
//! worse than nothing.

use super::index::{Index, blob, read_body, write_entry};
use super::quarantine::{INDEX, set_aside};
use super::{Found, Layout, StoreError};
use crate::model::count::counted;
use crate::model::digest::Digest;
use crate::model::fingerprint::CacheKey;
use crate::model::path_set::PathSet;
use crate::model::time::Timestamp;
use rusqlite::types::Value;
use rusqlite::{Connection, OpenFlags, OptionalExtension, TransactionBehavior, params};

/// Moves the index that was `seen` aside and makes a new one of what it still holds. Says what was kept.
pub(super) fn rebuild(layout: &Layout, seen: Option<(u64, u64)>) -> Result<String, StoreError> {
    let Some(old) = set_aside(layout, seen, false)? else {
        return Err(StoreError::Locked(layout.root.clone()));
    };
    let path = layout.path(INDEX);
    let mut index = Index::open(&path)?;
    let failed = |source| super::index::failure(&path, "rebuild", source);
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    // One that cannot even be opened holds nothing for us, and the new index is right as it is.
    let Ok(old) = Connection::open_with_flags(&old, flags) else { return Ok("no entry was kept".into()) };
    let change =
        index.connection_mut().transaction_with_behavior(TransactionBehavior::Immediate).map_err(failed)?;
    keep_secret(&old, &change).map_err(failed)?;
    let kept = keep_entries(&old, &change).map_err(failed)?;
    keep_contents(&old, &change).map_err(failed)?;
    keep_path_sets(&old, &change).map_err(failed)?;
    change.commit().map_err(failed)?;
    Ok(format!("{} kept", counted(kept, "entry was", "entries were")))
}

/// The digests that the old secret hid can be compared only with that secret.
fn keep_secret(old: &Connection, new: &Connection) -> rusqlite::Result<()> {
    let secret = old.query_row("SELECT value FROM meta WHERE name = 'secret'", [], |row| row.get(0));
    let is_new = new.query_row("SELECT NOT EXISTS (SELECT 1 FROM entry)", [], |row| row.get(0))?;
    if let (Ok(Value::Blob(secret)), true) = (secret, is_new)
        && secret.len() == Digest::LENGTH
    {
        new.execute("UPDATE meta SET value = ?1 WHERE name = 'secret'", [secret])?;
    }
    Ok(())
}

fn keep_entries(old: &Connection, new: &Connection) -> rusqlite::Result<u64> {
    let mut kept = 0;
    scan(old, "entry", "key, body, checksum, used", |row| {
        let [Value::Blob(key), Value::Blob(body), Value::Blob(checksum), used] = row else { return Ok(()) };
        let Some(key) = Digest::from_slice(key).map(CacheKey::from_digest) else { return Ok(()) };
        let Found::Entry(entry) = read_body(&key, body, checksum) else { return Ok(()) };
        let used = match used {
            Value::Integer(used) => Timestamp::from_millis(*used),
            _ => entry.created,
        };
        let there =
            new.query_row("SELECT 1 FROM entry WHERE key = ?1", [blob(&key)], |_| Ok(())).optional()?;
        if there.is_none() {
            write_entry(new, &entry, used)?;
            kept += 1;
        }
        Ok(())
    })?;
    Ok(kept)
}

fn keep_contents(old: &Connection, new: &Connection) -> rusqlite::Result<()> {
    scan(old, "small_content", "digest, bytes", |row| {
        let [Value::Blob(digest), Value::Blob(bytes)] = row else { return Ok(()) };
        if Digest::of(bytes).as_bytes().as_slice() == digest.as_slice() {
            new.prepare_cached("INSERT OR REPLACE INTO small_content (digest, bytes) VALUES (?1, ?2)")?
                .execute(params![digest, bytes])?;
        }
        Ok(())
    })
}

/// This table has no row numbers; it is read until a page fails.
fn keep_path_sets(old: &Connection, new: &Connection) -> rusqlite::Result<()> {
    let Ok(mut query) = old.prepare("SELECT recipe, id, paths, recorded FROM path_set") else {
        return Ok(());
    };
    let Ok(mut rows) = query.query([]) else { return Ok(()) };
    while let Ok(Some(row)) = rows.next() {
        let values: rusqlite::Result<Vec<Value>> = (0..4).map(|column| row.get(column)).collect();
        let Ok(values) = values else { continue };
        let [Value::Blob(recipe), Value::Blob(id), Value::Blob(paths), Value::Integer(recorded)] =
            values.as_slice()
        else {
            continue;
        };
        let is_right =
            PathSet::decode(paths).is_ok_and(|set| set.id().as_bytes().as_slice() == id.as_slice());
        if is_right && recipe.len() == Digest::LENGTH {
            new.execute(
                "INSERT OR IGNORE INTO path_set (recipe, id, paths, recorded) VALUES (?1, ?2, ?3, ?4)",
                params![recipe, id, paths, recorded],
            )?;
        }
    }
    Ok(())
}

/// Hands every row of a table over that can be read, in no particular order.
fn scan(
    old: &Connection,
    table: &str,
    columns: &str,
    mut take: impl FnMut(&[Value]) -> rusqlite::Result<()>,
) -> rusqlite::Result<()> {
    let count = columns.split(',').count();
    let read = |bound: &str, order: &str, at: i64| -> rusqlite::Result<Option<(i64, Vec<Value>)>> {
        old.prepare_cached(&format!(
            "SELECT rowid, {columns} FROM {table} WHERE rowid {bound} ?1 ORDER BY rowid {order} LIMIT 1"
        ))?
        .query_row([at], |row| {
            let values: rusqlite::Result<_> = (1..=count).map(|column| row.get(column)).collect();
            Ok((row.get(0)?, values?))
        })
        .optional()
    };
    // Row numbers begin at 1 and grow by one, so that nothing lies below.
    let mut last: i64 = 0;
    let mut jump: i64 = 0;
    loop {
        match read(">", "ASC", last.saturating_add(jump)) {
            Ok(None) => return Ok(()),
            Ok(Some((number, row))) => {
                take(&row)?;
                if jump > 0 {
                    let mut at = number;
                    while let Ok(Some((number, row))) = read("<", "DESC", at) {
                        if number <= last {
                            break;
                        }
                        take(&row)?;
                        at = number;
                    }
                }
                (last, jump) = (number, 0);
            }
            // Beyond the highest number that a table of this kind can have, there is nothing left to try.
            Err(_) if jump > i64::MAX / 4 => return Ok(()),
            Err(_) => jump = (jump * 2).max(1),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scan_finds_what_lies_before_and_behind_a_broken_page() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("old");
        let connection = Connection::open(&path).unwrap();
        connection.execute_batch("PRAGMA page_size = 4096; CREATE TABLE t (a INTEGER, b BLOB);").unwrap();
        for number in 0..300_i64 {
            connection.execute("INSERT INTO t VALUES (?1, zeroblob(100))", [number]).unwrap();
        }
        drop(connection);
        let seen = |path: &std::path::Path| {
            let connection = Connection::open(path).unwrap();
            let mut seen = Vec::new();
            let scanned = scan(&connection, "t", "a, b", |row| {
                seen.push(row[0].clone());
                Ok(())
            });
            scanned.unwrap();
            seen.len()
        };
        assert_eq!(seen(&path), 300);
        let mut bytes = std::fs::read(&path).unwrap();
        let pages = bytes.len() / 4096;
        assert!(pages > 6);
        bytes[4096 * 4..4096 * 5].fill(0xff);
        std::fs::write(&path, bytes).unwrap();
        let left = seen(&path);
        assert!((240..300).contains(&left), "{left} of 300 rows, {pages} pages");
    }
}
