//! JSON lines whose texts go on from line to line, as Ollama streams its answers.
//!
//! Each line is what an event's data is in an event stream, and waits like an event; a longer one than
//! an event may be can't be masked either. In a JSON text sequence (RFC 7464) a record separator stands
//! in front of each.

#[cfg(test)]
mod tests;

use super::entries::Entries;
use super::walk::{Job, Walk};
use super::{WalkError, fields};

/// What stands in front of each text of a sequence.
const SEPARATOR: u8 = 0x1e;

/// Masks JSON lines.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Lines {
    /// The line whose end has not come.
    line: Vec<u8>,
    entries: Entries,
}

impl Walk for Lines {
    fn push(&mut self, mut piece: &[u8], job: &mut Job<'_>) -> Result<(), WalkError> {
        while !piece.is_empty() {
            let end = memchr::memchr(b'\n', piece);
            let (now, later) = piece.split_at(end.map_or(piece.len(), |end| end + 1));
            if self.line.len() + now.len() > job.most {
                return Err(WalkError::TooLarge);
            }
            self.line.extend_from_slice(now);
            piece = later;
            if end.is_some() {
                self.end_line(job)?;
            }
        }
        Ok(())
    }

    fn finish(&mut self, job: &mut Job<'_>) -> Result<(), WalkError> {
        let last = self.end_line(job);
        self.entries.finish(job);
        last
    }

    fn held(&self) -> usize {
        self.line.len() + self.entries.held()
    }
}

impl Lines {
    fn end_line(&mut self, job: &mut Job<'_>) -> Result<(), WalkError> {
        let mut line = std::mem::take(&mut self.line);
        let marks = line.iter().take_while(|byte| **byte == SEPARATOR).count();
        if marks > 0 {
            self.entries
                .between(line.get(..marks).unwrap_or_default(), job.out);
            line.drain(..marks);
        }
        let line = match job.mask.fields() {
            Some(fields) if !line.trim_ascii().is_empty() => {
                fields::edit_part(fields, &line, (0, line.len()))?
            }
            _ => line,
        };
        self.entries.take(&line, job)
    }
}
