//! One run at a time for a key.

use crate::support::{TestEnv, ran};
use std::process::{Child, Stdio};

/// Gives a world a command that appends to `count`, and ends when there is an answer in the file `go`.
fn with_slow_command(env: TestEnv) -> TestEnv {
    env.script("slow", "#!/bin/sh\necho ran >> count\nwhile [ ! -e go ]; do :; done\ncat go\n");
    env
}

fn worlds() -> [TestEnv; 2] {
    TestEnv::by_each_means().map(with_slow_command)
}

const LINE: &str = "run --serialize --no-argument-inputs -- ./slow";

/// Waits until a run holds a reservation, as everybody can see it.
fn wait_until_running(env: &TestEnv) {
    while env.run("local-cache list --running").stdout.lines().count() < 2 {}
}

fn release(env: &TestEnv, answer: &str) {
    env.write("answer", answer);
    std::fs::rename(env.work().join("answer"), env.work().join("go")).unwrap();
}

fn output(child: Child) -> (Option<i32>, String) {
    let output = child.wait_with_output().unwrap();
    (output.status.code(), String::from_utf8(output.stdout).unwrap())
}

#[test]
fn of_many_at_once_one_runs_and_the_others_replay() {
    for env in TestEnv::by_each_means() {
        env.script(
            "slow",
            "#!/bin/sh\necho ran >> count\ni=0; while [ $i -lt 20000 ]; do i=$((i+1)); done\necho done\n",
        );
        let children: Vec<_> =
            (0..64).map(|_| env.spawn("run --serialize -- ./slow", Stdio::null())).collect();
        for child in children {
            assert_eq!(output(child), (Some(0), "done\n".to_owned()));
        }
        assert_eq!(env.count(), 1);
    }
}

#[test]
fn a_waiter_takes_over_the_moment_its_holder_is_killed() {
    let env = with_slow_command(TestEnv::new());
    let mut holder = env.spawn(LINE, Stdio::null());
    while env.count() < 1 {}
    let waiter = env.spawn(LINE, Stdio::null());
    holder.kill().unwrap();
    holder.wait().unwrap();
    // The command of the killed run still waits; the other run's command does so beside it.
    while env.count() < 2 {}
    release(&env, "one\n");
    assert_eq!(output(waiter), (Some(0), "one\n".to_owned()));
}

#[test]
fn a_waiter_takes_over_when_the_holder_fails() {
    for env in TestEnv::by_each_means() {
        env.script("fails", "#!/bin/sh\necho ran >> count\n[ $(wc -l < count) -ge 3 ]\n");
        let children: Vec<_> =
            (0..8).map(|_| env.spawn("run --serialize -- ./fails", Stdio::null())).collect();
        let codes: Vec<_> = children.into_iter().map(|child| output(child).0).collect();
        assert_eq!(codes.iter().filter(|code| **code == Some(1)).count(), 2, "{codes:?}");
        assert_eq!(env.count(), 3);
    }
}

#[test]
fn a_wait_ends_when_it_is_bounded() {
    for env in worlds() {
        let holder = env.spawn(LINE, Stdio::null());
        wait_until_running(&env);
        let failed = env.run("run --serialize --no-argument-inputs --wait 10ms --on-timeout fail -- ./slow");
        assert_eq!((failed.code, failed.stdout.as_str()), (124, ""));
        assert!(failed.stderr.contains("another run still computes "), "{}", failed.stderr);
        let impatient =
            env.spawn("run --serialize --no-argument-inputs --wait 10ms -- ./slow", Stdio::null());
        while env.count() < 2 {}
        release(&env, "x\n");
        assert_eq!(output(impatient), (Some(0), "x\n".to_owned()));
        assert_eq!(output(holder), (Some(0), "x\n".to_owned()));
    }
}

