//! Signals that reach us while a command runs.
//!
//! The command stays in our process group, so a terminal reaches both: Ctrl-C is the command's to act upon, and we
//! wait for what it makes of it. A signal that a process sends to us alone is meant for the command; it is
//! forwarded. What the caller had set to be ignored (`nohup`, a shell's background job) stays ignored, in us and in the
//! command. Stopping and continuing are left to the kernel: one group, one job.
//!
//! A disposition belongs to the whole process, hence the statics: while no command runs, every signal here has its
//! default effect again.
//!
//! Limits: who signals our whole group with `kill` reaches the command twice, since nothing tells that from a
//! signal to us. Elsewhere than on Linux, ignored signals cannot be told from others, and become deadly again.

use signal_hook::consts::{SIGCHLD, SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGUSR1, SIGUSR2, SIGXFSZ};
use signal_hook::iterator::backend::SignalDelivery;
use signal_hook::iterator::exfiltrator::WithOrigin;
use signal_hook::low_level::siginfo::Origin;
use signal_hook::{flag, low_level};
use std::collections::VecDeque;
use std::io;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use tokio::net::UnixStream;

/// The signals that ask a command to end or to change course.
const FORWARDED: [i32; 6] = [SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2];

/// No command runs: signals do what they do by default.
static IDLE: AtomicBool = AtomicBool::new(true);

/// Receives what is of no interest.
static UNREAD: AtomicBool = AtomicBool::new(false);

/// How many commands run, and whether the handlers are installed.
static WATCHES: Mutex<(usize, bool)> = Mutex::new((0, false));

/// A signal that arrived: one that asks for something, or `SIGCHLD`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Arrival {
    /// The signal's number.
    pub(super) signal: i32,
    /// The process that sent it, 0 where it is none of our namespace; `None` where the kernel did, which always
    /// means the whole group.
    pub(super) sender: Option<i32>,
}

impl From<Origin> for Arrival {
    fn from(origin: Origin) -> Self {
        Self { signal: origin.signal, sender: origin.process.map(|process| process.pid) }
    }
}

/// Keeps signals from ending us, and tells of them.
pub(super) struct SignalWatch {
    delivery: SignalDelivery<UnixStream, WithOrigin>,
    arrived: VecDeque<Arrival>,
    _running: Running,
}

impl SignalWatch {
    /// Starts to watch. To be called within a runtime and before the command starts, so that no signal is lost.
    pub(super) fn start() -> io::Result<Self> {
        let ignored = ignored_signals();
        let watched: Vec<_> = FORWARDED.into_iter().filter(|signal| !ignored.contains(*signal)).collect();
        let running = Running::start(ignored, &watched)?;
        let (read, write) = std::os::unix::net::UnixStream::pair()?;
        read.set_nonblocking(true)?;
        write.set_nonblocking(true)?;
        let read = UnixStream::from_std(read)?;
        // Watched even where the caller ignores it: the kernel would forget how the command ended.
        let all = watched.iter().copied().chain([SIGCHLD]);
        let delivery = SignalDelivery::with_pipe(read, write, WithOrigin::default(), all)?;
        Ok(Self { delivery, arrived: VecDeque::new(), _running: running })
    }

    /// Waits for a signal. Nothing is lost when the future is dropped.
    pub(super) async fn next(&mut self) -> Arrival {
        loop {
            if let Some(arrival) = self.now() {
                return arrival;
            }
            if self.delivery.get_read().readable().await.is_err() {
                std::future::pending::<()>().await;
            }
            // Reading through the runtime until nothing is left is what makes it wait again.
            let mut discarded = [0; 64];
            while matches!(self.delivery.get_read().try_read(&mut discarded), Ok(1..)) {}
        }
    }

    /// Returns a signal that has already arrived.
    pub(super) fn now(&mut self) -> Option<Arrival> {
        if self.arrived.is_empty() {
            self.arrived.extend(self.delivery.pending().map(Arrival::from));
        }
        self.arrived.pop_front()
    }
}

/// One running command, counted.
struct Running;

