//! The forms that the index went through, and what the head of its file says.
//!
//! Migrations are append-only statements on `user_version`; `application_id` tells our databases from others. A newer
//! format is refused and left alone, an older one is brought up to date under SQLite's write lock, whoever comes first.
//!
//! Deliberately absent: a way back. An older program refuses the store, and both may be had by two folders.

use super::StoreError;
use super::index::{BUSY, Index, failure, write_secret};
use super::transaction;
use crate::world::file::{Witness, open_for_reading};
use crate::world::filesystem;
use rusqlite::{ErrorCode, TransactionBehavior};
use std::io::Read;
use std::path::Path;
use std::time::{Duration, Instant};

/// "tcac": what `application_id` holds.
pub(super) const APPLICATION_ID: i64 = 0x7463_6163;

/// The forms the database went through, each as the statements that lead to it. Never edited, only added to.
pub(super) const MIGRATIONS: [&str; 2] = ["
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

impl Index {
    /// Returns the format number after checking that the database is ours and not newer; 0 for an empty one.
    pub(super) fn format(&self) -> Result<i64, StoreError> {
        let (application, format, objects) =
            self.marks().map_err(|source| failure(self.path(), "read the format", source))?;
        match (application, format) {
            (APPLICATION_ID, found) if found > INDEX_FORMAT => {
                let path = self.path().parent().unwrap_or(self.path()).to_owned();
                Err(StoreError::Newer { path, found, known: INDEX_FORMAT })
            }
            (APPLICATION_ID, found) => Ok(found),
            (0, 0) if objects == 0 => Ok(0),
            _ => Err(StoreError::Foreign(self.path().to_owned())),
        }
    }

    /// Returns what tells whose database this is: application, format, and how much is in it. All three are read by
    /// one statement, because another process may be about to make the database.
    fn marks(&self) -> rusqlite::Result<(i64, i64, i64)> {
        self.connection().query_row(
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
            match self.connection().query_row("PRAGMA journal_mode = WAL", [], |_| Ok(())) {
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

    pub(super) fn migrate(&mut self) -> Result<(), StoreError> {
        let path = self.path().to_owned();
        let failed = |source| failure(&path, "migrate", source);
        if filesystem::is_local(self.path()).unwrap_or(false) {
            // Before the first table, outside of any transaction.
            self.use_log().map_err(failed)?;
        }
        let records = self.records().clone();
        let transaction = self
            .connection_mut()
            .transaction_with_behavior(TransactionBehavior::Immediate)
            .map_err(failed)?;
        // Those of an index that was here before, or of the form that it had.
        records.forget_all()?;
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
        // So that the file's head tells its format.
        self.fold_log();
        Ok(())
    }

    /// Returns what tells an index file from one that takes its place, if the head of the file is that of an index of
    /// ours in the present format. SQLite is not asked; what its log has and the file has not yet is not seen. Not to be
    /// called while this process has the index open: POSIX locks go with the first descriptor of the file that is
    /// closed.
    pub(super) fn marked_identity(path: &Path) -> Option<(u64, u64)> {
        let mut file = open_for_reading(path).ok()?;
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
}
