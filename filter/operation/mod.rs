//! What is being asked: the path in one form, the operation it names, and what the body says.

mod catalog;
mod facts;
mod json_facts;
mod path;
mod tensors;

#[cfg(test)]
mod tests;

pub use catalog::{Dialect, Shape, name};
pub use facts::{Facts, FactsError, STREAMED};
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

/// Takes the facts from a whole body, and hands over each text that may reach the model. Neither
/// the texts nor a tree of the body are kept: beside the body itself, that takes at most as much
/// memory again as the body has bytes.
///
/// # Errors
/// A body that isn't strict JSON, or whose members are not what the route takes: what can't be
/// read with certainty is not passed to a server that may read it in another way.
pub fn take(shape: Shape, body: &[u8], texts: &mut dyn FnMut(&str)) -> Result<Facts, FactsError> {
    match shape {
        Shape::Opaque => Ok(Facts {
            items: 1,
            ..Facts::default()
        }),
        Shape::TensorsGrpc => tensors::take(body, texts),
        Shape::TensorsGrpcStream => Err(FactsError::NotReadable(STREAMED)),
        Shape::Chat | Shape::Completion | Shape::Embedding | Shape::Texts | Shape::Tensors => {
            json_facts::take(shape, body, texts)
        }
    }
}
