//! What outlives an exchange, as a value: events in, effects out, time as an argument.
//!
//! A VM has one keeper for each configuration. It looks after the keys that providers publish, knows
//! which exchanges wait for them, wakes exchanges at the times that they want, remembers whether
//! bodies come while heads wait, renews what exchanges hold of quotas, tells the host of what was counted, numbers records, asks people on behalf of
//! exchanges and waits for them, asks the desk what stands there, and sends what no exchange waits for.
//! Exchanges are known to it by the host's numbers; what it tells one that is
//! gone, the host drops.

mod alarms;
mod buffered;
mod clock;
mod counts;
mod event;
mod key_duties;
mod numbers;
mod outbox;
mod questions;
mod slots;
mod standing;
mod troubles;
mod waits;

#[cfg(test)]
mod tests;

use core::time::Duration;
use std::collections::BTreeMap;
use std::rc::Rc;

pub use event::{Call, Effect, Event, Level, Purpose, Told, World};

use crate::approval::Trouble;
use crate::call::Answer;
use crate::exchange::{Bodies, CompiledPolicy};
use crate::metric::{Kind, Metric};
use alarms::Alarms;
use buffered::Buffered;
use clock::Clock;
use counts::Counts;
use key_duties::KeyDuties;
use numbers::Numbers;
use outbox::Outbox;
use questions::Questions;
use slots::Slots;
use standing::StandingDuties;
use troubles::Troubles;

/// The most exchanges that wait for keys at once; the next is refused.
const MAX_WAITING_FOR_KEYS: usize = 512;

/// The shortest time between two ticks: the host's clock has millisecond steps.
const MIN_TICK: Duration = Duration::from_millis(1);

/// What a configuration's exchanges share in one VM.
#[derive(Debug)]
pub struct Keeper {
    keys: KeyDuties,
    /// Exchanges that wait for keys.
    waiting: Vec<u32>,
    /// Whether they are to be told.
    renewed: bool,
    alarms: Alarms,
    counts: Counts,
    buffered: Buffered,
    /// What the policy says in vain, until it is told.
    warnings: Vec<String>,
    compiled: Rc<CompiledPolicy>,
    /// The policy's digest.
    digest: String,
    /// Whether the configuration is out of use: no tick is to be counted on any more, but for what must arrive.
    ended: bool,
    outbox: Outbox,
    questions: Questions,
    troubles: Troubles,
    bodies: Bodies,
    numbers: Numbers,
    standing: StandingDuties,
    slots: Slots,
    calls: u64,
    clock: Clock,
    /// Time between two ticks; `None` without any.
    period: Option<Duration>,
}

impl Keeper {
    /// A keeper of a configuration that has served nobody yet, in the VM with this id.
    #[must_use]
    pub fn new(compiled: Rc<CompiledPolicy>, worker: Rc<str>) -> Self {
        Self {
            numbers: Numbers::new(Rc::clone(&compiled), worker),
            buffered: Buffered::new(Rc::clone(&compiled)),
            digest: compiled.policy().digest.clone(),
            compiled: Rc::clone(&compiled),
            ended: false,
            keys: KeyDuties::new(Rc::clone(&compiled)),
            standing: StandingDuties::new(Rc::clone(&compiled)),
            slots: Slots::new(Rc::clone(&compiled)),
            warnings: compiled
                .warnings()
                .iter()
                .map(ToString::to_string)
                .collect(),
            waiting: Vec::new(),
            renewed: false,
            alarms: Alarms::default(),
            counts: Counts::default(),
            outbox: Outbox::default(),
            questions: Questions::new(Rc::clone(&compiled)),
            troubles: Troubles::default(),
            bodies: Bodies::default(),
            calls: 0,
            clock: Clock::default(),
            period: None,
        }
    }

