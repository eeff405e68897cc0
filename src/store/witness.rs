//! File digests that need not be computed again, each with the stat facts under which it holds.
//!
//! # The protocol
//!
//! A digest is taken from here only when device, inode, size, mode, modification time and change time of the file
//! are exactly those under which it was computed. The change time is what makes this safe against times that are
//! set back. What remains are the rules for putting a digest in:
//!
//! 1. Only on file systems whose times are the kernel's own (see [`crate::world::filesystem`]): that of the folder, and
//!    that of the file, which a link or a mount may have on another one.
//! 2. The facts are taken before the file is read and again after; they must agree.
//! 3. The file must have been left alone for two seconds when it was read, counted in the file system's own time: two
//!    writes within one tick of its clock leave the same times, so a younger file may still change unseen. Such
//!    files are hashed each time.
//!
//! A file whose digest is in here may be touched and stay in here, whatever its age, if nobody could write to it
//! meanwhile and a later write gives it other times: see [`crate::world::hold`].
//!
//! A writer through a shared memory mapping changes bytes without changing any time until the kernel writes them
//! back; no cache of this kind can see it (git, ccache and others have the same blind spot). `--paranoid` turns
//! all of this off and changes no key.
//!
//! # The form
//!
//! One file for each folder whose files were hashed (see [`super::shelf`]). It is worth nothing by itself: deleting all
//! of it only costs time.

use super::shelf::{self, Shelf};
use crate::model::codec::DecodeError;
use crate::model::digest::Digest;
use crate::model::entry::Content;
use crate::world::file::{FileError, Witness, create_private_folder, file_time};
use crate::world::filesystem;
use crate::world::folder::Folder;
use crate::world::reading::{Reading, Unread, read, read_all};
use std::collections::HashMap;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// For how long a file must have been left alone, in nanoseconds: what the coarsest file system in use (two
/// seconds on FAT and some network mounts) can still tell apart.
const SETTLED: i128 = 2_000_000_000;

/// The digest of a file, and the facts under which it holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Witnessed {
    /// What the file holds.
    pub content: Content,
    /// The facts as they were before it was read.
    pub witness: Witness,
}

impl Witnessed {
    /// What holds the place of a file that is to be read.
    pub(super) const UNKNOWN: Self = Self {
        content: Content { digest: Digest::from_bytes([0; Digest::LENGTH]), size: 0 },
        witness: Witness::NONE,
    };
}

/// What a look at a file says.
enum Look {
    /// Its content is known.
    Known(Witnessed),
    /// It has to be read; how large it is, as far as that is known.
    Unread(u64),
}

/// A file whose content is asked for.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'p> {
    /// Where it is.
    pub path: &'p Path,
    /// Its facts, where the caller just looked at them; of the files of one folder at all or at none.
    pub witness: Option<Witness>,
}

impl From<Reading> for Witnessed {
    fn from(reading: Reading) -> Self {
        Self { content: reading.content, witness: reading.witness }
    }
}

/// Computes digests of files, and remembers them where it has a place to.
#[derive(Debug)]
pub struct WitnessBook {
    pub(super) folder: Option<PathBuf>,
    /// What is read stays known in this process alone.
    reads_only: bool,
    pub(super) shelves: HashMap<PathBuf, Shelf>,
    /// Shelves stay in memory when all that was asked for is known.
    keeps: bool,
    present: Option<i128>,
}

impl WitnessBook {
    /// Opens the book in a folder of the store.
    pub fn at(folder: PathBuf) -> Self {
        Self { folder: Some(folder), reads_only: false, shelves: HashMap::new(), keeps: false, present: None }
    }

    /// Opens the book in a folder of the store to be read: nothing in the folder is made or changed. A file that had
    /// to be read is not read again while the book is open.
    pub fn for_reading(folder: PathBuf) -> Self {
        Self { reads_only: true, ..Self::at(folder) }
    }

