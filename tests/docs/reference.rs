//! The lists in the documents, held against the program's own.

use super::generated::is_blessing;
use super::session::{file, read};
use std::fmt::Write;
use taskcache::config::options::{Heading, Kind, OPTIONS, OptionRow, Place};
use taskcache::model::cause::Class;
use taskcache::model::environment::{SESSION_NOISE, STRICT_MINIMUM};
use taskcache::store::history::OutcomeKind;

/// Proves that a part of a document is `expected`; under `TASKCACHE_BLESS=1` it is written anew.
fn assert_current(document: &str, part: &str, expected: &str) {
    let (begin, end) = (format!("<!-- {part}: begin -->\n"), format!("<!-- {part}: end -->"));
    let text = read(document);
    let (before, rest) = text.split_once(&begin).unwrap_or_else(|| panic!("{document} has no part '{part}'"));
    let (present, after) =
        rest.split_once(&end).unwrap_or_else(|| panic!("part '{part}' of {document} never ends"));
    let expected = format!("\n{expected}\n");
    if is_blessing() && present != expected {
        std::fs::write(file(document), format!("{before}{begin}{expected}{end}{after}"))
            .expect("a document can be written");
    } else {
        assert_eq!(present, expected, "part '{part}' of {document}: run again with TASKCACHE_BLESS=1");
    }
}

fn option_table() -> String {
    let mut text = String::new();
    for heading in Heading::ALL {
        let rows = OPTIONS.iter().filter(|row| row.heading == heading);
        write!(text, "### {}\n\n| option | variable | key | |\n|---|---|---|---|\n", heading.title())
            .expect("a text takes anything");
        for row in rows {
            text.push_str(&option_row(row));
        }
        text.push('\n');
    }
    text.trim_end().to_owned() + "\n"
}

fn option_row(row: &OptionRow) -> String {
    let value = if row.value_name.is_empty() { String::new() } else { format!(" {}", row.value_name) };
    let mut names: Vec<_> = row.short.iter().map(|short| format!("`-{short}`")).collect();
    names.push(format!("`--{}{value}`", row.long));
    names.extend(row.aliases.iter().map(|alias| format!("`--{alias}`")));
    let key = match row.place {
        Place::Store(key) => format!("`[store] {key}`"),
        _ => row.key().map_or_else(String::new, |key| format!("`{key}`")),
    };
    let mut says = row.help.to_owned();
    if let Kind::Choice(words) = row.kind {
        says.push_str(&format!(": {}", words.map_code()));
    }
    if row.kind == Kind::List {
        says.push_str(". Repeatable");
    }
    if let Some(built_in) = row.built_in {
        says.push_str(&format!(". Built-in: `{built_in}`"));
    }
    format!("| {} | `{}` | {key} | {} |\n", names.join(", "), row.variable(), says.replace('|', "\\|"))
}

trait MapCode {
    fn map_code(&self) -> String;
}

impl MapCode for [&str] {
    fn map_code(&self) -> String {
        self.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(", ")
    }
}

#[test]
fn the_table_of_options_is_current() {
    assert_current("docs/config.md", "options", &option_table());
}

#[test]
fn the_lists_of_variables_are_current() {
    let list = |names: &[&str]| format!("```text\n{}\n```\n", names.join("\n"));
    assert_current("docs/environment.md", "noise", &list(SESSION_NOISE));
    assert_current("docs/environment.md", "minimum", &list(STRICT_MINIMUM));
}

/// Every word that the source gives to an outcome, a reason, or a cause for storing nothing.
#[test]
fn every_reason_is_explained() {
    let (source, page) = (read("src/engine/event.rs"), read("docs/events.md"));
    let is_word =
        |text: &&str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'-');
    let arms = source.split("=> \"").skip(1).filter_map(|rest| rest.split('"').next());
    let mut words: Vec<_> = arms.filter(is_word).collect();
    assert!(words.len() > 25, "the words were found: {words:?}");
    words.extend(OutcomeKind::ALL.map(OutcomeKind::name));
    for word in words {
        assert!(page.contains(&format!("| `{word}` |")), "docs/events.md does not explain '{word}'");
    }
}

/// Every field that the source gives to a line of `--events`.
#[test]
fn every_field_of_an_event_is_explained() {
    let (source, page) = (read("src/report/event_log.rs"), read("docs/events.md"));
    let (source, _) = source.split_once("#[cfg(test)]").expect("tests come last");
    let (_, page) = page.split_once("## Fields").expect("there is a section on fields");
    let (page, _) = page.split_once("\n## ").expect("it ends");
    let fields: Vec<_> = source.split("\":").filter_map(|before| before.rsplit('"').next()).collect();
    assert!(fields.len() > 20, "the fields were found: {fields:?}");
    for field in fields.iter().take(fields.len() - 1) {
        assert!(page.contains(&format!("`{field}`")), "docs/events.md does not explain '{field}'");
    }
}

