//! What would make a miss a hit: what to undo now, and what to say from the next run on.
//!
//! Only what is true is said. Undoing every cause gives the nearest entry's key again; but where other options,
//! another folder or other words decide what else is in the key, that cannot be known beforehand, and the reader is
//! told to ask again. An option that leaves something out of the key is itself in the key, so it helps from the next
//! run on and never at once.

use super::command_line::{command_line, quoted};
use super::table::shortened;
use crate::engine::event::MissReason;
use crate::engine::explain::{Explanation, Nearest};
use crate::model::cause::{Cause, Class};
use crate::model::difference::Change;
use crate::model::ignore::IgnoreRule;
use crate::model::path::printable;
use crate::model::time::Span;
use std::collections::BTreeSet;

/// How many things of one kind are named before they are only counted.
const NAMED: usize = 3;

/// How many columns of a word or a command are shown: a script behind `sh -c` may be long.
pub(super) const WIDEST: usize = 100;

/// What to do.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Advice {
    /// What leads to the nearest entry, all of it together.
    pub now: Vec<String>,
    /// Whether that is known to be enough.
    pub is_enough: bool,
    /// Options that keep this from happening again, each with what it does.
    pub next: Vec<(String, &'static str)>,
}

impl Advice {
    /// Returns the advice for an explanation.
    pub fn of(explanation: &Explanation) -> Self {
        let mut advice = Self::default();
        if let Some(reason) = explanation.reason() {
            advice.for_entry(explanation, reason);
        }
        let absence = explanation.absence.as_ref();
        if let Some(nearest) = absence.and_then(|absence| absence.nearest.as_ref()) {
            advice.now = undoing(nearest);
            advice.is_enough = is_certain(nearest);
            advice.next = remedies(&nearest.causes.list, explanation.keys_all_variables);
        }
        advice
    }

    /// Advice for an entry that is there and cannot be used.
    fn for_entry(&mut self, explanation: &Explanation, reason: MissReason) {
        let Some(entry) = &explanation.entry else { return };
        match reason {
            MissReason::Expired => {
                let lived = entry.expires.and_then(|expires| expires.since(entry.created));
                let option = if entry.exit_code == 0 { "--ttl" } else { "--failure-ttl" };
                let longer = lived.map_or_else(String::new, |span| format!(" of more than {span}"));
                self.next.push((format!("{option}{longer}"), "keeps the next result longer"));
            }
            MissReason::TooOld => {
                let age = explanation.now.since(entry.created).unwrap_or_default();
                self.is_enough = explanation.is_sole_obstacle;
                self.now.push(format!("say --max-age {}", at_least(age)));
            }
            MissReason::ExitCode => {
                self.is_enough = explanation.is_sole_obstacle;
                self.now.push(format!("say --cache-exit {},{}", explanation.cache_exit, entry.exit_code));
            }
            _ => {}
        }
    }
}

/// Returns a length of time, in whole units, that is longer than `span` and has some room.
fn at_least(span: Span) -> String {
    match span.as_millis() / 1000 {
        seconds @ 0..60 => format!("{}s", seconds + 60),
        seconds @ 60..7200 => format!("{}m", seconds / 60 + 2),
        seconds @ 7200..172_800 => format!("{}h", seconds / 3600 + 1),
        seconds => format!("{}d", seconds / 86_400 + 1),
    }
}

/// Returns whether undoing the causes is known to give the entry's key. Options, words and folders decide what else
/// is in a key.
fn is_certain(nearest: &Nearest) -> bool {
    let is_plain = |cause: &Cause| match cause.class {
        Class::Salt
        | Class::Umask
        | Class::File
        | Class::Mode
        | Class::Dependency
        | Class::Stdin
        | Class::Environment
        | Class::Parameter
        | Class::RunId => true,
        Class::Source | Class::Version | Class::Value | Class::Probe => cause.change == Change::Changed,
        _ => false,
    };
    nearest.causes.following.is_empty()
        && nearest.unknown.is_empty()
        && nearest.refusal.is_none()
        && nearest.causes.list.iter().all(is_plain)
}

fn undoing(nearest: &Nearest) -> Vec<String> {
    let mut steps: Vec<String> = Vec::new();
    for group in nearest.causes.list.chunk_by(|a, b| (a.class, a.change) == (b.class, b.change)) {
        let Some(first) = group.first() else { continue };
        let is_argument = first.class == Class::Argument;
        if is_argument {
            steps.push(format!("run: {}", shortened(&command_line(&nearest.entry.command), WIDEST)));
        } else if group.len() > NAMED {
            steps.push(undo_many(first.class, first.change, group.len()));
        } else {
            steps.extend(group.iter().map(|cause| undo(cause, nearest)));
        }
    }
    // A script that is a declared input as well differs twice, and is put back once.
    let mut said = BTreeSet::new();
    steps.retain(|step| said.insert(step.clone()));
    steps
}

