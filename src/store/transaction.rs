//! Several results that become visible together or not at all.
//!
//! Inside of a transaction results are staged: rows in tables of their own, which no look-up outside of it reads.
//! Contents are published as always, since a content without a visible row is nothing, and staged rows refer to
//! theirs so that no collection takes them. A commit moves all staged rows in one SQLite transaction, confirmed by
//! the disk. So whatever dies at whatever moment, either all of them are visible or none.
//!
//! A transaction inside of another has its own staged rows. Its commit hands them to the one around it; its rollback
//! drops them alone. Nothing shows before the outermost commits. Inside, one's own staged results and those of the
//! transactions around are hits.
//!
//! Whose process is gone, or whose time is over, is abandoned: its rows are never seen, and collection drops them.
//! There is no journal to recover: SQLite's is the only one.

use super::claim::Claim;
use super::index::{blob, unsigned};
use super::{Found, Store, StoreError};
use crate::model::entry::Entry;
use crate::model::fingerprint::CacheKey;
use crate::model::path_set::PathSet;
use crate::model::time::{Span, Timestamp};
use crate::world::file::random_number;
use crate::world::lease::Ending;
use rusqlite::{Connection, OptionalExtension, TransactionBehavior, params};
use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

/// The name of a transaction: sixteen hex digits.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TransactionId(String);

impl TransactionId {
    fn new() -> Self {
        Self(format!("{:016x}", random_number()))
    }

    /// Returns the digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for TransactionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A text that names no transaction.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is no transaction id: it takes 16 hex digits")]
pub struct ParseTransactionIdError(String);

impl FromStr for TransactionId {
    type Err = ParseTransactionIdError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let is_hex = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        if text.len() == 16 && text.bytes().all(is_hex) {
            Ok(Self(text.to_owned()))
        } else {
            Err(ParseTransactionIdError(crate::model::path::printable(text.as_bytes())))
        }
    }
}

/// What others may do to the keys that a transaction touches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Isolation {
    /// Whatever they like; the last commit of a key stays.
    ReadCommitted,
    /// Nothing until the end: touched keys are reserved, and such transactions go one after another.
    Serializable,
}

impl Isolation {
    /// Returns the word for it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::ReadCommitted => "read-committed",
            Self::Serializable => "serializable",
        }
    }
}

/// When a hook runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HookKind {
    /// After a commit, in order.
    Commit,
    /// After a rollback, in reverse order.
    Rollback,
}

/// A command to be run at the end of a transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hook {
    /// When.
    pub kind: HookKind,
    /// What `sh -c` runs.
    pub command: Vec<u8>,
    /// Where.
    pub directory: PathBuf,
}

/// What is said when a transaction begins.
#[derive(Debug, Clone)]
pub struct Beginning {
    /// The transaction around it.
    pub parent: Option<TransactionId>,
    /// What others may do.
    pub isolation: Isolation,
    /// The command, printable; empty for one across separate steps.
    pub command: String,
    /// How long it may take where no process holds it.
    pub expires: Option<Span>,
    /// Its hooks, in order.
    pub hooks: Vec<Hook>,
}

/// A transaction that is not over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TransactionRow {
    /// Its name.
    pub id: TransactionId,
    /// The transaction around it.
    pub parent: Option<TransactionId>,
    /// When it began.
    pub created: Timestamp,
    /// When it counts as abandoned, where no process holds it.
    pub expires: Option<Timestamp>,
    /// What others may do.
    pub isolation: Isolation,
    /// The command, printable.
    pub command: String,
    /// How many results are staged in it.
    pub entries: u64,
}

/// What became of a transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ended {
    /// How many results became visible, went to the transaction around, or were dropped.
    pub entries: u64,
    /// The results went to the transaction around.
    pub joined: bool,
    /// The hooks to run now, in the order in which they are to run.
    pub hooks: Vec<Hook>,
}

