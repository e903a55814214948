//! Whether Envoy hands over bodies while a head waits.
//!
//! It does so only with `allow_on_headers_stop_iteration: true` in the plugin's configuration, and
//! no host call tells. Without it, a head that waits for its body waits for ever. So, until one is
//! known to have come, each body that is waited for is watched: if it has come to Envoy and not to
//! the filter by the next tick, bodies don't come.

use core::cell::{Cell, RefCell};
use std::rc::{Rc, Weak};

use super::api::{Direction, Host, Level};

/// What is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Access {
    /// No head has waited for a body so far.
    Unknown,
    Given,
    Withheld,
}

/// A stream whose head waits for a body.
pub(super) trait AwaitsBody {
    /// Whether the head still waits, and nothing of the body has come.
    fn awaits_body(&self, direction: Direction) -> bool;

    /// The body will not come.
    fn body_withheld(&mut self);
}

struct Watched {
    context: u32,
    direction: Direction,
    /// The size of the request when its head came.
    size: u64,
    stream: Weak<RefCell<dyn AwaitsBody>>,
}

/// As many streams are watched at once; one is enough to find out.
const MAX_WATCHED: usize = 64;

/// What the streams of one configuration know of it.
pub(super) struct BodyAccess {
    access: Cell<Access>,
    watched: RefCell<Vec<Watched>>,
}

impl BodyAccess {
    pub(super) fn new() -> Self {
        Self {
            access: Cell::new(Access::Unknown),
            watched: RefCell::default(),
        }
    }

    /// Whether a head may wait for its body.
    pub(super) fn may_wait(&self) -> bool {
        self.access.get() != Access::Withheld
    }

    /// A body came while its head waited.
    pub(super) fn came(&self) {
        if self.access.get() == Access::Unknown {
            self.access.set(Access::Given);
            self.watched.borrow_mut().clear();
        }
    }

    /// Whether somebody is watched, so that ticks are needed.
    pub(super) fn is_watching(&self) -> bool {
        !self.watched.borrow().is_empty()
    }

    /// Watches the current stream, if there is something to find out; says whether it does.
    pub(super) fn watch(
        &self,
        host: &impl Host,
        context: u32,
        direction: Direction,
        stream: Weak<RefCell<dyn AwaitsBody>>,
    ) -> bool {
        let mut watched = self.watched.borrow_mut();
        if self.access.get() != Access::Unknown || watched.len() >= MAX_WATCHED {
            return false;
        }
        watched.push(Watched {
            context,
            direction,
            size: request_size(host),
            stream,
        });
        true
    }

    /// Looks at those who wait, and gives those that will wait in vain.
    pub(super) fn look(&self, host: &impl Host) -> Vec<(u32, Rc<RefCell<dyn AwaitsBody>>)> {
        let mut watched = self.watched.borrow_mut();
        let mut withheld = false;
        watched.retain(|one| match one.stream.upgrade() {
            Some(stream) if awaits(&stream, one.direction) => {
                withheld |= host.act_for(one.context).is_ok() && one.has_come(host);
                true
            }
            _ => false,
        });
        if !withheld {
            return Vec::new();
        }
        self.access.set(Access::Withheld);
        host.log(
            Level::Error,
            "portcullis: bodies don't come while their heads wait, so whatever needs one is \
             answered with 503 stop_iteration_off. Set allow_on_headers_stop_iteration: true in \
             the plugin's configuration (where that can't be said, as in Istio's WasmPlugin and \
             Envoy Gateway's EnvoyExtensionPolicy, use an EnvoyFilter or EnvoyPatchPolicy)",
        );
        watched
            .drain(..)
            .filter_map(|one| Some((one.context, one.stream.upgrade()?)))
            .collect()
    }
}

fn awaits(stream: &Rc<RefCell<dyn AwaitsBody>>, direction: Direction) -> bool {
    stream
        .try_borrow()
        .is_ok_and(|stream| stream.awaits_body(direction))
}

impl Watched {
    /// Whether some of the body, or the whole answer, has come to Envoy.
    fn has_come(&self, host: &impl Host) -> bool {
        match self.direction {
            Direction::Request => request_size(host) > self.size,
            // There is no count of an answer's bytes before they are sent. How long the upstream
            // took is known once it has sent its last one.
            Direction::Response => host
                .property(&["response", "backend_latency"])
                .is_ok_and(|value| !value.is_empty()),
        }
    }
}

/// Bytes of the current stream's request, its headers among them.
fn request_size(host: &impl Host) -> u64 {
    let value = host
        .property(&["request", "total_size"])
        .unwrap_or_default();
    value
        .first_chunk::<8>()
        .map_or(0, |bytes| u64::from_le_bytes(*bytes))
}
