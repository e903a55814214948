//! The tree as it follows from the entries, when a ledger is opened.

use super::checkpoint::Checkpoint;
use super::entry::{Kind, Leaf};
use super::error::LedgerError;
use super::hash::Hash;
use super::reader::{Latest, Reader};
use super::tiles::{Tiles, tile_at_edge};
use super::tree::{Edge, FullTile, TILE_ENTRIES, TILE_WIDTH};

/// A tree, and what of it is not on disk as it should be.
#[derive(Debug, Default)]
pub(super) struct Grown {
    pub edge: Edge,
    /// The leaves of the bundle that is not full.
    pub last: Vec<Leaf>,
    /// Tiles and bundles that are missing, or other than they should be.
    pub full: Vec<FullTile>,
    pub bundles: Vec<(u64, Vec<Leaf>)>,
    /// The entries of the kind [`Kind::KEY`] that are not signed for yet.
    pub keys: Vec<(u64, Vec<u8>)>,
}

impl Grown {
    /// Takes the tree of the entries before `from` out of the tiles, and grows it with those after.
    pub fn from(reader: &Reader, from: u64, latest: &Latest) -> Result<Self, LedgerError> {
        let from = from.min(latest.checkpoint.size);
        let from = from - from % TILE_ENTRIES;
        let horizon = reader.horizon()?;
        if from >= horizon {
            let edge = reader.tiles().edge(from)?;
            return Self::grow(reader, Self::at(edge, Vec::new()), &latest.checkpoint, true);
        }
        let tiles = reader.tiles();
        let begin = Self::at(tiles.edge(horizon)?, leaves_at(&tiles, horizon)?);
        Self::grow(reader, begin, &latest.checkpoint, true)
    }

    /// A tree with this edge, whose last bundle has these leaves.
    fn at(edge: Edge, last: Vec<Leaf>) -> Self {
        Self {
            edge,
            last,
            ..Self::default()
        }
    }

    /// The tree of the entries before `horizon`, which were removed: their hashes stand for them.
    fn of_removed(
        tiles: &Tiles,
        horizon: u64,
        full: &mut dyn FnMut(FullTile) -> Result<(), LedgerError>,
    ) -> Result<Self, LedgerError> {
        let mut edge = Edge::default();
        let mut filled = Vec::new();
        while edge.size() < horizon {
            let width = usize::try_from((horizon - edge.size()).min(TILE_ENTRIES));
            let width = width.unwrap_or(TILE_WIDTH);
            let hashes = tiles.read_wide(0, edge.size() / TILE_ENTRIES, width)?;
            for hash in hashes.into_iter().take(width) {
                edge.push(hash, &mut filled);
            }
            filled.drain(..).try_for_each(&mut *full)?;
        }
        Ok(Self::at(edge, leaves_at(tiles, horizon)?))
    }

    /// Grows the whole tree from the entries and, if it has the root that was signed, writes all
    /// tiles that are not as they should be. If it has not, the tiles stay as they are: by them
    /// `verify` tells what was changed.
    pub fn anew(reader: &Reader, latest: &Latest) -> Result<Self, LedgerError> {
        let tiles = reader.tiles();
        let horizon = reader.horizon()?;
        let begin = Self::of_removed(&tiles, horizon, &mut |_| Ok(()))?;
        let grown = Self::grow(reader, begin, &latest.checkpoint, false)?;
        let mut again = Self::of_removed(&tiles, horizon, &mut |tile| {
            let found = tiles.read(tile.level, tile.index, TILE_WIDTH);
            match found {
                Ok(hashes) if hashes == tile.hashes => Ok(()),
                _ => tiles.write_full(&tile, horizon),
            }
        })?;
        reader.each::<LedgerError>(0, &mut |_, _, part| {
            again.push(&tiles, part.leaf(), true);
            again.write(&tiles, horizon)
        })?;
        Ok(grown)
    }

    fn grow(
        reader: &Reader,
        mut grown: Self,
        signed: &Checkpoint,
        keep: bool,
    ) -> Result<Self, LedgerError> {
        let tiles = reader.tiles();
        let from = grown.edge.size();
        let mut root = (from == signed.size).then(|| grown.edge.root());
        reader.each::<LedgerError>(from, &mut |number, _, part| {
            grown.push(&tiles, part.leaf(), keep);
            if grown.edge.size() == signed.size {
                root = Some(grown.edge.root());
            }
            if part.kind == Kind::KEY && number >= signed.size {
                grown.keys.push((number, part.bytes.to_vec()));
            }
            Ok(())
        })?;
        check(root, signed)?;
        Ok(grown)
    }

    /// Adds a leaf. With `keep`, what it fills and is not on disk is kept to be written.
    fn push(&mut self, tiles: &Tiles, leaf: Leaf, keep: bool) {
        let mut full = Vec::new();
        self.edge.push(leaf.hash(), &mut full);
        self.last.push(leaf);
        if self.last.len() < TILE_WIDTH {
            return;
        }
        let leaves = std::mem::take(&mut self.last);
        if !keep {
            return;
        }
        full.retain(|tile| {
            let found = tiles.read(tile.level, tile.index, TILE_WIDTH);
            !found.is_ok_and(|hashes| hashes == tile.hashes)
        });
        self.full.append(&mut full);
        let index = tile_at_edge(self.edge.size(), 0).saturating_sub(1);
        let found = tiles.read_bundle(index, TILE_WIDTH);
        if !found.is_ok_and(|found| found == leaves) {
            self.bundles.push((index, leaves));
        }
    }

    /// Writes what is to be written.
    fn write(&mut self, tiles: &Tiles, horizon: u64) -> Result<(), LedgerError> {
        for tile in self.full.drain(..) {
            tiles.write_full(&tile, horizon)?;
        }
        for (index, leaves) in self.bundles.drain(..) {
            tiles.write_full_bundle(index, &leaves, horizon)?;
        }
        Ok(())
    }
}

/// The leaves of the bundle that is not full where the tree has `size` entries.
fn leaves_at(tiles: &Tiles, size: u64) -> Result<Vec<Leaf>, LedgerError> {
    match usize::try_from(size % TILE_ENTRIES) {
        Ok(width) if width > 0 => tiles.read_bundle_wide(size / TILE_ENTRIES, width),
        _ => Ok(Vec::new()),
    }
}

fn check(root: Option<Hash>, signed: &Checkpoint) -> Result<(), LedgerError> {
    match root {
        Some(root) if root == signed.root => Ok(()),
        found => Err(LedgerError::Damaged(format!(
            "found the root {} over {} entries, expected {} as the checkpoint has it",
            found.map_or_else(|| "of fewer".to_owned(), |root| root.to_string()),
            signed.size,
            signed.root
        ))),
    }
}
