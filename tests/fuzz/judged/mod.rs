//! What must hold of every path and of every body, as functions of some bytes: the fuzz targets and
//! `tests/judged.rs` share them.
//!
//! | here | what it is |
//! |---|---|
//! | `catalog`, `samples` | the dialects' files, read without the code that is tried |
//! | `path` | what must hold of a path |
//! | `facts`, `fields`, `tree` | what must hold of JSON and forms |
//! | `messages` | what must hold of gRPC's messages and frames |

pub mod catalog;
pub mod facts;
pub mod fields;
pub mod messages;
pub mod path;
pub mod samples;
pub mod tree;
