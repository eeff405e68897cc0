//! All layers of a run, the highest first, and how one value is found in them.
//!
//! A text or a switch is the highest one that is said. A list is the highest one too, but in it the element `...`
//! stands for the list of the layers below, so that a layer can add to what it inherits.

use super::error::{ConfigError, did_you_mean};
use super::layer::{Layer, Located, Origin, RawValue};
use super::options::{Kind, OPTIONS, OptionName, OptionRow};
use crate::model::nearest::nearest;
use crate::model::path::printable;
use std::borrow::Cow;
use std::ffi::{OsStr, OsString};
use std::fmt::Display;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

/// The element of a list that stands for the inherited ones.
pub(super) const INHERITED: &str = "...";

/// Whose a layer is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Source {
    /// The command line's or the environment's.
    Caller,
    /// The project's config's.
    Project,
    /// The user's config's.
    User,
    /// The table's.
    BuiltIn,
}

/// All layers, the highest first.
pub(super) struct Stack<'l> {
    layers: Vec<(Source, Cow<'l, Layer>)>,
    directory: PathBuf,
}

/// A value that was found.
#[derive(Debug, Clone, Copy)]
pub(super) struct Found<'s, T> {
    /// The value.
    pub(super) value: T,
    /// Where it came from.
    pub(super) origin: &'s Origin,
    /// How many layers are above its own.
    pub(super) depth: usize,
}

/// An element of a merged list.
#[derive(Debug, Clone, Copy)]
pub(super) struct Element<'s> {
    /// The element.
    pub(super) text: &'s OsStr,
    /// Where it came from.
    pub(super) origin: &'s Origin,
    /// The folder that a path in it is relative to.
    pub(super) base: &'s Path,
}

impl Element<'_> {
    /// Returns an error about this element.
    pub(super) fn refuse(&self, reason: impl Display) -> ConfigError {
        refuse(self.origin, reason)
    }
}

/// Returns an error about a value.
pub(super) fn refuse(origin: &Origin, reason: impl Display) -> ConfigError {
    ConfigError::Value { origin: Box::new(origin.clone()), reason: reason.to_string(), hint: None }
}

/// Returns the lowest layer: what the table says.
fn built_in() -> Layer {
    let mut layer = Layer::new();
    for row in OPTIONS {
        if let Some(text) = row.built_in {
            layer.set(row.name, RawValue::Text(text.into()), Origin::BuiltIn);
        }
    }
    layer
}

