//! Tiles and entry bundles in a folder, as c2sp.org/tlog-tiles names and writes them.

use std::io;
use std::path::{Path, PathBuf};

use super::entry::{LEAF_BYTES, Leaf};
use super::error::LedgerError;
use super::files;
use super::hash::{HASH_BYTES, Hash};
use super::proof::Nodes;
use super::tree::{Edge, FullTile, MAX_LEVELS, TILE_ENTRIES, TILE_WIDTH, width};

/// The longest bundle, in bytes: [`TILE_WIDTH`] leaves, each behind its length.
const MAX_BUNDLE_BYTES: u64 = 256 * (LEAF_BYTES as u64 + 2);

/// The longest tile, in bytes.
const MAX_TILE_BYTES: u64 = 256 * HASH_BYTES as u64;

/// The tiles below a ledger's folder.
#[derive(Clone, Debug)]
pub struct Tiles {
    folder: PathBuf,
}

impl Tiles {
    /// Those of the ledger in `ledger`.
    #[must_use]
    pub fn new(ledger: &Path) -> Self {
        Self {
            folder: ledger.join("tile"),
        }
    }

    /// The first hashes of a tile, at least `width` of them. A partial tile may have gone since
    /// the full one is there.
    ///
    /// # Errors
    /// There is no such tile, or it is shorter.
    pub fn read(&self, level: u8, index: u64, width: usize) -> Result<Vec<Hash>, LedgerError> {
        let bytes = self.bytes(&level.to_string(), index, width, MAX_TILE_BYTES)?;
        let (hashes, rest) = bytes.as_chunks::<HASH_BYTES>();
        if hashes.len() < width || !rest.is_empty() {
            let path = self.path(&level.to_string(), index, width);
            return Err(LedgerError::Damaged(format!(
                "{}: found {} bytes, expected {width} hashes of {HASH_BYTES}",
                path.display(),
                bytes.len()
            )));
        }
        Ok(hashes
            .iter()
            .filter_map(|hash| Hash::from_slice(hash))
            .collect())
    }

    /// Like [`Tiles::read`], but any partial tile serves that is wide enough: which ones there are
    /// follows from the sizes that were signed.
    pub(super) fn read_wide(
        &self,
        level: u8,
        index: u64,
        wanted: usize,
    ) -> Result<Vec<Hash>, LedgerError> {
        self.read(level, index, wanted).or_else(|error| {
            self.wider(&level.to_string(), index, wanted)
                .map_or(Err(error), |width| self.read(level, index, width))
        })
    }

    /// The first leaves of an entry bundle, at least `width` of them.
    ///
    /// # Errors
    /// There is no such bundle, or it has another form.
    pub fn read_bundle(&self, index: u64, width: usize) -> Result<Vec<Leaf>, LedgerError> {
        let bytes = self.bytes("entries", index, width, MAX_BUNDLE_BYTES)?;
        let leaves = parse_bundle(&bytes).filter(|leaves| leaves.len() >= width);
        leaves.ok_or_else(|| {
            LedgerError::Damaged(format!(
                "{}: found another form, expected {width} leaves of {LEAF_BYTES} bytes, each behind its length",
                self.path("entries", index, width).display()
            ))
        })
    }

    /// Like [`Tiles::read_bundle`], but any partial bundle serves that is wide enough. Gives just `wanted`.
    pub(super) fn read_bundle_wide(
        &self,
        index: u64,
        wanted: usize,
    ) -> Result<Vec<Leaf>, LedgerError> {
        let read = self.read_bundle(index, wanted).or_else(|error| {
            self.wider("entries", index, wanted)
                .map_or(Err(error), |width| self.read_bundle(index, width))
        });
        let mut leaves = read?;
        leaves.truncate(wanted);
        Ok(leaves)
    }

    /// The width of the narrowest partial tile that has at least `wanted` places.
    fn wider(&self, kind: &str, index: u64, wanted: usize) -> Option<usize> {
        (wanted..TILE_WIDTH).find(|width| self.path(kind, index, *width).exists())
    }

