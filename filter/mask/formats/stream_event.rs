//! The JSON of one event: which of its strings go on in later events, and what it ends.

mod amazon;
mod frame;
mod identity;
mod reader;
mod segment;
mod shapes;
mod string;
#[cfg(test)]
mod tests;

pub(super) use reader::{read, read_message, read_record, read_tokens};
pub(super) use segment::{End, Kind, Payload, Segment};
pub(super) use shapes::{holds_json, lists_tokens};
pub(super) use string::read_string;
