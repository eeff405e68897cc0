//! The local store: where results live between runs.
//!
//! # What is where
//!
//! ```text
//! <store>/CACHEDIR.TAG   tells backup programs to pass by
//! <store>/index.db       SQLite: entries, references, small contents, path sets; the authority
//! <store>/blobs/ab/…     contents of more than 32 KiB, by SHA-256; never changed once they have their name
//! <store>/tmp/           the same file system as blobs; a folder for each process at work, swept when it is gone
//! <store>/locks/         advisory locks, and leases where those cannot be relied on
//! <store>/witnesses/     file digests with the stat facts under which they hold: an accelerator
//! <store>/records/ab/…   hot records: an entry and its small streams, to spare a hit the index: an accelerator
//! <store>/placements/    what runs and restores put into output folders
//! <store>/quarantine/    indexes that turned out damaged
//! <store>/history.jsonl  one line a run: outcomes, durations, last uses
//! <store>/collected      when the limits were last enforced
//! ```
//!
//! # Orders that keep it right
//!
//! - *Record*: contents, each complete under a temporary name and then renamed; then one transaction for the
//!   entry and its references. What dies in between leaves garbage, never a wrong entry.
//! - *Hit*: the hot record or the row, whose checksum covers key and body; then the contents, whose names are their
//!   digests.
//! - *Remove*: rows first, then contents that nothing refers to any more. A recorder holds the collection lock
//!   shared from before its first content until its row stands, and whoever deletes contents holds it alone: so no
//!   content goes away that a row is about to refer to.
//!
//! Locks only order the work. What makes a wrong answer impossible is that rows carry checksums and contents carry
//! their digests as names: whatever breaks, and whoever lies about locks, damage is a miss.
//!
//! Deliberately absent: a daemon, write access on a hit (uses are appended to the history), hard links into the
//! working tree (an edit in place would change the store), and anything that reads what other programs keep beside
//! the store's folder.

mod candidate;
pub mod claim;
pub mod collection;
pub mod content;
pub mod exchange;
pub mod export;
pub mod finding;
pub mod history;
pub mod holdings;
pub mod hot_record;
pub mod import;
pub mod index;
mod inventory;
pub mod leftovers;
pub mod looking;
mod mark;
pub mod neighbours;
pub mod placement;
pub mod quarantine;
pub mod record_form;
pub mod removal;
pub mod reservation;
mod salvage;
mod schema;
pub mod scratch;
pub mod shelf;
pub mod transaction;
pub mod turn;
pub mod verification;
pub mod witness;

use crate::model::codec::DecodeError;
use crate::model::digest::{Digest, Hasher};
use crate::model::entry::{Content, Entry};
use crate::model::fingerprint::CacheKey;
use crate::model::locking::Locking;
use crate::model::path::printable;
use crate::model::path_set::PathSet;
use crate::model::time::Timestamp;
use crate::world::file::{FileError, FileType, Witness, create_private_folder, touched_time};
use crate::world::lock::{FileLock, Sharing};
use claim::{Claims, Fence};
use content::{Body, Contents, Staged};
use hot_record::Wanted;
use index::{Index, Inserted, Insertion};
use reservation::Reservations;
use scratch::Scratch;
use std::cell::{Cell, OnceCell, RefCell};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::time::Duration;
use transaction::{TransactionId, TransactionRow};

