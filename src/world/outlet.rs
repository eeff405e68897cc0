//! Where a command's bytes leave us: the one write loop that a run and a replay share.
//!
//! An outlet may be anything that a shell can redirect to. It is never made non-blocking, because the flag would
//! belong to everybody who has the same file open; where somebody else has set it, the loop waits.
//!
//! Deliberately absent: buffering, and any notion of what an error means. A reader that went away is
//! [`io::ErrorKind::BrokenPipe`] (the runtime of Rust ignores `SIGPIPE` in us), and callers decide.

use crate::model::entry::Stream;
use rustix::event::{PollFd, PollFlags, poll};
use rustix::io::Errno;
use std::io;
use std::os::fd::{AsFd, OwnedFd};

/// The two places that a command's output goes to.
#[derive(Debug)]
pub struct Outlets {
    /// Where standard output goes.
    pub stdout: OwnedFd,
    /// Where standard error goes.
    pub stderr: OwnedFd,
}

impl Outlets {
    /// Duplicates our own standard output and standard error.
    pub fn standard() -> io::Result<Self> {
        Ok(Self {
            stdout: rustix::stdio::stdout().try_clone_to_owned()?,
            stderr: rustix::stdio::stderr().try_clone_to_owned()?,
        })
    }

    /// Returns the outlet of a stream.
    pub const fn of(&self, stream: Stream) -> &OwnedFd {
        match stream {
            Stream::Stdout => &self.stdout,
            Stream::Stderr => &self.stderr,
        }
    }
}

/// Writes all bytes, in one call where the other side takes them so.
pub(super) fn write_all(outlet: impl AsFd, mut bytes: &[u8]) -> io::Result<()> {
    while !bytes.is_empty() {
        match rustix::io::write(&outlet, bytes) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(written) => bytes = &bytes[written..],
            Err(Errno::INTR) => {}
            Err(Errno::AGAIN) => wait_for_room(&outlet)?,
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

fn wait_for_room(outlet: &impl AsFd) -> io::Result<()> {
    match poll(&mut [PollFd::new(outlet, PollFlags::OUT)], None) {
        Ok(_) | Err(Errno::INTR) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// Returns a stream's name as messages write it.
pub(super) const fn name(stream: Stream) -> &'static str {
    match stream {
        Stream::Stdout => "standard output",
        Stream::Stderr => "standard error",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Read;

    #[test]
    fn an_outlet_that_somebody_made_non_blocking_gets_every_byte() {
        let (mut reader, writer) = io::pipe().unwrap();
        rustix::io::ioctl_fionbio(&writer, true).unwrap();
        let bytes: Vec<u8> = (0..=u8::MAX).cycle().take(1 << 20).collect();
        let reading = std::thread::spawn(move || {
            let mut all = Vec::new();
            reader.read_to_end(&mut all).map(|_| all)
        });
        write_all(&writer, &bytes).unwrap();
        drop(writer);
        assert!(reading.join().unwrap().unwrap() == bytes);
    }

    #[test]
    fn a_reader_that_went_away_is_a_broken_pipe() {
        let (reader, writer) = io::pipe().unwrap();
        drop(reader);
        assert_eq!(write_all(&writer, b"x").unwrap_err().kind(), io::ErrorKind::BrokenPipe);
    }
}
