//! The files of `--input-list`: one pattern a line, or with NUL bytes between them under `--null`.
//!
//! There is no comment and no escape: a line is the pattern, byte for byte, so that the output of `find` or `git
//! ls-files -z` can be taken as it is. Blank lines are skipped.

use super::error::ConfigError;
use super::layer::{Origin, shown};
use super::settings::Pattern;
use super::stack::{Element, refuse};
use std::fs::File;
use std::io::Read;
use std::path::PathBuf;

/// How many bytes a list may have. There is a limit because a list may be a pipe, which may never end.
const MAX_LIST: u64 = 64 << 20;

/// Reads the patterns of a list. They are relative to what the list's own path is relative to.
pub(super) fn read(list: &Element<'_>, null: bool) -> Result<Vec<Pattern>, ConfigError> {
    if list.text == "-" {
        let reason = "'-' is not supported, because standard input is the command's".to_owned();
        let hint = Some("write '<(...)' or a file".to_owned());
        return Err(ConfigError::Value { origin: Box::new(list.origin.clone()), reason, hint });
    }
    let path = list.base.join(list.text);
    let separator = if null { b'\0' } else { b'\n' };
    let bytes = bytes_of(list, &path)?;
    let mut patterns = Vec::new();
    for (index, line) in bytes.split(|byte| *byte == separator).enumerate() {
        if line.is_empty() || !null && line.trim_ascii().is_empty() {
            continue;
        }
        let origin = || Origin::ListFile { path: PathBuf::from(list.text), line: index + 1 };
        if line.contains(&0) {
            let (origin, reason) = (Box::new(origin()), "the line holds a NUL byte".to_owned());
            return Err(ConfigError::Value { origin, reason, hint: Some("give --null".to_owned()) });
        }
        patterns.push(Pattern::parse(line, list.base).map_err(|error| refuse(&origin(), error))?);
    }
    Ok(patterns)
}

fn bytes_of(list: &Element<'_>, path: &PathBuf) -> Result<Vec<u8>, ConfigError> {
    let mut bytes = Vec::new();
    let read = File::open(path).and_then(|file| file.take(MAX_LIST + 1).read_to_end(&mut bytes));
    match read {
        Ok(length) if length as u64 > MAX_LIST => {
            Err(list.refuse(format!("{} has more than 64 MiB", shown(path))))
        }
        Ok(_) => Ok(bytes),
        Err(error) => Err(list.refuse(format!("cannot read {}: {error}", shown(path)))),
    }
}
