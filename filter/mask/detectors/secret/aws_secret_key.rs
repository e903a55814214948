//! AWS secret access keys.
//!
//! Source: IAM, "Managing access keys": 40 characters of base64, without anything to know them
//! by.
//!
//! Validation: capitals, small letters and a digit among exactly 40 characters, and "secret",
//! "aws" or "access key" among the words in front.
//! Whole: none of its characters next to it.
//!
//! Bound: 41 bytes.

use std::sync::LazyLock;

use crate::detectors::context_words::{ContextWords, Vocabulary};
use crate::detectors::detect::{Detect, Hit, Miss, Start, Window, hit};

const KEY_BYTES: usize = 40;

static FOR: LazyLock<Vocabulary> = LazyLock::new(|| {
    Vocabulary::new("aws* secret secretkey secretaccess* accesskey accesssecret sak amazon")
});

/// How many words in front may say what it is.
const MAX_WORDS_BACK: usize = 8;

pub(super) struct AwsSecretKey;

fn base64(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/')
}

impl Detect for AwsSecretKey {
    fn starts(&self, first: u8) -> Start {
        if base64(first) {
            Start::Edge
        } else {
            Start::Never
        }
    }

    fn find(&self, window: &Window<'_>) -> Result<Hit, Miss> {
        let known = window.bytes.iter().take(KEY_BYTES);
        if !known.copied().all(base64)
            || !ContextWords::new(window.behind).says(MAX_WORDS_BACK, &FOR)
        {
            return Err(Miss::No);
        }
        if window.run(0, KEY_BYTES + 1, base64)? != KEY_BYTES
            || window.at(KEY_BYTES)? == Some(b'=')
            || window.behind.byte().is_some_and(base64)
        {
            return Err(Miss::No);
        }
        let key = window.slice(0, KEY_BYTES);
        let mixed = key.iter().any(u8::is_ascii_uppercase)
            && key.iter().any(u8::is_ascii_lowercase)
            && key.iter().any(u8::is_ascii_digit);
        if mixed {
            Ok(hit(KEY_BYTES))
        } else {
            Err(Miss::No)
        }
    }

    fn run(&self) -> usize {
        KEY_BYTES
    }

    fn bound(&self) -> usize {
        KEY_BYTES + 1
    }
}

/// Texts and what they become: with a match, and near misses that stay.
#[cfg(test)]
pub(in crate::detectors) const EXAMPLES: &[(&str, &str)] = &[
    (
        concat!(
            "aws_secret_access_key = wJalrXUtnFEMI/",
            "K7MDENG/bPxRfiCYEXAMPLEKEY"
        ),
        "aws_secret_access_key = [AWS_SECRET_KEY]",
    ),
    (
        concat!(
            "{\"SecretAccessKey\": \"/JalrXUtnFEMI/",
            "K7MDENG/bPxRfiCYEXAMPLEKEY\"}"
        ),
        "{\"SecretAccessKey\": \"[AWS_SECRET_KEY]\"}",
    ),
    (
        concat!("it is wJalrXUtnFEMI/", "K7MDENG/bPxRfiCYEXAMPLEKEY"),
        concat!("it is wJalrXUtnFEMI/", "K7MDENG/bPxRfiCYEXAMPLEKEY"),
    ),
    (
        concat!("aws wJalrXUtnFEMI/", "K7MDENG/bPxRfiCYEXAMPLEKEYS"),
        concat!("aws wJalrXUtnFEMI/", "K7MDENG/bPxRfiCYEXAMPLEKEYS"),
    ),
    (
        "aws sha1 0123456789abcdef0123456789abcdef01234567",
        "aws sha1 0123456789abcdef0123456789abcdef01234567",
    ),
];
