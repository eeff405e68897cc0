//! What lies in the store and on the terminal: modes, secrets, names that would do harm.

use crate::support::{TestEnv, ran};
use std::ffi::OsString;
use std::fs;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use taskcache::model::digest::Digest;
use taskcache::model::fingerprint::Presence;

/// Returns the files below a folder with their bytes.
fn contents(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let steps = walkdir::WalkDir::new(folder).into_iter().map(Result::unwrap);
    let files = steps.filter(|step| step.file_type().is_file());
    files.map(|step| (step.path().display().to_string(), fs::read(step.path()).unwrap())).collect()
}

#[test]
fn the_store_is_private_whatever_the_umask() {
    for umask in ["000", "022", "077", "777"] {
        let env = TestEnv::new();
        env.script("make", "#!/bin/sh\nhead -c 100000 /dev/zero > out\nhead -c 500000 /dev/zero\n");
        env.write("old", "x");
        let line = format!("umask {umask}; taskcache run -i old -o out -- ./make | wc -c");
        for _ in 0..2 {
            assert_eq!(env.shell(&line), ran(0, "500000\n"), "{umask}");
        }
        let mut names = Vec::new();
        for step in walkdir::WalkDir::new(env.home()).min_depth(1) {
            let step = step.unwrap();
            let metadata = step.metadata().unwrap();
            let wanted = if metadata.is_dir() { 0o700 } else { 0o600 };
            let found = metadata.permissions().mode() & 0o7777;
            assert_eq!(found, wanted, "{umask}: {}", step.path().display());
            names.push(step.file_name().to_owned());
        }
        for name in ["index.db", "history.jsonl", "CACHEDIR.TAG", "collection", "blobs"] {
            assert!(names.iter().any(|found| found == name), "{umask}: {name}");
        }
    }
}

#[test]
fn secrets_are_in_no_file_of_the_store() {
    let secret = "planted-value";
    let mut env = TestEnv::new();
    env.set("SECRET_TOKEN", secret);
    for options in [
        "--env-mode all",
        "-e SECRET_TOKEN",
        "--env-mode strict -e SECRET_*",
        &format!("--value token={secret}"),
        &format!("--salt {secret}"),
        &format!("--key {secret}"),
    ] {
        let line = format!("run {options} -o out -- sh -c 'echo ran >> count; : > out'");
        let before = env.count();
        for _ in 0..2 {
            assert_eq!(env.run(&line), ran(0, ""));
        }
        assert_eq!(env.count() - before, 1, "{options}");
    }
    let plain = Digest::of(secret.as_bytes());
    let present = Presence::Present(secret.as_bytes()).digest();
    let mut traces: Vec<Vec<u8>> = vec![secret.into()];
    for digest in [plain, present] {
        traces.extend([digest.as_bytes().to_vec(), digest.to_string().into_bytes()]);
    }
    let files = contents(&env.store());
    assert!(files.len() > 3);
    for (name, bytes) in files {
        for trace in &traces {
            let found = bytes.windows(trace.len()).any(|window| window == trace.as_slice());
            assert!(!found, "{name} holds {}", String::from_utf8_lossy(trace));
        }
    }
    for line in ["local-cache list", "local-cache list --format json", "local-cache stats", "config show"] {
        let shown = env.run(line);
        assert!(!shown.stdout.contains(secret) && !shown.stderr.contains(secret), "{line}");
    }
}

/// Asserts that nothing of ours can move a cursor or forge a line.
fn assert_harmless(what: &str, text: &str, own_lines: bool) {
    assert!(!text.chars().any(|found| found.is_control() && found != '\n'), "{what}: {text:?}");
    for line in text.lines().filter(|_| own_lines) {
        assert!(line.starts_with("taskcache: "), "{what}: {text:?}");
    }
}

