use proptest::prelude::*;

use super::{Dialect, Facts, FactsError, PathError, Shape, name, normalize, take};
use crate::config::operations::OPERATIONS;

#[test]
fn routes_are_named() {
    for (method, path, operation, model) in [
        ("POST", "/v1/chat/completions", "inference.chat", None),
        ("GET", "/v1/models", "model.list", None),
        ("HEAD", "/v1/models", "model.list", None),
        ("GET", "/v1/models/small-1", "model.list", Some("small-1")),
        (
            "DELETE",
            "/v1/models/small-1",
            "model.delete",
            Some("small-1"),
        ),
        (
            "POST",
            "/v2/models/iris/infer",
            "inference.generate",
            Some("iris"),
        ),
        (
            "POST",
            "/v2/models/iris/versions/3/infer",
            "inference.generate",
            Some("iris"),
        ),
        (
            "POST",
            "/inference.GRPCInferenceService/ModelInfer",
            "inference.generate",
            None,
        ),
        ("GET", "/v1/files/f1/content", "file.read", None),
        (
            "GET",
            "/v1/files/model.safetensors/content",
            "model.export",
            None,
        ),
        ("GET", "/static/weights/MODEL.GGUF", "model.export", None),
        ("PUT", "/v1/chat/completions", "unknown", None),
        ("POST", "/v1/chat/completions/x", "unknown", None),
        ("GET", "/", "unknown", None),
        ("GET", "/v1/models/", "unknown", None),
    ] {
        let found = name(method, path);
        assert_eq!(found.name, operation, "{method} {path}");
        assert_eq!(found.model.as_deref(), model, "{method} {path}");
        assert!(OPERATIONS.contains(&found.name));
    }
    assert_eq!(name("POST", "/v2/models/m/infer").dialect, Dialect::Kserve);
    // The body of what nobody knows is looked at as closely as can be.
    assert_eq!(name("POST", "/nowhere").body, Shape::Texts);
    assert_eq!(name("GET", &"/a".repeat(1000)).name, "unknown");
}

#[test]
fn every_name_of_the_catalog_is_one_that_rules_can_speak_of() {
    for line in include_str!("catalog.txt").lines() {
        let fields: Vec<&str> = line.split_whitespace().collect();
        if !fields.is_empty() && !fields[0].starts_with('#') {
            assert!(OPERATIONS.contains(&fields[2]), "{line}");
        }
    }
}

#[test]
fn paths_have_one_form() {
    for (raw, path) in [
        ("/v1/models", "/v1/models"),
        ("//v1///models/", "/v1/models"),
        ("/v1/./x/../models", "/v1/models"),
        ("/v1/%6dodels", "/v1/models"),
        ("/v1/%2e%2e/v1/models", "/v1/models"),
        ("/caf%c3%a9", "/caf%C3%A9"),
        ("/", "/"),
    ] {
        assert_eq!(normalize(raw.as_bytes()).unwrap().path, path, "{raw}");
    }
    let with_query = normalize(b"/a//b?x=1?../&%2F").unwrap();
    assert_eq!(with_query.to_header(), "/a/b?x=1?../&%2F");
    for (raw, error) in [
        ("*", PathError::NotAbsolute),
        ("/a%2fb", PathError::Ambiguous),
        ("/a%5Cb", PathError::Ambiguous),
        ("/a\\b", PathError::Ambiguous),
        ("/a%00", PathError::Ambiguous),
        ("/a%252fb", PathError::Ambiguous),
        ("/a;x/b", PathError::Ambiguous),
        ("/a%3bx", PathError::Ambiguous),
        ("/a%zz", PathError::Malformed),
        ("/a%2", PathError::Malformed),
        ("/a#b", PathError::Malformed),
        ("/../a", PathError::AboveRoot),
    ] {
        assert_eq!(normalize(raw.as_bytes()).unwrap_err(), error, "{raw}");
    }
}

