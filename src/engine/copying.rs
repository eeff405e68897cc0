//! Copying stored files to where they are staged, on two threads.
//!
//! Most of a restore is the kernel's: new files, new pages, the copy. Making a file locks its folder, so that there
//! is nothing to gain from two threads there; but one can copy while the other makes the next file. A few files wait
//! for the second thread, and where it is behind, whoever hands one over copies it himself.
//!
//! Deliberately absent: any opinion on what is written where, and on what becomes of a copy that is not right.

use crate::model::entry::Content;
use crate::world::file::{Witness, copy_unseen, copy_with_content};
use crate::world::reading::Reading;
use std::fs::File;
use std::io::{self, Seek};
use std::path::PathBuf;
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::thread::{JoinHandle, available_parallelism};

/// How many files wait for the second thread; each has two descriptors.
const QUEUE: usize = 16;

/// From how many bytes on a second thread is worth starting.
const WORTH_A_THREAD: u64 = 1024 * 1024;

/// A file to be copied.
#[derive(Debug)]
pub(super) struct Copy {
    /// Which one it is to whoever asked.
    pub(super) number: usize,
    /// The stored file.
    pub(super) source: File,
    /// The empty file.
    pub(super) target: File,
    /// What it is to hold.
    pub(super) content: Content,
    /// Where the stored file is.
    pub(super) place: PathBuf,
    /// What the stored file looks like.
    pub(super) witness: Witness,
    /// That look proves what it holds, and the bytes need not be looked at.
    pub(super) is_proven: bool,
}

/// A file that was copied.
#[derive(Debug)]
pub(super) struct Copied {
    /// Which one.
    pub(super) number: usize,
    /// Where the stored file is.
    pub(super) place: PathBuf,
    /// What was read, where the bytes were looked at.
    pub(super) reading: Option<Reading>,
    /// Whether the copy is what it was to be.
    pub(super) is_whole: io::Result<bool>,
}

impl Copy {
    fn make(mut self) -> Copied {
        let mut reading = None;
        let is_whole = self.copy(&mut reading);
        Copied { number: self.number, place: self.place, reading, is_whole }
    }

    fn copy(&mut self, reading: &mut Option<Reading>) -> io::Result<bool> {
        let Self { source, target, content, witness, .. } = self;
        if self.is_proven {
            if copy_unseen(source, target, content.size)? == content.size
                && Witness::of_open(&*source)? == *witness
            {
                return Ok(true);
            }
            // Touched meanwhile, as by a backup that links it, or not copied by the kernel: its bytes decide.
            source.rewind()?;
            target.set_len(0)?;
            target.rewind()?;
            *witness = Witness::of_open(&*source)?;
        }
        let copied = copy_with_content(&*source, target)?;
        let steady = Witness::of_open(&*source)? == *witness;
        *reading = Some(Reading { content: copied, witness: *witness, steady });
        Ok(copied == *content)
    }
}

/// The second thread, with what waits for it.
struct Second {
    queue: SyncSender<Copy>,
    thread: JoinHandle<Vec<Copied>>,
}

/// Copies in progress.
pub(super) struct Copying {
    second: Option<Second>,
    done: Vec<Copied>,
}

impl Copying {
    /// Begins; `bytes` is how much there will be to copy. Where no thread can be had, there is one.
    pub(super) fn begin(bytes: u64) -> Self {
        let is_worth = bytes >= WORTH_A_THREAD && available_parallelism().is_ok_and(|many| many.get() > 1);
        Self { second: is_worth.then(second_thread).flatten(), done: Vec::new() }
    }

    /// Copies a file, now or soon. Says whether those that were copied here are as they should be so far.
    pub(super) fn copy(&mut self, copy: Copy) -> bool {
        let left = match &self.second {
            None => copy,
            Some(second) => match second.queue.try_send(copy) {
                Ok(()) => return true,
                Err(TrySendError::Full(copy) | TrySendError::Disconnected(copy)) => copy,
            },
        };
        let copied = left.make();
        let is_whole = matches!(copied.is_whole, Ok(true));
        self.done.push(copied);
        is_whole
    }

    /// Waits until all is copied, and returns what became of each, in the order of their numbers.
    pub(super) fn finish(mut self) -> Vec<Copied> {
        if let Some(Second { queue, thread }) = self.second {
            drop(queue);
            match thread.join() {
                Ok(done) => self.done.extend(done),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        self.done.sort_unstable_by_key(|copied| copied.number);
        self.done
    }
}

fn second_thread() -> Option<Second> {
    let (queue, waiting): (_, Receiver<Copy>) = sync_channel(QUEUE);
    let work = move || waiting.into_iter().map(Copy::make).collect();
    let thread = std::thread::Builder::new().name("copy".into()).spawn(work).ok()?;
    Some(Second { queue, thread })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns what became of 40 files, one of which is not what it should be, and none that is made here.
    fn copied(bytes: u64, is_proven: bool) -> Vec<(usize, bool, Option<bool>)> {
        let folder = tempfile::tempdir().unwrap();
        let mut copying = Copying::begin(bytes);
        for number in 0..40 {
            let place = folder.path().join(format!("source-{number}"));
            std::fs::write(&place, format!("content {number}")).unwrap();
            let source = File::open(&place).unwrap();
            let witness = Witness::of_open(&source).unwrap();
            let target = folder.path().join(format!("target-{number}"));
            let target = crate::world::file::create_private(&target).unwrap();
            let right = if number == 7 { "another thing".into() } else { format!("content {number}") };
            let content = Content::of(right.as_bytes());
            copying.copy(Copy { number, source, target, content, place, witness, is_proven });
        }
        let all = copying.finish();
        for copied in &all {
            let target = std::fs::read(folder.path().join(format!("target-{}", copied.number))).unwrap();
            assert_eq!(target, std::fs::read(&copied.place).unwrap());
        }
        let steady = |reading: Option<Reading>| reading.map(|reading| reading.steady);
        all.into_iter().map(|one| (one.number, one.is_whole.unwrap(), steady(one.reading))).collect()
    }

    #[test]
    fn each_copy_is_judged_on_one_thread_and_on_two() {
        let expected: Vec<_> = (0..40).map(|number| (number, number != 7, Some(true))).collect();
        assert_eq!(copied(0, false), expected);
        assert_eq!(copied(WORTH_A_THREAD, false), expected);
        // What is proven is only measured; what turns out otherwise is read.
        let expected: Vec<_> =
            (0..40).map(|number| (number, number != 7, (number == 7).then_some(true))).collect();
        assert_eq!(copied(WORTH_A_THREAD, true), expected);
    }
}
