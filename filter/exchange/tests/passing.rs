//! What passes a mask unread, and which headers of an answer are masked.

use std::rc::Rc;

use serde_json::{Value, json};

use super::{Driven, bytes, code, compiled, reply};
use crate::exchange::{CompiledPolicy, Effect, Event, Flow, Outcome};

/// A policy whose only rule has masks of e-mail addresses with these members.
fn masked(masks: &[Value]) -> Rc<CompiledPolicy> {
    let names: Vec<String> = (0..masks.len()).map(|place| format!("m{place}")).collect();
    let masks = names.iter().zip(masks).map(|(name, members)| {
        let mut mask = json!({"detect": ["email"]});
        let members = members.as_object().unwrap().clone();
        mask.as_object_mut().unwrap().extend(members);
        (name.clone(), mask)
    });
    compiled(&json!({
        "approvals": {"cluster": "desk"},
        "masks": masks.collect::<serde_json::Map<_, _>>(),
        "rules": [{
            "name": "all", "when": {"operation": ["*", "unknown"]}, "then": "allow", "mask": names,
        }],
    }))
}

/// What becomes of an answer to a chat request.
fn answered(compiled: &Rc<CompiledPolicy>, headers: &[(&str, &str)]) -> (Driven, Outcome) {
    let mut exchange = Driven::new(compiled);
    assert_eq!(exchange.chat().flow, Flow::Continue);
    let outcome = respond(&mut exchange, headers);
    (exchange, outcome)
}

fn respond(exchange: &mut Driven, headers: &[(&str, &str)]) -> Outcome {
    let headers = bytes(headers);
    exchange.handle(Event::ResponseHead {
        cluster: None,
        headers: &headers,
        end: false,
    })
}

const OK: (&str, &str) = (":status", "200");

/// In a word, what becomes of an answer of a media type.
fn outcome(compiled: &Rc<CompiledPolicy>, media: &str) -> &'static str {
    let (exchange, outcome) = answered(compiled, &[OK, ("content-type", media)]);
    // The head of what is masked may wait for its first bytes.
    let replies = outcome
        .effects
        .iter()
        .any(|effect| matches!(effect, Effect::Reply(_)));
    if replies {
        assert_eq!(reply(&outcome).status, 502, "{media}");
        return "refused";
    }
    match exchange.exchange.wants_response_body() {
        true => "masked",
        false => "passes",
    }
}

#[test]
fn each_media_type_is_treated_as_the_documents_say() {
    let page = include_str!("../../../docs/media-types.md");
    let compiled = masked(&[json!({})]);
    let mut rows = 0;
    for line in page.lines() {
        let Some((media, rest)) = line
            .strip_prefix("| `")
            .and_then(|it| it.split_once("` | "))
        else {
            continue;
        };
        let documented = rest.split(' ').next().unwrap();
        assert_eq!(outcome(&compiled, media), documented, "{media}");
        rows += 1;
    }
    assert!(rows >= 100, "{rows}");
}

#[test]
fn a_list_of_the_policy_takes_the_place_of_the_usual_one() {
    let none = masked(&[json!({"pass": []})]);
    assert_eq!(outcome(&none, "image/png"), "refused");
    assert_eq!(outcome(&none, "application/json"), "masked");
    let some = masked(&[json!({"pass": ["application/pdf", "text/csv", "model/*"]})]);
    for (media, expected) in [
        ("application/pdf", "passes"),
        ("Application/PDF; version=1.7", "passes"),
        ("text/csv; charset=utf-16", "passes"),
        ("model/stl", "passes"),
        ("model/gltf+json", "masked"),
        ("text/html", "masked"),
        ("image/png", "refused"),
        ("application/zip", "refused"),
    ] {
        assert_eq!(outcome(&some, media), expected, "{media}");
    }
    let both = masked(&[json!({"pass": ["application/pdf"]}), json!({})]);
    assert_eq!(outcome(&both, "application/pdf"), "refused");
    assert_eq!(outcome(&both, "image/png"), "refused");
    // What is said twice says nothing.
    let twice = [
        OK,
        ("content-type", "application/pdf"),
        ("content-type", "application/pdf"),
    ];
    let (_, refused) = answered(&some, &twice);
    assert_eq!(code(&refused), "media_type_not_maskable");
}

