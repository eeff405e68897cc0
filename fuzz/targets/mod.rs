//! What is fuzzed: every parser of bytes that somebody else may have written. A target panics where it finds a fault:
//! a parser that panics, a value with two encodings, or a value that does not come back.
//!
//! The same functions run under libFuzzer (`fuzz/run`) and, on the corpus and seeded mutations of it, in `tests/fuzz`.

mod config;
mod encodings;
mod paths;
mod values;

/// A parser with its oracle.
#[derive(Clone, Copy)]
pub struct Target {
    /// The name of its folder in the corpus.
    pub name: &'static str,
    /// Panics on a fault.
    pub check: fn(&[u8]),
}

/// All of them.
pub const ALL: &[Target] = &[
    Target { name: "config", check: config::config },
    Target { name: "discovery", check: config::discovery },
    Target { name: "policy", check: values::policy },
    Target { name: "values", check: values::values },
    Target { name: "pattern", check: paths::pattern },
    Target { name: "depfile", check: paths::depfile },
    Target { name: "interpreter", check: paths::interpreter },
    Target { name: "path", check: paths::path },
    Target { name: "entry", check: encodings::entry },
    Target { name: "fingerprint", check: encodings::fingerprint },
    Target { name: "outputs", check: encodings::outputs },
    Target { name: "path-set", check: encodings::path_set },
    Target { name: "placement", check: encodings::placement },
    Target { name: "witnesses", check: encodings::witnesses },
    Target { name: "import", check: encodings::import },
    Target { name: "history", check: encodings::history },
];
