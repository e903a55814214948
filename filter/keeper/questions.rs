//! Questions to people, asked and waited for once for all exchanges that ask the same.
//!
//! A question is asked, and then waited for with long polls, until it is decided or nobody waits for it
//! any more. However the service answers, two polls of a question don't begin within a second, unless
//! the first took its time; and while the service fails, the question goes on being asked, ever less
//! often, until the exchanges' own deadlines. To be told that it is approved is no leave to pass: each
//! exchange claims the approval then. As many are told at once as it is good for, and the question is
//! asked once more for the others.
//!
//! An answer that is kept is waited for in the same way: it is looked for by its name instead of asked about.

use core::time::Duration;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use super::event::{Call, Purpose, Told};
use super::waits::{Seat, Waits};
use crate::approval::{self, Answer, Approvals, Decision, State, Trouble};
use crate::call::{self, Post};
use crate::exchange::{Ask, CompiledPolicy};

/// The longest time that the service is asked to hold one poll; a decision ends it at once.
const MAX_POLL: Duration = Duration::from_secs(20);

/// What one poll takes at least, where many are under way that nobody waits for: a call can't be ended
/// before its answer comes.
const SHORT_POLL: Duration = Duration::from_secs(1);

/// How many those may be.
const MANY: usize = 64;

/// The shortest time between the beginnings of two calls for one question.
const PACE: Duration = Duration::from_secs(1);

/// The longest time between two calls while the service fails.
const MAX_PAUSE: Duration = Duration::from_secs(5);

/// How many exchanges are told something, and how many calls begin, in one tick: a host performs so many
/// effects of one event and no more. What is left goes with the next one.
const MOST_TOLD: usize = 1024;
const MOST_CALLS: usize = 256;

/// What exchanges wait for.
#[derive(Debug)]
pub(super) struct Questions {
    compiled: Rc<CompiledPolicy>,
    open: BTreeMap<u64, Question>,
    by_binding: BTreeMap<String, u64>,
    seats: BTreeMap<u32, Seat>,
    pub(super) waits: Waits,
    /// When exchanges are told that nobody has decided, once their question has an id.
    deadlines: BTreeSet<(Duration, u32)>,
    /// When questions want their next call.
    due: BTreeSet<(Duration, u64)>,
    /// How many calls are under way, those that nobody waits for any more among them.
    under_way: usize,
    /// What exchanges are to be told with the next tick: one of theirs may be going on now.
    told: Vec<(u32, Told)>,
    /// What is to be posted with it.
    posts: Vec<call::Call<Post>>,
    numbers: u64,
}

#[derive(Debug)]
struct Question {
    binding: String,
    /// Whether it looks for an answer that is kept under this name, and waits for that one's approval.
    finds: bool,
    /// What the approval is bound to.
    bound: String,
    asker: String,
    text: Rc<[u8]>,
    /// The approval's id, once the service has answered.
    id: Option<String>,
    /// Whether the next call asks. If not, it waits for a decision.
    asks: bool,
    waiting: BTreeSet<u32>,
    /// When the next call is to begin; none while one is under way.
    next: Option<Duration>,
    /// When the last one began, and how long the service was asked to hold it.
    began: Duration,
    held: Duration,
    /// How many in a row have failed.
    failed: u32,
    trouble: Option<Trouble>,
    /// Whether the approval was over, so that it was asked for once more.
    over: bool,
}

impl Questions {
    pub(super) fn new(compiled: Rc<CompiledPolicy>) -> Self {
        Self {
            compiled,
            open: BTreeMap::new(),
            by_binding: BTreeMap::new(),
            seats: BTreeMap::new(),
            waits: Waits::default(),
            deadlines: BTreeSet::new(),
            due: BTreeSet::new(),
            under_way: 0,
            told: Vec::new(),
            posts: Vec::new(),
            numbers: 0,
        }
    }

    /// An exchange asks something. Places of the waiting room bound how many wait.
    pub(super) fn ask(&mut self, exchange: u32, ask: Ask, now: Duration) {
        self.leave(exchange);
        let number = match self.by_binding.get(&ask.binding) {
            Some(number) => *number,
            None => self.open(&ask, now),
        };
        let Some(question) = self.open.get_mut(&number) else {
            return;
        };
        question.waiting.insert(exchange);
        let mut seat = Seat {
            question: number,
            about: ask.about,
            number: ask.number,
            deadline: ask.deadline,
            since: None,
        };
        let id = question.id.clone();
        if !question.finds || id.is_some() {
            self.waits.begin(&mut seat, now);
        }
        if let Some(id) = id {
            self.deadlines.insert((seat.deadline, exchange));
            let decision = Decision::Answer(Answer {
                id,
                binding: question.bound.clone(),
                state: State::Pending,
                reviewer: None,
                reason: None,
                uses: 0,
            });
            self.told.push((exchange, seat.told(decision)));
        }
        self.seats.insert(exchange, seat);
    }

