//! Floor 4: flags, subcommands, dispatch.

pub mod options;
