//! What kind of file system a path lies on, as far as trust depends on it.
//!
//! Two things need a file system whose times and locks are the kernel's own: trusting a stat witness, and SQLite's
//! write-ahead log. On network and FUSE mounts both can fail without any error (a WAL database on virtiofs broke
//! within a minute; `flock` on NFS may block for ever). So there is a list of those that are trusted, and
//! whatever is not on it is not.

use super::file::Witness;
use super::folder::Folder;
use rustix::fs::StatFs;
use std::io;
use std::os::fd::AsFd;
use std::path::Path;

/// Returns whether the file system below `path` is a local one whose times and locks can be relied on.
pub fn is_local(path: &Path) -> io::Result<bool> {
    Ok(is_trusted(&rustix::fs::statfs(path)?))
}

/// Returns whether the file system of an open folder is a local one whose times and locks can be relied on.
pub fn is_local_at(folder: &Folder) -> io::Result<bool> {
    Ok(is_trusted(&rustix::fs::fstatfs(folder)?))
}

/// Returns the device of a folder, if that is a local one whose times and locks can be relied on. Both are asked of the
/// open folder, so that they are those of one file system whatever is mounted meanwhile.
pub fn local_device(folder: &Path) -> io::Result<Option<u64>> {
    let folder = Folder::open(folder)?;
    let is_local = is_local_at(&folder)?;
    Ok(is_local.then_some(Witness::of_open(&folder)?.identity().0))
}

#[cfg(target_os = "linux")]
fn is_trusted(found: &StatFs) -> bool {
    const LOCAL: [u64; 10] = [
        0xef53,      // ext2, ext3, ext4
        0x5846_5342, // xfs
        0x9123_683e, // btrfs
        0xca45_1a4e, // bcachefs
        0x2fc1_2fc1, // zfs
        0xf2f5_2010, // f2fs
        0x0102_1994, // tmpfs
        0x8584_58f6, // ramfs
        0x794c_7630, // overlayfs: containers live there
        0x3153_464a, // jfs
    ];
    LOCAL.contains(&kind_of(found))
}

/// Returns the magic number of a file system. The field is signed on some architectures; the numbers are 32 bits wide.
#[cfg(target_os = "linux")]
fn kind_of(found: &StatFs) -> u64 {
    #[expect(clippy::cast_sign_loss, reason = "magic numbers are bit patterns")]
    let kind = found.f_type as u64;
    kind & 0xffff_ffff
}

#[cfg(not(target_os = "linux"))]
fn is_trusted(found: &StatFs) -> bool {
    let name = found.f_fstypename.iter();
    let name: Vec<u8> = name.take_while(|byte| **byte != 0).map(|byte| *byte as u8).collect();
    matches!(name.as_slice(), b"apfs" | b"hfs" | b"tmpfs")
}

/// Returns whether a lease on the open `file` keeps out everybody who could write to it (see [`super::hold`]). It does
/// where the kernel counts all writers in one place. On overlayfs it does not: a shared mapping refers to the file
/// below, so that a writer with nothing but a mapping is not counted above. The same may hold for other file systems
/// that lie on another one.
#[cfg(target_os = "linux")]
pub fn counts_writers(file: impl AsFd) -> io::Result<bool> {
    const COUNTING: [u64; 5] = [
        0xef53,      // ext2, ext3, ext4
        0x5846_5342, // xfs
        0x9123_683e, // btrfs
        0xf2f5_2010, // f2fs
        0x0102_1994, // tmpfs
    ];
    Ok(COUNTING.contains(&kind_of(&rustix::fs::fstatfs(file)?)))
}

/// Returns whether a lease on the open `file` keeps out everybody who could write to it: there are none.
#[cfg(not(target_os = "linux"))]
pub fn counts_writers(_: impl AsFd) -> io::Result<bool> {
    Ok(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg(target_os = "linux")]
    fn proc_is_not_trusted_and_the_temporary_folder_is_known() {
        assert!(!is_local(Path::new("/proc")).unwrap());
        assert!(is_local(Path::new("/nowhere")).is_err());
        let folder = tempfile::tempdir().unwrap();
        let device = Witness::of_target(folder.path()).unwrap().identity().0;
        let expected = is_local(folder.path()).unwrap().then_some(device);
        assert_eq!(local_device(folder.path()).unwrap(), expected);
        assert_eq!(local_device(Path::new("/proc")).unwrap(), None);
    }
}
