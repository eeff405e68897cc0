//! The rows of `docs/flyte.md` about the local cache, and about tasks of every kind.

use crate::support::{Ran, TestEnv, ran};
use crate::world::{WORK, each_way, entries, nth, world};

#[test]
fn local_cache_folder() {
    let env = world();
    env.run("run -- ./work");
    let folder = env.home().join(".flyte/local-cache/taskcache");
    assert_eq!(env.run("local-cache path"), ran(0, &format!("{}\n", folder.display())));
    assert!(folder.join("CACHEDIR.TAG").exists());
}

#[test]
fn project_and_domain_apply_locally() {
    let env = world();
    env.run("run --project a --domain test -- ./work");
    let stored = entries(&env);
    assert_eq!((&stored[0]["project"], &stored[0]["domain"]), (&"a".into(), &"test".into()));
    assert_eq!(env.run("run --project b --domain test -- ./work"), nth(2));
    assert_eq!(env.run("local-cache clear --project a"), ran(0, "removed 1 entry, 6 B\n"));
    assert_eq!(env.run("run --project b --domain test -- ./work"), nth(2));
}

#[test]
fn clearing_the_local_cache() {
    let env = world();
    let beside = env.home().join(".flyte/local-cache/cache.db");
    std::fs::create_dir_all(beside.parent().unwrap()).unwrap();
    std::fs::write(&beside, "theirs").unwrap();
    assert_eq!(env.run("run -- ./work"), nth(1));
    assert_eq!(env.run("local-cache clear"), ran(0, "removed 1 entry, 6 B\n"));
    assert_eq!(env.run("local-cache list"), ran(0, "no entries\n"));
    assert_eq!(env.run("run -- ./work"), nth(2));
    assert_eq!(std::fs::read_to_string(&beside).unwrap(), "theirs");
}

#[test]
fn switching_the_local_cache_off() {
    let mut env = world();
    assert_eq!(env.run("run -- ./work"), nth(1));
    let mut number = 1;
    for variable in ["FLYTE_LOCAL_CACHE_ENABLED", "TASKCACHE_ENABLED"] {
        for off in ["false", "False", "0", "off", "no"] {
            env.set(variable, off);
            number += 1;
            assert_eq!(env.run("run -- ./work"), nth(number), "{variable}={off}");
        }
        env.set(variable, "true");
        assert_eq!(env.run("run -- ./work"), nth(1), "{variable}");
        env.set(variable, "disabled");
        let refused = env.run("run -- ./work");
        assert_eq!((refused.code, refused.stdout.as_str()), (125, ""));
        env.unset(variable);
    }
    assert_eq!(entries(&env).len(), 1);
    env.write("taskcache.toml", "[defaults]\nno_cache = true\n");
    assert_eq!(env.run("run -- ./work"), nth(number + 1));
}

#[test]
fn switching_off_reaches_nested_tasks() {
    let mut env = world();
    env.script("outer", "#!/bin/sh\ntaskcache run -- ./work\n");
    env.set("FLYTE_LOCAL_CACHE_ENABLED", "false");
    assert_eq!(env.shell("taskcache run -- ./outer"), nth(1));
    assert_eq!(env.shell("taskcache run -- ./outer"), nth(2));
    assert_eq!(env.run("local-cache list"), ran(0, "no entries\n"));
}

#[test]
fn complete_outputs() {
    for world in each_way() {
        world
            .env
            .script("work", "#!/bin/sh\necho ran >> count\necho text\necho model > model\necho warned >&2\n");
        let expected = || ran(0, "text\n").with_stderr("warned\n");
        assert_eq!(world.run("outputs = ['model']", "-- ./work"), expected());
        std::fs::remove_file(world.env.work().join("model")).unwrap();
        assert_eq!(world.run("outputs = ['model']", "-- ./work"), expected());
        assert_eq!((world.env.count(), world.env.read("model").as_deref()), (1, Some("model\n")));
    }
}

#[test]
fn tasks_without_outputs() {
    let env = world();
    env.script("work", "#!/bin/sh\necho ran >> count\n");
    assert_eq!([env.run("run -- ./work"), env.run("run -- ./work")], [ran(0, ""), ran(0, "")]);
    assert_eq!(env.count(), 1);
}

#[test]
fn tasks_without_inputs() {
    for world in each_way() {
        world.assert_runs(&[
            ("env_mode = 'strict'\nversion = '1'", 1),
            ("env_mode = 'strict'\nversion = '1'", 1),
        ]);
    }
}

#[test]
fn failed_tasks() {
    for world in each_way() {
        world.env.script("work", &format!("{WORK}exit 3\n"));
        let run = |declaration: &str| world.run(declaration, "-- ./work");
        assert_eq!([run(""), run("")], [ran(3, "run 1\n"), ran(3, "run 2\n")]);
        assert_eq!(run("cache_exit = '0,3'"), ran(3, "run 3\n"));
        assert_eq!(run("cache_exit = '0,3'"), ran(3, "run 3\n"));
        assert_eq!(run(""), ran(3, "run 4\n"), "who does not keep failures does not take one");
    }
}

