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
    let policy =
        RetentionPolicy { max_size: Size::from_bytes(1), max_age: Span::from_millis(1), insists: false };
    let _ = store.plan_collection(policy, Timestamp::from_millis(0));
    let _ = store.transactions();
    let _ = History::of(store.layout()).uses();
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
        let samples: Vec<_> = (0..12)
            .map(|number| sample(number, number, if number % 3 == 0 { 40_000 } else { 900 }))
            .collect();
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
    let (mut times, mut warned, mut repaired) = (0, 0, 0);
    for name in files.iter().cycle().take(usize::try_from(effort.times(files.len() as u64)).unwrap()) {
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
        // What no run met is still there; a repair mends it at once.
        if tasks.world.run("local-cache verify").code == 1 {
            assert_eq!(tasks.world.run("local-cache verify --repair").code, 1, "{what}");
            repaired += 1;
        }
        tasks.assert_sound(&what);
        tasks.assert_works(&what, KEPT, 1);
        tasks.assert_works(&what, MADE, 2);
        times += 1;
    }
    figure(
        "damage of any file",
        &format!(
            "{times} damages of {} files, {warned} warnings, {repaired} repaired by hand, 0 wrong",
            files.len()
        ),
    );
}

/// What a verification finds when nothing has run since the damage.
#[test]
fn is_found_by_a_verification_and_mended() {
    let tasks = Tasks::new();
    tasks.assert_right("second", &tasks.world.run(MADE), 2);
    fold(&tasks.world.index());
    tasks.forget_outputs();
    tasks.world.keep();
    let blobs: Vec<_> =
        tasks.world.stored_files().into_iter().filter(|name| name.starts_with("blobs/")).collect();
    let effort = Effort::asked();
    let mut random = effort.random("verification");
    let mut times = 0;
    for name in blobs.iter().cycle().take(usize::try_from(effort.times(8)).unwrap()) {
        tasks.world.restore();
        let damage = Damage::any(&mut random, 40_000);
        let what = format!("{name}, {damage:?}");
        damage.apply(&tasks.world.store().join(name));
        let found = tasks.world.run("local-cache verify");
        let word = if matches!(damage, Damage::Truncate(_)) { "content-" } else { "content-damaged" };
        assert!(found.code == 1 && found.stdout.contains(word), "{what}: {}", found.stdout);
        assert_eq!(tasks.world.run("local-cache verify --repair").code, 1, "{what}");
        tasks.assert_sound(&what);
        tasks.assert_works(&what, KEPT, 1);
        tasks.assert_works(&what, MADE, 2);
        times += 1;
    }
    for change in ["body = substr(body, 2) || x'00'", "checksum = x'00'", "size = size + 1", "expires = 5"] {
        tasks.world.restore();
        rusqlite::Connection::open(tasks.world.index())
            .unwrap()
            .execute(&format!("UPDATE entry SET {change} WHERE task = CAST('make' AS BLOB)"), [])
            .unwrap();
        assert_eq!(tasks.world.run("local-cache verify").code, 1, "{change}");
        assert_eq!(tasks.world.run("local-cache verify --repair").code, 1, "{change}");
        tasks.assert_sound(change);
        tasks.assert_kept(change);
        tasks.assert_works(change, MADE, 2);
        times += 1;
    }
    figure("verification", &format!("{times} damages of contents and rows, all found and mended"));
}

/// A stream that was cut or altered anywhere brings nothing.
#[test]
fn of_an_exported_stream() {
    let original = Original::new(true);
    let store = Store::open(&original.folder.path().join("store")).unwrap();
    let now = Timestamp::from_millis(crate::samples::BEGINNING);
    let keys = original.samples.iter().map(|sample| sample.entry.key).collect();
    let (_, stream) =
        store.export(&keys, now, Vec::new(), &mut |_, _| panic!("nothing is left out")).unwrap();
    // One store a stream, as each process has it.
    let open = || Store::open(&original.folder.path().join("other")).unwrap();
    let effort = Effort::asked();
    let mut random = effort.random("stream");
    let times = effort.times(150);
    let most = Size::from_bytes(1 << 30);
    for _ in 0..times {
        let mut bytes = stream.clone();
        let at = random.below(bytes.len());
        match random.below(4) {
            0 => bytes.truncate(at),
            1 => bytes.extend_from_slice(&stream[at..]),
            _ => bytes[at] ^= 1 << random.below(8),
        }
        let mut other = open();
        assert!(other.import(bytes.as_slice(), most, now).is_err(), "byte {at}");
        assert_eq!(other.index().unwrap().rows().unwrap(), []);
    }
    let imported = open().import(stream.as_slice(), most, now).unwrap();
    assert_eq!(imported.entries, original.samples.len() as u64);
    let mut seen = Seen::default();
    look(&original.folder.path().join("other"), &original.samples, "imported", &mut seen);
    assert_eq!((seen.hits, seen.misses, seen.errors), (12, 0, 0));
    figure("damage of a stream", &format!("{times} cuts and flips, none imported"));
}
