//! Answers that wait for a person, kept at the service until they are asked for again.
//!
//! What is kept is sealed with a key that only filters have. The service finds it by a name that is made with the
//! key, too: it learns neither what was asked for nor what was answered, and a filter with another key finds
//! nothing. Each is sealed with a key of its own, derived with random bytes that stand in front of it, and opens
//! only by the name and for the binding that it was sealed under: what was approved can't be another answer than
//! the one that goes.

use core::time::Duration;

use base::bytes::hex;
use base::sort::sort;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD as BASE64, STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use chacha20poly1305::aead::AeadInPlace as _;
use chacha20poly1305::{ChaCha20Poly1305, KeyInit as _, Nonce};
use hkdf::Hkdf;
use serde::Serialize;
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::answer::{Answer, parse, read};
use super::trouble::Trouble;
use super::{json, path_of};
use crate::call;

/// Where kept answers are looked for.
pub const FIND_PATH: &str = "/v1/answers";

/// The most that a policy may have kept of one answer, in bytes.
pub const MAX_KEPT_BYTES: u64 = 4 << 20;

/// What fetches one: the largest in base64, and what stands around it.
pub const MAX_FETCHED_BYTES: usize = 6 << 20;

/// The length of the key, of what is random, and of what is derived, in bytes.
pub const KEY_BYTES: usize = 32;
const TAG_BYTES: usize = 16;

/// What is derived is for this alone.
const NAME: &[u8] = b"portcullis kept answer 1 name";
const SEAL: &[u8] = b"portcullis kept answer 1 seal";
const SALT: &[u8] = b"portcullis kept answer 1 salt";

/// `/approvals/answers`.
#[derive(Clone, PartialEq, Eq)]
pub struct Answers {
    pub(super) key: [u8; KEY_BYTES],
    /// How long an answer is kept.
    pub keep: Duration,
    /// The largest body that is kept, in bytes.
    pub max_bytes: usize,
}

impl core::fmt::Debug for Answers {
    fn fmt(&self, formatter: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        formatter.write_str("Answers")
    }
}

/// An answer that is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeptAnswer {
    /// Its status.
    pub status: u16,
    /// Its content-type.
    pub media: String,
    /// The exchange that it was made in.
    pub exchange: String,
    /// Its body, as the client would have got it.
    pub body: String,
}

impl Answers {
    /// By what the service finds the answer to a request with this binding: 64 hex digits.
    #[must_use]
    pub fn name(&self, binding: &str) -> String {
        hex(&derive(&self.key, binding.as_bytes(), NAME))
    }

    /// Seals an answer. `seed` is random, and of one exchange.
    #[must_use]
    pub fn seal(
        &self,
        to: (&str, &str),
        answer: &KeptAnswer,
        seed: &[u8; KEY_BYTES],
    ) -> Option<Vec<u8>> {
        let salt = derive(seed, b"", SALT);
        let mut out = salt.to_vec();
        out.extend_from_slice(&answer.status.to_le_bytes());
        for text in [&answer.media, &answer.exchange] {
            out.extend_from_slice(&u16::try_from(text.len()).ok()?.to_le_bytes());
            out.extend_from_slice(text.as_bytes());
        }
        out.extend_from_slice(answer.body.as_bytes());
        let plain = out.get_mut(KEY_BYTES..)?;
        let tag = self.cipher(&salt);
        let tag = tag.encrypt_in_place_detached(&Nonce::default(), &bound(to), plain);
        out.extend_from_slice(&tag.ok()?);
        Some(out)
    }

    /// Opens what was sealed under this name and binding; `None` if it is anything else.
    #[must_use]
    pub fn open(&self, to: (&str, &str), mut sealed: Vec<u8>) -> Option<KeptAnswer> {
        let (salt, rest) = sealed.split_first_chunk_mut::<KEY_BYTES>()?;
        let (plain, tag) = rest.split_at_mut_checked(rest.len().checked_sub(TAG_BYTES)?)?;
        let tag: [u8; TAG_BYTES] = (&*tag).try_into().ok()?;
        self.cipher(salt)
            .decrypt_in_place_detached(&Nonce::default(), &bound(to), plain, &tag.into())
            .ok()?;
        let (status, rest) = plain.split_first_chunk::<2>()?;
        let (media, rest) = text(rest)?;
        let (exchange, body) = text(rest)?;
        Some(KeptAnswer {
            status: u16::from_le_bytes(*status),
            media,
            exchange,
            body: core::str::from_utf8(body).ok()?.to_owned(),
        })
    }

