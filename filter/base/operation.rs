//! The names of operations: what a request can ask for, in every dialect.

use crate::glob::Glob;
use crate::policy::{Form, Node, list_of};

/// Every operation that a route or a policy can name.
pub const OPERATIONS: &[&str] = &[
    "inference.chat",
    "inference.completion",
    "inference.generate",
    "inference.count",
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
    "data.export",
    "data.delete",
    "tool.list",
    "tool.call",
    "health",
    "server.configure",
    UNKNOWN,
];

/// What no dialect's catalog has a name for.
pub const UNKNOWN: &str = "unknown";

/// Operations that only look at something, or work something out.
const LOOKS: &[&str] = &[
    "inference.chat",
    "inference.completion",
    "inference.generate",
    "inference.count",
    "embedding.create",
    "rerank",
    "moderation",
    "model.list",
    "model.export",
    "file.read",
    "data.query",
    "data.export",
    "tool.list",
    "health",
];

/// Whether an operation changes something, so that to do it twice is not the same as once; of what
/// nobody knows, too.
#[must_use]
pub fn changes(operation: &str) -> bool {
    !LOOKS.contains(&operation)
}

/// The model that a request is about.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Model {
    /// None: the request is about something else.
    Nothing,
    /// One that is not named, or whose name can't be told: the server chooses.
    #[default]
    Unnamed,
    /// The one of this name.
    Named(String),
}

impl Model {
    /// Its name.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        match self {
            Self::Named(name) => Some(name),
            Self::Nothing | Self::Unnamed => None,
        }
    }
}

/// The name in [`OPERATIONS`] that a text is.
#[must_use]
pub fn operation(text: &str) -> Option<&'static str> {
    OPERATIONS.iter().copied().find(|name| *name == text)
}

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
