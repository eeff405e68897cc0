//! The files, directories and symbolic links that a run left in its declared outputs.
//!
//! A node names the declared output that it belongs to by number and a [`RelPath`] below that output's anchor. It
//! never says where the anchor is: that comes from the declaration of the run that restores, whose signature is
//! in the key. So no entry, however it came into the store, can name a place that the caller did not.
//!
//! Invariants, checked on construction and on decoding: nodes are sorted by output and path and unique; nothing
//! lies below a file or a symbolic link; modes are permission bits alone (a file with set-id or sticky bits is not
//! captured).

use super::codec::{DecodeError, Decoder, Encoder};
use super::entry::Content;
use super::path::RelPath;

/// The number of the tree's encoding.
const TREE_FORMAT: u32 = 1;

/// What stands at a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NodeKind {
    /// A regular file.
    File {
        /// Its bytes.
        content: Content,
        /// Its permission bits, 0 to 0o777.
        mode: u32,
    },
    /// A directory; empty ones count.
    Directory {
        /// Its permission bits, 0 to 0o777.
        mode: u32,
    },
    /// A symbolic link, never followed.
    Symlink {
        /// Its text.
        target: Vec<u8>,
    },
}

/// One captured file, directory or symbolic link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutputNode {
    /// The number of the declared output, in the order of declaration.
    pub output: u32,
    /// Where it is, below that output's anchor.
    pub path: RelPath,
    /// It was there before the run and the run did not touch it. It may be part of the result (an incremental
    /// build leaves alone what is up to date) or a file of the user's own; so it is put back where it is missing
    /// and never written over.
    pub carried: bool,
    /// It was there before the run as a file of the user's own, and the run wrote over it, as a formatter does. A file
    /// that the user edits again is not written over by a hit: what the command makes of it depends on the edit.
    pub rewritten: bool,
    /// What it is.
    pub kind: NodeKind,
}

/// All that a run left in its declared outputs.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct OutputTree {
    nodes: Vec<OutputNode>,
}

impl OutputTree {
    /// Sorts nodes and checks the invariants.
    pub fn new(mut nodes: Vec<OutputNode>) -> Result<Self, DecodeError> {
        nodes.sort_by(|a, b| (a.output, &a.path).cmp(&(b.output, &b.path)));
        let tree = Self { nodes };
        tree.check()?;
        Ok(tree)
    }

    fn check(&self) -> Result<(), DecodeError> {
        let invalid = |why: String| Err(DecodeError::Invalid { what: "output tree", why });
        for pair in self.nodes.windows(2) {
            if (pair[0].output, &pair[0].path) >= (pair[1].output, &pair[1].path) {
                return invalid(format!("'{}' is out of order", pair[1].path));
            }
        }
        for node in &self.nodes {
            let mut above = node.path.parent();
            while let Some(path) = above {
                let found = self.find(node.output, &path);
                if found.is_some_and(|parent| !matches!(parent.kind, NodeKind::Directory { .. })) {
                    return invalid(format!("'{}' lies below '{path}', which is no directory", node.path));
                }
                above = path.parent();
            }
        }
        Ok(())
    }

    /// Returns the nodes, sorted by output and path.
    pub fn nodes(&self) -> &[OutputNode] {
        &self.nodes
    }

    /// Returns the node at a path.
    pub fn find(&self, output: u32, path: &RelPath) -> Option<&OutputNode> {
        let at = self.nodes.binary_search_by(|node| (node.output, &node.path).cmp(&(output, path)));
        at.ok().map(|at| &self.nodes[at])
    }

