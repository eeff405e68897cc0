//! `taskcache local-cache stats`: what the store holds, what it saved, and what a collection would do.

use super::{Shelf, color, subcommand};
use crate::cli::failure::Failure;
use crate::cli::print;
use crate::cli::store_choice::{format, is_json, policy, since};
use crate::report::overview::stats::{stats_json, stats_text};
use crate::report::overview::stored::{Depth, empty_overview, stored_overview};
use clap::{ArgMatches, Command};

/// Returns the subcommand.
pub(super) fn command() -> Command {
    subcommand("stats", "Show what the store holds and what it saved").arg(since()).arg(color()).arg(format())
}

/// Runs it.
pub(super) fn run(shelf: Shelf<'_>, arguments: &ArgMatches) -> Result<(), Failure> {
    let since = arguments.get_one::<String>("since").map(|age| shelf.ago("since", age)).transpose()?;
    let now = shelf.now();
    let overview = match &shelf.store {
        Some(store) => stored_overview(store, policy(&shelf.choice.likely()?), now, since, Depth::Sums)?,
        None => empty_overview(&shelf.root, now, since),
    };
    match is_json(arguments) {
        true => print(&format!("{}\n", stats_json(&overview))),
        false => print(&stats_text(&overview, shelf.screen(arguments))),
    }
}
