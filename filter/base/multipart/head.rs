//! The headers of a part (RFC 7578, section 4): printable ASCII but for names of files, in the form
//! that clients write.

use crate::forms::{FormError, check_name};

/// The longest file name. Django cuts longer ones.
pub(super) const MAX_FILE_NAME_BYTES: usize = 255;

/// What the headers of a part say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Head<'a> {
    pub(super) name: &'a str,
    pub(super) file_name: Option<&'a str>,
    pub(super) media: Option<&'a str>,
    /// The content-length as it stands there.
    pub(super) length: Option<&'a str>,
}

/// What has been found so far.
#[derive(Default)]
struct Found<'a> {
    disposition: Option<Disposition<'a>>,
    media: Option<&'a str>,
    encoding: Option<&'a str>,
    length: Option<&'a str>,
}

struct Disposition<'a> {
    name: &'a str,
    file_name: Option<&'a str>,
}

/// Reads headers that begin at this byte of the body, without the empty line behind them.
pub(super) fn read(bytes: &[u8], mut at: usize) -> Result<Head<'_>, FormError> {
    let text = core::str::from_utf8(bytes).map_err(|error| {
        let reason = "a header with a byte that is not printable ASCII";
        FormError::new(reason, at + error.valid_up_to())
    })?;
    if let Some(end) = text.find("\r\n ").or_else(|| text.find("\r\n\t")) {
        // Python-multipart refuses it, Busboy, Go and werkzeug go on with the line above.
        return Err(FormError::new("a folded header", at + end + 2));
    }
    let start = at;
    let mut found = Found::default();
    for line in text.split("\r\n") {
        // A file's name may be in any language: nothing is decided by it, and what differs among
        // readers is how it is shown.
        let named = file_name_at(line);
        let plain = |(index, byte): (usize, u8)| {
            matches!(byte, b' '..=b'~') || (byte >= 0x80 && named.is_some_and(|at| index > at))
        };
        if let Some(bad) = line.bytes().enumerate().position(|it| !plain(it)) {
            let reason = match line.as_bytes().get(bad) {
                Some(b'\r' | b'\n') => "a line end other than CRLF in headers",
                // In Latin-1 for Busboy, in UTF-8 for others; controls are dropped, or an error.
                _ => "a header with a byte that is not printable ASCII",
            };
            return Err(FormError::new(reason, at + bad));
        }
        found
            .take(line)
            .map_err(|reason| FormError::new(reason, at))?;
        at += line.len() + 2;
    }
    let disposition = found.disposition;
    let disposition = disposition.ok_or(FormError::new("no content-disposition", start))?;
    Ok(Head {
        name: disposition.name,
        file_name: disposition.file_name,
        media: found.media,
        length: found.length,
    })
}

/// Where a file's name begins in a line, if it has one.
fn file_name_at(line: &str) -> Option<usize> {
    line.find("; filename=")
}

