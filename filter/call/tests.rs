use core::time::Duration;

use super::{Call, GrpcStatus, Message, frame, unframe};

/// Servers refuse a request whose `:authority` is no host.
#[test]
fn a_cluster_is_asked_as_a_host_whatever_its_name() {
    let call = |cluster: &str, authority: Option<&str>| Call {
        purpose: (),
        number: 1,
        cluster: cluster.to_owned(),
        authority: authority.map(str::to_owned),
        message: Message::Http {
            method: "GET",
            scheme: None,
            path: "/".to_owned(),
            headers: Vec::new(),
            body: Vec::new(),
        },
        timeout: Duration::from_secs(1),
        max_answer_bytes: 1,
    };
    for (cluster, asked) in [
        ("desk", "desk"),
        ("desk.example:7070", "desk.example:7070"),
        (
            "outbound|7070||desk.ns.svc.cluster.local",
            "desk.ns.svc.cluster.local",
        ),
        ("httproute/ns/desk/rule/0", "0"),
        ("b\u{fc}ro", "ro"),
        ("outbound|7070||", "cluster"),
        ("", "cluster"),
    ] {
        assert_eq!(call(cluster, None).authority(), asked, "{cluster}");
    }
    assert_eq!(call("idp", Some("idp.example")).authority(), "idp.example");
}

#[test]
fn a_message_comes_out_of_its_frame_as_it_went_in() {
    for message in [&b""[..], b"\x0a\x01a", &[7; 70_000]] {
        let framed = frame(message).unwrap();
        assert_eq!(unframe(Some(b"0"), &framed), Ok(message));
    }
}

#[test]
fn what_is_no_whole_answer_is_a_failure_with_the_status_that_was_sent() {
    let framed = frame(b"abc").unwrap();
    let compressed = [&[1], &framed[1..]].concat();
    let longer = [&framed[..], b"d"].concat();
    for body in [&framed[..7], &compressed, &longer, b"", b"\0\0"] {
        assert_eq!(unframe(Some(b"0"), body), Err(GrpcStatus::UNKNOWN));
    }
    for (status, found) in [
        (Some(&b"14"[..]), 14),
        (Some(b" 8 "), 8),
        (Some(b"\xff"), 2),
        (Some(b"-1"), 2),
        (Some(b""), 2),
        (None, 2),
    ] {
        assert_eq!(unframe(status, &framed), Err(GrpcStatus(found)));
    }
}
