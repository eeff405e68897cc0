//! Why it hit, what two entries differ in, and the same for programs.

use super::{says, stored};
use crate::support::{TestEnv, ran};
use std::fs;
use std::time::{Duration, UNIX_EPOCH};

#[test]
fn what_is_not_in_the_key_of_a_hit() {
    let mut env = TestEnv::new();
    env.set("KEPT", "1");
    env.set("DECLARED", "1");
    env.set("OTHER", "secret-value");
    env.set("GONE", "1");
    env.set("SSH_TTY", "/dev/pts/1");
    env.write("tool.sh", "echo hi\n");
    let line = "-e DECLARED --cwd ignore --version 1 -- sh tool.sh";
    env.run(&format!("run {line}"));
    let hit = "hit sh KEY: the result made TIME ago would be given back\nmade\n\n";
    let untracked = "\n\nnot known\n  files of the project: git tracks none here";
    let nothing = format!("{hit}not in the key, and other than it was\n  nothing{untracked}");
    says(&env, &format!("--hit {line}"), &nothing);
    env.set("OTHER", "other-value");
    env.set("SSH_TTY", "/dev/pts/2");
    env.set("NEW", "1");
    env.unset("GONE");
    let later = UNIX_EPOCH + Duration::from_secs(4_000_000_000);
    fs::File::options().append(true).open(env.work().join("tool.sh")).unwrap().set_modified(later).unwrap();
    let expected = format!(
        "{hit}not in the key, and other than it was
  environment  changed  OTHER
  environment  added    NEW
  environment  removed  GONE
  session      changed  SSH_TTY
  source       touched  tool.sh{untracked}"
    );
    says(&env, &format!("--hit {line}"), &expected);
    env.write("below/tool.sh", "echo hi\n");
    let told = env.run_in("below", &format!("explain --hit {line}"));
    assert!(told.stdout.contains("  cwd          changed  "), "{}", told.stdout);
    let told = env.run(&format!("explain --hit --format json {line}"));
    let around = &serde_json::from_str::<serde_json::Value>(&told.stdout).unwrap()["around"];
    let expected = serde_json::json!({
        "variables": [
            { "name": "GONE", "change": "removed", "session": false },
            { "name": "NEW", "change": "added", "session": false },
            { "name": "OTHER", "change": "changed", "session": false },
            { "name": "SSH_TTY", "change": "changed", "session": true },
        ],
        "directory": null,
        "host": null,
        "sources": ["tool.sh"],
        "files": null,
    });
    assert_eq!(*around, expected);
    // Of a miss there is nothing to look around.
    assert!(!env.run("explain --hit -- sh tool.sh").stdout.contains("not in the key"));
}

#[test]
fn files_that_git_tracks_and_no_input_covers() {
    let env = TestEnv::new();
    if env.shell("git --version").code != 0 {
        eprintln!("skipped: there is no git");
        return;
    }
    for name in ["keyed", "sub/other", "gone", "out/made", "far/a"] {
        env.write(name, "1");
    }
    env.write("untracked", "1");
    let git = "git init -q . && git add keyed sub gone out far";
    assert_eq!(env.shell(git), ran(0, ""));
    let line = "-i keyed -i far -o out -- sh -c 'echo 1 > out/made'";
    env.run(&format!("run {line}"));
    let later = UNIX_EPOCH + Duration::from_secs(4_000_000_000);
    for name in ["keyed", "sub/other", "far/a", "untracked"] {
        fs::File::options().append(true).open(env.work().join(name)).unwrap().set_modified(later).unwrap();
    }
    fs::remove_file(env.work().join("gone")).unwrap();
    let told = env.run(&format!("explain --hit --format json {line}"));
    let value: serde_json::Value = serde_json::from_str(&told.stdout).unwrap();
    assert_eq!(value["outcome"], "hit");
    let files = &value["around"]["files"];
    assert_eq!((&files["looked_at"], &files["tracked"]), (&serde_json::json!(5), &serde_json::json!(5)));
    let expected = serde_json::json!([
        { "path": "gone", "change": "removed" },
        { "path": "sub/other", "change": "changed" },
    ]);
    assert_eq!(files["touched"], expected);
}

#[test]
fn one_key_is_no_command() {
    let env = TestEnv::new();
    let message = "taskcache: error: 3f2a91c2: command not found\n\
                   taskcache: hint: 'taskcache local-cache show 3f2a91c2' shows an entry; to compare it, give two keys\n";
    assert_eq!(env.run("explain 3f2a91c2"), ran(127, "").with_stderr(message));
    let plain = "taskcache: error: 3f2a91c2: command not found\n";
    assert_eq!(env.run("explain -- 3f2a91c2"), ran(127, "").with_stderr(plain));
}

