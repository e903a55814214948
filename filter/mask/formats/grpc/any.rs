//! Messages whose schema is not known, read by their wire format alone.
//!
//! A length-delimited field may be a string, a message, packed numbers, or bytes. What it is taken
//! for errs on the side of text:
//!
//! - what is not a whole message and is UTF-8, or nine parts in ten printable ASCII, is text;
//! - what is not a whole message and neither of these is data, and passes;
//! - what is a whole message and has bytes that no line of text has is a message;
//! - what is a whole message and reads as a line of text as well (`P1` is a field number 10 of
//!   value 49) is masked as a message first. If then, read as a text, something is left in it that
//!   a detector finds, it is a text after all. If nothing was found either way, it is a message if
//!   all of its fields are length-delimited, and otherwise a text.
//!
//! A text goes on in the next message of a stream where the same fields lead to it, unless a
//! detector finds something in the string alone: strings that have nothing to do with one another
//! could hide what is in them by what the next one begins with.
//!
//! # What it can't
//! - A string with a control character whose bytes happen to be a whole message is read as one, so
//!   that what of it stands in the place of numbers is not seen.
//! - Of the strings from 34 to 128 bytes, less than one in a thousand is a message of one string by
//!   chance. If something in it is masked, its second character is changed, as if it were a length.
//! - Packed numbers that happen to read as text are masked as text, should a detector find
//!   something in them; so is a string of length-prefixed strings that is no message.
//! - Strings that repeat from message to message, such as ids, are read as if they went on. So a
//!   message may wait for the next one, and what two of them make together may be masked. And a
//!   match that ends with its string is masked there, even where the text goes on (`1.2.3.4`, `5`).
//! - Groups, which proto3 does not have, make a message malformed.

use sha2::{Digest, Sha256};

use super::super::WalkError;
use super::super::entry_writer::EntryWriter;
use super::super::pending_entries::Length;
use super::super::texts::{Id, Owner};
use super::super::writing::Writing;
use crate::{Matcher, Sink, Text};
use base::wire::{Fields, Range, Value};

/// The deepest nesting that is followed. Protobuf's libraries read no deeper messages either.
const MAX_DEPTH: usize = 100;
/// The most length-delimited fields of one message.
const MAX_FIELDS: usize = 1 << 17;
/// The most texts of one message that may go on in the next. A message with more is a whole answer.
const MAX_STREAMED_TEXTS: usize = 64;
/// What reads as a message and as a text is looked at both ways up to this length. A longer text
/// is not by chance a whole message.
const MAX_DOUBTFUL_BYTES: usize = 1024;

/// A length-delimited field.
#[derive(Debug)]
struct Found {
    prefix: Range,
    bytes: Range,
    kind: Kind,
    /// What tells the text from others, for a text.
    id: Id,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Text,
    /// The fields that follow in the list and lie in its range are its own.
    Message,
}

/// Walks through one message.
pub(in crate::formats) struct Any<'a> {
    bytes: &'a [u8],
    matcher: &'a Matcher,
    /// In the order in which they stand, outer ones before inner ones.
    found: Vec<Found>,
}

impl<'a> Any<'a> {
    /// Reads the message at `range`.
    ///
    /// # Errors
    /// It is not one, or has more fields than are followed.
    pub(in crate::formats) fn read(
        bytes: &'a [u8],
        range: Range,
        matcher: &'a Matcher,
    ) -> Result<Self, WalkError> {
        let mut this = Self {
            bytes,
            matcher,
            found: Vec::new(),
        };
        this.survey(range, Id::default(), 0)?;
        Ok(this)
    }

    /// Gives its texts to the matcher.
    pub(in crate::formats) fn feed(&self, writer: &mut EntryWriter<'_>) {
        let texts = self.found.iter().filter(|one| one.kind == Kind::Text);
        let streamed = texts.count() <= MAX_STREAMED_TEXTS;
        let mut open: Vec<usize> = Vec::new();
        for one in &self.found {
            while let Some(end) = open.pop_if(|end| *end <= one.prefix.0) {
                writer.end_counted(end);
            }
            let length = one.bytes.1 - one.bytes.0;
            writer.begin_counted(Length::Varint, one.prefix, length);
            open.push(one.bytes.1);
            match one.kind {
                Kind::Message => {}
                Kind::Text if streamed && !finds(self.matcher, self.slice(one.bytes)) => {
                    writer.piece(one.bytes, (&one.id, Owner::default()), Writing::Raw);
                }
                Kind::Text => {
                    writer.end_text(&one.id);
                    writer.whole(one.bytes, Writing::Raw);
                }
            }
        }
        while let Some(end) = open.pop() {
            writer.end_counted(end);
        }
    }

