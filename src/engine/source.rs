//! The program that a command means, and the script that a known interpreter is given.
//!
//! Under `auto` the content of both is the version: an edited script or an upgraded compiler misses. The program is
//! named by where it was found, too, because a program may behave by its place (two virtual environments share one
//! python). A script that starts with `#!` brings its interpreter.

use super::inputs::{file_digest, path_of};
use super::watch::Watched;
use crate::model::codec::Encoder;
use crate::model::digest::Digest;
use crate::model::fingerprint::{Ingredient, IngredientKind};
use crate::model::interpreter::script_arguments;
use crate::store::witness::{WitnessBook, Witnessed};
use crate::world::file::{FileError, FileType, Witness, open_for_reading};
use crate::world::process::{StartError, resolve_program};
use std::collections::BTreeSet;
use std::ffi::{OsStr, OsString};
use std::io::Read;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// A source that cannot be told.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// The program cannot be started.
    #[error(transparent)]
    Start(#[from] StartError),
    /// The program or a script cannot be read.
    #[error(transparent)]
    File(#[from] FileError),
}

/// Where a command's code is.
#[derive(Debug)]
pub struct Source {
    /// The program's file.
    pub program: PathBuf,
    /// The scripts, as they are named and where they are.
    scripts: Vec<(Vec<u8>, PathBuf)>,
    /// The positions in argv that are scripts.
    positions: BTreeSet<usize>,
    /// Programs that start others: what `env` starts, what a script's first line names.
    launched: Vec<(Vec<u8>, PathBuf)>,
}

impl Source {
    /// Finds the program in the `PATH` that the command will see, and the scripts among its arguments.
    pub fn find(
        argv: &[&[u8]],
        environment: &[(OsString, OsString)],
        directory: &Path,
    ) -> Result<Self, StartError> {
        let path = environment.iter().find(|(name, _)| name == "PATH").map(|(_, value)| value.as_os_str());
        let word = argv.first().copied().unwrap_or_default();
        let program = resolve_program(OsStr::from_bytes(word), path, directory)?;
        let is_file =
            |path: &Path| Witness::of_target(path).is_ok_and(|found| found.file_type() == FileType::File);
        let mut positions = BTreeSet::new();
        let mut scripts = Vec::new();
        let found = script_arguments(argv);
        for script in found.named {
            let path = path_of(directory, &script.path);
            if is_file(&path) {
                positions.insert(script.position);
                scripts.push((script.path, path));
            }
        }
        let default = found.candidates.into_iter().find(|name| is_file(&path_of(directory, name)));
        scripts.extend(default.map(|name| (name.clone(), path_of(directory, &name))));
        let mut launched = Vec::new();
        let mut launch = |words: &[&[u8]]| {
            // What cannot be found makes the command fail by itself.
            let program = started_by_env(words)
                .map(|word| (word, resolve_program(OsStr::from_bytes(word), path, directory)));
            if let Some((word, Ok(program))) = program {
                launched.push((word.to_vec(), program));
            }
        };
        launch(argv);
        if let Some(line) = shebang(&directory.join(&program)).ok().flatten() {
            let words: Vec<&[u8]> =
                line.split(|byte| matches!(byte, b' ' | b'\t')).filter(|word| !word.is_empty()).collect();
            launch(&words);
            if let Some(interpreter) = words.first() {
                launched.push((interpreter.to_vec(), PathBuf::from(OsStr::from_bytes(interpreter))));
            }
        }
        Ok(Self { program, scripts, positions, launched })
    }

    /// Returns the program and the scripts, as they are named and where they are.
    pub fn files(&self, argv: &[&[u8]], directory: &Path) -> Vec<(Vec<u8>, PathBuf)> {
        let word = argv.first().copied().unwrap_or_default().to_vec();
        std::iter::once((word, directory.join(&self.program))).chain(self.scripts.iter().cloned()).collect()
    }

    /// Returns the words behind the program that are not scripts.
    pub fn plain_arguments<'a>(&self, argv: &[&'a [u8]]) -> Vec<&'a [u8]> {
        let plain = argv.iter().enumerate().skip(1).filter(|(at, _)| !self.positions.contains(at));
        plain.map(|(_, word)| *word).collect()
    }

    /// Returns the ingredients of the source and the files behind them. Paths below `root` are named relative to it.
    pub fn digest(
        &self,
        argv: &[&[u8]],
        directory: &Path,
        root: Option<&Path>,
        book: &mut WitnessBook,
    ) -> Result<(Vec<Ingredient>, Vec<Watched>), SourceError> {
        let mut ingredients = Vec::new();
        let mut watched = Vec::new();
        let mut add = |name: &[u8], path: &Path, witnessed: Witnessed, place: Option<&Path>| {
            let digest = located_digest(&witnessed, place, root);
            ingredients.push(Ingredient::new(IngredientKind::Source, name, digest));
            watched.push(Watched { name: name.to_owned(), path: path.to_owned(), witnessed });
        };
        let program = directory.join(&self.program);
        let word = argv.first().copied().unwrap_or_default();
        add(word, &program, book.content_of(&program, None)?, Some(&program));
        for (name, path) in &self.launched {
            if let Ok(witnessed) = book.content_of(path, None) {
                add(&[b"#!", name.as_slice()].concat(), path, witnessed, Some(path));
            }
        }
        for (name, path) in &self.scripts {
            add(name, path, book.content_of(path, None)?, None);
        }
        Ok((ingredients, watched))
    }
}

