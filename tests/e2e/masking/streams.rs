//! Event streams under a mask: the texts of a model's answer go on from event to event.

use serde_json::{Value, json};
use testbed::body;
use testbed::http::{Client, Request};
use testbed::model::Answer;

use super::{MADE_UP, made_up, start};
use crate::support::{Guarded, ana, chat_body};
use crate::versions::in_every_envoy;

in_every_envoy!(streams_are_masked);

fn streams_are_masked(version: &str) {
    let guarded = start(version);
    values_over_events_are_found(&guarded);
    each_channel_is_a_text_of_its_own(&guarded);
    what_is_not_text_stays(&guarded);
    streams_arrive_as_they_are_made(&guarded);
}

fn streamed(choices: u64) -> Request {
    let mut body = chat_body("hello");
    body["stream"] = json!(true);
    body["n"] = json!(choices);
    Request::post("/v1/chat/completions")
        .bearer(&ana())
        .json(&body)
}

/// What an event adds to a choice; nothing for other events.
fn added(event: &str, choice: u64) -> String {
    let data = event
        .strip_prefix("data: ")
        .unwrap_or_else(|| panic!("not an event: {event:?}"));
    if data == "[DONE]" {
        return String::new();
    }
    let data: Value = serde_json::from_str(data).unwrap_or_else(|error| panic!("{error}: {data}"));
    let choices = data["choices"].as_array().into_iter().flatten();
    let of_choice = choices.filter(|one| one["index"] == choice);
    of_choice
        .filter_map(|one| one["delta"]["content"].as_str())
        .collect()
}

fn values_over_events_are_found(guarded: &Guarded) {
    let said = "Mail jane.doe@example.com, pay with 4111 1111 1111 1111, see TCK-123456 \
                and Project Halcyon. Bye.";
    let seen = "Mail [EMAIL], pay with [CREDIT_CARD], see [TICKET] and [CODENAME]. Bye.";
    let cut = |size: usize| {
        let bytes: Vec<&str> = said.split("").filter(|one| !one.is_empty()).collect();
        bytes
            .chunks(size)
            .map(<[&str]>::concat)
            .collect::<Vec<String>>()
    };
    for size in [1, 2, 3, 7, 1000] {
        let pieces = cut(size);
        let pieces: Vec<&str> = pieces.iter().map(String::as_str).collect();
        guarded.model.say_tokens(&pieces);
        for choices in [1, 2] {
            let case = format!("pieces of {size}, {choices} choices");
            let host = format!("stream-{size}-{choices}.test");
            let answer = guarded.send(streamed(choices).header("host", &host));
            assert_eq!(
                answer.header("content-type"),
                Some("text/event-stream"),
                "{case}"
            );
            assert_eq!(answer.broken, None, "{case}");
            let text = answer.text();
            let events: Vec<&str> = text.split_terminator("\n\n").collect();
            let plain = guarded.send_to("plain", streamed(choices)).text();
            assert_eq!(
                events.len(),
                plain.split_terminator("\n\n").count(),
                "{case}: events"
            );
            assert_eq!(events.last(), Some(&"data: [DONE]"), "{case}");
            for choice in 0..choices {
                let whole: String = events.iter().map(|event| added(event, choice)).collect();
                assert_eq!(whole, seen, "{case}, choice {choice}");
                let control: String = plain
                    .split_terminator("\n\n")
                    .map(|event| added(event, choice))
                    .collect();
                assert_eq!(control, said, "{case}: the control says it");
            }
            let record = guarded.record(&host);
            let found = json!({
                "email": choices, "credit_card": choices, "ticket": choices, "codename": choices,
            });
            assert_eq!(record["response"]["matches"], found, "{case}: {record}");
        }
    }

    // The text of a completion, which is in another member.
    guarded.model.say_tokens(&["jane@exam", "ple.com", "!"]);
    let body = json!({"model": "small-1", "prompt": "hello", "stream": true});
    let request = Request::post("/v1/completions").bearer(&ana()).json(&body);
    let text = guarded.send(request).text();
    let data = text
        .split_terminator("\n\n")
        .filter_map(|event| event.strip_prefix("data: {"));
    let whole: String = data
        .map(|data| serde_json::from_str::<Value>(&format!("{{{data}")).unwrap())
        .filter_map(|data| data["choices"][0]["text"].as_str().map(str::to_owned))
        .collect();
    assert_eq!(whole, "[EMAIL]!");
}

