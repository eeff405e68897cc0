//! Why a run would be a hit or a miss, as people read it.
//!
//! The first line is the verdict, in the words of the status line. Then what differs from the nearest entry, the most
//! important first; then what would make it a hit; then what changes all the time, and what a run costs. Names come
//! from outside and are escaped; values of variables are nowhere to be told.

use super::advice::{ARGUMENT_INPUTS, Advice, WIDEST, fact};
use super::command_line::{command_line, quoted};
use super::entry::maker;
use super::moment::ago;
use super::table::shortened;
use crate::engine::around::{Around, ProjectFiles};
use crate::engine::event::{BypassReason, MissReason, Outcome};
use crate::engine::explain::{Absence, Explanation, Nearest};
use crate::model::cause::{Cause, Causes, Class};
use crate::model::difference::{Change, Comparison, Volatile};
use crate::model::entry::Entry;
use crate::model::fingerprint::IngredientKind;
use crate::model::folders::by_folder;
use crate::model::path::printable;
use crate::model::time::Timestamp;
use std::fmt::Write;

/// How many names of one class and change stand in a line of their own.
const HANDFUL: usize = 5;

/// How many volatile ingredients are told.
const MOST_VOLATILE: usize = 3;

/// Returns the explanation as text.
pub fn explanation_text(explanation: &Explanation) -> String {
    let mut text = format!("{}: {}\n", head(explanation), verdict(explanation));
    let advice = Advice::of(explanation);
    if let Some(entry) = &explanation.entry {
        text.push_str(&entry_line(entry));
    }
    if let Some(absence) = &explanation.absence {
        text.push_str(&absence_text(absence, explanation));
    }
    let mut section = |title: &str, lines: &[String]| {
        if !lines.is_empty() {
            // Writing to a String cannot fail.
            let _ = writeln!(text, "\n{title}");
            for line in lines {
                let _ = writeln!(text, "  {line}");
            }
        }
    };
    let title = match (advice.is_enough, advice.now.len()) {
        (true, 1) => "for a hit",
        (true, _) => "for a hit, all of these",
        (false, _) => "on the way to a hit (then ask again)",
    };
    section(title, &advice.now);
    let widest = advice.next.iter().map(|(option, _)| option.chars().count()).max().unwrap_or_default();
    let next = advice.next.iter().map(|(option, effect)| format!("{option:<widest$}  {effect}"));
    section("from the next run on", &next.collect::<Vec<_>>());
    if let Some(absence) = &explanation.absence {
        section("changes all the time", &volatile_lines(&absence.volatile));
        let cost = absence.cost.map(|cost| format!("{cost}, as the last run that was stored"));
        section("a run takes", cost.as_slice());
    }
    if let Some(around) = &explanation.around {
        section("not in the key, and other than it was", &around_lines(around));
        section("not known", &unknown_lines(around));
    }
    text
}

fn head(explanation: &Explanation) -> String {
    let outcome = explanation.outcome;
    let kind = outcome.kind().name();
    let key = explanation.key.map(|key| format!(" {}", key.short())).unwrap_or_default();
    let task = printable(&explanation.task);
    match outcome {
        Outcome::Hit | Outcome::Stale => format!("{kind} {task}{key}"),
        _ => format!("{kind} ({}) {task}{key}", outcome.reason()),
    }
}

/// Returns what the outcome means here.
pub fn verdict(explanation: &Explanation) -> String {
    let now = explanation.now;
    let note = || explanation.note.clone().unwrap_or_default();
    let entry = explanation.entry.as_deref();
    let made = || entry.map_or_else(String::new, |entry| ago(entry.created, now));
    match explanation.outcome {
        Outcome::Hit => format!("the result made {} would be given back", made()),
        Outcome::Stale => format!("the result made {} would be given back, and refreshed", made()),
        Outcome::Refresh => "the command would run, because a refresh is asked for".into(),
        Outcome::Verify => format!("the command would run, to be compared with the result made {}", made()),
        Outcome::Bypass(reason) => match reason {
            BypassReason::Disabled => "caching is switched off".into(),
            BypassReason::Behavior => "the behavior is 'disable'".into(),
            BypassReason::NoCache => "--no-cache is given".into(),
            BypassReason::Policy => "the policy is NONE".into(),
            BypassReason::NoFlow => "the policy needs a flow run, and there is none".into(),
            BypassReason::Stdin => {
                "the command reads standard input that is not keyed (--stdin inherit)".into()
            }
            BypassReason::Source | BypassReason::OwnFile | BypassReason::Store => note(),
        },
        Outcome::Miss(reason) => match (reason, entry) {
            (MissReason::Expired, Some(entry)) => {
                let until = entry.expires.map_or_else(String::new, |expires| ago(expires, now));
                format!("the result made {} expired {until}", made())
            }
            (MissReason::TooOld, _) => {
                let limit = explanation.max_age.unwrap_or_default();
                format!("the result made {} is older than --max-age {limit}", made())
            }
            (MissReason::Clock, Some(entry)) => format!("the result is from the future ({})", entry.created),
            (MissReason::Damaged, _) => "the entry is damaged, and the next run replaces it".into(),
            (MissReason::ExitCode, Some(entry)) => {
                let (code, taken) = (entry.exit_code, &explanation.cache_exit);
                format!("the result made {} has exit code {code}, and --cache-exit takes {taken}", made())
            }
            (MissReason::Joined, _) => {
                "both streams were captured as one, and now they lead to different places".into()
            }
            (MissReason::Absent | MissReason::Dependencies, _) => absent(explanation),
            _ => note(),
        },
    }
}

