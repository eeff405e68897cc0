//! Small commands whose output is part of a key: probes, version policies, key commands.
//!
//! They run by `sh -c` in the command's own environment and directory. Their standard error goes to ours, so that
//! a probe that fails says why in its own words.

use crate::model::path::printable;
use std::ffi::{OsStr, OsString};
use std::io::{self, Write};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Command, Stdio};

/// A probe that gave no answer.
#[derive(Debug, thiserror::Error)]
pub enum ProbeError {
    /// The shell could not be started, or its output not be read.
    #[error("cannot run '{}'", printable(.command))]
    Start {
        /// What was to be run.
        command: Vec<u8>,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// It failed.
    #[error("'{}' exited with {code}", printable(.command))]
    Exit {
        /// What was run.
        command: Vec<u8>,
        /// Its exit code.
        code: i32,
    },
    /// It was killed.
    #[error("'{}' died by signal {signal}", printable(.command))]
    Signal {
        /// What was run.
        command: Vec<u8>,
        /// The signal.
        signal: i32,
    },
}

/// Runs a command by `sh -c` and returns its standard output. Reads `input` on its standard input.
pub fn output_of(
    command: &[u8],
    environment: &[(OsString, OsString)],
    directory: &Path,
    input: &[u8],
) -> Result<Vec<u8>, ProbeError> {
    let failed = |source| ProbeError::Start { command: command.to_owned(), source };
    let mut child = Command::new("/bin/sh")
        .arg("-c")
        .arg(OsStr::from_bytes(command))
        .env_clear()
        .envs(environment.iter().map(|(name, value)| (name, value)))
        .current_dir(directory)
        .stdin(if input.is_empty() { Stdio::null() } else { Stdio::piped() })
        .stdout(Stdio::piped())
        .spawn()
        .map_err(failed)?;
    if let Some(mut stdin) = child.stdin.take() {
        match stdin.write_all(input) {
            // A command that does not read its input is fine.
            Err(error) if error.kind() != io::ErrorKind::BrokenPipe => return Err(failed(error)),
            _ => {}
        }
    }
    let output = child.wait_with_output().map_err(failed)?;
    let command = command.to_owned();
    match (output.status.code(), output.status.signal()) {
        (Some(0), _) => Ok(output.stdout),
        (Some(code), _) => Err(ProbeError::Exit { command, code }),
        (None, signal) => Err(ProbeError::Signal { command, signal: signal.unwrap_or_default() }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn probe(command: &str, input: &str) -> Result<Vec<u8>, ProbeError> {
        let environment = [("PATH".into(), "/usr/bin:/bin".into()), ("X".into(), "y".into())];
        output_of(command.as_bytes(), &environment, Path::new("/"), input.as_bytes())
    }

    #[test]
    fn a_probe_answers_with_its_output() {
        assert_eq!(probe("printf '%s ' \"$X\"; pwd", "").unwrap(), b"y /\n");
        assert_eq!(probe("cat", "in").unwrap(), b"in");
        assert_eq!(probe("true", "not read").unwrap(), b"");
    }

    #[test]
    fn a_probe_that_fails_is_named() {
        assert_eq!(probe("exit 3", "").unwrap_err().to_string(), "'exit 3' exited with 3");
        assert_eq!(probe("kill -9 $$", "").unwrap_err().to_string(), "'kill -9 $$' died by signal 9");
    }
}
