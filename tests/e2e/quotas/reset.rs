//! A count that is used up is seen at the desk, and emptied there: once over both workers, and no other one.

use std::collections::BTreeSet;
use std::process::Command;
use std::time::Duration;

use serde_json::{Value, json};
use testbed::http::Request;
use testbed::{desk, wait};

use super::{LONG, at_once, records, token, with_status};
use crate::support::{Desk, Guarded, REVIEWER_KEY, policy};
use crate::versions::in_each_envoy;

in_each_envoy!(a_count_is_emptied_at_the_desk);

const LIMIT: usize = 20;

/// What `portcullis quota` says at this desk.
fn quota(desk: &Desk, arguments: &[&str]) -> String {
    let output = Command::new(desk::build().unwrap())
        .arg("quota")
        .args(arguments)
        .env("PORTCULLIS_DESK", format!("http://127.0.0.1:{}", desk.port))
        .env("PORTCULLIS_KEY", REVIEWER_KEY)
        .output()
        .unwrap();
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{error}");
    String::from_utf8(output.stdout).unwrap()
}

fn a_count_is_emptied_at_the_desk(version: &str) {
    let reviewers = json!([
        {"name": "lea", "groups": ["ml-leads"], "key": REVIEWER_KEY, "quotas": true},
    ]);
    let desk = Desk::start_with(|_| json!({"reviewers": reviewers}));
    let counted = policy(&json!({
        "approvals": {"cluster": "desk", "credential": "Bearer ${DESK_KEY}"},
        "quotas": {
            "few": {"by": ["subject"], "count": "requests", "limit": LIMIT, "per": LONG},
            "month": {"by": ["subject"], "count": "requests", "limit": 5 * LIMIT, "per": "month"},
        },
        "rules": [{"name": "all", "when": {"operation": ["*", "unknown"]}, "then": "allow", "quota": ["few", "month"]}],
    }));
    let guarded = Guarded::start_with(version, &counted, |builder| {
        builder
            .cluster_http2("desk", desk.port)
            .cluster_http2("desk_log", desk.log_port)
    });
    let ask = |subject: &str, host: &str| {
        let request = Request::get("/v1/models").bearer(&token(subject));
        request.header("host", host)
    };
    let crowd = |host: &str| {
        let token = token("ana");
        let head = format!(
            "GET /v1/models HTTP/1.1\r\nhost: {host}\r\nauthorization: Bearer {token}\r\n\r\n"
        );
        let answers = at_once(&guarded, 3 * LIMIT, head.as_bytes());
        with_status(&answers, 200)
    };
    assert_eq!(guarded.send(ask("bob", "first.test")).status, 200);
    assert_eq!(crowd("before.test"), LIMIT);
    assert_eq!(guarded.send(ask("ana", "refused.test")).status, 429);

    // The records have told the desk.
    let listed = wait::value("the count at the desk", Duration::from_secs(30), || {
        let rows = quota(&desk, &["list", "--near", "90", "--json"]);
        let row: Value = serde_json::from_str(rows.lines().next()?).unwrap();
        (row["remaining"] == 0).then_some(row)
    });
    let listed = listed.unwrap();
    assert_eq!(listed["quota"], "few");
    assert_eq!(listed["key"], json!(["subject", "corp", "ana"]));
    assert_eq!(
        (&listed["used"], &listed["filter"]),
        (&json!(LIMIT), &json!("edge"))
    );
    let table = quota(&desk, &["show", "few", "subject", "corp", "ana"]);
    assert!(table.contains("20 in all, over 1 Envoys"), "{table}");

    let said = quota(
        &desk,
        &[
            "reset",
            "few",
            "--subject",
            "ana",
            "--reason",
            "A test of ours.",
        ],
    );
    let reset = said.split_whitespace().next().unwrap();
    let passes = wait::until("ana to pass again", Duration::from_secs(10), || {
        guarded.send(ask("ana", "again.test")).status == 200
    });
    passes.unwrap();
    let line = format!("a count of the quota few was reset, as the desk says ({reset})");
    assert_eq!(
        crowd("after.test"),
        LIMIT - 1,
        "with the one that passed first"
    );
    // What is heard once more, with another one, is not done once more.
    let other = [
        "reset",
        "few",
        "subject",
        "corp",
        "eve",
        "--reason",
        "Another one.",
    ];
    let other = quota(&desk, &other);
    let other = other.split_whitespace().next().unwrap();
    let heard = wait::until("another reset", Duration::from_secs(10), || {
        guarded.mesh.log().contains(other)
    });
    heard.unwrap();
    assert_eq!(crowd("later.test"), 0);
    assert_eq!(
        guarded.mesh.log().matches(&line).count(),
        1,
        "by one worker"
    );
    let workers: BTreeSet<String> = records(&guarded, "after.test", 3 * LIMIT)
        .iter()
        .map(|one| one["worker"].to_string())
        .collect();
    assert_eq!(
        workers.len(),
        2,
        "both workers must have served: {workers:?}"
    );

    // Nobody else's count, and no other quota's.
    let bob = (0..LIMIT).filter(|_| guarded.send(ask("bob", "bob.test")).status == 200);
    assert_eq!(bob.count(), LIMIT - 1);
    let month = wait::value("the other quota", Duration::from_secs(30), || {
        let rows = quota(
            &desk,
            &["list", "--quota", "month", "--subject", "ana", "--json"],
        );
        let row: Value = serde_json::from_str(rows.lines().next()?).unwrap();
        (row["used"] == 2 * LIMIT).then_some(())
    });
    month.unwrap();
    let (status, entries) = desk.place.sessions("list", &["--events"]);
    assert!(status == 0 && entries.contains(reset), "{entries}");
}
