//! The first look at all entries: their roots, their keys, and whether the tiles are theirs.

use std::collections::{BTreeSet, HashMap};

use super::super::checkpoint::Checkpoint;
use super::super::entry::{Kind, Leaf};
use super::super::hash::Hash;
use super::super::keys::Chain;
use super::super::note::PublicKey;
use super::super::retention::Removal;
use super::super::tiles::Tiles;
use super::super::tree::{Edge, FullTile, TILE_ENTRIES, TILE_WIDTH};
use super::problem::MAX_PROBLEMS;
use super::stream::{Hashed, Piece, What};

/// How many keys are followed: one for each rotation.
const MAX_KEYS: usize = 1 << 16;

/// How many leaves the last bundle has in a tree of this size.
fn width_of(size: u64) -> usize {
    usize::try_from(size % TILE_ENTRIES).unwrap_or(0)
}

/// What the entries say.
pub(super) struct Seen {
    pub entries: u64,
    pub bytes: u64,
    pub chain: Chain,
    pub key_problems: Vec<String>,
    /// The latest entry that was signed for and says what was removed.
    pub removal: Option<(u64, Removal)>,
    pub tile_problems: Vec<(Option<(u64, u64)>, String)>,
    /// Whether something that is no group, or a group with another number, stands there.
    pub is_irregular: bool,
    /// Whether something stands there that can't be read.
    pub has_junk: bool,
    /// How many groups have a wrong checksum over entries that can be read.
    pub checksums: u64,
    /// What stands behind the last group.
    pub tail: Option<String>,
    roots: HashMap<u64, Hash>,
}

impl Seen {
    /// Whether the first entries have this checkpoint's root.
    pub fn agrees(&self, checkpoint: &Checkpoint) -> bool {
        self.roots.get(&checkpoint.size) == Some(&checkpoint.root)
    }
}

/// The look while it goes on.
pub(super) struct Look<'q> {
    seen: Seen,
    tiles: Tiles,
    /// The sizes whose roots are wanted.
    sizes: BTreeSet<u64>,
    largest: u64,
    /// How many entries the checkpoint signs for.
    signed: u64,
    /// The first entry that was not removed.
    horizon: u64,
    /// Entries that name keys: those that were removed come first, and are known at the end only.
    keys: Vec<(u64, Vec<u8>)>,
    trusted: Option<&'q PublicKey>,
    edge: Edge,
    full: Vec<FullTile>,
    last: Vec<Leaf>,
    /// The tiles and the bundle at the edge of the largest of `sizes`.
    at_largest: Option<(Edge, Vec<Leaf>)>,
}

impl<'q> Look<'q> {
    pub fn new(
        tiles: Tiles,
        sizes: impl Iterator<Item = u64>,
        signed: u64,
        horizon: u64,
        trusted: Option<&'q PublicKey>,
    ) -> Self {
        let sizes: BTreeSet<_> = sizes.collect();
        let largest = sizes.last().copied().unwrap_or(0);
        let mut look = Self {
            seen: Seen {
                entries: 0,
                bytes: 0,
                chain: Chain::default(),
                key_problems: Vec::new(),
                removal: None,
                tile_problems: Vec::new(),
                is_irregular: false,
                has_junk: false,
                checksums: 0,
                tail: None,
                roots: HashMap::new(),
            },
            tiles,
            sizes,
            largest,
            signed,
            horizon,
            keys: Vec::new(),
            trusted,
            edge: Edge::default(),
            full: Vec::new(),
            last: Vec::new(),
            at_largest: None,
        };
        look.note_root();
        look.take_removed();
        look
    }

