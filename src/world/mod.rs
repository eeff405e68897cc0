//! Floor 1: the only code that touches the machine.

mod forward;

pub mod background;
pub mod descriptors;
pub mod document;
pub mod file;
pub mod filesystem;
pub mod folder;
pub mod glob;
pub mod hold;
pub mod home;
pub mod host;
pub mod lease;
pub mod listing;
pub mod lock;
pub mod memory;
pub mod outlet;
pub mod probe;
pub mod process;
pub mod program;
pub mod reading;
pub mod replay;
pub mod signals;
pub mod spool;
pub mod tee;
pub mod tree;
pub mod whole;
pub mod workers;
