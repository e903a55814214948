//! What is written in a match's place.

use crate::config::mask::Style;

/// How many characters the style `partial` shows, and how many a match must have for it:
/// four of six characters would be the most of it.
const SHOWN: usize = 4;
const SHOWN_FROM: usize = 8;

/// What is written in the place of one detector's matches.
#[derive(Debug)]
pub(super) struct Replacement {
    style: Style,
    label: String,
}

impl Replacement {
    pub(super) fn new(style: Style, label: &str) -> Self {
        Self {
            style,
            label: format!("[{label}]"),
        }
    }

    /// For a whole match, or for the first part of one that goes on (`open`).
    pub(super) fn first(&self, matched: &[u8], open: bool) -> String {
        match self.style {
            Style::Label => self.label.clone(),
            Style::Remove => String::new(),
            Style::Partial if !open => partial(matched),
            Style::Stars | Style::Partial => "*".repeat(characters(matched)),
        }
    }

    /// For a further part of a match.
    pub(super) fn further(&self, matched: &[u8]) -> String {
        match self.style {
            Style::Label | Style::Remove => String::new(),
            Style::Stars | Style::Partial => "*".repeat(characters(matched)),
        }
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
    if count < SHOWN_FROM {
        return "*".repeat(count);
    }
    let from = matched
        .iter()
        .enumerate()
        .rev()
        .filter(|(_, byte)| begins_character(**byte))
        .nth(SHOWN - 1)
        .map_or(0, |(index, _)| index);
    let shown = String::from_utf8_lossy(matched.get(from..).unwrap_or_default());
    format!("{}{shown}", "*".repeat(count - SHOWN))
}
