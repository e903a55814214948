//! Digits in groups, as a phone number is written.

use crate::detectors::detect::{MAX_SEPARATOR_BYTES, Miss, Separator, Window, separator};

/// A number of 15 digits behind `00`.
const MAX_DIGITS: usize = 17;
const MAX_GROUPS: usize = 8;

/// Digits, and around each group a separator, two parentheses and one more separator.
pub(super) const MAX_NUMBER_BYTES: usize =
    1 + MAX_DIGITS + MAX_GROUPS * (2 + 2 * MAX_SEPARATOR_BYTES);

/// A space, the longest introduction, a space and the digits.
pub(super) const MAX_EXTENSION_BYTES: usize = 1 + 10 + 2 + MAX_EXTENSION_DIGITS + 1;
const MAX_EXTENSION_DIGITS: usize = 6;

/// What introduces an extension, the longer ones first.
const EXTENSIONS: &[&[u8]] = &[b"extension", b";ext=", b"ext.", b"ext", b"x.", b"x", b"#"];

/// What stands between a group and the one in front of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Join {
    /// Nothing but a parenthesis, or the number's beginning.
    #[default]
    Nothing,
    Space,
    Dash,
    Dot,
    Slash,
}

#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Group {
    pub digits: usize,
    /// Its value, as far as it has four digits or fewer.
    pub value: u32,
    pub join: Join,
    /// Whether it stands in parentheses.
    pub enclosed: bool,
    /// Where it ends, with its parenthesis.
    end: usize,
}

#[derive(Debug, Default)]
pub(super) struct Number {
    pub plus: bool,
    groups: [Group; MAX_GROUPS],
    count: usize,
    digits: [u8; MAX_DIGITS],
    /// What joins the last group to one more that was not read.
    more: Option<Join>,
}

impl Number {
    /// Reads as many groups as there are.
    pub(super) fn read(window: &Window<'_>) -> Result<Self, Miss> {
        let mut number = Self::default();
        let mut index = 0;
        let mut used = 0;
        let mut join = Join::Nothing;
        loop {
            let enclosed = window.at(index)? == Some(b'(');
            index += usize::from(enclosed);
            if number.count == 0 && window.at(index)? == Some(b'+') {
                number.plus = true;
                index += 1;
            }
            let room = MAX_DIGITS - used;
            let len = window.run(index, room + 1, |b| b.is_ascii_digit())?;
            let closed = !enclosed || window.at(index + len)? == Some(b')');
            if len == 0 || !closed {
                break;
            }
            if len > room {
                number.more = Some(join);
                break;
            }
            let bytes = window.slice(index, len);
            for (place, byte) in number.digits.iter_mut().skip(used).zip(bytes) {
                *place = *byte;
            }
            used += len;
            index += len + usize::from(enclosed);
            let Some(place) = number.groups.get_mut(number.count) else {
                number.more = Some(join);
                break;
            };
            *place = Group {
                digits: len,
                value: bytes
                    .iter()
                    .take(4)
                    .fold(0, |value, digit| value * 10 + u32::from(digit - b'0')),
                join,
                enclosed,
                end: index,
            };
            number.count += 1;
            let Some((next, skip)) = joined(window, index, enclosed)? else {
                break;
            };
            join = next;
            index += skip;
        }
        Ok(number)
    }

    pub(super) fn groups(&self) -> &[Group] {
        self.groups.get(..self.count).unwrap_or_default()
    }

    pub(super) fn digits(&self) -> &[u8] {
        let used = self.groups().iter().map(|group| group.digits).sum();
        self.digits.get(..used).unwrap_or_default()
    }

    /// Whether its first two groups have a space between them.
    pub(super) fn spaced(&self) -> bool {
        let second = self.groups().get(1);
        second.is_some_and(|group| group.join == Join::Space && !group.enclosed)
    }

    /// Where a number of the first `count` groups ends, if it is whole there.
    pub(super) fn end(&self, window: &Window<'_>, count: usize) -> Result<Option<usize>, Miss> {
        let groups = self.groups();
        let Some(last) = groups.get(count - 1) else {
            return Ok(None);
        };
        let next = groups.get(count).map(|group| group.join).or(self.more);
        if next.is_some_and(|join| join != Join::Space) {
            return Ok(None);
        }
        if next.is_none()
            && let Some(end) = extension(window, last.end)?
        {
            return Ok(Some(end));
        }
        Ok((!window.word_at(last.end)?).then_some(last.end))
    }
}

/// What joins the group that ends at `index` to one behind it, and how many bytes it takes.
fn joined(
    window: &Window<'_>,
    index: usize,
    enclosed: bool,
) -> Result<Option<(Join, usize)>, Miss> {
    let (join, skip) = match separator(window, index)? {
        Some((Separator::Space, len)) => (Join::Space, len),
        Some((Separator::Dash, len)) => (Join::Dash, len),
        None => match window.at(index)? {
            Some(b'.') => (Join::Dot, 1),
            Some(b'/') => (Join::Slash, 1),
            // Without a separator only where a parenthesis is one.
            Some(b'(') => (Join::Nothing, 0),
            Some(b'0'..=b'9') if enclosed => (Join::Nothing, 0),
            _ => return Ok(None),
        },
    };
    let from = index + skip;
    let opened = window.at(from)? == Some(b'(');
    if window.digit_at(from + usize::from(opened))? {
        Ok(Some((join, skip)))
    } else {
        Ok(None)
    }
}

/// Where the extension that follows at `index` ends.
fn extension(window: &Window<'_>, index: usize) -> Result<Option<usize>, Miss> {
    let spaced = window.at(index)? == Some(b' ');
    let from = index + usize::from(spaced);
    for word in EXTENSIONS {
        if !literal(window, from, word)? {
            continue;
        }
        let mut digits = from + word.len();
        digits += usize::from(window.at(digits)? == Some(b' '));
        let len = window.run(digits, MAX_EXTENSION_DIGITS + 1, |b| b.is_ascii_digit())?;
        let end = digits + len;
        if (1..=MAX_EXTENSION_DIGITS).contains(&len) && !window.word_at(end)? {
            return Ok(Some(end));
        }
    }
    Ok(None)
}

/// Whether a lower-case word stands at `from`, in any case.
fn literal(window: &Window<'_>, from: usize, word: &[u8]) -> Result<bool, Miss> {
    for (index, letter) in word.iter().enumerate() {
        if window.at(from + index)?.map(|b| b.to_ascii_lowercase()) != Some(*letter) {
            return Ok(false);
        }
    }
    Ok(true)
}
