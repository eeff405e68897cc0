//! Floor 2: layers into settings, each value with its origin.
//!
//! [`options`] is the one table that all surfaces follow. The command line, [`variables`] and each table of a
//! [`mod@file`] become one [`layer`]; [`resolve`] lays them over each other and reads the outcome into [`settings`].

mod assemble;
mod conflicts;
pub mod document;
pub mod effective;
pub mod error;
pub mod file;
pub mod layer;
mod lists;
pub mod location;
pub mod names;
pub mod options;
pub mod resolve;
pub mod schema;
pub mod settings;
mod stack;
pub mod starter;
#[cfg(test)]
pub(crate) mod testing;
pub mod values;
pub mod variables;
mod version;
