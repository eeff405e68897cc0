//! The projects under `examples/`, used as their readers would use them: each test works on a copy of its own.
//!
//! What really ran is told by programs in front of the real ones that write down each start, not by taskcache.

#![expect(
    clippy::unwrap_used,
    unreachable_pub,
    reason = "a test that cannot go on says so by panicking; nobody links against tests"
)]

#[path = "../cli/program.rs"]
mod program;
mod workshop;

mod c_project;
mod ci;
mod pipeline;
