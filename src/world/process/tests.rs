//! Real commands, run with pipes of the tests in place of our own streams.

use super::*;
use crate::model::entry::{Content, Segment, Stream};
use crate::world::spool::{Spool, SpoolBody};
use std::fs::{self, Permissions};
use std::io::{BufRead, BufReader, PipeReader, Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::PermissionsExt;
use std::thread::{self, JoinHandle};
use tempfile::TempDir;

mod stage;

const LIMIT: usize = 64 * 1024;

/// A command in the making.
struct Scene {
    folder: TempDir,
    program: std::path::PathBuf,
    argv: Vec<OsString>,
    environment: Vec<(OsString, OsString)>,
    directory: Option<std::path::PathBuf>,
    stdin: StdinSource,
    capture: CaptureMode,
}

/// What a command did, and what came out of our streams.
struct Ran {
    execution: Execution,
    stdout: Vec<u8>,
    stderr: Vec<u8>,
    /// Its spools live here.
    _folder: TempDir,
}

impl Scene {
    fn shell(capture: CaptureMode, script: &str) -> Self {
        Self::program("/bin/sh", &["sh", "-c", script], capture)
    }

    fn program(program: impl AsRef<Path>, argv: &[&str], capture: CaptureMode) -> Self {
        Self {
            folder: tempfile::tempdir().unwrap(),
            program: program.as_ref().into(),
            argv: argv.iter().map(OsString::from).collect(),
            environment: vec![("PATH".into(), "/usr/bin:/bin".into())],
            directory: None,
            stdin: StdinSource::Null,
            capture,
        }
    }

    fn into(self, outlets: Outlets) -> Result<(Execution, TempDir), StartError> {
        let invocation = Invocation {
            program: &self.program,
            argv: &self.argv,
            environment: &self.environment,
            directory: self.directory.as_deref(),
            stdin: self.stdin,
            capture: self.capture,
            spool_folder: &|| Ok(self.folder.path().to_owned()),
            spool_limit: LIMIT,
        };
        execute_into(invocation, outlets).map(|execution| (execution, self.folder))
    }

    fn try_run(self) -> Result<Ran, StartError> {
        let (outlets, [stdout, stderr]) = pipes();
        let (stdout, stderr) = (read_all(stdout), read_all(stderr));
        let (execution, folder) = self.into(outlets)?;
        let (stdout, stderr) = (stdout.join().unwrap(), stderr.join().unwrap());
        Ok(Ran { execution, stdout, stderr, _folder: folder })
    }

    fn run(self) -> Ran {
        self.try_run().unwrap()
    }
}

impl Ran {
    fn capture(&self) -> &Capture {
        self.execution.capture.as_ref().unwrap()
    }

    fn incomplete(&self) -> Option<String> {
        incomplete(&self.execution)
    }

    /// Asserts that what was recorded is what came out, and nothing is missing.
    fn assert_complete(&self) {
        assert_eq!(self.incomplete(), None);
        let capture = self.capture();
        for (spool, bytes) in [(&capture.stdout, &self.stdout), (&capture.stderr, &self.stderr)] {
            assert_eq!(spool.content(), Content::of(bytes));
            assert!(contents(spool) == *bytes);
        }
        let sum = |stream| -> u64 {
            capture.order.iter().filter(|part| part.stream == stream).map(|part| part.length).sum()
        };
        assert_eq!(sum(Stream::Stdout), self.stdout.len() as u64);
        assert_eq!(sum(Stream::Stderr), self.stderr.len() as u64);
        assert!(capture.order.windows(2).all(|pair| pair[0].stream != pair[1].stream));
    }
}

fn incomplete(execution: &Execution) -> Option<String> {
    execution.capture.as_ref().unwrap().incomplete.as_ref().map(ToString::to_string)
}

fn contents(spool: &Spool) -> Vec<u8> {
    match spool.body() {
        SpoolBody::Memory(bytes) => bytes.clone(),
        SpoolBody::File(file) => fs::read(file.path()).unwrap(),
    }
}

fn pipes() -> (Outlets, [PipeReader; 2]) {
    let (stdout, stdout_writer) = io::pipe().unwrap();
    let (stderr, stderr_writer) = io::pipe().unwrap();
    (Outlets { stdout: stdout_writer.into(), stderr: stderr_writer.into() }, [stdout, stderr])
}

fn read_all(mut pipe: PipeReader) -> JoinHandle<Vec<u8>> {
    thread::spawn(move || {
        let mut bytes = Vec::new();
        pipe.read_to_end(&mut bytes).unwrap();
        bytes
    })
}

fn out(length: u64) -> Segment {
    Segment { stream: Stream::Stdout, length }
}

fn err(length: u64) -> Segment {
    Segment { stream: Stream::Stderr, length }
}

/// Writes a file through another process: a descriptor of ours that is open for writing could be inherited by a
/// child of another test, and then the file could not be executed ("text file busy").
fn executable(path: &Path, text: &str) {
    let status = Command::new("/bin/sh")
        .args(["-c", "printf %s \"$1\" > \"$2\" && chmod 755 \"$2\"", "sh", text])
        .arg(path)
        .status()
        .unwrap();
    assert!(status.success());
}

#[test]
fn every_byte_comes_through_and_no_newline_is_added() {
    let all: Vec<u8> = (0..=u8::MAX).chain((0..=u8::MAX).rev()).collect();
    let mut scene = Scene::program("/bin/cat", &["cat"], CaptureMode::Apart);
    let path = scene.folder.path().join("bytes");
    fs::write(&path, &all).unwrap();
    scene.stdin = StdinSource::File(File::open(path).unwrap());
    let ran = scene.run();
    assert_eq!((&ran.stdout, ran.stderr.len()), (&all, 0));
    assert_eq!(ran.capture().order, [out(512)]);
    assert!(matches!(ran.capture().stdout.body(), SpoolBody::Memory(_)));
    ran.assert_complete();
}

#[test]
fn silence_is_recorded() {
    for mode in [CaptureMode::Apart, CaptureMode::Joined] {
        let ran = Scene::shell(mode, ":").run();
        assert_eq!(ran.execution.termination, Termination::Exited(0));
        assert_eq!(ran.capture().joined, mode == CaptureMode::Joined);
        assert_eq!(ran.capture().order, []);
        ran.assert_complete();
    }
}

#[test]
fn big_output_goes_to_a_file_and_is_hashed_on_the_way() {
    const SIZE: usize = 50_000_000;
    let ran = Scene::shell(CaptureMode::Apart, "yes 0123456789abcde | head -c 50000000").run();
    assert_eq!(ran.stdout.len(), SIZE);
    assert!(ran.stdout.chunks(16).all(|line| line == b"0123456789abcde\n"));
    assert_eq!(ran.capture().order, [out(SIZE as u64)]);
    assert!(matches!(ran.capture().stdout.body(), SpoolBody::File(_)));
    ran.assert_complete();
}

#[test]
fn one_pipe_for_both_keeps_the_exact_order() {
    let script = "i=0; while [ $i -lt 300 ]; do echo a$i; echo b$i >&2; echo c$i; i=$((i+1)); done";
    let ran = Scene::shell(CaptureMode::Joined, script).run();
    let expected: String = (0..300).map(|i| format!("a{i}\nb{i}\nc{i}\n")).collect();
    assert_eq!(String::from_utf8_lossy(&ran.stdout), expected);
    assert_eq!(ran.stderr, b"");
    assert!(ran.capture().joined);
    assert_eq!(ran.capture().order, [out(expected.len() as u64)]);
    ran.assert_complete();
}

#[test]
fn a_pipe_for_each_keeps_them_apart() {
    let script = "i=0; while [ $i -lt 300 ]; do echo a$i; echo b$i >&2; i=$((i+1)); done; exit 3";
    let ran = Scene::shell(CaptureMode::Apart, script).run();
    let lines = |letter: char| (0..300).map(|i| format!("{letter}{i}\n")).collect::<String>();
    assert_eq!(String::from_utf8_lossy(&ran.stdout), lines('a'));
    assert_eq!(String::from_utf8_lossy(&ran.stderr), lines('b'));
    assert_eq!(ran.execution.termination, Termination::Exited(3));
    assert!(!ran.capture().joined);
    ran.assert_complete();
}

#[test]
fn output_is_forwarded_at_once_and_recorded_in_the_order_of_its_coming() {
    let (answer, mut answers) = io::pipe().unwrap();
    let mut scene = Scene::shell(CaptureMode::Apart, "printf 1; read x; printf 22 >&2; read x; printf 333");
    scene.stdin = StdinSource::File(OwnedFd::from(answer).into());
    let (outlets, [mut stdout, mut stderr]) = pipes();
    let running = thread::spawn(|| scene.into(outlets));
    let mut bytes = [0; 8];
    assert_eq!(stdout.read(&mut bytes).unwrap(), 1);
    answers.write_all(b"\n").unwrap();
    assert_eq!(stderr.read(&mut bytes).unwrap(), 2);
    answers.write_all(b"\n").unwrap();
    assert_eq!(stdout.read(&mut bytes).unwrap(), 3);
    let (execution, _folder) = running.join().unwrap().unwrap();
    assert_eq!(execution.capture.unwrap().order, [out(1), err(2), out(3)]);
}

#[test]
fn exit_codes_and_signals_are_told_apart() {
    for (script, expected) in [
        ("exit 0", Termination::Exited(0)),
        ("exit 3", Termination::Exited(3)),
        ("exit 255", Termination::Exited(255)),
        ("kill -TERM $$", Termination::Signalled(15)),
        ("kill -KILL $$", Termination::Signalled(9)),
        ("exit 143", Termination::Exited(143)),
    ] {
        for mode in [CaptureMode::Off, CaptureMode::Apart, CaptureMode::Joined] {
            let ran = Scene::shell(mode, script).run();
            assert_eq!(ran.execution.termination, expected, "{script}");
            assert_eq!(ran.execution.capture.is_some(), mode != CaptureMode::Off);
        }
    }
}

#[test]
fn a_process_that_stays_behind_does_not_hold_the_run() {
    let script = "sleep 60 2>/dev/null & echo $!; echo y >&2";
    let ran = Scene::shell(CaptureMode::Apart, script).run();
    let behind = std::str::from_utf8(&ran.stdout).unwrap().trim_end().parse().unwrap();
    kill_process(Pid::from_raw(behind).unwrap(), Signal::KILL).expect("it is still there");
    assert_eq!(ran.stderr, b"y\n");
    let reason = "a process that outlived the command kept standard output open";
    assert_eq!(ran.incomplete().as_deref(), Some(reason));
    assert_eq!(contents(&ran.capture().stdout), ran.stdout);
}

#[test]
fn a_process_that_stays_behind_and_never_stops_writing_is_left_alone() {
    let ran = Scene::shell(CaptureMode::Joined, "yes & exit 4").run();
    assert_eq!(ran.execution.termination, Termination::Exited(4));
    let reason = "a process that outlived the command kept standard output open";
    assert_eq!(ran.incomplete().as_deref(), Some(reason));
}

#[test]
fn a_process_that_stays_behind_for_a_moment_is_waited_for() {
    let ran = Scene::shell(CaptureMode::Apart, "(echo late; exec sleep 0.01) & exit 0").run();
    assert_eq!(ran.stdout, b"late\n");
    ran.assert_complete();
}

#[test]
fn a_command_may_close_its_output_and_go_on() {
    let ran = Scene::shell(CaptureMode::Apart, "echo x; exec >&-; echo y >&2; exec 2>&-; exit 4").run();
    assert_eq!(ran.execution.termination, Termination::Exited(4));
    assert_eq!((&ran.stdout[..], &ran.stderr[..]), (&b"x\n"[..], &b"y\n"[..]));
    ran.assert_complete();
}

#[test]
fn a_slow_reader_of_one_stream_does_not_hold_up_the_other() {
    let script = "head -c 2000000 /dev/zero & head -c 2000000 /dev/zero >&2; wait";
    let (outlets, [mut stdout, mut stderr]) = pipes();
    let running = thread::spawn(|| Scene::shell(CaptureMode::Apart, script).into(outlets));
    let mut bytes = vec![1; 2_000_000];
    stderr.read_exact(&mut bytes).unwrap();
    stdout.read_exact(&mut bytes).unwrap();
    let (execution, _folder) = running.join().unwrap().unwrap();
    assert_eq!(incomplete(&execution), None);
    assert_eq!(execution.capture.unwrap().stdout.content(), Content::of(&vec![0; 2_000_000]));
}

#[test]
fn what_stands_in_the_pipe_waits_for_a_slow_reader_after_the_end() {
    // More than our queue and both pipes hold: the command can only end once the reader has begun.
    let (outlets, [mut stdout, _stderr]) = pipes();
    let running =
        thread::spawn(|| Scene::shell(CaptureMode::Joined, "head -c 300000 /dev/zero").into(outlets));
    // The reader is slower than the time that a pipe may stay open.
    let mut byte = [0];
    stdout.read_exact(&mut byte).unwrap();
    thread::sleep(2 * GRACE);
    let mut rest = Vec::new();
    assert_eq!(stdout.read_to_end(&mut rest).unwrap(), 299_999);
    let (execution, _folder) = running.join().unwrap().unwrap();
    assert_eq!(incomplete(&execution), None);
}

#[test]
fn a_reader_that_goes_away_ends_the_command_as_it_would_without_us() {
    let (outlets, [stdout, _stderr]) = pipes();
    let running =
        thread::spawn(|| Scene::program("/usr/bin/yes", &["yes"], CaptureMode::Apart).into(outlets));
    let mut line = String::new();
    BufReader::new(stdout).read_line(&mut line).unwrap();
    let (execution, _folder) = running.join().unwrap().unwrap();
    assert_eq!(line, "y\n");
    assert_eq!(execution.termination, Termination::Signalled(13));
    assert_eq!(incomplete(&execution).as_deref(), Some("the reader of standard output went away"));
}

#[test]
fn a_reader_that_goes_away_leaves_the_other_stream_alone() {
    let (outlets, [stdout, stderr]) = pipes();
    drop(stdout);
    let stderr = read_all(stderr);
    let script = "trap '' PIPE; while echo x; do :; done 2>/dev/null; echo told >&2; exit 5";
    let (execution, _folder) = Scene::shell(CaptureMode::Apart, script).into(outlets).unwrap();
    assert_eq!(execution.termination, Termination::Exited(5));
    assert_eq!(stderr.join().unwrap(), b"told\n");
    assert_eq!(incomplete(&execution).as_deref(), Some("the reader of standard output went away"));
}

#[cfg(target_os = "linux")]
#[test]
fn a_full_device_on_our_side_spares_the_command() {
    let (mut outlets, [_stdout, stderr]) = pipes();
    outlets.stdout = File::options().write(true).open("/dev/full").unwrap().into();
    let stderr = read_all(stderr);
    let script = "head -c 200000 /dev/zero; echo on >&2; exit 3";
    let (execution, _folder) = Scene::shell(CaptureMode::Apart, script).into(outlets).unwrap();
    assert_eq!(execution.termination, Termination::Exited(3));
    assert_eq!(stderr.join().unwrap(), b"on\n");
    assert_eq!(
        incomplete(&execution).as_deref(),
        Some("cannot write to standard output: No space left on device (os error 28)")
    );
    assert_eq!(execution.capture.unwrap().stdout.content(), Content::of(&[0; 200_000]));
}

#[test]
fn a_spool_that_cannot_be_written_spares_the_command() {
    let scene = Scene::shell(CaptureMode::Apart, "head -c 200000 /dev/zero; exit 3");
    let gone = scene.folder.path().to_owned();
    fs::remove_dir(&gone).unwrap();
    let ran = scene.run();
    assert_eq!(ran.execution.termination, Termination::Exited(3));
    assert!(ran.stdout == [0; 200_000]);
    let reason = format!(
        "cannot write captured output under '{}': No such file or directory (os error 2)",
        gone.display()
    );
    assert_eq!(ran.incomplete(), Some(reason));
    assert_eq!(ran.capture().stdout.content(), Content::of(b""));
}

#[test]
fn programs_that_cannot_start() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    fs::write(at("plain"), "").unwrap();
    fs::set_permissions(at("plain"), Permissions::from_mode(0o644)).unwrap();
    executable(&at("orphan"), "#!/no/such/interpreter\n");
    let refusal = |program: &Path, directory: Option<&Path>| {
        let mut scene = Scene::program(program, &["x"], CaptureMode::Apart);
        scene.directory = directory.map(Into::into);
        let error = scene.try_run().err().unwrap();
        (error.exit_code(), error.to_string())
    };
    let message = |name: &str, rest: &str| format!("{}: {rest}", at(name).display());

    assert_eq!(refusal(&at("none"), None), (127, message("none", "command not found")));
    assert_eq!(refusal(&at("plain/x"), None), (127, message("plain/x", "command not found")));
    assert_eq!(refusal(&at("orphan"), None), (127, message("orphan", "command not found")));
    let denied = "cannot execute: Permission denied (os error 13)";
    assert_eq!(refusal(&at("plain"), None), (126, message("plain", denied)));
    let missing = format!(
        "cannot enter the directory '{}': No such file or directory (os error 2)",
        at("none").display()
    );
    assert_eq!(refusal(Path::new("/bin/sh"), Some(&at("none"))), (125, missing));
}

