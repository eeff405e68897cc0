//! The program from outside: one file a behaviour, every test in a world of its own.

#![expect(
    clippy::unwrap_used,
    clippy::print_stderr,
    unreachable_pub,
    reason = "a test that cannot go on says so by panicking, one that is skipped by a line; nobody links against tests"
)]

mod support;

mod background;
mod bad_input;
mod capture;
mod completions;
mod config;
mod control;
mod exchange;
mod explain;
mod faults;
mod faulty_config;
mod flow;
mod gc;
mod help;
mod hostile;
mod hygiene;
mod identity;
mod init;
mod law;
mod lease;
mod listing;
mod local_cache;
mod progress;
mod report;
mod restore;
mod serialize;
mod signals;
mod store_states;
mod tools;
mod transaction;
mod unrestored;
mod verify;