    /// Opens the book at a time by which every file has settled.
    #[cfg(test)]
    pub(super) fn settled(folder: PathBuf) -> Self {
        Self { present: Some(i128::MAX), ..Self::at(folder) }
    }

    /// Makes a book that remembers nothing: every file is read again.
    pub fn forgetful() -> Self {
        Self { folder: None, reads_only: false, shelves: HashMap::new(), keeps: false, present: None }
    }

    /// Returns the content of the regular file that `path` leads to. `witness` are its facts where the caller just
    /// looked at them.
    pub fn content_of(&mut self, path: &Path, witness: Option<Witness>) -> Result<Witnessed, FileError> {
        if self.folder.is_none() {
            return read(path).map(Witnessed::from);
        }
        let witness = match witness {
            Some(witness) => witness,
            None => Witness::of_target(path).map_err(FileError::of("look at", path))?,
        };
        if let Some(content) = self.known(path, &witness) {
            return Ok(Witnessed { content, witness });
        }
        let reading = read(path)?;
        self.note(path, reading);
        Ok(reading.into())
    }

    /// Returns the content of the regular file that each path leads to, in their order, or the first error. What has to
    /// be read is read at once.
    pub fn contents_of<T>(
        &mut self,
        files: &[T],
        asked: impl Fn(&T) -> Asked<'_>,
    ) -> Result<Vec<Witnessed>, FileError> {
        let looks = self.look_at(files, &asked);
        let mut unread = Vec::new();
        for (file, look) in files.iter().zip(&looks) {
            if let Look::Unread(size) = look {
                unread.push(Unread { path: asked(file).path, folder: None, size: *size });
            }
        }
        if !unread.is_empty() {
            self.note_present();
        }
        let mut readings = read_all(&unread).into_iter();
        let content = |(file, look)| match look {
            Look::Known(witnessed) => Ok(witnessed),
            Look::Unread(_) => {
                let path = asked(file).path;
                let reading = readings.next().unwrap_or_else(|| read(path))?;
                self.note(path, reading);
                Ok(reading.into())
            }
        };
        files.iter().zip(looks).map(content).collect()
    }

    fn look_at<'f, T>(&mut self, files: &'f [T], asked: &impl Fn(&'f T) -> Asked<'f>) -> Vec<Look> {
        match &self.folder {
            Some(folder) => look_at(folder, &mut self.shelves, self.keeps, files, asked),
            None => files.iter().map(|_| Look::Unread(0)).collect(),
        }
    }

    /// Returns the content of the file at `path` if it is known under exactly these facts. Where it is not, the caller
    /// is about to read it, and may [note](Self::note) what it read.
    pub fn known(&mut self, path: &Path, witness: &Witness) -> Option<Content> {
        let known = match (path.parent(), path.file_name()) {
            (Some(parent), Some(name)) => self.shelf(parent).and_then(|shelf| shelf.content(name, witness)),
            _ => None,
        };
        if known.is_none() {
            self.note_present();
        }
        known
    }

    /// Returns the shelf of a folder; none in a book that remembers nothing.
    fn shelf(&mut self, directory: &Path) -> Option<&mut Shelf> {
        let folder = self.folder.as_ref()?;
        if !self.shelves.contains_key(directory) {
            self.shelves.insert(directory.to_owned(), Shelf::load(folder, directory));
        }
        self.shelves.get_mut(directory)
    }

    /// Puts in what was read, where it may be relied on later.
    pub fn note(&mut self, path: &Path, reading: Reading) {
        let (Some(parent), Some(name)) = (path.parent(), path.file_name()) else { return };
        let settled = self.present.is_some_and(|present| !is_unsettled(&reading.witness, present));
        // In a book that is only read it holds for this process, which asks moments later.
        let is_passing = self.reads_only;
        if !(is_passing || reading.steady && settled) {
            return;
        }
        let Some(shelf) = self.shelf(parent) else { return };
        // A link may lead to another file system than that of the folder.
        let is_trusted = |shelf: &mut Shelf| {
            shelf.is_trusted()
                && (shelf.is_home_of(&reading.witness, parent) || filesystem::is_local(path).unwrap_or(false))
        };
        if is_passing || is_trusted(shelf) {
            shelf.add(name, reading.into());
        }
    }

