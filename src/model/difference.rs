//! What differs between two fingerprints, ingredient by ingredient.
//!
//! Both are sorted, so one pass over the two tells it. Nothing is weighed here: [`super::cause`] says what a
//! difference means to people.

use super::digest::Digest;
use super::fingerprint::{Fingerprint, Ingredient, IngredientKind};
use std::cmp::Ordering;
use std::collections::BTreeMap;

/// How something differs from what it was before.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Change {
    /// It is there in both, and not the same.
    Changed,
    /// It is there now and was not before.
    Added,
    /// It was there before and is not now.
    Removed,
}

impl Change {
    /// Returns the stable name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Changed => "changed",
            Self::Added => "added",
            Self::Removed => "removed",
        }
    }

    /// Returns how it differs, by whether there was a value and is one.
    const fn of(old: Option<Digest>, new: Option<Digest>) -> Self {
        match (old, new) {
            (None, _) => Self::Added,
            (_, None) => Self::Removed,
            _ => Self::Changed,
        }
    }
}

/// One ingredient that differs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// Its kind.
    pub kind: IngredientKind,
    /// Its name.
    pub name: Vec<u8>,
    /// Its digest before; `None` where it is new.
    pub old: Option<Digest>,
    /// Its digest now; `None` where it is gone.
    pub new: Option<Digest>,
}

impl Difference {
    /// Returns how it differs.
    pub const fn change(&self) -> Change {
        Change::of(self.old, self.new)
    }
}

/// Two fingerprints, compared.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Comparison {
    /// What differs, in the order of the key format.
    pub differences: Vec<Difference>,
    /// How many ingredients are the same in both.
    pub equal: usize,
    /// Ingredients of which nobody can say whether they are the same, because the entry came from another store; each
    /// as it stands in a fingerprint.
    pub unknown: Vec<String>,
}

impl Comparison {
    /// Returns how many ingredients there are in either.
    pub const fn all(&self) -> usize {
        self.equal + self.differences.len() + self.unknown.len()
    }
}

/// Compares an earlier fingerprint with a later one. Both have to be masked, or neither.
pub fn compare(old: &Fingerprint, new: &Fingerprint) -> Comparison {
    let mut comparison = Comparison::default();
    for pair in Pairs::of(old, new) {
        let differs = match pair {
            (Some(old), Some(new)) if is_unknown(old, new) => {
                comparison.unknown.push(old.label());
                continue;
            }
            (Some(old), Some(new)) if old.digest == new.digest => {
                comparison.equal += 1;
                continue;
            }
            (Some(one), _) | (None, Some(one)) => one,
            (None, None) => continue,
        };
        let (old, new) = pair;
        comparison.differences.push(Difference {
            kind: differs.kind,
            name: differs.name.clone(),
            old: old.map(|old| old.digest),
            new: new.map(|new| new.digest),
        });
    }
    comparison
}

/// Returns how many ingredients are the same in both, and how many are not.
pub fn likeness(old: &Fingerprint, new: &Fingerprint) -> (usize, usize) {
    let is_same = |pair: &(Option<&Ingredient>, Option<&Ingredient>)| matches!(pair, (Some(old), Some(new)) if old.digest == new.digest && !is_unknown(old, new));
    Pairs::of(old, new).fold((0, 0), |(same, other), pair| match is_same(&pair) {
        true => (same + 1, other),
        false => (same, other + 1),
    })
}

fn is_unknown(old: &Ingredient, new: &Ingredient) -> bool {
    old.is_withheld() || new.is_withheld()
}

/// The ingredients of two fingerprints, side by side: those of one kind and name together, the others alone.
struct Pairs<'a> {
    olds: std::iter::Peekable<std::slice::Iter<'a, Ingredient>>,
    news: std::iter::Peekable<std::slice::Iter<'a, Ingredient>>,
}

impl<'a> Pairs<'a> {
    fn of(old: &'a Fingerprint, new: &'a Fingerprint) -> Self {
        Self { olds: old.ingredients().iter().peekable(), news: new.ingredients().iter().peekable() }
    }
}

impl<'a> Iterator for Pairs<'a> {
    type Item = (Option<&'a Ingredient>, Option<&'a Ingredient>);

    fn next(&mut self) -> Option<Self::Item> {
        let order = match (self.olds.peek(), self.news.peek()) {
            (None, None) => return None,
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (Some(old), Some(new)) => old.order(new),
        };
        let old = if order.is_le() { self.olds.next() } else { None };
        let new = if order.is_ge() { self.news.next() } else { None };
        Some((old, new))
    }
}

