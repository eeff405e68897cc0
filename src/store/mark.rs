//! When the limits were last enforced: the file `collected`.
//!
//! Its first line is when a collection was last started, so that of many runs that end at once one starts it. Its
//! second line is the last one that was carried out, and whether it doubted the clock (see [`crate::model::doubt`]).
//! Times are milliseconds since 1970. Earlier versions wrote the first line alone.
//!
//! Whatever else stands there counts as nothing known: then a collection is due.

use super::Layout;
use crate::model::doubt::LastCollection;
use crate::model::time::Timestamp;
use crate::world::file::{FileError, replace};

const DOUBTED: &str = "doubted";

/// What the file says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Mark {
    /// When a collection was last started.
    pub(super) started: Timestamp,
    /// The last one that was carried out.
    pub(super) last: Option<LastCollection>,
}

impl Mark {
    /// Reads it; `None` where there never was a collection.
    pub(super) fn read(layout: &Layout) -> Option<Self> {
        std::fs::read(layout.path("collected")).ok().map(|bytes| Self::of(&bytes))
    }

    /// Writes it.
    pub(super) fn write(&self, layout: &Layout) -> Result<(), FileError> {
        replace(&layout.path("collected"), self.text().as_bytes())
    }

    fn of(bytes: &[u8]) -> Self {
        let text = String::from_utf8_lossy(bytes);
        let mut lines = text.lines();
        let started = lines.next().and_then(time).unwrap_or(Timestamp::from_millis(0));
        let last = lines.next().and_then(|line| match line.split_once(' ') {
            None => Some(LastCollection { time: time(line)?, doubted: false }),
            Some((first, DOUBTED)) => Some(LastCollection { time: time(first)?, doubted: true }),
            Some(_) => None,
        });
        Self { started, last }
    }

    fn text(&self) -> String {
        let mut text = format!("{}\n", self.started.as_millis());
        if let Some(LastCollection { time, doubted }) = self.last {
            let doubted = if doubted { format!(" {DOUBTED}") } else { String::new() };
            text.push_str(&format!("{}{doubted}\n", time.as_millis()));
        }
        text
    }
}

fn time(text: &str) -> Option<Timestamp> {
    text.trim().parse().ok().map(Timestamp::from_millis)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let folder = tempfile::tempdir().unwrap();
        let layout = Layout { root: folder.path().to_owned() };
        assert_eq!(Mark::read(&layout), None);
        let started = Timestamp::from_millis(1_700_000_000_123);
        let time = Timestamp::from_millis(-5);
        let lasts = [
            (None, "1700000000123\n"),
            (Some(LastCollection { time, doubted: false }), "1700000000123\n-5\n"),
            (Some(LastCollection { time, doubted: true }), "1700000000123\n-5 doubted\n"),
        ];
        for (last, text) in lasts {
            let mark = Mark { started, last };
            mark.write(&layout).unwrap();
            assert_eq!(std::fs::read_to_string(layout.path("collected")).unwrap(), text);
            assert_eq!(Mark::read(&layout), Some(mark));
        }
    }

    #[test]
    fn what_earlier_versions_and_nobody_of_ours_wrote() {
        let mark = |started, last| Mark { started: Timestamp::from_millis(started), last };
        assert_eq!(Mark::of(b"1700000000123"), mark(1_700_000_000_123, None));
        for rubbish in [&b""[..], b"\xff\xfe", b"never\n", b"\n\n\n", b"99999999999999999999"] {
            assert_eq!(Mark::of(rubbish), mark(0, None));
        }
        assert_eq!(Mark::of(b"7\n8 believed\n"), mark(7, None));
        assert_eq!(Mark::of(b"7\nx doubted\n"), mark(7, None));
    }
}
