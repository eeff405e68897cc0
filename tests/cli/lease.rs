//! Leases in the place of kernel locks: what happens when a holder cannot renew its own.

use crate::support::{Ran, TestEnv, ran};
use rustix::process::{Pid, Signal, kill_process};
use std::process::{Child, Stdio};

/// A world with short leases, and the command.
fn world() -> TestEnv {
    with_slow_command(TestEnv::with_leases("1s"))
}

/// Gives a world a command of which each run has a number: it appends to `count`, and ends when
/// there is an answer in the file `go-NUMBER`.
fn with_slow_command(env: TestEnv) -> TestEnv {
    let script =
        "#!/bin/sh\necho ran >> count\nn=$(wc -l < count)\nwhile [ ! -e go-$n ]; do :; done\ncat go-$n\n";
    env.script("slow", script);
    env
}

const LINE: &str = "run --serialize -e X --no-argument-inputs -- ./slow";

fn wait_until_ran(env: &TestEnv, times: usize) {
    while env.count() < times {}
}

fn answer(env: &TestEnv, number: usize, answer: &str) {
    env.write("answer", answer);
    std::fs::rename(env.work().join("answer"), env.work().join(format!("go-{number}"))).unwrap();
}

fn send(child: &Child, signal: Signal) {
    kill_process(Pid::from_raw(child.id().cast_signed()).unwrap(), signal).unwrap();
}

fn ended(child: Child) -> Ran {
    Ran::of(&child.wait_with_output().unwrap())
}

const LOST: &str = "its lease ran out, and another run has taken over";

#[test]
fn a_stopped_holder_that_wakes_up_does_not_overwrite_who_took_over() {
    let env = world();
    let stopped = env.spawn(LINE, Stdio::null());
    wait_until_ran(&env, 1);
    send(&stopped, Signal::STOP);
    // Not before its lease has run out.
    let next = env.spawn(LINE, Stdio::null());
    wait_until_ran(&env, 2);
    answer(&env, 2, "two\n");
    assert_eq!(ended(next), ran(0, "two\n"));
    assert_eq!(env.run(LINE), ran(0, "two\n"));
    answer(&env, 1, "one\n");
    send(&stopped, Signal::CONT);
    let warning = format!("taskcache: warning: the result was not stored: {LOST}\n");
    assert_eq!(ended(stopped), ran(0, "one\n").with_stderr(&warning));
    assert_eq!(env.run(LINE), ran(0, "two\n"));
    assert_eq!(env.count(), 2);
}

#[test]
fn a_stopped_holder_that_wakes_up_while_another_computes_stores_nothing() {
    let env = world();
    let line = LINE.replace("--serialize", "--serialize --strict");
    let stopped = env.spawn(&line, Stdio::null());
    wait_until_ran(&env, 1);
    send(&stopped, Signal::STOP);
    let next = env.spawn(LINE, Stdio::null());
    wait_until_ran(&env, 2);
    answer(&env, 1, "one\n");
    send(&stopped, Signal::CONT);
    let stopped = ended(stopped);
    assert_eq!((stopped.code, stopped.stdout.as_str()), (125, "one\n"));
    assert!(stopped.stderr.starts_with(&format!("taskcache: error: the result was not stored: {LOST}\n")));
    answer(&env, 2, "two\n");
    assert_eq!(ended(next), ran(0, "two\n"));
    assert_eq!(env.run(LINE), ran(0, "two\n"));
}

#[test]
fn a_stopped_holder_keeps_what_nobody_took() {
    let env = world();
    let stopped = env.spawn(LINE, Stdio::null());
    wait_until_ran(&env, 1);
    send(&stopped, Signal::STOP);
    while env.run("local-cache list --running") != ran(0, "nothing is running\n") {}
    answer(&env, 1, "one\n");
    send(&stopped, Signal::CONT);
    assert_eq!(ended(stopped), ran(0, "one\n"));
    assert_eq!(env.run(LINE), ran(0, "one\n"));
}

#[test]
fn a_waiter_takes_over_when_the_lease_of_a_killed_holder_has_run_out() {
    let env = world();
    let mut holder = env.spawn(LINE, Stdio::null());
    wait_until_ran(&env, 1);
    holder.kill().unwrap();
    holder.wait().unwrap();
    let waiter = env.spawn(LINE, Stdio::null());
    wait_until_ran(&env, 2);
    // The command of the killed run is still at work.
    answer(&env, 1, "one\n");
    answer(&env, 2, "two\n");
    assert_eq!(ended(waiter), ran(0, "two\n"));
    assert_eq!(env.run("local-cache list --running"), ran(0, "nothing is running\n"));
}

