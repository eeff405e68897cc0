//! What one folder holds of what a pattern finds.
//!
//! The names of a folder lie in one piece of memory, and its path stands there once: trees have many files, and a path
//! and a name of its own for each of them would be most of the memory, and most of the time, of a run that only looks.
//!
//! Invariant: sorted by name, no name twice. An empty name stands for the place itself: the folder where it is found
//! too, or a file that a literal pattern names.

use super::glob::FoundKind;
use std::cmp::Ordering;
use std::ffi::OsStr;
use std::ops::Range;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// What one folder holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listing {
    /// Where it is: absolute, below the pattern's anchor, with no link resolved.
    pub path: PathBuf,
    /// What it is called in a key: relative to the base folder for a relative pattern, else absolute.
    pub name: Vec<u8>,
    text: Vec<u8>,
    entries: Vec<Entry>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Entry {
    /// Where the name stands in the text.
    name: Range<usize>,
    kind: FoundKind,
}

impl Listing {
    /// Begins a listing.
    pub(super) const fn of(path: PathBuf, name: Vec<u8>) -> Self {
        Self { path, name, text: Vec::new(), entries: Vec::new() }
    }

    /// Returns the listing of a file that nothing was listed for.
    pub fn of_file(path: PathBuf, name: Vec<u8>) -> Self {
        let mut listing = Self::of(path, name);
        listing.add(b"", FoundKind::File);
        listing
    }

    /// Adds a name.
    pub(super) fn add(&mut self, name: &[u8], kind: FoundKind) {
        let from = self.text.len();
        self.text.extend_from_slice(name);
        self.entries.push(Entry { name: from..self.text.len(), kind });
    }

    pub(super) fn sort(&mut self) {
        let text = &self.text;
        self.entries.sort_unstable_by(|one, other| one.name(text).cmp(other.name(text)));
    }

    /// Returns whether it holds nothing.
    pub const fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Returns how many names it holds.
    pub const fn len(&self) -> usize {
        self.entries.len()
    }

    /// Returns the names and what stands there.
    pub fn entries(&self) -> impl Iterator<Item = (&[u8], &FoundKind)> {
        self.entries.iter().map(|entry| (entry.name(&self.text), &entry.kind))
    }

    /// Takes out every name that `keep` does not want.
    pub fn retain(&mut self, mut keep: impl FnMut(&Self, &[u8]) -> bool) {
        let mut entries = std::mem::take(&mut self.entries);
        entries.retain(|entry| keep(self, entry.name(&self.text)));
        self.entries = entries;
    }

    /// Returns what a name here is called in a key. What is in the base folder itself has no folder in its name.
    pub fn name_of(&self, entry: &[u8]) -> Vec<u8> {
        if entry.is_empty() {
            return self.name.clone();
        }
        let mut name = Vec::with_capacity(self.name.len() + 1 + entry.len());
        if self.name != b"." {
            name.extend_from_slice(&self.name);
            if !self.name.ends_with(b"/") {
                name.push(b'/');
            }
        }
        name.extend_from_slice(entry);
        name
    }

    /// Returns where a name here stands.
    pub fn path_of(&self, entry: &[u8]) -> PathBuf {
        match entry.is_empty() {
            true => self.path.clone(),
            false => self.path.join(OsStr::from_bytes(entry)),
        }
    }

    /// The order in which the names of one folder come before or behind those of another.
    pub(super) fn order(&self, other: &Self) -> Ordering {
        self.name.iter().chain(b"/").cmp(other.name.iter().chain(b"/"))
    }
}

impl Entry {
    fn name<'t>(&self, text: &'t [u8]) -> &'t [u8] {
        &text[self.name.clone()]
    }
}

/// Paths in one folder, one after the other in the same memory.
#[derive(Debug)]
pub(super) struct Joined {
    bytes: Vec<u8>,
    folder: usize,
}

impl Joined {
    pub(super) fn below(folder: &Path) -> Self {
        let mut bytes = folder.as_os_str().as_bytes().to_vec();
        if !bytes.ends_with(b"/") {
            bytes.push(b'/');
        }
        Self { folder: bytes.len(), bytes }
    }

    pub(super) fn to(&mut self, name: &[u8]) -> &Path {
        self.bytes.truncate(self.folder);
        self.bytes.extend_from_slice(name);
        Path::new(OsStr::from_bytes(&self.bytes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_spelled_from_the_folder() {
        let at = |path: &str, name: &str| {
            let mut listing = Listing::of(path.into(), name.into());
            for entry in ["b", "", "a"] {
                listing.add(entry.as_bytes(), FoundKind::File);
            }
            listing.sort();
            let spelled = |(entry, _): (&[u8], &FoundKind)| {
                let path = listing.path_of(entry).into_os_string().into_string().unwrap();
                (path, String::from_utf8(listing.name_of(entry)).unwrap())
            };
            listing.entries().map(spelled).collect::<Vec<_>>()
        };
        let pairs = |pairs: [(&str, &str); 3]| pairs.map(|(path, name)| (path.to_owned(), name.to_owned()));
        assert_eq!(at("/w/in", "in"), pairs([("/w/in", "in"), ("/w/in/a", "in/a"), ("/w/in/b", "in/b")]));
        assert_eq!(at("/w", "."), pairs([("/w", "."), ("/w/a", "a"), ("/w/b", "b")]));
        assert_eq!(at("/", "/"), pairs([("/", "/"), ("/a", "/a"), ("/b", "/b")]));
    }

    #[test]
    fn what_lies_in_a_folder_stays_together() {
        let mut listings = ["a", "a-b", "a/b", "b"].map(|name| Listing::of(name.into(), name.into()));
        listings.sort_by(Listing::order);
        assert_eq!(listings.map(|listing| listing.name), ["a-b", "a", "a/b", "b"].map(Vec::from));
    }

    #[test]
    fn paths_are_joined_as_the_library_joins_them() {
        for folder in ["/", "/w", "/w/x"].map(Path::new) {
            let mut joined = Joined::below(folder);
            for name in ["long name", "a", "é"] {
                assert_eq!(joined.to(name.as_bytes()), folder.join(name));
            }
        }
    }
}