    /// Takes an event and says what it leads to.
    pub fn handle(&mut self, event: Event<'_>, world: World<'_>) -> Vec<Effect> {
        let mut effects = Vec::new();
        if let Some(by) = self.clock.read(world.now) {
            self.alarms.put_back(by);
            self.counts.put_back(by);
            self.numbers.put_back(by);
            self.questions.put_back(by);
            self.outbox.put_back(by);
            self.slots.put_back(by);
            self.troubles.put_back(by);
        }
        match event {
            Event::Started => {
                for warning in core::mem::take(&mut self.warnings) {
                    let level = Level::Warn;
                    let line = format!("policy: {warning}");
                    effects.push(Effect::Log { level, line });
                }
                effects.push(Effect::Change(self.policy_vms(), 1));
                // So that there is a gauge before there is something to tell.
                effects.push(Effect::Change(Metric::BufferedBytes, 0));
                if self.compiled.policy().approvals.is_some() {
                    effects.push(Effect::Change(Metric::ApprovalsWaiting, 0));
                }
                effects.extend(self.pace(world.now));
            }
            Event::Tick => self.tick(&mut effects, world),
            Event::CallAnswered { purpose, answer } => {
                match purpose {
                    Purpose::Keys { provider } => {
                        self.keys_answered(provider, answer, &mut effects, world);
                    }
                    Purpose::Question { question } => {
                        let trouble = self.questions.answered(question, answer, world.now);
                        if let Some(trouble) = trouble {
                            self.note_trouble(trouble, &mut effects, world.now);
                        }
                    }
                    Purpose::Post { letter } => self.outbox.answered(letter, &answer, world.now),
                    Purpose::Numbers => self.numbers.answered(&answer, world.now),
                    Purpose::Standing => effects.extend(self.standing.answered(&answer, world)),
                }
                self.tick_within(MIN_TICK, &mut effects);
            }
            Event::WakeAt { exchange, at } => {
                self.alarms.set(exchange, at);
                let left = at.saturating_sub(world.now);
                self.tick_within(left.max(MIN_TICK), &mut effects);
            }
            Event::KeysWanted { exchange } => {
                if !self.waiting.contains(&exchange) {
                    self.waiting.push(exchange);
                }
                self.keys.look_soon();
                self.tick_within(MIN_TICK, &mut effects);
            }
            Event::Bodies(found) => effects.extend(self.learn(found)),
            // Each amount by itself: a sum says nothing of how they are distributed.
            Event::Counted(metric, amount) if self.ended || metric.kind() == Kind::Histogram => {
                tell_one(metric, amount, &mut effects);
            }
            Event::Counted(metric, amount) => {
                self.counts.add(metric, amount, world.now);
                self.tick_within(counts::MAX_DELAY, &mut effects);
            }
            Event::Buffered => {
                self.buffered.watch();
                self.tick_within(buffered::PERIOD, &mut effects);
            }
            Event::Held => {
                let pause = self.slots.watch(world.now);
                self.tick_within(pause, &mut effects);
            }
            Event::Numbered => {
                self.numbers.schedule(world.now);
                self.tick_within(numbers::PERIOD, &mut effects);
            }
            Event::Ended => {
                self.ended = true;
                self.standing.end();
                tell(self.counts.take_all(), &mut effects);
                self.tell_waits(&mut effects, world.now);
                let change = self.questions.waits.take_back();
                effects.extend(change.map(|by| Effect::Change(Metric::ApprovalsWaiting, by)));
                let change = self.buffered.end();
                effects.extend(change.map(|by| Effect::Change(Metric::BufferedBytes, by)));
                effects.push(Effect::Change(self.policy_vms(), -1));
                // No tick may come any more. Where the host keeps the configuration until this has
                // arrived, what doesn't is sent again.
                for post in self.questions.take_posts() {
                    effects.extend(self.outbox.add(post));
                }
                for call in self.outbox.send(Duration::MAX) {
                    let number = self.number_call();
                    effects.push(Effect::Call(call.number(number)));
                }
                if !self.is_done() {
                    self.tick_within(MIN_TICK, &mut effects);
                }
            }
            Event::Ask { exchange, ask } => {
                self.questions.ask(exchange, *ask, world.now);
                self.tick_within(MIN_TICK, &mut effects);
            }
            Event::Trouble(trouble) => self.note_trouble(trouble, &mut effects, world.now),
            Event::Post(call) => {
                effects.extend(self.outbox.add(call));
                self.tick_within(MIN_TICK, &mut effects);
            }
        }
        effects
    }

