//! Reading the policy: descriptions of what may stand where, and what is read by them.
//!
//! | here | what it does |
//! |---|---|
//! | `form` | describes: keys, types, ranges, what is usual, what it is for |
//! | `node`, `object` | read a value by its form, and note what is wrong |
//! | `schema` | writes a form as JSON Schema |
//! | `reference` | writes a form as a page for people |
//!
//! A section of the policy is a `static` [`Form`] beside the function that makes its own types of
//! it. `quota/section.rs` of the filter is a short one to read first.

mod form;
mod header;
mod node;
mod object;
mod problem;
mod reference;
mod schema;
mod secret;
mod units;
mod words;

#[cfg(test)]
mod tests;

pub use form::{
    ANY_JSON, CLUSTER, FLAG, Form, GLOB, GLOBS, Key, Kind, Need, Presence, SECRET, TEXT, TEXTS,
    Usual,
};
pub use header::{HEADER, HEADER_OF_SECRET, header_name, header_token};
pub use node::{Document, Node};
pub use object::Object;
pub use problem::Problem;
pub use reference::reference;
pub use schema::schema;
pub use secret::{Environment, Resolved};
pub use units::{parse_duration, show_size};
pub use words::{last_line, list_of};