impl Running {
    fn start(ignored: SignalSet, watched: &[i32]) -> io::Result<Self> {
        let mut watches = WATCHES.lock().unwrap_or_else(PoisonError::into_inner);
        IDLE.store(false, Ordering::SeqCst);
        watches.0 += 1;
        let running = Self;
        if !watches.1 {
            let installed = install(ignored, watched);
            watches.1 = installed.is_ok();
            // The count is given back through the lock that is held here.
            drop(watches);
            installed?;
        }
        Ok(running)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let mut watches = WATCHES.lock().unwrap_or_else(PoisonError::into_inner);
        watches.0 -= 1;
        IDLE.store(watches.0 == 0, Ordering::SeqCst);
    }
}

/// Installs what stays for good, since a handler can be silenced but not taken away.
fn install(ignored: SignalSet, watched: &[i32]) -> io::Result<()> {
    for signal in watched {
        flag::register_conditional_default(*signal, &IDLE)?;
    }
    // A handler makes a file that reaches the limit for files an error to report, and is gone in the command.
    if !ignored.contains(SIGXFSZ) {
        flag::register(SIGXFSZ, &UNREAD)?;
    }
    Ok(())
}

/// Makes a file of ours that reaches the caller's limit for files an error to report, and not our end: a store that
/// cannot grow is no reason for a command not to run. To be called once, at the start.
pub fn outlive_file_limit() {
    use rustix::process::{Resource, getrlimit};
    if getrlimit(Resource::Fsize).current.is_some() && !ignored_signals().contains(SIGXFSZ) {
        // Where no handler can be installed the limit works as it does on every other program.
        let _ = flag::register(SIGXFSZ, &UNREAD);
    }
}

/// A set of signals, as the kernel writes it: bit 0 is signal 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct SignalSet(u64);

impl SignalSet {
    const fn contains(self, signal: i32) -> bool {
        matches!(signal, 1..=64) && self.0 >> (signal - 1) & 1 == 1
    }
}

/// Returns the signals that the caller had us ignore.
#[cfg(target_os = "linux")]
fn ignored_signals() -> SignalSet {
    use std::io::Read;
    // Room enough for one reading, where the library would begin with small ones.
    let mut status = Vec::with_capacity(4096);
    let read = std::fs::File::open("/proc/self/status").and_then(|mut file| file.read_to_end(&mut status));
    let ignored = read.ok().and_then(|_| ignored_in(&String::from_utf8_lossy(&status)));
    SignalSet(ignored.unwrap_or(0))
}

#[cfg(not(target_os = "linux"))]
fn ignored_signals() -> SignalSet {
    SignalSet(0)
}

#[cfg(any(target_os = "linux", test))]
fn ignored_in(status: &str) -> Option<u64> {
    let digits = status.lines().find_map(|line| line.strip_prefix("SigIgn:"))?;
    u64::from_str_radix(digits.trim(), 16).ok()
}

/// Ends this process in the way the command ended: by the same signal, without a core file of ours. Where no
/// signal can do that, as in the first process of a container, with the shell's exit code for it.
pub fn die_by(signal: i32) -> ! {
    let core = rustix::process::getrlimit(rustix::process::Resource::Core);
    // Without the limit there may be one core file too many; nothing to stop for.
    let _ = rustix::process::setrlimit(
        rustix::process::Resource::Core,
        rustix::process::Rlimit { current: Some(0), maximum: core.maximum },
    );
    if std::process::id() != 1 && low_level::emulate_default_handler(signal).is_err() {
        // Not in the library's table, so it has no handler of ours either.
        let _ = low_level::raise(signal);
    }
    std::process::exit(128_i32.saturating_add(signal) & 0xff)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ignored_signals_are_read_from_the_status() {
        let status = "Name:\tsh\nSigBlk:\t0000000000000000\nSigIgn:\t0000000000001007\nSigCgt:\t0\n";
        let ignored = SignalSet(ignored_in(status).unwrap());
        let found: Vec<_> = (-1..70).filter(|signal| ignored.contains(*signal)).collect();
        assert_eq!(found, [1, 2, 3, 13]);
        assert_eq!(ignored_in("SigIgn:\tx\n"), None);
        assert_eq!(ignored_in(""), None);
    }
}
