//! Files that nobody can write to for a moment, so that their time can be set and their content stays proven.
//!
//! # Why
//!
//! What proves a file's content without reading it is that its facts are those under which it was read, above all
//! the change time, which nobody can set back. Setting the modification time sets the change time as well. A write
//! between our last look and our touch would then be hidden by the touch, and the new facts would stand for bytes
//! that nobody read. No call sets a time on a condition, and a notice from the kernel (inotify, fanotify) comes after
//! the write.
//!
//! # How
//!
//! A *read lease* (`F_SETLEASE` in fcntl(2), Linux alone) is granted when nobody has the file open for writing. While
//! it is held, whoever opens the file to write, or truncates it, waits until we let go. So:
//!
//! 1. Open the file for reading, and take a lease.
//! 2. Look: the facts are those that prove the content, so they prove it until we let go.
//! 3. Touch, and look again: these facts belong to the same bytes, if but the times differ.
//! 4. See to it that a later write gives the file other times than these.
//! 5. Let go. Only if the lease is still there has it been there all the time.
//!
//! *Who counts as a writer.* The kernel counts open files with the right to write by inode (`i_writecount`). A shared
//! mapping keeps its open file, so it counts until it is unmapped, whatever became of the descriptor; so do writes
//! that are still under way. Opening first counts itself and then looks for leases, and setting a lease first enters
//! it and then looks at the count, so one of the two sees the other (`generic_add_lease` in `fs/locks.c`; Linux before
//! 3.13 looked once and left a gap, hence `OLDEST`). `truncate` does the same. What is left breaks no lease and makes
//! a file shorter, and the size is one of the facts: `open` with `O_RDONLY | O_TRUNC`, and what the kernel's own NFS
//! server is asked to cut off. Who makes the file longer again has to wait, but for that server, which would have
//! to be asked for both within one tick.
//!
//! *Where it counts.* File systems that lie on another one may count a mapping below and not above; overlayfs does.
//! There is a list of those that count all ([`filesystem::counts_writers`]). Everywhere else, and for files of somebody
//! else, a lease is not asked for or not granted, and the file is touched and read again the next time.
//!
//! *A process that is stopped* while it has a lease keeps a writer waiting for 45 seconds (`fs.lease-break-time`); then
//! the kernel takes the lease away, and giving it back fails, which step 5 sees.
//!
//! *Times that differ.* Most kernels take the times of files from a clock that moves every 1 to 10 ms. A write in the
//! same tick as our touch would leave the facts that we noted. There are two ways out, by device:
//!
//! - Since Linux 6.13 some file systems give a file that was looked at a finer time at its next change. That is tried
//!   with the first file: touches with looks between them get times that differ by less than any tick. There step 4 is
//!   step 3.
//! - Elsewhere the lease is kept until that clock has moved on, and the file looked at once more. Many files wait for
//!   the same tick. A file system that counts whole seconds shows it in its times, and nothing is proven there.
//!
//! This is not the rule of two seconds (see [`crate::store::witness`]): that one is for files that somebody may write
//! to while they are read, on clocks that are not known.
//!
//! # What others notice
//!
//! Who opens a file for writing waits for microseconds, or up to a tick. With `O_NONBLOCK` they get `EWOULDBLOCK`
//! instead. Readers notice nothing. The kernel tells us of a waiting writer by `SIGURG`, which is ignored by default.
//!
//! Deliberately absent: write leases, which readers break, and any wait for a lease.

#[cfg(target_os = "linux")]
use super::descriptors;
use super::file::Witness;
use super::filesystem;
use rustix::fs::{Timespec, Timestamps};
use std::collections::HashMap;
use std::fs::File;
use std::io;
use std::os::fd::AsFd;
use std::time::Duration;

/// The first release of Linux whose leases are relied on: the race in front of it was mended in 3.13.
#[cfg(target_os = "linux")]
const OLDEST: u32 = 4;

/// How many files wait for a tick together at most. Each has a descriptor, and [`together`] leaves most of those to others.
const TOGETHER: usize = 256;

/// Two times that are less than this apart, in nanoseconds, were not taken from a clock that ticks: no kernel ticks
/// more often than 1,000 times a second.
const LESS_THAN_A_TICK: i128 = 500_000;

/// How often a file is touched to find out how its device keeps times apart.
const TOUCHES: u32 = 6;

/// For how long a tick is waited for, and how often the clock is looked at meanwhile.
const PATIENCE: u32 = 20;
const PAUSE: Duration = Duration::from_millis(1);

/// A file that nobody can write to.
#[derive(Debug)]
pub struct Hold {
    file: File,
}

impl Hold {
    /// Takes hold of an open file, which gives it back where that cannot be.
    pub fn take(file: File) -> Result<Self, File> {
        #[cfg(target_os = "linux")]
        let is_held = descriptors::take_read_lease(file.as_fd()).is_ok();
        #[cfg(not(target_os = "linux"))]
        let is_held = false;
        if is_held { Ok(Self { file }) } else { Err(file) }
    }

    /// Returns the file, to be read or looked at.
    pub const fn file(&self) -> &File {
        &self.file
    }

    /// Lets go, and says whether nobody could write all the time.
    pub fn release(self) -> bool {
        #[cfg(target_os = "linux")]
        {
            descriptors::give_lease_back(self.file.as_fd()).is_ok()
        }
        #[cfg(not(target_os = "linux"))]
        {
            false
        }
    }
}

/// How a device keeps the times of a file apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Clock {
    /// A lease or a time proves nothing there.
    Unknown,
    /// A change after a look gets a time of its own.
    Fine,
    /// It has a time of its own after the next tick.
    Ticking,
}

