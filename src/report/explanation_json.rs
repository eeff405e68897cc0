//! Why a run would be a hit or a miss, for programs. `docs/explain.md` lists the fields.

use super::advice::Advice;
use super::explanation::{position, verdict};
use crate::engine::around::Around;
use crate::engine::event::MissReason;
use crate::engine::explain::{Absence, Explanation, Nearest};
use crate::model::cause::{Cause, Causes, Class};
use crate::model::difference::{Comparison, Volatile};
use crate::model::entry::Entry;
use crate::model::path::printable;
use crate::model::time::Span;
use serde_json::{Value, json};

/// The number of the form.
const FORMAT: u32 = 1;

/// Returns the explanation of a run.
pub fn explanation_json(explanation: &Explanation) -> Value {
    let advice = Advice::of(explanation);
    let absence = explanation.absence.as_ref();
    let next = advice.next.iter().map(|(option, effect)| json!({ "option": option, "effect": effect }));
    json!({
        "explain": "run",
        "format": FORMAT,
        "outcome": explanation.outcome.kind().name(),
        "reason": explanation.outcome.reason(),
        "says": verdict(explanation),
        "project": explanation.project,
        "domain": explanation.domain,
        "task": printable(&explanation.task),
        "key": explanation.key.map(|key| key.to_string()),
        "entry": explanation.entry.as_deref().map(entry_json),
        "nearest": absence.and_then(|absence| absence.nearest.as_ref()).map(nearest_json),
        "last_seen": absence.and_then(|absence| absence.last_seen).map(|time| time.to_string()),
        "compared": absence.map(|absence| absence.compared),
        "all_compared": absence.map(|absence| !absence.more),
        "other_key_formats": absence.map(|absence| absence.of_other_format),
        "volatile": absence.map(|absence: &Absence| absence.volatile.iter().map(volatile_json).collect::<Vec<_>>()),
        "cost_ms": absence.and_then(|absence| absence.cost).map(Span::as_millis),
        "now": advice.now,
        "now_is_enough": advice.is_enough,
        "next": next.collect::<Vec<_>>(),
        "around": explanation.around.as_ref().map(around_json),
    })
}

/// Returns the comparison of two entries.
pub fn comparison_json(old: &Entry, new: &Entry, comparison: &Comparison, causes: &Causes) -> Value {
    json!({
        "explain": "entries",
        "format": FORMAT,
        "old": entry_json(old),
        "new": entry_json(new),
        "equal": comparison.equal,
        "ingredients": comparison.all(),
        "causes": causes.list.iter().map(cause_json).collect::<Vec<_>>(),
        "following": causes.following,
        "unknown": comparison.unknown,
    })
}

fn entry_json(entry: &Entry) -> Value {
    json!({
        "key": entry.key.to_string(),
        "project": entry.project,
        "domain": entry.domain,
        "task": printable(&entry.task),
        "command": entry.command.iter().map(|word| printable(word)).collect::<Vec<_>>(),
        "created": entry.created.to_string(),
        "expires": entry.expires.map(|time| time.to_string()),
        "duration_ms": entry.duration.as_millis(),
        "exit_code": entry.exit_code,
        "host": entry.provenance.host,
        "user": entry.provenance.user,
        "directory": printable(&entry.provenance.directory),
    })
}

fn nearest_json(nearest: &Nearest) -> Value {
    json!({
        "entry": entry_json(&nearest.entry),
        "unusable": nearest.refusal.map(MissReason::name),
        "equal": nearest.equal,
        "ingredients": nearest.all,
        "causes": nearest.causes.list.iter().map(cause_json).collect::<Vec<_>>(),
        "following": nearest.causes.following,
        "unknown": nearest.unknown,
    })
}

fn cause_json(cause: &Cause) -> Value {
    let text = |text: &Option<Vec<u8>>| text.as_ref().map(|text| printable(text));
    let name = match cause.class {
        Class::Argument => position(&cause.name),
        _ => printable(&cause.name),
    };
    json!({
        "class": cause.class.name(),
        "change": cause.change.name(),
        "name": name,
        "old": text(&cause.old),
        "new": text(&cause.new),
    })
}

fn volatile_json(one: &Volatile) -> Value {
    json!({ "kind": one.kind.label(), "name": printable(&one.name), "changed": one.changed, "of": one.of })
}

fn around_json(around: &Around) -> Value {
    let variable = |one: &crate::engine::around::Variable| json!({ "name": printable(&one.name), "change": one.change.name(), "session": one.is_noise });
    let moved = |old: String, new: String| json!({ "old": old, "new": new });
    let files = around.files.as_ref().map(|files| {
        let file = |(name, change): &(Vec<u8>, crate::model::difference::Change)| {
            json!({ "path": printable(name), "change": change.name() })
        };
        json!({
            "touched": files.touched.iter().map(file).collect::<Vec<_>>(),
            "looked_at": files.looked_at,
            "tracked": files.all,
        })
    });
    json!({
        "variables": around.variables.as_ref().map(|all| all.iter().map(variable).collect::<Vec<_>>()),
        "directory": around.directory.as_ref().map(|(old, new)| moved(printable(old), printable(new))),
        "host": around.host.as_ref().map(|(old, new)| moved(old.clone(), new.clone())),
        "sources": around.sources.iter().map(|name| printable(name)).collect::<Vec<_>>(),
        "files": files,
    })
}
