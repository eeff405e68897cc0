//! The small grammars of values: `[NAME=][!|?]PATTERN`, `NAME=TEXT`, `[NAME=]CMD`, patterns of variables.
//!
//! All of them are read as bytes. A name is what can be told apart from a path and a shell word at a glance:
//! `[A-Za-z_][A-Za-z0-9_.-]*`. What looks like `NAME=` is a name; a path of that form is written `./a=b`, and a
//! probe that begins with an assignment `env A=b …`.

use super::settings::{NamedValue, Pattern, PatternKind, ProbeCommand};
use crate::model::path::printable;
use std::path::Path;

/// Why a value cannot be read. Texts within are safe on a terminal.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ValueError {
    /// Nothing stands where a pattern is needed.
    #[error("'{0}' names nothing")]
    NamesNothing(String),
    /// A variable with a value.
    #[error("'{0}' is no name of a variable (its value comes from the environment)")]
    Assigned(String),
    /// A literal input without a name.
    #[error("'{0}' is not NAME=TEXT")]
    NoName(String),
    /// A probe without a command.
    #[error("'{0}' has no command")]
    NoCommand(String),
}

/// Returns whether bytes are a name.
pub fn is_name(bytes: &[u8]) -> bool {
    let starts = |byte: u8| byte.is_ascii_alphabetic() || byte == b'_';
    let follows = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-');
    bytes.split_first().is_some_and(|(first, rest)| starts(*first) && rest.iter().all(|byte| follows(*byte)))
}

/// Splits `NAME=` off, where a name stands there.
fn named(bytes: &[u8]) -> (Option<String>, &[u8]) {
    let at = bytes.iter().position(|byte| *byte == b'=');
    match at.map(|at| (&bytes[..at], &bytes[at + 1..])) {
        Some((name, rest)) if is_name(name) => (String::from_utf8(name.to_vec()).ok(), rest),
        _ => (None, bytes),
    }
}

/// Splits a mark off.
fn marked(bytes: &[u8]) -> (PatternKind, &[u8]) {
    match bytes.split_first() {
        Some((b'!', rest)) => (PatternKind::Excluded, rest),
        Some((b'?', rest)) => (PatternKind::Optional, rest),
        _ => (PatternKind::Required, bytes),
    }
}

impl Pattern {
    /// Reads `[NAME=][!|?]PATTERN`; the mark may also stand before the name.
    pub fn parse(bytes: &[u8], base: &Path) -> Result<Self, ValueError> {
        let (outer, rest) = marked(bytes);
        let (name, rest) = named(rest);
        let (kind, text) = if outer == PatternKind::Required { marked(rest) } else { (outer, rest) };
        if text.is_empty() {
            return Err(ValueError::NamesNothing(printable(bytes)));
        }
        Ok(Self { name, kind, text: text.to_vec(), base: base.to_owned() })
    }
}

impl NamedValue {
    /// Reads `NAME=TEXT`. The text may be empty.
    pub fn parse(bytes: &[u8]) -> Result<Self, ValueError> {
        match named(bytes) {
            (Some(name), text) => Ok(Self { name, text: text.to_vec() }),
            (None, _) => Err(ValueError::NoName(printable(bytes))),
        }
    }
}

impl ProbeCommand {
    /// Reads `[NAME=]CMD`.
    pub fn parse(bytes: &[u8]) -> Result<Self, ValueError> {
        let (name, command) = named(bytes);
        if command.trim_ascii().is_empty() {
            return Err(ValueError::NoCommand(printable(bytes)));
        }
        let name = name.map_or_else(|| command.to_vec(), String::into_bytes);
        Ok(Self { name, command: command.to_vec() })
    }
}

/// Reads a pattern of variables, `!` in front takes out.
pub fn variable_pattern(bytes: &[u8]) -> Result<Vec<u8>, ValueError> {
    let pattern = bytes.strip_prefix(b"!").unwrap_or(bytes);
    if pattern.is_empty() {
        return Err(ValueError::NamesNothing(printable(bytes)));
    }
    // `-e NAME=VALUE` sets a variable elsewhere, in docker for one.
    if pattern.contains(&b'=') {
        return Err(ValueError::Assigned(printable(bytes)));
    }
    Ok(bytes.to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;
    use PatternKind::{Excluded, Optional, Required};

    #[test]
    fn patterns() {
        type Case<'c> = (&'c [u8], Option<&'c str>, PatternKind, &'c [u8]);
        let cases: [Case<'_>; 15] = [
            (b"a.c", None, Required, b"a.c"),
            (b"?a.c", None, Optional, b"a.c"),
            (b"!a.c", None, Excluded, b"a.c"),
            (b"src=a.c", Some("src"), Required, b"a.c"),
            (b"src=?a.c", Some("src"), Optional, b"a.c"),
            (b"src=!a.c", Some("src"), Excluded, b"a.c"),
            (b"?src=a.c", Some("src"), Optional, b"a.c"),
            (b"!src=a.c", Some("src"), Excluded, b"a.c"),
            (b"!?.c", None, Excluded, b"?.c"),
            (b"./a=b", None, Required, b"./a=b"),
            (b"src/a=b", None, Required, b"src/a=b"),
            (b"1=b", None, Required, b"1=b"),
            (b"_x.y-z=b=c", Some("_x.y-z"), Required, b"b=c"),
            (b"=b", None, Required, b"=b"),
            (b"\xff\xfe=\xff", None, Required, b"\xff\xfe=\xff"),
        ];
        for (written, name, kind, text) in cases {
            let pattern = Pattern::parse(written, Path::new("/work")).unwrap();
            let expected =
                Pattern { name: name.map(Into::into), kind, text: text.into(), base: "/work".into() };
            assert_eq!(pattern, expected, "{}", printable(written));
        }
        for written in ["", "!", "?", "a=", "a=!", "!a="] {
            let error = Pattern::parse(written.as_bytes(), Path::new("/work")).unwrap_err();
            assert_eq!(error.to_string(), format!("'{written}' names nothing"));
        }
    }

    #[test]
    fn named_values_and_probes() {
        let value = NamedValue::parse(b"lr=0.1=\xff").unwrap();
        assert_eq!((value.name.as_str(), value.text.as_slice()), ("lr", &b"0.1=\xff"[..]));
        assert!(NamedValue::parse(b"lr=").unwrap().text.is_empty());
        assert_eq!(NamedValue::parse(b"lr").unwrap_err().to_string(), "'lr' is not NAME=TEXT");
        assert_eq!(NamedValue::parse(b"/a=b").unwrap_err().to_string(), "'/a=b' is not NAME=TEXT");
        let probe = ProbeCommand::parse(b"cc=cc --version").unwrap();
        assert_eq!((probe.name.as_slice(), probe.command.as_slice()), (&b"cc"[..], &b"cc --version"[..]));
        let probe = ProbeCommand::parse(b"cc -v | grep a=b").unwrap();
        assert_eq!(probe.name, probe.command);
        assert_eq!(ProbeCommand::parse(b"cc= ").unwrap_err().to_string(), "'cc= ' has no command");
        assert_eq!(ProbeCommand::parse(b"").unwrap_err().to_string(), "'' has no command");
    }

    #[test]
    fn patterns_of_variables() {
        for pattern in ["LANG", "LC_*", "!LC_ALL", "*"] {
            assert_eq!(variable_pattern(pattern.as_bytes()).unwrap(), pattern.as_bytes());
        }
        for pattern in ["", "!", "LANG=C"] {
            assert!(variable_pattern(pattern.as_bytes()).is_err(), "{pattern}");
        }
    }
}
