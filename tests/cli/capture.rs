//! What a command writes, and how it ends, comes back exactly.

use crate::support::{TestEnv, ran};
use std::process::Stdio;

#[test]
fn a_hit_gives_back_stdout_and_runs_nothing() {
    let env = TestEnv::new();
    let line = "run -- sh -c 'echo ran >> count; echo hello'";
    assert_eq!(env.run(line), ran(0, "hello\n"));
    assert_eq!(env.run(line), ran(0, "hello\n"));
    assert_eq!(env.count(), 1);
}

#[test]
fn both_streams_and_the_exit_code_come_back() {
    let env = TestEnv::new();
    let line = "run --cache-exit any -- sh -c 'echo ran >> count; echo out; echo err >&2; exit 3'";
    let expected = ran(3, "out\n").with_stderr("err\n");
    assert_eq!(env.run(line), expected);
    assert_eq!(env.run(line), expected);
    assert_eq!(env.count(), 1);
}

#[test]
fn a_failure_is_not_kept_unless_asked_for() {
    let env = TestEnv::new();
    let line = "run -- sh -c 'echo ran >> count; exit 1'";
    assert_eq!(env.run(line), ran(1, ""));
    assert_eq!(env.run(line), ran(1, ""));
    assert_eq!(env.count(), 2);
}

#[test]
fn a_kept_failure_is_no_hit_for_those_who_do_not_keep_it() {
    let env = TestEnv::new();
    env.script("fail", "#!/bin/sh\necho ran >> count\nexit 1\n");
    env.run("run --cache-exit 0,1 -- ./fail");
    env.run("run --cache-exit 0,1 -- ./fail");
    assert_eq!(env.count(), 1);
    env.run("run -- ./fail");
    assert_eq!(env.count(), 2);
}

#[test]
fn bytes_are_exact() {
    let env = TestEnv::new();
    let all: Vec<u8> = (0..=255).chain(b"no newline".iter().copied()).collect();
    env.write("all", &all);
    let run = || env.command().args(["run", "--", "cat", "all"]).output().unwrap();
    assert_eq!(run().stdout, all);
    assert_eq!(run().stdout, all);
}

#[test]
fn large_output_comes_back_whole() {
    let env = TestEnv::new();
    let line = "run -- sh -c 'echo ran >> count; yes 0123456789 | head -c 5000000'";
    let (first, second) = (env.run(line), env.run(line));
    assert_eq!(first.stdout.len(), 5_000_000);
    assert_eq!(first, second);
    assert_eq!(env.count(), 1);
}

#[test]
fn the_order_is_exact_where_both_streams_are_one() {
    let env = TestEnv::new();
    let line = "taskcache run -- sh -c 'echo ran >> count; for i in 1 2 3 4 5; do echo o$i; echo e$i >&2; done' 2>&1";
    let expected = ran(0, "o1\ne1\no2\ne2\no3\ne3\no4\ne4\no5\ne5\n");
    assert_eq!(env.shell(line), expected);
    assert_eq!(env.shell(line), expected);
    assert_eq!(env.count(), 1);
}

#[test]
fn a_death_by_signal_is_passed_on_and_not_kept() {
    let env = TestEnv::new();
    let line = "run -- sh -c 'echo ran >> count; kill -TERM $$'";
    assert_eq!(env.run(line), ran(128 + 15, ""));
    assert_eq!(env.run(line), ran(128 + 15, ""));
    assert_eq!(env.count(), 2);
}

#[test]
fn a_reader_that_goes_away_ends_the_run_as_it_would_without_us() {
    let env = TestEnv::new();
    let line = "taskcache run -- yes | head -1";
    assert_eq!(env.shell(line), ran(0, "y\n"));
    let long = "taskcache run -- seq 1 200000 | head -1";
    assert_eq!(env.shell("taskcache run -- seq 1 200000 | tail -1"), ran(0, "200000\n"));
    assert_eq!(env.shell(long), ran(0, "1\n"));
}

#[test]
fn a_program_that_is_missing_or_no_program_has_the_shells_codes() {
    let env = TestEnv::new();
    env.write("plain", "text");
    let missing = env.run("run -- no-such-program-here");
    assert_eq!((missing.code, missing.stdout.as_str()), (127, ""));
    assert!(missing.stderr.starts_with("taskcache: error: "), "{}", missing.stderr);
    let plain = env.run("run -- ./plain");
    assert_eq!((plain.code, plain.stdout.as_str()), (126, ""));
}

#[test]
fn a_grandchild_in_the_background_does_not_hold_the_run() {
    let env = TestEnv::new();
    for runs in 1..=2 {
        let ran = env.run("run -- sh -c 'echo ran >> count; sleep 60 & echo $!'");
        let grandchild = rustix::process::Pid::from_raw(ran.stdout.trim_end().parse().unwrap()).unwrap();
        let killed = rustix::process::kill_process(grandchild, rustix::process::Signal::KILL);
        assert_eq!((ran.code, killed), (0, Ok(())), "it is still there");
        assert_eq!(env.count(), runs, "a result that may be incomplete is not kept");
    }
}

#[test]
fn stdin_is_empty_by_default_and_keyed_on_request() {
    let env = TestEnv::new();
    assert_eq!(env.run_with_stdin("run -- cat", b""), ran(0, ""));
    let line = "run --stdin hash -- sh -c 'echo ran >> count; cat'";
    for _ in 0..2 {
        assert_eq!(env.run_with_stdin(line, b"one"), ran(0, "one"));
        assert_eq!(env.run_with_stdin(line, b"two"), ran(0, "two"));
    }
    assert_eq!(env.count(), 2);
    let inherit = "run --stdin inherit -- sh -c 'echo ran >> count; cat'";
    for _ in 0..2 {
        assert_eq!(env.run_with_stdin(inherit, b"one"), ran(0, "one"));
    }
    assert_eq!(env.count(), 4);
}

#[test]
fn output_appears_while_the_command_runs() {
    use std::io::Read;
    let env = TestEnv::new();
    // The command cannot end before its first line was read: it waits for what is written in answer.
    let status = std::process::Command::new("mkfifo").arg(env.work().join("go")).status().unwrap();
    assert!(status.success());
    let mut child = env.spawn("run -- sh -c 'echo first; cat go; echo last'", Stdio::null());
    let mut stdout = child.stdout.take().unwrap();
    let mut first = [0; 6];
    stdout.read_exact(&mut first).unwrap();
    assert_eq!(&first, b"first\n");
    std::fs::write(env.work().join("go"), "middle\n").unwrap();
    let mut rest = String::new();
    stdout.read_to_string(&mut rest).unwrap();
    assert_eq!(rest, "middle\nlast\n");
    assert!(child.wait().unwrap().success());
}

#[test]
fn replay_prints_what_is_asked_for() {
    let env = TestEnv::new();
    let with = |option: &str| env.run(&format!("run {option} -- sh -c 'echo out; echo err >&2'"));
    let both = ran(0, "out\n").with_stderr("err\n");
    assert_eq!(with(""), both);
    assert_eq!(with("--replay all"), both);
    assert_eq!(with("--replay stdout"), ran(0, "out\n"));
    assert_eq!(with("--replay stderr"), ran(0, "").with_stderr("err\n"));
    assert_eq!(with("--replay none"), ran(0, ""));
}
