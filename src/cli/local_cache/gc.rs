//! `taskcache local-cache gc`: the store is brought within its limits.

use super::{Shelf, progress, removed_text, subcommand, switch};
use crate::cli::failure::Failure;
use crate::cli::print;
use crate::config::layer::Layer;
use crate::config::location::{DEFAULT_AGE, DEFAULT_SIZE};
use crate::config::resolve::survey;
use crate::model::retention::{Reason, RetentionPolicy};
use crate::model::time::Size;
use crate::store::removal::Removed;
use crate::world::host::Host;
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

/// Returns the limits that the config sets.
pub(in crate::cli) fn policy(host: &Host) -> Result<RetentionPolicy, Failure> {
    let settings = survey(host, &Layer::new())?.store.ok();
    Ok(RetentionPolicy {
        max_size: settings.as_ref().map_or(DEFAULT_SIZE, |store| store.max_size),
        max_age: settings.as_ref().map_or(DEFAULT_AGE, |store| store.max_age),
        insists: false,
    })
}

/// Runs it.
pub(super) fn run(mut shelf: Shelf<'_>, arguments: &ArgMatches) -> Result<(), Failure> {
    let mut policy = policy(shelf.host)?;
    if let Some(text) = arguments.get_one::<String>("max-size") {
        policy.max_size =
            text.parse().map_err(|error| Failure::new(format!("option --max-size: {error}")))?;
    }
    if let Some(text) = arguments.get_one::<String>("max-age") {
        policy.max_age = text.parse().map_err(|error| Failure::new(format!("option --max-age: {error}")))?;
        policy.insists = true;
    }
    let now = shelf.now();
    let settings = survey(shelf.host, &Layer::new())?.store.ok();
    let locking = settings.map(|store| store.locking).unwrap_or_default();
    let Some(mut store) = shelf.store.take().map(|store| store.locking(locking)) else {
        return print("removed 0 entries, 0 B; 0 B stay\n");
    };
    let is_dry = arguments.get_flag("dry-run");
    let mut progress = progress(shelf.host);
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
