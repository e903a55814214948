//! States that an exchange must not leave, or leave in one way only.

use std::rc::Rc;

use serde_json::{Value, json};

use proptest::prelude::*;

use super::{Bodies, Driven, ask, bytes, call, claimed, code, compiled, decision, posts, reply};
use crate::exchange::{CompiledPolicy, Effect, Event, Flow, Outcome};

fn masked(detect: &Value) -> Rc<CompiledPolicy> {
    compiled(&json!({
        "approvals": {"cluster": "desk"},
        "masks": {"pii": {"detect": detect}},
        "rules": [{"name": "all", "then": "allow", "mask": ["pii"]}],
    }))
}

fn head(exchange: &mut Driven) -> Outcome {
    let headers = bytes(&[(":status", "200"), ("content-type", "text/plain")]);
    exchange.handle(Event::ResponseHead {
        cluster: None,
        headers: &headers,
        end: false,
    })
}

fn body(exchange: &mut Driven, piece: &str, end: bool) -> Outcome {
    exchange.handle(Event::ResponseBody {
        piece: piece.as_bytes(),
        end,
    })
}

#[test]
fn a_body_that_nobody_asked_for_does_not_switch_the_mask_off() {
    let mut exchange = Driven::new(&masked(&json!(["email"])));
    assert_eq!(exchange.chat().flow, Flow::Continue);
    assert_eq!(exchange.whole("{}").effects, []);
    assert_eq!(head(&mut exchange).flow, Flow::Continue);
    let outcome = body(&mut exchange, "write to ana@example.com", true);
    let sent = Effect::ReplaceResponseBody(b"write to [EMAIL]".to_vec());
    assert_eq!(outcome.effects, [sent]);
}

#[test]
fn nothing_goes_on_behind_a_cut() {
    let compiled = masked(&json!([{"is": "email", "action": "cut"}]));
    let mut exchange = Driven::new(&compiled);
    assert_eq!(exchange.chat().flow, Flow::Continue);
    head(&mut exchange);
    // The head goes with the first piece, and the match comes behind it.
    assert_eq!(
        body(&mut exchange, "a long text, ", false).flow,
        Flow::Continue
    );
    let cut = body(&mut exchange, "ana@example.com, ", false);
    assert!(cut.effects.contains(&Effect::CutResponse), "{cut:?}");
    for end in [false, true] {
        let late = body(&mut exchange, "and what comes behind it", end);
        assert_eq!(late.effects, [Effect::ReplaceResponseBody(Vec::new())]);
        assert_eq!(late.flow, Flow::Hold);
    }
    let late = exchange.handle(Event::ResponseTrailers { trailers: &[] });
    assert_eq!((late.effects, late.flow), (vec![], Flow::Hold));
    assert_eq!(
        exchange.record()["response"]["matches"],
        json!({"email": 1})
    );
}

/// What brings the end of a match.
const ENDS: [fn(&mut Driven) -> Outcome; 4] = [
    |exchange| body(exchange, "ple.com, and", false),
    |exchange| body(exchange, "ple.com", true),
    |exchange| {
        body(exchange, "ple.co", false);
        exchange.handle(Event::ResponseTrailers { trailers: &[] })
    },
    |exchange| {
        let trailers = bytes(&[("x-a", "bob@example.com")]);
        exchange.handle(Event::ResponseTrailers {
            trailers: &trailers,
        })
    },
];

/// Where trailers may follow, the head waits with a piece whose end is undecided.
#[test]
fn an_answer_that_still_waits_for_its_tick_is_refused_and_not_cut() {
    let compiled = masked(&json!([{"is": "email", "action": "cut"}]));
    let media = [
        ("text/plain", "I write \"to ana@exam"),
        ("application/json", "[\n\"to ana@exam"),
        ("text/event-stream", "data: \"to ana@exam"),
    ];
    let cases = media.into_iter().flat_map(|(media, front)| {
        // An event is read once it is whole.
        let from = usize::from(media == "text/event-stream");
        ENDS[from..].iter().map(move |end| (end, media, front))
    });
    for (end, media, front) in cases {
        let mut exchange = Driven::new(&compiled);
        exchange.chat();
        let headers = bytes(&[(":status", "200"), ("content-type", media)]);
        let outcome = exchange.handle(Event::ResponseHead {
            cluster: None,
            headers: &headers,
            end: false,
        });
        assert_eq!(outcome.flow, Flow::Hold);
        let first = body(&mut exchange, front, false);
        assert_eq!(first.flow, Flow::Hold);
        let outcome = end(&mut exchange);
        assert_eq!(code(&outcome), "match_withheld", "{media}");
        assert_eq!(reply(&outcome).status, 403);
        let nothing = Effect::ReplaceResponseBody(Vec::new());
        assert!(outcome.effects.contains(&nothing));
        let late = body(&mut exchange, "more", true);
        assert_eq!((late.effects, late.flow), (vec![nothing], Flow::Hold));
        let record = exchange.record();
        assert_eq!(record["response"]["bytes_sent"], 0);
        assert_eq!(record["response"]["matches"], json!({"email": 1}));
    }
}

