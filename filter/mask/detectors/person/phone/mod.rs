//! Phone numbers, international and national.
//!
//! Source: ITU-T E.164 (at most 15 digits, the assigned country codes) and E.123 (how
//! numbers are written), RFC 3966 for extensions, the North American Numbering Plan, and the
//! national ways to group digits.
//!
//! Validation: what a number looks like decides how much is asked for besides.
//! - `+` and an assigned country code, 8 to 15 digits: always.
//! - A form that little else is written in (`form.rs` lists them: `00` and a country code,
//!   the North American 3-3-4, a trunk prefix 0, an area code in parentheses, four pairs with
//!   dashes): unless a word right in front says that it is something else, such as "order".
//! - Any other 7 to 12 digits, or three pairs: where a word such as "call" or "phone" stands
//!   in front, nearer than one that speaks against it, or below the line of a postal address
//!   that ends with its city and code.
//!
//! Dates, ranges of years, dotted IPv4 addresses and what is grouped like a social security
//! number are never phone numbers. An extension (`x12`, `ext. 12`) belongs to the number.
//! Whole: no letter or digit next to it, not the decimals of a number, not a part of a longer
//! chain of groups with dashes, dots or slashes.
//!
//! Bound: 17 digits and as many separators and parentheses as stand between eight groups,
//! an extension, and one byte to see the end.

mod form;
mod number;
mod words;

#[cfg(test)]
mod examples;

use crate::detectors::detect::{Detect, Hit, Miss, Start, Window, hit};
use form::Form;
use number::Number;

pub(in crate::detectors) use words::announce as announces_phone;

#[cfg(test)]
pub(super) use examples::EXAMPLES;

/// The shortest national numbers have as many.
const MIN_DIGITS: usize = 6;

pub(super) struct Phone;

impl Detect for Phone {
    fn starts(&self, first: u8) -> Start {
        if first.is_ascii_digit() || matches!(first, b'+' | b'(') {
            Start::Edge
        } else {
            Start::Never
        }
    }

    fn find(&self, window: &Window<'_>) -> Result<Hit, Miss> {
        if part_of_a_number(window) {
            return Err(Miss::No);
        }
        let number = Number::read(window)?;
        // In a row of numbers any of them may look like the beginning of one.
        let row = number.spaced() && window.behind.digit_then(b' ');
        // What stands in front is read once at most.
        let mut announced = None;
        let mut objected = None;
        for groups in (1..=number.groups().len()).rev() {
            let accepted = match form::of(&number, groups) {
                Form::Never => false,
                Form::International => true,
                Form::Known | Form::Digits if row => false,
                Form::Known => !*objected.get_or_insert_with(|| words::object(window.behind)),
                Form::Digits => *announced.get_or_insert_with(|| words::announce(window.behind)),
            };
            if !accepted {
                continue;
            }
            if let Some(end) = number.end(window, groups)? {
                return Ok(hit(end));
            }
        }
        Err(Miss::No)
    }

    fn digits(&self) -> usize {
        MIN_DIGITS
    }

    fn bound(&self) -> usize {
        number::MAX_NUMBER_BYTES + number::MAX_EXTENSION_BYTES + 1
    }
}

/// Whether what stands in front goes on here, or says that an amount follows.
fn part_of_a_number(window: &Window<'_>) -> bool {
    let behind = window.behind;
    let joined = |byte| matches!(byte, b'.' | b'-' | b'/' | b':' | b',' | b'+');
    match behind.byte() {
        Some(b'$' | b'#' | b'%' | b'^') => true,
        Some(byte) if joined(byte) => behind.second().is_some_and(|b| b.is_ascii_digit()),
        _ => behind.backwards().take(3).eq([0xac, 0x82, 0xe2]),
    }
}