#[test]
fn a_text_without_an_interpreter_line_is_run_by_the_shell() {
    let mut scene = Scene::program("", &["typed", "a b", ""], CaptureMode::Apart);
    scene.program = scene.folder.path().join("script");
    executable(&scene.program, "cat; printf '%s|' \"$0\" \"$@\"; exit 6");
    let program = scene.program.display().to_string();
    let input = scene.folder.path().join("input");
    fs::write(&input, "read:").unwrap();
    scene.stdin = StdinSource::File(File::open(input).unwrap());
    let ran = scene.run();
    assert_eq!(ran.execution.termination, Termination::Exited(6));
    assert_eq!(String::from_utf8_lossy(&ran.stdout), format!("read:{program}|a b||"));
    ran.assert_complete();
}

#[test]
fn the_first_word_reaches_the_program_as_it_was_typed() {
    let ran = Scene::program("/bin/sh", &["typed", "-c", "echo \"$0\""], CaptureMode::Apart).run();
    assert_eq!(ran.stdout, b"typed\n");
}

#[test]
fn stdin_is_empty_or_a_file_from_where_it_stands() {
    let ran = Scene::program("/bin/cat", &["cat"], CaptureMode::Apart).run();
    assert_eq!((ran.execution.termination, &ran.stdout[..]), (Termination::Exited(0), &b""[..]));

    let mut scene = Scene::program("/bin/cat", &["cat"], CaptureMode::Apart);
    let path = scene.folder.path().join("input");
    fs::write(&path, "skipped, read").unwrap();
    let mut file = File::open(path).unwrap();
    file.read_exact(&mut [0; 9]).unwrap();
    scene.stdin = StdinSource::File(file);
    assert_eq!(scene.run().stdout, b"read");
}

