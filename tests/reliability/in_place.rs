//! Outputs that are in place: at each hit they get a new time, and what they hold stays known only where nobody could
//! have written to them meanwhile.

use crate::support::{Effort, Random, World, figure};
use crate::tracer::{is_missing, points};
use std::fs::{self, File, FileTimes};
use std::io::Read;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;
use taskcache::store::witness::is_unsettled;
use taskcache::world::file::{Witness, file_time};
use taskcache::world::hold::{Hold, Touching};

/// How many files the task makes.
const FILES: usize = 64;

const BUILD: &str =
    "mkdir -p out; i=0; while [ $i -lt 64 ]; do printf 'content %04d' $i > out/$i; i=$((i+1)); done";

const LINE: &str = "run -o out -- ./build";

fn built() -> (World, Vec<PathBuf>) {
    let world = World::new();
    world.script("build", BUILD);
    assert_eq!(world.run(LINE).code, 0);
    let files = (0..FILES).map(|number| world.work().join(format!("out/{number}"))).collect();
    (world, files)
}

fn right(number: usize) -> String {
    format!("content {number:04}")
}

/// Waits until the files have been left alone for so long that what is read of them is remembered.
fn settle(world: &World, files: &[PathBuf]) {
    let newest = files.iter().map(|path| Witness::of_target(path).unwrap()).max_by_key(Witness::last_touched);
    while is_unsettled(&newest.unwrap(), file_time(&world.store()).unwrap()) {
        std::thread::park_timeout(Duration::from_millis(20));
    }
}

/// Returns whether leases can be had for files in a folder, and says so where they cannot.
fn has_leases(folder: &Path, subject: &str) -> bool {
    let path = folder.join("lease");
    fs::write(&path, "").unwrap();
    let file = File::open(&path).unwrap();
    let counts = taskcache::world::filesystem::counts_writers(&file).unwrap_or(false);
    let has_leases = counts && Hold::take(file).is_ok_and(Hold::release);
    if !has_leases {
        figure(subject, "skipped: there are no leases here");
    }
    has_leases
}

/// Writes to one of the files what does not belong there, in place and in the same size.
fn edit(files: &[PathBuf], random: &mut Random) {
    let path = &files[random.below(files.len())];
    let modified = fs::metadata(path).and_then(|metadata| metadata.modified());
    // A restore may be about to replace it.
    let (Ok(modified), Ok(file)) = (modified, File::options().write(true).open(path)) else { return };
    file.write_all_at(format!("wrong {:06}", random.next() % 1_000_000).as_bytes(), 0).unwrap();
    if random.below(2) == 0 {
        file.set_times(FileTimes::new().set_modified(modified)).unwrap();
    }
}

#[test]
fn what_was_touched_by_a_hit_is_not_read_by_the_next_one() {
    let (world, files) = built();
    if is_missing("outputs in place") || !has_leases(&world.work(), "outputs in place") {
        return;
    }
    settle(&world, &files);
    // Each is opened to be hashed or to be held; only to be hashed is it read.
    let reads = || {
        let calls = points(&world, LINE, &["read", "openat"], Some(&world.work().join("out")));
        calls.iter().filter(|point| point.call == "read").count()
    };
    let first = reads();
    assert!(first >= FILES, "{first} reads while the files are hashed");
    assert_eq!(reads(), 0, "the second hit");
    let before = Witness::of_target(&files[0]).unwrap();
    assert_eq!((reads(), reads()), (0, 0), "further hits, less than two seconds later");
    assert!(Witness::of_target(&files[0]).unwrap().modified() > before.modified());
    // One that is open for writing is touched and not known, and it alone is read.
    let writer = File::options().write(true).open(&files[7]).unwrap();
    reads();
    drop(writer);
    let again = reads();
    assert!((1..FILES).contains(&again), "{again} reads");
}

/// Ends whoever writes meanwhile, also where a test fails.
struct Over<'a>(&'a AtomicBool);

impl Drop for Over<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

#[test]
fn outputs_that_are_edited_beside_hits_come_back() {
    let (world, files) = built();
    let effort = Effort::asked();
    let (mut hits, mut edits) = (0, 0_u64);
    for round in 0..effort.times(2) {
        settle(&world, &files);
        let is_over = AtomicBool::new(false);
        edits += std::thread::scope(|scope| {
            // The first one reads them, and those after it rely on that.
            assert_eq!(world.run(LINE).code, 0);
            let writer = scope.spawn(|| {
                let mut random = effort.random(&format!("writer {round}"));
                let mut edits = 0;
                while !is_over.load(Ordering::Relaxed) {
                    edit(&files, &mut random);
                    edits += 1;
                    std::thread::park_timeout(Duration::from_micros(random.next() % 300));
                }
                edits
            });
            let over = Over(&is_over);
            for _ in 0..5 {
                let ran = world.run(LINE);
                assert_eq!((ran.code, ran.stderr.as_str()), (0, ""));
                hits += 1;
            }
            drop(over);
            writer.join().unwrap()
        });
        assert_eq!(world.run(LINE).code, 0);
        for (number, path) in files.iter().enumerate() {
            assert_eq!(fs::read_to_string(path).unwrap(), right(number), "round {round}");
        }
    }
    figure("outputs in place", &format!("{hits} hits beside {edits} edits of {FILES} files, each seen"));
}

/// A mapping writes without a descriptor and, for a while, without a trace.
#[test]
fn a_file_that_is_mapped_to_be_written_is_not_known() {
    let folder = tempfile::tempdir().unwrap();
    if !has_leases(folder.path(), "mapped outputs") {
        return;
    }
    let path = folder.path().join("file");
    fs::write(&path, [b'-'; 4096]).unwrap();
    let script = "import mmap, os, sys\n\
        file = os.open(sys.argv[1], os.O_RDWR)\n\
        mapping = mmap.mmap(file, 4096)\n\
        os.close(file)\n\
        for name in os.listdir('/proc/self/fd'):\n\
        \x20   try:\n\
        \x20       if os.readlink('/proc/self/fd/' + name) == sys.argv[1]: os.close(int(name))\n\
        \x20   except OSError: pass\n\
        print('mapped', flush=True)\n\
        sys.stdin.read()\n\
        mapping[0:7] = b'written'\n";
    let mut python = Command::new("python3");
    python.args(["-c", script]).arg(&path).stdin(Stdio::piped()).stdout(Stdio::piped());
    let Ok(mut child) = python.spawn() else {
        figure("mapped outputs", "skipped: there is no python3");
        return;
    };
    let mut said = [0; 7];
    child.stdout.take().unwrap().read_exact(&mut said).unwrap();
    assert_eq!(&said, b"mapped\n");
    let before = Witness::of_target(&path).unwrap();
    let touched = |before: &Witness| {
        let mut touching = Touching::default();
        touching.touch(0, File::open(&path).unwrap(), before).unwrap();
        touching.finish().len()
    };
    assert_eq!(touched(&before), 0);
    drop(child.stdin.take());
    assert!(child.wait().unwrap().success());
    assert_eq!(&fs::read(&path).unwrap()[..8], b"written-");
    // Nobody has it any more.
    assert_eq!(touched(&Witness::of_target(&path).unwrap()), 1);
}
