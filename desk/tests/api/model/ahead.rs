//! Orders of asking ahead of need for groups, any model and by a calendar, by two desks on one store, against a
//! model that knows only who may what and when: nobody passes who may not, and filters are told of each change.

use std::collections::{BTreeMap, BTreeSet};

use portcullis_desk::approvals::acts::{self, Limits, People};
use portcullis_desk::approvals::machine::Verdict;
use portcullis_desk::approvals::protocol::{
    Access, Claim, ClaimState, DecisionKind, Question, Standing, State,
};
use portcullis_desk::approvals::store::Store;
use portcullis_desk::config::Subject;
use portcullis_desk::http::Person;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Value, json};

use super::{START, act};
use crate::cluster::{Cluster, Place};
use crate::harness::{question, with};

const A_MINUTE: i64 = 60 * 1000;

/// Who asks, and in which groups they are: ana approves, too.
const CALLERS: [(&str, &[&str]); 4] = [
    ("carol", &["ml-ops"]),
    ("ana", &["others", "ml-ops"]),
    ("zoe", &[]),
    ("erin", &["ML-OPS"]),
];

const MODELS: [&str; 3] = ["big", "small", ""];

/// What zoe asks for.
const KINDS: usize = 5;

fn kind(number: usize) -> Value {
    let calendar = json!({
        "windows": [
            { "days": ["mon", "tue", "wed", "thu", "fri", "sat", "sun"], "from": "09:00", "to": "09:30" },
            { "days": ["mon", "tue", "wed", "thu", "fri", "sat", "sun"], "from": "22:00", "to": "02:00" },
        ],
        "offset": "+01:00",
        "until": "2027-01-17",
    });
    match number {
        0 => json!({ "group": "ml-ops", "model": "big", "for": 3600 }),
        1 => json!({ "group": "ml-ops", "models": "any", "for": 3600, "uses": 2 }),
        2 => json!({ "models": "any", "calendar": calendar }),
        3 => json!({ "group": "ml-ops", "calendar": calendar }),
        _ => json!({ "group": "ml-ops", "model": "big", "calendar": calendar, "uses": 1 }),
    }
}

/// Whether the calendar is open, and when it ends: 2027-01-18 at midnight of its clock.
const ENDS: i64 = 1_800_226_800_000;

fn is_open(now: i64) -> bool {
    let minute = now / A_MINUTE % (24 * 60);
    (480..510).contains(&minute) || !(60..1260).contains(&minute)
}

#[derive(Clone, Debug)]
enum Op {
    Request(usize),
    Decide(DecisionKind, &'static str, usize),
    Ask(usize, usize),
    Claim(usize, usize, usize),
    Sweep,
    Restart,
    Pass(i64),
}

fn op() -> impl Strategy<Value = (Op, usize)> {
    let kinds = [
        DecisionKind::Approve,
        DecisionKind::Approve,
        DecisionKind::Approve,
        DecisionKind::Revoke,
    ];
    let times = [1, 10, 29, 30, 31, 60, 240, 720, 1440];
    let op = prop_oneof![
        3 => (0..KINDS).prop_map(Op::Request),
        4 => (select(kinds.to_vec()), select(vec!["ana", "bob", "zoe"]), 0_usize..6)
            .prop_map(|(kind, who, which)| Op::Decide(kind, who, which)),
        8 => (0..CALLERS.len(), 0..MODELS.len()).prop_map(|(who, model)| Op::Ask(who, model)),
        6 => (0_usize..6, 0..CALLERS.len(), 0..MODELS.len())
            .prop_map(|(which, who, model)| Op::Claim(which, who, model)),
        1 => Just(Op::Sweep),
        1 => Just(Op::Restart),
        4 => select(times.to_vec()).prop_map(Op::Pass),
    ];
    (op, 0_usize..2)
}

/// What is known of one access.
#[derive(Clone, Debug)]
struct Known {
    kind: usize,
    approved: Option<(i64, &'static str)>,
    revoked: bool,
    vouched: bool,
    covered: BTreeSet<(usize, usize)>,
    used: usize,
}

impl Known {
    fn ends(&self) -> i64 {
        match (self.kind, self.approved) {
            (0 | 1, Some((at, _))) => at + 3_600_000,
            _ => ENDS,
        }
    }

    fn uses(&self) -> usize {
        match self.kind {
            1 => 2,
            4 => 1,
            _ => usize::MAX,
        }
    }

    fn holds(&self, now: i64) -> bool {
        let open = self.kind < 2 || is_open(now);
        let lasts = now < self.ends() && self.used < self.uses();
        self.approved.is_some() && !self.revoked && lasts && open
    }

