//! `taskcache init`: write a commented `taskcache.toml`.

use super::failure::Failure;
use super::print;
use crate::config::file::PROJECT_FILE;
use crate::config::starter::{starter, telling_files};
use crate::world::document::{is_there, write_new};
use crate::world::host::Host;
use crate::world::process::Termination;
use clap::{Arg, ArgAction, ArgMatches, Command};
use std::path::PathBuf;

/// Returns the subcommand.
pub fn command() -> Command {
    Command::new("init")
        .about("Write a commented taskcache.toml into the working directory")
        .long_about(
            "Write a commented taskcache.toml into the working directory. It changes nothing until a comment is taken \
             away. Where a Makefile, Cargo.toml, package.json, pyproject.toml or go.mod stands beside it, it shows a \
             task for that tool.",
        )
        .disable_version_flag(true)
        .arg(
            Arg::new("stdout")
                .long("stdout")
                .action(ArgAction::SetTrue)
                .help("Print it instead of writing it"),
        )
}

/// Writes the file, or prints it.
pub fn run(host: &Host, arguments: &ArgMatches) -> Result<Termination, Failure> {
    let folder = host.directory.clone().unwrap_or_else(|| PathBuf::from("."));
    let present: Vec<_> = telling_files().filter(|name| is_there(&folder.join(name))).collect();
    let name = folder.file_name().map(|name| name.to_string_lossy().into_owned());
    let text = starter(name.as_deref().unwrap_or("project"), &present);
    if arguments.get_flag("stdout") {
        print(&text)?;
        return Ok(Termination::Exited(0));
    }
    let path = folder.join(PROJECT_FILE);
    write_new(&path, &text).map_err(|error| {
        if error.is(rustix::io::Errno::EXIST) {
            Failure::new(format!("there is a {PROJECT_FILE} here already"))
                .hint("'taskcache init --stdout' prints what would be written")
        } else {
            error.into()
        }
    })?;
    print(&format!("wrote {PROJECT_FILE}\n"))?;
    Ok(Termination::Exited(0))
}
