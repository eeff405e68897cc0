//! Taking an exported stream in: all of it is put aside and proven, and only then is anything stored.
//!
//! 1. Each content goes into the process's scratch folder and proves its digest; each entry is judged by the rules of
//!    [`crate::model::admission`]. Small things go into a database there, so that memory does not grow with the stream.
//! 2. The stream's own digest decides whether it was whole. A truncated or altered one ends here, with nothing stored.
//! 3. Contents are published, and then all rows are written in one transaction that the disk confirms, under the lock
//!    that keeps collections away from contents without a row. A process that dies leaves contents that nobody needs,
//!    and never a part of the entries.
//!
//! An entry that is here stays, unless the one that comes was made later. Being imported counts as a use.
//!
//! An entry that breaks a rule is refused by itself: the others of its stream have their own proof. What is withheld
//! in a fingerprint is withheld whatever the stream says there.

use super::content::SMALL;
use super::exchange::{ExchangeError, ExchangeReader, Record};
use super::index::{blob, failure, unsigned, write_entry, write_path_set};
use super::{Durability, Found, PATIENCE, Store, StoreError, quarantine};
use crate::model::admission::{Refusal, admit, key_in};
use crate::model::digest::Digest;
use crate::model::entry::{Content, Entry};
use crate::model::fingerprint::CacheKey;
use crate::model::path_set::PathSet;
use crate::model::time::{Size, Timestamp};
use crate::world::file::{FileError, create_private};
use crate::world::lock::Sharing;
use rusqlite::{Connection, OptionalExtension, Transaction, TransactionBehavior, params};
use std::collections::BTreeSet;
use std::io::Read;
use std::path::{Path, PathBuf};

/// What became of a stream.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Imported {
    /// Entries that were stored.
    pub entries: u64,
    /// How many bytes of content they refer to, each content counted once.
    pub bytes: u64,
    /// Entries that were here already and are not older.
    pub kept: u64,
    /// Entries that had expired.
    pub expired: u64,
    /// Entries that were refused.
    pub refused: Vec<RefusedEntry>,
    /// Entries that were refused beyond those that are listed.
    pub refused_more: u64,
}

/// An entry of the stream that is not taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefusedEntry {
    /// Which entry of the stream, counted from 1.
    pub number: u64,
    /// Its key, as far as its record tells.
    pub key: Option<CacheKey>,
    /// Why, printable.
    pub why: String,
}

/// How many refusals are told one by one.
const TOLD: usize = 100;

impl Store {
    /// Takes a stream in. At most `most` bytes of it may be records.
    pub fn import(
        &mut self,
        source: impl Read,
        most: Size,
        now: Timestamp,
    ) -> Result<Imported, ExchangeError> {
        let scratch = self.scratch()?;
        let mut staging = Staging::create(scratch.unused_path(), scratch.path().to_owned())?;
        let mut imported = Imported::default();
        staging.read(ExchangeReader::new(source, most)?, most, now, &mut imported)?;
        let stored = self.store_staged(&staging, now, &mut imported);
        self.noting_damage(stored)?;
        Ok(imported)
    }

    fn store_staged(
        &mut self,
        staging: &Staging,
        now: Timestamp,
        imported: &mut Imported,
    ) -> Result<(), StoreError> {
        let _lock = self.collection_lock(Sharing::Shared, PATIENCE)?;
        if quarantine::identity(self.index()?.path()) != self.index()?.identity() {
            return Err(StoreError::Replaced(self.layout.root.clone()));
        }
        let path = self.index()?.path().to_owned();
        let failed = |source| failure(&path, "import entries", source);
        // Published first, for an entry's row may only stand where its contents are. One that turns out to be kept
        // leaves contents for the next collection.
        let mut published = BTreeSet::new();
        staging.each_entry(|entry| {
            if self.is_newer(&entry)? {
                for content in entry.contents() {
                    if content.size > SMALL && published.insert(content.digest) {
                        self.contents.publish(&content, &staging.file(&content.digest), Durability::Power)?;
                    }
                }
            }
            Ok(())
        })?;
        self.contents.sync()?;
        let connection = self.index()?.connection();
        connection.pragma_update(None, "synchronous", "FULL").map_err(failed)?;
        let change =
            Transaction::new_unchecked(connection, TransactionBehavior::Immediate).map_err(failed)?;
        let mut counted = BTreeSet::new();
        staging.each_entry(|entry| {
            if !self.is_newer(&entry)? {
                imported.kept += 1;
                return Ok(());
            }
            for content in entry.contents() {
                if content.size <= SMALL {
                    let bytes = staging.small(&content.digest)?;
                    change
                        .prepare_cached(
                            "INSERT OR REPLACE INTO small_content (digest, bytes) VALUES (?1, ?2)",
                        )
                        .and_then(|mut insert| {
                            insert.execute(params![content.digest.as_bytes().as_slice(), bytes])
                        })
                        .map_err(failed)?;
                } else if !self.contents.has(&content) {
                    // The one that was here went since we looked, and was newer; what we have is not published.
                    imported.kept += 1;
                    return Ok(());
                }
                if counted.insert(content.digest) {
                    imported.bytes += content.size;
                }
            }
            self.index()?.records().forget(&entry.key)?;
            write_entry(&change, &entry, now).map_err(failed)?;
            imported.entries += 1;
            Ok(())
        })?;
        staging.each_path_set(|recipe, set| {
            let leads = change
                .query_row("SELECT 1 FROM entry WHERE recipe = ?1", [blob(&recipe)], |_| Ok(()))
                .optional()
                .map_err(failed)?;
            match leads {
                Some(()) => write_path_set(&change, &recipe, &set, now).map_err(failed),
                None => Ok(()),
            }
        })?;
        change.commit().map_err(failed)
    }

