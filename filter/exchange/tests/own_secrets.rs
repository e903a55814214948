//! The guard's own secrets, in answers of every kind.

mod spread;
mod ways;

use std::rc::Rc;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::{Value, json};

use super::{Driven, bytes, compiled, sets};
use crate::exchange::{CompiledPolicy, Effect, Event, Flow, Outcome};
use crate::testing::gzip;

/// What `Bearer ${KEY}` has in the tests' environment.
const KEY: &str = "service-key";
const STARS: &str = "***********";

/// A policy with a service credential; its rule has these members besides.
fn guarded(members: Value) -> Rc<CompiledPolicy> {
    let mut rule = json!({"name": "all", "when": {"operation": ["*", "unknown"]}, "then": "allow"});
    let members = members.as_object().unwrap().clone();
    rule.as_object_mut().unwrap().extend(members);
    compiled(&json!({
        "upstream": {"credential": {"header": "authorization", "value": "Bearer ${KEY}"}},
        "approvals": {"cluster": "desk", "credential": "Bearer desk-key-0001"},
        "masks": {
            "pii": {"detect": ["email"]},
            "lax": {"detect": ["email"], "reasoning": "pass"},
            "watch": {"detect": ["email"], "action": "alert"},
            "ask": {"detect": ["email"], "action": {"approve": {"reviewers": ["leads"]}}},
        },
        "rules": [rule],
    }))
}

/// Rules of every kind: what they do with an answer besides.
fn rules() -> [Rc<CompiledPolicy>; 4] {
    [
        json!({}),
        json!({"mask": ["pii"]}),
        json!({"mask": ["watch"]}),
        json!({"mask": ["ask"]}),
    ]
    .map(guarded)
}

fn passed(compiled: &Rc<CompiledPolicy>) -> Driven {
    let mut exchange = Driven::new(compiled);
    assert_eq!(exchange.chat().flow, Flow::Continue);
    exchange
}

fn respond(exchange: &mut Driven, headers: &[(&str, &str)], end: bool) -> Outcome {
    let headers = bytes(headers);
    exchange.handle(Event::ResponseHead {
        cluster: None,
        headers: &headers,
        end,
    })
}

fn body(outcome: &Outcome) -> Vec<u8> {
    match outcome.effects.as_slice() {
        [Effect::ReplaceResponseBody(bytes)] => bytes.clone(),
        other => panic!("{other:?}"),
    }
}

/// What a body becomes in two pieces.
fn sent(exchange: &mut Driven, whole: &[u8], at: usize) -> Vec<u8> {
    let (head, tail) = whole.split_at(at);
    let mut out = Vec::new();
    for (piece, end) in [(head, false), (tail, true)] {
        out.extend(body(&exchange.handle(Event::ResponseBody { piece, end })));
    }
    out
}

/// What api.openai.com answers to a key that it doesn't know, but for the key, which vLLM and others
/// that copy it quote as it came (openai-python, README.md, "Handling errors").
fn refused(key: &str) -> String {
    format!(
        r#"{{"error":{{"message":"Incorrect API key provided: {key}.","type":"invalid_request_error","param":null,"code":"invalid_api_key"}}}}"#
    )
}

#[test]
fn an_error_that_quotes_the_credential_comes_without_it() {
    let whole = refused(KEY);
    let length = whole.len().to_string();
    for policy in rules() {
        for at in 0..=whole.len() {
            let mut exchange = passed(&policy);
            let outcome = respond(
                &mut exchange,
                &[
                    (":status", "401"),
                    ("content-type", "application/json"),
                    ("content-length", &length),
                    ("www-authenticate", "Bearer error=\"no service-key\""),
                    ("x-none", "a"),
                ],
                false,
            );
            let header = Effect::SetResponseHeader {
                name: "www-authenticate".to_owned(),
                value: format!("Bearer error=\"no {STARS}\"").into_bytes(),
            };
            assert!(outcome.effects.contains(&header), "{outcome:?}");
            let out = sent(&mut exchange, whole.as_bytes(), at);
            assert_eq!(String::from_utf8(out).unwrap(), refused(STARS));
            let record = exchange.record();
            assert_eq!(record["response"]["matches"], json!({"own_secret": 2}));
        }
    }
}

#[test]
fn a_secret_in_an_escape_leaves_the_length_right() {
    let policy = compiled(&json!({
        "upstream": {"credential": {"header": "x-key", "value": "ab+cd/efgh"}},
    }));
    for whole in [r#"{"a":"ab\u002Bcd/efgh"}"#, r#"[{"a":"ab+cd\/efgh"}]"#] {
        let mut exchange = passed(&policy);
        let length = whole.len().to_string();
        let outcome = respond(
            &mut exchange,
            &[
                (":status", "200"),
                ("content-type", "application/json"),
                ("content-length", &length),
            ],
            false,
        );
        assert_eq!(outcome.effects, []);
        let out = sent(&mut exchange, whole.as_bytes(), 0);
        assert_eq!(out.len(), whole.len());
        assert!(!String::from_utf8(out).unwrap().contains("cd"));
    }
}

