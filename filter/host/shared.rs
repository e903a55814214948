//! What the streams of one configuration share.

use core::cell::{Cell, RefCell};
use core::time::Duration;
use std::rc::{Rc, Weak};

use super::api::{Direction, Host};
use super::body_access::{AwaitsBody, BodyAccess};
use super::delivery::{Due, Pieces};
use super::keys::Keys;
use super::memory::Memory;
use super::random::Random;
use super::waiting::{self, Awaits, Room};
use crate::exchange::{CompiledPolicy, Native};

/// What a configuration's streams share.
pub(super) struct Shared<H> {
    pub(super) host: H,
    pub(super) compiled: Rc<CompiledPolicy>,
    /// The host's own cryptography.
    pub(super) native: Box<dyn Native>,
    /// This VM's name in records.
    pub(super) worker: Rc<str>,
    /// For names.
    pub(super) random: Random,
    /// This VM's memory.
    pub(super) memory: Memory,
    records: Cell<u64>,
    /// Held pieces of bodies that the next tick lets go.
    due: Due,
    keys: Keys,
    waiting: Room,
    /// Whether bodies come while heads wait.
    pub(super) body_access: BodyAccess,
    /// Milliseconds between ticks; 0 without any.
    period: Cell<u32>,
}

/// How long a piece that is held for its trailers waits: the host's clock has millisecond steps.
const TICK: u32 = 1;

/// Milliseconds between two looks at heads that wait for their bodies.
const WATCHING: u32 = 10;

impl<H: Host> Shared<H> {
    pub(super) fn new(host: H, compiled: CompiledPolicy, native: Box<dyn Native>) -> Self {
        let random = Random::new();
        let shared = Self {
            keys: Keys::new(&compiled),
            compiled: Rc::new(compiled),
            native,
            worker: random.hex::<8>(&host).into(),
            random,
            memory: Memory::watch(&host),
            records: Cell::new(0),
            due: Due::default(),
            waiting: Room::new(),
            body_access: BodyAccess::new(),
            period: Cell::new(0),
            host,
        };
        shared.set_pace(Duration::ZERO);
        shared
    }

    /// Whether one more request may wait for keys.
    pub(super) fn may_wait(&self) -> bool {
        self.waiting.has_place()
    }

    /// Lets a request wait for keys, until a time since 1970 at the latest.
    pub(super) fn await_keys(
        &self,
        context: u32,
        until: Duration,
        stream: Weak<RefCell<dyn Awaits>>,
    ) {
        self.waiting.enter(context, until, stream);
        self.keys.look_soon();
        self.tick_within(TICK);
    }

    /// Makes sure that the current stream, whose head waits, does not wait for its body in vain.
    pub(super) fn await_body(
        &self,
        context: u32,
        direction: Direction,
        stream: Weak<RefCell<dyn AwaitsBody>>,
    ) {
        if self
            .body_access
            .watch(&self.host, context, direction, stream)
        {
            self.tick_within(WATCHING);
        }
    }

    /// Everything that a tick is for.
    pub(super) fn tick(&self) {
        let host = &self.host;
        self.due.release(host);
        // Without the time nothing can be told to be due: the next tick tries again.
        let Ok(now) = host.now() else { return };
        let renewed = self.keys.tend(host, &self.compiled, now);
        waiting::wake(host, self.waiting.leave(now, renewed));
        for (context, stream) in self.body_access.look(host) {
            // The host doesn't know a stream whose memory is gone.
            if host.act_for(context).is_ok()
                && let Ok(mut stream) = stream.try_borrow_mut()
            {
                stream.body_withheld();
            }
        }
        self.set_pace(now);
    }

    /// Takes the answer to a call of the root's.
    pub(super) fn answered(&self, token: u32, headers: usize, size: usize) {
        // What came at time zero is taken for old, and fetched anew.
        let now = self.host.now().unwrap_or_default();
        let answer = (token, headers, size);
        self.keys.answered(&self.host, &self.compiled, answer, now);
        self.tick_within(TICK);
    }

    /// Makes sure that a tick comes within this many milliseconds.
    fn tick_within(&self, milliseconds: u32) {
        let period = self.period.get();
        if period == 0 || period > milliseconds {
            self.period.set(milliseconds);
            let _ = self.host.tick_every(milliseconds);
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
        let due = (!self.due.is_empty()).then_some(TICK);
        let waiting = (!self.waiting.is_empty()).then_some(WAITING);
        let watching = self.body_access.is_watching().then_some(WATCHING);
        let period = [pause, due, waiting, watching].into_iter().flatten().min();
        let period = period.unwrap_or(0);
        if self.period.replace(period) != period {
            let _ = self.host.tick_every(period);
        }
    }

    pub(super) fn next_record(&self) -> u64 {
        let number = self.records.get().saturating_add(1);
        self.records.set(number);
        number
    }

    /// Lets a body that is held now go on at the next tick.
    pub(super) fn release_soon(&self, context: u32, direction: Direction, pieces: Rc<Pieces>) {
        self.due.add(context, direction, pieces);
        self.tick_within(TICK);
    }
}
