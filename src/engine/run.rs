//! One run from beginning to end: plan, look up, then restore and replay, or execute and record.
//!
//! The rules that hold here, in the order of their weight:
//!
//! - The command's ending is the run's ending. Nothing that the cache does or fails to do changes it; what it
//!   cannot do becomes a warning and at worst a miss. Only what the caller asked for (`--cached-only`,
//!   `--fail-mode closed`) and input without which there is no right key end a run otherwise.
//! - A hit is claimed when everything is in place: files first, then the streams.
//! - On a miss the command sees what it would see without a cache, but for output folders that are emptied of what
//!   an earlier result put there (see [`super::cleaning`]).

use super::bypass::bypass_reason;
use super::context::Context;
use super::event::{BypassReason, Event, EventSink, MissReason, NotStored, Outcome, Report, Warning, Work};
use super::foresight::is_long_to_hash;
use super::lookup::{Answer, Circumstances, look_up};
use super::plan::{Plan, PlanError, Request, plan};
use super::record::with_cause;
use super::reserve::{Reserved, reserve};
use super::restore::{RestoreError, Restored};
use super::stdin::SpooledStdin;
use crate::config::settings::{FailMode, OnTimeout, Settings, StdinMode};
use crate::model::entry::{Content, Entry};
use crate::model::fingerprint::CacheKey;
use crate::model::locking::Locking;
use crate::model::path::printable;
use crate::model::time::Span;
use crate::store::history::{Happening, History, task_text};
use crate::store::reservation::{Holder, Reservation};
use crate::store::witness::WitnessBook;
use crate::store::{Store, StoreError};
use crate::world::background;
use crate::world::host::Host;
use crate::world::process::{StartError, Termination};
use crate::world::replay::ReplayError;
use std::ffi::OsString;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::time::Instant;

/// The exit code of a miss under `--cached-only`.
pub const NOT_CACHED: u8 = 124;

/// Why a run ended without its command's ending.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// There is no key.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// The command could not be started.
    #[error(transparent)]
    Start(#[from] StartError),
    /// The store cannot be used, and the caller asked for an error then.
    #[error("{}", with_cause(.0))]
    Store(StoreError),
    /// There is no result, and the caller asked not to run.
    #[error("no result is stored ({0}), and --cached-only forbids to run the command")]
    NotCached(&'static str),
    /// The command asks for its own result.
    #[error("the command asks for its own result: key {} is being computed by a run around this one", .0.short())]
    OwnKey(CacheKey),
    /// Standard input could not be read to its end.
    #[error("cannot read standard input: {0}")]
    Stdin(std::io::Error),
    /// The result could not be stored as declared, under `--strict`.
    #[error("the result was not stored: {0}")]
    NotStored(NotStored),
    /// A stored stream could not be read to its end when some of it was written already.
    #[error("the replay was cut short: {0}")]
    CutShort(#[from] ReplayError),
    /// The run was not what is stored, under `--verify --strict`.
    #[error("the run differs from the stored result: {0}")]
    Differs(String),
    /// `--stale` with outputs.
    #[error("option --stale: a command with outputs cannot be refreshed behind the caller's back")]
    StaleOutputs,
    /// `--stale` or `--warm` with keyed input.
    #[error("option --stdin: what is read now cannot be read again by a refresh in the background")]
    BackgroundStdin,
    /// Another run took too long.
    #[error("another run still computes {}, and --on-timeout is fail", .0.short())]
    TimedOut(CacheKey),
}

impl RunError {
    /// Returns what taskcache exits with.
    pub const fn exit_code(&self) -> u8 {
        match self {
            Self::Plan(error) => error.exit_code(),
            Self::Start(error) => error.exit_code(),
            Self::NotCached(_) | Self::TimedOut(_) => NOT_CACHED,
            Self::Store(_)
            | Self::OwnKey(_)
            | Self::Stdin(_)
            | Self::NotStored(_)
            | Self::CutShort(_)
            | Self::Differs(_)
            | Self::StaleOutputs
            | Self::BackgroundStdin => 125,
        }
    }

    /// Returns the way out, where there is one.
    pub fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Plan(error) => error.hint(),
            Self::Store(_) => Some("choose another store with --cache-dir, or run with --fail-mode open"),
            Self::NotCached(_) => Some("leave --cached-only out to run the command"),
            Self::OwnKey(_) => {
                Some("give the inner run its own --task, or run the command itself without taskcache")
            }
            Self::NotStored(_) | Self::Differs(_) => Some("leave --strict out to take this as a warning"),
            Self::CutShort(_) => {
                Some("run it again; --paranoid reads everything before the first byte is written")
            }
            Self::StaleOutputs | Self::BackgroundStdin => Some("use --ttl or --max-age"),
            Self::TimedOut(_) => Some("wait longer with --wait, or let it run with --on-timeout run"),
            Self::Start(error) => error.hint(),
            Self::Stdin(_) => None,
        }
    }
}

