//! Secrets of no known form, told by the name that they are given: `password = ...`.
//!
//! Source: the names that configuration files, environments and answers of services give to
//! secrets; Shannon's entropy to tell random characters from words.
//!
//! Validation: a name that ends with a word such as "password", "secret", "token" or "api
//! key" (`client_secret`, `dbPassword`, `"x-api-key"`), then one of `=`, `:`, `=>`, `:=`,
//! `->`, `>` or "is", quotes and the scheme of an Authorization header (`Bearer`); then 16
//! characters or more with a digit among the first 128 and an entropy of 3 bits a
//! character. Names of cursors and of what is public, references to variables and what says
//! to be an example stay, and so does what is called (`f(`).
//! Only the value is the match. Whole: what stands behind it is no part of a value.
//!
//! Bound: 129 bytes. The rest of a longer value is masked as it arrives.

use crate::detectors::context_words::ContextWords;
use crate::detectors::detect::{Detect, Hit, Miss, Start, Tail, Window, hit};

const MIN_SECRET_BYTES: usize = 16;
const MAX_SECRET_BYTES: usize = 128;
/// Bits a character.
const ENTROPY: f32 = 3.0;

/// What the name of a secret ends with, without separators.
const NAMES: &[&str] = &[
    "password",
    "passwd",
    "passwort",
    "pwd",
    "pass",
    "passphrase",
    "secret",
    "token",
    "apikey",
    "accesskey",
    "secretkey",
    "privatekey",
    "authkey",
    "encryptionkey",
    "signingkey",
    "clientkey",
    "accountkey",
    "masterkey",
    "sessionkey",
    "licensekey",
    "credential",
    "credentials",
    "auth",
    "authorization",
    "cookie",
    "sessionid",
    "contraseña",
    "senha",
    "密码",
    "密钥",
];

/// Parts of the names of what is no secret.
const NO_SECRETS: &[&str] = &[
    "page", "next", "prev", "continu", "cursor", "public", "eos", "bos", "pad", "sync", "stop",
];

/// The beginnings of what stands for a secret or is something else.
const REFERENCES: &[&str] = &[
    "process.env",
    "os.environ",
    "os.getenv",
    "env.",
    "config.",
    "secrets.",
    "self.",
    "this.",
    "var.",
    "data.",
    "vault:",
    "http:",
    "https:",
    "arn:",
    "file:",
    "urn:",
    "sha256:",
    "sha512",
];

/// What shows that a value is not a secret.
const PLACEHOLDERS: &[&str] = &[
    "example",
    "placeholder",
    "xxxx",
    "changeme",
    "change_me",
    "change-me",
    "your",
    "redacted",
    "dummy",
    "replace",
    "insert",
    "****",
    "....",
    "todo",
];

const REST: Tail = Tail::Run {
    class: value,
    joiners: b"",
};

pub(super) struct Generic;

fn value(byte: u8) -> bool {
    byte.is_ascii_graphic() && !b"\"'`,;<>(){}[]|\\&".contains(&byte)
}

impl Detect for Generic {
    fn starts(&self, first: u8) -> Start {
        if first.is_ascii_alphanumeric() || b"_+-!#^=".contains(&first) {
            Start::Edge
        } else {
            Start::Never
        }
    }

    fn find(&self, window: &Window<'_>) -> Result<Hit, Miss> {
        let known = window.bytes.iter().take(MIN_SECRET_BYTES);
        if !known.copied().all(value) {
            return Err(Miss::No);
        }
        let last = window.behind.backwards().find(|byte| !is_gap(*byte));
        // The last byte of an operator, or of "is", "Bearer", "Basic" or "Token".
        if !matches!(
            last,
            Some(b'=' | b':' | b'>' | b's' | b'S' | b'r' | b'R' | b'c' | b'C' | b'n' | b'N')
        ) || !named(ContextWords::new(window.behind).text())
        {
            return Err(Miss::No);
        }
        let len = window.run(0, MAX_SECRET_BYTES + 1, value)?;
        let text = window.slice(0, len.min(MAX_SECRET_BYTES));
        if len < MIN_SECRET_BYTES || !secret(text) {
            return Err(Miss::No);
        }
        if len > MAX_SECRET_BYTES {
            return Ok(Hit {
                len: MAX_SECRET_BYTES,
                tail: Some(REST),
            });
        }
        if matches!(window.at(len)?, Some(b'(' | b'[' | b'{')) {
            return Err(Miss::No);
        }
        // A full stop behind a value ends the sentence.
        let stop = usize::from(text.ends_with(b"."));
        Ok(hit(len - stop))
    }

    fn run(&self) -> usize {
        MIN_SECRET_BYTES
    }

    fn bound(&self) -> usize {
        MAX_SECRET_BYTES + 2
    }
}

/// Blanks, quotes, and the backslashes of escaped ones.
fn is_gap(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'"' | b'\'' | b'`' | b'\\')
}

fn without_gap(text: &[u8]) -> &[u8] {
    let len = text.iter().rposition(|byte| !is_gap(*byte));
    text.get(..len.map_or(0, |at| at + 1)).unwrap_or_default()
}

