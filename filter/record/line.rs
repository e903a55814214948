//! A record's text as it grows.

use serde::Serialize;

/// Most records are no longer than this many bytes.
const USUAL: usize = 1536;

/// One JSON object. It is written for every exchange, so what is known to need no escape is not
/// searched for what does.
pub(super) struct Line(Vec<u8>);

impl Line {
    pub(super) fn begin() -> Self {
        let mut text = Vec::with_capacity(USUAL);
        // The form's version.
        text.extend_from_slice(b"{\"version\":1");
        Self(text)
    }

    fn name(&mut self, name: &str) {
        self.0.extend_from_slice(b",\"");
        self.0.extend_from_slice(name.as_bytes());
        self.0.extend_from_slice(b"\":");
    }

    /// A text of letters, digits and marks that JSON does not escape.
    pub(super) fn plain(&mut self, name: &str, text: &str) {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-:.".contains(&byte);
        if !text.bytes().all(plain) {
            return self.value(name, text);
        }
        self.name(name);
        self.0.push(b'"');
        self.0.extend_from_slice(text.as_bytes());
        self.0.push(b'"');
    }

    pub(super) fn value<T: Serialize + ?Sized>(&mut self, name: &str, value: &T) {
        self.name(name);
        // Every member is a string, a number, a list or a map of those: nothing here can fail.
        let _ = serde_json::to_writer(&mut self.0, value);
    }

    pub(super) fn end(mut self) -> String {
        self.0.push(b'}');
        String::from_utf8(self.0).unwrap_or_default()
    }
}
