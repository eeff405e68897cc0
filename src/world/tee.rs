//! Reading what a command writes: forwarded at once, recorded as it passes.
//!
//! One loop on one thread reads both pipes, so that the recorded order is the order of reading: exact within a
//! stream, and as near as two pipes allow between them. Where both streams lead to the same place, one pipe for
//! both makes the order exact (`Tee::joined`).
//!
//! Invariants: bytes are forwarded whatever happens to their recording; memory is bounded whatever is written; a
//! recording that is not the whole truth says so ([`Capture::incomplete`]). Nothing is printed here.

use super::forward::{CHUNK, Forwarder};
use super::outlet;
use super::spool::{Spool, SpoolError, SpoolFolder, SpoolWriter};
use crate::model::entry::{Segment, Stream};
use std::cell::RefCell;
use std::io::{self, PipeReader};
use std::os::fd::OwnedFd;
use tokio::net::unix::pipe;
use tokio::sync::watch;

/// How many changes between the streams are recorded. Each takes 16 bytes, so this bounds the order to 4 MiB.
const SEGMENTS: usize = 1 << 18;

/// What a command wrote.
#[derive(Debug)]
pub struct Capture {
    /// Both streams came through one pipe; all bytes count as standard output.
    pub joined: bool,
    /// Standard output.
    pub stdout: Spool,
    /// Standard error.
    pub stderr: Spool,
    /// Alternating segments, in the order of reading.
    pub order: Vec<Segment>,
    /// Why the recording must not be stored; the first reason where there are several.
    pub incomplete: Option<Incomplete>,
}

/// Why a recording is not the whole truth about a run.
#[derive(Debug, thiserror::Error)]
pub enum Incomplete {
    /// The command ended, and a process that it started can still write.
    #[error("a process that outlived the command kept {} open", outlet::name(*.0))]
    PipeHeldOpen(Stream),
    /// Who read our stream stopped doing so, and the command was told in the same way.
    #[error("the reader of {} went away", outlet::name(*.0))]
    ReaderGone(Stream),
    /// Bytes of the command did not reach our stream.
    #[error("cannot write to {}: {source}", outlet::name(*.stream))]
    Forward {
        /// The stream.
        stream: Stream,
        /// What the system said.
        source: io::Error,
    },
    /// The command's pipe could not be read.
    #[error("cannot read the command's {}: {source}", outlet::name(*.stream))]
    Read {
        /// The stream.
        stream: Stream,
        /// What the system said.
        source: io::Error,
    },
    /// Bytes could not be kept.
    #[error(transparent)]
    Spool(#[from] SpoolError),
    /// The streams took turns too often for their order to be kept.
    #[error("standard output and standard error took turns more than {SEGMENTS} times")]
    Unordered,
    /// A signal that asks to stop or to change course arrived during the run.
    #[error("signal {0} arrived during the run")]
    Interrupted(i32),
}

/// What both streams record together.
#[derive(Default)]
struct Record {
    order: Vec<Segment>,
    incomplete: Option<Incomplete>,
}

impl Record {
    fn append(&mut self, stream: Stream, length: usize) {
        let length = length as u64;
        let full = self.order.len() >= SEGMENTS;
        match self.order.last_mut() {
            Some(last) if last.stream == stream => last.length += length,
            _ if full => self.mark(Incomplete::Unordered),
            _ => self.order.push(Segment { stream, length }),
        }
    }

    fn mark(&mut self, reason: Incomplete) {
        self.incomplete.get_or_insert(reason);
    }
}

/// One pipe of the command, on its way through.
struct Lane<'f> {
    stream: Stream,
    /// `None` once it ended, or had to be closed.
    pipe: Option<pipe::Receiver>,
    forwarder: Forwarder,
    spool: SpoolWriter<'f>,
}

/// Why a lane ends.
enum End {
    Complete,
    Cut(Incomplete),
}

impl<'f> Lane<'f> {
    fn start(stream: Stream, pipe: PipeReader, outlet: OwnedFd, spool: SpoolWriter<'f>) -> io::Result<Self> {
        let pipe = pipe::Receiver::from_owned_fd(pipe.into())?;
        Ok(Self { stream, pipe: Some(pipe), forwarder: Forwarder::start(outlet)?, spool })
    }

    async fn run(&mut self, record: &RefCell<Record>, cutoff: watch::Receiver<bool>) {
        let Some(pipe) = self.pipe.take() else { return };
        // The pipe is closed when this returns: a command that goes on writing learns what became of its reader.
        if let End::Cut(reason) = self.drain(pipe, record, cutoff).await {
            record.borrow_mut().mark(reason);
        }
    }

    async fn drain(
        &mut self,
        pipe: pipe::Receiver,
        record: &RefCell<Record>,
        mut cutoff: watch::Receiver<bool>,
    ) -> End {
        let stream = self.stream;
        let failed = |source| End::Cut(Incomplete::Read { stream, source });
        loop {
            let Some(permit) = self.forwarder.room().await else {
                return End::Cut(Incomplete::ReaderGone(stream));
            };
            tokio::select! {
                biased;
                // The sender lives as long as this future, so that an error cannot be.
                _ = cutoff.wait_for(|cut| *cut) => break,
                () = self.forwarder.reader_gone() => return End::Cut(Incomplete::ReaderGone(stream)),
                ready = pipe.readable() => if let Err(error) = ready {
                    return failed(error);
                },
            }
            let mut buffer = self.forwarder.buffer();
            match pipe.try_read(&mut buffer) {
                Ok(0) => return End::Complete,
                Ok(length) => {
                    self.keep(record, &buffer[..length]);
                    self.forwarder.send(permit, buffer, length);
                }
                Err(error) if is_passing(&error) => {}
                Err(error) => return failed(error),
            }
            // The other stream gets its turn, or a flood on this one would hold it up.
            tokio::task::yield_now().await;
        }
        self.empty(&pipe, record).await.unwrap_or_else(failed)
    }

