//! The writing end of a ledger.

use std::fs::File;
use std::io::{Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use super::checkpoint::Checkpoint;
use super::entry::{Entry, Kind, Leaf};
use super::error::LedgerError;
use super::files;
use super::group::pack;
use super::keys::{self, Keys};
use super::note::{PrivateKey, PublicKey};
use super::reader::{Place, Reader};
use super::segments::{self, START_BYTES, Segment, size};
use super::tiles::Tiles;
use super::tree::{Edge, FullTile, TILE_WIDTH};
use super::witness;

/// How long a segment becomes before the next one begins, in bytes.
pub const SEGMENT_BYTES: u64 = 64 << 20;

/// How long a segment is written to before the next one begins, in milliseconds: a day. Only whole segments
/// can be removed.
pub const SEGMENT_MILLIS: u64 = 24 * 60 * 60 * 1000;

/// Where a ledger is, and what is with it.
#[derive(Clone, Debug)]
pub struct Options {
    /// The ledger's folder, which is made if it is missing.
    pub folder: PathBuf,
    /// The folder of its signing keys, made likewise.
    pub keys: PathBuf,
    /// Files to which each checkpoint is appended before it is published.
    pub witnesses: Vec<PathBuf>,
    /// How long a segment becomes before the next one begins: [`SEGMENT_BYTES`], or less in tests.
    pub segment_bytes: u64,
    /// How long a segment is written to, in milliseconds: [`SEGMENT_MILLIS`], or less.
    pub segment_millis: u64,
}

impl Options {
    /// The usual: no witness, and segments of [`SEGMENT_BYTES`] and [`SEGMENT_MILLIS`].
    #[must_use]
    pub fn new(folder: &Path, keys: &Path) -> Self {
        Self {
            folder: folder.to_owned(),
            keys: keys.to_owned(),
            witnesses: Vec::new(),
            segment_bytes: SEGMENT_BYTES,
            segment_millis: SEGMENT_MILLIS,
        }
    }
}

/// A ledger that this process, and no other, writes to.
///
/// An entry is stored when [`Ledger::append`] returns, and signed for when
/// [`Ledger::checkpoint`] does.
pub struct Ledger {
    options: Options,
    // Held, not used: it goes with the process, however that ends.
    _lock: File,
    key: PrivateKey,
    tiles: Tiles,
    segment: Open,
    edge: Edge,
    /// The leaves of the entry bundle that is not full yet.
    last: Vec<Leaf>,
    /// Tiles and bundles that are full, and not written yet.
    full: Vec<FullTile>,
    bundles: Vec<(u64, Vec<Leaf>)>,
    signed: u64,
    /// The first entry that was not removed.
    horizon: u64,
    /// Whether the next entry begins a segment.
    is_sealed: bool,
}

/// The segment that is appended to.
pub(super) struct Open {
    pub file: File,
    pub path: PathBuf,
    pub first: u64,
    /// The time of its first entry, if it has one, in milliseconds since 1970.
    pub begun: Option<u64>,
    /// Up to where it is known to be good, in bytes.
    pub length: u64,
    /// Whether something may stand behind that.
    pub torn: bool,
}

/// What a new or recovered ledger starts with.
pub(super) struct Start {
    pub lock: File,
    pub key: PrivateKey,
    pub segment: Open,
    pub edge: Edge,
    pub last: Vec<Leaf>,
    pub full: Vec<FullTile>,
    pub bundles: Vec<(u64, Vec<Leaf>)>,
    pub signed: u64,
    pub horizon: u64,
}

impl Ledger {
    pub(super) fn start(options: &Options, start: Start) -> Self {
        Self {
            options: options.clone(),
            _lock: start.lock,
            key: start.key,
            tiles: Tiles::new(&options.folder),
            segment: start.segment,
            edge: start.edge,
            last: start.last,
            full: start.full,
            bundles: start.bundles,
            signed: start.signed,
            horizon: start.horizon,
            is_sealed: false,
        }
    }

    /// How many entries there are.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.edge.size()
    }

    /// How many of them the latest checkpoint signs for.
    #[must_use]
    pub fn signed(&self) -> u64 {
        self.signed
    }

    /// The number of the first entry whose bytes are still there: those before were removed.
    #[must_use]
    pub fn horizon(&self) -> u64 {
        self.horizon
    }

    /// The key that signs checkpoints now. Its name is the log's origin.
    #[must_use]
    pub fn key(&self) -> &PublicKey {
        self.key.public()
    }

    /// A reader of this ledger.
    #[must_use]
    pub fn reader(&self) -> Reader {
        Reader::new(&self.options.folder)
    }

    /// Appends entries and waits until the disk has them. The first gets the number
    /// [`Ledger::size`]. Returns where each stands.
    ///
    /// # Errors
    /// When they can't be written; then none is stored.
    pub fn append(&mut self, entries: &[Entry]) -> Result<Vec<Place>, LedgerError> {
        let Some(time) = entries.first().map(|entry| entry.time) else {
            return Ok(Vec::new());
        };
        let first = self.size();
        let packed = pack(first, entries)?;
        if self.segment.first < first && (self.is_sealed || self.is_full(time)) {
            self.segment = Open::create(&self.options.folder, first)?;
        }
        self.is_sealed = false;
        let begin = self.segment.length;
        self.segment.append(&packed.bytes)?;
        self.segment.begun.get_or_insert(time);

        let mut groups = packed.groups.into_iter().peekable();
        let mut places = Vec::with_capacity(entries.len());
        let mut offset = begin;
        for (number, entry) in (first..).zip(entries) {
            if let Some((_, at)) = groups.next_if(|(group, _)| *group == number) {
                offset = begin.saturating_add(size(at));
            }
            places.push(Place {
                segment: self.segment.first,
                offset,
            });
            self.grow(entry.leaf());
        }
        Ok(places)
    }

    /// Whether the segment is long enough, or old enough at this time, for the next one to begin.
    fn is_full(&self, time: u64) -> bool {
        let ends = |begun: u64| begun.saturating_add(self.options.segment_millis);
        self.segment.length >= self.options.segment_bytes
            || self.segment.begun.is_some_and(|begun| ends(begun) <= time)
    }

    /// Makes the next entry begin a segment.
    pub fn seal(&mut self) {
        self.is_sealed = true;
    }

    /// Removes the segments of the entries before `to`, oldest first, where a segment must begin. That it is
    /// said, and signed for, is the caller's concern; what stands for them in the tree stays.
    ///
    /// # Errors
    /// `to` is no segment's first entry or isn't signed for, or the files can't be removed.
    pub fn remove(&mut self, to: u64) -> Result<(), LedgerError> {
        let list = segments::list(&self.options.folder)?;
        let begins = list.iter().any(|segment| segment.first == to);
        if !begins || to > self.signed || to > self.segment.first {
            return Err(LedgerError::Damaged(format!(
                "found no segment that begins with entry {to} and is signed for, expected one to keep"
            )));
        }
        for segment in list.iter().filter(|segment| segment.first < to) {
            std::fs::remove_file(&segment.path).map_err(LedgerError::at(&segment.path))?;
        }
        let folder = segments::folder(&self.options.folder);
        files::sync_folder(&folder).map_err(LedgerError::at(&folder))?;
        self.horizon = self.horizon.max(to);
        Ok(())
    }

    fn grow(&mut self, leaf: Leaf) {
        self.edge.push(leaf.hash(), &mut self.full);
        self.last.push(leaf);
        if self.last.len() == TILE_WIDTH {
            let index = (self.edge.size() / size(TILE_WIDTH)).saturating_sub(1);
            self.bundles.push((index, std::mem::take(&mut self.last)));
        }
    }

    /// Signs for all entries, unless the latest checkpoint does already: writes tiles, then to the
    /// witnesses, then the checkpoint. Returns whether there is a new one.
    ///
    /// # Errors
    /// When one of them can't be written. Nothing is lost: the next try starts over.
    pub fn checkpoint(&mut self) -> Result<bool, LedgerError> {
        if self.signed == self.size() {
            return Ok(false);
        }
        for tile in &self.full {
            self.tiles.write_full(tile, self.horizon)?;
        }
        for (index, leaves) in &self.bundles {
            self.tiles.write_full_bundle(*index, leaves, self.horizon)?;
        }
        self.tiles.write_edge(&self.edge, &self.last)?;
        let checkpoint = Checkpoint {
            origin: self.key.public().name().to_owned(),
            size: self.size(),
            root: self.edge.root(),
        };
        let note = checkpoint.sign(&self.key);
        for path in &self.options.witnesses {
            witness::append(path, &note).map_err(LedgerError::at(path))?;
        }
        let path = self.reader().checkpoint_file();
        files::replace(&path, note.as_bytes()).map_err(LedgerError::at(&path))?;
        self.full.clear();
        self.bundles.clear();
        self.signed = self.size();
        Ok(true)
    }

    /// Makes a new signing key, which the present one signs in an entry of the kind
    /// [`Kind::KEY`], and signs for that with the new one. `time` is the entry's, in milliseconds
    /// since 1970.
    ///
    /// # Errors
    /// When the key, the entry or the checkpoint can't be written.
    pub fn rotate(&mut self, time: u64) -> Result<(), LedgerError> {
        let key = Keys::new(&self.options.keys).make(self.key.public().name())?;
        let bytes = keys::entry(key.public(), &self.key);
        // The last checkpoint of the old key covers all that came before the new one.
        self.checkpoint()?;
        self.append(&[Entry {
            kind: Kind::KEY,
            time,
            bytes,
        }])?;
        self.key = key;
        self.checkpoint().map(drop)
    }
}

