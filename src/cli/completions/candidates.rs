//! `taskcache complete WORD...`: what the word at the cursor can be. It is for the completion scripts, which ask with
//! the words up to the cursor, the program's own name first, and is not in the help.
//!
//! The answer begins with a line that says what follows:
//!
//! - `values`: one candidate a line, a tab, and what it means
//! - `command N`: the words from number N on, counted from 0, are a command line of their own
//! - `static`: the script knows as much
//!
//! Deliberately absent: errors. Somebody pressed a key; a config that is wrong or a store that is missing has no
//! candidates, and the next real command says why.

use super::cursor::{Cursor, Place, cursor_of};
use crate::cli::failure::Failure;
use crate::cli::print;
use crate::config::names::Names;
use crate::config::resolve::survey;
use crate::model::path::printable;
use crate::store::Store;
use crate::world::host::Host;
use crate::world::process::Termination;
use std::ffi::OsString;
use std::os::unix::ffi::OsStrExt;

/// How many keys are offered at once; whoever types more digits sees others.
const MOST_KEYS: u32 = 100;

/// A candidate, and what it means.
type Candidate = (Vec<u8>, String);

/// Prints the candidates for the last word.
pub(in crate::cli) fn run(host: &Host, words: &[OsString]) -> Result<Termination, Failure> {
    // Options of the shell's making end here; the words may look like options.
    let words = words.strip_prefix(&[OsString::from("--")]).unwrap_or(words);
    let cursor = cursor_of(&crate::cli::command(), words);
    let values = match cursor.place {
        Place::Static => return answer("static\n"),
        Place::Command(at) => return answer(&format!("command {at}\n")),
        // Only a transaction has both; its own words are few, and the command's can follow a '--'.
        Place::Step => steps(),
        Place::Task => named(host, &cursor, |names| names.tasks),
        Place::Environment => named(host, &cursor, |names| names.environments),
        Place::Policy => named(host, &cursor, |names| names.policies),
        Place::StoredTask => stored(host, &cursor, |store| {
            Some(store.index().ok()?.tasks().ok()?.into_iter().map(|task| (task, String::new())).collect())
        }),
        Place::Key => stored(host, &cursor, |store| {
            let keys = store.index().ok()?.keys_like(cursor.typed.to_str()?, MOST_KEYS).ok()?.into_iter();
            Some(keys.map(|(key, task)| (key.to_string().into_bytes(), printable(&task))).collect())
        }),
        Place::Transaction => stored(host, &cursor, |store| {
            let rows = store.transactions().ok()?.into_iter();
            Some(
                rows.map(|row| (row.id.to_string().into_bytes(), printable(row.command.as_bytes())))
                    .collect(),
            )
        }),
    };
    let mut lines = String::from("values\n");
    for (value, says) in values {
        let text = printable(&value);
        // A name with a line's end in it would be two candidates, and one with an escape cannot be typed.
        if value.starts_with(cursor.typed.as_bytes()) && text.as_bytes() == value {
            lines.push_str(&format!("{text}\t{says}\n"));
        }
    }
    answer(&lines)
}

fn answer(text: &str) -> Result<Termination, Failure> {
    print(text)?;
    Ok(Termination::Exited(0))
}

/// Returns the steps of a transaction.
fn steps() -> Vec<Candidate> {
    let command = crate::cli::transaction::command();
    let about = |step: &clap::Command| step.get_about().map(ToString::to_string).unwrap_or_default();
    command.get_subcommands().map(|step| (step.get_name().as_bytes().to_vec(), about(step))).collect()
}

/// Returns names from the config files.
fn named(host: &Host, cursor: &Cursor, which: impl Fn(Names) -> Vec<(String, String)>) -> Vec<Candidate> {
    let names = Names::of(host, &cursor.layer).map(which).unwrap_or_default().into_iter();
    names.map(|(name, says)| (name.into_bytes(), printable(says.as_bytes()))).collect()
}

/// Returns what the store has, where there is one.
fn stored(host: &Host, cursor: &Cursor, what: impl Fn(&Store) -> Option<Vec<Candidate>>) -> Vec<Candidate> {
    let folder = survey(host, &cursor.layer).ok().and_then(|resolved| resolved.store.ok());
    let store = folder.and_then(|folder| Store::open_existing(&folder.dir).ok());
    store.as_ref().and_then(what).unwrap_or_default()
}
