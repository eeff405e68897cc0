//! A copy of an example with a home of its own, in which the start of certain programs is written down.

use crate::program::{copy_program, write_program};
use std::ffi::OsString;
use std::fmt::Write;
use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::SystemTime;

/// Where the programs are that the examples need.
const PROGRAM_FOLDERS: [&str; 3] = ["/usr/local/bin", "/usr/bin", "/bin"];

/// What the examples write, all of them: a copy has none of it.
const BUILD_FOLDER: &str = "build";

/// A copy of an example.
pub struct Workshop {
    folder: tempfile::TempDir,
    variables: Vec<(OsString, OsString)>,
}

/// What a script printed and how it ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ran {
    /// The exit code, or 128 and the signal.
    pub code: i32,
    /// Standard output.
    pub stdout: String,
    /// Standard error.
    pub stderr: String,
}

/// Makes the expectation of a script that says nothing on standard error.
pub fn ran(code: i32, stdout: &str) -> Ran {
    Ran { code, stdout: stdout.to_owned(), stderr: String::new() }
}

impl Workshop {
    /// Copies an example. The starts of the given programs are written down.
    pub fn of(example: &str, programs: &[&str]) -> Self {
        let workshop = Self { folder: tempfile::tempdir().unwrap(), variables: Vec::new() };
        for name in ["home", "bin"] {
            fs::create_dir(workshop.root().join(name)).unwrap();
        }
        let original = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples").join(example);
        copy_folder(&original, &workshop.project());
        for program in programs {
            workshop.observe(program, "");
        }
        workshop
    }

    fn root(&self) -> PathBuf {
        self.folder.path().canonicalize().unwrap()
    }

    /// Returns the folder of the copy.
    pub fn project(&self) -> PathBuf {
        self.root().join("project")
    }

    /// Puts a script in front of a program that writes its arguments down, up to the end of the first line, and then
    /// becomes the program. Being asked for its version does not count as a start. `before` is done first.
    pub fn observe(&self, program: &str, before: &str) {
        let real = PROGRAM_FOLDERS.iter().map(|folder| Path::new(folder).join(program));
        let real = real.into_iter().find(|path| path.exists());
        let real = real.unwrap_or_else(|| panic!("the examples need {program}")).display().to_string();
        let log = self.root().join("log").display().to_string();
        let script = format!(
            "#!/bin/sh\n{before}\nwords=\"{program} $*\"\n[ \"$words\" = '{program} --version' ] || \
             printf '%s\\n' \"${{words%%\n*}}\" >> '{log}'\nexec '{real}' \"$@\"\n"
        );
        write_program(&self.root().join("bin").join(program), &script);
    }

    /// Returns the command lines that were written down since this was last asked, in their order.
    pub fn started(&self) -> Vec<String> {
        let log = self.root().join("log");
        let lines = fs::read_to_string(&log).unwrap_or_default();
        fs::write(&log, "").unwrap();
        lines.lines().map(str::to_owned).collect()
    }

    /// Sets a variable for all that follows.
    pub fn set(&mut self, name: &str, value: &str) {
        self.variables.push((name.into(), value.into()));
    }

    /// Runs a line in a shell in the copy, where `taskcache` is found.
    pub fn sh(&self, line: &str) -> Ran {
        self.sh_in(&self.project(), line)
    }

    /// Runs a line in a shell elsewhere.
    pub fn sh_in(&self, folder: &Path, line: &str) -> Ran {
        let taskcache = Path::new(env!("CARGO_BIN_EXE_taskcache")).parent().unwrap().display();
        let path = format!("{}/bin:{taskcache}:{}", self.root().display(), PROGRAM_FOLDERS.join(":"));
        let output = Command::new("/bin/sh")
            .args(["-euc", line])
            .env_clear()
            .env("PATH", path)
            .env("HOME", self.root().join("home"))
            .envs(self.variables.iter().map(|(name, value)| (name, value)))
            .current_dir(folder)
            .stdin(Stdio::null())
            .output()
            .unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        let code = output.status.code().unwrap_or_else(|| 128 + output.status.signal().unwrap_or_default());
        Ran { code, stdout: text(output.stdout), stderr: text(output.stderr) }
    }

    /// Reads a file of the copy.
    pub fn read(&self, name: &str) -> Vec<u8> {
        fs::read(self.project().join(name)).unwrap()
    }

