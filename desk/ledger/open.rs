//! Opening a ledger: making a new one, or finding out how the last process left it.

use std::fs::File;
use std::fs::TryLockError;
use std::path::{Path, PathBuf};

use super::entry::{Entry, Kind};
use super::error::LedgerError;
use super::files;
use super::group::pack;
use super::grow::Grown;
use super::keys::{self, Keys};
use super::note::PrivateKey;
use super::reader::{Latest, Reader};
use super::segments::{self, Found, Segment, SegmentReader, size};
use super::tree::Edge;
use super::writer::{Ledger, Open, Options, Start};

/// How the ledger was found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Opened {
    /// It was made.
    pub is_new: bool,
    /// What stood behind the last whole group, from a write that was cut off, and was cut away.
    pub cut: Option<Cut>,
    /// All tiles were made anew, since they did not give the checkpoint's root.
    pub tiles_made: bool,
}

/// The end of a segment that was cut away.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cut {
    /// The segment.
    pub path: PathBuf,
    /// Where it ends now.
    pub offset: u64,
    /// How many bytes stood behind that.
    pub bytes: u64,
}

impl Ledger {
    /// Opens a ledger for writing, or makes it; `time` is that of a new one's first entry, in
    /// milliseconds since 1970.
    ///
    /// A write that was cut off is cut away: nothing of it was ever said to be stored. Tiles that
    /// are missing are made anew.
    ///
    /// # Errors
    /// Another process has it open; files or keys can't be used; or what was signed for is not
    /// there, and then nothing is changed.
    pub fn open(options: &Options, time: u64) -> Result<(Self, Opened), LedgerError> {
        let folder = &options.folder;
        let segments = segments::folder(folder);
        files::create_folder(&segments).map_err(LedgerError::at(&segments))?;
        let lock = lock(folder)?;
        let reader = Reader::new(folder);
        let latest = reader.latest()?;
        let mut list = segments::list(folder)?;
        let mut opened = Opened::default();
        let Some(latest) = latest else {
            opened.is_new = true;
            return create(options, lock, &list, time).map(|ledger| (ledger, opened));
        };
        let keys = Keys::new(&options.keys);
        let key = signing_key(&keys, &latest)?;
        let end = find_end(folder, &mut list, latest.checkpoint.size)?;
        let horizon = list.first().map_or(0, |oldest| oldest.first);
        let first = list.iter().rev().nth(1).map_or(0, |before| before.first);
        let grown = match Grown::from(&reader, first, &latest) {
            Err(_) => {
                opened.tiles_made = true;
                Grown::anew(&reader, &latest)?
            }
            result => result?,
        };
        let key = last_key(key, &grown.keys, &keys)?;
        // Only now, when all that was signed for is there, anything is changed.
        let (segment, cut) = end.cut_away()?;
        opened.cut = cut;
        let start = Start {
            lock,
            key,
            segment,
            edge: grown.edge,
            last: grown.last,
            full: grown.full,
            bundles: grown.bundles,
            signed: latest.checkpoint.size,
            horizon,
        };
        Ok((Self::start(options, start), opened))
    }
}

fn lock(folder: &Path) -> Result<File, LedgerError> {
    let path = folder.join("lock");
    let mut options = files::private();
    let file = options
        .write(true)
        .create(true)
        .truncate(false)
        .open(&path)
        .map_err(LedgerError::at(&path))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(LedgerError::Busy(folder.to_owned())),
        Err(TryLockError::Error(error)) => Err(LedgerError::Io(path, error)),
    }
}

/// Makes a ledger with one entry, which names its key. A start that was cut off has left a
/// segment with that entry at most.
fn create(
    options: &Options,
    lock: File,
    found: &[Segment],
    time: u64,
) -> Result<Ledger, LedgerError> {
    let name = segments::named(&options.folder, 0);
    let unfinished = found.is_empty() || (found.len() == 1 && has_one_entry(&name)?);
    if !unfinished {
        return Err(LedgerError::Damaged(format!(
            "{}: found none, expected the checkpoint of the entries in {}",
            Reader::new(&options.folder).checkpoint_file().display(),
            segments::folder(&options.folder).display()
        )));
    }
    let mut random = [0; 16];
    getrandom::fill(&mut random)
        .map_err(|error| LedgerError::Key(format!("no randomness: {error}")))?;
    let origin = format!("portcullis/{:032x}", u128::from_be_bytes(random));
    let key = Keys::new(&options.keys).make(&origin)?;
    let bytes = keys::entry(key.public(), &key);
    let start = Start {
        lock,
        key,
        segment: Open::create(&options.folder, 0)?,
        edge: Edge::default(),
        last: Vec::new(),
        full: Vec::new(),
        bundles: Vec::new(),
        signed: 0,
        horizon: 0,
    };
    let mut ledger = Ledger::start(options, start);
    ledger.append(&[Entry {
        kind: Kind::KEY,
        time,
        bytes,
    }])?;
    ledger.checkpoint()?;
    Ok(ledger)
}

