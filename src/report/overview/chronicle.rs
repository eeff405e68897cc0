//! Runs, added up: by day, by task, by reason, and which misses took longest.
//!
//! Runs come one at a time, so that a history of any length needs only the memory of what it is about: its days,
//! tasks, reasons and the keys that missed.
//!
//! Days are those of UTC, as all times of taskcache are: two machines make the same report of one history.

use crate::model::fingerprint::CacheKey;
use crate::model::path::printable;
use crate::model::time::{Span, Timestamp};
use crate::store::history::{Happening, OutcomeKind};
use std::collections::{BTreeMap, HashMap};
use std::fmt;

/// How long a day of UTC is, in milliseconds.
const DAY: i64 = 86_400_000;

/// How runs ended and what that cost and saved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Tally {
    /// How many runs ended how, in the order of [`OutcomeKind::ALL`].
    pub outcomes: [u64; OutcomeKind::ALL.len()],
    /// How much time hits saved.
    pub saved: Span,
    /// How long the runs took whose command ran.
    pub ran: Span,
}

impl Tally {
    /// Counts a run.
    pub fn add(&mut self, happening: &Happening) {
        self.outcomes[happening.outcome as usize] += 1;
        let sum = |a: Span, b: Span| Span::from_millis(a.as_millis().saturating_add(b.as_millis()));
        self.saved = sum(self.saved, happening.saved);
        if !happening.outcome.is_replay() {
            self.ran = sum(self.ran, happening.elapsed);
        }
    }

    /// Returns how many runs ended like this.
    pub const fn count(&self, kind: OutcomeKind) -> u64 {
        self.outcomes[kind as usize]
    }

    /// Returns how many runs there were.
    pub fn runs(&self) -> u64 {
        self.outcomes.iter().sum()
    }

    /// Returns how many runs got a stored result.
    pub const fn hits(&self) -> u64 {
        self.count(OutcomeKind::Hit) + self.count(OutcomeKind::Stale)
    }

    /// Returns the share of hits among the runs that asked the cache, in whole per cent.
    pub fn hit_rate(&self) -> Option<u64> {
        let asked = self.hits() + self.count(OutcomeKind::Miss);
        (self.hits() * 100).checked_div(asked)
    }
}

/// Whose runs these are.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TaskName {
    /// The project.
    pub project: String,
    /// The domain.
    pub domain: String,
    /// The task, printable.
    pub task: String,
}

impl fmt::Display for TaskName {
    /// Writes `task (project/domain)`, safe on a terminal.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [task, project, domain] =
            [&self.task, &self.project, &self.domain].map(|text| printable(text.as_bytes()));
        write!(f, "{task} ({project}/{domain})")
    }
}

/// A key whose runs missed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Missed {
    /// Whose run it was.
    pub name: TaskName,
    /// The key.
    pub key: CacheKey,
    /// How often it missed.
    pub misses: u64,
    /// When the slowest of these misses was over.
    pub time: Timestamp,
    /// How long the slowest took.
    pub elapsed: Span,
    /// Why that one missed.
    pub reason: String,
}

/// A day of UTC, counted from 1970-01-01.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Day(i64);

impl Day {
    /// Returns the day of a time.
    pub const fn of(time: Timestamp) -> Self {
        Self(time.as_millis().div_euclid(DAY))
    }

    /// Returns the day that is `days` before this one.
    #[must_use]
    pub const fn before(self, days: i64) -> Self {
        Self(self.0.saturating_sub(days))
    }

    /// Returns the days from this one to `last`, both included.
    pub fn to(self, last: Self) -> impl Iterator<Item = Self> {
        (self.0..=last.0).map(Self)
    }
}

impl fmt::Display for Day {
    /// Writes `2026-11-21`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let start = Timestamp::from_millis(self.0.saturating_mul(DAY)).to_string();
        f.write_str(start.split('T').next().unwrap_or(&start))
    }
}

/// A history, added up.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Chronicle {
    /// Runs that ended before this do not count.
    pub since: Option<Timestamp>,
    /// All runs together.
    pub total: Tally,
    /// When the first and the last run ended.
    pub span: Option<(Timestamp, Timestamp)>,
    /// The days with runs.
    pub days: BTreeMap<Day, Tally>,
    /// The tasks with runs.
    pub tasks: BTreeMap<TaskName, Tally>,
    /// Why runs did not get a stored result: how many, and how long they took.
    pub reasons: BTreeMap<(OutcomeKind, String), (u64, Span)>,
    /// How many lines could not be read.
    pub damaged: u64,
    missed: HashMap<CacheKey, Missed>,
}

impl Chronicle {
    /// Begins one; runs that ended before `since` will not count.
    pub fn new(since: Option<Timestamp>) -> Self {
        Self { since, ..Self::default() }
    }

