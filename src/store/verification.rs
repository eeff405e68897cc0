//! Reading everything that the store holds, and saying what is wrong with it.
//!
//! The index first: SQLite's own check, then each row against its checksum, its columns and its references, then the
//! contents that lie in it. Then every file (see `inventory`). Rows are taken one at a time by their number,
//! so that neither memory nor a lock grows with the store.
//!
//! Others may be at work meanwhile. What looks wrong is looked at a second time, from the row on, before it is told:
//! a row that went or was replaced is no damage. A repair looks again in the transaction, or under the lock, in which
//! it acts; it takes rows before contents, as every removal does, so that runs beside it see entries or none.
//!
//! Deliberately absent: any judgement about age or size, which is the collection's, and about whether a result is
//! right, which `run --verify` answers.

use super::content::Contents;
use super::finding::{Checked, Fault, Finding, Repair, Subject};
use super::index::{Index, blob, read_body, write_entry};
use super::quarantine::{self, INDEX};
use super::{Found, Layout, Store, StoreError, with_cause};
use crate::model::digest::Digest;
use crate::model::entry::{Content, Entry};
use crate::model::fingerprint::CacheKey;
use crate::model::path_set::PathSet;
use crate::model::time::Timestamp;
use rusqlite::types::Value;
use rusqlite::{Connection, OptionalExtension, TransactionBehavior, params};
use std::path::Path;

/// How many row numbers are fetched at a time.
const STEP: u32 = 256;

/// How many of SQLite's own complaints are repeated.
const COMPLAINTS: usize = 5;

/// A verification in progress.
pub(super) struct Verification<'a> {
    pub(super) layout: Layout,
    pub(super) contents: Contents,
    /// The index, while it can be used.
    pub(super) store: Option<Store>,
    pub(super) mends: bool,
    pub(super) now: Timestamp,
    pub(super) checked: Checked,
    tell: &'a mut dyn FnMut(&Finding),
}

/// Where entries stand: in the index proper, or staged in transactions.
#[derive(Clone, Copy)]
struct Table {
    name: &'static str,
    references: &'static str,
    is_staged: bool,
}

const COMMITTED: Table = Table { name: "entry", references: "reference", is_staged: false };
const STAGED: Table = Table { name: "staged_entry", references: "staged_reference", is_staged: true };

/// What a look at one row says.
enum Verdict {
    Gone,
    Sound,
    Wrong(Wrong),
}

struct Wrong {
    key: Option<CacheKey>,
    /// Where the row can be written anew, what from.
    entry: Option<Box<Entry>>,
    transaction: Option<String>,
    faults: Vec<(Fault, String)>,
}

/// Reads everything in the store at `root`. Each finding is told as it is made, mended first where that is asked for.
pub fn verify(
    root: &Path,
    mends: bool,
    now: Timestamp,
    tell: &mut dyn FnMut(&Finding),
) -> Result<Checked, StoreError> {
    if !Store::check_folder(root)? {
        return Err(StoreError::Missing(root.to_owned()));
    }
    let layout = Layout { root: root.to_owned() };
    let contents = Contents::new(layout.path("blobs"));
    let mut verification =
        Verification { layout, contents, store: None, mends, now, checked: Checked::default(), tell };
    verification.index()?;
    verification.files()?;
    Ok(verification.checked)
}

