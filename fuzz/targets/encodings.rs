//! What lies in the store. Where there is a checksum it is made right first, so that what is behind it is read.

use taskcache::model::admission::admit;
use taskcache::model::digest::Digest;
use taskcache::model::entry::Entry;
use taskcache::model::exchange::{EXCHANGE_FORMAT, MAGIC, RecordHead, RecordKind};
use taskcache::model::fingerprint::Fingerprint;
use taskcache::model::output::OutputTree;
use taskcache::model::path_set::PathSet;
use taskcache::model::time::{Size, Timestamp};
use taskcache::store::exchange::{ExchangeReader, Record};
use taskcache::store::history::Happening;
use taskcache::store::placement::Placement;
use taskcache::store::witness;

fn with_checksum(bytes: &[u8]) -> Vec<u8> {
    [bytes, Digest::of(bytes).as_bytes()].concat()
}

/// Entries.
pub fn entry(bytes: &[u8]) {
    if let Ok(entry) = Entry::decode(bytes) {
        let encoded = entry.encode();
        // An older form is written in the present one.
        match bytes[..4] == encoded[..4] {
            true => assert_eq!(encoded, bytes, "one value has two encodings"),
            false => assert_eq!(Entry::decode(&encoded).as_ref(), Ok(&entry), "what is written is not read"),
        }
        let (_, _) = (entry.contents(), entry.size());
    }
}

/// Fingerprints.
pub fn fingerprint(bytes: &[u8]) {
    if let Ok(fingerprint) = Fingerprint::decode(bytes) {
        assert_eq!(fingerprint.canonical_bytes(), bytes, "one value has two encodings");
    }
}

/// The trees of outputs.
pub fn outputs(bytes: &[u8]) {
    if let Ok(tree) = OutputTree::decode(bytes) {
        assert_eq!(tree.encode(), bytes, "one value has two encodings");
        for node in tree.nodes() {
            assert_eq!(tree.find(node.output, &node.path), Some(node));
        }
    }
}

/// Path sets.
pub fn path_set(bytes: &[u8]) {
    if let Ok(set) = PathSet::decode(bytes) {
        assert_eq!(set.encode(), bytes, "one value has two encodings");
    }
}

/// Placements.
pub fn placement(bytes: &[u8]) {
    let _ = Placement::decode(bytes);
    let bytes = with_checksum(bytes);
    if let Ok(placement) = Placement::decode(&bytes) {
        assert_eq!(Placement::decode(&placement.encode()).ok(), Some(placement));
    }
}

/// Remembered digests.
pub fn witnesses(bytes: &[u8]) {
    let name = Digest::of(b"/folder");
    let _ = witness::inspect(bytes, &name);
    let _ = witness::inspect(&with_checksum(bytes), &name);
}

/// Lines of the history.
pub fn history(bytes: &[u8]) {
    for line in String::from_utf8_lossy(bytes).lines() {
        if let Some(happening) = Happening::from_line(line) {
            assert_eq!(Happening::from_line(&happening.to_line()), Some(happening));
        }
    }
}

/// Exported streams: once as they are, and once as the records of a stream whose end is right.
pub fn import(bytes: &[u8]) {
    read_stream(bytes);
    let format = EXCHANGE_FORMAT.to_be_bytes();
    let end = RecordHead { kind: RecordKind::End, length: Digest::LENGTH as u64 }.encode();
    let mut stream = [&MAGIC, format.as_slice(), bytes, end.as_slice()].concat();
    stream.extend_from_slice(Digest::of(&stream).as_bytes());
    read_stream(&stream);
}

fn read_stream(bytes: &[u8]) {
    let most = Size::from_bytes(1 << 20);
    let Ok(mut reader) = ExchangeReader::new(bytes, most) else { return };
    let mut taken = 0;
    while let Ok(Some(record)) = reader.record() {
        match record {
            Record::Content(content) => {
                if reader.content(&content, std::io::sink()).is_err() {
                    return;
                }
                taken += content.size;
            }
            Record::Entry(bytes) => {
                if let Ok(entry) = admit(&bytes, most, Timestamp::from_millis(1_750_000_000_000)) {
                    assert!(entry.size() <= most.as_bytes(), "more than may be stored");
                }
                taken += bytes.len() as u64;
            }
            Record::LargeEntry(..) => {}
            Record::PathSet(_, bytes) => {
                let _ = PathSet::decode(&bytes);
                taken += bytes.len() as u64;
            }
        }
        assert!(taken <= most.as_bytes(), "more than the limit was handed on");
    }
}
