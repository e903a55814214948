//! Quotas: exact over all workers, kept apart by what the policy names, and told to the client.

mod crowds;
mod full;
mod held;
mod reset;

use std::collections::BTreeSet;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use testbed::http::raw::Connection;
use testbed::http::{Client, Request, Response};
use testbed::mesh::Mesh;
use testbed::model::Answer;
use testbed::{grpc, wait};

use crate::support::{CREDENTIAL, Guarded, code, idp, policy};
use crate::versions::in_envoys;

in_envoys!(
    every [quotas_are_exact]
    each [one_envoy_counts_in_one_store]
    current []
);

/// Nothing falls out of this window during a test.
const LONG: &str = "31d";
/// That in seconds.
const LONG_SECONDS: u64 = 31 * 86_400;

fn quotas_are_exact(version: &str) {
    let quota = |by: &[&str], count: &str, limit: u64, per: &str| json!({"by": by, "count": count, "limit": limit, "per": per});
    let rule = |operation: &str, quotas: &[&str]| {
        json!({
            "name": operation,
            "when": {"operation": [operation]},
            "then": "allow",
            "quota": quotas,
        })
    };
    let guarded = Guarded::start(
        version,
        &policy(&json!({
            "quotas": {
                "requests": quota(&["subject"], "requests", 50, LONG),
                "items": quota(&["subject"], "items", 20, LONG),
                "first": quota(&["subject"], "requests", 5, LONG),
                "second": quota(&["subject"], "requests", 2, LONG),
                "model": quota(&["subject", "model"], "requests", 1, LONG),
                "crowd": quota(&["subject"], "requests", 1000, LONG),
                "short": quota(&["subject"], "requests", 2, "2s"),
            },
            "rules": [
                rule("model.list", &["requests"]),
                rule("embedding.create", &["items"]),
                rule("inference.completion", &["first", "second"]),
                rule("inference.generate", &["first"]),
                rule("inference.chat", &["model"]),
                rule("moderation", &["short"]),
                rule("rerank", &["crowd"]),
            ],
        })),
    );
    requests_are_counted_once_over_both_workers(&guarded);
    items_are_counted_once_over_both_workers(&guarded);
    what_one_quota_refuses_no_other_is_charged_for(&guarded);
    a_quota_is_kept_for_each_model(&guarded);
    a_quota_is_whole_again_in_the_next_window(&guarded);
    nobody_is_pushed_out_by_names_that_were_made_up(&guarded);
}

fn token(subject: &str) -> String {
    idp().good(subject, &[])
}

/// Sends the same request on this many connections at once, from several threads.
fn at_once(guarded: &Guarded, count: usize, request: &[u8]) -> Vec<Response> {
    const THREADS: usize = 4;
    let port = guarded.mesh.port();
    let answers = thread::scope(|scope| {
        let threads: Vec<_> = (0..THREADS)
            .map(|_| {
                scope.spawn(move || {
                    let mut connections: Vec<Connection> = (0..count / THREADS)
                        .map(|_| Connection::open(port).unwrap())
                        .collect();
                    for connection in &mut connections {
                        connection.send(request).unwrap();
                    }
                    let answers = connections.iter_mut().map(|one| one.response().unwrap());
                    answers.collect::<Vec<Response>>()
                })
            })
            .collect();
        let answers = threads
            .into_iter()
            .flat_map(|thread| thread.join().unwrap());
        answers.collect::<Vec<Response>>()
    });
    assert_eq!(answers.len(), count);
    answers
}

fn with_status(answers: &[Response], status: u16) -> usize {
    answers
        .iter()
        .filter(|answer| answer.status == status)
        .count()
}

/// The records of a host, once there are as many.
fn records(guarded: &Guarded, host: &str, count: usize) -> Vec<Value> {
    let what = format!("{count} records of {host}");
    let found = wait::value(&what, Duration::from_secs(30), || {
        let all = guarded.mesh.sessions(0).unwrap().into_iter();
        let of_host: Vec<Value> = all.filter(|one| one["request"]["host"] == host).collect();
        (of_host.len() >= count).then_some(of_host)
    });
    found.unwrap()
}

