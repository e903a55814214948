//! What calls look like to the host, and what is made of their answers.

use core::time::Duration;

use super::fake::FakeHost;
use crate::call::{Answer, Call, GrpcStatus, Message, frame};
use crate::host::api::CallEnd;
use crate::host::calls::Calls;

fn grpc(purpose: &'static str) -> Call<&'static str> {
    Call {
        purpose,
        number: 3,
        cluster: "limits".to_owned(),
        authority: None,
        message: Message::Grpc {
            method: "/envoy.service.ratelimit.v3.RateLimitService/ShouldRateLimit",
            metadata: vec![("x-tenant", "a".to_owned())],
            message: b"ask".to_vec(),
        },
        timeout: Duration::from_secs(1),
        max_answer_bytes: 64,
    }
}

#[test]
fn a_grpc_call_is_one_framed_message_and_its_status_stands_in_the_trailers() {
    let host = FakeHost::new();
    let answer = frame(b"yes").unwrap();
    for (status, trailers, expected) in [
        ("200", vec![("grpc-status", "0")], Ok(&b"yes"[..])),
        ("200", vec![("grpc-status", "8")], Err(GrpcStatus(8))),
        ("200", vec![("x", "0")], Err(GrpcStatus::UNKNOWN)),
        ("200", vec![], Err(GrpcStatus::UNKNOWN)),
        ("503", vec![("grpc-status", "0")], Err(GrpcStatus::UNKNOWN)),
    ] {
        let mut calls = Calls::default();
        assert!(calls.send(&host, &grpc("ask")));
        assert_eq!(host.called(), "limits 8 bytes");
        let end = host.answer_with(status, &answer, &trailers);
        let (purpose, number, received) = calls.take(&host, end).unwrap();
        assert_eq!((purpose, number), ("ask", 3));
        assert_eq!(received.as_answer(), Answer::Grpc(expected));
        assert!(calls.take(&host, end).is_none(), "it is answered once");
    }
}

#[test]
fn of_several_calls_each_gets_its_own_answer_in_whatever_order() {
    let host = FakeHost::new();
    let mut calls = Calls::default();
    let mut tokens = Vec::new();
    for purpose in ["a", "b", "c"] {
        assert!(calls.send(&host, &grpc(purpose)));
        tokens.push((purpose, host.answer("200", b"").token));
    }
    for index in [1, 2, 0] {
        let (purpose, token) = tokens[index];
        let end = CallEnd {
            token,
            headers: 0,
            bytes: 0,
            trailers: 0,
        };
        let (answered, _, received) = calls.take(&host, end).unwrap();
        assert_eq!(answered, purpose);
        assert_eq!(received.as_answer(), Answer::Failed);
    }
}

fn get() -> Call<&'static str> {
    Call {
        message: Message::Http {
            method: "GET",
            scheme: Some("https"),
            path: "/keys".to_owned(),
            headers: Vec::new(),
            body: Vec::new(),
        },
        ..grpc("ask")
    }
}

#[test]
fn an_answer_comes_with_all_its_codings() {
    let host = FakeHost::new();
    let answered = |head: &[(&str, &str)]| {
        let mut calls = Calls::default();
        assert!(calls.send(&host, &get()));
        let end = host.answer("200", b"body");
        host.add_to_answer(head);
        let (_, _, received) = calls.take(&host, end).unwrap();
        let Answer::Http { coding, .. } = received.as_answer() else {
            panic!("an answer over HTTP");
        };
        String::from_utf8(coding.to_vec()).unwrap()
    };
    let coding = "content-encoding";
    assert_eq!(answered(&[("content-type", "x")]), "");
    assert_eq!(answered(&[(coding, "gzip")]), "gzip");
    assert_eq!(answered(&[(coding, "br"), (coding, "gzip")]), "br,gzip");
}

#[test]
fn an_answer_that_is_larger_than_it_may_be_is_none() {
    let host = FakeHost::new();
    let mut calls = Calls::default();
    for (bytes, whole) in [(64, true), (65, false)] {
        assert!(calls.send(&host, &get()));
        let body = vec![b'x'; bytes];
        let end = host.answer("200", &body);
        let (_, _, received) = calls.take(&host, end).unwrap();
        assert_eq!(received.as_answer().http().is_some(), whole);
    }
}