    /// The exchange is over, and is told nothing more.
    pub fn forget(&mut self, exchange: u32) -> Vec<Effect> {
        self.alarms.remove(exchange);
        self.waiting.retain(|one| *one != exchange);
        let mut effects = Vec::new();
        if self.questions.forget(exchange) {
            self.tick_within(MIN_TICK, &mut effects);
        } else if self.questions.waits.have_news() {
            self.tick_within(counts::MAX_DELAY, &mut effects);
        }
        effects
    }

    /// Whether the configuration is out of use, and nothing has to arrive any more. Until then the host keeps it: an
    /// approval that was claimed for nothing would not come back otherwise, and a desk would think that
    /// somebody waits. What can't be delivered is given up some time ([`Outbox`]).
    #[must_use]
    pub fn is_done(&self) -> bool {
        self.ended && self.outbox.is_empty() && !self.questions.have_posts()
    }

    /// Whether one more exchange may wait for keys.
    #[must_use]
    pub fn has_room(&self) -> bool {
        self.waiting.len() < MAX_WAITING_FOR_KEYS
    }

    /// Whether bodies come while heads wait.
    #[must_use]
    pub fn bodies(&self) -> Bodies {
        self.bodies
    }

    /// Whether the host should be told what is held of bodies, and no tick is scheduled to.
    #[must_use]
    pub fn wants_to_tell_buffers(&self) -> bool {
        !self.ended && self.buffered.is_unwatched()
    }

    /// Whether exchanges hold something of quotas, and no tick is scheduled to renew it.
    #[must_use]
    pub fn wants_to_renew_slots(&self) -> bool {
        self.slots.is_unwatched()
    }

    /// The next record's number, from 1.
    pub fn number_record(&mut self) -> u64 {
        self.numbers.give()
    }

    /// Whether the recorder should be told what numbers were given, and no tick is scheduled to.
    #[must_use]
    pub fn wants_to_tell_numbers(&self) -> bool {
        !self.ended && self.numbers.is_untold()
    }

    /// Sets the time between ticks by what there is to do. Call it once all effects of a tick have
    /// been performed: exchanges that were woken may want to be woken again.
    pub fn pace(&mut self, now: Duration) -> Option<Effect> {
        let keys = self.keys.pause(now);
        let alarm = self.alarms.next().map(|at| at.saturating_sub(now));
        let soon = (self.renewed || self.outbox.has_something()).then_some(MIN_TICK);
        let counts = self.counts.due().map(|due| due.saturating_sub(now));
        let buffered = self.buffered.pause();
        let numbers = self.numbers.due().map(|due| due.saturating_sub(now));
        let slots = self.slots.due().map(|due| due.saturating_sub(now));
        let standing = self.standing.due();
        let standing = standing.map(|due| due.saturating_sub(now).min(standing::MAX_PAUSE));
        let questions = self.questions.due().map(|due| due.saturating_sub(now));
        let again = self.outbox.due().map(|due| due.saturating_sub(now));
        let period = [
            keys, alarm, counts, buffered, numbers, slots, standing, questions, again, soon,
        ];
        let period = period.into_iter().flatten().min();
        let period = period.map(|period| period.max(MIN_TICK));
        let changed = core::mem::replace(&mut self.period, period) != period;
        changed.then_some(Effect::TickEvery(period))
    }

    /// Makes sure that a tick comes within this time.
    fn tick_within(&mut self, time: Duration, effects: &mut Vec<Effect>) {
        if self.period.is_none_or(|period| period > time) {
            self.period = Some(time);
            effects.push(Effect::TickEvery(self.period));
        }
    }

    fn tick(&mut self, effects: &mut Vec<Effect>, world: World<'_>) {
        for exchange in self.alarms.ring(world.now) {
            let what = Told::Tick;
            effects.push(Effect::Tell { exchange, what });
        }
        self.count_lookups(world.now);
        tell(self.counts.take(world.now), effects);
        // Once it has ended, what was told has been taken back, and would not be again.
        if !self.ended {
            let change = self.buffered.look();
            effects.extend(change.map(|by| Effect::Change(Metric::BufferedBytes, by)));
        }
        self.slots.renew(world);
        if let Some(tended) = self.keys.tend(world) {
            self.follow(tended, effects);
        }
        if core::mem::take(&mut self.renewed) {
            for exchange in core::mem::take(&mut self.waiting) {
                let what = Told::KeysRenewed;
                effects.push(Effect::Tell { exchange, what });
            }
        }
        for (exchange, what) in self.questions.take_told(world.now) {
            effects.push(Effect::Tell { exchange, what });
        }
        for post in self.questions.take_posts() {
            effects.extend(self.outbox.add(post));
        }
        self.tell_waits(effects, world.now);
        let calls = self.questions.take_calls(world.now);
        let others = self.numbers.take(world.now).into_iter();
        let others = others.chain(self.standing.take(world.now));
        let calls = calls.into_iter().chain(others);
        let calls: Vec<Call> = self
            .outbox
            .send(world.now)
            .into_iter()
            .chain(calls)
            .collect();
        for call in calls {
            let number = self.number_call();
            effects.push(Effect::Call(call.number(number)));
        }
    }