    /// Counts a run.
    pub fn take(&mut self, happening: Happening) {
        if self.since.is_some_and(|since| happening.time < since) {
            return;
        }
        let time = happening.time;
        self.span = Some(self.span.map_or((time, time), |(first, last)| (first.min(time), last.max(time))));
        self.total.add(&happening);
        self.days.entry(Day::of(time)).or_default().add(&happening);
        let name = TaskName {
            project: happening.project.clone(),
            domain: happening.domain.clone(),
            task: happening.task.clone(),
        };
        self.tasks.entry(name.clone()).or_default().add(&happening);
        if happening.outcome.is_replay() {
            return;
        }
        let (count, ran) = self.reasons.entry((happening.outcome, happening.reason.clone())).or_default();
        *count += 1;
        *ran = Span::from_millis(ran.as_millis().saturating_add(happening.elapsed.as_millis()));
        let (OutcomeKind::Miss, Some(key)) = (happening.outcome, happening.key) else { return };
        let missed = self.missed.entry(key).or_insert_with(|| Missed {
            name,
            key,
            misses: 0,
            time,
            elapsed: happening.elapsed,
            reason: happening.reason.clone(),
        });
        missed.misses += 1;
        if happening.elapsed > missed.elapsed {
            (missed.time, missed.elapsed, missed.reason) = (time, happening.elapsed, happening.reason);
        }
    }

    /// Returns the misses that took longest, one a key, at most `most` of them.
    pub fn slowest(&self, most: usize) -> Vec<Missed> {
        let mut missed: Vec<_> = self.missed.values().collect();
        missed.sort_by_key(|missed| (std::cmp::Reverse(missed.elapsed), missed.key));
        missed.into_iter().take(most).cloned().collect()
    }

    /// Returns the last `most` days up to the last one with a run; days without a run among them are empty. A time
    /// that is far off, as a wrong clock writes it, does not make this longer.
    pub fn recent_days(&self, most: u32) -> Vec<(Day, Tally)> {
        let (Some(first), Some(last)) = (self.days.keys().next(), self.days.keys().next_back()) else {
            return Vec::new();
        };
        let start = last.before(i64::from(most) - 1).max(*first);
        start.to(*last).map(|day| (day, self.days.get(&day).copied().unwrap_or_default())).collect()
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// A run of the task `task`: what became of it, when in milliseconds, how long it took and what it saved.
    pub(crate) fn run(task: &str, outcome: OutcomeKind, time: i64, elapsed: u64, saved: u64) -> Happening {
        let reason = match outcome {
            OutcomeKind::Hit => "found",
            OutcomeKind::Miss => "absent",
            OutcomeKind::Stale => "stale",
            OutcomeKind::Refresh => "requested",
            OutcomeKind::Bypass => "no-cache",
        };
        Happening {
            time: Timestamp::from_millis(time),
            outcome,
            reason: reason.into(),
            project: "default".into(),
            domain: "development".into(),
            task: task.into(),
            key: Some(CacheKey::from_digest(crate::model::digest::Digest::of(task.as_bytes()))),
            elapsed: Span::from_millis(elapsed),
            saved: Span::from_millis(saved),
            stored: false,
        }
    }

    #[test]
    fn runs_add_up() {
        let mut chronicle = Chronicle::new(Some(Timestamp::from_millis(0)));
        for happening in [
            run("old", OutcomeKind::Miss, -1, 1, 0),
            run("a", OutcomeKind::Miss, 0, 700, 0),
            run("a", OutcomeKind::Hit, 1, 5, 695),
            run("a", OutcomeKind::Miss, 2 * DAY, 900, 0),
            run("b", OutcomeKind::Miss, 2 * DAY + 1, 800, 0),
            run("b", OutcomeKind::Refresh, 2 * DAY + 2, 50, 0),
        ] {
            chronicle.take(happening);
        }
        let total =
            Tally { outcomes: [1, 3, 0, 1, 0], saved: Span::from_millis(695), ran: Span::from_millis(2450) };
        assert_eq!(chronicle.total, total);
        assert_eq!((total.runs(), total.hits(), total.hit_rate()), (5, 1, Some(25)));
        let days: Vec<_> =
            chronicle.recent_days(31).iter().map(|(day, tally)| (day.to_string(), tally.runs())).collect();
        let expected = [("1970-01-01", 2), ("1970-01-02", 0), ("1970-01-03", 3)];
        assert_eq!(days, expected.map(|(day, runs)| (day.to_owned(), runs)));
        assert_eq!(chronicle.recent_days(1).len(), 1);
        let slowest: Vec<_> = chronicle
            .slowest(9)
            .into_iter()
            .map(|m| (m.name.task, m.misses, m.elapsed.as_millis()))
            .collect();
        assert_eq!(slowest, [("a".to_owned(), 2, 900), ("b".to_owned(), 1, 800)]);
        assert_eq!(chronicle.slowest(1).len(), 1);
        let absent = chronicle.reasons[&(OutcomeKind::Miss, "absent".to_owned())];
        assert_eq!(absent, (3, Span::from_millis(2400)));
    }

    #[test]
    fn a_wrong_clock_makes_no_endless_list() {
        let mut chronicle = Chronicle::default();
        chronicle.take(run("a", OutcomeKind::Hit, i64::MIN, 0, u64::MAX));
        chronicle.take(run("a", OutcomeKind::Hit, i64::MAX, 0, u64::MAX));
        assert_eq!(chronicle.recent_days(31).len(), 31);
        assert_eq!(chronicle.total.saved, Span::from_millis(u64::MAX));
        assert_eq!(Tally::default().hit_rate(), None);
    }
}
