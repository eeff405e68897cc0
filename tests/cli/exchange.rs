//! `local-cache export` and `import`: what crosses, what is kept, and that a broken stream brings nothing.

use crate::support::{Ran, TestEnv, ran};
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};

const FILES: &str = "run -o out -- sh -c 'echo ran >> count; mkdir -p out/deep; seq 20000 > out/deep/n; \
                     ln -s deep/n out/l; echo made'";
const PLAIN: &str = "run -e SECRET --value token=hunter2 -- sh -c 'echo ran >> count; echo plain'";
const DEPENDENT: &str =
    "run --depfile d -o o -- sh -c 'echo ran >> count; cat dep > o; echo o: dep > d; echo dependent'";
const LINES: [(&str, &str); 3] = [(FILES, "made\n"), (PLAIN, "plain\n"), (DEPENDENT, "dependent\n")];

/// A world whose second store, in `other`, is empty.
fn two_stores() -> TestEnv {
    let mut env = TestEnv::new();
    env.set("SECRET", "hunter2");
    env.write("dep", "1");
    for (line, stdout) in LINES {
        assert_eq!(env.run(line), ran(0, stdout));
    }
    assert_eq!(env.count(), 3);
    env
}

fn in_other(env: &TestEnv, line: &str) -> Ran {
    let words = crate::support::split(line);
    let mut command = env.command();
    Ran::of(&command.env("TASKCACHE_DIR", env.work().join("other")).args(words).output().unwrap())
}

fn export(env: &TestEnv) -> Vec<u8> {
    assert_eq!(env.run("local-cache export -o all"), ran(0, "exported 3 entries, 106.4 KiB to 'all'\n"));
    fs::read(env.work().join("all")).unwrap()
}

