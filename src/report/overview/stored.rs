//! Reading what a report over a store says.

use super::chronicle::Chronicle;
use super::{Facts, NAMED, Overview, Source, task_name};
use crate::model::path::printable;
use crate::model::retention::RetentionPolicy;
use crate::model::time::Timestamp;
use crate::report::command_line::command_line;
use crate::store::history::History;
use crate::store::{Found, Store, StoreError};
use std::cmp::Reverse;
use std::collections::HashMap;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// How many tasks are searched for volatile ingredients: those with the most entries.
const SEARCHED_TASKS: usize = 20;

/// How many results of a task are compared.
const COMPARED: u32 = 50;

/// How much of a store is read for an overview.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Depth {
    /// Numbers alone, as for `stats`.
    Sums,
    /// The entries behind them too.
    Entries,
}

/// Reads what there is to say about the runs since a time and about the store; `policy` says what a collection would do.
pub fn stored_overview(
    store: &Store,
    policy: RetentionPolicy,
    now: Timestamp,
    since: Option<Timestamp>,
    depth: Depth,
) -> Result<Overview, StoreError> {
    let mut chronicle = Chronicle::new(since);
    chronicle.damaged = History::of(store.layout()).visit(|happening| chronicle.take(happening))?;
    let holdings = store.holdings()?;
    let plan = store.plan_collection(policy, now)?;
    let rows = if plan.removed.is_empty() { Vec::new() } else { store.index()?.rows()? };
    let (mut fingerprints, mut commands) = (Vec::new(), HashMap::new());
    if depth == Depth::Entries {
        let mut tasks: Vec<_> = holdings.iter().filter(|holding| holding.entries > 1).collect();
        tasks.sort_by_key(|holding| Reverse(holding.entries));
        for holding in tasks.into_iter().take(SEARCHED_TASKS) {
            let name = task_name(&holding.project, &holding.domain, &holding.task);
            fingerprints.push((name, store.latest_fingerprints(holding, COMPARED)?));
        }
        for missed in chronicle.slowest(NAMED) {
            if let Found::Entry(entry) = store.find(&missed.key)? {
                commands.insert(missed.key, command_line(&entry.command));
            }
        }
    }
    let facts = Facts { total: store.holding_total()?, holdings, fingerprints, plan, rows, commands };
    Ok(Overview::of(now, source_at(&store.layout().root), chronicle, Some(&facts)))
}

/// Returns what there is to say about a store that was never made: it is empty.
pub fn empty_overview(root: &Path, now: Timestamp, since: Option<Timestamp>) -> Overview {
    Overview::of(now, source_at(root), Chronicle::new(since), Some(&Facts::default()))
}

fn source_at(root: &Path) -> Source {
    Source::Store(printable(root.as_os_str().as_bytes()))
}
