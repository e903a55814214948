//! One configuration in one VM: what its streams share, and its keeper's effects.

use core::cell::{Cell, OnceCell, RefCell};
use core::time::Duration;
use std::collections::{BTreeMap, VecDeque};
use std::rc::{Rc, Weak};

use super::api::{CallEnd, Host, Level};
use super::calls::Calls;
use super::metrics::{Memory, Metrics};
use super::place::Place;
use super::random::Random;
use super::store::SharedData;
use crate::call::Answer;
use crate::exchange::{CompiledPolicy, Native};
use crate::keeper::{self, Effect, Event, Keeper, Purpose, Told, World};

/// What a configuration's streams share.
pub(super) struct Vm<H: Host> {
    pub(super) host: H,
    pub(super) compiled: Rc<CompiledPolicy>,
    /// The host's own cryptography.
    pub(super) native: Box<dyn Native>,
    /// This VM's name in records.
    pub(super) worker: Rc<str>,
    /// Where it is, once a stream has been asked.
    place: OnceCell<Place>,
    /// For names.
    pub(super) random: Random,
    /// This VM's memory.
    pub(super) memory: Memory,
    pub(super) keeper: RefCell<Keeper>,
    /// The host's number for the configuration, to which the keeper's calls belong.
    root: u32,
    calls: RefCell<Calls<Purpose>>,
    metrics: RefCell<Metrics>,
    /// Streams that the keeper may have something to tell.
    sleepers: RefCell<BTreeMap<u32, Weak<RefCell<dyn Sleeper>>>>,
    /// Whether the host waits for what must still arrive before it lets the configuration go.
    lingers: Cell<bool>,
}

/// A stream, as the keeper knows it.
pub(super) trait Sleeper {
    /// Takes what the keeper says; `now` is since 1970.
    fn told(&mut self, what: Told, now: Duration);

    /// Whether it has made this call.
    fn awaits(&self, token: u32) -> bool;

    /// Takes the answer to it.
    fn take_answer(&mut self, end: CallEnd);
}

/// More effects than this don't follow from one event: each call fails at most once.
const MAX_FOLLOWED: usize = 4096;

impl<H: Host> Vm<H> {
    pub(super) fn new(
        host: H,
        root: u32,
        compiled: CompiledPolicy,
        native: Box<dyn Native>,
    ) -> Self {
        let random = Random::new();
        let compiled = Rc::new(compiled);
        let worker: Rc<str> = random.hex::<8>(&host).into();
        let vm = Self {
            keeper: RefCell::new(Keeper::new(Rc::clone(&compiled), Rc::clone(&worker))),
            compiled,
            native,
            worker,
            place: OnceCell::new(),
            random,
            memory: Memory::watch(&host),
            root,
            calls: RefCell::default(),
            metrics: RefCell::default(),
            sleepers: RefCell::default(),
            lingers: Cell::new(false),
            host,
        };
        vm.keep(Event::Started, Duration::ZERO);
        vm
    }

    /// Where it is, as the current stream says.
    pub(super) fn place(&self) -> &Place {
        self.place.get_or_init(|| Place::read(&self.host))
    }

    /// Tells the keeper of something, and does what follows from it.
    pub(super) fn keep(&self, event: Event<'_>, now: Duration) {
        let mut effects = VecDeque::from(self.handle(event, now));
        for _ in 0..MAX_FOLLOWED {
            let Some(effect) = effects.pop_front() else {
                return;
            };
            effects.extend(self.perform(effect, now));
        }
    }

    fn handle(&self, event: Event<'_>, now: Duration) -> Vec<Effect> {
        let shared = &SharedData(&self.host);
        // What an effect leads to comes back only once the keeper is done.
        match self.keeper.try_borrow_mut() {
            Ok(mut keeper) => keeper.handle(event, World { now, shared }),
            Err(_) => Vec::new(),
        }
    }

    fn perform(&self, effect: Effect, now: Duration) -> Vec<Effect> {
        match effect {
            Effect::Call(call) => {
                // An answer comes to the context that called, and a stream's ends with the stream.
                let sent = self.host.act_for(self.root).is_ok()
                    && self.calls.borrow_mut().send(&self.host, &call);
                if sent {
                    return Vec::new();
                }
                let purpose = call.purpose;
                let answer = Answer::NotSent;
                return self.handle(Event::CallAnswered { purpose, answer }, now);
            }
            Effect::Tell { exchange, what } => self.tell(exchange, what, now),
            Effect::TickEvery(period) => {
                let period = period.map_or(0, |period| {
                    u32::try_from(period.as_millis()).unwrap_or(u32::MAX).max(1)
                });
                let _ = self.host.tick_every(period);
            }
            Effect::Change(metric, by) => {
                self.metrics.borrow_mut().change(&self.host, metric, by);
            }
            Effect::Log { level, line } => {
                let level = match level {
                    keeper::Level::Warn => Level::Warn,
                    keeper::Level::Error => Level::Error,
                };
                self.host.log(level, &format!("portcullis: {line}"));
            }
        }
        Vec::new()
    }

