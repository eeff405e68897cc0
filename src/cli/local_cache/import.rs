//! `taskcache local-cache import`: entries of another store come in.

use super::{Shelf, subcommand};
use crate::cli::failure::Failure;
use crate::cli::print;
use crate::model::count::entries;
use crate::model::time::Size;
use crate::report::reporter::say;
use crate::store::Store;
use crate::store::exchange::ExchangeError;
use crate::store::import::{Imported, RefusedEntry};
use crate::world::file::{FileError, FileType, Witness, open_for_reading};
use crate::world::process::Termination;
use clap::{Arg, ArgMatches, Command, value_parser};
use std::fs::File;
use std::io::BufReader;
use std::path::{Path, PathBuf};

/// Returns the subcommand.
pub(super) fn command() -> Command {
    subcommand("import", "Take in entries that another store exported")
        .arg(
            Arg::new("file")
                .value_name("FILE")
                .required(true)
                .value_parser(value_parser!(PathBuf))
                .help("What 'export' wrote, '-' for standard input"),
        )
        .after_help(
            "An entry that is here stays unless the imported one was made later. Import only what you would run: \
             whoever made the file says what a command prints and writes.\n\n\
             Exits with 1 when an entry was refused.",
        )
}

/// Runs it.
pub(super) fn run(mut shelf: Shelf<'_>, arguments: &ArgMatches) -> Result<Termination, Failure> {
    let given = arguments.get_one::<PathBuf>("file").cloned().unwrap_or_default();
    let most = shelf.choice.likely()?.max_size;
    let now = shelf.now();
    let mut store = match shelf.store.take() {
        Some(store) => store,
        None => Store::open(&shelf.root)?,
    };
    let mut progress = shelf.choice.progress();
    progress.begin("importing");
    let imported = if given.as_os_str() == "-" {
        store.import(BufReader::new(std::io::stdin().lock()), most, now)?
    } else {
        store.import(BufReader::new(open_regular(&shelf.host.absolute(&given))?), most, now)?
    };
    progress.rest();
    for refused in &imported.refused {
        say(&format!("warning: {}", refusal_text(refused)));
    }
    if imported.refused_more > 0 {
        say(&format!("warning: {} more entries are refused", imported.refused_more));
    }
    print(&imported_text(&imported))?;
    Ok(Termination::Exited(u8::from(!imported.refused.is_empty())))
}

fn open_regular(path: &Path) -> Result<File, FileError> {
    let file = open_for_reading(path)?;
    let witness = Witness::of_open(&file).map_err(FileError::of("look at", path))?;
    match witness.file_type() {
        FileType::File => Ok(file),
        _ => Err(FileError::of("read", path)(std::io::Error::other(
            "it is no regular file; standard input is '-'",
        ))),
    }
}

fn refusal_text(refused: &RefusedEntry) -> String {
    let name = refused.key.map_or_else(|| "without a key".to_owned(), |key| key.short());
    format!("entry {name}, number {} of the export, is refused: {}", refused.number, refused.why)
}

fn imported_text(imported: &Imported) -> String {
    let mut text = format!("imported {}, {}", entries(imported.entries), Size::from_bytes(imported.bytes));
    if imported.kept > 0 {
        text.push_str(&format!("; {} kept as here", imported.kept));
    }
    if imported.expired > 0 {
        text.push_str(&format!("; {} had expired", imported.expired));
    }
    let refused = imported.refused.len() as u64 + imported.refused_more;
    if refused > 0 {
        text.push_str(&format!("; {refused} refused"));
    }
    text + "\n"
}

impl From<ExchangeError> for Failure {
    fn from(error: ExchangeError) -> Self {
        let hint = match &error {
            ExchangeError::Store(_) | ExchangeError::Write(_) | ExchangeError::Changed(_) => None,
            ExchangeError::Newer { .. } => Some("use the newer taskcache"),
            ExchangeError::Large(_) => Some("let the store hold more with 'max_size' in [store] of a config"),
            _ => Some("nothing was imported; export it once more"),
        };
        match error {
            ExchangeError::Store(error) => error.into(),
            ExchangeError::File(error) => error.into(),
            other => {
                let failure = Self::of(&other);
                hint.map_or(failure.clone(), |hint| failure.hint(hint))
            }
        }
    }
}
