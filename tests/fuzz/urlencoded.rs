//! Looks for pairs that are read otherwise than the URL standard says.
//!
//! `masking.rs` says how it is run, with `--bin urlencoded` behind `--package fuzz`. The input is the
//! body.
#![no_main]
#![allow(clippy::expect_used, reason = "a panic is how a finding is reported")]

use base::urlencoded::{FormError, pairs};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| check(data));

type Read = Vec<(String, String)>;

fn check(body: &[u8]) {
    let Ok(pairs) = read(body) else {
        return;
    };
    assert_eq!(pairs, standard(body), "not as the standard reads it");
    let again = write(&pairs);
    let all = read(again.as_bytes()).expect("what is written is read");
    assert_eq!(all, pairs, "another form");
}

fn read(body: &[u8]) -> Result<Read, FormError> {
    let mut reader = pairs(body);
    let mut all = Vec::new();
    loop {
        match reader.read_next() {
            Ok(Some(pair)) => all.push((pair.name.into_owned(), pair.value.into_owned())),
            Ok(None) => return Ok(all),
            Err(error) => {
                assert!(error.at <= body.len(), "{error} is behind the end");
                assert_eq!(reader.read_next(), Err(error), "an error is no end");
                return Err(error);
            }
        }
    }
}

/// The parser of the URL standard, section 5.1, word for word.
fn standard(body: &[u8]) -> Read {
    let sequences = body.split(|byte| *byte == b'&');
    sequences
        .filter(|sequence| !sequence.is_empty())
        .map(|sequence| {
            let mut parts = sequence.splitn(2, |byte| *byte == b'=');
            let name = parts.next().unwrap_or_default();
            let value = parts.next().unwrap_or_default();
            (percent_decode(name), percent_decode(value))
        })
        .collect()
}

fn percent_decode(text: &[u8]) -> String {
    let digit = |at: usize| text.get(at).and_then(|byte| char::from(*byte).to_digit(16));
    let mut bytes = Vec::new();
    let mut at = 0;
    while let Some(byte) = text.get(at) {
        at += 1;
        let escape = digit(at).zip(digit(at + 1));
        match (byte, escape) {
            (b'+', _) => bytes.push(b' '),
            (b'%', Some((high, low))) => {
                bytes.push(u8::try_from(high * 16 + low).expect("two digits"));
                at += 2;
            }
            _ => bytes.push(*byte),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// The serializer of the URL standard, section 5.2.
fn write(pairs: &Read) -> String {
    let encoded = |text: &str| -> String {
        let byte = |byte: u8| match byte {
            b' ' => "+".to_owned(),
            b'*' | b'-' | b'.' | b'_' => char::from(byte).to_string(),
            byte if byte.is_ascii_alphanumeric() => char::from(byte).to_string(),
            byte => format!("%{byte:02X}"),
        };
        text.bytes().map(byte).collect()
    };
    let pair = |(name, value): &(String, String)| format!("{}={}", encoded(name), encoded(value));
    let pairs: Vec<String> = pairs.iter().map(pair).collect();
    pairs.join("&")
}
