//! `taskcache local-cache list`: entries in a table, or what is being computed now.

use super::{Shelf, color, filters, subcommand, switch};
use crate::cli::failure::Failure;
use crate::cli::store_choice::{format, is_json};
use crate::cli::{print, print_pieces};
use crate::model::exit_codes::ExitCodes;
use crate::report::listing::{Listed, SortBy, Wish, list_text, listed, listed_json};
use crate::report::running::{running_json, running_text};
use crate::store::reservation::Reservations;
use crate::store::{Found, StoreError};
use clap::{Arg, ArgMatches, Command, value_parser};

/// The options that choose and order entries, which `--running` has nothing to do with.
const CHOOSING: [&str; 10] = [
    "project",
    "domain",
    "task",
    "older-than",
    "newer-than",
    "exit-code",
    "search",
    "sort",
    "reverse",
    "limit",
];

/// Returns the subcommand.
pub(super) fn command() -> Command {
    let option = |name: &'static str, value: &'static str, help: &'static str| {
        Arg::new(name).long(name).value_name(value).help(help)
    };
    subcommand("list", "List entries, the latest first")
        .args(filters())
        .arg(option("newer-than", "AGE", "Take only entries newer than this, such as 2h"))
        .arg(option("exit-code", "CODES", "Take only entries that exited with one of these, such as 1-255"))
        .arg(
            option("search", "TEXT", "Take only entries whose command has TEXT in it, in any case")
                .short('s'),
        )
        .arg(
            option("sort", "BY", "Sort by this, the latest, largest or most first")
                .value_parser(SortBy::ALL.map(|(name, _)| name))
                .default_value("created"),
        )
        .arg(switch("reverse", "Turn the order around").short('r'))
        .arg(option("limit", "N", "List at most N entries").value_parser(value_parser!(u32)))
        .arg(switch("running", "List what is being computed now, and by whom").conflicts_with_all(CHOOSING))
        .arg(color())
        .arg(format())
}

/// Runs it.
pub(super) fn run(shelf: Shelf<'_>, arguments: &ArgMatches) -> Result<(), Failure> {
    if arguments.get_flag("running") {
        let locking = shelf.choice.likely()?.locking;
        let store = shelf.store.as_ref();
        let running =
            store.map(|store| Reservations::of(store.layout(), locking).running()).unwrap_or_default();
        return match is_json(arguments) {
            true => print(&format!("{}\n", running_json(&running, shelf.now()))),
            false => print(&running_text(&running, shelf.now())),
        };
    }
    let wish = wish(&shelf, arguments)?;
    let entries = entries(&shelf, &wish)?;
    if !is_json(arguments) {
        return print(&list_text(&entries, wish.sort, shelf.now(), shelf.screen(arguments)));
    }
    let pieces = entries.iter().enumerate().map(|(at, entry)| {
        let mark = if at == 0 { "" } else { "," };
        format!("{mark}{}", listed_json(entry))
    });
    print_pieces(std::iter::once("[".to_owned()).chain(pieces).chain(["]\n".to_owned()]))
}

fn wish(shelf: &Shelf<'_>, arguments: &ArgMatches) -> Result<Wish, Failure> {
    let text = |name: &str| arguments.get_one::<String>(name);
    let mut selection = shelf.selection(arguments)?;
    selection.after = text("newer-than").map(|age| shelf.ago("newer-than", age)).transpose()?;
    let codes = |text: &String| {
        text.parse::<ExitCodes>().map_err(|error| Failure::new(format!("option --exit-code: {error}")))
    };
    Ok(Wish {
        selection,
        exit_codes: text("exit-code").map(codes).transpose()?,
        search: text("search").cloned(),
        sort: text("sort").and_then(|name| SortBy::of(name)).unwrap_or_default(),
        reverse: arguments.get_flag("reverse"),
        limit: arguments.get_one::<u32>("limit").map(|limit| usize::try_from(*limit).unwrap_or(usize::MAX)),
    })
}

fn entries(shelf: &Shelf<'_>, wish: &Wish) -> Result<Vec<Listed>, Failure> {
    let Some(store) = &shelf.store else { return Ok(Vec::new()) };
    let rows = store.index()?.rows()?;
    let found = listed(wish, rows, &shelf.uses(), |key| -> Result<_, StoreError> {
        Ok(match store.find(key)? {
            Found::Entry(entry) => Some(entry.command),
            Found::Absent | Found::Damaged => None,
        })
    })?;
    Ok(found)
}
