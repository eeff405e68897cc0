//! What happened, one line a run, appended.
//!
//! A hit writes nothing but a line here: one `O_APPEND` write of less than 4 KiB, which local file systems keep
//! whole. The lines are JSON with stable names, so that they outlive the program; a line that does not parse (a
//! torn one after a crash, one of a later version) is passed over. Last uses are read from here when the store is
//! listed or collected.
//!
//! Deliberately absent: argv, paths and values. The history of a store says what was saved, not what was done.

use super::Layout;
use crate::model::fingerprint::CacheKey;
use crate::model::path::printable;
use crate::model::time::{Span, Timestamp};
use crate::world::file::{FileError, open_private};
use serde_json::{Map, Value, json};
use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};

/// More bytes than this have no line's end between them only where somebody else wrote them.
const LONGEST_LINE: u64 = 64 * 1024;

/// How a run ended, as far as the cache is concerned.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum OutcomeKind {
    /// The stored result came back.
    Hit,
    /// There was none; the command ran.
    Miss,
    /// An old result came back, a new one is on its way.
    Stale,
    /// The command ran although there was a result.
    Refresh,
    /// The cache was not asked.
    Bypass,
}

impl OutcomeKind {
    /// Every kind.
    pub const ALL: [Self; 5] = [Self::Hit, Self::Miss, Self::Stale, Self::Refresh, Self::Bypass];

    /// Returns the word for it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Hit => "hit",
            Self::Miss => "miss",
            Self::Stale => "stale",
            Self::Refresh => "refresh",
            Self::Bypass => "bypass",
        }
    }
}

/// One line of the history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Happening {
    /// When the run ended.
    pub time: Timestamp,
    /// How it ended.
    pub outcome: OutcomeKind,
    /// Why, as a short stable word.
    pub reason: String,
    /// The project.
    pub project: String,
    /// The domain.
    pub domain: String,
    /// The task, printable.
    pub task: String,
    /// The key, where there was one.
    pub key: Option<CacheKey>,
    /// How long the whole run took.
    pub elapsed: Span,
    /// How much shorter that was than running the command.
    pub saved: Span,
    /// Whether a result was stored.
    pub stored: bool,
}

impl Happening {
    /// Returns the line, with its end.
    pub fn to_line(&self) -> String {
        let mut line = json!({
            "time": self.time.to_string(),
            "outcome": self.outcome.name(),
            "reason": self.reason,
            "project": self.project,
            "domain": self.domain,
            "task": self.task,
            "key": self.key.map(|key| key.to_string()),
            "elapsed_ms": self.elapsed.as_millis(),
            "saved_ms": self.saved.as_millis(),
            "stored": self.stored,
        })
        .to_string();
        line.push('\n');
        line
    }

    /// Reads a line; `None` for one that nobody of ours wrote.
    pub fn from_line(line: &str) -> Option<Self> {
        let line: Map<String, Value> = serde_json::from_str(line).ok()?;
        let text = |name: &str| line.get(name).and_then(Value::as_str);
        let outcome = text("outcome")?;
        Some(Self {
            time: Timestamp::from_millis(text("time")?.parse::<jiff::Timestamp>().ok()?.as_millisecond()),
            outcome: OutcomeKind::ALL.into_iter().find(|kind| kind.name() == outcome)?,
            reason: text("reason")?.to_owned(),
            project: text("project")?.to_owned(),
            domain: text("domain")?.to_owned(),
            task: text("task")?.to_owned(),
            key: text("key").and_then(|key| key.parse().ok()),
            elapsed: Span::from_millis(line.get("elapsed_ms")?.as_u64()?),
            saved: Span::from_millis(line.get("saved_ms")?.as_u64()?),
            stored: line.get("stored")?.as_bool()?,
        })
    }
}

/// The history of a store.
#[derive(Debug)]
pub struct History {
    path: PathBuf,
}

impl History {
    /// Names the history of a store; nothing is touched.
    pub fn of(layout: &Layout) -> Self {
        Self { path: layout.path("history.jsonl") }
    }

    /// Appends a line.
    pub fn append(&self, happening: &Happening) -> Result<(), FileError> {
        use rustix::fs::OFlags;
        // Without waiting, should somebody have put a pipe in its place.
        let flags = OFlags::WRONLY | OFlags::APPEND | OFlags::NONBLOCK | OFlags::NOCTTY;
        open_private(&self.path, flags)?
            .write_all(happening.to_line().as_bytes())
            .map_err(FileError::of("append to", &self.path))
    }

    /// Returns every line that can be read, the oldest first.
    pub fn read(&self) -> Result<Vec<Happening>, FileError> {
        let bytes = crate::world::file::read_optional(&self.path)?.unwrap_or_default();
        let lines = bytes.split(|byte| *byte == b'\n');
        Ok(lines.filter_map(|line| Happening::from_line(std::str::from_utf8(line).ok()?)).collect())
    }
}

/// Returns how many lines of a history cannot be read. The longest that is ever written is shorter than what one
/// piece of the file holds.
pub(super) fn unreadable_lines(path: &Path) -> Result<u64, FileError> {
    let file = crate::world::file::open_for_reading(path)?;
    let mut reader = BufReader::new(file);
    let (mut count, mut line) = (0, Vec::new());
    loop {
        line.clear();
        let read = reader.by_ref().take(LONGEST_LINE).read_until(b'\n', &mut line);
        if read.map_err(FileError::of("read", path))? == 0 {
            return Ok(count);
        }
        let text = line.strip_suffix(b"\n").unwrap_or(&line);
        if std::str::from_utf8(text).ok().and_then(Happening::from_line).is_none() {
            count += 1;
        }
    }
}

/// Returns a task's name as it stands in the history.
pub fn task_text(task: &[u8]) -> String {
    printable(task)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn happening(outcome: OutcomeKind) -> Happening {
        Happening {
            time: Timestamp::from_millis(1_700_000_000_123),
            outcome,
            reason: "found".into(),
            project: "p".into(),
            domain: "d".into(),
            task: "t\"x".into(),
            key: Some("ab".repeat(32).parse().unwrap()),
            elapsed: Span::from_millis(3),
            saved: Span::from_millis(1000),
            stored: false,
        }
    }

    #[test]
    fn lines_go_round_and_rubbish_is_passed_over() {
        let folder = tempfile::tempdir().unwrap();
        let history = History::of(&Layout { root: folder.path().to_owned() });
        assert_eq!(history.read().unwrap(), []);
        for kind in OutcomeKind::ALL {
            history.append(&happening(kind)).unwrap();
        }
        let mut bytes = std::fs::read(folder.path().join("history.jsonl")).unwrap();
        bytes.extend_from_slice(b"{\"time\": \"torn\n\xff\n{}\n");
        std::fs::write(folder.path().join("history.jsonl"), bytes).unwrap();
        assert_eq!(history.read().unwrap(), OutcomeKind::ALL.map(happening));
    }
}
