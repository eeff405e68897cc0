//! What is being computed now, and by whom.

use super::table::{Align, table};
use crate::model::path::printable;
use crate::model::time::Timestamp;
use crate::store::reservation::Holder;
use serde_json::{Value, json};

/// Returns the holders of reservations as a table.
pub fn running_text(running: &[Holder], now: Timestamp) -> String {
    if running.is_empty() {
        return "nothing is running\n".to_owned();
    }
    let header = [
        ("KEY", Align::Left),
        ("TASK", Align::Left),
        ("PID", Align::Right),
        ("HOST", Align::Left),
        ("FOR", Align::Right),
        ("COMMAND", Align::Left),
    ];
    let rows: Vec<_> = running
        .iter()
        .map(|holder| {
            vec![
                holder.key.short(),
                printable(holder.task.as_bytes()),
                holder.process.to_string(),
                printable(holder.host.as_bytes()),
                now.since(holder.since).unwrap_or_default().to_string(),
                printable(holder.command.as_bytes()),
            ]
        })
        .collect();
    table(&header, &rows)
}

/// Returns the holders of reservations as a JSON array.
pub fn running_json(running: &[Holder], now: Timestamp) -> Value {
    running
        .iter()
        .map(|holder| {
            json!({
                "key": holder.key.to_string(),
                "task": holder.task,
                "pid": holder.process,
                "host": holder.host,
                "since": holder.since.to_string(),
                "elapsed_ms": now.since(holder.since).unwrap_or_default().as_millis(),
                "command": holder.command,
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn holders_are_shown_with_how_long_they_hold() {
        let since = Timestamp::from_millis(1_700_000_000_000);
        let holder = Holder {
            key: "ab".repeat(32).parse().unwrap(),
            process: 7,
            host: "h".into(),
            since,
            task: "t".into(),
            command: "make all".into(),
            transaction: None,
        };
        let now = since.after("90s".parse().unwrap());
        let text = "KEY       TASK  PID  HOST    FOR  COMMAND\nabababab  t       7  h     1m30s  make all\n";
        assert_eq!(running_text(std::slice::from_ref(&holder), now), text);
        assert_eq!(running_json(&[holder], now)[0]["elapsed_ms"], 90_000);
        assert_eq!(running_text(&[], now), "nothing is running\n");
    }
}
