//! A hit: the stored files, then the stored streams.
//!
//! Nothing is said to be a hit before all of it is there: the streams' bytes are proven before the first of them
//! goes out, and the files are restored before the streams are written.
//!
//! Large streams may be proven by stat facts, and then the disk can still fail to read them when some bytes are out
//! already. There is no way back: running the command and passing over what is out would be right only if it writes
//! the same bytes again, and nobody can promise that. Nor is a cut stream a success. So the run fails as one of
//! ours, and what cannot be read is dropped: the next run is a miss.

use super::event::{MissReason, Outcome, Warning, Work};
use super::foresight::LITTLE;
use super::plan::Plan;
use super::record::with_cause;
use super::restore::{Manner, Restore, RestoreError, Restored};
use super::run::{Run, Tale};
use crate::config::settings::Replay;
use crate::model::entry::{Content, Entry, Stream};
use crate::store::Store;
use crate::store::content::Body;
use crate::store::placement::{Placement, PlacementFile};
use crate::store::turn::Turn;
use crate::store::witness::WitnessBook;
use crate::world::outlet::Outlets;
use crate::world::process::Termination;
use crate::world::replay::{Printed, Replay as Replaying, ReplayError, ReplaySource, replay};

/// SIGPIPE: what a command dies of when nobody reads it any more.
const BROKEN_PIPE: i32 = 13;

impl Run<'_> {
    /// Gives a stored result back: files first, then the streams. An error means that nothing was claimed yet, and
    /// leaves it to the caller to say that the work rests.
    pub(super) fn hit(
        &mut self,
        store: &Store,
        plan: &Plan,
        entry: &Entry,
        book: &mut WitnessBook,
        outcome: Outcome,
    ) -> Result<Termination, RestoreError> {
        let streams = [entry.transcript.stdout, entry.transcript.stderr];
        if !plan.outputs.is_empty() || streams.iter().any(|content| content.size > LITTLE) {
            self.begin(Work::Restoring);
        }
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
        self.rest();
        let termination = self.replay(store, entry, sources, &outlets)?;
        let tale = Tale {
            key: Some(entry.key),
            duration: Some(entry.duration),
            restored,
            bytes: entry.size(),
            ..Tale::default()
        };
        let report = self.finish(outcome, termination, tale);
        self.note(store, &report);
        if !self.settings().read_only {
            store.leave_wanted_record(entry);
        }
        Ok(termination)
    }

    /// Writes the streams. Where their bytes cannot be read and none of them is out yet, there is the way back to a
    /// run; afterwards the replay is cut short. What cannot be written is told, and the ending stays that of the
    /// command, as on a run.
    fn replay(
        &mut self,
        store: &Store,
        entry: &Entry,
        [stdout, stderr]: [ReplaySource<'_>; 2],
        outlets: &Outlets,
    ) -> Result<Termination, RestoreError> {
        let printed = match self.settings().replay {
            Replay::All => Printed { stdout: true, stderr: true },
            Replay::Stdout => Printed { stdout: true, stderr: false },
            Replay::Stderr => Printed { stdout: false, stderr: true },
            Replay::None => Printed { stdout: false, stderr: false },
        };
        let order = &entry.transcript.order;
        let content_of = |stream| match stream {
            Stream::Stdout => entry.transcript.stdout,
            Stream::Stderr => entry.transcript.stderr,
        };
        match replay(Replaying { stdout, stderr, order, printed }, outlets) {
            Ok(()) => Ok(Termination::Exited(entry.exit_code)),
            Err(ReplayError::ReaderGone(_)) => Ok(Termination::Signalled(BROKEN_PIPE)),
            Err(ReplayError::Unread { stream, .. }) => {
                let content = content_of(stream);
                store.drop_damaged(&content)?;
                Err(RestoreError::ContentMissing(content))
            }
            Err(error @ (ReplayError::Read { stream, .. } | ReplayError::Short(stream))) => {
                // Where even this fails the next run meets the same; what is to be told is the read.
                let _ = store.drop_damaged(&content_of(stream));
                Err(RestoreError::CutShort(error))
            }
            Err(error @ ReplayError::Write { .. }) => {
                self.warn(Warning::Replay(error.to_string()));
                Ok(Termination::Exited(entry.exit_code))
            }
        }
    }

    pub(super) fn remember(&mut self, file: &PlacementFile, before: &Placement, now: &Placement) {
        if before != now
            && let Err(error) = file.write(now)
        {
            self.warn(Warning::Placement(format!("{error}: {}", error.source)));
        }
    }

    pub(super) fn explain_failed_hit(&mut self, error: &RestoreError) -> MissReason {
        match error {
            RestoreError::ContentMissing(_) => MissReason::ContentMissing,
            RestoreError::Edited(_) => MissReason::Edited,
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
}

/// Opens a stream's bytes for replay. They go out as they are read, so they are verified before the first of them
/// does: by their digest, or by the stat facts under which it was computed before.
fn verified_body(store: &Store, content: &Content, book: &mut WitnessBook) -> Result<Body, RestoreError> {
    match store.body(content)? {
        Some(Body::Memory(bytes)) => Ok(Body::Memory(bytes)),
        Some(Body::File(file)) => {
            let witnessed = match book.content_of(&store.content_path(content), None) {
                // A `clear` beside this run took it away since it was opened.
                Err(error) if error.source.kind() == std::io::ErrorKind::NotFound => {
                    return Err(RestoreError::ContentMissing(*content));
                }
                found => found?,
            };
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
