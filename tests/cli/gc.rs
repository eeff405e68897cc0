//! The store stays within its limits.

use crate::support::{TestEnv, ran};

fn filled() -> TestEnv {
    let env = TestEnv::new();
    for name in ["one", "two", "three"] {
        env.run(&format!("run --task {name} -- sh -c 'yes {name} | head -c 40000'"));
    }
    env
}

fn tasks(env: &TestEnv) -> Vec<String> {
    let list: serde_json::Value =
        serde_json::from_str(&env.run("local-cache list --format json").stdout).unwrap();
    let mut tasks: Vec<_> =
        list.as_array().unwrap().iter().map(|entry| entry["task"].as_str().unwrap().to_owned()).collect();
    tasks.sort();
    tasks
}

#[test]
fn nothing_goes_while_there_is_room() {
    let env = filled();
    assert_eq!(env.run("local-cache gc"), ran(0, "removed 0 entries, 0 B; 117.2 KiB stay\n"));
    assert_eq!(tasks(&env), ["one", "three", "two"]);
}

#[test]
fn over_the_size_something_goes() {
    let env = filled();
    let dry = "would remove 1 entry, 39.1 KiB; 78.1 KiB stay\n  1 over the size\n";
    assert_eq!(env.run("local-cache gc --dry-run --max-size 80000"), ran(0, dry));
    assert_eq!(tasks(&env).len(), 3);
    let removed = "removed 1 entry, 39.1 KiB; 78.1 KiB stay\n  1 over the size\n";
    assert_eq!(env.run("local-cache gc --max-size 80000"), ran(0, removed));
    assert_eq!(tasks(&env).len(), 2);
}

#[test]
fn expired_and_unused_entries_go() {
    let env = filled();
    env.run("run --task brief --ttl 1ms -- echo brief");
    // The next run of any command is more than a millisecond away.
    let ran_dry = env.run("local-cache gc --dry-run");
    assert!(
        ran_dry.stdout.starts_with("would remove 1 entry, 6 B; 117.2 KiB stay\n  1 expired\n"),
        "{}",
        ran_dry.stdout
    );
    let all = env.run("local-cache gc --max-age 0s");
    assert_eq!(all.stdout.lines().next(), Some("removed 4 entries, 117.2 KiB; 0 B stay"), "{}", all.stdout);
    assert_eq!(tasks(&env), Vec::<String>::new());
}

#[test]
fn limits_of_the_config_are_enforced_behind_the_runs_backs() {
    let env = filled();
    env.write("taskcache.toml", "[store]\nmax_size = '80000'\n");
    // As if the last collection were long ago.
    std::fs::write(env.store().join("collected"), "0").unwrap();
    env.run("run --task four -- sh -c 'yes four | head -c 40000'");
    while tasks(&env).len() != 2 {}
    let mark = || std::fs::read_to_string(env.store().join("collected")).unwrap();
    let before = mark();
    env.run("run --task five -- echo five");
    assert_eq!(mark(), before, "the next one is not due yet");
}

#[test]
fn limits_that_are_none_are_refused() {
    let env = TestEnv::new();
    let message = "taskcache: error: option --max-size: 'big' is not a size (write bytes or a unit, such as 500MB or 10GiB)\n";
    assert_eq!(env.run("local-cache gc --max-size big"), ran(125, "").with_stderr(message));
}
