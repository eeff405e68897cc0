//! What the differences between two fingerprints mean: the causes of a miss, the most important first.
//!
//! A difference is a fact about one ingredient; a cause is what a person did. Who gives another word names other
//! files by it, and who says `-e LANG` takes twenty variables out of the key. Such differences *follow* from a cause
//! that is told beside them. Whether they would all go with it cannot be known without making the other key, and is
//! never claimed.
//!
//! Values are told only where the store holds them in clear (argv, task, directories), and where a digest is that of
//! one of a few known words (`--cwd absolute`). Those of variables, `--value`, salt and keys are never told.

use super::difference::{Change, Comparison, Difference};
use super::digest::Digest;
use super::fingerprint::{Fingerprint, IngredientKind as Kind, Presence};
use super::ignore::IgnoreRule;
use super::policy::PolicyPart;
use super::sequence::{Step, steps_between};
use std::collections::BTreeSet;

/// What a cause is about, the most important first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Class {
    /// The project.
    Project,
    /// The domain.
    Domain,
    /// The task's name.
    Task,
    /// A key of the caller's own.
    Key,
    /// The salt.
    Salt,
    /// The policy.
    Policy,
    /// A declared input or output, a mode, something ignored.
    Signature,
    /// The umask of a run with outputs.
    Umask,
    /// The version, or the output of a version command.
    Version,
    /// A word of argv.
    Argument,
    /// The working directory.
    Directory,
    /// The program, its interpreter or its script.
    Source,
    /// An input file, folder or link.
    File,
    /// Whether a file may be executed; its content is the same.
    Mode,
    /// A file that the dependency file named.
    Dependency,
    /// Standard input.
    Stdin,
    /// A literal input.
    Value,
    /// The output of a probe command.
    Probe,
    /// An environment variable.
    Environment,
    /// A parameter of the flow run.
    Parameter,
    /// The id of the flow run.
    RunId,
}

impl Class {
    /// Every class, the most important first.
    pub const ALL: [Self; 21] = [
        Self::Project,
        Self::Domain,
        Self::Task,
        Self::Key,
        Self::Salt,
        Self::Policy,
        Self::Signature,
        Self::Umask,
        Self::Version,
        Self::Argument,
        Self::Directory,
        Self::Source,
        Self::File,
        Self::Mode,
        Self::Dependency,
        Self::Stdin,
        Self::Value,
        Self::Probe,
        Self::Environment,
        Self::Parameter,
        Self::RunId,
    ];

    /// Returns the stable name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Project => "project",
            Self::Domain => "domain",
            Self::Task => "task",
            Self::Key => "key",
            Self::Salt => "salt",
            Self::Policy => "policy",
            Self::Signature => "signature",
            Self::Umask => "umask",
            Self::Version => "version",
            Self::Argument => "argument",
            Self::Directory => "cwd",
            Self::Source => "source",
            Self::File => "file",
            Self::Mode => "mode",
            Self::Dependency => "dependency",
            Self::Stdin => "stdin",
            Self::Value => "value",
            Self::Probe => "probe",
            Self::Environment => "environment",
            Self::Parameter => "parameter",
            Self::RunId => "run-id",
        }
    }

    /// Returns whether the names of this class are paths.
    pub const fn is_path(self) -> bool {
        matches!(self, Self::File | Self::Mode | Self::Dependency)
    }

    const fn of(kind: Kind) -> Self {
        match kind {
            Kind::Project => Self::Project,
            Kind::Domain => Self::Domain,
            Kind::Task => Self::Task,
            Kind::Signature => Self::Signature,
            Kind::Policy => Self::Policy,
            Kind::Salt => Self::Salt,
            Kind::Version => Self::Version,
            Kind::Source => Self::Source,
            Kind::Argument => Self::Argument,
            Kind::Environment => Self::Environment,
            Kind::Input => Self::File,
            Kind::Value => Self::Value,
            Kind::Probe => Self::Probe,
            Kind::Stdin => Self::Stdin,
            Kind::Directory => Self::Directory,
            Kind::FlowParameter => Self::Parameter,
            Kind::RunId => Self::RunId,
            Kind::Key => Self::Key,
            Kind::Dependency => Self::Dependency,
        }
    }
}

