//! Results that are refreshed behind the caller's back, and runs that only compare.

use crate::support::{TestEnv, ran};

fn world() -> TestEnv {
    let env = TestEnv::new();
    env.write("answer", "one\n");
    env.script("ask", "#!/bin/sh\necho ran >> count\ncat answer\nexit $(cat code 2>/dev/null || echo 0)\n");
    env
}

/// Waits until the history has this many lines: a run in the background writes its line when it is over.
fn wait_for_runs(env: &TestEnv, runs: usize) {
    let history = env.store().join("history.jsonl");
    while std::fs::read_to_string(&history).unwrap_or_default().lines().count() < runs {}
}

const ASK: &str = "run --no-argument-inputs";

#[test]
fn a_stale_result_is_replayed_and_refreshed() {
    let env = world();
    env.run(&format!("{ASK} -- ./ask"));
    env.write("answer", "two\n");
    let stale = env.run(&format!("{ASK} --stale 0s --status always -- ./ask"));
    assert_eq!((stale.code, stale.stdout.as_str()), (0, "one\n"));
    assert!(stale.stderr.starts_with("taskcache: stale ask "), "{}", stale.stderr);
    wait_for_runs(&env, 3);
    assert_eq!(env.run(&format!("{ASK} --stale 1h -- ./ask")), ran(0, "two\n"));
    assert_eq!(env.count(), 2);
}

#[test]
fn a_warm_run_says_nothing_and_fills_the_store() {
    let env = world();
    assert_eq!(env.run(&format!("{ASK} --warm -- ./ask")), ran(0, ""));
    wait_for_runs(&env, 1);
    assert_eq!(env.run(&format!("{ASK} --cached-only -- ./ask")), ran(0, "one\n"));
    assert_eq!(env.count(), 1);
}

#[test]
fn a_failure_in_the_background_never_replaces_a_success() {
    let env = world();
    let line = |option: &str| format!("{ASK} --cache-exit any {option} -- ./ask");
    env.run(&line(""));
    env.write("code", "3");
    env.write("answer", "broken\n");
    assert_eq!(env.run(&line("--stale 0s")), ran(0, "one\n"));
    wait_for_runs(&env, 3);
    assert_eq!(env.run(&line("")), ran(0, "one\n"));
    assert_eq!(env.count(), 2);
}

#[test]
fn a_run_in_the_background_holds_nothing_of_its_callers() {
    let env = world();
    let status = std::process::Command::new("mkfifo").arg(env.work().join("go")).status().unwrap();
    assert!(status.success());
    env.script("slow", "#!/bin/sh\nread answer < go\nls /proc/self/fd > descriptors\nps -o sid= -p $$ > session\necho $$ > pid\n");
    // The shell's own descriptor 9 leads into the pipe of `cat`, which ends when all who have it are gone: the run in
    // the background must not.
    let ran = env.shell("{ taskcache run --warm -- ./slow 9>&1; } | cat; echo over");
    assert_eq!((ran.code, ran.stdout.as_str()), (0, "over\n"));
    std::fs::write(env.work().join("go"), "x\n").unwrap();
    wait_for_runs(&env, 1);
    let descriptors = env.read("descriptors").unwrap();
    assert!(!descriptors.lines().any(|number| number == "9"), "{descriptors}");
}

#[test]
fn stale_is_refused_with_outputs() {
    let env = world();
    let refused = env.run("run --stale 1h -o out -- ./ask");
    let message = "taskcache: error: option --stale: a command with outputs cannot be refreshed behind the caller's \
                   back\ntaskcache: hint: use --ttl or --max-age\n";
    assert_eq!(refused, ran(125, "").with_stderr(message));
}

#[test]
fn verify_runs_compares_and_keeps_what_is_stored() {
    let env = world();
    env.script("make", "#!/bin/sh\necho ran >> count\ncat answer\ncp answer made\n");
    let line = "run --no-argument-inputs -o made";
    env.run(&format!("{line} -- ./make"));
    assert_eq!(env.run(&format!("{line} --verify -- ./make")), ran(0, "one\n"));
    assert_eq!(env.count(), 2);
    env.write("answer", "three\n");
    let warning = "taskcache: warning: the run differs from the stored result: stdout (6 bytes instead of 4), 'made' has other bytes\n";
    assert_eq!(env.run(&format!("{line} --verify -- ./make")), ran(0, "three\n").with_stderr(warning));
    let strict = env.run(&format!("{line} --verify --strict -- ./make"));
    assert_eq!((strict.code, strict.stdout.as_str()), (125, "three\n"));
    assert_eq!(env.run(&format!("{line} -- ./make")), ran(0, "one\n"));
    assert_eq!((env.count(), env.read("made").as_deref()), (4, Some("one\n")));
}

#[test]
fn verify_without_a_result_is_a_run_like_any_other() {
    let env = world();
    assert_eq!(env.run(&format!("{ASK} --verify -- ./ask")), ran(0, "one\n"));
    assert_eq!(env.run(&format!("{ASK} -- ./ask")), ran(0, "one\n"));
    assert_eq!(env.count(), 1);
    env.write("code", "3");
    let warning = "taskcache: warning: the run differs from the stored result: exit code 3 instead of 0\n";
    assert_eq!(env.run(&format!("{ASK} --verify -- ./ask")), ran(3, "one\n").with_stderr(warning));
}