    fn tell(&self, context: u32, what: Told, now: Duration) {
        let stream = self.sleepers.borrow().get(&context).and_then(Weak::upgrade);
        // The host doesn't know a stream whose memory is gone.
        if let Some(stream) = stream
            && self.host.act_for(context).is_ok()
            && let Ok(mut stream) = stream.try_borrow_mut()
        {
            stream.told(what, now);
        }
    }

    /// Everything that a tick is for.
    pub(super) fn tick(&self) {
        // Without the time nothing can be told to be due: the next tick tries again.
        let Ok(now) = self.host.now() else { return };
        self.keep(Event::Tick, now);
        let pace = self.keeper.borrow_mut().pace(now);
        if let Some(effect) = pace {
            self.perform(effect, now);
        }
        self.let_go();
    }

    /// The configuration is out of use. Envoy tells of that by its own callback. Whether it may go at once: if
    /// not, the host is told when it may.
    #[cfg_attr(
        not(any(test, target_arch = "wasm32")),
        expect(dead_code, reason = "only Envoy's callback calls it")
    )]
    pub(super) fn end(&self) -> bool {
        self.keep(Event::Ended, Duration::ZERO);
        let done = self.keeper.borrow().is_done();
        self.lingers.set(!done);
        done
    }

    /// Tells the host that waits for it that everything has arrived.
    fn let_go(&self) {
        let done = self
            .keeper
            .try_borrow()
            .is_ok_and(|keeper| keeper.is_done());
        if done && self.lingers.replace(false) && self.host.act_for(self.root).is_ok() {
            let _ = self.host.done();
        }
    }

    /// Sees to it that what is held of bodies is told. No host call where nothing is to be told.
    pub(super) fn watch_buffers(&self, now: Duration) {
        let keeper = self.keeper.try_borrow();
        let wants = keeper.is_ok_and(|keeper| keeper.wants_to_tell_buffers());
        if wants {
            self.keep(Event::Buffered, now);
        }
    }

    /// Sees to it that what exchanges hold of quotas is renewed. No host call where nothing is new.
    pub(super) fn watch_slots(&self, now: Duration) {
        let keeper = self.keeper.try_borrow();
        let wants = keeper.is_ok_and(|keeper| keeper.wants_to_renew_slots());
        if wants {
            self.keep(Event::Held, now);
        }
    }

    /// Sees to it that the recorder is told which numbers were given.
    pub(super) fn watch_numbers(&self, now: Duration) {
        let keeper = self.keeper.try_borrow();
        let wants = keeper.is_ok_and(|keeper| keeper.wants_to_tell_numbers());
        if wants {
            self.keep(Event::Numbered, now);
        }
    }

    /// Takes the answer to a call of the keeper's, or of a stream that made it when it was told something: the
    /// SDK brings answers to whoever Envoy called back when the call was made, which was the root then.
    pub(super) fn answered(&self, end: CallEnd) {
        let taken = self.calls.borrow_mut().take(&self.host, end);
        let Some((purpose, _, received)) = taken else {
            return self.pass_on(end);
        };
        // What came at time zero is taken for old, and fetched anew.
        let now = self.host.now().unwrap_or_default();
        let answer = received.as_answer();
        self.keep(Event::CallAnswered { purpose, answer }, now);
        self.let_go();
    }

    /// Hands an answer to the stream that made the call, if it is still there.
    fn pass_on(&self, end: CallEnd) {
        let awaits = |(context, stream): (&u32, &Weak<RefCell<dyn Sleeper>>)| {
            let stream = stream.upgrade()?;
            let awaits = stream.try_borrow().is_ok_and(|one| one.awaits(end.token));
            awaits.then_some((*context, stream))
        };
        let found = self.sleepers.borrow().iter().find_map(awaits);
        if let Some((context, stream)) = found
            && self.host.act_for(context).is_ok()
            && let Ok(mut stream) = stream.try_borrow_mut()
        {
            stream.take_answer(end);
        }
    }

    /// A stream may be told something from now on.
    pub(super) fn know(&self, context: u32, stream: Weak<RefCell<dyn Sleeper>>) {
        self.sleepers.borrow_mut().insert(context, stream);
    }

    /// A stream has ended, and is told nothing more.
    pub(super) fn forget(&self, context: u32) {
        self.sleepers.borrow_mut().remove(&context);
        let effects = match self.keeper.try_borrow_mut() {
            Ok(mut keeper) => keeper.forget(context),
            Err(_) => Vec::new(),
        };
        for effect in effects {
            self.perform(effect, Duration::ZERO);
        }
    }
}
