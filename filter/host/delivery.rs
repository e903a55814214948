//! Pieces of bodies that are held, and the tick that lets them go.
//!
//! Behind a piece that a tick let go, Envoy puts the next one into the buffer of held pieces before
//! it asks. Only holding that one as well keeps it in its place: told to go on, Envoy sends what
//! comes later first, or nothing of it at all. So once a tick has let a piece of a body go, all the
//! others wait for a tick too.

use core::cell::{Cell, RefCell};
use std::rc::Rc;

use super::api::{Direction, Host};

/// Where the pieces of a body that have been dealt with are.
///
/// Where trailers may follow a response's body, nothing can be written behind a piece that went on:
/// so a piece is held while something of it is undecided, and a tick lets it go. Envoy still takes
/// bytes in the trailers callback after that, as long as the piece before was held.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Delivery {
    /// The last piece went on at once.
    #[default]
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

/// Where the pieces of a stream's two bodies are.
#[derive(Debug, Default)]
pub(super) struct Pieces {
    pub(super) request: Cell<Delivery>,
    pub(super) response: Cell<Delivery>,
}

impl Pieces {
    /// Nothing of the stream is let go any more.
    pub(super) fn end(&self) {
        self.request.set(Delivery::Over);
        self.response.set(Delivery::Over);
    }

    fn of(&self, direction: Direction) -> &Cell<Delivery> {
        match direction {
            Direction::Request => &self.request,
            Direction::Response => &self.response,
        }
    }
}

/// What the next tick lets go.
#[derive(Default)]
pub(super) struct Due(RefCell<Vec<(u32, Direction, Rc<Pieces>)>>);

impl Due {
    pub(super) fn is_empty(&self) -> bool {
        self.0.borrow().is_empty()
    }

    pub(super) fn add(&self, context: u32, direction: Direction, pieces: Rc<Pieces>) {
        self.0.borrow_mut().push((context, direction, pieces));
    }

    pub(super) fn release(&self, host: &impl Host) {
        let due = core::mem::take(&mut *self.0.borrow_mut());
        for (context, direction, pieces) in due {
            let delivery = pieces.of(direction);
            let held = matches!(delivery.get(), Delivery::Held | Delivery::Ending);
            // The host doesn't know a stream whose memory is gone.
            if held && host.act_for(context).is_ok() && host.resume(direction).is_ok() {
                delivery.set(Delivery::Released);
            }
        }
    }
}
