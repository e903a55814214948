//! What people do with records, and with approvals, stands in the ledger, too.

use std::fs;
use std::sync::LazyLock;

use jsonschema::Validator;
use portcullis_desk::ledger::{Kind, LedgerError, Reader};
use serde_json::{Value, json};

use crate::access_log::{entry, message, record, records, stream};
use crate::audit::{right, text};
use crate::harness::{ANA, BOB, Desk, Folder, id, question, with};
use crate::ledger::{judge, log};

/// The events of a ledger, each of which is as the schema says.
pub fn events(folder: &Folder) -> Vec<Value> {
    static SCHEMA: LazyLock<Validator> = LazyLock::new(|| {
        let text = include_str!("../../../schema/event.schema.json");
        let mut schema: Value = serde_json::from_str(text).unwrap();
        // Later versions may have more; here it must name every one.
        schema["unevaluatedProperties"] = json!(false);
        jsonschema::draft202012::new(&schema).unwrap()
    });
    let mut found = Vec::new();
    let read = &mut |_, _, part: portcullis_desk::ledger::Part<'_>| {
        if part.kind == Kind::EVENT {
            let event: Value = serde_json::from_slice(part.bytes).unwrap();
            if let Err(error) = SCHEMA.validate(&event) {
                panic!("{}: {error}: {event}", error.instance_path());
            }
            found.push(event);
        }
        Ok::<_, LedgerError>(())
    };
    Reader::new(&folder.ledger()).each(0, read).unwrap();
    found
}

pub fn of<'e>(events: &'e [Value], word: &str) -> Vec<&'e Value> {
    let events = events.iter();
    events.filter(|event| event["event"] == word).collect()
}

#[test]
fn a_decision_is_in_the_ledger_before_it_is_answered() {
    let folder = Folder::new();
    let desk = Desk::start(&folder);
    let asked = with(question(1), json!({ "subject": "c".repeat(3000) }));
    let (one, two) = (id(&desk.ask(&asked)), id(&desk.ask(&question(2))));
    let reason = json!({ "reason": "seen, and right" });
    desk.post(&format!("/v1/approvals/{one}/approve"), ANA, &reason)
        .ok();
    desk.decide(&two, "deny", ANA).ok();
    // Who may not decide, and what was decided already, makes no entry.
    assert_eq!(desk.decide(&one, "deny", BOB).status, 403);
    assert_eq!(desk.decide(&two, "approve", ANA).status, 409);
    desk.kill();
    assert!(judge(&folder).is_right());
    let found = events(&folder);
    assert_eq!(of(&found, "question").len(), 2, "{found:?}");
    let found = of(&found, "decision");
    assert_eq!(found.len(), 2, "{found:?}");
    let first = &found[0];
    assert_eq!(first["who"], json!({ "kind": "reviewer", "name": "ana" }));
    assert_eq!(
        [
            &first["event"],
            &first["approval"],
            &first["state"],
            &first["reason"],
            &first["filter"]
        ],
        [
            &json!("decision"),
            &json!(one),
            &json!("approved"),
            &json!("seen, and right"),
            &json!("edge")
        ]
    );
    assert_eq!(first["digest"], question(1)["binding"]);
    assert_eq!(first["rule"], "export-needs-a-person");
    let subject = first["subject"].as_str().unwrap();
    assert!(subject.chars().count() == 1024 && subject.ends_with('\u{2026}'));
    assert_eq!(
        (&found[1]["state"], &found[1]["reason"]),
        (&json!("denied"), &Value::Null)
    );
    // What was decided is still so.
    let desk = Desk::start(&folder);
    let state = |id: &str| desk.get(&format!("/v1/approvals/{id}"), ANA).ok()["state"].clone();
    assert_eq!(
        (state(&one), state(&two)),
        (json!("approved"), json!("denied"))
    );
}

