//! What the streams of one configuration share, and the held pieces of their responses.

use core::cell::{Cell, RefCell};
use std::rc::Rc;

use super::calls::{self, Direction};
use super::random;
use crate::exchange::Guard;

/// Where the pieces of a response that have been dealt with are.
///
/// Where trailers may follow a body, nothing can be written behind a piece that went on: so a
/// piece is held while something of it is undecided, and a tick lets it go. Envoy still takes
/// bytes in the trailers callback after that, as long as the piece before was held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Delivery {
    /// The last piece went on at once.
    Direct,
    /// The last piece is held in Envoy's buffer.
    Held,
    /// The last piece was held, and a tick let it go.
    Released,
    /// The trailers are held, with the body's end before them.
    Ending,
    /// The stream has ended, held piece or not. Envoy takes calls for it until the stream's memory
    /// is given back, somewhat later, and dies of one that lets it go on.
    Over,
}

/// What a configuration's streams share.
pub(super) struct Shared {
    pub(super) guard: Rc<Guard>,
    /// This VM's name in records.
    pub(super) worker: String,
    records: Cell<u64>,
    /// Held pieces of responses that the next tick lets go.
    due: RefCell<Vec<(u32, Rc<Cell<Delivery>>)>>,
}

/// How long a piece that is held for its trailers waits: the host's clock has millisecond steps.
const TICK: u32 = 1;

impl Shared {
    pub(super) fn new(guard: Guard) -> Self {
        Self {
            guard: Rc::new(guard),
            worker: random::hex::<8>(),
            records: Cell::new(0),
            due: RefCell::new(Vec::new()),
        }
    }

    pub(super) fn next_record(&self) -> u64 {
        let number = self.records.get().saturating_add(1);
        self.records.set(number);
        number
    }

    /// Lets a response that is held now go on at the next tick.
    pub(super) fn release_soon(&self, context: u32, delivery: Rc<Cell<Delivery>>) {
        let mut due = self.due.borrow_mut();
        if due.is_empty() {
            let _ = calls::tick_every(TICK);
        }
        due.push((context, delivery));
    }

    /// Lets go what is due.
    pub(super) fn release(&self) {
        let due = core::mem::take(&mut *self.due.borrow_mut());
        for (context, delivery) in due {
            let held = matches!(delivery.get(), Delivery::Held | Delivery::Ending);
            // The host doesn't know a stream whose memory is gone.
            if held && calls::act_for(context).is_ok() && calls::resume(Direction::Response).is_ok()
            {
                delivery.set(Delivery::Released);
            }
        }
        if self.due.borrow().is_empty() {
            let _ = calls::tick_every(0);
        }
    }
}
