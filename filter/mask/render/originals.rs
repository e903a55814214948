//! What pseudonyms of one request stand for.

use std::collections::BTreeMap;

use super::normal::normal;

/// The most values of one request that are kept, and the most bytes of them.
const MOST: usize = 4096;
const MOST_BYTES: usize = 512 * 1024;

/// What pseudonyms of one request stand for. It belongs to one exchange and is gone with it.
#[derive(Clone, Default)]
pub struct Originals {
    /// By the pseudonym without brackets, in lower case; `None` where it stands for two values.
    values: BTreeMap<String, Option<Original>>,
    bytes: usize,
    /// Values for which there was no room.
    left_out: u64,
}

#[derive(Clone)]
struct Original {
    detector: String,
    value: String,
}

impl core::fmt::Debug for Originals {
    /// Says how many, and none of them.
    fn fmt(&self, formatter: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(formatter, "Originals({})", self.values.len())
    }
}

impl Originals {
    /// Keeps the value that `name` stands for. Of two spellings of one value the first is kept.
    pub(super) fn note(&mut self, name: &str, detector: &str, value: &[u8]) {
        let Ok(value) = std::str::from_utf8(value) else {
            return;
        };
        let name = name.to_ascii_lowercase();
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
        if self.values.len() >= MOST || bytes > MOST_BYTES {
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

    /// How many values there was no room for: their pseudonyms stay.
    #[must_use]
    pub fn left_out(&self) -> u64 {
        self.left_out
    }

    /// What `name`, in lower case and without brackets, stands for.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        let original = self.values.get(name)?.as_ref()?;
        Some(&original.value)
    }

    /// Every pseudonym that stands for one value, in lower case and without brackets.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.values
            .iter()
            .filter(|(_, value)| value.is_some())
            .map(|(name, _)| name.as_str())
    }
}
