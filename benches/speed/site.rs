//! The folder that the rows work in, and how they call programs there.

use crate::measure::Contender;
use std::cell::Cell;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

/// For how long a file has to be left alone before its digest is remembered, and a little more.
const SETTLED: Duration = Duration::from_millis(2200);

const PATH: &str = "/usr/local/bin:/usr/bin:/bin";

/// Prints a line.
pub(crate) fn say(line: &str) {
    let mut out = std::io::stdout().lock();
    writeln!(out, "{line}").expect("standard output can be written to");
}

/// A folder of its own, on the disk that the build is on: a file system in memory would be too kind.
pub(crate) struct Site {
    folder: PathBuf,
    binaries: Vec<PathBuf>,
    rows: Cell<usize>,
}

impl Site {
    /// Makes the folder.
    pub(crate) fn new(binaries: Vec<PathBuf>) -> Self {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("speed");
        let site = Self { folder, binaries, rows: Cell::new(0) };
        site.clear();
        site
    }

    /// Removes what a row left, and makes the folder anew.
    pub(crate) fn clear(&self) {
        if self.folder.exists() {
            fs::remove_dir_all(&self.folder).expect("the folder can be removed");
        }
        fs::create_dir_all(&self.folder).expect("the folder can be made");
        self.rows.set(self.rows.get() + 1);
    }

    /// Returns the builds that are compared.
    pub(crate) fn binaries(&self) -> &[PathBuf] {
        &self.binaries
    }

    /// Returns a path in the folder.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// Returns a command that runs in the folder, with an environment that is always the same.
    pub(crate) fn command(&self, program: impl AsRef<Path>) -> Command {
        let mut command = Command::new(program.as_ref());
        command.env_clear().env("PATH", PATH).env("HOME", self.path("home")).current_dir(&self.folder);
        command
    }

    /// Returns `sh -c SCRIPT`.
    pub(crate) fn shell(&self, script: &str) -> Command {
        let mut command = self.command("/bin/sh");
        command.args(["-c", script]);
        command
    }

    /// Runs a script that has to succeed.
    pub(crate) fn do_in(&self, script: &str) {
        let status = self.shell(script).stdout(Stdio::null()).status().expect("a shell starts");
        assert!(status.success(), "{script}: {status}");
    }

    /// Waits until everything that was written counts as settled.
    pub(crate) fn settle(&self) {
        std::thread::sleep(SETTLED);
    }

    /// Returns a contender for each build: `words` after `taskcache`, each build with a store of its own. They have
    /// run until they hit.
    pub(crate) fn taskcaches(&self, words: &[&str]) -> Vec<Contender> {
        self.builds().map(|build| build.contender(words)).collect()
    }

    /// Returns the builds, each with its store.
    pub(crate) fn builds(&self) -> impl Iterator<Item = Build> + '_ {
        self.binaries.iter().enumerate().map(|(number, binary)| {
            let name = match self.binaries.len() {
                1 => "taskcache".to_owned(),
                _ => format!("taskcache {}", number + 1),
            };
            let folder = self.folder.clone();
            Build { name, store: folder.join(format!("store-{number}")), folder, binary: binary.clone() }
        })
    }

    /// Returns where bkt is, if it is installed.
    #[expect(clippy::disallowed_methods, reason = "a program of its own, without a host")]
    pub(crate) fn bkt(&self) -> Option<PathBuf> {
        let folders = std::env::var_os("PATH")?;
        std::env::split_paths(&folders).map(|folder| folder.join("bkt")).find(|path| path.is_file())
    }

    /// Returns a contender that runs bkt, where it is installed.
    pub(crate) fn bkts(&self, words: &[&str]) -> Vec<Contender> {
        let Some(bkt) = self.bkt() else { return Vec::new() };
        let words: Vec<String> = words.iter().map(|&word| word.to_owned()).collect();
        let (folder, cache) = (self.folder.clone(), self.path("bkt"));
        let command = move || {
            let mut command = Command::new(&bkt);
            command.env_clear().env("PATH", PATH).env("HOME", &folder).current_dir(&folder);
            command.arg("--cache-dir").arg(&cache).args(&words);
            command
        };
        vec![Contender::new("bkt", command)]
    }
}

/// A build of taskcache with a store.
#[derive(Clone)]
pub(crate) struct Build {
    /// What it is called in the table.
    pub(crate) name: String,
    /// Its store.
    pub(crate) store: PathBuf,
    /// The folder that it runs in.
    pub(crate) folder: PathBuf,
    /// The program.
    pub(crate) binary: PathBuf,
}

impl Build {
    /// Returns `taskcache WORDS`.
    pub(crate) fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new(&self.binary);
        command.env_clear().env("PATH", PATH).env("HOME", self.folder.join("home"));
        // A terminal that can take a line away, where one is looked at.
        command.env("TERM", "xterm");
        command.env("TASKCACHE_DIR", &self.store).current_dir(&self.folder).args(words);
        command
    }

    /// Returns the path of the program, for scripts.
    pub(crate) fn program(&self) -> String {
        self.binary.display().to_string()
    }

    /// Runs `taskcache WORDS` and returns what its status line says.
    pub(crate) fn status(&self, words: &[&str]) -> String {
        let mut command = self.command(words);
        command.env("TASKCACHE_STATUS", "always").stdin(Stdio::null()).stdout(Stdio::null());
        let output = command.output().expect("taskcache starts");
        assert!(output.status.success(), "{words:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8_lossy(&output.stderr).into_owned()
    }

    /// Returns a contender that hits: it has stored its result, which has settled, and has hit once.
    pub(crate) fn contender(&self, words: &[&str]) -> Contender {
        self.status(words);
        std::thread::sleep(SETTLED);
        let told = self.status(words);
        assert!(told.contains("taskcache: hit"), "{words:?} does not hit: {told}");
        let (build, words) = (self.clone(), words.iter().map(|&word| word.to_owned()).collect::<Vec<_>>());
        Contender::new(&self.name, move || {
            build.command(&words.iter().map(String::as_str).collect::<Vec<_>>())
        })
    }
}
