//! What a body says that rules and quotas ask for, and why that can't be told.

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

/// The longest name of a model, in bytes: it is kept as long as the request waits.
pub(super) const MAX_MODEL_BYTES: usize = 4096;

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
