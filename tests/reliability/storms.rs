//! Many processes on one store that run, list, collect, clear and verify: no error of a lock reaches anybody, every
//! byte is right, and nothing is lost that nobody took out.

use crate::support::{Effort, Ran, TASKCACHE, World, figure};
use std::fs;
use std::process::Stdio;
use std::sync::atomic::{AtomicU64, Ordering};
use taskcache::world::file::random_number;

/// How many processes are at work at a time.
const WORKERS: u64 = 64;

/// How many different results there are.
const TASKS: usize = 12;

/// The commands that keep house beside the runs. None of them takes out what is in use.
const KEEPING: [&str; 7] = [
    "local-cache import ../stream",
    "local-cache gc",
    "local-cache list",
    "local-cache stats --format json",
    "local-cache verify",
    "local-cache verify --repair",
    "local-cache list --running",
];

/// What takes entries out besides.
const TAKING: [&str; 4] = [
    "local-cache clear --yes",
    "local-cache gc --max-size 60000",
    "local-cache clear --yes --task step",
    "local-cache gc --max-age 0s",
];

struct Storm {
    world: World,
    runs: AtomicU64,
    kept_house: AtomicU64,
    took_out: AtomicU64,
}

impl Storm {
    fn new() -> Self {
        let world = World::new();
        // Large output into a content of its own, and small; which process ran it is written beside.
        world.script("step", "echo ran >> ../count-$1; seq $1 9000; echo error $1 >&2");
        world.script(
            "make",
            "echo ran >> ../count-$1; mkdir -p $2; seq $1 9000 > $2/large; echo $1 > $2/small",
        );
        let storm = Self {
            world,
            runs: AtomicU64::new(0),
            kept_house: AtomicU64::new(0),
            took_out: AtomicU64::new(0),
        };
        // A stream with some of the results, to be imported while they are computed.
        for task in 1..=TASKS / 2 {
            storm.step(task, "");
        }
        storm.keep_house("local-cache export -o ../stream", &AtomicU64::new(0));
        storm.keep_house("local-cache clear --yes", &AtomicU64::new(0));
        storm
    }

    fn expected(task: usize) -> String {
        crate::support::lines(u32::try_from(task).unwrap(), 9000)
    }

    /// Replays or runs a task that only prints.
    fn step(&self, task: usize, options: &str) -> Ran {
        let ran = self.world.run(&format!("run {options} -- ./step {task}"));
        if ran.code != 124 {
            let expected = Ran { code: 0, stdout: Self::expected(task), stderr: format!("error {task}\n") };
            assert!(ran == expected, "step {task} {options}: {}: {}", ran.code, ran.stderr);
        }
        self.runs.fetch_add(1, Ordering::Relaxed);
        ran
    }

    /// Restores or makes files, in a folder that no other worker has.
    fn make(&self, task: usize, folder: &str) {
        let _ = fs::remove_dir_all(self.world.work().join(folder));
        let ran = self.world.run(&format!("run -o {folder} -- ./make {task} {folder}"));
        assert_eq!(ran, Ran { code: 0, stdout: String::new(), stderr: String::new() }, "make {task}");
        let read = |name: &str| fs::read_to_string(self.world.work().join(folder).join(name)).unwrap();
        assert!(read("large") == Self::expected(task) && read("small") == format!("{task}\n"), "make {task}");
        self.runs.fetch_add(1, Ordering::Relaxed);
    }

    fn keep_house(&self, line: &str, count: &AtomicU64) {
        let ran = self.world.run(line);
        assert_eq!((ran.code, ran.stderr.as_str()), (0, ""), "{line}: {}", ran.stdout);
        count.fetch_add(1, Ordering::Relaxed);
    }

    /// Lets all workers loose, each with as many turns.
    fn rage(&self, subject: &str, turns: u64, takes_out: bool) {
        let effort = Effort::asked();
        std::thread::scope(|scope| {
            for worker in 0..WORKERS {
                let mut random = effort.random(&format!("{subject} {worker}"));
                scope.spawn(move || {
                    for _ in 0..turns {
                        let task = random.below(TASKS) + 1;
                        match random.below(8) {
                            0..4 => drop(self.step(task, "")),
                            4 => drop(self.step(task, "--refresh")),
                            5 => self.make(task, &format!("out-{worker}")),
                            6 if takes_out => {
                                self.keep_house(TAKING[random.below(TAKING.len())], &self.took_out);
                            }
                            _ => self.keep_house(KEEPING[random.below(KEEPING.len())], &self.kept_house),
                        }
                    }
                });
            }
        });
        let count = |count: &AtomicU64| count.load(Ordering::Relaxed);
        figure(
            subject,
            &format!(
                "{WORKERS} processes at a time: {} runs, {} lists, collections and verifications, {} removals; 0 errors, 0 wrong",
                count(&self.runs),
                count(&self.kept_house),
                count(&self.took_out)
            ),
        );
    }

    fn count(&self, task: usize) -> usize {
        fs::read_to_string(self.world.beside(&format!("count-{task}"))).unwrap_or_default().lines().count()
    }
}

