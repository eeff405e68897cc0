//! Work below an open folder, by descriptor, one component at a time, following no symbolic link.
//!
//! Restoring writes where the caller declared it and nowhere else, whatever an entry says and whatever somebody
//! does to the tree meanwhile. So a path is never handed to the kernel whole: each folder is opened below the one
//! before it with `O_NOFOLLOW`, and files are made, renamed and removed by name in an open folder. A link that is
//! planted between a check and its use makes the open fail; it leads nowhere.
//!
//! The anchor itself is opened as the caller named it, links included: that a user's `dist` leads to another disk is
//! theirs to decide.
//!
//! A tree may have more folders than a process may have descriptors. So only some are kept open, and one that is asked
//! for again is opened again, from the anchor on and as carefully as the first time.

use super::file::{FileError, Witness, random_number};
use crate::model::path::RelPath;
use rustix::fs::{AtFlags, Mode, OFlags};
use rustix::io::Errno;
use std::collections::HashMap;
use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

/// A folder in which work is done, with the folders below it that were opened already.
#[derive(Debug)]
pub struct Tree {
    path: PathBuf,
    anchor: OwnedFd,
    opened: HashMap<RelPath, Opened>,
    made: Vec<RelPath>,
    /// The anchor and the folders above it, as far as they were made here; the outermost first.
    made_above: Vec<PathBuf>,
}

#[derive(Debug)]
struct Opened {
    folder: OwnedFd,
    /// Opened through a link, which nobody follows a second time: it stays open.
    through_link: bool,
}

impl AsFd for Opened {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.folder.as_fd()
    }
}

/// How many folders are kept open. Work goes from folder to folder in their order, so that it needs few at a time.
const MOST_OPEN: usize = 16;

const FOLDER: OFlags = OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::CLOEXEC);

impl Tree {
    /// Opens the folder at `path`; `None` where there is none.
    pub fn open(path: &Path) -> Result<Option<Self>, FileError> {
        match rustix::fs::open(path, FOLDER, Mode::empty()) {
            Ok(anchor) => Ok(Some(Self {
                path: path.to_owned(),
                anchor,
                opened: HashMap::new(),
                made: Vec::new(),
                made_above: Vec::new(),
            })),
            Err(Errno::NOENT | Errno::NOTDIR) => Ok(None),
            Err(error) => Err(FileError::of("open folder", path)(error)),
        }
    }

    /// Opens the folder at `path`, made with those above it where it is missing.
    pub fn create(path: &Path) -> Result<Self, FileError> {
        let missing: Vec<_> = path.ancestors().take_while(|above| !above.exists()).collect();
        let made = missing.into_iter().rev().filter(|folder| std::fs::create_dir(folder).is_ok());
        let made_above: Vec<_> = made.map(Path::to_owned).collect();
        // Says what could not be made, and makes what somebody else took away meanwhile.
        let made = std::fs::create_dir_all(path).map_err(FileError::of("create folder", path));
        let no_folder = || FileError::of("open folder", path)(io::Error::from(io::ErrorKind::NotADirectory));
        match made.and_then(|()| Self::open(path)?.ok_or_else(no_folder)) {
            Ok(tree) => Ok(Self { made_above, ..tree }),
            Err(error) => {
                remove_empty(&made_above);
                Err(error)
            }
        }
    }

    fn keep_open(&mut self, path: &RelPath, folder: OwnedFd, through_link: bool) {
        if self.opened.len() >= MOST_OPEN {
            self.close_folders();
        }
        self.opened.insert(path.clone(), Opened { folder, through_link });
    }

    /// Closes the folders that can be opened again. Nothing changes by it but how many descriptors there are.
    pub fn close_folders(&mut self) {
        self.opened.retain(|_, opened| opened.through_link);
    }

    /// Returns the absolute path of something below, for messages.
    pub fn full(&self, path: &RelPath) -> PathBuf {
        self.path.join(path.as_path())
    }

    fn failed(&self, action: &'static str, path: &RelPath, error: impl Into<io::Error>) -> FileError {
        FileError::of(action, &self.full(path))(error)
    }

