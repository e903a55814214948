//! How a refusal is said.

use base::code::Code;
use serde_json::Value;

/// Why a request or an answer ends at the filter.
#[derive(Clone, Copy, Debug)]
pub struct ApiError<'a> {
    /// The HTTP status.
    pub status: u16,
    /// One word that says why.
    pub code: Code,
    /// A sentence for people.
    pub message: &'a str,
}

/// An error as a client reads it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written {
    /// Headers that say what the body is, and what some clients look at besides.
    pub headers: Vec<(&'static str, String)>,
    /// The body.
    pub body: String,
}

/// How a stream of answers is cut into parts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stream {
    /// An event stream (WHATWG HTML, "Server-sent events").
    Events,
    /// JSON lines.
    Lines,
}

/// An event with data of one line.
pub(super) fn event(name: Option<&str>, data: &str) -> String {
    let name = name.map(|name| format!("event: {name}\n"));
    format!("{}data: {data}\n\n", name.unwrap_or_default())
}

/// For dialects in whose streams no error is said that clients raise.
pub(super) fn none_in_stream(_: &ApiError<'_>, _: Stream, _path: &str) -> Option<String> {
    None
}

impl Written {
    /// An error in JSON.
    pub(super) fn json(body: &Value) -> Self {
        Self {
            headers: vec![("content-type", "application/json".to_owned())],
            body: body.to_string(),
        }
    }

    pub(super) fn with(mut self, header: &'static str, value: impl Into<String>) -> Self {
        self.headers.push((header, value.into()));
        self
    }
}

impl ApiError<'_> {
    /// For clients that show one text: the word and the sentence.
    pub(super) fn text(&self) -> String {
        format!("{}: {}", self.code, self.message)
    }

    /// One of these, by the status: 400 and what has no word of its own, 401, 403, 413, 429, 500 and
    /// above.
    pub(super) fn one_of(&self, words: [&'static str; 6]) -> &'static str {
        let [other, unauthenticated, denied, large, many, server] = words;
        match self.status {
            401 => unauthenticated,
            403 => denied,
            413 => large,
            429 => many,
            500.. => server,
            _ => other,
        }
    }
}
