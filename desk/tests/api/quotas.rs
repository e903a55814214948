//! How much of quotas is left, as records tell, and counts that people have emptied.

use std::process::Output;

use portcullis_desk::store::{now, time_text};
use serde_json::{Value, json};

use crate::access_log::record;
use crate::cluster::Cluster;
use crate::events::{events, of};
use crate::harness::{ANA, BOB, Desk, EDGE, Folder, INNER, command, id, with};
use crate::metrics::metrics;

/// A desk whose reviewer ana may reset quotas.
fn start(folder: &Folder, changes: Value) -> Desk {
    let reviewers = json!([
        {
            "name": "ana", "groups": ["ml-leads"], "key": ANA, "quotas": true,
            "subjects": [{ "issuer": "https://idp.example", "subject": "a-17" }],
        },
        { "name": "bob", "groups": ["legal"], "key": BOB, "blocks": true, "break_glass": true },
    ]);
    let config = folder.config_changed(with(json!({ "reviewers": reviewers }), changes));
    Desk::start_with(&config, &folder.store())
}

fn key(subject: &str) -> Value {
    json!(["subject", "corp", subject])
}

fn charge(quota: &str, subject: &str, remaining: u64) -> Value {
    json!({
        "quota": quota, "amount": 1, "limit": 10, "remaining": remaining, "key": key(subject),
        "at": 3, "until": 60_000,
    })
}

/// Records of what was charged just now, on this node.
fn tell(desk: &Desk, filter: &str, node: &str, number: u64, charges: &[Value]) {
    let worker = if filter == EDGE { "aa" } else { "bb" };
    let told = record(
        number,
        json!({
            "worker": worker,
            "time": time_text(now()),
            "verdict": { "action": "allow", "rule": "r", "code": null, "charges": charges },
            "mesh": { "node": node },
        }),
    );
    desk.post("/v1/records", filter, &told).ok();
}

/// Who is listed, and how much they took.
fn listed(desk: &Desk, query: &str) -> Vec<(String, u64)> {
    let page = desk.get(&format!("/v1/quotas?{query}"), BOB).ok();
    let rows = page["quotas"].as_array().unwrap().iter();
    rows.map(|one| {
        let subject = one["key"][2].as_str().unwrap().to_owned();
        (subject, one["used"].as_u64().unwrap())
    })
    .collect()
}

fn pair(subject: &str, used: u64) -> (String, u64) {
    (subject.to_owned(), used)
}

