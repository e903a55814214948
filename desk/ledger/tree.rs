//! The right edge of a growing tree, from which its root follows.

use super::hash::{Hash, root};

/// How many hashes a tile of c2sp.org/tlog-tiles has when it is full.
pub const TILE_WIDTH: usize = 256;

/// [`TILE_WIDTH`] as a number of entries.
pub(super) const TILE_ENTRIES: u64 = 256;

/// The most levels of tiles that 2^64 entries need.
pub(super) const MAX_LEVELS: usize = 8;

/// A tile that can't change any more.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FullTile {
    /// Its level, 0 for leaves.
    pub level: u8,
    /// Its place in the level.
    pub index: u64,
    /// Its [`TILE_WIDTH`] hashes.
    pub hashes: Vec<Hash>,
}

/// The tiles at the right edge that are not full yet: all of a tree that adding to it needs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Edge {
    size: u64,
    levels: Vec<Vec<Hash>>,
}

impl Edge {
    /// An edge of `levels`, from the leaves up; `None` if their widths are not those of a tree of
    /// `size` leaves.
    #[must_use]
    pub fn new(size: u64, mut levels: Vec<Vec<Hash>>) -> Option<Self> {
        while levels.pop_if(|level| level.is_empty()).is_some() {}
        let fits = levels.len() <= MAX_LEVELS
            && (0..MAX_LEVELS)
                .all(|level| levels.get(level).map_or(0, Vec::len) == width(size, level));
        fits.then_some(Self { size, levels })
    }

    /// How many leaves the tree has.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.size
    }

    /// The tiles that are not full, from the leaves up. The one at level n stands at the place
    /// `size / 256^(n+1)`.
    #[must_use]
    pub fn levels(&self) -> &[Vec<Hash>] {
        &self.levels
    }

    /// Adds a leaf; tiles that it fills are pushed to `full`.
    pub fn push(&mut self, leaf: Hash, full: &mut Vec<FullTile>) {
        self.size = self.size.saturating_add(1);
        let mut hash = leaf;
        let mut index = self.size;
        for level in 0..MAX_LEVELS {
            if self.levels.len() <= level {
                self.levels.push(Vec::with_capacity(TILE_WIDTH));
            }
            let Some(tile) = self.levels.get_mut(level) else {
                return;
            };
            tile.push(hash);
            if tile.len() < TILE_WIDTH {
                return;
            }
            index /= TILE_ENTRIES;
            let hashes = std::mem::replace(tile, Vec::with_capacity(TILE_WIDTH));
            hash = root(&hashes);
            full.push(FullTile {
                level: u8::try_from(level).unwrap_or(u8::MAX),
                index: index.saturating_sub(1),
                hashes,
            });
        }
    }

    /// The root of the whole tree.
    #[must_use]
    pub fn root(&self) -> Hash {
        let mut found = None;
        for tile in &self.levels {
            // A tile's width is, bit by bit, which perfect trees it ends with: the smallest last.
            let mut rest = tile.as_slice();
            while !rest.is_empty() {
                let smallest = 1usize << rest.len().trailing_zeros();
                let (before, subtree) = rest.split_at(rest.len() - smallest);
                let left = root(subtree);
                found = Some(found.map_or(left, |right| Hash::node(left, right)));
                rest = before;
            }
        }
        found.unwrap_or_else(Hash::empty)
    }
}

/// How many hashes the tile at the right edge of a level has.
pub(super) fn width(size: u64, level: usize) -> usize {
    let shift = u32::try_from(level.saturating_mul(8)).unwrap_or(u32::MAX);
    let hashes = size.checked_shr(shift).unwrap_or(0) % TILE_ENTRIES;
    usize::try_from(hashes).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn leaves(count: usize) -> Vec<Hash> {
        (0..count)
            .map(|number| Hash::leaf(&number.to_be_bytes()))
            .collect()
    }

    #[test]
    fn the_root_is_that_of_the_definition_at_every_size() {
        let leaves = leaves(1100);
        let (mut edge, mut full) = (Edge::default(), Vec::new());
        assert_eq!(edge.root(), Hash::empty());
        for (count, leaf) in leaves.iter().enumerate() {
            edge.push(*leaf, &mut full);
            assert_eq!(edge.root(), root(&leaves[..=count]), "{count}");
            let again = Edge::new(edge.size(), edge.levels().to_vec());
            assert_eq!(again.as_ref(), Some(&edge));
        }
        let places: Vec<_> = full.iter().map(|tile| (tile.level, tile.index)).collect();
        assert_eq!(places, [(0, 0), (0, 1), (0, 2), (0, 3)]);
    }

    #[test]
    fn a_tile_of_tiles_is_filled_by_65536_leaves() {
        let (mut edge, mut full) = (Edge::default(), Vec::new());
        for leaf in leaves(65_537) {
            edge.push(leaf, &mut full);
        }
        let last = full.last().unwrap();
        assert_eq!((last.level, last.index, full.len()), (1, 0, 257));
        let widths: Vec<_> = edge.levels().iter().map(Vec::len).collect();
        assert_eq!(widths, [1, 0, 1]);
        assert_eq!(
            edge.root(),
            Hash::node(root(&last.hashes), leaves(65_537)[65_536])
        );
    }

    #[test]
    fn an_edge_of_other_widths_is_no_edge() {
        assert!(Edge::new(2, vec![leaves(1)]).is_none());
        assert!(Edge::new(257, vec![leaves(1)]).is_none());
        assert!(Edge::new(257, vec![leaves(1), leaves(1)]).is_some());
    }
}
