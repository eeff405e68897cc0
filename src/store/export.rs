//! Entries with all that belongs to them, written as a stream that another store can take in.
//!
//! What crosses: the entry, its contents, and the lists of files that lead to an entry of a run with a dependency
//! file. What does not: the store's secret, and the digests that are keyed with it. Those of environment variables,
//! values, salt, flow parameters and keys of one's own say nothing in another store, so each is withheld (see
//! [`Fingerprint::withheld`]); the key of an entry does not depend on them. Last uses, witnesses and placements speak
//! about this machine and stay as well.
//!
//! Contents are read to their end before the first byte of them goes out, and an entry follows its contents. So an
//! entry whose contents turn out damaged, or go while a collection runs beside, is left out and the stream stays
//! whole. No lock is held: the reader of a pipe may take its time.
//!
//! [`Fingerprint::withheld`]: crate::model::fingerprint::Fingerprint::withheld

use super::content::Body;
use super::exchange::{ExchangeError, ExchangeWriter};
use super::removal::Selection;
use super::{Found, Store, StoreError};
use crate::model::admission::{MAX_ENTRY, Refusal, check};
use crate::model::digest::Digest;
use crate::model::entry::{Content, Entry};
use crate::model::fingerprint::CacheKey;
use crate::model::time::{Size, Timestamp};
use crate::world::file::FileError;
use crate::world::reading::content_of;
use std::collections::BTreeSet;
use std::io::{Seek, Write};

/// What was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Exported {
    /// How many entries.
    pub entries: u64,
    /// How many bytes of content, each content counted once.
    pub bytes: u64,
    /// Entries that expired and were left out.
    pub expired: u64,
    /// Entries that were left out because they are damaged or no store would take them.
    pub left_out: u64,
}

/// Why an entry is left out of an export.
#[derive(Debug, thiserror::Error)]
pub enum LeftOut {
    /// Its row is damaged.
    #[error("it is damaged")]
    Damaged,
    /// A content that it needs is missing or damaged.
    #[error("content {} is missing or damaged", .0.short())]
    Content(Digest),
    /// No store would take it.
    #[error(transparent)]
    Refused(#[from] Refusal),
}

impl Store {
    /// Returns the keys of the entries that fit, sorted.
    pub fn selected_keys(&self, selection: &Selection) -> Result<BTreeSet<CacheKey>, StoreError> {
        let mut keys = BTreeSet::new();
        self.noting_damage(self.index()?.each_row(|row| {
            if selection.takes(&row) {
                keys.insert(row.key);
            }
        }))?;
        Ok(keys)
    }

    /// Writes entries as a stream. `tell` hears of each one that has to be left out.
    pub fn export<W: Write>(
        &self,
        keys: &BTreeSet<CacheKey>,
        now: Timestamp,
        target: W,
        tell: &mut dyn FnMut(&CacheKey, &LeftOut),
    ) -> Result<(Exported, W), ExchangeError> {
        let mut export = Export {
            store: self,
            writer: ExchangeWriter::new(target)?,
            sent: BTreeSet::new(),
            recipes: BTreeSet::new(),
            exported: Exported::default(),
        };
        for key in keys {
            let entry = match self.find(key)? {
                Found::Entry(entry) => entry,
                // Removed since the keys were listed.
                Found::Absent => continue,
                Found::Damaged => {
                    export.exported.left_out += 1;
                    tell(key, &LeftOut::Damaged);
                    continue;
                }
            };
            if entry.expires.is_some_and(|expires| expires <= now) {
                export.exported.expired += 1;
            } else if let Some(why) = export.entry(*entry, now)? {
                export.exported.left_out += 1;
                tell(key, &why);
            }
        }
        Ok((export.exported, export.writer.finish()?))
    }
}

struct Export<'a, W> {
    store: &'a Store,
    writer: ExchangeWriter<W>,
    sent: BTreeSet<Digest>,
    recipes: BTreeSet<CacheKey>,
    exported: Exported,
}

impl<W: Write> Export<'_, W> {
    fn entry(&mut self, mut entry: Entry, now: Timestamp) -> Result<Option<LeftOut>, ExchangeError> {
        entry.withhold();
        let length = entry.encode().len() as u64;
        if length > MAX_ENTRY {
            return Ok(Some(Refusal::Record(length).into()));
        }
        // How much a store takes in all is its own to say.
        if let Err(refusal) = check(&entry, Size::from_bytes(u64::MAX), now) {
            return Ok(Some(refusal.into()));
        }
        for content in entry.contents() {
            if !self.sent.contains(&content.digest) && !self.content(&content)? {
                return Ok(Some(LeftOut::Content(content.digest)));
            }
        }
        self.writer.entry(&entry)?;
        if entry.recipe != entry.key && self.recipes.insert(entry.recipe) {
            for set in self.store.path_sets(&entry.recipe)? {
                self.writer.path_set(&entry.recipe, &set)?;
            }
        }
        self.exported.entries += 1;
        Ok(None)
    }

    /// Writes a content; `false` where it is missing or damaged.
    fn content(&mut self, content: &Content) -> Result<bool, ExchangeError> {
        match self.store.body(content)? {
            None => return Ok(false),
            Some(Body::Memory(bytes)) => self.writer.content(content, bytes.as_slice())?,
            Some(Body::File(mut file)) => {
                let path = self.store.content_path(content);
                if content_of(&file).map_err(FileError::of("read", &path))? != *content {
                    return Ok(false);
                }
                file.rewind().map_err(FileError::of("read", &path))?;
                self.writer.content(content, file)?;
            }
        }
        self.sent.insert(content.digest);
        self.exported.bytes += content.size;
        Ok(true)
    }
}
