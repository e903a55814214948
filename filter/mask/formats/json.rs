//! JSON bodies: one value, or several one after another.
//!
//! Each string that is a value is a text of its own, matched decoded; so is each number. A
//! member's name passes, unless the mask has it that names are texts too. What breaks JSON's
//! grammar makes the rest of the body stray text: then everything between two quotes is a string to
//! mask, a name too, and everything else is text in which replacements are written so that the body
//! does not become JSON by them.
//!
//! Lists of tokens with their probabilities spell a text: they are read whole (see `tokens`). Which
//! strings are no text is said by their place (`places`), or by how they begin (`strings`); an object in
//! which one member tells what another one is, is held until it is whole (`told`).

mod places;
mod strings;
#[cfg(test)]
mod tests;
mod tokens;
mod told;

use super::base64;
use super::extent::Extent;
use super::grammar::{Grammar, Role};
use super::layout::Met;
use super::member;
use super::output::{Direct, Place};
use super::rewriter::{Rewriter, Work};
use super::scalar;
use super::walk::Job;
use super::writing::Writing;
use crate::policy::{Class, Treatment};
use crate::prefilter;

use places::Places;
use tokens::List;

/// A name is held until its colon shows that it is one; a longer one is masked as if it were a
/// value.
const MAX_NAME_BYTES: usize = 1024;

/// Where in the body the next byte stands.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum JsonPosition {
    /// Between tokens.
    #[default]
    Outside,
    /// In what may become a number or a literal name; held in `run`.
    Scalar,
    /// In a name, held in `run`; whether the last byte was a backslash.
    Key { escaped: bool },
    /// Behind a name, before its colon; both held in `run`.
    AfterKey,
    /// In a string that is masked; whether the last byte was a backslash.
    String { escaped: bool },
    /// In text that is not JSON.
    Stray,
    /// In a string that may be a data URL, held in `run` up to the end of its head.
    Url,
    /// In a string that may be base64, held in `run`. If it is none of text, it is that of a file.
    Base64 { file: bool },
    /// In a string, or the rest of one, that is no text as long as it could be base64. Whether its
    /// beginning has passed; until then it is held in `run`, and so is a backslash.
    Data { passed: bool },
    /// In a string that the mask does not cover; whether the last byte was a backslash.
    Passed { escaped: bool },
    /// In a string that the mask leaves out, likewise.
    Dropped { escaped: bool },
    /// In a list of tokens, held in `run` as long as it is not too long.
    Tokens,
    /// In an object of which all has to be known, held in `run`.
    Told,
}

/// Masks a JSON body.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Json {
    position: JsonPosition,
    grammar: Grammar,
    /// The body is not JSON.
    broken: bool,
    begun: bool,
    run: Vec<u8>,
    /// A list of tokens that is read or may come next.
    tokens: Option<List>,
    /// One was broken.
    lists_are_over: bool,
    /// How far the object is that is held.
    extent: Extent,
    /// What is known of the object whose brace comes next.
    met: Option<Met>,
    /// The string that comes next, should one come, holds JSON.
    holds_json: bool,
    /// The name of the member whose value comes next.
    name: Vec<u8>,
    places: Places,
    string: Rewriter,
    stray: Rewriter,
}

impl Default for Json {
    fn default() -> Self {
        Self {
            position: JsonPosition::default(),
            grammar: Grammar::default(),
            broken: false,
            begun: false,
            run: Vec::new(),
            tokens: None,
            lists_are_over: false,
            extent: Extent::default(),
            met: None,
            holds_json: false,
            name: Vec::new(),
            places: Places::default(),
            string: Rewriter::new(Writing::Json),
            stray: Rewriter::new(Writing::Stray),
        }
    }
}

impl Json {
    pub(super) fn held(&self) -> usize {
        self.run.len() + self.string.held() + self.stray.held()
    }

    pub(super) fn push(&mut self, piece: &[u8], job: &mut Job<'_>) {
        self.take(piece, job);
    }

