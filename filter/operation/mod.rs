//! What is being asked: the path in one form, and the operation that it names.

mod path;

#[cfg(test)]
mod tests;

use base::operation::UNKNOWN;

use crate::dialect::{self, Body, Dialect};

pub use path::{Path, PathError, normalize};

/// What a request asks for, as far as its head tells.
#[derive(Clone, Debug)]
pub struct Operation {
    /// A name of [`base::operation::OPERATIONS`].
    pub name: &'static str,
    /// How the caller wants errors.
    pub dialect: &'static Dialect,
    /// What can be told from the body.
    pub body: Body,
    /// The model, where the path names it.
    pub model: Option<String>,
}

/// Names what a request asks for. `path` is normalized.
#[must_use]
pub fn name(method: &str, path: &str) -> Operation {
    let mut operation = match dialect::find(method, path) {
        Some((route, model)) => Operation {
            name: route.operation,
            dialect: route.dialect,
            body: route.body,
            model,
        },
        None => Operation {
            name: UNKNOWN,
            dialect: &dialect::OPENAI,
            body: Body::Texts,
            model: None,
        },
    };
    if dialect::is_weights(method, path) {
        operation.name = "model.export";
        operation.body = Body::Opaque;
    }
    operation
}
