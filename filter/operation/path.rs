//! One form for a path, so that what is judged is what the model server sees (RFC 3986,
//! section 6.2.2).

/// A path that no two readers can take for different ones.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Path {
    /// Begins with `/`, has no empty, `.` or `..` segment and no `/` at its end; characters that
    /// need no escape are not escaped.
    pub path: String,
    /// What stood behind the first `?`, as it came.
    pub query: Option<String>,
}

impl Path {
    /// What goes to the model server.
    #[must_use]
    pub fn to_header(&self) -> String {
        match &self.query {
            None => self.path.clone(),
            Some(query) => format!("{}?{query}", self.path),
        }
    }
}

/// Why a path was refused: servers read it in different ways.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PathError {
    /// Not the path of a request to a server (RFC 9112, section 3.2.1).
    NotAbsolute,
    /// A `%` without two hex digits, or a byte that may not stand in a path.
    Malformed,
    /// An escaped slash, a backslash, NUL, or another control character, or a parameter (`;`).
    Ambiguous,
    /// `..` beyond the root.
    AboveRoot,
}

impl PathError {
    /// What the caller is told.
    #[must_use]
    pub fn message(self) -> &'static str {
        match self {
            Self::NotAbsolute => "The path does not begin with a slash.",
            Self::Malformed => "The path has a character or an escape that is not valid.",
            Self::Ambiguous => {
                "The path has an escaped slash, a backslash, a semicolon or a control character."
            }
            Self::AboveRoot => "The path climbs above the root.",
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
        Some((path, query)) => (path, Some(query.to_owned())),
    };
    let rest = path.strip_prefix('/').ok_or(PathError::NotAbsolute)?;
    if is_normal(rest) {
        return Ok(Path {
            path: path.to_owned(),
            query,
        });
    }
    let mut segments: Vec<String> = Vec::new();
    for segment in rest.split('/') {
        match normalize_segment(segment)?.as_str() {
            "" | "." => {}
            ".." => {
                segments.pop().ok_or(PathError::AboveRoot)?;
            }
            other => segments.push(other.to_owned()),
        }
    }
    Ok(Path {
        path: format!("/{}", segments.join("/")),
        query,
    })
}

/// Whether there is nothing to normalize: most paths are so.
fn is_normal(rest: &str) -> bool {
    let plain = |byte: u8| is_unreserved(byte) || byte == b'/';
    rest.bytes().all(plain)
        && rest
            .split('/')
            .all(|segment| !matches!(segment, "" | "." | ".."))
}

fn normalize_segment(segment: &str) -> Result<String, PathError> {
    let mut out = String::with_capacity(segment.len());
    let mut bytes = segment.bytes();
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
                    // A second level of escapes would be undone by some servers and not by others.
                    b'/' | b'\\' | b';' | b'%' | 0..=0x1f | 0x7f => {
                        return Err(PathError::Ambiguous);
                    }
                    _ if is_unreserved(decoded) => out.push(char::from(decoded)),
                    _ => out.push_str(&format!("%{decoded:02X}")),
                }
            }
            b'\\' | b';' | 0..=0x20 | 0x7f => return Err(PathError::Ambiguous),
            b'#' | 0x80.. => return Err(PathError::Malformed),
            _ => out.push(char::from(byte)),
        }
    }
    Ok(out)
}

fn hex_digit(byte: u8) -> Option<u8> {
    match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        b'A'..=b'F' => Some(byte - b'A' + 10),
        _ => None,
    }
}

/// RFC 3986, section 2.3.
fn is_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~".contains(&byte)
}