    /// Where an answer is put that waits for the approval `id`, and with what.
    #[must_use]
    pub fn keep(&self, id: &str, name: &str, sealed: &[u8]) -> (String, Vec<u8>) {
        let keep = Keep {
            request: name,
            sealed: BASE64.encode(sealed),
            keep: self.keep.as_secs(),
        };
        (path_of(id, "answer"), json(&keep))
    }

    fn cipher(&self, salt: &[u8; KEY_BYTES]) -> ChaCha20Poly1305 {
        ChaCha20Poly1305::new(&derive(&self.key, salt, SEAL).into())
    }
}

/// A text with its length in front, and what follows it.
fn text(bytes: &[u8]) -> Option<(String, &[u8])> {
    let (length, rest) = bytes.split_first_chunk::<2>()?;
    let (text, rest) = rest.split_at_checked(usize::from(u16::from_le_bytes(*length)))?;
    Some((core::str::from_utf8(text).ok()?.to_owned(), rest))
}

/// What is sealed is for these alone.
fn bound((name, binding): (&str, &str)) -> Vec<u8> {
    let mut bound = Vec::new();
    for part in [name, binding] {
        let length = u64::try_from(part.len()).unwrap_or(u64::MAX);
        bound.extend_from_slice(&length.to_le_bytes());
        bound.extend_from_slice(part.as_bytes());
    }
    bound
}

/// HKDF with SHA-256 (RFC 5869); so many bytes can always be had.
fn derive(secret: &[u8], salt: &[u8], info: &[u8]) -> [u8; KEY_BYTES] {
    let mut key = [0; KEY_BYTES];
    let _ = Hkdf::<Sha256>::new(Some(salt), secret).expand(info, &mut key);
    key
}

/// What looks for a kept answer, on behalf of this asker.
#[must_use]
pub fn find(name: &str, asker: &str) -> Vec<u8> {
    json(&Find {
        request: name,
        asker,
    })
}

/// Where the answer that waited for the approval `id` is fetched.
#[must_use]
pub fn fetch(id: &str) -> (String, Vec<u8>) {
    (path_of(id, "answer"), Vec::new())
}

#[derive(Serialize)]
struct Find<'a> {
    request: &'a str,
    asker: &'a str,
}

#[derive(Serialize)]
struct Keep<'a> {
    request: &'a str,
    sealed: String,
    keep: u64,
}

/// Reads how it stands with an answer that is kept under this name; `None` if none is.
///
/// # Errors
/// Whatever else comes.
pub fn read_found(answer: call::Answer<'_>, name: &str) -> Result<Option<Answer>, Trouble> {
    let (status, body) = answer.http().ok_or(Trouble::NoAnswer)?;
    // A service that keeps no answers says so, too.
    if status == 404 {
        return Ok(None);
    }
    let value = parse(status, body)?;
    let is_for = value.get("request").and_then(Value::as_str) == Some(name);
    let found = read(&value).filter(|_| is_for);
    found.map(Some).ok_or(Trouble::NotUnderstood)
}

/// Reads the sealed answer that waited for the approval `id`; `None` if it is no longer there, or not approved.
///
/// # Errors
/// Whatever else comes.
pub fn read_sealed(answer: call::Answer<'_>, id: &str) -> Result<Option<Vec<u8>>, Trouble> {
    let (status, body) = answer.http().ok_or(Trouble::NoAnswer)?;
    if matches!(status, 404 | 409 | 410) {
        return Ok(None);
    }
    let value = parse(status, body)?;
    if value.get("id").and_then(Value::as_str) != Some(id) {
        return Err(Trouble::NotUnderstood);
    }
    let sealed = value.get("sealed").and_then(Value::as_str);
    let sealed = sealed.and_then(|text| BASE64.decode(text).ok());
    sealed.map(Some).ok_or(Trouble::NotUnderstood)
}

/// How many digits of a kept answer's name are listed: two names that begin alike cost a question.
const LISTED_DIGITS: usize = 32;

/// How many names are listed.
pub(super) const MAX_NAMES: usize = 10_000;

/// Under which names answers are kept, by their beginnings, in order; none where that can't be told.
#[derive(Debug, Default)]
pub(super) struct Names(Option<Vec<u128>>);

impl Names {
    /// Those of a list, if it has all of them.
    pub(super) fn of(names: Option<Vec<u128>>) -> Self {
        Self(names.map(|mut names| {
            sort(&mut names);
            names
        }))
    }

    pub(super) fn has(&self, name: &str) -> Option<bool> {
        let name = beginning(name.get(..LISTED_DIGITS)?)?;
        Some(self.0.as_ref()?.binary_search(&name).is_ok())
    }
}

