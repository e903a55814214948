//! The names of operations that rules can speak of.

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
