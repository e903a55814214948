//! Dates of birth.
//!
//! Source: ISO 8601 and the usual national ways to write a date; the names of months in the
//! languages that name them alike (English, German, French, Spanish, Italian, Portuguese,
//! Dutch).
//!
//! Validation: a date with a year from 1900 to 2099 (or of two digits), and a word such as
//! "born" or "DOB" among the last six in front, no other kind of date nearer. The date is
//! numbers with one separator (`-`, `/`, `.` or a space) in any of the usual orders, or has a
//! month's name: `March 3, 1980`, `3rd of March 1980`, `3. März 1980`.
//! Whole: no letter or digit next to it.
//!
//! Bound: a day, the longest name and a year with what stands between them, and two bytes to
//! see the end.

use std::sync::LazyLock;

use crate::detectors::context_words::{ContextWords, Vocabulary};
use crate::detectors::detect::{Detect, Hit, Miss, Start, Window, hit};
use crate::prefilter::begins_month;

const MAX_WORDS_BACK: usize = 6;
const MAX_MONTH_BYTES: usize = 12;

static FOR: LazyLock<Vocabulary> = LazyLock::new(|| {
    Vocabulary::new(
        "born birth* dob bday dateofbirth
         geboren geburt* geb geboorte* né née naissance nacido nacida nacimiento nato nata
         nascita nascido nascida nascimento født fødsels* född födelse* syntynyt urodz*
         родился родилась рождения *出生* *生日* *生年月日* *생년월일*",
    )
});

static AGAINST: LazyLock<Vocabulary> = LazyLock::new(|| {
    Vocabulary::new("died death expir* issued since until meeting hired joined due married")
});

/// The first letters of the months' names, in lower case.
const INITIALS: &[u8] = b"adefgjlmnos";

pub(super) struct DateOfBirth;

impl Detect for DateOfBirth {
    fn starts(&self, first: u8) -> Start {
        if first.is_ascii_digit() || INITIALS.contains(&first.to_ascii_lowercase()) {
            Start::Edge
        } else {
            Start::Never
        }
    }

    fn find(&self, window: &Window<'_>) -> Result<Hit, Miss> {
        if is_other(window.bytes) {
            return Err(Miss::No);
        }
        let joined = [b'-', b'/', b'.', b':'];
        if joined.iter().any(|byte| window.behind.digit_then(*byte)) {
            return Err(Miss::No);
        }
        match date(window) {
            Ok(Some(end)) if announced(window) => Ok(hit(end)),
            // Nothing waits that has no such word in front.
            Err(Miss::More) if announced(window) => Err(Miss::More),
            _ => Err(Miss::No),
        }
    }

    fn bound(&self) -> usize {
        2 + 4 + 4 + MAX_MONTH_BYTES + 6 + 4 + 3
    }
}

/// Where the date at the front of the window ends.
fn date(window: &Window<'_>) -> Result<Option<usize>, Miss> {
    let end = if !window.digit_at(0)? {
        month_first(window)?
    } else if let Some(end) = numeric(window)? {
        Some(end)
    } else {
        day_first(window)?
    };
    let Some(end) = end else {
        return Ok(None);
    };
    let whole = match window.at(end)? {
        // A time may follow, as in ISO 8601.
        Some(b'T') => window.digit_at(end + 1)?,
        Some(b'-' | b'/' | b'.') => !window.digit_at(end + 1)?,
        next => !next.is_some_and(|b| b.is_ascii_alphanumeric()),
    };
    Ok(whole.then_some(end))
}

