//! Flow runs, and what nested runs inherit.

use crate::support::{TestEnv, ran};

fn world() -> TestEnv {
    let env = TestEnv::new();
    env.script("step", "#!/bin/sh\necho ran >> count\necho $TASKCACHE_RUN_ID | wc -c\n");
    env
}

#[test]
fn a_run_id_scopes_results_to_one_flow_run() {
    let env = world();
    env.script(
        "pipeline",
        "#!/bin/sh\nfor i in 1 2 3; do taskcache run --policy 'INPUTS + RUN_ID' -- ./step; done\n",
    );
    for flows in 1..=2 {
        assert_eq!(env.shell("taskcache flow -- ./pipeline"), ran(0, "33\n33\n33\n"));
        assert_eq!(env.count(), flows);
    }
}

#[test]
fn flow_parameters_share_results_between_flow_runs() {
    let env = world();
    env.script("pipeline", "#!/bin/sh\ntaskcache run --policy FLOW_PARAMETERS -- ./step $1\n");
    for (parameters, runs) in [
        ("--param day=1 --param x=y", 1),
        ("--param x=y --param day=1", 1),
        ("--param day=2 --param x=y", 2),
        ("", 3),
        ("--name other", 3),
    ] {
        env.shell(&format!("taskcache flow {parameters} -- ./pipeline $$"));
        assert_eq!(env.count(), runs, "{parameters}");
    }
}

#[test]
fn a_policy_that_needs_a_flow_caches_nothing_without_one() {
    let env = world();
    for runs in 1..=2 {
        let ran = env.run("run --status always --policy RUN_ID -- ./step");
        assert_eq!(env.count(), runs);
        assert!(ran.stderr.starts_with("taskcache: bypass (no-flow) step, ran "), "{}", ran.stderr);
    }
}

#[test]
fn a_flow_ends_as_its_command_ends_and_reads_our_input() {
    let env = world();
    assert_eq!(env.run("flow -- sh -c 'exit 7'"), ran(7, ""));
    assert_eq!(env.run("flow -- sh -c 'kill -TERM $$'"), ran(128 + 15, ""));
    assert_eq!(env.run_with_stdin("flow -- cat", b"in"), ran(0, "in"));
    let error = "taskcache: error: option --param: 'x' has no name\ntaskcache: hint: write NAME=VALUE\n";
    assert_eq!(env.run("flow --param x -- true"), ran(125, "").with_stderr(error));
}

#[test]
fn context_tells_what_is_around() {
    let env = world();
    let nothing = "{\"task\":null,\"key\":null,\"outcome\":null,\"run_id\":null,\"flow\":null,\"parameters\":null,\
                   \"transaction\":null}\n";
    assert_eq!(env.run("context"), ran(0, nothing));
    let line = "taskcache flow --name n --param k=v -- taskcache run -t outer -- taskcache context";
    let context: serde_json::Value = serde_json::from_str(&env.shell(line).stdout).unwrap();
    assert_eq!((&context["task"], &context["outcome"]), (&"outer".into(), &"miss".into()));
    assert_eq!((&context["flow"], &context["parameters"]["k"]), (&"n".into(), &"v".into()));
    assert_eq!(context["run_id"].as_str().map(str::len), Some(32));
    assert_eq!(context["key"].as_str().map(str::len), Some(64));
}

#[test]
fn an_outer_hit_runs_nothing_inside_and_inner_runs_have_their_own_keys() {
    let env = world();
    env.script(
        "outer",
        "#!/bin/sh\necho outer >> outer-count\ntaskcache run -- ./step\ntaskcache run -- ./step\n",
    );
    let line = "taskcache run -- ./outer";
    assert_eq!(env.shell(line), ran(0, "1\n1\n"));
    assert_eq!(env.shell(line), ran(0, "1\n1\n"));
    assert_eq!((env.count(), env.read("outer-count").as_deref()), (1, Some("outer\n")));
    assert_eq!(env.shell("taskcache run -- ./step"), ran(0, "1\n"), "found outside as well as inside");
    assert_eq!(env.count(), 1);
}

#[test]
fn a_command_that_asks_for_its_own_result_is_told_so() {
    let env = world();
    env.script("self", "#!/bin/sh\nexec taskcache run -- ./self\n");
    let ran = env.shell("taskcache run -- ./self");
    assert_eq!(ran.code, 125);
    assert!(
        ran.stderr.starts_with("taskcache: error: the command asks for its own result: key "),
        "{}",
        ran.stderr
    );
}

#[test]
fn a_nested_run_uses_the_store_of_the_run_around_it() {
    let env = world();
    env.script("outer", "#!/bin/sh\ntaskcache run -- ./step\n");
    env.shell("taskcache run --cache-dir store -- ./outer");
    assert_eq!(
        env.run("local-cache list --cache-dir store --format json").stdout.matches("\"key\"").count(),
        2
    );
    assert!(!env.store().exists());
}