    /// Returns the folder that holds `path`, or `None` where it does not exist. A link or a file in its place is an
    /// error.
    pub fn folder_of(&mut self, path: &RelPath) -> Result<Option<BorrowedFd<'_>>, FileError> {
        match path.parent_bytes() {
            None => Ok(Some(self.anchor.as_fd())),
            Some(parent) if self.opened.contains_key(parent) => Ok(self.opened.get(parent).map(AsFd::as_fd)),
            Some(_) => match path.parent() {
                Some(parent) => self.folder(&parent),
                None => Ok(Some(self.anchor.as_fd())),
            },
        }
    }

    /// Returns the folder at `path`, or `None` where it does not exist. A link or a file in its place is an error.
    pub fn folder(&mut self, path: &RelPath) -> Result<Option<BorrowedFd<'_>>, FileError> {
        if !self.opened.contains_key(path) {
            let opened = {
                let Some(above) = self.folder_of(path)? else { return Ok(None) };
                rustix::fs::openat(above, path.name(), FOLDER | OFlags::NOFOLLOW, Mode::empty())
            };
            match opened {
                Ok(folder) => self.keep_open(path, folder, false),
                Err(Errno::NOENT) => return Ok(None),
                Err(error) => return Err(self.failed("open folder", path, error)),
            }
        }
        Ok(self.opened.get(path).map(AsFd::as_fd))
    }

    /// Returns what stands at `path`; `None` for nothing.
    pub fn look(&mut self, path: &RelPath) -> Result<Option<Witness>, FileError> {
        let Some(folder) = self.folder_of(path)? else { return Ok(None) };
        match Witness::at(folder, path.name()) {
            Ok(witness) => Ok(Some(witness)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(self.failed("look at", path, error)),
        }
    }

    /// Opens the folder that a link at `path` leads to, if there is a link, it leads to a folder and it belongs to
    /// the caller; from then on the folder counts as standing at `path`.
    pub fn follow_own_link(&mut self, path: &RelPath) -> Result<(), FileError> {
        let own = |witness: Witness| {
            witness.file_type() == super::file::FileType::Symlink
                && witness.owner() == rustix::process::geteuid().as_raw()
        };
        if self.opened.contains_key(path) || !self.look(path)?.is_some_and(own) {
            return Ok(());
        }
        let Some(above) = self.folder_of(path)? else { return Ok(()) };
        match rustix::fs::openat(above, path.name(), FOLDER, Mode::empty()) {
            Ok(folder) => {
                self.keep_open(path, folder, true);
                Ok(())
            }
            Err(Errno::NOENT | Errno::NOTDIR) => Ok(()),
            Err(error) => Err(self.failed("open folder", path, error)),
        }
    }

    /// Returns what stands at `path`, which is the folder itself where a link was followed there; `None` for
    /// nothing. A file or a foreign link in place of a folder above counts as nothing standing below it.
    pub fn look_through(&mut self, path: &RelPath) -> Result<Option<Witness>, FileError> {
        if let Some(folder) = self.opened.get(path) {
            return Witness::of_open(folder).map(Some).map_err(|error| self.failed("look at", path, error));
        }
        match self.look(path) {
            Err(error) if is_no_folder(&error) => Ok(None),
            other => other,
        }
    }

    /// Makes the folder at `path` with the given permission bits, and those above it.
    pub fn make_folder(&mut self, path: &RelPath, mode: u32) -> Result<(), FileError> {
        if self.folder(path)?.is_some() {
            return Ok(());
        }
        if let Some(parent) = path.parent() {
            self.make_folder(&parent, 0o777)?;
        }
        let made = match self.folder_of(path)? {
            Some(above) => rustix::fs::mkdirat(above, path.name(), Mode::from_raw_mode(mode)),
            None => Err(Errno::NOENT),
        };
        match made {
            Ok(()) => self.made.push(path.clone()),
            Err(Errno::EXIST) => {}
            Err(error) => return Err(self.failed("create folder", path, error)),
        }
        Ok(())
    }

    /// Returns the folders that were made here, the outermost first.
    pub fn made(&self) -> &[RelPath] {
        &self.made
    }

    /// Removes the folders that were made here, as far as nothing is in them.
    pub fn remove_made(&mut self) {
        for path in std::mem::take(&mut self.made).iter().rev() {
            // In one that cannot be removed there is something, or somebody changed it: it is no longer ours.
            let _ = self.remove_empty_folder(path);
        }
        remove_empty(&std::mem::take(&mut self.made_above));
    }

    /// Opens the folder that holds `path` for somebody who shares this tree with others.
    pub fn open_folder_of(&self, path: &RelPath) -> Result<OwnedFd, FileError> {
        let mut closed = Vec::new();
        let mut above = path.parent();
        let nearest = loop {
            match above {
                None => break self.anchor.as_fd(),
                Some(folder) => match self.opened.get(&folder) {
                    Some(open) => break open.as_fd(),
                    None => {
                        above = folder.parent();
                        closed.push(folder);
                    }
                },
            }
        };
        let mut last: Option<OwnedFd> = None;
        for folder in closed.iter().rev() {
            let above = last.as_ref().map_or(nearest, AsFd::as_fd);
            let opened = rustix::fs::openat(above, folder.name(), FOLDER | OFlags::NOFOLLOW, Mode::empty());
            last = Some(opened.map_err(|error| self.failed("open folder", folder, error))?);
        }
        match last {
            Some(opened) => Ok(opened),
            None => {
                nearest.try_clone_to_owned().map_err(|error| self.failed("open the folder of", path, error))
            }
        }
    }

    /// Opens the regular file at `path` for reading.
    pub fn open_file(&mut self, path: &RelPath) -> Result<File, FileError> {
        let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY;
        let opened = match self.folder_of(path)? {
            Some(folder) => rustix::fs::openat(folder, path.name(), flags, Mode::empty()),
            None => Err(Errno::NOENT),
        };
        opened.map(File::from).map_err(|error| self.failed("open", path, error))
    }

    /// Creates a file beside `path` under a name that nothing has, with exactly the given permission bits.
    pub fn create_beside(&mut self, path: &RelPath, mode: u32) -> Result<(File, OsString), FileError> {
        let created = match self.folder_of(path)? {
            Some(folder) => create_in(folder, mode),
            None => Err(Errno::NOENT.into()),
        };
        let created = created.map(|(file, name, _)| (file, name));
        created.map_err(|error| self.failed("create a file beside", path, error))
    }

    /// Creates a symbolic link beside `path` under a name that nothing has.
    pub fn link_beside(&mut self, path: &RelPath, target: &OsStr) -> Result<OsString, FileError> {
        let name = temporary_name();
        let made = match self.folder_of(path)? {
            Some(folder) => rustix::fs::symlinkat(target, folder, &name),
            None => Err(Errno::NOENT),
        };
        made.map(|()| name).map_err(|error| self.failed("create a link beside", path, error))
    }

    /// Moves what was created beside `path` into its place, replacing a file or link there at once.
    pub fn move_into_place(&self, beside: &OsStr, path: &RelPath) -> Result<(), FileError> {
        self.move_within(self.open_folder_of(path)?.as_fd(), beside, path)
    }

    /// The same, where the [folder that holds it](Self::open_folder_of) is at hand.
    pub fn move_within(
        &self,
        folder: BorrowedFd<'_>,
        beside: &OsStr,
        path: &RelPath,
    ) -> Result<(), FileError> {
        let moved = rustix::fs::renameat(folder, beside, folder, path.name());
        moved.map_err(|error| self.failed("replace", path, error))
    }

    /// Removes what was created beside `path`, as far as it can be.
    pub fn drop_beside(&mut self, beside: &OsStr, path: &RelPath) {
        if let Ok(Some(folder)) = self.folder_of(path) {
            // It is ours and it is in the way of nothing; the error that led here is the one to report.
            let _ = rustix::fs::unlinkat(folder, beside, AtFlags::empty());
        }
    }

    /// Returns the text of the symbolic link at `path`.
    pub fn read_link(&mut self, path: &RelPath) -> Result<OsString, FileError> {
        let target = match self.folder_of(path)? {
            Some(folder) => rustix::fs::readlinkat(folder, path.name(), Vec::new()),
            None => Err(Errno::NOENT),
        };
        let target = target.map_err(|error| self.failed("read link", path, error))?;
        Ok(OsString::from_vec(target.into_bytes()))
    }

    /// Sets the modification time of what stands at `path` to now.
    pub fn touch(&mut self, path: &RelPath) -> Result<(), FileError> {
        let Some(folder) = self.folder_of(path)? else { return Ok(()) };
        let touched = super::file::touch_at(folder, path.name());
        touched.map_err(|error| self.failed("touch", path, error))
    }

    /// Sets the permission bits of the folder at `path`. Others, such as the set-group-id bit that it has from the
    /// folder above, stay.
    pub fn set_folder_mode(&mut self, path: &RelPath, mode: u32) -> Result<(), FileError> {
        let set = |folder: BorrowedFd<'_>| {
            let others = Witness::of_open(folder)?.special_bits();
            Ok(rustix::fs::fchmod(folder, Mode::from_raw_mode(mode | others))?)
        };
        let done: io::Result<()> = self.folder(path)?.map_or(Ok(()), set);
        done.map_err(|error| self.failed("set the mode of", path, error))
    }

    /// Removes the file or link at `path`; nothing there is no error.
    pub fn remove_file(&mut self, path: &RelPath) -> Result<(), FileError> {
        let Some(folder) = self.folder_of(path)? else { return Ok(()) };
        match rustix::fs::unlinkat(folder, path.name(), AtFlags::empty()) {
            Ok(()) | Err(Errno::NOENT) => Ok(()),
            Err(error) => Err(self.failed("remove", path, error)),
        }
    }

    /// Removes the folder at `path` if it is empty; says whether it did.
    pub fn remove_empty_folder(&mut self, path: &RelPath) -> Result<bool, FileError> {
        self.opened.remove(path);
        let Some(folder) = self.folder_of(path)? else { return Ok(false) };
        match rustix::fs::unlinkat(folder, path.name(), AtFlags::REMOVEDIR) {
            Ok(()) => Ok(true),
            Err(Errno::NOENT | Errno::NOTEMPTY | Errno::EXIST | Errno::NOTDIR) => Ok(false),
            Err(error) => Err(self.failed("remove folder", path, error)),
        }
    }
}

