//! File digests that need not be computed again, each with the stat facts under which it holds.
//!
//! # The protocol
//!
//! A digest is taken from here only when device, inode, size, mode, modification time and change time of the file
//! are exactly those under which it was computed. The change time is what makes this safe against times that are
//! set back. What remains are the rules for putting a digest in:
//!
//! 1. Only on file systems whose times are the kernel's own (see [`crate::world::filesystem`]).
//! 2. The facts are taken before the file is read and again after; they must agree.
//! 3. The file must have been left alone for two seconds when it was read, counted in the file system's own time: two
//!    writes within one tick of its clock leave the same times, so a younger file may still change unseen. Such
//!    files are hashed each time.
//!
//! A writer through a shared memory mapping changes bytes without changing any time until the kernel writes them
//! back; no cache of this kind can see it (git, ccache and others have the same blind spot). `--paranoid` turns
//! all of this off and changes no key.
//!
//! # The form
//!
//! One file for each folder whose files were hashed, named by the digest of the folder's path, holding names, facts
//! and digests and ending in a checksum. It is read at once and replaced at once; two processes that replace it at
//! the same time lose one's additions, which costs hashing and nothing else. It is worth nothing by itself:
//! deleting all of it only costs time.

use crate::model::codec::{DecodeError, Decoder, Encoder};
use crate::model::digest::Digest;
use crate::model::entry::Content;
use crate::world::file::{
    FileError, FileType, Witness, content_of, create_private_folder, file_time, open_for_reading, replace,
    sharded,
};
use crate::world::filesystem;
use std::collections::{BTreeMap, HashMap};
use std::ffi::OsString;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

/// For how long a file must have been left alone, in nanoseconds: what the coarsest file system in use (two
/// seconds on FAT and some network mounts) can still tell apart.
const SETTLED: i128 = 2_000_000_000;

/// How many names a shelf keeps that were not asked for this time.
const KEPT: usize = 20_000;

const SHELF_FORMAT: u32 = 1;

/// The digest of a file, and the facts under which it holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Witnessed {
    /// What the file holds.
    pub content: Content,
    /// The facts as they were before it was read.
    pub witness: Witness,
}

#[derive(Debug, Default)]
struct Shelf {
    known: BTreeMap<OsString, Witnessed>,
    asked: BTreeMap<OsString, Witnessed>,
    changed: bool,
    trusted: bool,
}

/// Computes digests of files, and remembers them where it has a place to.
#[derive(Debug)]
pub struct WitnessBook {
    folder: Option<PathBuf>,
    /// What is read stays known in this process alone.
    reads_only: bool,
    shelves: HashMap<PathBuf, Shelf>,
    present: Option<i128>,
}

impl WitnessBook {
    /// Opens the book in a folder of the store.
    pub fn at(folder: PathBuf) -> Self {
        Self { folder: Some(folder), reads_only: false, shelves: HashMap::new(), present: None }
    }

    /// Opens the book in a folder of the store to be read: nothing in the folder is made or changed. A file that had
    /// to be read is not read again while the book is open.
    pub fn for_reading(folder: PathBuf) -> Self {
        Self { reads_only: true, ..Self::at(folder) }
    }

    /// Makes a book that remembers nothing: every file is read again.
    pub fn forgetful() -> Self {
        Self { folder: None, reads_only: false, shelves: HashMap::new(), present: None }
    }

    /// Returns the content of the regular file that `path` leads to. `witness` are its facts where the caller just
    /// looked at them.
    pub fn content_of(&mut self, path: &Path, witness: Option<Witness>) -> Result<Witnessed, FileError> {
        let Some(folder) = self.folder.clone() else { return read(path) };
        let witness = match witness {
            Some(witness) => witness,
            None => Witness::of_target(path).map_err(FileError::of("look at", path))?,
        };
        let (Some(parent), Some(name)) = (path.parent(), path.file_name()) else { return read(path) };
        let shelf = match self.shelves.get_mut(parent) {
            Some(shelf) => shelf,
            None => self.shelves.entry(parent.to_owned()).or_insert_with(|| Shelf::load(&folder, parent)),
        };
        if let Some(known) = shelf.known.get(name).filter(|known| known.witness == witness) {
            let known = *known;
            shelf.asked.insert(name.to_owned(), known);
            return Ok(known);
        }
        let trusted = shelf.trusted;
        let read = read(path)?;
        if self.reads_only {
            shelf.known.insert(name.to_owned(), read);
            return Ok(read);
        }
        let unchanged = || Witness::of_target(path).is_ok_and(|after| after == read.witness);
        let settled = trusted && unchanged() && !is_unsettled(&read.witness, self.present(&folder));
        if settled && let Some(shelf) = self.shelves.get_mut(parent) {
            shelf.asked.insert(name.to_owned(), read);
            shelf.changed = true;
        }
        Ok(read)
    }

