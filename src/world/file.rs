//! Files: what they are (stat), what they hold (digest), and how they are written whole or not at all.
//!
//! Every error names the path and what was being done to it. Nothing here decides; the store and the engine do.

use crate::model::codec::{DecodeError, Decoder, Encoder};
use crate::model::digest::{Digest, Hasher};
use crate::model::entry::Content;
use crate::model::path::printable;
use rustix::fs::{AtFlags, Mode, OFlags, Stat, Timespec, Timestamps};
use rustix::io::Errno;
use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, Read, Seek, Write};
use std::os::fd::AsFd;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// A file operation that failed.
#[derive(Debug, thiserror::Error)]
#[error("cannot {action} '{}'", printable(path.as_os_str().as_bytes()))]
pub struct FileError {
    /// What was being done: `read`, `create`, `rename` …
    pub action: &'static str,
    /// To which path.
    pub path: PathBuf,
    /// What the system said.
    #[source]
    pub source: io::Error,
}

impl FileError {
    /// Makes a function that wraps a system's error for use with `map_err`. The path is copied where there is an error.
    pub fn of<E: Into<io::Error>>(action: &'static str, path: &Path) -> impl FnOnce(E) -> Self {
        move |source| Self { action, path: path.to_owned(), source: source.into() }
    }

    /// Returns whether the system gave this reason.
    pub fn is(&self, errno: Errno) -> bool {
        self.source.raw_os_error() == Some(errno.raw_os_error())
    }

    /// Returns whether the path does not exist.
    pub fn is_missing(&self) -> bool {
        matches!(self.source.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
    }
}

/// The facts that tell whether a file is still the one that was looked at: device, inode, size, modification and
/// change time, type and mode. The change time is what no program can set back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Witness {
    device: u64,
    inode: u64,
    size: u64,
    // Apart, because runs with many inputs hold many of these.
    modified_seconds: i64,
    changed_seconds: i64,
    modified_nanos: u32,
    changed_nanos: u32,
    mode: u32,
    owner: u32,
}

/// What kind of file stands at a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FileType {
    /// A regular file.
    File,
    /// A directory.
    Directory,
    /// A symbolic link.
    Symlink,
    /// A pipe, socket or device.
    Special,
}

const NANOS: i128 = 1_000_000_000;

/// What a file of ours may be: read and written by us.
const PRIVATE_FILE: Mode = Mode::RUSR.union(Mode::WUSR);

impl Witness {
    /// The facts of no file.
    pub const NONE: Self = Self {
        device: 0,
        inode: 0,
        size: 0,
        modified_seconds: 0,
        changed_seconds: 0,
        modified_nanos: 0,
        changed_nanos: 0,
        mode: 0,
        owner: 0,
    };

    pub(super) fn of_stat(stat: &Stat) -> Self {
        #[cfg(target_os = "linux")]
        let (device, mode) = (stat.st_dev, stat.st_mode);
        #[cfg(not(target_os = "linux"))]
        let (device, mode) = (u64::from(stat.st_dev.cast_unsigned()), u32::from(stat.st_mode));
        Self {
            device,
            inode: stat.st_ino,
            size: u64::try_from(stat.st_size).unwrap_or(0),
            modified_seconds: stat.st_mtime,
            changed_seconds: stat.st_ctime,
            modified_nanos: u32::try_from(stat.st_mtime_nsec).unwrap_or(0),
            changed_nanos: u32::try_from(stat.st_ctime_nsec).unwrap_or(0),
            mode,
            owner: stat.st_uid,
        }
    }

    /// Looks at an open file.
    pub fn of_open(file: impl AsFd) -> io::Result<Self> {
        Ok(Self::of_stat(&rustix::fs::fstat(file)?))
    }

    /// Looks at what a path leads to, through symbolic links.
    pub fn of_target(path: &Path) -> io::Result<Self> {
        Ok(Self::of_stat(&rustix::fs::stat(path)?))
    }

    /// Looks at what stands at a path, which may be a symbolic link.
    pub fn of_path(path: &Path) -> io::Result<Self> {
        Ok(Self::of_stat(&rustix::fs::lstat(path)?))
    }

