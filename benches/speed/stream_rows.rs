//! Misses, and what is written to the streams.

use crate::Row;
use crate::measure::{Contender, Sink};
use crate::site::Site;
use std::process::Command;

/// The rows.
pub(crate) const ROWS: &[Row] = &[
    Row {
        name: "replay-file",
        work: "hit with 100 MB of stdout into a file",
        reach: "at most 1.15",
        slow: false,
        set_up: |site| {
            let file = site.path("into");
            replayed(site, &Sink::File(file))
        },
    },
    Row {
        name: "replay-pipe",
        work: "hit with 100 MB of stdout into a pipe",
        reach: "at most 1.3",
        slow: false,
        set_up: |site| replayed(site, &Sink::Pipe),
    },
    Row {
        name: "miss-50ms",
        work: "miss of a command of 50 ms, stored durably",
        reach: "at most 1.05",
        slow: false,
        set_up: short_miss,
    },
    Row {
        name: "miss-500mb",
        work: "miss with 500 MB of stdout",
        reach: "at most 1.2, 32 MiB",
        slow: true,
        set_up: long_miss,
    },
    Row {
        name: "writers",
        work: "8 writers with 50 new keys each, at once",
        reach: "faster than every peer",
        slow: true,
        set_up: writers,
    },
];

fn replayed(site: &Site, sink: &Sink) -> Vec<Contender> {
    site.do_in("seq 1 100000000 | head -c 100000000 > log");
    let folder = site.path("");
    let cat = Contender::new("`cat`", move || {
        let mut command = Command::new("cat");
        command.current_dir(&folder).arg("log");
        command
    });
    let mut contenders = vec![cat];
    contenders.extend(site.taskcaches(&["run", "--no-argument-inputs", "--", "cat", "log"]));
    contenders.extend(site.bkts(&["--ttl", "1d", "--", "cat", "log"]));
    contenders.into_iter().map(|contender| contender.into_sink(sink.clone())).collect()
}

fn short_miss(site: &Site) -> Vec<Contender> {
    let script = "sleep 0.05; echo hi";
    let folder = site.path("");
    let mut contenders = vec![Contender::new("the command", move || {
        let mut command = Command::new("sh");
        command.env_clear().env("PATH", "/usr/bin:/bin").current_dir(&folder).args(["-c", script]);
        command
    })];
    for build in site.builds() {
        build.status(&["run", "--", "true"]);
        contenders.push(Contender::numbered(build.name.clone(), move |round| {
            build.command(&["run", "--salt", &round.to_string(), "--", "sh", "-c", script])
        }));
    }
    if let Some(bkt) = site.bkt() {
        let (folder, cache) = (site.path(""), site.path("bkt"));
        contenders.push(Contender::numbered("bkt", move |round| {
            let mut command = Command::new(&bkt);
            command.env_clear().env("PATH", "/usr/bin:/bin").env("HOME", &folder).current_dir(&folder);
            command.arg("--cache-dir").arg(&cache).args(["--ttl", "1d", "--scope", &round.to_string()]);
            command.args(["--", "sh", "-c", script]);
            command
        }));
    }
    contenders
}

fn long_miss(site: &Site) -> Vec<Contender> {
    site.do_in("seq 1 100000000 | head -c 500000000 > log");
    let folder = site.path("");
    let mut contenders = vec![Contender::new("`cat log \\| tee FILE`", move || {
        let mut command = Command::new("sh");
        command.current_dir(&folder).args(["-c", "cat log | tee copy"]);
        command
    })];
    for build in site.builds() {
        let store = build.store.clone();
        build.status(&["run", "--", "true"]);
        let command =
            move || build.command(&["run", "--refresh", "--no-argument-inputs", "--", "cat", "log"]);
        let name = format!("taskcache in {}", store.file_name().unwrap_or_default().to_string_lossy());
        let contender = Contender::new(name, command).weighed().prepared(move || {
            // A content that is there already would not be moved into its place.
            std::fs::remove_dir_all(store.join("blobs")).expect("contents can be removed");
            std::fs::create_dir(store.join("blobs")).expect("a folder can be made");
        });
        contenders.push(contender);
    }
    contenders
}

fn writers(site: &Site) -> Vec<Contender> {
    let script = |line: &str| {
        format!(
            "for w in 1 2 3 4 5 6 7 8; do (k=0; while [ $k -lt 50 ]; do {line}; k=$((k+1)); done) & done; wait"
        )
    };
    let shell = |script: String, folder: std::path::PathBuf, store: std::path::PathBuf| {
        move |round: usize| {
            let mut command = Command::new("/bin/sh");
            command
                .env_clear()
                .env("PATH", "/usr/bin:/bin")
                .env("HOME", &folder)
                .env("TASKCACHE_DIR", &store);
            command.env("R", round.to_string()).current_dir(&folder).args(["-c", &script]);
            command
        }
    };
    let folder = site.path("");
    let floor = shell(script("/bin/true"), folder.clone(), folder.clone());
    let mut contenders = vec![Contender::numbered("`/bin/true`", floor)];
    for build in site.builds() {
        build.status(&["run", "--", "true"]);
        let line = script(&format!("{} run --salt $R-$w-$k -- echo hi", build.program()));
        contenders.push(Contender::numbered(&build.name, shell(line, folder.clone(), build.store)));
    }
    if let Some(bkt) = site.bkt() {
        let cache = site.path("bkt");
        let line =
            format!("{} --cache-dir {} --ttl 1d --scope $R-$w-$k -- echo hi", bkt.display(), cache.display());
        contenders.push(Contender::numbered("bkt", shell(script(&line), folder.clone(), folder)));
    }
    contenders
}
