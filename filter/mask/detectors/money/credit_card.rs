//! Payment card numbers.
//!
//! Source: ISO/IEC 7812 (number, Luhn check digit), and the prefixes and lengths that the
//! networks publish for their issuers.
//!
//! Validation: 13 to 19 digits, at once or in groups with one and the same kind of separator
//! (a space or a dash) between them, each but the last of three digits or more; a known
//! network with a length that it issues; the check digit.
//! Whole: no letter or digit next to it, not the decimals of a number, and with dashes not
//! a part of a longer chain of dashed groups. After a space anything may stand in front or
//! behind: an expiry date, the next number.
//!
//! Bound: 19 digits with a separator between any two, and one byte to see the end.

use crate::detectors::detect::{
    Detect, Hit, MAX_SEPARATOR_BYTES, Miss, Separator, Start, Window, hit, separator,
};

const MIN_DIGITS: usize = 13;
const MAX_DIGITS: usize = 19;
/// The digits of a group that another may follow.
const MIN_GROUP_DIGITS: usize = 3;
/// The digits that tell the network.
const PREFIX_DIGITS: usize = 6;

pub(super) struct CreditCard;

impl Detect for CreditCard {
    fn starts(&self, first: u8) -> Start {
        // No network's numbers begin with 0 or 7.
        if matches!(first, b'1'..=b'6' | b'8' | b'9') {
            Start::Edge
        } else {
            Start::Never
        }
    }

    fn find(&self, window: &Window<'_>) -> Result<Hit, Miss> {
        if window.behind.digit_then(b'.') {
            return Err(Miss::No);
        }
        let mut number = Number::default();
        let mut grouping = None;
        let mut group = 0;
        let mut end = None;
        let mut index = 0;
        loop {
            let byte = window.at(index)?;
            if let Some(digit @ b'0'..=b'9') = byte {
                number.push(digit - b'0');
                group += 1;
                index += 1;
                if number.digits > MAX_DIGITS || !number.may_be_card() {
                    break;
                }
                continue;
            }
            // No group comes behind a short one, so there is nothing to wait for.
            if group < MIN_GROUP_DIGITS && !number.is_card() {
                break;
            }
            let whole = !byte.is_some_and(|b| b.is_ascii_alphanumeric());
            let next = match separator(window, index)? {
                Some((kind, len)) if window.digit_at(index + len)? => Some((kind, len)),
                _ => None,
            };
            let kind = next.map(|(kind, _)| kind);
            let chained = kind == Some(Separator::Dash) && grouping == kind;
            if whole && !chained && number.is_card() {
                end = Some(index);
            }
            let Some((kind, len)) = next else { break };
            let same = grouping.is_none_or(|before| before == kind);
            if !same || group < MIN_GROUP_DIGITS || number.digits == MAX_DIGITS {
                break;
            }
            grouping = Some(kind);
            group = 0;
            index += len;
        }
        let chained = grouping == Some(Separator::Dash) && window.behind.digit_then(b'-');
        end.filter(|_| !chained).map(hit).ok_or(Miss::No)
    }

    fn digits(&self) -> usize {
        MIN_DIGITS
    }

    fn bound(&self) -> usize {
        MAX_DIGITS + MAX_DIGITS * MAX_SEPARATOR_BYTES + 1
    }
}

/// What has been read of the number so far.
#[derive(Default)]
struct Number {
    digits: usize,
    /// The first six digits.
    prefix: u32,
    /// The Luhn sums with every digit at an even place doubled, and at an odd one.
    even: u32,
    odd: u32,
}

impl Number {
    fn push(&mut self, digit: u8) {
        let digit = u32::from(digit);
        let doubled = if digit > 4 { digit * 2 - 9 } else { digit * 2 };
        if self.digits.is_multiple_of(2) {
            self.even += doubled;
            self.odd += digit;
        } else {
            self.even += digit;
            self.odd += doubled;
        }
        if self.digits < PREFIX_DIGITS {
            self.prefix = self.prefix * 10 + digit;
        }
        self.digits += 1;
    }

