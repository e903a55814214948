use std::rc::Rc;

use serde_json::json;

use super::{Bodies, Driven, bytes, compiled, reply};
use crate::exchange::{CompiledPolicy, Effect, Event, Flow, Outcome};
use crate::testing::gzip;

fn masked() -> Rc<CompiledPolicy> {
    compiled(&json!({
        "masks": {"pii": {"detect": ["email"]}},
        "rules": [
            {"name": "open", "when": {"operation": ["health"]}, "then": "allow"},
            {"name": "all", "then": "allow", "mask": ["pii"]},
        ],
    }))
}

fn passed(compiled: &Rc<CompiledPolicy>) -> Driven {
    let mut exchange = Driven::new(compiled);
    assert_eq!(exchange.chat().flow, Flow::Continue);
    exchange
}

fn respond(exchange: &mut Driven, headers: &[(&str, &str)]) -> Outcome {
    let headers = bytes(headers);
    exchange.handle(Event::ResponseHead {
        cluster: None,
        headers: &headers,
        end: false,
    })
}

fn piece(exchange: &mut Driven, piece: &str, end: bool) -> String {
    let outcome = exchange.handle(Event::ResponseBody {
        piece: piece.as_bytes(),
        end,
    });
    match outcome.effects.as_slice() {
        [Effect::ReplaceResponseBody(bytes)] => String::from_utf8(bytes.clone()).unwrap(),
        other => panic!("{other:?}"),
    }
}

fn without(name: &str) -> Effect {
    Effect::RemoveResponseHeader(name.to_owned())
}