fn absent(explanation: &Explanation) -> String {
    let Some(absence) = &explanation.absence else { return "nothing is stored".into() };
    match (absence.last_seen, absence.of_other_format, &absence.nearest) {
        (Some(seen), ..) => {
            format!("a result was stored {} and is not there now", ago(seen, explanation.now))
        }
        (None, others, None) if others > 0 => {
            format!("the stored results of this task ({others}) have keys of another format")
        }
        (None, _, None) => "nothing is stored for this task".into(),
        (None, _, Some(_)) if explanation.reason() == Some(MissReason::Dependencies) => {
            "nothing is stored for these inputs and the files that the dependency file named".into()
        }
        (None, _, Some(_)) => "nothing is stored under this key".into(),
    }
}

fn entry_line(entry: &Entry) -> String {
    let made = &entry.provenance;
    format!(
        "made {} in {} by {}, ran {}\n",
        entry.created,
        printable(&made.directory),
        maker(made),
        entry.duration,
    )
}

fn absence_text(absence: &Absence, explanation: &Explanation) -> String {
    let mut text = String::new();
    if let Some(nearest) = &absence.nearest {
        text.push_str(&nearest_line(nearest, explanation.now, &explanation.task));
    }
    if absence.more {
        let _ = writeln!(text, "only the newest {} entries were compared; there are more", absence.compared);
    }
    if let Some(Nearest { causes, refusal, unknown, .. }) = &absence.nearest {
        text.push('\n');
        text.push_str(&causes_text(causes));
        if !unknown.is_empty() {
            let line = in_one_line(unknown);
            let _ = writeln!(text, "  not known, as the entry came from another store: {line}");
        }
        if let Some(reason) = refusal {
            let _ = writeln!(text, "\nits result could not be used either ({})", reason.name());
        }
    }
    text
}

fn nearest_line(nearest: &Nearest, now: Timestamp, task: &[u8]) -> String {
    let Nearest { entry, equal, all, .. } = nearest;
    let of = if entry.task == task { String::new() } else { format!(" of {}", printable(&entry.task)) };
    let (key, made) = (entry.key.short(), ago(entry.created, now));
    format!("nearest is {key}{of}, made {made}: {equal} of {all} ingredients are the same\n")
}

/// Returns the causes as lines that stand in columns.
pub fn causes_text(causes: &Causes) -> String {
    let mut text = String::new();
    for group in causes.list.chunk_by(|a, b| (a.class, a.change) == (b.class, b.change)) {
        let Some(first) = group.first() else { continue };
        for what in told(group) {
            let _ = writeln!(text, "  {:<11}  {:<7}  {what}", first.class.name(), first.change.name());
        }
    }
    let following = causes.following.len();
    if following > 0 {
        let _ = writeln!(text, "  and with that {following}: {}", in_one_line(&causes.following));
    }
    text
}

/// Returns what a group of one class and one change is about, a line each; by folders beyond a handful.
fn told(group: &[Cause]) -> Vec<String> {
    if group.len() <= HANDFUL {
        return group.iter().map(about).collect();
    }
    let names: Vec<&[u8]> = group.iter().map(|cause| cause.name.as_slice()).collect();
    if group.iter().all(|cause| cause.class.is_path()) {
        return in_folders(&names);
    }
    vec![in_one_line(&group.iter().map(about).collect::<Vec<_>>())]
}

fn in_folders(names: &[&[u8]]) -> Vec<String> {
    let groups = by_folder(names, HANDFUL).into_iter();
    let line = |name: &[u8], count| match count {
        1 => printable(name),
        count => format!("{} ({count} files)", printable(name)),
    };
    groups.map(|group| line(&group.name, group.count)).collect()
}

fn in_one_line(names: &[String]) -> String {
    let rest = names.len().saturating_sub(HANDFUL);
    let more = if rest > 0 { format!(" and {rest} more") } else { String::new() };
    format!("{}{more}", names[..names.len() - rest].join(", "))
}

