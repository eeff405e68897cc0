//! The key that a run would have, computed without running or storing anything.

use super::context::Context;
use super::lookup::complete;
use super::plan::{PlanError, Request, plan};
use super::run::{Job, RunError};
use crate::config::settings::StdinMode;
use crate::model::entry::Content;
use crate::model::fingerprint::CacheKey;
use crate::store::witness::WitnessBook;
use crate::store::{Found, Store};
use crate::world::reading::content_of;

/// Returns the key of a job. Of a job with a dependency file it is the key of the stored result, where there is one,
/// else that of what is known beforehand.
pub fn key_of(job: Job<'_>) -> Result<CacheKey, RunError> {
    let context = Context::of(job.host);
    let directory = job.directory.or(job.host.directory.as_deref()).ok_or(PlanError::NoDirectory)?;
    let stdin: Option<Content> = match job.settings.stdin {
        StdinMode::Hash => Some(content_of(std::io::stdin().lock()).map_err(RunError::Stdin)?),
        StdinMode::Null | StdinMode::Inherit => None,
    };
    // Remembered digests are used and none is added: this changes nothing.
    let mut book = match job.store.filter(|_| !job.settings.paranoid) {
        Some(store) => WitnessBook::for_reading(store.join("witnesses")),
        None => WitnessBook::forgetful(),
    };
    let request = Request {
        host: job.host,
        settings: job.settings,
        command: job.command,
        directory,
        store: job.store,
        stdin,
        context: &context,
    };
    let plan = plan(request, &mut book)?;
    let recipe = plan.key;
    if job.settings.depfile.is_none() {
        return Ok(recipe);
    }
    let Some(Ok(store)) = job.store.map(Store::open_for_reading) else { return Ok(recipe) };
    for set in store.path_sets(&recipe).map_err(RunError::Store)? {
        let Some((fingerprint, _)) = complete(&plan, &set, &mut book) else { continue };
        let key = fingerprint.key();
        if matches!(store.find(&key).map_err(RunError::Store)?, Found::Entry(_)) {
            return Ok(key);
        }
    }
    Ok(recipe)
}
