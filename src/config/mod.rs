//! Floor 2: layers into settings, each value with its origin.

pub mod layer;
pub mod options;
pub mod settings;
