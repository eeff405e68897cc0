//! What a [`PathPattern`] finds on the file system.
//!
//! A literal that names a folder means its whole tree, empty folders too, and so does a folder that a glob matches.
//! Nothing is left out on the quiet: dot files, `.git` and build folders count, unless the caller excludes them.
//! What a folder holds cannot be told without reading it, so a folder that cannot be read is an error and never an
//! empty one.
//!
//! Invariants: what is found comes folder by folder, sorted by name, and no name twice; every path begins with the
//! pattern's anchor. Only folders that a match can lie in or below are read. A walk keeps its own stack, so that depth
//! costs memory and no thread; the folders of a large tree are read by all processors.
//!
//! Symbolic links are reported as what they are, and followed where they lead to a folder. One that leads to a
//! folder above it in the same walk is a loop and not followed. A folder that many links lead to is walked as often:
//! its files have as many names.
//!
//! Cost: a listing for each folder and no call at all for a plain file; `readlink` and `stat` for a symbolic link. Of a
//! plain file its name is kept, in one piece of memory with those beside it, and nothing else.
//!
//! Deliberately absent: `walkdir`. Its entries hide where a link was followed, and it cannot tell a pattern's
//! progress from one folder to the next.

pub use crate::model::pattern::{Exclusions, PathPattern, PatternError, PatternProblem};

use super::listing::{Joined, Listing};
use super::workers::explore;
use crate::model::path::printable;
use crate::model::pattern::Reached;
use rustix::fs::{FileType, Mode, OFlags};
use rustix::io::Errno;
use std::fs::{self, Metadata};
use std::io::{self, ErrorKind};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

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

    /// Returns whether what was found is gone: somebody took it away between two looks.
    pub fn is_missing(&self) -> bool {
        means_missing(&self.reason)
    }

    fn new(action: &'static str, path: &Path, reason: io::Error) -> Self {
        Self { action, path: path.to_owned(), reason }
    }
}

/// Returns everything that a pattern finds, but what `excluded` takes out, sorted by folder.
///
/// `excluded` is asked for each absolute path with whether a directory stands there (a link to one is none). What it
/// takes out is neither reported nor entered. A literal path that is missing, and a glob whose anchor is missing or
/// no directory, find nothing.
pub fn expand(
    pattern: &PathPattern,
    excluded: impl Fn(&Path, bool) -> bool + Sync,
) -> Result<Vec<Listing>, ExpandError> {
    let literal = pattern.literal_path();
    let root = literal.as_deref().unwrap_or_else(|| pattern.anchor());
    let Some(file_type) = kind_at(root, literal.is_none())? else { return Ok(Vec::new()) };
    if excluded(root, file_type.is_dir()) {
        return Ok(Vec::new());
    }
    let walk = Walk { pattern, root, excluded };
    let mut first = Folder { path: root.to_owned(), name: Vec::new(), reached: None, own: None };
    if literal.is_some() {
        first.name = pattern.named(pattern.literal_name().unwrap_or_default());
        let (kind, enter) = walk.kind_of(root, file_type)?;
        if !enter {
            let mut listing = Listing::of(first.path, first.name);
            listing.add(b"", kind);
            return Ok(vec![listing]);
        }
        first.own = Some(kind);
    } else if file_type.is_dir() {
        first.name = pattern.named(b"");
        first.reached = Some(pattern.start());
    } else {
        return Ok(Vec::new());
    }
    let mut listings = Vec::new();
    let mut failed: Option<(Vec<u8>, ExpandError)> = None;
    for (name, listed) in explore(vec![first], |folder, more| walk.list(folder, more)) {
        match listed {
            Ok(listing) if listing.is_empty() => {}
            Ok(listing) => listings.push(listing),
            // The same one whoever was the first to meet one.
            Err(error) if failed.as_ref().is_none_or(|(first, _)| name < *first) => {
                failed = Some((name, error));
            }
            Err(_) => {}
        }
    }
    if let Some((_, error)) = failed {
        return Err(error);
    }
    listings.sort_unstable_by(Listing::order);
    Ok(listings)
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
    /// What the folder itself is, where it is found too.
    own: Option<FoundKind>,
}