    /// Returns whether an entry is newer than what is here under its key. What is damaged counts as nothing.
    fn is_newer(&self, entry: &Entry) -> Result<bool, StoreError> {
        Ok(match self.index()?.find(&entry.key)? {
            Found::Entry(here) => here.created < entry.created,
            Found::Absent | Found::Damaged => true,
        })
    }
}

/// What was read of a stream and is not stored yet. It lies in the scratch folder and goes with it.
struct Staging {
    connection: Connection,
    path: PathBuf,
    folder: PathBuf,
}

impl Staging {
    fn create(path: PathBuf, folder: PathBuf) -> Result<Self, ExchangeError> {
        // Made by us first, so that it has our mode whatever the umask.
        create_private(&path)?;
        let connection = Connection::open(&path).map_err(ExchangeError::Staging)?;
        // Nobody else ever looks at it, and what dies with the process need not be durable.
        let made = connection.execute_batch(
            "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA locking_mode = EXCLUSIVE;
             CREATE TABLE content (digest BLOB PRIMARY KEY, size INTEGER NOT NULL, bytes BLOB) WITHOUT ROWID;
             CREATE TABLE entry (number INTEGER PRIMARY KEY, key BLOB NOT NULL UNIQUE, record BLOB NOT NULL);
             CREATE TABLE path_set (recipe BLOB NOT NULL, record BLOB NOT NULL);
             BEGIN;",
        );
        made.map_err(ExchangeError::Staging)?;
        Ok(Self { connection, path, folder })
    }

    /// Reads a stream to its end and puts everything aside that may be stored.
    fn read(
        &mut self,
        mut reader: ExchangeReader<impl Read>,
        most: Size,
        now: Timestamp,
        imported: &mut Imported,
    ) -> Result<(), ExchangeError> {
        let mut number = 0;
        while let Some(record) = reader.record()? {
            let (beginning, outcome) = match record {
                Record::Content(content) => {
                    self.content(&content, &mut reader)?;
                    continue;
                }
                Record::PathSet(recipe, bytes) => {
                    // One that does not decode leads nowhere, and costs a miss at most.
                    if PathSet::decode(&bytes).is_ok() {
                        self.run("INSERT INTO path_set VALUES (?1, ?2)", params![blob(&recipe), bytes])?;
                    }
                    continue;
                }
                Record::LargeEntry(length, beginning) => {
                    (beginning, Err(Refusal::Record(length).to_string()))
                }
                Record::Entry(bytes) => {
                    let admitted = admit(&bytes, most, now).map_err(|refusal| refusal.to_string());
                    (bytes, admitted)
                }
            };
            number += 1;
            let outcome = match outcome {
                Ok(entry) if entry.expires.is_some_and(|expires| expires <= now) => {
                    imported.expired += 1;
                    Ok(())
                }
                Ok(entry) => self.entry(number, entry)?,
                Err(why) => Err(why),
            };
            match outcome {
                Err(_) if imported.refused.len() >= TOLD => imported.refused_more += 1,
                Err(why) => imported.refused.push(RefusedEntry { number, key: key_in(&beginning), why }),
                Ok(()) => {}
            }
        }
        Ok(())
    }

    fn run(&self, statement: &str, values: impl rusqlite::Params) -> Result<usize, ExchangeError> {
        let run = |connection: &Connection| connection.prepare_cached(statement)?.execute(values);
        run(&self.connection).map_err(ExchangeError::Staging)
    }

