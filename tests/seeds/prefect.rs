//! The rows of `docs/prefect.md`.

use crate::support::{TestEnv, ran};
use crate::world::{WORK, each_way, entries, expiry, nth, world};
use serde_json::Value;

/// Makes a world with `./pipeline`, which runs `line` once for each of its arguments.
fn flow_of(line: &str) -> TestEnv {
    let env = world();
    env.script("pipeline", &format!("#!/bin/sh\nfor n in \"$@\"; do {line}; done\n"));
    env
}

#[test]
fn default() {
    for world in each_way() {
        let run = |policy: &str, line: &str| world.run(&format!("policy = '{policy}'"), line);
        assert_eq!(run("DEFAULT", "-- ./work 1"), nth(1));
        assert_eq!(run("DEFAULT", "-- ./work 1"), nth(1));
        assert_eq!(run("INPUTS + TASK_SOURCE", "-- ./work 1"), nth(1));
        assert_eq!(run("DEFAULT", "-- ./work 2"), nth(2));
        world.env.script("work", &format!("{WORK}# changed\n"));
        assert_eq!(run("DEFAULT", "-- ./work 1"), nth(3));
    }
}

#[test]
fn default_with_the_run_id() {
    for world in each_way() {
        let step = world.line("policy = 'DEFAULT + RUN_ID'", "-- ./work 1");
        world.env.script("pipeline", &format!("#!/bin/sh\ntaskcache {step}\ntaskcache {step}\n"));
        assert_eq!(world.env.shell("taskcache flow -- ./pipeline"), ran(0, "run 1\nrun 1\n"));
        assert_eq!(world.env.shell("taskcache flow -- ./pipeline"), ran(0, "run 2\nrun 2\n"));
    }
}

#[test]
fn inputs() {
    for world in each_way() {
        let run = |line: &str| world.run("policy = 'INPUTS'", line);
        assert_eq!(run("-- ./work 1"), nth(1));
        world.env.script("work", &format!("{WORK}# changed\n"));
        assert_eq!(run("-- ./work 1"), nth(1));
        assert_eq!(run("-- ./work 2"), nth(2));
        assert_eq!(run("-- ./work"), nth(3));
        assert_eq!(run("-- ./work"), nth(3), "no arguments are a key like any other");
    }
}

#[test]
fn task_source() {
    for world in each_way() {
        let run = |line: &str| world.run("policy = 'TASK_SOURCE'", line);
        assert_eq!(run("-- ./work 1"), nth(1));
        assert_eq!(run("-- ./work 2"), nth(1));
        world.env.script("work", &format!("{WORK}# changed\n"));
        assert_eq!(run("-- ./work 2"), nth(2));
    }
}

#[test]
fn flow_parameters() {
    for world in each_way() {
        let step = world.line("policy = 'FLOW_PARAMETERS'", "-- ./work $1");
        world.env.script("pipeline", &format!("#!/bin/sh\ntaskcache {step}\n"));
        let flow = |line: &str| world.env.shell(&format!("taskcache flow {line}"));
        assert_eq!(flow("--param day=1 --param x=y -- ./pipeline a"), nth(1));
        assert_eq!(flow("--param x=y --param day=1 -- ./pipeline b"), nth(1));
        assert_eq!(flow("--param day=2 --param x=y -- ./pipeline a"), nth(2));
        assert_eq!(flow("--param day=1 -- ./pipeline a"), nth(3));
    }
}

#[test]
fn run_id() {
    for world in each_way() {
        let step = world.line("policy = 'RUN_ID'", "-- ./work $1");
        world
            .env
            .script("pipeline", &format!("#!/bin/sh\nset a\ntaskcache {step}\nset b\ntaskcache {step}\n"));
        assert_eq!(world.env.shell("taskcache flow -- ./pipeline"), ran(0, "run 1\nrun 1\n"));
        assert_eq!(world.env.shell("taskcache flow -- ./pipeline"), ran(0, "run 2\nrun 2\n"));
    }
}

#[test]
fn none() {
    for world in each_way() {
        world.assert_runs(&[("policy = 'NONE'", 1), ("policy = 'NONE'", 2)]);
        assert_eq!(world.env.run("local-cache list"), ran(0, "no entries\n"));
        let told = world.run("policy = 'NONE'\nstatus = 'always'", "-- ./work");
        assert!(told.stderr.starts_with("taskcache: bypass (policy) work, ran "), "{}", told.stderr);
    }
}

