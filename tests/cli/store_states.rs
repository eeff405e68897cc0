//! Stores in every state that a disk, a user or another program can leave them in. The command runs and ends as it
//! would have, and where the store can be mended the next run works again.

use crate::support::{Ran, TestEnv, ran};
use std::fs;
use std::path::{Path, PathBuf};

/// Prints a line, counts itself and fails with a code of its own.
const LINE: &str = "run --cache-exit any -- sh -c 'echo ran >> count; echo out; exit 3'";

fn filled() -> TestEnv {
    let env = TestEnv::new();
    assert_eq!(env.run(LINE), ran(3, "out\n"));
    assert_eq!(env.run(LINE), ran(3, "out\n"));
    assert_eq!(env.count(), 1);
    // What is tried here is the index.
    env.forget_hot_records();
    env
}

fn index(env: &TestEnv) -> PathBuf {
    env.store().join("index.db")
}

/// Lets all of the index be in one file.
fn without_log(env: &TestEnv) {
    let connection = rusqlite::Connection::open(index(env)).unwrap();
    connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).unwrap();
}

fn names(folder: &Path) -> Vec<String> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let mut names: Vec<_> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

/// Asserts that a run warned once, in words that hold `warning`, and was otherwise like any other.
fn assert_warned(what: &str, found: &Ran, warning: &str) {
    assert_eq!((found.code, found.stdout.as_str()), (3, "out\n"), "{what}: {found:?}");
    assert!(found.stderr.starts_with("taskcache: warning: "), "{what}: {found:?}");
    assert!(found.stderr.contains(warning), "{what}: {found:?}");
    assert_eq!(found.stderr.lines().count(), 1, "{what}: {found:?}");
}

/// Asserts that the store works.
fn assert_works(what: &str, env: &TestEnv) {
    let before = env.count();
    for _ in 0..2 {
        assert_eq!(env.run(LINE), ran(3, "out\n"), "{what}");
    }
    assert!(env.count() - before <= 1, "{what}");
    assert_eq!(env.run("local-cache list").code, 0, "{what}");
}

#[test]
fn a_damaged_index_is_moved_aside() {
    type Damage = fn(&Path);
    let damages: [(&str, Damage); 4] = [
        ("rubbish", |path| fs::write(path, vec![b'x'; 8192]).unwrap()),
        ("truncated", |path| fs::File::options().write(true).open(path).unwrap().set_len(5000).unwrap()),
        ("damaged head", |path| {
            let mut bytes = fs::read(path).unwrap();
            bytes[100..4096].fill(0xff);
            fs::write(path, bytes).unwrap();
        }),
        ("a folder", |path| {
            fs::remove_file(path).unwrap();
            fs::create_dir(path).unwrap();
        }),
    ];
    for (what, damage) in damages {
        let env = filled();
        without_log(&env);
        damage(&index(&env));
        let before = env.count();
        assert_warned(what, &env.run(LINE), "is damaged");
        assert_eq!(env.count() - before, 1, "{what}");
        let aside = names(&env.store().join("quarantine"));
        assert!(aside.first().is_some_and(|name| name.starts_with("index.db.damaged-")), "{what}: {aside:?}");
        assert_works(what, &env);
        assert_eq!(env.run("local-cache clear"), ran(0, "removed 1 entry, 4 B\n"), "{what}");
        assert!(!env.store().join("quarantine").exists(), "{what}");
    }
}

#[test]
fn damage_behind_a_sound_head_is_found_when_it_is_read() {
    let env = filled();
    without_log(&env);
    let mut bytes = fs::read(index(&env)).unwrap();
    // All pages but that of the schema and that of the secret.
    let page = |number: usize| 4096 * (number - 1)..4096 * number;
    let secret: i64 = rusqlite::Connection::open(index(&env))
        .unwrap()
        .query_row("SELECT rootpage FROM sqlite_schema WHERE name = 'meta'", [], |row| row.get(0))
        .unwrap();
    for number in 2..=bytes.len() / 4096 {
        if number != usize::try_from(secret).unwrap() {
            bytes[page(number)].fill(0xff);
        }
    }
    fs::write(index(&env), bytes).unwrap();
    assert_warned("pages", &env.run(LINE), "is damaged");
    assert!(!names(&env.store().join("quarantine")).is_empty());
    assert_works("pages", &env);
}

