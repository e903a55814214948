//! What a body is said to be: content types, charsets and encodings.

use super::{CHAT, COMPLETION, HELLO, Must, SECRET, Spelling};

const TYPES: &[(&str, Must, &[&str])] = &[
    ("utf8", Must::Pass, &["application/json; charset=utf-8"]),
    (
        "utf8-quoted",
        Must::Agree,
        &["application/json; charset=\"UTF-8\""],
    ),
    ("upper", Must::Agree, &["APPLICATION/JSON"]),
    ("none", Must::Agree, &[]),
    ("empty", Must::Agree, &[""]),
    ("text", Must::Agree, &["text/plain"]),
    ("octets", Must::Agree, &["application/octet-stream"]),
    ("suffix", Must::Agree, &["application/vnd.api+json"]),
    ("lines", Must::Agree, &["application/x-ndjson"]),
    ("form", Must::Agree, &["application/x-www-form-urlencoded"]),
    (
        "multipart",
        Must::Agree,
        &["multipart/form-data; boundary=b"],
    ),
    ("grpc", Must::Agree, &["application/grpc"]),
    ("picture", Must::Agree, &["image/png"]),
    ("list", Must::Agree, &["application/json, text/plain"]),
    ("twice", Must::Agree, &["application/json", "text/plain"]),
    (
        "twice-back",
        Must::Agree,
        &["text/plain", "application/json"],
    ),
    (
        "twice-charset",
        Must::Agree,
        &["application/json; charset=utf-8; charset=utf-16"],
    ),
    ("blank-in-type", Must::Agree, &["application /json"]),
    ("semicolon", Must::Agree, &["application/json;"]),
    (
        "latin",
        Must::Agree,
        &["application/json; charset=iso-8859-1"],
    ),
    (
        "unknown-charset",
        Must::Agree,
        &["application/json; charset=none"],
    ),
];

