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
    /// What has come of this stream.
    pub arrived: &'a dyn Arrived,
    /// Whether there is room for one more request that waits for keys.
    pub may_wait: bool,
    /// Whether the host hands over a body while its head waits.
    pub bodies: Bodies,
}

impl World<'_> {
    /// Whether a head may wait for its body, as far as is known.
    pub(super) fn bodies_come(self) -> bool {
        self.bodies != Bodies::Withheld
    }
}

/// Whether the host hands over bodies while heads wait.
///
/// Envoy does so only with `allow_on_headers_stop_iteration: true` in the plugin's configuration,
/// and no host call tells. Without it, a head that waits for its body waits for ever.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Bodies {
    /// No head has waited for a body so far.
    #[default]
    Unknown,
    /// A body was delivered while its head was paused.
    HandedOver,
    /// A body came to the host while its head was paused, and was not delivered.
    Withheld,
}

/// What has reached the host of a stream, whether or not it was delivered to the filter. Each question
/// is a host call, so it is asked only until it is known whether bodies are delivered.
pub trait Arrived {
    /// Whether more of the request has come since [`super::Effect::MarkRequest`].
    fn has_more_of_request(&self) -> bool;

    /// Whether all of the answer has come.
    fn is_answered(&self) -> bool;
}

/// An [`Arrived`] that reports nothing more than what was delivered, for tests and tools.
#[derive(Clone, Copy, Debug)]
pub struct NothingElse;

impl Arrived for NothingElse {
    fn has_more_of_request(&self) -> bool {
        false
    }

    fn is_answered(&self) -> bool {
        false
    }
}

/// Names an exchange in its record.
#[derive(Clone, Debug)]
pub struct Name {
    /// The exchange's own id.
    pub id: String,
    /// The VM's id.
    pub worker: Rc<str>,
}