#[test]
fn a_json_body_is_masked_and_its_length_goes() {
    let mut exchange = passed(&masked());
    let outcome = respond(
        &mut exchange,
        &[
            (":status", "200"),
            ("content-type", "application/json"),
            ("content-length", "32"),
            ("etag", "x"),
            ("transfer-encoding", "chunked"),
        ],
    );
    assert_eq!(outcome.effects, ["content-length", "etag"].map(without));
    let mut text = piece(&mut exchange, r#"{"a":"jane@exam"#, false);
    assert!(!text.contains("jane"));
    text += &piece(&mut exchange, r#"ple.com"}"#, true);
    assert_eq!(text, r#"{"a":"[EMAIL]"}"#);
    let record = exchange.record();
    assert_eq!(record["response"]["matches"], json!({"email": 1}));
    assert_eq!(record["response"]["masked"], true);
}

#[test]
fn what_can_not_be_masked_is_refused_and_what_has_no_text_passes() {
    let json = ("content-type", "application/json");
    for (headers, code) in [
        (
            vec![(":status", "200"), json, ("content-encoding", "compress")],
            "encoding_not_maskable",
        ),
        (
            vec![(":status", "200"), json, ("content-encoding", "gzip, br")],
            "encoding_not_maskable",
        ),
        (
            vec![
                (":status", "200"),
                json,
                ("content-encoding", "gzip"),
                ("content-encoding", "gzip"),
            ],
            "encoding_not_maskable",
        ),
        (vec![(":status", "206"), json], "range_not_maskable"),
        (
            vec![(":status", "101"), ("upgrade", "websocket")],
            "upgrade_not_maskable",
        ),
        (
            vec![
                (":status", "200"),
                ("content-type", "application/octet-stream"),
            ],
            "media_type_not_maskable",
        ),
        (
            vec![(":status", "200"), ("content-type", "multipart/mixed")],
            "media_type_not_maskable",
        ),
        (
            vec![
                (":status", "200"),
                ("content-type", "application/grpc+json"),
            ],
            "grpc_not_maskable",
        ),
        (
            vec![(":status", "200"), json, ("content-type", "image/png")],
            "media_type_not_maskable",
        ),
        (vec![json], "status_not_readable"),
    ] {
        let mut exchange = passed(&masked());
        let outcome = respond(&mut exchange, &headers);
        assert_eq!(reply(&outcome).status, 502, "{headers:?}");
        assert_eq!(super::code(&outcome), code);
        assert_eq!(exchange.record()["response"]["code"], code);
    }
    for headers in [
        vec![(":status", "200"), ("content-type", "image/png")],
        vec![
            (":status", "200"),
            ("content-type", "image/png"),
            ("content-encoding", "x-other"),
        ],
        vec![(":status", "204")],
        vec![(":status", "304"), json],
    ] {
        let mut exchange = passed(&masked());
        assert_eq!(
            respond(&mut exchange, &headers),
            Outcome {
                effects: vec![],
                flow: Flow::Continue
            }
        );
        assert!(!exchange.exchange.wants_response_body());
    }
}

#[test]
fn a_rule_without_a_mask_leaves_the_response_alone() {
    let mut exchange = Driven::new(&masked());
    assert_eq!(
        exchange.head("GET", "/health", &[], true).flow,
        Flow::Continue
    );
    let outcome = respond(
        &mut exchange,
        &[(":status", "200"), ("content-encoding", "gzip")],
    );
    assert_eq!(outcome.effects, []);
    assert!(!exchange.exchange.wants_response_body());
}

#[test]
fn a_mask_asks_for_a_body_that_can_be_read() {
    let compiled = masked();
    let mut exchange = Driven::new(&compiled);
    let outcome = exchange.head(
        "GET",
        "/v1/models",
        &[("range", "bytes=1-"), ("accept-encoding", "gzip")],
        true,
    );
    assert_eq!(
        super::sets(&outcome, "accept-encoding").unwrap(),
        "identity"
    );
    assert!(
        outcome
            .effects
            .contains(&Effect::RemoveRequestHeader("range".to_owned()))
    );
}

#[test]
fn a_tail_is_held_where_trailers_may_follow_and_written_before_them() {
    let head = [(":status", "200"), ("content-type", "text/plain")];
    let mut exchange = passed(&masked());
    respond(&mut exchange, &head);
    let outcome = exchange.handle(Event::ResponseBody {
        piece: b"write to jane@example.co",
        end: false,
    });
    assert_eq!(outcome.flow, Flow::Hold);
    assert_eq!(
        outcome.effects,
        [Effect::ReplaceResponseBody(b"write to ".to_vec())]
    );
    let outcome = exchange.handle(Event::ResponseTrailers { trailers: &[] });
    assert_eq!(outcome.flow, Flow::Continue);
    assert_eq!(
        outcome.effects,
        [Effect::ReplaceResponseBody(b"[EMAIL]".to_vec())]
    );

    // HTTP/1.1 with chunks: the last piece is always told, so nothing has to be held by Envoy.
    let mut exchange = passed(&masked());
    respond(
        &mut exchange,
        &[head[0], head[1], ("transfer-encoding", "chunked")],
    );
    let outcome = exchange.handle(Event::ResponseBody {
        piece: b"write to jane@example.co",
        end: false,
    });
    assert_eq!(outcome.flow, Flow::Continue);
}

#[test]
fn an_answer_of_the_filter_itself_is_not_masked() {
    let compiled = compiled(&json!({"rules": [{"name": "no", "then": "deny"}]}));
    let mut exchange = Driven::new(&compiled);
    reply(&exchange.chat());
    let outcome = respond(
        &mut exchange,
        &[(":status", "403"), ("content-type", "application/json")],
    );
    assert_eq!(outcome.effects, []);
    assert_eq!(exchange.record()["response"]["status"], 403);
}

const ENCODED: [(&str, &str); 6] = [
    (":status", "200"),
    ("content-type", "application/json"),
    ("content-encoding", "gzip"),
    ("content-length", "60"),
    ("vary", "accept-encoding"),
    ("repr-digest", "sha-256=:x:"),
];

#[test]
fn an_encoded_body_is_decoded_and_masked() {
    let bytes = gzip(br#"{"a":"write to jane@example.com"}"#);
    for at in 0..=bytes.len() {
        let mut exchange = passed(&masked());
        let outcome = respond(&mut exchange, &ENCODED);
        assert_eq!(
            outcome.effects,
            ["content-length", "repr-digest", "content-encoding"].map(without)
        );
        let (head, tail) = bytes.split_at(at);
        let mut out = Vec::new();
        for (piece, end) in [(head, false), (tail, true)] {
            let outcome = exchange.handle(Event::ResponseBody { piece, end });
            match outcome.effects.as_slice() {
                [Effect::ReplaceResponseBody(bytes)] => out.extend_from_slice(bytes),
                other => panic!("{other:?}"),
            }
        }
        assert_eq!(out, br#"{"a":"write to [EMAIL]"}"#, "cut at {at}");
    }
}

#[test]
fn a_broken_encoding_cuts_the_response_off() {
    let whole = gzip(br#"{"a":"text"}"#);
    let mut wrong = whole.clone();
    wrong[0] = 0;
    for (bytes, code) in [
        (wrong.as_slice(), "encoding_malformed"),
        (&whole[..whole.len() - 1], "encoding_truncated"),
    ] {
        let mut exchange = passed(&masked());
        respond(&mut exchange, &ENCODED);
        let outcome = exchange.handle(Event::ResponseBody {
            piece: bytes,
            end: true,
        });
        assert!(outcome.effects.contains(&Effect::CutResponse), "{code}");
        assert_eq!(exchange.record()["response"]["code"], code);
    }
}

#[test]
fn a_head_alone_says_nothing_of_the_bytes_that_a_mask_would_change() {
    let headers = [
        (":status", "200"),
        ("content-type", "application/json"),
        ("content-length", "32"),
        ("etag", "x"),
        ("last-modified", "Sat, 21 Nov 2026 19:00:00 GMT"),
    ];
    let gone = ["content-length", "etag"].map(without);
    let mut exchange = Driven::new(&masked());
    exchange.head("HEAD", "/v1/models", &[], true);
    let headers = bytes(&headers);
    let outcome = exchange.handle(Event::ResponseHead {
        cluster: None,
        headers: &headers,
        end: true,
    });
    assert_eq!(outcome.effects, gone);
    assert!(!exchange.exchange.wants_response_body());

    let mut exchange = passed(&masked());
    let headers = bytes(&[(":status", "304"), ("etag", "x")]);
    let outcome = exchange.handle(Event::ResponseHead {
        cluster: None,
        headers: &headers,
        end: true,
    });
    assert_eq!(outcome.effects, [without("etag")]);
}

#[test]
fn a_multipart_body_is_masked_by_its_boundary() {
    for boundary in ["b 1", "b+1"] {
        let media = format!("Multipart/Form-Data; charset=x; boundary=\"{boundary}\" ; a=b");
        let mut exchange = passed(&masked());
        respond(
            &mut exchange,
            &[(":status", "200"), ("content-type", &media)],
        );
        let said = format!("--{boundary}\r\n\r\njane@example.com\r\n--{boundary}--");
        assert_eq!(
            piece(&mut exchange, &said, true),
            said.replace("jane@example.com", "[EMAIL]")
        );
    }
    for media in [
        "multipart/mixed; boundary=a; boundary=b",
        "multipart/mixed; boundary",
        "multipart/mixed; boundary=\"a",
        "multipart/mixed; boundary=",
    ] {
        let mut exchange = passed(&masked());
        let outcome = respond(
            &mut exchange,
            &[(":status", "200"), ("content-type", media)],
        );
        assert_eq!(super::code(&outcome), "media_type_not_maskable", "{media}");
    }
}

#[test]
fn an_answer_in_an_encoding_that_hides_ascii_is_refused() {
    for media in [
        "text/plain; charset=utf-16",
        "application/json; charset=UTF-16LE",
        "text/html; charset=\"utf-32\"",
        "text/plain; charset=utf-7",
        "text/plain; charset=utf-8; charset=utf-16",
        "text/event-stream; charset=shift_jis",
    ] {
        let mut exchange = passed(&masked());
        let outcome = respond(
            &mut exchange,
            &[(":status", "200"), ("content-type", media)],
        );
        assert_eq!(super::code(&outcome), "media_type_not_maskable", "{media}");
    }
    for media in [
        "text/plain; charset=ISO-8859-1",
        "text/html; charset=windows-1252",
        "application/json; charset=utf-8",
    ] {
        let mut exchange = passed(&masked());
        let outcome = respond(
            &mut exchange,
            &[(":status", "200"), ("content-type", media)],
        );
        assert_eq!(outcome.flow, Flow::Continue, "{media}");
    }
}

#[test]
fn a_body_whose_length_is_known_ends_with_its_last_byte() {
    let head = [
        (":status", "200"),
        ("content-type", "text/plain"),
        ("content-length", "24"),
    ];
    let mut exchange = passed(&masked());
    respond(&mut exchange, &head);
    let mut push = |piece: &'static [u8], end| {
        let outcome = exchange.handle(Event::ResponseBody { piece, end });
        (outcome.flow, outcome.effects)
    };
    let put = |bytes: &[u8]| vec![Effect::ReplaceResponseBody(bytes.to_vec())];
    assert_eq!(
        push(b"write to jane@example", false),
        (Flow::Continue, put(b"write to "))
    );
    // Trailers may follow, but nothing that could belong to the text.
    assert_eq!(push(b".co", false), (Flow::Continue, put(b"[EMAIL]")));
    assert_eq!(push(b"", true), (Flow::Continue, put(b"")));

    let mut exchange = passed(&masked());
    respond(&mut exchange, &head);
    let piece = b"four and twenty blackbird";
    let outcome = exchange.handle(Event::ResponseBody { piece, end: false });
    assert_eq!(outcome.flow, Flow::Continue);
    let outcome = exchange.handle(Event::ResponseBody {
        piece: b"s",
        end: true,
    });
    assert!(outcome.effects.contains(&Effect::CutResponse));
}

/// A head of this type has come where bodies come, and so much of the body goes at a time.
fn in_pieces(media: &str, whole: &[u8], size: usize) -> (Flow, Vec<u8>, Outcome) {
    let mut exchange = passed(&masked());
    exchange.bodies = Bodies::HandedOver;
    let chunked = ("transfer-encoding", "chunked");
    let headers = [(":status", "200"), ("content-type", media), chunked];
    let flow = respond(&mut exchange, &headers).flow;
    let mut out = Vec::new();
    for piece in whole.chunks(size) {
        let outcome = exchange.handle(Event::ResponseBody { piece, end: false });
        match outcome.effects.as_slice() {
            [Effect::ReplaceResponseBody(bytes)] => out.extend_from_slice(bytes),
            _ => return (flow, out, outcome),
        }
    }
    let end = Event::ResponseBody {
        piece: b"",
        end: true,
    };
    let outcome = exchange.handle(end);
    if let [Effect::ReplaceResponseBody(bytes)] = outcome.effects.as_slice() {
        out.extend_from_slice(bytes);
    }
    (flow, out, outcome)
}

/// Readers of JSON find out by themselves in which of these it is (RFC 4627, section 3; Python's
/// `json.detect_encoding`), and a byte order mark tells readers of text.
#[test]
fn a_body_in_units_of_several_bytes_is_refused_before_its_head_goes() {
    let text = "{\"a\":\"ana@example.com\"}";
    let units = |marked: bool| {
        let mark = marked.then_some('\u{feff}');
        let text: String = mark.into_iter().chain(text.chars()).collect();
        let short: Vec<u16> = text.encode_utf16().collect();
        let long: Vec<u32> = text.chars().map(u32::from).collect();
        [
            short
                .iter()
                .flat_map(|it| it.to_le_bytes())
                .collect::<Vec<u8>>(),
            short.iter().flat_map(|it| it.to_be_bytes()).collect(),
            long.iter().flat_map(|it| it.to_le_bytes()).collect(),
            long.iter().flat_map(|it| it.to_be_bytes()).collect(),
        ]
    };
    let bodies = [units(false), units(true)].concat();
    for media in ["application/json", "text/plain", "text/html", "text/xml"] {
        for whole in &bodies {
            for size in [1, 2, 3, 4, 5, 1000] {
                let (flow, out, outcome) = in_pieces(media, whole, size);
                assert_eq!(flow, Flow::Hold);
                assert_eq!(super::code(&outcome), "message_malformed", "{media}");
                assert_eq!(reply(&outcome).status, 502);
                assert!(out.is_empty());
            }
        }
        for size in [1, 3, 1000] {
            let (_, out, outcome) = in_pieces(media, text.as_bytes(), size);
            assert_eq!(outcome.flow, Flow::Continue);
            assert_eq!(out, text.replace("ana@example.com", "[EMAIL]").as_bytes());
            let (_, out, outcome) = in_pieces(media, b"ok", size);
            assert_eq!((out, outcome.flow), (b"ok".to_vec(), Flow::Continue));
            let (_, out, outcome) = in_pieces(media, b"", size);
            assert_eq!((out, outcome.flow), (vec![], Flow::Continue));
        }
    }
    // A model may take its time for the first of these.
    for media in ["text/event-stream", "application/x-ndjson"] {
        assert_eq!(in_pieces(media, b"{}\n", 1).0, Flow::Continue);
    }
}
