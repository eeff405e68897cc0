//! Standard input that is keyed: read to its end into a file, which the command then reads.

use crate::model::entry::Content;
use crate::store::Store;
use crate::world::file::{copy_with_content, create_private};
use std::fs::File;
use std::io::{self, Seek};

/// What stood on standard input.
#[derive(Debug)]
pub struct SpooledStdin {
    content: Content,
    file: File,
}

impl SpooledStdin {
    /// Reads our standard input to its end. The file has no name any more when this returns, so that it goes away
    /// with its last descriptor.
    pub fn read(store: &Store) -> io::Result<Self> {
        let path = store.scratch().map_err(io::Error::other)?.unused_path();
        let mut file = create_private(&path).map_err(|error| error.source)?;
        std::fs::remove_file(&path)?;
        let content = copy_with_content(io::stdin().lock(), &mut file)?;
        file.rewind()?;
        Ok(Self { content, file })
    }

    /// Returns what it was.
    pub const fn content(&self) -> Content {
        self.content
    }

    /// Returns the file, at its beginning.
    pub fn into_file(self) -> File {
        self.file
    }
}
