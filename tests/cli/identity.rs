//! What makes two runs the same, and what makes them different.

use crate::support::{TestEnv, ran};

/// Asserts for each pair whether the second run is a hit after the first.
fn assert_hits(env: &TestEnv, pairs: &[(&str, &str, bool)]) {
    for (number, (first, second, hits)) in pairs.iter().enumerate() {
        let salt = format!("run --salt pair-{number}");
        let count = || {
            let before = env.count();
            move || env.count() - before
        };
        let runs = count();
        env.run(&format!("{salt} {first}"));
        assert_eq!(runs(), 1, "{first}");
        let runs = count();
        env.run(&format!("{salt} {second}"));
        assert_eq!(runs() == 0, *hits, "{first} / {second}");
    }
}

#[test]
fn arguments_are_told_apart_by_value_order_and_boundary() {
    let env = TestEnv::new();
    env.script("run", "#!/bin/sh\necho ran >> count\n");
    assert_hits(
        &env,
        &[
            ("-- ./run a b", "-- ./run a b", true),
            ("-- ./run a b", "-- ./run b a", false),
            ("-- ./run ab c", "-- ./run a bc", false),
            ("-- ./run 'a b'", "-- ./run a b", false),
            ("-- ./run", "-- ./run ''", false),
        ],
    );
}

#[test]
fn identity_options_make_separate_results() {
    let env = TestEnv::new();
    env.script("run", "#!/bin/sh\necho ran >> count\n");
    assert_hits(
        &env,
        &[
            ("--project a -- ./run", "--project b -- ./run", false),
            ("--domain a -- ./run", "--domain b -- ./run", false),
            ("--task a -- ./run", "--task b -- ./run", false),
            ("--task run -- ./run", "-- ./run", true),
            ("--version 1 -- ./run", "--version 2 -- ./run", false),
            ("--version 1 -- ./run", "-- ./run", false),
            ("--version 1 -- ./run", "--cache-version 1 -- ./run", true),
            ("--value a=1 -- ./run", "--value a=2 -- ./run", false),
            ("--value a=1 -- ./run", "--value b=1 -- ./run", false),
            ("--policy 'INPUTS + TASK_SOURCE' -- ./run", "--policy 'TASK_SOURCE + INPUTS' -- ./run", true),
            ("--policy DEFAULT -- ./run", "-- ./run", true),
            ("--policy INPUTS -- ./run", "-- ./run", false),
            ("--policy TASK_SOURCE -- ./run a", "--policy TASK_SOURCE -- ./run b", true),
            ("-o out -- ./run", "-o '?out' -- ./run", false),
        ],
    );
}

#[test]
fn an_edited_script_misses_under_auto_and_hits_under_a_version() {
    let mut env = TestEnv::new();
    env.set("LANG", "C");
    for (option, hits) in [("", false), ("--version 1", true)] {
        env.write("script.sh", "echo ran >> count\n");
        env.run(&format!("run {option} -- sh script.sh"));
        let before = env.count();
        env.write("script.sh", "echo ran >> count # edited\n");
        env.run(&format!("run {option} -- sh script.sh"));
        assert_eq!(env.count() == before, hits, "{option}");
    }
}

#[test]
fn ignored_variables_and_words_do_not_count() {
    let mut env = TestEnv::new();
    env.script("run", "#!/bin/sh\necho ran >> count\n");
    let line = "run --version v1 --ignore DEBUG -- ./run";
    env.run(line);
    env.set("DEBUG", "1");
    env.run(line);
    assert_eq!(env.count(), 1);
    env.run("run --version v1 -- ./run");
    assert_eq!(env.count(), 2, "who does not ignore it does not share the result");
    assert_hits(
        &env,
        &[
            ("--ignore debug -- ./run x=1", "--ignore debug -- ./run x=1 debug=True", true),
            ("--ignore=--jobs -- ./run --jobs=4", "--ignore=--jobs -- ./run --jobs=8", true),
            ("--ignore=--jobs -- ./run --jobs=4", "--ignore=--jobs -- ./run --level=4", false),
            ("--value a=1 --ignore a -- ./run", "--value a=2 --ignore a -- ./run", true),
            ("--value a=1 --ignore a -- ./run", "--ignore a -- ./run", false),
            (
                "--policy 'INPUTS - a' --value a=1 -- ./run",
                "--policy 'INPUTS - a' --value a=2 -- ./run",
                true,
            ),
        ],
    );
}

