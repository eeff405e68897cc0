//! Entries that somebody made to do harm, a tree that somebody changes while it is restored, and names that want to
//! speak to the terminal. The streams are built by hand, byte by byte, as their documents say.

use crate::support::{Ran, TestEnv, ran};
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use taskcache::model::codec::Encoder;
use taskcache::model::digest::Digest;
use taskcache::model::fingerprint::Fingerprint;

const OUT: &str = "run -o out -- sh -c 'echo ran >> count; mkdir -p out; echo real > out/a; echo real'";

/// One record of a stream.
fn record(kind: u8, payload: &[u8]) -> Vec<u8> {
    let mut bytes = vec![kind];
    bytes.extend((payload.len() as u64).to_be_bytes());
    bytes.extend(payload);
    bytes
}

fn content(bytes: &[u8]) -> Vec<u8> {
    record(1, &[Digest::of(bytes).as_bytes(), bytes].concat())
}

/// A whole stream with a right digest.
fn stream(records: &[Vec<u8>]) -> Vec<u8> {
    let mut bytes = [&b"taskcache-export"[..], &1_u32.to_be_bytes()].concat();
    bytes.extend(records.concat());
    bytes.push(0);
    bytes.extend(32_u64.to_be_bytes());
    let digest = Digest::of(&bytes);
    bytes.extend(digest.as_bytes());
    bytes
}

/// One node of a tree: a file that holds `x`, unless told otherwise.
#[derive(Clone)]
struct Node {
    output: u32,
    path: Vec<u8>,
    flags: u8,
    kind: u8,
    mode: u32,
    content: Vec<u8>,
    size: u64,
}

fn file(path: &str) -> Node {
    let path = path.as_bytes().to_vec();
    Node { output: 0, path, flags: 0, kind: 0, mode: 0o644, content: b"x".to_vec(), size: 1 }
}

fn folder(path: &str) -> Node {
    Node { kind: 1, mode: 0o755, ..file(path) }
}

fn link(path: &str, target: &str) -> Node {
    Node { kind: 2, content: target.as_bytes().to_vec(), ..file(path) }
}

fn tree(nodes: &[Node]) -> Vec<u8> {
    let mut encoder = Encoder::new();
    encoder.u32(1).length(nodes.len());
    for node in nodes {
        encoder.u32(node.output).bytes(&node.path).u8(node.flags).u8(node.kind);
        match node.kind {
            1 => encoder.u32(node.mode),
            2 => encoder.bytes(&node.content),
            _ => encoder.u32(node.mode).digest(&Digest::of(&node.content)).u64(node.size),
        };
    }
    encoder.finish()
}

/// An entry, field by field.
struct Forged {
    format: u32,
    key: Digest,
    task: Vec<u8>,
    created: i64,
    expires: Option<i64>,
    stdout: (Digest, u64),
    order: Vec<(u8, u64)>,
    tree: Vec<u8>,
    fingerprint: Vec<u8>,
}

impl Forged {
    fn new(nodes: &[Node]) -> Self {
        Self {
            format: 1,
            key: Digest::of(b"some key"),
            task: b"forged".to_vec(),
            created: 1_700_000_000_000,
            expires: None,
            stdout: (Digest::of(b"forged\n"), 7),
            order: vec![(0, 7)],
            tree: tree(nodes),
            fingerprint: Fingerprint::default().canonical_bytes(),
        }
    }

    fn encode(&self) -> Vec<u8> {
        let mut encoder = Encoder::new();
        encoder.u32(self.format).digest(&self.key).digest(&self.key);
        encoder.bytes(b"default").bytes(b"development").bytes(&self.task);
        encoder.length(2).bytes(b"forged").bytes(b"\x1b]0;title\x07\n");
        encoder.i64(self.created).u64(1);
        encoder.optional(self.expires, |encoder, expires| {
            encoder.i64(expires);
        });
        encoder.u8(0);
        encoder.u8(0).digest(&self.stdout.0).u64(self.stdout.1).digest(&Digest::of(b"")).u64(0);
        encoder.length(self.order.len());
        for (stream, length) in &self.order {
            encoder.u8(*stream).u64(*length);
        }
        encoder.bytes(&self.tree).bytes(&self.fingerprint);
        encoder.bytes(b"host\x1b[31m").bytes(b"user").bytes(b"/w\x1b").bytes(b"1");
        encoder.finish()
    }

    fn stream(&self) -> Vec<u8> {
        stream(&[content(b"x"), content(b"forged\n"), record(2, &self.encode())])
    }
}

