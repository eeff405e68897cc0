//! The input files of a run, each with its digest.
//!
//! Files are found by the declared patterns, and among the arguments: a word that names an existing regular file is
//! an input by itself, unless it is the script (which is source) or a declared output. What a pattern finds is part
//! of the key by name, so a file that is added, removed or renamed is seen as well as one that changes.
//!
//! A file's ingredient holds its content and whether it may be executed. Times, owners and the other mode bits are
//! not in it. A symbolic link counts with its text and, where it leads to a file, that file's content.
//!
//! Files of the store are no inputs, because every run changes them: a folder that holds the store counts without it, and
//! one of its files that is named itself is an error.
//!
//! Deliberately absent: looking at files and remembering their digests (see [`crate::store::looking`]), and what is only
//! needed after a run (see [`super::watch`]).

use super::outputs::{OutputError, Outputs, base_text};
use super::watch::{Finds, Group, Watch, Watched, all_listings, key_name, link_of, listing_of};
use crate::config::settings::{Pattern, PatternKind};
use crate::model::codec::Encoder;
use crate::model::digest::Digest;
use crate::model::fingerprint::{Ingredient, IngredientKind, Presence};
use crate::model::ignore::IgnoreRule;
use crate::model::path::printable;
use crate::model::pattern::{Exclusions, PathPattern, PatternError};
use crate::store::looking::Making;
use crate::store::quarantine::{INDEX, identity};
use crate::store::witness::{WitnessBook, Witnessed};
use crate::world::file::{FileError, FileType, Witness};
use crate::world::glob::{ExpandError, FoundKind, expand};
use crate::world::listing::Listing;
use std::collections::HashSet;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// Inputs that cannot be gathered. The run stops: a key without them would be wrong.
#[derive(Debug, thiserror::Error)]
pub enum InputError {
    /// A pattern cannot be read.
    #[error("the input '{}': {source}", printable(.text))]
    Pattern {
        /// As it was written.
        text: Vec<u8>,
        /// What is wrong with it.
        source: PatternError,
    },
    /// A pattern finds nothing.
    #[error("the input '{}' matches nothing", printable(.0))]
    Missing(Vec<u8>),
    /// A folder on the way cannot be read.
    #[error("the input '{}': {source}", printable(.text))]
    Walk {
        /// As it was written.
        text: Vec<u8>,
        /// What went wrong.
        source: ExpandError,
    },
    /// Something that has no content to read.
    #[error("the input '{}' is a {what}, not a file or a folder", printable(.path))]
    Special {
        /// The path.
        path: Vec<u8>,
        /// What it is.
        what: &'static str,
    },
    /// A file of the store.
    #[error("the input '{}' is a file of the store, which every run changes", printable(.0))]
    OwnFile(Vec<u8>),
    /// A file cannot be read.
    #[error(transparent)]
    File(#[from] FileError),
    /// An output eats an input.
    #[error(transparent)]
    Output(#[from] OutputError),
}

impl InputError {
    /// Returns whether something that was found was gone when it was to be read.
    fn is_gone(&self) -> bool {
        match self {
            Self::Walk { source, .. } => source.is_missing(),
            Self::File(error) => error.is_missing(),
            _ => false,
        }
    }

    /// Returns the way out, where there is one.
    pub const fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Missing(_) => Some("write '?' in front of an input that may be missing"),
            Self::OwnFile(_) => Some("keep it out of the key with --ignore, or choose another store"),
            Self::Special { .. } => Some("take it out with '!' in front of its path"),
            Self::File(_) | Self::Walk { .. } => {
                Some("make it readable, or take it out with '!' in front of its path")
            }
            Self::Pattern { .. } => Some("inputs are paths or globs; '\\' takes a wildcard's meaning away"),
            Self::Output(error) => Some(error.hint()),
        }
    }
}

/// The input files of a run.
#[derive(Debug, Default)]
pub struct Inputs {
    /// Their ingredients.
    pub ingredients: Vec<Ingredient>,
    /// The files themselves, and which names the declared patterns found.
    pub watch: Watch,
    /// The names and paths that `--ignore` took out, to tell whether its rules mean anything.
    pub ignored: Vec<Vec<u8>>,
}

/// What inputs are gathered from.
#[derive(Debug, Clone, Copy)]
pub struct Sources<'a> {
    /// The declared patterns.
    pub patterns: &'a [Pattern],
    /// The words of argv that may name files, with their positions taken care of by the caller.
    pub arguments: &'a [&'a [u8]],
    /// What to leave out of the key.
    pub ignores: &'a [IgnoreRule],
    /// The declared outputs.
    pub outputs: &'a Outputs,
    /// The working directory.
    pub directory: &'a Path,
    /// The store, whose files are never inputs.
    pub store: Option<&'a Path>,
}

