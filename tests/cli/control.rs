//! The options that say when to look up, run and store.

use crate::support::{Ran, TestEnv, ran};
use serde_json::Value;

/// A world with a command that counts itself, prints a line and exits with its first argument.
fn world() -> TestEnv {
    let env = TestEnv::new();
    env.script("tool", "#!/bin/sh\necho ran >> count\necho out\necho err >&2\nexit ${1:-0}\n");
    env
}

/// Makes the expectation of a run of the tool.
fn tool(code: i32) -> Ran {
    ran(code, "out\n").with_stderr("err\n")
}

/// Asserts how often the command ran for each line, and that what it printed is right.
fn assert_runs(env: &TestEnv, lines: &[(&str, usize)]) {
    for (number, (line, runs)) in lines.iter().enumerate() {
        let before = env.count();
        assert_eq!(env.run(line), tool(0), "{number}: {line}");
        assert_eq!(env.count() - before, *runs, "{number}: {line}");
    }
}

#[test]
fn refresh_runs_and_overwrites_and_can_be_forbidden() {
    let mut env = world();
    assert_runs(
        &env,
        &[
            ("run -- ./tool", 1),
            ("run -- ./tool", 0),
            ("run --refresh -- ./tool", 1),
            ("run --force -- ./tool", 1),
            ("run --no-refresh -- ./tool", 0),
            ("run --no-force -- ./tool", 0),
            ("run --no-refresh --salt new -- ./tool", 1),
            ("run --salt new -- ./tool", 0),
        ],
    );
    env.set("TASKCACHE_REFRESH", "Yes");
    assert_runs(&env, &[("run -- ./tool", 1), ("run --no-refresh -- ./tool", 0), ("run -- ./tool", 1)]);
    env.set("TASKCACHE_REFRESH", "off");
    assert_runs(&env, &[("run -- ./tool", 0), ("run --refresh -- ./tool", 1)]);
    env.unset("TASKCACHE_REFRESH");
    env.write("word", "1");
    env.script("read", "#!/bin/sh\ncat word\n");
    env.run("run -- ./read");
    env.write("word", "2");
    assert_eq!(env.run("run -- ./read"), ran(0, "1"));
    assert_eq!(env.run("run --refresh -- ./read"), ran(0, "2"));
    assert_eq!(env.run("run -- ./read"), ran(0, "2"), "the new result is the one that is kept");
}

#[test]
fn a_failed_refresh_leaves_what_was_there() {
    let env = TestEnv::new();
    env.script("tool", "#!/bin/sh\necho ran >> count\ntest ! -e fail\n");
    env.run("run -- ./tool");
    env.write("fail", "");
    assert_eq!(env.run("run --refresh -- ./tool"), ran(1, ""));
    assert_eq!(env.run("run -- ./tool"), ran(0, ""));
    assert_eq!(env.count(), 2);
}

#[test]
fn without_the_cache_nothing_is_looked_up_or_made() {
    let mut env = world();
    assert_runs(&env, &[("run --no-cache -- ./tool", 1), ("run --behavior disable -- ./tool", 1)]);
    assert_runs(&env, &[("run --read-only -- ./tool", 1), ("run --policy NONE -- ./tool", 1)]);
    for name in ["TASKCACHE_ENABLED", "FLYTE_LOCAL_CACHE_ENABLED"] {
        env.set(name, "false");
        assert_runs(&env, &[("run -- ./tool", 1), ("run -- ./tool", 1)]);
        env.unset(name);
    }
    env.set("TASKCACHE_NO_CACHE", "1");
    assert_runs(&env, &[("run -- ./tool", 1)]);
    env.unset("TASKCACHE_NO_CACHE");
    assert!(!env.store().exists());
    assert_runs(
        &env,
        &[
            ("run -- ./tool", 1),
            ("run --read-only -- ./tool", 0),
            ("run --read-only --salt other -- ./tool", 1),
            ("run --salt other -- ./tool", 1),
            ("run --no-cache -- ./tool", 1),
            ("run --read-only --refresh -- ./tool", 1),
            ("run -- ./tool", 0),
        ],
    );
}

#[test]
fn cached_only_never_runs() {
    let env = world();
    let miss = |reason: &str| {
        let error = format!(
            "taskcache: error: no result is stored ({reason}), and --cached-only forbids to run the command\n"
        );
        let hint = "taskcache: hint: leave --cached-only out to run the command\n";
        ran(124, "").with_stderr(&(error + hint))
    };
    assert_eq!(env.run("run --cached-only -- ./tool"), miss("absent"));
    assert!(!env.store().exists());
    env.run("run -- ./tool");
    assert_runs(&env, &[("run --cached-only -- ./tool", 0)]);
    assert_eq!(env.run("run --cached-only --salt x -- ./tool"), miss("absent"));
    assert_eq!(env.run("run --cached-only --max-age 0s -- ./tool"), miss("too-old"));
    assert_eq!(env.run("run --cached-only --policy NONE -- ./tool"), miss("policy"));
    assert_eq!(env.run("run --cached-only --stdin inherit -- ./tool"), miss("stdin"));
    assert_eq!(env.count(), 1);
    assert_eq!(env.run("run --cached-only --refresh -- ./tool").code, 125);
}

