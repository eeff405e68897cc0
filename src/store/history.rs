//! What happened, one line a run, appended.
//!
//! A hit writes nothing but a line here: one `O_APPEND` write of less than 4 KiB, which local file systems keep
//! whole. The lines are JSON with stable names, so that they outlive the program; a line that does not parse (a
//! torn one after a crash, one of a later version) is passed over. Last uses are read from here when the store is
//! listed or collected.
//!
//! Reading takes one line at a time, and none of more than `LONGEST_LINE`, so it needs the same little memory
//! whatever somebody did to the file. The lines of `--events` have every field of these, so the same reader takes
//! them.
//!
//! Deliberately absent: argv, paths and values. The history of a store says what was saved, not what was done.

use super::Layout;
use crate::model::fingerprint::CacheKey;
use crate::model::path::printable;
use crate::model::time::{Span, Timestamp};
use crate::world::file::{FileError, open_private, open_regular};
use serde_json::{Map, Value, json};
use std::collections::{BTreeSet, HashMap};
use std::io::{self, BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};

/// The longest line that is read, in bytes. Ours have a few hundred.
const LONGEST_LINE: u64 = 64 * 1024;

/// How much of the history is read, from its end, for a question about a single key: some thousand runs.
pub const RECENT: u64 = 4 * 1024 * 1024;

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

    /// Returns whether a stored result was given back.
    pub const fn is_replay(self) -> bool {
        matches!(self, Self::Hit | Self::Stale)
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
        Self::from_fields(&serde_json::from_str(line).ok()?)
    }

    fn from_fields(line: &Map<String, Value>) -> Option<Self> {
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

/// What was done with one stored result.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Use {
    /// How many runs it was given to.
    pub hits: u64,
    /// When a run last looked for it or made it.
    pub last: Timestamp,
}

/// Reads lines and hands each run's to `take`, the oldest first. Returns how many lines are damaged: no JSON object,
/// or too long to be one of ours. Other objects, such as the `waiting` lines of `--events`, are passed over.
pub fn read_lines(mut source: impl BufRead, mut take: impl FnMut(Happening)) -> io::Result<u64> {
    let mut damaged = 0;
    let mut line = Vec::new();
    loop {
        line.clear();
        if source.by_ref().take(LONGEST_LINE).read_until(b'\n', &mut line)? == 0 {
            return Ok(damaged);
        }
        if line.last() != Some(&b'\n') && line.len() as u64 == LONGEST_LINE {
            source.skip_until(b'\n')?;
            damaged += 1;
            continue;
        }
        if line.trim_ascii().is_empty() {
            continue;
        }
        match serde_json::from_slice::<Map<String, Value>>(&line) {
            Ok(fields) => {
                if let Some(happening) = Happening::from_fields(&fields) {
                    take(happening);
                }
            }
            Err(_) => damaged += 1,
        }
    }
}

/// Reads the lines of a file that has to be there; otherwise as [`read_lines`].
pub fn read_file(path: &Path, take: impl FnMut(Happening)) -> Result<u64, FileError> {
    let file = open_regular(path)?;
    read_lines(BufReader::with_capacity(128 * 1024, file), take).map_err(FileError::of("read", path))
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

    /// Hands every run to `take`, the oldest first; returns how many lines are damaged. A history that does not exist
    /// is empty.
    pub fn visit(&self, take: impl FnMut(Happening)) -> Result<u64, FileError> {
        match read_file(&self.path, take) {
            Err(error) if error.is_missing() => Ok(0),
            read => read,
        }
    }

    /// Returns what was done with each result that the history names.
    pub fn uses(&self) -> Result<HashMap<CacheKey, Use>, FileError> {
        self.uses_and_times(drop)
    }

    /// The same, and hands the time of every run to `see`.
    pub fn uses_and_times(
        &self,
        mut see: impl FnMut(Timestamp),
    ) -> Result<HashMap<CacheKey, Use>, FileError> {
        let mut uses: HashMap<CacheKey, Use> = HashMap::new();
        self.visit(|happening| {
            see(happening.time);
            let Some(key) = happening.key else { return };
            let was = uses.entry(key).or_insert(Use { hits: 0, last: happening.time });
            was.last = was.last.max(happening.time);
            was.hits += u64::from(happening.outcome.is_replay());
        })?;
        Ok(uses)
    }

    /// Returns the last run that stored or gave back a result under one of some keys, as far as the last
    /// [`RECENT`] bytes of the history tell.
    pub fn last_result_of(&self, keys: &BTreeSet<CacheKey>) -> Result<Option<Happening>, FileError> {
        let bytes = crate::world::file::read_end(&self.path, RECENT)?.unwrap_or_default();
        let had_a_result =
            |one: &Happening| one.stored || matches!(one.outcome, OutcomeKind::Hit | OutcomeKind::Stale);
        let lines = bytes.rsplit(|byte| *byte == b'\n').filter_map(|line| std::str::from_utf8(line).ok());
        // Reading a line as JSON costs a hundred times as much as finding its key.
        let lines = lines.filter(|line| key_in(line).is_some_and(|key| keys.contains(&key)));
        Ok(lines.filter_map(Happening::from_line).find(had_a_result))
    }
}

