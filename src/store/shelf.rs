//! The digests of one folder's files, as they are kept on disk.
//!
//! A shelf is one file, named by the digest of the folder's path: names, facts and digests, sorted by name, ending in
//! a checksum. It is read at once and kept as it was read; of its names there is only one copy, and they are found by
//! bisection, most often at once because they are asked for in their order. It is replaced at once too, and only where
//! there is something new. Two processes that replace it at the same time lose one's additions, which costs hashing
//! and nothing else.

use super::witness::Witnessed;
use crate::model::codec::{DecodeError, Decoder, Encoder};
use crate::model::digest::Digest;
use crate::model::entry::Content;
use crate::world::file::{FileError, Witness, create_private_folder, replace, sharded};
use crate::world::filesystem;
use crate::world::folder::Folder;
use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::ops::Range;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// How many names a shelf keeps that were not asked for this time.
const KEPT: usize = 20_000;

/// What is read at first of a shelf: that of a hundred files.
const FIRST_READ: usize = 16 * 1024;

const SHELF_FORMAT: u32 = 1;

/// What is known of a name.
#[derive(Debug, Clone)]
struct Known {
    /// Where it stands in the bytes of the shelf.
    name: Range<usize>,
    witnessed: Witnessed,
    /// It was asked for, and still held.
    asked: bool,
}

/// What is known of the files of one folder.
#[derive(Debug, Clone, Default)]
pub(super) struct Shelf {
    bytes: Vec<u8>,
    /// Sorted by name.
    known: Vec<Known>,
    added: BTreeMap<OsString, Witnessed>,
    /// Where the next name is expected.
    next: usize,
    trusted: bool,
    /// The device that the folder is on, if times can be relied on there; asked when it is first needed.
    device: Option<Option<u64>>,
}

impl Shelf {
    /// Reads the shelf of a folder; a missing or damaged one is empty.
    pub(super) fn load(folder: &Path, directory: &Path) -> Self {
        let trusted = filesystem::is_local(directory).unwrap_or(false);
        let bytes = if trusted { std::fs::read(path(folder, directory)).ok() } else { None };
        let shelf = bytes.and_then(|bytes| Self::decode(bytes, directory).ok()).unwrap_or_default();
        Self { trusted, ..shelf }
    }

    /// The same, where both folders are open already.
    pub(super) fn load_in(place: &Folder, directory: &Path, open: &Folder) -> Self {
        let trusted = filesystem::is_local_at(open).unwrap_or(false);
        // A shelf ends in a checksum: what a read leaves out is missed there.
        let bytes = if trusted { place.read(&path(Path::new(""), directory), FIRST_READ).ok() } else { None };
        let shelf = bytes.and_then(|bytes| Self::decode(bytes, directory).ok()).unwrap_or_default();
        Self { trusted, ..shelf }
    }

    /// Returns whether times can be relied on in the folder.
    pub(super) const fn is_trusted(&self) -> bool {
        self.trusted
    }

    /// Returns whether a file of these facts is on the device of the folder, and times can be relied on there.
    pub(super) fn is_home_of(&mut self, witness: &Witness, directory: &Path) -> bool {
        let ask = || filesystem::local_device(directory).unwrap_or(None);
        *self.device.get_or_insert_with(ask) == Some(witness.identity().0)
    }

    /// Returns whether nothing is known of any name.
    pub(super) fn is_empty(&self) -> bool {
        self.known.is_empty() && self.added.is_empty()
    }

    /// Takes over which names another one of the same bytes was asked for.
    pub(super) fn join(&mut self, other: &Self) {
        if self.bytes == other.bytes {
            for (known, other) in self.known.iter_mut().zip(&other.known) {
                known.asked |= other.asked;
            }
        }
    }

    /// Returns whether there is something new to be written.
    pub(super) fn is_changed(&self) -> bool {
        !self.added.is_empty()
    }

    /// Returns the content of the file `name`, if it is known under exactly these facts.
    pub(super) fn content(&mut self, name: &OsStr, witness: &Witness) -> Option<Content> {
        let is_it = |added: &&Witnessed| added.witness == *witness;
        if !self.added.is_empty()
            && let Some(added) = self.added.get(name).filter(is_it)
        {
            return Some(added.content);
        }
        let at = self.find(name.as_bytes())?;
        self.next = at + 1;
        let known = &mut self.known[at];
        known.asked = known.witnessed.witness == *witness;
        known.asked.then_some(known.witnessed.content)
    }

