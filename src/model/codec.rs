//! The one binary encoding of everything that is hashed or stored: fixed-width big-endian numbers, and byte
//! strings with their length in front.
//!
//! Invariants:
//! - Canonical. A value has exactly one encoding, so that equal values have equal digests.
//! - Self-delimiting. Nothing is concatenated without its length; `["ab", "c"]` and `["a", "bc"]` differ. (Flyte 2
//!   hashes collections without separators and takes these two for the same input.)
//! - Total. Reading never panics and never allocates more than the input is long, whatever the input is.
//!
//! Deliberately absent: optional fields, varints, skipping of unknown fields. A changed shape is a new format
//! number in front, and the old reader stays.

use super::digest::Digest;

/// Bytes that do not decode.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DecodeError {
    /// The bytes end before the value does.
    #[error("truncated while reading {0}")]
    Truncated(&'static str),
    /// The value is complete and bytes are left over.
    #[error("{0} bytes left over")]
    Trailing(usize),
    /// A tag, flag or number that this version does not know.
    #[error("{what} has the unknown value {value}")]
    Unknown {
        /// Which field it is.
        what: &'static str,
        /// What was read.
        value: u64,
    },
    /// A value that breaks a rule of its type, such as an absolute path where a relative one belongs.
    #[error("invalid {what}: {why}")]
    Invalid {
        /// Which field it is.
        what: &'static str,
        /// The rule that it breaks.
        why: String,
    },
}

/// Builds an encoding.
#[derive(Debug, Default)]
pub struct Encoder {
    bytes: Vec<u8>,
}

impl Encoder {
    /// Starts with no bytes.
    pub fn new() -> Self {
        Self::default()
    }

    /// Starts with no bytes, and room for so many.
    pub fn with_capacity(capacity: usize) -> Self {
        Self { bytes: Vec::with_capacity(capacity) }
    }

    /// Appends one byte.
    pub fn u8(&mut self, value: u8) -> &mut Self {
        self.bytes.push(value);
        self
    }

    /// Appends four bytes, the highest first.
    pub fn u32(&mut self, value: u32) -> &mut Self {
        self.bytes.extend_from_slice(&value.to_be_bytes());
        self
    }

    /// Appends eight bytes, the highest first.
    pub fn u64(&mut self, value: u64) -> &mut Self {
        self.bytes.extend_from_slice(&value.to_be_bytes());
        self
    }

    /// Appends eight bytes in two's complement, the highest first.
    pub fn i64(&mut self, value: i64) -> &mut Self {
        self.bytes.extend_from_slice(&value.to_be_bytes());
        self
    }

    /// Appends a count or length as eight bytes.
    pub fn length(&mut self, value: usize) -> &mut Self {
        self.u64(value as u64)
    }

    /// Appends a length and that many bytes.
    pub fn bytes(&mut self, value: &[u8]) -> &mut Self {
        self.length(value.len());
        self.bytes.extend_from_slice(value);
        self
    }

    /// Appends the 32 bytes of a digest, without a length.
    pub fn digest(&mut self, value: &Digest) -> &mut Self {
        self.bytes.extend_from_slice(value.as_bytes());
        self
    }

    /// Appends `0`, or `1` and what `write` adds.
    pub fn optional<T>(&mut self, value: Option<T>, write: impl FnOnce(&mut Self, T)) -> &mut Self {
        match value {
            None => {
                self.u8(0);
            }
            Some(value) => {
                self.u8(1);
                write(self, value);
            }
        }
        self
    }

    /// Returns the encoding so far.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Begins anew in the same memory.
    pub fn clear(&mut self) {
        self.bytes.clear();
    }

    /// Returns the encoding.
    pub fn finish(self) -> Vec<u8> {
        self.bytes
    }
}

/// Reads an encoding back.
#[derive(Debug, Clone)]
pub struct Decoder<'a> {
    rest: &'a [u8],
}