    /// Makes the leaf hashes and the leaves of one tile's first `wanted` entries outlive a crash, the folders
    /// that lead to them, too.
    ///
    /// # Errors
    /// They are not there, or the system fails.
    pub(super) fn sync(&self, index: u64, wanted: usize) -> Result<(), LedgerError> {
        for kind in ["0", "entries"] {
            let full = self.path(kind, index, TILE_WIDTH);
            let path = match self.wider(kind, index, wanted) {
                Some(width) if !full.exists() => self.path(kind, index, width),
                _ => full,
            };
            self.sync_file(&path)?;
        }
        Ok(())
    }

    /// Makes a file and the folders that lead to it outlive a crash.
    fn sync_file(&self, path: &Path) -> Result<(), LedgerError> {
        files::sync(path).map_err(LedgerError::at(path))?;
        for folder in path.ancestors().skip(1) {
            files::sync_folder(folder).map_err(LedgerError::at(folder))?;
            if folder == self.folder {
                break;
            }
        }
        Ok(())
    }

    /// The edge of the tree of `size` entries.
    ///
    /// # Errors
    /// A tile is missing or too short.
    pub fn edge(&self, size: u64) -> Result<Edge, LedgerError> {
        let mut levels = Vec::new();
        for level in 0..MAX_LEVELS {
            let number = u8::try_from(level).unwrap_or(u8::MAX);
            let wanted = width(size, level);
            let index = tile_at_edge(size, level);
            let mut hashes = match wanted {
                0 => Vec::new(),
                _ => self.read_wide(number, index, wanted)?,
            };
            hashes.truncate(wanted);
            levels.push(hashes);
        }
        Edge::new(size, levels)
            .ok_or_else(|| LedgerError::Damaged(format!("found no edge of {size} entries")))
    }

    /// Writes a full tile and takes the partial ones away. What stands for entries that were removed, those
    /// before `horizon`, can't be made anew, and outlives a crash.
    pub(super) fn write_full(&self, tile: &FullTile, horizon: u64) -> Result<(), LedgerError> {
        self.write(
            &tile.level.to_string(),
            tile.index,
            &to_bytes(&tile.hashes),
            TILE_WIDTH,
            tile.level == 0 && is_before(tile.index, horizon),
        )
    }

    /// Writes a full bundle and takes the partial ones away.
    pub(super) fn write_full_bundle(
        &self,
        index: u64,
        leaves: &[Leaf],
        horizon: u64,
    ) -> Result<(), LedgerError> {
        let lasts = is_before(index, horizon);
        self.write("entries", index, &bundle(leaves), TILE_WIDTH, lasts)
    }

    /// Writes the partial tiles of an edge, and its partial bundle.
    pub(super) fn write_edge(&self, edge: &Edge, last: &[Leaf]) -> Result<(), LedgerError> {
        for (level, hashes) in edge.levels().iter().enumerate() {
            if !hashes.is_empty() {
                let index = tile_at_edge(edge.size(), level);
                let name = level.to_string();
                self.write(&name, index, &to_bytes(hashes), hashes.len(), false)?;
            }
        }
        if !last.is_empty() {
            let index = tile_at_edge(edge.size(), 0);
            self.write("entries", index, &bundle(last), last.len(), false)?;
        }
        Ok(())
    }