/// The statements of the index's second form.
pub(super) const MIGRATION: &str = "
    CREATE TABLE txn (
        id TEXT PRIMARY KEY, parent TEXT, created INTEGER NOT NULL, expires INTEGER, isolation TEXT NOT NULL,
        command TEXT NOT NULL
    ) WITHOUT ROWID;
    CREATE TABLE staged_entry (
        txn TEXT NOT NULL, key BLOB NOT NULL, recipe BLOB NOT NULL, project TEXT NOT NULL, domain TEXT NOT NULL,
        task BLOB NOT NULL, created INTEGER NOT NULL, expires INTEGER, duration INTEGER NOT NULL,
        exit_code INTEGER NOT NULL, size INTEGER NOT NULL, used INTEGER NOT NULL, body BLOB NOT NULL,
        checksum BLOB NOT NULL, PRIMARY KEY (txn, key)
    );
    CREATE TABLE staged_reference (
        txn TEXT NOT NULL, digest BLOB NOT NULL, key BLOB NOT NULL, size INTEGER NOT NULL,
        PRIMARY KEY (txn, key, digest)
    ) WITHOUT ROWID;
    CREATE TABLE staged_path_set (
        txn TEXT NOT NULL, recipe BLOB NOT NULL, id BLOB NOT NULL, paths BLOB NOT NULL, recorded INTEGER NOT NULL,
        PRIMARY KEY (txn, recipe, id)
    ) WITHOUT ROWID;
    CREATE TABLE hook (
        txn TEXT NOT NULL, number INTEGER NOT NULL, kind TEXT NOT NULL, command BLOB NOT NULL,
        directory BLOB NOT NULL, PRIMARY KEY (txn, number)
    ) WITHOUT ROWID;
";

const STAGED_COLUMNS: &str =
    "key, recipe, project, domain, task, created, expires, duration, exit_code, size, used, body, checksum";

/// Returns what the process that began a transaction holds while it lives.
pub(super) fn life_name(id: &TransactionId) -> PathBuf {
    Path::new("transaction").join(id.as_str())
}

impl Store {
    /// Begins a transaction.
    pub fn begin(&mut self, beginning: &Beginning, now: Timestamp) -> Result<TransactionId, StoreError> {
        let id = TransactionId::new();
        self.change("begin a transaction", |connection| {
            connection.execute(
                "INSERT INTO txn (id, parent, created, expires, isolation, command) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
                params![
                    id.as_str(),
                    beginning.parent.as_ref().map(TransactionId::as_str),
                    now.as_millis(),
                    beginning.expires.map(|span| now.after(span).as_millis()),
                    beginning.isolation.name(),
                    beginning.command,
                ],
            )?;
            for (number, hook) in (0_i64..).zip(&beginning.hooks) {
                insert_hook(connection, id.as_str(), number, hook)?;
            }
            Ok(())
        })?;
        Ok(id)
    }

    /// Holds the life of a transaction until the answer is dropped: without it, one that a process began counts as
    /// abandoned.
    pub fn hold(&self, id: &TransactionId) -> Result<Claim, StoreError> {
        let claim =
            self.claims().take(&life_name(id), Ending::Goes, Ending::Goes, |_| Ok(Some(String::new())))?;
        claim.ok_or_else(|| StoreError::Locked(self.layout.root.clone()))
    }

    /// Takes the turn of serializable transactions, which go one after another, if nobody has it. Whoever had it
    /// before has ended, or lost it and may not commit any more.
    pub fn take_turn(&self) -> Result<Option<Claim>, StoreError> {
        let (claims, name) = (self.claims(), Path::new("serializable"));
        let Some(turn) = claims.take(name, Ending::Goes, Ending::Stays, |_| Ok(Some(String::new())))? else {
            return Ok(None);
        };
        if claims.can_be_lost() {
            for row in self.transactions()?.iter().filter(|row| row.isolation == Isolation::Serializable) {
                claims.depose(&life_name(&row.id))?;
            }
        }
        Ok(Some(turn))
    }

    /// Works inside of a transaction from now on; `false` where it is over or there is none of that name.
    pub fn enter(&mut self, id: &TransactionId) -> Result<bool, StoreError> {
        self.chain.clear();
        let mut next = Some(id.clone());
        while let Some(id) = next {
            let Some(row) = self.transaction(&id)? else {
                self.chain.clear();
                return Ok(false);
            };
            if self.chain.iter().any(|known| known.id == id) {
                break;
            }
            next = row.parent.clone();
            self.chain.push(row);
        }
        Ok(true)
    }

    /// Works inside of the transaction that a variable names; that it is over, or none, is an error.
    pub fn enter_named(&mut self, name: &str) -> Result<(), StoreError> {
        let id: Option<TransactionId> = name.parse().ok();
        match &id {
            Some(known) if self.enter(known)? => Ok(()),
            _ => Err(StoreError::TransactionOver(id)),
        }
    }

    /// Returns the transaction that this store works in.
    pub fn entered(&self) -> Option<&TransactionRow> {
        self.chain.first()
    }

    /// Returns whether keys that are touched stay reserved until the end.
    pub fn is_serializable(&self) -> bool {
        self.chain.iter().any(|row| row.isolation == Isolation::Serializable)
    }

