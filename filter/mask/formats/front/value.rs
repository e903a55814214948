//! The first value of JSON in a body's beginning, and what stands behind it.

use crate::prefilter::end_of_string;

/// What comes next in a beginning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// A line ends inside the value.
    Inside,
    /// The value's line ends behind it. More may come.
    Line,
    /// Another value begins: in another line or not.
    Value { line: bool },
    /// Something else.
    Other,
}

/// How far a value has been read that is an object, an array or a string.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Value {
    at: usize,
    /// Objects and arrays that are open.
    depth: usize,
    /// Whether the next byte is in a string, and behind a backslash there.
    string: Option<bool>,
    ended: Option<usize>,
    /// A line has ended behind it.
    line: bool,
    /// A zero byte stands behind it.
    marked: bool,
}

/// Whether bytes are one object, array or string, and nothing else but blanks behind it.
pub(in crate::formats) fn is_whole(bytes: &[u8]) -> bool {
    let mut value = Value::default();
    let opens = matches!(bytes.first(), Some(b'{' | b'[' | b'"'));
    opens && value.next(bytes).is_none() && value.has_ended()
}

impl Value {
    /// Whether the end of the value has come.
    pub(super) fn has_ended(&self) -> bool {
        self.ended.is_some()
    }

    /// Whether a zero byte stands behind it.
    pub(super) fn is_marked(&self) -> bool {
        self.marked
    }

    /// What comes next in the body, of which more may have come since the last call. Besides blanks, a zero
    /// byte may stand behind a value, as vLLM's first server has it, or the mark of a sequence.
    pub(super) fn next(&mut self, body: &[u8]) -> Option<Next> {
        if self.ended.is_none() {
            if self.is_broken_into_lines(body) {
                return Some(Next::Inside);
            }
            self.ended?;
        }
        while let Some(byte) = body.get(self.at) {
            match byte {
                b'{' | b'[' | b'"' => {
                    let line = self.line && !self.marked;
                    return Some(Next::Value { line });
                }
                0 => self.marked = true,
                b'\n' | b' ' | b'\t' | b'\r' | 0x1e => {}
                _ => return Some(Next::Other),
            }
            self.at += 1;
            if *byte == b'\n' && !std::mem::replace(&mut self.line, true) {
                return Some(Next::Line);
            }
        }
        None
    }

    /// Reads on up to the value's end; true if a line ends before.
    fn is_broken_into_lines(&mut self, body: &[u8]) -> bool {
        while let Some(rest) = body.get(self.at..).filter(|rest| !rest.is_empty()) {
            if let Some(escaped) = self.string {
                let (end, escaped) = end_of_string(rest, escaped);
                self.string = end.is_none().then_some(escaped);
                self.at += end.map_or(rest.len(), |end| end + 1);
                if end.is_some() && self.depth == 0 {
                    self.ended = Some(self.at);
                    return false;
                }
                continue;
            }
            let Some(mark) = rest.iter().position(|byte| b"\"{}[]\n".contains(byte)) else {
                self.at = body.len();
                return false;
            };
            self.at += mark + 1;
            match rest.get(mark) {
                Some(b'"') => self.string = Some(false),
                Some(b'{' | b'[') => self.depth = self.depth.saturating_add(1),
                // In front of the value, it says nothing.
                Some(b'\n') if self.depth == 0 => {}
                Some(b'\n') => return true,
                _ => {
                    self.depth = self.depth.saturating_sub(1);
                    if self.depth == 0 {
                        self.ended = Some(self.at);
                        return false;
                    }
                }
            }
        }
        false
    }
}