/// An ingredient that is hardly ever the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Volatile {
    /// Its kind.
    pub kind: IngredientKind,
    /// Its name.
    pub name: Vec<u8>,
    /// How many of the results differ in it from the result before.
    pub changed: usize,
    /// How many results were compared with the one before.
    pub of: usize,
}

/// Results of which fewer than this many differ in an ingredient say nothing about it.
const LEAST: usize = 3;

/// Returns the ingredients that differ in at least half of the steps from one fingerprint to the next, the most
/// volatile first. The fingerprints are in the order of time, whichever end is first.
pub fn volatile(fingerprints: &[&Fingerprint]) -> Vec<Volatile> {
    let mut counts: BTreeMap<(IngredientKind, Vec<u8>), usize> = BTreeMap::new();
    let of = fingerprints.len().saturating_sub(1);
    for pair in fingerprints.windows(2) {
        for difference in compare(pair[0], pair[1]).differences {
            *counts.entry((difference.kind, difference.name)).or_default() += 1;
        }
    }
    let often = counts.into_iter().filter(|(_, changed)| *changed >= LEAST && changed * 2 >= of);
    let mut volatile: Vec<_> =
        often.map(|((kind, name), changed)| Volatile { kind, name, changed, of }).collect();
    volatile.sort_by_key(|one| std::cmp::Reverse(one.changed));
    volatile
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn fingerprint(variables: &[(&str, &str)]) -> Fingerprint {
        let ingredient = |(name, value): &(&str, &str)| {
            Ingredient::of(IngredientKind::Environment, *name, value.as_bytes())
        };
        Fingerprint::new(variables.iter().map(ingredient).collect()).unwrap()
    }

    fn told(comparison: &Comparison) -> Vec<(String, Change)> {
        let name = |difference: &Difference| String::from_utf8(difference.name.clone()).unwrap();
        comparison.differences.iter().map(|difference| (name(difference), difference.change())).collect()
    }

    #[test]
    fn each_difference_is_told_once_and_equals_are_counted() {
        let old = fingerprint(&[("A", "1"), ("B", "1"), ("D", "1")]);
        let new = fingerprint(&[("A", "1"), ("B", "2"), ("C", "1")]);
        let comparison = compare(&old, &new);
        let expected = [("B", Change::Changed), ("C", Change::Added), ("D", Change::Removed)];
        assert_eq!(told(&comparison), expected.map(|(name, change)| (name.to_owned(), change)));
        assert_eq!((comparison.equal, comparison.all()), (1, 4));
    }

    #[test]
    fn what_another_store_withheld_is_unknown() {
        let (old, new) = (fingerprint(&[("A", "1"), ("B", "1")]).withheld(), fingerprint(&[("A", "1")]));
        let comparison = compare(&old, &new);
        assert_eq!((comparison.equal, comparison.all()), (0, 2));
        assert_eq!(comparison.unknown, ["env:A"]);
        assert_eq!(told(&comparison), [("B".to_owned(), Change::Removed)]);
    }

    #[test]
    fn what_changes_in_every_second_step_is_volatile() {
        let prints: Vec<_> = (0..7)
            .map(|at: i32| {
                let (always, rarely) = (at.to_string(), (at / 5).to_string());
                fingerprint(&[("ALWAYS", &always), ("HALF", &(at / 2).to_string()), ("RARELY", &rarely)])
            })
            .collect();
        let found = volatile(&prints.iter().collect::<Vec<_>>());
        let found: Vec<_> = found.iter().map(|one| (one.name.as_slice(), one.changed, one.of)).collect();
        assert_eq!(found, [(&b"ALWAYS"[..], 6, 6), (b"HALF", 3, 6)]);
        assert_eq!(volatile(&prints[..3].iter().collect::<Vec<_>>()), []);
        assert_eq!(volatile(&[]), []);
    }

    proptest! {
        #[test]
        fn comparing_backwards_turns_every_change_round(
            one in prop::collection::btree_map("[A-D]{1,2}", "[01]", 0..8),
            other in prop::collection::btree_map("[A-D]{1,2}", "[01]", 0..8),
        ) {
            let print = |map: &BTreeMap<String, String>| {
                let pairs: Vec<_> = map.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
                fingerprint(&pairs)
            };
            let (there, back) = (compare(&print(&one), &print(&other)), compare(&print(&other), &print(&one)));
            prop_assert_eq!(there.equal, back.equal);
            let likeness = likeness(&print(&one), &print(&other));
            prop_assert_eq!(likeness, (there.equal, there.differences.len()));
            prop_assert_eq!(there.differences.is_empty(), one == other);
            let turned: Vec<_> = back.differences.into_iter()
                .map(|difference| Difference { old: difference.new, new: difference.old, ..difference }).collect();
            prop_assert_eq!(there.differences, turned);
        }
    }
}
