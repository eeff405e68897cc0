//! Lists, single entries and sums, for people and for programs.

use crate::support::{Ran, TestEnv, ran};
use serde_json::{Value, json};

/// Returns a store with four results: two of one task, one that failed, one in another project that expired.
fn filled() -> TestEnv {
    let env = TestEnv::new();
    env.run("run --task build/app -- sh -c 'yes | head -c 3000'");
    env.run("run --task build/lib -- sh -c 'echo library'");
    env.run("run --task check --cache-exit any -- sh -c 'echo broken >&2; exit 3'");
    env.run("run --task old --project other --ttl 1ms -- echo Gone");
    env.run("run --task build/lib -- sh -c 'echo library'");
    env
}

fn json_of(ran: &Ran) -> Value {
    assert_eq!((ran.code, ran.stderr.as_str()), (0, ""));
    serde_json::from_str(&ran.stdout).unwrap()
}

fn tasks(env: &TestEnv, options: &str) -> Vec<String> {
    let list = json_of(&env.run(&format!("local-cache list --format json {options}")));
    list.as_array().unwrap().iter().map(|entry| entry["task"].as_str().unwrap().to_owned()).collect()
}

fn key(env: &TestEnv, task: &str) -> String {
    let list = json_of(&env.run(&format!("local-cache list --format json --task {task}")));
    list[0]["key"].as_str().unwrap().to_owned()
}

#[test]
fn entries_are_filtered() {
    let env = filled();
    for (options, expected) in [
        ("", &["old", "check", "build/lib", "build/app"][..]),
        ("--task 'build/*'", &["build/lib", "build/app"]),
        ("--task '*/app'", &["build/app"]),
        ("--task build", &[]),
        ("--project 'o*'", &["old"]),
        ("--domain production", &[]),
        ("--exit-code 1-255", &["check"]),
        ("--exit-code 0 --project default", &["build/lib", "build/app"]),
        ("--search LIBRARY", &["build/lib"]),
        ("--search 'echo gone'", &["old"]),
        ("--search nowhere", &[]),
        ("--newer-than 1h --limit 1", &["old"]),
        ("--older-than 1h", &[]),
        ("--limit 0", &[]),
    ] {
        assert_eq!(tasks(&env, options), expected, "{options}");
    }
}

#[test]
fn entries_are_sorted() {
    let env = filled();
    for (options, expected) in [
        ("--sort task", ["build/app", "build/lib", "check", "old"]),
        ("--sort task --reverse", ["old", "check", "build/lib", "build/app"]),
        ("--sort size", ["build/app", "build/lib", "check", "old"]),
        ("--sort hits", ["build/lib", "old", "check", "build/app"]),
        ("--sort used", ["build/lib", "old", "check", "build/app"]),
        ("--sort exit", ["check", "old", "build/lib", "build/app"]),
        ("--sort expires", ["old", "check", "build/lib", "build/app"]),
        ("-r", ["build/app", "build/lib", "check", "old"]),
    ] {
        assert_eq!(tasks(&env, options), expected, "{options}");
    }
}

#[test]
fn what_a_list_shows_is_what_clear_takes() {
    let env = filled();
    assert_eq!(
        env.run("local-cache clear --task 'build/*' --dry-run"),
        ran(0, "would remove 2 entries, 2.9 KiB\n")
    );
    assert_eq!(env.run("local-cache clear --task 'build/*'").code, 0);
    assert_eq!(tasks(&env, ""), ["old", "check"]);
}

#[test]
fn options_that_are_none_are_refused() {
    let env = TestEnv::new();
    let message = "taskcache: error: option --newer-than: '5' is not a length of time (write a number and a unit, such as 90s, 15m or 1d12h)\n";
    assert_eq!(env.run("local-cache list --newer-than 5h5").code, 125);
    assert_eq!(env.run("local-cache list --newer-than 5"), ran(125, "").with_stderr(message));
    let message = "taskcache: error: option --exit-code: 'x' is no list of exit codes (write codes and ranges from 0 to 255, such as 0,2-4, or 'any')\n";
    assert_eq!(env.run("local-cache list --exit-code x"), ran(125, "").with_stderr(message));
    for wrong in ["--sort colour", "--limit -1", "--color blue", "--running --limit 3"] {
        assert_eq!(env.run(&format!("local-cache list {wrong}")).code, 125, "{wrong}");
    }
}

