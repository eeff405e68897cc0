//! `taskcache local-cache remove`: single entries go.

use super::{Shelf, removed_text, subcommand};
use crate::cli::failure::Failure;
use crate::cli::print;
use crate::store::removal::Selection;
use clap::{Arg, ArgMatches, Command};
use std::collections::BTreeSet;

/// Returns the subcommand.
pub(super) fn command() -> Command {
    subcommand("remove", "Remove single entries").arg(
        Arg::new("key")
            .value_name("KEY")
            .required(true)
            .num_args(1..)
            .help("Name entries by key, or by its first 6 digits or more"),
    )
}

/// Runs it.
pub(super) fn run(mut shelf: Shelf<'_>, arguments: &ArgMatches) -> Result<(), Failure> {
    let texts = arguments.get_many::<String>("key").into_iter().flatten();
    let keys: BTreeSet<_> = texts.map(|text| shelf.key(text)).collect::<Result<_, _>>()?;
    let Some(store) = &mut shelf.store else { return Ok(()) };
    let removed = store.remove(&Selection { keys: Some(keys), ..Selection::default() })?;
    print(&format!("removed {}\n", removed_text(removed)))
}
