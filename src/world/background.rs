//! Work that goes on after the caller has its answer.
//!
//! The program calls itself again with the same words and a mark in the environment, which no further process sees.
//! The new process leaves the session of its caller, so that closing the terminal or Ctrl-C does not reach it; its
//! standard streams are `/dev/null`; and it closes every other descriptor that it inherited, so that no pipe, lock
//! or job server of the caller's stays open because of it.

use super::host::Host;
use std::ffi::{OsStr, OsString};
use std::io;
use std::process::{Command, Stdio};

/// What marks the process in the background.
pub const MARK: &str = "TASKCACHE_BACKGROUND";

/// Starts this program again in the background. It is not waited for.
pub fn start(invocation: &[OsString], environment: &[(OsString, OsString)]) -> io::Result<()> {
    let program = std::env::current_exe()?;
    let environment = environment.iter().map(|(name, value)| (name.as_os_str(), value.as_os_str()));
    Command::new(program)
        .args(invocation.iter().skip(1))
        .env_clear()
        .envs(environment)
        .env(MARK, "1")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()?;
    Ok(())
}

/// Returns whether this process is one in the background.
pub fn is_background(host: &Host) -> bool {
    host.variable(MARK).is_some_and(|mark| mark == OsStr::new("1"))
}

/// Detaches this process from its caller, if it is one in the background. To be called first of all, while nothing
/// in this process owns a descriptor.
pub fn detach(host: &Host) {
    if is_background(host) {
        // Fails only for the leader of a process group, which a process that was just spawned is not.
        let _ = rustix::process::setsid();
        super::descriptors::close_inherited();
    }
}
