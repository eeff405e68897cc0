//! Runs of whole processes, in turns, and what is made of their times.

use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use std::ffi::OsStr;
use std::fmt;
use std::fs::File;
use std::io::Read;
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// Where standard output goes.
#[derive(Debug, Clone)]
pub(crate) enum Sink {
    /// To `/dev/null`.
    Null,
    /// To a file, which is made anew.
    File(PathBuf),
    /// Into a pipe that somebody empties.
    Pipe,
}

/// A command that takes part.
pub(crate) struct Contender {
    /// What it is called in the table.
    pub(crate) name: String,
    /// Makes the command, for the round of this number.
    pub(crate) command: Box<dyn Fn(usize) -> Command>,
    /// Is called before each run, outside of the time.
    pub(crate) prepare: Box<dyn Fn()>,
    /// Where its standard output goes.
    pub(crate) sink: Sink,
    /// Whether its standard error is a terminal.
    pub(crate) watched: bool,
    /// Whether its largest resident size is looked at.
    pub(crate) weighed: bool,
}

impl Contender {
    /// Makes a contender that needs no preparation.
    pub(crate) fn new(name: impl Into<String>, command: impl Fn() -> Command + 'static) -> Self {
        Self::numbered(name, move |_round| command())
    }

    /// Makes a contender whose command differs from round to round.
    pub(crate) fn numbered(name: impl Into<String>, command: impl Fn(usize) -> Command + 'static) -> Self {
        Self {
            name: name.into(),
            command: Box::new(command),
            prepare: Box::new(|| ()),
            sink: Sink::Null,
            watched: false,
            weighed: false,
        }
    }

    /// Sets what is done before each run.
    pub(crate) fn prepared(mut self, prepare: impl Fn() + 'static) -> Self {
        self.prepare = Box::new(prepare);
        self
    }

    /// Sets where standard output goes.
    pub(crate) fn into_sink(mut self, sink: Sink) -> Self {
        self.sink = sink;
        self
    }

    /// Gives it a terminal as standard error.
    pub(crate) fn watched(mut self) -> Self {
        self.watched = true;
        self
    }

    /// Has its largest resident size looked at.
    pub(crate) fn weighed(mut self) -> Self {
        self.weighed = true;
        self
    }
}

/// What became of one run.
#[derive(Debug, Clone, Copy)]
struct Run {
    took: Duration,
    peak_kib: u64,
}

fn run(contender: &Contender, round: usize) -> Run {
    (contender.prepare)();
    let mut command = (contender.command)(round);
    command.stdin(Stdio::null()).stderr(Stdio::null());
    // What is told fits what a terminal holds, so nobody has to read it.
    let terminal = contender.watched.then(terminal);
    if let Some((_, far)) = &terminal {
        command.stderr(far.try_clone().expect("a descriptor can be copied"));
    }
    command.stdout(match &contender.sink {
        Sink::Null => Stdio::null(),
        Sink::File(path) => File::create(path).expect("a file can be made").into(),
        Sink::Pipe => Stdio::piped(),
    });
    let over = AtomicBool::new(false);
    let begun = Instant::now();
    let mut child = command.spawn().expect("a contender starts");
    let identifier = child.id();
    std::thread::scope(|scope| {
        let weight = contender.weighed.then(|| scope.spawn(|| peak(identifier, &over)));
        if matches!(contender.sink, Sink::Pipe) {
            drain(&mut child);
        }
        let status = child.wait().expect("a contender can be waited for");
        let took = begun.elapsed();
        over.store(true, Ordering::Relaxed);
        assert!(status.success(), "{} failed: {status}", contender.name);
        let peak_kib = weight.map_or(0, |weight| weight.join().expect("looking does not fail"));
        Run { took, peak_kib }
    })
}

/// Opens a terminal: its near end, and its far one.
fn terminal() -> (OwnedFd, File) {
    let near = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY).expect("a terminal can be opened");
    grantpt(&near).and_then(|()| unlockpt(&near)).expect("a terminal can be unlocked");
    let name = ptsname(&near, Vec::new()).expect("a terminal has a name");
    let path = Path::new(OsStr::from_bytes(name.as_bytes()));
    let far = File::options().read(true).write(true).open(path).expect("a terminal has a far end");
    (near, far)
}

fn drain(child: &mut Child) {
    let mut pipe = child.stdout.take().expect("it is a pipe");
    let mut bytes = vec![0; 1 << 16];
    while pipe.read(&mut bytes).expect("a pipe can be read") > 0 {}
}

/// Looks at the largest resident size of a process, in KiB, until it is over. The kernel keeps the largest; it is
/// gone with the process, hence the looking.
fn peak(process: u32, over: &AtomicBool) -> u64 {
    let mut peak = 0;
    while !over.load(Ordering::Relaxed) {
        let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let size = line.and_then(|line| line.trim().trim_end_matches(" kB").parse().ok());
        peak = peak.max(size.unwrap_or(0));
        std::thread::sleep(Duration::from_millis(5));
    }
    peak
}

/// A line of the table.
#[derive(Debug)]
pub(crate) struct Line {
    name: String,
    median: f64,
    low: f64,
    high: f64,
    ratio: f64,
    peak_kib: u64,
}

impl fmt::Display for Line {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, median, low, high, ratio, peak_kib } = self;
        let peak = match peak_kib {
            0 => String::new(),
            size => format!("{}", size / 1024),
        };
        write!(f, "| {name} | {median:.2} | {low:.2}–{high:.2} | {ratio:.2} | {peak} |")
    }
}

/// Lets all contenders run in turns; the order changes from round to round, so that nobody always runs behind the
/// same one. Two rounds in front are not counted.
pub(crate) fn measure(contenders: &mut [Contender], rounds: usize) -> Vec<Line> {
    let mut runs: Vec<Vec<Run>> = contenders.iter().map(|_| Vec::new()).collect();
    for round in 0..rounds + 2 {
        let count = contenders.len();
        for turn in 0..count {
            let at = if round % 2 == 0 { turn } else { count - 1 - turn };
            let result = run(&contenders[at], round);
            if round >= 2 {
                runs[at].push(result);
            }
        }
    }
    let floor: Vec<Duration> = runs[0].iter().map(|run| run.took).collect();
    let lines = contenders.iter().zip(&runs).map(|(contender, runs)| {
        let times = sorted(runs.iter().map(|run| run.took.as_secs_f64() * 1000.0));
        let ratios =
            sorted(runs.iter().zip(&floor).map(|(run, floor)| run.took.as_secs_f64() / floor.as_secs_f64()));
        Line {
            name: contender.name.clone(),
            median: quantile(&times, 50),
            low: quantile(&times, 10),
            high: quantile(&times, 90),
            ratio: quantile(&ratios, 50),
            peak_kib: runs.iter().map(|run| run.peak_kib).max().unwrap_or(0),
        }
    });
    lines.collect()
}

fn sorted(values: impl Iterator<Item = f64>) -> Vec<f64> {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values
}

/// Returns the value below which so many of a hundred lie.
fn quantile(sorted: &[f64], percent: usize) -> f64 {
    sorted[(sorted.len() - 1) * percent / 100]
}
