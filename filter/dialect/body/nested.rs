//! What is inside a text: escapes of JSON, a whole JSON text, the content of a data URL.

use base::json::{self, JsonEvent, JsonSink};

/// Undoes the escapes of JSON wherever they stand, as its strings' readers do. `None` where there is
/// none. What is no escape stays.
pub(super) fn unescape(text: &str) -> Option<String> {
    let mut rest = text;
    let mut out: Option<String> = None;
    while let Some((before, after)) = rest.split_once('\\') {
        let (plain, behind) = match read_escape(after) {
            Some(read) => read,
            None => {
                let out = out.get_or_insert_with(String::new);
                out.push_str(before);
                out.push('\\');
                rest = after;
                continue;
            }
        };
        let out = out.get_or_insert_with(String::new);
        out.push_str(before);
        out.push(plain);
        rest = behind;
    }
    let mut out = out?;
    out.push_str(rest);
    (out != text).then_some(out)
}

/// The character that an escape stands for, and what stands behind it.
fn read_escape(text: &str) -> Option<(char, &str)> {
    let mut characters = text.chars();
    let plain = match characters.next()? {
        'u' => return read_unicode(characters.as_str()),
        'b' => '\u{8}',
        'f' => '\u{c}',
        'n' => '\n',
        'r' => '\r',
        't' => '\t',
        same @ ('"' | '\\' | '/') => same,
        _ => return None,
    };
    Some((plain, characters.as_str()))
}

fn read_unicode(text: &str) -> Option<(char, &str)> {
    let (high, rest) = read_unit(text)?;
    let pair = || {
        let (low, rest) = read_unit(rest.strip_prefix("\\u")?)?;
        let mut decoded = char::decode_utf16([high, low]);
        decoded.next()?.ok().map(|plain| (plain, rest))
    };
    match char::from_u32(u32::from(high)) {
        Some(plain) => Some((plain, rest)),
        None => pair().or(Some((char::REPLACEMENT_CHARACTER, rest))),
    }
}

fn read_unit(text: &str) -> Option<(u16, &str)> {
    let (digits, rest) = text.split_at_checked(4)?;
    if !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    Some((u16::from_str_radix(digits, 16).ok()?, rest))
}

/// Shows all texts and names of a JSON text, if it is one.
pub(super) fn each(text: &str, show: &mut dyn FnMut(&str)) {
    struct Each<'e>(&'e mut dyn FnMut(&str));
    impl JsonSink for Each<'_> {
        fn take(&mut self, event: JsonEvent<'_>) {
            if let JsonEvent::Text(text) | JsonEvent::Name(text) = event {
                (self.0)(text);
            }
        }
    }
    // Of what turns out to be no JSON, what came before the mistake has been shown.
    let _ = json::read(text.as_bytes(), &mut Each(show));
}

/// Marks of the encodings of Unicode; the longest come first.
const BYTE_ORDER_MARKS: &[&[u8]] = &[
    b"\xff\xfe\0\0",
    b"\0\0\xfe\xff",
    b"\xff\xfe",
    b"\xfe\xff",
    b"\xef\xbb\xbf",
];

/// Whether bytes begin as an object, a list or a string of JSON does, in whatever encoding: Python's
/// json.loads guesses it from the first bytes (RFC 4627, section 3).
pub(super) fn begins_json(bytes: &[u8]) -> bool {
    let mut marks = BYTE_ORDER_MARKS.iter();
    let behind = marks.find_map(|mark| bytes.strip_prefix(*mark));
    let bytes = behind.unwrap_or(bytes);
    [1, 2, 4].iter().any(|width| {
        let mut characters = bytes.chunks_exact(*width).map(ascii);
        let first = characters.find(|one| !one.is_some_and(|one| one.is_ascii_whitespace()));
        matches!(first, Some(Some(b'{' | b'[' | b'"')))
    })
}

/// The character of ASCII that a unit of UTF-8, UTF-16 or UTF-32 is, its low byte first or last.
fn ascii(unit: &[u8]) -> Option<u8> {
    let zeros = |bytes: &[u8]| bytes.iter().all(|byte| *byte == 0);
    match unit {
        [low, high @ ..] if zeros(high) => Some(*low),
        [high @ .., low] if zeros(high) => Some(*low),
        _ => None,
    }
}

/// A data URL (RFC 2397), taken apart.
#[derive(Clone, Copy)]
pub(super) struct DataUrl<'a> {
    pub(super) base64: bool,
    pub(super) content: &'a str,
}

