use super::*;
use proptest::prelude::*;
use std::ffi::OsStr;
use std::os::unix::fs::symlink;
use std::os::unix::net::UnixListener;
use tempfile::TempDir;

/// Something that a pattern found.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Found {
    path: PathBuf,
    name: Vec<u8>,
    kind: FoundKind,
}

/// Returns each thing that a pattern finds by itself, sorted by name.
fn expand(
    pattern: &PathPattern,
    excluded: impl Fn(&Path, bool) -> bool + Sync,
) -> Result<Vec<Found>, ExpandError> {
    let mut all = Vec::new();
    for listing in super::expand(pattern, excluded)? {
        let found = listing.entries().map(|(entry, kind)| Found {
            path: listing.path_of(entry),
            name: listing.name_of(entry),
            kind: kind.clone(),
        });
        let found: Vec<Found> = found.collect();
        assert!(!found.is_empty() && found.is_sorted_by(|a, b| a.name < b.name));
        all.extend(found);
    }
    all.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(all)
}

/// Makes a folder with the given files, and those that end in `/` as folders.
fn tree(paths: &[&str]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for path in paths {
        let whole = folder.path().join(path);
        if path.ends_with('/') {
            fs::create_dir_all(whole).unwrap();
        } else {
            fs::create_dir_all(whole.parent().unwrap()).unwrap();
            fs::write(whole, path).unwrap();
        }
    }
    folder
}

fn pattern(text: &str, base: &Path) -> PathPattern {
    PathPattern::new(text.as_bytes(), base).unwrap()
}

/// Returns what a pattern finds, one line each: the name and a mark for what it is.
fn names_below(base: &Path, text: &str) -> Vec<String> {
    let found = expand(&pattern(text, base), |_, _| false).unwrap();
    found.iter().map(|found| shown(base, found)).collect()
}

fn shown(base: &Path, found: &Found) -> String {
    let name = String::from_utf8(found.name.clone()).unwrap();
    assert!(found.path.is_absolute());
    if !name.contains("..") {
        assert_eq!(found.path, base.join(&name).components().collect::<PathBuf>());
    }
    match &found.kind {
        FoundKind::File => name,
        FoundKind::Directory => format!("{name}/"),
        FoundKind::Symlink { target, resolves } => {
            format!("{name} -> {} {resolves:?}", String::from_utf8_lossy(target))
        }
        FoundKind::Special(what) => format!("{name} ({what})"),
    }
}

#[test]
fn literals_find_files_and_trees() {
    let folder = tree(&["a.txt", "src/b.c", "src/.git/x", "src/empty/", "src-1", "other"]);
    for (text, expected) in [
        ("a.txt", &["a.txt"][..]),
        ("./a.txt/", &["a.txt"]),
        ("missing", &[]),
        ("a.txt/below", &[]),
        ("src", &["src/", "src/.git/", "src/.git/x", "src/b.c", "src/empty/"]),
        ("src/../a.txt", &["src/../a.txt"]),
        (".", &["./", "a.txt", "other", "src/", "src-1", "src/.git/", "src/.git/x", "src/b.c", "src/empty/"]),
    ] {
        let mut expected = expected.to_vec();
        // Names are sorted without the mark that the test adds.
        expected.sort_by_key(|name| name.trim_end_matches('/').to_owned());
        assert_eq!(names_below(folder.path(), text), expected, "{text}");
    }
    let found = expand(&pattern("../src/empty", &folder.path().join("src")), |_, _| false).unwrap();
    let path = folder.path().join("src/empty");
    assert_eq!(found, [Found { path, name: b"../src/empty".to_vec(), kind: FoundKind::Directory }]);
}

#[test]
fn an_absolute_pattern_gives_absolute_names() {
    let folder = tree(&["src/b.c"]);
    for text in ["src", "src/*.c"] {
        let text = folder.path().join(text);
        let found = expand(&pattern(text.to_str().unwrap(), Path::new("/elsewhere")), |_, _| false).unwrap();
        assert!(!found.is_empty());
        for found in found {
            assert_eq!(found.name, found.path.as_os_str().as_bytes());
        }
    }
}

#[test]
fn globs_find_files_and_the_trees_of_folders() {
    let folder = tree(&["a.c", ".b.c", "a.h", "src/c.c", "src/deep/er/d.c", "src/deep/.x", "lib/e.c"]);
    for (text, expected) in [
        ("*.c", &[".b.c", "a.c"][..]),
        ("**/*.c", &[".b.c", "a.c", "lib/e.c", "src/c.c", "src/deep/er/d.c"]),
        ("src/**", &["src/c.c", "src/deep/", "src/deep/.x", "src/deep/er/", "src/deep/er/d.c"]),
        ("src/d*", &["src/deep/", "src/deep/.x", "src/deep/er/", "src/deep/er/d.c"]),
        ("{lib,src}/*.c", &["lib/e.c", "src/c.c"]),
        ("*/*.c", &["lib/e.c", "src/c.c"]),
        ("{a,a*}.c", &["a.c"]),
        ("**/d?*", &["src/deep/", "src/deep/.x", "src/deep/er/", "src/deep/er/d.c"]),
        ("missing/*.c", &[]),
        ("a.c/*", &[]),
        ("*.rs", &[]),
    ] {
        assert_eq!(names_below(folder.path(), text), expected, "{text}");
    }
}

