//! What an answer says of how it ended: the status of a gRPC call, and other trailers.

use std::time::Duration;

use serde_json::{Value, json};
use testbed::body::{Gate, Step};
use testbed::grpc;
use testbed::http::Client;
use testbed::kserve::{InferRequest, InferResponse, SERVICE, StreamResponse};
use testbed::model::{Answer, Rpc};
use testbed::wait;

use crate::support::{Guarded, idp, policy};
use crate::versions::in_the_current_envoy;

in_the_current_envoy!(statuses_are_masked);

/// A `google.rpc.Status` whose message is `bob@example.com`, and what becomes of it.
const DETAILS: &str = "Eg9ib2JAZXhhbXBsZS5jb20";
const MASKED_DETAILS: &str = "EgdbRU1BSUxd";

fn statuses_are_masked(version: &str) {
    let with = |mask: &str| {
        policy(&json!({
            "masks": {
                "m": {"detect": ["email", "ip"]},
                "cut": {"detect": ["email"], "action": "cut"},
            },
            "rules": [{"name": "all", "when": {"operation": ["*", "unknown"]}, "then": "allow", "mask": [mask]}],
        }))
    };
    let guarded = Guarded::start_with(version, &with("m"), |builder| {
        builder
            .listener("cut", with("cut"))
            .listener("plain", policy(&json!({})))
    });
    a_status_in_trailers(&guarded);
    a_status_in_the_head(&guarded);
    a_status_that_is_cut(&guarded);
}

fn client(guarded: &Guarded, listener: Option<&str>) -> Client {
    let port = listener.map_or(guarded.mesh.port(), |name| {
        guarded.mesh.port_of(name).unwrap()
    });
    Client::http2(port).unwrap()
}

type Called = grpc::Answer<StreamResponse>;

/// Streams one question of this caller's.
fn stream(client: &Client, caller: &str) -> Called {
    let bearer = format!("Bearer {}", idp().good(caller, &["engineers"]));
    let headers = [("authorization", bearer.as_str())];
    let request = [InferRequest::of_texts("small-1", &["hello"])];
    grpc::call(client, "ModelStreamInfer", &request, &headers).unwrap()
}

/// The same for an answer that a test has chosen.
fn infer(client: &Client, caller: &str) -> grpc::Answer<InferResponse> {
    let bearer = format!("Bearer {}", idp().good(caller, &["engineers"]));
    let headers = [("authorization", bearer.as_str())];
    grpc::infer(client, "small-1", "hello", &headers).unwrap()
}

/// The record of this caller's only call, once it is written.
fn record(guarded: &Guarded, caller: &str) -> Value {
    let what = format!("the record of {caller}");
    let found = wait::value(&what, Duration::from_secs(30), || {
        let records = guarded.mesh.sessions(0).unwrap().into_iter();
        let mut of_caller = records.filter(|one| one["identity"]["subject"] == caller);
        of_caller.next()
    });
    found.unwrap()
}

fn chosen(guarded: &Guarded, answer: Answer) {
    let answer = answer.header("content-type", "application/grpc");
    guarded
        .model
        .answer(&format!("/{SERVICE}/ModelInfer"), answer);
}

fn trailers() -> Step {
    let all = [
        ("grpc-status", "3"),
        ("grpc-message", "no bob%40example.com here, caf%C3%A9"),
        ("grpc-status-details-bin", DETAILS),
        ("x-server", "203.0.113.7"),
    ];
    let owned = |(name, value): (&str, &str)| (name.to_owned(), value.to_owned());
    Step::Trailers(all.map(owned).into())
}

