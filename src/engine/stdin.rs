//! Standard input that is keyed: read to its end into a file, which the command then reads.
//!
//! What was read is gone from our standard input, so from here on the file is the only place where the command can
//! get it, whatever happens to the cache. Where the store cannot hold it (read-only, disk full), memory does.

use crate::model::digest::Hasher;
use crate::model::entry::Content;
use crate::store::Store;
use crate::world::file::{create_private, memory_file};
use std::fs::File;
use std::io::{self, Read, Seek, Write};

/// How much is read at a time.
const CHUNK: usize = 128 * 1024;

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
        let file = match nameless_file(store) {
            Some(file) => file,
            None => memory_file()?,
        };
        spool(io::stdin().lock(), file)
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

fn nameless_file(store: &Store) -> Option<File> {
    let path = store.scratch().ok()?.unused_path();
    let file = create_private(&path).ok()?;
    std::fs::remove_file(&path).ok()?;
    Some(file)
}

fn spool(mut input: impl Read, mut file: File) -> io::Result<SpooledStdin> {
    let mut hasher = Hasher::new();
    let mut size = 0;
    let mut chunk = vec![0; CHUNK];
    loop {
        let bytes = match input.read(&mut chunk) {
            Ok(0) => break,
            Ok(count) => &chunk[..count],
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            Err(error) => return Err(error),
        };
        if file.write_all(bytes).is_err() {
            let mut memory = memory_file()?;
            file.rewind()?;
            io::copy(&mut file.take(size), &mut memory)?;
            memory.write_all(bytes)?;
            file = memory;
        }
        hasher.update(bytes);
        size += bytes.len() as u64;
    }
    file.rewind()?;
    Ok(SpooledStdin { content: Content { digest: hasher.finish(), size }, file })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_disk_costs_nothing_of_what_was_read() {
        let bytes: Vec<u8> = (0..=u8::MAX).cycle().take(3 * CHUNK + 7).collect();
        // Readable as well, and nothing can ever be written to it. Not every system has one.
        let full = File::options().read(true).write(true).open("/dev/full");
        for file in full.into_iter().chain([tempfile::tempfile().unwrap()]) {
            let mut spooled = spool(bytes.as_slice(), file).unwrap();
            let mut read = Vec::new();
            spooled.file.read_to_end(&mut read).unwrap();
            assert!(read == bytes);
            assert_eq!(spooled.content, Content::of(&bytes));
        }
    }
}