/// Whether a text (in lower case) ends with the name of a secret and an operator.
fn named(text: &[u8]) -> bool {
    let text = without_gap(text);
    let schemes = [&b"bearer"[..], b"basic", b"token"];
    let value = schemes.iter().find_map(|one| text.strip_suffix(*one));
    let text = value.map_or(text, without_gap);
    let operators = [&b":="[..], b"=>", b"->", b"==", b"=", b":", b">", b" is"];
    let Some(name) = operators.iter().find_map(|one| text.strip_suffix(*one)) else {
        return false;
    };
    let name = without_gap(name);
    let part = |byte: &u8| {
        byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.') || !byte.is_ascii()
    };
    let from = name.iter().rposition(|byte| !part(byte) && *byte != b' ');
    let name = name.get(from.map_or(0, |at| at + 1)..).unwrap_or_default();
    let other = NO_SECRETS.iter().any(|word| contains(name, word));
    !other && NAMES.iter().any(|word| ends_with(name, word))
}

fn contains(text: &[u8], part: &str) -> bool {
    let mut windows = text.windows(part.len());
    windows.any(|window| window.eq_ignore_ascii_case(part.as_bytes()))
}

fn begins(text: &[u8], start: &str) -> bool {
    let head = text.get(..start.len());
    head.is_some_and(|head| head.eq_ignore_ascii_case(start.as_bytes()))
}

/// Whether a name ends with a word, whatever separators it is written with.
fn ends_with(name: &[u8], word: &str) -> bool {
    let separator = |byte: &&u8| matches!(byte, b'_' | b'-' | b'.' | b' ');
    let mut name = name.iter().rev().filter(|byte| !separator(byte));
    word.bytes().rev().all(|byte| name.next() == Some(&byte))
}

/// Whether a value is a path to a name in a program's text.
fn is_name(text: &[u8]) -> bool {
    let digits = text.iter().filter(|byte| byte.is_ascii_digit()).count();
    let words = text.iter().any(|byte| matches!(byte, b'.' | b'_'));
    contains(text, "::") || (words && digits <= 2 && !text.iter().any(u8::is_ascii_uppercase))
}

/// Whether a value is as random as a secret is.
fn secret(text: &[u8]) -> bool {
    let mut counts = [0_u16; 128];
    for byte in text {
        if let Some(count) = counts.get_mut(usize::from(*byte)) {
            *count += 1;
        }
    }
    let all = f32::from(u16::try_from(text.len()).unwrap_or(u16::MAX));
    let bits = counts.iter().filter(|count| **count > 0).map(|count| {
        let share = f32::from(*count) / all;
        -share * share.log2()
    });
    text.iter().any(u8::is_ascii_digit)
        && bits.sum::<f32>() >= ENTROPY
        && !is_name(text)
        && !REFERENCES.iter().any(|one| begins(text, one))
        && !PLACEHOLDERS.iter().any(|one| contains(text, one))
}

/// Texts and what they become: with a match, and near misses that stay.
#[cfg(test)]
pub(in crate::detectors) const EXAMPLES: &[(&str, &str)] = &[
    ("password = hunter2-Hunter3-x9", "password = [SECRET]"),
    (
        "{\"client_secret\": \"s3cr3t/Value+0123==\"}",
        "{\"client_secret\": \"[SECRET]\"}",
    ),
    (
        "{\\\"dbPassword\\\":\\\"Tr0ub4dor-3xyz.w1th\\\"}",
        "{\\\"dbPassword\\\":\\\"[SECRET]\\\"}",
    ),
    (
        "\\nX-Api-Key: 0a1b2c3d4e5f60718293a4b5\\n",
        "\\nX-Api-Key: [SECRET]\\n",
    ),
    (
        "Authorization: Bearer 0a1b2c3d4e5f6.g7h8i9j0",
        "Authorization: Bearer [SECRET]",
    ),
    ("the token is q9w8e7r6t5y4u3i2.", "the token is [SECRET]."),
    ("api key => 'q9w8e7r6t5y4u3i2'", "api key => '[SECRET]'"),
    (
        "<secret>q9w8e7r6t5y4u3i2</secret>",
        "<secret>[SECRET]</secret>",
    ),
    ("?token=q9w8e7r6t5y4u3i2&x=1", "?token=[SECRET]&x=1"),
    ("password: short1", "password: short1"),
    (
        "password: correct-horse-battery",
        "password: correct-horse-battery",
    ),
    (
        "token: 0000000000000000000001",
        "token: 0000000000000000000001",
    ),
    (
        "token = ${TOKEN_NUMBER_0123456789}",
        "token = ${TOKEN_NUMBER_0123456789}",
    ),
    (
        "api_key: your-api-key-0123456789",
        "api_key: your-api-key-0123456789",
    ),
    (
        "secret = process.env.SECRET_NUMBER_1",
        "secret = process.env.SECRET_NUMBER_1",
    ),
    (
        "token = make_token_number_12(x)",
        "token = make_token_number_12(x)",
    ),
    (
        "private_key: pkcs8::PrivateKeyInfoRef",
        "private_key: pkcs8::PrivateKeyInfoRef",
    ),
    ("token: node.colon2_token", "token: node.colon2_token"),
    (
        "nextPageToken: q9w8e7r6t5y4u3i2",
        "nextPageToken: q9w8e7r6t5y4u3i2",
    ),
    ("sha = q9w8e7r6t5y4u3i2", "sha = q9w8e7r6t5y4u3i2"),
    ("token q9w8e7r6t5y4u3i2", "token q9w8e7r6t5y4u3i2"),
    (
        "the tokens: q9w8e7r6t5y4u3i2",
        "the tokens: q9w8e7r6t5y4u3i2",
    ),
];
