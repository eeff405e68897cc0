//! Floor 2: layers into settings, each value with its origin.

pub mod document;
pub mod error;
pub mod file;
pub mod layer;
pub mod options;
pub mod settings;
#[cfg(test)]
mod testing;
pub mod values;
pub mod variables;