#[test]
fn environment_modes() {
    let mut env = TestEnv::new();
    env.script("run", "#!/bin/sh\necho ran >> count\n");
    let runs_with = |env: &mut TestEnv, line: &str, name: &str, value: Option<&str>| {
        let before = env.count();
        match value {
            Some(value) => env.set(name, value),
            None => env.unset(name),
        }
        env.run(line);
        env.count() - before
    };
    let all = "run --salt all -- ./run";
    assert_eq!(runs_with(&mut env, all, "X", None), 1);
    assert_eq!(runs_with(&mut env, all, "X", Some("")), 1);
    assert_eq!(runs_with(&mut env, all, "X", Some("1")), 1);
    assert_eq!(runs_with(&mut env, all, "X", Some("")), 0);
    assert_eq!(runs_with(&mut env, all, "SHLVL", Some("7")), 0, "session noise");
    let declared = "run --salt declared -e 'X*' -- ./run";
    assert_eq!(runs_with(&mut env, declared, "X", None), 1);
    assert_eq!(runs_with(&mut env, declared, "Y", Some("1")), 0);
    assert_eq!(runs_with(&mut env, declared, "X1", Some("1")), 1);
    env.set("SEEN", "s");
    env.set("HIDDEN", "h");
    let strict = "run --env-mode strict -e SEEN -- sh -c 'echo $SEEN-$HIDDEN-$HOME'";
    assert_eq!(env.run(strict), ran(0, &format!("s--{}\n", env.home().display())));
}

#[test]
fn inputs_are_known_by_content_name_and_presence() {
    let env = TestEnv::new();
    env.script("run", "#!/bin/sh\necho ran >> count\n");
    env.write("src/a.c", "a");
    env.write("src/b.c", "b");
    let line = "run --version 1 -i 'src/**/*.c' -i '?extra' -- ./run";
    let runs = |what: &str, expected: usize| {
        let before = env.count();
        env.run(line);
        assert_eq!(env.count() - before, expected, "{what}");
    };
    runs("first", 1);
    runs("unchanged", 0);
    env.write("src/a.c", "A");
    runs("changed", 1);
    env.write("src/a.c", "a");
    runs("put back", 0);
    env.write("src/c.c", "");
    runs("added", 1);
    std::fs::rename(env.work().join("src/c.c"), env.work().join("src/d.c")).unwrap();
    runs("renamed", 1);
    std::fs::remove_file(env.work().join("src/d.c")).unwrap();
    runs("removed", 0);
    env.write("src/e.h", "");
    runs("not matched", 0);
    env.write("extra", "");
    runs("optional appears", 1);
}

#[test]
fn an_input_of_the_config_and_an_argument_of_one_name_are_two_files() {
    let env = TestEnv::new();
    env.write("taskcache.toml", "[defaults]\nproject = 'shared'\ninputs = ['words']\n");
    env.write("words", "of the project\n");
    env.write("sub/words", "of the folder\n");
    assert_eq!(env.run_in("sub", "run -- cat words"), ran(0, "of the folder\n"));
    let before = env.run_in("sub", "key -- cat words");
    env.write("words", "changed\n");
    assert_ne!(env.run_in("sub", "key -- cat words"), before);
}

