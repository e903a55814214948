//! JSON lines whose texts go on from line to line, as Ollama streams its answers.
//!
//! Each line is what an event's data is in an event stream, and waits like an event.

#[cfg(test)]
mod tests;

use super::entries::Entries;
use super::{Counts, WalkError, body};
use crate::mask::CompiledMask;

/// The longest line, in bytes. A longer one cannot be masked: its texts are not known before
/// its end.
const MAX_LINE_BYTES: usize = 1024 * 1024;

/// Masks JSON lines.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Lines {
    /// The line whose end has not come.
    line: Vec<u8>,
    entries: Entries,
}

impl Lines {
    pub(super) fn held(&self) -> usize {
        self.line.len() + self.entries.held()
    }

    pub(super) fn push(
        &mut self,
        mask: &CompiledMask,
        mut piece: &[u8],
        out: &mut Vec<u8>,
        counts: &mut Counts,
    ) -> Result<(), WalkError> {
        while !piece.is_empty() {
            let end = memchr::memchr(b'\n', piece);
            let (now, later) = piece.split_at(end.map_or(piece.len(), |end| end + 1));
            if self.line.len() + now.len() > MAX_LINE_BYTES {
                return Err(WalkError::TooLarge);
            }
            self.line.extend_from_slice(now);
            piece = later;
            if end.is_some() {
                self.end_line(mask, out, counts)?;
            }
        }
        Ok(())
    }

    pub(super) fn finish(
        &mut self,
        mask: &CompiledMask,
        out: &mut Vec<u8>,
        counts: &mut Counts,
    ) -> Result<(), WalkError> {
        let last = self.end_line(mask, out, counts);
        self.entries.finish(mask, out, counts);
        last
    }

    fn end_line(
        &mut self,
        mask: &CompiledMask,
        out: &mut Vec<u8>,
        counts: &mut Counts,
    ) -> Result<(), WalkError> {
        let line = std::mem::take(&mut self.line);
        let line = match mask.fields() {
            Some(fields) if !line.trim_ascii().is_empty() => {
                body::edit(fields, &line, (0, line.len()))?
            }
            _ => line,
        };
        self.entries.take(mask, &line, out, counts)
    }
}
