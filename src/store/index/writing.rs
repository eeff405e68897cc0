//! How rows are written, how a write survives a power cut, and how the write-ahead log stays short.
//!
//! Deliberately absent: transactions. Who writes has begun one, and knows what belongs together.

use super::*;
use crate::world::file::{FileError, Witness, open_for_reading};
use std::fs::File;

/// From how many bytes on the log is folded into the database: some 200 pages, of which a result takes nine. Fewer than
/// SQLite's thousand, because every process that opens the index alone reads the whole log first; not many fewer,
/// because to fold it takes three flushes.
const LONG_LOG: u64 = 200 * 4120;

/// How long folding waits for those who read or write.
const FOLDING_PATIENCE: Duration = Duration::from_millis(5);

impl Index {
    /// Folds the log into the file and empties it, as far as others allow.
    ///
    /// SQLite would do so by itself when a commit makes the log long, and begin it anew with the next one. But what it
    /// knows about how far the log was folded goes with the last process that has the index open; the next one reads it
    /// all again and writes behind its end. Where each process stores one result the log would grow for ever.
    pub(in crate::store) fn fold_log(&self) {
        // Nothing is lost where it cannot be done now: the next one tries it again.
        let _ = self.connection().busy_timeout(FOLDING_PATIENCE);
        let _ = self.connection().query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()));
        let _ = self.connection().busy_timeout(BUSY);
    }
}

impl Drop for Index {
    /// Folds a log that has become long. SQLite would fold any when the last process lets go of it, which is turned off:
    /// it takes longer than recording.
    fn drop(&mut self) {
        let is_long = std::fs::metadata(log_of(&self.path)).is_ok_and(|log| log.len() > LONG_LOG);
        if is_long && !self.connection.is_readonly(rusqlite::MAIN_DB).unwrap_or(true) {
            self.fold_log();
        }
    }
}

/// Writes an entry's row into `table`, which has a column for the transaction where one is given.
pub(in crate::store) fn write_row(
    connection: &Connection,
    table: &str,
    transaction: Option<&str>,
    entry: &Entry,
    now: Timestamp,
) -> rusqlite::Result<()> {
    let body = entry.encode();
    let (column, value) = if transaction.is_some() { (", txn", ", ?14") } else { ("", "") };
    let statement = format!(
        "INSERT OR REPLACE INTO {table} (key, recipe, project, domain, task, created, expires, duration, exit_code,
             size, used, body, checksum{column}) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13{value})"
    );
    let expires = entry.expires.map(Timestamp::as_millis);
    let checksum = checksum(&entry.key, &body);
    let (duration, size, now) = (signed(entry.duration.as_millis()), signed(entry.size()), now.as_millis());
    let (key, recipe, created) = (blob(&entry.key), blob(&entry.recipe), entry.created.as_millis());
    let Entry { project, domain, task, exit_code, .. } = entry;
    let mut insert = connection.prepare_cached(&statement)?;
    match transaction {
        None => insert.execute(params![
            key, recipe, project, domain, task, created, expires, duration, exit_code, size, now, body,
            checksum
        ]),
        Some(id) => insert.execute(params![
            key, recipe, project, domain, task, created, expires, duration, exit_code, size, now, body,
            checksum, id
        ]),
    }?;
    Ok(())
}

pub(in crate::store) fn write_entry(
    connection: &Connection,
    entry: &Entry,
    now: Timestamp,
) -> rusqlite::Result<()> {
    write_row(connection, "entry", None, entry, now)?;
    connection.prepare_cached("DELETE FROM reference WHERE key = ?1")?.execute([blob(&entry.key)])?;
    let mut insert = connection
        .prepare_cached("INSERT OR REPLACE INTO reference (digest, key, size) VALUES (?1, ?2, ?3)")?;
    for Content { digest, size } in entry.contents() {
        insert.execute(params![digest.as_bytes().as_slice(), blob(&entry.key), signed(size)])?;
    }
    Ok(())
}

/// Writes a path set; of each recipe the last recorded ones stay.
pub(in crate::store) fn write_path_set(
    connection: &Connection,
    recipe: &CacheKey,
    set: &PathSet,
    now: Timestamp,
) -> rusqlite::Result<()> {
    connection.execute(
        "INSERT OR REPLACE INTO path_set (recipe, id, paths, recorded) VALUES (?1, ?2, ?3, ?4)",
        params![blob(recipe), set.id().as_bytes().as_slice(), set.encode(), now.as_millis()],
    )?;
    connection.execute(
        "DELETE FROM path_set WHERE recipe = ?1 AND id NOT IN (
             SELECT id FROM path_set WHERE recipe = ?1 ORDER BY recorded DESC, id LIMIT ?2)",
        params![blob(recipe), PATH_SETS],
    )?;
    Ok(())
}

/// Returns the write-ahead log if there is one already, open. A commit appends to it; flushing it makes the commit
/// survive a power cut. SQLite would do so under `synchronous = FULL`, and flush the folder as well, in each process
/// anew: as long as writing the record itself takes. The log's own name was flushed by whoever made it.
pub(super) fn log_to_flush(index: &Path) -> Option<File> {
    let log = open_for_reading(&log_of(index)).ok()?;
    Witness::of_open(&log).is_ok_and(|witness| witness.size() > 0).then_some(log)
}

fn log_of(index: &Path) -> PathBuf {
    let mut path = index.to_owned().into_os_string();
    path.push("-wal");
    path.into()
}

/// Flushes the log.
pub(super) fn flush(log: Option<File>) -> Result<(), StoreError> {
    let Some(log) = log else { return Ok(()) };
    Ok(log.sync_data().map_err(FileError::of("sync", Path::new("the index's log")))?)
}
