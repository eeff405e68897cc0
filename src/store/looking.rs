//! The contents of many files at once, folder by folder, on as many processors as there are.
//!
//! A folder is opened once, its shelf is read once, and its files are looked at by name below it. What the caller makes
//! of the files is made beside the looking, while their facts are at hand. Folders are taken by whoever is free, many
//! small ones at a time and a large one in pieces; what is kept of a batch lies in one piece of memory, because threads
//! that ask for much memory in small pieces wait for each other in the kernel.
//!
//! Where the shelf of a folder is empty, its files are not looked at before they are read: no digest could be taken over,
//! and who reads a file looks at it, open, before and after.
//!
//! Invariant: what comes out is in the order of the folders and their names, whoever looked.
//!
//! Deliberately absent: the rules by which a digest is believed or noted, which are those of [`super::witness`].

use super::shelf::Shelf;
use super::witness::{WitnessBook, Witnessed};
use crate::world::file::{FileError, Witness};
use crate::world::folder::Folder;
use crate::world::reading::{Unread, read_all};
use crate::world::workers::share;
use std::collections::HashMap;
use std::ffi::OsStr;
use std::ops::Range;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// From how many files on a second thread is worth starting to look at them.
const WORTH_A_THREAD: usize = 1024;

/// How many files are looked at in one go; what is found is kept together then.
const BATCH: usize = 1024;

/// How many files of one folder are looked at in one go: whoever looks at some of them reads the whole shelf.
const PIECE: usize = 32 * 1024;

/// From how many unknown files of a folder on their sizes are not needed to share them out.
const MANY: usize = 16;

/// What a file that nobody looked at counts when files are shared out, in bytes.
const SIZE_UNKNOWN: u64 = 64 * 1024;

/// Some files of one folder.
pub trait FolderFiles: Sync {
    /// Returns the folder.
    fn folder(&self) -> &Path;

    /// Returns how many files they are.
    fn count(&self) -> usize;

    /// Returns their names in the folder, best in their order.
    fn names(&self) -> impl Iterator<Item = &OsStr>;
}

/// Makes something of files beside looking at them.
pub trait Making<F>: Sync {
    /// What is made, by and by.
    type Made: Send;

    /// Begins it for so many files.
    fn begin(&self, count: usize) -> Self::Made;

    /// Adds files of a group, from the one of the number `first` on. Of a group without files it is called once.
    fn add(&self, made: &mut Self::Made, group: &F, first: usize, facts: &[Witnessed]);
}

/// What many files hold, and what was made of them: several parts, one behind the other.
#[derive(Debug)]
pub struct Looked<M> {
    /// The contents of all files, in the order of the groups and of the names in them.
    pub facts: Vec<Vec<Witnessed>>,
    /// What was made of them.
    pub made: Vec<M>,
}

/// Some names of one folder.
struct Piece {
    group: usize,
    names: Range<usize>,
}

/// What a look at a batch says.
struct Look<'l, M> {
    /// Facts and digests; those of the unread are unknown.
    facts: Vec<Witnessed>,
    unread: Vec<Unlooked<'l>>,
    /// Made where nothing has to be read.
    made: Option<M>,
    /// The shelves that something will be put in.
    shelves: Vec<(PathBuf, Shelf)>,
}

/// A file that has to be read.
struct Unlooked<'l> {
    /// Where its facts belong.
    at: usize,
    path: PathBuf,
    folder: &'l Path,
    /// How large it is, as far as that is known.
    size: u64,
}

impl WitnessBook {
    /// Returns the contents of the files of many folders, or the first error, and what is made of them.
    pub fn contents_in<F: FolderFiles, M: Making<F>>(
        &mut self,
        groups: &[F],
        making: &M,
    ) -> Result<Looked<M::Made>, FileError> {
        let pieces = pieces_of(groups);
        let batches = batches_of(&pieces);
        let files: usize = pieces.iter().map(|piece| piece.names.len()).sum();
        let looking = Looking { groups, making, place: self.folder.as_deref(), before: &self.shelves };
        let mut looks = share(
            batches.len(),
            files / WORTH_A_THREAD + 1,
            || looking.place.and_then(|place| Folder::open(place).ok()),
            |place, at| looking.look(place.as_ref(), &pieces[batches[at].clone()]),
        );
        // A book that remembers nothing keeps none.
        let kept = looks.iter_mut().filter(|_| self.folder.is_some());
        let shelves: Vec<_> = kept.flat_map(|look| look.shelves.drain(..)).collect();
        for (directory, shelf) in shelves {
            self.keep_shelf(&directory, shelf);
        }
        self.read_unread(&mut looks)?;
        let mut looked =
            Looked { facts: Vec::with_capacity(looks.len()), made: Vec::with_capacity(looks.len()) };
        for (batch, look) in batches.into_iter().zip(looks) {
            let made = look.made.unwrap_or_else(|| make_all(groups, making, &pieces[batch], &look.facts));
            looked.made.push(made);
            looked.facts.push(look.facts);
        }
        Ok(looked)
    }

