//! Trailers, and a gRPC status in a head.

use std::rc::Rc;

use serde_json::{Value, json};

use super::{Driven, bytes, compiled, reply};
use crate::exchange::{CompiledPolicy, Effect, Event, Flow, Outcome};

/// A policy whose only rule has this mask.
fn ruled(mask: &Value) -> Rc<CompiledPolicy> {
    compiled(&json!({
        "approvals": {"cluster": "desk"},
        "masks": {"m": mask},
        "rules": [{"name": "all", "then": "allow", "mask": ["m"]}],
    }))
}

fn called(compiled: &Rc<CompiledPolicy>) -> Driven {
    let mut exchange = Driven::new(compiled);
    let path = "/inference.GRPCInferenceService/ModelInfer";
    let headers = [("content-type", "application/grpc")];
    let outcome = exchange.head("POST", path, &headers, false);
    let outcome = match outcome.flow {
        Flow::Hold => exchange.handle(Event::RequestWhole {
            body: &[0, 0, 0, 0, 0],
        }),
        Flow::Continue => outcome,
    };
    assert_eq!(outcome.flow, Flow::Continue);
    exchange
}

fn head(exchange: &mut Driven, more: &[(&str, &str)], end: bool) -> Outcome {
    let mut headers = vec![(":status", "200"), ("content-type", "application/grpc")];
    headers.extend(more);
    let headers = bytes(&headers);
    exchange.handle(Event::ResponseHead {
        cluster: None,
        headers: &headers,
        end,
    })
}

fn trailers(exchange: &mut Driven, trailers: &[(&str, &str)]) -> Outcome {
    let trailers = bytes(trailers);
    exchange.handle(Event::ResponseTrailers {
        trailers: &trailers,
    })
}

fn set(name: &str, value: &str) -> Effect {
    Effect::SetResponseTrailer {
        name: name.to_owned(),
        value: value.as_bytes().to_vec(),
    }
}

fn gone(name: &str) -> Effect {
    Effect::RemoveResponseTrailer(name.to_owned())
}

const STATUS: (&str, &str) = ("grpc-status", "3");
const NO_BODY: Effect = Effect::ReplaceResponseBody(Vec::new());

#[test]
fn a_status_without_a_body_is_masked() {
    let mut exchange = called(&ruled(&json!({"detect": ["email"]})));
    let outcome = head(
        &mut exchange,
        &[
            STATUS,
            ("grpc-message", "no jane%40example.com"),
            ("x-of", "jane@example.com"),
        ],
        true,
    );
    let value = b"no [EMAIL]".to_vec();
    let name = "grpc-message".to_owned();
    assert_eq!(outcome.effects, [Effect::SetResponseHeader { name, value }]);
    assert_eq!(outcome.flow, Flow::Continue);
    let record = exchange.record();
    assert_eq!(record["response"]["matches"], json!({"email": 1}));
    assert_eq!(record["response"]["masked"], true);
    assert!(!record.to_string().contains("jane@"), "{record}");
}

#[test]
fn a_status_without_a_match_goes_as_it_came() {
    let mut exchange = called(&ruled(&json!({"detect": ["email"]})));
    let status = [STATUS, ("grpc-message", "caf%c3%a9 %2525")];
    assert_eq!(head(&mut exchange, &status, true).effects, []);
    assert_eq!(exchange.record()["response"]["matches"], json!({}));

    let mut exchange = called(&ruled(&json!({"detect": ["email"]})));
    head(&mut exchange, &[], false);
    let outcome = trailers(&mut exchange, &status);
    assert_eq!(outcome.effects, [NO_BODY]);
}

#[test]
fn all_trailers_are_masked_and_counted() {
    let mut exchange = called(&ruled(&json!({"detect": ["email", "ip"]})));
    head(&mut exchange, &[], false);
    let outcome = trailers(
        &mut exchange,
        &[
            STATUS,
            ("grpc-message", "no jane%40example.com"),
            // A status whose message is the address, and no status.
            ("grpc-status-details-bin", "EhBqYW5lQGV4YW1wbGUuY29t"),
            ("x-of", "joe@example.com"),
            ("x-of", "203.0.113.7"),
            ("x-cost", "12"),
            ("content-digest", "sha-256=:x:"),
        ],
    );
    assert_eq!(
        outcome.effects,
        [
            gone("content-digest"),
            set("grpc-message", "no [EMAIL]"),
            set("grpc-status-details-bin", "EgdbRU1BSUxd"),
            set("x-of", "[EMAIL],[IP]"),
            NO_BODY
        ]
    );
    let record = exchange.record();
    assert_eq!(record["response"]["matches"], json!({"email": 3, "ip": 1}));
}

#[test]
fn details_that_cannot_be_read_go() {
    for (mask, left) in [
        (
            json!({"detect": ["email"]}),
            vec![gone("grpc-status-details-bin"), NO_BODY],
        ),
        (json!({"detect": ["email"], "action": "alert"}), vec![]),
    ] {
        let mut exchange = called(&ruled(&mask));
        head(&mut exchange, &[], false);
        let outcome = trailers(&mut exchange, &[STATUS, ("grpc-status-details-bin", "*")]);
        assert_eq!(outcome.effects, left);
    }
}

#[test]
fn fields_of_messages_are_none_of_a_status() {
    let mask = json!({"detect": ["email"], "fields": {"grpc_remove": ["2"]}});
    let mut exchange = called(&ruled(&mask));
    head(&mut exchange, &[], false);
    let details = ("grpc-status-details-bin", "EhBqYW5lQGV4YW1wbGUuY29t");
    let outcome = trailers(&mut exchange, &[STATUS, details]);
    let masked = set("grpc-status-details-bin", "EgdbRU1BSUxd");
    assert_eq!(outcome.effects, [masked, NO_BODY]);
}