fn requests_are_counted_once_over_both_workers(guarded: &Guarded) {
    const LIMIT: usize = 50;
    let head = |subject: &str| {
        let token = token(subject);
        format!(
            "GET /v1/models HTTP/1.1\r\nhost: crowd.test\r\nauthorization: Bearer {token}\r\n\r\n"
        )
    };
    let start = Instant::now();
    let answers = at_once(guarded, 200, head("ana").as_bytes());
    assert_eq!(with_status(&answers, 200), LIMIT, "passed");
    assert_eq!(with_status(&answers, 429), 200 - LIMIT, "refused");
    assert_eq!(guarded.model.begun(), LIMIT, "reached the model server");
    for refused in answers.iter().filter(|answer| answer.status == 429) {
        assert_eq!(code(refused), "quota_exceeded");
        let wait = refused.header("retry-after").unwrap_or_default();
        let wait: u64 = wait
            .parse()
            .unwrap_or_else(|_| panic!("retry-after {wait:?}"));
        // All was taken a moment ago, which is known to a 3,072nd of the window.
        let least = LONG_SECONDS - start.elapsed().as_secs() - 1;
        let most = LONG_SECONDS + LONG_SECONDS / 3072;
        assert!((least..=most).contains(&wait), "retry-after {wait}");
    }

    // What is left is what the charge left: no two answers say the same.
    let passed = answers.iter().filter(|answer| answer.status == 200);
    let told = passed.map(|answer| answer.header("x-ratelimit-remaining-requests"));
    let told: BTreeSet<usize> = told
        .filter_map(|left| left.and_then(|left| left.parse().ok()))
        .collect();
    assert_eq!(told, (0..LIMIT).collect(), "told to clients");
    for answer in &answers {
        let policy = answer.header("ratelimit-policy").unwrap_or_default();
        assert_eq!(policy, "\"requests\";q=50;w=2678400;qu=\"requests\"");
        let vain = (answer.status == 429).then_some("false");
        assert_eq!(answer.header("x-should-retry"), vain);
    }

    let records = records(guarded, "crowd.test", 200);
    let workers: BTreeSet<&str> = records
        .iter()
        .filter_map(|one| one["worker"].as_str())
        .collect();
    assert_eq!(
        workers.len(),
        2,
        "both workers must have served: {workers:?}"
    );
    let of = |action: &str| {
        let found = records
            .iter()
            .filter(move |one| one["verdict"]["action"] == action);
        found.collect::<Vec<_>>()
    };
    assert_eq!(of("allow").len(), LIMIT);
    for record in of("allow") {
        assert_eq!(record["verdict"]["quotas"], json!(["requests"]), "{record}");
    }
    for record in of("deny") {
        assert_eq!(record["verdict"]["code"], "quota_exceeded", "{record}");
        assert_eq!(record["verdict"]["rule"], "model.list", "{record}");
    }

    let other = guarded.send(Request::get("/v1/models").bearer(&token("bob")));
    assert_eq!(other.status, 200, "another subject: {}", other.text());
    let again = guarded.send(Request::get("/v1/models").bearer(&token("ana")));
    assert_eq!(
        again.status,
        429,
        "the same subject later: {}",
        again.text()
    );
}

fn items_are_counted_once_over_both_workers(guarded: &Guarded) {
    let embed = |subject: &str, count: usize| {
        let body = json!({"model": "small-1", "input": vec!["text"; count]});
        Request::post("/v1/embeddings")
            .bearer(&token(subject))
            .json(&body)
    };
    let body = json!({"model": "small-1", "input": ["a", "b", "c"]}).to_string();
    let request = format!(
        "POST /v1/embeddings HTTP/1.1\r\nhost: items.test\r\nauthorization: Bearer {}\r\n\
         content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        token("ana"),
        body.len()
    );
    guarded.model.forget();
    let answers = at_once(guarded, 40, request.as_bytes());
    // Six times three are 18 of 20.
    assert_eq!(with_status(&answers, 200), 6, "passed");
    assert_eq!(with_status(&answers, 429), 34, "refused");
    assert_eq!(guarded.model.begun(), 6, "reached the model server");

    assert_eq!(
        guarded.send(embed("ana", 3)).status,
        429,
        "three of two that are left"
    );
    assert_eq!(
        guarded.send(embed("ana", 2)).status,
        200,
        "the two that are left"
    );
    assert_eq!(guarded.send(embed("ana", 1)).status, 429, "one of none");
    assert_eq!(
        guarded.send(embed("bob", 20)).status,
        200,
        "another subject's twenty"
    );
    let never = guarded.send(embed("eve", 21));
    assert_eq!(never.status, 429, "more than there ever is");
    assert_eq!(code(&never), "quota_too_small");
    assert_eq!(never.header("retry-after"), None, "no waiting helps");
    assert_eq!(
        guarded.send(embed("eve", 20)).status,
        200,
        "nothing was taken for the 21"
    );
}

