//! Answers that wait for people, kept until they are asked for again: over HTTP, and on both stores.

use portcullis_desk::approvals::acts::{self, Limits, People, Room};
use portcullis_desk::approvals::machine::{ALONE_FOR, DENIED_FOR, USED_FOR, Verdict};
use portcullis_desk::approvals::protocol::{
    Claim, ClaimState, DecisionKind, Find, GiveBack, Keep, Question, Standing, State, WhyBack,
};
use portcullis_desk::approvals::store::Store;
use portcullis_desk::approvals::work::{Enter, Halt, Work, transact};
use portcullis_desk::http::Person;
use serde_json::{Value, json};

use crate::cluster::{Cluster, Place};
use crate::harness::{ANA, Desk, EDGE, Folder, INNER, id, question, with};

const START: i64 = 1_800_000_000_000;
const AN_HOUR: i64 = 60 * 60 * 1000;

fn about_an_answer(number: u64) -> Value {
    with(
        question(number),
        json!({ "about": "answer", "found": ["email"], "expires": 3_600 }),
    )
}

fn name(number: u64) -> String {
    format!("{:064x}", number + 0xaaaa)
}

fn keep(number: u64) -> Value {
    json!({ "request": name(number), "sealed": "c2VhbGVk", "keep": 3_600 })
}

fn find(number: u64) -> Value {
    json!({ "request": name(number), "asker": format!("{:032x}", 7) })
}

#[test]
fn an_answer_is_kept_found_fetched_and_survives_a_restart() {
    let folder = Folder::new();
    let desk = Desk::start(&folder);
    let approval = id(&desk.ask(&about_an_answer(1)));
    let answer = format!("/v1/approvals/{approval}/answer");
    let nobody = desk.post("/v1/answers", EDGE, &find(1)).refusal();
    assert_eq!(nobody, (404, "not_found".to_owned()));
    let before = desk.get("/v1/standing", EDGE).ok();
    assert_eq!(before["answers"], json!([]));
    let kept = desk.post(&answer, EDGE, &keep(1)).ok();
    assert_eq!(kept["state"], "pending");
    // The first one stays.
    let other = with(keep(1), json!({ "sealed": "b3RoZXI=" }));
    desk.post(&answer, EDGE, &other).ok();
    let stands = desk.get("/v1/standing", EDGE).ok();
    assert_eq!(stands["answers"], json!([name(1)[..32]]));
    assert_ne!(stands["revision"], before["revision"]);
    assert_eq!(desk.get("/v1/standing", INNER).ok()["answers"], json!([]));

    desk.kill();
    let desk = Desk::start(&folder);
    let found = desk.post("/v1/answers", EDGE, &find(1)).ok();
    assert_eq!(found["id"], *approval);
    assert_eq!(found["request"], name(1));
    assert_eq!(found["binding"], about_an_answer(1)["binding"]);
    assert_eq!(found["state"], "pending");
    let seen = desk.get(&format!("/v1/approvals/{approval}"), ANA).ok();
    assert_eq!(seen["waiting"], 2);
    let early = desk.get(&answer, EDGE).refusal();
    assert_eq!(early, (409, "not_approved".to_owned()));
    desk.decide(&approval, "approve", ANA).ok();
    let found = desk.post("/v1/answers", EDGE, &find(1)).ok();
    assert_eq!(found["state"], "approved");
    let fetched = desk.get(&answer, EDGE).ok();
    assert_eq!(fetched, json!({ "id": approval, "sealed": "c2VhbGVk" }));
    // No other filter hears of it.
    let other = desk.post("/v1/answers", INNER, &find(1));
    assert_eq!((other.status, desk.get(&answer, INNER).status), (404, 404));
    let reviewer = desk.get(&answer, ANA).refusal();
    assert_eq!(reviewer, (403, "wrong_key".to_owned()));
    desk.claim(&approval, &about_an_answer(1), 1).ok();
    let used = desk.post("/v1/answers", EDGE, &find(1));
    assert_eq!((used.status, desk.get(&answer, EDGE).status), (404, 409));
    // What came back is there once more.
    desk.give_back(&approval, 1).ok();
    assert_eq!(desk.get(&answer, EDGE).ok()["sealed"], "c2VhbGVk");
}

