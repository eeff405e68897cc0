use super::*;
use proptest::prelude::*;

fn compiled(text: &str) -> PathPattern {
    PathPattern::new(text.as_bytes(), Path::new("/base/dir")).unwrap()
}

#[test]
fn a_pattern_has_an_anchor_and_a_name() {
    for (text, anchor, literal, named) in [
        ("a.txt", "/base/dir", Some("a.txt"), "a.txt"),
        ("./out//a.txt", "/base/dir/out", Some("a.txt"), "out/a.txt"),
        ("out/", "/base/dir", Some("out"), "out"),
        ("/etc/hosts", "/etc", Some("hosts"), "/etc/hosts"),
        ("/etc", "/", Some("etc"), "/etc"),
        ("../x", "/base", Some("x"), "../x"),
        ("../../../../x/y", "/x", Some("y"), "../../../../x/y"),
        ("a/../b", "/base/dir/a/..", Some("b"), "a/../b"),
        ("/../a/../b", "/a/..", Some("b"), "/../a/../b"),
        (r"a\*\[b", "/base/dir", Some("a*[b"), "a*[b"),
        (r"we\ird", "/base/dir", Some("weird"), "weird"),
        (r"\./a}]", "/base/dir", Some("a}]"), "a}]"),
    ] {
        let pattern = compiled(text);
        assert!(!pattern.is_glob(), "{text}");
        let name = literal.map(str::as_bytes);
        assert_eq!((pattern.anchor(), pattern.literal_name()), (Path::new(anchor), name), "{text}");
        assert_eq!(pattern.named(name.unwrap()), named.as_bytes(), "{text}");
        assert_eq!(pattern.literal_path(), Some(Path::new(anchor).join(literal.unwrap())), "{text}");
    }
    for (text, anchor, named) in
        [(".", "/base/dir", "."), ("..", "/base", ".."), ("/", "/", "/"), ("a/..", "/base/dir/a/..", "a/..")]
    {
        let pattern = compiled(text);
        assert_eq!((pattern.anchor(), pattern.literal_name()), (Path::new(anchor), None), "{text}");
        assert_eq!((pattern.literal_path(), pattern.is_glob()), (Some(PathBuf::from(anchor)), false));
        assert_eq!(pattern.named(b""), named.as_bytes(), "{text}");
        assert!(pattern.matches(b"") && !pattern.matches(b"x") && pattern.covers(b"x/y"), "{text}");
    }
    for (text, anchor, named) in [
        ("*.c", "/base/dir", "x"),
        ("src/**/*.c", "/base/dir/src", "src/x"),
        ("src/a{b,c}", "/base/dir/src", "src/x"),
        ("{src,lib}/*.c", "/base/dir", "x"),
        ("/usr/include/*.h", "/usr/include", "/usr/include/x"),
        ("/*", "/", "/x"),
        ("../*", "/base", "../x"),
        (r"a\*b/*", "/base/dir/a*b", "a*b/x"),
    ] {
        let pattern = compiled(text);
        assert_eq!((pattern.anchor(), pattern.is_glob()), (Path::new(anchor), true), "{text}");
        assert_eq!((pattern.literal_name(), pattern.literal_path()), (None, None), "{text}");
        assert_eq!(pattern.named(b"x"), named.as_bytes(), "{text}");
    }
}

#[test]
fn a_literal_takes_any_name() {
    let pattern = PathPattern::literal(b"out/a*\xff\\[", Path::new("/b")).unwrap();
    assert_eq!(pattern.literal_name(), Some(&b"a*\xff\\["[..]));
    assert!(pattern.matches(b"a*\xff\\[") && !pattern.matches(b"ab"));
    assert_eq!(PathPattern::new(b"a\xff/\xfe", Path::new("/b")).unwrap().literal_name(), Some(&b"\xfe"[..]));
}