/// Why the store cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The folder is something else.
    #[error("the store '{}' is not a folder", shown(.0))]
    NotAFolder(PathBuf),
    /// The folder belongs to somebody else.
    #[error("the store '{}' belongs to another user", shown(.0))]
    ForeignOwner(PathBuf),
    /// There is no store, and none is to be made.
    #[error("there is no store at '{}'", shown(.0))]
    Missing(PathBuf),
    /// The index is not ours.
    #[error("'{}' is not a taskcache index", shown(.0))]
    Foreign(PathBuf),
    /// A newer version of taskcache made it.
    #[error("the store '{}' has format {found}; this version knows up to {known}", shown(path))]
    Newer {
        /// The store.
        path: PathBuf,
        /// The format found.
        found: i64,
        /// The newest known format.
        known: i64,
    },
    /// The index is damaged.
    #[error("the index '{}' is damaged", shown(path))]
    Damaged {
        /// The index.
        path: PathBuf,
        /// What SQLite said.
        #[source]
        source: rusqlite::Error,
    },
    /// SQLite failed otherwise: locked for too long, disk full, read-only.
    #[error("cannot {action} in the index '{}'", shown(path))]
    Index {
        /// What was being done.
        action: &'static str,
        /// The index.
        path: PathBuf,
        /// What SQLite said.
        #[source]
        source: rusqlite::Error,
    },
    /// A file operation failed.
    #[error(transparent)]
    File(#[from] FileError),
    /// Others kept the collection lock for too long.
    #[error("the store '{}' is locked by another process", shown(.0))]
    Locked(PathBuf),
    /// The transaction was committed, rolled back or swept meanwhile.
    #[error("the transaction {} is over", .0.as_ref().map_or("", TransactionId::as_str))]
    TransactionOver(Option<TransactionId>),
    /// What was held so that nobody else stores was lost.
    #[error("its lease ran out, and another process has taken over")]
    Fenced,
    /// The store was deleted or replaced while it was open here.
    #[error("the store '{}' was replaced while it was in use", shown(.0))]
    Replaced(PathBuf),
    /// What is to be stored is not what its digest says: somebody wrote to it meanwhile.
    #[error("'{}' changed while it was stored", shown(.0))]
    Changed(PathBuf),
}

fn shown(path: &Path) -> String {
    printable(path.as_os_str().as_bytes())
}

/// What was found under a key.
#[derive(Debug)]
pub enum Found {
    /// A whole entry.
    Entry(Box<Entry>),
    /// Nothing.
    Absent,
    /// A row that is damaged; its entry counts as absent and the next record replaces it.
    Damaged,
}

/// Whether the disk has to confirm a record before it counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Durability {
    /// Survives the death of any process.
    Process,
    /// Survives a power cut as well; costs the flushes.
    Power,
}

/// Where everything lies below the store's folder.
#[derive(Debug, Clone)]
pub struct Layout {
    /// The store's folder.
    pub root: PathBuf,
}

impl Layout {
    /// Returns the path of one of the names that the module's head lists.
    pub fn path(&self, name: &str) -> PathBuf {
        self.root.join(name)
    }
}

/// An open store.
#[derive(Debug)]
pub struct Store {
    layout: Layout,
    /// Which index file was there at first; `None` where there was none yet.
    seen: Option<(u64, u64)>,
    /// Opened when it is first asked: a hit may be over without it.
    index: OnceCell<Index>,
    contents: Contents,
    /// What a look-up lacked to be over without the index; none where it lacked nothing, or did not try.
    wanted: Cell<Option<Wanted>>,
    /// Streams that came with a hot record.
    streams: RefCell<Vec<Vec<u8>>>,
    scratch: OnceCell<Scratch>,
    /// The transaction that this store works in and those around it, the innermost first.
    chain: Vec<TransactionRow>,
    /// Nothing is written, not even a damaged index is moved aside.
    reads_only: bool,
    locking: Locking,
    /// What must be held still when something is stored.
    fence: Vec<Fence>,
}

/// The lock that keeps recorders and collectors apart.
const COLLECTION: &str = "collection";

/// How long a recorder waits for a collector to finish.
const PATIENCE: Duration = Duration::from_secs(5);

const TAG: &[u8] =
    b"Signature: 8a477f597d28d172789f06886806bc55\n# A cache of taskcache. It can be deleted at any time.\n";

impl Store {
    /// Opens the store at `root` and makes it where it is missing.
    pub fn open(root: &Path) -> Result<Self, StoreError> {
        Self::check_folder(root)?;
        let store = Self::assemble(root);
        if store.seen.is_none() {
            store.index()?;
        }
        Ok(store)
    }

