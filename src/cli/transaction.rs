//! `taskcache transaction`: results that become visible together, or not at all.

use super::failure::Failure;
use super::options::{command_argument, command_from};
use super::print;
use super::store_choice::{StoreChoice, cache_dir, format, is_json};
use crate::engine::context::Context;
use crate::engine::transaction::{TransactionRun, run as run_transaction, run_hooks};
use crate::model::count::entries;
use crate::model::path::printable;
use crate::model::time::Span;
use crate::report::moment::ago;
use crate::report::reporter::say;
use crate::report::table::{Align, table};
use crate::store::Store;
use crate::store::transaction::{Beginning, Ended, Hook, HookKind, Isolation, TransactionId, TransactionRow};
use crate::world::host::Host;
use crate::world::process::Termination;
use clap::{Arg, ArgAction, ArgMatches, Command, value_parser};
use serde_json::json;
use std::ffi::OsString;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

const EXAMPLES: &str = "\
Examples:
  taskcache transaction -- ./release.sh     all of its nested runs, if it exits with 0
  export TASKCACHE_TRANSACTION=$(taskcache transaction begin)
  taskcache run -- ./step-one && taskcache run -- ./step-two
  taskcache transaction commit $TASKCACHE_TRANSACTION

A rollback drops stored results. It does not undo the files that commands wrote.";

/// How long a transaction across separate steps may take, unless it says otherwise.
const EXPIRES: Span = Span::from_millis(24 * 60 * 60 * 1000);

/// Returns the subcommand.
pub fn command() -> Command {
    let sub =
        |name: &'static str, about: &'static str| Command::new(name).about(about).disable_version_flag(true);
    let id = || Arg::new("id").value_name("ID").required(true).help("What 'begin' printed");
    Command::new("transaction")
        .about("Store the results of nested runs together, or none of them")
        .override_usage(
            "taskcache transaction [OPTIONS] [--] COMMAND [ARG]...\n       \
             taskcache transaction begin|commit ID|rollback ID|list",
        )
        .disable_version_flag(true)
        .args_conflicts_with_subcommands(true)
        .subcommand_negates_reqs(true)
        .args(options())
        .arg(command_argument().required(true))
        .subcommand(
            sub("begin", "Begin a transaction across separate steps, and print its id").args(options()).arg(
                Arg::new("expires")
                    .long("expires")
                    .value_name("DURATION")
                    .help("Count it as abandoned after this long"),
            ),
        )
        .subcommand(
            sub("commit", "Make all that is staged in a transaction visible").arg(id()).arg(cache_dir()),
        )
        .subcommand(sub("rollback", "Drop all that is staged in a transaction").arg(id()).arg(cache_dir()))
        .subcommand(sub("list", "List the transactions that are not over").arg(format()).arg(cache_dir()))
        .after_help(EXAMPLES)
}

fn options() -> [Arg; 4] {
    let hook = |name: &'static str, help: &'static str| {
        Arg::new(name)
            .long(name)
            .value_name("CMD")
            .action(ArgAction::Append)
            .value_parser(value_parser!(OsString))
            .help(help)
    };
    [
        Arg::new("isolation")
            .long("isolation")
            .value_name("LEVEL")
            .value_parser(["read-committed", "serializable"])
            .default_value("read-committed")
            .help("Choose whether touched keys stay reserved until the end"),
        hook("on-commit", "Run a command after the commit, in the order given"),
        hook("on-rollback", "Run a command after a rollback, in reverse order"),
        cache_dir(),
    ]
}

/// Runs a transaction, or one of its steps.
pub fn run(host: &Host, arguments: &ArgMatches) -> Result<Termination, Failure> {
    match arguments.subcommand() {
        Some(("begin", arguments)) => begin(host, arguments),
        Some(("commit", arguments)) => end(host, arguments, Store::commit, "committed"),
        Some(("rollback", arguments)) => end(host, arguments, Store::roll_back, "rolled back"),
        Some(("list", arguments)) => list(host, arguments),
        _ => around(host, arguments),
    }
}

fn isolation(arguments: &ArgMatches) -> Isolation {
    match arguments.get_one::<String>("isolation").map(String::as_str) {
        Some("serializable") => Isolation::Serializable,
        _ => Isolation::ReadCommitted,
    }
}

fn hooks(host: &Host, arguments: &ArgMatches) -> Vec<Hook> {
    let directory = host.directory.clone().unwrap_or_else(|| PathBuf::from("/"));
    let of = |name: &str, kind: HookKind| {
        let commands = arguments.get_many::<OsString>(name).into_iter().flatten();
        let directory = directory.clone();
        commands.map(move |text| Hook {
            kind,
            command: text.as_bytes().to_vec(),
            directory: directory.clone(),
        })
    };
    of("on-commit", HookKind::Commit).chain(of("on-rollback", HookKind::Rollback)).collect()
}

