//! Who is at work in an output folder.
//!
//! Two runs that write to the same outputs at the same time can each store what the other one wrote: a file that the
//! other had just emptied looks as finished as any. No look at the files can tell. So every run and every restore
//! with outputs says where it is at work, once for each output, and a run stores its result only if nobody else was
//! there from before its first look until after its last. `--serialize` lets them wait for each other; without it, in
//! doubt, nothing is stored.
//!
//! Limit: who is at work is known by output as it is declared. That one run's `out` holds another one's `out/x` is
//! not seen.
//!
//! Two locks make it exact. The *gate* is held for the moment of coming in. The place's own lock is held shared while
//! at work, and is only ever taken behind the gate; so whoever can have it alone there knows that nobody is at work.
//! The lock's file has a byte for each arrival: it grew if somebody came later, whether or not they have gone again.

use super::{Layout, PATIENCE, StoreError};
use crate::model::digest::Digest;
use crate::world::file::{FileError, Witness, open_private};
use crate::world::lock::{FileLock, Sharing};
use rustix::fs::OFlags;
use std::collections::BTreeSet;
use std::fs::File;
use std::io::Write;
use std::path::PathBuf;
use std::time::Duration;

/// Being at work in some places, until it is dropped.
#[derive(Debug)]
pub struct Turn {
    seats: Vec<Seat>,
}

/// Being at work in one place.
#[derive(Debug)]
struct Seat {
    path: PathBuf,
    file: File,
    /// How large the file was with our own byte; `None` where somebody was at work already.
    arrival: Option<u64>,
    _at_work: Option<FileLock>,
}

impl Turn {
    /// Comes in.
    pub fn begin(layout: &Layout, places: &BTreeSet<Digest>) -> Result<Self, StoreError> {
        let locks = layout.path("locks");
        let busy = || StoreError::Locked(layout.root.clone());
        let _gate = FileLock::take(&locks.join("places"), Sharing::Exclusive, PATIENCE)?.ok_or_else(busy)?;
        let seats = places.iter().map(|place| Seat::take(locks.join(format!("place-{place}"))));
        Ok(Self { seats: seats.collect::<Result<_, _>>()? })
    }

    /// Returns whether nobody else was at work at any time until now.
    pub fn was_alone(&self) -> bool {
        self.seats.iter().all(Seat::was_alone)
    }
}

impl Seat {
    /// Only to be called behind the gate.
    fn take(path: PathBuf) -> Result<Self, FileError> {
        let alone = FileLock::take(&path, Sharing::Exclusive, Duration::ZERO)?.is_some();
        let at_work = FileLock::take(&path, Sharing::Shared, Duration::ZERO)?;
        let mut file = open_private(&path, OFlags::WRONLY | OFlags::APPEND)?;
        // Nobody counts on the bytes of those who have gone.
        let emptied = if alone { file.set_len(0) } else { Ok(()) };
        emptied.and_then(|()| file.write_all(b".")).map_err(FileError::of("append to", &path))?;
        Ok(Self { arrival: alone.then_some(1), path, file, _at_work: at_work })
    }

    fn was_alone(&self) -> bool {
        let size = |witness: std::io::Result<Witness>| witness.ok().map(|witness| witness.size());
        // By name as well: where the file was removed, those who came later count in another one.
        self.arrival.is_some()
            && size(Witness::of_open(&self.file)) == self.arrival
            && size(Witness::of_path(&self.path)) == self.arrival
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_who_was_alone_all_the_time_was_alone() {
        let folder = tempfile::tempdir().unwrap();
        let layout = Layout { root: folder.path().to_owned() };
        std::fs::create_dir(layout.path("locks")).unwrap();
        let turn = |places: &[&[u8]]| {
            let places = places.iter().map(|place| Digest::of(place)).collect();
            Turn::begin(&layout, &places).unwrap()
        };
        let begin = |place: &[u8]| turn(&[place]);
        let first = begin(b"a");
        let elsewhere = begin(b"b");
        assert!(first.was_alone() && elsewhere.was_alone());
        let second = begin(b"a");
        assert!(!first.was_alone() && !second.was_alone());
        drop(first);
        assert!(!second.was_alone(), "somebody was there when it came");
        let third = begin(b"a");
        drop(second);
        assert!(!third.was_alone());
        drop(third);
        let fourth = begin(b"a");
        assert!(fourth.was_alone());
        drop(begin(b"a"));
        assert!(!fourth.was_alone(), "somebody came and went");
        drop(fourth);
        let fifth = begin(b"a");
        std::fs::remove_file(&fifth.seats[0].path).unwrap();
        assert!(!fifth.was_alone());
        let both = turn(&[b"c", b"b"]);
        assert!(!both.was_alone() && !elsewhere.was_alone());
        assert!(turn(&[]).was_alone());
    }
}
