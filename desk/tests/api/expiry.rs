//! What time does to an approval: the store is told the time here.

use rusqlite::Connection;

use portcullis_desk::approvals::{
    APPROVED_FOR, Approval, DENIED_FOR, Limits, PENDING_FOR, Question, State, Trouble, ask, decide,
    look, take,
};
use portcullis_desk::http::Person;
use portcullis_desk::store::{self, Durability};
use serde_json::json;

use crate::harness::{ANA, Desk, EDGE, Folder, id, question, with};

const START: i64 = 1_800_000_000_123;
const LATER: i64 = START + 1_000_000;

struct Store {
    connection: Connection,
    _folder: Folder,
}

impl Store {
    fn new() -> Self {
        let folder = Folder::new();
        Self {
            connection: store::Store::create(&folder.store())
                .unwrap()
                .connect(Durability::Normal)
                .unwrap(),
            _folder: folder,
        }
    }

    fn ask(&mut self, number: u64, now: i64) -> (String, State) {
        let question = asked(number);
        let answer = ask(
            &mut self.connection,
            &question,
            "edge",
            Limits::STANDARD,
            now,
        );
        let answer = answer.unwrap().unwrap();
        (answer.id, answer.state)
    }

    fn decide(&mut self, id: &str, approve: bool, now: i64) -> Result<(), Trouble> {
        self.decide_entered(id, approve, now, true)
    }

    /// The same where the ledger takes the decision or doesn't.
    fn decide_entered(
        &mut self,
        id: &str,
        approve: bool,
        now: i64,
        entered: bool,
    ) -> Result<(), Trouble> {
        let ana = Person {
            name: "ana".to_owned(),
            groups: vec!["ml-leads".to_owned()],
        };
        let enter = |_: &Approval| entered;
        decide(&mut self.connection, id, approve, &ana, None, now, enter)
            .unwrap()
            .map(drop)
    }

    fn take(&mut self, id: &str, now: i64) -> State {
        take(&mut self.connection, id, now).unwrap().unwrap().state
    }
}

fn asked(number: u64) -> Question {
    serde_json::from_value(question(number)).unwrap()
}

#[test]
fn a_question_waits_for_a_day_from_when_it_was_asked() {
    let mut store = Store::new();
    let (id, _) = store.ask(1, START);
    // Asking again doesn't begin the day anew.
    assert_eq!(
        store.ask(1, START + PENDING_FOR - 1),
        (id.clone(), State::Pending)
    );
    assert_eq!(store.take(&id, START + PENDING_FOR), State::Expired);
    assert_eq!(
        store.decide(&id, true, START + PENDING_FOR),
        Err(Trouble::Expired)
    );
    let (new, state) = store.ask(1, START + PENDING_FOR);
    assert_eq!(state, State::Pending);
    assert_ne!(new, id);
}

#[test]
fn an_approval_waits_for_half_an_hour_from_the_decision() {
    let mut store = Store::new();
    let (id, _) = store.ask(1, START);
    store.decide(&id, true, LATER).unwrap();
    let shown = look(&mut store.connection, &id, LATER).unwrap().unwrap();
    assert_eq!(shown.created, "2027-01-15T08:00:00.123Z");
    assert_eq!(shown.decided.as_deref(), Some("2027-01-15T08:16:40.123Z"));
    assert_eq!(shown.expires, "2027-01-15T08:46:40.123Z");
    assert_eq!(store.take(&id, LATER + APPROVED_FOR), State::Expired);
    assert_eq!(
        store.decide(&id, true, LATER + APPROVED_FOR),
        Err(Trouble::Decided)
    );
    let (new, state) = store.ask(1, LATER + APPROVED_FOR);
    assert_eq!(state, State::Pending);
    assert_ne!(new, id);

    let (id, _) = store.ask(2, START);
    store.decide(&id, true, LATER).unwrap();
    assert_eq!(
        store.ask(2, LATER + APPROVED_FOR - 1),
        (id, State::Approved)
    );
}

#[test]
fn a_denial_is_remembered_for_an_hour_from_the_decision() {
    let mut store = Store::new();
    let (id, _) = store.ask(1, START);
    store.decide(&id, false, LATER).unwrap();
    assert_eq!(
        store.ask(1, LATER + DENIED_FOR - 1),
        (id.clone(), State::Denied)
    );
    let (new, state) = store.ask(1, LATER + DENIED_FOR);
    assert_eq!(state, State::Pending);
    assert_ne!(new, id);
    assert_eq!(store.take(&id, LATER + DENIED_FOR), State::Denied);
}

#[test]
fn the_desk_as_a_whole_has_a_limit_that_expiry_makes_room_in() {
    let mut store = Store::new();
    let limits = Limits {
        subject: 10,
        total: 2,
    };
    let mut put = |number: u64, now: i64| {
        let subject = json!({ "subject": format!("subject {number}") });
        let question = serde_json::from_value(with(question(number), subject)).unwrap();
        let answer = ask(&mut store.connection, &question, "edge", limits, now).unwrap();
        answer.map(|answer| answer.state)
    };
    assert_eq!(put(1, START), Ok(State::Pending));
    assert_eq!(put(2, START + 1), Ok(State::Pending));
    assert_eq!(put(3, START + 2), Err(Trouble::TotalLimit));
    assert_eq!(put(3, START + PENDING_FOR), Ok(State::Pending));
}

#[test]
fn an_expired_question_is_gone_for_its_reviewers() {
    let folder = Folder::new();
    let desk = Desk::start(&folder);
    let id = id(&desk.ask(&question(1)));
    let other = Connection::open(folder.store()).unwrap();
    let moved = other
        .execute("UPDATE approvals SET expires = expires - ?1", [PENDING_FOR])
        .unwrap();
    assert_eq!(moved, 1);
    assert_eq!(
        desk.decide(&id, "approve", ANA).refusal(),
        (410, "expired".to_owned())
    );
    let target = format!("/v1/approvals/{id}?wait=60");
    assert_eq!(desk.get(&target, EDGE).ok()["state"], "expired");
    assert_ne!(desk.ask(&question(1))["id"], json!(id));
}

#[test]
fn a_decision_that_is_not_entered_changes_nothing() {
    let mut store = Store::new();
    let (id, _) = store.ask(1, START);
    let refused = store.decide_entered(&id, true, LATER, false);
    assert_eq!(refused, Err(Trouble::NotEntered));
    assert_eq!(store.take(&id, LATER), State::Pending);
    store.decide_entered(&id, false, LATER, true).unwrap();
    assert_eq!(store.take(&id, LATER), State::Denied);
}
