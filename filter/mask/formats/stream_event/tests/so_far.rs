//! Streams in which each event has all of a text as far as it has come.

use serde_json::{Value, json};

use super::super::super::Format;
use super::super::super::tests::{mask, try_pieces};
use super::unknown::masks;

/// Texts as they come and as they go, each with more of the last one.
const SO_FAR: [(&[&str], &[&str]); 3] = [
    (
        &[
            "",
            "So",
            "So please do ask",
            "So please do ask tom.baker@mill",
            "So please do ask tom.baker@mill.example",
            "So please do ask tom.baker@mill.example",
            "So please do ask tom.baker@mill.example ok",
        ],
        &[
            "",
            "So",
            "So please do ask",
            "So please do ask [EMAIL]",
            "So please do ask [EMAIL]",
            "So please do ask [EMAIL]",
            "So please do ask [EMAIL] ok",
        ],
    ),
    (
        &[
            "Of \"cards\" there is 4111 1111 1111 1111",
            "Of \"cards\" there is 4111 1111 1111 1111.\nAsk ana@example",
            "Of \"cards\" there is 4111 1111 1111 1111.\nAsk ana@example.com!",
        ],
        &[
            "Of \"cards\" there is [CREDIT_CARD]",
            "Of \"cards\" there is [CREDIT_CARD].\nAsk [EMAIL]",
            "Of \"cards\" there is [CREDIT_CARD].\nAsk [EMAIL]!",
        ],
    ),
    // Too short to tell, but for what they would hide.
    (
        &["4111111111111111", "4111111111111111", "4111111111111111."],
        &["[CREDIT_CARD]", "[CREDIT_CARD]", "[CREDIT_CARD]."],
    ),
];

fn in_shape(shape: impl Fn(&str) -> Value) {
    for (came, goes) in SO_FAR {
        let of = |texts: &[&str]| texts.iter().map(|text| shape(text)).collect::<Vec<_>>();
        masks(&of(came), &of(goes));
    }
}

#[test]
fn known_members_may_have_the_text_so_far() {
    // Triton: triton-inference-server/server, docs/protocol/extension_generate.md; what `text_output` has
    // is said by the backend, and vllm_backend's sends all of it without `exclude_input_in_output`.
    in_shape(|text| json!({"model_name": "m", "model_version": "1", "text_output": text}));
    // LangGraph: docs of langgraph-api, "Streaming API", `messages/partial`.
    in_shape(|text| json!([{"content": text, "type": "AIMessageChunk", "id": "run--1"}]));
    in_shape(|text| json!({"choices": [{"index": 0, "delta": {"content": text}}]}));
    in_shape(|text| json!({"choices": [{"index": 0, "text": text}]}));
    in_shape(|text| json!({"candidates": [{"content": {"parts": [{"text": text}]}}]}));
    in_shape(|text| json!({"message": {"role": "assistant", "content": text}, "done": false}));
    // vLLM: vllm/entrypoints/api_server.py, `/generate`.
    in_shape(|text| json!({"text": [text]}));
    in_shape(|text| json!(text));
}

#[test]
fn pieces_of_a_known_text_that_are_alike_go_on() {
    let chat = |text: &str| json!({"choices": [{"index": 0, "delta": {"content": text}}]});
    let of = |texts: &[&str]| texts.iter().map(|text| chat(text)).collect::<Vec<_>>();
    masks(
        &of(&["4111", "4111", "4111", "41 ", "4111", "4111411141 "]),
        &of(&["4111", "4111", "4111", "41 ", "4111", "4111411141 "]),
    );
    masks(
        &of(&["4242", "4242", "4242", "4242", " ha", "ha", "ha@x", ".io "]),
        &of(&["[CREDIT_CARD]", "", "", "", " [EMAIL]", "", "", " "]),
    );
    // The first one is the beginning of the second, and no text so far all the same.
    masks(
        &of(&[
            "of the same length ",
            "of the same length as bob",
            "@example.com and al",
            "@example.com ",
        ]),
        &of(&[
            "of the same length ",
            "of the same length as [EMAIL]",
            " and [EMAIL]",
            " ",
        ]),
    );
}

/// One after the other, as a graph's model writes several messages.
#[test]
fn another_text_may_come_at_the_place_of_one_that_came_so_far() {
    let message = |text: &str| json!([{"content": text, "type": "AIMessageChunk"}]);
    let of = |texts: &[&str]| texts.iter().map(|text| message(text)).collect::<Vec<_>>();
    masks(
        &of(&[
            "It is for Tom to say",
            "It is for Tom to say. ",
            "He is to be written to",
            "He is to be written to: tom@mill",
            "He is to be written to: tom@mill.example.",
        ]),
        &of(&[
            "It is for Tom to say",
            "It is for Tom to say. ",
            "He is to be written to",
            "He is to be written to: [EMAIL]",
            "He is to be written to: [EMAIL].",
        ]),
    );
}

/// How long long streams take, which is for whoever runs it to judge: twice as much should take no more
/// than about twice as long.
#[test]
#[ignore = "measures"]
fn long_streams_take_time_in_proportion() {
    let mask = mask();
    let sentence = "So it is said that all of this is harmless, \\\"more\\\" or less. ";
    let so_far = |name: &str, size: usize| -> String {
        (1..size * 15)
            .map(|count| {
                format!(
                    "data: {{\"{name}\":\"{}\"}}\n\n",
                    sentence.repeat(count / size + 1)
                )
            })
            .collect()
    };
    let names = |size: usize| -> String {
        (0..size * 400)
            .map(|at| format!("{{\"member{at}\":\"some text\"}}\n"))
            .collect()
    };
    let wide = |size: usize| -> String {
        let event = |at: usize| {
            let members: Vec<String> = (0..2000)
                .map(|name| format!("\"m{at}.{name}\":\"x\""))
                .collect();
            format!("data: {{\"delta\":{{{}}}}}\n\n", members.join(","))
        };
        (0..size).map(event).collect()
    };
    for size in [4, 8, 16] {
        for (name, format, body) in [
            ("text so far", Format::Events, so_far("text", size)),
            (
                "text so far of a known member",
                Format::Events,
                so_far("text_output", size),
            ),
            ("a new name on each line", Format::Lines, names(size)),
            ("many members", Format::Events, wide(size)),
        ] {
            let begun = std::time::Instant::now();
            try_pieces(&mask, format, body.as_bytes(), &[]).unwrap();
            let took = begun.elapsed();
            println!("{name}: {} bytes in {took:?}", body.len());
        }
    }
}
