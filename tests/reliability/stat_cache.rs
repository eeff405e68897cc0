//! Digests that are remembered are never the cause of a wrong answer: files are edited in every way that leaves size
//! or times as they were, and after each the digest is that of the bytes.

use crate::support::{Effort, KEPT, Ran, Random, Tasks, World, figure};
use crate::tracer::{answer, is_missing, points};
use std::fs::{self, File, FileTimes};
use std::io::{Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, SystemTime};
use taskcache::model::entry::Content;
use taskcache::store::witness::{WitnessBook, is_unsettled};
use taskcache::world::file::{Witness, file_time};

/// How many files are edited at a time.
const FILES: usize = 200;

/// Ways to change a file, or to make it look changed.
const EDITS: [&str; 9] = [
    "nothing",
    "in place",
    "in place, time put back",
    "in place, time into the future",
    "renamed over",
    "renamed over, time put back",
    "touched",
    "mode changed",
    "replaced by a link",
];

fn times_of(path: &Path) -> FileTimes {
    let metadata = fs::metadata(path).unwrap();
    FileTimes::new().set_accessed(metadata.accessed().unwrap()).set_modified(metadata.modified().unwrap())
}

fn set_times(path: &Path, times: FileTimes) {
    File::options().append(true).open(path).unwrap().set_times(times).unwrap();
}

/// Bytes of always the same length.
fn bytes(random: &mut Random) -> Vec<u8> {
    format!("{:064x}\n", random.next()).into_bytes()
}

fn edit(path: &Path, how: &str, random: &mut Random) {
    let before = times_of(path);
    let in_place = |bytes: &[u8]| {
        let mut file = File::options().write(true).open(path).unwrap();
        file.seek(SeekFrom::Start(0)).unwrap();
        file.write_all(bytes).unwrap();
    };
    let beside = path.with_extension("new");
    match how {
        "nothing" => {}
        "in place" => in_place(&bytes(random)),
        "in place, time put back" => {
            in_place(&bytes(random));
            set_times(path, before);
        }
        "in place, time into the future" => {
            in_place(&bytes(random));
            let future = SystemTime::UNIX_EPOCH + Duration::from_secs(4_000_000_000);
            set_times(path, FileTimes::new().set_modified(future));
        }
        "renamed over" => {
            fs::write(&beside, bytes(random)).unwrap();
            fs::rename(&beside, path).unwrap();
        }
        "renamed over, time put back" => {
            fs::write(&beside, bytes(random)).unwrap();
            set_times(&beside, before);
            fs::rename(&beside, path).unwrap();
        }
        "touched" => set_times(path, FileTimes::new().set_modified(SystemTime::UNIX_EPOCH)),
        "mode changed" => {
            use std::os::unix::fs::PermissionsExt;
            let mode = [0o600, 0o640, 0o644, 0o755][random.below(4)];
            fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
        }
        "replaced by a link" => {
            fs::write(&beside, bytes(random)).unwrap();
            let target = path.with_extension(format!("{:x}", random.next()));
            fs::rename(&beside, &target).unwrap();
            std::os::unix::fs::symlink(&target, &beside).unwrap();
            fs::rename(&beside, path).unwrap();
        }
        other => panic!("{other}"),
    }
}

/// Waits until the file system's own clock says that the files have been left alone for long enough. Nothing else
/// can make a file's change time old.
fn settle(folder: &Path, files: &[PathBuf]) {
    let newest = files.iter().map(|path| Witness::of_target(path).unwrap()).filter(|witness| {
        // A time in the future never settles.
        witness.modified() < 3_000_000_000_000_000_000
    });
    let newest = newest.max_by_key(Witness::last_touched).unwrap();
    while is_unsettled(&newest, file_time(folder).unwrap()) {
        std::thread::park_timeout(Duration::from_millis(20));
    }
}

#[test]
fn every_edit_is_seen() {
    let folder = tempfile::tempdir().unwrap();
    let store = folder.path().join("store");
    let work = folder.path().join("work");
    fs::create_dir_all(store.join("witnesses")).unwrap();
    fs::create_dir(&work).unwrap();
    let effort = Effort::asked();
    let mut random = effort.random("edits");
    let files: Vec<_> = (0..FILES).map(|number| work.join(format!("file-{number}"))).collect();
    for path in &files {
        fs::write(path, bytes(&mut random)).unwrap();
    }
    let (mut edits, mut remembered) = (0_u64, 0_u64);
    let look = |what: &str| {
        let mut book = WitnessBook::at(store.join("witnesses"));
        for path in &files {
            let found = book.content_of(path, None).unwrap().content;
            assert_eq!(found, Content::of(&fs::read(path).unwrap()), "{what}: {}", path.display());
        }
        book.save();
    };
    for round in 0..effort.times(2) {
        settle(folder.path(), &files);
        // Now they are remembered; and here is the proof that the test can fail: some answers come from memory.
        look("settled");
        remembered += u64::from(walkdir::WalkDir::new(store.join("witnesses")).into_iter().count() > 2);
        // At once, without a pause between edit and look, several times within what a clock can tell apart.
        for again in 0..20 {
            for path in &files {
                edit(path, EDITS[random.below(EDITS.len())], &mut random);
                edits += 1;
            }
            look(&format!("round {round}.{again}"));
        }
    }
    assert!(remembered > 0, "nothing was ever remembered");
    figure("stat cache", &format!("{edits} edits of {FILES} files in {} ways, each seen", EDITS.len()));
}

