//! How often detectors matched.

/// How often each detector matched, by its index in the mask.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    by_detector: Vec<u64>,
}

impl Counts {
    /// The matches of detector `index` so far.
    #[must_use]
    pub fn get(&self, index: usize) -> u64 {
        self.by_detector.get(index).copied().unwrap_or(0)
    }

    /// Every detector's matches so far, in their order; detectors behind the last one that
    /// matched are left out.
    pub fn iter(&self) -> impl Iterator<Item = u64> + '_ {
        self.by_detector.iter().copied()
    }

    /// All matches so far.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.by_detector
            .iter()
            .fold(0, |sum, count| sum.saturating_add(*count))
    }

    pub(super) fn add(&mut self, detector: usize) {
        if self.by_detector.len() <= detector {
            self.by_detector.resize(detector + 1, 0);
        }
        if let Some(count) = self.by_detector.get_mut(detector) {
            *count = count.saturating_add(1);
        }
    }
}
