//! Rules about the source that no compiler knows: who may use whom, how long a file may be, what may be called where.
//!
//! The text is read line by line, without comments. That is coarse, and enough: who writes around it knows it.

use std::fs;
use std::path::{Path, PathBuf};

/// The floors, the lowest first. A module may use those below it, and beside it what is named here.
const FLOORS: [(u8, &str, &[&str]); 7] = [
    (0, "model", &[]),
    (1, "world", &[]),
    (2, "config", &[]),
    (2, "store", &[]),
    (3, "engine", &[]),
    (4, "report", &[]),
    (4, "cli", &["report"]),
];

/// How many lines a file may have.
const LONGEST: usize = 600;

/// Files that may be longer, each with its reason.
const LONG_FILES: [(&str, &str); 0] = [];

/// A source file: its path below `src`, and its lines without comments.
struct Source {
    name: String,
    text: String,
    lines: Vec<String>,
}

impl Source {
    /// Returns the floor's module that the file belongs to; none for `lib.rs` and `main.rs`.
    fn module(&self) -> Option<&str> {
        self.name.split_once('/').map(|(module, _)| module)
    }

    /// Returns each line that `is_wrong`, ready to be shown.
    fn faults(&self, is_wrong: impl Fn(&str) -> bool) -> Vec<String> {
        let numbered = self.lines.iter().enumerate().filter(|(_, line)| is_wrong(line));
        numbered.map(|(at, line)| format!("src/{}:{}: {}", self.name, at + 1, line.trim())).collect()
    }
}

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn sources() -> Vec<Source> {
    let mut sources = Vec::new();
    collect(&root().join("src"), "", &mut sources);
    sources.sort_by(|a, b| a.name.cmp(&b.name));
    assert!(sources.len() > 50, "the source was found");
    sources
}

fn collect(folder: &Path, prefix: &str, into: &mut Vec<Source>) {
    for entry in fs::read_dir(folder).expect("src can be listed") {
        let entry = entry.expect("src can be listed");
        let name = format!("{prefix}{}", entry.file_name().to_string_lossy());
        if entry.path().is_dir() {
            collect(&entry.path(), &format!("{name}/"), into);
        } else if name.ends_with(".rs") {
            let text = fs::read_to_string(entry.path()).expect("a source file can be read");
            let lines = text.lines().map(without_comment).map(str::to_owned).collect();
            into.push(Source { name, text, lines });
        }
    }
}

/// Cuts a comment off. A `//` within a string cuts too much; no rule here looks behind one.
fn without_comment(line: &str) -> &str {
    line.split("//").next().unwrap_or_default()
}

fn floor(module: &str) -> Option<u8> {
    FLOORS.iter().find(|(_, name, _)| *name == module).map(|(floor, ..)| *floor)
}

/// Returns every module that a line reaches by a path from the root of the crate.
fn reached(line: &str) -> Vec<&str> {
    let paths = line.split("crate::").skip(1).chain(line.split("super::super::").skip(1));
    let first = |path| -> &str {
        let path: &str = path;
        path.split(|character: char| !character.is_alphanumeric() && character != '_')
            .next()
            .unwrap_or_default()
    };
    paths.map(first).filter(|name| floor(name).is_some()).collect()
}

fn assert_none(faults: &[String], rule: &str) {
    assert!(faults.is_empty(), "{rule}:\n{}", faults.join("\n"));
}

#[test]
fn every_module_stands_on_a_floor() {
    for source in sources() {
        match source.module() {
            Some(module) => assert!(floor(module).is_some(), "src/{} stands on no floor", source.name),
            None => assert!(["lib.rs", "main.rs"].contains(&source.name.as_str()), "src/{}", source.name),
        }
    }
}

#[test]
fn nobody_uses_a_floor_above() {
    let mut faults = Vec::new();
    for source in sources() {
        let Some(module) = source.module() else { continue };
        let own = floor(module).expect("every module has a floor");
        let beside =
            FLOORS.iter().find(|(_, name, _)| *name == module).map_or(&[][..], |(.., beside)| beside);
        let may = |used: &str| {
            used == module || floor(used).is_some_and(|floor| floor < own) || beside.contains(&used)
        };
        faults.extend(source.faults(|line| reached(line).into_iter().any(|used| !may(used))));
        // A group at the root would hide from the rule above.
        faults.extend(source.faults(|line| line.contains("crate::{") || line.contains("use crate as")));
    }
    assert_none(&faults, "a module uses what is not below it");
}

#[test]
fn the_map_in_the_library_has_the_same_floors() {
    let lib = sources().into_iter().find(|source| source.name == "lib.rs").expect("there is a lib.rs");
    let drawn: Vec<_> =
        lib.text.lines().filter_map(|line| line.strip_prefix("//! | ")?.split_once(" | [`")).collect();
    let drawn: Vec<_> = drawn
        .into_iter()
        .map(|(floor, rest)| (floor.to_owned(), rest.split('`').next().unwrap_or_default()))
        .collect();
    let expected: Vec<_> = FLOORS.iter().map(|(floor, name, _)| (floor.to_string(), *name)).collect();
    assert_eq!(drawn, expected);
}

#[test]
fn no_file_is_longer_than_one_can_read_at_once() {
    for source in sources() {
        let length = source.text.lines().count();
        let reason = LONG_FILES.iter().find(|(name, _)| *name == source.name);
        match reason {
            None => assert!(length <= LONGEST, "src/{} has {length} lines", source.name),
            Some(_) => assert!(length > LONGEST, "src/{} needs no exception any more", source.name),
        }
    }
}

#[test]
fn nothing_prints_past_the_reporter() {
    let macros = ["print!", "println!", "eprint!", "eprintln!", "dbg!"];
    let faults: Vec<_> = sources()
        .iter()
        .flat_map(|source| source.faults(|line| macros.iter().any(|name| line.contains(name))))
        .collect();
    assert_none(&faults, "use report::reporter::say or cli::print");
}

#[test]
fn only_the_world_knows_the_system() {
    let outside = |source: &&Source| source.module().is_some_and(|module| module != "world");
    let system = ["target_os", "cfg(unix)", "cfg!(unix)", "cfg(windows)", "target_family"];
    let starts = |line: &str| {
        line.contains("process::Command") || line.contains("process::{") && line.contains("Command")
    };
    let faults: Vec<_> = sources()
        .iter()
        .filter(outside)
        .flat_map(|source| {
            source.faults(|line| starts(line) || system.iter().any(|word| line.contains(word)))
        })
        .collect();
    assert_none(&faults, "what differs by system, and starting processes, belongs into world");
}

#[test]
fn the_model_is_pure() {
    let words = ["std::fs", "std::env", "std::io", "std::process", "std::net", "std::thread", "SystemTime"];
    let faults: Vec<_> = sources()
        .iter()
        .filter(|source| source.module() == Some("model"))
        .flat_map(|source| source.faults(|line| words.iter().any(|word| line.contains(word))))
        .collect();
    assert_none(&faults, "the model has no clock, no file, no environment");
}

#[test]
fn every_file_says_what_it_is_for() {
    for source in sources().iter().filter(|source| !source.name.ends_with("/tests.rs")) {
        assert!(source.text.starts_with("//! "), "src/{} does not open with '//!'", source.name);
    }
}

#[test]
fn main_stays_short() {
    let main = sources().into_iter().find(|source| source.name == "main.rs").expect("there is a main.rs");
    assert!(main.text.lines().count() < 40);
}
