use super::*;
use std::fs;
use std::io::Read;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// A folder where leases count, which not every machine has for its temporary files; `tests/reliability/in_place.rs` says
/// so there.
fn folder() -> Option<tempfile::TempDir> {
    let folder = tempfile::tempdir().unwrap();
    let file = File::create(folder.path().join("probe")).unwrap();
    let is_fit = is_relied_on() && filesystem::counts_writers(&file).unwrap();
    drop(file);
    let is_free = || {
        std::thread::yield_now();
        is_free(&folder.path().join("probe"))
    };
    (is_fit && std::iter::repeat_with(is_free).take(10_000).any(|is_free| is_free)).then_some(folder)
}

/// Returns whether nobody has a file open for writing. What a test has open, a process that another test starts meanwhile
/// has open too, until it has become its own program.
fn is_free(path: &Path) -> bool {
    Hold::take(File::open(path).unwrap()).is_ok_and(Hold::release)
}

fn wait_until_free(path: &Path) {
    while !is_free(path) {
        std::thread::yield_now();
    }
}

fn made(folder: &Path, name: &str, bytes: &[u8]) -> PathBuf {
    let path = folder.join(name);
    fs::write(&path, bytes).unwrap();
    wait_until_free(&path);
    path
}

/// Both ways of keeping times apart; the first is found out, the second holds everywhere.
fn both(device: u64) -> [Touching; 2] {
    let ticking = Touching { clocks: HashMap::from([(device, Clock::Ticking)]), ..Touching::default() };
    [Touching::default(), ticking]
}

fn device(path: &Path) -> u64 {
    Witness::of_target(path).unwrap().identity().0
}

#[test]
fn a_touched_file_is_known_by_its_new_facts_until_it_is_written_to() {
    let Some(folder) = folder() else { return };
    for round in 0..20 {
        for mut touching in both(device(folder.path())) {
            let path = made(folder.path(), &format!("file-{round}"), b"one");
            let before = Witness::of_target(&path).unwrap();
            touching.touch(7, File::open(&path).unwrap(), &before).unwrap();
            let [Touched { number: 7, witness }] = touching.finish()[..] else { panic!("it is not known") };
            assert!(witness.changed() >= before.changed() && witness.modified() >= before.modified());
            assert_eq!(witness, Witness::of_target(&path).unwrap());
            // At once, in the same tick where there are ticks, and with the time put back.
            let file = File::options().write(true).open(&path).unwrap();
            file.write_all_at(b"two", 0).unwrap();
            let time = std::time::UNIX_EPOCH + Duration::from_nanos(witness.modified().try_into().unwrap());
            file.set_modified(time).unwrap();
            assert_ne!(witness, Witness::of_target(&path).unwrap());
        }
    }
}

#[test]
fn a_file_with_other_facts_is_touched_and_not_known() {
    let Some(folder) = folder() else { return };
    for mut touching in both(device(folder.path())) {
        let path = made(folder.path(), "file", b"one");
        let facts = Witness::of_target(&path).unwrap();
        fs::write(&path, b"two").unwrap();
        let written = Witness::of_target(&path).unwrap();
        if written == facts {
            // Two writes in one tick: this is what the rule of two seconds is for.
            continue;
        }
        touching.touch(0, File::open(&path).unwrap(), &facts).unwrap();
        assert_eq!(touching.finish(), []);
        assert!(Witness::of_target(&path).unwrap().changed() >= written.changed());
    }
}

#[test]
fn a_file_that_is_open_for_writing_is_touched_and_not_known() {
    let Some(folder) = folder() else { return };
    for mut touching in both(device(folder.path())) {
        let path = made(folder.path(), "file", b"one");
        let writer = File::options().append(true).open(&path).unwrap();
        let before = Witness::of_target(&path).unwrap();
        assert!(Hold::take(File::open(&path).unwrap()).is_err());
        touching.touch(0, File::open(&path).unwrap(), &before).unwrap();
        assert_eq!(touching.finish(), []);
        assert!(Witness::of_target(&path).unwrap().modified() >= before.modified());
        drop(writer);
        wait_until_free(&path);
    }
}

#[test]
fn a_writer_waits_until_the_file_is_let_go_of() {
    let Some(folder) = folder() else { return };
    let path = made(folder.path(), "file", b"one");
    let hold = Hold::take(File::open(&path).unwrap()).unwrap();
    // One that does not wait is told so, and from then on the kernel wants the lease back.
    let flags = rustix::fs::OFlags::WRONLY | rustix::fs::OFlags::NONBLOCK;
    let opened = rustix::fs::open(&path, flags, rustix::fs::Mode::empty());
    assert_eq!(opened.unwrap_err(), rustix::io::Errno::AGAIN);
    let has_written = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            fs::write(&path, b"two").unwrap();
            has_written.store(true, Ordering::SeqCst);
        });
        let mut bytes = String::new();
        hold.file().read_to_string(&mut bytes).unwrap();
        assert_eq!((bytes.as_str(), has_written.load(Ordering::SeqCst)), ("one", false));
        assert!(hold.release());
    });
    assert_eq!(fs::read(&path).unwrap(), b"two");
}

