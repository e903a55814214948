use super::{Answer, State, Target, digest_of_answer, read_answer};

fn digest(method: &str, host: &str, path: &str, body: &[u8]) -> String {
    super::digest(&Target { method, host, path }, body)
}

#[test]
fn a_digest_tells_requests_apart() {
    let one = digest("POST", "h", "/a?x", b"body");
    assert_eq!(one.len(), 64);
    for other in [
        digest("PUT", "h", "/a?x", b"body"),
        digest("POST", "g", "/a?x", b"body"),
        digest("POST", "h", "/a?y", b"body"),
        digest("POST", "h", "/a?x", b"body "),
        digest("POST", "h", "/a?xb", b"ody"),
    ] {
        assert_ne!(one, other);
    }
    let target = Target {
        method: "POST",
        host: "h",
        path: "/a?x",
    };
    assert_ne!(one, digest_of_answer(&target, b"body"));
}

#[test]
fn answers_are_read_or_are_none() {
    assert_eq!(
        read_answer(
            200,
            br#"{"id":"apr_1","state":"denied","reason":"no","reviewer":"ana"}"#
        ),
        Some(Answer {
            id: "apr_1".to_owned(),
            state: State::Denied,
            reviewer: Some("ana".to_owned()),
            reason: Some("no".to_owned()),
        })
    );
    let used = read_answer(200, br#"{"id":"a","state":"used","reason":null}"#).unwrap();
    assert_eq!(used.state, State::Gone);
    for (status, body) in [
        (500, r#"{"id":"a","state":"approved"}"#),
        (201, r#"{"id":"a","state":"approved"}"#),
        (200, r#"{"id":"a","state":"approve"}"#),
        (200, r#"{"id":"","state":"approved"}"#),
        (200, r#"{"id":"../x","state":"approved"}"#),
        (200, r#"{"id":"a","state":"pending","state":"approved"}"#),
        (200, r#"{"state":"approved"}"#),
        (200, "approved"),
        (200, ""),
    ] {
        assert_eq!(read_answer(status, body.as_bytes()), None, "{body}");
    }
}
