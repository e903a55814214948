//! JSON bodies that are one array of chunks, as Gemini streams an answer that is not asked for as
//! events: `[{"candidates": ...}`, then `,` and the next, and so on.
//!
//! A chunk is treated like the data of an event in an event stream. Such a body is recognized by its
//! beginning: an array whose first element is an object whose first member is one of a Gemini answer's.
//! Values without an array around them are read so where somebody else has recognized them (`front`). Every
//! other body is read as plain JSON.
//!
//! # What it can't
//! - A chunk of more than 1 MiB, as one with a picture may be, is read as it streams: its texts do
//!   not go on in others. What waits for it is masked if it may be the beginning of a match.
//! - Behind what is no JSON, texts are matched one by one.

#[cfg(test)]
mod tests;

use super::WalkError;
use super::entries::Entries;
use super::json::Json;
use super::walk::{Job, Walk};
use crate::prefilter::end_of_string;

/// The longest chunk that is held, in bytes.
const MAX_CHUNK_BYTES: usize = 1024 * 1024;
/// How much of a body is held at most to tell what it is.
const MAX_FRONT_BYTES: usize = 256;
/// Bytes that may stand between two chunks while something waits.
const MAX_GAP_BYTES: usize = 1024;

/// Members of Gemini's `GenerateContentResponse`.
const MEMBERS: [&[u8]; 6] = [
    b"candidates",
    b"promptFeedback",
    b"usageMetadata",
    b"modelVersion",
    b"createTime",
    b"responseId",
];

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum ArrayPosition {
    /// It is not known what the body is.
    #[default]
    Front,
    /// It is not an array of chunks, or not any more.
    Json,
    /// Between two chunks.
    Between,
    /// In a chunk, held.
    Chunk,
    /// In a chunk that is too long to be held.
    Long,
}

/// Masks a JSON body, whether or not it is an array of chunks.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct JsonArrayStream {
    position: ArrayPosition,
    /// The body's beginning, or the chunk whose end has not come.
    held: Vec<u8>,
    /// Objects and lists of the chunk that are open.
    depth: usize,
    /// Whether the next byte is in a string, and behind a backslash there.
    string: Option<bool>,
    /// Bytes since the last chunk.
    gap: usize,
    entries: Entries,
    json: Json,
}

impl Walk for JsonArrayStream {
    fn push(&mut self, mut piece: &[u8], job: &mut Job<'_>) -> Result<(), WalkError> {
        while !piece.is_empty() {
            let taken = match self.position {
                ArrayPosition::Json => {
                    self.json.push(piece, job);
                    return Ok(());
                }
                ArrayPosition::Front => {
                    let room = MAX_FRONT_BYTES.saturating_sub(self.held.len());
                    let now = piece.get(..room).unwrap_or(piece);
                    self.held.extend_from_slice(now);
                    match front(&self.held) {
                        Some(Front::JsonArrayStream) => self.position = ArrayPosition::Between,
                        Some(Front::Json) => self.position = ArrayPosition::Json,
                        None if self.held.len() >= MAX_FRONT_BYTES => {
                            self.position = ArrayPosition::Json
                        }
                        None => {}
                    }
                    if self.position != ArrayPosition::Front {
                        let held = std::mem::take(&mut self.held);
                        self.push(&held, job)?;
                    }
                    now.len()
                }
                ArrayPosition::Between => self.between(piece, job),
                ArrayPosition::Chunk | ArrayPosition::Long => self.chunk(piece, job)?,
            };
            piece = piece.get(taken..).unwrap_or_default();
        }
        Ok(())
    }

    fn finish(&mut self, job: &mut Job<'_>) -> Result<(), WalkError> {
        let held = std::mem::take(&mut self.held);
        let last = match self.position {
            ArrayPosition::Front => {
                self.json.push(&held, job);
                Ok(())
            }
            ArrayPosition::Chunk => self.entries.take(&held, job),
            ArrayPosition::Json | ArrayPosition::Between | ArrayPosition::Long => Ok(()),
        };
        self.entries.finish(job);
        self.json.finish(job);
        last
    }

    fn held(&self) -> usize {
        self.held.len() + self.entries.held() + self.json.held()
    }
}

