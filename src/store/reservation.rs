//! The right to be the one run that computes a key, while others wait.
//!
//! A reservation is a [claim](super::claim) on the name of the key. By a kernel lock it is free exactly when the kernel
//! says so: the moment its holder ends, however it ends, the next one gets it; a holder that is stopped or slow keeps
//! it. By a lease, where there are no such locks, a holder that does not renew it loses it, and stores nothing then.
//! What stands there is for people: who holds it, since when, for what.
//!
//! Waiters only ask whether it is free: when the holder is gone all of them get through at once, look for its result
//! and replay it side by side. Only where there is none do they compete for it.
//!
//! A reservation saves work and nothing depends on it: two runs of one key at once have two right results.
//!
//! Nested runs can close a circle: A computes `a` and waits for `b` inside, B computes `b` and waits for `a`. So a
//! nested waiter says for what it waits and which keys are held around it; who finds itself in a circle goes on
//! without a reservation.

use super::Layout;
use super::claim::{Claim, Claims, Fence};
use super::transaction::{TransactionId, life_name};
use crate::model::fingerprint::CacheKey;
use crate::model::locking::Locking;
use crate::model::time::Timestamp;
use crate::world::file::{FileError, random_number, sharded};
use crate::world::lease::Ending;
use serde_json::{Map, Value, json};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Who holds a reservation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holder {
    /// What is being computed.
    pub key: CacheKey,
    /// The process.
    pub process: u32,
    /// The machine.
    pub host: String,
    /// Since when.
    pub since: Timestamp,
    /// The task, printable.
    pub task: String,
    /// The command, printable.
    pub command: String,
    /// The outermost transaction, where the key stays reserved until that one ends.
    pub transaction: Option<String>,
}

impl Holder {
    fn to_json(&self) -> Value {
        json!({
            "key": self.key.to_string(),
            "pid": self.process,
            "host": self.host,
            "since": self.since.to_string(),
            "task": self.task,
            "command": self.command,
            "transaction": self.transaction,
        })
    }

    fn from_json(text: &str) -> Option<Self> {
        let value: Map<String, Value> = serde_json::from_str(text).ok()?;
        let text = |name: &str| value.get(name).and_then(Value::as_str);
        Some(Self {
            key: text("key")?.parse().ok()?,
            process: u32::try_from(value.get("pid")?.as_u64()?).ok()?,
            host: text("host")?.to_owned(),
            since: Timestamp::from_millis(text("since")?.parse::<jiff::Timestamp>().ok()?.as_millisecond()),
            task: text("task")?.to_owned(),
            command: text("command")?.to_owned(),
            transaction: text("transaction").map(str::to_owned),
        })
    }
}

/// A reservation that is held until it is dropped.
#[derive(Debug)]
pub struct Reservation {
    claim: Claim,
}

impl Reservation {
    /// Returns what tells whether it is still held.
    pub fn fence(&self) -> Fence {
        self.claim.fence()
    }
}

/// The reservations of a store.
#[derive(Debug, Clone)]
pub struct Reservations {
    claims: Claims,
}

/// Where the names of reserved keys lie, and how deep.
const RUNS: (&str, usize) = ("run", 2);

/// Where the names of waits lie, and how deep.
const WAITS: (&str, usize) = ("wait", 1);

fn name(key: &CacheKey) -> PathBuf {
    sharded(Path::new(RUNS.0), key.digest())
}

impl Reservations {
    /// Names the reservations of a store; nothing is touched.
    pub fn of(layout: &Layout, locking: Locking) -> Self {
        Self { claims: Claims::of(layout, locking) }
    }

    /// Returns how long to pause at most between two questions whether one is free. Each question about a lease makes
    /// a file on what is likely a server.
    pub const fn longest_pause(&self) -> Duration {
        if self.claims.can_be_lost() { Duration::from_millis(200) } else { Duration::from_millis(50) }
    }

