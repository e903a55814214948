//! What a piece of a JSON string's content reads as.

use super::fresh::Span;
use crate::mask::scan::Marks;
use crate::mask::walk::escape::{Unescape, Unit, short};

/// Appends what `raw` reads as to `decoded`, and where its bytes come from to `spans`. The
/// beginning of an escape at the end stays in `unescape`, which holds nothing before.
pub(super) fn decode(
    raw: &[u8],
    unescape: &mut Unescape,
    spans: &mut Vec<Span>,
    decoded: &mut Vec<u8>,
) {
    let mut at = 0;
    for place in Marks::new(raw, b'\\') {
        if place < at {
            continue;
        }
        plain(raw.get(at..place), spans, decoded);
        at = match raw.get(place + 1).copied().and_then(short) {
            Some(byte) => {
                spans.push(Span::whole(2, 1));
                decoded.push(byte);
                place + 2
            }
            None => long(raw, place, unescape, spans, decoded),
        };
    }
    plain(raw.get(at..), spans, decoded);
}

fn plain(bytes: Option<&[u8]>, spans: &mut Vec<Span>, decoded: &mut Vec<u8>) {
    if let Some(bytes) = bytes.filter(|bytes| !bytes.is_empty()) {
        spans.push(Span::plain(bytes.len()));
        decoded.extend_from_slice(bytes);
    }
}

/// Reads an escape that is not a backslash and a byte, and gives where it ends.
fn long(
    raw: &[u8],
    place: usize,
    unescape: &mut Unescape,
    spans: &mut Vec<Span>,
    decoded: &mut Vec<u8>,
) -> usize {
    let rest = raw.get(place..).unwrap_or_default();
    for (index, byte) in rest.iter().enumerate() {
        unescape.push(&[*byte], &mut |unit| {
            let (span, bytes) = match unit {
                Unit::Plain(bytes) => (Span::plain(bytes.len()), bytes),
                Unit::Escape { raw, decoded } => (Span::whole(raw.len(), decoded.len()), decoded),
            };
            spans.push(span);
            decoded.extend_from_slice(bytes);
        });
        if unescape.held() == 0 {
            return place + index + 1;
        }
    }
    raw.len()
}
