//! Signals concern a whole process, so these tests are played by a second one: this program again, told to run
//! one of the `stage` tests. Its standard error is ours to use; the test harness writes to standard output.

use super::*;
use std::process::ChildStderr;

fn actor(name: &str) -> Command {
    let program = std::env::current_exe().unwrap();
    let part = format!("{}::{name}", module_path!().split_once("::").unwrap().1);
    let mut command = Command::new(program);
    command.args(["--exact", &part, "--ignored", "--nocapture", "--test-threads=1"]);
    command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped());
    command
}

/// Wraps an actor in a shell that runs `script` first.
fn behind(script: &str, actor: &Command) -> Command {
    let mut command = Command::new("/bin/sh");
    command.args(["-c", &format!("{script}; exec \"$@\""), "sh"]).arg(actor.get_program());
    command.args(actor.get_args());
    command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped());
    command
}

fn lines(actor: &mut Child) -> io::Lines<BufReader<ChildStderr>> {
    BufReader::new(actor.stderr.take().unwrap()).lines()
}

fn signal(process: &Child, signal: Signal) {
    kill_process(Pid::from_raw(process.id().try_into().unwrap()).unwrap(), signal).unwrap();
}

fn onto_stderr(script: &str) -> Execution {
    let stderr = || rustix::stdio::stderr().try_clone_to_owned().unwrap();
    let outlets = Outlets { stdout: stderr(), stderr: stderr() };
    Scene::shell(CaptureMode::Joined, script).into(outlets).unwrap().0
}

#[test]
#[ignore = "a part that is played in a process of its own"]
fn counts_terms() {
    let script = "
        trap 'n=$((n + 1)); echo term $n' TERM
        trap 'echo in all $n; kill $!; exit 7' USR1
        sleep 60 >/dev/null 2>&1 & echo ready
        while :; do wait; done";
    let execution = onto_stderr(script);
    assert_eq!(execution.termination, Termination::Exited(7));
    assert_eq!(incomplete(&execution).as_deref(), Some("signal 15 arrived during the run"));
}

#[test]
fn a_signal_to_us_reaches_the_command_once() {
    let mut actor = actor("counts_terms").spawn().unwrap();
    let mut lines = lines(&mut actor);
    let mut next = || lines.next().unwrap().unwrap();
    assert_eq!(next(), "ready");
    signal(&actor, Signal::TERM);
    assert_eq!(next(), "term 1");
    signal(&actor, Signal::TERM);
    assert_eq!(next(), "term 2");
    signal(&actor, Signal::USR1);
    assert_eq!(next(), "in all 2");
    assert!(actor.wait().unwrap().success());
}

#[test]
#[ignore = "a part that is played in a process of its own"]
fn dies_of_what_it_gets() {
    // It does not become another program to wait: a shell puts an interrupt off at some points, and one that becomes
    // another program then never acts upon it.
    let script = "
        trap 'kill $!; trap - INT; kill -INT $$' INT
        sleep 60 >/dev/null 2>&1 & echo ready
        while :; do wait; done";
    let execution = onto_stderr(script);
    assert_eq!(execution.termination, Termination::Signalled(2));
    assert_eq!(incomplete(&execution).as_deref(), Some("signal 2 arrived during the run"));
    die_by(2);
}

#[test]
fn a_command_that_dies_of_a_forwarded_signal_takes_us_along() {
    let mut actor = actor("dies_of_what_it_gets").spawn().unwrap();
    assert_eq!(lines(&mut actor).next().unwrap().unwrap(), "ready");
    signal(&actor, Signal::INT);
    assert_eq!(actor.wait().unwrap().signal(), Some(2));
}

#[test]
#[ignore = "a part that is played in a process of its own"]
fn survives_its_command() {
    let script = "
        trap 'echo sent back' INT
        trap 'kill $!; exit 3' TERM
        sleep 60 >/dev/null 2>&1 &
        kill -HUP $$; kill -INT $PPID; echo alive
        while :; do wait; done";
    let execution = onto_stderr(script);
    assert_eq!(execution.termination, Termination::Exited(3));
    assert_eq!(incomplete(&execution).as_deref(), Some("signal 2 arrived during the run"));
    die_by(15);
}

#[cfg(target_os = "linux")]
#[test]
fn what_the_caller_ignores_stays_ignored_and_ends_are_seen_nonetheless() {
    let mut actor = behind("trap '' HUP CHLD", &actor("survives_its_command")).spawn().unwrap();
    let mut lines = lines(&mut actor);
    assert_eq!(lines.next().unwrap().unwrap(), "alive");
    signal(&actor, Signal::TERM);
    assert!(lines.next().is_none(), "what comes from the command itself is not sent back to it");
    assert_eq!(actor.wait().unwrap().signal(), Some(15));
}

#[test]
#[ignore = "a part that is played in a process of its own"]
fn waits_after_its_command() {
    onto_stderr("echo ran");
    rustix::io::write(rustix::stdio::stderr(), b"over\n").unwrap();
    let _ = io::stdin().read(&mut [0]);
}

#[test]
fn signals_have_their_default_effect_after_the_run() {
    let mut actor = actor("waits_after_its_command").spawn().unwrap();
    let mut lines = lines(&mut actor);
    assert_eq!(lines.next().unwrap().unwrap(), "ran");
    assert_eq!(lines.next().unwrap().unwrap(), "over");
    signal(&actor, Signal::TERM);
    assert_eq!(actor.wait().unwrap().signal(), Some(15));
}

#[test]
#[ignore = "a part that is played in a process of its own"]
fn dies_as_told() {
    let mut number = String::new();
    io::stdin().read_line(&mut number).unwrap();
    die_by(number.trim().parse().unwrap());
}

#[test]
fn death_by_a_signal_is_ours_too() {
    for number in [1, 2, 3, 6, 9, 11, 13, 15, 34] {
        let mut actor = actor("dies_as_told").spawn().unwrap();
        writeln!(actor.stdin.take().unwrap(), "{number}").unwrap();
        let status = actor.wait().unwrap();
        assert_eq!((status.signal(), status.core_dumped()), (Some(number), false));
    }
}

#[test]
#[ignore = "a part that is played in a process of its own"]
fn has_few_files_left() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    use std::os::fd::AsRawFd;
    let scene = |mode| (Scene::shell(mode, "exit 3"), pipes());
    let scenes = [CaptureMode::Off, CaptureMode::Apart, CaptureMode::Joined].map(scene);
    for (scene, (outlets, _readers)) in scenes {
        // The lowest free number and the next are all that is left. musl starts a command over a pipe of its own.
        let lowest = File::open("/dev/null").unwrap().as_raw_fd();
        let left = if cfg!(target_env = "musl") { 3 } else { 2 };
        let limit = u64::try_from(lowest).unwrap() + left;
        setrlimit(Resource::Nofile, Rlimit { current: Some(limit), ..getrlimit(Resource::Nofile) }).unwrap();
        let (execution, _folder) = scene.into(outlets).unwrap();
        assert_eq!(execution.termination, Termination::Exited(3));
        assert!(execution.capture.is_none());
    }
}

#[test]
fn a_command_that_cannot_be_recorded_runs_all_the_same() {
    let output = actor("has_few_files_left").output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}
