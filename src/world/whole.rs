//! A file of the caller's that appears whole or not at all: written beside its place, then renamed.
//!
//! - A file that is replaced hands its mode on; it is the caller's, and so is who may read it.
//! - A link is followed, also one that leads to nothing yet, as for anybody who writes to it.
//! - What is no regular file is refused, because to rename over it would take it away.

use super::file::{FileError, FileType, Witness, create_private, random_number};
use std::fs::{File, OpenOptions, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

/// How many links are followed; the kernel's own limit.
const MOST_LINKS: usize = 40;

/// Who may read a file that is new.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Readers {
    /// We alone.
    Owner,
    /// Whoever the umask lets.
    Umask,
}

/// A file on its way: it lies beside its place until it is put there.
#[derive(Debug)]
pub struct WholeFile {
    file: File,
    beside: PathBuf,
    place: PathBuf,
    /// The mode of the file that is replaced.
    mode: Option<Permissions>,
    is_placed: bool,
}

impl WholeFile {
    /// Begins a file that will stand at `path`, or where a link at `path` leads. What stands there stays until then.
    /// A folder, a pipe or a device there is an error.
    pub fn create(path: &Path, readers: Readers) -> Result<Self, FileError> {
        let failed = |error| FileError::of("write", path)(error);
        let (place, mode) = match Witness::of_target(path) {
            Ok(witness) if witness.file_type() != FileType::File => {
                return Err(failed(io::Error::other("it is not a regular file")));
            }
            Ok(witness) => {
                (path.canonicalize().map_err(failed)?, Some(Permissions::from_mode(witness.permissions())))
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => (end_of(path).map_err(failed)?, None),
            Err(error) => return Err(failed(error)),
        };
        let mut name = place.file_name().unwrap_or_default().to_owned();
        name.push(format!(".{:016x}", random_number()));
        let beside = place.with_file_name(name);
        let file = match (&mode, readers) {
            (None, Readers::Umask) => {
                OpenOptions::new().read(true).write(true).create_new(true).open(&beside).map_err(failed)?
            }
            // One that is replaced may have had few readers: until it has its mode nobody else reads.
            _ => create_private(&beside).map_err(|error| failed(error.source))?,
        };
        Ok(Self { file, beside, place, mode, is_placed: false })
    }

    /// Returns the file, to be written to.
    pub const fn file(&self) -> &File {
        &self.file
    }

    /// Puts the file in its place, confirmed by the disk.
    pub fn place(mut self) -> Result<(), FileError> {
        if let Some(mode) = self.mode.take() {
            self.file.set_permissions(mode).map_err(FileError::of("set the mode of", &self.beside))?;
        }
        self.file.sync_all().map_err(FileError::of("sync", &self.beside))?;
        std::fs::rename(&self.beside, &self.place).map_err(FileError::of("rename", &self.beside))?;
        self.is_placed = true;
        Ok(())
    }
}

impl Drop for WholeFile {
    fn drop(&mut self) {
        if !self.is_placed {
            // The error that led here is the one to report.
            let _ = std::fs::remove_file(&self.beside);
        }
    }
}

/// Writes a file of the caller's whole. A new one can be read by whoever the umask lets.
pub fn publish(path: &Path, bytes: &[u8]) -> Result<(), FileError> {
    let whole = WholeFile::create(path, Readers::Umask)?;
    whole.file().write_all(bytes).map_err(FileError::of("write", path))?;
    whole.place()
}

/// Returns where the links lead that begin at a path where nothing is.
fn end_of(path: &Path) -> io::Result<PathBuf> {
    let mut place = path.to_owned();
    for _ in 0..MOST_LINKS {
        match std::fs::read_link(&place) {
            Ok(target) => place = place.parent().unwrap_or(Path::new("")).join(target),
            // No link, and nothing else either.
            Err(_) => return Ok(place),
        }
    }
    Err(rustix::io::Errno::LOOP.into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    fn mode(path: &Path) -> u32 {
        Witness::of_path(path).unwrap().permissions()
    }

    #[test]
    fn a_file_appears_when_it_is_whole() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        std::fs::write(&path, "old").unwrap();
        for (places, text) in [(false, "old"), (true, "new")] {
            let whole = WholeFile::create(&path, Readers::Owner).unwrap();
            whole.file().write_all(b"new").unwrap();
            assert_eq!(std::fs::read_to_string(&path).unwrap(), "old");
            match places {
                true => whole.place().unwrap(),
                false => drop(whole),
            }
            assert_eq!(std::fs::read_to_string(&path).unwrap(), text);
            assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
        }
    }

    #[test]
    fn a_replaced_file_hands_its_mode_on() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        for readers in [Readers::Owner, Readers::Umask] {
            for given in [0o644, 0o640, 0o400, 0o600] {
                std::fs::write(&path, "old").unwrap();
                std::fs::set_permissions(&path, Permissions::from_mode(given)).unwrap();
                let whole = WholeFile::create(&path, readers).unwrap();
                assert_eq!(mode(&whole.beside), 0o600);
                whole.place().unwrap();
                assert_eq!(mode(&path), given);
                std::fs::remove_file(&path).unwrap();
            }
        }
        WholeFile::create(&path, Readers::Owner).unwrap().place().unwrap();
        assert_eq!(mode(&path), 0o600);
        let (page, plain) = (folder.path().join("page"), folder.path().join("plain"));
        std::fs::write(&plain, "").unwrap();
        publish(&page, b"x").unwrap();
        assert_eq!(mode(&page), mode(&plain));
    }

    #[test]
    fn links_are_followed_where_they_lead_to_nothing_too() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        std::fs::create_dir(path("deep")).unwrap();
        symlink("deep/second", path("first")).unwrap();
        symlink("../file", path("deep/second")).unwrap();
        for text in ["one", "two"] {
            publish(&path("first"), text.as_bytes()).unwrap();
            assert_eq!(std::fs::read_to_string(path("file")).unwrap(), text);
        }
        for link in ["first", "deep/second"] {
            assert_eq!(Witness::of_path(&path(link)).unwrap().file_type(), FileType::Symlink);
        }
        symlink("circle", path("circle")).unwrap();
        assert!(publish(&path("circle"), b"x").is_err());
    }

    #[test]
    fn what_is_no_file_and_what_cannot_be_looked_at_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("file");
        std::fs::write(&file, "").unwrap();
        let said = |path: &Path| {
            let error = publish(path, b"x").unwrap_err();
            format!("{error}: {}", error.source)
        };
        assert_eq!(said(Path::new("/dev/null")), "cannot write '/dev/null': it is not a regular file");
        let text = format!("cannot write '{}': it is not a regular file", folder.path().display());
        assert_eq!(said(folder.path()), text);
        assert!(said(&file.join("x")).ends_with(": Not a directory (os error 20)"));
        assert!(said(&folder.path().join("no/x")).ends_with(": No such file or directory (os error 2)"));
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }
}