#[test]
fn local_cache_commands_say_what_became_of_a_damaged_index() {
    let env = filled();
    without_log(&env);
    fs::write(index(&env), vec![b'x'; 8192]).unwrap();
    let message = format!(
        "taskcache: error: the index '{}' is damaged: file is not a database: \
         Error code 26: file is not a database\n\
         taskcache: hint: it is moved to 'quarantine' in the store where that can be written; \
         the next run starts anew\n",
        index(&env).display()
    );
    assert_eq!(env.run("local-cache list"), ran(125, "").with_stderr(&message));
    assert_eq!(env.run("local-cache list"), ran(0, "no entries\n"));
    assert_works("after", &env);
}

#[test]
fn an_empty_index_is_an_empty_store() {
    // SQLite takes a file that is too short for its head for one that was just made.
    for bytes in [&b""[..], b"x"] {
        let env = filled();
        fs::write(index(&env), bytes).unwrap();
        assert_works("short", &env);
        assert_eq!(env.count(), 2);
        assert!(!env.store().join("quarantine").exists());
    }
}

#[test]
fn logs_that_belong_to_no_index_do_no_harm() {
    let other = filled();
    for what in ["an index without its log", "a log without its index", "a foreign log"] {
        let env = filled();
        let log = env.store().join("index.db-wal");
        match what {
            "an index without its log" => fs::remove_file(&log).unwrap(),
            "a log without its index" => fs::remove_file(index(&env)).unwrap(),
            _ => {
                fs::copy(other.store().join("index.db-wal"), &log).unwrap();
                fs::write(env.store().join("index.db-shm"), "").unwrap();
            }
        }
        let found = env.run(LINE);
        assert_eq!((found.code, found.stdout.as_str()), (3, "out\n"), "{what}: {found:?}");
        assert_works(what, &env);
    }
}

#[test]
fn a_row_that_lies_is_a_miss_and_is_mended() {
    for change in [
        "UPDATE entry SET body = zeroblob(100)",
        "UPDATE entry SET body = 'text'",
        "UPDATE entry SET checksum = zeroblob(16)",
        "UPDATE entry SET checksum = NULL WHERE 0; UPDATE entry SET checksum = 5",
        "UPDATE small_content SET bytes = zeroblob(4)",
        "UPDATE small_content SET bytes = zeroblob(9)",
        "DELETE FROM small_content",
    ] {
        let env = filled();
        rusqlite::Connection::open(index(&env)).unwrap().execute_batch(change).unwrap();
        assert_eq!(env.run(LINE), ran(3, "out\n"), "{change}");
        assert_eq!(env.count(), 2, "{change}");
        assert_eq!(env.run(LINE), ran(3, "out\n"), "{change}");
        assert_eq!(env.count(), 2, "{change}");
    }
}

#[test]
fn a_hot_record_is_right_or_not_asked() {
    let recorded = || {
        let env = TestEnv::new();
        env.run(LINE);
        without_log(&env);
        env
    };
    type Damage = fn(&TestEnv);
    let damages: [(&str, Damage, usize); 5] = [
        ("rows that lie", |env| change_index(env, "UPDATE entry SET body = zeroblob(100)"), 1),
        ("a newer format", |env| change_index(env, "PRAGMA user_version = 99"), 2),
        ("an index of somebody else's", |env| change_index(env, "PRAGMA application_id = 5"), 2),
        ("rubbish", |env| fs::write(index(env), vec![b'x'; 8192]).unwrap(), 2),
        ("no index", |env| fs::remove_file(index(env)).unwrap(), 2),
    ];
    for (what, damage, runs) in damages {
        let env = recorded();
        damage(&env);
        let found = env.run(LINE);
        assert_eq!((found.code, found.stdout.as_str(), env.count()), (3, "out\n", runs), "{what}");
    }
    for (what, line) in [
        ("cleared", "local-cache clear --yes"),
        ("over the size", "local-cache gc --max-size 0"),
        ("removed", "local-cache remove KEY"),
    ] {
        let env = recorded();
        let key = env.run(&LINE.replacen("run", "key", 1)).stdout;
        let line = line.replace("KEY", key.trim());
        assert_eq!(env.run(&line).code, 0, "{what}");
        assert_eq!((env.run(LINE).code, env.count()), (3, 2), "{what}");
    }
}

fn change_index(env: &TestEnv, statements: &str) {
    rusqlite::Connection::open(index(env)).unwrap().execute_batch(statements).unwrap();
}

