//! Lists of tokens with their probabilities, in a body that is not a stream.
//!
//! Their strings spell a text token by token, so that none of them shows what all of them say. So
//! such a list is held until it is whole, within a bound, and masked as the list of an event is.
//! One that is longer is left out: `null` stands in its place.

use super::super::entry_writer::EntryWriter;
use super::super::layout::At;
use super::super::stream_event;
use super::super::texts::Texts;
use super::super::walk::Job;
use crate::formats::extent::Extent;

/// The longest list that is masked, in bytes.
const MAX_TOKEN_LIST_BYTES: usize = 4 * 1024 * 1024;

/// A list of tokens, as far as it has come.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct List {
    name: Vec<u8>,
    extent: Extent,
    /// It is too long, and left out.
    over: bool,
}

impl List {
    /// One that may come behind this name, which stands in quotes and may have space behind it.
    pub(super) fn named(key: &[u8]) -> Option<Self> {
        let name = bare(key)?;
        stream_event::lists_tokens(name).then(|| Self {
            name: name.to_vec(),
            extent: Extent::default(),
            over: false,
        })
    }

    /// Whether it is too long, and left out.
    pub(super) fn is_over(&self) -> bool {
        self.over
    }

    /// Takes a list that has `held` bytes so far to be too long if it is. True the first time.
    pub(super) fn is_over_at(&mut self, held: usize) -> bool {
        let over = !self.over && held > MAX_TOKEN_LIST_BYTES;
        self.over |= over;
        over
    }

    /// Masks the list, which is whole and stands at this place; false, with nothing written, if it is no JSON or nothing is
    /// in it.
    pub(super) fn mask(&self, list: &[u8], at: At, job: &mut Job<'_>) -> bool {
        let known = (job.layout, at);
        let Ok(Some(payload)) = stream_event::read_tokens(&self.name, list, known) else {
            return false;
        };
        let mut texts = Texts::default();
        let mut writer = EntryWriter::new(&mut texts, job.mask, job.found, list);
        for segment in &payload.segments {
            writer.segment((segment.start, segment.end), segment.kind, &payload);
        }
        writer.end();
        texts.finish(job.mask, job.found, |_| true);
        texts.release(job.mask, job.found, job.out);
        true
    }

    /// Where in the piece the list ends, if it does.
    pub(super) fn end(&mut self, piece: &[u8]) -> Option<usize> {
        self.extent.end(piece)
    }
}

/// A name without its quotes and the space behind it.
fn bare(key: &[u8]) -> Option<&[u8]> {
    let name = key.trim_ascii_end().strip_prefix(b"\"")?;
    name.strip_suffix(b"\"")
}

/// Whether the string behind this name holds JSON.
pub(super) fn holds_json(key: &[u8]) -> bool {
    bare(key).is_some_and(stream_event::holds_json)
}
