//! Events or messages that wait, in their order, until all of their text is decided.

use std::collections::VecDeque;

use super::track::{Output, Place};

/// A run of bytes of an entry.
#[derive(Debug, Default)]
struct Part {
    bytes: Vec<u8>,
    /// How many undecided things are still to be written here.
    open: usize,
}

#[derive(Debug)]
struct Entry {
    parts: Vec<Part>,
    /// The sum of the parts' `open`.
    open: usize,
    /// The entry's length as it came.
    size: usize,
}

/// The waiting entries. The last one may still be under construction.
#[derive(Debug, Default)]
pub(super) struct Queue {
    entries: VecDeque<Entry>,
    /// How many entries have left.
    left: u64,
    size: usize,
}

impl Queue {
    /// Begins the next entry, of `size` bytes as it came.
    pub(super) fn begin(&mut self, size: usize) {
        self.size += size;
        self.entries.push_back(Entry {
            parts: Vec::new(),
            open: 0,
            size,
        });
    }

    /// Adds bytes to the last entry.
    pub(super) fn literal(&mut self, bytes: &[u8]) {
        if bytes.is_empty() {
            return;
        }
        let place = self.place();
        self.write(place, bytes);
    }

    /// Adds bytes to the last entry, or to `out` when none waits.
    pub(super) fn literal_or(&mut self, bytes: &[u8], out: &mut Vec<u8>) {
        if self.entries.is_empty() {
            out.extend_from_slice(bytes);
        } else {
            self.literal(bytes);
        }
    }

    /// Where the next bytes of the last entry go.
    pub(super) fn place(&mut self) -> Place {
        let entry = self.left + (self.entries.len() as u64).saturating_sub(1);
        let Some(last) = self.entries.back_mut() else {
            return Place { entry, part: 0 };
        };
        if last.parts.last().is_none_or(|part| part.open > 0) {
            last.parts.push(Part::default());
        }
        Place {
            entry,
            part: last.parts.len() - 1,
        }
    }

    /// Moves every entry that is decided, up to the first that is not, to `out`.
    pub(super) fn release(&mut self, out: &mut Vec<u8>) {
        while self.entries.front().is_some_and(|entry| entry.open == 0) {
            if let Some(entry) = self.entries.pop_front() {
                self.left += 1;
                self.size -= entry.size;
                for part in entry.parts {
                    out.extend_from_slice(&part.bytes);
                }
            }
        }
    }

    /// The first entry that waits, counted from the first ever.
    pub(super) fn front(&self) -> Option<u64> {
        self.entries.front().map(|_| self.left)
    }

    /// How many entries wait.
    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    /// How many bytes came with the entries that wait.
    pub(super) fn size(&self) -> usize {
        self.size
    }

    /// The same without the first entry, which may be as long as an entry may be.
    pub(super) fn size_behind_front(&self) -> usize {
        self.size - self.entries.front().map_or(0, |entry| entry.size)
    }

    fn entry(&mut self, entry: u64) -> Option<&mut Entry> {
        let index = usize::try_from(entry.checked_sub(self.left)?).ok()?;
        self.entries.get_mut(index)
    }
}

impl Output for Queue {
    fn hold(&mut self, place: Place) {
        if let Some(entry) = self.entry(place.entry) {
            entry.open += 1;
            if let Some(part) = entry.parts.get_mut(place.part) {
                part.open += 1;
            }
        }
    }

    fn write(&mut self, place: Place, bytes: &[u8]) {
        if let Some(part) = self
            .entry(place.entry)
            .and_then(|entry| entry.parts.get_mut(place.part))
        {
            part.bytes.extend_from_slice(bytes);
        }
    }

    fn settle(&mut self, place: Place) {
        if let Some(entry) = self.entry(place.entry) {
            entry.open = entry.open.saturating_sub(1);
            if let Some(part) = entry.parts.get_mut(place.part) {
                part.open = part.open.saturating_sub(1);
            }
        }
    }
}