fn undo_many(class: Class, change: Change, count: usize) -> String {
    let what = match class {
        Class::File | Class::Mode | Class::Dependency | Class::Source => "files",
        Class::Environment => "variables",
        _ => "others",
    };
    match change {
        Change::Changed => format!("put the {count} changed {what} back as they were"),
        Change::Added if class == Class::Environment => format!("unset the {count} added {what}"),
        Change::Added => format!("take the {count} added {what} away"),
        Change::Removed => format!("put the {count} removed {what} back"),
    }
}

/// Returns what undoes a cause.
fn undo(cause: &Cause, nearest: &Nearest) -> String {
    let name = printable(&cause.name);
    let old = cause.old.as_ref().map(|old| quoted(old));
    let option = |option: &str| match cause.change {
        Change::Changed => format!("say the {option} that it had"),
        Change::Added => format!("leave {option} out"),
        Change::Removed => format!("say {option} again"),
    };
    match (cause.class, cause.change) {
        (Class::Project | Class::Domain | Class::Task | Class::Policy, _) => {
            let flag = format!("--{}", cause.class.name());
            old.map_or_else(|| option(&flag), |old| format!("say {flag} {old}"))
        }
        (Class::Key, _) => option("--key"),
        (Class::Salt, _) => option("--salt"),
        (Class::Umask, _) => {
            old.map_or_else(|| "set the umask that it had".into(), |old| format!("umask {old}"))
        }
        (Class::Signature, _) => undo_fact(cause, old),
        (Class::Version, _) if cause.name.is_empty() => option("--version"),
        (Class::Version, Change::Changed) => format!("have '{name}' print what it printed then"),
        (Class::Version, _) => option(&format!("--version-cmd {}", quoted(&cause.name))),
        (Class::Directory, _) => format!("run it in {}", quoted(&nearest.entry.provenance.directory)),
        (Class::Mode, _) if cause.old.as_deref() == Some(b"executable") => {
            format!("chmod +x {}", quoted(&cause.name))
        }
        (Class::Mode, _) => format!("chmod -x {}", quoted(&cause.name)),
        (Class::File | Class::Dependency | Class::Source, Change::Changed) => {
            format!("put {name} back as it was")
        }
        (Class::File | Class::Dependency | Class::Source, Change::Added) => format!("take {name} away"),
        (Class::File | Class::Dependency | Class::Source, Change::Removed) => format!("put {name} back"),
        (Class::Stdin, _) => "give it the same standard input".into(),
        (Class::Value, _) => option(&format!("--value {name}")),
        (Class::Probe, Change::Changed) => format!("have --input-cmd {name} run and print what it did then"),
        (Class::Probe, _) => option(&format!("--input-cmd {name}")),
        (Class::Environment, Change::Changed) => format!("set {name} to what it was"),
        (Class::Environment, Change::Added) => format!("unset {name}"),
        (Class::Environment, Change::Removed) => format!("set {name} again"),
        (Class::Parameter, _) => format!("give the flow run the parameter {name} that it had"),
        (Class::RunId, _) => "stay within one flow run".into(),
        (Class::Argument, _) => format!("run: {}", shortened(&command_line(&nearest.entry.command), WIDEST)),
    }
}

fn undo_fact(cause: &Cause, old: Option<String>) -> String {
    let said = fact(&cause.name);
    match (cause.change, old) {
        (Change::Changed, Some(old)) if cause.name == ARGUMENT_INPUTS => match old.as_str() {
            "yes" => format!("leave {said} out"),
            _ => format!("say {said} again"),
        },
        (Change::Changed, Some(old)) => format!("say {said} {old}"),
        (Change::Changed, None) => format!("say the {said} that it had"),
        (Change::Added, _) => format!("leave {said} out"),
        (Change::Removed, _) => format!("say {said} again"),
    }
}

/// The fact that says whether arguments that name files are inputs; its option says that they are not.
pub const ARGUMENT_INPUTS: &[u8] = b"argument-inputs";

