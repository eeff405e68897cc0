//! Putting a stored result's files back.
//!
//! # The order
//!
//! 1. *Look.* Every node of the entry is compared with what stands in its place. What is right stays; what has to
//!    be written is known before anything is touched, and so is whatever stands in the way.
//! 2. *Stage* (see `copying`). Each file to write is made beside its place, under a hidden name, and hashed as
//!    it is written, unless the stat facts of the stored file prove it (see [`crate::store::witness`]). When one content
//!    is missing or is not what its digest says, all that was staged goes away again: a hit is never claimed before
//!    everything is there.
//! 3. *Swap* (see `swapping`). Staged files are renamed into place; each is whole before and after.
//! 4. *Clear away.* What an earlier run or restore of the same task put there, and nobody touched since, goes where
//!    the new result does not have it. So does everything else under `--clean-outputs`.
//! 5. *Touch* what was right already, unless `--output-mtime keep` asks for its own time (see [`crate::world::hold`]).
//! 6. *Remember* what is ours now (see [`crate::store::placement`]).
//!
//! A crash between two renames leaves each file old or new; the next run does it again. What it had staged stays
//! behind under a name that no later run takes for an output, and a restore into the same folder an hour later removes
//! it.
//!
//! Files and folders get exactly the modes that they had. The umask is in the key of a run with outputs, so they are
//! those that a run would give them now.
//!
//! # What is never done
//!
//! Nothing is written through a symbolic link, but for a link that is the declared output itself, leads to a folder
//! and belongs to the caller: that is their layout. Nothing is written outside a declared output: a node has only a
//! number and a relative path, and both are checked against the declaration of this run. A folder is never
//! replaced by a file, nor a file by a folder: what stands in the way makes a miss, and the command decides. A node
//! that was carried (see [`crate::model::output::OutputNode::carried`]) is never written over.

use super::cleaning::{empty_output_folders, remove_placed};
use super::copying::{ABANDONED, Batch, Copied, Copy, Copying, Made};
use super::outputs::{DeclaredOutput, Outputs};
use super::swapping::{Staged, swap};
use crate::config::settings::OutputMtime;
use crate::model::entry::Content;
use crate::model::output::{NodeKind, OutputNode, OutputTree};
use crate::model::path::RelPath;
use crate::store::content::Body;
use crate::store::placement::{Placed, Placement};
use crate::store::witness::{Asked, WitnessBook, Witnessed};
use crate::store::{Store, StoreError};
use crate::world::file::{FileError, FileType, Witness};
use crate::world::hold::{Touched, Touching};
use crate::world::replay::ReplayError;
use crate::world::tree::{Tree, sweep};
use std::collections::{BTreeMap, BTreeSet};
use std::ffi::{OsStr, OsString};
use std::io::{self, Write};
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

/// Why a result could not be given back. Each but the last is a miss, and the command runs.
#[derive(Debug, thiserror::Error)]
pub enum RestoreError {
    /// Content is missing, or is not what its digest says.
    #[error("content {} is missing or damaged", .0.digest.short())]
    ContentMissing(Content),
    /// A folder stands where a file belongs, or the other way round.
    #[error("'{}' is in the way of an output", crate::model::path::printable(.0.as_os_str().as_bytes()))]
    Occupied(PathBuf),
    /// A file that the command writes over was edited since: its result depends on the edit.
    #[error("'{}' was edited since", crate::model::path::printable(.0.as_os_str().as_bytes()))]
    Edited(PathBuf),
    /// A node that this run's declaration does not cover.
    #[error("'{0}' is not one of the declared outputs")]
    Undeclared(RelPath),
    /// The streams cannot be given back: there is no descriptor left for them.
    #[error("cannot open the streams: {0}")]
    Streams(io::Error),
    /// A file operation failed.
    #[error(transparent)]
    File(#[from] FileError),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The streams could not be read to their end, and bytes of them are out.
    #[error(transparent)]
    CutShort(ReplayError),
}

/// What was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Restored {
    /// Files and links that were written.
    pub written: usize,
    /// Files and links that were right already.
    pub kept: usize,
    /// Files and links that were removed.
    pub removed: usize,
}

