//! The recorder and its ledger: what is stored stays, and what can't be stored is said.

use std::fs;
use std::process::{Command, Output};

use portcullis_desk::ledger::{Question, Verdict, Wrong, verify};
use serde_json::{Value, json};

use crate::access_log::{entry, message, record, records, stream};
use crate::client::call;
use crate::harness::{ANA, Desk, EDGE, Folder, command, id, question};

/// Streams records with these numbers in messages of ten. The answer says that they are stored.
pub fn log(desk: &Desk, numbers: std::ops::RangeInclusive<u64>) {
    let all: Vec<_> = numbers.collect();
    let messages = all.chunks(10).map(|part| {
        let entries = part.iter().map(|number| {
            let text = record(*number, json!({})).to_string();
            entry(text.as_bytes())
        });
        message(entries.collect())
    });
    stream(desk.grpc, messages.collect()).unwrap();
}

pub fn judge(folder: &Folder) -> Verdict {
    let question = Question {
        threads: 2,
        ..Question::default()
    };
    verify(&folder.ledger(), &question).unwrap()
}

/// A text that doesn't pack.
fn noise(seed: u64, bytes: usize) -> String {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        char::from(b'0' + u8::try_from(state % 75).unwrap())
    };
    let text: String = std::iter::repeat_with(next).take(bytes).collect();
    text.replace('\\', "_")
}

fn health(desk: &Desk) -> (u16, Value) {
    let answer = call(desk.http, "GET", "/healthz", None, None);
    (answer.status, answer.json())
}

#[test]
fn what_was_said_to_be_stored_is_there_after_a_kill() {
    let folder = Folder::new();
    for round in 0..4u64 {
        let desk = Desk::start(&folder);
        // The answer comes when the disk has it: no checkpoint need have been written.
        log(&desk, round * 100 + 1..=round * 100 + 100);
        desk.kill();
        let verdict = judge(&folder);
        assert!(verdict.is_right(), "{verdict:?}");
        // The key and whose the worker is stand before them.
        assert_eq!(verdict.entries, 2 + (round + 1) * 100);
    }
    let desk = Desk::start(&folder);
    let listed = desk.get("/v1/sessions?limit=200", ANA).ok();
    assert_eq!(listed["sessions"].as_array().unwrap().len(), 200);
    let (status, log) = desk.stop();
    assert!(status.success(), "{log}");
    let verdict = judge(&folder);
    // Who read them stands behind them.
    assert_eq!((verdict.signed, verdict.is_right()), (403, true));
}

#[test]
fn a_kill_in_the_middle_of_writing_takes_nothing_that_was_said_to_be_stored() {
    let folder = Folder::new();
    let mut number = 0u64;
    for _ in 0..3 {
        let desk = Desk::start(&folder);
        let to = desk.grpc;
        let (told, heard) = std::sync::mpsc::channel();
        let begin = number;
        let client = std::thread::spawn(move || {
            let mut last = begin;
            // Until the desk is gone: then the connection or the stream fails.
            loop {
                let large = (last + 1..=last + 5).map(|number| {
                    let body = json!({ "body": noise(number, 20_000) });
                    entry(record(number, body).to_string().as_bytes())
                });
                if stream(to, vec![message(large.collect())]).is_err() {
                    break;
                }
                last += 5;
                // Ten are awaited; nobody hears of those that follow.
                let _ = told.send(last);
            }
            last
        });
        for _ in 0..10 {
            heard.recv().unwrap();
        }
        desk.kill();
        number = client.join().unwrap();
        let verdict = judge(&folder);
        assert!(verdict.is_right(), "{verdict:?}");
        assert!(verdict.entries > number, "{verdict:?} of {number}");
        // What was under way may have been stored, too; its numbers are sent again.
    }
    let desk = Desk::start(&folder);
    desk.stop();
    let verdict = judge(&folder);
    assert!(verdict.is_right() && verdict.signed == verdict.entries);
}

#[test]
fn what_is_stored_is_signed_for_soon() {
    let folder = Folder::new();
    let desk = Desk::start(&folder);
    log(&desk, 1..=10);
    while judge(&folder).signed < 12 {
        std::thread::yield_now();
    }
    assert!(judge(&folder).is_right());
    desk.kill();
}

