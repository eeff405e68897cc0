//! Writing a stored transcript as if the command had just run.
//!
//! The bytes go through the loop that forwards them on a run, in the recorded order, and in as few calls as the
//! order allows. A run's reader that goes away ends the command; here it ends the replay, and the caller dies in the
//! same way. Any other failure, such as a full disk, costs that stream only, because a run goes on then as well.
//!
//! Deliberately absent: any check of content. Callers have proven it before they say "hit".
//!
//! Limit: the streams are written one after the other. Who reads all of one before it looks at the other, and
//! depends on the command writing to both at once, can block a replay that is bigger than a pipe.

use super::outlet::{self, Outlets, write_all};
use crate::model::entry::{Segment, Stream};
use std::fs::File;
use std::io::{self, Read};

/// How many bytes of a file are copied at once.
const PIECE: usize = 128 * 1024;

/// The bytes of one stream.
#[derive(Debug)]
pub enum ReplaySource<'a> {
    /// In memory.
    Bytes(&'a [u8]),
    /// In a file, from its present position.
    File(File),
}

/// What is to be written.
#[derive(Debug)]
pub struct Replay<'a> {
    /// The bytes of standard output.
    pub stdout: ReplaySource<'a>,
    /// The bytes of standard error.
    pub stderr: ReplaySource<'a>,
    /// The order in which they came.
    pub order: &'a [Segment],
    /// Which streams are written; the other one's bytes are not even read.
    pub printed: Printed,
}

/// Which streams of a transcript are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Printed {
    /// Standard output.
    pub stdout: bool,
    /// Standard error.
    pub stderr: bool,
}

impl Printed {
    const fn has(self, stream: Stream) -> bool {
        match stream {
            Stream::Stdout => self.stdout,
            Stream::Stderr => self.stderr,
        }
    }
}

/// A transcript that was not written in full.
#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    /// Who read our stream stopped doing so; a command would have got `SIGPIPE` for that.
    #[error("the reader of {} went away", outlet::name(*.0))]
    ReaderGone(Stream),
    /// A stream could not be written.
    #[error("cannot write to {}: {source}", outlet::name(*.stream))]
    Write {
        /// The stream.
        stream: Stream,
        /// What the system said.
        source: io::Error,
    },
    /// Stored bytes could not be read, and nothing was written yet: the caller still has every choice.
    #[error("cannot read the stored {}: {source}", outlet::name(*.stream))]
    Unread {
        /// The stream.
        stream: Stream,
        /// What the system said.
        source: io::Error,
    },
    /// Stored bytes could not be read.
    #[error("cannot read the stored {}: {source}", outlet::name(*.stream))]
    Read {
        /// The stream.
        stream: Stream,
        /// What the system said.
        source: io::Error,
    },
    /// Fewer bytes are stored than the order tells of.
    #[error("the stored {} is too short", outlet::name(*.0))]
    Short(Stream),
}

/// Writes a transcript to `outlets`.
pub fn replay(replay: Replay<'_>, outlets: &Outlets) -> Result<(), ReplayError> {
    let Replay { mut stdout, mut stderr, order, printed } = replay;
    let mut broken: Option<ReplayError> = None;
    let mut is_first = true;
    let mut segments = order.iter().filter(|segment| printed.has(segment.stream)).copied().peekable();
    while let Some(Segment { stream, mut length }) = segments.next() {
        // Without the other stream's bytes between them, neighbours are one piece.
        while let Some(next) = segments.next_if(|next| next.stream == stream) {
            length += next.length;
        }
        if matches!(&broken, Some(ReplayError::Write { stream: lost, .. }) if *lost == stream) {
            continue;
        }
        let source = match stream {
            Stream::Stdout => &mut stdout,
            Stream::Stderr => &mut stderr,
        };
        match source.copy(length, stream, outlets) {
            Err(error @ ReplayError::Write { .. }) if broken.is_none() => broken = Some(error),
            Err(ReplayError::Unread { stream, source }) if !is_first => {
                return Err(ReplayError::Read { stream, source });
            }
            outcome => outcome?,
        }
        is_first = false;
    }
    broken.map_or(Ok(()), Err)
}

