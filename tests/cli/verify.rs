//! `local-cache verify`: what it finds, what it mends, and that it disturbs nobody.

use crate::support::{Ran, TestEnv, ran};
use serde_json::Value;
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Stdio;

/// A large stdout, a file, and an exit code; and a count of real runs.
const LARGE: &str =
    "run --task large -o out -- sh -c 'echo ran >> count; mkdir -p out; echo made > out/a; seq 20000'";
const SMALL: &str = "run --task small -- sh -c 'echo ran >> count; echo small'";
const SOUND: &str = "checked 2 entries and 3 contents, 106.4 KiB: nothing is wrong\n";

fn filled() -> TestEnv {
    let env = TestEnv::new();
    assert_eq!(env.run(LARGE).code, 0);
    assert_eq!(env.run(SMALL), ran(0, "small\n"));
    assert_eq!(env.run("local-cache verify"), ran(0, SOUND));
    env
}

fn blob(env: &TestEnv) -> PathBuf {
    files(&env.store().join("blobs")).pop().expect("there is a large content")
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        match entry.file_type().unwrap().is_dir() {
            true => files.extend(self::files(&entry.path())),
            false => files.push(entry.path()),
        }
    }
    files.sort();
    files
}

fn change_index(env: &TestEnv, statements: &str) {
    rusqlite::Connection::open(env.store().join("index.db")).unwrap().execute_batch(statements).unwrap();
}

fn without_log(env: &TestEnv) {
    let connection = rusqlite::Connection::open(env.store().join("index.db")).unwrap();
    connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).unwrap();
}

/// Runs `verify` and returns its exit code with kind and repair of each finding.
fn verify(env: &TestEnv, options: &str) -> (i32, Vec<(String, String)>) {
    let Ran { code, stdout, stderr } = env.run(&format!("local-cache verify --format json {options}"));
    assert_eq!(stderr, "");
    let document: Value = serde_json::from_str(&stdout).unwrap();
    let text = |finding: &Value, name: &str| finding[name].as_str().unwrap().to_owned();
    let findings = document["findings"].as_array().unwrap();
    (code, findings.iter().map(|finding| (text(finding, "kind"), text(finding, "repair"))).collect())
}

fn kinds(kinds: &[&str], repair: &str) -> Vec<(String, String)> {
    kinds.iter().map(|kind| ((*kind).to_owned(), repair.to_owned())).collect()
}

/// Asserts that both commands work, and that `runs` of them ran.
fn assert_works(what: &str, env: &TestEnv, runs: usize) {
    let before = env.count();
    let large: String = (1..=20000).map(|number| format!("{number}\n")).collect();
    for _ in 0..2 {
        assert_eq!(env.run(LARGE), ran(0, &large), "{what}");
        assert_eq!(env.run(SMALL), ran(0, "small\n"), "{what}");
    }
    assert_eq!(env.read("out/a").as_deref(), Some("made\n"), "{what}");
    assert_eq!(env.count() - before, runs, "{what}");
}

#[test]
fn a_store_that_was_never_made_has_nothing_wrong_with_it() {
    let env = TestEnv::new();
    let empty = "checked 0 entries and 0 contents, 0 B: nothing is wrong\n";
    assert_eq!(env.run("local-cache verify"), ran(0, empty));
    assert_eq!(env.run("local-cache verify --repair"), ran(0, empty));
    assert!(!env.store().exists());
    env.set_store_to_a_file();
    let found = env.run("local-cache verify");
    assert_eq!((found.code, found.stderr.contains("is not a folder")), (125, true), "{found:?}");
}

