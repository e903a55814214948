use base::code::Code;
use base::operation::OPERATIONS;
use serde_json::{Value, json};

use super::catalog::routes;
use super::grpc::INFER;
use super::kserve::TENSORS;
use super::openai::{CHAT, COMPLETION, EMBEDDING};
use super::{ApiError, Body, Dialect, Facts, FactsError, grpc, kserve, openai};

#[test]
fn every_route_asks_for_what_rules_can_speak_of() {
    let mut count = 0;
    for route in routes() {
        assert!(OPERATIONS.contains(&route.operation), "{route:?}");
        count += 1;
    }
    assert!(count > 50, "{count} routes");
}

#[test]
fn each_dialect_says_an_error_as_its_clients_read_it() {
    let written = |dialect: &Dialect, status| {
        (dialect.error)(&ApiError {
            status,
            code: Code::Denied,
            message: "No.",
        })
    };
    for (status, kind) in [
        (400, "invalid_request_error"),
        (401, "authentication_error"),
        (403, "permission_error"),
        (429, "rate_limit_error"),
        (503, "server_error"),
    ] {
        let openai = written(&openai::DIALECT, status);
        assert_eq!(openai.content_type, Some("application/json"));
        assert_eq!(
            serde_json::from_str::<Value>(&openai.body).unwrap(),
            json!({"error": {"message": "No.", "type": kind, "param": null, "code": "denied"}})
        );
    }
    let kserve = written(&kserve::DIALECT, 403);
    assert_eq!(kserve.body, r#"{"error":"denied: No."}"#);
    let grpc = written(&grpc::DIALECT, 403);
    assert_eq!((grpc.content_type, grpc.body.as_str()), (None, "No."));
}

/// The facts of a body, and its texts.
fn taken(shape: Body, body: &[u8]) -> Result<(Facts, Vec<String>), FactsError> {
    let mut texts = Vec::new();
    let facts = shape.take(body, &mut |text| texts.push(text.to_owned()))?;
    Ok((facts, texts))
}

fn items(shape: Body, body: &str) -> u64 {
    taken(shape, body.as_bytes()).unwrap().0.items
}

#[test]
fn items_are_counted() {
    assert_eq!(items(CHAT, r#"{"messages":[]}"#), 1);
    assert_eq!(items(CHAT, r#"{"n":3}"#), 3);
    assert_eq!(
        items(COMPLETION, r#"{"prompt":["a","b"],"n":3,"best_of":4}"#),
        8
    );
    assert_eq!(items(COMPLETION, r#"{"prompt":[1,2,3]}"#), 1);
    assert_eq!(items(EMBEDDING, r#"{"input":"a"}"#), 1);
    assert_eq!(items(EMBEDDING, r#"{"input":["a","b"]}"#), 2);
    assert_eq!(items(EMBEDDING, r#"{"input":[[1,2],[3]]}"#), 2);
    assert_eq!(items(EMBEDDING, r#"{"input":[]}"#), 1);
    assert_eq!(
        items(TENSORS, r#"{"inputs":[{"shape":[2,4]},{"shape":[5]}]}"#),
        5
    );
    for (shape, body) in [
        (CHAT, r#"{"n":"3"}"#),
        (CHAT, r#"{"n":0}"#),
        (CHAT, r#"{"n":-1}"#),
        (CHAT, r#"{"n":1.5}"#),
        (TENSORS, r#"{"inputs":[{"shape":[-1]}]}"#),
        (TENSORS, r#"{"inputs":[{}]}"#),
        (TENSORS, r"{}"),
    ] {
        assert!(
            matches!(taken(shape, body.as_bytes()), Err(FactsError::Malformed(_))),
            "{body}"
        );
    }
}

#[test]
fn every_text_is_a_prompt_and_parts_are_seen_together() {
    let (facts, texts) = taken(
        CHAT,
        br#"{"model":"m","messages":[{"role":"tool","content":[{"type":"text","text":"ignore "},{"type":"text","text":"this"}]}]}"#,
    )
    .unwrap();
    assert_eq!(facts.model.as_deref(), Some("m"));
    for text in ["ignore ", "this", "ignore this", "tool"] {
        assert!(texts.iter().any(|one| one == text), "{text}");
    }
}

#[test]
fn parts_are_joined_in_the_array_that_holds_them_only() {
    let (_, texts) = taken(
        Body::Texts,
        br#"{"a":["a",["b","c"],{"x":["d"],"text":"e"},{"in":{"text":"f"}},1,"g"],"text":"h"}"#,
    )
    .unwrap();
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    assert_eq!(texts, ["a", "b", "c", "bc", "d", "e", "f", "g", "aeg", "h"]);
}

#[test]
fn a_name_that_is_too_long_for_a_model_is_refused() {
    let long = "m".repeat(4097);
    let mut message = field(1, b"iris");
    message.push(1 << 3 | 2);
    message.extend([0x81, 0x20]);
    message.extend(long.bytes());
    for (shape, body) in [
        (CHAT, format!("{{\"model\":{long:?}}}").into_bytes()),
        (INFER, framed(&message)),
    ] {
        let error = taken(shape, &body).unwrap_err();
        assert_eq!(
            error,
            FactsError::Malformed("The name of the model is longer than 4096 bytes.".to_owned())
        );
    }
}

#[test]
fn bodies_that_two_readers_could_take_differently_are_refused() {
    for body in [
        r#"{"model":"a","model":"b"}"#,
        r#"{"model":["a"]}"#,
        "[]",
        "",
        "{",
        r#"{"model":"a"}x"#,
        &format!("{}{}", r#"{"a":"#, "[".repeat(10_000)),
    ] {
        assert!(
            matches!(taken(CHAT, body.as_bytes()), Err(FactsError::Malformed(_))),
            "{body:.40}"
        );
    }
    let error = taken(CHAT, br#"{"a":"secret words"#).unwrap_err();
    assert!(!format!("{error:?}").contains("secret"));
}

fn field(number: u8, bytes: &[u8]) -> Vec<u8> {
    let mut out = vec![number << 3 | 2, u8::try_from(bytes.len()).unwrap()];
    out.extend(bytes);
    out
}

fn framed(message: &[u8]) -> Vec<u8> {
    let mut out = vec![0];
    out.extend(u32::try_from(message.len()).unwrap().to_be_bytes());
    out.extend(message);
    out
}

#[test]
fn a_grpc_request_tells_model_rows_and_texts() {
    let mut input = field(3, &[7, 2]);
    input.extend(field(5, &field(8, b"say hello")));
    let mut message = field(1, b"iris");
    message.extend(field(5, &input));
    message.extend(field(7, b"\x03\0\0\0raw"));
    assert_eq!(
        taken(INFER, &framed(&message)),
        Ok((
            Facts {
                model: Some("iris".to_owned()),
                items: 7,
            },
            vec!["say hello".to_owned(), "raw".to_owned()],
        ))
    );
    let mut compressed = framed(&message);
    compressed[0] = 1;
    assert!(matches!(
        taken(INFER, &compressed),
        Err(FactsError::NotReadable(_))
    ));
    let mut two = framed(&message);
    two.extend(framed(&message));
    assert!(matches!(taken(INFER, &two), Err(FactsError::Malformed(_))));
    assert!(matches!(
        taken(INFER, &framed(&[0x2a, 0x7f])),
        Err(FactsError::Malformed(_))
    ));
}
