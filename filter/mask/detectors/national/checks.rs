//! Check digits and dates, over digits and letters without separators.

/// What a digit counts; a letter counts as in base 36.
pub(super) fn value(character: u8) -> u32 {
    char::from(character).to_digit(36).unwrap_or(0)
}

/// The number that some digits are; too many of them are cut.
pub(super) fn number(digits: &[u8]) -> u64 {
    let digits = digits.iter().take(18);
    digits.fold(0, |number, digit| number * 10 + u64::from(value(*digit)))
}

/// The digits from `from` on, `len` of them.
pub(super) fn part(digits: &[u8], from: usize, len: usize) -> &[u8] {
    digits.get(from..from + len).unwrap_or_default()
}

/// The sum of the digits, each times its weight.
pub(super) fn weighted(digits: &[u8], weights: &[u32]) -> u32 {
    let pairs = digits.iter().zip(weights);
    pairs.map(|(digit, weight)| value(*digit) * weight).sum()
}

/// The character at `place` as a number.
pub(super) fn at(characters: &[u8], place: usize) -> u32 {
    characters.get(place).map_or(0, |one| value(*one))
}

pub(super) fn all_the_same(digits: &[u8]) -> bool {
    digits.windows(2).all(|pair| pair.first() == pair.last())
}

/// ISO/IEC 7812, annex B: every second digit from the right doubled.
pub(super) fn luhn(digits: &[u8]) -> bool {
    let sum: u32 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(place, digit)| match (place % 2, value(*digit)) {
            (0, digit) => digit,
            (_, digit) if digit > 4 => digit * 2 - 9,
            (_, digit) => digit * 2,
        })
        .sum();
    sum.is_multiple_of(10)
}

/// ISO 7064, MOD 11,10.
pub(super) fn mod_11_10(digits: &[u8]) -> bool {
    let Some((check, body)) = digits.split_last() else {
        return false;
    };
    let product = body.iter().fold(10, |product, digit| {
        let sum = (value(*digit) + product) % 10;
        (if sum == 0 { 10 } else { sum }) * 2 % 11
    });
    (11 - product) % 10 == value(*check)
}

/// Verhoeff's scheme over the dihedral group of order 10.
pub(super) fn verhoeff(digits: &[u8]) -> bool {
    const PERMUTATION: [u32; 10] = [1, 5, 7, 6, 2, 8, 3, 0, 9, 4];
    let turn = |digit: u32| {
        let place = usize::try_from(digit).unwrap_or(0);
        PERMUTATION.get(place).copied().unwrap_or(0)
    };
    let sum = digits
        .iter()
        .rev()
        .enumerate()
        .fold(0, |sum, (place, digit)| {
            let mut permuted = value(*digit);
            for _ in 0..place % 8 {
                permuted = turn(permuted);
            }
            compose(sum, permuted)
        });
    sum == 0
}

/// The product of two elements: 0 to 4 turn, 5 to 9 turn and flip.
fn compose(a: u32, b: u32) -> u32 {
    match (a < 5, b < 5) {
        (true, true) => (a + b) % 5,
        (true, false) => (a + b) % 5 + 5,
        (false, true) => (a + 5 - b) % 5 + 5,
        (false, false) => (a + 5 - b) % 5,
    }
}

/// Whether a month and a day may be such.
pub(super) fn date(month: u64, day: u64) -> bool {
    let longest = match month {
        2 => 29,
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => 0,
    };
    (1..=longest).contains(&day)
}

/// Whether six digits are a year, a month and a day.
pub(super) fn year_first(digits: &[u8]) -> bool {
    date(number(part(digits, 2, 2)), number(part(digits, 4, 2)))
}

/// Whether six digits are a day, a month and a year.
pub(super) fn day_first(digits: &[u8]) -> bool {
    date(number(part(digits, 2, 2)), number(part(digits, 0, 2)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn schemes_accept_what_their_standards_show() {
        assert!(luhn(b"79927398713") && !luhn(b"79927398710"));
        assert!(mod_11_10(b"86095742719") && !mod_11_10(b"86095742718"));
        assert!(verhoeff(b"2363") && !verhoeff(b"2364") && !verhoeff(b"2633"));
    }

    #[test]
    fn days_are_those_of_their_months() {
        assert!(date(2, 29) && !date(2, 30) && !date(13, 1) && !date(0, 1) && !date(4, 31));
        assert!(year_first(b"991231") && day_first(b"311299") && !day_first(b"991231"));
    }
}
