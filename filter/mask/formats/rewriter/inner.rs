//! The grammar of JSON that stands inside a string, as a tool call's arguments and structured output do.
//!
//! A number in it that is masked has to become a string there, or nobody can parse what is left. So
//! numbers and literal names are kept out of the text around them: each is held until its end, within a
//! bound, and masked by itself, as one of the body's own is. What breaks the grammar is text, like any
//! other.

use super::super::grammar::{Grammar, Role};
use super::super::output::{Output, Place};
use super::super::scalar::{MAX_SCALAR_BYTES, is_scalar};
use crate::window::CONTEXT_BYTES;

/// Whether a text is JSON.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Inside {
    /// Nothing but blanks has come.
    #[default]
    Unknown,
    /// A bracket has come, and nothing yet that a text would not have behind one; or what may be a number.
    Perhaps,
    Json,
    No,
}

/// A byte or character, and how it is written.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Item {
    pub(super) place: Place,
    pub(super) raw: Vec<u8>,
    pub(super) decoded: Vec<u8>,
}

/// What comes of a byte of the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// It is text.
    Text,
    /// It belongs to what is held.
    Held,
    /// What is held is text, and so is the byte.
    Release,
    /// Of what is held, so many are text, and the rest is a number that ended in front of the byte, which
    /// is text.
    Scalar(usize),
    /// The JSON has ended in front of the byte, which is another text.
    Over,
}

/// Follows the JSON in a text.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Inner {
    inside: Inside,
    grammar: Grammar,
    /// In a string; whether the last byte was a backslash.
    string: Option<bool>,
    /// The string is a name.
    is_name: bool,
    /// The last name, as far as it counts.
    name: Vec<u8>,
    /// What may become a number or a literal name.
    held: Vec<Item>,
    /// How many of these stand in front of it: brackets and blanks.
    front: usize,
    /// The name of the member that it is.
    name_of_held: Vec<u8>,
}

impl Inner {
    /// Whether it is not known yet what the text is.
    pub(super) fn is_unknown(&self) -> bool {
        self.inside == Inside::Unknown
    }

    /// Whether the text may be JSON, as far as it has come.
    pub(super) fn may_be_json(&self) -> bool {
        matches!(self.inside, Inside::Json | Inside::Perhaps)
    }

    /// Whether it is.
    pub(super) fn is_json(&self) -> bool {
        self.inside == Inside::Json
    }

    /// Whether what comes next stands within a string.
    pub(super) fn is_in_string(&self) -> bool {
        self.string.is_some()
    }

    /// Whether a piece without a backslash, and without a quote, stands within a string.
    pub(super) fn passes(&mut self, plain: &[u8]) -> bool {
        let Some(escaped) = &mut self.string else {
            return false;
        };
        *escaped = false;
        self.note_name(plain);
        true
    }

    /// How many raw bytes are held.
    pub(super) fn held(&self) -> usize {
        self.held.iter().map(|item| item.raw.len()).sum()
    }

    /// Where the first of them is written.
    pub(super) fn place(&self) -> Option<Place> {
        self.held.first().map(|item| item.place)
    }

    /// The name of the member that a number is.
    pub(super) fn name_of_held(&self) -> &[u8] {
        &self.name_of_held
    }

    /// Gives what is held.
    pub(super) fn take(&mut self) -> Vec<Item> {
        self.front = 0;
        std::mem::take(&mut self.held)
    }

    /// The text is none of JSON from here on.
    pub(super) fn give_up(&mut self) {
        self.inside = Inside::No;
    }

    /// Whether what is held is a whole value in its place.
    pub(super) fn ends(&mut self) -> bool {
        let held = self.held.get(self.front..).unwrap_or_default();
        let bytes = held.iter().flat_map(|item| item.decoded.iter().copied());
        let text: Vec<u8> = bytes.collect();
        is_scalar(text.trim_ascii_end()) && self.grammar.scalar()
    }

    /// Whether the text, all of which has come, is a number.
    pub(super) fn is_number(&mut self) -> bool {
        self.inside == Inside::Perhaps && self.front == 0 && self.ends()
    }