/// What stands for a name: its beginning, as it is listed.
pub(super) fn beginning(digits: &str) -> Option<u128> {
    let plain = digits.bytes().all(|byte| byte.is_ascii_hexdigit());
    let plain = plain && digits.len() == LISTED_DIGITS;
    u128::from_str_radix(digits, 16).ok().filter(|_| plain)
}

/// The key that at least 32 bytes in base64 or base64url are.
///
/// # Errors
/// What they are instead.
pub(super) fn read_key(text: &str) -> Result<[u8; KEY_BYTES], String> {
    let digits = text.trim_end_matches('=');
    let bytes = STANDARD_NO_PAD.decode(digits);
    let bytes = bytes.or_else(|_| URL_SAFE_NO_PAD.decode(digits));
    let bytes = bytes.map_err(|_| "a value that isn't base64".to_owned())?;
    match <[u8; KEY_BYTES]>::try_from(&*bytes) {
        Ok(key) => Ok(key),
        Err(_) if bytes.len() > KEY_BYTES => Ok(Sha256::digest(&bytes).into()),
        Err(_) => Err(format!("{} bytes in base64", bytes.len())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answers(key: u8) -> Answers {
        Answers {
            key: [key; KEY_BYTES],
            keep: Duration::from_secs(60),
            max_bytes: 100,
        }
    }

    fn answer() -> KeptAnswer {
        KeptAnswer {
            status: 200,
            media: "application/json; charset=utf-8".to_owned(),
            exchange: "0123".to_owned(),
            body: "{\"a\":\"\u{e9}\"}".to_owned(),
        }
    }

    #[test]
    fn what_is_sealed_opens_as_it_was_and_only_for_what_it_was_sealed() {
        let (one, to) = (answers(1), ("name", "binding"));
        let sealed = one.seal(to, &answer(), &[7; 32]).unwrap();
        assert_eq!(one.open(to, sealed.clone()), Some(answer()));
        for other in [("nam", "ebinding"), ("name", "other"), ("other", "binding")] {
            assert_eq!(one.open(other, sealed.clone()), None, "{other:?}");
        }
        assert_eq!(answers(2).open(to, sealed.clone()), None);
        for place in 0..sealed.len() {
            let mut changed = sealed.clone();
            changed[place] ^= 1;
            assert_eq!(one.open(to, changed), None, "{place}");
            assert_eq!(one.open(to, sealed[..place].to_vec()), None, "{place}");
        }
    }

    #[test]
    fn nothing_of_it_can_be_read_nor_two_be_compared() {
        let (one, to) = (answers(1), ("name", "binding"));
        let sealed = one.seal(to, &answer(), &[7; 32]).unwrap();
        let text = String::from_utf8_lossy(&sealed);
        assert!(!text.contains("json") && !text.contains("0123"), "{text}");
        // The seed seals what the record keeps, too: it doesn't stand there.
        assert!(!sealed.windows(32).any(|window| window == [7; 32]));
        let other = one.seal(to, &answer(), &[8; 32]).unwrap();
        assert!(
            sealed
                .iter()
                .zip(&other)
                .filter(|(one, other)| one == other)
                .count()
                < 20
        );
    }

    #[test]
    fn names_are_of_the_key_and_of_the_request() {
        let name = answers(1).name("binding");
        assert_eq!(name.len(), 64);
        assert_eq!(name, answers(1).name("binding"));
        assert_ne!(name, answers(2).name("binding"));
        assert_ne!(name, answers(1).name("other"));
    }

    #[test]
    fn only_what_is_for_the_name_or_the_id_is_taken() {
        let http = |status, body| call::Answer::Http {
            status,
            coding: b"",
            body,
        };
        let found = br#"{"id":"apr_1","binding":"b","state":"pending","request":"n"}"#;
        let read = read_found(http(200, found), "n").unwrap().unwrap();
        assert_eq!((read.id.as_str(), read.binding.as_str()), ("apr_1", "b"));
        let other = read_found(http(200, found), "m");
        assert_eq!(other, Err(Trouble::NotUnderstood));
        assert_eq!(read_found(http(404, b"{}"), "n"), Ok(None));
        assert_eq!(read_found(http(503, b"{}"), "n"), Err(Trouble::Failing));
        let sealed = br#"{"id":"apr_1","sealed":"AQI="}"#;
        assert_eq!(
            read_sealed(http(200, sealed), "apr_1"),
            Ok(Some(vec![1, 2]))
        );
        let other = read_sealed(http(200, sealed), "apr_2");
        assert_eq!(other, Err(Trouble::NotUnderstood));
        assert_eq!(read_sealed(http(409, b"{}"), "apr_1"), Ok(None));
    }
}