    /// Takes what stands in the pipe and no more: who still writes could go on for ever.
    async fn empty(&mut self, pipe: &pipe::Receiver, record: &RefCell<Record>) -> io::Result<End> {
        let mut left = usize::try_from(rustix::io::ioctl_fionread(pipe)?).unwrap_or(usize::MAX);
        loop {
            let Some(permit) = self.forwarder.room().await else {
                return Ok(End::Cut(Incomplete::ReaderGone(self.stream)));
            };
            let mut buffer = self.forwarder.buffer();
            // One byte more than what was there tells the end of the stream from a pause.
            let wanted = left.clamp(1, CHUNK);
            match rustix::io::read(pipe, &mut buffer[..wanted]) {
                Ok(0) => return Ok(End::Complete),
                Ok(length) if left > 0 => {
                    left -= length;
                    self.keep(record, &buffer[..length]);
                    self.forwarder.send(permit, buffer, length);
                }
                Ok(_) | Err(rustix::io::Errno::AGAIN) => {
                    return Ok(End::Cut(Incomplete::PipeHeldOpen(self.stream)));
                }
                Err(rustix::io::Errno::INTR) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }

    fn keep(&mut self, record: &RefCell<Record>, bytes: &[u8]) {
        record.borrow_mut().append(self.stream, bytes.len());
        self.spool.append(bytes);
    }

    /// Waits until all is written, and returns what was recorded.
    fn finish(self, record: &mut Record) -> Spool {
        let stream = self.stream;
        match self.forwarder.finish() {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {
                record.mark(Incomplete::ReaderGone(stream));
            }
            Err(source) => record.mark(Incomplete::Forward { stream, source }),
        }
        self.spool.finish().unwrap_or_else(|error| {
            record.mark(error.into());
            Spool::empty()
        })
    }
}

/// Nothing was there to read, and nothing is wrong.
fn is_passing(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted)
}

/// Both pipes of a command, on their way through.
pub(super) struct Tee<'f> {
    stdout: Lane<'f>,
    /// `None` where both streams share a pipe.
    stderr: Option<Lane<'f>>,
    record: RefCell<Record>,
}

/// Where output is recorded.
#[derive(Clone, Copy)]
pub(super) struct SpoolPlace<'a> {
    pub(super) folder: SpoolFolder<'a>,
    pub(super) limit: usize,
}

impl<'f> SpoolPlace<'f> {
    fn writer(self) -> SpoolWriter<'f> {
        SpoolWriter::new(self.folder, self.limit)
    }
}

impl<'f> Tee<'f> {
    /// Starts to forward one pipe that both streams share to our standard output.
    pub(super) fn joined(
        pipe: PipeReader,
        outlets: outlet::Outlets,
        place: SpoolPlace<'f>,
    ) -> io::Result<Self> {
        let stdout = Lane::start(Stream::Stdout, pipe, outlets.stdout, place.writer())?;
        Ok(Self { stdout, stderr: None, record: RefCell::default() })
    }

    /// Starts to forward a pipe for each stream.
    pub(super) fn apart(
        stdout: PipeReader,
        stderr: PipeReader,
        outlets: outlet::Outlets,
        place: SpoolPlace<'f>,
    ) -> io::Result<Self> {
        let stdout = Lane::start(Stream::Stdout, stdout, outlets.stdout, place.writer())?;
        let stderr = Lane::start(Stream::Stderr, stderr, outlets.stderr, place.writer())?;
        Ok(Self { stdout, stderr: Some(stderr), record: RefCell::default() })
    }

    /// Reads until both streams end. Once `cutoff` is true, only what is already in the pipes is taken.
    pub(super) async fn run(&mut self, cutoff: watch::Receiver<bool>) {
        let Self { stdout, stderr, record } = self;
        let stderr_lane = async {
            if let Some(lane) = stderr {
                lane.run(record, cutoff.clone()).await;
            }
        };
        // Which of two waiting streams came first is unknown; the answer should at least be the same each time.
        tokio::join!(biased; stdout.run(record, cutoff.clone()), stderr_lane);
    }

    /// Waits until all is written, however slow the readers of our streams are, and returns what was recorded.
    pub(super) fn finish(self) -> Capture {
        let joined = self.stderr.is_none();
        let mut record = self.record.into_inner();
        let stdout = self.stdout.finish(&mut record);
        let stderr = self.stderr.map_or_else(Spool::empty, |lane| lane.finish(&mut record));
        Capture { joined, stdout, stderr, order: record.order, incomplete: record.incomplete }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_order_that_grows_without_end_is_given_up() {
        let mut record = Record::default();
        for _ in 0..SEGMENTS {
            record.append(Stream::Stdout, 1);
            record.append(Stream::Stderr, 2);
        }
        assert_eq!(record.order.len(), SEGMENTS);
        let reason = record.incomplete.map(|reason| reason.to_string());
        assert_eq!(
            reason.as_deref(),
            Some("standard output and standard error took turns more than 262144 times")
        );
    }
}
