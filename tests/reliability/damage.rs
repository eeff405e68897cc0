//! Bits flip, files lose their ends, pages go blank: each look-up is right, a miss, or a clean error, and the next run
//! mends what was found.

use crate::samples::{Sample, bytes_of, sample, store_of};
use crate::support::{Effort, KEPT, MADE, Random, Tasks, copy, figure};
use std::fs;
use std::path::{Path, PathBuf};
use taskcache::model::retention::RetentionPolicy;
use taskcache::model::time::{Size, Span, Timestamp};
use taskcache::store::history::History;
use taskcache::store::{Found, Store};

/// What is done to a file.
#[derive(Debug, Clone, Copy)]
enum Damage {
    Flip {
        at: usize,
        bit: u8,
    },
    Truncate(usize),
    /// A sector goes blank.
    Blank(usize),
    Delete,
}

const SECTOR: usize = 512;

impl Damage {
    fn any(random: &mut Random, length: usize) -> Self {
        let at = random.below(length.max(1));
        match random.below(8) {
            0 => Self::Truncate(at),
            1 => Self::Blank(at - at % SECTOR),
            _ if length == 0 => Self::Delete,
            _ => Self::Flip { at, bit: 1 << random.below(8) },
        }
    }

    fn apply(self, path: &Path) {
        let mut bytes = fs::read(path).unwrap();
        let length = bytes.len();
        match self {
            Self::Flip { at, bit } => bytes[at] ^= bit,
            Self::Truncate(to) => bytes.truncate(to),
            Self::Blank(at) => bytes[at..length.min(at + SECTOR)].fill(0),
            Self::Delete => return fs::remove_file(path).unwrap(),
        }
        fs::write(path, bytes).unwrap();
    }
}

/// Folds the log into the index, so that damage there is damage.
fn fold(index: &Path) {
    let connection = rusqlite::Connection::open(index).unwrap();
    connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).unwrap();
}

/// What became of look-ups.
#[derive(Default)]
struct Seen {
    hits: u64,
    misses: u64,
    errors: u64,
}

/// Asks a store for every sample, and for all that lists and collections read.
fn look(root: &Path, samples: &[Sample], what: &str, seen: &mut Seen) {
    let store = match Store::open_existing(root) {
        Ok(store) => store,
        Err(error) => {
            assert!(!error.to_string().is_empty());
            seen.errors += 1;
            return;
        }
    };
    for Sample { entry, bytes } in samples {
        match store.find(&entry.key) {
            Ok(Found::Entry(found)) => {
                assert!(*found == *entry, "{what}: a wrong entry");
                for (content, expected) in
                    [entry.transcript.stdout, entry.outputs.contents().next().unwrap()].iter().zip(bytes)
                {
                    match bytes_of(&store, content) {
                        Ok(Some(found)) => assert!(found == *expected, "{what}: wrong bytes"),
                        Ok(None) => seen.misses += 1,
                        Err(_) => seen.errors += 1,
                    }
                }
                seen.hits += 1;
            }
            Ok(Found::Absent | Found::Damaged) => seen.misses += 1,
            Err(_) => seen.errors += 1,
        }
        let _ = store.path_sets(&entry.recipe);
    }
    let policy = RetentionPolicy { max_size: Size::from_bytes(1), max_age: Span::from_millis(1) };
    let _ = store.plan_collection(policy, Timestamp::from_millis(0));
    let _ = store.transactions();
    let _ = History::of(store.layout()).read();
}

/// A store beside which damaged copies are made.
struct Original {
    folder: tempfile::TempDir,
    samples: Vec<Sample>,
}

impl Original {
    fn new(is_folded: bool) -> Self {
        let folder = tempfile::tempdir().unwrap();
        // Small contents in the index, and some with a file of their own.
        let samples: Vec<_> =
            (0..12).map(|number| sample(number, 0, if number % 3 == 0 { 40_000 } else { 900 })).collect();
        let root = folder.path().join("store");
        drop(store_of(&root, &samples));
        if is_folded {
            fold(&root.join("index.db"));
        }
        Self { folder, samples }
    }

    fn damaged_copy(&self, name: &str, damage: Damage) -> PathBuf {
        let copied = self.folder.path().join("copy");
        let _ = fs::remove_dir_all(&copied);
        copy(&self.folder.path().join("store"), &copied);
        damage.apply(&copied.join(name));
        copied
    }
}