    pub(super) fn finish(&mut self, job: &mut Job<'_>) {
        // Behind either, there may be another one that is not whole.
        loop {
            match self.position {
                JsonPosition::Tokens => self.replay(job),
                JsonPosition::Told => self.told(false, job),
                _ => break,
            }
        }
        match self.position {
            JsonPosition::Outside => {}
            JsonPosition::Scalar => {
                if !self.end_scalar(job) {
                    self.break_at_run(job);
                }
            }
            JsonPosition::Key { .. } | JsonPosition::AfterKey => self.break_at_run(job),
            JsonPosition::Url => self.no_url(job),
            JsonPosition::Base64 { file } => self.no_base64(file, job),
            JsonPosition::Data { .. } => self.no_data(job),
            JsonPosition::String { .. }
            | JsonPosition::Stray
            | JsonPosition::Tokens
            | JsonPosition::Told
            | JsonPosition::Passed { .. }
            | JsonPosition::Dropped { .. } => {}
        }
        self.with(job, |this, work| {
            this.string.end_string(Place::default(), work);
            this.string.finish(work);
            this.stray.finish(work);
        });
    }

    fn take(&mut self, mut piece: &[u8], job: &mut Job<'_>) {
        while !piece.is_empty() {
            let taken = match self.position {
                JsonPosition::String { escaped } => self.in_string(piece, escaped, job),
                JsonPosition::Stray => self.in_stray(piece, job),
                JsonPosition::Tokens => self.in_tokens(piece, job),
                JsonPosition::Told => self.in_told(piece, job),
                JsonPosition::Url => self.in_url(piece, job),
                JsonPosition::Base64 { file } => self.in_base64(piece, file, job),
                JsonPosition::Data { passed } => self.in_data(piece, passed, job),
                JsonPosition::Passed { escaped } => self.in_passed(piece, escaped, true, job),
                JsonPosition::Dropped { escaped } => self.in_passed(piece, escaped, false, job),
                JsonPosition::Outside
                    if self.grammar.in_array() && job.mask.matcher().passes_plain_numbers() =>
                {
                    self.in_array(piece, job)
                }
                _ => {
                    let Some(byte) = piece.first() else { return };
                    usize::from(self.byte(*byte, job))
                }
            };
            piece = piece.get(taken..).unwrap_or_default();
        }
    }

    /// Takes a byte in one of the states that look at each; false when it has to be read anew.
    fn byte(&mut self, byte: u8, job: &mut Job<'_>) -> bool {
        match self.position {
            JsonPosition::Outside => {
                if self.tokens.is_some() && self.begins_tokens(byte) {
                    return false;
                }
                if byte == b'{' && self.begins_told(job) {
                    return false;
                }
                self.outside(byte, job);
            }
            JsonPosition::Scalar => return self.in_scalar(byte, job),
            JsonPosition::Key { escaped } => self.in_key(byte, escaped, job),
            JsonPosition::AfterKey => return self.after_key(byte, job),
            JsonPosition::String { .. }
            | JsonPosition::Stray
            | JsonPosition::Tokens
            | JsonPosition::Told
            | JsonPosition::Url
            | JsonPosition::Base64 { .. }
            | JsonPosition::Data { .. }
            | JsonPosition::Passed { .. }
            | JsonPosition::Dropped { .. } => return false,
        }
        true
    }

    /// Passes the numbers at the front of a piece that have nothing to match, or takes a byte.
    fn in_array(&mut self, piece: &[u8], job: &mut Job<'_>) -> usize {
        let taken = prefilter::plain_numbers(piece);
        if taken > 0 {
            job.out
                .extend_from_slice(piece.get(..taken).unwrap_or(piece));
            self.grammar.numbers();
            return taken;
        }
        piece
            .first()
            .map_or(0, |byte| usize::from(self.byte(*byte, job)))
    }