    fn covers(&self, who: usize, model: usize, now: i64) -> bool {
        let (caller, groups) = CALLERS[who];
        let apart = self.approved.is_some_and(|(_, by)| by == caller);
        let held = match self.kind {
            2 => caller == "zoe",
            _ => groups.contains(&"ml-ops") && !apart,
        };
        let model = match self.kind {
            0 | 4 => MODELS[model] == "big",
            1 | 2 => true,
            _ => MODELS[model].is_empty(),
        };
        self.holds(now) && held && model
    }
}

/// The revision, the grants with what was left of them, and when this was.
type Told = (String, BTreeMap<String, u64>, i64);

struct Desks {
    place: Place,
    stores: [Box<dyn Store>; 2],
    now: i64,
    known: Vec<(String, Known)>,
    claims: u64,
    /// What each desk's filter was told last: the revision, and the grants.
    told: [Option<Told>; 2],
}

fn person(name: &str) -> Person {
    Person {
        name: name.to_owned(),
        groups: vec!["ml-leads".to_owned()],
        subjects: vec![Subject {
            issuer: "https://idp.example".to_owned(),
            subject: name.to_owned(),
        }],
        email: None,
        break_glass: false,
        blocks: false,
        quotas: false,
    }
}

fn asked(who: usize, model: usize) -> Value {
    let number = u64::try_from(who * MODELS.len() + model).unwrap();
    let (subject, groups) = CALLERS[who];
    let changes = json!({ "subject": subject, "groups": groups, "model": MODELS[model] });
    with(question(number), changes)
}

impl Desks {
    fn new(place: Place) -> Self {
        Self {
            stores: [place.open(), place.open()],
            place,
            now: START,
            known: Vec::new(),
            claims: 0,
            told: [None, None],
        }
    }

    fn run(&mut self, op: &Op, desk: usize) {
        let now = self.now;
        let which = |which: usize, known: &Vec<_>| (!known.is_empty()).then(|| which % known.len());
        match *op {
            Op::Request(kind) => self.request(kind, desk),
            Op::Decide(decision, by, number) => {
                if let Some(number) = which(number, &self.known) {
                    self.decide(decision, by, number, desk);
                }
            }
            Op::Ask(who, model) => self.ask(who, model, desk),
            Op::Claim(number, who, model) => {
                if let Some(number) = which(number, &self.known) {
                    self.claim(number, who, model, desk);
                }
            }
            Op::Sweep => self.sweep(desk),
            Op::Restart => self.stores[desk] = self.place.open(),
            Op::Pass(minutes) => self.now = now + minutes * A_MINUTE,
        }
        if matches!(op, Op::Pass(_)) {
            // What comes next may come before anybody has noted what time has done.
            return;
        }
        self.sweep(desk);
        self.hear(0);
        self.hear(1);
    }

    fn sweep(&mut self, desk: usize) {
        let store = &mut *self.stores[desk];
        act(store, self.now, false, |work| {
            acts::sweep(work, acts::KEPT_FOR)
        })
        .unwrap();
    }

    fn request(&mut self, number: usize, desk: usize) {
        let access = json!({
            "rule": "export-needs-a-person", "operation": "model.export",
            "reviewers": ["ml-leads"], "reason": "a drill",
        });
        let access: Access = serde_json::from_value(with(access, kind(number))).unwrap();
        let store = &mut *self.stores[desk];
        let view = act(store, self.now, false, |work| {
            acts::ask_ahead(work, &access, &person("zoe"))
        });
        let over = number > 1 && self.now >= ENDS - 120 * A_MINUTE;
        match view {
            Ok(view) => self.known.push((
                view.id,
                Known {
                    kind: number,
                    approved: None,
                    revoked: false,
                    vouched: false,
                    covered: BTreeSet::new(),
                    used: 0,
                },
            )),
            Err(code) => assert!(over || code == "too_many_pending", "{code}"),
        }
    }

    fn decide(&mut self, kind: DecisionKind, by: &'static str, number: usize, desk: usize) {
        let (id, now) = (self.known[number].0.clone(), self.now);
        let verdict = Verdict {
            kind,
            reason: None,
            break_glass: false,
        };
        let store = &mut *self.stores[desk];
        let decided = act(store, now, false, |work| {
            acts::decide(work, &id, &verdict, &person(by), &People::new())
        });
        let known = &mut self.known[number].1;
        if by == "zoe" {
            assert_eq!(decided.unwrap_err(), "own_request");
        } else if decided.is_ok() && kind == DecisionKind::Approve {
            assert!(known.approved.is_none());
            known.approved = Some((now, by));
        } else if decided.is_ok() {
            assert!(known.approved.is_some() && now < known.ends());
            known.revoked = true;
        }
    }

