//! Where decided bytes are written.

/// Where bytes are written: a part of an entry of the queue.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Place {
    /// The entry, counted from the first ever.
    pub(super) entry: u64,
    /// The part within the entry.
    pub(super) part: usize,
}

/// Takes bytes as they are decided.
pub(super) trait Output {
    /// Something at `place` is undecided from now on.
    fn hold(&mut self, place: Place);
    /// Bytes for `place`, after those already written there.
    fn write(&mut self, place: Place, bytes: &[u8]);
    /// What [`Output::hold`] announced is decided.
    fn settle(&mut self, place: Place);
}

/// Writes one text after another, with no regard to places.
pub(super) struct Direct<'a>(pub(super) &'a mut Vec<u8>);

impl Output for Direct<'_> {
    fn hold(&mut self, _place: Place) {}

    fn write(&mut self, _place: Place, bytes: &[u8]) {
        self.0.extend_from_slice(bytes);
    }

    fn settle(&mut self, _place: Place) {}
}