#[test]
fn a_policy_without_its_flow() {
    for world in each_way() {
        for (policy, first) in [("INPUTS + RUN_ID", 1), ("INPUTS + FLOW_PARAMETERS", 3)] {
            let declaration = format!("policy = '{policy}'");
            world.assert_runs(&[(&declaration, first), (&declaration, first + 1)]);
        }
        assert_eq!(entries(&world.env), Vec::<Value>::new());
    }
}

#[test]
fn composed_policies() {
    for world in each_way() {
        let run = |line: &str| world.run("policy = 'TASK_SOURCE + INPUTS'", line);
        assert_eq!([run("-- ./work 1"), run("-- ./work 1"), run("-- ./work 2")], [1, 1, 2].map(nth));
        world.env.script("work", &format!("{WORK}# changed\n"));
        assert_eq!([run("-- ./work 1"), run("-- ./work 2")], [3, 4].map(nth));
        let error = "the policy 'NONE + INPUTS' joins NONE with something else\n";
        let refused = world.run("policy = 'NONE + INPUTS'", "-- ./work");
        assert!(refused.code == 125 && refused.stderr.ends_with(error), "{}", refused.stderr);
    }
}

#[test]
fn order_of_policies() {
    for world in each_way() {
        world.assert_runs(&[
            ("policy = 'INPUTS + TASK_SOURCE - debug - level'", 1),
            ("policy = 'TASK_SOURCE + INPUTS - level - debug'", 1),
            ("policy = 'DEFAULT - debug - level'", 1),
            ("policy = 'INPUTS - level + TASK_SOURCE - debug + INPUTS'", 1),
            ("policy = 'DEFAULT - debug'", 2),
        ]);
    }
}

#[test]
fn inputs_taken_out() {
    for world in each_way() {
        let run = |debug: &str, line: &str| {
            world.run(&format!("policy = 'INPUTS - debug'\nvalues = ['x=1', 'debug={debug}']"), line)
        };
        assert_eq!(run("False", "-- ./work x=1"), nth(1));
        assert_eq!(run("True", "-- ./work x=1 debug=True"), nth(1));
        assert_eq!(run("True", "-- ./work x=2 debug=True"), nth(2));
        let refused = world.run("policy = 'TASK_SOURCE - debug'", "-- ./work");
        let error = "the policy 'TASK_SOURCE - debug' takes inputs out but has no INPUTS\n";
        assert!(refused.code == 125 && refused.stderr.ends_with(error), "{}", refused.stderr);
    }
}

#[test]
fn policies_of_your_own() {
    let env = world();
    let config = "[policy.by_input]\nexpression = 'INPUTS - debug'\n[policy]\nnightly = 'by_input + TASK_SOURCE'\n\
                  [task.work]\npolicy = 'nightly'\n";
    env.write("taskcache.toml", config);
    assert_eq!(env.run("run -- ./work debug=1"), nth(1));
    assert_eq!(env.run("run -- ./work debug=2"), nth(1));
    assert_eq!(env.run("run --policy nightly -- ./work"), nth(1));
    assert_eq!(env.run("run --policy 'INPUTS + TASK_SOURCE - debug' -- ./work"), nth(1));
    assert_eq!(env.run("run --policy by_input -- ./work"), nth(2));
    let error = "taskcache: error: option --policy: the policy 'nigthly' names 'nigthly', which is no policy\n\
                 taskcache: hint: did you mean 'nightly'?\n";
    assert_eq!(env.run("run --policy nigthly -- ./work"), ran(125, "").with_stderr(error));
}

#[test]
fn the_task_stays_in_every_policy() {
    let env = world();
    env.script("same", WORK);
    let mut number = 0;
    for policy in ["INPUTS", "TASK_SOURCE", "DEFAULT"] {
        for task in ["a", "b"] {
            number += 1;
            for _ in 0..2 {
                let line = format!("run --task {task} --policy {policy} -- ./work");
                assert_eq!(env.run(&line), nth(number), "{policy} {task}");
            }
        }
    }
}

#[test]
fn flow_run_id_in_tasks() {
    let env = flow_of("echo $TASKCACHE_RUN_ID; taskcache run -t $n -- sh -c 'echo $TASKCACHE_RUN_ID'");
    let mut ids = Vec::new();
    for _ in 0..2 {
        let told = env.shell("taskcache flow -- ./pipeline a b");
        assert_eq!(told.code, 0);
        let lines: Vec<_> = told.stdout.lines().map(str::to_owned).collect();
        assert_eq!((lines.len(), lines[0].len(), &lines[0]), (4, 32, &lines[2]));
        ids.push(lines);
        env.run("local-cache clear");
    }
    assert!(ids.iter().all(|lines| lines.iter().all(|id| *id == lines[0])), "{ids:?}");
    assert_ne!(ids[0][0], ids[1][0]);
}

