//! Orders of asking, deciding, claiming, giving back, leaving, time, restarts and failures of the ledger, by two
//! desks on one store, against a model that knows only what was granted: never is more used, and nothing is lost.

mod ahead;
mod directed;
mod op;
mod people;

use std::collections::{BTreeMap, BTreeSet};

use portcullis_desk::approvals::acts::{self, Limits, People};
use portcullis_desk::approvals::machine::{ALONE_FOR, APPROVED_FOR, DENIED_FOR, Verdict};
use portcullis_desk::approvals::protocol::{
    Answer, Claim, ClaimState, DecisionKind, GiveBack, Question, State, WhyBack,
};
use portcullis_desk::approvals::store::Store;
use portcullis_desk::approvals::work::{Enter, Failed, Halt, Work, transact};
use portcullis_desk::http::Person;
use proptest::prelude::*;
use serde_json::{Value, json};

use self::op::{Op, ops};
use crate::cluster::{Cluster, Place};
use crate::harness::{question, with};

const START: i64 = 1_800_000_000_000;
const A_DAY: i64 = 24 * 60 * 60 * 1000;

/// The questions: one for one use, three of a kind that share a grant of two uses, one for one use in a short
/// time, and one that two people must approve.
fn asked(number: usize) -> Value {
    let wide = json!({ "model": "wide", "grant": { "for": 100, "uses": 2 } });
    let change = match number {
        0 => json!({}),
        1..=3 => wide,
        4 => json!({ "grant": { "for": 50, "uses": 1 } }),
        _ => json!({ "approvals": 2 }),
    };
    with(question(u64::try_from(number).unwrap()), change)
}

const QUESTIONS: usize = 6;

fn is_wide(number: usize) -> bool {
    (1..=3).contains(&number)
}

fn uses(number: usize) -> usize {
    if is_wide(number) { 2 } else { 1 }
}

fn lasts(number: usize) -> i64 {
    match number {
        1..=3 => 100_000,
        4 => 50_000,
        _ => APPROVED_FOR,
    }
}

fn binding(number: usize) -> String {
    asked(number)["binding"].as_str().unwrap().to_owned()
}

fn asker() -> String {
    asked(0)["asker"].as_str().unwrap().to_owned()
}

/// What is known of one approval.
#[derive(Clone, Debug)]
struct Known {
    question: usize,
    created: i64,
    open_until: i64,
    awaited: bool,
    approvers: BTreeSet<bool>,
    approved: Option<i64>,
    denied: Option<i64>,
    revoked: bool,
    /// Claims that hold, with what they are for.
    live: BTreeMap<u64, usize>,
    back: BTreeMap<u64, usize>,
    /// How many came back in time.
    returned: usize,
    /// Claims that came back before they came.
    early: BTreeSet<u64>,
    covered: BTreeSet<usize>,
}

impl Known {
    fn new(question: usize, now: i64) -> Self {
        Self {
            question,
            created: now,
            open_until: now + A_DAY,
            awaited: true,
            approvers: BTreeSet::new(),
            approved: None,
            denied: None,
            revoked: false,
            live: BTreeMap::new(),
            back: BTreeMap::new(),
            returned: 0,
            early: BTreeSet::new(),
            covered: BTreeSet::from([question]),
        }
    }

    fn ends(&self) -> Option<i64> {
        self.approved.map(|at| at + lasts(self.question))
    }

    fn state(&self, now: i64) -> State {
        match self.ends() {
            _ if self.revoked => State::Revoked,
            _ if self.denied.is_some() => State::Denied,
            Some(_) if self.live.len() >= uses(self.question) => State::Used,
            Some(end) if now >= end => State::Expired,
            Some(_) => State::Approved,
            None if now >= self.open_until => State::Expired,
            None => State::Pending,
        }
    }

    fn serves(&self, now: i64) -> bool {
        match self.state(now) {
            State::Pending | State::Approved => true,
            State::Denied => self.denied.is_some_and(|at| now < at + DENIED_FOR),
            _ => false,
        }
    }
}