#[test]
fn a_file_that_was_cut_off_without_a_right_to_write_is_not_known() {
    let Some(folder) = folder() else { return };
    let path = made(folder.path(), "file", b"one");
    let before = Witness::of_target(&path).unwrap();
    let hold = Hold::take(File::open(&path).unwrap()).unwrap();
    // Linux allows it, and no lease is in its way.
    let flags = rustix::fs::OFlags::RDONLY | rustix::fs::OFlags::TRUNC;
    drop(rustix::fs::open(&path, flags, rustix::fs::Mode::empty()).unwrap());
    assert!(hold.release());
    assert!(!Witness::of_target(&path).unwrap().differs_in_times_alone(&before));
}

#[test]
fn files_that_wait_leave_most_descriptors_to_others() {
    let counts = [None, Some(u64::MAX), Some(20_000), Some(1024), Some(256), Some(64), Some(3), Some(0)];
    assert_eq!(counts.map(together), [TOGETHER, TOGETHER, TOGETHER, 256, 64, 16, 1, 1]);
    let Some(folder) = folder() else { return };
    let [_, mut touching] = both(device(folder.path()));
    touching.together = 3;
    for number in 0..10 {
        let path = made(folder.path(), &number.to_string(), b"x");
        let before = Witness::of_target(&path).unwrap();
        touching.touch(number, File::open(&path).unwrap(), &before).unwrap();
        assert!(touching.waiting.len() < 3);
    }
    assert_eq!(touching.finish().len(), 10);
}

#[test]
fn many_files_wait_for_a_tick_together() {
    let Some(folder) = folder() else { return };
    let paths: Vec<_> =
        (0..TOGETHER * 2 + 3).map(|number| made(folder.path(), &format!("{number}"), b"x")).collect();
    for mut touching in both(device(folder.path())) {
        for (number, path) in paths.iter().enumerate() {
            let before = Witness::of_target(path).unwrap();
            touching.touch(number, File::open(path).unwrap(), &before).unwrap();
            assert!(touching.waiting.len() < TOGETHER);
        }
        let mut touched = touching.finish();
        touched.sort_unstable_by_key(|touched| touched.number);
        assert_eq!(touched.len(), paths.len());
        for Touched { number, witness } in touched {
            assert_eq!(Witness::of_target(&paths[number]).unwrap(), witness);
        }
    }
}

/// Ends whoever writes meanwhile, also where a test fails.
struct Over<'a>(&'a AtomicBool);

impl Drop for Over<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

/// Somebody writes all the time, as fast as they can, and never the same thing twice: facts that are said to stand for
/// some bytes never stand for others.
#[test]
fn facts_never_stand_for_other_bytes_while_somebody_writes() {
    let Some(folder) = folder() else { return };
    let path = made(folder.path(), "file", b"0000000000000000");
    let (is_over, written) = (AtomicBool::new(false), AtomicU64::new(0));
    let mut known = 0_u32;
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !is_over.load(Ordering::Relaxed) {
                let number = written.fetch_add(1, Ordering::Relaxed);
                let file = File::options().write(true).open(&path).unwrap();
                file.write_all_at(format!("{number:016}").as_bytes(), 0).unwrap();
                drop(file);
                // Leaves room for a lease now and then.
                std::thread::park_timeout(Duration::from_micros(number % 60));
            }
        });
        let _over = Over(&is_over);
        let read = |mut file: &File| {
            let mut bytes = Vec::new();
            file.read_to_end(&mut bytes).unwrap();
            bytes
        };
        for round in 0..100_000 {
            if known == 300 {
                break;
            }
            let mut touching = match both(device(&path)) {
                [_, ticking] if round % 50 == 0 => ticking,
                [found_out, _] => found_out,
            };
            // The bytes are read while a second lease keeps them as they are until the touch has one of its own.
            let Ok(reading) = Hold::take(File::open(&path).unwrap()) else { continue };
            let bytes = read(reading.file());
            let facts = Witness::of_open(reading.file()).unwrap();
            touching.touch(0, File::open(&path).unwrap(), &facts).unwrap();
            let is_read = reading.release();
            let Some(Touched { witness, .. }) = touching.finish().pop().filter(|_| is_read) else { continue };
            known += 1;
            for _ in 0..20 {
                let file = File::open(&path).unwrap();
                let before = Witness::of_open(&file).unwrap();
                let now = read(&file);
                if before == witness && Witness::of_open(&file).unwrap() == witness {
                    assert_eq!(String::from_utf8(now), String::from_utf8(bytes.clone()), "round {round}");
                }
            }
        }
    });
    assert!(known > 0, "no file was ever known");
}
