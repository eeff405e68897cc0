//! A stored result: everything that a hit has to give back, and what it was made from.
//!
//! An [`Entry`] refers to content by digest and never holds it; [`super::output::OutputTree`] holds the files, the
//! [`Transcript`] the streams. The encoding is the `body` column of the store's index and what `export` writes:
//! versioned, canonical, checked on reading. The fingerprint in an entry is the masked one (see
//! [`Fingerprint::masked`]), so an entry's key cannot be recomputed from it and stands beside it.

use super::codec::{DecodeError, Decoder, Encoder};
use super::digest::Digest;
use super::fingerprint::{CacheKey, Fingerprint};
use super::output::OutputTree;
use super::surroundings::Surroundings;
use super::time::{Span, Timestamp};

/// The number of the entry's encoding. The first one had no surroundings; it is still read.
pub const ENTRY_FORMAT: u32 = 2;

/// A reference to stored bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Content {
    /// The SHA-256 of the bytes.
    pub digest: Digest,
    /// How many they are.
    pub size: u64,
}

impl Content {
    /// Returns the reference to `bytes`.
    pub fn of(bytes: &[u8]) -> Self {
        Self { digest: Digest::of(bytes), size: bytes.len() as u64 }
    }

    pub(super) fn encode(&self, encoder: &mut Encoder) {
        encoder.digest(&self.digest).u64(self.size);
    }

    pub(super) fn decode(decoder: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        Ok(Self { digest: decoder.digest("content digest")?, size: decoder.u64("content size")? })
    }
}

/// One of the two captured streams.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Stream {
    /// Standard output.
    Stdout,
    /// Standard error.
    Stderr,
}

/// A run of bytes on one stream, in the order in which the run's bytes arrived.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Segment {
    /// Where the bytes went.
    pub stream: Stream,
    /// How many they are; never zero.
    pub length: u64,
}

/// What a command wrote: the bytes of each stream, and the order in which they came.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transcript {
    /// Both streams led to the same place and were captured through one pipe: their order is exact, all bytes
    /// stand in `stdout`, and they cannot be told apart any more.
    pub joined: bool,
    /// The bytes of standard output.
    pub stdout: Content,
    /// The bytes of standard error.
    pub stderr: Content,
    /// Alternating segments, whose lengths sum up to the sizes of the two streams.
    pub order: Vec<Segment>,
}

impl Transcript {
    /// Returns the transcript of a command that wrote nothing.
    pub fn silent() -> Self {
        Self { joined: false, stdout: Content::of(b""), stderr: Content::of(b""), order: Vec::new() }
    }

    fn encode(&self, encoder: &mut Encoder) {
        encoder.u8(self.joined.into());
        self.stdout.encode(encoder);
        self.stderr.encode(encoder);
        encoder.length(self.order.len());
        for segment in &self.order {
            encoder.u8(matches!(segment.stream, Stream::Stderr).into()).u64(segment.length);
        }
    }

    fn decode(decoder: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        let joined = decoder.flag("joined")?;
        let stdout = Content::decode(decoder)?;
        let stderr = Content::decode(decoder)?;
        let count = decoder.count(9, "segment count")?;
        let mut order: Vec<Segment> = Vec::with_capacity(count);
        let mut sums = [0_u64; 2];
        for _ in 0..count {
            let stream = if decoder.flag("segment stream")? { Stream::Stderr } else { Stream::Stdout };
            let length = decoder.u64("segment length")?;
            let invalid = |why: &str| DecodeError::Invalid { what: "transcript", why: why.into() };
            if length == 0 || order.last().is_some_and(|last| last.stream == stream) {
                return Err(invalid("segments do not alternate"));
            }
            let sum = &mut sums[stream as usize];
            *sum = sum.checked_add(length).ok_or_else(|| invalid("segments overflow"))?;
            order.push(Segment { stream, length });
        }
        if sums != [stdout.size, stderr.size] {
            return Err(DecodeError::Invalid { what: "transcript", why: "segments do not sum up".into() });
        }
        Ok(Self { joined, stdout, stderr, order })
    }
}

/// Who made an entry, and where; for people, never for decisions.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Provenance {
    /// The machine's name.
    pub host: String,
    /// The account's name.
    pub user: String,
    /// The working directory, as bytes.
    pub directory: Vec<u8>,
    /// The version of taskcache.
    pub program: String,
    /// What the command saw and the key does not hold; `None` where the entry is from before that was kept, or from
    /// another store.
    pub surroundings: Option<Surroundings>,
}

