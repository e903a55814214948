//! Event streams, parsed as WHATWG HTML does ("Server-sent events").
//!
//! An event is held until its blank line has come and until the text in it is decided, which
//! may take later events: a match that goes over several is written where it begins and taken
//! out of the others. Events leave in their order; in each, everything that is not a match
//! stays byte for byte. A comment, or a line that is no field at all, is a text of its own;
//! `event`, `id` and `retry` say how to read the stream, and are never changed.

#[cfg(test)]
mod tests;

use super::payload::{self, End, Kind, Payload};
use super::texts::{Owner, Texts};
use super::track::{Direct, Place, Track, Work, Writing};
use super::{Counts, WalkError, scalar};
use crate::mask::Engine;

/// The longest event, in bytes. A longer one cannot be masked: its texts are not known before
/// its end.
const LONGEST: usize = 1024 * 1024;

/// The text of data that is not JSON.
const PLAIN: [u8; 32] = [0; 32];

/// Masks an event stream.
#[derive(Debug, Default)]
pub(super) struct Events {
    /// The event whose end has not come.
    event: Vec<u8>,
    /// Where its last line begins.
    line: usize,
    /// The last byte was a carriage return that ended a line: a line feed belongs to it.
    after_return: bool,
    /// An event has been read.
    begun: bool,
    texts: Texts,
}

impl Events {
    pub(super) fn held(&self) -> usize {
        self.event.len() + self.texts.queue.size()
    }

    pub(super) fn push(
        &mut self,
        engine: &Engine,
        mut piece: &[u8],
        out: &mut Vec<u8>,
        counts: &mut Counts,
    ) -> Result<(), WalkError> {
        while let Some(first) = piece.first() {
            if std::mem::take(&mut self.after_return) && *first == b'\n' {
                if self.event.is_empty() {
                    // The event has gone to the queue, or on; the line feed follows it there.
                    self.texts.queue.literal_or(b"\n", out);
                } else {
                    self.event.push(b'\n');
                    self.line = self.event.len();
                }
                piece = piece.get(1..).unwrap_or_default();
                continue;
            }
            let end = piece.iter().position(|byte| matches!(byte, b'\r' | b'\n'));
            let (content, rest) = piece.split_at(end.map_or(piece.len(), |end| end + 1));
            if self.event.len() + content.len() > LONGEST {
                return Err(WalkError::TooLarge);
            }
            let blank = end == Some(0) && self.event.len() == self.line;
            self.event.extend_from_slice(content);
            self.after_return = content.last() == Some(&b'\r');
            piece = rest;
            if end.is_some() {
                self.line = self.event.len();
            }
            if blank {
                self.end_event(engine, out, counts)?;
            }
        }
        Ok(())
    }

    pub(super) fn finish(
        &mut self,
        engine: &Engine,
        out: &mut Vec<u8>,
        counts: &mut Counts,
    ) -> Result<(), WalkError> {
        // A reader discards an event whose blank line never comes, but its bytes are there.
        let last = self.end_event(engine, out, counts);
        self.texts.finish(engine, counts, |_| true);
        self.texts.release(engine, counts, out);
        last
    }

    fn end_event(
        &mut self,
        engine: &Engine,
        out: &mut Vec<u8>,
        counts: &mut Counts,
    ) -> Result<(), WalkError> {
        let event = std::mem::take(&mut self.event);
        self.line = 0;
        if event.is_empty() {
            return Ok(());
        }
        let lines = Lines::read(&event, !std::mem::replace(&mut self.begun, true));
        let joined = lines.payload(&event);
        let payload = payload::read(&joined)?;
        let mut feed = Feed {
            texts: &mut self.texts,
            engine,
            counts,
            event: &event,
            written: 0,
        };
        feed.texts.queue.begin(event.len());
        match &payload {
            Some(payload) => feed.json(&lines, payload)?,
            None => feed.plain(&lines)?,
        }
        feed.literal_to(event.len());
        let done = joined.trim_ascii() == b"[DONE]";
        let ends = payload
            .as_ref()
            .map(|payload| payload.ends.as_slice())
            .unwrap_or_default();
        if done || !ends.is_empty() {
            self.texts.finish(engine, counts, |owner| {
                done || ends.iter().any(|end| end.ends(owner))
            });
        }
        self.texts.release(engine, counts, out);
        Ok(())
    }
}

impl End {
    fn ends(self, owner: &Owner) -> bool {
        match self {
            Self::All => true,
            Self::Choice(choice) => owner.choice == Some(choice),
            Self::Block(block) => owner.block == Some(block),
            Self::Output(output) => owner.output == Some(output),
        }
    }
}

/// The parts of an event that hold text, as ranges of its bytes.
#[derive(Debug, Default)]
struct Lines {
    /// The values of its `data` fields.
    data: Vec<(usize, usize)>,
    /// Comments and what is no field; each with the number of `data` fields before it.
    other: Vec<(usize, usize)>,
    /// Whether the `data` field at this index stands on the line after the one before.
    adjacent: Vec<bool>,
}

