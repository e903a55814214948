//! A state's number: the layouts in which it is written, and the detector that reads them.

use std::sync::LazyLock;

use super::super::context_words::{ContextWords, Vocabulary};
use super::super::detect::{
    Detect, Hit, LEAD_BYTES, MAX_SEPARATOR_BYTES, Miss, Separator, Start, WORD_LETTERS, Window,
    alphanumeric, hit, separator,
};
use super::super::person::announces_phone;

/// Digits and letters of the longest number.
const MAX_CHARACTERS: usize = 24;

/// How many words in front may say what a number is.
const MAX_WORDS_BACK: usize = 8;

/// One state's number.
pub(super) struct Number {
    /// Its name as a detector, which begins with `national_id.`.
    pub(super) name: &'static str,
    pub(super) label: &'static str,
    pub(super) forms: &'static [Form],
    /// Whether digits and letters, without separators and in upper case, are such a number.
    pub(super) valid: fn(&[u8]) -> bool,
    /// The words that people call it by.
    pub(super) words: &'static LazyLock<Vocabulary>,
}

/// One way to write a number.
pub(super) struct Form {
    layout: &'static [u8],
    /// Where something else than a digit or letter is expected first.
    gap: usize,
    needs: Needs,
}

/// What must stand in front of a number.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Needs {
    Nothing,
    /// No word that announces a phone number, which is written like this too.
    NoPhone,
    /// One of its words.
    Word,
}

pub(super) const fn alone(layout: &'static str) -> Form {
    form(layout, Needs::Nothing)
}

pub(super) const fn unless_phone(layout: &'static str) -> Form {
    form(layout, Needs::NoPhone)
}

pub(super) const fn with_word(layout: &'static str) -> Form {
    form(layout, Needs::Word)
}

const fn form(layout: &'static str, needs: Needs) -> Form {
    let layout = layout.as_bytes();
    let mut rest = layout;
    while let [b'#' | b'@' | b'*', tail @ ..] = rest {
        rest = tail;
    }
    Form {
        layout,
        gap: layout.len() - rest.len(),
        needs,
    }
}

