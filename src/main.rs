//! The `taskcache` program: capture the machine, run, end as the command ended.

use std::process::ExitCode;
use taskcache::world::host::Host;
use taskcache::world::process::{Termination, die_by};

fn main() -> ExitCode {
    let host = Host::capture();
    match taskcache::cli::run(&host, std::env::args_os().collect()) {
        Termination::Exited(code) => ExitCode::from(code),
        Termination::Signalled(signal) => die_by(signal),
    }
}
