//! A world for one test: its own home, working directory and environment.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::io::Write;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

#[path = "program.rs"]
pub mod program;

use program::write_program;

/// A home, a working directory and an environment that nothing else sees.
pub struct TestEnv {
    folder: tempfile::TempDir,
    variables: Vec<(OsString, OsString)>,
}

/// What a run printed and how it ended.
#[derive(Debug, PartialEq, Eq)]
pub struct Ran {
    /// The exit code, or 128 and the signal.
    pub code: i32,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
}

/// Makes the expectation of a run that says nothing on standard error.
pub fn ran(code: i32, stdout: &str) -> Ran {
    Ran { code, stdout: stdout.to_owned(), stderr: String::new() }
}

impl Ran {
    /// Reads what a process printed and how it ended.
    pub fn of(output: &Output) -> Self {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let code = output.status.code().unwrap_or_else(|| 128 + output.status.signal().unwrap_or_default());
        Self { code, stdout: text(&output.stdout), stderr: text(&output.stderr) }
    }

    /// Returns the expectation with something on standard error.
    pub fn with_stderr(mut self, stderr: &str) -> Self {
        stderr.clone_into(&mut self.stderr);
        self
    }
}

impl TestEnv {
    /// Makes an empty world.
    pub fn new() -> Self {
        let folder = tempfile::tempdir().expect("a temporary folder can be made");
        for name in ["home", "work"] {
            fs::create_dir(folder.path().join(name)).expect("a folder can be made");
        }
        Self { folder, variables: Vec::new() }
    }

    /// Makes an empty world whose store uses leases of this length, as on a network file system.
    pub fn with_leases(length: &str) -> Self {
        let env = Self::new();
        let folder = env.home().join(".config/taskcache");
        fs::create_dir_all(&folder).expect("a folder can be made");
        let config = format!("[store]\nlocks = 'lease'\nlease = '{length}'\n");
        fs::write(folder.join("config.toml"), config).expect("a file can be written");
        env
    }

    /// Makes two empty worlds, one for each means by which runs keep out of each other's way. The leases are so long
    /// that no test sees their end.
    pub fn by_each_means() -> [Self; 2] {
        [Self::new(), Self::with_leases("1h")]
    }

    /// Returns the working directory, without symbolic links.
    pub fn work(&self) -> PathBuf {
        self.folder.path().join("work").canonicalize().expect("the working directory exists")
    }

    /// Returns the home folder.
    pub fn home(&self) -> PathBuf {
        self.folder.path().join("home")
    }

    /// Removes the hot records, so that hits have to ask the index.
    pub fn forget_hot_records(&self) {
        fs::remove_dir_all(self.store().join("records")).unwrap();
    }

    /// Returns the folder of the store.
    pub fn store(&self) -> PathBuf {
        self.home().join(".flyte/local-cache/taskcache")
    }

    /// Puts a file where the store would be.
    pub fn set_store_to_a_file(&self) {
        let store = self.store();
        fs::create_dir_all(store.parent().expect("it is in a folder")).expect("a folder can be made");
        fs::write(store, "no folder").expect("a file can be written");
    }

    /// Sets a variable for all that follows.
    pub fn set(&mut self, name: &str, value: impl AsRef<OsStr>) {
        self.unset(name);
        self.variables.push((name.into(), value.as_ref().to_owned()));
    }

    /// Takes a variable away again.
    pub fn unset(&mut self, name: &str) {
        self.variables.retain(|(known, _)| known != name);
    }

    /// Writes a file in the working directory, with the folders above it.
    pub fn write(&self, name: &str, contents: impl AsRef<[u8]>) -> PathBuf {
        let path = self.work().join(name);
        fs::create_dir_all(path.parent().expect("a file has a folder")).expect("a folder can be made");
        fs::write(&path, contents).expect("a file can be written");
        path
    }

