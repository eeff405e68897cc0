//! The declared outputs of a run: what they mean on disk, and which declarations are refused.
//!
//! An output is stored after a run and put back on a hit, so a wrong declaration can eat a source tree. What can
//! only be a mistake is refused before anything runs: the working directory itself and what lies above it, a folder
//! that holds an input or a `.git`, the store.

use crate::config::settings::{Pattern, PatternKind};
use crate::model::codec::Encoder;
use crate::model::path::printable;
use crate::model::pattern::{Exclusions, PathPattern, PatternError};
use crate::store::turn::Place;
use std::collections::BTreeSet;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// A declaration that is refused.
#[derive(Debug, thiserror::Error)]
pub enum OutputError {
    /// The pattern cannot be read.
    #[error("the output '{}': {source}", printable(.text))]
    Pattern {
        /// As it was written.
        text: Vec<u8>,
        /// What is wrong with it.
        source: PatternError,
    },
    /// The working directory, or a folder above it.
    #[error("the output '{}' holds the working directory", printable(.0))]
    HoldsDirectory(Vec<u8>),
    /// The home folder.
    #[error("the output '{}' is the home folder", printable(.0))]
    Home(Vec<u8>),
    /// A repository.
    #[error("the output '{}' holds a .git folder", printable(.0))]
    HoldsRepository(Vec<u8>),
    /// The store, or a place in it.
    #[error("the output '{}' overlaps the store '{}'", printable(.text), printable(.store.as_os_str().as_bytes()))]
    Store {
        /// As it was written.
        text: Vec<u8>,
        /// The store's folder.
        store: PathBuf,
    },
    /// A folder that holds an input, or an input itself.
    #[error("the output '{}' holds the input '{}'", printable(.text), printable(.input))]
    HoldsInput {
        /// As it was written.
        text: Vec<u8>,
        /// The input.
        input: Vec<u8>,
    },
}

impl OutputError {
    /// Returns the way out.
    pub const fn hint(&self) -> &'static str {
        match self {
            Self::Pattern { .. } => "outputs are paths or globs relative to the working directory",
            Self::HoldsDirectory(_) | Self::Home(_) | Self::HoldsRepository(_) => {
                "declare the folder or the files that the command writes, not the tree it works in"
            }
            Self::Store { .. } => "move the store with --cache-dir or TASKCACHE_DIR",
            Self::HoldsInput { .. } => {
                "let the command write elsewhere, or declare the single files that it writes"
            }
        }
    }
}

/// One declared output.
#[derive(Debug, Clone)]
pub struct DeclaredOutput {
    /// As it was declared.
    pub declaration: Pattern,
    /// What it means on disk.
    pub pattern: PathPattern,
}

impl DeclaredOutput {
    /// Returns whether it may be missing after a run.
    pub fn is_optional(&self) -> bool {
        self.declaration.kind == PatternKind::Optional
    }
}

/// All declared outputs. Their positions are the numbers that stand in an output tree.
#[derive(Debug, Clone)]
pub struct Outputs {
    declared: Vec<DeclaredOutput>,
    excluded: Exclusions,
    excluded_text: Vec<Pattern>,
}

impl Outputs {
    /// Compiles the declarations; a dependency file counts as an optional output of its own.
    pub fn declare(patterns: &[Pattern], depfile: Option<&Path>) -> Result<Self, OutputError> {
        let compile = |pattern: &Pattern| {
            PathPattern::new(&pattern.text, &pattern.base)
                .map_err(|source| OutputError::Pattern { text: pattern.text.clone(), source })
        };
        let (excluded_text, wanted): (Vec<Pattern>, Vec<Pattern>) =
            patterns.iter().cloned().partition(|pattern| pattern.kind == PatternKind::Excluded);
        let excluded = Exclusions::new(excluded_text.iter().map(compile).collect::<Result<_, _>>()?);
        let mut declared = Vec::with_capacity(wanted.len() + 1);
        for declaration in wanted {
            let pattern = compile(&declaration)?;
            declared.push(DeclaredOutput { declaration, pattern });
        }
        let mut outputs = Self { declared, excluded, excluded_text };
        if let Some(depfile) = depfile.filter(|depfile| !outputs.covers(depfile)) {
            let (base, text) = (Path::new("/"), depfile.as_os_str().as_bytes().to_vec());
            let pattern = PathPattern::literal(&text, base)
                .map_err(|source| OutputError::Pattern { text: text.clone(), source })?;
            let (kind, base) = (PatternKind::Optional, base.to_owned());
            outputs
                .declared
                .push(DeclaredOutput { declaration: Pattern { name: None, kind, text, base }, pattern });
        }
        Ok(outputs)
    }

    /// Returns the declared outputs in order.
    pub fn declared(&self) -> &[DeclaredOutput] {
        &self.declared
    }

