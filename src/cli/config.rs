//! `taskcache config`: what the options are, where they come from, and whether the files are right.

use super::failure::Failure;
use super::print;
use crate::config::layer::Layer;
use crate::config::resolve::{check, survey};
use crate::config::schema::schema;
use crate::model::path::printable;
use crate::report::reporter::say;
use crate::report::table::{Align, table};
use crate::world::host::Host;
use crate::world::process::Termination;
use clap::{Arg, ArgMatches, Command, value_parser};
use std::ffi::OsString;
use std::os::unix::ffi::OsStrExt;

/// Returns the subcommand.
pub fn command() -> Command {
    let sub =
        |name: &'static str, about: &'static str| Command::new(name).about(about).disable_version_flag(true);
    Command::new("config")
        .about("Show and check the configuration")
        .disable_version_flag(true)
        .subcommand_required(true)
        .arg_required_else_help(true)
        .subcommand(
            sub("show", "Print each option with its value and where it came from").arg(
                Arg::new("task")
                    .long("task")
                    .short('t')
                    .value_name("NAME")
                    .value_parser(value_parser!(OsString))
                    .help("Show what counts for this task"),
            ),
        )
        .subcommand(sub("check", "Check the config files, all tables of them"))
        .subcommand(sub("path", "Print the config files that are read"))
        .subcommand(sub("schema", "Print the JSON schema of taskcache.toml, for editors"))
}

/// Runs one of the subcommands.
pub fn run(host: &Host, arguments: &ArgMatches) -> Result<Termination, Failure> {
    match arguments.subcommand() {
        Some(("show", arguments)) => show(host, arguments),
        Some(("check", _)) => check_files(host),
        Some(("path", _)) => path(host),
        Some(("schema", _)) => print(&format!("{:#}\n", schema())).map(|()| Termination::Exited(0)),
        _ => Err(Failure::new("a subcommand is missing")),
    }
}

fn show(host: &Host, arguments: &ArgMatches) -> Result<Termination, Failure> {
    use crate::config::layer::{Origin, RawValue};
    use crate::config::options::OptionName;
    let mut flags = Layer::new();
    if let Some(task) = arguments.get_one::<OsString>("task") {
        flags.set(OptionName::Task, RawValue::Text(task.clone()), Origin::Flag("--task".into()));
    }
    let resolved = survey(host, &flags)?;
    let rows: Vec<_> = resolved
        .origins
        .iter()
        .map(|option| vec![option.name.clone(), option.to_string(), option.origin.to_string()])
        .collect();
    let header = [("OPTION", Align::Left), ("VALUE", Align::Left), ("FROM", Align::Left)];
    print(&table(&header, &rows))?;
    Ok(Termination::Exited(0))
}

/// Says everything that is wrong at once, and exits with 1 then: the files are what is asked about here.
fn check_files(host: &Host) -> Result<Termination, Failure> {
    let faults = check(host, &Layer::new());
    for fault in &faults {
        say(&format!("error: {fault}"));
        if let Some(hint) = fault.hint() {
            say(&format!("hint: {hint}"));
        }
    }
    Ok(Termination::Exited(u8::from(!faults.is_empty())))
}

fn path(host: &Host) -> Result<Termination, Failure> {
    let resolved = survey(host, &Layer::new())?;
    for path in [resolved.project_file, resolved.user_file].into_iter().flatten() {
        print(&format!("{}\n", printable(path.as_os_str().as_bytes())))?;
    }
    Ok(Termination::Exited(0))
}