    /// Keeps a shelf to be written to, beside another one of its folder where two were read.
    pub(super) fn keep_shelf(&mut self, directory: &Path, shelf: Shelf) {
        match self.shelves.get_mut(directory) {
            Some(kept) => kept.join(&shelf),
            None => drop(self.shelves.insert(directory.to_owned(), shelf)),
        }
    }

    /// From now on keeps in memory what it reads, for a caller who will put something in for each file that he asks of.
    pub const fn keep(&mut self) {
        self.keeps = true;
    }

    /// Returns whether a file's content is known under exactly these facts, as far as a look at them says; where it is
    /// not, nobody is about to read it.
    pub fn vouches_for(&mut self, path: &Path, witnessed: &Witnessed) -> bool {
        let (Some(parent), Some(name)) = (path.parent(), path.file_name()) else { return false };
        let held = self.shelf(parent).and_then(|shelf| shelf.content(name, &witnessed.witness));
        held == Some(witnessed.content)
    }

    /// Puts in the new facts of a file whose content was [vouched for](Self::vouches_for) and whose times were set while
    /// nobody could write to it (see [`crate::world::hold`]). The rules above were kept when it was read.
    pub fn note_touched(&mut self, path: &Path, witnessed: Witnessed) {
        let (Some(parent), Some(name)) = (path.parent(), path.file_name()) else { return };
        if let Some(shelf) = self.shelf(parent).filter(|shelf| shelf.is_trusted()) {
            shelf.add(name, witnessed);
        }
    }

    /// Takes the file system's own time, once: that of a file which was just made in the store. To be called before
    /// anything is read.
    pub(super) fn note_present(&mut self) {
        let is_needed = self.present.is_none() && !self.reads_only;
        let Some(folder) = self.folder.as_ref().filter(|_| is_needed) else { return };
        // Where somebody removed the folder it is made again, but never the store.
        if !folder.exists() && folder.parent().is_some_and(Path::is_dir) {
            let _ = create_private_folder(folder);
        }
        self.present = Some(file_time(folder).unwrap_or(i128::MIN));
    }

    /// Writes back what is new. What cannot be written is only not remembered.
    pub fn save(&mut self) {
        let Some(folder) = self.folder.as_ref().filter(|_| !self.reads_only) else { return };
        for (directory, shelf) in &mut self.shelves {
            if shelf.is_changed() {
                // Losing these digests costs time and nothing else; the run has more important things to report.
                let _ = shelf.save(folder, directory);
            }
        }
    }
}

/// Looks at files. Each folder is opened once where its files stand together, and its shelf stays only where something
/// will be put in, or where all are kept.
fn look_at<'f, T>(
    folder: &Path,
    shelves: &mut HashMap<PathBuf, Shelf>,
    keeps: bool,
    files: &'f [T],
    asked: &impl Fn(&'f T) -> Asked<'f>,
) -> Vec<Look> {
    let mut looks = Vec::with_capacity(files.len());
    while let Some(first) = files.get(looks.len()) {
        let first = asked(first);
        let parent = first.path.parent().unwrap_or(Path::new("/"));
        let mut shelf = shelves.remove(parent).unwrap_or_else(|| Shelf::load(folder, parent));
        let open = match first.witness {
            Some(_) => None,
            None => Folder::open(parent).ok(),
        };
        let mut is_needed = keeps || shelf.is_changed();
        let begun = looks.len();
        for file in &files[begun..] {
            let Asked { path, witness } = asked(file);
            let Some(name) = name_in(parent, path) else { break };
            // What cannot be looked at cannot be read either, and reading tells why.
            let look = || open.as_ref().and_then(|open| open.target(name).ok());
            let witness = witness.or_else(look);
            let known = witness.and_then(|witness| {
                shelf.content(name, &witness).map(|content| Witnessed { content, witness })
            });
            is_needed |= known.is_none();
            looks.push(match known {
                Some(known) => Look::Known(known),
                None => Look::Unread(witness.map_or(0, |witness| witness.size())),
            });
        }
        if looks.len() == begun {
            // Spelled in no plain way.
            looks.push(Look::Unread(0));
        }
        if is_needed {
            shelves.insert(parent.to_owned(), shelf);
        }
    }
    looks
}

