//! Why a run would be a hit or a miss, found out without running or changing anything.
//!
//! The same plan and the same look-up as those of a run decide, so the answer cannot be another one. Inputs are
//! hashed once, with the digests that are remembered; nothing is remembered in turn. The store is opened to be read.
//!
//! A miss is compared with the *nearest* entry: of the same task first, then of the same command, then with the most
//! ingredients in common, then the newest. Only the newest entries of the task are read, and how many is told.
//! Entries of other tasks count where the command is the same word for word: who renames a task asks why.
//!
//! Deliberately absent: reading the contents that a hit would give back. They are looked for with their sizes, as a
//! restore does before it begins; that their bytes are right is found out by the hit itself.

use super::around::{Around, look_around};
use super::bypass::bypass_reason;
use super::context::Context;
use super::event::{BypassReason, MissReason, Outcome};
use super::inputs::digest_as;
use super::lookup::{Answer, Circumstances, complete, look_up, refusal};
use super::plan::{Plan, PlanError, Request, plan};
use super::record::with_cause;
use super::restore::{Manner, Restore, RestoreError};
use super::run::{Job, RunError};
use super::watch::Watched;
use crate::config::settings::{EnvMode, FailMode, Settings, StdinMode};
use crate::model::cause::{Causes, Reading, Side, causes};
use crate::model::difference::{Comparison, Difference, Volatile, compare, likeness, volatile};
use crate::model::digest::Digest;
use crate::model::entry::{Content, Entry};
use crate::model::exit_codes::ExitCodes;
use crate::model::fingerprint::{CacheKey, Fingerprint, IngredientKind};
use crate::model::path_set::PathSet;
use crate::model::time::{Span, Timestamp};
use crate::store::history::History;
use crate::store::neighbours::{Bound, Namespace, Neighbours};
use crate::store::placement::PlacementFile;
use crate::store::witness::WitnessBook;
use crate::store::{Store, StoreError};
use crate::world::reading::content_of;
use std::cmp::Reverse;
use std::collections::{BTreeSet, HashMap};
use std::os::unix::ffi::OsStrExt;
use std::rc::Rc;

/// How many entries of a task a miss is compared with.
pub const NEIGHBOURS: u32 = 50;

/// How many entries of the whole store are searched for the same command, where the task has none.
pub const STRANGERS: u32 = 100;

/// How many bytes of entries are read at most: so many, or so many times what the fingerprint of the run itself takes.
/// To make that one took longer, so an answer never takes much longer than a hit.
const LEAST_BYTES: usize = 256 * 1024;
const FOLD: usize = 8;

/// How many entries of a task are looked at for what changes all the time.
const STEPS: usize = 11;

/// What became of a question.
#[derive(Debug)]
pub struct Explanation {
    /// What a run would come to.
    pub outcome: Outcome,
    /// The project.
    pub project: String,
    /// The domain.
    pub domain: String,
    /// The task's name.
    pub task: Vec<u8>,
    /// The key, where one could be made.
    pub key: Option<CacheKey>,
    /// The command.
    pub command: Vec<Vec<u8>>,
    /// When it was asked.
    pub now: Timestamp,
    /// What the system or the store said about it.
    pub note: Option<String>,
    /// The entry that was found, used or refused.
    pub entry: Option<Box<Entry>>,
    /// Nothing is stored: what there is to compare with.
    pub absence: Option<Absence>,
    /// The entry would be given back but for the limit of this run that refuses it.
    pub is_sole_obstacle: bool,
    /// What is not in the key of a hit and has changed.
    pub around: Option<Around>,
    /// The limit of this run, for advice.
    pub max_age: Option<Span>,
    /// The exit codes that this run takes, for advice.
    pub cache_exit: ExitCodes,
    /// Every variable counts, for advice.
    pub keys_all_variables: bool,
}

