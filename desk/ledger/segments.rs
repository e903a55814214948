//! Segments: the files that groups are appended to.
//!
//! A segment is named after its first entry's number, in 20 digits, so that names sort as numbers
//! do. It begins with 16 bytes: `PSEGMT01` and that number, big-endian. Groups follow until the
//! file ends.

use std::fs::File;
use std::io::{self, BufReader, Read, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};

use super::error::LedgerError;
use super::group::{Block, HEAD_BYTES, Head, MAGIC};

/// The length of what a segment begins with.
pub(super) const START_BYTES: u64 = 16;

/// What a segment begins with.
const SEGMENT_MAGIC: [u8; 8] = *b"PSEGMT01";

/// How much of a segment is read at once.
const BUFFER_BYTES: usize = 256 << 10;

/// A segment by its name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Segment {
    /// The number of its first entry.
    pub first: u64,
    /// The file.
    pub path: PathBuf,
}

/// The folder of a ledger's segments.
#[must_use]
pub fn folder(ledger: &Path) -> PathBuf {
    ledger.join("segments")
}

/// The segment that begins with this entry.
pub(super) fn named(ledger: &Path, first: u64) -> Segment {
    Segment {
        first,
        path: folder(ledger).join(format!("{first:020}.seg")),
    }
}

/// What the segment with this first entry begins with.
pub(super) fn start(first: u64) -> Vec<u8> {
    [&SEGMENT_MAGIC[..], &first.to_be_bytes()].concat()
}

/// The segments of a ledger by their numbers. Files with other names are not looked at.
///
/// # Errors
/// The folder can't be read.
pub fn list(ledger: &Path) -> Result<Vec<Segment>, LedgerError> {
    let folder = folder(ledger);
    let files = match std::fs::read_dir(&folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        result => result.map_err(LedgerError::at(&folder))?,
    };
    let mut segments = Vec::new();
    for file in files {
        let path = file.map_err(LedgerError::at(&folder))?.path();
        let name = path.file_name().and_then(|name| name.to_str());
        let number = name
            .and_then(|name| name.strip_suffix(".seg"))
            .filter(|digits| digits.len() == 20 && digits.bytes().all(|one| one.is_ascii_digit()));
        if let Some(first) = number.and_then(|digits| digits.parse().ok()) {
            segments.push(Segment { first, path });
        }
    }
    segments.sort();
    Ok(segments)
}

/// A group where it stands.
#[derive(Clone, Debug)]
pub(super) struct Placed {
    pub head: Head,
    pub block: Vec<u8>,
    /// Where its head begins in the segment.
    pub offset: u64,
}

impl Placed {
    /// Whether the checksum is right.
    pub fn is_whole(&self) -> bool {
        self.head.is_whole(&self.block)
    }

    /// The unpacked block of a whole group.
    pub fn unpack(&self) -> Option<Block> {
        Block::unpack(&self.head, &self.block)
    }
}

/// What a reader finds at its place.
#[derive(Debug)]
pub(super) enum Found {
    /// A group, of which only the head's form is known to be right.
    Group(Placed),
    /// From here to the end there is no whole group.
    Rest {
        /// Where it begins.
        offset: u64,
    },
    /// The file ends after the last group.
    End,
}

/// Reads a segment group by group.
pub(super) struct SegmentReader {
    file: BufReader<File>,
    path: PathBuf,
    length: u64,
    offset: u64,
    /// Whether the file begins as its name says.
    pub has_start: bool,
}

impl SegmentReader {
    /// Opens a segment at its first group.
    pub fn open(segment: &Segment) -> Result<Self, LedgerError> {
        let at = LedgerError::at(&segment.path);
        let file = File::open(&segment.path).map_err(&at)?;
        let length = file.metadata().map_err(&at)?.len();
        let mut reader = Self {
            file: BufReader::with_capacity(BUFFER_BYTES, file),
            path: segment.path.clone(),
            length,
            offset: START_BYTES,
            has_start: false,
        };
        let mut begin = Vec::new();
        let mut limit = reader.file.by_ref().take(START_BYTES);
        limit.read_to_end(&mut begin).map_err(&at)?;
        reader.has_start = begin == start(segment.first);
        Ok(reader)
    }

