//! Running a command: started, attended while it runs, waited for.
//!
//! The command gets the caller's terminal, process group and signal mask, the environment that it is given and
//! nothing else of it, and no open file of ours. Like every program that Rust starts it has `SIGPIPE` at its
//! default. A runtime exists for as long as the command does: a hit needs none. Of tokio only the event loop is used:
//! its own handling of processes and signals panics where no file is left to open.
//!
//! Deliberately absent: a time limit, and any opinion on whether the result is worth keeping. [`Capture`] says
//! whether it may be kept.

use super::outlet::Outlets;
pub use super::program::{StartError, resolve_program};
use super::signals::{Arrival, SignalWatch};
pub use super::signals::{die_by, outlive_file_limit};
pub use super::spool::{SpoolError, SpoolFolder};
pub use super::tee::{Capture, Incomplete};
use super::tee::{SpoolPlace, Tee};
use crate::model::time::Span;
use rustix::io::Errno;
use rustix::process::{Pid, Signal, kill_process};
use signal_hook::consts::SIGCHLD;
use std::ffi::OsString;
use std::fs::File;
use std::io::{self, PipeWriter};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::Path;
use std::pin::pin;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};
use tokio::sync::watch;

/// How long the pipes of a command that has ended may stay open.
const GRACE: Duration = Duration::from_millis(200);

/// How often the command is looked after where nothing happens. Its end is a signal too, but one that our caller may
/// have blocked.
const ROUND: Duration = Duration::from_millis(250);

/// What runs a program that is a text without an interpreter line, as `execvp` has it.
const SHELL: &str = "/bin/sh";

/// What the command reads.
#[derive(Debug)]
pub enum StdinSource {
    /// End of file.
    Null,
    /// What we would read.
    Inherit,
    /// A file, from its present position.
    File(File),
}

/// How the command's output is recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CaptureMode {
    /// Not at all: the command writes to our streams itself.
    Off,
    /// Through a pipe for each stream. The order between them is that of reading.
    Apart,
    /// Through one pipe for both, to our standard output. The order is exact, and the streams are one.
    Joined,
}

/// A command to run.
pub struct Invocation<'a> {
    /// The program's file, with a slash; a relative one counts from `directory`.
    pub program: &'a Path,
    /// The words of the command, the first one as typed.
    pub argv: &'a [OsString],
    /// The whole environment of the command. Where a name stands twice the first counts, as for `getenv`.
    pub environment: &'a [(OsString, OsString)],
    /// The working directory, where it is not ours.
    pub directory: Option<&'a Path>,
    /// What the command reads.
    pub stdin: StdinSource,
    /// How its output is recorded.
    pub capture: CaptureMode,
    /// The folder for output that is too big for memory.
    pub spool_folder: SpoolFolder<'a>,
    /// How many bytes of each stream stay in memory.
    pub spool_limit: usize,
}

/// How a command ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Termination {
    /// By itself, with an exit code.
    Exited(u8),
    /// By a signal.
    Signalled(i32),
}

/// A command that ran.
#[derive(Debug)]
pub struct Execution {
    /// How it ended.
    pub termination: Termination,
    /// How long it ran.
    pub duration: Span,
    /// What it wrote; `None` for [`CaptureMode::Off`], and where the system had too few files or threads left to
    /// record it.
    pub capture: Option<Capture>,
}

/// Runs a command to its end, its output on our standard streams.
pub fn execute(invocation: Invocation<'_>) -> Result<Execution, StartError> {
    let outlets = Outlets::standard().map_err(preparing(invocation.program))?;
    execute_into(invocation, outlets)
}

/// Runs a command to its end. What is captured goes to `outlets`, what is not to our standard streams.
pub fn execute_into(invocation: Invocation<'_>, outlets: Outlets) -> Result<Execution, StartError> {
    let prepare = preparing(invocation.program);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(prepare);
    match runtime.and_then(|runtime| runtime.block_on(attend(&invocation, outlets))) {
        Err(StartError::Prepare { .. }) => unattended(&invocation),
        outcome => outcome,
    }
}

/// Runs a command where the system has too little left for us to attend it: unrecorded, because a command that can
/// run is to run. Signals then end us alone.
fn unattended(invocation: &Invocation<'_>) -> Result<Execution, StartError> {
    let started = Instant::now();
    let mut child = start(invocation, Ends(None))?;
    let status = child.wait().map_err(losing(invocation.program))?;
    Ok(Execution { termination: termination(status), duration: started.elapsed().into(), capture: None })
}

fn losing(program: &Path) -> impl Fn(io::Error) -> StartError {
    move |source| StartError::Lost { program: program.into(), source }
}

fn preparing(program: &Path) -> impl Fn(io::Error) -> StartError + Copy {
    move |source| StartError::Prepare { program: program.into(), source }
}

async fn attend(invocation: &Invocation<'_>, outlets: Outlets) -> Result<Execution, StartError> {
    let prepare = preparing(invocation.program);
    let signals = SignalWatch::start().map_err(prepare)?;
    let (mut tee, ends) = connect(invocation, outlets).map_err(prepare)?;
    let started = Instant::now();
    let child = start(invocation, ends)?;
    let ending = oversee(child, started, signals, tee.as_mut()).await.map_err(losing(invocation.program))?;
    let mut capture = tee.map(Tee::finish);
    if let (Some(capture), Some(signal)) = (&mut capture, ending.interrupted) {
        capture.incomplete.get_or_insert(Incomplete::Interrupted(signal));
    }
    Ok(Execution { termination: termination(ending.status), duration: ending.duration, capture })
}