impl Explanation {
    /// Returns why there is no usable result.
    pub const fn reason(&self) -> Option<MissReason> {
        match self.outcome {
            Outcome::Miss(reason) => Some(reason),
            _ => None,
        }
    }
}

/// What there is to say where nothing is stored under a key.
#[derive(Debug, Default)]
pub struct Absence {
    /// The entry that is nearest.
    pub nearest: Option<Nearest>,
    /// When a result was last stored or given back under this key, as the history says.
    pub last_seen: Option<Timestamp>,
    /// How many entries were compared.
    pub compared: usize,
    /// There are more, which were not.
    pub more: bool,
    /// How many entries of the task have keys of another format.
    pub of_other_format: usize,
    /// What changes all the time in the entries of this task, the most volatile first.
    pub volatile: Vec<Volatile>,
    /// How long the command took when it last ran and was stored.
    pub cost: Option<Span>,
}

/// An entry, compared.
#[derive(Debug)]
pub struct Nearest {
    /// The entry.
    pub entry: Entry,
    /// Why it could not be used even if the key were its own.
    pub refusal: Option<MissReason>,
    /// How many ingredients are the same.
    pub equal: usize,
    /// How many there are on either side.
    pub all: usize,
    /// What differs.
    pub causes: Causes,
    /// Ingredients that cannot be compared, because the entry came from another store.
    pub unknown: Vec<String>,
}

/// Explains what a run would come to. With `looks_around` a hit is told with what is not in its key.
pub fn explain(job: Job<'_>, looks_around: bool) -> Result<Explanation, RunError> {
    let Job { host, settings, .. } = job;
    let context = Context::of(host);
    let now = host.clock.now();
    let mut explanation = Explanation {
        outcome: Outcome::Miss(MissReason::Absent),
        project: settings.project.clone(),
        domain: settings.domain.clone(),
        task: settings.task.clone(),
        key: None,
        command: job.command.iter().map(|word| word.as_bytes().to_vec()).collect(),
        now,
        note: None,
        entry: None,
        absence: None,
        is_sole_obstacle: false,
        around: None,
        max_age: settings.max_age,
        cache_exit: settings.cache_exit.clone(),
        keys_all_variables: settings.env_mode == EnvMode::All,
    };
    if settings.stdin == StdinMode::Hash && (settings.warm || settings.stale.is_some()) {
        return Err(RunError::BackgroundStdin);
    }
    if settings.stale.is_some() && !settings.outputs.is_empty() {
        return Err(RunError::StaleOutputs);
    }
    if let Some(reason) = bypass_reason(settings, &context) {
        explanation.outcome = Outcome::Bypass(reason);
        return Ok(explanation);
    }
    let store = match open(job, &context) {
        Ok(store) => store,
        Err(error) if settings.fail_mode == FailMode::Closed => return Err(RunError::Store(error)),
        Err(error) => {
            explanation.outcome = Outcome::Bypass(BypassReason::Store);
            explanation.note = Some(with_cause(&error));
            return Ok(explanation);
        }
    };
    let mut book = match job.store.filter(|_| !settings.paranoid) {
        Some(root) => WitnessBook::for_reading(root.join("witnesses")),
        None => WitnessBook::forgetful(),
    };
    let plan = match make_plan(job, &context, &mut book) {
        Err(RunError::Plan(error)) => {
            let Some(reason) = error.bypass() else { return Err(error.into()) };
            explanation.outcome = Outcome::Bypass(reason);
            explanation.note = Some(with_cause(&error));
            return Ok(explanation);
        }
        other => other?,
    };
    let recipe = plan.recipe.key();
    if context.stack.contains(&recipe) {
        return Err(RunError::OwnKey(recipe));
    }
    explanation.key = Some(recipe);
    if settings.refresh == Some(true) || settings.warm {
        explanation.outcome = Outcome::Refresh;
        return Ok(explanation);
    }
    let Some(store) = store else {
        explanation.outcome = Outcome::Miss(match settings.depfile {
            Some(_) => MissReason::Dependencies,
            None => MissReason::Absent,
        });
        explanation.absence = Some(Absence::default());
        return Ok(explanation);
    };
    match ask(&mut explanation, job, &store, &plan, looks_around, &mut book) {
        Ok(()) => {}
        Err(error) if settings.fail_mode == FailMode::Closed => return Err(RunError::Store(error)),
        Err(error) => {
            explanation.outcome = Outcome::Bypass(BypassReason::Store);
            explanation.note = Some(with_cause(&error));
        }
    }
    Ok(explanation)
}