    /// Opens the store at `root` where there is one.
    pub fn open_existing(root: &Path) -> Result<Self, StoreError> {
        if !Self::check_folder(root)? {
            return Err(StoreError::Missing(root.to_owned()));
        }
        let store = Self::assemble(root);
        if store.seen.is_none() {
            return Err(StoreError::Missing(root.to_owned()));
        }
        Ok(store)
    }

    fn assemble(root: &Path) -> Self {
        let layout = Layout { root: root.to_owned() };
        let seen = quarantine::identity(&layout.path(quarantine::INDEX));
        let contents = Contents::new(layout.path("blobs"));
        Self {
            layout,
            seen,
            index: OnceCell::new(),
            contents,
            wanted: Cell::new(None),
            streams: RefCell::default(),
            scratch: OnceCell::new(),
            chain: Vec::new(),
            locking: Locking::default(),
            fence: Vec::new(),
            reads_only: false,
        }
    }

    /// Opens the store at `root` to be read: nothing in it is made, migrated or moved, whatever its state is.
    pub fn open_for_reading(root: &Path) -> Result<Self, StoreError> {
        Ok(Self { reads_only: true, ..Self::open_existing(root)? })
    }

    /// Returns whether a store was made at `root`, with or without an index.
    pub fn stands_at(root: &Path) -> bool {
        root.join("locks").is_dir()
    }

    /// Opens the store and leaves a damaged index where it is.
    fn open_as_it_is(root: &Path) -> Result<Self, StoreError> {
        let store = Self::assemble(root);
        let index = Index::open(&store.layout.path(quarantine::INDEX))?;
        Ok(Self { index: OnceCell::from(index), ..store })
    }

    /// Says by which means keys are reserved and transactions are held, where that is not the default.
    #[must_use]
    pub fn locking(mut self, locking: Locking) -> Self {
        self.locking = locking;
        self
    }

    /// Stores from now on only while all of these are held.
    pub fn guard(&mut self, fence: Vec<Fence>) {
        self.fence = fence;
    }

    /// Returns what is claimed in this store.
    pub(crate) fn claims(&self) -> Claims {
        Claims::of(&self.layout, self.locking)
    }

    /// Returns the reservations of this store.
    pub fn reservations(&self) -> Reservations {
        Reservations::of(&self.layout, self.locking)
    }

