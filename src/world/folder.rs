//! A folder that is open: the way to it is followed once, and not for each of the names in it.
//!
//! Links are followed. Work that must lead nowhere else is done in a [`super::tree::Tree`].

use super::file::Witness;
use rustix::fs::{AtFlags, Mode, OFlags};
use rustix::io::Errno;
use std::ffi::OsStr;
use std::fs::File;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;

/// An open folder.
#[derive(Debug)]
pub struct Folder(OwnedFd);

impl Folder {
    /// Opens the folder at `path`. On Linux it need not be readable, as it need not be to look at a name in it.
    pub fn open(path: &Path) -> io::Result<Self> {
        #[cfg(target_os = "linux")]
        let access = OFlags::PATH;
        #[cfg(not(target_os = "linux"))]
        let access = OFlags::RDONLY;
        let flags = access | OFlags::DIRECTORY | OFlags::CLOEXEC;
        Ok(Self(rustix::fs::open(path, flags, Mode::empty())?))
    }

    /// Looks at what a name leads to, through symbolic links.
    pub fn target(&self, name: &OsStr) -> io::Result<Witness> {
        Ok(Witness::of_stat(&rustix::fs::statat(&self.0, name, AtFlags::empty())?))
    }
}

impl Folder {
    /// Opens a file below it for reading; waits for nobody.
    pub fn open_for_reading(&self, name: &OsStr) -> io::Result<File> {
        let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK | OFlags::NOCTTY;
        Ok(File::from(rustix::fs::openat(&self.0, name, flags, Mode::empty())?))
    }

    /// Reads a file of ours below it, into room for `most` bytes at first. It ends where a read leaves room, so that the
    /// caller has to have a way to know that it was all.
    pub fn read(&self, path: &Path, most: usize) -> io::Result<Vec<u8>> {
        let file = self.open_for_reading(path.as_os_str())?;
        let mut bytes = vec![0; most.max(1)];
        let mut filled = 0;
        loop {
            match rustix::io::read(&file, &mut bytes[filled..]) {
                Ok(count) => filled += count,
                Err(Errno::INTR) => continue,
                Err(error) => return Err(error.into()),
            }
            if filled < bytes.len() {
                bytes.truncate(filled);
                return Ok(bytes);
            }
            bytes.resize(filled * 4, 0);
        }
    }
}

impl AsFd for Folder {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_looked_at_and_read_below_it() {
        let place = tempfile::tempdir().unwrap();
        std::fs::create_dir(place.path().join("below")).unwrap();
        std::fs::write(place.path().join("below/file"), vec![b'x'; 100]).unwrap();
        std::os::unix::fs::symlink("below/file", place.path().join("link")).unwrap();
        let folder = Folder::open(place.path()).unwrap();
        let expected = Witness::of_path(&place.path().join("below/file")).unwrap();
        assert_eq!(folder.target(OsStr::new("link")).unwrap(), expected);
        for first in [0, 1, 30, 99, 100, 101, 1000] {
            assert_eq!(folder.read(Path::new("below/file"), first).unwrap(), vec![b'x'; 100], "{first}");
        }
        let missing = folder.open_for_reading(OsStr::new("missing")).unwrap_err();
        assert_eq!(missing.kind(), io::ErrorKind::NotFound);
        assert!(Folder::open(&place.path().join("link")).is_err());
    }
}