/// Imports a stream and returns what is said.
fn import(env: &TestEnv, stream: &[u8]) -> Ran {
    env.write("stream", stream);
    env.run("local-cache import stream")
}

fn refused(key: &Digest, why: &str) -> Ran {
    let name = key.short();
    ran(1, "imported 0 entries, 0 B; 1 refused\n").with_stderr(&format!(
        "taskcache: warning: entry {name}, number 1 of the export, is refused: {why}\n"
    ))
}

fn key_of(env: &TestEnv, line: &str) -> Digest {
    env.run(&line.replacen("run", "key", 1)).stdout.trim().parse().unwrap()
}

#[test]
fn a_stream_that_was_made_by_hand_is_taken_if_it_breaks_no_rule() {
    let env = TestEnv::new();
    let nodes = [folder("out"), file("out/a"), link("out/l", "a")];
    let forged = Forged { key: key_of(&env, OUT), ..Forged::new(&nodes) };
    assert_eq!(import(&env, &forged.stream()), ran(0, "imported 1 entry, 8 B\n"));
    assert_eq!(env.run(OUT), ran(0, "forged\n"));
    assert_eq!(
        (env.read("out/a").as_deref(), env.read("out/l").as_deref(), env.count()),
        (Some("x"), Some("x"), 0)
    );
}

#[test]
fn trees_that_break_a_rule_are_refused() {
    let long = "n".repeat(256);
    let deep = vec!["d"; 65].join("/");
    let at = |path: &str| vec![file(path)];
    let invalid = |path: &str, why: &str| format!("invalid path: the path '{path}' {why}");
    let cases: Vec<(Vec<Node>, String)> = vec![
        (at("/etc/passwd"), invalid("/etc/passwd", "is absolute")),
        (at("../a"), invalid("../a", "has a '.' or '..' component")),
        (at("out/../../a"), invalid("out/../../a", "has a '.' or '..' component")),
        (at("./out"), invalid("./out", "has a '.' or '..' component")),
        (at("out//a"), invalid("out//a", "has an empty component")),
        (at("out/"), invalid("out/", "has an empty component")),
        (at(""), "invalid path: the path is empty".into()),
        (at("out/a\0b"), invalid("out/a\\u{0}b", "holds a NUL byte")),
        (at("out/\u{1b}[2J/../a"), invalid("out/\\u{1b}[2J/../a", "has a '.' or '..' component")),
        (at(&long), invalid(&long, "has a component of more than 255 bytes")),
        (at(&deep), invalid(&deep, "is more than 64 components deep")),
        (vec![file("out/b"), file("out/a")], "invalid output tree: 'out/a' is out of order".into()),
        (vec![file("out/a"), file("out/a")], "invalid output tree: 'out/a' is out of order".into()),
        (
            vec![file("out"), file("out/a")],
            "invalid output tree: 'out/a' lies below 'out', which is no directory".into(),
        ),
        (
            vec![link("out", "elsewhere"), file("out/a")],
            "invalid output tree: 'out/a' lies below 'out', which is no directory".into(),
        ),
        (
            vec![folder("out"), link("out/l", "/etc/passwd")],
            "the link 'out/l' leads to the absolute path '/etc/passwd'".into(),
        ),
        (
            vec![folder("out"), link("out/l", "../../\u{1b}x")],
            "the link 'out/l' leads out of its output, to '../../\\u{1b}x'".into(),
        ),
        (
            vec![folder("out"), link("out/l", "../.git/hooks")],
            "the link 'out/l' leads out of its output, to '../.git/hooks'".into(),
        ),
        (vec![link("out", ".git/hooks")], "the link 'out' leads out of its output, to '.git/hooks'".into()),
        (vec![link("out", "")], "invalid symlink target: empty, too long or with a NUL".into()),
        (vec![link("out", "a\0b")], "invalid symlink target: empty, too long or with a NUL".into()),
        (vec![Node { mode: 0o4755, ..file("out") }], "mode has the unknown value 2541".into()),
        (vec![Node { mode: 0o2755, ..folder("out") }], "mode has the unknown value 1517".into()),
        (vec![Node { mode: 0o1777, ..folder("out") }], "mode has the unknown value 1023".into()),
        (vec![Node { kind: 3, ..file("out/device") }], "node kind has the unknown value 3".into()),
        (vec![Node { flags: 4, ..file("out") }], "node flags has the unknown value 4".into()),
        (
            vec![Node { size: 2, ..file("out") }],
            format!("content {} has 1 bytes and not 2", Digest::of(b"x").short()),
        ),
        (
            vec![Node { size: 1, content: b"y".to_vec(), ..file("out") }],
            format!("content {} is not in the stream", Digest::of(b"y").short()),
        ),
        (
            vec![file("out/a"), Node { size: 9, ..file("out/b") }],
            format!("content {} has two sizes", Digest::of(b"x").short()),
        ),
        (
            vec![Node { size: 1 << 60, content: b"bomb".to_vec(), ..file("out") }],
            "its contents have 1152921504606846983 bytes, and the store takes 10737418240".into(),
        ),
        (
            vec![
                Node { size: u64::MAX, content: b"bomb".to_vec(), ..file("a") },
                Node { size: u64::MAX, content: b"more".to_vec(), ..file("b") },
            ],
            "its contents have 18446744073709551615 bytes, and the store takes 10737418240".into(),
        ),
    ];
    let env = TestEnv::new();
    let before = listing(&env.work());
    for (nodes, why) in cases {
        let forged = Forged { key: key_of(&env, OUT), ..Forged::new(&nodes) };
        assert_eq!(import(&env, &forged.stream()), refused(&forged.key, &why));
        fs::remove_file(env.work().join("stream")).unwrap();
        assert_eq!(listing(&env.work()), before, "{why}");
    }
    assert_eq!(env.run("local-cache list"), ran(0, "no entries\n"));
    assert_eq!(env.run(OUT), ran(0, "real\n"));
}

