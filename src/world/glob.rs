//! What a [`PathPattern`] finds on the file system.
//!
//! A literal that names a folder means its whole tree, empty folders too, and so does a folder that a glob matches.
//! Nothing is left out on the quiet: dot files, `.git` and build folders count, unless the caller excludes them.
//! What a folder holds cannot be told without reading it, so a folder that cannot be read is an error and never an
//! empty one.
//!
//! Invariants: the result is sorted by name and has no name twice; every path begins with the pattern's anchor.
//! Only folders that a match can lie in or below are read. A walk keeps its own stack, so that depth costs memory
//! and no thread.
//!
//! Symbolic links are reported as what they are, and followed where they lead to a folder. One that leads to a
//! folder above it in the same walk is a loop and not followed. A folder that many links lead to is walked as often:
//! its files have as many names.
//!
//! Cost: a listing for each folder and no call at all for a plain file; `readlink` and `stat` for a symbolic link.
//!
//! Deliberately absent: `walkdir`. Its entries hide where a link was followed, and it cannot tell a pattern's
//! progress from one folder to the next.

pub use crate::model::pattern::{Exclusions, PathPattern, PatternError, PatternProblem};

use crate::model::path::printable;
use crate::model::pattern::Reached;
use rustix::fs::{Dir, FileType, Mode, OFlags};
use rustix::io::Errno;
use std::ffi::OsStr;
use std::fs::{self, Metadata};
use std::io::{self, ErrorKind};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// Something that a pattern found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// Where it is: absolute, below the pattern's anchor, with no link resolved.
    pub path: PathBuf,
    /// What it is called in a key: relative to the base folder for a relative pattern, else absolute.
    pub name: Vec<u8>,
    /// What it is.
    pub kind: FoundKind,
}

/// What stands at a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FoundKind {
    /// A regular file.
    File,
    /// A directory.
    Directory,
    /// A symbolic link.
    Symlink {
        /// Its text.
        target: Vec<u8>,
        /// What it leads to in the end.
        resolves: Resolves,
    },
    /// Something that has no content to read; the word says what.
    Special(&'static str),
}

/// What a symbolic link leads to in the end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Resolves {
    /// A regular file.
    File,
    /// A directory, which was walked under the link's name.
    Directory,
    /// Nothing.
    Nothing,
    /// Itself, or a directory that holds it.
    Loop,
    /// A pipe, socket or device.
    Other,
}

/// A pattern that could not be followed to the end.
#[derive(Debug, thiserror::Error)]
#[error("cannot {action} '{}': {reason}", printable(path.as_os_str().as_bytes()))]
pub struct ExpandError {
    action: &'static str,
    path: PathBuf,
    reason: io::Error,
}

impl ExpandError {
    /// Returns the path that could not be read.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Returns the system's reason.
    pub fn reason(&self) -> &io::Error {
        &self.reason
    }

    fn new(action: &'static str, path: &Path, reason: io::Error) -> Self {
        Self { action, path: path.to_owned(), reason }
    }
}

/// Returns everything that a pattern finds, but what `excluded` takes out.
///
/// `excluded` is asked for each absolute path with whether a directory stands there (a link to one is none). What it
/// takes out is neither reported nor entered. A literal path that is missing, and a glob whose anchor is missing or
/// no directory, find nothing.
pub fn expand(
    pattern: &PathPattern,
    excluded: impl Fn(&Path, bool) -> bool,
) -> Result<Vec<Found>, ExpandError> {
    let literal = pattern.literal_path();
    let root = literal.as_deref().unwrap_or_else(|| pattern.anchor());
    let Some(file_type) = kind_at(root, literal.is_none())? else { return Ok(Vec::new()) };
    let mut walk = Walk { pattern, root, excluded, found: Vec::new(), pending: Vec::new() };
    if literal.is_some() {
        let name = pattern.named(pattern.literal_name().unwrap_or_default());
        walk.visit(Folder { path: root.to_owned(), name, reached: None }, file_type, true)?;
    } else if file_type.is_dir() && !(walk.excluded)(root, true) {
        walk.pending.push(Folder {
            path: root.to_owned(),
            name: pattern.named(b""),
            reached: Some(pattern.start()),
        });
    }
    while let Some(folder) = walk.pending.pop() {
        let before = walk.pending.len();
        let from = walk.found.len();
        walk.list(&folder)?;
        walk.found[from..].sort_unstable_by(|a, b| a.name.cmp(&b.name));
        // The last one is entered first.
        walk.pending[before..].sort_unstable_by(|a, b| b.name.cmp(&a.name));
    }
    let mut found = walk.found;
    // Folder by folder it is sorted already, which the stable sort makes use of.
    found.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(found)
}

/// Returns what stands at a path, or `None` for nothing. An anchor is followed through links, a literal is not.
fn kind_at(path: &Path, follow: bool) -> Result<Option<FileType>, ExpandError> {
    match if follow { rustix::fs::stat(path) } else { rustix::fs::lstat(path) } {
        Ok(stat) => Ok(Some(FileType::from_raw_mode(stat.st_mode))),
        Err(Errno::NOENT | Errno::NOTDIR) => Ok(None),
        Err(error) => Err(ExpandError::new("look at", path, error.into())),
    }
}

fn means_missing(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory)
}