    fn open(&mut self, ask: &Ask, now: Duration) -> u64 {
        self.numbers = self.numbers.saturating_add(1);
        let number = self.numbers;
        let question = Question {
            binding: ask.binding.clone(),
            finds: ask.finds,
            bound: ask.binding.clone(),
            asker: ask.asker.clone(),
            text: Rc::clone(&ask.question),
            id: None,
            asks: true,
            waiting: BTreeSet::new(),
            next: None,
            began: Duration::ZERO,
            held: Duration::ZERO,
            failed: 0,
            trouble: None,
            over: false,
        };
        self.by_binding.insert(ask.binding.clone(), number);
        self.open.insert(number, question);
        self.schedule(number, now);
        number
    }

    /// The exchange waits no more; whether there is something to do now.
    pub(super) fn forget(&mut self, exchange: u32) -> bool {
        self.told.retain(|(one, _)| *one != exchange);
        self.leave(exchange);
        !self.posts.is_empty()
    }

    /// Gives an exchange's seat back.
    fn leave(&mut self, exchange: u32) {
        let Some(seat) = self.seats.remove(&exchange) else {
            return;
        };
        self.waits.left(&seat);
        self.vacate(exchange, &seat);
    }

    /// What held a seat waits no more. The last one to go has the question cancelled.
    fn vacate(&mut self, exchange: u32, seat: &Seat) {
        self.deadlines.remove(&(seat.deadline, exchange));
        let Some(question) = self.open.get_mut(&seat.question) else {
            return;
        };
        question.waiting.remove(&exchange);
        // What is being asked gets an id first.
        let unknown = question.asks && question.next.is_none();
        if question.waiting.is_empty() && !unknown {
            self.cancel(seat.question);
        }
    }

    /// Closes a question that nobody waits for.
    fn cancel(&mut self, number: u64) {
        let question = self.close(number);
        let approvals = self.compiled.policy().approvals.as_ref();
        if let (Some(question), Some(approvals)) = (question, approvals)
            && let Some(id) = &question.id
        {
            let request = approval::cancel(id, &question.asker);
            let post = approvals.call(Post::Once, 0, request, Duration::ZERO);
            self.posts.push(post);
        }
    }

    fn close(&mut self, number: u64) -> Option<Question> {
        let question = self.open.remove(&number)?;
        self.by_binding.remove(&question.binding);
        if let Some(next) = question.next {
            self.due.remove(&(next, number));
        }
        Some(question)
    }

    fn schedule(&mut self, number: u64, at: Duration) {
        if let Some(question) = self.open.get_mut(&number) {
            if let Some(before) = question.next.replace(at) {
                self.due.remove(&(before, number));
            }
            self.due.insert((at, number));
        }
    }

    /// The clock was put back by so much: whoever waits does so for as long as before, and what is to be
    /// called is called as soon.
    pub(super) fn put_back(&mut self, by: Duration) {
        self.due.clear();
        for (number, question) in &mut self.open {
            question.began = question.began.saturating_sub(by);
            question.next = question.next.map(|at| at.saturating_sub(by));
            self.due.extend(question.next.map(|at| (at, *number)));
        }
        for seat in self.seats.values_mut() {
            seat.deadline = seat.deadline.saturating_sub(by);
            seat.since = seat.since.map(|since| since.saturating_sub(by));
        }
        let deadlines = core::mem::take(&mut self.deadlines).into_iter();
        self.deadlines = deadlines
            .map(|(at, exchange)| (at.saturating_sub(by), exchange))
            .collect();
    }

    /// When there is something to do, since 1970.
    pub(super) fn due(&self) -> Option<Duration> {
        if !self.told.is_empty() || !self.posts.is_empty() {
            return Some(Duration::ZERO);
        }
        let call = self.due.first().map(|(at, _)| *at);
        let deadline = self.deadlines.first().map(|(at, _)| *at);
        call.into_iter().chain(deadline).min()
    }