#[test]
fn what_is_only_counted_stays() {
    let mut exchange = called(&ruled(&json!({"detect": ["email"], "action": "alert"})));
    let message = ("grpc-message", "no jane%40example.com");
    assert_eq!(head(&mut exchange, &[message], false).effects, []);
    let outcome = trailers(&mut exchange, &[STATUS, message, ("digest", "x")]);
    assert_eq!(outcome.effects, []);
    let record = exchange.record();
    assert_eq!(record["response"]["alerts"], json!({"email": 2}));
    assert_eq!(record["response"]["matches"], json!({}));
    assert_eq!(record["response"]["masked"], false);
}

#[test]
fn a_match_that_cuts_refuses_the_answer_or_takes_its_value() {
    let cut = ruled(&json!({"detect": ["email"], "action": "cut"}));
    let message = ("grpc-message", "no jane%40example.com");
    for whole in [true, false] {
        let mut exchange = called(&cut);
        let outcome = if whole {
            let outcome = head(&mut exchange, &[STATUS, message], true);
            assert_eq!(outcome.effects.len(), 1, "no body to change: {outcome:?}");
            outcome
        } else {
            assert_eq!(head(&mut exchange, &[], false).flow, Flow::Hold);
            trailers(&mut exchange, &[STATUS, message])
        };
        assert_eq!(reply(&outcome).status, 403);
        assert_eq!(reply(&outcome).grpc_status, 7);
        let record = exchange.record();
        assert_eq!(record["response"]["code"], "match_withheld");
        assert_eq!(record["response"]["status"], 403);
        assert_eq!(record["response"]["matches"], json!({"email": 1}));
    }
    let mut exchange = called(&cut);
    head(&mut exchange, &[], false);
    exchange.handle(Event::ResponseBody {
        piece: &[0, 0, 0, 0, 0],
        end: false,
    });
    let outcome = trailers(&mut exchange, &[STATUS, message]);
    assert_eq!(outcome.flow, Flow::Continue);
    assert_eq!(outcome.effects, [gone("grpc-message"), NO_BODY]);
    let record = exchange.record();
    assert_eq!(record["response"]["code"], "match_withheld");
    assert_eq!(record["response"]["matches"], json!({"email": 1}));
}

#[test]
fn what_would_wait_for_a_person_is_masked() {
    let ask = json!({"detect": ["email"], "action": {"approve": {"reviewers": ["leads"]}}});
    let message = ("grpc-message", "no jane%40example.com");
    let mut exchange = called(&ruled(&ask));
    let outcome = head(&mut exchange, &[STATUS, message], true);
    let value = b"no [EMAIL]".to_vec();
    let name = "grpc-message".to_owned();
    assert_eq!(outcome.effects, [Effect::SetResponseHeader { name, value }]);
    assert_eq!(outcome.flow, Flow::Continue);

    let mut exchange = called(&ruled(&ask));
    assert_eq!(head(&mut exchange, &[], false).flow, Flow::Hold);
    let outcome = trailers(&mut exchange, &[STATUS, message]);
    assert_eq!(
        outcome.effects,
        [set("grpc-message", "no [EMAIL]"), NO_BODY]
    );
    assert_eq!(outcome.flow, Flow::Continue);
    assert_eq!(
        exchange.record()["response"]["matches"],
        json!({"email": 1})
    );
}

#[test]
fn values_are_put_back_in_a_status() {
    let compiled = compiled(&json!({
        "pseudonyms": {"key": "a key of tests, long enough to be one"},
        "masks": {"m": {"detect": ["email"], "style": "pseudonym"}},
        "rules": [{"name": "all", "then": "allow", "mask_request": ["m"], "restore": true}],
    }));
    let mut exchange = Driven::new(&compiled);
    assert_eq!(exchange.chat().flow, Flow::Hold);
    let prompt = r#"{"model":"m","messages":[{"role":"user","content":"I am ana@example.com"}]}"#;
    let outcome = exchange.whole(prompt);
    let sent = outcome.effects.iter().find_map(|effect| match effect {
        Effect::ReplaceRequestBody(bytes) => Some(String::from_utf8(bytes.clone()).unwrap()),
        _ => None,
    });
    let sent = sent.unwrap();
    let (_, name) = sent.split_once("I am ").unwrap();
    let name = name.split('"').next().unwrap();
    head(&mut exchange, &[], false);
    let outcome = trailers(
        &mut exchange,
        &[("grpc-message", &format!("who is {name}?"))],
    );
    assert_eq!(
        outcome.effects,
        [set("grpc-message", "who is ana@example.com?"), NO_BODY]
    );
    let record = exchange.record();
    assert_eq!(record["response"]["restored"], 1);
}

#[test]
fn trailers_behind_a_body_without_text_are_masked_too() {
    let mut exchange = called(&ruled(&json!({"detect": ["email"]})));
    let headers = bytes(&[(":status", "200"), ("content-type", "image/png")]);
    let outcome = exchange.handle(Event::ResponseHead {
        cluster: None,
        headers: &headers,
        end: false,
    });
    assert_eq!(outcome.effects, []);
    let outcome = trailers(&mut exchange, &[("x-of", "jane@example.com")]);
    assert_eq!(outcome.effects, [set("x-of", "[EMAIL]")]);
    assert_eq!(outcome.flow, Flow::Continue);
}
