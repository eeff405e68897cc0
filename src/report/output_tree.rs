//! A result's files as a tree, with modes and sizes in front.

use super::screen::{Screen, Tone};
use crate::model::output::{NodeKind, OutputNode, OutputTree};
use crate::model::path::printable;
use crate::model::time::Size;
use std::fmt::Write;
use std::os::unix::ffi::OsStrExt;

/// Returns the tree, one line a node. Folders that were not captured, because only something in them was declared, are
/// shown without a mode.
pub fn output_tree(tree: &OutputTree, screen: Screen) -> String {
    let mut outputs: Vec<u32> = tree.nodes().iter().map(|node| node.output).collect();
    outputs.dedup();
    let mut text = String::new();
    for output in &outputs {
        let nodes: Vec<_> = tree.nodes().iter().filter(|node| node.output == *output).collect();
        if outputs.len() > 1 {
            // Writing to a String cannot fail.
            let _ =
                writeln!(text, "  {}", screen.paint(Tone::Quiet, &format!("declared output {}", output + 1)));
        }
        branches(&mut text, &nodes, 0, "", true, screen);
    }
    text
}

/// Writes the nodes that share their first `depth` components, each with what lies below it.
fn branches(
    text: &mut String,
    nodes: &[&OutputNode],
    depth: usize,
    stem: &str,
    is_top: bool,
    screen: Screen,
) {
    let name = |node: &OutputNode| node.path.components().nth(depth).map(|name| name.as_bytes().to_vec());
    let mut groups: Vec<(Vec<u8>, &[&OutputNode])> = Vec::new();
    let mut rest = nodes;
    while let Some(first) = rest.first().and_then(|node| name(node)) {
        let end = rest.iter().position(|node| name(node).as_ref() != Some(&first)).unwrap_or(rest.len());
        let (group, others) = rest.split_at(end);
        groups.push((first, group));
        rest = others;
    }
    let count = groups.len();
    for (at, (name, group)) in groups.into_iter().enumerate() {
        let is_last = at + 1 == count;
        let (fork, trunk) = match (is_top, is_last) {
            (true, _) => ("", ""),
            (false, true) => ("└── ", "    "),
            (false, false) => ("├── ", "│   "),
        };
        let own = group.iter().find(|node| node.path.components().nth(depth + 1).is_none());
        let below: Vec<_> =
            group.iter().filter(|node| node.path.components().nth(depth + 1).is_some()).copied().collect();
        let (mode, size, mut shown) = described(own.copied(), &printable(&name));
        if own.is_some_and(|node| node.carried) {
            shown.push_str(&screen.paint(Tone::Quiet, " (there before the run)"));
        }
        if own.is_some_and(|node| node.rewritten) {
            shown.push_str(&screen.paint(Tone::Quiet, " (written over)"));
        }
        let _ = writeln!(text, "  {mode:>4} {size:>10}  {stem}{fork}{shown}");
        branches(text, &below, depth + 1, &format!("{stem}{trunk}"), false, screen);
    }
}

/// Returns a node's mode, its size and its name with what it is.
fn described(node: Option<&OutputNode>, name: &str) -> (String, String, String) {
    match node.map(|node| &node.kind) {
        None => (String::new(), String::new(), format!("{name}/")),
        Some(NodeKind::File { content, mode }) => {
            (format!("{mode:04o}"), Size::from_bytes(content.size).to_string(), name.to_owned())
        }
        Some(NodeKind::Directory { mode }) => (format!("{mode:04o}"), String::new(), format!("{name}/")),
        Some(NodeKind::Symlink { target }) => {
            ("link".to_owned(), String::new(), format!("{name} -> {}", printable(target)))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::entry::Content;
    use crate::model::path::RelPath;

    fn node(output: u32, path: &str, kind: NodeKind) -> OutputNode {
        let path = RelPath::new(path).unwrap();
        OutputNode { output, path, carried: false, rewritten: false, kind }
    }

    fn file(bytes: &[u8]) -> NodeKind {
        NodeKind::File { content: Content::of(bytes), mode: 0o644 }
    }

    fn folder() -> NodeKind {
        NodeKind::Directory { mode: 0o755 }
    }

    #[test]
    fn nodes_stand_below_their_folders() {
        let carried = OutputNode { carried: true, ..node(0, "out/z", file(b"zz")) };
        let nodes = vec![
            node(0, "out", folder()),
            node(0, "out/a", folder()),
            node(0, "out/a/deep", folder()),
            node(0, "out/a/deep/x\u{1b}", file(b"x")),
            node(0, "out/b", NodeKind::Symlink { target: b"a".to_vec() }),
            carried,
            node(1, "log/one", file(&[0; 2048])),
            node(1, "log/two", file(b"")),
        ];
        let expected = "  declared output 1
  0755             out/
  0755             ├── a/
  0755             │   └── deep/
  0644        1 B  │       └── x\\u{1b}
  link             ├── b -> a
  0644        2 B  └── z (there before the run)
  declared output 2
                   log/
  0644    2.0 KiB  ├── one
  0644        0 B  └── two
";
        assert_eq!(output_tree(&OutputTree::new(nodes).unwrap(), Screen::default()), expected);
        assert_eq!(output_tree(&OutputTree::default(), Screen::default()), "");
    }
}
