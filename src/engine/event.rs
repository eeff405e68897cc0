//! What the engine tells: warnings while it works, and at the end what became of the run.
//!
//! The engine decides and acts; words are the business of `report`. Every reason is an enum with a stable name that
//! scripts may rely on, never a text that was put together where it happened.

use crate::model::fingerprint::CacheKey;
use crate::model::path::printable;
use crate::model::time::{Span, Timestamp};
use crate::store::history::OutcomeKind;
use crate::store::reservation::Holder;

/// Why a look-up did not give a result.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MissReason {
    /// Nothing is stored under the key.
    Absent,
    /// Its time to live is over.
    Expired,
    /// It is older than `--max-age` allows.
    TooOld,
    /// It was recorded in the future, so its age cannot be known.
    Clock,
    /// The stored entry is damaged.
    Damaged,
    /// Content that the entry needs is missing or damaged.
    ContentMissing,
    /// It ended with an exit code that this run does not keep.
    ExitCode,
    /// It was captured with both streams in one, and now they lead to different places.
    Joined,
    /// Something stands in the way of an output that is to be restored.
    Occupied,
    /// A file that the command writes over was edited since the result was stored.
    Edited,
    /// An output could not be restored.
    RestoreFailed,
    /// The dependency file of an earlier run is not known yet, or names files that changed.
    Dependencies,
}

impl MissReason {
    /// Returns the stable name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Absent => "absent",
            Self::Expired => "expired",
            Self::TooOld => "too-old",
            Self::Clock => "clock",
            Self::Damaged => "damaged",
            Self::ContentMissing => "content-missing",
            Self::ExitCode => "exit-code",
            Self::Joined => "joined",
            Self::Occupied => "occupied",
            Self::Edited => "edited",
            Self::RestoreFailed => "restore-failed",
            Self::Dependencies => "dependencies",
        }
    }
}

/// Why the cache was not asked at all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BypassReason {
    /// Caching is switched off by a variable.
    Disabled,
    /// The behavior is `disable`.
    Behavior,
    /// `--no-cache`.
    NoCache,
    /// The policy is `NONE`.
    Policy,
    /// The policy needs a flow run and there is none.
    NoFlow,
    /// The command reads an unkeyed standard input.
    Stdin,
    /// The program or its script cannot be read.
    Source,
    /// An input is a file of the store.
    OwnFile,
    /// The store cannot be used.
    Store,
}

impl BypassReason {
    /// Returns the stable name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Disabled => "disabled",
            Self::Behavior => "behavior",
            Self::NoCache => "no-cache",
            Self::Policy => "policy",
            Self::NoFlow => "no-flow",
            Self::Stdin => "stdin",
            Self::Source => "source",
            Self::OwnFile => "own-file",
            Self::Store => "store",
        }
    }
}

/// What became of a run, with its reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// The stored result came back.
    Hit,
    /// An old result came back and is refreshed in the background.
    Stale,
    /// There was no usable result.
    Miss(MissReason),
    /// The command ran because it was asked to.
    Refresh,
    /// The command ran to be compared with the stored result.
    Verify,
    /// The cache was not asked.
    Bypass(BypassReason),
}

impl Outcome {
    /// Returns the kind.
    pub const fn kind(self) -> OutcomeKind {
        match self {
            Self::Hit => OutcomeKind::Hit,
            Self::Stale => OutcomeKind::Stale,
            Self::Miss(_) => OutcomeKind::Miss,
            Self::Refresh | Self::Verify => OutcomeKind::Refresh,
            Self::Bypass(_) => OutcomeKind::Bypass,
        }
    }

    /// Returns the stable name of the reason.
    pub const fn reason(self) -> &'static str {
        match self {
            Self::Hit => "found",
            Self::Stale => "stale",
            Self::Miss(reason) => reason.name(),
            Self::Refresh => "requested",
            Self::Verify => "verify",
            Self::Bypass(reason) => reason.name(),
        }
    }
}

/// Why the result of a run was not stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NotStored {
    /// The exit code is not one that is kept.
    ExitCode(u8),
    /// The command died by a signal.
    Signal(i32),
    /// `--read-only`.
    ReadOnly,
    /// It ran faster than `--min-time`.
    TooFast,
    /// It would have expired at once.
    ExpiresAtOnce,
    /// An input changed while the command ran.
    InputChanged(Vec<u8>),
    /// A file that a declared input finds appeared or went while the command ran.
    InputsListed,
    /// A declared output is missing after a successful run.
    OutputMissing(Vec<u8>),
    /// An output changed while it was stored.
    OutputChanged(Vec<u8>),
    /// An output is a pipe, socket or device, or cannot be read.
    OutputUnfit {
        /// Which one.
        path: Vec<u8>,
        /// What is wrong with it.
        why: String,
    },
    /// The dependency file is missing or cannot be read.
    Depfile {
        /// Which one.
        path: Vec<u8>,
        /// What is wrong with it.
        why: String,
    },
    /// It was only compared with the stored result.
    Verified,
    /// It failed in the background, and a success is stored.
    KeepsSuccess,
    /// Another run or restore was at work in the same outputs.
    Overlap,
    /// Its lease ran out, and another run took over.
    LeaseLost,
    /// The command's output was not captured whole.
    Capture(String),
    /// The store failed.
    Store(String),
}

