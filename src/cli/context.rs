//! `taskcache context`: what a command inside of a run can know about it.

use super::failure::Failure;
use super::print;
use crate::engine::context::Context;
use crate::world::host::Host;
use crate::world::process::Termination;
use clap::Command;

/// Returns the subcommand.
pub fn command() -> Command {
    Command::new("context")
        .about("Print the run around this command as JSON")
        .long_about(
            "Print the run around this command as JSON: its task, key, outcome, flow run and transaction. \
             Outside of a run all of them are null.",
        )
        .disable_version_flag(true)
}

/// Prints the context.
pub fn run(host: &Host) -> Result<Termination, Failure> {
    print(&format!("{}\n", Context::of(host).to_json()))?;
    Ok(Termination::Exited(0))
}
