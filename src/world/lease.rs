//! Leases: what takes the place of a lock where the kernel's locks cannot be relied on.
//!
//! On network file systems and FUSE mounts a lock may be unknown to other machines, or be waited for without end. What
//! does hold there is little: that of many who create a name exclusively one succeeds, that a rename shows the old file
//! or the new one, and that the server stamps a file's times. A lease needs no more.
//!
//! # The form
//!
//! A lease is a folder. Each taking creates the file of the next number in it, exclusively; the highest number is the
//! lease's *epoch*, and whoever made that file holds the lease. The file says how long it is valid since it was last
//! written, a random token, and whether it was given back. The holder writes it anew, three times in a validity, by a
//! rename in its own place; a waiter takes the next number when the last is given back or was not renewed for so long.
//! The number never falls while the folder is there. So the epoch is a fencing token: `Fence::holds` is false for
//! ever once somebody else came after.
//!
//! *Now* is the change time of a file that is made in the lease's folder for that, and a renewal is the change time of
//! the lease's own file: both are stamps of the one server, and what the machines' clocks say does not matter. The
//! new file also lets a network client see the folder as it is, and not as it remembers it. Now is asked before the
//! lease is looked at, so that a pause in between can make a lease look younger and never older.
//!
//! # What it promises, and what not
//!
//! A lease saves work. It cannot exclude: a holder that is stopped, or cut off from the server, for longer than the
//! validity goes on without knowing that another took over. Therefore whoever stores under a lease asks the fence, at
//! the moment when nobody else can store.
//!
//! Deliberately absent: breaking a lease because its process seems to be dead. A process id says nothing on another
//! machine or in another container.

use super::file::{
    FileError, Witness, create_private, create_private_folder, file_time, random_number, replace,
};
use rustix::io::Errno;
use std::fs::File;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::Duration;

/// The first words of a lease's file: what it is, and its format.
const MARK: &str = "taskcache-lease 1";

/// How often a lease is renewed while it is valid once.
const RENEWALS: u32 = 3;

/// What becomes of a lease's folder when the lease is given back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// It stays, so that the epoch goes on from there.
    Stays,
    /// It goes: nobody will take a lease of this name again.
    Goes,
}

/// A lease that is held, or was until somebody else took it, and is given back when it is dropped.
#[derive(Debug)]
pub struct Lease {
    fence: Fence,
    ending: Ending,
    said: Said,
    /// Dropped, it stops the heart.
    beats: Option<Sender<()>>,
    heart: Option<JoinHandle<()>>,
}

/// What tells whether a lease is still held by whoever took it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fence {
    folder: PathBuf,
    epoch: u64,
    token: u64,
}

/// What stands in a lease's file.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Said {
    token: u64,
    valid: Duration,
    is_held: bool,
    text: String,
}

/// What is known of a lease that was looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Look {
    epoch: u64,
    /// `None` in the moment between the file's making and its first words.
    said: Option<Said>,
    renewed: i128,
}

impl Said {
    fn encode(&self) -> String {
        let state = if self.is_held { "held" } else { "free" };
        format!("{MARK} {:016x} {} {state}\n{}", self.token, self.valid.as_millis(), self.text)
    }

    fn decode(bytes: &str) -> Option<Self> {
        let (head, text) = bytes.split_once('\n')?;
        let mut words = head.strip_prefix(MARK)?.strip_prefix(' ')?.split(' ');
        let token = u64::from_str_radix(words.next()?, 16).ok()?;
        let valid = Duration::from_millis(words.next()?.parse().ok()?);
        let is_held = match words.next()? {
            "held" => true,
            "free" => false,
            _ => return None,
        };
        words.next().is_none().then(|| Self { token, valid, is_held, text: text.to_owned() })
    }
}

impl Look {
    /// Looks at the last taking; `None` where there is none.
    fn at(folder: &Path) -> Result<Option<Self>, FileError> {
        loop {
            let Some(epoch) = highest(folder)? else { return Ok(None) };
            let path = path_of(folder, epoch);
            let mut file = match File::open(&path) {
                // Somebody took the next number and removed this one, or renewed it on another machine.
                Err(error) if is_replaced(&error) => continue,
                other => other.map_err(FileError::of("open", &path))?,
            };
            let mut bytes = Vec::new();
            let read = file.read_to_end(&mut bytes).and_then(|_| Witness::of_open(&file));
            let renewed = match read {
                Err(error) if is_replaced(&error) => continue,
                other => other.map_err(FileError::of("read", &path))?.changed(),
            };
            let said = String::from_utf8(bytes).ok().and_then(|text| Said::decode(&text));
            return Ok(Some(Self { epoch, said, renewed }));
        }
    }