/// How to restore.
#[derive(Debug, Clone, Copy)]
pub struct Manner {
    /// What times the files get.
    pub mtime: OutputMtime,
    /// Whether everything else in output folders goes.
    pub clean: bool,
}

/// What is to be done at a node.
enum Step<'e> {
    /// It is right already; a file as it is now, where that is known.
    Keep(Option<Witness>),
    Leave,
    Folder {
        mode: u32,
    },
    /// `stored` is what the stored file looks like, where it has one for certain.
    File {
        content: &'e Content,
        mode: u32,
        stored: Option<Witness>,
    },
    Link {
        target: &'e [u8],
    },
}

/// A restore in progress.
#[derive(Debug)]
pub struct Restore<'a> {
    outputs: &'a Outputs,
    placement: &'a Placement,
    trees: BTreeMap<u32, Tree>,
    /// The number of the output that was worked at last.
    last: u32,
    staged: Vec<Staged>,
    manner: Manner,
}

impl<'a> Restore<'a> {
    /// Begins; nothing is touched yet.
    pub const fn new(outputs: &'a Outputs, placement: &'a Placement, manner: Manner) -> Self {
        Self { outputs, placement, trees: BTreeMap::new(), last: 0, staged: Vec::new(), manner }
    }

    /// Puts a tree back and returns what is ours now.
    pub fn run(
        mut self,
        store: &Store,
        tree: &OutputTree,
        book: &mut WitnessBook,
    ) -> Result<(Restored, Placement), RestoreError> {
        let mut steps = self.steps(store, tree, book)?;
        if let Err(error) = self.stage(store, &steps, book) {
            self.unstage();
            return Err(error);
        }
        let mut restored = Restored::default();
        match swap(&self.trees, &mut self.staged) {
            Ok(count) => restored.written = count,
            Err(error) => {
                self.unstage();
                return Err(error.into());
            }
        }
        restored.removed = self.clear_away(tree)?;
        let is_kept = |(node, step): &&(&OutputNode, Step<'_>)| {
            matches!(step, Step::Keep(_)) && !matches!(node.kind, NodeKind::Directory { .. })
        };
        restored.kept = steps.iter().filter(is_kept).count();
        if self.manner.mtime == OutputMtime::Now {
            self.touch_kept(&mut steps, book)?;
        }
        let placement = self.placement_of(&steps)?;
        Ok((restored, placement))
    }

    /// Tells whether the tree could be put back, as far as that shows before anything is touched: content is looked
    /// for and not read.
    pub fn foresee(
        mut self,
        store: &Store,
        tree: &OutputTree,
        book: &mut WitnessBook,
    ) -> Result<(), RestoreError> {
        self.steps(store, tree, book).map(|_| ())
    }