#[test]
fn nothing_is_lost_that_nobody_took_out() {
    let storm = Storm::new();
    for task in 1..=TASKS {
        storm.step(task, "");
    }
    storm.rage("storm", Effort::asked().times(2), false);
    for task in 1..=TASKS {
        let before = storm.count(task);
        assert_eq!(storm.step(task, "--cached-only").code, 0, "the result of {task} is lost");
        assert_eq!(storm.count(task), before);
    }
    storm.keep_house("local-cache verify", &AtomicU64::new(0));
}

#[test]
fn removals_beside_runs_and_restores_harm_none_of_them() {
    let storm = Storm::new();
    storm.rage("storm with removals", Effort::asked().times(2), true);
    storm.keep_house("local-cache verify", &AtomicU64::new(0));
    storm.keep_house("local-cache clear --yes", &AtomicU64::new(0));
    assert_eq!(fs::read_dir(storm.world.store().join("tmp")).unwrap().count(), 0);
}

/// Processes that die at any moment, beside others: at the end everything is whole.
#[test]
fn deaths_at_random_moments() {
    let storm = Storm::new();
    let effort = Effort::asked();
    let turns = effort.times(6);
    let killed = AtomicU64::new(0);
    std::thread::scope(|scope| {
        for worker in 0..8_u64 {
            let mut random = effort.random(&format!("deaths {worker}"));
            let (storm, killed) = (&storm, &killed);
            scope.spawn(move || {
                for _ in 0..turns {
                    let task = random.below(TASKS) + 1;
                    if random.below(3) > 0 {
                        storm.step(task, "");
                        continue;
                    }
                    let lines = ["run --refresh -- ./step", "run -- ./step"];
                    let line = match random.below(4) {
                        0 => "local-cache gc --max-size 60000".to_owned(),
                        1 => "local-cache clear --yes".to_owned(),
                        n => format!("{} {task}", lines[n % 2]),
                    };
                    let mut command = storm.world.program(TASKCACHE);
                    command.args(line.split_whitespace()).stdout(Stdio::null()).stderr(Stdio::null());
                    let mut child = command.spawn().unwrap();
                    let pause = std::time::Duration::from_micros(random_number() % 25_000);
                    std::thread::park_timeout(pause);
                    child.kill().unwrap();
                    killed.fetch_add(u64::from(!child.wait().unwrap().success()), Ordering::Relaxed);
                }
            });
        }
    });
    storm.keep_house("local-cache verify", &AtomicU64::new(0));
    for task in 1..=TASKS {
        storm.step(task, "");
        assert_eq!(storm.step(task, "--cached-only").code, 0, "{task}");
    }
    crate::support::age_temporaries(&storm.world.store());
    storm.keep_house("local-cache gc", &AtomicU64::new(0));
    assert_eq!(fs::read_dir(storm.world.store().join("tmp")).unwrap().count(), 0);
    let [killed, runs] = [&killed, &storm.runs].map(|count| count.load(Ordering::Relaxed));
    figure(
        "deaths at random moments",
        &format!("{killed} processes killed beside {runs} runs; nothing damaged, 0 wrong"),
    );
}

/// Somebody who deletes the whole store again and again: every run is right, and the store is made anew.
#[test]
fn a_store_that_is_deleted_under_everybody() {
    let storm = Storm::new();
    let effort = Effort::asked();
    let turns = effort.times(8);
    let (deleted, warned) = (AtomicU64::new(0), AtomicU64::new(0));
    let is_over = std::sync::atomic::AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let mut random = effort.random("deletions");
            while !is_over.load(Ordering::Relaxed) {
                // Others make files in it meanwhile, so not all of it goes each time.
                let is_gone = fs::remove_dir_all(storm.world.store()).is_ok();
                deleted.fetch_add(u64::from(is_gone), Ordering::Relaxed);
                std::thread::park_timeout(std::time::Duration::from_micros(random.next() % 40_000));
            }
        });
        let workers: Vec<_> = (0..8)
            .map(|worker: u64| {
                let mut random = effort.random(&format!("deleted {worker}"));
                let (storm, warned) = (&storm, &warned);
                scope.spawn(move || {
                    for _ in 0..turns {
                        let task = random.below(TASKS) + 1;
                        let ran = storm.world.run(&format!("run -- ./step {task}"));
                        let own = ran.stderr.lines().filter(|line| !line.starts_with("taskcache: "));
                        assert_eq!(own.collect::<Vec<_>>(), [format!("error {task}")], "{}", ran.stderr);
                        assert!(ran.code == 0 && ran.stdout == Storm::expected(task), "{}", ran.stderr);
                        assert!(ran.warnings() <= 1, "{}", ran.stderr);
                        warned.fetch_add(ran.warnings() as u64, Ordering::Relaxed);
                    }
                })
            })
            .collect();
        let ended: Vec<_> = workers.into_iter().map(std::thread::ScopedJoinHandle::join).collect();
        is_over.store(true, Ordering::Relaxed);
        ended.into_iter().for_each(|ended| ended.unwrap());
    });
    for _ in 0..2 {
        storm.step(1, "");
    }
    assert_eq!(storm.step(1, "--cached-only").code, 0);
    storm.keep_house("local-cache verify", &AtomicU64::new(0));
    let [deleted, warned] = [&deleted, &warned].map(|count| count.load(Ordering::Relaxed));
    figure(
        "a store that is deleted",
        &format!("{deleted} times under {} runs: {warned} warnings, 0 wrong", 8 * turns),
    );
}
