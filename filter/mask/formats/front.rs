//! What a body is by how it begins, whatever its head calls it.
//!
//! Servers call streams what their framework calls everything: a `StreamingResponse` with events in it is
//! `text/plain`, a proxy's JSON lines are `application/json`, and some bodies are called nothing. Read by
//! that name, what goes on from event to event would be texts of their own, and a value that is split
//! over two would pass. So the beginning is looked at, too, and held until it tells; and as soon as a line
//! comes that can't be one of that ([`Gate`]), the rest is read as what it is called.
//!
//! # What it can't
//! - It looks at no more than the first lines or the first value ([`MAX_FRONT_BYTES`], or
//!   [`MAX_TEXT_FRONT_BYTES`] of JSON that is called text): behind a longer one, the name counts.
//! - Values of JSON one behind the other are told if the first is an object without line ends in it; arrays
//!   and strings in lines aren't.

mod events;
mod gate;
mod value;

use super::{coded_lines, json_array_stream};
use events::Events;
pub(super) use events::is_field;
pub(super) use gate::Gate;
pub(super) use value::is_whole;
use value::{Next, Value};

/// The most of a body that is held to tell what it is. A model's first words are shorter.
const MAX_FRONT_BYTES: usize = 8 * 1024;
/// The same for JSON that is called text: an object that a model writes has to stream.
const MAX_TEXT_FRONT_BYTES: usize = 1024;

/// The mark of UTF-8.
pub(super) const BOM: &[u8] = b"\xef\xbb\xbf";

/// The mark in front of each value of a JSON text sequence (RFC 7464).
const SEPARATOR: u8 = 0x1e;

/// What a body's head calls it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Called {
    /// JSON, or nothing.
    Json,
    /// Events.
    Events,
    /// Lines of JSON.
    Lines,
    /// Text.
    Text,
    /// HTML, as frameworks call what nobody has named.
    Html,
}

impl Called {
    /// Whether values of JSON are to be expected in a body that is called so.
    pub(super) fn has_values(self) -> bool {
        matches!(self, Self::Json | Self::Lines)
    }

    /// What a body is if it is what it is called.
    pub(super) fn shape(self) -> Shape {
        match self {
            Self::Json => Shape::Json,
            Self::Events => Shape::Events,
            Self::Lines => Shape::Lines,
            Self::Text => Shape::Text,
            Self::Html => Shape::Html,
        }
    }
}

/// What a body is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shape {
    /// One value of JSON, an array of chunks, or what is to be read like these.
    Json,
    /// Values of JSON one behind the other, without lines.
    Values,
    /// Lines of JSON.
    Lines,
    /// Lines of JSON with a code in front of each, as the AI SDK streams them.
    CodedLines,
    /// An event stream.
    Events,
    /// Text.
    Text,
    /// HTML.
    Html,
}

/// The beginning of a body, held until it tells what the body is.
#[derive(Clone, Debug, PartialEq)]
pub struct Front {
    called: Called,
    held: Vec<u8>,
    events: Events,
    value: Value,
}

impl Front {
    /// Nothing has come.
    #[must_use]
    pub fn new(called: Called) -> Self {
        Self {
            called,
            held: Vec::new(),
            events: Events::default(),
            value: Value::default(),
        }
    }

    /// How many bytes of a piece say nothing, and may go on: servers keep connections alive with blanks.
    #[must_use]
    pub fn blanks(&self, piece: &[u8]) -> usize {
        match self.held.is_empty() {
            true => piece.len() - piece.trim_ascii_start().len(),
            false => 0,
        }
    }

    /// Takes the next bytes of the body: how many of them, and what the body is, once that is known.
    /// They are all taken as long as it isn't. `lines` says that the dialect's JSON may be lines.
    pub fn push(&mut self, piece: &[u8], lines: bool) -> (usize, Option<Shape>) {
        let mut taken = 0;
        for most in [MAX_TEXT_FRONT_BYTES, MAX_FRONT_BYTES] {
            let rest = piece.get(taken..).unwrap_or_default();
            let now = rest.get(..most.saturating_sub(self.held.len()));
            let now = now.unwrap_or(rest);
            if now.is_empty() {
                continue;
            }
            self.held.extend_from_slice(now);
            taken += now.len();
            let full = self.held.len() >= MAX_FRONT_BYTES;
            let told = self.tell(lines);
            if let Some(shape) = told.or_else(|| full.then(|| self.as_called())) {
                return (taken, Some(shape));
            }
        }
        (taken, None)
    }

