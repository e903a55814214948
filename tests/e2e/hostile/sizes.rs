//! Bodies of a hundred megabytes.

use std::fs;

use serde_json::json;
use testbed::body::Step;
use testbed::http::{Client, Request};
use testbed::mesh::{Builder, Mesh};
use testbed::model::Answer;

use super::strict;
use crate::support::{Guarded, ana, code};
use crate::versions::in_the_current_envoy;
use crate::vms::Vms;

in_the_current_envoy!(large_bodies_take_no_memory);

const MEGABYTE: u64 = 1 << 20;
const SIZE: u64 = 100 * MEGABYTE;

/// What Envoy may grow by for any of these bodies, in bytes: its buffers are of 16 MiB, and a
/// virtual machine holds two of them for a moment.
const GROWTH: u64 = 80 * MEGABYTE;

fn large_bodies_take_no_memory(version: &str) {
    let guarded = Guarded::start_with(version, &strict(), Builder::alone);
    let vms = Vms::of(&guarded.mesh);
    // Everything that is made once is made.
    guarded.send(Request::get("/v1/models").bearer(&ana()));
    let before = memory(&guarded.mesh);
    let (mesh, model) = (&guarded.mesh, &guarded.model);

    // A body that has to be judged: refused as soon as it is known to be too large.
    model.forget();
    let judged = || {
        Request::post("/v1/chat/completions")
            .bearer(&ana())
            .header("content-type", "application/json")
    };
    let told = judged().header("content-length", SIZE.to_string());
    let untold = judged().steps(vec![Step::data(b"{\"model\":\""), Step::Fill(b'm', SIZE)]);
    for request in [told.steps(vec![Step::Fill(b' ', SIZE)]), untold] {
        for two in [false, true] {
            let client = match two {
                true => Client::http2(mesh.port()).unwrap(),
                false => Client::http1(mesh.port()).unwrap(),
            };
            // Over HTTP/1, the connection may break while the body is still being sent.
            if let Ok(refused) = client.send(request.clone()) {
                assert_eq!(refused.status, 413);
                assert_eq!(code(&refused), "request_too_large");
            } else {
                assert!(!two, "no answer");
            }
        }
    }
    assert_eq!(model.begun(), 0);

    // An answer under the mask: it streams. Nothing of the filling can be decided by its start.
    for (kind, front, fill, back) in [
        (
            "application/json",
            "{\"text\":\"ana@corp.com ",
            b'x',
            " bob@corp.com\"}",
        ),
        (
            "application/json",
            "[\"ana@corp.com\"",
            b' ',
            ",\"bob@corp.com\"]",
        ),
        ("text/plain", "ana@corp.com ", b'1', " bob@corp.com"),
        (
            "text/event-stream",
            "data: ana@corp.com \n\n",
            b'\n',
            "data: bob@corp.com\n\n",
        ),
    ] {
        let steps = vec![Step::data(front), Step::Fill(fill, SIZE), Step::data(back)];
        let answer = Answer::new(200).header("content-type", kind);
        model.answer("/large", answer.steps(steps));
        let client = Client::http1(mesh.port()).unwrap();
        let response = client.send(Request::get("/large").bearer(&ana())).unwrap();
        assert_eq!((response.status, response.broken), (200, None), "{kind}");
        let expected = [front, back].map(|text| {
            let text = text.replace("ana@corp.com", "[EMAIL]");
            text.replace("bob@corp.com", "[EMAIL]")
        });
        let body = response.body;
        assert!(body.starts_with(expected[0].as_bytes()), "{kind}");
        assert!(body.ends_with(expected[1].as_bytes()), "{kind}");
        let filling = body.len() - expected[0].len() - expected[1].len();
        assert_eq!(filling as u64, SIZE, "{kind}");
        assert!(
            body[expected[0].len()..][..filling]
                .iter()
                .all(|byte| *byte == fill),
            "{kind}"
        );
    }

    // A body that nothing needs to see goes through as it comes.
    model.forget();
    let path = "/v1/files/f1";
    model.answer(path, Answer::json(&json!({})));
    let upload = Request::new("DELETE", path)
        .bearer(&ana())
        .header("content-type", "application/octet-stream")
        .steps(vec![Step::Fill(b'w', SIZE)]);
    let response = Client::http2(mesh.port()).unwrap().send(upload).unwrap();
    assert_eq!(response.status, 200, "{}", response.text());
    assert_eq!(model.received()[0].body.len() as u64, SIZE);

    vms.all_live(mesh);
    let after = memory(&guarded.mesh);
    assert!(
        after < before + GROWTH,
        "Envoy grew from {before} to {after} bytes"
    );
}

/// The most that Envoy has had in memory so far, in bytes.
fn memory(mesh: &Mesh) -> u64 {
    let status = fs::read_to_string(format!("/proc/{}/status", mesh.id())).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:"));
    let kilobytes = line.unwrap().split_whitespace().nth(1).unwrap();
    kilobytes.parse::<u64>().unwrap() * 1024
}
