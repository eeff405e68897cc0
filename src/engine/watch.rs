//! The files that a key depends on, as they were when it was made.
//!
//! A hit needs none of this: its key is made and found. So what is kept of an input is what looking at it gave, in the
//! form in which it came, folder by folder; the path and the name of each file are put together when somebody asks for
//! them, which is after a run, or to explain one.

use crate::model::codec::Encoder;
use crate::model::digest::Digest;
use crate::store::looking::FolderFiles;
use crate::store::witness::Witnessed;
use crate::world::glob::{FoundKind, Resolves};
use crate::world::listing::Listing;
use std::cell::OnceCell;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// A file that the key depends on, to be looked at again after the run.
#[derive(Debug, Clone)]
pub struct Watched {
    /// What it is called in the key.
    pub name: Vec<u8>,
    /// Where it is.
    pub path: PathBuf,
    /// What it was when the key was made.
    pub witnessed: Witnessed,
}

/// What one pattern found, or the arguments.
#[derive(Debug)]
pub struct Finds {
    /// The way from the working directory to the pattern's folder, in front of every name.
    pub base: Vec<u8>,
    /// What was found; `None` where an optional pattern finds nothing.
    pub listings: Option<Vec<Listing>>,
}

/// All files behind a key.
#[derive(Debug, Default)]
pub struct Watch {
    /// The source.
    source: Vec<Watched>,
    /// What the declared patterns found, where inputs are in the key.
    declared: Option<Vec<Finds>>,
    /// The files among the arguments.
    arguments: Vec<Listing>,
    /// The facts of the files in all listings, one part behind the other; those of the arguments last.
    facts: Vec<Vec<Witnessed>>,
    files: OnceCell<Vec<Watched>>,
}

impl Watch {
    /// Puts the input files in.
    pub(super) fn inputs(declared: Vec<Finds>, arguments: Vec<Listing>, facts: Vec<Vec<Witnessed>>) -> Self {
        Self { declared: Some(declared), arguments, facts, ..Self::default() }
    }

    /// Puts the source in front.
    #[must_use]
    pub(super) fn with_source(self, source: Vec<Watched>) -> Self {
        Self { source, files: OnceCell::new(), ..self }
    }

    /// Returns the files, those of the source first.
    pub fn files(&self) -> &[Watched] {
        self.files.get_or_init(|| {
            let mut files = self.source.clone();
            let mut facts = self.facts.iter().flatten();
            for (base, listing) in self.listings() {
                files.extend(Group { base, listing }.files().zip(&mut facts).map(
                    |((entry, _), witnessed)| {
                        let name = key_name(listing.name_of(entry), base);
                        Watched { name, path: listing.path_of(entry), witnessed: *witnessed }
                    },
                ));
            }
            files
        })
    }

    /// Returns the name of an input that is the file of this device and inode.
    pub(super) fn input_that_is(&self, identity: (u64, u64)) -> Option<Vec<u8>> {
        let is_it = |witnessed: &Witnessed| witnessed.witness.identity() == identity;
        let at = self.facts.iter().flatten().position(is_it)?;
        let mut names = self.listings().flat_map(|(base, listing)| {
            Group { base, listing }.files().map(move |(entry, _)| key_name(listing.name_of(entry), base))
        });
        names.nth(at)
    }

    /// Returns the digest of which names the declared patterns found, where inputs are in the key.
    pub fn listing(&self) -> Option<Digest> {
        self.declared.as_deref().map(listing_of)
    }

    fn listings(&self) -> impl Iterator<Item = (&[u8], &Listing)> {
        all_listings(self.declared.as_deref().unwrap_or_default(), &self.arguments)
    }
}

/// Returns each listing with the way to its pattern's folder, those of the arguments last.
pub(super) fn all_listings<'f>(
    declared: &'f [Finds],
    arguments: &'f [Listing],
) -> impl Iterator<Item = (&'f [u8], &'f Listing)> {
    let of_pattern =
        |finds: &'f Finds| finds.listings.iter().flatten().map(|listing| (finds.base.as_slice(), listing));
    declared.iter().flat_map(of_pattern).chain(arguments.iter().map(|listing| (&b""[..], listing)))
}

/// Returns the digest of which names were found, and of what kind.
pub(super) fn listing_of(declared: &[Finds]) -> Digest {
    let mut encoder = Encoder::new();
    for finds in declared {
        encoder.optional(finds.listings.as_ref(), |encoder, listings| {
            encoder.length(listings.len());
            for listing in listings {
                encoder.bytes(&listing.name).length(listing.len());
                for (entry, kind) in listing.entries() {
                    encoder.bytes(entry).u8(match kind {
                        FoundKind::File => 0,
                        FoundKind::Directory => 1,
                        FoundKind::Symlink { .. } => 2,
                        FoundKind::Special(_) => 3,
                    });
                }
            }
        });
    }
    Digest::of(&encoder.finish())
}

/// The files of a listing, and links to files.
#[derive(Debug, Clone, Copy)]
pub(super) struct Group<'f> {
    /// The way to the pattern's folder.
    pub(super) base: &'f [u8],
    /// Where they stand.
    pub(super) listing: &'f Listing,
}

impl<'f> Group<'f> {
    /// Returns the files, each with the text of the link that leads to it.
    pub(super) fn files(self) -> impl Iterator<Item = (&'f [u8], Option<&'f [u8]>)> {
        self.listing.entries().filter_map(|(entry, kind)| link_of(kind).map(|link| (entry, link)))
    }

    /// Returns whether it is one file that was found by its own path, not in a folder that was listed.
    fn is_one_file(self) -> bool {
        self.files().next().is_some_and(|(entry, _)| entry.is_empty())
    }
}

impl FolderFiles for Group<'_> {
    fn folder(&self) -> &Path {
        match self.is_one_file() {
            true => self.listing.path.parent().unwrap_or(Path::new("/")),
            false => &self.listing.path,
        }
    }

    fn count(&self) -> usize {
        self.files().count()
    }

    fn names(&self) -> impl Iterator<Item = &OsStr> {
        let itself = self.listing.path.file_name().unwrap_or_default();
        self.files().map(move |(entry, _)| if entry.is_empty() { itself } else { OsStr::from_bytes(entry) })
    }
}

/// Returns the text of the link that leads to a file, which is none for a file itself; `None` for all else.
pub(super) const fn link_of(kind: &FoundKind) -> Option<Option<&[u8]>> {
    match kind {
        FoundKind::File => Some(None),
        FoundKind::Symlink { target, resolves: Resolves::File } => Some(Some(target.as_slice())),
        _ => None,
    }
}

/// Returns what a path is called in the key. It is spelled from the pattern's folder; where that is not the working
/// directory, as for a pattern of a config, the way there comes in front (see [`super::outputs::base_text`]): the same
/// words among the arguments mean another file.
pub(super) fn key_name(spelled: Vec<u8>, base: &[u8]) -> Vec<u8> {
    if base.is_empty() || spelled.starts_with(b"/") {
        return spelled;
    }
    let slash: &[u8] = if base.ends_with(b"/") { b"" } else { b"/" };
    [base, slash, &spelled].concat()
}
