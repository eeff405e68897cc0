//! Small faults of the world around a run, each taken for what it is.

use crate::support::{TestEnv, ran};
use std::fs;
use std::io::Read;
use std::os::unix::fs::chown;
use std::process::{Command, Stdio};

#[test]
fn a_store_that_was_never_made_is_a_miss_for_a_reader() {
    let env = TestEnv::new();
    let line = "run --read-only --status always -- sh -c 'echo $TASKCACHE_OUTCOME'";
    let found = env.run(line);
    assert_eq!((found.code, found.stdout.as_str()), (0, "miss\n"));
    assert!(found.stderr.starts_with("taskcache: miss (absent) sh"), "{found:?}");
    assert!(!env.store().exists());
}

#[test]
fn two_runs_whose_outputs_hold_each_other_store_nothing() {
    let env = TestEnv::new();
    let made = Command::new("mkfifo").arg(env.work().join("fifo")).status().unwrap();
    assert!(made.success());
    let outer = "run -o out -- sh -c 'mkdir -p out; echo begun; cat fifo > out/own'";
    let mut waiting = env.spawn(outer, Stdio::null());
    waiting.stdout.as_mut().unwrap().read_exact(&mut [0; 6]).unwrap();
    let inner = "run --status always -o out/x -- sh -c 'echo x > out/x'";
    let found = env.run(inner);
    assert!(found.stderr.contains("not stored: "), "{found:?}");
    fs::write(env.work().join("fifo"), "").unwrap();
    assert!(waiting.wait().unwrap().success());
    assert_eq!(env.run("local-cache list"), ran(0, "no entries\n"));
    // Alone again, each is stored.
    let found = env.run(inner);
    assert!(found.stderr.contains("stored 2 B"), "{found:?}");
}

#[test]
fn files_of_output_places_go_with_a_collection() {
    let env = TestEnv::new();
    for name in ["a", "b", "c"] {
        env.run(&format!("run -o {name} -- touch {name}"));
    }
    let places = || {
        let names = fs::read_dir(env.store().join("locks")).unwrap();
        let names = names.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        names.filter(|name| name.starts_with("place-") || name.starts_with("below-")).count()
    };
    assert!(places() > 3);
    assert_eq!(env.run("local-cache gc").code, 0);
    assert_eq!(places(), 0);
    assert_eq!(env.run("run -o a -- touch a"), ran(0, ""));
}

#[test]
fn a_store_of_another_user_is_refused() {
    let env = TestEnv::new();
    env.run("run -- echo out");
    if chown(env.store(), Some(65534), None).is_err() {
        eprintln!("skipped: only root can give a folder away");
        return;
    }
    let found = env.run("run -- echo out");
    assert_eq!((found.code, found.stdout.as_str()), (0, "out\n"));
    assert!(found.stderr.contains("belongs to another user"), "{found:?}");
    for command in ["list", "verify", "clear --yes", "gc", "export -o all", "import /dev/null"] {
        let found = env.run(&format!("local-cache {command}"));
        assert_eq!(
            (found.code, found.stderr.contains("belongs to another user")),
            (125, true),
            "{command}: {found:?}"
        );
    }
}
