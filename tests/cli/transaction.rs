//! Several results, together or not at all.

use crate::support::{Ran, TestEnv, ran};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Command, Stdio};

fn world() -> TestEnv {
    let env = TestEnv::new();
    env.script("step", "#!/bin/sh\necho ran >> count\necho step $1\n");
    env
}

/// Returns how many results everybody sees.
fn visible(env: &TestEnv) -> usize {
    env.run("local-cache list --format json").stdout.matches("\"key\"").count()
}

fn steps(env: &TestEnv, script: &str, body: &str) {
    env.script(script, &format!("#!/bin/sh\nset -e\n{body}\n"));
}

const TWO: &str = "taskcache run -- ./step 1\ntaskcache run -- ./step 2";

#[test]
fn results_show_when_the_script_succeeds() {
    let env = world();
    steps(&env, "script", &format!("{TWO}\ntaskcache local-cache list --format json"));
    assert_eq!(env.shell("taskcache transaction -- ./script"), ran(0, "step 1\nstep 2\n[]\n"));
    assert_eq!(visible(&env), 2);
    assert_eq!(env.shell(TWO), ran(0, "step 1\nstep 2\n"));
    assert_eq!(env.count(), 2);
}

#[test]
fn nothing_shows_when_the_script_fails() {
    let env = world();
    steps(&env, "script", &format!("{TWO}\nexit 3"));
    assert_eq!(env.shell("taskcache transaction -- ./script"), ran(3, "step 1\nstep 2\n"));
    assert_eq!(visible(&env), 0);
    assert_eq!(env.run("transaction list"), ran(0, "no transactions\n"));
    steps(&env, "killed", &format!("{TWO}\nkill -TERM $$"));
    assert_eq!(env.shell("taskcache transaction -- ./killed").code, 128 + 15);
    assert_eq!(visible(&env), 0);
}

#[test]
fn staged_results_are_hits_inside() {
    let env = world();
    steps(&env, "script", &format!("{TWO}\n{TWO}"));
    env.shell("taskcache transaction -- ./script");
    assert_eq!(env.count(), 2);
}

#[test]
fn each_step_of_a_transaction_can_name_its_store() {
    let env = world();
    let id = env.run("transaction begin --cache-dir other").stdout.trim().to_owned();
    assert_eq!(env.run("transaction list"), ran(0, "no transactions\n"));
    assert!(env.run("transaction list --cache-dir other").stdout.contains(&id));
    let inside = format!("TASKCACHE_TRANSACTION={id} taskcache run --cache-dir other -- ./step 1");
    assert_eq!(env.shell(&inside), ran(0, "step 1\n"));
    assert_eq!(env.run(&format!("transaction commit --cache-dir other {id}")), ran(0, "committed 1 entry\n"));
    let id = env.run("transaction begin --cache-dir other").stdout.trim().to_owned();
    assert_eq!(
        env.run(&format!("transaction rollback --cache-dir other {id}")),
        ran(0, "rolled back 0 entries\n")
    );
}

#[test]
fn a_transaction_across_separate_steps() {
    let env = world();
    let id = env.run("transaction begin").stdout.trim().to_owned();
    assert_eq!(id.len(), 16);
    let inside = format!("export TASKCACHE_TRANSACTION={id}; taskcache run -- ./step");
    env.shell(&format!("{inside} 1"));
    env.shell(&format!("{inside} 2"));
    assert_eq!(visible(&env), 0);
    let list: serde_json::Value =
        serde_json::from_str(&env.run("transaction list --format json").stdout).unwrap();
    assert_eq!((list[0]["id"].as_str(), list[0]["entries"].as_u64()), (Some(id.as_str()), Some(2)));
    assert_eq!(env.run(&format!("transaction commit {id}")), ran(0, "committed 2 entries\n"));
    assert_eq!(visible(&env), 2);
    let over = format!(
        "taskcache: error: the transaction {id} is over\n\
         taskcache: hint: 'taskcache transaction list' shows those that are not over\n"
    );
    assert_eq!(env.run(&format!("transaction rollback {id}")), ran(125, "").with_stderr(&over));
    let other = env.run("transaction begin").stdout.trim().to_owned();
    env.shell(&format!("TASKCACHE_TRANSACTION={other} taskcache run -- ./step 3"));
    assert_eq!(env.run(&format!("transaction rollback {other}")), ran(0, "rolled back 1 entry\n"));
    assert_eq!(visible(&env), 2);
}

