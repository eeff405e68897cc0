//! What can be done to descriptors by their number alone. The one place in the project with `unsafe`.
//!
//! # Closing what was inherited
//!
//! The standard library opens everything so that it is closed on exec, but whoever called us may not have: a shell
//! hands on its redirections, make its job server, a test its pipes. A process in the background that keeps them
//! open keeps their other ends waiting.
//!
//! To close a descriptor by its number is unsafe, because some object of the program may own it. There is no safe
//! way to name a descriptor that nobody in the program owns, and marking it close-on-exec has the same difficulty.
//!
//! # Read leases
//!
//! Linux takes and gives leases with `fcntl`, and no safe library has the two commands for it: its third argument is
//! an address with some commands, and a number with these. What a lease is good for is told in [`super::hold`].

#[cfg(target_os = "linux")]
use std::io;
#[cfg(target_os = "linux")]
use std::os::fd::{AsRawFd, BorrowedFd};

/// Closes every descriptor above the standard streams. To be called first of all, while nothing in this process owns
/// one.
pub fn close_inherited() {
    let Ok(folder) = std::fs::read_dir("/dev/fd") else { return };
    let numbers: Vec<i32> = folder
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
        .filter(|number| *number > 2)
        .collect();
    // The listing had a descriptor of its own, which is closed by now; looking at a link opens none.
    let is_open = |number: &i32| std::fs::symlink_metadata(format!("/dev/fd/{number}")).is_ok();
    for number in numbers.into_iter().filter(is_open) {
        // SAFETY: the caller's promise is that no object of this process owns a descriptor above 2. That of the
        // listing was closed when `folder` was consumed, and nothing was opened since, so the number is that of an
        // inherited descriptor which nobody in this process knows of.
        #[expect(
            unsafe_code,
            reason = "a descriptor that nobody in this process owns can be closed in no other way"
        )]
        unsafe {
            rustix::io::close(number);
        }
    }
}

/// Takes a read lease on an open file, whose end nobody tells us of. An error says why there is none, most often that
/// somebody has the file open for writing.
#[cfg(target_os = "linux")]
pub(super) fn take_read_lease(file: BorrowedFd<'_>) -> io::Result<()> {
    // The same number on every architecture that Rust runs on (`asm-generic/fcntl.h`).
    const SET_SIGNAL: i32 = 10;
    // Who wants to write has the kernel send a signal to the holder: SIGIO, which ends a process, unless another was
    // chosen. This one is ignored by default.
    set_by_number(file, SET_SIGNAL, libc::SIGURG)?;
    set_by_number(file, libc::F_SETLEASE, libc::F_RDLCK)
}

/// Gives a lease back. It is an error that there is none, as when the kernel took it away because a writer had waited
/// for too long.
#[cfg(target_os = "linux")]
pub(super) fn give_lease_back(file: BorrowedFd<'_>) -> io::Result<()> {
    set_by_number(file, libc::F_SETLEASE, libc::F_UNLCK)
}

/// Calls `fcntl` with one of the commands above, whose argument is a number.
#[cfg(target_os = "linux")]
fn set_by_number(file: BorrowedFd<'_>, command: i32, argument: i32) -> io::Result<()> {
    // SAFETY: `F_SETSIG` and `F_SETLEASE`, which are all that the callers above pass, take a number and no address, so
    // that the kernel neither reads nor writes memory of ours. The descriptor is open for as long as it is borrowed,
    // and the call neither closes it nor makes another one.
    #[expect(unsafe_code, reason = "no safe library has these commands")]
    let answer = unsafe { libc::fcntl(file.as_raw_fd(), command, argument) };
    if answer == -1 { Err(io::Error::last_os_error()) } else { Ok(()) }
}