    /// Returns the outermost transaction around this store's work.
    pub fn outermost(&self) -> Option<&TransactionRow> {
        self.chain.last()
    }

    /// Returns a transaction that is not over.
    pub fn transaction(&self, id: &TransactionId) -> Result<Option<TransactionRow>, StoreError> {
        Ok(self.transactions()?.into_iter().find(|row| row.id == *id))
    }

    /// Returns all transactions that are not over, the oldest first.
    pub fn transactions(&self) -> Result<Vec<TransactionRow>, StoreError> {
        let failed = self.index()?.failed("list transactions");
        let mut query = self
            .index()?
            .connection()
            .prepare_cached(
                "SELECT id, parent, created, expires, isolation, command,
                     (SELECT count(*) FROM staged_entry WHERE staged_entry.txn = txn.id) FROM txn ORDER BY created, id",
            )
            .map_err(&failed)?;
        let rows = query
            .query_map([], |row| {
                Ok(TransactionRow {
                    id: TransactionId(row.get(0)?),
                    parent: row.get::<_, Option<String>>(1)?.map(TransactionId),
                    created: Timestamp::from_millis(row.get(2)?),
                    expires: row.get::<_, Option<i64>>(3)?.map(Timestamp::from_millis),
                    isolation: match row.get::<_, String>(4)?.as_str() {
                        "serializable" => Isolation::Serializable,
                        _ => Isolation::ReadCommitted,
                    },
                    command: row.get(5)?,
                    entries: unsigned(row.get(6)?),
                })
            })
            .map_err(&failed)?;
        rows.collect::<Result<_, _>>().map_err(failed)
    }

    /// Looks an entry up among what is staged in the transactions around this store's work.
    pub(super) fn find_staged(&self, key: &CacheKey) -> Result<Option<Found>, StoreError> {
        for row in &self.chain {
            let found: Option<(Vec<u8>, Vec<u8>)> = self
                .index()?
                .connection()
                .prepare_cached("SELECT body, checksum FROM staged_entry WHERE txn = ?1 AND key = ?2")
                .and_then(|mut query| {
                    query
                        .query_row(params![row.id.as_str(), blob(key)], |row| Ok((row.get(0)?, row.get(1)?)))
                        .optional()
                })
                .map_err(self.index()?.failed("look up a staged entry"))?;
            if let Some((body, checksum)) = found {
                return Ok(Some(super::index::read_body(key, &body, &checksum)));
            }
        }
        Ok(None)
    }

    /// Returns the path sets that are staged for a recipe.
    pub(super) fn staged_path_sets(&self, recipe: &CacheKey) -> Result<Vec<PathSet>, StoreError> {
        let mut sets = Vec::new();
        for row in &self.chain {
            let failed = self.index()?.failed("look up staged path sets");
            let mut query = self
                .index()?
                .connection()
                .prepare_cached(
                    "SELECT paths FROM staged_path_set WHERE txn = ?1 AND recipe = ?2 ORDER BY recorded DESC",
                )
                .map_err(&failed)?;
            let rows = query
                .query_map(params![row.id.as_str(), blob(recipe)], |row| row.get::<_, Vec<u8>>(0))
                .map_err(&failed)?;
            for bytes in rows {
                sets.extend(PathSet::decode(&bytes.map_err(&failed)?).ok());
            }
        }
        Ok(sets)
    }

    /// Commits a transaction: all that is staged in it becomes visible, or goes to the transaction around it.
    /// `None` where it is over.
    pub fn commit(&mut self, id: &TransactionId) -> Result<Option<Ended>, StoreError> {
        self.end(id, HookKind::Commit)
    }

    /// Rolls a transaction back: all that is staged in it is dropped. `None` where it is over.
    pub fn roll_back(&mut self, id: &TransactionId) -> Result<Option<Ended>, StoreError> {
        self.end(id, HookKind::Rollback)
    }