#[test]
fn what_no_mask_is_on_passes_unharmed_whatever_it_is() {
    let event_stream = ("content-type", "text/event-stream");
    for (headers, whole) in [
        (
            vec![("content-type", "application/octet-stream")],
            "\0\x01servic",
        ),
        (
            vec![("content-type", "application/json")],
            "{no json service-",
        ),
        (vec![("content-type", "application/json")], "[[0.5,1"),
        (
            vec![event_stream],
            "data: {\"a\":\n\ndata: service-k\n\n: s",
        ),
        (vec![("content-encoding", "compress")], "x service-"),
        (vec![("content-type", "multipart/mixed")], "s"),
        (vec![], "service"),
    ] {
        for status in ["200", "206", "500"] {
            let mut head = vec![(":status", status), ("etag", "x")];
            head.extend(&headers);
            let mut exchange = passed(&guarded(json!({})));
            let outcome = respond(&mut exchange, &head, false);
            assert_eq!(outcome.flow, Flow::Continue);
            if !headers.contains(&event_stream) {
                assert_eq!(outcome.effects, []);
            }
            for at in [0, 1, whole.len()] {
                let mut exchange = passed(&guarded(json!({})));
                respond(&mut exchange, &head, false);
                assert_eq!(sent(&mut exchange, whole.as_bytes(), at), whole.as_bytes());
            }
        }
    }
}

#[test]
fn bytes_that_are_no_text_are_looked_at_too() {
    for policy in [guarded(json!({})), guarded(json!({"mask": ["watch"]}))] {
        for (media, status) in [
            ("application/octet-stream", "200"),
            ("audio/mpeg", "200"),
            ("application/json", "206"),
            ("application/grpc+json", "200"),
        ] {
            let whole = b"\0\x07\xffservice-key\xfe desk-key-0001";
            for at in 0..=whole.len() {
                let mut exchange = passed(&policy);
                let head = [(":status", status), ("content-type", media)];
                assert_eq!(respond(&mut exchange, &head, false).effects, []);
                let out = sent(&mut exchange, whole, at);
                assert_eq!(out, b"\0\x07\xff***********\xfe *************");
            }
        }
    }
}

#[test]
fn on_an_upgraded_connection_nothing_waits_that_is_no_secret() {
    let policy = guarded(json!({}));
    let upgrade = [(":status", "101"), ("upgrade", "websocket")];
    let mut exchange = passed(&policy);
    assert_eq!(respond(&mut exchange, &upgrade, false).effects, []);
    for piece in [
        &b"\x81\x01s"[..],
        b"\x81\x03ser",
        b"\x81\x0bservice-key",
        b"\x81\x00",
    ] {
        let outcome = exchange.handle(Event::ResponseBody { piece, end: false });
        assert_eq!(outcome.flow, Flow::Continue);
        let expected = String::from_utf8_lossy(piece).replace("vice-key", "********");
        assert_eq!(String::from_utf8_lossy(&body(&outcome)), expected);
    }
}

#[test]
fn trailers_come_without_secrets() {
    let details =
        |text: &str| BASE64_STANDARD.encode([b"\x08\x10\x12\x0b", text.as_bytes()].concat());
    let came = details(KEY);
    for policy in rules() {
        let mut exchange = passed(&policy);
        let head = [(":status", "200"), ("content-type", "application/grpc")];
        respond(&mut exchange, &head, false);
        let trailers = bytes(&[
            ("grpc-status", "16"),
            ("grpc-message", "no service-key"),
            ("grpc-status-details-bin", &came),
            ("x-quoted", "service-key"),
        ]);
        let outcome = exchange.handle(Event::ResponseTrailers {
            trailers: &trailers,
        });
        let mut values = outcome.effects.iter().filter_map(|effect| match effect {
            Effect::SetResponseTrailer { name, value } => {
                Some((name.as_str(), String::from_utf8(value.clone()).unwrap()))
            }
            _ => None,
        });
        let message = values.next().unwrap();
        assert_eq!(message.0, "grpc-message");
        assert!(message.1.starts_with("no *"), "{message:?}");
        assert!(!message.1.contains("key"), "{message:?}");
        let rest: Vec<_> = values.collect();
        let status = ("grpc-status-details-bin", details(STARS));
        assert_eq!(rest, [status, ("x-quoted", STARS.to_owned())]);
    }
}

