//! A world for one test, how much is to be tried, and what every trial has to leave behind.

use crate::program::write_program;
use std::ffi::OsStr;
use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// How much is to be tried.
pub struct Effort {
    factor: u64,
    seed: u64,
}

impl Effort {
    /// Reads it from the environment.
    #[expect(clippy::disallowed_methods, reason = "a test has no host that was captured for it")]
    pub fn asked() -> Self {
        let factor = match std::env::var("TASKCACHE_RELIABILITY").as_deref() {
            Ok("hours") => 1000,
            Ok(number) => number.parse().expect("TASKCACHE_RELIABILITY is a number or 'hours'"),
            Err(_) => 1,
        };
        let seed =
            std::env::var("TASKCACHE_SEED").map_or(1, |seed| seed.parse().expect("a seed is a number"));
        Self { factor, seed }
    }

    /// Returns how often to do what is done `bounded` times under `cargo test`.
    pub fn times(&self, bounded: u64) -> u64 {
        bounded * self.factor
    }

    /// Returns the random numbers of a subject.
    pub fn random(&self, subject: &str) -> Random {
        let subject = subject.bytes().fold(self.seed, |sum, byte| sum.wrapping_mul(31) + u64::from(byte));
        Random(subject.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    /// Takes a sample of at most `times(bounded)`, in random order; all of them where that is enough.
    pub fn sample<T>(&self, subject: &str, mut all: Vec<T>, bounded: u64) -> Vec<T> {
        let mut random = self.random(subject);
        for at in (1..all.len()).rev() {
            all.swap(at, random.below(at + 1));
        }
        all.truncate(usize::try_from(self.times(bounded)).unwrap());
        all
    }
}

/// Numbers that are the same each time.
pub struct Random(u64);

impl Random {
    /// Returns the next number.
    pub fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }

    /// Returns a number below `bound`.
    pub fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.next() % u64::try_from(bound).unwrap()).unwrap()
    }
}

/// Prints what a test did, on a line that the documentation quotes.
pub fn figure(subject: &str, text: &str) {
    println!("reliability: {subject}: {text}");
}

/// What a run printed and how it ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ran {
    /// The exit code, or 128 and the signal.
    pub code: i32,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
}

impl Ran {
    /// Reads what a process printed and how it ended.
    pub fn of(output: &Output) -> Self {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let code = output.status.code().unwrap_or_else(|| 128 + output.status.signal().unwrap_or_default());
        Self { code, stdout: text(&output.stdout), stderr: text(&output.stderr) }
    }

    /// Asserts that the program never panicked: no fault may end it that way.
    pub fn no_panic(self, what: &str) -> Self {
        assert!(!self.stderr.contains("panicked"), "{what}: {}", self.stderr);
        assert!(self.code != 128 + 6 && self.code != 101, "{what}: {self:?}");
        self
    }

    /// Returns how many lines of standard error are warnings of ours.
    pub fn warnings(&self) -> usize {
        self.stderr.lines().filter(|line| line.starts_with("taskcache: warning: ")).count()
    }
}

/// A home and a working directory that nothing else sees, and a copy of both to begin anew from.
pub struct World {
    folder: tempfile::TempDir,
}