#[test]
fn records_that_break_a_rule_are_refused() {
    let env = TestEnv::new();
    let plain = || Forged::new(&[]);
    let mut counts = Encoder::new();
    counts.u32(1).u64(u64::MAX);
    let mut many = Encoder::new();
    many.u32(1).length(1_000_000);
    let cases: Vec<(Forged, String)> = vec![
        (Forged { format: 3, ..plain() }, "entry format has the unknown value 3".into()),
        (
            Forged { tree: [&2_u32.to_be_bytes()[..], &[0; 8]].concat(), ..plain() },
            "output tree format has the unknown value 2".into(),
        ),
        (
            Forged { fingerprint: [&9_u32.to_be_bytes()[..], &[0; 8]].concat(), ..plain() },
            "key format has the unknown value 9".into(),
        ),
        (Forged { tree: counts.finish(), ..plain() }, "truncated while reading node count".into()),
        (Forged { tree: many.finish(), ..plain() }, "truncated while reading node count".into()),
        (Forged { order: vec![(0, 6)], ..plain() }, "invalid transcript: segments do not sum up".into()),
        (
            Forged { order: vec![(0, 3), (0, 4)], ..plain() },
            "invalid transcript: segments do not alternate".into(),
        ),
        (
            Forged { order: vec![(0, u64::MAX), (1, 1), (0, u64::MAX)], ..plain() },
            "invalid transcript: segments overflow".into(),
        ),
        (Forged { order: vec![(2, 7)], ..plain() }, "segment stream has the unknown value 2".into()),
        (
            Forged { created: 40_000_000_000_000, ..plain() },
            "it was made in the future, at 3237-07-19T23:06:40.000Z".into(),
        ),
    ];
    for (forged, why) in cases {
        assert_eq!(import(&env, &forged.stream()), refused(&forged.key, &why));
    }
    let longer = [plain().encode().as_slice(), b"more"].concat();
    let found = import(&env, &stream(&[content(b"forged\n"), record(2, &longer)]));
    assert_eq!(found, refused(&plain().key, "4 bytes left over"));
    let large = [&plain().encode()[..36], &vec![0; 17 << 20]].concat();
    let found = import(&env, &stream(&[record(2, &large)]));
    assert_eq!(found, refused(&plain().key, "its record has 17825828 bytes, and 16777216 are the most"));
    let found = import(&env, &stream(&[record(2, b"short")]));
    let why = "taskcache: warning: entry without a key, number 1 of the export, is refused: \
               entry format has the unknown value 1936224114\n";
    assert_eq!(found.stderr, why);
    let twice = stream(&[content(b"forged\n"), record(2, &plain().encode()), record(2, &plain().encode())]);
    let found = import(&env, &twice);
    assert_eq!((found.code, found.stdout.as_str()), (1, "imported 1 entry, 7 B; 1 refused\n"));
    assert!(
        found.stderr.ends_with("number 2 of the export, is refused: its key stands twice in the stream\n")
    );
}

#[test]
fn an_entry_that_expired_is_passed_over() {
    let env = TestEnv::new();
    let forged = Forged { expires: Some(1_700_000_000_001), ..Forged::new(&[]) };
    assert_eq!(import(&env, &forged.stream()), ran(0, "imported 0 entries, 0 B; 1 had expired\n"));
    assert_eq!(env.run("local-cache list"), ran(0, "no entries\n"));
}

