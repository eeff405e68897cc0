//! Hits: of a trivial command, in a big store, with many inputs.

use crate::Row;
use crate::measure::Contender;
use crate::site::{Build, Site};
use rusqlite::Connection;
use std::path::Path;

/// The rows.
pub(crate) const ROWS: &[Row] = &[
    Row {
        name: "hit",
        work: "hit of a trivial command",
        reach: "at most 1.0, then 0.75; 0.6 of bkt",
        slow: false,
        set_up: trivial,
    },
    Row {
        name: "terminal",
        work: "the same with a terminal as standard error, and with a folder of 10 files",
        reach: "at most 1.05",
        slow: false,
        set_up: on_terminal,
    },
    Row {
        name: "entries-100k",
        work: "the same in a store of 100,000 entries",
        reach: "at most 1.05",
        slow: true,
        set_up: |site| crowded(site, 100_000),
    },
    Row {
        name: "entries-1m",
        work: "the same in a store of 1,000,000 entries",
        reach: "at most 1.10",
        slow: true,
        set_up: |site| crowded(site, 1_000_000),
    },
    Row {
        name: "loop",
        work: "200 hits one after another from a shell loop",
        reach: "faster than every peer",
        slow: true,
        set_up: looped,
    },
    Row {
        name: "inputs-1k",
        work: "hit with 1,000 declared inputs (10 MB), unchanged",
        reach: "at most 1.5",
        slow: false,
        set_up: thousand_inputs,
    },
    Row {
        name: "inputs-50k",
        work: "hit with 50,000 declared inputs, unchanged",
        reach: "at most 1.0",
        slow: false,
        set_up: many_inputs,
    },
    Row {
        name: "explain",
        work: "explain, against a hit of the same command",
        reach: "at most 1.3",
        slow: false,
        set_up: explained,
    },
];

fn trivial(site: &Site) -> Vec<Contender> {
    let mut contenders = vec![idle(site)];
    contenders.extend(site.taskcaches(&["run", "--", "echo", "hi"]));
    contenders.extend(site.bkts(&["--ttl", "1d", "--", "echo", "hi"]));
    contenders
}

fn on_terminal(site: &Site) -> Vec<Contender> {
    tree(site, "in", 1, 10, 100);
    let mut contenders = Vec::new();
    for build in site.builds() {
        for (what, words) in
            [("hit", &["run", "--", "echo", "hi"][..]), ("folder", &["run", "-i", "in", "--", "true"])]
        {
            let quiet = Build { name: format!("{}, {what}", build.name), ..build.clone() };
            let seen = Build { name: format!("{}, {what} on a terminal", build.name), ..build.clone() };
            contenders.push(quiet.contender(words));
            contenders.push(seen.contender(words).watched());
        }
    }
    contenders
}

fn idle(site: &Site) -> Contender {
    let folder = site.path("");
    Contender::new("`/bin/true`", move || {
        let mut command = std::process::Command::new("/bin/true");
        command.env_clear().current_dir(&folder);
        command
    })
}

fn crowded(site: &Site, count: u32) -> Vec<Contender> {
    let words = ["run", "--", "echo", "hi"];
    let mut contenders = Vec::new();
    for build in site.builds() {
        let full = Build { name: format!("{}, {count} entries", build.name), ..build.clone() };
        let alone = Build {
            name: format!("{}, one entry", build.name),
            store: build.store.with_extension("alone"),
            ..build
        };
        contenders.push(alone.contender(&words));
        full.status(&words);
        crowd(&full.store, count);
        contenders.push(full.contender(&words));
    }
    contenders
}

/// Copies the one entry of a store under keys that nothing has.
fn crowd(store: &Path, count: u32) {
    let index = Connection::open(store.join("index.db")).expect("the index can be opened");
    let copies = format!(
        "WITH RECURSIVE number (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM number WHERE n < {count})
         INSERT INTO entry SELECT randomblob(32), recipe, project, domain, task, created, expires, duration,
             exit_code, size, used, body, checksum FROM number, (SELECT * FROM entry LIMIT 1);
         INSERT OR IGNORE INTO reference SELECT digest, entry.key, reference.size
             FROM entry, (SELECT * FROM reference LIMIT 1) AS reference;
         PRAGMA wal_checkpoint(TRUNCATE);"
    );
    index.execute_batch(&copies).expect("entries can be copied");
}

