//! The index, asked and damaged.

use super::super::schema::{APPLICATION_ID, MIGRATIONS};
use super::*;
use crate::model::entry::tests::sample;
use crate::model::entry::{Content, Transcript};

fn open() -> (tempfile::TempDir, Index) {
    let folder = tempfile::tempdir().unwrap();
    let index = Index::open(&folder.path().join("index.db")).unwrap();
    (folder, index)
}

fn insertion<'a>(
    entry: &'a Entry,
    small: &'a [Vec<u8>],
    set: Option<&'a PathSet>,
    now: i64,
) -> Insertion<'a> {
    let now = Timestamp::from_millis(now);
    Insertion { entry, small, path_set: set, now, durability: Durability::Process, staged_in: None }
}

fn insert(index: &mut Index, entry: &Entry, small: &[Vec<u8>], set: Option<&PathSet>, now: i64) {
    assert_eq!(index.insert(insertion(entry, small, set, now), || true).unwrap(), Inserted::Stored);
}

#[test]
fn what_guards_an_insertion_is_asked_while_nobody_else_can_store() {
    let (folder, mut index) = open();
    let entry = sample();
    let other = Connection::open(folder.path().join("index.db")).unwrap();
    other.busy_timeout(Duration::ZERO).unwrap();
    let lost = || {
        let code = other.execute_batch("BEGIN IMMEDIATE").unwrap_err().sqlite_error_code();
        assert_eq!(code, Some(ErrorCode::DatabaseBusy));
        false
    };
    let small = [b"a".to_vec()];
    assert_eq!(index.insert(insertion(&entry, &small, None, 1), lost).unwrap(), Inserted::Fenced);
    assert!(matches!(index.find(&entry.key).unwrap(), Found::Absent));
    assert_eq!(index.small_content(&Content::of(b"a").digest).unwrap(), None);
    insert(&mut index, &entry, &small, None, 1);
}

#[test]
fn an_entry_is_found_again_and_replaced_whole() {
    let (_folder, mut index) = open();
    let mut entry = sample();
    insert(&mut index, &entry, &[b"a".to_vec()], None, 1);
    assert!(matches!(index.find(&entry.key).unwrap(), Found::Entry(found) if *found == entry));
    assert_eq!(index.small_content(&Content::of(b"a").digest).unwrap(), Some(b"a".to_vec()));
    entry.transcript = Transcript::silent();
    insert(&mut index, &entry, &[], None, 2);
    assert!(matches!(index.find(&entry.key).unwrap(), Found::Entry(found) if *found == entry));
    assert_eq!(index.rows().unwrap().len(), 1);
}

#[test]
fn a_changed_body_is_damage_and_never_an_answer() {
    let (_folder, mut index) = open();
    let entry = sample();
    insert(&mut index, &entry, &[], None, 1);
    let other = sample().encode().iter().map(|byte| byte.wrapping_add(1)).collect::<Vec<_>>();
    index.connection.execute("UPDATE entry SET body = ?1", [other]).unwrap();
    assert!(matches!(index.find(&entry.key).unwrap(), Found::Damaged));
}

#[test]
fn the_newest_path_sets_stay() {
    let (_folder, mut index) = open();
    let entry = sample();
    let set = |number: i64| PathSet::new(vec![number.to_string().into_bytes()]);
    for number in 0..20 {
        insert(&mut index, &entry, &[], Some(&set(number)), number);
    }
    let expected: Vec<_> = (4..20).rev().map(set).collect();
    assert_eq!(index.path_sets(&entry.recipe).unwrap(), expected);
}

#[test]
fn prefixes_find_their_keys() {
    let (_folder, mut index) = open();
    let entry = sample();
    insert(&mut index, &entry, &[], None, 1);
    let prefix = entry.key.to_string()[..8].parse().unwrap();
    assert_eq!(index.keys(&prefix, 2).unwrap(), [entry.key]);
    let other = if entry.key.to_string().starts_with('0') { "111111" } else { "000000" };
    assert_eq!(index.keys(&other.parse().unwrap(), 2).unwrap(), []);
}