/// The detector of one number.
pub(super) struct National(pub(super) &'static Number);

impl Detect for National {
    fn starts(&self, first: u8) -> Start {
        let mut forms = self.0.forms.iter();
        if forms.any(|form| form.layout.first().is_some_and(|kind| fits(*kind, first))) {
            Start::Edge
        } else {
            Start::Never
        }
    }

    fn find(&self, window: &Window<'_>) -> Result<Hit, Miss> {
        for form in self.0.forms {
            let word = || ContextWords::new(window.behind).says(MAX_WORDS_BACK, self.0.words);
            let read = match form.read(window) {
                Ok(Some(read)) => read,
                // Nothing waits that needs a word which is not there.
                Err(Miss::More) if form.needs_word(window) && !word() => continue,
                Err(miss) => return Err(miss),
                Ok(None) => continue,
            };
            let characters = read.characters.get(..read.count).unwrap_or_default();
            if !(self.0.valid)(characters) || !read.is_whole(window)? {
                continue;
            }
            let enough = match form.needs {
                _ if read.lower_case => false,
                Needs::Nothing => true,
                Needs::NoPhone => !announces_phone(window.behind),
                Needs::Word => false,
            };
            if enough || word() {
                return Ok(hit(read.len));
            }
        }
        Err(Miss::No)
    }

    fn digits(&self) -> usize {
        let count = |form: &Form| {
            let lead = form.layout.get(..LEAD_BYTES / MAX_SEPARATOR_BYTES);
            let lead = lead.unwrap_or(form.layout);
            let letters = |kinds: &[u8]| kinds.iter().all(|kind| matches!(kind, b'@' | b'*'));
            let word = lead.windows(WORD_LETTERS).position(letters);
            let lead = lead.get(..word.unwrap_or(lead.len())).unwrap_or(lead);
            lead.iter().filter(|kind| **kind == b'#').count()
        };
        self.0.forms.iter().map(count).min().unwrap_or(0)
    }

    fn run(&self) -> usize {
        // Literal bytes are graphic; separators may be spaces, or beyond ASCII.
        let count = |form: &Form| {
            let kinds = form.layout.iter();
            kinds
                .take_while(|kind| !matches!(**kind, b' ' | b'-' | b'~'))
                .count()
        };
        self.0.forms.iter().map(count).min().unwrap_or(0)
    }

    fn bound(&self) -> usize {
        let longest = |form: &Form| form.layout.len() + MAX_SEPARATOR_BYTES * 6 + 2;
        self.0.forms.iter().map(longest).max().unwrap_or(0)
    }
}

fn fits(kind: u8, byte: u8) -> bool {
    match kind {
        b'#' => byte.is_ascii_digit(),
        b'@' => byte.is_ascii_alphabetic(),
        b'*' => byte.is_ascii_alphanumeric(),
        itself => byte == itself,
    }
}

/// What stands in a layout.
struct Read {
    characters: [u8; MAX_CHARACTERS],
    count: usize,
    lower_case: bool,
    /// What separates its groups.
    separator: Option<Separator>,
    len: usize,
}

impl Form {
    /// Reads what stands in the layout, if it is that.
    fn read(&self, window: &Window<'_>) -> Result<Option<Read>, Miss> {
        if self.misses(window) {
            return Ok(None);
        }
        let mut read = Read {
            characters: [0; MAX_CHARACTERS],
            count: 0,
            lower_case: false,
            separator: None,
            len: 0,
        };
        for kind in self.layout {
            if matches!(kind, b' ' | b'-' | b'~') {
                let found = separator(window, read.len)?;
                let Some((found, len)) = found.filter(|(found, _)| match kind {
                    b' ' => *found == Separator::Space,
                    b'-' => *found == Separator::Dash,
                    _ => read.separator.is_none_or(|before| before == *found),
                }) else {
                    return Ok(None);
                };
                read.separator = Some(found);
                read.len += len;
                continue;
            }
            let Some(byte) = window.at(read.len)?.filter(|byte| fits(*kind, *byte)) else {
                return Ok(None);
            };
            read.len += 1;
            if alphanumeric(byte) {
                read.lower_case |= byte.is_ascii_lowercase();
                if let Some(place) = read.characters.get_mut(read.count) {
                    *place = byte.to_ascii_uppercase();
                }
                read.count += 1;
            }
        }
        Ok(Some(read))
    }

    /// Whether what is known of the number needs a word in front.
    fn needs_word(&self, window: &Window<'_>) -> bool {
        let mut known = window.bytes.iter().take(self.layout.len());
        self.needs == Needs::Word || known.any(u8::is_ascii_lowercase)
    }

    /// Whether a look at what stands in the place of the first separator, or behind a number
    /// without any, says that this is something else. Most numbers of a text end here.
    fn misses(&self, window: &Window<'_>) -> bool {
        let Some(byte) = window.bytes.get(self.gap) else {
            return false;
        };
        match self.layout.get(self.gap) {
            None => alphanumeric(*byte),
            Some(b' ' | b'-' | b'~') => !matches!(byte, b' ' | b'-' | 0xc2 | 0xe2),
            Some(itself) => byte != itself,
        }
    }
}

impl Read {
    /// Whether nothing next to it goes on with it.
    fn is_whole(&self, window: &Window<'_>) -> Result<bool, Miss> {
        let behind = window.behind;
        let next = window.at(self.len)?;
        if next.is_some_and(alphanumeric)
            || [b'-', b'.', b'/']
                .iter()
                .any(|byte| behind.digit_then(*byte))
        {
            return Ok(false);
        }
        let spaced = self.separator == Some(Separator::Space);
        if spaced && behind.digit_then(b' ') {
            return Ok(false);
        }
        let joins = matches!(next, Some(b'-' | b'.' | b'/')) || (spaced && next == Some(b' '));
        Ok(!(joins && window.digit_at(self.len + 1)?))
    }
}