    /// Takes one byte, or a character that is not ASCII: how it reads, and how it is written in `place`.
    /// `numbers` says that a text which is nothing but a number is JSON, too.
    pub(super) fn unit(
        &mut self,
        unit: (&[u8], &[u8]),
        numbers: bool,
        place: Place,
        out: &mut dyn Output,
    ) -> Step {
        let byte = match unit.0 {
            [byte] => *byte,
            _ => 0,
        };
        match self.inside {
            Inside::No => Step::Text,
            Inside::Unknown if byte.is_ascii_whitespace() => Step::Text,
            Inside::Unknown if numbers && (byte.is_ascii_digit() || byte == b'-') => {
                self.inside = Inside::Perhaps;
                self.hold(unit, place, out)
            }
            Inside::Unknown => {
                let bracket = matches!(byte, b'{' | b'[') && self.mark(byte);
                if !bracket {
                    self.give_up();
                    return Step::Text;
                }
                self.inside = Inside::Perhaps;
                self.hold_front(unit, place, out)
            }
            Inside::Perhaps => self.behind_brackets(byte, unit, place, out),
            Inside::Json => self.in_json(byte, unit, place, out),
        }
    }

    /// Text may have brackets at its beginning too: `[NAME] says`.
    fn behind_brackets(
        &mut self,
        byte: u8,
        unit: (&[u8], &[u8]),
        place: Place,
        out: &mut dyn Output,
    ) -> Step {
        let bare = self.front == self.held.len();
        if bare && byte.is_ascii_whitespace() {
            return self.hold_front(unit, place, out);
        }
        if !is_mark(byte) {
            return self.hold(unit, place, out);
        }
        if bare && matches!(byte, b'{' | b'[') && self.mark(byte) {
            return self.hold_front(unit, place, out);
        }
        let front = self.front;
        let fits = (bare || self.ends()) && self.mark(byte);
        if !fits {
            self.give_up();
            return Step::Release;
        }
        self.inside = Inside::Json;
        match bare {
            true => Step::Release,
            false => Step::Scalar(front),
        }
    }

    fn in_json(
        &mut self,
        byte: u8,
        unit: (&[u8], &[u8]),
        place: Place,
        out: &mut dyn Output,
    ) -> Step {
        if let Some(escaped) = self.string {
            if byte == b'"' && !escaped {
                self.string = None;
            } else {
                self.string = Some(byte == b'\\' && !escaped);
                self.note_name(unit.0);
            }
            return Step::Text;
        }
        if !self.held.is_empty() {
            if !is_mark(byte) {
                return self.hold(unit, place, out);
            }
            if self.ends() && self.mark(byte) {
                return Step::Scalar(0);
            }
            self.give_up();
            return Step::Release;
        }
        if byte.is_ascii_whitespace() {
            return Step::Text;
        }
        // One value has ended, and something follows it.
        if self.grammar.between_values() {
            self.give_up();
            return Step::Over;
        }
        if !is_mark(byte) {
            return self.hold(unit, place, out);
        }
        if !self.mark(byte) {
            self.give_up();
        }
        Step::Text
    }

    /// Holds what stands in front of the first value.
    fn hold_front(&mut self, unit: (&[u8], &[u8]), place: Place, out: &mut dyn Output) -> Step {
        let step = self.hold(unit, place, out);
        self.front = self.held.len();
        step
    }

    fn hold(&mut self, (decoded, raw): (&[u8], &[u8]), place: Place, out: &mut dyn Output) -> Step {
        if self.held.len() >= MAX_SCALAR_BYTES {
            self.give_up();
            return Step::Release;
        }
        if self.held.len() == self.front {
            self.name_of_held.clone_from(&self.name);
        }
        out.hold(place);
        self.held.push(Item {
            place,
            raw: raw.to_vec(),
            decoded: decoded.to_vec(),
        });
        Step::Held
    }

    fn mark(&mut self, byte: u8) -> bool {
        if byte != b'"' {
            if byte != b':' {
                self.name.clear();
            }
            return self.grammar.mark(byte);
        }
        let role = self.grammar.string();
        self.is_name = role == Some(Role::Key);
        if self.is_name {
            self.name.clear();
        }
        self.string = role.map(|_| false);
        role.is_some()
    }

    fn note_name(&mut self, bytes: &[u8]) {
        if self.is_name {
            self.name.extend_from_slice(bytes);
            let long = self.name.len().saturating_sub(CONTEXT_BYTES);
            self.name.drain(..long);
        }
    }
}

/// Whether a byte ends a number.
fn is_mark(byte: u8) -> bool {
    matches!(byte, b'{' | b'}' | b'[' | b']' | b':' | b',' | b'"')
}
