//! Killed before the N-th call of a kind, in everything that changes the store or the working tree: afterwards the
//! store opens, what was stored before is still a hit, the next run works, and a collection takes what was left.

use crate::support::{Effort, KEPT, MADE, Ran, Tasks, age_temporaries, figure};
use crate::tracer::{CHANGING, is_missing, kill, points};
use std::fs;
use std::io::Write;
use std::path::Path;
use taskcache::model::digest::Digest;
use taskcache::world::file::{create_private, create_private_folder};

/// How many points of each subject are tried under `cargo test`.
const BOUNDED: u64 = 7;

/// Kills `line` at points, each time in the same world, and asks `check` what it left.
fn sweep(subject: &str, tasks: &Tasks, line: &str, check: impl Fn(&Tasks, &str)) {
    if is_missing(subject) {
        return;
    }
    tasks.world.keep();
    let all = points(&tasks.world, line, CHANGING, None);
    let count = all.len();
    let effort = Effort::asked();
    let mut reached = 0;
    for point in effort.sample(subject, all, BOUNDED) {
        tasks.world.restore();
        reached += u64::from(kill(&tasks.world, line, &point));
        check(tasks, &format!("{subject}, killed at {point}"));
    }
    figure(
        subject,
        &format!("killed at {reached} of {count} points; nothing lost, no wrong byte, nothing left behind"),
    );
    assert!(reached > 0, "{subject}: no point was reached");
}

/// What holds after every crash that takes nothing out.
fn check(tasks: &Tasks, what: &str) {
    tasks.forget_outputs();
    tasks.assert_kept(what);
    tasks.assert_works(what, MADE, 2);
    tasks.assert_no_garbage(what);
}

/// What holds where entries may be gone.
fn check_new(tasks: &Tasks, what: &str) {
    tasks.assert_works(what, KEPT, 1);
    tasks.assert_works(what, MADE, 2);
    tasks.assert_no_garbage(what);
}

#[test]
fn in_a_record() {
    sweep("crash in a record", &Tasks::new(), MADE, check);
}

#[test]
fn in_a_record_that_folds_the_log() {
    let tasks = Tasks::new();
    // It is long from 200 pages on, and a page that is written takes one more.
    let log = tasks.world.store().join("index.db-wal");
    let index = rusqlite::Connection::open(tasks.world.index()).unwrap();
    index.set_db_config(rusqlite::config::DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true).unwrap();
    while log.metadata().unwrap().len() <= 198 * 4120 {
        index.execute("INSERT OR REPLACE INTO meta VALUES ('filler', randomblob(16))", []).unwrap();
    }
    drop(index);
    let subject = "crash in a record that folds the log";
    sweep(subject, &tasks, MADE, check);
    if !is_missing(subject) {
        tasks.world.restore();
        tasks.assert_right("folded", &tasks.world.run(MADE), 2);
        assert_eq!(log.metadata().unwrap().len(), 0, "the log was folded");
    }
}

#[test]
fn in_the_first_run_of_all() {
    let tasks = Tasks::new();
    fs::remove_dir_all(tasks.world.store()).unwrap();
    sweep("crash in the first run", &tasks, MADE, check_new);
}

#[test]
fn in_a_refresh() {
    sweep("crash in a refresh", &Tasks::new(), "run --refresh -o kept -- ./keep", check);
}

#[test]
fn in_a_restore() {
    sweep("crash in a restore", &Tasks::new(), KEPT, |tasks, what| {
        // What was restored is whole or absent; the next run completes it. A later one removes what was staged.
        tasks.assert_kept(what);
        let kept = tasks.world.work().join("kept");
        age_temporaries(&kept);
        for name in ["large", "sub/small"] {
            fs::remove_file(kept.join(name)).unwrap();
        }
        tasks.assert_kept(what);
        let left = walkdir::WalkDir::new(&kept).into_iter().map(|entry| entry.unwrap().into_path());
        let left: Vec<_> = left.filter(|path| path.to_str().unwrap().contains("/.taskcache-")).collect();
        assert!(left.is_empty(), "{what}: {left:?}");
        check(tasks, what);
    });
}

/// Both results stored.
fn two() -> Tasks {
    let tasks = Tasks::new();
    tasks.assert_right("second", &tasks.world.run(MADE), 2);
    tasks.forget_outputs();
    tasks
}

#[test]
fn in_a_clear() {
    sweep("crash in a clear", &two(), "local-cache clear --yes", check_new);
}

#[test]
fn in_the_removal_of_one() {
    sweep("crash in a removal", &two(), "local-cache clear --yes --task make", check);
}

#[test]
fn in_a_collection() {
    let tasks = two();
    // Something of each kind that nobody owns: a dead process's folder, a content without a row.
    let digest = Digest::of(b"garbage").to_string();
    for name in ["tmp/0123456789abcdef/half".to_owned(), format!("blobs/{}/{}", &digest[..2], &digest[2..])] {
        let path = tasks.world.store().join(name);
        create_private_folder(path.parent().unwrap()).unwrap();
        create_private(&path).unwrap().write_all(b"garbage").unwrap();
    }
    sweep("crash in a collection", &tasks, "local-cache gc --max-size 0", check_new);
}

