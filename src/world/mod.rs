//! Floor 1: the only code that touches the machine.

pub mod file;
pub mod filesystem;
pub mod glob;
pub mod host;
pub mod lock;
pub mod probe;
pub mod tree;
