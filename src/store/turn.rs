//! Who is at work in an output folder.
//!
//! Two runs that write to the same outputs at the same time can each store what the other one wrote: a file that the
//! other had just emptied looks as finished as any. No look at the files can tell. So every run and every restore
//! with outputs says where it is at work, once for each output, and a run stores its result only if nobody else was
//! there from before its first look until after its last. `--serialize` lets them wait for each other; without it, in
//! doubt, nothing is stored.
//!
//! An output may hold another one: one run's `out` is where another one's `out/x` is. So a run also says, of every
//! folder above its outputs, that it is at work somewhere below. Whoever works in the folder as a whole sees that, and
//! is seen from below. Two that work side by side in one folder do not mind each other. Paths are compared as they are
//! declared, made absolute: that two of them lead to one place through a link is not seen.
//!
//! The *gate* is held for the moment of coming in. A place has two files: `place-…` for those who work in it and
//! `below-…` for those who work somewhere below. Each is held shared while at work, and is only ever taken behind the
//! gate; so whoever can have it alone there knows that nobody is at work. Each has a byte for every arrival: it grew if
//! somebody came later, whether or not they have gone again. It is emptied when nobody is in either of the two, and
//! removed by a collection then.

use super::{Layout, PATIENCE, StoreError};
use crate::model::codec::Encoder;
use crate::model::digest::Digest;
use crate::world::file::{FileError, Witness, open_private};
use crate::world::lock::{FileLock, Sharing, is_held};
use rustix::fs::OFlags;
use std::collections::BTreeSet;
use std::io::Write;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Where a declared output is.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    own: Digest,
    /// Whether everything below belongs to it.
    is_whole: bool,
    above: Vec<Digest>,
}

impl Place {
    /// The file or the whole folder at an absolute path.
    pub fn whole(path: &Path) -> Self {
        let above = path.ancestors().skip(1);
        Self { own: named(path), is_whole: true, above: folders(above) }
    }

    /// What a pattern matches below an absolute folder.
    pub fn matches(folder: &Path, pattern: &[u8]) -> Self {
        let mut encoder = Encoder::new();
        encoder.bytes(folder.as_os_str().as_bytes()).bytes(pattern);
        Self { own: Digest::of(&encoder.finish()), is_whole: false, above: folders(folder.ancestors()) }
    }
}

fn named(path: &Path) -> Digest {
    let mut encoder = Encoder::new();
    encoder.bytes(path.as_os_str().as_bytes());
    Digest::of(&encoder.finish())
}

/// The root itself is nobody's output.
fn folders<'a>(paths: impl Iterator<Item = &'a Path>) -> Vec<Digest> {
    paths.filter(|path| path.parent().is_some()).map(named).collect()
}

/// Being at work in some places, until it is dropped.
#[derive(Debug)]
pub struct Turn {
    /// Whether nobody was at work when we came.
    came_alone: bool,
    /// The files that somebody else's arrival changes, as they were after our own.
    watched: Vec<(PathBuf, Option<Arrivals>)>,
    _at_work: Vec<FileLock>,
}

/// Which file it is, and how many arrived.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Arrivals {
    identity: (u64, u64),
    count: u64,
}