    /// Returns whether the folder exists; anything else in its place, or another owner, is an error.
    fn check_folder(root: &Path) -> Result<bool, StoreError> {
        match Witness::of_target(root) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(false),
            Err(error) if error.kind() == std::io::ErrorKind::NotADirectory => {
                Err(StoreError::NotAFolder(root.to_owned()))
            }
            Err(error) => Err(FileError::of("look at", root)(error).into()),
            Ok(witness) if witness.file_type() != FileType::Directory => {
                Err(StoreError::NotAFolder(root.to_owned()))
            }
            Ok(witness) if witness.owner() != rustix::process::geteuid().as_raw() => {
                Err(StoreError::ForeignOwner(root.to_owned()))
            }
            Ok(_) => Ok(true),
        }
    }

    fn prepare(root: &Path) -> Result<(), StoreError> {
        if Self::stands_at(root) {
            return Ok(());
        }
        for name in ["blobs", "tmp", "witnesses", "placements"] {
            create_private_folder(&root.join(name))?;
        }
        let tag = root.join("CACHEDIR.TAG");
        if !tag.exists() {
            crate::world::file::replace(&tag, TAG)?;
        }
        // Last, because its presence says that the rest stands.
        create_private_folder(&root.join("locks"))?;
        Ok(())
    }

    /// Returns where things lie.
    pub const fn layout(&self) -> &Layout {
        &self.layout
    }

    /// Returns the index; opens it at the first call.
    pub fn index(&self) -> Result<&Index, StoreError> {
        if let Some(index) = self.index.get() {
            return Ok(index);
        }
        let path = self.layout.path(quarantine::INDEX);
        if self.reads_only {
            let opened = Index::open_for_reading(&path)?;
            return Ok(self.index.get_or_init(|| opened));
        }
        Self::prepare(&self.layout.root)?;
        let seen = quarantine::identity(&path);
        let opened = Index::open(&path).map_err(|error| quarantine::after(error, &self.layout, seen))?;
        Ok(self.index.get_or_init(|| opened))
    }

    fn index_mut(&mut self) -> Result<&mut Index, StoreError> {
        self.index()?;
        Ok(self.index.get_mut().expect("it was opened on the line above"))
    }

    /// Returns this process's own folder for temporary files, made on first use.
    pub fn scratch(&self) -> Result<&Scratch, StoreError> {
        if let Some(scratch) = self.scratch.get() {
            return Ok(scratch);
        }
        let scratch = Scratch::create(&self.layout.path("tmp"))?;
        Ok(self.scratch.get_or_init(|| scratch))
    }

    /// Returns the present in the time of the store's file system, in nanoseconds since the epoch. A file that is there
    /// is touched: making one for it takes the file system up to 0.25 ms.
    pub fn present(&self) -> Result<i128, StoreError> {
        Ok(touched_time(&self.layout.path("locks").join(COLLECTION))?)
    }

    /// Returns what makes the digest that stands in the store for a confidential one. It is keyed with the store's own random
    /// secret, so that a copy of the store cannot be searched for the digests of likely values.
    pub fn mask(&self) -> Result<impl Fn(&Digest) -> Digest, StoreError> {
        let secret = *self.index()?.secret()?;
        Ok(move |digest: &Digest| {
            let mut hasher = Hasher::new();
            hasher.update(&secret);
            hasher.update(digest.as_bytes());
            hasher.finish()
        })
    }

    /// Looks an entry up by its key.
    pub fn find(&self, key: &CacheKey) -> Result<Found, StoreError> {
        match self.find_record(key) {
            Some(record) if record.whole => Ok(Found::Entry(Box::new(record.entry))),
            _ => self.find_row(key),
        }
    }

    /// Looks an entry up to give it back, which takes no fingerprint: that of the entry may be empty.
    pub fn find_to_replay(&self, key: &CacheKey) -> Result<Found, StoreError> {
        match self.find_record(key) {
            Some(record) => Ok(Found::Entry(Box::new(record.entry))),
            None => self.find_row(key),
        }
    }

    fn find_row(&self, key: &CacheKey) -> Result<Found, StoreError> {
        match self.noting_damage(self.find_staged(key))? {
            Some(staged) => Ok(staged),
            None => self.noting_damage(self.index()?.find(key)),
        }
    }

    /// Returns the path sets that led from `recipe` to an entry before, the last recorded first.
    pub fn path_sets(&self, recipe: &CacheKey) -> Result<Vec<PathSet>, StoreError> {
        let mut sets = self.noting_damage(self.staged_path_sets(recipe))?;
        sets.extend(self.noting_damage(self.index()?.path_sets(recipe))?);
        Ok(sets)
    }

    /// Opens stored content; `None` where it is missing or evidently damaged.
    pub fn body(&self, content: &Content) -> Result<Option<Body>, StoreError> {
        if content.size == 0 {
            return Ok(Some(Body::Memory(Vec::new())));
        }
        let is_it = |bytes: &&Vec<u8>| Content::of(bytes) == *content;
        if let Some(bytes) = self.streams.borrow().iter().find(is_it) {
            return Ok(Some(Body::Memory(bytes.clone())));
        }
        // Larger than what the index takes: it lies in a file, or nowhere.
        if content.size > content::SMALL {
            return Ok(self.contents.open(content)?);
        }
        if let Some(bytes) = self.noting_damage(self.index()?.small_content(&content.digest))? {
            let whole = Content::of(&bytes) == *content;
            return Ok(whole.then_some(Body::Memory(bytes)));
        }
        Ok(self.contents.open(content)?)
    }

    /// Returns where the file of a content that has one lies.
    pub fn content_path(&self, content: &Content) -> PathBuf {
        self.contents.path(&content.digest)
    }

    /// Returns what the file of a content that is too large for the index looks like, if it is there in its full size.
    pub fn look_at_file(&self, content: &Content) -> Option<Witness> {
        (content.size > content::SMALL).then(|| self.contents.look_at(content)).flatten()
    }

    /// Returns whether content is there in its full size, without reading it.
    pub fn has(&self, content: &Content) -> Result<bool, StoreError> {
        Ok(content.size == 0
            || content.size > content::SMALL && self.contents.has(content)
            || self.streams.borrow().iter().any(|bytes| Content::of(bytes) == *content)
            || self.noting_damage(self.index()?.small_content_size(&content.digest))? == Some(content.size)
            || self.contents.has(content))
    }

    /// Drops content whose bytes turned out not to be those of its digest, so that the next record stores it anew.
    pub fn drop_damaged(&self, content: &Content) -> Result<(), StoreError> {
        self.index()?.remove_small_content(&content.digest)?;
        Ok(self.contents.remove(&content.digest)?)
    }

    /// Stores an entry and the contents that it refers to. Afterwards every hit finds all of it, or the error says
    /// why nothing was stored.
    pub fn record(
        &mut self,
        entry: &Entry,
        staged: Vec<Staged>,
        path_set: Option<&PathSet>,
        now: Timestamp,
        durability: Durability,
    ) -> Result<(), StoreError> {
        self.index()?;
        let recorded = self.record_locked(entry, staged, path_set, now, durability);
        self.noting_damage(recorded)?;
        // With path sets a look-up needs the index in any case.
        if path_set.is_none() {
            self.leave_record(entry, PATIENCE);
        }
        Ok(())
    }

    fn record_locked(
        &mut self,
        entry: &Entry,
        staged: Vec<Staged>,
        path_set: Option<&PathSet>,
        now: Timestamp,
        durability: Durability,
    ) -> Result<(), StoreError> {
        let _lock = self.collection_lock(Sharing::Shared, PATIENCE)?;
        // SQLite would go on writing to a database that nobody can find any more.
        let index = self.index()?;
        if quarantine::identity(index.path()) != index.identity() {
            return Err(StoreError::Replaced(self.layout.root.clone()));
        }
        let fence = self.fence.clone();
        let is_guarded = || fence.iter().all(|fence| fence.holds().unwrap_or(false));
        if !is_guarded() {
            return Err(StoreError::Fenced);
        }
        let mut small = Vec::new();
        for staged in staged {
            match staged {
                Staged::Memory(bytes) => small.push(bytes),
                Staged::File { content, path } => self.contents.publish(&content, &path, durability)?,
            }
        }
        if durability == Durability::Power {
            self.contents.sync()?;
        }
        let staged_in = self.chain.first().map(|row| row.id.clone());
        let insertion =
            Insertion { entry, small: &small, path_set, now, durability, staged_in: staged_in.as_ref() };
        match self.index_mut()?.insert(insertion, is_guarded)? {
            Inserted::Stored => Ok(()),
            Inserted::Fenced => Err(StoreError::Fenced),
            Inserted::TransactionOver => Err(StoreError::TransactionOver(staged_in)),
        }
    }

    /// Moves the index aside where it turned out damaged. Not to be called with the collection lock in hand.
    pub(crate) fn noting_damage<T>(&self, result: Result<T, StoreError>) -> Result<T, StoreError> {
        if self.reads_only {
            return result;
        }
        result.map_err(|error| {
            quarantine::after(error, &self.layout, self.index.get().map_or(self.seen, Index::identity))
        })
    }

    /// Takes the lock that keeps recorders and collectors apart.
    pub(crate) fn collection_lock(
        &self,
        sharing: Sharing,
        patience: Duration,
    ) -> Result<FileLock, StoreError> {
        let path = self.layout.path("locks").join(COLLECTION);
        FileLock::take(&path, sharing, patience)?.ok_or_else(|| StoreError::Locked(self.layout.root.clone()))
    }
}

/// Returns an error's message with what the system said behind it.
pub fn with_cause(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        // Some messages tell their cause themselves.
        let told = inner.to_string();
        if !text.ends_with(&told) {
            text.push_str(&format!(": {told}"));
        }
        cause = inner.source();
    }
    text
}

impl From<DecodeError> for Found {
    fn from(_: DecodeError) -> Self {
        Self::Damaged
    }
}
