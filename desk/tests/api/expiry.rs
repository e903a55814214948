//! What time does to an approval: the store is told the time here.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use portcullis_desk::approvals::acts::{self, KEPT_FOR, Limits, People};
use portcullis_desk::approvals::machine::{
    ALONE_FOR, APPROVED_FOR, ASKER_LEASE, DENIED_FOR, Verdict,
};
use portcullis_desk::approvals::protocol::{Answer, ClaimState, DecisionKind, State};
use portcullis_desk::approvals::store;
use portcullis_desk::approvals::work::{Enter, Halt, Work, transact};
use portcullis_desk::http::Person;
use portcullis_desk::store::StoreError;
use rusqlite::Connection;
use serde_json::{Value, json};

use crate::cluster::{Cluster, Place};
use crate::harness::{ANA, Desk, Folder, id, question, with};

const START: i64 = 1_800_000_000_123;
const LATER: i64 = START + 1_000_000;
const A_DAY: i64 = 24 * 60 * 60 * 1000;

struct Store {
    rows: Box<dyn store::Store>,
    entered: bool,
    _place: Place,
    _cluster: Option<Cluster>,
}

fn ana() -> Person {
    Person {
        name: "ana".to_owned(),
        groups: vec!["ml-leads".to_owned()],
        subjects: Vec::new(),
        email: None,
        break_glass: false,
        blocks: true,
        quotas: false,
    }
}

impl Store {
    /// One in a file, and one in a database where there is PostgreSQL.
    fn each() -> impl Iterator<Item = Self> {
        let cluster = Cluster::start();
        let database = cluster.as_ref().map(Place::of);
        let database = database.map(|place| Self::new(place, cluster));
        std::iter::once(Self::new(Place::file(), None)).chain(database)
    }

    fn new(place: Place, cluster: Option<Cluster>) -> Self {
        Self {
            rows: place.open(),
            entered: true,
            _place: place,
            _cluster: cluster,
        }
    }

