//! `taskcache local-cache show`: everything about one entry.

use super::{Shelf, format, is_json, subcommand};
use crate::cli::failure::Failure;
use crate::cli::print;
use crate::report::entry::{entry_json, entry_text};
use crate::store::Found;
use clap::{Arg, ArgMatches, Command};

/// Returns the subcommand.
pub(super) fn command() -> Command {
    subcommand("show", "Show everything about an entry")
        .arg(Arg::new("key").value_name("KEY").required(true).help("Key or its first 6 digits or more"))
        .arg(format())
}

/// Runs it.
pub(super) fn run(shelf: Shelf<'_>, arguments: &ArgMatches) -> Result<(), Failure> {
    let text = arguments.get_one::<String>("key").map(String::as_str).unwrap_or_default();
    let key = shelf.key(text)?;
    let Some(store) = &shelf.store else { return Ok(()) };
    match store.find(&key)? {
        Found::Entry(entry) if is_json(arguments) => print(&format!("{}\n", entry_json(&entry))),
        Found::Entry(entry) => print(&entry_text(&entry, shelf.now())),
        Found::Absent | Found::Damaged => Err(Failure::new(format!("the entry {} is damaged", key.short()))
            .hint("the next run of its command stores it anew")),
    }
}
