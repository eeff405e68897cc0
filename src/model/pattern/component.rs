//! One component of a pattern: what one file name has to look like.

use super::PatternProblem;

/// What stands between two slashes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Component {
    /// `**`: any number of folders, none included.
    AnyDepth,
    /// One name.
    Name(Vec<Piece>),
}

/// A part of a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Piece {
    /// Exactly these bytes.
    Bytes(Vec<u8>),
    /// `?`: one character.
    One,
    /// `*`: any characters, none included.
    Many,
    /// `[a-z]` or `[!a-z]`: one character that is, or is not, in one of the ranges.
    Class { negated: bool, ranges: Vec<(char, char)> },
}

impl Component {
    /// Reads a component that has no braces.
    pub(super) fn new(text: &[u8]) -> Result<Self, PatternProblem> {
        if text == b"**" {
            return Ok(Self::AnyDepth);
        }
        let mut pieces = Vec::new();
        let mut bytes = Vec::new();
        let mut at = 0;
        while at < text.len() {
            let piece = match text[at] {
                b'*' => Piece::Many,
                b'?' => Piece::One,
                b'[' => {
                    let behind = behind_class(text, at).ok_or(PatternProblem::UnclosedClass)?;
                    let piece = class(&text[at + 1..behind - 1])?;
                    at = behind - 1;
                    piece
                }
                byte => {
                    at += usize::from(byte == b'\\');
                    bytes.push(*text.get(at).ok_or(PatternProblem::DanglingEscape)?);
                    at += 1;
                    continue;
                }
            };
            at += 1;
            if !bytes.is_empty() {
                pieces.push(Piece::Bytes(std::mem::take(&mut bytes)));
            }
            if piece != Piece::Many || pieces.last() != Some(&Piece::Many) {
                pieces.push(piece);
            }
        }
        if bytes == b".." && pieces.is_empty() {
            return Err(PatternProblem::ParentBehindWildcard);
        }
        if !bytes.is_empty() {
            pieces.push(Piece::Bytes(bytes));
        }
        Ok(Self::Name(pieces))
    }

    /// Makes a component that is one name exactly.
    pub(super) fn literal(name: Vec<u8>) -> Self {
        Self::Name(vec![Piece::Bytes(name)])
    }

    /// Makes a component that is any name.
    pub(super) fn any_name() -> Self {
        Self::Name(vec![Piece::Many])
    }

    /// Returns the name that this component is, where there is only one.
    pub(super) fn as_literal(&self) -> Option<&[u8]> {
        match self {
            Self::Name(pieces) => match pieces.as_slice() {
                [Piece::Bytes(name)] => Some(name),
                _ => None,
            },
            Self::AnyDepth => None,
        }
    }

    /// Returns whether a name fits. `**` fits any.
    pub(super) fn matches(&self, name: &[u8]) -> bool {
        match self {
            Self::AnyDepth => true,
            Self::Name(pieces) => pieces_match(pieces, name),
        }
    }
}

/// Where pieces fail behind a `*`, that `*` takes one character more. Only the last `*` has to be tried again, as
/// whatever an earlier one could take, the last one can; so the time is at most pieces times characters.
fn pieces_match(pieces: &[Piece], name: &[u8]) -> bool {
    let (mut piece, mut rest) = (0, name);
    let mut retry: Option<(usize, &[u8])> = None;
    loop {
        let taken = match pieces.get(piece) {
            Some(Piece::Many) => {
                if piece + 1 == pieces.len() {
                    return true;
                }
                retry = Some((piece, rest));
                Some(rest)
            }
            Some(single) => single.take(rest),
            None if rest.is_empty() => return true,
            None => None,
        };
        if let Some(left) = taken {
            (piece, rest) = (piece + 1, left);
            continue;
        }
        let Some((star, from)) = retry.filter(|(_, from)| !from.is_empty()) else { return false };
        rest = &from[character(from).1..];
        retry = Some((star, rest));
        piece = star + 1;
    }
}

