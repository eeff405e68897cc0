//! What stands in the declared outputs right now.
//!
//! A survey is taken before a run and after it; the difference tells what the run wrote. It looks and does not read.

use super::outputs::Outputs;
use crate::model::path::RelPath;
use crate::world::file::{FileError, FileType, Witness};
use crate::world::tree::is_temporary_name;
use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// Something that stands in an output.
#[derive(Debug, Clone)]
pub struct Standing {
    /// Its absolute path.
    pub path: PathBuf,
    /// What it looks like; of a followed link, what it leads to.
    pub witness: Witness,
    /// It fits an output that names a single path, and is that path.
    pub named: bool,
}

/// Everything that stands in the outputs, by output and path below its anchor.
#[derive(Debug, Clone, Default)]
pub struct Survey {
    /// A folder stands before what it holds.
    pub standing: BTreeMap<(u32, RelPath), Standing>,
    /// The outputs that find nothing, by number.
    pub missing: BTreeSet<u32>,
    /// The outputs that are links to folders, with the look of the link. Where the same link stood there before a
    /// run it is the user's layout (a `dist` on another disk), and what is behind it is the output.
    pub links: BTreeMap<u32, Witness>,
}

/// A survey that could not be taken.
#[derive(Debug, thiserror::Error)]
pub enum SurveyError {
    /// A folder cannot be read, or a path cannot be looked at.
    #[error(transparent)]
    File(#[from] FileError),
    /// A path that no result may hold: too deep, or with a name that is too long.
    #[error("the path '{}' cannot be stored: {why}", crate::model::path::printable(.path.as_os_str().as_bytes()))]
    Path {
        /// The path.
        path: PathBuf,
        /// Which rule it breaks.
        why: String,
    },
}

impl Survey {
    /// Looks at all outputs. `before` is the survey from before the run, if this is the one after it.
    pub fn take(outputs: &Outputs, before: Option<&Self>) -> Result<Self, SurveyError> {
        let mut survey = Self::default();
        let mut seen = BTreeSet::new();
        for (number, output) in (0_u32..).zip(outputs.declared()) {
            let anchor = output.pattern.anchor();
            let found_before = survey.standing.len();
            let start = output.pattern.literal_path().unwrap_or_else(|| anchor.to_owned());
            let is_link =
                Witness::of_path(&start).is_ok_and(|witness| witness.file_type() == FileType::Symlink);
            let mut follow = false;
            if output.pattern.is_glob() {
                follow = true;
            } else if is_link
                && Witness::of_target(&start).is_ok_and(|to| to.file_type() == FileType::Directory)
            {
                let link = Witness::of_path(&start).map_err(FileError::of("look at", &start))?;
                survey.links.insert(number, link);
                follow = before.is_none_or(|before| before.links.get(&number) == Some(&link));
            }
            let walk = walkdir::WalkDir::new(&start).follow_root_links(follow).sort_by_file_name();
            let mut walk = walk.into_iter();
            while let Some(step) = walk.next() {
                let step = match step {
                    Ok(step) => step,
                    Err(error) if is_missing(&error) => continue,
                    Err(error) => {
                        let path = error.path().unwrap_or(&start).to_owned();
                        return Err(FileError::of("read folder", &path)(error).into());
                    }
                };
                let path = step.path();
                let Ok(below) = path.strip_prefix(anchor) else { continue };
                if below.as_os_str().is_empty() {
                    continue;
                }
                if is_temporary_name(step.file_name()) {
                    continue;
                }
                let may_hold = output.pattern.may_match_below(below.as_os_str().as_bytes());
                if outputs.excludes(path) || !may_hold {
                    if step.file_type().is_dir() {
                        walk.skip_current_dir();
                    }
                    continue;
                }
                if !output.pattern.covers(below.as_os_str().as_bytes()) || !seen.insert(path.to_owned()) {
                    continue;
                }
                let relative = RelPath::new(below.as_os_str().as_bytes())
                    .map_err(|error| SurveyError::Path { path: path.to_owned(), why: error.to_string() })?;
                let looked = if follow && step.depth() == 0 {
                    Witness::of_target(path)
                } else {
                    Witness::of_path(path)
                };
                let witness = match looked {
                    Ok(witness) => witness,
                    Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                    Err(error) => return Err(FileError::of("look at", path)(error).into()),
                };
                let named = step.depth() == 0;
                survey
                    .standing
                    .insert((number, relative), Standing { path: path.to_owned(), witness, named });
            }
            if survey.standing.len() == found_before {
                survey.missing.insert(number);
            }
        }
        Ok(survey)
    }

