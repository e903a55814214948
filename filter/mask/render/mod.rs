//! What replaces a match.

mod normal;
mod originals;
mod pseudonym;

#[cfg(test)]
mod tests;

use std::rc::Rc;

pub use originals::Originals;
pub(super) use pseudonym::Pseudonyms;

use crate::policy::Style;

/// How many characters the style `partial` shows, and how many a match must have for that: to show
/// four of six would show most of it.
const SHOWN_CHARACTERS: usize = 4;
const MIN_SHOWABLE_CHARACTERS: usize = 8;

/// What is written for a match.
#[derive(Debug)]
pub(super) struct Written<'a> {
    pub(super) text: String,
    /// The detector's name, where the text is a pseudonym of the match.
    pub(super) pseudonym_of: Option<&'a str>,
}

impl From<String> for Written<'_> {
    fn from(text: String) -> Self {
        Self {
            text,
            pseudonym_of: None,
        }
    }
}

/// What replaces one detector's matches.
#[derive(Debug)]
pub(super) enum Replacement {
    /// What a mask writes.
    Styled(Styled),
    /// What a pseudonym stands for.
    Original(Rc<Originals>),
}

impl Replacement {
    /// In a style, for a detector of this name and label.
    pub(super) fn new(
        style: Style,
        detector: &str,
        label: &str,
        pseudonyms: &Rc<Pseudonyms>,
    ) -> Self {
        Self::Styled(Styled {
            style,
            detector: detector.to_owned(),
            label: label.to_owned(),
            pseudonyms: Rc::clone(pseudonyms),
        })
    }

    /// What pseudonyms stand for.
    pub(super) fn restoring(originals: &Rc<Originals>) -> Self {
        Self::Original(Rc::clone(originals))
    }

    /// For a whole match, or for the first part of one that goes on (`open`).
    pub(super) fn first(&self, matched: &[u8], open: bool) -> Written<'_> {
        match self {
            Self::Styled(styled) => styled.first(matched, open),
            Self::Original(originals) => originals.write(matched).into(),
        }
    }

    /// For a further part of a match.
    pub(super) fn further(&self, matched: &[u8]) -> String {
        match self {
            Self::Styled(styled) => styled.further(matched),
            // A part that had to be written early stays a pseudonym, and so does its rest.
            Self::Original(_) => String::from_utf8_lossy(matched).into_owned(),
        }
    }
}

/// What a mask writes for one detector's matches.
#[derive(Debug)]
pub(super) struct Styled {
    style: Style,
    detector: String,
    label: String,
    pseudonyms: Rc<Pseudonyms>,
}

impl Styled {
    /// A pseudonym says which value it stands for, so one that is not known whole gets none.
    fn first(&self, matched: &[u8], open: bool) -> Written<'_> {
        let text = match self.style {
            Style::Pseudonym if !open => {
                let written = self.pseudonyms.write(&self.detector, &self.label, matched);
                return written.map_or_else(
                    || self.bare().into(),
                    |text| Written {
                        text,
                        pseudonym_of: Some(&self.detector),
                    },
                );
            }
            Style::Label | Style::Pseudonym => self.bare(),
            Style::Remove => String::new(),
            Style::Partial if !open => partial(matched),
            Style::Stars | Style::Partial => "*".repeat(characters(matched)),
        };
        text.into()
    }

    fn further(&self, matched: &[u8]) -> String {
        match self.style {
            Style::Label | Style::Remove | Style::Pseudonym => String::new(),
            Style::Stars | Style::Partial => "*".repeat(characters(matched)),
        }
    }

    fn bare(&self) -> String {
        format!("[{}]", self.label)
    }
}

fn begins_character(byte: u8) -> bool {
    !matches!(byte, 0x80..=0xbf)
}

/// How many UTF-8 characters begin in `bytes`.
fn characters(bytes: &[u8]) -> usize {
    bytes.iter().filter(|byte| begins_character(**byte)).count()
}

fn partial(matched: &[u8]) -> String {
    let count = characters(matched);
    if count < MIN_SHOWABLE_CHARACTERS {
        return "*".repeat(count);
    }
    let from = matched
        .iter()
        .enumerate()
        .rev()
        .filter(|(_, byte)| begins_character(**byte))
        .nth(SHOWN_CHARACTERS - 1)
        .map_or(0, |(index, _)| index);
    let shown = String::from_utf8_lossy(matched.get(from..).unwrap_or_default());
    format!("{}{shown}", "*".repeat(count - SHOWN_CHARACTERS))
}