/// What is taken out of everything that is found.
struct TakenOut<'a> {
    excluded: Exclusions,
    outputs: &'a Outputs,
    /// The store's folder in its plain spelling, with a `/` behind it.
    store: Option<Vec<u8>>,
}

impl<'a> TakenOut<'a> {
    fn of(sources: Sources<'a>) -> Result<Self, InputError> {
        let is_excluded = |pattern: &&Pattern| pattern.kind == PatternKind::Excluded;
        let excluded = sources.patterns.iter().filter(is_excluded).map(compile).collect::<Result<_, _>>()?;
        let plain = |store: &Path| [plain(store).as_os_str().as_bytes(), b"/"].concat();
        Ok(Self {
            excluded: Exclusions::new(excluded),
            outputs: sources.outputs,
            store: sources.store.map(plain),
        })
    }

    /// `path` is in its plain spelling.
    fn covers(&self, path: &Path) -> bool {
        self.excluded.covers(path) || self.outputs.covers(path) || self.is_in_store(path)
    }

    /// `path` is in its plain spelling.
    fn is_in_store(&self, path: &Path) -> bool {
        let path = path.as_os_str().as_bytes();
        let store = self.store.as_ref();
        store.is_some_and(|store| path.starts_with(store) || store.strip_suffix(b"/") == Some(path))
    }
}

/// Returns a path as two spellings of it have in common: without `.` and empty components.
fn plain(path: &Path) -> PathBuf {
    path.components().collect()
}

fn compile(pattern: &Pattern) -> Result<PathPattern, InputError> {
    PathPattern::new(&pattern.text, &pattern.base)
        .map_err(|source| InputError::Pattern { text: pattern.text.clone(), source })
}

/// Refuses outputs that are, or hold, a declared input. Asked whatever the policy: an output that eats an input does
/// so whether the input is in the key or not.
pub fn refuse_overlaps(patterns: &[Pattern], outputs: &Outputs) -> Result<(), InputError> {
    for pattern in patterns.iter().filter(|pattern| pattern.kind != PatternKind::Excluded) {
        let compiled = compile(pattern)?;
        let root = compiled.literal_path().unwrap_or_else(|| compiled.anchor().to_owned());
        outputs.check_input(&root, &pattern.text)?;
    }
    Ok(())
}

/// What the declared patterns find.
struct Declared {
    finds: Vec<Finds>,
    /// What is ignored of it.
    ignored: Vec<Vec<u8>>,
    /// Every path that was found, where one may be found twice.
    seen: HashSet<PathBuf>,
}

/// Finds what is declared, each path once, but for what is ignored.
fn find_declared(sources: Sources<'_>, taken_out: &TakenOut<'_>) -> Result<Declared, InputError> {
    let mut declared = Declared { finds: Vec::new(), ignored: Vec::new(), seen: HashSet::new() };
    let Declared { finds, ignored, seen } = &mut declared;
    let patterns = || sources.patterns.iter().filter(|pattern| pattern.kind != PatternKind::Excluded);
    // What one pattern finds has no path twice.
    let may_repeat = patterns().count() > 1 || !sources.arguments.is_empty();
    for pattern in patterns() {
        let mut listings = expand(&compile(pattern)?, |path, _is_folder| taken_out.covers(path))
            .map_err(|source| InputError::Walk { text: pattern.text.clone(), source })?;
        if listings.is_empty() && pattern.kind == PatternKind::Required {
            return Err(InputError::Missing(pattern.text.clone()));
        }
        let base = base_text(&pattern.base, sources.directory);
        if listings.is_empty() {
            finds.push(Finds { base, listings: None });
            continue;
        }
        let by_name = pattern.name.as_ref().filter(|name| takes(sources.ignores, name.as_bytes()));
        if let Some(name) = by_name {
            ignored.push(name.clone().into_bytes());
            listings.clear();
        }
        for listing in &mut listings {
            if !sources.ignores.is_empty() {
                listing.retain(|listing, entry| {
                    let name = listing.name_of(entry);
                    let is_kept = !takes(sources.ignores, &name);
                    if !is_kept {
                        ignored.push(name);
                    }
                    is_kept
                });
            }
            if may_repeat {
                listing.retain(|listing, entry| seen.insert(listing.path_of(entry)));
            }
        }
        finds.push(Finds { base, listings: Some(listings) });
    }
    Ok(declared)
}