#[test]
fn the_environment_is_the_given_one_and_nothing_else() {
    let mut scene = Scene::program("/usr/bin/env", &["env"], CaptureMode::Apart);
    let text = |bytes: &'static [u8]| std::ffi::OsStr::from_bytes(bytes).to_owned();
    scene.environment = vec![
        (text(b"B"), text(b"\xff=\xfe")),
        (text(b"A\xff"), text(b"")),
        (text(b"TWICE"), text(b"first")),
        (text(b"TWICE"), text(b"second")),
    ];
    let ran = scene.run();
    let mut lines: Vec<_> = ran.stdout.split(|byte| *byte == b'\n').collect();
    lines.sort_unstable();
    assert_eq!(lines, [&b""[..], b"A\xff=", b"B=\xff=\xfe", b"TWICE=first"]);

    let mut scene = Scene::program("/usr/bin/env", &["env"], CaptureMode::Apart);
    scene.environment.clear();
    assert_eq!(scene.run().stdout, b"");
}

#[test]
fn the_command_runs_in_the_given_directory() {
    let mut scene = Scene::shell(CaptureMode::Apart, "pwd -P");
    let directory = scene.folder.path().canonicalize().unwrap();
    scene.directory = Some(directory.clone());
    assert_eq!(scene.run().stdout, format!("{}\n", directory.display()).into_bytes());
}