#[test]
fn an_answer_that_a_tick_has_let_go_is_cut() {
    let compiled = masked(&json!([{"is": "email", "action": "cut"}]));
    for end in &ENDS[..3] {
        let mut exchange = Driven::new(&compiled);
        exchange.chat();
        head(&mut exchange);
        assert_eq!(body(&mut exchange, "to ana@exam", false).flow, Flow::Hold);
        assert_eq!(exchange.handle(Event::Tick).flow, Flow::Continue);
        let outcome = end(&mut exchange);
        assert!(
            outcome.effects.contains(&Effect::CutResponse),
            "{outcome:?}"
        );
    }
}

/// Policies whose answers wait, each in its own way.
fn waiting() -> Vec<Rc<CompiledPolicy>> {
    let masks = [
        json!({"detect": ["email"]}),
        json!({"detect": [{"is": "email", "action": "cut"}]}),
        json!({"detect": ["email"], "action": "alert"}),
        json!({"detect": ["email"], "action": {"approve": {"reviewers": ["leads"]}}}),
    ];
    let policy = |(index, mask): (usize, Value)| {
        let mut policy = json!({
            "approvals": {"cluster": "desk"},
            "masks": {"pii": mask},
            "rules": [{"name": "all", "when": {"operation": ["*", "unknown"]}, "then": "allow", "mask": ["pii"]}],
        });
        if index % 2 == 0 {
            policy["upstream"] = json!({"credential": {"header": "x-key", "value": "${KEY}"}});
        }
        compiled(&policy)
    };
    masks.into_iter().enumerate().map(policy).collect()
}

const MEDIA: [&str; 6] = [
    "text/plain",
    "application/json",
    "text/event-stream",
    "application/vnd.amazon.eventstream",
    "application/octet-stream",
    "multipart/mixed; boundary=b",
];

const PIECES: [&str; 9] = [
    "",
    "to ana@exam",
    "ple.com, and",
    "\n",
    "data: \"service-",
    "key\"\n\n",
    "\0\0\0\u{7f}",
    "a\0b\0",
    "\r\n--b\r\ncontent-type: x/y\r\n\r\n",
];

proptest! {
    /// The contract is checked with each event.
    #[test]
    fn no_order_of_events_leads_to_what_is_not_valid(
        policy in 0..4usize,
        media in 0..MEDIA.len(),
        chunked: bool,
        come: bool,
        events in proptest::collection::vec(0..16usize, 0..12),
    ) {
        let mut exchange = Driven::new(&waiting()[policy]);
        exchange.bodies = if come { Bodies::HandedOver } else { Bodies::Unknown };
        exchange.chat_as_host();
        let mut headers = vec![(":status", "200"), ("content-type", MEDIA[media])];
        if chunked {
            headers.push(("transfer-encoding", "chunked"));
        }
        let headers = bytes(&headers);
        exchange.handle_as_host(Event::ResponseHead { cluster: None, headers: &headers, end: false });
        for event in events {
            let trailers = bytes(&[("x-a", "ana@example.com"), ("x-b", "service-key")]);
            let call = crate::call::Answer::Failed;
            exchange.handle_as_host(match event {
                0 => Event::Tick,
                1 => Event::ResponseTrailers { trailers: &trailers },
                2 => Event::ResponseTrailers { trailers: &[] },
                3 => Event::CallAnswered {
                    purpose: crate::exchange::Purpose::AnswerClaim,
                    number: 1,
                    answer: call,
                },
                4 => Event::RequestPiece { held: 3, end: true },
                5 => Event::ResponseBody { piece: b"x", end: true },
                6 => Event::KeysRenewed,
                other => Event::ResponseBody {
                    piece: PIECES[(other - 7) % PIECES.len()].as_bytes(),
                    end: false,
                },
            });
        }
        exchange.record();
    }
}

