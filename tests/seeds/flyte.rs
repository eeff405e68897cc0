//! The rows of `docs/flyte.md`, but for those about the signature.

use crate::support::{TestEnv, ran};
use crate::world::{copy_of_project, each_way, entries, nth, output, pipe, wait_until_running, world};
use serde_json::Value;

#[test]
fn caching_is_asked_for() {
    for world in each_way() {
        world.env.write("taskcache.toml", "[defaults]\nbehavior = 'disable'\n");
        assert_eq!(world.env.shell("./work"), nth(1));
        assert_eq!(world.env.run("flow -- ./work"), nth(2));
        assert_eq!(world.env.run("run --task other -- ./work"), nth(3));
        assert_eq!(world.env.run("run --task other -- ./work"), nth(4));
        world.assert_runs(&[("behavior = 'auto'", 5), ("behavior = 'auto'", 5)]);
    }
}

#[test]
fn cache_version() {
    for world in each_way() {
        world.assert_runs(&[
            ("version = '1.0'", 1),
            ("version = '1.0'", 1),
            ("version = '2.0'", 2),
            ("version = '2.0'", 2),
            ("version = '1.0'", 1),
            ("version = '1.00'", 3),
        ]);
    }
    let env = world();
    assert_eq!(env.run("run --cache-version 1.0 -- ./work"), nth(1));
    assert_eq!(env.run("run --version 1.0 -- ./work"), nth(1));
}

#[test]
fn empty_cache_version() {
    for (world, origin) in
        each_way().into_iter().zip(["option --version", "taskcache.toml:2 [task.work] version"])
    {
        let refused = world.run("version = ' '", "-- ./work");
        let error = format!("taskcache: error: {origin}: the version is empty\n");
        assert_eq!(refused, ran(125, "").with_stderr(&error));
        assert_eq!(world.env.count(), 0);
    }
}

#[test]
fn new_code_at_one_version() {
    for world in each_way() {
        let run = || world.run("version = '1.0'", "-- ./work");
        assert_eq!(run(), nth(1));
        world.env.script("work", "#!/bin/sh\necho rewritten\n");
        assert_eq!(run(), nth(1));
        assert_eq!(world.run("version = '1.1'", "-- ./work"), ran(0, "rewritten\n"));
    }
}

#[test]
fn task_name() {
    let env = world();
    for (task, number) in [("square", 1), ("cube", 2), ("square", 1)] {
        assert_eq!(env.run(&format!("run --version 1.0 --task {task} -- ./work")), nth(number));
    }
}

#[test]
fn input_values() {
    for world in each_way() {
        world.assert_runs(&[
            ("version = '1.0'\nvalues = ['n=2']", 1),
            ("version = '1.0'\nvalues = ['n=3']", 2),
            ("version = '1.0'\nvalues = ['n=2']", 1),
        ]);
        assert_eq!(world.run("version = '1.0'", "-- ./work 2"), nth(3));
        assert_eq!(world.run("version = '1.0'", "-- ./work 3"), nth(4));
        assert_eq!(world.run("version = '1.0'", "-- ./work 2"), nth(3));
    }
}

#[test]
fn order_of_inputs() {
    for world in each_way() {
        world.assert_runs(&[("values = ['a=1', 'b=2']", 1), ("values = ['b=2', 'a=1']", 1)]);
    }
}

#[test]
fn file_inputs() {
    for world in each_way() {
        let run = || world.run("inputs = ['data']", "-- ./work");
        for (text, number) in [("one", 1), ("two", 2), ("one", 1)] {
            world.env.write("data", text);
            assert_eq!(run(), nth(number), "{text}");
        }
    }
}

#[test]
fn project() {
    for world in each_way() {
        world.assert_runs(&[("project = 'a'", 1), ("project = 'b'", 2), ("project = 'a'", 1)]);
        world.assert_runs(&[("project = 'a'\nkey = 'k'", 3), ("project = 'b'\nkey = 'k'", 4)]);
    }
}

