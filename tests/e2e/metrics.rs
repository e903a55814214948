//! What operators are told without reading records.

use std::time::Duration;

use portcullis::exchange::CompiledPolicy;
use serde_json::json;
use testbed::body::{Gate, Step};
use testbed::http::{Client, Request};
use testbed::mesh::Builder;
use testbed::model::Answer;
use testbed::wait;

use crate::support::{Desk, Guarded, ana, chat, idp, policy};
use crate::versions::in_envoys;

in_envoys!(
    every [decisions_tokens_and_matches_are_counted_with_labels]
    each []
    current [who_waits_for_a_person_and_what_quotas_do_is_counted]
);

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
    say(&guarded, &expected);
}

/// Waits until Envoy's metrics have a line that begins like each of these.
fn say(guarded: &Guarded, expected: &[String]) {
    let mut missing = String::new();
    let said = || guarded.mesh.prometheus().ok();
    let found = wait::value("all of it to be counted", Duration::from_secs(20), || {
        let text = said()?;
        let lacks = |line: &&String| !text.lines().any(|one| one.starts_with(&***line));
        missing = expected.iter().find(lacks).cloned().unwrap_or_default();
        missing.is_empty().then_some(())
    });
    if let Err(error) = found {
        let text = said().unwrap_or_default();
        let name = missing.split('{').next().unwrap();
        let near: Vec<&str> = text.lines().filter(|line| line.starts_with(name)).collect();
        panic!("{error}: {missing}, and there is {near:#?}");
    }
}

fn who_waits_for_a_person_and_what_quotas_do_is_counted(version: &str) {
    let desk = Desk::start();
    let written = policy(&json!({
        "approvals": {
            "cluster": "desk", "credential": "Bearer ${DESK_KEY}", "wait": "5m", "timeout": "10s",
        },
        "quotas": {"lists": {"by": ["subject"], "count": "requests", "limit": 2, "per": "1h"}},
        "rules": [
            {"name": "tuning", "when": {"operation": ["model.tune"]},
             "then": {"approve": {"reviewers": ["ml-leads"]}}},
            {"name": "rest", "then": "allow", "quota": ["lists"]},
        ],
    }));
    let guarded = Guarded::start_with(version, &written, |builder: Builder| {
        builder
            .cluster_http2("desk", desk.port)
            .cluster_http2("desk_log", desk.log_port)
    });
    let tune = |subject: &str| {
        let body = json!({"model": "small-1", "training_file": subject});
        let token = idp().good(subject, &["engineers"]);
        Request::post("/v1/fine_tuning/jobs")
            .bearer(&token)
            .json(&body)
    };
    let waiting = |count: u32| {
        say(
            &guarded,
            &[format!("portcullis_approvals_waiting{{}} {count}")],
        )
    };
    waiting(0);
    let clients = ["lena", "luis", "mona"].map(|subject| {
        let client = Client::http2(guarded.mesh.port()).unwrap();
        let held = client.start(tune(subject)).unwrap();
        (client, held, desk.pending(subject))
    });
    waiting(3);
    let [lena, (luis, held, _), mona] = clients;
    // The client leaves, and its connection with it.
    drop((held, luis));
    waiting(2);
    desk.decide(&lena.2, "approve", "");
    waiting(1);
    desk.decide(&mona.2, "deny", "");
    waiting(0);
    for (number, status) in [200, 200, 429].into_iter().enumerate() {
        let list = Request::get("/v1/models").bearer(&ana());
        assert_eq!(guarded.send(list).status, status, "{number}");
    }
    let expected = [
        "portcullis_approvals_asked{} 3",
        r#"portcullis_approvals_decided{outcome="approved"} 1"#,
        r#"portcullis_approvals_decided{outcome="denied"} 1"#,
        r#"portcullis_approvals_decided{outcome="left"} 1"#,
        "portcullis_approval_wait_milliseconds_count{} 2",
        // Ana's first, and the one that was approved: the rule behind the gate charges that.
        r#"portcullis_quota_used{quota="lists",used="50"} 2"#,
        r#"portcullis_quota_used{quota="lists",used="100"} 1"#,
        r#"portcullis_quota_refused{quota="lists"} 1"#,
        r#"portcullis_decisions{action="deny",rule="rest",code="quota_exceeded"} 1"#,
    ];
    say(&guarded, &expected.map(str::to_owned));
}
