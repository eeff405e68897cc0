//! Floor 1: the only code that touches the machine.

mod forward;
pub mod host;
pub mod outlet;
pub mod process;
pub mod program;
pub mod replay;
pub mod signals;
pub mod spool;
pub mod tee;