    fn ask(&mut self, who: usize, model: usize, desk: usize) {
        let now = self.now;
        let question: Question = serde_json::from_value(asked(who, model)).unwrap();
        let store = &mut *self.stores[desk];
        let answer = act(store, now, false, |work| {
            acts::ask(work, &question, "edge", Limits::STANDARD)
        });
        let answer = answer.unwrap();
        let covering = |known: &Known| known.covers(who, model, now);
        let expected = self.known.iter().any(|(_, known)| covering(known));
        assert_eq!(
            answer.state == State::Approved,
            expected,
            "{:?}",
            self.known
        );
        if expected {
            let found = self.known.iter_mut().find(|(id, _)| *id == answer.id);
            let (_, known) = found.expect("one that was known");
            assert!(covering(known), "{known:?}");
            assert!(answer.grant.unwrap().left_ms > 0);
            known.vouched = true;
            known.covered.insert((who, model));
        }
    }

    fn claim(&mut self, number: usize, who: usize, model: usize, desk: usize) {
        let (id, now) = (self.known[number].0.clone(), self.now);
        self.claims += 1;
        let claim = Claim {
            claim: format!("{:032x}", self.claims),
            binding: asked(who, model)["binding"].as_str().unwrap().to_owned(),
            exchange: format!("{:032x}", self.claims),
        };
        let store = &mut *self.stores[desk];
        let claimed = act(store, now, false, |work| {
            acts::claim(work, &id, &claim, "edge")
        });
        let known = &mut self.known[number].1;
        let claimed = claimed.is_ok_and(|claimed| claimed.state == ClaimState::Claimed);
        let expected = known.holds(now) && known.covered.contains(&(who, model));
        assert_eq!(claimed, expected, "{known:?}");
        known.used += usize::from(claimed);
        assert!(known.used <= known.uses());
    }

    /// What a filter hears is what it may go by, and it hears of each change.
    fn hear(&mut self, desk: usize) {
        let now = self.now;
        let since = self.told[desk].as_ref().map(|(since, ..)| since.clone());
        let store = &mut *self.stores[desk];
        let standing = act(store, now, false, |work| {
            acts::standing(work, "edge", since.as_deref())
        });
        let listed = self
            .known
            .iter()
            .filter(|(_, known)| known.vouched && known.holds(now) && known.uses() == usize::MAX);
        let listed: BTreeSet<&String> = listed.map(|(id, _)| id).collect();
        if let Standing::Changed(changed) = standing.unwrap() {
            for grant in &changed.grants {
                let (_, known) = self.known.iter().find(|(id, _)| *id == grant.id).unwrap();
                let (_, by) = known.approved.unwrap();
                match known.kind {
                    2 => assert_eq!(grant.subject.as_deref(), Some("zoe")),
                    _ => assert_eq!(
                        (grant.group.as_deref(), &*grant.except),
                        (Some("ml-ops"), &[by.to_owned()][..])
                    ),
                }
            }
            let grants = changed.grants.into_iter();
            let grants = grants.map(|grant| (grant.id, grant.left_ms)).collect();
            self.told[desk] = Some((changed.revision, grants, now));
        }
        let (_, told, at) = self.told[desk].as_ref().unwrap();
        let passed = u64::try_from(now - at).unwrap();
        let left = told.iter().filter(|(_, left)| **left > passed);
        let left: BTreeSet<&String> = left.map(|(id, _)| id).collect();
        assert_eq!(left, listed, "{now}: {:?}", self.known);
    }
}

fn run(place: Place, ops: &[(Op, usize)]) {
    let mut desks = Desks::new(place);
    for (op, desk) in ops {
        desks.run(op, *desk);
    }
}

#[test]
fn a_window_that_closed_and_opened_while_no_desk_looked_is_told() {
    let mut desks = Desks::new(Place::file());
    let approve = Op::Decide(DecisionKind::Approve, "bob", 0);
    for op in [
        Op::Request(2),
        approve,
        Op::Ask(2, 0),
        Op::Pass(1440),
        Op::Sweep,
    ] {
        desks.run(&op, 0);
    }
    assert_eq!(desks.told[0].as_ref().unwrap().1.len(), 1);
}

fn ops() -> impl Strategy<Value = Vec<(Op, usize)>> {
    prop::collection::vec(op(), 1..80)
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 64,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn nobody_passes_who_may_not_and_filters_hear_of_each_change(ops in ops()) {
        run(Place::file(), &ops);
    }
}

#[test]
fn nor_does_anybody_in_a_database() {
    let Some(cluster) = Cluster::start() else {
        return;
    };
    let config = ProptestConfig {
        cases: 16,
        failure_persistence: None,
        ..ProptestConfig::default()
    };
    let mut runner = proptest::test_runner::TestRunner::new(config);
    let ran = runner.run(&ops(), |ops| {
        run(Place::of(&cluster), &ops);
        Ok(())
    });
    ran.unwrap();
}