#[test]
fn a_record_with_another_s_number_is_left_out_and_counted() {
    let folder = Folder::new();
    let desk = Desk::start(&folder);
    log(&desk, 1..=3);
    let same_number = record(2, json!({ "id": "ff" })).to_string();
    let same_id = record(2, json!({ "number": 9 })).to_string();
    let entries = vec![entry(same_number.as_bytes()), entry(same_id.as_bytes())];
    stream(desk.grpc, vec![message(entries)]).unwrap();
    log(&desk, 3..=4);
    let counts = records(&desk, 4);
    assert_eq!(
        counts,
        json!({ "stored": 4, "known": 1, "contradicting": 2, "foreign": 0, "malformed": 0, "absent": 0, "refused": 0 })
    );
    let (_, log) = desk.stop();
    assert!(log.contains("others have their ids or numbers"), "{log}");
}

#[test]
fn the_index_is_made_anew_where_it_is_missing_behind_or_of_no_use() {
    let folder = Folder::new();
    let index = folder.ledger().join("index.sqlite");
    let desk = Desk::start(&folder);
    log(&desk, 1..=20);
    desk.stop();
    let old = fs::read(&index).unwrap();
    let desk = Desk::start(&folder);
    log(&desk, 21..=40);
    let listed = desk.get("/v1/sessions?limit=200", ANA).body;
    desk.stop();
    let other = Folder::new();
    drop(Desk::start(&other));
    let others = fs::read(other.ledger().join("index.sqlite")).unwrap();
    for state in [
        None,
        Some(old),
        Some(b"not a database".repeat(999)),
        Some(others),
    ] {
        match state {
            None => fs::remove_file(&index).unwrap(),
            Some(bytes) => fs::write(&index, bytes).unwrap(),
        }
        let desk = Desk::start(&folder);
        assert_eq!(desk.get("/v1/sessions?limit=200", ANA).body, listed);
        log(&desk, 1..=40);
        assert_eq!(records(&desk, 0)["known"], 40, "none is stored twice");
        desk.stop();
    }
}

#[cfg(unix)]
#[test]
fn a_full_disk_is_said_and_lost_records_are_no_success() {
    let folder = Folder::new();
    // No file can become longer than this: to the desk that is a disk without space.
    let mut shell = Command::new("bash");
    shell.envs(
        command()
            .get_envs()
            .filter_map(|(name, value)| Some((name, value?))),
    );
    shell.args(["-c", "trap '' XFSZ; ulimit -f 400; exec \"$0\" \"$@\""]);
    shell.arg(command().get_program());
    let desk = Desk::start_by(&mut shell, &folder.config(), &folder.store());
    log(&desk, 1..=10);
    assert_eq!(health(&desk).0, 200);
    let to = desk.grpc;
    let client = std::thread::spawn(move || {
        let large = (11..=70).map(|number| {
            let text = record(number, json!({ "body": noise(number, 10_000) })).to_string();
            message(vec![entry(text.as_bytes())])
        });
        stream(to, large.collect())
    });
    let said = loop {
        let (status, body) = health(&desk);
        if status == 503 {
            break body;
        }
        std::thread::yield_now();
    };
    assert_eq!(said["error"]["code"], "recorder_failing");
    let message = said["error"]["message"].as_str().unwrap();
    assert!(message.contains("too large"), "{message}");
    // No question is asked of which there would be no entry.
    let failing = (503, "recorder_failing".to_owned());
    let asked = desk.post("/v1/approvals", EDGE, &question(1));
    assert_eq!(asked.refusal(), failing);
    let (status, log) = desk.stop();
    assert_eq!(status.code(), Some(1), "{log}");
    assert!(log.contains("could not be stored"), "{log}");
    // The answer must not say that they were.
    let _ = client.join().unwrap();
    let verdict = judge(&folder);
    assert!(verdict.is_right() && verdict.entries >= 11, "{verdict:?}");
    let desk = Desk::start(&folder);
    assert_eq!(health(&desk).0, 200);
}

