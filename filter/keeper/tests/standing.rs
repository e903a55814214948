//! What stands at the desk is asked for, one question at a time.

use core::time::Duration;

use serde_json::{Value, json};

use super::{Effect, Event, Kept, Level, NEVER, Purpose, ec_public, with};
use crate::call::{Answer, Call, Message};
use crate::exchange::CompiledPolicy;
use crate::metric::Metric;

fn asking(approvals: &Value) -> Kept {
    let policy = json!({
        "version": 1,
        "identity": {"providers": [{"name": "corp", "issuer": "https://idp", "audiences": ["inference"],
            "keys": {"jwks": {"keys": [ec_public(1, "a")]}}}]},
        "approvals": approvals,
        "rules": [{"name": "all", "then": "allow"}],
    });
    let key = |_: &str| Some("desk-key".to_owned());
    with(CompiledPolicy::load(&policy.to_string(), &key).unwrap())
}

fn usual() -> Kept {
    asking(&json!({"cluster": "desk", "credential": "Bearer ${KEY}"}))
}

const LISTED: &str = r#"{"revision": "r1", "lease_ms": 2000, "grants": [], "blocks": []}"#;
const UNCHANGED: &str = r#"{"revision": "r1", "unchanged": true}"#;

impl Kept {
    /// The question that a tick asks, if it asks one.
    fn poll(&mut self) -> Option<Call<Purpose>> {
        let mut calls = self.tick().into_iter().filter_map(|effect| match effect {
            Effect::Call(call) => Some(call),
            _ => None,
        });
        let call = calls.next();
        assert!(calls.next().is_none(), "one question at a time");
        call
    }

    fn path(&mut self) -> Option<String> {
        self.poll().map(|call| match call.message {
            Message::Http { path, .. } => path,
            Message::Grpc { .. } => panic!("gRPC"),
        })
    }

    fn standing_answered(&mut self, answer: Answer<'_>) -> Vec<Effect> {
        let purpose = Purpose::Standing;
        let mut effects = self.handle(Event::CallAnswered { purpose, answer });
        effects.retain(|effect| !matches!(effect, Effect::TickEvery(_)));
        effects
    }

    fn stands(&mut self, body: &str) -> Vec<Effect> {
        self.standing_answered(Answer::Http {
            status: 200,
            coding: b"",
            body: body.as_bytes(),
        })
    }

    fn pass(&mut self, milliseconds: u64) {
        self.now += Duration::from_millis(milliseconds);
    }
}

#[test]
fn the_desk_is_asked_from_the_start_and_again_once_it_has_answered() {
    let mut kept = usual();
    kept.start();
    let call = kept.poll().unwrap();
    assert_eq!(
        (call.cluster.as_str(), call.timeout),
        ("desk", Duration::from_secs(2))
    );
    assert_eq!(
        call.message,
        Message::Http {
            method: "GET",
            scheme: None,
            path: "/v1/standing?wait=0".to_owned(),
            headers: vec![("authorization", "Bearer desk-key".to_owned())],
            body: Vec::new(),
        }
    );
    kept.pass(5);
    assert_eq!(kept.poll(), None);
    assert_eq!(kept.stands(LISTED), []);
    // However soon it answers, it is not asked more often than this.
    kept.pass(244);
    assert_eq!(kept.poll(), None);
    kept.pass(1);
    let call = kept.poll().unwrap();
    assert_eq!(call.timeout, Duration::from_secs(3));
    kept.pass(1010);
    assert_eq!(kept.stands(UNCHANGED), []);
    assert_eq!(
        kept.path().unwrap(),
        "/v1/standing?since=r1&wait=1",
        "a wait that is over is followed by another one at once"
    );
}

#[test]
fn a_desk_that_does_not_answer_is_asked_more_and_more_seldom_and_told_of_once() {
    let mut kept = usual();
    kept.start();
    let mut pauses = Vec::new();
    let mut lines = 0;
    for _ in 0..8 {
        assert!(kept.poll().is_some());
        let effects = kept.standing_answered(Answer::NotSent);
        assert!(effects.contains(&Effect::Change(Metric::StandingFailed, 1)));
        lines += effects
            .iter()
            .filter(|effect| matches!(effect, Effect::Log { level: Level::Warn, line } if line.contains("can't be called")))
            .count();
        let from = kept.now;
        while kept.keeper.standing.due().unwrap() > kept.now {
            assert_eq!(kept.poll(), None);
            kept.pass(50);
        }
        pauses.push((kept.now - from).as_millis());
    }
    assert_eq!(pauses, [250, 500, 1000, 2000, 4000, 5000, 5000, 5000]);
    assert_eq!(lines, 1);
    kept.poll().unwrap();
    let effects = kept.stands(LISTED);
    let told =
        |effect: &Effect| matches!(effect, Effect::Log { line, .. } if line.contains("says again"));
    assert!(
        effects.iter().all(told) && effects.len() == 1,
        "{effects:?}"
    );
    kept.pass(250);
    assert!(kept.poll().is_some());
}

