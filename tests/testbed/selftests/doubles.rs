use serde_json::json;

use crate::body::{Gate, Step};
use crate::http::raw::Connection;
use crate::http::{self, Client, Request};
use crate::kserve::{Health, InferRequest, StreamResponse};
use crate::model::{Answer, Model, Rpc};
use crate::{grpc, wait};

fn chat(stream: bool) -> Request {
    Request::post("/v1/chat/completions").json(&json!({
        "model": "small-1",
        "messages": [{ "role": "user", "content": "Say three words" }],
        "stream": stream,
        "stream_options": { "include_usage": true }
    }))
}

#[test]
fn a_chat_is_answered_and_remembered() {
    let model = Model::start().unwrap();
    model.say("One two three four");
    let answer = http::send(model.port(), chat(false)).unwrap();
    assert_eq!(answer.status, 200);
    let body = answer.json();
    assert_eq!(
        body["choices"][0]["message"]["content"],
        "One two three four"
    );
    assert_eq!(body["usage"]["prompt_tokens"], 3);
    assert_eq!(body["usage"]["completion_tokens"], 4);
    let received = model.wait_received(1).unwrap();
    assert_eq!(received[0].path, "/v1/chat/completions");
    assert_eq!(received[0].json()["model"], "small-1");
    assert!(received[0].complete);
    assert_eq!(model.begun(), 1);
}