#[test]
fn exit_codes_are_kept_as_asked() {
    let env = world();
    for (codes, code, kept) in [
        ("0", 1, false),
        ("0,1", 1, true),
        ("1", 0, false),
        ("0-3", 3, true),
        ("0-3", 4, false),
        ("0,2-4,9", 4, true),
        ("any", 255, true),
        ("any", 126, true),
        ("any", 127, true),
    ] {
        let line = format!("run --cache-exit {codes} --salt {codes}-{code} -- ./tool {code}");
        let before = env.count();
        for _ in 0..2 {
            assert_eq!(env.run(&line), tool(code), "{line}");
        }
        assert_eq!(env.count() - before == 1, kept, "{line}");
    }
    for line in ["run --cache-exit any -- ./none", "run --cache-exit any -- ./count"] {
        let (first, second) = (env.run(line), env.run(line));
        assert_eq!(first, second);
        assert!(matches!(first.code, 126 | 127), "{first:?}");
    }
    assert_eq!(env.run("run --cache-exit any -- sh -c 'kill -KILL $$'"), ran(128 + 9, ""));
    assert_eq!(env.run("run --cached-only --cache-exit any -- sh -c 'kill -KILL $$'").code, 124);
}

#[test]
fn results_end_by_their_own_time_or_by_the_callers() {
    let env = world();
    assert_runs(
        &env,
        &[
            ("run --salt a --ttl 1ms -- ./tool", 1),
            ("run --salt a -- ./tool", 1),
            ("run --salt a -- ./tool", 0),
            ("run --salt a --ttl 1ms -- ./tool", 0),
            ("run --salt b --ttl 0 -- ./tool", 1),
            ("run --salt b -- ./tool", 1),
            ("run --salt b --max-age 1h -- ./tool", 0),
            ("run --salt b --max-age 0s -- ./tool", 1),
            ("run --salt b --ttl 1d12h --refresh -- ./tool", 1),
            ("run --salt b -- ./tool", 0),
        ],
    );
    let before = env.count();
    for (line, runs) in [
        ("--failure-ttl 1ms", 1),
        ("--failure-ttl 1ms", 2),
        ("--failure-ttl 1h", 3),
        ("", 3),
        ("--failure-ttl 0s --refresh", 4),
        ("", 4),
    ] {
        assert_eq!(env.run(&format!("run --cache-exit any {line} -- ./tool 5")), tool(5), "{line}");
        assert_eq!(env.count() - before, runs, "{line}");
    }
    let key = env.run("key --salt b -- ./tool").stdout;
    let shown = env.run(&format!("local-cache show --format json {}", key.trim())).stdout;
    let shown: Value = serde_json::from_str(&shown).unwrap();
    let time =
        |name: &str| shown[name].as_str().unwrap().parse::<jiff::Timestamp>().unwrap().as_millisecond();
    assert_eq!(time("expires") - time("created"), 129_600_000);
}

#[test]
fn what_runs_too_fast_is_not_stored() {
    let env = world();
    assert_runs(
        &env,
        &[
            ("run --min-time 1h -- ./tool", 1),
            ("run --min-time 1h -- ./tool", 1),
            ("run --min-time 0 -- ./tool", 1),
            ("run --min-time 1h -- ./tool", 0),
        ],
    );
}

#[test]
fn paranoia_changes_no_key_and_no_result() {
    let env = world();
    env.write("input", "x");
    let plain = env.run("key -i input -o out -- ./tool");
    assert_eq!(env.run("key --paranoid -i input -o out -- ./tool"), plain);
    assert_runs(
        &env,
        &[
            ("run --paranoid -i input -- ./tool", 1),
            ("run --paranoid -i input -- ./tool", 0),
            ("run -i input -- ./tool", 0),
        ],
    );
    env.write("input", "y");
    assert_runs(&env, &[("run --paranoid -i input -- ./tool", 1)]);
}