impl<'a> Found<'a> {
    fn take(&mut self, line: &'a str) -> Result<(), &'static str> {
        let (name, value) = line.split_once(':').ok_or("a header without a colon")?;
        if !is_token(name) {
            return Err("a header whose name is no token");
        }
        let value = value.trim_start_matches(' ');
        if value.ends_with(' ') {
            return Err("a blank at the end of a header");
        }
        let is = |other: &str| name.eq_ignore_ascii_case(other);
        let again = if is("content-disposition") {
            self.disposition.replace(disposition(value)?).is_some()
        } else if is("content-type") {
            check_media(value)?;
            self.media.replace(value).is_some()
        } else if is("content-transfer-encoding") {
            if !["7bit", "8bit", "binary"].contains(&value) {
                // Aiohttp, Django and Go decode some of the others, werkzeug and Starlette none.
                return Err("a content-transfer-encoding other than 7bit, 8bit and binary");
            }
            self.encoding.replace(value).is_some()
        } else if is("content-length") {
            self.length.replace(value).is_some()
        } else if is("content-encoding") {
            // Older aiohttp decodes it.
            return Err("a content-encoding of a part");
        } else {
            false
        };
        match again {
            // The first counts for Busboy and werkzeug, the last for python-multipart.
            true => Err("a header that occurs twice"),
            false => Ok(()),
        }
    }
}

/// `form-data; name="a"; filename="b"` and nothing else. Other parameters, blanks, capitals or another
/// order make a difference to readers that look for `name="`, as multer's first versions do, and
/// Node's own reader takes no others.
fn disposition(value: &str) -> Result<Disposition<'_>, &'static str> {
    let (mut name, mut file_name) = (None, None);
    let rest = value.strip_prefix("form-data");
    let mut rest = rest.ok_or("a content-disposition other than form-data")?;
    while !rest.is_empty() {
        let parameter = rest.strip_prefix("; ");
        let parameter =
            parameter.ok_or("a content-disposition whose parameters don't follow \"; \"")?;
        let (key, after) = parameter
            .split_once('=')
            .ok_or("a parameter without a value")?;
        if key == "filename*" && is_extended(after) {
            // RFC 7578 forbids it, and .NET's clients send it beside the plain one, Python's alone. Some
            // readers prefer it, some don't know it, so that a part may be a file or a field: nothing is
            // decided by that, and a field that counts is refused as a file.
            file_name.get_or_insert(after);
            break;
        }
        if key.contains('*') {
            return Err("an extended parameter (RFC 8187)");
        }
        let (text, behind) = match after.strip_prefix('"') {
            Some(quoted) => quoted.split_once('"').ok_or("a quote that is not closed")?,
            None => bare(after)?,
        };
        check_quoted(text)?;
        let again = match key {
            "name" if file_name.is_some() => return Err("a name behind the file's name"),
            "name" => {
                check_field_name(text)?;
                name.replace(text).is_some()
            }
            "filename" => {
                check_file_name(text)?;
                file_name.replace(text).is_some()
            }
            _ => return Err("a parameter other than name and filename"),
        };
        if again {
            return Err("a parameter that occurs twice");
        }
        rest = behind;
    }
    let name = name.ok_or("a content-disposition without a name")?;
    Ok(Disposition { name, file_name })
}

/// A value without quotes, as .NET's clients write names.
fn bare(text: &str) -> Result<(&str, &str), &'static str> {
    let end = text.find(';').unwrap_or(text.len());
    let (value, behind) = text.split_at_checked(end).unwrap_or((text, ""));
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._".contains(&byte);
    if value.is_empty() || !value.bytes().all(plain) {
        return Err("a value that needs quotes");
    }
    Ok((value, behind))
}

/// Whether a text is one extended value (RFC 8187) and nothing else.
fn is_extended(text: &str) -> bool {
    let value = text
        .strip_prefix("utf-8''")
        .or_else(|| text.strip_prefix("UTF-8''"));
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"%-._~!$&+^`|".contains(&byte);
    value.is_some_and(|value| value.bytes().all(plain))
}

/// What names of fields and of files can't have.
fn check_quoted(text: &str) -> Result<(), &'static str> {
    if text.contains('\\') {
        // An escape for werkzeug and aiohttp, a plain character for others, and part of a path.
        return Err("a backslash in quotes");
    }
    if text.contains(';') {
        // Aiohttp splits there before it looks at quotes.
        return Err("a semicolon in quotes");
    }
    Ok(())
}

/// What names of fields can't have besides.
fn check_field_name(text: &str) -> Result<(), &'static str> {
    if text.contains('%') {
        // Werkzeug makes a quote of `%22`, Node's own reader line ends of others as well, most
        // decode none, and some decode all.
        return Err("a percent sign in quotes");
    }
    if text.contains("=?") {
        // Commons FileUpload decodes it (RFC 2047).
        return Err("what looks like an encoded word in quotes");
    }
    if text.starts_with('/') || text.contains('=') {
        // Aiohttp drops a slash in front; multer's first versions find `filename=` within a name.
        return Err("a name with a slash in front or an equals sign");
    }
    check_name(text)
}

