//! The ways in which formats write a secret.
//!
//! What a writer must escape it escapes everywhere, so that these are few; what escapes in other ways is
//! `spelled`'s. Keys of most services have letters, digits, dashes and underscores only, and there is one way to
//! write these.

use base64::Engine as _;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE};

/// In encodings that readers of JSON and of text find out by themselves: UTF-16 and UTF-32, each in
/// both orders. The zeros at both ends are left out: they are no part of it in the other order, and
/// whatever ends with zeros, as a message of gRPC may, would wait for what comes behind it.
pub(super) fn in_wide_units(secret: &str) -> [Vec<u8>; 4] {
    let short = || secret.encode_utf16();
    let long = || secret.chars().map(u32::from);
    let all: [Vec<u8>; 4] = [
        short().flat_map(u16::to_le_bytes).collect(),
        short().flat_map(u16::to_be_bytes).collect(),
        long().flat_map(u32::to_le_bytes).collect(),
        long().flat_map(u32::to_be_bytes).collect(),
    ];
    all.map(|bytes| {
        let is_some = |byte: &u8| *byte != 0;
        let from = bytes.iter().position(is_some).unwrap_or_default();
        let to = bytes.iter().rposition(is_some).map_or(0, |at| at + 1);
        bytes.get(from..to).unwrap_or_default().to_vec()
    })
}

/// What any base64 has of a text with the secret in it, in each alphabet and at each offset, but for
/// the characters that it shares with its neighbours.
pub(super) fn in_base64(secret: &str) -> Vec<Vec<u8>> {
    let mut coded = Vec::new();
    for offset in 0..3 {
        let bytes = [vec![0; offset].as_slice(), secret.as_bytes()].concat();
        // A character has six bits.
        let own = (offset * 8).div_ceil(6)..bytes.len() * 8 / 6;
        for engine in [BASE64_STANDARD, BASE64_URL_SAFE] {
            let text = engine.encode(&bytes).into_bytes();
            coded.extend(text.get(own.clone()).map(<[u8]>::to_vec));
        }
    }
    coded
}

/// Every way, the plain one among them; some may be the same.
pub(super) fn ways(secret: &str) -> [Vec<u8>; 11] {
    [
        plain,
        json,
        php,
        python,
        go,
        dotnet,
        percent_upper,
        percent_lower,
        quote,
        grpc_message,
        xml,
    ]
    .map(|write| {
        let mut out = String::with_capacity(secret.len());
        secret.chars().for_each(|letter| write(letter, &mut out));
        out.into_bytes()
    })
}

fn plain(letter: char, out: &mut String) {
    out.push(letter);
}

/// What JSON can't have in a string as it is (RFC 8259, section 7). A secret has no control
/// characters.
fn json(letter: char, out: &mut String) {
    if matches!(letter, '"' | '\\') {
        out.push('\\');
    }
    out.push(letter);
}

/// `json_encode` escapes slashes, and what is not ASCII.
fn php(letter: char, out: &mut String) {
    match letter {
        '/' => out.push_str("\\/"),
        letter => python(letter, out),
    }
}

/// `json.dumps` escapes what is not ASCII.
fn python(letter: char, out: &mut String) {
    if letter.is_ascii() {
        json(letter, out);
    } else {
        unicode(letter, out, false);
    }
}

/// `encoding/json` escapes what has a meaning in HTML.
fn go(letter: char, out: &mut String) {
    match letter {
        '<' | '>' | '&' => unicode(letter, out, false),
        letter => json(letter, out),
    }
}

/// `System.Text.Encodings.Web.JavaScriptEncoder.Default` escapes more of it, and the plus sign.
fn dotnet(letter: char, out: &mut String) {
    match letter {
        '"' | '&' | '\'' | '+' | '<' | '>' | '`' => unicode(letter, out, true),
        letter if letter.is_ascii() => json(letter, out),
        letter => unicode(letter, out, true),
    }
}

fn unicode(letter: char, out: &mut String, upper: bool) {
    let mut units = [0; 2];
    for unit in letter.encode_utf16(&mut units) {
        out.push_str(&if upper {
            format!("\\u{unit:04X}")
        } else {
            format!("\\u{unit:04x}")
        });
    }
}

/// In a URL, as `encodeURIComponent` writes it but for a few marks.
fn percent_upper(letter: char, out: &mut String) {
    percent(letter, out, |byte| format!("%{byte:02X}"));
}

fn percent_lower(letter: char, out: &mut String) {
    percent(letter, out, |byte| format!("%{byte:02x}"));
}

/// `urllib.parse.quote` keeps slashes.
fn quote(letter: char, out: &mut String) {
    match letter {
        '/' => out.push('/'),
        letter => percent_upper(letter, out),
    }
}

/// In `grpc-message`, what can be printed stays (gRPC over HTTP/2, "Responses").
fn grpc_message(letter: char, out: &mut String) {
    match letter {
        ' '..='$' | '&'..='~' => out.push(letter),
        letter => percent_upper(letter, out),
    }
}

/// Whatever is not unreserved (RFC 3986, section 2.3) is escaped.
fn percent(letter: char, out: &mut String, escape: impl Fn(u8) -> String) {
    if letter.is_ascii_alphanumeric() || matches!(letter, '-' | '.' | '_' | '~') {
        return out.push(letter);
    }
    let mut bytes = [0; 4];
    for byte in letter.encode_utf8(&mut bytes).bytes() {
        out.push_str(&escape(byte));
    }
}

/// In HTML and XML.
fn xml(letter: char, out: &mut String) {
    match letter {
        '&' => out.push_str("&amp;"),
        '<' => out.push_str("&lt;"),
        '>' => out.push_str("&gt;"),
        '"' => out.push_str("&quot;"),
        '\'' => out.push_str("&#39;"),
        letter => out.push(letter),
    }
}