/// A stored result.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The key under which it is found.
    pub key: CacheKey,
    /// The key of what was known before the run; equal to `key` where no dependency file was used.
    pub recipe: CacheKey,
    /// The project.
    pub project: String,
    /// The domain.
    pub domain: String,
    /// The task's name, as bytes: a program's base name need not be UTF-8.
    pub task: Vec<u8>,
    /// argv as given.
    pub command: Vec<Vec<u8>>,
    /// When the run ended.
    pub created: Timestamp,
    /// How long the command ran.
    pub duration: Span,
    /// From when on the entry is no longer valid; a hit never moves it.
    pub expires: Option<Timestamp>,
    /// What the command exited with.
    pub exit_code: u8,
    /// What it wrote to its streams.
    pub transcript: Transcript,
    /// What it wrote to its declared outputs.
    pub outputs: OutputTree,
    /// What the result depends on, with confidential digests masked by the store's secret.
    pub fingerprint: Fingerprint,
    /// Where it came from.
    pub provenance: Provenance,
}

impl Entry {
    /// Returns every content that a hit needs, each once.
    pub fn contents(&self) -> Vec<Content> {
        let streams = [self.transcript.stdout, self.transcript.stderr];
        let mut contents: Vec<_> = streams.into_iter().chain(self.outputs.contents()).collect();
        contents.retain(|content| content.size > 0);
        contents.sort_unstable();
        contents.dedup();
        contents
    }

    /// Returns how many bytes of content the entry refers to.
    pub fn size(&self) -> u64 {
        self.contents().iter().fold(0, |sum, content| sum.saturating_add(content.size))
    }

    /// Takes out what is keyed with the secret of the store that the entry is in: in another store it says nothing.
    pub fn withhold(&mut self) {
        self.fingerprint = self.fingerprint.withheld();
        self.provenance.surroundings = None;
    }

    /// Returns the encoding.
    pub fn encode(&self) -> Vec<u8> {
        self.encode_with(&self.fingerprint)
    }

    /// Returns the encoding with another fingerprint in place of the entry's own.
    pub fn encode_with(&self, fingerprint: &Fingerprint) -> Vec<u8> {
        let mut encoder = Encoder::new();
        encoder.u32(ENTRY_FORMAT).digest(self.key.digest()).digest(self.recipe.digest());
        encoder.bytes(self.project.as_bytes()).bytes(self.domain.as_bytes()).bytes(&self.task);
        encoder.length(self.command.len());
        for word in &self.command {
            encoder.bytes(word);
        }
        encoder.i64(self.created.as_millis()).u64(self.duration.as_millis());
        encoder.optional(self.expires, |encoder, expires| {
            encoder.i64(expires.as_millis());
        });
        encoder.u8(self.exit_code);
        self.transcript.encode(&mut encoder);
        encoder.bytes(&self.outputs.encode()).bytes(&fingerprint.canonical_bytes());
        encoder.bytes(self.provenance.host.as_bytes()).bytes(self.provenance.user.as_bytes());
        encoder.bytes(&self.provenance.directory).bytes(self.provenance.program.as_bytes());
        encoder.optional(self.provenance.surroundings.as_ref(), |encoder, surroundings| {
            surroundings.encode(encoder);
        });
        encoder.finish()
    }

    /// Reads an encoding.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut decoder = Decoder::new(bytes);
        let format = decoder.u32("entry format")?;
        if !(1..=ENTRY_FORMAT).contains(&format) {
            return Err(DecodeError::Unknown { what: "entry format", value: format.into() });
        }
        let key = CacheKey::from_digest(decoder.digest("key")?);
        let recipe = CacheKey::from_digest(decoder.digest("recipe")?);
        let project = decoder.text("project")?;
        let domain = decoder.text("domain")?;
        let task = decoder.bytes("task")?.to_vec();
        let words = decoder.count(8, "word count")?;
        let command =
            (0..words).map(|_| decoder.bytes("word").map(<[u8]>::to_vec)).collect::<Result<_, _>>()?;
        let created = Timestamp::from_millis(decoder.i64("creation time")?);
        let duration = Span::from_millis(decoder.u64("duration")?);
        let expires =
            decoder.optional("expiry", |decoder| decoder.i64("expiry"))?.map(Timestamp::from_millis);
        let exit_code = decoder.u8("exit code")?;
        let transcript = Transcript::decode(&mut decoder)?;
        let outputs = OutputTree::decode(decoder.bytes("outputs")?)?;
        let fingerprint = Fingerprint::decode(decoder.bytes("fingerprint")?)?;
        let provenance = Provenance {
            host: decoder.text("host")?,
            user: decoder.text("user")?,
            directory: decoder.bytes("directory")?.to_vec(),
            program: decoder.text("program")?,
            surroundings: match format {
                1 => None,
                _ => decoder.optional("surroundings", Surroundings::decode)?,
            },
        };
        decoder.finish()?;
        Ok(Self {
            key,
            recipe,
            project,
            domain,
            task,
            command,
            created,
            duration,
            expires,
            exit_code,
            transcript,
            outputs,
            fingerprint,
            provenance,
        })
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::super::fingerprint::{Ingredient, IngredientKind};
    use super::super::output::{NodeKind, OutputNode};
    use super::super::path::RelPath;
    use super::*;