#[test]
fn a_damaged_ledger_is_said_and_not_written_to() {
    let folder = Folder::new();
    let desk = Desk::start(&folder);
    log(&desk, 1..=50);
    let asked = desk.ask(&question(1));
    desk.stop();
    let segment = folder.ledger().join(format!("segments/{:020}.seg", 0));
    let mut bytes = fs::read(&segment).unwrap();
    let end = bytes.len() - 9;
    bytes.truncate(end);
    fs::write(&segment, &bytes).unwrap();

    let desk = Desk::start(&folder);
    let (status, body) = health(&desk);
    assert_eq!(
        (status, &body["error"]["code"]),
        (503, &json!("recorder_failing"))
    );
    let message = body["error"]["message"].as_str().unwrap();
    assert!(
        message.contains("damaged") && message.contains("expected the 53 entries"),
        "{message}"
    );
    assert_eq!(desk.ask(&question(1)), asked, "questions go on");
    // Nothing is decided or read of which there would be no entry.
    let failing = (503, "recorder_failing".to_owned());
    let asked = id(&asked);
    assert_eq!(desk.decide(&asked, "approve", ANA).refusal(), failing);
    assert_eq!(desk.decide(&asked, "deny", ANA).refusal(), failing);
    let target = format!("/v1/approvals/{asked}");
    assert_eq!(desk.get(&target, ANA).refusal(), failing);
    assert_eq!(
        desk.post("/v1/approvals", EDGE, &question(2)).refusal(),
        failing
    );
    let found = &desk.get("/v1/approvals", ANA).ok()["approvals"][0];
    assert_eq!(
        (&found["state"], &found["reviewer"]),
        (&json!("pending"), &json!(null))
    );
    assert_eq!(desk.get("/v1/sessions/ff", ANA).refusal(), failing);
    let text = record(51, json!({})).to_string();
    stream(
        desk.grpc,
        vec![crate::access_log::message(vec![entry(text.as_bytes())])],
    )
    .unwrap_err();
    let (status, log) = desk.stop();
    assert_eq!(status.code(), Some(1), "{log}");
    assert_eq!(fs::read(&segment).unwrap(), bytes);
    let wrongs: Vec<_> = judge(&folder)
        .problems
        .list
        .iter()
        .map(|one| one.wrong)
        .collect();
    assert!(wrongs.contains(&Wrong::Truncated), "{wrongs:?}");
}

#[test]
fn two_desks_don_t_write_to_one_ledger() {
    let folder = Folder::new();
    let _desk = Desk::start(&folder);
    let output: Output = command()
        .args([
            "desk",
            "--listen",
            "127.0.0.1:0",
            "--grpc",
            "127.0.0.1:0",
            "--store",
        ])
        .arg(folder.store())
        .arg("--config")
        .arg(folder.config())
        .output()
        .unwrap();
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(
        said.contains("another process writes to this ledger"),
        "{said}"
    );
}

#[test]
fn records_of_an_earlier_version_go_into_the_ledger() {
    let folder = Folder::new();
    let desk = Desk::start(&folder);
    log(&desk, 1..=1);
    desk.stop();
    let store = rusqlite::Connection::open(folder.store()).unwrap();
    for number in 1..=3i64 {
        let text = record(number.try_into().unwrap(), json!({})).to_string();
        store
            .execute(
                "INSERT INTO sessions (id, time, worker, number, record) VALUES (?1, '', '', ?2, ?3)",
                rusqlite::params![format!("{number:032x}"), number, text],
            )
            .unwrap();
    }
    drop(store);
    let desk = Desk::start(&folder);
    let listed = desk.get("/v1/sessions", ANA).ok();
    assert_eq!(listed["sessions"].as_array().unwrap().len(), 3);
    let (_, log) = desk.stop();
    assert!(log.contains("moved into the ledger"), "{log}");
    let store = rusqlite::Connection::open(folder.store()).unwrap();
    let left: i64 = store
        .query_row("SELECT count(*) FROM sessions", [], |row| row.get(0))
        .unwrap();
    assert_eq!(left, 0);
}