    fn read_unread<M>(&mut self, looks: &mut [Look<'_, M>]) -> Result<(), FileError> {
        let files: Vec<_> = looks.iter().flat_map(|look| &look.unread).collect();
        if files.is_empty() {
            return Ok(());
        }
        self.note_present();
        let unread = files.iter().enumerate().map(|(at, file)| {
            let is_beside =
                |other: Option<&&Unlooked<'_>>| other.is_some_and(|other| other.folder == file.folder);
            let has_others = is_beside(files.get(at + 1)) || at > 0 && is_beside(files.get(at - 1));
            Unread { path: &file.path, folder: has_others.then_some(file.folder), size: file.size }
        });
        let unread: Vec<_> = unread.collect();
        let readings = read_all(&unread).into_iter().collect::<Result<Vec<_>, _>>()?;
        for (file, reading) in files.iter().zip(&readings) {
            self.note(&file.path, *reading);
        }
        let mut readings = readings.into_iter();
        for look in looks {
            for (file, reading) in look.unread.iter().zip(&mut readings) {
                look.facts[file.at] = reading.into();
            }
        }
        Ok(())
    }
}

/// Cuts large folders in pieces.
fn pieces_of<F: FolderFiles>(groups: &[F]) -> Vec<Piece> {
    let mut pieces = Vec::with_capacity(groups.len());
    for (group, files) in groups.iter().enumerate() {
        let count = files.count();
        // What is made of a group without files is made too.
        let starts = (0..count.max(1)).step_by(PIECE);
        pieces.extend(starts.map(|start| Piece { group, names: start..count.min(start + PIECE) }));
    }
    pieces
}

/// Puts small folders together, and the pieces of a large one each for itself.
fn batches_of(pieces: &[Piece]) -> Vec<Range<usize>> {
    let mut batches: Vec<Range<usize>> = Vec::new();
    let mut files = 0;
    for (at, piece) in pieces.iter().enumerate() {
        files += piece.names.len();
        match batches.last_mut() {
            Some(batch) if files <= BATCH => batch.end = at + 1,
            _ => {
                batches.push(at..at + 1);
                files = piece.names.len();
            }
        }
    }
    batches
}

fn make_all<F: FolderFiles, M: Making<F>>(
    groups: &[F],
    making: &M,
    pieces: &[Piece],
    mut facts: &[Witnessed],
) -> M::Made {
    let mut made = making.begin(facts.len());
    for piece in pieces {
        let (mine, others) = facts.split_at(piece.names.len());
        making.add(&mut made, &groups[piece.group], piece.names.start, mine);
        facts = others;
    }
    made
}

struct Looking<'g, 'l, F, M> {
    groups: &'g [F],
    making: &'l M,
    /// Where the book lies; nowhere for one that remembers nothing.
    place: Option<&'l Path>,
    before: &'l HashMap<PathBuf, Shelf>,
}

/// A folder whose files are being looked at.
struct OpenFolder<'g> {
    directory: &'g Path,
    folder: Option<Folder>,
    shelf: Shelf,
    is_needed: bool,
}

