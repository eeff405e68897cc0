//! The form of an exported stream.
//!
//! ```text
//! stream  = magic format record*
//! magic   = "taskcache-export"            16 bytes
//! format  = u32                           EXCHANGE_FORMAT
//! record  = kind length payload           u8, u64, length bytes
//! kind    = 1 content    payload = digest (32 bytes), then the bytes
//!         | 2 entry      payload = the encoding of an entry
//!         | 3 path set   payload = recipe key (32 bytes), then the encoding of a set of paths
//!         | 0 end        payload = the SHA-256 of all bytes in front of it (32 bytes)
//! ```
//!
//! Numbers are big-endian, as everywhere (see [`super::codec`]). Each content stands once, and before the first entry
//! that needs it; the end record is the last thing in the stream. A content that no entry needs is allowed: who
//! exports may find out too late that the rest of an entry is gone.
//!
//! Deliberately absent: compression, so that a size is what it says and nothing can unfold; and a signature, so the
//! digest tells a whole stream from a broken one and an honest sender from nobody.

use super::digest::Digest;

/// The number of the stream's form.
pub const EXCHANGE_FORMAT: u32 = 1;

/// How a stream begins.
pub const MAGIC: [u8; 16] = *b"taskcache-export";

/// How many bytes stand in front of a record's payload.
pub const HEAD: usize = 1 + 8;

/// What a record is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RecordKind {
    /// The digest over everything.
    End = 0,
    /// Stored bytes.
    Content = 1,
    /// An entry.
    Entry = 2,
    /// The files that a command turned out to read.
    PathSet = 3,
}

/// What stands in front of a record's payload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RecordHead {
    /// What it is.
    pub kind: RecordKind,
    /// How many bytes follow.
    pub length: u64,
}

impl RecordHead {
    /// Returns the bytes.
    pub fn encode(self) -> [u8; HEAD] {
        let mut bytes = [0; HEAD];
        bytes[0] = self.kind as u8;
        bytes[1..].copy_from_slice(&self.length.to_be_bytes());
        bytes
    }

    /// Reads the bytes; the number of a kind that is none where it fails. A length that the kind cannot have is taken
    /// for a kind that is none as well.
    pub fn decode(bytes: [u8; HEAD]) -> Result<Self, u8> {
        let [number, length @ ..] = bytes;
        let length = u64::from_be_bytes(length);
        let (kind, least) = match number {
            0 => (RecordKind::End, Digest::LENGTH as u64),
            1 => (RecordKind::Content, Digest::LENGTH as u64),
            2 => (RecordKind::Entry, 0),
            3 => (RecordKind::PathSet, Digest::LENGTH as u64),
            other => return Err(other),
        };
        let is_end = kind == RecordKind::End;
        match length >= least && (!is_end || length == least) {
            true => Ok(Self { kind, length }),
            false => Err(number),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heads_go_round_and_others_are_refused() {
        for kind in [RecordKind::End, RecordKind::Content, RecordKind::Entry, RecordKind::PathSet] {
            let head = RecordHead { kind, length: 32 };
            assert_eq!(RecordHead::decode(head.encode()), Ok(head));
        }
        for (kind, length) in [(4, 32), (255, 0), (0, 31), (0, 33), (1, 31), (3, 0)] {
            let mut bytes = [0; HEAD];
            bytes[0] = kind;
            bytes[8] = length;
            assert_eq!(RecordHead::decode(bytes), Err(kind));
        }
    }
}
