//! Reads an event's payload token by token.

mod going_on;
mod members;
mod resolve;

use super::super::WalkError;
use super::super::grammar::{Grammar, Role};
use super::super::layout::{At, Layout, Met};
use super::super::opaque;
use super::super::scalar;
use super::super::writing::Writing;
use super::amazon;
use super::frame::{Copies, Frame};
use super::identity::{Event, Name, Piece, Scope};
use super::segment::{Kind, Payload, Segment};
use super::shapes::{self, Goes};
use crate::CompiledMask;
use crate::policy::{Class, Treatment};
use crate::prefilter::end_of_string;

/// The deepest nesting in which names are followed; strings below it are texts of their own.
const MAX_NAMED_DEPTH: usize = 32;
/// The most strings of one event that may go on in later ones.
const MAX_CONTINUED_TEXTS: usize = 4096;
/// The same for a list of tokens in a complete answer.
const MAX_LISTED_TOKENS: usize = 1 << 17;

/// The mask, and the layout of the dialect where that is known.
type Known<'a> = (&'a CompiledMask, Option<&'static Layout>);

/// Reads a payload token by token.
struct Reader<'a> {
    bytes: &'a [u8],
    /// What asks for the texts; nothing for tokens, all of which are.
    mask: Option<&'a CompiledMask>,
    layout: Option<&'static Layout>,
    /// Segments of strings whose place means something else in other kinds of events, or beside other
    /// members, and where the object begins that they are members of.
    depending: Vec<(usize, At, usize)>,
    /// Whether what nobody knows may go on.
    joins: bool,
    /// Segments of strings that no dialect knows, which may go on in other events.
    candidates: Vec<(usize, Piece)>,
    /// Whether it is of a message of AWS's event streams, and whether it is all of its payload.
    amazon: bool,
    amazon_payload: bool,
    grammar: Grammar,
    frames: Vec<Frame>,
    /// Levels opened below the last frame.
    deeper: usize,
    scopes: Vec<Scope>,
    pieces: Vec<Piece>,
    /// Those of them in which only the guard's own secrets are looked for.
    kept: Vec<usize>,
    finished: Vec<usize>,
    event: Event<'a>,
    payload: Payload,
}

/// Reads a payload that is an object or a non-empty array; none when it is anything else. The mask
/// says which of its strings are covered, and the layout of its dialect what they are.
///
/// # Errors
/// More strings than are followed go on in other events.
pub(in crate::formats) fn read(
    bytes: &[u8],
    known: Known<'_>,
) -> Result<Option<Payload>, WalkError> {
    let Some(mut reader) = Reader::of(bytes, known) else {
        return Ok(None);
    };
    reader.joins = true;
    reader.read(MAX_CONTINUED_TEXTS)
}

/// As [`read`], of a record that has nothing to do with others, but for what a dialect knows to go on.
///
/// # Errors
/// As for [`read`].
pub(in crate::formats) fn read_record(
    bytes: &[u8],
    known: Known<'_>,
) -> Result<Option<Payload>, WalkError> {
    match Reader::of(bytes, known) {
        Some(reader) => reader.read(MAX_CONTINUED_TEXTS),
        None => Ok(None),
    }
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
    known: Known<'_>,
) -> Result<Option<Payload>, WalkError> {
    let Some(mut reader) = Reader::of(bytes, known) else {
        return Ok(None);
    };
    reader.amazon = true;
    reader.joins = true;
    if let Some(kind) = kind {
        reader.frames.push(Frame {
            name: Name::read(kind),
            object: true,
            at: known.1.map_or(At::default(), Layout::root),
            ..Frame::default()
        });
        reader.scope(0);
        reader.amazon_payload = true;
    }
    reader.read(MAX_CONTINUED_TEXTS)
}

