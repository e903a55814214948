//! How a body carries text.

use crate::limits::Limits;
use coding::Coding;
use mask::{Format, Framing, Layout};

/// What is in a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(
    not(target_arch = "wasm32"),
    expect(
        clippy::large_enum_variant,
        reason = "there is one for each head, and not for long"
    )
)]
pub(in crate::exchange) enum Content {
    /// Text, carried like this.
    Text(TextForm),
    /// No text.
    NoText,
}

/// How a body carries text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::exchange) struct TextForm {
    /// How it is encoded as a whole.
    pub(in crate::exchange) coding: Option<Coding>,
    /// How it carries text once it is decoded.
    pub(in crate::exchange) format: Format,
    /// What else is known of it.
    pub(in crate::exchange) framing: Framing,
}

impl TextForm {
    /// A body that is not encoded, and has no frames.
    pub(super) fn plain(format: Format) -> Self {
        Self {
            coding: None,
            format,
            framing: Framing::default(),
        }
    }

    /// The same in a dialect in which this is said of its bodies.
    pub(in crate::exchange) fn with(mut self, layout: Option<&'static Layout>) -> Self {
        self.framing.layout = layout;
        self
    }

    /// The same with no longer events than these limits have, nor more that is held.
    pub(in crate::exchange) fn within(mut self, limits: &Limits) -> Self {
        self.framing.most = usize::try_from(limits.stream_event).unwrap_or(usize::MAX);
        self.framing.most_held = usize::try_from(limits.held_answer).unwrap_or(usize::MAX);
        self
    }
}
