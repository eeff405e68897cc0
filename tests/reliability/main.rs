//! Whether the store can be trusted: it is killed, starved, damaged, stormed and lied to, and has to stay right.
//!
//! Each file is one way to harm it. Under `cargo test` a sample of everything is tried, in about a minute; every
//! test prints what it did. `TASKCACHE_RELIABILITY=N` does N times as much, `TASKCACHE_RELIABILITY=hours` everything
//! that can be enumerated and a thousand times of what is random; `TASKCACHE_SEED` chooses another sample:
//!
//! ```text
//! TASKCACHE_RELIABILITY=hours cargo test --release --test reliability -- --nocapture
//! ```
//!
//! Chosen points are reached by strace, which makes the N-th call of one kind fail, or kills the process before it.
//! Where strace cannot be had or may not trace, those tests say so and pass.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    unreachable_pub,
    reason = "a test that cannot go on says so by panicking, and prints what it did; nobody links against tests"
)]

mod old_stores;
mod power;
#[expect(dead_code, reason = "shared with the tests of the program, which need more of it")]
#[path = "../cli/program.rs"]
mod program;
mod samples;
mod support;
mod tracer;

mod clock;
mod crashes;
mod damage;
mod faults;
mod full_disk;
mod growth;
mod in_place;
mod model;
mod stat_cache;
mod storms;
