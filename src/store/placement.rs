//! What runs and restores put into output folders, so that it can be told from files of the user's own.
//!
//! One file for each *place*: a task with its outputs in a working directory. It lists paths with the content and
//! the stat facts that they had when they were put there. A file on disk counts as ours only while both still hold;
//! the moment somebody touches it, it is theirs. Nothing else in the store speaks about the user's tree.
//!
//! A placement that is lost or damaged means that nothing there is ours: files then stay which could have gone.

use super::Layout;
use crate::model::codec::{DecodeError, Decoder, Encoder};
use crate::model::digest::Digest;
use crate::model::entry::Content;
use crate::model::path::RelPath;
use crate::world::file::{FileError, Witness, create_private_folder, read_optional, replace, sharded};
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

const PLACEMENT_FORMAT: u32 = 1;

/// What was put at a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Placed {
    /// A file with this content and these facts.
    File {
        /// What it held.
        content: Content,
        /// What it looked like.
        witness: Witness,
    },
    /// A directory that was not there before.
    Directory,
    /// A symbolic link with this text.
    Symlink {
        /// The text.
        target: Vec<u8>,
    },
}

/// All that is ours in one place: by number of the declared output and path below its anchor.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Placement {
    /// The paths, sorted, so that a folder stands before what it holds.
    pub paths: BTreeMap<(u32, RelPath), Placed>,
    /// Those of them that were a user's own file before a run wrote over it.
    pub rewritten: BTreeSet<(u32, RelPath)>,
}

/// The placement of one place, on disk.
#[derive(Debug)]
pub struct PlacementFile {
    path: PathBuf,
}

impl PlacementFile {
    /// Names the file for a place; nothing is touched.
    pub fn of(layout: &Layout, place: &Digest) -> Self {
        Self { path: sharded(&layout.path("placements"), place) }
    }

    /// Reads the placement; a missing or damaged one is empty.
    pub fn read(&self) -> Placement {
        let bytes = read_optional(&self.path).ok().flatten();
        bytes.and_then(|bytes| Placement::decode(&bytes).ok()).unwrap_or_default()
    }

    /// Replaces the placement.
    pub fn write(&self, placement: &Placement) -> Result<(), FileError> {
        if let Some(parent) = self.path.parent() {
            create_private_folder(parent)?;
        }
        replace(&self.path, &placement.encode())
    }
}

impl Placement {
    /// Returns the bytes that a placement is kept as.
    pub fn encode(&self) -> Vec<u8> {
        let mut encoder = Encoder::new();
        encoder.u32(PLACEMENT_FORMAT).length(self.paths.len());
        for ((output, path), placed) in &self.paths {
            encoder.u32(*output).bytes(path.as_bytes());
            encoder.u8(self.rewritten.contains(&(*output, path.clone())).into());
            match placed {
                Placed::File { content, witness } => {
                    encoder.u8(0).digest(&content.digest).u64(content.size);
                    witness.encode(&mut encoder);
                }
                Placed::Directory => {
                    encoder.u8(1);
                }
                Placed::Symlink { target } => {
                    encoder.u8(2).bytes(target);
                }
            }
        }
        let mut bytes = encoder.finish();
        let checksum = Digest::of(&bytes);
        bytes.extend_from_slice(checksum.as_bytes());
        bytes
    }

    /// Reads what `encode` returns. Anything else is an error.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let at = bytes.len().checked_sub(Digest::LENGTH).ok_or(DecodeError::Truncated("placement"))?;
        let (body, checksum) = bytes.split_at(at);
        if Digest::of(body).as_bytes() != checksum {
            return Err(DecodeError::Invalid { what: "placement", why: "wrong checksum".into() });
        }
        let mut decoder = Decoder::new(body);
        let format = decoder.u32("placement format")?;
        if format != PLACEMENT_FORMAT {
            return Err(DecodeError::Unknown { what: "placement format", value: format.into() });
        }
        let count = decoder.count(13, "path count")?;
        let mut paths = BTreeMap::new();
        let mut rewritten = BTreeSet::new();
        for _ in 0..count {
            let output = decoder.u32("output number")?;
            let path = RelPath::new(decoder.bytes("path")?)
                .map_err(|error| DecodeError::Invalid { what: "path", why: error.to_string() })?;
            if decoder.flag("rewritten")? {
                rewritten.insert((output, path.clone()));
            }
            let placed = match decoder.u8("placed kind")? {
                0 => {
                    let content = Content { digest: decoder.digest("digest")?, size: decoder.u64("size")? };
                    Placed::File { content, witness: Witness::decode(&mut decoder)? }
                }
                1 => Placed::Directory,
                2 => Placed::Symlink { target: decoder.bytes("target")?.to_vec() },
                value => return Err(DecodeError::Unknown { what: "placed kind", value: value.into() }),
            };
            paths.insert((output, path), placed);
        }
        decoder.finish()?;
        Ok(Self { paths, rewritten })
    }
}

/// Checks the bytes of a placement.
pub(super) fn inspect(bytes: &[u8]) -> Result<(), DecodeError> {
    Placement::decode(bytes).map(|_| ())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_placement_goes_round_and_a_damaged_one_is_empty() {
        let folder = tempfile::tempdir().unwrap();
        let layout = Layout { root: folder.path().to_owned() };
        let file = PlacementFile::of(&layout, &Digest::of(b"place"));
        assert_eq!(file.read(), Placement::default());
        let witness = Witness::of_target(folder.path()).unwrap();
        let path = |text: &str| RelPath::new(text).unwrap();
        let placement = Placement {
            paths: BTreeMap::from([
                ((0, path("out")), Placed::Directory),
                ((0, path("out/a")), Placed::File { content: Content::of(b"a"), witness }),
                ((1, path("link")), Placed::Symlink { target: b"a".to_vec() }),
            ]),
            rewritten: BTreeSet::from([(0, path("out/a"))]),
        };
        file.write(&placement).unwrap();
        assert_eq!(file.read(), placement);
        let mut bytes = std::fs::read(&file.path).unwrap();
        bytes[20] ^= 1;
        std::fs::write(&file.path, bytes).unwrap();
        assert_eq!(file.read(), Placement::default());
    }
}
