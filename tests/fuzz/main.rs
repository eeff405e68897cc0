//! The fuzz targets without libFuzzer: each is given its corpus and seeded mutations of it.
//!
//! `TASKCACHE_FUZZ=N` gives each target N mutations, `TASKCACHE_SEED` chooses others. `fuzz/run` goes further, guided by
//! coverage. `TASKCACHE_BLESS=1` writes the part of the corpus that is made of encodings anew.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    unreachable_pub,
    reason = "a test that cannot go on says so by panicking, and prints what it did; nobody links against tests"
)]

#[path = "../../fuzz/targets/mod.rs"]
mod targets;

use std::collections::BTreeSet;
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

/// How many mutations each target is given under `cargo test`.
const BOUNDED: u64 = 4000;

/// What parsers are most likely to stumble over.
const TOKENS: &[&[u8]] = &[
    b"\0",
    b"\n",
    b"\\",
    b"**",
    b"{a,b}",
    b"[!",
    b"..",
    b"/",
    b"=",
    b"#",
    b"$$",
    b"\xff\xfe",
    b"\x1b[31m",
    b"%",
    b":",
    b"\xff\xff\xff\xff\xff\xff\xff\xff",
    b"\0\0\0\0\0\0\0\x01",
    b"[task.",
    b"\"\"\"",
    b"INPUTS",
    b" - ",
    b"1d",
    b"999999999999",
];

fn corpus() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus")
}

fn files(target: &str) -> Vec<Vec<u8>> {
    let mut paths: Vec<_> =
        fs::read_dir(corpus().join(target)).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths.iter().map(|path| fs::read(path).unwrap()).collect()
}

#[expect(clippy::disallowed_methods, reason = "a test has no host that was captured for it")]
fn number(variable: &str, default: u64) -> u64 {
    std::env::var(variable).map_or(default, |number| number.parse().expect("it is a number"))
}

struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.next() % u64::try_from(bound.max(1)).unwrap()).unwrap()
    }
}

/// Changes some of the bytes, as many times as chance has it.
fn mutate(bytes: &mut Vec<u8>, all: &[Vec<u8>], random: &mut Random) {
    for _ in 0..=random.below(4) {
        let at = random.below(bytes.len() + 1);
        match random.below(7) {
            0 if at < bytes.len() => bytes[at] ^= 1 << random.below(8),
            1 if at < bytes.len() => bytes[at] = random.next().to_le_bytes()[0],
            2 => bytes.truncate(at),
            3 if at < bytes.len() => {
                bytes.drain(at..(at + 1 + random.below(8)).min(bytes.len()));
            }
            4 => {
                let token = TOKENS[random.below(TOKENS.len())];
                bytes.splice(at..at, token.iter().copied());
            }
            5 => {
                let to = (at + random.below(32)).min(bytes.len());
                let piece = bytes[at..to].to_vec();
                bytes.splice(at..at, piece);
            }
            _ => {
                let other = &all[random.below(all.len())];
                let from = random.below(other.len() + 1);
                bytes.truncate(at);
                bytes.extend_from_slice(&other[from..]);
            }
        }
    }
    bytes.truncate(1 << 16);
}

#[test]
fn no_target_finds_a_fault() {
    let (times, seed) = (number("TASKCACHE_FUZZ", BOUNDED), number("TASKCACHE_SEED", 1));
    for target in targets::ALL {
        let all = files(target.name);
        assert!(!all.is_empty(), "{}: the corpus is empty", target.name);
        let check = |bytes: &[u8]| {
            if catch_unwind(AssertUnwindSafe(|| (target.check)(bytes))).is_err() {
                panic!("{}: fault in b\"{}\"", target.name, bytes.escape_ascii());
            }
        };
        all.iter().for_each(|bytes| check(bytes));
        let mut random = Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
        // A folder tree for each, so fewer of them.
        let times = if target.name == "discovery" { times / 10 } else { times };
        for _ in 0..times {
            let mut bytes = all[random.below(all.len())].clone();
            mutate(&mut bytes, &all, &mut random);
            check(&bytes);
        }
        println!("fuzz: {}: {} of the corpus and {times} mutations, no fault", target.name, all.len());
    }
}

#[test]
fn every_folder_of_the_corpus_has_its_target() {
    let names: BTreeSet<_> = targets::ALL.iter().map(|target| target.name.to_owned()).collect();
    let folders = fs::read_dir(corpus()).unwrap();
    let folders: BTreeSet<_> =
        folders.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    assert_eq!(names, folders);
}

