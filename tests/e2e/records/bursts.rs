//! One caller, without a token too, must not push the records of others out.

use std::time::Duration;

use serde_json::{Value, json};
use testbed::http::raw::Connection;
use testbed::http::{Client, Request};
use testbed::wait;

use crate::support::{Desk, Guarded, ana, policy};
use crate::versions::in_the_current_envoy;

in_the_current_envoy!(
    what_a_stranger_sends_is_cut_in_the_record,
    a_burst_of_long_heads_loses_no_record_of_others,
);

/// The longest record, in bytes of JSON.
const MAX_RECORD_BYTES: usize = 20 * 1024;

/// Envoy takes heads of up to 60 KiB.
const LONG: usize = 50_000;

fn head(path: &str, host: &str) -> Vec<u8> {
    format!("GET {path} HTTP/1.1\r\nhost: {host}\r\n\r\n").into_bytes()
}

/// The record of the one exchange with a host that begins so.
fn record(guarded: &Guarded, host: &str) -> Value {
    wait::value(
        &format!("the record of {host}"),
        Duration::from_secs(30),
        || {
            let records = guarded.mesh.sessions(0).unwrap();
            let of_host = |one: &Value| {
                let found = one["request"]["host"].as_str();
                found.is_some_and(|found| found.starts_with(host))
            };
            records.into_iter().find(of_host)
        },
    )
    .unwrap()
}

fn what_a_stranger_sends_is_cut_in_the_record(version: &str) {
    let desk = Desk::start();
    let guarded = Guarded::start_with(version, &policy(&json!({})), |builder| {
        builder.cluster_http2("desk_log", desk.log_port)
    });
    let ask = |path: &str, host: &str| {
        let mut raw = Connection::open(guarded.mesh.port()).unwrap();
        raw.send(&head(path, host)).unwrap();
        assert_eq!(raw.response().unwrap().status, 401);
    };
    let long_path = format!("/v1/{}", "p".repeat(LONG));
    ask(&long_path, "long-path.test");
    ask("/v1/models", &format!("long-host.{}", "h".repeat(LONG)));
    let half = LONG / 2;
    ask(
        &format!("/v1/{}", "p".repeat(half)),
        &format!("long-both.{}", "h".repeat(half)),
    );
    let client = Client::http2(guarded.mesh.port()).unwrap();
    let request = Request::get(&long_path).header("host", "long-http2.test");
    assert_eq!(client.send(request).unwrap().status, 401);

    for (host, truncated) in [
        ("long-path.test", json!(["request.path"])),
        ("long-host.", json!(["request.host"])),
        ("long-both.", json!(["request.host", "request.path"])),
    ] {
        let record = record(&guarded, host);
        assert_eq!(record["truncated"], truncated, "{record}");
        assert_eq!(record["verdict"]["code"], "token_missing", "{record}");
    }
    let records = guarded.mesh.sessions(4).unwrap();
    assert!(
        records.iter().all(|one| one["truncated"] != json!([])),
        "each was too long"
    );
    for line in guarded.mesh.access_log(4).unwrap() {
        let length = line.to_string().len();
        assert!(length < 2 * MAX_RECORD_BYTES, "a line of {length} bytes");
        let length = line["session"].as_str().unwrap().len();
        assert!(length <= MAX_RECORD_BYTES, "a record of {length} bytes");
    }
    // The desk has them as they are.
    wait::until("the desk to have all", Duration::from_secs(30), || {
        desk.get("/v1/sessions")["sessions"]
            .as_array()
            .unwrap()
            .len()
            == records.len()
    })
    .unwrap();
    let short = Request::get("/v1/models").bearer(&ana());
    guarded.send(short.header("host", "short.test"));
    assert_eq!(guarded.record("short.test")["truncated"], json!([]));
}

/// How many exchanges of somebody else there are behind the burst.
const OTHERS: usize = 300;

/// Connections that the burst comes on, and how many requests on each.
const CONNECTIONS: usize = 4;
const OF_EACH: usize = 200;

/// The desk stands still meanwhile: no machine is too fast or too slow for what this is about.
fn a_burst_of_long_heads_loses_no_record_of_others(version: &str) {
    let desk = Desk::start();
    let guarded = Guarded::start_with(version, &policy(&json!({})), |builder| {
        builder.cluster_http2("desk_log", desk.log_port)
    });
    let port = guarded.mesh.port();
    let send = |count: usize, request: Request| {
        let client = Client::http1(port).unwrap();
        for _ in 0..count {
            client.send(request.clone()).unwrap();
        }
    };
    // The stream to the desk is there.
    send(1, Request::get("/v1/models").bearer(&ana()));
    wait::until("a record", Duration::from_secs(30), || of_ana(&desk) == 1).unwrap();

    desk.process.pause().unwrap();
    let long = Request::get(&format!("/v1/{}", "p".repeat(LONG)))
        .header("host", format!("burst.{}", "h".repeat(LONG / 10)));
    std::thread::scope(|scope| {
        for _ in 0..CONNECTIONS {
            scope.spawn(|| send(OF_EACH, long.clone()));
        }
    });
    send(OTHERS - 1, Request::get("/v1/models").bearer(&ana()));
    guarded
        .mesh
        .access_log(CONNECTIONS * OF_EACH + OTHERS)
        .unwrap();
    desk.process.resume().unwrap();

    let mut found = 0;
    wait::until(
        "the desk to have every record of ana",
        Duration::from_secs(60),
        || {
            found = of_ana(&desk);
            found >= OTHERS
        },
    )
    .unwrap_or_else(|why| panic!("{why}: {found} of {OTHERS}"));
    assert_eq!(found, OTHERS);
}

/// How many records of Ana the desk has.
fn of_ana(desk: &Desk) -> usize {
    let mut found = 0usize;
    let mut before = String::new();
    loop {
        let list = desk.get(&format!("/v1/sessions?subject=ana&limit=200{before}"));
        found += list["sessions"].as_array().unwrap().len();
        match list["next"].as_str() {
            Some(next) => before = format!("&before={next}"),
            None => return found,
        }
    }
}