fn tell(text: String) {
    say(&format!("warning: {text}"));
}

fn around(host: &Host, arguments: &ArgMatches) -> Result<Termination, Failure> {
    let store = StoreChoice::of(host, arguments).certain()?;
    let command = command_from(arguments);
    let transaction = TransactionRun {
        isolation: isolation(arguments),
        hooks: hooks(host, arguments),
        store: &store.dir,
        locking: store.locking,
        command: &command,
    };
    Ok(run_transaction(host, &transaction, &mut tell)?)
}

fn begin(host: &Host, arguments: &ArgMatches) -> Result<Termination, Failure> {
    if isolation(arguments) == Isolation::Serializable {
        return Err(Failure::new(
            "option --isolation: 'serializable' needs a process that lives until the end",
        )
        .hint("use 'taskcache transaction --isolation serializable -- COMMAND'"));
    }
    let expires = match arguments.get_one::<String>("expires") {
        None => EXPIRES,
        Some(text) => text.parse().map_err(|error| Failure::new(format!("option --expires: {error}")))?,
    };
    let mut store = Store::open(&StoreChoice::of(host, arguments).root()?)?;
    if let Some(around) = Context::of(host).transaction {
        store.enter_named(&around)?;
    }
    let beginning = Beginning {
        parent: store.entered().map(|row| row.id.clone()),
        isolation: Isolation::ReadCommitted,
        command: String::new(),
        expires: Some(expires),
        hooks: hooks(host, arguments),
    };
    let id = store.begin(&beginning, host.clock.now())?;
    print(&format!("{id}\n"))?;
    Ok(Termination::Exited(0))
}

fn end(
    host: &Host,
    arguments: &ArgMatches,
    end: impl FnOnce(&mut Store, &TransactionId) -> Result<Option<Ended>, crate::store::StoreError>,
    word: &str,
) -> Result<Termination, Failure> {
    let text = arguments.get_one::<String>("id").map(String::as_str).unwrap_or_default();
    let hint = "'taskcache transaction list' shows those that are not over";
    let id: TransactionId = text.parse().map_err(|error| Failure::new(format!("{error}")).hint(hint))?;
    let settings = StoreChoice::of(host, arguments).certain()?;
    let mut store = Store::open(&settings.dir)?.locking(settings.locking);
    store.sweep_transactions(host.clock.now())?;
    let ended = end(&mut store, &id)?;
    let ended = ended.ok_or_else(|| Failure::new(format!("the transaction {id} is over")).hint(hint))?;
    let place = if ended.joined { " into the transaction around" } else { "" };
    print(&format!("{word} {}{place}\n", entries(ended.entries)))?;
    run_hooks(host, &ended, &mut tell);
    Ok(Termination::Exited(0))
}

fn list(host: &Host, arguments: &ArgMatches) -> Result<Termination, Failure> {
    let rows = match Store::open_existing(&StoreChoice::of(host, arguments).root()?) {
        Ok(store) => store.transactions()?,
        Err(crate::store::StoreError::Missing(_)) => Vec::new(),
        Err(error) => return Err(error.into()),
    };
    if is_json(arguments) {
        let rows: Vec<_> = rows.iter().map(row_json).collect();
        print(&format!("{}\n", json!(rows)))?;
    } else if rows.is_empty() {
        print("no transactions\n")?;
    } else {
        let now = host.clock.now();
        let header = [
            ("ID", Align::Left),
            ("BEGUN", Align::Right),
            ("ENTRIES", Align::Right),
            ("ISOLATION", Align::Left),
            ("COMMAND", Align::Left),
        ];
        let cells = |row: &TransactionRow| {
            let command = printable(row.command.as_bytes());
            let isolation = row.isolation.name().to_owned();
            vec![row.id.to_string(), ago(row.created, now), row.entries.to_string(), isolation, command]
        };
        print(&table(&header, &rows.iter().map(cells).collect::<Vec<_>>()))?;
    }
    Ok(Termination::Exited(0))
}

fn row_json(row: &TransactionRow) -> serde_json::Value {
    json!({
        "id": row.id.as_str(),
        "parent": row.parent.as_ref().map(TransactionId::as_str),
        "created": row.created.to_string(),
        "expires": row.expires.map(|time| time.to_string()),
        "isolation": row.isolation.name(),
        "entries": row.entries,
        "command": row.command,
    })
}
