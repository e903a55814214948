//! Request bodies that are judged whole: no byte is lost, and none goes ahead.

use serde_json::json;
use testbed::body::{Step, split};
use testbed::envoy::OLDEST;
use testbed::http::{Client, Request};

use crate::support::{Guarded, ana, code, policy};
use crate::versions::in_each_envoy;
use crate::vms::Vms;

/// What an HTTP/2 server takes before it says that it takes more, in bytes (RFC 9113, section
/// 6.9.2).
const WINDOW: usize = 65_535;

in_each_envoy!(a_judged_body_arrives_to_the_last_byte);

fn a_judged_body_arrives_to_the_last_byte(version: &str) {
    let policy = policy(&json!({
        "limits": {"request_body": "1MiB"},
        "patterns": {"probe": {"any_of": ["open sesame"]}},
        "rules": [
            {"name": "probes", "when": {"prompt": ["probe"]}, "then": "deny"},
            {"name": "all", "when": {"operation": ["*", "unknown"]}, "then": "allow"},
        ],
    }));
    let plain = Guarded::start(version, &policy);
    let http2 = Guarded::start_with(version, &policy, |builder| {
        // The model server of the first, spoken to in HTTP/2.
        builder.model_http2(plain.model.port())
    });
    let vms = [Vms::of(&plain.mesh), Vms::of(&http2.mesh)];
    let model = &plain.model;
    let shortest = chat_of("").len();
    for (mesh, to_http2) in [(&plain.mesh, false), (&http2.mesh, true)] {
        let two = Client::http2(mesh.port()).unwrap();
        let one = Client::http1(mesh.port()).unwrap();
        for (size, piece) in [
            (shortest, 1),
            (1000, 1),
            (16_383, 16_384),
            (16_384, 16_384),
            (65_536, 1000),
            (300_000, 16_384),
            (1 << 20, 777),
            (1 << 20, 1 << 20),
        ] {
            let body = filled(size);
            for client in [&one, &two] {
                model.forget();
                let sent = post(split(body.as_bytes(), piece));
                let response = client.send(sent).unwrap();
                assert_eq!(
                    response.status,
                    200,
                    "{size} by {piece}: {}",
                    response.text()
                );
                let received = model.received();
                assert_eq!(received.len(), 1);
                assert!(received[0].complete);
                assert!(
                    received[0].body == body.as_bytes(),
                    "{size} by {piece} changed"
                );
            }
            // And with trailers behind the body, where the last piece is not the end. Older
            // Envoys, with or without the filter, lose trailers behind a body that has to wait
            // for an HTTP/2 server to take more, and with them the request.
            if to_http2 && version == OLDEST && size >= WINDOW {
                continue;
            }
            model.forget();
            let mut steps = split(body.as_bytes(), piece);
            steps.push(Step::Trailers(vec![("x-sum".to_owned(), "1".to_owned())]));
            let response = two.send(post(steps)).unwrap();
            assert_eq!(
                response.status,
                200,
                "{size} by {piece}: {}",
                response.text()
            );
            assert!(
                model.received()[0].body == body.as_bytes(),
                "{size} by {piece} changed"
            );
        }
        // What is asked last is judged too, and one byte more than the limit is too much.
        model.forget();
        for trailers in [false, true] {
            let late = chat_of(&format!("{} open sesame", "x".repeat(200_000)));
            for (body, status, reason) in [
                (late, 403, "denied"),
                (filled((1 << 20) + 1), 413, "request_too_large"),
            ] {
                let mut steps = split(body.as_bytes(), 10_000);
                if trailers {
                    steps.push(Step::Trailers(vec![("x-sum".to_owned(), "1".to_owned())]));
                }
                let refused = two.send(post(steps)).unwrap();
                assert_eq!(refused.status, status, "{}", refused.text());
                assert_eq!(code(&refused), reason);
            }
        }
        assert_eq!(model.begun(), 0);
    }
    vms[0].all_live(&plain.mesh);
    vms[1].all_live(&http2.mesh);
}

fn post(steps: Vec<Step>) -> Request {
    Request::post("/v1/chat/completions")
        .bearer(&ana())
        .header("content-type", "application/json")
        .steps(steps)
}

/// A chat request whose text is its last member.
fn chat_of(text: &str) -> String {
    format!(r#"{{"model":"small-1","messages":[{{"role":"user","content":"{text}"}}]}}"#)
}

/// A chat request of so many bytes.
fn filled(size: usize) -> String {
    let text: String = ('a'..='z').cycle().take(size - chat_of("").len()).collect();
    chat_of(&text)
}