    /// Returns whether somebody holds the lease at `now`. One whose words are not there yet is as long valid as ours
    /// would be. One from the far future counts as over: the server's clock was set back, and a living holder will
    /// renew it, or else it would never end.
    fn is_held(&self, now: i128, valid: Duration) -> bool {
        let valid = self.said.as_ref().map_or(valid, |said| said.valid);
        let age = now.saturating_sub(self.renewed).unsigned_abs();
        self.said.as_ref().is_none_or(|said| said.is_held) && age <= valid.as_nanos()
    }
}

fn is_replaced(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::StaleNetworkFileHandle)
}

fn path_of(folder: &Path, epoch: u64) -> PathBuf {
    folder.join(format!("{epoch:020}"))
}

fn epoch_of(name: &std::ffi::OsStr) -> Option<u64> {
    let name = name.to_str().filter(|name| name.len() == 20)?;
    name.parse().ok()
}

fn highest(folder: &Path) -> Result<Option<u64>, FileError> {
    let mut highest = None;
    for file in std::fs::read_dir(folder).map_err(FileError::of("read folder", folder))? {
        let file = file.map_err(FileError::of("read folder", folder))?;
        highest = highest.max(epoch_of(&file.file_name()));
    }
    Ok(highest)
}

fn unless_missing<T>(result: Result<T, FileError>) -> Result<Option<T>, FileError> {
    match result {
        Err(error) if error.is_missing() => Ok(None),
        other => other.map(Some),
    }
}

impl Lease {
    /// Takes the lease of `folder` if nobody holds it, to be valid for `valid` from each renewal. `decide` sees what
    /// the last holder said, and says what is to stand there now, or that it is not to be taken.
    pub fn take(
        folder: &Path,
        valid: Duration,
        ending: Ending,
        decide: impl FnOnce(Option<&str>) -> Result<Option<String>, FileError>,
    ) -> Result<Option<Self>, FileError> {
        create_private_folder(folder)?;
        // Where the folder is swept at this very moment, somebody else is as good as before us.
        let Some(now) = unless_missing(file_time(folder))? else { return Ok(None) };
        let Some(last) = unless_missing(Look::at(folder))? else { return Ok(None) };
        if last.as_ref().is_some_and(|last| last.is_held(now, valid)) {
            return Ok(None);
        }
        let before = last.as_ref().and_then(|last| last.said.as_ref()).map(|said| said.text.as_str());
        let Some(text) = decide(before)? else { return Ok(None) };
        let said = Said { token: random_number(), valid, is_held: true, text };
        let epoch = last.map_or(0, |last| last.epoch) + 1;
        let Some(fence) = Fence::erect(folder, epoch, &said)? else { return Ok(None) };
        fence.tidy(now, valid);
        let (beats, stop) = channel();
        let (beating, words) = (fence.clone(), said.clone());
        let beat = move || {
            while let Err(RecvTimeoutError::Timeout) = stop.recv_timeout(valid / RENEWALS) {
                // What fails now may succeed the next time; if it never does, the lease runs out, and the fence tells.
                if let Ok(false) = beating.write(&words) {
                    return;
                }
            }
        };
        let mut lease = Self { fence, ending, said, beats: Some(beats), heart: None };
        // Where there is no thread to be had the lease is given back on return.
        let heart = std::thread::Builder::new().name("lease".into()).spawn(beat);
        lease.heart = Some(heart.map_err(FileError::of("renew", folder))?);
        Ok(Some(lease))
    }

    /// Returns whether somebody holds the lease of `folder`. `valid` counts where that is not said yet.
    pub fn is_held(folder: &Path, valid: Duration) -> Result<bool, FileError> {
        let Some(now) = unless_missing(file_time(folder))? else { return Ok(false) };
        let look = unless_missing(Look::at(folder))?.flatten();
        Ok(look.is_some_and(|look| look.is_held(now, valid)))
    }

    /// Returns what the last holder of the lease of `folder` said, whether or not it holds it still.
    pub fn text(folder: &Path) -> Option<String> {
        Look::at(folder).ok().flatten().and_then(|look| look.said).map(|said| said.text)
    }

