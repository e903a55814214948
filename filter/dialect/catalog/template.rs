//! One segment of a route's path.

use base::policy::header_token;

/// What a segment must be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Template {
    /// This text.
    Literal(String),
    /// Any text, with this behind it.
    Any {
        /// Whether the text names the model.
        model: bool,
        suffix: String,
    },
    /// One or two segments that name the model: `{model...}`, the last of a path.
    Name,
    /// All that follows: `{...}`, the last of a path.
    Rest,
}

impl Template {
    /// Reads one.
    pub(super) fn read(text: &str) -> Option<Self> {
        let any = |model, suffix: &str| {
            (!suffix.contains(['{', '}'])).then(|| Self::Any {
                model,
                suffix: suffix.to_owned(),
            })
        };
        if text == "{...}" {
            Some(Self::Rest)
        } else if text == "{model...}" {
            Some(Self::Name)
        } else if let Some(suffix) = text.strip_prefix("{model}") {
            any(true, suffix)
        } else if let Some(suffix) = text.strip_prefix("{}") {
            any(false, suffix)
        } else if text.contains(['{', '}']) {
            None
        } else {
            Some(Self::Literal(text.to_owned()))
        }
    }

    /// How much it says: of two that fit, the one that says more is meant.
    pub(super) fn weight(&self) -> usize {
        match self {
            Self::Literal(_) => usize::MAX,
            Self::Any { suffix, .. } => suffix.len().saturating_add(2),
            Self::Name => 1,
            Self::Rest => 0,
        }
    }
}

/// A method of a route: in upper case, or `*` for any.
pub(super) fn method(text: &str) -> Option<String> {
    let token = header_token(text)?;
    (token.to_ascii_uppercase() == text).then(|| text.to_owned())
}
