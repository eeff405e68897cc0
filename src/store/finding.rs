//! What a verification finds: the kinds, what they mean, and the way out of each.
//!
//! A *damage* is something that is not as it was written, or that others could change: the store answers as if it
//! were not there, and a repair takes it away or writes it anew. A *note* is something that does no harm: what a
//! killed process left, what is not ours, what the next collection takes. Names, once given, stay: programs read them.

use crate::model::digest::Digest;
use crate::model::fingerprint::CacheKey;
use std::path::PathBuf;

/// What is wrong, or worth a note.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Fault {
    /// SQLite cannot read the index, or finds its structure broken.
    Index,
    /// An entry's row is not what was written: checksum, encoding or key are wrong.
    Row,
    /// Columns of a row that serve lists and collection say something else than the entry.
    Columns,
    /// The list of what an entry refers to is not that of the entry.
    References,
    /// A content that an entry needs is not there, or not in its size.
    ContentMissing,
    /// Stored bytes are not those of their digest.
    ContentDamaged,
    /// A list of files that a command read does not decode.
    PathSet,
    /// The store's secret is gone.
    Secret,
    /// Something else stands where a file or folder of the store belongs.
    Misplaced,
    /// Others than the owner may read or write it.
    Mode,
    /// It belongs to another user.
    Owner,
    /// Remembered digests of input files do not decode.
    Witness,
    /// What is remembered of an output folder does not decode.
    Placement,
    /// A hot record is not what was written.
    Record,
    /// A file or folder that cannot be read.
    Unreadable,
    /// A process left it when it was killed.
    Leftover,
    /// It is not ours.
    Foreign,
    /// Contents that no entry refers to.
    Unreferenced,
    /// Lines of the history that cannot be read.
    History,
    /// The tag for backup programs is missing or changed.
    Tag,
}

impl Fault {
    /// Every kind.
    pub const ALL: [Self; 20] = [
        Self::Index,
        Self::Row,
        Self::Columns,
        Self::References,
        Self::ContentMissing,
        Self::ContentDamaged,
        Self::PathSet,
        Self::Secret,
        Self::Misplaced,
        Self::Mode,
        Self::Owner,
        Self::Witness,
        Self::Placement,
        Self::Record,
        Self::Unreadable,
        Self::Leftover,
        Self::Foreign,
        Self::Unreferenced,
        Self::History,
        Self::Tag,
    ];

    /// Returns the word for it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Index => "index",
            Self::Row => "row",
            Self::Columns => "columns",
            Self::References => "references",
            Self::ContentMissing => "content-missing",
            Self::ContentDamaged => "content-damaged",
            Self::PathSet => "path-set",
            Self::Secret => "secret",
            Self::Misplaced => "misplaced",
            Self::Mode => "mode",
            Self::Owner => "owner",
            Self::Witness => "witness",
            Self::Placement => "placement",
            Self::Record => "record",
            Self::Unreadable => "unreadable",
            Self::Leftover => "leftover",
            Self::Foreign => "foreign",
            Self::Unreferenced => "unreferenced",
            Self::History => "history",
            Self::Tag => "tag",
        }
    }

    /// Returns whether something is wrong; otherwise it is a note.
    pub const fn is_damage(self) -> bool {
        !matches!(self, Self::Leftover | Self::Foreign | Self::Unreferenced | Self::History | Self::Tag)
    }

    /// Returns what to do about it, reading after "hint:".
    pub const fn way_out(self) -> &'static str {
        match self {
            Self::Index => "--repair moves the index aside and keeps every entry that can still be read",
            Self::Row | Self::ContentMissing | Self::ContentDamaged => {
                "--repair removes it; the next run of its command stores it anew"
            }
            Self::Columns | Self::References => "--repair writes them anew from the entry",
            Self::PathSet => "--repair removes it; the next run of its command finds it again",
            Self::Secret => {
                "--repair makes a new one; digests that the old one hid cannot be compared any more"
            }
            Self::Misplaced => "--repair moves it to 'quarantine'",
            Self::Mode => "--repair takes the permissions of others away",
            Self::Owner => "give it to yourself with chown, or remove it",
            Self::Witness => "--repair removes it; the files are read once more",
            Self::Placement => {
                "--repair removes it; files of earlier results then stay in their output folders"
            }
            Self::Record => "--repair removes it; the index answers, and leaves a new one",
            Self::Unreadable => "look at its disk and its permissions",
            Self::Leftover => "--repair removes it, as 'gc' does where it can",
            Self::Foreign => "move it elsewhere if you know whose it is",
            Self::Unreferenced => "'taskcache local-cache gc' removes them",
            Self::History => "nothing: such lines are passed over",
            Self::Tag => "--repair writes it anew",
        }
    }
}

/// What a finding is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Subject {
    /// The store as a whole.
    Store,
    /// An entry.
    Entry(CacheKey),
    /// A content in the index.
    Content(Digest),
    /// A file or folder.
    Path(PathBuf),
}

/// What became of a finding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Repair {
    /// Nobody asked for a repair, or there is none.
    None,
    /// It is mended.
    Done,
    /// It could not be mended, and why.
    Failed(String),
}

impl Repair {
    /// Returns the word for it.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Done => "done",
            Self::Failed(_) => "failed",
        }
    }
}

/// One thing that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// What kind it is.
    pub fault: Fault,
    /// What it is about.
    pub subject: Subject,
    /// The facts, as a fragment without names that could speak to a terminal.
    pub detail: String,
    /// What became of it.
    pub repair: Repair,
}

/// What was looked at, and how it ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Checked {
    /// Entries, those that are staged in transactions included.
    pub entries: u64,
    /// Contents whose every byte was read.
    pub contents: u64,
    /// How many bytes that were.
    pub bytes: u64,
    /// Damages that were found.
    pub damages: u64,
    /// Notes.
    pub notes: u64,
    /// Findings that were mended.
    pub repaired: u64,
    /// Findings that could not be mended although that was asked for.
    pub failed: u64,
}

impl Checked {
    /// Counts a finding.
    pub fn count(&mut self, finding: &Finding) {
        match finding.fault.is_damage() {
            true => self.damages += 1,
            false => self.notes += 1,
        }
        match finding.repair {
            Repair::None => {}
            Repair::Done => self.repaired += 1,
            Repair::Failed(_) => self.failed += 1,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn every_kind_has_a_name_of_its_own_and_a_way_out() {
        let names: BTreeSet<_> = Fault::ALL.map(Fault::name).into();
        assert_eq!(names.len(), Fault::ALL.len());
        assert!(Fault::ALL.iter().all(|fault| !fault.way_out().is_empty()));
        assert_eq!(Fault::ALL.iter().filter(|fault| !fault.is_damage()).count(), 5);
    }
}
