//! One request and its response, as Envoy's callbacks tell of them.

mod effects;
mod request;
mod response;
pub(super) mod settle;

use core::cell::RefCell;
use core::time::Duration;
use std::rc::{Rc, Weak};

use super::api::{Action, CallEnd, Host, Level};
use super::arrived::HostArrived;
use super::calls::Calls;
use super::closing::Attributes;
use super::place::Place;
use super::random;
use super::seldom::FAILURES;
use super::store::SharedData;
use super::vm::{Sleeper, Vm};
use crate::exchange::{
    Direction, Effect, Event, Exchange, Flow, Name, Outcome, Purpose, Reply, World,
};
use crate::keeper::{self, Told};
use settle::{Failure, settle};

pub(in crate::host) struct Stream<H: Host> {
    host: H,
    context: u32,
    vm: Option<Rc<Vm<H>>>,
    exchange: Option<Exchange>,
    calls: Calls<Purpose>,
    /// Whether a reply was sent: Envoy takes one a stream.
    replied: bool,
    /// Bytes of the request's body that Envoy holds.
    request_held: usize,
    /// Bytes of the request that had come when the exchange marked them.
    marked: u64,
    /// Bytes at the front of Envoy's response buffer that are dealt with.
    response_done: usize,
    /// Whether the end of a response came by.
    answered: bool,
    /// The record's number, once it has one.
    number: Option<u64>,
    /// When the last event came, since 1970.
    now: Duration,
    /// Whether the keeper knows of it.
    known: bool,
    /// For the keeper.
    itself: Weak<RefCell<Self>>,
}

/// The gRPC status of what may be well later.
const UNAVAILABLE: u8 = 14;

impl<H: Host> Stream<H> {
    pub(in crate::host) fn new(
        host: H,
        context: u32,
        vm: Option<Rc<Vm<H>>>,
        itself: Weak<RefCell<Self>>,
    ) -> Self {
        let exchange = vm.as_ref().map(|vm| {
            let name = Name {
                id: vm.random.hex::<16>(&vm.host),
                worker: Rc::clone(&vm.worker),
            };
            let seals = vm.compiled.seals();
            let seed = seals.then(|| random::bytes(&vm.host)).flatten();
            Exchange::new(Rc::clone(&vm.compiled), name).with_seed(seed)
        });
        Self {
            host,
            context,
            vm,
            exchange,
            calls: Calls::default(),
            replied: false,
            request_held: 0,
            marked: 0,
            response_done: 0,
            answered: false,
            number: None,
            now: Duration::ZERO,
            known: false,
            itself,
        }
    }

    fn handle(&mut self, event: Event<'_>) -> Result<Outcome, Failure> {
        if self.vm.is_some() {
            self.now = self.host.now().map_err(Failure::Host)?;
        }
        self.handle_now(event)
    }

    /// As [`Self::handle`], for what follows at once from another event.
    fn handle_now(&mut self, event: Event<'_>) -> Result<Outcome, Failure> {
        let (Some(vm), Some(exchange)) = (&self.vm, &mut self.exchange) else {
            return Err(Failure::NotConfigured);
        };
        let (may_wait, bodies) = match vm.keeper.try_borrow() {
            Ok(keeper) => (keeper.has_room(), keeper.bodies()),
            Err(_) => (false, Default::default()),
        };
        let world = World {
            now: self.now,
            shared: &SharedData(&self.host),
            native: &*vm.native,
            arrived: &HostArrived {
                host: &self.host,
                marked: self.marked,
            },
            may_wait,
            bodies,
        };
        let outcome = exchange.handle(event, world);
        vm.watch_buffers(self.now);
        vm.watch_slots(self.now);
        Ok(outcome)
    }

    /// Whether the exchange wants something.
    fn wants(&self, what: impl FnOnce(&Exchange) -> bool) -> bool {
        self.exchange.as_ref().is_some_and(what)
    }

    /// Hands over an event of a direction, and does what follows from it.
    fn act(&mut self, own: Direction, event: Event<'_>) -> Action {
        match self.handle(event) {
            Ok(outcome) => self.apply(Some(own), outcome),
            Err(failure) => self.fail(failure),
        }
    }

    fn apply(&mut self, own: Option<Direction>, outcome: Outcome) -> Action {
        match settle(self, own, outcome) {
            Ok(Flow::Continue) => Action::Continue,
            Ok(Flow::Hold) => Action::Pause,
            Err(failure) => self.fail(failure),
        }
    }

    /// Does what follows from an event from outside the directions.
    fn act_outside(&mut self, outcome: Result<Outcome, Failure>) {
        match outcome {
            Ok(outcome) => self.apply(None, outcome),
            Err(failure) => self.fail(failure),
        };
    }

