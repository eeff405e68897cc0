//! What the cache did and what it holds: the value behind `taskcache report` and `local-cache stats`.
//!
//! [`Overview::of`] is pure: runs that were added up, facts of the store and the time go in, and everything that a
//! report says comes out, chosen and sorted. The renderers beside it only write it down, each in its own form.
//!
//! A report over a file of events says nothing about a store: those runs may have been on another machine.

pub mod chart;
pub mod chronicle;
pub mod html;
pub mod json;
pub mod markdown;
mod markup;
pub mod stats;
pub mod stored;

use crate::model::fingerprint::{CacheKey, Fingerprint};
use crate::model::path::printable;
use crate::model::retention::{Held, Reason, RetentionPlan};
use crate::model::time::Timestamp;
use crate::model::volatility::{Volatility, volatility};
use crate::store::holdings::Holding;
use crate::store::index::Row;
use chronicle::{Chronicle, Missed, Tally, TaskName};
use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap};

/// How many misses, ingredients and evicted entries are named.
pub const NAMED: usize = 10;

/// How many ingredients of one task are named at most, so that one task does not hide all others.
const NAMED_OF_A_TASK: usize = 3;

/// How many days a chart shows.
pub const DAYS: u32 = 31;

/// Where the runs come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// The history of the store in this folder, printable.
    Store(String),
    /// This file of events, printable.
    Events(String),
}

/// What the store has to say.
#[derive(Debug, Clone, Default)]
pub struct Facts {
    /// How many entries and how many bytes of content there are.
    pub total: (u64, u64),
    /// What is stored of each task.
    pub holdings: Vec<Holding>,
    /// The fingerprints of latest results, by task.
    pub fingerprints: Vec<(TaskName, Vec<Fingerprint>)>,
    /// What a collection would take out now.
    pub plan: RetentionPlan,
    /// The rows of the entries that would go, in any order; others may be among them.
    pub rows: Vec<Row>,
    /// The command lines of stored results, printable.
    pub commands: HashMap<CacheKey, String>,
}

/// A task: its runs and what is stored of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TaskLine {
    /// Which task.
    pub name: TaskName,
    /// Its runs.
    pub tally: Tally,
    /// How many entries it has.
    pub entries: u64,
    /// How many bytes of content they refer to.
    pub bytes: u64,
}

/// A miss among the slowest.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SlowMiss {
    /// The miss.
    pub missed: Missed,
    /// Its command line, where a result of it is stored.
    pub command: Option<String>,
}

/// An entry that a collection would take out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Leaving {
    /// Its key.
    pub key: CacheKey,
    /// Its task.
    pub name: TaskName,
    /// Why.
    pub reason: Reason,
    /// How many bytes of content it refers to.
    pub bytes: u64,
}

/// What a collection would do now.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Eviction {
    /// How many entries would go.
    pub entries: u64,
    /// How many bytes would be freed.
    pub bytes: u64,
    /// How many bytes would stay.
    pub kept: u64,
    /// Entries and freed bytes by reason, those without an entry left out.
    pub reasons: Vec<(Reason, u64, u64)>,
    /// The largest ones that would go.
    pub largest: Vec<Leaving>,
    /// What would stay although it is old.
    pub held: Option<Held>,
}

/// What the store holds.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Stock {
    /// How many entries.
    pub entries: u64,
    /// How many bytes of content, each counted once.
    pub bytes: u64,
    /// Which ingredients change most from one result to the next.
    pub volatile: Vec<(TaskName, Volatility)>,
    /// What would go now.
    pub eviction: Eviction,
}

/// Everything that a report says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Overview {
    /// When it was made.
    pub made: Timestamp,
    /// Where the runs come from.
    pub source: Source,
    /// The runs, added up.
    pub chronicle: Chronicle,
    /// Every task that ran or has entries: first what saved most time, then what cost most, then the largest.
    pub tasks: Vec<TaskLine>,
    /// The misses that took longest.
    pub slowest: Vec<SlowMiss>,
    /// What the store holds; `None` for a file of events.
    pub stock: Option<Stock>,
}

