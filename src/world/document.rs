//! Files that are written for people: with the modes that their umask gives, unlike those of the store.
//!
//! A document that is new is never written over what stands there, a dangling link included.

use super::file::FileError;
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::path::Path;

/// Returns whether a file stands there, or a link to one.
pub fn is_there(path: &Path) -> bool {
    path.is_file()
}

/// Makes a folder, and those above it.
pub fn create_folder(path: &Path) -> Result<(), FileError> {
    std::fs::create_dir_all(path).map_err(FileError::of("make the folder", path))
}

/// Writes a document, over one that stands there.
pub fn write(path: &Path, text: &str) -> Result<(), FileError> {
    let file = File::create(path).map_err(FileError::of("write", path))?;
    fill(file, path, text)
}

/// Writes a document where nothing stands; something that does is an error, and is left as it is. What cannot be
/// written whole is taken away again.
pub fn write_new(path: &Path, text: &str) -> Result<(), FileError> {
    let file =
        OpenOptions::new().write(true).create_new(true).open(path).map_err(FileError::of("make", path))?;
    fill(file, path, text).inspect_err(|_| {
        let _ = std::fs::remove_file(path);
    })
}

fn fill(mut file: File, path: &Path, text: &str) -> Result<(), FileError> {
    file.write_all(text.as_bytes()).map_err(FileError::of("write", path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_document_is_written_over_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        write_new(&path, "one").unwrap();
        assert!(write_new(&path, "two").is_err());
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "one");
        write(&path, "x").unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "x");
        let link = folder.path().join("link");
        std::os::unix::fs::symlink(folder.path().join("elsewhere"), &link).unwrap();
        assert!(write_new(&link, "two").is_err());
        assert!(!folder.path().join("elsewhere").exists());
    }
}
