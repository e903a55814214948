//! JSON Web Tokens, signed (JWS) and encrypted (JWE).
//!
//! Source: RFC 7515, 3.1 and RFC 7516, 3.1: segments of base64url with dots between them,
//! the first of which is a JSON object and so begins with `eyJ`.
//!
//! Validation: a header of 16 to 2048 characters and a dot; then either a second segment
//! that begins with `eyJ` too, or a header that decodes to an object with an `alg` member
//! (RFC 7515, 4.1.1), which covers encrypted tokens and those with a detached payload. What
//! follows is not waited for, so a token that is cut off is masked as well.
//! Whole: no letter or digit in front.
//!
//! Bound: 2048 + 5 bytes. A header that is longer is masked from there on as it arrives,
//! and so is everything behind the first dot: segments of any length need no buffer.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::detectors::detect::{Detect, Hit, Miss, Start, Tail, Window, base64url};

const OBJECT: &[u8] = b"eyJ";
const MIN_HEADER_BYTES: usize = 16;
/// With the dot and one more character it is as long as an anchor asks for.
const MIN_NAMED_HEADER_BYTES: usize = 18;
const MAX_HEADER_BYTES: usize = 2048;

const REST: Tail = Tail::Run {
    class: base64url,
    joiners: b".",
};

pub(super) struct Jwt;

impl Detect for Jwt {
    fn starts(&self, first: u8) -> Start {
        if first == b'e' {
            Start::Edge
        } else {
            Start::Never
        }
    }

    fn find(&self, window: &Window<'_>) -> Result<Hit, Miss> {
        if !window.literal(0, OBJECT)? {
            return Err(Miss::No);
        }
        let header = window.run(0, MAX_HEADER_BYTES + 1, base64url)?;
        if header > MAX_HEADER_BYTES {
            return certain(header);
        }
        if header < MIN_HEADER_BYTES || window.at(header)? != Some(b'.') {
            return Err(Miss::No);
        }
        if window.literal(header + 1, OBJECT)? {
            return certain(header + 1 + OBJECT.len());
        }
        if header < MIN_NAMED_HEADER_BYTES || !names_algorithm(window.slice(0, header)) {
            return Err(Miss::No);
        }
        // An empty second segment: no encrypted key, or a payload that travels elsewhere.
        let second = header + 1 + usize::from(window.at(header + 1)? == Some(b'.'));
        if window.at(second)?.is_some_and(base64url) {
            certain(second + 1)
        } else {
            Err(Miss::No)
        }
    }

    fn run(&self) -> usize {
        MIN_HEADER_BYTES
    }

    fn bound(&self) -> usize {
        MAX_HEADER_BYTES + 1 + OBJECT.len() + 1
    }
}

fn certain(len: usize) -> Result<Hit, Miss> {
    Ok(Hit {
        len,
        tail: Some(REST),
    })
}

fn names_algorithm(header: &[u8]) -> bool {
    URL_SAFE_NO_PAD
        .decode(header)
        .is_ok_and(|json| json.windows(5).any(|part| part == b"\"alg\""))
}

/// Texts and what they become: with a match, and near misses that stay.
#[cfg(test)]
pub(in crate::detectors) const EXAMPLES: &[(&str, &str)] = &[
    ("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln", "[JWT]"),
    (
        "Bearer eyJhbGciOiJub25lIn0.eyJzdWIiOiIxIn0. Then",
        "Bearer [JWT]. Then",
    ),
    (
        "eyJhbGciOiJkaXIiLCJlbmMiOiJBMTI4R0NNIn0..aXY.Y3Q.dGFn!",
        "[JWT]!",
    ),
    ("jwt=eyJhbGciOiJIUzI1NiJ9.cGF5bG9hZA.c2ln&x", "jwt=[JWT]&x"),
    ("eyJ0eXAiOiJKV1Qi.eyJ", "[JWT]"),
    (
        "eyJhIjoxLCJiIjoyfQ.cGF5bG9hZA",
        "eyJhIjoxLCJiIjoyfQ.cGF5bG9hZA",
    ),
    ("eyJhbGciOiJIUzI1NiJ9", "eyJhbGciOiJIUzI1NiJ9"),
    ("eyJhbGciOiJIUzI1NiJ9. Then", "eyJhbGciOiJIUzI1NiJ9. Then"),
    ("eyJ.eyJ.x", "eyJ.eyJ.x"),
    (
        "xeyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln",
        "xeyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln",
    ),
    ("eyJhIjoxfQ==", "eyJhIjoxfQ=="),
];