#[test]
fn a_run_in_a_transaction_that_is_over_runs_and_stores_nothing() {
    let env = world();
    let late = env.shell("TASKCACHE_TRANSACTION=0123456789abcdef taskcache run -- ./step 1");
    let warning = "taskcache: warning: running without the cache: the transaction 0123456789abcdef is over\n";
    assert_eq!(late, ran(0, "step 1\n").with_stderr(warning));
    assert_eq!(visible(&env), 0);
}

#[test]
fn an_abandoned_transaction_expires() {
    let env = world();
    let id = env.run("transaction begin --expires 0s").stdout.trim().to_owned();
    env.shell(&format!("TASKCACHE_TRANSACTION={id} taskcache run -- ./step 1"));
    assert_eq!(env.run(&format!("transaction commit {id}")).code, 125);
    assert_eq!(visible(&env), 0);
}

#[test]
fn an_inner_transaction_joins_the_one_around_it() {
    let env = world();
    steps(&env, "inner", TWO);
    steps(&env, "inner-fails", "taskcache run -- ./step 3\nexit 1");
    let outer = "taskcache transaction -- ./inner\ntaskcache transaction -- ./inner-fails || true\ntaskcache local-cache list";
    steps(&env, "outer", outer);
    let expected = ran(0, "step 1\nstep 2\nstep 3\nno entries\n");
    assert_eq!(env.shell("taskcache transaction -- ./outer"), expected);
    assert_eq!(visible(&env), 2, "what the inner one rolled back is gone");
    env.run("local-cache clear");
    steps(&env, "outer-fails", "taskcache transaction -- ./inner\nexit 1");
    env.shell("taskcache transaction -- ./outer-fails");
    assert_eq!(visible(&env), 0, "what the inner one committed went with the outer one");
}

#[test]
fn hooks_run_in_order_and_in_reverse_whatever_becomes_of_each() {
    let env = world();
    let hooks = "--on-commit 'echo c1' --on-commit 'exit 4' --on-commit 'echo c3' \
                 --on-rollback 'echo r1' --on-rollback 'exit 5' --on-rollback 'echo r3'";
    let warning = |text: &str| format!("taskcache: warning: the hook '{text}\n");
    let committed = env.run(&format!("transaction {hooks} -- true"));
    assert_eq!(committed, ran(0, "c1\nc3\n").with_stderr(&warning("exit 4' exited with 4")));
    let rolled_back = env.run(&format!("transaction {hooks} -- false"));
    assert_eq!(rolled_back, ran(1, "r3\nr1\n").with_stderr(&warning("exit 5' exited with 5")));
    let id = env.run("transaction begin --on-commit 'echo stepwise'").stdout.trim().to_owned();
    assert_eq!(env.run(&format!("transaction commit {id}")), ran(0, "committed 0 entries\nstepwise\n"));
    steps(&env, "outer", "taskcache transaction --on-commit 'echo inner' -- true\necho body");
    let nested = env.shell("taskcache transaction --on-commit 'echo outer' -- ./outer");
    assert_eq!(nested, ran(0, "body\nouter\ninner\n"));
}

#[test]
fn clearing_leaves_alone_what_is_staged() {
    let env = world();
    env.script("large", "#!/bin/sh\nyes large | head -c 100000\n");
    let id = env.run("transaction begin").stdout.trim().to_owned();
    env.shell(&format!("TASKCACHE_TRANSACTION={id} taskcache run -- ./large"));
    env.run("local-cache clear");
    env.run(&format!("transaction commit {id}"));
    let replay = env.shell("taskcache run --cached-only -- ./large");
    assert_eq!((replay.code, replay.stdout.len()), (0, 100_000));
}

