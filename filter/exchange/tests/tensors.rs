//! Tensors behind JSON, as Triton answers over HTTP: `InferRequestClass::SetResponseHeader` and
//! `FinalizeResponse` in
//! <https://github.com/triton-inference-server/server/blob/main/src/http_server.cc>.

use std::rc::Rc;

use serde_json::{Value, json};

use super::{Driven, bytes, code, compiled, reply};
use crate::approval::{Decision, Trouble};
use crate::exchange::{CompiledPolicy, Effect, Event, Flow, Outcome};
use crate::testing::gzip;

const HEADER: &str = "inference-header-content-length";

/// Behind an address it makes a tensor that is longer than 99 bytes, until the address is masked.
const REST: &str =
    " is said to be a person who has written a number of examples for a number of protocols.";

fn policy(action: &Value) -> Rc<CompiledPolicy> {
    compiled(&json!({
        "approvals": {"cluster": "desk", "wait": "30s", "credential": "Bearer ${KEY}"},
        "masks": {"pii": {"detect": [{"is": "email", "action": action}]}},
        "rules": [
            {"name": "all", "when": {"operation": ["*", "unknown"]}, "then": "allow", "mask": ["pii"]},
        ],
    }))
}

fn masked() -> Rc<CompiledPolicy> {
    policy(&json!("mask"))
}

fn asked_for(compiled: &Rc<CompiledPolicy>, path: &str) -> Driven {
    let mut exchange = Driven::new(compiled);
    let head = exchange.head("POST", path, &[("content-type", "application/json")], false);
    assert_eq!(head.flow, Flow::Continue, "{head:?}");
    exchange
}

fn asked(compiled: &Rc<CompiledPolicy>) -> Driven {
    asked_for(compiled, "/v2/models/small-1/infer")
}

/// An answer with this text in a tensor, and so many bytes of numbers behind it; how long its JSON is.
fn answer(text: &str, numbers: usize) -> (usize, Vec<u8>) {
    let length = u32::try_from(text.len()).unwrap();
    let tensor = [&length.to_le_bytes()[..], text.as_bytes()].concat();
    let output = |name: &str, datatype: &str, size: usize| {
        json!({"name": name, "datatype": datatype, "shape": [1],
            "parameters": {"binary_data_size": size}})
    };
    let json = json!({"model_name": "small-1", "model_version": "1", "outputs": [
        output("text_output", "BYTES", tensor.len()),
        output("scores", "FP32", numbers),
    ]});
    let json = json.to_string();
    let body = [json.as_bytes(), &tensor, &vec![0x3f; numbers]].concat();
    (json.len(), body)
}

fn respond(exchange: &mut Driven, headers: &[(&str, &str)]) -> Outcome {
    let status = [(":status", "200")];
    let headers: Vec<(&str, &str)> = status.iter().chain(headers).copied().collect();
    let headers = bytes(&headers);
    exchange.handle(Event::ResponseHead {
        cluster: None,
        headers: &headers,
        end: false,
    })
}

/// A head as Triton writes it.
fn begun(exchange: &mut Driven, json: usize, length: usize) -> Outcome {
    let (json, length) = (json.to_string(), length.to_string());
    respond(
        exchange,
        &[
            ("content-type", "application/octet-stream"),
            (HEADER, &json),
            ("content-length", &length),
        ],
    )
}

fn piece(exchange: &mut Driven, piece: &[u8], end: bool) -> Outcome {
    exchange.handle(Event::ResponseBody { piece, end })
}

fn said(json: usize) -> Effect {
    Effect::SetResponseHeader {
        name: HEADER.to_owned(),
        value: json.to_string().into_bytes(),
    }
}

/// What is held goes nowhere.
fn assert_held(exchange: &Driven, outcome: &Outcome) {
    assert_eq!(outcome.effects, [Effect::ReplaceResponseBody(Vec::new())]);
    assert_eq!(outcome.flow, Flow::Hold);
    assert!(exchange.holds_answer());
}