    fn find(&self, name: &[u8]) -> Option<usize> {
        let name_at = |known: &Known| self.bytes[known.name.clone()].cmp(name);
        match self.known.get(self.next) {
            Some(next) if name_at(next).is_eq() => Some(self.next),
            _ => self.known.binary_search_by(name_at).ok(),
        }
    }

    /// Puts a digest in.
    pub(super) fn add(&mut self, name: &OsStr, witnessed: Witnessed) {
        self.added.insert(name.to_owned(), witnessed);
    }

    /// Writes the shelf back.
    pub(super) fn save(&mut self, folder: &Path, directory: &Path) -> Result<(), FileError> {
        let bytes = self.encode(directory);
        self.added.clear();
        let path = path(folder, directory);
        match replace(&path, &bytes) {
            Err(error) if error.is_missing() => {
                if let Some(parent) = path.parent() {
                    create_private_folder(parent)?;
                }
                replace(&path, &bytes)
            }
            other => other,
        }
    }

    fn encode(&self, directory: &Path) -> Vec<u8> {
        let all = self.known.len() < KEPT;
        let kept = self.known.iter().filter(|known| all || known.asked);
        let mut names: BTreeMap<&[u8], &Witnessed> =
            kept.map(|known| (&self.bytes[known.name.clone()], &known.witnessed)).collect();
        names.extend(self.added.iter().map(|(name, witnessed)| (name.as_bytes(), witnessed)));
        let mut encoder = Encoder::new();
        encoder.u32(SHELF_FORMAT).bytes(directory.as_os_str().as_bytes()).length(names.len());
        for (name, Witnessed { content, witness }) in names {
            encoder.bytes(name).digest(&content.digest).u64(content.size);
            witness.encode(&mut encoder);
        }
        let mut bytes = encoder.finish();
        let checksum = Digest::of(&bytes);
        bytes.extend_from_slice(checksum.as_bytes());
        bytes
    }

    pub(super) fn decode(bytes: Vec<u8>, directory: &Path) -> Result<Self, DecodeError> {
        let (of, shelf) = Self::decode_any(bytes)?;
        match of == directory.as_os_str() {
            true => Ok(shelf),
            false => Err(DecodeError::Invalid { what: "shelf", why: "another folder".into() }),
        }
    }

    fn decode_any(bytes: Vec<u8>) -> Result<(OsString, Self), DecodeError> {
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
        let directory = OsStr::from_bytes(decoder.bytes("folder")?).to_owned();
        let count = decoder.count(8 + Digest::LENGTH + 8, "name count")?;
        let mut known: Vec<Known> = Vec::with_capacity(count);
        for _ in 0..count {
            let name = decoder.bytes("name")?;
            let end = at - decoder.left();
            let name = end - name.len()..end;
            if known.last().is_some_and(|last| body[last.name.clone()] >= body[name.clone()]) {
                return Err(invalid("names are out of order"));
            }
            let content = Content { digest: decoder.digest("digest")?, size: decoder.u64("size")? };
            let witnessed = Witnessed { content, witness: Witness::decode(&mut decoder)? };
            known.push(Known { name, witnessed, asked: false });
        }
        decoder.finish()?;
        Ok((directory, Self { bytes, known, ..Self::default() }))
    }
}

/// Checks the bytes of a shelf, whose name is the digest of the folder that it speaks of.
pub(super) fn inspect(bytes: Vec<u8>, name: &Digest) -> Result<(), DecodeError> {
    let (directory, _) = Shelf::decode_any(bytes)?;
    match Digest::of(directory.as_bytes()) == *name {
        true => Ok(()),
        false => Err(DecodeError::Invalid { what: "shelf", why: "another folder".into() }),
    }
}

/// Returns where the shelf of a folder lies.
pub(super) fn path(folder: &Path, directory: &Path) -> PathBuf {
    sharded(folder, &Digest::of(directory.as_os_str().as_bytes()))
}
