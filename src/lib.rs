//! taskcache memoises any command: argv, input files and environment become a key; on a hit the stored output,
//! exit code and files come back as if the command had run.
//!
//! # The map of the house
//!
//! A module may use the floors below it, never the ones above; `tests/tidy.rs` holds this table against the code.
//!
//! | floor | module | responsibility |
//! |---|---|---|
//! | 0 | [`model`] | values and rules, pure |
//! | 1 | [`world`] | the only code that touches the machine |
//! | 2 | [`config`] | layers into settings, each value with its origin |
//! | 2 | [`store`] | the local store |
//! | 3 | [`engine`] | plan, look up, restore and replay or execute and record |
//! | 4 | [`report`] | events and rows to words and JSON |
//! | 4 | [`cli`] | flags, subcommands, dispatch |

pub mod cli;
pub mod config;
pub mod engine;
pub mod model;
pub mod report;
pub mod store;
pub mod world;