/// Two desks on one store.
struct Desks {
    place: Place,
    stores: [Box<dyn Store>; 2],
    now: i64,
    known: Vec<(String, Known)>,
}

fn person(bob: bool) -> Person {
    Person {
        name: if bob { "bob" } else { "ana" }.to_owned(),
        groups: vec!["ml-leads".to_owned()],
        subjects: Vec::new(),
        email: None,
        break_glass: false,
        blocks: false,
        quotas: false,
    }
}

/// What was answered: a refusal by its code, or that nothing was stored.
fn act<T>(
    store: &mut dyn Store,
    now: i64,
    fails: bool,
    mut act: impl FnMut(&mut Work<'_>) -> Result<T, Halt>,
) -> Result<T, String> {
    let mut enter: Enter = Box::new(move |_| !fails);
    let mut reply = None;
    let done = transact(store, &mut |_| Ok(now), &mut enter, &mut |work| {
        reply = Some(match act(work) {
            Err(Halt::Store(error)) => return Err(error),
            Err(Halt::Refused(refusal)) => Err(refusal.code.to_owned()),
            Ok(reply) => Ok(reply),
        });
        Ok(())
    });
    match done {
        Ok(_) => reply.unwrap(),
        Err(Failed::NotEntered) if fails => Err("not entered".to_owned()),
        Err(failed) => panic!("{failed:?}"),
    }
}

impl Desks {
    fn new(place: Place) -> Self {
        Self {
            stores: [place.open(), place.open()],
            place,
            now: START,
            known: Vec::new(),
        }
    }

    fn act<T>(
        &mut self,
        desk: usize,
        fails: bool,
        work: impl FnMut(&mut Work<'_>) -> Result<T, Halt>,
    ) -> Result<T, String> {
        act(&mut *self.stores[desk], self.now, fails, work)
    }

    fn which(&self, number: usize) -> Option<usize> {
        (!self.known.is_empty()).then(|| number % self.known.len())
    }

    fn run(&mut self, op: &Op, desk: usize, fails: bool) {
        match *op {
            Op::Ask(number) => self.ask(number, desk, fails),
            Op::Decide(kind, bob, which) => self.decide(kind, bob, which, desk, fails),
            Op::Claim(which, number, claim) => self.claim(which, number, claim, desk, fails),
            Op::GiveBack(which, claim) => self.give_back(which, claim, desk, fails),
            Op::BackTwice(which) => self.back_twice(which, desk, fails),
            Op::UseUp(which) => self.use_up(which, 8, desk, fails),
            Op::ComeBack(which) => self.come_back(which, desk, fails),
            Op::Cancel(which) => self.cancel(which, desk, fails),
            Op::Sweep => drop(self.act(desk, fails, |work| acts::sweep(work, acts::KEPT_FOR))),
            Op::Restart => self.stores[desk] = self.place.open(),
            Op::Pass(time) => self.now += time,
        }
        let now = self.now;
        for (id, known) in self.known.clone() {
            let answer = self.act(1 - desk, false, |work| acts::wait(work, &id, None, "edge"));
            assert_eq!(answer.unwrap().state, known.state(now), "{op:?}: {known:?}");
        }
    }

    fn ask(&mut self, number: usize, desk: usize, fails: bool) {
        let question: Question = serde_json::from_value(asked(number)).unwrap();
        let now = self.now;
        let answer: Result<Answer, String> = self.act(desk, fails, |work| {
            acts::ask(work, &question, "edge", Limits::STANDARD)
        });
        let answer = match answer {
            Err(code) => return assert_eq!(code, "not entered"),
            Ok(answer) => answer,
        };
        assert_eq!(answer.binding, binding(number));
        let covering = |known: &Known| {
            is_wide(number) && is_wide(known.question) && known.state(now) == State::Approved
        };
        let found = self.known.iter().position(|(id, _)| *id == answer.id);
        if self.known.iter().any(|(_, known)| covering(known)) {
            let (_, known) = &mut self.known[found.expect("one that was known")];
            assert!(covering(known), "{known:?}");
            assert_eq!(answer.state, State::Approved);
            known.covered.insert(number);
            return;
        }
        let latest = |concerns: &dyn Fn(State) -> bool| {
            let known = self.known.iter();
            known
                .clone()
                .rposition(|(_, known)| known.question == number && concerns(known.state(now)))
        };
        // What somebody refused later than that isn't approved any more.
        let decided =
            latest(&|state| matches!(state, State::Approved | State::Denied | State::Revoked));
        let live = decided.filter(|index| self.known[*index].1.state(now) == State::Approved);
        let serving = live.or_else(|| latest(&|_| true));
        let serving = serving.filter(|index| self.known[*index].1.serves(now));
        assert_eq!(found, serving, "nothing that serves is lost");
        match serving {
            Some(index) => {
                let known = &mut self.known[index].1;
                assert_eq!(answer.state, known.state(now));
                if answer.state == State::Pending {
                    known.open_until = known.created + A_DAY;
                    known.awaited = true;
                }
            }
            None => {
                assert_eq!(answer.state, State::Pending);
                self.known.push((answer.id, Known::new(number, now)));
            }
        }
    }

    fn decide(&mut self, kind: DecisionKind, bob: bool, which: usize, desk: usize, fails: bool) {
        let Some(which) = self.which(which) else {
            return;
        };
        let (id, now) = (self.known[which].0.clone(), self.now);
        let verdict = Verdict {
            kind,
            reason: None,
            break_glass: false,
        };
        let decided = self.act(desk, fails, |work| {
            acts::decide(work, &id, &verdict, &person(bob), &People::new())
        });
        let known = &mut self.known[which].1;
        let state = known.state(now);
        match decided {
            Err(code) if code == "not entered" => {}
            Err(code) => {
                let twice = code == "already_approved_by_you" && known.approvers.contains(&bob);
                let wanted = match kind {
                    DecisionKind::Revoke => State::Approved,
                    _ => State::Pending,
                };
                assert!(twice || state != wanted, "{code}: {known:?}");
            }
            Ok(_) => match kind {
                DecisionKind::Revoke => {
                    assert_eq!(state, State::Approved);
                    known.revoked = true;
                }
                DecisionKind::Deny => {
                    assert_eq!(state, State::Pending);
                    known.denied = Some(now);
                }
                DecisionKind::Approve => {
                    assert_eq!(state, State::Pending);
                    assert!(known.approvers.insert(bob), "counted twice");
                    let want = if known.question == 5 { 2 } else { 1 };
                    if known.approvers.len() == want {
                        known.approved = Some(now);
                    }
                }
            },
        }
    }

    fn claim(&mut self, which: usize, number: usize, claim: u64, desk: usize, fails: bool) {
        let Some(which) = self.which(which) else {
            return;
        };
        let (id, now) = (self.known[which].0.clone(), self.now);
        let wanted = Claim {
            claim: format!("{claim:032x}"),
            binding: binding(number),
            exchange: format!("{claim:032x}"),
        };
        let claimed = self.act(desk, fails, |work| acts::claim(work, &id, &wanted, "edge"));
        let known = &mut self.known[which].1;
        let state = known.state(now);
        let before = known.live.get(&claim).or_else(|| known.back.get(&claim));
        let reply = match claimed {
            Err(code) if code == "not entered" => return,
            Err(code) => Err(code),
            Ok(claimed) => Ok(claimed.state),
        };
        let expected = match before {
            _ if known.early.contains(&claim) || known.back.contains_key(&claim) => {
                Err("given_back".to_owned())
            }
            Some(other) if *other != number => Err("not_covered".to_owned()),
            Some(_) => Ok(ClaimState::Claimed),
            None if !known.covered.contains(&number) => Err("not_covered".to_owned()),
            None => Ok(match state {
                State::Approved => {
                    known.live.insert(claim, number);
                    ClaimState::Claimed
                }
                State::Pending => ClaimState::Pending,
                State::Denied => ClaimState::Denied,
                State::Used => ClaimState::Used,
                State::Expired => ClaimState::Expired,
                State::Revoked => ClaimState::Revoked,
            }),
        };
        assert_eq!(reply, expected, "{known:?}");
        assert!(known.live.len() <= uses(known.question), "{known:?}");
    }

    fn give_back(&mut self, which: usize, claim: u64, desk: usize, fails: bool) {
        let Some(which) = self.which(which) else {
            return;
        };
        let (id, now) = (self.known[which].0.clone(), self.now);
        let back = GiveBack {
            claim: format!("{claim:032x}"),
            why: WhyBack::Unanswered,
        };
        let given = self.act(desk, fails, |work| {
            acts::give_back(work, &id, &back, "edge")
        });
        let known = &mut self.known[which].1;
        match given {
            Err(code) => assert_eq!(code, "not entered"),
            Ok(_) => {
                if !known.live.contains_key(&claim) && !known.back.contains_key(&claim) {
                    known.early.insert(claim);
                }
                let in_time = known.ends().is_some_and(|end| now < end) && !known.revoked;
                // A client that leaves again and again has its approval back three times.
                let again = known.returned < uses(known.question).saturating_mul(3);
                if let Some(number) = known.live.get(&claim).copied() {
                    if in_time && again && !known.back.contains_key(&claim) {
                        known.live.remove(&claim);
                        known.returned += 1;
                    }
                    known.back.insert(claim, number);
                }
            }
        }
    }

    /// Of all that was taken, one claim comes back twice, to both desks, and what is left is taken again.
    fn back_twice(&mut self, which: usize, desk: usize, fails: bool) {
        let Some(which) = self.which(which) else {
            return;
        };
        self.use_up(which, 12, desk, false);
        if let Some(claim) = self.known[which].1.live.keys().next().copied() {
            self.give_back(which, claim, desk, false);
            self.give_back(which, claim, 1 - desk, fails);
        }
        self.use_up(which, 8, desk, fails);
    }

    /// All that is left is taken, by claims from this one on, and more is tried.
    fn use_up(&mut self, which: usize, first: u64, desk: usize, fails: bool) {
        let Some(which) = self.which(which) else {
            return;
        };
        let number = self.known[which].1.question;
        for claim in first..first + 4 {
            self.claim(which, number, claim, desk, fails);
        }
    }

    fn come_back(&mut self, which: usize, desk: usize, fails: bool) {
        let Some(which) = self.which(which) else {
            return;
        };
        let known = &self.known[which].1;
        let number = known.question;
        if let Some(claim) = known.live.keys().next().copied() {
            self.ask(number, desk, fails);
            self.give_back(which, claim, 1 - desk, fails);
            self.ask(number, desk, fails);
        }
    }

    fn cancel(&mut self, which: usize, desk: usize, fails: bool) {
        let Some(which) = self.which(which) else {
            return;
        };
        let (id, now) = (self.known[which].0.clone(), self.now);
        let left = self.act(desk, fails, |work| {
            acts::cancel(work, &id, &asker(), "edge")
        });
        let known = &mut self.known[which].1;
        if left.is_ok() && known.awaited && known.state(now) == State::Pending {
            known.awaited = false;
            known.open_until = known.open_until.min(now + ALONE_FOR);
        }
    }
}

fn run(place: Place, ops: &[(Op, usize, bool)]) {
    let mut desks = Desks::new(place);
    for (op, desk, fails) in ops {
        desks.run(op, *desk, *fails);
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 96,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn no_order_uses_more_than_was_granted_or_loses_a_grant(ops in ops()) {
        run(Place::file(), &ops);
    }
}

#[test]
fn no_order_does_in_a_database_either() {
    let Some(cluster) = Cluster::start() else {
        return;
    };
    let config = ProptestConfig {
        cases: 32,
        failure_persistence: None,
        ..ProptestConfig::default()
    };
    proptest!(config, |(ops in ops())| run(Place::of(&cluster), &ops));
}
