//! Bodies that their content-type says are something else.

use std::rc::Rc;

use serde_json::json;

use super::{Driven, code, compiled, reply};
use crate::exchange::{CompiledPolicy, Effect, Event, Flow, Outcome};

/// A policy that masks prompts, or one that looks at them.
fn guarded(masks: bool) -> Rc<CompiledPolicy> {
    let mut rule = json!({
        "name": "all",
        "when": {"operation": ["*", "unknown"]},
        "then": "allow",
    });
    if masks {
        rule["mask_request"] = json!(["labels"]);
    } else {
        rule["when"]["prompt"] = json!(["any"]);
    }
    compiled(&json!({
        "patterns": {"any": {"any_of": ["ana"]}},
        "masks": {"labels": {"detect": ["email"]}},
        "rules": [rule],
    }))
}

/// Sends a request whose head has these content-types.
fn send(
    compiled: &Rc<CompiledPolicy>,
    path: &str,
    types: &[&str],
    body: &[u8],
) -> (Driven, Outcome) {
    let mut exchange = Driven::new(compiled);
    let headers: Vec<(&str, &str)> = types.iter().map(|one| ("content-type", *one)).collect();
    let outcome = exchange.head("POST", path, &headers, false);
    if exchange.wants_body() {
        let outcome = exchange.handle(Event::RequestWhole { body });
        return (exchange, outcome);
    }
    (exchange, outcome)
}

fn masked(outcome: &Outcome) -> bool {
    outcome.flow == Flow::Continue
        && outcome.effects.iter().any(|effect| match effect {
            Effect::ReplaceRequestBody(body) => {
                !body.windows(4).any(|four| four == b"ana@") && body.contains(&b'[')
            }
            _ => false,
        })
}