impl<'g, F: FolderFiles, M: Making<F>> Looking<'g, '_, F, M> {
    fn look(&self, place: Option<&Folder>, pieces: &[Piece]) -> Look<'g, M::Made> {
        let count = pieces.iter().map(|piece| piece.names.len()).sum();
        let mut look =
            Look { facts: Vec::with_capacity(count), unread: Vec::new(), made: None, shelves: Vec::new() };
        let mut made = self.making.begin(count);
        let mut open: Option<OpenFolder<'g>> = None;
        for piece in pieces {
            let group = &self.groups[piece.group];
            if piece.names.is_empty() {
                self.making.add(&mut made, group, 0, &[]);
                continue;
            }
            let directory = group.folder();
            // Files that stand together in the list share the open folder and its shelf.
            let mut at_hand = match open.take_if(|open| open.directory == directory) {
                Some(at_hand) => at_hand,
                None => self.open(place, group),
            };
            let begun = look.facts.len();
            look_at(&mut at_hand, group, piece, &mut look.facts, &mut look.unread);
            if look.unread.is_empty() {
                self.making.add(&mut made, group, piece.names.start, &look.facts[begun..]);
            }
            if let Some(left) = open.replace(at_hand).filter(|left| left.is_needed) {
                look.shelves.push((left.directory.to_owned(), left.shelf));
            }
        }
        if let Some(left) = open.filter(|left| left.is_needed) {
            look.shelves.push((left.directory.to_owned(), left.shelf));
        }
        look.made = look.unread.is_empty().then_some(made);
        look
    }

    fn open(&self, place: Option<&Folder>, group: &'g F) -> OpenFolder<'g> {
        let directory = group.folder();
        let folder = self.place.and_then(|_| Folder::open(directory).ok());
        let shelf = match (self.before.get(directory), &folder, place) {
            (Some(shelf), _, _) => shelf.clone(),
            (None, Some(folder), Some(place)) => Shelf::load_in(place, directory, folder),
            _ => self.place.map(|place| Shelf::load(place, directory)).unwrap_or_default(),
        };
        // Of a folder in pieces each tells which names were asked for.
        let is_needed = shelf.is_changed() || group.count() > PIECE;
        OpenFolder { directory, folder, shelf, is_needed }
    }
}

fn look_at<'l, F: FolderFiles>(
    open: &mut OpenFolder<'l>,
    group: &F,
    piece: &Piece,
    facts: &mut Vec<Witnessed>,
    unread: &mut Vec<Unlooked<'l>>,
) {
    let OpenFolder { directory, folder, shelf, is_needed } = open;
    let is_looking = !shelf.is_empty() || piece.names.len() < MANY;
    let folder = folder.as_ref().filter(|_| is_looking);
    for name in group.names().skip(piece.names.start).take(piece.names.len()) {
        // What cannot be looked at cannot be read either, and reading tells why.
        let witness = folder.filter(|_| is_plain(name)).and_then(|folder| folder.target(name).ok());
        let content = witness.and_then(|witness| shelf.content(name, &witness));
        facts.push(match (witness, content) {
            (Some(witness), Some(content)) => Witnessed { content, witness },
            _ => {
                let size = witness.as_ref().map_or(SIZE_UNKNOWN, Witness::size);
                unread.push(Unlooked {
                    at: facts.len(),
                    path: directory.join(name),
                    folder: directory,
                    size,
                });
                *is_needed = true;
                Witnessed::UNKNOWN
            }
        });
    }
}