#[test]
fn rows_that_nobody_wrote_do_not_keep_the_store_from_being_cleared() {
    let env = filled();
    rusqlite::Connection::open(index(&env))
        .unwrap()
        .execute_batch("UPDATE entry SET exit_code = 'x', task = 5")
        .unwrap();
    assert_eq!(env.run(LINE), ran(3, "out\n"));
    env.run("local-cache clear");
    assert_eq!(env.run("local-cache clear").code, 0);
    assert_works("after", &env);
}

#[test]
fn entries_that_were_swapped_are_no_hits() {
    let env = TestEnv::new();
    let line = |word: &str| format!("run -- sh -c 'echo ran >> count; echo {word}'");
    env.run(&line("one"));
    env.run(&line("two"));
    let swap = "CREATE TABLE s AS SELECT key, body, checksum FROM entry;
                UPDATE entry SET (body, checksum) =
                    (SELECT body, checksum FROM s WHERE s.key != entry.key);
                DROP TABLE s";
    env.forget_hot_records();
    rusqlite::Connection::open(index(&env)).unwrap().execute_batch(swap).unwrap();
    assert_eq!(env.run(&line("one")), ran(0, "one\n"));
    assert_eq!(env.run(&line("two")), ran(0, "two\n"));
    assert_eq!(env.count(), 4);
}

/// Returns the files of large contents.
fn blobs(env: &TestEnv) -> Vec<PathBuf> {
    let steps = walkdir::WalkDir::new(env.store().join("blobs")).into_iter().map(Result::unwrap);
    steps.filter(|step| step.file_type().is_file()).map(walkdir::DirEntry::into_path).collect()
}

#[test]
fn contents_that_were_damaged_are_a_miss_and_are_mended() {
    type Damage = fn(&Path);
    let damages: [(&str, Damage); 7] = [
        ("missing", |path| fs::remove_file(path).unwrap()),
        ("empty", |path| fs::write(path, b"").unwrap()),
        ("short", |path| fs::write(path, b"x").unwrap()),
        ("flipped", |path| {
            let mut bytes = fs::read(path).unwrap();
            bytes[50_000] ^= 1;
            fs::write(path, bytes).unwrap();
        }),
        ("long", |path| {
            let mut bytes = fs::read(path).unwrap();
            bytes.push(0);
            fs::write(path, bytes).unwrap();
        }),
        ("a folder", |path| {
            fs::remove_file(path).unwrap();
            fs::create_dir(path).unwrap();
            fs::write(path.join("x"), "").unwrap();
        }),
        ("a link", |path| {
            fs::remove_file(path).unwrap();
            std::os::unix::fs::symlink("/dev/zero", path).unwrap();
        }),
    ];
    for (what, damage) in damages {
        let env = TestEnv::new();
        env.script("make", "#!/bin/sh\necho ran >> count\nseq 20000 > out\nseq 1 30000\n");
        let run = || {
            let found = env.run("run -o out -- ./make");
            assert_eq!((found.code, found.stdout.len(), found.stderr.as_str()), (0, 168_894, ""), "{what}");
            assert_eq!(env.read("out").unwrap().len(), 108_894, "{what}");
            fs::remove_file(env.work().join("out")).unwrap();
        };
        run();
        let files = blobs(&env);
        assert_eq!(files.len(), 2, "{what}");
        for (number, path) in files.iter().enumerate() {
            damage(path);
            run();
            assert_eq!(env.count(), 2 + number, "{what}");
            run();
            assert_eq!(env.count(), 2 + number, "{what}");
        }
    }
}

