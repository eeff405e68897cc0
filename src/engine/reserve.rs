//! Waiting for the right to compute a key, or for the result of whoever has it.
//!
//! The caller has looked the key up and found nothing. It gets the reservation at once, or learns that it waited:
//! then there may be a result now, the inputs may have changed meanwhile, and it looks again from the beginning.

use super::event::{Event, EventSink};
use crate::model::fingerprint::CacheKey;
use crate::model::time::Span;
use crate::store::reservation::{Holder, Reservation, Reservations};
use crate::world::file::FileError;
use std::time::{Duration, Instant};

/// After this long a waiter says whom it waits for.
const SILENCE: Duration = Duration::from_secs(1);

/// How an attempt to reserve ended.
#[derive(Debug)]
pub enum Reserved {
    /// Nobody had it; it is ours until it is dropped.
    Ours(Reservation),
    /// Somebody had it and is done, with or without a result.
    Waited,
    /// Somebody still has it, and the wait is over.
    TimedOut,
    /// Somebody has it who waits for one of ours: nobody would ever go on.
    Circular,
}

/// Reserves `holder.key`, or waits for whoever has it. `stack` are the keys that are being computed around this run.
pub fn reserve(
    reservations: &Reservations,
    holder: &Holder,
    stack: &[CacheKey],
    patience: Option<Span>,
    sink: &mut dyn EventSink,
) -> Result<Reserved, FileError> {
    let key = holder.key;
    if let Some(reservation) = reservations.try_take(holder)? {
        return Ok(Reserved::Ours(reservation));
    }
    let _wait = if stack.is_empty() { None } else { Some(reservations.announce_wait(stack, &key)?) };
    let started = Instant::now();
    let mut pause = Duration::from_millis(2);
    let mut has_spoken = false;
    loop {
        if reservations.is_free(&key, holder.transaction.as_deref())? {
            return Ok(Reserved::Waited);
        }
        if !stack.is_empty() && reservations.is_circular(stack, &key) {
            return Ok(Reserved::Circular);
        }
        let waited = started.elapsed();
        let left = match patience {
            Some(patience) if waited >= patience.as_duration() => return Ok(Reserved::TimedOut),
            Some(patience) => patience.as_duration() - waited,
            None => Duration::MAX,
        };
        if waited >= SILENCE && !has_spoken {
            has_spoken = true;
            sink.take(Event::Waiting { key, holder: reservations.holder(&key).map(Box::new) });
        }
        // The kernel has no way to wait for a lock up to a time, and a server none to tell of a lease; so they are asked
        // again and again, more and more rarely.
        std::thread::sleep(pause.min(left));
        pause = (pause * 2).min(reservations.longest_pause());
    }
}
