//! A store that grew: a look-up in it takes as long as in one with two entries.

use crate::samples::{record, sample};
use crate::support::{Effort, figure};
use std::path::Path;
use std::time::{Duration, Instant};
use taskcache::store::{Found, Store};

/// How many entries the large store has under `cargo test`; a thousand times as many with `hours`.
const BOUNDED: u64 = 1000;

/// Fills a store through its own statements, many entries at a time: recording each by itself, with its own flush,
/// would take hours and end in the same rows.
fn fill(root: &Path, count: u64) {
    let mut store = Store::open(root).unwrap();
    record(&mut store, &sample(0, 0, 100)).unwrap();
    drop(store);
    let connection = rusqlite::Connection::open(root.join("index.db")).unwrap();
    connection.execute_batch("PRAGMA synchronous = OFF").unwrap();
    let columns = "key, recipe, project, domain, task, created, expires, duration, exit_code, size, used, body, checksum";
    connection
        .execute_batch(&format!(
            "BEGIN;
             WITH RECURSIVE number (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM number WHERE n < {count}),
                 random (key, n) AS (SELECT randomblob(32), n FROM number ORDER BY 1)
             INSERT INTO entry ({columns})
             SELECT random.key, recipe, project, domain, task, created + n, expires, duration, exit_code, size, used,
                 body, checksum FROM random, entry;
             INSERT INTO reference (digest, key, size)
             SELECT key, key, 100 FROM entry WHERE key NOT IN (SELECT key FROM reference) ORDER BY key;
             COMMIT; PRAGMA wal_checkpoint(TRUNCATE)"
        ))
        .unwrap();
}

/// Returns the median time of opening the store and finding an entry.
fn median_of(root: &Path, times: usize) -> Duration {
    let known = sample(0, 0, 100);
    let mut all: Vec<_> = (0..times)
        .map(|_| {
            let started = Instant::now();
            let store = Store::open(root).unwrap();
            assert!(matches!(store.find(&known.entry.key), Ok(Found::Entry(_))));
            started.elapsed()
        })
        .collect();
    all.sort();
    all[times / 2]
}

#[test]
fn a_large_store_answers_like_a_small_one() {
    let folder = tempfile::tempdir().unwrap();
    let (small, large) = (folder.path().join("small"), folder.path().join("large"));
    fill(&small, 1);
    let count = Effort::asked().times(BOUNDED);
    fill(&large, count);
    let mut medians = [small.as_path(), &large].map(|root| median_of(root, 201));
    // In turns, so that whatever else the machine does meets both.
    for _ in 0..4 {
        for (median, root) in medians.iter_mut().zip([small.as_path(), &large]) {
            *median = (*median).min(median_of(root, 201));
        }
    }
    let ratio = medians[1].as_secs_f64() / medians[0].as_secs_f64();
    let [one, many] = medians.map(|median| median.as_micros());
    figure(
        "growth",
        &format!("a look-up among {count} entries {many} us, among two {one} us, ratio {ratio:.2}"),
    );
    // No figure of time: what is asserted is that the look-up is a search and never a scan.
    let connection = rusqlite::Connection::open(large.join("index.db")).unwrap();
    let plan: String = connection
        .query_row("EXPLAIN QUERY PLAN SELECT body, checksum FROM entry WHERE key = x''", [], |row| {
            row.get(3)
        })
        .unwrap();
    assert!(plan.starts_with("SEARCH entry USING INDEX"), "{plan}");
}
