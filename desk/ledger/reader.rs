//! Reading a ledger, also one that another process is writing to.

use std::io;
use std::path::{Path, PathBuf};

use super::checkpoint::Checkpoint;
use super::entry::Entry;
use super::error::LedgerError;
use super::files;
use super::group::Part;
use super::note::{MAX_NOTE_BYTES, Note};
use super::segments::{self, Found, Placed, Segment, SegmentReader, size};
use super::tiles::Tiles;

/// Where an entry's group stands, so that it is found without a search.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Place {
    /// The first entry of its segment.
    pub segment: u64,
    /// Where the group begins in the segment, in bytes.
    pub offset: u64,
}

/// Reads a ledger, and changes nothing.
#[derive(Clone, Debug)]
pub struct Reader {
    folder: PathBuf,
}

/// The checkpoint that a ledger has, of which only the form is known to be right.
#[derive(Clone, Debug)]
pub struct Latest {
    /// What it says.
    pub checkpoint: Checkpoint,
    /// Its signatures.
    pub note: Note,
    /// The note as it stands there.
    pub text: String,
}

/// What is done with an entry: its number, where it stands, and the entry.
pub type Visit<'v, E> = dyn FnMut(u64, Place, Part<'_>) -> Result<(), E> + 'v;

impl Reader {
    /// A reader of the ledger in `folder`.
    #[must_use]
    pub fn new(folder: &Path) -> Self {
        Self {
            folder: folder.to_owned(),
        }
    }

    /// The ledger's folder.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The ledger's tiles.
    #[must_use]
    pub fn tiles(&self) -> Tiles {
        Tiles::new(&self.folder)
    }

    /// The file of the checkpoint.
    #[must_use]
    pub fn checkpoint_file(&self) -> PathBuf {
        self.folder.join("checkpoint")
    }

    /// The number of the first entry whose bytes are there: those before it were removed.
    ///
    /// # Errors
    /// The folder can't be read.
    pub fn horizon(&self) -> Result<u64, LedgerError> {
        Ok(segments::list(&self.folder)?
            .first()
            .map_or(0, |oldest| oldest.first))
    }

    /// The latest checkpoint; `None` if there is none.
    ///
    /// # Errors
    /// It can't be read, or is no checkpoint.
    pub fn latest(&self) -> Result<Option<Latest>, LedgerError> {
        let path = self.checkpoint_file();
        let bytes = match files::read(&path, size(MAX_NOTE_BYTES)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            result => result.map_err(LedgerError::at(&path))?,
        };
        let text = String::from_utf8(bytes).ok();
        let read = text.and_then(|text| Some((Checkpoint::of(&text)?, text)));
        let ((checkpoint, note), text) = read.ok_or_else(|| {
            LedgerError::Damaged(format!(
                "{}: found another form, expected a checkpoint (c2sp.org/tlog-checkpoint)",
                path.display()
            ))
        })?;
        Ok(Some(Latest {
            checkpoint,
            note,
            text,
        }))
    }

    /// Visits the entries from `from` on, in order. It ends where the last segment has no whole
    /// group any more: there somebody may be writing.
    ///
    /// # Errors
    /// What the visit says, or where the order of entries breaks.
    pub fn each<E: From<LedgerError>>(&self, from: u64, visit: &mut Visit<'_, E>) -> Result<(), E> {
        let segments = segments::list(&self.folder)?;
        let begin = segments
            .partition_point(|segment| segment.first <= from)
            .saturating_sub(1);
        let segments = segments.get(begin..).unwrap_or_default();
        let mut next = segments.first().map_or(0, |segment| segment.first);
        let mut has_begun = false;
        for (index, segment) in segments.iter().enumerate() {
            let last = index + 1 == segments.len();
            if segment.first != next {
                return Err(E::from(gap(
                    &segment.path,
                    segments::START_BYTES,
                    segment.first,
                    next,
                )));
            }
            let mut reader = match SegmentReader::open(segment) {
                // Retention has removed the first ones since they were listed.
                Err(LedgerError::Io(_, error))
                    if error.kind() == io::ErrorKind::NotFound && !has_begun && !last =>
                {
                    next = segments.get(index + 1).map_or(next, |after| after.first);
                    continue;
                }
                result => result?,
            };
            has_begun = true;
            if !reader.has_start {
                if last {
                    return Ok(());
                }
                return Err(E::from(unreadable(&segment.path, 0)));
            }
            if index == 0 {
                reader.skip_to(from)?;
            }
            loop {
                match reader.next()? {
                    Found::Group(group) => {
                        if last && !group.is_whole() {
                            return Ok(());
                        }
                        let first = index == 0 && group.head.first <= from && next == segment.first;
                        if group.head.first != next && !first {
                            return Err(E::from(gap(
                                &segment.path,
                                group.offset,
                                group.head.first,
                                next,
                            )));
                        }
                        next = group.head.end();
                        visit_group(segment, &group, from, visit)?;
                    }
                    Found::Rest { offset } if !last => {
                        return Err(E::from(unreadable(&segment.path, offset)));
                    }
                    Found::Rest { .. } | Found::End => break,
                }
            }
        }
        Ok(())
    }

