//! `examples/c-project`: make decides what is old, taskcache what is really new.

use crate::workshop::{Ran, Workshop, ran};
use std::collections::BTreeMap;
use std::fs;

/// All that a build from nothing starts, in the order of a build with one job.
const WHOLE_BUILD: [&str; 8] = [
    "cc src/main.c",
    "cc src/lexer.c",
    "cc src/parser.c",
    "cc src/tree.c",
    "cc src/variables.c",
    "cc src/evaluate.c",
    "ar build/evaluate.o",
    "cc build/libcalc.a",
];

fn workshop() -> Workshop {
    Workshop::of("c-project", &["cc", "ar"])
}

fn built() -> Workshop {
    let workshop = workshop();
    assert_eq!(workshop.sh("make -s"), ran(0, ""));
    assert_eq!(started(&workshop), WHOLE_BUILD);
    workshop
}

/// Returns what was started since this was last asked: the program, and the last of its arguments.
fn started(workshop: &Workshop) -> Vec<String> {
    let last = |line: &String| {
        let words: Vec<_> = line.split(' ').collect();
        format!("{} {}", words[0], words[words.len() - 1])
    };
    workshop.started().iter().map(last).collect()
}

/// Asserts that make sees nothing to do, and that this is what it says.
fn assert_make_is_content(workshop: &Workshop) {
    assert_eq!(workshop.sh("make"), ran(0, "make: Nothing to be done for 'all'.\n"));
    assert_eq!(started(workshop), [""; 0]);
}

/// Returns every file that a build has made.
fn products(workshop: &Workshop) -> BTreeMap<String, Vec<u8>> {
    let files = fs::read_dir(workshop.project().join("build")).unwrap().map(Result::unwrap);
    files.map(|file| (file.file_name().into_string().unwrap(), fs::read(file.path()).unwrap())).collect()
}

fn calc(workshop: &Workshop) -> Ran {
    workshop.sh("build/calc '2 * (x + 1) - 3 / 4' x=5")
}

#[test]
fn a_second_build_compiles_nothing_and_makes_the_same() {
    let workshop = built();
    let first = products(&workshop);
    assert_eq!(first.len(), 14, "six objects, six dependency files, the library and the program");
    assert_eq!(calc(&workshop), ran(0, "11.25\n"));
    assert_make_is_content(&workshop);
    for _ in 0..2 {
        assert_eq!(workshop.sh("make -s clean && make -s"), ran(0, ""));
        assert_eq!(started(&workshop), [""; 0]);
        assert_eq!(products(&workshop), first);
        assert_eq!(calc(&workshop), ran(0, "11.25\n"));
        assert_make_is_content(&workshop);
    }
}

#[test]
fn a_changed_header_compiles_what_includes_it_and_a_change_taken_back_nothing() {
    let workshop = built();
    let first = products(&workshop);
    for (header, old, new, sources) in [
        ("include/token.h", "NAME_LENGTH 31", "NAME_LENGTH 63", &["cc src/lexer.c", "cc src/parser.c"][..]),
        (
            "include/variables.h",
            "TABLE_SIZE 64",
            "TABLE_SIZE 128",
            &["cc src/main.c", "cc src/variables.c", "cc src/evaluate.c"],
        ),
    ] {
        let original = workshop.replace(header, old, new);
        assert_eq!(workshop.sh("make -s"), ran(0, ""), "{header}");
        assert_eq!(started(&workshop), [sources, &["ar build/evaluate.o", "cc build/libcalc.a"]].concat());
        assert_ne!(products(&workshop), first, "{header}");
        assert_eq!(calc(&workshop), ran(0, "11.25\n"));
        assert_make_is_content(&workshop);
        workshop.write(header, original);
        assert_eq!(workshop.sh("make -s"), ran(0, ""), "{header}");
        assert_eq!(started(&workshop), [""; 0], "{header}");
        assert_eq!(products(&workshop), first, "{header}");
        assert_make_is_content(&workshop);
        workshop.replace(header, old, new);
        assert_eq!(workshop.sh("make -s clean && make -s"), ran(0, ""), "{header}");
        assert_eq!(started(&workshop), [""; 0], "{header}: this was built before");
        workshop.replace(header, new, old);
        assert_eq!(workshop.sh("make -s"), ran(0, ""), "{header}");
        assert_eq!(started(&workshop), [""; 0], "{header}");
    }
}

#[test]
fn what_makes_the_same_objects_links_nothing() {
    let workshop = built();
    let first = products(&workshop);
    workshop.append("include/token.h", "/* The end. */\n");
    assert_eq!(workshop.sh("make -s"), ran(0, ""));
    assert_eq!(started(&workshop), ["cc src/lexer.c", "cc src/parser.c"]);
    assert_eq!(products(&workshop), first);
    assert_make_is_content(&workshop);
    for touched in ["include/tree.h", "src/main.c", "Makefile"] {
        workshop.append(touched, "");
        assert_ne!(workshop.sh("make -q").code, 0, "{touched} is newer");
        assert_eq!(workshop.sh("make -s"), ran(0, ""), "{touched}");
        assert_eq!(started(&workshop), [""; 0], "{touched}");
        assert_make_is_content(&workshop);
    }
}

