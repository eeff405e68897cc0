//! What stands in a hot record: a checksum, which index it belongs to, the entry, and its small streams.
//!
//! Two forms. The first one holds the entry whole. The second one leaves its fingerprint out: that of a command with
//! thousands of inputs is megabytes long, and a hit, which has just made the same key from the same inputs, has nothing
//! to learn from it. Who needs the fingerprint (`show`, `export`, a comparison) asks the index.

use crate::model::codec::{DecodeError, Decoder, Encoder};
use crate::model::digest::Digest;
use crate::model::entry::Entry;
use crate::model::fingerprint::Fingerprint;

/// The form that holds the entry whole. A record of a form that is not known counts as none.
const WHOLE: u32 = 1;

/// The form without the fingerprint.
const WITHOUT_FINGERPRINT: u32 = 2;

/// From how many bytes on a fingerprint is left out: from there on reading and checking it shows beside the rest of a
/// look-up, which is a few kilobytes.
const LONG_FINGERPRINT: usize = 16 * 1024;

/// What a record holds.
#[derive(Debug)]
pub struct HotRecord {
    /// The entry. Where it is not `whole` its fingerprint is empty.
    pub entry: Entry,
    /// Whether the fingerprint is that of the entry.
    pub whole: bool,
    /// Its streams' bytes, where they are small.
    pub streams: Vec<Vec<u8>>,
}

/// Checks the bytes of the record that is named by a key.
pub(super) fn inspect(bytes: &[u8], name: &Digest) -> Result<(), DecodeError> {
    let (_, record) = decode(bytes)?;
    match record.entry.key.digest() == name {
        true => Ok(()),
        false => Err(DecodeError::Invalid { what: "record", why: "another key".into() }),
    }
}

/// The checksum, and what it covers.
pub(super) fn encode(entry: &Entry, streams: &[Vec<u8>], (device, inode): (u64, u64)) -> Vec<u8> {
    let (form, body) = match entry.fingerprint.encoded_size() < LONG_FINGERPRINT {
        true => (WHOLE, entry.encode()),
        false => (WITHOUT_FINGERPRINT, entry.encode_with(&Fingerprint::default())),
    };
    let mut encoder = Encoder::new();
    encoder.u32(form).u64(device).u64(inode).bytes(&body).length(streams.len());
    for bytes in streams {
        encoder.bytes(bytes);
    }
    let covered = encoder.finish();
    [Digest::of(&covered).as_bytes().as_slice(), &covered].concat()
}

/// Returns a record, and the identity of the index that it belongs to.
pub(super) fn decode(bytes: &[u8]) -> Result<((u64, u64), HotRecord), DecodeError> {
    let mut decoder = Decoder::new(bytes);
    let sum = decoder.digest("checksum")?;
    if sum != Digest::of(&bytes[Digest::LENGTH..]) {
        return Err(DecodeError::Invalid { what: "record", why: "its checksum is wrong".into() });
    }
    let whole = match decoder.u32("record form")? {
        WHOLE => true,
        WITHOUT_FINGERPRINT => false,
        form => return Err(DecodeError::Unknown { what: "record form", value: form.into() }),
    };
    let index = (decoder.u64("device")?, decoder.u64("inode")?);
    let entry = Entry::decode(decoder.bytes("entry")?)?;
    let count = decoder.count(8, "streams")?;
    let streams =
        (0..count).map(|_| decoder.bytes("stream").map(<[u8]>::to_vec)).collect::<Result<_, _>>()?;
    decoder.finish()?;
    Ok((index, HotRecord { entry, whole, streams }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::entry::tests::sample;
    use crate::model::fingerprint::{Ingredient, IngredientKind};

    /// A sample that depends on so many files.
    fn entry(files: usize) -> Entry {
        let file = |number| Ingredient::of(IngredientKind::Input, format!("file-{number:06}"), b"");
        let fingerprint = Fingerprint::new((0..files).map(file).collect()).unwrap();
        Entry { fingerprint, ..sample() }
    }

    #[test]
    fn a_short_fingerprint_is_kept_and_a_long_one_is_not() {
        for (files, whole) in [(1, true), (300, true), (400, false), (50_000, false)] {
            let entry = entry(files);
            let bytes = encode(&entry, &[b"out".to_vec()], (1, 2));
            assert!(bytes.len() < 20_000, "{files}: {}", bytes.len());
            let (index, record) = decode(&bytes).unwrap();
            assert_eq!((index, record.whole, record.streams), ((1, 2), whole, vec![b"out".to_vec()]));
            let fingerprint = if whole { entry.fingerprint.clone() } else { Fingerprint::default() };
            assert_eq!(record.entry, Entry { fingerprint, ..entry });
        }
    }

    #[test]
    fn another_form_is_none() {
        let mut bytes = encode(&sample(), &[], (1, 2));
        bytes[Digest::LENGTH + 3] = 3;
        let sum = Digest::of(&bytes[Digest::LENGTH..]);
        bytes[..Digest::LENGTH].copy_from_slice(sum.as_bytes());
        assert_eq!(decode(&bytes).unwrap_err(), DecodeError::Unknown { what: "record form", value: 3 });
    }
}
