//! What is drawn on a terminal while work takes long, and that it harms nobody's bytes.
//!
//! The work is that of reading standard input: it takes as long as the test holds it open.

use crate::support::TestEnv;
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use std::fs::File;
use std::io::{Read, Write};
use std::os::unix::ffi::OsStrExt;
use std::process::{Child, ChildStdin, Command, Stdio};

/// The near end of a terminal, and what was read from it.
struct Terminal {
    file: File,
    seen: Vec<u8>,
}

impl Terminal {
    /// Opens a terminal, and its far end.
    fn open() -> (Self, File) {
        let near = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).unwrap();
        grantpt(&near).unwrap();
        unlockpt(&near).unwrap();
        let name = ptsname(&near, Vec::new()).unwrap();
        let path = std::ffi::OsStr::from_bytes(name.as_bytes());
        let far = File::options().read(true).write(true).open(path).unwrap();
        (Self { file: near.into(), seen: Vec::new() }, far)
    }

    /// Reads on; `false` when nobody has the far end open any more, which Linux tells by an error.
    fn read(&mut self) -> bool {
        let mut chunk = [0; 4096];
        let count = self.file.read(&mut chunk).unwrap_or(0);
        self.seen.extend(&chunk[..count]);
        count > 0
    }

    fn text(&self) -> String {
        String::from_utf8(self.seen.clone()).unwrap()
    }

    fn read_until(&mut self, text: &str) {
        while !self.text().contains(text) {
            assert!(self.read(), "{:?} does not have {text:?}", self.text());
        }
    }

    fn read_to_end(mut self) -> String {
        while self.read() {}
        self.text()
    }
}

const LINE: &str = "run --stdin hash -- cat";

const WORK: &str = "taskcache: reading standard input ";

/// Starts a run that reads `abc` and then waits.
fn start(env: &TestEnv, line: &str, term: &str, stdout: Stdio, stderr: Stdio) -> (Child, ChildStdin) {
    let mut command = env.command();
    command.args(line.split(' ')).env("TERM", term).stdin(Stdio::piped()).stdout(stdout).stderr(stderr);
    let mut child = command.spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(b"abc\n").unwrap();
    (child, stdin)
}

/// Returns what stands on the terminal in the end, when every line that was drawn was taken away again. A machine that
/// stands still may show other work as well.
fn left(seen: &str) -> String {
    const WORKS: [&str; 6] = [
        "reading standard input ",
        "hashing inputs ",
        "looking at outputs ",
        "restoring outputs ",
        "storing the result ",
        "importing ",
    ];
    let mut pieces: Vec<_> = seen.split("\r\u{1b}[2K").collect();
    let last = pieces.pop().unwrap();
    assert!(pieces.first().is_some_and(|piece| piece.starts_with("taskcache: ")), "{seen:?}");
    let drawn = |piece: &str| {
        let lines = WORKS.map(|work| format!("taskcache: {work}"));
        lines.iter().find_map(|line| piece.find(line))
    };
    assert_eq!(drawn(last), None, "{seen:?}");
    let stays = pieces.iter().map(|piece| drawn(piece).map_or(*piece, |at| &piece[..at]));
    stays.chain([last]).collect()
}

#[test]
fn long_work_is_shown_and_gone_before_anything_else_is_written() {
    let env = TestEnv::new();
    for outcome in ["miss (absent)", "hit"] {
        let (mut terminal, far) = Terminal::open();
        let (child, stdin) = start(&env, LINE, "xterm", Stdio::piped(), far.into());
        terminal.read_until(WORK);
        drop(stdin);
        let output = child.wait_with_output().unwrap();
        assert_eq!((output.status.code(), output.stdout.as_slice()), (Some(0), &b"abc\n"[..]));
        let seen = terminal.read_to_end();
        let line = left(&seen);
        assert!(line.starts_with(&format!("taskcache: {outcome} cat ")), "{seen:?}");
        assert_eq!((line.matches('\n').count(), line.ends_with("\r\n")), (1, true), "{seen:?}");
    }
}