impl Turn {
    /// Comes in.
    pub fn begin(layout: &Layout, places: &BTreeSet<Place>) -> Result<Self, StoreError> {
        let locks = Locks::of(layout);
        let busy = || StoreError::Locked(layout.root.clone());
        let _gate = locks.gate()?.ok_or_else(busy)?;
        let own: BTreeSet<Digest> = places.iter().map(|place| place.own).collect();
        let whole: BTreeSet<Digest> =
            places.iter().filter(|place| place.is_whole).map(|place| place.own).collect();
        let above: BTreeSet<Digest> = places.iter().flat_map(|place| &place.above).copied().collect();
        let inside: Vec<PathBuf> = own.union(&above).map(|place| locks.inside(place)).collect();
        let below: Vec<PathBuf> = whole.iter().map(|place| locks.below(place)).collect();
        let watched: Vec<PathBuf> = inside.into_iter().chain(below).collect();
        let mut came_alone = true;
        for path in &watched {
            came_alone &= is_free(path)?;
        }
        let mut at_work = Vec::new();
        for (place, path) in own
            .iter()
            .map(|place| (place, locks.inside(place)))
            .chain(above.iter().map(|place| (place, locks.below(place))))
        {
            let is_long = Witness::of_path(&path).is_ok_and(|witness| witness.size() >= LONG);
            let is_over = is_long && locks.is_empty(place)?;
            at_work.extend(FileLock::take(&path, Sharing::Shared, Duration::ZERO)?);
            let mut file = open_private(&path, OFlags::WRONLY | OFlags::APPEND)?;
            // Nobody counts on the bytes of those who have gone.
            let emptied = if is_over { file.set_len(0) } else { Ok(()) };
            emptied.and_then(|()| file.write_all(b".")).map_err(FileError::of("append to", &path))?;
        }
        let watched = watched.into_iter().map(|path| (arrivals(&path), path)).map(|(now, path)| (path, now));
        Ok(Self { came_alone, watched: watched.collect(), _at_work: at_work })
    }

    /// Returns whether nobody else was at work at any time until now.
    pub fn was_alone(&self) -> bool {
        self.came_alone && self.watched.iter().all(|(path, then)| arrivals(path) == *then)
    }
}

/// Removes the files of places that nobody is at work in; returns how many. Where nobody gets in, they stay for the
/// next time.
pub(super) fn sweep(layout: &Layout) -> Result<usize, FileError> {
    let locks = Locks::of(layout);
    let Some(_gate) = locks.gate()? else { return Ok(0) };
    let mut swept = 0;
    let names = std::fs::read_dir(&locks.folder).map_err(FileError::of("read folder", &locks.folder))?;
    for name in names.flatten().map(|entry| entry.file_name()) {
        let text = name.to_string_lossy();
        let Some(place) = text.strip_prefix(INSIDE).or_else(|| text.strip_prefix(BELOW)) else { continue };
        let Ok(place) = place.parse::<Digest>() else { continue };
        // Whoever is in one of the two counts on the other one.
        if locks.is_empty(&place)? {
            let path = locks.folder.join(&name);
            std::fs::remove_file(&path).map_err(FileError::of("remove", &path))?;
            swept += 1;
        }
    }
    Ok(swept)
}

/// From how many bytes on a file is emptied: each time would cost ten times as much as the byte does.
const LONG: u64 = 4096;

const INSIDE: &str = "place-";
const BELOW: &str = "below-";

struct Locks {
    folder: PathBuf,
}

impl Locks {
    fn of(layout: &Layout) -> Self {
        Self { folder: layout.path("locks") }
    }

    fn gate(&self) -> Result<Option<FileLock>, FileError> {
        FileLock::take(&self.folder.join("places"), Sharing::Exclusive, PATIENCE)
    }

    fn inside(&self, place: &Digest) -> PathBuf {
        self.folder.join(format!("{INSIDE}{place}"))
    }

    fn below(&self, place: &Digest) -> PathBuf {
        self.folder.join(format!("{BELOW}{place}"))
    }

    fn is_empty(&self, place: &Digest) -> Result<bool, FileError> {
        Ok(is_free(&self.inside(place))? && is_free(&self.below(place))?)
    }
}

/// Only to be called behind the gate.
fn is_free(path: &Path) -> Result<bool, FileError> {
    Ok(is_held(path)? != Some(true))
}

