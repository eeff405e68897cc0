//! What a result depends on, item by item, and the key that follows from it.
//!
//! # What is in a key
//!
//! A [`Fingerprint`] is a list of [`Ingredient`]s. Each has a kind, a name and the digest of a value; the
//! [`CacheKey`] is the SHA-256 of their canonical bytes. Three groups of ingredients make it:
//!
//! | group | ingredients | left out when |
//! |---|---|---|
//! | identity | project, domain, task, signature, policy, salt, version, cwd | never (cwd: `--cwd ignore`) |
//! | inputs | argv words, environment, input files, values, probe outputs, stdin | the policy has no `INPUTS`, or `--ignore` names them |
//! | source | the program and the script that it interprets | the policy has no `TASK_SOURCE`, or the version overrides it |
//!
//! # Why each rule is as it is
//!
//! - *Whatever takes something out of the key is itself in the key.* The policy, the `--ignore` patterns, the
//!   environment mode and the like are part of the signature. Without that, a run that ignores `DEBUG` could
//!   store a result that a run which does not ignore it would take for its own.
//! - *Order is kept where it means something and nowhere else.* argv words carry their position (`sort a b` is not
//!   `sort b a`; moon sorts arguments before hashing and cannot tell them apart). All else is sorted by kind and
//!   name, so that the order in which files were found, options were given or variables stand never matters.
//! - *Nothing is concatenated without its length* (see [`super::codec`]).
//! - *Absence is a value.* A variable that is unset, one that is empty, and a file that an optional input did not
//!   find have three different digests; see [`Presence`].
//! - *The task's identity never leaves.* Prefect's `INPUTS` alone lets one task take another's result.
//! - *A part that cannot be computed is an error of the caller's, never a constant.* Prefect once cached under what
//!   was left of a partial key (prefect#15861). Two ingredients of one kind and name with different values
//!   cannot both be right, and are refused here for the same reason.
//!
//! # What is deliberately not in a key
//!
//! mtimes, inode numbers, user and host names, the time, the locale unless its variables are keyed, whether the
//! streams are terminals, and the path of the store. Absolute paths only where the working directory or a
//! program outside the project is one.
//!
//! # The format number
//!
//! [`KEY_FORMAT`] is the first field of the canonical bytes. Any change that can alter the key of an unchanged
//! command raises it, so that old entries are never found by accident; they age out.

use super::codec::{DecodeError, Decoder, Encoder};
use super::digest::{Digest, ParseDigestError};
use super::path::printable;
use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;

/// The number of the key format; `docs/key.md` specifies it.
pub const KEY_FORMAT: u32 = 1;

/// What kind of thing an ingredient is. The numbers are part of the key format and never change their meaning.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum IngredientKind {
    /// The project, a namespace.
    Project = 1,
    /// The domain, a namespace.
    Domain = 2,
    /// The task's name.
    Task = 3,
    /// One fact of the signature: a declared input or output, a mode, something ignored.
    Signature = 4,
    /// The policy in its canonical spelling.
    Policy = 5,
    /// The salt.
    Salt = 6,
    /// The version, and the output of each version policy.
    Version = 7,
    /// The program, its interpreter or its script.
    Source = 8,
    /// A word of argv, named by its position.
    Argument = 9,
    /// An environment variable.
    Environment = 10,
    /// An input file, directory or symbolic link.
    Input = 11,
    /// A literal input.
    Value = 12,
    /// The output of a probe command.
    Probe = 13,
    /// What stands on standard input.
    Stdin = 14,
    /// The working directory.
    Directory = 15,
    /// A parameter of the flow run.
    FlowParameter = 16,
    /// The id of the flow run.
    RunId = 17,
    /// A key of the caller's own.
    Key = 18,
    /// A file that a dependency file named after an earlier run.
    Dependency = 19,
}

impl IngredientKind {
    /// Every kind, in the order of the key format.
    pub const ALL: [Self; 19] = [
        Self::Project,
        Self::Domain,
        Self::Task,
        Self::Signature,
        Self::Policy,
        Self::Salt,
        Self::Version,
        Self::Source,
        Self::Argument,
        Self::Environment,
        Self::Input,
        Self::Value,
        Self::Probe,
        Self::Stdin,
        Self::Directory,
        Self::FlowParameter,
        Self::RunId,
        Self::Key,
        Self::Dependency,
    ];

    /// Returns how an ingredient of this kind and name is shown.
    pub fn label_of(self, name: &[u8]) -> String {
        match name.is_empty() {
            true => self.label().to_owned(),
            false => format!("{}:{}", self.label(), printable(name)),
        }
    }

