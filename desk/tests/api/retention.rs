//! Old records go, and nothing else.

use std::fs;
use std::path::PathBuf;

use portcullis_desk::ledger::{Entry, Kind, Ledger, Options, segments};
use serde_json::json;

use crate::access_log::{METHOD, call, entry, message, record};
use crate::audit::{right, sessions, text};
use crate::client::call as http;
use crate::events::{events, of};
use crate::harness::{ANA, Desk, EDGE, Folder, INNER};
use crate::ledger::log;

fn id(number: u64) -> String {
    format!("{number:032x}")
}

fn key(folder: &Folder) -> PathBuf {
    fs::read_dir(folder.file("desk.keys"))
        .unwrap()
        .map(|file| file.unwrap().path())
        .find(|path| path.extension().is_some_and(|ending| ending == "pub"))
        .unwrap()
}

/// Starts a desk that keeps records for so long.
fn start(folder: &Folder, keep: &str) -> Desk {
    Desk::start_with(
        &folder.config_changed(json!({ "retention": keep })),
        &folder.store(),
    )
}

/// Waits until the ledger has none of the records up to this number any more.
fn until_gone(folder: &Folder, desk: &Desk) {
    desk.until("/v1/sessions", |list| list["sessions"] == json!([]));
    // The segments go before their rows do.
    assert!(segments(&folder.ledger()).unwrap()[0].first > 0);
}

#[test]
fn old_records_go_and_all_else_stays_as_it_was() {
    let folder = Folder::new();
    let desk = start(&folder, "3s");
    log(&desk, 1..=20);
    until_gone(&folder, &desk);
    assert_eq!(
        desk.get(&format!("/v1/sessions/{}", id(7)), ANA).status,
        404
    );
    log(&desk, 21..=25);
    let (status, said) = desk.stop();
    assert!(
        status.success() && said.contains("old entries were removed"),
        "{said}"
    );

    let (ledger, key) = (folder.ledger(), key(&folder));
    let (ledger, key) = (text(&ledger), text(&key));
    let said = right(&["verify", ledger, "--key", key]);
    assert!(
        said.contains("were removed by retention, as entry "),
        "{said}"
    );
    assert_eq!(right(&["list", ledger]).lines().count(), 5);
    assert_eq!(right(&["gaps", ledger]), "", "what was removed is no gap");
    for (name, told) in [
        (id(7), "the entries before "),
        ("3".to_owned(), "entry 3 is gone: "),
    ] {
        for command in ["show", "prove"] {
            let (status, out, error) = sessions(&[command, ledger, &name]);
            assert_eq!((status, out.as_str()), (1, ""));
            assert!(
                error.contains(told) && error.contains("removed by retention, as entry "),
                "{error}"
            );
        }
    }
    let proof = folder.write("proof", &right(&["prove", ledger, &id(21)]));
    right(&["verify", "--proof", text(&proof), "--key", key]);
    let evidence = right(&["export", ledger, "--form", "evidence"]);
    let file = folder.write("evidence", &evidence);
    let said = right(&["verify", "--evidence", text(&file), "--key", key]);
    assert!(
        said.contains("5 records") && said.contains("all that it still had"),
        "{said}"
    );
    let all = events(&folder);
    let last = *of(&all, "retention").last().unwrap();
    assert_eq!(last["who"], json!({ "kind": "desk" }));
    assert_eq!(last["keys"][0]["entry"], 0);

    // A gap behind it is one, and the worker is still whose it was, also where only the ledger says so.
    fs::remove_file(folder.ledger().join("index.sqlite")).unwrap();
    let desk = Desk::start(&folder);
    let stream = |key: &str, number: u64| {
        let text = record(number, json!({})).to_string();
        call(
            desk.grpc,
            METHOD,
            &[key],
            vec![message(vec![entry(text.as_bytes())])],
        )
        .unwrap();
    };
    stream(INNER, 27);
    stream(EDGE, 27);
    let counts = desk.get("/healthz", ANA).ok()["records"].clone();
    assert_eq!(
        (&counts["stored"], &counts["foreign"]),
        (&json!(1), &json!(1))
    );
    desk.stop();
    let (status, said, _) = sessions(&["gaps", ledger]);
    assert_eq!(
        (status, said.as_str()),
        (1, "worker 00000000000000aa: record 26 is missing\n")
    );
    right(&["verify", ledger, "--key", key]);
}

#[test]
fn a_segment_that_nothing_says_was_removed_is_damage() {
    let folder = Folder::new();
    let desk = Desk::start(&folder);
    log(&desk, 1..=20);
    desk.stop();
    let options = Options::new(&folder.ledger(), &folder.file("desk.keys"));
    let (mut ledger, _) = Ledger::open(&options, 0).unwrap();
    ledger.seal();
    let other = Entry {
        kind: Kind(1),
        time: 1,
        bytes: record(21, json!({})).to_string().into_bytes(),
    };
    ledger.append(&[other]).unwrap();
    ledger.checkpoint().unwrap();
    drop(ledger);
    let first = segments(&folder.ledger()).unwrap()[0].path.clone();
    fs::remove_file(first).unwrap();
    let desk = Desk::start(&folder);
    let health = http(desk.http, "GET", "/healthz", None, None);
    assert_eq!(health.refusal(), (503, "recorder_failing".to_owned()));
    assert!(
        health.body.contains("no entry says that they were removed"),
        "{}",
        health.body
    );
    drop(desk);
    let ledger = folder.ledger();
    let (status, said, _) = sessions(&["verify", text(&ledger)]);
    assert!(
        status == 1 && said.contains("dropped: the entries 0 to 21 are missing"),
        "{said}"
    );
}
