//! Bodies that a decision has to be taken from, and that can't be read.

use serde_json::json;
use testbed::http::{Client, Request};

use super::strict;
use crate::support::{Guarded, ana, chat, code};
use crate::versions::in_the_current_envoy;
use crate::vms::Vms;

in_the_current_envoy!(what_cannot_be_read_is_refused);

fn what_cannot_be_read_is_refused(version: &str) {
    let guarded = Guarded::start(version, &strict());
    let (mesh, model) = (&guarded.mesh, &guarded.model);
    let vms = Vms::of(mesh);
    let nested = |open: &str, close: &str| {
        let depth = 10_000;
        let (open, close) = (open.repeat(depth), close.repeat(depth));
        format!(r#"{{"model":"m","messages":{open}1{close}}}"#)
    };
    let bodies: Vec<Vec<u8>> = vec![
        b" ".into(),
        b"Hello".into(),
        b"\xff\xfe\x00".into(),
        b"{".into(),
        br#"{"model":"m","messages":[{"role":"user","content":"open ses"#.into(),
        br#"{"model":"m","messages":[]}}"#.into(),
        br#"{"model":"m","messages":[]} {"model":"m","messages":[]}"#.into(),
        br#"{"model":"m","model":"n","messages":[]}"#.into(),
        br#"{"model":"m","m\u006fdel":"n","messages":[]}"#.into(),
        br#"{"model":["m"],"messages":[]}"#.into(),
        br#"{"model":"m","n":-1,"messages":[]}"#.into(),
        br#"{"model":"m","n":1e99,"messages":[]}"#.into(),
        br#"{"model":"m","n":NaN,"messages":[]}"#.into(),
        b"{\"model\":\"m\",\"messages\":[{\"content\":\"\xff\xfe\"}]}".into(),
        b"{\"model\":\"m\",\"messages\":[{\"content\":\"a\nb\"}]}".into(),
        br#"{"model":"m","messages":[{"content":"\ud83d"}]}"#.into(),
        b"\xef\xbb\xbf{\"model\":\"m\",\"messages\":[]}".into(),
        b"[]".into(),
        b"null".into(),
        b"0".repeat(100_000),
        b"\"".repeat(99_999),
        nested("[", "]").into(),
        nested(r#"{"a":"#, "}").into(),
        "[".repeat(1_000_000).into(),
    ];
    let two = Client::http2(mesh.port()).unwrap();
    for body in &bodies {
        let shown = String::from_utf8_lossy(&body[..body.len().min(80)]).into_owned();
        // A client library may close a connection on which it was answered early.
        let one = Client::http1(mesh.port()).unwrap();
        for client in [&one, &two] {
            let request = Request::post("/v1/chat/completions")
                .bearer(&ana())
                .header("content-type", "application/json")
                .body(body.clone());
            let refused = client
                .send(request)
                .unwrap_or_else(|why| panic!("{shown}: {why}"));
            assert_eq!(refused.status, 400, "{shown}: {}", refused.text());
            assert_eq!(code(&refused), "body_malformed", "{shown}");
            assert!(refused.text().len() < 1000, "{}", refused.text());
        }
    }
    // The route says what it is, whatever the content-type says, but for what it is encoded in.
    let probe = json!({"model": "m", "messages": [{"content": "open sesame"}]}).to_string();
    let json = ("content-type", "application/json");
    for (headers, status, reason) in [
        (vec![], 403, "denied"),
        (vec![("content-type", "text/plain")], 403, "denied"),
        (vec![("content-type", "image/png")], 403, "denied"),
        (vec![("content-type", "")], 403, "denied"),
        (vec![("content-type", ";")], 403, "denied"),
        (vec![json, ("content-type", "text/plain")], 403, "denied"),
        (
            vec![("content-type", "application/json; charset=utf-7")],
            415,
            "media_type_not_supported",
        ),
        (
            vec![json, ("content-encoding", "gzip")],
            400,
            "body_malformed",
        ),
        (
            vec![json, ("content-encoding", "identity, br")],
            400,
            "body_malformed",
        ),
        (
            vec![json, ("content-encoding", "compress")],
            415,
            "encoding_not_supported",
        ),
        (
            vec![json, ("content-encoding", "gzip, gzip")],
            415,
            "encoding_not_supported",
        ),
    ] {
        let mut request = Request::post("/v1/chat/completions").bearer(&ana());
        for (name, value) in &headers {
            request = request.header(name, value);
        }
        let refused = guarded.send(request.body(probe.clone()));
        assert_eq!(refused.status, status, "{headers:?}: {}", refused.text());
        assert_eq!(code(&refused), reason, "{headers:?}");
    }
    assert_eq!(model.begun(), 0);
    // The other end of it: nothing of that stands in the way of a good request.
    assert_eq!(two.send(chat(&ana(), "Hi")).unwrap().status, 200);
    assert_eq!(two.send(chat(&ana(), "open sesame")).unwrap().status, 403);
    vms.all_live(mesh);
}
