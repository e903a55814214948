//! The headers of one part: what they say of its content.

use super::super::charset::keeps_ascii;

/// What a part's headers say of its content.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct PartHead {
    /// The media type in lower case; none has been named.
    media: Option<String>,
    /// The type is said twice, or in a way that readers take differently.
    unclear: bool,
    /// The content is encoded, so that a search would find nothing in it.
    encoded: bool,
}

/// What becomes of one header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Header {
    /// It goes on as it is.
    Same,
    /// It goes on masked: names of fields and of files are text too.
    Text,
    /// It is left out: it counts the part's bytes.
    Gone,
}

impl PartHead {
    /// Takes one header, with the lines that continue it, and says what becomes of it.
    pub(super) fn take(&mut self, header: &[u8]) -> Header {
        let (name, value) = name_and_value(header);
        // Readers that know of no continued lines would read another header here.
        let mut more = header.split(|byte| *byte == b'\n').skip(1);
        self.unclear |= more.any(|line| name_and_value(line).0.starts_with("content-"));
        match name.as_str() {
            "content-type" => self.content_type(&value),
            "content-transfer-encoding" => {
                self.encoded |= !["7bit", "8bit", "binary"].contains(&value.as_str());
            }
            "content-encoding" => self.encoded |= value != "identity",
            "content-disposition" => return Header::Text,
            "content-length" | "content-md5" | "digest" | "content-digest" | "repr-digest" => {
                return Header::Gone;
            }
            _ => {}
        }
        Header::Same
    }

    fn content_type(&mut self, value: &str) {
        let (media, parameters) = value.split_once(';').unwrap_or((value, ""));
        let media = media.trim();
        self.unclear |= media.is_empty() || self.media.is_some();
        self.media = Some(media.to_owned());
        self.encoded |= !is_searchable(parameters);
    }

    /// The media type, in lower case and without parameters; `None` if it is not clear.
    pub(super) fn media(&self) -> Option<&str> {
        // RFC 2046, section 5.1.
        let media = self.media.as_deref().unwrap_or("text/plain");
        (!self.unclear).then_some(media)
    }

    /// Whether its text stands there as it is.
    pub(super) fn is_searchable(&self) -> bool {
        !self.encoded
    }
}

/// The headers in a part's head, each with the lines that continue it (RFC 5322, section 2.2.3).
pub(super) fn headers(head: &[u8]) -> Vec<&[u8]> {
    let mut found = Vec::new();
    let mut rest = head;
    while !rest.is_empty() {
        let mut ends = memchr::memchr_iter(b'\n', rest).map(|at| at + 1);
        let ends_here = |end: &usize| !matches!(rest.get(*end), Some(b' ' | b'\t'));
        let end = ends.find(ends_here).unwrap_or(rest.len());
        let (header, later) = rest.split_at(end);
        found.push(header);
        rest = later;
    }
    found
}

/// Both in lower case and without blanks around them.
fn name_and_value(header: &[u8]) -> (String, String) {
    let mut parts = header.splitn(2, |byte| *byte == b':');
    let mut next = || {
        let part = String::from_utf8_lossy(parts.next().unwrap_or_default());
        part.trim().to_ascii_lowercase()
    };
    (next(), next())
}

/// Whether parameters of a content-type, in lower case, name no encoding, or one in which a search
/// for ASCII finds what is there.
fn is_searchable(parameters: &str) -> bool {
    let Some((_, behind)) = parameters.split_once("charset") else {
        return true;
    };
    // What is said twice, or in a way that is not read here, some reader may read in another way.
    let Some(value) = behind.trim_start().strip_prefix('=') else {
        return false;
    };
    let value = value.trim_start();
    let (name, more) = match value.strip_prefix('"') {
        Some(quoted) => quoted.split_once('"').unwrap_or((quoted, "")),
        None => value.split_once(';').unwrap_or((value, "")),
    };
    keeps_ascii(name.trim()) && !more.contains("charset")
}
