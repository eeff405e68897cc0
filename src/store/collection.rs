//! Keeping the store within its limits.
//!
//! The plan is pure (see [`crate::model::retention`]); here it gets its facts and is carried out. Last uses come from
//! the history, where hits append them, and are written into the index only here. Nobody waits for a collection: a
//! run that stored something starts one in the background when the last one is [`INTERVAL`] ago.
//!
//! The clock is not taken at its word: what the store saw of time goes before it (see [`crate::model::doubt`]). By a
//! clock in doubt no transaction expires either.

use super::history::History;
use super::index::{key_of, unsigned};
use super::mark::Mark;
use super::removal::{Removed, Selection};
use super::{Store, StoreError};
use crate::model::digest::Digest;
use crate::model::doubt::{Doubt, LastCollection, doubt};
use crate::model::entry::Content;
use crate::model::fingerprint::CacheKey;
use crate::model::retention::{Candidate, RetentionPlan, RetentionPolicy, plan};
use crate::model::time::{Span, Timestamp};
use crate::world::file::{FileError, Witness, open_regular, replace};
use std::collections::HashMap;
use std::io::{Read, Seek, SeekFrom};

/// How long after a collection the next one is due.
pub const INTERVAL: Span = Span::from_millis(60 * 60 * 1000);

/// The history is cut to half of this when it is larger.
const HISTORY_LIMIT: u64 = 16 * 1024 * 1024;

/// A time at which nothing has expired yet.
const BEFORE_EVERYTHING: Timestamp = Timestamp::from_millis(i64::MIN);

/// What a collection did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Collected {
    /// What went, by reason.
    pub plan: RetentionPlan,
    /// What was taken out in the end.
    pub removed: Removed,
    /// How many abandoned transactions were dropped.
    pub transactions: u64,
}

impl Store {
    /// Plans what goes. Nothing is changed.
    pub fn plan_collection(
        &self,
        policy: RetentionPolicy,
        now: Timestamp,
    ) -> Result<RetentionPlan, StoreError> {
        Ok(self.judge(policy, now)?.0)
    }

    /// The same, with what makes the clock doubtful.
    fn judge(
        &self,
        policy: RetentionPolicy,
        now: Timestamp,
    ) -> Result<(RetentionPlan, Option<Doubt>), StoreError> {
        let mut seen = Vec::new();
        let uses = History::of(&self.layout).uses_and_times(|time| seen.push(time))?;
        let mut contents: HashMap<CacheKey, Vec<Content>> = HashMap::new();
        let failed = self.index()?.failed("plan a collection");
        let mut query =
            self.index()?.connection().prepare("SELECT key, digest, size FROM reference").map_err(&failed)?;
        let rows = query
            .query_map([], |row| {
                let content =
                    Content { digest: Digest::from_bytes(row.get(1)?), size: unsigned(row.get(2)?) };
                Ok((key_of(row.get(0)?), content))
            })
            .map_err(&failed)?;
        for row in rows {
            let (key, content) = row.map_err(&failed)?;
            contents.entry(key).or_default().push(content);
        }
        let rows = self.index()?.rows()?;
        seen.extend(rows.iter().flat_map(|row| [row.created, row.used]));
        let doubt = doubt(now, Mark::read(&self.layout).and_then(|mark| mark.last), seen);
        let candidates = rows.into_iter().map(|row| Candidate {
            key: row.key,
            used: uses.get(&row.key).map_or(row.used, |used| row.used.max(used.last)),
            expires: row.expires,
            duration: Span::from_millis(row.duration),
            contents: contents.remove(&row.key).unwrap_or_default(),
        });
        Ok((plan(&candidates.collect::<Vec<_>>(), policy, now, doubt), doubt))
    }

    /// Brings the store within its limits and sweeps what nobody owns any more.
    pub fn collect(&mut self, policy: RetentionPolicy, now: Timestamp) -> Result<Collected, StoreError> {
        // A store of a newer format is left as it is, and opening the index tells.
        self.index()?;
        self.mark_collected(now)?;
        let (plan, doubt) = self.judge(policy, now)?;
        let last = LastCollection { time: now, doubted: doubt.is_some() };
        Mark { started: now, last: Some(last) }.write(&self.layout)?;
        let believed = if doubt.is_some() { BEFORE_EVERYTHING } else { now };
        let transactions = self.sweep_transactions(believed)?;
        self.claims().sweep()?;
        super::turn::sweep(&self.layout)?;
        let keys = Some(plan.removed.keys().copied().collect());
        let removed = self.remove(&Selection { keys, ..Selection::default() })?;
        self.cut_history()?;
        Ok(Collected { plan, removed, transactions })
    }

    /// Returns whether a collection is due, and `None` where there never was one. A time in the future counts as long
    /// ago: the clock was set back.
    pub fn is_collection_due(&self, now: Timestamp) -> Option<bool> {
        let mark = Mark::read(&self.layout)?;
        Some(now.since(mark.started).is_none_or(|since| since > INTERVAL))
    }

    /// Remembers that a collection began, so that the next run does not start another.
    pub fn mark_collected(&self, now: Timestamp) -> Result<(), FileError> {
        let last = Mark::read(&self.layout).and_then(|mark| mark.last);
        Mark { started: now, last }.write(&self.layout)
    }

    /// Keeps the end of a history that is too long. A line that is appended at that very moment is lost: a use that
    /// does not count.
    fn cut_history(&self) -> Result<(), FileError> {
        let path = self.layout.path("history.jsonl");
        let mut file = match open_regular(&path) {
            Err(error) if error.is_missing() => return Ok(()),
            opened => opened?,
        };
        let length = Witness::of_open(&file).map_err(FileError::of("look at", &path))?.size();
        if length <= HISTORY_LIMIT {
            return Ok(());
        }
        let mut end = Vec::new();
        file.seek(SeekFrom::Start(length - HISTORY_LIMIT / 2))
            .and_then(|_| file.take(HISTORY_LIMIT / 2).read_to_end(&mut end))
            .map_err(FileError::of("read", &path))?;
        let start = end.iter().position(|byte| *byte == b'\n').map_or(end.len(), |at| at + 1);
        replace(&path, &end[start..])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_history_that_is_too_long_keeps_its_end_and_whole_lines() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("store")).unwrap();
        let path = store.layout.path("history.jsonl");
        store.cut_history().unwrap();
        let line = |number: u64| format!("{number:063}\n");
        let lines = HISTORY_LIMIT / 64;
        let text: String = (0..lines).map(line).collect();
        std::fs::write(&path, &text).unwrap();
        store.cut_history().unwrap();
        assert_eq!(std::fs::metadata(&path).unwrap().len(), HISTORY_LIMIT);
        std::fs::write(&path, text + &line(lines)).unwrap();
        store.cut_history().unwrap();
        let kept = std::fs::read_to_string(&path).unwrap();
        assert!(kept.starts_with(&line(lines / 2 + 2)) && kept.ends_with(&line(lines)));
    }
}