pub(super) fn data_url(text: &str) -> Option<DataUrl<'_>> {
    let text = text.trim_start();
    let (scheme, rest) = text.split_at_checked(5)?;
    if !scheme.eq_ignore_ascii_case("data:") {
        return None;
    }
    let (head, content) = rest.split_once(',')?;
    let mut parameters = head.split(';').skip(1);
    Some(DataUrl {
        base64: parameters.any(|one| one.trim().eq_ignore_ascii_case("base64")),
        content,
    })
}

/// Whether a text is nothing but the address of something (RFC 3986, section 3).
pub(super) fn is_address(text: &str) -> bool {
    const MAX_SCHEME: usize = 16;
    let text = text.trim();
    let Some((scheme, rest)) = text.split_once("://") else {
        return false;
    };
    let of_scheme = |one: char| one.is_ascii_alphanumeric() || "+-.".contains(one);
    let is_scheme = !scheme.is_empty() && scheme.len() <= MAX_SCHEME;
    is_scheme && scheme.chars().all(of_scheme) && !rest.contains(char::is_whitespace)
}

/// Undoes percent-escapes; what is none stays.
pub(super) fn percent_decoded(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((byte, behind)) = rest.split_first() {
        let hex = |at: usize| {
            let digit = behind.get(at).copied().map(char::from)?.to_digit(16)?;
            u8::try_from(digit).ok()
        };
        if *byte == b'%'
            && let (Some(high), Some(low)) = (hex(0), hex(1))
        {
            out.push((high << 4) | low);
            rest = behind.get(2..).unwrap_or_default();
        } else {
            out.push(*byte);
            rest = behind;
        }
    }
    out
}

/// How files of pictures, sound and video begin: their bytes hold no text. The caller's word for it
/// would not do.
const MEDIA: &[&[u8]] = &[
    b"\x89PNG\r\n\x1a\n",
    b"\xff\xd8\xff",
    b"GIF87a",
    b"GIF89a",
    b"II*\0",
    b"MM\0*",
    b"RIFF",
    b"OggS",
    b"fLaC",
    b"ID3",
    b"\xff\xf1",
    b"\xff\xf9",
    b"\xff\xfb",
    b"\xff\xf3",
    b"\xff\xf2",
    b"\x1a\x45\xdf\xa3",
    b"\0\0\x01\0",
    b"\0\0\x01\xba",
    b"\0\0\x01\xb3",
    b"\0\0\0\x0cjP  ",
    b"\xff\xe3",
    b"\xff\xfa",
    b"FLV\x01",
    b"FORM\0",
    b"#!AMR",
];

/// How documents begin whose text is not written as it is read: PDF, Office's old and new ones and
/// OpenDocument (which are archives), RTF.
const DOCUMENTS: &[&[u8]] = &[b"%PDF-", b"PK\x03\x04", b"\xd0\xcf\x11\xe0", b"{\\rtf"];

/// As far as readers of PDF look for its beginning.
const PDF_WITHIN_BYTES: usize = 1024;
/// As far as readers of archives look for their end, which is where they begin to read.
const ARCHIVE_END_BYTES: usize = 22 + 65_535;

/// Whether a file is a document whose text can't be read here, whatever else it is besides.
pub(super) fn is_document(bytes: &[u8]) -> bool {
    let front = bytes.get(..PDF_WITHIN_BYTES).unwrap_or(bytes);
    let back = bytes.get(bytes.len().saturating_sub(ARCHIVE_END_BYTES)..);
    let has = |bytes: &[u8], mark: &[u8]| bytes.windows(mark.len()).any(|window| window == mark);
    DOCUMENTS.iter().any(|mark| bytes.starts_with(mark))
        || has(front, b"%PDF-")
        || has(back.unwrap_or(bytes), b"PK\x05\x06")
}

/// Whether a file is a picture, sound or video.
pub(super) fn is_media(bytes: &[u8]) -> bool {
    // MP4, HEIC, AVIF and M4A have a length in front of their name.
    let boxed = bytes.get(4..8) == Some(b"ftyp");
    // A bitmap's name is short; what is reserved behind its length is zero.
    let bitmap = bytes.starts_with(b"BM") && bytes.get(6..10) == Some(&[0; 4]);
    boxed || bitmap || MEDIA.iter().any(|mark| bytes.starts_with(mark))
}
