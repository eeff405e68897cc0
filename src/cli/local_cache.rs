//! `taskcache local-cache`: look at the store and take things out of it.

use super::failure::Failure;
use super::print;
use crate::config::layer::Layer;
use crate::config::location::{DEFAULT_AGE, DEFAULT_SIZE};
use crate::config::resolve::survey;
use crate::model::entry::Entry;
use crate::model::fingerprint::{CacheKey, KeyPrefix};
use crate::model::path::printable;
use crate::model::retention::{Reason, RetentionPolicy};
use crate::model::time::{Size, Span, Timestamp};
use crate::report::entry::{Sums, entry_json, entry_text, list_json, list_text};
use crate::report::running::{running_json, running_text};
use crate::store::history::History;
use crate::store::index::Row;
use crate::store::removal::{Removed, Selection};
use crate::store::reservation::Reservations;
use crate::store::{Found, Store, StoreError};
use crate::world::host::Host;
use crate::world::process::Termination;
use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};
use std::collections::BTreeSet;
use std::ffi::OsString;
use std::io::BufRead;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

/// Returns the subcommand.
pub fn command() -> Command {
    let sub =
        |name: &'static str, about: &'static str| Command::new(name).about(about).disable_version_flag(true);
    Command::new("local-cache")
        .about("Show, clear and check the local store")
        .disable_version_flag(true)
        .subcommand_required(true)
        .arg_required_else_help(true)
        .arg(
            Arg::new("cache-dir")
                .long("cache-dir")
                .global(true)
                .value_name("DIR")
                .value_parser(value_parser!(PathBuf))
                .help("Use the store in DIR"),
        )
        .subcommand(
            sub("clear", "Remove entries, all of them unless a filter is given")
                .args(filters())
                .arg(switch("yes", "Do not ask").short('y'))
                .arg(switch("dry-run", "Say what would go, and leave it").short('n')),
        )
        .subcommand(
            sub("list", "List entries, the latest first")
                .args(filters())
                .arg(switch("running", "List what is being computed now, and by whom"))
                .arg(format()),
        )
        .subcommand(
            sub("show", "Show everything about an entry")
                .arg(
                    Arg::new("key")
                        .value_name("KEY")
                        .required(true)
                        .help("Key or its first 6 digits or more"),
                )
                .arg(format()),
        )
        .subcommand(sub("stats", "Show what the store holds and what it saved").arg(format()))
        .subcommand(
            sub("remove", "Remove single entries").arg(
                Arg::new("key")
                    .value_name("KEY")
                    .required(true)
                    .num_args(1..)
                    .help("Keys or their first 6 digits or more"),
            ),
        )
        .subcommand(
            sub("gc", "Bring the store within its limits")
                .arg(
                    Arg::new("max-size")
                        .long("max-size")
                        .value_name("SIZE")
                        .help("Keep at most this many bytes of content, such as 5GiB"),
                )
                .arg(
                    Arg::new("max-age")
                        .long("max-age")
                        .value_name("AGE")
                        .help("Keep nothing that was not used for this long, such as 30d"),
                )
                .arg(switch("dry-run", "Say what would go, and leave it").short('n')),
        )
        .subcommand(sub("path", "Print the folder of the store"))
}

fn switch(name: &'static str, help: &'static str) -> Arg {
    Arg::new(name).long(name).action(ArgAction::SetTrue).help(help)
}

fn format() -> Arg {
    Arg::new("format")
        .long("format")
        .value_name("FORMAT")
        .value_parser(["text", "json"])
        .default_value("text")
        .help("Write for people or for programs")
}

fn filters() -> [Arg; 4] {
    let text = |name: &'static str, value: &'static str, help: &'static str| {
        Arg::new(name).long(name).value_name(value).value_parser(value_parser!(OsString)).help(help)
    };
    [
        text("project", "P", "Only entries of this project"),
        text("domain", "D", "Only entries of this domain"),
        text("task", "NAME", "Only entries of this task").short('t'),
        text("older-than", "AGE", "Only entries older than this, such as 7d"),
    ]
}

