//! Requests that wait for keys.

use core::cell::RefCell;
use core::time::Duration;
use std::rc::{Rc, Weak};

use super::api::Host;

/// More requests than this don't wait in one worker: the next is refused at once.
const MOST: usize = 512;

/// Somebody who waits for keys.
pub(super) trait Awaits {
    /// There may be new ones, or it has waited for long enough.
    fn keys_renewed(&mut self);
}

struct Waiting {
    context: u32,
    until: Duration,
    stream: Weak<RefCell<dyn Awaits>>,
}

/// The waiting room of one configuration in one worker.
pub(super) struct Room(RefCell<Vec<Waiting>>);

impl Room {
    pub(super) fn new() -> Self {
        Self(RefCell::new(Vec::new()))
    }

    pub(super) fn has_place(&self) -> bool {
        self.0.borrow().len() < MOST
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.borrow().is_empty()
    }

    /// `until` is since 1970.
    pub(super) fn enter(&self, context: u32, until: Duration, stream: Weak<RefCell<dyn Awaits>>) {
        self.0.borrow_mut().push(Waiting {
            context,
            until,
            stream,
        });
    }

    /// Takes out who has waited for long enough, or all; those that are gone go as well.
    pub(super) fn leave(&self, now: Duration, all: bool) -> Vec<(u32, Rc<RefCell<dyn Awaits>>)> {
        let mut room = self.0.borrow_mut();
        let mut out = Vec::new();
        room.retain(|one| match one.stream.upgrade() {
            None => false,
            Some(stream) if all || one.until <= now => {
                out.push((one.context, stream));
                false
            }
            Some(_) => true,
        });
        out
    }
}

/// Makes each stream the current one and lets it try again.
pub(super) fn wake(host: &impl Host, streams: Vec<(u32, Rc<RefCell<dyn Awaits>>)>) {
    for (context, stream) in streams {
        // The host doesn't know a stream whose memory is gone.
        if host.act_for(context).is_ok()
            && let Ok(mut stream) = stream.try_borrow_mut()
        {
            stream.keys_renewed();
        }
    }
}