    fn outside(&mut self, byte: u8, job: &mut Job<'_>) {
        match byte {
            b' ' | b'\t' | b'\r' | b'\n' => job.out.push(byte),
            b'"' => match self.grammar.string() {
                Some(Role::Key) => {
                    self.run.push(byte);
                    self.position = JsonPosition::Key { escaped: false };
                }
                Some(Role::Value) => {
                    job.out.push(byte);
                    self.begin_string(job);
                }
                None => self.break_with(&[byte], job),
            },
            b'{' | b'}' | b'[' | b']' | b':' | b',' => {
                if byte != b':' {
                    self.name.clear();
                }
                if self.grammar.mark(byte) {
                    job.out.push(byte);
                    let met = self.met.take().unwrap_or_default();
                    self.places.mark(byte, met, job.layout);
                } else {
                    self.break_with(&[byte], job);
                }
            }
            _ => {
                self.run.push(byte);
                self.position = JsonPosition::Scalar;
                return;
            }
        }
        self.begun = true;
    }

    fn in_scalar(&mut self, byte: u8, job: &mut Job<'_>) -> bool {
        let ends = match byte {
            b'{' | b'}' | b'[' | b']' | b':' | b',' | b'"' => true,
            // One value a line.
            b'\n' => self.grammar.at_top(),
            _ => false,
        };
        if ends || self.run.len() >= scalar::MAX_SCALAR_BYTES {
            if !self.end_scalar(job) {
                self.break_at_run(job);
            }
            return false;
        }
        self.run.push(byte);
        true
    }

    /// Writes what is held if it is a number or a literal name in its place, or a byte order mark.
    fn end_scalar(&mut self, job: &mut Job<'_>) -> bool {
        let length = self.run.trim_ascii_end().len();
        let (bare, space) = self.run.split_at(length);
        let mark = !self.begun && bare == b"\xEF\xBB\xBF";
        let plain = job.mask.matcher().passes_plain_numbers() && scalar::is_plain(bare);
        let fits = mark || ((plain || scalar::is_scalar(bare)) && self.grammar.scalar());
        if fits {
            let class = self.places.class(job.layout);
            let named = (self.name.as_slice(), bare);
            if mark || plain || job.mask.treats(class) != Treatment::Mask {
                job.out.extend_from_slice(bare);
            } else if class == Class::Numbers {
                scalar::mask_to_number(job.mask.matcher(), named, job.found, job.out);
            } else {
                scalar::mask(job.mask.matcher(), named, job.found, job.out);
            }
            job.out.extend_from_slice(space);
            self.run.clear();
            self.begun = true;
            self.position = JsonPosition::Outside;
        }
        fits
    }

    fn in_key(&mut self, byte: u8, escaped: bool, job: &mut Job<'_>) {
        self.run.push(byte);
        self.position = match byte {
            b'"' if !escaped => JsonPosition::AfterKey,
            _ => JsonPosition::Key {
                escaped: byte == b'\\' && !escaped,
            },
        };
        if self.run.len() > MAX_NAME_BYTES && self.position != JsonPosition::AfterKey {
            let run = std::mem::take(&mut self.run);
            let (quote, content) = run.split_at(1);
            job.out.extend_from_slice(quote);
            self.string.set_writing(Writing::Json);
            self.position = JsonPosition::String { escaped: false };
            self.take(content, job);
        }
    }

    fn after_key(&mut self, byte: u8, job: &mut Job<'_>) -> bool {
        match byte {
            b':' => {
                self.tokens = List::named(&self.run);
                self.holds_json = tokens::holds_json(&self.run);
                self.places.member(&self.run, job.layout);
                self.name.clear();
                self.name
                    .extend_from_slice(member::name(self.run.trim_ascii_end()));
                self.write_name(job);
                self.position = JsonPosition::Outside;
            }
            b' ' | b'\t' | b'\r' | b'\n' => {
                if self.run.len() < MAX_NAME_BYTES {
                    self.run.push(byte);
                    return true;
                }
                self.break_at_run(job);
            }
            _ => self.break_at_run(job),
        }
        false
    }

    /// Writes the name that is held, masked where names are texts.
    fn write_name(&mut self, job: &mut Job<'_>) {
        let run = std::mem::take(&mut self.run);
        let length = run.trim_ascii_end().len();
        let (quoted, space) = run.split_at(length);
        let name = quoted
            .strip_prefix(b"\"")
            .and_then(|it| it.strip_suffix(b"\""));
        let (true, Some(name)) = (job.mask.matches_keys(), name) else {
            job.out.extend(run);
            return;
        };
        job.out.push(b'"');
        let masked = job
            .mask
            .reads_base64()
            .then(|| base64::mask(job.mask.matcher(), name, job.found));
        match masked.flatten() {
            Some(masked) => job.out.extend(masked),
            None => self.with(job, |_, work| {
                let mut text = Rewriter::new(Writing::Json);
                text.json(name, Place::default(), work);
                text.end_string(Place::default(), work);
                text.finish(work);
            }),
        }
        job.out.push(b'"');
        job.out.extend_from_slice(space);
    }

