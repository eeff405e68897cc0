//! What one process holds under a name while others wait, by either of two means.
//!
//! | store lies on | means | freed when its holder dies |
//! |---|---|---|
//! | a local file system (see [`crate::world::filesystem`]) | a kernel lock on the file `locks/NAME` | at once |
//! | any other | a lease in the folder `locks/lease/NAME` (see [`crate::world::lease`]) | when the lease runs out |
//!
//! The form of the lease is a file for each epoch and not a row in the index, because SQLite locks the index with the
//! very locks that are in doubt: a row would be as good as they are. Creating a name exclusively and renaming are what
//! such file systems keep to. Leases lie beside the lock files and never in their place, so that a store that is used
//! by both means is not harmed; it then computes some things twice.
//!
//! `[store] locks` in a config chooses. Where it is left alone, a store in which somebody used leases goes on with
//! them: a server may see as local what its clients see as a network file system, and both have to use one means.
//!
//! A lease can be lost while its holder knows nothing. So a holder that stores has to ask its [`Fence`] inside of the
//! SQLite transaction that stores. While that transaction is open nobody else can store; whoever took the lease before
//! it is seen, and whoever takes it later stores later, in the place of what was stored.

use super::Layout;
use crate::model::locking::{LockMeans, Locking};
use crate::world::file::{FileError, create_private_folder, read_optional};
use crate::world::filesystem;
use crate::world::lease::{self, Ending, Lease};
use crate::world::lock::{FileLock, Sharing};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// A lease that nobody held for this long is swept away.
const FORGOTTEN: Duration = Duration::from_secs(24 * 60 * 60);

/// Everything that can be claimed in a store.
#[derive(Debug, Clone)]
pub struct Claims {
    locks: PathBuf,
    leases: PathBuf,
    /// How long a lease is valid; `None`: the kernel's locks are used.
    lease: Option<Duration>,
}

/// Something that is held until it is dropped.
#[derive(Debug)]
pub struct Claim(Means);

#[derive(Debug)]
enum Means {
    Kernel { path: PathBuf, _lock: FileLock, ending: Ending },
    Lease(Lease),
}

/// What tells whether a claim is still held.
#[derive(Debug, Clone, Default)]
pub struct Fence(Option<lease::Fence>);

impl Fence {
    /// Returns whether nobody took the claim over. The kernel's locks are lost with their process alone.
    pub fn holds(&self) -> Result<bool, FileError> {
        self.0.as_ref().map_or(Ok(true), lease::Fence::holds)
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        // Removed while it is held, so that the folder does not grow; who locked it meanwhile sees that it is gone
        // and starts over. One that stays is only a small file whose lock is free.
        if let Means::Kernel { path, ending: Ending::Goes, .. } = &self.0 {
            let _ = std::fs::remove_file(path);
        }
    }
}

impl Claim {
    /// Returns what tells whether it is still held.
    pub fn fence(&self) -> Fence {
        match &self.0 {
            Means::Kernel { .. } => Fence(None),
            Means::Lease(lease) => Fence(Some(lease.fence().clone())),
        }
    }
}

impl Claims {
    /// Returns the claims of a store.
    pub fn of(layout: &Layout, locking: Locking) -> Self {
        let locks = layout.path("locks");
        let leases = locks.join("lease");
        let uses_leases = match locking.means {
            LockMeans::Kernel => false,
            LockMeans::Lease => true,
            LockMeans::Auto => leases.exists() || !filesystem::is_local(&layout.root).unwrap_or(false),
        };
        let lease = uses_leases.then(|| locking.lease.span().as_duration());
        Self { locks, leases, lease }
    }

    /// Returns whether a claim that is lost can be taken from a holder that lives.
    pub const fn can_be_lost(&self) -> bool {
        self.lease.is_some()
    }

    /// Takes `name` if nobody holds it. `decide` sees what the last holder left there to be read, and says what is to
    /// stand there now, or that it is not to be taken.
    pub fn take(
        &self,
        name: &Path,
        kernel_ending: Ending,
        lease_ending: Ending,
        decide: impl FnOnce(Option<&str>) -> Result<Option<String>, FileError>,
    ) -> Result<Option<Claim>, FileError> {
        if let Some(valid) = self.lease {
            let lease = Lease::take(&self.leases.join(name), valid, lease_ending, decide)?;
            return Ok(lease.map(|lease| Claim(Means::Lease(lease))));
        }
        let path = self.locks.join(name);
        if let Some(folder) = path.parent() {
            create_private_folder(folder)?;
        }
        let Some(lock) = FileLock::take(&path, Sharing::Exclusive, Duration::ZERO)? else { return Ok(None) };
        let Some(text) = decide(self.text(name).as_deref())? else { return Ok(None) };
        lock.write(text.as_bytes()).map_err(FileError::of("write", &path))?;
        Ok(Some(Claim(Means::Kernel { path, _lock: lock, ending: kernel_ending })))
    }

    /// Returns whether somebody holds `name`.
    pub fn is_held(&self, name: &Path) -> Result<bool, FileError> {
        match self.lease {
            Some(valid) => Lease::is_held(&self.leases.join(name), valid),
            None => is_locked(&self.locks.join(name)),
        }
    }

    /// Returns whether somebody holds `name`, by whatever means.
    pub fn is_held_at_all(&self, name: &Path) -> bool {
        let valid = self.lease.unwrap_or_default();
        // In doubt somebody does: whoever asks is about to throw something away.
        let is_leased = || Lease::is_held(&self.leases.join(name), valid).unwrap_or(true);
        is_locked(&self.locks.join(name)).unwrap_or(true) || is_leased()
    }

    /// Returns what the holder of `name` left there to be read, or the last one.
    pub fn text(&self, name: &Path) -> Option<String> {
        match self.lease {
            Some(_) => Lease::text(&self.leases.join(name)),
            None => {
                let bytes = read_optional(&self.locks.join(name)).ok()??;
                String::from_utf8(bytes).ok()
            }
        }
    }

    /// Returns what the holders of all names below `folder` left there to be read; `depth` is that of the names.
    pub fn held_below(&self, folder: &str, depth: usize) -> Vec<String> {
        let root = if self.lease.is_some() { &self.leases } else { &self.locks };
        let below = root.join(folder);
        let names = walkdir::WalkDir::new(&below).min_depth(depth).max_depth(depth).into_iter().flatten();
        names
            .filter_map(|name| name.path().strip_prefix(root).map(Path::to_owned).ok())
            .filter(|name| self.is_held(name).unwrap_or(false))
            .filter_map(|name| self.text(&name))
            .collect()
    }

    /// Takes `name` from whoever holds it, where that can be.
    pub fn depose(&self, name: &Path) -> Result<(), FileError> {
        match self.lease {
            Some(_) => Lease::depose(&self.leases.join(name)),
            None => Ok(()),
        }
    }

    /// Sweeps leases away that nobody holds any more and nobody took for a day; returns how many.
    pub fn sweep(&self) -> Result<u64, FileError> {
        let mut swept = 0;
        for (folder, depth) in [("run", 2), ("wait", 1), ("transaction", 1)] {
            let names = walkdir::WalkDir::new(self.leases.join(folder)).min_depth(depth).max_depth(depth);
            for name in names.into_iter().flatten() {
                swept += u64::from(Lease::sweep(name.path(), FORGOTTEN)?);
            }
        }
        Ok(swept)
    }
}

fn is_locked(path: &Path) -> Result<bool, FileError> {
    Ok(path.exists() && FileLock::take(path, Sharing::Shared, Duration::ZERO)?.is_none())
}
