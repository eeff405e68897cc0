//! Making files out of stored ones, on two threads.
//!
//! Most of a restore is the kernel's: new files, new pages, the copy. Making a file locks its folder, so the work goes
//! out in batches of files that belong into one folder: two threads are rarely in the same one. The caller hands batches
//! over as it puts them together; while two are waiting it makes the next one itself, and at the end it helps.
//!
//! A file is made under a temporary name beside its place. What was made is told whatever becomes of it, so that it can
//! be taken away again.
//!
//! Deliberately absent: any opinion on what is written where, and on what becomes of a copy that is not right.

use crate::model::entry::Content;
use crate::world::file::{FileError, Witness, copy_unseen, copy_with_content, open_for_reading};
use crate::world::reading::Reading;
use crate::world::tree::{create_in, sweep};
use std::ffi::OsString;
use std::fs::File;
use std::io::{self, Seek};
use std::os::fd::{AsFd, OwnedFd};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{JoinHandle, available_parallelism};

/// How many batches wait; each has a descriptor.
const QUEUE: usize = 2;

/// From how many bytes on a second thread is worth starting.
const WORTH_A_THREAD: u64 = 1024 * 1024;

/// How many files a batch has at most, and from how many bytes on it takes no more.
const MOST_FILES: usize = 128;
const MOST_BYTES: u64 = 8 * 1024 * 1024;

/// How long nobody has touched a temporary file, in nanoseconds, before whoever made it counts as dead.
pub(super) const ABANDONED: i128 = 60 * 60 * 1_000_000_000;

/// A file to be made.
#[derive(Debug)]
pub(super) struct Copy {
    /// Which one it is to whoever asked.
    pub(super) number: usize,
    /// Where the stored file is.
    pub(super) place: PathBuf,
    /// Where the new one will be, for messages.
    pub(super) target: PathBuf,
    /// What it is to hold.
    pub(super) content: Content,
    /// The permission bits.
    pub(super) mode: u32,
    /// Under these facts the stored file is known to hold that, and its bytes need not be looked at.
    pub(super) proof: Option<Witness>,
}

/// Files to be made in one folder.
#[derive(Debug)]
pub(super) struct Batch {
    folder: OwnedFd,
    /// Whether what dead processes left in the folder goes.
    sweeps: bool,
    copies: Vec<Copy>,
    bytes: u64,
}

/// What became of a file.
#[derive(Debug)]
pub(super) enum Made {
    /// It is what it was to be.
    Whole,
    /// There is no stored file, or it has another size.
    Missing,
    /// The stored file is not what its name says.
    Damaged,
}

/// A file that was made, or begun.
#[derive(Debug)]
pub(super) struct Copied {
    /// Which one.
    pub(super) number: usize,
    /// Where the stored file is.
    pub(super) place: PathBuf,
    /// The name under which it is, where it got that far.
    pub(super) beside: Option<OsString>,
    /// What was read, where the bytes were looked at.
    pub(super) reading: Option<Reading>,
    /// What became of it.
    pub(super) made: Result<Made, FileError>,
}

impl Batch {
    /// Begins a batch in an open folder.
    pub(super) const fn new(folder: OwnedFd, sweeps: bool) -> Self {
        Self { folder, sweeps, copies: Vec::new(), bytes: 0 }
    }

    /// Adds a file, and says whether that was the last for which there is room.
    pub(super) fn add(&mut self, copy: Copy) -> bool {
        self.bytes = self.bytes.saturating_add(copy.content.size);
        self.copies.push(copy);
        self.copies.len() == MOST_FILES || self.bytes >= MOST_BYTES
    }

    /// Makes the files, up to the first one that is not right. After that nothing is begun anywhere.
    fn make(self, is_over: &AtomicBool) -> Vec<Copied> {
        let Self { folder, mut sweeps, copies, .. } = self;
        let mut done = Vec::with_capacity(copies.len());
        for copy in copies {
            if is_over.load(Ordering::Relaxed) {
                break;
            }
            let copied = copy.make(&folder, std::mem::take(&mut sweeps));
            if !matches!(copied.made, Ok(Made::Whole)) {
                is_over.store(true, Ordering::Relaxed);
            }
            done.push(copied);
        }
        done
    }
}

impl Copy {
    fn make(self, folder: &OwnedFd, sweeps: bool) -> Copied {
        let (mut beside, mut reading) = (None, None);
        let made = self.try_make(folder, sweeps, &mut beside, &mut reading);
        Copied { number: self.number, place: self.place, beside, reading, made }
    }

