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

use super::cleaning::{TakenAway, empty_output_folders};
use super::context::{Context, Inside};
use super::event::{BypassReason, Event, EventSink, MissReason, NotStored, Outcome, Report, Warning};
use super::lookup::{Answer, Circumstances, look_up};
use super::plan::{Plan, PlanError, Request, plan, visible_environment};
use super::record::{Before, Finished, Recorded, record, with_cause};
use super::restore::{Manner, Restore, RestoreError, Restored};
use super::source::{Source, SourceError};
use super::stdin::SpooledStdin;
use super::survey::Survey;
use crate::config::settings::{Behavior, FailMode, Replay, Settings, StdinMode};
use crate::model::entry::{Content, Entry, Provenance};
use crate::model::fingerprint::CacheKey;
use crate::model::policy::PolicyPart;
use crate::model::time::Span;
use crate::store::content::Body;
use crate::store::history::{Happening, History, task_text};
use crate::store::placement::{Placement, PlacementFile};
use crate::store::turn::Turn;
use crate::store::witness::{WitnessBook, file_time};
use crate::store::{Store, StoreError};
use crate::world::host::Host;
use crate::world::outlet::Outlets;
use crate::world::process::{CaptureMode, Invocation, StartError, StdinSource, Termination, execute};
use crate::world::replay::{Printed, Replay as Replaying, ReplayError, ReplaySource, replay};
use std::ffi::OsString;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::time::Instant;

/// The exit code of a miss under `--cached-only`.
pub const NOT_CACHED: u8 = 124;

/// SIGPIPE: what a command dies of when nobody reads it any more.
const BROKEN_PIPE: i32 = 13;

/// How many bytes of each stream stay in memory while they are captured.
const SPOOL_LIMIT: usize = 256 * 1024;

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
}

impl RunError {
    /// Returns what taskcache exits with.
    pub const fn exit_code(&self) -> u8 {
        match self {
            Self::Plan(error) => error.exit_code(),
            Self::Start(error) => error.exit_code(),
            Self::NotCached(_) => NOT_CACHED,
            Self::Store(_) | Self::OwnKey(_) | Self::Stdin(_) | Self::NotStored(_) => 125,
        }
    }

    /// Returns the way out, where there is one.
    pub const fn hint(&self) -> Option<&'static str> {
        match self {
            Self::Plan(error) => error.hint(),
            Self::Store(_) => Some("choose another store with --cache-dir, or run with --fail-mode open"),
            Self::NotCached(_) => Some("leave --cached-only out to run the command"),
            Self::OwnKey(_) => {
                Some("give the inner run its own --task, or run the command itself without taskcache")
            }
            Self::NotStored(_) => Some("leave --strict out to take this as a warning"),
            Self::Start(_) | Self::Stdin(_) => None,
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
    /// The command, never empty.
    pub command: &'a [OsString],
    /// Where it runs, if not in the working directory.
    pub directory: Option<&'a Path>,
    /// This program's version.
    pub version: &'a str,
}

/// Runs a job.
pub fn run(job: Job<'_>, sink: &mut dyn EventSink) -> Result<Termination, RunError> {
    let context = Context::of(job.host);
    let directory = job.directory.or(job.host.directory.as_deref()).ok_or(PlanError::NoDirectory)?.to_owned();
    let mut run = Run { job, context, directory, sink, started: Instant::now() };
    match run.bypass_reason() {
        Some(reason) => run.bypass(reason, None),
        None => run.cached(),
    }
}

struct Run<'a> {
    job: Job<'a>,
    context: Context,
    directory: PathBuf,
    sink: &'a mut dyn EventSink,
    started: Instant,
}

/// What a finished run has to tell beside its outcome.
#[derive(Default)]
struct Tale {
    key: Option<CacheKey>,
    duration: Option<Span>,
    stored: bool,
    not_stored: Option<NotStored>,
    restored: Restored,
    bytes: u64,
}

