//! Floor 1: the only code that touches the machine.

pub mod glob;
pub mod host;