#[test]
fn every_damage_is_found_and_mended() {
    type Damage = fn(&TestEnv);
    // What is done, what is found, and how many commands have to run again afterwards.
    let cases: [(&str, Damage, &[&str], usize); 21] = [
        ("flipped blob", |env| flip(&blob(env), 1000), &["content-damaged"], 1),
        ("short blob", |env| truncate(&blob(env), 10), &["content-missing", "content-damaged"], 1),
        ("empty blob", |env| truncate(&blob(env), 0), &["content-missing", "content-damaged"], 1),
        ("no blob", |env| fs::remove_file(blob(env)).unwrap(), &["content-missing"], 1),
        ("no blobs", |env| fs::remove_dir_all(env.store().join("blobs")).unwrap(), &["content-missing"], 1),
        (
            "folder for a blob",
            |env| {
                let path = blob(env);
                fs::remove_file(&path).unwrap();
                fs::create_dir(&path).unwrap();
                fs::write(path.join("mine"), "x").unwrap();
            },
            &["content-missing", "misplaced"],
            1,
        ),
        (
            "link for a blob",
            |env| {
                let path = blob(env);
                fs::rename(&path, env.work().join("elsewhere")).unwrap();
                symlink(env.work().join("elsewhere"), &path).unwrap();
            },
            &["content-missing", "misplaced"],
            1,
        ),
        ("readable blob", |env| set_mode(&blob(env), 0o644), &["mode"], 0),
        ("open store", |env| set_mode(&env.store(), 0o755), &["mode"], 0),
        (
            "row",
            |env| change_index(env, "UPDATE entry SET body = zeroblob(9) WHERE task = CAST('small' AS BLOB)"),
            &["row"],
            1,
        ),
        (
            "checksum",
            |env| change_index(env, "UPDATE entry SET checksum = 'text' WHERE task = CAST('small' AS BLOB)"),
            &["row"],
            1,
        ),
        (
            "key",
            |env| change_index(env, "UPDATE entry SET key = 7 WHERE task = CAST('small' AS BLOB)"),
            &["row", "references"],
            1,
        ),
        (
            "columns",
            |env| change_index(env, "UPDATE entry SET project = 'x', size = 9"),
            &["columns", "columns"],
            0,
        ),
        ("references", |env| change_index(env, "DELETE FROM reference"), &["references", "references"], 0),
        (
            "foreign references",
            |env| change_index(env, "INSERT INTO reference VALUES (zeroblob(32), zeroblob(32), 1)"),
            &["references"],
            0,
        ),
        (
            "small content",
            |env| {
                change_index(
                    env,
                    "UPDATE small_content SET bytes = CAST('smell' || x'0a' AS BLOB) WHERE length(bytes) = 6",
                );
            },
            &["content-damaged"],
            1,
        ),
        (
            "no small content",
            |env| change_index(env, "DELETE FROM small_content"),
            &["content-missing", "content-missing"],
            2,
        ),
        (
            "path set",
            |env| change_index(env, "INSERT INTO path_set VALUES (zeroblob(32), zeroblob(32), x'00', 1)"),
            &["path-set"],
            0,
        ),
        ("secret", |env| change_index(env, "DELETE FROM meta"), &["secret"], 0),
        ("placement", |env| flip(&files(&env.store().join("placements"))[0], 20), &["placement"], 0),
        (
            "rubbish for an index",
            |env| fs::write(env.store().join("index.db"), vec![b'x'; 8192]).unwrap(),
            &["index"],
            2,
        ),
    ];
    for (what, damage, found, runs) in cases {
        let env = filled();
        without_log(&env);
        damage(&env);
        // Twice: a look changes nothing.
        for _ in 0..2 {
            let (code, mut damages) = verify(&env, "");
            damages.retain(|(kind, _)| kind != "unreferenced");
            assert_eq!((code, damages), (1, kinds(found, "none")), "{what}");
        }
        // What is already gone with its entry is not found a second time while the store is mended.
        let (code, mended) = verify(&env, "--repair");
        assert_eq!(code, 1, "{what}");
        let damages: Vec<_> = mended.iter().filter(|(kind, _)| kind != "unreferenced").cloned().collect();
        assert_eq!(damages, kinds(found, "done"), "{what}");
        let (code, left) = verify(&env, "");
        assert_eq!(code, 0, "{what}: {left:?}");
        assert!(left.iter().all(|(kind, _)| kind == "unreferenced"), "{what}: {left:?}");
        assert_works(what, &env, runs);
        assert_eq!(verify(&env, "").0, 0, "{what}");
    }
}

fn flip(path: &Path, at: usize) {
    let mut bytes = fs::read(path).unwrap();
    bytes[at] ^= 1;
    fs::write(path, bytes).unwrap();
}

fn truncate(path: &Path, length: u64) {
    fs::File::options().write(true).open(path).unwrap().set_len(length).unwrap();
}

