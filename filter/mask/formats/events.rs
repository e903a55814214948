//! Event streams, parsed as WHATWG HTML does ("Server-sent events").
//!
//! An event is held until its blank line has come and until the text in it is decided, which
//! may take later events: a match that goes over several is written where it begins and taken
//! out of the others. Events leave in their order; in each, everything that is not a match
//! stays byte for byte. A comment, or a line that is no field at all, is a text of its own;
//! `event`, `id` and `retry` say how to read the stream, and are never changed. A line of JSON where an
//! event begins is taken for one.
//!
//! # What it can't
//! - Which strings go on in other events is told by their names, or if nobody knows these, by their
//!   places (see the payload's reader and `unknown_texts`). What both miss is matched piece by piece.
//! - Data that is neither an object nor an array, nor one string of JSON, is plain text: escapes in it mean
//!   themselves.
//! - When 256 events, or 256 KiB of them, wait for a text, what is undecided of it is masked,
//!   even where it would have turned out to be harmless. So it is for the text that has not
//!   gone on for longest, and 63 others, where more than 1024 are open.
//! - An event that is longer than the policy allows can't be masked: its texts are not known before
//!   its end.

#[cfg(test)]
mod tests;

use super::WalkError;
use super::entry_writer::EntryWriter;
use super::event_template::Templates;
use super::fields::{self, Fields};
use super::front;
use super::stream_event::{self, Payload};
use super::text_id::{self, Id};
use super::texts::{Owner, Texts};
use super::walk::{Job, Walk};
use super::writing::Writing;
use base::wire::Range;

/// The largest buffer that is kept from one event for the next.
const MAX_KEPT_ROOM_BYTES: usize = 16 * 1024;

/// The text of data that is not JSON.
const PLAIN: [u8; 32] = [0; 32];

/// Masks an event stream.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Events {
    /// The event whose end has not come.
    event: Vec<u8>,
    /// Where its last line begins.
    line: usize,
    /// How many lines of data it has.
    lines_of_data: usize,
    /// The last byte was a carriage return that ended a line: a line feed belongs to it.
    after_return: bool,
    /// An event has been read.
    begun: bool,
    /// It may be no event stream: nobody says that it is one.
    doubtful: bool,
    texts: Texts,
    templates: Templates,
}

impl Walk for Events {
    fn push(&mut self, mut piece: &[u8], job: &mut Job<'_>) -> Result<(), WalkError> {
        while let Some(first) = piece.first() {
            if std::mem::take(&mut self.after_return) && *first == b'\n' {
                if self.event.is_empty() {
                    // The event has gone to the queue, or on; the line feed follows it there.
                    self.texts.pending.literal_or(b"\n", job.out);
                } else {
                    self.event.push(b'\n');
                    self.line = self.event.len();
                }
                piece = piece.get(1..).unwrap_or_default();
                continue;
            }
            let end = memchr::memchr2(b'\r', b'\n', piece);
            let (content, rest) = piece.split_at(end.map_or(piece.len(), |end| end + 1));
            if self.event.len() + content.len() > job.most {
                return Err(WalkError::TooLarge);
            }
            let blank = end == Some(0) && self.event.len() == self.line;
            self.event.extend_from_slice(content);
            self.after_return = content.last() == Some(&b'\r');
            piece = rest;
            if end.is_some() {
                self.end_former_event(job)?;
            }
            let ends = blank || (end.is_some() && self.is_line_of_json());
            if end.is_some() {
                self.line = self.event.len();
            }
            if ends {
                self.end_event(job)?;
            }
        }
        Ok(())
    }

    fn finish(&mut self, job: &mut Job<'_>) -> Result<(), WalkError> {
        // A reader discards an event whose blank line never comes, but its bytes are there.
        if self.line < self.event.len() {
            self.end_former_event(job)?;
        }
        let last = self.end_event(job);
        self.texts.finish(job.mask, job.found, |_| true);
        self.texts.release(job.mask, job.found, job.out);
        last
    }

    fn held(&self) -> usize {
        self.event.len() + self.texts.pending.size()
    }
}

impl Events {
    /// A body that is called something else: what says how to read a stream is masked, too.
    pub(super) fn doubtful() -> Self {
        Self {
            doubtful: true,
            ..Self::default()
        }
    }

    /// Whether the line that has ended is no field but JSON, and the first one of its event. LMDeploy calls
    /// such lines an event stream, and no blank line ever comes (its api_server.py, `chat_interactive_v1`).
    fn is_line_of_json(&self) -> bool {
        self.line == 0
            && matches!(
                front::unmarked(&self.event).trim_ascii_end(),
                [b'{', .., b'}'] | [b'[', .., b']']
            )
    }

