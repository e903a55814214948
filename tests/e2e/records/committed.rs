//! Answers that go only with their records: whatever a recorder does, no client sees an answer's end
//! before the record is kept.

use serde_json::{Value, json};
use testbed::body::{Gate, Step};
use testbed::grpc;
use testbed::http::{Client, Request};
use testbed::kserve::{InferRequest, InferResponse};
use testbed::model::{Answer, Model, Rpc};

use crate::support::{Desk, Guarded, ana, code, policy};
use crate::versions::in_each_envoy;

in_each_envoy!(no_answer_ends_without_its_record);

const EVENTS: &[&str] = &[
    "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"one \"}}]}\n\n",
    "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"two\"}}]}\n\n",
    "data: [DONE]\n\n",
];

/// All answers wait for what `cluster` says, for so long.
fn committed(cluster: &str, timeout: &str) -> Value {
    policy(&json!({
        "masks": {"pii": {"detect": ["email"]}},
        "sessions": {
            "delivery": "committed",
            "digests": true,
            "desk": {"cluster": cluster, "credential": "Bearer ${DESK_KEY}", "timeout": timeout},
        },
        "rules": [
            {"name": "masked", "when": {"operation": ["inference.*"]}, "then": "allow", "mask": ["pii"]},
            {"name": "all", "when": {"operation": ["*", "unknown"]}, "then": "allow"},
        ],
    }))
}

fn no_answer_ends_without_its_record(version: &str) {
    let desk = Desk::start();
    // It takes the call, and answers when the test says so.
    let recorder = Model::start().unwrap();
    let guarded = Guarded::start_with(version, &committed("recorder", "60s"), |builder| {
        builder
            .cluster("recorder", recorder.port())
            .cluster_http2("desk", desk.port)
            .cluster_http2("desk_log", desk.log_port)
            .listener("kept", committed("desk", "60s"))
            .listener("silent", committed("recorder", "1s"))
            .listener("away", committed("nowhere", "60s"))
            .cluster("nowhere", 1)
    });
    answer(&guarded);
    an_end_waits_for_the_recorder(&guarded, &recorder);
    a_call_waits_with_its_trailers(&guarded, &recorder);
    a_recorder_that_is_silent_or_away_ends_it(&guarded);
    the_desk_has_a_record_before_its_client_has_the_answer(&guarded, &desk);
}

fn answer(guarded: &Guarded) {
    let model = &guarded.model;
    let body = json!({"object": "list", "data": [{"id": "small-1"}]});
    model.answer("/v1/models", Answer::json(&body));
    let steps = EVENTS.iter().map(|event| Step::data(*event)).collect();
    let stream = Answer::new(200).header("content-type", "text/event-stream");
    model.answer("/v1/chat/completions", stream.steps(steps));
    model.answer("/nothing", Answer::new(204));
}

