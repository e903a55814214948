//! What an exchange is given besides its events.

use core::time::Duration;
use std::rc::Rc;

use crate::identity::Native;
use crate::shared::Shared;

/// What an exchange may use of the world besides its events.
#[derive(Clone, Copy)]
pub struct World<'a> {
    /// The time since 1970.
    pub now: Duration,
    /// What all workers share.
    pub shared: &'a dyn Shared,
    /// The host's cryptography.
    pub native: &'a dyn Native,
    /// Whether there is room for one more request that waits for keys.
    pub may_wait: bool,
    /// Whether the host hands over a body while its head waits, as far as is known.
    pub bodies_come: bool,
}

/// Names an exchange in its record.
#[derive(Clone, Debug)]
pub struct Name {
    /// The exchange's own id.
    pub id: String,
    /// The VM's id.
    pub worker: Rc<str>,
}
