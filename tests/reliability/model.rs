//! The store against a plain map: whatever is done in whatever order, a look-up gives what the map gives. After damage
//! it may give nothing, until the result is stored again.

use crate::samples::{BEGINNING, Sample, bytes_of, record, sample};
use crate::support::{Effort, figure};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use taskcache::model::retention::RetentionPolicy;
use taskcache::model::time::{Size, Span, Timestamp};
use taskcache::store::removal::Selection;
use taskcache::store::transaction::{Beginning, Isolation, TransactionId};
use taskcache::store::{Found, Store};

/// Sizes on both sides of the bound for small contents.
const SIZES: [usize; 4] = [0, 10, 32 * 1024, 40_000];

#[derive(Debug, Clone)]
enum Step {
    Put { number: u64, version: u64, size: usize },
    Remove { number: u64 },
    RemoveOlder { version: u64 },
    Clear,
    Collect { max_size: u64, after: u64 },
    Reopen,
    DamageRow { number: u64 },
    DamageContents { which: u64 },
    LoseContents { which: u64 },
    Sweep,
    Begin,
    Commit,
    Rollback,
}

fn step() -> impl Strategy<Value = Step> {
    let number = 0..6_u64;
    prop_oneof![
        6 => (number.clone(), 0..4_u64, 0..SIZES.len())
            .prop_map(|(number, version, size)| Step::Put { number, version, size: SIZES[size] }),
        1 => number.clone().prop_map(|number| Step::Remove { number }),
        1 => (0..4_u64).prop_map(|version| Step::RemoveOlder { version }),
        1 => Just(Step::Clear),
        1 => (0..120_000_u64, 0..40_u64).prop_map(|(max_size, after)| Step::Collect { max_size, after }),
        2 => Just(Step::Reopen),
        1 => number.prop_map(|number| Step::DamageRow { number }),
        1 => any::<u64>().prop_map(|which| Step::DamageContents { which }),
        1 => any::<u64>().prop_map(|which| Step::LoseContents { which }),
        1 => Just(Step::Sweep),
        1 => Just(Step::Begin),
        1 => Just(Step::Commit),
        1 => Just(Step::Rollback),
    ]
}

/// The map, and what is known to be damaged.
#[derive(Default)]
struct Model {
    seen: BTreeMap<u64, Sample>,
    staged: BTreeMap<u64, Sample>,
    transaction: Option<TransactionId>,
    damaged: bool,
    damages: u64,
}

impl Model {
    fn expected(&self, number: u64) -> Option<&Sample> {
        self.staged.get(&number).or_else(|| self.seen.get(&number))
    }
}

struct Subject {
    folder: tempfile::TempDir,
    store: Store,
    model: Model,
}