struct Walk<'p, E> {
    pattern: &'p PathPattern,
    root: &'p Path,
    excluded: E,
}

impl<E: Fn(&Path, bool) -> bool> Walk<'_, E> {
    /// Lists a folder, and adds those in it that can be entered. The name goes with an error too.
    fn list(&self, mut folder: Folder, more: &mut Vec<Folder>) -> (Vec<u8>, Result<Listing, ExpandError>) {
        let reached = folder.reached.take();
        let own = folder.own.take();
        let mut listing = Listing::of(folder.path, folder.name);
        if let Some(own) = own {
            listing.add(b"", own);
        }
        // One buffer for the paths of all that stands here.
        let mut path = Joined::below(&listing.path);
        let folder = listing.path.clone();
        let listed = each_entry(&folder, |name, file_type| {
            let path = path.to(name);
            let file_type = match file_type {
                // Some file systems do not tell in the listing.
                FileType::Unknown => match kind_at(path, false)? {
                    Some(file_type) => file_type,
                    None => return Ok(()),
                },
                told => told,
            };
            let (matched, reached) = match &reached {
                None => (true, None),
                Some(reached) if self.pattern.accepts(reached, name) => (true, None),
                // A plain file is the common case, and nothing lies below it.
                Some(_) if file_type.is_file() => return Ok(()),
                Some(reached) => match self.pattern.advance(reached, name) {
                    dead if dead.is_dead() => return Ok(()),
                    reached => (false, Some(reached)),
                },
            };
            if (self.excluded)(path, file_type.is_dir()) {
                return Ok(());
            }
            let (kind, enter) = self.kind_of(path, file_type)?;
            if enter {
                let own = matched.then_some(kind);
                more.push(Folder { path: path.to_owned(), name: listing.name_of(name), reached, own });
            } else if matched {
                listing.add(name, kind);
            }
            Ok(())
        });
        listing.sort();
        (listing.name.clone(), listed.map(|()| listing))
    }

    /// Returns what stands at a path, and whether it can be entered.
    fn kind_of(&self, path: &Path, file_type: FileType) -> Result<(FoundKind, bool), ExpandError> {
        if file_type.is_dir() {
            return Ok((FoundKind::Directory, true));
        }
        if !file_type.is_symlink() {
            return Ok((plain_kind(file_type), false));
        }
        let resolves = self.resolves(path)?;
        let target = fs::read_link(path).map_err(|error| ExpandError::new("read the link", path, error))?;
        let target = target.into_os_string().into_vec();
        Ok((FoundKind::Symlink { target, resolves }, resolves == Resolves::Directory))
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

/// Hands over what a folder holds, but for itself and the one above it.
fn each_entry(
    folder: &Path,
    mut take: impl FnMut(&[u8], FileType) -> Result<(), ExpandError>,
) -> Result<(), ExpandError> {
    let refuse = |error: Errno| ExpandError::new("list the folder", folder, error.into());
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let open = rustix::fs::open(folder, flags, Mode::empty()).map_err(refuse)?;
    // Into a buffer that takes most folders at once; the library's own begins small and asks four times for a hundred.
    #[cfg(target_os = "linux")]
    let mut buffer = Vec::with_capacity(32 * 1024);
    #[cfg(target_os = "linux")]
    let mut listed = rustix::fs::RawDir::new(open, buffer.spare_capacity_mut());
    #[cfg(not(target_os = "linux"))]
    let mut listed = rustix::fs::Dir::new(open).map_err(refuse)?;
    while let Some(entry) = listed.next() {
        let entry = entry.map_err(refuse)?;
        let name = entry.file_name().to_bytes();
        if name != b"." && name != b".." {
            take(name, entry.file_type())?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
