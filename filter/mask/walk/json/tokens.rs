//! Lists of tokens with their probabilities, in a body that is not a stream.
//!
//! Their strings spell a text token by token, so that none of them shows what all of them say. So
//! such a list is held until it is whole, within a bound, and masked as the list of an event is.
//! One that is longer is left out: `null` stands in its place.

use super::super::feed::Feed;
use super::super::payload;
use super::super::texts::Texts;
use super::{Job, Json, State};
use crate::mask::scan::end_of_string;

/// The longest list that is masked, in bytes.
const LONGEST: usize = 4 * 1024 * 1024;

/// A list of tokens, as far as it has come.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct List {
    name: Vec<u8>,
    /// Objects and arrays that are open.
    depth: usize,
    /// Within a string, and whether the last byte was a backslash.
    string: Option<bool>,
    /// It is too long, and left out.
    over: bool,
}

impl List {
    /// One that may come behind this name, which stands in quotes and may have space behind it.
    pub(super) fn named(key: &[u8]) -> Option<Self> {
        let name = bare(key)?;
        payload::lists_tokens(name).then(|| Self {
            name: name.to_vec(),
            depth: 0,
            string: None,
            over: false,
        })
    }

    /// Where in the piece the list ends, if it does.
    fn end(&mut self, piece: &[u8]) -> Option<usize> {
        let mut at = 0;
        while let Some(byte) = piece.get(at) {
            if let Some(escaped) = self.string {
                let rest = piece.get(at..).unwrap_or_default();
                let (end, escaped) = end_of_string(rest, escaped);
                self.string = end.is_none().then_some(escaped);
                at += end.map_or(rest.len(), |end| end + 1);
                continue;
            }
            match byte {
                b'"' => self.string = Some(false),
                b'{' | b'[' => self.depth = self.depth.saturating_add(1),
                b'}' | b']' => self.depth = self.depth.saturating_sub(1),
                _ => {}
            }
            at += 1;
            if self.depth == 0 {
                return Some(at);
            }
        }
        None
    }
}

/// A name without its quotes and the space behind it.
fn bare(key: &[u8]) -> Option<&[u8]> {
    let name = key.trim_ascii_end().strip_prefix(b"\"")?;
    name.strip_suffix(b"\"")
}

/// Whether the string behind this name holds JSON.
pub(super) fn holds_json(key: &[u8]) -> bool {
    bare(key).is_some_and(payload::holds_json)
}

impl Json {
    /// Whether the list of tokens that may come begins with the next byte.
    pub(super) fn begins_tokens(&mut self, byte: u8) -> bool {
        let space = matches!(byte, b' ' | b'\t' | b'\r' | b'\n' | b':');
        let begins = !self.lists_are_over && matches!(byte, b'{' | b'[');
        if begins && self.grammar.expects_value() {
            self.state = State::Tokens;
            return true;
        }
        if !space {
            self.tokens = None;
        }
        false
    }

    pub(super) fn in_tokens(&mut self, piece: &[u8], job: &mut Job<'_>) -> usize {
        let Some(list) = &mut self.tokens else {
            self.state = State::Outside;
            return 0;
        };
        let end = list.end(piece);
        let length = end.unwrap_or(piece.len());
        if !list.over {
            self.run
                .extend_from_slice(piece.get(..length).unwrap_or(piece));
            if self.run.len() > LONGEST {
                list.over = true;
                self.run = Vec::new();
                job.out.extend_from_slice(b"null");
            }
        }
        if end.is_some() {
            self.end_tokens(job);
        }
        length
    }

    fn end_tokens(&mut self, job: &mut Job<'_>) {
        let Some(list) = self.tokens.take() else {
            return;
        };
        self.state = State::Outside;
        if list.over {
            self.grammar.scalar();
            return;
        }
        let Ok(Some(payload)) = payload::read_tokens(&list.name, &self.run) else {
            // No JSON, or nothing is in it.
            self.replay(job);
            return;
        };
        self.grammar.scalar();
        let list = std::mem::take(&mut self.run);
        let mut texts = Texts::default();
        let mut feed = Feed::new(&mut texts, job.engine, job.counts, &list);
        for segment in &payload.segments {
            feed.segment((segment.start, segment.end), segment.kind, &payload);
        }
        feed.end();
        texts.finish(job.engine, job.counts, |_| true);
        texts.release(job.engine, job.counts, job.out);
    }

    /// What is held is read as if it were no list of tokens: it is not whole, or no JSON. Unless
    /// it is empty, the body is broken, and no list is looked for any more.
    pub(super) fn replay(&mut self, job: &mut Job<'_>) {
        let held = std::mem::take(&mut self.run);
        self.tokens = None;
        self.lists_are_over |= memchr::memchr(b'"', &held).is_some();
        self.state = State::Outside;
        self.take(&held, job);
    }
}
