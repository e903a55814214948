//! What carries the text of an answer: content codings, gRPC of any schema, markup, parts, lists of
//! tokens, and JSON within JSON.

pub mod coding;

use std::time::Duration;

use serde_json::json;
use testbed::body::{self, Step};
use testbed::grpc::enveloped;
use testbed::http::{Client, Request};
use testbed::model::Answer;
use testbed::wait;

use crate::support::{Guarded, ana, policy};
use crate::versions::in_each_envoy;
use coding::{brotli, deflate, gzip, zstd};

in_each_envoy!(
    encoded_answers_are_masked,
    grpc_of_any_schema_is_masked,
    markup_parts_and_arguments_are_masked,
);

/// A GET whose answer is made up by a test.
const MADE_UP: &str = "/v1/made-up";

fn made_up(host: &str) -> Request {
    Request::get(MADE_UP).bearer(&ana()).header("host", host)
}

fn start(version: &str) -> Guarded {
    Guarded::start(
        version,
        &policy(&json!({
            "masks": {"pii": {"detect": ["email", "credit_card"], "base64": true}},
            "rules": [{"name": "all", "when": {"operation": ["*", "unknown"]}, "then": "allow", "mask": ["pii"]}],
        })),
    )
}

fn json(coding: &str) -> Answer {
    Answer::new(200)
        .header("content-type", "application/json")
        .header("content-encoding", coding)
        .header("vary", "accept-encoding")
}

fn encoded_answers_are_masked(version: &str) {
    let guarded = start(version);
    every_coding_is_undone(&guarded);
    an_encoded_stream_streams(&guarded);
    a_bomb_and_a_broken_coding_are_cut_off(&guarded);
}

fn every_coding_is_undone(guarded: &Guarded) {
    let said = r#"{"said":"Mail jane.doe@example.com, she knows."}"#.repeat(200);
    let seen = r#"{"said":"Mail [EMAIL], she knows."}"#.repeat(200);
    for (name, bytes) in [
        ("gzip", gzip(said.as_bytes())),
        ("deflate", deflate(said.as_bytes())),
        ("br", brotli(said.as_bytes())),
        ("zstd", zstd(said.as_bytes())),
    ] {
        for size in [1, 7, 1 << 20] {
            let answer = json(name).header("etag", "\"1\"");
            let chunked = answer.clone().steps(body::split(&bytes, size));
            for answer in [chunked, answer.body(bytes.clone())] {
                guarded.model.answer(MADE_UP, answer);
                let http1 = guarded.send(made_up("a.test"));
                let client = Client::http2(guarded.mesh.port()).unwrap();
                let http2 = client.send(made_up("a.test")).unwrap();
                for answer in [http1, http2] {
                    assert_eq!(answer.status, 200, "{name}, {size}");
                    assert_eq!(answer.broken, None, "{name}, {size}");
                    assert_eq!(answer.text(), seen, "{name}, {size}");
                    assert_eq!(answer.header("content-encoding"), None);
                    assert_eq!(answer.header("etag"), None);
                    assert_eq!(answer.header("vary"), Some("accept-encoding"));
                }
            }
        }
    }
}

fn an_encoded_stream_streams(guarded: &Guarded) {
    let event = |text: &str| {
        let delta = json!({"choices": [{"index": 0, "delta": {"content": text}}]});
        format!("data: {delta}\n\n")
    };
    let events = ["Mail ", "jane.doe@exam", "ple.com", ", she knows."].map(event);
    let pieces = coding::flushed(&events);
    let gate = body::Gate::new();
    let steps = pieces
        .into_iter()
        .flat_map(|piece| [Step::Wait(gate.clone()), Step::data(piece)]);
    let answer = Answer::new(200)
        .header("content-type", "text/event-stream")
        .header("content-encoding", "br")
        .steps(steps.collect());
    guarded.model.answer(MADE_UP, answer);
    gate.open(1);
    let client = Client::http1(guarded.mesh.port()).unwrap();
    let mut stream = client.open(made_up("a.test")).unwrap();
    // The first event is there while the others are not.
    let read = |text: &str| event(text).trim_end().to_owned();
    assert_eq!(stream.next_event().unwrap(), Some(read("Mail ")));
    gate.open(10);
    for text in ["[EMAIL]", "", ", she knows."] {
        assert_eq!(stream.next_event().unwrap(), Some(read(text)));
    }
    assert_eq!(stream.next_event().unwrap(), None);
}