fn looped(site: &Site) -> Vec<Contender> {
    let lap = |line: &str| format!("i=0; while [ $i -lt 200 ]; do {line}; i=$((i+1)); done");
    let shell = |script: String, folder: std::path::PathBuf, store: std::path::PathBuf| {
        move || {
            let mut command = std::process::Command::new("/bin/sh");
            command
                .env_clear()
                .env("PATH", "/usr/bin:/bin")
                .env("HOME", &folder)
                .env("TASKCACHE_DIR", &store);
            command.current_dir(&folder).args(["-c", &script]);
            command
        }
    };
    let folder = site.path("");
    let floor = shell(lap("/bin/true"), folder.clone(), folder.clone());
    let mut contenders = vec![Contender::new("`/bin/true`", floor)];
    for build in site.builds() {
        build.contender(&["run", "--", "echo", "hi"]);
        let line = lap(&format!("{} run -- echo hi", build.program()));
        contenders.push(Contender::new(&build.name, shell(line, folder.clone(), build.store)));
    }
    if let Some(bkt) = site.bkt() {
        let line =
            format!("{} --cache-dir {} --ttl 1d -- echo hi", bkt.display(), site.path("bkt").display());
        contenders.push(Contender::new("bkt", shell(lap(&line), folder.clone(), folder)));
    }
    contenders
}

fn thousand_inputs(site: &Site) -> Vec<Contender> {
    tree(site, "in", 10, 100, 10_240);
    site.settle();
    let folder = site.path("");
    let mut contenders = vec![Contender::new("`find -size`", move || {
        let mut command = std::process::Command::new("find");
        command.current_dir(&folder).args(["in", "-size", "+100k"]);
        command
    })];
    contenders.extend(site.taskcaches(&["run", "-i", "in", "--", "true"]));
    // It has no folders as inputs: every file is named, and only its time is looked at.
    let names: Vec<String> =
        (0..10).flat_map(|at| (0..100).map(move |file| format!("in/{at}/{file}"))).collect();
    let mut words = vec!["--ttl", "1d"];
    for name in &names {
        words.extend(["--modtime", name]);
    }
    words.extend(["--", "true"]);
    contenders.extend(site.bkts(&words));
    contenders
}

fn many_inputs(site: &Site) -> Vec<Contender> {
    tree(site, "in", 500, 100, 20);
    site.do_in("git init -q . && git add in && git -c user.name=a -c user.email=a@b commit -qm x");
    site.settle();
    site.do_in("git status");
    let folder = site.path("");
    let mut contenders = vec![Contender::new("`git status`", move || {
        let mut command = std::process::Command::new("git");
        command.env("HOME", &folder).current_dir(&folder).args(["status", "--", "in"]);
        command
    })];
    contenders.extend(site.taskcaches(&["run", "-i", "in", "--", "true"]));
    contenders
}

/// Makes `folders` folders below `root` with so many files each, of `size` bytes that no two files share.
pub(crate) fn tree(site: &Site, root: &str, folders: usize, files: usize, size: usize) {
    for folder in 0..folders {
        let path = site.path(root).join(folder.to_string());
        std::fs::create_dir_all(&path).expect("a folder can be made");
        for file in 0..files {
            let seed = format!("{folder}-{file}\n");
            let bytes: Vec<u8> = seed.bytes().cycle().take(size).collect();
            std::fs::write(path.join(file.to_string()), bytes).expect("a file can be written");
        }
    }
}

fn explained(site: &Site) -> Vec<Contender> {
    let mut contenders = site.taskcaches(&["run", "--", "echo", "hi"]);
    for build in site.builds() {
        let words = ["explain", "--", "echo", "hi"];
        let answers = build.command(&words).output().is_ok_and(|output| output.status.success());
        if answers {
            let name = format!("{} explain", build.name);
            contenders.push(Contender::new(name, move || build.command(&words)));
        }
    }
    contenders
}
