//! What all walkers have in common.

use super::error::WalkError;
use super::findings::Findings;
use super::layout::Layout;
use crate::CompiledMask;

/// What a piece of a body is worked on with.
pub(super) struct Job<'a> {
    pub(super) mask: &'a CompiledMask,
    /// Where what is decided is written.
    pub(super) out: &'a mut Vec<u8>,
    pub(super) found: &'a mut Findings,
    /// What stands where in the body's JSON, if that is known.
    pub(super) layout: Option<&'static Layout>,
    /// The most bytes of an event, a line or a chunk.
    pub(super) most: usize,
}

/// Masks a body of one format, in pieces of any size.
pub(super) trait Walk {
    /// Takes the next piece of the body and writes what is decided.
    ///
    /// # Errors
    /// The body cannot be masked. What is written is masked and may be sent.
    fn push(&mut self, piece: &[u8], job: &mut Job<'_>) -> Result<(), WalkError>;

    /// The body ends here.
    ///
    /// # Errors
    /// As for [`Walk::push`].
    fn finish(&mut self, job: &mut Job<'_>) -> Result<(), WalkError>;

    /// The bytes of the body that are held back now.
    fn held(&self) -> usize;
}
