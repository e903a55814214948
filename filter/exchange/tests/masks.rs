//! What becomes of matches: in requests, in answers, and between the two.

use std::rc::Rc;

use serde_json::{Value, json};

use super::{Driven, bytes, call, claimed, code, compiled, decision, reply, sets};
use crate::exchange::{CompiledPolicy, Effect, Event, Flow, Outcome};

const KEY: &str = "a key of tests, long enough to be one";

/// A policy with these members in its only rule.
fn ruled(members: Value) -> Rc<CompiledPolicy> {
    let mut rule = json!({
        "name": "all",
        "when": {"operation": ["*", "unknown"]},
        "then": "allow",
    });
    let members = members.as_object().unwrap().clone();
    rule.as_object_mut().unwrap().extend(members);
    compiled(&json!({
        "pseudonyms": {"key": KEY},
        "approvals": {"cluster": "desk"},
        "masks": {
            "names": {"detect": ["email"], "style": "pseudonym"},
            "labels": {"detect": ["email"]},
            "watch": {"detect": ["email"], "action": "alert"},
            "cut": {"detect": ["ip", {"is": "email", "action": "cut"}]},
        },
        "rules": [rule],
    }))
}

const PROMPT: &str =
    r#"{"model":"m","messages":[{"role":"user","content":"I am ana@example.com"}]}"#;

/// Sends a chat request with this body; `headers` come with it.
fn ask(exchange: &mut Driven, headers: &[(&str, &str)], body: &str) -> Outcome {
    let mut all = vec![("content-type", "application/json")];
    all.extend(headers);
    let head = exchange.head("POST", "/v1/chat/completions", &all, false);
    assert_eq!(head.flow, Flow::Hold);
    exchange.whole(body)
}

/// The body that goes to the model server in place of the caller's.
fn sent(outcome: &Outcome) -> Option<String> {
    outcome.effects.iter().find_map(|effect| match effect {
        Effect::ReplaceRequestBody(bytes) => Some(String::from_utf8(bytes.clone()).unwrap()),
        _ => None,
    })
}