#[test]
fn names_are_bytes() {
    let folder = tree(&[]);
    let name = OsStr::from_bytes(b"caf\xe9.txt");
    fs::write(folder.path().join(name), "").unwrap();
    let expected =
        [Found { path: folder.path().join(name), name: name.as_bytes().to_vec(), kind: FoundKind::File }];
    for text in [&b"*.txt"[..], b"caf?.*", b"caf\xe9.txt", b"caf\xe9*"] {
        let pattern = PathPattern::new(text, folder.path()).unwrap();
        assert_eq!(expand(&pattern, |_, _| false).unwrap(), expected);
    }
}

#[test]
fn links_are_reported_and_followed() {
    let folder = tree(&["real/a.c", "real/sub/b.c", "top/x.c"]);
    for (target, link) in [
        ("../real", "top/folder"),
        ("../real/a.c", "top/file.c"),
        ("nowhere", "top/nothing.c"),
        ("..", "real/sub/up"),
        ("self", "top/self"),
        ("/dev/null", "top/null"),
    ] {
        symlink(target, folder.path().join(link)).unwrap();
    }
    assert_eq!(
        names_below(folder.path(), "top"),
        [
            "top/",
            "top/file.c -> ../real/a.c File",
            "top/folder -> ../real Directory",
            "top/folder/a.c",
            "top/folder/sub/",
            "top/folder/sub/b.c",
            "top/folder/sub/up -> .. Loop",
            "top/nothing.c -> nowhere Nothing",
            "top/null -> /dev/null Other",
            "top/self -> self Loop",
            "top/x.c",
        ]
    );
    assert_eq!(
        names_below(folder.path(), "top/**/*.c"),
        [
            "top/file.c -> ../real/a.c File",
            "top/folder/a.c",
            "top/folder/sub/b.c",
            "top/nothing.c -> nowhere Nothing",
            "top/x.c",
        ]
    );
    assert_eq!(
        names_below(folder.path(), "top/folder/sub"),
        [
            "top/folder/sub/",
            "top/folder/sub/b.c",
            "top/folder/sub/up -> .. Directory",
            "top/folder/sub/up/a.c",
            "top/folder/sub/up/sub/",
            "top/folder/sub/up/sub/b.c",
            "top/folder/sub/up/sub/up -> .. Loop",
        ]
    );
    assert_eq!(
        names_below(folder.path(), "top/folder")[..2],
        ["top/folder -> ../real Directory", "top/folder/a.c"]
    );
    assert_eq!(names_below(folder.path(), "top/nothing.c"), ["top/nothing.c -> nowhere Nothing"]);
}

#[test]
fn what_has_no_content_is_named() {
    let folder = tree(&[]);
    let _listener = UnixListener::bind(folder.path().join("listening")).unwrap();
    assert_eq!(names_below(folder.path(), "*"), ["listening (socket)"]);
    assert_eq!(names_below(Path::new("/dev"), "null"), ["null (character device)"]);
}

#[test]
fn what_is_excluded_is_not_entered() {
    let folder = tree(&["src/a.c", "src/vendor/b.c", "src/vendor/deep/c.c", "src/x.tmp"]);
    symlink("vendor", folder.path().join("src/link")).unwrap();
    let exclusions =
        Exclusions::new(["src/vendor", "**/*.tmp"].map(|text| pattern(text, folder.path())).to_vec());
    for (text, expected) in [
        ("src", &["src/", "src/a.c", "src/link -> vendor Directory", "src/link/b.c"][..]),
        ("**/*.c", &["src/a.c", "src/link/b.c", "src/link/deep/c.c"]),
        ("src/vendor", &[]),
        ("src/vendor/*.c", &[]),
        ("src/x.tmp", &[]),
    ] {
        let found = expand(&pattern(text, folder.path()), |path, is_directory| {
            assert_eq!(is_directory, fs::symlink_metadata(path).unwrap().is_dir());
            exclusions.covers(path) || (text == "src" && path.ends_with("deep"))
        });
        let found: Vec<String> = found.unwrap().iter().map(|found| shown(folder.path(), found)).collect();
        assert_eq!(found, expected, "{text}");
    }
}