#[test]
fn names_are_never_printed_raw() {
    let evil = "e\x1b[31m\nv\u{7}il";
    let env = TestEnv::new();
    env.script(evil, "#!/bin/sh\nexit 0\n");
    fs::create_dir_all(env.work().join("repo").join(evil).join(".git")).unwrap();
    let program = format!("./{evil}");
    let cases: Vec<Vec<&str>> = vec![
        vec!["run", "--status", "always", "--", &program],
        vec!["run", "--status", "always", "--task", evil, "--", "true"],
        vec!["run", "--status", "always", "--", evil],
        vec!["run", "-i", "none\x1b[1m\nx", "--", "true"],
        vec!["run", "-o", evil, "-i", evil, "--", "true"],
        vec!["run", "-o", "repo/e*", "--", "true"],
        vec!["run", "-o", "none\x1b\nx", "--", "true"],
        vec!["run", "--ignore", evil, "--strict", "--", "true"],
        vec!["run", "--input-cmd", "exit 3 # \x1b\n", "--", "true"],
        vec!["run", "--ttl", evil, "--", "true"],
        vec!["run", "--cache-exit", evil, "--", "true"],
        vec!["run", "--policy", evil, "--", "true"],
        vec!["run", "--config", evil, "--", "true"],
        vec!["run", "--events", "none\x1b\n/x", "--", "true"],
        vec!["run", "--cache-dir", evil, "--", "true"],
        vec!["run", "--environment", evil, "--", "true"],
        vec!["run", "--task", evil],
        vec!["local-cache", "list", "--task", evil],
        vec!["local-cache", "list"],
        vec!["local-cache", "show", evil],
        vec!["local-cache", "list", "--older-than", evil],
        vec!["local-cache", "path", "--cache-dir", evil],
        vec!["config", "show", "--task", evil],
    ];
    for words in cases {
        let run = env.run_words(&words);
        let what = format!("{words:?}");
        let table = words[0] != "run";
        assert_harmless(&what, &run.stdout, false);
        assert_harmless(&what, &run.stderr, !table);
    }
    let unknown = env.run_words(["run", "--fr\x1b[31mob", "--", "true"]);
    assert_harmless("an unknown flag", &unknown.stderr, false);
}

#[test]
fn names_and_values_that_are_no_text_are_kept_byte_for_byte() {
    let mut env = TestEnv::new();
    let name = OsString::from_vec(b"na\xffme\n".to_vec());
    fs::write(env.work().join(&name), b"content").unwrap();
    env.set("ODD", OsString::from_vec(b"\xfe\xff".to_vec()));
    let script = "echo ran >> count; mkdir -p out; cat \"$1\"; printf %s \"$ODD\" | tee \"out/$1\"";
    let words = [OsString::from("run"), "-o".into(), "out".into(), "--".into(), "sh".into(), "-c".into()];
    let words: Vec<_> = words.into_iter().chain([script.into(), "-".into(), name.clone()]).collect();
    for _ in 0..2 {
        let output = env.command().args(&words).output().unwrap();
        assert_eq!(output.stdout, b"content\xfe\xff", "{output:?}");
        assert_eq!(fs::read(env.work().join("out").join(&name)).unwrap(), b"\xfe\xff");
        fs::remove_dir_all(env.work().join("out")).unwrap();
    }
    assert_eq!(env.count(), 1);
    env.set("ODD", OsString::from_vec(b"\xfe\xfe".to_vec()));
    assert_eq!(env.command().args(&words).output().unwrap().stdout, b"content\xfe\xfe");
    fs::write(env.work().join(&name), b"changed").unwrap();
    assert_eq!(env.command().args(&words).output().unwrap().stdout, b"changed\xfe\xfe");
    assert_eq!(env.count(), 3);
    let other = OsString::from_vec(b"na\xfeme\n".to_vec());
    fs::write(env.work().join(&other), b"changed").unwrap();
    let mut words = words;
    *words.last_mut().unwrap() = other;
    assert_eq!(env.command().args(&words).output().unwrap().stdout, b"changed\xfe\xfe");
    assert_eq!(env.count(), 4, "names that look alike when shown are still two names");
}

#[test]
fn a_working_directory_of_any_name_works() {
    let env = TestEnv::new();
    let folder = env.work().join(OsString::from_vec(b"d\xff\n\x1b x".to_vec()));
    fs::create_dir(&folder).unwrap();
    let run = || {
        let mut command = env.command();
        command.current_dir(&folder).args([
            "run",
            "-o",
            "out",
            "--",
            "sh",
            "-c",
            "echo ran >> ../count; pwd | tee out",
        ]);
        command.output().unwrap()
    };
    for _ in 0..2 {
        let output = run();
        let mut expected = folder.as_os_str().as_bytes().to_vec();
        expected.push(b'\n');
        assert_eq!((output.stdout, output.stderr), (expected, Vec::new()));
        fs::remove_file(folder.join("out")).unwrap();
    }
    assert_eq!(env.count(), 1);
    assert_harmless("show", &env.run("local-cache list").stdout, false);
}

#[test]
fn what_cannot_be_remembered_is_silently_forgotten() {
    for name in ["history.jsonl", "witnesses"] {
        let env = TestEnv::new();
        env.write("input", "x");
        env.run("run -- echo first");
        let path = env.store().join(name);
        if path.is_dir() {
            fs::remove_dir_all(&path).unwrap();
            fs::write(&path, "").unwrap();
        } else {
            fs::remove_file(&path).unwrap();
            fs::create_dir(&path).unwrap();
        }
        for _ in 0..2 {
            let line = "run -i input -- sh -c 'echo ran >> count; echo hi'";
            assert_eq!(env.run(line), ran(0, "hi\n"), "{name}");
        }
        assert_eq!(env.count(), 1, "{name}");
    }
}
