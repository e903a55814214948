//! How many connections there may be, and whose.

use std::io::Write as _;
use std::net::{SocketAddr, TcpStream};

use serde_json::json;

use super::{connect_from, until_closed, with_files};
use crate::access_log::{entry, message, record, records, stream};
use crate::client::{Answer, call, read, read_one};
use crate::harness::{ANA, Desk, EDGE, Folder, id, question};

/// A question on a connection of its own, on which it is then waited for a person.
fn asks(from: u8, to: SocketAddr, number: u64) -> TcpStream {
    let body = question(number).to_string();
    let mut stream = connect_from(from, to);
    let head = format!(
        "POST /v1/approvals HTTP/1.1\r\nhost: desk\r\nauthorization: Bearer {EDGE}\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    stream.write_all((head + &body).as_bytes()).unwrap();
    let asked = id(&read_one(&stream));
    let head = format!(
        "GET /v1/approvals/{asked}?wait=60 HTTP/1.1\r\nhost: desk\r\nauthorization: Bearer {EDGE}\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).unwrap();
    stream
}

fn health_from(from: u8, to: SocketAddr) -> Option<Answer> {
    let mut stream = connect_from(from, to);
    // A connection that is refused may be closed before this arrives.
    stream
        .write_all(b"GET /healthz HTTP/1.1\r\nhost: desk\r\nconnection: close\r\n\r\n")
        .ok()?;
    read(stream)
}

/// What stopped the desk once: 1,100 connections on which nothing is said, and it may have 1,024 files open.
#[test]
fn idle_connections_by_the_thousand_leave_everything_working() {
    let folder = Folder::new();
    let desk = Desk::start_by(&mut with_files(1024), &folder.config(), &folder.store());
    let idle: Vec<_> = (0..1100)
        .flat_map(|_| [connect_from(1, desk.http), connect_from(1, desk.grpc)])
        .collect();
    assert_eq!(
        call(desk.http, "GET", "/healthz", None, None).ok()["status"],
        "ok"
    );
    let asked = desk.ask(&question(1));
    desk.decide(&id(&asked), "approve", ANA).ok();
    assert_eq!(desk.ask(&question(1))["state"], "approved");
    let one = record(1, json!({})).to_string();
    stream(desk.grpc, vec![message(vec![entry(one.as_bytes())])]).unwrap();
    records(&desk, 1);
    drop(idle);
}

#[test]
fn an_address_that_has_its_share_shuts_no_other_out() {
    let folder = Folder::new();
    let config = folder.config_but(json!({ "connections": { "most": 8, "per_address": 4 } }));
    let desk = Desk::start_with(&config, &folder.store());
    let waiting: Vec<_> = (1..=4).map(|number| asks(1, desk.http, number)).collect();
    let get = |target: &str| {
        let mut stream = connect_from(9, desk.http);
        let head = format!(
            "GET {target} HTTP/1.1\r\nhost: desk\r\nauthorization: Bearer {ANA}\r\nconnection: close\r\n\r\n"
        );
        stream.write_all(head.as_bytes()).unwrap();
        read(stream).unwrap()
    };
    let pending = |count: usize| {
        let waits = format!("\nportcullis_desk_waits_open {count}\n");
        while !get("/metrics").body.contains(&waits) {
            std::thread::yield_now();
        }
        get("/v1/approvals?state=pending").ok()
    };
    pending(4);
    // Its connections are all in use, so a fifth is closed.
    assert!(health_from(1, desk.http).is_none());
    assert_eq!(health_from(2, desk.http).unwrap().status, 200);
    // So is the port, once others have asked as well.
    let others: Vec<_> = (5..=7).map(|number| asks(2, desk.http, number)).collect();
    let listed = pending(7);
    let last = asks(3, desk.http, 8);
    let mut refused = connect_from(4, desk.http);
    assert!(until_closed(&mut refused).0.is_empty());
    // Nobody who waits has been cut off: each gets the answer. A place becomes free with the first.
    let first = listed["approvals"][6]["id"].as_str().unwrap().to_owned();
    drop(last);
    let decided = |id: &str| {
        let target = format!("/v1/approvals/{id}/approve");
        loop {
            let mut stream = connect_from(9, desk.http);
            let head = format!(
                "POST {target} HTTP/1.1\r\nhost: desk\r\nauthorization: Bearer {ANA}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
            );
            if stream.write_all(head.as_bytes()).is_ok()
                && let Some(answer) = read(stream)
            {
                return answer.ok();
            }
        }
    };
    assert_eq!(decided(&first)["state"], "approved");
    for listed in listed["approvals"].as_array().unwrap().iter().take(6) {
        decided(listed["id"].as_str().unwrap());
    }
    for stream in waiting.into_iter().chain(others) {
        assert_eq!(read_one(stream)["state"], "approved");
    }
    let (_, log) = desk.stop();
    assert!(log.contains("connections were refused"), "{log}");
}

/// A port that has no files left takes no connections, and does again once there are some.
#[test]
fn without_open_files_the_desk_goes_on() {
    let folder = Folder::new();
    let config = folder.config_but(json!({ "connections": { "head_seconds": 1 } }));
    let desk = Desk::start_by(&mut with_files(48), &config, &folder.store());
    let idle: Vec<_> = (1..=8)
        .flat_map(|from| (0..4).map(move |_| from))
        .flat_map(|from| [connect_from(from, desk.http), connect_from(from, desk.grpc)])
        .collect();
    let health = loop {
        if let Some(answer) = health_from(20, desk.http) {
            break answer;
        }
    };
    assert_eq!(health.status, 200, "{}", health.body);
    drop(idle);
    let (status, log) = desk.stop();
    assert!(status.success(), "{log}");
    assert!(log.contains("connections can't be taken"), "{log}");
}