/// Asks the store, and says what the answer means.
fn ask(
    explanation: &mut Explanation,
    job: Job<'_>,
    store: &Store,
    plan: &Plan,
    looks_around: bool,
    book: &mut WitnessBook,
) -> Result<(), StoreError> {
    let Job { host, settings, .. } = job;
    let now = explanation.now;
    let circumstances = Circumstances { settings, now, streams_joined: host.streams_joined };
    let Answer { key, result, refused } = look_up(store, plan, circumstances, book)?;
    explanation.key = Some(key);
    match result {
        Ok(entry) => {
            judge(explanation, store, plan, settings, &entry, book);
            if looks_around && matches!(explanation.outcome, Outcome::Hit | Outcome::Stale) {
                explanation.around = Some(look_around(job, store, plan, &entry)?);
            }
            explanation.entry = Some(entry);
        }
        Err(reason) => {
            explanation.outcome = Outcome::Miss(reason);
            explanation.is_sole_obstacle = refused
                .as_ref()
                .is_some_and(|entry| is_sole_obstacle(reason, entry, circumstances, store, plan, book));
            explanation.entry = refused;
            if matches!(reason, MissReason::Absent | MissReason::Dependencies) {
                explanation.absence = Some(compare_with_nearest(store, plan, circumstances, key, book)?);
            }
        }
    }
    Ok(())
}

/// Opens the store; `None` where there is none yet.
fn open(job: Job<'_>, context: &Context) -> Result<Option<Store>, StoreError> {
    let Some(root) = job.store else { return Err(StoreError::Missing("~".into())) };
    let mut store = match Store::open_for_reading(root) {
        Err(StoreError::Missing(_)) => return Ok(None),
        opened => opened?,
    };
    if let Some(transaction) = &context.transaction {
        store.enter_named(transaction)?;
    }
    Ok(Some(store))
}

fn make_plan(job: Job<'_>, context: &Context, book: &mut WitnessBook) -> Result<Plan, RunError> {
    let directory = job.directory.or(job.host.directory.as_deref()).ok_or(PlanError::NoDirectory)?;
    let stdin: Option<Content> = match job.settings.stdin {
        StdinMode::Hash => Some(content_of(std::io::stdin().lock()).map_err(RunError::Stdin)?),
        StdinMode::Null | StdinMode::Inherit => None,
    };
    let request = Request {
        host: job.host,
        settings: job.settings,
        command: job.command,
        directory,
        store: job.store,
        stdin,
        context,
    };
    Ok(plan(request, book)?)
}

/// Says what becomes of an entry that fits: whether everything that a hit needs is there, and nothing is in its way.
fn judge(
    explanation: &mut Explanation,
    store: &Store,
    plan: &Plan,
    settings: &Settings,
    entry: &Entry,
    book: &mut WitnessBook,
) {
    if settings.verify {
        explanation.outcome = Outcome::Verify;
        return;
    }
    let age = explanation.now.since(entry.created).unwrap_or_default();
    let is_stale = settings.stale.is_some_and(|limit| age > limit);
    explanation.outcome = if is_stale { Outcome::Stale } else { Outcome::Hit };
    let Err(error) = foresee(store, plan, settings, entry, book) else { return };
    explanation.note = Some(with_cause(&error));
    explanation.outcome = Outcome::Miss(match error {
        RestoreError::ContentMissing(_) => MissReason::ContentMissing,
        RestoreError::Edited(_) => MissReason::Edited,
        RestoreError::Occupied(_) => MissReason::Occupied,
        _ => MissReason::RestoreFailed,
    });
}

