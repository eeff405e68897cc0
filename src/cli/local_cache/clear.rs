//! `taskcache local-cache clear`: remove entries that a filter takes, or all.

use super::{Shelf, filters, removed_text, subcommand, switch};
use crate::cli::failure::Failure;
use crate::cli::print;
use crate::model::path::printable;
use clap::{ArgMatches, Command};
use std::io::BufRead;
use std::os::unix::ffi::OsStrExt;

/// Returns the subcommand.
pub(super) fn command() -> Command {
    subcommand("clear", "Remove entries, all of them unless a filter is given")
        .args(filters())
        .arg(switch("yes", "Do not ask").short('y'))
        .arg(switch("dry-run", "Say what would go, and leave it").short('n'))
}

/// Runs it.
pub(super) fn run(mut shelf: Shelf<'_>, arguments: &ArgMatches) -> Result<(), Failure> {
    let selection = shelf.selection(arguments)?;
    let Some(store) = &mut shelf.store else {
        return print("removed 0 entries, 0 B\n");
    };
    if arguments.get_flag("dry-run") {
        let plan = store.plan_removal(&selection)?;
        return print(&format!("would remove {}\n", removed_text(plan)));
    }
    let asks = shelf.host.terminals.stdin && shelf.host.terminals.stdout && !arguments.get_flag("yes");
    if asks {
        let plan = store.plan_removal(&selection)?;
        let root = printable(shelf.root.as_os_str().as_bytes());
        print(&format!("Remove {} from {root}? [y/N] ", removed_text(plan)))?;
        let mut answer = String::new();
        let read = std::io::stdin().lock().read_line(&mut answer);
        read.map_err(|error| Failure::new(format!("cannot read the answer: {error}")))?;
        if !matches!(answer.trim().to_ascii_lowercase().as_str(), "y" | "yes") {
            return print("nothing was removed\n");
        }
    }
    let mut progress = shelf.choice.progress();
    progress.begin("removing");
    let removed = store.remove(&selection);
    progress.rest();
    let removed = removed?;
    print(&format!("removed {}\n", removed_text(removed)))
}
