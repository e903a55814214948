//! E-mail addresses.
//!
//! Source: RFC 5321, 4.1.2 and 4.5.3.1 (a local part of at most 64 octets, a domain of at
//! most 253 characters in labels of at most 63), RFC 5890 for domains that are not ASCII.
//! The local part is limited to letters, digits and `._%+-`: the quoted form and the rarer
//! characters of RFC 5322 stand next to addresses in prose far more often than in them.
//!
//! Validation: the domain has two labels or more, and the last one is letters (or `xn--`).
//! Whole: begins with a letter or digit, and has none in front. The match ends with the
//! last label that can be a top-level domain, so a full stop after an address is not part
//! of it.
//!
//! Bound: 64 + 1 + 253 bytes, and one to see the end. A local part of more than 64 letters
//! without a dot or dash in it is no address and stays.

use crate::detectors::detect::{Detect, Hit, Miss, Start, Window, alphanumeric, hit};

/// A letter, an at sign, and a domain such as `b.co`.
const MIN_ADDRESS_BYTES: usize = 6;
const MAX_LOCAL_BYTES: usize = 64;
const MAX_LABEL_BYTES: usize = 63;
const MAX_DOMAIN_BYTES: usize = 253;

pub(super) struct Email;

fn local(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'%' | b'+' | b'-')
}

impl Detect for Email {
    fn starts(&self, first: u8) -> Start {
        if first.is_ascii_alphanumeric() {
            Start::Edge
        } else {
            Start::Never
        }
    }

    fn find(&self, window: &Window<'_>) -> Result<Hit, Miss> {
        let escape = window.behind.byte() == Some(b'\\');
        if escape && matches!(window.at(0)?, Some(b'n' | b'r' | b't')) {
            return Err(Miss::No);
        }
        let local = window.run(0, MAX_LOCAL_BYTES + 1, local)?;
        if local > MAX_LOCAL_BYTES || window.at(local)? != Some(b'@') {
            return Err(Miss::No);
        }
        match domain(window, local + 1)? {
            Some(end) => Ok(hit(end)),
            None => Err(Miss::No),
        }
    }

    fn run(&self) -> usize {
        MIN_ADDRESS_BYTES
    }

    fn bound(&self) -> usize {
        MAX_LOCAL_BYTES + 1 + MAX_DOMAIN_BYTES + 1
    }

    fn is_often_open(&self) -> bool {
        true
    }
}

/// Where the domain that begins at `start` ends.
fn domain(window: &Window<'_>, start: usize) -> Result<Option<usize>, Miss> {
    let mut end = None;
    let mut from = start;
    loop {
        // Letters beyond ASCII belong to a domain until there is a top-level domain: in
        // scripts without spaces the sentence may go on right behind the address.
        let wide = end.is_none();
        let label = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || (wide && !b.is_ascii());
        let most = (start + MAX_DOMAIN_BYTES + 1).saturating_sub(from);
        let len = window.run(from, most.min(MAX_LABEL_BYTES + 1), label)?;
        if len == 0 || len > MAX_LABEL_BYTES || from + len > start + MAX_DOMAIN_BYTES {
            return Ok(end);
        }
        let bytes = window.slice(from, len);
        if from > start {
            let head = bytes.iter().take_while(|b| alphanumeric(**b)).count();
            let letters = bytes.iter().take_while(|b| b.is_ascii_alphabetic()).count();
            if bytes.starts_with(b"xn--") && alphanumeric(bytes.last().copied().unwrap_or(b'-')) {
                end = Some(from + len);
            } else if head == letters && head >= 2 {
                end = Some(from + head);
                if bytes.get(head).is_some_and(|b| !b.is_ascii()) {
                    return Ok(end);
                }
            }
        }
        let dashed = matches!(bytes.first(), Some(b'-')) || matches!(bytes.last(), Some(b'-'));
        if dashed || window.at(from + len)? != Some(b'.') {
            return Ok(end);
        }
        from += len + 1;
    }
}

/// Texts and what they become: with a match, and near misses that stay.
#[cfg(test)]
pub(in crate::detectors) const EXAMPLES: &[(&str, &str)] = &[
    ("jane@example.com", "[EMAIL]"),
    (
        "Write to jane.doe+tag@mail.example.co.uk.",
        "Write to [EMAIL].",
    ),
    ("mailto:j_d%x@a-b.example, thanks", "mailto:[EMAIL], thanks"),
    ("<JANE@EXAMPLE.COM>", "<[EMAIL]>"),
    ("jane@bücher.example!", "[EMAIL]!"),
    ("ana@münchen.de", "[EMAIL]"),
    ("jane@xn--bcher-kva.xn--p1ai", "[EMAIL]"),
    ("邮箱是jane@example.com请查收", "邮箱是[EMAIL]请查收"),
    ("....jane@example.com--", "....[EMAIL]--"),
    ("jane@example.com-x a@b.co", "[EMAIL]-x [EMAIL]"),
    (
        "{\"to\":\"Hi,\\njane@example.com\"}",
        "{\"to\":\"Hi,\\n[EMAIL]\"}",
    ),
    ("jane@example.com@example.org", "[EMAIL]@example.org"),
    ("jane@example", "jane@example"),
    ("jane@example.c", "jane@example.c"),
    ("jane@example.c0m", "jane@example.c0m"),
    ("@example.com", "@example.com"),
    ("jane @example.com", "jane @example.com"),
    ("jane@", "jane@"),
    ("jane@.com", "jane@.com"),
    ("jane@-.com", "jane@-.com"),
    ("jane@exam_ple", "jane@exam_ple"),
    ("a.b.c and d@e", "a.b.c and d@e"),
    (" @ ", " @ "),
];
