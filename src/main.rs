//! The `taskcache` program: capture the machine, run, end as the command ended.

use std::ffi::OsString;
use std::process::ExitCode;
use taskcache::world::background;
use taskcache::world::host::Host;
use taskcache::world::process::{Termination, die_by, outlive_file_limit};

fn main() -> ExitCode {
    outlive_file_limit();
    let host = Host::capture();
    background::detach(&host);
    let invocation: Vec<OsString> = std::env::args_os().collect();
    match taskcache::cli::run(&host, &invocation) {
        Termination::Exited(code) => ExitCode::from(code),
        Termination::Signalled(signal) => die_by(signal),
    }
}
