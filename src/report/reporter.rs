//! Telling a run's events on standard error: warnings, and one line about the outcome.
//!
//! Everything of ours begins with `taskcache:`, so that it can be told from the command's own words, and goes out
//! in one write, so that it never stands in the middle of somebody else's line.

use super::event_log::EventLog;
use super::progress::Progress;
use crate::config::settings::{Settings, Status};
use crate::engine::event::{Event, EventSink, MissReason, Outcome, Report, Warning, Work};
use crate::model::count::counted;
use crate::model::fingerprint::CacheKey;
use crate::model::path::printable;
use crate::model::time::{Size, Span};
use crate::store::reservation::Holder;
use crate::world::file::FileError;
use crate::world::host::Host;
use std::io::Write;

/// Writes events where they belong.
#[derive(Debug)]
pub struct Reporter {
    status: bool,
    /// How many columns a line has where somebody looks; `None` where nobody does.
    columns: Option<usize>,
    log: Option<EventLog>,
    progress: Progress,
}

impl Reporter {
    /// Makes the reporter that the settings ask for.
    pub fn new(settings: &Settings, host: &Host) -> Self {
        let status = match settings.status {
            Status::Auto => host.terminals.stderr,
            Status::Always => true,
            Status::Never => false,
        };
        let log = settings.events.as_ref().map(|path| EventLog::at(path.clone()));
        let columns = host.terminals.columns.filter(|_| host.terminals.stderr);
        Self { status, columns, log, progress: Progress::of(settings.status, host) }
    }
}

impl EventSink for Reporter {
    fn shows_work(&self) -> bool {
        self.progress.is_shown()
    }

    fn take(&mut self, event: Event) {
        match event {
            Event::Began(work) => return self.progress.begin(work_text(work)),
            _ => self.progress.rest(),
        }
        match event {
            Event::Began(_) | Event::Rested => {}
            Event::Warning(warning) => say(&format!("warning: {}", warning_text(&warning))),
            Event::Waiting { key, holder } => {
                if self.status {
                    say(&waiting_line(key, holder.as_deref()));
                }
                if let Some(log) = &self.log {
                    told(log.append_waiting(key, holder.as_deref()));
                }
            }
            Event::Finished(report) => {
                if self.status {
                    say(&line_with_way(&report, self.columns));
                }
                if let Some(log) = &self.log {
                    told(log.append(&report));
                }
            }
        }
    }
}

/// Returns what stands on a terminal while work takes long.
const fn work_text(work: Work) -> &'static str {
    match work {
        Work::ReadingStdin => "reading standard input",
        Work::Hashing => "hashing inputs",
        Work::Surveying => "looking at outputs",
        Work::Restoring => "restoring outputs",
        Work::Storing => "storing the result",
    }
}

/// Tells that the event log could not be written.
fn told(written: Result<(), FileError>) {
    if let Err(error) = written {
        say(&format!("warning: {error}: {}", error.source));
    }
}

/// Returns the line about a run that is waited for.
pub fn waiting_line(key: CacheKey, holder: Option<&Holder>) -> String {
    match holder {
        None => format!("waiting for another run of {}", key.short()),
        Some(holder) => format!(
            "waiting for {} {}: pid {} on {} since {}: {}",
            printable(holder.task.as_bytes()),
            key.short(),
            holder.process,
            printable(holder.host.as_bytes()),
            holder.since,
            printable(holder.command.as_bytes()),
        ),
    }
}

/// Writes a line of ours to standard error. Where that is closed there is nobody to tell.
pub fn say(text: &str) {
    let line = format!("taskcache: {text}\n");
    let _ = std::io::stderr().lock().write_all(line.as_bytes());
}

/// Returns the words of a warning.
pub fn warning_text(warning: &Warning) -> String {
    match warning {
        Warning::Store(error) => format!("running without the cache: {error}"),
        Warning::Placement(error) => format!("these outputs will count as files of yours: {error}"),
        Warning::NotStored(reason) => format!("the result was not stored: {reason}"),
        Warning::IgnoredNothing(rule) => format!("--ignore '{rule}' names nothing here"),
        Warning::Restore(error) => format!("the stored result was not restored: {error}"),
        Warning::Differs(what) => format!("the run differs from the stored result: {}", what.join(", ")),
        Warning::Circle(key) => {
            format!("running without a reservation: the run that computes {} waits for this one", key.short())
        }
        Warning::Background(error) => format!("no refresh was started: {error}"),
        Warning::Replay(error) => error.clone(),
    }
}