#[test]
fn maximal_age() {
    for world in each_way() {
        world.assert_runs(&[
            ("", 1),
            ("max_age = '1d'", 1),
            ("max_age = '0s'", 2),
            ("max_age = '1d'", 2),
            ("", 2),
        ]);
        assert_eq!(entries(&world.env).len(), 1);
    }
}

#[test]
fn tasks_in_tasks() {
    let env = world();
    env.script("pipeline", "#!/bin/sh\necho pipeline $1\ntaskcache run -- ./work\ntaskcache run -- ./work\n");
    assert_eq!(env.shell("taskcache run -- ./pipeline 1"), ran(0, "pipeline 1\nrun 1\nrun 1\n"));
    assert_eq!(env.shell("taskcache run -- ./pipeline 1"), ran(0, "pipeline 1\nrun 1\nrun 1\n"));
    assert_eq!(env.shell("taskcache run -- ./pipeline 2"), ran(0, "pipeline 2\nrun 1\nrun 1\n"));
    assert_eq!(env.shell("taskcache run -- ./work"), nth(1));
    let tasks: Vec<_> = entries(&env).iter().map(|entry| entry["task"].clone()).collect();
    assert_eq!(tasks.len(), 3, "{tasks:?}");
}

#[test]
fn configuration_that_counts() {
    let env = world();
    env.write(
        "taskcache.toml",
        "[defaults]\nversion = '1'\n[task.work]\nversion = '2'\nignores = ['debug']\n",
    );
    let shown = env.run("config show --task work");
    let rows: Vec<Vec<&str>> = shown.stdout.lines().map(|line| line.split_whitespace().collect()).collect();
    for expected in [
        vec!["behavior", "override", "taskcache.toml:4", "[task.work]", "version"],
        vec!["version", "2", "taskcache.toml:4", "[task.work]", "version"],
        vec!["ignores", "[\"debug\"]", "taskcache.toml:5", "[task.work]", "ignores"],
    ] {
        assert!(rows.contains(&expected), "{}", shown.stdout);
    }
}

#[test]
fn small_changes_make_new_keys() {
    for world in each_way() {
        world.env.write("data", "a");
        let keys = |changed: &[&str]| {
            let key = |declaration: &&str| {
                let line = world.line(declaration, "-- ./work").replacen("run", "key", 1);
                let key = world.env.run(&line);
                assert_eq!((key.code, key.stdout.len()), (0, 65), "{declaration}: {}", key.stderr);
                key.stdout
            };
            changed.iter().map(key).collect::<Vec<_>>()
        };
        let mut all =
            keys(&["", "values = ['n=1']", "values = ['n=1 ']", "version = '1'", "inputs = ['data']"]);
        world.env.write("data", "b");
        all.extend(keys(&["inputs = ['data']"]));
        all.sort();
        all.dedup();
        assert_eq!(all.len(), 6);
    }
}

/// The workflow with which the pages of Flyte 2 end.
const PIPELINE: &str = "[defaults]
behavior = 'auto'
[task.load_dataset]
command = 'echo load >> log; echo \"data of $NAME\"'
[task.preprocess]
version = 'v2.1'
command = 'echo preprocess >> log; echo preprocessed'
[task.train]
serialize = true
ignores = ['experiment']
values = ['experiment=exp_001']
command = ['sh', 'train.sh']
[task.report]
behavior = 'disable'
command = 'echo report >> log; echo report $(($(grep -c report log)))'
";

#[test]
fn a_complete_workflow() {
    let mut env = TestEnv::new();
    env.write("taskcache.toml", PIPELINE);
    env.write("train.sh", "echo train >> log\necho model\n");
    let steps =
        ["load_dataset", "preprocess", "train", "report"].map(|task| format!("taskcache run --task {task}"));
    env.script("pipeline", &format!("#!/bin/sh\nset -e\n{}\n", steps.join("\n")));
    let run = |env: &TestEnv| env.shell("taskcache run --no-cache -- ./pipeline");
    let expected = |name: &str, number: usize| -> Ran {
        ran(0, &format!("data of {name}\npreprocessed\nmodel\nreport {number}\n"))
    };
    env.set("NAME", "a");
    assert_eq!(run(&env), expected("a", 1));
    assert_eq!(run(&env), expected("a", 2));
    assert_eq!(env.read("log").unwrap(), "load\npreprocess\ntrain\nreport\nreport\n");
    env.write("taskcache.toml", PIPELINE.replace("exp_001", "exp_002"));
    env.write("train.sh", "echo train >> log\necho better model\n");
    let better = expected("a", 3).stdout.replace("model", "better model");
    assert_eq!(run(&env), ran(0, &better));
    assert_eq!(env.read("log").unwrap(), "load\npreprocess\ntrain\nreport\nreport\ntrain\nreport\n");
}