#[test]
fn what_records_say_of_quotas_is_listed_for_each_envoy() {
    let folder = Folder::new();
    let desk = start(&folder, json!({}));
    assert_eq!(listed(&desk, ""), []);
    tell(
        &desk,
        EDGE,
        "one",
        1,
        &[charge("few", "carol", 1), charge("many", "carol", 9)],
    );
    tell(&desk, EDGE, "two", 2, &[charge("few", "carol", 5)]);
    tell(
        &desk,
        INNER,
        "one",
        3,
        &[charge("few", "dan", 2), json!({ "quota": "old" })],
    );
    let near = desk.get("/v1/quotas?near=80", BOB).ok();
    let carol = &near["quotas"][1];
    assert_eq!(
        with(carol.clone(), json!({ "time": null, "until": null })),
        json!({
            "quota": "few", "key": key("carol"), "limit": 10, "used": 9, "remaining": 1,
            "time": null, "until": null, "filter": "edge", "node": "one",
        })
    );
    assert!(carol["until"].as_str() > carol["time"].as_str());
    assert!(near["since"].as_str() < carol["time"].as_str());
    assert_eq!(listed(&desk, "near=80"), [pair("dan", 8), pair("carol", 9)]);
    assert_eq!(listed(&desk, "quota=many"), [pair("carol", 1)]);
    let of_carol = [pair("carol", 5), pair("carol", 1), pair("carol", 9)];
    assert_eq!(listed(&desk, "subject=carol"), of_carol);
    let asked = "quota=few&key=%5B%22subject%22%2C%22corp%22%2C%22carol%22%5D";
    assert_eq!(listed(&desk, asked), [pair("carol", 5), pair("carol", 9)]);
    let page = desk.get("/v1/quotas?limit=1", BOB).ok();
    let next = format!("limit=3&before={}", page["next"].as_str().unwrap());
    assert_eq!(listed(&desk, &next), of_carol);

    // The same record again, or one that nobody may bring, says nothing.
    tell(&desk, EDGE, "one", 4, &[charge("few", "carol", 0)]);
    assert_eq!(listed(&desk, "near=100"), [pair("carol", 10)]);
    let foreign = record(
        5,
        json!({
            "worker": "aa", "time": time_text(now()), "verdict": { "charges": [charge("few", "eve", 0)] },
        }),
    );
    let refused = desk.post("/v1/records", INNER, &foreign).refusal();
    assert_eq!(refused, (403, "foreign".to_owned()));
    assert_eq!(listed(&desk, "subject=eve"), []);
    let seen = metrics(&desk);
    for (name, value) in [("", 4.0), ("_near_limit", 2.0)] {
        let found = seen[&format!("portcullis_desk_quota_counts{name}")];
        assert!((found - value).abs() < 0.5, "{name}: {found}");
    }

    for wrong in [
        "near=101",
        "near=x",
        "key=carol",
        "key=%5B1%5D",
        "limit=x",
        "state=all",
    ] {
        let refused = desk.get(&format!("/v1/quotas?{wrong}"), ANA).refusal();
        assert_eq!(refused, (400, "malformed".to_owned()), "{wrong}");
    }
    let refused = desk.get("/v1/quotas", EDGE).refusal();
    assert_eq!(refused, (403, "wrong_key".to_owned()));
}

fn wanted(subject: &str) -> Value {
    json!({ "quota": "few", "key": key(subject), "reason": "A test of ours." })
}

fn standing(desk: &Desk, key: &str, query: &str) -> Value {
    desk.get(&format!("/v1/standing?{query}"), key).ok()
}