/// Runs one of the subcommands.
pub fn run(host: &Host, arguments: &ArgMatches) -> Result<Termination, Failure> {
    let Some((name, arguments)) = arguments.subcommand() else {
        return Err(Failure::new("a subcommand is missing"));
    };
    let given = arguments.get_one::<PathBuf>("cache-dir").map(|path| host.absolute(path));
    let root = match given {
        Some(root) => root,
        None => survey(host, &Layer::new())?.store?.dir,
    };
    if name == "path" {
        print(&format!("{}\n", printable(root.as_os_str().as_bytes())))?;
        return Ok(Termination::Exited(0));
    }
    let mut shelf = Shelf { host, root: root.clone(), store: None };
    match Store::open_existing(&root) {
        Ok(store) => shelf.store = Some(store),
        Err(StoreError::Missing(_)) => {}
        Err(error) => return Err(error.into()),
    }
    match name {
        "clear" => shelf.clear(arguments),
        "list" => shelf.list(arguments),
        "show" => shelf.show(arguments),
        "stats" => shelf.stats(arguments),
        "remove" => shelf.remove(arguments),
        "gc" => shelf.gc(arguments),
        other => Err(Failure::new(format!("unknown command '{other}'"))),
    }?;
    Ok(Termination::Exited(0))
}

/// The store, if there is one; one that was never made is empty.
struct Shelf<'a> {
    host: &'a Host,
    root: PathBuf,
    store: Option<Store>,
}

