//! Floor 2: layers into settings, each value with its origin.

pub mod settings;
