//! What is for the desk to say.

/// Members of a [`View`](super::View) that stand beside those of its question.
pub(super) const DESKS_OWN: [&str; 18] = [
    "id",
    "state",
    "reason",
    "reviewer",
    "created",
    "expires",
    "decided",
    "used",
    "filter",
    "requester",
    "decisions",
    "claims",
    "waiting",
    "reasons",
    "asks_for",
    "group",
    "models",
    "calendar",
];