    /// Looks at a name below an open directory, without following it.
    pub fn at(directory: impl AsFd, name: &OsStr) -> io::Result<Self> {
        Ok(Self::of_stat(&rustix::fs::statat(directory, name, AtFlags::SYMLINK_NOFOLLOW)?))
    }

    /// Returns the size in bytes.
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// Returns the permission bits, without set-id and sticky bits.
    pub const fn permissions(&self) -> u32 {
        self.mode & 0o777
    }

    /// Returns the id of the user who owns it.
    pub const fn owner(&self) -> u32 {
        self.owner
    }

    /// Returns whether anybody may execute it.
    pub const fn is_executable(&self) -> bool {
        self.mode & 0o111 != 0
    }

    /// Returns the set-id and sticky bits.
    pub const fn special_bits(&self) -> u32 {
        self.mode & 0o7000
    }

    /// Returns whether it has a set-id or sticky bit.
    pub const fn has_special_bits(&self) -> bool {
        self.special_bits() != 0
    }

    /// Returns what kind of file it is.
    pub const fn file_type(&self) -> FileType {
        match self.mode & 0o170_000 {
            0o100_000 => FileType::File,
            0o040_000 => FileType::Directory,
            0o120_000 => FileType::Symlink,
            _ => FileType::Special,
        }
    }

    /// Returns device and inode, which name a file while it exists.
    pub const fn identity(&self) -> (u64, u64) {
        (self.device, self.inode)
    }

    /// Returns the later of modification and change time, in nanoseconds since the epoch.
    pub fn last_touched(&self) -> i128 {
        self.modified().max(self.changed())
    }

    /// Returns the modification time, in nanoseconds since the epoch.
    pub fn modified(&self) -> i128 {
        i128::from(self.modified_seconds) * NANOS + i128::from(self.modified_nanos)
    }

    /// Returns the change time, in nanoseconds since the epoch.
    pub fn changed(&self) -> i128 {
        i128::from(self.changed_seconds) * NANOS + i128::from(self.changed_nanos)
    }

    /// Returns whether both are facts of one file that differ in their times alone, if at all.
    pub fn differs_in_times_alone(&self, other: &Self) -> bool {
        let with_our_times = Self {
            modified_seconds: self.modified_seconds,
            changed_seconds: self.changed_seconds,
            modified_nanos: self.modified_nanos,
            changed_nanos: self.changed_nanos,
            ..*other
        };
        *self == with_our_times
    }

    /// Returns whether its change time may have been cut to seconds.
    pub const fn has_whole_seconds(&self) -> bool {
        self.changed_nanos == 0
    }

    /// Appends the witness to an encoding.
    pub fn encode(&self, encoder: &mut Encoder) {
        encoder.u64(self.device).u64(self.inode).u64(self.size).u32(self.mode).u32(self.owner);
        encoder.i64(self.modified_seconds).u32(self.modified_nanos);
        encoder.i64(self.changed_seconds).u32(self.changed_nanos);
    }

    /// Reads what `encode` appends.
    pub fn decode(decoder: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        // In the order in which they are written here.
        Ok(Self {
            device: decoder.u64("device")?,
            inode: decoder.u64("inode")?,
            size: decoder.u64("size")?,
            mode: decoder.u32("mode")?,
            owner: decoder.u32("owner")?,
            modified_seconds: decoder.i64("seconds")?,
            modified_nanos: decoder.u32("nanoseconds")?,
            changed_seconds: decoder.i64("seconds")?,
            changed_nanos: decoder.u32("nanoseconds")?,
        })
    }
}

/// Opens a file for reading. Waits for nobody: a pipe without a writer opens at once, so that the caller can see
/// what it is and refuse it.
pub fn open_for_reading(path: &Path) -> Result<File, FileError> {
    let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK | OFlags::NOCTTY;
    let fd = rustix::fs::open(path, flags, Mode::empty()).map_err(FileError::of("open", path))?;
    Ok(File::from(fd))
}

