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

/// Makes the last collection one of `days` before the runs, and says what the config says: everything is too old.
fn long_silent(env: &TestEnv, days: u64) {
    let path = env.store().join("collected");
    let mark = std::fs::read_to_string(&path).unwrap();
    let started: u64 = mark.lines().next().unwrap().parse().unwrap();
    let last = started - days * 86_400_000 - 43_200_000;
    std::fs::write(path, format!("{started}\n{last}\n")).unwrap();
    env.write("taskcache.toml", "[store]\nmax_age = '1ms'\n");
}

#[test]
fn after_a_long_silence_the_first_collection_leaves_what_the_second_takes() {
    let env = filled();
    long_silent(&env, 60);
    let left = "117.2 KiB stay\n  3 too old but left, 117.2 KiB: nothing was used for 60d, or the clock leapt \
                (gc --max-age takes them)\n";
    let dry = ran(0, &format!("would remove 0 entries, 0 B; {left}"));
    // Asking changes nothing.
    assert_eq!(env.run("local-cache gc --dry-run"), dry);
    assert_eq!(env.run("local-cache gc --dry-run"), dry);
    let stats = env.run("local-cache stats").stdout;
    assert!(stats.ends_with(&format!("gc would remove nothing; {left}")), "{stats}");
    assert_eq!(env.run("local-cache gc"), ran(0, &format!("removed 0 entries, 0 B; {left}")));
    assert_eq!(tasks(&env).len(), 3);
    let removed = "removed 3 entries, 117.2 KiB; 0 B stay\n  3 not used for too long\n";
    assert_eq!(env.run("local-cache gc"), ran(0, removed));
    assert_eq!(tasks(&env), Vec::<String>::new());
}

#[test]
fn a_clock_behind_the_latest_use_takes_nothing_the_first_time() {
    let env = filled();
    env.write("taskcache.toml", "[store]\nmax_age = '1ms'\n");
    let path = env.store().join("history.jsonl");
    let history = std::fs::read_to_string(&path).unwrap();
    let mut last: serde_json::Value = serde_json::from_str(history.lines().next_back().unwrap()).unwrap();
    last["time"] = "2999-01-01T00:00:00Z".into();
    std::fs::write(&path, format!("{history}{last}\n")).unwrap();
    // The third one is used in the year 2999 and not too old.
    let left = "removed 0 entries, 0 B; 117.2 KiB stay\n  2 too old but left, 78.1 KiB: the clock is behind the \
                latest use (gc --max-age takes them)\n";
    assert_eq!(env.run("local-cache gc"), ran(0, left));
    let removed = "removed 2 entries, 78.1 KiB; 39.1 KiB stay\n  2 not used for too long\n";
    assert_eq!(env.run("local-cache gc"), ran(0, removed));
    assert_eq!(tasks(&env), ["three"]);
}

#[test]
fn an_age_named_by_hand_goes_through() {
    let env = filled();
    long_silent(&env, 60);
    let removed = "removed 3 entries, 117.2 KiB; 0 B stay\n  3 not used for too long\n";
    assert_eq!(env.run("local-cache gc --max-age 1ms"), ran(0, removed));
}

#[test]
fn the_size_is_kept_whatever_the_clock_says() {
    let env = filled();
    long_silent(&env, 60);
    let removed = "removed 1 entry, 39.1 KiB; 78.1 KiB stay\n  1 over the size\n  2 too old but left, 78.1 KiB: \
                   nothing was used for 60d, or the clock leapt (gc --max-age takes them)\n";
    assert_eq!(env.run("local-cache gc --max-size 80000"), ran(0, removed));
}
