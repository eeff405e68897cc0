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
use super::transaction::{self, TransactionId, stage_entry};
use super::{Durability, Found, StoreError};
use crate::model::digest::{Digest, Hasher};
use crate::model::entry::{Content, Entry};
use crate::model::fingerprint::{CacheKey, KeyPrefix};
use crate::model::path_set::PathSet;
use crate::model::time::Timestamp;
use crate::world::file::Witness;
use crate::world::filesystem;
use rusqlite::config::DbConfig;
use rusqlite::{Connection, ErrorCode, OpenFlags, OptionalExtension, TransactionBehavior, params};
use std::cell::OnceCell;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// "tcac": what `application_id` holds.
const APPLICATION_ID: i64 = 0x7463_6163;

/// How long a statement waits for others. Generous, because a store that answers late is better than none.
pub(super) const BUSY: Duration = Duration::from_secs(20);

/// How many path sets a recipe keeps; a look-up tries them all.
const PATH_SETS: u32 = 16;

/// The forms the database went through, each as the statements that lead to it. Never edited, only added to.
const MIGRATIONS: [&str; 2] = ["
    CREATE TABLE meta (name TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;
    CREATE TABLE entry (
        key BLOB PRIMARY KEY, recipe BLOB NOT NULL, project TEXT NOT NULL, domain TEXT NOT NULL, task BLOB NOT NULL,
        created INTEGER NOT NULL, expires INTEGER, duration INTEGER NOT NULL, exit_code INTEGER NOT NULL,
        size INTEGER NOT NULL, used INTEGER NOT NULL, body BLOB NOT NULL, checksum BLOB NOT NULL
    );
    CREATE INDEX entry_by_task ON entry (project, domain, task, created);
    CREATE TABLE reference (
        digest BLOB NOT NULL, key BLOB NOT NULL, size INTEGER NOT NULL, PRIMARY KEY (digest, key)
    ) WITHOUT ROWID;
    CREATE INDEX reference_by_key ON reference (key);
    CREATE TABLE small_content (digest BLOB PRIMARY KEY, bytes BLOB NOT NULL);
    CREATE TABLE path_set (
        recipe BLOB NOT NULL, id BLOB NOT NULL, paths BLOB NOT NULL, recorded INTEGER NOT NULL,
        PRIMARY KEY (recipe, id)
    ) WITHOUT ROWID;
",
    transaction::MIGRATION,
];

/// The newest format that this version knows.
pub const INDEX_FORMAT: i64 = MIGRATIONS.len() as i64;

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

    /// By calls and not by pragmas, which would each be parsed and prepared: a look-up opens the index every time.
    fn configure(&self) -> rusqlite::Result<()> {
        self.connection.busy_timeout(BUSY)?;
        self.connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
        self.connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)?;
        self.connection.set_db_config(DbConfig::SQLITE_DBCONFIG_TRUSTED_SCHEMA, false)?;
        Ok(())
    }

    /// Returns the format number after checking that the database is ours and not newer; 0 for an empty one.
    fn format(&self) -> Result<i64, StoreError> {
        let (application, format, objects) =
            self.marks().map_err(|source| failure(&self.path, "read the format", source))?;
        match (application, format) {
            (APPLICATION_ID, found) if found > INDEX_FORMAT => {
                let path = self.path.parent().unwrap_or(&self.path).to_owned();
                Err(StoreError::Newer { path, found, known: INDEX_FORMAT })
            }
            (APPLICATION_ID, found) => Ok(found),
            (0, 0) if objects == 0 => Ok(0),
            _ => Err(StoreError::Foreign(self.path.clone())),
        }
    }

    /// Returns what tells whose database this is: application, format, and how much is in it. All three are read by
    /// one statement, because another process may be about to make the database.
    fn marks(&self) -> rusqlite::Result<(i64, i64, i64)> {
        self.connection.query_row(
            "SELECT (SELECT application_id FROM pragma_application_id), (SELECT user_version FROM pragma_user_version),
                 (SELECT count(*) FROM sqlite_schema)",
            [],
            |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)),
        )
    }

    /// Switches to the write-ahead log, which is remembered in the file. SQLite does not wait here for others that
    /// read the file or switch as well, whatever the busy timeout; so this does.
    fn use_log(&self) -> rusqlite::Result<()> {
        let deadline = Instant::now() + BUSY;
        let mut pause = Duration::from_millis(1);
        loop {
            match self.connection.query_row("PRAGMA journal_mode = WAL", [], |_| Ok(())) {
                Err(error)
                    if error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy)
                        && Instant::now() < deadline =>
                {
                    std::thread::sleep(pause);
                    pause = (pause * 2).min(Duration::from_millis(50));
                }
                ended => return ended,
            }
        }
    }

    fn migrate(&mut self) -> Result<(), StoreError> {
        let path = self.path.clone();
        let failed = |source| failure(&path, "migrate", source);
        if filesystem::is_local(&self.path).unwrap_or(false) {
            // Before the first table, outside of any transaction.
            self.use_log().map_err(failed)?;
        }
        let transaction =
            self.connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(failed)?;
        // Those of an index that was here before, or of the form that it had.
        self.records.forget_all()?;
        // Another process may have done it while this one waited.
        let found: i64 =
            transaction.query_row("PRAGMA user_version", [], |row| row.get(0)).map_err(failed)?;
        for statements in MIGRATIONS.iter().skip(usize::try_from(found).unwrap_or_default()) {
            transaction.execute_batch(statements).map_err(failed)?;
        }
        if found == 0 {
            write_secret(&transaction).map_err(failed)?;
        }
        transaction.pragma_update(None, "application_id", APPLICATION_ID).map_err(failed)?;
        transaction.pragma_update(None, "user_version", INDEX_FORMAT).map_err(failed)?;
        transaction.commit().map_err(failed)?;
        self.fold_log();
        Ok(())
    }

    /// Folds the log into the file as far as others allow, so that the file's head tells its format.
    pub(super) fn fold_log(&self) {
        // Nothing is lost where it cannot be done now: hits open the index then.
        let _ = self.connection.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(()));
    }

    /// Returns what tells an index file from one that takes its place, if the head of the file is that of an index of
    /// ours in the present format. SQLite is not asked; what its log has and the file has not yet is not seen.
    pub(super) fn marked_identity(path: &Path) -> Option<(u64, u64)> {
        let mut file = crate::world::file::open_for_reading(path).ok()?;
        let witness = Witness::of_open(&file).ok()?;
        let mut head = [0; 100];
        file.read_exact(&mut head).ok()?;
        let number = |at: usize| head[at..at + 4].iter().fold(0, |sum, byte| sum << 8 | i64::from(*byte));
        // The fields that the file format's description names: page size (where 1 stands for 65,536), pages,
        // user version, application id.
        let page = match number(14) & 0xffff {
            1 => 65_536,
            size => size,
        };
        let is_ours = head.starts_with(b"SQLite format 3\0")
            && number(60) == INDEX_FORMAT
            && number(68) == APPLICATION_ID
            && i64::try_from(witness.size()).is_ok_and(|size| size >= number(28).saturating_mul(page));
        is_ours.then(|| witness.identity())
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

    /// Returns whether the row of an entry is still the one that `entry` makes.
    pub(super) fn has_row_of(&self, entry: &Entry) -> rusqlite::Result<bool> {
        let found = self.row_checksum(&entry.key)?;
        Ok(found.is_some_and(|found| found == checksum(&entry.key, &entry.encode())))
    }

    /// Returns the checksum that the row of a key has; `None` where there is no row.
    pub(super) fn row_checksum(&self, key: &CacheKey) -> rusqlite::Result<Option<Vec<u8>>> {
        let mut query = self.connection.prepare_cached("SELECT checksum FROM entry WHERE key = ?1")?;
        query.query_row([blob(key)], |row| row.get(0)).optional()
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
        let level = if durability == Durability::Power { "FULL" } else { "NORMAL" };
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
            return Ok(Inserted::Stored);
        }
        self.records.forget(&entry.key)?;
        write_entry(&transaction, entry, now).map_err(failed)?;
        if let Some(set) = path_set {
            write_path_set(&transaction, &entry.recipe, set, now).map_err(failed)?;
        }
        transaction.commit().map_err(failed)?;
        Ok(Inserted::Stored)
    }
}

fn write_secret(connection: &Connection) -> rusqlite::Result<()> {
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

/// Writes an entry's row into `table`, which has a column for the transaction where one is given.
pub(super) fn write_row(
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

pub(super) fn write_entry(connection: &Connection, entry: &Entry, now: Timestamp) -> rusqlite::Result<()> {
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
pub(super) fn write_path_set(
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
fn checksum(key: &CacheKey, body: &[u8]) -> Vec<u8> {
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

#[cfg(test)]
mod tests;
