//! Config files and variables: who is believed, and what is said of mistakes.

use crate::support::{Ran, TestEnv, ran};
use std::fs;
use std::os::unix::fs::PermissionsExt;

fn refused(message: &str) -> Ran {
    ran(125, "").with_stderr(&format!("taskcache: error: {message}\n"))
}

/// Returns value and origin of an option as `config show` prints them.
fn shown(env: &TestEnv, option: &str, task: &str) -> (String, String) {
    let table = env.run(&format!("config show {task}")).stdout;
    let line = table.lines().find(|line| line.split_whitespace().next() == Some(option)).unwrap();
    let mut cells = line.split("  ").map(str::trim).filter(|cell| !cell.is_empty()).skip(1);
    (cells.next().unwrap().to_owned(), cells.next().unwrap().to_owned())
}

#[test]
fn each_layer_wins_over_the_one_below() {
    let mut env = TestEnv::new();
    let user = env.home().join(".config/taskcache");
    fs::create_dir_all(&user).unwrap();
    let project = |env: &TestEnv| env.run("run --events log -- true").code;
    let told = |env: &mut TestEnv, line: &str| {
        let _ = fs::remove_file(env.work().join("log"));
        assert_eq!(env.run(&format!("run --events log {line} -- true")), ran(0, ""), "{line}");
        let event: serde_json::Value = serde_json::from_str(&env.read("log").unwrap()).unwrap();
        event["project"].as_str().unwrap().to_owned()
    };
    assert_eq!(project(&env), 0);
    assert_eq!(told(&mut env, ""), "default");
    fs::write(user.join("config.toml"), "[defaults]\nproject = 'user'\n").unwrap();
    assert_eq!(told(&mut env, ""), "user");
    env.write(
        "taskcache.toml",
        "[defaults]\nproject = 'project'\n[env.ci]\nproject = 'ci'\n[task.t]\nproject = 'task'\n",
    );
    assert_eq!(told(&mut env, ""), "project");
    assert_eq!(told(&mut env, "--environment ci"), "ci");
    assert_eq!(told(&mut env, "--environment ci -t t"), "task");
    env.set("TASKCACHE_PROJECT", "variable");
    assert_eq!(told(&mut env, "--environment ci -t t"), "variable");
    assert_eq!(shown(&env, "project", "-t t"), ("variable".into(), "variable TASKCACHE_PROJECT".into()));
    assert_eq!(told(&mut env, "--environment ci -t t --project flag"), "flag");
    env.unset("TASKCACHE_PROJECT");
    assert_eq!(shown(&env, "project", "-t t"), ("task".into(), "taskcache.toml:6 [task.t] project".into()));
    assert_eq!(env.run("config check"), ran(0, ""));
    let paths =
        format!("{}\n{}\n", env.work().join("taskcache.toml").display(), user.join("config.toml").display());
    assert_eq!(env.run("config path"), ran(0, &paths));
}

#[test]
fn mistakes_are_told_with_file_line_and_the_way_out() {
    let env = TestEnv::new();
    for (text, message) in [
        (
            "[defaults]\n\nprojct = 'x'\n",
            "taskcache.toml:3: unknown key 'projct' in [defaults]\ntaskcache: hint: did you mean 'project'?",
        ),
        (
            "[default]\nproject = 'x'\n",
            "taskcache.toml:1: unknown table [default]\ntaskcache: hint: did you mean 'defaults'?",
        ),
        (
            "[defaults]\nproject = 7\n",
            "taskcache.toml:2 [defaults] project: expected a string, found a number\n\
             taskcache: hint: write it in quotes",
        ),
        (
            "[task.a]\ninputs = 'x'\n",
            "taskcache.toml:2 [task.a] inputs: expected an array of strings, found a string\n\
             taskcache: hint: write [\"...\", \"...\"]",
        ),
        (
            "[defaults]\nrefresh = 'yes'\n",
            "taskcache.toml:2 [defaults] refresh: expected true or false, found a string\n\
             taskcache: hint: write it without quotes",
        ),
    ] {
        env.write("taskcache.toml", text);
        let found = env.run("run -- sh -c 'echo ran >> count'");
        assert_eq!(found, refused(message), "{text}");
        let checked = env.run("config check");
        assert_eq!((checked.code, checked.stdout.as_str()), (1, ""), "{text}");
        assert_eq!(checked.stderr, found.stderr, "{text}");
    }
    env.write("taskcache.toml", "[defaults\n");
    let found = env.run("run -- true");
    assert_eq!(found.code, 125);
    assert!(found.stderr.starts_with("taskcache: error: taskcache.toml:1: "), "{}", found.stderr);
    assert_eq!(env.count(), 0);
}

