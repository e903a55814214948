//! The payload of a file of age: chunks of 64 KiB, each with its number and whether it is the last
//! (c2sp.org/age, "Payload"; STREAM).

use chacha20poly1305::aead::AeadInPlace as _;
use chacha20poly1305::{ChaCha20Poly1305, KeyInit as _, Nonce};

use super::keys::KEY_BYTES;

const CHUNK_BYTES: usize = 64 << 10;
const TAG_BYTES: usize = 16;

/// Appends the payload. What is empty has one chunk, which is empty.
pub(super) fn seal(key: [u8; KEY_BYTES], plain: &[u8], out: &mut Vec<u8>) -> Option<()> {
    let cipher = ChaCha20Poly1305::new(&key.into());
    let mut rest = plain;
    let mut number = 0;
    loop {
        let (chunk, behind) = rest.split_at(rest.len().min(CHUNK_BYTES));
        let begin = out.len();
        out.extend_from_slice(chunk);
        let nonce = nonce(number, behind.is_empty());
        let tag = cipher
            .encrypt_in_place_detached(&nonce, b"", out.get_mut(begin..)?)
            .ok()?;
        out.extend_from_slice(&tag);
        if behind.is_empty() {
            return Some(());
        }
        rest = behind;
        number += 1;
    }
}

/// What is in a payload; `None` if it is not as it was sealed.
pub(super) fn open(key: [u8; KEY_BYTES], sealed: &[u8]) -> Option<Vec<u8>> {
    let cipher = ChaCha20Poly1305::new(&key.into());
    let mut plain = Vec::with_capacity(sealed.len());
    let mut rest = sealed;
    let mut number = 0;
    loop {
        let (chunk, behind) = rest.split_at(rest.len().min(CHUNK_BYTES + TAG_BYTES));
        let (chunk, tag) = chunk.split_at_checked(chunk.len().checked_sub(TAG_BYTES)?)?;
        // Only a file without anything has a chunk without anything.
        if chunk.is_empty() && number > 0 {
            return None;
        }
        let begin = plain.len();
        plain.extend_from_slice(chunk);
        let nonce = nonce(number, behind.is_empty());
        let tag: [u8; TAG_BYTES] = tag.try_into().ok()?;
        cipher
            .decrypt_in_place_detached(&nonce, b"", plain.get_mut(begin..)?, &tag.into())
            .ok()?;
        if behind.is_empty() {
            return Some(plain);
        }
        rest = behind;
        number += 1;
    }
}

/// Eleven bytes of the chunk's number, and one that is 1 for the last.
fn nonce(number: u64, last: bool) -> Nonce {
    let mut nonce = Nonce::default();
    for (place, byte) in nonce.iter_mut().skip(3).zip(number.to_be_bytes()) {
        *place = byte;
    }
    if let Some(flag) = nonce.last_mut() {
        *flag = u8::from(last);
    }
    nonce
}