/// Returns the digest of which names the declared patterns find, and of what kind: to be asked again after the run,
/// because a file that appears or goes meanwhile changes no file that is watched.
pub fn listing(sources: Sources<'_>) -> Result<Digest, InputError> {
    let taken_out = TakenOut::of(sources)?;
    Ok(listing_of(&find_declared(sources, &taken_out)?.finds))
}

/// How often inputs are looked for that go away meanwhile. A tree that loses files at each of so many looks has no state
/// that a key could stand for.
const LOOKS: usize = 20;

/// Finds and hashes all input files. Behind the ingredients there is `room` for so many others.
///
/// Others may work in the same folders, and what they take away between a listing and a look is no reason to stop: all is
/// looked for anew.
pub fn gather(sources: Sources<'_>, room: usize, book: &mut WitnessBook) -> Result<Inputs, InputError> {
    while_gone(|| gather_once(sources, room, book))
}

fn while_gone<T>(mut look: impl FnMut() -> Result<T, InputError>) -> Result<T, InputError> {
    for _ in 1..LOOKS {
        match look() {
            Err(error) if error.is_gone() => {}
            done => return done,
        }
    }
    look()
}

fn gather_once(sources: Sources<'_>, room: usize, book: &mut WitnessBook) -> Result<Inputs, InputError> {
    let taken_out = TakenOut::of(sources)?;
    let Declared { finds, ignored, mut seen } = find_declared(sources, &taken_out)?;
    let mut inputs = Inputs { ignored, ..Inputs::default() };
    let patterns = sources.patterns.iter().filter(|pattern| pattern.kind != PatternKind::Excluded);
    for (pattern, finds) in patterns.zip(&finds) {
        if finds.listings.is_none() {
            let name = key_name(pattern.text.clone(), &finds.base);
            inputs.ingredients.push(Ingredient::new(IngredientKind::Input, name, Presence::Absent.digest()));
        }
    }
    let mut arguments = Vec::new();
    for word in sources.arguments.iter().filter(|word| !word.is_empty()) {
        let path = plain(&sources.directory.join(OsStr::from_bytes(word)));
        let is_file = || {
            let as_given = sources.directory.join(OsStr::from_bytes(word));
            Witness::of_target(&as_given).is_ok_and(|witness| witness.file_type() == FileType::File)
        };
        let is_own = taken_out.is_in_store(&path);
        if !is_own && taken_out.covers(&path) || seen.contains(&path) || !is_file() {
            continue;
        }
        if takes(sources.ignores, word) {
            inputs.ignored.push(word.to_vec());
        } else if is_own {
            return Err(InputError::OwnFile(word.to_vec()));
        } else {
            seen.insert(path.clone());
            arguments.push(Listing::of_file(path, word.to_vec()));
        }
    }
    let groups: Vec<Group<'_>> =
        all_listings(&finds, &arguments).map(|(base, listing)| Group { base, listing }).collect();
    refuse_special(&groups)?;
    let looked = book.contents_in(&groups, &Ingredients)?;
    inputs.ingredients.reserve_exact(looked.made.iter().map(Vec::len).sum::<usize>() + room);
    for mut made in looked.made {
        inputs.ingredients.append(&mut made);
    }
    inputs.watch = Watch::inputs(finds, arguments, looked.facts);
    refuse_index(sources.store, &inputs.watch)?;
    Ok(inputs)
}

fn takes(ignores: &[IgnoreRule], name: &[u8]) -> bool {
    ignores.iter().any(|rule| rule.takes_input(name))
}

/// Refuses what has no content to read.
fn refuse_special(groups: &[Group<'_>]) -> Result<(), InputError> {
    for Group { base, listing } in groups {
        for (entry, kind) in listing.entries() {
            if let FoundKind::Special(what) = kind {
                return Err(InputError::Special { path: key_name(listing.name_of(entry), base), what });
            }
        }
    }
    Ok(())
}

/// Makes the ingredients of what is in listings.
struct Ingredients;

impl Making<Group<'_>> for Ingredients {
    type Made = Vec<Ingredient>;

    fn begin(&self, count: usize) -> Vec<Ingredient> {
        Vec::with_capacity(count)
    }

    fn add(&self, made: &mut Vec<Ingredient>, group: &Group<'_>, first: usize, facts: &[Witnessed]) {
        let mut facts = facts.iter();
        let mut files = 0;
        for (entry, kind) in group.listing.entries() {
            let digest = match (link_of(kind), kind) {
                (Some(link), _) => {
                    files += 1;
                    // The files before the first and behind the last one are those of other pieces.
                    let mine = if files > first { facts.next() } else { None };
                    let Some(witnessed) = mine else { continue };
                    file_digest(witnessed, link)
                }
                (None, _) if first > 0 => continue,
                (None, FoundKind::Symlink { target, .. }) => tagged(3, |encoder| {
                    encoder.bytes(target);
                }),
                (None, _) => tagged(2, |_| {}),
            };
            let name = key_name(group.listing.name_of(entry), group.base);
            made.push(Ingredient::new(IngredientKind::Input, name, digest));
        }
    }
}

