//! Places as a pair of latitude and longitude.
//!
//! Source: ISO 6709 and RFC 5870 (decimal degrees; latitude first).
//!
//! Validation: two decimal numbers with a comma, a comma and a space, or a space between them;
//! a latitude of at most 90 and a longitude of at most 180 degrees. Intervals and other pairs of
//! measurements look like that too: so each has four decimals or more (some ten metres) and one
//! of them is 10 or more, or five decimals and 1; or three where a word such as "coordinates"
//! or "lat" stands in front.
//! Whole: no letter or digit next to it, no third number behind: three are a point in space,
//! and longer rows are measurements.
//!
//! Bound: two numbers of 20 characters, a separator, and three bytes to see the end.

use std::sync::LazyLock;

use crate::detectors::context_words::{ContextWords, Vocabulary};
use crate::detectors::detect::{Detect, Hit, Miss, Start, Window, hit};

const MAX_DECIMALS: usize = 15;
const MIN_DECIMALS: usize = 3;
const MAX_WORDS_BACK: usize = 5;

static FOR: LazyLock<Vocabulary> = LazyLock::new(|| {
    Vocabulary::new(
        "coord* koordinat* lat latitude latlng latlon latlong gps geo location position
         lieu ubicación posición",
    )
});

/// Two degrees with three decimals each.
const MIN_DIGITS: usize = 8;

pub(super) struct Coordinates;

impl Detect for Coordinates {
    fn starts(&self, first: u8) -> Start {
        if first.is_ascii_digit() || matches!(first, b'-' | b'+') {
            Start::Edge
        } else {
            Start::Never
        }
    }

    fn find(&self, window: &Window<'_>) -> Result<Hit, Miss> {
        let behind = window.behind;
        let row = behind.digit_then(b',')
            || behind.digit_then(b' ')
            || (behind.byte() == Some(b' ') && behind.second() == Some(b','));
        let signed = matches!(behind.byte(), Some(b'-' | b'+' | b'.'));
        if row || signed {
            return Err(Miss::No);
        }
        let latitude = degrees(window, 0, 90)?;
        let mut index = latitude.end;
        let comma = window.at(index)? == Some(b',');
        index += usize::from(comma);
        let space = window.at(index)? == Some(b' ');
        index += usize::from(space);
        if !comma && !space {
            return Err(Miss::No);
        }
        let longitude = degrees(window, index, 180)?;
        let decimals = latitude.decimals.min(longitude.decimals);
        let end = longitude.end;
        let more = match window.at(end)? {
            Some(b'.') => window.digit_at(end + 1)?,
            // One more number of a row, with or without a space in front of it.
            Some(b',') => {
                let space = usize::from(window.at(end + 1)? == Some(b' '));
                window
                    .at(end + 1 + space)?
                    .is_some_and(|b| b.is_ascii_digit() || b == b'-')
            }
            next => next.is_some_and(|b| b.is_ascii_alphanumeric()),
        };
        let places = match decimals {
            0..=3 => false,
            4 => latitude.value.max(longitude.value) >= 10,
            _ => latitude.value.max(longitude.value) >= 1,
        };
        if !more && (places || ContextWords::new(behind).says(MAX_WORDS_BACK, &FOR)) {
            Ok(hit(end))
        } else {
            Err(Miss::No)
        }
    }

    fn digits(&self) -> usize {
        MIN_DIGITS
    }

    fn bound(&self) -> usize {
        2 * (1 + 3 + 1 + MAX_DECIMALS) + 2 + 4
    }
}

struct Degrees {
    /// Without the decimals and the sign.
    value: u32,
    decimals: usize,
    end: usize,
}

/// The number at `from`, if it is at most `most`.
fn degrees(window: &Window<'_>, from: usize, most: u32) -> Result<Degrees, Miss> {
    let signed = matches!(window.at(from)?, Some(b'-' | b'+'));
    let start = from + usize::from(signed);
    let whole = window.run(start, 4, |b| b.is_ascii_digit())?;
    let point = start + whole;
    if !(1..=3).contains(&whole) || window.at(point)? != Some(b'.') {
        return Err(Miss::No);
    }
    let decimals = window.run(point + 1, MAX_DECIMALS + 1, |b| b.is_ascii_digit())?;
    let digits = window.slice(start, whole).iter();
    let value = digits.fold(0, |value, digit| value * 10 + u32::from(digit - b'0'));
    if !(MIN_DECIMALS..=MAX_DECIMALS).contains(&decimals) || value > most {
        return Err(Miss::No);
    }
    Ok(Degrees {
        value,
        decimals,
        end: point + 1 + decimals,
    })
}

/// Texts and what they become: with a match, and near misses that stay.
#[cfg(test)]
pub(in crate::detectors) const EXAMPLES: &[(&str, &str)] = &[
    ("48.858370, 2.294481", "[COORDINATES]"),
    ("geo:-33.8568,151.2153", "geo:[COORDINATES]"),
    ("(52.5163 13.3777).", "([COORDINATES])."),
    ("lat/lon: 48.858, 2.294", "lat/lon: [COORDINATES]"),
    ("5.60372, 0.18696", "[COORDINATES]"),
    ("0.512345, 0.634567", "0.512345, 0.634567"),
    ("95% CI (1.2345, 2.3456)", "95% CI (1.2345, 2.3456)"),
    ("48.858, 2.294", "48.858, 2.294"),
    ("98.8583, 2.2944", "98.8583, 2.2944"),
    ("48.8583, 192.2944", "48.8583, 192.2944"),
    ("48.8583, 2.2944, 35.1234", "48.8583, 2.2944, 35.1234"),
    ("[0.1234, 0.5678, 0.9012]", "[0.1234, 0.5678, 0.9012]"),
    ("48.8583; 2.2944", "48.8583; 2.2944"),
    ("48.8583, 2.2944x", "48.8583, 2.2944x"),
    ("gps 48.8583.1, 2.2944", "gps 48.8583.1, 2.2944"),
];
