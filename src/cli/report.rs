//! `taskcache report`: what the cache did, as a page, a summary or an object.

use super::failure::Failure;
use super::print;
use super::store_choice::{StoreChoice, cache_dir, policy, since, time_ago};
use crate::model::path::printable;
use crate::model::time::Timestamp;
use crate::report::overview::chronicle::Chronicle;
use crate::report::overview::html::report_html;
use crate::report::overview::json::report_json;
use crate::report::overview::markdown::report_markdown;
use crate::report::overview::stored::{Depth, empty_overview, stored_overview};
use crate::report::overview::{Overview, Source};
use crate::store::history::{read_file, read_lines};
use crate::store::{Store, StoreError};
use crate::world::host::Host;
use crate::world::process::Termination;
use crate::world::whole::publish;
use clap::{Arg, ArgGroup, ArgMatches, Command, value_parser};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// Returns the subcommand.
pub fn command() -> Command {
    Command::new("report")
        .about("Report hits, misses and time saved")
        .disable_version_flag(true)
        .after_help(
            "Examples:\n  taskcache report --html report.html --since 30d\n  \
             taskcache report --format markdown --events events.jsonl >> \"$GITHUB_STEP_SUMMARY\"",
        )
        .arg(path(
            "html",
            "FILE",
            "Write a page that needs nothing but itself to FILE, '-' for standard output",
        ))
        .arg(
            Arg::new("format")
                .long("format")
                .value_name("FORMAT")
                .value_parser(["markdown", "json"])
                .help("Print a summary for a CI page, or everything for programs"),
        )
        .group(ArgGroup::new("form").args(["html", "format"]).required(true))
        .arg(since())
        .arg(path(
            "events",
            "FILE",
            "Report the runs in a file of --events instead of the store, '-' for standard input",
        ))
        .arg(cache_dir().conflicts_with("events"))
}

fn path(name: &'static str, value: &'static str, help: &'static str) -> Arg {
    Arg::new(name).long(name).value_name(value).value_parser(value_parser!(PathBuf)).help(help)
}

/// Runs it.
pub fn run(host: &Host, arguments: &ArgMatches) -> Result<Termination, Failure> {
    let now = host.clock.now();
    let since = arguments.get_one::<String>("since").map(|age| time_ago(now, "since", age)).transpose()?;
    let overview = match arguments.get_one::<PathBuf>("events") {
        Some(file) => events_overview(host, file, since)?,
        None => overview(host, arguments, since)?,
    };
    if let Some(file) = arguments.get_one::<PathBuf>("html") {
        let page = report_html(&overview);
        match file.as_os_str() == "-" {
            true => print(&page)?,
            false => publish(&host.absolute(file), page.as_bytes())?,
        }
    } else if arguments.get_one::<String>("format").is_some_and(|format| format == "json") {
        print(&format!("{}\n", report_json(&overview)))?;
    } else {
        print(&report_markdown(&overview))?;
    }
    Ok(Termination::Exited(0))
}

fn events_overview(host: &Host, file: &Path, since: Option<Timestamp>) -> Result<Overview, Failure> {
    let mut chronicle = Chronicle::new(since);
    let (name, damaged) = if file.as_os_str() == "-" {
        let read = read_lines(std::io::stdin().lock(), |happening| chronicle.take(happening));
        let failed = |error| Failure::new(format!("cannot read standard input: {error}"));
        ("standard input".to_owned(), read.map_err(failed)?)
    } else {
        let damaged = read_file(&host.absolute(file), |happening| chronicle.take(happening))?;
        (printable(file.as_os_str().as_bytes()), damaged)
    };
    chronicle.damaged = damaged;
    Ok(Overview::of(host.clock.now(), Source::Events(name), chronicle, None))
}

fn overview(host: &Host, arguments: &ArgMatches, since: Option<Timestamp>) -> Result<Overview, Failure> {
    let now = host.clock.now();
    let choice = StoreChoice::of(host, arguments);
    let root = choice.root()?;
    match Store::open_existing(&root) {
        Ok(store) => Ok(stored_overview(&store, policy(&choice.likely()?), now, since, Depth::Entries)?),
        Err(StoreError::Missing(_)) => Ok(empty_overview(&root, now, since)),
        Err(error) => Err(error.into()),
    }
}