#[test]
fn streams_that_break_a_rule_bring_nothing() {
    let env = TestEnv::new();
    let entry = record(2, &Forged::new(&[]).encode());
    let wrong_content = record(1, &[Digest::of(b"forged\n").as_bytes(), &b"forgery"[..]].concat());
    let huge = [&[1][..], &(1_u64 << 62).to_be_bytes(), &[0; 40]].concat();
    let empty = stream(&[]);
    for (what, bytes, why) in [
        ("no content of its digest", stream(&[wrong_content, entry.clone()]), "is not what its digest says"),
        ("a content twice", stream(&[content(b"x"), content(b"x")]), "stands twice"),
        ("a kind that is none", stream(&[record(7, b"")]), "record 1 is of no known kind (7)"),
        ("an end of the wrong length", [&empty[..20], &record(0, b"x")].concat(), "of no known kind (0)"),
        ("a size that cannot be", [&empty[..20], &huge].concat(), "more than the 10.0 GiB"),
        ("an end in the middle", [stream(&[]), entry].concat(), "something follows its end"),
    ] {
        let found = import(&env, &bytes);
        assert_eq!((found.code, found.stdout.as_str()), (125, ""), "{what}: {found:?}");
        assert!(found.stderr.contains(why), "{what}: {found:?}");
        assert_eq!(env.run("local-cache list"), ran(0, "no entries\n"), "{what}");
    }
}

#[test]
fn a_size_beyond_the_stores_own_is_refused_before_it_is_read() {
    let env = TestEnv::new();
    env.write("taskcache.toml", "");
    let config = env.home().join(".config/taskcache");
    fs::create_dir_all(&config).unwrap();
    fs::write(config.join("config.toml"), "[store]\nmax_size = \"1KiB\"\n").unwrap();
    let found = import(&env, &stream(&[content(&[7; 2000])]));
    let stderr = "taskcache: error: the export holds more than the 1.0 KiB that the store may hold\n\
                  taskcache: hint: let the store hold more with 'max_size' in [store] of a config\n";
    assert_eq!(found, ran(125, "").with_stderr(stderr));
}

#[test]
fn nothing_outside_of_declared_outputs_is_touched() {
    // Each is a right tree for some declaration, and not for that of the run that finds it.
    for nodes in [
        vec![folder("elsewhere"), file("elsewhere/a")],
        vec![file("count")],
        vec![folder("out"), file("out/a"), file("outer")],
        vec![Node { output: 1, ..file("out") }],
        vec![Node { output: u32::MAX, ..file("out") }],
    ] {
        let env = TestEnv::new();
        let forged = Forged { key: key_of(&env, OUT), ..Forged::new(&nodes) };
        assert_eq!(import(&env, &forged.stream()).code, 0);
        fs::remove_file(env.work().join("stream")).unwrap();
        let found = env.run(OUT);
        assert_eq!((found.code, found.stdout.as_str()), (0, "real\n"));
        assert!(found.stderr.contains("is not one of the declared outputs"), "{found:?}");
        assert_eq!(listing(&env.work()), ["count 644 ran\n", "out 755", "out/a 644 real\n"]);
    }
}

#[test]
fn names_do_not_speak_to_the_terminal() {
    let env = TestEnv::new();
    let nodes = [folder("out"), file("out/\u{1b}[2J\n\u{202e}name")];
    let forged = Forged { task: b"ta\x1b[31msk\n".to_vec(), ..Forged::new(&nodes) };
    let mut said = vec![import(&env, &forged.stream())];
    assert_eq!(said[0], ran(0, "imported 1 entry, 8 B\n"));
    let key = forged.key.to_string();
    for format in ["text", "json"] {
        said.push(env.run(&format!("local-cache list --format {format}")));
        said.push(env.run(&format!("local-cache show {key} --format {format}")));
    }
    fs::write(env.store().join("blobs/\u{1b}[2J"), "").unwrap();
    let index = rusqlite::Connection::open(env.store().join("index.db")).unwrap();
    index.execute_batch("UPDATE entry SET size = 1").unwrap();
    said.extend(
        ["", "--format json", "--repair"].map(|options| env.run(&format!("local-cache verify {options}"))),
    );
    let bad = Forged { key: Digest::of(b"other"), ..Forged::new(&[link("out", "\u{1b}[31m/../..")]) };
    said.push(import(&env, &bad.stream()));
    index.execute_batch("UPDATE small_content SET bytes = zeroblob(1) WHERE length(bytes) = 1").unwrap();
    said.push(env.run("local-cache export -o again"));
    said.push(env.run("local-cache remove ffffffff"));
    assert_eq!(said.len(), 11);
    for found in said {
        for text in [&found.stdout, &found.stderr] {
            let raw =
                |character: char| character.is_control() && character != '\n' || character == '\u{202e}';
            // In JSON the strings are escaped by their grammar; what reorders text is left to who prints them.
            let is_json = text.starts_with(['[', '{']);
            assert!(!text.contains(|c| raw(c) && !(is_json && c == '\u{202e}')), "{found:?}");
        }
    }
}