#[test]
fn an_answer_that_nobody_looks_at_has_no_count_of_bytes() {
    let mut exchange = Driven::new(&compiled(&json!({})));
    assert_eq!(exchange.chat().flow, Flow::Continue);
    head(&mut exchange);
    let response = &exchange.record()["response"];
    assert_eq!(response["bytes_received"], Value::Null);
    assert_eq!(response["bytes_sent"], Value::Null);
}

/// A policy under which two requests of a minute pass, once a person has approved.
fn counted(rules: &Value) -> Rc<CompiledPolicy> {
    compiled(&json!({
        "approvals": {"cluster": "desk", "wait": "1m"},
        "masks": {"cut": {"detect": [{"is": "email", "action": "cut"}]}},
        "quotas": {"two": {"by": ["subject"], "count": "requests", "limit": 2, "per": "1m"}},
        "rules": rules,
    }))
}

/// Another request of the same counts.
fn next(compiled: &Rc<CompiledPolicy>, before: &Driven) -> Driven {
    let mut exchange = Driven::new(compiled);
    exchange.store = Rc::clone(&before.store);
    exchange.now = before.now;
    exchange
}

#[test]
fn a_prompt_that_a_mask_refuses_is_not_charged() {
    let compiled = counted(&json!([
        {"name": "all", "then": "allow", "quota": ["two"], "mask_request": ["cut"]},
    ]));
    let mut exchange = Driven::new(&compiled);
    for _ in 0..3 {
        assert_eq!(exchange.chat().flow, Flow::Hold);
        let outcome = exchange.whole(r#"{"messages":["ana@example.com"]}"#);
        assert_eq!(code(&outcome), "match_withheld");
        assert_eq!(exchange.record()["verdict"]["quotas"], json!([]));
        exchange = next(&compiled, &exchange);
    }
    for passes in [true, true, false] {
        exchange.chat();
        let outcome = exchange.whole(r#"{"messages":["hello"]}"#);
        assert_eq!(outcome.flow == Flow::Continue, passes);
        exchange = next(&compiled, &exchange);
    }
}

#[test]
fn nobody_is_asked_about_a_request_that_a_quota_refuses() {
    let rules = json!([
        {"name": "gate", "then": {"approve": {"reviewers": ["leads"]}}},
        {"name": "all", "then": "allow", "quota": ["two"]},
    ]);
    let compiled = counted(&rules);
    let mut exchange = Driven::new(&compiled);
    for _ in 0..2 {
        exchange = next(&compiled, &exchange);
        let asked = ask(&exchange.head("GET", "/v1/models", &[], true));
        let claim = call(&exchange.decided(&asked, &decision("apr_1", "approved")));
        let went = exchange.answered(&claim, Some((200, &claimed(&claim, &asked))));
        assert_eq!(went.flow, Flow::Continue);
    }
    let mut third = next(&compiled, &exchange);
    let outcome = third.head("GET", "/v1/models", &[], true);
    assert_eq!(code(&outcome), "quota_exceeded");
    assert_eq!(third.record()["approvals"], json!([]));
}

#[test]
fn a_request_that_waits_for_a_person_takes_nothing() {
    let rules = json!([
        {"name": "gate", "then": {"approve": {"reviewers": ["leads"]}}},
        {"name": "all", "then": "allow", "quota": ["two"]},
    ]);
    let compiled = counted(&rules);
    let mut exchange = Driven::new(&compiled);
    let mut waiting = Vec::new();
    for _ in 0..3 {
        exchange = next(&compiled, &exchange);
        let asked = ask(&exchange.head("GET", "/v1/models", &[], true));
        let spare = next(&compiled, &exchange);
        waiting.push((asked, core::mem::replace(&mut exchange, spare)));
    }
    for (number, (asked, mut exchange)) in waiting.into_iter().enumerate() {
        let claim = call(&exchange.decided(&asked, &decision("apr_1", "approved")));
        let outcome = exchange.answered(&claim, Some((200, &claimed(&claim, &asked))));
        if number < 2 {
            assert_eq!(outcome.flow, Flow::Continue);
            continue;
        }
        // Others were faster: what was approved goes back, and is found by the same request later.
        assert_eq!(code(&outcome), "quota_exceeded");
        let back = posts(&outcome);
        assert_eq!(back.len(), 1);
        assert_eq!(back[0].0, "/v1/approvals/apr_1/give_back");
        assert_eq!(exchange.record()["verdict"]["charges"], json!([]));
    }
}