/// What to run and how.
#[derive(Debug, Clone, Copy)]
pub struct Job<'a> {
    /// The machine.
    pub host: &'a Host,
    /// The options.
    pub settings: &'a Settings,
    /// The store's folder; `None` where none can be named.
    pub store: Option<&'a Path>,
    /// By which means others are kept from computing the same.
    pub locking: Locking,
    /// The command, never empty.
    pub command: &'a [OsString],
    /// Where it runs, if not in the working directory.
    pub directory: Option<&'a Path>,
    /// This program's version.
    pub version: &'a str,
    /// The words that this program was called with, to call it again in the background.
    pub invocation: &'a [OsString],
    /// This is a refresh in the background: nobody looks, and one at a time is enough.
    pub background: bool,
}

/// Runs a job.
pub fn run(job: Job<'_>, sink: &mut dyn EventSink) -> Result<Termination, RunError> {
    let context = Context::of(job.host);
    let directory = job.directory.or(job.host.directory.as_deref()).ok_or(PlanError::NoDirectory)?.to_owned();
    let mut run =
        Run { job, context, directory, sink, started: Instant::now(), stdin: None, told_of_store: false };
    let refreshes = job.settings.warm || job.settings.stale.is_some();
    if refreshes && job.settings.stdin == StdinMode::Hash {
        return Err(RunError::BackgroundStdin);
    }
    if job.settings.warm && !job.background {
        run.start_refresh();
        return Ok(Termination::Exited(0));
    }
    if job.settings.stale.is_some() && !job.settings.outputs.is_empty() {
        return Err(RunError::StaleOutputs);
    }
    match bypass_reason(job.settings, &run.context) {
        // Nothing could be refreshed.
        Some(_) if job.background => Ok(Termination::Exited(0)),
        Some(reason) => run.bypass(reason),
        None => run.cached(),
    }
}

/// A run under way. Its parts stand where they belong: looking up and bypassing here, the rest in `hit` and `miss`.
pub(super) struct Run<'a> {
    pub(super) job: Job<'a>,
    pub(super) context: Context,
    pub(super) directory: PathBuf,
    sink: &'a mut dyn EventSink,
    pub(super) started: Instant,
    /// What stood on standard input, until the command gets it.
    pub(super) stdin: Option<SpooledStdin>,
    /// A fault of the store was told.
    told_of_store: bool,
}

/// What a finished run has to tell beside its outcome.
#[derive(Debug, Default)]
pub(super) struct Tale {
    pub(super) key: Option<CacheKey>,
    pub(super) duration: Option<Span>,
    pub(super) stored: bool,
    pub(super) not_stored: Option<NotStored>,
    pub(super) restored: Restored,
    pub(super) bytes: u64,
}

/// How a wait for the reservation ended.
enum Turn {
    Ours(Reservation),
    Unreserved,
    LookAgain,
    Leave,
}

/// What a look-up leads to.
enum Found {
    /// The run is over, and was whole or not.
    Over(Result<Termination, ReplayError>),
    /// The command has to run.
    Run {
        outcome: Outcome,
        /// The stored result to compare with.
        known: Option<Box<Entry>>,
    },
}

/// What there is to work with.
enum Opened {
    Store(Box<Store>),
    /// There is none, and none is to be made.
    Empty,
    /// It cannot be used.
    Nowhere,
}

