//! One binary for all targets, with libFuzzer's own options; `FUZZ_TARGET` names the target. `fuzz/run` builds it and
//! starts it on the corpus in the repository.

#![no_main]

#[path = "../targets/mod.rs"]
mod targets;

use libfuzzer_sys::fuzz_target;
use std::sync::OnceLock;

static TARGET: OnceLock<targets::Target> = OnceLock::new();

fuzz_target!(|bytes: &[u8]| {
    let target = TARGET.get_or_init(|| {
        let name = std::env::var("FUZZ_TARGET").expect("FUZZ_TARGET names a target");
        *targets::ALL.iter().find(|target| target.name == name).expect("there is such a target")
    });
    (target.check)(bytes);
});