/// Returns whether an entry could be given back if this run did not refuse it for the one reason that was found.
fn is_sole_obstacle(
    reason: MissReason,
    entry: &Entry,
    circumstances: Circumstances<'_>,
    store: &Store,
    plan: &Plan,
    book: &mut WitnessBook,
) -> bool {
    let mut settings = circumstances.settings.clone();
    match reason {
        MissReason::TooOld => settings.max_age = None,
        MissReason::ExitCode => settings.cache_exit = ExitCodes::any(),
        _ => return false,
    }
    refusal(entry, Circumstances { settings: &settings, ..circumstances }).is_none()
        && foresee(store, plan, &settings, entry, book).is_ok()
}

fn foresee(
    store: &Store,
    plan: &Plan,
    settings: &Settings,
    entry: &Entry,
    book: &mut WitnessBook,
) -> Result<(), RestoreError> {
    for content in [entry.transcript.stdout, entry.transcript.stderr] {
        store.body(&content)?.ok_or(RestoreError::ContentMissing(content))?;
    }
    if plan.outputs.is_empty() {
        return Ok(());
    }
    let placement = PlacementFile::of(store.layout(), &plan.place).read();
    let manner = Manner { mtime: settings.output_mtime, clean: settings.clean_outputs };
    Restore::new(&plan.outputs, &placement, manner).foresee(store, &entry.outputs, book)
}

fn compare_with_nearest(
    store: &Store,
    plan: &Plan,
    circumstances: Circumstances<'_>,
    key: CacheKey,
    book: &mut WitnessBook,
) -> Result<Absence, StoreError> {
    let settings = circumstances.settings;
    let task = &settings.task;
    let namespace = Namespace { project: &settings.project, domain: &settings.domain, task };
    let command: Vec<Vec<u8>> = plan.command.iter().map(|word| word.as_bytes().to_vec()).collect();
    let own_size: usize = plan.recipe.ingredients().iter().map(|one| one.name.len() + 41).sum();
    let bytes = LEAST_BYTES.max(own_size.saturating_mul(FOLD));
    let mut found = store.neighbours(namespace, Bound { rows: NEIGHBOURS, bytes })?;
    let of_other_format = found.of_other_format;
    let prints: Vec<_> = found.entries.iter().take(STEPS).map(|entry| &entry.fingerprint).collect();
    let volatile = volatile(&prints);
    if found.entries.is_empty() && of_other_format == 0 {
        let Neighbours { mut entries, read, more, .. } = store.newest(Bound { rows: STRANGERS, bytes })?;
        entries.retain(|entry| entry.command == command);
        found = Neighbours { entries, read, more, of_other_format };
    }
    let last = found.entries.iter().find(|entry| entry.command == command).or(found.entries.first());
    let cost = last.map(|entry| entry.duration);
    let mut tried = BTreeSet::from([key, plan.recipe.key()]);
    let mask = store.mask()?;
    let mut completed = Completed { plan, settings, mask: &mask, known: HashMap::new() };
    let mut best = None;
    for (at, entry) in found.entries.iter().enumerate() {
        let current = completed.like(entry, book);
        tried.insert(current.0);
        let (equal, other) = likeness(&entry.fingerprint, &current.1);
        let rank = (entry.command == command, equal, Reverse(other), entry.created);
        if best.as_ref().is_none_or(|(_, best, _)| rank > *best) {
            best = Some((at, rank, current));
        }
    }
    for set in store.path_sets(&plan.recipe.key())? {
        tried.extend(complete(plan, &set, book).map(|(fingerprint, _)| fingerprint.key()));
    }
    // A history that cannot be read says nothing, and the comparison is what was asked for.
    let last = History::of(store.layout()).last_result_of(&tried).ok().flatten();
    let nearest = best.map(|(at, _, current)| {
        let entry = found.entries.swap_remove(at);
        let comparison = compare(&entry.fingerprint, &current.1);
        let directory = plan.directory.as_os_str().as_bytes();
        let new = Side {
            fingerprint: &current.1,
            command: &command,
            project: &settings.project,
            domain: &settings.domain,
            task,
            directory,
        };
        let watched: HashMap<&[u8], &Watched> =
            plan.watch.files().iter().map(|file| (file.name.as_slice(), file)).collect();
        let only_mode =
            |difference: &Difference| mode_of(difference, watched.get(difference.name.as_slice())?);
        let reading = Reading { mask: &mask, only_mode: &only_mode };
        let causes = causes(&comparison, side(&entry), new, &reading);
        let has_all = || entry.contents().iter().all(|content| matches!(store.has(content), Ok(true)));
        let refusal =
            refusal(&entry, circumstances).or_else(|| (!has_all()).then_some(MissReason::ContentMissing));
        let (equal, all) = (comparison.equal, comparison.all());
        Nearest { refusal, equal, all, causes, unknown: comparison.unknown, entry }
    });
    Ok(Absence {
        nearest,
        cost: cost.or(last.as_ref().filter(|last| last.stored).map(|last| last.elapsed)),
        last_seen: last.map(|happening| happening.time),
        compared: found.read,
        more: found.more,
        of_other_format,
        volatile,
    })
}