impl ReplaySource<'_> {
    /// Writes the next `length` bytes.
    fn copy(&mut self, length: u64, stream: Stream, outlets: &Outlets) -> Result<(), ReplayError> {
        let outlet = outlets.of(stream);
        let write = |bytes: &[u8]| {
            write_all(outlet, bytes).map_err(|source| match source.kind() {
                io::ErrorKind::BrokenPipe => ReplayError::ReaderGone(stream),
                _ => ReplayError::Write { stream, source },
            })
        };
        match self {
            Self::Bytes(bytes) => {
                let (piece, rest) = usize::try_from(length)
                    .ok()
                    .and_then(|length| bytes.split_at_checked(length))
                    .ok_or(ReplayError::Short(stream))?;
                *bytes = rest;
                write(piece)
            }
            Self::File(file) => {
                let mut left = length;
                let mut buffer = vec![0; usize::try_from(left).map_or(PIECE, |left| left.min(PIECE))];
                while left > 0 {
                    let wanted = usize::try_from(left).map_or(buffer.len(), |left| left.min(buffer.len()));
                    file.read_exact(&mut buffer[..wanted]).map_err(|source| match source.kind() {
                        io::ErrorKind::UnexpectedEof => ReplayError::Short(stream),
                        _ if left == length => ReplayError::Unread { stream, source },
                        _ => ReplayError::Read { stream, source },
                    })?;
                    write(&buffer[..wanted])?;
                    left -= wanted as u64;
                }
                Ok(())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Seek, Write};
    use std::os::unix::net::UnixDatagram;

    const BOTH: Printed = Printed { stdout: true, stderr: true };

    fn out(length: u64) -> Segment {
        Segment { stream: Stream::Stdout, length }
    }

    fn err(length: u64) -> Segment {
        Segment { stream: Stream::Stderr, length }
    }

    fn file(bytes: &[u8]) -> ReplaySource<'static> {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(bytes).unwrap();
        file.rewind().unwrap();
        ReplaySource::File(file)
    }

    /// Returns outlets of one socket that tells each write from the next.
    fn calls(transcript: Replay<'_>) -> (Result<(), String>, Vec<Vec<u8>>) {
        let (sender, receiver) = UnixDatagram::pair().unwrap();
        receiver.set_nonblocking(true).unwrap();
        let outlets = Outlets { stdout: sender.try_clone().unwrap().into(), stderr: sender.into() };
        let outcome = replay(transcript, &outlets).map_err(|error| error.to_string());
        let mut buffer = [0; 1024];
        let calls =
            std::iter::from_fn(|| receiver.recv(&mut buffer).ok().map(|length| buffer[..length].to_vec()));
        (outcome, calls.collect())
    }

    fn bytes<'a>(stdout: &'a str, stderr: &'a str, order: &'a [Segment], printed: Printed) -> Replay<'a> {
        Replay {
            stdout: ReplaySource::Bytes(stdout.as_bytes()),
            stderr: ReplaySource::Bytes(stderr.as_bytes()),
            order,
            printed,
        }
    }

    #[test]
    fn both_streams_come_back_in_their_order() {
        let order = [out(1), err(2), out(2), err(1)];
        let expected = [&b"a"[..], b"xy", b"bc", b"z"].map(<[u8]>::to_vec).to_vec();
        assert_eq!(calls(bytes("abc", "xyz", &order, BOTH)), (Ok(()), expected.clone()));
        let files = Replay { stdout: file(b"abc"), stderr: file(b"xyz"), order: &order, printed: BOTH };
        assert_eq!(calls(files), (Ok(()), expected));
    }

    #[test]
    fn one_stream_is_one_write() {
        let order = [out(1), err(2), out(2), err(1)];
        let stdout = Printed { stdout: true, stderr: false };
        assert_eq!(calls(bytes("abc", "xyz", &order, stdout)), (Ok(()), vec![b"abc".to_vec()]));
        let stderr = Printed { stdout: false, stderr: true };
        assert_eq!(calls(bytes("abc", "xyz", &order, stderr)), (Ok(()), vec![b"xyz".to_vec()]));
        let none = Printed { stdout: false, stderr: false };
        assert_eq!(calls(bytes("abc", "xyz", &order, none)), (Ok(()), vec![]));
        assert_eq!(calls(bytes("", "", &[], BOTH)), (Ok(()), vec![]));
    }

    #[test]
    fn big_files_are_copied_in_pieces() {
        let all: Vec<u8> = (0..=u8::MAX).cycle().take(3 * PIECE + 7).collect();
        let (mut reader, writer) = io::pipe().unwrap();
        let outlets = Outlets { stdout: writer.into(), stderr: File::open("/dev/null").unwrap().into() };
        let reading = std::thread::spawn(move || {
            let mut read = Vec::new();
            reader.read_to_end(&mut read).map(|_| read)
        });
        let order = [out(all.len() as u64)];
        let transcript =
            Replay { stdout: file(&all), stderr: ReplaySource::Bytes(b""), order: &order, printed: BOTH };
        replay(transcript, &outlets).unwrap();
        drop(outlets);
        assert!(reading.join().unwrap().unwrap() == all);
    }

    #[test]
    fn a_reader_that_went_away_ends_the_replay() {
        let (reader, writer) = io::pipe().unwrap();
        drop(reader);
        let (mut rest, stderr) = io::pipe().unwrap();
        let outlets = Outlets { stdout: writer.into(), stderr: stderr.into() };
        let order = [err(1), out(3), err(2)];
        let outcome = replay(bytes("abc", "xyz", &order, BOTH), &outlets);
        assert!(matches!(outcome, Err(ReplayError::ReaderGone(Stream::Stdout))));
        drop(outlets);
        let mut read = Vec::new();
        rest.read_to_end(&mut read).unwrap();
        assert_eq!(read, b"x");
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_full_device_costs_its_own_stream_only() {
        let (mut rest, stderr) = io::pipe().unwrap();
        let full = File::options().write(true).open("/dev/full").unwrap();
        let outlets = Outlets { stdout: full.into(), stderr: stderr.into() };
        let order = [err(1), out(1), err(1), out(2), err(1)];
        let outcome = replay(bytes("abc", "xyz", &order, BOTH), &outlets).map_err(|error| error.to_string());
        let reason = "cannot write to standard output: No space left on device (os error 28)";
        assert_eq!(outcome, Err(reason.into()));
        drop(outlets);
        let mut read = Vec::new();
        rest.read_to_end(&mut read).unwrap();
        assert_eq!(read, b"xyz");
    }

    #[test]
    fn a_read_that_fails_before_the_first_byte_leaves_every_choice() {
        let unreadable = || ReplaySource::File(File::open("/").unwrap());
        let order = [out(3), err(4)];
        let first = Replay { stdout: unreadable(), stderr: file(b"wxyz"), order: &order, printed: BOTH };
        let (reader, writer) = io::pipe().unwrap();
        let outlets = Outlets { stdout: writer.try_clone().unwrap().into(), stderr: writer.into() };
        assert!(matches!(replay(first, &outlets), Err(ReplayError::Unread { stream: Stream::Stdout, .. })));
        let second = Replay { stdout: file(b"abc"), stderr: unreadable(), order: &order, printed: BOTH };
        assert!(matches!(replay(second, &outlets), Err(ReplayError::Read { stream: Stream::Stderr, .. })));
        drop(outlets);
        let mut written = String::new();
        let mut reader = reader;
        reader.read_to_string(&mut written).unwrap();
        assert_eq!(written, "abc");
    }

    #[test]
    fn bytes_that_are_missing_are_noticed() {
        let reason = || Err("the stored standard error is too short".to_owned());
        let order = [out(3), err(4)];
        assert_eq!(calls(bytes("abc", "xyz", &order, BOTH)), (reason(), vec![b"abc".to_vec()]));
        let files = Replay { stdout: file(b"abc"), stderr: file(b"xyz"), order: &order, printed: BOTH };
        assert_eq!(calls(files), (reason(), vec![b"abc".to_vec()]));
    }
}
