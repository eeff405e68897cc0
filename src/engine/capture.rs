//! Reading what a run left in its outputs into the store.
//!
//! A file is looked at, read once into the store's scratch folder with its digest computed from the very bytes that
//! are kept, and looked at again. If it changed in between, nothing is stored. What the survey from before the run
//! shows unchanged is *carried*: the run did not touch it (see [`OutputNode::carried`]).

use super::event::NotStored;
use super::outputs::Outputs;
use super::survey::{Standing, Survey, SurveyError};
use crate::model::output::{NodeKind, OutputNode, OutputTree};
use crate::store::Store;
use crate::store::content::{Staged, stage};
use crate::store::placement::{Placed, Placement};
use crate::world::file::{FileType, Witness, open_for_reading};
use std::collections::{BTreeMap, BTreeSet};
use std::os::unix::ffi::OsStrExt;

/// The mode bit that new folders inherit.
const SET_GROUP_ID: u32 = 0o2000;

/// The outputs of a run, ready to be recorded.
#[derive(Debug)]
pub struct CapturedOutputs {
    /// What was found.
    pub tree: OutputTree,
    /// The contents of its files.
    pub staged: Vec<Staged>,
    /// What is ours there now.
    pub placement: Placement,
}

/// Reads the outputs. `before` is the survey from before the run, `ours` what an earlier run or restore had placed.
pub fn capture(
    outputs: &Outputs,
    before: &Survey,
    ours: &Placement,
    store: &Store,
) -> Result<CapturedOutputs, NotStored> {
    let after = Survey::take(outputs, Some(before)).map_err(unfit_survey)?;
    for number in &after.missing {
        let output = &outputs.declared()[*number as usize];
        if !output.is_optional() {
            return Err(NotStored::OutputMissing(output.declaration.text.clone()));
        }
    }
    let mut nodes = Vec::with_capacity(after.standing.len());
    let mut staged = Vec::new();
    let mut placed = BTreeMap::new();
    let mut written_over = BTreeSet::new();
    for ((number, path), standing) in &after.standing {
        let key = (*number, path.clone());
        let was = before.standing.get(&key);
        let untouched = was.is_some_and(|was| was.witness == standing.witness);
        if untouched && standing.named && standing.witness.file_type() == FileType::Symlink {
            // The run wrote through it, or not at all: what it leads to is not in the result.
            return Err(unfit(&standing.path, "is a link that was there before; declare what it leads to"));
        }
        let (kind, place) = read(standing, store, &mut staged)?;
        let is_ours_before = ours.paths.contains_key(&key);
        let is_new_folder = was.is_none() || is_ours_before;
        let is_ours = match place {
            Placed::Directory => is_new_folder,
            _ => !untouched || is_ours_before,
        };
        if is_ours {
            placed.insert(key, place);
        }
        let carried = untouched && !standing.named && !matches!(kind, NodeKind::Directory { .. });
        let is_file = matches!(kind, NodeKind::File { .. });
        let was_the_users =
            was.is_some() && (!is_ours_before || ours.rewritten.contains(&(*number, path.clone())));
        let rewritten = is_file && !carried && was_the_users;
        if rewritten {
            written_over.insert((*number, path.clone()));
        }
        nodes.push(OutputNode { output: *number, path: path.clone(), carried, rewritten, kind });
    }
    let tree = OutputTree::new(nodes).map_err(|error| NotStored::Capture(error.to_string()))?;
    Ok(CapturedOutputs { tree, staged, placement: Placement { paths: placed, rewritten: written_over } })
}

fn read(
    standing: &Standing,
    store: &Store,
    staged: &mut Vec<Staged>,
) -> Result<(NodeKind, Placed), NotStored> {
    let path = &standing.path;
    let mode = standing.witness.permissions();
    if has_bits_of_its_own(standing) {
        return Err(unfit(path, "has a set-user-id, set-group-id or sticky bit, and those are not stored"));
    }
    match standing.witness.file_type() {
        FileType::Directory => Ok((NodeKind::Directory { mode }, Placed::Directory)),
        FileType::Special => Err(unfit(path, "is a pipe, socket or device")),
        FileType::Symlink => {
            let target = std::fs::read_link(path).map_err(|error| unfit(path, &error.to_string()))?;
            let target = target.into_os_string().as_bytes().to_vec();
            Ok((NodeKind::Symlink { target: target.clone() }, Placed::Symlink { target }))
        }
        FileType::File => {
            let changed = || NotStored::OutputChanged(path.as_os_str().as_bytes().to_vec());
            let file = open_for_reading(path).map_err(|error| unfit(path, &error.source.to_string()))?;
            if Witness::of_open(&file).ok() != Some(standing.witness) {
                return Err(changed());
            }
            let scratch = store.scratch().map_err(|error| NotStored::Store(error.to_string()))?;
            let read = stage(file, standing.witness.size(), || scratch.unused_path())
                .map_err(|error| NotStored::Store(format!("{error}: {}", error.source)))?;
            if Witness::of_path(path).ok() != Some(standing.witness) {
                return Err(changed());
            }
            let content = read.content();
            staged.push(read);
            Ok((NodeKind::File { content, mode }, Placed::File { content, witness: standing.witness }))
        }
    }
}

/// Returns what a survey that failed means for the result.
pub fn unfit_survey(error: SurveyError) -> NotStored {
    match error {
        SurveyError::File(error) => unfit(&error.path, &error.source.to_string()),
        SurveyError::Path { path, why } => unfit(&path, &format!("cannot be stored: {why}")),
    }
}

/// Returns whether something has mode bits that are not put back, so that a hit would not be what the run was. A
/// folder has the set-group-id bit from the folder above it, here as after a restore.
fn has_bits_of_its_own(standing: &Standing) -> bool {
    let witness = &standing.witness;
    let above = || standing.path.parent().and_then(|above| Witness::of_target(above).ok());
    match witness.file_type() {
        FileType::File => witness.special_bits() != 0,
        FileType::Directory => {
            let inherited = above().map_or(0, |above| above.special_bits() & SET_GROUP_ID);
            witness.special_bits() & !inherited != 0
        }
        FileType::Symlink | FileType::Special => false,
    }
}

fn unfit(path: &std::path::Path, why: &str) -> NotStored {
    NotStored::OutputUnfit { path: path.as_os_str().as_bytes().to_vec(), why: why.to_owned() }
}
