//! Gaps among records, and how logs fill them.

use std::path::PathBuf;

use serde_json::json;

use crate::access_log::{entry, message, record, stream};
use crate::audit::{id, right, sessions, text};
use crate::harness::{ANA, Desk, EDGE, Folder, INNER};
use crate::ledger::log;

#[test]
fn gaps_are_told_and_filled_from_the_log_exactly_once() {
    let folder = Folder::new();
    let desk = Desk::start(&folder);
    log(&desk, 1..=10);
    log(&desk, 15..=20);
    log(&desk, 22..=22);
    let ledger = folder.ledger();
    let ledger = text(&ledger);
    let (status, said, _) = sessions(&["gaps", ledger]);
    assert_eq!(status, 1);
    assert_eq!(
        said,
        "worker 00000000000000aa: records 11 to 14 are missing (4)\nworker 00000000000000aa: record 21 is missing\n"
    );
    let mut lines = String::new();
    for number in 1..=22 {
        let session = record(number, json!({})).to_string();
        lines.push_str(&format!(
            "{}\n",
            json!({ "status": 200, "session": session })
        ));
    }
    lines.push_str(&format!("{}\n", json!({ "status": 404, "session": null })));
    let file = folder.write("access.log", &lines);
    desk.stop();
    let said = right(&["import", ledger, text(&file)]);
    assert!(
        said.starts_with("5 records stored, 17 known, 0 left out"),
        "{said}"
    );
    assert_eq!(right(&["gaps", ledger]), "");
    let said = right(&["import", ledger, text(&file)]);
    assert!(said.starts_with("0 records stored, 22 known"), "{said}");
    assert_eq!(right(&["list", ledger]).lines().count(), 22);
    right(&["verify", ledger]);
    let cut = folder.write("cut.log", &lines[..lines.len() - 60]);
    let (status, said, _) = sessions(&["import", ledger, text(&cut)]);
    assert!(
        status == 1 && said.contains("line 22: expected") && said.contains("1 lines malformed"),
        "{said}"
    );
}

/// A log of Envoy's with these records.
pub fn access_log(folder: &Folder, numbers: std::ops::RangeInclusive<u64>) -> PathBuf {
    let lines = numbers.map(|number| {
        let session = record(number, json!({})).to_string();
        format!("{}\n", json!({ "session": session }))
    });
    folder.write("access.log", &lines.collect::<String>())
}

#[test]
fn a_running_desk_imports_exactly_once_beside_its_streams() {
    let folder = Folder::new();
    let desk = Desk::start(&folder);
    let ledger = folder.ledger();
    let ledger = text(&ledger);
    log(&desk, 1..=10);
    let file = access_log(&folder, 1..=3000);
    let to = desk.grpc;
    // The same records come by both ways at once, in batches that overlap.
    let streaming = std::thread::spawn(move || {
        for first in (1..=3000u64).step_by(50) {
            let entries = (first..first + 50).map(|number| {
                let text = record(number, json!({})).to_string();
                entry(text.as_bytes())
            });
            stream(to, vec![message(entries.collect())]).unwrap();
        }
    });
    let said = right(&["import", ledger, text(&file)]);
    streaming.join().unwrap();
    let count = |word: &str| -> u64 {
        let (before, _) = said.split_once(word).unwrap();
        let number = before.rsplit([' ', ',']).find(|part| !part.is_empty());
        number.unwrap().parse().unwrap()
    };
    assert_eq!(count(" records stored") + count(" known"), 3000, "{said}");
    let said = right(&["import", ledger, text(&file)]);
    assert!(said.starts_with("0 records stored, 3000 known"), "{said}");
    let seen = desk.get(&format!("/v1/sessions/{}", id(3000)), crate::harness::ANA);
    assert_eq!(seen.ok()["number"], 3000);
    let (status, log) = desk.stop();
    assert!(status.success(), "{log}");
    assert_eq!(right(&["list", ledger]).lines().count(), 3000);
    assert_eq!(right(&["gaps", ledger]), "");
    right(&["verify", ledger]);
}