/// Kills a transaction with all that runs in it after a while, at two hundred and more different moments.
#[test]
fn a_transaction_killed_at_any_moment_is_all_or_nothing() {
    let env = world();
    steps(&env, "script", "for i in 1 2 3 4 5; do taskcache run --salt $SALT -- ./step $i; done");
    let program = std::path::Path::new(env!("CARGO_BIN_EXE_taskcache"));
    let path = format!("{}:/usr/bin:/bin", program.parent().unwrap().display());
    let start = |salt: &str| {
        let mut command = Command::new(program);
        command.args(["transaction", "--", "./script"]).current_dir(env.work()).env_clear();
        command.env("PATH", &path).env("HOME", env.home()).env("SALT", salt).process_group(0);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
    };
    // The fastest of a few, so that most moments lie within a run however busy the machine is.
    let timed = |number: u32| {
        let started = std::time::Instant::now();
        assert!(start(&format!("whole-{number}")).wait().unwrap().success());
        started.elapsed()
    };
    let whole = (0..4).map(timed).min().unwrap();
    assert_eq!(visible(&env), 20);
    let (points, mut before, mut killed) = (210_u32, 20, 0);
    for point in 0..points {
        let mut child = start(&format!("point-{point}"));
        // The moment is what is varied here: from the first instruction to the last.
        let moment = whole * point / points;
        let deadline = std::time::Instant::now() + moment;
        while std::time::Instant::now() < deadline {
            std::thread::yield_now();
        }
        let group = rustix::process::Pid::from_child(&child);
        let _ = rustix::process::kill_process_group(group, rustix::process::Signal::KILL);
        let status = child.wait().unwrap();
        let now = visible(&env);
        if status.signal().is_some() {
            killed += 1;
            assert!(now == before || now == before + 5, "{} of 5 are visible at point {point}", now - before);
        } else {
            assert_eq!((status.code(), now), (Some(0), before + 5), "it was over at point {point}");
        }
        before = now;
    }
    // How many it is depends on the machine; the first is killed before it has begun.
    assert!(killed > 0);
    assert_eq!(env.run("transaction commit 0123456789abcdef").code, 125, "sweeps what is abandoned");
    assert_eq!(env.run("transaction list"), ran(0, "no transactions\n"));
}

#[test]
fn read_committed_transactions_run_side_by_side_and_the_last_commit_stays() {
    let env = world();
    env.script("who", "#!/bin/sh\necho $WHO\n");
    let meet = "echo here > $WHO; while [ ! -e a ] || [ ! -e b ]; do :; done";
    steps(
        &env,
        "script",
        &format!("taskcache run -e X -- ./who\n{meet}\n[ $WHO = a ] || while [ ! -e done ]; do :; done"),
    );
    let line = "WHO=a taskcache transaction -- ./script & first=$!; WHO=b taskcache transaction -- ./script & \
                wait $first; taskcache run --cached-only -e X -- ./who; echo > done; wait; \
                taskcache run --cached-only -e X -- ./who";
    let Ran { code, stdout, .. } = env.shell(line);
    let lines: Vec<_> = stdout.lines().collect();
    assert_eq!((code, lines.len()), (0, 4), "{stdout}");
    assert_eq!(lines[2..], ["a", "b"]);
}

#[test]
fn serializable_transactions_go_one_after_another_and_keep_their_keys() {
    for env in TestEnv::by_each_means() {
        env.script("append", "#!/bin/sh\necho $1 $WHO >> log\necho $1 $WHO\n");
        steps(&env, "forth", "for k in 1 2 3; do taskcache run --refresh -e X -- ./append $k; done");
        steps(&env, "back", "for k in 3 2 1; do taskcache run --refresh -e X -- ./append $k; done");
        let line = "for i in 1 2 3 4; do \
                    WHO=f$i taskcache transaction --isolation serializable -- ./forth & \
                    WHO=b$i taskcache transaction --isolation serializable -- ./back & done; wait";
        assert_eq!(env.shell(line).code, 0);
        let log = env.read("log").unwrap();
        let who: Vec<_> = log.lines().map(|line| line.split(' ').nth(1).unwrap()).collect();
        assert_eq!(who.len(), 24);
        for three in who.chunks(3) {
            assert!(three.iter().all(|one| *one == three[0]), "transactions are mixed: {who:?}");
        }
        // A run outside cannot take a key that the transaction touched, until it ends.
        steps(&env, "holder", "taskcache run -e X -- ./append 9\n: > held\nwhile [ ! -e go ]; do :; done");
        let line = "WHO=t taskcache transaction --isolation serializable -- ./holder & while [ ! -e held ]; do :; done; \
                    WHO=o taskcache run --serialize --wait 50ms --on-timeout fail -e X -- ./append 9; echo $?; : > go; wait; \
                    WHO=o taskcache run --serialize -e X -- ./append 9";
        assert_eq!(env.shell(line).stdout, "9 t\n124\n9 t\n");
    }
}