    /// Returns whether nothing is declared.
    pub fn is_empty(&self) -> bool {
        self.declared.is_empty()
    }

    /// Returns what names the places that the outputs are in, whichever task declares them.
    pub fn places(&self) -> BTreeSet<Place> {
        let place = |output: &DeclaredOutput| match output.pattern.literal_path() {
            Some(path) => Place::whole(&path),
            None => Place::matches(output.pattern.anchor(), &output.declaration.text),
        };
        self.declared.iter().map(place).collect()
    }

    /// Returns whether an absolute path belongs to an output.
    pub fn covers(&self, path: &Path) -> bool {
        !self.excluded.covers(path) && self.declared.iter().any(|output| output.pattern.covers_path(path))
    }

    /// Returns whether an absolute path was taken out.
    pub fn excludes(&self, path: &Path) -> bool {
        self.excluded.covers(path)
    }

    /// Returns what the signature says of each output, in order, for a run in `directory`: name, kind, text, and the
    /// folder that it is relative to where that is not the working directory.
    pub fn signature(&self, directory: &Path) -> Vec<Vec<u8>> {
        let declared = self.declared.iter().map(|output| &output.declaration);
        declared
            .chain(&self.excluded_text)
            .map(|pattern| {
                let mut encoder = Encoder::new();
                encoder.bytes(pattern.name.as_deref().unwrap_or_default().as_bytes());
                encoder.u8(match pattern.kind {
                    PatternKind::Required => 0,
                    PatternKind::Optional => 1,
                    PatternKind::Excluded => 2,
                });
                // An absolute path counts from nowhere.
                let base = match pattern.text.starts_with(b"/") {
                    true => Vec::new(),
                    false => base_text(&pattern.base, directory),
                };
                encoder.bytes(relative_to(&pattern.text, directory)).bytes(&base);
                encoder.finish()
            })
            .collect()
    }

    /// Refuses declarations that can only be mistakes.
    pub fn check(&self, directory: &Path, home: Option<&Path>, store: &Path) -> Result<(), OutputError> {
        for output in &self.declared {
            let text = || output.declaration.text.clone();
            let Some(path) = output.pattern.literal_path() else {
                let covers = |path: &Path| output.pattern.covers_path(path);
                let anchor = output.pattern.anchor();
                if anchor.starts_with(store) || covers(store) || covers(&store.join("index.db")) {
                    return Err(OutputError::Store { text: text(), store: store.to_owned() });
                }
                if covers(directory) {
                    return Err(OutputError::HoldsDirectory(text()));
                }
                if home.is_some_and(covers) {
                    return Err(OutputError::Home(text()));
                }
                let holds = |git: &Path| {
                    let fits = covers(git) || covers(&git.join("HEAD"));
                    fits && !self.excluded.covers(git) && git.exists()
                };
                if directory.ancestors().any(|above| holds(&above.join(".git"))) {
                    return Err(OutputError::HoldsRepository(text()));
                }
                continue;
            };
            // A link in front of the last component must not hide where it leads.
            let path = path.canonicalize().unwrap_or(path);
            if directory.starts_with(&path) {
                return Err(OutputError::HoldsDirectory(text()));
            }
            if home.is_some_and(|home| home.starts_with(&path)) {
                return Err(OutputError::Home(text()));
            }
            if store.starts_with(&path) || path.starts_with(store) {
                return Err(OutputError::Store { text: text(), store: store.to_owned() });
            }
            let is_git = path.components().any(|component| component.as_os_str() == ".git");
            if is_git || path.join(".git").exists() {
                return Err(OutputError::HoldsRepository(text()));
            }
        }
        Ok(())
    }

    /// Refuses an output that is, or holds, an input that was declared by its own path, or the program or a script
    /// of the command. Paths are compared as they are spelled and as they are without links.
    pub fn check_input(&self, path: &Path, input: &[u8]) -> Result<(), OutputError> {
        let resolved = path.canonicalize().ok();
        let holds = |output: &&DeclaredOutput| {
            let behind_links = || {
                let own = output.pattern.literal_path()?.canonicalize().ok()?;
                resolved.as_ref().map(|input| input.starts_with(own))
            };
            output.pattern.covers_path(path) || behind_links() == Some(true)
        };
        match self.declared.iter().find(holds).filter(|_| !self.excluded.covers(path)) {
            Some(output) => Err(OutputError::HoldsInput {
                text: output.declaration.text.clone(),
                input: input.to_owned(),
            }),
            None => Ok(()),
        }
    }
}

/// A dependency file is declared by its absolute path; for working copies to share keys it enters as a relative one.
fn relative_to<'t>(text: &'t [u8], directory: &Path) -> &'t [u8] {
    let prefix = directory.as_os_str().as_bytes();
    text.strip_prefix(prefix).and_then(|rest| rest.strip_prefix(b"/")).unwrap_or(text)
}

