//! One form for a path, so that what is judged is what the model server sees (RFC 3986,
//! section 6.2.2).

use base::bytes::hex_digit;

use super::query;

/// A path that no two readers can take for different ones.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Path {
    /// Begins with `/`, has no empty, `.` or `..` segment and no `/` at its end. Characters that may
    /// stand in a path are not escaped, and an escaped slash is one.
    pub path: String,
    /// What stood behind the first `?`, without parameters that would change the method.
    pub query: Option<String>,
    /// The segments, in which an escaped slash is a character like any other.
    segments: Vec<String>,
}

impl Path {
    /// Names and values of the query, decoded.
    pub fn query_texts(&self) -> impl Iterator<Item = String> {
        query::texts(self.query.as_deref())
    }

    /// What goes to the model server.
    #[must_use]
    pub fn to_header(&self) -> String {
        let mut header = if self.has_escaped_slash() {
            let segments = self.segments.iter();
            segments.fold(String::new(), |mut path, segment| {
                path.push('/');
                path.push_str(&segment.replace('/', "%2F"));
                path
            })
        } else {
            self.path.clone()
        };
        if let Some(query) = &self.query {
            header.push('?');
            header.push_str(query);
        }
        header
    }

    /// The segments, for readers who take a path apart before they undo its escapes.
    pub(super) fn segments(&self) -> Vec<&str> {
        self.segments.iter().map(String::as_str).collect()
    }

    /// Whether those who undo escapes first find other segments.
    pub(super) fn has_escaped_slash(&self) -> bool {
        self.segments.iter().any(|segment| segment.contains('/'))
    }
}

/// Why a path was refused: servers read it in different ways.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PathError {
    /// Not the path of a request to a server (RFC 9112, section 3.2.1).
    NotAbsolute,
    /// A `%` without two hex digits, escapes of what is no UTF-8, or a byte that may not stand there.
    Malformed,
    /// A backslash, NUL, or another control character, a parameter (`;`), or one of `%`, `?` and `#`
    /// in an escape.
    Ambiguous,
    /// An escaped slash in something else than the name of a model.
    EscapedSlash,
    /// `..` beyond the root.
    AboveRoot,
    /// It is a known one but for its case.
    OtherCase,
    /// Two parameters of the query name the model.
    TwoModels,
    /// The model's name has a blank at an end, or a control character.
    ModelName,
    /// The authority is not a host's name or address with or without a port.
    Host,
}

impl PathError {
    /// What the caller is told.
    #[must_use]
    pub fn message(self) -> &'static str {
        match self {
            Self::NotAbsolute => "The path does not begin with a slash.",
            Self::Malformed => "The path has a character or an escape that is not valid.",
            Self::Ambiguous => {
                "The path has a backslash, a semicolon or a control character, or an escape of one, of a percent sign, a question mark or a hash."
            }
            Self::EscapedSlash => {
                "The path has an escaped slash in something else than the name of a model."
            }
            Self::AboveRoot => "The path climbs above the root.",
            Self::OtherCase => "The path differs from a known one in case only.",
            Self::TwoModels => "The query names the model twice.",
            Self::ModelName => {
                "The name of the model has a blank at an end, or a control character."
            }
            Self::Host => "The authority is not the name or the address of a host.",
        }
    }
}

/// Normalizes the value of `:path`.
///
/// # Errors
/// A path that servers read in different ways.
pub fn normalize(raw: &[u8]) -> Result<Path, PathError> {
    let text = core::str::from_utf8(raw).map_err(|_| PathError::Malformed)?;
    let (path, query) = match text.split_once('?') {
        None => (text, None),
        // A server may take what stands behind a hash or a blank for no part of the query.
        Some((_, query))
            if query
                .bytes()
                .any(|byte| matches!(byte, b'#' | 0..=0x20 | 0x7f)) =>
        {
            return Err(PathError::Malformed);
        }
        Some((path, query)) => (path, query::without_overrides(query)),
    };
    let rest = path.strip_prefix('/').ok_or(PathError::NotAbsolute)?;
    let mut segments: Vec<String> = Vec::new();
    for segment in rest.split('/') {
        let segment = normalize_segment(segment)?;
        match segment.as_str() {
            "" | "." => {}
            ".." => {
                segments.pop().ok_or(PathError::AboveRoot)?;
            }
            // For those who undo escapes first.
            _ if segment.contains('/') && !is_plain(&segment) => {
                return Err(PathError::EscapedSlash);
            }
            _ => segments.push(segment),
        }
    }
    Ok(Path {
        path: format!("/{}", segments.join("/")),
        query,
        segments,
    })
}

fn is_plain(path: &str) -> bool {
    path.split('/')
        .all(|segment| !matches!(segment, "" | "." | ".."))
}

fn normalize_segment(segment: &str) -> Result<String, PathError> {
    let mut out = String::with_capacity(segment.len());
    let mut bytes = segment.bytes();
    let mut wide = false;
    while let Some(byte) = bytes.next() {
        match byte {
            b'%' => {
                let high = bytes.next().and_then(hex_digit);
                let low = bytes.next().and_then(hex_digit);
                let (Some(high), Some(low)) = (high, low) else {
                    return Err(PathError::Malformed);
                };
                let decoded = (high << 4) | low;
                match decoded {
                    // A second level of escapes would be undone by some servers and not by others,
                    // and some look for a query once they have undone the first.
                    b'\\' | b';' | b'%' | b'?' | b'#' | 0..=0x1f | 0x7f => {
                        return Err(PathError::Ambiguous);
                    }
                    _ if is_plain_byte(decoded) || decoded == b'/' => {
                        out.push(char::from(decoded));
                    }
                    _ => {
                        wide |= !decoded.is_ascii();
                        out.push_str(&format!("%{decoded:02X}"));
                    }
                }
            }
            b'\\' | b';' | 0..=0x20 | 0x7f => return Err(PathError::Ambiguous),
            b'#' | 0x80.. => return Err(PathError::Malformed),
            _ => out.push(char::from(byte)),
        }
    }
    // Decoders that are not strict take overlong forms for a dot or a slash (RFC 3629, section 10).
    if wide && query::unescaped(&out).is_none() {
        return Err(PathError::Malformed);
    }
    Ok(out)
}

/// What may stand in a segment as it is: unreserved characters, delimiters of parts (but for the
/// semicolon), `:` and `@` (RFC 3986, section 3.3).
fn is_plain_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,=:@".contains(&byte)
}
