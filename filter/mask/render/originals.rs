//! What pseudonyms of one request stand for.

use std::collections::BTreeMap;
use std::ops::Bound;

use super::normal::normal;

/// The most values of one request that are kept, and the most bytes of them.
const MAX_VALUES: usize = 4096;
const MAX_VALUE_BYTES: usize = 512 * 1024;
/// What a value takes besides its own bytes: its name, its detector's name, their allocations and
/// its place in the tree.
const VALUE_OVERHEAD_BYTES: usize = 256;

/// What pseudonyms of one request stand for. It belongs to one exchange and is gone with it.
#[derive(Clone, Default, PartialEq)]
pub struct Originals {
    /// By the pseudonym's plain form; `None` where it stands for two values.
    values: BTreeMap<String, Option<Original>>,
    bytes: usize,
    /// Values for which there was no room.
    left_out: u64,
}

#[derive(Clone, PartialEq)]
struct Original {
    detector: String,
    value: String,
}

impl core::fmt::Debug for Originals {
    /// Shows how many there are, and no value.
    fn fmt(&self, formatter: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(formatter, "Originals({})", self.values.len())
    }
}

impl Originals {
    /// Keeps the value that `name` stands for. Of two spellings of one value the first is kept.
    pub(crate) fn note(&mut self, name: &str, detector: &str, value: &[u8]) {
        let Ok(value) = std::str::from_utf8(value) else {
            return;
        };
        let name = plain(name.as_bytes());
        if let Some(known) = self.values.get_mut(&name) {
            let same = known.as_ref().is_some_and(|known| {
                known.detector == detector
                    && normal(detector, known.value.as_bytes())
                        == normal(detector, value.as_bytes())
            });
            if !same {
                // Nobody could say which of the two was meant.
                *known = None;
            }
            return;
        }
        let bytes = self.bytes.saturating_add(value.len());
        if self.values.len() >= MAX_VALUES || bytes > MAX_VALUE_BYTES {
            self.left_out = self.left_out.saturating_add(1);
            return;
        }
        self.bytes = bytes;
        let original = Original {
            detector: detector.to_owned(),
            value: value.to_owned(),
        };
        self.values.insert(name, Some(original));
    }

    /// Whether there is nothing to put back.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.values.values().all(Option::is_none)
    }

    /// How much memory this takes, in bytes.
    #[must_use]
    pub fn memory(&self) -> usize {
        self.bytes
            .saturating_add(self.values.len().saturating_mul(VALUE_OVERHEAD_BYTES))
    }

    /// How many values found no room: their pseudonyms are not put back.
    #[must_use]
    pub fn left_out(&self) -> u64 {
        self.left_out
    }

    /// What the pseudonym of this plain form stands for.
    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        let original = self.values.get(name)?.as_ref()?;
        Some(&original.value)
    }

    /// Whether some pseudonym's plain form begins like this.
    pub(crate) fn begins(&self, start: &str) -> bool {
        let mut from = self
            .values
            .range::<str, _>((Bound::Included(start), Bound::Unbounded));
        from.next().is_some_and(|(name, _)| name.starts_with(start))
    }

    /// What is written for a pseudonym as it was found.
    pub(super) fn write(&self, found: &[u8]) -> String {
        let original = self.get(&plain(found)).map(str::to_owned);
        original.unwrap_or_else(|| String::from_utf8_lossy(found).into_owned())
    }

    /// The plain form of every pseudonym that stands for one value.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.values
            .iter()
            .filter(|(_, value)| value.is_some())
            .map(|(name, _)| name.as_str())
    }
}

/// A pseudonym without brackets and escapes, in lower case, with underscores between its parts.
fn plain(name: &[u8]) -> String {
    name.iter()
        .filter(|byte| !b"[]\\".contains(byte))
        .map(|byte| match byte {
            b'-' | b' ' => '_',
            other => char::from(other.to_ascii_lowercase()),
        })
        .collect()
}
