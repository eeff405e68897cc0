//! `examples/pipeline`: a stage runs when its script or the bytes that it reads are new, and not otherwise.

use crate::workshop::{Ran, Workshop, ran};
use std::fs;

/// What each stage starts, in their order.
const STAGES: [(&str, &str); 5] =
    [("awk", "generate"), ("sort", "sort"), ("join", "join"), ("awk -f", "total"), ("python3", "report")];

const PRODUCTS: [&str; 6] =
    ["customers.tsv", "joined.tsv", "orders.tsv", "report.json", "sorted.tsv", "totals.tsv"];

fn workshop() -> Workshop {
    Workshop::of("pipeline", &["awk", "sort", "join", "python3"])
}

/// Returns a pipeline over few orders that ran once, and what it printed.
fn small() -> (Workshop, Ran) {
    let mut workshop = workshop();
    workshop.set("ROWS", "2000");
    let first = workshop.sh("./pipeline.sh");
    assert_eq!((first.code, first.stderr.as_str(), first.stdout.lines().count()), (0, "", 6));
    assert_eq!(stages(&workshop), ["generate", "sort", "join", "total", "report"]);
    (workshop, first)
}

/// Returns the stages that ran since this was last asked.
fn stages(workshop: &Workshop) -> Vec<&'static str> {
    let stage = |line: String| {
        let fits = |(start, _): &&(&str, &str)| line.starts_with(&format!("{start} "));
        STAGES.iter().rfind(fits).unwrap_or_else(|| panic!("no stage starts {line}")).1
    };
    workshop.started().into_iter().map(stage).collect()
}

fn products(workshop: &Workshop) -> Vec<(&'static str, Vec<u8>)> {
    PRODUCTS.into_iter().map(|name| (name, workshop.read(&format!("build/{name}")))).collect()
}

#[test]
fn a_second_run_starts_nothing_and_prints_the_same() {
    let (workshop, first) = small();
    let made = products(&workshop);
    for _ in 0..2 {
        assert_eq!(workshop.sh("./pipeline.sh"), first);
        assert_eq!(stages(&workshop), [""; 0]);
        assert_eq!(products(&workshop), made);
    }
    let elsewhere = workshop.sh("cd / && \"$OLDPWD\"/pipeline.sh");
    assert_eq!(elsewhere, first);
    assert_eq!(stages(&workshop), [""; 0]);
}

#[test]
fn an_edited_stage_runs_and_those_behind_it_that_read_something_new() {
    let (workshop, first) = small();
    let made = products(&workshop);
    for (script, old, new, expected) in [
        // The bytes stay the same, and nothing behind the stage runs.
        ("stages/generate.sh", "set -eu\n", "set -eu # A comment.\n", &["generate"][..]),
        ("stages/sort.sh", "-k 3,3 -k 1,1", "-k 3,3 -k 1n,1", &["sort"]),
        ("stages/join.sh", "set -eu\n", "set -eu # A comment.\n", &["join"]),
        ("stages/total.awk", "group = $1 OFS", "group = $1 \"\\t\"", &["total"]),
        // They change, and so does what is made of them. The orders are sorted without looking at customers.
        (
            "stages/generate.sh",
            "draw(4) + 1] > customers",
            "draw(3) + 1] > customers",
            &["generate", "join", "total", "report"],
        ),
        ("stages/sort.sh", "-k 3,3 -k 1,1", "-k 3,3 -k 1,1r", &["sort", "join", "total"]),
        ("stages/join.sh", "2.2,1.2,1.5,1.6", "2.2,1.2,1.6,1.5", &["join", "total"]),
        ("stages/total.awk", "$3 * $4", "2 * $3 * $4", &["total", "report"]),
        ("stages/report.py", "{orders} orders", "{orders} orders in all", &["report"]),
    ] {
        let original = workshop.replace(script, old, new);
        let changed = workshop.sh("./pipeline.sh");
        assert_eq!(changed.code, 0, "{script}: {new}");
        assert_eq!(stages(&workshop), expected, "{script}: {new}");
        assert_eq!(workshop.sh("./pipeline.sh"), changed, "{script}: {new}");
        assert_eq!(stages(&workshop), [""; 0], "{script}: {new}");
        workshop.write(script, original);
        assert_eq!(workshop.sh("./pipeline.sh"), first, "{script} as it was");
        assert_eq!(stages(&workshop), [""; 0], "{script} as it was");
        assert_eq!(products(&workshop), made, "{script} as it was");
    }
}

#[test]
fn a_file_that_was_deleted_or_damaged_comes_back() {
    let (workshop, first) = small();
    let made = products(&workshop);
    for name in PRODUCTS {
        fs::remove_file(workshop.project().join("build").join(name)).unwrap();
        assert_eq!(workshop.sh("./pipeline.sh"), first, "{name}");
        assert_eq!(products(&workshop), made, "{name}");
        workshop.write(&format!("build/{name}"), "damaged");
        assert_eq!(workshop.sh("./pipeline.sh"), first, "{name}");
        assert_eq!(products(&workshop), made, "{name}");
    }
    fs::remove_dir_all(workshop.project().join("build")).unwrap();
    assert_eq!(workshop.sh("./pipeline.sh"), first);
    assert_eq!(products(&workshop), made);
    assert_eq!(stages(&workshop), [""; 0]);
}

#[test]
fn each_size_has_its_results() {
    let (workshop, first) = small();
    let made = products(&workshop);
    let other = workshop.sh("ROWS=50 ./pipeline.sh");
    assert_eq!(stages(&workshop), ["generate", "sort", "join", "total", "report"]);
    assert_eq!(workshop.sh("./pipeline.sh"), first);
    assert_eq!(products(&workshop), made);
    assert_eq!(workshop.sh("ROWS=50 ./pipeline.sh"), other);
    assert_eq!(stages(&workshop), [""; 0]);
}

#[test]
fn a_stage_that_fails_stops_the_pipeline_and_is_not_kept() {
    let (workshop, first) = small();
    let original = workshop.replace("stages/join.sh", "set -eu\n", "set -eu\necho broken >&2\nexit 7\n");
    for _ in 0..2 {
        assert_eq!(
            workshop.sh("./pipeline.sh"),
            Ran { code: 7, stdout: String::new(), stderr: "broken\n".into() }
        );
    }
    workshop.write("stages/join.sh", original);
    assert_eq!(workshop.sh("./pipeline.sh"), first);
    assert_eq!(stages(&workshop), [""; 0]);
}

#[test]
fn the_readme_tells_what_happens_with_the_whole_data() {
    let workshop = workshop();
    workshop.follow_readme();
    assert_eq!(
        stages(&workshop),
        [
            &["generate", "sort", "join", "total", "report"][..],
            &["sort"],
            &["generate", "sort", "join", "total", "report"],
        ]
        .concat()
    );
    let whole = workshop.sh("ROWS=900000 ./pipeline.sh 2>&1 | tail -n 1; wc -c < build/orders.tsv");
    assert_eq!((whole, stages(&workshop)), (ran(0, "900000 orders\n56618456\n"), vec![]));
}