fn a_bomb_and_a_broken_coding_are_cut_off(guarded: &Guarded) {
    let bomb = gzip(&vec![b' '; 32 << 20]);
    assert!(bomb.len() < 100_000);
    let said = r#"{"said":"nothing"}"#;
    let cut_short = |mut bytes: Vec<u8>| {
        bytes.pop();
        bytes
    };
    for (case, coding, bytes, code) in [
        ("bomb", "gzip", bomb, "encoding_too_large"),
        (
            "cut",
            "br",
            cut_short(brotli(said.as_bytes())),
            "encoding_truncated",
        ),
        ("other", "zstd", gzip(said.as_bytes()), "encoding_malformed"),
    ] {
        guarded
            .model
            .answer(MADE_UP, json(coding).steps(vec![Step::data(bytes)]));
        let host = format!("{case}.test");
        let answer = guarded.send(made_up(&host));
        assert!(answer.broken.is_some() || answer.status == 502, "{case}");
        assert!(answer.body.len() < 16 << 20, "{case}");
        let record = guarded.record(&host);
        assert_eq!(record["response"]["code"], code, "{case}: {record}");
    }
    // The worker is none the worse.
    guarded
        .model
        .answer(MADE_UP, json("gzip").body(gzip(said.as_bytes())));
    assert_eq!(guarded.send(made_up("a.test")).text(), said);
}

/// A field of counted bytes, of a protobuf message.
fn field(number: u8, content: &[u8]) -> Vec<u8> {
    let length = u8::try_from(content.len()).unwrap();
    assert!(length < 128);
    [&[number * 8 + 2, length], content].concat()
}

fn grpc_of_any_schema_is_masked(version: &str) {
    const PATH: &str = "/example.Assistant/Ask";
    let guarded = start(version);
    let message = |text: &str, mail: &str| {
        let inner = [field(3, text.as_bytes()), vec![0x20, 9]].concat();
        [
            field(1, b"id-7"),
            field(2, &inner),
            field(5, mail.as_bytes()),
        ]
        .concat()
    };
    let compressed = |message: &[u8]| {
        let mut frame = enveloped(&gzip(message));
        frame[0] = 1;
        frame
    };
    let trailers = || Step::Trailers(vec![("grpc-status".to_owned(), "0".to_owned())]);
    let said = [
        message("Mail jane.doe@exam", "4111 1111 1111 1111"),
        message("ple.com", "x"),
        message(", she knows.", "x"),
    ];
    let seen = [
        message("Mail [EMAIL]", "[CREDIT_CARD]"),
        message("", "x"),
        message(", she knows.", "x"),
    ];
    let plain: Vec<u8> = said.iter().flat_map(|one| enveloped(one)).collect();
    let packed: Vec<u8> = said.iter().flat_map(|one| compressed(one)).collect();
    let expected: Vec<u8> = seen.iter().flat_map(|one| enveloped(one)).collect();
    let client = Client::http2(guarded.mesh.port()).unwrap();
    let ask = |host: &str| {
        let request = Request::post(PATH)
            .bearer(&ana())
            .header("host", host)
            .header("content-type", "application/grpc")
            .header("grpc-accept-encoding", "gzip")
            .header("te", "trailers");
        client
            .send(request.body(enveloped(&field(1, b"hello"))))
            .unwrap()
    };
    for (case, coding, bytes) in [("plain", "identity", &plain), ("packed", "gzip", &packed)] {
        for size in [1, 11, 1 << 20] {
            let mut steps = body::split(bytes, size);
            steps.push(trailers());
            let answer = Answer::new(200)
                .header("content-type", "application/grpc")
                .header("grpc-encoding", coding)
                .steps(steps);
            guarded.model.answer(PATH, answer);
            guarded.model.forget();
            let answer = ask("a.test");
            assert_eq!(answer.broken, None, "{case}, {size}");
            assert_eq!(answer.body, expected, "{case}, {size}");
            assert_eq!(answer.trailer("grpc-status"), Some("0"), "{case}, {size}");
            let received = guarded.model.wait_received(1).unwrap();
            assert_eq!(received[0].header("grpc-accept-encoding"), Some("identity"));
        }
    }
    let answer = Answer::new(200)
        .header("content-type", "application/grpc")
        .header("grpc-encoding", "snappy")
        .steps(vec![Step::data(packed), trailers()]);
    guarded.model.answer(PATH, answer);
    let answer = ask("a.test");
    assert!(answer.body.is_empty(), "{answer:?}");
    assert_ne!(answer.trailer("grpc-status"), Some("0"), "{answer:?}");
    let of_code = || {
        let records = guarded.mesh.sessions(0).unwrap();
        let mut codes = records.iter().map(|one| one["response"]["code"].clone());
        codes.find(|code| code == "message_compressed")
    };
    wait::value("the record", Duration::from_secs(30), of_code).unwrap();
}