#[cfg(target_os = "linux")]
#[test]
fn the_command_inherits_no_file_of_ours_no_mask_and_no_ignored_broken_pipe() {
    // Whoever runs the tests may have left files open that everybody inherits.
    let plain = Command::new("/bin/ls").arg("/proc/self/fd").output().unwrap();
    let ran = Scene::program("/bin/ls", &["ls", "/proc/self/fd"], CaptureMode::Apart).run();
    assert_eq!(String::from_utf8_lossy(&ran.stdout), String::from_utf8_lossy(&plain.stdout));
    let ran = Scene::program("/bin/cat", &["cat", "/proc/self/status"], CaptureMode::Apart).run();
    let status = String::from_utf8(ran.stdout).unwrap();
    let mask = |name: &str| {
        let digits = status.lines().find_map(|line| line.strip_prefix(name)).unwrap();
        u64::from_str_radix(digits.trim(), 16).unwrap()
    };
    assert_eq!(mask("SigBlk:"), 0);
    assert_eq!(mask("SigIgn:") >> 12 & 1, 0);
}

#[test]
fn spools_are_removed_with_their_owner() {
    let ran =
        Scene::shell(CaptureMode::Apart, "head -c 100000 /dev/zero; head -c 100000 /dev/zero >&2").run();
    let Ran { execution, _folder: folder, .. } = ran;
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);
    drop(execution);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}
