//! What a number's digits and groups look like.

use std::ops::RangeInclusive;

use super::number::{Group, Join, Number};

/// How much more than its looks a number needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// It is no phone number.
    Never,
    /// It names its country.
    International,
    /// Little else is written like this.
    Known,
    /// Digits that may be anything.
    Digits,
}

/// The country codes that are assigned, by how many digits they have.
const TWO_DIGITS: &[u32] = &[
    20, 27, 30, 31, 32, 33, 34, 36, 39, 40, 41, 43, 44, 45, 46, 47, 48, 49, 51, 52, 53, 54, 55, 56,
    57, 58, 60, 61, 62, 63, 64, 65, 66, 81, 82, 84, 86, 90, 91, 92, 93, 94, 95, 98,
];

const THREE_DIGITS: &[RangeInclusive<u32>] = &[
    211..=213,
    216..=216,
    218..=218,
    220..=269,
    290..=291,
    297..=299,
    350..=359,
    370..=389,
    420..=423,
    500..=509,
    590..=599,
    670..=692,
    800..=800,
    808..=808,
    850..=856,
    870..=870,
    878..=888,
    960..=979,
    992..=998,
];

/// The form of the number's first `count` groups.
pub(super) fn of(number: &Number, count: usize) -> Form {
    let groups = number.groups().get(..count).unwrap_or_default();
    let total: usize = groups.iter().map(|group| group.digits).sum();
    let digits = number.digits().get(..total).unwrap_or_default();
    if number.plus {
        let plain = matches!(groups, [_] | [_, _]) || !digits.starts_with(b"1");
        return match international(digits, groups, 8) {
            Form::International if !plain && !north_american(groups, true) => Form::Never,
            form => form,
        };
    }
    if never(groups, digits) {
        return Form::Never;
    }
    if let Some(code) = digits.strip_prefix(b"00")
        && count > 1
        && international(code, groups, 9) == Form::International
    {
        return Form::Known;
    }
    let alone = number.groups().len() == count;
    if north_american(groups, alone)
        || trunk(groups, total)
        || area_code(groups, total)
        || pairs(groups, alone)
        || mobile_in_china(groups)
    {
        return Form::Known;
    }
    let grouped = groups.iter().skip(1).all(|group| group.digits > 1);
    let three_pairs = count == 3 && total == 6;
    if ((7..=12).contains(&total) || three_pairs) && grouped {
        Form::Digits
    } else {
        Form::Never
    }
}

/// Whether digits begin with a country code and are enough.
fn international(digits: &[u8], groups: &[Group], fewest: usize) -> Form {
    let value = |len: usize| {
        let head = digits.iter().take(len);
        head.fold(0, |value, digit| value * 10 + u32::from(digit - b'0'))
    };
    let known = value(1) == 7
        || (value(1) == 1 && digits.len() == 11)
        || TWO_DIGITS.contains(&value(2))
        || THREE_DIGITS.iter().any(|codes| codes.contains(&value(3)));
    // The 0 of a trunk prefix in parentheses is not dialled, so it doesn't count.
    let extra = usize::from(groups.iter().any(|one| one.enclosed && one.value == 0));
    // Without separators it may also be a term of a sum.
    let fewest = if groups.len() == 1 {
        fewest + 1
    } else {
        fewest
    };
    if known && (fewest..=15 + extra).contains(&digits.len()) {
        Form::International
    } else {
        Form::Never
    }
}