impl Shelf<'_> {
    fn now(&self) -> Timestamp {
        self.host.clock.now()
    }

    fn selection(&self, arguments: &ArgMatches) -> Result<Selection, Failure> {
        let bytes = |name: &str| arguments.get_one::<OsString>(name).map(|text| text.as_bytes().to_vec());
        let text = |name: &str| bytes(name).map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
        let before = match text("older-than") {
            None => None,
            Some(age) => {
                let age: Span =
                    age.parse().map_err(|error| Failure::new(format!("option --older-than: {error}")))?;
                let since = i64::try_from(age.as_millis()).unwrap_or(i64::MAX);
                Some(Timestamp::from_millis(self.now().as_millis().saturating_sub(since)))
            }
        };
        Ok(Selection {
            project: text("project"),
            domain: text("domain"),
            task: bytes("task"),
            before,
            keys: None,
        })
    }

    fn clear(mut self, arguments: &ArgMatches) -> Result<(), Failure> {
        let selection = self.selection(arguments)?;
        let Some(store) = &mut self.store else {
            return print("removed 0 entries, 0 B\n");
        };
        if arguments.get_flag("dry-run") {
            let plan = store.plan_removal(&selection)?;
            return print(&format!("would remove {}\n", removed_text(plan)));
        }
        let asks = self.host.terminals.stdin && self.host.terminals.stdout && !arguments.get_flag("yes");
        if asks {
            let plan = store.plan_removal(&selection)?;
            let root = printable(self.root.as_os_str().as_bytes());
            print(&format!("Remove {} from {root}? [y/N] ", removed_text(plan)))?;
            let mut answer = String::new();
            let read = std::io::stdin().lock().read_line(&mut answer);
            read.map_err(|error| Failure::new(format!("cannot read the answer: {error}")))?;
            if !matches!(answer.trim().to_ascii_lowercase().as_str(), "y" | "yes") {
                return print("nothing was removed\n");
            }
        }
        let removed = store.remove(&selection)?;
        print(&format!("removed {}\n", removed_text(removed)))
    }

    fn entries(&self, selection: &Selection) -> Result<Vec<(Row, Option<Entry>)>, Failure> {
        let Some(store) = &self.store else { return Ok(Vec::new()) };
        let rows = store.index().rows()?.into_iter().filter(|row| selection.takes(row));
        rows.map(|row| {
            let entry = match store.find(&row.key)? {
                Found::Entry(entry) => Some(*entry),
                Found::Absent | Found::Damaged => None,
            };
            Ok((row, entry))
        })
        .collect()
    }

    fn list(self, arguments: &ArgMatches) -> Result<(), Failure> {
        if arguments.get_flag("running") {
            let running = self.store.as_ref().map(|store| Reservations::of(store.layout()).running());
            let running = running.unwrap_or_default();
            return match is_json(arguments) {
                true => print(&format!("{}\n", running_json(&running, self.now()))),
                false => print(&running_text(&running, self.now())),
            };
        }
        let entries = self.entries(&self.selection(arguments)?)?;
        match is_json(arguments) {
            true => print(&format!("{}\n", list_json(&entries))),
            false => print(&list_text(&entries, self.now())),
        }
    }

    fn key(&self, text: &str) -> Result<CacheKey, Failure> {
        let prefix: KeyPrefix = text.parse()?;
        let absent = || {
            Failure::new(format!("no entry has a key that begins with '{}'", prefix.as_str()))
                .hint("'taskcache local-cache list' shows the keys")
        };
        let Some(store) = &self.store else { return Err(absent()) };
        match store.index().keys(&prefix, 3)?.as_slice() {
            [] => Err(absent()),
            [key] => Ok(*key),
            several => {
                let shown: Vec<_> = several.iter().map(|key| key.to_string()[..16].to_owned()).collect();
                let message = format!("several keys begin with '{}': {}", prefix.as_str(), shown.join(", "));
                Err(Failure::new(message).hint("write more digits"))
            }
        }
    }

    fn show(self, arguments: &ArgMatches) -> Result<(), Failure> {
        let text = arguments.get_one::<String>("key").map(String::as_str).unwrap_or_default();
        let key = self.key(text)?;
        let Some(store) = &self.store else { return Ok(()) };
        match store.find(&key)? {
            Found::Entry(entry) if is_json(arguments) => print(&format!("{}\n", entry_json(&entry))),
            Found::Entry(entry) => print(&entry_text(&entry, self.now())),
            Found::Absent | Found::Damaged => {
                Err(Failure::new(format!("the entry {} is damaged", key.short()))
                    .hint("the next run of its command stores it anew"))
            }
        }
    }

    fn stats(self, arguments: &ArgMatches) -> Result<(), Failure> {
        let sums = match &self.store {
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

    fn gc(mut self, arguments: &ArgMatches) -> Result<(), Failure> {
        let settings = survey(self.host, &Layer::new())?.store.ok();
        let mut policy = RetentionPolicy {
            max_size: settings.as_ref().map_or(DEFAULT_SIZE, |store| store.max_size),
            max_age: settings.as_ref().map_or(DEFAULT_AGE, |store| store.max_age),
        };
        if let Some(text) = arguments.get_one::<String>("max-size") {
            policy.max_size =
                text.parse().map_err(|error| Failure::new(format!("option --max-size: {error}")))?;
        }
        if let Some(text) = arguments.get_one::<String>("max-age") {
            policy.max_age =
                text.parse().map_err(|error| Failure::new(format!("option --max-age: {error}")))?;
        }
        let now = self.now();
        let Some(store) = &mut self.store else { return print("removed 0 entries, 0 B; 0 B stay\n") };
        let (word, plan) = match arguments.get_flag("dry-run") {
            true => ("would remove", store.plan_collection(policy, now)?),
            false => ("removed", store.collect(policy, now)?.plan),
        };
        let removed = Removed { entries: plan.removed.len() as u64, bytes: plan.freed };
        let mut text = format!("{word} {}; {} stay\n", removed_text(removed), Size::from_bytes(plan.kept));
        for (reason, words) in [
            (Reason::Expired, "expired"),
            (Reason::Unused, "not used for too long"),
            (Reason::OverSize, "over the size"),
        ] {
            match plan.count(reason) {
                0 => {}
                count => text.push_str(&format!("  {count} {words}\n")),
            }
        }
        print(&text)
    }

    fn remove(mut self, arguments: &ArgMatches) -> Result<(), Failure> {
        let texts = arguments.get_many::<String>("key").into_iter().flatten();
        let keys: BTreeSet<_> = texts.map(|text| self.key(text)).collect::<Result<_, _>>()?;
        let Some(store) = &mut self.store else { return Ok(()) };
        let removed = store.remove(&Selection { keys: Some(keys), ..Selection::default() })?;
        print(&format!("removed {}\n", removed_text(removed)))
    }
}

fn is_json(arguments: &ArgMatches) -> bool {
    arguments.get_one::<String>("format").is_some_and(|format| format == "json")
}

fn removed_text(removed: Removed) -> String {
    let entries = if removed.entries == 1 { "entry" } else { "entries" };
    format!("{} {entries}, {}", removed.entries, Size::from_bytes(removed.bytes))
}
