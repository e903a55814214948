//! What looking after keys leads to.

use core::time::Duration;

use super::KeyRequest;

/// What looking after the keys leads to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tended {
    /// What is to be asked of providers. Each answer goes to [`super::Verifier::answered`].
    pub requests: Vec<KeyRequest>,
    /// Whether requests that wait for keys should ask again.
    pub renewed: bool,
    /// When to look again, from now; never, if no provider's keys are fetched.
    pub pause: Option<Duration>,
    /// How fetches of keys ended: the provider's name, and whether there was a key set.
    pub fetched: Vec<(String, bool)>,
    /// For the log.
    pub notes: Vec<String>,
}

impl Tended {
    pub(in crate::identity) fn add(&mut self, other: Self) {
        self.requests.extend(other.requests);
        self.renewed |= other.renewed;
        self.pause = match (self.pause, other.pause) {
            (Some(one), Some(other)) => Some(one.min(other)),
            (one, other) => one.or(other),
        };
        self.fetched.extend(other.fetched);
        self.notes.extend(other.notes);
    }
}
