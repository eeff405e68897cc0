//! Clocks that are wrong: entries from the future are misses and stay, a collection in 1970 or 2100 is what its plan
//! says, and an entry's validity is counted in its own time.

use crate::samples::{BEGINNING, record, sample, store_of};
use crate::support::{Effort, figure};
use taskcache::model::retention::RetentionPolicy;
use taskcache::model::time::{Size, Span, Timestamp};
use taskcache::store::Found;

const DAY: i64 = 24 * 60 * 60 * 1000;

/// 1970, today, tomorrow, 2038, 2100 and the ends of what can be said.
const TIMES: [i64; 9] =
    [i64::MIN, -DAY, 0, 1, BEGINNING - DAY, BEGINNING + DAY, 2_147_483_648_000, 4_102_444_800_000, i64::MAX];

fn policy() -> RetentionPolicy {
    let age = Span::from_millis(u64::try_from(30 * DAY).unwrap());
    RetentionPolicy { max_size: Size::from_bytes(1 << 30), max_age: age, insists: false }
}

#[test]
fn a_collection_at_any_time_takes_what_its_plan_says() {
    for now in TIMES {
        let folder = tempfile::tempdir().unwrap();
        let samples: Vec<_> = (0..3).map(|number| sample(number, 0, 100)).collect();
        let mut store = store_of(&folder.path().join("store"), &samples);
        let now = Timestamp::from_millis(now);
        let plan = store.plan_collection(policy(), now).unwrap();
        let collected = store.collect(policy(), now).unwrap();
        assert_eq!(collected.plan, plan);
        let left = samples.iter().filter(|s| matches!(store.find(&s.entry.key), Ok(Found::Entry(_)))).count();
        assert_eq!(left + plan.removed.len(), samples.len());
        // A clock before the entries takes nothing: it may be that clock which is wrong.
        if now < samples[0].entry.created {
            assert_eq!(left, samples.len(), "{now:?}");
        }
        // Whatever the mark says now, the next collection is not put off for ever.
        assert!(store.is_collection_due(Timestamp::from_millis(BEGINNING + 2 * DAY)).is_some());
        record(&mut store, &sample(9, 0, 100)).unwrap();
    }
    figure(
        "clock",
        &format!("{} times from the past to the future, nothing lost to a clock that is behind", TIMES.len()),
    );
}

#[test]
fn times_of_entries_are_kept_whatever_they_are() {
    let folder = tempfile::tempdir().unwrap();
    let mut random = Effort::asked().random("times");
    let times = TIMES.into_iter().chain((0..20).map(|_| random.next().cast_signed()));
    let samples: Vec<_> = times
        .enumerate()
        .map(|(number, time)| {
            let mut sample = sample(number as u64, 0, 10);
            sample.entry.created = Timestamp::from_millis(time);
            sample.entry.expires = Some(Timestamp::from_millis(time.saturating_add(1)));
            sample
        })
        .collect();
    let store = store_of(&folder.path().join("store"), &samples);
    for sample in &samples {
        match store.find(&sample.entry.key).unwrap() {
            Found::Entry(found) => assert_eq!(*found, sample.entry),
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(store.index().unwrap().rows().unwrap().len(), samples.len());
}
