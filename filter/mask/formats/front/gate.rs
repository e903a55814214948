//! What lets the lines of a stream pass that is called something else, as long as they are lines of it.

use super::{Called, SEPARATOR, Shape, coded_lines, events, value};

/// The longest line that is held: a longer one is read as what the body is called.
const MAX_LINE_BYTES: usize = 1024 * 1024;
/// More than the longest name of a field.
const MAX_NAME_BYTES: usize = 16;

/// What a private key stands between (RFC 7468).
const KEY_BEGINS: &[u8] = b"-----BEGIN ";
const KEY_ENDS: &[u8] = b"-----END ";
/// The longest line in front of a key.
const MAX_KEY_FRONT_BYTES: usize = 64;
/// The shortest line of a key that is taken for one.
const MIN_KEY_LINE_BYTES: usize = 16;

/// Holds each line until its end.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::formats) struct Gate {
    shape: Shape,
    /// Lines may be any values of JSON.
    values: bool,
    line: Vec<u8>,
    /// The line in front of a private key that has begun in a line that fitted, and not ended.
    key: Option<Vec<u8>>,
}

/// The line in front of a key, of which more may stand behind it.
fn front_of_key(bytes: &[u8]) -> Option<Vec<u8>> {
    const DASHES: &[u8] = b"-----";
    let name = bytes.get(KEY_BEGINS.len()..MAX_KEY_FRONT_BYTES.min(bytes.len()))?;
    let end = memchr::memmem::find(name, DASHES)?;
    let whole = bytes.get(..KEY_BEGINS.len() + end + DASHES.len())?;
    Some([whole, b"\n"].concat())
}

impl Gate {
    /// For a body that seems to be this, and is called something else.
    pub(in crate::formats) fn new(shape: Shape, called: Called) -> Self {
        Self {
            shape,
            values: called.has_values(),
            line: Vec::new(),
            key: None,
        }
    }

    /// Takes bytes up to the end of the line, as far as they are there, and gives what stands behind them. The
    /// line is whole if it has ended.
    pub(in crate::formats) fn take<'a>(&mut self, piece: &'a [u8]) -> (bool, &'a [u8]) {
        let end = memchr::memchr2(b'\r', b'\n', piece);
        let (now, later) = piece.split_at(end.map_or(piece.len(), |end| end + 1));
        self.line.extend_from_slice(now);
        (end.is_some(), later)
    }

    /// What has come of the line.
    pub(in crate::formats) fn line(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.line)
    }

    pub(in crate::formats) fn held(&self) -> usize {
        self.line.len()
    }

    /// Whether the line that has not ended may still be one that the body can have.
    pub(in crate::formats) fn may_fit(&self) -> bool {
        let line = self.line.as_slice();
        if line.len() > MAX_LINE_BYTES {
            return false;
        }
        // Whether it is a key's shows at its end.
        if self.key.is_some() {
            return true;
        }
        let begins = line.get(..MAX_NAME_BYTES).unwrap_or(line);
        match self.shape {
            Shape::Events => line.len() < MAX_NAME_BYTES || events::is_field(begins),
            Shape::CodedLines => coded_lines::begins(line) != Some(false),
            _ => {
                self.values
                    || matches!(
                        begins.trim_ascii_start(),
                        [] | [b'{' | SEPARATOR | b'[', ..]
                    )
            }
        }
    }

    /// Whether the body can have such a line.
    pub(in crate::formats) fn fits(&mut self, line: &[u8]) -> bool {
        if !self.is_one(line) {
            return false;
        }
        let begins = memchr::memmem::rfind(line, KEY_BEGINS);
        let ends = memchr::memmem::rfind(line, KEY_ENDS);
        if begins > ends {
            self.key = begins.and_then(|at| front_of_key(line.get(at..)?));
        } else if ends.is_some() {
            self.key = None;
        }
        true
    }

    /// What stands in front of a line that doesn't fit, if that could be one of a private key which has begun in
    /// an earlier line.
    pub(in crate::formats) fn key(&mut self, line: &[u8]) -> Option<Vec<u8>> {
        let line = line.trim_ascii_end();
        let fits = |byte: &u8| byte.is_ascii_alphanumeric() || b"+/=".contains(byte);
        let key = self.key.take();
        key.filter(|_| line.len() >= MIN_KEY_LINE_BYTES && line.iter().all(fits))
    }

    fn is_one(&self, line: &[u8]) -> bool {
        let line = line.trim_ascii_end();
        if line.is_empty() || line == b"[DONE]" {
            return true;
        }
        match self.shape {
            Shape::Events => events::is_field(line) || line == b"data",
            Shape::CodedLines => {
                let coded = line.get(2..).is_some_and(value::is_whole);
                coded && coded_lines::begins(line) == Some(true)
            }
            _ => {
                let marks = line.iter().take_while(|byte| **byte == SEPARATOR).count();
                let value = line.get(marks..).unwrap_or_default();
                value.is_empty()
                    || ((self.values || value.starts_with(b"{")) && value::is_whole(value))
            }
        }
    }
}