impl Overview {
    /// Makes the report.
    pub fn of(made: Timestamp, source: Source, chronicle: Chronicle, facts: Option<&Facts>) -> Self {
        let mut lines: BTreeMap<TaskName, TaskLine> = BTreeMap::new();
        let line =
            |name: &TaskName| TaskLine { name: name.clone(), tally: Tally::default(), entries: 0, bytes: 0 };
        for (name, tally) in &chronicle.tasks {
            lines.entry(name.clone()).or_insert_with(|| line(name)).tally = *tally;
        }
        for holding in facts.iter().flat_map(|facts| &facts.holdings) {
            let name = task_name(&holding.project, &holding.domain, &holding.task);
            let line = lines.entry(name.clone()).or_insert_with(|| line(&name));
            line.entries += holding.entries;
            line.bytes += holding.bytes;
        }
        let mut tasks: Vec<_> = lines.into_values().collect();
        tasks.sort_by_key(|task| Reverse((task.tally.saved, task.tally.ran, task.bytes)));
        let slow = |missed: Missed| {
            let command = facts.and_then(|facts| facts.commands.get(&missed.key).cloned());
            SlowMiss { missed, command }
        };
        let slowest = chronicle.slowest(NAMED).into_iter().map(slow).collect();
        Self { made, source, tasks, slowest, stock: facts.map(Stock::of), chronicle }
    }

    /// Returns whether tasks of more than one project or domain are told of, so that their names alone do not do.
    pub fn has_places(&self) -> bool {
        let mut places = self.tasks.iter().map(|task| (&task.name.project, &task.name.domain));
        places.next().is_some_and(|first| places.any(|other| other != first))
    }

    /// Returns a task's name, with its project and domain where that matters; safe on a terminal.
    pub fn shown(&self, name: &TaskName) -> String {
        match self.has_places() {
            true => name.to_string(),
            false => printable(name.task.as_bytes()),
        }
    }
}

/// Returns a task's name as it stands in the history.
pub fn task_name(project: &str, domain: &str, task: &[u8]) -> TaskName {
    TaskName { project: project.to_owned(), domain: domain.to_owned(), task: printable(task) }
}

impl Stock {
    fn of(facts: &Facts) -> Self {
        let mut volatile: Vec<_> = facts
            .fingerprints
            .iter()
            .flat_map(|(name, fingerprints)| {
                let found = volatility(fingerprints).into_iter().take(NAMED_OF_A_TASK);
                found.map(|volatility| (name.clone(), volatility))
            })
            .collect();
        volatile.sort_by_key(|(_, volatility)| Reverse(volatility.changed));
        volatile.truncate(NAMED);
        Self { entries: facts.total.0, bytes: facts.total.1, volatile, eviction: Eviction::of(facts) }
    }
}

impl Eviction {
    fn of(facts: &Facts) -> Self {
        let plan = &facts.plan;
        let reasons = Reason::ALL.map(|reason| {
            let bytes = plan.freed_by.get(&reason).copied().unwrap_or_default();
            (reason, plan.count(reason) as u64, bytes)
        });
        let leaving = |row: &Row| {
            let reason = *plan.removed.get(&row.key)?;
            let name = task_name(&row.project, &row.domain, &row.task);
            Some(Leaving { key: row.key, name, reason, bytes: row.size })
        };
        let mut largest: Vec<_> = facts.rows.iter().filter_map(leaving).collect();
        largest.sort_by_key(|leaving| (Reverse(leaving.bytes), leaving.key));
        largest.truncate(NAMED);
        Self {
            entries: plan.removed.len() as u64,
            bytes: plan.freed,
            kept: plan.kept,
            reasons: reasons.into_iter().filter(|(_, entries, _)| *entries > 0).collect(),
            largest,
            held: plan.held,
        }
    }
}

#[cfg(test)]
mod tests;
