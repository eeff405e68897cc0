//! The rows of `docs/prefect.md` about transactions.

use crate::support::{TestEnv, ran};
use crate::world::{WORK, entries, nth, world};
use serde_json::Value;

/// Makes the example of Prefect's pages: a task that loads, and one that processes unless it is told to fail.
fn pipeline() -> TestEnv {
    let env = world();
    env.script("load", "#!/bin/sh\necho load >> log\necho some-data\n");
    env.script("process", "#!/bin/sh\necho process >> log\n[ -z \"$FAIL\" ] && echo 9\n");
    let tasks = "taskcache run --key static-key-1 -- ./load\ntaskcache run --key static-key-2 -- ./process\n";
    env.script("pipeline", &format!("#!/bin/sh\nset -e\n{tasks}"));
    env
}

#[test]
fn several_tasks_in_one_transaction() {
    let env = pipeline();
    let run = |fail: &str| env.shell(&format!("FAIL={fail} taskcache transaction -- ./pipeline"));
    assert_eq!(run("1"), ran(1, "some-data\n"));
    assert_eq!(entries(&env), Vec::<Value>::new(), "the task that succeeded is not stored either");
    assert_eq!(run(""), ran(0, "some-data\n9\n"));
    assert_eq!(run(""), ran(0, "some-data\n9\n"));
    assert_eq!(env.read("log").unwrap(), "load\nprocess\nload\nprocess\n");
    assert_eq!(entries(&env).len(), 2);
}

#[test]
fn results_before_the_commit() {
    let env = world();
    env.script("pipeline", "#!/bin/sh\ntaskcache run -- ./work\ntaskcache local-cache list\n");
    assert_eq!(env.shell("taskcache transaction -- ./pipeline"), ran(0, "run 1\nno entries\n"));
    assert_eq!(env.shell("taskcache run --cached-only -- ./work"), nth(1));
}

#[test]
fn a_task_twice_in_a_transaction() {
    let env = world();
    env.script("pipeline", "#!/bin/sh\ntaskcache run -- ./work\ntaskcache run -- ./work\n");
    assert_eq!(env.shell("taskcache transaction -- ./pipeline"), ran(0, "run 1\nrun 1\n"));
}

#[test]
fn retries_in_a_transaction() {
    let env = world();
    env.script("retried", &format!("{WORK}[ -e repaired ] || {{ touch repaired; exit 1; }}\n"));
    let tasks = "taskcache run -- ./work\ntaskcache run -- ./retried || taskcache run -- ./retried\n";
    env.script("pipeline", &format!("#!/bin/sh\nset -e\n{tasks}"));
    assert_eq!(env.shell("taskcache transaction -- ./pipeline"), ran(0, "run 1\nrun 2\nrun 3\n"));
    assert_eq!(env.shell("taskcache transaction -- ./pipeline"), ran(0, "run 1\nrun 3\n"));
}

#[test]
fn hooks() {
    let env = world();
    let line = "transaction --on-commit 'echo kept' --on-rollback 'echo one' --on-rollback 'echo two' --";
    assert_eq!(env.run(&format!("{line} true")), ran(0, "kept\n"));
    assert_eq!(env.run(&format!("{line} false")), ran(1, "two\none\n"));
}

#[test]
fn transactions_one_after_another() {
    let env = world();
    env.script("pipeline", "#!/bin/sh\ntaskcache run -- ./work $1\ntaskcache run -- ./work $1\n");
    let one = |name: &str| {
        format!("taskcache transaction --isolation serializable -- ./pipeline {name} > of-{name} & ")
    };
    let both = env.shell(&format!("{}{}wait", one("a"), one("b")));
    assert_eq!(both, ran(0, ""));
    let mut told = [env.read("of-a").unwrap(), env.read("of-b").unwrap()];
    told.sort();
    assert_eq!(told, ["run 1\nrun 1\n", "run 2\nrun 2\n"]);
}
