//! Stored bytes under the name of their digest.
//!
//! A content is staged first: its bytes are read once, hashed as they are copied, and lie in memory (up to
//! [`SMALL`] bytes) or in the process's scratch folder. Publishing renames the file to its name. An existing file
//! of that name counts only when its size is right: a power cut can leave an empty one, and without this check it
//! would be taken for the real one for ever.

use super::{Durability, StoreError};
use crate::model::digest::Digest;
use crate::model::entry::Content;
use crate::world::file::{
    FileError, Witness, clone_blocks, copy_with_content, create_private, create_private_folder,
    open_for_reading, random_number, sharded,
};
use crate::world::reading::content_of;
use std::collections::BTreeSet;
use std::fs::File;
use std::io::{Read, Seek, Write};
use std::path::{Path, PathBuf};
use std::sync::Mutex;

/// Contents of up to this many bytes live in the index: there they cost no file, no rename and no flush of their
/// own. Measured for SQLite with 4 KiB pages, rows win up to roughly 50 kB.
pub const SMALL: u64 = 32 * 1024;

/// Bytes that are about to be stored.
#[derive(Debug)]
pub enum Staged {
    /// Up to [`SMALL`] bytes.
    Memory(Vec<u8>),
    /// A file in the scratch folder.
    File {
        /// What it holds.
        content: Content,
        /// Where it lies; publishing moves it away.
        path: PathBuf,
    },
}

impl Staged {
    /// Returns the reference to the bytes.
    pub fn content(&self) -> Content {
        match self {
            Self::Memory(bytes) => Content::of(bytes),
            Self::File { content, .. } => *content,
        }
    }
}

/// Stored bytes, opened.
#[derive(Debug)]
pub enum Body {
    /// Small content, already verified.
    Memory(Vec<u8>),
    /// A file of the right size, not yet verified.
    File(File),
}

/// Stages the bytes of an open file: read once, hashed as they are copied, or cloned and then hashed, so that the
/// digest is that of the bytes which are stored whatever somebody does to the source meanwhile.
pub fn stage(
    mut source: File,
    size: u64,
    unused_path: impl FnOnce() -> PathBuf,
) -> Result<Staged, FileError> {
    if size <= SMALL {
        let mut bytes = Vec::with_capacity(usize::try_from(size).unwrap_or_default());
        let path = Path::new("an output");
        Read::by_ref(&mut source)
            .take(SMALL + 1)
            .read_to_end(&mut bytes)
            .map_err(FileError::of("read", path))?;
        if bytes.len() as u64 <= SMALL {
            return Ok(Staged::Memory(bytes));
        }
        // It grew past the bound since it was looked at; start over with a file.
        source.rewind().map_err(FileError::of("read", path))?;
    }
    let path = unused_path();
    let mut copy = create_private(&path)?;
    let content = if clone_blocks(&source, &copy) {
        content_of(&copy).map_err(FileError::of("read", &path))?
    } else {
        copy_with_content(source, &mut copy).map_err(FileError::of("write", &path))?
    };
    Ok(Staged::File { content, path })
}

/// Stages bytes that are in memory already.
pub fn stage_bytes(bytes: Vec<u8>, unused_path: impl FnOnce() -> PathBuf) -> Result<Staged, FileError> {
    if bytes.len() as u64 <= SMALL {
        return Ok(Staged::Memory(bytes));
    }
    let path = unused_path();
    create_private(&path)?.write_all(&bytes).map_err(FileError::of("write", &path))?;
    Ok(Staged::File { content: Content::of(&bytes), path })
}

/// The folder of contents that have a file of their own.
#[derive(Debug)]
pub struct Contents {
    root: PathBuf,
    unsynced: Mutex<BTreeSet<PathBuf>>,
}

impl Contents {
    /// Names the folder; nothing is touched.
    pub fn new(root: PathBuf) -> Self {
        Self { root, unsynced: Mutex::default() }
    }

    /// Returns the folder.
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// Returns the path for a digest.
    pub fn path(&self, digest: &Digest) -> PathBuf {
        sharded(&self.root, digest)
    }

    /// Returns whether a file of the right size is there.
    pub fn has(&self, content: &Content) -> bool {
        self.look_at(content).is_some()
    }

    /// Returns what the file of a content looks like, if it is there and of the right size.
    pub fn look_at(&self, content: &Content) -> Option<Witness> {
        let witness = Witness::of_path(&self.path(&content.digest)).ok();
        witness.filter(|witness| witness.size() == content.size)
    }

    /// Opens a file of the right size; anything else in its place counts as missing.
    pub fn open(&self, content: &Content) -> Result<Option<Body>, FileError> {
        let path = self.path(&content.digest);
        let file = match open_for_reading(&path) {
            Ok(file) => file,
            Err(error) if error.is_missing() => return Ok(None),
            Err(error) => return Err(error),
        };
        let witness = Witness::of_open(&file).map_err(FileError::of("look at", &path))?;
        Ok((witness.size() == content.size).then_some(Body::File(file)))
    }