    /// The held bytes are neither a name nor a number: the body is not JSON from there on.
    fn break_at_run(&mut self, job: &mut Job<'_>) {
        let run = std::mem::take(&mut self.run);
        self.break_with(&run, job);
    }

    fn break_with(&mut self, bytes: &[u8], job: &mut Job<'_>) {
        self.broken = true;
        self.position = JsonPosition::Stray;
        self.take(bytes, job);
    }

    fn in_string(&mut self, piece: &[u8], escaped: bool, job: &mut Job<'_>) -> usize {
        let (end, escaped) = prefilter::end_of_string(piece, escaped);
        let content = piece.get(..end.unwrap_or(piece.len())).unwrap_or_default();
        self.with(job, |this, work| {
            this.string.json(content, Place::default(), work)
        });
        if end.is_none() {
            self.position = JsonPosition::String { escaped };
            return piece.len();
        }
        self.with(job, |this, work| {
            this.string.end_string(Place::default(), work);
            this.string.finish(work);
        });
        job.out.push(b'"');
        self.position = if self.broken {
            JsonPosition::Stray
        } else {
            JsonPosition::Outside
        };
        content.len() + 1
    }

    fn in_stray(&mut self, piece: &[u8], job: &mut Job<'_>) -> usize {
        let end = memchr::memchr(b'"', piece);
        let content = piece.get(..end.unwrap_or(piece.len())).unwrap_or_default();
        self.with(job, |this, work| {
            this.stray.plain(content, Place::default(), work)
        });
        if end.is_none() {
            return piece.len();
        }
        self.with(job, |this, work| this.stray.finish(work));
        job.out.push(b'"');
        self.position = JsonPosition::String { escaped: false };
        content.len() + 1
    }

    /// Whether the list of tokens that may come begins with the next byte.
    fn begins_tokens(&mut self, byte: u8) -> bool {
        let space = matches!(byte, b' ' | b'\t' | b'\r' | b'\n' | b':');
        let begins = !self.lists_are_over && matches!(byte, b'{' | b'[');
        if begins && self.grammar.expects_value() {
            self.position = JsonPosition::Tokens;
            return true;
        }
        if !space {
            self.tokens = None;
        }
        false
    }

    fn in_tokens(&mut self, piece: &[u8], job: &mut Job<'_>) -> usize {
        let Some(list) = &mut self.tokens else {
            self.position = JsonPosition::Outside;
            return 0;
        };
        let end = list.end(piece);
        let length = end.unwrap_or(piece.len());
        if !list.is_over() {
            self.run
                .extend_from_slice(piece.get(..length).unwrap_or(piece));
            if list.is_over_at(self.run.len()) {
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
        self.position = JsonPosition::Outside;
        if list.is_over() || list.mask(&self.run, self.places.at(), job) {
            self.grammar.scalar();
            self.run = Vec::new();
        } else {
            self.replay(job);
        }
    }

    /// Reads the held bytes as anything but a list of tokens: it is incomplete, or not JSON. Unless
    /// it is empty, the body is broken and no further list is looked for.
    fn replay(&mut self, job: &mut Job<'_>) {
        let held = std::mem::take(&mut self.run);
        self.tokens = None;
        self.lists_are_over |= memchr::memchr(b'"', &held).is_some();
        self.position = JsonPosition::Outside;
        self.take(&held, job);
    }

    fn with(&mut self, job: &mut Job<'_>, call: impl FnOnce(&mut Self, &mut Work<'_>)) {
        let mut out = Direct(job.out);
        call(
            self,
            &mut Work {
                matcher: job.mask.matcher(),
                out: &mut out,
                found: job.found,
            },
        );
    }
}