#[test]
fn domain() {
    for world in each_way() {
        world.assert_runs(&[
            ("domain = 'staging'", 1),
            ("domain = 'production'", 2),
            ("domain = 'staging'", 1),
        ]);
        world.assert_runs(&[("domain = 'staging'\nkey = 'k'", 3), ("domain = 'production'\nkey = 'k'", 4)]);
    }
}

#[test]
fn across_executions() {
    for world in each_way() {
        let declaration = "behavior = 'override'\nversion = '1.0'";
        for _ in 0..3 {
            assert_eq!(world.run(declaration, "-- ./work 2"), nth(1));
        }
        let stored = entries(&world.env);
        assert_eq!((stored.len(), &stored[0]["task"]), (1, &Value::from("work")));
    }
}

#[test]
fn across_working_copies() {
    let env = TestEnv::new();
    for copy in ["one", "two"] {
        copy_of_project(&env, copy, "[defaults]\nproject = 'shared'\n");
        assert_eq!(env.run_in(copy, "run -- ./work"), nth(1));
    }
    let env = TestEnv::new();
    for copy in ["one", "two"] {
        copy_of_project(&env, copy, "");
        assert_eq!(env.run_in(copy, "run --project shared --cwd relative -- ./work"), nth(1));
    }
    assert_eq!(env.run_in("two", "run --project shared -- ./work"), nth(2));
}

#[test]
fn across_workflows() {
    let env = world();
    env.script("nightly", "#!/bin/sh\necho nightly\ntaskcache run --version 1.0 -- ./work 2\n");
    env.script("report", "#!/bin/sh\necho report\nexec taskcache run --version 1.0 -- ./work 2\n");
    assert_eq!(env.shell("./nightly"), ran(0, "nightly\nrun 1\n"));
    assert_eq!(env.shell("./report"), ran(0, "report\nrun 1\n"));
    assert_eq!(env.shell("taskcache flow -- ./report"), ran(0, "report\nrun 1\n"));
}

#[test]
fn ignored_inputs() {
    for mut world in each_way() {
        let declaration = |debug: &str, level: &str| {
            let values = format!("values = ['data=x', 'debug_flag={debug}', 'logging_level={level}']");
            format!("version = 'v1'\n{values}\nignores = ['debug_flag', 'logging_level', 'DEBUG']")
        };
        assert_eq!(world.run(&declaration("no", "info"), "-- ./work"), nth(1));
        assert_eq!(world.run(&declaration("yes", "debug"), "-- ./work"), nth(1));
        world.env.set("DEBUG", "1");
        assert_eq!(world.run(&declaration("no", "info"), "-- ./work debug_flag=1"), nth(1));
        let other = declaration("no", "info").replace("data=x", "data=y");
        assert_eq!(world.run(&other, "-- ./work"), nth(2));
    }
}

#[test]
fn unknown_ignored_input() {
    for world in each_way() {
        let declaration = "values = ['data=x']\nignores = ['input:date']";
        let warning = "taskcache: warning: --ignore 'input:date' names nothing here\n";
        assert_eq!(world.run(declaration, "-- ./work"), nth(1).with_stderr(warning));
        let refused = world.run(&format!("{declaration}\nstrict = true"), "-- ./work");
        let error = "taskcache: error: option --ignore: nothing here is called 'input:date'\n\
                     taskcache: hint: leave --strict out if it may be missing\n";
        assert_eq!(refused, ran(125, "").with_stderr(error));
    }
}

#[test]
fn salt() {
    for world in each_way() {
        world.assert_runs(&[
            ("behavior = 'auto'", 1),
            ("behavior = 'auto'\nsalt = 'a'", 2),
            ("behavior = 'auto'\nsalt = 'b'", 3),
            ("version = 'v1'", 4),
            ("version = 'v1'\nsalt = 'a'", 5),
            ("version = 'v1'\nsalt = 'b'", 6),
            ("key = 'k'", 7),
            ("key = 'k'\nsalt = 'a'", 8),
            ("behavior = 'disable'\nsalt = 'a'", 9),
            ("behavior = 'auto'\nsalt = 'a'", 2),
            ("version = 'v1'\nsalt = 'b'", 6),
            ("key = 'k'\nsalt = 'a'", 8),
        ]);
    }
}

