//! Orders of deciding, lending, escalating, blocking, resetting and time, by two desks on one store, against a model that
//! knows who may decide and what stands.

mod orders;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use portcullis_desk::approvals::acts::{self, Limits, People};
use portcullis_desk::approvals::machine::{APPROVED_FOR, DENIED_FOR, Verdict};
use portcullis_desk::approvals::protocol::{DecisionKind, Delegate, Question, Standing, State};
use portcullis_desk::approvals::store::Store;
use portcullis_desk::approvals::work::{Halt, Work};
use portcullis_desk::config::Subject;
use portcullis_desk::http::Person;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Value, json};

use super::{A_DAY, START, act};
use crate::cluster::{Cluster, Place};
use crate::harness::{question, with};

/// When others may decide, and how long what lasts does, in milliseconds.
const ESCALATES: i64 = 60_000;
const LASTS: i64 = 100_000;

const QUESTIONS: usize = 4;

/// One that escalates, one that two people must approve, one for a time, and one for one use.
fn asked(number: usize) -> Value {
    let change = match number {
        0 => json!({ "escalate": { "after": 60, "reviewers": ["board"] } }),
        1 => json!({ "approvals": 2 }),
        2 => json!({ "grant": { "for": 100 }, "model": "wide" }),
        _ => json!({}),
    };
    with(question(u64::try_from(number).unwrap()), change)
}

/// Who may decide, in which group: carla's own tokens are those that ask, and only ana may block.
const PEOPLE: [(&str, &str); 5] = [
    ("ana", "ml-leads"),
    ("ben", "ml-leads"),
    ("carla", "ml-leads"),
    ("dora", "legal"),
    ("eve", "board"),
];

fn person(number: usize) -> Person {
    let (name, group) = PEOPLE[number];
    let subject = |subject: &str| Subject {
        issuer: "https://idp.example".to_owned(),
        subject: subject.to_owned(),
    };
    Person {
        name: name.to_owned(),
        groups: vec![group.to_owned()],
        subjects: vec![subject(if name == "carla" { "carol" } else { name })],
        email: None,
        break_glass: false,
        blocks: name == "ana",
        quotas: name == "ana",
    }
}

fn people() -> People {
    let all = (0..PEOPLE.len()).map(person);
    all.map(|one| (one.name.clone(), Arc::new(one))).collect()
}

#[derive(Clone, Debug)]
enum Op {
    Ask(usize),
    /// Who decides on which approval.
    Decide(DecisionKind, usize, usize),
    /// Who lends their group to whom, and for how long.
    Lend(usize, usize, i64),
    TakeBack(usize, usize),
    /// Who blocks, and for how long.
    Block(usize, Option<i64>),
    Unblock(usize, usize),
    /// Who has a count emptied, and for how long filters are told.
    Reset(usize, i64),
    Sweep,
    Restart,
    Pass(i64),
}

/// An operation, by which desk, and whether the ledger fails meanwhile.
fn op() -> impl Strategy<Value = (Op, usize, bool)> {
    let kinds = [
        DecisionKind::Approve,
        DecisionKind::Approve,
        DecisionKind::Approve,
        DecisionKind::Deny,
        DecisionKind::Revoke,
    ];
    let times = [1, 1_000, 29_000, 59_999, 60_000, 99_000, 1_800_000];
    let who = || 0..PEOPLE.len();
    let op = prop_oneof![
        5 => (0..QUESTIONS).prop_map(Op::Ask),
        9 => (select(kinds.to_vec()), who(), 0_usize..6)
            .prop_map(|(kind, who, which)| Op::Decide(kind, who, which)),
        4 => (who(), who(), select(vec![30_000, 2_000_000]))
            .prop_map(|(from, to, time)| Op::Lend(from, to, time)),
        1 => (0_usize..4, who()).prop_map(|(which, who)| Op::TakeBack(which, who)),
        2 => (who(), select(vec![None, Some(30_000)]))
            .prop_map(|(who, time)| Op::Block(who, time)),
        2 => (0_usize..4, who()).prop_map(|(which, who)| Op::Unblock(which, who)),
        2 => (who(), select(vec![30_000, 900_000])).prop_map(|(who, time)| Op::Reset(who, time)),
        1 => Just(Op::Sweep),
        1 => Just(Op::Restart),
        3 => select(times.to_vec()).prop_map(Op::Pass),
    ];
    (op, 0_usize..2, prop::bool::weighted(0.1))
}

