//! A miss: run the command, capture it, and keep the result where it may be kept.

use super::capture::unfit_survey;
use super::cleaning::{TakenAway, empty_output_folders};
use super::comparison::differences_between;
use super::context::Inside;
use super::event::{NotStored, Outcome, Warning, Work};
use super::plan::Plan;
use super::record::{Before, Finished, Recorded, assemble, keep, with_cause};
use super::run::{Run, RunError, Tale};
use super::survey::Survey;
use crate::model::entry::{Entry, Provenance};
use crate::store::placement::{Placement, PlacementFile};
use crate::store::turn::Turn;
use crate::store::{Found, Store, StoreError};
use crate::world::process::{CaptureMode, Invocation, SpoolError, StdinSource, Termination, execute};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

/// How many bytes of each stream stay in memory while they are captured.
const SPOOL_LIMIT: usize = 256 * 1024;

/// Returns the folder for streams that are too big for memory. Most are not, and making it, its lock and taking it away
/// again costs more than all else that a miss has to do in files.
fn spool_folder(store: &Store) -> Result<PathBuf, SpoolError> {
    match store.scratch() {
        Ok(scratch) => Ok(scratch.path().to_owned()),
        Err(error) => Err(SpoolError {
            directory: store.layout().path("tmp"),
            source: io::Error::other(with_cause(&error)),
        }),
    }
}

impl Run<'_> {
    /// Runs the command, captures it, and keeps the result where it may be kept. With a `known` result it only
    /// compares.
    pub(super) fn miss(
        &mut self,
        store: &mut Store,
        plan: &Plan,
        outcome: Outcome,
        known: Option<&Entry>,
    ) -> Result<Termination, RunError> {
        let file = PlacementFile::of(store.layout(), &plan.place);
        let placement = if plan.outputs.is_empty() { Placement::default() } else { file.read() };
        if !plan.outputs.is_empty() {
            self.begin(Work::Surveying);
        }
        let prepared = self.prepare(store, plan, placement);
        self.rest();
        let (before, taken) = match prepared {
            Ok(prepared) => prepared,
            Err(error) => return self.without_store(error),
        };
        let key = plan.key;
        let inside = Inside {
            task: &self.job.settings.task,
            key: Some(key),
            outcome: outcome.kind().name(),
            store: self.job.store,
        };
        let environment = self.context.environment_inside(&plan.environment, &inside);
        let spool_folder = || spool_folder(store);
        let stdin = self.stdin.take();
        let execution = match execute(Invocation {
            program: &plan.program,
            argv: &plan.command,
            environment: &environment,
            directory: Some(&plan.directory),
            stdin: match stdin {
                Some(stdin) => StdinSource::File(stdin.into_file()),
                None => StdinSource::Null,
            },
            capture: if self.job.host.streams_joined { CaptureMode::Joined } else { CaptureMode::Apart },
            spool_folder: &spool_folder,
            spool_limit: SPOOL_LIMIT,
        }) {
            Ok(execution) => execution,
            Err(error) => {
                if let Err(error) = taken.put_back(&plan.outputs, store) {
                    self.warn(Warning::Restore(with_cause(&error)));
                }
                return Err(error.into());
            }
        };
        let termination = execution.termination;
        let finished = Finished {
            termination,
            duration: execution.duration,
            capture: execution.capture,
            time: self.job.host.clock.now(),
        };
        let mut tale = Tale { key: Some(key), duration: Some(execution.duration), ..Tale::default() };
        let mut differences = Vec::new();
        self.begin(Work::Storing);
        let assembled =
            assemble(store, plan, self.job.settings, &before, finished, self.provenance(), known.is_some());
        let kept = match (assembled, known) {
            (Ok(assembled), Some(known)) => {
                differences = differences_between(known, &assembled.entry);
                self.remember(&file, &before.placement, assembled.placement());
                Err(NotStored::Verified)
            }
            (Err(NotStored::ExitCode(code)), Some(known)) => {
                differences.push(format!("exit code {} instead of {}", code, known.exit_code));
                Err(NotStored::ExitCode(code))
            }
            (Ok(assembled), None) if self.would_replace_a_success(store, &assembled.entry) => {
                Err(NotStored::KeepsSuccess)
            }
            (Ok(assembled), None) => keep(store, assembled),
            (Err(reason), _) => Err(reason),
        };
        self.rest();
        match kept {
            Ok(Recorded { key, bytes, placement }) => {
                tale.key = Some(key);
                tale.stored = true;
                tale.bytes = bytes;
                if !plan.outputs.is_empty() {
                    self.remember(&file, &before.placement, &placement);
                }
                self.collect_if_due(store);
            }
            Err(reason) => {
                if termination != Termination::Exited(0)
                    && let Err(error) = taken.put_back(&plan.outputs, store)
                {
                    self.warn(Warning::Restore(with_cause(&error)));
                }
                tale.not_stored = Some(reason);
            }
        }
        let not_stored = tale.not_stored.clone();
        let report = self.finish(outcome, termination, tale);
        self.note(store, &report);
        self.complain(termination, not_stored, differences)
    }

    /// Tells what is not as it should be; under `--strict` that is the run's ending, unless the command failed by
    /// itself.
    fn complain(
        &mut self,
        termination: Termination,
        not_stored: Option<NotStored>,
        differences: Vec<String>,
    ) -> Result<Termination, RunError> {
        let is_strict = self.settings().strict;
        if !differences.is_empty() {
            if is_strict {
                return Err(RunError::Differs(differences.join(", ")));
            }
            self.warn(Warning::Differs(differences));
        }
        if let Some(reason) = not_stored.filter(NotStored::is_warning) {
            if is_strict && termination == Termination::Exited(0) {
                return Err(RunError::NotStored(reason));
            }
            self.warn(Warning::NotStored(reason));
        }
        Ok(termination)
    }

    /// A refresh that nobody watches must not put a failure in the place of a good result.
    fn would_replace_a_success(&self, store: &Store, entry: &Entry) -> bool {
        let is_success = |found: Found| matches!(found, Found::Entry(known) if known.exit_code == 0);
        self.job.background && entry.exit_code != 0 && store.find(&entry.key).is_ok_and(is_success)
    }

    /// Looks at the outputs, and empties their folders as it is to be done before a run.
    fn prepare(
        &mut self,
        store: &Store,
        plan: &Plan,
        placement: Placement,
    ) -> Result<(Before, TakenAway), StoreError> {
        let settings = self.job.settings;
        // First whatever may fail: what is taken away below has to come back if the run does not take place.
        if !plan.outputs.is_empty() {
            store.scratch()?;
        }
        let mut present = store.present()?;
        let since_start = i128::try_from(self.started.elapsed().as_nanos()).unwrap_or(i128::MAX);
        let hashed_from = present.saturating_sub(since_start);
        if settings.depfile.is_some() {
            // What the dependency file will name must turn out older than this moment, so the moment has to be told
            // from the one in which the last of those files was written: wait for the file system's next tick.
            let first = present;
            while present == first {
                present = store.present()?;
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
        let survey = Survey::take(&plan.outputs, None).map_err(unfit_survey);
        Ok((Before { survey, placement, hashed_from, present, turn }, taken))
    }

    fn provenance(&self) -> Provenance {
        let host = self.job.host;
        let text = |name: &str| host.variable(name).map(|value| value.to_string_lossy().into_owned());
        Provenance {
            host: host.name(),
            user: text("USER").or_else(|| text("LOGNAME")).unwrap_or_default(),
            directory: self.directory.as_os_str().as_bytes().to_vec(),
            program: self.job.version.to_owned(),
            surroundings: None,
        }
    }
}