#[test]
fn it_is_gone_before_the_bytes_of_a_command_on_the_same_terminal() {
    let env = TestEnv::new();
    for outcome in ["miss (absent)", "hit"] {
        let (mut terminal, far) = Terminal::open();
        let (mut child, stdin) = start(&env, LINE, "xterm", far.try_clone().unwrap().into(), far.into());
        terminal.read_until(WORK);
        drop(stdin);
        let seen = terminal.read_to_end();
        assert_eq!(child.wait().unwrap().code(), Some(0));
        assert!(left(&seen).starts_with(&format!("abc\r\ntaskcache: {outcome} cat ")), "{seen:?}");
    }
}

#[test]
fn it_is_gone_before_an_error_is_told() {
    let env = TestEnv::new();
    let (mut terminal, far) = Terminal::open();
    let (child, stdin) = start(&env, "local-cache import -", "xterm", Stdio::piped(), far.into());
    terminal.read_until("taskcache: importing ");
    drop(stdin);
    let output = child.wait_with_output().unwrap();
    assert_eq!((output.status.code(), output.stdout.as_slice()), (Some(125), &b""[..]));
    let seen = terminal.read_to_end();
    let told = left(&seen);
    assert!(told.starts_with("taskcache: error: ") && !told.contains('\u{1b}'), "{seen:?}");
}

#[test]
fn nothing_is_drawn_where_nobody_could_see_it() {
    let env = TestEnv::new();
    let (quiet, far) = Terminal::open();
    let never = format!("run --status never {}", LINE.trim_start_matches("run "));
    let (mut never, never_stdin) = start(&env, &never, "xterm", Stdio::null(), far.into());
    let (dumb, far) = Terminal::open();
    let (mut dull, dull_stdin) = start(&env, LINE, "dumb", Stdio::null(), far.into());
    let piped = LINE.replace("run", "run --status always");
    let (piped, piped_stdin) = start(&env, &piped, "xterm", Stdio::null(), Stdio::piped());
    // It began after the others, and long enough ago.
    let (mut terminal, far) = Terminal::open();
    let (mut shown, shown_stdin) = start(&env, LINE, "xterm", Stdio::null(), far.into());
    terminal.read_until(WORK);
    drop((never_stdin, dull_stdin, piped_stdin, shown_stdin));
    for child in [&mut never, &mut dull, &mut shown] {
        assert_eq!(child.wait().unwrap().code(), Some(0));
    }
    assert_eq!(quiet.read_to_end(), "");
    let stderr = String::from_utf8(piped.wait_with_output().unwrap().stderr).unwrap();
    for line in [dumb.read_to_end(), stderr] {
        assert!(line.starts_with("taskcache: miss (absent) cat ") || line.starts_with("taskcache: hit cat "));
        assert_eq!((line.matches("taskcache: ").count(), line.matches('\u{1b}').count()), (1, 0), "{line:?}");
    }
}

#[test]
fn a_small_hit_on_a_terminal_starts_no_thread() {
    let mut env = TestEnv::new();
    env.set("TERM", "xterm");
    env.write("a", "A");
    for words in ["run -- echo hi", "run -i a -- cat a"] {
        assert_eq!(env.run(words).code, 0);
        let log = env.work().join("calls");
        let (terminal, far) = Terminal::open();
        let mut command = Command::new("strace");
        command.args(["-f", "-qq", "-e", "trace=clone,clone3,vfork,fork", "-o"]).arg(&log);
        command.arg(env!("CARGO_BIN_EXE_taskcache")).args(words.split(' '));
        command.env_clear().env("PATH", "/usr/local/bin:/usr/bin:/bin").env("HOME", env.home());
        command.env("TERM", "xterm").current_dir(env.work());
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(far);
        let Ok(mut traced) = command.spawn() else {
            eprintln!("skipped: there is no strace");
            return;
        };
        drop(command);
        let status = traced.wait().unwrap();
        let told = terminal.read_to_end();
        if told.starts_with("strace: ") {
            eprintln!("skipped: {told}");
            return;
        }
        assert!(status.success() && told.starts_with("taskcache: hit "), "{told}");
        assert_eq!(std::fs::read_to_string(log).unwrap(), "", "{words}");
    }
}