fn arrivals(path: &Path) -> Option<Arrivals> {
    let witness = Witness::of_path(path).ok()?;
    Some(Arrivals { identity: witness.identity(), count: witness.size() })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layout() -> (tempfile::TempDir, Layout) {
        let folder = tempfile::tempdir().unwrap();
        let layout = Layout { root: folder.path().to_owned() };
        std::fs::create_dir(layout.path("locks")).unwrap();
        (folder, layout)
    }

    fn begin(layout: &Layout, places: &[&str]) -> Turn {
        let places = places.iter().map(|place| match place.rsplit_once("/*") {
            Some((folder, rest)) => Place::matches(Path::new(folder), rest.as_bytes()),
            None => Place::whole(Path::new(place)),
        });
        Turn::begin(layout, &places.collect()).unwrap()
    }

    #[test]
    fn only_who_was_alone_all_the_time_was_alone() {
        let (_folder, layout) = layout();
        let begin = |places: &[&str]| begin(&layout, places);
        let first = begin(&["/w/a"]);
        let elsewhere = begin(&["/w/b"]);
        assert!(first.was_alone() && elsewhere.was_alone());
        let second = begin(&["/w/a"]);
        assert!(!first.was_alone() && !second.was_alone());
        drop(first);
        assert!(!second.was_alone(), "somebody was there when it came");
        let third = begin(&["/w/a"]);
        drop(second);
        assert!(!third.was_alone());
        drop(third);
        let fourth = begin(&["/w/a"]);
        assert!(fourth.was_alone());
        drop(begin(&["/w/a"]));
        assert!(!fourth.was_alone(), "somebody came and went");
        drop(fourth);
        let fifth = begin(&["/w/a"]);
        std::fs::remove_file(&fifth.watched[0].0).unwrap();
        assert!(!fifth.was_alone());
        let both = begin(&["/w/c", "/w/b"]);
        assert!(!both.was_alone() && !elsewhere.was_alone());
        assert!(begin(&[]).was_alone());
    }

    #[test]
    fn an_output_within_another_is_seen_from_both_sides() {
        for (one, other) in [
            ("/w/out", "/w/out/x"),
            ("/w/out/x", "/w/out"),
            ("/w/out", "/w/out/x/y/z"),
            ("/w/out", "/w/out/*.o"),
            ("/w/out/*.o", "/w/out"),
            ("/w", "/w/out"),
        ] {
            let (_folder, layout) = layout();
            let first = begin(&layout, &[one]);
            assert!(first.was_alone());
            let second = begin(&layout, &[other]);
            assert!(!first.was_alone() && !second.was_alone(), "{one} and {other}");
            drop(second);
            assert!(!first.was_alone(), "{other} came and went");
            drop(first);
            let again = begin(&layout, &[one]);
            assert!(again.was_alone());
            drop(begin(&layout, &[other]));
            assert!(!again.was_alone(), "{other} came and went");
        }
    }

    #[test]
    fn neighbours_do_not_mind_each_other() {
        let (_folder, layout) = layout();
        let first = begin(&layout, &["/w/out/x", "/w/out/y/z"]);
        let second = begin(&layout, &["/w/out/xx"]);
        let third = begin(&layout, &["/w/out/y/*.o"]);
        drop(begin(&layout, &["/w/other"]));
        assert!(first.was_alone() && second.was_alone() && third.was_alone());
        // Outputs of one run are no strangers to each other.
        assert!(begin(&layout, &["/v/out", "/v/out/x", "/v/out/*.o"]).was_alone());
    }

    #[test]
    fn files_of_places_go_when_nobody_is_there() {
        let (_folder, layout) = layout();
        let count = || std::fs::read_dir(layout.path("locks")).unwrap().count() - 1;
        drop(begin(&layout, &["/w/b"]));
        let stays = begin(&layout, &["/w/out/a"]);
        assert_eq!(count(), 4, "two outputs and two folders");
        assert_eq!(sweep(&layout).unwrap(), 1);
        assert!(stays.was_alone());
        let other = begin(&layout, &["/w/out"]);
        assert_eq!(sweep(&layout).unwrap(), 0);
        assert!(!stays.was_alone() && !other.was_alone());
        drop((stays, other));
        sweep(&layout).unwrap();
        assert_eq!(count(), 0);
    }
}
