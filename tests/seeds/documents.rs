//! `docs/flyte.md`, `docs/prefect.md` and `docs/seeds.md` name the tests that there are, and count rightly.

use crate::support::{TestEnv, ran};
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

fn read(name: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(name)).unwrap()
}

/// Returns the tests of a file here, as documents name them.
fn tests_of(module: &str) -> BTreeSet<String> {
    let text = read(&format!("tests/seeds/{module}.rs"));
    let names = text.split("#[test]\nfn ").skip(1).map(|rest| rest.split('(').next().unwrap());
    names.map(|name| format!("{module}::{name}")).collect()
}

fn all_tests() -> BTreeSet<String> {
    ["flyte", "signature", "local", "prefect", "transactions", "bkt"].into_iter().flat_map(tests_of).collect()
}

/// Returns the cells of each row of the tables in a text, without their heads.
fn rows(text: &str) -> Vec<Vec<String>> {
    let mut rows = Vec::new();
    let mut lines = text.lines().peekable();
    while let Some(line) = lines.next() {
        let is_head = lines.peek().is_some_and(|next| next.starts_with("|---"));
        if line.starts_with("| ") && !is_head {
            let cells = line.trim_matches('|').split('|').map(|cell| cell.trim().to_owned());
            rows.push(cells.collect());
        }
    }
    rows
}

fn section<'t>(text: &'t str, heading: &str) -> &'t str {
    let (_, rest) = text.split_once(&format!("\n## {heading}\n")).unwrap();
    rest.split("\n## ").next().unwrap()
}

/// Returns the names in the last cell of a row.
fn named(row: &[String]) -> Vec<String> {
    let cell = row.last().unwrap();
    cell.split(", ")
        .map(|name| name.strip_prefix('`').unwrap().strip_suffix('`').unwrap().to_owned())
        .collect()
}

/// Returns the name that a test of a row has.
fn slug(cell: &str) -> String {
    let words = cell.split(|character: char| !character.is_ascii_alphanumeric() && character != '_');
    words.filter(|word| !word.is_empty()).collect::<Vec<_>>().join("_").to_lowercase()
}

/// Asserts that the rows and the tests of some files are the same, one for one.
fn assert_backed(text: &str, modules: &[&str]) {
    let mut named_tests = BTreeSet::new();
    for row in rows(text) {
        let [name] = named(&row).try_into().unwrap();
        assert_eq!(name.split("::").last(), Some(slug(&row[0]).as_str()), "{}", row[0]);
        assert_eq!(row.len(), 5, "{}", row[0]);
        assert!(named_tests.insert(name), "{}", row[0]);
    }
    let tests: BTreeSet<_> = modules.iter().copied().flat_map(tests_of).collect();
    assert_eq!(named_tests, tests);
}

#[test]
fn each_row_is_backed_by_a_test_that_is_named_after_it() {
    assert_backed(&read("docs/flyte.md"), &["flyte", "signature", "local"]);
    assert_backed(&read("docs/prefect.md"), &["prefect", "transactions"]);
    assert_backed(section(&read("docs/seeds.md"), "What came from bkt"), &["bkt"]);
}

#[test]
fn each_promise_has_a_test_or_a_reason() {
    let text = read("docs/seeds.md");
    let tests = all_tests();
    let kept = rows(section(&text, "Kept"));
    for row in &kept {
        let missing: Vec<_> = named(row).into_iter().filter(|name| !tests.contains(name)).collect();
        assert!(missing.is_empty(), "{}: {missing:?}", row[1]);
    }
    let impossible = rows(section(&text, "Not for a command line"));
    for row in kept.iter().chain(&impossible) {
        let is_page = |word: &str| ["A", "B", "C", "D", "E"].contains(&word);
        assert!(row.len() == 3 && row[0].split(' ').all(is_page) && !row[2].is_empty(), "{row:?}");
    }
    let sentences: BTreeSet<_> = kept.iter().chain(&impossible).map(|row| &row[1]).collect();
    assert_eq!(sentences.len(), kept.len() + impossible.len(), "no promise is counted twice");
    let counts = format!("Kept: **{}**. Not for a command line: **{}**.", kept.len(), impossible.len());
    assert!(text.contains(&counts), "{counts}");
}

#[test]
fn the_configs_in_the_documents_are_right() {
    for name in ["docs/flyte.md", "docs/prefect.md"] {
        let text = read(name);
        let (_, config) = text.split_once("```toml\n").unwrap();
        let env = TestEnv::new();
        env.write("taskcache.toml", config.split("```").next().unwrap());
        assert_eq!(env.run("config check"), ran(0, ""), "{name}");
    }
}
