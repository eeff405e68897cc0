//! Whether the result of a run is kept, and keeping it.
//!
//! The decision is made of plain facts, cheapest first; reading outputs comes last, because it is what costs. A
//! result that is not kept is no failure: the command's own ending is what the caller gets either way.

use super::capture::{CapturedOutputs, capture as read_outputs};
use super::event::NotStored;
use super::inputs::{Sources, changed_since, listing};
use super::lookup::complete;
use super::plan::{Plan, all_ignores};
use super::survey::Survey;
use super::watch::Watched;
use crate::config::settings::Settings;
use crate::model::depfile;
use crate::model::digest::Digest;
use crate::model::entry::{Entry, Provenance, Transcript};
use crate::model::fingerprint::{CacheKey, Fingerprint};
use crate::model::path_set::PathSet;
use crate::model::surroundings::Surroundings;
use crate::model::time::{Span, Timestamp};
use crate::store::content::{SMALL, Staged, stage_bytes};
use crate::store::placement::Placement;
use crate::store::turn::Turn;
pub use crate::store::with_cause;
use crate::store::witness::WitnessBook;
use crate::store::{Durability, Store, StoreError};
use crate::world::file::read_whole;
use crate::world::filesystem;
use crate::world::process::{Capture, Termination};
use crate::world::spool::{Spool, SpoolBody};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// From this running time on a record has to survive a power cut: next to the command, the flushes are cheap.
const WORTH_FLUSHING: Span = Span::from_millis(50);

/// What stood around a run when it began.
#[derive(Debug)]
pub struct Before {
    /// What stood in the outputs, or why that cannot be told.
    pub survey: Result<Survey, NotStored>,
    /// What was ours there.
    pub placement: Placement,
    /// The file system's time at which the first input was read for the key.
    pub hashed_from: i128,
    /// The file system's time at which the command began.
    pub present: i128,
    /// Who else is at work in the outputs; `None` where there are none or nothing is stored.
    pub turn: Option<Turn>,
}

/// A run that is over.
#[derive(Debug)]
pub struct Finished {
    /// How it ended.
    pub termination: Termination,
    /// How long it took.
    pub duration: Span,
    /// What it wrote to its streams; `None` where that could not be recorded.
    pub capture: Option<Capture>,
    /// When it ended.
    pub time: Timestamp,
}

/// Returns why a result is not kept, as far as that can be told without looking at any file.
pub fn refusal(settings: &Settings, termination: Termination, duration: Span) -> Option<NotStored> {
    let code = match termination {
        Termination::Signalled(signal) => return Some(NotStored::Signal(signal)),
        Termination::Exited(code) => code,
    };
    if settings.read_only {
        return Some(NotStored::ReadOnly);
    }
    if !settings.cache_exit.contains(code) {
        return Some(NotStored::ExitCode(code));
    }
    if settings.min_time.is_some_and(|least| duration < least) {
        return Some(NotStored::TooFast);
    }
    if time_to_live(settings, code) == Some(Span::default()) {
        return Some(NotStored::ExpiresAtOnce);
    }
    None
}

fn time_to_live(settings: &Settings, code: u8) -> Option<Span> {
    if code == 0 { settings.ttl } else { settings.failure_ttl.or(settings.ttl) }
}

/// What was recorded.
#[derive(Debug)]
pub struct Recorded {
    /// Under which key.
    pub key: CacheKey,
    /// How many bytes of content.
    pub bytes: u64,
    /// What is ours in the outputs now.
    pub placement: Placement,
}

/// A result that may be kept.
#[derive(Debug)]
pub struct Assembled {
    /// The entry.
    pub entry: Entry,
    staged: Vec<Staged>,
    path_set: Option<PathSet>,
    placement: Placement,
}

impl Assembled {
    /// Returns what is ours in the outputs now.
    pub const fn placement(&self) -> &Placement {
        &self.placement
    }
}