    pub(crate) fn sample() -> Entry {
        let fingerprint = Fingerprint::new(vec![Ingredient::of(IngredientKind::Task, "", b"sort")]).unwrap();
        let order = vec![
            Segment { stream: Stream::Stdout, length: 3 },
            Segment { stream: Stream::Stderr, length: 2 },
            Segment { stream: Stream::Stdout, length: 1 },
        ];
        let node = |path: &str, kind| OutputNode {
            output: 0,
            path: RelPath::new(path).unwrap(),
            carried: false,
            rewritten: false,
            kind,
        };
        let nodes = vec![
            node("out", NodeKind::Directory { mode: 0o755 }),
            node("out/a", NodeKind::File { content: Content::of(b"a"), mode: 0o644 }),
            node("out/b", NodeKind::Symlink { target: b"a".to_vec() }),
        ];
        Entry {
            key: fingerprint.key(),
            recipe: fingerprint.key(),
            project: "default".into(),
            domain: "development".into(),
            task: b"s\xffrt".to_vec(),
            command: vec![b"sort".to_vec(), b"".to_vec(), b"\xff".to_vec()],
            created: Timestamp::from_millis(1_700_000_000_000),
            duration: Span::from_millis(1234),
            expires: Some(Timestamp::from_millis(1_800_000_000_000)),
            exit_code: 3,
            transcript: Transcript {
                joined: false,
                stdout: Content::of(b"outx"),
                stderr: Content::of(b"er"),
                order,
            },
            outputs: OutputTree::new(nodes).unwrap(),
            fingerprint,
            provenance: Provenance {
                host: "h".into(),
                user: "u".into(),
                directory: b"/w".to_vec(),
                program: "1".into(),
                surroundings: None,
            },
        }
    }

    #[test]
    fn an_entry_goes_round() {
        let mut entry = sample();
        assert_eq!(Entry::decode(&entry.encode()), Ok(entry.clone()));
        let environment = [("EDITOR".into(), "vi".into())];
        let surroundings = Surroundings::of(&environment, &entry.fingerprint, |digest| *digest);
        entry.provenance.surroundings = Some(surroundings);
        assert_eq!(Entry::decode(&entry.encode()), Ok(entry));
    }

    /// What the program of the first format wrote for `sample`.
    const FIRST_FORMAT: &str = include_str!("entry/format-1.hex");

    #[test]
    fn an_entry_of_the_first_format_is_still_read() {
        let hex: Vec<u8> = FIRST_FORMAT.bytes().filter(u8::is_ascii_hexdigit).collect();
        let bytes: Vec<u8> = hex
            .chunks_exact(2)
            .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap())
            .collect();
        assert_eq!(bytes[..4], [0, 0, 0, 1]);
        assert_eq!(Entry::decode(&bytes), Ok(sample()));
    }

    #[test]
    fn no_byte_can_be_lost() {
        let bytes = sample().encode();
        for length in 0..bytes.len() {
            assert!(Entry::decode(&bytes[..length]).is_err(), "{length}");
        }
    }

    #[test]
    fn contents_are_listed_once_and_empty_ones_never() {
        let mut entry = sample();
        entry.transcript = Transcript { stdout: Content::of(b"a"), ..Transcript::silent() };
        assert_eq!(entry.contents(), [Content::of(b"a")]);
        assert_eq!(entry.size(), 1);
    }

    #[test]
    fn a_transcript_whose_order_does_not_sum_up_is_refused() {
        let mut entry = sample();
        entry.transcript.order.pop();
        let why = DecodeError::Invalid { what: "transcript", why: "segments do not sum up".into() };
        assert_eq!(Entry::decode(&entry.encode()), Err(why));
    }
}
