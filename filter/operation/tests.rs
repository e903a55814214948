use proptest::prelude::*;

use base::operation::OPERATIONS;

use super::{Operation, PathError, name, normalize};
use crate::dialect::Routes;

fn named(method: &str, path: &str) -> Result<Operation, PathError> {
    name(&Routes::default(), method, &normalize(path.as_bytes())?)
}

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
        ("POST", "/v1/chat/completions/x/y", "unknown", None),
        ("GET", "/v9", "unknown", None),
        ("GET", "/v1/models/", "model.list", None),
    ] {
        let found = named(method, path).unwrap();
        assert_eq!(found.name, operation, "{method} {path}");
        assert_eq!(found.model.name(), model, "{method} {path}");
        assert!(OPERATIONS.contains(&found.name));
    }
    assert_eq!(
        named("POST", "/v2/models/m/infer").unwrap().dialect.name,
        "kserve"
    );
    // The body of what nobody knows is looked at as closely as can be.
    assert!(!named("POST", "/nowhere").unwrap().body.says_nothing());
    assert_eq!(named("GET", &"/a".repeat(1000)).unwrap().name, "unknown");
}

#[test]
fn a_query_says_no_other_method() {
    for name in [
        "_method",
        "_METHOD",
        "%5Fmethod",
        "%255Fmethod",
        ".method",
        "+_method",
        "%20.method",
        "[method",
        "[_method]",
        "_method[]",
        "_method%00x",
        "_method%zz",
    ] {
        let path = normalize(format!("/a?b=1&{name}=DELETE&method=x").as_bytes()).unwrap();
        assert_eq!(path.to_header(), "/a?b=1&method=x", "{name}");
    }
    let path = normalize(b"/a?method[]=x&payment_method=y&_methods=z").unwrap();
    assert_eq!(
        path.query.unwrap(),
        "method[]=x&payment_method=y&_methods=z"
    );
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
    assert!(normalize(b"/caf%C3%A9?x=%FF").is_ok());
    let with_query = normalize(b"/a//b?x=1?../&%2F").unwrap();
    assert_eq!(with_query.to_header(), "/a/b?x=1?../&%2F");
    for (raw, error) in [
        ("*", PathError::NotAbsolute),
        ("/a%2f../b", PathError::EscapedSlash),
        ("/a%3fb", PathError::Ambiguous),
        ("/a%23b", PathError::Ambiguous),
        ("/a%5Cb", PathError::Ambiguous),
        ("/a\\b", PathError::Ambiguous),
        ("/a%00", PathError::Ambiguous),
        ("/a%252fb", PathError::Ambiguous),
        ("/a;x/b", PathError::Ambiguous),
        ("/a%3bx", PathError::Ambiguous),
        ("/a%zz", PathError::Malformed),
        ("/a%2", PathError::Malformed),
        ("/a#b", PathError::Malformed),
        ("/a?b#c", PathError::Malformed),
        ("/a?b c", PathError::Malformed),
        // Overlong forms of a slash and of dots, half a letter, and Latin-1.
        ("/a%c0%afb", PathError::Malformed),
        ("/a/%c0%ae%c0%ae/b", PathError::Malformed),
        ("/a%e0%80%afb", PathError::Malformed),
        ("/a%e2%84", PathError::Malformed),
        ("/caf%e9", PathError::Malformed),
        ("/../a", PathError::AboveRoot),
    ] {
        assert_eq!(normalize(raw.as_bytes()).unwrap_err(), error, "{raw}");
    }
}

#[test]
fn a_known_path_in_another_case_is_refused_whatever_else_it_fits() {
    for (method, path) in [
        ("POST", "/V2/repository/models/m/unload"),
        // Routes of other servers have places for any text where these have their words.
        ("POST", "/V2/models/m/infer"),
        ("POST", "/v2/models/m/Infer"),
        ("POST", "/v1/models/m:Predict"),
        ("POST", "/v1beta/models/m:generatecontent"),
        ("POST", "/V1beta/models/m:generateContent"),
        ("DELETE", "/v1/Models/acme%2Fm"),
        ("POST", "/Model/acme%2Fm/invoke"),
        ("POST", "/model/acme%2Fm/Invoke"),
    ] {
        assert_eq!(
            named(method, path).unwrap_err(),
            PathError::OtherCase,
            "{path}"
        );
    }
    // Names are what they are.
    for path in [
        "/v1/models/Llama",
        "/v1/models/LLAMA/x",
        "/v2/models/M/ready",
    ] {
        assert!(named("GET", path).is_ok(), "{path}");
    }
}

#[test]
fn a_model_that_servers_could_cut_shorter_is_refused() {
    for (method, path) in [
        ("DELETE", "/v1/models/m%20"),
        ("DELETE", "/v1/models/%20acme/m"),
        ("DELETE", "/v1/models/m%C2%A0"),
        ("DELETE", "/v1/models/%EF%BB%BFm"),
        ("DELETE", "/models?model=m%20"),
        ("DELETE", "/models?model=+m"),
        ("DELETE", "/models?model=m%00x"),
        ("DELETE", "/models?model=m%0A"),
    ] {
        assert_eq!(
            named(method, path).unwrap_err(),
            PathError::ModelName,
            "{path}"
        );
    }
    let named = named("DELETE", "/v1/models/a%20b").unwrap();
    assert_eq!(named.model.name(), Some("a b"));
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