/// Puts the result of a run together, or says why it may not be kept.
pub fn assemble(
    store: &Store,
    plan: &Plan,
    settings: &Settings,
    before: &Before,
    finished: Finished,
    provenance: Provenance,
    only_compares: bool,
) -> Result<Assembled, NotStored> {
    match refusal(settings, finished.termination, finished.duration) {
        // What is only compared is not kept anyway.
        Some(NotStored::ReadOnly | NotStored::TooFast | NotStored::ExpiresAtOnce) if only_compares => {}
        Some(reason) => return Err(reason),
        None => {}
    }
    let Termination::Exited(exit_code) = finished.termination else {
        return Err(NotStored::Capture("it did not end by itself".into()));
    };
    let Some(capture) = finished.capture else {
        return Err(NotStored::Capture("its output could not be recorded".into()));
    };
    if let Some(incomplete) = &capture.incomplete {
        return Err(NotStored::Capture(incomplete.to_string()));
    }
    let survey = before.survey.as_ref().map_err(Clone::clone)?;
    let is_trusted = |path: &Path| filesystem::is_local(path).unwrap_or(false);
    let unchanged = |watched: &[Watched]| match changed_since(watched, before.hashed_from, is_trusted) {
        Some(name) => Err(NotStored::InputChanged(name.to_owned())),
        None => Ok(()),
    };
    unchanged(plan.watch.files())?;
    let (fingerprint, path_set) = dependencies(plan, settings, before)?;
    let CapturedOutputs { tree, mut staged, placement } =
        read_outputs(&plan.outputs, survey, &before.placement, store)?;
    if before.turn.as_ref().is_some_and(|turn| !turn.was_alone()) {
        return Err(NotStored::Overlap);
    }
    // Once more, where something was read since: an edit in between counts as one during the run.
    if !plan.outputs.is_empty() || settings.depfile.is_some() {
        unchanged(plan.watch.files())?;
    }
    let listing = plan.watch.listing();
    if listing.is_some() && listing != listing_now(store, plan, settings) {
        return Err(NotStored::InputsListed);
    }
    let Capture { joined, stdout, stderr, order, .. } = capture;
    let transcript = Transcript { joined, stdout: stdout.content(), stderr: stderr.content(), order };
    for spool in [stdout, stderr] {
        staged.extend(stage_spool(spool, store)?);
    }
    let mask = store.mask().map_err(|error| NotStored::Store(with_cause(&error)))?;
    let entry = Entry {
        key: fingerprint.key(),
        recipe: plan.key,
        project: settings.project.clone(),
        domain: settings.domain.clone(),
        task: settings.task.clone(),
        command: plan.command.iter().map(|word| word.as_bytes().to_vec()).collect(),
        created: finished.time,
        duration: finished.duration,
        expires: time_to_live(settings, exit_code).map(|span| finished.time.after(span)),
        exit_code,
        transcript,
        outputs: tree,
        provenance: Provenance {
            surroundings: Some(Surroundings::of(&plan.environment, &fingerprint, &mask)),
            ..provenance
        },
        fingerprint: fingerprint.masked(mask),
    };
    Ok(Assembled { entry, staged, path_set, placement })
}

fn listing_now(store: &Store, plan: &Plan, settings: &Settings) -> Option<Digest> {
    let sources = Sources {
        patterns: &settings.inputs,
        arguments: &[],
        ignores: &all_ignores(settings),
        outputs: &plan.outputs,
        directory: &plan.directory,
        store: Some(&store.layout().root),
    };
    listing(sources).ok()
}

/// Keeps a result.
pub fn keep(store: &mut Store, assembled: Assembled) -> Result<Recorded, NotStored> {
    let Assembled { entry, staged, path_set, placement } = assembled;
    let durability = if entry.duration >= WORTH_FLUSHING { Durability::Power } else { Durability::Process };
    store.record(&entry, staged, path_set.as_ref(), entry.created, durability).map_err(
        |error| match error {
            StoreError::Fenced => NotStored::LeaseLost,
            error => NotStored::Store(with_cause(&error)),
        },
    )?;
    Ok(Recorded { key: entry.key, bytes: entry.size(), placement })
}

