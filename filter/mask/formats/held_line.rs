//! The line of a body whose end has not come.

use super::WalkError;
use super::walk::Job;

/// Such a line.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct HeldLine(Vec<u8>);

impl HeldLine {
    /// Takes the next bytes of a body up to the end of the line, as far as they are there. Gives back the
    /// line, with its end, once it is whole, and what stands behind it.
    ///
    /// # Errors
    /// The line is longer than an entry may be.
    pub(super) fn take<'a>(
        &mut self,
        piece: &'a [u8],
        job: &Job<'_>,
    ) -> Result<(Option<Vec<u8>>, &'a [u8]), WalkError> {
        let end = memchr::memchr(b'\n', piece);
        let (now, later) = piece.split_at(end.map_or(piece.len(), |end| end + 1));
        if self.0.len() + now.len() > job.most {
            return Err(WalkError::TooLarge);
        }
        self.0.extend_from_slice(now);
        let line = end.map(|_| self.last());
        Ok((line, later))
    }

    /// What has come of the line, which ends here.
    pub(super) fn last(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.0)
    }

    /// How many bytes are held.
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }
}
