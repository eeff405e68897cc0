//! Patterns, dependency files, the scripts that commands name, and paths that must not leave their place.

use std::path::Path;
use taskcache::model::depfile::prerequisites;
use taskcache::model::interpreter::script_arguments;
use taskcache::model::path::{RelPath, printable};
use taskcache::model::pattern::PathPattern;

/// The first line is a pattern, the second a path. What fits is covered, and lies in folders that are worth entering.
pub fn pattern(bytes: &[u8]) {
    let mut lines = bytes.splitn(2, |byte| *byte == b'\n');
    let (text, path) = (lines.next().unwrap_or_default(), lines.next().unwrap_or_default());
    let base = Path::new("/base/folder");
    if let Ok(relative) = RelPath::new(path) {
        if let Ok(pattern) = PathPattern::new(text, base) {
            let matches = pattern.matches(relative.as_bytes());
            assert!(!matches || pattern.covers(relative.as_bytes()), "fits and is not covered");
            let mut above = relative.parent();
            while let Some(folder) = above {
                assert!(
                    !matches || pattern.may_match_below(folder.as_bytes()),
                    "a folder would be passed by"
                );
                above = folder.parent();
            }
        }
        let literal = PathPattern::literal(path, base).expect("a plain path is a pattern");
        assert!(literal.covers_path(&base.join(relative.as_path())), "a path is itself");
    } else if let Ok(pattern) = PathPattern::new(text, base) {
        let (_, _) = (pattern.literal_name(), pattern.literal_path());
    }
}

/// Dependency files: no prerequisite is empty or stands twice. And the lines taken as names, written as a compiler
/// writes them, come back.
pub fn depfile(bytes: &[u8]) {
    if let Ok(found) = prerequisites(bytes) {
        for (at, path) in found.iter().enumerate() {
            assert!(!path.is_empty() && !found[..at].contains(path));
        }
    }
    let is_plain = |byte: &u8| byte.is_ascii_alphanumeric() || b"/._-+ ".contains(byte);
    let mut names: Vec<&[u8]> = Vec::new();
    for name in bytes.split(|byte| *byte == b'\n') {
        if !name.is_empty() && name.iter().all(is_plain) && !names.contains(&name) {
            names.push(name);
        }
    }
    let mut text = b"out.o:".to_vec();
    for name in &names {
        text.push(b' ');
        for byte in *name {
            if *byte == b' ' {
                text.push(b'\\');
            }
            text.push(*byte);
        }
    }
    text.push(b'\n');
    assert_eq!(prerequisites(&text).expect("it is a rule"), names);
}

/// Words of a command, with NUL between them: every script that is found stands where it is said to be.
pub fn interpreter(bytes: &[u8]) {
    let argv: Vec<&[u8]> = bytes.split(|byte| *byte == 0).collect();
    let scripts = script_arguments(&argv);
    for script in &scripts.named {
        let word = argv.get(script.position).expect("the position is in argv");
        // What stands before the name may come from another word, as that of make's -C does.
        let name = script.path.rsplit(|byte| *byte == b'/').next().unwrap_or_default();
        assert!(word.ends_with(name), "the name is a part of the word");
    }
    assert_eq!(script_arguments(&argv), scripts);
}

/// Paths that cannot leave their place, and text that is safe on a terminal.
pub fn path(bytes: &[u8]) {
    if let Ok(path) = RelPath::new(bytes) {
        assert_eq!(path.as_bytes(), bytes);
        assert!(!bytes.starts_with(b"/") && !bytes.contains(&0));
        assert!(path.components().all(|part| !part.is_empty() && part != "." && part != ".."));
    }
    let shown = printable(bytes);
    assert!(shown.chars().all(|character| !character.is_control()), "{shown:?}");
}