    fn try_make(
        &self,
        folder: &OwnedFd,
        sweeps: bool,
        beside: &mut Option<OsString>,
        reading: &mut Option<Reading>,
    ) -> Result<Made, FileError> {
        let source = match open_for_reading(&self.place) {
            Ok(source) => source,
            Err(error) if error.is_missing() => return Ok(Made::Missing),
            Err(error) => return Err(error),
        };
        let failed = |action| FileError::of(action, &self.target);
        let witness = Witness::of_open(&source).map_err(FileError::of("look at", &self.place))?;
        if witness.size() != self.content.size {
            return Ok(Made::Missing);
        }
        let (target, name, present) =
            create_in(folder.as_fd(), self.mode).map_err(failed("create a file beside"))?;
        *beside = Some(name);
        if sweeps {
            // The new file has the present in its file system's own time.
            sweep(folder.as_fd(), present.modified() - ABANDONED).map_err(failed("read the folder of"))?;
        }
        match copy(source, target, &self.content, witness, self.proof == Some(witness), reading) {
            Ok(true) => Ok(Made::Whole),
            Ok(false) => Ok(Made::Damaged),
            Err(error) => Err(failed("write")(error)),
        }
    }
}

/// Copies a stored file into an empty one, and says whether that is what it was to be.
fn copy(
    mut source: File,
    mut target: File,
    content: &Content,
    mut witness: Witness,
    is_proven: bool,
    reading: &mut Option<Reading>,
) -> io::Result<bool> {
    if is_proven {
        if copy_unseen(&source, &mut target, content.size)? == content.size
            && Witness::of_open(&source)? == witness
        {
            return Ok(true);
        }
        // Touched meanwhile, as by a backup that links it, or not copied by the kernel: its bytes decide.
        source.rewind()?;
        target.set_len(0)?;
        target.rewind()?;
        witness = Witness::of_open(&source)?;
    }
    let copied = copy_with_content(&source, &mut target)?;
    let steady = Witness::of_open(&source)? == witness;
    *reading = Some(Reading { content: copied, witness, steady });
    Ok(copied == *content)
}

/// The second thread, with what waits for it.
struct Second {
    queue: SyncSender<Batch>,
    waiting: Arc<Mutex<Receiver<Batch>>>,
    thread: JoinHandle<Vec<Copied>>,
}

/// Copies in progress.
pub(super) struct Copying {
    second: Option<Second>,
    done: Vec<Copied>,
    is_over: Arc<AtomicBool>,
}

impl Copying {
    /// Begins; `bytes` is how much there will be to copy. Where no thread can be had, there is one.
    pub(super) fn begin(bytes: u64) -> Self {
        let is_worth = bytes >= WORTH_A_THREAD && available_parallelism().is_ok_and(|many| many.get() > 1);
        let is_over = Arc::new(AtomicBool::new(false));
        let second = is_worth.then(|| second_thread(Arc::clone(&is_over))).flatten();
        Self { second, done: Vec::new(), is_over }
    }

    /// Makes the files of a batch, now or soon. Says whether all that were made so far are as they should be, as far as
    /// is known.
    pub(super) fn make(&mut self, batch: Batch) -> bool {
        let left = match &self.second {
            None => batch,
            Some(second) => match second.queue.try_send(batch) {
                Ok(()) => return !self.is_over.load(Ordering::Relaxed),
                Err(TrySendError::Full(batch) | TrySendError::Disconnected(batch)) => batch,
            },
        };
        self.done.extend(left.make(&self.is_over));
        !self.is_over.load(Ordering::Relaxed)
    }

