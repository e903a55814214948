//! Servers whose events no dialect describes: their texts go on by their place.

use serde_json::{Value, json};

use super::super::super::Format;
use super::super::super::tests::{mask, masked, try_pieces};
use super::event;

fn events(events: &[Value]) -> String {
    events.iter().map(event).collect()
}

pub(super) fn masks(came: &[Value], goes: &[Value]) {
    let out = masked(&mask(), Format::Events, events(came).as_bytes());
    assert_eq!(String::from_utf8(out).unwrap(), events(goes));
    let lines =
        |values: &[Value]| -> String { values.iter().map(|it| format!("{it}\n")).collect() };
    let out = masked(&mask(), Format::Lines, lines(came).as_bytes());
    assert_eq!(String::from_utf8(out).unwrap(), lines(goes));
}

/// A text in pieces of a shape.
pub(super) fn goes_on(shape: impl Fn(&str) -> Value) {
    let of = |texts: [&str; 4]| texts.map(&shape);
    masks(
        &of(["ask ", "tom.", "baker@mill.exam", "ple ok"]),
        &of(["ask ", "[EMAIL]", "", " ok"]),
    );
    masks(
        &of(["4111 ", "1111", " 111", "1 1111"]),
        &of(["[CREDIT_CARD]", "", "", ""]),
    );
}

#[test]
fn texts_of_servers_that_nobody_describes_go_on() {
    // Dify: docs.dify.ai, "Send Chat Message", streaming mode.
    goes_on(|text| {
        json!({"event": "message", "task_id": "900bbd43", "message_id": "m-1", "conversation_id": "c-1",
            "answer": text, "created_at": 1705407629})
    });
    // IBM watsonx.ai: cloud.ibm.com/apidocs/watsonx-ai, "Infer text event stream".
    goes_on(|text| {
        json!({"model_id": "ibm/granite", "created_at": "2026-01-01T00:00:00.000Z", "results": [
            {"generated_text": text, "generated_token_count": 1, "input_token_count": 0, "stop_reason": "not_finished"}]})
    });
    // Those who stream what Hugging Face's pipelines answer: it is the whole text in TGI's only.
    goes_on(|text| json!({"generated_text": text}));
    // Cohere, version 1: docs.cohere.com/v1/reference/chat, "text-generation".
    goes_on(|text| json!({"is_finished": false, "event_type": "text-generation", "text": text}));
    // KoboldCpp: lite.koboldai.net/koboldcpp_api, "/api/extra/generate/stream".
    goes_on(|text| json!({"token": text, "finish_reason": null}));
    // LMDeploy: lmdeploy/serve/openai/api_server.py, GenerateResponse.
    goes_on(|text| json!({"text": text, "tokens": 1, "input_tokens": 8, "finish_reason": null}));
    // A2A: a2a-protocol.org, TaskArtifactUpdateEvent.
    goes_on(|text| {
        json!({"jsonrpc": "2.0", "id": "1", "result": {"kind": "artifact-update", "taskId": "t-1", "contextId": "c-1",
            "artifact": {"artifactId": "a-1", "parts": [{"kind": "text", "text": text}]}, "append": true}})
    });
    goes_on(|text| json!({"type": "token", "value": text}));
    // Beside what is known.
    goes_on(|text| json!({"message": {"role": "assistant", "content": "", "inner_voice": text}}));
    goes_on(
        |text| json!({"model": "m", "message": {"content": "x ", "inner_voice": text}, "done": false}),
    );
}

#[test]
fn the_text_so_far_is_masked_as_one_text() {
    // SGLang: sglang/srt/entrypoints/http_server.py, `/generate`: each event has the whole text.
    let sglang = |text: &str| json!({"text": text, "output_ids": [1], "meta_info": {"id": "5ba", "finish_reason": null, "prompt_tokens": 8}});
    let of = |texts: &[&str]| texts.iter().map(|text| sglang(text)).collect::<Vec<_>>();
    masks(
        &of(&[
            "So",
            "So please do ask",
            "So please do ask tom.baker@mill",
            "So please do ask tom.baker@mill.example",
            "So please do ask tom.baker@mill.example ok",
        ]),
        &of(&[
            "So",
            "So please do ask",
            "So please do ask [EMAIL]",
            "So please do ask [EMAIL]",
            "So please do ask [EMAIL] ok",
        ]),
    );
    masks(
        &of(&[
            "It is the card 4111",
            "It is the card 4111 1111 ",
            "It is the card 4111 1111 1111 1111",
            "It is the card 4111 1111 1111 1111. \"ok\" \n",
        ]),
        &of(&[
            "It is the card [CREDIT_CARD]",
            "It is the card [CREDIT_CARD]",
            "It is the card [CREDIT_CARD]",
            "It is the card [CREDIT_CARD]. \"ok\" \n",
        ]),
    );
    let harmless = of(&["I", "I am", "I am here", "I am here", "I am here now"]);
    masks(&harmless, &harmless);
}

#[test]
fn what_is_the_same_in_each_event_waits_for_nothing() {
    let one = event(&json!({"stage": "generation", "token": "Hel"}));
    let two = event(&json!({"stage": "generation", "token": "lo "}));
    let stream = format!("{one}{two}{one}{two}");
    let mut walker = super::Walker::new(Format::Events);
    let mut out = Vec::new();
    walker.push(&mask(), stream.as_bytes(), &mut out).unwrap();
    assert_eq!(String::from_utf8(out).unwrap(), stream);
}

#[test]
fn pieces_that_are_like_those_in_front_go_on() {
    let dify = |text: &str| json!({"event": "message", "answer": text});
    let of = |texts: &[&str]| texts.iter().map(|text| dify(text)).collect::<Vec<_>>();
    masks(
        &of(&[
            "a data",
            " database",
            ": mail nora.quist@har",
            "bor.example now",
        ]),
        &of(&["a data", " database", ": mail [EMAIL]", " now"]),
    );
    masks(
        &of(&["Card: ", "4242", "4242", "4242", "4242", "."]),
        &of(&["Card: ", "[CREDIT_CARD]", "", "", "", "."]),
    );
}

#[test]
fn strings_that_have_nothing_to_do_with_one_another_hide_nothing() {
    let records = [
        json!({"question": "who is it that", "answer": "see page 1"}),
        json!({"question": "ask ana@example.com", "answer": "4111 1111 1111 1111"}),
        json!({"question": "bob@example.com", "answer": "it ends with x"}),
        json!({"question": "carol@example.com", "answer": "4111 1111 1111 1111"}),
    ];
    let lines: String = records.iter().map(|it| format!("{it}\n")).collect();
    let out = try_pieces(&mask(), Format::Lines, lines.as_bytes(), &[]).unwrap();
    let out = String::from_utf8(out).unwrap();
    assert!(!out.contains('@') && !out.contains("4111"), "{out}");
}
