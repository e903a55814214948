//! What lets the lines of a stream pass that is called something else, as long as they are lines of it.

use super::{Called, SEPARATOR, Shape, coded_lines, events, value};

/// Holds each line until its end.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::formats) struct Gate {
    shape: Shape,
    /// Lines may be any values of JSON.
    values: bool,
    line: Vec<u8>,
}

impl Gate {
    /// For a body that seems to be this, and is called something else.
    pub(in crate::formats) fn new(shape: Shape, called: Called) -> Self {
        Self {
            shape,
            values: called.has_values(),
            line: Vec::new(),
        }
    }

    /// Takes bytes up to the end of the line, as far as they are there, and gives what stands behind them. The
    /// line is whole if it has ended.
    pub(in crate::formats) fn take<'a>(&mut self, piece: &'a [u8]) -> (bool, &'a [u8]) {
        let end = memchr::memchr2(b'\r', b'\n', piece);
        let (now, later) = piece.split_at(end.map_or(piece.len(), |end| end + 1));
        self.line.extend_from_slice(now);
        (end.is_some(), later)
    }

    /// What has come of the line.
    pub(in crate::formats) fn line(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.line)
    }

    pub(in crate::formats) fn held(&self) -> usize {
        self.line.len()
    }

    /// Whether the body can have such a line.
    pub(in crate::formats) fn fits(&self, line: &[u8]) -> bool {
        let line = line.trim_ascii_end();
        let marks = line.iter().take_while(|byte| **byte == SEPARATOR).count();
        let value = line.get(marks..).unwrap_or_default();
        let may_be = self.values || value.starts_with(b"{");
        if value.is_empty() || value == b"[DONE]" || (may_be && value::is_whole(value)) {
            return true;
        }
        match self.shape {
            Shape::Events => events::is_field(line) || line == b"data",
            Shape::CodedLines => {
                let coded = line.get(2..).is_some_and(value::is_whole);
                coded && coded_lines::begins(line) == Some(true)
            }
            _ => false,
        }
    }
}