    /// Takes the reservation if nobody has it.
    pub fn try_take(&self, holder: &Holder) -> Result<Option<Reservation>, FileError> {
        let own = holder.transaction.as_deref();
        // Of a transaction that has to keep it the next one must learn.
        let ending = if own.is_some() { Ending::Stays } else { Ending::Goes };
        let claim = self.claims.take(&name(&holder.key), ending, Ending::Stays, |last| {
            if let Some(keeper) = last.and_then(keeper_of).filter(|keeper| own != Some(keeper.as_str())) {
                if self.claims.is_held(&life_name(&keeper))? {
                    return Ok(None);
                }
                // It may only be stopped, and must not commit what it computed under this key when it wakes.
                self.claims.depose(&life_name(&keeper))?;
            }
            Ok(Some(holder.to_json().to_string()))
        })?;
        Ok(claim.map(|claim| Reservation { claim }))
    }

    /// Returns whether nobody else than `transaction` holds the reservation at this moment.
    pub fn is_free(&self, key: &CacheKey, transaction: Option<&str>) -> Result<bool, FileError> {
        Ok(!self.claims.is_held(&name(key))? && !self.is_kept(key, transaction)?)
    }

    /// Returns whether a transaction other than `own` keeps a key that one of its runs reserved: its processes come
    /// and go, so what counts is whether the process that began it lives.
    fn is_kept(&self, key: &CacheKey, own: Option<&str>) -> Result<bool, FileError> {
        let keeper = self.claims.text(&name(key)).as_deref().and_then(keeper_of);
        match keeper.filter(|keeper| own != Some(keeper.as_str())) {
            Some(keeper) => self.claims.is_held(&life_name(&keeper)),
            None => Ok(false),
        }
    }

    /// Returns who holds a reservation, as far as the holder has said so yet.
    pub fn holder(&self, key: &CacheKey) -> Option<Holder> {
        self.claims.text(&name(key)).as_deref().and_then(Holder::from_json)
    }

    /// Returns all who hold a reservation now, the one that began first in front.
    pub fn running(&self) -> Vec<Holder> {
        let held = self.claims.held_below(RUNS.0, RUNS.1);
        let mut holders: Vec<_> = held.iter().filter_map(|text| Holder::from_json(text)).collect();
        holders.sort_by_key(|holder| holder.since);
        holders
    }

    /// Says that a run inside of `stack` waits for `key`, until the answer is dropped.
    pub fn announce_wait(&self, stack: &[CacheKey], key: &CacheKey) -> Result<Wait, FileError> {
        let name = Path::new(WAITS.0).join(format!("{:016x}", random_number()));
        let text: Vec<_> = std::iter::once(key).chain(stack).map(ToString::to_string).collect();
        let claim = self.claims.take(&name, Ending::Goes, Ending::Goes, |_| Ok(Some(text.join(" "))))?;
        // A name that nobody else has is never held by anybody else.
        let claim = claim.ok_or_else(|| {
            FileError::of("lock", &name)(std::io::Error::from(std::io::ErrorKind::WouldBlock))
        })?;
        Ok(Wait { _claim: claim })
    }

    /// Returns whether waiting for `key` inside of `stack` closes a circle of waiters.
    pub fn is_circular(&self, stack: &[CacheKey], key: &CacheKey) -> bool {
        let waits: Vec<Vec<CacheKey>> = self
            .claims
            .held_below(WAITS.0, WAITS.1)
            .iter()
            .map(|text| text.split(' ').filter_map(|key| key.parse().ok()).collect())
            .collect();
        let mut reached = vec![*key];
        let mut at = 0;
        while let Some(target) = reached.get(at).copied() {
            at += 1;
            // Whoever is inside the run that computes the target, and waits itself, leads on.
            for wait in waits.iter().filter(|wait| wait.iter().skip(1).any(|around| *around == target)) {
                let Some(wanted) = wait.first() else { continue };
                if stack.contains(wanted) {
                    return true;
                }
                if !reached.contains(wanted) {
                    reached.push(*wanted);
                }
            }
        }
        false
    }
}

