//! What a command saw of the environment and its key does not hold.
//!
//! A wrong hit comes from what nobody declared. To tell later what of it has changed, an entry keeps the names of the
//! variables that are not in its fingerprint, each with a mark of its value. A mark is the beginning of a digest
//! keyed with the store's secret: it says whether two values are the same and nothing else about them. Eight bytes
//! are enough, since all that a collision could do is to hide one line from somebody who asks.
//!
//! Deliberately absent: values, and the variables of taskcache itself. No decision is ever made from this.

use super::codec::{DecodeError, Decoder, Encoder};
use super::difference::Change;
use super::digest::Digest;
use super::fingerprint::{Fingerprint, IngredientKind, Presence};
use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::os::unix::ffi::OsStrExt;

/// How many bytes a mark has.
const MARK: usize = 8;

/// The undeclared variables around a run, by name.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Surroundings {
    marks: BTreeMap<Vec<u8>, [u8; MARK]>,
}

impl Surroundings {
    /// Takes note of the variables that a fingerprint does not hold. Where a name stands twice the first counts, as
    /// for `getenv`. `mask` keys a digest with the store's secret.
    pub fn of(
        environment: &[(OsString, OsString)],
        fingerprint: &Fingerprint,
        mask: impl Fn(&Digest) -> Digest,
    ) -> Self {
        let ingredients = fingerprint.ingredients().iter();
        let keyed: BTreeSet<&[u8]> = ingredients
            .filter(|ingredient| ingredient.kind == IngredientKind::Environment)
            .map(|ingredient| ingredient.name.as_slice())
            .collect();
        let mut marks = BTreeMap::new();
        for (name, value) in environment {
            let name = name.as_bytes();
            if name.starts_with(b"TASKCACHE_") || keyed.contains(name) {
                continue;
            }
            marks.entry(name.to_vec()).or_insert_with(|| {
                let mut mark = [0; MARK];
                let digest = mask(&Presence::Present(value.as_bytes()).digest());
                mark.copy_from_slice(&digest.as_bytes()[..MARK]);
                mark
            });
        }
        Self { marks }
    }

    /// Returns the variables that are not the same in `now`, sorted by name.
    pub fn changes(&self, now: &Self) -> Vec<(Vec<u8>, Change)> {
        let names: BTreeSet<_> = self.marks.keys().chain(now.marks.keys()).collect();
        let change = |name: &Vec<u8>| match (self.marks.get(name), now.marks.get(name)) {
            (Some(old), Some(new)) => (old != new).then_some(Change::Changed),
            (Some(_), None) => Some(Change::Removed),
            (None, _) => Some(Change::Added),
        };
        names.into_iter().filter_map(|name| Some((name.clone(), change(name)?))).collect()
    }

    pub(super) fn encode(&self, encoder: &mut Encoder) {
        encoder.length(self.marks.len());
        for (name, mark) in &self.marks {
            encoder.bytes(name).u64(u64::from_be_bytes(*mark));
        }
    }

    pub(super) fn decode(decoder: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        let count = decoder.count(8 + MARK, "variable count")?;
        let mut marks = BTreeMap::new();
        for _ in 0..count {
            let name = decoder.bytes("variable")?.to_vec();
            if marks.last_key_value().is_some_and(|(last, _)| *last >= name) {
                return Err(DecodeError::Invalid { what: "surroundings", why: "out of order".into() });
            }
            marks.insert(name, decoder.u64("mark")?.to_be_bytes());
        }
        Ok(Self { marks })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::fingerprint::Ingredient;

    fn around(environment: &[(&str, &str)]) -> Surroundings {
        let environment: Vec<_> =
            environment.iter().map(|(name, value)| (name.into(), value.into())).collect();
        let keyed = Ingredient::of(IngredientKind::Environment, "LANG", b"C");
        let fingerprint = Fingerprint::new(vec![keyed]).unwrap();
        Surroundings::of(&environment, &fingerprint, |digest| *digest)
    }

    #[test]
    fn what_is_keyed_or_ours_is_not_kept() {
        let kept = around(&[("LANG", "C"), ("TASKCACHE_DIR", "/x"), ("A", "1"), ("A", "2")]);
        assert_eq!(kept, around(&[("A", "1")]));
    }

    #[test]
    fn changes_are_told_by_name() {
        let old = around(&[("SAME", "1"), ("OTHER", "1"), ("GONE", "1")]);
        let new = around(&[("SAME", "1"), ("OTHER", "2"), ("NEW", "")]);
        let expected = [("GONE", Change::Removed), ("NEW", Change::Added), ("OTHER", Change::Changed)];
        assert_eq!(old.changes(&new), expected.map(|(name, change)| (name.as_bytes().to_vec(), change)));
        assert_eq!(new.changes(&new), []);
    }
}