/// Returns whether a name is one in its folder, and not the way to somewhere else.
fn is_plain(name: &OsStr) -> bool {
    let name = name.as_bytes();
    !name.is_empty() && !name.contains(&b'/') && name != b"." && name != b".."
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::entry::Content;
    use std::ffi::OsString;
    use std::fs;

    struct Files {
        folder: PathBuf,
        names: Vec<OsString>,
    }

    impl FolderFiles for Files {
        fn folder(&self) -> &Path {
            &self.folder
        }

        fn count(&self) -> usize {
            self.names.len()
        }

        fn names(&self) -> impl Iterator<Item = &OsStr> {
            self.names.iter().map(OsString::as_os_str)
        }
    }

    /// Makes lines of what each call was given.
    struct Lines;

    impl Making<Files> for Lines {
        type Made = Vec<String>;

        fn begin(&self, _count: usize) -> Vec<String> {
            Vec::new()
        }

        fn add(&self, made: &mut Vec<String>, group: &Files, first: usize, facts: &[Witnessed]) {
            let folder = group.folder.file_name().unwrap().display();
            made.push(format!("{folder} {first} {}", facts.len()));
        }
    }

    struct Scene(tempfile::TempDir);

    impl Scene {
        fn new() -> Self {
            let scene = Self(tempfile::tempdir().unwrap());
            fs::create_dir(scene.0.path().join("witnesses")).unwrap();
            scene
        }

        fn files(&self, folder: &str, names: impl Iterator<Item = usize>) -> Files {
            let folder = self.0.path().join(folder);
            fs::create_dir_all(&folder).unwrap();
            let names = names.map(|number| {
                let name = OsString::from(format!("{number:04}"));
                if !folder.join(&name).exists() {
                    fs::write(folder.join(&name), number.to_string()).unwrap();
                }
                name
            });
            Files { names: names.collect(), folder }
        }

        /// The change time cannot be set, so a settled file is had by a present in the future.
        fn book(&self) -> WitnessBook {
            WitnessBook::settled(self.0.path().join("witnesses"))
        }
    }

    fn contents(groups: &[Files]) -> Vec<Content> {
        let path = |group: &Files, name: &OsString| group.folder.join(name);
        let paths = groups.iter().flat_map(|group| group.names.iter().map(move |name| path(group, name)));
        paths.map(|path| Content::of(&fs::read(path).unwrap())).collect()
    }

    fn looked(book: &mut WitnessBook, groups: &[Files]) -> (Vec<Content>, Vec<String>) {
        let looked = book.contents_in(groups, &Lines).unwrap();
        let contents = looked.facts.iter().flatten().map(|witnessed| witnessed.content).collect();
        (contents, looked.made.concat())
    }

    #[test]
    fn many_folders_are_looked_at_and_remembered() {
        let scene = Scene::new();
        let groups = [
            scene.files("a", 0..1500),
            scene.files("b", 0..3),
            scene.files("empty", 0..0),
            scene.files("c", 0..900),
            // What is known and what is not, in a folder that others came before.
            scene.files("a", 1400..1600),
        ];
        let expected = contents(&groups);
        let made = ["a 0 1500", "b 0 3", "empty 0 0", "c 0 900", "a 0 200"].map(str::to_owned).to_vec();
        let mut book = scene.book();
        assert_eq!(looked(&mut book, &groups), (expected.clone(), made.clone()));
        book.save();
        // Nothing is put in, because all of it is known.
        let mut book = scene.book();
        assert_eq!(looked(&mut book, &groups), (expected.clone(), made.clone()));
        assert!(book.shelves.values().all(|shelf| !shelf.is_changed()));
        // A file that changed is read, and those beside it are not.
        fs::write(scene.0.path().join("b/0001"), "changed").unwrap();
        let mut book = scene.book();
        assert_eq!(looked(&mut book, &groups), (contents(&groups), made.clone()));
        let changed = book.shelves.iter().filter(|(_, shelf)| shelf.is_changed()).map(|(path, _)| path);
        assert_eq!(changed.collect::<Vec<_>>(), [&scene.0.path().join("b")]);
        let mut forgetful = WitnessBook::forgetful();
        assert_eq!(looked(&mut forgetful, &groups), (contents(&groups), made));
        assert!(forgetful.shelves.is_empty());
    }

    #[test]
    fn a_book_whose_folder_is_gone_begins_anew() {
        let scene = Scene::new();
        let groups = [scene.files("a", 0..20)];
        fs::remove_dir(scene.0.path().join("witnesses")).unwrap();
        let mut book = scene.book();
        assert_eq!(looked(&mut book, &groups).0, contents(&groups));
        book.save();
        let mut book = scene.book();
        assert_eq!(looked(&mut book, &groups).0, contents(&groups));
        assert!(book.shelves.is_empty(), "all of it was known");
    }

    #[test]
    fn the_first_file_that_cannot_be_read_is_told() {
        let scene = Scene::new();
        let mut groups = [scene.files("a", 0..100), scene.files("b", 0..100)];
        fs::remove_file(scene.0.path().join("b/0050")).unwrap();
        groups[0].names.push("missing".into());
        for mut book in [scene.book(), WitnessBook::forgetful()] {
            let error = book.contents_in(&groups, &Lines).unwrap_err();
            assert_eq!(error.path, scene.0.path().join("a/missing"));
        }
    }

    #[test]
    fn large_folders_are_cut_and_small_ones_put_together() {
        let files = |count: usize| Files { folder: PathBuf::from("/"), names: vec![OsString::new(); count] };
        let groups = [1000, 1000, 100, 0, 2 * PIECE + 1, 5].map(files);
        let pieces = pieces_of(&groups);
        let shown: Vec<_> = pieces.iter().map(|piece| (piece.group, piece.names.clone())).collect();
        let expected = [
            (0, 0..1000),
            (1, 0..1000),
            (2, 0..100),
            (3, 0..0),
            (4, 0..PIECE),
            (4, PIECE..2 * PIECE),
            (4, 2 * PIECE..2 * PIECE + 1),
            (5, 0..5),
        ];
        assert_eq!(shown, expected);
        assert_eq!(batches_of(&pieces), [0..1, 1..2, 2..4, 4..5, 5..6, 6..8]);
    }
}
