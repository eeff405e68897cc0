//! Floor 1: the only code that touches the machine.

pub mod host;
pub mod program;
