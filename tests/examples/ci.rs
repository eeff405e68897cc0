//! `examples/ci`: a step runs when something that it reads is new, and a step that failed runs again.

use crate::workshop::{Ran, Workshop, masked, ran};
use std::fs;

const PASSED: &str = "== format\n== lint\nno warnings\n== build\n== test\n9 checks, 0 failed\n== passed\n";

fn workshop() -> Workshop {
    Workshop::of("ci", &["awk", "cc"])
}

fn passed() -> Workshop {
    let workshop = workshop();
    assert_eq!(workshop.sh("./ci.sh"), ran(0, PASSED));
    assert_eq!(steps(&workshop), ["format", "lint", "build", "test"]);
    workshop
}

/// Returns the steps that ran since this was last asked, told by the programs that they start.
fn steps(workshop: &Workshop) -> Vec<&'static str> {
    let step = |line: &String| match line {
        line if line.starts_with("awk ") => "format",
        line if line.contains(" -fsyntax-only ") => "lint",
        line if line.contains(" -o build/library.o ") => "build",
        line if line.contains(" -o build/tests ") => "test",
        line => panic!("no step starts {line}"),
    };
    let mut steps: Vec<_> = workshop.started().iter().map(step).collect();
    steps.dedup();
    steps
}

#[test]
fn a_second_job_starts_nothing_and_prints_the_same() {
    let workshop = passed();
    for _ in 0..2 {
        assert_eq!(workshop.sh("./ci.sh"), ran(0, PASSED));
        assert_eq!(steps(&workshop), [""; 0]);
    }
    assert_eq!(workshop.sh("cd src && taskcache run --task lint"), ran(0, "no warnings\n"));
    assert_eq!(steps(&workshop), [""; 0], "a step is the same from every folder");
}

#[test]
fn an_edited_file_runs_the_steps_that_read_it() {
    let workshop = passed();
    for (file, text, expected) in [
        ("tests/tests.c", "/* The end. */\n", &["format", "test"][..]),
        // The object is the same, and that is what the tests read.
        ("src/text.c", "/* The end. */\n", &["format", "lint", "build"]),
        (
            "src/text.c",
            "int another(void);\nint another(void) { return 1; }\n",
            &["format", "lint", "build", "test"],
        ),
        ("include/text.h", "/* The end. */\n", &["format", "lint", "build", "test"]),
        ("steps/format-check.sh", "# The end.\n", &["format"]),
        ("steps/lint.sh", "# The end.\n", &["lint"]),
        ("steps/build.sh", "# The end.\n", &["build"]),
        ("steps/test.sh", "# The end.\n", &["test"]),
        ("README.md", "The end.\n", &[]),
        ("ci.sh", "# The end.\n", &[]),
        ("taskcache.toml", "# The end.\n", &[]),
    ] {
        let original = workshop.append(file, text);
        assert_eq!(workshop.sh("./ci.sh"), ran(0, PASSED), "{file}");
        assert_eq!(steps(&workshop), expected, "{file}");
        workshop.write(file, original);
        assert_eq!(workshop.sh("./ci.sh"), ran(0, PASSED), "{file} as it was");
        assert_eq!(steps(&workshop), [""; 0], "{file} as it was");
    }
}

#[test]
fn a_file_more_or_less_is_seen() {
    let workshop = passed();
    workshop.write("src/more.c", "int more(void);\nint more(void) { return 1; }\n");
    assert_eq!(workshop.sh("./ci.sh"), ran(0, PASSED));
    assert_eq!(steps(&workshop), ["format", "lint", "build", "test"]);
    fs::remove_file(workshop.project().join("src/more.c")).unwrap();
    assert_eq!(workshop.sh("./ci.sh"), ran(0, PASSED));
    assert_eq!(steps(&workshop), [""; 0]);
}

#[test]
fn a_failing_step_fails_the_job_with_its_code_and_runs_again() {
    let workshop = passed();
    for (file, old, new, code, printed, step) in [
        (
            "src/text.c",
            "return 1;\n    }\n    bytes",
            "return 1; \n    }\n    bytes",
            1,
            "== format\nsrc/text.c:16: a blank at the end of the line\n",
            "format",
        ),
        ("src/percent.c", "int high = value_of", "char high = value_of", 1, "== format\n== lint\n", "lint"),
        (
            "tests/tests.c",
            "\"%4g\"",
            "\"%44\"",
            3,
            "== format\n== lint\nno warnings\n== build\n== test\nfailed: a digit is none\n9 checks, 1 failed\n",
            "test",
        ),
    ] {
        let original = workshop.replace(file, old, new);
        let failed = workshop.sh("./ci.sh");
        assert_eq!((failed.code, failed.stdout.as_str()), (code, printed), "{new}");
        assert_eq!(steps(&workshop).last(), Some(&step), "{new}");
        for _ in 0..2 {
            assert_eq!(workshop.sh("./ci.sh"), failed, "{new}");
            assert_eq!(steps(&workshop), [step], "{new}");
        }
        workshop.write(file, original);
        assert_eq!(workshop.sh("./ci.sh"), ran(0, PASSED), "{file} as it was");
        assert_eq!(steps(&workshop), [""; 0], "{file} as it was");
    }
}

#[test]
fn the_status_says_what_was_a_hit() {
    let mut workshop = passed();
    workshop.set("TASKCACHE_STATUS", "always");
    let Ran { code, stdout, stderr } = workshop.sh("./ci.sh");
    assert_eq!((code, stdout.as_str()), (0, PASSED));
    let expected = "\
        taskcache: hit format KEY, saved TIME\n\
        taskcache: hit lint KEY, saved TIME\n\
        taskcache: hit build KEY, saved TIME, 1 file in place\n\
        taskcache: hit test KEY, saved TIME, 1 file in place\n";
    assert_eq!(masked(&stderr), expected);
    let again = workshop.sh("taskcache run --status always --task lint");
    assert_eq!((again.code, again.stdout.as_str()), (0, "no warnings\n"));
    assert_eq!(masked(&again.stderr), "taskcache: hit lint KEY, saved TIME\n");
    assert_eq!(steps(&workshop), [""; 0]);
}

#[test]
fn another_compiler_runs_what_it_is_used_by() {
    let workshop = passed();
    workshop.observe("cc", "[ \"$*\" != --version ] || echo 'a newer release'");
    assert_eq!(workshop.sh("./ci.sh"), ran(0, PASSED));
    assert_eq!(steps(&workshop), ["lint", "build", "test"]);
}

#[test]
fn two_checkouts_share_their_results() {
    let workshop = passed();
    assert_eq!(workshop.sh("cp -R . ../checkout && rm -r ../checkout/build"), ran(0, ""));
    let checkout = workshop.project().with_file_name("checkout");
    assert_eq!(workshop.sh_in(&checkout, "./ci.sh"), ran(0, PASSED));
    assert_eq!(steps(&workshop), [""; 0]);
    let object = fs::read(checkout.join("build/library.o")).unwrap();
    assert_eq!(object, workshop.read("build/library.o"));
}

#[test]
fn the_readme_tells_what_happens() {
    workshop().follow_readme();
}