impl<'l> Stack<'l> {
    /// Lays layers over the built-in one. Paths are relative to `directory` where their layer does not say.
    pub(super) fn new(layers: impl IntoIterator<Item = (Source, &'l Layer)>, directory: PathBuf) -> Self {
        let layers = layers.into_iter().map(|(source, layer)| (source, Cow::Borrowed(layer)));
        let layers = layers.chain([(Source::BuiltIn, Cow::Owned(built_in()))]).collect();
        Self { layers, directory }
    }

    /// Returns each layer with its source, without the built-in one.
    pub(super) fn said(&self) -> impl Iterator<Item = (usize, &Layer)> {
        let layers = self.layers.iter().filter(|(source, _)| *source != Source::BuiltIn);
        layers.map(|(_, layer)| layer.as_ref()).enumerate()
    }

    /// Forgets what the layers below a depth say about an option.
    pub(super) fn forget_below(&mut self, depth: usize, name: OptionName) {
        let below = self.layers.iter_mut().skip(depth + 1);
        // A layer is copied to forget something.
        below
            .filter(|(_, layer)| layer.get(name).is_some())
            .for_each(|(_, layer)| layer.to_mut().forget(name));
    }

    /// Lets a config forbid what a variable asks of every task: where the highest word of the configs on a switch is
    /// no, a variable's yes is forgotten. An option is about one run and still counts.
    pub(super) fn let_config_forbid(&mut self, name: OptionName) {
        let of_files =
            self.layers.iter().filter(|(source, _)| matches!(source, Source::Project | Source::User));
        let is_forbidden =
            of_files.filter_map(|(_, layer)| layer.switch(name)).next().is_some_and(|(on, _)| !on);
        if !is_forbidden {
            return;
        }
        for (_, layer) in &mut self.layers {
            if matches!(layer.switch(name), Some((true, Origin::Variable(_)))) {
                layer.to_mut().forget(name);
            }
        }
    }

    /// Returns whose the layer at a depth is.
    pub(super) fn source(&self, depth: usize) -> Source {
        self.layers.get(depth).map_or(Source::BuiltIn, |(source, _)| *source)
    }

    fn find<'s, T>(&'s self, get: impl Fn(&'s Layer) -> Option<(T, &'s Origin)>) -> Option<Found<'s, T>> {
        self.layers
            .iter()
            .enumerate()
            .find_map(|(depth, (_, layer))| get(layer).map(|(value, origin)| Found { value, origin, depth }))
    }

    /// Returns the highest text.
    pub(super) fn text(&self, name: OptionName) -> Option<Found<'_, &OsStr>> {
        self.find(|layer| layer.text(name))
    }

    /// Returns the highest word on a switch.
    pub(super) fn switch(&self, name: OptionName) -> Option<Found<'_, bool>> {
        self.find(|layer| layer.switch(name))
    }

    /// Returns whether a switch is on.
    pub(super) fn is_on(&self, name: OptionName) -> bool {
        self.switch(name).is_some_and(|found| found.value)
    }

    /// Returns the merged list.
    pub(super) fn list(&self, name: OptionName) -> Vec<Element<'_>> {
        let mut merged: Vec<Element<'_>> = Vec::new();
        for (_, layer) in self.layers.iter().rev() {
            let Some((elements, _)) = layer.list(name) else { continue };
            let mut inherited = std::mem::take(&mut merged);
            let base = layer.base().unwrap_or(&self.directory);
            for Located { value, origin } in elements {
                if value == INHERITED {
                    // Once is enough, and what is multiplied by each layer could outgrow any memory.
                    merged.append(&mut inherited);
                } else {
                    merged.push(Element { text: value, origin, base });
                }
            }
        }
        merged
    }

    /// Returns the folder that paths of the layer at a depth are relative to.
    pub(super) fn base(&self, depth: usize) -> &Path {
        self.layers.get(depth).and_then(|(_, layer)| layer.base()).unwrap_or(&self.directory)
    }

    /// Reads a text that may not be empty.
    pub(super) fn filled(&self, name: OptionName) -> Result<Option<Found<'_, &OsStr>>, ConfigError> {
        match self.text(name) {
            Some(found) if found.value.as_bytes().trim_ascii().is_empty() => {
                Err(refuse(found.origin, "the value is empty"))
            }
            found => Ok(found),
        }
    }

    /// Reads a text as bytes, which may not be empty.
    pub(super) fn bytes(&self, name: OptionName) -> Result<Option<Vec<u8>>, ConfigError> {
        Ok(self.filled(name)?.map(|found| found.value.as_bytes().to_vec()))
    }

    /// Reads a text that may not be empty and has to be UTF-8.
    pub(super) fn word(&self, name: OptionName) -> Result<Option<String>, ConfigError> {
        self.filled(name)?.map(|found| utf8(found.value, found.origin).map(str::to_owned)).transpose()
    }

    /// Reads a text as what it stands for.
    pub(super) fn parsed<T>(&self, name: OptionName) -> Result<Option<T>, ConfigError>
    where
        T: FromStr<Err: Display>,
    {
        let Some(found) = self.text(name) else { return Ok(None) };
        let parsed = utf8(found.value, found.origin)?.parse();
        parsed.map(Some).map_err(|error| refuse(found.origin, error))
    }

    /// Reads a path as an absolute one.
    pub(super) fn path(&self, name: OptionName) -> Result<Option<PathBuf>, ConfigError> {
        let Some(found) = self.text(name) else { return Ok(None) };
        if found.value.is_empty() {
            return Err(refuse(found.origin, "the value is empty"));
        }
        Ok(Some(self.base(found.depth).join(found.value)))
    }

    /// Reads a choice, or the default one. `values` stand in the order of the table's words.
    pub(super) fn choice<T: Copy + Default>(&self, name: OptionName, values: &[T]) -> Result<T, ConfigError> {
        let Some(found) = self.text(name) else { return Ok(T::default()) };
        choice(name.row(), found.value, found.origin, values)
    }

    /// Reads each element of a list.
    pub(super) fn each<T, E: Display>(
        &self,
        name: OptionName,
        read: impl Fn(&Element<'_>) -> Result<T, E>,
    ) -> Result<Vec<T>, ConfigError> {
        let elements = self.list(name).into_iter();
        elements.map(|element| read(&element).map_err(|error| element.refuse(error))).collect()
    }

    /// Returns each option as it counts by the order of layers alone.
    pub(super) fn raw(&self, row: &OptionRow) -> Option<Located<RawValue>> {
        let found = self.find(|layer| layer.get(row.name).map(|found| (&found.value, &found.origin)))?;
        let value = match found.value {
            RawValue::List(_) => {
                let elements = self.list(row.name).into_iter();
                let owned = elements
                    .map(|element| Located::new(OsString::from(element.text), element.origin.clone()));
                RawValue::List(owned.collect())
            }
            value => value.clone(),
        };
        Some(Located::new(value, found.origin.clone()))
    }
}

/// Reads one word of a choice.
pub(super) fn choice<T: Copy>(
    row: &OptionRow,
    text: &OsStr,
    origin: &Origin,
    values: &[T],
) -> Result<T, ConfigError> {
    let Kind::Choice(words) = row.kind else { return Err(refuse(origin, "is no choice")) };
    let at = words.iter().position(|word| text == *word);
    at.and_then(|at| values.get(at)).copied().ok_or_else(|| {
        let near = text.to_str().and_then(|text| nearest(text, words.iter().copied()));
        ConfigError::Value {
            origin: Box::new(origin.clone()),
            reason: format!("'{}' is none of {}", printable(text.as_bytes()), words.join(", ")),
            hint: near.map(did_you_mean),
        }
    })
}

/// Reads a text that has to be UTF-8.
pub(super) fn utf8<'t>(text: &'t OsStr, origin: &Origin) -> Result<&'t str, ConfigError> {
    text.to_str().ok_or_else(|| refuse(origin, format!("'{}' is not UTF-8", printable(text.as_bytes()))))
}
