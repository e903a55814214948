//! The names of operations: what a request can ask for, in every dialect.

use crate::glob::Glob;
use crate::policy::{Form, Node, list_of};

/// Every operation that a route or a policy can name.
pub const OPERATIONS: &[&str] = &[
    "inference.chat",
    "inference.completion",
    "inference.generate",
    "embedding.create",
    "rerank",
    "moderation",
    "model.list",
    "model.export",
    "model.load",
    "model.unload",
    "model.delete",
    "model.tune",
    "file.read",
    "file.write",
    "data.ingest",
    "data.query",
    "data.delete",
    "health",
    UNKNOWN,
];

/// What no dialect's catalog has a name for.
pub const UNKNOWN: &str = "unknown";

/// A list of operations, or of globs that fit some.
pub static OPERATION_GLOBS: Form = Form::list(&OPERATION_GLOB).named("operations");

static OPERATION_GLOB: Form = Form::text("an operation, or a glob that fits some");

/// Reads a list of operations.
#[must_use]
pub fn operation_globs(list: &Node<'_>) -> Vec<Glob> {
    list.items()
        .iter()
        .filter_map(|item| {
            let glob = Glob::new(item.text()?);
            if OPERATIONS.iter().any(|name| glob.matches(name)) {
                return Some(glob);
            }
            item.expected(format!("{}, or a glob that fits some", list_of(OPERATIONS)));
            None
        })
        .collect()
}
