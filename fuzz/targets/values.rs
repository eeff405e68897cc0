//! The small grammars of options.

use std::fmt::{Debug, Display};
use std::path::Path;
use std::str::FromStr;
use taskcache::config::settings::{NamedValue, Pattern, ProbeCommand};
use taskcache::model::digest::Digest;
use taskcache::model::exit_codes::ExitCodes;
use taskcache::model::fingerprint::{CacheKey, KeyPrefix};
use taskcache::model::ignore::IgnoreRule;
use taskcache::model::policy::Policy;
use taskcache::model::time::{Size, Span};
use taskcache::store::transaction::TransactionId;

/// What is written out is read back as the same value.
fn goes_round<T: FromStr + Display + PartialEq + Debug>(text: &str) {
    if let Ok(value) = text.parse::<T>() {
        let written = value.to_string();
        assert_eq!(written.parse().ok(), Some(value), "'{text}' is written as '{written}'");
    }
}

/// A value that is written for people, and may be rounded: it is read back, and then stays what it is.
fn settles<T: FromStr + Display + PartialEq + Debug>(text: &str) {
    if let Ok(value) = text.parse::<T>() {
        let written = value.to_string();
        if let Ok(again) = written.parse::<T>() {
            assert_eq!(again.to_string(), written, "'{text}'");
        }
    }
}

/// Durations, sizes, exit codes, digests, keys, ids, rules, and what stands before a `=`.
pub fn values(bytes: &[u8]) {
    if let Ok(rule) = IgnoreRule::new(bytes) {
        assert_eq!(IgnoreRule::new(&rule.to_bytes()), Ok(rule.clone()));
        let (_, _, _) = (rule.takes_input(bytes), rule.takes_variable(bytes), rule.takes_argument(bytes));
    }
    let _ = (Pattern::parse(bytes, Path::new("/")), NamedValue::parse(bytes), ProbeCommand::parse(bytes));
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    goes_round::<ExitCodes>(text);
    goes_round::<Digest>(text);
    goes_round::<CacheKey>(text);
    goes_round::<TransactionId>(text);
    settles::<Span>(text);
    settles::<Size>(text);
    if let Ok(prefix) = text.parse::<KeyPrefix>() {
        let (low, high) = prefix.range();
        assert!(low <= high && low.to_string().starts_with(prefix.as_str()), "{text}");
    }
}

/// Policies: the text of one is a policy again and the same, whatever the order of its parts.
pub fn policy(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let names = ["debug".to_owned(), "a".to_owned()];
    let named = |name: &str| match name {
        "SMALL" => Some("INPUTS - debug"),
        "CIRCLE" => Some("CIRCLE + SMALL"),
        _ => None,
    };
    if let Ok(policy) = Policy::parse(text, named, &names) {
        let written = policy.to_string();
        assert_eq!(Policy::parse(&written, named, &names), Ok(policy), "'{text}' is written as '{written}'");
    }
}