impl World {
    /// Makes an empty world.
    pub fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        for name in ["home", "work"] {
            fs::create_dir(folder.path().join(name)).unwrap();
        }
        Self { folder }
    }

    /// Returns the working directory.
    pub fn work(&self) -> PathBuf {
        self.folder.path().canonicalize().unwrap().join("work")
    }

    /// Returns the folder of the store.
    pub fn store(&self) -> PathBuf {
        self.folder.path().canonicalize().unwrap().join("home/.flyte/local-cache/taskcache")
    }

    /// Returns a path beside home and working directory.
    pub fn beside(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Writes an executable script into the working directory.
    pub fn script(&self, name: &str, body: &str) {
        let path = self.work().join(name);
        write_program(&path, &format!("#!/bin/sh\n{body}\n"));
    }

    /// Returns a program, to be started in this world.
    pub fn program(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new(program);
        command
            .env_clear()
            .env("PATH", "/usr/local/bin:/usr/bin:/bin")
            .env("HOME", self.folder.path().join("home"))
            .current_dir(self.work())
            .stdin(Stdio::null());
        command
    }

    /// Returns taskcache with the words of a line.
    pub fn command(&self, line: &str) -> Command {
        let mut command = self.program(TASKCACHE);
        command.args(line.split_whitespace());
        command
    }

    /// Runs taskcache with the words of a line.
    pub fn run(&self, line: &str) -> Ran {
        Ran::of(&self.command(line).output().unwrap()).no_panic(line)
    }

    /// Keeps home and working directory as they are now.
    pub fn keep(&self) {
        for name in ["home", "work"] {
            copy(&self.folder.path().join(name), &self.beside(&format!("kept-{name}")));
        }
    }

    /// Brings home and working directory back to what was kept.
    pub fn restore(&self) {
        for name in ["home", "work"] {
            let path = self.folder.path().join(name);
            fs::remove_dir_all(&path).unwrap();
            copy(&self.beside(&format!("kept-{name}")), &path);
        }
    }

    /// Returns the path of every file in the store, relative to it, sorted.
    pub fn stored_files(&self) -> Vec<String> {
        let store = self.store();
        let mut names: Vec<_> = walkdir::WalkDir::new(&store)
            .min_depth(1)
            .into_iter()
            .map(Result::unwrap)
            .filter(|entry| !entry.file_type().is_dir())
            .map(|entry| entry.path().strip_prefix(&store).unwrap().to_str().unwrap().to_owned())
            .collect();
        names.sort();
        names
    }

    /// Returns the path of the index.
    pub fn index(&self) -> PathBuf {
        self.store().join("index.db")
    }
}

/// The program under test.
pub const TASKCACHE: &str = env!("CARGO_BIN_EXE_taskcache");

