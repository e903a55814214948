//! Events that are like one before them.
//!
//! The events of a model's answer differ in little more than the text that they carry. One that
//! was read whole is kept as a template; of the next, only what differs is looked at. Where it
//! fits, it reads exactly as it would if it were read whole: the same bytes stand between the same
//! values, the values that tell texts apart are the same, and so all that is left of reading is to
//! find where the others end.

use std::rc::Rc;

use super::entry_writer::EntryWriter;
use super::findings::Findings;
use super::scalar;
use super::stream_event::{Kind, Payload, Segment};
use super::texts::{Id, Owner, Texts};
use super::writing::Writing;
use crate::CompiledMask;
use crate::prefilter::end_of_string;
use base::bytes;
use base::wire::Range;

/// Templates that are kept: a stream has some choices, or a tool's arguments beside a text.
const MAX_TEMPLATES: usize = 4;
/// A longer event is no template.
const MAX_TEMPLATE_BYTES: usize = 4096;

/// The templates of one stream, the last used first.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Templates(Vec<Rc<Template>>);

/// An event with exactly one piece of a text that goes on, which ends nothing and in whose other
/// values nothing matched.
#[derive(Debug, PartialEq)]
struct Template {
    bytes: Vec<u8>,
    /// The values, in their order, at their places in `bytes`.
    segments: Vec<Segment>,
    piece: Range,
    text: (Id, Owner, Writing),
}

impl Templates {
    /// Gives the text in an event to the matcher if the event is like one before; false if it is
    /// not, and has to be read whole.
    pub(super) fn feed(
        &mut self,
        event: &[u8],
        texts: &mut Texts,
        (mask, found): (&CompiledMask, &mut Findings),
    ) -> bool {
        for index in 0..self.0.len() {
            let Some(template) = self.0.get(index).map(Rc::clone) else {
                break;
            };
            if let Some(piece) = template.same_but_for_text(event) {
                let mut writer = EntryWriter::new(texts, mask, found, event);
                template.piece(piece, &mut writer);
                writer.end();
                self.used(index);
                return true;
            }
            if let Some(places) = template.places(event) {
                let mut writer = EntryWriter::new(texts, mask, found, event);
                for (segment, place) in template.segments.iter().zip(places) {
                    let known = template.slice((segment.start, segment.end));
                    match segment.kind {
                        Kind::Piece(_) => template.piece(place, &mut writer),
                        _ if bytes::same(writer.slice(place), known) => {}
                        Kind::Whole(writing) => writer.whole(place, writing),
                        Kind::Scalar => writer.scalar(place, scalar::mask),
                        Kind::Number => writer.scalar(place, scalar::mask_to_number),
                        Kind::Token(..)
                        | Kind::Copy(..)
                        | Kind::CopyEnd
                        | Kind::File
                        | Kind::Perhaps(_)
                        | Kind::Kept(_)
                        | Kind::Label(_)
                        | Kind::Dropped => {}
                    }
                }
                writer.end();
                self.used(index);
                return true;
            }
        }
        false
    }

    /// Keeps an event that was read whole as a template, if it is fit for one. Its payload begins
    /// at `start`; `unchanged` says that nothing matched in its values but for the texts that go
    /// on.
    pub(super) fn learn(&mut self, event: &[u8], start: usize, payload: &Payload, unchanged: bool) {
        let mut pieces = payload
            .segments
            .iter()
            .filter(|segment| matches!(segment.kind, Kind::Piece(_)));
        let (Some(piece), None) = (pieces.next(), pieces.next()) else {
            return;
        };
        let [text] = payload.texts.as_slice() else {
            return;
        };
        let values = |segment: &Segment| {
            matches!(
                segment.kind,
                Kind::Whole(_) | Kind::Piece(_) | Kind::Scalar | Kind::Number
            )
        };
        if !payload.segments.iter().all(values) {
            return;
        }
        if !unchanged || !payload.ends.is_empty() || event.len() > MAX_TEMPLATE_BYTES {
            return;
        }
        let segments = payload.segments.iter().map(|segment| Segment {
            start: start + segment.start,
            end: start + segment.end,
            ..*segment
        });
        self.0.truncate(MAX_TEMPLATES - 1);
        let template = Template {
            bytes: event.to_vec(),
            segments: segments.collect(),
            piece: (start + piece.start, start + piece.end),
            text: *text,
        };
        self.0.insert(0, Rc::new(template));
    }

    fn used(&mut self, index: usize) {
        if let Some(first) = self.0.get_mut(..=index) {
            first.rotate_right(1);
        }
    }
}

impl Template {
    fn slice(&self, (start, end): Range) -> &[u8] {
        self.bytes.get(start..end).unwrap_or_default()
    }

    fn piece(&self, place: Range, writer: &mut EntryWriter<'_>) {
        let (id, owner, writing) = &self.text;
        writer.goes_on(place, (id, *owner), *writing, true);
    }

    /// Where the text stands in an event that has the same bytes but for it.
    fn same_but_for_text(&self, event: &[u8]) -> Option<Range> {
        let before = self.slice((0, self.piece.0));
        let after = self.slice((self.piece.1, self.bytes.len()));
        let text = bytes::in_front(bytes::behind(event, before)?, after)?;
        is_string(text).then_some((before.len(), before.len() + text.len()))
    }

    /// Where each value stands in an event that has the same bytes between them.
    fn places(&self, event: &[u8]) -> Option<Vec<Range>> {
        let mut places = Vec::with_capacity(self.segments.len());
        let mut rest = event;
        let mut behind = 0;
        for segment in &self.segments {
            rest = bytes::behind(rest, self.slice((behind, segment.start)))?;
            behind = segment.end;
            let known = self.slice((segment.start, segment.end));
            let length = match segment.kind {
                Kind::Scalar | Kind::Number => scalar_end(rest),
                Kind::Whole(_) | Kind::Piece(_) => end_of_string(rest, false).0?,
                // No template has them.
                Kind::Token(..)
                | Kind::Copy(..)
                | Kind::CopyEnd
                | Kind::File
                | Kind::Perhaps(_)
                | Kind::Kept(_)
                | Kind::Label(_)
                | Kind::Dropped => {
                    return None;
                }
            };
            let value = rest.get(..length)?;
            let fits = match segment.kind {
                Kind::Piece(_) => is_string(value),
                _ if bytes::same(value, known) => true,
                Kind::Whole(_) => segment.varies && is_string(value),
                Kind::Scalar | Kind::Number => segment.varies && scalar::is_scalar(value),
                Kind::Token(..)
                | Kind::Copy(..)
                | Kind::CopyEnd
                | Kind::File
                | Kind::Perhaps(_)
                | Kind::Kept(_)
                | Kind::Label(_)
                | Kind::Dropped => false,
            };
            if !fits {
                return None;
            }
            let start = event.len() - rest.len();
            places.push((start, start + length));
            rest = rest.get(length..)?;
        }
        bytes::same(rest, self.slice((behind, self.bytes.len()))).then_some(places)
    }
}

/// Whether these bytes are the content of one string on one line.
fn is_string(bytes: &[u8]) -> bool {
    end_of_string(bytes, false) == (None, false) && memchr::memchr2(b'\r', b'\n', bytes).is_none()
}

fn scalar_end(bytes: &[u8]) -> usize {
    let ends = |byte: &u8| b"{}[]:,\" \t\r\n".contains(byte);
    bytes.iter().position(ends).unwrap_or(bytes.len())
}