    /// Writes a file of the copy, and makes sure that it is younger than all that is there.
    pub fn write(&self, name: &str, contents: impl AsRef<[u8]>) {
        self.pass_a_tick();
        fs::write(self.project().join(name), contents).unwrap();
    }

    /// Replaces a text that stands exactly once in a file of the copy. Returns what the file was.
    pub fn replace(&self, name: &str, old: &str, new: &str) -> Vec<u8> {
        let before = String::from_utf8(self.read(name)).unwrap();
        assert_eq!(before.matches(old).count(), 1, "'{old}' in {name}");
        self.write(name, before.replace(old, new));
        before.into_bytes()
    }

    /// Appends to a file of the copy. Returns what the file was.
    pub fn append(&self, name: &str, text: &str) -> Vec<u8> {
        let before = self.read(name);
        self.write(name, [before.as_slice(), text.as_bytes()].concat());
        before
    }

    /// Waits until what is written has a later time than what was written before.
    fn pass_a_tick(&self) {
        let path = self.root().join("tick");
        let tick = || -> SystemTime {
            fs::write(&path, "").unwrap();
            fs::metadata(&path).unwrap().modified().unwrap()
        };
        let first = tick();
        while tick() <= first {}
    }

    /// Runs the commands of the example's README one block after the other. What a block prints, to either stream,
    /// has to be what the README shows behind it, but for keys, times and sizes in lines of taskcache.
    pub fn follow_readme(&self) {
        let readme = String::from_utf8(self.read("README.md")).unwrap();
        let mut blocks = code_blocks(&readme).into_iter().peekable();
        let mut commands = 0;
        while let Some((language, block)) = blocks.next() {
            assert_eq!(language, "sh", "{block}");
            let shown = blocks.next_if(|(language, _)| *language == "text");
            let shown = shown.map(|(_, text)| text).unwrap_or_default();
            self.pass_a_tick();
            let printed = self.sh(&format!("exec 2>&1\n{block}"));
            assert_eq!((printed.code, masked(&printed.stdout)), (0, masked(&shown)), "{block}");
            commands += 1;
        }
        assert!(commands > 1, "the README shows what to do");
    }
}

fn copy_folder(from: &Path, to: &Path) {
    fs::create_dir(to).unwrap();
    for child in fs::read_dir(from).unwrap() {
        let child = child.unwrap();
        let target = to.join(child.file_name());
        if child.file_type().unwrap().is_file() {
            copy_program(&child.path(), &target);
        } else if child.file_name() != BUILD_FOLDER {
            copy_folder(&child.path(), &target);
        }
    }
}

/// Returns the fenced blocks of a Markdown text, with their languages.
fn code_blocks(markdown: &str) -> Vec<(&str, String)> {
    let fenced = markdown.split("\n```").skip(1).step_by(2);
    let blocks = fenced.map(|block| block.split_once('\n').unwrap());
    blocks.map(|(language, text)| (language, format!("{text}\n"))).collect()
}

/// Returns the text with keys, times and sizes made the same in each line that is taskcache's own.
pub fn masked(text: &str) -> String {
    let mut masked = String::new();
    for line in text.lines() {
        let Some(words) = line.strip_prefix("taskcache: ") else {
            writeln!(masked, "{line}").unwrap();
            continue;
        };
        let words: Vec<_> = words.split(' ').collect();
        masked.push_str("taskcache:");
        for (at, word) in words.iter().enumerate() {
            let (bare, comma) = word.strip_suffix(',').map_or((*word, ""), |bare| (bare, ","));
            let next = words.get(at + 1).map(|next| next.trim_end_matches(','));
            let is_number = |text: &str| text.parse::<f64>().is_ok();
            let duration = bare.strip_suffix("ms").or(bare.strip_suffix('s'));
            let shown = if bare.len() == 8 && bare.bytes().all(|byte| byte.is_ascii_hexdigit()) {
                "KEY"
            } else if duration.is_some_and(is_number) {
                "TIME"
            } else if is_number(bare) && matches!(next, Some("B" | "KiB" | "MiB")) {
                "SIZE"
            } else if matches!(bare, "B" | "KiB" | "MiB") {
                "BYTES"
            } else {
                bare
            };
            write!(masked, " {shown}{comma}").unwrap();
        }
        masked.push('\n');
    }
    masked
}