/// Copies a folder with all below it, with modes.
pub fn copy(from: &Path, to: &Path) {
    fs::create_dir(to).unwrap();
    fs::set_permissions(to, fs::metadata(from).unwrap().permissions()).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

/// Two tasks whose results are known, one of which is stored.
///
/// `kept` has outputs, a content of its own file on each way and small ones; `made` likewise, with other bytes. Both
/// run long enough for their records to be flushed to the disk.
pub struct Tasks {
    /// The world that they are in.
    pub world: World,
}

/// The run whose result was stored before the harm was done.
pub const KEPT: &str = "run -o kept -- ./keep";

/// The run that is being harmed.
pub const MADE: &str = "run -o made -- ./make";

/// What the files of both lie in.
pub const FOLDERS: [&str; 2] = ["kept", "made"];

impl Tasks {
    /// Makes the world and stores the first result.
    pub fn new() -> Self {
        let world = World::new();
        let body = |folder: &str, from: u32| {
            format!(
                "echo ran >> ../{folder}-count; sleep 0.06; mkdir -p {folder}/sub
                 seq {from} 20000 > {folder}/large; echo {from} > {folder}/sub/small
                 ln -sf sub/small {folder}/link; seq {from} 9000; echo error {from} >&2; exit 0"
            )
        };
        world.script("keep", &body("kept", 1));
        world.script("make", &body("made", 2));
        let tasks = Self { world };
        tasks.assert_right("first", &tasks.world.run(KEPT), 1);
        tasks.forget_outputs();
        tasks
    }

    /// Removes the outputs, so that the next hit has to write them.
    pub fn forget_outputs(&self) {
        for folder in FOLDERS {
            let _ = fs::remove_dir_all(self.world.work().join(folder));
        }
    }

    /// Returns how often a task's command ran.
    pub fn count(&self, folder: &str) -> usize {
        fs::read_to_string(self.world.beside(&format!("{folder}-count"))).unwrap_or_default().lines().count()
    }

    /// Asserts that a run gave exactly what its command gives, on the streams and on disk.
    pub fn assert_right(&self, what: &str, ran: &Ran, from: u32) {
        let plain = ran.stderr.lines().filter(|line| !line.starts_with("taskcache: ")).collect::<Vec<_>>();
        assert_eq!(ran.code, 0, "{what}: {}", ran.stderr);
        assert!(ran.stdout == lines(from, 9000), "{what}: wrong bytes on standard output: {}", ran.stderr);
        assert_eq!(plain, [format!("error {from}")], "{what}");
        let read = |name: &str| {
            let path = self.world.work().join(FOLDERS[from as usize - 1]).join(name);
            fs::read_to_string(&path).unwrap_or_else(|error| panic!("{what}: {}: {error}", path.display()))
        };
        assert!(read("large") == lines(from, 20_000), "{what}: wrong bytes in a file");
        assert_eq!(read("sub/small"), format!("{from}\n"), "{what}");
        assert_eq!(read("link"), format!("{from}\n"), "{what}");
    }

    /// Runs the task whose result is stored and asserts that it is a hit with the right bytes.
    pub fn assert_kept(&self, what: &str) {
        let before = self.count("kept");
        let ran = self.world.run(KEPT);
        self.assert_right(what, &ran, 1);
        assert_eq!(ran.warnings(), 0, "{what}: {}", ran.stderr);
        assert_eq!(self.count("kept"), before, "{what}: a committed entry is lost");
    }

    /// Runs a task twice: right each time, without a warning, and the second time at the latest a hit.
    pub fn assert_works(&self, what: &str, line: &str, from: u32) {
        let folder = FOLDERS[from as usize - 1];
        self.forget_outputs();
        for round in 0..2 {
            let before = self.count(folder);
            let ran = self.world.run(line);
            self.assert_right(what, &ran, from);
            assert_eq!(ran.warnings(), 0, "{what}: {}", ran.stderr);
            assert!(round == 0 || self.count(folder) == before, "{what}: the result was not stored");
        }
    }

    /// Asserts that a verification finds no damage.
    pub fn assert_sound(&self, what: &str) {
        let verified = self.world.run("local-cache verify");
        assert_eq!((verified.code, verified.stderr.as_str()), (0, ""), "{what}: {}", verified.stdout);
    }

    /// Asserts that after a collection the store holds nothing that nobody owns.
    pub fn assert_no_garbage(&self, what: &str) {
        self.assert_sound(what);
        age_temporaries(&self.world.store());
        let swept = self.world.run("local-cache gc");
        assert_eq!((swept.code, swept.stderr.as_str()), (0, ""), "{what}");
        let connection = rusqlite::Connection::open(self.world.index()).unwrap();
        let owned = |query: &str, digest: &str| {
            let digest: Vec<u8> = (0..digest.len() / 2)
                .map(|at| u8::from_str_radix(&digest[2 * at..2 * at + 2], 16).unwrap())
                .collect();
            connection.query_row(query, [digest], |row| row.get::<_, i64>(0)).unwrap() > 0
        };
        for name in self.world.stored_files() {
            let parts: Vec<_> = name.split('/').collect();
            let is_known = match parts.as_slice() {
                ["CACHEDIR.TAG" | "collected" | "history.jsonl"] => true,
                ["index.db" | "index.db-wal" | "index.db-shm"] | ["locks", ..] => true,
                ["blobs", shard, rest] => {
                    owned("SELECT count(*) FROM reference WHERE digest = ?1", &format!("{shard}{rest}"))
                }
                // A record that outlives its row would be a hit that the index does not know.
                ["records", shard, rest] => {
                    owned("SELECT count(*) FROM entry WHERE key = ?1", &format!("{shard}{rest}"))
                }
                ["witnesses" | "placements", _, rest] => rest.len() == 62,
                _ => false,
            };
            assert!(is_known, "{what}: '{name}' belongs to nobody and stays");
        }
        for folder in ["tmp", "quarantine"] {
            let left = fs::read_dir(self.world.store().join(folder)).map_or(0, Iterator::count);
            assert_eq!(left, 0, "{what}: something stays in {folder}");
        }
    }
}

/// Makes everything below a folder whose name is one that is given for a moment only look as if it had been left alone
/// for two hours.
pub fn age_temporaries(folder: &Path) {
    use rustix::fs::{AtFlags, CWD, Timespec, Timestamps, utimensat};
    use std::os::unix::fs::MetadataExt;
    for entry in walkdir::WalkDir::new(folder).into_iter().map(Result::unwrap) {
        let name = entry.file_name().to_str().unwrap();
        let digits = name.rsplit_once(['.', '-']).map_or("", |(_, digits)| digits);
        if digits.len() == 16 && !entry.file_type().is_dir() {
            let time = Timespec { tv_sec: entry.metadata().unwrap().mtime() - 7200, tv_nsec: 0 };
            let times = Timestamps { last_access: time, last_modification: time };
            utimensat(CWD, entry.path(), &times, AtFlags::SYMLINK_NOFOLLOW).unwrap();
        }
    }
}

/// Returns what `seq` prints.
pub fn lines(from: u32, to: u32) -> String {
    (from..=to).map(|number| format!("{number}\n")).collect()
}
