//! What operators are told without reading records.

use std::time::Duration;

use serde_json::json;
use testbed::http::Request;
use testbed::mesh::Builder;
use testbed::model::Answer;
use testbed::wait;

use crate::support::{Guarded, ana, chat, in_each_envoy, policy};

in_each_envoy!(decisions_tokens_and_matches_are_counted_with_labels);

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

    let said = wait::value("all of it to be counted", Duration::from_secs(20), || {
        let text = guarded.mesh.prometheus().ok()?;
        let lines: Vec<String> = text
            .lines()
            .filter(|line| line.starts_with("portcullis_"))
            .map(str::to_owned)
            .collect();
        (lines.len() >= 6).then_some(lines)
    })
    .unwrap();
    for line in [
        r#"portcullis_decisions{action="allow",rule="chat_all"} 3"#,
        r#"portcullis_decisions{action="deny",rule="no-tuning",code="denied"} 1"#,
        r#"portcullis_decisions{action="deny",code="token_malformed"} 1"#,
        r#"portcullis_tokens_refused{code="token_malformed"} 1"#,
        r#"portcullis_matches{detector="email"} 3"#,
    ] {
        assert!(said.iter().any(|one| one == line), "{line} in {said:#?}");
    }
}