    /// Returns the word that stands before the colon when an ingredient is shown.
    pub const fn label(self) -> &'static str {
        match self {
            Self::Project => "project",
            Self::Domain => "domain",
            Self::Task => "task",
            Self::Signature => "signature",
            Self::Policy => "policy",
            Self::Salt => "salt",
            Self::Version => "version",
            Self::Source => "source",
            Self::Argument => "argv",
            Self::Environment => "env",
            Self::Input => "input",
            Self::Value => "value",
            Self::Probe => "probe",
            Self::Stdin => "stdin",
            Self::Directory => "cwd",
            Self::FlowParameter => "parameter",
            Self::RunId => "run-id",
            Self::Key => "key",
            Self::Dependency => "dependency",
        }
    }

    /// Returns whether the value may be a secret, so that even its plain digest must not reach the disk: short
    /// secrets can be found from a digest by trying.
    pub const fn is_confidential(self) -> bool {
        matches!(self, Self::Environment | Self::Value | Self::Salt | Self::FlowParameter | Self::Key)
    }

    fn from_number(number: u8) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| *kind as u8 == number)
    }
}

/// A value that may be missing, where missing is not the same as empty.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Presence<'a> {
    /// There is no value: the variable is unset, the optional file does not exist.
    Absent,
    /// The value, which may be empty.
    Present(&'a [u8]),
}

impl Presence<'_> {
    /// Returns the digest that stands for the value in an ingredient.
    pub fn digest(self) -> Digest {
        let mut encoder = Encoder::new();
        match self {
            Self::Absent => encoder.u8(0),
            Self::Present(value) => encoder.u8(1).bytes(value),
        };
        Digest::of(&encoder.finish())
    }
}

/// One named part of a key.
#[derive(Clone, PartialEq, Eq)]
pub struct Ingredient {
    /// What kind of thing it is.
    pub kind: IngredientKind,
    /// Its name within the kind: a path, a variable, a position. May be empty where a kind has only one.
    pub name: Vec<u8>,
    /// The digest of its value.
    pub digest: Digest,
}

impl Ingredient {
    /// Makes an ingredient from the digest of its value.
    pub fn new(kind: IngredientKind, name: impl Into<Vec<u8>>, digest: Digest) -> Self {
        Self { kind, name: name.into(), digest }
    }

    /// Makes an ingredient from a value that is present.
    pub fn of(kind: IngredientKind, name: impl Into<Vec<u8>>, value: &[u8]) -> Self {
        Self::new(kind, name, Presence::Present(value).digest())
    }

    /// Returns `argv:2`, `env:LANG`, `input:src/a.c`, with control characters escaped.
    pub fn label(&self) -> String {
        self.kind.label_of(&self.name)
    }

    /// Returns whether the value was withheld by the store that the entry comes from, so that nobody can say whether
    /// it differs from another.
    pub fn is_withheld(&self) -> bool {
        self.kind.is_confidential() && self.digest == WITHHELD
    }

    /// The order of the canonical form. Positions in argv are numbers without leading zeros, so the shorter one is
    /// the smaller one.
    pub(super) fn order(&self, other: &Self) -> Ordering {
        let numbers = self.kind == IngredientKind::Argument;
        self.kind
            .cmp(&other.kind)
            .then_with(|| if numbers { self.name.len().cmp(&other.name.len()) } else { Ordering::Equal })
            .then_with(|| self.name.cmp(&other.name))
    }
}

impl fmt::Debug for Ingredient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}={}", self.label(), self.digest.short())
    }
}

/// What stands in place of a confidential digest that came from another store: it was keyed with that one's secret
/// and could be compared with nothing here.
pub const WITHHELD: Digest = Digest::from_bytes([0; Digest::LENGTH]);

/// Two values for one name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' has two different values")]
pub struct ConflictError(String);

/// The sorted list of ingredients, without repeats.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Fingerprint {
    ingredients: Vec<Ingredient>,
}

impl Fingerprint {
    /// Sorts ingredients into canonical order. The same ingredient given twice counts once; one name with two
    /// values is an error, because no key can be right then.
    pub fn new(mut ingredients: Vec<Ingredient>) -> Result<Self, ConflictError> {
        ingredients.sort_by(Ingredient::order);
        ingredients.dedup();
        match ingredients.windows(2).find(|pair| pair[0].order(&pair[1]).is_eq()) {
            Some(pair) => Err(ConflictError(pair[0].label())),
            None => Ok(Self { ingredients }),
        }
    }

    /// Returns the ingredients in canonical order.
    pub fn ingredients(&self) -> &[Ingredient] {
        &self.ingredients
    }

