//! What is shipped for Prometheus and Grafana, tried by a real Prometheus that scrapes a real Envoy and
//! the desk.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use serde_json::{Value, json};
use testbed::http::{self, Request};
use testbed::mesh::Builder;
use testbed::model::Answer;
use testbed::process::{self, Process};
use testbed::{port, wait};

use crate::support::{Desk, Guarded, ana, chat, policy};
use crate::versions::in_the_current_envoy;

in_the_current_envoy!(a_prometheus_answers_each_query);

/// Longer than any machine takes.
const PATIENCE: Duration = Duration::from_secs(60);

fn shipped(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("envoy")
        .join(name)
}

/// A program of Debian's `prometheus`. Where it may be missing, that is said.
fn program(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&path)
        .map(|folder| folder.join(name))
        .find(|file| file.exists());
    if found.is_none() {
        let required = std::env::var_os("PORTCULLIS_REQUIRE_CLIENTS").is_some();
        assert!(
            !required,
            "found no {name}; expected Debian's package prometheus"
        );
        eprintln!("skipped: no {name} here");
    }
    found
}

#[test]
fn alerts_fire_for_what_they_are_about() {
    let Some(promtool) = program("promtool") else {
        return;
    };
    let folder = shipped("prometheus");
    for arguments in [
        ["check", "rules", "portcullis.rules.yaml"],
        ["test", "rules", "portcullis.rules.test.yaml"],
    ] {
        let mut command = Command::new(&promtool);
        let output = command.args(arguments).current_dir(&folder).output();
        let output = output.unwrap();
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{arguments:?}: {said}{errors}");
    }
}

/// Series that come only where something fails, where keys are fetched, or where people are asked.
const NOT_HERE: [&str; 10] = [
    "portcullis_approvals_",
    "portcullis_approval_wait",
    "portcullis_kept_lookups",
    "portcullis_quota_refused",
    "body_malformed|",
    "portcullis_approval_failures",
    "portcullis_standing_failed",
    "portcullis_answers_refused",
    "quota_.*|count_unknown",
    "portcullis_key_refreshes",
];

fn a_prometheus_answers_each_query(version: &str) {
    let Some(program) = program("prometheus") else {
        return;
    };
    let desk = Desk::start();
    let written = policy(&json!({
        "models": {"small-1": {}},
        "masks": {"pii": {"detect": ["email"]}},
        "quotas": {"chats": {"by": ["subject"], "count": "requests", "limit": 1000000, "per": "1h"}},
        "rules": [
            {"name": "no-tuning", "when": {"operation": ["model.tune"]}, "then": "deny"},
            {"name": "chat", "when": {"operation": ["inference.*"]}, "then": "allow",
             "mask": ["pii"], "quota": ["chats"]},
        ],
    }));
    let guarded = Guarded::start_with(version, &written, |builder: Builder| {
        builder.alone().cluster_http2("desk_log", desk.log_port)
    });
    let said = json!({
        "id": "chatcmpl-1", "object": "chat.completion", "created": 1, "model": "small-1",
        "choices": [{"index": 0, "finish_reason": "stop", "message": {
            "role": "assistant", "content": "ask ana@example.com",
        }}],
        "usage": {"prompt_tokens": 9, "completion_tokens": 4, "total_tokens": 13},
    });
    let answer = Answer::new(200).header("content-type", "application/json");
    guarded
        .model
        .answer("/v1/chat/completions", answer.body(said.to_string()));
    let port = port::free().unwrap();
    let folder = process::folder().unwrap();
    let config = json!({
        "global": {"scrape_interval": "500ms"},
        "rule_files": [shipped("prometheus/portcullis.rules.yaml")],
        "scrape_configs": [
            {"job_name": "envoy", "metrics_path": "/stats/prometheus",
             "static_configs": [{"targets": [format!("127.0.0.1:{}", guarded.mesh.admin_port())]}]},
            {"job_name": "desk",
             "static_configs": [{"targets": [format!("127.0.0.1:{}", desk.port)]}]},
        ],
    });
    let file = folder.path().join("prometheus.yml");
    // JSON is YAML.
    fs::write(&file, config.to_string()).unwrap();
    let mut command = Command::new(program);
    command
        .arg(format!("--config.file={}", file.display()))
        .arg(format!(
            "--storage.tsdb.path={}",
            folder.path().join("data").display()
        ))
        .arg(format!("--web.listen-address=127.0.0.1:{port}"));
    let _prometheus = Process::spawn_in("Prometheus", folder, command).unwrap();
    wait::http_ok(port, "/-/ready", PATIENCE).unwrap();

    let send = || {
        assert_eq!(
            guarded.send(chat(&ana(), "hello ana@example.com")).status,
            200
        );
        let tune = Request::post("/v1/fine_tuning/jobs").bearer(&ana());
        assert_eq!(guarded.send(tune).status, 403);
        assert_eq!(guarded.send(chat("no.token.this", "")).status, 401);
    };
    let queries = queries();
    assert!(queries.len() > 20, "{queries:?}");
    // A rate takes two looks with something between them.
    let mut without = String::new();
    wait::value("each query to have an answer", PATIENCE, || {
        send();
        let empty = queries.iter().find(|query| results(port, query) == 0);
        without = empty.cloned().unwrap_or_default();
        empty.is_none().then_some(())
    })
    .unwrap_or_else(|error| panic!("{error}: none for {without}"));

    let rules = ask(port, "/api/v1/rules");
    let groups = rules["data"]["groups"].as_array().unwrap();
    let all = groups
        .iter()
        .flat_map(|group| group["rules"].as_array().unwrap());
    for rule in all {
        let (name, state) = (&rule["name"], &rule["state"]);
        assert_ne!(rule["health"], "err", "{name}: {}", rule["lastError"]);
        assert_ne!(state, "firing", "{name}");
    }
}

/// The dashboard's queries, as Grafana would send them.
fn queries() -> Vec<String> {
    let text = fs::read_to_string(shipped("grafana/portcullis.json")).unwrap();
    let dashboard: Value = serde_json::from_str(&text).unwrap();
    let panels = dashboard["panels"].as_array().unwrap().iter();
    let targets = panels.filter_map(|panel| panel["targets"].as_array());
    let queries = targets.flatten().map(|target| target["expr"].as_str());
    queries
        .map(|query| query.unwrap().replace("$__rate_interval", "30s"))
        .collect()
}

/// How many series a query has; one, where there need be none here.
fn results(port: u16, query: &str) -> usize {
    let escaped = query.bytes().map(|byte| format!("%{byte:02X}"));
    let answer = ask(
        port,
        &format!("/api/v1/query?query={}", escaped.collect::<String>()),
    );
    let found = answer["data"]["result"].as_array().unwrap().len();
    if NOT_HERE.iter().any(|name| query.contains(name)) {
        return found.max(1);
    }
    found
}

fn ask(port: u16, path: &str) -> Value {
    let answer = http::get(port, path).unwrap();
    let body = answer.json();
    assert_eq!(body["status"], "success", "{path}: {body}");
    body
}
