//! What `taskcache explain` says and does not do. Here what holds for all of it, in `causes` each cause of a miss, and
//! in `others` the other questions: why it hit, what two entries differ in, and the same for programs.

mod causes;
mod others;

use crate::support::{Ran, TestEnv, ran};
use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

/// Asserts what an explanation says, without what differs from one day and one machine to the next: keys, times, how
/// long things took, the working directory.
fn says(env: &TestEnv, line: &str, expected: &str) {
    assert_told(env, line, &env.run(&format!("explain {line}")), expected);
}

fn assert_told(env: &TestEnv, line: &str, ran: &Ran, expected: &str) {
    let told = steady(env, ran);
    assert!(told == expected, "explain {line}\n--- expected\n{expected}\n--- printed\n{told}\n---");
}

fn steady(env: &TestEnv, ran: &Ran) -> String {
    assert_eq!((ran.code, ran.stderr.as_str()), (0, ""), "{}", ran.stdout);
    let text = ran.stdout.replace(env.work().to_str().unwrap(), "WORK");
    let mut lines: Vec<_> = text.lines().map(steady_line).collect();
    if let Some(at) = lines.iter().position(|line| line == "a run takes") {
        assert!(lines[at + 1].ends_with(", as the last run that was stored"), "{text}");
        lines.truncate(at - 1);
    }
    lines.join("\n")
}

fn steady_line(line: &str) -> String {
    if let Some(made) = line.strip_prefix("made ") {
        assert!(made.contains(" in WORK by ") && made.contains(", ran "), "{line}");
        return "made".into();
    }
    let is_key = |word: &str| word.len() == 8 && word.bytes().all(|byte| byte.is_ascii_hexdigit());
    let is_time =
        |word: &str| word.ends_with(['s', 'm']) && word.starts_with(|first: char| first.is_ascii_digit());
    let words = line.split(' ').map(|word| match word.trim_end_matches([':', ',']) {
        key if is_key(key) => word.replace(key, "KEY"),
        time if is_time(time) => word.replace(time, "TIME"),
        _ => word.to_owned(),
    });
    words.collect::<Vec<_>>().join(" ").replace("just now", "TIME ago")
}

/// Asserts what a miss says: how many ingredients are the same, and all that stands below.
fn misses(env: &TestEnv, line: &str, task: &str, counts: &str, rest: &str) {
    says(env, line, &miss(task, counts, rest));
}

fn miss(task: &str, counts: &str, rest: &str) -> String {
    format!(
        "miss (absent) {task} KEY: nothing is stored under this key\n\
         nearest is KEY, made TIME ago: {counts} ingredients are the same\n\n{rest}"
    )
}

/// A world in which `sh tool.sh` is stored with the inputs `src/a.c` and `src/b.c`.
fn stored() -> TestEnv {
    let env = TestEnv::new();
    env.write("src/a.c", "1");
    env.write("src/b.c", "1");
    env.write("tool.sh", "echo hi\n");
    assert_eq!(env.run("run -i src -- sh tool.sh"), ran(0, "hi\n"));
    env
}

/// Everything below a folder with its bytes, but for the file in which SQLite keeps its readers.
fn contents(folder: PathBuf) -> BTreeMap<PathBuf, Option<Vec<u8>>> {
    let steps = walkdir::WalkDir::new(folder).into_iter().map(|step| step.unwrap().into_path());
    steps
        .filter(|path| !path.ends_with("index.db-shm"))
        .map(|path| (path.clone(), fs::read(path).ok()))
        .collect()
}

#[test]
fn a_hit_says_so_and_a_new_task_too() {
    let env = stored();
    says(&env, "-i src -- sh tool.sh", "hit sh KEY: the result made TIME ago would be given back\nmade");
    says(&env, "-t new -- true", "miss (absent) new KEY: nothing is stored for this task");
    let empty = TestEnv::new();
    says(&empty, "-- true", "miss (absent) true KEY: nothing is stored for this task");
    says(&empty, "--depfile d -- true", "miss (dependencies) true KEY: nothing is stored for this task");
    assert!(!empty.home().join(".flyte").exists(), "no store was made");
}