    /// From the right, every second digit is doubled: which those are from the left depends
    /// on how many there are.
    fn luhn(&self) -> bool {
        let sum = if self.digits.is_multiple_of(2) {
            self.even
        } else {
            self.odd
        };
        sum.is_multiple_of(10)
    }

    /// Whether the digits so far begin a card's number, as far as that is looked at.
    fn may_be_card(&self) -> bool {
        self.digits != PREFIX_DIGITS
            || (MIN_DIGITS..=MAX_DIGITS).any(|digits| network(self.prefix, digits))
    }

    fn is_card(&self) -> bool {
        (MIN_DIGITS..=MAX_DIGITS).contains(&self.digits)
            && network(self.prefix, self.digits)
            && self.luhn()
    }
}

/// Whether a network issues numbers of `digits` digits that begin with `prefix` (six digits).
fn network(prefix: u32, digits: usize) -> bool {
    match prefix {
        // UATP; American Express
        100_000..=199_999 | 340_000..=349_999 | 370_000..=379_999 => digits == 15,
        // Mir; Mastercard's second range
        220_000..=220_499 => digits >= 16,
        222_100..=272_099 => digits == 16,
        // Diners Club; JCB
        300_000..=305_999 | 309_500..=309_599 | 360_000..=369_999 | 380_000..=399_999 => {
            digits >= 14
        }
        352_800..=358_999 => digits >= 16,
        // Visa
        400_000..=499_999 => matches!(digits, 13 | 16 | 18 | 19),
        // Mastercard; Maestro, RuPay, Verve and Elo around it
        510_000..=559_999 => digits == 16,
        500_000..=509_999 | 560_000..=589_999 => true,
        // Discover, UnionPay, Maestro, InstaPayment
        600_000..=699_999 => true,
        // UnionPay, RuPay; Troy
        810_000..=829_999 | 979_200..=979_299 => digits >= 16,
        _ => false,
    }
}

/// Texts and what they become: with a match, and near misses that stay.
#[cfg(test)]
pub(in crate::detectors) const EXAMPLES: &[(&str, &str)] = &[
    ("4111111111111111", "[CREDIT_CARD]"),
    ("4111 1111 1111 1111", "[CREDIT_CARD]"),
    ("card 5500-0000-0000-0004.", "card [CREDIT_CARD]."),
    ("3782 822463 10005", "[CREDIT_CARD]"),
    (
        "4222222222222 or 30569309025904",
        "[CREDIT_CARD] or [CREDIT_CARD]",
    ),
    (
        "6011111111111117,3530111333300000",
        "[CREDIT_CARD],[CREDIT_CARD]",
    ),
    (
        "in 2024 4111 1111 1111 1111 12/27",
        "in 2024 [CREDIT_CARD] 12/27",
    ),
    ("2223003122003222\\n", "[CREDIT_CARD]\\n"),
    (
        "6759649826438453 und 4000 0566 5566 5556",
        "[CREDIT_CARD] und [CREDIT_CARD]",
    ),
    ("4111\u{a0}1111\u{202f}1111 1111", "[CREDIT_CARD]"),
    (
        "4111\u{2011}1111\u{2011}1111\u{2011}1111 \u{2014}",
        "[CREDIT_CARD] \u{2014}",
    ),
    ("4111111111111112", "4111111111111112"),
    ("411111111111111111111111", "411111111111111111111111"),
    ("0.4111111111111111", "0.4111111111111111"),
    ("x4111111111111111", "x4111111111111111"),
    ("4111111111111111x", "4111111111111111x"),
    ("1234-4111-1111-1111-1111", "1234-4111-1111-1111-1111"),
    ("4111-1111-1111-1111-1234", "4111-1111-1111-1111-1234"),
    ("4111  1111 1111 1111", "4111  1111 1111 1111"),
    ("4111-1111 1111 1111", "4111-1111 1111 1111"),
    ("7111111111111116", "7111111111111116"),
    ("41 11 11 11 11 11 11 11", "41 11 11 11 11 11 11 11"),
];
