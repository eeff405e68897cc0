//! Entries, rows and sums as people and as programs read them.
//!
//! In JSON times are RFC 3339 in UTC, sizes bytes, durations milliseconds. Names that are no UTF-8 are escaped in
//! both forms; nothing that came from outside reaches a terminal raw.

use super::table::{Align, table};
use crate::model::entry::Entry;
use crate::model::output::NodeKind;
use crate::model::path::printable;
use crate::model::time::{Size, Span, Timestamp};
use crate::store::history::{Happening, OutcomeKind};
use crate::store::index::Row;
use serde_json::{Map, Value, json};
use std::fmt::Write;

/// Returns argv as a line that a shell would read the same way.
pub fn command_line(words: &[Vec<u8>]) -> String {
    let quoted = words.iter().map(|word| {
        let plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_./=:,+@%^".contains(byte);
        if !word.is_empty() && word.iter().all(plain) {
            printable(word)
        } else {
            format!("'{}'", printable(word).replace('\'', "'\\''"))
        }
    });
    quoted.collect::<Vec<_>>().join(" ")
}

/// Returns how long ago a time was.
pub fn ago(time: Timestamp, now: Timestamp) -> String {
    now.since(time).map_or_else(
        || "in the future".to_owned(),
        |span| match span.as_millis() / 1000 {
            0..2 => "just now".to_owned(),
            seconds @ 2..60 => format!("{seconds}s ago"),
            seconds @ 60..3600 => format!("{}m ago", seconds / 60),
            seconds @ 3600..86_400 => format!("{}h ago", seconds / 3600),
            seconds => format!("{}d ago", seconds / 86_400),
        },
    )
}

/// Returns the list of entries as a table.
pub fn list_text(entries: &[(Row, Option<Entry>)], now: Timestamp) -> String {
    if entries.is_empty() {
        return "no entries\n".to_owned();
    }
    let header = [
        ("KEY", Align::Left),
        ("TASK", Align::Left),
        ("CREATED", Align::Right),
        ("TIME", Align::Right),
        ("SIZE", Align::Right),
        ("EXIT", Align::Right),
        ("COMMAND", Align::Left),
    ];
    let rows: Vec<_> = entries
        .iter()
        .map(|(row, entry)| {
            let mut command =
                entry.as_ref().map_or_else(|| "(damaged)".to_owned(), |e| command_line(&e.command));
            if command.chars().count() > 60 {
                command = command.chars().take(59).chain(['…']).collect();
            }
            vec![
                row.key.short(),
                printable(&row.task),
                ago(row.created, now),
                Span::from_millis(row.duration).to_string(),
                Size::from_bytes(row.size).to_string(),
                row.exit_code.to_string(),
                command,
            ]
        })
        .collect();
    table(&header, &rows)
}

/// Returns the list of entries as a JSON array.
pub fn list_json(entries: &[(Row, Option<Entry>)]) -> Value {
    entries
        .iter()
        .map(|(row, entry)| {
            json!({
                "key": row.key.to_string(),
                "project": row.project,
                "domain": row.domain,
                "task": printable(&row.task),
                "command": entry.as_ref().map(|entry| words(&entry.command)),
                "created": row.created.to_string(),
                "expires": row.expires.map(|time| time.to_string()),
                "used": row.used.to_string(),
                "duration_ms": row.duration,
                "size": row.size,
                "exit_code": row.exit_code,
                "damaged": entry.is_none(),
            })
        })
        .collect()
}

fn words(command: &[Vec<u8>]) -> Vec<String> {
    command.iter().map(|word| printable(word)).collect()
}