#[test]
fn in_a_migration() {
    let tasks = Tasks::new();
    to_format_1(&tasks.world.index());
    sweep("crash in a migration", &tasks, KEPT, check);
}

/// Takes an index back to its first form: forms are only added to.
fn to_format_1(index: &Path) {
    let tables = ["txn", "staged_entry", "staged_reference", "staged_path_set", "hook"];
    let statements: String = tables.iter().map(|table| format!("DROP TABLE {table};")).collect();
    rusqlite::Connection::open(index)
        .unwrap()
        .execute_batch(&format!("{statements} PRAGMA user_version = 1"))
        .unwrap();
}

#[test]
fn in_moving_a_damaged_index_aside() {
    let tasks = Tasks::new();
    for log in ["index.db-wal", "index.db-shm"] {
        let _ = fs::remove_file(tasks.world.store().join(log));
    }
    fs::write(tasks.world.index(), vec![b'x'; 8192]).unwrap();
    sweep("crash in a quarantine", &tasks, MADE, |tasks, what| {
        // Where the crash came before the move, this run warns and moves.
        tasks.forget_outputs();
        tasks.assert_right(what, &tasks.world.run(MADE), 2);
        tasks.world.run("local-cache clear --yes");
        check_new(tasks, what);
    });
}

/// Runs a line inside of a transaction.
fn inside(tasks: &Tasks, id: &str, line: &str) -> Ran {
    Ran::of(&tasks.world.command(line).env("TASKCACHE_TRANSACTION", id).output().unwrap())
}

fn is_stored(tasks: &Tasks, line: &str) -> bool {
    tasks.forget_outputs();
    tasks.world.run(&line.replacen("run", "run --cached-only", 1)).code == 0
}

#[test]
fn in_a_commit() {
    let tasks = Tasks::new();
    let again = "run --salt again -o made -- ./make";
    let id = tasks.world.run("transaction begin").stdout.trim().to_owned();
    for line in [MADE, again] {
        tasks.assert_right("staged", &inside(&tasks, &id, line), 2);
        tasks.forget_outputs();
    }
    sweep("crash in a commit", &tasks, &format!("transaction commit {id}"), |tasks, what| {
        let both = [MADE, again].map(|line| is_stored(tasks, line));
        assert!(both[0] == both[1], "{what}: a part of the transaction shows");
        if !both[0] {
            assert_eq!(tasks.world.run(&format!("transaction commit {id}")).code, 0, "{what}");
            assert!(
                [MADE, again].iter().all(|line| is_stored(tasks, line)),
                "{what}: staged results are lost"
            );
        }
        check(tasks, what);
    });
}

#[test]
fn in_a_rollback() {
    let tasks = Tasks::new();
    let id = tasks.world.run("transaction begin").stdout.trim().to_owned();
    inside(&tasks, &id, MADE);
    tasks.forget_outputs();
    sweep("crash in a rollback", &tasks, &format!("transaction rollback {id}"), |tasks, what| {
        assert!(!is_stored(tasks, MADE), "{what}: a result shows that was rolled back");
        tasks.world.run(&format!("transaction rollback {id}"));
        check(tasks, what);
    });
}

#[test]
fn in_an_import() {
    let tasks = two();
    assert_eq!(tasks.world.run("local-cache export -o ../stream").code, 0);
    tasks.world.run("local-cache clear --yes --task make");
    sweep("crash in an import", &tasks, "local-cache import ../stream", |tasks, what| {
        tasks.assert_sound(what);
        let again = tasks.world.run("local-cache import ../stream");
        assert_eq!((again.code, again.stderr.as_str()), (0, ""), "{what}");
        assert!(is_stored(tasks, MADE), "{what}: what was imported is no hit");
        check(tasks, what);
    });
}

#[test]
fn in_an_export() {
    let tasks = two();
    assert_eq!(tasks.world.run("local-cache export -o ../whole").code, 0);
    let stream = |tasks: &Tasks, name: &str| fs::read(tasks.world.work().join(name)).ok();
    let whole = stream(&tasks, "../whole");
    sweep("crash in an export", &tasks, "local-cache export -o part", |tasks, what| {
        let part = stream(tasks, "part");
        assert!(part.is_none() || part == whole, "{what}: a part of a stream stands under its name");
        check(tasks, what);
    });
}

#[test]
fn in_a_repair() {
    let tasks = two();
    rusqlite::Connection::open(tasks.world.index())
        .unwrap()
        .execute("UPDATE entry SET body = zeroblob(100) WHERE task = CAST('make' AS BLOB)", [])
        .unwrap();
    assert_eq!(tasks.world.run("local-cache verify").code, 1);
    sweep("crash in a repair", &tasks, "local-cache verify --repair", |tasks, what| {
        tasks.world.run("local-cache verify --repair");
        check(tasks, what);
    });
}