/// Returns how a fact of the signature is said on the command line.
pub fn fact(name: &[u8]) -> String {
    let forms: [(&[u8], &str); 6] = [
        (b"env:", "--env"),
        (b"pass-env:", "--pass-env"),
        (b"ignore:", "--ignore"),
        (b"value:", "--value"),
        (b"probe:", "--input-cmd"),
        (b"output:", "--output"),
    ];
    if let Some(pattern) = name.strip_prefix(b"input:") {
        return format!("--input {}", quoted(pattern.strip_prefix(b"=").unwrap_or(pattern)));
    }
    for (prefix, option) in forms {
        let Some(rest) = name.strip_prefix(prefix) else { continue };
        if option == "--output" {
            let number: usize =
                std::str::from_utf8(rest).ok().and_then(|text| text.parse().ok()).unwrap_or(0);
            return format!("output {}", number + 1);
        }
        // Patterns of variables of which one takes out are numbered.
        let numbered = rest.iter().position(|byte| *byte == b'=').filter(|at| {
            matches!(option, "--env" | "--pass-env") && rest[..*at].iter().all(u8::is_ascii_digit)
        });
        return format!("{option} {}", quoted(numbered.map_or(rest, |at| &rest[at + 1..])));
    }
    let undone = if name == ARGUMENT_INPUTS { "no-" } else { "" };
    format!("--{undone}{}", printable(name))
}

fn remedies(causes: &[Cause], keys_all_variables: bool) -> Vec<(String, &'static str)> {
    let mut remedies = Vec::new();
    let mut add = |option: String, effect| {
        if !remedies.iter().any(|(known, _)| *known == option) {
            remedies.push((option, effect));
        }
    };
    let variables: Vec<_> = causes.iter().filter(|cause| cause.class == Class::Environment).collect();
    if keys_all_variables && variables.len() > NAMED {
        add("--env NAME".into(), "for each variable that matters leaves all others out of the key");
    } else {
        for cause in variables.iter().take(NAMED) {
            let text = [b"env:", cause.name.as_slice()].concat();
            // A star in a name would take out more than that variable.
            if !cause.name.contains(&b'*')
                && IgnoreRule::new(&text).is_ok_and(|rule| rule.takes_variable(&cause.name))
            {
                add(format!("--ignore {}", quoted(&text)), "leaves the variable out of the key");
            }
        }
    }
    for cause in causes {
        match (cause.class, cause.change) {
            (Class::Source, Change::Changed) => {
                add("--version V".into(), "counts in place of what the source holds");
            }
            (Class::Directory, Change::Changed) => {
                add("--cwd ignore".into(), "leaves the working directory out of the key");
            }
            (Class::Argument, Change::Changed) => {
                if let Some(rule) = rule_for(cause) {
                    add(format!("--ignore {rule}"), "leaves such words out of the key");
                }
            }
            _ => {}
        }
    }
    remedies
}

/// Returns the rule that takes out both the word that was and the word that is.
fn rule_for(cause: &Cause) -> Option<String> {
    let (old, new) = (cause.old.as_ref()?, cause.new.as_ref()?);
    let name = &new[..new.iter().position(|byte| *byte == b'=')?];
    let text = [b"arg:", name].concat();
    let rule = IgnoreRule::new(&text).ok().filter(|_| !name.contains(&b'*'))?;
    (rule.takes_argument(old) && rule.takes_argument(new)).then(|| quoted(&text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn facts_are_told_as_options() {
        for (name, said) in [
            ("input:=src/*.c", "--input 'src/*.c'"),
            ("input:code=?src", "--input 'code=?src'"),
            ("env:LANG", "--env LANG"),
            ("env:1=!LC_*", "--env '!LC_*'"),
            ("ignore:--jobs", "--ignore --jobs"),
            ("value:size", "--value size"),
            ("probe:cc", "--input-cmd cc"),
            ("output:0", "output 1"),
            ("clean-outputs", "--clean-outputs"),
            ("cwd", "--cwd"),
            ("argument-inputs", "--no-argument-inputs"),
        ] {
            assert_eq!(fact(name.as_bytes()), said);
        }
    }

    #[test]
    fn only_rules_that_take_both_words_are_advised() {
        let cause = |old: &str, new: &str| Cause {
            class: Class::Argument,
            change: Change::Changed,
            name: b"1".to_vec(),
            old: Some(old.into()),
            new: Some(new.into()),
        };
        for (old, new, rule) in [
            ("--jobs=4", "--jobs=8", Some("arg:--jobs")),
            ("N=4", "N=8", Some("arg:N")),
            ("--jobs", "--jobs=8", Some("arg:--jobs")),
            ("--jobs=4", "--level=4", None),
            ("a*b=4", "a*b=8", None),
            ("4", "8", None),
        ] {
            assert_eq!(rule_for(&cause(old, new)).as_deref(), rule, "{old} {new}");
        }
    }

    #[test]
    fn an_age_is_said_with_some_room() {
        for (seconds, said) in [(0, "60s"), (59, "119s"), (60, "3m"), (7200, "3h"), (172_800, "3d")] {
            assert_eq!(at_least(Span::from_millis(seconds * 1000)), said);
            assert!(
                at_least(Span::from_millis(seconds * 1000)).parse::<Span>().unwrap().as_millis()
                    > seconds * 1000
            );
        }
    }
}
