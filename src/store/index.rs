//! The index: one SQLite database that says what is stored.
//!
//! Its tables are append-only migrations on `user_version`; `application_id` tells it from other databases. A newer
//! format is refused and left alone. The body of an entry is the canonical encoding of [`Entry`], and its checksum
//! covers key and body: of single-bit flips in a database page, about a quarter make a query return a wrong
//! value, and SQLite's own integrity check calls nearly all of those databases sound. The other columns only serve
//! lists and collection; nothing that a hit gives back comes from them.
//!
//! The write-ahead log is used on local file systems alone (see [`crate::world::filesystem`]), and never
//! checkpointed on close, which would cost every recorder several flushes.

use super::hot_record::HotRecords;
pub use super::schema::INDEX_FORMAT;
use super::transaction::{TransactionId, stage_entry};
use super::{Durability, Found, StoreError};
use crate::model::digest::{Digest, Hasher};
use crate::model::entry::{Content, Entry};
use crate::model::fingerprint::{CacheKey, KeyPrefix};
use crate::model::path_set::PathSet;
use crate::model::time::Timestamp;
use rusqlite::config::DbConfig;
use rusqlite::{Connection, ErrorCode, OpenFlags, OptionalExtension, TransactionBehavior, params};
use std::cell::OnceCell;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How long a statement waits for others. Generous, because a store that answers late is better than none.
pub(super) const BUSY: Duration = Duration::from_secs(20);

/// How many path sets a recipe keeps; a look-up tries them all.
const PATH_SETS: u32 = 16;

/// An open index.
#[derive(Debug)]
pub struct Index {
    path: PathBuf,
    identity: Option<(u64, u64)>,
    connection: Connection,
    secret: OnceCell<[u8; 32]>,
    records: HotRecords,
}

/// The row of an entry without its body, for lists and for collection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Row {
    /// The key.
    pub key: CacheKey,
    /// The project.
    pub project: String,
    /// The domain.
    pub domain: String,
    /// The task's name.
    pub task: Vec<u8>,
    /// When it was recorded.
    pub created: Timestamp,
    /// When it ends to be valid.
    pub expires: Option<Timestamp>,
    /// How long the command ran, in milliseconds.
    pub duration: u64,
    /// What it exited with.
    pub exit_code: u8,
    /// The sum of its contents, in bytes.
    pub size: u64,
    /// When it was last recorded or replayed, as far as the index knows.
    pub used: Timestamp,
}

/// What is to be inserted for one result.
#[derive(Debug)]
pub(super) struct Insertion<'a> {
    /// The entry.
    pub(super) entry: &'a Entry,
    /// Its small contents.
    pub(super) small: &'a [Vec<u8>],
    /// The files that its command turned out to read.
    pub(super) path_set: Option<&'a PathSet>,
    /// When.
    pub(super) now: Timestamp,
    /// What it has to survive.
    pub(super) durability: Durability,
    /// The transaction in which it is staged.
    pub(super) staged_in: Option<&'a TransactionId>,
}

/// What became of an insertion.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Inserted {
    /// It stands.
    Stored,
    /// What guarded it was lost.
    Fenced,
    /// The transaction that it was to be staged in is over.
    TransactionOver,
}

