//! The texts of a body, as they are shown to whoever looks for something in them.
//!
//! A text is shown by itself, as what a reader of it makes of it (JSON in a string, base64 of a text),
//! and together with its neighbours: a model reads the parts of a message, and one message behind the
//! other, as one text. What joins them is the server's to say, so each way is shown.

use base64::Engine;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

use super::nested;

/// Takes one text.
pub type See<'t> = dyn FnMut(&[u8]) + 't;

/// How often escapes are undone in one text. Each level doubles the backslashes of the one inside
/// it; nobody writes more by accident.
const MAX_LEVELS: usize = 8;

/// How deep JSON in strings of JSON is taken apart.
const MAX_NESTED: usize = 4;

/// Shorter runs of base64 are words.
const LEAST_BASE64_BYTES: usize = 24;

/// In no text of UTF-8.
const BORDER: u8 = 0xff;

/// Shows texts as a body is read.
pub(in crate::dialect) struct Texts<'t> {
    see: Option<&'t mut See<'t>>,
    /// Running text by the order in which the model reads it, with a border behind each piece.
    joined: Vec<Vec<u8>>,
    nested: usize,
    unread: bool,
}

impl<'t> Texts<'t> {
    /// Shows them to `see`; to nobody without it.
    pub(in crate::dialect) fn new(see: Option<&'t mut See<'t>>) -> Self {
        Self {
            see,
            joined: Vec::new(),
            nested: 0,
            unread: false,
        }
    }

    /// Whether somebody looks.
    pub(in crate::dialect) fn wanted(&self) -> bool {
        self.see.is_some()
    }

    /// There is text that can't be read.
    pub(in crate::dialect) fn unread(&mut self) {
        self.unread = true;
    }

    /// A text that may reach the model.
    pub(in crate::dialect) fn text(&mut self, text: &str) {
        if !self.wanted() {
            return;
        }
        self.show(text.as_bytes());
        if let Some(data) = nested::data_url(text) {
            self.encoded(data);
        } else if let Some(bytes) = base64(text) {
            match core::str::from_utf8(&bytes) {
                Ok(text) => self.inside(text),
                // A few bytes that are no text don't keep a model from reading the others.
                Err(_) => self.show(&bytes),
            }
        }
        self.unescaped(text);
        if text.trim_start().starts_with(['{', '[']) {
            self.deeper(|texts| nested::each(text, &mut |inside| texts.text(inside)));
        }
    }

    /// Running text: it is read with what stands before and behind it. `rank` is its place among
    /// what the model reads.
    pub(in crate::dialect) fn running(&mut self, rank: usize, text: &str) {
        probe("running", text);
        self.text(text);
        if !self.wanted() || text.is_empty() {
            return;
        }
        while self.joined.len() <= rank {
            self.joined.push(Vec::new());
        }
        if let Some(joined) = self.joined.get_mut(rank) {
            joined.extend_from_slice(text.as_bytes());
            joined.push(BORDER);
        }
    }

    /// A document in base64 or in a data URL; also as it is, if it may be `plain`. Readers of base64 skip
    /// what is none, so that no more than this is certain.
    pub(super) fn file(&mut self, text: &str, plain: bool) {
        probe("files", text);
        if !self.wanted() || text.is_empty() {
            return;
        }
        self.text(text);
        if nested::data_url(text).is_some() {
            return;
        }
        let bytes = loose_base64(text);
        let encoded = is_strict_base64(text)
            && (!plain || text.len() >= LEAST_BASE64_BYTES && looks_like_base64(text));
        if encoded && let Some(bytes) = &bytes {
            self.document(bytes);
        } else if !plain || nested::is_address(text) || looks_like_base64(text) {
            self.unread();
        }
        if let Some(bytes) = bytes {
            self.show(&bytes);
        }
    }

    /// Sound or a picture, in base64 or in a data URL, which may hold text all the same.
    pub(super) fn media(&mut self, text: &str) {
        probe("media", text);
        // A picture's base64 is no text, and long.
        if nested::data_url(text).is_some()
            || text.len() < LEAST_BASE64_BYTES
            || base64(text).is_none_or(|bytes| !nested::is_media(&bytes))
        {
            self.text(text);
        }
    }

    /// A field of a form or of a message that is a document.
    pub(in crate::dialect) fn upload(&mut self, bytes: &[u8]) {
        probe("files", &String::from_utf8_lossy(bytes));
        self.document(bytes);
    }

    /// A field of a form that is sound or a picture.
    pub(in crate::dialect) fn recording(&mut self, bytes: &[u8]) {
        let text = core::str::from_utf8(bytes);
        probe("media", &String::from_utf8_lossy(bytes));
        if let Ok(text) = text {
            self.text(text);
        }
    }

    /// A document's bytes.
    pub(in crate::dialect) fn document(&mut self, bytes: &[u8]) {
        match core::str::from_utf8(bytes) {
            Ok(text) => {
                // In UTF-16 every other byte of English is one.
                self.unread |= nested::is_document(bytes) || bytes.contains(&0);
                self.inside(text);
            }
            Err(_) if nested::is_media(bytes) && !nested::is_document(bytes) => self.show(bytes),
            Err(_) => {
                self.unread();
                self.inside(&String::from_utf8_lossy(bytes));
            }
        }
    }

