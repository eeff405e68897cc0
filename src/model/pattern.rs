//! A path pattern: a literal path, or a glob with `**`, `*`, `?`, `[..]` and `{a,b}`.
//!
//! A pattern is taken apart once, into components. So it can be matched one folder at a time, which lets a walk
//! leave every folder alone that no match can lie below: `*/Cargo.toml` never reads `target/debug`.
//!
//! # What a pattern means
//!
//! - Everything is bytes. `?` and `[..]` take one character where the name is UTF-8 and one byte where it is not,
//!   so a name in another encoding still fits `*` and `?`.
//! - `*`, `?` and `[..]` never take a `/`. A leading dot is a character like any other.
//! - `**` as a whole component stands for any number of folders, none included; at the end for everything below.
//!   Beside other characters it is the same as `*`.
//! - `{a,b}` is written out before anything else, as in a shell, and may hold `/`, empty parts and other braces.
//! - `\` takes the meaning from the byte behind it. A pattern without an unescaped `*`, `?`, `[` or `{` is a
//!   literal path.
//! - `./a//b/` is `a/b`. A `..` in front climbs from the base folder. A `..` behind a name is left to the file
//!   system, which alone knows whether that name is a symbolic link.
//!
//! Deliberately absent: a glob library. `globset` matches bytes where characters are meant (`?` misses `é`, and an
//! input that a pattern misses is a wrong hit), lets `[!a]` take a `/`, knows whole paths only, and builds automata
//! at every start. The tests hold this module against it.

use super::path::printable;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

mod braces;
mod component;

use component::Component;

/// A compiled pattern.
///
/// Invariant: the anchor is absolute, and every alternative is a path below it without `.` and `..`. An empty
/// alternative means the anchor itself, which only a literal can mean (`.`, `..`, `/`).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PathPattern {
    anchor: PathBuf,
    prefix: Vec<u8>,
    is_glob: bool,
    alternatives: Vec<Vec<Component>>,
}

/// A pattern that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the pattern '{pattern}' {problem}")]
pub struct PatternError {
    /// The pattern, printable.
    pub pattern: String,
    /// What is wrong with it.
    pub problem: PatternProblem,
}

/// What is wrong with a pattern.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PatternProblem {
    /// There are no bytes at all.
    #[error("is empty")]
    Empty,
    /// A NUL byte, which no path can hold.
    #[error("holds a NUL byte")]
    Nul,
    /// The folder that it is relative to is not absolute.
    #[error("is relative to '{0}', which is not an absolute path")]
    RelativeBase(String),
    /// A `\` with nothing behind it.
    #[error("ends in a '\\' that escapes nothing")]
    DanglingEscape,
    /// A `[` without its `]` in the same component.
    #[error("has a '[' without its ']' (write '\\[' for the character itself)")]
    UnclosedClass,
    /// A range that ends before it begins.
    #[error("has the range '{0}-{1}', which ends before it begins")]
    InvalidRange(char, char),
    /// `[[:alpha:]]` and the like.
    #[error("has a named class such as '[:alpha:]', which is not supported; write a range such as [a-z]")]
    NamedClass,
    /// A `[..]` that is not UTF-8.
    #[error("has a '[..]' that is not UTF-8")]
    ClassEncoding,
    /// A `{` without its `}`.
    #[error("has a '{{' without its '}}' (write '\\{{' for the character itself)")]
    UnclosedBrace,
    /// More alternatives or braces than anybody means.
    #[error("stands for more than {} alternatives", braces::MAX_ALTERNATIVES)]
    TooManyAlternatives,
    /// A part of a leading `{..}` that begins with `/`.
    #[error("has an alternative that begins with '/' (use one pattern for each root)")]
    RootedAlternative,
    /// A part of a leading `{..}` that leaves no path.
    #[error("has an alternative that names no path")]
    EmptyAlternative,
    /// A `..` at or behind a wildcard.
    #[error("has a '..' behind a wildcard")]
    ParentBehindWildcard,
}

impl PathPattern {
    /// Compiles a pattern that is relative to `base`, an absolute folder.
    ///
    /// A `..` in front is taken off the base as text, so the base has to be free of symbolic links, as the working
    /// directory of `world::host` is.
    pub fn new(text: &[u8], base: &Path) -> Result<Self, PatternError> {
        Self::compile(text, base).map_err(|problem| PatternError { pattern: printable(text), problem })
    }

    /// Makes a pattern that means exactly this path, whatever characters it has.
    pub fn literal(path: &[u8], base: &Path) -> Result<Self, PatternError> {
        Self::check(path, base)
            .map(|()| Self::from_steps(steps(path).map(<[u8]>::to_vec).collect(), path, base))
            .map_err(|problem| PatternError { pattern: printable(path), problem })
    }

