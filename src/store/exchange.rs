//! Writing and reading exported streams, in the form of [`crate::model::exchange`].
//!
//! Both sides compute the digest over everything as the bytes pass. A reader hands contents on piece by piece and
//! counts what it reads against a limit before it allocates or hands on anything, so that a claim costs nothing. It
//! knows at the end alone whether the stream was whole; until then its caller only puts things aside.

use super::StoreError;
use crate::model::admission::{MAX_ENTRY, MAX_PATH_SET};
use crate::model::digest::{Digest, Hasher};
use crate::model::entry::{Content, Entry};
use crate::model::exchange::{EXCHANGE_FORMAT, HEAD, MAGIC, RecordHead, RecordKind};
use crate::model::fingerprint::CacheKey;
use crate::model::path_set::PathSet;
use crate::model::time::Size;
use crate::world::file::FileError;
use std::io::{self, Read, Write};

/// Why a stream could not be written or read. Whatever it is, nothing was imported.
#[derive(Debug, thiserror::Error)]
pub enum ExchangeError {
    /// It begins otherwise.
    #[error("this is no export of taskcache")]
    Foreign,
    /// A newer version wrote it.
    #[error("the export has format {found}; this version knows up to {EXCHANGE_FORMAT}")]
    Newer {
        /// The format found.
        found: u32,
    },
    /// It ends before its end.
    #[error("the export is truncated")]
    Truncated,
    /// Its digest is not that of its bytes.
    #[error("the export was altered: its digest is wrong")]
    Altered,
    /// Something follows its end.
    #[error("the export was altered: something follows its end")]
    Trailing,
    /// A record of no known kind.
    #[error("the export was altered: record {number} is of no known kind ({kind})")]
    Record {
        /// Which record, counted from 1.
        number: u64,
        /// The number of its kind.
        kind: u8,
    },
    /// A content that is not what its digest says.
    #[error("the export was altered: content {} is not what its digest says", .0.short())]
    Content(Digest),
    /// A content that stands twice.
    #[error("the export was altered: content {} stands twice", .0.short())]
    Repeated(Digest),
    /// It holds more than the store may.
    #[error("the export holds more than the {0} that the store may hold")]
    Large(Size),
    /// A content changed while it was exported.
    #[error("content {} changed while it was exported", .0.short())]
    Changed(Digest),
    /// It could not be read.
    #[error("cannot read the export: {0}")]
    Read(#[source] io::Error),
    /// It could not be written.
    #[error("cannot write the export: {0}")]
    Write(#[source] io::Error),
    /// What was read could not be put aside.
    #[error("cannot put aside what was read")]
    Staging(#[source] rusqlite::Error),
    /// A file operation failed.
    #[error(transparent)]
    File(#[from] FileError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Writes a stream.
#[derive(Debug)]
pub struct ExchangeWriter<W> {
    target: W,
    hasher: Hasher,
}

impl<W: Write> ExchangeWriter<W> {
    /// Begins a stream.
    pub fn new(target: W) -> Result<Self, ExchangeError> {
        let mut writer = Self { target, hasher: Hasher::new() };
        writer.put(&MAGIC)?;
        writer.put(&EXCHANGE_FORMAT.to_be_bytes())?;
        Ok(writer)
    }

    fn put(&mut self, bytes: &[u8]) -> Result<(), ExchangeError> {
        self.hasher.update(bytes);
        self.target.write_all(bytes).map_err(ExchangeError::Write)
    }

    fn head(&mut self, kind: RecordKind, length: u64) -> Result<(), ExchangeError> {
        self.put(&RecordHead { kind, length }.encode())
    }

    /// Writes a content from `source`, whose bytes have to be what its digest says.
    pub fn content(&mut self, content: &Content, mut source: impl Read) -> Result<(), ExchangeError> {
        self.head(RecordKind::Content, content.size.saturating_add(Digest::LENGTH as u64))?;
        self.put(content.digest.as_bytes())?;
        let mut hasher = Hasher::new();
        let mut left = content.size;
        let mut piece = vec![0; PIECE];
        while left > 0 {
            let wanted = usize::try_from(left).map_or(PIECE, |left| left.min(PIECE));
            match source.read_exact(&mut piece[..wanted]) {
                Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
                    return Err(ExchangeError::Changed(content.digest));
                }
                other => other.map_err(ExchangeError::Read)?,
            }
            hasher.update(&piece[..wanted]);
            self.put(&piece[..wanted])?;
            left -= wanted as u64;
        }
        match hasher.finish() == content.digest {
            true => Ok(()),
            false => Err(ExchangeError::Changed(content.digest)),
        }
    }

    /// Writes an entry.
    pub fn entry(&mut self, entry: &Entry) -> Result<(), ExchangeError> {
        let bytes = entry.encode();
        self.head(RecordKind::Entry, bytes.len() as u64)?;
        self.put(&bytes)
    }

    /// Writes what leads from a recipe to its entries.
    pub fn path_set(&mut self, recipe: &CacheKey, set: &PathSet) -> Result<(), ExchangeError> {
        let bytes = set.encode();
        self.head(RecordKind::PathSet, (Digest::LENGTH + bytes.len()) as u64)?;
        self.put(recipe.digest().as_bytes())?;
        self.put(&bytes)
    }

    /// Ends the stream and gives its target back.
    pub fn finish(mut self) -> Result<W, ExchangeError> {
        self.head(RecordKind::End, Digest::LENGTH as u64)?;
        let digest = std::mem::take(&mut self.hasher).finish();
        self.target.write_all(digest.as_bytes()).map_err(ExchangeError::Write)?;
        self.target.flush().map_err(ExchangeError::Write)?;
        Ok(self.target)
    }
}

const PIECE: usize = 128 * 1024;

/// One record of a stream.
#[derive(Debug, PartialEq, Eq)]
pub enum Record {
    /// A content. Its bytes are the next thing to be taken, with [`ExchangeReader::content`].
    Content(Content),
    /// The encoding of an entry, as it stands there.
    Entry(Vec<u8>),
    /// An entry whose record is too large to be looked at: its size in bytes, and how it begins.
    LargeEntry(u64, Vec<u8>),
    /// A recipe and the encoding of a path set; empty where that is too large to be looked at.
    PathSet(CacheKey, Vec<u8>),
}

/// Reads a stream.
#[derive(Debug)]
pub struct ExchangeReader<R> {
    source: R,
    hasher: Hasher,
    records: u64,
    left: u64,
    most: Size,
}

impl<R: Read> ExchangeReader<R> {
    /// Begins to read. The records may have at most `most` bytes in all.
    pub fn new(source: R, most: Size) -> Result<Self, ExchangeError> {
        let mut reader = Self { source, hasher: Hasher::new(), records: 0, left: most.as_bytes(), most };
        let mut magic = [0; MAGIC.len()];
        match reader.fill(&mut magic) {
            Err(ExchangeError::Truncated) => return Err(ExchangeError::Foreign),
            other => other?,
        }
        if magic != MAGIC {
            return Err(ExchangeError::Foreign);
        }
        let mut format = [0; 4];
        reader.fill(&mut format)?;
        match u32::from_be_bytes(format) {
            EXCHANGE_FORMAT => Ok(reader),
            0 => Err(ExchangeError::Foreign),
            found => Err(ExchangeError::Newer { found }),
        }
    }

    fn fill(&mut self, bytes: &mut [u8]) -> Result<(), ExchangeError> {
        match self.source.read_exact(bytes) {
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
                return Err(ExchangeError::Truncated);
            }
            other => other.map_err(ExchangeError::Read)?,
        }
        self.hasher.update(bytes);
        Ok(())
    }

    fn digest(&mut self) -> Result<Digest, ExchangeError> {
        let mut bytes = [0; Digest::LENGTH];
        self.fill(&mut bytes)?;
        Ok(Digest::from_bytes(bytes))
    }

    /// Takes bytes of a record into memory, as they come and not as they are claimed.
    fn bytes(&mut self, length: u64) -> Result<Vec<u8>, ExchangeError> {
        let mut bytes = Vec::new();
        self.pass(length, &mut bytes)?;
        Ok(bytes)
    }

    fn pass(&mut self, length: u64, mut target: impl Write) -> Result<(), ExchangeError> {
        let mut left = length;
        let mut piece = vec![0; usize::try_from(left).map_or(PIECE, |left| left.min(PIECE))];
        while left > 0 {
            let wanted = usize::try_from(left).map_or(PIECE, |left| left.min(PIECE));
            self.fill(&mut piece[..wanted])?;
            target.write_all(&piece[..wanted]).map_err(ExchangeError::Write)?;
            left -= wanted as u64;
        }
        Ok(())
    }

    /// Returns the next record; `None` at the end of a stream that is whole.
    pub fn record(&mut self) -> Result<Option<Record>, ExchangeError> {
        let mut head = [0; HEAD];
        self.fill(&mut head)?;
        self.records += 1;
        let RecordHead { kind, length } =
            RecordHead::decode(head).map_err(|kind| ExchangeError::Record { number: self.records, kind })?;
        if kind == RecordKind::End {
            return self.end().map(|()| None);
        }
        self.left = self.left.checked_sub(length).ok_or(ExchangeError::Large(self.most))?;
        let rest = length.saturating_sub(Digest::LENGTH as u64);
        Ok(Some(match kind {
            RecordKind::Content => Record::Content(Content { digest: self.digest()?, size: rest }),
            RecordKind::Entry if length > MAX_ENTRY => {
                let beginning = self.bytes(64)?;
                self.pass(length - 64, io::sink())?;
                Record::LargeEntry(length, beginning)
            }
            RecordKind::Entry => Record::Entry(self.bytes(length)?),
            RecordKind::PathSet => {
                let recipe = CacheKey::from_digest(self.digest()?);
                let is_large = rest > MAX_PATH_SET;
                if is_large {
                    self.pass(rest, io::sink())?;
                }
                Record::PathSet(recipe, if is_large { Vec::new() } else { self.bytes(rest)? })
            }
            RecordKind::End => return Ok(None),
        }))
    }

    /// Hands the bytes of a content on that was just announced.
    pub fn content(&mut self, content: &Content, target: impl Write) -> Result<(), ExchangeError> {
        let mut counted = Hashing { target, hasher: Hasher::new() };
        self.pass(content.size, &mut counted)?;
        match counted.hasher.finish() == content.digest {
            true => Ok(()),
            false => Err(ExchangeError::Content(content.digest)),
        }
    }

    fn end(&mut self) -> Result<(), ExchangeError> {
        let expected = self.hasher.clone().finish();
        if self.digest()? != expected {
            return Err(ExchangeError::Altered);
        }
        let more = self.source.by_ref().take(1).read_to_end(&mut Vec::new()).map_err(ExchangeError::Read)?;
        if more == 0 { Ok(()) } else { Err(ExchangeError::Trailing) }
    }
}

/// Computes the digest of what passes.
struct Hashing<W> {
    target: W,
    hasher: Hasher,
}

impl<W: Write> Write for Hashing<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let count = self.target.write(bytes)?;
        self.hasher.update(&bytes[..count]);
        Ok(count)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.target.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::entry::tests::sample;

    const MOST: Size = Size::from_bytes(1 << 20);

    fn stream() -> Vec<u8> {
        let mut writer = ExchangeWriter::new(Vec::new()).unwrap();
        writer.content(&Content::of(b"abc"), &b"abc"[..]).unwrap();
        writer.entry(&sample()).unwrap();
        writer.path_set(&sample().key, &PathSet::new(vec![b"p".to_vec()])).unwrap();
        writer.finish().unwrap()
    }

    fn read(bytes: &[u8], most: Size) -> Result<usize, ExchangeError> {
        let mut reader = ExchangeReader::new(bytes, most)?;
        let mut count = 0;
        while let Some(record) = reader.record()? {
            if let Record::Content(content) = record {
                reader.content(&content, io::sink())?;
            }
            count += 1;
        }
        Ok(count)
    }

    #[test]
    fn a_stream_goes_round() {
        let bytes = stream();
        let mut reader = ExchangeReader::new(bytes.as_slice(), MOST).unwrap();
        assert_eq!(reader.record().unwrap(), Some(Record::Content(Content::of(b"abc"))));
        let mut content = Vec::new();
        reader.content(&Content::of(b"abc"), &mut content).unwrap();
        assert_eq!(content, b"abc");
        assert_eq!(reader.record().unwrap(), Some(Record::Entry(sample().encode())));
        let set = PathSet::new(vec![b"p".to_vec()]);
        assert_eq!(reader.record().unwrap(), Some(Record::PathSet(sample().key, set.encode())));
        assert_eq!(reader.record().unwrap(), None);
    }

    #[test]
    fn every_truncation_and_every_changed_byte_is_seen() {
        let bytes = stream();
        assert_eq!(read(&bytes, MOST).unwrap(), 3);
        for length in 0..bytes.len() {
            assert!(read(&bytes[..length], MOST).is_err(), "{length}");
            let mut changed = bytes.clone();
            changed[length] ^= 1;
            assert!(read(&changed, MOST).is_err(), "{length}");
        }
        let longer = [bytes.as_slice(), b"x"].concat();
        assert!(matches!(read(&longer, MOST), Err(ExchangeError::Trailing)));
    }

    #[test]
    fn a_claim_is_refused_before_anything_is_read_for_it() {
        let mut bytes = [&MAGIC[..], &EXCHANGE_FORMAT.to_be_bytes()].concat();
        bytes.extend(RecordHead { kind: RecordKind::Content, length: u64::MAX }.encode());
        assert!(matches!(read(&bytes, MOST), Err(ExchangeError::Large(_))));
        let exact = stream().len() as u64 - (MAGIC.len() + 4 + 4 * HEAD + Digest::LENGTH) as u64;
        assert!(read(&stream(), Size::from_bytes(exact)).is_ok());
        assert!(matches!(read(&stream(), Size::from_bytes(exact - 1)), Err(ExchangeError::Large(_))));
    }

    #[test]
    fn other_formats_are_told_apart() {
        let mut bytes = stream();
        bytes[19] = 2;
        assert!(matches!(read(&bytes, MOST), Err(ExchangeError::Newer { found: 2 })));
        assert!(matches!(read(b"something else entirely", MOST), Err(ExchangeError::Foreign)));
        assert!(matches!(read(b"", MOST), Err(ExchangeError::Foreign)));
        assert!(matches!(read(&MAGIC, MOST), Err(ExchangeError::Truncated)));
    }

    #[test]
    fn a_writer_gives_away_nothing_that_is_not_what_it_says() {
        let mut writer = ExchangeWriter::new(Vec::new()).unwrap();
        for bytes in [&b"abd"[..], b"ab"] {
            let error = writer.content(&Content::of(b"abc"), bytes).unwrap_err();
            assert!(matches!(error, ExchangeError::Changed(_)));
        }
    }
}