/// Escapes that would end a file's name, or make a path or nothing of it.
const CUTTING_ESCAPES: &[&str] = &["%22", "%0a", "%0d", "%00", "%2f", "%5c"];

fn check_file_name(text: &str) -> Result<(), &'static str> {
    if text.is_empty() {
        // No file for Busboy, Go and aiohttp, a file without a name for werkzeug and Starlette.
        return Err("a file name that is empty");
    }
    if text.len() > MAX_FILE_NAME_BYTES {
        return Err("a file name longer than 255 bytes");
    }
    let entity = |(at, _): (usize, _)| {
        let behind = text.get(at + 1..).unwrap_or_default();
        behind.starts_with('#')
    };
    if text.match_indices('&').any(entity) {
        // Django decodes entities of HTML; without a semicolon, only these make a slash.
        return Err("an entity in a file name");
    }
    let lower = text.to_ascii_lowercase();
    if CUTTING_ESCAPES.iter().any(|escape| lower.contains(escape)) {
        return Err("an escape in a file name that some undo");
    }
    match text.trim() == text {
        true => Ok(()),
        false => Err("a blank at an end of a file name"),
    }
}

/// Whether readers know this for one media type (RFC 9110, section 8.3.1), in UTF-8 if it says so.
fn check_media(value: &str) -> Result<(), &'static str> {
    let (kind, mut rest) = match value.find(';').and_then(|end| value.split_at_checked(end)) {
        Some((kind, rest)) => (kind, rest),
        None => (value, ""),
    };
    let (family, kind) = kind
        .split_once('/')
        .ok_or("a content-type without a slash")?;
    if !is_token(family) || !is_token(kind) {
        return Err("a content-type that is no media type");
    }
    if family.eq_ignore_ascii_case("multipart") {
        // Aiohttp refuses it, Commons FileUpload reads the parts in it, others take it as it is.
        return Err("a part with parts of its own");
    }
    let mut charset = None;
    while let Some(parameter) = rest.strip_prefix(';') {
        let parameter = parameter.trim_start_matches(' ');
        let (key, after) = parameter
            .split_once('=')
            .ok_or("a parameter without a value")?;
        if !is_token(key) || key.contains('*') {
            return Err("a parameter of a content-type whose name is no token");
        }
        let text;
        (text, rest) = parameter_value(after)?;
        if key.eq_ignore_ascii_case("charset") && charset.replace(text).is_some() {
            return Err("a parameter that occurs twice");
        }
    }
    if !rest.is_empty() {
        return Err("a content-type with more than parameters");
    }
    match charset {
        // Werkzeug, aiohttp and Busboy decode by it, Starlette and Go don't.
        Some(charset) if !charset.eq_ignore_ascii_case("utf-8") => {
            Err("a part whose charset is not UTF-8")
        }
        _ => Ok(()),
    }
}

/// A token, or text in quotes; and what is behind it.
fn parameter_value(text: &str) -> Result<(&str, &str), &'static str> {
    if let Some(quoted) = text.strip_prefix('"') {
        let (value, rest) = quoted.split_once('"').ok_or("a quote that is not closed")?;
        // Not every reader of charsets looks at quotes before it splits.
        return match value.contains(['\\', ';']) {
            true => Err("a backslash or a semicolon in quotes"),
            false => Ok((value, rest)),
        };
    }
    let end = text.find(';').unwrap_or(text.len());
    let parted = text.split_at_checked(end);
    let value = parted.filter(|(value, _)| is_token(value));
    value.ok_or("a parameter's value that is no token")
}

/// RFC 9110, section 5.6.2.
fn is_token(text: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    !text.is_empty() && text.bytes().all(allowed)
}