    /// Ends the event in front of the last line if that line begins another one, although no blank line stands
    /// between them. Who reads a stream line by line, as many clients do, doesn't need one; and JSON goes over no
    /// more lines than one where the first has a whole value. What stands between the two lines of data says how
    /// to read the second.
    fn end_former_event(&mut self, job: &mut Job<'_>) -> Result<(), WalkError> {
        let (before, line) = self.event.split_at(self.line.min(self.event.len()));
        let line = match before {
            [] if !self.begun => front::unmarked(line),
            _ => line,
        };
        if !line.starts_with(b"data:") {
            return Ok(());
        }
        self.lines_of_data += 1;
        if self.lines_of_data != 2 {
            return Ok(());
        }
        let Some(end) = end_of_value(before, !self.begun) else {
            return Ok(());
        };
        let next = self.event.split_off(end);
        let line = self.line - end;
        self.end_event(job)?;
        self.event = next;
        self.line = line;
        self.lines_of_data = 1;
        Ok(())
    }

    fn end_event(&mut self, job: &mut Job<'_>) -> Result<(), WalkError> {
        let event = std::mem::take(&mut self.event);
        self.line = 0;
        self.lines_of_data = 0;
        if event.is_empty() {
            return Ok(());
        }
        let event = match job.mask.fields() {
            Some(fields) => edited(fields, event, !self.begun)?,
            None => event,
        };
        let texts = &mut self.texts;
        if self.templates.feed(&event, texts, (job.mask, job.found)) {
            self.texts.release(job.mask, job.found, job.out);
            // The next event is about as long.
            if event.capacity() <= MAX_KEPT_ROOM_BYTES {
                self.event = event;
                self.event.clear();
            }
            return Ok(());
        }
        let first = !std::mem::replace(&mut self.begun, true);
        let mut lines = Lines::read(&event, first);
        if self.doubtful {
            lines.mask_all(&event);
        }
        let joined = lines.payload(&event);
        let payload = stream_event::read(&joined, (job.mask, job.layout))?;
        // An event without a name is called so (HTML, section 9.2.6).
        let name = event.get(lines.name.0..lines.name.1).unwrap_or_default();
        let name = Some(name).filter(|name| *name != b"message");
        let name = name.unwrap_or_default();
        let text = text_id::of_kind(&PLAIN, name);
        // A word of plain text may stand in quotes, too.
        let string = || stream_event::read_string(&joined, false);
        let payload = payload.or_else(|| string().filter(|_| !self.texts.has_begun(&text)));
        let payload = payload.map(|payload| payload.in_event(name));
        let mut writer = EntryWriter::new(&mut self.texts, job.mask, job.found, &event);
        match &payload {
            Some(payload) => json(&mut writer, &lines, payload),
            None => plain(&mut writer, &lines, &text, &event),
        }
        let unchanged = writer.end();
        if let (Some(payload), [(start, _)], []) =
            (&payload, lines.data.as_slice(), lines.other.as_slice())
        {
            self.templates.learn(&event, *start, payload, unchanged);
        }
        let done = joined.trim_ascii() == b"[DONE]";
        let ends = payload
            .as_ref()
            .map(|payload| payload.ends.as_slice())
            .unwrap_or_default();
        if done || !ends.is_empty() {
            self.texts.finish(job.mask, job.found, |owner| {
                done || ends.iter().any(|end| end.ends(owner))
            });
        }
        self.texts.release(job.mask, job.found, job.out);
        Ok(())
    }
}

/// Where the line ends that is all of an event's data, if that is one value of JSON.
fn end_of_value(lines: &[u8], first: bool) -> Option<usize> {
    let data = Lines::read(lines, first).data;
    let [(start, end)] = *data.as_slice() else {
        return None;
    };
    let whole = front::is_whole(lines.get(start..end).unwrap_or_default().trim_ascii());
    let ends = match lines.get(end..)? {
        [b'\r', b'\n', ..] => 2,
        _ => 1,
    };
    whole.then_some(end + ends)
}

