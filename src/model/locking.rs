//! By which means processes keep out of each other's way.

use super::path::printable;
use super::time::Span;
use std::str::FromStr;

/// What processes hold while they compute a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum LockMeans {
    /// What the file system of the store can be trusted with.
    #[default]
    Auto,
    /// The kernel's locks, which end with their owner.
    Kernel,
    /// Leases, which run out when they are not renewed.
    Lease,
}

impl LockMeans {
    /// The words for them, as a config writes them.
    pub const NAMES: [&'static str; 3] = ["auto", "kernel", "lease"];

    /// Returns the word for it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Auto => "auto",
            Self::Kernel => "kernel",
            Self::Lease => "lease",
        }
    }
}

/// A text that names no means.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is none of {names}", names = LockMeans::NAMES.join(", "))]
pub struct ParseLockMeansError(String);

impl FromStr for LockMeans {
    type Err = ParseLockMeansError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let all = [Self::Auto, Self::Kernel, Self::Lease];
        let found = all.into_iter().find(|means| means.name() == text);
        found.ok_or_else(|| ParseLockMeansError(printable(text.as_bytes())))
    }
}

/// How long a lease is valid since it was last renewed: at least a second, because some file systems count in those.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LeaseLength(Span);

impl LeaseLength {
    /// What counts where nobody says otherwise.
    pub const DEFAULT: Self = Self(Span::from_millis(10_000));

    const SHORTEST: Span = Span::from_millis(1000);

    /// Returns it as a length of time.
    pub const fn span(self) -> Span {
        self.0
    }
}

impl Default for LeaseLength {
    fn default() -> Self {
        Self::DEFAULT
    }
}

impl std::fmt::Display for LeaseLength {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        humantime::format_duration(self.0.as_duration()).fmt(f)
    }
}

impl FromStr for LeaseLength {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let span: Span = text.parse().map_err(|error: super::time::ParseSpanError| error.to_string())?;
        match span < Self::SHORTEST {
            true => Err(format!("{span} is too short for a lease: it takes 1s or more")),
            false => Ok(Self(span)),
        }
    }
}

/// Means and length together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Locking {
    /// By which means.
    pub means: LockMeans,
    /// How long a lease is valid.
    pub lease: LeaseLength,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_read_back_and_nothing_else() {
        for name in LockMeans::NAMES {
            assert_eq!(name.parse::<LockMeans>().map(LockMeans::name), Ok(name));
        }
        let error = "Kernel".parse::<LockMeans>().unwrap_err();
        assert_eq!(error.to_string(), "'Kernel' is none of auto, kernel, lease");
    }

    #[test]
    fn a_lease_takes_a_second_or_more() {
        let length: LeaseLength = "90s".parse().unwrap();
        assert_eq!((length.span(), length.to_string().as_str()), (Span::from_millis(90_000), "1m 30s"));
        assert_eq!(LeaseLength::DEFAULT.to_string().parse(), Ok(LeaseLength::DEFAULT));
        let error = "999ms".parse::<LeaseLength>().unwrap_err();
        assert_eq!(error, "999ms is too short for a lease: it takes 1s or more");
        assert!("10".parse::<LeaseLength>().is_err());
    }
}