    /// The entry with this number in the group at `place`; `None` if it is not there.
    ///
    /// # Errors
    /// The segment can't be read.
    pub fn at(&self, number: u64, place: Place) -> Result<Option<Entry>, LedgerError> {
        Ok(self.all_at(&[(number, place)])?.pop().flatten())
    }

    /// Entries with their numbers and the places of their groups, each as [`Reader::at`] gives it.
    /// Those of one group that follow each other are read at once.
    ///
    /// # Errors
    /// Segments can't be read.
    pub fn all_at(&self, wanted: &[(u64, Place)]) -> Result<Vec<Option<Entry>>, LedgerError> {
        let mut found = Vec::with_capacity(wanted.len());
        for same in wanted.chunk_by(|one, other| one.1 == other.1) {
            let group = match same.first() {
                Some((_, place)) => self.group(*place)?,
                None => None,
            };
            let block = group.as_ref().and_then(Placed::unpack);
            for (number, _) in same {
                let index = group
                    .as_ref()
                    .and_then(|group| number.checked_sub(group.head.first))
                    .and_then(|index| usize::try_from(index).ok());
                let part = block
                    .as_ref()
                    .zip(index)
                    .and_then(|(block, index)| block.entries().nth(index));
                found.push(part.map(|part| part.to_entry()));
            }
        }
        Ok(found)
    }

    /// The group at this place, if a whole one stands there.
    fn group(&self, place: Place) -> Result<Option<Placed>, LedgerError> {
        let mut reader = SegmentReader::open(&segments::named(&self.folder, place.segment))?;
        reader.seek(place.offset)?;
        Ok(match reader.next()? {
            Found::Group(group) if group.is_whole() => Some(group),
            _ => None,
        })
    }

    /// The entry with this number; `None` if it is not there.
    ///
    /// # Errors
    /// Segments can't be read.
    pub fn entry(&self, number: u64) -> Result<Option<Entry>, LedgerError> {
        let segments = segments::list(&self.folder)?;
        let before = segments.partition_point(|segment| segment.first <= number);
        let Some(segment) = before.checked_sub(1).and_then(|index| segments.get(index)) else {
            return Ok(None);
        };
        let mut reader = SegmentReader::open(segment)?;
        reader.skip_to(number)?;
        match reader.next()? {
            Found::Group(group) => self.at(
                number,
                Place {
                    segment: segment.first,
                    offset: group.offset,
                },
            ),
            _ => Ok(None),
        }
    }
}

fn visit_group<E: From<LedgerError>>(
    segment: &Segment,
    group: &Placed,
    from: u64,
    visit: &mut Visit<'_, E>,
) -> Result<(), E> {
    let place = Place {
        segment: segment.first,
        offset: group.offset,
    };
    let unpacked = group.is_whole().then(|| group.unpack()).flatten();
    let parts = unpacked
        .as_ref()
        .and_then(|block| block.exactly(group.head.count))
        .ok_or_else(|| E::from(unreadable(&segment.path, group.offset)))?;
    for (number, part) in (group.head.first..).zip(parts) {
        if number >= from {
            visit(number, place, part)?;
        }
    }
    Ok(())
}

fn gap(path: &Path, offset: u64, found: u64, expected: u64) -> LedgerError {
    LedgerError::Damaged(format!(
        "{} at byte {offset}: found entry {found}, expected entry {expected}",
        path.display()
    ))
}

fn unreadable(path: &Path, offset: u64) -> LedgerError {
    LedgerError::Damaged(format!(
        "{} at byte {offset}: found no whole group of entries, expected one",
        path.display()
    ))
}