/// Returns the name of a path in a folder, where it is spelled as the folder, a `/` and the name: asked for each of many
/// files, which taking both paths apart would be too slow for.
fn name_in<'p>(folder: &Path, path: &'p Path) -> Option<&'p OsStr> {
    let folder = folder.as_os_str().as_bytes();
    let below = path.as_os_str().as_bytes().strip_prefix(folder)?;
    let name = if folder == b"/" { below } else { below.strip_prefix(b"/")? };
    let is_name = !name.is_empty() && !name.contains(&b'/') && name != b"." && name != b"..";
    is_name.then(|| OsStr::from_bytes(name))
}

/// Returns whether a file was touched so shortly before `present` that a further change might leave no trace.
pub fn is_unsettled(witness: &Witness, present: i128) -> bool {
    witness.last_touched().saturating_add(SETTLED) >= present
}

/// Checks the bytes of a file in the book's folder, which is named by the digest of the folder that it speaks of.
pub fn inspect(bytes: &[u8], name: &Digest) -> Result<(), DecodeError> {
    shelf::inspect(bytes.to_vec(), name)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::{File, FileTimes};
    use std::time::{Duration, SystemTime, UNIX_EPOCH};

    /// The change time cannot be set, so a settled file is had by putting the book's "now" into the future.
    fn settled_book(folder: &Path) -> WitnessBook {
        WitnessBook::settled(folder.join("witnesses"))
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
        assert!(!book.shelves[folder.path()].is_changed(), "the digest came from the book");

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
    fn a_link_to_a_file_system_without_times_is_read_each_time() {
        // Its times stay what they are, whatever it says.
        let name = Path::new("/proc/sys/kernel/hostname");
        let Ok(false) = filesystem::is_local(name) else { return };
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("witnesses")).unwrap();
        let path = folder.path().join("link");
        std::os::unix::fs::symlink(name, &path).unwrap();
        let mut book = settled_book(folder.path());
        book.content_of(&path, None).unwrap();
        book.save();
        assert_eq!(shelves(folder.path()), 0);
    }

    #[test]
    fn a_book_that_is_only_read_leaves_its_folder_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("input");
        std::fs::write(&path, b"one").unwrap();
        let mut book = WitnessBook::for_reading(folder.path().join("witnesses"));
        assert_eq!(book.content_of(&path, None).unwrap().content, Content::of(b"one"));
        let witness = Witness::of_target(&path).unwrap();
        assert_eq!(book.known(&path, &witness), Some(Content::of(b"one")), "read once");
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
        let shelf = shelf::path(&folder.path().join("witnesses"), folder.path());
        let bytes = std::fs::read(&shelf).unwrap();
        assert!(Shelf::decode(bytes.clone(), folder.path()).is_ok());
        assert!(Shelf::decode(bytes.clone(), Path::new("/elsewhere")).is_err());
        for at in 0..bytes.len() {
            let mut flipped = bytes.clone();
            flipped[at] ^= 1;
            assert!(Shelf::decode(flipped, folder.path()).is_err(), "byte {at}");
        }
    }

    #[test]
    fn what_is_no_regular_file_is_refused() {
        let error = WitnessBook::forgetful().content_of(Path::new("/dev/null"), None).unwrap_err();
        assert_eq!(error.to_string(), "cannot read '/dev/null'");
    }
}
