//! Stores that older versions wrote, kept as fixtures: they open, and give what they gave then. What a newer version
//! wrote is left as it is, byte for byte.

use crate::support::{Ran, TASKCACHE, World, figure, lines};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use taskcache::model::digest::Digest;
use taskcache::model::entry::Entry;
use taskcache::model::fingerprint::Fingerprint;
use taskcache::model::output::OutputTree;
use taskcache::model::path_set::PathSet;
use taskcache::store::index::INDEX_FORMAT;
use taskcache::store::placement::Placement;
use taskcache::store::witness;

fn fixture(name: &str) -> Vec<u8> {
    fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name)).unwrap()
}

/// Makes a store whose index is what a fixture says, with the one content that is too large for it.
fn store_of(world: &World, format: &str) {
    let store = world.store();
    let large = lines(1, 9000);
    let digest = Digest::of(large.as_bytes()).to_string();
    let blob = store.join("blobs").join(&digest[..2]);
    fs::create_dir_all(&blob).unwrap();
    fs::write(blob.join(&digest[2..]), large).unwrap();
    for name in ["tmp", "witnesses", "placements", "locks"] {
        fs::create_dir(store.join(name)).unwrap();
    }
    let statements = String::from_utf8(fixture(&format!("index-{format}.sql"))).unwrap();
    rusqlite::Connection::open(world.index()).unwrap().execute_batch(&statements).unwrap();
}

const OLD: [&str; 2] = ["--key old -o out -- sh -c exit", "--key failed --cache-exit 3 -- sh -c exit"];

/// The fixture was made under this umask.
fn run(world: &World, line: &str) -> Ran {
    let mut command = world.program("sh");
    command.args(["-c", "umask 022; exec \"$@\"", "sh", TASKCACHE]).args(line.split_whitespace());
    Ran::of(&command.output().unwrap()).no_panic(line)
}

#[test]
fn an_index_of_each_older_format_opens_and_gives_what_it_gave() {
    for format in 1..INDEX_FORMAT {
        let world = World::new();
        store_of(&world, &format.to_string());
        for _ in 0..2 {
            let [old, failed] = OLD.map(|line| run(&world, &format!("run --cached-only {line}")));
            assert_eq!(
                old,
                Ran { code: 0, stdout: "printed\n".into(), stderr: "error\n".into() },
                "{format}"
            );
            let large = fs::read_to_string(world.work().join("out/large")).unwrap();
            let small = fs::read_to_string(world.work().join("out/small")).unwrap();
            assert!(large == lines(1, 9000) && small == "small\n", "{format}");
            assert_eq!(
                failed,
                Ran { code: 3, stdout: "1\n2\n3\n4\n5\n".into(), stderr: String::new() },
                "{format}"
            );
            fs::remove_dir_all(world.work().join("out")).unwrap();
        }
        let found: i64 = rusqlite::Connection::open(world.index())
            .unwrap()
            .query_row("PRAGMA user_version", [], |row| row.get(0))
            .unwrap();
        assert_eq!(found, INDEX_FORMAT);
        let begun = run(&world, "transaction begin");
        assert_eq!((begun.code, begun.stdout.len()), (0, 17), "{format}: {}", begun.stderr);
    }
    figure("old stores", &format!("{} older formats of the index migrated", INDEX_FORMAT - 1));
}

fn contents_of(folder: &Path) -> BTreeMap<PathBuf, Option<Vec<u8>>> {
    walkdir::WalkDir::new(folder)
        .into_iter()
        .map(Result::unwrap)
        .map(|entry| {
            (entry.path().to_owned(), entry.file_type().is_file().then(|| fs::read(entry.path()).unwrap()))
        })
        .collect()
}

#[test]
fn a_newer_store_is_left_byte_for_byte() {
    let world = World::new();
    store_of(&world, "1");
    let connection = rusqlite::Connection::open(world.index()).unwrap();
    connection
        .execute_batch(&format!(
            "CREATE TABLE newer (x); INSERT INTO newer VALUES (1); PRAGMA user_version = {};
             PRAGMA wal_checkpoint(TRUNCATE); PRAGMA journal_mode = DELETE",
            INDEX_FORMAT + 1
        ))
        .unwrap();
    drop(connection);
    let before = contents_of(&world.store());
    let ran = run(&world, "run --key old -- echo x");
    assert_eq!((ran.code, ran.stdout.as_str(), ran.warnings()), (0, "x\n", 1), "{}", ran.stderr);
    for line in ["list", "stats", "clear --yes", "gc", "verify", "verify --repair", "import x", "export -o x"]
    {
        fs::write(world.work().join("x"), "").unwrap();
        assert_eq!(run(&world, &format!("local-cache {line}")).code, 125, "{line}");
    }
    let after = contents_of(&world.store());
    let differs = |path: &&PathBuf| before.get(*path) != after.get(*path);
    let changed: Vec<_> = before.keys().chain(after.keys()).filter(differs).collect();
    assert!(changed.is_empty(), "{changed:?}");
}

/// What lies in the store beside the index has formats of its own.
#[test]
fn each_form_of_what_is_encoded_is_still_read() {
    let entry = Entry::decode(&fixture("entry-1.bin")).unwrap();
    assert_eq!((entry.task.as_slice(), entry.exit_code), (&b"s\xffrt"[..], 3));
    assert_eq!(entry.outputs, OutputTree::decode(&fixture("outputs-1.bin")).unwrap());
    assert_eq!(entry.fingerprint, Fingerprint::decode(&fixture("fingerprint-1.bin")).unwrap());
    assert_eq!(PathSet::decode(&fixture("path-set-1.bin")).unwrap().paths(), [b"a.c", b"b.h"]);
    // These two are kept with a checksum behind them, which the fixtures leave out.
    let with_checksum = |name: &str| {
        let bytes = fixture(name);
        [bytes.as_slice(), Digest::of(&bytes).as_bytes()].concat()
    };
    assert_eq!(Placement::decode(&with_checksum("placement-1.bin")).unwrap().paths.len(), 2);
    assert_eq!(witness::inspect(&with_checksum("witnesses-1.bin"), &Digest::of(b"/folder")), Ok(()));
}

#[test]
fn a_newer_form_of_what_is_encoded_is_refused() {
    for (name, newer) in [("entry-1.bin", 3), ("placement-1.bin", 2), ("witnesses-1.bin", 2)] {
        let mut bytes = fixture(name);
        // The last byte of the format's number.
        bytes[3] = newer;
        let checked = [bytes.as_slice(), Digest::of(&bytes).as_bytes()].concat();
        let error = match name {
            "entry-1.bin" => Entry::decode(&bytes).unwrap_err(),
            "placement-1.bin" => Placement::decode(&checked).unwrap_err(),
            _ => witness::inspect(&checked, &Digest::of(b"/folder")).unwrap_err(),
        };
        assert!(error.to_string().contains(&format!("unknown value {newer}")), "{name}: {error}");
    }
}
