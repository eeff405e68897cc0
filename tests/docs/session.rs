//! Sessions in documents: fenced blocks of commands with what they print, run as they stand there.
//!
//! A block that is marked `console` holds lines that begin with `$ `, each a command for `sh -c`, and below each what
//! it prints on both streams. A line that begins with `> ` continues the command above it. In what is printed,
//! `[..]` stands for anything within a line, and a line of `...` for any number of lines; how many blanks stand
//! side by side does not count. Words behind `console` name
//! programs without which the block is left out.
//!
//! All blocks of a document share one empty home and one working directory. `$?` is that of the command before; a
//! command that fails has to be followed by one that looks at it. Nothing else of the shell's state is carried on.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// A fenced block of a document.
#[derive(Debug)]
pub(crate) struct Block {
    /// The words behind the fence.
    pub(crate) marks: Vec<String>,
    /// The line of the fence, from 1.
    pub(crate) line: usize,
    /// What stands in it.
    pub(crate) lines: Vec<String>,
}

/// A command with what it prints.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Step {
    /// Where it stands, from 1.
    pub(crate) line: usize,
    /// What `sh -c` runs.
    pub(crate) command: String,
    /// What it prints.
    pub(crate) expected: Vec<String>,
}

/// Returns the fenced blocks of a document.
pub(crate) fn blocks(text: &str) -> Vec<Block> {
    let mut blocks: Vec<Block> = Vec::new();
    let mut open = false;
    for (at, line) in text.lines().enumerate() {
        match (line.strip_prefix("```"), blocks.last_mut()) {
            (Some(_), _) if open => open = false,
            (Some(marks), _) => {
                let marks = marks.split_whitespace().map(str::to_owned).collect();
                blocks.push(Block { marks, line: at + 1, lines: Vec::new() });
                open = true;
            }
            (None, Some(block)) if open => block.lines.push(line.to_owned()),
            _ => {}
        }
    }
    assert!(!open, "the last fence is never closed");
    blocks
}

/// Returns the steps of a block.
pub(crate) fn steps(block: &Block) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    for (at, text) in block.lines.iter().enumerate() {
        let line = block.line + 1 + at;
        if let Some(command) = text.strip_prefix("$ ") {
            steps.push(Step { line, command: command.to_owned(), expected: Vec::new() });
            continue;
        }
        let step = steps.last_mut().unwrap_or_else(|| panic!("line {line} prints before any command"));
        match text.strip_prefix("> ").or_else(|| (text == ">").then_some("")) {
            Some(more) if step.expected.is_empty() => step.command.push_str(&format!("\n{more}")),
            _ => step.expected.push(text.clone()),
        }
    }
    steps
}

/// Returns whether lines are as expected.
pub(crate) fn matches(expected: &[String], actual: &[String]) -> bool {
    match expected.split_first() {
        None => actual.is_empty(),
        Some((dots, rest)) if dots == "..." => {
            (0..=actual.len()).any(|skipped| matches(rest, &actual[skipped..]))
        }
        Some((line, rest)) => actual
            .split_first()
            .is_some_and(|(first, others)| matches_line(line, first) && matches(rest, others)),
    }
}

fn matches_line(expected: &str, actual: &str) -> bool {
    let (expected, actual) = (&one_blank(expected), &one_blank(actual));
    let mut pieces = expected.split("[..]");
    let first = pieces.next().unwrap_or_default();
    let Some(mut rest) = actual.strip_prefix(first) else { return false };
    let mut pieces: Vec<_> = pieces.collect();
    let Some(last) = pieces.pop() else { return rest.is_empty() };
    for piece in pieces {
        match rest.find(piece) {
            Some(at) => rest = &rest[at + piece.len()..],
            None => return false,
        }
    }
    rest.ends_with(last)
}

/// Returns a line with one blank for many: how wide a column is depends on paths.
fn one_blank(line: &str) -> String {
    line.split(' ').filter(|piece| !piece.is_empty()).collect::<Vec<_>>().join(" ")
}

/// A home and a working directory for the commands of one document.
pub(crate) struct Session {
    folder: tempfile::TempDir,
    last: i32,
}

impl Session {
    /// Makes an empty one.
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        for name in ["home", "work"] {
            fs::create_dir(folder.path().join(name)).expect("a folder can be made");
        }
        Self { folder, last: 0 }
    }

    /// Runs a command and returns the lines that it prints.
    pub(crate) fn run(&mut self, command: &str) -> Vec<String> {
        let script = format!("exec 2>&1\n(exit {})\n{command}\n", self.last);
        let output = Command::new("/bin/sh")
            .args(["-c", &script])
            .env_clear()
            .env("HOME", self.folder.path().join("home"))
            .env("PATH", path())
            .env("USER", "you")
            .current_dir(self.folder.path().join("work").canonicalize().expect("the folder is there"))
            .stdin(Stdio::null())
            .output()
            .expect("a shell starts");
        self.last = output.status.code().unwrap_or(-1);
        String::from_utf8_lossy(&output.stdout).lines().map(str::to_owned).collect()
    }

    /// Returns what the last command exited with.
    pub(crate) fn last(&self) -> i32 {
        self.last
    }
}

/// Returns the folders in which programs are found: ours first.
pub(crate) fn path() -> String {
    let program = Path::new(env!("CARGO_BIN_EXE_taskcache"));
    format!("{}:/usr/local/bin:/usr/bin:/bin", program.parent().expect("it is in a folder").display())
}

/// Returns whether a program is there.
pub(crate) fn is_there(program: &str) -> bool {
    path().split(':').any(|folder| Path::new(folder).join(program).is_file())
}

/// Returns a file of the project.
pub(crate) fn file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(name)
}

/// Reads a file of the project.
pub(crate) fn read(name: &str) -> String {
    fs::read_to_string(file(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}
