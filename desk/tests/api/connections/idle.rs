//! Connections that say nothing, or not enough, end; those that wait for something don't.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tonic::Code;

use super::{PREFACE, connect_from, said, until_closed};
use crate::access_log::{METHOD, entry, message, open, record, records};
use crate::client::raw;
use crate::harness::{Desk, EDGE, Folder, id, question};

fn start(folder: &Folder, connections: Value) -> Desk {
    let config = folder.config_but(json!({ "connections": connections }));
    Desk::start_with(&config, &folder.store())
}

fn impatient(folder: &Folder) -> Desk {
    start(folder, json!({ "head_seconds": 1, "idle_seconds": 1 }))
}

#[test]
fn what_never_makes_a_request_ends() {
    let folder = Folder::new();
    let desk = impatient(&folder);
    let half_frame = [PREFACE, b"\0\0\x20\x01\x04\0\0\0\x01"].concat();
    let ways: Vec<(&str, TcpStream)> = vec![
        ("nothing", said(desk.http, b"")),
        ("a half line", said(desk.http, b"GET /hea")),
        (
            "a half head",
            said(desk.http, b"GET /healthz HTTP/1.1\r\nhost: desk\r\nx"),
        ),
        ("a half preface", said(desk.http, b"PRI * HT")),
        ("only a preface", said(desk.http, PREFACE)),
        ("a half frame", said(desk.http, &half_frame)),
        ("nothing, gRPC", said(desk.grpc, b"")),
        ("a half preface, gRPC", said(desk.grpc, b"PRI * HT")),
        ("only a preface, gRPC", said(desk.grpc, PREFACE)),
        ("a half frame, gRPC", said(desk.grpc, &half_frame)),
    ];
    for (what, mut stream) in ways {
        let (_, took) = until_closed(&mut stream);
        assert!(took < Duration::from_secs(15), "{what}: {took:?}");
    }
}

#[test]
fn a_head_that_comes_byte_by_byte_ends() {
    let folder = Folder::new();
    let desk = impatient(&folder);
    let mut stream = said(desk.http, b"GET /healthz HTTP/1.1\r\n");
    stream
        .set_read_timeout(Some(Duration::from_millis(50)))
        .unwrap();
    let begun = Instant::now();
    while stream.write_all(b"a: b\r\n").is_ok() {
        let ended = matches!(stream.read(&mut [0; 64]), Ok(0));
        if ended {
            break;
        }
        assert!(begun.elapsed() < Duration::from_secs(20));
    }
}

#[test]
fn a_connection_that_is_kept_ends_after_a_while_without_a_request() {
    let folder = Folder::new();
    let desk = impatient(&folder);
    let mut stream = said(desk.http, b"GET /healthz HTTP/1.1\r\nhost: desk\r\n\r\n");
    let (answer, took) = until_closed(&mut stream);
    assert!(answer.starts_with(b"HTTP/1.1 200 OK"));
    assert!(took >= Duration::from_millis(900), "{took:?}");
}

#[test]
fn a_body_that_comes_too_slowly_is_refused() {
    let folder = Folder::new();
    let desk = Desk::start(&folder);
    let request = format!(
        "POST /v1/approvals HTTP/1.1\r\nhost: desk\r\nconnection: close\r\nauthorization: Bearer {EDGE}\r\n\
         content-length: 100\r\n\r\n{{"
    );
    let (status, code) = raw(desk.http, &request).refusal();
    assert_eq!((status, &*code), (408, "too_slow"));
}

#[test]
fn a_question_that_waits_is_not_cut() {
    let folder = Folder::new();
    let desk = impatient(&folder);
    let asked = id(&desk.ask(&question(1)));
    let begun = Instant::now();
    let answer = desk
        .get(&format!("/v1/approvals/{asked}?wait=4"), EDGE)
        .ok();
    assert_eq!(answer["state"], "pending");
    assert!(begun.elapsed() >= Duration::from_secs(4));
}

#[test]
fn an_access_log_stream_may_be_silent_once_it_has_said_something() {
    let folder = Folder::new();
    let desk = impatient(&folder);
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build()
        .unwrap();
    let one = |number| {
        let record = record(number, json!({})).to_string();
        message(vec![entry(record.as_bytes())])
    };
    let (talks, talked) = open(&runtime, desk.grpc, METHOD);
    runtime.block_on(talks.send(one(1))).unwrap();
    records(&desk, 1);
    // The other one is ended for saying nothing; by then, this one has been silent for longer.
    let (_silent, ended) = open(&runtime, desk.grpc, METHOD);
    let status = runtime.block_on(ended).unwrap().unwrap_err();
    assert_eq!(status.code(), Code::DeadlineExceeded, "{status}");
    runtime.block_on(talks.send(one(2))).unwrap();
    records(&desk, 2);
    drop(talks);
    runtime.block_on(talked).unwrap().unwrap();
}

/// Literal header fields (RFC 7541, 6.2.2), which need no tables.
fn literal(name: &str, value: &str) -> Vec<u8> {
    let text = |text: &str| [&[u8::try_from(text.len()).unwrap()], text.as_bytes()].concat();
    [vec![0], text(name), text(value)].concat()
}

/// A peer that has vanished says nothing to a PING. One that lives does, however silent it is otherwise.
#[test]
fn a_peer_that_answers_no_ping_is_gone() {
    let folder = Folder::new();
    let desk = start(&folder, json!({ "probe_seconds": 1 }));
    let head = [
        (":method", "POST"),
        (":scheme", "http"),
        (":path", METHOD),
        (":authority", "desk"),
        ("content-type", "application/grpc"),
        ("te", "trailers"),
    ];
    let head: Vec<u8> = head.iter().flat_map(|(n, v)| literal(n, v)).collect();
    let length = u32::try_from(head.len()).unwrap().to_be_bytes();
    // A frame with the whole head, which doesn't end the stream (RFC 9113, 6.2).
    let frame = [&length[1..], &[1, 4, 0, 0, 0, 1], &head].concat();
    let mut vanished = said(desk.grpc, &[PREFACE, &frame].concat());
    let (came, took) = until_closed(&mut vanished);
    let ping = came.windows(5).any(|bytes| bytes == [0, 0, 8, 6, 0]);
    assert!(ping, "{came:?}");
    assert!(took < Duration::from_secs(15), "{took:?}");
    let mut connection = connect_from(1, desk.http);
    connection.write_all(PREFACE).unwrap();
    assert!(until_closed(&mut connection).1 < Duration::from_secs(15));
}