impl Piece {
    /// Returns what is left of a name behind this piece, or `None` where it does not fit.
    fn take<'n>(&self, name: &'n [u8]) -> Option<&'n [u8]> {
        match self {
            Self::Bytes(bytes) => name.strip_prefix(bytes.as_slice()),
            Self::Many => Some(name),
            Self::One if name.is_empty() => None,
            Self::One => Some(&name[character(name).1..]),
            Self::Class { .. } if name.is_empty() => None,
            Self::Class { negated, ranges } => {
                let (found, length) = character(name);
                let within = found.is_some_and(|found| {
                    ranges.iter().any(|(first, last)| (*first..=*last).contains(&found))
                });
                (within != *negated).then(|| &name[length..])
            }
        }
    }
}

/// Returns the first character of a name that is not empty, and its length: one byte without a character where the
/// name is not UTF-8.
fn character(name: &[u8]) -> (Option<char>, usize) {
    let head = &name[..name.len().min(4)];
    match head.utf8_chunks().next().and_then(|chunk| chunk.valid().chars().next()) {
        Some(found) => (Some(found), found.len_utf8()),
        None => (None, 1),
    }
}

/// Returns the position behind the `]` of the class that begins at `open`, or `None` where it does not end. A `]` that
/// comes first is a character of the class.
pub(super) fn behind_class(text: &[u8], open: usize) -> Option<usize> {
    let mut at = open + 1;
    at += usize::from(matches!(text.get(at), Some(b'!' | b'^')));
    at += usize::from(text.get(at) == Some(&b']'));
    loop {
        match text.get(at)? {
            b']' => return Some(at + 1),
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
}

/// Reads what stands between `[` and `]`.
fn class(inside: &[u8]) -> Result<Piece, PatternProblem> {
    let inside = str::from_utf8(inside).map_err(|_| PatternProblem::ClassEncoding)?;
    if inside.contains("[:") {
        return Err(PatternProblem::NamedClass);
    }
    let (negated, inside) = match inside.strip_prefix(['!', '^']) {
        Some(rest) => (true, rest),
        None => (false, inside),
    };
    ranges(inside).map(|ranges| Piece::Class { negated, ranges })
}

fn ranges(inside: &str) -> Result<Vec<(char, char)>, PatternProblem> {
    // Each character, and whether it was escaped: an escaped `-` makes no range.
    let mut characters = Vec::new();
    let mut raw = inside.chars();
    while let Some(read) = raw.next() {
        characters.push(match read {
            '\\' => (raw.next().ok_or(PatternProblem::DanglingEscape)?, true),
            read => (read, false),
        });
    }
    let mut ranges = Vec::new();
    let mut rest = characters.as_slice();
    loop {
        match rest {
            [] => return Ok(ranges),
            [(first, _), ('-', false), (last, _), behind @ ..] => {
                if first > last {
                    return Err(PatternProblem::InvalidRange(*first, *last));
                }
                ranges.push((*first, *last));
                rest = behind;
            }
            [(only, _), behind @ ..] => {
                ranges.push((*only, *only));
                rest = behind;
            }
        }
    }
}

/// Returns where the first character stands that makes a pattern of a path.
pub(super) fn first_wildcard(text: &[u8]) -> Result<Option<usize>, PatternProblem> {
    let mut at = 0;
    while at < text.len() {
        match text[at] {
            b'*' | b'?' | b'[' | b'{' => return Ok(Some(at)),
            b'\\' if at + 1 == text.len() => return Err(PatternProblem::DanglingEscape),
            b'\\' => at += 2,
            _ => at += 1,
        }
    }
    Ok(None)
}

/// Returns components without wildcards as the names that they mean.
pub(super) fn unescaped<'s>(steps: impl Iterator<Item = &'s [u8]>) -> Result<Vec<Vec<u8>>, PatternProblem> {
    let mut names = Vec::new();
    for step in steps {
        let mut name = Vec::with_capacity(step.len());
        let mut bytes = step.iter();
        while let Some(byte) = bytes.next() {
            name.push(match byte {
                b'\\' => *bytes.next().ok_or(PatternProblem::DanglingEscape)?,
                byte => *byte,
            });
        }
        if name != b"." {
            names.push(name);
        }
    }
    Ok(names)
}