#[test]
fn an_older_format_is_read_and_not_migrated() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("index.db");
    let format = |path: &Path| -> i64 {
        Connection::open(path).unwrap().query_row("PRAGMA user_version", [], |row| row.get(0)).unwrap()
    };
    let first = Connection::open(&path).unwrap();
    assert!(matches!(Index::open_for_reading(&path), Err(StoreError::Missing(_))), "it is only being made");
    first.execute_batch(MIGRATIONS[0]).unwrap();
    first.pragma_update(None, "application_id", APPLICATION_ID).unwrap();
    first.pragma_update(None, "user_version", 1).unwrap();
    let index = Index::open_for_reading(&path).unwrap();
    assert!(matches!(index.find(&sample().key).unwrap(), Found::Absent));
    assert_eq!(format(&path), 1);
    Index::open(&path).unwrap();
    assert_eq!(format(&path), INDEX_FORMAT);
}

#[test]
fn a_newer_format_is_refused_and_left_alone() {
    let (folder, index) = open();
    index.connection.pragma_update(None, "user_version", 99).unwrap();
    drop(index);
    let path = folder.path().join("index.db");
    let error = Index::open(&path).unwrap_err();
    let text = format!(
        "the store '{}' has format 99; this version knows up to {INDEX_FORMAT}",
        folder.path().display()
    );
    assert_eq!(error.to_string(), text);
    let version: i64 =
        Connection::open(&path).unwrap().query_row("PRAGMA user_version", [], |row| row.get(0)).unwrap();
    assert_eq!(version, 99);
}

#[test]
fn a_foreign_database_and_plain_rubbish_are_told_apart() {
    let folder = tempfile::tempdir().unwrap();
    let foreign = folder.path().join("foreign.db");
    Connection::open(&foreign).unwrap().execute_batch("CREATE TABLE task_cache (key TEXT)").unwrap();
    assert!(matches!(Index::open(&foreign), Err(StoreError::Foreign(_))));
    let rubbish = folder.path().join("rubbish.db");
    std::fs::write(&rubbish, vec![b'x'; 8192]).unwrap();
    assert!(matches!(Index::open(&rubbish), Err(StoreError::Damaged { .. })));
}

#[test]
fn the_secret_stays() {
    let (folder, index) = open();
    let secret = *index.secret().unwrap();
    assert_ne!(secret, [0; 32]);
    drop(index);
    assert_eq!(*Index::open(&folder.path().join("index.db")).unwrap().secret().unwrap(), secret);
}
#[test]
fn several_may_make_it_at_once() {
    for _ in 0..40 {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("index.db");
        let gate = std::sync::Barrier::new(4);
        let open = || {
            gate.wait();
            Index::open(&path).map(|index| *index.secret().unwrap())
        };
        let secrets: Vec<_> = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..4).map(|_| scope.spawn(open)).collect();
            threads.into_iter().map(|thread| thread.join().unwrap().unwrap()).collect()
        });
        assert!(secrets.iter().all(|secret| *secret == secrets[0]));
    }
}

#[test]
fn a_log_stays_short_where_each_result_has_a_process_of_its_own() {
    let (folder, index) = open();
    drop(index);
    let log = folder.path().join("index.db-wal");
    let mut entry = sample();
    let mut longest = 0;
    for now in 0..100 {
        entry.key = CacheKey::from_digest(Digest::of(&[now]));
        let mut index = Index::open(&folder.path().join("index.db")).unwrap();
        insert(&mut index, &entry, &[], None, i64::from(now));
        drop(index);
        longest = longest.max(log.metadata().unwrap().len());
    }
    // A page of 4096 bytes has a head of 24 in the log. One result more than what is long by itself, and no more.
    assert!((100 * 4120..220 * 4120).contains(&longest), "{longest}");
    assert_eq!(Index::open(&folder.path().join("index.db")).unwrap().rows().unwrap().len(), 100);
}
