//! strace, which makes the N-th call of one kind fail, or kills the process before it.
//!
//! Only the main thread of taskcache is traced, where all work on the store is done: commands that it starts must not
//! be harmed, because what they do is not ours.

use crate::support::{Ran, TASKCACHE, World};
use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;
use std::process::Command;
use std::sync::OnceLock;

/// The calls by which something changes, on disk or for others.
pub const CHANGING: &[&str] = &[
    "write",
    "pwrite64",
    "pwritev",
    "writev",
    "rename",
    "renameat",
    "renameat2",
    "link",
    "linkat",
    "symlinkat",
    "fsync",
    "fdatasync",
    "fcntl",
    "flock",
    "open",
    "openat",
    "unlink",
    "unlinkat",
    "mkdir",
    "mkdirat",
    "rmdir",
    "ftruncate",
    "fallocate",
    "fchmod",
    "fchmodat",
    "chmod",
    "fchown",
    "utimensat",
    "copy_file_range",
    "sendfile",
    "ioctl",
    "close",
];

/// The calls that a store is read by.
pub const READING: &[&str] =
    &["read", "pread64", "newfstatat", "fstat", "statx", "access", "getdents64", "lseek", "statfs", "mmap"];

/// The N-th call of one kind.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Point {
    /// Which call.
    pub call: String,
    /// The how many-th of its kind, from 1.
    pub number: u64,
}

impl fmt::Display for Point {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.call, self.number)
    }
}

/// Returns why strace cannot be used here; `None` where it can.
pub fn missing() -> Option<&'static str> {
    static MISSING: OnceLock<Option<&'static str>> = OnceLock::new();
    *MISSING.get_or_init(|| {
        let probe = ["-qq", "-o", "/dev/null", "-e", "inject=getpid:error=EIO:when=1", "true"];
        match Command::new("strace").args(probe).output() {
            Err(_) => Some("strace is not installed"),
            Ok(output) if !output.status.success() => Some("strace may not trace here"),
            Ok(_) => None,
        }
    })
}

/// Returns whether a test has to be skipped, and says so.
pub fn is_missing(subject: &str) -> bool {
    if let Some(why) = missing() {
        crate::support::figure(subject, &format!("skipped: {why}"));
    }
    missing().is_some()
}

fn traced(world: &World, log: &Path, options: &[&str], line: &str) -> Ran {
    // A command outlives its killed wrapper. It inherits descriptor 9, so that reading the output to its end waits
    // until nobody is at work any more.
    let mut command = world.program("/bin/sh");
    command.args(["-c", "exec \"$@\" 9>&1", "sh", "strace", "-qq", "-y", "-o"]).arg(log).args(options);
    command.arg(TASKCACHE).args(line.split_whitespace());
    Ran::of(&command.output().unwrap()).no_panic(line)
}

/// Returns every point of a run of `line` at which one of `calls` is made, from the first on that looks at the store;
/// with `below`, those alone whose arguments name a path below it. The world is changed by the run.
pub fn points(world: &World, line: &str, calls: &[&str], below: Option<&Path>) -> Vec<Point> {
    let log = world.beside("trace");
    traced(world, &log, &["-e", "trace=all"], line);
    let text = String::from_utf8_lossy(&std::fs::read(&log).unwrap()).into_owned();
    let store = world.store();
    let store = store.to_str().unwrap();
    let mut counts: BTreeMap<&str, u64> = BTreeMap::new();
    let mut points = Vec::new();
    let mut is_up = false;
    for call in text.lines() {
        let Some((name, _)) = call.split_once('(') else { continue };
        is_up |= call.contains(store);
        let number = counts.entry(name).or_default();
        *number += 1;
        let fits = below.is_none_or(|below| call.contains(below.to_str().unwrap()));
        if is_up && fits && calls.contains(&name) {
            points.push(Point { call: name.to_owned(), number: *number });
        }
    }
    assert!(!points.is_empty(), "{line}: the run was traced");
    points
}

/// Runs `line` and kills it right before a point. Returns whether it was reached.
pub fn kill(world: &World, line: &str, Point { call, number }: &Point) -> bool {
    let trace = format!("trace={call}");
    let inject = format!("inject={call}:signal=SIGKILL:when={number}");
    traced(world, &world.beside("log"), &["-e", &trace, "-e", &inject], line).code == 128 + 9
}

/// Runs `line` and lets a call fail, once or from a point on.
pub fn fail(world: &World, line: &str, Point { call, number }: &Point, error: &str, for_good: bool) -> Ran {
    let trace = format!("trace={call}");
    let inject = format!("inject={call}:error={error}:when={number}{}", if for_good { "+" } else { "" });
    traced(world, &world.beside("log"), &["-e", &trace, "-e", &inject], line)
}

/// Runs `line` and answers every call of a kind without making it.
pub fn answer(world: &World, line: &str, call: &str, answer: i64) -> Ran {
    let trace = format!("trace={call}");
    let inject = format!("inject={call}:retval={answer}");
    traced(world, &world.beside("log"), &["-e", &trace, "-e", &inject], line)
}
