//! `taskcache local-cache stats`: what the store holds and what it saved.

use super::{Shelf, format, is_json, subcommand};
use crate::cli::failure::Failure;
use crate::cli::print;
use crate::report::entry::Sums;
use crate::store::history::History;
use crate::store::removal::Selection;
use clap::{ArgMatches, Command};

/// Returns the subcommand.
pub(super) fn command() -> Command {
    subcommand("stats", "Show what the store holds and what it saved").arg(format())
}

/// Runs it.
pub(super) fn run(shelf: Shelf<'_>, arguments: &ArgMatches) -> Result<(), Failure> {
    let sums = match &shelf.store {
        None => Sums::default(),
        Some(store) => {
            let everything = store.plan_removal(&Selection::default())?;
            Sums::of(everything.entries, everything.bytes, &History::of(store.layout()).read()?)
        }
    };
    match is_json(arguments) {
        true => print(&format!("{}\n", sums.to_json())),
        false => print(&sums.to_text()),
    }
}
