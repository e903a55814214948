//! What a mask must not touch, in amounts: pictures and vectors stay, and what could be parsed can be.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::{Value, json};

use super::{EXHAUSTIVE, mask, whole};
use crate::Format;

/// Numbers without any order, the same each time (xorshift64*, Vigna 2016).
struct Noise(u64);

impl Noise {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D)
    }

    fn bytes(&mut self, length: usize) -> Vec<u8> {
        let words = std::iter::repeat_with(|| self.next().to_le_bytes());
        words.take(length / 8).flatten().collect()
    }

    fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }
}

/// How many of so many are tried.
fn tried(of: usize, usually: usize) -> usize {
    let all = std::env::var_os(EXHAUSTIVE).is_some();
    let count = if all { of } else { usually };
    println!("{count} of {of}");
    count
}

#[test]
fn pictures_stay_where_nobody_says_that_they_are_some() {
    let mask = mask();
    let mut noise = Noise(7);
    for picture in 0..tried(1000, 6) {
        let bytes = noise.bytes(1_000_000);
        let coded = match picture % 3 {
            0 => URL_SAFE_NO_PAD.encode(bytes),
            1 => STANDARD.encode(bytes),
            // As MIME has it, and Python's `encodebytes`.
            _ => {
                let coded = STANDARD.encode(bytes);
                let lines = coded.as_bytes().chunks(76);
                let lines = lines.map(|line| String::from_utf8_lossy(line).into_owned());
                lines.collect::<Vec<_>>().join("\n")
            }
        };
        let body = json!({"made": {"of": coded}}).to_string();
        let out = whole(&mask, Format::Json, body.as_bytes());
        let at = out
            .iter()
            .zip(body.as_bytes())
            .position(|(one, other)| one != other);
        if let Some(at) = at {
            let part = |bytes: &[u8]| {
                let part = bytes
                    .get(at.saturating_sub(20)..at + 40)
                    .unwrap_or_default();
                String::from_utf8_lossy(part).into_owned()
            };
            panic!(
                "picture {picture}: {} became {}",
                part(body.as_bytes()),
                part(&out)
            );
        }
    }
}

#[test]
fn vectors_stay() {
    let mask = mask();
    let mut noise = Noise(11);
    for _ in 0..tried(2000, 20) {
        let values: Vec<f32> = (0..1536)
            .map(|_| {
                let mut part = |_: i32| u16::try_from(noise.below(1 << 16)).map(f32::from);
                let parts: f32 = (0..12).filter_map(|at| part(at).ok()).sum();
                (parts / 65536.0 - 6.0) * 0.03
            })
            .collect();
        let body = json!({"vectors": [values]}).to_string();
        let out = whole(&mask, Format::Json, body.as_bytes());
        assert!(out == body.as_bytes());
    }
}

/// An object with values of all kinds, some of which are masked.
fn object(noise: &mut Noise, depth: usize) -> Value {
    let mut members = serde_json::Map::new();
    for name in 0..1 + noise.below(4) {
        let value = match noise.below(8) {
            0 => json!(4_111_111_111_111_111_u64),
            1 => json!([4_111_111_111_111_111_u64, noise.below(100)]),
            2 => json!("ana@example.com, \"4111 1111 1111 1111\""),
            3 => json!(noise.below(1 << 40)),
            4 if depth > 0 => json!(object(noise, depth - 1).to_string()),
            5 if depth > 0 => object(noise, depth - 1),
            6 => json!("C:\\path\n\u{e9}\u{1F600}"),
            _ => json!([true, null, -1.5]),
        };
        members.insert(format!("member {name}"), value);
    }
    Value::Object(members)
}

/// Whether JSON, with all strings in it that were JSON, can still be read as such.
fn parses(came: &Value, goes: &Value) -> bool {
    match (came, goes) {
        (Value::Object(came), Value::Object(goes)) => {
            came.len() == goes.len() && came.iter().all(|(name, one)| parses(one, &goes[name]))
        }
        (Value::Array(came), Value::Array(goes)) => {
            came.len() == goes.len() && came.iter().zip(goes).all(|(one, other)| parses(one, other))
        }
        (Value::String(came), Value::String(goes)) => match serde_json::from_str::<Value>(came) {
            Ok(came @ Value::Object(_)) => {
                serde_json::from_str(goes).is_ok_and(|goes| parses(&came, &goes))
            }
            _ => true,
        },
        _ => true,
    }
}

#[test]
fn tools_arguments_can_be_parsed_whole_and_in_events() {
    let mask = mask();
    let mut noise = Noise(13);
    for _ in 0..tried(10_000, 300) {
        let arguments = object(&mut noise, 2);
        let text = arguments.to_string();
        let call = |text: &str| json!({"choices": [{"index": 0, "delta": {"tool_calls": [{"index": 0, "function": {"arguments": text}}]}}]});
        let body = call(&text).to_string();
        let out = whole(&mask, Format::Json, body.as_bytes());
        let out: Value = serde_json::from_slice(&out).expect("the answer is JSON");
        let read = &out["choices"][0]["delta"]["tool_calls"][0]["function"]["arguments"];
        assert!(parses(&json!(text), read), "{text}\nbecomes\n{read}");

        let mut stream = String::new();
        let mut rest = text.as_str();
        while !rest.is_empty() {
            let mut at = usize::try_from(1 + noise.below(12)).expect("it is small");
            while !rest.is_char_boundary(at.min(rest.len())) {
                at += 1;
            }
            let (piece, later) = rest.split_at(at.min(rest.len()));
            stream += &format!("data: {}\n\n", call(piece));
            rest = later;
        }
        let out = whole(&mask, Format::Events, stream.as_bytes());
        let out = String::from_utf8(out).expect("the stream is UTF-8");
        let pieces = out
            .split("\n\n")
            .filter_map(|event| event.strip_prefix("data: "));
        let joined: String = pieces
            .map(|event| {
                let event: Value = serde_json::from_str(event).expect("an event is JSON");
                let call = &event["choices"][0]["delta"]["tool_calls"][0];
                call["function"]["arguments"]
                    .as_str()
                    .expect("a piece")
                    .to_owned()
            })
            .collect();
        assert!(
            parses(&json!(text), &json!(joined)),
            "{text}\nbecomes, in events,\n{joined}"
        );
    }
}