fn requests() -> [(&'static str, Request, String); 3] {
    let body = json!({"model": "small-1", "stream": true, "messages": [{"role": "user", "content": "hi"}]});
    [
        (
            "events",
            Request::post("/v1/chat/completions")
                .bearer(&ana())
                .json(&body),
            EVENTS.concat(),
        ),
        (
            "json",
            Request::get("/v1/models").bearer(&ana()),
            json!({"object": "list", "data": [{"id": "small-1"}]}).to_string(),
        ),
        (
            "no body",
            Request::get("/nothing").bearer(&ana()),
            String::new(),
        ),
    ]
}

fn an_end_waits_for_the_recorder(guarded: &Guarded, recorder: &Model) {
    for two in [false, true] {
        for (what, request, whole) in requests() {
            let gate = Gate::new();
            recorder.forget();
            recorder.answer("/v1/records", Answer::json(&json!({})).gated(&gate));
            let client = match two {
                false => Client::http1(guarded.mesh.port()).unwrap(),
                true => Client::http2(guarded.mesh.port()).unwrap(),
            };
            let pending = client.start(request).unwrap();
            let asked = recorder.wait_received(1).unwrap();
            let record: Value = asked[0].json();
            assert_eq!(record["ended"]["how"], "complete", "{what}: {record}");
            assert_eq!(record["mesh"]["cluster"], "models", "{what}: {record}");
            let key = asked[0].header("authorization").unwrap();
            assert!(key.starts_with("Bearer filter-key"), "{what}");
            // What a client can have by now isn't all of it.
            let mut got = Vec::new();
            if what == "events" {
                let mut stream = pending.response().unwrap();
                let most = EVENTS[..EVENTS.len() - 1].concat().len() - 1;
                while got.len() < most {
                    got.extend(stream.next_piece().unwrap().unwrap());
                }
                assert!(
                    !String::from_utf8_lossy(&got).contains("[DONE]\n\n"),
                    "{what}"
                );
                gate.open(1);
                let rest = stream.read();
                assert_eq!(rest.broken, None, "{what}");
                got.extend(rest.body);
            } else {
                assert!(!pending.answered() || what == "json", "{what} was answered");
                gate.open(1);
                let rest = pending.response().unwrap().read();
                assert_eq!(rest.broken, None, "{what}");
                got.extend(rest.body);
            }
            assert_eq!(
                String::from_utf8(got).unwrap(),
                whole,
                "{what}, HTTP/2: {two}"
            );
        }
    }
}

fn a_call_waits_with_its_trailers(guarded: &Guarded, recorder: &Model) {
    let gate = Gate::new();
    recorder.forget();
    recorder.answer("/v1/records", Answer::json(&json!({})).gated(&gate));
    guarded.model.rpc(Rpc::default());
    let request = grpc::request(
        "ModelInfer",
        &[InferRequest::of_texts("small-1", &["hello"])],
        &[("authorization", &format!("Bearer {}", ana()))],
    );
    let client = Client::http2(guarded.mesh.port()).unwrap();
    let pending = client.start(request).unwrap();
    recorder.wait_received(1).unwrap();
    gate.open(1);
    let answer: grpc::Answer<InferResponse> =
        grpc::answer(pending.response().unwrap().read()).unwrap();
    assert_eq!(answer.code, Some(0));
}

fn a_recorder_that_is_silent_or_away_ends_it(guarded: &Guarded) {
    for listener in ["silent", "away"] {
        for (what, request, whole) in requests() {
            let answer = guarded.send_to(listener, request);
            // One of which nothing had gone is refused; the others end in the middle.
            let refused = answer.status == 503 && code(&answer) == "record_not_kept";
            let broken = answer.broken.is_some() && answer.body.len() < whole.len();
            assert!(refused || broken, "{listener}, {what}: {answer:?}");
            assert!(what != "no body" || refused, "{listener}: {answer:?}");
        }
    }
    let records = guarded.mesh.sessions(0).unwrap();
    let kept = |record: &&Value| record["response"]["code"] == "record_not_kept";
    let record = records.iter().find(kept).expect("a record says so");
    assert!(["cut", "refused"].contains(&record["ended"]["how"].as_str().unwrap()));
}

fn the_desk_has_a_record_before_its_client_has_the_answer(guarded: &Guarded, desk: &Desk) {
    for (what, request, whole) in requests() {
        let host = format!("{}.example", what.replace(' ', "-"));
        let answer = guarded.send_to("kept", request.header("host", &host));
        assert_eq!((answer.text(), answer.broken), (whole, None), "{what}");
        // Not a moment later: the desk has it by now, whatever Envoy's log is about to bring.
        let list = desk.get("/v1/sessions");
        let all = list["sessions"].as_array().unwrap();
        let found = all.iter().filter(|one| one["request"]["host"] == host);
        assert_eq!(found.count(), 1, "{what}: {list}");
        // What Envoy's log says of it in the end is the same record.
        let logged = guarded.record(&host);
        let kept = all.iter().find(|one| one["id"] == logged["id"]).unwrap();
        for name in ["worker", "number", "time", "request", "verdict", "ended"] {
            assert_eq!(kept[name], logged[name], "{name} of {what}");
        }
        assert_eq!(kept["response"]["digest"], logged["response"]["digest"]);
    }
}
