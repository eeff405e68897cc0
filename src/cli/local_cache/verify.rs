//! `taskcache local-cache verify`: everything is read, and what is wrong is told and mended.

use super::{subcommand, switch};
use crate::cli::failure::Failure;
use crate::cli::print;
use crate::cli::store_choice::{StoreChoice, format, is_json};
use crate::model::count::{counted, entries};
use crate::model::path::printable;
use crate::model::time::Size;
use crate::report::progress::Progress;
use crate::store::StoreError;
use crate::store::finding::{Checked, Finding, Repair, Subject};
use crate::store::verification::verify;
use crate::world::host::Host;
use crate::world::process::Termination;
use clap::{ArgMatches, Command};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// Returns the subcommand.
pub(super) fn command() -> Command {
    subcommand("verify", "Read everything and say what is wrong")
        .arg(switch("repair", "Remove what cannot be trusted and write anew what can"))
        .arg(format())
        .after_help("Exits with 1 when something was wrong, mended or not.")
}

/// Runs it. The store is opened here and not by the caller: a damaged one is what is looked for.
pub(super) fn run(
    host: &Host,
    choice: &StoreChoice<'_>,
    root: &Path,
    arguments: &ArgMatches,
) -> Result<Termination, Failure> {
    let now = host.clock.now();
    let mends = arguments.get_flag("repair");
    let as_json = is_json(arguments);
    let mut ways_out = BTreeSet::new();
    let mut written = if as_json { print("{\"findings\":[") } else { Ok(()) };
    let mut is_first = true;
    let mut progress = choice.progress();
    let mut tell = |progress: &mut Progress, finding: &Finding| {
        if written.is_err() {
            return;
        }
        written = if as_json {
            let comma = if is_first { "" } else { "," };
            progress.aside(|| print(&format!("{comma}\n{}", json_of(finding))))
        } else {
            if finding.fault.is_damage() && finding.repair != Repair::Done {
                ways_out.insert(finding.fault);
            }
            progress.aside(|| print(&text_of(finding, root)))
        };
        is_first = false;
    };
    progress.begin("verifying");
    let verified = verify(root, mends, now, &mut |finding: &Finding| tell(&mut progress, finding));
    progress.rest();
    let checked = match verified {
        Ok(checked) => checked,
        // What was never made has nothing wrong with it.
        Err(StoreError::Missing(_)) => Checked::default(),
        Err(error) => {
            // The document was begun; whoever reads it is told by the exit code that it has no end.
            return Err(error.into());
        }
    };
    written?;
    if as_json {
        print(&format!("\n],\"checked\":{}}}\n", json_of_sums(&checked)))?;
    } else {
        print(&sums_text(&checked))?;
        for fault in ways_out {
            print(&format!("{}: {}\n", fault.name(), fault.way_out()))?;
        }
    }
    Ok(Termination::Exited(u8::from(checked.damages > 0)))
}

fn subject_text(subject: &Subject, root: &Path) -> String {
    match subject {
        Subject::Store => "the store".into(),
        Subject::Entry(key) => format!("entry {}", key.short()),
        Subject::Content(digest) => format!("content {}", digest.short()),
        Subject::Path(path) => {
            let path = path.strip_prefix(root).unwrap_or(path);
            match path.as_os_str().is_empty() {
                true => "the store's folder".into(),
                false => format!("'{}'", printable(path.as_os_str().as_bytes())),
            }
        }
    }
}

fn text_of(finding: &Finding, root: &Path) -> String {
    let word = if finding.fault.is_damage() { "damage" } else { "note" };
    let repaired = match &finding.repair {
        Repair::None => String::new(),
        Repair::Done => "; mended".into(),
        Repair::Failed(why) => format!("; not mended: {}", printable(why.as_bytes())),
    };
    let subject = subject_text(&finding.subject, root);
    format!("{word:<6}  {:<16} {subject}: {}{repaired}\n", finding.fault.name(), finding.detail)
}

fn sums_text(checked: &Checked) -> String {
    let mut text = format!(
        "checked {} and {}, {}: ",
        entries(checked.entries),
        counted(checked.contents, "content", "contents"),
        Size::from_bytes(checked.bytes)
    );
    match checked.damages {
        0 => text.push_str("nothing is wrong"),
        damages => text.push_str(&counted(damages, "damage", "damages")),
    }
    if checked.notes > 0 {
        text.push_str(&format!(", {}", counted(checked.notes, "note", "notes")));
    }
    if checked.repaired > 0 {
        text.push_str(&format!(", {} mended", checked.repaired));
    }
    if checked.failed > 0 {
        text.push_str(&format!(", {} not mended", checked.failed));
    }
    text + "\n"
}

fn json_of(finding: &Finding) -> Value {
    let (entry, content, path) = match &finding.subject {
        Subject::Store => (None, None, None),
        Subject::Entry(key) => (Some(key.to_string()), None, None),
        Subject::Content(digest) => (None, Some(digest.to_string()), None),
        Subject::Path(path) => (None, None, Some(printable(path.as_os_str().as_bytes()))),
    };
    json!({
        "kind": finding.fault.name(),
        "severity": if finding.fault.is_damage() { "damage" } else { "note" },
        "entry": entry,
        "content": content,
        "path": path,
        "detail": finding.detail,
        "repair": finding.repair.name(),
        "repair_error": match &finding.repair {
            Repair::Failed(why) => Some(printable(why.as_bytes())),
            Repair::None | Repair::Done => None,
        },
        "way_out": finding.fault.way_out(),
    })
}

fn json_of_sums(checked: &Checked) -> Value {
    json!({
        "entries": checked.entries,
        "contents": checked.contents,
        "bytes": checked.bytes,
        "damages": checked.damages,
        "notes": checked.notes,
        "repaired": checked.repaired,
        "failed": checked.failed,
    })
}
