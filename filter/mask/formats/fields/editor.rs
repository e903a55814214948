//! Edits JSON as it streams.
//!
//! What stands in front of a value (its comma, its name, white space) waits until it is known what
//! becomes of the value, and no longer; the value itself never waits, but for numbers. A body that
//! turns out not to be JSON is given up: what a rule would have taken out could stand behind.

use super::super::grammar::{Grammar, Role};
use super::super::{WalkError, scalar};
use super::number;
use super::rules::{Edit, Fields, Live, Step};
use crate::prefilter::end_of_string;

/// Bytes that may stand between two values: names are seldom as long as a hundred.
const MAX_GAP_BYTES: usize = 64 * 1024;
/// Nesting that is followed where rules hold at any depth.
const MAX_DEPTH: usize = 512;
/// A byte order mark may stand in front of the body.
const MARK: &[u8] = b"\xEF\xBB\xBF";

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum EditorPosition {
    #[default]
    Between,
    Name {
        escaped: bool,
    },
    String {
        escaped: bool,
    },
    Scalar,
}

/// An object or list in which rules may hold.
#[derive(Clone, Debug, PartialEq)]
struct Level {
    live: Live,
    object: bool,
    /// Items before the current one, as they came.
    index: usize,
    /// Something in it was kept.
    kept: bool,
}

/// A value in which no other rule holds.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Through {
    /// Whether it is written.
    write: bool,
    round: Option<u8>,
    /// Objects and lists in it that are open.
    depth: usize,
    /// Objects among them.
    objects: usize,
}

/// Edits one JSON body.
#[derive(Clone, Debug, Default, PartialEq)]
pub(in crate::formats) struct Editor {
    grammar: Grammar,
    position: EditorPosition,
    begun: bool,
    levels: Vec<Level>,
    through: Option<Through>,
    /// What stands in front of the next value.
    gap: Vec<u8>,
    /// Where in it the name stands, between its quotes.
    name: (usize, usize),
    token: Vec<u8>,
}

impl Editor {
    /// What waits.
    pub(in crate::formats) fn held(&self) -> usize {
        self.gap.len() + self.token.len()
    }

    /// Takes the next piece of the body.
    ///
    /// # Errors
    /// The body is not JSON, or more stands between two values than is held.
    pub(in crate::formats) fn push(
        &mut self,
        fields: &Fields,
        mut piece: &[u8],
        out: &mut Vec<u8>,
    ) -> Result<(), WalkError> {
        while let Some(byte) = piece.first() {
            let taken = match self.position {
                EditorPosition::Between => self.between(fields, *byte, out)?,
                EditorPosition::Name { escaped } => self.name(piece, escaped)?,
                EditorPosition::String { escaped } => self.string(piece, escaped, out),
                EditorPosition::Scalar => self.scalar(fields, piece, out)?,
            };
            piece = piece.get(taken..).unwrap_or_default();
        }
        Ok(())
    }

    /// The body ends here.
    ///
    /// # Errors
    /// As for [`Editor::push`].
    pub(in crate::formats) fn finish(
        &mut self,
        fields: &Fields,
        out: &mut Vec<u8>,
    ) -> Result<(), WalkError> {
        if self.position == EditorPosition::Scalar {
            self.end_scalar(fields, out)?;
        }
        out.append(&mut self.gap);
        Ok(())
    }

    fn between(
        &mut self,
        fields: &Fields,
        byte: u8,
        out: &mut Vec<u8>,
    ) -> Result<usize, WalkError> {
        match byte {
            b' ' | b'\t' | b'\r' | b'\n' => self.mark(byte, out)?,
            b',' | b':' => {
                self.grammar_takes(byte)?;
                self.mark(byte, out)?;
                if let (b',', None, Some(level)) = (byte, self.through, self.levels.last_mut()) {
                    level.index += 1;
                }
            }
            b'"' => match self.grammar.string().ok_or(WalkError::Malformed)? {
                Role::Key if self.through.is_none() => {
                    self.gap.push(byte);
                    self.name = (self.gap.len(), self.gap.len());
                    self.position = EditorPosition::Name { escaped: false };
                }
                Role::Key => {
                    self.write(&[byte], out);
                    self.position = EditorPosition::String { escaped: false };
                }
                Role::Value => {
                    self.begin(fields, None, out)?;
                    self.write(&[byte], out);
                    self.position = EditorPosition::String { escaped: false };
                }
            },
            b'{' | b'[' => {
                self.grammar_takes(byte)?;
                self.begin(fields, Some(byte == b'{'), out)?;
                self.write(&[byte], out);
            }
            b'}' | b']' => {
                self.grammar_takes(byte)?;
                self.close(byte, out);
            }
            _ => {
                self.position = EditorPosition::Scalar;
                return Ok(0);
            }
        }
        self.begun = true;
        Ok(1)
    }