fn counts_are_emptied(folder: &Folder, desk: Desk) {
    tell(
        &desk,
        EDGE,
        "one",
        1,
        &[charge("few", "carol", 0), charge("few", "dan", 0)],
    );
    let before = standing(&desk, EDGE, "");
    assert!(before.get("resets").is_none());
    for (reviewer, wanted, refused) in [
        (BOB, wanted("carol"), (403, "may_not_reset")),
        (ANA, wanted("a-17"), (403, "own_count")),
        (
            ANA,
            json!({ "quota": "few", "key": [] }),
            (400, "malformed"),
        ),
        (
            ANA,
            with(wanted("carol"), json!({ "reason": " " })),
            (400, "malformed"),
        ),
        (
            ANA,
            with(wanted("carol"), json!({ "quota": "" })),
            (400, "malformed"),
        ),
        (
            ANA,
            with(wanted("carol"), json!({ "for": 0 })),
            (400, "malformed"),
        ),
        (
            ANA,
            with(wanted("carol"), json!({ "for": 3_601 })),
            (400, "malformed"),
        ),
        (
            ANA,
            with(wanted("carol"), json!({ "key": vec![""; 65] })),
            (400, "malformed"),
        ),
        (
            ANA,
            with(wanted("carol"), json!({ "key": ["x".repeat(1025)] })),
            (400, "malformed"),
        ),
        (
            ANA,
            with(wanted("carol"), json!({ "all": true })),
            (400, "malformed"),
        ),
    ] {
        let said = desk.post("/v1/resets", reviewer, &wanted).refusal();
        assert_eq!(said, (refused.0, refused.1.to_owned()), "{wanted}");
    }

    let waits = format!("since={}&wait=60", before["revision"].as_str().unwrap());
    let (made, heard) = std::thread::scope(|scope| {
        let waiting = scope.spawn(|| standing(&desk, EDGE, &waits));
        let made = desk.post("/v1/resets", ANA, &wanted("carol")).ok();
        (made, waiting.join().unwrap())
    });
    for told in [heard, standing(&desk, INNER, "")] {
        let left = told["resets"][0]["left_ms"].as_u64().unwrap();
        assert!((890_000..=900_000).contains(&left), "{left}");
        let expected =
            json!([{ "id": made["id"], "quota": "few", "key": key("carol"), "left_ms": left }]);
        assert_eq!(told["resets"], expected);
    }
    // What was told before holds no more.
    assert_eq!(listed(&desk, ""), [pair("dan", 10)]);

    let short = with(wanted("dan"), json!({ "for": 1 }));
    let short = id(&desk.post("/v1/resets", ANA, &short).ok());
    let seen = standing(&desk, EDGE, "");
    let since = format!("since={}&wait=60", seen["revision"].as_str().unwrap());
    let after = standing(&desk, EDGE, &since);
    assert_eq!(
        after["resets"].as_array().unwrap().len(),
        1,
        "it ends: {after}"
    );
    let kept = desk.get("/v1/resets", BOB).ok();
    assert_eq!(kept, json!({ "resets": [made], "next": null }));
    for _ in 1..8 {
        desk.post("/v1/resets", ANA, &wanted("carol")).ok();
    }
    let full = desk.post("/v1/resets", ANA, &wanted("carol")).refusal();
    assert_eq!(full, (429, "too_many_resets".to_owned()));
    desk.post("/v1/resets", ANA, &wanted("dan")).ok();
    desk.kill();
    let all = events(folder);
    let entered = of(&all, "reset");
    assert_eq!(entered.len(), 10);
    let first = entered[0];
    assert_eq!(first["who"], json!({ "kind": "reviewer", "name": "ana" }));
    assert_eq!(
        [
            &first["reset"],
            &first["quota"],
            &first["key"],
            &first["until"],
            &first["reason"]
        ],
        [
            &made["id"],
            &json!("few"),
            &key("carol"),
            &made["expires"],
            &json!("A test of ours.")
        ]
    );
    assert_eq!(entered[1]["reset"], *short);
}

#[test]
fn counts_are_emptied_for_a_time_by_those_who_may() {
    let folder = Folder::new();
    let desk = start(&folder, json!({}));
    counts_are_emptied(&folder, desk);
}

#[test]
fn counts_are_emptied_by_way_of_a_database_too() {
    let Some(cluster) = Cluster::start() else {
        return;
    };
    let shared = || json!({ "store": cluster.store() });
    let (folder, elsewhere) = (Folder::new(), Folder::new());
    let (desk, other) = (start(&folder, shared()), start(&elsewhere, shared()));
    let made = other.post("/v1/resets", ANA, &wanted("erin")).ok();
    let told = standing(&desk, EDGE, "");
    assert_eq!(told["resets"][0]["id"], made["id"]);
    other.kill();
    drop(desk);
    let folder = Folder::new();
    let cluster = Cluster::start().unwrap();
    let desk = start(&folder, json!({ "store": cluster.store() }));
    counts_are_emptied(&folder, desk);
}

#[test]
fn a_reset_holds_when_the_desk_is_started_again() {
    let folder = Folder::new();
    let desk = start(&folder, json!({}));
    let made = desk.post("/v1/resets", ANA, &wanted("carol")).ok();
    desk.kill();
    let desk = start(&folder, json!({}));
    let told = standing(&desk, EDGE, "");
    assert_eq!(told["resets"][0]["id"], made["id"]);
    assert_eq!(listed(&desk, ""), [], "what was known is gone");
}

#[test]
fn what_is_in_flight_is_not_reset() {
    let folder = Folder::new();
    let desk = start(&folder, json!({}));
    let held = with(charge("few", "carol", 0), json!({ "until": null }));
    tell(&desk, EDGE, "one", 1, &[held]);
    let refused = desk.post("/v1/resets", ANA, &wanted("carol")).refusal();
    assert_eq!(refused, (409, "in_flight".to_owned()));
}

