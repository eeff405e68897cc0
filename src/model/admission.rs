//! Which entries are taken from elsewhere: out of an import, and one day from a remote.
//!
//! An entry of our own was made by a run that we started; one from elsewhere may have been made by anybody, to be
//! restored into somebody's tree. The encodings already refuse what no entry may hold: paths that are absolute,
//! climb, hide a NUL byte, have names of more than 255 bytes or are more than 64 deep; trees that are unsorted, name a
//! path twice or put something below a file; modes with set-id bits and kinds that are no file, folder or link; counts
//! that the bytes cannot hold. Here stand the rules for what a run may leave and a stranger may not send:
//!
//! - A link leads to something within its own output. It may climb only at its beginning, never behind a name, because
//!   that name may be a link itself; and where it comes out there is a path that the same output holds. So nothing
//!   that is written through it later leaves the output (node-tar CVE-2021-32803, git CVE-2024-32002).
//! - Counts and sizes have bounds, their sum too, and one digest has one size: nothing is allocated or written for a
//!   claim alone (Nix CVE-2024-45593).
//! - The time of its making is not in the future: it would stand above every entry that is made here.
//!
//! Deliberately absent: any belief in the key. Whoever can write entries can put any result under any key, and only
//! a signature could tell.

use super::codec::DecodeError;
use super::digest::Digest;
use super::entry::{Content, Entry};
use super::fingerprint::CacheKey;
use super::output::{NodeKind, OutputNode, OutputTree};
use super::path::{RelPath, printable};
use super::time::{Size, Span, Timestamp};

/// How many bytes the record of an entry may have.
pub const MAX_ENTRY: u64 = 16 * 1024 * 1024;

/// How many files, folders and links an entry may hold.
pub const MAX_NODES: usize = 1_000_000;

/// How many bytes the record of a list of dependencies may have.
pub const MAX_PATH_SET: u64 = 4 * 1024 * 1024;

/// How far in the future something may have been made: clocks differ a little.
pub const SKEW: Span = Span::from_millis(5 * 60 * 1000);

/// Why an entry is not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Its record is too large to be looked at.
    #[error("its record has {0} bytes, and {MAX_ENTRY} are the most")]
    Record(u64),
    /// Its record is not what an entry may be.
    #[error(transparent)]
    Decode(#[from] DecodeError),
    /// It holds too many files, folders and links.
    #[error("it holds {0} files, and {MAX_NODES} are the most")]
    Nodes(usize),
    /// A link has an absolute target.
    #[error("the link '{path}' leads to the absolute path '{}'", printable(target))]
    AbsoluteLink {
        /// The link.
        path: RelPath,
        /// Its text.
        target: Vec<u8>,
    },
    /// A link has a target outside of its output.
    #[error("the link '{path}' leads out of its output, to '{}'", printable(target))]
    EscapingLink {
        /// The link.
        path: RelPath,
        /// Its text.
        target: Vec<u8>,
    },
    /// One digest stands for two sizes.
    #[error("content {} has two sizes", .0.short())]
    TwoSizes(Digest),
    /// Its contents are larger than anything may be here.
    #[error("its contents have {bytes} bytes, and the store takes {most}")]
    Size {
        /// What it claims; the most that can be counted where it claims more.
        bytes: u64,
        /// What is allowed.
        most: u64,
    },
    /// It was made later than now.
    #[error("it was made in the future, at {0}")]
    Future(Timestamp),
}

/// Reads the record of an entry from elsewhere, and refuses it where it breaks a rule. `most` is how many bytes of
/// content may be stored.
pub fn admit(record: &[u8], most: Size, now: Timestamp) -> Result<Entry, Refusal> {
    if record.len() as u64 > MAX_ENTRY {
        return Err(Refusal::Record(record.len() as u64));
    }
    let entry = Entry::decode(record)?;
    check(&entry, most, now)?;
    Ok(entry)
}

/// Returns why an entry that was read breaks a rule for those from elsewhere.
pub fn check(entry: &Entry, most: Size, now: Timestamp) -> Result<(), Refusal> {
    let nodes = entry.outputs.nodes();
    if nodes.len() > MAX_NODES {
        return Err(Refusal::Nodes(nodes.len()));
    }
    for node in nodes {
        if let NodeKind::Symlink { target } = &node.kind {
            check_link(node, target, &entry.outputs)?;
        }
    }
    let contents = entry.contents();
    if let Some(pair) = contents.windows(2).find(|pair| pair[0].digest == pair[1].digest) {
        return Err(Refusal::TwoSizes(pair[0].digest));
    }
    let bytes = contents.iter().fold(0_u64, |sum, Content { size, .. }| sum.saturating_add(*size));
    if bytes > most.as_bytes() {
        return Err(Refusal::Size { bytes, most: most.as_bytes() });
    }
    if entry.created > now.after(SKEW) {
        return Err(Refusal::Future(entry.created));
    }
    Ok(())
}

fn check_link(node: &OutputNode, target: &[u8], tree: &OutputTree) -> Result<(), Refusal> {
    if target.starts_with(b"/") {
        return Err(Refusal::AbsoluteLink { path: node.path.clone(), target: target.to_vec() });
    }
    let escapes = || Refusal::EscapingLink { path: node.path.clone(), target: target.to_vec() };
    let mut reached: Vec<&[u8]> = node.path.as_bytes().split(|byte| *byte == b'/').collect();
    reached.pop();
    let mut has_descended = false;
    for step in target.split(|byte| *byte == b'/') {
        match step {
            b"" | b"." => {}
            b".." if has_descended => return Err(escapes()),
            b".." => {
                reached.pop().ok_or_else(escapes)?;
            }
            name => {
                has_descended = true;
                reached.push(name);
            }
        }
    }
    // It comes out at a place whose topmost part the output itself holds; a link that stands for a whole output does
    // not count as holding itself.
    let root = reached.first().ok_or_else(escapes)?;
    let holds = |other: &OutputNode| {
        other.output == node.output
            && other.path != node.path
            && other.path.as_bytes().split(|byte| *byte == b'/').next() == Some(*root)
    };
    match tree.nodes().iter().any(holds) {
        true => Ok(()),
        false => Err(escapes()),
    }
}