    fn grammar_takes(&mut self, mark: u8) -> Result<(), WalkError> {
        if self.grammar.mark(mark) {
            Ok(())
        } else {
            Err(WalkError::Malformed)
        }
    }

    /// A byte between values.
    fn mark(&mut self, byte: u8, out: &mut Vec<u8>) -> Result<(), WalkError> {
        if self.through.is_some() {
            self.write(&[byte], out);
            return Ok(());
        }
        if self.levels.is_empty() {
            out.push(byte);
            return Ok(());
        }
        self.room(1)?;
        self.gap.push(byte);
        Ok(())
    }

    fn room(&self, more: usize) -> Result<(), WalkError> {
        if self.gap.len() + more > MAX_GAP_BYTES {
            Err(WalkError::TooLarge)
        } else {
            Ok(())
        }
    }

    /// A value begins: an object (`Some(true)`), a list, or neither.
    fn begin(
        &mut self,
        fields: &Fields,
        container: Option<bool>,
        out: &mut Vec<u8>,
    ) -> Result<(), WalkError> {
        if let Some(through) = &mut self.through {
            through.depth += usize::from(container.is_some());
            through.objects += usize::from(container == Some(true));
            return Ok(());
        }
        let (edit, live) = match self.levels.last() {
            None => (None, fields.all()),
            Some(level) => {
                let name = self.gap.get(self.name.0..self.name.1).unwrap_or_default();
                let step = if level.object {
                    Step::Member(name)
                } else {
                    Step::Item(level.index)
                };
                fields.at(&level.live, self.levels.len() - 1, step)
            }
        };
        let mut write = true;
        let mut round = None;
        match edit {
            Some(Edit::Remove) => {
                self.gap.clear();
                write = false;
            }
            Some(Edit::Replace(with)) => {
                self.keep_gap(out);
                let null = &b"null"[..];
                out.extend_from_slice(if with.is_empty() { null } else { with });
                write = false;
            }
            Some(Edit::Round(digits)) => {
                self.keep_gap(out);
                round = Some(*digits);
            }
            None => self.keep_gap(out),
        }
        let goes_on = edit.is_none() && (fields.hold_anywhere() || !live.is_empty());
        match container {
            Some(object) if goes_on => {
                if self.levels.len() >= MAX_DEPTH {
                    return Err(WalkError::TooLarge);
                }
                self.levels.push(Level {
                    live,
                    object,
                    index: 0,
                    kept: false,
                });
            }
            _ => {
                self.through = Some(Through {
                    write,
                    round,
                    depth: usize::from(container.is_some()),
                    objects: usize::from(container == Some(true)),
                });
            }
        }
        Ok(())
    }

    /// What stood in front of a value is kept with it; without its comma, if the value is the
    /// first that is kept.
    fn keep_gap(&mut self, out: &mut Vec<u8>) {
        let first = self.levels.last_mut().is_some_and(|level| {
            let first = !level.kept;
            level.kept = true;
            first
        });
        if first && self.gap.trim_ascii_start().first() == Some(&b',') {
            let comma = self.gap.iter().position(|byte| *byte == b',');
            self.gap.remove(comma.unwrap_or(0));
        }
        out.append(&mut self.gap);
    }

    fn close(&mut self, byte: u8, out: &mut Vec<u8>) {
        self.write(&[byte], out);
        if let Some(through) = &mut self.through {
            through.depth = through.depth.saturating_sub(1);
            if byte == b'}' {
                through.objects = through.objects.saturating_sub(1);
            }
            self.end_value();
        } else {
            self.levels.pop();
        }
    }