/// Whether what follows the leading number rules out a date: most numbers of a
/// text are told by this.
fn is_other(bytes: &[u8]) -> bool {
    let digits = bytes
        .iter()
        .take(5)
        .take_while(|byte| byte.is_ascii_digit());
    let digits = digits.count();
    let Some([next, after]) = bytes.get(digits..).and_then(<[u8]>::first_chunk) else {
        return false;
    };
    match (digits, next) {
        (0, _) => false,
        (1 | 2 | 4, b'-' | b'/' | b'.' | b' ') if after.is_ascii_digit() => false,
        (1 | 2, b' ') => {
            let rest = bytes.get(digits + 1..).unwrap_or_default();
            let of = matches!(rest, [b'o', b'f', ..] | [b'd', b'e' | b'\'', ..]);
            !of && rest
                .first_chunk()
                .is_some_and(|three| !begins_month(*three))
        }
        (1 | 2, b'-' | b'/' | b'.' | b',') => {
            after.is_ascii() && !matches!(after, b' ' | b'A'..=b'z')
        }
        (1 | 2, next) => next.is_ascii() && !next.is_ascii_alphabetic(),
        _ => true,
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

/// The digits at `from`, at most four: how many, and their value.
fn digits(window: &Window<'_>, from: usize) -> Result<(usize, u32), Miss> {
    let len = window.run(from, 5, |b| b.is_ascii_digit())?;
    let bytes = window.slice(from, len.min(4)).iter();
    Ok((
        len,
        bytes.fold(0, |value, digit| value * 10 + u32::from(digit - b'0')),
    ))
}

fn is_year((len, value): (usize, u32)) -> bool {
    len == 4 && (1900..2100).contains(&value)
}

fn is_part((len, value): (usize, u32), most: u32) -> bool {
    (1..=2).contains(&len) && (1..=most).contains(&value)
}

/// Three numbers: the year first or last.
fn numeric(window: &Window<'_>) -> Result<Option<usize>, Miss> {
    let first = digits(window, 0)?;
    let Some(separator @ (b'-' | b'/' | b'.' | b' ')) = window.at(first.0)? else {
        return Ok(None);
    };
    let from = first.0 + 1;
    let second = digits(window, from)?;
    let from = from + second.0;
    if second.0 == 0 || window.at(from)? != Some(separator) {
        return Ok(None);
    }
    let third = digits(window, from + 1)?;
    let end = from + 1 + third.0;
    let day_and_month =
        |a, b| (is_part(a, 31) && is_part(b, 12)) || (is_part(a, 12) && is_part(b, 31));
    let date = (is_year(first) && is_part(second, 12) && is_part(third, 31))
        || ((is_year(third) || (third.0 == 2 && separator != b' '))
            && day_and_month(first, second));
    Ok(date.then_some(end))
}

/// A day, a month's name and a year.
fn day_first(window: &Window<'_>) -> Result<Option<usize>, Miss> {
    let day = digits(window, 0)?;
    if !is_part(day, 31) {
        return Ok(None);
    }
    let mut index = day.0;
    for suffix in [&b"st"[..], b"nd", b"rd", b"th", b"er", b"."] {
        if window.literal(index, suffix)? {
            index += suffix.len();
            break;
        }
    }
    index += gap(window, index)?;
    for of in [&b"of "[..], b"de ", b"d'"] {
        if window.literal(index, of)? {
            index += of.len();
            break;
        }
    }
    let Some(month) = month(window, index)? else {
        return Ok(None);
    };
    index += month;
    index += gap(window, index)?;
    for of in [&b"de "[..], b"del "] {
        if window.literal(index, of)? {
            index += of.len();
            break;
        }
    }
    let year = digits(window, index)?;
    Ok(is_year(year).then_some(index + year.0))
}

/// A month's name, one space, a day and a year.
fn month_first(window: &Window<'_>) -> Result<Option<usize>, Miss> {
    let Some(month) = month(window, 0)? else {
        return Ok(None);
    };
    if !window.slice(0, month).is_ascii() || window.at(month)? != Some(b' ') {
        return Ok(None);
    }
    let mut index = month + 1;
    let day = digits(window, index)?;
    if is_year(day) {
        return Ok(Some(index + day.0));
    }
    if !is_part(day, 31) {
        return Ok(None);
    }
    index += day.0;
    for suffix in [&b"st"[..], b"nd", b"rd", b"th"] {
        if window.literal(index, suffix)? {
            index += suffix.len();
            break;
        }
    }
    index += gap(window, index)?;
    let year = digits(window, index)?;
    Ok(is_year(year).then_some(index + year.0))
}

/// A comma, a space, a dash or a slash, or the first and the second.
fn gap(window: &Window<'_>, index: usize) -> Result<usize, Miss> {
    Ok(match window.at(index)? {
        Some(b',') if window.at(index + 1)? == Some(b' ') => 2,
        Some(b',' | b' ' | b'-' | b'/') => 1,
        _ => 0,
    })
}

/// How long the month's name at `from` is, with a full stop, if there is one.
fn month(window: &Window<'_>, from: usize) -> Result<Option<usize>, Miss> {
    let [a, b, c] = [window.at(from)?, window.at(from + 1)?, window.at(from + 2)?];
    let (Some(a), Some(b), Some(c)) = (a, b, c) else {
        return Ok(None);
    };
    if !begins_month([a, b, c]) {
        return Ok(None);
    }
    let letter = |b: u8| b.is_ascii_alphabetic() || !b.is_ascii();
    let len = window.run(from, MAX_MONTH_BYTES + 1, letter)?;
    if len > MAX_MONTH_BYTES {
        return Ok(None);
    }
    let stop = usize::from(window.at(from + len)? == Some(b'.'));
    Ok(Some(len + stop))
}

/// Texts and what they become: with a match, and near misses that stay.
#[cfg(test)]
pub(in crate::detectors) const EXAMPLES: &[(&str, &str)] = &[
    ("born 1980-03-23.", "born [DATE_OF_BIRTH]."),
    ("DOB: 3/23/1940", "DOB: [DATE_OF_BIRTH]"),
    ("geb. am 3.12.80,", "geb. am [DATE_OF_BIRTH],"),
    (
        "date of birth. It's 12/30/1951",
        "date of birth. It's [DATE_OF_BIRTH]",
    ),
    (
        "She was born on March 3, 1980",
        "She was born on [DATE_OF_BIRTH]",
    ),
    ("born Sept. 3rd, 1980 in", "born [DATE_OF_BIRTH] in"),
    ("born in May 1980", "born in [DATE_OF_BIRTH]"),
    ("birthday: 3rd of March 1980", "birthday: [DATE_OF_BIRTH]"),
    ("geboren am 3. März 1980", "geboren am [DATE_OF_BIRTH]"),
    ("née le 1er août 1980", "née le [DATE_OF_BIRTH]"),
    ("nacida el 3 de marzo de 1980", "nacida el [DATE_OF_BIRTH]"),
    (
        "{\"birth_date\":\"1980-03-23\"}",
        "{\"birth_date\":\"[DATE_OF_BIRTH]\"}",
    ),
    ("dob=1980-03-23T00:00:00Z", "dob=[DATE_OF_BIRTH]T00:00:00Z"),
    ("on 1980-03-23", "on 1980-03-23"),
    ("since March 3, 1980", "since March 3, 1980"),
    (
        "born in Oslo, died 1980-03-23",
        "born in Oslo, died 1980-03-23",
    ),
    ("born 1980-13-43", "born 1980-13-43"),
    ("born 31/12/980", "born 31/12/980"),
    ("born March  3, 1980", "born March  3, 1980"),
    ("born March 33, 1980", "born March 33, 1980"),
    ("born 3 apples 1980", "born 3 apples 1980"),
    ("born 12.3.1980.1", "born 12.3.1980.1"),
];