#[test]
fn a_hit_waits_for_nobody() {
    for env in worlds() {
        let first = env.spawn(LINE, Stdio::null());
        wait_until_running(&env);
        release(&env, "one\n");
        assert_eq!(output(first).0, Some(0));
        std::fs::remove_file(env.work().join("go")).unwrap();
        let refresh = env.spawn("run --serialize --refresh --no-argument-inputs -- ./slow", Stdio::null());
        wait_until_running(&env);
        assert_eq!(env.run(LINE), ran(0, "one\n"));
        release(&env, "two\n");
        assert_eq!(output(refresh), (Some(0), "two\n".to_owned()));
        assert_eq!(env.run(LINE), ran(0, "two\n"));
    }
}

#[test]
fn who_is_waited_for_is_told() {
    for env in worlds() {
        let holder = env.spawn(LINE, Stdio::null());
        wait_until_running(&env);
        let list = env.run("local-cache list --running --format json").stdout;
        let list: serde_json::Value = serde_json::from_str(&list).unwrap();
        assert_eq!(
            (list[0]["pid"].as_u64(), list[0]["command"].as_str()),
            (Some(holder.id().into()), Some("./slow"))
        );
        let waiter = env.spawn(
            &LINE.replace("--serialize", "--serialize --status always --events events"),
            Stdio::null(),
        );
        while !env.read("events").unwrap_or_default().contains("\"waiting\"") {}
        release(&env, "x\n");
        output(holder);
        let waited = waiter.wait_with_output().unwrap();
        let stderr = String::from_utf8(waited.stderr).unwrap();
        assert!(stderr.starts_with("taskcache: waiting for slow "), "{stderr}");
        assert_eq!(stderr.lines().count(), 2, "{stderr}");
        assert_eq!(env.run("local-cache list --running"), ran(0, "nothing is running\n"));
    }
}

#[test]
fn two_that_wait_for_each_other_do_not_wait_for_ever() {
    for env in TestEnv::by_each_means() {
        let barrier = "echo ran >> $1-began; while [ ! -e $2-began ]; do :; done";
        env.script(
            "outer",
            &format!("#!/bin/sh\n{barrier}\nexec taskcache run --serialize -- ./outer $2 $1\n"),
        );
        let line = "taskcache run --serialize -- ./outer a b & taskcache run --serialize -- ./outer b a & wait; echo over";
        let ran = env.shell(line);
        assert_eq!((ran.code, ran.stdout.as_str()), (0, "over\n"));
    }
}

/// Sixteen at a time, fifty keys, and one in four of the runs killed at some moment: whatever happens, every result
/// that is claimed is right, none is computed by two living runs at once, and in the end all keys are there.
#[test]
fn a_storm_with_kills_loses_no_key_and_runs_none_twice_at_once() {
    let env = TestEnv::new();
    let script = "#!/bin/sh\n\
        mkdir busy-$1 2>/dev/null || { [ -e killed ] || echo twice $1 >> wrong; }\n\
        i=0; while [ $i -lt 300 ]; do i=$((i+1)); done\n\
        rmdir busy-$1 2>/dev/null\necho result $1\n";
    env.script("work", script);
    let start = |key: u32| env.spawn(&format!("run --serialize -- ./work {key}"), Stdio::null());
    let mut running: Vec<(u32, bool, Child)> = Vec::new();
    let mut finish = |(key, doomed, mut child): (u32, bool, Child)| {
        if doomed {
            env.write("killed", "");
            child.kill().unwrap();
            child.wait().unwrap();
        } else {
            assert_eq!(output(child), (Some(0), format!("result {key}\n")));
        }
    };
    for number in 0..400_u32 {
        // A fixed sequence that looks like none, so that keys and victims come in all orders.
        let scattered = number.wrapping_mul(2_654_435_761) >> 8;
        running.push((scattered % 50, number >= 100 && scattered % 4 == 0, start(scattered % 50)));
        if running.len() == 16 {
            let oldest = running.remove(0);
            finish(oldest);
        }
    }
    running.into_iter().for_each(&mut finish);
    assert_eq!(env.read("wrong"), None);
    for key in 0..50 {
        let expected = ran(0, &format!("result {key}\n"));
        assert_eq!(env.run(&format!("run --serialize -- ./work {key}")), expected);
    }
    assert_eq!(env.run("local-cache list --running"), ran(0, "nothing is running\n"));
    assert_eq!(env.run("local-cache list --format json").stdout.matches("\"key\"").count(), 50);
}