    fn end(&mut self, id: &TransactionId, kind: HookKind) -> Result<Option<Ended>, StoreError> {
        let fence = self.fence.clone();
        let records = self.index()?.records().clone();
        let ending = |connection: &Connection| {
            if kind == HookKind::Commit && !fence.iter().all(|fence| fence.holds().unwrap_or(false)) {
                return Ok(Err(StoreError::Fenced));
            }
            let mut published = Vec::new();
            let parent: Option<Option<String>> = connection
                .query_row("SELECT parent FROM txn WHERE id = ?1", [id.as_str()], |row| row.get(0))
                .optional()?;
            let Some(parent) = parent else { return Ok(Ok(None)) };
            // One whose surroundings are over has nowhere to go to but out.
            let lives = |parent: &String| {
                let found = connection.query_row("SELECT 1 FROM txn WHERE id = ?1", [parent], |_| Ok(()));
                found.optional().map(|found| found.is_some())
            };
            let parent = match parent {
                Some(parent) if lives(&parent)? => Some(parent),
                Some(_) if kind == HookKind::Commit => return Ok(Ok(None)),
                _ => None,
            };
            let entries: i64 = connection.query_row(
                "SELECT count(*) FROM staged_entry WHERE txn = ?1",
                [id.as_str()],
                |row| row.get(0),
            )?;
            let mut hooks = Vec::new();
            let joined = match (kind, &parent) {
                (HookKind::Commit, Some(parent)) => {
                    hand_over(connection, id.as_str(), parent)?;
                    true
                }
                (HookKind::Commit, None) => {
                    published = publish(connection, id.as_str())?;
                    hooks = hooks_of(connection, id.as_str(), kind)?;
                    false
                }
                (HookKind::Rollback, _) => {
                    hooks = hooks_of(connection, id.as_str(), kind)?;
                    hooks.reverse();
                    false
                }
            };
            drop_staged(connection, id.as_str())?;
            Ok(Ok(Some((Ended { entries: unsigned(entries), joined, hooks }, published))))
        };
        let forget = |ended: &Result<Option<(Ended, Vec<CacheKey>)>, StoreError>| {
            let published = ended.iter().flatten().flat_map(|(_, published)| published);
            records.forget_for_good(published).map_err(StoreError::from)
        };
        let ended = self.change_and("end a transaction", ending, forget)??;
        Ok(ended.map(|(ended, _)| ended))
    }

    /// Drops transactions that are abandoned; returns how many.
    pub fn sweep_transactions(&mut self, now: Timestamp) -> Result<u64, StoreError> {
        let claims = self.claims();
        let is_abandoned = |row: &TransactionRow| match row.expires {
            Some(expires) => expires <= now,
            None => !claims.is_held_at_all(&life_name(&row.id)),
        };
        let abandoned: Vec<_> = self.transactions()?.into_iter().filter(is_abandoned).collect();
        for row in &abandoned {
            self.roll_back(&row.id)?;
        }
        Ok(abandoned.len() as u64)
    }

    /// Makes a change in one SQLite transaction that the disk confirms.
    fn change<T>(
        &mut self,
        action: &'static str,
        change: impl FnOnce(&Connection) -> rusqlite::Result<T>,
    ) -> Result<T, StoreError> {
        self.change_and(action, change, |_| Ok(()))
    }

    /// The same, with something else to be done before the commit; where that fails nothing is changed.
    fn change_and<T>(
        &mut self,
        action: &'static str,
        change: impl FnOnce(&Connection) -> rusqlite::Result<T>,
        before_commit: impl FnOnce(&T) -> Result<(), StoreError>,
    ) -> Result<T, StoreError> {
        let path = self.index()?.path().to_owned();
        let failed = |source| StoreError::Index { action, path: path.clone(), source };
        let connection = self.index_mut()?.connection_mut();
        connection.pragma_update(None, "synchronous", "FULL").map_err(failed)?;
        let transaction =
            connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(failed)?;
        let changed = change(&transaction).map_err(failed)?;
        before_commit(&changed)?;
        transaction.commit().map_err(failed)?;
        Ok(changed)
    }
}

/// Writes an entry into a transaction, inside of the SQLite transaction that `connection` is in. `false` where the
/// transaction is over.
pub(super) fn stage_entry(
    connection: &Connection,
    id: &TransactionId,
    entry: &Entry,
    path_set: Option<&PathSet>,
    now: Timestamp,
) -> rusqlite::Result<bool> {
    let lives =
        connection.query_row("SELECT 1 FROM txn WHERE id = ?1", [id.as_str()], |_| Ok(())).optional()?;
    if lives.is_none() {
        return Ok(false);
    }
    super::index::write_row(connection, "staged_entry", Some(id.as_str()), entry, now)?;
    connection.execute(
        "DELETE FROM staged_reference WHERE txn = ?1 AND key = ?2",
        params![id.as_str(), blob(&entry.key)],
    )?;
    for content in entry.contents() {
        connection.execute(
            "INSERT OR REPLACE INTO staged_reference (txn, digest, key, size) VALUES (?1, ?2, ?3, ?4)",
            params![
                id.as_str(),
                content.digest.as_bytes().as_slice(),
                blob(&entry.key),
                i64::try_from(content.size).unwrap_or(i64::MAX)
            ],
        )?;
    }
    if let Some(set) = path_set {
        connection.execute(
            "INSERT OR REPLACE INTO staged_path_set (txn, recipe, id, paths, recorded) VALUES (?1, ?2, ?3, ?4, ?5)",
            params![
                id.as_str(),
                blob(&entry.recipe),
                set.id().as_bytes().as_slice(),
                set.encode(),
                now.as_millis()
            ],
        )?;
    }
    Ok(true)
}

