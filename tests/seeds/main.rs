//! What the systems that taskcache grew from promise about caching: one test a row of `docs/flyte.md`,
//! `docs/prefect.md` and the table of bkt in `docs/seeds.md`, named after the row.

#![expect(
    clippy::unwrap_used,
    unreachable_pub,
    reason = "a test that cannot go on says so by panicking; nobody links against tests"
)]

#[expect(dead_code, reason = "shared with the tests of the program, which need more of it")]
#[path = "../cli/support.rs"]
mod support;

mod bkt;
mod documents;
mod flyte;
mod local;
mod prefect;
mod signature;
mod transactions;
mod world;