#[test]
fn outcomes_without_a_look_up() {
    let mut env = TestEnv::new();
    env.run("run -- true");
    for (options, expected) in [
        ("--stale 0", "stale true KEY: the result made TIME ago would be given back, and refreshed\nmade"),
        ("--refresh", "refresh (requested) true KEY: the command would run, because a refresh is asked for"),
        ("--warm", "refresh (requested) true KEY: the command would run, because a refresh is asked for"),
        (
            "--verify",
            "refresh (verify) true KEY: the command would run, to be compared with the result made TIME ago\nmade",
        ),
        ("--no-cache", "bypass (no-cache) true: --no-cache is given"),
        ("--behavior disable", "bypass (behavior) true: the behavior is 'disable'"),
        ("--policy NONE", "bypass (policy) true: the policy is NONE"),
        (
            "--stdin inherit",
            "bypass (stdin) true: the command reads standard input that is not keyed (--stdin inherit)",
        ),
        ("--policy RUN_ID", "bypass (no-flow) true: the policy needs a flow run, and there is none"),
    ] {
        says(&env, &format!("{options} -- true"), expected);
    }
    env.set("TASKCACHE_ENABLED", "false");
    says(&env, "-- true", "bypass (disabled) true: caching is switched off");
}

#[test]
fn quiet_answers_by_its_exit_code() {
    let env = TestEnv::new();
    assert_eq!(env.run("explain -q -- true"), ran(1, ""));
    env.run("run -- true");
    for (options, code) in [
        ("", 0),
        ("--stale 0", 0),
        ("--max-age 0", 1),
        ("--refresh", 1),
        ("--verify", 1),
        ("--no-cache", 2),
        ("--stdin inherit", 2),
    ] {
        assert_eq!(env.run(&format!("explain -q {options} -- true")), ran(code, ""), "{options}");
    }
    assert_eq!(
        env.run("explain -q -i gone -- true"),
        ran(125, "").with_stderr(
            "taskcache: error: the input 'gone' matches nothing\n\
             taskcache: hint: write '?' in front of an input that may be missing\n"
        )
    );
    assert_eq!(env.run("explain -q -- no-such-program").code, 127);
}

#[test]
fn nothing_is_changed_by_asking() {
    let env = stored();
    env.run("run -i src -o out --depfile d -- sh -c 'cat src/a.c > out; echo out: src/b.c > d'");
    env.write("src/a.c", "2");
    let everything = || (contents(env.home()), contents(env.work()));
    let before = everything();
    for line in [
        "-i src -- sh tool.sh",
        "-i src/b.c -- sh tool.sh",
        "--hit -i src -- sh tool.sh",
        "--refresh -i src -- sh tool.sh",
        "--warm -i src -- sh tool.sh",
        "--events log --status always -- true",
        "-i src -o out --depfile d -- sh -c 'cat src/a.c > out; echo out: src/b.c > d'",
    ] {
        assert_eq!(env.run(&format!("explain {line}")).code, 0, "{line}");
        assert!(everything() == before, "explain {line} changed something");
    }
    env.run("key -i src -- sh tool.sh");
    assert!(everything() == before, "key changed something");
}

#[test]
fn a_store_that_cannot_be_used_is_left_as_it_is() {
    let env = stored();
    for name in ["index.db-wal", "index.db-shm"] {
        fs::remove_file(env.store().join(name)).unwrap();
    }
    fs::write(env.store().join("index.db"), "no database at all, but long enough to be looked at").unwrap();
    let before = contents(env.home());
    let told = env.run("explain -i src -- sh tool.sh");
    assert_eq!((told.code, told.stderr.as_str()), (0, ""));
    assert!(told.stdout.starts_with("bypass (store) sh "), "{}", told.stdout);
    assert!(told.stdout.contains(" is damaged"), "{}", told.stdout);
    assert_eq!(env.run("explain -q -i src -- sh tool.sh"), ran(2, ""));
    assert_eq!(env.run("explain -q --fail-mode closed -i src -- sh tool.sh").code, 125);
    assert!(contents(env.home()) == before);
}