#[test]
fn behavior_auto() {
    for world in each_way() {
        let run = || world.run("behavior = 'auto'", "-- sh train.sh 1");
        world.env.write("train.sh", "echo one\n");
        assert_eq!(run(), ran(0, "one\n"));
        world.env.write("train.sh", "echo two\n");
        assert_eq!(run(), ran(0, "two\n"));
        world.env.write("train.sh", "echo one\n");
        assert_eq!(world.run("", "-- sh train.sh 1"), ran(0, "one\n"), "auto is what nothing means");
        assert_eq!(entries(&world.env).len(), 2);
    }
}

#[test]
fn behavior_override() {
    for mut world in each_way() {
        let run = |world: &crate::world::World, version: &str| {
            world.run(&format!("behavior = 'override'\nversion = '{version}'"), "-- sh train.sh 1")
        };
        world.env.write("train.sh", "echo one\n");
        assert_eq!(run(&world, "v1.2"), ran(0, "one\n"));
        world.env.write("train.sh", "echo two\n");
        assert_eq!(run(&world, "v1.2"), ran(0, "one\n"));
        assert_eq!(run(&world, "v1.3"), ran(0, "two\n"));
        world.env.set("TASKCACHE_VERSION", "v1.2");
        assert_eq!(world.env.run("run --behavior override --task work -- sh train.sh 1"), ran(0, "one\n"));
    }
}

#[test]
fn version_policies_below_a_version() {
    let env = world();
    env.write("taskcache.toml", "[defaults]\nversion_cmds = ['cat dataset']\n[task.work]\nversion = 'v1'\n");
    for dataset in ["1", "2"] {
        env.write("dataset", dataset);
        assert_eq!(env.run("run -- ./work"), nth(1), "{dataset}");
    }
    let beside = "run --version v1 --version-cmd 'cat dataset' -- ./work";
    for (dataset, number) in [("1", 2), ("2", 3), ("1", 2)] {
        env.write("dataset", dataset);
        assert_eq!(env.run(beside), nth(number), "asked for beside the version");
    }
    assert_eq!(env.run("run --version-cmd 'cat dataset' -- ./work"), nth(2), "and above it");
}

#[test]
fn behavior_disable() {
    for world in each_way() {
        world.assert_runs(&[("behavior = 'disable'", 1), ("behavior = 'disable'", 2)]);
        assert_eq!(entries(&world.env), Vec::<Value>::new());
        world.assert_runs(&[("", 3), ("behavior = 'disable'", 4), ("", 3)]);
    }
}

#[test]
fn contradicting_behavior_and_version() {
    for (world, place) in each_way().into_iter().zip(["option --", "taskcache.toml:2 [task.work] "]) {
        let refused = world.run("behavior = 'auto'\nversion = '1'", "-- ./work");
        let second = place.replace(":2", ":3");
        let error = format!(
            "taskcache: error: {place}behavior 'auto' contradicts {second}version\n\
             taskcache: hint: a version of your own goes with 'override'\n"
        );
        assert_eq!(refused, ran(125, "").with_stderr(&error));
        assert_eq!(world.run("behavior = 'override'", "-- ./work").code, 125);
        assert_eq!(world.env.count(), 0);
    }
}

#[test]
fn custom_version_policies() {
    for world in each_way() {
        let run = |policies: &str| world.run(&format!("version_cmds = [{policies}]"), "-- ./work");
        let both = "'cat dataset', 'cat schema'";
        for (dataset, schema, number) in [("1", "a", 1), ("2", "a", 2), ("2", "b", 3), ("1", "a", 1)] {
            world.env.write("dataset", dataset);
            world.env.write("schema", schema);
            assert_eq!(run(both), nth(number), "{dataset} {schema}");
        }
        assert_eq!(run("'cat schema', 'cat dataset'"), nth(1), "their order does not count");
        assert_eq!(run("'cat schema'"), nth(4));
        let error = "taskcache: error: option --version-cmd: 'exit 3' exited with 3\n\
                     taskcache: hint: the output of this command is part of the key; it has to exit with 0\n";
        assert_eq!(run("'cat dataset', 'exit 3'"), ran(125, "").with_stderr(error));
    }
}