#[test]
fn strict_makes_errors_of_warnings() {
    let env = world();
    let hint = "taskcache: hint: leave --strict out if it may be missing\n";
    let error = "taskcache: error: option --ignore: nothing here is called 'none'\n";
    let strict = env.run("run --strict --ignore none -- ./tool");
    assert_eq!(strict, ran(125, "").with_stderr(&format!("{error}{hint}")));
    assert_eq!(env.count(), 0);
    assert_runs(&env, &[("run --ignore none -- ./tool", 1), ("run --strict -- ./tool", 1)]);
    let missing = env.run("run --strict -o out -- ./tool");
    let error = "err\ntaskcache: error: the result was not stored: the declared output 'out' is missing\n\
                 taskcache: hint: leave --strict out to take this as a warning\n";
    assert_eq!(missing, ran(125, "out\n").with_stderr(error));
    assert_eq!(env.run("run --strict -o out -- ./tool 3"), tool(3), "a failure is its own message");
}

#[test]
fn the_status_line_says_what_happened_and_why() {
    let env = world();
    let status = |options: &str| {
        let found = env.run(&format!("run --status always {options} -- ./tool"));
        assert_eq!((found.code, found.stdout.as_str()), (0, "out\n"), "{options}");
        let line = found.stderr.strip_prefix("err\ntaskcache: ").unwrap().to_owned();
        assert_eq!(line.lines().count(), 1, "{line}");
        line.split(" tool").next().unwrap().to_owned()
    };
    for (options, expected) in [
        ("", "miss (absent)"),
        ("", "hit"),
        ("--refresh", "refresh"),
        ("--max-age 0", "miss (too-old)"),
        ("--ttl 1ms --refresh", "refresh"),
        ("", "miss (expired)"),
        ("--no-cache", "bypass (no-cache)"),
        ("--behavior disable", "bypass (behavior)"),
        ("--policy NONE", "bypass (policy)"),
        ("--policy RUN_ID", "bypass (no-flow)"),
        ("--stdin inherit", "bypass (stdin)"),
        ("--read-only --salt x", "miss (absent)"),
    ] {
        assert_eq!(status(options), expected, "{options}");
    }
    assert_eq!(env.run("run --status never -- ./tool"), tool(0));
    assert_eq!(env.run("run --status auto -- ./tool"), tool(0));
}

#[test]
fn events_are_one_object_a_run() {
    let env = world();
    for options in ["", "", "--refresh", "--no-cache", "--ttl 0 --salt x"] {
        env.run(&format!("run --events events {options} -- ./tool"));
    }
    env.run("run --events events -- sh -c 'kill -TERM $$'");
    env.run("run --events events -- ./tool 3");
    let events: Vec<Value> =
        env.read("events").unwrap().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let of = |name: &str| events.iter().map(|event| event[name].clone()).collect::<Vec<_>>();
    assert_eq!(of("outcome"), ["miss", "hit", "refresh", "bypass", "miss", "miss", "miss"]);
    assert_eq!(of("reason"), ["absent", "found", "requested", "no-cache", "absent", "absent", "absent"]);
    assert_eq!(of("stored"), [true, false, true, false, false, false, false]);
    let null = Value::Null;
    let why = [&null, &null, &null, &null, &"expires-at-once".into(), &"signal".into(), &"exit-code".into()];
    assert_eq!(of("not_stored").iter().collect::<Vec<_>>(), why);
    assert_eq!(of("signal")[5], 15);
    assert_eq!((of("exit_code")[5].clone(), of("exit_code")[6].clone()), (Value::Null, 3.into()));
}

#[test]
fn the_command_sees_its_context_and_it_is_in_no_key() {
    let env = TestEnv::new();
    let found = env.shell("taskcache run -t mine -- taskcache context");
    let context: Value = serde_json::from_str(&found.stdout).unwrap();
    assert_eq!((context["task"].as_str(), context["outcome"].as_str()), (Some("mine"), Some("miss")));
    assert_eq!(context["key"].as_str().map(str::len), Some(64));
    let nothing = env.run("context").stdout;
    let nothing: Value = serde_json::from_str(&nothing).unwrap();
    assert!(nothing.as_object().unwrap().values().all(Value::is_null), "{nothing}");
    let line = "taskcache run -t inner -- sh -c 'echo ran >> count; echo $TASKCACHE_TASK'";
    for outer in ["", "taskcache run --no-cache -- ", "taskcache run -t outer -- ", "TASKCACHE_STATUS=never "]
    {
        assert_eq!(env.shell(&format!("{outer}{line}")), ran(0, "inner\n"), "{outer}");
        assert_eq!(env.count(), 1, "{outer}");
    }
    let own = env.shell("cat > self <<'X'\ntaskcache run -- sh self\nX\ntaskcache run -- sh self");
    assert_eq!((own.code, own.stdout.as_str()), (125, ""));
    assert!(
        own.stderr.starts_with("taskcache: error: the command asks for its own result: key "),
        "{}",
        own.stderr
    );
}
