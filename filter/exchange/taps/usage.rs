//! Reads how many tokens an answer took, where its dialect says it says so.

use base::usage::Usage as Counts;
use memchr::memchr2;

use crate::dialect::{Body, UsageReader};
use mask::Format;

/// The name of the field of an event in which its JSON stands.
const DATA: &[u8] = b"data:";

/// Looks at a body as the model server sends it; nothing of it is held or changed.
#[derive(Debug)]
pub(super) struct Usage {
    /// What the dialect says of the route's bodies.
    body: Body,
    reader: UsageReader,
    /// Where the event stream is; none where the body is JSON.
    line: Option<Line>,
}

/// Where in a line of an event stream (WHATWG HTML, "Server-sent events") the next byte is.
#[derive(Clone, Copy, Debug)]
enum Line {
    /// So much of [`DATA`] has come.
    Name(usize),
    /// In the value of `data`.
    Data,
    /// In another field.
    Other,
}

impl Usage {
    /// `None` where nothing is said in such a body.
    pub(super) fn of(body: &Body, format: Format) -> Option<Self> {
        let line = match format {
            Format::Json | Format::Lines => None,
            Format::Events => Some(Line::Name(0)),
            _ => return None,
        };
        body.usage().filter(|places| !places.is_empty())?;
        Some(Self {
            body: body.clone(),
            reader: UsageReader::default(),
            line,
        })
    }

    /// What is known.
    pub(super) fn counts(&self) -> Counts {
        self.reader.usage()
    }

    /// Takes the next piece.
    pub(super) fn look(&mut self, mut piece: &[u8]) {
        let Some(places) = self.body.usage() else {
            return;
        };
        let Some(line) = &mut self.line else {
            return self.reader.push(places, piece);
        };
        while let Some((byte, behind)) = piece.split_first() {
            match *line {
                Line::Name(0) if matches!(byte, b'\n' | b'\r') => {
                    // An empty line ends an event. Behind a carriage return it only ends the line,
                    // but no server cuts a number in two lines.
                    self.reader.begin();
                    piece = behind;
                }
                Line::Name(at) if DATA.get(at) == Some(byte) => {
                    let at = at.saturating_add(1);
                    *line = if at == DATA.len() {
                        Line::Data
                    } else {
                        Line::Name(at)
                    };
                    piece = behind;
                }
                Line::Name(_) => *line = Line::Other,
                Line::Data | Line::Other => {
                    let end = memchr2(b'\n', b'\r', piece);
                    let value = piece.get(..end.unwrap_or(piece.len())).unwrap_or_default();
                    if let Line::Data = line {
                        self.reader.push(places, value);
                    }
                    piece = piece.get(value.len()..).unwrap_or_default();
                    if end.is_some() {
                        *line = Line::Name(0);
                        piece = piece.get(1..).unwrap_or_default();
                    }
                }
            }
        }
    }
}
