//! Relative paths that cannot leave the place they are relative to.
//!
//! The store's results are data that somebody else may have written, so the type that names a restored file is
//! the first wall: no value of [`RelPath`] is absolute, empty, climbs with `..` or hides a NUL byte, however it was
//! made. The rules are those that the path-traversal bugs of other caches teach (Gradle CVE-2023-35947, node-tar
//! CVE-2021-32803): components are judged one by one, as bytes, and never cleaned up on the quiet.

use std::borrow::Borrow;
use std::ffi::OsStr;
use std::fmt;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// How many components a path may have; deeper trees are refused (Nix CVE-2024-45593 was unbounded recursion).
pub const MAX_DEPTH: usize = 64;

/// A relative path of plain components, joined by `/`, as bytes.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RelPath(Vec<u8>);

/// Why bytes are not a [`RelPath`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RelPathError {
    /// There is no component at all.
    #[error("the path is empty")]
    Empty,
    /// It begins at the root.
    #[error("the path '{0}' is absolute")]
    Absolute(String),
    /// A component is empty, as in `a//b` or `a/`.
    #[error("the path '{0}' has an empty component")]
    EmptyComponent(String),
    /// A component is `.` or `..`.
    #[error("the path '{0}' has a '.' or '..' component")]
    Dots(String),
    /// A NUL byte, which no file system can hold.
    #[error("the path '{0}' holds a NUL byte")]
    Nul(String),
    /// A component longer than the 255 bytes that file systems take.
    #[error("the path '{0}' has a component of more than 255 bytes")]
    LongComponent(String),
    /// More than [`MAX_DEPTH`] components.
    #[error("the path '{0}' is more than {MAX_DEPTH} components deep")]
    Deep(String),
}

impl RelPath {
    /// Checks bytes and wraps them.
    pub fn new(bytes: impl Into<Vec<u8>>) -> Result<Self, RelPathError> {
        let bytes = bytes.into();
        let shown = || printable(&bytes);
        if bytes.is_empty() {
            return Err(RelPathError::Empty);
        }
        if bytes.starts_with(b"/") {
            return Err(RelPathError::Absolute(shown()));
        }
        for (depth, component) in bytes.split(|byte| *byte == b'/').enumerate() {
            match component {
                b"" => return Err(RelPathError::EmptyComponent(shown())),
                b"." | b".." => return Err(RelPathError::Dots(shown())),
                _ if component.contains(&0) => return Err(RelPathError::Nul(shown())),
                _ if component.len() > 255 => return Err(RelPathError::LongComponent(shown())),
                _ if depth >= MAX_DEPTH => return Err(RelPathError::Deep(shown())),
                _ => {}
            }
        }
        Ok(Self(bytes))
    }

    /// Returns the bytes.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// Returns the path for use with the standard library.
    pub fn as_path(&self) -> &Path {
        Path::new(OsStr::from_bytes(&self.0))
    }

    /// Returns the components, outermost first.
    pub fn components(&self) -> impl Iterator<Item = &OsStr> {
        self.0.split(|byte| *byte == b'/').map(OsStr::from_bytes)
    }

    /// Returns the last component.
    pub fn name(&self) -> &OsStr {
        OsStr::from_bytes(self.0.rsplit(|byte| *byte == b'/').next().unwrap_or(&self.0))
    }

    /// Returns the first component as a path of its own.
    #[must_use]
    pub fn root(&self) -> Self {
        let end = self.0.iter().position(|byte| *byte == b'/').unwrap_or(self.0.len());
        Self(self.0[..end].to_vec())
    }

    /// Returns the bytes of the path without its last component, or `None` where there is only one.
    pub fn parent_bytes(&self) -> Option<&[u8]> {
        let cut = self.0.iter().rposition(|byte| *byte == b'/')?;
        Some(&self.0[..cut])
    }

    /// Returns the path without its last component, or `None` where there is only one.
    pub fn parent(&self) -> Option<Self> {
        self.parent_bytes().map(|bytes| Self(bytes.to_vec()))
    }
}

/// Equal paths are equal bytes, so that one can be looked up by the bytes of another.
impl Borrow<[u8]> for RelPath {
    fn borrow(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Display for RelPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&printable(&self.0))
    }
}

impl fmt::Debug for RelPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RelPath({self})")
    }
}

/// Returns bytes as text that is safe on a terminal: control characters and broken UTF-8 are escaped, all else is
/// as it was. Names come from file systems and from stores, and an escape sequence in one must not reach a screen.
pub fn printable(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    for chunk in bytes.utf8_chunks() {
        for character in chunk.valid().chars() {
            if character.is_control() || is_direction_mark(character) {
                text.extend(character.escape_default());
            } else {
                text.push(character);
            }
        }
        for byte in chunk.invalid() {
            text.push_str(&format!("\\x{byte:02x}"));
        }
    }
    text
}

/// Marks that reorder the text around them, which can make a name read as another one.
const fn is_direction_mark(character: char) -> bool {
    matches!(character, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn plain_paths_are_taken_apart() {
        let path = RelPath::new("out/bin/tool").unwrap();
        assert_eq!(path.components().collect::<Vec<_>>(), ["out", "bin", "tool"]);
        assert_eq!(path.name(), "tool");
        assert_eq!(path.parent(), Some(RelPath::new("out/bin").unwrap()));
        assert_eq!(RelPath::new("tool").unwrap().parent(), None);
    }

    #[test]
    fn hostile_paths_are_refused_with_their_reason() {
        let long = "x".repeat(256);
        let deep = vec!["d"; MAX_DEPTH + 1].join("/");
        let cases: [(&[u8], RelPathError); 10] = [
            (b"", RelPathError::Empty),
            (b"/etc/passwd", RelPathError::Absolute("/etc/passwd".into())),
            (b"a//b", RelPathError::EmptyComponent("a//b".into())),
            (b"a/", RelPathError::EmptyComponent("a/".into())),
            (b"..", RelPathError::Dots("..".into())),
            (b"a/../b", RelPathError::Dots("a/../b".into())),
            (b"./a", RelPathError::Dots("./a".into())),
            (b"a\0b", RelPathError::Nul("a\\u{0}b".into())),
            (long.as_bytes(), RelPathError::LongComponent(long.clone())),
            (deep.as_bytes(), RelPathError::Deep(deep.clone())),
        ];
        for (bytes, error) in cases {
            assert_eq!(RelPath::new(bytes), Err(error));
        }
        assert!(RelPath::new(vec!["d"; MAX_DEPTH].join("/")).is_ok());
    }

    #[test]
    fn names_cannot_speak_to_the_terminal() {
        assert_eq!(printable(b"a\x1b[31m\n\xff\xc3\xa9"), "a\\u{1b}[31m\\n\\xff\u{e9}");
        assert_eq!(printable("x\u{202e}y".as_bytes()), "x\\u{202e}y");
    }

    proptest! {
        #[test]
        fn no_path_escapes(bytes in prop::collection::vec(prop::sample::select(b"/.ab\0\xff".to_vec()), 0..12)) {
            if let Ok(path) = RelPath::new(bytes) {
                let joined = Path::new("/root").join(path.as_path());
                prop_assert!(joined.starts_with("/root/"));
                prop_assert!(path.components().all(|part| part != ".." && part != "." && !part.is_empty()));
            }
        }
    }
}
