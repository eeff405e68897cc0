//! Looking at the store and taking things out of it.

use crate::support::{TestEnv, ran};

#[test]
fn an_empty_store_is_empty_and_is_not_made_by_looking() {
    let env = TestEnv::new();
    assert_eq!(env.run("local-cache list"), ran(0, "no entries\n"));
    assert_eq!(env.run("local-cache list --format json"), ran(0, "[]\n"));
    assert_eq!(env.run("local-cache clear"), ran(0, "removed 0 entries, 0 B\n"));
    assert_eq!(env.run("local-cache path"), ran(0, &format!("{}\n", env.store().display())));
    assert!(!env.store().exists());
}

#[test]
fn entries_are_listed_shown_and_removed() {
    let env = TestEnv::new();
    env.run("run --task first -- echo one");
    env.run("run --task second -- echo two");
    let list: serde_json::Value =
        serde_json::from_str(&env.run("local-cache list --format json").stdout).unwrap();
    let tasks: Vec<_> =
        list.as_array().unwrap().iter().map(|entry| entry["task"].as_str().unwrap()).collect();
    assert_eq!(tasks, ["second", "first"]);
    let key = list[0]["key"].as_str().unwrap();
    let shown = env.run(&format!("local-cache show {}", &key[..6]));
    assert!(
        shown.stdout.starts_with(&format!("key          {key}\ntask         second\n")),
        "{}",
        shown.stdout
    );
    let json = env.run(&format!("local-cache show --format json {key}")).stdout;
    let json: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!((json["stdout"]["size"].as_u64(), json["command"][1].as_str()), (Some(4), Some("two")));
    assert_eq!(env.run(&format!("local-cache remove {}", &key[..8])), ran(0, "removed 1 entry, 4 B\n"));
    assert_eq!(env.run(&format!("local-cache show {key}")).code, 125);
    assert_eq!(env.run("local-cache clear --task first --dry-run"), ran(0, "would remove 1 entry, 4 B\n"));
    assert_eq!(env.run("local-cache clear --task none"), ran(0, "removed 0 entries, 0 B\n"));
    assert_eq!(env.run("local-cache clear"), ran(0, "removed 1 entry, 4 B\n"));
    assert_eq!(env.run("local-cache list"), ran(0, "no entries\n"));
}

#[test]
fn stats_count_what_happened() {
    let env = TestEnv::new();
    for _ in 0..3 {
        env.run("run -- echo one");
    }
    env.run("run --refresh -- echo one");
    env.run("run --no-cache -- echo one");
    let stats: serde_json::Value =
        serde_json::from_str(&env.run("local-cache stats --format json").stdout).unwrap();
    assert_eq!((stats["entries"].as_u64(), stats["bytes"].as_u64()), (Some(1), Some(4)));
    let outcomes = serde_json::json!({ "hit": 2, "miss": 1, "stale": 0, "refresh": 1, "bypass": 0 });
    assert_eq!(stats["outcomes"], outcomes);
}

#[test]
fn keys_that_are_no_keys_are_refused_with_the_way_out() {
    let env = TestEnv::new();
    let short = env.run("local-cache show abc");
    let message = "taskcache: error: 'abc' is not a key: it takes 6 to 64 hex digits\n\
                   taskcache: hint: 'taskcache local-cache list' shows the keys\n";
    assert_eq!(short, ran(125, "").with_stderr(message));
    let none = env.run("local-cache remove abcdef");
    let message = "taskcache: error: no entry has a key that begins with 'abcdef'\n\
                   taskcache: hint: 'taskcache local-cache list' shows the keys\n";
    assert_eq!(none, ran(125, "").with_stderr(message));
}

#[test]
fn what_other_programs_keep_beside_the_store_is_left_alone() {
    let env = TestEnv::new();
    let beside = env.home().join(".flyte/local-cache");
    std::fs::create_dir_all(&beside).unwrap();
    std::fs::write(beside.join("cache.db"), "theirs").unwrap();
    env.run("run -- echo one");
    env.run("local-cache clear");
    assert_eq!(std::fs::read_to_string(beside.join("cache.db")).unwrap(), "theirs");
}