fn located_digest(witnessed: &Witnessed, place: Option<&Path>, root: Option<&Path>) -> Digest {
    let content = file_digest(witnessed, None);
    let Some(place) = place else { return content };
    let shared = root.and_then(|root| place.strip_prefix(root).ok());
    let mut encoder = Encoder::new();
    encoder.digest(&content).u8(shared.is_some().into());
    encoder.bytes(shared.unwrap_or(place).as_os_str().as_bytes());
    Digest::of(&encoder.finish())
}

/// Returns the program that `env` starts, where the words are a call of it. Behind an option that changes the search
/// or the folder nothing is certain.
fn started_by_env<'w>(words: &[&'w [u8]]) -> Option<&'w [u8]> {
    let (first, rest) = words.split_first()?;
    if Path::new(OsStr::from_bytes(first)).file_name() != Some(OsStr::new("env")) {
        return None;
    }
    let program =
        rest.iter().find(|word| !matches!(**word, b"-S" | b"-i" | b"-" | b"--") && !word.contains(&b'='))?;
    (!program.starts_with(b"-")).then_some(*program)
}

/// Returns the words behind `#!` in a script's first line.
fn shebang(program: &Path) -> Result<Option<Vec<u8>>, FileError> {
    // The kernel reads this much.
    let mut head = [0; 256];
    let mut file = open_for_reading(program)?;
    let length = file.read(&mut head).map_err(FileError::of("read", program))?;
    let Some(line) = head[..length].strip_prefix(b"#!") else { return Ok(None) };
    let line = line.split(|byte| *byte == b'\n').next().unwrap_or_default().trim_ascii();
    Ok((!line.is_empty()).then(|| line.to_vec()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn env_is_looked_through() {
        let words = |line: &'static str| line.split(' ').map(str::as_bytes).collect::<Vec<_>>();
        for (line, program) in [
            ("/usr/bin/env python3", Some("python3")),
            ("/usr/bin/env -S python3 -u", Some("python3")),
            ("env -i A=1 B=2 make all", Some("make")),
            ("env -C dir make", None),
            ("env", None),
            ("/bin/sh -e", None),
        ] {
            assert_eq!(started_by_env(&words(line)), program.map(str::as_bytes), "{line}");
        }
    }

    #[test]
    fn the_first_line_names_the_interpreter() {
        let folder = tempfile::tempdir().unwrap();
        for (text, expected) in [
            ("#!/bin/sh\nexit", Some("/bin/sh")),
            ("#! /usr/bin/env python3\n", Some("/usr/bin/env python3")),
            ("#!/bin/sh", Some("/bin/sh")),
            ("#!\n", None),
            ("echo", None),
            ("", None),
        ] {
            let path = folder.path().join("script");
            std::fs::write(&path, text).unwrap();
            assert_eq!(shebang(&path).unwrap(), expected.map(|path| path.as_bytes().to_vec()), "{text}");
        }
    }

    #[test]
    fn a_script_is_source_and_no_plain_argument() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["run.sh", "data"] {
            std::fs::write(folder.path().join(name), "x").unwrap();
        }
        let environment = [("PATH".into(), "/usr/bin:/bin".into())];
        let argv: [&[u8]; 3] = [b"sh", b"run.sh", b"data"];
        let source = Source::find(&argv, &environment, folder.path()).unwrap();
        assert_eq!(source.plain_arguments(&argv), [b"data"]);
        let (ingredients, _) =
            source.digest(&argv, folder.path(), None, &mut WitnessBook::forgetful()).unwrap();
        let labels: Vec<_> = ingredients.iter().map(Ingredient::label).collect();
        assert_eq!(labels, ["source:sh", "source:run.sh"]);
    }

    #[test]
    fn a_program_is_named_by_its_place_and_shared_below_the_root() {
        let folder = tempfile::tempdir().unwrap();
        let digest = |copy: &str, root: bool| {
            let root_path = folder.path().join(copy);
            std::fs::create_dir_all(&root_path).unwrap();
            let program = root_path.join("tool");
            std::fs::write(&program, "#!/bin/sh\n").unwrap();
            std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
            let source = Source::find(&[b"./tool"], &[], &root_path).unwrap();
            let root = root.then_some(root_path.as_path());
            source.digest(&[b"./tool"], &root_path, root, &mut WitnessBook::forgetful()).unwrap().0
        };
        assert_ne!(digest("one", false), digest("two", false));
        assert_eq!(digest("one", true), digest("two", true));
    }
}
