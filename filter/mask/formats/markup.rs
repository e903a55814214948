//! HTML and XML.
//!
//! What stands between two tags is a text, read with its character references (`&#64;` and
//! `&commat;` are `@`); so is each attribute's value, and what a comment, a CDATA section, a
//! declaration or a script holds, where references mean themselves, and so is each name: a model
//! writes `<jane@example.com>` too. A replacement is written so that it ends nothing and begins
//! nothing.
//!
//! # What it can't
//! - A match does not go over a tag: `jane@<b>example.com</b>` is two texts.
//! - Of the named references, those of ASCII's punctuation and the commonest others are known.
//!   What a script or a URL escapes in its own ways is read as it stands.

mod reference;
#[cfg(test)]
mod tests;

use super::WalkError;
use super::output::{Direct, Place};
use super::rewriter::{Rewriter, Work};
use super::walk::{Job, Walk};
use super::writing::Writing;
use reference::Step;

/// Elements of HTML whose content is no markup.
const RAW: &[&[u8]] = &[b"script", b"style", b"textarea", b"title"];
/// The longest name that is compared with those.
const MAX_NAME_BYTES: usize = 16;

/// Where in the body the next byte stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum MarkupPosition {
    /// Between tags.
    #[default]
    Text,
    /// Behind a `<`.
    Open,
    /// In a tag's name, held in `name`; whether it is an end tag.
    Name { end: bool },
    /// In a tag, where an attribute may begin or a value follow.
    Tag { value: bool },
    /// In a value in these quotes.
    Quoted(u8),
    /// In a value without quotes.
    Bare,
    /// Behind `<!`, as far as what follows is a comment's or a CDATA section's beginning.
    Declaration,
    /// In what ends with a `>` behind these two bytes, or behind any.
    Verbatim(Option<u8>),
    /// In an element whose content is no markup; held are the bytes that may be its end tag.
    Raw,
}

/// Masks HTML or XML.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Markup {
    xml: bool,
    position: MarkupPosition,
    text: Rewriter,
    bare: Rewriter,
    verbatim: Rewriter,
    /// A reference or a mark whose end has not come.
    held: Vec<u8>,
    /// The name of the last tag, or of the element whose content is no markup.
    name: Vec<u8>,
    /// The last two bytes of what is read verbatim.
    last: [u8; 2],
}

impl Walk for Markup {
    fn push(&mut self, piece: &[u8], job: &mut Job<'_>) -> Result<(), WalkError> {
        let mut rest = piece;
        while let Some(byte) = rest.first() {
            let plain = self.plain(rest);
            if plain > 0 {
                let (now, later) = rest.split_at(plain.min(rest.len()));
                self.feed(now, None, job);
                rest = later;
            } else if self.byte(*byte, job) {
                rest = rest.get(1..).unwrap_or_default();
            }
        }
        Ok(())
    }

    fn finish(&mut self, job: &mut Job<'_>) -> Result<(), WalkError> {
        self.flush(job);
        Ok(())
    }

    fn held(&self) -> usize {
        self.held.len() + self.text.held() + self.bare.held() + self.verbatim.held()
    }
}

impl Markup {
    pub(super) fn new(xml: bool) -> Self {
        Self {
            xml,
            position: MarkupPosition::Text,
            text: Rewriter::new(Writing::Markup),
            bare: Rewriter::new(Writing::BareMarkup),
            verbatim: Rewriter::new(Writing::Verbatim),
            held: Vec::new(),
            name: Vec::new(),
            last: [0; 2],
        }
    }

    /// How many bytes at the front of a piece are text that ends nothing and refers to nothing.
    fn plain(&self, piece: &[u8]) -> usize {
        if !self.held.is_empty() {
            return 0;
        }
        let end = match self.position {
            MarkupPosition::Text => memchr::memchr2(b'<', b'&', piece),
            MarkupPosition::Quoted(quote) => memchr::memchr2(quote, b'&', piece),
            MarkupPosition::Raw => memchr::memchr2(b'<', b'&', piece),
            _ => return 0,
        };
        end.unwrap_or(piece.len())
    }