/// Returns what one cause is about.
fn about(cause: &Cause) -> String {
    let name = printable(&cause.name);
    let shown = |text: &Option<Vec<u8>>| text.as_ref().map(|text| shortened(&quoted(text), WIDEST));
    let (old, new) = (shown(&cause.old), shown(&cause.new));
    let plain = match cause.class {
        Class::Argument => format!("word {}", position(&cause.name)),
        Class::Signature => fact(&cause.name),
        Class::Version if cause.name.is_empty() => "--version".into(),
        Class::Version => format!("--version-cmd {}", quoted(&cause.name)),
        Class::Key => "--key".into(),
        Class::Salt => "--salt".into(),
        Class::Stdin => "what it holds".into(),
        Class::RunId => "the flow run's".into(),
        _ => name,
    };
    if cause.class == Class::Signature && cause.name == ARGUMENT_INPUTS {
        let before = if cause.old.as_deref() == Some(b"no") { "said" } else { "not said" };
        return format!("{plain} ({before} before)");
    }
    let is = |new: String| if plain.is_empty() { new } else { format!("{plain} {new}") };
    match (old, new) {
        (Some(old), Some(new)) if old == new => is(format!("{new} (reached another way)")),
        (Some(old), Some(new)) => is(format!("{new} (was {old})")),
        (None, Some(new)) => is(new),
        (Some(old), None) => is(format!("(was {old})")),
        (None, None) => plain,
    }
}

/// Returns the position of a word without the zeros that sort it.
pub fn position(name: &[u8]) -> String {
    let text = printable(name);
    let plain = text.trim_start_matches('0');
    if plain.is_empty() { "0".into() } else { plain.to_owned() }
}

fn volatile_lines(volatile: &[Volatile]) -> Vec<String> {
    let label = |one: &Volatile| match one.kind {
        IngredientKind::Argument => format!("word {}", printable(&one.name)),
        kind => kind.label_of(&one.name),
    };
    let line = |one: &Volatile| format!("{} in {} of the last {} results", label(one), one.changed, one.of);
    let mut lines: Vec<_> = volatile.iter().take(MOST_VOLATILE).map(line).collect();
    let rest = volatile.len().saturating_sub(MOST_VOLATILE);
    if rest > 0 {
        lines.push(format!("and {rest} more"));
    }
    lines
}

fn around_lines(around: &Around) -> Vec<String> {
    let mut lines = Vec::new();
    let mut add =
        |what: &str, change: &str, told: &str| lines.push(format!("{what:<11}  {change:<7}  {told}"));
    for (what, is_noise) in [("environment", false), ("session", true)] {
        for change in [Change::Changed, Change::Added, Change::Removed] {
            let variables = around.variables.iter().flatten();
            let names = variables.filter(|one| one.change == change && one.is_noise == is_noise);
            let names: Vec<_> = names.map(|one| printable(&one.name)).collect();
            if !names.is_empty() {
                add(what, change.name(), &in_one_line(&names));
            }
        }
    }
    if let Some((old, new)) = &around.directory {
        add("cwd", "changed", &format!("{} (was {})", quoted(new), quoted(old)));
    }
    if let Some((old, new)) = &around.host {
        let (old, new) = (quoted(old.as_bytes()), quoted(new.as_bytes()));
        add("machine", "changed", &format!("{new} (was {old})"));
    }
    for name in &around.sources {
        add("source", "touched", &printable(name));
    }
    for change in [Change::Changed, Change::Removed] {
        let files = around.files.iter().flat_map(|files| &files.touched);
        let names: Vec<&[u8]> =
            files.filter(|(_, found)| *found == change).map(|(name, _)| name.as_slice()).collect();
        let word = if change == Change::Changed { "touched" } else { "missing" };
        let lines = match names.len() {
            0..=HANDFUL => names.iter().map(|name| printable(name)).collect(),
            _ => in_folders(&names),
        };
        for line in lines {
            add("file", word, &line);
        }
    }
    if lines.is_empty() {
        lines.push("nothing".into());
    }
    lines
}

fn unknown_lines(around: &Around) -> Vec<String> {
    let mut lines = Vec::new();
    if around.variables.is_none() {
        lines.push(
            "variables: the entry keeps no traces of them (it came from another store, or is of format 1)"
                .to_owned(),
        );
    }
    match &around.files {
        None => lines.push("files of the project: git tracks none here".into()),
        Some(ProjectFiles { looked_at, all, .. }) if looked_at < all => {
            lines.push(format!("files of the project: {looked_at} of {all} were looked at"));
        }
        Some(_) => {}
    }
    lines
}

/// Returns what two entries differ in, as text.
pub fn comparison_text(
    old: &Entry,
    new: &Entry,
    comparison: &Comparison,
    causes: &Causes,
    now: Timestamp,
) -> String {
    let mut text = String::new();
    for entry in [old, new] {
        let (key, made) = (entry.key.short(), ago(entry.created, now));
        let command = shortened(&command_line(&entry.command), WIDEST);
        let _ = writeln!(text, "{key}  made {made}: {command}");
    }
    let _ = writeln!(text, "{} of {} ingredients are the same", comparison.equal, comparison.all());
    let told = causes_text(causes);
    if !told.is_empty() {
        let _ = write!(text, "\n{told}");
    }
    if !comparison.unknown.is_empty() {
        let line = in_one_line(&comparison.unknown);
        let _ = writeln!(text, "\nnot known, as an entry came from another store: {line}");
    }
    text
}
