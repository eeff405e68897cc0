//! A captured stream: hashed while it grows, in memory while it is small, in a file from then on.
//!
//! Invariants: a [`Spool`] holds exactly the bytes that its [`Content`] names; memory stays within the limit
//! whatever the size; a file that nobody kept is gone when its owner is.

use crate::model::digest::Hasher;
use crate::model::entry::Content;
use crate::model::path::printable;
use crate::world::file::{create_private, random_number};
use rustix::io::Errno;
use std::fs::File;
use std::io::{self, Write};
use std::mem;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// Returns the folder for big streams, which is made when the first of them needs it.
pub type SpoolFolder<'f> = &'f dyn Fn() -> Result<PathBuf, SpoolError>;

/// A complete stream.
#[derive(Debug)]
pub struct Spool {
    content: Content,
    body: SpoolBody,
}

/// Where the bytes of a stream are.
#[derive(Debug)]
pub enum SpoolBody {
    /// Here.
    Memory(Vec<u8>),
    /// In a file.
    File(SpoolFile),
}

/// A file that is removed when this value goes, unless it was kept.
#[derive(Debug)]
pub struct SpoolFile(PathBuf);

impl SpoolFile {
    /// Returns where the file is.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// Takes the file; it is the caller's to move or to remove.
    pub fn keep(mut self) -> PathBuf {
        mem::take(&mut self.0)
    }
}

impl Drop for SpoolFile {
    fn drop(&mut self) {
        if !self.0.as_os_str().is_empty() {
            // What cannot be removed is swept with the rest of the folder.
            let _ = std::fs::remove_file(&self.0);
        }
    }
}

impl Spool {
    /// Returns the digest and the size of the stream.
    pub const fn content(&self) -> Content {
        self.content
    }

    /// Returns where the bytes are.
    pub const fn body(&self) -> &SpoolBody {
        &self.body
    }

    /// Takes the bytes.
    pub fn into_body(self) -> SpoolBody {
        self.body
    }

    /// Returns the stream that has no bytes.
    pub(super) fn empty() -> Self {
        Self { content: Content::of(b""), body: SpoolBody::Memory(Vec::new()) }
    }
}

/// Bytes could not be spooled.
#[derive(Debug, thiserror::Error)]
#[error("cannot write captured output under '{}': {source}", printable(.directory.as_os_str().as_bytes()))]
pub struct SpoolError {
    /// The folder for big output.
    pub directory: PathBuf,
    /// What the system said.
    pub source: io::Error,
}

/// A stream that grows.
pub(super) struct SpoolWriter<'f> {
    folder: SpoolFolder<'f>,
    limit: usize,
    /// The tail that is not in the file yet; everything, as long as there is no file.
    pending: Vec<u8>,
    file: Option<(File, SpoolFile)>,
    hasher: Hasher,
    size: u64,
    failure: Option<SpoolError>,
}

impl<'f> SpoolWriter<'f> {
    /// Starts an empty stream of which `limit` bytes may stay in memory.
    pub(super) fn new(folder: SpoolFolder<'f>, limit: usize) -> Self {
        Self { folder, limit, pending: Vec::new(), file: None, hasher: Hasher::new(), size: 0, failure: None }
    }

    /// Adds bytes. After the first failure they are dropped, and [`Self::finish`] reports it.
    pub(super) fn append(&mut self, bytes: &[u8]) {
        if self.failure.is_some() {
            return;
        }
        self.hasher.update(bytes);
        self.size += bytes.len() as u64;
        if self.pending.len() + bytes.len() <= self.limit {
            self.pending.extend_from_slice(bytes);
        } else if let Err(error) = self.spill(bytes) {
            self.pending = Vec::new();
            self.file = None;
            self.failure = Some(error);
        }
    }

    fn spill(&mut self, bytes: &[u8]) -> Result<(), SpoolError> {
        let (file, own) = match &mut self.file {
            Some(file) => file,
            none => none.insert(create((self.folder)()?)?),
        };
        let written = file.write_all(&self.pending).and_then(|()| file.write_all(bytes));
        self.pending.clear();
        written.map_err(failed(own.path().parent().unwrap_or(own.path())))
    }