    /// Waits until all is made, and returns what became of each, in the order of their numbers. Where one is not right,
    /// some are missing after it.
    pub(super) fn finish(mut self) -> Vec<Copied> {
        if let Some(Second { queue, waiting, thread }) = self.second {
            drop(queue);
            while let Some(batch) = next(&waiting) {
                self.done.extend(batch.make(&self.is_over));
            }
            match thread.join() {
                Ok(done) => self.done.extend(done),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        self.done.sort_unstable_by_key(|copied| copied.number);
        self.done
    }
}

/// Returns the next batch, once there is one; `None` when there will be no more.
fn next(waiting: &Mutex<Receiver<Batch>>) -> Option<Batch> {
    waiting.lock().unwrap_or_else(PoisonError::into_inner).recv().ok()
}

fn second_thread(is_over: Arc<AtomicBool>) -> Option<Second> {
    let (queue, waiting) = sync_channel(QUEUE);
    let waiting = Arc::new(Mutex::new(waiting));
    let others = Arc::clone(&waiting);
    let work = move || {
        let mut done = Vec::new();
        while let Some(batch) = next(&others) {
            done.extend(batch.make(&is_over));
        }
        done
    };
    let thread = std::thread::Builder::new().name("copy".into()).spawn(work).ok()?;
    Some(Second { queue, waiting, thread })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Makes 40 files in four folders, of which the one with `wrong` as its number is another thing than it should be.
    /// Returns which were made, whether they are whole, and whether they were read.
    fn made(bytes: u64, is_proven: bool, wrong: usize) -> Vec<(usize, bool, Option<bool>)> {
        let folder = tempfile::tempdir().unwrap();
        let mut copying = Copying::begin(bytes);
        let into = |number: usize| folder.path().join(format!("into-{}", number / 10));
        for first in [0, 10, 20, 30] {
            std::fs::create_dir(into(first)).unwrap();
            let mut batch = Batch::new(File::open(into(first)).unwrap().into(), true);
            for number in first..first + 10 {
                let place = folder.path().join(format!("source-{number}"));
                std::fs::write(&place, format!("content {number:02}")).unwrap();
                let proof = is_proven.then(|| Witness::of_path(&place).unwrap());
                let right =
                    if number == wrong { "another   ".into() } else { format!("content {number:02}") };
                let content = Content::of(right.as_bytes());
                assert!(!batch.add(Copy {
                    number,
                    place,
                    target: into(number),
                    content,
                    mode: 0o640,
                    proof
                }));
            }
            copying.make(batch);
        }
        let all = copying.finish();
        for copied in &all {
            let target = into(copied.number).join(copied.beside.as_ref().unwrap());
            assert_eq!(Witness::of_path(&target).unwrap().permissions(), 0o640);
            assert_eq!(std::fs::read(target).unwrap(), std::fs::read(&copied.place).unwrap());
        }
        let steady = |reading: Option<Reading>| reading.map(|reading| reading.steady);
        let is_whole = |made| matches!(made, Made::Whole);
        all.into_iter().map(|one| (one.number, is_whole(one.made.unwrap()), steady(one.reading))).collect()
    }

    #[test]
    fn each_file_is_made_on_one_thread_and_on_two() {
        let none = usize::MAX;
        for bytes in [0, WORTH_A_THREAD] {
            let expected: Vec<_> = (0..40).map(|number| (number, true, Some(true))).collect();
            assert_eq!(made(bytes, false, none), expected);
            let expected: Vec<_> = (0..40).map(|number| (number, true, None)).collect();
            assert_eq!(made(bytes, true, none), expected);
        }
    }

    #[test]
    fn after_one_that_is_wrong_nothing_is_begun() {
        let expected: Vec<_> = (0..=7).map(|number| (number, number != 7, Some(true))).collect();
        assert_eq!(made(0, false, 7), expected);
        // With a second thread some others may be under way.
        let done = made(WORTH_A_THREAD, false, 17);
        assert!(done.contains(&(17, false, Some(true))));
        assert!(done.iter().all(|(number, is_whole, _)| *is_whole == (*number != 17)));
    }

    #[test]
    fn what_is_missing_or_of_another_size_is_not_made() {
        let folder = tempfile::tempdir().unwrap();
        let place = folder.path().join("source");
        let open = || File::open(folder.path()).unwrap().into();
        let make = |content: &str| {
            let mut batch = Batch::new(open(), false);
            let content = Content::of(content.as_bytes());
            let (place, target) = (place.clone(), PathBuf::new());
            batch.add(Copy { number: 0, place, target, content, mode: 0o600, proof: None });
            let mut copying = Copying::begin(0);
            assert!(!copying.make(batch));
            let [Copied { beside: None, reading: None, made: Ok(Made::Missing), .. }] = &copying.finish()[..]
            else {
                panic!("it was made");
            };
        };
        make("content");
        std::fs::write(&place, "cont").unwrap();
        make("content");
    }

    #[test]
    fn a_batch_has_room_for_so_many_files_and_bytes() {
        let folder = tempfile::tempdir().unwrap();
        let batch = || Batch::new(File::open(folder.path()).unwrap().into(), false);
        let copy = |size| Copy {
            number: 0,
            place: PathBuf::new(),
            target: PathBuf::new(),
            content: Content { size, ..Content::of(b"") },
            mode: 0o600,
            proof: None,
        };
        let mut many = batch();
        assert_eq!((0..MOST_FILES).filter(|_| many.add(copy(1))).count(), 1);
        let mut large = batch();
        assert!(!large.add(copy(MOST_BYTES - 1)) && large.add(copy(1)));
    }
}
