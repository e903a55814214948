//! `prove`: an inclusion proof of one record, as c2sp.org/tlog-proof has it.
//!
//! Its extra data is the entry: kind (1 byte), time (8, big-endian), bytes. So the file shows the
//! record, and whoever has the log's public key needs nothing else.

use std::cell::RefCell;
use std::collections::HashMap;
use std::io::Write;
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::list::find;
use super::{Failed, RIGHT, Status, WRONG, open};
use crate::ledger::{
    Checkpoint, Entry, Hash, Kind, Latest, LedgerError, Nodes, Note, Reader, Tiles, inclusion,
};

/// The first line of a proof.
const TITLE: &str = "c2sp.org/tlog-proof@v1";

/// How many hashes a proof may have: as many as a tree of 2^64 entries is high.
const MAX_HASHES: usize = 64;

/// How many parts of tiles are remembered between proofs.
const MAX_REMEMBERED: usize = 4096;

/// A proof that was read. Nothing is known of it yet.
pub(super) struct Proof {
    pub entry: Entry,
    pub number: u64,
    pub hashes: Vec<Hash>,
    pub checkpoint: Checkpoint,
    pub note: Note,
}

/// Prints a proof that the record with this id is in the ledger.
///
/// # Errors
/// The ledger can't be read, or nothing signs for the record yet.
pub fn prove(folder: &Path, id: &str, out: &mut dyn Write) -> Status {
    let reader = open(folder)?;
    let Some((number, entry)) = find(&reader, id)? else {
        return Ok(WRONG);
    };
    let latest = signed(&reader)?;
    let size = latest.checkpoint.size;
    if number >= size {
        return Err(Failed::new(format!(
            "entry {number} is not signed for yet: the checkpoint has {size} entries"
        )));
    }
    let hashes = inclusion(&reader.tiles(), number, size)?;
    let mut text = format!(
        "{TITLE}\nextra {}\nindex {number}\n",
        STANDARD.encode(extra(&entry))
    );
    for hash in hashes {
        text.push_str(&hash.to_base64());
        text.push('\n');
    }
    text.push('\n');
    text.push_str(&latest.text);
    out.write_all(text.as_bytes())?;
    Ok(RIGHT)
}

/// The ledger's checkpoint, which there must be.
pub(super) fn signed(reader: &Reader) -> Result<Latest, Failed> {
    reader.latest()?.ok_or_else(|| {
        let file = reader.checkpoint_file();
        Failed::new(format!(
            "{}: found none, expected a checkpoint",
            file.display()
        ))
    })
}

fn extra(entry: &Entry) -> Vec<u8> {
    let mut bytes = vec![entry.kind.0];
    bytes.extend_from_slice(&entry.time.to_be_bytes());
    bytes.extend_from_slice(&entry.bytes);
    bytes
}

impl Proof {
    /// Reads a proof.
    ///
    /// # Errors
    /// Which line has another form, and what was expected there.
    pub fn read(text: &str) -> Result<Self, String> {
        let (head, note) = text
            .split_once("\n\n")
            .ok_or("expected an empty line before the checkpoint")?;
        let mut lines = head.split('\n');
        if lines.next() != Some(TITLE) {
            return Err(format!("line 1: expected {TITLE}"));
        }
        let entry = lines
            .next()
            .and_then(|line| line.strip_prefix("extra "))
            .and_then(|extra| STANDARD.decode(extra).ok())
            .and_then(|bytes| {
                let (kind, rest) = bytes.split_first()?;
                let (time, bytes) = rest.split_first_chunk::<8>()?;
                Some(Entry {
                    kind: Kind(*kind),
                    time: u64::from_be_bytes(*time),
                    bytes: bytes.to_vec(),
                })
            })
            .ok_or("line 2: expected extra, and an entry in base64")?;
        let number = lines
            .next()
            .and_then(|line| line.strip_prefix("index "))
            .filter(|digits| digits.bytes().all(|one| one.is_ascii_digit()))
            .and_then(|digits| digits.parse().ok())
            .ok_or("line 3: expected index, and the entry's number")?;
        let hashes: Option<Vec<_>> = lines.map(Hash::from_base64).collect();
        let hashes = hashes
            .filter(|hashes| hashes.len() <= MAX_HASHES)
            .ok_or("expected hashes in base64, a line each, from line 4 on")?;
        let (checkpoint, note) =
            Checkpoint::of(note).ok_or("expected a checkpoint behind the empty line")?;
        Ok(Self {
            entry,
            number,
            hashes,
            checkpoint,
            note,
        })
    }
}

/// Tiles that remember what they gave last, for many proofs behind each other.
pub(super) struct Remembering {
    tiles: Tiles,
    known: RefCell<HashMap<(u8, u64, usize), Vec<Hash>>>,
}

impl Remembering {
    pub fn new(tiles: Tiles) -> Self {
        Self {
            tiles,
            known: RefCell::default(),
        }
    }
}

impl Nodes for Remembering {
    fn hashes(&self, level: u8, first: u64, count: usize) -> Result<Vec<Hash>, LedgerError> {
        let key = (level, first, count);
        if let Some(hashes) = self.known.borrow().get(&key) {
            return Ok(hashes.clone());
        }
        let hashes = self.tiles.hashes(level, first, count)?;
        let mut known = self.known.borrow_mut();
        if known.len() >= MAX_REMEMBERED {
            known.clear();
        }
        known.insert(key, hashes.clone());
        Ok(hashes)
    }
}