    fn tell_waits(&mut self, effects: &mut Vec<Effect>, now: Duration) {
        let (counted, times) = self.questions.waits.take();
        for time in times {
            tell_one(Metric::ApprovalWait, time, effects);
        }
        // Once it has ended, no later tick may come, and what the gauge was told has been taken back.
        if self.ended {
            return tell(counted, effects);
        }
        for (metric, count) in counted {
            self.counts.add(metric, count, now);
        }
        let change = self.questions.waits.change();
        effects.extend(change.map(|by| Effect::Change(Metric::ApprovalsWaiting, by)));
    }

    fn count_lookups(&mut self, now: Duration) {
        let (hits, misses) = self.compiled.take_token_lookups();
        for (outcome, count) in [("hit", hits), ("miss", misses)] {
            if count > 0 {
                let metric = Metric::TokenLookups { outcome };
                self.counts.add(metric, count, now);
            }
        }
    }

    fn note_trouble(&mut self, trouble: Trouble, effects: &mut Vec<Effect>, now: Duration) {
        effects.extend(self.troubles.log(trouble, now));
        let code = trouble.code();
        self.counts.add(Metric::ApprovalFailures { code }, 1, now);
        self.tick_within(counts::MAX_DELAY, effects);
    }

    fn keys_answered(
        &mut self,
        provider: usize,
        answer: Answer<'_>,
        effects: &mut Vec<Effect>,
        world: World<'_>,
    ) {
        let tended = self.keys.answered(provider, answer, world);
        self.follow(tended, effects);
    }

    fn follow(&mut self, tended: key_duties::Followed, effects: &mut Vec<Effect>) {
        self.renewed |= tended.renewed;
        for line in tended.notes {
            let level = Level::Warn;
            effects.push(Effect::Log { level, line });
        }
        for (provider, there) in tended.fetched {
            let outcome = if there { "ok" } else { "failed" };
            let metric = Metric::KeyRefreshes { provider, outcome };
            tell_one(metric, 1, effects);
        }
        for call in tended.calls {
            let number = self.number_call();
            effects.push(Effect::Call(call.number(number)));
        }
    }

    fn policy_vms(&self) -> Metric {
        Metric::PolicyVms {
            digest: self.digest.clone(),
        }
    }

    fn number_call(&mut self) -> u64 {
        self.calls = self.calls.saturating_add(1);
        self.calls
    }

    /// Takes over what one exchange has found out; it holds for all.
    fn learn(&mut self, found: Bodies) -> Option<Effect> {
        if self.bodies != Bodies::Unknown {
            return None;
        }
        self.bodies = found;
        (found == Bodies::Withheld).then(|| Effect::Log {
            level: Level::Error,
            line: "bodies don't come while their heads wait, so whatever needs one is answered \
                   with 503 stop_iteration_off. Set allow_on_headers_stop_iteration: true in the \
                   plugin's configuration (where that can't be said, as in Istio's WasmPlugin and \
                   Envoy Gateway's EnvoyExtensionPolicy, use an EnvoyFilter or EnvoyPatchPolicy)"
                .to_owned(),
        })
    }
}

/// Tells the host of counts.
fn tell(counts: BTreeMap<Metric, u64>, effects: &mut Vec<Effect>) {
    for (metric, amount) in counts {
        tell_one(metric, amount, effects);
    }
}

fn tell_one(metric: Metric, amount: u64, effects: &mut Vec<Effect>) {
    let by = i64::try_from(amount).unwrap_or(i64::MAX);
    effects.push(Effect::Change(metric, by));
}
