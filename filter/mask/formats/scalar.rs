//! JSON values that are no strings: numbers and literal names.

use super::escape;
use super::findings::Findings;
use crate::{Matcher, Sink, Text, prefilter};

/// Digits behind the point that are given to the matcher. Longer fractions are measurements: of
/// random ones, one in ten would pass for a card number.
const MAX_MATCHED_FRACTION_DIGITS: usize = 8;

/// What may be held of a number while its end has not come.
pub(super) const MAX_SCALAR_BYTES: usize = 256;

/// Whether these bytes are a number or a literal name. `NaN` and the infinities, which several
/// model servers write, count as numbers.
pub(super) fn is_scalar(bytes: &[u8]) -> bool {
    let bare = bytes.strip_prefix(b"-").unwrap_or(bytes);
    match bare {
        b"Infinity" => return true,
        b"NaN" | b"true" | b"false" | b"null" => return bare.len() == bytes.len(),
        _ => {}
    }
    let (whole, rest) = digits(bare);
    if whole.is_empty() || (whole.len() > 1 && whole.first() == Some(&b'0')) {
        return false;
    }
    let rest = match rest.split_first() {
        Some((b'.', rest)) => match digits(rest) {
            ([], _) => return false,
            (_, rest) => rest,
        },
        _ => rest,
    };
    match rest.split_first() {
        None => true,
        Some((b'e' | b'E', rest)) => {
            let rest = rest
                .strip_prefix(b"+")
                .or_else(|| rest.strip_prefix(b"-"))
                .unwrap_or(rest);
            matches!(digits(rest), ([_, ..], []))
        }
        Some(_) => false,
    }
}

/// Whether these bytes are a number in which no built-in detector finds anything.
///
/// They need not be a number by JSON's grammar, since nothing of them is changed.
pub(super) fn is_plain(bytes: &[u8]) -> bool {
    let mut run = 0;
    let mut fraction = false;
    for byte in bytes {
        if byte.is_ascii_digit() {
            run += 1;
            if run >= prefilter::TELLING_DIGITS && !fraction {
                return false;
            }
            continue;
        }
        if !matches!(byte, b'-' | b'+' | b'.' | b'e' | b'E') {
            return false;
        }
        run = 0;
        fraction = *byte == b'.';
    }
    bytes
        .first()
        .is_some_and(|byte| byte.is_ascii_digit() || *byte == b'-')
}

/// Writes a scalar, by its name, masked.
pub(super) type Write = fn(&Matcher, (&[u8], &[u8]), &mut Findings, &mut Vec<u8>);

/// Writes the scalar, which is the member `name` of an object or none, as a string when something
/// in it is masked.
pub(super) fn mask(
    matcher: &Matcher,
    named: (&[u8], &[u8]),
    found: &mut Findings,
    out: &mut Vec<u8>,
) {
    match masked(matcher, named, found) {
        None => out.extend_from_slice(named.1),
        Some(masked) => {
            out.push(b'"');
            out.extend(masked);
            out.push(b'"');
        }
    }
}

/// As [`mask`], where nothing but a number may stand, as among the elements of a tensor: `0` takes
/// the place of a scalar in which something is masked, whatever the mask writes for it elsewhere.
pub(super) fn mask_to_number(
    matcher: &Matcher,
    named: (&[u8], &[u8]),
    found: &mut Findings,
    out: &mut Vec<u8>,
) {
    match masked(matcher, named, found) {
        None => out.extend_from_slice(named.1),
        Some(_) => out.push(b'0'),
    }
}