/// Returns how a pattern's base folder enters the key: not at all where it is the working directory, as the way up
/// where it is above it, else as it is.
pub fn base_text(base: &Path, directory: &Path) -> Vec<u8> {
    match directory.strip_prefix(base) {
        Ok(below) => b"../".repeat(below.components().count()),
        Err(_) => base.as_os_str().as_bytes().to_vec(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pattern(text: &str, base: &Path) -> Pattern {
        let (kind, text) = match text.strip_prefix('!') {
            Some(rest) => (PatternKind::Excluded, rest),
            None => (PatternKind::Required, text),
        };
        Pattern { name: None, kind, text: text.into(), base: base.to_owned() }
    }

    fn outputs(texts: &[&str], base: &Path) -> Outputs {
        let patterns: Vec<_> = texts.iter().map(|text| pattern(text, base)).collect();
        Outputs::declare(&patterns, None).unwrap()
    }

    #[test]
    fn declarations_that_would_eat_something_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().canonicalize().unwrap();
        for name in ["work/sub", "work/repo/.git", "home", "store/blobs"] {
            std::fs::create_dir_all(root.join(name)).unwrap();
        }
        let work = root.join("work/sub");
        let cases = [
            (".", "the output '.' holds the working directory"),
            ("..", "the output '..' holds the working directory"),
            ("/", "the output '/' holds the working directory"),
            ("../repo", "the output '../repo' holds a .git folder"),
            ("../repo/.git/hooks", "the output '../repo/.git/hooks' holds a .git folder"),
            ("../../home", "the output '../../home' is the home folder"),
            ("../*", "the output '../*' holds the working directory"),
            ("../../h*", "the output '../../h*' is the home folder"),
        ];
        for (text, message) in cases {
            let error = outputs(&[text], &work)
                .check(&work, Some(&root.join("home")), &root.join("store"))
                .unwrap_err();
            assert_eq!(error.to_string(), message, "{text}");
        }
        let repository = root.join("work/repo");
        for (text, refused) in
            [("*", true), ("**", true), ("{.git,out}/*", true), ("*.o", false), ("**/*.o", false)]
        {
            let checked = outputs(&[text], &repository).check(&repository, None, &root.join("store"));
            assert_eq!(matches!(checked, Err(OutputError::HoldsRepository(_))), refused, "{text}");
        }
        outputs(&["*", "!.git"], &repository).check(&repository, None, &root.join("store")).unwrap();
        for text in ["../../store", "../../store/blobs", "../../store/*", "../../st*"] {
            let checked = outputs(&[text], &work).check(&work, None, &root.join("store"));
            assert!(matches!(checked, Err(OutputError::Store { .. })), "{text}");
        }
        for text in ["out", "../other", "*.o", "**/*.o"] {
            outputs(&[text], &work).check(&work, Some(&root.join("home")), &root.join("store")).unwrap();
        }
    }

    #[test]
    fn an_output_that_holds_an_input_is_refused_unless_it_is_taken_out() {
        let base = Path::new("/w");
        let input = Path::new("/w/src/a.c");
        let error = outputs(&["src"], base).check_input(input, b"src/a.c").unwrap_err();
        assert_eq!(error.to_string(), "the output 'src' holds the input 'src/a.c'");
        outputs(&["src", "!src/*.c"], base).check_input(input, b"src/a.c").unwrap();
        outputs(&["src/*.o"], base).check_input(input, b"src/a.c").unwrap();
    }

    #[test]
    fn the_signature_knows_order_kind_and_base() {
        let signature =
            |texts: &[&str], base: &str| outputs(texts, Path::new(base)).signature(Path::new("/w/sub"));
        assert_ne!(signature(&["a", "b"], "/w/sub"), signature(&["b", "a"], "/w/sub"));
        assert_ne!(signature(&["a"], "/w/sub"), signature(&["!a"], "/w/sub"));
        assert_ne!(signature(&["a"], "/w/sub"), signature(&["a"], "/w"));
    }

    #[test]
    fn a_dependency_file_is_an_optional_output() {
        let outputs = Outputs::declare(&[], Some(Path::new("/w/a.d"))).unwrap();
        assert!(outputs.covers(Path::new("/w/a.d")));
        assert!(outputs.declared()[0].is_optional());
        let there = Outputs::declare(&[pattern("*.d", Path::new("/w"))], Some(Path::new("/w/a.d"))).unwrap();
        assert_eq!(there.declared().len(), 1);
    }

    #[test]
    fn a_dependency_file_means_the_same_in_every_working_copy() {
        let signature = |copy: &str| {
            let copy = Path::new(copy);
            Outputs::declare(&[], Some(&copy.join("a.d"))).unwrap().signature(copy)
        };
        assert_eq!(signature("/w"), signature("/deeper/down/w"));
    }
}
