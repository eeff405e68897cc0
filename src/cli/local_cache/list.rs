//! `taskcache local-cache list`: entries in a table, or what is being computed now.

use super::{Shelf, filters, format, is_json, subcommand, switch};
use crate::cli::failure::Failure;
use crate::cli::print;
use crate::config::layer::Layer;
use crate::config::resolve::survey;
use crate::report::entry::{list_json, list_text};
use crate::report::running::{running_json, running_text};
use crate::store::reservation::Reservations;
use clap::{ArgMatches, Command};

/// Returns the subcommand.
pub(super) fn command() -> Command {
    subcommand("list", "List entries, the latest first")
        .args(filters())
        .arg(switch("running", "List what is being computed now, and by whom"))
        .arg(format())
}

/// Runs it.
pub(super) fn run(shelf: Shelf<'_>, arguments: &ArgMatches) -> Result<(), Failure> {
    if arguments.get_flag("running") {
        let settings = survey(shelf.host, &Layer::new())?.store.ok();
        let locking = settings.map(|store| store.locking).unwrap_or_default();
        let store = shelf.store.as_ref();
        let running =
            store.map(|store| Reservations::of(store.layout(), locking).running()).unwrap_or_default();
        return match is_json(arguments) {
            true => print(&format!("{}\n", running_json(&running, shelf.now()))),
            false => print(&running_text(&running, shelf.now())),
        };
    }
    let entries = shelf.entries(&shelf.selection(arguments)?)?;
    match is_json(arguments) {
        true => print(&format!("{}\n", list_json(&entries))),
        false => print(&list_text(&entries, shelf.now())),
    }
}