#[test]
fn files_that_are_none_or_not_to_be_trusted_are_refused() {
    let env = TestEnv::new();
    let path = env.work().join("taskcache.toml");
    fs::create_dir(&path).unwrap();
    assert_eq!(env.run("run -- true"), refused("taskcache.toml is refused as config: it is a directory"));
    fs::remove_dir(&path).unwrap();
    assert!(std::process::Command::new("mkfifo").arg(&path).status().unwrap().success());
    assert_eq!(env.run("run -- true"), refused("taskcache.toml is refused as config: it is a FIFO"));
    fs::remove_file(&path).unwrap();
    std::os::unix::fs::symlink("/dev/zero", &path).unwrap();
    assert_eq!(env.run("run -- true"), refused("taskcache.toml is refused as config: it is a device"));
    fs::remove_file(&path).unwrap();
    env.write("taskcache.toml", vec![b'#'; (1 << 20) + 1]);
    assert_eq!(
        env.run("run -- true"),
        refused("taskcache.toml is refused as config: it has more than 1 MiB")
    );
    env.write("taskcache.toml", "[task.t]\ncommand = 'echo planted'\n");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o666)).unwrap();
    let open = refused(
        "taskcache.toml is refused as config: everybody may write it\n\
         taskcache: hint: change that, or name the file with --config to say that it is meant",
    );
    assert_eq!(env.run("run -t t"), open);
    assert_eq!(env.run("run --config taskcache.toml -t t"), ran(0, "planted\n"));
    let missing = env.run("run --config none.toml -- true");
    assert_eq!((missing.code, missing.stdout.as_str()), (125, ""));
}

#[test]
fn lists_replace_or_extend_what_they_inherit() {
    let mut env = TestEnv::new();
    env.write(
        "taskcache.toml",
        "[defaults]\nenvs = ['A']\n[task.more]\nenvs = ['...', 'B']\n[task.other]\nenvs = ['B']\n",
    );
    for (task, counts_a, counts_b) in [("none", true, false), ("more", true, true), ("other", false, true)] {
        let line = format!("key -t {task} -- true");
        let plain = env.run(&line);
        env.set("A", "1");
        assert_eq!(env.run(&line) != plain, counts_a, "{task}");
        env.unset("A");
        env.set("B", "1");
        assert_eq!(env.run(&line) != plain, counts_b, "{task}");
        env.unset("B");
    }
    env.set("TASKCACHE_ENV", "...:C");
    let line = "key -t none -- true";
    let plain = env.run(line);
    for name in ["A", "C"] {
        env.set(name, "1");
        assert_ne!(env.run(line), plain, "{name}");
        env.unset(name);
    }
}

#[test]
fn a_task_runs_the_command_of_its_table() {
    let env = TestEnv::new();
    env.write(
        "taskcache.toml",
        "[defaults]\nno_cache = true\n[task.a]\ncommand = ['echo', 'a b']\ncache = true\n\
         [task.b]\ncommand = 'echo ran >> count; pwd'\n",
    );
    assert_eq!(env.run("run -t a"), ran(0, "a b\n"));
    assert_eq!(env.run("run -t a -- echo own"), ran(0, "own\n"));
    let root = format!("{}\n", env.work().display());
    assert_eq!(env.run_in("sub", "run -t b"), ran(0, &root), "it runs where its config is");
    assert_eq!(env.run_in("sub", "run -t b --cache"), ran(0, &root));
    assert_eq!(env.run("run -t b --cache"), ran(0, &root));
    assert_eq!(env.count(), 2);
    let unknown = refused(
        "option --task: no command is given and there is no table [task.c]\ntaskcache: hint: did you mean 'a'?",
    );
    let found = env.run("run -t c");
    assert_eq!((found.code, &found.stdout), (unknown.code, &unknown.stdout));
    assert!(found.stderr.contains("there is no table [task.c]"), "{}", found.stderr);
}