/// What is known of one approval.
#[derive(Clone, Debug)]
struct Known {
    question: usize,
    created: i64,
    /// Who has approved, and for whom.
    counted: BTreeSet<usize>,
    approvals: usize,
    approved: Option<i64>,
    denied: Option<i64>,
    revoked: bool,
}

impl Known {
    fn ends(&self) -> i64 {
        let lasts = if self.question == 2 {
            LASTS
        } else {
            APPROVED_FOR
        };
        self.approved
            .map_or(self.created + A_DAY, |approved| approved + lasts)
    }

    fn state(&self, now: i64) -> State {
        match self.approved {
            _ if self.revoked => State::Revoked,
            _ if self.denied.is_some() => State::Denied,
            _ if now >= self.ends() => State::Expired,
            Some(_) => State::Approved,
            None => State::Pending,
        }
    }

    fn groups(&self, now: i64) -> Vec<&'static str> {
        let later = self.question == 0 && now >= self.created + ESCALATES;
        let later = later.then_some("board");
        later.into_iter().chain(["ml-leads"]).collect()
    }
}

#[derive(Clone, Debug)]
struct Loan {
    from: usize,
    to: usize,
    ends: i64,
}

/// Two desks on one store.
struct Desks {
    place: Place,
    stores: [Box<dyn Store>; 2],
    now: i64,
    known: Vec<(String, Known)>,
    /// By their ids, while they aren't taken back.
    loans: BTreeMap<String, Loan>,
    /// By their ids, while they aren't lifted, with their ends.
    blocks: BTreeMap<String, i64>,
    /// By their ids, with their ends.
    resets: BTreeMap<String, i64>,
    /// What a filter heard last, each with its end.
    heard: Option<(String, BTreeMap<String, i64>)>,
}

