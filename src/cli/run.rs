//! `taskcache run`: run a command, or replay it.

use super::failure::Failure;
use super::options::{command_argument, command_from, layer_from, run_arguments};
use crate::config::layer::Layer;
use crate::config::resolve::{Resolved, resolve};
use crate::config::variables::unknown;
use crate::engine::run::{Job, run as run_job};
use crate::report::reporter::{Reporter, say};
use crate::world::background::is_background;
use crate::world::host::Host;
use crate::world::process::Termination;
use clap::{ArgMatches, Command};
use std::ffi::OsString;

const EXAMPLES: &str = "\
Examples:
  taskcache run -- ./slow-report --year 2026
  taskcache run --ttl 10m -- curl -s https://example.org/rates
  taskcache run -i 'src/**/*.c' -i Makefile -o build -- make
  taskcache run --depfile main.d -o main.o -- cc -MMD -c main.c
  taskcache run --task train          the command of [task.train] in taskcache.toml

Exit codes: the command's own; 124 a miss under --cached-only; 125 a failure of
taskcache; 126 found but not executable; 127 not found

'--no-' undoes a switch that a config or a variable sets, as in --no-serialize.
'taskcache explain' with the same words says why a run hits or misses.";

/// Returns the subcommand.
pub fn command() -> Command {
    Command::new("run")
        .about("Run a command, or replay its stored result")
        .override_usage("taskcache run [OPTIONS] [--] COMMAND [ARG]...")
        .disable_version_flag(true)
        .args(run_arguments())
        .arg(command_argument())
        .after_help(EXAMPLES)
}

/// A command that is to be run, with its settings.
#[derive(Debug)]
pub struct Requested {
    /// All options.
    pub resolved: Resolved,
    /// The command.
    pub command: Vec<OsString>,
    /// Whether it is the config's.
    pub from_config: bool,
}

impl Requested {
    /// Reads options and command from flags, variables and files.
    pub fn of(host: &Host, arguments: &ArgMatches) -> Result<Self, Failure> {
        Self::by(host, &layer_from(arguments), command_from(arguments))
    }

    /// Adds to the options of the command line those of variables and files.
    fn by(host: &Host, flags: &Layer, given: Vec<OsString>) -> Result<Self, Failure> {
        let resolved = resolve(host, flags, &given)?;
        for strange in unknown(host) {
            if resolved.settings.strict {
                return Err(strange.into());
            }
            let hint = strange.hint().map(|hint| format!("; {hint}")).unwrap_or_default();
            say(&format!("warning: {strange}{hint}"));
        }
        let from_config = given.is_empty();
        let command = if from_config { resolved.settings.command.clone() } else { given };
        Ok(Self { resolved, command, from_config })
    }

    /// Returns the job, as somebody asks for it who looks on. A command of a project's config runs in the project's
    /// folder, as its patterns count from there. Where no store can be named there is none.
    pub fn job<'a>(&'a self, host: &'a Host) -> Job<'a> {
        let settings = &self.resolved.settings;
        let store = self.resolved.store.as_ref().ok();
        Job {
            host,
            settings,
            store: store.map(|store| store.dir.as_path()),
            locking: store.map(|store| store.locking).unwrap_or_default(),
            command: &self.command,
            directory: settings.project_root.as_deref().filter(|_| self.from_config),
            version: super::VERSION,
            invocation: &[],
            background: false,
        }
    }
}

/// Runs the command.
pub fn run(host: &Host, arguments: &ArgMatches, invocation: &[OsString]) -> Result<Termination, Failure> {
    run_command(host, &layer_from(arguments), command_from(arguments), invocation)
}

/// Runs a command with the options of the command line.
pub fn run_command(
    host: &Host,
    flags: &Layer,
    command: Vec<OsString>,
    invocation: &[OsString],
) -> Result<Termination, Failure> {
    let requested = Requested::by(host, flags, command)?;
    let mut reporter = Reporter::new(&requested.resolved.settings, host);
    let job = Job { invocation, background: is_background(host), ..requested.job(host) };
    Ok(run_job(job, &mut reporter)?)
}