    /// The last resort: nothing is known to be right, so nothing goes on.
    fn fail(&mut self, failure: Failure) -> Action {
        let line = failure.to_string();
        FAILURES.with(|told| told.log(&self.host, Level::Error, &line));
        self.reply(&Reply {
            status: 503,
            grpc_status: UNAVAILABLE,
            headers: Vec::new(),
            body: format!("portcullis: {}", failure.code()),
        });
        Action::Pause
    }

    /// Takes the answer to a call of this stream's.
    pub(in crate::host) fn call_answered(&mut self, end: CallEnd) {
        let Some((purpose, number, received)) = self.calls.take(&self.host, end) else {
            return;
        };
        let outcome = self.handle(Event::CallAnswered {
            purpose,
            number,
            answer: received.as_answer(),
        });
        self.act_outside(outcome);
    }

    /// Tells the keeper something.
    fn keep(&mut self, event: keeper::Event<'_>) {
        if let Some(vm) = &self.vm {
            if !core::mem::replace(&mut self.known, true) {
                vm.know(self.context, self.itself.clone());
            }
            vm.keep(event, self.now);
        }
    }

    /// Tells the keeper something, and is told nothing more.
    fn keep_last(&self, event: keeper::Event<'_>) {
        if let Some(vm) = &self.vm {
            vm.keep(event, self.now);
        }
    }

    /// Nothing of the stream is let go any more: Envoy takes calls for it until its memory is given
    /// back, somewhat later, and dies of one that lets it go on.
    fn forget(&mut self) {
        if core::mem::take(&mut self.known)
            && let Some(vm) = &self.vm
        {
            vm.forget(self.context);
        }
    }

    /// Tells the exchange what is known of it.
    fn tell_closing(&mut self) -> Result<Outcome, Failure> {
        let number = self.number();
        let attributes = Attributes::read(&self.host);
        let nowhere = Place::default();
        let vm = self.vm.clone();
        let place = vm.as_ref().map_or(&nowhere, |vm| vm.place());
        let closing = attributes.closing(place, true);
        self.handle_now(Event::Closing {
            number,
            closing: &closing,
        })
    }

    /// The record's number; 0 where there is none to be had.
    fn number(&mut self) -> u64 {
        if self.number.is_none()
            && let Some(vm) = &self.vm
            && let Ok(mut keeper) = vm.keeper.try_borrow_mut()
        {
            self.number = Some(keeper.number_record());
            drop(keeper);
            vm.watch_numbers(self.now);
        }
        self.number.unwrap_or_default()
    }

    /// Leaves the record's number where Envoy's log of exchanges that go on finds it: whatever ends
    /// this Envoy or this VM, one that was never written is missed.
    fn open_record(&mut self) {
        let number = self.number();
        if number > 0
            && let Some(exchange) = &mut self.exchange
        {
            let record = exchange.open_record(number);
            // Nothing depends on it.
            let _ = self.set_record(&record);
        }
    }

    pub(in crate::host) fn log(&mut self) {
        self.forget();
        if let Some(vm) = &self.vm {
            vm.memory.look(&self.host);
        }
        // A filter in front may have answered, so that no head came here.
        let number = self.number();
        // A reply here would take Envoy down; a record that can't be set is a gap.
        let attributes = Attributes::read(&self.host);
        let nowhere = Place::default();
        let vm = self.vm.clone();
        let place = vm.as_ref().map_or(&nowhere, |vm| vm.place());
        let closing = attributes.closing(place, self.answered);
        let closed = self.handle(Event::Closed {
            number,
            closing: &closing,
        });
        if let Ok(outcome) = closed {
            for effect in outcome.effects {
                match effect {
                    Effect::Record(record) => {
                        let _ = self.set_record(&record);
                    }
                    Effect::Post(call) => self.keep_last(keeper::Event::Post(*call)),
                    Effect::Count(metric, amount) => {
                        self.keep_last(keeper::Event::Counted(metric, amount));
                    }
                    _ => {}
                }
            }
        }
    }
}

impl<H: Host> Sleeper for Stream<H> {
    fn told(&mut self, what: Told, now: Duration) {
        self.now = now;
        let outcome = self.handle_now(match &what {
            Told::Tick => Event::Tick,
            Told::KeysRenewed => Event::KeysRenewed,
            Told::Decided {
                about,
                number,
                decision,
            } => Event::Decided {
                about: *about,
                number: *number,
                decision,
            },
        });
        self.act_outside(outcome);
    }

    fn awaits(&self, token: u32) -> bool {
        self.calls.has(token)
    }

    fn take_answer(&mut self, end: CallEnd) {
        self.call_answered(end);
    }
}

impl<H: Host> Drop for Stream<H> {
    fn drop(&mut self) {
        // Envoy tells of a stream's end before the next tick, also where it logs nothing.
        self.forget();
    }
}
