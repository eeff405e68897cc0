//! Points in time, spans of time and sizes, as people type them and as the store keeps them.
//!
//! Times are milliseconds since the Unix epoch, spans are milliseconds, sizes are bytes. Parsing is left to
//! `humantime` and `bytesize`; what is ours is the refusal of what they would silently round or misread.

use super::path::printable;
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

/// A point in time: milliseconds since 1970-01-01T00:00:00Z.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp(i64);

impl Timestamp {
    /// Wraps milliseconds since the epoch.
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis)
    }

    /// Returns milliseconds since the epoch.
    pub const fn as_millis(self) -> i64 {
        self.0
    }

    /// Returns the point that is `span` later, or the last one that can be written where there is none.
    #[must_use]
    pub fn after(self, span: Span) -> Self {
        Self(self.0.saturating_add(i64::try_from(span.0).unwrap_or(i64::MAX)))
    }

    /// Returns how much later this is than `earlier`; `None` where it is not later, as after a clock was set back.
    pub fn since(self, earlier: Self) -> Option<Span> {
        self.0.checked_sub(earlier.0).and_then(|millis| u64::try_from(millis).ok()).map(Span)
    }
}

impl fmt::Display for Timestamp {
    /// Writes RFC 3339 in UTC with milliseconds.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match jiff::Timestamp::from_millisecond(self.0) {
            Ok(time) => write!(f, "{time:.3}"),
            Err(_) => write!(f, "{}ms", self.0),
        }
    }
}

/// A span of time in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Span(u64);

impl Span {
    /// Wraps milliseconds.
    pub const fn from_millis(millis: u64) -> Self {
        Self(millis)
    }

    /// Returns milliseconds.
    pub const fn as_millis(self) -> u64 {
        self.0
    }

    /// Returns the standard library's form.
    pub const fn as_duration(self) -> Duration {
        Duration::from_millis(self.0)
    }
}

impl From<Duration> for Span {
    fn from(duration: Duration) -> Self {
        Self(u64::try_from(duration.as_millis()).unwrap_or(u64::MAX))
    }
}

impl fmt::Display for Span {
    /// Writes a length that people can read at a glance: `12ms`, `1.50s`, `3m20s`, `2h05m`, `4d`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.0 / 1000;
        match self.0 {
            0..1_000 => write!(f, "{}ms", self.0),
            1_000..60_000 => write!(f, "{}.{:02}s", seconds, self.0 % 1000 / 10),
            60_000..3_600_000 => write!(f, "{}m{:02}s", seconds / 60, seconds % 60),
            3_600_000..172_800_000 => write!(f, "{}h{:02}m", seconds / 3600, seconds / 60 % 60),
            _ => write!(f, "{}d", seconds / 86_400),
        }
    }
}

/// A text that is no length of time.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("'{text}' is not a length of time ({why})")]
pub struct ParseSpanError {
    text: String,
    why: String,
}

impl FromStr for Span {
    type Err = ParseSpanError;

    /// Reads numbers with units, such as `90s`, `1d12h`, `250ms`. A bare number other than `0` is refused: nobody
    /// can know whether seconds or milliseconds were meant.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let refuse = |why: String| ParseSpanError { text: printable(text.as_bytes()), why };
        let trimmed = text.trim();
        if trimmed == "0" {
            return Ok(Self(0));
        }
        let form = || refuse("write a number and a unit, such as 90s, 15m or 1d12h".into());
        if trimmed.is_empty() || !trimmed.starts_with(|first: char| first.is_ascii_digit()) {
            return Err(form());
        }
        let duration = humantime::parse_duration(trimmed).map_err(|error| match error {
            humantime::DurationError::NumberOverflow => refuse("too long".into()),
            _ => form(),
        })?;
        let millis = u64::try_from(duration.as_millis()).map_err(|_| refuse("too long".into()))?;
        if i64::try_from(millis).is_err() {
            return Err(refuse("too long".into()));
        }
        if duration.subsec_nanos() % 1_000_000 != 0 {
            return Err(refuse("the shortest unit is a millisecond".into()));
        }
        Ok(Self(millis))
    }
}

/// A number of bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Size(u64);

impl Size {
    /// Wraps a number of bytes.
    pub const fn from_bytes(bytes: u64) -> Self {
        Self(bytes)
    }

    /// Returns the number of bytes.
    pub const fn as_bytes(self) -> u64 {
        self.0
    }
}

impl fmt::Display for Size {
    /// Writes binary units: `512 B`, `1.5 KiB`, `10.0 GiB`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", bytesize::ByteSize(self.0).display().iec())
    }
}

/// A text that is no size.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("'{text}' is not a size ({why})")]
pub struct ParseSizeError {
    text: String,
    why: String,
}

impl FromStr for Size {
    type Err = ParseSizeError;

    /// Reads `10GiB` (binary), `500MB` (decimal) or a number of bytes.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let refuse = |why: &str| ParseSizeError { text: printable(text.as_bytes()), why: why.into() };
        let size: bytesize::ByteSize =
            text.trim().parse().map_err(|_| refuse("write bytes or a unit, such as 500MB or 10GiB"))?;
        Ok(Self(size.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_as_people_write_them() {
        for (text, millis) in [
            ("0", 0),
            ("0s", 0),
            ("250ms", 250),
            ("90s", 90_000),
            ("15m", 900_000),
            ("1d12h", 129_600_000),
            ("1d 12h", 129_600_000),
            ("2w", 1_209_600_000),
            (" 1h ", 3_600_000),
        ] {
            assert_eq!(text.parse::<Span>(), Ok(Span(millis)), "{text}");
        }
    }

    #[test]
    fn spans_that_are_refused() {
        for text in ["", " ", "5", "-1s", "1x", "NaN", "s", "1.5.2s", "1us", "99999999999999999999d", "abc"] {
            assert!(text.parse::<Span>().is_err(), "{text}");
        }
        for text in ["5", "1x", "s"] {
            let error = text.parse::<Span>().unwrap_err().to_string();
            let form = "write a number and a unit, such as 90s, 15m or 1d12h";
            assert_eq!(error, format!("'{text}' is not a length of time ({form})"));
        }
    }

    #[test]
    fn spans_as_people_read_them() {
        let shown =
            [0, 12, 1_500, 61_000, 200_000, 7_500_000, 345_600_000].map(|millis| Span(millis).to_string());
        assert_eq!(shown, ["0ms", "12ms", "1.50s", "1m01s", "3m20s", "2h05m", "4d"]);
    }

    #[test]
    fn sizes() {
        for (text, bytes) in
            [("0", 0), ("512", 512), ("500MB", 500_000_000), ("10GiB", 10 << 30), ("1 KiB", 1024)]
        {
            assert_eq!(text.parse::<Size>(), Ok(Size(bytes)), "{text}");
        }
        for text in ["", "-1", "big", "1XB"] {
            assert!(text.parse::<Size>().is_err(), "{text}");
        }
        assert_eq!(Size(10 << 30).to_string(), "10.0 GiB");
    }

    #[test]
    fn times() {
        let time = Timestamp::from_millis(1_700_000_000_123);
        assert_eq!(time.to_string(), "2023-11-14T22:13:20.123Z");
        assert_eq!(time.after(Span(877)).to_string(), "2023-11-14T22:13:21.000Z");
        assert_eq!(time.since(time.after(Span(1))), None);
        assert_eq!(time.after(Span(5)).since(time), Some(Span(5)));
    }
}