    /// Takes a byte; false when it has to be read anew.
    fn byte(&mut self, byte: u8, job: &mut Job<'_>) -> bool {
        match self.position {
            MarkupPosition::Text | MarkupPosition::Quoted(_) | MarkupPosition::Bare
                if !self.held.is_empty() =>
            {
                return self.in_reference(byte, job);
            }
            MarkupPosition::Text => match byte {
                b'<' => self.position = MarkupPosition::Open,
                _ => self.held.push(byte),
            },
            MarkupPosition::Open => return self.behind_open(byte, job),
            MarkupPosition::Name { end } => return self.in_name(byte, end, job),
            MarkupPosition::Tag { value } => self.in_tag(byte, value, job),
            MarkupPosition::Quoted(quote) if byte == quote => self.end_value(Some(byte), job),
            MarkupPosition::Bare if byte == b'>' || byte.is_ascii_whitespace() => {
                self.end_value(None, job);
                return false;
            }
            MarkupPosition::Quoted(_) | MarkupPosition::Bare if byte == b'&' => {
                self.held.push(byte)
            }
            MarkupPosition::Quoted(_) | MarkupPosition::Bare => self.feed(&[byte], None, job),
            MarkupPosition::Declaration => return self.in_declaration(byte, job),
            MarkupPosition::Verbatim(mark) => self.in_verbatim(byte, mark, job),
            MarkupPosition::Raw => return self.in_raw(byte, job),
        }
        true
    }

    fn in_reference(&mut self, byte: u8, job: &mut Job<'_>) -> bool {
        match reference::step(&self.held, byte) {
            Step::More => {
                self.held.push(byte);
                true
            }
            Step::End { taken } => {
                if taken {
                    self.held.push(byte);
                }
                self.end_reference(job);
                taken
            }
        }
    }

    /// The held bytes are a complete reference, or turned out not to be one.
    fn end_reference(&mut self, job: &mut Job<'_>) {
        let held = std::mem::take(&mut self.held);
        let mut buffer = [0; 4];
        let decoded = reference::decode(&held).map(|char| char.encode_utf8(&mut buffer).as_bytes());
        self.feed(&held, decoded, job);
    }

    fn behind_open(&mut self, byte: u8, job: &mut Job<'_>) -> bool {
        let markup = byte.is_ascii_alphabetic() || matches!(byte, b'/' | b'!' | b'?' | b'_' | b':');
        if !markup {
            self.position = MarkupPosition::Text;
            self.feed(b"<", None, job);
            return false;
        }
        self.end_text(job);
        job.out.push(b'<');
        self.name.clear();
        match byte {
            b'!' => {
                job.out.push(byte);
                self.position = MarkupPosition::Declaration;
            }
            b'?' => {
                job.out.push(byte);
                self.position = MarkupPosition::Verbatim(None);
            }
            b'/' => {
                job.out.push(byte);
                self.position = MarkupPosition::Name { end: true };
            }
            _ => {
                self.position = MarkupPosition::Name { end: false };
                return false;
            }
        }
        true
    }

    fn in_name(&mut self, byte: u8, end: bool, job: &mut Job<'_>) -> bool {
        if byte == b'>' || byte == b'/' || byte.is_ascii_whitespace() {
            self.end_text(job);
            if end {
                self.name.clear();
            }
            self.position = MarkupPosition::Tag { value: false };
            return false;
        }
        self.feed(&[byte], None, job);
        if self.name.len() < MAX_NAME_BYTES {
            self.name.push(byte.to_ascii_lowercase());
        }
        true
    }

    fn in_tag(&mut self, byte: u8, value: bool, job: &mut Job<'_>) {
        let next = match byte {
            b'>' if !self.xml && RAW.contains(&self.name.as_slice()) => MarkupPosition::Raw,
            b'>' => MarkupPosition::Text,
            b'"' | b'\'' if value => MarkupPosition::Quoted(byte),
            b'=' => MarkupPosition::Tag { value: true },
            _ if byte.is_ascii_whitespace() => MarkupPosition::Tag { value },
            b'&' if value => {
                self.position = MarkupPosition::Bare;
                self.held.push(byte);
                return;
            }
            _ => {
                if value {
                    self.position = MarkupPosition::Bare;
                }
                self.feed(&[byte], None, job);
                return;
            }
        };
        self.end_text(job);
        job.out.push(byte);
        self.position = next;
    }