#[test]
fn flow_parameters_in_tasks() {
    let env = flow_of("taskcache run -- taskcache context");
    let told = env.shell("taskcache flow --name nightly --param day=1 --param region=eu -- ./pipeline a");
    let context: Value = serde_json::from_str(&told.stdout).unwrap();
    assert_eq!(context["flow"], "nightly");
    assert_eq!(context["parameters"], serde_json::json!({ "day": "1", "region": "eu" }));
}

#[test]
fn flows_in_flows() {
    let env = flow_of("taskcache run --policy FLOW_PARAMETERS -- ./work");
    let inner = "taskcache flow --param day=2 -- ./pipeline a";
    let outer = format!("taskcache flow --param day=1 -- sh -c './pipeline a; {inner}; ./pipeline a'");
    assert_eq!(env.shell(&outer), ran(0, "run 1\nrun 2\nrun 1\n"));
    assert_eq!(env.shell(inner), nth(2));
}

#[test]
fn retries_of_a_flow() {
    let env = world();
    env.script("fails", "#!/bin/sh\n[ -e repaired ] && echo repaired\n");
    env.script(
        "pipeline",
        "#!/bin/sh\nset -e\ntaskcache run --policy 'DEFAULT + RUN_ID' -- ./work\ntaskcache run --policy RUN_ID -- ./fails\n",
    );
    let line = "taskcache flow -- sh -c './pipeline || { touch repaired; ./pipeline; }'";
    assert_eq!(env.shell(line), ran(0, "run 1\nrun 1\nrepaired\n"));
}

#[test]
fn cache_key() {
    let env = world();
    let key = env.run("key -- ./work").stdout;
    env.run("run -- ./work");
    assert_eq!(entries(&env)[0]["key"], key.trim_end());
    assert_eq!(env.run("run --cached-only -- ./work"), nth(1));
}

#[test]
fn constant_key() {
    for world in each_way() {
        let run = |line: &str| world.run("key = 'static cache key'", line);
        assert_eq!(run("-- ./work 1"), nth(1));
        assert_eq!(run("-- ./work 2"), nth(1));
        world.env.script("work", &format!("{WORK}# changed\n"));
        assert_eq!(run("--value x=3 -- ./work 3"), nth(1));
    }
}

#[test]
fn key_of_any_length() {
    let env = world();
    for (key, number) in [("k".repeat(3000), 1), (format!("{}!", "k".repeat(3000)), 2), ("../../k".into(), 3)]
    {
        for _ in 0..2 {
            assert_eq!(env.run_words(["run", "--key", &key, "--", "./work"]), nth(number));
        }
    }
}

#[test]
fn key_function() {
    for world in each_way() {
        world.env.script("key", "#!/bin/sh\ncat > context\nsed 's/.*\"x\":\"\\([0-9]*\\).*/\\1/' context\n");
        let run = |x: &str, y: &str| {
            world.run(&format!("key_cmd = './key'\nvalues = ['x={x}', 'y={y}']"), &format!("-- ./work {y}"))
        };
        assert_eq!(run("1", "1"), nth(1));
        assert_eq!(run("1", "2"), nth(1));
        assert_eq!(run("2", "2"), nth(2));
        let context: Value = serde_json::from_str(&world.env.read("context").unwrap()).unwrap();
        let expected = serde_json::json!({
            "task": "work", "project": "default", "domain": "development", "command": ["./work", "2"],
            "cwd": world.env.work().to_str().unwrap(), "run_id": null, "parameters": {},
            "values": { "x": "2", "y": "2" },
        });
        assert_eq!(context, expected);
    }
}

#[test]
fn key_function_in_a_flow() {
    let env = flow_of("taskcache run --key-cmd 'tee context' -- ./work");
    let flow = "taskcache flow --name nightly --param day=1 -- ./pipeline";
    assert_eq!(env.shell(&format!("{flow} a b")), ran(0, "run 1\nrun 1\n"));
    let context: Value = serde_json::from_str(&env.read("context").unwrap()).unwrap();
    assert_eq!(context["parameters"], serde_json::json!({ "day": "1" }));
    assert_eq!(context["run_id"].as_str().map(str::len), Some(32));
    assert_eq!(env.shell(&format!("{flow} a")), nth(2));
}