    /// Returns a fingerprint with more ingredients.
    pub fn with(&self, more: impl IntoIterator<Item = Ingredient>) -> Result<Self, ConflictError> {
        Self::new(self.ingredients.iter().cloned().chain(more).collect())
    }

    /// Returns a fingerprint whose confidential digests went through `mask`, which is the form that is stored. Its
    /// key is not the key of the original.
    #[must_use]
    pub fn masked(&self, mask: impl Fn(&Digest) -> Digest) -> Self {
        let mut masked = self.clone();
        for ingredient in &mut masked.ingredients {
            if ingredient.kind.is_confidential() {
                ingredient.digest = mask(&ingredient.digest);
            }
        }
        masked
    }

    /// Returns a fingerprint without its confidential digests, which is the form that leaves a store.
    #[must_use]
    pub fn withheld(&self) -> Self {
        self.masked(|_| WITHHELD)
    }

    /// Returns the canonical bytes: format number, count, then kind, name and digest of each ingredient.
    pub fn canonical_bytes(&self) -> Vec<u8> {
        let size = |ingredient: &Ingredient| 1 + 8 + ingredient.name.len() + Digest::LENGTH;
        let mut encoder = Encoder::with_capacity(4 + 8 + self.ingredients.iter().map(size).sum::<usize>());
        encoder.u32(KEY_FORMAT).length(self.ingredients.len());
        for ingredient in &self.ingredients {
            encoder.u8(ingredient.kind as u8).bytes(&ingredient.name).digest(&ingredient.digest);
        }
        encoder.finish()
    }

    /// Returns the key.
    pub fn key(&self) -> CacheKey {
        CacheKey(Digest::of(&self.canonical_bytes()))
    }

    /// Reads canonical bytes; anything that `canonical_bytes` would not write, order included, is an error.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut decoder = Decoder::new(bytes);
        let format = decoder.u32("key format")?;
        if format != KEY_FORMAT {
            return Err(DecodeError::Unknown { what: "key format", value: format.into() });
        }
        let count = decoder.count(1 + 8 + Digest::LENGTH, "ingredient count")?;
        let mut ingredients: Vec<Ingredient> = Vec::with_capacity(count);
        for _ in 0..count {
            let number = decoder.u8("ingredient kind")?;
            let kind = IngredientKind::from_number(number)
                .ok_or(DecodeError::Unknown { what: "ingredient kind", value: number.into() })?;
            let name = decoder.bytes("ingredient name")?.to_vec();
            let ingredient = Ingredient { kind, name, digest: decoder.digest("ingredient digest")? };
            if ingredients.last().is_some_and(|last| last.order(&ingredient).is_ge()) {
                return Err(DecodeError::Invalid { what: "fingerprint", why: "out of order".into() });
            }
            ingredients.push(ingredient);
        }
        decoder.finish()?;
        Ok(Self { ingredients })
    }
}

/// The name of a result: the SHA-256 of a fingerprint's canonical bytes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CacheKey(Digest);

impl CacheKey {
    /// Wraps a digest that already is a key, as read back from the store.
    pub const fn from_digest(digest: Digest) -> Self {
        Self(digest)
    }

    /// Returns the digest.
    pub const fn digest(&self) -> &Digest {
        &self.0
    }

    /// Returns the first eight hex digits.
    pub fn short(&self) -> String {
        self.0.short()
    }
}

impl fmt::Display for CacheKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for CacheKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CacheKey({})", self.short())
    }
}

impl FromStr for CacheKey {
    type Err = ParseDigestError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse().map(Self)
    }
}

/// The first digits of a key, as people type them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeyPrefix(String);

/// A text that cannot be the beginning of a key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is not a key: it takes 6 to 64 hex digits")]
pub struct ParseKeyPrefixError(String);

impl KeyPrefix {
    /// Returns the lower-case hex digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Returns the smallest and the largest key that begin like this.
    pub fn range(&self) -> (CacheKey, CacheKey) {
        let bound = |fill: &str| {
            let mut hex = self.0.clone();
            hex.push_str(&fill.repeat(2 * Digest::LENGTH - hex.len()));
            CacheKey(hex.parse().expect("6 to 64 hex digits were filled up with hex digits to 64"))
        };
        (bound("0"), bound("f"))
    }
}

