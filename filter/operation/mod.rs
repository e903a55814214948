//! What is being asked: the path in one form, the operation it names, and what the body says.

mod catalog;
mod facts;
mod json_facts;
mod path;
mod tensors;

#[cfg(test)]
mod tests;

pub use catalog::{Dialect, Shape, name};
pub use facts::{Facts, FactsError, STREAMED, take};
pub use path::{Path, PathError, normalize};

/// What a request asks for, as far as its head tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Operation {
    /// A name of [`crate::config::operations::OPERATIONS`].
    pub name: &'static str,
    /// How the caller wants errors.
    pub dialect: Dialect,
    /// What can be read of the body.
    pub body: Shape,
    /// The model, where the path names it.
    pub model: Option<String>,
}