    /// Returns the contents of all files.
    pub fn contents(&self) -> impl Iterator<Item = Content> + '_ {
        self.nodes.iter().filter_map(|node| match node.kind {
            NodeKind::File { content, .. } => Some(content),
            NodeKind::Directory { .. } | NodeKind::Symlink { .. } => None,
        })
    }

    /// Returns the encoding.
    pub fn encode(&self) -> Vec<u8> {
        let mut encoder = Encoder::new();
        encoder.u32(TREE_FORMAT).length(self.nodes.len());
        for node in &self.nodes {
            encoder.u32(node.output).bytes(node.path.as_bytes());
            encoder.u8(u8::from(node.carried) | u8::from(node.rewritten) << 1);
            match &node.kind {
                NodeKind::File { content, mode } => {
                    encoder.u8(0).u32(*mode);
                    content.encode(&mut encoder);
                }
                NodeKind::Directory { mode } => {
                    encoder.u8(1).u32(*mode);
                }
                NodeKind::Symlink { target } => {
                    encoder.u8(2).bytes(target);
                }
            }
        }
        encoder.finish()
    }

    /// Reads an encoding.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut decoder = Decoder::new(bytes);
        let format = decoder.u32("output tree format")?;
        if format != TREE_FORMAT {
            return Err(DecodeError::Unknown { what: "output tree format", value: format.into() });
        }
        let count = decoder.count(18, "node count")?;
        let mut nodes = Vec::with_capacity(count);
        for _ in 0..count {
            let output = decoder.u32("output number")?;
            let path = RelPath::new(decoder.bytes("path")?)
                .map_err(|error| DecodeError::Invalid { what: "path", why: error.to_string() })?;
            let (carried, rewritten) = match decoder.u8("node flags")? {
                0 => (false, false),
                1 => (true, false),
                2 => (false, true),
                value => return Err(DecodeError::Unknown { what: "node flags", value: value.into() }),
            };
            let kind = match decoder.u8("node kind")? {
                0 => {
                    let mode = mode(&mut decoder)?;
                    NodeKind::File { content: Content::decode(&mut decoder)?, mode }
                }
                1 => NodeKind::Directory { mode: mode(&mut decoder)? },
                2 => NodeKind::Symlink { target: symlink_target(&mut decoder)? },
                value => return Err(DecodeError::Unknown { what: "node kind", value: value.into() }),
            };
            nodes.push(OutputNode { output, path, carried, rewritten, kind });
        }
        decoder.finish()?;
        let tree = Self { nodes };
        tree.check()?;
        Ok(tree)
    }
}

fn mode(decoder: &mut Decoder<'_>) -> Result<u32, DecodeError> {
    match decoder.u32("mode")? {
        mode @ 0..=0o777 => Ok(mode),
        value => Err(DecodeError::Unknown { what: "mode", value: value.into() }),
    }
}

fn symlink_target(decoder: &mut Decoder<'_>) -> Result<Vec<u8>, DecodeError> {
    let target = decoder.bytes("symlink target")?;
    if target.is_empty() || target.len() > 4095 || target.contains(&0) {
        return Err(DecodeError::Invalid {
            what: "symlink target",
            why: "empty, too long or with a NUL".into(),
        });
    }
    Ok(target.to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn node(output: u32, path: &str, kind: NodeKind) -> OutputNode {
        OutputNode { output, path: RelPath::new(path).unwrap(), carried: false, rewritten: false, kind }
    }

    fn file() -> NodeKind {
        NodeKind::File { content: Content::of(b"x"), mode: 0o644 }
    }

    #[test]
    fn nodes_are_sorted_and_found() {
        let tree = OutputTree::new(vec![
            node(1, "a", file()),
            node(0, "b/c", file()),
            node(0, "b", NodeKind::Directory { mode: 0o700 }),
        ])
        .unwrap();
        let paths: Vec<_> = tree.nodes().iter().map(|node| (node.output, node.path.to_string())).collect();
        assert_eq!(paths, [(0, "b".into()), (0, "b/c".into()), (1, "a".into())]);
        assert!(tree.find(0, &RelPath::new("b/c").unwrap()).is_some());
        assert!(tree.find(1, &RelPath::new("b/c").unwrap()).is_none());
        assert_eq!(OutputTree::decode(&tree.encode()), Ok(tree));
    }

    #[test]
    fn nothing_lies_below_a_link_or_a_file() {
        for kind in [NodeKind::Symlink { target: b"/etc".to_vec() }, file()] {
            let error = OutputTree::new(vec![node(0, "a", kind), node(0, "a/b", file())]).unwrap_err();
            let why = "'a/b' lies below 'a', which is no directory".to_owned();
            assert_eq!(error, DecodeError::Invalid { what: "output tree", why });
        }
        assert!(OutputTree::new(vec![node(0, "a", file()), node(0, "a", file())]).is_err());
    }

    #[test]
    fn hostile_encodings_are_refused() {
        let tree =
            OutputTree::new(vec![node(0, "aa", NodeKind::Symlink { target: b"bb".to_vec() })]).unwrap();
        let bytes = tree.encode();
        let with = |from: &[u8], to: &[u8]| {
            let at = bytes.windows(from.len()).position(|window| window == from).unwrap();
            let mut changed = bytes.clone();
            changed[at..at + from.len()].copy_from_slice(to);
            OutputTree::decode(&changed).is_err()
        };
        assert!(with(b"aa", b".."));
        assert!(with(b"aa", b"/a"));
        assert!(with(b"bb", b"b\0"));
        let set_id = OutputTree { nodes: vec![node(0, "a", NodeKind::Directory { mode: 0o4755 })] };
        let refused = Err(DecodeError::Unknown { what: "mode", value: 0o4755 });
        assert_eq!(OutputTree::decode(&set_id.encode()), refused);
    }
}