    /// Of entries that were removed, the hashes in the tiles stand for them: the root vouches for those.
    fn take_removed(&mut self) {
        while self.edge.size() < self.horizon {
            let first = self.edge.size();
            let index = first / TILE_ENTRIES;
            let width = usize::try_from((self.horizon - first).min(TILE_ENTRIES));
            let width = width.unwrap_or(TILE_WIDTH);
            let mut hashes = match self.tiles.read_wide(0, index, width) {
                Ok(hashes) => hashes,
                Err(error) => {
                    let what = format!("the tile {index} of level 0: {error}");
                    self.tile_problem(first, self.horizon, what);
                    self.seen.is_irregular = true;
                    return;
                }
            };
            hashes.truncate(width);
            let leaves = match self.tiles.read_bundle_wide(index, width) {
                Ok(leaves) => leaves,
                Err(error) => {
                    self.tile_problem(
                        first,
                        self.horizon,
                        format!("the entry bundle {index}: {error}"),
                    );
                    Vec::new()
                }
            };
            for (number, _) in (first..)
                .zip(hashes.iter().zip(&leaves))
                .filter(|(_, (hash, leaf))| **hash != leaf.hash())
            {
                self.tile_problem(number, number + 1, format!("the entry bundle {index}: found another leaf, expected that of entry {number}, which was removed"));
            }
            for hash in hashes {
                self.edge.push(hash, &mut self.full);
                if self.sizes.contains(&self.edge.size()) {
                    self.last = leaves.clone();
                    self.last.truncate(width_of(self.edge.size()));
                    self.note_root();
                }
            }
            let full = std::mem::take(&mut self.full);
            self.compare_tiles(full, self.edge.size());
            self.last = leaves;
            self.last.resize(width, Leaf::of(Kind::KEY, 0, &[]));
            if width == TILE_WIDTH {
                self.last.clear();
            }
        }
    }

    pub fn take(&mut self, piece: Piece) {
        match piece.what {
            What::Group(group) => self.take_group(&group),
            What::Junk {
                bytes,
                is_tail: true,
            } => {
                self.seen.tail = Some(format!(
                    "{} at byte {}: {bytes} bytes of a write that is under way or was cut off",
                    piece.path.display(),
                    piece.offset
                ));
            }
            What::Junk { .. } | What::NoStart | What::Lost { .. } => {
                self.seen.is_irregular = true;
                self.seen.has_junk = true;
            }
        }
    }

    fn take_group(&mut self, group: &Hashed) {
        if group.first != self.edge.size() || self.seen.tail.is_some() {
            self.seen.is_irregular = true;
        }
        if !group.is_whole {
            self.seen.checksums = self.seen.checksums.saturating_add(1);
        }
        self.seen.bytes = self.seen.bytes.saturating_add(group.bytes);
        for (place, removal) in &group.removals {
            // By what its group says: entries that were added before it must not make it another one.
            let number = group
                .first
                .saturating_add(u64::try_from(*place).unwrap_or(0));
            if number < self.signed {
                self.seen.removal = Some((number, removal.clone()));
            }
        }
        let mut keys = group.keys.iter().peekable();
        for (place, (leaf, hash)) in group.leaves.iter().enumerate() {
            let number = self.edge.size();
            if let Some((_, bytes)) = keys.next_if(|(key, _)| *key == place)
                && self.keys.len() < MAX_KEYS
            {
                self.keys.push((number, bytes.clone()));
            }
            self.edge.push(*hash, &mut self.full);
            self.last.push(*leaf);
            if self.last.len() == TILE_WIDTH {
                self.compare();
            }
            if self.sizes.contains(&self.edge.size()) {
                self.note_root();
            }
        }
    }

    fn note_root(&mut self) {
        let size = self.edge.size();
        if self.sizes.contains(&size) {
            self.seen.roots.insert(size, self.edge.root());
        }
        if size == self.largest {
            self.at_largest = Some((self.edge.clone(), self.last.clone()));
        }
    }

    /// Compares the tiles and the bundle that are full now with those on disk.
    fn compare(&mut self) {
        let end = self.edge.size();
        let leaves = std::mem::take(&mut self.last);
        let full = std::mem::take(&mut self.full);
        if end > self.largest {
            // These are written with the next checkpoint.
            return;
        }
        let first = end.saturating_sub(TILE_ENTRIES);
        let index = first / TILE_ENTRIES;
        match self.tiles.read_bundle(index, TILE_WIDTH) {
            Ok(found) => {
                let places = first..;
                for (number, _) in places
                    .zip(leaves.iter().zip(&found))
                    .filter(|(_, (one, other))| one != other)
                {
                    self.tile_problem(number, number + 1, format!("the entry bundle {index}: found another leaf, expected that of entry {number}"));
                }
            }
            Err(error) => {
                self.tile_problem(first, end, format!("the entry bundle {index}: {error}"))
            }
        }
        self.compare_tiles(full, end);
    }

