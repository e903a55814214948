//! A virtual machine that traps is replaced, and until then nothing passes its worker.

use std::fs;
use std::time::Duration;

use serde_json::json;
use testbed::body::{Gate, Step};
use testbed::envoy::OLDEST;
use testbed::http::{Client, Request};
use testbed::model::Answer;
use testbed::{process, wait, wasm};

use crate::modules::{trapping, with_little_memory};
use crate::support::{Guarded, ana, chat, chat_body, policy};
use crate::versions::in_every_envoy;

in_every_envoy!(
    a_trap_closes_the_worker_until_the_filter_is_back,
    memory_that_runs_out_closes_the_worker_until_the_filter_is_back,
);

fn a_trap_closes_the_worker_until_the_filter_is_back(version: &str) {
    let folder = process::folder().unwrap();
    let policy = policy(&json!({
        "masks": {"pii": {"detect": ["email"]}},
        "rules": [
            // A rule that needs the body: no request leaves before its trailers are there.
            {"name": "none", "when": {"operation": ["inference.*"], "model": ["none"]}, "then": "deny"},
            {"name": "all", "when": {"operation": ["*", "unknown"]}, "then": "allow", "mask": ["pii"]},
        ],
    }));
    for export in ["proxy_on_request_trailers", "proxy_on_response_trailers"] {
        let module = folder.path().join(format!("{export}.wasm"));
        fs::write(&module, trapping(&wasm::build().unwrap(), export)).unwrap();
        let guarded = Guarded::start_with(version, &policy, |builder| builder.module(&module));
        let (mesh, model) = (&guarded.mesh, &guarded.model);
        model.say("write to ana@corp.com");
        let gate = Gate::new();
        let stream = vec![
            Step::data("Please write to ana@"),
            Step::Wait(gate.clone()),
            Step::data("corp.com"),
        ];
        let text = Answer::new(200).header("content-type", "text/plain");
        model.answer("/stream", text.steps(stream));

        // One connection, so that all of it is on one worker.
        let client = Client::http2(mesh.port()).unwrap();
        assert_eq!(client.send(chat(&ana(), "Hi")).unwrap().status, 200);
        let mut other = client.open(Request::get("/stream").bearer(&ana())).unwrap();
        let front = other.next_piece().unwrap().unwrap();
        assert!(front.starts_with(b"Please"), "{front:?}");

        let before = model.begun();
        let (trap, reaches_the_model) = match export {
            "proxy_on_request_trailers" => (request_with_trailers(), false),
            _ => (grpc_request(), true),
        };
        let trapped = client.send(trap);
        match trapped {
            Ok(response) if !reaches_the_model => assert_eq!(response.status, 503),
            // Its head may have gone before the trap: then it breaks off.
            Ok(response) => assert!(
                response.status == 503
                    || response.broken.is_some()
                    || response.trailer("grpc-status") != Some("0"),
                "{response:?}"
            ),
            Err(_) => assert!(reaches_the_model),
        }
        assert_eq!(model.begun() - before, usize::from(reaches_the_model));
        assert!(mesh.log().contains(export), "{}", mesh.log());

        // What was under way on the worker is cut: the held rest of an address never comes.
        gate.open(1);
        let rest = other.read();
        // Older Envoys end an HTTP/2 stream with "no error" here.
        assert!(rest.broken.is_some() || version == OLDEST, "{rest:?}");
        assert!(!rest.text().contains("corp.com"), "{rest:?}");

        let mut passed = 0;
        wait::until("the filter to be back", Duration::from_secs(30), || {
            // Nobody passes without a token, whatever state the worker is in.
            let before = model.begun();
            let stranger = client.send(Request::get("/v1/models")).unwrap();
            assert!(matches!(stranger.status, 401 | 503), "{}", stranger.status);
            assert_eq!(model.begun(), before);
            let response = client.send(chat(&ana(), "Hi")).unwrap();
            match response.status {
                200 => {
                    assert!(
                        response.text().contains("write to [EMAIL]"),
                        "{}",
                        response.text()
                    );
                    passed += 1;
                }
                503 => assert_eq!(model.begun(), before),
                other => panic!("{other}: {}", response.text()),
            }
            passed == 3
        })
        .unwrap();
        assert_eq!(client.send(Request::get("/v1/models")).unwrap().status, 401);
        let reloads = mesh.stats("vm_reload_success").unwrap();
        assert_eq!(reloads.values().sum::<u64>(), 1, "{reloads:?}");
    }
}

/// A virtual machine that gets no more memory traps; here after a few megabytes instead of the gigabyte that V8
/// gives one.
fn memory_that_runs_out_closes_the_worker_until_the_filter_is_back(version: &str) {
    const PAGES: u64 = 48;
    let folder = process::folder().unwrap();
    let module = folder.path().join("little.wasm");
    fs::write(&module, with_little_memory(&wasm::build().unwrap(), PAGES)).unwrap();
    let policy = policy(&json!({
        "masks": {"pii": {"detect": ["email"]}},
        "rules": [
            {"name": "none", "when": {"operation": ["inference.*"], "model": ["none"]}, "then": "deny"},
            {"name": "all", "when": {"operation": ["*", "unknown"]}, "then": "allow", "mask_request": ["pii"]},
        ],
    }));
    let guarded = Guarded::start_with(version, &policy, |builder| builder.module(&module));
    let (mesh, model) = (&guarded.mesh, &guarded.model);
    let client = Client::http2(mesh.port()).unwrap();
    assert_eq!(client.send(chat(&ana(), "Hi")).unwrap().status, 200);
    assert_eq!(model.begun(), 1);

    let mut body = chat_body("Hi");
    body["messages"] = json!(vec![
        json!({"role": "user", "content": "ana@corp.com "});
        100_000
    ]);
    let large = Request::post("/v1/chat/completions")
        .bearer(&ana())
        .json(&body);
    let answer = client.send(large).unwrap();
    assert_eq!(answer.status, 503, "{}", answer.text());
    assert_eq!(model.begun(), 1, "what was not read does not pass");

    wait::until("the filter to be back", Duration::from_secs(30), || {
        let stranger = client.send(Request::get("/v1/models")).unwrap();
        assert!(matches!(stranger.status, 401 | 503), "{}", stranger.status);
        let status = client.send(chat(&ana(), "Hi")).unwrap().status;
        assert!(matches!(status, 200 | 503), "{status}");
        status == 200
    })
    .unwrap();
    let reloads = mesh.stats("vm_reload_success").unwrap();
    assert_eq!(reloads.values().sum::<u64>(), 1, "{reloads:?}");
}

fn request_with_trailers() -> Request {
    let body = json!({"model": "small-1", "messages": []}).to_string();
    let trailers = Step::Trailers(vec![("x-sum".to_owned(), "1".to_owned())]);
    Request::post("/v1/chat/completions")
        .bearer(&ana())
        .header("content-type", "application/json")
        .steps(vec![Step::data(body), trailers])
}

fn grpc_request() -> Request {
    let asked = [testbed::kserve::InferRequest::of_texts("m", &["Hi"])];
    let bearer = format!("Bearer {}", ana());
    testbed::grpc::request("ModelInfer", &asked, &[("authorization", &bearer)])
}
