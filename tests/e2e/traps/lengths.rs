//! Bodies whose length changes, on connections that are used again.

use serde_json::json;
use testbed::body::Step;
use testbed::http::raw::Connection;
use testbed::http::{Client, Request};
use testbed::model::Answer;

use super::masked;
use crate::support::{Guarded, ana};
use crate::versions::in_each_envoy;
use crate::vms::Vms;

in_each_envoy!(the_next_request_is_intact);

/// What the model says, and what must arrive: shorter, longer, unchanged, empty, gone.
const TEXTS: [(&str, &str); 5] = [
    ("a@b.co", "[EMAIL]"),
    ("someone.with.a.long.name@department.example.com", "[EMAIL]"),
    ("nothing", "nothing"),
    ("", ""),
    (
        "card 4111 1111 1111 1111 and x@y.zz",
        "card [CREDIT_CARD] and [EMAIL]",
    ),
];

fn the_next_request_is_intact(version: &str) {
    let guarded = Guarded::start(version, &masked());
    let (mesh, model) = (&guarded.mesh, &guarded.model);
    let vms = Vms::of(mesh);
    for (index, (said, _)) in TEXTS.iter().enumerate() {
        let body = json!({"text": said}).to_string();
        let digests = Answer::new(200)
            .header("content-type", "application/json")
            .header("etag", "\"1\"")
            .header("content-md5", "1B2M2Y8AsgTpgAmY7PhCfg==")
            .header("digest", "sha-256=x")
            .header("accept-ranges", "bytes");
        model.answer(
            &format!("/known/{index}"),
            digests.clone().body(body.clone()),
        );
        let steps = body.bytes().map(|byte| Step::data([byte])).collect();
        model.answer(&format!("/pieces/{index}"), digests.steps(steps));
    }
    let token = ana();
    let fits = |path: &str, index: usize, response: &testbed::http::Response| {
        let (_, expected) = TEXTS[index];
        assert_eq!(response.status, 200, "{path}");
        assert_eq!(response.broken, None, "{path}");
        assert_eq!(
            response.json(),
            json!({"text": expected}),
            "{path}: {}",
            response.text()
        );
        for name in ["etag", "content-md5", "digest", "accept-ranges"] {
            assert_eq!(response.header(name), None, "{path}");
        }
    };

    // One after another on one connection, byte by byte, so that what is left over shows.
    let mut connection = Connection::open(mesh.port()).unwrap();
    let upstream = "cluster.models.upstream_cx_total";
    for round in 0..3 {
        for index in 0..TEXTS.len() {
            for kind in ["known", "pieces"] {
                let path = format!("/{kind}/{index}?round={round}");
                connection
                    .send(request("GET", &path, &token).as_bytes())
                    .unwrap();
                fits(&path, index, &connection.response().unwrap());
            }
        }
    }
    // A connection stays with one worker, and that worker used one to the model all the time.
    assert_eq!(mesh.stats(upstream).unwrap()[upstream], 1);
    let paths: Vec<String> = model.received().into_iter().map(|one| one.path).collect();
    assert_eq!(paths.len(), 3 * TEXTS.len() * 2);
    assert!(
        paths
            .iter()
            .all(|path| path.starts_with("/known/") || path.starts_with("/pieces/"))
    );

    // All at once, before the first answer: pipelined.
    let mut all = String::new();
    for index in 0..TEXTS.len() {
        all += &request("GET", &format!("/known/{index}"), &token);
        all += &request("GET", &format!("/pieces/{index}"), &token);
        // Refused in the midst of others.
        all += &request("GET", "/known/0", "no-token");
    }
    connection.send(all.as_bytes()).unwrap();
    for index in 0..TEXTS.len() {
        fits("pipelined", index, &connection.response().unwrap());
        fits("pipelined", index, &connection.response().unwrap());
        assert_eq!(connection.response().unwrap().status, 401);
    }

    // Refused before its body was read: what is left of the body is no request.
    let smuggled = request("GET", "/known/1", &token);
    let chunked = "POST /v1/chat/completions HTTP/1.1\r\nhost: h\r\ncontent-type: application/json\r\n\
         transfer-encoding: chunked\r\nauthorization: Bearer no-token\r\n\r\n";
    let mut refused = Connection::open(mesh.port()).unwrap();
    let before = model.received().len();
    refused.send(chunked.as_bytes()).unwrap();
    assert_eq!(refused.response().unwrap().status, 401);
    let body = format!("{:x}\r\n{smuggled}\r\n0\r\n\r\n", smuggled.len());
    // The connection may have been closed, which is as good.
    let _ = refused.send(body.as_bytes());
    let _ = refused.finish();
    let rest = refused.to_end().unwrap_or_default();
    assert_eq!(String::from_utf8_lossy(&rest), "");
    assert_eq!(model.received().len(), before);

    // The same over HTTP/2, where lengths are in frames.
    let client = Client::http2(mesh.port()).unwrap();
    for index in 0..TEXTS.len() {
        for kind in ["known", "pieces"] {
            let path = format!("/{kind}/{index}");
            fits(
                &path,
                index,
                &client.send(Request::get(&path).bearer(&token)).unwrap(),
            );
        }
    }
    vms.all_live(mesh);
}

fn request(method: &str, path: &str, token: &str) -> String {
    format!("{method} {path} HTTP/1.1\r\nhost: h\r\nauthorization: Bearer {token}\r\n\r\n")
}
