//! JSON values that are no strings: numbers and literal names.

use super::Counts;
use super::track::{Direct, Place, Track, Work, Writing};
use crate::mask::Engine;

/// Digits behind the point that are given to the matcher. Longer fractions are measurements: of
/// random ones, one in ten would pass for a card number.
const FRACTION: usize = 8;

/// What may be held of a number while its end has not come.
pub(super) const LONGEST: usize = 256;

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

/// Writes the scalar, as a string when something in it is masked.
pub(super) fn mask(engine: &Engine, scalar: &[u8], counts: &mut Counts, out: &mut Vec<u8>) {
    let (whole, rest) = scalar.split_at(
        scalar
            .iter()
            .position(|byte| *byte == b'.')
            .unwrap_or(scalar.len()),
    );
    let fraction = digits(rest.get(1..).unwrap_or_default()).0.len();
    let (matched, unmatched) = if fraction > FRACTION {
        (whole, rest)
    } else {
        (scalar, &[][..])
    };
    let before = counts.total();
    let mut masked = Vec::with_capacity(scalar.len());
    let mut track = Track::new(Writing::Json);
    let mut work = Work {
        engine,
        out: &mut Direct(&mut masked),
        counts,
    };
    track.plain(matched, Place::default(), &mut work);
    track.finish(&mut work);
    if counts.total() == before {
        out.extend_from_slice(scalar);
    } else {
        out.push(b'"');
        out.extend_from_slice(&masked);
        out.extend_from_slice(unmatched);
        out.push(b'"');
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