impl Subject {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&folder.path().join("store")).unwrap();
        Self { folder, store, model: Model::default() }
    }

    fn blobs(&self) -> Vec<std::path::PathBuf> {
        let walk = walkdir::WalkDir::new(self.folder.path().join("store/blobs")).sort_by_file_name();
        let files = walk.into_iter().map(Result::unwrap).filter(|entry| entry.file_type().is_file());
        files.map(walkdir::DirEntry::into_path).collect()
    }

    fn remove(&mut self, selection: &Selection, takes: impl Fn(u64, &Sample) -> bool) {
        let removed = self.store.remove(selection).unwrap();
        let before = self.model.seen.len();
        self.model.seen.retain(|number, sample| !takes(*number, sample));
        assert_eq!(removed.entries, (before - self.model.seen.len()) as u64, "{selection:?}");
    }

    fn apply(&mut self, step: &Step) {
        let key = |number| sample(number, 0, 0).entry.key;
        match *step {
            Step::Put { number, version, size } => {
                let sample = sample(number, version, size);
                record(&mut self.store, &sample).unwrap();
                let map = if self.model.transaction.is_some() {
                    &mut self.model.staged
                } else {
                    &mut self.model.seen
                };
                map.insert(number, sample);
            }
            Step::Remove { number } => {
                let keys = Some(BTreeSet::from([key(number)]));
                self.remove(&Selection { keys, ..Selection::default() }, |other, _| other == number);
            }
            Step::RemoveOlder { version } => {
                let before = Timestamp::from_millis(BEGINNING + version.cast_signed());
                let selection = Selection { before: Some(before), ..Selection::default() };
                self.remove(&selection, |_, sample| sample.entry.created < before);
            }
            Step::Clear => self.remove(&Selection::default(), |_, _| true),
            Step::Collect { max_size, after } => {
                let month = Span::from_millis(30 * 24 * 60 * 60 * 1000);
                let policy =
                    RetentionPolicy { max_size: Size::from_bytes(max_size), max_age: month, insists: false };
                let day = Span::from_millis(after * 24 * 60 * 60 * 1000);
                let now = Timestamp::from_millis(BEGINNING).after(day);
                let plan = self.store.plan_collection(policy, now).unwrap();
                let collected = self.store.collect(policy, now).unwrap();
                assert_eq!(collected.plan, plan);
                if collected.transactions > 0 {
                    self.model.transaction = None;
                    self.model.staged.clear();
                }
                self.model.seen.retain(|number, _| !plan.removed.contains_key(&key(*number)));
            }
            Step::Reopen => {
                self.store = Store::open(&self.folder.path().join("store")).unwrap();
                if let Some(id) = self.model.transaction.clone() {
                    assert!(self.store.enter(&id).unwrap());
                }
            }
            Step::DamageRow { number } => {
                let index = rusqlite::Connection::open(self.folder.path().join("store/index.db")).unwrap();
                let bytes = key(number).digest().as_bytes().to_vec();
                let changed = index
                    .execute("UPDATE entry SET body = substr(body, 2) || x'00' WHERE key = ?1", [bytes])
                    .unwrap();
                self.damaged(changed as u64);
            }
            Step::DamageContents { which } | Step::LoseContents { which } => {
                let blobs = self.blobs();
                let Some(path) = blobs.get(usize::try_from(which % 7).unwrap()) else { return };
                match step {
                    Step::LoseContents { .. } => fs::remove_file(path).unwrap(),
                    _ => {
                        let mut bytes = fs::read(path).unwrap();
                        let at = usize::try_from(which).unwrap_or(0) % bytes.len();
                        bytes[at] ^= 1;
                        fs::write(path, bytes).unwrap();
                    }
                }
                self.damaged(1);
            }
            Step::Sweep => {
                self.store.collect_contents().unwrap();
            }
            Step::Begin => {
                if self.model.transaction.is_none() {
                    let beginning = Beginning {
                        parent: None,
                        isolation: Isolation::ReadCommitted,
                        command: String::new(),
                        expires: Some(Span::from_millis(1000 * 24 * 60 * 60 * 1000)),
                        hooks: Vec::new(),
                    };
                    let id = self.store.begin(&beginning, Timestamp::from_millis(BEGINNING)).unwrap();
                    assert!(self.store.enter(&id).unwrap());
                    self.model.transaction = Some(id);
                }
            }
            Step::Commit | Step::Rollback => {
                let Some(id) = self.model.transaction.take() else { return };
                let staged = std::mem::take(&mut self.model.staged);
                let ended = match step {
                    Step::Commit => self.store.commit(&id).unwrap(),
                    _ => self.store.roll_back(&id).unwrap(),
                };
                assert_eq!(ended.map(|ended| ended.entries), Some(staged.len() as u64));
                if matches!(step, Step::Commit) {
                    self.model.seen.extend(staged);
                }
                self.store = Store::open(&self.folder.path().join("store")).unwrap();
            }
        }
    }

    fn damaged(&mut self, count: u64) {
        self.model.damaged |= count > 0;
        self.model.damages += count;
    }

    fn check(&self, after: &Step) {
        for number in 0..6 {
            let expected = self.model.expected(number);
            let found = match self.store.find(&sample(number, 0, 0).entry.key).unwrap() {
                Found::Entry(entry) => Some(*entry),
                Found::Absent => None,
                Found::Damaged => {
                    assert!(self.model.damaged, "after {after:?}");
                    continue;
                }
            };
            assert_eq!(found.as_ref(), expected.map(|sample| &sample.entry), "{number} after {after:?}");
            let Some(Sample { entry, bytes }) = expected else { continue };
            let contents = [Some(entry.transcript.stdout), entry.outputs.contents().next()];
            for (content, expected) in contents.into_iter().zip(bytes) {
                let Some(content) = content else { continue };
                match bytes_of(&self.store, &content).unwrap() {
                    Some(found) => assert!(found == *expected, "wrong bytes after {after:?}"),
                    None => assert!(self.model.damaged, "a content is lost after {after:?}"),
                }
            }
        }
        assert_eq!(
            self.store.index().unwrap().rows().unwrap().len(),
            self.model.seen.len(),
            "after {after:?}"
        );
        if matches!(after, Step::Clear) && self.model.staged.is_empty() {
            assert_eq!(self.blobs(), Vec::<std::path::PathBuf>::new());
        }
    }
}

#[test]
fn the_store_is_a_map() {
    let cases = u32::try_from(Effort::asked().times(60)).unwrap();
    let config = Config { cases, failure_persistence: None, ..Config::default() };
    let (steps, damages) = (std::cell::Cell::new(0_u64), std::cell::Cell::new(0_u64));
    TestRunner::new(config)
        .run(&prop::collection::vec(step(), 1..30), |sequence| {
            let mut subject = Subject::new();
            for step in &sequence {
                subject.apply(step);
                subject.check(step);
            }
            steps.set(steps.get() + sequence.len() as u64);
            damages.set(damages.get() + subject.model.damages);
            Ok(())
        })
        .unwrap();
    figure(
        "store against a map",
        &format!("{cases} sequences, {} steps, {} damages, no difference", steps.get(), damages.get()),
    );
}