/// Some kernels and file systems answer a copy with nothing copied and no error. That is not the content's fault.
#[test]
fn a_copy_that_the_kernel_does_not_make_is_no_damage() {
    if is_missing("copies that are not made") {
        return;
    }
    let tasks = Tasks::new();
    let blobs = walkdir::WalkDir::new(tasks.world.store().join("blobs")).into_iter().flatten();
    let blobs: Vec<_> = blobs.map(walkdir::DirEntry::into_path).filter(|path| path.is_file()).collect();
    settle(&tasks.world.store(), &blobs);
    tasks.assert_kept("read once, and remembered");
    tasks.forget_outputs();
    assert!(
        !points(&tasks.world, KEPT, &["copy_file_range"], None).is_empty(),
        "what is remembered is copied unseen"
    );
    tasks.forget_outputs();
    tasks.assert_right("nothing copied", &answer(&tasks.world, KEPT, "copy_file_range", 0), 1);
    assert_eq!(tasks.count("kept"), 1, "a sound content was taken for a damaged one");
}

/// Files that change while they are hashed, and while commands read them.
#[test]
fn edits_during_hashing_and_during_runs_store_nothing_wrong() {
    let world = World::new();
    let data = world.work().join("data");
    let versions: Vec<String> = (0..4).map(|number| format!("{number}{}\n", "x".repeat(20_000))).collect();
    fs::write(&data, &versions[0]).unwrap();
    let effort = Effort::asked();
    let is_over = AtomicBool::new(false);
    let runs = effort.times(30);
    let (mut writes, mut torn) = (0_u64, 0_u64);
    std::thread::scope(|scope| {
        let writer = scope.spawn(|| {
            let mut random = effort.random("writer");
            let mut writes = 0;
            while !is_over.load(Ordering::Relaxed) {
                let version = &versions[random.below(versions.len())];
                let times = times_of(&data);
                // In place, so that readers may see a part of each; every second time with its time put back.
                let mut file = File::options().write(true).open(&data).unwrap();
                for part in version.as_bytes().chunks(5000) {
                    file.write_all(part).unwrap();
                }
                if random.below(2) == 0 {
                    set_times(&data, times);
                }
                writes += 1;
                std::thread::park_timeout(Duration::from_millis(random.next() % 12));
            }
            writes
        });
        for _ in 0..runs {
            let ran = world.run("run -i data -- cat data");
            assert_eq!(ran.code, 0, "{}", ran.stderr);
            torn += u64::from(!versions.contains(&ran.stdout));
        }
        is_over.store(true, Ordering::Relaxed);
        writes = writer.join().unwrap();
    });
    // What was stored meanwhile is right for the bytes that it was stored under.
    for version in &versions {
        fs::write(&data, version).unwrap();
        for _ in 0..2 {
            let Ran { code, stdout, .. } = world.run("run -i data -- cat data");
            assert!(code == 0 && stdout == *version, "a wrong hit");
        }
    }
    figure(
        "edits during runs",
        &format!("{runs} runs beside {writes} edits, {torn} of them read torn, 0 wrong hits"),
    );
}

/// Whatever a task's own files look like, a stored result is that of what they hold.
#[test]
fn a_source_that_is_edited_within_a_tick_runs_again() {
    let tasks = Tasks::new();
    let rounds = Effort::asked().times(20);
    let script = tasks.world.work().join("step");
    for round in 0..rounds {
        tasks.world.script("step", &format!("echo {round:06}"));
        set_times(&script, FileTimes::new().set_modified(SystemTime::UNIX_EPOCH));
        let ran = tasks.world.run("run -- ./step");
        assert_eq!(ran.stdout, format!("{round:06}\n"));
    }
    tasks.assert_works("after", KEPT, 1);
    figure("edits of a script", &format!("{rounds} edits of one size and time, each seen"));
}
