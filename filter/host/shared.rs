//! What the streams of one configuration share, and the held pieces of their responses.

use core::cell::{Cell, RefCell};
use core::time::Duration;
use std::rc::{Rc, Weak};

use super::calls::{self, Direction};
use super::keys::Keys;
use super::memory::Memory;
use super::native::HostNative;
use super::random::Random;
use super::stream::Stream;
use super::waiting::{self, Room};
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
    /// Envoy's own cryptography.
    pub(super) native: HostNative,
    /// This VM's name in records.
    pub(super) worker: Rc<str>,
    /// For names.
    pub(super) random: Random,
    /// This VM's memory.
    pub(super) memory: Memory,
    records: Cell<u64>,
    /// Held pieces of responses that the next tick lets go.
    due: RefCell<Vec<(u32, Rc<Cell<Delivery>>)>>,
    keys: Keys,
    waiting: Room,
    /// Milliseconds between ticks; 0 without any.
    period: Cell<u32>,
}

/// How long a piece that is held for its trailers waits: the host's clock has millisecond steps.
const TICK: u32 = 1;

impl Shared {
    pub(super) fn new(guard: Guard, native: HostNative) -> Self {
        let random = Random::new();
        let shared = Self {
            keys: Keys::new(&guard),
            guard: Rc::new(guard),
            native,
            worker: random.hex::<8>().into(),
            random,
            memory: Memory::watch(),
            records: Cell::new(0),
            due: RefCell::new(Vec::new()),
            waiting: Room::new(),
            period: Cell::new(0),
        };
        shared.set_pace(Duration::ZERO);
        shared
    }

    /// Whether one more request may wait for keys.
    pub(super) fn may_wait(&self) -> bool {
        self.waiting.has_place()
    }

    /// Lets a request wait for keys, until a time since 1970 at the latest.
    pub(super) fn await_keys(&self, context: u32, until: Duration, stream: Weak<RefCell<Stream>>) {
        self.waiting.enter(context, until, stream);
        self.keys.look_soon();
        self.tick_within(TICK);
    }

    /// Everything that a tick is for.
    pub(super) fn tick(&self) {
        let now = calls::now();
        self.release();
        let renewed = self.keys.tend(&self.guard, now);
        waiting::wake(self.waiting.leave(now, renewed));
        self.set_pace(now);
    }

    /// Takes the answer to a call of the root's.
    pub(super) fn answered(&self, token: u32, headers: usize, size: usize) {
        self.keys.answered(&self.guard, token, headers, size);
        self.tick_within(TICK);
    }

    /// Makes sure that a tick comes within this many milliseconds.
    fn tick_within(&self, milliseconds: u32) {
        let period = self.period.get();
        if period == 0 || period > milliseconds {
            self.period.set(milliseconds);
            let _ = calls::tick_every(milliseconds);
        }
    }

    /// Sets the time until the next tick by what there is to do.
    fn set_pace(&self, now: Duration) {
        /// While requests wait for keys, their deadlines are looked at so often.
        const WAITING: u32 = 10;
        let pause = self.keys.pause(now).map(|pause| {
            u32::try_from(pause.as_millis())
                .unwrap_or(u32::MAX)
                .max(TICK)
        });
        let due = (!self.due.borrow().is_empty()).then_some(TICK);
        let waiting = (!self.waiting.is_empty()).then_some(WAITING);
        let period = [pause, due, waiting].into_iter().flatten().min();
        let period = period.unwrap_or(0);
        if self.period.replace(period) != period {
            let _ = calls::tick_every(period);
        }
    }

    pub(super) fn next_record(&self) -> u64 {
        let number = self.records.get().saturating_add(1);
        self.records.set(number);
        number
    }

    /// Lets a response that is held now go on at the next tick.
    pub(super) fn release_soon(&self, context: u32, delivery: Rc<Cell<Delivery>>) {
        self.due.borrow_mut().push((context, delivery));
        self.tick_within(TICK);
    }

    /// Lets go what is due.
    fn release(&self) {
        let due = core::mem::take(&mut *self.due.borrow_mut());
        for (context, delivery) in due {
            let held = matches!(delivery.get(), Delivery::Held | Delivery::Ending);
            // The host doesn't know a stream whose memory is gone.
            if held && calls::act_for(context).is_ok() && calls::resume(Direction::Response).is_ok()
            {
                delivery.set(Delivery::Released);
            }
        }
    }
}