impl Run<'_> {
    fn settings(&self) -> &Settings {
        self.job.settings
    }

    /// Returns why the cache is not asked at all, as far as the options tell.
    fn bypass_reason(&self) -> Option<BypassReason> {
        let settings = self.settings();
        let needs_flow = [PolicyPart::RunId, PolicyPart::FlowParameters];
        if !settings.enabled {
            Some(BypassReason::Disabled)
        } else if settings.no_cache {
            Some(BypassReason::NoCache)
        } else if settings.behavior == Behavior::Disable {
            Some(BypassReason::Behavior)
        } else if settings.policy.is_none() {
            Some(BypassReason::Policy)
        } else if settings.stdin == StdinMode::Inherit {
            Some(BypassReason::Stdin)
        } else if self.context.flow.is_none() && needs_flow.iter().any(|part| settings.policy.has(*part)) {
            Some(BypassReason::NoFlow)
        } else {
            None
        }
    }

    fn warn(&mut self, warning: Warning) {
        self.sink.take(Event::Warning(warning));
    }

    fn finish(&mut self, outcome: Outcome, termination: Termination, tale: Tale) -> Report {
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

    /// Runs the command without the cache: nothing is looked up, captured or stored. `stdin` was read already.
    fn bypass(&mut self, reason: BypassReason, stdin: Option<SpooledStdin>) -> Result<Termination, RunError> {
        if self.settings().cached_only {
            return Err(RunError::NotCached(reason.name()));
        }
        let environment = visible_environment(self.job.host, self.settings());
        let argv: Vec<&[u8]> = self.job.command.iter().map(|word| word.as_bytes()).collect();
        let source = Source::find(&argv, &environment, &self.directory).map_err(PlanError::from)?;
        let inside =
            Inside { task: &self.job.settings.task, key: None, outcome: "bypass", store: self.job.store };
        let environment = self.context.environment_inside(&environment, &inside);
        let stdin = match (stdin, self.settings().stdin) {
            (Some(stdin), _) => StdinSource::File(stdin.into_file()),
            (None, StdinMode::Null) => StdinSource::Null,
            // Nothing is keyed here, so there is no reason to read ahead.
            (None, StdinMode::Hash | StdinMode::Inherit) => StdinSource::Inherit,
        };
        let execution = execute(Invocation {
            program: &source.program,
            argv: self.job.command,
            environment: &environment,
            directory: Some(&self.directory),
            stdin,
            capture: CaptureMode::Off,
            spool_directory: Path::new("/"),
            spool_limit: 0,
        })?;
        let tale = Tale { duration: Some(execution.duration), ..Tale::default() };
        self.finish(Outcome::Bypass(reason), execution.termination, tale);
        Ok(execution.termination)
    }

    /// Opens the store, or says what to do without one.
    fn open_store(&mut self) -> Result<Option<Store>, RunError> {
        let opened = match self.job.store {
            Some(root) if self.settings().read_only || self.settings().cached_only => {
                Store::open_existing(root)
            }
            Some(root) => Store::open(root),
            None => Err(StoreError::Missing(PathBuf::from("~"))),
        };
        match opened {
            Ok(store) => Ok(Some(store)),
            Err(StoreError::Missing(_)) if self.settings().cached_only => {
                Err(RunError::NotCached(MissReason::Absent.name()))
            }
            Err(error) if self.settings().fail_mode == FailMode::Closed => Err(RunError::Store(error)),
            Err(StoreError::Missing(_)) if self.settings().read_only => Ok(None),
            Err(error) => {
                self.warn(Warning::Store(with_cause(&error)));
                Ok(None)
            }
        }
    }

    fn cached(&mut self) -> Result<Termination, RunError> {
        let opened = self.open_store()?;
        let Some(mut store) = opened else { return self.bypass(BypassReason::Store, None) };
        let mut book = match self.settings().paranoid {
            true => WitnessBook::forgetful(),
            false => WitnessBook::at(store.layout().path("witnesses")),
        };
        let stdin = match self.settings().stdin {
            StdinMode::Hash => Some(SpooledStdin::read(&store).map_err(RunError::Stdin)?),
            StdinMode::Null | StdinMode::Inherit => None,
        };
        let plan = match self.plan(stdin.as_ref().map(SpooledStdin::content), &mut book) {
            // A program may be executable and not readable; it runs, and nobody can say whether it changed.
            Err(RunError::Plan(PlanError::Source(SourceError::File(error)))) => {
                self.warn(Warning::Store(format!("{error}: {}", error.source)));
                return self.bypass(BypassReason::Source, stdin);
            }
            other => other?,
        };
        for rule in &plan.idle_rules {
            if rule.is_narrowed_to_inputs() {
                self.warn(Warning::IgnoredNothing(rule.to_string()));
            }
        }
        let recipe = plan.recipe.key();
        if self.context.stack.contains(&recipe) {
            return Err(RunError::OwnKey(recipe));
        }
        let outcome = if self.settings().refresh == Some(true) {
            Outcome::Refresh
        } else {
            let circumstances = Circumstances {
                settings: self.job.settings,
                now: self.job.host.clock.now(),
                streams_joined: self.job.host.streams_joined,
            };
            match look_up(&store, &plan, circumstances, &mut book) {
                Ok(Answer { result: Ok(entry), .. }) => match self.hit(&store, &plan, &entry, &mut book) {
                    Ok(termination) => {
                        book.save();
                        return Ok(termination);
                    }
                    Err(error) => {
                        let reason = self.explain_failed_hit(&error);
                        if self.settings().cached_only {
                            return Err(RunError::NotCached(reason.name()));
                        }
                        Outcome::Miss(reason)
                    }
                },
                Ok(Answer { result: Err(reason), .. }) => Outcome::Miss(reason),
                Err(error) if self.settings().fail_mode == FailMode::Closed => {
                    return Err(RunError::Store(error));
                }
                Err(error) => {
                    self.warn(Warning::Store(with_cause(&error)));
                    return self.bypass(BypassReason::Store, stdin);
                }
            }
        };
        book.save();
        if self.settings().cached_only {
            return Err(RunError::NotCached(outcome.reason()));
        }
        self.miss(&mut store, &plan, stdin, outcome)
    }

    fn plan(&mut self, stdin: Option<Content>, book: &mut WitnessBook) -> Result<Plan, RunError> {
        let request = Request {
            host: self.job.host,
            settings: self.job.settings,
            command: self.job.command,
            directory: &self.directory,
            store: self.job.store,
            stdin,
            context: &self.context,
        };
        Ok(plan(request, book)?)
    }

    /// Gives a stored result back: files first, then the streams. An error means that nothing was claimed yet.
    fn hit(
        &mut self,
        store: &Store,
        plan: &Plan,
        entry: &Entry,
        book: &mut WitnessBook,
    ) -> Result<Termination, RestoreError> {
        let streams = [entry.transcript.stdout, entry.transcript.stderr];
        let [stdout, stderr] = streams.map(|content| verified_body(store, &content, book));
        let (stdout, stderr) = (stdout?, stderr?);
        let sources = [source_of(&stdout)?, source_of(&stderr)?];
        let outlets = Outlets::standard().map_err(RestoreError::Streams)?;
        let mut restored = Restored::default();
        if !plan.outputs.is_empty() {
            // Where the store can only be read, nobody stores what this might disturb.
            let _turn = Turn::begin(store.layout(), &plan.outputs.places()).ok();
            let file = PlacementFile::of(store.layout(), &plan.place);
            let placement = file.read();
            let settings = self.job.settings;
            let manner = Manner { mtime: settings.output_mtime, clean: settings.clean_outputs };
            let (done, now) =
                Restore::new(&plan.outputs, &placement, manner).run(store, &entry.outputs, book)?;
            restored = done;
            self.remember(&file, &placement, &now);
        }
        let termination = self.replay(entry, sources, &outlets);
        let tale = Tale {
            key: Some(entry.key),
            duration: Some(entry.duration),
            restored,
            bytes: entry.size(),
            ..Tale::default()
        };
        let report = self.finish(Outcome::Hit, termination, tale);
        self.note(store, &report);
        Ok(termination)
    }

    /// Writes the streams. Some bytes may be out when this fails, so there is no way back to a run: what cannot be
    /// written is told, and the ending stays that of the command.
    fn replay(
        &mut self,
        entry: &Entry,
        [stdout, stderr]: [ReplaySource<'_>; 2],
        outlets: &Outlets,
    ) -> Termination {
        let printed = match self.settings().replay {
            Replay::All => Printed { stdout: true, stderr: true },
            Replay::Stdout => Printed { stdout: true, stderr: false },
            Replay::Stderr => Printed { stdout: false, stderr: true },
            Replay::None => Printed { stdout: false, stderr: false },
        };
        let order = &entry.transcript.order;
        match replay(Replaying { stdout, stderr, order, printed }, outlets) {
            Ok(()) => Termination::Exited(entry.exit_code),
            Err(ReplayError::ReaderGone(_)) => Termination::Signalled(BROKEN_PIPE),
            Err(error) => {
                self.warn(Warning::Replay(error.to_string()));
                Termination::Exited(entry.exit_code)
            }
        }
    }

    fn remember(&mut self, file: &PlacementFile, before: &Placement, now: &Placement) {
        if before != now
            && let Err(error) = file.write(now)
        {
            self.warn(Warning::Store(format!("{error}: {}", error.source)));
        }
    }

    fn explain_failed_hit(&mut self, error: &RestoreError) -> MissReason {
        match error {
            RestoreError::ContentMissing(_) => MissReason::ContentMissing,
            RestoreError::Occupied(_) => {
                self.warn(Warning::Restore(error.to_string()));
                MissReason::Occupied
            }
            _ => {
                self.warn(Warning::Restore(with_cause(error)));
                MissReason::RestoreFailed
            }
        }
    }

    /// Appends to the history. The run is over and its result is given; a line that is lost is a number that is a
    /// little too small in a report, and no reason to disturb anybody.
    fn note(&self, store: &Store, report: &Report) {
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

    /// Runs the command, captures it, and keeps the result where it may be kept.
    fn miss(
        &mut self,
        store: &mut Store,
        plan: &Plan,
        stdin: Option<SpooledStdin>,
        outcome: Outcome,
    ) -> Result<Termination, RunError> {
        let file = PlacementFile::of(store.layout(), &plan.place);
        let placement = if plan.outputs.is_empty() { Placement::default() } else { file.read() };
        let (before, mut taken) = match self.prepare(store, plan, placement) {
            Ok(prepared) => prepared,
            Err(error) if self.settings().fail_mode == FailMode::Closed => {
                return Err(RunError::Store(error));
            }
            Err(error) => {
                self.warn(Warning::Store(with_cause(&error)));
                return self.bypass(BypassReason::Store, stdin);
            }
        };
        let key = plan.recipe.key();
        let inside = Inside {
            task: &self.job.settings.task,
            key: Some(key),
            outcome: outcome.kind().name(),
            store: self.job.store,
        };
        let environment = self.context.environment_inside(&plan.environment, &inside);
        let scratch = store.scratch().map_err(RunError::Store)?.path().to_owned();
        let executed = execute(Invocation {
            program: &plan.program,
            argv: &plan.command,
            environment: &environment,
            directory: Some(&plan.directory),
            stdin: match stdin {
                Some(stdin) => StdinSource::File(stdin.into_file()),
                None => StdinSource::Null,
            },
            capture: if self.job.host.streams_joined { CaptureMode::Joined } else { CaptureMode::Apart },
            spool_directory: &scratch,
            spool_limit: SPOOL_LIMIT,
        });
        if executed.is_err() {
            self.put_back(std::mem::take(&mut taken), plan, store);
        }
        let execution = executed?;
        let termination = execution.termination;
        let Some(capture) = execution.capture else {
            // Only a run that is not captured has none, and this one is.
            return Ok(termination);
        };
        let finished =
            Finished { termination, duration: execution.duration, capture, time: self.job.host.clock.now() };
        let provenance = self.provenance();
        let recorded = record(store, plan, self.job.settings, &before, finished, provenance);
        let mut tale = Tale { key: Some(key), duration: Some(execution.duration), ..Tale::default() };
        match recorded {
            Ok(Recorded { key, bytes, placement }) => {
                tale.key = Some(key);
                tale.stored = true;
                tale.bytes = bytes;
                if !plan.outputs.is_empty() {
                    self.remember(&file, &before.placement, &placement);
                }
            }
            Err(reason) => {
                if termination != Termination::Exited(0) {
                    self.put_back(taken, plan, store);
                }
                tale.not_stored = Some(reason);
            }
        }
        let not_stored = tale.not_stored.clone();
        let report = self.finish(outcome, termination, tale);
        self.note(store, &report);
        if let Some(reason) = not_stored.filter(NotStored::is_warning) {
            let succeeded = termination == Termination::Exited(0);
            if self.settings().strict && succeeded {
                return Err(RunError::NotStored(reason));
            }
            self.warn(Warning::NotStored(reason));
        }
        Ok(termination)
    }

    /// Gives back what was taken away for a run that did not come to a result.
    fn put_back(&mut self, taken: TakenAway, plan: &Plan, store: &Store) {
        if let Err(error) = taken.put_back(&plan.outputs, store) {
            self.warn(Warning::Restore(with_cause(&error)));
        }
    }

    /// Looks at the outputs, and empties their folders as it is to be done before a run.
    fn prepare(
        &mut self,
        store: &Store,
        plan: &Plan,
        placement: Placement,
    ) -> Result<(Before, TakenAway), StoreError> {
        let settings = self.job.settings;
        let scratch = store.scratch()?.path();
        let mut present = file_time(scratch)?;
        if settings.depfile.is_some() {
            // What the dependency file will name must turn out older than this moment: wait for the next tick.
            let first = present;
            while present == first {
                present = file_time(scratch)?;
            }
        }
        let mut taken = TakenAway::default();
        let mut turn = None;
        if !plan.outputs.is_empty() && !settings.read_only {
            turn = Some(Turn::begin(store.layout(), &plan.outputs.places())?);
            if settings.clean_outputs {
                empty_output_folders(&plan.outputs, None)?;
            } else {
                taken = TakenAway::take(&plan.outputs, &placement, store)?;
            }
        }
        let survey = Survey::take(&plan.outputs, None).unwrap_or_default();
        Ok((Before { survey, placement, present, turn }, taken))
    }

    fn provenance(&self) -> Provenance {
        let host = self.job.host;
        let text = |name: &str| host.variable(name).map(|value| value.to_string_lossy().into_owned());
        Provenance {
            host: host.name(),
            user: text("USER").or_else(|| text("LOGNAME")).unwrap_or_default(),
            directory: self.directory.as_os_str().as_bytes().to_vec(),
            program: self.job.version.to_owned(),
        }
    }
}

/// Opens a stream's bytes for replay. They go out as they are read, so they are verified before the first of them
/// does: by their digest, or by the stat facts under which it was computed before.
fn verified_body(store: &Store, content: &Content, book: &mut WitnessBook) -> Result<Body, RestoreError> {
    match store.body(content)? {
        Some(Body::Memory(bytes)) => Ok(Body::Memory(bytes)),
        Some(Body::File(file)) => {
            let witnessed = book.content_of(&store.content_path(content), None)?;
            if witnessed.content == *content {
                return Ok(Body::File(file));
            }
            store.drop_damaged(content)?;
            Err(RestoreError::ContentMissing(*content))
        }
        None => Err(RestoreError::ContentMissing(*content)),
    }
}

fn source_of(body: &Body) -> Result<ReplaySource<'_>, RestoreError> {
    match body {
        Body::Memory(bytes) => Ok(ReplaySource::Bytes(bytes)),
        Body::File(file) => file.try_clone().map(ReplaySource::File).map_err(RestoreError::Streams),
    }
}