/// Reads the value of a member whose name says that it lists tokens, and which holds them all. It stands
/// at this place of its dialect's layout.
///
/// # Errors
/// As for [`read`].
pub(in crate::formats) fn read_tokens(
    name: &[u8],
    bytes: &[u8],
    (layout, at): (Option<&'static Layout>, At),
) -> Result<Option<Payload>, WalkError> {
    let mut reader = Reader::new(bytes);
    reader.layout = layout;
    reader.frames.push(Frame {
        name: Name::read(name),
        object: true,
        at,
        ..Frame::default()
    });
    reader.read(MAX_LISTED_TOKENS)
}

impl<'a> Reader<'a> {
    /// A reader of an object or an array; none of anything else.
    fn of(bytes: &'a [u8], (mask, layout): Known<'a>) -> Option<Self> {
        let structured = matches!(bytes.trim_ascii_start(), [b'{' | b'[', ..]);
        structured.then(|| Self {
            mask: Some(mask),
            layout,
            ..Self::new(bytes)
        })
    }

    fn new(bytes: &'a [u8]) -> Self {
        Self {
            bytes,
            mask: None,
            layout: None,
            depending: Vec::new(),
            joins: false,
            candidates: Vec::new(),
            amazon: false,
            amazon_payload: false,
            grammar: Grammar::default(),
            frames: Vec::new(),
            deeper: 0,
            scopes: Vec::new(),
            pieces: Vec::new(),
            kept: Vec::new(),
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
        let rest = self.bytes.get(start..)?;
        let length = end_of_string(rest, false).0?;
        let string = rest.get(..length)?;
        memchr::memchr(b'\n', string)
            .is_none()
            .then_some(start + length)
    }

    fn mark(&mut self, mark: u8, at: usize) {
        match mark {
            b'{' | b'[' if self.deeper > 0 || self.frames.len() == MAX_NAMED_DEPTH => {
                self.deeper += 1
            }
            b'{' | b'[' => {
                let copies = Copies::begin(&self.frames, at);
                let base = self.at();
                let object = mark == b'{';
                self.frames.push(Frame {
                    object,
                    start: at,
                    base,
                    at: self
                        .layout
                        .filter(|_| !object)
                        .map_or(base, |it| it.item(base)),
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
                if let Some(layout) = self.layout {
                    frame.at = layout.member(frame.base, name);
                }
            }
            if self.mask.is_some_and(CompiledMask::matches_keys) {
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
        let mut from = start;
        let at = self.at();
        let depends = self.layout.is_some_and(|layout| layout.depends(at));
        let class = match self.layout {
            // What it is will be known at the event's end.
            Some(layout) if !depends => layout.class(at, b"", Met::default()),
            _ => Class::Text,
        };
        let treatment = match self.mask {
            Some(mask) if !depends => mask.treats(class),
            _ => Treatment::Mask,
        };
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
            match self.goes().filter(|_| treatment == Treatment::Mask) {
                Some(goes) => {
                    let text = self.pieces.len();
                    let piece = self.piece();
                    self.pieces.push(piece);
                    kind = match goes {
                        Goes::Text => Kind::Piece(text),
                        Goes::Perhaps => Kind::Perhaps(text),
                        Goes::Token => {
                            Copies::token(&mut self.frames, text);
                            Kind::Token(text, text)
                        }
                    };
                }
                None => self.member(start, end, true),
            }
        }
        match (class, treatment) {
            (Class::Data, _) => {
                from += opaque::passing(self.slice((start, end)));
                self.keep((start, from), kind);
                if from == end {
                    return;
                }
            }
            (Class::File, _) => kind = Kind::File,
            (_, Treatment::Pass) => return self.keep((start, end), kind),
            (_, Treatment::Drop) => kind = Kind::Dropped,
            (_, Treatment::Mask) => {
                let index = self.payload.segments.len();
                if depends {
                    let object = self.frames.last().map_or(0, |frame| frame.start);
                    self.depending.push((index, at, object));
                }
                if matches!(kind, Kind::Whole(_)) {
                    if self.may_go_on() {
                        let piece = self.piece();
                        self.candidates.push((index, piece));
                    } else if let Some(text) = self.kept() {
                        kind = Kind::Label(text);
                    }
                }
            }
        }
        let varies = self.varies();
        self.payload.segments.push(Segment {
            start: from,
            end,
            kind,
            varies,
        });
    }

    /// The place of the value that is read, in the layout of its dialect.
    fn at(&self) -> At {
        let known = self.frames.last().filter(|_| self.deeper == 0);
        match (known, self.layout) {
            (Some(frame), _) => frame.at,
            (None, Some(layout)) if self.deeper == 0 => layout.root(),
            _ => At::default(),
        }
    }

    fn scalar(&mut self, start: usize, end: usize) {
        if self.deeper == 0 {
            self.member(start, end, false);
        }
        let class = self.layout.map_or(Class::Text, |layout| {
            layout.class(self.at(), b"", Met::default())
        });
        if self
            .mask
            .is_some_and(|mask| mask.treats(class) != Treatment::Mask)
        {
            return;
        }
        let varies = self.varies();
        self.payload.segments.push(Segment {
            start,
            end,
            kind: match class {
                Class::Numbers => Kind::Number,
                _ if self.is_of_tokens() => Kind::Number,
                _ => Kind::Scalar,
            },
            varies,
        });
    }

    /// Whether the number here is one of a token: its probability, or one of its bytes.
    fn is_of_tokens(&self) -> bool {
        let mut names = self.frames.iter().filter(|frame| frame.object);
        names.any(|frame| shapes::has_numbers(frame.name.short()))
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
}
