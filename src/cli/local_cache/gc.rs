//! `taskcache local-cache gc`: the store is brought within its limits.

use super::{Shelf, removed_text, subcommand, switch};
use crate::cli::failure::Failure;
use crate::cli::print;
use crate::cli::store_choice::policy;
use crate::model::retention::Reason;
use crate::model::time::Size;
use crate::store::removal::Removed;
use clap::{Arg, ArgMatches, Command};

/// Returns the subcommand.
pub(super) fn command() -> Command {
    subcommand("gc", "Bring the store within its limits")
        .arg(
            Arg::new("max-size")
                .long("max-size")
                .value_name("SIZE")
                .help("Keep at most this many bytes of content, such as 5GiB"),
        )
        .arg(
            Arg::new("max-age")
                .long("max-age")
                .value_name("AGE")
                .help("Keep nothing that was not used for this long, such as 30d"),
        )
        .arg(switch("dry-run", "Say what would go, and leave it").short('n'))
}

/// Runs it.
pub(super) fn run(mut shelf: Shelf<'_>, arguments: &ArgMatches) -> Result<(), Failure> {
    let settings = shelf.choice.certain()?;
    let mut policy = policy(&settings);
    if let Some(text) = arguments.get_one::<String>("max-size") {
        policy.max_size =
            text.parse().map_err(|error| Failure::new(format!("option --max-size: {error}")))?;
    }
    if let Some(text) = arguments.get_one::<String>("max-age") {
        policy.max_age = text.parse().map_err(|error| Failure::new(format!("option --max-age: {error}")))?;
        policy.insists = true;
    }
    let now = shelf.now();
    let Some(mut store) = shelf.store.take().map(|store| store.locking(settings.locking)) else {
        return print("removed 0 entries, 0 B; 0 B stay\n");
    };
    let is_dry = arguments.get_flag("dry-run");
    let mut progress = shelf.choice.progress();
    progress.begin("collecting");
    let plan = match is_dry {
        true => store.plan_collection(policy, now),
        false => store.collect(policy, now).map(|collected| collected.plan),
    };
    progress.rest();
    let (word, plan) = (if is_dry { "would remove" } else { "removed" }, plan?);
    let removed = Removed { entries: plan.removed.len() as u64, bytes: plan.freed };
    let mut text = format!("{word} {}; {} stay\n", removed_text(removed), Size::from_bytes(plan.kept));
    for reason in Reason::ALL {
        match plan.count(reason) {
            0 => {}
            count => text.push_str(&format!("  {count} {}\n", reason.words())),
        }
    }
    if let Some(held) = plan.held {
        text.push_str(&format!("  {held}\n"));
    }
    print(&text)
}