#[test]
fn what_passes_does_so_in_any_encoding_and_from_any_place() {
    let compiled = masked(&[json!({"pass": ["image/*"]})]);
    for more in [
        ("content-encoding", "zstd, x-other"),
        ("content-range", "bytes 0-9/99"),
    ] {
        let head = [(":status", "206"), ("content-type", "image/png"), more];
        let (exchange, outcome) = answered(&compiled, &head);
        assert_eq!((outcome.flow, outcome.effects.len()), (Flow::Continue, 0));
        assert!(!exchange.exchange.wants_response_body());
    }
    for media in [
        "application/json",
        "image/svg+xml",
        "application/pdf",
        "multipart/byteranges",
    ] {
        let head = [(":status", "206"), ("content-type", media)];
        let (_, outcome) = answered(&compiled, &head);
        assert_eq!(code(&outcome), "range_not_maskable", "{media}");
    }
}

#[test]
fn what_an_operation_gives_that_is_no_text_passes_where_it_is_named() {
    let compiled = masked(&[json!({"pass": ["file.*"]})]);
    // OpenAI's API reference, "Retrieve file content".
    let files = |headers: &[(&str, &str)]| {
        let mut exchange = Driven::new(&compiled);
        let outcome = exchange.head("GET", "/v1/files/f/content", &[], true);
        assert_eq!(outcome.flow, Flow::Continue);
        let outcome = respond(&mut exchange, headers);
        (exchange.exchange.wants_response_body(), outcome)
    };
    for status in ["200", "206"] {
        let media = ("content-type", "application/octet-stream");
        let (masked, outcome) = files(&[(":status", status), media]);
        assert_eq!((masked, outcome.flow), (false, Flow::Continue));
    }
    let (masked, outcome) = files(&[OK, ("content-type", "text/csv")]);
    assert_eq!((masked, outcome.flow), (true, Flow::Continue));
    let (_, outcome) = files(&[OK, ("content-type", "text/csv; charset=utf-16")]);
    assert_eq!(code(&outcome), "media_type_not_maskable");
    assert_eq!(
        self::outcome(&compiled, "application/octet-stream"),
        "refused"
    );
}

#[test]
fn parts_of_an_answer_follow_the_list() {
    let compiled = masked(&[json!({"pass": ["application/pdf", "file.read"]})]);
    let part = |media: &str| format!("--b\r\ncontent-type: {media}\r\n\r\na@b.io\r\n--b--");
    let run = |path: &str, media: &str| {
        let mut exchange = Driven::new(&compiled);
        assert_eq!(exchange.head("GET", path, &[], true).flow, Flow::Continue);
        respond(
            &mut exchange,
            &[OK, ("content-type", "multipart/mixed; boundary=b")],
        );
        let outcome = exchange.handle(Event::ResponseBody {
            piece: part(media).as_bytes(),
            end: true,
        });
        match outcome.effects.as_slice() {
            [Effect::ReplaceResponseBody(bytes)] => Ok(String::from_utf8(bytes.clone()).unwrap()),
            _ => Err(exchange.record()["response"]["code"].clone()),
        }
    };
    for (path, media) in [
        ("/v1/models", "application/pdf"),
        ("/v1/files/f/content", "application/zip"),
    ] {
        assert_eq!(run(path, media), Ok(part(media)), "{path}");
    }
    for (path, media) in [
        ("/v1/models", "application/zip"),
        ("/v1/files/f/content", "text/plain; charset=utf-16"),
    ] {
        assert_eq!(run(path, media), Err(json!("part_not_maskable")), "{path}");
    }
}

#[test]
fn parts_are_asked_for_where_they_may_pass() {
    let range_goes = |compiled: &Rc<CompiledPolicy>, path: &str, more: &[(&str, &str)]| {
        let mut headers = vec![("range", "bytes=1-")];
        headers.extend(more);
        let outcome = Driven::new(compiled).head("GET", path, &headers, true);
        let gone = Effect::RemoveRequestHeader("range".to_owned());
        !outcome.effects.contains(&gone)
    };
    let usual = masked(&[json!({})]);
    for (more, goes) in [
        (vec![], false),
        (vec![("accept", "*/*")], false),
        (vec![("accept", "image/png, */*;q=0.1")], false),
        (vec![("accept", "image/svg+xml")], false),
        (vec![("accept", "image/png, video/*;q=0.5")], true),
        (vec![("accept", "*/*"), ("sec-fetch-dest", "video")], true),
        (vec![("sec-fetch-dest", "document")], false),
    ] {
        assert_eq!(range_goes(&usual, "/a.mp4", &more), goes, "{more:?}");
    }
    let files = masked(&[json!({"pass": ["file.read"]})]);
    assert!(range_goes(&files, "/v1/files/f/content", &[]));
    assert!(!range_goes(&files, "/v1/models", &[]));
}