impl Verification<'_> {
    pub(super) fn found(
        &mut self,
        fault: Fault,
        subject: Subject,
        detail: impl Into<String>,
        repair: Repair,
    ) {
        let finding = Finding { fault, subject, detail: detail.into(), repair };
        self.checked.count(&finding);
        (self.tell)(&finding);
    }

    /// Tells a finding after `mend`, where mending is asked for.
    pub(super) fn mending(
        &mut self,
        fault: Fault,
        subject: Subject,
        detail: impl Into<String>,
        mend: impl FnOnce(&mut Self) -> Result<(), StoreError>,
    ) {
        let repair = match self.mends {
            false => Repair::None,
            true => match mend(self) {
                Ok(()) => Repair::Done,
                Err(error) => Repair::Failed(with_cause(&error)),
            },
        };
        self.found(fault, subject, detail, repair);
    }

    /// Checks the index. One whose pages are broken is rebuilt and then checked once more.
    fn index(&mut self) -> Result<(), StoreError> {
        for attempt in 0..2 {
            let before = self.checked;
            let seen = quarantine::identity(&self.layout.path(INDEX));
            let outcome = Store::open_as_it_is(&self.layout.root).and_then(|store| {
                self.store = Some(store);
                self.rows()
            });
            let why = match outcome {
                Ok(None) => return Ok(()),
                Ok(Some(why)) => why,
                Err(StoreError::Damaged { source, .. }) => source.to_string(),
                Err(error) => return Err(error),
            };
            self.store = None;
            self.checked = before;
            let path = Subject::Path(self.layout.path(INDEX));
            if attempt > 0 || !self.mends {
                self.found(Fault::Index, path, why, Repair::None);
                return Ok(());
            }
            match super::salvage::rebuild(&self.layout, seen) {
                Ok(saved) => self.found(Fault::Index, path, format!("{why}; {saved}"), Repair::Done),
                Err(error) => {
                    self.found(Fault::Index, path, why, Repair::Failed(with_cause(&error)));
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    /// Checks all rows; says why where the index as a whole is broken.
    fn rows(&mut self) -> Result<Option<String>, StoreError> {
        if let Some(why) = self.structure()? {
            return Ok(Some(why));
        }
        self.secret()?;
        for table in [COMMITTED, STAGED] {
            self.each_row(table.name, |this, row| this.entry(table, row))?;
        }
        self.dangling()?;
        self.path_sets()?;
        self.each_row("small_content", Self::small_content)?;
        Ok(None)
    }

    fn opened(&mut self) -> Result<&mut Index, StoreError> {
        let missing = || StoreError::Missing(self.layout.root.clone());
        self.store.as_mut().ok_or_else(missing)?.index_mut()
    }

    /// SQLite's own check, which reads every page. An index over a table that lost a row can be made anew.
    fn structure(&mut self) -> Result<Option<String>, StoreError> {
        let mends = self.mends;
        let index = self.opened()?;
        let complaints = |index: &Index| -> Result<Option<String>, StoreError> {
            let failed = index.failed("check the structure");
            let mut query = index.connection().prepare("PRAGMA integrity_check(100)").map_err(&failed)?;
            let lines = query.query_map([], |row| row.get::<_, String>(0)).map_err(&failed)?;
            let lines: Vec<String> = lines.collect::<Result<_, _>>().map_err(&failed)?;
            if lines == ["ok"] {
                return Ok(None);
            }
            let shown: Vec<_> = lines.iter().take(COMPLAINTS).flat_map(|line| line.lines()).collect();
            Ok(Some(crate::model::path::printable(shown.join("; ").as_bytes())))
        };
        let Some(why) = complaints(index)? else { return Ok(None) };
        if mends && index.connection().execute_batch("REINDEX").is_ok() && complaints(index)?.is_none() {
            let path = Subject::Path(self.layout.path(INDEX));
            self.found(Fault::Index, path, why, Repair::Done);
            return Ok(None);
        }
        Ok(Some(why))
    }

    fn secret(&mut self) -> Result<(), StoreError> {
        let index = self.opened()?;
        let secret: Option<Value> = index
            .connection()
            .query_row("SELECT value FROM meta WHERE name = 'secret'", [], |row| row.get(0))
            .optional()
            .map_err(index.failed("read the secret"))?;
        if !matches!(secret, Some(Value::Blob(bytes)) if bytes.len() == 32) {
            self.mending(Fault::Secret, Subject::Store, "the store's secret is missing", |this| {
                let index = this.opened()?;
                index.renew_secret().map_err(index.failed("make a secret"))
            });
        }
        Ok(())
    }

    /// Calls `look` with the number of each row of a table, the lowest first.
    fn each_row(
        &mut self,
        table: &str,
        mut look: impl FnMut(&mut Self, i64) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        // A row that is written meanwhile gets a number behind all others, and is no concern of this look.
        let index = self.opened()?;
        let end: Option<i64> = index
            .connection()
            .query_row(&format!("SELECT max(rowid) FROM {table}"), [], |row| row.get(0))
            .map_err(index.failed("read the index"))?;
        let mut last = i64::MIN;
        loop {
            let index = self.opened()?;
            let failed = index.failed("read the index");
            let numbers: Vec<i64> = index
                .connection()
                .prepare_cached(&format!(
                    "SELECT rowid FROM {table} WHERE rowid > ?1 AND rowid <= ?2 ORDER BY rowid LIMIT ?3"
                ))
                .and_then(|mut query| query.query_map(params![last, end, STEP], |row| row.get(0))?.collect())
                .map_err(failed)?;
            let Some(highest) = numbers.last() else { return Ok(()) };
            last = *highest;
            for number in numbers {
                look(self, number)?;
            }
        }
    }

    fn entry(&mut self, table: Table, number: i64) -> Result<(), StoreError> {
        let mut verdict = Verdict::Gone;
        // The second look decides: a recorder or a removal may have been at work between the row and its contents.
        for _ in 0..2 {
            verdict = self.judge(table, number)?;
            if !matches!(verdict, Verdict::Wrong(_)) {
                break;
            }
        }
        let wrong = match verdict {
            Verdict::Gone => return Ok(()),
            Verdict::Sound => {
                self.checked.entries += 1;
                return Ok(());
            }
            Verdict::Wrong(wrong) => wrong,
        };
        self.checked.entries += 1;
        let repair = match self.mends.then(|| self.mend_row(table, number)) {
            None => Repair::None,
            Some(Ok(())) => Repair::Done,
            Some(Err(error)) => Repair::Failed(with_cause(&error)),
        };
        let subject = wrong.key.map_or_else(|| Subject::Path(self.layout.path(INDEX)), Subject::Entry);
        let place = wrong.transaction.map_or_else(String::new, |id| format!(", staged in transaction {id}"));
        for (fault, detail) in wrong.faults {
            self.found(fault, subject.clone(), format!("{detail}{place}"), repair.clone());
        }
        Ok(())
    }

    /// Looks at one row and all that belongs to it, at one moment of the index.
    fn judge(&mut self, table: Table, number: i64) -> Result<Verdict, StoreError> {
        let Some(store) = &self.store else { return Ok(Verdict::Gone) };
        let failed = store.index()?.failed("check an entry");
        let moment = store.index()?.connection().unchecked_transaction().map_err(&failed)?;
        let verdict = judge(&moment, &self.contents, table, number).map_err(&failed)?;
        moment.commit().map_err(failed)?;
        Ok(verdict)
    }

    /// Removes a row that cannot be trusted, or writes anew what follows from its entry.
    fn mend_row(&mut self, table: Table, number: i64) -> Result<(), StoreError> {
        let Some(store) = &mut self.store else { return Ok(()) };
        let path = store.index()?.path().to_owned();
        let failed = |source| super::index::failure(&path, "mend an entry", source);
        let records = store.index()?.records().clone();
        let connection = store.index_mut()?.connection_mut();
        let change = connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(failed)?;
        if let Verdict::Wrong(wrong) = judge(&change, &self.contents, table, number).map_err(failed)? {
            mend_row(&change, table, number, &wrong, self.now).map_err(failed)?;
            match &wrong.key {
                Some(key) => records.forget(key)?,
                None => records.forget_all()?,
            }
        }
        change.commit().map_err(failed)
    }

    /// References of entries that are gone keep contents from being collected.
    fn dangling(&mut self) -> Result<(), StoreError> {
        for (table, fits) in [
            (COMMITTED, "key NOT IN (SELECT key FROM entry)"),
            (
                STAGED,
                "NOT EXISTS (SELECT 1 FROM staged_entry WHERE staged_entry.txn = staged_reference.txn
                     AND staged_entry.key = staged_reference.key)",
            ),
        ] {
            let index = self.opened()?;
            let count: i64 = index
                .connection()
                .query_row(&format!("SELECT count(*) FROM {} WHERE {fits}", table.references), [], |row| {
                    row.get(0)
                })
                .map_err(index.failed("check the references"))?;
            if count > 0 {
                let detail = format!("{count} references of entries that are gone");
                self.mending(Fault::References, Subject::Store, detail, |this| {
                    let index = this.opened()?;
                    let removed = index
                        .connection()
                        .execute(&format!("DELETE FROM {} WHERE {fits}", table.references), []);
                    removed.map_err(index.failed("remove references"))?;
                    Ok(())
                });
            }
        }
        Ok(())
    }

    fn path_sets(&mut self) -> Result<(), StoreError> {
        for table in ["path_set", "staged_path_set"] {
            // This table has no row numbers, so it is read in one go; what is kept of it is what is wrong.
            let mut wrong: Vec<(Value, Value)> = Vec::new();
            {
                let index = self.opened()?;
                let failed = index.failed("check the path sets");
                let mut query = index
                    .connection()
                    .prepare(&format!("SELECT recipe, id, paths FROM {table}"))
                    .map_err(&failed)?;
                let mut rows = query.query([]).map_err(&failed)?;
                while let Some(row) = rows.next().map_err(&failed)? {
                    let [recipe, id, paths]: [Value; 3] = [
                        row.get(0).map_err(&failed)?,
                        row.get(1).map_err(&failed)?,
                        row.get(2).map_err(&failed)?,
                    ];
                    if !is_path_set(&recipe, &id, &paths) {
                        wrong.push((recipe, id));
                    }
                }
            }
            for (recipe, id) in wrong {
                let subject = key_in(&recipe).map_or(Subject::Store, Subject::Entry);
                self.mending(Fault::PathSet, subject, "a list of dependencies does not decode", |this| {
                    let index = this.opened()?;
                    let statement = format!("DELETE FROM {table} WHERE recipe IS ?1 AND id IS ?2");
                    let removed = index.connection().execute(&statement, params![recipe, id]);
                    removed.map_err(index.failed("remove a path set"))?;
                    Ok(())
                });
            }
        }
        Ok(())
    }

    fn small_content(&mut self, number: i64) -> Result<(), StoreError> {
        let index = self.opened()?;
        let row: Option<(Value, Value)> = index
            .connection()
            .prepare_cached("SELECT digest, bytes FROM small_content WHERE rowid = ?1")
            .and_then(|mut query| query.query_row([number], |row| Ok((row.get(0)?, row.get(1)?))).optional())
            .map_err(index.failed("check a content"))?;
        let Some((name, bytes)) = row else { return Ok(()) };
        let digest = key_in(&name).map(|key| *key.digest());
        if let (Some(digest), Value::Blob(bytes)) = (digest, &bytes)
            && Digest::of(bytes) == digest
        {
            self.checked.contents += 1;
            self.checked.bytes += bytes.len() as u64;
            return Ok(());
        }
        let subject = digest.map_or_else(|| Subject::Path(self.layout.path(INDEX)), Subject::Content);
        self.mending(Fault::ContentDamaged, subject, "its bytes are not those of its digest", |this| {
            this.change("remove a content", |connection| {
                if let Some(digest) = &digest {
                    remove_referrers(connection, digest)?;
                }
                connection.execute(
                    "DELETE FROM small_content WHERE rowid = ?1 AND digest IS ?2 AND bytes IS ?3",
                    params![number, name, bytes],
                )?;
                Ok(())
            })
        });
        Ok(())
    }

    /// Makes a change in one SQLite transaction.
    pub(super) fn change(
        &mut self,
        action: &'static str,
        change: impl FnOnce(&Connection) -> rusqlite::Result<()>,
    ) -> Result<(), StoreError> {
        let index = self.opened()?;
        let path = index.path().to_owned();
        let failed = |source| super::index::failure(&path, action, source);
        let records = index.records().clone();
        let transaction = index
            .connection_mut()
            .transaction_with_behavior(TransactionBehavior::Immediate)
            .map_err(failed)?;
        change(&transaction).map_err(failed)?;
        // Which rows that concerned is not told, and hot records are cheap.
        records.forget_all()?;
        transaction.commit().map_err(failed)
    }
}

/// Removes every entry that refers to a content.
pub(super) fn remove_referrers(connection: &Connection, digest: &Digest) -> rusqlite::Result<()> {
    let digest = digest.as_bytes().as_slice();
    connection
        .execute("DELETE FROM entry WHERE key IN (SELECT key FROM reference WHERE digest = ?1)", [digest])?;
    connection.execute(
        "DELETE FROM reference WHERE key IN (SELECT key FROM reference WHERE digest = ?1)",
        [digest],
    )?;
    connection.execute(
        "DELETE FROM staged_entry WHERE (txn, key) IN (SELECT txn, key FROM staged_reference WHERE digest = ?1)",
        [digest],
    )?;
    connection.execute(
        "DELETE FROM staged_reference
         WHERE (txn, key) IN (SELECT txn, key FROM staged_reference WHERE digest = ?1)",
        [digest],
    )?;
    Ok(())
}

fn judge(
    connection: &Connection,
    contents: &Contents,
    table: Table,
    number: i64,
) -> rusqlite::Result<Verdict> {
    let transaction = if table.is_staged { "txn" } else { "NULL" };
    let row: Option<Vec<Value>> = connection
        .prepare_cached(&format!(
            "SELECT {transaction}, key, body, checksum, used, recipe, project, domain, task, created, expires,
                 duration, exit_code, size FROM {} WHERE rowid = ?1",
            table.name
        ))?
        .query_row([number], |row| (0..14).map(|column| row.get(column)).collect())
        .optional()?;
    let Some(row) = row else { return Ok(Verdict::Gone) };
    let transaction = match &row[0] {
        Value::Text(id) => Some(id.clone()),
        _ => None,
    };
    let mut wrong = Wrong { key: key_in(&row[1]), entry: None, transaction, faults: Vec::new() };
    let mut broken = |fault, detail: &str| wrong.faults.push((fault, detail.to_owned()));
    let found = match (wrong.key, &row[2], &row[3]) {
        (Some(key), Value::Blob(body), Value::Blob(checksum)) => read_body(&key, body, checksum),
        _ => Found::Damaged,
    };
    let Found::Entry(entry) = found else {
        broken(Fault::Row, "its row is not what was written");
        return Ok(Verdict::Wrong(wrong));
    };
    if !matches!(row[4], Value::Integer(_)) || row[5..] != columns(&entry) {
        broken(Fault::Columns, "columns of its row disagree with the entry");
    }
    let expected: Vec<Content> = entry.contents();
    if listed(connection, table, &row[0], &row[1])? != expected {
        broken(Fault::References, "the list of its contents disagrees with the entry");
    }
    for content in &expected {
        let small: Option<i64> = connection
            .prepare_cached("SELECT length(bytes) FROM small_content WHERE digest = ?1")?
            .query_row([content.digest.as_bytes().as_slice()], |row| row.get(0))
            .optional()?;
        let is_there = match small {
            Some(length) => u64::try_from(length) == Ok(content.size),
            None => contents.has(content),
        };
        if !is_there {
            let (digest, size) = (content.digest.short(), content.size);
            broken(Fault::ContentMissing, &format!("content {digest} of {size} bytes is missing"));
        }
    }
    wrong.entry = Some(entry);
    Ok(if wrong.faults.is_empty() { Verdict::Sound } else { Verdict::Wrong(wrong) })
}

/// Returns what stands in the columns that follow from an entry.
fn columns(entry: &Entry) -> [Value; 9] {
    let number = |value: u64| Value::Integer(i64::try_from(value).unwrap_or(i64::MAX));
    [
        Value::Blob(blob(&entry.recipe).to_vec()),
        Value::Text(entry.project.clone()),
        Value::Text(entry.domain.clone()),
        Value::Blob(entry.task.clone()),
        Value::Integer(entry.created.as_millis()),
        entry.expires.map_or(Value::Null, |expires| Value::Integer(expires.as_millis())),
        number(entry.duration.as_millis()),
        Value::Integer(entry.exit_code.into()),
        number(entry.size()),
    ]
}

/// Returns the contents that the table of references lists for an entry; those that are no contents are left out,
/// so that the list differs from the right one.
fn listed(
    connection: &Connection,
    table: Table,
    transaction: &Value,
    key: &Value,
) -> rusqlite::Result<Vec<Content>> {
    let among = if table.is_staged { "txn IS ?2" } else { "?2 IS NULL" };
    let mut query = connection.prepare_cached(&format!(
        "SELECT digest, size FROM {} WHERE key = ?1 AND {among} ORDER BY digest",
        table.references
    ))?;
    let rows = query.query_map(params![key, transaction], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let mut contents = Vec::new();
    for row in rows {
        if let (name, Value::Integer(size)) = row?
            && let (Some(key), Ok(size)) = (key_in(&name), u64::try_from(size))
        {
            contents.push(Content { digest: *key.digest(), size });
        }
    }
    Ok(contents)
}

fn mend_row(
    connection: &Connection,
    table: Table,
    number: i64,
    wrong: &Wrong,
    now: Timestamp,
) -> rusqlite::Result<()> {
    let is_lost = wrong.faults.iter().any(|(fault, _)| !matches!(fault, Fault::Columns | Fault::References));
    match &wrong.entry {
        Some(entry) if !is_lost && !table.is_staged => write_entry(connection, entry, now),
        // What is staged is not finished; the run that staged it is there to run again.
        _ => {
            let among = if table.is_staged { "txn IS ?2" } else { "?2 IS NULL" };
            if let Some(key) = &wrong.key {
                connection.execute(
                    &format!("DELETE FROM {} WHERE key = ?1 AND {among}", table.references),
                    params![blob(key), wrong.transaction],
                )?;
            }
            connection.execute(&format!("DELETE FROM {} WHERE rowid = ?1", table.name), [number])?;
            Ok(())
        }
    }
}

fn is_path_set(recipe: &Value, id: &Value, paths: &Value) -> bool {
    let Value::Blob(bytes) = paths else { return false };
    let named = key_in(id).map(|id| *id.digest());
    key_in(recipe).is_some() && PathSet::decode(bytes).is_ok_and(|set| Some(set.id()) == named)
}

fn key_in(value: &Value) -> Option<CacheKey> {
    match value {
        Value::Blob(bytes) => Digest::from_slice(bytes).map(CacheKey::from_digest),
        _ => None,
    }
}
