//! The expression that says which ingredients make a key: `INPUTS + TASK_SOURCE - debug`.
//!
//! Parts are joined with `+`; what follows a `-` is an input to leave out. A policy is a set: order and repeats
//! never matter (in Prefect `RUN_ID + TASK_SOURCE` and its reverse are two keys). `DEFAULT` and the policies
//! that a config names are replaced by what they stand for, so that two spellings of one policy share their keys.
//!
//! Deliberately absent: parentheses and precedence. `-` always takes from the whole.

use std::collections::BTreeSet;
use std::fmt;

/// A part that may be named in a policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PolicyPart {
    /// argv, environment, files, values, probes and stdin.
    Inputs,
    /// The program and its script.
    TaskSource,
    /// The parameters of the flow run.
    FlowParameters,
    /// The id of the flow run.
    RunId,
}

impl PolicyPart {
    /// Every part, in the order of the canonical spelling.
    pub const ALL: [Self; 4] = [Self::Inputs, Self::TaskSource, Self::FlowParameters, Self::RunId];

    /// Returns the name in a policy.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Inputs => "INPUTS",
            Self::TaskSource => "TASK_SOURCE",
            Self::FlowParameters => "FLOW_PARAMETERS",
            Self::RunId => "RUN_ID",
        }
    }
}

/// Which ingredients make the key. An empty set of parts is `NONE`: nothing is looked up and nothing is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    parts: BTreeSet<PolicyPart>,
    without: BTreeSet<String>,
}

/// A policy that cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PolicyError {
    /// Nothing stands where a name is needed.
    #[error("the policy '{0}' lacks a name beside a '+' or '-'")]
    MissingName(String),
    /// A name that is neither built in nor in the config.
    #[error("the policy '{policy}' names '{name}', which is no policy")]
    UnknownName {
        /// The whole expression.
        policy: String,
        /// The name.
        name: String,
        /// The known name that is nearest to it.
        nearest: Option<String>,
    },
    /// `NONE` beside something else.
    #[error("the policy '{0}' joins NONE with something else")]
    NoneJoined(String),
    /// Something is taken out of a policy that has no inputs.
    #[error("the policy '{0}' takes inputs out but has no INPUTS")]
    NothingToTakeFrom(String),
    /// A named policy that contains itself.
    #[error("the policy '{0}' contains itself")]
    Circular(String),
}

const NONE: &str = "NONE";
const DEFAULT: &str = "DEFAULT";

impl Policy {
    /// Reads an expression. `named` gives the expression behind a name of the config.
    pub fn parse<'n>(
        expression: &str,
        named: impl Fn(&str) -> Option<&'n str>,
        names: &[String],
    ) -> Result<Self, PolicyError> {
        let mut policy = Self { parts: BTreeSet::new(), without: BTreeSet::new() };
        policy.add(expression, &named, names, &mut Vec::new())?;
        if !policy.without.is_empty() && !policy.parts.contains(&PolicyPart::Inputs) {
            return Err(PolicyError::NothingToTakeFrom(expression.to_owned()));
        }
        Ok(policy)
    }

    fn add<'n>(
        &mut self,
        expression: &str,
        named: &impl Fn(&str) -> Option<&'n str>,
        names: &[String],
        above: &mut Vec<String>,
    ) -> Result<(), PolicyError> {
        let terms = terms(expression)?;
        for (taken_out, name) in &terms {
            if *taken_out {
                self.without.insert((*name).to_owned());
            } else if let Some(part) = PolicyPart::ALL.into_iter().find(|part| part.name() == *name) {
                self.parts.insert(part);
            } else if *name == DEFAULT {
                self.parts.extend([PolicyPart::Inputs, PolicyPart::TaskSource]);
            } else if *name == NONE {
                if terms.len() > 1 || !above.is_empty() {
                    return Err(PolicyError::NoneJoined(expression.to_owned()));
                }
            } else if let Some(inner) = named(name) {
                if above.iter().any(|outer| outer == name) {
                    return Err(PolicyError::Circular((*name).to_owned()));
                }
                if inner.trim() == NONE && terms.len() == 1 {
                    continue;
                }
                above.push((*name).to_owned());
                self.add(inner, named, names, above)?;
                above.pop();
            } else {
                let known = PolicyPart::ALL.map(PolicyPart::name);
                let known = known.into_iter().chain([DEFAULT, NONE]).chain(names.iter().map(String::as_str));
                return Err(PolicyError::UnknownName {
                    policy: expression.to_owned(),
                    name: (*name).to_owned(),
                    nearest: super::nearest::nearest(name, known).map(str::to_owned),
                });
            }
        }
        Ok(())
    }

    /// Returns whether this is `NONE`.
    pub fn is_none(&self) -> bool {
        self.parts.is_empty()
    }

    /// Returns whether `part` makes the key.
    pub fn has(&self, part: PolicyPart) -> bool {
        self.parts.contains(&part)
    }

    /// Returns the names of inputs to leave out.
    pub fn without(&self) -> impl Iterator<Item = &str> {
        self.without.iter().map(String::as_str)
    }
}