/// Dates, years, dotted IPv4 addresses, social security numbers, zeros.
fn never(groups: &[Group], digits: &[u8]) -> bool {
    let lengths = |expected: &[usize]| {
        groups
            .iter()
            .map(|one| one.digits)
            .eq(expected.iter().copied())
    };
    let year = |group: &Group| group.digits == 4 && (1900..2100).contains(&group.value);
    let date = match groups {
        [a, b, c, ..] if b.join == c.join && !a.enclosed => {
            let parts = |a: &Group, b: &Group| {
                let (low, high) = (a.value.min(b.value), a.value.max(b.value));
                a.digits <= 2 && b.digits <= 2 && (1..=12).contains(&low) && high <= 31
            };
            (year(a) && parts(b, c))
                || (parts(a, b) && year(c))
                || (parts(a, b) && lengths(&[2, 2, 2]) && b.join != Join::Space)
        }
        // Two years, or an American postal code with four more digits.
        [a, b] => ((year(a) || a.enclosed) && year(b)) || lengths(&[5, 4]),
        [a] => lengths(&[8]) && (1900..2100).contains(&a.value),
        _ => false,
    };
    let dotted = groups.len() == 4
        && groups.iter().skip(1).all(|one| one.join == Join::Dot)
        && groups.iter().all(|one| one.digits <= 3 && one.value <= 255);
    let zeros = digits.iter().all(|digit| *digit == b'0');
    date || dotted || zeros || lengths(&[3, 2, 4])
}

/// 3-3-4, with a 1 in front or without: separated by dashes or dots, with the area code in
/// parentheses, or by spaces where the digits are what the plan allows.
fn north_american(groups: &[Group], alone: bool) -> bool {
    let (national, prefixed) = match groups {
        [one, rest @ ..] if one.digits == 1 && one.value == 1 => (rest, true),
        all => (all, false),
    };
    let [area, exchange, line] = national else {
        return false;
    };
    if (area.digits, exchange.digits, line.digits) != (3, 3, 4) {
        return false;
    }
    match (exchange.join, line.join) {
        (Join::Dash, Join::Dash) | (Join::Dot, Join::Dot) => true,
        (Join::Space, Join::Space) => {
            let valid = |group: &Group| (200..=999).contains(&group.value);
            area.enclosed || prefixed || (alone && valid(area) && valid(exchange))
        }
        (_, Join::Space | Join::Dash | Join::Dot) => area.enclosed,
        _ => false,
    }
}

/// A trunk prefix 0, an area code, and groups of two digits or more that are separated alike.
fn trunk(groups: &[Group], total: usize) -> bool {
    let [area, rest @ ..] = groups else {
        return false;
    };
    let [first, further @ ..] = rest else {
        return false;
    };
    // The value of a longer area code is cut, but still below a tenth of what its digits allow.
    let zero = match area.digits {
        2 => (1..10).contains(&area.value),
        3 => (10..100).contains(&area.value),
        4 | 5 => (100..1000).contains(&area.value),
        _ => false,
    };
    let joins = further.first().map_or(first.join, |one| one.join);
    zero && !area.enclosed
        && (9..=12).contains(&total)
        && rest.iter().all(|one| one.digits >= 2 && !one.enclosed)
        && further.iter().all(|one| one.join == joins)
        && (first.join != Join::Slash || joins != Join::Slash || further.is_empty())
}

/// An area code in parentheses that is no year; or the Russian 8 in front of one.
fn area_code(groups: &[Group], total: usize) -> bool {
    let (area, rest, fewest) = match groups {
        [eight, area, rest @ ..] if area.enclosed && eight.digits == 1 && eight.value == 8 => {
            (area, rest, 11)
        }
        [area, rest @ ..] => (area, rest, 8),
        [] => return false,
    };
    let year = area.digits == 4 && (1900..2100).contains(&area.value);
    area.enclosed
        && !year
        && (2..=5).contains(&area.digits)
        && (fewest..=12).contains(&total)
        && rest.iter().all(|one| one.digits >= 2 && !one.enclosed)
}

/// Four pairs with dashes and nothing more.
fn pairs(groups: &[Group], alone: bool) -> bool {
    alone
        && groups.len() == 4
        && groups.iter().all(|one| one.digits == 2 && !one.enclosed)
        && groups.iter().skip(1).all(|one| one.join == Join::Dash)
}

/// 1, a digit from 3 on and nine more, as 3-4-4 with dashes.
fn mobile_in_china(groups: &[Group]) -> bool {
    let [network, middle, end] = groups else {
        return false;
    };
    (130..200).contains(&network.value)
        && (network.digits, middle.digits, end.digits) == (3, 4, 4)
        && (middle.join, end.join) == (Join::Dash, Join::Dash)
}
