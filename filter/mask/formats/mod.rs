//! Walkers: they know which parts of a body are text, and which only carry it.
//!
//! Each takes a body in pieces of any size, gives the text in it to the matcher, and writes the
//! body again with what the matcher replaced. Everything else stays byte for byte.
//!
//! | here | what it does |
//! |---|---|
//! | `walk`, `walker` | what all walkers have in common, and the choice of one by the body's format |
//! | `unsure`, `front` | bodies of whose names their beginnings may say otherwise |
//! | `body`, `json_array_stream`, `json`, `scalar`, `grammar`, `escape`, `member`, `base64` | JSON |
//! | `layout`, `opaque` | what stands where in a dialect's JSON, and strings that are no text |
//! | `media`, `charset` | what a content-type says of a body's text |
//! | `fields` | the mask's rules for single fields of JSON |
//! | `events`, `lines`, `coded_lines`, `held_line`, `entries`, `stream_event`, `event_template` | streams of events, lines or chunks |
//! | `markup`, `multipart`, `octets`, `plain`, `grpc`, `amazon`, `tensors`, `trailer` | the other formats |
//! | `rewriter`, `writing`, `output` | one text on its way through the matcher, from raw bytes to raw bytes |
//! | `texts`, `text_id`, `unknown_texts`, `pending_entries`, `entry_writer` | texts that go on from entry to entry, and the entries that wait for them |

mod amazon;
pub(super) mod base64;
mod body;
mod boundary;
mod charset;
mod coded_lines;
mod counts;
mod entries;
mod entry_writer;
mod error;
mod escape;
mod event_template;
mod events;
mod extent;
mod fields;
mod findings;
mod format;
mod front;
mod grammar;
mod grpc;
mod held_line;
mod json;
mod json_array_stream;
mod layout;
mod lines;
mod markup;
mod media;
mod member;
mod multipart;
mod octets;
mod opaque;
mod output;
mod pending_entries;
mod plain;
mod rewriter;
mod scalar;
mod stream_event;
mod tensors;
mod text_id;
mod texts;
mod trailer;
mod unknown_texts;
mod unsure;
mod walk;
mod walker;
mod writing;

#[cfg(test)]
mod tests;

pub use boundary::Boundary;
pub use charset::{is_utf8, keeps_ascii};
pub use counts::Counts;
pub use error::WalkError;
pub(super) use fields::Fields;
pub use format::{
    Format, Framing, GrpcMessage, TensorFrame, TensorList, Trailer, USUAL_ENTRY_BYTES,
    USUAL_HELD_BYTES,
};
pub use front::{Called, Front, Shape};
pub use layout::Layout;
pub use media::Media;
pub use octets::{OCTET_STREAM, Octets};
pub use walker::Walker;