#[test]
fn variables_of_every_kind() {
    let mut env = TestEnv::new();
    env.write("in", "x");
    env.script("tool", "#!/bin/sh\necho ran >> count\n");
    for (name, value, line) in [
        ("TASKCACHE_SALT", "s", "--salt s"),
        ("TASKCACHE_TASK", "t", "-t t"),
        ("TASKCACHE_VERSION", "3", "--version 3"),
        ("TASKCACHE_INPUT", "in:?none", "-i in -i ?none"),
        ("TASKCACHE_VALUE", "a=1:b=2", "--value a=1 --value b=2"),
        ("TASKCACHE_OUTPUT", "?out", "-o ?out"),
        ("TASKCACHE_IGNORE", "env\\:A:B", "--ignore env:A --ignore B"),
        ("TASKCACHE_ENV_MODE", "strict", "--env-mode strict"),
        ("TASKCACHE_NO_ARGUMENT_INPUTS", "on", "--no-argument-inputs"),
        ("TASKCACHE_ARGUMENT_INPUTS", "no", "--no-argument-inputs"),
    ] {
        let by_option = env.run(&format!("key {line} -- ./tool in"));
        env.set(name, value);
        assert_eq!(env.run("key -- ./tool in"), by_option, "{name}");
        assert_eq!(by_option.code, 0, "{name}: {}", by_option.stderr);
        env.unset(name);
        assert_ne!(env.run("key -- ./tool in"), by_option, "{name}");
    }
    env.set("TASKCACHE_DIR", env.work().join("elsewhere"));
    env.run("run -- true");
    assert!(env.exists("elsewhere/index.db") && !env.store().exists());
    env.unset("TASKCACHE_DIR");
    for (name, value, message) in [
        (
            "TASKCACHE_STRICT",
            "maybe",
            "variable TASKCACHE_STRICT: 'maybe' is neither true nor false\ntaskcache: hint: write true, yes, on or 1, or else false, no, off or 0",
        ),
        (
            "TASKCACHE_ENABLED",
            "",
            "variable TASKCACHE_ENABLED: '' is neither true nor false\ntaskcache: hint: write true, yes, on or 1, or else false, no, off or 0",
        ),
        ("TASKCACHE_TTL", "1x1", "variable TASKCACHE_TTL: '1x1' is not a length of time"),
        ("TASKCACHE_VERSION", "", "variable TASKCACHE_VERSION: the version is empty"),
    ] {
        env.set(name, value);
        let found = env.run("run -- ./tool");
        assert_eq!((found.code, found.stdout.as_str()), (125, ""), "{name}");
        assert!(found.stderr.starts_with(&format!("taskcache: error: {message}")), "{}", found.stderr);
        env.unset(name);
    }
    assert_eq!(env.count(), 0);
}

#[test]
fn the_schema_is_json() {
    let env = TestEnv::new();
    let schema: serde_json::Value = serde_json::from_str(&env.run("config schema").stdout).unwrap();
    assert!(schema["properties"]["defaults"].is_object(), "{schema}");
}

#[test]
fn mistyped_variables_are_told_once() {
    let mut env = TestEnv::new();
    env.set("TASKCACHE_TLL", "1h");
    env.set("TASKCACHE_MINE", "x");
    let taskcache = env!("CARGO_BIN_EXE_taskcache");
    let nested = format!("run -- sh -c '{taskcache} run -- echo inner'");
    let warnings = "taskcache: warning: variable TASKCACHE_MINE stands for no option\n\
                    taskcache: warning: variable TASKCACHE_TLL stands for no option; did you mean 'TASKCACHE_TTL'?\n";
    for _ in 0..2 {
        assert_eq!(env.run(&nested), ran(0, "inner\n").with_stderr(warnings));
    }
    env.unset("TASKCACHE_MINE");
    let strict = env.run("run --strict -- sh -c 'echo ran >> count'");
    let message =
        "variable TASKCACHE_TLL stands for no option\ntaskcache: hint: did you mean 'TASKCACHE_TTL'?";
    assert_eq!(strict, refused(message));
    assert_eq!(env.count(), 0);
    env.unset("TASKCACHE_TLL");
    // Flows and transactions set variables for the runs inside of them.
    for around in ["flow --name n", "transaction"] {
        let line =
            format!("{around} -- {taskcache} run --strict -- sh -c '{taskcache} run --strict -- echo inner'");
        assert_eq!(env.run(&line), ran(0, "inner\n"), "{around}");
    }
    env.set("TASKCACHE_TRANSACTION", env.run("transaction begin").stdout.trim());
    assert_eq!(env.run("run --strict -- echo step"), ran(0, "step\n"));
}
