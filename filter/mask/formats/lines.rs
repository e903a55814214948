//! JSON lines whose texts go on from line to line, as Ollama streams its answers.
//!
//! Each line is what an event's data is in an event stream, and waits like an event; a longer one than
//! an event may be can't be masked either. In a JSON text sequence (RFC 7464) a record separator stands
//! in front of each.

#[cfg(test)]
mod tests;

use super::entries::Entries;
use super::held_line::HeldLine;
use super::walk::{Job, Walk};
use super::{WalkError, fields};

/// What stands in front of each text of a sequence.
const SEPARATOR: u8 = 0x1e;

/// Masks JSON lines.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Lines {
    /// The line whose end has not come.
    line: HeldLine,
    entries: Entries,
}

impl Walk for Lines {
    fn push(&mut self, mut piece: &[u8], job: &mut Job<'_>) -> Result<(), WalkError> {
        while !piece.is_empty() {
            let (line, later) = self.line.take(piece, job)?;
            piece = later;
            if let Some(line) = line {
                self.end_line(line, job)?;
            }
        }
        Ok(())
    }

    fn finish(&mut self, job: &mut Job<'_>) -> Result<(), WalkError> {
        let line = self.line.last();
        let last = self.end_line(line, job);
        self.entries.finish(job);
        last
    }

    fn held(&self) -> usize {
        self.line.len() + self.entries.held()
    }
}

impl Lines {
    fn end_line(&mut self, mut line: Vec<u8>, job: &mut Job<'_>) -> Result<(), WalkError> {
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