/// Returns the transaction that keeps a key, by what stands in its reservation.
fn keeper_of(text: &str) -> Option<TransactionId> {
    Holder::from_json(text)?.transaction?.parse().ok()
}

/// A wait that others can see until it is dropped.
#[derive(Debug)]
pub struct Wait {
    _claim: Claim,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::locking::LockMeans;

    fn key(digit: &str) -> CacheKey {
        digit.repeat(64).parse().unwrap()
    }

    fn holder(key: CacheKey) -> Holder {
        Holder {
            key,
            process: 7,
            host: "h".into(),
            since: Timestamp::from_millis(1_700_000_000_000),
            task: "t".into(),
            command: "c".into(),
            transaction: None,
        }
    }

    /// Returns the reservations of a new store, by either means.
    fn reservations() -> [(tempfile::TempDir, Reservations); 2] {
        [LockMeans::Kernel, LockMeans::Lease].map(|means| {
            let folder = tempfile::tempdir().unwrap();
            // So long that no test sees its end.
            let lease = "1h".parse().unwrap();
            let layout = Layout { root: folder.path().to_owned() };
            (folder, Reservations::of(&layout, Locking { means, lease }))
        })
    }

    #[test]
    fn one_holds_and_the_others_see_who() {
        for (_folder, reservations) in reservations() {
            let a = key("a");
            assert!(reservations.is_free(&a, None).unwrap());
            let held = reservations.try_take(&holder(a)).unwrap().unwrap();
            assert!(reservations.try_take(&holder(a)).unwrap().is_none());
            assert!(!reservations.is_free(&a, None).unwrap());
            assert_eq!(reservations.holder(&a), Some(holder(a)));
            assert_eq!(reservations.running(), [holder(a)]);
            assert!(reservations.try_take(&holder(key("b"))).unwrap().is_some());
            drop(held);
            assert!(reservations.is_free(&a, None).unwrap());
            assert_eq!(reservations.running(), []);
            let again = reservations.try_take(&holder(a)).unwrap().unwrap();
            assert!(again.fence().holds().unwrap());
        }
    }

    #[test]
    fn a_circle_of_waiters_is_seen_by_whoever_closes_it() {
        for (_folder, reservations) in reservations() {
            let (a, b, c) = (key("a"), key("b"), key("c"));
            let _first = reservations.announce_wait(&[a], &b).unwrap();
            assert!(!reservations.is_circular(&[a], &b));
            let second = reservations.announce_wait(&[b], &c).unwrap();
            assert!(!reservations.is_circular(&[b], &c));
            assert!(reservations.is_circular(&[c], &a));
            drop(second);
            assert!(!reservations.is_circular(&[c], &a));
            assert!(reservations.is_circular(&[b], &a));
        }
    }

    #[test]
    fn what_a_transaction_keeps_is_free_when_its_process_is_gone() {
        for (_folder, reservations) in reservations() {
            let id = "0123456789abcdef";
            let kept = Holder { transaction: Some(id.to_owned()), ..holder(key("a")) };
            let life = life_name(&id.parse().unwrap());
            let claims = &reservations.claims;
            let life = claims.take(&life, Ending::Goes, Ending::Goes, |_| Ok(Some(String::new())));
            let life = life.unwrap().unwrap();
            drop(reservations.try_take(&kept).unwrap().unwrap());
            assert!(!reservations.is_free(&kept.key, None).unwrap());
            assert!(reservations.try_take(&holder(kept.key)).unwrap().is_none());
            assert!(reservations.is_free(&kept.key, Some(id)).unwrap());
            drop(reservations.try_take(&kept).unwrap().unwrap());
            drop(life);
            assert!(reservations.is_free(&kept.key, None).unwrap());
            assert!(reservations.try_take(&holder(kept.key)).unwrap().is_some());
        }
    }
}