impl FromStr for KeyPrefix {
    type Err = ParseKeyPrefixError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let hex = text.to_ascii_lowercase();
        let fits = (6..=2 * Digest::LENGTH).contains(&hex.len());
        if fits && hex.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            Ok(Self(hex))
        } else {
            Err(ParseKeyPrefixError(printable(text.as_bytes())))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn sample() -> Vec<Ingredient> {
        vec![
            Ingredient::of(IngredientKind::Argument, "10", b"k"),
            Ingredient::of(IngredientKind::Argument, "2", b"c"),
            Ingredient::of(IngredientKind::Environment, "LANG", b"C"),
            Ingredient::of(IngredientKind::Task, "", b"sort"),
        ]
    }

    /// The same vector stands in docs/key.md; a change here is a change of the key format.
    #[test]
    fn golden_bytes() {
        let fingerprint = Fingerprint::new(vec![
            Ingredient::of(IngredientKind::Argument, "0", b"echo"),
            Ingredient::of(IngredientKind::Task, "", b"echo"),
        ])
        .unwrap();
        let value = Presence::Present(b"echo").digest();
        assert_eq!(value.to_string(), "4c1242913e1af4f5273f37d11d37fe8140bc94677c8e2754ad4076196f56a520");
        assert_eq!(
            fingerprint.key().to_string(),
            "c0fe83f946dd3e042ec24f60272d02bc835ce5aba69a3ec4a549433523e947c6"
        );
    }

    #[test]
    fn order_of_discovery_never_matters_and_positions_count_as_numbers() {
        let labels = |ingredients: Vec<Ingredient>| {
            let fingerprint = Fingerprint::new(ingredients).unwrap();
            fingerprint.ingredients().iter().map(Ingredient::label).collect::<Vec<_>>()
        };
        let mut backwards = sample();
        backwards.reverse();
        assert_eq!(labels(sample()), ["task", "argv:2", "argv:10", "env:LANG"]);
        assert_eq!(labels(sample()), labels(backwards));
    }

    #[test]
    fn one_name_with_two_values_has_no_key() {
        let mut twice = sample();
        twice.push(Ingredient::of(IngredientKind::Environment, "LANG", b"de"));
        assert_eq!(Fingerprint::new(twice), Err(ConflictError("env:LANG".into())));
        let mut same = sample();
        same.extend(sample());
        assert_eq!(Fingerprint::new(same), Fingerprint::new(sample()));
    }

    #[test]
    fn absent_empty_and_zero_are_three_values() {
        let values =
            [Presence::Absent, Presence::Present(b""), Presence::Present(b"\0")].map(Presence::digest);
        assert_ne!(values[0], values[1]);
        assert_ne!(values[1], values[2]);
        assert_ne!(values[0], values[2]);
    }

    #[test]
    fn masking_changes_what_may_be_secret_and_nothing_else() {
        let plain = Fingerprint::new(sample()).unwrap();
        let masked = plain.masked(|digest| Digest::of(digest.as_bytes()));
        for (before, after) in plain.ingredients().iter().zip(masked.ingredients()) {
            assert_eq!(before.digest != after.digest, before.label() == "env:LANG", "{}", before.label());
        }
    }

    #[test]
    fn prefixes_span_their_keys() {
        let key = Fingerprint::new(sample()).unwrap().key();
        let prefix: KeyPrefix = key.to_string()[..6].to_uppercase().parse().unwrap();
        let (low, high) = prefix.range();
        assert!(low <= key && key <= high);
        for wrong in ["", "abcde", "abcdeg", &"a".repeat(65)] {
            assert!(wrong.parse::<KeyPrefix>().is_err(), "{wrong}");
        }
    }

    fn ingredient() -> impl Strategy<Value = Ingredient> {
        let name = prop_oneof![
            prop::collection::vec(any::<u8>(), 0..3),
            (0u32..20).prop_map(|number| number.to_string().into_bytes())
        ];
        (0usize..IngredientKind::ALL.len(), name, prop::collection::vec(any::<u8>(), 0..3))
            .prop_map(|(kind, name, value)| Ingredient::of(IngredientKind::ALL[kind], name, &value))
    }

    proptest! {
        #[test]
        fn keys_are_equal_exactly_when_ingredients_are(
            left in prop::collection::vec(ingredient(), 0..5),
            right in prop::collection::vec(ingredient(), 0..5),
        ) {
            if let (Ok(left), Ok(right)) = (Fingerprint::new(left), Fingerprint::new(right)) {
                prop_assert_eq!(left == right, left.key() == right.key());
            }
        }

        #[test]
        fn canonical_bytes_go_round(list in prop::collection::vec(ingredient(), 0..6)) {
            if let Ok(fingerprint) = Fingerprint::new(list) {
                prop_assert_eq!(Fingerprint::decode(&fingerprint.canonical_bytes()), Ok(fingerprint));
            }
        }

        #[test]
        fn what_decodes_is_canonical(bytes in prop::collection::vec(any::<u8>(), 0..80)) {
            if let Ok(fingerprint) = Fingerprint::decode(&bytes) {
                prop_assert_eq!(fingerprint.canonical_bytes(), bytes);
            }
        }
    }
}