#[test]
fn key_function_that_fails() {
    for world in each_way() {
        let hint = "taskcache: hint: the output of this command is part of the key; it has to exit with 0\n";
        let error = format!("taskcache: error: option --key-cmd: 'exit 3' exited with 3\n{hint}");
        assert_eq!(world.run("key_cmd = 'exit 3'", "-- ./work"), ran(125, "").with_stderr(&error));
        let error = "taskcache: error: option --key-cmd: the command printed no key\n";
        assert_eq!(world.run("key_cmd = 'true'", "-- ./work"), ran(125, "").with_stderr(error));
        assert_eq!(world.env.count(), 0);
    }
}

#[test]
fn key_and_policy() {
    for world in each_way() {
        let declaration = "key = 'k'\npolicy = 'INPUTS + RUN_ID'";
        assert_eq!(world.run(declaration, "-- ./work 1"), nth(1));
        assert_eq!(world.run(declaration, "-- ./work 2"), nth(1), "the key says all, and needs no flow");
    }
}

#[test]
fn key_shared_between_tasks() {
    let env = world();
    env.script("other", "#!/bin/sh\necho other\n");
    assert_eq!(env.run("run --task a --key k -- ./work"), nth(1));
    assert_eq!(env.run("run --task b --key k -- ./other"), nth(1));
    assert_eq!(env.shell("taskcache flow -- taskcache run --key k -- ./other"), nth(1));
    env.write("taskcache.toml", "[task.other]\nkey = 'k'\n[task.computed]\nkey_cmd = 'echo k'\n");
    assert_eq!(env.run("run -- ./other"), nth(1));
    assert_eq!(env.run("run --task computed -- ./other"), nth(1));
}

#[test]
fn key_shared_by_one_storage_only() {
    let env = world();
    assert_eq!(env.run("run --key k -- ./work"), nth(1));
    assert_eq!(env.run("run --key k --cache-dir elsewhere -- ./work"), nth(2));
    assert_eq!(env.run("run --key k -- ./work"), nth(1));
}

#[test]
fn expiration() {
    for world in each_way() {
        world.assert_runs(&[("ttl = '1d'", 1), ("ttl = '1d'", 1)]);
        let expires = expiry(&world.env);
        assert!(expires.is_some());
        assert_eq!(world.run("ttl = '1ms'\nrefresh = true", "-- ./work"), nth(2));
        assert_ne!(expiry(&world.env), expires);
        // Starting a program takes longer than a millisecond.
        let told = world.run("status = 'always'", "-- ./work");
        assert_eq!((told.code, told.stdout.as_str()), (0, "run 3\n"));
        assert!(told.stderr.starts_with("taskcache: miss (expired) work "), "{}", told.stderr);
        assert_eq!(expiry(&world.env), None, "who sets no expiration stores none");
    }
}

#[test]
fn expiration_for_all_who_share_the_key() {
    for world in each_way() {
        assert_eq!(world.run("key = 'k'\nttl = '1ms'", "-- ./work"), nth(1));
        for rest in ["--task other --key k -- ./work", "--task third --key k --ttl 1d -- ./work"] {
            let refused = world.env.run(&format!("run --cached-only {rest}"));
            let error = "taskcache: error: no result is stored (expired), and --cached-only forbids to run the command\n\
                         taskcache: hint: leave --cached-only out to run the command\n";
            assert_eq!(refused, ran(124, "").with_stderr(error));
        }
    }
}

#[test]
fn expiration_and_hits() {
    for world in each_way() {
        world.assert_runs(&[("ttl = '1h'", 1)]);
        let expires = expiry(&world.env);
        for declaration in ["ttl = '1h'", "ttl = '2d'", ""] {
            world.assert_runs(&[(declaration, 1)]);
            assert_eq!(expiry(&world.env), expires, "{declaration}");
        }
    }
}

#[test]
fn expiration_and_refresh() {
    for world in each_way() {
        world.assert_runs(&[("ttl = '1h'", 1)]);
        let before = expiry(&world.env);
        assert_eq!(world.run("ttl = '1h'", "--refresh -- ./work"), nth(2));
        let after = expiry(&world.env);
        assert!(after > before, "{after:?} {before:?}");
        world.assert_runs(&[("ttl = '1h'", 2)]);
    }
}

#[test]
fn refresh_of_one_task() {
    for world in each_way() {
        world.assert_runs(&[
            ("key = 'k'", 1),
            ("key = 'k'\nrefresh = true", 2),
            ("key = 'k'\nrefresh = true", 3),
        ]);
        world.assert_runs(&[("key = 'k'", 3)]);
        assert_eq!(entries(&world.env).len(), 1);
    }
}

