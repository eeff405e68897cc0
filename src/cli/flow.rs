//! `taskcache flow`: a flow run around nested runs.

use super::failure::Failure;
use super::options::{command_argument, command_from};
use crate::engine::flow::{FlowRun, run as run_flow};
use crate::world::host::Host;
use crate::world::process::Termination;
use clap::{Arg, ArgAction, ArgMatches, Command};

const EXAMPLES: &str = "\
Examples:
  taskcache flow --name nightly --param day=2026-11-21 -- ./pipeline.sh
  inside: taskcache run --policy 'INPUTS + RUN_ID' -- ./fetch   once in each flow run
          taskcache run --policy 'FLOW_PARAMETERS + TASK_SOURCE' -- ./report   once a day";

/// Returns the subcommand.
pub fn command() -> Command {
    Command::new("flow")
        .about("Run a command as a flow, whose id and parameters nested runs can have in their keys")
        .override_usage("taskcache flow [--name NAME] [--param NAME=VALUE]... [--] COMMAND [ARG]...")
        .disable_version_flag(true)
        .arg(Arg::new("name").long("name").value_name("NAME").help("Name the flow"))
        .arg(
            Arg::new("param")
                .long("param")
                .short('p')
                .value_name("NAME=VALUE")
                .action(ArgAction::Append)
                .help("Give the flow run a parameter"),
        )
        .arg(command_argument().required(true))
        .after_help(EXAMPLES)
}

/// Runs the flow.
pub fn run(host: &Host, arguments: &ArgMatches) -> Result<Termination, Failure> {
    let mut parameters: Vec<(String, String)> = Vec::new();
    for text in arguments.get_many::<String>("param").into_iter().flatten() {
        let Some((name, value)) = text.split_once('=').filter(|(name, _)| !name.is_empty()) else {
            return Err(Failure::new(format!("option --param: '{}' has no name", text.escape_debug()))
                .hint("write NAME=VALUE"));
        };
        parameters.retain(|(known, _)| known != name);
        parameters.push((name.to_owned(), value.to_owned()));
    }
    let command = command_from(arguments);
    let name = arguments.get_one::<String>("name").cloned();
    Ok(run_flow(host, &FlowRun { name, parameters, command: &command })?)
}