/// What a client of OpenAI's Realtime API sends (its reference, "Connect with WebSocket").
const SOCKET: [(&str, &str); 3] = [
    ("connection", "Upgrade"),
    ("upgrade", "websocket"),
    ("sec-websocket-version", "13"),
];

fn realtime(compiled: &Rc<CompiledPolicy>) -> (Driven, Outcome) {
    let mut exchange = Driven::new(compiled);
    let path = "/v1/realtime?model=gpt-realtime";
    let outcome = exchange.head("GET", path, &SOCKET, false);
    (exchange, outcome)
}

#[test]
fn a_session_under_a_mask_is_refused_before_the_model_server_hears_of_it() {
    let (mut exchange, outcome) = realtime(&masked(&[json!({})]));
    assert_eq!(reply(&outcome).status, 403);
    assert_eq!(code(&outcome), "realtime_not_maskable");
    let record = exchange.record();
    assert_eq!(record["verdict"]["code"], "realtime_not_maskable");
    assert_eq!(record["verdict"]["rule"], "all");

    let (_, outcome) = realtime(&masked(&[json!({"upgrades": "pass"}), json!({})]));
    assert_eq!(code(&outcome), "realtime_not_maskable");
    for head in [
        [("upgrade", "foo, WebSocket/13")],
        // As it comes in HTTP/2 (RFC 8441), where the proxy doesn't write it as in HTTP/1.
        [(":protocol", "websocket")],
    ] {
        let mut exchange = Driven::new(&masked(&[json!({})]));
        let outcome = exchange.head("GET", "/any", &head, false);
        assert_eq!(code(&outcome), "realtime_not_maskable");
    }
    let mut exchange = Driven::new(&masked(&[json!({})]));
    let outcome = exchange.head("CONNECT", "/any", &[], false);
    assert_eq!(code(&outcome), "realtime_not_maskable");
}

#[test]
fn a_session_passes_where_the_policy_says_so() {
    let upgraded = [(":status", "101"), ("upgrade", "websocket")];
    for compiled in [
        masked(&[json!({"upgrades": "pass"}), json!({"upgrades": "pass"})]),
        masked(&[json!({"action": "alert"})]),
        compiled(&json!({})),
    ] {
        let (mut exchange, outcome) = realtime(&compiled);
        assert_eq!(outcome.flow, Flow::Continue);
        assert_eq!(respond(&mut exchange, &upgraded).flow, Flow::Continue);
        assert!(!exchange.exchange.wants_response_body());
        assert!(!exchange.exchange.wants_request_pieces());
    }
    let tunnels = masked(&[json!({"upgrades": "pass"})]);
    let mut exchange = Driven::new(&tunnels);
    let outcome = exchange.head("CONNECT", "/any", &[], false);
    assert_eq!(outcome.flow, Flow::Continue);
    assert_eq!(respond(&mut exchange, &[OK]).flow, Flow::Continue);
    assert!(!exchange.exchange.wants_response_body());
    // A server may pass over what it is asked for.
    let (mut exchange, _) = realtime(&tunnels);
    respond(&mut exchange, &[OK, ("content-type", "application/json")]);
    assert!(exchange.exchange.wants_response_body());
}

#[test]
fn an_upgrade_that_nobody_asked_for_is_refused_when_it_comes() {
    let mut exchange = Driven::new(&masked(&[json!({})]));
    let outcome = exchange.head("GET", "/v1/models", &[("upgrade", "h2c")], true);
    assert_eq!(outcome.flow, Flow::Continue);
    let outcome = respond(&mut exchange, &[(":status", "101"), ("upgrade", "h2c")]);
    assert_eq!(code(&outcome), "upgrade_not_maskable");
}