#[test]
fn damage_behind_a_sound_head_is_a_bypass_as_in_a_run() {
    let env = stored();
    let path = env.store().join("index.db");
    let index = rusqlite::Connection::open(&path).unwrap();
    // What is only in the log has to be in the index itself.
    index.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).unwrap();
    drop(index);
    let mut bytes = fs::read(&path).unwrap();
    bytes[4096..].fill(0xff);
    fs::write(&path, &bytes).unwrap();
    env.forget_hot_records();
    let told = env.run("explain -i src -- sh tool.sh");
    assert_eq!((told.code, told.stderr.as_str()), (0, ""));
    assert!(told.stdout.starts_with("bypass (store) sh"), "{}", told.stdout);
    assert_eq!(env.run("explain -q --fail-mode closed -i src -- sh tool.sh").code, 125);
    assert_eq!(fs::read(&path).unwrap(), bytes, "it is not moved aside");
}

#[test]
fn an_explanation_foresees_what_a_run_comes_to() {
    let mut env = TestEnv::new();
    env.write("a", "1");
    env.write("a.h", "1");
    let depfile = "-o o --depfile d -- sh -c 'cat a.h > o; echo o: a.h > d'";
    let fields = |text: &str, names: &[&str]| -> Vec<String> {
        let value: serde_json::Value = serde_json::from_str(text.lines().last().unwrap()).unwrap();
        names.iter().map(|name| value[name].to_string()).collect()
    };
    let agree = |env: &TestEnv, line: &str, outcome: &str| {
        let told = env.run(&format!("explain --format json {line}"));
        let told = fields(&told.stdout, &["outcome", "reason", "key"]);
        env.run(&format!("run --events log {line}"));
        let mut happened = fields(&env.read("log").unwrap(), &["outcome", "reason", "key"]);
        if line.contains("--depfile") {
            // A miss is looked up by its recipe and stored under another key.
            happened[2].clone_from(&told[2]);
        }
        assert_eq!(told, happened, "{line}");
        assert_eq!(told[..2].join(" "), outcome, "{line}");
    };
    agree(&env, "-- cat a", r#""miss" "absent""#);
    agree(&env, "-- cat a", r#""hit" "found""#);
    env.write("a", "2");
    agree(&env, "-- cat a", r#""miss" "absent""#);
    env.write("a", "1");
    agree(&env, "-- cat a", r#""hit" "found""#);
    agree(&env, "--max-age 0 -- cat a", r#""miss" "too-old""#);
    agree(&env, "--refresh -- cat a", r#""refresh" "requested""#);
    agree(&env, "--verify -- cat a", r#""refresh" "verify""#);
    agree(&env, "--no-cache -- cat a", r#""bypass" "no-cache""#);
    agree(&env, depfile, r#""miss" "dependencies""#);
    agree(&env, depfile, r#""hit" "found""#);
    env.write("a.h", "2");
    agree(&env, depfile, r#""miss" "dependencies""#);
    env.write("a.h", "1");
    fs::remove_file(env.work().join("o")).unwrap();
    agree(&env, depfile, r#""hit" "found""#);
    fs::remove_file(env.work().join("o")).unwrap();
    fs::create_dir(env.work().join("o")).unwrap();
    agree(&env, depfile, r#""miss" "occupied""#);
    agree(&env, "-- seq 20000", r#""miss" "absent""#);
    for blob in contents(env.store().join("blobs")).into_keys().filter(|path| path.is_file()) {
        fs::remove_file(blob).unwrap();
    }
    agree(&env, "-- seq 20000", r#""miss" "content-missing""#);
    agree(&env, "-- seq 20000", r#""hit" "found""#);
    let index = rusqlite::Connection::open(env.store().join("index.db")).unwrap();
    index.execute("UPDATE entry SET checksum = zeroblob(16) WHERE task = CAST('seq' AS BLOB)", []).unwrap();
    drop(index);
    env.forget_hot_records();
    says(&env, "-- seq 20000", "miss (damaged) seq KEY: the entry is damaged, and the next run replaces it");
    agree(&env, "-- seq 20000", r#""miss" "damaged""#);
    agree(&env, "-- seq 20000", r#""hit" "found""#);
    env.set("FLYTE_LOCAL_CACHE_ENABLED", "false");
    agree(&env, "-- seq 20000", r#""bypass" "disabled""#);
}

#[test]
fn results_of_a_transaction_are_seen_in_it() {
    let env = TestEnv::new();
    let program = env!("CARGO_BIN_EXE_taskcache");
    let script = format!("{program} run -- true; {program} explain -q -- true; echo $?");
    assert_eq!(env.run_words(["transaction", "--", "sh", "-c", &script]), ran(0, "0\n"));
    let id = env.run("transaction begin").stdout.trim().to_owned();
    let inside = |line: &str| env.shell(&format!("TASKCACHE_TRANSACTION={id} taskcache {line}"));
    assert_eq!(inside("run -- echo staged"), ran(0, "staged\n"));
    assert_eq!(inside("explain -q -- echo staged"), ran(0, ""));
    assert_eq!(env.run("explain -q -- echo staged"), ran(1, ""));
}

/// What is said to be enough has to be enough.
#[test]
fn following_the_advice_makes_a_hit() {
    let mut env = stored();
    env.write("src/a.c", "2");
    env.write("src/c.c", "1");
    env.set("NEW", "1");
    fs::set_permissions(env.work().join("src/b.c"), fs::Permissions::from_mode(0o755)).unwrap();
    let line = "-i src -- sh tool.sh";
    let rest = "  file         changed  src/a.c
  file         added    src/c.c
  mode         changed  src/b.c executable (was 'not executable')
  environment  added    NEW

for a hit, all of these
  put src/a.c back as it was
  take src/c.c away
  chmod -x src/b.c
  unset NEW

from the next run on
  --ignore env:NEW  leaves the variable out of the key";
    misses(&env, line, "sh", "17 of 21", rest);
    env.write("src/a.c", "1");
    fs::remove_file(env.work().join("src/c.c")).unwrap();
    fs::set_permissions(env.work().join("src/b.c"), fs::Permissions::from_mode(0o644)).unwrap();
    assert_eq!(env.run(&format!("run --ignore env:NEW {line}")), ran(0, "hi\n"));
    env.set("NEW", "2");
    assert_eq!(env.run(&format!("explain -q --ignore env:NEW {line}")), ran(0, ""));
    env.unset("NEW");
    assert_eq!(env.run(&format!("explain -q {line}")), ran(0, ""));
}

#[test]
fn the_nearest_entry_is_not_the_last_one() {
    let mut env = TestEnv::new();
    env.write("a", "1");
    env.write("b", "1");
    env.run("run -t t -i a -i b -- echo one");
    env.set("X", "1");
    env.set("Y", "1");
    env.run("run -t t -i a -i b -- echo one");
    env.run("run -t t -i a -i b -- echo two");
    env.unset("X");
    env.unset("Y");
    env.write("b", "2");
    // The same words count more than the same variables.
    let rest = "  file         changed  b\n\nfor a hit\n  put b back as it was";
    misses(&env, "-t t -i a -i b -- echo one", "t", "17 of 18", rest);
    let rest = "  file         changed  b
  environment  removed  X
  environment  removed  Y

for a hit, all of these
  put b back as it was
  set X again
  set Y again

from the next run on
  --ignore env:X  leaves the variable out of the key
  --ignore env:Y  leaves the variable out of the key";
    misses(&env, "-t t -i a -i b -- echo two", "t", "17 of 20", rest);
}

#[test]
fn what_changes_all_the_time_is_told_and_how_many_were_compared() {
    let mut env = TestEnv::new();
    for number in 0..52 {
        env.set("BUILD", number.to_string());
        env.run("run -t t -- true");
    }
    env.set("BUILD", "x");
    let expected = "miss (absent) t KEY: nothing is stored under this key
nearest is KEY, made TIME ago: 13 of 14 ingredients are the same
only the newest 50 entries were compared; there are more

  environment  changed  BUILD

for a hit
  set BUILD to what it was

from the next run on
  --ignore env:BUILD  leaves the variable out of the key

changes all the time
  env:BUILD in 10 of the last 10 results";
    says(&env, "-t t -- true", expected);
}

#[test]
fn names_reach_a_terminal_harmless() {
    let mut env = TestEnv::new();
    env.run("run -- true");
    env.set("NEW\x1b[1m", "2");
    let rest = r"  argument     added    word 1 'a\u{1b}[2Jb'
  environment  added    NEW\u{1b}[1m

on the way to a hit (then ask again)
  run: true
  unset NEW\u{1b}[1m

from the next run on
  --ignore 'env:NEW\u{1b}[1m'  leaves the variable out of the key";
    misses(&env, "-- true a\x1b[2Jb", "true", "13 of 15", rest);
}