#[test]
fn the_head_waits_for_the_length_of_the_json() {
    let (json, body) = answer(&format!("ana@example.com{REST}"), 12);
    let (masked_json, masked_body) = answer(&format!("[EMAIL]{REST}"), 12);
    assert_eq!(json, masked_json + 1);
    for cut in 1..body.len() {
        let mut exchange = asked(&masked());
        let head = begun(&mut exchange, json, body.len());
        assert_eq!(
            head.effects,
            [Effect::RemoveResponseHeader("content-length".to_owned())]
        );
        assert_eq!(head.flow, Flow::Hold);
        assert!(exchange.holds_answer());
        let outcome = piece(&mut exchange, &body[..cut], false);
        let (front, behind) = if cut < body.len() - 12 {
            assert_held(&exchange, &outcome);
            let outcome = piece(&mut exchange, &body[cut..], true);
            (outcome, Vec::new())
        } else {
            let behind = piece(&mut exchange, &body[cut..], true);
            let [Effect::ReplaceResponseBody(behind)] = behind.effects.as_slice() else {
                panic!("{behind:?}");
            };
            (outcome, behind.clone())
        };
        assert_eq!(front.flow, Flow::Continue);
        let [header, Effect::ReplaceResponseBody(front)] = front.effects.as_slice() else {
            panic!("{front:?}");
        };
        assert_eq!(*header, said(masked_json));
        assert_eq!([front.as_slice(), &behind].concat(), masked_body);
        assert!(!exchange.holds_answer());
        let record = exchange.record();
        assert_eq!(record["response"]["matches"], json!({"email": 1}));
        assert_eq!(record["response"]["masked"], true);
    }
}

#[test]
fn what_has_nothing_to_mask_keeps_its_header() {
    let (json, body) = answer("nothing", 3 << 20);
    let mut exchange = asked(&masked());
    begun(&mut exchange, json, body.len());
    let mut out = Vec::new();
    let mut pieces = body.chunks(60_000).peekable();
    while let Some(one) = pieces.next() {
        let outcome = piece(&mut exchange, one, pieces.peek().is_none());
        assert_eq!(outcome.flow, Flow::Continue);
        let [Effect::ReplaceResponseBody(one)] = outcome.effects.as_slice() else {
            panic!("{outcome:?}");
        };
        out.extend_from_slice(one);
    }
    assert!(out == body);
}

#[test]
fn a_length_that_stays_is_not_set_again() {
    // As long as what it stands for.
    let (json, body) = answer("a@bc.de", 0);
    let mut exchange = asked(&masked());
    begun(&mut exchange, json, body.len());
    let outcome = piece(&mut exchange, &body, true);
    let expected = answer("[EMAIL]", 0).1;
    assert_eq!(outcome.effects, [Effect::ReplaceResponseBody(expected)]);
}

#[test]
fn compressed_answers_are_read_and_trailers_end_them() {
    let (json, body) = answer(&format!("ana@example.com{REST}"), 0);
    let (masked_json, masked_body) = answer(&format!("[EMAIL]{REST}"), 0);
    let mut exchange = asked(&masked());
    let json = json.to_string();
    // Whatever the content-type is.
    let head = respond(
        &mut exchange,
        &[
            ("content-type", "application/json"),
            (HEADER, &json),
            ("content-encoding", "gzip"),
        ],
    );
    assert_eq!(
        head.effects,
        [Effect::RemoveResponseHeader("content-encoding".to_owned())]
    );
    let coded = gzip(&body);
    let outcome = piece(&mut exchange, &coded[..20], false);
    assert_held(&exchange, &outcome);
    let outcome = piece(&mut exchange, &coded[20..], false);
    let sent = [said(masked_json), Effect::ReplaceResponseBody(masked_body)];
    assert_eq!(outcome.effects, sent);
    assert_eq!(outcome.flow, Flow::Continue);
    let outcome = exchange.handle(Event::ResponseTrailers { trailers: &[] });
    assert_eq!(outcome.flow, Flow::Continue);
}