    /// Returns the numbers of outputs whose link to a folder is followed.
    pub fn is_followed(&self, number: u32, path: &RelPath) -> bool {
        let folder = |standing: &Standing| standing.witness.file_type() == FileType::Directory;
        self.links.contains_key(&number)
            && self
                .standing
                .get(&(number, path.clone()))
                .is_some_and(|standing| standing.named && folder(standing))
    }
}

fn is_missing(error: &walkdir::Error) -> bool {
    error.io_error().is_some_and(|error| error.kind() == io::ErrorKind::NotFound)
}

/// Returns the path of a name in an output's anchor, for messages.
pub fn shown(anchor: &Path, path: &RelPath) -> Vec<u8> {
    anchor.join(OsStr::from_bytes(path.as_bytes())).into_os_string().as_bytes().to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::settings::{Pattern, PatternKind};

    fn outputs(base: &Path, texts: &[(&str, PatternKind)]) -> Outputs {
        let pattern = |(text, kind): &(&str, PatternKind)| Pattern {
            name: None,
            kind: *kind,
            text: text.as_bytes().to_vec(),
            base: base.to_owned(),
        };
        Outputs::declare(&texts.iter().map(pattern).collect::<Vec<_>>(), None).unwrap()
    }

    fn paths(survey: &Survey) -> Vec<(u32, String)> {
        survey.standing.keys().map(|(number, path)| (*number, path.to_string())).collect()
    }

    #[test]
    fn outputs_are_found_once_and_what_is_taken_out_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        std::fs::create_dir_all(root.join("out/empty")).unwrap();
        for name in ["out/a", "out/b.log", "x.o", "y.c"] {
            std::fs::write(root.join(name), b"").unwrap();
        }
        let required = PatternKind::Required;
        let outputs = outputs(
            root,
            &[
                ("out", required),
                ("out/a", required),
                ("*.o", required),
                ("none", required),
                ("!", PatternKind::Optional),
            ][..4],
        );
        let survey = Survey::take(&outputs, None).unwrap();
        let expected = [(0, "out"), (0, "out/a"), (0, "out/b.log"), (0, "out/empty"), (2, "x.o")];
        assert_eq!(paths(&survey), expected.map(|(number, path)| (number, path.to_owned())));
        assert_eq!(survey.missing, BTreeSet::from([1, 3]));
    }

    #[test]
    fn a_link_that_was_there_before_is_layout_and_a_new_one_is_a_result() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path();
        std::fs::create_dir_all(root.join("disk")).unwrap();
        std::fs::write(root.join("disk/a"), b"").unwrap();
        let outputs = outputs(root, &[("dist", PatternKind::Required)]);
        let nothing = Survey::take(&outputs, None).unwrap();
        std::os::unix::fs::symlink("disk", root.join("dist")).unwrap();
        let layout = Survey::take(&outputs, None).unwrap();
        assert_eq!(paths(&layout), [(0, "dist".into()), (0, "dist/a".into())]);
        assert_eq!(paths(&Survey::take(&outputs, Some(&layout)).unwrap()).len(), 2);
        let result = Survey::take(&outputs, Some(&nothing)).unwrap();
        assert_eq!(paths(&result), [(0, "dist".into())]);
        let key = (0, RelPath::new("dist").unwrap());
        assert_eq!(result.standing[&key].witness.file_type(), FileType::Symlink);
    }
}