fn a_status_in_trailers(guarded: &Guarded) {
    let through = client(guarded, None);
    guarded
        .model
        .say_tokens(&["Mail jane@exam", "ple.com", "."]);
    // Behind a stream whose last piece is held until its trailers, and behind one cut to bytes.
    for (caller, rpc) in [
        ("status-1", Rpc::default()),
        ("status-2", Rpc::default().frames_of(1)),
    ] {
        guarded
            .model
            .rpc(rpc.status(3, "no bob%40example.com here"));
        let answer = stream(&through, caller);
        assert_eq!(
            (answer.code, answer.reason.as_str()),
            (Some(3), "no [EMAIL] here"),
            "{answer:?}"
        );
        assert_eq!(answer.messages.len(), 3, "{answer:?}");
        let record = record(guarded, caller);
        let found = json!({"email": 2});
        assert_eq!(record["response"]["matches"], found, "{record}");
    }
    guarded
        .model
        .rpc(Rpc::default().status(9, "not%20now, 100% %c3%a9"));
    let answer = stream(&through, "status-3");
    assert_eq!(answer.reason, "not%20now, 100% %c3%a9");

    // All trailers, with messages in front of them and without.
    for (caller, steps) in [
        ("status-4", vec![trailers()]),
        ("status-5", vec![Step::data([0, 0, 0, 0, 0]), trailers()]),
    ] {
        chosen(guarded, Answer::new(200).steps(steps));
        let answer = infer(&through, caller);
        assert_eq!(answer.code, Some(3), "{answer:?}");
        assert_eq!(answer.reason, "no [EMAIL] here, caf%C3%A9");
        let trailer = |name| answer.response.trailer(name);
        assert_eq!(trailer("grpc-status-details-bin"), Some(MASKED_DETAILS));
        assert_eq!(trailer("x-server"), Some("[IP]"));
        let record = record(guarded, caller);
        let found = json!({"email": 2, "ip": 1});
        assert_eq!(record["response"]["matches"], found, "{record}");
        // The control.
        let plain = infer(&client(guarded, Some("plain")), "plain");
        assert_eq!(plain.reason, "no bob%40example.com here, caf%C3%A9");
        assert_eq!(plain.response.trailer("x-server"), Some("203.0.113.7"));
    }
}

fn a_status_in_the_head(guarded: &Guarded) {
    let answer = Answer::new(200)
        .header("grpc-status", 3)
        .header("grpc-message", "no bob%40example.com")
        .header("grpc-status-details-bin", DETAILS);
    chosen(guarded, answer);
    let answer = infer(&client(guarded, None), "head");
    assert_eq!(answer.code, Some(3), "{answer:?}");
    assert_eq!(answer.response.header("grpc-message"), Some("no [EMAIL]"));
    assert_eq!(
        answer.response.header("grpc-status-details-bin"),
        Some(MASKED_DETAILS)
    );
    let record = record(guarded, "head");
    assert_eq!(record["response"]["matches"], json!({"email": 2}));
}

fn a_status_that_is_cut(guarded: &Guarded) {
    let through = client(guarded, Some("cut"));
    // Nothing has gone: in the head, and in trailers right behind it.
    let in_head = Answer::new(200)
        .header("grpc-status", 3)
        .header("grpc-message", "no bob%40example.com");
    let behind_it = Answer::new(200).steps(vec![trailers()]);
    for (caller, answer) in [("cut-1", in_head), ("cut-2", behind_it)] {
        chosen(guarded, answer);
        let answer = infer(&through, caller);
        assert_eq!(answer.code, Some(7), "{answer:?}");
        assert!(!answer.reason.contains("bob"), "{answer:?}");
        assert_eq!(answer.response.trailer("x-server"), None);
        let record = record(guarded, caller);
        assert_eq!(record["response"]["code"], "match_withheld", "{record}");
    }
    // The message has gone, so that its status comes without what it says.
    let gate = Gate::new();
    let message = [0, 0, 0, 0, 0];
    let steps = vec![Step::data(message), Step::Wait(gate.clone()), trailers()];
    chosen(guarded, Answer::new(200).steps(steps));
    let bearer = format!("Bearer {}", idp().good("cut-3", &["engineers"]));
    let question = [InferRequest::of_texts("small-1", &["hello"])];
    let request = grpc::request("ModelInfer", &question, &[("authorization", &bearer)]);
    let mut stream = through.open(request).unwrap();
    let mut came = Vec::new();
    while came.len() < message.len() {
        came.extend(stream.next_piece().unwrap().unwrap());
    }
    assert_eq!(came, message);
    gate.open(1);
    let answer: grpc::Answer<InferResponse> = grpc::answer(stream.read()).unwrap();
    assert_eq!((answer.code, answer.reason.as_str()), (Some(3), ""));
    assert_eq!(answer.response.trailer("grpc-status-details-bin"), None);
    assert_eq!(answer.response.trailer("x-server"), Some("203.0.113.7"));
    let record = record(guarded, "cut-3");
    assert_eq!(record["response"]["matches"], json!({"email": 2}));
}
