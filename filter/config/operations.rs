//! The names of operations that rules can speak of.

use super::glob::Glob;
use super::reader::{Node, list_of};

/// Every operation, in the order in which the architecture lists them.
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
    "unknown",
];

/// A list of operations, or of globs that fit some.
pub(super) fn read(list: &Node<'_>) -> Vec<Glob> {
    list.non_empty_array()
        .iter()
        .filter_map(|item| {
            let glob = Glob::new(item.string()?);
            if OPERATIONS.iter().any(|name| glob.matches(name)) {
                return Some(glob);
            }
            item.expected(format!("{}, or a glob that fits some", list_of(OPERATIONS)));
            None
        })
        .collect()
}