    /// Ends the stream.
    pub(super) fn finish(mut self) -> Result<Spool, SpoolError> {
        if self.failure.is_none() && self.file.is_some() {
            self.failure = self.spill(&[]).err();
        }
        if let Some(failure) = self.failure {
            return Err(failure);
        }
        let content = Content { digest: self.hasher.finish(), size: self.size };
        let body = match self.file {
            Some((_, file)) => SpoolBody::File(file),
            None => SpoolBody::Memory(self.pending),
        };
        Ok(Spool { content, body })
    }
}

/// Creates a file of our own under a name that nobody has. Process ids would not do: two containers that share the
/// folder count theirs apart.
fn create(directory: PathBuf) -> Result<(File, SpoolFile), SpoolError> {
    loop {
        let path = directory.join(format!("spool-{:016x}", random_number()));
        match create_private(&path) {
            Ok(file) => return Ok((file, SpoolFile(path))),
            Err(error) if error.is(Errno::EXIST) => {}
            Err(error) => return Err(SpoolError { directory, source: error.source }),
        }
    }
}

fn failed(directory: &Path) -> impl Fn(io::Error) -> SpoolError {
    move |source| SpoolError { directory: directory.to_owned(), source }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    fn spooled(directory: &Path, pieces: &[&[u8]]) -> Spool {
        let folder = || Ok(directory.to_owned());
        let mut writer = SpoolWriter::new(&folder, 8);
        pieces.iter().for_each(|piece| writer.append(piece));
        writer.finish().unwrap()
    }

    fn names(directory: &Path) -> usize {
        std::fs::read_dir(directory).unwrap().count()
    }

    #[test]
    fn small_streams_stay_in_memory_and_ask_for_no_folder() {
        let folder = || panic!("asked for a folder");
        let mut writer = SpoolWriter::new(&folder, 8);
        [&b"1234"[..], b"", b"5678"].iter().for_each(|piece| writer.append(piece));
        let spool = writer.finish().unwrap();
        assert_eq!(spool.content(), Content::of(b"12345678"));
        assert!(matches!(spool.body(), SpoolBody::Memory(bytes) if bytes == b"12345678"));
    }

    #[test]
    fn big_streams_go_to_a_private_file_that_leaves_with_its_owner() {
        let folder = tempfile::tempdir().unwrap();
        let spool = spooled(folder.path(), &[b"1234", b"56789", b"x", b"a longer one than the limit", b"y"]);
        let all = b"123456789xa longer one than the limity";
        assert_eq!(spool.content(), Content::of(all));
        let SpoolBody::File(file) = spool.into_body() else { panic!("in memory") };
        assert_eq!(std::fs::read(file.path()).unwrap(), all);
        assert_eq!(std::fs::metadata(file.path()).unwrap().permissions().mode() & 0o777, 0o600);
        drop(file);
        assert_eq!(names(folder.path()), 0);
    }

    #[test]
    fn a_file_that_was_kept_stays() {
        let folder = tempfile::tempdir().unwrap();
        let SpoolBody::File(file) = spooled(folder.path(), &[b"123456789"]).into_body() else {
            panic!("in memory")
        };
        assert_eq!(std::fs::read(file.keep()).unwrap(), b"123456789");
    }

    #[test]
    fn a_failure_is_kept_and_takes_no_memory() {
        let folder = tempfile::tempdir().unwrap();
        let nowhere = folder.path().join("nowhere");
        let folder = || Ok(nowhere.clone());
        let mut writer = SpoolWriter::new(&folder, 8);
        for _ in 0..1000 {
            writer.append(b"123456789");
        }
        assert_eq!(writer.pending.capacity(), 0);
        let error = writer.finish().unwrap_err();
        assert_eq!(
            error.to_string(),
            format!(
                "cannot write captured output under '{}': No such file or directory (os error 2)",
                nowhere.display()
            )
        );
    }
}