/// One thing that made another key.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Cause {
    /// What it is about.
    pub class: Class,
    /// How it differs.
    pub change: Change,
    /// Which one: a path, a variable, a fact of the signature, a position; empty where a class has only one.
    pub name: Vec<u8>,
    /// What it was, where that may be told.
    pub old: Option<Vec<u8>>,
    /// What it is, where that may be told.
    pub new: Option<Vec<u8>>,
}

/// The causes, and how many ingredients more differ because of them.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Causes {
    /// The causes, the most important first.
    pub list: Vec<Cause>,
    /// Ingredients that differ in consequence, each as it stands in a fingerprint.
    pub following: Vec<String>,
}

/// What is known of a result, or of a run that is to come, beside its fingerprint.
#[derive(Debug, Clone, Copy)]
pub struct Side<'a> {
    /// All ingredients, masked.
    pub fingerprint: &'a Fingerprint,
    /// argv.
    pub command: &'a [Vec<u8>],
    /// The project.
    pub project: &'a str,
    /// The domain.
    pub domain: &'a str,
    /// The task's name.
    pub task: &'a [u8],
    /// The working directory.
    pub directory: &'a [u8],
}

/// What helps to read digests.
pub struct Reading<'a> {
    /// What masks a confidential digest.
    pub mask: &'a dyn Fn(&Digest) -> Digest,
    /// Returns whether a file that changed has the same content and may be executed now, or not any more.
    pub only_mode: &'a dyn Fn(&Difference) -> Option<bool>,
}

impl Reading<'_> {
    fn is_absent(&self, kind: Kind, digest: Option<Digest>) -> bool {
        let absent = Presence::Absent.digest();
        digest == Some(if kind.is_confidential() { (self.mask)(&absent) } else { absent })
    }
}

/// Returns what a comparison of two sides means.
pub fn causes(comparison: &Comparison, old: Side<'_>, new: Side<'_>, reading: &Reading<'_>) -> Causes {
    let context = Context::of(comparison, old, new);
    let mut causes = Causes::default();
    for difference in &comparison.differences {
        if context.follows(difference, reading) {
            causes.following.push(difference.kind.label_of(&difference.name));
        } else if difference.kind != Kind::Argument && !context.is_told_by_its_ingredient(difference) {
            causes.list.push(context.cause(difference, reading));
        }
    }
    causes.list.extend(context.words());
    if causes.list.is_empty() {
        // Whatever was thought to follow, something has to be the cause.
        causes.following.clear();
        causes.list = comparison.differences.iter().map(|one| context.cause(one, reading)).collect();
    }
    causes.list.sort();
    causes
}

/// What all differences together say about each of them. Made once, because there may be as many differences as there
/// are inputs.
struct Context<'a> {
    comparison: &'a Comparison,
    old: Side<'a>,
    new: Side<'a>,
    /// Words that count, on both sides.
    old_words: Vec<&'a [u8]>,
    new_words: Vec<&'a [u8]>,
    /// The kinds that differ.
    kinds: BTreeSet<Kind>,
    /// The kinds of which something came or went.
    one_sided: BTreeSet<Kind>,
    /// The names of signature facts that differ.
    facts: BTreeSet<&'a [u8]>,
    /// The program is another one, or it or a script changed.
    source_changed: bool,
}

impl<'a> Context<'a> {
    fn of(comparison: &'a Comparison, old: Side<'a>, new: Side<'a>) -> Self {
        let all = || comparison.differences.iter();
        let facts = all().filter(|one| one.kind == Kind::Signature);
        let (old_words, new_words) = (counting_words(old), counting_words(new));
        let is_plain_source = |one: &Difference| {
            one.kind == Kind::Source && !one.name.starts_with(b"#!") && one.change() == Change::Changed
        };
        Self {
            comparison,
            old,
            new,
            kinds: all().map(|one| one.kind).collect(),
            one_sided: all().filter(|one| one.change() != Change::Changed).map(|one| one.kind).collect(),
            facts: facts.map(|one| one.name.as_slice()).collect(),
            source_changed: old_words.first() != new_words.first() || all().any(is_plain_source),
            old_words,
            new_words,
        }
    }

    fn differs(&self, kind: Kind) -> bool {
        self.kinds.contains(&kind)
    }

    fn is_one_sided(&self, kind: Kind) -> bool {
        self.one_sided.contains(&kind)
    }