#[test]
fn a_store_that_is_no_store_costs_a_warning() {
    let env = TestEnv::new();
    fs::create_dir(env.work().join("foreign")).unwrap();
    rusqlite::Connection::open(env.work().join("foreign/index.db"))
        .unwrap()
        .execute_batch("CREATE TABLE theirs (x); INSERT INTO theirs VALUES (1)")
        .unwrap();
    env.write("file", "theirs");
    std::os::unix::fs::symlink("loop", env.work().join("loop")).unwrap();
    let work = env.work();
    let shown = |name: &str| work.join(name).display().to_string();
    let hint = "taskcache: hint: choose another store with --cache-dir, or run with --fail-mode open\n";
    // In the words of the C library, which differ.
    let too_many_links = std::io::Error::from(rustix::io::Errno::LOOP);
    for (store, reason) in [
        ("file", format!("the store '{}' is not a folder", shown("file"))),
        ("file/below", format!("the store '{}' is not a folder", shown("file/below"))),
        ("foreign", format!("'{}' is not a taskcache index", shown("foreign/index.db"))),
        ("loop", format!("cannot look at '{}': {too_many_links}", shown("loop"))),
    ] {
        let line = |options: &str| LINE.replace("run ", &format!("run --cache-dir {store} {options} "));
        let warning = format!("taskcache: warning: running without the cache: {reason}\n");
        for _ in 0..2 {
            assert_eq!(env.run(&line("")), ran(3, "out\n").with_stderr(&warning), "{store}");
        }
        let before = env.count();
        let error = format!("taskcache: error: {reason}\n{hint}");
        assert_eq!(env.run(&line("--fail-mode closed")), ran(125, "").with_stderr(&error), "{store}");
        assert_eq!(env.count(), before, "{store}");
        let listed = env.run(&format!("local-cache list --cache-dir {store}"));
        assert_eq!((listed.code, listed.stdout.as_str()), (125, ""), "{store}");
    }
    assert_eq!(env.read("file").as_deref(), Some("theirs"));
    let theirs: i64 = rusqlite::Connection::open(env.work().join("foreign/index.db"))
        .unwrap()
        .query_row("SELECT x FROM theirs", [], |row| row.get(0))
        .unwrap();
    assert_eq!(theirs, 1);
}

#[test]
fn a_newer_store_is_left_alone() {
    let env = filled();
    rusqlite::Connection::open(index(&env)).unwrap().execute_batch("PRAGMA user_version = 99").unwrap();
    without_log(&env);
    let before = fs::read(index(&env)).unwrap();
    assert_warned("newer", &env.run(LINE), "has format 99");
    for command in ["list", "stats", "clear --yes", "show abcdef", "remove abcdef"] {
        let found = env.run(&format!("local-cache {command}"));
        assert_eq!((found.code, found.stdout.as_str()), (125, ""), "{command}");
        assert!(found.stderr.contains("has format 99"), "{command}: {}", found.stderr);
    }
    assert!(fs::read(index(&env)).unwrap() == before);
    assert!(!env.store().join("quarantine").exists());
}

#[test]
fn a_store_that_goes_away_during_the_run_costs_the_result_only() {
    let mut env = TestEnv::new();
    env.set("STORE", env.store());
    for (what, script) in [
        ("deleted", "rm -r \"$STORE\"; echo out; exit 0"),
        ("moved", "mv \"$STORE\" \"$STORE.$$\"; echo out"),
        ("replaced", "mv \"$STORE\" \"$STORE.$$\"; taskcache run -- true; echo out"),
    ] {
        let line = format!("taskcache run --salt '{what}' -- sh -c 'echo ran >> count; {script}'");
        let before = env.count();
        let found = env.shell(&line);
        assert_eq!((found.code, found.stdout.as_str()), (0, "out\n"), "{what}: {}", found.stderr);
        let warning = "taskcache: warning: the result was not stored: ";
        assert!(found.stderr.starts_with(warning), "{what}: {}", found.stderr);
        assert_eq!(env.count() - before, 1, "{what}");
        assert_works(what, &env);
    }
}

#[test]
fn foreign_files_in_the_store_are_never_touched() {
    let env = filled();
    let foreign = ["notes", "blobs/notes", "blobs/ab/notes", "tmp/notes", "locks/notes", "placements/notes"];
    for name in foreign {
        let path = env.store().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, "mine").unwrap();
    }
    assert_works("foreign files", &env);
    assert_eq!(env.run("local-cache clear"), ran(0, "removed 1 entry, 4 B\n"));
    for name in foreign {
        assert_eq!(fs::read_to_string(env.store().join(name)).unwrap(), "mine", "{name}");
    }
}

#[test]
fn folders_that_somebody_removed_are_made_again() {
    for name in ["blobs", "tmp", "witnesses", "placements", "locks"] {
        let env = filled();
        fs::remove_dir_all(env.store().join(name)).unwrap();
        let found = env.run("run -- sh -c 'seq 20000; exit 0'");
        assert_eq!((found.code, found.stdout.len(), found.stderr.as_str()), (0, 108_894, ""), "{name}");
        if name != "locks" {
            // Some are made when they are needed.
            let _ = fs::remove_dir_all(env.store().join(name));
        }
        let cleared = env.run("local-cache clear");
        assert_eq!((cleared.code, cleared.stderr.as_str()), (0, ""), "{name}");
        assert_works(name, &env);
    }
}