/// The scalar with what is masked in it, as a string's content; none where nothing is.
fn masked(
    matcher: &Matcher,
    (name, scalar): (&[u8], &[u8]),
    found: &mut Findings,
) -> Option<Vec<u8>> {
    let (whole, rest) = scalar.split_at(
        scalar
            .iter()
            .position(|byte| *byte == b'.')
            .unwrap_or(scalar.len()),
    );
    let fraction = digits(rest.get(1..).unwrap_or_default()).0.len();
    let (matched, unmatched) = if fraction > MAX_MATCHED_FRACTION_DIGITS {
        (whole, rest)
    } else {
        (scalar, &[][..])
    };
    let mut masked = Masked {
        scalar: matched,
        at: 0,
        matching: None,
        masked: None,
        found,
    };
    let mut text = Text::default();
    text.named(name);
    text.push(matcher, matched, &mut masked);
    text.finish(matcher, &mut masked);
    let mut masked = masked.masked?;
    masked.extend_from_slice(unmatched);
    Some(masked)
}

/// Collects what becomes of a scalar. Most are no match, and there are very many of them in an
/// embedding, so nothing is copied before the first.
struct Masked<'a> {
    scalar: &'a [u8],
    at: usize,
    matching: Option<usize>,
    masked: Option<Vec<u8>>,
    found: &'a mut Findings,
}

impl Sink for Masked<'_> {
    fn keep(&mut self, len: usize) {
        self.matching = None;
        if let Some(masked) = &mut self.masked {
            masked.extend_from_slice(self.scalar.get(self.at..self.at + len).unwrap_or_default());
        }
        self.at += len;
    }

    fn replace(&mut self, len: usize, with: &str, detector: usize) {
        if self.matching.replace(detector) != Some(detector) {
            self.found.counts.add(detector);
        }
        let before = self.scalar.get(..self.at).unwrap_or_default();
        escape::write(with, self.masked.get_or_insert_with(|| before.to_vec()));
        self.at += len;
    }

    fn note(&mut self, pseudonym: &str, detector: &str, value: &[u8]) {
        self.found.note(pseudonym, detector, value);
    }
}

fn digits(bytes: &[u8]) -> (&[u8], &[u8]) {
    bytes.split_at(
        bytes
            .iter()
            .position(|byte| !byte.is_ascii_digit())
            .unwrap_or(bytes.len()),
    )
}

/// Whether these bytes are one string of JSON, in one line.
pub(super) fn is_string(bytes: &[u8]) -> bool {
    let inside = bytes.strip_prefix(b"\"");
    inside.is_some_and(|inside| {
        let end = prefilter::end_of_string(inside, false).0;
        end == Some(inside.len().saturating_sub(1)) && memchr::memchr(b'\n', inside).is_none()
    })
}

#[cfg(test)]
mod tests {
    use super::super::tests::mask_with;
    use super::*;
    use crate::policy::Style;

    #[test]
    fn where_only_numbers_may_stand_a_masked_one_is_zero_in_all_styles() {
        for style in [Style::Label, Style::Partial, Style::Stars, Style::Remove] {
            let mask = mask_with(&[("word", "true")], style);
            let write = |write: Write, name: &str, scalar: &str| {
                let mut out = Vec::new();
                let mut found = Findings::default();
                let named = (name.as_bytes(), scalar.as_bytes());
                write(mask.matcher(), named, &mut found, &mut out);
                (String::from_utf8(out).unwrap(), found.counts.total())
            };
            for (name, scalar) in [
                ("", "4111111111111111"),
                ("", "-4111111111111111"),
                ("", "4111111111111111.0"),
                ("", "4111111111111111.123456789"),
                ("ssn", "536228726"),
                ("", "true"),
            ] {
                let zero = ("0".to_owned(), 1);
                assert_eq!(write(mask_to_number, name, scalar), zero, "{scalar}");
                let (string, matches) = write(super::mask, name, scalar);
                assert!(string.starts_with('"') && string.ends_with('"'), "{string}");
                assert_eq!(matches, 1, "{scalar}");
            }
            for scalar in [
                "0",
                "-1.5e3",
                "536228726",
                "0.4111111111111111",
                "null",
                "NaN",
            ] {
                let same = (scalar.to_owned(), 0);
                assert_eq!(write(mask_to_number, "", scalar), same);
                assert_eq!(write(super::mask, "", scalar), same);
            }
        }
    }
}