#[test]
fn a_body_is_asked_for_as_it_can_be_read_and_decoded_where_it_comes_otherwise() {
    let policy = compiled(&json!({
        "upstream": {"credential": {"header": "authorization", "value": "Bearer ${KEY}"}},
    }));
    let mut exchange = Driven::new(&policy);
    let outcome = exchange.head("GET", "/v1/models", &[("range", "bytes=1-")], true);
    assert_eq!(sets(&outcome, "accept-encoding").unwrap(), "identity");
    let range = Effect::RemoveRequestHeader("range".to_owned());
    assert!(!outcome.effects.contains(&range));

    let encoded = gzip(refused(KEY).as_bytes());
    for at in 0..=encoded.len() {
        for media in ["application/json", "application/octet-stream"] {
            let mut exchange = passed(&policy);
            let head = [
                (":status", "401"),
                ("content-type", media),
                ("content-encoding", "gzip"),
                ("content-length", "1"),
                ("transfer-encoding", "chunked"),
            ];
            let outcome = respond(&mut exchange, &head, false);
            let gone = ["content-length", "content-encoding"]
                .map(|name| Effect::RemoveResponseHeader(name.to_owned()));
            assert_eq!(outcome.effects, gone);
            let out = sent(&mut exchange, &encoded, at);
            assert_eq!(String::from_utf8(out).unwrap(), refused(STARS));
        }
    }
}

#[test]
fn an_answer_without_a_body_has_a_head_all_the_same() {
    for status in ["200", "204", "304", "401"] {
        let mut exchange = passed(&guarded(json!({})));
        let head = [
            (":status", status),
            ("location", "/login?key=service%2dkey"),
            ("link", "</login?key=service>"),
            ("x-a", KEY),
        ];
        let outcome = respond(&mut exchange, &head, true);
        let set = |name: &str, value: String| Effect::SetResponseHeader {
            name: name.to_owned(),
            value: value.into_bytes(),
        };
        let location = format!("/login?key={STARS}**");
        let expected = [set("location", location), set("x-a", STARS.to_owned())];
        assert_eq!(outcome.effects, expected);
        assert_eq!(outcome.flow, Flow::Continue);
    }
}

#[test]
fn every_secret_that_a_server_is_given_is_looked_for() {
    let policy = compiled(&json!({
        "upstream": {
            "credential": {"header": "authorization", "value": "Basic bWlsbDpwYXNzd29yZC0wMQ=="},
            "credentials": [
                {"operation": ["embedding.*"], "header": "x-a", "value": "id=7;sig=${KEY}"},
                {"operation": ["model.list"], "header": "x-a", "value": "Token short"},
            ],
        },
        "approvals": {"cluster": "desk", "credential": "Bearer desk-key-0001"},
        "pseudonyms": {"key": "pseudonyms-pseudonyms-pseudonyms"},
        "identity": {"providers": [{
            "name": "corp", "issuer": "https://idp", "audiences": ["inference"],
            "keys": {"jwks_uri": {
                "uri": "https://idp/keys", "cluster": "idp", "credential": "Bearer keys-key-0001",
            }},
        }]},
    }));
    let own = policy.own_secrets.as_ref().unwrap();
    for secret in [
        "bWlsbDpwYXNzd29yZC0wMQ==",
        "password-01",
        "mill:password-01",
        "service-key",
        "Token short",
        "desk-key-0001",
        "keys-key-0001",
        "pseudonyms-pseudonyms-pseudonyms",
    ] {
        let (value, _) = own.secrets.scrub_field(b"x", secret.as_bytes()).unwrap();
        assert_eq!(value, "*".repeat(secret.len()).as_bytes());
    }
    assert_eq!(own.secrets.scrub_field(b"x", b"Bearer Basic mill"), None);
    let warnings: Vec<&str> = policy.warnings().iter().map(|it| &*it.path).collect();
    assert_eq!(warnings, ["/upstream/credentials/1/value"]);
    assert!(!format!("{own:?}").contains("service"));
}

#[test]
fn without_a_secret_that_somebody_is_given_nothing_is_looked_at() {
    for sections in [
        json!({"pseudonyms": {"key": "pseudonyms-pseudonyms-pseudonyms"}}),
        json!({"upstream": {"credential": {"header": "x-key", "value": "1234567"}}}),
    ] {
        let mut exchange = passed(&compiled(&sections));
        let head = [(":status", "200"), ("content-encoding", "gzip")];
        assert_eq!(respond(&mut exchange, &head, false).effects, []);
        assert!(!exchange.exchange.wants_response_body());
    }
}