impl<'a> Decoder<'a> {
    /// Starts at the first of `bytes`.
    pub const fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    fn take(&mut self, count: usize, what: &'static str) -> Result<&'a [u8], DecodeError> {
        let (head, rest) = self.rest.split_at_checked(count).ok_or(DecodeError::Truncated(what))?;
        self.rest = rest;
        Ok(head)
    }

    fn array<const N: usize>(&mut self, what: &'static str) -> Result<[u8; N], DecodeError> {
        let mut array = [0; N];
        array.copy_from_slice(self.take(N, what)?);
        Ok(array)
    }

    /// Reads one byte.
    pub fn u8(&mut self, what: &'static str) -> Result<u8, DecodeError> {
        Ok(self.array::<1>(what)?[0])
    }

    /// Reads a byte that is `0` or `1`.
    pub fn flag(&mut self, what: &'static str) -> Result<bool, DecodeError> {
        match self.u8(what)? {
            0 => Ok(false),
            1 => Ok(true),
            value => Err(DecodeError::Unknown { what, value: value.into() }),
        }
    }

    /// Reads four bytes, the highest first.
    pub fn u32(&mut self, what: &'static str) -> Result<u32, DecodeError> {
        Ok(u32::from_be_bytes(self.array(what)?))
    }

    /// Reads eight bytes, the highest first.
    pub fn u64(&mut self, what: &'static str) -> Result<u64, DecodeError> {
        Ok(u64::from_be_bytes(self.array(what)?))
    }

    /// Reads eight bytes in two's complement, the highest first.
    pub fn i64(&mut self, what: &'static str) -> Result<i64, DecodeError> {
        Ok(i64::from_be_bytes(self.array(what)?))
    }

    /// Reads a number of items, each of which takes at least `least` bytes. A count that the rest cannot hold is
    /// refused before anything is allocated for it.
    pub fn count(&mut self, least: usize, what: &'static str) -> Result<usize, DecodeError> {
        let count = usize::try_from(self.u64(what)?).map_err(|_| DecodeError::Truncated(what))?;
        match count.checked_mul(least.max(1)) {
            Some(bytes) if bytes <= self.rest.len() => Ok(count),
            _ => Err(DecodeError::Truncated(what)),
        }
    }

    /// Reads a length and that many bytes.
    pub fn bytes(&mut self, what: &'static str) -> Result<&'a [u8], DecodeError> {
        let length = self.count(1, what)?;
        self.take(length, what)
    }

    /// Reads a length and that many bytes of UTF-8.
    pub fn text(&mut self, what: &'static str) -> Result<String, DecodeError> {
        let bytes = self.bytes(what)?;
        let text =
            std::str::from_utf8(bytes).map_err(|_| DecodeError::Invalid { what, why: "not UTF-8".into() })?;
        Ok(text.to_owned())
    }

    /// Reads the 32 bytes of a digest.
    pub fn digest(&mut self, what: &'static str) -> Result<Digest, DecodeError> {
        Ok(Digest::from_bytes(self.array(what)?))
    }

    /// Reads what `Encoder::optional` writes.
    pub fn optional<T>(
        &mut self,
        what: &'static str,
        read: impl FnOnce(&mut Self) -> Result<T, DecodeError>,
    ) -> Result<Option<T>, DecodeError> {
        if self.flag(what)? { read(self).map(Some) } else { Ok(None) }
    }

    /// Returns how many bytes are not read yet.
    pub const fn left(&self) -> usize {
        self.rest.len()
    }

    /// Ends the reading; bytes that are left over are an error.
    pub const fn finish(self) -> Result<(), DecodeError> {
        if self.rest.is_empty() { Ok(()) } else { Err(DecodeError::Trailing(self.rest.len())) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn every_shape_goes_round() {
        let mut encoder = Encoder::new();
        encoder.u8(7).u32(8).u64(9).i64(-10).bytes(b"eleven").digest(&Digest::of(b"12"));
        encoder.optional(Some(b"13"), |e, v| {
            e.bytes(v);
        });
        encoder.optional(None::<u8>, |_, _| {});
        let bytes = encoder.finish();
        let mut decoder = Decoder::new(&bytes);
        assert_eq!(decoder.u8("a"), Ok(7));
        assert_eq!(decoder.u32("b"), Ok(8));
        assert_eq!(decoder.u64("c"), Ok(9));
        assert_eq!(decoder.i64("d"), Ok(-10));
        assert_eq!(decoder.text("e"), Ok("eleven".to_owned()));
        assert_eq!(decoder.digest("f"), Ok(Digest::of(b"12")));
        assert_eq!(decoder.optional("g", |d| d.text("g")), Ok(Some("13".to_owned())));
        assert_eq!(decoder.optional("h", |d| d.u8("h")), Ok(None));
        assert_eq!(decoder.finish(), Ok(()));
    }

    #[test]
    fn a_count_that_cannot_be_is_refused_before_it_is_allocated() {
        let mut encoder = Encoder::new();
        encoder.u64(u64::MAX);
        assert_eq!(Decoder::new(&encoder.finish()).bytes("name"), Err(DecodeError::Truncated("name")));
    }

    #[test]
    fn leftovers_are_refused() {
        let mut decoder = Decoder::new(&[1, 2, 3]);
        assert_eq!(decoder.u8("a"), Ok(1));
        assert_eq!(decoder.finish(), Err(DecodeError::Trailing(2)));
    }

    proptest! {
        #[test]
        fn lists_of_byte_strings_share_no_encoding(
            left in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..4), 0..4),
            right in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..4), 0..4),
        ) {
            let encode = |list: &[Vec<u8>]| {
                let mut encoder = Encoder::new();
                encoder.length(list.len());
                for item in list {
                    encoder.bytes(item);
                }
                encoder.finish()
            };
            prop_assert_eq!(left == right, encode(&left) == encode(&right));
        }
    }
}
