//! Everything ambient, captured once: environment, working directory, folders, terminals, clock.
//!
//! `main` captures a [`Host`]; tests make one by hand. Below `main` nobody asks the system for any of this, so
//! that every decision is a function of its arguments.

use super::home::Folders;
use crate::model::time::Timestamp;
use std::ffi::{OsStr, OsString};
use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

/// Where "now" comes from.
#[derive(Debug, Clone, Copy)]
pub enum Clock {
    /// The system's clock.
    System,
    /// A time that stands still, for tests.
    Fixed(Timestamp),
    /// A time that jumps, for tests.
    Told(fn() -> Timestamp),
}

impl Clock {
    /// Returns the present time. Times before 1970 and beyond what milliseconds can count become the nearest
    /// that can be written; a cache must survive a machine that boots without a clock.
    pub fn now(self) -> Timestamp {
        match self {
            Self::Fixed(time) => time,
            Self::Told(tell) => tell(),
            Self::System => {
                #[expect(clippy::disallowed_methods, reason = "the one place where the clock is read")]
                let now = SystemTime::now();
                let millis = match now.duration_since(UNIX_EPOCH) {
                    Ok(after) => i64::try_from(after.as_millis()).unwrap_or(i64::MAX),
                    Err(before) => {
                        i64::try_from(before.duration().as_millis()).map_or(i64::MIN, |millis| -millis)
                    }
                };
                Timestamp::from_millis(millis)
            }
        }
    }
}

/// Which of the standard streams are terminals.
#[derive(Debug, Clone, Copy, Default)]
pub struct Terminals {
    /// Standard input.
    pub stdin: bool,
    /// Standard output.
    pub stdout: bool,
    /// Standard error.
    pub stderr: bool,
    /// How many columns the terminal of standard output has; `None` where there is none, or where it does not say.
    pub columns: Option<usize>,
}

/// The machine as a run sees it.
#[derive(Debug, Clone)]
pub struct Host {
    /// The environment, in the order and with the repeats that the system gave.
    pub environment: Vec<(OsString, OsString)>,
    /// The working directory without symbolic links; `None` where it was deleted or cannot be read.
    pub directory: Option<PathBuf>,
    /// The home folder.
    pub home: Option<PathBuf>,
    /// The folder for the user's configuration, such as `~/.config`.
    pub config_directory: Option<PathBuf>,
    /// Which streams are terminals.
    pub terminals: Terminals,
    /// Standard output and standard error lead to the same file, pipe or terminal.
    pub streams_joined: bool,
    /// The permission bits that new files do not get.
    pub umask: u32,
    /// The id of this process.
    pub process: u32,
    /// Where "now" comes from.
    pub clock: Clock,
}

impl Host {
    /// Captures the machine. To be called once, before any thread starts: the umask can only be read by setting it.
    #[expect(clippy::disallowed_methods, reason = "the one place where environment and directory are read")]
    pub fn capture() -> Self {
        let umask = rustix::process::umask(rustix::fs::Mode::RWXU);
        rustix::process::umask(umask);
        let stdout = std::io::stdout().is_terminal();
        let folders = Folders::of_caller();
        Self {
            environment: std::env::vars_os().collect(),
            directory: std::env::current_dir().ok(),
            home: folders.as_ref().map(|folders| folders.home.clone()),
            config_directory: folders.map(|folders| folders.config),
            terminals: Terminals {
                stdin: std::io::stdin().is_terminal(),
                stdout,
                stderr: std::io::stderr().is_terminal(),
                columns: if stdout { columns() } else { None },
            },
            streams_joined: streams_joined(),
            umask: umask.as_raw_mode(),
            process: std::process::id(),
            clock: Clock::System,
        }
    }

    /// Returns the value of a variable. Where a name stands twice the first counts, as for `getenv`.
    pub fn variable(&self, name: impl AsRef<OsStr>) -> Option<&OsStr> {
        let name = name.as_ref();
        self.environment.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_os_str())
    }

    /// Returns the machine's name, for people.
    pub fn name(&self) -> String {
        rustix::system::uname().nodename().to_string_lossy().into_owned()
    }

    /// Returns a path as an absolute one, from the working directory. Nothing is resolved or cleaned.
    pub fn absolute(&self, path: &Path) -> PathBuf {
        match &self.directory {
            Some(directory) => directory.join(path),
            None => path.to_owned(),
        }
    }
}

/// Asks the terminal, which knows better than a `COLUMNS` that nobody updates.
fn columns() -> Option<usize> {
    let size = rustix::termios::tcgetwinsize(rustix::stdio::stdout()).ok()?;
    (size.ws_col > 0).then_some(usize::from(size.ws_col))
}

/// Two descriptors lead to the same place when device and inode agree: that holds for one pipe, one file, one
/// terminal. Two opened pipes have different inodes.
fn streams_joined() -> bool {
    let stat = |fd| rustix::fs::fstat(fd).ok().map(|stat| (stat.st_dev, stat.st_ino, stat.st_rdev));
    let stdout = stat(rustix::stdio::stdout());
    stdout.is_some() && stdout == stat(rustix::stdio::stderr()) && !leads_nowhere()
}

/// `/dev/null` twice is not one stream: nobody can see an order there.
fn leads_nowhere() -> bool {
    let null = rustix::fs::stat("/dev/null").map(|stat| stat.st_rdev);
    let stdout = rustix::fs::fstat(rustix::stdio::stdout()).map(|stat| stat.st_rdev);
    matches!((null, stdout), (Ok(null), Ok(stdout)) if null == stdout && null != 0)
}