/// How much is copied at a time: less than what allocators ask the kernel for anew each time.
const CHUNK: usize = 64 * 1024;

/// Copies all of `source` into `target` and returns the content of exactly the bytes that were written.
pub fn copy_with_content(mut source: impl Read, mut target: impl Write) -> io::Result<Content> {
    let mut hasher = Hasher::new();
    let mut size = 0;
    let mut chunk = vec![0; CHUNK];
    loop {
        match source.read(&mut chunk) {
            Ok(0) => return Ok(Content { digest: hasher.finish(), size }),
            Ok(count) => {
                hasher.update(&chunk[..count]);
                target.write_all(&chunk[..count])?;
                size += count as u64;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

/// Copies all of `source`, which is as long as `size` says, into the empty file `target` without looking at the bytes:
/// the kernel shares blocks where the file system can, or copies them itself. Returns how many bytes it was.
pub fn copy_unseen(source: &File, target: &mut File, size: u64) -> io::Result<u64> {
    #[cfg(target_os = "linux")]
    {
        let mut copied = 0;
        while copied < size {
            let wanted = usize::try_from(size - copied).unwrap_or(usize::MAX);
            match rustix::fs::copy_file_range(source, None, &*target, None, wanted) {
                // The end, or a file system that copies nothing and says no error: what is left is read and written.
                Ok(0) => break,
                Ok(count) => copied += count as u64,
                Err(Errno::INTR) => {}
                // Another file system, or one that cannot; what is copied so far counts for both files.
                Err(Errno::XDEV | Errno::INVAL | Errno::NOSYS | Errno::OPNOTSUPP | Errno::PERM) => break,
                Err(error) => return Err(error.into()),
            }
        }
        if copied == size {
            return Ok(copied);
        }
        Ok(copied + io::copy(&mut &*source, target)?)
    }
    #[cfg(not(target_os = "linux"))]
    {
        let _ = size;
        io::copy(&mut &*source, target)
    }
}

/// Makes `target` share the blocks of `source` where the file system can (btrfs, xfs, bcachefs); returns whether it
/// could. Both stay independent files.
pub fn clone_blocks(source: impl AsFd, target: impl AsFd) -> bool {
    #[cfg(target_os = "linux")]
    {
        rustix::fs::ioctl_ficlone(target, source).is_ok()
    }
    #[cfg(not(target_os = "linux"))]
    {
        let _ = (source, target);
        false
    }
}

/// Creates a file that nobody else has, for us alone to read and write.
pub fn create_private(path: &Path) -> Result<File, FileError> {
    open_private(path, OFlags::RDWR | OFlags::EXCL)
}

/// Opens a file with `flags` and creates it where it is missing, for us alone to read and write whatever the umask
/// is. A link in its place is an error.
pub fn open_private(path: &Path, flags: OFlags) -> Result<File, FileError> {
    let flags = flags | OFlags::CREATE | OFlags::CLOEXEC | OFlags::NOFOLLOW;
    let file = rustix::fs::open(path, flags, PRIVATE_FILE).map_err(FileError::of("create", path))?;
    // A umask can take away from us what is ours, and then nobody can open the file a second time.
    if Witness::of_open(&file).is_ok_and(|witness| witness.permissions() & 0o600 != 0o600) {
        rustix::fs::fchmod(&file, PRIVATE_FILE).map_err(FileError::of("set the mode of", path))?;
    }
    Ok(File::from(file))
}

/// Creates a file without a name that lies in memory.
#[cfg(target_os = "linux")]
pub fn memory_file() -> io::Result<File> {
    Ok(File::from(rustix::fs::memfd_create("taskcache", rustix::fs::MemfdFlags::CLOEXEC)?))
}

/// Creates a file without a name that lies in memory.
#[cfg(not(target_os = "linux"))]
pub fn memory_file() -> io::Result<File> {
    Err(io::ErrorKind::Unsupported.into())
}

/// Creates a folder and those above it, for us alone whatever the umask is; one that exists is left as it is.
pub fn create_private_folder(path: &Path) -> Result<(), FileError> {
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    let made = match (make_private_folder(path), parent) {
        (Err(Errno::NOENT), Some(parent)) => {
            create_private_folder(parent)?;
            make_private_folder(path)
        }
        (made, _) => made,
    };
    made.map_err(FileError::of("create folder", path))
}

fn make_private_folder(path: &Path) -> rustix::io::Result<()> {
    match rustix::fs::mkdir(path, Mode::RWXU) {
        Ok(()) if Witness::of_path(path).is_ok_and(|witness| witness.permissions() == 0o700) => Ok(()),
        // Made by us and gone again: a sweeper takes folders that nobody holds yet. Who goes on sees that it is gone.
        Ok(()) => match rustix::fs::chmod(path, Mode::RWXU) {
            Err(Errno::NOENT) => Ok(()),
            other => other,
        },
        Err(_) if path.is_dir() => Ok(()),
        Err(error) => Err(error),
    }
}

/// Replaces the file at `path` by one with `bytes`, for us alone: written beside it, then renamed. A reader sees
/// the old file or the new one. Not synced: for what may be lost and is checked when read.
pub fn replace(path: &Path, bytes: &[u8]) -> Result<(), FileError> {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{:016x}", random_number()));
    let beside = path.with_file_name(name);
    let written = create_private(&beside).and_then(|mut file| {
        file.write_all(bytes).map_err(FileError::of("write", &beside))?;
        rustix::fs::rename(&beside, path).map_err(FileError::of("rename", &beside))
    });
    if written.is_err() {
        // The first error is the one to report; what is left behind is swept with the rest of the store.
        let _ = std::fs::remove_file(&beside);
    }
    written
}

/// Returns a number that nobody can foresee, for names that must not collide.
pub fn random_number() -> u64 {
    let mut bytes = [0; 8];
    match rustix::rand::getrandom(&mut bytes, rustix::rand::GetRandomFlags::empty()) {
        Ok(_) => u64::from_ne_bytes(bytes),
        // Names are also created exclusively, so a poor number costs a retry and nothing else.
        Err(_) => u64::from(std::process::id()),
    }
}

/// Sets access and modification time of a name below an open directory to now, without following it.
pub fn touch_at(directory: impl AsFd, name: &OsStr) -> io::Result<()> {
    let now = Timespec { tv_sec: 0, tv_nsec: rustix::fs::UTIME_NOW };
    let times = Timestamps { last_access: now, last_modification: now };
    Ok(rustix::fs::utimensat(directory, name, &times, AtFlags::SYMLINK_NOFOLLOW)?)
}

/// Opens a regular file for reading. A pipe or a device, which may never end, is an error.
pub fn open_regular(path: &Path) -> Result<File, FileError> {
    let file = open_for_reading(path)?;
    let witness = Witness::of_open(&file).map_err(FileError::of("look at", path))?;
    if witness.file_type() != FileType::File {
        return Err(FileError::of("read", path)(io::Error::other("it is not a regular file")));
    }
    Ok(file)
}

/// Returns the bytes of a regular file.
pub fn read_whole(path: &Path) -> Result<Vec<u8>, FileError> {
    let mut bytes = Vec::new();
    open_regular(path)?.read_to_end(&mut bytes).map_err(FileError::of("read", path))?;
    Ok(bytes)
}

/// Returns the last `most` bytes of a regular file, or all of a shorter one; `None` where it does not exist.
pub fn read_end(path: &Path, most: u64) -> Result<Option<Vec<u8>>, FileError> {
    let mut file = match open_regular(path) {
        Err(error) if error.is(Errno::NOENT) => return Ok(None),
        opened => opened?,
    };
    let failed = |error| FileError::of("read", path)(error);
    let size = Witness::of_open(&file).map_err(FileError::of("look at", path))?.size();
    file.seek(io::SeekFrom::Start(size.saturating_sub(most))).map_err(failed)?;
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes).map_err(failed)?;
    Ok(Some(bytes))
}

/// Returns the present in the time of the file system below `folder`, in nanoseconds since the epoch.
pub fn file_time(folder: &Path) -> Result<i128, FileError> {
    let path = folder.join(format!("now.{:016x}", random_number()));
    let file = create_private(&path)?;
    let time =
        Witness::of_open(&file).map(|witness| witness.changed()).map_err(FileError::of("look at", &path));
    std::fs::remove_file(&path).map_err(FileError::of("remove", &path))?;
    time
}

/// Touches a file of ours, which is made where it is missing, and returns the time that its file system gave it for that,
/// in nanoseconds since the epoch.
pub fn touched_time(path: &Path) -> Result<i128, FileError> {
    let file = open_private(path, OFlags::RDWR)?;
    let now = Timespec { tv_sec: 0, tv_nsec: rustix::fs::UTIME_NOW };
    let times = Timestamps { last_access: now, last_modification: now };
    rustix::fs::futimens(&file, &times)
        .map_err(io::Error::from)
        .and_then(|()| Witness::of_open(&file))
        .map(|witness| witness.changed())
        .map_err(FileError::of("touch", path))
}

/// Returns the bytes of a file of ours, which is an error where it has more than `most` or a link stands in its place.
pub fn read_at_most(path: &Path, most: usize) -> Result<Vec<u8>, FileError> {
    let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::NOFOLLOW;
    let fd = rustix::fs::open(path, flags, Mode::empty()).map_err(FileError::of("open", path))?;
    // Not asked for its size first: most files fit the first read, and the second says that it was all.
    let mut bytes = vec![0; most.min(FIRST_READ)];
    let mut filled = 0;
    loop {
        match rustix::io::read(&fd, &mut bytes[filled..]) {
            Ok(0) if filled < bytes.len() => {
                bytes.truncate(filled);
                return Ok(bytes);
            }
            Ok(count) => filled += count,
            Err(Errno::INTR) => {}
            Err(error) => return Err(FileError::of("read", path)(error)),
        }
        if filled == bytes.len() {
            if filled >= most {
                return Err(FileError::of("read", path)(io::Error::other("it is too large")));
            }
            bytes.resize((filled * 8).min(most), 0);
        }
    }
}

/// What is read at first of a file that is mostly small.
const FIRST_READ: usize = 4096;

/// Returns a small file's bytes, or `None` where it does not exist.
pub fn read_optional(path: &Path) -> Result<Option<Vec<u8>>, FileError> {
    read_end(path, u64::MAX)
}

/// Returns where the file for `digest` lies below `root`: two hex digits, then the other 62.
pub fn sharded(root: &Path, digest: &Digest) -> PathBuf {
    let hex = digest.to_string();
    root.join(&hex[..2]).join(&hex[2..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_witness_tells_files_apart_and_goes_round() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        std::fs::write(&path, b"one").unwrap();
        let before = Witness::of_target(&path).unwrap();
        assert_eq!((before.size(), before.file_type()), (3, FileType::File));
        std::fs::write(folder.path().join("b"), b"two").unwrap();
        std::fs::rename(folder.path().join("b"), &path).unwrap();
        assert_ne!(before, Witness::of_target(&path).unwrap());
        let mut encoder = Encoder::new();
        before.encode(&mut encoder);
        let bytes = encoder.finish();
        assert_eq!(Witness::decode(&mut Decoder::new(&bytes)), Ok(before));
    }

    #[test]
    fn a_replaced_file_is_private_and_whole() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a");
        replace(&path, b"one").unwrap();
        replace(&path, b"two").unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"two");
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn errors_name_the_path() {
        let error = open_for_reading(Path::new("/nowhere/x\n")).unwrap_err();
        assert_eq!(error.to_string(), "cannot open '/nowhere/x\\n'");
        assert!(error.is_missing());
    }

    #[test]
    fn copying_hashes_what_was_written() {
        let mut copy = Vec::new();
        let content = copy_with_content(&b"abc"[..], &mut copy).unwrap();
        assert_eq!((content, copy.as_slice()), (Content::of(b"abc"), &b"abc"[..]));
        assert_eq!(crate::world::reading::content_of(&b"abc"[..]).unwrap(), content);
    }
}