#[test]
fn what_does_not_add_up_is_refused() {
    let (json, body) = answer("ana@example.com", 12);
    let octets = ("content-type", "application/octet-stream");
    let right = json.to_string();
    for header in [
        "",
        "x",
        "+5",
        "-5",
        "5.0",
        "0x10",
        "99999999999999999999",
        "5, 5",
    ] {
        let mut exchange = asked(&masked());
        let outcome = respond(&mut exchange, &[octets, (HEADER, header)]);
        assert_eq!(reply(&outcome).status, 502, "{header}");
        // As the protocol's clients read errors.
        let body: Value = serde_json::from_str(&reply(&outcome).body).unwrap();
        assert!(body["error"].is_string(), "{body}");
        assert_eq!(exchange.record()["response"]["code"], "message_malformed");
    }
    let mut exchange = asked(&masked());
    let twice = respond(&mut exchange, &[octets, (HEADER, &right), (HEADER, &right)]);
    assert_eq!(reply(&twice).status, 502);
    let mut exchange = asked(&masked());
    let charset = ("content-type", "application/octet-stream; charset=utf-16");
    assert_eq!(
        reply(&respond(&mut exchange, &[charset, (HEADER, &right)])).status,
        502
    );
    // Elsewhere the header says nothing.
    let mut exchange = asked_for(&masked(), "/v1/chat/completions");
    let elsewhere = respond(&mut exchange, &[octets, (HEADER, &right)]);
    assert_eq!(code(&elsewhere), "media_type_not_maskable");

    let refused = |json: usize, body: &[u8]| {
        let mut exchange = asked(&masked());
        begun(&mut exchange, json, body.len());
        let (front, behind) = body.split_at(body.len() / 2);
        let outcome = piece(&mut exchange, front, false);
        let outcome = match outcome.effects.as_slice() {
            [Effect::ReplaceResponseBody(_)] => {
                assert_held(&exchange, &outcome);
                piece(&mut exchange, behind, true)
            }
            _ => outcome,
        };
        assert_eq!(reply(&outcome).status, 502);
        let record = exchange.record();
        record["response"]["code"].as_str().unwrap().to_owned()
    };
    assert_eq!(refused(json - 1, &body), "message_malformed");
    assert_eq!(refused(json + 1, &body), "message_malformed");
    assert_eq!(refused(json, &body[..json + 5]), "message_truncated");
    assert_eq!(refused(1 << 21, &body), "piece_too_large");
    let more = [body.as_slice(), b"x"].concat();
    assert_eq!(refused(json, &more), "message_malformed");
}

/// Behind a head that has gone there is no answer that could take its place.
#[test]
fn numbers_that_do_not_end_where_they_should_are_cut() {
    let (json, body) = answer("ana@example.com", 12);
    for (behind, end) in [
        (&body[body.len() - 5..body.len() - 1], true),
        (&[0; 20][..], false),
    ] {
        let mut exchange = asked(&masked());
        begun(&mut exchange, json, 1 << 20);
        let front = piece(&mut exchange, &body[..body.len() - 5], false);
        assert_eq!(front.flow, Flow::Continue);
        let outcome = piece(&mut exchange, behind, end);
        assert!(
            outcome.effects.contains(&Effect::CutResponse),
            "{outcome:?}"
        );
    }
}

#[test]
fn a_mask_that_makes_it_too_long_refuses_it() {
    let (json, body) = answer(&"a@b.de ".repeat(140_000), 0);
    assert!(body.len() < 1 << 20);
    let mut exchange = asked(&masked());
    begun(&mut exchange, json, body.len());
    let outcome = piece(&mut exchange, &body, true);
    assert_eq!(reply(&outcome).status, 502);
    assert_eq!(exchange.record()["response"]["code"], "piece_too_large");
}