    /// Gives a staged file its name.
    pub fn publish(
        &self,
        content: &Content,
        staged: &Path,
        durability: Durability,
    ) -> Result<(), StoreError> {
        let path = self.path(&content.digest);
        let shard = path.parent().unwrap_or(&self.root).to_owned();
        let sync = |path: &Path| -> Result<(), FileError> {
            open_for_reading(path)?.sync_data().map_err(FileError::of("sync", path))
        };
        let present = self.has(content);
        if durability == Durability::Power {
            // One that is there already may come from a writer that did not sync it.
            sync(if present { &path } else { staged })?;
        }
        if present {
            std::fs::remove_file(staged).map_err(FileError::of("remove", staged))?;
        } else {
            let rename = || std::fs::rename(staged, &path);
            let renamed = match rename() {
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                    create_private_folder(&shard)?;
                    rename()
                }
                // Nobody of ours made a folder there, so nobody of ours deletes it.
                Err(error) if error.kind() == std::io::ErrorKind::IsADirectory => {
                    let aside = path.with_extension(format!("{:016x}", random_number()));
                    std::fs::rename(&path, &aside).map_err(FileError::of("rename", &path))?;
                    rename()
                }
                other => other,
            };
            renamed.map_err(FileError::of("rename", staged))?;
        }
        if durability == Durability::Power {
            let mut unsynced = self.unsynced.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
            unsynced.extend([shard, self.root.clone()]);
        }
        Ok(())
    }

    /// Makes the names of what was published survive a power cut.
    pub fn sync(&self) -> Result<(), FileError> {
        let mut unsynced = self.unsynced.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        for folder in std::mem::take(&mut *unsynced) {
            open_for_reading(&folder)?.sync_all().map_err(FileError::of("sync", &folder))?;
        }
        Ok(())
    }

    /// Removes a file; one that is not there is no error.
    pub fn remove(&self, digest: &Digest) -> Result<(), FileError> {
        let path = self.path(digest);
        match std::fs::remove_file(&path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                Err(FileError::of("remove", &path)(error))
            }
            _ => Ok(()),
        }
    }

    /// Returns the digest and size of every file, in no order. Names that are no digest are passed over: they are
    /// not ours to judge.
    pub fn list(&self) -> Result<Vec<Content>, FileError> {
        let mut contents = Vec::new();
        for shard in walkdir::WalkDir::new(&self.root).min_depth(2).max_depth(2) {
            let file = match shard {
                Ok(file) => file,
                // Removed by somebody, the whole of it or a part: then it holds nothing.
                Err(error) if error.io_error().is_some_and(|e| e.kind() == std::io::ErrorKind::NotFound) => {
                    continue;
                }
                other => other.map_err(|error| {
                    let path = error.path().unwrap_or(&self.root).to_owned();
                    FileError::of("read folder", &path)(error)
                })?,
            };
            let names = [file.path().parent().and_then(Path::file_name), Some(file.file_name())];
            let hex: String = names.into_iter().flatten().filter_map(|name| name.to_str()).collect();
            let (Ok(digest), Ok(witness)) = (hex.parse(), Witness::of_path(file.path())) else { continue };
            contents.push(Content { digest, size: witness.size() });
        }
        Ok(contents)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn staged_file(folder: &Path, bytes: &[u8]) -> (Content, PathBuf) {
        let path = folder.join("staged");
        std::fs::write(&path, bytes).unwrap();
        (Content::of(bytes), path)
    }

    #[test]
    fn what_is_published_is_found_under_its_digest() {
        let folder = tempfile::tempdir().unwrap();
        let contents = Contents::new(folder.path().join("blobs"));
        let (content, staged) = staged_file(folder.path(), b"some bytes");
        contents.publish(&content, &staged, Durability::Power).unwrap();
        contents.sync().unwrap();
        assert!(!staged.exists());
        assert_eq!(std::fs::read(contents.path(&content.digest)).unwrap(), b"some bytes");
        assert_eq!(contents.list().unwrap(), [content]);
        assert!(matches!(contents.open(&content), Ok(Some(Body::File(_)))));
    }

    #[test]
    fn a_file_of_the_wrong_size_counts_as_missing_and_is_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let contents = Contents::new(folder.path().join("blobs"));
        let (content, staged) = staged_file(folder.path(), b"some bytes");
        let path = contents.path(&content.digest);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, b"").unwrap();
        assert!(matches!(contents.open(&content), Ok(None)));
        contents.publish(&content, &staged, Durability::Process).unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"some bytes");
    }

    #[test]
    fn staging_keeps_small_bytes_in_memory_and_large_ones_in_a_file() {
        let folder = tempfile::tempdir().unwrap();
        for size in [0, 1, SMALL, SMALL + 1] {
            let bytes = vec![7; usize::try_from(size).unwrap()];
            let source = folder.path().join("source");
            std::fs::write(&source, &bytes).unwrap();
            let unused = || folder.path().join(format!("copy-{size}"));
            let staged = stage(File::open(&source).unwrap(), size, unused).unwrap();
            assert_eq!(staged.content(), Content::of(&bytes));
            assert_eq!(matches!(staged, Staged::Memory(_)), size <= SMALL);
        }
    }

    #[test]
    fn a_file_that_grew_since_it_was_measured_is_stored_as_it_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let source = folder.path().join("source");
        let bytes = vec![7; 100_000];
        std::fs::write(&source, &bytes).unwrap();
        let staged = stage(File::open(&source).unwrap(), 10, || folder.path().join("copy")).unwrap();
        assert_eq!(staged.content(), Content::of(&bytes));
    }
}