#[test]
fn a_stream_sends_each_piece_when_its_gate_opens() {
    let model = Model::start().unwrap();
    let gate = model.say_gated(&["One ", "two"]);
    let client = Client::http1(model.port()).unwrap();
    let mut stream = client.open(chat(true)).unwrap();
    let opening = stream.next_event().unwrap().unwrap();
    assert!(opening.contains("assistant"), "{opening}");
    gate.open(1);
    let first = stream.next_event().unwrap().unwrap();
    assert!(first.contains("One "), "{first}");
    gate.open(1);
    let rest = stream.read();
    assert_eq!(rest.broken, None);
    let text = rest.text();
    assert!(text.contains(r#""content":"two""#), "{text}");
    assert!(text.contains(r#""completion_tokens":2"#), "{text}");
    assert!(text.ends_with("data: [DONE]\n\n"), "{text}");
}

#[test]
fn other_routes_answer_in_their_servers_words() {
    let model = Model::start().unwrap();
    model.say("weights");
    let client = Client::http1(model.port()).unwrap();
    let get = |path: &str| client.send(Request::get(path)).unwrap();
    assert_eq!(get("/v1/models").json()["data"][0]["id"], "small-1");
    assert_eq!(get("/v1/files/file-1/content").text(), "weights");
    assert_eq!(get("/v2/health/ready").json()["ready"], true);
    assert_eq!(get("/v2/models/m").json()["name"], "m");
    assert_eq!(get("/v2/models/m/ready").json()["ready"], true);
    assert_eq!(get("/nothing").status, 404);
    let post = |path: &str, body| client.send(Request::post(path).json(&body)).unwrap().json();
    let vectors = post("/v1/embeddings", json!({ "input": ["a", "b"] }));
    assert_eq!(vectors["data"].as_array().unwrap().len(), 2);
    let said = post("/v1/completions", json!({ "prompt": "a b" }));
    assert_eq!(said["choices"][0]["text"], "weights");
    let inferred = post("/v2/models/m/infer", json!({ "id": "7", "inputs": [] }));
    assert_eq!(inferred["id"], "7");
    assert_eq!(inferred["outputs"][0]["data"][0], "weights");
    let job = post("/v1/fine_tuning/jobs", json!({ "model": "small-1" }));
    assert_eq!(job["status"], "queued");
}

#[test]
fn an_answer_can_be_anything() {
    let model = Model::start().unwrap();
    let cut = Answer::new(200)
        .header("content-length", 10)
        .steps(vec![Step::data("half"), Step::Cut]);
    model.answer("/cut", cut);
    let large = Answer::new(200).steps(vec![Step::Fill(b'x', 3_000_000)]);
    model.answer("/large", large);
    let gate = Gate::new();
    let bytes = Answer::new(299).header_bytes("x-odd", [0xff]).gated(&gate);
    model.answer("/bytes", bytes.body([0xff, 0xfe]));
    let cut = http::get(model.port(), "/cut").unwrap();
    assert_eq!(cut.text(), "half");
    assert!(cut.broken.is_some());
    let large = http::get(model.port(), "/large").unwrap();
    assert_eq!((large.body.len(), large.broken), (3_000_000, None));
    let client = Client::http1(model.port()).unwrap();
    let pending = client.start(Request::get("/bytes")).unwrap();
    model.wait_received(3).unwrap();
    assert!(!pending.answered());
    gate.open(1);
    let bytes = pending.response().unwrap().read();
    let odd = bytes.headers.iter().find(|(name, _)| name == "x-odd");
    assert_eq!(odd.unwrap().1, [0xff]);
    assert_eq!((bytes.status, bytes.body), (299, vec![0xff, 0xfe]));
    assert_eq!(
        bytes
            .headers
            .iter()
            .filter(|(n, _)| n == "content-type")
            .count(),
        0
    );
}

#[test]
fn a_call_is_answered_in_the_frames_that_were_asked_for() {
    let model = Model::start().unwrap();
    model.say("Hello there");
    model.rpc(Rpc::default().frames_of(7));
    let client = Client::http2(model.port()).unwrap();
    let request = InferRequest::of_texts("m", &["Hi"]);
    let mut stream = client
        .open(grpc::request("ModelInfer", &[request], &[]))
        .unwrap();
    let first = stream.next_piece().unwrap().unwrap();
    assert_eq!(first.len(), 7);
    model.rpc(Rpc::default().raw());
    let answer = grpc::infer(&client, "m", "Hi", &[]).unwrap();
    assert_eq!(answer.code, Some(0));
    assert_eq!(answer.messages[0].texts(), ["Hello there"]);
    assert!(answer.messages[0].outputs[0].contents.is_none());
    let ready = grpc::call::<Health>(&client, "ModelReady", &[Health::default()], &[]).unwrap();
    assert!(ready.messages[0].yes);
    let unknown = grpc::call::<Health>(&client, "Nothing", &[Health::default()], &[]).unwrap();
    assert_eq!(unknown.code, Some(12));
    model.rpc(Rpc::default().status(8, "too much"));
    let failed = grpc::infer(&client, "m", "Hi", &[]).unwrap();
    assert_eq!((failed.code, failed.reason.as_str()), (Some(8), "too much"));
}

#[test]
fn a_streamed_call_is_answered_while_its_request_goes_on() {
    let model = Model::start().unwrap();
    model.say_tokens(&["a", "b"]);
    let client = Client::http2(model.port()).unwrap();
    let message = grpc::framed(&InferRequest::of_texts("m", &["Hi"]));
    let end = Gate::new();
    let request = grpc::request("ModelStreamInfer", &[] as &[InferRequest], &[])
        .steps(vec![Step::data(message), Step::Wait(end.clone())]);
    let mut stream = client.open(request).unwrap();
    let mut bytes = Vec::new();
    for _ in 0..2 {
        bytes.extend_from_slice(&stream.next_piece().unwrap().unwrap());
    }
    end.open(1);
    let mut rest = stream.read();
    rest.body.splice(0..0, bytes);
    let answer = grpc::answer::<StreamResponse>(rest).unwrap();
    assert_eq!(answer.code, Some(0));
    let texts: Vec<String> = answer
        .messages
        .iter()
        .flat_map(|message| message.response.as_ref().unwrap().texts())
        .collect();
    assert_eq!(texts, ["a", "b"]);
}

#[test]
fn a_connection_can_be_used_byte_by_byte() {
    let model = Model::start().unwrap();
    let mut connection = Connection::open(model.port()).unwrap();
    let request = b"GET /v2 HTTP/1.1\r\nhost: x\r\nx-odd: \xff\xfe\r\n\r\n";
    connection
        .send(&[&request[..], &request[..]].concat())
        .unwrap();
    for _ in 0..2 {
        let response = connection.response().unwrap();
        assert_eq!(response.json()["name"], "testbed");
    }
    let received = model.wait_received(2).unwrap();
    let odd = received[1].headers.iter().find(|(name, _)| name == "x-odd");
    assert_eq!(odd.unwrap().1, [0xff, 0xfe]);
    connection
        .send(b"POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\ncontent-length: 15\r\n\r\n{\"stream\":true}")
        .unwrap();
    let streamed = connection.response().unwrap();
    assert_eq!(streamed.broken, None);
    assert!(streamed.text().ends_with("data: [DONE]\n\n"));
}

#[test]
fn a_client_can_leave_before_it_is_answered() {
    let model = Model::start().unwrap();
    let gate = Gate::new();
    let client = Client::http1(model.port()).unwrap();
    let request = Request::post("/v1/embeddings").steps(vec![Step::data("{"), Step::Wait(gate)]);
    let pending = client.start(request).unwrap();
    let begun = || model.begun() == 1;
    wait::until(
        "the request to begin",
        std::time::Duration::from_secs(10),
        begun,
    )
    .unwrap();
    assert!(!pending.answered());
    drop(pending);
    let received = model.wait_received(1).unwrap();
    assert!(!received[0].complete);
}