    /// Writes an executable script.
    pub fn script(&self, name: &str, contents: &str) -> PathBuf {
        let path = self.work().join(name);
        fs::create_dir_all(path.parent().expect("a file has a folder")).expect("a folder can be made");
        write_program(&path, contents);
        path
    }

    /// Reads a file in the working directory; `None` where it is missing.
    pub fn read(&self, name: &str) -> Option<String> {
        fs::read_to_string(self.work().join(name)).ok()
    }

    /// Returns whether something stands at a path in the working directory.
    pub fn exists(&self, name: &str) -> bool {
        self.work().join(name).symlink_metadata().is_ok()
    }

    /// Returns how often a command ran that appends a line to `count` each time.
    pub fn count(&self) -> usize {
        self.read("count").unwrap_or_default().lines().count()
    }

    /// Returns taskcache, ready to be given arguments.
    pub fn command(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_taskcache"));
        command
            .env_clear()
            .env("PATH", "/usr/local/bin:/usr/bin:/bin")
            .env("HOME", self.home())
            .envs(self.variables.iter().map(|(name, value)| (name, value)))
            .current_dir(self.work())
            .stdin(Stdio::null());
        command
    }

    /// Runs taskcache with the words of a line, which a shell would split the same way.
    pub fn run(&self, line: &str) -> Ran {
        self.run_words(split(line))
    }

    /// Runs taskcache with exactly these words.
    pub fn run_words<W: AsRef<OsStr>>(&self, words: impl IntoIterator<Item = W>) -> Ran {
        Ran::of(&self.command().args(words).output().expect("taskcache starts"))
    }

    /// Runs taskcache in a folder below the working directory.
    pub fn run_in(&self, folder: &str, line: &str) -> Ran {
        let directory = self.work().join(folder);
        fs::create_dir_all(&directory).expect("a folder can be made");
        Ran::of(&self.command().args(split(line)).current_dir(directory).output().expect("taskcache starts"))
    }

    /// Runs taskcache with something on standard input.
    pub fn run_with_stdin(&self, line: &str, stdin: &[u8]) -> Ran {
        let mut child = self.spawn(line, Stdio::piped());
        match child.stdin.take().expect("stdin is a pipe").write_all(stdin) {
            // A command that is given no input may be over before it is all written.
            Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => {}
            written => written.expect("taskcache reads"),
        }
        Ran::of(&child.wait_with_output().expect("taskcache ends"))
    }

    /// Starts taskcache with its output in pipes.
    pub fn spawn(&self, line: &str, stdin: Stdio) -> Child {
        let mut command = self.command();
        command.args(split(line)).stdin(stdin).stdout(Stdio::piped()).stderr(Stdio::piped());
        command.spawn().expect("taskcache starts")
    }

    /// Runs a line in a shell in which `taskcache` is found.
    pub fn shell(&self, line: &str) -> Ran {
        let program = Path::new(env!("CARGO_BIN_EXE_taskcache"));
        let path = format!(
            "{}:/usr/local/bin:/usr/bin:/bin",
            program.parent().expect("it is in a folder").display()
        );
        let mut command = Command::new("/bin/sh");
        command
            .args(["-c", line])
            .env_clear()
            .env("HOME", self.home())
            .envs(self.variables.iter().map(|(name, value)| (name, value)))
            .env("PATH", path)
            .current_dir(self.work())
            .stdin(Stdio::null());
        Ran::of(&command.output().expect("a shell starts"))
    }
}

/// Splits a line at blanks; single quotes keep blanks, and there is nothing else to it.
pub fn split(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word = None::<String>;
    let mut quoted = false;
    for character in line.chars() {
        match character {
            '\'' => {
                quoted = !quoted;
                word.get_or_insert_with(String::new);
            }
            blank if blank.is_whitespace() && !quoted => words.extend(word.take()),
            other => word.get_or_insert_with(String::new).push(other),
        }
    }
    words.extend(word);
    words
}