    /// How long the file was when it was opened, in bytes.
    pub fn length(&self) -> u64 {
        self.length
    }

    /// Goes on at this place.
    pub fn seek(&mut self, offset: u64) -> Result<(), LedgerError> {
        self.file
            .seek(SeekFrom::Start(offset))
            .map_err(LedgerError::at(&self.path))?;
        self.offset = offset;
        Ok(())
    }

    /// The next group. Nothing moves on if there is none, or if it can't be one.
    pub fn next(&mut self) -> Result<Found, LedgerError> {
        let offset = self.offset;
        let Some(head) = self.head()? else {
            return Ok(if offset >= self.length {
                Found::End
            } else {
                Found::Rest { offset }
            });
        };
        let mut block = vec![0; head.block_bytes()];
        self.file
            .read_exact(&mut block)
            .map_err(LedgerError::at(&self.path))?;
        self.offset = after(offset, &head);
        Ok(Found::Group(Placed {
            head,
            block,
            offset,
        }))
    }

    /// The head of the next group if its block is there, too.
    fn head(&mut self) -> Result<Option<Head>, LedgerError> {
        let offset = self.offset;
        let mut bytes = [0; HEAD_BYTES];
        if self.length.saturating_sub(offset) < size(HEAD_BYTES) {
            return Ok(None);
        }
        self.file
            .read_exact(&mut bytes)
            .map_err(LedgerError::at(&self.path))?;
        let head = Head::parse(&bytes).filter(|head| after(offset, head) <= self.length);
        if head.is_none() {
            self.seek(offset)?;
        }
        Ok(head)
    }

    /// Whether a group, or the file's end, follows here.
    pub fn is_at_group(&mut self) -> Result<bool, LedgerError> {
        let offset = self.offset;
        let found = self.head()?;
        self.seek(offset)?;
        Ok(found.is_some() || offset >= self.length)
    }

    /// Moves to the group with this entry, or to where no whole head follows.
    pub fn skip_to(&mut self, number: u64) -> Result<(), LedgerError> {
        loop {
            let offset = self.offset;
            match self.head()? {
                Some(head) if head.end() <= number => {
                    let by = i64::try_from(head.block_bytes()).unwrap_or(i64::MAX);
                    self.file
                        .seek_relative(by)
                        .map_err(LedgerError::at(&self.path))?;
                    self.offset = after(offset, &head);
                }
                _ => return self.seek(offset),
            }
        }
    }

    /// The place of the next whole group behind `offset`, where something else stands.
    pub fn find_next(&mut self, offset: u64) -> Result<Option<u64>, LedgerError> {
        let mut at = offset.saturating_add(1);
        self.seek(at)?;
        let mut window = Vec::new();
        loop {
            let mut chunk = Vec::new();
            let mut limit = self.file.by_ref().take(size(BUFFER_BYTES));
            limit
                .read_to_end(&mut chunk)
                .map_err(LedgerError::at(&self.path))?;
            if chunk.is_empty() {
                return Ok(None);
            }
            window.extend_from_slice(&chunk);
            let next = at.saturating_add(size(window.len().saturating_sub(3)));
            for (index, four) in window.windows(MAGIC.len()).enumerate() {
                let place = at.saturating_add(size(index));
                if four == MAGIC && self.is_group(place)? {
                    return Ok(Some(place));
                }
            }
            window = window.split_off(window.len().saturating_sub(3));
            at = next;
            self.seek(at.saturating_add(size(window.len())))?;
        }
    }

    fn is_group(&mut self, offset: u64) -> Result<bool, LedgerError> {
        self.seek(offset)?;
        Ok(matches!(self.next()?, Found::Group(group) if group.is_whole()))
    }
}

fn after(offset: u64, head: &Head) -> u64 {
    offset
        .saturating_add(size(HEAD_BYTES))
        .saturating_add(size(head.block_bytes()))
}

/// A length as a place in a file.
pub(super) fn size(length: usize) -> u64 {
    u64::try_from(length).unwrap_or(u64::MAX)
}
