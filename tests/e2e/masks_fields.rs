//! Single fields of an answer, whatever is in them; and the names of members.

use serde_json::{Value, json};
use testbed::body;
use testbed::grpc;
use testbed::http::{Client, Request, Response};
use testbed::kserve::InferResponse;
use testbed::model::{Answer, Rpc};

use crate::support::{Guarded, ana, policy};
use crate::versions::in_the_current_envoy;

in_the_current_envoy!(
    fields_are_edited_and_names_are_matched,
    fields_of_messages_are_removed
);

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
            "rules": [{"name": "all", "when": {"operation": ["*", "unknown"]}, "then": "allow", "mask": ["m"]}],
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

    names_in_events_are_matched(&guarded);

    // What can't be read can't be edited, and goes no further.
    let broken = Answer::new(200)
        .header("content-type", "application/json")
        .body(r#"{"metadata": oops, "customer": 1}"#);
    guarded.model.answer(EMBEDDINGS, broken);
    let answer = ask(&guarded);
    assert!(answer.status != 200 || answer.broken.is_some());
    assert!(!answer.text().contains("customer"), "{}", answer.text());
}

fn names_in_events_are_matched(guarded: &Guarded) {
    let event = |name: &str, text: &str| {
        let delta = json!({"content": text, "of": {name: 1}});
        format!(
            "data: {}\n\n",
            json!({"choices": [{"index": 0, "delta": delta}]})
        )
    };
    let stream = event("jane@example.com", "Hello ")
        + &event("none", "joe@exam")
        + &event("a@b.io", "ple.com!");
    let masked = event("[EMAIL]", "Hello ") + &event("none", "[EMAIL]") + &event("[EMAIL]", "!");
    for size in [1, 1000] {
        let answer = Answer::new(200)
            .header("content-type", "text/event-stream")
            .steps(body::split(stream.as_bytes(), size));
        guarded.model.answer(EMBEDDINGS, answer);
        assert_eq!(ask(guarded).text(), masked, "pieces of {size}");
    }
}

fn fields_of_messages_are_removed(version: &str) {
    let with = |fields: Value| {
        policy(&json!({
            "masks": {"m": {"detect": ["email"], "fields": fields}},
            "rules": [{"name": "all", "when": {"operation": ["*", "unknown"]}, "then": "allow", "mask": ["m"]}],
        }))
    };
    // The model's name, and the outputs' names.
    let removed = with(json!({"grpc_remove": ["1", "5.1"]}));
    let guarded = Guarded::start_with(version, &removed, |builder| {
        builder.listener("kept", with(json!({"drop_logprobs": true})))
    });
    let bearer = format!("Bearer {}", ana());
    let call = |port: u16| {
        let client = Client::http2(port).unwrap();
        let headers = [("authorization", bearer.as_str())];
        let answer = grpc::infer(&client, "small-1", "hello", &headers).unwrap();
        assert_eq!(answer.code, Some(0), "{answer:?}");
        answer.messages
    };
    let names =
        |message: &InferResponse| (message.model_name.clone(), message.outputs[0].name.clone());
    guarded.model.say("Mail jane.doe@example.com.");
    for rpc in [Rpc::default(), Rpc::default().frames_of(1)] {
        guarded.model.rpc(rpc);
        let removed = call(guarded.mesh.port());
        let kept = call(guarded.mesh.port_of("kept").unwrap());
        let (_, output) = names(&kept[0]);
        assert!(!output.is_empty());
        assert_eq!(names(&kept[0]), ("small-1".to_owned(), output));
        assert_eq!(names(&removed[0]), (String::new(), String::new()));
        // All the rest is there, under the mask.
        let mut expected = kept;
        expected[0].model_name.clear();
        expected[0].outputs[0].name.clear();
        assert_eq!(removed, expected);
        let text = &removed[0].outputs[0].contents.as_ref().unwrap().bytes[0];
        assert_eq!(String::from_utf8_lossy(text), "Mail [EMAIL].");
    }
}