    /// What exchanges are to be told now.
    pub(super) fn take_told(&mut self, now: Duration) -> Vec<(u32, Told)> {
        while let Some((at, exchange)) = self.deadlines.first().copied()
            && at <= now
            && self.told.len() < MOST_TOLD
        {
            self.late(exchange, now);
            self.deadlines.remove(&(at, exchange));
        }
        let most = self.told.len().min(MOST_TOLD);
        self.told.drain(..most).collect()
    }

    /// Nobody has decided in time.
    fn late(&mut self, exchange: u32, now: Duration) {
        let Some(seat) = self.seats.remove(&exchange) else {
            return;
        };
        if let Some(question) = self.open.get(&seat.question) {
            let decision = match question.trouble {
                Some(trouble) => Decision::Trouble(trouble),
                None => Decision::Late(question.id.clone().unwrap_or_default()),
            };
            self.waits.decided(&seat, &decision, now);
            self.told.push((exchange, seat.told(decision)));
        }
        self.vacate(exchange, &seat);
    }

    /// Whether something is to be posted.
    pub(super) fn have_posts(&self) -> bool {
        !self.posts.is_empty()
    }

    /// What is to be posted now.
    pub(super) fn take_posts(&mut self) -> Vec<call::Call<Post>> {
        core::mem::take(&mut self.posts)
    }

    /// The calls that begin now.
    pub(super) fn take_calls(&mut self, now: Duration) -> Vec<Call> {
        let mut calls = Vec::new();
        let compiled = Rc::clone(&self.compiled);
        let policy = compiled.policy();
        let Some(approvals) = &policy.approvals else {
            return calls;
        };
        let most = usize::try_from(policy.limits.waiting.total).unwrap_or(usize::MAX);
        let most = most.saturating_mul(2).saturating_add(MANY);
        while let Some((at, number)) = self.due.first().copied()
            && at <= now
            && calls.len() < MOST_CALLS
        {
            if self.under_way >= most {
                // Some end every second: those that nobody waits for are the shorter then.
                self.schedule(number, now.saturating_add(PACE));
                continue;
            }
            self.due.remove(&(at, number));
            calls.extend(self.call(number, approvals, now));
        }
        calls
    }

    fn call(&mut self, number: u64, approvals: &Approvals, now: Duration) -> Option<Call> {
        let crowded = self.under_way > self.open.len().saturating_add(MANY);
        let question = self.open.get_mut(&number)?;
        let seats = question.waiting.iter();
        let deadlines = seats.filter_map(|one| self.seats.get(one));
        let last = deadlines.map(|seat| seat.deadline).max();
        let left = last.unwrap_or_default().saturating_sub(now);
        question.next = None;
        question.began = now;
        let (request, held) = match &question.id {
            Some(id) if !question.asks => {
                let most = if crowded { SHORT_POLL } else { MAX_POLL };
                // The service counts whole seconds; one more or less is nothing to a person.
                let seconds = left.min(most).as_millis().div_ceil(1000);
                let seconds = u64::try_from(seconds).unwrap_or(1).max(1);
                let path = approval::wait_path(id, &question.asker, seconds);
                ((path, Vec::new()), Duration::from_secs(seconds))
            }
            _ => {
                let path = match question.finds {
                    true => approval::FIND_PATH,
                    false => approval::ASK_PATH,
                };
                ((path.to_owned(), question.text.to_vec()), Duration::ZERO)
            }
        };
        question.held = held;
        self.under_way = self.under_way.saturating_add(1);
        let purpose = Purpose::Question { question: number };
        Some(approvals.call(purpose, 0, request, held))
    }

    /// Takes what came of a call; gives what was wrong.
    pub(super) fn answered(
        &mut self,
        number: u64,
        answer: call::Answer<'_>,
        now: Duration,
    ) -> Option<Trouble> {
        self.under_way = self.under_way.saturating_sub(1);
        let question = self.open.get_mut(&number)?;
        let id = question.id.as_deref().filter(|_| !question.asks);
        let looks = question.finds && question.asks;
        let read = match looks {
            true => approval::read_found(answer, &question.binding),
            false => approval::read_answer(answer, &question.bound, id).map(Some),
        };
        match read {
            Ok(None) => {
                self.waits.looked(false);
                self.tell_all(number, &Decision::Nothing, now);
                None
            }
            Ok(Some(answer)) => {
                question.failed = 0;
                question.trouble = None;
                let asked = question.asks;
                question.id = Some(answer.id.clone());
                question.bound.clone_from(&answer.binding);
                if looks {
                    self.found(number, now);
                }
                self.take(number, answer, asked, now);
                None
            }
            Err(trouble) => {
                let first = question.id.is_none();
                question.failed = question.failed.saturating_add(1);
                question.trouble = Some(trouble);
                let pause = PACE.saturating_mul(1 << question.failed.saturating_sub(1).min(3));
                if first {
                    self.tell_all(number, &Decision::Trouble(trouble), now);
                } else {
                    self.schedule(number, now.saturating_add(pause.min(MAX_PAUSE)));
                }
                Some(trouble)
            }
        }
    }