#[test]
fn what_is_not_as_it_has_to_be_is_not_kept() {
    let folder = Folder::new();
    let config = folder.config_changed(json!({ "answers": { "mebibytes": 1 } }));
    let desk = Desk::start_with(&config, &folder.store());
    let approval = id(&desk.ask(&about_an_answer(1)));
    let answer = format!("/v1/approvals/{approval}/answer");
    for wrong in [
        json!({ "request": "x" }),
        json!({ "sealed": "#" }),
        json!({ "sealed": "" }),
        json!({ "keep": 0 }),
        json!({ "keep": 86_401 }),
    ] {
        let refused = desk.post(&answer, EDGE, &with(keep(1), wrong)).refusal();
        assert_eq!(refused, (400, "malformed".to_owned()));
    }
    // More than there is room for, and what would be too large for any desk.
    let large = with(keep(1), json!({ "sealed": "AAAA".repeat(400_000) }));
    let refused = desk.post(&answer, EDGE, &large).refusal();
    assert_eq!(refused, (429, "answers_full".to_owned()));
    let huge = with(keep(1), json!({ "sealed": "AAAA".repeat(1_500_000) }));
    let refused = desk.post(&answer, EDGE, &huge).refusal();
    assert_eq!(refused, (413, "too_large".to_owned()));
    assert_eq!(desk.get("/v1/standing", EDGE).ok()["answers"], json!([]));
    // What was refused is as if nobody had tried.
    desk.post(&answer, EDGE, &keep(1)).ok();
    let request = id(&desk.ask(&question(2)));
    let refused = desk.post(&format!("/v1/approvals/{request}/answer"), EDGE, &keep(2));
    assert_eq!(refused.refusal(), (409, "no_answer".to_owned()));
}

/// A store, a clock, and a ledger that takes everything.
struct Driven {
    store: Box<dyn Store>,
    now: i64,
}

impl Driven {
    fn on(place: &Place) -> Self {
        Self {
            store: place.open(),
            now: START,
        }
    }