#[test]
fn who_reads_records_is_in_the_ledger_before_they_are_shown() {
    let folder = Folder::new();
    let desk = Desk::start(&folder);
    log(&desk, 1..=3);
    records(&desk, 3);
    let long = "x".repeat(5000);
    desk.get("/v1/sessions?subject=carol&limit=2", ANA).ok();
    desk.get(&format!("/v1/sessions?action={long}"), BOB).ok();
    desk.get(&format!("/v1/sessions/{:032x}", 2), BOB).ok();
    assert_eq!(desk.get("/v1/sessions/ffff", ANA).status, 404);
    // Who isn't shown anything leaves no entry.
    assert_eq!(desk.get("/v1/sessions", "nobody-has-this-key").status, 401);
    assert_eq!(desk.get("/v1/sessions?wrong=1", ANA).status, 400);
    desk.kill();
    let all = events(&folder);
    let found: Vec<_> = of(&all, "read")
        .iter()
        .map(|one| {
            (
                one["who"]["name"].clone(),
                one["record"].clone(),
                one["list"].clone(),
                one["shown"].clone(),
            )
        })
        .collect();
    let cut = format!("{}\u{2026}", "x".repeat(1023));
    let list = |subject, action| {
        json!({
            "subject": subject, "action": action, "operation": null, "model": null, "rule": null,
            "code": null, "detector": null, "since": null, "until": null, "before": null,
        })
    };
    assert_eq!(
        found,
        [
            (
                json!("ana"),
                Value::Null,
                list(json!("carol"), Value::Null),
                json!(2)
            ),
            (
                json!("bob"),
                Value::Null,
                list(Value::Null, json!(cut)),
                json!(0)
            ),
            (
                json!("bob"),
                json!(format!("{:032x}", 2)),
                Value::Null,
                json!(1)
            ),
            (json!("ana"), json!("ffff"), Value::Null, json!(0)),
        ]
    );
}

fn of_policy(number: u64, worker: &str, node: &str, policy: u64) -> Value {
    let policy = format!("{policy:064x}");
    record(
        number,
        json!({ "id": format!("{worker}{number:016x}"), "worker": worker, "policy": policy, "mesh": { "node": node } }),
    )
}

#[test]
fn a_change_of_policy_is_told_once() {
    let folder = Folder::new();
    let (old, new, other) = ("00000000000000a1", "00000000000000a2", "00000000000000b1");
    let send = |desk: &Desk, records: &[Value]| {
        let entries = records.iter().map(|one| entry(one.to_string().as_bytes()));
        stream(desk.grpc, vec![message(entries.collect())]).unwrap();
    };
    let desk = Desk::start(&folder);
    send(
        &desk,
        &[
            of_policy(1, old, "n1", 1),
            of_policy(2, old, "n1", 1),
            of_policy(1, other, "n2", 1),
        ],
    );
    send(&desk, &[of_policy(1, new, "n1", 2)]);
    // A worker has one policy: one that comes late is no change back.
    send(
        &desk,
        &[of_policy(3, old, "n1", 1), of_policy(2, new, "n1", 2)],
    );
    desk.kill();
    let policies = |folder: &Folder| -> Vec<_> {
        of(&events(folder), "policy")
            .iter()
            .map(|one| {
                (
                    one["node"].clone(),
                    one["before"].clone(),
                    one["policy"].clone(),
                )
            })
            .collect()
    };
    let digest = |number: u64| json!(format!("{number:064x}"));
    let mut expected = vec![
        (json!("n1"), Value::Null, digest(1)),
        (json!("n2"), Value::Null, digest(1)),
        (json!("n1"), digest(1), digest(2)),
    ];
    assert_eq!(policies(&folder), expected);
    // It is known after a start, by the index or by the ledger alone.
    for (round, lost) in [(4, false), (6, true)] {
        if lost {
            fs::remove_file(folder.ledger().join("index.sqlite")).unwrap();
        }
        let desk = Desk::start(&folder);
        send(
            &desk,
            &[
                of_policy(round, old, "n1", 1),
                of_policy(round, new, "n1", 2),
                of_policy(round, other, "n2", 1),
            ],
        );
        desk.stop();
        assert_eq!(policies(&folder), expected);
    }
    let desk = Desk::start(&folder);
    send(&desk, &[of_policy(1, "00000000000000a3", "n1", 1)]);
    expected.push((json!("n1"), digest(2), digest(1)));
    assert_eq!(policies(&folder), expected, "back is a change, too");
    drop(desk);
    assert!(judge(&folder).is_right());
}