impl Open {
    /// Makes the segment that begins with the entry `first`. One that is there already holds
    /// nothing that was ever stored.
    pub fn create(ledger: &Path, first: u64) -> Result<Self, LedgerError> {
        let Segment { path, .. } = segments::named(ledger, first);
        let at = LedgerError::at(&path);
        let mut options = files::private();
        options.read(true).write(true).create(true).truncate(true);
        let mut file = options.open(&path).map_err(&at)?;
        file.write_all(&segments::start(first)).map_err(&at)?;
        file.sync_all().map_err(&at)?;
        files::sync_folder(&segments::folder(ledger)).map_err(&at)?;
        Ok(Self {
            file,
            path,
            first,
            begun: None,
            length: START_BYTES,
            torn: false,
        })
    }

    /// Appends bytes and waits until the disk has them, or takes them back.
    fn append(&mut self, bytes: &[u8]) -> Result<(), LedgerError> {
        let at = LedgerError::at(&self.path);
        if self.torn {
            self.file.set_len(self.length).map_err(&at)?;
            self.torn = false;
        }
        let mut write = || {
            self.file.seek(SeekFrom::Start(self.length))?;
            self.file.write_all(bytes)?;
            self.file.sync_data()
        };
        match write() {
            Ok(()) => {
                self.length = self.length.saturating_add(size(bytes.len()));
                Ok(())
            }
            Err(error) => {
                // What got there would stand between these bytes and the next ones.
                self.torn = self.file.set_len(self.length).is_err();
                Err(at(error))
            }
        }
    }
}
