//! How replacements are written into what is around them.

use super::escape;

/// What JSON may have outside its strings, and quotes.
const OF_JSON: &[u8] = b"{}[]:,\"+-.0123456789eEtruefalsn \t\r\n";

/// How a replacement is written, so that what is around it keeps its meaning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Writing {
    /// Within a JSON string.
    Json,
    /// Within a string of JSON that stands within a JSON string.
    JsonInJson,
    /// In broken JSON, outside strings: it must not become JSON again.
    Stray,
    /// Within a line.
    Line,
    /// As it is.
    Raw,
    /// In a text of HTML or XML, or in a value in quotes there.
    Markup,
    /// In a value without quotes.
    BareMarkup,
    /// Where HTML and XML have no references.
    Verbatim,
}

impl Writing {
    /// How a replacement is written in a string of the JSON that a text is, where the text itself is
    /// written like this.
    pub(super) fn inside(self) -> Self {
        match self {
            Self::Raw => Self::Json,
            _ => Self::JsonInJson,
        }
    }

    /// Whether quotes in a replacement are written as they are, or so that they read as quotes.
    pub(super) fn takes_quotes(self) -> bool {
        !matches!(self, Self::Stray | Self::Verbatim | Self::BareMarkup)
    }

    /// Writes a replacement, or what is added to one as more of its match is seen (`further`).
    pub(super) fn write(self, with: &str, further: bool, out: &mut Vec<u8>) {
        match self {
            Self::Json => escape::write(with, out),
            Self::JsonInJson => {
                let mut inner = Vec::with_capacity(with.len());
                escape::write(with, &mut inner);
                escape::write(&String::from_utf8_lossy(&inner), out);
            }
            Self::Raw => out.extend_from_slice(with.as_bytes()),
            Self::Markup | Self::BareMarkup => markup(with, self == Self::BareMarkup, out),
            Self::Verbatim => {
                let ends = |byte: u8| b"<>&\"'`\\\r\n".contains(&byte);
                let written = with.bytes();
                out.extend(written.map(|byte| if ends(byte) { b'_' } else { byte }));
            }
            Self::Line => {
                out.extend(with.bytes().map(|byte| {
                    if matches!(byte, b'\r' | b'\n') {
                        b' '
                    } else {
                        byte
                    }
                }));
            }
            Self::Stray => {
                out.extend(
                    with.bytes()
                        .map(|byte| if byte == b'"' { b'\'' } else { byte }),
                );
                // Without a byte that JSON never has outside strings, the stray text's place
                // could be taken by a value.
                if !further && with.bytes().all(|byte| OF_JSON.contains(&byte)) {
                    out.push(b'*');
                }
            }
        }
    }
}

/// Writes a replacement with references in place of what is markup.
fn markup(with: &str, bare: bool, out: &mut Vec<u8>) {
    for byte in with.bytes() {
        match byte {
            b'&' => out.extend(b"&amp;"),
            b'<' => out.extend(b"&lt;"),
            b'>' => out.extend(b"&gt;"),
            b'"' => out.extend(b"&quot;"),
            b'\'' => out.extend(b"&#39;"),
            _ if bare && (byte.is_ascii_whitespace() || matches!(byte, b'=' | b'`')) => {
                out.extend(format!("&#{byte};").into_bytes());
            }
            _ => out.push(byte),
        }
    }
}