#[test]
fn what_fits_and_what_does_not() {
    for (text, fits, fails) in [
        ("a.txt", &["a.txt"][..], &["b", "a.txt/b", "x/a.txt", ""][..]),
        ("*.c", &["a.c", ".c", ".hidden.c"], &["a.h", "d/a.c", "a.cc"]),
        ("**/*.c", &["a.c", "d/a.c", "d/e/.f/a.c"], &["a.h", "d", "a.c/x"]),
        ("**", &["a", "a/b", ".git/x"], &[""]),
        ("d/**", &["a", "a/b"], &[""]),
        ("*/**", &["a/b", "a/b/c"], &["a"]),
        ("**/d/**/x", &["d/x", "a/d/x", "d/b/c/x", "d/d/x"], &["x", "a/x", "d/x/y"]),
        ("a**b", &["ab", "axb"], &["a/b"]),
        ("?", &["a", "é", "日"], &["ab", ""]),
        ("*?", &["a", "日本"], &[]),
        ("[a-cx]1", &["a1", "c1", "x1"], &["d1", "1", "-1"]),
        ("[!a-c]", &["d", "é", "-"], &["a", "dd"]),
        ("[^a]", &["b"], &["a"]),
        ("[]a]", &["]", "a"], &["b"]),
        (r"[\]\-a]", &["]", "-", "a"], &["\\", "b"]),
        ("[a-]", &["a", "-"], &["b"]),
        ("[а-я]", &["ж"], &["z", "Ж"]),
        ("[{,}]{a,b}", &["{a", ",b", "}a"], &["a"]),
        ("x{a,b{c,d}}.h", &["xa.h", "xbc.h", "xbd.h"], &["xb.h", "x.h"]),
        ("x{,.bak}", &["x", "x.bak"], &["xx"]),
        ("{src,lib/*}/x", &["src/x", "lib/a/x"], &["lib/x", "x"]),
        (r"{a\,b,c\}}", &["a,b", "c}"], &["a", "b", "c"]),
        (r"\{*", &["{a"], &["a"]),
        ("*a*b*c*", &["abc", "xaxbxcx", "aabbc"], &["acb", "ab"]),
        ("*ab", &["aab", "abab"], &["aba"]),
    ] {
        let pattern = compiled(text);
        for name in fits {
            assert!(pattern.matches(name.as_bytes()), "{text} {name}");
        }
        for name in fails {
            assert!(!pattern.matches(name.as_bytes()), "{text} {name}");
        }
    }
    assert!(compiled("*").matches(b"\xff\xfe") && compiled("??").matches(b"\xff\xfe"));
    assert!(compiled("[!a]").matches(b"\xff") && !compiled("[a-z]").matches(b"\xff"));
    let latin = PathPattern::new(b"\xff*", Path::new("/")).unwrap();
    assert!(latin.matches(b"\xffx") && !latin.matches(b"\xfe"));
}

#[test]
fn what_is_no_pattern() {
    let braces = "{a,b}".repeat(11);
    for (text, problem) in [
        ("", PatternProblem::Empty),
        ("a\0", PatternProblem::Nul),
        ("a\\", PatternProblem::DanglingEscape),
        ("*\\", PatternProblem::DanglingEscape),
        ("[ab", PatternProblem::UnclosedClass),
        ("[]", PatternProblem::UnclosedClass),
        ("[a/b]", PatternProblem::UnclosedClass),
        ("[b-a]", PatternProblem::InvalidRange('b', 'a')),
        ("[[:alpha:]]", PatternProblem::NamedClass),
        ("{a,b", PatternProblem::UnclosedBrace),
        ("{a,{b}", PatternProblem::UnclosedBrace),
        ("{/a,b}", PatternProblem::RootedAlternative),
        ("{,a}", PatternProblem::EmptyAlternative),
        ("*/../a", PatternProblem::ParentBehindWildcard),
        ("{..,a}/b", PatternProblem::ParentBehindWildcard),
        (&braces, PatternProblem::TooManyAlternatives),
        (&"{".repeat(2000), PatternProblem::TooManyAlternatives),
    ] {
        let error = PathPattern::new(text.as_bytes(), Path::new("/")).unwrap_err();
        assert_eq!(error, PatternError { pattern: printable(text.as_bytes()), problem }, "{text}");
    }
    assert_eq!(
        PathPattern::new(b"[\xff]", Path::new("/")).unwrap_err().to_string(),
        "the pattern '[\\xff]' has a '[..]' that is not UTF-8"
    );
    assert_eq!(
        PathPattern::new(b"a", Path::new("b")).unwrap_err().to_string(),
        "the pattern 'a' is relative to 'b', which is not an absolute path"
    );
}

