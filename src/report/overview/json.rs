//! The report for programs; `docs/report.md` lists the fields.
//!
//! Times are RFC 3339 in UTC, sizes bytes, durations milliseconds.

use super::chronicle::{Tally, TaskName};
use super::{Eviction, Overview, Source, Stock, TaskLine};
use crate::model::path::printable;
use crate::store::history::OutcomeKind;
use serde_json::{Map, Value, json};

/// The number of the report's form; fields may be added without a new one.
pub const REPORT_FORMAT: u32 = 1;

/// Returns the report as one object.
pub fn report_json(overview: &Overview) -> Value {
    let chronicle = &overview.chronicle;
    let (kind, path) = match &overview.source {
        Source::Store(path) => ("store", path),
        Source::Events(path) => ("events", path),
    };
    let mut report = Map::new();
    let mut put = |name: &str, value: Value| report.insert(name.to_owned(), value);
    put("format", REPORT_FORMAT.into());
    put("made", overview.made.to_string().into());
    put("since", chronicle.since.map(|since| since.to_string()).into());
    put("source", json!({ "kind": kind, "path": path }));
    put("first", chronicle.span.map(|(first, _)| first.to_string()).into());
    put("last", chronicle.span.map(|(_, last)| last.to_string()).into());
    put("damaged_lines", chronicle.damaged.into());
    report.extend(tally_fields(&chronicle.total));
    let days = chronicle.days.iter().map(|(day, tally)| {
        let mut fields = Map::from_iter([("date".to_owned(), day.to_string().into())]);
        fields.extend(tally_fields(tally));
        Value::from(fields)
    });
    report.insert("days".into(), days.collect());
    report.insert("tasks".into(), overview.tasks.iter().map(task_json).collect());
    let reasons = chronicle.reasons.iter().map(|((outcome, reason), (runs, ran))| {
        let reason = printable(reason.as_bytes());
        json!({ "outcome": outcome.name(), "reason": reason, "runs": runs, "ran_ms": ran.as_millis() })
    });
    report.insert("reasons".into(), reasons.collect());
    let slowest = overview.slowest.iter().map(|slow| {
        let missed = &slow.missed;
        let mut fields = name_fields(&missed.name);
        fields.insert("key".into(), missed.key.to_string().into());
        fields.insert("command".into(), slow.command.clone().into());
        fields.insert("time".into(), missed.time.to_string().into());
        fields.insert("elapsed_ms".into(), missed.elapsed.as_millis().into());
        fields.insert("reason".into(), printable(missed.reason.as_bytes()).into());
        fields.insert("misses".into(), missed.misses.into());
        Value::from(fields)
    });
    report.insert("slowest_misses".into(), slowest.collect());
    report.insert("store".into(), overview.stock.as_ref().map_or(Value::Null, stock_json));
    report.into()
}

fn name_fields(name: &TaskName) -> Map<String, Value> {
    let fields = [("project", &name.project), ("domain", &name.domain), ("task", &name.task)];
    fields.into_iter().map(|(field, text)| (field.to_owned(), printable(text.as_bytes()).into())).collect()
}

/// Returns the fields of runs that were added up.
pub(super) fn tally_fields(tally: &Tally) -> Map<String, Value> {
    let outcomes: Map<_, _> =
        OutcomeKind::ALL.into_iter().map(|kind| (kind.name().to_owned(), tally.count(kind).into())).collect();
    Map::from_iter([
        ("runs".to_owned(), tally.runs().into()),
        ("outcomes".to_owned(), outcomes.into()),
        ("hit_rate_percent".to_owned(), tally.hit_rate().into()),
        ("saved_ms".to_owned(), tally.saved.as_millis().into()),
        ("ran_ms".to_owned(), tally.ran.as_millis().into()),
    ])
}

/// Returns a task with its runs and what is stored of it.
pub(super) fn task_json(task: &TaskLine) -> Value {
    let mut fields = name_fields(&task.name);
    fields.extend(tally_fields(&task.tally));
    fields.insert("entries".into(), task.entries.into());
    fields.insert("bytes".into(), task.bytes.into());
    fields.into()
}

/// Returns what a collection would do.
pub(super) fn eviction_json(eviction: &Eviction) -> Value {
    let reasons: Map<_, _> = eviction
        .reasons
        .iter()
        .map(|(reason, entries, bytes)| {
            (reason.name().to_owned(), json!({ "entries": entries, "bytes": bytes }))
        })
        .collect();
    let largest = eviction.largest.iter().map(|leaving| {
        let mut fields = name_fields(&leaving.name);
        fields.insert("key".into(), leaving.key.to_string().into());
        fields.insert("reason".into(), leaving.reason.name().into());
        fields.insert("bytes".into(), leaving.bytes.into());
        Value::from(fields)
    });
    let held = eviction
        .held
        .map(|held| json!({ "reason": held.doubt.name(), "entries": held.entries, "bytes": held.bytes }));
    json!({
        "entries": eviction.entries,
        "bytes": eviction.bytes,
        "kept_bytes": eviction.kept,
        "reasons": reasons,
        "largest": largest.collect::<Vec<_>>(),
        "held": held,
    })
}

fn stock_json(stock: &Stock) -> Value {
    let volatile = stock.volatile.iter().map(|(name, volatility)| {
        let mut fields = name_fields(name);
        fields.insert("ingredient".into(), volatility.label.clone().into());
        fields.insert("changed".into(), volatility.changed.into());
        fields.insert("compared".into(), volatility.compared.into());
        Value::from(fields)
    });
    json!({
        "entries": stock.entries,
        "bytes": stock.bytes,
        "volatile": volatile.collect::<Vec<_>>(),
        "collection": eviction_json(&stock.eviction),
    })
}