    fn has_fact(&self, prefixes: &[&str]) -> bool {
        self.facts.iter().any(|fact| prefixes.iter().any(|prefix| fact.starts_with(prefix.as_bytes())))
    }

    /// Returns whether words that count differ, and `name` is one of those that the other side does not have.
    fn is_named_by_a_word(&self, difference: &Difference) -> bool {
        let name = difference.name.as_slice();
        match difference.change() {
            Change::Changed => false,
            Change::Added => self.new_words.contains(&name) && !self.old_words.contains(&name),
            Change::Removed => self.old_words.contains(&name) && !self.new_words.contains(&name),
        }
    }

    /// Returns whether a difference is there because of another one.
    fn follows(&self, difference: &Difference, reading: &Reading<'_>) -> bool {
        let kind = difference.kind;
        let is_one_sided = difference.change() != Change::Changed;
        let name = difference.name.as_slice();
        let own_key = self.is_one_sided(Kind::Key);
        let stays = matches!(kind, Kind::Key | Kind::Project | Kind::Domain | Kind::Salt);
        if own_key && !stays && !(kind == Kind::Signature && is_output_fact(name)) {
            return true;
        }
        let of_policy = matches!(
            kind,
            Kind::Argument
                | Kind::Environment
                | Kind::Input
                | Kind::Value
                | Kind::Probe
                | Kind::Stdin
                | Kind::Source
                | Kind::FlowParameter
                | Kind::RunId
        );
        if of_policy && is_one_sided && self.differs(Kind::Policy) {
            return true;
        }
        // An optional input that finds nothing has an ingredient, which goes when it finds something.
        let is_about_nothing = is_one_sided
            && (reading.is_absent(kind, difference.old) || reading.is_absent(kind, difference.new));
        match kind {
            Kind::Environment if is_one_sided => {
                is_about_nothing || self.has_fact(&["env-mode", "env:", "ignore:"])
            }
            Kind::Input if is_one_sided => {
                is_about_nothing
                    || self.has_fact(&["input:", "ignore:", "argument-inputs"])
                    || self.is_named_by_a_word(difference)
            }
            Kind::Source if is_one_sided => {
                self.is_one_sided(Kind::Version)
                    || self.is_named_by_a_word(difference)
                    || name.starts_with(b"#!") && self.source_changed
            }
            Kind::Value | Kind::Probe if is_one_sided => self.has_fact(&["ignore:"]),
            Kind::Stdin if is_one_sided => self.has_fact(&["stdin"]),
            Kind::Dependency if is_one_sided => self.has_fact(&["depfile"]),
            Kind::Directory => self.facts.contains(&b"cwd"[..]),
            Kind::Signature => match name {
                // With the first output comes the umask, with the first `--env` the mode.
                b"umask" => is_one_sided,
                b"env-mode" => self.has_fact(&["env:"]),
                _ => false,
            },
            _ => false,
        }
    }

    /// Returns whether a fact of the signature only repeats that a value or a probe came or went.
    fn is_told_by_its_ingredient(&self, difference: &Difference) -> bool {
        let repeats = |prefix: &str, kind: Kind| {
            difference.name.strip_prefix(prefix.as_bytes()).is_some_and(|name| {
                self.comparison.differences.iter().any(|other| {
                    other.kind == kind && other.name == name && other.change() == difference.change()
                })
            })
        };
        difference.kind == Kind::Signature
            && (repeats("value:", Kind::Value) || repeats("probe:", Kind::Probe))
    }