/// Replaces what differs from run to run by its kind.
fn steady(text: &str) -> String {
    let words = text.split_inclusive(|c: char| c.is_whitespace()).map(|piece| {
        let word = piece.trim_end();
        let is_key = word.len() == 8 && word.bytes().all(|byte| byte.is_ascii_hexdigit());
        let is_span =
            word.starts_with(|c: char| c.is_ascii_digit()) && (word.ends_with("ms") || word.ends_with('s'));
        let kind = if is_key {
            "KEY"
        } else if is_span {
            "TIME"
        } else {
            word
        };
        format!("{kind} ")
    });
    words.collect::<String>().split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn a_list_for_people() {
    let env = filled();
    let list = env.run("local-cache list").stdout;
    let lines: Vec<_> = list.lines().map(steady).collect();
    // How long ago differs on a busy machine, so the column is cut out.
    let lines: Vec<_> =
        lines.iter().map(|line| line.replace("just now", "AGO").replace("TIME ago", "AGO")).collect();
    let expected = [
        "KEY TASK PROJECT CREATED TIME SIZE HITS EXIT COMMAND",
        "KEY old other/development AGO, expired TIME 5 B 0 0 echo Gone",
        "KEY check default/development AGO TIME 7 B 0 3 sh -c 'echo broken >&2; exit 3'",
        "KEY build/lib default/development AGO TIME 8 B 1 0 sh -c 'echo library'",
        "KEY build/app default/development AGO TIME 2.9 KiB 0 0 sh -c 'yes | head -c 3000'",
    ];
    assert_eq!(lines, expected);
    let marks = ["PROJECT", "other/", "default/", "default/", "default/"];
    let columns: Vec<_> = list.lines().zip(marks).map(|(line, mark)| line.find(mark)).collect();
    assert_eq!(columns, [Some(21); 5], "columns line up:\n{list}");
}

#[test]
fn an_entry_shows_its_files_its_hits_and_no_value() {
    let mut env = TestEnv::new();
    env.set("SECRET", "hunter2");
    let script = "mkdir -p out/bin; echo 1 > out/bin/tool; chmod 755 out/bin/tool; ln -s bin/tool out/run";
    for _ in 0..3 {
        env.run_words(["run", "-e", "SECRET", "-o", "out", "--task", "build", "--", "sh", "-c", script]);
    }
    let shown = env.run(&format!("local-cache show {}", key(&env, "build"))).stdout;
    let tree = "
outputs
  0755             out/
  0755             ├── bin/
  0755        2 B  │   └── tool
  link             └── run -> bin/tool

fingerprint
";
    assert!(shown.contains(tree), "{shown}");
    assert!(shown.contains("\nhits         2\n"), "{shown}");
    assert!(shown.contains("  env:SECRET\n") && !shown.contains("hunter2"), "{shown}");
    let json = json_of(&env.run(&format!("local-cache show --format json {}", key(&env, "build"))));
    assert_eq!((&json["hits"], &json["outputs"][2]["mode"]), (&json!(2), &json!("0755")));
}

#[test]
fn a_transcript_is_raw_in_a_pipe() {
    let env = TestEnv::new();
    let script = "printf 'one\\033[2J\\n'; printf 'two\\n' >&2; printf 'three\\377'";
    let print = |task: &str, option: &str| {
        let output = env.command().args(["local-cache", "show", &key(&env, task), option]).output().unwrap();
        assert_eq!((output.status.code(), output.stderr.as_slice()), (Some(0), &b""[..]));
        output.stdout
    };
    env.run_words(["run", "--task", "apart", "--", "sh", "-c", script]);
    assert_eq!(print("apart", "--transcript=stdout"), b"one\x1b[2J\nthree\xff");
    assert_eq!(print("apart", "--transcript=stderr"), b"two\n");
    assert_eq!(print("apart", "--transcript").len(), 18);
    env.write("both", script);
    env.shell("taskcache run --task one -- sh both 2>&1");
    assert_eq!(print("one", "--transcript"), b"one\x1b[2J\ntwo\nthree\xff");
    let both = env.run(&format!("local-cache show {} --transcript --format json", key(&env, "one")));
    assert_eq!(both.code, 125);
}

#[test]
fn a_large_transcript_is_printed_whole_and_a_damaged_one_not_at_all() {
    let env = TestEnv::new();
    env.run("run --task big -- seq 40000");
    let key = key(&env, "big");
    let show = format!("local-cache show {key} --transcript");
    assert_eq!(env.run(&show).stdout.lines().count(), 40_000);
    let damage = "blob=$(find \"$(taskcache local-cache path)/blobs\" -type f); printf x | dd of=\"$blob\" conv=notrunc status=none";
    assert_eq!(env.shell(damage).code, 0);
    let message = format!(
        "taskcache: error: the entry {} is damaged\ntaskcache: hint: the next run of its command stores it anew\n",
        &key[..8]
    );
    assert_eq!(env.run(&show), ran(125, "").with_stderr(&message));
}

/// Runs a line on a terminal of 60 columns; `None` where there is no program to make one.
fn on_terminal(env: &TestEnv, line: &str) -> Option<String> {
    if !["script", "stty"].iter().all(|name| std::path::Path::new("/usr/bin").join(name).exists()) {
        eprintln!("skipped: there is no 'script' or no 'stty' on this machine");
        return None;
    }
    let ran = env.shell(&format!("script -qec \"stty cols 60; {line}\" /dev/null"));
    assert_eq!(ran.code, 0, "{}", ran.stdout);
    Some(ran.stdout.replace("\r\n", "\n"))
}

#[test]
fn a_terminal_gets_colours_and_lines_that_fit() {
    let mut env = TestEnv::new();
    env.set("TERM", "xterm");
    env.run("run --task t -- echo one two three four five six seven eight nine ten");
    let Some(colored) = on_terminal(&env, "taskcache local-cache list") else { return };
    assert!(colored.starts_with("\u{1b}[1mKEY\u{1b}[0m  "), "{colored:?}");
    env.set("NO_COLOR", "1");
    let plain = on_terminal(&env, "taskcache local-cache list").unwrap();
    assert!(!plain.contains('\u{1b}'), "{plain:?}");
    let widths: Vec<_> = plain.lines().map(|line| line.chars().count()).collect();
    assert!(widths[1] <= 60 && plain.ends_with("…\n"), "{plain}");
    let always = env.run("local-cache list --color always").stdout;
    assert!(always.starts_with("\u{1b}[1m") && always.ends_with(" nine ten\n"), "{always:?}");
}

#[test]
fn a_transcript_is_harmless_on_a_terminal() {
    let env = TestEnv::new();
    let script = "printf '\\033[31mred\\033[0m \\033]0;title\\007 caf\\303\\251\\n'";
    env.run_words(["run", "--task", "t", "--", "sh", "-c", script]);
    let shown = on_terminal(&env, &format!("taskcache local-cache show {} --transcript", key(&env, "t")));
    let Some(shown) = shown else { return };
    assert_eq!(shown, "\u{1b}[31mred\u{1b}[0m \\u{1b}]0;title\\u{7} café\n\u{1b}[0m");
}

#[test]
fn stats_say_what_a_collection_would_take() {
    let env = filled();
    let stats = env.run("local-cache stats").stdout;
    let lines: Vec<_> = stats.lines().map(steady).collect();
    assert_eq!(lines[..2], ["entries 4", "size 2.9 KiB"]);
    assert_eq!(lines[2..7], ["hit 1", "miss 4", "stale 0", "refresh 0", "bypass 0"]);
    assert_eq!(lines[7], "hit rate 20%");
    assert_eq!(lines[lines.len() - 2..], ["gc would remove 1 entry, 5 B; 2.9 KiB stay", "1 expired, 5 B"]);
    let json = json_of(&env.run("local-cache stats --format json --since 1h"));
    let collection = json!({ "expired": { "entries": 1, "bytes": 5 } });
    assert_eq!((&json["collection"]["reasons"], &json["runs"]), (&collection, &json!(5)));
    let library = json["tasks"].as_array().unwrap().iter().find(|task| task["task"] == "build/lib").unwrap();
    assert_eq!(
        (&library["outcomes"]["hit"], &library["entries"], &library["bytes"]),
        (&json!(1), &json!(1), &json!(8))
    );
    assert_eq!(json_of(&env.run("local-cache stats --format json --since 0s"))["runs"], 0);
}

#[test]
fn a_history_that_cannot_be_read_hides_nothing() {
    let env = TestEnv::new();
    env.run("run --task t -- echo one");
    let history = env.store().join("history.jsonl");
    std::fs::remove_file(&history).unwrap();
    std::fs::create_dir(&history).unwrap();
    let list = env.run("local-cache list --format json");
    let message =
        format!("taskcache: warning: cannot read '{}': it is not a regular file\n", history.display());
    assert_eq!((list.code, list.stderr.as_str()), (0, message.as_str()));
    assert!(list.stdout.starts_with("[{\"key\":"), "{}", list.stdout);
    let shown = env.run(&format!("local-cache show {}", &list.stdout[9..17]));
    assert_eq!((shown.code, shown.stderr.as_str()), (0, message.as_str()));
}
