//! Floor 2: layers into settings, each value with its origin.

mod assemble;
mod conflicts;
pub mod document;
pub mod effective;
pub mod error;
pub mod file;
pub mod layer;
mod lists;
pub mod location;
pub mod options;
pub mod resolve;
pub mod settings;
mod stack;
#[cfg(test)]
mod testing;
pub mod values;
pub mod variables;
mod version;