/// Returns how many lines of a history cannot be read.
pub(super) fn unreadable_lines(path: &Path) -> Result<u64, FileError> {
    read_file(path, drop)
}

/// Returns the key in a line that was written here. A task's name cannot look like it: quotation marks are escaped.
fn key_in(line: &str) -> Option<CacheKey> {
    let (_, rest) = line.split_once("\"key\":\"")?;
    rest.split('"').next()?.parse().ok()
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

    fn all(history: &History) -> (Vec<Happening>, u64) {
        let mut happenings = Vec::new();
        let damaged = history.visit(|happening| happenings.push(happening)).unwrap();
        (happenings, damaged)
    }

    #[test]
    fn lines_go_round_and_rubbish_is_passed_over() {
        let folder = tempfile::tempdir().unwrap();
        let history = History::of(&Layout { root: folder.path().to_owned() });
        assert_eq!(all(&history), (vec![], 0));
        let mut bytes = b"\xff\n\n[1]\n".to_vec();
        bytes.extend(vec![b'x'; 3 << 20]);
        bytes.push(b'\n');
        std::fs::write(folder.path().join("history.jsonl"), bytes).unwrap();
        for kind in OutcomeKind::ALL {
            history.append(&happening(kind)).unwrap();
        }
        let mut bytes = std::fs::read(folder.path().join("history.jsonl")).unwrap();
        bytes.extend_from_slice(b"{}\n{\"event\":\"waiting\"}\n{\"time\": \"torn");
        std::fs::write(folder.path().join("history.jsonl"), bytes).unwrap();
        // Not counted as damage: an empty line, and objects that are no run.
        assert_eq!(all(&history), (OutcomeKind::ALL.map(happening).to_vec(), 4));
    }

    #[test]
    fn uses_are_counted_and_the_last_one_counts_whatever_the_order() {
        let folder = tempfile::tempdir().unwrap();
        let history = History::of(&Layout { root: folder.path().to_owned() });
        let at = |outcome, millis| Happening { time: Timestamp::from_millis(millis), ..happening(outcome) };
        for run in [at(OutcomeKind::Miss, 10), at(OutcomeKind::Hit, 30), at(OutcomeKind::Stale, 20)] {
            history.append(&run).unwrap();
        }
        history.append(&Happening { key: None, ..at(OutcomeKind::Bypass, 40) }).unwrap();
        let key = happening(OutcomeKind::Hit).key.unwrap();
        let used = Use { hits: 2, last: Timestamp::from_millis(30) };
        assert_eq!(history.uses().unwrap(), HashMap::from([(key, used)]));
    }

    #[test]
    fn the_last_result_of_a_key_is_found() {
        let folder = tempfile::tempdir().unwrap();
        let history = History::of(&Layout { root: folder.path().to_owned() });
        let of = |digits: &str, outcome, stored, time| Happening {
            key: Some(digits.repeat(32).parse().unwrap()),
            time: Timestamp::from_millis(time),
            stored,
            ..happening(outcome)
        };
        for one in [
            of("ab", OutcomeKind::Miss, true, 1),
            of("ab", OutcomeKind::Hit, false, 2),
            of("ab", OutcomeKind::Miss, false, 3),
            of("cd", OutcomeKind::Miss, true, 4),
        ] {
            history.append(&one).unwrap();
        }
        let last = |digits: &[&str]| {
            let keys = digits.iter().map(|digits| digits.repeat(32).parse().unwrap()).collect();
            history.last_result_of(&keys).unwrap().map(|one| one.time.as_millis())
        };
        assert_eq!(last(&["ab"]), Some(2));
        assert_eq!(last(&["ab", "cd"]), Some(4));
        assert_eq!(last(&["ef"]), None);
    }
}
