//! What differs between a stored result and a new one of the same key.

use crate::model::entry::{Entry, Transcript};
use crate::model::output::{NodeKind, OutputNode};

/// How many outputs are named before the rest is only counted.
const NAMED: usize = 5;

/// Returns what differs, in words: nothing where a replay would have been the same. Times do not count.
pub fn differences_between(known: &Entry, new: &Entry) -> Vec<String> {
    let mut differences = Vec::new();
    if known.exit_code != new.exit_code {
        differences.push(format!("exit code {} instead of {}", new.exit_code, known.exit_code));
    }
    if known.transcript.joined == new.transcript.joined {
        for (name, old, new) in [
            ("stdout", known.transcript.stdout, new.transcript.stdout),
            ("stderr", known.transcript.stderr, new.transcript.stderr),
        ] {
            if old != new {
                differences.push(format!("{name} ({} bytes instead of {})", new.size, old.size));
            }
        }
    } else if !may_be_the_same(&known.transcript, &new.transcript) {
        differences.push("output".to_owned());
    }
    let mut outputs = Vec::new();
    let was = |node: &OutputNode| known.outputs.find(node.output, &node.path);
    for node in new.outputs.nodes() {
        match was(node) {
            None => outputs.push(format!("'{}' is new", node.path)),
            Some(old) if old.kind != node.kind => {
                outputs.push(format!("'{}' {}", node.path, change(old, node)));
            }
            Some(_) => {}
        }
    }
    let gone =
        known.outputs.nodes().iter().filter(|node| new.outputs.find(node.output, &node.path).is_none());
    outputs.extend(gone.map(|node| format!("'{}' is missing", node.path)));
    let rest = outputs.len().saturating_sub(NAMED);
    differences.extend(outputs.into_iter().take(NAMED));
    if rest > 0 {
        differences.push(format!("{rest} more outputs"));
    }
    differences
}

/// Returns whether two transcripts, of which one was captured with both streams in one, may show the same bytes. Where
/// the other wrote to both streams, no more than the length of what it wrote can be compared.
fn may_be_the_same(one: &Transcript, other: &Transcript) -> bool {
    let (joined, apart) = if one.joined { (one, other) } else { (other, one) };
    match (apart.stdout.size, apart.stderr.size) {
        (_, 0) => joined.stdout == apart.stdout,
        (0, _) => joined.stdout == apart.stderr,
        (stdout, stderr) => joined.stdout.size == stdout.saturating_add(stderr),
    }
}

fn change(old: &OutputNode, new: &OutputNode) -> &'static str {
    match (&old.kind, &new.kind) {
        (NodeKind::File { content: a, .. }, NodeKind::File { content: b, .. }) if a != b => "has other bytes",
        (NodeKind::File { .. }, NodeKind::File { .. })
        | (NodeKind::Directory { .. }, NodeKind::Directory { .. }) => "has another mode",
        (NodeKind::Symlink { .. }, NodeKind::Symlink { .. }) => "leads elsewhere",
        _ => "is of another kind",
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::entry::Content;
    use crate::model::entry::tests::sample;
    use crate::model::output::OutputTree;
    use crate::model::path::RelPath;

    #[test]
    fn equal_results_do_not_differ_whenever_they_were_made() {
        let known = sample();
        let new = Entry { created: known.created.after("1h".parse().unwrap()), ..sample() };
        assert_eq!(differences_between(&known, &new), Vec::<String>::new());
    }

    #[test]
    fn everything_that_a_replay_shows_counts() {
        let known = sample();
        let node = |path: &str, kind| OutputNode {
            output: 0,
            path: RelPath::new(path).unwrap(),
            carried: false,
            rewritten: false,
            kind,
        };
        let file = |text: &str| NodeKind::File { content: Content::of(text.as_bytes()), mode: 0o644 };
        let nodes = vec![
            node("out", NodeKind::Directory { mode: 0o700 }),
            node("out/a", file("changed")),
            node("out/c", file("new")),
        ];
        let new = Entry {
            exit_code: 4,
            transcript: Transcript { stdout: Content::of(b"longer"), ..known.transcript.clone() },
            outputs: OutputTree::new(nodes).unwrap(),
            ..sample()
        };
        let expected = [
            "exit code 4 instead of 3",
            "stdout (6 bytes instead of 4)",
            "'out' has another mode",
            "'out/a' has other bytes",
            "'out/c' is new",
            "'out/b' is missing",
        ];
        assert_eq!(differences_between(&known, &new), expected);
    }

    #[test]
    fn streams_in_one_are_compared_with_streams_apart() {
        let entry = |joined: bool, stdout: &[u8], stderr: &[u8]| {
            let (stdout, stderr) = (Content::of(stdout), Content::of(stderr));
            Entry { transcript: Transcript { joined, stdout, stderr, order: Vec::new() }, ..sample() }
        };
        let differ = |one: &Entry, other: &Entry| !differences_between(one, other).is_empty();
        let joined = entry(true, b"one", b"");
        for (stdout, stderr, expected) in
            [("one", "", false), ("", "one", false), ("two", "", true), ("", "two", true), ("on", "", true)]
        {
            let apart = entry(false, stdout.as_bytes(), stderr.as_bytes());
            assert_eq!(differ(&joined, &apart), expected, "{stdout}|{stderr}");
            assert_eq!(differ(&apart, &joined), expected, "{stdout}|{stderr}");
        }
        assert!(differ(&joined, &entry(false, b"on", b"elong")));
        assert!(!differ(&joined, &entry(false, b"o", b"ne")));
    }
}