#[test]
fn everything_crosses_that_a_hit_needs() {
    let env = two_stores();
    let stream = export(&env);
    assert_eq!(fs::metadata(env.work().join("all")).unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(in_other(&env, "local-cache import all"), ran(0, "imported 3 entries, 106.4 KiB\n"));
    for name in ["o", "d"] {
        fs::remove_file(env.work().join(name)).unwrap();
    }
    fs::remove_dir_all(env.work().join("out")).unwrap();
    for (line, stdout) in LINES {
        assert_eq!(in_other(&env, line), ran(0, stdout));
    }
    assert_eq!(env.count(), 3, "all were hits");
    assert_eq!((env.read("o").as_deref(), env.read("out/l").unwrap().len()), (Some("1"), 108_894));
    let sound = in_other(&env, "local-cache verify");
    assert_eq!((sound.code, sound.stdout.ends_with("nothing is wrong\n")), (0, true), "{sound:?}");
    // The same entries make the same stream, whichever store they come from.
    assert_eq!(in_other(&env, "local-cache export -o again").code, 0);
    assert_eq!(fs::read(env.work().join("again")).unwrap(), stream);
}

#[test]
fn through_a_pipe() {
    let env = two_stores();
    let piped =
        env.shell("taskcache local-cache export -o - | taskcache local-cache --cache-dir other import -");
    let stderr = "taskcache: exported 3 entries, 106.4 KiB\n";
    assert_eq!(piped, ran(0, "imported 3 entries, 106.4 KiB\n").with_stderr(stderr));
}

#[test]
fn a_selection_is_exported() {
    let env = TestEnv::new();
    for (project, task) in [("p", "a"), ("p", "b"), ("q", "a")] {
        env.run(&format!("run --project {project} -t {task} -- echo {project}{task}"));
    }
    let exported = |options: &str| env.run(&format!("local-cache export -o all {options}")).stdout;
    assert_eq!(exported("--project p"), "exported 2 entries, 6 B to 'all'\n");
    assert_eq!(exported("--task a"), "exported 2 entries, 6 B to 'all'\n");
    assert_eq!(exported("--project p --task a"), "exported 1 entry, 3 B to 'all'\n");
    assert_eq!(exported("--domain none"), "exported 0 entries, 0 B to 'all'\n");
    assert_eq!(in_other(&env, "local-cache import all"), ran(0, "imported 0 entries, 0 B\n"));
    let key = env.run("key --project p -t a -- echo pa").stdout;
    assert_eq!(exported(&key[..12]), "exported 1 entry, 3 B to 'all'\n");
    let absent = env.run("local-cache export -o all ffffff");
    assert_eq!((absent.code, absent.stderr.contains("no entry has a key")), (125, true), "{absent:?}");
}

#[test]
fn a_truncated_or_altered_stream_imports_nothing() {
    let env = two_stores();
    let stream = export(&env);
    let nothing = |what: &str, bytes: &[u8]| {
        env.write("broken", bytes);
        let found = in_other(&env, "local-cache import broken");
        assert_eq!((found.code, found.stdout.as_str()), (125, ""), "{what}: {found:?}");
        let hint = "taskcache: hint: nothing was imported; export it once more\n";
        assert!(found.stderr.ends_with(hint) || found.stderr.contains("max_size"), "{what}: {found:?}");
        assert_eq!(in_other(&env, "local-cache list").stdout, "no entries\n", "{what}");
    };
    let steps = stream.len() / 40;
    for at in (0..stream.len()).step_by(steps).chain([stream.len() - 1, stream.len() - 40]) {
        nothing(&format!("{at} bytes"), &stream[..at]);
        let mut altered = stream.clone();
        altered[at] ^= 0x40;
        // A format that is not known yet is told as such.
        if !(16..20).contains(&at) {
            nothing(&format!("byte {at}"), &altered);
        }
    }
    nothing("longer", &[stream.as_slice(), b"\n"].concat());
    nothing("text", b"KEY  TASK\n");
    let blobs = in_other(&env, "local-cache gc");
    assert_eq!(blobs.stdout, "removed 0 entries, 0 B; 0 B stay\n");
    let tmp = fs::read_dir(env.work().join("other/tmp")).unwrap().count();
    assert_eq!(tmp, 0, "what was put aside is gone");
}

#[test]
fn a_newer_form_is_told_apart() {
    let env = two_stores();
    let mut stream = export(&env);
    stream[19] = 9;
    env.write("newer", stream);
    let stderr = "taskcache: error: the export has format 9; this version knows up to 1\n\
                  taskcache: hint: use the newer taskcache\n";
    assert_eq!(in_other(&env, "local-cache import newer"), ran(125, "").with_stderr(stderr));
}

#[test]
fn what_is_here_stays_unless_it_is_older() {
    let env = TestEnv::new();
    let line = "run --task t --key k -- cat text";
    env.write("text", "old");
    env.run(line);
    env.run("local-cache export -o old");
    env.write("text", "new");
    assert_eq!(env.run(line), ran(0, "old"));
    env.run("run --refresh --task t --key k -- cat text");
    env.run("local-cache export -o new");
    for (file, imported, prints) in [
        ("old", "imported 0 entries, 0 B; 1 kept as here\n", "new"),
        ("new", "imported 0 entries, 0 B; 1 kept as here\n", "new"),
    ] {
        assert_eq!(env.run(&format!("local-cache import {file}")), ran(0, imported));
        assert_eq!(env.run(line), ran(0, prints));
    }
    assert_eq!(in_other(&env, "local-cache import old"), ran(0, "imported 1 entry, 3 B\n"));
    assert_eq!(in_other(&env, line), ran(0, "old"));
    assert_eq!(in_other(&env, "local-cache import new"), ran(0, "imported 1 entry, 3 B\n"));
    assert_eq!(in_other(&env, line), ran(0, "new"));
    // What is damaged here counts as nothing.
    let index = env.work().join("other/index.db");
    rusqlite::Connection::open(index).unwrap().execute_batch("UPDATE entry SET body = zeroblob(3)").unwrap();
    assert_eq!(in_other(&env, "local-cache import old"), ran(0, "imported 1 entry, 3 B\n"));
    assert_eq!(in_other(&env, line), ran(0, "old"));
}

#[test]
fn no_secret_leaves() {
    let env = two_stores();
    let stream = export(&env);
    let connection = rusqlite::Connection::open(env.store().join("index.db")).unwrap();
    let secret: Vec<u8> =
        connection.query_row("SELECT value FROM meta WHERE name = 'secret'", [], |row| row.get(0)).unwrap();
    let holds = |bytes: &[u8]| stream.windows(bytes.len()).any(|window| window == bytes);
    assert!(!holds(&secret) && !holds(b"hunter2"));
    // Each digest that the store hides is withheld.
    let bodies: Vec<Vec<u8>> = {
        let mut query = connection.prepare("SELECT body FROM entry").unwrap();
        query.query_map([], |row| row.get(0)).unwrap().collect::<Result<_, _>>().unwrap()
    };
    assert_eq!(bodies.len(), 3);
    let mut hidden = 0;
    for body in bodies {
        let entry = taskcache::model::entry::Entry::decode(&body).unwrap();
        for ingredient in entry.fingerprint.ingredients() {
            if ingredient.kind.is_confidential() {
                hidden += 1;
                assert!(!ingredient.is_withheld() && !holds(ingredient.digest.as_bytes()), "{ingredient:?}");
            }
        }
    }
    assert!(hidden >= 2);
}

#[test]
fn what_cannot_be_used_is_left_out() {
    let env = TestEnv::new();
    env.run("run --ttl 1ms -- echo short");
    env.run("run --task link -o l -- ln -s /etc/passwd l");
    env.run("run --task damaged -- seq 20000");
    env.run("run --task whole -- echo whole");
    let blobs = env.shell("find \"$(taskcache local-cache path)/blobs\" -type f").stdout;
    fs::write(blobs.trim(), vec![b'x'; 108_894]).unwrap();
    let found = env.run("local-cache export -o all");
    assert_eq!(
        (found.code, found.stdout.as_str()),
        (1, "exported 1 entry, 6 B; 1 had expired; 2 left out to 'all'\n")
    );
    let mut reasons: Vec<_> =
        found.stderr.lines().map(|line| line.split(" is left out: ").nth(1).unwrap()).collect();
    reasons.sort_unstable();
    assert_eq!(reasons.len(), 2);
    assert!(
        reasons[0].starts_with("content ") && reasons[0].ends_with(" is missing or damaged"),
        "{reasons:?}"
    );
    assert_eq!(reasons[1], "the link 'l' leads to the absolute path '/etc/passwd'");
    assert_eq!(in_other(&env, "local-cache import all"), ran(0, "imported 1 entry, 6 B\n"));
}

#[test]
fn a_file_is_written_whole_or_not_at_all() {
    let env = two_stores();
    env.write("mine", "mine");
    symlink("mine", env.work().join("link")).unwrap();
    assert_eq!(env.run("local-cache export -o link").code, 0);
    assert!(fs::symlink_metadata(env.work().join("link")).unwrap().is_symlink());
    assert!(fs::read(env.work().join("mine")).unwrap().starts_with(b"taskcache-export"));
    for (place, why) in [
        ("/dev/null", "cannot write '/dev/null': it is not a regular file"),
        ("nowhere/file", "No such file or directory"),
        ("out", "it is not a regular file"),
    ] {
        let found = env.run(&format!("local-cache export -o {place}"));
        assert_eq!((found.code, found.stderr.contains(why)), (125, true), "{found:?}");
    }
    let found = env.run("local-cache import out");
    assert_eq!((found.code, found.stderr.contains("no regular file")), (125, true), "{found:?}");
    let missing = in_other(&env, "local-cache export -o all");
    let stderr = "taskcache: error: there is no store, so there is nothing to export\n";
    assert_eq!(missing, ran(125, "").with_stderr(stderr));
    assert_eq!(
        fs::read_dir(env.work())
            .unwrap()
            .filter(|e| { e.as_ref().unwrap().file_name().to_string_lossy().contains("link.") })
            .count(),
        0
    );
}

#[test]
fn imports_and_removals_side_by_side() {
    let env = two_stores();
    export(&env);
    let loops = [
        "for i in 1 2 3 4 5 6 7 8; do taskcache --version >/dev/null; \
         taskcache local-cache --cache-dir other import all >/dev/null || exit 9; done",
        "for i in 1 2 3 4 5 6 7 8; do taskcache local-cache --cache-dir other clear --yes >/dev/null || exit 8; done",
        "for i in 1 2 3 4 5 6 7 8; do taskcache run --cache-dir other -- seq 20000 >/dev/null || exit 7; done",
    ];
    std::thread::scope(|scope| {
        let busy: Vec<_> = loops.iter().map(|line| scope.spawn(|| env.shell(line))).collect();
        for thread in busy {
            assert_eq!(thread.join().unwrap(), ran(0, ""));
        }
    });
    let sound = in_other(&env, "local-cache verify");
    assert_eq!(sound.code, 0, "{sound:?}");
}
