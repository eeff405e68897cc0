//! A call on the store fails, once or from then on: the command's output, files and exit code are what they are
//! without a cache, there is at most one warning, and the entry is absent or right.

use crate::support::{Effort, KEPT, MADE, Tasks, World, figure, lines};
use crate::tracer::{CHANGING, Point, READING, fail, is_missing, points};

/// How many faults of each subject are tried under `cargo test`.
const BOUNDED: u64 = 10;

/// What a full, a broken, a forbidden and an exhausted machine say.
const ERRORS: &[&str] = &["ENOSPC", "EIO", "EMFILE", "EACCES", "EROFS", "EDQUOT", "ENOMEM", "EPERM"];

/// Calls that nothing but the store needs. When they fail from some point on, the command is not concerned.
const STORE_ALONE: &[&str] = &[
    "pwrite64",
    "fsync",
    "fdatasync",
    "ftruncate",
    "flock",
    "mkdir",
    "mkdirat",
    "rename",
    "unlink",
    "fchmod",
];

/// What is told of a stream whose end cannot be read when its beginning is out.
const CUT_SHORT: &str = "error: the replay was cut short: cannot read the stored standard ";

/// A fault: where, which error, and whether it stays.
struct Fault {
    point: Point,
    error: &'static str,
    for_good: bool,
}

/// Returns whether a call may fail this way at all: SQLite takes a few errors of a lock for somebody else's lock and
/// waits its time.
fn is_possible(call: &str, error: &str) -> bool {
    match call {
        "fcntl" | "flock" => ["EIO", "EMFILE"].contains(&error),
        // The standard library takes a folder that cannot be closed for a bug, and on a local disk it is one.
        "close" => false,
        "write" | "pwrite64" | "ftruncate" | "fsync" | "fdatasync" => {
            ["ENOSPC", "EIO", "EDQUOT"].contains(&error)
        }
        "read" | "pread64" | "getdents64" => error == "EIO",
        "mmap" => error == "ENOMEM",
        _ => true,
    }
}

/// Injects faults into the calls of `line` that name the store.
fn sweep(subject: &str, line: &str, from: u32) {
    let again = if from == 1 { KEPT } else { MADE };
    if is_missing(subject) {
        return;
    }
    let tasks = Tasks::new();
    tasks.world.keep();
    let store = tasks.world.store();
    // How often a command's pipe is read differs from run to run, so there the numbers of reads mean nothing.
    let calls = [CHANGING, READING].concat().into_iter().filter(|call| line == KEPT || *call != "read");
    let points = points(&tasks.world, line, &calls.collect::<Vec<_>>(), Some(&store));
    let count = points.len();
    let mut faults = Vec::new();
    for point in points {
        for error in ERRORS.iter().filter(|error| is_possible(&point.call, error)) {
            for for_good in [false, true] {
                if !for_good || STORE_ALONE.contains(&point.call.as_str()) {
                    faults.push(Fault { point: point.clone(), error, for_good });
                }
            }
        }
    }
    let all = faults.len();
    let faults = Effort::asked().sample(subject, faults, BOUNDED);
    let (mut injected, mut warned, mut cut_short) = (0, 0, 0);
    for Fault { point, error, for_good } in faults {
        let what = format!("{subject}, {error} at {point}{}", if for_good { " and after" } else { "" });
        tasks.world.restore();
        let ran = fail(&tasks.world, line, &point, error, for_good);
        if ran.stderr.contains(CUT_SHORT) {
            // The one limit: the disk lets go of a content that was proved by its stat facts, half way through a replay.
            let whole = lines(from, 9000);
            assert!(ran.code == 125 && whole.starts_with(&ran.stdout), "{what}: {}", ran.stderr);
            tasks.forget_outputs();
            tasks.assert_right(&what, &tasks.world.run(line), from);
            cut_short += 1;
        } else {
            tasks.assert_right(&what, &ran, from);
        }
        assert!(ran.warnings() <= 1, "{what}: {}", ran.stderr);
        injected += 1;
        warned += ran.warnings();
        tasks.forget_outputs();
        tasks.assert_kept(&what);
        tasks.assert_works(&what, again, from);
        tasks.assert_no_garbage(&what);
    }
    figure(
        subject,
        &format!(
            "{injected} of {all} faults at {count} calls: {warned} warnings, {cut_short} replays cut short, nothing else to be seen"
        ),
    );
}

#[test]
fn in_a_record() {
    sweep("faults in a record", MADE, 2);
}

#[test]
fn in_a_restore() {
    sweep("faults in a restore", KEPT, 1);
}

#[test]
fn in_a_refresh() {
    sweep("faults in a refresh", "run --refresh -o kept -- ./keep", 1);
}

#[test]
fn in_the_middle_of_a_long_replay() {
    let subject = "faults in a long replay";
    if is_missing(subject) {
        return;
    }
    let world = World::new();
    let line = "run --cache-exit 3 -- ./long";
    world.script("long", "echo ran >> ../count; seq 1 90000; exit 3");
    let whole = lines(1, 90_000);
    assert_eq!((world.run(line).code, world.run(line).stdout), (3, whole.clone()));
    world.keep();
    // As before each of the faults: copies are other files, whose digests nobody remembers.
    world.restore();
    let blobs = world.store().join("blobs");
    let reads = points(&world, line, &["read"], Some(&blobs));
    let (mut misses, mut cut) = (0, 0);
    for point in &reads {
        world.restore();
        std::fs::write(world.beside("count"), "").unwrap();
        let ran = fail(&world, line, point, "EIO", false);
        let runs = || std::fs::read_to_string(world.beside("count")).unwrap().lines().count();
        if ran.stdout == whole {
            // Nothing was out yet.
            assert_eq!((ran.code, runs()), (3, 1), "{point}: {}", ran.stderr);
            misses += 1;
        } else {
            let told = "taskcache: error: the replay was cut short: cannot read the stored standard output: \
                        Input/output error (os error 5)\ntaskcache: hint: run it again; --paranoid reads everything \
                        before the first byte is written\n";
            assert_eq!((ran.code, ran.stderr.as_str(), runs()), (125, told, 0), "{point}");
            assert!(!ran.stdout.is_empty() && whole.starts_with(&ran.stdout), "{point}");
            cut += 1;
        }
        // What could not be read is dropped, and the next run but one is a hit again at the latest.
        for _ in 0..2 {
            let again = world.run(line);
            assert!(again.code == 3 && again.stdout == whole && again.stderr.is_empty(), "{}", again.stderr);
        }
        assert_eq!(runs(), 1, "{point}");
    }
    assert!(misses > 0 && cut > 0, "{misses} misses and {cut} replays cut short at {reads:?}");
    figure(
        subject,
        &format!("{} reads fail: {misses} misses, {cut} replays cut short, each told", reads.len()),
    );
}