    fn end_value(&mut self, quote: Option<u8>, job: &mut Job<'_>) {
        self.end_text(job);
        job.out.extend(quote);
        self.position = MarkupPosition::Tag { value: false };
    }

    /// Tells a comment and a CDATA section from other declarations.
    fn in_declaration(&mut self, byte: u8, job: &mut Job<'_>) -> bool {
        const CDATA: &[u8] = b"[CDATA[";
        let at = self.held.len();
        let comment = at < 2 && byte == b'-' && self.held.iter().all(|held| *held == b'-');
        let cdata = CDATA.get(at) == Some(&byte) && CDATA.starts_with(&self.held);
        if !comment && !cdata {
            let held = std::mem::take(&mut self.held);
            self.position = MarkupPosition::Verbatim(None);
            self.feed(&held, None, job);
            return false;
        }
        self.held.push(byte);
        let mark = match self.held.as_slice() {
            b"--" => b'-',
            CDATA => b']',
            _ => return true,
        };
        job.out.append(&mut self.held);
        self.last = [0; 2];
        self.position = MarkupPosition::Verbatim(Some(mark));
        true
    }

    fn in_verbatim(&mut self, byte: u8, mark: Option<u8>, job: &mut Job<'_>) {
        if byte == b'>' && mark.is_none_or(|mark| self.last == [mark; 2]) {
            self.end_text(job);
            job.out.push(byte);
            self.position = MarkupPosition::Text;
            return;
        }
        let [_, last] = self.last;
        self.last = [last, byte];
        self.feed(&[byte], None, job);
    }

    fn in_raw(&mut self, byte: u8, job: &mut Job<'_>) -> bool {
        let at = self.held.len();
        let fits = match at {
            0 => byte == b'<',
            1 => byte == b'/',
            _ => self.name.get(at - 2) == Some(&byte.to_ascii_lowercase()),
        };
        if fits {
            self.held.push(byte);
            if self.held.len() == self.name.len() + 2 {
                let tag = std::mem::take(&mut self.held);
                self.end_text(job);
                job.out.extend(tag);
                self.name.clear();
                self.position = MarkupPosition::Tag { value: false };
            }
            return true;
        }
        if at == 0 {
            self.feed(&[byte], None, job);
            return true;
        }
        let held = std::mem::take(&mut self.held);
        self.feed(&held, None, job);
        false
    }

    /// Gives bytes to the text that is read now; they read as `decoded`, if that is given.
    fn feed(&mut self, raw: &[u8], decoded: Option<&[u8]>, job: &mut Job<'_>) {
        let rewriter = self.rewriter();
        let mut out = Direct(job.out);
        let work = &mut Work {
            matcher: job.mask.matcher(),
            out: &mut out,
            found: job.found,
        };
        match decoded {
            Some(decoded) => rewriter.whole(raw, decoded, Place::default(), work),
            None => rewriter.plain(raw, Place::default(), work),
        }
    }

    fn end_text(&mut self, job: &mut Job<'_>) {
        let mut out = Direct(job.out);
        self.rewriter().finish(&mut Work {
            matcher: job.mask.matcher(),
            out: &mut out,
            found: job.found,
        });
    }

    fn rewriter(&mut self) -> &mut Rewriter {
        match self.position {
            MarkupPosition::Bare => &mut self.bare,
            MarkupPosition::Text | MarkupPosition::Open | MarkupPosition::Quoted(_) => {
                &mut self.text
            }
            _ => &mut self.verbatim,
        }
    }

    /// The body ends, wherever it is.
    fn flush(&mut self, job: &mut Job<'_>) {
        if self.position == MarkupPosition::Open {
            self.position = MarkupPosition::Text;
            self.feed(b"<", None, job);
        }
        if matches!(
            self.position,
            MarkupPosition::Text | MarkupPosition::Quoted(_) | MarkupPosition::Bare
        ) {
            if !self.held.is_empty() {
                self.end_reference(job);
            }
        } else {
            let held = std::mem::take(&mut self.held);
            self.feed(&held, None, job);
        }
        self.end_text(job);
    }
}
