//! Messages as servers send them, written and read here by the book: Smithy's "Amazon Event Stream
//! Specification" and botocore's `eventstream.py`.

mod bedrock;
mod frames;
mod pieces;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};

use super::super::tests::{mask, masked, try_pieces};
use super::super::{Format, WalkError};

/// CRC-32 bit by bit, as in zlib's `crc32` and `binascii.crc32`.
fn crc(bytes: &[u8]) -> [u8; 4] {
    let mut sum = u32::MAX;
    for byte in bytes {
        sum ^= u32::from(*byte);
        for _ in 0..8 {
            sum = (sum >> 1) ^ (0xEDB8_8320 * (sum & 1));
        }
    }
    (!sum).to_be_bytes()
}

fn long(length: usize) -> [u8; 4] {
    u32::try_from(length).expect("short").to_be_bytes()
}

/// A header with a value of this type as it is written.
fn typed(name: &str, kind: u8, value: &[u8]) -> Vec<u8> {
    let length = u8::try_from(name.len()).expect("short");
    [&[length], name.as_bytes(), &[kind], value].concat()
}

/// A header with a string.
fn header(name: &str, value: &str) -> Vec<u8> {
    let length = u16::try_from(value.len()).expect("short").to_be_bytes();
    typed(name, 7, &[&length, value.as_bytes()].concat())
}

/// A message of any headers, with these lengths and the checksums that belong to them.
fn said(total: usize, headers: usize, rest: &[u8]) -> Vec<u8> {
    let mut message = [long(total), long(headers)].concat();
    message.extend(crc(&message));
    message.extend_from_slice(rest);
    message.extend(crc(&message));
    message
}

fn framed(headers: &[Vec<u8>], payload: &[u8]) -> Vec<u8> {
    let headers = headers.concat();
    let total = 12 + headers.len() + payload.len() + 4;
    said(total, headers.len(), &[&headers, payload].concat())
}

/// A message whose headers are those of Bedrock's and SageMaker's, in their order.
fn message(kind: &str, content: &str, payload: &[u8]) -> Vec<u8> {
    framed(
        &[
            header(":event-type", kind),
            header(":content-type", content),
            header(":message-type", "event"),
        ],
        payload,
    )
}

fn event(kind: &str, payload: &Value) -> Vec<u8> {
    message(kind, "application/json", payload.to_string().as_bytes())
}

fn exception(kind: &str, payload: &Value) -> Vec<u8> {
    framed(
        &[
            header(":exception-type", kind),
            header(":content-type", "application/json"),
            header(":message-type", "exception"),
        ],
        payload.to_string().as_bytes(),
    )
}

/// A message as its reader sees it.
#[derive(Debug)]
struct Read {
    /// The strings among its headers.
    headers: Vec<(String, String)>,
    payload: Vec<u8>,
}

/// What a reader finds in a body that is right in every length and checksum.
fn read(mut body: &[u8]) -> Vec<Read> {
    let number = |bytes: &[u8]| {
        usize::try_from(u32::from_be_bytes(bytes.try_into().expect("four bytes"))).expect("short")
    };
    let mut messages = Vec::new();
    while !body.is_empty() {
        let (total, length) = (number(&body[..4]), number(&body[4..8]));
        assert_eq!(body[8..12], crc(&body[..8]), "the prelude's checksum");
        let (message, rest) = body.split_at(total);
        assert_eq!(
            message[total - 4..],
            crc(&message[..total - 4]),
            "the message's checksum"
        );
        let mut headers = Vec::new();
        let mut left = &message[12..12 + length];
        while let [name, after @ ..] = left {
            let (name, after) = after.split_at(usize::from(*name));
            assert_eq!(after[0], 7, "a string");
            let length = usize::from(u16::from_be_bytes([after[1], after[2]]));
            let (value, after) = after[3..].split_at(length);
            let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).expect("UTF-8");
            headers.push((text(name), text(value)));
            left = after;
        }
        messages.push(Read {
            headers,
            payload: message[12 + length..total - 4].to_vec(),
        });
        body = rest;
    }
    messages
}

/// The payloads of a masked body as JSON.
fn payloads(body: &[u8]) -> Vec<Value> {
    let json = |message: Read| serde_json::from_slice(&message.payload).expect("JSON");
    read(body).into_iter().map(json).collect()
}

fn whole(body: &[u8]) -> Vec<u8> {
    try_pieces(&mask(), Format::AmazonEvents, body, &[]).expect("the body can be masked")
}

fn in_any_pieces(body: &[u8]) -> Vec<u8> {
    masked(&mask(), Format::AmazonEvents, body)
}

/// Why a body is refused, after checking that it is for the same reason however it is cut.
fn refused(body: &[u8]) -> Option<WalkError> {
    let mask = mask();
    let whole = try_pieces(&mask, Format::AmazonEvents, body, &[]);
    let cuts: Vec<usize> = (0..body.len()).collect();
    assert_eq!(try_pieces(&mask, Format::AmazonEvents, body, &cuts), whole);
    whole.err()
}

/// Bedrock's imported models, and whoever else streams so: nobody says which of their strings go on.
#[test]
fn strings_that_nobody_knows_go_on_by_their_places() {
    let shapes: [fn(&str) -> Value; 6] = [
        |text| json!({"output": text}),
        |text| json!({"completions": [{"data": {"text": text}}]}),
        |text| json!({"foo": {"bar": text}}),
        |text| json!({"choices": [{"index": 0, "text": text}]}),
        |text| json!({"message": {"content": text}}),
        |text| json!({"token": {"text": text}}),
    ];
    let plain = |inner: &Value| inner.clone();
    let coded =
        |inner: &Value| json!({"bytes": BASE64_STANDARD.encode(inner.to_string()), "p": "ab"});
    let ways: [&dyn Fn(&Value) -> Value; 2] = [&plain, &coded];
    for shape in shapes {
        for way in ways {
            let body = |texts: [&str; 3]| {
                texts
                    .map(|text| event("chunk", &way(&shape(text))))
                    .concat()
            };
            let out = in_any_pieces(&body(["please ask tom.", "baker@mill.example", " ok then"]));
            let text: String = payloads(&out).iter().map(said_in).collect();
            assert_eq!(text, "please ask [EMAIL] ok then");
        }
    }
}

/// The one text of a payload, or of what is coded in it.
fn said_in(payload: &Value) -> String {
    if let Some(coded) = payload["bytes"].as_str() {
        let inner = BASE64_STANDARD.decode(coded).expect("base64");
        return said_in(&serde_json::from_slice(&inner).expect("JSON"));
    }
    match payload {
        Value::String(text) => text.clone(),
        Value::Array(items) => items.iter().map(said_in).collect(),
        Value::Object(members) => members.values().map(said_in).collect(),
        _ => String::new(),
    }
}