#[test]
fn a_session_s_requests_are_not_waited_for() {
    let ruled = |upgrades: &str| {
        compiled(&json!({
            "masks": {"m": {"detect": ["email"], "upgrades": upgrades}},
            "rules": [{"name": "all", "then": "allow", "mask_request": ["m"]}],
        }))
    };
    let (_, outcome) = realtime(&ruled("refuse"));
    assert_eq!(code(&outcome), "realtime_not_maskable");
    let (exchange, outcome) = realtime(&ruled("pass"));
    assert_eq!(outcome.flow, Flow::Continue);
    assert!(!exchange.wants_body());
}

#[test]
fn nobody_is_asked_about_a_session_that_would_be_refused() {
    let compiled = compiled(&json!({
        "approvals": {"cluster": "desk"},
        "masks": {"m": {"detect": ["email"]}},
        "rules": [
            {"name": "gate", "then": {"approve": {"reviewers": ["leads"]}}},
            {"name": "all", "then": "allow", "mask": ["m"]},
        ],
    }));
    let mut exchange = Driven::new(&compiled);
    let outcome = exchange.head("GET", "/v1/realtime", &SOCKET, true);
    assert_eq!(code(&outcome), "realtime_not_maskable");
}

fn set(name: &str, value: &str) -> Effect {
    Effect::SetResponseHeader {
        name: name.to_owned(),
        value: value.as_bytes().to_vec(),
    }
}

#[test]
fn headers_that_a_mask_names_are_masked() {
    let compiled = masked(&[
        json!({"headers": ["x-request-summary"]}),
        json!({"headers": ["X-Of", "grpc-message"]}),
    ]);
    let head = [
        OK,
        ("content-type", "image/png"),
        ("x-request-summary", "of jane@example.com"),
        ("x-of", "joe@example.com"),
        ("x-of", "nobody"),
        ("x-other", "jane@example.com"),
        ("grpc-message", "jane%40example.com"),
    ];
    let (mut exchange, outcome) = answered(&compiled, &head);
    assert_eq!(
        outcome.effects,
        [
            set("grpc-message", "[EMAIL]"),
            set("x-request-summary", "of [EMAIL]"),
            set("x-of", "[EMAIL],nobody"),
        ]
    );
    let record = exchange.record();
    assert_eq!(record["response"]["matches"], json!({"email": 3}));
    assert_eq!(record["response"]["masked"], true);
}

#[test]
fn headers_of_answers_without_a_body_are_masked_too() {
    let compiled = masked(&[json!({"headers": ["x-of"], "upgrades": "pass"})]);
    for status in ["101", "204", "304", "206"] {
        let head = [
            (":status", status),
            ("content-type", "image/png"),
            ("x-of", "jane@example.com"),
        ];
        let (_, outcome) = answered(&compiled, &head);
        assert_eq!(outcome.effects, [set("x-of", "[EMAIL]")], "{status}");
    }
}

#[test]
fn a_header_s_match_leads_to_what_the_mask_says() {
    let head = [
        OK,
        ("content-type", "image/png"),
        ("x-of", "jane@example.com"),
    ];
    let with = |action: Value| masked(&[json!({"headers": ["x-of"], "action": action})]);

    let (mut exchange, outcome) = answered(&with(json!("cut")), &head);
    assert_eq!(code(&outcome), "match_withheld");
    let record = exchange.record();
    assert_eq!(record["response"]["matches"], json!({"email": 1}));

    let (_, outcome) = answered(&with(json!({"approve": {"reviewers": ["leads"]}})), &head);
    assert_eq!(outcome.effects, [set("x-of", "[EMAIL]")]);
    assert_eq!(outcome.flow, Flow::Continue);

    let (mut exchange, outcome) = answered(&with(json!("alert")), &head);
    assert_eq!(outcome.effects, []);
    let record = exchange.record();
    assert_eq!(record["response"]["alerts"], json!({"email": 1}));
}

#[test]
fn a_header_that_can_not_be_masked_is_removed() {
    let compiled = masked(&[json!({"headers": ["x-of"]})]);
    let long = "x".repeat((1 << 20) + 1);
    let head = [OK, ("content-type", "image/png"), ("x-of", long.as_str())];
    let (_, outcome) = answered(&compiled, &head);
    let gone = Effect::RemoveResponseHeader("x-of".to_owned());
    assert_eq!(outcome.effects, [gone]);
}
