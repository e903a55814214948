//! What a value of an answer is, as far as a mask may treat it in a way of its own.

/// What a value of an answer is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Class {
    /// What the caller asked for, and everything that nobody said anything else of.
    #[default]
    Text,
    /// What the model thought.
    Reasoning,
    /// What the model thought, as its provider has signed it: to be sent back as it is.
    Signed,
    /// The arguments of a tool's call, and what the tool gave.
    Arguments,
    /// Sources that the answer names.
    Citations,
    /// No text: a picture or sound in base64, a vector, a signature, an id.
    Data,
    /// A file in base64, which may be one of text.
    File,
    /// Numbers of a type that has no strings.
    Numbers,
}

impl Class {
    /// All of them.
    pub(crate) const ALL: [Self; 8] = [
        Self::Text,
        Self::Reasoning,
        Self::Signed,
        Self::Arguments,
        Self::Citations,
        Self::Data,
        Self::File,
        Self::Numbers,
    ];

    /// The class that a layout calls so.
    pub(crate) fn named(name: &str) -> Option<Self> {
        Some(match name {
            "text" => Self::Text,
            "reasoning" => Self::Reasoning,
            "signed" => Self::Signed,
            "arguments" => Self::Arguments,
            "citations" => Self::Citations,
            "data" => Self::Data,
            "file" => Self::File,
            "numbers" => Self::Numbers,
            _ => return None,
        })
    }
}