/// The parts of an event that hold text, as ranges of its bytes.
#[derive(Debug, Default)]
struct Lines {
    /// The values of its `data` fields.
    data: Vec<Range>,
    /// Comments and what is no field.
    other: Vec<Range>,
    /// The value of its last `event` field.
    name: Range,
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
            let length = memchr::memchr2(b'\r', b'\n', rest).unwrap_or(rest.len());
            let (line, after) = rest.split_at(length);
            let end = start + length;
            let field = line.split(|byte| *byte == b':').next().unwrap_or_default();
            let value = line.get(field.len() + 1..).unwrap_or_default();
            let value = value.strip_prefix(b" ").unwrap_or(value);
            let value = (end - value.len(), end);
            match field {
                b"data" => {
                    lines.data.push(value);
                    lines.adjacent.push(after_data);
                }
                b"event" => lines.name = value,
                b"id" | b"retry" => {}
                _ if line.is_empty() => {}
                _ => lines.other.push((start, end)),
            }
            after_data = field == b"data";
            start = end + if after.starts_with(b"\r\n") { 2 } else { 1 };
        }
        // Langflow leaves the field's name out (langflow's event_manager.py, typed text/event-stream).
        if let ([], [(start, end)]) = (lines.data.as_slice(), lines.other.as_slice())
            && matches!(event.get(*start..*end), Some([b'{' | b'[', ..]))
        {
            lines.data.append(&mut lines.other);
            lines.adjacent.push(false);
        }
        lines
    }

    /// Takes all lines but those of data for text.
    fn mask_all(&mut self, event: &[u8]) {
        let mut start = 0;
        self.other.clear();
        for line in event.split_inclusive(|byte| matches!(byte, b'\r' | b'\n')) {
            let end = start + line.trim_ascii_end().len();
            let is_data = self
                .data
                .iter()
                .any(|(from, _)| (start..=end).contains(from));
            if start < end && !is_data {
                self.other.push((start, end));
            }
            start += line.len();
        }
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

/// An event whose JSON is edited as the mask says.
fn edited(fields: &Fields, event: Vec<u8>, first: bool) -> Result<Vec<u8>, WalkError> {
    let lines = Lines::read(&event, first);
    let data = lines.payload(&event);
    if !matches!(data.trim_ascii_start(), [b'{' | b'[', ..]) {
        return Ok(event);
    }
    match lines.data.as_slice() {
        [range] => fields::edit_part(fields, &event, *range),
        // JSON that goes over several lines is rare, and its lines can't be edited one by one.
        _ => {
            let whole = fields::edit(fields, &data)?;
            if whole == *data {
                Ok(event)
            } else {
                Err(WalkError::Malformed)
            }
        }
    }
}

/// Gives the text in an event's JSON, and in what is no field, to the matcher.
fn json(writer: &mut EntryWriter<'_>, lines: &Lines, payload: &Payload) {
    let mut data = lines.data.iter().copied();
    let mut other = lines.other.iter().copied().peekable();
    let (mut line, mut before) = (data.next().unwrap_or_default(), 0);
    for segment in &payload.segments {
        // Neither a string nor a number goes over a line's end.
        while segment.start - before > line.1 - line.0 {
            before += line.1 - line.0 + 1;
            let Some(next) = data.next() else { return };
            line = next;
        }
        let range = (
            line.0 + segment.start - before,
            line.0 + segment.end - before,
        );
        while let Some(comment) = other.next_if(|comment| comment.0 < range.0) {
            writer.whole(comment, Writing::Line);
        }
        writer.segment(range, segment.kind, payload);
    }
    for comment in other {
        writer.whole(comment, Writing::Line);
    }
}

/// As [`json`], for an event whose data is not JSON.
fn plain(writer: &mut EntryWriter<'_>, lines: &Lines, text: &Id, event: &[u8]) {
    let is_more = |line: Range| !front::is_field(event.get(line.0..line.1).unwrap_or_default());
    let mut other = lines.other.iter().copied().peekable();
    let text = (text, Owner::default());
    for (at, (range, adjacent)) in lines.data.iter().zip(&lines.adjacent).enumerate() {
        while let Some(line) = other.next_if(|line| line.0 < range.0) {
            beside(writer, line, text, at > 0 && is_more(line));
        }
        if at == 0 {
            writer.piece(*range, text, Writing::Line);
        } else {
            writer.next_line(*range, text, *adjacent);
        }
    }
    for line in other {
        beside(writer, line, text, !lines.data.is_empty() && is_more(line));
    }
}

/// A line that is none of data. Behind data, one that is no field at all is more of it, from a server that
/// writes line ends as they come.
fn beside(writer: &mut EntryWriter<'_>, line: Range, text: (&Id, Owner), is_more: bool) {
    match is_more {
        true => writer.next_line(line, text, true),
        false => writer.whole(line, Writing::Line),
    }
}