/// Damages a file of the index again and again, and looks each time.
fn index_file(subject: &str, is_folded: bool, name: &str, bounded: u64) {
    let original = Original::new(is_folded);
    let length = fs::read(original.folder.path().join("store").join(name)).unwrap().len();
    let effort = Effort::asked();
    let mut random = effort.random(subject);
    let mut seen = Seen::default();
    let times = effort.times(bounded);
    for round in 0..times {
        // Every page has its turn, and a random place in it.
        let page = usize::try_from(round).unwrap() * 4096 % length;
        let within = (length - page).min(4096);
        let damage = match Damage::any(&mut random, within) {
            Damage::Flip { at, bit } => Damage::Flip { at: page + at, bit },
            Damage::Truncate(to) => Damage::Truncate(page + to),
            Damage::Blank(at) => Damage::Blank(page + at),
            Damage::Delete => Damage::Delete,
        };
        let root = original.damaged_copy(name, damage);
        look(&root, &original.samples, &format!("{subject}: {damage:?}"), &mut seen);
    }
    let Seen { hits, misses, errors } = seen;
    figure(
        subject,
        &format!(
            "{times} damages over {} pages: {hits} right answers, {misses} misses, {errors} clean errors, 0 wrong",
            length.div_ceil(4096)
        ),
    );
    assert!(hits > 0 && misses + errors > 0, "the damage was seen");
}

#[test]
fn of_the_index() {
    index_file("damage of the index", true, "index.db", 400);
}

#[test]
fn of_the_log_of_the_index() {
    index_file("damage of the log", false, "index.db-wal", 200);
}

#[test]
fn of_contents() {
    let original = Original::new(true);
    let store = original.folder.path().join("store");
    let blobs: Vec<_> = walkdir::WalkDir::new(store.join("blobs"))
        .into_iter()
        .map(Result::unwrap)
        .filter(|entry| entry.file_type().is_file())
        .map(|entry| entry.path().strip_prefix(&store).unwrap().to_str().unwrap().to_owned())
        .collect();
    assert_eq!(blobs.len(), 4);
    let effort = Effort::asked();
    let mut random = effort.random("contents");
    let mut seen = Seen::default();
    let times = effort.times(50);
    for _ in 0..times {
        for name in &blobs {
            let damage = Damage::any(&mut random, 40_000);
            let root = original.damaged_copy(name, damage);
            let before = seen.misses;
            look(&root, &original.samples, &format!("{name}: {damage:?}"), &mut seen);
            assert!(seen.misses > before, "{name}: {damage:?} was not seen");
        }
    }
    figure(
        "damage of contents",
        &format!("{} damages of {} contents, all seen, 0 wrong", times * 4, blobs.len()),
    );
}

/// The whole program on a store of which any file was damaged.
#[test]
fn of_any_file() {
    let tasks = Tasks::new();
    tasks.assert_right("second", &tasks.world.run(MADE), 2);
    // Witnesses want files that were left alone for a while; placements are there already.
    tasks.assert_right("third", &tasks.world.run(KEPT), 1);
    fold(&tasks.world.index());
    tasks.world.keep();
    let files = tasks.world.stored_files();
    let effort = Effort::asked();
    let mut random = effort.random("files");
    let (mut times, mut warned) = (0, 0);
    for name in files.iter().cycle().take(usize::try_from(effort.times(3 * files.len() as u64)).unwrap()) {
        tasks.world.restore();
        let path = tasks.world.store().join(name);
        let length = usize::try_from(fs::metadata(&path).unwrap().len()).unwrap();
        let damage = if random.below(5) == 0 { Damage::Delete } else { Damage::any(&mut random, length) };
        let what = format!("{name}, {damage:?}");
        damage.apply(&path);
        for (line, from) in [(KEPT, 1), (MADE, 2)] {
            let ran = tasks.world.run(line);
            tasks.assert_right(&what, &ran, from);
            assert!(ran.warnings() <= 1, "{what}: {}", ran.stderr);
            warned += ran.warnings();
        }
        for line in ["list", "stats", "list --format json", "gc"] {
            tasks.world.run(&format!("local-cache {line}"));
        }
        tasks.assert_works(&what, KEPT, 1);
        tasks.assert_works(&what, MADE, 2);
        times += 1;
    }
    figure(
        "damage of any file",
        &format!("{times} damages of {} files, {warned} warnings, 0 wrong", files.len()),
    );
}
