//! `taskcache key`: print the key that a run would have, and nothing else.

use super::failure::Failure;
use super::options::{command_argument, run_arguments};
use super::print;
use super::run::Requested;
use crate::engine::key::key_of;
use crate::world::host::Host;
use crate::world::process::Termination;
use clap::{ArgMatches, Command};

const EXAMPLES: &str = "\
Examples:
  taskcache key -i 'src/**' -- make               64 hex digits
  taskcache local-cache show $(taskcache key -- make)

It takes all options of 'taskcache run'; 'taskcache run -h' lists them.";

/// Returns the subcommand.
pub fn command() -> Command {
    Command::new("key")
        .about("Print the key that a run would have")
        .override_usage("taskcache key [OPTIONS] [--] COMMAND [ARG]...")
        .disable_version_flag(true)
        .args(run_arguments())
        .arg(command_argument())
        .after_help(EXAMPLES)
}

/// Prints the key.
pub fn run(host: &Host, arguments: &ArgMatches) -> Result<Termination, Failure> {
    let requested = Requested::of(host, arguments)?;
    print(&format!("{}\n", key_of(requested.job(host))?))?;
    Ok(Termination::Exited(0))
}
