//! Which ingredients of a task change from one result to the next.
//!
//! A task that misses all the time usually has one ingredient that never comes twice: a time stamp in an argument, a
//! log among the inputs, a variable of the CI system. Each result's fingerprint is compared with that of the result
//! before it, and what differs is counted.

use super::fingerprint::{Fingerprint, IngredientKind};
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// How often an ingredient changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Volatility {
    /// The ingredient, such as `env:BUILD_ID`.
    pub label: String,
    /// How many times it differed from the result before, was new or was gone.
    pub changed: u64,
    /// How many pairs of results were compared.
    pub compared: u64,
}

/// Counts what changes between neighbours; the fingerprints are those of one task in the order of their making, in
/// either direction. What changed most comes first; what never changed is left out.
pub fn volatility(fingerprints: &[Fingerprint]) -> Vec<Volatility> {
    let mut changes: BTreeMap<(IngredientKind, &[u8]), u64> = BTreeMap::new();
    for pair in fingerprints.windows(2) {
        let [before, after] = [&pair[0], &pair[1]].map(by_name);
        let names: BTreeSet<_> = before.keys().chain(after.keys()).collect();
        for name in names.into_iter().filter(|name| before.get(name) != after.get(name)) {
            *changes.entry(*name).or_default() += 1;
        }
    }
    let compared = fingerprints.len().saturating_sub(1) as u64;
    let mut found: Vec<_> = changes
        .into_iter()
        .map(|((kind, name), changed)| {
            let label = kind.label_of(name);
            Volatility { label, changed, compared }
        })
        .collect();
    found.sort_by_key(|volatility| std::cmp::Reverse(volatility.changed));
    found
}

fn by_name(fingerprint: &Fingerprint) -> HashMap<(IngredientKind, &[u8]), super::digest::Digest> {
    let ingredients = fingerprint.ingredients().iter();
    ingredients.map(|one| ((one.kind, one.name.as_slice()), one.digest)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::fingerprint::Ingredient;

    fn fingerprint(ingredients: &[(IngredientKind, &str, &str)]) -> Fingerprint {
        let made =
            ingredients.iter().map(|(kind, name, value)| Ingredient::of(*kind, *name, value.as_bytes()));
        Fingerprint::new(made.collect()).unwrap()
    }

    #[test]
    fn what_changes_most_comes_first_and_what_stays_is_left_out() {
        use IngredientKind::{Environment, Input, Task};
        let fingerprints = [
            fingerprint(&[(Task, "", "t"), (Environment, "BUILD", "1"), (Input, "a", "x")]),
            fingerprint(&[(Task, "", "t"), (Environment, "BUILD", "2"), (Input, "a", "x")]),
            fingerprint(&[(Task, "", "t"), (Environment, "BUILD", "3"), (Input, "a", "y"), (Input, "b", "")]),
        ];
        let found = |label: &str, changed| Volatility { label: label.into(), changed, compared: 2 };
        assert_eq!(
            volatility(&fingerprints),
            [found("env:BUILD", 2), found("input:a", 1), found("input:b", 1)]
        );
        assert_eq!(volatility(&fingerprints[..1]), []);
        assert_eq!(volatility(&[]), []);
    }
}
