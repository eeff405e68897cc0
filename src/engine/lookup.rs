//! Finding the stored result for a plan, and judging whether it may be used.
//!
//! A plain run has one key. A run with a dependency file has a key for each path set that an earlier run left: the
//! files named there, hashed as they are now, complete the recipe (see [`crate::model::path_set`]).

use super::event::MissReason;
use super::inputs::{file_digest, path_of};
use super::plan::Plan;
use super::watch::Watched;
use crate::config::settings::{Replay, Settings};
use crate::model::entry::Entry;
use crate::model::fingerprint::{CacheKey, Fingerprint, Ingredient, IngredientKind, Presence};
use crate::model::path_set::PathSet;
use crate::model::time::{Span, Timestamp};
use crate::store::witness::WitnessBook;
use crate::store::{Found, Store, StoreError};
use crate::world::file::FileError;

/// How far in the future an entry may have been made before its age counts as unknown: clocks of machines that share
/// a store differ a little.
const SKEW: Span = Span::from_millis(5 * 60 * 1000);

/// What a look-up says.
#[derive(Debug)]
pub struct Answer {
    /// The key that was looked up; of several the one that was found, else that of the recipe.
    pub key: CacheKey,
    /// The entry, or why there is none. Its fingerprint may be empty (see [`Store::find_to_replay`]).
    pub result: Result<Box<Entry>, MissReason>,
    /// The entry that is there and was refused; its fingerprint may be empty too.
    pub refused: Option<Box<Entry>>,
}

/// The circumstances that an entry has to fit.
#[derive(Debug, Clone, Copy)]
pub struct Circumstances<'a> {
    /// The options of this run.
    pub settings: &'a Settings,
    /// The present.
    pub now: Timestamp,
    /// Both streams lead to the same place.
    pub streams_joined: bool,
}

/// Looks a plan's result up.
pub fn look_up(
    store: &Store,
    plan: &Plan,
    circumstances: Circumstances<'_>,
    book: &mut WitnessBook,
) -> Result<Answer, StoreError> {
    let recipe = plan.key;
    if circumstances.settings.depfile.is_none() {
        return find(store, recipe, circumstances);
    }
    let mut refused = None;
    for set in store.path_sets(&recipe)? {
        let Some((fingerprint, _)) = complete(plan, &set, book) else { continue };
        let answer = find(store, fingerprint.key(), circumstances)?;
        match &answer.result {
            Ok(_) => return Ok(answer),
            Err(MissReason::Absent) => {}
            Err(_) => refused = Some(answer),
        }
    }
    let missing = Answer { key: recipe, result: Err(MissReason::Dependencies), refused: None };
    Ok(refused.unwrap_or(missing))
}

fn find(store: &Store, key: CacheKey, circumstances: Circumstances<'_>) -> Result<Answer, StoreError> {
    let miss = |reason, refused| Ok(Answer { key, result: Err(reason), refused });
    match store.find_to_replay(&key)? {
        Found::Absent => miss(MissReason::Absent, None),
        Found::Damaged => miss(MissReason::Damaged, None),
        Found::Entry(entry) => match refusal(&entry, circumstances) {
            Some(reason) => miss(reason, Some(entry)),
            None => Ok(Answer { key, result: Ok(entry), refused: None }),
        },
    }
}

/// Returns why an entry may not be used under the given circumstances.
pub fn refusal(entry: &Entry, circumstances: Circumstances<'_>) -> Option<MissReason> {
    let Circumstances { settings, now, streams_joined } = circumstances;
    if entry.expires.is_some_and(|expires| expires <= now) {
        return Some(MissReason::Expired);
    }
    if entry.created > now.after(SKEW) {
        return Some(MissReason::Clock);
    }
    let age = now.since(entry.created).unwrap_or_default();
    if settings.max_age.is_some_and(|most| age > most) {
        return Some(MissReason::TooOld);
    }
    if !settings.cache_exit.contains(entry.exit_code) {
        return Some(MissReason::ExitCode);
    }
    let prints = settings.replay != Replay::None && entry.transcript.stdout.size > 0;
    if entry.transcript.joined && !streams_joined && prints {
        return Some(MissReason::Joined);
    }
    None
}

/// Completes a recipe by the files of a path set as they are now. `None` where one cannot be read: then this set
/// cannot lead to a result.
pub fn complete(plan: &Plan, set: &PathSet, book: &mut WitnessBook) -> Option<(Fingerprint, Vec<Watched>)> {
    let mut ingredients = Vec::with_capacity(set.paths().len());
    let mut watched = Vec::with_capacity(set.paths().len());
    for name in set.paths() {
        let path = path_of(&plan.directory, name);
        let digest = match book.content_of(&path, None) {
            Ok(witnessed) => {
                watched.push(Watched { name: name.clone(), path, witnessed });
                file_digest(&witnessed, None)
            }
            Err(error) if is_absent(&error) => Presence::Absent.digest(),
            Err(_) => return None,
        };
        ingredients.push(Ingredient::new(IngredientKind::Dependency, name.clone(), digest));
    }
    let fingerprint = plan.recipe.with(ingredients).ok()?;
    Some((fingerprint, watched))
}

fn is_absent(error: &FileError) -> bool {
    error.is_missing()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::settings::tests::settings;
    use crate::model::entry::tests::sample;

    #[test]
    fn an_entry_is_judged_by_the_circumstances() {
        let created = 1_000_000_000;
        let entry = Entry {
            created: Timestamp::from_millis(created),
            expires: Some(Timestamp::from_millis(created + 1000)),
            exit_code: 0,
            ..sample()
        };
        let plain = settings();
        let at = |now: i64, settings: &Settings, joined: bool, entry: &Entry| {
            let now = Timestamp::from_millis(now);
            refusal(entry, Circumstances { settings, now, streams_joined: joined })
        };
        assert_eq!(at(created, &plain, false, &entry), None);
        assert_eq!(at(created + 999, &plain, false, &entry), None);
        assert_eq!(at(created + 1000, &plain, false, &entry), Some(MissReason::Expired));
        assert_eq!(at(created - 300_000, &plain, false, &entry), None);
        assert_eq!(at(created - 300_001, &plain, false, &entry), Some(MissReason::Clock));
        let young = Settings { max_age: Some(Span::from_millis(10)), ..settings() };
        assert_eq!(at(created + 10, &young, false, &entry), None);
        assert_eq!(at(created + 11, &young, false, &entry), Some(MissReason::TooOld));
        let failed = Entry { exit_code: 1, ..entry.clone() };
        assert_eq!(at(created, &plain, false, &failed), Some(MissReason::ExitCode));
        let lenient = Settings { cache_exit: "0,1".parse().unwrap(), ..settings() };
        assert_eq!(at(created, &lenient, false, &failed), None);
        let mut joined = entry;
        joined.transcript.joined = true;
        assert_eq!(at(created, &plain, true, &joined), None);
        assert_eq!(at(created, &plain, false, &joined), Some(MissReason::Joined));
        let quiet = Settings { replay: Replay::None, ..settings() };
        assert_eq!(at(created, &quiet, false, &joined), None);
    }
}