    /// The file system's own time, taken once: that of a file which was just made in the store.
    fn present(&mut self, folder: &Path) -> i128 {
        if let Some(present) = self.present {
            return present;
        }
        // Where somebody removed the folder it is made again, but never the store.
        if !folder.exists() && folder.parent().is_some_and(Path::is_dir) {
            let _ = create_private_folder(folder);
        }
        let present = file_time(folder).unwrap_or(i128::MIN);
        self.present = Some(present);
        present
    }

    /// Writes back what is new. What cannot be written is only not remembered.
    pub fn save(&mut self) {
        let Some(folder) = self.folder.as_ref().filter(|_| !self.reads_only) else { return };
        for (directory, shelf) in &mut self.shelves {
            if shelf.changed {
                shelf.changed = false;
                // Losing these digests costs time and nothing else; the run has more important things to report.
                let _ = shelf.save(folder, directory);
            }
        }
    }
}

/// Returns whether a file was touched so shortly before `present` that a further change might leave no trace.
pub fn is_unsettled(witness: &Witness, present: i128) -> bool {
    witness.last_touched().saturating_add(SETTLED) >= present
}

fn read(path: &Path) -> Result<Witnessed, FileError> {
    let file = open_for_reading(path)?;
    let witness = Witness::of_open(&file).map_err(FileError::of("look at", path))?;
    if witness.file_type() != FileType::File {
        let what = std::io::Error::other("it is not a regular file");
        return Err(FileError::of("read", path)(what));
    }
    let content = content_of(&file).map_err(FileError::of("read", path))?;
    Ok(Witnessed { content, witness })
}

impl Shelf {
    fn load(folder: &Path, directory: &Path) -> Self {
        let trusted = filesystem::is_local(directory).unwrap_or(false);
        let bytes = if trusted { std::fs::read(shelf_path(folder, directory)).ok() } else { None };
        let known = bytes.and_then(|bytes| Self::decode(&bytes, directory).ok()).unwrap_or_default();
        Self { known, trusted, ..Self::default() }
    }

    fn save(&self, folder: &Path, directory: &Path) -> Result<(), FileError> {
        let mut names = self.asked.clone();
        if self.known.len() < KEPT {
            for (name, known) in &self.known {
                names.entry(name.clone()).or_insert(*known);
            }
        }
        let mut encoder = Encoder::new();
        encoder.u32(SHELF_FORMAT).bytes(directory.as_os_str().as_bytes()).length(names.len());
        for (name, Witnessed { content, witness }) in &names {
            encoder.bytes(name.as_bytes()).digest(&content.digest).u64(content.size);
            witness.encode(&mut encoder);
        }
        let mut bytes = encoder.finish();
        let checksum = Digest::of(&bytes);
        bytes.extend_from_slice(checksum.as_bytes());
        let path = shelf_path(folder, directory);
        if let Some(parent) = path.parent() {
            create_private_folder(parent)?;
        }
        replace(&path, &bytes)
    }

    fn decode(bytes: &[u8], directory: &Path) -> Result<BTreeMap<OsString, Witnessed>, DecodeError> {
        let (of, known) = Self::decode_any(bytes)?;
        match of == directory.as_os_str() {
            true => Ok(known),
            false => Err(DecodeError::Invalid { what: "shelf", why: "another folder".into() }),
        }
    }

    fn decode_any(bytes: &[u8]) -> Result<(OsString, BTreeMap<OsString, Witnessed>), DecodeError> {
        let invalid = |why: &str| DecodeError::Invalid { what: "shelf", why: why.into() };
        let at = bytes.len().checked_sub(Digest::LENGTH).ok_or(DecodeError::Truncated("shelf"))?;
        let (body, checksum) = bytes.split_at(at);
        if Digest::of(body).as_bytes() != checksum {
            return Err(invalid("wrong checksum"));
        }
        let mut decoder = Decoder::new(body);
        let format = decoder.u32("shelf format")?;
        if format != SHELF_FORMAT {
            return Err(DecodeError::Unknown { what: "shelf format", value: format.into() });
        }
        let directory = OsString::from_vec(decoder.bytes("folder")?.to_vec());
        let count = decoder.count(8 + Digest::LENGTH + 8, "name count")?;
        let mut known = BTreeMap::new();
        for _ in 0..count {
            let name = OsString::from_vec(decoder.bytes("name")?.to_vec());
            let content = Content { digest: decoder.digest("digest")?, size: decoder.u64("size")? };
            known.insert(name, Witnessed { content, witness: Witness::decode(&mut decoder)? });
        }
        decoder.finish()?;
        Ok((directory, known))
    }
}

/// Checks the bytes of a file in the book's folder, which is named by the digest of the folder that it speaks of.
pub fn inspect(bytes: &[u8], name: &Digest) -> Result<(), DecodeError> {
    let (directory, _) = Shelf::decode_any(bytes)?;
    match Digest::of(directory.as_bytes()) == *name {
        true => Ok(()),
        false => Err(DecodeError::Invalid { what: "shelf", why: "another folder".into() }),
    }
}

