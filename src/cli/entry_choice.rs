//! Which stored entry the beginning of a key means.

use super::failure::Failure;
use crate::model::entry::Entry;
use crate::model::fingerprint::{CacheKey, KeyPrefix};
use crate::store::{Found, Store};

/// Returns the one key in the store that begins like this.
pub(super) fn key_in(store: &Store, prefix: &KeyPrefix) -> Result<CacheKey, Failure> {
    match store.index()?.keys(prefix, 3)?.as_slice() {
        [] => Err(unknown(prefix)),
        [key] => Ok(*key),
        several => {
            let shown: Vec<_> = several.iter().map(|key| key.to_string()[..16].to_owned()).collect();
            let message = format!("several keys begin with '{}': {}", prefix.as_str(), shown.join(", "));
            Err(Failure::new(message).hint("write more digits"))
        }
    }
}

/// Returns the one entry in the store whose key begins like this.
pub(super) fn entry_in(store: &Store, prefix: &KeyPrefix) -> Result<Box<Entry>, Failure> {
    let key = key_in(store, prefix)?;
    match store.find(&key)? {
        Found::Entry(entry) => Ok(entry),
        // What went since then is told like this too: it comes back in the same way.
        Found::Damaged | Found::Absent => Err(damaged(&key)),
    }
}

/// Returns the failure where no key begins like this.
pub(super) fn unknown(prefix: &KeyPrefix) -> Failure {
    Failure::new(format!("no entry has a key that begins with '{}'", prefix.as_str()))
        .hint("'taskcache local-cache list' shows the keys")
}

/// Returns the failure where an entry, or what it refers to, cannot be read.
pub(super) fn damaged(key: &CacheKey) -> Failure {
    Failure::new(format!("the entry {} is damaged", key.short()))
        .hint("the next run of its command stores it anew")
}
