//! What a head says of its body: its type, its charset, its encoding.

use super::{Fate, Place, Spelling, Thing};

/// Content-types with which a body of JSON may come.
const TYPES: &[(&str, Fate)] = &[
    ("APPLICATION/JSON", Fate::Plain),
    ("application/json;", Fate::Plain),
    ("application/json; charset=utf-8", Fate::Plain),
    ("application/json;charset=\"UTF-8\"", Fate::Plain),
    ("application/json; charset=us-ascii", Fate::Plain),
    ("text/plain", Fate::Plain),
    ("text/json", Fate::Plain),
    ("application/vnd.acme+json", Fate::Plain),
    ("application/octet-stream", Fate::Plain),
    ("image/png", Fate::Plain),
    ("application/x-www-form-urlencoded", Fate::Crooked),
    ("multipart/form-data; boundary=x", Fate::Crooked),
    ("multipart/form-data", Fate::Crooked),
    ("application/grpc", Fate::Crooked),
    ("application/grpc-web+json", Fate::Crooked),
    ("application/json, text/plain", Fate::Crooked),
    ("application/json; charset=utf-16", Fate::Crooked),
    ("application/json; charset=utf-16le", Fate::Crooked),
    ("application/json; charset=utf-7", Fate::Crooked),
    ("application/json; charset=ibm037", Fate::Crooked),
    ("application/json; charset=iso-8859-1", Fate::Crooked),
    (
        "application/json; charset=utf-8; charset=utf-16",
        Fate::Crooked,
    ),
    ("application/json; CHARSET*=utf-8''utf-16", Fate::Crooked),
    ("application/json; charset = utf-16", Fate::Crooked),
    ("x; charset=\"utf-\\16\"", Fate::Crooked),
    ("json", Fate::Crooked),
    ("", Fate::Crooked),
];

/// Encodings that are said of a body that has none.
const ENCODINGS: &[(&str, Fate)] = &[
    ("identity", Fate::Plain),
    ("gzip", Fate::Crooked),
    ("GZIP", Fate::Crooked),
    ("x-gzip", Fate::Crooked),
    ("deflate", Fate::Crooked),
    ("br", Fate::Crooked),
    ("zstd", Fate::Crooked),
    ("compress", Fate::Crooked),
    ("snappy", Fate::Crooked),
    ("aws-chunked", Fate::Crooked),
    ("utf-8", Fate::Crooked),
    ("gzip, gzip", Fate::Crooked),
    ("identity, gzip", Fate::Crooked),
    ("gzip;q=0", Fate::Crooked),
    ("none", Fate::Crooked),
];

pub(super) fn of(thing: &'static Thing) -> Vec<Spelling> {
    if thing.place != Place::Body {
        return Vec::new();
    }
    let mut all = Vec::new();
    for (media, fate) in TYPES {
        let spelling = Spelling::new(thing, *fate, format!("{media:?} as its type"));
        all.push(spelling.untyped().header("content-type", media));
    }
    all.push(Spelling::plain(thing, "no type").untyped());
    let two = Spelling::crooked(thing, "two types").header("content-type", "text/plain");
    all.push(two);
    let two = Spelling::crooked(thing, "two types, one of another charset");
    all.push(two.header("content-type", "application/json; charset=utf-16"));
    for (encoding, fate) in ENCODINGS {
        let spelling = Spelling::new(thing, *fate, format!("{encoding:?} as its encoding"));
        all.push(spelling.header("content-encoding", encoding));
    }
    for name in ["gzip", "x-gzip", "GZip"] {
        let spelling = Spelling::plain(thing, format!("in {name}"));
        let body = gzip(thing.body.as_bytes());
        all.push(spelling.header("content-encoding", name).body(body));
    }
    for name in ["gzip, gzip", "identity", "zstd"] {
        let spelling = Spelling::crooked(thing, format!("in gzip, said to be in {name}"));
        let body = gzip(thing.body.as_bytes());
        all.push(spelling.header("content-encoding", name).body(body));
    }
    let spelling = Spelling::crooked(thing, "in gzip, of which nothing is said");
    all.push(spelling.body(gzip(thing.body.as_bytes())));
    let two = [gzip(br#"{"model":"other"}"#), gzip(thing.body.as_bytes())].concat();
    let spelling = Spelling::crooked(thing, "in gzip, behind another body");
    all.push(spelling.header("content-encoding", "gzip").body(two));
    all.extend(wide(thing));
    all
}

/// The body in wider characters, with and without a mark and a charset that says so.
fn wide(thing: &'static Thing) -> Vec<Spelling> {
    let units = || thing.body.encode_utf16();
    let little: Vec<u8> = units().flat_map(u16::to_le_bytes).collect();
    let big: Vec<u8> = units().flat_map(u16::to_be_bytes).collect();
    let widest: Vec<u8> = thing
        .body
        .chars()
        .flat_map(|one| u32::from(one).to_le_bytes())
        .collect();
    let mut all = Vec::new();
    for (name, mark, bytes) in [
        ("utf-16le", &b"\xff\xfe"[..], &little),
        ("utf-16be", &b"\xfe\xff"[..], &big),
        ("utf-32le", &b"\xff\xfe\0\0"[..], &widest),
    ] {
        for said in [true, false] {
            for mark in [mark, b""] {
                let what = format!("in {name}, said: {said}, mark: {}", !mark.is_empty());
                let mut spelling = Spelling::crooked(thing, what).body([mark, bytes].concat());
                if said {
                    let media = format!("application/json; charset={name}");
                    spelling = spelling.untyped().header("content-type", &media);
                }
                all.push(spelling);
            }
        }
    }
    all
}

/// A member of gzip (RFC 1952) that holds bytes as they are, in one stored block (RFC 1951, section
/// 3.2.4).
fn gzip(bytes: &[u8]) -> Vec<u8> {
    let length = u16::try_from(bytes.len()).unwrap_or(u16::MAX);
    let mut out = b"\x1f\x8b\x08\0\0\0\0\0\0\xff\x01".to_vec();
    out.extend(length.to_le_bytes());
    out.extend((!length).to_le_bytes());
    out.extend(bytes);
    out.extend(crc32(bytes).to_le_bytes());
    out.extend(u32::from(length).to_le_bytes());
    out
}

fn crc32(bytes: &[u8]) -> u32 {
    let step = |crc: u32, _| (crc >> 1) ^ (0xedb8_8320 * (crc & 1));
    let byte = |crc: u32, byte: &u8| (0..8).fold(crc ^ u32::from(*byte), step);
    !bytes.iter().fold(u32::MAX, byte)
}
