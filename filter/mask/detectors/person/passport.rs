//! Passport numbers.
//!
//! Source: ICAO Doc 9303, part 4 (at most nine letters and digits), and the forms that states
//! use. There is no check digit outside the machine-readable zone.
//!
//! Validation: the word for a passport among the last six in front, nothing of another number
//! nearer; then six to nine letters and digits, at least five of which are digits.
//! Whole: no letter or digit next to it.
//!
//! Bound: 10 bytes.

use std::sync::LazyLock;

use crate::detectors::context_words::{ContextWords, Vocabulary};
use crate::detectors::detect::{Detect, Hit, Miss, Start, Window, alphanumeric, hit};

const MIN_CHARACTERS: usize = 6;
const MAX_CHARACTERS: usize = 9;
const MIN_DIGITS: usize = 5;
const MAX_WORDS_BACK: usize = 6;

static FOR: LazyLock<Vocabulary> = LazyLock::new(|| {
    Vocabulary::new(
        "passport* reisepass* pass passnummer paspoort* passeport* pasaporte* passaporto*
         passaporte* paszport* pasport* passi passinumero pasaport* паспорт* Паспорт* *护照*
         *パスポート* *旅券* *여권* جواز",
    )
});

/// Words of what else has a number or a date in a passport's neighbourhood.
static AGAINST: LazyLock<Vocabulary> = LazyLock::new(|| {
    Vocabulary::new("expir* issued valid born dob birth visa phone call fee zip room flight on")
});

pub(super) struct Passport;

impl Detect for Passport {
    fn starts(&self, first: u8) -> Start {
        if first.is_ascii_alphanumeric() {
            Start::Edge
        } else {
            Start::Never
        }
    }

    fn find(&self, window: &Window<'_>) -> Result<Hit, Miss> {
        let known = window.bytes.get(..MIN_CHARACTERS).unwrap_or(window.bytes);
        if known.iter().any(|byte| !byte.is_ascii_alphanumeric()) {
            return Err(Miss::No);
        }
        let known = window.bytes.iter().take(MAX_CHARACTERS + 1);
        let letters = known.take_while(|b| b.is_ascii_alphabetic()).count();
        // Words and numbers without the word in front wait for nothing.
        if letters > MAX_CHARACTERS - MIN_DIGITS || !announced(window) {
            return Err(Miss::No);
        }
        let len = window.run(0, MAX_CHARACTERS + 1, alphanumeric)?;
        let digits = window.slice(0, len).iter().filter(|b| b.is_ascii_digit());
        let joined = window.behind.digit_then(b'.') || window.behind.digit_then(b'-');
        if (MIN_CHARACTERS..=MAX_CHARACTERS).contains(&len)
            && digits.count() >= MIN_DIGITS
            && !joined
        {
            Ok(hit(len))
        } else {
            Err(Miss::No)
        }
    }

    fn run(&self) -> usize {
        MIN_CHARACTERS
    }

    fn bound(&self) -> usize {
        MAX_CHARACTERS + 2
    }
}

fn announced(window: &Window<'_>) -> bool {
    let front = ContextWords::new(window.behind);
    for word in front.words().take(MAX_WORDS_BACK) {
        if FOR.has(word.word) {
            return true;
        }
        if AGAINST.has(word.word) {
            return false;
        }
    }
    false
}

/// Texts and what they become: with a match, and near misses that stay.
#[cfg(test)]
pub(in crate::detectors) const EXAMPLES: &[(&str, &str)] = &[
    ("passport number 533380006", "passport number [PASSPORT]"),
    ("Passport No.: X1234567.", "Passport No.: [PASSPORT]."),
    ("Reisepass C01X00T47, ", "Reisepass [PASSPORT], "),
    (
        "{\"passportNumber\":\"AB123456\"}",
        "{\"passportNumber\":\"[PASSPORT]\"}",
    ),
    ("护照号码是E12345678。", "护照号码是[PASSPORT]。"),
    ("number 533380006", "number 533380006"),
    ("passport office 12345", "passport office 12345"),
    ("passport expires 20301231", "passport expires 20301231"),
    ("passport 5333800067", "passport 5333800067"),
    ("passport X1234567Y8", "passport X1234567Y8"),
    ("passport version2024", "passport version2024"),
];