    /// What the body is if it ends here.
    #[must_use]
    pub fn end(&self) -> Shape {
        if self.events.are_whole() {
            return Shape::Events;
        }
        self.as_called()
    }

    /// What has come, to be read as what the body is.
    pub fn take(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.held)
    }

    /// How much has come.
    #[must_use]
    pub fn held(&self) -> usize {
        self.held.len()
    }

    fn as_called(&self) -> Shape {
        self.called.shape()
    }

    /// What has come, from its first mark on.
    fn body(&self) -> &[u8] {
        unmarked(&self.held).trim_ascii_start()
    }

    fn tell(&mut self, lines: bool) -> Option<Shape> {
        if self.held.len() < BOM.len() && BOM.starts_with(&self.held) {
            return None;
        }
        match *self.body().first()? {
            // An array of chunks has to stream.
            b'[' if self.called == Called::Json && json_array_stream::begins(self.body())? => {
                Some(Shape::Json)
            }
            b'{' | b'[' | b'"' => self.tell_json(lines),
            SEPARATOR => Some(Shape::Lines),
            _ => {
                let body = unmarked(&self.held).trim_ascii_start();
                if coded_lines::begins(body)? {
                    return Some(Shape::CodedLines);
                }
                let events = self.called == Called::Events || self.events.are_in(body)?;
                Some(match events {
                    true => Shape::Events,
                    false => self.as_called(),
                })
            }
        }
    }

    fn tell_json(&mut self, lines: bool) -> Option<Shape> {
        let in_text = matches!(self.called, Called::Text | Called::Html);
        if in_text && !begins_values(self.body())? {
            let chunks = self.called == Called::Text && json_array_stream::begins(self.body())?;
            return Some(match chunks {
                true => Shape::Json,
                false => self.as_called(),
            });
        }
        while let Some(next) = self.value.next(&self.held) {
            let whole = self.is_whole_value();
            return Some(match (next, self.called) {
                // It has more lines than one, as where it is written for people.
                (Next::Inside, Called::Lines | Called::Events) => Shape::Json,
                (Next::Line, Called::Json) if lines && whole => Shape::Lines,
                (Next::Line, Called::Json | Called::Text | Called::Html) => continue,
                (Next::Line, _) if self.value.is_marked() => continue,
                (Next::Value { line: true }, _) if whole => Shape::Lines,
                (Next::Value { line: false }, Called::Html) => Shape::Html,
                (Next::Value { line: false }, _) if whole => Shape::Values,
                _ => self.as_called(),
            });
        }
        let full = in_text && self.held.len() >= MAX_TEXT_FRONT_BYTES;
        full.then(|| self.as_called())
    }

    /// Whether a value has ended that could be one of several: of a text, an object. What stands in it is read
    /// by whoever reads the lines: some servers write `NaN`, or halves of surrogates.
    fn is_whole_value(&self) -> bool {
        let any = self.called.has_values() || self.body().first() == Some(&b'{');
        any && self.value.has_ended()
    }
}

/// What stands behind a mark of UTF-8, should there be one.
pub(super) fn unmarked(bytes: &[u8]) -> &[u8] {
    bytes.strip_prefix(BOM).unwrap_or(bytes)
}

/// Whether a text that begins with a brace, a bracket or a quote could be values of JSON one behind the
/// other; `None` where that is open. A bracket or a quote says nothing.
fn begins_values(body: &[u8]) -> Option<bool> {
    let (first, later) = body.split_first()?;
    if *first != b'{' {
        return Some(false);
    }
    Some(matches!(later.trim_ascii_start().first()?, b'"' | b'}'))
}