/// Returns the key in the record of an entry, whatever else it holds: for naming one that is refused.
pub fn key_in(record: &[u8]) -> Option<CacheKey> {
    record.get(4..4 + Digest::LENGTH).and_then(Digest::from_slice).map(CacheKey::from_digest)
}

#[cfg(test)]
mod tests {
    use super::super::entry::tests::sample;
    use super::*;

    const MOST: Size = Size::from_bytes(1000);

    fn now() -> Timestamp {
        sample().created
    }

    fn node(path: &str, kind: NodeKind) -> OutputNode {
        OutputNode { output: 0, path: RelPath::new(path).unwrap(), carried: false, rewritten: false, kind }
    }

    fn linked(link: &str, target: &str) -> Result<(), Refusal> {
        let file = || NodeKind::File { content: Content::of(b"a"), mode: 0o644 };
        let nodes = vec![
            node("out", NodeKind::Directory { mode: 0o755 }),
            node("out/a", file()),
            node("out/deep", NodeKind::Directory { mode: 0o755 }),
            node("other", file()),
            node(link, NodeKind::Symlink { target: target.as_bytes().to_vec() }),
        ];
        let entry = Entry { outputs: OutputTree::new(nodes).unwrap(), ..sample() };
        check(&entry, MOST, now())
    }

    #[test]
    fn links_stay_in_their_output() {
        for (link, target) in [
            ("out/l", "a"),
            ("out/l", "./a"),
            ("out/l", "deep/"),
            ("out/l", "not-there"),
            ("out/deep/l", "../a"),
            ("out/deep/l", ".."),
            ("out/l", "../other"),
            ("l", "other"),
            ("l", "out/deep"),
        ] {
            assert_eq!(linked(link, target), Ok(()), "{link} -> {target}");
        }
        for (link, target) in [
            ("out/l", "../secret"),
            ("out/l", ".."),
            ("out/l", "../.git/hooks"),
            ("out/l", "../../etc"),
            ("out/deep/l", "../../../etc"),
            ("out/l", "deep/../../secret"),
            ("out/l", "deep/../a"),
            ("l", "secret"),
            ("l", "l"),
            ("l", "."),
            ("l", ".."),
            ("l", ".git/hooks"),
        ] {
            let path = RelPath::new(link).unwrap();
            let escapes = Refusal::EscapingLink { path, target: target.into() };
            assert_eq!(linked(link, target), Err(escapes), "{link} -> {target}");
        }
        let path = RelPath::new("out/l").unwrap();
        let absolute = Refusal::AbsoluteLink { path, target: b"/etc/passwd".to_vec() };
        assert_eq!(linked("out/l", "/etc/passwd"), Err(absolute));
    }

    #[test]
    fn a_link_of_one_output_does_not_lead_to_another() {
        let mut link = node("l", NodeKind::Symlink { target: b"other".to_vec() });
        link.output = 1;
        let nodes = vec![node("other", NodeKind::Directory { mode: 0o755 }), link];
        let entry = Entry { outputs: OutputTree::new(nodes).unwrap(), ..sample() };
        assert!(matches!(check(&entry, MOST, now()), Err(Refusal::EscapingLink { .. })));
    }

    #[test]
    fn claims_have_bounds() {
        let entry = sample();
        assert_eq!(admit(&entry.encode(), MOST, now()), Ok(entry.clone()));
        let few = Size::from_bytes(entry.size() - 1);
        let size = Refusal::Size { bytes: entry.size(), most: few.as_bytes() };
        assert_eq!(check(&entry, few, now()), Err(size));
        let large = vec![0; usize::try_from(MAX_ENTRY).unwrap() + 1];
        assert_eq!(admit(&large, MOST, now()), Err(Refusal::Record(MAX_ENTRY + 1)));
        let mut claims = entry;
        claims.transcript.stdout = Content { size: u64::MAX, ..claims.transcript.stdout };
        claims.transcript.stderr = Content { size: u64::MAX, ..claims.transcript.stderr };
        let most = Refusal::Size { bytes: u64::MAX, most: 1000 };
        assert_eq!(check(&claims, MOST, now()), Err(most));
        claims.transcript.stderr = Content { size: 1, ..claims.transcript.stdout };
        assert_eq!(check(&claims, MOST, now()), Err(Refusal::TwoSizes(claims.transcript.stdout.digest)));
    }

    #[test]
    fn the_future_begins_after_five_minutes() {
        let entry = sample();
        let before = |millis: i64| Timestamp::from_millis(now().as_millis() - millis);
        assert_eq!(check(&entry, MOST, before(300_000)), Ok(()));
        assert_eq!(check(&entry, MOST, before(300_001)), Err(Refusal::Future(now())));
    }

    #[test]
    fn a_refused_entry_can_be_named() {
        let entry = sample();
        assert_eq!(key_in(&entry.encode()), Some(entry.key));
        assert_eq!(key_in(b"short"), None);
    }
}
