//! How a kept body stands in a record.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use serde::Serialize;
use serde::ser::{SerializeSeq as _, Serializer};

use super::{Body, Cut, LeftOut, MAX_PART_BYTES, Mark};

/// By how much a text may grow with its escapes before it is written in base64, in percent: as much as
/// that takes.
const MAX_GROWTH: usize = 134;

#[derive(Serialize)]
struct Written<'a> {
    bytes: usize,
    cut: Option<Cut>,
    left_out: Option<LeftOut>,
    parts: Parts<'a>,
    age: Option<String>,
}

/// The parts, which are written one after the other.
struct Parts<'a>(&'a Body);

#[derive(Serialize)]
struct Part<'a> {
    number: usize,
    after: u64,
    bytes: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    base64: Option<String>,
}

impl Serialize for Body {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Written {
            bytes: self.bytes.len(),
            cut: self.cut,
            left_out: self.left_out,
            parts: Parts(self),
            age: self
                .sealed
                .as_ref()
                .map(|sealed| BASE64.encode(sealed.as_slice())),
        }
        .serialize(serializer)
    }
}

impl Serialize for Parts<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let body = self.0;
        let mut list = serializer.serialize_seq(None)?;
        let mut number = 0;
        let mut from = 0;
        for (place, Mark { after, .. }) in body.marks.iter().enumerate() {
            let next = body.marks.get(place.saturating_add(1));
            let until = next.map_or(body.bytes.len(), |next| next.from);
            let whole = body.bytes.get(from..until).unwrap_or_default();
            let mut rest = match next {
                Some(_) => whole.get(..between(whole)).unwrap_or(whole),
                None => whole,
            };
            from = from.saturating_add(rest.len());
            while !rest.is_empty() {
                let most = rest.get(..MAX_PART_BYTES).map_or(rest, |most| {
                    most.get(..between(most))
                        .filter(|some| !some.is_empty())
                        .unwrap_or(most)
                });
                number += 1;
                list.serialize_element(&part(number, *after, most, body.to.is_some()))?;
                rest = rest.get(most.len()..).unwrap_or_default();
            }
        }
        list.end()
    }
}

fn part(number: usize, after: u64, bytes: &[u8], sealed: bool) -> Part<'_> {
    let text = core::str::from_utf8(bytes).ok().filter(|text| {
        let most = bytes.len().saturating_mul(MAX_GROWTH) / 100;
        crate::record::bounds::written(text) <= most.saturating_add(16)
    });
    let text = text.filter(|_| !sealed);
    Part {
        number,
        after,
        bytes: bytes.len(),
        text,
        base64: (text.is_none() && !sealed).then(|| BASE64.encode(bytes)),
    }
}

/// Where bytes end between two characters: a character of UTF-8 that isn't whole belongs to what
/// follows.
fn between(bytes: &[u8]) -> usize {
    let is_first = |byte: &u8| byte & 0b1100_0000 != 0b1000_0000;
    let behind = bytes.iter().rev().take(4).position(is_first);
    let Some(behind) = behind else {
        return bytes.len();
    };
    let start = bytes.len().saturating_sub(behind.saturating_add(1));
    let last = bytes.get(start..).unwrap_or_default();
    let length = match last.first() {
        Some(0b1100_0000..=0b1101_1111) => 2,
        Some(0b1110_0000..=0b1110_1111) => 3,
        Some(0b1111_0000..=0b1111_0111) => 4,
        _ => 1,
    };
    match last.len() < length {
        true => start,
        false => bytes.len(),
    }
}
