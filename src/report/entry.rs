//! An entry as people and as programs read it.
//!
//! In JSON times are RFC 3339 in UTC, sizes bytes, durations milliseconds. Names that are no UTF-8 are escaped in
//! both forms; nothing that came from outside reaches a terminal raw.

use super::command_line::{command_line, words};
use super::moment::{ago, until};
use super::output_tree::output_tree;
use super::screen::{Screen, Tone};
use crate::model::entry::{Entry, Provenance};
use crate::model::output::NodeKind;
use crate::model::path::printable;
use crate::model::time::{Size, Timestamp};
use crate::store::history::Use;
use serde_json::{Map, Value, json};
use std::fmt::Write;

/// Returns who made an entry: `user@host`, or the host alone where the account had no name.
pub fn maker(made: &Provenance) -> String {
    let (user, host) = (printable(made.user.as_bytes()), printable(made.host.as_bytes()));
    if user.is_empty() { host } else { format!("{user}@{host}") }
}

/// Returns everything about an entry as text; `used` is what the history knows of it.
pub fn entry_text(entry: &Entry, used: Option<Use>, now: Timestamp, screen: Screen) -> String {
    let mut text = String::new();
    let mut field = |name: &str, value: String| {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "{} {value}", screen.paint(Tone::Head, &format!("{name:<12}")));
    };
    field("key", entry.key.to_string());
    if entry.recipe != entry.key {
        field("recipe", entry.recipe.to_string());
    }
    field("task", printable(&entry.task));
    field(
        "project",
        format!("{} / {}", printable(entry.project.as_bytes()), printable(entry.domain.as_bytes())),
    );
    field("command", command_line(&entry.command));
    field("created", format!("{} ({})", entry.created, ago(entry.created, now)));
    if let Some(used) = used {
        field("last used", format!("{} ({})", used.last, ago(used.last, now)));
        field("hits", used.hits.to_string());
    }
    if let Some(expires) = entry.expires {
        let state = match expires <= now {
            true => screen.paint(Tone::Bad, "expired"),
            false => until(expires, now),
        };
        field("expires", format!("{expires} ({state})"));
    }
    field("took", entry.duration.to_string());
    let exit = if entry.exit_code == 0 { Tone::Plain } else { Tone::Bad };
    field("exit code", screen.paint(exit, &entry.exit_code.to_string()));
    field("size", Size::from_bytes(entry.size()).to_string());
    let transcript = &entry.transcript;
    if transcript.joined {
        field("output", format!("{} (both streams in one)", Size::from_bytes(transcript.stdout.size)));
    } else {
        field("stdout", Size::from_bytes(transcript.stdout.size).to_string());
        field("stderr", Size::from_bytes(transcript.stderr.size).to_string());
    }
    let made = &entry.provenance;
    field("made by", format!("{} in {}", maker(made), printable(&made.directory)));
    field("version", format!("taskcache {}", printable(made.program.as_bytes())));
    if !entry.outputs.nodes().is_empty() {
        let _ = writeln!(text, "\n{}", screen.paint(Tone::Head, "outputs"));
        text.push_str(&output_tree(&entry.outputs, screen));
    }
    let _ = writeln!(text, "\n{}", screen.paint(Tone::Head, "fingerprint"));
    for ingredient in entry.fingerprint.ingredients() {
        let digest = screen.paint(Tone::Quiet, &ingredient.digest.short());
        let _ = writeln!(text, "  {digest}  {}", ingredient.label());
    }
    text
}

/// Returns everything about an entry as JSON; `used` is what the history knows of it.
pub fn entry_json(entry: &Entry, used: Option<Use>) -> Value {
    let transcript = &entry.transcript;
    let stream = |content: &crate::model::entry::Content| json!({ "sha256": content.digest.to_string(), "size": content.size });
    let outputs: Vec<_> = entry
        .outputs
        .nodes()
        .iter()
        .map(|node| {
            let mut value = Map::new();
            value.insert("output".into(), node.output.into());
            value.insert("path".into(), node.path.to_string().into());
            match &node.kind {
                NodeKind::File { content, mode } => {
                    value.insert("type".into(), "file".into());
                    value.insert("mode".into(), format!("{mode:04o}").into());
                    value.insert("size".into(), content.size.into());
                    value.insert("sha256".into(), content.digest.to_string().into());
                }
                NodeKind::Directory { mode } => {
                    value.insert("type".into(), "directory".into());
                    value.insert("mode".into(), format!("{mode:04o}").into());
                }
                NodeKind::Symlink { target } => {
                    value.insert("type".into(), "symlink".into());
                    value.insert("target".into(), printable(target).into());
                }
            }
            value.insert("carried".into(), node.carried.into());
            value.insert("rewritten".into(), node.rewritten.into());
            Value::from(value)
        })
        .collect();
    let fingerprint: Vec<_> = entry
        .fingerprint
        .ingredients()
        .iter()
        .map(|ingredient| {
            json!({
                "kind": ingredient.kind.label(),
                "name": printable(&ingredient.name),
                "digest": ingredient.digest.to_string(),
                "masked": ingredient.kind.is_confidential(),
            })
        })
        .collect();
    json!({
        "key": entry.key.to_string(),
        "recipe": entry.recipe.to_string(),
        "project": entry.project,
        "domain": entry.domain,
        "task": printable(&entry.task),
        "command": words(&entry.command),
        "created": entry.created.to_string(),
        "expires": entry.expires.map(|time| time.to_string()),
        "used": used.map_or(entry.created, |used| used.last).to_string(),
        "hits": used.map_or(0, |used| used.hits),
        "duration_ms": entry.duration.as_millis(),
        "exit_code": entry.exit_code,
        "size": entry.size(),
        "joined": transcript.joined,
        "stdout": stream(&transcript.stdout),
        "stderr": stream(&transcript.stderr),
        "outputs": outputs,
        "fingerprint": fingerprint,
        "made": {
            "host": entry.provenance.host,
            "user": entry.provenance.user,
            "directory": printable(&entry.provenance.directory),
            "version": entry.provenance.program,
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::entry::tests::sample;

    #[test]
    fn a_maker_without_a_name_is_the_machine() {
        let made = |user: &str| Provenance { user: user.into(), host: "h".into(), ..Provenance::default() };
        assert_eq!((maker(&made("u")), maker(&made(""))), ("u@h".to_owned(), "h".to_owned()));
    }

    #[test]
    fn an_entry_as_people_see_it() {
        let entry = sample();
        let now = Timestamp::from_millis(1_700_000_090_000);
        let used = Use { hits: 2, last: Timestamp::from_millis(1_700_000_080_000) };
        let expected = format!(
            "key          {key}
task         s\\xffrt
project      default / development
command      sort '' '\\xff'
created      2023-11-14T22:13:20.000Z (1m ago)
last used    2023-11-14T22:14:40.000Z (10s ago)
hits         2
expires      2027-01-15T08:00:00.000Z (in 1157d)
took         1.23s
exit code    3
size         7 B
stdout       4 B
stderr       2 B
made by      u@h in /w
version      taskcache 1

outputs
  0755             out/
  0644        1 B  ├── a
  link             └── b -> a

fingerprint
  {digest}  task
",
            key = entry.key,
            digest = entry.fingerprint.ingredients()[0].digest.short(),
        );
        assert_eq!(entry_text(&entry, Some(used), now, Screen::default()), expected);
        let json = entry_json(&entry, Some(used));
        assert_eq!((&json["outputs"][2]["target"], &json["hits"]), (&"a".into(), &2.into()));
    }
}