    /// There is an answer that is kept: all who looked for it wait for its approval.
    fn found(&mut self, number: u64, now: Duration) {
        self.waits.looked(true);
        let question = self.open.get(&number);
        for exchange in question.into_iter().flat_map(|one| &one.waiting) {
            if let Some(seat) = self.seats.get_mut(exchange) {
                self.waits.begin(seat, now);
            }
        }
    }

    fn take(&mut self, number: u64, answer: Answer, asked: bool, now: Duration) {
        let Some(question) = self.open.get_mut(&number) else {
            return;
        };
        if question.waiting.is_empty() {
            self.cancel(number);
            return;
        }
        question.asks = false;
        let paced = match now.saturating_sub(question.began) >= question.held {
            true => now,
            false => question.began.saturating_add(PACE).max(now),
        };
        match answer.state {
            State::Pending => {
                question.over = false;
                if asked {
                    self.tell_open(number, &answer);
                }
                self.schedule(number, paced);
            }
            State::Approved => {
                question.over = false;
                self.hand_out(number, &answer, now);
                self.ask_again(number, now);
            }
            State::Gone if !question.over => {
                question.over = true;
                // There may be no id to wait by, but the deadline holds.
                if asked {
                    self.tell_open(number, &answer);
                }
                self.ask_again(number, now);
            }
            State::Denied | State::Gone => {
                self.tell_all(number, &Decision::Answer(answer), now);
            }
        }
    }

    /// Asks once more for those who still wait: the last approval is not for them.
    fn ask_again(&mut self, number: u64, now: Duration) {
        let Some(question) = self.open.get_mut(&number) else {
            return;
        };
        if question.waiting.is_empty() {
            self.close(number);
            return;
        }
        question.asks = true;
        self.schedule(number, now.saturating_add(PACE));
    }

    /// All who wait learn by which id, and do so until their deadlines.
    fn tell_open(&mut self, number: u64, answer: &Answer) {
        let Some(question) = self.open.get(&number) else {
            return;
        };
        for exchange in &question.waiting {
            if let Some(seat) = self.seats.get(exchange) {
                self.deadlines.insert((seat.deadline, *exchange));
                if answer.state == State::Pending {
                    let decision = Decision::Answer(answer.clone());
                    self.told.push((*exchange, seat.told(decision)));
                }
            }
        }
    }

    /// As many as an approval is good for learn of it, those who came first before others.
    fn hand_out(&mut self, number: u64, answer: &Answer, now: Duration) {
        let Some(question) = self.open.get_mut(&number) else {
            return;
        };
        let most = usize::try_from(answer.uses.max(1)).unwrap_or(usize::MAX);
        let lucky: Vec<u32> = question.waiting.iter().copied().take(most).collect();
        for exchange in lucky {
            question.waiting.remove(&exchange);
            if let Some(seat) = self.seats.remove(&exchange) {
                self.deadlines.remove(&(seat.deadline, exchange));
                let decision = Decision::Answer(answer.clone());
                self.waits.decided(&seat, &decision, now);
                self.told.push((exchange, seat.told(decision)));
            }
        }
        for exchange in &question.waiting {
            if let Some(seat) = self.seats.get(exchange) {
                self.deadlines.insert((seat.deadline, *exchange));
            }
        }
    }

    /// All who wait learn what has come of it, and wait no more.
    fn tell_all(&mut self, number: u64, decision: &Decision, now: Duration) {
        for exchange in self.close(number).into_iter().flat_map(|one| one.waiting) {
            if let Some(seat) = self.seats.remove(&exchange) {
                self.deadlines.remove(&(seat.deadline, exchange));
                self.waits.decided(&seat, decision, now);
                self.told.push((exchange, seat.told(decision.clone())));
            }
        }
    }
}
