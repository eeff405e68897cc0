//! Options that cannot both hold.
//!
//! On one layer that is a fault. Between two layers the higher one counts and drops the lower one, so that
//! `--cached-only` works under an exported `TASKCACHE_REFRESH=true`.

use super::error::ConfigError;
use super::layer::{Layer, Origin, RawValue};
use super::options::OptionName;
use super::stack::Stack;
use std::collections::BTreeMap;

/// Options of which one at most can hold.
const PAIRS: [(OptionName, OptionName); 3] = [
    (OptionName::Key, OptionName::KeyCmd),
    (OptionName::CachedOnly, OptionName::NoCache),
    (OptionName::CachedOnly, OptionName::Refresh),
];

/// Options that a higher layer drops, each with the origin of what drops it.
pub(super) struct Conflicts(BTreeMap<OptionName, Origin>);

impl Conflicts {
    /// Holds every layer against the pairs, and then the layers against each other.
    pub(super) fn of(stack: &Stack<'_>) -> Result<Self, ConfigError> {
        let mut dropped = BTreeMap::new();
        for (one, other) in PAIRS {
            for (_, layer) in stack.said() {
                if let (Some(first), Some(second)) = (asks(layer, one), asks(layer, other)) {
                    let (first, second) = (first.to_string(), second.to_string());
                    return Err(ConfigError::Contradiction { first, second, hint: None });
                }
            }
            if let (Some((depth, origin)), Some((other_depth, other_origin))) =
                (asked(stack, one), asked(stack, other))
            {
                if depth < other_depth {
                    dropped.insert(other, origin.clone());
                } else {
                    dropped.insert(one, other_origin.clone());
                }
            }
        }
        Ok(Self(dropped))
    }

    /// Returns whether an option is dropped.
    pub(super) fn drops(&self, name: OptionName) -> bool {
        self.0.contains_key(&name)
    }

    /// Returns what drops an option.
    pub(super) fn by(&self, name: OptionName) -> Option<&Origin> {
        self.0.get(&name)
    }
}

/// Returns who asks for an option on a layer: whoever says a text, or switches it on.
fn asks(layer: &Layer, name: OptionName) -> Option<&Origin> {
    layer.get(name).filter(|said| said.value != RawValue::Switch(false)).map(|said| &said.origin)
}

/// Returns who asks for an option in the end, and from how far below.
fn asked<'s>(stack: &'s Stack<'_>, name: OptionName) -> Option<(usize, &'s Origin)> {
    let (depth, layer) = stack.said().find(|(_, layer)| layer.get(name).is_some())?;
    asks(layer, name).map(|origin| (depth, origin))
}