/// Returns the line about a finished run.
pub fn status_line(report: &Report) -> String {
    let task = printable(&report.task);
    let key = report.key.map(|key| format!(" {}", key.short())).unwrap_or_default();
    let head = match report.outcome {
        // Of these the outcome says it all.
        Outcome::Hit | Outcome::Refresh | Outcome::Stale => report.outcome.kind().name().to_owned(),
        _ => format!("{} ({})", report.outcome.kind().name(), report.outcome.reason()),
    };
    let mut parts = Vec::new();
    match report.outcome {
        Outcome::Hit | Outcome::Stale => {
            parts.push(format!("saved {}", report.saved()));
            let (written, kept) = report.restored;
            match (written, kept) {
                (0, 0) => {}
                (0, kept) => parts.push(format!("{} in place", files(kept))),
                (written, 0) => parts.push(format!("{} restored", files(written))),
                (written, kept) => parts.push(format!("{} restored, {kept} in place", files(written))),
            }
        }
        Outcome::Miss(_) | Outcome::Refresh | Outcome::Verify | Outcome::Bypass(_) => {
            parts.extend(report.duration.map(|duration| format!("ran {duration}")));
            if report.stored {
                parts.push(format!("stored {}", Size::from_bytes(report.bytes)));
            }
            parts.extend(report.not_stored.as_ref().map(|reason| match reason.is_warning() {
                // The warning has just said why.
                true => "not stored".to_owned(),
                false => format!("not stored: {reason}"),
            }));
        }
    }
    format!("{head} {task}{key}, {}", parts.join(", "))
}

/// A miss that took less is not worth a question.
const LONG: Span = Span::from_millis(1000);

/// Returns the line, and where to ask why after a long run of which nothing was stored. The other reasons answer that
/// themselves. In a pipe and on a narrow terminal the line stays as it is.
fn line_with_way(report: &Report, columns: Option<usize>) -> String {
    let line = status_line(report);
    let is_absent = matches!(report.outcome, Outcome::Miss(MissReason::Absent | MissReason::Dependencies));
    let is_long = report.duration.is_some_and(|duration| duration >= LONG);
    let Some(columns) = columns.filter(|_| is_absent && is_long) else { return line };
    let longer = format!("{line}; why: taskcache explain");
    let width = "taskcache: ".len() + longer.chars().count();
    if width <= columns { longer } else { line }
}

fn files(count: usize) -> String {
    counted(count as u64, "file", "files")
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::engine::event::{BypassReason, NotStored};
    use crate::model::time::Timestamp;

    pub(crate) fn report(outcome: Outcome) -> Report {
        Report {
            outcome,
            time: Timestamp::from_millis(1_700_000_000_123),
            project: "default".into(),
            domain: "development".into(),
            task: b"tr\x1bain".to_vec(),
            key: Some("3f".repeat(32).parse().unwrap()),
            elapsed: Span::from_millis(3),
            duration: Some(Span::from_millis(1503)),
            exit_code: 0,
            stored: false,
            not_stored: None,
            restored: (0, 0),
            bytes: 2048,
        }
    }

    #[test]
    fn a_long_miss_names_the_way_to_its_reason_where_it_fits() {
        let mut miss = report(Outcome::Miss(MissReason::Absent));
        let (short, long) = (status_line(&miss), format!("{}; why: taskcache explain", status_line(&miss)));
        let fits = "taskcache: ".len() + long.len();
        for (columns, expected) in
            [(None, &short), (Some(80.min(fits - 1)), &short), (Some(fits), &long), (Some(200), &long)]
        {
            assert_eq!(&line_with_way(&miss, columns), expected, "{columns:?}");
        }
        miss.duration = Some(Span::from_millis(999));
        assert_eq!(line_with_way(&miss, Some(200)), status_line(&miss));
        for outcome in [Outcome::Hit, Outcome::Refresh, Outcome::Miss(MissReason::Expired)] {
            let other = report(outcome);
            assert_eq!(line_with_way(&other, Some(200)), status_line(&other));
        }
    }

    #[test]
    fn the_line_says_what_happened() {
        let mut hit = report(Outcome::Hit);
        assert_eq!(status_line(&hit), "hit tr\\u{1b}ain 3f3f3f3f, saved 1.50s");
        hit.restored = (1, 0);
        assert_eq!(status_line(&hit), "hit tr\\u{1b}ain 3f3f3f3f, saved 1.50s, 1 file restored");
        hit.restored = (2, 3);
        assert_eq!(status_line(&hit), "hit tr\\u{1b}ain 3f3f3f3f, saved 1.50s, 2 files restored, 3 in place");
        let mut miss = report(Outcome::Miss(MissReason::Expired));
        miss.stored = true;
        assert_eq!(status_line(&miss), "miss (expired) tr\\u{1b}ain 3f3f3f3f, ran 1.50s, stored 2.0 KiB");
        miss.stored = false;
        miss.not_stored = Some(NotStored::ExitCode(3));
        let line = "miss (expired) tr\\u{1b}ain 3f3f3f3f, ran 1.50s, not stored: it exited with 3";
        assert_eq!(status_line(&miss), line);
        miss.not_stored = Some(NotStored::OutputMissing(b"out".to_vec()));
        assert_eq!(status_line(&miss), "miss (expired) tr\\u{1b}ain 3f3f3f3f, ran 1.50s, not stored");
        let stale = report(Outcome::Stale);
        assert_eq!(status_line(&stale), "stale tr\\u{1b}ain 3f3f3f3f, saved 1.50s");
        let mut bypass = report(Outcome::Bypass(BypassReason::NoCache));
        bypass.key = None;
        assert_eq!(status_line(&bypass), "bypass (no-cache) tr\\u{1b}ain, ran 1.50s");
    }
}