/// Creates a file in an open folder under a temporary name that nothing has, with exactly the given permission bits.
/// Returns the name, and what the file looked like when it was new.
pub fn create_in(folder: BorrowedFd<'_>, mode: u32) -> io::Result<(File, OsString, Witness)> {
    let flags = OFlags::RDWR | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC | OFlags::NOFOLLOW;
    let name = temporary_name();
    let file = rustix::fs::openat(folder, &name, flags, Mode::from_raw_mode(mode))?;
    // On the open file, so that no link can be put in the way; the umask took its part a moment ago.
    let finished = Witness::of_open(&file).and_then(|witness| {
        if witness.permissions() != mode {
            rustix::fs::fchmod(&file, Mode::from_raw_mode(mode))?;
        }
        Ok(witness)
    });
    match finished {
        Ok(witness) => Ok((File::from(file), name, witness)),
        Err(error) => {
            // It is ours and in the way of nothing; the error that led here is the one to report.
            let _ = rustix::fs::unlinkat(folder, &name, AtFlags::empty());
            Err(error)
        }
    }
}

/// Removes what was created in an open folder under a temporary name and never got its place, if that was before a time
/// in nanoseconds since the epoch. What cannot be removed stays for the next time.
pub fn sweep(folder: BorrowedFd<'_>, before: i128) -> io::Result<()> {
    let entries = match rustix::fs::Dir::read_from(folder) {
        // A folder may let files be made and not be listed.
        Err(Errno::ACCESS) => return Ok(()),
        entries => entries?,
    };
    for entry in entries.flatten() {
        let name = OsStr::from_bytes(entry.file_name().to_bytes());
        let is_old = |witness: Witness| witness.modified() < before;
        if is_temporary_name(name) && Witness::at(folder, name).is_ok_and(is_old) {
            let _ = rustix::fs::unlinkat(folder, name, AtFlags::empty());
        }
    }
    Ok(())
}