    fn file(&self, digest: &Digest) -> PathBuf {
        self.folder.join(digest.to_string())
    }

    fn content(
        &self,
        content: &Content,
        reader: &mut ExchangeReader<impl Read>,
    ) -> Result<(), ExchangeError> {
        let size = i64::try_from(content.size).unwrap_or(i64::MAX);
        let digest = content.digest.as_bytes().as_slice();
        let known =
            self.run("INSERT OR IGNORE INTO content VALUES (?1, ?2, NULL)", params![digest, size])? == 0;
        if known {
            return Err(ExchangeError::Repeated(content.digest));
        }
        if content.size <= SMALL {
            let mut bytes = Vec::new();
            reader.content(content, &mut bytes)?;
            self.run("UPDATE content SET bytes = ?2 WHERE digest = ?1", params![digest, bytes])?;
            return Ok(());
        }
        let path = self.file(&content.digest);
        let mut file = create_private(&path)?;
        reader.content(content, &mut file)?;
        // Here and not under the lock, where others would wait for it.
        Ok(file.sync_data().map_err(FileError::of("sync", &path))?)
    }

    /// Puts an entry aside if all its contents came before it.
    fn entry(&self, number: u64, mut entry: Entry) -> Result<Result<(), String>, ExchangeError> {
        for content in entry.contents() {
            let found: Option<i64> = self
                .connection
                .prepare_cached("SELECT size FROM content WHERE digest = ?1")
                .and_then(|mut query| {
                    query.query_row([content.digest.as_bytes().as_slice()], |row| row.get(0)).optional()
                })
                .map_err(ExchangeError::Staging)?;
            let digest = content.digest.short();
            match found.map(unsigned) {
                None => return Ok(Err(format!("content {digest} is not in the stream"))),
                Some(size) if size != content.size => {
                    let claimed = content.size;
                    return Ok(Err(format!("content {digest} has {size} bytes and not {claimed}")));
                }
                Some(_) => {}
            }
        }
        entry.withhold();
        let number = i64::try_from(number).unwrap_or(i64::MAX);
        let put = self.run(
            "INSERT OR IGNORE INTO entry VALUES (?1, ?2, ?3)",
            params![number, blob(&entry.key), entry.encode()],
        )?;
        Ok(if put == 1 { Ok(()) } else { Err("its key stands twice in the stream".into()) })
    }

    fn failed(&self) -> impl Fn(rusqlite::Error) -> StoreError + '_ {
        |source| failure(&self.path, "read what was put aside", source)
    }

    fn small(&self, digest: &Digest) -> Result<Vec<u8>, StoreError> {
        self.connection
            .prepare_cached("SELECT bytes FROM content WHERE digest = ?1")
            .and_then(|mut query| query.query_row([digest.as_bytes().as_slice()], |row| row.get(0)))
            .map_err(self.failed())
    }

    fn each_entry(&self, mut take: impl FnMut(Entry) -> Result<(), StoreError>) -> Result<(), StoreError> {
        let mut query =
            self.connection.prepare("SELECT record FROM entry ORDER BY number").map_err(self.failed())?;
        let mut rows = query.query([]).map_err(self.failed())?;
        while let Some(row) = rows.next().map_err(self.failed())? {
            let record: Vec<u8> = row.get(0).map_err(self.failed())?;
            // It was admitted a moment ago; bytes that changed since then are those of a disk that fails.
            let entry = Entry::decode(&record).map_err(|_| StoreError::Changed(self.path.clone()))?;
            take(entry)?;
        }
        Ok(())
    }

    fn each_path_set(
        &self,
        mut take: impl FnMut(CacheKey, PathSet) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        let mut query =
            self.connection.prepare("SELECT recipe, record FROM path_set").map_err(self.failed())?;
        let mut rows = query.query([]).map_err(self.failed())?;
        while let Some(row) = rows.next().map_err(self.failed())? {
            let recipe = super::index::key_of(row.get(0).map_err(self.failed())?);
            let record: Vec<u8> = row.get(1).map_err(self.failed())?;
            let set = PathSet::decode(&record).map_err(|_| StoreError::Changed(self.path.clone()))?;
            take(recipe, set)?;
        }
        Ok(())
    }
}

impl Drop for Staging {
    fn drop(&mut self) {
        // The scratch folder goes with the process; this only frees the room a little earlier.
        let _ = std::fs::remove_file(Path::new(&self.path));
    }
}
