//! As many connections to the desk as once stopped it: they say nothing, or not all of it, or read nothing.

use serde_json::json;
use testbed::http::raw::Connection;
use testbed::http::{self, Client, Pending};
use testbed::process;

use super::{gated, tune};
use crate::support::{Desk, Guarded, REVIEWER_KEY};
use crate::versions::in_the_current_envoy;

in_the_current_envoy!(idle_connections_at_the_desk_change_nothing);

/// How long a connection may take to its first request, in seconds; as shipped it is longer.
const HEAD_SECONDS: u64 = 3;

const SILENT: usize = 550;
const HALF_A_HEAD: usize = 150;
const HALF_A_BODY: usize = 200;
const UNREAD: usize = 200;

/// How many answers nobody reads: the desk has to stop in one of them.
const ANSWERS: usize = 1000;

fn hold(guarded: &Guarded, subject: &str) -> Pending {
    let client = Client::http2(guarded.mesh.port()).unwrap();
    client.start(tune(subject, "file-1")).unwrap()
}

fn many(count: usize, port: u16, said: &[u8]) -> Vec<Connection> {
    let one = |_| {
        let mut connection = Connection::open(port).unwrap();
        // The desk may have let it go already, for one that came later.
        let _ = connection.send(said);
        connection
    };
    (0..count).map(one).collect()
}

fn idle_connections_at_the_desk_change_nothing(version: &str) {
    process::more_files().unwrap();
    let desk = Desk::start_with(|_| json!({"connections": {"head_seconds": HEAD_SECONDS}}));
    let policy = gated("5m", "DESK_KEY");
    let guarded = Guarded::start_with(version, &policy, |builder| {
        builder
            .alone()
            .concurrency(4)
            .cluster_http2("desk", desk.port)
    });
    let approve = |held: Pending, subject: &str| {
        desk.decide(&desk.pending(subject), "approve", "");
        let answer = held.response().unwrap().read();
        assert_eq!(answer.status, 200, "{subject}: {}", answer.text());
    };
    let before = hold(&guarded, "before");
    desk.pending("before");

    let key = format!("authorization: Bearer {REVIEWER_KEY}\r\n");
    let half_a_body =
        format!("POST /v1/decisions HTTP/1.1\r\nhost: desk\r\n{key}content-length: 100\r\n\r\n{{");
    let unread = "GET /metrics HTTP/1.1\r\nhost: desk\r\n\r\n".repeat(ANSWERS);
    let mut silent = many(SILENT, desk.port, b"");
    let mut heads = many(HALF_A_HEAD, desk.port, b"GET /v1/approvals HT");
    let mut bodies = many(HALF_A_BODY, desk.port, half_a_body.as_bytes());
    let unread = many(UNREAD, desk.port, unread.as_bytes());

    assert!(!before.answered(), "who waits goes on waiting");
    let during = hold(&guarded, "during");
    approve(during, "during");
    approve(before, "before");
    let health = http::get(desk.port, "/healthz").unwrap();
    assert_eq!(health.status, 200, "{}", health.text());

    // Who says nothing, or half of a head, is closed; who says half of a body is told so.
    for connection in silent.iter_mut().chain(&mut heads) {
        let said = connection.to_end().unwrap_or_default();
        assert_eq!(String::from_utf8_lossy(&said), "");
    }
    for connection in &mut bodies {
        let answer = connection.response().unwrap();
        assert_eq!(answer.status, 408, "{}", answer.text());
    }
    let after = hold(&guarded, "after");
    approve(after, "after");
    assert_eq!(guarded.model.begun(), 3);
    drop(unread);
}