/// The fingerprint of the run that is asked about, with the files that an earlier run's dependency file named.
struct Completed<'a> {
    plan: &'a Plan,
    settings: &'a Settings,
    mask: &'a dyn Fn(&Digest) -> Digest,
    known: HashMap<Vec<Vec<u8>>, Rc<(CacheKey, Fingerprint)>>,
}

impl Completed<'_> {
    /// Returns the key and the masked fingerprint with the dependencies that an entry has.
    fn like(&mut self, entry: &Entry, book: &mut WitnessBook) -> Rc<(CacheKey, Fingerprint)> {
        let dependencies = entry.fingerprint.ingredients().iter();
        let names: Vec<_> = dependencies
            .filter(|one| self.settings.depfile.is_some() && one.kind == IngredientKind::Dependency)
            .map(|one| one.name.clone())
            .collect();
        let known = self.known.entry(names).or_insert_with_key(|names| {
            let set = PathSet::new(names.clone());
            // Where a file cannot be read, the rest is compared.
            let whole = complete(self.plan, &set, book).map(|(fingerprint, _)| fingerprint);
            let whole = whole.unwrap_or_else(|| self.plan.recipe.clone());
            Rc::new((whole.key(), whole.masked(self.mask)))
        });
        Rc::clone(known)
    }
}

/// Returns what two entries differ in, the first one taken for the earlier.
pub fn between(store: &Store, old: &Entry, new: &Entry) -> Result<(Comparison, Causes), StoreError> {
    let comparison = compare(&old.fingerprint, &new.fingerprint);
    let reading = Reading { mask: &store.mask()?, only_mode: &|_| None };
    let causes = causes(&comparison, side(old), side(new), &reading);
    Ok((comparison, causes))
}

fn side(entry: &Entry) -> Side<'_> {
    Side {
        fingerprint: &entry.fingerprint,
        command: &entry.command,
        project: &entry.project,
        domain: &entry.domain,
        task: &entry.task,
        directory: &entry.provenance.directory,
    }
}

/// Returns whether a file may be executed now, where that is all that changed: a digest that also holds the mode is
/// made again with the other one.
fn mode_of(difference: &Difference, file: &Watched) -> Option<bool> {
    let is_executable = file.witnessed.witness.is_executable();
    let was = digest_as(&file.witnessed, !is_executable, None);
    let is = digest_as(&file.witnessed, is_executable, None);
    (difference.old == Some(was) && difference.new == Some(is)).then_some(is_executable)
}