impl Default for Policy {
    fn default() -> Self {
        Self { parts: BTreeSet::from([PolicyPart::Inputs, PolicyPart::TaskSource]), without: BTreeSet::new() }
    }
}

impl fmt::Display for Policy {
    /// Writes the canonical spelling, which is what enters the key.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_none() {
            return f.write_str(NONE);
        }
        let parts: Vec<_> = self.parts.iter().map(|part| part.name()).collect();
        f.write_str(&parts.join(" + "))?;
        self.without.iter().try_for_each(|name| write!(f, " - {name}"))
    }
}

/// Splits an expression into names, each with whether a `-` stands before it. A `-` counts as an operator only
/// after white space or at the end of a name followed by white space, since names of inputs may hold one.
fn terms(expression: &str) -> Result<Vec<(bool, &str)>, PolicyError> {
    let missing = || PolicyError::MissingName(expression.to_owned());
    let mut terms = Vec::new();
    let mut rest = expression.trim();
    let mut taken_out = false;
    loop {
        let end = operator(rest).unwrap_or(rest.len());
        let name = rest[..end].trim();
        if name.is_empty() {
            return Err(missing());
        }
        terms.push((taken_out, name));
        if end == rest.len() {
            return Ok(terms);
        }
        taken_out = rest.as_bytes()[end] == b'-';
        rest = &rest[end + 1..];
    }
}

/// Returns where the first operator stands: any `+`, or a `-` with white space or a built-in name before it.
fn operator(text: &str) -> Option<usize> {
    text.char_indices().find_map(|(at, character)| {
        let before = &text[..at];
        let separates = before.ends_with(char::is_whitespace)
            || PolicyPart::ALL.iter().any(|part| part.name() == before.trim())
            || before.trim() == DEFAULT;
        (character == '+' || character == '-' && separates && !before.trim().is_empty()).then_some(at)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(expression: &str) -> Result<String, PolicyError> {
        let named = |name: &str| match name {
            "nightly" => Some("DEFAULT + RUN_ID - DEBUG"),
            "off" => Some("NONE"),
            "loop" => Some("INPUTS + loop"),
            _ => None,
        };
        let names = ["nightly", "off", "loop"].map(String::from);
        Policy::parse(expression, named, &names).map(|policy| policy.to_string())
    }

    #[test]
    fn spellings_of_one_policy_are_one_policy() {
        for spelling in [
            "DEFAULT - debug",
            "INPUTS + TASK_SOURCE - debug",
            "TASK_SOURCE+INPUTS-debug",
            "  INPUTS - debug + TASK_SOURCE ",
            "DEFAULT + INPUTS - debug - debug",
        ] {
            assert_eq!(parse(spelling).as_deref(), Ok("INPUTS + TASK_SOURCE - debug"), "{spelling}");
        }
        assert_eq!(parse("NONE").as_deref(), Ok("NONE"));
        assert_eq!(parse("off").as_deref(), Ok("NONE"));
        assert_eq!(parse("RUN_ID + nightly").as_deref(), Ok("INPUTS + TASK_SOURCE + RUN_ID - DEBUG"));
        assert_eq!(parse("INPUTS - log-level - x").as_deref(), Ok("INPUTS - log-level - x"));
        assert_eq!(Policy::default().to_string(), "INPUTS + TASK_SOURCE");
    }

    #[test]
    fn what_is_no_policy() {
        let unknown = |policy: &str, name: &str, nearest: Option<&str>| {
            let (policy, name, nearest) = (policy.into(), name.into(), nearest.map(String::from));
            Err(PolicyError::UnknownName { policy, name, nearest })
        };
        assert_eq!(parse("INPUT"), unknown("INPUT", "INPUT", Some("INPUTS")));
        assert_eq!(parse("nigthly"), unknown("nigthly", "nigthly", Some("nightly")));
        assert_eq!(parse("zzzzzzzz"), unknown("zzzzzzzz", "zzzzzzzz", None));
        for empty in ["", "INPUTS +", "+ INPUTS", "INPUTS -", "INPUTS + + RUN_ID"] {
            assert_eq!(parse(empty), Err(PolicyError::MissingName(empty.into())), "{empty}");
        }
        assert_eq!(parse("NONE + INPUTS"), Err(PolicyError::NoneJoined("NONE + INPUTS".into())));
        assert_eq!(parse("TASK_SOURCE - x"), Err(PolicyError::NothingToTakeFrom("TASK_SOURCE - x".into())));
        assert_eq!(parse("loop"), Err(PolicyError::Circular("loop".into())));
    }
}