    /// Returns what is to be done at each node; nothing is touched.
    fn steps<'e>(
        &mut self,
        store: &Store,
        tree: &'e OutputTree,
        book: &mut WitnessBook,
    ) -> Result<Vec<(&'e OutputNode, Step<'e>)>, RestoreError> {
        let mut found = Vec::with_capacity(tree.nodes().len());
        for node in tree.nodes() {
            self.check_declared(node)?;
            found.push(self.look(node)?);
        }
        let right = self.right_files(tree, &found, book)?;
        let mut steps = Vec::with_capacity(tree.nodes().len());
        for ((node, there), is_right) in tree.nodes().iter().zip(found).zip(right) {
            steps.push((node, self.plan(node, there, is_right)?));
        }
        for (_, step) in &mut steps {
            if let Step::File { content, stored, .. } = step {
                *stored = store.look_at_file(content);
                if stored.is_none() && !store.has(content)? {
                    return Err(RestoreError::ContentMissing(**content));
                }
            }
        }
        Ok(steps)
    }

    /// Returns the folder that an output's paths are below. It is opened, and made where it is missing.
    fn tree(&mut self, number: u32) -> Result<&mut Tree, RestoreError> {
        let anchor = self.outputs.declared()[number as usize].pattern.anchor();
        // Nodes come output by output: those of the last one are done with, mostly.
        if self.last != number
            && let Some(last) = self.trees.get_mut(&std::mem::replace(&mut self.last, number))
        {
            last.close_folders();
        }
        match self.trees.entry(number) {
            std::collections::btree_map::Entry::Occupied(tree) => Ok(tree.into_mut()),
            std::collections::btree_map::Entry::Vacant(place) => Ok(place.insert(Tree::create(anchor)?)),
        }
    }

    fn check_declared(&self, node: &OutputNode) -> Result<(), RestoreError> {
        let output = self.outputs.declared().get(node.output as usize);
        match output {
            Some(output) if output.pattern.covers(node.path.as_bytes()) => Ok(()),
            _ => Err(RestoreError::Undeclared(node.path.clone())),
        }
    }

    /// Returns what stands in a node's place; `None` for nothing.
    fn look(&mut self, node: &OutputNode) -> Result<Option<Witness>, RestoreError> {
        let pattern = &self.outputs.declared()[node.output as usize].pattern;
        let is_folder = matches!(node.kind, NodeKind::Directory { .. });
        let is_root = pattern.literal_name() == Some(node.path.as_bytes());
        // Nothing is made for a look: an anchor that does not exist holds nothing.
        if !self.trees.contains_key(&node.output) && !pattern.anchor().is_dir() {
            return Ok(None);
        }
        let tree = self.tree(node.output)?;
        if is_root && is_folder {
            tree.follow_own_link(&node.path)?;
        }
        Ok(tree.look_through(&node.path)?)
    }

    fn full(&self, node: &OutputNode) -> PathBuf {
        self.outputs.declared()[node.output as usize].pattern.anchor().join(node.path.as_path())
    }

    /// Returns for each node whether the file that was found in its place is what belongs there.
    fn right_files(
        &self,
        tree: &OutputTree,
        found: &[Option<Witness>],
        book: &mut WitnessBook,
    ) -> Result<Vec<bool>, RestoreError> {
        let looks_right = |node: &OutputNode, there: &Witness| match &node.kind {
            NodeKind::File { content, mode } => {
                there.file_type() == FileType::File
                    && there.size() == content.size
                    && there.permissions() == *mode
                    && !there.has_special_bits()
            }
            NodeKind::Directory { .. } | NodeKind::Symlink { .. } => false,
        };
        let nodes = tree.nodes().iter().zip(found).enumerate();
        let likely: Vec<_> = nodes
            .filter_map(|(at, (node, there))| {
                there.filter(|there| looks_right(node, there)).map(|there| (at, self.full(node), there))
            })
            .collect();
        if self.manner.mtime == OutputMtime::Now {
            book.keep();
        }
        let contents = book.contents_of(&likely, |(_, path, there)| Asked { path, witness: Some(*there) })?;
        let mut right = vec![false; found.len()];
        for ((at, ..), Witnessed { content: held, .. }) in likely.iter().zip(contents) {
            right[*at] =
                matches!(&tree.nodes()[*at].kind, NodeKind::File { content, .. } if *content == held);
        }
        Ok(right)
    }

    fn plan<'e>(
        &mut self,
        node: &'e OutputNode,
        there: Option<Witness>,
        is_right: bool,
    ) -> Result<Step<'e>, RestoreError> {
        let step = match (&node.kind, there) {
            (NodeKind::Directory { mode }, None) => Step::Folder { mode: *mode },
            (NodeKind::Directory { mode }, Some(witness)) if witness.file_type() == FileType::Directory => {
                match witness.permissions() == *mode {
                    true => Step::Keep(None),
                    false => Step::Folder { mode: *mode },
                }
            }
            (NodeKind::Directory { .. }, Some(_)) => return Err(RestoreError::Occupied(self.full(node))),
            (_, Some(witness)) if matches!(witness.file_type(), FileType::Directory | FileType::Special) => {
                return Err(RestoreError::Occupied(self.full(node)));
            }
            (NodeKind::File { content, mode }, Some(witness)) => {
                if is_right {
                    Step::Keep(Some(witness))
                } else if node.carried && !self.is_ours(node, &witness) {
                    Step::Leave
                } else if node.rewritten && !self.is_ours(node, &witness) {
                    return Err(RestoreError::Edited(self.full(node)));
                } else {
                    Step::File { content, mode: *mode, stored: None }
                }
            }
            (NodeKind::File { content, mode }, None) => Step::File { content, mode: *mode, stored: None },
            (NodeKind::Symlink { target }, Some(witness)) => {
                let right = witness.file_type() == FileType::Symlink
                    && self.tree(node.output)?.read_link(&node.path)?.as_bytes() == target.as_slice();
                if right {
                    Step::Keep(None)
                } else if node.carried && !self.is_ours(node, &witness) {
                    Step::Leave
                } else {
                    Step::Link { target }
                }
            }
            (NodeKind::Symlink { target }, None) => Step::Link { target },
        };
        Ok(step)
    }

    fn is_ours(&self, node: &OutputNode, there: &Witness) -> bool {
        let placed = self.placement.paths.get(&(node.output, node.path.clone()));
        matches!(placed, Some(Placed::File { witness, .. }) if witness == there)
    }

    fn stage(
        &mut self,
        store: &Store,
        steps: &[(&OutputNode, Step<'_>)],
        book: &mut WitnessBook,
    ) -> Result<(), RestoreError> {
        let bytes = steps.iter().fold(0_u64, |sum, (_, step)| match step {
            Step::File { content, .. } => sum.saturating_add(content.size),
            _ => sum,
        });
        let mut copying = Copying::begin(bytes);
        let made = self.make_all(store, steps, book, &mut copying);
        // Before anything is taken away again, nobody may be writing any more, and all that was made must be known.
        let mut all = copying.finish();
        for Copied { number, beside, .. } in &mut all {
            let (node, _) = &steps[*number];
            self.staged.extend(beside.take().map(|beside| staged(node, beside)));
        }
        for Copied { number, place, reading, made, .. } in all {
            if let Some(reading) = reading {
                book.note(&place, reading);
            }
            let Step::File { content, .. } = &steps[number].1 else { continue };
            match made? {
                Made::Whole => {}
                Made::Missing => return Err(RestoreError::ContentMissing(**content)),
                Made::Damaged => {
                    store.drop_damaged(content)?;
                    return Err(RestoreError::ContentMissing(**content));
                }
            }
        }
        made
    }

    /// Makes everything beside its place. Files that are not small go to `copying` in batches, folder by folder; where
    /// one of them is not right, it says so in the end, and here the rest is left.
    fn make_all(
        &mut self,
        store: &Store,
        steps: &[(&OutputNode, Step<'_>)],
        book: &mut WitnessBook,
        copying: &mut Copying,
    ) -> Result<(), RestoreError> {
        let mut swept = BTreeSet::new();
        let mut begun: Option<((u32, Option<RelPath>), Batch)> = None;
        for (at, (node, step)) in steps.iter().enumerate() {
            let (number, path) = (node.output, &node.path);
            match step {
                Step::Keep(_) | Step::Leave => {}
                // Writable for us while it is filled; its own mode comes last.
                Step::Folder { mode } => self.tree(number)?.make_folder(path, mode | 0o700)?,
                Step::File { content, mode, stored } => {
                    let parent = path.parent();
                    if let Some(parent) = &parent {
                        self.tree(number)?.make_folder(parent, 0o777)?;
                    }
                    let folder = (number, parent);
                    let sweeps = swept.insert(folder.clone());
                    let place = store.content_path(content);
                    let proof = match stored {
                        Some(witness) => (book.known(&place, witness) == Some(**content)).then_some(*witness),
                        None => match store.body(content)?.ok_or(RestoreError::ContentMissing(**content))? {
                            Body::Memory(bytes) => {
                                self.make_small(node, *mode, &bytes, sweeps)?;
                                continue;
                            }
                            Body::File(_) => None,
                        },
                    };
                    if begun.as_ref().is_some_and(|(place, _)| *place != folder)
                        && let Some((_, batch)) = begun.take()
                        && !copying.make(batch)
                    {
                        return Ok(());
                    }
                    let mut batch = match begun.take() {
                        Some((_, batch)) => batch,
                        None => Batch::new(self.open_folder_of(node)?, sweeps),
                    };
                    let (content, target) = (**content, self.full(node));
                    let is_full = batch.add(Copy { number: at, place, target, content, mode: *mode, proof });
                    match is_full {
                        false => begun = Some((folder, batch)),
                        true if copying.make(batch) => {}
                        true => return Ok(()),
                    }
                }
                Step::Link { target } => {
                    if let Some(parent) = path.parent() {
                        self.tree(number)?.make_folder(&parent, 0o777)?;
                    }
                    let beside = self.tree(number)?.link_beside(path, OsStr::from_bytes(target))?;
                    self.staged.push(staged(node, beside));
                }
            }
        }
        if let Some((_, batch)) = begun {
            copying.make(batch);
        }
        Ok(())
    }

    /// Makes a file out of bytes that are in memory.
    fn make_small(
        &mut self,
        node: &OutputNode,
        mode: u32,
        bytes: &[u8],
        sweeps: bool,
    ) -> Result<(), RestoreError> {
        let full = self.full(node);
        let tree = self.tree(node.output)?;
        let (mut target, beside) = tree.create_beside(&node.path, mode)?;
        let folder = tree.folder_of(&node.path)?;
        let swept = match folder.filter(|_| sweeps) {
            // The new file has the present in its file system's own time.
            Some(folder) => Witness::of_open(&target)
                .and_then(|present| sweep(folder, present.modified() - ABANDONED))
                .map_err(FileError::of("read the folder of", &full)),
            None => Ok(()),
        };
        self.staged.push(staged(node, beside));
        swept?;
        Ok(target.write_all(bytes).map_err(FileError::of("write", &full))?)
    }

    /// Returns the open folder that a node's file belongs into.
    fn open_folder_of(&mut self, node: &OutputNode) -> Result<OwnedFd, RestoreError> {
        let full = self.full(node);
        let folder = self.tree(node.output)?.folder_of(&node.path)?;
        let opened = match folder {
            Some(folder) => folder.try_clone_to_owned(),
            None => Err(io::ErrorKind::NotFound.into()),
        };
        Ok(opened.map_err(FileError::of("create a file beside", &full))?)
    }

    /// Takes away what was made, folders too: the command runs now, and may want to make them itself.
    fn unstage(&mut self) {
        for Staged { number, path, beside } in std::mem::take(&mut self.staged) {
            // Its tree is there, and so that few descriptors are enough it is asked for in this way.
            if let Ok(tree) = self.tree(number) {
                tree.drop_beside(&beside, &path);
            }
        }
        // The last one first: an earlier one may have made the anchor that others share.
        for tree in self.trees.values_mut().rev() {
            tree.remove_made();
            tree.close_folders();
        }
    }

    /// Gives what stays the present as its time. Where nobody can write to a file meanwhile, what it holds stays known,
    /// and the next hit need not read it.
    fn touch_kept(
        &mut self,
        steps: &mut [(&OutputNode, Step<'_>)],
        book: &mut WitnessBook,
    ) -> Result<(), RestoreError> {
        let mut touching = Touching::default();
        for (at, (node, step)) in steps.iter_mut().enumerate() {
            let Step::Keep(found) = step else { continue };
            let known = match (&node.kind, found.take()) {
                (NodeKind::Directory { .. }, _) => continue,
                (NodeKind::File { content, .. }, Some(witness)) => {
                    Some(Witnessed { content: *content, witness })
                }
                _ => None,
            };
            let full = self.full(node);
            let tree = self.tree(node.output)?;
            let known = known.filter(|known| book.vouches_for(&full, known));
            match known.and_then(|known| Some((tree.open_file(&node.path).ok()?, known.witness))) {
                Some((file, witness)) => {
                    touching.touch(at, file, &witness).map_err(FileError::of("touch", &full))?;
                }
                // One that we may not read is touched all the same.
                None => tree.touch(&node.path)?,
            }
        }
        for Touched { number, witness } in touching.finish() {
            let (node, step) = &mut steps[number];
            if let NodeKind::File { content, .. } = &node.kind {
                book.note_touched(&self.full(node), Witnessed { content: *content, witness });
                *step = Step::Keep(Some(witness));
            }
        }
        Ok(())
    }

    /// Removes what is ours and not in the new tree; under `--clean-outputs` all that is not in it.
    fn clear_away(&mut self, tree: &OutputTree) -> Result<usize, RestoreError> {
        let mut removed = 0;
        let stale = self
            .placement
            .paths
            .iter()
            .rev()
            .filter(|((number, path), _)| tree.find(*number, path).is_none());
        let stale: Vec<_> =
            stale.map(|((number, path), placed)| (*number, path.clone(), placed.clone())).collect();
        for (number, path, placed) in stale {
            let declared = self.outputs.declared().get(number as usize);
            // An anchor that does not exist holds nothing, and is not made to find that out.
            let is_there = |output: &DeclaredOutput| {
                self.trees.contains_key(&number) || output.pattern.anchor().is_dir()
            };
            if declared.is_some_and(|output| output.pattern.covers(path.as_bytes()) && is_there(output)) {
                removed += usize::from(remove_placed(self.tree(number)?, &path, &placed)?);
            }
        }
        if self.manner.clean {
            removed += empty_output_folders(self.outputs, Some(tree))?;
        }
        Ok(removed)
    }

    fn placement_of(&mut self, steps: &[(&OutputNode, Step<'_>)]) -> Result<Placement, RestoreError> {
        let mut paths = BTreeMap::new();
        for (node, step) in steps {
            let key = (node.output, node.path.clone());
            let was_ours = self.placement.paths.contains_key(&key);
            let placed = match (&node.kind, step) {
                (_, Step::Leave) => continue,
                (NodeKind::Directory { .. }, _)
                    if !was_ours && !self.tree(node.output)?.made().contains(&node.path) =>
                {
                    continue;
                }
                (_, Step::Keep(_)) if node.carried && !was_ours => continue,
                (NodeKind::Directory { .. }, _) => Placed::Directory,
                (NodeKind::Symlink { target }, _) => Placed::Symlink { target: target.clone() },
                (NodeKind::File { content, .. }, Step::Keep(Some(witness))) => {
                    Placed::File { content: *content, witness: *witness }
                }
                (NodeKind::File { content, .. }, _) => match self.tree(node.output)?.look(&node.path)? {
                    Some(witness) => Placed::File { content: *content, witness },
                    None => continue,
                },
            };
            paths.insert(key, placed);
        }
        // Modes of new folders are set last of all and innermost first: one without write permission would have kept
        // its own files out, and one without read permission cannot be opened again.
        for (node, step) in steps.iter().rev() {
            if let Step::Folder { mode } = step {
                self.tree(node.output)?.set_folder_mode(&node.path, *mode)?;
            }
        }
        let rewritten = steps.iter().filter(|(node, _)| node.rewritten);
        let rewritten = rewritten.map(|(node, _)| (node.output, node.path.clone())).collect();
        Ok(Placement { paths, rewritten })
    }
}

fn staged(node: &OutputNode, beside: OsString) -> Staged {
    Staged { number: node.output, path: node.path.clone(), beside }
}
