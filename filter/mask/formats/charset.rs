//! Encodings of text, by what a search for ASCII finds in them.

/// Encodings of UTF-8's kind, by their names.
const UTF_8: [&str; 4] = ["utf-8", "utf8", "us-ascii", "ascii"];

/// What the names of encodings begin with whose bytes below 128 are ASCII, always.
const FAMILIES: [&str; 4] = ["iso-8859-", "iso_8859-", "windows-125", "koi8-"];

/// Whether an encoding of this name, in lower case, is UTF-8 or ASCII, which is a part of that.
#[must_use]
pub fn is_utf8(charset: &str) -> bool {
    UTF_8.contains(&charset)
}

/// Whether an ASCII byte means that character wherever it stands, in an encoding of this name, in
/// lower case: in UTF-16 it doesn't, and what is written there would be found by nobody.
#[must_use]
pub fn keeps_ascii(charset: &str) -> bool {
    is_utf8(charset)
        || charset == "latin1"
        || FAMILIES.iter().any(|family| charset.starts_with(family))
}