    fn compare_tiles(&mut self, full: Vec<FullTile>, end: u64) {
        for tile in full {
            let span = TILE_ENTRIES.saturating_pow(u32::from(tile.level));
            let start = tile.index.saturating_mul(span).saturating_mul(TILE_ENTRIES);
            match self.tiles.read(tile.level, tile.index, TILE_WIDTH) {
                Ok(found) => {
                    let places = (0u64..).zip(tile.hashes.iter().zip(&found));
                    for (place, _) in places.filter(|(_, (one, other))| one != other) {
                        let from = start.saturating_add(place.saturating_mul(span));
                        let to = from.saturating_add(span);
                        let what = format!(
                            "the tile {} of level {}: found another hash at place {place}, expected that of the entries {from} to {}",
                            tile.index,
                            tile.level,
                            to - 1
                        );
                        self.tile_problem(from, to, what);
                    }
                }
                Err(error) => self.tile_problem(
                    start,
                    end,
                    format!("the tile {} of level {}: {error}", tile.index, tile.level),
                ),
            }
        }
    }

    fn compare_edge(&mut self, edge: &Edge, last: &[Leaf]) {
        let size = edge.size();
        let first = size - size % TILE_ENTRIES;
        match self.tiles.edge(size) {
            Ok(found) if found == *edge => {}
            Ok(_) => self.tile_problem(first, size, format!("the partial tiles of {size} entries: found other hashes than those of the entries")),
            Err(error) => self.tile_problem(first, size, format!("the partial tiles of {size} entries: {error}")),
        }
        if last.is_empty() {
            return;
        }
        match self.tiles.read_bundle(first / TILE_ENTRIES, last.len()) {
            Ok(found) if found.get(..last.len()) == Some(last) => {}
            Ok(_) => self.tile_problem(first, size, format!("the partial entry bundle of {size} entries: found other leaves than those of the entries")),
            Err(error) => self.tile_problem(first, size, format!("the partial entry bundle of {size} entries: {error}")),
        }
    }

    fn tile_problem(&mut self, first: u64, end: u64, text: String) {
        if self.seen.tile_problems.len() < MAX_PROBLEMS {
            self.seen.tile_problems.push((Some((first, end)), text));
        }
    }

    /// All entries were taken: now the partial tiles are compared.
    pub fn end(mut self) -> Seen {
        if let Some((edge, last)) = self.at_largest.take() {
            self.compare_edge(&edge, &last);
        }
        self.seen.entries = self.edge.size();
        self.follow_keys();
        self.seen
    }

    /// Follows the keys from the first on, those that were removed as well.
    fn follow_keys(&mut self) {
        let removal = self.seen.removal.as_ref();
        let kept = removal.map_or(&[][..], |(_, removal)| &removal.keys);
        let kept: Vec<_> = kept
            .iter()
            .filter(|key| key.entry < self.horizon)
            .cloned()
            .collect();
        for key in kept {
            let place = usize::try_from(key.entry % TILE_ENTRIES).unwrap_or(0);
            let hashes = self
                .tiles
                .read_wide(0, key.entry / TILE_ENTRIES, place.saturating_add(1));
            let found = hashes.ok().and_then(|hashes| hashes.get(place).copied());
            if found == Some(key.leaf().hash()) {
                self.follow(key.entry, key.text.as_bytes());
            } else {
                self.key_problem(
                    key.entry,
                    "it was removed, and is not what the tree has in its place",
                );
            }
        }
        for (number, bytes) in std::mem::take(&mut self.keys) {
            self.follow(number, &bytes);
        }
    }

    fn follow(&mut self, number: u64, bytes: &[u8]) {
        if let Err(what) = self.seen.chain.follow(number, bytes, self.trusted) {
            self.key_problem(number, &what);
        }
    }

    fn key_problem(&mut self, number: u64, what: &str) {
        if self.seen.key_problems.len() < MAX_PROBLEMS {
            let text = format!("entry {number}: {what}");
            self.seen.key_problems.push(text);
        }
    }
}
