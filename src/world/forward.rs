//! Passing a captured stream on to our own, without letting one slow reader hold up the other stream.
//!
//! Each stream has a thread that does nothing but write, and a queue of a few chunks before it. Who reads the
//! command's pipe asks for room in the queue first: where the reader of our stream is slow, its pipe fills, and the
//! command waits as it would without us. Threads, because a terminal or a file on a network cannot be written to
//! without blocking in any other way. They start before the command does: where the system has no thread left,
//! nothing has been lost yet.
//!
//! Invariant: a chunk that was accepted is written, unless a write failed before.

use super::outlet::write_all;
use std::io;
use std::os::fd::OwnedFd;
use std::sync::mpsc as recycling;
use std::thread::JoinHandle;
use tokio::sync::mpsc;

/// How many bytes are read at once; what a Linux pipe holds.
pub(super) const CHUNK: usize = 64 * 1024;

/// How many chunks wait for a slow reader before the command has to.
const QUEUE: usize = 4;

/// Bytes on their way.
struct Chunk {
    buffer: Vec<u8>,
    length: usize,
}

/// The right to send one chunk.
pub(super) struct Permit(mpsc::OwnedPermit<Chunk>);

/// The way from a captured stream to one of ours.
pub(super) struct Forwarder {
    queue: mpsc::Sender<Chunk>,
    spare: recycling::Receiver<Vec<u8>>,
    writer: JoinHandle<io::Result<()>>,
}

impl Forwarder {
    /// Starts to forward to `outlet`.
    pub(super) fn start(outlet: OwnedFd) -> io::Result<Self> {
        let (queue, chunks) = mpsc::channel(QUEUE);
        let (emptied, spare) = recycling::channel();
        let writer = std::thread::Builder::new()
            .name("forward".into())
            .spawn(move || write_out(&outlet, chunks, &emptied))?;
        Ok(Self { queue, spare, writer })
    }

    /// Waits until a chunk may be sent; `None` where nobody reads any more.
    pub(super) async fn room(&self) -> Option<Permit> {
        self.queue.clone().reserve_owned().await.ok().map(Permit)
    }

    /// Waits until nobody reads any more.
    pub(super) async fn reader_gone(&self) {
        self.queue.closed().await;
    }

    /// Returns [`CHUNK`] bytes to read into.
    pub(super) fn buffer(&self) -> Vec<u8> {
        self.spare.try_recv().unwrap_or_else(|_| vec![0; CHUNK])
    }

    /// Sends the first `length` bytes of a buffer.
    pub(super) fn send(&self, permit: Permit, buffer: Vec<u8>, length: usize) {
        permit.0.send(Chunk { buffer, length });
    }

    /// Waits until everything is written. The error is the first that a write met.
    pub(super) fn finish(self) -> io::Result<()> {
        drop(self.queue);
        self.writer.join().unwrap_or_else(|_| Err(io::Error::other("the writing thread ended early")))
    }
}

/// Writes until the queue ends. After a broken pipe the queue closes, so that the command's own pipe can break too;
/// after any other error, such as a full disk, the command is spared and its bytes are taken and dropped.
fn write_out(
    outlet: &OwnedFd,
    mut chunks: mpsc::Receiver<Chunk>,
    emptied: &recycling::Sender<Vec<u8>>,
) -> io::Result<()> {
    let mut outcome = Ok(());
    while let Some(Chunk { buffer, length }) = chunks.blocking_recv() {
        if outcome.is_ok() {
            outcome = write_all(outlet, &buffer[..length]);
        }
        if outcome.as_ref().is_err_and(|error| error.kind() == io::ErrorKind::BrokenPipe) {
            break;
        }
        // Nobody wants buffers back once the stream has ended.
        let _ = emptied.send(buffer);
    }
    outcome
}