impl JsonArrayStream {
    /// For values one behind the other.
    pub(super) fn of_values() -> Self {
        Self {
            position: ArrayPosition::Between,
            ..Self::default()
        }
    }

    /// Takes what stands in front of a chunk.
    fn between(&mut self, piece: &[u8], job: &mut Job<'_>) -> usize {
        let passes = |byte: &u8| b" \t\r\n,[]\x00\x1e".contains(byte);
        let end = piece.iter().position(|byte| !passes(byte));
        let (gap, later) = piece.split_at(end.unwrap_or(piece.len()));
        for part in gap.chunks(MAX_GAP_BYTES) {
            self.gap = self.gap.saturating_add(part.len());
            if self.gap > MAX_GAP_BYTES {
                self.entries.force(job);
            }
            self.entries.between(part, job.out);
        }
        match later.first() {
            None => {}
            Some(b'{') => {
                self.gap = 0;
                self.position = ArrayPosition::Chunk;
            }
            Some(_) => {
                self.entries.finish(job);
                self.position = ArrayPosition::Json;
            }
        }
        gap.len()
    }

    /// Takes more of a chunk, up to its end.
    fn chunk(&mut self, piece: &[u8], job: &mut Job<'_>) -> Result<usize, WalkError> {
        let (taken, ends) = self.scan(piece);
        let now = piece.get(..taken).unwrap_or(piece);
        if self.position == ArrayPosition::Chunk && self.held.len() + now.len() > MAX_CHUNK_BYTES {
            self.entries.force(job);
            self.json = Json::default();
            let held = std::mem::take(&mut self.held);
            self.json.push(&held, job);
            self.position = ArrayPosition::Long;
        }
        if self.position == ArrayPosition::Long {
            self.json.push(now, job);
            if ends {
                self.json.finish(job);
                self.json = Json::default();
            }
        } else {
            self.held.extend_from_slice(now);
            if ends {
                let chunk = std::mem::take(&mut self.held);
                self.entries.take(&chunk, job)?;
            }
        }
        if ends {
            self.position = ArrayPosition::Between;
        }
        Ok(taken)
    }

    /// How much of a piece belongs to the chunk, and whether it ends there.
    fn scan(&mut self, piece: &[u8]) -> (usize, bool) {
        let mut at = 0;
        while let Some(rest) = piece.get(at..).filter(|rest| !rest.is_empty()) {
            if let Some(escaped) = self.string {
                let (end, escaped) = end_of_string(rest, escaped);
                self.string = end.is_none().then_some(escaped);
                at += end.map_or(rest.len(), |end| end + 1);
                continue;
            }
            let Some(mark) = rest.iter().position(|byte| b"\"{}[]".contains(byte)) else {
                break;
            };
            at += mark + 1;
            match rest.get(mark) {
                Some(b'"') => self.string = Some(false),
                Some(b'{' | b'[') => self.depth = self.depth.saturating_add(1),
                _ => {
                    self.depth = self.depth.saturating_sub(1);
                    if self.depth == 0 {
                        return (at, true);
                    }
                }
            }
        }
        (piece.len(), false)
    }
}

/// Whether a body that begins like this is an array of chunks; `None` where that is open.
pub(super) fn begins(bytes: &[u8]) -> Option<bool> {
    match front(bytes) {
        None if bytes.len() >= MAX_FRONT_BYTES => Some(false),
        it => it.map(|it| matches!(it, Front::JsonArrayStream)),
    }
}

/// What a body is.
enum Front {
    Json,
    JsonArrayStream,
}

/// What a body that begins like this is; `None` where that is open.
fn front(bytes: &[u8]) -> Option<Front> {
    let mut rest = bytes.trim_ascii_start();
    for mark in [b'[', b'{', b'"'] {
        let (first, later) = rest.split_first()?;
        if *first != mark {
            return Some(Front::Json);
        }
        rest = if mark == b'"' {
            later
        } else {
            later.trim_ascii_start()
        };
    }
    let Some(end) = memchr::memchr(b'"', rest) else {
        let may_be = MEMBERS.iter().any(|member| member.starts_with(rest));
        return (!may_be).then_some(Front::Json);
    };
    let name = rest.get(..end).unwrap_or_default();
    Some(if MEMBERS.contains(&name) {
        Front::JsonArrayStream
    } else {
        Front::Json
    })
}
