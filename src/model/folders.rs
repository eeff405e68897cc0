//! Many paths told as few folders, each with how many of them it holds.

use std::collections::BTreeMap;

/// Paths that are told as one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// The path where there is one alone, else the folder that holds them all, ending in `/`; `./` for the folder
    /// that the paths are relative to.
    pub name: Vec<u8>,
    /// How many paths it stands for.
    pub count: usize,
}

/// Returns the folders that hold the paths, as deep as they can be told in at most `most` groups, sorted by name.
pub fn by_folder(paths: &[&[u8]], most: usize) -> Vec<Group> {
    let deepest = paths.iter().map(|path| depth(path)).max().unwrap_or_default();
    let mut groups = BTreeMap::new();
    for kept in (0..=deepest).rev() {
        groups = at_depth(paths, kept);
        if groups.len() <= most {
            break;
        }
    }
    let mut groups: Vec<_> = groups
        .into_iter()
        .map(|(folder, held)| match held.as_slice() {
            [only] => Group { name: only.to_vec(), count: 1 },
            _ if folder.is_empty() => Group { name: b"./".to_vec(), count: held.len() },
            _ => Group { name: folder.to_vec(), count: held.len() },
        })
        .collect();
    groups.sort_by(|a, b| a.name.cmp(&b.name));
    groups
}

fn depth(path: &[u8]) -> usize {
    path.iter().filter(|byte| **byte == b'/').count()
}

fn at_depth<'p>(paths: &[&'p [u8]], kept: usize) -> BTreeMap<&'p [u8], Vec<&'p [u8]>> {
    let mut groups: BTreeMap<&[u8], Vec<&[u8]>> = BTreeMap::new();
    for path in paths {
        let slashes = path.iter().enumerate().filter(|(_, byte)| **byte == b'/');
        let end = slashes.map(|(at, _)| at + 1).take(kept).last().unwrap_or_default();
        groups.entry(&path[..end]).or_default().push(path);
    }
    groups
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(paths: &[&str], most: usize) -> Vec<String> {
        let paths: Vec<&[u8]> = paths.iter().map(|path| path.as_bytes()).collect();
        let groups = by_folder(&paths, most).into_iter();
        groups.map(|group| format!("{} {}", String::from_utf8(group.name).unwrap(), group.count)).collect()
    }

    #[test]
    fn folders_are_as_deep_as_there_is_room() {
        let paths = ["src/net/a", "src/net/b", "src/ui/c", "src/ui/d", "docs/x", "top", "/abs/y"];
        assert_eq!(
            told(&paths, 5),
            ["/abs/y 1", "docs/x 1", "src/net/ 2", "src/ui/ 2", "top 1"].map(String::from)
        );
        assert_eq!(told(&paths, 4), ["/abs/y 1", "docs/x 1", "src/ 4", "top 1"].map(String::from));
        assert_eq!(told(&paths, 3), ["./ 7"].map(String::from));
        assert_eq!(told(&[], 3), [""; 0].map(String::from));
    }
}