/// Encodings of values that hold something of everything, by target.
fn encodings() -> Vec<(&'static str, Vec<u8>)> {
    use taskcache::model::digest::Digest;
    use taskcache::model::entry::{Content, Entry, Provenance, Segment, Stream, Transcript};
    use taskcache::model::fingerprint::{Fingerprint, Ingredient, IngredientKind};
    use taskcache::model::output::{NodeKind, OutputNode, OutputTree};
    use taskcache::model::path::RelPath;
    use taskcache::model::path_set::PathSet;
    use taskcache::model::time::{Span, Timestamp};
    use taskcache::store::placement::{Placed, Placement};

    let ingredients = [
        Ingredient::of(IngredientKind::Task, "", b"sort"),
        Ingredient::of(IngredientKind::Input, "a.txt", b"a"),
        Ingredient::of(IngredientKind::Environment, "LANG", b"C"),
    ];
    let fingerprint = Fingerprint::new(ingredients.to_vec()).unwrap();
    let path = |text: &str| RelPath::new(text).unwrap();
    let node = |text: &str, carried, rewritten, kind| OutputNode {
        output: 0,
        path: path(text),
        carried,
        rewritten,
        kind,
    };
    let file = NodeKind::File { content: Content::of(b"a"), mode: 0o644 };
    let outputs = OutputTree::new(vec![
        node("out", false, false, NodeKind::Directory { mode: 0o755 }),
        node("out/a", false, true, file.clone()),
        node("out/b", false, false, NodeKind::Symlink { target: b"a".to_vec() }),
        node("out/c", true, false, file),
    ])
    .unwrap();
    let order = [(Stream::Stdout, 3), (Stream::Stderr, 2), (Stream::Stdout, 1)];
    let order = order.map(|(stream, length)| Segment { stream, length }).to_vec();
    let entry = Entry {
        key: fingerprint.key(),
        recipe: fingerprint.key(),
        project: "default".into(),
        domain: "development".into(),
        task: b"s\xffrt".to_vec(),
        command: vec![b"sort".to_vec(), b"".to_vec()],
        created: Timestamp::from_millis(1_700_000_000_000),
        duration: Span::from_millis(1234),
        expires: Some(Timestamp::from_millis(1_800_000_000_000)),
        exit_code: 3,
        transcript: Transcript {
            joined: false,
            stdout: Content::of(b"outx"),
            stderr: Content::of(b"er"),
            order,
        },
        outputs: outputs.clone(),
        fingerprint: fingerprint.clone(),
        provenance: Provenance {
            host: "h".into(),
            user: "u".into(),
            directory: b"/w".to_vec(),
            program: "1".into(),
            surroundings: None,
        },
    };
    let mut placement = Placement::default();
    placement.paths.insert((0, path("out")), Placed::Directory);
    placement.paths.insert((0, path("out/b")), Placed::Symlink { target: b"a".to_vec() });
    let mut placement = placement.encode();
    placement.truncate(placement.len() - Digest::LENGTH);
    let mut shelf = taskcache::model::codec::Encoder::new();
    shelf.u32(1).bytes(b"/folder").length(1).bytes(b"name").digest(&Digest::of(b"a")).u64(1);
    // A witness: device, inode, size, mode, owner, and two times.
    shelf.u64(1).u64(2).u64(1).u32(0o100_644).u32(0).i64(1).u32(2).i64(3).u32(4);
    let mut stream = taskcache::store::exchange::ExchangeWriter::new(Vec::new()).unwrap();
    for bytes in [&b"a"[..], b"outx", b"er"] {
        stream.content(&Content::of(bytes), bytes).unwrap();
    }
    stream.entry(&entry).unwrap();
    stream.path_set(&entry.recipe, &PathSet::new(vec![b"b.h".to_vec()])).unwrap();
    vec![
        ("import", stream.finish().unwrap()),
        ("entry", entry.encode()),
        ("fingerprint", fingerprint.canonical_bytes()),
        ("outputs", outputs.encode()),
        ("path-set", PathSet::new(vec![b"b.h".to_vec(), b"a.c".to_vec()]).encode()),
        ("placement", placement),
        ("witnesses", shelf.finish()),
    ]
}

#[test]
fn the_encodings_in_the_corpus_are_those_of_the_present_formats() {
    for (target, bytes) in encodings() {
        let path = corpus().join(target).join("sample");
        if number("TASKCACHE_BLESS", 0) == 1 {
            fs::write(&path, &bytes).unwrap();
        }
        assert!(
            fs::read(&path).is_ok_and(|kept| kept == bytes),
            "{target}: TASKCACHE_BLESS=1 writes it anew"
        );
    }
}