fn what_one_quota_refuses_no_other_is_charged_for(guarded: &Guarded) {
    let complete = || {
        let body = json!({"model": "small-1", "prompt": "hello"});
        guarded
            .send(
                Request::post("/v1/completions")
                    .bearer(&token("ana"))
                    .json(&body),
            )
            .status
    };
    let statuses = [complete(), complete(), complete(), complete()];
    assert_eq!(statuses, [200, 200, 429, 429], "the second quota has two");

    // Two of the first quota's five are taken, not four; gRPC counts with HTTP.
    let client = Client::http2(guarded.mesh.port()).unwrap();
    let bearer = format!("Bearer {}", token("ana"));
    let headers = [("authorization", bearer.as_str())];
    for nth in 1..=3 {
        let answer = grpc::infer(&client, "small-1", "hello", &headers).unwrap();
        assert_eq!(
            answer.code,
            Some(0),
            "call {nth} of three that are left: {answer:?}"
        );
    }
    let answer = grpc::infer(&client, "small-1", "hello", &headers).unwrap();
    // RESOURCE_EXHAUSTED
    assert_eq!(answer.code, Some(8), "{answer:?}");
    assert!(answer.messages.is_empty(), "{answer:?}");
}

fn a_quota_is_kept_for_each_model(guarded: &Guarded) {
    let ask = |subject: &str, model: &str| {
        let body = json!({"model": model, "messages": [{"role": "user", "content": "hello"}]});
        let request = Request::post("/v1/chat/completions")
            .bearer(&token(subject))
            .json(&body);
        guarded.send(request).status
    };
    assert_eq!(ask("ana", "small-1"), 200);
    assert_eq!(ask("ana", "small-1"), 429);
    assert_eq!(ask("ana", "large-1"), 200, "another model");
    assert_eq!(ask("bob", "small-1"), 200, "another subject");
}

fn a_quota_is_whole_again_in_the_next_window(guarded: &Guarded) {
    let status = || {
        let request = Request::post("/v1/moderations").bearer(&token("ana"));
        guarded
            .send(request.json(&json!({"input": "hello"})))
            .status
    };
    let patience = Duration::from_secs(30);
    wait::until("the short quota to be used up", patience, || {
        status() == 429
    })
    .unwrap();
    wait::until("the next window", patience, || status() != 429).unwrap();
}

/// Names whose counts would fill the victim's cell if counts were placed by SHA-256 alone, among
/// 4096 cells of 64, as anybody could foretell.
fn names_beside(victim: &str) -> Vec<String> {
    let cell = |subject: &str| {
        let mut hash = Sha256::new();
        for part in ["crowd", "subject", "corp", subject] {
            hash.update(u64::try_from(part.len()).unwrap().to_le_bytes());
            hash.update(part);
        }
        let digest: [u8; 32] = hash.finalize().into();
        u32::from_le_bytes(*digest.first_chunk().unwrap()) % 4096
    };
    let names = (0..).map(|number: u64| format!("mallory-{number}"));
    names
        .filter(|name| cell(name) == cell(victim))
        .take(64)
        .collect()
}

fn nobody_is_pushed_out_by_names_that_were_made_up(guarded: &Guarded) {
    guarded.model.answer("/v1/rerank", Answer::new(200));
    let ask = |subject: &str, host: &str| {
        let request = Request::post("/v1/rerank").bearer(&token(subject));
        let answer = guarded.send(request.header("host", host).json(&json!({"query": "a"})));
        assert_eq!(answer.status, 200, "{subject}: {}", answer.text());
    };
    for name in names_beside("victim") {
        ask(&name, "mallory.test");
    }
    let mut workers = BTreeSet::new();
    for round in 0..64 {
        let host = format!("victim-{round}.test");
        ask("victim", &host);
        workers.insert(guarded.record(&host)["worker"].to_string());
        if workers.len() > 1 {
            return;
        }
    }
    panic!("one worker took everything: {workers:?}");
}

/// A policy of one quota of two, in a store of this size.
fn counting_in(size: &str) -> Value {
    policy(&json!({
        "store": {"size": size},
        "quotas": {
            "two": {"by": ["subject"], "count": "requests", "limit": 2, "per": LONG},
        },
        "rules": [{"name": "all", "when": {"operation": ["*", "unknown"]}, "then": "allow", "quota": ["two"]}],
    }))
}

fn one_envoy_counts_in_one_store(version: &str) {
    let log = Mesh::builder()
        .version(Some(version))
        .policy(counting_in("64KiB"))
        .variable("MODEL_SERVER_KEY", CREDENTIAL)
        .listener("other", counting_in("1MiB"))
        .refused()
        .unwrap();
    let why = "/store/size: found 1MiB, expected 64KiB, which the filters of this vm_id share";
    assert!(log.contains(why), "{log}");

    let guarded = Guarded::start_with(version, &counting_in("64KiB"), |builder| {
        builder.listener("other", counting_in("64KiB"))
    });
    let ask = || Request::get("/v1/models").bearer(&token("ana"));
    assert_eq!(guarded.send(ask()).status, 200);
    assert_eq!(guarded.send_to("other", ask()).status, 200);
    assert_eq!(guarded.send(ask()).status, 429, "one was elsewhere");
    assert_eq!(guarded.send_to("other", ask()).status, 429);
}
