//! Pseudonyms: the same value has the same name wherever the key is the same.
//!
//! A name is the detector's label and a code of ten signs: `[EMAIL_7kfdqbrsvh]`. The code is cut
//! from HMAC-SHA-256 over the detector's name, a zero byte, and the value in its normal form
//! (without separators, in one case, where these say nothing). It has 39 bits: of a hundred
//! thousand values, the odds are one in a hundred that any two share a code.
//!
//! A code is one digit and nine consonants. So it is neither a word nor a number that a detector
//! could take for a match, and a model that writes it in capitals has not changed it.
//!
//! # What it can't
//! - Whoever has the key can try out all card numbers or addresses. It is as secret as they are.
//! - The same value under two detectors has two names.
//! - A value whose end is not known when it is certain (a token, a key block) has its label alone:
//!   what is known of it then could be the same for many.

use std::cell::RefCell;

use hmac::{Hmac, Mac};
use sha2::Sha256;

use super::normal::normal;

/// What a code's digit and letters are. Four bits choose a letter, three the digit.
const DIGITS: &[u8; 8] = b"23456789";
const LETTERS: &[u8; 16] = b"bcdfghjkmnpqrstv";

/// How many signs a code has.
pub(crate) const CODE_CHARACTERS: usize = 10;

/// What all pseudonyms of a mask are made with.
#[derive(Default)]
pub(crate) struct Pseudonyms {
    key: RefCell<Option<Keyed>>,
}

impl core::fmt::Debug for Pseudonyms {
    fn fmt(&self, formatter: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        formatter.write_str("Pseudonyms")
    }
}

impl Pseudonyms {
    /// From now on, names are made with this key.
    pub(crate) fn set_key(&self, key: &[u8]) {
        if let Ok(mut place) = self.key.try_borrow_mut() {
            *place = Keyed::new(key);
        }
    }

    /// The name of a value, in brackets; none as long as there is no key, since what anybody can
    /// compute hides nothing.
    pub(super) fn write(&self, detector: &str, label: &str, value: &[u8]) -> Option<String> {
        let key = self.key.try_borrow().ok()?;
        let code = key.as_ref()?.code(detector, &normal(detector, value));
        Some(format!("[{label}_{code}]"))
    }
}

/// HMAC-SHA-256 (RFC 2104) under one key.
struct Keyed(Hmac<Sha256>);

impl Keyed {
    /// None never: HMAC takes keys of any length.
    fn new(key: &[u8]) -> Option<Self> {
        Hmac::new_from_slice(key).ok().map(Self)
    }

    fn code(&self, detector: &str, value: &[u8]) -> String {
        let mac = self.0.clone();
        let mac = mac.chain_update(detector).chain_update(b"\0");
        let mac = mac.chain_update(value).finalize().into_bytes();
        let mut halves = mac.iter().flat_map(|byte| [byte >> 4, byte & 15]);
        let mut sign = |signs: &[u8]| {
            let half = usize::from(halves.next().unwrap_or_default());
            char::from(signs.get(half % signs.len()).copied().unwrap_or(b'x'))
        };
        let first = sign(DIGITS);
        core::iter::once(first)
            .chain((1..CODE_CHARACTERS).map(|_| sign(LETTERS)))
            .collect()
    }
}