/// Routes whose bodies are JSON, with one.
const JSON_ROUTES: [(&str, &str); 7] = [
    (
        "/v1/chat/completions",
        r#"{"model":"m","messages":[{"role":"user","content":"ana@example.com"}]}"#,
    ),
    (
        "/v1/completions",
        r#"{"model":"m","prompt":"ana@example.com"}"#,
    ),
    (
        "/v1/embeddings",
        r#"{"model":"m","input":"ana@example.com"}"#,
    ),
    (
        "/v1/responses",
        r#"{"model":"m","input":"ana@example.com"}"#,
    ),
    ("/v1/images/generations", r#"{"prompt":"ana@example.com"}"#),
    (
        "/v2/models/m/infer",
        r#"{"inputs":[{"name":"a","datatype":"BYTES","shape":[1],"data":["ana@example.com"]}]}"#,
    ),
    (
        "/v2/models/m/generate",
        r#"{"text_input":"ana@example.com"}"#,
    ),
];

/// Content-types that JSON does not have, and none: to many servers it is JSON all the same.
const OTHER_TYPES: &[&[&str]] = &[
    &[],
    &[""],
    &["image/png"],
    &["audio/wav"],
    &["video/mp4"],
    &["font/woff2"],
    &["text/plain"],
    &["text/event-stream"],
    &["text/html"],
    &["application/xml"],
    &["application/x-ndjson"],
    &["application/octet-stream"],
    &["application/x-www-form-urlencoded"],
    &["multipart/form-data; boundary=x"],
    &["application/grpc"],
    &["application/grpc+proto"],
    &["application/jsonp"],
    &["application/json, image/png"],
    &["application/json", "application/json"],
    &["application/json", "image/png"],
    &["image/png", "application/json"],
];

/// What says that the text is in another encoding, or may say so to some servers.
const OTHER_ENCODINGS: &[&[&str]] = &[
    &["text/plain; charset=utf-16"],
    &["application/json; charset=utf-16"],
    &["application/json; charset=UTF-7"],
    &["application/json;charset=\"utf-32\""],
    &["application/json; charset=latin1"],
    &["application/json; charset="],
    &["application/json; charset"],
    &["application/json; charset=utf-8; charset=utf-16"],
    &["application/json; charset*=utf-16''x"],
    &["application/json; x; Charset=utf-16"],
];

#[test]
fn a_body_that_the_route_takes_for_json_is_masked_as_json_or_refused() {
    let compiled = guarded(true);
    for (path, body) in JSON_ROUTES {
        for types in OTHER_ENCODINGS {
            let (mut exchange, outcome) = send(&compiled, path, types, body.as_bytes());
            assert_eq!(reply(&outcome).status, 415, "{path} {types:?}");
            let record = exchange.record();
            let code = &record["verdict"]["code"];
            assert_eq!(code, "media_type_not_supported", "{path} {types:?}");
        }
        for types in OTHER_TYPES {
            for body in [body.to_owned(), body.replace('@', "\\u0040")] {
                let (_, outcome) = send(&compiled, path, types, body.as_bytes());
                assert!(masked(&outcome), "{path} {types:?}: {outcome:?}");
            }
            let (_, outcome) = send(&compiled, path, types, b"ana@example.com");
            assert_eq!(outcome.flow, Flow::Hold, "{path} {types:?}");
        }
        for json in [
            "application/json",
            "APPLICATION/JSON",
            "Application/Json ; Charset=UTF-8",
            "application/json; charset=\"utf-8\"",
            "application/json; charset=us-ascii",
            "application/vnd.x+json",
            "application/vnd.x+JSON; v=1",
        ] {
            for body in [body.to_owned(), body.replace('@', "\\u0040")] {
                let (_, outcome) = send(&compiled, path, &[json], body.as_bytes());
                assert!(masked(&outcome), "{path} {json}: {outcome:?}");
            }
        }
    }
}

#[test]
fn a_body_is_judged_only_as_what_the_route_takes_it_for() {
    let compiled = guarded(false);
    for (path, body) in JSON_ROUTES {
        for types in OTHER_ENCODINGS {
            let (mut exchange, outcome) = send(&compiled, path, types, body.as_bytes());
            assert_eq!(reply(&outcome).status, 415, "{path} {types:?}");
            let record = exchange.record();
            let code = &record["verdict"]["code"];
            assert_eq!(code, "media_type_not_supported", "{path} {types:?}");
        }
        for types in OTHER_TYPES {
            let (_, outcome) = send(&compiled, path, types, body.as_bytes());
            assert_eq!(
                outcome.flow,
                Flow::Continue,
                "{path} {types:?}: {outcome:?}"
            );
            let form = b"model=other&prompt=ana";
            let (mut exchange, _) = send(&compiled, path, types, form);
            let record = exchange.record();
            assert_eq!(
                record["verdict"]["code"], "body_malformed",
                "{path} {types:?}"
            );
        }
    }
}

#[test]
fn a_form_inside_of_json_is_seen_by_who_believes_the_content_type() {
    let compiled = guarded(false);
    let form = ["application/x-www-form-urlencoded"];
    for (body, passes) in [
        (r#"{"model":"m","prompt":"ana & bob"}"#, true),
        (r#"{"model":"m","prompt":"ana","x":"&model=other&"}"#, false),
        (
            r#"{"model":"m","prompt":"ana","x":"&%6Dodel=other"}"#,
            false,
        ),
        (r#"{"model":"m","prompt":"ana","x":";MODEL=other"}"#, false),
    ] {
        let (_, outcome) = send(&compiled, "/v1/completions", &form, body.as_bytes());
        if passes {
            assert_eq!(outcome.flow, Flow::Continue, "{body}: {outcome:?}");
        } else {
            assert_eq!(code(&outcome), "body_malformed", "{body}");
        }
    }
}

#[test]
fn calls_of_grpc_are_grpc_or_refused() {
    let compiled = guarded(true);
    for method in ["ModelInfer", "ModelStreamInfer"] {
        for types in [
            &[][..],
            &["application/json"],
            &["image/png"],
            &["text/plain"],
            &["application/grpc-web"],
            &["application/grpc", "application/json"],
        ] {
            let path = format!("/inference.GRPCInferenceService/{method}");
            let (mut exchange, outcome) = send(&compiled, &path, types, b"{}");
            reply(&outcome);
            let record = exchange.record();
            let code = &record["verdict"]["code"];
            assert_eq!(code, "media_type_not_supported", "{method} {types:?}");
            assert_eq!(record["verdict"]["status"], 415);
        }
    }
}

fn wide(text: &str, unit: impl Fn(u32) -> Vec<u8>) -> Vec<u8> {
    text.chars().flat_map(|one| unit(u32::from(one))).collect()
}

#[test]
fn on_a_route_that_is_not_known_text_is_not_taken_for_a_picture() {
    let json = r#"{"a":"ana@example.com"}"#;
    let half = |one: u32| u16::try_from(one).unwrap();
    let mut broken = wide(json, |one| half(one).to_le_bytes().to_vec());
    broken.extend([0x00, 0xd8]);
    let compiled = guarded(true);
    for body in [
        json.as_bytes().to_vec(),
        b"  [\"ana@example.com\", NaN]".to_vec(),
        b"\xef\xbb\xbf{\"a\":\"ana@example.com\"}".to_vec(),
        b"{\"a\":\"ana@example.com\",\"b\":\"\xed\xa0\x80\"}".to_vec(),
        b"prompt=ana@example.com".to_vec(),
        b"ana@example.com\0".to_vec(),
        wide(json, |one| half(one).to_be_bytes().to_vec()),
        wide(json, |one| half(one).to_le_bytes().to_vec()),
        wide(&format!("\u{feff}{json}"), |one| {
            half(one).to_le_bytes().to_vec()
        }),
        wide(json, |one| one.to_be_bytes().to_vec()),
        wide(json, |one| one.to_le_bytes().to_vec()),
        broken,
    ] {
        for media in ["image/png", "audio/wav", "video/mp4", "font/woff"] {
            let (_, outcome) = send(&compiled, "/v1/anything", &[media], &body);
            assert_eq!(
                code(&outcome),
                "media_type_not_supported",
                "{media} {body:?}"
            );
        }
    }
    // Beginnings of real files pass as they are.
    for body in [
        &b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0"[..],
        b"\xff\xd8\xff\xe0\0\x10JFIF",
        b"\0\0\0\x20ftypisom\0\0\x02\0\xff\xff",
        b"RIFF\x24\x80\0\0WAVEfmt \xff",
        b"ID3\x04\0\0\0\0\0\0\xff\xfb\x90",
        b"\0\x01\0\0\0\x0f\0\x80\0\x03\0\x70\xf0",
        b"GIF89a\x01\0\x01\0\x80\0\0\xff\xff\xff",
    ] {
        let (_, outcome) = send(&compiled, "/v1/anything", &["image/png"], body);
        let passed = (outcome.effects.len(), outcome.flow);
        assert_eq!(passed, (0, Flow::Continue), "{body:?}");
    }
    let (_, nothing) = send(&compiled, "/v1/anything", &["image/png"], b"");
    assert_eq!(nothing.flow, Flow::Continue);
}

#[test]
fn on_a_route_that_is_not_known_escapes_are_not_taken_for_text() {
    let compiled = guarded(true);
    for media in ["text/plain", "text/event-stream", "text/csv"] {
        for body in [
            r#"{"a":"ana\u0040example.com"}"#,
            "\u{feff} [\"ana\\u0040example.com\", NaN]",
            "{\"a\":\"ana\\u0040example.com\"}\n{\"a\":1}\n",
        ] {
            let (_, outcome) = send(&compiled, "/v1/anything", &[media], body.as_bytes());
            assert_eq!(code(&outcome), "media_type_not_supported", "{media} {body}");
        }
        // Without an escape, what is written is what a server reads.
        let body = br#"{"a":"ana@example.com"}"#;
        let (_, outcome) = send(&compiled, "/v1/anything", &[media], body);
        assert!(masked(&outcome), "{media}: {outcome:?}");
        let (_, outcome) = send(&compiled, "/v1/anything", &[media], br"C:\ana@example.com");
        assert!(masked(&outcome), "{media}: {outcome:?}");
        let utf16 = format!("{media}; charset=utf-16");
        let (_, outcome) = send(&compiled, "/v1/anything", &[&utf16], b"ana");
        assert_eq!(code(&outcome), "body_not_readable");
    }
}

#[test]
fn a_field_of_a_form_is_what_its_server_reads_in_it() {
    let compiled = guarded(true);
    let types = ["multipart/form-data; boundary=x"];
    let form = |head: &str, value: &str| {
        format!(
            "--x\r\ncontent-disposition: form-data; name=\"model\"\r\n\r\nm\r\n--x\r\n{head}\r\n\r\n{value}\r\n--x--\r\n"
        )
    };
    let prompt = "content-disposition: form-data; name=\"prompt\"";
    for (head, value) in [
        (prompt.to_owned(), "ana@example.com"),
        (
            format!("{prompt}\r\ncontent-type: text/plain; charset=utf-8"),
            "ana@example.com",
        ),
        (
            format!("{prompt}\r\ncontent-type: application/json"),
            "[\"ana\\u0040example.com\"]",
        ),
        (
            "content-disposition: form-data; name=\"ana@example.com\"".to_owned(),
            "a",
        ),
    ] {
        let body = form(&head, value);
        let (_, outcome) = send(
            &compiled,
            "/v1/audio/transcriptions",
            &types,
            body.as_bytes(),
        );
        assert!(masked(&outcome), "{head}: {outcome:?}");
    }
    for (media, value) in [
        ("image/png", "ana@example.com"),
        ("audio/wav", "{\"a\":\"ana@example.com\"}"),
        ("text/plain; charset=utf-16", "ana@example.com"),
        ("text/plain", "{\"a\":\"ana\\u0040example.com\"}"),
        ("application/json", "not JSON of ana@example.com"),
    ] {
        let body = form(&format!("{prompt}\r\ncontent-type: {media}"), value);
        let (_, outcome) = send(
            &compiled,
            "/v1/audio/transcriptions",
            &types,
            body.as_bytes(),
        );
        assert_eq!(code(&outcome), "body_not_readable", "{media} {value}");
    }
}

/// A form with one file, as curl and SDKs send a JSONL file: they know of no type for it (curl's
/// `lib/mime.c`, `Curl_mime_contenttype`).
fn upload(media: &str, value: &[u8]) -> Vec<u8> {
    let head = format!(
        "--x\r\nContent-Disposition: form-data; name=\"purpose\"\r\n\r\nbatch\r\n--x\r\n\
         Content-Disposition: form-data; name=\"file\"; filename=\"a.jsonl\"\r\n\
         Content-Type: {media}\r\n\r\n"
    );
    [head.as_bytes(), value, b"\r\n--x--\r\n"].concat()
}

const FORM: [&str; 1] = ["multipart/form-data; boundary=x"];

#[test]
fn a_file_of_bytes_is_masked_if_it_is_text_for_everybody() {
    let compiled = guarded(true);
    for value in [
        "write to ana@example.com",
        "{\"a\":\"ana@example.com\"}\n{\"a\":1}\n",
        "{\"a\":\"ana\\u0040example.com\"}\n\n[\"x\"]",
        " {\n\"a\": \"ana\\u0040example.com\"}",
        "a,b\n1,ana@example.com",
    ] {
        let body = upload("application/octet-stream", value.as_bytes());
        let (_, outcome) = send(&compiled, "/v1/files", &FORM, &body);
        assert!(masked(&outcome), "{value}: {outcome:?}");
        let masked = outcome.effects.iter().any(|effect| match effect {
            Effect::ReplaceRequestBody(body) => String::from_utf8_lossy(body).contains("[EMAIL]"),
            _ => false,
        });
        assert!(masked, "{value}: {outcome:?}");
    }
    let nul = "ana@example.com".encode_utf16().flat_map(u16::to_le_bytes);
    for value in [
        nul.collect::<Vec<u8>>(),
        b"caf\xe9 ana@example.com".to_vec(),
        b"{\"a\":\"ana\\u0040example.com\"} and more".to_vec(),
    ] {
        let body = upload("application/octet-stream", &value);
        let (_, outcome) = send(&compiled, "/v1/files", &FORM, &body);
        assert_eq!(code(&outcome), "body_not_readable", "{value:?}");
    }
}

#[test]
fn a_file_passes_unread_where_the_mask_says_so_and_it_is_no_text() {
    let passing = |pass: &[&str]| {
        compiled(&json!({
            "masks": {"labels": {"detect": ["email"], "pass": pass}},
            "rules": [{"name": "all", "then": "allow", "mask_request": ["labels"]}],
        }))
    };
    let files = passing(&["application/octet-stream", "application/pdf"]);
    let binary = b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\nana@example.com";
    for media in ["application/octet-stream", "application/pdf"] {
        let body = upload(media, binary);
        let (_, outcome) = send(&files, "/v1/files", &FORM, &body);
        assert_eq!(outcome.flow, Flow::Continue, "{media}: {outcome:?}");
        let body = upload("image/png", b"\x89PNG\r\n\x1a\n\0\0\0\x0d");
        let (_, outcome) = send(&files, "/v1/files", &FORM, &body);
        assert_eq!(code(&outcome), "body_not_readable");
    }
    // Whatever it is called, text is not taken for something else.
    let body = upload("application/pdf", b"ana@example.com");
    let (_, outcome) = send(&files, "/v1/files", &FORM, &body);
    assert_eq!(code(&outcome), "body_not_readable");
    let body = upload("application/octet-stream", b"ana@example.com");
    let (_, outcome) = send(&files, "/v1/files", &FORM, &body);
    assert!(masked(&outcome), "{outcome:?}");
    let field = "--x\r\nContent-Disposition: form-data; name=\"prompt\"\r\n\
                 Content-Type: application/octet-stream\r\n\r\ncaf\u{e9} ana@example.com";
    let field = [field.as_bytes(), b"\xff\r\n--x--\r\n"].concat();
    let (_, outcome) = send(&files, "/v1/files", &FORM, &field);
    assert_eq!(code(&outcome), "body_not_readable");
}

#[test]
fn a_mask_that_is_off_asks_nobody_what_a_body_is() {
    let compiled = compiled(&json!({}));
    for (path, body) in JSON_ROUTES {
        let (_, outcome) = send(&compiled, path, &["image/png"], body.as_bytes());
        assert_eq!(outcome.flow, Flow::Continue, "{path}");
    }
}

#[test]
fn without_a_content_type_a_body_is_json_or_nothing_that_can_be_masked() {
    let compiled = guarded(true);
    for path in ["/v2/repository/index", "/upload"] {
        let (_, outcome) = send(&compiled, path, &[], b"");
        assert!(outcome.flow == Flow::Continue, "{path}: {outcome:?}");
        let (_, outcome) = send(&compiled, path, &[], br#"{"name":"ana@example.com"}"#);
        assert!(masked(&outcome), "{path}: {outcome:?}");
        let (_, outcome) = send(&compiled, path, &[], b"name=ana@example.com");
        assert_eq!(reply(&outcome).status, 415, "{path}");
    }
}