    fn run<T>(&mut self, mut act: impl FnMut(&mut Work<'_>) -> Result<T, Halt>) -> Option<T> {
        let now = self.now;
        let mut enter: Enter = Box::new(|_| true);
        let mut reply = None;
        transact(
            &mut *self.store,
            &mut |_| Ok(now),
            &mut enter,
            &mut |work| match act(work) {
                Ok(done) => {
                    reply = Some(done);
                    Ok(())
                }
                Err(Halt::Refused(_)) => Ok(()),
                Err(Halt::Store(error)) => Err(error),
            },
        )
        .unwrap();
        reply
    }

    /// Asks about an answer that is kept.
    fn kept(&mut self, number: u64) -> String {
        let asked: Question = serde_json::from_value(about_an_answer(number)).unwrap();
        let id = self
            .run(|work| acts::ask(work, &asked, "edge", Limits::STANDARD))
            .unwrap()
            .id;
        let keep: Keep = serde_json::from_value(keep(number)).unwrap();
        self.run(|work| acts::keep(work, &id, &keep, b"sealed", "edge", Room::STANDARD))
            .unwrap();
        id
    }

    fn find(&mut self, number: u64) -> Option<State> {
        let find: Find = serde_json::from_value(find(number)).unwrap();
        let found = self.run(|work| acts::find(work, &find, "edge"))?;
        assert_eq!(found.request, name(number));
        Some(found.answer.state)
    }

    fn fetch(&mut self, id: &str) -> bool {
        self.run(|work| acts::fetch(work, id, "edge")).is_some()
    }

    fn decide(&mut self, id: &str, kind: DecisionKind) {
        let ana = Person {
            name: "ana".to_owned(),
            groups: vec!["ml-leads".to_owned()],
            subjects: Vec::new(),
            email: None,
            break_glass: false,
            blocks: true,
            quotas: false,
        };
        let verdict = Verdict {
            kind,
            reason: None,
            break_glass: false,
        };
        self.run(|work| acts::decide(work, id, &verdict, &ana, &People::new()))
            .unwrap();
    }

    fn claim(&mut self, id: &str, number: u64) -> ClaimState {
        let claim = Claim {
            claim: format!("{number:032x}"),
            binding: about_an_answer(number)["binding"]
                .as_str()
                .unwrap()
                .to_owned(),
            exchange: format!("{number:032x}"),
        };
        self.run(|work| acts::claim(work, id, &claim, "edge"))
            .unwrap()
            .state
    }

    fn sweep(&mut self) {
        self.run(|work| acts::sweep(work, acts::KEPT_FOR));
    }

    fn names(&mut self) -> usize {
        let stands = self.run(|work| acts::standing(work, "edge", None));
        let Some(Standing::Changed(stands)) = stands else {
            panic!("{stands:?}");
        };
        stands.answers.unwrap().len()
    }

    fn bytes(&mut self) -> u64 {
        self.run(|work| Ok(work.rows.answers_size()?.1)).unwrap()
    }
}

/// On SQLite, and on PostgreSQL where there is one.
fn on_both(test: fn(&Place)) {
    test(&Place::File(Folder::new()));
    if let Some(cluster) = Cluster::start() {
        test(&Place::of(&cluster));
    }
}

#[test]
fn what_becomes_of_an_answer_is_the_same_on_both_stores() {
    on_both(|place| {
        let mut desk = Driven::on(place);
        // Denied: nothing of it is left, but that it was denied.
        let denied = desk.kept(1);
        assert_eq!((desk.find(1), desk.bytes()), (Some(State::Pending), 6));
        desk.decide(&denied, DecisionKind::Deny);
        assert_eq!((desk.find(1), desk.bytes()), (Some(State::Denied), 0));
        desk.now += DENIED_FOR + 1;
        desk.sweep();
        assert_eq!((desk.find(1), desk.names()), (None, 0));

        // Approved: fetched and claimed once; what came back in time is there again.
        let approved = desk.kept(2);
        assert!(!desk.fetch(&approved));
        desk.decide(&approved, DecisionKind::Approve);
        assert_eq!(desk.find(2), Some(State::Approved));
        assert!(desk.fetch(&approved));
        assert_eq!(desk.claim(&approved, 2), ClaimState::Claimed);
        assert_eq!((desk.find(2), desk.fetch(&approved)), (None, false));
        let back = GiveBack {
            claim: format!("{:032x}", 2),
            why: WhyBack::Unanswered,
        };
        desk.run(|work| acts::give_back(work, &approved, &back, "edge"));
        assert_eq!(desk.find(2), Some(State::Approved));
        assert!(desk.fetch(&approved));
        desk.now += USED_FOR + 1;
        desk.sweep();
        assert_eq!((desk.find(2), desk.names(), desk.bytes()), (None, 0, 0));

        // Taken back, it is gone at once.
        let revoked = desk.kept(3);
        desk.decide(&revoked, DecisionKind::Approve);
        desk.decide(&revoked, DecisionKind::Revoke);
        assert_eq!((desk.find(3), desk.fetch(&revoked)), (None, false));
        desk.now += 1;
        desk.sweep();
        assert_eq!(desk.bytes(), 0);
    });
}

#[test]
fn a_kept_answer_waits_for_its_client_as_long_as_it_is_kept() {
    on_both(|place| {
        let mut desk = Driven::on(place);
        let asked = desk.kept(1);
        let asker = about_an_answer(1)["asker"].as_str().unwrap().to_owned();
        desk.run(|work| acts::cancel(work, &asked, &asker, "edge"));
        desk.now += ALONE_FOR + 1;
        desk.sweep();
        assert_eq!(desk.find(1), Some(State::Pending));
        desk.now = START + AN_HOUR;
        desk.sweep();
        assert_eq!((desk.find(1), desk.names(), desk.bytes()), (None, 0, 0));
        // Of several answers to one request, the one that was approved is found, or else the latest.
        let first = desk.kept(2);
        let asked: Question = serde_json::from_value(about_an_answer(9)).unwrap();
        let second = desk
            .run(|work| acts::ask(work, &asked, "edge", Limits::STANDARD))
            .unwrap()
            .id;
        let keep: Keep = serde_json::from_value(keep(2)).unwrap();
        desk.run(|work| acts::keep(work, &second, &keep, b"other", "edge", Room::STANDARD))
            .unwrap();
        desk.decide(&second, DecisionKind::Deny);
        assert_eq!(desk.find(2), Some(State::Denied));
        desk.decide(&first, DecisionKind::Approve);
        assert_eq!(desk.find(2), Some(State::Approved));
    });
}

#[test]
fn no_more_are_kept_than_there_is_room_for() {
    on_both(|place| {
        let mut desk = Driven::on(place);
        desk.kept(1);
        let asked: Question = serde_json::from_value(about_an_answer(2)).unwrap();
        let id = desk
            .run(|work| acts::ask(work, &asked, "edge", Limits::STANDARD))
            .unwrap()
            .id;
        let keep: Keep = serde_json::from_value(keep(2)).unwrap();
        let rooms = [(1, 100, false), (2, 11, false), (2, 12, true)];
        for (answers, bytes, fits) in rooms {
            let room = Room { answers, bytes };
            let kept = desk.run(|work| acts::keep(work, &id, &keep, b"sealed", "edge", room));
            assert_eq!(kept.is_some(), fits, "{room:?}");
        }
    });
}
