//! Retention: old entries go, and what stands for them in the tree stays.
//!
//! Only whole segments go, oldest first. An entry of the kind [`Kind::EVENT`] says so beforehand, and is signed
//! for before anything is removed. It speaks for all that was ever removed, so that the one before it may go,
//! too, and has the keys that were among it: without them nobody could check signatures any more.

use serde::{Deserialize, Serialize};

use super::entry::{Entry, Kind, Leaf};
use super::error::LedgerError;
use super::hash::Hash;
use super::reader::Reader;
use super::segments::{self, Found, SegmentReader};
use super::tiles::Tiles;
use super::tree::{TILE_ENTRIES, TILE_WIDTH};

/// The member `event` of an entry that says what was removed.
const WORD: &str = "retention";

/// An entry of the kind [`Kind::KEY`] whose segment was removed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptKey {
    /// Its number.
    pub entry: u64,
    /// Its time, in milliseconds since 1970.
    pub time: u64,
    /// What it says.
    pub text: String,
}

impl KeptKey {
    /// What stands for it in the tree.
    #[must_use]
    pub fn leaf(&self) -> Leaf {
        Leaf::of(Kind::KEY, self.time, self.text.as_bytes())
    }

    /// It as an entry.
    #[must_use]
    pub fn to_entry(&self) -> Entry {
        Entry {
            kind: Kind::KEY,
            time: self.time,
            bytes: self.text.clone().into_bytes(),
        }
    }
}

/// What an entry says of what was removed; it has more members, which are not the ledger's.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Removal {
    /// All entries before this one were removed.
    pub to: u64,
    /// Those that this entry is about are from before this time (RFC 3339).
    pub until: String,
    /// The keys among all that was removed, oldest first.
    pub keys: Vec<KeptKey>,
}

impl Removal {
    /// Reads an entry; `None` if it is about something else.
    #[must_use]
    pub fn read(kind: Kind, bytes: &[u8]) -> Option<Self> {
        #[derive(Deserialize)]
        struct Word {
            event: String,
        }
        if kind != Kind::EVENT {
            return None;
        }
        let word: Word = serde_json::from_slice(bytes).ok()?;
        (word.event == WORD)
            .then(|| serde_json::from_slice(bytes).ok())
            .flatten()
    }
}

/// The oldest segment, all of whose entries are old enough.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expired {
    /// Its first entry.
    pub from: u64,
    /// The entry that follows its last.
    pub to: u64,
    /// Whether another segment follows it.
    pub is_followed: bool,
    /// The keys in it.
    pub keys: Vec<KeptKey>,
}

/// The oldest segment if all of its entries are from before `before` (milliseconds since 1970) and are signed
/// for. The last one is left alone if it has nothing but keys and what says that others were removed.
///
/// What stands for its entries in the tree is compared with them, and made to outlive a crash: once they are
/// gone, nothing can make it anew.
///
/// # Errors
/// The segment or the tiles can't be read, or are not what they should be.
pub fn expired(reader: &Reader, before: u64) -> Result<Option<Expired>, LedgerError> {
    let list = segments::list(reader.folder())?;
    let Some((segment, rest)) = list.split_first() else {
        return Ok(None);
    };
    let signed = reader.latest()?.map_or(0, |latest| latest.checkpoint.size);
    let mut file = SegmentReader::open(segment)?;
    if !file.has_start {
        return Ok(None);
    }
    if let Some(next) = rest.first() {
        // The last group tells soonest that a segment is too young.
        file.skip_to(next.first.saturating_sub(1))?;
        if let Found::Group(group) = file.next()?
            && let Some(block) = group.unpack()
            && block.entries().any(|part| part.time >= before)
        {
            return Ok(None);
        }
        file.seek(segments::START_BYTES)?;
    }
    let mut found = Expired {
        from: segment.first,
        to: segment.first,
        is_followed: !rest.is_empty(),
        keys: Vec::new(),
    };
    let mut is_worth_it = found.is_followed;
    let mut check = Check::new(reader.tiles(), segment.first);
    while let Found::Group(group) = file.next()? {
        let block = group.is_whole().then(|| group.unpack()).flatten();
        let parts = block
            .as_ref()
            .filter(|_| group.head.first == found.to)
            .and_then(|block| block.exactly(group.head.count));
        let Some(parts) = parts else {
            break;
        };
        if group.head.end() > signed || parts.iter().any(|part| part.time >= before) {
            return Ok(None);
        }
        for (number, part) in (group.head.first..).zip(parts) {
            check.entry(number, part.leaf())?;
            if part.kind == Kind::KEY {
                found.keys.push(KeptKey {
                    entry: number,
                    time: part.time,
                    text: String::from_utf8_lossy(part.bytes).into_owned(),
                });
            } else if !is_worth_it {
                is_worth_it = Removal::read(part.kind, part.bytes).is_none();
            }
        }
        found.to = group.head.end();
    }
    let expected = rest.first().map_or(found.to, |next| next.first);
    if found.to != expected {
        return Err(LedgerError::Damaged(format!(
            "{}: found the entries before {}, expected those before {expected}",
            segment.path.display(),
            found.to
        )));
    }
    if !is_worth_it || found.to == found.from {
        return Ok(None);
    }
    check.end(found.to)?;
    Ok(Some(found))
}

/// Compares entries with what stands for them.
struct Check {
    tiles: Tiles,
    first: u64,
    leaves: Vec<Leaf>,
}

impl Check {
    fn new(tiles: Tiles, first: u64) -> Self {
        Self {
            tiles,
            first,
            leaves: Vec::new(),
        }
    }

    fn entry(&mut self, number: u64, leaf: Leaf) -> Result<(), LedgerError> {
        self.leaves.push(leaf);
        let next = number.saturating_add(1);
        if next.is_multiple_of(TILE_ENTRIES) {
            self.end(next)?;
        }
        Ok(())
    }

    /// Compares those before `next` that were not compared yet.
    fn end(&mut self, next: u64) -> Result<(), LedgerError> {
        if self.leaves.is_empty() {
            return Ok(());
        }
        let index = self.first / TILE_ENTRIES;
        let begin = index.saturating_mul(TILE_ENTRIES);
        let place =
            |number: u64| usize::try_from(number.saturating_sub(begin)).unwrap_or(TILE_WIDTH);
        let (from, to) = (place(self.first), place(next));
        let hashes = self.tiles.read_wide(0, index, to)?;
        let leaves = self.tiles.read_bundle_wide(index, to)?;
        let own: Vec<Hash> = self.leaves.iter().map(Leaf::hash).collect();
        if hashes.get(from..to) != Some(&own[..]) || leaves.get(from..to) != Some(&self.leaves[..])
        {
            return Err(LedgerError::Damaged(format!(
                "found other hashes in tile {index} than those of the entries {} to {}, which are kept for it",
                self.first,
                next.saturating_sub(1)
            )));
        }
        self.tiles.sync(index, to)?;
        self.first = next;
        self.leaves.clear();
        Ok(())
    }
}