/// A name, and how a text is written in it.
type Charset = (&'static str, fn(&str) -> Vec<u8>);

/// Charsets in which ASCII, or what stands in JSON, is not itself.
const CHARSETS: [Charset; 7] = [
    ("utf-16", |text| [vec![0xff, 0xfe], little(text)].concat()),
    ("utf-16le", little),
    ("utf-16be", big),
    ("utf-32le", |text| {
        text.chars()
            .flat_map(|one| u32::from(one).to_le_bytes())
            .collect()
    }),
    ("utf-7", |text| text.replace('s', "+AHM-").into_bytes()),
    ("cp037", ebcdic),
    ("utf-8-sig", |text| format!("\u{feff}{text}").into_bytes()),
];

fn little(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

fn big(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_be_bytes).collect()
}

/// The letters that the bodies here have, in EBCDIC.
fn ebcdic(text: &str) -> Vec<u8> {
    let one = |letter: u8| match letter {
        b'a'..=b'i' => 0x81 + (letter - b'a'),
        b'j'..=b'r' => 0x91 + (letter - b'j'),
        b's'..=b'z' => 0xa2 + (letter - b's'),
        b'0'..=b'9' => 0xf0 + (letter - b'0'),
        b'{' => 0xc0,
        b'}' => 0xd0,
        b'[' => 0xba,
        b']' => 0xbb,
        b'"' => 0x7f,
        b':' => 0x7a,
        b',' => 0x6b,
        b'-' => 0x60,
        _ => 0x40,
    };
    text.bytes().map(one).collect()
}

pub(super) fn all() -> Vec<Spelling> {
    let chat = |name: &str, must: Must| Spelling::new(&format!("media-{name}"), must, "POST", CHAT);
    let mut all = Vec::new();
    for (name, must, types) in TYPES {
        // What is denied must be so under every type.
        for (kind, body, must) in [("", HELLO, *must), ("-secret", SECRET, Must::Refuse)] {
            let mut spelling = chat(&format!("{name}{kind}"), must).body(body);
            for value in *types {
                spelling = spelling.header("content-type", value);
            }
            all.push(spelling);
        }
    }
    for (charset, encode) in CHARSETS {
        let declared = format!("application/json; charset={charset}");
        let with = chat(charset, Must::Agree);
        all.push(with.header("content-type", declared).body(encode(SECRET)));
        // Python finds out some of them by itself.
        all.push(chat(&format!("{charset}-unsaid"), Must::Agree).json(encode(SECRET)));
    }
    // Bytes that are one letter in one charset, and two in the other.
    let latin = HELLO.replace("small-1", "sm\u{e4}ll-1");
    let declared = "application/json; charset=iso-8859-1";
    all.push(
        chat("latin-letter", Must::Agree)
            .header("content-type", declared)
            .body(latin),
    );
    // A form in the place of JSON.
    let in_json = r#"{"model":"small-1","prompt":"a","x":"&model=secret-1&"}"#;
    for (name, body) in [
        ("form-body", "model=secret-1&prompt=hello"),
        ("form-body-in-json", in_json),
    ] {
        let spelling = Spelling::new(&format!("media-{name}"), Must::Agree, "POST", COMPLETION);
        let form = "application/x-www-form-urlencoded";
        all.push(spelling.header("content-type", form).body(body));
        let spelling = Spelling::new(
            &format!("media-{name}-as-json"),
            Must::Agree,
            "POST",
            COMPLETION,
        );
        all.push(spelling.json(body));
    }
    all.extend(encoded());
    all
}

/// Bodies that are compressed, or only said to be.
fn encoded() -> Vec<Spelling> {
    let chat = |name: &str, must: Must| Spelling::new(&format!("media-{name}"), must, "POST", CHAT);
    let mut all = vec![
        chat("identity", Must::Agree)
            .header("content-encoding", "identity")
            .json(HELLO),
        // Two bodies in one: gzip's members follow each other.
        chat("gzip-twice", Must::Agree)
            .header("content-encoding", "gzip, gzip")
            .json(gzip(&gzip(SECRET.as_bytes()))),
        chat("gzip-unsaid", Must::Agree).json(gzip(SECRET.as_bytes())),
        chat("gzip-lied", Must::Agree)
            .header("content-encoding", "gzip")
            .json(HELLO),
        chat("transfer-gzip", Must::Agree)
            .header("te", "gzip")
            .header("x-content-encoding", "gzip")
            .json(gzip(SECRET.as_bytes())),
    ];
    for encoding in [
        "gzip",
        "x-gzip",
        "GZIP",
        "gzip,",
        "identity, gzip",
        ", gzip",
    ] {
        let spelling = chat(&format!("encoding-{encoding}"), Must::Agree);
        all.push(
            spelling
                .header("content-encoding", encoding)
                .json(gzip(SECRET.as_bytes())),
        );
    }
    let twice = chat("encoding-headers", Must::Agree)
        .header("content-encoding", "identity")
        .header("content-encoding", "gzip");
    all.push(twice.json(gzip(SECRET.as_bytes())));
    let deflate = chat("deflate", Must::Agree).header("content-encoding", "deflate");
    all.push(deflate.json(zlib(SECRET.as_bytes())));
    all
}

/// gzip of blocks that are stored (RFC 1952).
fn gzip(data: &[u8]) -> Vec<u8> {
    let mut out = vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff];
    out.extend(stored(data));
    let mut crc = !0_u32;
    for byte in data {
        crc ^= u32::from(*byte);
        for _ in 0..8 {
            crc = match crc & 1 {
                1 => (crc >> 1) ^ 0xedb8_8320,
                _ => crc >> 1,
            };
        }
    }
    out.extend((!crc).to_le_bytes());
    out.extend(u32::try_from(data.len()).unwrap().to_le_bytes());
    out
}

/// zlib's form (RFC 1950).
fn zlib(data: &[u8]) -> Vec<u8> {
    let (mut a, mut b) = (1_u32, 0_u32);
    for byte in data {
        a = (a + u32::from(*byte)) % 65521;
        b = (b + a) % 65521;
    }
    let mut out = vec![0x78, 0x01];
    out.extend(stored(data));
    out.extend(((b << 16) | a).to_be_bytes());
    out
}

/// One last block, as it is (RFC 1951).
fn stored(data: &[u8]) -> Vec<u8> {
    let length = u16::try_from(data.len()).unwrap();
    let mut out = vec![1];
    out.extend(length.to_le_bytes());
    out.extend((!length).to_le_bytes());
    out.extend_from_slice(data);
    out
}
