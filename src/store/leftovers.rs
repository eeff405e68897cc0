//! Files that a process was about to rename into place when it died.
//!
//! Whatever is replaced at once (witnesses, placements, the history, the marks) is written beside its place first,
//! under its name and sixteen random hex digits. Nobody holds a lock for such a file: its owner is done with it in
//! moments, so one that was left alone for `AGE` belongs to nobody.
//!
//! Names that nobody of ours gives are left as they are, wherever they lie.

use super::Layout;
use crate::world::file::{FileError, FileType, Witness, file_time};
use std::path::Path;

/// For how long such a file must have been left alone, in nanoseconds of the file system's time. Long, because a
/// stopped process may go on.
const AGE: i128 = 60 * 60 * 1_000_000_000;

/// Files in the store's own folder that are replaced at once.
const REPLACED: [&str; 3] = ["CACHEDIR.TAG", "collected", "history.jsonl"];

/// Folders whose files are replaced at once, or made to ask the file system for its time.
const FOLDERS: [&str; 3] = ["witnesses", "placements", "quarantine"];

/// Removes what dead processes left; returns how many files. One that cannot be looked at or removed stays for the
/// next time: it is in nobody's way.
pub fn sweep(layout: &Layout) -> Result<usize, FileError> {
    let present = file_time(&layout.path("locks"))?;
    let mut swept = 0;
    let walks = [(layout.root.clone(), 1)].into_iter().chain(FOLDERS.map(|name| (layout.path(name), 2)));
    for (folder, depth) in walks {
        for file in walkdir::WalkDir::new(&folder).min_depth(1).max_depth(depth).into_iter().flatten() {
            let in_root = folder == layout.root;
            let is_ours = file.file_name().to_str().is_some_and(|name| is_temporary(name, in_root));
            if is_ours && is_old(file.path(), present) && std::fs::remove_file(file.path()).is_ok() {
                swept += 1;
            }
        }
    }
    Ok(swept)
}

fn is_temporary(name: &str, in_root: bool) -> bool {
    let is_hex = |text: &str| text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    let Some((stem, suffix)) = name.rsplit_once('.') else { return false };
    let known = if in_root {
        REPLACED.contains(&stem)
    } else {
        // What remains of a digest whose first two digits name the folder; or a file that asked for the time.
        stem.len() == 62 && is_hex(stem) || stem == "now"
    };
    known && suffix.len() == 16 && is_hex(suffix)
}

fn is_old(path: &Path, present: i128) -> bool {
    let is_old = |witness: &Witness| witness.modified().saturating_add(AGE) < present;
    Witness::of_path(path).is_ok_and(|witness| witness.file_type() == FileType::File && is_old(&witness))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::{File, FileTimes};
    use std::time::{Duration, UNIX_EPOCH};

    #[test]
    fn what_was_left_goes_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let layout = Layout { root: folder.path().to_owned() };
        let shelf = format!("witnesses/ab/{}", "cd".repeat(31));
        let write = |name: &str, is_old: bool| {
            let path = layout.path(name);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            let file = File::create(path).unwrap();
            if is_old {
                let time = UNIX_EPOCH + Duration::from_secs(1_000_000_000);
                file.set_times(FileTimes::new().set_modified(time)).unwrap();
            }
        };
        let left = ["collected.0123456789abcdef", "witnesses/now.0123456789abcdef"];
        let left = left.map(str::to_owned).into_iter().chain([format!("{shelf}.0123456789abcdef")]);
        let left: Vec<String> = left.collect();
        let kept = [
            shelf.clone(),
            format!("{shelf}.0123456789abcde"),
            format!("{shelf}.0123456789ABCDEF"),
            "notes.0123456789abcdef".into(),
            "placements/ab/notes.0123456789abcdef".into(),
            "collected".into(),
        ];
        let young = "history.jsonl.0123456789abcdef";
        std::fs::create_dir(layout.path("locks")).unwrap();
        left.iter().chain(&kept).for_each(|name| write(name, true));
        write(young, false);
        assert_eq!(sweep(&layout).unwrap(), left.len());
        for name in &left {
            assert!(!layout.path(name).exists(), "{name}");
        }
        for name in kept.iter().map(String::as_str).chain([young]) {
            assert!(layout.path(name).exists(), "{name}");
        }
        assert_eq!(sweep(&layout).unwrap(), 0);
    }
}