#[test]
fn what_only_counts_lets_it_go_as_it_comes() {
    let (json, body) = answer("ana@example.com", 12);
    let mut exchange = asked(&policy(&json!("alert")));
    let head = begun(&mut exchange, json, body.len());
    assert_eq!((head.effects, head.flow), (Vec::new(), Flow::Continue));
    for (part, end) in [(&body[..9], false), (&body[9..], true)] {
        let outcome = piece(&mut exchange, part, end);
        assert_eq!(
            outcome.effects,
            [Effect::ReplaceResponseBody(part.to_vec())]
        );
        assert_eq!(outcome.flow, Flow::Continue);
    }
    assert_eq!(exchange.record()["response"]["alerts"], json!({"email": 1}));
    // What can't be read passes as well.
    let mut exchange = asked(&policy(&json!("alert")));
    begun(&mut exchange, 3, body.len());
    let outcome = piece(&mut exchange, &body, true);
    assert_eq!(outcome.effects, [Effect::ReplaceResponseBody(body)]);
}

#[test]
fn a_match_may_cut_it_before_its_head_has_gone() {
    let (json, body) = answer("ana@example.com", 12);
    let mut exchange = asked(&policy(&json!("cut")));
    begun(&mut exchange, json, body.len());
    let outcome = piece(&mut exchange, &body, true);
    assert_eq!(reply(&outcome).status, 403);
    assert_eq!(exchange.record()["response"]["code"], "match_withheld");
}

#[test]
fn it_may_wait_for_a_person_with_the_header_that_it_will_have() {
    let compiled = compiled(&json!({
        "approvals": {"cluster": "desk", "wait": "30s", "credential": "Bearer ${KEY}"},
        "masks": {"gate": {"detect": [
            "ip", {"is": "email", "action": {"approve": {"reviewers": ["leads"]}}},
        ]}},
        "rules": [{"name": "all", "then": "allow", "mask": ["gate"]}],
    }));
    let (_, rest) = REST.split_at(16);
    let (json, body) = answer(&format!("ana@example.com, 203.0.113.7{rest}"), 5);
    let (masked_json, masked_body) = answer(&format!("ana@example.com, [IP]{rest}"), 5);
    let mut exchange = asked(&compiled);
    begun(&mut exchange, json, body.len());
    let outcome = piece(&mut exchange, &body[..body.len() - 2], false);
    assert_held(&exchange, &outcome);
    let outcome = piece(&mut exchange, &body[body.len() - 2..], true);
    let [header, sent, Effect::Ask(ask)] = outcome.effects.as_slice() else {
        panic!("{outcome:?}");
    };
    assert_eq!(*header, said(masked_json));
    assert_eq!(*sent, Effect::ReplaceResponseBody(masked_body));
    assert_eq!(outcome.flow, Flow::Hold);
    let failed = exchange.decided(ask, &Decision::Trouble(Trouble::NoAnswer));
    assert_ne!(failed.flow, Flow::Continue);
}

fn prompts() -> Rc<CompiledPolicy> {
    compiled(&json!({
        "masks": {"pii": {"detect": ["email"]}},
        "rules": [{"name": "all", "then": "allow", "mask_request": ["pii"]}],
    }))
}

/// What becomes of a request with this header and body.
fn requested(header: &str, body: &[u8]) -> Outcome {
    let mut exchange = Driven::new(&prompts());
    let length = body.len().to_string();
    let head = exchange.head(
        "POST",
        "/v2/models/small-1/infer",
        &[
            ("content-type", "application/octet-stream"),
            ("content-length", &length),
            (HEADER, header),
        ],
        false,
    );
    if !exchange.wants_body() {
        return head;
    }
    exchange.handle(Event::RequestWhole { body })
}

