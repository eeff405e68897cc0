use super::*;

/// So long that no test sees its end.
const LONG: Duration = Duration::from_secs(3600);

fn folder() -> (tempfile::TempDir, PathBuf) {
    let around = tempfile::tempdir().unwrap();
    let folder = around.path().join("key");
    (around, folder)
}

fn take(folder: &Path, valid: Duration, text: &str) -> Option<Lease> {
    Lease::take(folder, valid, Ending::Stays, |_| Ok(Some(text.to_owned()))).unwrap()
}

/// A lease that is never renewed, as that of a stopped process.
fn stopped(folder: &Path, valid: Duration) -> Lease {
    let mut lease = take(folder, valid, "stopped").unwrap();
    drop(lease.beats.take());
    lease.heart.take().unwrap().join().unwrap();
    lease
}

fn wait_until_free(folder: &Path) {
    while Lease::is_held(folder, LONG).unwrap() {}
}

#[test]
fn one_holds_and_the_next_one_takes_a_higher_number() {
    let (_around, folder) = folder();
    assert!(!Lease::is_held(&folder, LONG).unwrap());
    let first = take(&folder, LONG, "one").unwrap();
    assert!(take(&folder, LONG, "two").is_none());
    assert_eq!(Lease::text(&folder).as_deref(), Some("one"));
    let before = first.fence().clone();
    assert!(before.holds().unwrap());
    drop(first);
    assert!(!Lease::is_held(&folder, LONG).unwrap());
    let second = Lease::take(&folder, LONG, Ending::Stays, |last| {
        assert_eq!(last, Some("one"));
        Ok(Some("two".into()))
    });
    let second = second.unwrap().unwrap();
    assert_eq!((before.epoch, second.fence().epoch), (1, 2));
    assert!(!before.holds().unwrap() && second.fence().holds().unwrap());
    assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 1, "earlier epochs are tidied away");
}

#[test]
fn one_that_is_not_renewed_runs_out_and_a_renewed_one_does_not() {
    let (_around, folder) = folder();
    let valid = Duration::from_millis(20);
    let stopped = stopped(&folder, valid);
    wait_until_free(&folder);
    assert!(stopped.fence().holds().unwrap(), "nobody else wanted it");
    let next = take(&folder, LONG, "next").unwrap();
    assert!(!stopped.fence().holds().unwrap());
    drop(stopped);
    assert!(next.fence().holds().unwrap(), "whoever lost it gives nothing back");
    assert_eq!(Lease::text(&folder).as_deref(), Some("next"));
    drop(next);

    let renewed = take(&folder, Duration::from_millis(30), "renewed").unwrap();
    let path = path_of(&folder, renewed.fence().epoch);
    let first = Witness::of_path(&path).unwrap();
    while Witness::of_path(&path).is_ok_and(|now| now.changed() == first.changed()) {}
    assert!(renewed.fence().holds().unwrap());
}

#[test]
fn of_many_who_take_it_over_at_once_one_does() {
    let (_around, folder) = folder();
    for _ in 0..50 {
        let stopped = stopped(&folder, Duration::ZERO);
        wait_until_free(&folder);
        let barrier = std::sync::Barrier::new(8);
        let taken: Vec<_> = std::thread::scope(|scope| {
            let taking = || {
                barrier.wait();
                take(&folder, LONG, "new")
            };
            let threads: Vec<_> = (0..8).map(|_| scope.spawn(taking)).collect();
            threads.into_iter().filter_map(|thread| thread.join().unwrap()).collect()
        });
        assert_eq!(taken.len(), 1);
        assert!(taken[0].fence().holds().unwrap() && !stopped.fence().holds().unwrap());
    }
}

#[test]
fn a_deposed_holder_knows_it_and_another_may_come() {
    let (_around, folder) = folder();
    Lease::depose(&folder).unwrap();
    assert!(!folder.exists(), "nobody held it");
    let held = take(&folder, LONG, "held").unwrap();
    Lease::depose(&folder).unwrap();
    assert!(!held.fence().holds().unwrap() && !Lease::is_held(&folder, LONG).unwrap());
    drop(held);
    assert_eq!(take(&folder, LONG, "next").unwrap().fence().epoch, 3);
}

#[test]
fn a_file_that_says_nothing_yet_is_somebody_s() {
    let (_around, folder) = folder();
    create_private_folder(&folder).unwrap();
    create_private(&path_of(&folder, 7)).unwrap();
    assert!(Lease::is_held(&folder, LONG).unwrap());
    assert!(take(&folder, LONG, "next").is_none());
    // Whoever made it died before its first word.
    while Lease::is_held(&folder, Duration::from_millis(20)).unwrap() {}
    assert_eq!(take(&folder, Duration::from_millis(20), "next").unwrap().fence().epoch, 8);
}

#[test]
fn a_folder_goes_with_its_lease_or_when_it_is_forgotten() {
    let (_around, folder) = folder();
    let gone = Lease::take(&folder, LONG, Ending::Goes, |_| Ok(Some(String::new()))).unwrap();
    drop(gone);
    assert!(!folder.exists());
    let held = take(&folder, LONG, "held").unwrap();
    assert!(!Lease::sweep(&folder, Duration::ZERO).unwrap());
    drop(held);
    assert!(!Lease::sweep(&folder, LONG).unwrap());
    while !Lease::sweep(&folder, Duration::from_millis(20)).unwrap() {}
    assert!(!folder.exists());
    assert!(!Lease::sweep(&folder, Duration::ZERO).unwrap());
}

#[test]
fn what_a_lease_says_is_read_back_and_nothing_else() {
    let said = Said { token: 0xab, valid: LONG, is_held: true, text: "a\nb".into() };
    assert_eq!(said.encode(), "taskcache-lease 1 00000000000000ab 3600000 held\na\nb");
    assert_eq!(Said::decode(&said.encode()), Some(said.clone()));
    let free = Said { is_held: false, ..said };
    assert_eq!(Said::decode(&free.encode()), Some(free));
    for wrong in [
        "",
        "taskcache-lease 1 ab 10 held",
        "taskcache-lease 2 ab 10 held\n",
        "taskcache-lease 1 ab 10 kept\n",
        "taskcache-lease 1 ab 10 held more\n",
        "taskcache-lease 1 xy 10 held\n",
    ] {
        assert_eq!(Said::decode(wrong), None, "{wrong:?}");
    }
}
