//! Whether a body that is called something else begins as an event stream does.

use super::{MAX_FRONT_BYTES, value};

/// The fields of an event (WHATWG HTML, section 9.2.6) but `data`, what a comment begins with, and the line that
/// Flowise puts in front of each (Flowise, packages/server/src/utils/SSEStreamer.ts).
const NEUTRAL: [&[u8]; 5] = [b":", b"event:", b"id:", b"retry:", b"message:"];
const DATA: &[u8] = b"data:";

/// What was seen of the lines of a body.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Events {
    /// Where the line begins that has not ended.
    line: usize,
    seen: Seen,
}

#[derive(Clone, Copy, Debug, Default, PartialEq)]
enum Seen {
    #[default]
    Nothing,
    /// Data that is no JSON.
    Data,
    /// A blank line behind that.
    Event,
}

/// What a line is.
enum Line {
    Blank,
    Neutral,
    /// Data that is JSON, or the end of a stream.
    Json,
    Data,
    Other,
}

impl Events {
    /// Whether what has come is an event, although it could be something else.
    pub(super) fn are_whole(&self) -> bool {
        self.seen == Seen::Event
    }

    /// Whether the body is an event stream; `None` where that is open.
    ///
    /// Prose and YAML may begin with `data:` too. JSON behind it makes it an event, and so does what an
    /// event ends with, and another one behind.
    pub(super) fn are_in(&mut self, body: &[u8]) -> Option<bool> {
        loop {
            let rest = body.get(self.line..).unwrap_or_default();
            let rest = match self.line {
                0 => super::unmarked(rest),
                _ => rest,
            };
            let end = memchr::memchr2(b'\r', b'\n', rest);
            let line = rest.get(..end.unwrap_or(rest.len())).unwrap_or_default();
            let many = body.len() >= MAX_FRONT_BYTES && self.line > 0;
            if self.seen == Seen::Event && is_field(line) {
                return Some(true);
            }
            let Some(kind) = kind(line, end.is_some()) else {
                // Many lines of comments, and nothing else.
                return (many && self.seen == Seen::Nothing).then_some(true);
            };
            match (kind, self.seen) {
                (Line::Json, _) => return Some(true),
                (Line::Other, _) => return Some(false),
                (Line::Data, _) => self.seen = Seen::Data,
                // A line feed behind a carriage return is no blank line.
                (Line::Blank, Seen::Data) if !is_rest_of_end(body, self.line) => {
                    self.seen = Seen::Event;
                }
                (Line::Blank | Line::Neutral, _) => {}
            }
            self.line = body.len() - rest.len() + end.map_or(rest.len(), |end| end + 1);
        }
    }
}

fn is_rest_of_end(body: &[u8], line: usize) -> bool {
    let before = line.checked_sub(1).and_then(|at| body.get(at));
    before == Some(&b'\r') && body.get(line) == Some(&b'\n')
}

/// Whether a line is one of an event, whatever else comes of it.
pub(in crate::formats) fn is_field(line: &[u8]) -> bool {
    line.starts_with(DATA) || NEUTRAL.iter().any(|field| line.starts_with(field))
}

/// Whether the value of a field is JSON, or the end of a stream.
fn is_json(value: &[u8]) -> bool {
    let value = value.trim_ascii();
    value == b"[DONE]" || value::is_whole(value)
}

/// What a line is, of which more may come unless it is `whole`; `None` where that is open.
fn kind(line: &[u8], whole: bool) -> Option<Line> {
    if line.is_empty() {
        return whole.then_some(Line::Blank);
    }
    if let Some(value) = line.strip_prefix(DATA) {
        return match value.trim_ascii_start().first() {
            Some(b'{' | b'[') if whole && is_json(value) => Some(Line::Json),
            _ => whole.then_some(Line::Data),
        };
    }
    if NEUTRAL.iter().any(|field| line.starts_with(field)) {
        return whole.then_some(Line::Neutral);
    }
    let mut fields = NEUTRAL.iter().copied().chain([DATA]);
    let may_be = !whole && fields.any(|field| field.starts_with(line));
    (!may_be).then_some(Line::Other)
}