/// Removes folders that are empty, the last one first.
fn remove_empty(folders: &[PathBuf]) {
    for folder in folders.iter().rev() {
        // One that is not empty is in use by now.
        let _ = std::fs::remove_dir(folder);
    }
}

/// Returns whether a folder could not be opened because a file or a link stands in its place.
fn is_no_folder(error: &FileError) -> bool {
    [Errno::NOTDIR, Errno::LOOP].iter().any(|errno| error.source.raw_os_error() == Some(errno.raw_os_error()))
}

/// How the names of files begin that are not in their place yet.
const TEMPORARY: &[u8] = b".taskcache-";

/// Hidden, so that globs and tools pass it by while it exists.
fn temporary_name() -> OsString {
    let mut name = OsString::from_vec(TEMPORARY.to_vec());
    name.push(format!("{:016x}", random_number()));
    name
}

/// Returns whether a name is one under which files are made before they are moved into place. One that is found
/// later was left by a restore that was killed, or belongs to one that is at work.
pub fn is_temporary_name(name: &OsStr) -> bool {
    let digits = name.as_bytes().strip_prefix(TEMPORARY);
    digits.is_some_and(|digits| digits.len() == 16 && digits.iter().all(u8::is_ascii_hexdigit))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    fn rel(path: &str) -> RelPath {
        RelPath::new(path).unwrap()
    }

    #[test]
    fn files_are_made_beside_and_moved_into_place() {
        let folder = tempfile::tempdir().unwrap();
        let mut tree = Tree::create(&folder.path().join("a/b")).unwrap();
        tree.make_folder(&rel("c/d"), 0o755).unwrap();
        let (mut file, beside) = tree.create_beside(&rel("c/d/e"), 0o644).unwrap();
        file.write_all(b"x").unwrap();
        tree.move_into_place(&beside, &rel("c/d/e")).unwrap();
        let link = tree.link_beside(&rel("c/l"), OsStr::new("d/e")).unwrap();
        tree.close_folders();
        tree.move_into_place(&link, &rel("c/l")).unwrap();
        assert_eq!(std::fs::read(folder.path().join("a/b/c/l")).unwrap(), b"x");
        assert_eq!(tree.made(), [rel("c"), rel("c/d")]);
        assert_eq!(tree.read_link(&rel("c/l")).unwrap(), "d/e");
        assert!(!tree.remove_empty_folder(&rel("c")).unwrap());
        for path in ["c/l", "c/d/e"] {
            tree.remove_file(&rel(path)).unwrap();
        }
        assert!(tree.remove_empty_folder(&rel("c/d")).unwrap());
        assert!(tree.look(&rel("c/d")).unwrap().is_none());
    }

    #[test]
    fn a_planted_link_leads_nowhere() {
        let folder = tempfile::tempdir().unwrap();
        let outside = tempfile::tempdir().unwrap();
        std::os::unix::fs::symlink(outside.path(), folder.path().join("out")).unwrap();
        let mut tree = Tree::open(folder.path()).unwrap().unwrap();
        assert!(tree.create_beside(&rel("out/file"), 0o644).is_err());
        assert!(tree.make_folder(&rel("out/folder"), 0o755).is_err());
        assert!(tree.remove_file(&rel("out/file")).is_err());
        assert_eq!(std::fs::read_dir(outside.path()).unwrap().count(), 0);
    }

    #[test]
    fn more_folders_than_are_kept_open_are_at_hand() {
        let folder = tempfile::tempdir().unwrap();
        let mut tree = Tree::create(folder.path()).unwrap();
        let deep: Vec<_> = (0..3 * MOST_OPEN).map(|number| number.to_string()).collect();
        let deep = rel(&deep.join("/"));
        tree.make_folder(&deep, 0o755).unwrap();
        for number in 0..3 * MOST_OPEN {
            tree.make_folder(&rel(&format!("wide-{number}")), 0o755).unwrap();
            assert!(tree.folder(&rel(&format!("wide-{}", number / 2))).unwrap().is_some());
            assert!(tree.opened.len() <= MOST_OPEN);
        }
        let file = rel(&format!("{}/file", deep.as_path().display()));
        let (_, beside) = tree.create_beside(&file, 0o644).unwrap();
        tree.close_folders();
        tree.move_into_place(&beside, &file).unwrap();
        assert!(tree.look(&file).unwrap().is_some());
    }

    #[test]
    fn a_followed_link_stays_open() {
        let folder = tempfile::tempdir().unwrap();
        let other = tempfile::tempdir().unwrap();
        std::fs::write(other.path().join("file"), "").unwrap();
        std::os::unix::fs::symlink(other.path(), folder.path().join("out")).unwrap();
        let mut tree = Tree::open(folder.path()).unwrap().unwrap();
        tree.follow_own_link(&rel("out")).unwrap();
        for number in 0..2 * MOST_OPEN {
            tree.make_folder(&rel(&format!("out/{number}")), 0o755).unwrap();
        }
        tree.close_folders();
        assert!(tree.look(&rel("out/file")).unwrap().is_some());
        assert!(tree.open_folder_of(&rel("out/0/file")).is_ok());
    }

    #[test]
    fn what_was_made_is_removed_where_it_is_empty() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(folder.path().join("there")).unwrap();
        for keeps in [false, true] {
            let mut tree = Tree::create(&folder.path().join("there/new/anchor")).unwrap();
            for path in ["a/b", "a/c", "d"] {
                tree.make_folder(&rel(path), 0o755).unwrap();
            }
            if keeps {
                std::fs::write(tree.full(&rel("a/c/file")), "").unwrap();
            }
            tree.remove_made();
            let left = walkdir::WalkDir::new(folder.path()).min_depth(1).sort_by_file_name();
            let left: Vec<_> = left.into_iter().map(|one| one.unwrap().file_name().to_owned()).collect();
            let expected: &[&str] =
                if keeps { &["there", "new", "anchor", "a", "c", "file"] } else { &["there"] };
            assert_eq!(left, expected);
        }
    }

    #[test]
    fn temporary_names_are_known_again() {
        assert!(is_temporary_name(&temporary_name()));
        for name in
            ["", ".taskcache-", ".taskcache-0123456789abcde", ".taskcache-0123456789abcdeg", "taskcache.toml"]
        {
            assert!(!is_temporary_name(OsStr::new(name)), "{name}");
        }
    }

    #[test]
    fn a_missing_anchor_is_nothing() {
        let folder = tempfile::tempdir().unwrap();
        assert!(Tree::open(&folder.path().join("none")).unwrap().is_none());
    }
}
