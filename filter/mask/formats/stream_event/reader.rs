//! Reads an event's payload token by token.

use super::super::WalkError;
use super::super::grammar::{Grammar, Role};
use super::super::scalar;
use super::super::writing::Writing;
use super::amazon;
use super::frame::{Copies, Frame};
use super::identity::{Event, Name, Piece, Scope};
use super::segment::{End, Kind, Payload, Segment};
use super::shapes::{self, Goes};

/// The deepest nesting in which names are followed; strings below it are texts of their own.
const MAX_NAMED_DEPTH: usize = 32;
/// The most strings of one event that may go on in later ones.
const MAX_CONTINUED_TEXTS: usize = 4096;
/// The same for a list of tokens in a complete answer.
const MAX_LISTED_TOKENS: usize = 1 << 17;

/// Reads a payload token by token.
struct Reader<'a> {
    bytes: &'a [u8],
    /// Whether the names of members are texts.
    keys: bool,
    /// Whether it is of a message of AWS's event streams, and whether it is all of its payload.
    amazon: bool,
    amazon_payload: bool,
    grammar: Grammar,
    frames: Vec<Frame>,
    /// Levels opened below the last frame.
    deeper: usize,
    scopes: Vec<Scope>,
    pieces: Vec<Piece>,
    finished: Vec<usize>,
    event: Event<'a>,
    payload: Payload,
}

/// Reads a payload that is an object or a non-empty array; none when it is anything else. With
/// `keys`, the names of members are texts too.
///
/// # Errors
/// More strings than are followed go on in other events.
pub(in crate::formats) fn read(bytes: &[u8], keys: bool) -> Result<Option<Payload>, WalkError> {
    if !matches!(bytes.trim_ascii_start(), [b'{' | b'[', ..]) {
        return Ok(None);
    }
    let mut reader = Reader::new(bytes);
    reader.keys = keys;
    reader.read(MAX_CONTINUED_TEXTS)
}

/// As [`read`], of the payload of a message of AWS's event streams, as if it were the member `kind`
/// of an object: by this name Converse's events are what Nova's are by their only member. With no
/// `kind`, it is what is coded in such a payload.
///
/// # Errors
/// As for [`read`].
pub(in crate::formats) fn read_message(
    kind: Option<&[u8]>,
    bytes: &[u8],
    keys: bool,
) -> Result<Option<Payload>, WalkError> {
    if !matches!(bytes.trim_ascii_start(), [b'{' | b'[', ..]) {
        return Ok(None);
    }
    let mut reader = Reader::new(bytes);
    reader.keys = keys;
    reader.amazon = true;
    if let Some(kind) = kind {
        reader.frames.push(Frame {
            name: Name::read(kind),
            object: true,
            ..Frame::default()
        });
        reader.scope(0);
        reader.amazon_payload = true;
    }
    reader.read(MAX_CONTINUED_TEXTS)
}

/// Reads the value of a member whose name says that it lists tokens, and which holds them all.
///
/// # Errors
/// As for [`read`].
pub(in crate::formats) fn read_tokens(
    name: &[u8],
    bytes: &[u8],
) -> Result<Option<Payload>, WalkError> {
    let mut reader = Reader::new(bytes);
    reader.frames.push(Frame {
        name: Name::read(name),
        object: true,
        ..Frame::default()
    });
    reader.read(MAX_LISTED_TOKENS)
}

impl<'a> Reader<'a> {
    fn new(bytes: &'a [u8]) -> Self {
        Self {
            bytes,
            keys: false,
            amazon: false,
            amazon_payload: false,
            grammar: Grammar::default(),
            frames: Vec::new(),
            deeper: 0,
            scopes: Vec::new(),
            pieces: Vec::new(),
            finished: Vec::new(),
            event: Event::default(),
            payload: Payload::default(),
        }
    }

    fn read(mut self, most: usize) -> Result<Option<Payload>, WalkError> {
        if !self.tokens() {
            return Ok(None);
        }
        if self.pieces.len() > most || self.finished.len() > MAX_CONTINUED_TEXTS {
            return Err(WalkError::TooManyTexts);
        }
        Ok(Some(self.resolve()))
    }

    /// Reads every token; false when they are not one JSON value with something in it.
    fn tokens(&mut self) -> bool {
        let mut at = 0;
        let mut over = false;
        let mut tokens = 0_usize;
        while let Some(byte) = self.bytes.get(at) {
            let start = at;
            match byte {
                b' ' | b'\t' | b'\r' | b'\n' => {
                    at += 1;
                    continue;
                }
                _ if over => return false,
                b'{' | b'}' | b'[' | b']' | b':' | b',' => {
                    if !self.grammar.mark(*byte) {
                        return false;
                    }
                    self.mark(*byte, at);
                    at += 1;
                }
                b'"' => {
                    let Some(end) = self.string_end(at + 1) else {
                        return false;
                    };
                    let Some(role) = self.grammar.string() else {
                        return false;
                    };
                    self.string(role, start + 1, end);
                    at = end + 1;
                }
                _ => {
                    let rest = self.bytes.get(at..).unwrap_or_default();
                    at += rest
                        .iter()
                        .position(|byte| b"{}[]:,\" \t\r\n".contains(byte))
                        .unwrap_or(rest.len());
                    if !scalar::is_scalar(self.slice((start, at))) || !self.grammar.scalar() {
                        return false;
                    }
                    self.scalar(start, at);
                }
            }
            tokens += 1;
            over = self.grammar.between_values();
        }
        // An empty object or array could as well be a token of plain text, and has no text itself.
        over && tokens > 2
    }

