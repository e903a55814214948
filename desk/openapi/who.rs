//! Who may call what.

/// Who may call.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Who {
    /// A filter.
    Filter,
    /// A reviewer.
    Reviewer,
    /// Each of both.
    Either,
}