/// What stands below a folder: path, mode, and text or target.
fn listing(folder: &Path) -> Vec<String> {
    fn walk(folder: &Path, prefix: &str, into: &mut Vec<String>) {
        for entry in fs::read_dir(folder).unwrap() {
            let entry = entry.unwrap();
            let name = format!("{prefix}{}", entry.file_name().to_string_lossy());
            let kind = entry.file_type().unwrap();
            let mode = entry.metadata().unwrap().permissions().mode() & 0o7777;
            if kind.is_dir() {
                into.push(format!("{name} {mode:o}"));
                walk(&entry.path(), &format!("{name}/"), into);
            } else if kind.is_symlink() {
                into.push(format!("{name} -> {}", fs::read_link(entry.path()).unwrap().display()));
            } else {
                into.push(format!("{name} {mode:o} {}", fs::read_to_string(entry.path()).unwrap()));
            }
        }
    }
    let mut found = Vec::new();
    walk(folder, "", &mut found);
    found.sort();
    found
}

/// Ends the attack when it is dropped, also by an assertion that fails.
struct End<'a>(&'a AtomicBool);

impl Drop for End<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// How many restores the attacker gets.
const RESTORES: usize = 60;

#[test]
fn a_folder_that_is_swapped_for_a_link_leads_no_restore_outside() {
    let env = TestEnv::new();
    let outside = tempfile::tempdir().unwrap();
    fs::set_permissions(outside.path(), fs::Permissions::from_mode(0o750)).unwrap();
    for name in ["precious", "a0"] {
        fs::write(outside.path().join(name), "precious\n").unwrap();
    }
    // With times, because what is right already is touched.
    let look = || {
        let times = ["", "precious", "a0"]
            .map(|name| fs::metadata(outside.path().join(name)).unwrap().modified().unwrap());
        (listing(outside.path()), times)
    };
    let before = look();
    let line = "run -o out --output-mtime now -- sh -c 'mkdir -p out/sub/deep; for i in 0 1 2 3 4 5 6 7; do \
                echo $i > out/sub/a$i; echo $i > out/sub/deep/b$i; done; ln -s a0 out/sub/l; chmod 711 out/sub'";
    assert_eq!(env.run(line), ran(0, ""));
    let (sub, parked) = (env.work().join("out/sub"), env.work().join("out/parked"));
    let is_over = AtomicBool::new(false);
    let swaps = std::thread::scope(|scope| {
        let attacker = scope.spawn(|| {
            let mut swaps = 0;
            while !is_over.load(Ordering::Relaxed) {
                // Each step may fail: the other side makes and removes the same names.
                let _ = fs::remove_dir_all(&parked);
                let moved = fs::rename(&sub, &parked).is_ok();
                swaps += usize::from(symlink(outside.path(), &sub).is_ok());
                std::thread::yield_now();
                if sub.is_symlink() {
                    let _ = fs::remove_file(&sub);
                }
                if moved {
                    let _ = fs::rename(&parked, &sub);
                }
            }
            swaps
        });
        let end = End(&is_over);
        for number in 0..RESTORES {
            let clean = if number % 2 == 0 { "--clean-outputs" } else { "" };
            // The command itself would follow the link, so it must not run.
            let found = env.run(&line.replacen("run", &format!("run --cached-only {clean}"), 1));
            assert!([0, 124].contains(&found.code), "{found:?}");
            assert_eq!(look(), before, "restore {number}");
            // A link goes by itself here and not what it leads to; so the next restore has something to write.
            let _ = fs::remove_dir_all(&sub);
        }
        drop(end);
        attacker.join().unwrap()
    });
    assert!(swaps > 0, "the attacker had its turns");
    let mode = fs::metadata(outside.path()).unwrap().permissions().mode() & 0o7777;
    assert_eq!((mode, look()), (0o750, before));
}
