//! Which media types have text, and how they carry it.

use super::Format;

/// What a media type says of a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Media {
    /// It carries text like this.
    Text(Format),
    /// It has no text: sound, pictures, fonts.
    NoText,
    /// It may have text that is not read.
    Unknown,
}

/// JSON, one value a line; of a sequence (RFC 7464), a mark in front of each.
const LINES: [&str; 14] = [
    "application/stream+json",
    "application/x-json-stream",
    "application/json-seq",
    "application/x-ndjson",
    "application/ndjson",
    "application/jsonl",
    "application/jsonlines",
    "application/x-jsonlines",
    "application/x-jsonl",
    "application/json-lines",
    "application/x-json-lines",
    "text/jsonl",
    "text/ndjson",
    "text/x-ndjson",
];

/// Text whose types don't begin with `text/`.
const TEXTS: [&str; 9] = [
    "application/yaml",
    "application/x-yaml",
    "application/toml",
    "application/javascript",
    "application/x-javascript",
    "application/ecmascript",
    "application/sql",
    "application/x-sh",
    "application/x-subrip",
];

/// Lists of what is to be played (M3U, RFC 8216), with titles and addresses.
const PLAYLISTS: [&str; 2] = ["audio/mpegurl", "audio/x-mpegurl"];

impl Format {
    /// What the media type says, in lower case and without parameters. What needs to know more
    /// than that, as gRPC and multipart bodies do, is unknown.
    #[must_use]
    pub fn of_media(media: &str) -> Media {
        if media == "text/event-stream" {
            return Media::Text(Self::Events);
        }
        if media == "application/vnd.amazon.eventstream" {
            return Media::Text(Self::AmazonEvents);
        }
        if LINES.contains(&media) {
            return Media::Text(Self::Lines);
        }
        if media == "application/json" || media.ends_with("+json") {
            return Media::Text(Self::Json);
        }
        if media == "text/html" || media == "application/xhtml+xml" {
            return Media::Text(Self::Html);
        }
        // SVG is text too, also by the name that it has by mistake.
        let xml = ["text/xml", "application/xml", "image/svg"];
        if xml.contains(&media) || media.ends_with("+xml") {
            return Media::Text(Self::Xml);
        }
        // So are lists of what is to be played.
        let listed = PLAYLISTS.contains(&media) || TEXTS.contains(&media);
        if media.starts_with("text/") || media.ends_with("+yaml") || listed {
            return Media::Text(Self::Text);
        }
        let silent = ["audio/", "image/", "video/", "font/"];
        if silent.iter().any(|kind| media.starts_with(kind)) {
            return Media::NoText;
        }
        Media::Unknown
    }
}
