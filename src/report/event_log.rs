//! One JSON object a run, appended to a file of the caller's; `docs/events.md` lists the fields.

use crate::engine::event::{NotStored, Report};
use crate::model::fingerprint::CacheKey;
use crate::model::path::printable;
use crate::model::time::Span;
use crate::store::reservation::Holder;
use crate::world::file::FileError;
use serde_json::{Value, json};
use std::io::Write;
use std::path::PathBuf;

/// The file that events are appended to.
#[derive(Debug)]
pub struct EventLog {
    path: PathBuf,
}

impl EventLog {
    /// Names the file; nothing is touched.
    pub const fn at(path: PathBuf) -> Self {
        Self { path }
    }

    /// Appends a run.
    pub fn append(&self, report: &Report) -> Result<(), FileError> {
        self.append_line(&to_json(report))
    }

    /// Appends that another run is waited for.
    pub fn append_waiting(&self, key: CacheKey, holder: Option<&Holder>) -> Result<(), FileError> {
        self.append_line(&json!({
            "event": "waiting",
            "format": 1,
            "key": key.to_string(),
            "pid": holder.map(|holder| holder.process),
            "host": holder.map(|holder| &holder.host),
            "since": holder.map(|holder| holder.since.to_string()),
            "command": holder.map(|holder| &holder.command),
        }))
    }

    /// One write, so that the lines of many runs at once do not mix.
    fn append_line(&self, value: &Value) -> Result<(), FileError> {
        let mut line = value.to_string();
        line.push('\n');
        let file = std::fs::OpenOptions::new().append(true).create(true).open(&self.path);
        let mut file = file.map_err(FileError::of("open", &self.path))?;
        file.write_all(line.as_bytes()).map_err(FileError::of("append to", &self.path))
    }
}

/// Returns the object for a run.
pub fn to_json(report: &Report) -> Value {
    json!({
        "event": "run",
        "format": 1,
        "time": report.time.to_string(),
        "outcome": report.outcome.kind().name(),
        "reason": report.outcome.reason(),
        "project": report.project,
        "domain": report.domain,
        "task": printable(&report.task),
        "key": report.key.map(|key| key.to_string()),
        "exit_code": (report.exit_code >= 0).then_some(report.exit_code),
        "signal": (report.exit_code < 0).then_some(-report.exit_code),
        "elapsed_ms": report.elapsed.as_millis(),
        "command_ms": report.duration.map(Span::as_millis),
        "saved_ms": report.saved().as_millis(),
        "stored": report.stored,
        "not_stored": report.not_stored.as_ref().map(NotStored::name),
        "files_restored": report.restored.0,
        "files_in_place": report.restored.1,
        "bytes": report.bytes,
    })
}

#[cfg(test)]
mod tests {
    use super::super::reporter::tests::report;
    use super::*;
    use crate::engine::event::Outcome;

    #[test]
    fn a_run_is_one_line() {
        let folder = tempfile::tempdir().unwrap();
        let log = EventLog::at(folder.path().join("events"));
        log.append(&report(Outcome::Hit)).unwrap();
        log.append(&report(Outcome::Refresh)).unwrap();
        let text = std::fs::read_to_string(folder.path().join("events")).unwrap();
        let key = "3f".repeat(32);
        let expected = format!(
            "{{\"event\":\"run\",\"format\":1,\"time\":\"2023-11-14T22:13:20.123Z\",\"outcome\":\"hit\",\
             \"reason\":\"found\",\"project\":\"default\",\"domain\":\"development\",\"task\":\"tr\\\\u{{1b}}ain\",\
             \"key\":\"{key}\",\"exit_code\":0,\"signal\":null,\"elapsed_ms\":3,\"command_ms\":1503,\
             \"saved_ms\":1500,\"stored\":false,\"not_stored\":null,\"files_restored\":0,\"files_in_place\":0,\
             \"bytes\":2048}}"
        );
        assert_eq!(text.lines().next(), Some(expected.as_str()));
        assert_eq!(text.lines().count(), 2);
    }
}