/// Reasoning, what a tool is called with, and each tool call: their pieces take turns.
fn each_channel_is_a_text_of_its_own(guarded: &Guarded) {
    let pieces = ["{\"to\": \"jane.", "doe@exam", "ple.com\"", "}"];
    let event = |delta: Value| {
        format!(
            "data: {}\n\n",
            json!({"choices": [{"index": 0, "delta": delta}]})
        )
    };
    let call = |index: u64, piece: &str| json!({"tool_calls": [{"index": index, "function": {"arguments": piece}}]});
    let said: String = pieces
        .iter()
        .flat_map(|piece| {
            [
                event(json!({"content": piece})),
                event(json!({"reasoning_content": piece})),
                event(call(0, piece)),
                event(call(1, piece)),
            ]
        })
        .collect();
    let answer = Answer::new(200).header("content-type", "text/event-stream");
    guarded
        .model
        .answer(MADE_UP, answer.steps(body::split(said.as_bytes(), 50)));
    let text = guarded.send(made_up()).text();
    let events: Vec<Value> = text
        .split_terminator("\n\n")
        .map(|event| serde_json::from_str(event.strip_prefix("data: ").unwrap()).unwrap())
        .collect();
    assert_eq!(events.len(), 16, "{text}");
    for (channel, pointer) in [
        "/content",
        "/reasoning_content",
        "/tool_calls/0/function/arguments",
    ]
    .iter()
    .enumerate()
    {
        let calls = if channel == 2 { 2 } else { 1 };
        for call in 0..calls {
            let deltas = events.iter().map(|event| &event["choices"][0]["delta"]);
            let whole: String = deltas
                .filter(|delta| calls == 1 || delta["tool_calls"][0]["index"] == call)
                .filter_map(|delta| delta.pointer(pointer)?.as_str())
                .collect();
            assert_eq!(whole, "{\"to\": \"[EMAIL]\"}", "{pointer}, call {call}");
        }
    }
}

fn what_is_not_text_stays(guarded: &Guarded) {
    guarded
        .model
        .say("There is nothing to see here: 12 apples, a @ sign, example.com and 4111.");
    for choices in [1, 2] {
        let masked = guarded.send(streamed(choices)).text();
        let plain = guarded.send_to("plain", streamed(choices)).text();
        assert_eq!(masked, plain, "a stream without a match, {choices} choices");
    }

    // Comments, other fields, odd line ends, data that is no JSON, and no end mark.
    let said = ": keep-alive jane@example.com\r\n\r\nevent: delta\r\nid: 7\r\nretry: 10\r\n\
                data: {\"type\":\"x\", \"n\":1.50, \"text\":\"a\\u00e9 jane@example.com\"}\r\n\r\n\
                data: not json jane@example.com\n\ndata:\n\n\ndata: [DONE]\n\n: bye\n";
    for size in [1, 13, 1000] {
        let answer = Answer::new(200).header("content-type", "text/event-stream; charset=utf-8");
        guarded
            .model
            .answer(MADE_UP, answer.steps(body::split(said.as_bytes(), size)));
        let answer = guarded.send(made_up());
        assert_eq!(
            answer.text(),
            said.replace("jane@example.com", "[EMAIL]"),
            "pieces of {size}"
        );
    }
}

/// The client has each event before the model goes on: nothing waits for the end.
fn streams_arrive_as_they_are_made(guarded: &Guarded) {
    let pieces = [
        "Dear ",
        "reader, ",
        "mail ",
        "jane@exam",
        "ple.com ",
        "or ",
        "wait. ",
        "Bye.",
    ];
    // How many pieces must come before the client sees the next text: the address is in two.
    let seen = [
        (1, "Dear "),
        (1, "reader, "),
        (1, "mail "),
        (2, "[EMAIL]"),
        (0, " "),
        (1, "or "),
        (1, "wait. "),
        (1, "Bye."),
    ];
    for two in [false, true] {
        let gate = guarded.model.say_gated(&pieces);
        let client = match two {
            false => Client::http1(guarded.mesh.port()).unwrap(),
            true => Client::http2(guarded.mesh.port()).unwrap(),
        };
        let mut stream = client.open(streamed(1)).unwrap();
        let mut next = || loop {
            let text = added(&stream.next_event().unwrap()?, 0);
            if !text.is_empty() {
                return Some(text);
            }
        };
        for (pieces, expected) in seen {
            gate.open(pieces);
            assert_eq!(next().as_deref(), Some(expected), "HTTP/2: {two}");
        }
        assert_eq!(next(), None);
    }
}