/// The facts of a body, and its texts.
fn taken(shape: Shape, body: &[u8]) -> Result<(Facts, Vec<String>), FactsError> {
    let mut texts = Vec::new();
    let facts = take(shape, body, &mut |text| texts.push(text.to_owned()))?;
    Ok((facts, texts))
}

fn items(shape: Shape, body: &str) -> u64 {
    taken(shape, body.as_bytes()).unwrap().0.items
}

#[test]
fn items_are_counted() {
    assert_eq!(items(Shape::Chat, r#"{"messages":[]}"#), 1);
    assert_eq!(items(Shape::Chat, r#"{"n":3}"#), 3);
    assert_eq!(
        items(
            Shape::Completion,
            r#"{"prompt":["a","b"],"n":3,"best_of":4}"#
        ),
        8
    );
    assert_eq!(items(Shape::Completion, r#"{"prompt":[1,2,3]}"#), 1);
    assert_eq!(items(Shape::Embedding, r#"{"input":"a"}"#), 1);
    assert_eq!(items(Shape::Embedding, r#"{"input":["a","b"]}"#), 2);
    assert_eq!(items(Shape::Embedding, r#"{"input":[[1,2],[3]]}"#), 2);
    assert_eq!(items(Shape::Embedding, r#"{"input":[]}"#), 1);
    assert_eq!(
        items(
            Shape::Tensors,
            r#"{"inputs":[{"shape":[2,4]},{"shape":[5]}]}"#
        ),
        5
    );
    for (shape, body) in [
        (Shape::Chat, r#"{"n":"3"}"#),
        (Shape::Chat, r#"{"n":0}"#),
        (Shape::Chat, r#"{"n":-1}"#),
        (Shape::Chat, r#"{"n":1.5}"#),
        (Shape::Tensors, r#"{"inputs":[{"shape":[-1]}]}"#),
        (Shape::Tensors, r#"{"inputs":[{}]}"#),
        (Shape::Tensors, r"{}"),
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
        Shape::Chat,
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
        Shape::Texts,
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
        (Shape::Chat, format!("{{\"model\":{long:?}}}").into_bytes()),
        (Shape::TensorsGrpc, grpc(&message)),
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
            matches!(
                taken(Shape::Chat, body.as_bytes()),
                Err(FactsError::Malformed(_))
            ),
            "{body:.40}"
        );
    }
    let error = taken(Shape::Chat, br#"{"a":"secret words"#).unwrap_err();
    assert!(!format!("{error:?}").contains("secret"));
}

fn field(number: u8, bytes: &[u8]) -> Vec<u8> {
    let mut out = vec![number << 3 | 2, u8::try_from(bytes.len()).unwrap()];
    out.extend(bytes);
    out
}

fn grpc(message: &[u8]) -> Vec<u8> {
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
        taken(Shape::TensorsGrpc, &grpc(&message)),
        Ok((
            Facts {
                model: Some("iris".to_owned()),
                items: 7,
            },
            vec!["say hello".to_owned(), "raw".to_owned()],
        ))
    );
    let mut compressed = grpc(&message);
    compressed[0] = 1;
    assert!(matches!(
        taken(Shape::TensorsGrpc, &compressed),
        Err(FactsError::NotReadable(_))
    ));
    let mut two = grpc(&message);
    two.extend(grpc(&message));
    assert!(matches!(
        taken(Shape::TensorsGrpc, &two),
        Err(FactsError::Malformed(_))
    ));
    assert!(matches!(
        taken(Shape::TensorsGrpc, &grpc(&[0x2a, 0x7f])),
        Err(FactsError::Malformed(_))
    ));
}

proptest! {
    /// What is taken for normal at a glance is what normalizing gives.
    #[test]
    fn a_path_that_looks_normal_is(rest in "[a-c/._%0-2]{0,12}") {
        let glance = normalize(format!("/{rest}").as_bytes());
        // A segment that normalizing drops keeps it from being taken at a glance.
        let worked_out = normalize(format!("/./{rest}").as_bytes());
        prop_assert_eq!(glance, worked_out);
    }
}