    fn slice(&self, (start, end): (usize, usize)) -> &'a [u8] {
        self.bytes.get(start..end).unwrap_or_default()
    }

    /// The closing quote of the string whose content begins at `start`, if it is on the same line.
    fn string_end(&self, start: usize) -> Option<usize> {
        let mut escaped = false;
        for (at, byte) in self.bytes.iter().enumerate().skip(start) {
            match byte {
                b'\n' => return None,
                b'"' if !escaped => return Some(at),
                _ => escaped = *byte == b'\\' && !escaped,
            }
        }
        None
    }

    fn mark(&mut self, mark: u8, at: usize) {
        match mark {
            b'{' | b'[' if self.deeper > 0 || self.frames.len() == MAX_NAMED_DEPTH => {
                self.deeper += 1
            }
            b'{' | b'[' => {
                let copies = Copies::begin(&self.frames, at);
                self.frames.push(Frame {
                    object: mark == b'{',
                    copies,
                    ..Frame::default()
                });
                if self.frames.len() == 1 {
                    self.scope(0);
                }
            }
            b'}' | b']' if self.deeper > 0 => self.deeper -= 1,
            b'}' | b']' => {
                if let Some(frame) = self.frames.pop() {
                    let segments = &mut self.payload.segments;
                    frame.copies.end(at + 1, &mut self.frames, segments);
                }
            }
            b',' if self.deeper == 0 => {
                if let Some(frame) = self.frames.last_mut() {
                    frame.position += 1;
                }
            }
            _ => {}
        }
    }

    fn string(&mut self, role: Role, start: usize, end: usize) {
        if role == Role::Key {
            let name = self.slice((start, end));
            if let Some(frame) = self.frames.last_mut().filter(|_| self.deeper == 0) {
                frame.name = Name::read(name);
            }
            if self.keys {
                self.payload.segments.push(Segment {
                    start,
                    end,
                    kind: Kind::Whole(Writing::Json),
                    varies: false,
                });
            }
            return;
        }
        let mut kind = Kind::Whole(self.writing());
        if self.amazon_payload && self.deeper == 0 && self.frames.len() == 2 {
            let path = self.path();
            if amazon::is_padding(&path, self.slice((start, end))) {
                return;
            }
            if amazon::is_coded(&path) {
                self.payload.coded.push(start);
            }
        }
        if self.deeper == 0 {
            match self.goes() {
                Some(goes) => {
                    let text = self.pieces.len();
                    let piece = self.piece();
                    self.pieces.push(piece);
                    kind = match goes {
                        Goes::Text => Kind::Piece(text),
                        Goes::Token => {
                            Copies::token(&mut self.frames, text);
                            Kind::Token(text, text)
                        }
                    };
                }
                None => self.member(start, end, true),
            }
        }
        let varies = self.varies();
        self.payload.segments.push(Segment {
            start,
            end,
            kind,
            varies,
        });
    }

    fn scalar(&mut self, start: usize, end: usize) {
        if self.deeper == 0 {
            self.member(start, end, false);
        }
        let varies = self.varies();
        self.payload.segments.push(Segment {
            start,
            end,
            kind: Kind::Scalar,
            varies,
        });
    }

    /// Whether the value here is that of a member in `VARYING` of the shapes.
    fn varies(&self) -> bool {
        let member = self.frames.last().filter(|frame| frame.object);
        self.deeper == 0 && member.is_some_and(|frame| shapes::varies(frame.name.short()))
    }

    /// How a replacement is written in the string here: a tool call's arguments are JSON.
    fn writing(&self) -> Writing {
        let member = self.frames.last().filter(|_| self.deeper == 0);
        match member {
            Some(frame) if shapes::holds_json(frame.name.short()) => Writing::JsonInJson,
            Some(_) if self.amazon && amazon::holds_json(&self.path()) => Writing::JsonInJson,
            _ => Writing::Json,
        }
    }

    /// How the string here goes on, if it does. Beyond the limit of such strings, the answer is not used.
    fn goes(&self) -> Option<Goes> {
        let path = self.path();
        let goes = shapes::goes(&path).or_else(|| {
            let goes_on = self.amazon && amazon::goes_on(&path);
            goes_on.then_some(Goes::Text)
        });
        goes.filter(|_| self.pieces.len() <= MAX_LISTED_TOKENS)
    }

    /// The names that lead to the current place.
    fn path(&self) -> Vec<&[u8]> {
        let objects = self.frames.iter().filter(|frame| frame.object);
        objects.map(|frame| frame.name.short()).collect()
    }

    /// Whether the object at this depth is the member of this name.
    fn is_member(&self, depth: usize, name: &[u8]) -> bool {
        let holder = depth
            .checked_sub(1)
            .and_then(|above| self.frames.get(above));
        holder.is_some_and(|holder| holder.object && holder.name.short() == name)
    }

    fn piece(&mut self) -> Piece {
        let depths = 0..self.frames.len();
        let scopes = depths.filter_map(|depth| self.scope(depth)).collect();
        let objects = self.frames.iter().filter(|frame| frame.object);
        Piece {
            names: objects.map(|frame| frame.name).collect(),
            scopes,
            writing: self.writing(),
        }
    }

    /// The scope of the object at this depth; none for an array.
    fn scope(&mut self, depth: usize) -> Option<usize> {
        let frame = self.frames.get(depth).filter(|frame| frame.object)?;
        if frame.scope.is_some() {
            return frame.scope;
        }
        // The parts of a candidate's content follow one another, and so do tokens in a list: their
        // place says nothing.
        let place = |array: &Frame| (!array.object).then_some(array.position);
        let array = depth
            .checked_sub(1)
            .and_then(|above| self.frames.get(above))
            .and_then(place);
        let in_order = depth
            .checked_sub(2)
            .and_then(|above| self.frames.get(above))
            .is_some_and(|holder| holder.object && shapes::are_in_order(holder.name.short()));
        self.scopes.push(Scope {
            position: array.filter(|_| !in_order),
            ..Scope::default()
        });
        let scope = self.scopes.len() - 1;
        self.frames.get_mut(depth)?.scope = Some(scope);
        Some(scope)
    }

    /// Notes what a member says about its object or its event.
    fn member(&mut self, start: usize, end: usize, string: bool) {
        let depth = self.frames.len().saturating_sub(1);
        let Some(frame) = self.frames.last().filter(|frame| frame.object) else {
            return;
        };
        let name = frame.name;
        let value = self.slice((start, end));
        let integer = || {
            std::str::from_utf8(value)
                .ok()
                .and_then(|value| value.parse::<i64>().ok())
        };
        match (name.short(), string) {
            (b"index", false) => {
                let index = integer();
                if let Some(scope) = self
                    .scope(depth)
                    .and_then(|scope| self.scopes.get_mut(scope))
                {
                    scope.index = index;
                }
            }
            (b"contentBlockIndex", false) => {
                let index = integer();
                if let Some(scope) = self
                    .scope(depth)
                    .and_then(|scope| self.scopes.get_mut(scope))
                {
                    scope.index = index;
                }
                self.event.block = index;
                if self.is_member(depth, b"contentBlockStop") {
                    self.payload.ends.extend(index.map(End::Block));
                }
            }
            (b"stopReason", true) if self.is_member(depth, b"messageStop") => {
                self.payload.ends.push(End::All);
            }
            (b"thought", false) => {
                let thought = value == b"true";
                if let Some(scope) = self
                    .scope(depth)
                    .and_then(|scope| self.scopes.get_mut(scope))
                {
                    scope.thought = thought;
                }
            }
            (b"finish_reason" | b"finishReason", true) if !value.is_empty() => {
                // The choice is the element of an array that the member belongs to.
                let element = |depth: &usize| {
                    let above = depth
                        .checked_sub(1)
                        .and_then(|above| self.frames.get(above));
                    above.is_some_and(|above| !above.object)
                };
                let choice = (0..=depth).rev().find(element).unwrap_or(0);
                if let Some(scope) = self.scope(choice) {
                    self.finished.push(scope);
                }
            }
            (b"output_index", false) if depth == 0 => self.event.output = integer(),
            (b"content_index", false) if depth == 0 => self.event.content = integer(),
            (b"summary_index", false) if depth == 0 => self.event.summary = integer(),
            (b"done", false) if depth == 0 && value == b"true" => self.payload.ends.push(End::All),
            // llama.cpp; elsewhere it is no literal name.
            (b"stop", false) if depth == 0 && value == b"true" => self.payload.ends.push(End::All),
            (b"generated_text", true) if depth == 0 => self.payload.ends.push(End::All),
            (b"type", true) if depth == 0 => self.event.kind = value,
            (b"item_id", true) if depth == 0 => self.event.item = value,
            _ => {}
        }
    }

    /// Names the texts and the ends, now that every member has been seen.
    fn resolve(mut self) -> Payload {
        let first = self.scopes.first().and_then(|event| event.index);
        let block = self.event.block.or(first);
        self.payload.texts = self.event.identify(&self.pieces, &self.scopes, block);
        let choices = self
            .finished
            .iter()
            .filter_map(|scope| self.scopes.get(*scope));
        let ends = choices.map(|scope| scope.step().map_or(End::All, End::Choice));
        self.payload.ends.extend(ends.chain(self.event.end(block)));
        // A copy is only found at its end, behind the segments in it.
        let segments = &mut self.payload.segments;
        if !segments.is_sorted_by_key(|segment| segment.start) {
            segments.sort_by_key(|segment| segment.start);
        }
        self.payload
    }
}