#[test]
fn each_way_to_fail_says_why() {
    let status = |status, body| Answer::Http {
        status,
        coding: b"",
        body,
    };
    for (answer, why) in [
        (Answer::Failed, "no answer in time"),
        (status(401, b""), "credential"),
        (status(404, b""), "no /v1/standing"),
        (status(500, b""), "status 500"),
        (status(200, b"{"), "JSON"),
        (
            status(200, br#"{"revision": "r1", "lease_ms": 1, "blocks": []}"#),
            "no list",
        ),
    ] {
        let mut kept = usual();
        kept.start();
        kept.poll().unwrap();
        let effects = kept.standing_answered(answer);
        let told =
            |effect: &Effect| matches!(effect, Effect::Log { line, .. } if line.contains(why));
        assert!(effects.iter().any(told), "{why}: {effects:?}");
    }
}

#[test]
fn who_does_not_want_to_know_does_not_ask_and_nobody_asks_after_the_end() {
    let mut kept = asking(&json!({"cluster": "desk", "standing": false}));
    kept.start();
    assert_eq!(kept.poll(), None);

    let mut kept = usual();
    kept.start();
    kept.poll().unwrap();
    kept.handle(Event::Ended);
    assert_eq!(kept.stands(LISTED), []);
    kept.pass(60_000);
    assert_eq!(kept.tick(), [NEVER]);
}

#[test]
fn counts_that_the_desk_has_reset_are_logged_by_the_worker_that_does_it() {
    let mut kept = counting();
    kept.start();
    kept.poll().unwrap();
    let resets = r#"[{"id": "rst_1", "quota": "few", "key": ["subject", "corp", "jane"], "left_ms": 9000},
        {"id": "rst_2", "quota": "none", "key": [], "left_ms": 9000}]"#;
    let listed = LISTED.replace("\"grants\"", &format!("\"resets\": {resets}, \"grants\""));
    let lines = |effects: Vec<Effect>| -> Vec<String> {
        let lines = effects.into_iter().filter_map(|effect| match effect {
            Effect::Log { line, .. } => Some(line),
            _ => None,
        });
        lines.collect()
    };
    let line = "a count of the quota few was reset, as the desk says (rst_1)";
    assert_eq!(lines(kept.stands(&listed)), [line]);
    for answer in [UNCHANGED, &listed] {
        kept.pass(1000);
        kept.poll().unwrap();
        assert_eq!(kept.stands(answer), []);
    }
}

/// One whose table can't be used for a while empties what is to be emptied once it can.
#[test]
fn a_reset_that_fails_is_done_later() {
    let mut kept = counting();
    kept.start();
    kept.poll().unwrap();
    let resets =
        r#"[{"id": "rst_1", "quota": "few", "key": ["subject", "corp", "jane"], "left_ms": 9000}]"#;
    let listed = LISTED.replace("\"grants\"", &format!("\"resets\": {resets}, \"grants\""));
    let table = core::mem::replace(&mut kept.shared, crate::testing::Memory::broken());
    assert_eq!(kept.stands(&listed), []);
    kept.shared = table;
    kept.pass(1000);
    kept.poll().unwrap();
    assert_eq!(kept.stands(UNCHANGED).len(), 1);
}

fn counting() -> Kept {
    let policy = json!({
        "version": 1,
        "identity": {"providers": [{"name": "corp", "issuer": "https://idp", "audiences": ["inference"],
            "keys": {"jwks": {"keys": [ec_public(1, "a")]}}}]},
        "approvals": {"cluster": "desk"},
        "quotas": {"few": {"by": ["subject"], "count": "requests", "limit": 3, "per": "1h"}},
        "rules": [{"name": "all", "then": "allow", "quota": ["few"]}],
    });
    with(CompiledPolicy::load(&policy.to_string(), &|_| None).unwrap())
}
