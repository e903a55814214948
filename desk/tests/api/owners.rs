//! No peer brings records of another one's worker.

use std::fs;

use serde_json::{Value, json};

use crate::access_log::{METHOD, call, entry, message, record};
use crate::events::{events, of};
use crate::harness::{Desk, EDGE, Folder, INNER};

fn stream(desk: &Desk, keys: &[&str], number: u64) {
    let text = record(number, json!({})).to_string();
    call(
        desk.grpc,
        METHOD,
        keys,
        vec![message(vec![entry(text.as_bytes())])],
    )
    .unwrap();
}

/// What the desk has stored, known, and refused since somebody else owns the worker.
fn counts(desk: &Desk) -> [u64; 3] {
    let counts = desk.get("/healthz", EDGE).ok()["records"].clone();
    ["stored", "known", "foreign"].map(|name| counts[name].as_u64().unwrap())
}

/// Who owned the worker, one after the other, and how.
fn owners(folder: &Folder) -> Vec<(Value, Value)> {
    let all = events(folder);
    let found = of(&all, "worker");
    found
        .iter()
        .map(|one| {
            let name = one["who"]["name"].clone();
            (name, one["way"].clone())
        })
        .collect()
}

#[test]
fn a_worker_is_whose_stream_brought_it_first() {
    let folder = Folder::new();
    let desk = Desk::start(&folder);
    stream(&desk, &[EDGE], 1);
    stream(&desk, &[INNER], 2);
    stream(&desk, &[], 2);
    assert_eq!(counts(&desk), [1, 0, 2]);
    let refused = desk.post("/v1/records", INNER, &record(2, json!({})));
    assert_eq!(refused.refusal(), (403, "foreign".to_owned()));
    // A number that is there is no less forged, and a copy does no harm.
    let other = record(1, json!({ "id": "ff" }));
    assert_eq!(desk.post("/v1/records", INNER, &other).status, 403);
    stream(&desk, &[INNER], 1);
    assert_eq!(counts(&desk), [1, 1, 4]);
    stream(&desk, &[EDGE], 2);
    desk.post("/v1/records", EDGE, &record(3, json!({}))).ok();
    assert_eq!(counts(&desk), [3, 1, 4]);
    // Another worker is anybody's.
    let own = record(1, json!({ "worker": "00000000000000bb", "id": "bb" }));
    desk.post("/v1/records", INNER, &own).ok();
    let (_, log) = desk.stop();
    assert!(log.contains("their workers are other peers'"), "{log}");
    assert_eq!(owners(&folder).len(), 2);
    for lost in [false, true] {
        if lost {
            fs::remove_file(folder.ledger().join("index.sqlite")).unwrap();
        }
        let desk = Desk::start(&folder);
        stream(&desk, &[INNER], 4);
        stream(&desk, &[], 4);
        stream(&desk, &[EDGE], 3);
        assert_eq!(counts(&desk), [0, 1, 2]);
        desk.kill();
    }
    assert_eq!(owners(&folder).len(), 2, "what is known is not said again");
}

/// As where the access log has no key, and records that answers wait for come with one.
#[test]
fn a_log_without_a_key_and_records_sent_with_one_are_of_one_worker() {
    let folder = Folder::new();
    let desk = Desk::start(&folder);
    stream(&desk, &[], 1);
    desk.post("/v1/records", EDGE, &record(2, json!({}))).ok();
    stream(&desk, &[], 2);
    stream(&desk, &[], 3);
    assert_eq!(counts(&desk), [3, 1, 0]);
    // It was taken over once, and not by anybody else.
    assert_eq!(
        desk.post("/v1/records", INNER, &record(4, json!({})))
            .status,
        403
    );
    stream(&desk, &[INNER], 4);
    assert_eq!(counts(&desk), [3, 1, 2]);
    // Once the stream has the key, one without has no say any more.
    stream(&desk, &[EDGE], 4);
    stream(&desk, &[], 5);
    stream(&desk, &[], 4);
    assert_eq!(counts(&desk), [4, 2, 3]);
    desk.kill();
    let expected = [
        (Value::Null, json!("stream")),
        (json!("edge"), json!("post")),
        (json!("edge"), json!("stream")),
    ];
    assert_eq!(owners(&folder), expected);
}

#[test]
fn a_record_that_an_answer_waits_for_may_be_a_worker_s_first() {
    let folder = Folder::new();
    let desk = Desk::start(&folder);
    desk.post("/v1/records", EDGE, &record(2, json!({}))).ok();
    stream(&desk, &[INNER], 1);
    assert_eq!(counts(&desk), [1, 0, 1]);
    stream(&desk, &[], 1);
    stream(&desk, &[], 2);
    assert_eq!(counts(&desk), [2, 1, 1]);
    desk.stop();
    // Where a key is needed, nobody comes without.
    let desk = Desk::start_with(&folder.config_with(true), &folder.store());
    let text = record(3, json!({})).to_string();
    let sent = message(vec![entry(text.as_bytes())]);
    call(desk.grpc, METHOD, &[], vec![sent]).unwrap_err();
    stream(&desk, &[EDGE], 3);
    assert_eq!(counts(&desk), [1, 0, 0]);
}

#[test]
fn a_filter_with_another_name_takes_over_what_the_old_one_left() {
    let folder = Folder::new();
    let desk = Desk::start(&folder);
    stream(&desk, &[EDGE], 1);
    desk.stop();
    let renamed = json!({ "filters": [
        { "name": "gate", "key": EDGE }, { "name": "inner", "key": INNER } ] });
    let desk = Desk::start_with(&folder.config_changed(renamed), &folder.store());
    stream(&desk, &[], 2);
    stream(&desk, &[EDGE], 3);
    stream(&desk, &[], 4);
    stream(&desk, &[INNER], 4);
    assert_eq!(counts(&desk), [2, 0, 2]);
    desk.kill();
    assert_eq!(owners(&folder).len(), 2);
}
