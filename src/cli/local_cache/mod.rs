//! `taskcache local-cache`: look at the store and take things out of it. One file a subcommand.

mod clear;
mod export;
mod gc;
mod import;
mod list;
mod remove;
mod show;
mod stats;
mod verify;

use super::entry_choice::{key_in, unknown};
use super::failure::Failure;
use super::print;
use super::store_choice::{StoreChoice, cache_dir, time_ago};
use crate::engine::record::with_cause;
use crate::model::count::entries;
use crate::model::fingerprint::CacheKey;
use crate::model::path::printable;
use crate::model::time::{Size, Timestamp};
use crate::report::reporter::say;
use crate::report::screen::{ColorChoice, Screen};
use crate::store::history::{History, Use};
use crate::store::removal::{Removed, Selection};
use crate::store::{Store, StoreError};
use crate::world::host::Host;
use crate::world::process::Termination;
use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};
use std::collections::HashMap;
use std::ffi::OsString;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

/// Returns the subcommand.
pub fn command() -> Command {
    Command::new("local-cache")
        .about("Show, clear and check the local store")
        .disable_version_flag(true)
        .subcommand_required(true)
        .arg_required_else_help(true)
        .arg(cache_dir().global(true))
        .subcommand(clear::command())
        .subcommand(list::command())
        .subcommand(show::command())
        .subcommand(stats::command())
        .subcommand(remove::command())
        .subcommand(gc::command())
        .subcommand(verify::command())
        .subcommand(export::command())
        .subcommand(import::command())
        .subcommand(subcommand("path", "Print the folder of the store"))
}

fn subcommand(name: &'static str, about: &'static str) -> Command {
    Command::new(name).about(about).disable_version_flag(true)
}

fn switch(name: &'static str, help: &'static str) -> Arg {
    Arg::new(name).long(name).action(ArgAction::SetTrue).help(help)
}

fn color() -> Arg {
    Arg::new("color")
        .long("color")
        .value_name("WHEN")
        .value_parser(ColorChoice::NAMES)
        .default_value("auto")
        .help("Use colours: on a terminal, or always, or never")
}

fn filters() -> [Arg; 4] {
    let text = |name: &'static str, value: &'static str, help: &'static str| {
        Arg::new(name).long(name).value_name(value).value_parser(value_parser!(OsString)).help(help)
    };
    [
        text("project", "P", "Take only entries of this project; '*' stands for anything"),
        text("domain", "D", "Take only entries of this domain; '*' stands for anything"),
        text("task", "NAME", "Take only entries of this task; '*' stands for anything").short('t'),
        text("older-than", "AGE", "Take only entries older than this, such as 7d"),
    ]
}

/// Runs one of the subcommands.
pub fn run(host: &Host, arguments: &ArgMatches) -> Result<Termination, Failure> {
    let Some((name, arguments)) = arguments.subcommand() else {
        return Err(Failure::new("a subcommand is missing"));
    };
    let choice = StoreChoice::of(host, arguments);
    let root = choice.root()?;
    if name == "path" {
        print(&format!("{}\n", printable(root.as_os_str().as_bytes())))?;
        return Ok(Termination::Exited(0));
    }
    if name == "verify" {
        return verify::run(host, &choice, &root, arguments);
    }
    let mut shelf = Shelf { host, choice, root, store: None };
    match Store::open_existing(&shelf.root) {
        Ok(store) => shelf.store = Some(store),
        // One whose index was moved aside still holds contents, and what was moved.
        Err(StoreError::Missing(_)) if ["clear", "gc"].contains(&name) && Store::stands_at(&shelf.root) => {
            shelf.store = Some(Store::open(&shelf.root)?);
        }
        Err(StoreError::Missing(_)) => {}
        Err(error) => return Err(error.into()),
    }
    match name {
        "export" => return export::run(&shelf, arguments),
        "import" => return import::run(shelf, arguments),
        "clear" => clear::run(shelf, arguments),
        "list" => list::run(shelf, arguments),
        "show" => show::run(shelf, arguments),
        "stats" => stats::run(shelf, arguments),
        "remove" => remove::run(shelf, arguments),
        "gc" => gc::run(shelf, arguments),
        other => Err(Failure::new(format!("unknown command '{other}'"))),
    }?;
    Ok(Termination::Exited(0))
}

/// The store, if there is one; one that was never made is empty.
struct Shelf<'a> {
    host: &'a Host,
    choice: StoreChoice<'a>,
    root: PathBuf,
    store: Option<Store>,
}

impl Shelf<'_> {
    fn now(&self) -> Timestamp {
        self.host.clock.now()
    }

    fn screen(&self, arguments: &ArgMatches) -> Screen {
        let choice = arguments.get_one::<String>("color").map(|name| ColorChoice::of(name));
        Screen::of(self.host, choice.unwrap_or_default())
    }

    fn selection(&self, arguments: &ArgMatches) -> Result<Selection, Failure> {
        let bytes = |name: &str| arguments.get_one::<OsString>(name).map(|text| text.as_bytes().to_vec());
        let text = |name: &str| bytes(name).map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
        Ok(Selection {
            project: text("project"),
            domain: text("domain"),
            task: bytes("task"),
            before: text("older-than").map(|age| self.ago("older-than", &age)).transpose()?,
            after: None,
            keys: None,
        })
    }

    /// Returns what was done with each result. A history that cannot be read is worth a warning, and no reason not to
    /// show what is stored.
    fn uses(&self) -> HashMap<CacheKey, Use> {
        let read = self.store.as_ref().map(|store| History::of(store.layout()).uses());
        read.transpose().map(Option::unwrap_or_default).unwrap_or_else(|error| {
            say(&format!("warning: {}", with_cause(&error)));
            HashMap::new()
        })
    }

    /// Returns the time that is an age before now.
    fn ago(&self, option: &str, age: &str) -> Result<Timestamp, Failure> {
        time_ago(self.now(), option, age)
    }

    /// Returns the key that begins like a text. Where no store was ever made there is none.
    fn key(&self, text: &str) -> Result<CacheKey, Failure> {
        let prefix = text.parse()?;
        self.store.as_ref().map_or_else(|| Err(unknown(&prefix)), |store| key_in(store, &prefix))
    }
}

fn removed_text(removed: Removed) -> String {
    format!("{}, {}", entries(removed.entries), Size::from_bytes(removed.bytes))
}
