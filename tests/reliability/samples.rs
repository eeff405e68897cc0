//! Entries and stores made by hand, for tests that work on the store without the program around it.

use std::io::Read;
use std::path::Path;
use taskcache::model::entry::{Content, Entry, Provenance, Segment, Stream, Transcript};
use taskcache::model::fingerprint::{Fingerprint, Ingredient, IngredientKind};
use taskcache::model::output::{NodeKind, OutputNode, OutputTree};
use taskcache::model::path::RelPath;
use taskcache::model::time::{Span, Timestamp};
use taskcache::store::content::{Body, stage_bytes};
use taskcache::store::{Durability, Store, StoreError};

/// When the first of the samples was made.
pub const BEGINNING: i64 = 1_700_000_000_000;

/// An entry and the bytes that it refers to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sample {
    /// The entry.
    pub entry: Entry,
    /// Its standard output and the file that it left.
    pub bytes: [Vec<u8>; 2],
}

/// Makes a sample: `number` decides its key, `version` the bytes of its file, of which there are `size`, and both its
/// standard output. So samples of one version share a content.
pub fn sample(number: u64, version: u64, size: usize) -> Sample {
    let task = format!("task-{number}").into_bytes();
    let fingerprint = Fingerprint::new(vec![Ingredient::of(IngredientKind::Task, "", &task)]).unwrap();
    let stdout = format!("output {number} {version}\n").into_bytes();
    let file: Vec<u8> = format!("file {version}\n").into_bytes().into_iter().cycle().take(size).collect();
    let node = OutputNode {
        output: 0,
        path: RelPath::new("out").unwrap(),
        carried: false,
        rewritten: false,
        kind: NodeKind::File { content: Content::of(&file), mode: 0o644 },
    };
    let entry = Entry {
        key: fingerprint.key(),
        recipe: fingerprint.key(),
        project: "default".into(),
        domain: "development".into(),
        task,
        command: vec![b"command".to_vec(), number.to_string().into_bytes()],
        created: Timestamp::from_millis(BEGINNING + i64::try_from(version).unwrap()),
        duration: Span::from_millis(1234),
        expires: None,
        exit_code: 0,
        transcript: Transcript {
            stdout: Content::of(&stdout),
            order: vec![Segment { stream: Stream::Stdout, length: stdout.len() as u64 }],
            ..Transcript::silent()
        },
        outputs: OutputTree::new(vec![node]).unwrap(),
        fingerprint,
        provenance: Provenance::default(),
    };
    Sample { entry, bytes: [stdout, file] }
}

/// Stores a sample.
pub fn record(store: &mut Store, sample: &Sample) -> Result<(), StoreError> {
    let mut staged = Vec::new();
    for bytes in sample.bytes.iter().filter(|bytes| !bytes.is_empty()) {
        let path = store.scratch()?.unused_path();
        staged.push(stage_bytes(bytes.clone(), || path)?);
    }
    store.record(&sample.entry, staged, None, sample.entry.created, Durability::Process)
}

/// Reads a content as a hit does: `None` where it is missing or not what its digest says.
pub fn bytes_of(store: &Store, content: &Content) -> Result<Option<Vec<u8>>, StoreError> {
    let bytes = match store.body(content)? {
        None => return Ok(None),
        Some(Body::Memory(bytes)) => bytes,
        Some(Body::File(mut file)) => {
            let mut bytes = Vec::new();
            file.read_to_end(&mut bytes).unwrap();
            bytes
        }
    };
    Ok((Content::of(&bytes) == *content).then_some(bytes))
}

/// Makes a store that holds samples.
pub fn store_of(root: &Path, samples: &[Sample]) -> Store {
    let mut store = Store::open(root).unwrap();
    for sample in samples {
        record(&mut store, sample).unwrap();
    }
    store
}