#[test]
fn defaults_for_all_tasks() {
    let env = world();
    env.write(
        "taskcache.toml",
        "[defaults]\nversion = '1'\n[task.fresh]\nbehavior = 'disable'\n[task.own]\nversion = '2'\n",
    );
    let run = |task: &str| env.run(&format!("run --task {task} -- ./work"));
    assert_eq!([run("inherits"), run("fresh"), run("own")], [1, 2, 3].map(nth));
    env.script("work", &crate::world::WORK.replace("run $", "again $"));
    assert_eq!([run("inherits"), run("fresh"), run("own")], [nth(1), ran(0, "again 4\n"), nth(3)]);
}

#[test]
fn environments_by_name() {
    let mut env = world();
    let config = "[env.models]\nversion = '1'\nsalt = 'ml'\n[env.test]\nbehavior = 'disable'\n\
                  [task.fresh]\nenvironment = 'models'\nbehavior = 'disable'\n[task.inherits]\nenvironment = 'models'\n";
    env.write("taskcache.toml", config);
    assert_eq!(env.run("run --environment models -t a -- ./work"), nth(1));
    assert_eq!(env.run("run --version 1 --salt ml -t a -- ./work"), nth(1));
    assert_eq!(env.run("run --environment test -t a -- ./work"), nth(2));
    assert_eq!(env.run("run -t inherits -- ./work"), nth(3));
    assert_eq!(env.run("run -t inherits --version 1 --salt ml -- ./work"), nth(3));
    assert_eq!(env.run("run -t fresh -- ./work"), nth(4));
    assert_eq!(env.run("run -t fresh -- ./work"), nth(5));
    env.set("TASKCACHE_ENVIRONMENT", "models");
    assert_eq!(env.run("run -t a -- ./work"), nth(1));
    let error = "taskcache: error: option --environment: there is no table [env.model]\ntaskcache: hint: did you mean 'models'?\n";
    assert_eq!(env.run("run --environment model -- ./work"), ran(125, "").with_stderr(error));
}

#[test]
fn serialize() {
    for world in each_way() {
        pipe(&world.env, "go");
        world.env.script("work", "#!/bin/sh\necho ran >> count\nread answer < go\necho $answer\n");
        let first = world.spawn("serialize = true", "-- ./work");
        wait_until_running(&world.env);
        let others: Vec<_> = (0..4).map(|_| world.spawn("serialize = true", "-- ./work")).collect();
        std::fs::write(world.env.work().join("go"), "trained\n").unwrap();
        for child in [first].into_iter().chain(others) {
            assert_eq!(output(child), (Some(0), "trained\n".to_owned()));
        }
        assert_eq!(world.env.count(), 1);
    }
}

#[test]
fn serialize_when_the_first_one_fails() {
    for world in each_way() {
        world.env.script("work", "#!/bin/sh\necho ran >> count\n[ $(wc -l < count) -ge 3 ] && echo done\n");
        let children: Vec<_> = (0..6).map(|_| world.spawn("serialize = true", "-- ./work")).collect();
        let mut endings: Vec<_> = children.into_iter().map(output).collect();
        endings.sort();
        let [failed, done] = [(Some(1), String::new()), (Some(0), "done\n".to_owned())];
        let expected = [vec![done; 4], vec![failed; 2]].concat();
        assert_eq!(endings, expected);
        assert_eq!(world.env.count(), 3);
    }
}

#[test]
fn bounded_wait() {
    for world in each_way() {
        pipe(&world.env, "go");
        world.env.script("work", "#!/bin/sh\nread answer < go\necho $answer\n");
        let first = world.spawn("serialize = true", "-- ./work");
        wait_until_running(&world.env);
        let impatient = world.env.run("run --task work --serialize --wait 10ms --on-timeout fail -- ./work");
        assert_eq!((impatient.code, impatient.stdout.as_str()), (124, ""));
        std::fs::write(world.env.work().join("go"), "trained\n").unwrap();
        assert_eq!(output(first), (Some(0), "trained\n".to_owned()));
        let patient = world.run("serialize = true\nwait = '10ms'\non_timeout = 'fail'", "-- ./work");
        assert_eq!(patient, ran(0, "trained\n"), "a result that is there is not waited for");
    }
}

