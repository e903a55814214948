//! What operators are told without reading records.

use std::time::Duration;

use portcullis::exchange::CompiledPolicy;
use serde_json::json;
use testbed::body::{Gate, Step};
use testbed::http::{Client, Request};
use testbed::mesh::Builder;
use testbed::model::Answer;
use testbed::wait;

use crate::support::{Guarded, ana, chat, policy};
use crate::versions::in_every_envoy;

in_every_envoy!(decisions_tokens_and_matches_are_counted_with_labels);

fn decisions_tokens_and_matches_are_counted_with_labels(version: &str) {
    let written = policy(&json!({
        "masks": {"pii": {"detect": ["email"]}},
        "rules": [
            {"name": "no-tuning", "when": {"operation": ["model.tune"]}, "then": "deny"},
            {"name": "chat.all", "when": {"operation": ["inference.*"]}, "then": "allow", "mask": ["pii"]},
        ],
    }));
    let guarded = Guarded::start_with(version, &written, Builder::alone);
    let answer = Answer::new(200).header("content-type", "text/plain");
    let answer = answer.body("ask ana@example.com");
    guarded.model.answer("/v1/chat/completions", answer);
    for _ in 0..3 {
        assert_eq!(guarded.send(chat(&ana(), "hello")).status, 200);
    }
    let tune = Request::post("/v1/fine_tuning/jobs").bearer(&ana());
    assert_eq!(guarded.send(tune).status, 403);
    assert_eq!(guarded.send(chat("no.token.this", "")).status, 401);

    // Half an address is held until it is known what it becomes.
    let gate = Gate::new();
    let steps = vec![
        Step::data("write to ana@exam"),
        Step::Wait(gate.clone()),
        Step::data("ple.com"),
    ];
    let held = Answer::new(200).header("content-type", "text/plain");
    guarded
        .model
        .answer("/v1/chat/completions", held.steps(steps));
    let client = Client::http2(guarded.mesh.port()).unwrap();
    let mut stream = client.open(chat(&ana(), "hello")).unwrap();
    let buffered = |guarded: &Guarded| {
        let text = guarded.mesh.prometheus().ok()?;
        let value = text
            .lines()
            .find_map(|line| line.strip_prefix("portcullis_buffered_bytes{} "))?;
        value.parse::<u64>().ok()
    };
    let second = Duration::from_secs(20);
    wait::value("something to be held", second, || {
        buffered(&guarded).filter(|bytes| *bytes > 0)
    })
    .unwrap();
    gate.open(1);
    while stream.next_piece().unwrap().is_some() {}
    wait::value("nothing to be held", second, || {
        buffered(&guarded).filter(|bytes| *bytes == 0)
    })
    .unwrap();

    let secret = |_: &str| Some("secret".to_owned());
    let compiled = CompiledPolicy::load(&written.to_string(), &secret).unwrap();
    let digest = &compiled.policy().digest;
    let expected = [
        r#"portcullis_decisions{action="allow",rule="chat_all"} 4"#.to_owned(),
        r#"portcullis_decisions{action="deny",rule="no-tuning",code="denied"} 1"#.to_owned(),
        r#"portcullis_decisions{action="deny",code="token_malformed"} 1"#.to_owned(),
        r#"portcullis_tokens_refused{code="token_malformed"} 1"#.to_owned(),
        r#"portcullis_matches{detector="email"} 4"#.to_owned(),
        format!("portcullis_policy_vms{{digest=\"{digest}\"}} "),
    ];
    let mut missing = String::new();
    wait::value("all of it to be counted", second, || {
        let text = guarded.mesh.prometheus().ok()?;
        let said = |line: &String| text.lines().any(|one| one.starts_with(&**line));
        missing = expected
            .iter()
            .find(|line| !said(line))
            .cloned()
            .unwrap_or_default();
        missing.is_empty().then_some(())
    })
    .unwrap_or_else(|error| panic!("{error}: {missing}"));
}