fn insert_hook(connection: &Connection, id: &str, number: i64, hook: &Hook) -> rusqlite::Result<usize> {
    use std::os::unix::ffi::OsStrExt;
    let kind = match hook.kind {
        HookKind::Commit => "commit",
        HookKind::Rollback => "rollback",
    };
    connection.execute(
        "INSERT INTO hook (txn, number, kind, command, directory) VALUES (?1, ?2, ?3, ?4, ?5)",
        params![id, number, kind, hook.command, hook.directory.as_os_str().as_bytes()],
    )
}

fn hooks_of(connection: &Connection, id: &str, kind: HookKind) -> rusqlite::Result<Vec<Hook>> {
    use std::os::unix::ffi::OsStringExt;
    let name = match kind {
        HookKind::Commit => "commit",
        HookKind::Rollback => "rollback",
    };
    let mut query = connection
        .prepare("SELECT command, directory FROM hook WHERE txn = ?1 AND kind = ?2 ORDER BY number")?;
    let hooks = query.query_map(params![id, name], |row| {
        let directory = std::ffi::OsString::from_vec(row.get(1)?);
        Ok(Hook { kind, command: row.get(0)?, directory: directory.into() })
    })?;
    hooks.collect()
}

/// Moves all that is staged to where everybody sees it; returns the keys that this concerns.
fn publish(connection: &Connection, id: &str) -> rusqlite::Result<Vec<CacheKey>> {
    connection
        .execute("DELETE FROM reference WHERE key IN (SELECT key FROM staged_entry WHERE txn = ?1)", [id])?;
    connection.execute(
        &format!(
            "INSERT OR REPLACE INTO entry ({STAGED_COLUMNS}) SELECT {STAGED_COLUMNS} FROM staged_entry WHERE txn = ?1"
        ),
        [id],
    )?;
    connection.execute(
        "INSERT OR REPLACE INTO reference (digest, key, size)
         SELECT digest, key, size FROM staged_reference WHERE txn = ?1",
        [id],
    )?;
    connection.execute(
        "INSERT OR REPLACE INTO path_set (recipe, id, paths, recorded)
         SELECT recipe, id, paths, recorded FROM staged_path_set WHERE txn = ?1",
        [id],
    )?;
    let mut keys = connection.prepare("SELECT key FROM staged_entry WHERE txn = ?1")?;
    keys.query_map([id], |row| row.get(0).map(super::index::key_of))?.collect()
}

fn hand_over(connection: &Connection, id: &str, parent: &str) -> rusqlite::Result<()> {
    connection.execute(
        "DELETE FROM staged_reference WHERE txn = ?2 AND key IN (SELECT key FROM staged_entry WHERE txn = ?1)",
        params![id, parent],
    )?;
    for (table, columns) in [
        ("staged_entry", STAGED_COLUMNS),
        ("staged_reference", "digest, key, size"),
        ("staged_path_set", "recipe, id, paths, recorded"),
    ] {
        connection.execute(
            &format!("INSERT OR REPLACE INTO {table} (txn, {columns}) SELECT ?2, {columns} FROM {table} WHERE txn = ?1"),
            params![id, parent],
        )?;
    }
    connection.execute(
        "INSERT INTO hook (txn, number, kind, command, directory)
         SELECT ?2, number + (SELECT coalesce(max(number), -1) + 1 FROM hook WHERE txn = ?2), kind, command, directory
         FROM hook WHERE txn = ?1",
        params![id, parent],
    )?;
    Ok(())
}

fn drop_staged(connection: &Connection, id: &str) -> rusqlite::Result<()> {
    for table in ["staged_entry", "staged_reference", "staged_path_set", "hook"] {
        connection.execute(&format!("DELETE FROM {table} WHERE txn = ?1"), [id])?;
    }
    connection.execute("DELETE FROM txn WHERE id = ?1", [id])?;
    Ok(())
}
