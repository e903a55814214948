//! One cell of the store: the living counts of the keys that fall into it.
//!
//! Layout: one byte for the version, then 32 bytes a count: 16 of the key's digest, 8 for the
//! end of its window in milliseconds since 1970, 8 for the count, both little-endian.

pub(super) type Key = [u8; 16];

/// The version of the layout and of the digests. A cell of another version is not read: the policy's counts would be
/// wrong.
const VERSION: u8 = 2;

/// Counts in a cell. 4096 cells of 64 counts are 8 MiB at the most, and 262,144 counts.
pub(super) const MOST_COUNTS: usize = 64;

const COUNT_BYTES: usize = 32;

struct Count {
    key: Key,
    end: u64,
    count: u64,
}

pub(super) struct Cell {
    counts: Vec<Count>,
}

impl Cell {
    /// `None` for bytes that are no cell; a cell that was never written is empty.
    pub(super) fn read(bytes: &[u8]) -> Option<Self> {
        let Some((version, rest)) = bytes.split_first() else {
            return Some(Self { counts: Vec::new() });
        };
        let (counts, tail) = rest.as_chunks::<COUNT_BYTES>();
        if *version != VERSION || !tail.is_empty() || counts.len() > MOST_COUNTS {
            return None;
        }
        let counts = counts
            .iter()
            .map(|bytes| {
                let (key, rest) = bytes.split_first_chunk()?;
                let (end, rest) = rest.split_first_chunk()?;
                Some(Count {
                    key: *key,
                    end: u64::from_le_bytes(*end),
                    count: u64::from_le_bytes(*rest.first_chunk()?),
                })
            })
            .collect::<Option<_>>()?;
        Some(Self { counts })
    }

    pub(super) fn write(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(1 + self.counts.len() * COUNT_BYTES);
        bytes.push(VERSION);
        for count in &self.counts {
            bytes.extend_from_slice(&count.key);
            bytes.extend_from_slice(&count.end.to_le_bytes());
            bytes.extend_from_slice(&count.count.to_le_bytes());
        }
        bytes
    }

    /// Forgets windows that have ended.
    pub(super) fn drop_ended(&mut self, now: u64) {
        self.counts.retain(|count| count.end > now);
    }

    pub(super) fn count(&self, key: &Key, end: u64) -> u64 {
        self.counts
            .iter()
            .find(|count| count.key == *key && count.end == end)
            .map_or(0, |count| count.count)
    }

    /// Gives whether there was room.
    pub(super) fn set(&mut self, key: &Key, end: u64, value: u64) -> bool {
        if let Some(count) = self
            .counts
            .iter_mut()
            .find(|count| count.key == *key && count.end == end)
        {
            count.count = value;
            return true;
        }
        if self.counts.len() >= MOST_COUNTS {
            return false;
        }
        self.counts.push(Count {
            key: *key,
            end,
            count: value,
        });
        true
    }
}