impl Index {
    /// Opens the index and brings it to the present format; makes it where it is missing.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
            | OpenFlags::SQLITE_OPEN_CREATE
            | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let is_new = !path.exists();
        if is_new {
            // Made by us first, so that it has our mode whatever the umask; SQLite gives its log files the same.
            match crate::world::file::create_private(path) {
                Err(error) if error.source.kind() != std::io::ErrorKind::AlreadyExists => {
                    return Err(error.into());
                }
                _ => {}
            }
        }
        let failed = |action| move |source| failure(path, action, source);
        let identity = super::quarantine::identity(path);
        let connection = match Connection::open_with_flags(path, flags) {
            Ok(connection) => connection,
            Err(source) if path.is_dir() => {
                return Err(StoreError::Damaged { path: path.to_owned(), source });
            }
            Err(error) => return Err(failed("open")(error)),
        };
        let records = HotRecords::beside(path);
        let mut index =
            Self { path: path.to_owned(), identity, connection, secret: OnceCell::new(), records };
        index.configure().map_err(failed("configure"))?;
        let format = index.format()?;
        if format < INDEX_FORMAT {
            index.migrate()?;
        }
        Ok(index)
    }

    /// Opens the index to be read, in the format in which it is. One that is only being made counts as missing.
    pub fn open_for_reading(path: &Path) -> Result<Self, StoreError> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let failed = |action| move |source| failure(path, action, source);
        let identity = super::quarantine::identity(path);
        let connection = Connection::open_with_flags(path, flags).map_err(failed("open"))?;
        let records = HotRecords::beside(path);
        let index = Self { path: path.to_owned(), identity, connection, secret: OnceCell::new(), records };
        index.configure().map_err(failed("configure"))?;
        match index.format()? {
            0 => Err(StoreError::Missing(path.parent().unwrap_or(path).to_owned())),
            _ => Ok(index),
        }
    }

    /// By calls and not by pragmas, which would each be parsed and prepared: a look-up opens the index every time.
    fn configure(&self) -> rusqlite::Result<()> {
        self.connection.busy_timeout(BUSY)?;
        self.connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
        self.connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
        self.connection.set_db_config(DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false)?;
        Ok(())
    }

    /// Returns the store's own random secret.
    pub fn secret(&self) -> Result<&[u8; 32], StoreError> {
        if let Some(secret) = self.secret.get() {
            return Ok(secret);
        }
        let secret = self
            .connection
            .query_row("SELECT value FROM meta WHERE name = 'secret'", [], |row| row.get(0))
            .map_err(|source| match source.sqlite_error_code() {
                // The format says that there is such a table.
                Some(ErrorCode::Unknown) => StoreError::Damaged { path: self.path.clone(), source },
                _ => self.failed("read the secret")(source),
            })?;
        Ok(self.secret.get_or_init(|| secret))
    }

    /// Replaces a secret that is lost.
    pub(super) fn renew_secret(&self) -> rusqlite::Result<()> {
        write_secret(&self.connection)
    }

    pub(super) fn failed(&self, action: &'static str) -> impl Fn(rusqlite::Error) -> StoreError + '_ {
        move |source| failure(&self.path, action, source)
    }

    pub(super) const fn connection(&self) -> &Connection {
        &self.connection
    }

    pub(super) const fn connection_mut(&mut self) -> &mut Connection {
        &mut self.connection
    }

    /// Returns what tells the file from one that takes its place.
    pub(super) const fn identity(&self) -> Option<(u64, u64)> {
        self.identity
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Returns the hot records beside the index. Whoever writes or removes a row takes its record away in the same
    /// transaction.
    pub(super) const fn records(&self) -> &HotRecords {
        &self.records
    }

    /// Returns whether a key has a row, sound or not.
    pub(super) fn has_row(&self, key: &CacheKey) -> rusqlite::Result<bool> {
        self.connection.prepare_cached("SELECT 1 FROM entry WHERE key = ?1")?.exists([blob(key)])
    }

    /// Looks an entry up.
    pub fn find(&self, key: &CacheKey) -> Result<Found, StoreError> {
        let row = self.connection.prepare_cached("SELECT body, checksum FROM entry WHERE key = ?1").and_then(
            |mut query| {
                query
                    .query_row([blob(key)], |row| Ok((row.get::<_, Vec<u8>>(0)?, row.get::<_, Vec<u8>>(1)?)))
                    .optional()
            },
        );
        let row = match row {
            // One row of a wrong type is its own damage, which the next record mends.
            Err(error) if is_mistyped(&error) => return Ok(Found::Damaged),
            row => row.map_err(self.failed("look up an entry"))?,
        };
        let Some((body, sum)) = row else { return Ok(Found::Absent) };
        Ok(read_body(key, &body, &sum))
    }

    /// Returns the keys that begin with `prefix`, at most `most` of them.
    pub fn keys(&self, prefix: &KeyPrefix, most: u32) -> Result<Vec<CacheKey>, StoreError> {
        let (low, high) = prefix.range();
        let failed = self.failed("look up a key");
        let mut query = self
            .connection
            .prepare_cached("SELECT key FROM entry WHERE key BETWEEN ?1 AND ?2 ORDER BY key LIMIT ?3")
            .map_err(&failed)?;
        let rows =
            query.query_map(params![blob(&low), blob(&high), most], |row| row.get(0)).map_err(&failed)?;
        rows.map(|row| row.map(key_of)).collect::<Result<_, _>>().map_err(failed)
    }

    /// Returns every row, the one that was recorded last first.
    pub fn rows(&self) -> Result<Vec<Row>, StoreError> {
        let mut rows = Vec::new();
        self.each_row(|row| rows.push(row))?;
        Ok(rows)
    }

    /// Hands over every row, the one that was recorded last first.
    pub fn each_row(&self, mut take: impl FnMut(Row)) -> Result<(), StoreError> {
        let failed = self.failed("list entries");
        let mut query = self
            .connection
            .prepare(
                "SELECT key, project, domain, task, created, expires, duration, exit_code, size, used
                 FROM entry ORDER BY created DESC, key",
            )
            .map_err(&failed)?;
        let rows = query
            .query_map([], |row| {
                Ok(Row {
                    key: key_of(row.get(0)?),
                    project: row.get(1)?,
                    domain: row.get(2)?,
                    task: row.get(3)?,
                    created: Timestamp::from_millis(row.get(4)?),
                    expires: row.get::<_, Option<i64>>(5)?.map(Timestamp::from_millis),
                    duration: unsigned(row.get(6)?),
                    exit_code: row.get(7)?,
                    size: unsigned(row.get(8)?),
                    used: Timestamp::from_millis(row.get(9)?),
                })
            })
            .map_err(&failed)?;
        for row in rows {
            take(row.map_err(&failed)?);
        }
        Ok(())
    }

    /// Returns the path sets of a recipe, the last recorded first. One that does not decode is passed over: it can
    /// only cost a miss.
    pub fn path_sets(&self, recipe: &CacheKey) -> Result<Vec<PathSet>, StoreError> {
        let failed = self.failed("look up path sets");
        let mut query = self
            .connection
            .prepare_cached(
                "SELECT paths FROM path_set WHERE recipe = ?1 ORDER BY recorded DESC, id LIMIT ?2",
            )
            .map_err(&failed)?;
        let rows = query
            .query_map(params![blob(recipe), PATH_SETS], |row| row.get::<_, Vec<u8>>(0))
            .map_err(&failed)?;
        let sets: Vec<Vec<u8>> = rows.collect::<Result<_, _>>().map_err(failed)?;
        Ok(sets.iter().filter_map(|bytes| PathSet::decode(bytes).ok()).collect())
    }

    /// Returns a small content's bytes, unverified.
    pub fn small_content(&self, digest: &Digest) -> Result<Option<Vec<u8>>, StoreError> {
        self.connection
            .prepare_cached("SELECT bytes FROM small_content WHERE digest = ?1")
            .and_then(|mut query| {
                query.query_row([digest.as_bytes().as_slice()], |row| row.get(0)).optional()
            })
            .map_err(self.failed("read a content"))
    }

    /// Returns how many bytes a small content has.
    pub fn small_content_size(&self, digest: &Digest) -> Result<Option<u64>, StoreError> {
        self.connection
            .prepare_cached("SELECT length(bytes) FROM small_content WHERE digest = ?1")
            .and_then(|mut query| {
                query.query_row([digest.as_bytes().as_slice()], |row| row.get(0).map(unsigned)).optional()
            })
            .map_err(self.failed("read a content"))
    }

    /// Removes a small content.
    pub fn remove_small_content(&self, digest: &Digest) -> Result<(), StoreError> {
        self.connection
            .execute("DELETE FROM small_content WHERE digest = ?1", [digest.as_bytes().as_slice()])
            .map_err(self.failed("remove a content"))?;
        Ok(())
    }

    /// Writes an entry, its small contents, its references and its path set in one SQLite transaction: where all see
    /// it, or staged in a transaction of the store's. `is_guarded` is asked while nobody else can store.
    pub(super) fn insert(
        &mut self,
        insertion: Insertion<'_>,
        is_guarded: impl FnOnce() -> bool,
    ) -> Result<Inserted, StoreError> {
        let Insertion { entry, small, path_set, now, durability, staged_in } = insertion;
        let path = self.path.clone();
        let failed = |source| failure(&path, "record an entry", source);
        let log = log_to_flush(&self.path).filter(|_| durability == Durability::Power);
        let level = if durability == Durability::Power && log.is_none() { "FULL" } else { "NORMAL" };
        self.connection.pragma_update(None, "synchronous", level).map_err(failed)?;
        let transaction =
            self.connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(failed)?;
        if !is_guarded() {
            return Ok(Inserted::Fenced);
        }
        for bytes in small {
            transaction
                .prepare_cached("INSERT OR REPLACE INTO small_content (digest, bytes) VALUES (?1, ?2)")
                .and_then(|mut insert| {
                    insert.execute(params![Digest::of(bytes).as_bytes().as_slice(), bytes])
                })
                .map_err(failed)?;
        }
        if let Some(id) = staged_in {
            let staged = stage_entry(&transaction, id, entry, path_set, now).map_err(failed)?;
            if !staged {
                return Ok(Inserted::TransactionOver);
            }
            transaction.commit().map_err(failed)?;
            flush(log)?;
            return Ok(Inserted::Stored);
        }
        match durability {
            Durability::Power => self.records.forget_for_good([&entry.key])?,
            Durability::Process => self.records.forget(&entry.key)?,
        }
        write_entry(&transaction, entry, now).map_err(failed)?;
        if let Some(set) = path_set {
            write_path_set(&transaction, &entry.recipe, set, now).map_err(failed)?;
        }
        transaction.commit().map_err(failed)?;
        flush(log)?;
        Ok(Inserted::Stored)
    }
}

pub(super) fn write_secret(connection: &Connection) -> rusqlite::Result<()> {
    let mut secret = [0_u8; 32];
    for eight in secret.chunks_exact_mut(8) {
        eight.copy_from_slice(&crate::world::file::random_number().to_ne_bytes());
    }
    connection
        .execute("INSERT OR REPLACE INTO meta (name, value) VALUES ('secret', ?1)", params![secret])
        .map(|_| ())
}

/// Reads an entry's row: damaged unless checksum, encoding and key are right.
pub(super) fn read_body(key: &CacheKey, body: &[u8], sum: &[u8]) -> Found {
    if sum != checksum(key, body) {
        return Found::Damaged;
    }
    match Entry::decode(body) {
        Ok(entry) if entry.key == *key => Found::Entry(Box::new(entry)),
        _ => Found::Damaged,
    }
}

pub(super) fn blob(key: &CacheKey) -> &[u8] {
    key.digest().as_bytes().as_slice()
}

pub(super) fn key_of(bytes: [u8; 32]) -> CacheKey {
    CacheKey::from_digest(Digest::from_bytes(bytes))
}

/// SQLite's integers are signed; a size beyond them cannot exist on any disk.
fn signed(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

pub(super) fn unsigned(value: i64) -> u64 {
    u64::try_from(value).unwrap_or(0)
}

/// Sixteen bytes over key and body.
pub(super) fn checksum(key: &CacheKey, body: &[u8]) -> Vec<u8> {
    let mut hasher = Hasher::new();
    hasher.update(key.digest().as_bytes());
    hasher.update(body);
    hasher.finish().as_bytes()[..16].to_vec()
}

/// Sorts SQLite's errors into those that say the file is damaged and all others.
pub(super) fn failure(path: &Path, action: &'static str, source: rusqlite::Error) -> StoreError {
    let code = source.sqlite_error_code();
    let path = path.to_owned();
    match code {
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => StoreError::Damaged { path, source },
        _ if is_mistyped(&source) => StoreError::Damaged { path, source },
        _ => StoreError::Index { action, path, source },
    }
}

/// Returns whether a row holds what nobody wrote: SQLite finds such a database sound.
const fn is_mistyped(error: &rusqlite::Error) -> bool {
    use rusqlite::Error::{
        FromSqlConversionFailure, IntegralValueOutOfRange, InvalidColumnType, QueryReturnedNoRows, Utf8Error,
    };
    matches!(
        error,
        FromSqlConversionFailure(..)
            | IntegralValueOutOfRange(..)
            | InvalidColumnType(..)
            | QueryReturnedNoRows
            | Utf8Error(..)
    )
}

mod writing;

use writing::{flush, log_to_flush};
pub(super) use writing::{write_entry, write_path_set, write_row};

#[cfg(test)]
mod tests;
