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

use sha2::{Digest, Sha256};

use super::normal::normal;
use super::originals::Originals;

/// What a code's digit and letters are. Four bits choose a letter, three the digit.
const DIGITS: &[u8; 8] = b"23456789";
const LETTERS: &[u8; 16] = b"bcdfghjkmnpqrstv";

/// How many signs a code has.
pub(in crate::mask) const CODE_CHARACTERS: usize = 10;

/// SHA-256's block, in bytes.
const BLOCK: usize = 64;

/// What all pseudonyms of a mask are made with.
#[derive(Default)]
pub(in crate::mask) struct Pseudonyms {
    key: RefCell<Option<Keyed>>,
    /// Where values are kept while a request is masked.
    noted: RefCell<Option<Originals>>,
}

impl core::fmt::Debug for Pseudonyms {
    fn fmt(&self, formatter: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        formatter.write_str("Pseudonyms")
    }
}

impl Pseudonyms {
    /// From now on, names are made with this key.
    pub(in crate::mask) fn set_key(&self, key: &[u8]) {
        if let Ok(mut place) = self.key.try_borrow_mut() {
            *place = Some(Keyed::new(key));
        }
    }

    /// Keeps the values that get names from now on.
    pub(in crate::mask) fn begin_noting(&self) {
        if let Ok(mut noted) = self.noted.try_borrow_mut() {
            *noted = Some(Originals::default());
        }
    }

    /// What was kept; nothing more is.
    pub(in crate::mask) fn end_noting(&self) -> Originals {
        let noted = self.noted.try_borrow_mut().ok();
        noted.and_then(|mut noted| noted.take()).unwrap_or_default()
    }

    /// The name of a value, in brackets; none as long as there is no key, since what anybody can
    /// compute hides nothing.
    pub(super) fn write(&self, detector: &str, label: &str, value: &[u8]) -> Option<String> {
        let key = self.key.try_borrow().ok()?;
        let code = key.as_ref()?.code(detector, &normal(detector, value));
        let name = format!("{label}_{code}");
        if let Ok(mut noted) = self.noted.try_borrow_mut()
            && let Some(noted) = noted.as_mut()
        {
            noted.note(&name, detector, value);
        }
        Some(format!("[{name}]"))
    }
}

/// HMAC-SHA-256 (RFC 2104) under one key, with both paddings hashed already.
struct Keyed {
    inner: Sha256,
    outer: Sha256,
}

impl Keyed {
    fn new(key: &[u8]) -> Self {
        let hashed = Sha256::digest(key);
        let key = if key.len() > BLOCK { &hashed } else { key };
        let padded = |pad: u8| {
            let mut block = [pad; BLOCK];
            for (byte, key) in block.iter_mut().zip(key) {
                *byte ^= key;
            }
            Sha256::new_with_prefix(block)
        };
        Self {
            inner: padded(0x36),
            outer: padded(0x5c),
        }
    }

    fn mac(&self, parts: &[&[u8]]) -> [u8; 32] {
        let mut inner = self.inner.clone();
        for part in parts {
            inner.update(part);
        }
        let mut outer = self.outer.clone();
        outer.update(inner.finalize());
        outer.finalize().into()
    }

    fn code(&self, detector: &str, value: &[u8]) -> String {
        let mac = self.mac(&[detector.as_bytes(), b"\0", value]);
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

#[cfg(test)]
mod tests {
    use super::Keyed;
    use crate::config::hex;

    #[test]
    fn the_mac_is_that_of_rfc_4231() {
        // Test cases 1, 2 and 6: a short key, a shorter one, and one longer than a block.
        for (key, data, mac) in [
            (
                vec![0x0b; 20],
                &b"Hi There"[..],
                "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7",
            ),
            (
                b"Jefe".to_vec(),
                b"what do ya want for nothing?",
                "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
            ),
            (
                vec![0xaa; 131],
                b"Test Using Larger Than Block-Size Key - Hash Key First",
                "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54",
            ),
        ] {
            let (one, other) = data.split_at(3);
            assert_eq!(hex(&Keyed::new(&key).mac(&[one, other])), mac);
        }
    }
}