    fn run<T>(
        &mut self,
        now: i64,
        mut act: impl FnMut(&mut Work<'_>) -> Result<T, Halt>,
    ) -> Result<T, String> {
        let entered = self.entered;
        let mut enter: Enter = Box::new(move |_| entered);
        let mut reply = None;
        let done = transact(&mut *self.rows, &mut |_| Ok(now), &mut enter, &mut |work| {
            reply = Some(match act(work) {
                Err(Halt::Store(error)) => return Err(error),
                Err(Halt::Refused(refusal)) => Err(refusal.code.to_owned()),
                Ok(reply) => Ok(reply),
            });
            Ok(())
        });
        done.map_err(|failed| format!("{failed:?}"))?;
        reply.unwrap()
    }

    fn ask_as(&mut self, asked: &Value, limits: Limits, now: i64) -> Result<Answer, String> {
        let question = serde_json::from_value(asked.clone()).unwrap();
        self.run(now, |work| acts::ask(work, &question, "edge", limits))
    }

    fn ask(&mut self, number: u64, now: i64) -> (String, State) {
        let answer = self.ask_as(&question(number), Limits::STANDARD, now);
        let answer = answer.unwrap();
        (answer.id, answer.state)
    }

    fn decide(&mut self, id: &str, kind: DecisionKind, now: i64) -> Result<(), String> {
        let verdict = Verdict {
            kind,
            reason: None,
            break_glass: false,
        };
        self.run(now, |work| {
            acts::decide(work, id, &verdict, &ana(), &People::new()).map(drop)
        })
    }

    fn state(&mut self, id: &str, now: i64) -> State {
        let answer = self.run(now, |work| acts::wait(work, id, None, "edge"));
        answer.unwrap().state
    }
}

#[test]
fn a_question_waits_for_a_day_from_when_it_was_asked() {
    for mut store in Store::each() {
        let (id, _) = store.ask(1, START);
        // Asking again doesn't begin the day anew.
        assert_eq!(
            store.ask(1, START + A_DAY - 1),
            (id.clone(), State::Pending)
        );
        assert_eq!(store.state(&id, START + A_DAY), State::Expired);
        let late = store.decide(&id, DecisionKind::Approve, START + A_DAY);
        assert_eq!(late, Err("expired".to_owned()));
        let (new, state) = store.ask(1, START + A_DAY);
        assert_eq!(state, State::Pending);
        assert_ne!(new, id);
    }
}

#[test]
fn an_approval_waits_for_half_an_hour_from_the_decision() {
    for mut store in Store::each() {
        let (id, _) = store.ask(1, START);
        store.decide(&id, DecisionKind::Approve, LATER).unwrap();
        let shown = store
            .run(LATER, |work| acts::look(work, &id, &ana()))
            .unwrap();
        assert_eq!(shown.created, "2027-01-15T08:00:00.123Z");
        assert_eq!(shown.decided.as_deref(), Some("2027-01-15T08:16:40.123Z"));
        assert_eq!(shown.expires, "2027-01-15T08:46:40.123Z");
        assert_eq!(
            store.ask(1, LATER + APPROVED_FOR - 1),
            (id.clone(), State::Approved)
        );
        assert_eq!(store.state(&id, LATER + APPROVED_FOR), State::Expired);
        let again = store.decide(&id, DecisionKind::Approve, LATER + APPROVED_FOR);
        assert_eq!(again, Err("already_decided".to_owned()));
        let (new, state) = store.ask(1, LATER + APPROVED_FOR);
        assert_eq!(state, State::Pending);
        assert_ne!(new, id);
    }
}

#[test]
fn a_denial_is_remembered_for_an_hour_from_the_decision() {
    for mut store in Store::each() {
        let (id, _) = store.ask(1, START);
        store.decide(&id, DecisionKind::Deny, LATER).unwrap();
        assert_eq!(
            store.ask(1, LATER + DENIED_FOR - 1),
            (id.clone(), State::Denied)
        );
        let (new, state) = store.ask(1, LATER + DENIED_FOR);
        assert_eq!(state, State::Pending);
        assert_ne!(new, id);
        assert_eq!(store.state(&id, LATER + DENIED_FOR), State::Denied);
    }
}

#[test]
fn a_question_that_was_left_stays_open_for_a_while_and_is_opened_again() {
    for mut store in Store::each() {
        let (id, _) = store.ask(1, START);
        let asker = question(1)["asker"].as_str().unwrap().to_owned();
        let leave = |store: &mut Store, now| {
            let left = store.run(now, |work| acts::cancel(work, &id, &asker, "edge"));
            left.unwrap()
        };
        leave(&mut store, START);
        let end = START + ALONE_FOR;
        assert_eq!(store.state(&id, end - 1), State::Pending);
        assert_eq!(store.ask(1, end - 1), (id.clone(), State::Pending));
        assert_eq!(store.state(&id, end), State::Pending);
        leave(&mut store, end);
        assert_eq!(store.state(&id, end + ALONE_FOR), State::Expired);
    }
}

#[test]
fn the_desk_as_a_whole_has_a_limit_and_who_is_silent_makes_room() {
    for mut store in Store::each() {
        let limits = Limits {
            caller: 10,
            all: 2,
            caller_alone: 10,
            all_alone: 1,
        };
        let mut put = |number: u64, now: i64| {
            let subject = json!({ "subject": format!("subject {number}") });
            let asked = store.ask_as(&with(question(number), subject), limits, now);
            asked.map(|answer| answer.state)
        };
        assert_eq!(put(1, START), Ok(State::Pending));
        assert_eq!(put(2, START + 1), Ok(State::Pending));
        assert_eq!(put(3, START + 2), Err("too_many_pending".to_owned()));
        assert_eq!(put(3, START + 1 + ASKER_LEASE), Ok(State::Pending));
        let open = store.run(START + 1 + ASKER_LEASE, |work| {
            Ok(work.rows.open(work.now)?)
        });
        let open = open.unwrap();
        assert_eq!((open.pending, open.awaited), (2, 1), "the first gave way");
    }
}

#[test]
fn what_has_ended_is_kept_for_a_while_and_what_lives_for_longer() {
    for mut store in Store::each() {
        let year = json!({ "grant": { "for": 366 * 86_400 } });
        let wide = store.ask_as(&with(question(1), year), Limits::STANDARD, START);
        let wide = wide.unwrap().id;
        store.decide(&wide, DecisionKind::Approve, START).unwrap();
        let other = |number| with(question(number), json!({ "model": "other" }));
        let mut put = |number| {
            let asked = store.ask_as(&other(number), Limits::STANDARD, START);
            asked.unwrap().id
        };
        let (denied, open, used) = (put(2), put(3), put(4));
        store.decide(&denied, DecisionKind::Deny, START).unwrap();
        store.decide(&used, DecisionKind::Approve, START).unwrap();
        let claim = serde_json::from_value(json!({
            "claim": "1", "binding": question(4)["binding"], "exchange": "1",
        }));
        let claim = claim.unwrap();
        let claimed = store.run(START, |work| acts::claim(work, &used, &claim, "edge"));
        assert_eq!(claimed.unwrap().state, ClaimState::Claimed);
        let left = |store: &mut Store, now: i64| -> Vec<bool> {
            store.run(now, |work| acts::sweep(work, KEPT_FOR)).unwrap();
            let ids = [&denied, &used, &open, &wide];
            let is_there = |id: &&String| store.run(now, |work| Ok(work.rows.find(id)?.is_some()));
            ids.iter().map(is_there).collect::<Result<_, _>>().unwrap()
        };
        let end = START + APPROVED_FOR;
        assert_eq!(left(&mut store, end + KEPT_FOR - 1), [true; 4]);
        assert_eq!(
            left(&mut store, end + KEPT_FOR),
            [true, false, true, true],
            "a denial ends when it answers nothing any more"
        );
        let end = START + DENIED_FOR;
        assert_eq!(left(&mut store, end + KEPT_FOR), [false, false, true, true]);
        let end = START + A_DAY;
        assert_eq!(
            left(&mut store, end + KEPT_FOR),
            [false, false, false, true]
        );
        // What was taken back ended then.
        let end = end + KEPT_FOR;
        store.decide(&wide, DecisionKind::Revoke, end).unwrap();
        assert_eq!(left(&mut store, end + KEPT_FOR), [false; 4]);
    }
}

#[test]
fn what_has_ended_is_kept_as_long_as_records_but_a_day_at_least() {
    let days = |days: u64| Some(std::time::Duration::from_secs(days * 86_400));
    for (retention, kept) in [(None, 30), (days(365), 30), (days(7), 7), (days(0), 1)] {
        assert_eq!(acts::kept_for(retention), kept * A_DAY);
    }
}

/// A store whose lock is had after a while.
struct Slow {
    rows: Box<dyn store::Store>,
    time: Arc<AtomicI64>,
}

impl store::Store for Slow {
    fn begin(&mut self) -> Result<Box<dyn store::Rows + '_>, StoreError> {
        self.time.fetch_add(60_000, Ordering::Relaxed);
        self.rows.begin()
    }