#[test]
fn two_entries_are_compared_by_their_keys() {
    let env = TestEnv::new();
    let key = |line: &str| {
        env.run(&format!("run {line}"));
        env.run(&format!("key {line}")).stdout.trim().to_owned()
    };
    let (one, two) = (key("-t t -- echo one"), key("-t t --salt s -- echo two"));
    let expected = "KEY  made TIME ago: echo one
KEY  made TIME ago: echo two
13 of 15 ingredients are the same

  salt         added    --salt
  argument     changed  word 1 two (was one)";
    says(&env, &format!("{one} {}", &two[..6]), expected);
    let expected = "KEY  made TIME ago: echo one
KEY  made TIME ago: echo one
14 of 14 ingredients are the same";
    says(&env, &format!("{one} {one}"), expected);
    let told = env.run(&format!("explain --format json {one} {two}")).stdout;
    let value: serde_json::Value = serde_json::from_str(&told).unwrap();
    let names: Vec<_> = value.as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(
        names,
        ["explain", "format", "old", "new", "equal", "ingredients", "causes", "following", "unknown"]
    );
    assert_eq!((&value["old"]["key"], &value["new"]["key"]), (&one.into(), &two.clone().into()));
    let expected = serde_json::json!([
        { "class": "salt", "change": "added", "name": "", "old": null, "new": null },
        { "class": "argument", "change": "changed", "name": "1", "old": "one", "new": "two" },
    ]);
    assert_eq!(value["causes"], expected);
    for (line, message) in [
        ("abcdef 012345".to_owned(), "no entry has a key that begins with 'abcdef'\n"),
        (format!("-q {two} {two}"), "-q and --hit are about a command, not about two keys\n"),
    ] {
        let refused = env.run(&format!("explain {line}"));
        assert_eq!((refused.code, refused.stdout.as_str()), (125, ""));
        assert!(refused.stderr.starts_with(&format!("taskcache: error: {message}")), "{}", refused.stderr);
    }
    assert_eq!(env.run("explain -- abcdef 012345").code, 127, "it is a command behind '--'");
    assert_eq!(TestEnv::new().run("explain abcdef 012345").code, 125);
}

#[test]
fn programs_read_the_same() {
    let mut env = stored();
    env.write("src/a.c", "2");
    env.set("NEW", "1");
    let told = env.run("explain --format json -i src -- sh tool.sh");
    assert_eq!((told.code, told.stderr.as_str(), told.stdout.lines().count()), (0, "", 1));
    let mut value: serde_json::Value = serde_json::from_str(&told.stdout).unwrap();
    let key = env.run("key -i src -- sh tool.sh").stdout.trim().to_owned();
    assert_eq!(value["key"], key);
    let entry = value["nearest"]["entry"].take();
    let names: Vec<_> = entry.as_object().unwrap().keys().map(String::as_str).collect();
    let expected = [
        "key",
        "project",
        "domain",
        "task",
        "command",
        "created",
        "expires",
        "duration_ms",
        "exit_code",
        "host",
        "user",
        "directory",
    ];
    assert_eq!(names, expected);
    assert_eq!(entry["command"], serde_json::json!(["sh", "tool.sh"]));
    assert!(value["cost_ms"].take().is_u64());
    let cause = |class: &str, change: &str, name: &str| serde_json::json!({ "class": class, "change": change, "name": name, "old": null, "new": null });
    let expected = serde_json::json!({
        "explain": "run",
        "format": 1,
        "outcome": "miss",
        "reason": "absent",
        "says": "nothing is stored under this key",
        "project": "default",
        "domain": "development",
        "task": "sh",
        "key": key,
        "entry": null,
        "nearest": {
            "entry": null,
            "unusable": null,
            "equal": 18,
            "ingredients": 20,
            "causes": [cause("file", "changed", "src/a.c"), cause("environment", "added", "NEW")],
            "following": [],
            "unknown": [],
        },
        "last_seen": null,
        "compared": 1,
        "all_compared": true,
        "other_key_formats": 0,
        "volatile": [],
        "cost_ms": null,
        "now": ["put src/a.c back as it was", "unset NEW"],
        "now_is_enough": true,
        "next": [{ "option": "--ignore env:NEW", "effect": "leaves the variable out of the key" }],
        "around": null,
    });
    assert_eq!(value, expected);
}

#[test]
fn what_another_store_withheld_is_not_known() {
    let mut env = TestEnv::new();
    env.set("OTHER", "1");
    env.run("run -t t -e X -- echo one");
    env.run("run -t t -e X --value a=1 -- echo two");
    env.run("local-cache export -o all");
    env.set("TASKCACHE_DIR", env.work().join("other"));
    assert_eq!(env.run("local-cache import all").code, 0);
    let expected = "miss (absent) t KEY: nothing is stored under this key
nearest is KEY, made TIME ago: 13 of 16 ingredients are the same

  argument     changed  word 1 three (was two)
  not known, as the entry came from another store: env:X, value:a

on the way to a hit (then ask again)
  run: echo two";
    says(&env, "-t t -e X --value a=1 -- echo three", expected);
    let expected = "hit t KEY: the result made TIME ago would be given back
made

not in the key, and other than it was
  nothing

not known
  variables: the entry keeps no traces of them (it came from another store, or is of format 1)
  files of the project: git tracks none here";
    says(&env, "--hit -t t -e X -- echo one", expected);
}