/// A folder to be listed.
struct Folder {
    path: PathBuf,
    name: Vec<u8>,
    /// How far the pattern is matched there; `None` where everything below counts.
    reached: Option<Reached>,
}

struct Walk<'p, E> {
    pattern: &'p PathPattern,
    root: &'p Path,
    excluded: E,
    found: Vec<Found>,
    pending: Vec<Folder>,
}

impl<E: Fn(&Path, bool) -> bool> Walk<'_, E> {
    fn list(&mut self, folder: &Folder) -> Result<(), ExpandError> {
        let refuse = |error: Errno| ExpandError::new("list the folder", &folder.path, error.into());
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
        let listed =
            rustix::fs::open(&folder.path, flags, Mode::empty()).and_then(Dir::new).map_err(refuse)?;
        for entry in listed {
            let entry = entry.map_err(refuse)?;
            let name = OsStr::from_bytes(entry.file_name().to_bytes());
            if name == "." || name == ".." {
                continue;
            }
            let file_type = match entry.file_type() {
                // Some file systems do not tell in the listing.
                FileType::Unknown => match kind_at(&joined(&folder.path, name), false)? {
                    Some(file_type) => file_type,
                    None => continue,
                },
                told => told,
            };
            let (matched, reached) = match &folder.reached {
                None => (true, None),
                Some(reached) if self.pattern.accepts(reached, name.as_bytes()) => (true, None),
                // A plain file is the common case, and nothing lies below it.
                Some(_) if file_type.is_file() => continue,
                Some(reached) => match self.pattern.advance(reached, name.as_bytes()) {
                    dead if dead.is_dead() => continue,
                    reached => (false, Some(reached)),
                },
            };
            let path = joined(&folder.path, name);
            let name = below(&folder.name, name);
            self.visit(Folder { path, name, reached }, file_type, matched)?;
        }
        Ok(())
    }

    /// Reports what stands at a path where it is `matched`, and puts it on the stack where it can be entered.
    fn visit(&mut self, place: Folder, file_type: FileType, matched: bool) -> Result<(), ExpandError> {
        if (self.excluded)(&place.path, file_type.is_dir()) {
            return Ok(());
        }
        let (kind, enter) = if file_type.is_dir() {
            (FoundKind::Directory, true)
        } else if file_type.is_symlink() {
            let resolves = self.resolves(&place.path)?;
            let target = fs::read_link(&place.path)
                .map_err(|error| ExpandError::new("read the link", &place.path, error))?;
            let target = target.into_os_string().into_vec();
            (FoundKind::Symlink { target, resolves }, resolves == Resolves::Directory)
        } else {
            (plain_kind(file_type), false)
        };
        match (matched, enter) {
            (true, true) => {
                self.found.push(Found { path: place.path.clone(), name: place.name.clone(), kind });
                self.pending.push(place);
            }
            (true, false) => self.found.push(Found { path: place.path, name: place.name, kind }),
            (false, true) => self.pending.push(place),
            (false, false) => {}
        }
        Ok(())
    }

    fn resolves(&self, link: &Path) -> Result<Resolves, ExpandError> {
        let metadata = match fs::metadata(link) {
            Ok(metadata) => metadata,
            Err(error) if means_missing(&error) => return Ok(Resolves::Nothing),
            Err(error) if error.raw_os_error() == Some(Errno::LOOP.raw_os_error()) => {
                return Ok(Resolves::Loop);
            }
            Err(error) => return Err(ExpandError::new("follow the link", link, error)),
        };
        if metadata.is_file() {
            return Ok(Resolves::File);
        }
        if !metadata.is_dir() {
            return Ok(Resolves::Other);
        }
        let depth = self.root.as_os_str().len();
        for above in link.ancestors().skip(1).take_while(|above| above.as_os_str().len() >= depth) {
            let folder = fs::metadata(above).map_err(|error| ExpandError::new("look at", above, error))?;
            if same_place(&folder, &metadata) {
                return Ok(Resolves::Loop);
            }
        }
        Ok(Resolves::Directory)
    }
}

fn same_place(one: &Metadata, other: &Metadata) -> bool {
    (one.dev(), one.ino()) == (other.dev(), other.ino())
}

fn plain_kind(file_type: FileType) -> FoundKind {
    match file_type {
        FileType::RegularFile => FoundKind::File,
        FileType::Fifo => FoundKind::Special("pipe"),
        FileType::Socket => FoundKind::Special("socket"),
        FileType::BlockDevice => FoundKind::Special("block device"),
        FileType::CharacterDevice => FoundKind::Special("character device"),
        _ => FoundKind::Special("special file"),
    }
}

/// Joins as `Path::join` does, in one allocation.
fn joined(folder: &Path, name: &OsStr) -> PathBuf {
    let mut path = PathBuf::with_capacity(folder.as_os_str().len() + 1 + name.len());
    path.push(folder);
    path.push(name);
    path
}

/// Returns the name of an entry in a folder; what is in the base folder itself has no folder in its name.
fn below(folder: &[u8], entry: &OsStr) -> Vec<u8> {
    let mut name = Vec::with_capacity(folder.len() + 1 + entry.len());
    if folder != b"." {
        name.extend_from_slice(folder);
        if !folder.ends_with(b"/") {
            name.push(b'/');
        }
    }
    name.extend_from_slice(entry.as_bytes());
    name
}

#[cfg(test)]
mod tests;