#[test]
fn events_are_listed_shown_proved_and_exported() {
    let folder = Folder::new();
    let desk = Desk::start(&folder);
    log(&desk, 1..=5);
    desk.ask(&question(1));
    let asked = id(&desk.ask(&question(1)));
    desk.decide(&asked, "approve", ANA).ok();
    desk.get("/v1/sessions?subject=carol", BOB).ok();
    desk.stop();
    let ledger = folder.ledger();
    let ledger = text(&ledger);
    let listed = right(&["list", ledger, "--events"]);
    let rows: Vec<Vec<_>> = listed
        .lines()
        .map(|line| line.split('\t').collect())
        .collect();
    let shown: Vec<_> = rows
        .iter()
        .map(|row| (row[0], row[2], row[3], row[4]))
        .collect();
    let about = format!("approved {asked} of carol by the rule export-needs-a-person");
    let question = format!("{asked} of carol for model.export by the rule export-needs-a-person");
    assert_eq!(
        shown,
        [
            (
                "1",
                "worker",
                "filter edge",
                "worker 00000000000000aa, before nobody"
            ),
            ("7", "question", "filter edge", question.as_str()),
            ("8", "decision", "reviewer ana", about.as_str()),
            (
                "9",
                "read",
                "reviewer bob",
                "list of subject carol, action any: 5 shown"
            ),
        ]
    );
    assert_eq!(right(&["list", ledger]).lines().count(), 5, "records only");
    assert_eq!(
        right(&[
            "list",
            ledger,
            "--events",
            "--until",
            "2020-01-01T00:00:00Z"
        ]),
        ""
    );
    let all = events(&folder);
    let key = fs::read_dir(folder.file("desk.keys"))
        .unwrap()
        .map(|file| file.unwrap().path())
        .find(|path| path.extension().is_some_and(|ending| ending == "pub"))
        .unwrap();
    let key = text(&key);
    let index = folder.ledger().join("index.sqlite");
    for has_index in [true, false] {
        if !has_index {
            fs::remove_file(&index).unwrap();
        }
        for name in [rows[2][5], "8"] {
            let decided: Value = serde_json::from_str(&right(&["show", ledger, name])).unwrap();
            assert_eq!(decided, all[2]);
            let proof = folder.write("proof", &right(&["prove", ledger, name]));
            let said = right(&["verify", "--proof", text(&proof), "--key", key]);
            assert!(
                said.contains(&about) && said.contains("entry 8 of 10"),
                "{said}"
            );
        }
    }
    let lines = right(&["export", ledger, "--events"]);
    assert_eq!(lines.lines().count(), 4);
    let csv = right(&["export", ledger, "--events", "--form", "csv"]);
    assert!(
        csv.starts_with("entry,time,event,who,about,id\r\n1,"),
        "{csv}"
    );
    for (more, said) in [
        (&[][..], "right: 5 records and 4 events of 10 entries"),
        (&["--events"], "right: 0 records and 4 events of 10 entries"),
        (
            &["--action", "allow"],
            "right: 5 records and 0 events of 10 entries",
        ),
    ] {
        let evidence = right(&[&["export", ledger, "--form", "evidence"], more].concat());
        let file = folder.write("evidence", &evidence);
        let found = right(&["verify", "--evidence", text(&file), "--key", key]);
        assert!(found.contains(said), "{found}");
        assert_eq!(
            found.contains("all that the log had"),
            more.is_empty(),
            "{found}"
        );
        let changed = folder.write("changed", &evidence.replace("approved", "denied"));
        let (status, found, _) = crate::audit::sessions(&["verify", "--evidence", text(&changed)]);
        let differs = evidence.contains("approved");
        assert_eq!(
            (status, found.contains("changed: ")),
            (i32::from(differs), differs)
        );
    }
}