    fn slice(&self, (start, end): Range) -> &'a [u8] {
        self.bytes.get(start..end).unwrap_or_default()
    }

    /// Lists the fields of the message at `range`, to which `path` leads.
    fn survey(&mut self, range: Range, path: Id, depth: usize) -> Result<(), WalkError> {
        // How often each field has occurred. A list will do: most fields occur once.
        let mut times: Vec<(u64, u64)> = Vec::new();
        let mut fields = Fields::new(self.bytes, range);
        while let Some(field) = fields.read_next()? {
            let Value::Counted { prefix, bytes } = field.value else {
                continue;
            };
            let content = self.slice(bytes);
            let message = !content.is_empty() && self.is_message(bytes);
            if !message && !reads(content) {
                continue;
            }
            if self.found.len() == MAX_FIELDS {
                return Err(WalkError::TooManyTexts);
            }
            // A message with that many different fields is not part of a stream.
            let known = times.len();
            let time = match times.iter_mut().find(|(number, _)| *number == field.number) {
                Some((_, time)) => {
                    *time += 1;
                    *time
                }
                None if known == MAX_STREAMED_TEXTS => u64::MAX,
                None => {
                    times.push((field.number, 0));
                    0
                }
            };
            let mut digest = Sha256::new();
            digest.update(path);
            digest.update(field.number.to_le_bytes());
            digest.update(time.to_le_bytes());
            let id: Id = digest.finalize().into();
            let at = self.found.len();
            self.found.push(Found {
                prefix,
                bytes,
                kind: Kind::Text,
                id,
            });
            if message {
                if depth == MAX_DEPTH {
                    return Err(WalkError::Malformed);
                }
                self.survey(bytes, id, depth + 1)?;
                if self.is_message_after_all(at) {
                    if let Some(one) = self.found.get_mut(at) {
                        one.kind = Kind::Message;
                    }
                } else {
                    self.found.truncate(at + 1);
                }
            }
        }
        Ok(())
    }

    /// Whether the bytes are the fields of a message, from the first to the last.
    fn is_message(&self, range: Range) -> bool {
        let mut fields = Fields::new(self.bytes, range);
        loop {
            match fields.read_next() {
                Ok(Some(_)) => {}
                Ok(None) => return true,
                Err(_) => return false,
            }
        }
    }

    /// Whether what is a message by its wire format, the field at this place of the list, is to be
    /// taken for one. Its own fields follow it in the list.
    fn is_message_after_all(&self, at: usize) -> bool {
        let Some((one, inner)) = self.found.get(at..).and_then(<[Found]>::split_first) else {
            return false;
        };
        let content = self.slice(one.bytes);
        if !is_line(content) || content.len() > MAX_DOUBTFUL_BYTES {
            return true;
        }
        let masked = self.masked(one.bytes, inner);
        if finds(self.matcher, &masked) {
            return false;
        }
        masked != content || self.is_counted(one.bytes)
    }

    /// Whether all fields of the message are length-delimited.
    fn is_counted(&self, range: Range) -> bool {
        let mut fields = Fields::new(self.bytes, range);
        while let Ok(Some(field)) = fields.read_next() {
            if !matches!(field.value, Value::Counted { .. }) {
                return false;
            }
        }
        true
    }

    /// The message at `range` with its texts masked. Lengths stay as they are: nobody reads them.
    fn masked(&self, range: Range, inner: &[Found]) -> Vec<u8> {
        let mut masked = Vec::new();
        let mut at = range.0;
        for text in inner.iter().filter(|one| one.kind == Kind::Text) {
            masked.extend_from_slice(self.slice((at, text.bytes.0)));
            let content = self.slice(text.bytes);
            if finds(self.matcher, content) {
                // Whatever stands there, it is no text any more.
                masked.push(0);
            } else {
                masked.extend_from_slice(content);
            }
            at = text.bytes.1;
        }
        masked.extend_from_slice(self.slice((at, range.1)));
        masked
    }
}

/// Whether bytes that are no message are text.
fn reads(bytes: &[u8]) -> bool {
    let printable = |byte: &&u8| matches!(byte, b' '..=b'~' | b'\t' | b'\n' | b'\r');
    let many = || bytes.iter().filter(printable).count() >= bytes.len() - bytes.len() / 10;
    !bytes.is_empty() && (std::str::from_utf8(bytes).is_ok() || many())
}

/// Whether the bytes could be a line of text, or several.
fn is_line(bytes: &[u8]) -> bool {
    let control = |byte: &u8| matches!(byte, 0..=8 | 11 | 12 | 14..=31 | 127);
    !bytes.iter().any(control) && std::str::from_utf8(bytes).is_ok()
}

/// Whether a detector finds something in the text.
fn finds(matcher: &Matcher, text: &[u8]) -> bool {
    struct Found(bool);

    impl Sink for Found {
        fn keep(&mut self, _len: usize) {}

        fn replace(&mut self, _len: usize, _with: &str, _detector: usize) {
            self.0 = true;
        }
    }

    let mut found = Found(false);
    let mut read = Text::default();
    read.push(matcher, text, &mut found);
    read.finish(matcher, &mut found);
    found.0
}