/// Every field of `explain --format json`, and every class of a cause.
#[test]
fn every_field_of_an_explanation_is_explained() {
    let (source, page) = (read("src/report/explanation_json.rs"), read("docs/explain.md"));
    let (_, page) = page.split_once("## Fields").expect("there is a section on fields");
    let fields: Vec<_> = source.split("\":").filter_map(|before| before.rsplit('"').next()).collect();
    assert!(fields.len() > 40, "the fields were found: {fields:?}");
    let classes = Class::ALL.map(Class::name);
    for word in fields.iter().take(fields.len() - 1).chain(&classes) {
        assert!(page.contains(&format!("`{word}`")), "docs/explain.md does not explain '{word}'");
    }
}

#[test]
fn the_commands_of_the_first_screen_are_the_right_ones() {
    let readme = read("README.md");
    let blocks = super::blocks(&readme);
    let commands: Vec<_> =
        blocks.iter().filter(|block| block.marks == ["sh"]).flat_map(|block| &block.lines).collect();
    let [build, tests, install] = commands.as_slice() else { panic!("three commands: {commands:?}") };
    let arguments = build.strip_prefix("cargo run --release --locked -- ").expect("it builds and runs");
    let mut session = super::Session::new();
    for outcome in ["miss", "hit"] {
        let printed = session.run(&format!("taskcache {arguments}"));
        assert_eq!(printed.first().map(String::as_str), Some("slow"));
        assert!(printed[1].starts_with(&format!("taskcache: {outcome} ")), "{printed:?}");
    }
    assert!(read(".ci/run").lines().any(|line| line == tests.as_str()), "CI runs '{tests}'");
    assert!(install.starts_with("cargo install --locked --path ."));
}

/// The map names every file of the source.
#[test]
fn the_map_of_the_house_is_complete() {
    let map = read("docs/architecture.md");
    for floor in ["model", "world", "config", "store", "engine", "report", "cli"] {
        let (_, rest) = map.split_once(&format!("### {floor}\n")).expect("every floor has a section");
        let section = rest.split("\n##").next().unwrap_or_default();
        for entry in std::fs::read_dir(file(&format!("src/{floor}"))).expect("a floor can be listed") {
            let name = entry.expect("a floor can be listed").file_name().to_string_lossy().into_owned();
            let is_folder = file(&format!("src/{floor}/{name}/mod.rs")).exists();
            let Some(name) = name.strip_suffix(".rs").or(is_folder.then_some(&name)) else { continue };
            assert!(
                name == "mod" || section.contains(&format!("\n| `{name}` |")),
                "docs/architecture.md does not name {floor}/{name}"
            );
        }
        for row in section.lines().filter_map(|line| line.strip_prefix("| `")) {
            let name = row.split('`').next().unwrap_or_default();
            let places = [format!("src/{floor}/{name}.rs"), format!("src/{floor}/{name}/mod.rs")];
            assert!(
                places.iter().any(|path| file(path).exists()),
                "docs/architecture.md names {floor}/{name}, which is gone"
            );
        }
    }
}

/// Every kind of finding, and every field of the document that tells of them.
#[test]
fn everything_that_a_verification_says_is_explained() {
    let page = read("docs/verify.md");
    for fault in taskcache::store::finding::Fault::ALL {
        assert!(page.contains(&format!("| `{}` |", fault.name())), "docs/verify.md: no '{}'", fault.name());
    }
    let source = read("src/cli/local_cache/verify.rs");
    let fields: Vec<_> =
        source.lines().filter_map(|line| line.trim().strip_prefix('"')?.split_once("\":")).collect();
    assert!(fields.len() > 14, "the fields were found: {fields:?}");
    for (field, _) in fields {
        assert!(page.contains(&format!("`{field}`")), "docs/verify.md does not explain '{field}'");
    }
}

/// What `docs/storage.md` says in numbers.
#[test]
fn the_numbers_of_the_store_are_current() {
    use taskcache::config::location::{DEFAULT_AGE, DEFAULT_FOLDER, DEFAULT_SIZE};
    use taskcache::model::{entry::ENTRY_FORMAT, exchange::EXCHANGE_FORMAT, fingerprint::KEY_FORMAT};
    use taskcache::store::{content::SMALL, index::INDEX_FORMAT};
    let page = read("docs/storage.md");
    for said in [
        format!("| index | {INDEX_FORMAT} |"),
        format!("| entry | {ENTRY_FORMAT} |"),
        format!("| key | {KEY_FORMAT} |"),
        format!("| export | {EXCHANGE_FORMAT} |"),
        format!("contents up to {} KiB", SMALL / 1024),
        format!("`~/{DEFAULT_FOLDER}` unless"),
        format!("The store holds {} GiB", DEFAULT_SIZE.as_bytes() >> 30),
        format!("not used for {} days", DEFAULT_AGE.as_millis() / 86_400_000),
    ] {
        assert!(page.contains(&said), "docs/storage.md does not say '{said}'");
    }
}