    fn pulse(&mut self) -> Result<i64, StoreError> {
        self.rows.pulse()
    }
}

#[test]
fn a_transaction_goes_by_the_time_at_which_it_has_the_lock() {
    for store in Store::each() {
        let time = Arc::new(AtomicI64::new(START));
        let mut slow = Slow {
            rows: store.rows,
            time: Arc::clone(&time),
        };
        let mut enter: Enter = Box::new(|_| true);
        let mut seen = None;
        let mut clock = |rows: &mut dyn store::Rows| {
            let usual = portcullis_desk::store::now() - rows.now()?;
            assert!(usual.abs() < 60_000, "the store's clock: {usual}");
            Ok(time.load(Ordering::Relaxed))
        };
        let done = transact(&mut slow, &mut clock, &mut enter, &mut |work| {
            seen = Some(work.now);
            Ok(())
        });
        assert!(done.is_ok());
        assert_eq!(seen, Some(START + 60_000));
    }
}

#[test]
fn an_expired_question_is_gone_for_its_reviewers() {
    let folder = Folder::new();
    let desk = Desk::start(&folder);
    let id = id(&desk.ask(&with(question(1), json!({ "expires": 1 }))));
    desk.until("/v1/approvals?state=expired", |list| {
        list["approvals"].as_array().unwrap().len() == 1
    });
    assert_eq!(
        desk.decide(&id, "approve", ANA).refusal(),
        (409, "expired".to_owned())
    );
    assert_ne!(desk.ask(&question(1))["id"], json!(id));
}

#[test]
fn what_is_not_entered_changes_nothing() {
    for mut store in Store::each() {
        let (id, _) = store.ask(1, START);
        store.entered = false;
        let refused = store.decide(&id, DecisionKind::Approve, LATER);
        assert_eq!(refused, Err("NotEntered".to_owned()));
        let refused = store.ask_as(&question(2), Limits::STANDARD, LATER);
        assert_eq!(refused, Err("NotEntered".to_owned()));
        assert_eq!(store.state(&id, LATER), State::Pending);
        store.entered = true;
        store.decide(&id, DecisionKind::Deny, LATER).unwrap();
        assert_eq!(store.state(&id, LATER), State::Denied);
    }
}

#[test]
fn what_an_earlier_version_left_open_is_dropped_and_said() {
    let folder = Folder::new();
    let old = Connection::open(folder.store()).unwrap();
    old.execute_batch(include_str!("store_form_1.sql")).unwrap();
    drop(old);
    let desk = Desk::start(&folder);
    assert_eq!(desk.get("/v1/approvals", ANA).ok()["approvals"], json!([]));
    assert_eq!(desk.ask(&question(1))["state"], "pending");
    let (_, log) = desk.stop();
    assert!(
        log.contains("were dropped") && log.contains("approvals=1"),
        "{log}"
    );
}
