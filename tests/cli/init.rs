//! `taskcache init`.

use crate::support::{TestEnv, ran};
use std::fs;

#[test]
fn it_writes_a_config_that_changes_nothing() {
    let env = TestEnv::new();
    env.write("package.json", "{}");
    let key = env.run("key -- echo a").stdout;
    let printed = env.run("init --stdout");
    assert_eq!((printed.code, printed.stderr.as_str()), (0, ""));
    assert!(!env.exists("taskcache.toml"));
    assert_eq!(env.run("init"), ran(0, "wrote taskcache.toml\n"));
    assert_eq!(env.read("taskcache.toml"), Some(printed.stdout));
    assert_eq!(env.run("config check"), ran(0, ""));
    assert_eq!(env.run("key -- echo a").stdout, key);
    let text = env.read("taskcache.toml").unwrap();
    assert!(text.contains("\n#[task.npm-build]\n") && !text.contains("[task.make]"), "{text}");
    let is_setting = |line: &str| line.starts_with('#') && line.len() > 1 && !line.starts_with("# ");
    let settings: String =
        text.lines().map(|line| format!("{}\n", if is_setting(line) { &line[1..] } else { line })).collect();
    fs::write(env.work().join("taskcache.toml"), &settings).unwrap();
    assert_eq!(env.run("config check"), ran(0, ""), "{settings}");
    let shown = env.run("config show -t npm-build --environment ci");
    assert_eq!(shown.code, 125, "show takes a task alone");
    assert!(env.run("config show -t npm-build").stdout.contains("[\"NODE_ENV\"]"), "{settings}");
}

#[test]
fn it_writes_over_nothing() {
    let env = TestEnv::new();
    let refused = ran(125, "").with_stderr(
        "taskcache: error: there is a taskcache.toml here already\n\
         taskcache: hint: 'taskcache init --stdout' prints what would be written\n",
    );
    env.write("taskcache.toml", "mine");
    assert_eq!(env.run("init"), refused);
    assert_eq!(env.read("taskcache.toml").as_deref(), Some("mine"));
    fs::remove_file(env.work().join("taskcache.toml")).unwrap();
    std::os::unix::fs::symlink("nowhere", env.work().join("taskcache.toml")).unwrap();
    assert_eq!(env.run("init"), refused);
    assert!(!env.exists("nowhere"));
}
