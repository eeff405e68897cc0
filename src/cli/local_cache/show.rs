//! `taskcache local-cache show`: everything about one entry, or what its command printed.

use super::{Shelf, color, subcommand};
use crate::cli::entry_choice::{damaged, entry_in, unknown};
use crate::cli::failure::Failure;
use crate::cli::print;
use crate::cli::store_choice::{format, is_json};
use crate::model::entry::{Content, Entry, Segment, Stream};
use crate::report::entry::{entry_json, entry_text};
use crate::report::visible::Visible;
use crate::store::Store;
use crate::store::content::Body;
use crate::world::file::FileError;
use crate::world::outlet::Outlets;
use crate::world::reading::content_of;
use crate::world::replay::{Printed, Replay, ReplayError, ReplaySource, replay};
use clap::{Arg, ArgMatches, Command};
use std::io::{Read, Seek};

/// Returns the subcommand.
pub(super) fn command() -> Command {
    subcommand("show", "Show everything about an entry")
        .arg(
            Arg::new("key")
                .value_name("KEY")
                .required(true)
                .help("Name an entry by key, or by its first 6 digits or more"),
        )
        .arg(
            Arg::new("transcript")
                .long("transcript")
                .value_name("STREAM")
                .num_args(0..=1)
                .require_equals(true)
                .default_missing_value("all")
                .value_parser(["all", "stdout", "stderr"])
                .conflicts_with("format")
                .help("Print what the command printed instead, harmless on a terminal, raw elsewhere"),
        )
        .arg(color())
        .arg(format())
}

/// Runs it.
pub(super) fn run(shelf: Shelf<'_>, arguments: &ArgMatches) -> Result<(), Failure> {
    let text = arguments.get_one::<String>("key").map(String::as_str).unwrap_or_default();
    let prefix = text.parse()?;
    let Some(store) = &shelf.store else { return Err(unknown(&prefix)) };
    let entry = entry_in(store, &prefix)?;
    if let Some(streams) = arguments.get_one::<String>("transcript") {
        return transcript(&shelf, store, &entry, streams);
    }
    let used = shelf.uses().get(&entry.key).copied();
    match is_json(arguments) {
        true => print(&format!("{}\n", entry_json(&entry, used))),
        false => print(&entry_text(&entry, used, shelf.now(), shelf.screen(arguments))),
    }
}

/// Prints a transcript. Everything goes to standard output, where somebody looks at it or keeps it; a replay that
/// keeps the streams apart is what a hit is for.
fn transcript(shelf: &Shelf<'_>, store: &Store, entry: &Entry, streams: &str) -> Result<(), Failure> {
    let printed = Printed { stdout: streams != "stderr", stderr: streams != "stdout" };
    let mut sources = Vec::new();
    for (wanted, content) in
        [(printed.stdout, entry.transcript.stdout), (printed.stderr, entry.transcript.stderr)]
    {
        let body = if wanted { proven(store, &content)? } else { Some(Body::Memory(Vec::new())) };
        sources.push(body.ok_or_else(|| damaged(&entry.key))?);
    }
    let (Some(stderr), Some(stdout)) = (sources.pop(), sources.pop()) else { return Ok(()) };
    if shelf.host.terminals.stdout {
        return visible(stdout, stderr, &entry.transcript.order, printed);
    }
    let out = || rustix::stdio::stdout().try_clone_to_owned();
    let outlets = out().and_then(|stdout| Ok(Outlets { stdout, stderr: out()? }));
    let outlets = outlets.map_err(|error| Failure::new(format!("cannot use standard output: {error}")))?;
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let replayed = replay(
        Replay {
            stdout: source(stdout, &mut out),
            stderr: source(stderr, &mut err),
            order: &entry.transcript.order,
            printed,
        },
        &outlets,
    );
    match replayed {
        Ok(()) | Err(ReplayError::ReaderGone(_)) => Ok(()),
        Err(error) => Err(Failure::new(error.to_string())),
    }
}

/// Returns stored bytes after reading them all, so that what is damaged is never half printed.
fn proven(store: &Store, content: &Content) -> Result<Option<Body>, Failure> {
    let Some(body) = store.body(content)? else { return Ok(None) };
    let Body::File(mut file) = body else { return Ok(Some(body)) };
    let path = store.content_path(content);
    let found = content_of(&file).map_err(FileError::of("read", &path))?;
    file.rewind().map_err(FileError::of("read", &path))?;
    Ok((found == *content).then_some(Body::File(file)))
}

fn source(body: Body, memory: &mut Vec<u8>) -> ReplaySource<'_> {
    match body {
        Body::Memory(bytes) => {
            *memory = bytes;
            ReplaySource::Bytes(memory)
        }
        Body::File(file) => ReplaySource::File(file),
    }
}

/// Prints on a terminal, in the order in which the bytes came.
fn visible(stdout: Body, stderr: Body, order: &[Segment], printed: Printed) -> Result<(), Failure> {
    let reader = |body: Body| -> Box<dyn Read> {
        match body {
            Body::Memory(bytes) => Box::new(std::io::Cursor::new(bytes)),
            Body::File(file) => Box::new(file),
        }
    };
    let (mut stdout, mut stderr) = (reader(stdout), reader(stderr));
    // Each stream has its own half characters.
    let mut shown = [Visible::default(), Visible::default()];
    let mut chunk = vec![0; 64 * 1024];
    for segment in order {
        let (source, wanted) = match segment.stream {
            Stream::Stdout => (&mut stdout, printed.stdout),
            Stream::Stderr => (&mut stderr, printed.stderr),
        };
        let mut left = if wanted { segment.length } else { 0 };
        while left > 0 {
            let most = usize::try_from(left).map_or(chunk.len(), |left| left.min(chunk.len()));
            let count = source
                .read(&mut chunk[..most])
                .map_err(|error| Failure::new(format!("cannot read the stored output: {error}")))?;
            if count == 0 {
                return Err(Failure::new("the stored output is too short"));
            }
            print(&shown[segment.stream as usize].take(&chunk[..count]))?;
            left -= count as u64;
        }
    }
    let [stdout, stderr] = shown;
    print(&(stdout.finish() + &stderr.finish()))
}
