//! Which version counts, and who says it.
//!
//! `--version` and `--behavior` are one decision in two options. A layer that names one of them decides, and drops
//! the other of all layers below: a higher `--version` overrules a lower `auto` or `disable`, a higher `auto` drops a
//! lower version. Only `override`, which is about a version, may take it from below. Two that contradict each
//! other on *one* layer are a fault.
//!
//! A version that overrides drops the version policies of the layers below it as well: whoever gives a task a version
//! means that nothing else makes it anew. Policies beside the version or above it were asked for with it.

use super::error::ConfigError;
use super::layer::{Layer, Located, Origin};
use super::options::OptionName;
use super::settings::Behavior;
use super::stack::{Stack, choice, refuse, utf8};

/// What was decided.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Decision {
    /// Who says what the version is.
    pub(super) behavior: Located<Behavior>,
    /// The version.
    pub(super) version: Option<Located<String>>,
    /// The layer of a version that overrides, below which no version policy counts.
    pub(super) depth: Option<usize>,
}

impl Default for Decision {
    fn default() -> Self {
        Self { behavior: Located::new(Behavior::default(), Origin::BuiltIn), version: None, depth: None }
    }
}

/// The behaviors in the order of the table's words.
pub(super) const BEHAVIORS: [Behavior; 3] = [Behavior::Auto, Behavior::Override, Behavior::Disable];

/// Decides. Every layer is held against the rules, also below the one that decides.
pub(super) fn decide(stack: &Stack<'_>) -> Result<Decision, ConfigError> {
    let mut wanted: Option<&Origin> = None;
    let mut decision = None;
    for (depth, layer) in stack.said() {
        let said = Said::by(layer)?;
        if decision.is_some() {
            continue;
        }
        let told = |behavior, origin: &Origin| Decision {
            behavior: Located::new(behavior, origin.clone()),
            version: said.version.map(|(version, origin)| Located::new(version.to_owned(), origin.clone())),
            depth: Some(depth).filter(|_| behavior == Behavior::Override),
        };
        decision = match (wanted, said.behavior, said.version) {
            (Some(wanted), _, Some(_)) => Some(told(Behavior::Override, wanted)),
            (Some(_), _, None) | (None, None, None) => None,
            (None, None, Some((_, origin))) => Some(told(Behavior::Override, origin)),
            (None, Some((Behavior::Override, origin)), None) => {
                wanted = Some(origin);
                None
            }
            (None, Some((behavior, origin)), _) => Some(told(behavior, origin)),
        };
    }
    match (decision, wanted) {
        (Some(decision), _) => Ok(decision),
        (None, Some(wanted)) => Err(ConfigError::OverrideWithoutVersion(Box::new(wanted.clone()))),
        (None, None) => Ok(Decision::default()),
    }
}

/// What one layer says.
struct Said<'l> {
    behavior: Option<(Behavior, &'l Origin)>,
    version: Option<(&'l str, &'l Origin)>,
}

impl<'l> Said<'l> {
    fn by(layer: &'l Layer) -> Result<Self, ConfigError> {
        let behavior = layer.text(OptionName::Behavior).map(|(text, origin)| {
            choice(OptionName::Behavior.row(), text, origin, &BEHAVIORS).map(|behavior| (behavior, origin))
        });
        let version = layer.text(OptionName::Version).map(|(text, origin)| match utf8(text, origin)? {
            blank if blank.trim().is_empty() => Err(refuse(origin, "the version is empty")),
            version => Ok((version, origin)),
        });
        let said = Self { behavior: behavior.transpose()?, version: version.transpose()? };
        match (said.behavior, said.version) {
            (Some((Behavior::Auto, behavior)), Some((_, version))) => Err(ConfigError::Contradiction {
                first: format!("{behavior} 'auto'"),
                second: version.to_string(),
                hint: Some("a version of your own goes with 'override'"),
            }),
            _ => Ok(said),
        }
    }
}
