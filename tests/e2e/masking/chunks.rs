//! An answer that Gemini streams as one JSON array.

use serde_json::{Value, json};
use testbed::body::{self, Gate, Step};
use testbed::http::{Client, Request};
use testbed::model::Answer;

use super::start;
use crate::support::{Guarded, ana};
use crate::versions::in_the_current_envoy;

in_the_current_envoy!(arrays_of_chunks_are_masked);

const PATH: &str = "/v1beta/models/gemini-2.5-pro:streamGenerateContent";

fn arrays_of_chunks_are_masked(version: &str) {
    let guarded = start(version);
    a_text_goes_on_from_chunk_to_chunk(&guarded);
    a_chunk_does_not_wait_for_the_next(&guarded);
}

fn chunk(text: &str) -> String {
    let parts = json!([{"text": text}]);
    let chunk = json!({
        "candidates": [{"content": {"parts": parts, "role": "model"}, "index": 0}],
        "usageMetadata": {"totalTokenCount": 9},
    });
    format!("{chunk:#}")
}

fn array(pieces: &[&str]) -> String {
    let chunks: Vec<String> = pieces.iter().map(|text| chunk(text)).collect();
    format!("[{}\n]\n", chunks.join("\n,\r\n"))
}

fn request() -> Request {
    let contents = json!([{"role": "user", "parts": [{"text": "hello"}]}]);
    Request::post(PATH)
        .bearer(&ana())
        .json(&json!({"contents": contents}))
}

fn answer(steps: Vec<Step>) -> Answer {
    Answer::new(200)
        .header("content-type", "application/json; charset=UTF-8")
        .steps(steps)
}

fn a_text_goes_on_from_chunk_to_chunk(guarded: &Guarded) {
    let came = array(&[
        "Mail jane",
        ".doe@exam",
        "ple.com",
        " or TCK-",
        "123456",
        ". Bye.",
    ]);
    let sent = array(&["Mail [EMAIL]", "", "", " or [TICKET]", "", ". Bye."]);
    for size in [1, 7, 100, 100_000] {
        guarded
            .model
            .answer(PATH, answer(body::split(came.as_bytes(), size)));
        let host = format!("chunks-{size}.test");
        let through = guarded.send(request().header("host", &host));
        assert_eq!(through.text(), sent, "pieces of {size}");
        let record = guarded.record(&host);
        let found = json!({"email": 1, "ticket": 1});
        assert_eq!(record["response"]["matches"], found, "{record}");
        let client = Client::http2(guarded.mesh.port()).unwrap();
        let through = client.send(request()).unwrap();
        assert_eq!(through.text(), sent, "pieces of {size}, HTTP/2");
        // The control.
        assert_eq!(guarded.send_to("plain", request()).text(), came);
    }
    let harmless = array(&["Nothing ", "to ", "mask \\ \"é\""]);
    guarded
        .model
        .answer(PATH, answer(body::split(harmless.as_bytes(), 9)));
    assert_eq!(guarded.send(request()).text(), harmless);
}

fn a_chunk_does_not_wait_for_the_next(guarded: &Guarded) {
    let gate = Gate::new();
    let steps = vec![
        Step::data(format!("[{}", chunk("Hello you "))),
        Step::Wait(gate.clone()),
        Step::data(format!(",{}]", chunk("there."))),
    ];
    guarded.model.answer(PATH, answer(steps));
    for client in [
        Client::http1(guarded.mesh.port()),
        Client::http2(guarded.mesh.port()),
    ] {
        let mut stream = client.unwrap().open(request()).unwrap();
        let mut seen = Vec::new();
        let first = format!("[{}", chunk("Hello you "));
        while seen.len() < first.len() {
            seen.extend(stream.next_piece().unwrap().unwrap());
        }
        assert_eq!(String::from_utf8_lossy(&seen), first);
        gate.open(1);
        seen.extend(stream.read().body);
        let whole: Value = serde_json::from_slice(&seen).unwrap();
        assert_eq!(whole.as_array().unwrap().len(), 2);
    }
}