impl NotStored {
    /// Returns the stable name.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::ExitCode(_) => "exit-code",
            Self::Signal(_) => "signal",
            Self::ReadOnly => "read-only",
            Self::TooFast => "min-time",
            Self::ExpiresAtOnce => "expires-at-once",
            Self::InputChanged(_) => "input-changed",
            Self::InputsListed => "inputs-listed",
            Self::OutputMissing(_) => "output-missing",
            Self::OutputChanged(_) => "output-changed",
            Self::OutputUnfit { .. } => "output-unfit",
            Self::Depfile { .. } => "depfile",
            Self::Verified => "verified",
            Self::KeepsSuccess => "keeps-success",
            Self::Overlap => "overlap",
            Self::LeaseLost => "lease-lost",
            Self::Capture(_) => "capture",
            Self::Store(_) => "store",
        }
    }

    /// Returns whether the user should hear of it unasked: something about the declaration or the machine is not as
    /// it was meant to be. What a flag asked for, and a failing command, speak for themselves.
    pub const fn is_warning(&self) -> bool {
        !matches!(
            self,
            Self::ExitCode(_)
                | Self::Signal(_)
                | Self::ReadOnly
                | Self::TooFast
                | Self::ExpiresAtOnce
                | Self::Verified
                | Self::KeepsSuccess
        )
    }
}

impl std::fmt::Display for NotStored {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::ExitCode(code) => write!(f, "it exited with {code}"),
            Self::Signal(signal) => write!(f, "it died by signal {signal}"),
            Self::ReadOnly => f.write_str("the cache is read-only for this run"),
            Self::TooFast => f.write_str("it ran faster than --min-time"),
            Self::ExpiresAtOnce => f.write_str("it would expire at once"),
            Self::InputChanged(path) => write!(f, "the input '{}' changed during the run", printable(path)),
            Self::InputsListed => {
                f.write_str("files that the declared inputs find appeared or went during the run")
            }
            Self::OutputMissing(path) => write!(f, "the declared output '{}' is missing", printable(path)),
            Self::OutputChanged(path) => {
                write!(f, "the output '{}' changed while it was stored", printable(path))
            }
            Self::OutputUnfit { path, why } => write!(f, "the output '{}' {why}", printable(path)),
            Self::Depfile { path, why } => write!(f, "the dependency file '{}' {why}", printable(path)),
            Self::Verified => f.write_str("it was compared with the stored result"),
            Self::KeepsSuccess => f.write_str("it failed, and the stored result did not"),
            Self::Overlap => f.write_str("another run was at work in the same outputs"),
            Self::LeaseLost => f.write_str("its lease ran out, and another run has taken over"),
            Self::Capture(why) | Self::Store(why) => f.write_str(why),
        }
    }
}

/// Something the user should know and that did not stop the run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Warning {
    /// The store cannot be used; the command runs without it.
    Store(String),
    /// What the run put into its outputs could not be remembered as its own.
    Placement(String),
    /// The result was not stored.
    NotStored(NotStored),
    /// An `--ignore` rule that took nothing out.
    IgnoredNothing(String),
    /// The declared outputs were not restored as they should be; the command runs.
    Restore(String),
    /// A run under `--verify` was not what is stored.
    Differs(Vec<String>),
    /// A run that holds the key waits for one around this run, so this one does not wait.
    Circle(CacheKey),
    /// A refresh in the background could not be started.
    Background(String),
    /// A stored stream could not be written out.
    Replay(String),
}

impl Warning {
    /// Returns whether this tells of a fault of the store, and not of the run.
    pub const fn is_about_the_store(&self) -> bool {
        matches!(
            self,
            Self::Store(_) | Self::Placement(_) | Self::Restore(_) | Self::NotStored(NotStored::Store(_))
        )
    }
}

/// Everything about a run that is over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// What became of it.
    pub outcome: Outcome,
    /// When it was over.
    pub time: Timestamp,
    /// The project.
    pub project: String,
    /// The domain.
    pub domain: String,
    /// The task's name.
    pub task: Vec<u8>,
    /// The key, where one was computed.
    pub key: Option<CacheKey>,
    /// How long the whole run took.
    pub elapsed: Span,
    /// How long the command took: now, or when the entry was made.
    pub duration: Option<Span>,
    /// What the command exited with, or the negative number of the signal that it died by.
    pub exit_code: i32,
    /// Whether the result was stored.
    pub stored: bool,
    /// Why not, where it was not.
    pub not_stored: Option<NotStored>,
    /// How many output files were written, and how many were right already.
    pub restored: (usize, usize),
    /// The bytes of content that a hit gave back or a miss stored.
    pub bytes: u64,
}

impl Report {
    /// Returns how much time a hit saved.
    pub fn saved(&self) -> Span {
        match (self.outcome, self.duration) {
            (Outcome::Hit | Outcome::Stale, Some(duration)) => {
                Span::from_millis(duration.as_millis().saturating_sub(self.elapsed.as_millis()))
            }
            _ => Span::default(),
        }
    }
}

/// What the engine tells while it works.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// Something the user should know.
    Warning(Warning),
    /// Another run computes the key, and this one waits for it.
    Waiting {
        /// The key.
        key: CacheKey,
        /// Who computes it, where that is known.
        holder: Option<Box<Holder>>,
    },
    /// Work of ours begins that may take long; what is short beyond doubt is not told. No command runs, and nothing is
    /// written to the standard streams, until it is done.
    Began(Work),
    /// That work is done, or given up.
    Rested,
    /// The run is over.
    Finished(Box<Report>),
}

/// Work of ours that may take long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Work {
    /// Reading standard input to its end.
    ReadingStdin,
    /// Reading inputs for the key.
    Hashing,
    /// Looking at outputs before a run.
    Surveying,
    /// Putting the outputs of a stored result back, and verifying its streams.
    Restoring,
    /// Reading the outputs of a run and storing them.
    Storing,
}

/// Who is told.
pub trait EventSink {
    /// Takes an event.
    fn take(&mut self, event: Event);

    /// Returns whether [`Event::Began`] is of any use. Where it is not, nobody has to find out whether work takes long.
    fn shows_work(&self) -> bool;
}