/// Whether a segment holds no more than the entry that names the first key.
fn has_one_entry(segment: &Segment) -> Result<bool, LedgerError> {
    let mut reader = SegmentReader::open(segment)?;
    let longest = pack(0, &[])?.bytes.len().saturating_add(4096);
    Ok(reader.length() <= size(longest)
        && match reader.next()? {
            Found::Group(group) => {
                group.head.end() <= 1 && !matches!(reader.next()?, Found::Group(_))
            }
            _ => true,
        })
}

/// The private key of the checkpoint's signature.
fn signing_key(keys: &Keys, latest: &Latest) -> Result<PrivateKey, LedgerError> {
    let mut failed = None;
    for id in latest.note.ids() {
        match keys.load(&id) {
            Ok(key) if key.public().has_signed(&latest.note) => return Ok(key),
            Ok(_) => {
                return Err(LedgerError::Damaged(format!(
                    "the checkpoint is not signed by the key {id} that it names"
                )));
            }
            Err(error) => {
                failed.get_or_insert(error);
            }
        }
    }
    Err(LedgerError::Key(failed.map_or_else(
        || "the checkpoint has no signature".to_owned(),
        |error| error.to_string(),
    )))
}

/// Where a ledger ends, and what stands behind that.
struct End {
    /// The last segment.
    segment: Segment,
    /// Where its whole groups end, and how long it is, in bytes.
    offset: u64,
    length: u64,
    /// The time of its first entry.
    begun_at: Option<u64>,
    /// A segment behind it whose start was cut off, before anything was stored in it.
    begun: Option<(PathBuf, u64)>,
}

/// Finds the end of the last segment; takes those out of the list that were only begun.
fn find_end(folder: &Path, list: &mut Vec<Segment>, signed: u64) -> Result<End, LedgerError> {
    let mut begun = None;
    loop {
        let Some(segment) = list.last().cloned() else {
            return Err(LedgerError::Damaged(format!(
                "{}: found no segments, expected {signed} entries",
                segments::folder(folder).display()
            )));
        };
        let mut reader = SegmentReader::open(&segment)?;
        let length = reader.length();
        if !reader.has_start && segment.first >= signed && list.len() > 1 && begun.is_none() {
            begun = Some((segment.path, length));
            list.pop();
            continue;
        }
        let (offset, next, begun_at) = whole_groups(&mut reader, &segment)?;
        if next < signed {
            return Err(LedgerError::Damaged(format!(
                "{} at byte {offset}: found no entry {next}, expected the {signed} entries that the checkpoint signs for",
                segment.path.display()
            )));
        }
        return Ok(End {
            segment,
            offset,
            length,
            begun_at,
            begun,
        });
    }
}

impl End {
    /// Opens the last segment there, and cuts away what a write that was cut off has left.
    fn cut_away(self) -> Result<(Open, Option<Cut>), LedgerError> {
        let mut cut = None;
        if let Some((path, bytes)) = self.begun {
            std::fs::remove_file(&path).map_err(LedgerError::at(&path))?;
            cut = Some(Cut {
                path,
                offset: 0,
                bytes,
            });
        }
        let path = self.segment.path;
        let at = LedgerError::at(&path);
        let mut options = files::private();
        let file = options.read(true).write(true).open(&path).map_err(&at)?;
        if self.length > self.offset {
            file.set_len(self.offset).map_err(&at)?;
            file.sync_all().map_err(&at)?;
            cut = Some(Cut {
                path: path.clone(),
                offset: self.offset,
                bytes: self.length - self.offset,
            });
        }
        let open = Open {
            file,
            path,
            first: self.segment.first,
            begun: self.begun_at,
            length: self.offset,
            torn: false,
        };
        Ok((open, cut))
    }
}

/// Where the whole groups of a segment end, the number that comes next, and the time of the first entry.
fn whole_groups(
    reader: &mut SegmentReader,
    segment: &Segment,
) -> Result<(u64, u64, Option<u64>), LedgerError> {
    let mut next = segment.first;
    let mut begun = None;
    let mut end = if reader.has_start {
        segments::START_BYTES
    } else {
        0
    };
    while reader.has_start
        && let Found::Group(group) = reader.next()?
        && group.head.first == next
        && group.is_whole()
    {
        if begun.is_none() {
            let block = group.unpack();
            begun = block.and_then(|block| block.entries().next().map(|part| part.time));
        }
        next = group.head.end();
        end = group
            .offset
            .saturating_add(size(super::group::HEAD_BYTES))
            .saturating_add(size(group.block.len()));
    }
    Ok((end, next, begun))
}

/// The key that signs from now on: `key`, unless entries behind the last checkpoint name others,
/// where a rotation was cut off.
fn last_key(
    mut key: PrivateKey,
    named: &[(u64, Vec<u8>)],
    keys: &Keys,
) -> Result<PrivateKey, LedgerError> {
    for (number, bytes) in named {
        let next = keys::named(bytes)
            .filter(|(_, note)| key.public().has_signed(note))
            .ok_or_else(|| {
                LedgerError::Damaged(format!(
                    "entry {number}: found no key that the one before signed, expected one"
                ))
            })?;
        key = keys.load(&next.0.id())?;
    }
    Ok(key)
}
