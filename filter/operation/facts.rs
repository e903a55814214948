//! What a body says that rules and quotas ask for.

use super::catalog::Shape;
use super::json_facts;
use super::tensors;

/// What is known of a request from its body.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Facts {
    /// The model that is asked for.
    pub model: Option<String>,
    /// How many predictions are asked for; at least 1.
    pub items: u64,
}

/// Why no facts could be taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FactsError {
    /// The body isn't what its route takes. The text says where, and quotes nothing of it.
    Malformed(String),
    /// This version can't read this kind of body.
    NotReadable(&'static str),
}

/// What is said of a request whose body is a stream.
pub const STREAMED: &str = "A streamed request can't be judged by its body.";

/// The longest name of a model, in bytes: it is kept as long as the request waits.
pub(super) const MAX_MODEL_BYTES: usize = 4096;

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

/// A name of a model, if it is short enough to be one.
pub(super) fn model(name: &str) -> Result<String, FactsError> {
    if name.len() > MAX_MODEL_BYTES {
        return Err(malformed(
            "The name of the model is longer than 4096 bytes.",
        ));
    }
    Ok(name.to_owned())
}

pub(super) fn malformed(message: &str) -> FactsError {
    FactsError::Malformed(message.to_owned())
}
