//! Clocks that are wrong: entries from the future are misses and stay, a collection in 1970 or 2100 takes nothing that
//! it is not sure of, and durations are measured by another clock.

use crate::samples::{BEGINNING, Sample, record, sample, store_of};
use crate::support::{Effort, figure};
use std::ffi::OsString;
use std::sync::atomic::{AtomicI64, Ordering};
use taskcache::model::doubt::Doubt;
use taskcache::model::retention::RetentionPolicy;
use taskcache::model::time::{Size, Span, Timestamp};
use taskcache::store::history::History;
use taskcache::store::transaction::{Beginning, Isolation};
use taskcache::store::{Found, Store};
use taskcache::world::host::{Clock, Host, Terminals};
use taskcache::world::process::Termination;

const HOUR: u64 = 60 * 60 * 1000;

const DAY: i64 = 24 * 60 * 60 * 1000;

const YEAR_2019: i64 = 1_546_300_800_000;

const TOMORROW: i64 = BEGINNING + DAY;

/// 1970, 2019, yesterday, tomorrow, 2038, 2100 and the ends of what can be said.
const TIMES: [i64; 10] = [
    i64::MIN,
    -DAY,
    0,
    1,
    YEAR_2019,
    BEGINNING - DAY,
    TOMORROW,
    2_147_483_648_000,
    4_102_444_800_000,
    i64::MAX,
];

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
        let mut left = Vec::new();
        // An hour lies between two that nobody asks for.
        let times = [0, 1].map(|hours| Timestamp::from_millis(now).after(Span::from_millis(hours * HOUR)));
        for now in times {
            let plan = store.plan_collection(policy(), now).unwrap();
            let collected = store.collect(policy(), now).unwrap();
            assert_eq!(collected.plan, plan);
            let found = |s: &&Sample| matches!(store.find(&s.entry.key), Ok(Found::Entry(_)));
            left.push((samples.iter().filter(found).count(), plan.held.map(|held| held.doubt.name())));
        }
        // A clock that is far ahead is believed at the second time: nobody can tell it from one that is right.
        let expected = match now {
            ..=TOMORROW => [(3, None), (3, None)],
            _ => [(3, Some("leap")), (0, None)],
        };
        assert_eq!(left, expected, "{now}");
        // Whatever the mark says now, the next collection is not put off for ever.
        assert!(store.is_collection_due(Timestamp::from_millis(BEGINNING + 2 * DAY)).is_some());
        record(&mut store, &sample(9, 0, 100)).unwrap();
    }
    figure("clock", &format!("{} times from the past to the future, nothing lost at once", TIMES.len()));
}

#[test]
fn a_clock_from_before_2020_collects_nothing_however_often_it_is_asked() {
    for now in [0, YEAR_2019] {
        let folder = tempfile::tempdir().unwrap();
        let samples: Vec<_> = (0..3)
            .map(|number| {
                let mut sample = sample(number, 0, 100);
                sample.entry.created = Timestamp::from_millis(now - 31 * DAY);
                sample.entry.expires = Some(Timestamp::from_millis(now - DAY));
                sample
            })
            .collect();
        let mut store = store_of(&folder.path().join("store"), &samples);
        for later in 0..3 {
            let now = Timestamp::from_millis(now + later);
            let plan = store.collect(policy(), now).unwrap().plan;
            let held = plan.held.map(|held| (held.doubt, held.entries));
            assert_eq!((plan.removed.len(), held), (0, Some((Doubt::NoClock, 3))));
        }
        let insisting = RetentionPolicy { insists: true, ..policy() };
        let plan = store.collect(insisting, Timestamp::from_millis(now)).unwrap().plan;
        assert_eq!((plan.removed.len(), plan.held), (3, None));
    }
}

#[test]
fn a_store_that_lay_unused_is_collected_at_the_second_time() {
    let folder = tempfile::tempdir().unwrap();
    let samples: Vec<_> = (0..3).map(|number| sample(number, 0, 100)).collect();
    let mut store = store_of(&folder.path().join("store"), &samples);
    let mut removed = |days: i64| {
        let now = Timestamp::from_millis(BEGINNING + days * DAY);
        store.collect(policy(), now).unwrap().plan.removed.len()
    };
    // However far the two are from each other.
    assert_eq!([0, 60, 120, 180].map(&mut removed), [0, 0, 3, 0]);
}

#[test]
fn no_transaction_expires_by_a_clock_in_doubt() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = store_of(&folder.path().join("store"), &[sample(1, 0, 100)]);
    let beginning = Beginning {
        parent: None,
        isolation: Isolation::ReadCommitted,
        command: String::new(),
        expires: Some(Span::from_millis(HOUR)),
        hooks: Vec::new(),
    };
    store.begin(&beginning, Timestamp::from_millis(BEGINNING)).unwrap();
    let mut ended = |days: i64| {
        store.collect(policy(), Timestamp::from_millis(BEGINNING + days * DAY)).unwrap().transactions
    };
    assert_eq!([60, 61, 62].map(&mut ended), [0, 1, 0]);
}

/// A clock that goes back by a day whenever somebody asks.
fn falling() -> Timestamp {
    static NEXT: AtomicI64 = AtomicI64::new(BEGINNING);
    Timestamp::from_millis(NEXT.fetch_sub(DAY, Ordering::Relaxed))
}

#[test]
fn a_clock_that_is_set_back_in_the_middle_of_a_run_changes_no_duration() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().canonicalize().unwrap();
    let (root, home) = (path.join("store"), path.join("home"));
    std::fs::create_dir(&home).unwrap();
    let host = Host {
        environment: vec![("PATH".into(), "/usr/local/bin:/usr/bin:/bin".into())],
        directory: Some(path),
        home: Some(home.clone()),
        config_directory: Some(home),
        terminals: Terminals::default(),
        streams_joined: false,
        umask: 0o022,
        process: std::process::id(),
        clock: Clock::Told(falling),
    };
    let words = ["taskcache", "run", "--cache-dir", root.to_str().unwrap(), "--", "sleep", "0.06"];
    let invocation = words.map(OsString::from);
    assert_eq!(taskcache::cli::run(&host, &invocation), Termination::Exited(0));
    let store = Store::open_existing(&root).unwrap();
    let rows = store.index().unwrap().rows().unwrap();
    let mut happenings = Vec::new();
    History::of(store.layout()).visit(|happening| happenings.push(happening)).unwrap();
    assert_eq!((rows.len(), happenings.len()), (1, 1));
    // At least as long as it slept, and less than the clock went back.
    let sane = 60..DAY.unsigned_abs();
    assert!(sane.contains(&rows[0].duration), "{rows:?}");
    assert!(sane.contains(&happenings[0].elapsed.as_millis()), "{happenings:?}");
    assert!(happenings[0].time < rows[0].created, "the clock went back in between");
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