fn respond(exchange: &mut Driven, media: &str) -> Outcome {
    let headers = bytes(&[
        (":status", "200"),
        ("content-type", media),
        ("content-length", "1"),
        ("transfer-encoding", "chunked"),
    ]);
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

fn text(outcome: &Outcome) -> String {
    match outcome.effects.as_slice() {
        [Effect::ReplaceResponseBody(bytes)] => String::from_utf8(bytes.clone()).unwrap(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_prompt_is_masked_and_its_length_and_digests_are_right() {
    let mut exchange = Driven::new(&ruled(json!({"mask_request": ["labels"]})));
    let length = PROMPT.len().to_string();
    let headers = [
        ("content-length", length.as_str()),
        ("content-digest", "sha-256=:x:"),
    ];
    let outcome = ask(&mut exchange, &headers, PROMPT);
    assert_eq!(outcome.flow, Flow::Continue);
    let body = sent(&outcome).unwrap();
    assert_eq!(body, PROMPT.replace("ana@example.com", "[EMAIL]"));
    assert_eq!(
        sets(&outcome, "content-length").unwrap(),
        body.len().to_string()
    );
    let gone = Effect::RemoveRequestHeader("content-digest".to_owned());
    assert!(outcome.effects.contains(&gone));
    let record = exchange.record();
    assert_eq!(record["request"]["masked"], true);
    assert_eq!(record["request"]["matches"], json!({"email": 1}));
    assert_eq!(record["request"]["bytes"], PROMPT.len());
    assert_eq!(record["response"]["matches"], json!({}));
    assert!(!record.to_string().contains("ana@"));
}

#[test]
fn a_prompt_without_a_match_goes_as_it_came() {
    let mut exchange = Driven::new(&ruled(json!({"mask_request": ["labels"]})));
    let prompt = PROMPT.replace("ana@example.com", "\\u0041na");
    let outcome = ask(&mut exchange, &[("content-length", "77")], &prompt);
    assert_eq!((outcome.effects, outcome.flow), (vec![], Flow::Continue));
}

#[test]
fn a_request_without_a_body_needs_none_masked() {
    let mut exchange = Driven::new(&ruled(json!({"mask_request": ["labels"]})));
    assert_eq!(
        exchange.head("GET", "/v1/models", &[], true).flow,
        Flow::Continue
    );
    assert_eq!(exchange.record()["request"]["matches"], json!({}));
}

#[test]
fn what_cannot_be_read_with_certainty_is_not_passed() {
    let utf16: Vec<u8> = "ana@example.com"
        .encode_utf16()
        .flat_map(u16::to_le_bytes)
        .collect();
    for (headers, body) in [
        (
            vec![("content-type", "multipart/form-data; boundary=x")],
            &b"--x\r\ncontent-type: application/octet-stream\r\n\r\nana\r\n--x--\r\n"[..],
        ),
        (vec![("content-type", "application/octet-stream")], b"x"),
        (vec![], b"x"),
        (vec![("content-type", "text/plain")], &utf16),
        (vec![("content-type", "text/plain")], b"\xff"),
        (vec![("content-type", "application/json")], &utf16),
        (
            vec![("content-type", "application/json")],
            b"{\"a\":1,\"a\":2}",
        ),
        (vec![("content-type", "application/x-ndjson")], b"{}\n{"),
        (
            vec![
                ("content-type", "text/plain"),
                ("content-encoding", "compress"),
            ],
            b"x",
        ),
    ] {
        for (mask, passes) in [("labels", false), ("watch", true)] {
            let mut exchange = Driven::new(&ruled(json!({"mask_request": [mask]})));
            let mut outcome = exchange.head("POST", "/upload", &headers, false);
            if exchange.wants_body() {
                assert_eq!(outcome.flow, Flow::Hold);
                outcome = exchange.handle(Event::RequestWhole { body });
            }
            if passes {
                assert_eq!((sent(&outcome), outcome.flow), (None, Flow::Continue));
            } else {
                assert_eq!(reply(&outcome).status, 415, "{headers:?}");
                let encoded = headers.iter().any(|(name, _)| *name == "content-encoding");
                let expected = if encoded {
                    "encoding_not_supported"
                } else {
                    "body_not_readable"
                };
                assert_eq!(code(&outcome), expected);
            }
        }
    }
    for (media, body, masked) in [
        (
            "text/plain; charset=utf-8",
            "from ana@example.com",
            "from [EMAIL]",
        ),
        (
            "application/x-ndjson",
            "{\"a\":\"ana@example.com\"}\n{}\n",
            "{\"a\":\"[EMAIL]\"}\n{}\n",
        ),
        (
            "multipart/form-data; boundary=x",
            "--x\r\ncontent-disposition: form-data; name=prompt\r\n\r\nI am ana@example.com\r\n--x--\r\n",
            "--x\r\ncontent-disposition: form-data; name=prompt\r\n\r\nI am [EMAIL]\r\n--x--\r\n",
        ),
        ("text/html", "<p>ana@example.com</p>", "<p>[EMAIL]</p>"),
        (
            "application/vnd.x+json",
            "[\"ana@example.com\"]",
            "[\"[EMAIL]\"]",
        ),
    ] {
        let mut exchange = Driven::new(&ruled(json!({"mask_request": ["labels"]})));
        exchange.head("POST", "/upload", &[("content-type", media)], false);
        assert_eq!(sent(&exchange.whole(body)).unwrap(), masked);
    }
}

#[test]
fn what_has_no_text_passes_without_waiting() {
    let mut exchange = Driven::new(&ruled(json!({"mask_request": ["labels"]})));
    let headers = [("content-type", "audio/wav")];
    let outcome = exchange.head("DELETE", "/v1/files/f1", &headers, false);
    assert_eq!(outcome.flow, Flow::Continue);
    assert!(!exchange.wants_body());
}

#[test]
fn calls_of_grpc_are_masked_or_refused() {
    for (method, held) in [
        ("ModelInfer", true),
        ("ServerLive", true),
        ("ModelStreamInfer", false),
    ] {
        let mut exchange = Driven::new(&ruled(json!({"mask_request": ["labels"]})));
        let path = format!("/inference.GRPCInferenceService/{method}");
        let headers = [("content-type", "application/grpc")];
        let outcome = exchange.head("POST", &path, &headers, false);
        assert_eq!(exchange.wants_body(), held, "{method}");
        if !held {
            assert_eq!(reply(&outcome).grpc_status, 3, "{method}");
        }
    }
}

#[test]
fn a_match_that_cuts_refuses_the_request() {
    let mut exchange = Driven::new(&ruled(json!({"mask_request": ["cut"]})));
    let outcome = ask(&mut exchange, &[], PROMPT);
    assert_eq!(reply(&outcome).status, 403);
    assert_eq!(code(&outcome), "match_withheld");
    let record = exchange.record();
    assert_eq!(record["verdict"]["code"], "match_withheld");
    assert_eq!(record["request"]["matches"], json!({"email": 1}));
}

#[test]
fn what_is_only_counted_changes_nothing() {
    let mut exchange = Driven::new(&ruled(
        json!({"mask": ["watch"], "mask_request": ["watch"]}),
    ));
    let outcome = ask(&mut exchange, &[("content-length", "99")], PROMPT);
    assert_eq!((outcome.effects, outcome.flow), (vec![], Flow::Continue));
    assert_eq!(respond(&mut exchange, "application/json").effects, []);
    let answer = r#"{"a": "bob@example.com" broken"#;
    let outcome = body(&mut exchange, answer, true);
    assert_eq!((outcome.effects, outcome.flow), (vec![], Flow::Continue));
    let record = exchange.record();
    for side in ["request", "response"] {
        assert_eq!(record[side]["alerts"], json!({"email": 1}));
        assert_eq!(record[side]["matches"], json!({}));
        assert_eq!(record[side]["masked"], false);
    }
}

#[test]
fn an_answer_that_is_only_counted_may_be_of_any_kind() {
    let mut exchange = Driven::new(&ruled(json!({"mask": ["watch"]})));
    assert_eq!(exchange.chat().flow, Flow::Continue);
    let outcome = respond(&mut exchange, "application/octet-stream");
    assert_eq!((outcome.effects, outcome.flow), (vec![], Flow::Continue));
}

#[test]
fn an_answer_that_begins_with_what_cuts_is_refused() {
    let mut exchange = Driven::new(&ruled(json!({"mask": ["cut"]})));
    assert_eq!(exchange.chat().flow, Flow::Continue);
    // The head waits for what the body begins with.
    assert_eq!(respond(&mut exchange, "application/json").flow, Flow::Hold);
    let outcome = body(&mut exchange, r#"{"a":"ana@example.com"}"#, true);
    assert_eq!(reply(&outcome).status, 403);
    assert_eq!(code(&outcome), "match_withheld");
    let record = exchange.record();
    assert_eq!(record["response"]["code"], "match_withheld");
    assert_eq!(record["response"]["matches"], json!({"email": 1}));
    assert_eq!(record["response"]["bytes_sent"], 0);
}

#[test]
fn an_answer_that_has_begun_is_cut_off_before_the_match() {
    let mut exchange = Driven::new(&ruled(json!({"mask": ["cut"]})));
    exchange.chat();
    respond(&mut exchange, "text/plain");
    let outcome = body(&mut exchange, "from 203.0.113.7 by an", false);
    assert_eq!(outcome.flow, Flow::Continue);
    assert_eq!(text(&outcome), "from [IP] by ");
    let outcome = body(&mut exchange, "a@example.com or so", false);
    assert_eq!(
        outcome.effects,
        [Effect::ReplaceResponseBody(vec![]), Effect::CutResponse]
    );
    let record = exchange.record();
    assert_eq!(record["response"]["code"], "match_withheld");
    assert_eq!(record["response"]["matches"], json!({"email": 1, "ip": 1}));
    assert_eq!(record["response"]["bytes_sent"], 13);
}

/// The pseudonym in the prompt that the model server got.
fn pseudonym(outcome: &Outcome) -> String {
    let body = sent(outcome).unwrap();
    let from = body.find("EMAIL_").unwrap();
    body.get(from..from + 16).unwrap().to_owned()
}

#[test]
fn originals_are_put_back_for_the_caller_who_sent_them() {
    let rule = json!({"mask_request": ["names"], "restore": true, "mask": ["labels"]});
    let compiled = ruled(rule);
    let mut exchange = Driven::new(&compiled);
    let name = pseudonym(&ask(&mut exchange, &[], PROMPT));
    let head = respond(&mut exchange, "application/json");
    assert_eq!(
        head.effects,
        [Effect::RemoveResponseHeader("content-length".to_owned())]
    );
    let answer = format!(r#"{{"a":"[{name}], not {}@example.com"}}"#, "eve");
    let (head, tail) = answer.split_at(15);
    let mut out = text(&body(&mut exchange, head, false));
    out += &text(&body(&mut exchange, tail, true));
    assert_eq!(out, r#"{"a":"ana@example.com, not [EMAIL]"}"#);
    let record = exchange.record();
    assert_eq!(record["request"]["matches"], json!({"email": 1}));
    assert_eq!(record["response"]["matches"], json!({"email": 1}));
    assert_eq!(record["response"]["restored"], 1);
    assert!(!record.to_string().contains("ana@"));

    // Somebody else's answer: the pseudonym stays what it is.
    let mut other = Driven::new(&compiled);
    ask(&mut other, &[], &PROMPT.replace("ana@", "bob@"));
    respond(&mut other, "application/json");
    let out = text(&body(&mut other, &answer, true));
    assert_eq!(out, answer.replace("eve@example.com", "[EMAIL]"));
}

#[test]
fn nothing_is_put_back_unless_the_rule_says_so() {
    let mut exchange = Driven::new(&ruled(json!({"mask_request": ["names"]})));
    let name = pseudonym(&ask(&mut exchange, &[], PROMPT));
    assert_eq!(respond(&mut exchange, "application/json").effects, []);
    assert!(!exchange.exchange.wants_response_body());
    // The next turn gives the same name.
    let mut next = Driven::new(&ruled(json!({"mask_request": ["names"]})));
    let again = PROMPT.replace("ana@example.com", "ANA@example.com");
    assert_eq!(pseudonym(&ask(&mut next, &[], &again)), name);
}

#[test]
fn originals_are_put_back_without_a_mask_on_the_answer() {
    let mut exchange = Driven::new(&ruled(json!({"mask_request": ["names"], "restore": true})));
    let name = pseudonym(&ask(&mut exchange, &[], PROMPT));
    respond(&mut exchange, "text/plain");
    let out = text(&body(
        &mut exchange,
        &format!("{name} bob@example.com"),
        true,
    ));
    assert_eq!(out, "ana@example.com bob@example.com");
    assert_eq!(exchange.record()["response"]["masked"], false);
    // What can't be read passes as it is: nothing would have been hidden in it.
    let mut exchange = Driven::new(&ruled(json!({"mask_request": ["names"], "restore": true})));
    ask(&mut exchange, &[], PROMPT);
    assert_eq!(
        respond(&mut exchange, "application/octet-stream").effects,
        []
    );
}

#[test]
fn a_prompt_that_a_person_approved_is_masked_afterwards() {
    let compiled = compiled(&json!({
        "approvals": {"cluster": "desk"},
        "masks": {"labels": {"detect": ["email"]}},
        "quotas": {"q": {"by": ["subject"], "count": "requests", "limit": 1, "per": "1h"}},
        "rules": [
            {"name": "gate", "then": {"approve": {"reviewers": ["leads"]}}},
            {"name": "all", "then": "allow", "mask_request": ["labels"], "quota": ["q"]},
        ],
    }));
    let mut exchange = Driven::new(&compiled);
    let outcome = ask(&mut exchange, &[], PROMPT);
    let asked = super::ask(&outcome);
    let question: Value = serde_json::from_slice(&asked.question).unwrap();
    let outcome = exchange.decided(&asked, &decision("apr_1", "approved"));
    // The body has to be handed over once more, and nothing goes before that.
    assert_eq!((outcome.effects, outcome.flow), (vec![], Flow::Hold));
    assert!(exchange.wants_body());
    let outcome = exchange.whole(PROMPT);
    assert!(sent(&outcome).unwrap().contains("[EMAIL]"));
    let claim = call(&outcome);
    let outcome = exchange.answered(&claim, Some((200, &claimed(&claim, &asked))));
    assert_eq!((outcome.effects, outcome.flow), (vec![], Flow::Continue));
    // What was approved is what the caller sent.
    let digest = crate::approval::digest(PROMPT.as_bytes());
    assert_eq!(question["body"]["digest"], digest);
    let record = exchange.record();
    assert_eq!(record["verdict"]["quotas"], json!(["q"]));
    assert_eq!(record["approvals"][0]["state"], "approved");
}
