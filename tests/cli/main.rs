//! The program from outside: one file a behaviour, every test in a world of its own.

#![expect(
    clippy::unwrap_used,
    unreachable_pub,
    reason = "a test that cannot go on says so by panicking; nobody links against tests"
)]

mod support;

mod capture;
mod hygiene;
mod identity;
mod local_cache;
mod restore;
mod store_states;