impl Lines {
    fn read(event: &[u8], first: bool) -> Self {
        let mut lines = Self::default();
        let mut start = if first && event.starts_with(b"\xEF\xBB\xBF") {
            3
        } else {
            0
        };
        let mut after_data = false;
        while start < event.len() {
            let rest = event.get(start..).unwrap_or_default();
            let length = rest
                .iter()
                .position(|byte| matches!(byte, b'\r' | b'\n'))
                .unwrap_or(rest.len());
            let (line, after) = rest.split_at(length);
            let end = start + length;
            let field = line.split(|byte| *byte == b':').next().unwrap_or_default();
            match field {
                b"data" => {
                    let value = line.get(field.len() + 1..).unwrap_or_default();
                    let value = value.strip_prefix(b" ").unwrap_or(value);
                    lines.data.push((end - value.len(), end));
                    lines.adjacent.push(after_data);
                }
                b"event" | b"id" | b"retry" => {}
                _ if line.is_empty() => {}
                _ => lines.other.push((start, end)),
            }
            after_data = field == b"data";
            start = end + if after.starts_with(b"\r\n") { 2 } else { 1 };
        }
        lines
    }

    /// The values joined by line feeds, as a reader sees them.
    fn payload<'a>(&self, event: &'a [u8]) -> std::borrow::Cow<'a, [u8]> {
        if let [(start, end)] = self.data.as_slice() {
            return event.get(*start..*end).unwrap_or_default().into();
        }
        let mut joined = Vec::with_capacity(event.len());
        for (at, (start, end)) in self.data.iter().enumerate() {
            if at > 0 {
                joined.push(b'\n');
            }
            joined.extend_from_slice(event.get(*start..*end).unwrap_or_default());
        }
        joined.into()
    }
}

/// Gives an event's texts to the matcher, in the order in which they stand.
struct Feed<'a> {
    texts: &'a mut Texts,
    engine: &'a Engine,
    counts: &'a mut Counts,
    event: &'a [u8],
    /// How much of the event is in the queue.
    written: usize,
}

impl Feed<'_> {
    fn literal_to(&mut self, end: usize) {
        if end > self.written {
            self.texts
                .queue
                .literal(self.event.get(self.written..end).unwrap_or_default());
            self.written = end;
        }
    }

    fn json(&mut self, lines: &Lines, payload: &Payload) -> Result<(), WalkError> {
        let mut data = lines.data.iter().copied();
        let mut other = lines.other.iter().copied().peekable();
        let (mut line, mut before) = (data.next().unwrap_or_default(), 0);
        for segment in &payload.segments {
            // Neither a string nor a number goes over a line's end.
            while segment.start - before > line.1 - line.0 {
                before += line.1 - line.0 + 1;
                let Some(next) = data.next() else {
                    return Ok(());
                };
                line = next;
            }
            let (start, end) = (
                line.0 + segment.start - before,
                line.0 + segment.end - before,
            );
            while let Some(comment) = other.next_if(|comment| comment.0 < start) {
                self.whole(comment, Writing::Line);
            }
            match segment.kind {
                Kind::Whole => self.whole((start, end), Writing::Json),
                Kind::Scalar => self.scalar((start, end)),
                Kind::Piece(text) => {
                    self.literal_to(start);
                    let raw = self.event.get(start..end).unwrap_or_default();
                    let Some((id, owner)) = payload.texts.get(text) else {
                        return Ok(());
                    };
                    self.texts.feed(
                        id,
                        *owner,
                        Writing::Json,
                        (self.engine, self.counts),
                        |track, place, work| {
                            track.json(raw, place, work);
                            track.end_string(place, work);
                        },
                    )?;
                    self.written = end;
                }
            }
        }
        for comment in other {
            self.whole(comment, Writing::Line);
        }
        Ok(())
    }

    fn plain(&mut self, lines: &Lines) -> Result<(), WalkError> {
        let mut other = lines.other.iter().copied().peekable();
        for (at, (start, end)) in lines.data.iter().copied().enumerate() {
            while let Some(comment) = other.next_if(|comment| comment.0 < start) {
                self.whole(comment, Writing::Line);
            }
            // Where a match goes over the line's end, the lines become one.
            let joint = if lines.adjacent.get(at) == Some(&true) {
                let from = std::mem::replace(&mut self.written, start);
                self.event.get(from..start).unwrap_or_default()
            } else {
                self.literal_to(start);
                &[]
            };
            let raw = self.event.get(start..end).unwrap_or_default();
            let parts = (self.engine, &mut *self.counts);
            self.texts.feed(
                &PLAIN,
                Owner::default(),
                Writing::Line,
                parts,
                |track, place, work| {
                    if at > 0 {
                        track.whole(joint, b"\n", place, work);
                    }
                    track.plain(raw, place, work);
                },
            )?;
            self.written = end;
        }
        for comment in other {
            self.whole(comment, Writing::Line);
        }
        Ok(())
    }

    /// A text of its own.
    fn whole(&mut self, (start, end): (usize, usize), writing: Writing) {
        self.literal_to(start);
        let raw = self.event.get(start..end).unwrap_or_default();
        let mut masked = Vec::with_capacity(raw.len());
        let mut track = Track::new(writing);
        let mut out = Direct(&mut masked);
        let mut work = Work {
            engine: self.engine,
            out: &mut out,
            counts: self.counts,
        };
        if writing == Writing::Json {
            track.json(raw, Place::default(), &mut work);
            track.end_string(Place::default(), &mut work);
        } else {
            track.plain(raw, Place::default(), &mut work);
        }
        track.finish(&mut work);
        self.texts.queue.literal(&masked);
        self.written = end;
    }

    fn scalar(&mut self, (start, end): (usize, usize)) {
        self.literal_to(start);
        let mut masked = Vec::new();
        scalar::mask(
            self.engine,
            self.event.get(start..end).unwrap_or_default(),
            self.counts,
            &mut masked,
        );
        self.texts.queue.literal(&masked);
        self.written = end;
    }
}
