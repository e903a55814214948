//! Private keys in PEM blocks.
//!
//! Source: RFC 7468 and RFC 1421 (`-----BEGIN label-----` to `-----END label-----`), RFC
//! 9580 for OpenPGP's blocks.
//!
//! Validation: the label ends with `PRIVATE KEY` or `PRIVATE KEY BLOCK`, and within 256
//! bytes behind the BEGIN line comes a run of 32 characters of base64, or of 16 with small
//! and capital letters and a digit or plus sign: text about keys, and
//! a block with dots in place of a key, stay.
//!
//! Bound: the BEGIN line and 256 bytes. From there on everything is masked without being
//! held, through the END line, or to the end of the text where there is none.

use crate::detectors::detect::{Detect, Hit, Miss, Start, Tail, Window};

const BEGIN: &[u8] = b"-----BEGIN ";
const END: &[u8] = b"-----END ";
const DASHES: &[u8] = b"-----";
const MAX_LABEL_BYTES: usize = 48;
const EVIDENCE_WITHIN_BYTES: usize = 256;
const MIN_EVIDENCE_BYTES: usize = 16;
const LONG_EVIDENCE_BYTES: usize = 32;

pub(super) struct PrivateKey;

fn label(byte: u8) -> bool {
    byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b' '
}

fn base64(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/')
}

/// Whether a run is no word such as `DecodePrivateKey`.
fn mixed(run: &[u8]) -> bool {
    run.iter().any(|b| b.is_ascii_digit() || *b == b'+')
        && run.iter().any(u8::is_ascii_uppercase)
        && run.iter().any(u8::is_ascii_lowercase)
}

impl Detect for PrivateKey {
    fn starts(&self, first: u8) -> Start {
        if first == b'-' {
            Start::Anywhere
        } else {
            Start::Never
        }
    }

    fn find(&self, window: &Window<'_>) -> Result<Hit, Miss> {
        if !window.literal(0, BEGIN)? {
            return Err(Miss::No);
        }
        let len = window.run(BEGIN.len(), MAX_LABEL_BYTES, label)?;
        let name = window.slice(BEGIN.len(), len);
        let key = name.ends_with(b"PRIVATE KEY") || name.ends_with(b"PRIVATE KEY BLOCK");
        let header = BEGIN.len() + len + DASHES.len();
        if !key || !window.literal(BEGIN.len() + len, DASHES)? {
            return Err(Miss::No);
        }
        let mut from = header;
        while from < header + EVIDENCE_WITHIN_BYTES {
            let run = window.run(from, LONG_EVIDENCE_BYTES, base64)?;
            if run == LONG_EVIDENCE_BYTES
                || (run >= MIN_EVIDENCE_BYTES && mixed(window.slice(from, run)))
            {
                return Ok(Hit {
                    len: header,
                    tail: Some(Tail::Until(rest_of_block)),
                });
            }
            from += run;
            if window.at(from)?.is_none() {
                break;
            }
            from += 1;
        }
        Err(Miss::No)
    }

    fn bound(&self) -> usize {
        BEGIN.len() + MAX_LABEL_BYTES + DASHES.len() + EVIDENCE_WITHIN_BYTES + LONG_EVIDENCE_BYTES
    }
}

/// How many bytes belong to a block whose BEGIN line lies behind, and whether it ends there.
fn rest_of_block(window: &Window<'_>) -> (usize, bool) {
    let mut from = 0;
    loop {
        let rest = window.slice(from, usize::MAX);
        let Some(dash) = rest.iter().position(|b| *b == b'-') else {
            return (window.bytes.len(), window.last);
        };
        from += dash;
        match end_line(window, from) {
            Ok(Some(len)) => return (from + len, true),
            Ok(None) => from += 1,
            Err(_) => return (from, false),
        }
    }
}

/// The length of the END line at `from`, if there is one.
fn end_line(window: &Window<'_>, from: usize) -> Result<Option<usize>, Miss> {
    if !window.literal(from, END)? {
        return Ok(None);
    }
    let len = END.len() + window.run(from + END.len(), MAX_LABEL_BYTES, label)?;
    let closed = window.literal(from + len, DASHES)?;
    Ok(closed.then_some(len + DASHES.len()))
}

/// Texts and what they become: with a match, and near misses that stay.
#[cfg(test)]
pub(in crate::detectors) const EXAMPLES: &[(&str, &str)] = &[
    (
        "a\n-----BEGIN RSA PRIVATE KEY-----\nMIIBOgIBAAJBAKj34GkxFhD9\n-----END RSA PRIVATE KEY-----\nb",
        "a\n[PRIVATE_KEY]\nb",
    ),
    (
        "x-----BEGIN PRIVATE KEY-----\\nMIIBVQIBADANBgkqhkiG9w0B\\n-----END PRIVATE KEY-----y",
        "x[PRIVATE_KEY]y",
    ),
    (
        "-----BEGIN PGP PRIVATE KEY BLOCK-----\nVersion: 1\n\nlQOYBF2AAAABCADA-\n--- -----END X----\n-----END PGP PRIVATE KEY BLOCK------",
        "[PRIVATE_KEY]-",
    ),
    (
        "-----BEGIN OPENSSH PRIVATE KEY-----\n  b3BlbnNzaC1rZXktdjEA jane@example.com",
        "[PRIVATE_KEY]",
    ),
    (
        "-----BEGIN PUBLIC KEY-----\nMIIBVQIBADANBgkqhkiG9w0B\n-----END PUBLIC KEY-----",
        "-----BEGIN PUBLIC KEY-----\nMIIBVQIBADANBgkqhkiG9w0B\n-----END PUBLIC KEY-----",
    ),
    (
        "-----BEGIN PRIVATE KEY-----\n...\n-----END PRIVATE KEY-----",
        "-----BEGIN PRIVATE KEY-----\n...\n-----END PRIVATE KEY-----",
    ),
    (
        "It begins with -----BEGIN PRIVATE KEY----- and that is all.",
        "It begins with -----BEGIN PRIVATE KEY----- and that is all.",
    ),
    (
        "-----BEGIN PRIVATE KEY-----\n/// To decode it, see the `DecodePrivateKey` trait.",
        "-----BEGIN PRIVATE KEY-----\n/// To decode it, see the `DecodePrivateKey` trait.",
    ),
    ("-----------", "-----------"),
    ("-----BEGIN PRIVATE KEY----", "-----BEGIN PRIVATE KEY----"),
];