    /// A value of no other rule's ends, if it is not inside another one.
    fn end_value(&mut self) {
        if self.through.is_some_and(|through| through.depth == 0) {
            self.through = None;
        }
        self.position = EditorPosition::Between;
    }

    /// Bytes of a value, or behind the last value of an object or list.
    fn write(&mut self, bytes: &[u8], out: &mut Vec<u8>) {
        match self.through {
            Some(Through { write: false, .. }) => {}
            Some(_) => out.extend_from_slice(bytes),
            None => {
                out.append(&mut self.gap);
                out.extend_from_slice(bytes);
            }
        }
    }

    fn name(&mut self, piece: &[u8], escaped: bool) -> Result<usize, WalkError> {
        let (end, escaped) = end_of_string(piece, escaped);
        let length = end.map_or(piece.len(), |end| end + 1);
        self.room(length)?;
        self.gap
            .extend_from_slice(piece.get(..length).unwrap_or(piece));
        self.position = EditorPosition::Name { escaped };
        if end.is_some() {
            self.name.1 = self.gap.len() - 1;
            self.position = EditorPosition::Between;
        }
        Ok(length)
    }

    fn string(&mut self, piece: &[u8], escaped: bool, out: &mut Vec<u8>) -> usize {
        let (end, escaped) = end_of_string(piece, escaped);
        let length = end.map_or(piece.len(), |end| end + 1);
        self.write(piece.get(..length).unwrap_or(piece), out);
        self.position = EditorPosition::String { escaped };
        if end.is_some() {
            self.end_value();
        }
        length
    }

    fn scalar(
        &mut self,
        fields: &Fields,
        piece: &[u8],
        out: &mut Vec<u8>,
    ) -> Result<usize, WalkError> {
        let ends = |byte: &u8| b"{}[]:,\" \t\r\n".contains(byte);
        let length = piece.iter().position(ends);
        let part = piece.get(..length.unwrap_or(piece.len()));
        let part = part.unwrap_or_default();
        if self.token.len() + part.len() > scalar::MAX_SCALAR_BYTES {
            return Err(WalkError::TooLarge);
        }
        self.token.extend_from_slice(part);
        if length.is_some() {
            self.end_scalar(fields, out)?;
        }
        Ok(part.len())
    }

    fn end_scalar(&mut self, fields: &Fields, out: &mut Vec<u8>) -> Result<(), WalkError> {
        let token = std::mem::take(&mut self.token);
        if !self.begun && token == MARK {
            self.begun = true;
            self.position = EditorPosition::Between;
            out.extend_from_slice(&token);
            return Ok(());
        }
        self.begun = true;
        if !scalar::is_scalar(&token) || !self.grammar.scalar() {
            return Err(WalkError::Malformed);
        }
        self.begin(fields, None, out)?;
        let round = self.through.filter(|through| through.objects == 0);
        match round.and_then(|through| through.round) {
            Some(digits) => self.write(&number::round(&token, digits), out),
            None => self.write(&token, out),
        }
        self.end_value();
        Ok(())
    }
}

/// Edits JSON that is known whole.
///
/// # Errors
/// It is not JSON.
pub(in crate::formats) fn edit(fields: &Fields, json: &[u8]) -> Result<Vec<u8>, WalkError> {
    let mut out = Vec::with_capacity(json.len());
    let mut editor = Editor::default();
    editor.push(fields, json, &mut out)?;
    editor.finish(fields, &mut out)?;
    Ok(out)
}

/// An event or line whose JSON, at `start` to `end`, is edited as the mask says.
///
/// # Errors
/// It may be JSON that rules apply to, and can't be read.
pub(in crate::formats) fn edit_part(
    fields: &Fields,
    entry: &[u8],
    (start, end): (usize, usize),
) -> Result<Vec<u8>, WalkError> {
    let part = |from: usize, to: usize| entry.get(from..to).unwrap_or_default();
    let mut edited = part(0, start).to_vec();
    edited.extend(edit(fields, part(start, end))?);
    edited.extend_from_slice(part(end, entry.len()));
    Ok(edited)
}