impl Run<'_> {
    pub(super) fn settings(&self) -> &Settings {
        self.job.settings
    }

    pub(super) fn warn(&mut self, warning: Warning) {
        // A fault of the store shows at every step that needs it; the first that meets it has said what there is to say.
        if warning.is_about_the_store() && std::mem::replace(&mut self.told_of_store, true) {
            return;
        }
        self.sink.take(Event::Warning(warning));
    }

    /// Says that work of ours begins.
    pub(super) fn begin(&mut self, work: Work) {
        self.sink.take(Event::Began(work));
    }

    /// Says that work of ours is done, whatever came of it.
    pub(super) fn rest(&mut self) {
        self.sink.take(Event::Rested);
    }

    pub(super) fn finish(&mut self, outcome: Outcome, termination: Termination, tale: Tale) -> Report {
        let settings = self.job.settings;
        let report = Report {
            outcome,
            time: self.job.host.clock.now(),
            project: settings.project.clone(),
            domain: settings.domain.clone(),
            task: settings.task.clone(),
            key: tale.key,
            elapsed: Span::from(self.started.elapsed()),
            duration: tale.duration,
            exit_code: match termination {
                Termination::Exited(code) => code.into(),
                Termination::Signalled(signal) => -signal,
            },
            stored: tale.stored,
            not_stored: tale.not_stored,
            restored: (tale.restored.written, tale.restored.kept),
            bytes: tale.bytes,
        };
        self.sink.take(Event::Finished(Box::new(report.clone())));
        report
    }

    /// Opens the store, or says what to do without one.
    fn open_store(&mut self) -> Result<Opened, RunError> {
        let opened = match self.job.store {
            Some(root) if self.settings().read_only || self.settings().cached_only => {
                Store::open_existing(root)
            }
            Some(root) => Store::open(root),
            None => Err(StoreError::Missing(PathBuf::from("~"))),
        };
        match opened {
            Ok(store) => Ok(Opened::Store(Box::new(store.locking(self.job.locking)))),
            Err(StoreError::Missing(_)) if self.settings().cached_only => {
                Err(RunError::NotCached(MissReason::Absent.name()))
            }
            Err(error) if self.settings().fail_mode == FailMode::Closed => Err(RunError::Store(error)),
            Err(StoreError::Missing(_)) if self.settings().read_only && self.job.store.is_some() => {
                Ok(Opened::Empty)
            }
            Err(error) => {
                self.warn(Warning::Store(with_cause(&error)));
                Ok(Opened::Nowhere)
            }
        }
    }

    /// Says what to do about a store that fails while it is used.
    pub(super) fn without_store(&mut self, error: StoreError) -> Result<Termination, RunError> {
        if self.settings().fail_mode == FailMode::Closed {
            return Err(RunError::Store(error));
        }
        self.warn(Warning::Store(with_cause(&error)));
        self.bypass(BypassReason::Store)
    }

    fn cached(&mut self) -> Result<Termination, RunError> {
        let mut store = match self.open_store()? {
            Opened::Store(store) => *store,
            Opened::Nowhere => return self.bypass(BypassReason::Store),
            // A store that was never made has no result, which is a miss like any other.
            Opened::Empty => {
                return self.run_alone(Outcome::Miss(MissReason::Absent), Some(NotStored::ReadOnly));
            }
        };
        if let Some(transaction) = self.context.transaction.clone() {
            match store.enter_named(&transaction) {
                Ok(()) => {}
                Err(error) => return self.without_store(error),
            }
        }
        if self.settings().stdin == StdinMode::Hash {
            // What is typed at a terminal is its own sign of life.
            if !self.job.host.terminals.stdin {
                self.begin(Work::ReadingStdin);
            }
            let read = SpooledStdin::read(&store);
            self.rest();
            self.stdin = Some(read.map_err(RunError::Stdin)?);
        }
        loop {
            let mut book = match self.settings().paranoid {
                true => WitnessBook::forgetful(),
                false => WitnessBook::at(store.layout().path("witnesses")),
            };
            let stdin = self.stdin.as_ref().map(SpooledStdin::content);
            let plan = match self.plan(stdin, &mut book) {
                Err(RunError::Plan(error)) => {
                    let Some(reason) = error.bypass() else { return Err(error.into()) };
                    self.warn(Warning::Store(with_cause(&error)));
                    return self.bypass(reason);
                }
                other => other?,
            };
            let idle = plan.idle_rules.iter().filter(|rule| rule.is_narrowed_to_inputs());
            for rule in idle.map(ToString::to_string).collect::<Vec<_>>() {
                self.warn(Warning::IgnoredNothing(rule));
            }
            let recipe = plan.key;
            if self.context.stack.contains(&recipe) {
                return Err(RunError::OwnKey(recipe));
            }
            // In a serializable transaction even a hit is reserved first: nobody may change it until the end.
            let mut found = None;
            if !store.is_serializable() {
                found = match self.find(&store, &plan, &mut book) {
                    Ok(found) => Some(found),
                    Err(error) => return self.without_store(error),
                };
            }
            let mut reservation = None;
            let is_over = matches!(found, Some(Found::Over(_)));
            let one_at_a_time = self.settings().serialize || self.job.background || store.is_serializable();
            if one_at_a_time && !is_over && !(self.settings().cached_only && found.is_some()) {
                match self.reserve(&store, recipe)? {
                    Turn::Ours(ours) => {
                        store.guard(vec![ours.fence()]);
                        reservation = Some(ours);
                        // Its last holder may have been done between our look and our reservation.
                        found = None;
                    }
                    Turn::Unreserved => {}
                    Turn::LookAgain => continue,
                    Turn::Leave => return Ok(Termination::Exited(0)),
                }
            }
            let found = match found {
                Some(found) => found,
                None => match self.find(&store, &plan, &mut book) {
                    Ok(found) => found,
                    Err(error) => return self.without_store(error),
                },
            };
            book.save();
            let (outcome, known) = match found {
                Found::Over(ended) => return Ok(ended?),
                Found::Run { outcome, known } => (outcome, known),
            };
            if self.settings().cached_only {
                return Err(RunError::NotCached(outcome.reason()));
            }
            let ending = self.miss(&mut store, &plan, outcome, known.as_deref());
            drop(reservation);
            return ending;
        }
    }

    /// Looks the plan's result up and gives it back, or says how the command has to run.
    fn find(&mut self, store: &Store, plan: &Plan, book: &mut WitnessBook) -> Result<Found, StoreError> {
        let run = |outcome| Ok(Found::Run { outcome, known: None });
        if self.settings().refresh == Some(true) || self.job.background {
            // A store that cannot be used is told before the run and not after it.
            store.index()?;
            return run(Outcome::Refresh);
        }
        let now = self.job.host.clock.now();
        let circumstances =
            Circumstances { settings: self.job.settings, now, streams_joined: self.job.host.streams_joined };
        // Beside dependencies all is hashed already.
        if self.settings().depfile.is_some() {
            self.begin(Work::Hashing);
        }
        let answer = look_up(store, plan, circumstances, book);
        self.rest();
        let Answer { result, .. } = answer?;
        let entry = match result {
            Err(reason) => return run(Outcome::Miss(reason)),
            Ok(entry) if self.settings().verify => {
                return Ok(Found::Run { outcome: Outcome::Verify, known: Some(entry) });
            }
            Ok(entry) => entry,
        };
        let age = now.since(entry.created).unwrap_or_default();
        let is_stale = self.settings().stale.is_some_and(|limit| age > limit);
        let outcome = if is_stale { Outcome::Stale } else { Outcome::Hit };
        match self.hit(store, plan, &entry, book, outcome) {
            Ok(termination) => {
                book.save();
                if is_stale {
                    self.start_refresh();
                }
                Ok(Found::Over(Ok(termination)))
            }
            Err(RestoreError::CutShort(error)) => Ok(Found::Over(Err(error))),
            Err(error) => {
                self.rest();
                run(Outcome::Miss(self.explain_failed_hit(&error)))
            }
        }
    }

    /// Calls this program again to refresh the result, detached from everything that is ours.
    fn start_refresh(&mut self) {
        let started = background::start(self.job.invocation, &self.job.host.environment);
        if let Err(error) = started {
            self.warn(Warning::Background(error.to_string()));
        }
    }

    /// Starts to bring the store within its limits, in the background, where that was last done long ago.
    pub(super) fn collect_if_due(&mut self, store: &Store) {
        let now = self.job.host.clock.now();
        let due = store.is_collection_due(now);
        if self.job.background || due == Some(false) {
            return;
        }
        let words = ["taskcache", "local-cache", "gc", "--cache-dir"].map(OsString::from);
        let words: Vec<_> = words.into_iter().chain([store.layout().root.clone().into_os_string()]).collect();
        // Marked first, so that of many runs that end now one starts it.
        let marked = store.mark_collected(now).map_err(|error| error.source);
        let started = marked.and_then(|()| match due {
            // A new store has nothing to collect.
            None => Ok(()),
            Some(_) => background::start(&words, &self.job.host.environment),
        });
        if let Err(error) = started {
            self.warn(Warning::Background(error.to_string()));
        }
    }

    /// Takes the reservation, or waits for whoever has it.
    fn reserve(&mut self, store: &Store, key: CacheKey) -> Result<Turn, RunError> {
        let reservations = store.reservations();
        let words = self.job.command.iter().map(|word| printable(word.as_bytes()));
        let holder = Holder {
            key,
            process: self.job.host.process,
            host: self.job.host.name(),
            since: self.job.host.clock.now(),
            task: printable(&self.job.settings.task),
            command: words.collect::<Vec<_>>().join(" "),
            transaction: match store.is_serializable() {
                true => store.outermost().map(|row| row.id.to_string()),
                false => None,
            },
        };
        let background = self.job.background.then(Span::default);
        let patience = background.or(self.job.settings.wait);
        match reserve(&reservations, &holder, &self.context.stack, patience, self.sink) {
            Ok(Reserved::Ours(reservation)) => Ok(Turn::Ours(reservation)),
            Ok(Reserved::Waited) => Ok(Turn::LookAgain),
            Ok(Reserved::TimedOut) if self.job.background => Ok(Turn::Leave),
            Ok(Reserved::TimedOut) if self.settings().on_timeout == OnTimeout::Fail => {
                Err(RunError::TimedOut(key))
            }
            Ok(Reserved::TimedOut) => Ok(Turn::Unreserved),
            Ok(Reserved::Circular) => {
                self.warn(Warning::Circle(key));
                Ok(Turn::Unreserved)
            }
            Err(error) if self.settings().fail_mode == FailMode::Closed => Err(RunError::Store(error.into())),
            Err(error) => {
                self.warn(Warning::Store(format!("{error}: {}", error.source)));
                Ok(Turn::Unreserved)
            }
        }
    }

    fn plan(&mut self, stdin: Option<Content>, book: &mut WitnessBook) -> Result<Plan, RunError> {
        let settings = self.job.settings;
        let has_probes = settings.key_cmd.is_some()
            || !settings.input_cmds.is_empty()
            || !settings.version_cmds.is_empty();
        // A probe may speak to the terminal itself.
        let is_shown = !has_probes && self.sink.shows_work();
        if is_shown && is_long_to_hash(settings, self.job.command, &self.directory) {
            self.begin(Work::Hashing);
        }
        let request = Request {
            host: self.job.host,
            settings,
            command: self.job.command,
            directory: &self.directory,
            store: self.job.store,
            stdin,
            context: &self.context,
        };
        let planned = plan(request, book);
        self.rest();
        Ok(planned?)
    }

    /// Appends to the history. The run is over and its result is given; a line that is lost is a number that is a
    /// little too small in a report, and no reason to disturb anybody.
    pub(super) fn note(&self, store: &Store, report: &Report) {
        let happening = Happening {
            time: report.time,
            outcome: report.outcome.kind(),
            reason: report.outcome.reason().to_owned(),
            project: report.project.clone(),
            domain: report.domain.clone(),
            task: task_text(&report.task),
            key: report.key,
            elapsed: report.elapsed,
            saved: report.saved(),
            stored: report.stored,
        };
        let _ = History::of(store.layout()).append(&happening);
    }
}