#[test]
fn a_transaction_that_was_stopped_for_too_long_is_rolled_back() {
    let env = world();
    let script = "#!/bin/sh\ntaskcache run -e X --no-argument-inputs -- ./slow\n: > held\nwhile [ ! -e end ]; do :; done\n";
    env.script("steps", script);
    let path = std::path::Path::new(env!("CARGO_BIN_EXE_taskcache")).parent().unwrap();
    let mut command = env.command();
    command.env("PATH", format!("{}:/usr/bin:/bin", path.display()));
    command.args([
        "transaction",
        "--isolation",
        "serializable",
        "--on-rollback",
        "echo undone >> hooks",
        "--",
    ]);
    command.arg("./steps").stdout(Stdio::piped()).stderr(Stdio::piped());
    let transaction = command.spawn().unwrap();
    answer(&env, 1, "one\n");
    while !env.exists("held") {}
    send(&transaction, Signal::STOP);
    let outside = env.spawn(LINE, Stdio::null());
    wait_until_ran(&env, 2);
    answer(&env, 2, "two\n");
    assert_eq!(ended(outside), ran(0, "two\n"));
    env.write("end", "");
    send(&transaction, Signal::CONT);
    let told = "taskcache: warning: the transaction was rolled back: its lease ran out, and another process has taken \
                over\n";
    assert_eq!(ended(transaction), ran(0, "one\n").with_stderr(told));
    assert_eq!(env.read("hooks").as_deref(), Some("undone\n"));
    assert_eq!(env.run(LINE), ran(0, "two\n"));
    assert_eq!(env.run("transaction list"), ran(0, "no transactions\n"));
}

/// As with kernel locks, but without the promise that no two are at work at once: on a machine that stands still for a
/// second a lease runs out.
#[test]
fn a_storm_with_kills_loses_no_key() {
    let env = TestEnv::with_leases("1s");
    env.script("work", "#!/bin/sh\ni=0; while [ $i -lt 300 ]; do i=$((i+1)); done\necho result $1\n");
    let start = |key: u32| env.spawn(&format!("run --serialize -- ./work {key}"), Stdio::null());
    let mut running: Vec<(u32, bool, Child)> = Vec::new();
    let finish = |(key, doomed, mut child): (u32, bool, Child)| {
        if doomed {
            child.kill().unwrap();
            child.wait().unwrap();
        } else {
            assert_eq!(ended(child).code, 0, "{key}");
        }
    };
    for number in 0..160_u32 {
        // A fixed sequence that looks like none, so that keys and victims come in all orders.
        let scattered = number.wrapping_mul(2_654_435_761) >> 8;
        running.push((scattered % 20, number >= 40 && scattered % 4 == 0, start(scattered % 20)));
        if running.len() == 16 {
            let oldest = running.remove(0);
            finish(oldest);
        }
    }
    running.into_iter().for_each(finish);
    for key in 0..20 {
        let expected = ran(0, &format!("result {key}\n"));
        assert_eq!(env.run(&format!("run --serialize -- ./work {key}")), expected);
    }
    while env.run("local-cache list --running") != ran(0, "nothing is running\n") {}
    assert_eq!(env.run("local-cache list --format json").stdout.matches("\"key\"").count(), 20);
}

#[test]
fn a_store_in_which_somebody_used_leases_goes_on_with_them() {
    // So long that this test does not see its end.
    let env = with_slow_command(TestEnv::with_leases("1h"));
    let holder = env.spawn(LINE, Stdio::null());
    wait_until_ran(&env, 1);
    std::fs::remove_file(env.home().join(".config/taskcache/config.toml")).unwrap();
    assert_eq!(env.run("local-cache list --running").stdout.lines().count(), 2);
    let waiter = env.spawn(LINE, Stdio::null());
    answer(&env, 1, "one\n");
    assert_eq!((ended(holder), ended(waiter)), (ran(0, "one\n"), ran(0, "one\n")));
    assert_eq!(env.count(), 1);
}