    /// Takes the lease of `folder` away from whoever holds it: the fence of that one holds no more.
    pub fn depose(folder: &Path) -> Result<(), FileError> {
        loop {
            let Some(Some(last)) = unless_missing(Look::at(folder))? else { return Ok(()) };
            if last.said.as_ref().is_some_and(|said| !said.is_held) {
                return Ok(());
            }
            let said =
                Said { token: random_number(), valid: Duration::ZERO, is_held: false, text: String::new() };
            if Fence::erect(folder, last.epoch + 1, &said)?.is_some() {
                return Ok(());
            }
        }
    }

    /// Removes the folder of a lease that nobody held for at least `age`; returns whether it did. The folder goes by a
    /// rename, all at once: who was about to take the lease in it finds it gone.
    pub fn sweep(folder: &Path, age: Duration) -> Result<bool, FileError> {
        let Some(now) = unless_missing(file_time(folder))? else { return Ok(false) };
        let Some(look) = unless_missing(Look::at(folder))? else { return Ok(false) };
        let is_old = |look: Look| {
            let idle = now.saturating_sub(look.renewed).unsigned_abs();
            !look.is_held(now, age) && idle > age.as_nanos()
        };
        if !look.is_some_and(is_old) {
            return Ok(false);
        }
        let mut gone = folder.as_os_str().to_owned();
        gone.push(format!(".{:016x}", random_number()));
        let gone = PathBuf::from(gone);
        if unless_missing(std::fs::rename(folder, &gone).map_err(FileError::of("rename", folder)))?.is_none()
        {
            return Ok(false);
        }
        std::fs::remove_dir_all(&gone).map_err(FileError::of("remove", &gone))?;
        Ok(true)
    }

    /// Returns what tells whether it is still held.
    pub const fn fence(&self) -> &Fence {
        &self.fence
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        drop(self.beats.take());
        if let Some(heart) = self.heart.take() {
            // A heart that broke has nothing to tell: the lease ran out, and the fence tells that.
            let _ = heart.join();
        }
        // What cannot be given back runs out.
        if self.ending == Ending::Goes && self.fence.holds().unwrap_or(false) {
            let _ = std::fs::remove_dir_all(&self.fence.folder);
            return;
        }
        self.said.is_held = false;
        let _ = self.fence.write(&self.said);
    }
}

impl Fence {
    /// Makes the file of an epoch; `None` where somebody else did so before, or came after.
    fn erect(folder: &Path, epoch: u64, said: &Said) -> Result<Option<Self>, FileError> {
        let path = path_of(folder, epoch);
        let mut file = match create_private(&path) {
            Err(error) if error.is(Errno::EXIST) || error.is_missing() => return Ok(None),
            other => other?,
        };
        file.write_all(said.encode().as_bytes()).map_err(FileError::of("write", &path))?;
        let fence = Self { folder: folder.to_owned(), epoch, token: said.token };
        // The number may have been free because two others came and swept it away since we looked.
        Ok(fence.holds()?.then_some(fence))
    }

    /// Returns whether nobody took the lease since. False once, it is false for ever.
    pub fn holds(&self) -> Result<bool, FileError> {
        let look = unless_missing(Look::at(&self.folder))?.flatten();
        let is_ours =
            |look: Look| look.epoch == self.epoch && look.said.is_some_and(|said| said.token == self.token);
        Ok(look.is_some_and(is_ours))
    }

    /// Writes the lease's file anew, which is what renews it; `false` where somebody took the lease. Should that
    /// happen at this very moment the file comes back, below a higher one, and counts for nothing.
    fn write(&self, said: &Said) -> Result<bool, FileError> {
        let holds = self.holds()?;
        if holds {
            replace(&path_of(&self.folder, self.epoch), said.encode().as_bytes())?;
        }
        Ok(holds)
    }

    /// Removes the files of earlier epochs, and what dead processes left half made.
    fn tidy(&self, now: i128, valid: Duration) {
        for file in std::fs::read_dir(&self.folder).into_iter().flatten().flatten() {
            let is_left = || {
                let witness = Witness::of_path(&file.path()).ok();
                witness.is_some_and(|witness| {
                    now.saturating_sub(witness.changed()).unsigned_abs() > valid.as_nanos()
                })
            };
            let goes = match epoch_of(&file.file_name()) {
                Some(epoch) => epoch < self.epoch,
                None => is_left(),
            };
            if goes {
                // What stays is taken away by the next holder.
                let _ = std::fs::remove_file(file.path());
            }
        }
    }
}

#[cfg(test)]
mod tests;