fn shelf_path(folder: &Path, directory: &Path) -> PathBuf {
    sharded(folder, &Digest::of(directory.as_os_str().as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::ffi::OsStr;
    use std::fs::{File, FileTimes};
    use std::time::{Duration, SystemTime, UNIX_EPOCH};

    /// The change time cannot be set, so a settled file is had by putting the book's "now" into the future.
    fn settled_book(folder: &Path) -> WitnessBook {
        WitnessBook { present: Some(i128::MAX), ..WitnessBook::at(folder.join("witnesses")) }
    }

    fn shelves(folder: &Path) -> usize {
        walkdir::WalkDir::new(folder.join("witnesses"))
            .into_iter()
            .flatten()
            .filter(|e| e.file_type().is_file())
            .count()
    }

    #[test]
    fn a_settled_file_is_remembered_and_a_changed_one_is_read_again() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("witnesses")).unwrap();
        let path = folder.path().join("input");
        std::fs::write(&path, b"one").unwrap();
        let mut book = settled_book(folder.path());
        assert_eq!(book.content_of(&path, None).unwrap().content, Content::of(b"one"));
        book.save();
        assert_eq!(shelves(folder.path()), 1);

        let mut book = settled_book(folder.path());
        assert_eq!(book.content_of(&path, None).unwrap().content, Content::of(b"one"));
        assert!(!book.shelves[folder.path()].changed, "the digest came from the book");

        std::fs::write(&path, b"two").unwrap();
        let mut book = settled_book(folder.path());
        assert_eq!(book.content_of(&path, None).unwrap().content, Content::of(b"two"));
    }

    #[test]
    fn a_file_of_the_same_size_whose_time_was_set_back_is_read_again() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("witnesses")).unwrap();
        let path = folder.path().join("input");
        let set_time = || {
            let time = UNIX_EPOCH + Duration::from_secs(1_000_000_000);
            File::options()
                .write(true)
                .open(&path)
                .unwrap()
                .set_times(FileTimes::new().set_modified(time))
                .unwrap();
        };
        std::fs::write(&path, b"one").unwrap();
        set_time();
        let mut book = settled_book(folder.path());
        book.content_of(&path, None).unwrap();
        book.save();
        std::fs::write(&path, b"two").unwrap();
        set_time();
        assert_eq!(settled_book(folder.path()).content_of(&path, None).unwrap().content, Content::of(b"two"));
    }

    #[test]
    fn a_book_that_is_only_read_leaves_its_folder_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("input");
        std::fs::write(&path, b"one").unwrap();
        let mut book = WitnessBook::for_reading(folder.path().join("witnesses"));
        assert_eq!(book.content_of(&path, None).unwrap().content, Content::of(b"one"));
        assert!(book.shelves[folder.path()].known.contains_key(OsStr::new("input")), "read once");
        std::fs::write(&path, b"other").unwrap();
        assert_eq!(book.content_of(&path, None).unwrap().content, Content::of(b"other"));
        book.save();
        assert!(!folder.path().join("witnesses").exists());
    }

    #[test]
    fn a_file_that_was_just_written_is_never_remembered() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("witnesses")).unwrap();
        let path = folder.path().join("input");
        std::fs::write(&path, b"one").unwrap();
        let mut book = WitnessBook::at(folder.path().join("witnesses"));
        book.content_of(&path, None).unwrap();
        book.save();
        assert_eq!(shelves(folder.path()), 0);
        let future = SystemTime::UNIX_EPOCH + Duration::from_secs(4_000_000_000);
        File::options()
            .write(true)
            .open(&path)
            .unwrap()
            .set_times(FileTimes::new().set_modified(future))
            .unwrap();
        let mut book = WitnessBook::at(folder.path().join("witnesses"));
        book.content_of(&path, None).unwrap();
        book.save();
        assert_eq!(shelves(folder.path()), 0, "a time in the future is never settled");
    }

    #[test]
    fn a_damaged_or_moved_shelf_is_worth_nothing() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("witnesses")).unwrap();
        let path = folder.path().join("input");
        std::fs::write(&path, b"one").unwrap();
        let mut book = settled_book(folder.path());
        book.content_of(&path, None).unwrap();
        book.save();
        let shelf = shelf_path(&folder.path().join("witnesses"), folder.path());
        let bytes = std::fs::read(&shelf).unwrap();
        assert!(Shelf::decode(&bytes, folder.path()).is_ok());
        assert!(Shelf::decode(&bytes, Path::new("/elsewhere")).is_err());
        for at in 0..bytes.len() {
            let mut flipped = bytes.clone();
            flipped[at] ^= 1;
            assert!(Shelf::decode(&flipped, folder.path()).is_err(), "byte {at}");
        }
    }

    #[test]
    fn what_is_no_regular_file_is_refused() {
        let error = WitnessBook::forgetful().content_of(Path::new("/dev/null"), None).unwrap_err();
        assert_eq!(error.to_string(), "cannot read '/dev/null'");
    }
}
