//! Emptying output folders, before a run and before a restore.
//!
//! Two different things live here. `--clean-outputs` empties the declared output folders of whatever is in them,
//! because the caller said so. Without it, only what an earlier run or restore of the same task put into an output
//! folder goes before a run, so that a new result is not mixed with an old one: and of that only what nobody touched
//! since and the store can still give back. When the run fails, it is put back.

use super::outputs::Outputs;
use super::survey::Survey;
use crate::model::output::OutputTree;
use crate::model::path::RelPath;
use crate::store::content::Body;
use crate::store::placement::{Placed, Placement};
use crate::store::{Store, StoreError};
use crate::world::file::{FileError, FileType};
use crate::world::tree::Tree;
use std::ffi::OsStr;
use std::io;
use std::os::unix::ffi::OsStrExt;

/// Removes what stands in the declared output folders, but for what `keep` has and what declarations take out.
/// Files that are declared by their own path, and the folders themselves, stay. Returns how much went.
pub fn empty_output_folders(outputs: &Outputs, keep: Option<&OutputTree>) -> Result<usize, FileError> {
    let survey = Survey::take(outputs, None).map_err(|error| FileError {
        action: "empty",
        path: "the output folders".into(),
        source: io::Error::other(error),
    })?;
    let mut removed = 0;
    for ((number, path), standing) in survey.standing.iter().rev() {
        let kept = keep.is_some_and(|tree| tree.find(*number, path).is_some());
        // A glob names files and no folder: what it matches may be anybody's.
        let is_glob = outputs.declared()[*number as usize].pattern.is_glob();
        if standing.named || kept || is_glob {
            continue;
        }
        let anchor = outputs.declared()[*number as usize].pattern.anchor();
        let Some(mut tree) = Tree::open(anchor)? else { continue };
        if survey.is_followed(*number, &path.root()) {
            tree.follow_own_link(&path.root())?;
        }
        if standing.witness.file_type() == FileType::Directory {
            removed += usize::from(tree.remove_empty_folder(path)?);
        } else {
            tree.remove_file(path)?;
            removed += 1;
        }
    }
    Ok(removed)
}

/// What was taken away before a run, to be put back should the run fail.
#[derive(Debug, Default)]
pub struct TakenAway {
    taken: Vec<(u32, RelPath, Placed, u32)>,
}

impl TakenAway {
    /// Removes from output folders what an earlier result put there. Files that are declared by their own path stay:
    /// the command replaces those or leaves them, and either is its result.
    pub fn take(outputs: &Outputs, placement: &Placement, store: &Store) -> Result<Self, StoreError> {
        let mut away = Self::default();
        match away.take_all(outputs, placement, store) {
            Ok(()) => Ok(away),
            Err(error) => {
                // The first error is the one to report; what cannot be put back either is still in the store.
                let _ = away.put_back(outputs, store);
                Err(error)
            }
        }
    }

    fn take_all(
        &mut self,
        outputs: &Outputs,
        placement: &Placement,
        store: &Store,
    ) -> Result<(), StoreError> {
        for ((number, path), placed) in placement.paths.iter().rev() {
            let Some(output) = outputs.declared().get(*number as usize) else { continue };
            let is_named = output.pattern.literal_name() == Some(path.as_bytes());
            if is_named || !output.pattern.covers(path.as_bytes()) {
                continue;
            }
            if let Placed::File { content, .. } = placed
                && !store.has(content)?
            {
                continue;
            }
            let Some(mut tree) = Tree::open(output.pattern.anchor())? else { continue };
            tree.follow_own_link(&path.root())?;
            let mode = tree.look_through(path)?.map_or(0o644, |witness| witness.permissions());
            if remove_placed(&mut tree, path, placed)? {
                self.taken.push((*number, path.clone(), placed.clone(), mode));
            }
        }
        Ok(())
    }

    /// Puts back whatever is missing now.
    pub fn put_back(self, outputs: &Outputs, store: &Store) -> Result<(), StoreError> {
        for (number, path, placed, mode) in self.taken.into_iter().rev() {
            let mut tree = Tree::create(outputs.declared()[number as usize].pattern.anchor())?;
            tree.follow_own_link(&path.root())?;
            if tree.look_through(&path)?.is_some() {
                continue;
            }
            if let Some(parent) = path.parent() {
                tree.make_folder(&parent, 0o777)?;
            }
            match placed {
                Placed::Directory => tree.make_folder(&path, mode)?,
                Placed::Symlink { target } => {
                    let beside = tree.link_beside(&path, OsStr::from_bytes(&target))?;
                    tree.move_into_place(&beside, &path)?;
                }
                Placed::File { content, .. } => {
                    let (mut file, beside) = tree.create_beside(&path, mode)?;
                    let full = tree.full(&path);
                    let written = match store.body(&content)? {
                        Some(Body::Memory(bytes)) => io::Write::write_all(&mut file, &bytes),
                        Some(Body::File(mut source)) => io::copy(&mut source, &mut file).map(|_| ()),
                        None => Err(io::Error::other("its content is gone from the store")),
                    };
                    if let Err(error) = written {
                        tree.drop_beside(&beside, &path);
                        return Err(FileError::of("put back", &full)(error).into());
                    }
                    tree.move_into_place(&beside, &path)?;
                }
            }
        }
        Ok(())
    }
}

/// Removes what stands at a path if it still is what was placed there; says whether it did.
pub fn remove_placed(tree: &mut Tree, path: &RelPath, placed: &Placed) -> Result<bool, FileError> {
    let Ok(Some(there)) = tree.look_through(path) else { return Ok(false) };
    match placed {
        Placed::Directory if there.file_type() == FileType::Directory => tree.remove_empty_folder(path),
        Placed::File { witness, .. } if *witness == there => tree.remove_file(path).map(|()| true),
        Placed::Symlink { target }
            if there.file_type() == FileType::Symlink
                && tree.read_link(path)?.as_bytes() == target.as_slice() =>
        {
            tree.remove_file(path).map(|()| true)
        }
        _ => Ok(false),
    }
}