/// Completes the fingerprint by what the dependency file names. Those files were not known when the command began, so
/// each must have been left alone since then.
fn dependencies(
    plan: &Plan,
    settings: &Settings,
    before: &Before,
) -> Result<(Fingerprint, Option<PathSet>), NotStored> {
    let Some(path) = &settings.depfile else { return Ok((plan.recipe.clone(), None)) };
    let name = || path.as_os_str().as_bytes().to_vec();
    let unfit = |why: String| NotStored::Depfile { path: name(), why };
    let bytes = read_whole(path).map_err(|error| unfit(format!("cannot be read: {}", error.source)))?;
    let found =
        depfile::prerequisites(&bytes).map_err(|error| unfit(format!("cannot be parsed: {error}")))?;
    let is_input = |name: &Vec<u8>| !plan.outputs.covers(&super::inputs::path_of(&plan.directory, name));
    let set = PathSet::new(found.into_iter().filter(is_input).collect());
    let (fingerprint, watched) = complete(plan, &set, &mut WitnessBook::forgetful())
        .ok_or_else(|| unfit("names a file that cannot be read".into()))?;
    let touched = watched.iter().find(|file| file.witnessed.witness.last_touched() >= before.present);
    match touched {
        Some(file) => Err(NotStored::InputChanged(file.name.clone())),
        None => Ok((fingerprint, Some(set))),
    }
}

fn stage_spool(spool: Spool, store: &Store) -> Result<Option<Staged>, NotStored> {
    let content = spool.content();
    let failed = |error: String| NotStored::Store(error);
    let scratch = || store.scratch().map_err(|error| NotStored::Store(with_cause(&error)));
    match spool.into_body() {
        _ if content.size == 0 => Ok(None),
        SpoolBody::Memory(bytes) if bytes.len() as u64 <= SMALL => Ok(Some(Staged::Memory(bytes))),
        SpoolBody::Memory(bytes) => {
            let scratch = scratch()?;
            stage_bytes(bytes, || scratch.unused_path())
                .map(Some)
                .map_err(|error| failed(format!("{error}: {}", error.source)))
        }
        // The spool lies in the scratch folder already; recording moves it away.
        SpoolBody::File(file) => Ok(Some(Staged::File { content, path: file.keep() })),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::settings::tests::settings;

    #[test]
    fn what_is_kept() {
        let second = Span::from_millis(1000);
        let plain = settings();
        assert_eq!(refusal(&plain, Termination::Exited(0), second), None);
        assert_eq!(refusal(&plain, Termination::Exited(1), second), Some(NotStored::ExitCode(1)));
        assert_eq!(refusal(&plain, Termination::Signalled(15), second), Some(NotStored::Signal(15)));
        let all =
            Settings { cache_exit: "any".parse().unwrap(), failure_ttl: Some(Span::default()), ..settings() };
        assert_eq!(refusal(&all, Termination::Exited(0), second), None);
        assert_eq!(refusal(&all, Termination::Exited(1), second), Some(NotStored::ExpiresAtOnce));
        assert_eq!(refusal(&all, Termination::Signalled(15), second), Some(NotStored::Signal(15)));
        let slow = Settings { min_time: Some(second), ..settings() };
        assert_eq!(refusal(&slow, Termination::Exited(0), second), None);
        assert_eq!(refusal(&slow, Termination::Exited(0), Span::from_millis(999)), Some(NotStored::TooFast));
        let reader = Settings { read_only: true, ..settings() };
        assert_eq!(refusal(&reader, Termination::Exited(0), second), Some(NotStored::ReadOnly));
        let at_once = Settings { ttl: Some(Span::default()), ..settings() };
        assert_eq!(refusal(&at_once, Termination::Exited(0), second), Some(NotStored::ExpiresAtOnce));
    }
}