#[test]
fn a_folder_that_vanishes_is_an_error_with_its_path() {
    let folder = tree(&["src/gone/"]);
    let gone = folder.path().join("src/gone");
    let error = expand(&pattern("src/**", folder.path()), |path, is_directory| {
        assert!(is_directory);
        if path == gone {
            fs::remove_dir(path).unwrap();
        }
        false
    })
    .unwrap_err();
    assert_eq!(error.path(), gone);
    assert_eq!(error.reason().kind(), ErrorKind::NotFound);
    let expected =
        format!("cannot list the folder '{}': No such file or directory (os error 2)", gone.display());
    assert_eq!(error.to_string(), expected);
}

#[test]
fn a_path_that_cannot_be_asked_for_is_an_error() {
    let folder = tree(&[]);
    let long = "x".repeat(300);
    let error = expand(&pattern(&long, folder.path()), |_, _| false).unwrap_err();
    assert_eq!(error.path(), folder.path().join(long));
    symlink("loop", folder.path().join("loop")).unwrap();
    let error = expand(&pattern("loop/x", folder.path()), |_, _| false).unwrap_err();
    assert_eq!(error.path(), folder.path().join("loop/x"));
}

#[test]
fn only_folders_that_can_hold_a_match_are_asked_for() {
    let folder = tree(&["a/Cargo.toml", "a/deep/er/x", "b/deep/x"]);
    let asked = std::sync::Mutex::new(Vec::new());
    let found = expand(&pattern("*/Cargo.toml", folder.path()), |path, _| {
        asked.lock().unwrap().push(path.strip_prefix(folder.path()).unwrap().to_owned());
        false
    });
    assert_eq!(found.unwrap().len(), 1);
    let mut asked = asked.into_inner().unwrap();
    asked.sort();
    assert_eq!(asked, ["", "a", "a/Cargo.toml", "b"].map(PathBuf::from));
}

#[test]
fn a_wide_tree_is_found_whole_and_its_first_error_told() {
    let paths: Vec<String> = (0..300).map(|number| format!("w/{}/{number}", number % 100)).collect();
    let folder = tree(&paths.iter().map(String::as_str).collect::<Vec<_>>());
    let found = expand(&pattern("w", folder.path()), |_, _| false).unwrap();
    assert_eq!(found.len(), 1 + 100 + 300);
    assert_eq!(expand(&pattern("w/*/*", folder.path()), |_, _| false).unwrap().len(), 300);
    let long = "x".repeat(200);
    let error = expand(&pattern("w", folder.path()), |path, is_directory| {
        let name = path.file_name().unwrap().to_str().unwrap();
        // Gone before it is listed, or in the way of that.
        if is_directory && ["17", "42", "8"].contains(&name) {
            fs::rename(path, path.with_file_name(format!("{long}{name}"))).unwrap();
        }
        false
    });
    assert_eq!(error.unwrap_err().path(), folder.path().join("w/17"));
}

#[test]
fn depth_and_breadth_are_no_danger() {
    let deep = "d/".repeat(900);
    let folder = tree(&[&deep]);
    for number in 0..2000 {
        fs::write(folder.path().join(format!("{number:04}.c")), "").unwrap();
    }
    assert_eq!(expand(&pattern("d", folder.path()), |_, _| false).unwrap().len(), 900);
    let found = expand(&pattern("**/*.c", folder.path()), |_, _| false).unwrap();
    assert_eq!(found.len(), 2000);
    assert!(found.is_sorted_by(|a, b| a.name < b.name));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// A walk finds what matching every path of the tree would: each path that fits, or lies below one that does.
    #[test]
    fn a_walk_agrees_with_matching(
        text in "[ab*?]{1,2}(/(\\*\\*|[ab*?]{1,2})){0,3}",
        paths in prop::collection::vec("[ab]{1,2}(/[ab]{1,2}){0,3}/", 1..8),
    ) {
        let paths: Vec<&str> = paths.iter().map(String::as_str).collect();
        let folder = tree(&paths);
        let pattern = pattern(&text, folder.path());
        let everything = expand(&PathPattern::new(b".", folder.path()).unwrap(), |_, _| false).unwrap();
        let expected: Vec<Found> =
            everything.into_iter().filter(|found| pattern.covers_path(&found.path)).collect();
        prop_assert_eq!(expand(&pattern, |_, _| false).unwrap(), expected);
    }
}

#[test]
fn a_folder_that_is_gone_is_told_as_missing() {
    let folder = tempfile::tempdir().unwrap();
    let is_missing = |path: &Path| each_entry(path, |_, _| Ok(())).unwrap_err().is_missing();
    assert!(is_missing(&folder.path().join("gone")));
    let file = folder.path().join("file");
    fs::write(&file, "").unwrap();
    assert!(is_missing(&file) && is_missing(&file.join("below")));
    let circle = folder.path().join("circle");
    symlink("circle", &circle).unwrap();
    assert!(!is_missing(&circle));
}
