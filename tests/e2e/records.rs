//! What is kept of an exchange, and what is not; and what the model server learns of the caller.

mod bodies;
mod bursts;
mod committed;
mod endings;
mod faults;
mod queries;
mod scale;
mod secured;
mod traffic;
mod ways;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use portcullis::base::bytes::hex;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use testbed::http::{Client, Request};
use testbed::{grpc, wait};

use crate::support::{CREDENTIAL, Desk, Guarded, ana, chat, idp, policy};
use crate::versions::in_every_envoy;

in_every_envoy!(exchanges_are_recorded);

const PROMPT: &str = "the-prompt-is-not-recorded";
const QUERY: &str = "the-query-is-not-recorded";
const SAID: &str = "jane.doe@example.com";

fn exchanges_are_recorded(version: &str) {
    let desk = Desk::start();
    let written = policy(&json!({
        "identity": {
            "providers": [{
                "name": "corp",
                "issuer": idp().issuer(),
                "audiences": ["inference"],
                "keys": {"jwks": idp().jwks()},
                "claims": {"groups": "groups"},
            }],
            "token": [{"header": "authorization", "scheme": "Bearer"}, {"header": "x-api-key"}],
        },
        "upstream": {
            "credential": {"header": "authorization", "value": "Bearer ${MODEL_SERVER_KEY}"},
            "identity_headers": {"subject": "x-portcullis-subject", "groups": "x-portcullis-groups"},
        },
        "masks": {"pii": {"detect": ["email", "secret.*"]}},
        "sessions": {"digests": true},
        "quotas": {"one": {"by": ["subject"], "count": "requests", "limit": 1, "per": "31d"}},
        "rules": [
            {"name": "no-tuning", "when": {"operation": ["model.tune"]}, "then": "deny"},
            {
                "name": "once",
                "when": {"operation": ["embedding.create"]},
                "then": "allow",
                "quota": ["one"],
            },
            {
                "name": "people",
                "when": {"operation": ["inference.*", "model.list"]},
                "then": "allow",
                "mask": ["pii"],
            },
        ],
    }));
    let guarded = Guarded::start_with(version, &written, |builder| {
        builder
            .cluster_http2("desk", desk.port)
            .cluster_http2("desk_log", desk.log_port)
    });
    guarded.model.say(&format!("Mail {SAID}."));
    let mut exchanges = the_caller_stays_outside(&guarded);
    exchanges += each_exchange_has_its_record(&guarded, &hex(&Sha256::digest(written.to_string())));
    exchanges += both_workers_have_served(&guarded);
    nothing_is_lost_or_said_twice(&guarded, &desk, exchanges);
    nothing_secret_is_kept(&guarded, &desk);
}

/// Each of these gives the number of its exchanges.
fn the_caller_stays_outside(guarded: &Guarded) -> usize {
    let groups = idp().good("ana", &["engineers", "ml"]);
    let none = idp().good("bob", &[]);
    let cases = [
        ("bearer", chat(&groups, PROMPT), "ana", Some("engineers,ml")),
        (
            "other place",
            Request::get("/v1/models").header("x-api-key", &groups),
            "ana",
            Some("engineers,ml"),
        ),
        ("no groups", chat(&none, PROMPT), "bob", None),
    ];
    let exchanges = cases.len() + 1;
    for (case, request, subject, listed) in cases {
        guarded.model.forget();
        let request = request
            .header("x-portcullis-subject", "root")
            .header("X-Portcullis-Subject", "admin")
            .header("x-portcullis-groups", "admins")
            .header("x-other", "kept");
        let answer = guarded.send(request);
        assert_eq!(answer.status, 200, "{case}: {}", answer.text());
        let received = guarded.model.wait_received(1).unwrap();
        let values = |name: &str| -> Vec<String> {
            let all = received[0].headers.iter().filter(|(one, _)| one == name);
            all.map(|(_, value)| String::from_utf8_lossy(value).into_owned())
                .collect()
        };
        assert_eq!(
            values("authorization"),
            [format!("Bearer {CREDENTIAL}")],
            "{case}"
        );
        assert_eq!(values("x-portcullis-subject"), [subject], "{case}");
        assert_eq!(
            values("x-portcullis-groups"),
            Vec::from_iter(listed),
            "{case}"
        );
        assert_eq!(values("x-other"), ["kept"], "{case}");
        for (name, value) in &received[0].headers {
            let value = String::from_utf8_lossy(value);
            let token = [&groups, &none]
                .into_iter()
                .any(|token| value.contains(token.as_str()));
            assert!(!token, "{case}: the caller's token arrived in {name}");
        }
        // Nor does the client learn what the filter put on.
        for (name, value) in &answer.headers {
            let value = String::from_utf8_lossy(value);
            assert!(
                !value.contains(CREDENTIAL),
                "{case}: the credential came back in {name}"
            );
        }
    }
    let client = Client::http2(guarded.mesh.port()).unwrap();
    let bearer = format!("Bearer {groups}");
    guarded.model.forget();
    let headers = [
        ("authorization", bearer.as_str()),
        ("x-portcullis-subject", "root"),
    ];
    let answer = grpc::infer(&client, "small-1", PROMPT, &headers).unwrap();
    assert_eq!(answer.code, Some(0), "{answer:?}");
    let received = guarded.model.wait_received(1).unwrap();
    assert_eq!(
        received[0].header("authorization"),
        Some(format!("Bearer {CREDENTIAL}").as_str())
    );
    assert_eq!(received[0].header("x-portcullis-subject"), Some("ana"));
    exchanges
}

