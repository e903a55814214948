//! Files of age (c2sp.org/age, version 1), sealed to one X25519 recipient: what is recorded raw can be
//! read by who has the key, with age's own tools too, and by nobody on the way.

mod keys;
mod payload;

#[cfg(test)]
mod tests;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD_NO_PAD as BASE64;
use chacha20poly1305::aead::Aead as _;
use chacha20poly1305::{ChaCha20Poly1305, KeyInit as _, Nonce};
use curve25519_dalek::MontgomeryPoint;
use hkdf::Hkdf;
use hmac::{Hmac, Mac};
use sha2::Sha256;

use keys::KEY_BYTES;
pub use keys::{Identity, Recipient};

/// The length of the randomness that a file takes, in bytes.
pub const SEED_BYTES: usize = 32;

const FILE_KEY_BYTES: usize = 16;
const NONCE_BYTES: usize = 16;

const VERSION: &str = "age-encryption.org/v1\n";
const STANZA: &str = "-> X25519 ";
const WRAPPING: &[u8] = b"age-encryption.org/v1/X25519";
const END: &str = "---";

/// Why a file can't be opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unopened {
    /// It is not one of age's, or not sealed to one X25519 recipient as this module does it.
    Form,
    /// None of the identities is the recipient's.
    Identity,
    /// It was changed, or cut off.
    Changed,
}

impl core::fmt::Display for Unopened {
    fn fmt(&self, formatter: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        formatter.write_str(match self {
            Self::Form => "it is not a file of age for one X25519 recipient",
            Self::Identity => "it is sealed to somebody else",
            Self::Changed => "it was changed, or cut off",
        })
    }
}

/// Seals bytes to a recipient. The seed is random, and serves once; `purpose` tells apart what is sealed
/// under the same one. `None` if the recipient's key is none (of low order).
#[must_use]
pub fn seal(
    recipient: Recipient,
    plain: &[u8],
    seed: [u8; SEED_BYTES],
    purpose: &str,
) -> Option<Vec<u8>> {
    let file_key: [u8; FILE_KEY_BYTES] = derive(&seed, &[], &[b"file", purpose.as_bytes()])?;
    let secret: [u8; KEY_BYTES] = derive(&seed, &[], &[b"share", purpose.as_bytes()])?;
    let nonce: [u8; NONCE_BYTES] = derive(&seed, &[], &[b"nonce", purpose.as_bytes()])?;
    let share = MontgomeryPoint::mul_base_clamped(secret).to_bytes();
    let wrapped = wrapping_key(secret, recipient.0, share, recipient)?
        .encrypt(&Nonce::default(), file_key.as_slice())
        .ok()?;
    let mut header = String::from(VERSION);
    header.push_str(STANZA);
    BASE64.encode_string(share, &mut header);
    header.push('\n');
    BASE64.encode_string(wrapped, &mut header);
    header.push('\n');
    header.push_str(END);
    let code = header_code(&file_key, &header)?.finalize().into_bytes();
    header.push(' ');
    BASE64.encode_string(code, &mut header);
    header.push('\n');
    let mut sealed = header.into_bytes();
    sealed.extend_from_slice(&nonce);
    payload::seal(
        derive(&file_key, &nonce, &[b"payload"])?,
        plain,
        &mut sealed,
    )?;
    Some(sealed)
}

/// Opens a file that [`seal`] made.
///
/// # Errors
/// Why it can't be opened.
pub fn open(identities: &[Identity], sealed: &[u8]) -> Result<Vec<u8>, Unopened> {
    let parts = split(sealed).ok_or(Unopened::Form)?;
    let file_key = identities
        .iter()
        .find_map(|identity| {
            let key = wrapping_key(identity.0, parts.share, parts.share, identity.recipient())?;
            let plain = key.decrypt(&Nonce::default(), parts.wrapped.as_slice());
            <[u8; FILE_KEY_BYTES]>::try_from(plain.ok()?).ok()
        })
        .ok_or(Unopened::Identity)?;
    let code = header_code(&file_key, parts.header).ok_or(Unopened::Form)?;
    code.verify_slice(&parts.code)
        .map_err(|_| Unopened::Changed)?;
    let key = derive(&file_key, parts.nonce, &[b"payload"]).ok_or(Unopened::Form)?;
    payload::open(key, parts.payload).ok_or(Unopened::Changed)
}

/// What a file consists of.
struct Parts<'a> {
    /// From the version to the mark of the header's end.
    header: &'a str,
    share: [u8; KEY_BYTES],
    wrapped: Vec<u8>,
    code: Vec<u8>,
    nonce: &'a [u8],
    payload: &'a [u8],
}

fn split(sealed: &[u8]) -> Option<Parts<'_>> {
    let mut lines = sealed.splitn(5, |byte| *byte == b'\n');
    let mut line = || core::str::from_utf8(lines.next()?).ok();
    let version = line()?;
    let share = line()?.strip_prefix(STANZA)?;
    let wrapped = line()?;
    let code = line()?.strip_prefix(END)?.strip_prefix(' ')?;
    let rest = lines.next()?;
    if version != VERSION.trim_end() {
        return None;
    }
    let header = sealed.len().checked_sub(rest.len())?;
    let header = header.checked_sub(code.len().checked_add(2)?)?;
    let (nonce, payload) = rest.split_at_checked(NONCE_BYTES)?;
    Some(Parts {
        header: core::str::from_utf8(sealed.get(..header)?).ok()?,
        share: BASE64.decode(share).ok()?.try_into().ok()?,
        wrapped: BASE64.decode(wrapped).ok()?,
        code: BASE64.decode(code).ok()?,
        nonce,
        payload,
    })
}

/// What the file's key is wrapped with. `ours` is one side's secret and `theirs` the other's public key.
fn wrapping_key(
    ours: [u8; KEY_BYTES],
    theirs: [u8; KEY_BYTES],
    share: [u8; KEY_BYTES],
    recipient: Recipient,
) -> Option<ChaCha20Poly1305> {
    let shared = MontgomeryPoint(theirs).mul_clamped(ours).to_bytes();
    // A key of low order would give everybody the same secret (RFC 7748, section 6.1).
    if shared == [0; KEY_BYTES] {
        return None;
    }
    let salt = [share, recipient.0].concat();
    let key: [u8; KEY_BYTES] = derive(&shared, &salt, &[WRAPPING])?;
    Some(ChaCha20Poly1305::new(&key.into()))
}

fn header_code(file_key: &[u8; FILE_KEY_BYTES], header: &str) -> Option<Hmac<Sha256>> {
    let key: [u8; KEY_BYTES] = derive(file_key, &[], &[b"header"])?;
    let mut code = <Hmac<Sha256> as Mac>::new_from_slice(&key).ok()?;
    code.update(header.as_bytes());
    Some(code)
}

/// HKDF with SHA-256 (RFC 5869).
fn derive<const N: usize>(secret: &[u8], salt: &[u8], info: &[&[u8]]) -> Option<[u8; N]> {
    let mut key = [0; N];
    Hkdf::<Sha256>::new(Some(salt), secret)
        .expand_multi_info(info, &mut key)
        .ok()?;
    Some(key)
}
