//! `taskcache report`.

use crate::support::{TestEnv, ran};
use serde_json::{Value, json};
use std::os::unix::fs::PermissionsExt;

fn filled() -> TestEnv {
    let env = TestEnv::new();
    for build in ["1", "2", "3"] {
        for _ in 0..2 {
            let line = format!("run --task sum --events events.jsonl --value build={build} -- echo sum");
            env.run(&line);
        }
    }
    env.run("run --no-cache --task sum --events events.jsonl -- echo sum");
    env
}

fn report(env: &TestEnv, options: &str) -> Value {
    let ran = env.run(&format!("report --format json {options}"));
    assert_eq!((ran.code, ran.stderr.as_str()), (0, ""));
    serde_json::from_str(&ran.stdout).unwrap()
}

#[test]
fn a_report_over_the_store() {
    let env = filled();
    let report = report(&env, "");
    let outcomes = json!({ "hit": 3, "miss": 3, "stale": 0, "refresh": 0, "bypass": 0 });
    assert_eq!(
        (&report["runs"], &report["outcomes"], &report["hit_rate_percent"]),
        (&json!(6), &outcomes, &json!(50))
    );
    assert_eq!(report["source"], json!({ "kind": "store", "path": env.store().to_str().unwrap() }));
    assert_eq!(report["tasks"][0]["entries"], 3);
    let volatile = json!([{
        "project": "default", "domain": "development", "task": "sum", "ingredient": "value:build",
        "changed": 2, "compared": 2,
    }]);
    assert_eq!(report["store"]["volatile"], volatile);
    assert_eq!((&report["store"]["entries"], &report["store"]["bytes"]), (&json!(3), &json!(4)));
    let slowest = report["slowest_misses"].as_array().unwrap();
    assert_eq!(slowest.iter().map(|miss| &miss["command"]).collect::<Vec<_>>(), [&json!("echo sum"); 3]);
}

#[test]
fn a_report_over_events_needs_no_store() {
    let env = filled();
    std::fs::rename(env.store(), env.work().join("elsewhere")).unwrap();
    let report = report(&env, "--events events.jsonl");
    let outcomes = json!({ "hit": 3, "miss": 3, "stale": 0, "refresh": 0, "bypass": 1 });
    assert_eq!((&report["outcomes"], &report["store"]), (&outcomes, &Value::Null));
    let reasons = report["reasons"].as_array().unwrap();
    let reasons: Vec<_> =
        reasons.iter().map(|one| (one["reason"].as_str().unwrap(), one["runs"].as_u64())).collect();
    assert_eq!(reasons, [("absent", Some(3)), ("no-cache", Some(1))]);
    let events = env.read("events.jsonl").unwrap();
    let summary = env.run_with_stdin("report --format markdown --events -", events.as_bytes());
    assert!(
        summary
            .stdout
            .starts_with("### taskcache\n\n**7 runs** · 3 hits · 3 misses · 1 bypassed · hit rate **50 %**")
    );
    assert!(!env.store().exists());
}

#[test]
fn an_empty_store_and_one_that_is_not_there_have_a_report() {
    let env = TestEnv::new();
    let empty = "### taskcache\n\nNo runs.\n\nThe store holds 0 entries, 0 B.\n";
    assert_eq!(env.run("report --format markdown"), ran(0, empty));
    assert!(!env.store().exists());
    env.run("run -- true");
    env.run("local-cache clear");
    assert_eq!(env.run("report --format markdown --since 0s"), ran(0, empty));
}

#[test]
fn damaged_lines_are_passed_over_and_counted() {
    let env = filled();
    let history = env.store().join("history.jsonl");
    let mut bytes = std::fs::read(&history).unwrap();
    bytes.splice(0..0, b"\xff\xfe torn\n{\"time\":\n".iter().copied());
    bytes.extend(vec![b'['; 1 << 20]);
    std::fs::write(&history, bytes).unwrap();
    let report = report(&env, "");
    assert_eq!((&report["runs"], &report["damaged_lines"]), (&json!(6), &json!(3)));
    let stats = env.run("local-cache stats").stdout;
    assert!(stats.ends_with("\n3 lines of the history cannot be read\n"), "{stats}");
}

#[test]
fn a_page_is_written_whole_or_not_at_all() {
    let env = filled();
    let page = env.write("page.html", "old");
    std::fs::set_permissions(&page, std::fs::Permissions::from_mode(0o640)).unwrap();
    assert_eq!(env.run("report --html page.html"), ran(0, ""));
    let written = env.read("page.html").unwrap();
    assert!(written.starts_with("<!doctype html>\n") && written.ends_with("</html>\n"));
    assert_eq!(std::fs::metadata(&page).unwrap().permissions().mode() & 0o777, 0o640);
    let printed = env.run("report --html -").stdout;
    assert_eq!(printed.lines().count(), written.lines().count());
    let message = "taskcache: error: cannot write '/dev/null': it is not a regular file\n";
    assert_eq!(env.run("report --html /dev/null"), ran(125, "").with_stderr(message));
    assert_eq!(env.run("report --html no/page.html").code, 125);
    let names: Vec<_> =
        std::fs::read_dir(env.work()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(names.len(), 2, "nothing is left beside it: {names:?}");
}

#[test]
fn a_report_needs_one_form_and_a_file_that_is_there() {
    let env = TestEnv::new();
    for wrong in ["", "--html a --format json", "--format text", "--format json --events e --cache-dir d"] {
        assert_eq!(env.run(&format!("report {wrong}")).code, 125, "{wrong}");
    }
    let missing = env.run("report --format json --events nowhere");
    let path = env.work().join("nowhere");
    let message = format!(
        "taskcache: error: cannot open '{}': No such file or directory (os error 2)\n",
        path.display()
    );
    assert_eq!(missing, ran(125, "").with_stderr(&message));
    let message = "taskcache: error: option --since: 'x' is not a length of time (write a number and a unit, such as 90s, 15m or 1d12h)\n";
    assert_eq!(env.run("report --format json --since x"), ran(125, "").with_stderr(message));
}