fn each_exchange_has_its_record(guarded: &Guarded, digest: &str) -> usize {
    let post = |path: &str| Request::post(path).bearer(&ana());
    let embed =
        || post("/v1/embeddings").json(&json!({"model": "small-1", "input": [PROMPT, "b"]}));
    let path = format!("/v1//models?key={QUERY}");
    // Each: what the verdict says, then a member of the record and what it must be.
    let cases: [(&str, Request, Value, &str, Value); 9] = [
        (
            "masked",
            chat(&ana(), PROMPT),
            json!({"action": "allow", "rule": "people", "code": null, "status": null, "quotas": []}),
            "/response/matches",
            json!({"email": 1}),
        ),
        (
            "digested",
            chat(&ana(), PROMPT),
            json!({"reason": null, "charges": []}),
            "/rules",
            json!([
                {"rule": "no-tuning", "came": "no"},
                {"rule": "once", "came": "no"},
                {"rule": "people", "came": "allow"},
            ]),
        ),
        (
            "charged",
            embed(),
            json!({"action": "allow", "rule": "once", "code": null, "status": null, "quotas": ["one"]}),
            "/request/operation",
            json!("embedding.create"),
        ),
        (
            "over",
            embed(),
            json!({"action": "deny", "rule": "once", "code": "quota_exceeded", "status": 429, "quotas": []}),
            "/response/status",
            json!(429),
        ),
        (
            "denied",
            post("/v1/fine_tuning/jobs").json(&json!({"model": "small-1", "note": PROMPT})),
            json!({"action": "deny", "rule": "no-tuning", "code": "denied", "status": 403, "quotas": []}),
            "/request/operation",
            json!("model.tune"),
        ),
        (
            "by-default",
            post("/v1/anything").json(&json!({})),
            json!({"action": "deny", "rule": null, "code": "denied", "status": 403, "quotas": []}),
            "/request/operation",
            json!("unknown"),
        ),
        (
            "no-token",
            Request::get("/v1/models"),
            json!({"action": "deny", "rule": null, "code": "token_missing", "status": 401, "quotas": []}),
            "/identity",
            Value::Null,
        ),
        (
            "bad-path",
            Request::get("/v1%2fmodels").bearer(&ana()),
            json!({"action": "deny", "rule": null, "code": "path_not_normal", "status": 400, "quotas": []}),
            "/request/path",
            Value::Null,
        ),
        (
            "query",
            Request::get(&path).bearer(&ana()),
            json!({"action": "allow", "rule": "people", "code": null, "status": null, "quotas": []}),
            "/request/path",
            json!("/v1/models"),
        ),
    ];
    let exchanges = cases.len();
    for (case, request, verdict, member, expected) in cases {
        let host = format!("record-{case}.test");
        let answer = guarded.send(request.header("host", &host));
        let record = guarded.record(&host);
        for (name, value) in verdict.as_object().unwrap() {
            assert_eq!(&record["verdict"][name], value, "{case} {name}: {record}");
        }
        assert_eq!(
            record.pointer(member),
            Some(&expected),
            "{case} {member}: {record}"
        );
        assert_eq!(record["version"], 1, "{case}");
        assert_eq!(record["policy"], digest, "{case}");
        assert_eq!(record["approvals"], json!([]), "{case}");
        if let Some(digest) = record["response"]["digest"].as_str() {
            assert_eq!(
                digest,
                hex(&Sha256::digest(&answer.body)),
                "{case}: {record}"
            );
        } else {
            assert_ne!(case, "digested", "{record}");
        }
        let answer_json: Option<Value> = serde_json::from_slice(&answer.body).ok();
        let usage = answer_json.as_ref().and_then(|json| json.get("usage"));
        if let Some(usage) = usage.filter(|_| case == "digested") {
            let tokens = &record["response"]["tokens"];
            assert_eq!(tokens["prompt"], usage["prompt_tokens"], "{record}");
            assert_eq!(tokens["completion"], usage["completion_tokens"], "{record}");
            assert_eq!(tokens["total"], usage["total_tokens"], "{record}");
            assert_eq!(record["response"]["streamed"], false, "{record}");
        } else {
            assert_ne!(case, "digested", "{answer_json:?}");
        }
        assert_eq!(
            record["response"]["status"], answer.status,
            "{case}: {record}"
        );
        let known = !["no-token", "bad-path"].contains(&case);
        let subject = record.pointer("/identity/subject");
        assert_eq!(subject, known.then_some(&json!("ana")), "{case}: {record}");
        for (member, length) in [("id", 32), ("worker", 16)] {
            let text = record[member].as_str().unwrap_or_default();
            let hex = text.bytes().all(|byte| b"0123456789abcdef".contains(&byte));
            assert!(hex && text.len() == length, "{case}: {member} is {text:?}");
        }
    }
    exchanges
}

