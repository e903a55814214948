//! One text under a mask, in pieces of any size.

use super::Engine;

/// Takes what a [`Text`] has decided about the bytes it was given, in their order.
///
/// The lengths of all calls add up to the bytes given to [`Text::push`].
pub trait Sink {
    /// The next `len` bytes of the text stay as they are.
    fn keep(&mut self, len: usize);
    /// The next `len` bytes of the text are a match of detector `detector` and become `with`.
    fn replace(&mut self, len: usize, with: &str, detector: usize);
}

/// The state of one text: what of it is undecided yet.
#[derive(Debug, Default)]
pub struct Text {}

impl Text {
    /// Takes the next piece; whatever is decided by it goes to `sink`.
    pub fn push(&mut self, _engine: &Engine, piece: &[u8], sink: &mut dyn Sink) {
        sink.keep(piece.len());
    }

    /// The text ends here: everything undecided is decided.
    pub fn finish(&mut self, _engine: &Engine, _sink: &mut dyn Sink) {}

    /// Decides everything undecided now, and the text goes on: for a caller that may hold no more.
    /// What could have become a match is masked, not released.
    pub fn force(&mut self, _engine: &Engine, _sink: &mut dyn Sink) {}

    /// How many bytes are undecided.
    #[must_use]
    pub fn pending(&self) -> usize {
        0
    }
}
