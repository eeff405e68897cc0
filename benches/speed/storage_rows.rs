//! Hashing, restoring, and outputs that are in place.

use crate::Row;
use crate::measure::Contender;
use crate::rows::tree;
use crate::site::Site;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The rows.
pub(crate) const ROWS: &[Row] = &[
    Row {
        name: "hash-1gib",
        work: "first hash of a file of 1 GiB",
        reach: "at most 1.05",
        slow: true,
        set_up: big_file,
    },
    Row {
        name: "hash-1k",
        work: "first hash of 1,000 files (10 MB)",
        reach: "at most 0.6",
        slow: false,
        set_up: thousand_files,
    },
    Row {
        name: "restore",
        work: "hit that restores 1,000 files, 50 MB",
        reach: "at most 0.9",
        slow: false,
        set_up: restored,
    },
    Row {
        name: "in-place-keep",
        work: "hit with the same outputs in place (`--output-mtime keep`)",
        reach: "at most 1.6",
        slow: false,
        set_up: |site| in_place(site, "keep"),
    },
    Row {
        name: "in-place-now",
        work: "hit with the same outputs in place (`--output-mtime now`)",
        reach: "at most 3",
        slow: false,
        set_up: |site| in_place(site, "now"),
    },
];

/// Returns contenders that hit and have forgotten every digest.
fn forgetful(site: &Site, words: &'static [&'static str]) -> Vec<Contender> {
    let forgetting = site.builds().map(|build| {
        let witnesses = build.store.join("witnesses");
        build.contender(words).prepared(move || {
            std::fs::remove_dir_all(&witnesses).expect("witnesses can be removed");
            std::fs::create_dir(&witnesses).expect("a folder can be made");
        })
    });
    forgetting.collect()
}

fn openssl(site: &Site, names: Vec<String>) -> Contender {
    let folder = site.path("");
    Contender::new("`openssl dgst -sha256`", move || {
        let mut command = Command::new("openssl");
        command.current_dir(&folder).args(["dgst", "-sha256"]).args(&names);
        command
    })
}

fn big_file(site: &Site) -> Vec<Contender> {
    site.do_in("yes 0123456789 | head -c 1073741824 > big && cat big >/dev/null");
    site.settle();
    let mut contenders = vec![openssl(site, vec!["big".into()])];
    contenders.extend(forgetful(site, &["run", "-i", "big", "--", "true"]));
    contenders
}

fn thousand_files(site: &Site) -> Vec<Contender> {
    tree(site, "in", 10, 100, 10_240);
    site.settle();
    let names = (0..10).flat_map(|folder| (0..100).map(move |file| format!("in/{folder}/{file}")));
    let mut contenders = vec![openssl(site, names.collect())];
    contenders.extend(forgetful(site, &["run", "-i", "in", "--", "true"]));
    contenders
}

fn remove(path: &Path) {
    if path.exists() {
        std::fs::remove_dir_all(path).expect("a folder can be removed");
    }
}

fn copied(site: &Site) -> Contender {
    let (folder, copy): (PathBuf, PathBuf) = (site.path(""), site.path("copy"));
    let command = move || {
        let mut command = Command::new("cp");
        command.current_dir(&folder).args(["-r", "seed", "copy"]);
        command
    };
    Contender::new("`cp -r`", command).prepared(move || remove(&copy))
}

fn restored(site: &Site) -> Vec<Contender> {
    tree(site, "seed", 10, 100, 50_000);
    let mut contenders = vec![copied(site)];
    for (number, build) in site.builds().enumerate() {
        let output = format!("out-{number}");
        let script = format!("cp -r seed {output}");
        let words = ["run", "-o", &output, "--", "sh", "-c", &script];
        let contender = build.contender(&words);
        // The contents have settled by now, and are read once more.
        let folder = site.path(&output);
        remove(&folder);
        build.status(&words);
        contenders.push(contender.prepared(move || remove(&folder)));
    }
    contenders
}

fn in_place(site: &Site, mtime: &'static str) -> Vec<Contender> {
    tree(site, "seed", 10, 100, 50_000);
    let folder = site.path("");
    let mut contenders = vec![Contender::new("`find -size`", move || {
        let mut command = Command::new("find");
        command.current_dir(&folder).args(["seed", "-size", "+100k"]);
        command
    })];
    for (number, build) in site.builds().enumerate() {
        let output = format!("out-{number}");
        let script = format!("cp -r seed {output}");
        let words = ["run", "--output-mtime", mtime, "-o", &output, "--", "sh", "-c", &script];
        contenders.push(build.contender(&words));
    }
    contenders
}