#[test]
fn overwrite_for_one_run() {
    for world in each_way() {
        world.assert_runs(&[("version = '1'", 1), ("version = '1'", 1)]);
        assert_eq!(world.run("version = '1'", "--refresh -- ./work"), nth(2));
        world.assert_runs(&[("version = '1'", 2)]);
        assert_eq!(entries(&world.env).len(), 1);
    }
}

#[test]
fn overwrite_in_a_whole_workflow() {
    let env = world();
    env.script("flow", "#!/bin/sh\ntaskcache run -- ./work a\ntaskcache run -- ./work b\n");
    assert_eq!(env.shell("taskcache run -- ./flow"), ran(0, "run 1\nrun 2\n"));
    assert_eq!(
        env.shell("taskcache run --refresh -- ./flow"),
        ran(0, "run 1\nrun 2\n"),
        "this run, not those inside"
    );
    assert_eq!(env.shell("TASKCACHE_REFRESH=true taskcache run -- ./flow"), ran(0, "run 3\nrun 4\n"));
    assert_eq!(env.shell("taskcache run -- ./flow"), ran(0, "run 3\nrun 4\n"));
}

#[test]
fn overwrite_that_fails() {
    let env = world();
    env.script("work", &format!("{}exit $(cat code)\n", crate::world::WORK));
    env.write("code", "0");
    assert_eq!(env.run("run -- ./work"), nth(1));
    env.write("code", "3");
    assert_eq!(env.run("run --refresh -- ./work"), ran(3, "run 2\n"));
    assert_eq!(env.run("run -- ./work"), nth(1));
}

#[test]
fn one_run_without_the_cache() {
    let env = world();
    assert_eq!(env.run("run -- ./work"), nth(1));
    assert_eq!(env.run("run --no-cache -- ./work"), nth(2));
    assert_eq!(env.run("run -- ./work"), nth(1));
}

#[test]
fn cache_status_in_the_task() {
    let env = world();
    let asking = "taskcache context; echo $TASKCACHE_TASK $TASKCACHE_OUTCOME $TASKCACHE_KEY";
    let line = |option: &str| format!("taskcache run --task aware {option} -- sh -c '{asking}'");
    for (option, outcome) in [("", "miss"), ("--refresh", "refresh"), ("--no-cache", "bypass")] {
        let key = env.shell(&line(option).replacen("run", "key", 1)).stdout;
        let key = key.trim_end();
        let (known, shown) =
            if outcome == "bypass" { ("null".into(), "") } else { (format!("\"{key}\""), key) };
        let expected = format!(
            "{{\"task\":\"aware\",\"key\":{known},\"outcome\":\"{outcome}\",\"run_id\":null,\"flow\":null,\
             \"parameters\":null,\"transaction\":null}}\naware {outcome} {shown}\n"
        );
        assert_eq!(env.shell(&line(option)), ran(0, expected.replace(" \n", "\n").as_str()), "{outcome}");
    }
}

#[test]
fn cache_status_of_a_run() {
    for world in each_way() {
        let declaration = "status = 'always'\nevents = 'events'";
        for head in ["miss (absent) work ", "hit work "] {
            let told = world.run(declaration, "-- ./work");
            assert_eq!((told.code, told.stdout.as_str()), (0, "run 1\n"));
            assert!(told.stderr.starts_with(&format!("taskcache: {head}")), "{}", told.stderr);
        }
        let events = world.env.read("events").unwrap();
        let events: Vec<Value> = events.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let outcomes: Vec<_> = events.iter().map(|event| (&event["outcome"], &event["reason"])).collect();
        let [miss, absent, hit, found] = ["miss", "absent", "hit", "found"].map(Value::from);
        assert_eq!(outcomes, [(&miss, &absent), (&hit, &found)]);
    }
}
