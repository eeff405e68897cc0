//! The files that a command turned out to read, found only after it ran.
//!
//! A recipe key (all that is known beforehand) leads to a few path sets seen before. A set holds paths alone, no
//! digests, so that many versions of the same files share one; the paths, hashed as they are now, complete the
//! fingerprint to the entry's key. A path that does not exist is a fact like any other.

use super::codec::{DecodeError, Decoder, Encoder};
use super::digest::Digest;

/// The number of the encoding.
const PATH_SET_FORMAT: u32 = 1;

/// A sorted set of paths, as bytes, as the command named them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PathSet {
    paths: Vec<Vec<u8>>,
}

impl PathSet {
    /// Sorts paths and drops repeats.
    pub fn new(mut paths: Vec<Vec<u8>>) -> Self {
        paths.sort_unstable();
        paths.dedup();
        Self { paths }
    }

    /// Returns the paths, sorted.
    pub fn paths(&self) -> &[Vec<u8>] {
        &self.paths
    }

    /// Returns what names the set: the digest of its encoding.
    pub fn id(&self) -> Digest {
        Digest::of(&self.encode())
    }

    /// Returns the encoding.
    pub fn encode(&self) -> Vec<u8> {
        let mut encoder = Encoder::new();
        encoder.u32(PATH_SET_FORMAT).length(self.paths.len());
        for path in &self.paths {
            encoder.bytes(path);
        }
        encoder.finish()
    }

    /// Reads an encoding.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut decoder = Decoder::new(bytes);
        let format = decoder.u32("path set format")?;
        if format != PATH_SET_FORMAT {
            return Err(DecodeError::Unknown { what: "path set format", value: format.into() });
        }
        let count = decoder.count(8, "path count")?;
        let paths: Vec<_> =
            (0..count).map(|_| decoder.bytes("path").map(<[u8]>::to_vec)).collect::<Result<_, _>>()?;
        decoder.finish()?;
        if paths.windows(2).any(|pair| pair[0] >= pair[1]) {
            return Err(DecodeError::Invalid { what: "path set", why: "out of order".into() });
        }
        Ok(Self { paths })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_has_one_order_and_goes_round() {
        let set = PathSet::new(vec![b"b".to_vec(), b"a".to_vec(), b"b".to_vec()]);
        assert_eq!(set.paths(), [b"a".to_vec(), b"b".to_vec()]);
        assert_eq!(set.id(), PathSet::new(vec![b"a".to_vec(), b"b".to_vec()]).id());
        assert_eq!(PathSet::decode(&set.encode()), Ok(set));
        let backwards = PathSet { paths: vec![b"b".to_vec(), b"a".to_vec()] };
        assert!(PathSet::decode(&backwards.encode()).is_err());
    }
}
