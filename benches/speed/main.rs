//! How long whole processes take, against a floor in the same run.
//!
//! ```text
//! cargo bench --bench speed                       every row, 30 rounds
//! cargo bench --bench speed -- inputs restore     the rows whose names hold one of these words
//! cargo bench --bench speed -- --quick            fewer rounds, and no row that takes minutes to set up
//! cargo bench --bench speed -- --rounds 60 hit
//! BENCH_TASKCACHE=old/taskcache:new/taskcache cargo bench --bench speed -- inputs
//! ```
//!
//! Machines differ and are busy; so a figure is a ratio. In each round every contender of a row runs once, and the
//! ratio is taken within the round; what is printed is the median of the rounds. The first contender of a row is its
//! floor. What a contender needs before each run (a folder removed, digests forgotten) is not counted.
//!
//! `bkt` takes part where it is on `PATH` (`cargo install bkt`).

mod measure;
mod rows;
mod site;
mod storage_rows;
mod stream_rows;

use measure::{Contender, measure};
use site::{Site, say};
use std::path::PathBuf;

/// One line of the table: what is compared, and how far it should get.
pub(crate) struct Row {
    /// By what it is selected.
    pub(crate) name: &'static str,
    /// What is done.
    pub(crate) work: &'static str,
    /// The ratio to the floor that is aimed at, for the reader.
    pub(crate) reach: &'static str,
    /// It takes long to set up or to run, so that `--quick` leaves it out.
    pub(crate) slow: bool,
    /// Makes what is needed, and the contenders; the floor first.
    pub(crate) set_up: fn(&Site) -> Vec<Contender>,
}

/// What was asked for.
struct Request {
    words: Vec<String>,
    rounds: usize,
    quick: bool,
}

#[expect(clippy::disallowed_methods, reason = "a program of its own, without a host")]
fn binaries() -> Vec<PathBuf> {
    match std::env::var_os("BENCH_TASKCACHE") {
        Some(paths) => std::env::split_paths(&paths).collect(),
        None => vec![PathBuf::from(env!("CARGO_BIN_EXE_taskcache"))],
    }
}

fn request() -> Request {
    let mut request = Request { words: Vec::new(), rounds: 30, quick: false };
    let mut words = std::env::args().skip(1);
    while let Some(word) = words.next() {
        match word.as_str() {
            // Cargo's own.
            "--bench" => {}
            "--quick" => request.quick = true,
            "--rounds" => {
                let count = words.next().and_then(|count| count.parse().ok());
                request.rounds = count.expect("--rounds takes a number");
            }
            _ => request.words.push(word),
        }
    }
    if request.quick {
        request.rounds = request.rounds.min(9);
    }
    request
}

fn main() {
    let request = request();
    let rows = rows::ROWS.iter().chain(storage_rows::ROWS).chain(stream_rows::ROWS);
    let is_wanted = |row: &&Row| match request.words.is_empty() {
        true => !(request.quick && row.slow),
        false => request.words.iter().any(|word| row.name.contains(word.as_str())),
    };
    let site = Site::new(binaries());
    say(&format!("{} rounds; ratios are medians of the ratios within a round\n", request.rounds));
    for row in rows.filter(is_wanted) {
        say(&format!("### {} (`{}`): {}\n", row.work, row.name, row.reach));
        say("| contender | median ms | p10–p90 ms | x floor | peak MiB |");
        say("|---|---:|---:|---:|---:|");
        let mut contenders = (row.set_up)(&site);
        for line in measure(&mut contenders, request.rounds) {
            say(&line.to_string());
        }
        say("");
        drop(contenders);
        site.clear();
    }
    for binary in site.binaries() {
        let bytes = std::fs::metadata(binary).map_or(0, |metadata| metadata.len());
        say(&format!("{}: {bytes} bytes", binary.display()));
    }
}
