//! Renaming staged files and links into their places.
//!
//! A rename locks its folder and searches it twice, so with many files several threads do it, each in folders of its
//! own as far as possible.
//!
//! Invariant: whatever fails, each file is either in its place or still told to be staged.
//!
//! Deliberately absent: anything that makes or removes a file.

use crate::model::path::RelPath;
use crate::world::file::FileError;
use crate::world::tree::Tree;
use crate::world::workers::share;
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::atomic::{AtomicBool, Ordering};

/// How many files one thread moves before it takes more.
const PIECE: usize = 128;

/// A file or link that is made and not in its place yet.
#[derive(Debug)]
pub(super) struct Staged {
    /// The number of the output.
    pub(super) number: u32,
    /// Where it belongs.
    pub(super) path: RelPath,
    /// What it is called beside its place.
    pub(super) beside: OsString,
}

/// Moves everything into its place, and returns how many that were. Where one cannot be moved, `staged` keeps what was
/// not.
pub(super) fn swap(trees: &BTreeMap<u32, Tree>, staged: &mut Vec<Staged>) -> Result<usize, FileError> {
    // Files of one folder stand together, so that the threads seldom meet in one.
    staged.sort_unstable_by(|a, b| (a.number, &a.path).cmp(&(b.number, &b.path)));
    let count = staged.len();
    let pieces: Vec<_> = staged.chunks(PIECE).collect();
    let has_failed = AtomicBool::new(false);
    let moves = share(
        pieces.len(),
        pieces.len(),
        || None,
        |last, at| {
            if has_failed.load(Ordering::Relaxed) {
                return (0, Ok(()));
            }
            let moved = move_all(trees, pieces[at], last);
            has_failed.fetch_or(moved.1.is_err(), Ordering::Relaxed);
            moved
        },
    );
    let mut at = 0..count;
    staged.retain(|_| at.next().is_some_and(|at| at % PIECE >= moves[at / PIECE].0));
    moves.into_iter().try_for_each(|(_, done)| done).map(|()| count)
}

/// The folder that was moved in last: the number of its output, its path, and itself.
type Last = Option<(u32, Option<RelPath>, OwnedFd)>;

/// Moves files up to the first that cannot be, and says how many.
fn move_all(
    trees: &BTreeMap<u32, Tree>,
    staged: &[Staged],
    last: &mut Last,
) -> (usize, Result<(), FileError>) {
    for (moved, Staged { number, path, beside }) in staged.iter().enumerate() {
        // A tree that was made in is open.
        let Some(tree) = trees.get(number) else { return (moved, Ok(())) };
        let done = folder_at_hand(tree, *number, path, last)
            .and_then(|folder| tree.move_within(folder, beside, path));
        if let Err(error) = done {
            return (moved, Err(error));
        }
    }
    (staged.len(), Ok(()))
}

/// Returns the open folder that holds a path; that of the one before is most often the same.
fn folder_at_hand<'l>(
    tree: &Tree,
    number: u32,
    path: &RelPath,
    last: &'l mut Last,
) -> Result<BorrowedFd<'l>, FileError> {
    let is_it = |(of, folder, _): &(u32, Option<RelPath>, OwnedFd)| {
        (*of, folder.as_ref().map(RelPath::as_bytes)) == (number, path.parent_bytes())
    };
    let at_hand = match last.take().filter(is_it) {
        Some(at_hand) => at_hand,
        None => (number, path.parent(), tree.open_folder_of(path)?),
    };
    Ok(last.insert(at_hand).2.as_fd())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Stages `count` files in three folders, of which that with the number `missing` is gone again, and moves them.
    fn swapped(count: usize, missing: Option<usize>) -> (Result<usize, String>, usize, usize) {
        let folder = tempfile::tempdir().unwrap();
        let mut tree = Tree::create(folder.path()).unwrap();
        let mut staged = Vec::new();
        for number in 0..count {
            let path = RelPath::new(format!("{}/{number:04}", number % 3)).unwrap();
            tree.make_folder(&path.parent().unwrap(), 0o755).unwrap();
            let (_, beside) = tree.create_beside(&path, 0o644).unwrap();
            if missing == Some(number) {
                tree.drop_beside(&beside, &path);
            }
            staged.push(Staged { number: 5, path, beside });
        }
        let trees = BTreeMap::from([(5, tree)]);
        let done = swap(&trees, &mut staged).map_err(|error| error.action.to_owned());
        let there = |name: &str| folder.path().join(name).exists();
        let in_place = (0..count).filter(|number| there(&format!("{}/{number:04}", number % 3))).count();
        let beside = staged.iter().all(|staged| {
            let parent = staged.path.parent().unwrap();
            there(&format!("{}/{}", parent.as_path().display(), staged.beside.display()))
                != (staged.path.name().to_str() == missing.map(|number| format!("{number:04}")).as_deref())
        });
        assert!(beside, "what is told to be left is there");
        (done, in_place, staged.len())
    }

    #[test]
    fn all_are_moved_on_one_thread_and_on_several() {
        for count in [0, 1, 10, PIECE, 3 * PIECE] {
            assert_eq!(swapped(count, None), (Ok(count), count, 0));
        }
    }

    #[test]
    fn what_cannot_be_moved_is_kept_with_what_was_not() {
        for count in [10, 2 * PIECE] {
            for missing in [0, 3, count - 1] {
                let (done, in_place, left) = swapped(count, Some(missing));
                assert_eq!((done, in_place + left), (Err("replace".into()), count), "{missing} of {count}");
            }
        }
    }
}