    /// Bytes that hold texts somewhere.
    pub(in crate::dialect) fn bytes(&mut self, bytes: &[u8]) {
        self.show(bytes);
    }

    /// Whether some text can't be read; shows what stands together.
    pub(in crate::dialect) fn end(mut self) -> bool {
        let mut joined = core::mem::take(&mut self.joined).concat();
        let borders: Vec<usize> = memchr::memchr_iter(BORDER, &joined).collect();
        if borders.len() > 1 {
            for between in *b" \n" {
                for at in &borders {
                    if let Some(byte) = joined.get_mut(*at) {
                        *byte = between;
                    }
                }
                self.show(&joined);
            }
            let mut plain = Vec::with_capacity(joined.len());
            let mut begin = 0;
            for at in borders {
                plain.extend_from_slice(joined.get(begin..at).unwrap_or_default());
                begin = at.saturating_add(1);
            }
            self.show(&plain);
        }
        self.unread
    }

    fn show(&mut self, text: &[u8]) {
        if let Some(see) = &mut self.see {
            see(text);
        }
    }

    /// What a text becomes as its escapes are undone, level by level.
    fn unescaped(&mut self, text: &str) {
        let Some(mut text) = nested::unescape(text) else {
            return;
        };
        for _ in 1..MAX_LEVELS {
            self.show(text.as_bytes());
            match nested::unescape(&text) {
                Some(next) => text = next,
                None => return,
            }
        }
        self.show(text.as_bytes());
        self.unread |= nested::unescape(&text).is_some();
    }

    /// The content of a data URL.
    fn encoded(&mut self, data: nested::DataUrl<'_>) {
        let bytes = if data.base64 {
            loose_base64(data.content)
        } else {
            Some(nested::percent_decoded(data.content.as_bytes()))
        };
        match bytes {
            Some(bytes) => self.document(&bytes),
            None => self.unread(),
        }
    }

    /// A text that is inside another one.
    fn inside(&mut self, text: &str) {
        self.deeper(|texts| texts.text(text));
    }

    fn deeper(&mut self, run: impl FnOnce(&mut Self)) {
        if self.nested >= MAX_NESTED {
            return;
        }
        self.nested += 1;
        run(self);
        self.nested -= 1;
    }
}

#[cfg(test)]
std::thread_local! {
    /// What bodies had of each kind, for tests.
    pub(in crate::dialect) static PROBE: core::cell::RefCell<Vec<(&'static str, String)>> =
        const { core::cell::RefCell::new(Vec::new()) };
}

/// Notes for tests what a text was taken for.
#[cfg_attr(not(test), allow(unused_variables, reason = "only tests ask"))]
fn probe(kind: &'static str, text: &str) {
    #[cfg(test)]
    PROBE.with_borrow_mut(|probe| probe.push((kind, text.to_owned())));
}

/// Padding and the last bits are as writers have them.
const LOOSE: GeneralPurposeConfig = GeneralPurposeConfig::new()
    .with_decode_padding_mode(DecodePaddingMode::Indifferent)
    .with_decode_allow_trailing_bits(true);

/// What a text of nothing but base64 stands for, in either alphabet.
fn base64(text: &str) -> Option<Vec<u8>> {
    let blank = |byte: u8| b" \t\x0b\x0c".contains(&byte);
    let fits = |byte: u8| is_base64(byte) || blank(byte);
    if text.len() < LEAST_BASE64_BYTES || !text.bytes().all(fits) {
        return None;
    }
    // Words have blanks between them, too.
    if text.bytes().any(blank) && !looks_like_base64(text) {
        return None;
    }
    loose_base64(text)
}

/// Whether every reader takes a text for the same base64: padding stands at its end only.
fn is_strict_base64(text: &str) -> bool {
    let inner = text.trim_end_matches(['=', '\r', '\n']);
    inner.bytes().all(|byte| is_base64(byte) && byte != b'=')
}

/// Whether a text has the letters of base64, whatever stands between them: a quarter or more of them are
/// capitals, and some are small.
fn looks_like_base64(text: &str) -> bool {
    let count = |fits: fn(&u8) -> bool| text.bytes().filter(fits).count();
    let all = count(u8::is_ascii_alphanumeric);
    let capitals = count(u8::is_ascii_uppercase);
    let small = count(u8::is_ascii_lowercase);
    capitals.saturating_mul(4) >= all && small.saturating_mul(7) >= all
}

fn is_base64(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"+/-_=\r\n".contains(&byte)
}

/// As most readers take it: what is not of the alphabet is skipped.
fn loose_base64(text: &str) -> Option<Vec<u8>> {
    let plain = |byte: u8| match byte {
        b'-' => Some(b'+'),
        b'_' => Some(b'/'),
        b'+' | b'/' => Some(byte),
        byte => byte.is_ascii_alphanumeric().then_some(byte),
    };
    let mut plain: Vec<u8> = text.bytes().filter_map(plain).collect();
    // A lone character at the end stands for nothing.
    if plain.len() % 4 == 1 {
        plain.pop();
    }
    GeneralPurpose::new(&alphabet::STANDARD, LOOSE)
        .decode(&plain)
        .ok()
}
