//! The right to be the one run that computes a key, while others wait.
//!
//! A reservation is a kernel lock on a file named by the key. It is free exactly when the kernel says so: the moment
//! its holder ends, however it ends, the next one gets it; no age and no heartbeat is involved, so a holder that is
//! stopped or slow keeps it. What stands in the file is for people: who holds it, since when, for what.
//!
//! Waiters ask for the lock *shared*: when the holder is gone all of them get through at once, look for its result
//! and replay it side by side. Only where there is none do they compete for the lock alone.
//!
//! A reservation saves work and nothing depends on it: two runs of one key at once store two right results, of
//! which the later stays.
//!
//! Nested runs can close a circle: A computes `a` and waits for `b` inside, B computes `b` and waits for `a`. So a
//! nested waiter says for what it waits and which keys are held around it; who finds itself in a circle goes on
//! without a reservation.

use super::Layout;
use super::transaction::is_alive;
use crate::model::fingerprint::CacheKey;
use crate::model::time::Timestamp;
use crate::world::file::{FileError, create_private_folder, random_number, sharded};
use crate::world::lock::{FileLock, Sharing};
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

    fn from_json(bytes: &[u8]) -> Option<Self> {
        let value: Map<String, Value> = serde_json::from_slice(bytes).ok()?;
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
    path: PathBuf,
    lock: FileLock,
    stays: bool,
}

impl Drop for Reservation {
    fn drop(&mut self) {
        if self.stays {
            return;
        }
        // Removed while it is held, so that the folder does not grow; who locked it meanwhile sees that it is gone
        // and starts over. One that stays is only an empty file.
        let _ = std::fs::remove_file(&self.path);
        let _ = &self.lock;
    }
}

/// The reservations of a store.
#[derive(Debug, Clone)]
pub struct Reservations {
    held: PathBuf,
    waits: PathBuf,
    lives: PathBuf,
}

impl Reservations {
    /// Names the reservations of a store; nothing is touched.
    pub fn of(layout: &Layout) -> Self {
        let locks = layout.path("locks");
        Self { held: locks.join("run"), waits: locks.join("wait"), lives: locks.join("transaction") }
    }

    fn path(&self, key: &CacheKey) -> PathBuf {
        sharded(&self.held, key.digest())
    }

    /// Takes the reservation if nobody has it.
    pub fn try_take(&self, holder: &Holder) -> Result<Option<Reservation>, FileError> {
        let path = self.path(&holder.key);
        if let Some(folder) = path.parent() {
            create_private_folder(folder)?;
        }
        let Some(lock) = FileLock::take(&path, Sharing::Exclusive, Duration::ZERO)? else { return Ok(None) };
        if self.is_kept(&holder.key, holder.transaction.as_deref()) {
            return Ok(None);
        }
        lock.write(holder.to_json().to_string().as_bytes()).map_err(FileError::of("write", &path))?;
        Ok(Some(Reservation { path, lock, stays: holder.transaction.is_some() }))
    }

    /// Returns whether nobody else than `transaction` holds the reservation at this moment.
    pub fn is_free(&self, key: &CacheKey, transaction: Option<&str>) -> Result<bool, FileError> {
        let path = self.path(key);
        if !path.exists() {
            return Ok(true);
        }
        let lock = FileLock::take(&path, Sharing::Shared, Duration::ZERO)?;
        Ok(lock.is_some() && !self.is_kept(key, transaction))
    }

    /// Returns whether a transaction other than `own` keeps a key that one of its runs reserved: its processes come
    /// and go, so what counts is whether the process that began it lives.
    fn is_kept(&self, key: &CacheKey, own: Option<&str>) -> bool {
        let keeper = self.holder(key).and_then(|holder| holder.transaction);
        let is_id = |id: &String| id.parse::<super::transaction::TransactionId>().is_ok();
        keeper.filter(is_id).is_some_and(|id| own != Some(id.as_str()) && is_alive(&self.lives.join(id)))
    }

    /// Returns who holds a reservation, as far as the holder has said so yet.
    pub fn holder(&self, key: &CacheKey) -> Option<Holder> {
        std::fs::read(self.path(key)).ok().and_then(|bytes| Holder::from_json(&bytes))
    }

    /// Returns all who hold a reservation now, the one that began first in front.
    pub fn running(&self) -> Vec<Holder> {
        let files = walkdir::WalkDir::new(&self.held).min_depth(2).max_depth(2).into_iter().flatten();
        let is_held = |path: &Path| matches!(FileLock::take(path, Sharing::Shared, Duration::ZERO), Ok(None));
        let mut holders: Vec<_> = files
            .filter(|file| is_held(file.path()))
            .filter_map(|file| std::fs::read(file.path()).ok().and_then(|bytes| Holder::from_json(&bytes)))
            .collect();
        holders.sort_by_key(|holder| holder.since);
        holders
    }

    /// Says that a run inside of `stack` waits for `key`, until the answer is dropped.
    pub fn announce_wait(&self, stack: &[CacheKey], key: &CacheKey) -> Result<Wait, FileError> {
        create_private_folder(&self.waits)?;
        let path = self.waits.join(format!("{:016x}", random_number()));
        // A name that nobody else has is never locked by anybody else.
        let lock = FileLock::take(&path, Sharing::Exclusive, Duration::from_secs(1))?;
        let lock = lock.ok_or_else(|| {
            FileError::of("lock", &path)(std::io::Error::from(std::io::ErrorKind::WouldBlock))
        })?;
        let text: Vec<_> = std::iter::once(key).chain(stack).map(ToString::to_string).collect();
        lock.write(text.join(" ").as_bytes()).map_err(FileError::of("write", &path))?;
        Ok(Wait { path, _lock: lock })
    }

    /// Returns whether waiting for `key` inside of `stack` closes a circle of waiters.
    pub fn is_circular(&self, stack: &[CacheKey], key: &CacheKey) -> bool {
        let waits: Vec<Vec<CacheKey>> = std::fs::read_dir(&self.waits)
            .into_iter()
            .flatten()
            .flatten()
            .filter(|file| matches!(FileLock::take(&file.path(), Sharing::Shared, Duration::ZERO), Ok(None)))
            .filter_map(|file| std::fs::read_to_string(file.path()).ok())
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

/// A wait that others can see until it is dropped.
#[derive(Debug)]
pub struct Wait {
    path: PathBuf,
    _lock: FileLock,
}

impl Drop for Wait {
    fn drop(&mut self) {
        // One that stays is seen to be nobody's, because its lock is free.
        let _ = std::fs::remove_file(&self.path);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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

    fn reservations() -> (tempfile::TempDir, Reservations) {
        let folder = tempfile::tempdir().unwrap();
        let reservations = Reservations::of(&Layout { root: folder.path().to_owned() });
        (folder, reservations)
    }

    #[test]
    fn one_holds_and_the_others_see_who() {
        let (_folder, reservations) = reservations();
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
    }

    #[test]
    fn a_circle_of_waiters_is_seen_by_whoever_closes_it() {
        let (_folder, reservations) = reservations();
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