/// Returns everything about an entry as text.
pub fn entry_text(entry: &Entry, now: Timestamp) -> String {
    let mut text = String::new();
    let mut field = |name: &str, value: String| {
        // Writing to a String cannot fail.
        let _ = writeln!(text, "{name:<12} {value}");
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
    if let Some(expires) = entry.expires {
        let state = if expires <= now { " (expired)" } else { "" };
        field("expires", format!("{expires}{state}"));
    }
    field("took", entry.duration.to_string());
    field("exit code", entry.exit_code.to_string());
    let transcript = &entry.transcript;
    if transcript.joined {
        field("output", format!("{} (both streams in one)", Size::from_bytes(transcript.stdout.size)));
    } else {
        field("stdout", Size::from_bytes(transcript.stdout.size).to_string());
        field("stderr", Size::from_bytes(transcript.stderr.size).to_string());
    }
    let made = &entry.provenance;
    let user = printable(made.user.as_bytes());
    field("made by", format!("{user}@{} in {}", printable(made.host.as_bytes()), printable(&made.directory)));
    field("version", format!("taskcache {}", printable(made.program.as_bytes())));
    if !entry.outputs.nodes().is_empty() {
        text.push_str("\noutputs\n");
        for node in entry.outputs.nodes() {
            let line = match &node.kind {
                NodeKind::File { content, mode } => {
                    format!("{mode:04o} {:>10}  {}", Size::from_bytes(content.size).to_string(), node.path)
                }
                NodeKind::Directory { mode } => format!("{mode:04o} {:>10}  {}/", "", node.path),
                NodeKind::Symlink { target } => {
                    format!("{:>4} {:>10}  {} -> {}", "link", "", node.path, printable(target))
                }
            };
            let _ = writeln!(text, "  {line}");
        }
    }
    text.push_str("\nfingerprint\n");
    for ingredient in entry.fingerprint.ingredients() {
        let _ = writeln!(text, "  {}  {}", ingredient.digest.short(), ingredient.label());
    }
    text
}

/// Returns everything about an entry as JSON.
pub fn entry_json(entry: &Entry) -> Value {
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

/// What a store holds and what it was good for.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Sums {
    /// How many entries there are.
    pub entries: u64,
    /// How many bytes of content, each counted once.
    pub bytes: u64,
    /// How many runs ended how, in the order of [`OutcomeKind::ALL`].
    pub outcomes: [u64; OutcomeKind::ALL.len()],
    /// How much time hits saved.
    pub saved: Span,
}

impl Sums {
    /// Adds up a history.
    pub fn of(entries: u64, bytes: u64, history: &[Happening]) -> Self {
        let mut sums = Self { entries, bytes, ..Self::default() };
        let mut saved = 0_u64;
        for happening in history {
            sums.outcomes[happening.outcome as usize] += 1;
            saved = saved.saturating_add(happening.saved.as_millis());
        }
        sums.saved = Span::from_millis(saved);
        sums
    }

    /// Returns the share of runs that hit among those that asked the cache, in per cent.
    pub fn hit_rate(&self) -> Option<u64> {
        let count = |kind: OutcomeKind| self.outcomes[kind as usize];
        let hits = count(OutcomeKind::Hit) + count(OutcomeKind::Stale);
        let asked = hits + count(OutcomeKind::Miss);
        (hits * 100).checked_div(asked)
    }

    /// Returns the sums as text.
    pub fn to_text(&self) -> String {
        let mut text =
            format!("{:<10} {}\n{:<10} {}\n", "entries", self.entries, "size", Size::from_bytes(self.bytes));
        for kind in OutcomeKind::ALL {
            let _ = writeln!(text, "{:<10} {}", kind.name(), self.outcomes[kind as usize]);
        }
        if let Some(rate) = self.hit_rate() {
            let _ = writeln!(text, "{:<10} {rate}%", "hit rate");
        }
        let _ = writeln!(text, "{:<10} {}", "saved", self.saved);
        text
    }

    /// Returns the sums as JSON.
    pub fn to_json(&self) -> Value {
        let mut outcomes = Map::new();
        for kind in OutcomeKind::ALL {
            outcomes.insert(kind.name().into(), self.outcomes[kind as usize].into());
        }
        json!({
            "entries": self.entries,
            "bytes": self.bytes,
            "outcomes": outcomes,
            "hit_rate_percent": self.hit_rate(),
            "saved_ms": self.saved.as_millis(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::entry::tests::sample;

    #[test]
    fn command_lines_can_be_typed_again() {
        let words = ["sort", "-k", "a b", "", "it's", "x=1"].map(|word| word.as_bytes().to_vec());
        assert_eq!(command_line(&words), r"sort -k 'a b' '' 'it'\''s' x=1");
    }

    #[test]
    fn an_entry_as_people_see_it() {
        let entry = sample();
        let now = Timestamp::from_millis(1_700_000_090_000);
        let expected = format!(
            "key          {key}
task         s\\xffrt
project      default / development
command      sort '' '\\xff'
created      2023-11-14T22:13:20.000Z (1m ago)
expires      2027-01-15T08:00:00.000Z
took         1.23s
exit code    3
stdout       4 B
stderr       2 B
made by      u@h in /w
version      taskcache 1

outputs
  0755             out/
  0644        1 B  out/a
  link             out/b -> a

fingerprint
  {digest}  task
",
            key = entry.key,
            digest = entry.fingerprint.ingredients()[0].digest.short(),
        );
        assert_eq!(entry_text(&entry, now), expected);
        assert_eq!(entry_json(&entry)["outputs"][2]["target"], "a");
    }

    #[test]
    fn sums_of_a_history() {
        let sums =
            Sums { entries: 2, bytes: 2048, outcomes: [3, 1, 0, 1, 0], saved: Span::from_millis(90_000) };
        let text = "entries    2
size       2.0 KiB
hit        3
miss       1
stale      0
refresh    1
bypass     0
hit rate   75%
saved      1m30s
";
        assert_eq!(sums.to_text(), text);
    }
}
