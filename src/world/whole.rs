//! A file that is written piece by piece and appears whole or not at all.

use super::file::{FileError, FileType, Witness, create_private, random_number};
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

/// A file on its way: it lies beside its place, for us alone to read, until it is put there.
#[derive(Debug)]
pub struct WholeFile {
    file: File,
    beside: PathBuf,
    place: PathBuf,
    is_placed: bool,
}

impl WholeFile {
    /// Begins a file that will stand at `path`, or where a link at `path` leads. What stands there stays until then.
    /// A folder, a pipe or a device there is an error: none of them is to be replaced.
    pub fn create(path: &Path) -> Result<Self, FileError> {
        let place = match Witness::of_target(path) {
            Ok(witness) if witness.file_type() != FileType::File => {
                let what = io::Error::other("it is no regular file");
                return Err(FileError::of("replace", path)(what));
            }
            Ok(_) => path.canonicalize().map_err(FileError::of("look at", path))?,
            Err(_) => path.to_owned(),
        };
        let mut name = place.file_name().unwrap_or_default().to_owned();
        name.push(format!(".{:016x}", random_number()));
        let beside = place.with_file_name(name);
        Ok(Self { file: create_private(&beside)?, beside, place, is_placed: false })
    }

    /// Returns the file, to be written to.
    pub const fn file(&self) -> &File {
        &self.file
    }

    /// Puts the file in its place, confirmed by the disk.
    pub fn place(mut self) -> Result<(), FileError> {
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

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    #[test]
    fn a_file_appears_when_it_is_whole() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        std::fs::write(&path, "old").unwrap();
        for (places, text) in [(false, "old"), (true, "new")] {
            let whole = WholeFile::create(&path).unwrap();
            whole.file().write_all(b"new").unwrap();
            assert_eq!(std::fs::read_to_string(&path).unwrap(), "old");
            match places {
                true => whole.place().unwrap(),
                false => drop(whole),
            }
            assert_eq!(std::fs::read_to_string(&path).unwrap(), text);
            assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
        }
        assert_eq!(Witness::of_path(&path).unwrap().permissions(), 0o600);
    }

    #[test]
    fn links_are_followed_and_devices_are_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let (file, link) = (folder.path().join("file"), folder.path().join("link"));
        std::fs::write(&file, "").unwrap();
        std::os::unix::fs::symlink(&file, &link).unwrap();
        let whole = WholeFile::create(&link).unwrap();
        whole.file().write_all(b"new").unwrap();
        whole.place().unwrap();
        assert_eq!(std::fs::read_to_string(&file).unwrap(), "new");
        assert_eq!(Witness::of_path(&link).unwrap().file_type(), FileType::Symlink);
        for place in [Path::new("/dev/null"), folder.path()] {
            assert_eq!(WholeFile::create(place).unwrap_err().action, "replace");
        }
    }
}