    fn check(text: &[u8], base: &Path) -> Result<(), PatternProblem> {
        if text.is_empty() {
            return Err(PatternProblem::Empty);
        }
        if text.contains(&0) {
            return Err(PatternProblem::Nul);
        }
        if !base.is_absolute() {
            return Err(PatternProblem::RelativeBase(printable(base.as_os_str().as_bytes())));
        }
        Ok(())
    }

    fn compile(text: &[u8], base: &Path) -> Result<Self, PatternProblem> {
        Self::check(text, base)?;
        let Some(wild) = component::first_wildcard(text)? else {
            return Ok(Self::from_steps(component::unescaped(steps(text))?, text, base));
        };
        let cut = text[..wild].iter().rposition(|byte| *byte == b'/').map_or(0, |slash| slash + 1);
        let folder = component::unescaped(steps(&text[..cut]))?;
        let mut alternatives = Vec::new();
        for alternative in braces::written_out(&text[cut..])? {
            if alternative.starts_with(b"/") {
                return Err(PatternProblem::RootedAlternative);
            }
            let mut components = Vec::new();
            for step in steps(&alternative) {
                match Component::new(step)? {
                    Component::AnyDepth if components.last() == Some(&Component::AnyDepth) => {}
                    component => components.push(component),
                }
            }
            match components.last() {
                None => return Err(PatternProblem::EmptyAlternative),
                Some(Component::AnyDepth) => components.push(Component::any_name()),
                Some(_) => {}
            }
            if !alternatives.contains(&components) {
                alternatives.push(components);
            }
        }
        Ok(Self {
            anchor: anchored(&folder, text, base),
            prefix: prefix(&folder, text),
            is_glob: true,
            alternatives,
        })
    }

    fn from_steps(mut path: Vec<Vec<u8>>, text: &[u8], base: &Path) -> Self {
        let name = path.pop_if(|last| last != b"..");
        Self {
            anchor: anchored(&path, text, base),
            prefix: prefix(&path, text),
            is_glob: false,
            alternatives: vec![name.into_iter().map(Component::literal).collect()],
        }
    }

    /// Returns whether the pattern has wildcards.
    pub const fn is_glob(&self) -> bool {
        self.is_glob
    }

    /// Returns the absolute folder that matches lie below: the parent of a literal path, and the longest literal
    /// folder in front of a glob. For `.`, `..` and `/` it is the folder itself.
    pub fn anchor(&self) -> &Path {
        &self.anchor
    }

    /// Returns the last component of a literal path; `None` for a glob and for `.`, `..` and `/`.
    pub fn literal_name(&self) -> Option<&[u8]> {
        match self.alternatives.as_slice() {
            [path] if !self.is_glob => path.first()?.as_literal(),
            _ => None,
        }
    }

    /// Returns the absolute path that a literal means; `None` for a glob.
    pub fn literal_path(&self) -> Option<PathBuf> {
        let below = self.literal_name().map(|name| self.anchor.join(OsStr::from_bytes(name)));
        (!self.is_glob).then(|| below.unwrap_or_else(|| self.anchor.clone()))
    }

    /// Returns what a path below the anchor is called: as the pattern spells it, so relative to the base folder for
    /// a relative pattern and absolute for an absolute one.
    pub fn named(&self, relative_to_anchor: &[u8]) -> Vec<u8> {
        match (self.prefix.as_slice(), relative_to_anchor) {
            (b"", b"") => b".".to_vec(),
            (prefix, b"") => prefix.to_vec(),
            (b"", below) => below.to_vec(),
            (b"/", below) => [b"/", below].concat(),
            (prefix, below) => [prefix, b"/", below].concat(),
        }
    }

    /// Returns whether a path below the anchor fits the pattern. The path is plain: no empty, `.` or `..`
    /// components.
    pub fn matches(&self, relative_to_anchor: &[u8]) -> bool {
        let (folders, name) = match relative_to_anchor.iter().rposition(|byte| *byte == b'/') {
            Some(slash) => (&relative_to_anchor[..slash], &relative_to_anchor[slash + 1..]),
            None => (&b""[..], relative_to_anchor),
        };
        if name.is_empty() {
            return self.means_anchor();
        }
        let reached = steps(folders).fold(self.start(), |reached, step| self.advance(&reached, step));
        self.accepts(&reached, name)
    }

    /// Returns whether a path below the anchor, or a folder above it, fits the pattern.
    pub fn covers(&self, relative_to_anchor: &[u8]) -> bool {
        if let Some(name) = self.literal_name() {
            return steps(relative_to_anchor).next() == Some(name);
        }
        let mut reached = self.start();
        self.means_anchor()
            || steps(relative_to_anchor).any(|step| {
                let accepted = self.accepts(&reached, step);
                reached = self.advance(&reached, step);
                accepted
            })
    }