fn run(desk: &Desk, arguments: &[&str]) -> (i32, String, String) {
    let mut command = command();
    let command = command
        .arg("quota")
        .args(arguments)
        .env("PORTCULLIS_DESK", format!("http://{}", desk.http))
        .env("PORTCULLIS_KEY", ANA);
    let Output {
        status,
        stdout,
        stderr,
    } = command.output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (status.code().unwrap(), text(stdout), text(stderr))
}

fn done(desk: &Desk, arguments: &[&str]) -> String {
    let (status, out, error) = run(desk, arguments);
    assert_eq!((status, &*error), (0, ""), "{out}");
    out
}

#[test]
fn the_commands_list_show_and_reset() {
    let folder = Folder::new();
    let desk = start(&folder, json!({}));
    let nothing = done(&desk, &["list", "--near", "80"]);
    assert!(
        nothing.starts_with("No such count is known, since 20"),
        "{nothing}"
    );
    let carol = "carol o'neil";
    tell(
        &desk,
        EDGE,
        "one",
        1,
        &[charge("few", carol, 7), charge("few", "dan", 1)],
    );
    tell(&desk, EDGE, "two", 2, &[charge("few", carol, 2)]);
    let table = done(&desk, &["list"]);
    let lines: Vec<&str> = table.lines().collect();
    assert_eq!(lines.len(), 5, "{table}");
    for (line, parts) in [
        (0, ["QUOTA", "USED", "FULL IN", "ENVOY"]),
        (1, ["few", "subject corp dan", "90", "edge: one"]),
        (
            2,
            ["8", "80", "subject corp 'carol o'\\''neil'", "edge: two"],
        ),
        (3, ["3", "30", "s ago", "edge: one"]),
        (
            4,
            [
                "Each Envoy counts for itself.",
                "As records told it",
                "since 20",
                "T",
            ],
        ),
    ] {
        for part in parts {
            assert!(lines[line].contains(part), "{part}: {table}");
        }
    }
    let near = done(
        &desk,
        &["list", "--near", "90", "--quota", "few", "--subject", "dan"],
    );
    assert_eq!(near.lines().count(), 3, "{near}");
    let some = done(&desk, &["list", "--limit", "1"]);
    assert!(some.contains("There are more"), "{some}");
    let shown = done(&desk, &["show", "few", "subject", "corp", carol]);
    assert!(shown.contains("\n11 in all, over 2 Envoys"), "{shown}");
    let unknown = done(&desk, &["show", "few"]);
    assert!(unknown.starts_with("This count isn't known"), "{unknown}");
    let rows = done(&desk, &["list", "--json", "--near", "80"]);
    let rows: Vec<Value> = rows
        .lines()
        .map(|row| serde_json::from_str(row).unwrap())
        .collect();
    assert_eq!((rows.len(), &rows[0]["used"]), (2, &json!(9)));

    let reset = done(
        &desk,
        &[
            "reset", "few", "subject", "corp", "dan", "--reason", "Why not.",
        ],
    );
    let made = reset.split_whitespace().next().unwrap();
    assert!(
        made.starts_with("rst_") && reset.contains("subject corp dan"),
        "{reset}"
    );
    let by_subject = [
        "reset",
        "few",
        "--subject",
        carol,
        "--for",
        "5m",
        "--reason",
        "Two.",
    ];
    assert_eq!(
        done(&desk, &by_subject).lines().count(),
        1,
        "both Envoys' at once"
    );
    let (status, _, error) = run(&desk, &by_subject);
    assert_eq!(status, 1, "none of this subject is known any more");
    assert!(error.contains("give its key"), "{error}");
    let listed = done(&desk, &["resets"]);
    assert!(listed.contains(made) && listed.contains("Two."), "{listed}");
    let both = [
        "reset",
        "few",
        "subject",
        "--subject",
        "dan",
        "--reason",
        "x",
    ];
    assert_eq!(run(&desk, &both).0, 2);
    assert_eq!(run(&desk, &["reset", "few"]).0, 2, "a reason is needed");
}