#[test]
fn an_argument_that_names_a_file_is_an_input() {
    let env = TestEnv::new();
    env.write("data", "1");
    let line = "run -- sh -c 'echo ran >> count; cat \"$1\"' - data";
    assert_eq!(env.run(line), ran(0, "1"));
    env.write("data", "2");
    assert_eq!(env.run(line), ran(0, "2"));
    let without = "run --no-argument-inputs -- sh -c 'echo ran >> count; cat \"$1\"' - data";
    assert_eq!(env.run(without), ran(0, "2"));
    env.write("data", "3");
    assert_eq!(env.run(without), ran(0, "2"));
}

#[test]
fn probes_and_version_commands_count_by_their_output() {
    let env = TestEnv::new();
    env.script("run", "#!/bin/sh\necho ran >> count\n");
    for option in ["--input-cmd 'cat probe'", "--version-cmd 'cat probe'", "--key-cmd 'cat probe'"] {
        let before = env.count();
        for (text, runs) in [("1", 1), ("2", 2), ("1", 2)] {
            env.write("probe", text);
            env.run(&format!("run --no-argument-inputs {option} -- ./run"));
            assert_eq!(env.count() - before, runs, "{option} {text}");
        }
    }
    let failed = env.run("run --input-cmd 'exit 3' -- ./run");
    let message = "taskcache: error: option --input-cmd: 'exit 3' exited with 3\n\
                   taskcache: hint: the output of this command is part of the key; it has to exit with 0\n";
    assert_eq!(failed, ran(125, "").with_stderr(message));
}

#[test]
fn an_own_key_is_shared_between_tasks_of_one_project() {
    let env = TestEnv::new();
    env.script("one", "#!/bin/sh\necho ran >> count\necho one\n");
    env.script("two", "#!/bin/sh\necho ran >> count\necho two\n");
    assert_eq!(env.run("run --key k -- ./one"), ran(0, "one\n"));
    assert_eq!(env.run("run --key k -- ./two"), ran(0, "one\n"));
    assert_eq!(env.run_in("sub", "run --key k -- ../two"), ran(0, "one\n"));
    assert_eq!(env.run("run --key k --project other -- ./two"), ran(0, "two\n"));
}

#[test]
fn the_working_directory_counts_as_asked() {
    let env = TestEnv::new();
    env.script("run", "#!/bin/sh\necho ran >> ../count\n");
    let line = |mode: &str| format!("run --no-argument-inputs --policy INPUTS --cwd {mode} -- ../run");
    for (mode, runs) in [("absolute", 2), ("auto", 2), ("ignore", 1)] {
        let before = env.count();
        for folder in ["a", "b"] {
            env.run_in(folder, &line(mode));
        }
        assert_eq!(env.count() - before, runs, "{mode}");
    }
    env.write("taskcache.toml", "[defaults]\nproject = 'p'\n");
    let before = env.count();
    env.run_in("a", &line("auto"));
    env.run_in("a", &line("relative"));
    assert_eq!(env.count() - before, 2, "the mode is signature");
}

#[test]
fn working_copies_of_one_project_share_results() {
    let env = TestEnv::new();
    for copy in ["one", "two"] {
        env.write(&format!("{copy}/taskcache.toml"), "[defaults]\nproject = 'shared'\n");
        env.script(&format!("{copy}/run"), "#!/bin/sh\necho ran >> ../count\n");
        env.run_in(copy, "run -- ./run");
    }
    assert_eq!(env.count(), 1);
}

#[test]
fn the_key_is_printed_alone_and_is_that_of_the_run() {
    let env = TestEnv::new();
    let key = env.run("key -- sh -c 'echo $TASKCACHE_KEY'");
    assert_eq!((key.code, key.stderr.as_str(), key.stdout.len()), (0, "", 65));
    assert_eq!(env.run("run -- sh -c 'echo $TASKCACHE_KEY'").stdout, key.stdout);
    assert!(!env.home().join(".flyte/x").exists());
}
