//! Which work may take so long that it is worth showing, told beforehand by a look that costs next to nothing.
//!
//! To show work takes a thread, and starting one that never draws anything is a good part of a small hit. Nothing is
//! decided here but that: what is foreseen wrongly is shown in vain, or not at all.

use crate::config::settings::{Pattern, Settings};
use crate::model::pattern::PathPattern;
use crate::world::file::{FileType, Witness};
use std::ffi::OsString;
use std::path::Path;

/// How many bytes are hashed in less time than is worth showing, by a slow machine and disk.
pub(super) const LITTLE: u64 = 32 * 1024 * 1024;

/// How many names are looked at. Where there are more the inputs count as many.
const FEW: usize = 64;

/// Returns whether to make the key of a command may take long: folders and globs may hold any number of files, and
/// files may be large.
pub(super) fn is_long_to_hash(settings: &Settings, command: &[OsString], directory: &Path) -> bool {
    if settings.inputs.len() + command.len() > FEW {
        return true;
    }
    let mut left = LITTLE;
    let fits = |size: Option<u64>| match size.and_then(|size| left.checked_sub(size)) {
        Some(rest) => {
            left = rest;
            true
        }
        None => false,
    };
    let words = command.iter().map(|word| match Witness::of_target(&directory.join(word)) {
        Ok(witness) if witness.file_type() == FileType::File => Some(witness.size()),
        // A word that names a folder, or nothing, is no input.
        _ => Some(0),
    });
    !words.chain(settings.inputs.iter().map(size_of)).all(fits)
}

/// Returns how large the one file is that a pattern means; `None` where it may mean more than one.
fn size_of(pattern: &Pattern) -> Option<u64> {
    let path = PathPattern::new(&pattern.text, &pattern.base).ok()?.literal_path()?;
    match Witness::of_target(&path) {
        Ok(witness) if witness.file_type() == FileType::Directory => None,
        Ok(witness) => Some(witness.size()),
        Err(_) => Some(0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::settings::PatternKind;
    use crate::config::settings::tests::settings;
    use std::fs::File;

    #[test]
    fn folders_globs_large_files_and_many_names_may_take_long() {
        let folder = tempfile::tempdir().unwrap();
        let large = |name: &str, size: u64| {
            File::create(folder.path().join(name)).unwrap().set_len(size).unwrap();
        };
        large("small", 1000);
        large("half", LITTLE / 2);
        large("other", LITTLE / 2 + 1);
        std::fs::create_dir(folder.path().join("in")).unwrap();
        let pattern = |text: &&str| Pattern {
            name: None,
            kind: PatternKind::Required,
            text: text.as_bytes().to_vec(),
            base: folder.path().to_owned(),
        };
        let is_long = |inputs: &[&str], words: &[&str]| {
            let settings = Settings { inputs: inputs.iter().map(pattern).collect(), ..settings() };
            let words: Vec<_> = words.iter().map(OsString::from).collect();
            is_long_to_hash(&settings, &words, folder.path())
        };
        assert!(!is_long(&[], &["echo", "hi", "in"]));
        assert!(!is_long(&["small", "gone", "half"], &["cat", "small"]));
        assert!(is_long(&["half"], &["cat", "other"]));
        assert!(is_long(&[], &["cmp", "half", "other"]));
        assert!(is_long(&["in"], &["true"]));
        assert!(is_long(&["*.c"], &["true"]));
        assert!(!is_long(&[], &["true"; FEW]));
        assert!(is_long(&["small"], &["true"; FEW]));
    }
}
