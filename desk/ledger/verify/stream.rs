//! Streams through all segments: one thread reads, several unpack and hash, and the pieces come
//! out in the order in which they stand on disk.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Mutex};

use super::super::entry::{Kind, Leaf};
use super::super::error::LedgerError;
use super::super::hash::Hash;
use super::super::retention::Removal;
use super::super::segments::{self, Found, Placed, SegmentReader};

/// How many groups may wait for a thread.
const QUEUE: usize = 16;

/// Something that stands in a segment.
#[derive(Debug)]
pub(super) struct Piece {
    pub path: Arc<PathBuf>,
    pub offset: u64,
    pub what: What,
}

#[derive(Debug)]
pub(super) enum What {
    /// The file does not begin as its name says.
    NoStart,
    /// A group of entries.
    Group(Hashed),
    /// A group that can't be unpacked. Its head says which entries were in it.
    Lost { first: u64, end: u64 },
    /// Bytes that are no group. The last segment may end with some, where a write is under way.
    Junk { bytes: u64, is_tail: bool },
}

/// A group's entries, hashed.
#[derive(Debug)]
pub(super) struct Hashed {
    /// Whether the group's checksum is right.
    pub is_whole: bool,
    /// The first entry's number, as the group says.
    pub first: u64,
    pub leaves: Vec<(Leaf, Hash)>,
    /// Entries of the kind [`Kind::KEY`]: their places in `leaves`, and what they say.
    pub keys: Vec<(usize, Vec<u8>)>,
    /// Entries that say what was removed: their places, and what they say.
    pub removals: Vec<(usize, Removal)>,
    /// How many bytes the entries have.
    pub bytes: u64,
}

enum Job {
    Done(Piece),
    Hash(Arc<PathBuf>, Placed),
}

/// Gives all pieces to `sink`, until that breaks.
pub(super) fn stream(
    ledger: &Path,
    threads: usize,
    sink: &mut dyn FnMut(Piece) -> ControlFlow<()>,
) -> Result<(), LedgerError> {
    let (jobs, waiting) = sync_channel::<(u64, Job)>(QUEUE);
    let (done, pieces) = sync_channel::<(u64, Piece)>(QUEUE);
    let waiting = Mutex::new(waiting);
    std::thread::scope(|scope| {
        let reader = scope.spawn(move || read(ledger, &jobs));
        for _ in 0..threads.max(1) {
            let (waiting, done) = (&waiting, done.clone());
            scope.spawn(move || work(waiting, &done));
        }
        drop(done);
        let mut early = BTreeMap::new();
        let mut next = 0u64;
        'all: for (number, piece) in &pieces {
            early.insert(number, piece);
            while let Some(piece) = early.remove(&next) {
                next = next.saturating_add(1);
                if sink(piece).is_break() {
                    break 'all;
                }
            }
        }
        // Threads that still have something to give find nobody who takes it, and end.
        drop(pieces);
        reader.join().unwrap_or_else(|_| {
            Err(LedgerError::Damaged(
                "the reading thread ended early".to_owned(),
            ))
        })
    })
}

fn work(waiting: &Mutex<Receiver<(u64, Job)>>, done: &SyncSender<(u64, Piece)>) {
    loop {
        let job = match waiting.lock() {
            Ok(waiting) => waiting.recv(),
            Err(_) => return,
        };
        let Ok((number, job)) = job else {
            return;
        };
        let piece = match job {
            Job::Done(piece) => piece,
            Job::Hash(path, group) => Piece {
                path,
                offset: group.offset,
                what: hash(&group),
            },
        };
        if done.send((number, piece)).is_err() {
            // Nobody takes pieces any more: take what waits, so that the reader sees it, too.
            if let Ok(waiting) = waiting.lock() {
                while waiting.recv().is_ok() {}
            }
            return;
        }
    }
}

fn hash(group: &Placed) -> What {
    let block = group.unpack();
    let Some(parts) = block
        .as_ref()
        .and_then(|block| block.exactly(group.head.count))
    else {
        return What::Lost {
            first: group.head.first,
            end: group.head.end(),
        };
    };
    let mut hashed = Hashed {
        is_whole: group.is_whole(),
        first: group.head.first,
        leaves: Vec::with_capacity(parts.len()),
        keys: Vec::new(),
        removals: Vec::new(),
        bytes: 0,
    };
    for (place, part) in parts.iter().enumerate() {
        let leaf = part.leaf();
        hashed.leaves.push((leaf, leaf.hash()));
        hashed.bytes = hashed.bytes.saturating_add(leaf.length);
        if part.kind == Kind::KEY {
            hashed.keys.push((place, part.bytes.to_vec()));
        }
        if let Some(removal) = Removal::read(part.kind, part.bytes) {
            hashed.removals.push((place, removal));
        }
    }
    What::Group(hashed)
}

/// Hands over what stands in the segments; ends early when nobody takes it.
fn read(ledger: &Path, jobs: &SyncSender<(u64, Job)>) -> Result<(), LedgerError> {
    let segments = segments::list(ledger)?;
    let mut number = 0u64;
    for (index, segment) in segments.iter().enumerate() {
        let path = Arc::new(segment.path.clone());
        let is_last = index + 1 == segments.len();
        let mut send = |offset, what: Result<What, Placed>| {
            let job = match what {
                Ok(what) => Job::Done(Piece {
                    path: Arc::clone(&path),
                    offset,
                    what,
                }),
                Err(group) => Job::Hash(Arc::clone(&path), group),
            };
            let sent = jobs.send((number, job)).is_ok();
            number = number.saturating_add(1);
            sent
        };
        let mut reader = SegmentReader::open(segment)?;
        if !reader.has_start {
            let bytes = reader.length();
            let is_tail = is_last && bytes <= segments::START_BYTES;
            let what = if is_tail {
                What::Junk { bytes, is_tail }
            } else {
                What::NoStart
            };
            if !send(0, Ok(what)) || is_tail {
                return Ok(());
            }
        }
        loop {
            let (offset, group) = match reader.next()? {
                Found::End => break,
                Found::Rest { offset } => (offset, None),
                Found::Group(group) => (group.offset, Some(group)),
            };
            if let Some(group) = group {
                // A wrong length in a head would hide the groups behind it.
                let is_sound = group.is_whole() || reader.is_at_group()?;
                if is_sound {
                    if !send(offset, Err(group)) {
                        return Ok(());
                    }
                    continue;
                }
            }
            let next = reader.find_next(offset)?;
            let end = next.unwrap_or(reader.length());
            let junk = What::Junk {
                bytes: end.saturating_sub(offset),
                is_tail: is_last && next.is_none(),
            };
            if !send(offset, Ok(junk)) {
                return Ok(());
            }
            let Some(next) = next else { break };
            reader.seek(next)?;
        }
    }
    Ok(())
}