#[test]
fn requests_with_tensors_are_masked_too() {
    let request = |text: &str| {
        let (json, body) = answer(text, 4);
        let json = String::from_utf8(body[..json].to_vec()).unwrap();
        let json = json.replace("outputs", "inputs");
        (
            json.len(),
            [json.as_bytes(), &body[json.len() + 1..]].concat(),
        )
    };
    let (json, body) = request(&format!("ana@example.com{REST}"));
    let (masked_json, masked_body) = request(&format!("[EMAIL]{REST}"));
    let outcome = requested(&json.to_string(), &body);
    assert_eq!(outcome.flow, Flow::Continue);
    let set = |name: &str, value: usize| Effect::SetRequestHeader {
        name: name.to_owned(),
        value: value.to_string(),
    };
    for effect in [
        set("content-length", masked_body.len()),
        set(HEADER, masked_json),
        Effect::ReplaceRequestBody(masked_body),
    ] {
        assert!(outcome.effects.contains(&effect), "{effect:?}");
    }
    let (json, same) = request("nothing");
    let outcome = requested(&json.to_string(), &same);
    let replaces = |effect: &Effect| matches!(effect, Effect::ReplaceRequestBody(_));
    assert!(outcome.flow == Flow::Continue && !outcome.effects.iter().any(replaces));
    for (header, body) in [
        ("", body.as_slice()),
        ("+1", &body),
        ("0", &body),
        ("1", &body),
        ("9999", &body),
        (&json.to_string(), &body[..body.len() - 1]),
        ("0", b"ana@example.com"),
    ] {
        assert_eq!(reply(&requested(header, body)).status, 415, "{header}");
    }
}

/// Triton writes the outputs in the order in which they were asked for.
#[test]
fn numbers_in_front_of_a_text_are_held_as_far_as_the_policy_says() {
    let text = "write to ana@example.com";
    let output = |name: &str, datatype: &str, size: usize| {
        json!({"name": name, "datatype": datatype, "shape": [1],
            "parameters": {"binary_data_size": size}})
    };
    let numbers = 3 << 20;
    let length = u32::try_from(text.len()).unwrap();
    let outputs = [
        output("scores", "FP32", numbers),
        output("text", "BYTES", text.len() + 4),
    ];
    let json = json!({"outputs": outputs}).to_string();
    let front = [json.as_bytes(), &vec![0x3f; numbers]].concat();
    let whole = [&front[..], &length.to_le_bytes(), text.as_bytes()].concat();
    for (held, code) in [(None, Some("piece_too_large")), (Some("4MiB"), None)] {
        let limits = held.map_or(json!({}), |held| json!({"held_answer": held}));
        let compiled = compiled(&json!({
            "limits": limits,
            "masks": {"pii": {"detect": ["email"]}},
            "rules": [{"name": "all", "then": "allow", "mask": ["pii"]}],
        }));
        let mut exchange = asked(&compiled);
        begun(&mut exchange, json.len(), whole.len());
        let mut last = None;
        for chunk in whole.chunks(1 << 16) {
            let outcome = piece(&mut exchange, chunk, false);
            let goes = outcome.flow == Flow::Continue;
            let refused = outcome
                .effects
                .iter()
                .any(|it| matches!(it, Effect::Reply(_)));
            last = Some(outcome);
            if goes || refused {
                break;
            }
        }
        let outcome = last.unwrap();
        if let Some(expected) = code {
            assert!(reply(&outcome).body.contains("held_answer"));
            assert_eq!(exchange.record()["response"]["code"], expected);
            continue;
        }
        assert_eq!(outcome.flow, Flow::Continue);
        let out = outcome.effects.iter().find_map(|effect| match effect {
            Effect::ReplaceResponseBody(bytes) => Some(bytes),
            _ => None,
        });
        let out = out.unwrap();
        assert!(out.ends_with(b"\x10\0\0\0write to [EMAIL]"));
        assert_eq!(exchange.record()["response"]["bytes_sent"], out.len());
    }
}