fn markup_parts_and_arguments_are_masked(version: &str) {
    let guarded = start(version);
    let arguments = |mail: &str| {
        let inner = format!("{{\"to\":\"{mail}\"}}");
        json!({"choices": [{"message": {"tool_calls": [{"function": {"arguments": inner}}]}}]})
            .to_string()
    };
    let tokens = |mail: [&str; 3]| {
        let list = mail.map(|token| json!({"token": token, "logprob": -1}));
        json!({"choices": [{"logprobs": {"content": list}}]}).to_string()
    };
    let parts = |mail: &str| {
        format!(
            "--b\r\ncontent-type: application/json\r\n\r\n{{\"a\":\"{mail}\"}}\r\n--b\r\ncontent-type: \
             image/png\r\n\r\n\u{1}jane.doe@example.com\r\n--b\r\n\r\n{mail}\r\n--b--\r\n"
        )
    };
    let mail = "jane.doe@example.com";
    for (media, said, seen) in [
        (
            "text/html; charset=utf-8",
            "<p title='jane.doe&#64;example.com'>jane.doe@example.com</p>".to_owned(),
            "<p title='[EMAIL]'>[EMAIL]</p>".to_owned(),
        ),
        (
            "application/atom+xml",
            "<a>jane.doe&#x40;example.com</a>".to_owned(),
            "<a>[EMAIL]</a>".to_owned(),
        ),
        ("multipart/mixed; boundary=b", parts(mail), parts("[EMAIL]")),
        (
            "application/json",
            arguments("jane.doe\\u0040example.com"),
            arguments("[EMAIL]"),
        ),
        (
            "application/json",
            tokens(["jane", ".doe@exam", "ple.com"]),
            tokens(["[EMAIL]", "", ""]),
        ),
        (
            "application/json",
            r#"{"a":"amFuZS5kb2VAZXhhbXBsZS5jb20h"}"#.to_owned(),
            r#"{"a":"W0VNQUlMXSE="}"#.to_owned(),
        ),
    ] {
        for size in [1, 5, 1 << 20] {
            let answer = Answer::new(200).header("content-type", media);
            guarded
                .model
                .answer(MADE_UP, answer.steps(body::split(said.as_bytes(), size)));
            let answer = guarded.send(made_up("a.test"));
            assert_eq!((answer.status, &answer.broken), (200, &None), "{media}");
            assert_eq!(answer.text(), seen, "{media}, {size}");
        }
    }
}