/// Refuses an input that leads to the index under another name. Reading it again after the run would close a
/// descriptor of a database that is open in this process, and SQLite's locks on it go with the first that is closed.
fn refuse_index(store: Option<&Path>, watch: &Watch) -> Result<(), InputError> {
    let Some(index) = store.and_then(|store| identity(&store.join(INDEX))) else { return Ok(()) };
    watch.input_that_is(index).map_or(Ok(()), |name| Err(InputError::OwnFile(name)))
}

/// Returns the digest that stands for a file in an ingredient: its content, whether it may be executed, and the text
/// of the link that led to it.
pub fn file_digest(witnessed: &Witnessed, link: Option<&[u8]>) -> Digest {
    digest_as(witnessed, witnessed.witness.is_executable(), link)
}

/// Returns the digest that would stand for a file if it might be executed, or if it might not.
pub fn digest_as(witnessed: &Witnessed, is_executable: bool, link: Option<&[u8]>) -> Digest {
    tagged(1, |encoder| {
        encoder.digest(&witnessed.content.digest).u64(witnessed.content.size);
        encoder.u8(is_executable.into());
        encoder.optional(link, |encoder, link| {
            encoder.bytes(link);
        });
    })
}

/// The first byte keeps the kinds of things apart, and apart from [`Presence`].
fn tagged(tag: u8, write: impl FnOnce(&mut Encoder)) -> Digest {
    let mut encoder = Encoder::with_capacity(64);
    encoder.u8(0x10 | tag);
    write(&mut encoder);
    Digest::of(&encoder.finish())
}

/// Returns the name of the first watched file that is no longer what it was. `present` is the file system's time at
/// which the key was made: a file that had been touched shortly before could have changed since without a trace in
/// its times, and is read again.
pub fn changed_since<'w>(
    watched: &'w [Watched],
    present: i128,
    is_trusted: impl Fn(&Path) -> bool,
) -> Option<&'w [u8]> {
    // Asked once for the files of a folder that are on one device: a file may be a link, or mounted there.
    let mut last: Option<(&OsStr, u64, bool)> = None;
    let mut is_trusted = |file: &'w Watched, device: u64| {
        let folder = file.path.parent().unwrap_or(&file.path).as_os_str();
        match last {
            Some((last, of, trusted)) if last == folder && of == device => trusted,
            _ => last.insert((folder, device, is_trusted(&file.path))).2,
        }
    };
    let mut is_same = |file: &'w Watched| {
        let Ok(now) = Witness::of_target(&file.path) else { return false };
        if now != file.witnessed.witness {
            return false;
        }
        let settled =
            !crate::store::witness::is_unsettled(&now, present) && is_trusted(file, now.identity().0);
        settled
            || WitnessBook::forgetful()
                .content_of(&file.path, None)
                .is_ok_and(|again| again.content == file.witnessed.content)
    };
    watched.iter().find(|file| !is_same(file)).map(|file| file.name.as_slice())
}

/// Returns the path of a word as it stands below the working directory.
pub fn path_of(directory: &Path, word: &[u8]) -> PathBuf {
    directory.join(OsStr::from_bytes(word))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::world::reading::read;

    #[test]
    fn what_goes_away_is_looked_for_anew_and_nothing_else_is() {
        let place = tempfile::tempdir().unwrap();
        let gone = || InputError::File(read(&place.path().join("gone")).unwrap_err());
        let special = || InputError::File(read(place.path()).unwrap_err());
        let looks = |until: usize, error: &dyn Fn() -> InputError| {
            let mut looks = 0;
            let found = while_gone(|| {
                looks += 1;
                if looks < until { Err(error()) } else { Ok(()) }
            });
            (looks, found.is_ok())
        };
        assert_eq!(looks(1, &gone), (1, true));
        assert_eq!(looks(LOOKS, &gone), (LOOKS, true));
        assert_eq!(looks(LOOKS + 1, &gone), (LOOKS, false));
        assert_eq!(looks(5, &special), (1, false));
        assert_eq!(looks(5, &|| InputError::Missing(b"in".to_vec())), (1, false));
    }
}