fn set_mode(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

#[test]
fn a_broken_index_keeps_the_entries_that_can_be_read() {
    let env = TestEnv::new();
    for number in 0..60 {
        env.run(&format!("run --task t{number} -- sh -c 'echo ran >> count; echo {number}'"));
    }
    without_log(&env);
    let index = env.store().join("index.db");
    let mut bytes = fs::read(&index).unwrap();
    // The page that holds the body of an entry in the middle.
    let body = bytes.windows(7).position(|window| window == b"echo 30").unwrap();
    let start = body / 4096 * 4096;
    bytes[start..start + 4096].fill(0xff);
    fs::write(&index, bytes).unwrap();
    let (code, found) = verify(&env, "");
    assert_eq!((code, &found[0]), (1, &("index".to_owned(), "none".to_owned())));
    assert!(!env.store().join("quarantine").exists(), "a look moves nothing");
    let (code, found) = verify(&env, "--repair");
    assert_eq!((code, &found[0]), (1, &("index".to_owned(), "done".to_owned())));
    assert_eq!(verify(&env, "").0, 0);
    let kept = env.run("local-cache list --format json").stdout;
    let kept = serde_json::from_str::<Value>(&kept).unwrap().as_array().unwrap().len();
    assert!((1..=60).contains(&kept), "{kept} entries were kept");
    for number in 0..60 {
        let line = format!("run --task t{number} -- sh -c 'echo ran >> count; echo {number}'");
        assert_eq!(env.run(&line), ran(0, &format!("{number}\n")));
    }
    assert_eq!(env.count(), 60 + 60 - kept, "what was kept is a hit, all else ran once more");
}

#[test]
fn what_is_not_ours_stays() {
    let env = filled();
    let places = ["mine\n\u{1b}[31m", "blobs/mine", "blobs/ab/mine", "witnesses/mine", "tmp/mine"];
    fs::create_dir_all(env.store().join("blobs/ab")).unwrap();
    set_mode(&env.store().join("blobs/ab"), 0o700);
    for place in places {
        fs::write(env.store().join(place), "mine").unwrap();
    }
    for options in ["", "--repair"] {
        let found = env.run(&format!("local-cache verify {options}"));
        let names = ["blobs/ab/mine", "blobs/mine", "mine\\n\\u{1b}[31m", "tmp/mine", "witnesses/mine"];
        let notes = names
            .map(|name| format!("note    foreign          '{name}': nothing of taskcache has this name\n"));
        let sums = SOUND.replace("wrong", "wrong, 5 notes");
        assert_eq!(found, ran(0, &(notes.concat() + &sums)));
        assert!(places.iter().all(|place| env.store().join(place).exists()));
    }
}

#[test]
fn leftovers_of_the_dead_are_swept_and_those_of_the_living_are_not() {
    let env = filled();
    let dead = env.store().join("tmp/0123456789abcdef");
    fs::create_dir(&dead).unwrap();
    set_mode(&dead, 0o700);
    fs::write(dead.join("owner"), "").unwrap();
    fs::write(dead.join("half"), "x").unwrap();
    let long_ago = std::time::SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(1_600_000_000);
    fs::File::open(&dead).unwrap().set_times(fs::FileTimes::new().set_modified(long_ago)).unwrap();
    let young = env.store().join("history.jsonl.0123456789abcdef");
    fs::write(&young, "half").unwrap();
    assert_eq!(verify(&env, ""), (0, kinds(&["leftover"], "none")));
    assert_eq!(verify(&env, "--repair"), (0, kinds(&["leftover"], "done")));
    assert!(!dead.exists() && young.exists());
    let made = std::process::Command::new("mkfifo").arg(env.work().join("fifo")).status();
    assert!(made.unwrap().success());
    let mut child = env.spawn("run -- sh -c 'echo started; exec cat fifo'", Stdio::null());
    let mut byte = [0; 8];
    std::io::Read::read_exact(child.stdout.as_mut().unwrap(), &mut byte).unwrap();
    assert_eq!(verify(&env, "--repair"), (0, Vec::new()));
    fs::write(env.work().join("fifo"), "").unwrap();
    assert!(child.wait().unwrap().success());
}

#[test]
fn the_fields_are_those_of_the_documents() {
    let env = filled();
    flip(&blob(&env), 5);
    let found = env.run("local-cache verify --format json");
    let document: Value = serde_json::from_str(&found.stdout).unwrap();
    let expected = serde_json::json!({
        "findings": [{
            "kind": "content-damaged",
            "severity": "damage",
            "entry": null,
            "content": null,
            "path": blob(&env).to_str().unwrap(),
            "detail": "its 108894 bytes are not those of its name; 1 entry needs it",
            "repair": "none",
            "repair_error": null,
            "way_out": "--repair removes it; the next run of its command stores it anew",
        }],
        "checked": {
            "entries": 2, "contents": 2, "bytes": 11, "damages": 1, "notes": 0, "repaired": 0, "failed": 0,
        },
    });
    assert_eq!((found.code, document), (1, expected));
}

#[test]
fn runs_and_removals_beside_it_are_no_damage() {
    let env = TestEnv::new();
    env.run("run -- echo first");
    let loops = [
        "for i in 1 2 3 4 5 6; do for j in 1000 20000 30000; do \
         taskcache run --task a$i -- seq $j >/dev/null || exit 9; done; done",
        "for i in 1 2 3 4 5 6 7 8 9; do taskcache run --refresh -- seq 20000 >/dev/null || exit 9; done",
        "for i in 1 2 3 4 5 6; do taskcache local-cache clear --yes >/dev/null || exit 8; \
         taskcache local-cache gc >/dev/null || exit 8; done",
    ];
    std::thread::scope(|scope| {
        let busy: Vec<_> = loops.iter().map(|line| scope.spawn(|| env.shell(line))).collect();
        let mut looks = 0;
        while looks == 0 || busy.iter().any(|thread| !thread.is_finished()) {
            for options in ["", "--repair"] {
                let (code, found) = verify(&env, options);
                let damages: Vec<_> = found.iter().filter(|(kind, _)| kind != "unreferenced").collect();
                assert_eq!((code, damages), (0, Vec::new()));
            }
            looks += 1;
        }
        for thread in busy {
            assert_eq!(thread.join().unwrap(), ran(0, ""));
        }
    });
    assert_eq!(verify(&env, "").0, 0);
}
