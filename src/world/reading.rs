//! What files hold, read to be hashed: one, or many at once on as many threads as there are processors.
//!
//! Each thread has one buffer for all of its files. A buffer of its own for each file would come fresh from the kernel
//! and go back to it, which costs more than hashing a small file does.

use super::file::{FileError, FileType, Witness, open_for_reading};
use super::folder::Folder;
use super::workers::share;
use crate::model::digest::Hasher;
use crate::model::entry::Content;
use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, Read};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// How much is read at a time.
const CHUNK: usize = 128 * 1024;

/// From how many bytes on a second thread is worth starting. A file counts with what opening it costs on top.
const WORTH_A_THREAD: u64 = 1024 * 1024;

/// What opening a file costs, in bytes that could be hashed in that time.
const OPENING: u64 = 8 * 1024;

/// A file that was read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reading {
    /// What it holds.
    pub content: Content,
    /// What it looked like before it was read.
    pub witness: Witness,
    /// It looked the same afterwards.
    pub steady: bool,
}

/// A file that is to be read.
#[derive(Debug, Clone, Copy)]
pub struct Unread<'p> {
    /// Where it is.
    pub path: &'p Path,
    /// The folder that it is in, where others in it are read too: the way there is followed once then.
    pub folder: Option<&'p Path>,
    /// How large it looked, as far as somebody looked; it only decides how the work is shared out.
    pub size: u64,
}

/// Reads a regular file; anything else is an error.
pub fn read(path: &Path) -> Result<Reading, FileError> {
    read_with(open_for_reading(path)?, path, &mut Vec::new())
}

/// Reads regular files and returns what they hold, in the order in which they are named.
pub fn read_all(files: &[Unread<'_>]) -> Vec<Result<Reading, FileError>> {
    let work = files.iter().fold(0_u64, |sum, file| sum.saturating_add(file.size).saturating_add(OPENING));
    let useful = usize::try_from(work / WORTH_A_THREAD).unwrap_or(usize::MAX).saturating_add(1);
    share(files.len(), useful, Desk::default, |desk, at| {
        let file = desk.open(files[at])?;
        read_with(file, files[at].path, &mut desk.buffer)
    })
}

/// What a thread has at hand for the next file.
#[derive(Default)]
struct Desk<'p> {
    buffer: Vec<u8>,
    folder: Option<(&'p Path, Folder)>,
}

impl<'p> Desk<'p> {
    fn open(&mut self, unread: Unread<'p>) -> Result<File, FileError> {
        let Unread { path, folder, .. } = unread;
        let Some((wanted, name)) = folder.and_then(|folder| Some((folder, name_below(folder, path)?))) else {
            return open_for_reading(path);
        };
        if self.folder.as_ref().is_none_or(|(open, _)| *open != wanted) {
            self.folder = Folder::open(wanted).ok().map(|open| (wanted, open));
        }
        match &self.folder {
            Some((_, open)) => open.open_for_reading(name).map_err(FileError::of("open", path)),
            None => open_for_reading(path),
        }
    }
}

/// Returns the rest of a path that is spelled as the folder, a `/` and a name.
fn name_below<'p>(folder: &Path, path: &'p Path) -> Option<&'p OsStr> {
    let name = path.as_os_str().as_bytes().strip_prefix(folder.as_os_str().as_bytes())?.strip_prefix(b"/")?;
    (!name.is_empty() && !name.contains(&b'/')).then(|| OsStr::from_bytes(name))
}

fn read_with(file: File, path: &Path, buffer: &mut Vec<u8>) -> Result<Reading, FileError> {
    let witness = Witness::of_open(&file).map_err(FileError::of("look at", path))?;
    if witness.file_type() != FileType::File {
        return Err(FileError::of("read", path)(io::Error::other("it is not a regular file")));
    }
    let wanted = usize::try_from(witness.size()).unwrap_or(CHUNK).saturating_add(1).min(CHUNK);
    if buffer.len() < wanted {
        buffer.resize(wanted, 0);
    }
    if witness.size() > CHUNK as u64 {
        advise_sequential(&file);
    }
    let content = content_with(&file, buffer, Some(witness.size())).map_err(FileError::of("read", path))?;
    let steady = Witness::of_open(&file).is_ok_and(|after| after == witness);
    Ok(Reading { content, witness, steady })
}

/// Tells the kernel that a file is about to be read from its beginning to its end.
fn advise_sequential(file: &File) {
    #[cfg(target_os = "linux")]
    {
        // Where it cannot be told, the kernel finds out by itself.
        let _ = rustix::fs::fadvise(file, 0, None, rustix::fs::Advice::Sequential);
    }
    #[cfg(not(target_os = "linux"))]
    {
        let _ = file;
    }
}

/// Returns the content of an open file, read from where it stands.
pub fn content_of(file: impl Read) -> io::Result<Content> {
    content_with(file, &mut vec![0; CHUNK], None)
}

/// A regular file whose size is known is over where that many bytes were read and there was room for more: who looks at
/// it afterwards and finds the same size knows that there was no further one.
fn content_with(mut file: impl Read, buffer: &mut [u8], known_size: Option<u64>) -> io::Result<Content> {
    let mut hasher = Hasher::new();
    let mut size = 0;
    loop {
        match file.read(buffer) {
            Ok(0) => return Ok(Content { digest: hasher.finish(), size }),
            Ok(count) => {
                hasher.update(&buffer[..count]);
                size += count as u64;
                if count < buffer.len() && known_size == Some(size) {
                    return Ok(Content { digest: hasher.finish(), size });
                }
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_files_are_read_in_their_order() {
        let folder = tempfile::tempdir().unwrap();
        let paths: Vec<_> = (0..300).map(|number| folder.path().join(number.to_string())).collect();
        for (number, path) in paths.iter().enumerate() {
            std::fs::write(path, vec![b'x'; number * 1000]).unwrap();
        }
        // With the folder at hand, and without.
        let at = |number| (number % 3 == 0).then(|| folder.path());
        let files =
            paths.iter().enumerate().map(|(number, path)| Unread { path, folder: at(number), size: 150_000 });
        let files: Vec<_> = files.collect();
        for (number, (reading, path)) in read_all(&files).into_iter().zip(&paths).enumerate() {
            let reading = reading.unwrap();
            assert_eq!(reading.content, Content::of(&vec![b'x'; number * 1000]));
            assert!(reading.steady);
            assert_eq!(reading, read(path).unwrap());
        }
        assert!(read_all(&[]).is_empty());
    }

    #[test]
    fn one_that_cannot_be_read_costs_no_other() {
        let folder = tempfile::tempdir().unwrap();
        let (there, missing) = (folder.path().join("there"), folder.path().join("missing"));
        std::fs::write(&there, b"abc").unwrap();
        let files = [&there, &missing, folder.path(), &there].map(|path: &Path| Unread {
            path,
            folder: path.parent(),
            size: 1 << 20,
        });
        let readings = read_all(&files);
        assert_eq!(readings[0].as_ref().unwrap().content, Content::of(b"abc"));
        assert!(readings[1].as_ref().unwrap_err().is_missing());
        let folder = readings[2].as_ref().unwrap_err();
        assert_eq!((folder.action, folder.source.to_string()), ("read", "it is not a regular file".into()));
        assert_eq!(readings[3].as_ref().unwrap().content, Content::of(b"abc"));
    }
}
