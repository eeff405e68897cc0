//! `taskcache local-cache export`: entries go into a file that another store can take in.

use super::{Shelf, filters, subcommand};
use crate::cli::failure::Failure;
use crate::cli::print;
use crate::model::count::entries;
use crate::model::fingerprint::CacheKey;
use crate::model::path::printable;
use crate::model::time::Size;
use crate::report::reporter::say;
use crate::store::export::{Exported, LeftOut};
use crate::world::process::Termination;
use crate::world::whole::{Readers, WholeFile};
use clap::{Arg, ArgMatches, Command, value_parser};
use std::collections::BTreeSet;
use std::io::BufWriter;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

/// Returns the subcommand.
pub(super) fn command() -> Command {
    subcommand("export", "Write entries into a file that another store can import")
        .arg(
            Arg::new("key").value_name("KEY").num_args(0..).help(
                "Name entries by key, or by its first 6 digits or more; all entries where none is given",
            ),
        )
        .arg(
            Arg::new("output")
                .long("output")
                .short('o')
                .value_name("FILE")
                .required(true)
                .value_parser(value_parser!(PathBuf))
                .help("Write to FILE, '-' for standard output"),
        )
        .args(filters())
        .after_help(
            "Exits with 1 when an entry had to be left out because it is damaged or no store would take it.",
        )
}

/// Runs it.
pub(super) fn run(shelf: &Shelf<'_>, arguments: &ArgMatches) -> Result<Termination, Failure> {
    let given = arguments.get_one::<PathBuf>("output").cloned().unwrap_or_default();
    let is_stdout = given.as_os_str() == "-";
    if is_stdout && shelf.host.terminals.stdout {
        return Err(Failure::new("an export is no text, and standard output is a terminal")
            .hint("name a file with -o, or redirect standard output"));
    }
    let mut selection = shelf.selection(arguments)?;
    if let Some(texts) = arguments.get_many::<String>("key") {
        selection.keys = Some(texts.map(|text| shelf.key(text)).collect::<Result<BTreeSet<_>, _>>()?);
    }
    let Some(store) = &shelf.store else {
        return Err(Failure::new("there is no store, so there is nothing to export"));
    };
    let keys = store.selected_keys(&selection)?;
    let now = shelf.now();
    let mut progress = shelf.choice.progress();
    progress.begin("exporting");
    let mut tell = |key: &CacheKey, why: &LeftOut| {
        progress.aside(|| say(&format!("warning: entry {} is left out: {why}", key.short())));
    };
    let exported = if is_stdout {
        store.export(&keys, now, BufWriter::new(std::io::stdout().lock()), &mut tell)?.0
    } else {
        let path = shelf.host.absolute(&given);
        let whole = WholeFile::create(&path, Readers::Owner)?;
        let (exported, writer) = store.export(&keys, now, BufWriter::new(whole.file()), &mut tell)?;
        drop(writer);
        whole.place()?;
        exported
    };
    progress.rest();
    let text = exported_text(exported);
    if is_stdout {
        say(&text);
    } else {
        print(&format!("{text} to '{}'\n", printable(given.as_os_str().as_bytes())))?;
    }
    Ok(Termination::Exited(u8::from(exported.left_out > 0)))
}

fn exported_text(exported: Exported) -> String {
    let mut text = format!("exported {}, {}", entries(exported.entries), Size::from_bytes(exported.bytes));
    if exported.expired > 0 {
        text.push_str(&format!("; {} had expired", exported.expired));
    }
    if exported.left_out > 0 {
        text.push_str(&format!("; {} left out", exported.left_out));
    }
    text
}
