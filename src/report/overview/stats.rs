//! The short form of the report: `local-cache stats`.

use super::json::{eviction_json, tally_fields, task_json};
use super::{Eviction, Overview};
use crate::model::count::{counted, entries};
use crate::model::time::Size;
use crate::report::screen::{Screen, Tone};
use crate::report::table::{Align, Cell, painted_table};
use crate::store::history::OutcomeKind;
use serde_json::{Map, Value};
use std::fmt::Write;

/// How many tasks are listed for people.
const LISTED: usize = 20;

/// Returns the sums, the tasks and what a collection would do.
pub fn stats_text(overview: &Overview, screen: Screen) -> String {
    let (tally, stock) = (&overview.chronicle.total, overview.stock.clone().unwrap_or_default());
    let mut text = String::new();
    let mut field = |name: &str, value: &dyn std::fmt::Display| {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "{} {value}", screen.paint(Tone::Head, &format!("{name:<10}")));
    };
    field("entries", &stock.entries);
    field("size", &Size::from_bytes(stock.bytes));
    if let Some(since) = overview.chronicle.since {
        field("since", &since);
    }
    for kind in OutcomeKind::ALL {
        field(kind.name(), &tally.count(kind));
    }
    if let Some(rate) = tally.hit_rate() {
        field("hit rate", &format_args!("{rate}%"));
    }
    field("saved", &tally.saved);
    field("ran", &tally.ran);
    if !overview.tasks.is_empty() {
        text.push('\n');
        text.push_str(&task_table(overview, screen));
    }
    text.push('\n');
    text.push_str(&eviction_text(&stock.eviction));
    if overview.chronicle.damaged > 0 {
        let _ = writeln!(text, "\n{} of the history cannot be read", lines(overview.chronicle.damaged));
    }
    text
}

/// Returns a number of lines in words.
pub(super) fn lines(count: u64) -> String {
    counted(count, "line", "lines")
}

fn task_table(overview: &Overview, screen: Screen) -> String {
    let header = [
        ("RUNS", Align::Right),
        ("HITS", Align::Right),
        ("RATE", Align::Right),
        ("SAVED", Align::Right),
        ("RAN", Align::Right),
        ("ENTRIES", Align::Right),
        ("SIZE", Align::Right),
        ("TASK", Align::Left),
    ];
    let rows: Vec<Vec<Cell>> = overview
        .tasks
        .iter()
        .take(LISTED)
        .map(|task| {
            vec![
                task.tally.runs().to_string().into(),
                task.tally.hits().to_string().into(),
                task.tally.hit_rate().map(|rate| format!("{rate}%")).unwrap_or_default().into(),
                task.tally.saved.to_string().into(),
                task.tally.ran.to_string().into(),
                task.entries.to_string().into(),
                Size::from_bytes(task.bytes).to_string().into(),
                overview.shown(&task.name).into(),
            ]
        })
        .collect();
    let mut text = painted_table(&header, &rows, screen);
    match overview.tasks.len().saturating_sub(LISTED) {
        0 => {}
        more => {
            let _ = writeln!(text, "and {more} more; --format json has all");
        }
    }
    text
}

/// Returns what a collection would do, in words.
pub(super) fn eviction_text(eviction: &Eviction) -> String {
    let [freed, kept] = [eviction.bytes, eviction.kept].map(Size::from_bytes);
    let mut text = match eviction.entries {
        0 => format!("gc would remove nothing; {kept} stay\n"),
        count => format!("gc would remove {}, {freed}; {kept} stay\n", entries(count)),
    };
    for (reason, entries, bytes) in &eviction.reasons {
        let _ = writeln!(text, "  {entries} {}, {}", reason.words(), Size::from_bytes(*bytes));
    }
    if let Some(held) = eviction.held {
        let _ = writeln!(text, "  {held}");
    }
    text
}

/// Returns the same as one object.
pub fn stats_json(overview: &Overview) -> Value {
    let stock = overview.stock.clone().unwrap_or_default();
    let mut stats = Map::new();
    stats.insert("entries".into(), stock.entries.into());
    stats.insert("bytes".into(), stock.bytes.into());
    stats.insert("since".into(), overview.chronicle.since.map(|since| since.to_string()).into());
    stats.extend(tally_fields(&overview.chronicle.total));
    stats.insert("tasks".into(), overview.tasks.iter().map(task_json).collect());
    stats.insert("collection".into(), eviction_json(&stock.eviction));
    stats.insert("damaged_lines".into(), overview.chronicle.damaged.into());
    stats.into()
}