    fn write(
        &self,
        kind: &str,
        index: u64,
        bytes: &[u8],
        width: usize,
        lasts: bool,
    ) -> Result<(), LedgerError> {
        let path = self.path(kind, index, width);
        files::replace_unsynced(&path, bytes).map_err(LedgerError::at(&path))?;
        if lasts {
            self.sync_file(&path)?;
        }
        if width == TILE_WIDTH {
            let partial = self.partial_folder(kind, index);
            match std::fs::remove_dir_all(&partial) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    return Err(LedgerError::Io(partial, error));
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// The bytes of the file with just this width, or else of the full one.
    fn bytes(
        &self,
        kind: &str,
        index: u64,
        width: usize,
        most: u64,
    ) -> Result<Vec<u8>, LedgerError> {
        let path = self.path(kind, index, width);
        match files::read(&path, most) {
            Err(error) if error.kind() == io::ErrorKind::NotFound && width < TILE_WIDTH => {
                let full = self.path(kind, index, TILE_WIDTH);
                files::read(&full, most).map_err(|_| LedgerError::Io(path, error))
            }
            result => result.map_err(LedgerError::at(&path)),
        }
    }

    fn path(&self, kind: &str, index: u64, width: usize) -> PathBuf {
        if width == TILE_WIDTH {
            self.folder.join(kind).join(index_path(index))
        } else {
            self.partial_folder(kind, index).join(width.to_string())
        }
    }

    fn partial_folder(&self, kind: &str, index: u64) -> PathBuf {
        self.folder
            .join(kind)
            .join(format!("{}.p", index_path(index)))
    }
}

impl Nodes for Tiles {
    fn hashes(&self, level: u8, first: u64, count: usize) -> Result<Vec<Hash>, LedgerError> {
        let before = usize::try_from(first % TILE_ENTRIES).unwrap_or(0);
        let index = first / TILE_ENTRIES;
        let hashes = self.read_wide(level, index, before.saturating_add(count))?;
        Ok(hashes.into_iter().skip(before).take(count).collect())
    }
}

/// Whether a tile of leaves, or a bundle, has an entry before this one.
fn is_before(index: u64, horizon: u64) -> bool {
    index.saturating_mul(TILE_ENTRIES) < horizon
}

/// The place of the tile at the right edge of a level.
pub(super) fn tile_at_edge(size: u64, level: usize) -> u64 {
    let shift = u32::try_from(level.saturating_add(1).saturating_mul(8)).unwrap_or(u32::MAX);
    size.checked_shr(shift).unwrap_or(0)
}

/// `x001/x234/067` for 1234067.
fn index_path(index: u64) -> String {
    let mut path = format!("{:03}", index % 1000);
    let mut rest = index / 1000;
    while rest > 0 {
        path = format!("x{:03}/{path}", rest % 1000);
        rest /= 1000;
    }
    path
}

fn to_bytes(hashes: &[Hash]) -> Vec<u8> {
    hashes.iter().flat_map(|hash| *hash.as_bytes()).collect()
}

/// A bundle: each leaf behind its length (2 bytes, big-endian).
fn bundle(leaves: &[Leaf]) -> Vec<u8> {
    let length = u16::try_from(LEAF_BYTES).unwrap_or(u16::MAX).to_be_bytes();
    leaves
        .iter()
        .flat_map(|leaf| length.into_iter().chain(leaf.to_bytes()))
        .collect()
}

fn parse_bundle(bytes: &[u8]) -> Option<Vec<Leaf>> {
    let mut leaves = Vec::new();
    let mut rest = bytes;
    while !rest.is_empty() {
        let (length, after) = rest.split_first_chunk::<2>()?;
        let (leaf, after) = after.split_at_checked(usize::from(u16::from_be_bytes(*length)))?;
        leaves.push(Leaf::from_bytes(leaf)?);
        rest = after;
    }
    Some(leaves)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_written_as_the_specification_does() {
        for (index, path) in [
            (0, "000"),
            (999, "999"),
            (1000, "x001/000"),
            (1_234_067, "x001/x234/067"),
        ] {
            assert_eq!(index_path(index), path);
        }
    }

    #[test]
    fn a_tree_of_70000_has_the_tiles_of_the_specification() {
        let widths: Vec<_> = (0..4).map(|level| width(70_000, level)).collect();
        assert_eq!(widths, [112, 17, 1, 0]);
        assert_eq!((tile_at_edge(70_000, 0), tile_at_edge(70_000, 1)), (273, 1));
        assert_eq!((width(256, 0), width(256, 1)), (0, 1));
    }
}
