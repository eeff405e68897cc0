//! What is not in the key of a result and has changed since it was made: where a wrong hit would come from.
//!
//! Variables are compared by the marks that the entry keeps (see [`crate::model::surroundings`]). Files are told by
//! their times alone and read by nobody: one that was touched since the command began may be the same as before. A
//! file system's clock lags by some milliseconds, so an edit right after a very short run may go unnoticed. Which files belong to the project is what git says, and at most [`MOST_FILES`] are looked at.

use super::plan::Plan;
use super::run::Job;
use super::source::Source;
use crate::model::difference::Change;
use crate::model::entry::Entry;
use crate::model::environment::is_noise;
use crate::model::fingerprint::IngredientKind;
use crate::model::surroundings::Surroundings;
use crate::store::{Store, StoreError};
use crate::world::file::Witness;
use crate::world::probe::output_of;
use std::collections::HashSet;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Component, Path, PathBuf};

/// How many files of the project are looked at.
pub const MOST_FILES: usize = 100_000;

/// Every file that git tracks, also those above the working directory, without taking any of its locks.
const LIST_FILES: &[u8] = b"GIT_OPTIONAL_LOCKS=0 git ls-files -z -- :/ 2>/dev/null";

/// What surrounds a hit and is not in its key.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Around {
    /// Variables that are not the same; `None` where the entry is from before they were kept.
    pub variables: Option<Vec<Variable>>,
    /// The working directory then and now, where they differ.
    pub directory: Option<(Vec<u8>, Vec<u8>)>,
    /// The machine then and now, where they differ.
    pub host: Option<(String, String)>,
    /// The program and scripts that were touched since, where the source is not in the key.
    pub sources: Vec<Vec<u8>>,
    /// The files of the project; `None` where git tracks none here.
    pub files: Option<ProjectFiles>,
}

/// A variable that is not in the key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Variable {
    /// Its name.
    pub name: Vec<u8>,
    /// How it differs.
    pub change: Change,
    /// It belongs to the session, and differs in each.
    pub is_noise: bool,
}

/// Files of the project that are not in the key.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ProjectFiles {
    /// Those that were touched since, or are missing, as git names them from the working directory.
    pub touched: Vec<(Vec<u8>, Change)>,
    /// How many were looked at.
    pub looked_at: usize,
    /// How many there are.
    pub all: usize,
}

/// Looks around a result that would be given back.
pub fn look_around(job: Job<'_>, store: &Store, plan: &Plan, entry: &Entry) -> Result<Around, StoreError> {
    let made = &entry.provenance;
    let variables = match &made.surroundings {
        None => None,
        Some(then) => {
            let now = Surroundings::of(&plan.environment, &plan.recipe, store.mask()?);
            let variable =
                |(name, change): (Vec<u8>, Change)| Variable { is_noise: is_noise(&name), name, change };
            Some(then.changes(&now).into_iter().map(variable).collect())
        }
    };
    let directory = plan.directory.as_os_str().as_bytes().to_vec();
    let host = job.host.name();
    // What was touched while the command ran may have been read before.
    let began = entry.created.as_millis().saturating_sub_unsigned(entry.duration.as_millis());
    let since = i128::from(began) * 1_000_000;
    Ok(Around {
        variables,
        directory: (made.directory != directory).then(|| (made.directory.clone(), directory)),
        host: (made.host != host).then(|| (made.host.clone(), host)),
        sources: touched_sources(plan, since),
        files: project_files(plan, since),
    })
}

fn is_touched(path: &Path, since: i128) -> bool {
    Witness::of_target(path).is_ok_and(|witness| witness.last_touched() >= since)
}

fn touched_sources(plan: &Plan, since: i128) -> Vec<Vec<u8>> {
    if plan.recipe.ingredients().iter().any(|one| one.kind == IngredientKind::Source) {
        return Vec::new();
    }
    let argv: Vec<&[u8]> = plan.command.iter().map(|word| word.as_bytes()).collect();
    // It was found for the plan a moment ago.
    let Ok(source) = Source::find(&argv, &plan.environment, &plan.directory) else { return Vec::new() };
    let files = source.files(&argv, &plan.directory).into_iter();
    files.filter(|(_, path)| is_touched(path, since)).map(|(name, _)| name).collect()
}

fn project_files(plan: &Plan, since: i128) -> Option<ProjectFiles> {
    let listed = output_of(LIST_FILES, &plan.environment, &plan.directory, b"").ok()?;
    let names: Vec<&[u8]> = listed.split(|byte| *byte == 0).filter(|name| !name.is_empty()).collect();
    let keyed: HashSet<PathBuf> = plan.watch.files().iter().map(|file| without_dots(&file.path)).collect();
    let mut files = ProjectFiles { all: names.len(), ..ProjectFiles::default() };
    for name in names.into_iter().take(MOST_FILES) {
        files.looked_at += 1;
        let path = without_dots(&plan.directory.join(OsStr::from_bytes(name)));
        if keyed.contains(&path) || plan.outputs.covers(&path) {
            continue;
        }
        match Witness::of_path(&path) {
            Ok(witness) if witness.last_touched() >= since => {
                files.touched.push((name.to_vec(), Change::Changed));
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                files.touched.push((name.to_vec(), Change::Removed));
            }
            _ => {}
        }
    }
    Some(files)
}

/// Returns a path without `.` and `..`, by its text alone: git names files by the way up from the working directory,
/// in which no link is left.
fn without_dots(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for component in path.components() {
        match component {
            Component::ParentDir => {
                plain.pop();
            }
            Component::CurDir => {}
            other => plain.push(other),
        }
    }
    plain
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_way_up_is_taken() {
        assert_eq!(without_dots(Path::new("/w/sub/../a/./b")), Path::new("/w/a/b"));
        assert_eq!(without_dots(Path::new("/../a")), Path::new("/a"));
    }
}
