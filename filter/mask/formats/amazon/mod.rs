//! AWS's event streams (`application/vnd.amazon.eventstream`): messages with headers, a payload, and
//! checksums, as Bedrock streams all of its answers and SageMaker its endpoints'.
//!
//! ```text
//! total length, 4 bytes | length of the headers, 4 | CRC-32 of these, 4
//! headers: length of the name, 1 | name | type of the value, 1 | value
//! payload
//! CRC-32 of everything in front of it, 4
//! ```
//!
//! Numbers begin with their most significant byte. The encoding is that of Smithy's "Amazon Event
//! Stream Specification"; what Bedrock puts into it is in its API reference, and what clients take
//! in botocore's `eventstream.py`.
//!
//! A message is held until it is complete, since its checksum comes last, and then until its texts
//! are decided, as in `events`. Then lengths and checksums are made right again; a message in
//! which nothing changed is the same, byte for byte. By its headers, a payload is:
//!
//! | `:content-type` | read as |
//! |---|---|
//! | JSON, or none | JSON whose texts go on in other messages. The string `bytes` of a `chunk` is base64 of a payload of its own: JSON as the model's server streams it or, from agents, a text that goes on |
//! | `application/octet-stream` | pieces of one body, cut anywhere: what the response's head says of it (SageMaker's `x-amzn-sagemaker-content-type`), or JSON |
//! | `text/plain` | a piece of a text |
//! | HTML and XML | a text of its own |
//! | sound, pictures, fonts | no text |
//!
//! Everything else, and every message that some client would refuse, is an error. Headers with
//! strings are texts, but for those that say what a message is.
//!
//! # What it can't
//! - A message of more than 4 MiB is refused; Bedrock's have some hundred bytes, or a picture.
//! - Of a body in pieces, what waits leaves with a later message; a message of which nothing is left
//!   is left out, and what waits at the end has a message of its own. The text in it is the same.
//! - Which strings of JSON go on in other messages is told by their names and places, as in `events`.
//! - Messages that sign others (`:chunk-signature`) have payloads that are messages; no server
//!   sends them, and they are refused.

mod body;
pub(super) mod frame;
mod headers;
mod payload;

#[cfg(test)]
mod tests;

pub(super) use body::AmazonEvents;
