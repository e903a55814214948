//! Objects in which one member tells what another one is, and may stand behind it.
//!
//! Such an object is held until it is whole, where the mask treats what it may be in different ways. One
//! that is too long is taken for what it would be without the member: text, which is masked.

use super::{Json, JsonPosition};
use crate::formats::extent::Extent;
use crate::formats::walk::Job;

/// The longest object that is held, in bytes.
const MAX_TOLD_BYTES: usize = 1024 * 1024;

impl Json {
    /// Whether an object that has to be known whole begins with the brace that comes next.
    pub(super) fn begins_told(&mut self, job: &Job<'_>) -> bool {
        let begins = self.met.is_none() && self.grammar.expects_value() && self.places.asks(job);
        if begins {
            self.position = JsonPosition::Told;
        }
        begins
    }

    /// Holds an object up to its end.
    pub(super) fn in_told(&mut self, piece: &[u8], job: &mut Job<'_>) -> usize {
        let room = MAX_TOLD_BYTES.saturating_sub(self.run.len());
        let piece = piece.get(..room).unwrap_or(piece);
        let end = self.extent.end(piece);
        let length = end.unwrap_or(piece.len());
        self.run
            .extend_from_slice(piece.get(..length).unwrap_or(piece));
        if end.is_some() || self.run.len() >= MAX_TOLD_BYTES {
            self.told(end.is_some(), job);
        }
        length
    }

    /// Reads what is held, now that it is known what it is.
    pub(super) fn told(&mut self, whole: bool, job: &mut Job<'_>) {
        let held = std::mem::take(&mut self.run);
        self.extent = Extent::default();
        let met = job.layout.filter(|_| whole).map(|it| it.met(&held));
        self.met = Some(met.unwrap_or_default());
        self.position = JsonPosition::Outside;
        self.take(&held, job);
    }
}