/// A file that was touched and waits for a tick.
#[derive(Debug)]
struct Waiting {
    number: usize,
    hold: Hold,
    witness: Witness,
}

/// A file that was touched while nobody could write to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Touched {
    /// Which one it is to whoever asked.
    pub number: usize,
    /// What it looks like now. Its content is what it was, for as long as it looks like that.
    pub witness: Witness,
}

/// Sets the times of files to now.
#[derive(Debug)]
pub struct Touching {
    clocks: HashMap<u64, Clock>,
    is_relied_on: bool,
    /// How many files wait together.
    together: usize,
    waiting: Vec<Waiting>,
    touched: Vec<Touched>,
}

impl Default for Touching {
    fn default() -> Self {
        Self {
            clocks: HashMap::new(),
            is_relied_on: is_relied_on(),
            together: together(rustix::process::getrlimit(rustix::process::Resource::Nofile).current),
            waiting: Vec::new(),
            touched: Vec::new(),
        }
    }
}

impl Touching {
    /// Sets the modification time of an open file to now. `witness` are the facts under which its content is known.
    pub fn touch(&mut self, number: usize, file: File, witness: &Witness) -> io::Result<()> {
        let (device, _) = witness.identity();
        let is_hopeless = !self.is_relied_on || self.clocks.get(&device) == Some(&Clock::Unknown);
        let hold = match if is_hopeless { Err(file) } else { Hold::take(file) } {
            Ok(hold) => hold,
            Err(file) => return set_present(&file),
        };
        let is_known = Witness::of_open(hold.file())? == *witness;
        set_present(hold.file())?;
        if !is_known {
            return Ok(());
        }
        let mut after = Witness::of_open(hold.file())?;
        let clock = match self.clocks.get(&device) {
            Some(clock) => *clock,
            None => {
                let clock = clock_of(hold.file(), &mut after)?;
                self.clocks.insert(device, clock);
                clock
            }
        };
        if !after.differs_in_times_alone(witness) {
            return Ok(());
        }
        match clock {
            Clock::Unknown => {}
            Clock::Fine => {
                if hold.release() {
                    self.touched.push(Touched { number, witness: after });
                }
            }
            Clock::Ticking => {
                self.waiting.push(Waiting { number, hold, witness: after });
                if self.waiting.len() >= self.together {
                    self.settle();
                }
            }
        }
        Ok(())
    }

    /// Returns the files whose content is known under their new facts, in no order.
    pub fn finish(mut self) -> Vec<Touched> {
        self.settle();
        self.touched
    }

    /// Lets go of what waits, after a tick.
    fn settle(&mut self) {
        let newest = self.waiting.iter().map(|waiting| waiting.witness.last_touched()).max();
        let Some(newest) = newest else { return };
        let is_over = waits_until_after(newest);
        for Waiting { number, hold, witness } in self.waiting.drain(..) {
            let is_same = Witness::of_open(hold.file()).is_ok_and(|now| now == witness);
            if is_over && is_same && !witness.has_whole_seconds() && hold.release() {
                self.touched.push(Touched { number, witness });
            }
        }
    }
}

/// Finds out how the device of a held file keeps times apart, by touching it a few times. `after` becomes what it looks
/// like then.
fn clock_of(file: &File, after: &mut Witness) -> io::Result<Clock> {
    if !filesystem::counts_writers(file).unwrap_or(false) {
        return Ok(Clock::Unknown);
    }
    // The first time may still be that of the last tick. Two small steps in a row, so that a clock which is being set
    // at this moment deceives nobody.
    let mut small = 0;
    for _ in 0..TOUCHES {
        let before = after.changed();
        set_present(file)?;
        *after = Witness::of_open(file)?;
        small = match after.changed() - before {
            1..LESS_THAN_A_TICK => small + 1,
            _ => 0,
        };
        if small == 2 {
            return Ok(Clock::Fine);
        }
    }
    Ok(Clock::Ticking)
}

/// Returns how many files wait for a tick together where a process may have so many descriptors.
fn together(descriptors: Option<u64>) -> usize {
    let share = descriptors.map_or(usize::MAX, |most| usize::try_from(most / 4).unwrap_or(usize::MAX));
    share.clamp(1, TOGETHER)
}

fn set_present(file: &File) -> io::Result<()> {
    let now = Timespec { tv_sec: 0, tv_nsec: rustix::fs::UTIME_NOW };
    Ok(rustix::fs::futimens(file, &Timestamps { last_access: now, last_modification: now })?)
}

#[cfg(target_os = "linux")]
fn is_relied_on() -> bool {
    let release = rustix::system::uname();
    let release = release.release().to_str().unwrap_or_default();
    let major = release.split('.').next().and_then(|major| major.parse::<u32>().ok());
    major.is_some_and(|major| major >= OLDEST)
}

/// Waits until files that are changed from now on get a time after `time`, in nanoseconds since the epoch; gives up
/// where that takes long.
#[cfg(target_os = "linux")]
fn waits_until_after(time: i128) -> bool {
    for _ in 0..PATIENCE {
        // What file systems take their times from, or a little later.
        let now = rustix::time::clock_gettime(rustix::time::ClockId::RealtimeCoarse);
        if i128::from(now.tv_sec) * 1_000_000_000 + i128::from(now.tv_nsec) > time {
            return true;
        }
        std::thread::sleep(PAUSE);
    }
    false
}

#[cfg(not(target_os = "linux"))]
const fn is_relied_on() -> bool {
    false
}

#[cfg(not(target_os = "linux"))]
const fn waits_until_after(_: i128) -> bool {
    false
}

#[cfg(test)]
#[cfg(target_os = "linux")]
mod tests;
