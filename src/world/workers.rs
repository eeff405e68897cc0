//! Work that is shared out among threads, as many as there are processors, up to eight.
//!
//! Whoever is free takes the next piece, so that no thread waits for a share that turned out larger. Where no thread can
//! be had the others do its work; the caller's own thread is always one of them.

use std::num::NonZero;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Condvar, Mutex, OnceLock, PoisonError};
use std::thread;

/// More threads than this gain nothing: they wait for each other in the kernel.
const MOST_THREADS: usize = 8;

/// From how many open branches on it is worth starting threads to follow them.
const WORTH_THREADS: usize = 16;

/// Returns how many threads can work at once, the caller's own included. Asked once: the answer is put together from
/// several files of the control groups.
fn processors() -> usize {
    static PROCESSORS: OnceLock<usize> = OnceLock::new();
    *PROCESSORS.get_or_init(|| thread::available_parallelism().map_or(1, NonZero::get).min(MOST_THREADS))
}

/// Does pieces `0..count` of some work on at most `useful` threads and returns what came of them, in their order. Each
/// thread has a `state` of its own for all of its pieces.
pub fn share<S, R: Send>(
    count: usize,
    useful: usize,
    state: impl Fn() -> S + Sync,
    work: impl Fn(&mut S, usize) -> R + Sync,
) -> Vec<R> {
    let threads = match useful.min(count) {
        0 | 1 => 1,
        useful => useful.min(processors()),
    };
    if threads == 1 {
        let mut state = state();
        return (0..count).map(|at| work(&mut state, at)).collect();
    }
    let next = AtomicUsize::new(0);
    let run = || {
        let mut state = state();
        let mut done = Vec::new();
        loop {
            let at = next.fetch_add(1, Ordering::Relaxed);
            if at >= count {
                return done;
            }
            done.push((at, work(&mut state, at)));
        }
    };
    let mut done = thread::scope(|scope| {
        let others = spawn_all(threads - 1, || thread::Builder::new().spawn_scoped(scope, run).ok());
        let mut done = run();
        done.extend(others.into_iter().flat_map(outcome));
        done
    });
    done.sort_unstable_by_key(|(at, _)| *at);
    done.into_iter().map(|(_, result)| result).collect()
}

/// Follows a tree to its leaves: `step` takes a branch, adds those that it leads to, and returns what it found there. What
/// was found comes in no order.
pub fn explore<T: Send, R: Send>(first: Vec<T>, step: impl Fn(T, &mut Vec<T>) -> R + Sync) -> Vec<R> {
    let mut open = first;
    let mut found = Vec::new();
    // Most trees are small: no thread is started, and nothing locked, before there are many branches.
    while open.len() < WORTH_THREADS || processors() == 1 {
        let Some(branch) = open.pop() else { return found };
        found.push(step(branch, &mut open));
    }
    let frontier = Frontier { state: Mutex::new((open, 0)), changed: Condvar::new() };
    let run = || {
        let mut found = Vec::new();
        while let Some(branch) = frontier.take() {
            let taken = Taken(&frontier);
            let mut more = Vec::new();
            found.push(step(branch, &mut more));
            taken.0.open(more);
        }
        found
    };
    thread::scope(|scope| {
        let others = spawn_all(processors() - 1, || thread::Builder::new().spawn_scoped(scope, run).ok());
        found.extend(run());
        found.extend(others.into_iter().flat_map(outcome));
        found
    })
}

fn spawn_all<H>(count: usize, spawn: impl Fn() -> Option<H>) -> Vec<H> {
    (0..count).map_while(|_| spawn()).collect()
}

fn outcome<R>(handle: thread::ScopedJoinHandle<'_, R>) -> R {
    handle.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}

/// The branches that nobody took yet, and how many are being followed.
struct Frontier<T> {
    state: Mutex<(Vec<T>, usize)>,
    changed: Condvar,
}

impl<T> Frontier<T> {
    /// Takes a branch; waits while others may still open some. `None` when all is done.
    fn take(&self) -> Option<T> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            if let Some(branch) = state.0.pop() {
                state.1 += 1;
                return Some(branch);
            }
            if state.1 == 0 {
                return None;
            }
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn open(&self, mut more: Vec<T>) {
        if !more.is_empty() {
            self.state.lock().unwrap_or_else(PoisonError::into_inner).0.append(&mut more);
            self.changed.notify_all();
        }
    }
}

/// A branch that is being followed. Done with even where following it panics, or the others would wait for ever.
struct Taken<'f, T>(&'f Frontier<T>);

impl<T> Drop for Taken<'_, T> {
    fn drop(&mut self) {
        let mut state = self.0.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.1 -= 1;
        if state.1 == 0 {
            self.0.changed.notify_all();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_come_back_in_their_order() {
        for useful in [0, 1, 2, 8] {
            let squares = share(
                1000,
                useful,
                || 0_usize,
                |seen, at| {
                    *seen += 1;
                    (at * at, *seen > 0)
                },
            );
            assert_eq!(squares, (0..1000).map(|at| (at * at, true)).collect::<Vec<_>>());
        }
        assert_eq!(share(0, 8, || (), |(), at| at), Vec::<usize>::new());
    }

    #[test]
    fn every_branch_is_followed_once() {
        // Numbers below a million whose digits begin with those of their branch.
        let step = |number: u32, more: &mut Vec<u32>| {
            if number < 10_000 {
                more.extend((0..10).map(|digit| number * 10 + digit));
            }
            number
        };
        let mut found = explore((1..10).collect(), step);
        found.sort_unstable();
        assert_eq!(found, (1..100_000).collect::<Vec<_>>());
        assert_eq!(explore(Vec::new(), step), Vec::<u32>::new());
    }

    #[test]
    fn a_panic_leaves_nobody_waiting() {
        let step = |number: u32, more: &mut Vec<u32>| {
            assert!(number != 5_000, "five thousand");
            if number < 1_000 {
                more.extend((0..10).map(|digit| number * 10 + digit));
            }
        };
        assert!(std::panic::catch_unwind(|| explore((1..10).collect(), step)).is_err());
    }
}