#[test]
fn an_exchange_that_went_on_is_missed_until_its_record_comes() {
    let folder = Folder::new();
    let desk = Desk::start(&folder);
    log(&desk, 1..=2);
    let open = |number: u64| {
        let open = json!({ "version": 1, "id": id(number), "worker": "00000000000000aa", "number": number, "open": true });
        message(vec![entry(open.to_string().as_bytes())])
    };
    // Envoy says it again and again.
    stream(desk.grpc, vec![open(2), open(4), open(7), open(4), open(7)]).unwrap();
    let ledger = folder.ledger();
    let ledger = text(&ledger);
    let went_on = |number: u64| {
        format!(
            "worker 00000000000000aa: record {number} is missing: its exchange, {}, went on at ",
            id(number)
        )
    };
    let told = |expected: &[&str]| {
        let (status, said, _) = sessions(&["gaps", ledger]);
        assert_eq!(status, i32::from(!expected.is_empty()), "{said}");
        assert_eq!(said.lines().count(), expected.len(), "{said}");
        for (line, expected) in said.lines().zip(expected) {
            assert!(line.starts_with(expected), "{said}");
        }
    };
    let third = "worker 00000000000000aa: record 3 is missing";
    let between = "worker 00000000000000aa: records 5 to 6 are missing (2)";
    told(&[third, &went_on(4), between, &went_on(7)]);
    // It is known whatever ends the desk, and is no record.
    desk.kill();
    let desk = Desk::start(&folder);
    told(&[third, &went_on(4), between, &went_on(7)]);
    assert_eq!(right(&["list", ledger]).lines().count(), 2);
    log(&desk, 3..=4);
    told(&[between, &went_on(7)]);
    desk.stop();
    let mut lines = String::new();
    for session in [5, 6, 8].map(|number| record(number, json!({})).to_string()) {
        lines.push_str(&format!("{}\n", json!({ "session": session })));
    }
    let going = json!({ "version": 1, "id": id(9), "worker": "00000000000000aa", "number": 9, "open": true });
    lines.push_str(&format!("{}\n", json!({ "session": going.to_string() })));
    let file = folder.write("access.log", &lines);
    let said = right(&["import", ledger, text(&file)]);
    assert!(said.starts_with("3 records stored, 0 known"), "{said}");
    told(&[&went_on(7), &went_on(9)]);
    right(&["verify", ledger]);
}

#[test]
fn numbers_that_a_filter_says_it_gave_are_missed_until_their_records_come() {
    let folder = Folder::new();
    let desk = Desk::start(&folder);
    log(&desk, 1..=3);
    let worker = "00000000000000aa";
    let say = |desk: &Desk, key: &str, number: u64| {
        let said = json!({ "worker": worker, "number": number });
        desk.post("/v1/numbers", key, &said)
    };
    // The highest that came, and one whose record hasn't.
    say(&desk, EDGE, 3).ok();
    say(&desk, EDGE, 6).ok();
    let ledger = folder.ledger();
    let ledger = text(&ledger);
    let (status, said, _) = sessions(&["gaps", ledger]);
    assert_eq!(status, 1);
    let lines: Vec<&str> = said.lines().collect();
    let begin = "worker 00000000000000aa: record 6 is missing: its number was given before ";
    assert_eq!(
        lines[0],
        "worker 00000000000000aa: records 4 to 5 are missing (2)"
    );
    assert!(lines.len() == 2 && lines[1].starts_with(begin), "{said}");
    // Once its id is known, that is told.
    let open = json!({ "version": 1, "id": id(6), "worker": worker, "number": 6, "open": true });
    stream(
        desk.grpc,
        vec![message(vec![entry(open.to_string().as_bytes())])],
    )
    .unwrap();
    let (_, said, _) = sessions(&["gaps", ledger]);
    let went_on = format!("record 6 is missing: its exchange, {}, went on", id(6));
    assert!(said.contains(&went_on), "{said}");
    // Nobody else speaks for the worker, nor anybody of no worker.
    assert_eq!(say(&desk, INNER, 9).refusal(), (403, "foreign".to_owned()));
    assert_eq!(say(&desk, ANA, 9).status, 403);
    let wrong = json!({ "worker": "none", "number": 1 });
    assert_eq!(desk.post("/v1/numbers", EDGE, &wrong).status, 400);
    log(&desk, 4..=7);
    assert_eq!(right(&["gaps", ledger]), "");
    right(&["verify", ledger]);
    desk.stop();
    // Evidence of everything has what says so, too.
    let everything = folder.file("all.evidence");
    let out = text(&everything);
    right(&["export", ledger, "--form", "evidence", "--out", out]);
    let said = right(&["verify", "--evidence", out]);
    assert!(said.contains("and 2 numbers of records, of"), "{said}");
    assert!(said.contains("all that the log had"), "{said}");
}