#[test]
fn a_lost_or_damaged_product_comes_back() {
    let workshop = built();
    let first = products(&workshop);
    for lost in ["tree.o", "tree.d", "libcalc.a", "calc"] {
        workshop.append("src/tree.c", "");
        assert_eq!(workshop.sh(&format!("rm build/{lost} && make -s")), ran(0, ""), "{lost}");
        assert_eq!(started(&workshop), [""; 0], "{lost}");
        assert_eq!(products(&workshop), first, "{lost}");
        assert_make_is_content(&workshop);
    }
    workshop.write("build/tree.o", "no object");
    workshop.append("src/tree.c", "");
    assert_eq!(workshop.sh("make -s"), ran(0, ""));
    assert_eq!(started(&workshop), [""; 0]);
    assert_eq!(products(&workshop), first);
}

#[test]
fn builds_share_results_however_many_jobs_they_have() {
    for mode in ["declared", "all"] {
        let mut workshop = workshop();
        workshop.set("TASKCACHE_ENV_MODE", mode);
        assert_eq!(workshop.sh("make -s -j2"), ran(0, ""));
        let mut parallel = started(&workshop);
        let mut whole = WHOLE_BUILD;
        parallel.sort();
        whole.sort_unstable();
        assert_eq!(parallel, whole, "{mode}");
        let first = products(&workshop);
        for jobs in ["", "-j2", "-j", "-j4 -l 100"] {
            assert_eq!(workshop.sh(&format!("make -s clean && make -s {jobs}")), ran(0, ""), "{mode} {jobs}");
            assert_eq!(started(&workshop), [""; 0], "{mode} {jobs}");
            assert_eq!(products(&workshop), first);
            assert_make_is_content(&workshop);
        }
    }
}

#[test]
fn of_the_environment_what_the_compiler_looks_at_counts() {
    let workshop = built();
    assert_eq!(workshop.sh("make -s clean && EDITOR=ed make -s -k"), ran(0, ""));
    assert_eq!(started(&workshop), [""; 0]);
    assert_eq!(workshop.sh("make -s clean && CPATH=include make -s"), ran(0, ""));
    assert_eq!(started(&workshop), WHOLE_BUILD);
    assert_eq!(workshop.sh("make -s clean && make -s CFLAGS=-O0"), ran(0, ""));
    assert_eq!(started(&workshop), WHOLE_BUILD);
}

#[test]
fn a_compile_error_is_told_as_by_the_compiler_and_is_not_kept() {
    let workshop = built();
    let first = products(&workshop);
    let original = workshop.append("src/tree.c", "int broken(\n");
    let compile = "cc -Iinclude -std=c99 -O2 -Wall -Wextra -MMD -MP -c -o build/tree.o src/tree.c";
    let direct = workshop.sh(compile);
    assert_eq!((direct.code, direct.stdout.as_str(), started(&workshop).len()), (1, "", 1));
    let cached = format!("taskcache run --depfile build/tree.d -o build/tree.o -- {compile}");
    for _ in 0..2 {
        assert_eq!(workshop.sh(&cached), direct);
        assert_eq!(started(&workshop), ["cc src/tree.c"]);
        let made = workshop.sh("make -s");
        assert_eq!((made.code, made.stdout.as_str()), (2, ""));
        let (message, of_make) = made.stderr.split_at(direct.stderr.len());
        assert_eq!(message, direct.stderr);
        assert!(of_make.starts_with("make: *** ") && of_make.ends_with(" Error 1\n"), "{of_make}");
        assert_eq!(started(&workshop), ["cc src/tree.c"]);
    }
    workshop.write("src/tree.c", original);
    assert_eq!(workshop.sh("make -s"), ran(0, ""));
    assert_eq!(started(&workshop), [""; 0]);
    assert_eq!(products(&workshop), first);
    assert_make_is_content(&workshop);
}

#[test]
fn warnings_come_back_with_the_objects() {
    let workshop = built();
    workshop.append("src/tree.c", "static int unused(void) { return 1; }\n");
    let warned = workshop.sh("make -s");
    assert_eq!((warned.code, warned.stdout.as_str()), (0, ""));
    assert!(warned.stderr.contains("unused"), "{}", warned.stderr);
    started(&workshop);
    assert_eq!(workshop.sh("make -s clean && make -s"), warned);
    assert_eq!(started(&workshop), [""; 0]);
}

#[test]
fn the_readme_tells_what_happens() {
    workshop().follow_readme();
}