#[test]
fn refresh_of_all_tasks() {
    let mut env = world();
    env.write("taskcache.toml", "[task.b]\nversion = '1'\n");
    env.run("run --task a -- ./work");
    env.run("run --task b -- ./work");
    env.set("TASKCACHE_REFRESH", "true");
    assert_eq!([env.run("run --task a -- ./work"), env.run("run --task b -- ./work")], [3, 4].map(nth));
    env.set("TASKCACHE_REFRESH", "false");
    assert_eq!([env.run("run --task a -- ./work"), env.run("run --task b -- ./work")], [3, 4].map(nth));
}

#[test]
fn no_refresh() {
    for mut world in each_way() {
        world.env.set("TASKCACHE_REFRESH", "true");
        world.assert_runs(&[("refresh = false", 1), ("refresh = false", 1), ("no_refresh = true", 1)]);
        world.assert_runs(&[("", 2), ("refresh = false", 2)]);
        let declared = world.line("refresh = false", "--refresh -- ./work");
        assert_eq!(world.env.run(&declared), nth(3), "who says --refresh means this run");
    }
}

#[test]
fn no_refresh_for_all_tasks() {
    let mut env = world();
    env.write("taskcache.toml", "[defaults]\nrefresh = false\n[env.nightly]\nrefresh = true\n");
    env.set("TASKCACHE_REFRESH", "true");
    assert_eq!([env.run("run -- ./work"), env.run("run -- ./work")], [1, 1].map(nth));
    assert_eq!(env.run("run --environment nightly -- ./work"), nth(2));
    env.unset("TASKCACHE_REFRESH");
    assert_eq!(env.run("run -- ./work"), nth(2));
}

#[test]
fn result_storage() {
    let mut env = world();
    let stored_in = |env: &TestEnv, folder: &str| {
        let list = env.run(&format!("local-cache list --format json --cache-dir {folder}"));
        serde_json::from_str::<Vec<Value>>(&list.stdout).unwrap().len()
    };
    env.run("run --cache-dir by-option -- ./work");
    env.set("TASKCACHE_DIR", env.work().join("by-variable"));
    env.run("run -- ./work");
    env.unset("TASKCACHE_DIR");
    env.write("taskcache.toml", "[store]\ndir = 'by-config'\n");
    env.run_in("sub", "run -- ../work");
    assert_eq!(["by-option", "by-variable", "by-config"].map(|folder| stored_in(&env, folder)), [1; 3]);
    assert!(!env.home().join(".flyte").exists());
}

#[test]
fn no_result_persistence() {
    for world in each_way() {
        world.assert_runs(&[("no_cache = true", 1), ("no_cache = true", 2)]);
        assert!(!world.env.store().exists());
    }
}

#[test]
fn failures_are_not_cached() {
    let env = world();
    env.script("fails", "#!/bin/sh\necho ran >> count\nexit 1\n");
    for line in ["run -- ./fails", "run --key k -- ./fails", "run --policy TASK_SOURCE -- ./fails"] {
        assert_eq!([env.run(line), env.run(line)], [ran(1, ""), ran(1, "")]);
    }
    assert_eq!(env.count(), 6);
}

#[test]
fn cached_state() {
    for world in each_way() {
        world.env.script("work", &format!("{WORK}echo warned >&2\nexit 7\n"));
        let declaration = "cache_exit = 'any'";
        let expected = || ran(7, "run 1\n").with_stderr("warned\n");
        assert_eq!(world.run(declaration, "-- ./work"), expected());
        assert_eq!(world.run(declaration, "-- ./work"), expected());
        let told = world.run("cache_exit = 'any'\nstatus = 'always'", "-- ./work");
        assert!(told.stderr.starts_with("warned\ntaskcache: hit work "), "{}", told.stderr);
    }
}

#[test]
fn inputs_with_an_expiration() {
    for world in each_way() {
        world.env.script("hello", "#!/bin/sh\necho Saying hello >> said\necho hello $1\n");
        let run = |name: &str| world.run("policy = 'INPUTS'\nttl = '1d'", &format!("-- ./hello {name}"));
        assert_eq!([run("marvin"), run("marvin")], [ran(0, "hello marvin\n"), ran(0, "hello marvin\n")]);
        assert_eq!(run("trillian"), ran(0, "hello trillian\n"));
        assert_eq!(world.env.read("said").unwrap().lines().count(), 2);
    }
}

#[test]
fn inputs_within_one_flow_run() {
    let env = flow_of("taskcache run --policy 'INPUTS + RUN_ID' --ttl 1d -- ./work $n");
    assert_eq!(env.shell("taskcache flow -- ./pipeline a a b"), ran(0, "run 1\nrun 1\nrun 2\n"));
    assert_eq!(env.shell("taskcache flow -- ./pipeline a a"), ran(0, "run 3\nrun 3\n"));
}