impl Desks {
    fn new(place: Place) -> Self {
        Self {
            stores: [place.open(), place.open()],
            place,
            now: START,
            known: Vec::new(),
            loans: BTreeMap::new(),
            blocks: BTreeMap::new(),
            resets: BTreeMap::new(),
            heard: None,
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

    fn run(&mut self, op: &Op, desk: usize, fails: bool) {
        match *op {
            Op::Ask(number) => self.ask(number, desk, fails),
            Op::Decide(kind, who, which) => self.decide(kind, who, which, desk, fails),
            Op::Lend(from, to, time) => self.lend(from, to, time, desk, fails),
            Op::TakeBack(which, who) => self.take_back(which, who, desk, fails),
            Op::Block(who, time) => self.block(who, time, desk, fails),
            Op::Unblock(which, who) => self.unblock(which, who, desk, fails),
            Op::Reset(who, time) => self.reset(who, time, desk, fails),
            Op::Sweep => drop(self.act(desk, fails, |work| acts::sweep(work, acts::KEPT_FOR))),
            Op::Restart => self.stores[desk] = self.place.open(),
            Op::Pass(time) => self.now += time,
        }
        let now = self.now;
        for (id, known) in self.known.clone() {
            let answer = self.act(1 - desk, false, |work| acts::wait(work, &id, None, "edge"));
            assert_eq!(answer.unwrap().state, known.state(now), "{op:?}: {known:?}");
        }
        self.listen(1 - desk);
        let lent = self.act(desk, false, acts::delegations).unwrap();
        let lent: BTreeSet<String> = lent.into_iter().map(|one| one.id).collect();
        let loans = self.loans.iter().filter(|(_, loan)| loan.ends > now);
        assert_eq!(lent, loans.map(|(id, _)| id.clone()).collect());
    }

    /// What stands by now, each with its end.
    fn standing(&self) -> BTreeMap<String, i64> {
        let lasting = self
            .known
            .iter()
            .filter(|(_, known)| known.question == 2 && known.state(self.now) == State::Approved);
        let lasting = lasting.map(|(id, known)| (id.clone(), known.ends()));
        let orders = self.blocks.iter().chain(&self.resets);
        let orders = orders.map(|(id, ends)| (id.clone(), *ends));
        let all = lasting.chain(orders);
        all.filter(|(_, ends)| *ends > self.now).collect()
    }

    /// A filter hears what stands, and never of an old state that nothing has changed.
    fn listen(&mut self, desk: usize) {
        let (now, expected) = (self.now, self.standing());
        let since = self.heard.as_ref().map(|(revision, _)| revision.clone());
        let told = self.act(desk, false, |work| {
            acts::standing(work, "edge", since.as_deref())
        });
        match told.unwrap() {
            Standing::Changed(told) => {
                let ends = |left: Option<u64>| {
                    left.map_or(i64::MAX, |left| now + i64::try_from(left).unwrap())
                };
                let grants = told.grants.iter().map(|one| {
                    assert_eq!(one.subject.as_deref(), Some("carol"));
                    assert_eq!(one.model.as_deref(), Some("wide"));
                    (one.id.clone(), ends(Some(one.left_ms)))
                });
                let blocks = told.blocks.iter();
                let blocks = blocks.map(|one| (one.id.clone(), ends(one.left_ms)));
                let resets = told.resets.iter();
                let resets = resets.map(|one| (one.id.clone(), ends(Some(one.left_ms))));
                let all = grants.chain(blocks).chain(resets);
                assert_eq!(all.collect::<BTreeMap<_, _>>(), expected);
                self.heard = Some((told.revision, expected));
            }
            Standing::Unchanged { .. } => {
                let (_, heard) = self.heard.as_ref().unwrap();
                let left = heard.iter().filter(|(_, ends)| **ends > now);
                let left = left.map(|(id, ends)| (id.clone(), *ends));
                assert_eq!(left.collect::<BTreeMap<_, _>>(), expected);
            }
        }
    }

    fn ask(&mut self, number: usize, desk: usize, fails: bool) {
        let (question, now): (Question, i64) =
            (serde_json::from_value(asked(number)).unwrap(), self.now);
        let answer = self.act(desk, fails, |work| {
            acts::ask(work, &question, "edge", Limits::STANDARD)
        });
        let answer = match answer {
            Err(code) => return assert_eq!(code, "not entered"),
            Ok(answer) => answer,
        };
        let serves = |known: &Known| match known.state(now) {
            State::Pending | State::Approved => true,
            State::Denied => known.denied.is_some_and(|at| now < at + DENIED_FOR),
            _ => false,
        };
        let same = |(_, known): &&(String, Known)| known.question == number;
        let last = self.known.iter().rfind(same);
        match last.filter(|(_, known)| serves(known)) {
            Some((id, known)) => {
                assert_eq!((&answer.id, answer.state), (id, known.state(now)));
            }
            None => {
                assert_eq!(answer.state, State::Pending);
                let known = Known {
                    question: number,
                    created: now,
                    counted: BTreeSet::new(),
                    approvals: 0,
                    approved: None,
                    denied: None,
                    revoked: false,
                };
                self.known.push((answer.id, known));
            }
        }
    }

    /// In whose right somebody may decide: their own, or one that was lent to them.
    fn right(&self, known: &Known, who: usize, approves: bool) -> Option<Option<usize>> {
        let now = self.now;
        let groups = known.groups(now);
        let may = |one: usize| groups.contains(&PEOPLE[one].1);
        let free = |one: usize| !(approves && known.counted.contains(&one));
        let own = |one: usize| PEOPLE[one].0 == "carla";
        if may(who) {
            return (free(who) && !own(who)).then_some(None);
        }
        let lent = self.loans.values();
        let mut lent = lent.filter(|loan| loan.to == who && loan.ends > now && may(loan.from));
        let fits = |loan: &&Loan| free(who) && free(loan.from) && !own(who) && !own(loan.from);
        lent.find(fits).map(|loan| Some(loan.from))
    }

    fn decide(&mut self, kind: DecisionKind, who: usize, which: usize, desk: usize, fails: bool) {
        if self.known.is_empty() {
            return;
        }
        let which = which % self.known.len();
        let ((id, known), now) = (self.known[which].clone(), self.now);
        let verdict = Verdict {
            kind,
            reason: None,
            break_glass: false,
        };
        let right = self.right(&known, who, kind == DecisionKind::Approve);
        let decided = self.act(desk, fails, |work| {
            acts::decide(work, &id, &verdict, &person(who), &people())
        });
        let right = match (kind, right) {
            // Who may block may take back.
            (DecisionKind::Revoke, None) if person(who).blocks => Some(None),
            (_, right) => right,
        };
        let wanted = match kind {
            DecisionKind::Revoke => State::Approved,
            _ => State::Pending,
        };
        let may = right.is_some() && known.state(now) == wanted;
        match decided {
            Err(code) if code == "not entered" => {}
            Err(code) => assert!(!may, "{code}: {who} on {known:?}"),
            Ok(view) => {
                assert!(may, "{who} on {known:?}");
                let behalf = view.decisions.last().unwrap().on_behalf_of.clone();
                let lender = |one: usize| PEOPLE[one].0.to_owned();
                // Which of several was used is the desk's choice.
                let expected = right.unwrap().map(lender);
                assert_eq!(behalf.is_some(), expected.is_some(), "{known:?}");
                let from = PEOPLE
                    .iter()
                    .position(|one| Some(one.0) == behalf.as_deref());
                let known = &mut self.known[which].1;
                match kind {
                    DecisionKind::Revoke => known.revoked = true,
                    DecisionKind::Deny => known.denied = Some(now),
                    DecisionKind::Approve => {
                        assert!(known.counted.insert(who), "counted twice");
                        assert!(from.is_none_or(|from| known.counted.insert(from)));
                        known.approvals += 1;
                        let want = if known.question == 1 { 2 } else { 1 };
                        if known.approvals == want {
                            known.approved = Some(now);
                        }
                    }
                }
            }
        }
    }

    fn lend(&mut self, from: usize, to: usize, time: i64, desk: usize, fails: bool) {
        let new = Delegate {
            to: PEOPLE[to].0.to_owned(),
            groups: vec![PEOPLE[from].1.to_owned()],
            seconds: u64::try_from(time / 1000).unwrap(),
        };
        let lent = self.act(desk, fails, |work| {
            acts::delegate(work, &new, &person(from), &people())
        });
        match lent {
            Err(code) => assert!(code == "not entered" || from == to, "{code}"),
            Ok(lent) => {
                assert_ne!(from, to);
                let ends = self.now + time;
                self.loans.insert(lent.id, Loan { from, to, ends });
            }
        }
    }

    fn take_back(&mut self, which: usize, who: usize, desk: usize, fails: bool) {
        let Some((id, loan)) = self.loans.iter().nth(which) else {
            return;
        };
        let (id, loan) = (id.clone(), loan.clone());
        let ended = self.act(desk, fails, |work| {
            acts::undelegate(work, &id, &person(who))
        });
        let may = (loan.from == who || loan.to == who) && loan.ends > self.now;
        match ended {
            Err(code) => assert!(code == "not entered" || !may, "{code}"),
            Ok(_) => {
                assert!(may, "{loan:?}");
                self.loans.remove(&id);
            }
        }
    }
}

fn ops() -> impl Strategy<Value = Vec<(Op, usize, bool)>> {
    prop::collection::vec(op(), 1..80)
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
    fn no_order_lets_somebody_decide_who_may_not_or_hides_what_stands(ops in ops()) {
        run(Place::file(), &ops);
    }
}

#[test]
fn no_order_lets_them_in_a_database_either() {
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