#[test]
fn exclusions_take_the_tree() {
    let exclusions = Exclusions::new(["vendor", "**/*.tmp", "../other/*/x", "/abs/y"].map(compiled).to_vec());
    for (path, taken) in [
        ("/base/dir/vendor", true),
        ("/base/dir/vendor/a/b", true),
        ("/base/dir/vendors", false),
        ("/base/dir/src/vendor", false),
        ("/base/dir/src/x.tmp", true),
        ("/base/dir/src/x.tmp/y", true),
        ("/base/other/a/x/deep", true),
        ("/base/other/x", false),
        ("/abs/y/z", true),
        ("/abs", false),
        ("/elsewhere/x.tmp", false),
    ] {
        assert_eq!(exclusions.covers(Path::new(path)), taken, "{path}");
    }
    assert!(Exclusions::default().is_empty() && !exclusions.is_empty());
    assert!(Exclusions::new(vec![compiled(".")]).covers(Path::new("/base/dir/anything")));
}

/// A component without a `/` in it and without negated classes, whose `[!a]` globset lets take a `/`.
const STEP: &str = r"(\*\*|[ab*?][ab.*?]{0,2}|[ab]?\{a,b\*\}|[ab*]?\[[ab.]{1,2}\]\*?)";

proptest! {
    #[test]
    fn any_bytes_are_a_pattern_or_an_error(
        text in prop::collection::vec(prop::sample::select(b"ab/.*?[]{},\\!-\xff\xc3\xa9".to_vec()), 0..16),
        path in prop::collection::vec(prop::sample::select(b"ab/\xff\xc3\xa9".to_vec()), 0..10),
    ) {
        if let Ok(pattern) = PathPattern::new(&text, Path::new("/base")) {
            prop_assert!(pattern.anchor().is_absolute());
            if pattern.matches(&path) {
                prop_assert!(pattern.covers(&path));
            }
        }
    }

    /// On ASCII, where characters are bytes, the meaning is that of globset.
    #[test]
    fn the_meaning_is_that_of_globset(
        steps in prop::collection::vec(STEP, 1..4),
        path in "[ab][ab.]{0,3}(/[ab][ab.]{0,3}){0,3}",
    ) {
        let text = steps.join("/");
        let theirs = globset::GlobBuilder::new(&text).literal_separator(true).build().unwrap();
        let ours = compiled(&text);
        let below = Path::new("/base/dir").join(&path);
        let fits = below
            .strip_prefix(ours.anchor())
            .is_ok_and(|below| ours.matches(below.as_os_str().as_bytes()));
        prop_assert_eq!(fits, theirs.compile_matcher().is_match(&path), "{}", text);
    }

    /// A walk that steps from folder to folder accepts what matching the whole path does.
    #[test]
    fn steps_agree_with_the_whole(text in "[ab*?/]{1,8}", path in "[ab]{1,2}(/[ab]{1,2}){0,3}") {
        let Ok(pattern) = PathPattern::new(text.as_bytes(), Path::new("/")) else { return Ok(()) };
        prop_assume!(pattern.anchor() == Path::new("/"));
        let whole: Vec<usize> =
            (0..=path.len()).filter(|end| pattern.matches(&path.as_bytes()[..*end])).collect();
        let ends = path.match_indices('/').map(|(at, _)| at).chain([path.len()]);
        let covered: Vec<bool> = ends.clone().map(|end| pattern.covers(&path.as_bytes()[..end])).collect();
        let expected: Vec<bool> = ends.map(|end| whole.iter().any(|fit| *fit <= end
            && (*fit == 0 || *fit == end || path.as_bytes()[*fit] == b'/'))).collect();
        prop_assert_eq!(covered, expected);
    }
}