fn both_workers_have_served(guarded: &Guarded) -> usize {
    let mut exchanges = 0;
    let served = || {
        let records = guarded.mesh.sessions(0).unwrap();
        let workers = records.iter().filter_map(|one| one["worker"].as_str());
        workers
            .map(str::to_owned)
            .collect::<BTreeSet<String>>()
            .len()
    };
    wait::until("both workers to serve", Duration::from_secs(60), || {
        guarded.send(Request::get("/v1/models").bearer(&ana()));
        exchanges += 1;
        served() == 2
    })
    .unwrap();
    exchanges
}

fn nothing_is_lost_or_said_twice(guarded: &Guarded, desk: &Desk, exchanges: usize) {
    let records = guarded.mesh.sessions(exchanges).unwrap();
    assert_eq!(records.len(), exchanges, "one record an exchange");
    assert_eq!(guarded.mesh.access_log(exchanges).unwrap().len(), exchanges);
    let mut numbers: BTreeMap<&str, Vec<u64>> = BTreeMap::new();
    let mut by_id: BTreeMap<&str, &Value> = BTreeMap::new();
    for record in &records {
        let worker = record["worker"].as_str().unwrap();
        numbers
            .entry(worker)
            .or_default()
            .push(record["number"].as_u64().unwrap());
        let again = by_id.insert(record["id"].as_str().unwrap(), record);
        assert!(again.is_none(), "two records have the id of {record}");
    }
    for (worker, mut numbers) in numbers {
        numbers.sort_unstable();
        let expected: Vec<u64> = (1..).take(numbers.len()).collect();
        assert_eq!(numbers, expected, "the numbers of worker {worker}");
    }

    // The desk has the same records, from Envoy's access log stream.
    let mut kept = BTreeMap::new();
    wait::until(
        "the desk to have every record",
        Duration::from_secs(30),
        || {
            kept = desk_records(desk);
            kept.len() >= by_id.len()
        },
    )
    .unwrap();
    assert_eq!(kept.len(), by_id.len());
    for (id, record) in by_id {
        assert_eq!(kept.get(id), Some(record), "the desk's record {id}");
        assert_eq!(
            &desk.get(&format!("/v1/sessions/{id}")),
            record,
            "asked for by id"
        );
    }
    let denied = desk.get("/v1/sessions?action=deny&limit=200");
    let found = denied["sessions"].as_array().unwrap().len();
    let expected = records
        .iter()
        .filter(|one| one["verdict"]["action"] == "deny")
        .count();
    assert_eq!(found, expected, "the desk's list of what was denied");
}

fn desk_records(desk: &Desk) -> BTreeMap<String, Value> {
    let list = desk.get("/v1/sessions?limit=200");
    assert_eq!(list["next"], Value::Null, "more records than one list has");
    let records = list["sessions"].as_array().unwrap().clone();
    records
        .into_iter()
        .map(|one| (one["id"].as_str().unwrap().to_owned(), one))
        .collect()
}

fn nothing_secret_is_kept(guarded: &Guarded, desk: &Desk) {
    // Not only what was said: also what a broken answer or a refusal could quote.
    let forged = idp().forged("mallory", &[]);
    guarded.send(chat(&forged, PROMPT).header("host", "forged.test"));
    guarded.record("forged.test");
    let envoys_log = guarded.mesh.log();
    let desks_log = desk.process.log();
    let lines = Value::from(guarded.mesh.access_log(0).unwrap()).to_string();
    let file = Value::from(guarded.mesh.sessions(0).unwrap()).to_string();
    let kept = Value::from_iter(desk_records(desk)).to_string();
    let signature = forged.rsplit('.').next().unwrap();
    for (place, text) in [
        ("Envoy's log", &envoys_log),
        ("the access log", &lines),
        ("the records in the access log", &file),
        ("the desk's records", &kept),
        ("the desk's log", &desks_log),
    ] {
        assert!(!text.is_empty(), "{place} can be read");
        for (what, secret) in [
            ("the service credential", CREDENTIAL),
            ("a token", "eyJ"),
            ("a token's signature", signature),
            ("what was asked", PROMPT),
            ("what was masked", SAID),
        ] {
            assert!(!text.contains(secret), "{place} has {what}");
        }
    }
    assert!(!lines.contains(QUERY), "the access log has the query");
    for (place, text) in [
        ("the records in the access log", &file),
        ("the desk's records", &kept),
    ] {
        assert!(!text.contains(QUERY), "{place} have the query");
        assert!(text.contains("\"ana\""), "{place} were looked at");
    }
}