    /// Returns whether a path below the anchor fits, or something below it could.
    pub fn may_match_below(&self, relative_to_anchor: &[u8]) -> bool {
        let mut reached = self.start();
        self.means_anchor()
            || steps(relative_to_anchor).all(|step| {
                let accepted = self.accepts(&reached, step);
                reached = self.advance(&reached, step);
                accepted || !reached.is_dead()
            })
            || self.covers(relative_to_anchor)
    }

    /// Returns whether an absolute path, or a folder above it, fits the pattern.
    pub fn covers_path(&self, path: &Path) -> bool {
        let anchor = self.anchor.as_os_str().as_bytes();
        // The common spelling of what lies below, without taking both paths apart.
        if let Some([b'/', below @ ..]) = path.as_os_str().as_bytes().strip_prefix(anchor) {
            return self.covers(below);
        }
        path.strip_prefix(&self.anchor).is_ok_and(|below| self.covers(below.as_os_str().as_bytes()))
    }

    fn means_anchor(&self) -> bool {
        self.alternatives.iter().any(Vec::is_empty)
    }

    /// Returns where matching stands at the anchor.
    pub(crate) fn start(&self) -> Reached {
        let mut reached = Reached::default();
        for alternative in 0..self.alternatives.len() {
            self.reach(&mut reached, alternative, 0);
        }
        reached
    }

    /// Returns where matching stands in the folder `name` of a folder where it stood at `reached`.
    pub(crate) fn advance(&self, reached: &Reached, name: &[u8]) -> Reached {
        let mut next = Reached::default();
        for &(alternative, position) in &reached.0 {
            match self.alternatives[alternative].get(position) {
                Some(Component::AnyDepth) => self.reach(&mut next, alternative, position),
                Some(component) if component.matches(name) => {
                    self.reach(&mut next, alternative, position + 1);
                }
                _ => {}
            }
        }
        next
    }

    /// Returns whether `name` fits in a folder where matching stands at `reached`.
    pub(crate) fn accepts(&self, reached: &Reached, name: &[u8]) -> bool {
        reached.0.iter().any(|&(alternative, position)| {
            let components = &self.alternatives[alternative];
            position + 1 == components.len() && components[position].matches(name)
        })
    }

    /// A position in front of `**` is at once one behind it, as `**` may stand for no folder.
    fn reach(&self, reached: &mut Reached, alternative: usize, position: usize) {
        let components = &self.alternatives[alternative];
        if position < components.len() && !reached.0.contains(&(alternative, position)) {
            reached.0.push((alternative, position));
            if components[position] == Component::AnyDepth {
                self.reach(reached, alternative, position + 1);
            }
        }
    }
}

/// How far the alternatives of a pattern are matched: their numbers, and the next component of each.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Reached(Vec<(usize, usize)>);

impl Reached {
    /// Returns whether nothing further down can fit.
    pub(crate) const fn is_dead(&self) -> bool {
        self.0.is_empty()
    }
}

/// Patterns that take out: what they match, and everything below.
///
/// They judge a path by its spelling. One that leads through a symbolic link or a `..` behind a name is another
/// path than the one it leads to.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Exclusions {
    patterns: Vec<PathPattern>,
}

impl Exclusions {
    /// Joins patterns.
    pub const fn new(patterns: Vec<PathPattern>) -> Self {
        Self { patterns }
    }

    /// Returns whether nothing is taken out.
    pub const fn is_empty(&self) -> bool {
        self.patterns.is_empty()
    }

    /// Returns whether an absolute path is taken out, by itself or with a folder above it.
    pub fn covers(&self, path: &Path) -> bool {
        self.patterns.iter().any(|pattern| pattern.covers_path(path))
    }
}

/// Returns the components that mean something.
fn steps(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    text.split(|byte| *byte == b'/').filter(|step| !step.is_empty() && *step != b".")
}

fn anchored(folder: &[Vec<u8>], text: &[u8], base: &Path) -> PathBuf {
    let mut anchor: PathBuf =
        if text.starts_with(b"/") { PathBuf::from("/") } else { base.components().collect() };
    let mut in_front = true;
    for step in folder {
        in_front &= step == b"..";
        if in_front && anchor.parent().is_none() {
            continue;
        }
        // Where the base itself ends in `..`, only the file system knows what is above it.
        if !in_front || anchor.file_name().is_none() || !anchor.pop() {
            anchor.push(OsStr::from_bytes(step));
        }
    }
    anchor
}

fn prefix(folder: &[Vec<u8>], text: &[u8]) -> Vec<u8> {
    let root: &[u8] = if text.starts_with(b"/") { b"/" } else { b"" };
    [root, &folder.join(&b'/')].concat()
}

#[cfg(test)]
mod tests;
