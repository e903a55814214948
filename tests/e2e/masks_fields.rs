//! Single fields of an answer, whatever is in them; and the names of members.

use serde_json::{Value, json};
use testbed::http::{Request, Response};
use testbed::model::Answer;

use crate::support::{Guarded, ana, in_each_envoy, policy};

in_each_envoy!(fields_are_edited_and_names_are_matched);

const EMBEDDINGS: &str = "/v1/embeddings";

fn ask(guarded: &Guarded) -> Response {
    guarded.send(
        Request::post(EMBEDDINGS)
            .bearer(&ana())
            .json(&json!({"model": "small-1", "input": "x"})),
    )
}

fn fields_are_edited_and_names_are_matched(version: &str) {
    let guarded = Guarded::start(
        version,
        &policy(&json!({
            "masks": {"m": {
                "detect": ["email"],
                "keys": true,
                "fields": {
                    "remove": ["/metadata/customer", "/data/*/owner"],
                    "replace": {"/model": "hidden"},
                    "round": {"/data/*/embedding": 3},
                    "drop_logprobs": true,
                },
            }},
            "rules": [{"name": "all", "then": "allow", "mask": ["m"]}],
        })),
    );
    let vector: Vec<f64> = (0..5000).map(|n| f64::from(n).sin()).collect();
    guarded.model.answer(
        EMBEDDINGS,
        Answer::json(&json!({
            "model": "secret-model-7",
            "metadata": {"customer": {"name": "x"}, "jane@example.com": "ok"},
            "data": [{"owner": "y", "embedding": vector, "index": 0}],
            "logprobs": {"content": []},
        })),
    );
    let answer = ask(&guarded);
    assert_eq!(answer.status, 200, "{}", answer.text());
    let body: Value = serde_json::from_slice(&answer.body).unwrap();
    assert_eq!(body["model"], "hidden");
    assert_eq!(body["metadata"], json!({"[EMAIL]": "ok"}));
    assert_eq!(body["logprobs"], Value::Null);
    assert!(body["data"][0].get("owner").is_none());
    let rounded = body["data"][0]["embedding"].as_array().unwrap();
    assert_eq!(rounded.len(), vector.len());
    for (short, long) in rounded.iter().zip(&vector) {
        assert!(
            (short.as_f64().unwrap() - long).abs() <= 0.0005,
            "{short} {long}"
        );
        assert!(short.to_string().len() <= "-0.123".len(), "{short}");
    }

    // What can't be read can't be edited, and goes no further.
    let broken = Answer::new(200)
        .header("content-type", "application/json")
        .body(r#"{"metadata": oops, "customer": 1}"#);
    guarded.model.answer(EMBEDDINGS, broken);
    let answer = ask(&guarded);
    assert!(answer.status != 200 || answer.broken.is_some());
    assert!(!answer.text().contains("customer"), "{}", answer.text());
}