    fn cause(&self, difference: &Difference, reading: &Reading<'_>) -> Cause {
        let Difference { kind, name, old, new } = difference;
        let mut cause = Cause {
            class: Class::of(*kind),
            change: difference.change(),
            name: name.clone(),
            old: None,
            new: None,
        };
        if cause.change == Change::Changed {
            if reading.is_absent(*kind, *old) {
                cause.change = Change::Added;
            } else if reading.is_absent(*kind, *new) {
                cause.change = Change::Removed;
            }
        }
        let text = |side: &[u8]| Some(side.to_vec());
        let known = |words: &[&str]| (guess(*old, words), guess(*new, words));
        (cause.old, cause.new) = match kind {
            Kind::Project => (text(self.old.project.as_bytes()), text(self.new.project.as_bytes())),
            Kind::Domain => (text(self.old.domain.as_bytes()), text(self.new.domain.as_bytes())),
            Kind::Task => (text(self.old.task), text(self.new.task)),
            Kind::Directory => (text(self.old.directory), text(self.new.directory)),
            Kind::Policy => {
                let policies = policies();
                known(&policies.iter().map(String::as_str).collect::<Vec<_>>())
            }
            Kind::Signature => match name.as_slice() {
                b"umask" => {
                    cause.class = Class::Umask;
                    cause.name.clear();
                    let umasks: Vec<_> = (0..0o1000).map(|umask| format!("{umask:03o}")).collect();
                    known(&umasks.iter().map(String::as_str).collect::<Vec<_>>())
                }
                b"stdin" => known(&["null", "hash", "inherit"]),
                b"cwd" => known(&["auto", "absolute", "relative", "ignore"]),
                b"env-mode" => known(&["all", "declared", "strict"]),
                b"argument-inputs" => known(&["yes", "no"]),
                _ => (None, None),
            },
            Kind::Input | Kind::Source | Kind::Dependency => match (reading.only_mode)(difference) {
                Some(is_executable) => {
                    cause.class = Class::Mode;
                    let word = |is: bool| text(if is { b"executable" } else { b"not executable" });
                    (word(!is_executable), word(is_executable))
                }
                None => (None, None),
            },
            _ => (None, None),
        };
        cause
    }

    /// Returns what differs in argv. Words are told by their position in the later command, from 0.
    fn words(&self) -> Vec<Cause> {
        let is_in_both = |kind: Kind| {
            let has = |side: Side<'_>| side.fingerprint.ingredients().iter().any(|one| one.kind == kind);
            has(self.old) && has(self.new)
        };
        if !self.differs(Kind::Argument) || !is_in_both(Kind::Argument) {
            return Vec::new();
        }
        let cause = |change, at: usize, old: Option<&[u8]>, new: Option<&[u8]>| Cause {
            class: Class::Argument,
            change,
            // Sorted by position, and shown without the zeros.
            name: format!("{at:06}").into_bytes(),
            old: old.map(<[u8]>::to_vec),
            new: new.map(<[u8]>::to_vec),
        };
        steps_between(&self.old_words, &self.new_words)
            .into_iter()
            .map(|step| match step {
                Step::Replace { at, old, new } => cause(Change::Changed, at, Some(old), Some(new)),
                Step::Insert { at, new } => cause(Change::Added, at, None, Some(new)),
                Step::Delete { at, old } => cause(Change::Removed, at, Some(old), None),
            })
            .collect()
    }
}

fn is_output_fact(name: &[u8]) -> bool {
    [&b"output:"[..], b"umask", b"clean-outputs"].iter().any(|prefix| name.starts_with(prefix))
}

/// Returns the words of argv that are in the key, by the rules that stand in the signature.
fn counting_words(side: Side<'_>) -> Vec<&[u8]> {
    let facts = side.fingerprint.ingredients().iter().filter(|one| one.kind == Kind::Signature);
    let rules: Vec<_> =
        facts.filter_map(|fact| IgnoreRule::new(fact.name.strip_prefix(b"ignore:")?).ok()).collect();
    let counts =
        |(at, word): &(usize, &'_ [u8])| *at == 0 || !rules.iter().any(|rule| rule.takes_argument(word));
    let words = side.command.iter().map(Vec::as_slice).enumerate();
    words.filter(counts).map(|(_, word)| word).collect()
}

/// Returns the word that a digest is of.
fn guess(digest: Option<Digest>, words: &[&str]) -> Option<Vec<u8>> {
    let digest = digest?;
    let is_it = |word: &&&str| Presence::Present(word.as_bytes()).digest() == digest;
    words.iter().find(is_it).map(|word| word.as_bytes().to_vec())
}

/// Returns every policy that takes no input out.
fn policies() -> Vec<String> {
    let named = |number: usize| {
        let parts = PolicyPart::ALL.iter().enumerate().filter(|(at, _)| number >> at & 1 == 1);
        parts.map(|(_, part)| part.name()).collect::<Vec<_>>().join(" + ")
    };
    (1..1 << PolicyPart::ALL.len()).map(named).collect()
}

#[cfg(test)]
mod tests;