/// What was seen of the end of a command.
struct Ending {
    status: ExitStatus,
    duration: Span,
    interrupted: Option<i32>,
}

async fn oversee(
    mut child: Child,
    started: Instant,
    mut signals: SignalWatch,
    tee: Option<&mut Tee<'_>>,
) -> io::Result<Ending> {
    let (cut, cutoff) = watch::channel(false);
    let mut teeing = pin!(async {
        if let Some(tee) = tee {
            tee.run(cutoff).await;
        }
    });
    let command = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
    let mut drained = false;
    let mut interrupted = None;
    let status = loop {
        tokio::select! {
            biased;
            arrival = signals.next() => if arrival.signal != SIGCHLD {
                interrupted.get_or_insert(arrival.signal);
                forward(arrival, command);
            },
            () = &mut teeing, if !drained => drained = true,
            () = tokio::time::sleep(ROUND) => {}
        }
        if let Some(status) = child.try_wait()? {
            break status;
        }
    };
    let duration = started.elapsed().into();
    while let Some(arrival) = signals.now() {
        if arrival.signal != SIGCHLD {
            interrupted.get_or_insert(arrival.signal);
        }
    }
    // From here on signals end us: nobody is left to pass them on to, and a reader may keep us waiting for long.
    drop(signals);
    if !drained && tokio::time::timeout(GRACE, &mut teeing).await.is_err() {
        // It fails where nobody waits for it.
        let _ = cut.send(true);
        teeing.await;
    }
    Ok(Ending { status, duration, interrupted })
}

/// Passes a signal on that was sent to us alone. What the command itself sent to its whole group, as in `trap
/// 'kill 0' EXIT`, it has had.
fn forward(arrival: Arrival, command: Option<Pid>) {
    let Some(command) = command else { return };
    if arrival.sender.is_some_and(|sender| sender != command.as_raw_nonzero().get())
        && let Some(signal) = Signal::from_named_raw(arrival.signal)
    {
        // It fails where the command has just ended, and then there is nothing to do.
        let _ = kill_process(command, signal);
    }
}

/// The command's ends of the pipes; `None` where it writes to our streams.
struct Ends(Option<(PipeWriter, PipeWriter)>);

fn connect<'a>(invocation: &Invocation<'a>, outlets: Outlets) -> io::Result<(Option<Tee<'a>>, Ends)> {
    let place = SpoolPlace { folder: invocation.spool_folder, limit: invocation.spool_limit };
    let (tee, ends) = match invocation.capture {
        CaptureMode::Off => return Ok((None, Ends(None))),
        CaptureMode::Joined => {
            let (reader, writer) = io::pipe()?;
            (Tee::joined(reader, outlets, place)?, (writer.try_clone()?, writer))
        }
        CaptureMode::Apart => {
            let (stdout, stdout_writer) = io::pipe()?;
            let (stderr, stderr_writer) = io::pipe()?;
            (Tee::apart(stdout, stderr, outlets, place)?, (stdout_writer, stderr_writer))
        }
    };
    Ok((Some(tee), Ends(Some(ends))))
}

/// Starts the command. Our copies of its ends of the pipes are closed on return, or the pipes would never end.
fn start(invocation: &Invocation<'_>, ends: Ends) -> Result<Child, StartError> {
    let arguments = invocation.argv.get(1..).unwrap_or_default();
    let mut command = Command::new(invocation.program);
    if let Some(typed) = invocation.argv.first() {
        command.arg0(typed);
    }
    command.args(arguments);
    match spawn(command, invocation, &ends) {
        Err(error) if error.raw_os_error() == Some(Errno::NOEXEC.raw_os_error()) => {
            let mut command = Command::new(SHELL);
            command.arg(invocation.program).args(arguments);
            spawn(command, invocation, &ends)
        }
        started => started,
    }
    .map_err(|error| refusal(invocation, error))
}

fn spawn(mut command: Command, invocation: &Invocation<'_>, Ends(ends): &Ends) -> io::Result<Child> {
    command.env_clear();
    for (name, value) in invocation.environment.iter().rev() {
        command.env(name, value);
    }
    if let Some(directory) = invocation.directory {
        command.current_dir(directory);
    }
    command.stdin(match &invocation.stdin {
        StdinSource::Null => Stdio::null(),
        StdinSource::Inherit => Stdio::inherit(),
        StdinSource::File(file) => file.try_clone()?.into(),
    });
    if let Some((stdout, stderr)) = ends {
        command.stdout(stdout.try_clone()?).stderr(stderr.try_clone()?);
    }
    command.spawn()
}

fn refusal(invocation: &Invocation<'_>, source: io::Error) -> StartError {
    if let Some(directory) = invocation.directory
        && let Err(source) = std::fs::metadata(directory.join("."))
    {
        return StartError::Directory { directory: directory.into(), source };
    }
    let program = invocation.program.into();
    match source.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => StartError::NotFound { program },
        _ if matches!(Errno::from_io_error(&source), Some(Errno::MFILE | Errno::NFILE)) => {
            StartError::Prepare { program, source }
        }
        io::ErrorKind::PermissionDenied => StartError::NotExecutable { program, source },
        _ => StartError::Start { program, source },
    }
}

fn termination(status: ExitStatus) -> Termination {
    match (status.code(), status.signal()) {
        (_, Some(signal)) => Termination::Signalled(signal),
        // A code has eight bits on every Unix.
        (code, None) => Termination::Exited(code.and_then(|code| u8::try_from(code).ok()).unwrap_or(u8::MAX)),
    }
}

#[cfg(test)]
mod tests;
