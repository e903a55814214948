use std::collections::BTreeMap;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::super::tests::{
    engine, engine_with, files, masked, masked_text, plainly, try_pieces, vectors,
};
use super::super::{Format, WalkError, Walker};
use crate::config::mask::Style;

fn events(body: &str) -> String {
    masked_text(&engine(), Format::Events, body)
}

/// A chat chunk in which the text stands at `path` of the delta.
fn chunk(choice: usize, delta: &Value) -> String {
    format!(
        "data: {}\n\n",
        json!({"choices": [{"index": choice, "delta": delta}]})
    )
}

fn contents(pieces: &[&str]) -> String {
    pieces
        .iter()
        .map(|piece| chunk(0, &json!({"content": piece})))
        .collect()
}

/// What a client makes of a stream: the values of the `data` fields of each event.
fn payloads(stream: &str) -> Vec<String> {
    let stream = stream.replace("\r\n", "\n").replace('\r', "\n");
    let mut found = Vec::new();
    for event in stream.split("\n\n") {
        let data: Vec<&str> = event
            .lines()
            .filter_map(|line| line.strip_prefix("data:"))
            .map(|value| value.strip_prefix(' ').unwrap_or(value))
            .collect();
        if !data.is_empty() {
            found.push(data.join("\n"));
        }
    }
    found
}

/// What a chat client makes of a stream: each choice's texts, by channel.
fn chat(stream: &str) -> BTreeMap<(u64, String), String> {
    let mut texts = BTreeMap::new();
    for payload in payloads(stream)
        .iter()
        .filter(|payload| *payload != "[DONE]")
    {
        let value: Value = serde_json::from_str(payload).expect("a chunk is JSON");
        for choice in value["choices"].as_array().expect("choices") {
            let index = choice["index"].as_u64().expect("an index");
            let mut add = |channel: String, piece: &Value| {
                if let Some(piece) = piece.as_str() {
                    texts
                        .entry((index, channel))
                        .or_insert_with(String::new)
                        .push_str(piece);
                }
            };
            for channel in ["content", "reasoning_content", "refusal"] {
                add(channel.to_owned(), &choice["delta"][channel]);
            }
            for call in choice["delta"]["tool_calls"]
                .as_array()
                .into_iter()
                .flatten()
            {
                add(
                    format!("call {}", call["index"]),
                    &call["function"]["arguments"],
                );
            }
        }
    }
    texts
}

#[test]
fn a_match_over_several_events_is_written_where_it_begins() {
    assert_eq!(
        events(
            &(contents(&["I am al", "ice@exam", "ple.com", " and", " you"]) + "data: [DONE]\n\n")
        ),
        contents(&["I am [EMAIL]", "", "", " and", " you"]) + "data: [DONE]\n\n"
    );
}

#[test]
fn a_text_in_any_six_tokens_is_masked_as_the_whole() {
    let engine = engine();
    let text = "a@b.io 1.2.3.4";
    let expected = plainly(&engine, text);
    assert_eq!(expected, "[EMAIL] [IP]");
    let marks = text.len();
    // Each way to choose five cuts, of which some may coincide: one to six tokens.
    let mut cuts = [0; 5];
    loop {
        let mut from = 0;
        let mut stream = String::new();
        for cut in cuts.into_iter().chain([marks]) {
            stream += &chunk(0, &json!({"content": text.get(from..cut)}));
            from = cut;
        }
        let out = try_pieces(&engine, Format::Events, stream.as_bytes(), &[]).expect("a stream");
        let out = String::from_utf8(out).expect("UTF-8");
        assert_eq!(
            chat(&out)[&(0, "content".to_owned())],
            expected,
            "cut at {cuts:?}"
        );
        let Some(last) = cuts.iter().rposition(|cut| *cut < marks) else {
            break;
        };
        let next = cuts[last] + 1;
        cuts[last..].fill(next);
    }
}

#[test]
fn an_event_leaves_as_soon_as_its_text_is_harmless() {
    let engine = engine();
    let mut walker = Walker::new(Format::Events);
    let mut step = |piece: &str| {
        let mut out = Vec::new();
        walker
            .push(&engine, piece.as_bytes(), &mut out)
            .expect("a stream");
        String::from_utf8(out).expect("UTF-8")
    };
    let one = contents(&["Hello "]);
    assert_eq!(step(&one), one);
    let (two, three) = (contents(&["wor"]), contents(&["ld, "]));
    let first = step(&two);
    assert_eq!(first + &step(&three), two + &three);
    let four = contents(&["alice@example.com"]);
    assert_eq!(step(&four), "");
    let ping = ": ping\n\n";
    assert_eq!(step(ping), "");
    assert_eq!(
        step(&contents(&[" b "])),
        contents(&["[EMAIL]"]) + ping + &contents(&[" b "])
    );
}

#[test]
fn an_end_decides_what_it_ends() {
    let engine = engine();
    let email = "alice@example.com";
    let block = |kind: &str, rest: Value| {
        let mut value = json!({"type": kind, "index": 1});
        value
            .as_object_mut()
            .expect("an object")
            .extend(rest.as_object().expect("an object").clone());
        format!("event: {kind}\ndata: {value}\n\n")
    };
    let response = |kind: &str, delta: &str| {
        format!(
            "data: {}\n\n",
            json!({"type": kind, "output_index": 2, "content_index": 0, "item_id": "i", "delta": delta})
        )
    };
    for (before, end) in [
        (
            contents(&[email]),
            format!(
                "data: {}\n\n",
                json!({"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]})
            ),
        ),
        (contents(&[email]), "data: [DONE]\n\n".to_owned()),
        (
            block(
                "content_block_delta",
                json!({"delta": {"type": "text_delta", "text": email}}),
            ),
            block("content_block_stop", json!({})),
        ),
        (
            block(
                "content_block_delta",
                json!({"delta": {"type": "text_delta", "text": email}}),
            ),
            "event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n".to_owned(),
        ),
        (
            response("response.output_text.delta", email),
            format!(
                "data: {}\n\n",
                json!({"type": "response.output_text.done", "output_index": 2, "text": "x"})
            ),
        ),
        (
            response("response.output_text.delta", email),
            "data: {\"type\":\"response.completed\"}\n\n".to_owned(),
        ),
        (
            format!(
                "data: {}\n\n",
                json!({"candidates": [{"content": {"parts": [{"text": email}]}}]})
            ),
            format!(
                "data: {}\n\n",
                json!({"candidates": [{"content": {"parts": []}, "finishReason": "STOP"}]})
            ),
        ),
        (
            format!("data: {}\n\n", json!({"response": email})),
            "data: {\"done\":true}\n\n".to_owned(),
        ),
        (
            format!("data: {}\n\n", json!({"token": {"text": email}})),
            "data: {\"generated_text\":\"x\"}\n\n".to_owned(),
        ),
    ] {
        let mut walker = Walker::new(Format::Events);
        let mut out = Vec::new();
        walker
            .push(&engine, before.as_bytes(), &mut out)
            .expect("a stream");
        assert!(out.is_empty(), "{before} is decided too early");
        walker
            .push(&engine, end.as_bytes(), &mut out)
            .expect("a stream");
        assert_eq!(
            String::from_utf8(out).expect("UTF-8"),
            before.replace(email, "[EMAIL]") + &end
        );
        assert_eq!(walker.held(), 0);
    }
}

#[test]
fn one_choice_does_not_end_another() {
    let engine = engine();
    let mut walker = Walker::new(Format::Events);
    let mut out = Vec::new();
    let stream = chunk(0, &json!({"content": "alice@exam"}))
        + &format!(
            "data: {}\n\n",
            json!({"choices": [{"index": 1, "delta": {"content": "x"}, "finish_reason": "stop"}]})
        );
    walker
        .push(&engine, stream.as_bytes(), &mut out)
        .expect("a stream");
    assert!(out.is_empty());
    walker
        .push(
            &engine,
            chunk(0, &json!({"content": "ple.com "})).as_bytes(),
            &mut out,
        )
        .expect("a stream");
    let out = String::from_utf8(out).expect("UTF-8");
    assert_eq!(chat(&out)[&(0, "content".to_owned())], "[EMAIL] ");
}

#[test]
fn texts_that_go_on_in_other_events_are_told_apart() {
    // The pieces of each pair are one text in the first list and two in the second.
    let (one, two) = ("alice@exam", "ple.com");
    let delta = |kind: &str, output: u64, content: u64, item: &str, text: &str| json!({"type": kind, "output_index": output, "content_index": content, "item_id": item, "delta": text});
    let same = [
        [
            json!({"choices": [{"delta": {"content": one}, "index": 3}]}),
            json!({"choices": [{"index": 3, "delta": {"content": two}}]}),
        ],
        [
            json!({"choices": [{"delta": {"content": one}}]}),
            json!({"choices": [{"delta": {"content": two}}]}),
        ],
        [
            json!({"choices": [{"index": 0, "text": one}]}),
            json!({"choices": [{"index": 0, "text": two}]}),
        ],
        [
            json!({"choices": [{"index": 0, "delta": {"reasoning": one}}]}),
            json!({"choices": [{"index": 0, "delta": {"reasoning": two}}]}),
        ],
        [
            json!({"choices": [{"index": 0, "delta": {"tool_calls": [{"index": 1, "id": "a", "function": {"name": "f", "arguments": one}}]}}]}),
            json!({"choices": [{"index": 0, "delta": {"tool_calls": [{"index": 1, "function": {"arguments": two}}]}}]}),
        ],
        [
            json!({"choices": [{"index": 0, "delta": {"function_call": {"arguments": one}}}]}),
            json!({"choices": [{"index": 0, "delta": {"function_call": {"arguments": two}}}]}),
        ],
        [
            json!({"type": "content_block_delta", "index": 0, "delta": {"type": "thinking_delta", "thinking": one}}),
            json!({"type": "content_block_delta", "index": 0, "delta": {"type": "thinking_delta", "thinking": two}}),
        ],
        [
            json!({"type": "content_block_delta", "index": 0, "delta": {"partial_json": one}}),
            json!({"type": "content_block_delta", "index": 0, "delta": {"partial_json": two}}),
        ],
        // Some gateways give an item a new id in each event.
        [
            delta("response.output_text.delta", 0, 0, "a", one),
            delta("response.output_text.delta", 0, 0, "b", two),
        ],
        [
            json!({"item_id": "a", "delta": one}),
            json!({"item_id": "a", "delta": two}),
        ],
        [
            json!({"candidates": [{"content": {"parts": [{"text": "x "}, {"text": one}]}}]}),
            json!({"candidates": [{"content": {"parts": [{"text": two}]}}]}),
        ],
        [
            json!({"message": {"content": one}}),
            json!({"message": {"content": two}}),
        ],
        [
            json!({"token": {"text": one}}),
            json!({"token": {"text": two}}),
        ],
        [json!({"response": one}), json!({"response": two})],
    ];
    for [first, second] in same {
        let stream = format!("data: {first}\n\ndata: {second}\n\n");
        let expected = stream.replace(one, "[EMAIL]").replace(two, "");
        assert_eq!(events(&stream), expected);
    }
    let apart = [
        [
            json!({"choices": [{"index": 0, "delta": {"content": one}}]}),
            json!({"choices": [{"index": 1, "delta": {"content": two}}]}),
        ],
        [
            json!({"choices": [{"index": 0, "delta": {"content": one}}]}),
            json!({"choices": [{"index": 0, "delta": {"reasoning": two}}]}),
        ],
        [
            json!({"choices": [{"index": 0, "delta": {"tool_calls": [{"index": 0, "function": {"arguments": one}}]}}]}),
            json!({"choices": [{"index": 0, "delta": {"tool_calls": [{"index": 1, "function": {"arguments": two}}]}}]}),
        ],
        [
            json!({"type": "content_block_delta", "index": 0, "delta": {"text": one}}),
            json!({"type": "content_block_delta", "index": 1, "delta": {"text": two}}),
        ],
        [
            delta("response.output_text.delta", 0, 0, "a", one),
            delta("response.output_text.delta", 0, 1, "a", two),
        ],
        [
            delta("response.output_text.delta", 0, 0, "a", one),
            delta("response.refusal.delta", 0, 0, "a", two),
        ],
        [
            json!({"item_id": "a", "delta": one}),
            json!({"item_id": "b", "delta": two}),
        ],
        [
            json!({"candidates": [{"content": {"parts": [{"text": one, "thought": true}]}}]}),
            json!({"candidates": [{"content": {"parts": [{"text": two}]}}]}),
        ],
        [
            json!({"choices": [{"index": 0, "delta": {"role": one}}]}),
            json!({"choices": [{"index": 0, "delta": {"role": two}}]}),
        ],
        [json!({"other": one}), json!({"other": two})],
    ];
    for [first, second] in apart {
        let stream = format!("data: {first}\n\ndata: {second}\n\n");
        assert_eq!(events(&stream), stream);
    }
}

#[test]
fn every_other_string_is_a_text_of_its_own() {
    assert_eq!(
        events(
            "data: {\"id\":\"alice@example.com\",\"n\":[4111111111111111, 7],\"bob@example.com\":[[\"bob\\u0040example.com\"]]}\n\n"
        ),
        "data: {\"id\":\"[EMAIL]\",\"n\":[\"[CREDIT_CARD]\", 7],\"bob@example.com\":[[\"[EMAIL]\"]]}\n\n"
    );
}

#[test]
fn escapes_are_read_and_kept() {
    assert_eq!(
        events(
            "data: {\"choices\":[{\"d\\u0065lta\":{\"content\":\"\\u00e9 \\ud83d\\ude00 al\\u0069ce\\u0040\"}}]}\n\ndata: {\"choices\":[{\"delta\":{\"content\":\"example.com\\n\\ud83d\"}}]}\n\n"
        ),
        "data: {\"choices\":[{\"d\\u0065lta\":{\"content\":\"\\u00e9 \\ud83d\\ude00 [EMAIL]\"}}]}\n\ndata: {\"choices\":[{\"delta\":{\"content\":\"\\n\\ud83d\"}}]}\n\n"
    );
}

#[test]
fn tool_arguments_are_matched_inside_their_own_quotes() {
    let calls = |pieces: &[&str]| -> String {
        pieces
            .iter()
            .map(|piece| {
                chunk(
                    0,
                    &json!({"tool_calls": [{"index": 0, "function": {"arguments": piece}}]}),
                )
            })
            .collect()
    };
    assert_eq!(
        events(&calls(&[
            "{\"to\":\"al",
            "ice@example.com\",\"t\":\"a\\nbob@ex",
            "ample.com\"}"
        ])),
        calls(&["{\"to\":\"[EMAIL]", "\",\"t\":\"a\\n[EMAIL]", "\"}"])
    );
}

#[test]
fn framing_stays_byte_for_byte() {
    for end in ["\n", "\r\n", "\r"] {
        let stream = [
            "\u{feff}: comment",
            "retry: 10",
            "",
            "",
            "id",
            "id: alice@example.com",
            "event:x",
            "data:{\"a\": 1}",
            "foo: bar",
            "",
            ": a",
            "",
            "data",
            "",
            "data: x",
            "data:y",
            ": between",
            "data:  z",
            "",
            "data: [DONE]",
            "",
            "data: cut",
        ]
        .join(end);
        assert_eq!(events(&stream), stream);
    }
    assert_eq!(
        events("data: a\r\rdata: b\n\r\n\ndata: c\r\n\n"),
        "data: a\r\rdata: b\n\r\n\ndata: c\r\n\n"
    );
}

#[test]
fn the_line_feed_of_a_blank_line_leaves_with_its_event() {
    let engine = engine();
    let mut walker = Walker::new(Format::Events);
    let mut out = Vec::new();
    walker
        .push(&engine, b"data: {\"a\":1}\r\n\r\n", &mut out)
        .expect("a stream");
    assert_eq!(out, b"data: {\"a\":1}\r\n\r\n");
    assert_eq!(walker.held(), 0);
}

#[test]
fn data_that_is_not_json_is_one_text() {
    assert_eq!(
        events("data: al\n\ndata: ice@exam\n\n: x\n\ndata:ple.com\n\ndata:  b\n\ndata: [DONE]\n\n"),
        "data: [EMAIL]\n\ndata: \n\n: x\n\ndata:\n\ndata:  b\n\ndata: [DONE]\n\n"
    );
    assert_eq!(
        events("data: 4111\n\ndata:  1111\n\ndata: {}\n\ndata:  1111\n\n"),
        "data: 4111\n\ndata:  1111\n\ndata: {}\n\ndata:  1111\n\n"
    );
    assert_eq!(
        events("data: 4111\n\ndata:  1111\n\ndata:  1111\n\ndata:  1111\n\n"),
        "data: [CREDIT_CARD]\n\ndata: \n\ndata: \n\ndata: \n\n"
    );
    assert_eq!(
        events("data: {\"a\":\"alice@example.com\n\n"),
        "data: {\"a\":\"[EMAIL]\n\n"
    );
}

#[test]
fn a_match_over_lines_of_one_event_joins_them() {
    let engine = engine_with(&[("TWO", "one\ntwo")], Style::Label);
    let stream = |body: &str| masked_text(&engine, Format::Events, body);
    assert_eq!(
        stream("data: a one\r\ndata:two b\r\n\r\n"),
        "data: a [TWO] b\r\n\r\n"
    );
    // What stands between the lines stays.
    assert_eq!(
        stream("data: one\nid: 1\ndata: two\n\n"),
        "data: [TWO]\nid: 1\ndata: \n\n"
    );
    assert_eq!(payloads("data: a [TWO] b\r\n\r\n"), ["a [TWO] b"]);
}

#[test]
fn json_over_several_lines_is_json() {
    assert_eq!(
        events(
            "data: {\"choices\":[{\ndata: \"delta\":{\"content\":\ndata:\"alice@exam\"}}]}\n\ndata: {\"choices\":[{\"delta\":\n: bob@example.com\ndata:{\"content\":\"ple.com\"}}]}\n\n"
        ),
        "data: {\"choices\":[{\ndata: \"delta\":{\"content\":\ndata:\"[EMAIL]\"}}]}\n\ndata: {\"choices\":[{\"delta\":\n: [EMAIL]\ndata:{\"content\":\"\"}}]}\n\n"
    );
}

#[test]
fn what_is_no_field_is_masked() {
    assert_eq!(
        events("{\"error\": \"alice@example.com\"}\nalice@example.com\n\n: bob@example.com"),
        "{\"error\": \"[EMAIL]\"}\n[EMAIL]\n\n: [EMAIL]"
    );
}

#[test]
fn deep_payloads_are_masked() {
    let deep = 50_000;
    let body = format!(
        "data: {{\"delta\":{}\"alice@example.com\"{}}}\n\n",
        "[".repeat(deep),
        "]".repeat(deep)
    );
    let out = try_pieces(&engine(), Format::Events, body.as_bytes(), &[]).expect("a stream");
    assert_eq!(
        String::from_utf8(out).expect("UTF-8"),
        body.replace("alice@example.com", "[EMAIL]")
    );
}

#[test]
fn an_event_beyond_the_bound_ends_the_stream() {
    let engine = engine();
    for line in ["data: x\n", "x"] {
        let mut walker = Walker::new(Format::Events);
        let mut out = Vec::new();
        let piece = line.repeat(4096);
        let error = (0..1000).find_map(|_| walker.push(&engine, piece.as_bytes(), &mut out).err());
        assert_eq!(error, Some(WalkError::TooLarge));
        assert!(out.is_empty());
        assert!(walker.held() <= super::LONGEST);
        assert_eq!(
            walker.push(&engine, b"data: x\n\n", &mut out),
            Err(WalkError::TooLarge)
        );
        assert_eq!(walker.finish(&engine, &mut out), Err(WalkError::TooLarge));
        assert!(out.is_empty());
    }
}

#[test]
fn an_event_of_too_many_pieces_ends_the_stream() {
    let engine = engine();
    let strings = format!("data: {{\"delta\":[{}\"\"]}}\n\n", "\"\",".repeat(10_000));
    assert_eq!(
        try_pieces(&engine, Format::Events, strings.as_bytes(), &[]),
        Err(WalkError::TooManyTexts)
    );
}

#[test]
fn of_too_many_open_texts_the_oldest_is_masked_and_forgotten() {
    let engine = engine();
    let deltas: Vec<Value> = (0..1100)
        .map(|choice| json!({"index": choice, "delta": {"content": "alice@example.c"}}))
        .collect();
    let stream = format!("data: {}\n\n", json!({ "choices": deltas }));
    let out = try_pieces(&engine, Format::Events, stream.as_bytes(), &[]).expect("a stream");
    let texts = chat(&String::from_utf8(out).expect("UTF-8"));
    assert_eq!(texts.len(), 1100);
    for ((choice, _), text) in texts {
        // The end of the stream shows the others to be no addresses.
        assert_eq!(
            text == "alice@example.c",
            choice >= 1100 - 1024,
            "{choice}: {text}"
        );
        assert!(choice >= 1100 - 1024 || !text.contains("alice"));
    }
}

#[test]
fn a_text_that_waits_too_long_is_forced() {
    let engine = engine();
    let mut walker = Walker::new(Format::Events);
    let mut out = Vec::new();
    walker
        .push(
            &engine,
            chunk(0, &json!({"content": "my secret alice@example.c"})).as_bytes(),
            &mut out,
        )
        .expect("a stream");
    let other = chunk(1, &json!({"content": "word "}));
    for _ in 0..256 {
        assert!(out.is_empty());
        walker
            .push(&engine, other.as_bytes(), &mut out)
            .expect("a stream");
    }
    assert_eq!(walker.held(), 0);
    let texts = chat(&String::from_utf8(out.clone()).expect("UTF-8"));
    assert!(!texts[&(0, "content".to_owned())].contains("alice"));
    assert_eq!(texts[&(1, "content".to_owned())], "word ".repeat(256));
    // The same by bytes.
    out.clear();
    walker
        .push(
            &engine,
            chunk(0, &json!({"content": " bob@example.c"})).as_bytes(),
            &mut out,
        )
        .expect("a stream");
    let long = chunk(1, &json!({"content": "word ".repeat(20_000)}));
    for _ in 0..10 {
        walker
            .push(&engine, long.as_bytes(), &mut out)
            .expect("a stream");
        assert!(walker.held() <= 512 * 1024);
    }
    assert!(!String::from_utf8(out).expect("UTF-8").contains("bob"));
}

#[test]
fn foreign_streams_stay_as_they_are() {
    let Some(folder) = vectors("llm-streams") else {
        return;
    };
    let engine = engine();
    for (path, body) in files(&folder) {
        assert_eq!(masked(&engine, Format::Events, &body), body, "{path:?}");
    }
}

#[test]
fn foreign_broken_json_in_events_never_panics() {
    let Some(folder) = vectors("json-test-suite") else {
        return;
    };
    let engine = engine();
    for (path, body) in files(&folder) {
        let mut event = b"data: ".to_vec();
        event.extend(&body);
        event.extend(b"\n\n");
        let out = try_pieces(&engine, Format::Events, &event, &[]).expect("a stream");
        if body.len() < 2000 {
            assert_eq!(masked(&engine, Format::Events, &event), out, "{path:?}");
        }
    }
}

fn text() -> impl Strategy<Value = String> {
    let part = prop_oneof![
        "[a-z .@\"\\\\é😀\n]{0,6}",
        Just("alice@example.com".to_owned()),
        Just("4111-1111-1111-1111".to_owned()),
        Just("123-45-6789".to_owned()),
        Just("DE89370400440532013000".to_owned()),
        Just("2001:db8::8a2e:370:7334".to_owned()),
    ];
    prop::collection::vec(part, 0..5).prop_map(|parts| parts.concat())
}

/// The text in the pieces that end at the given places.
fn pieces(text: &str, cuts: &[prop::sample::Index]) -> Vec<String> {
    let characters: Vec<char> = text.chars().collect();
    let mut cuts: Vec<usize> = cuts
        .iter()
        .map(|cut| cut.index(characters.len() + 1))
        .collect();
    cuts.push(characters.len());
    cuts.sort_unstable();
    let mut from = 0;
    cuts.into_iter()
        .map(|cut| {
            characters[std::mem::replace(&mut from, cut)..cut]
                .iter()
                .collect()
        })
        .collect()
}

proptest! {
    #[test]
    fn interleaved_texts_in_random_tokens_and_pieces_are_masked_as_wholes(
        texts in prop::collection::vec((0..2_u64, 0..4_usize, text(), prop::collection::vec(any::<prop::sample::Index>(), 0..6)), 1..5),
        order in prop::collection::vec(any::<prop::sample::Index>(), 40),
        end in prop::sample::select(vec!["\n", "\r\n", "\r"]),
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..6),
        style in prop::sample::select(vec![Style::Label, Style::Stars, Style::Partial, Style::Remove]),
    ) {
        let engine = engine_with(&[], style);
        let mut channels = BTreeMap::new();
        for (choice, channel, text, cuts) in &texts {
            let name = ["content", "reasoning_content", "call 0", "call 1"][*channel];
            channels.insert((*choice, name.to_owned()), (text.clone(), pieces(text, cuts)));
        }
        let mut waiting: Vec<_> = channels.iter().map(|(key, (_, pieces))| (key.clone(), pieces.clone().into_iter())).collect();
        let mut stream = String::new();
        let mut order = order.iter().cycle();
        while !waiting.is_empty() {
            let at = order.next().expect("a cycle").index(waiting.len());
            let ((choice, channel), tokens) = &mut waiting[at];
            let Some(token) = tokens.next() else { waiting.remove(at); continue };
            let delta = match channel.strip_prefix("call ") {
                Some(call) => json!({"tool_calls": [{"function": {"arguments": token}, "index": call.parse::<u64>().expect("a number")}]}),
                None => json!({channel.as_str(): token}),
            };
            let value = json!({"choices": [{"delta": delta, "index": choice}]});
            stream += &format!("data: {value}{end}{end}");
        }
        let mut cuts: Vec<usize> = cuts.iter().map(|cut| cut.index(stream.len())).collect();
        cuts.sort_unstable();
        let out = try_pieces(&engine, Format::Events, stream.as_bytes(), &cuts).expect("a stream");
        let out = String::from_utf8(out).expect("UTF-8");
        prop_assert_eq!(payloads(&out).len(), payloads(&stream).len());
        let expected: BTreeMap<_, _> = channels.into_iter().map(|(key, (text, _))| (key, plainly(&engine, &text))).collect();
        prop_assert_eq!(chat(&out), expected);
    }

    #[test]
    fn random_lines_are_masked_alike_in_random_pieces(
        lines in prop::collection::vec(prop_oneof![
            Just("data: alice@"), Just("data: example.com"), Just("data:{\"delta\":\"alice\\u0040\"}"), Just("data: {\"delta\":\"example.com\"}"),
            Just("data: {"), Just("\n"), Just("\r"), Just("\r\n"), Just("\n\n"), Just(": alice@example.com"), Just("event: x"), Just("data"),
            Just("\u{feff}"), Just("data: [DONE]"), Just("data: \"a\":1}"),
        ], 0..16),
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..8),
    ) {
        let engine = engine();
        let body = lines.concat();
        let mut cuts: Vec<usize> = cuts.iter().filter(|_| !body.is_empty()).map(|cut| cut.index(body.len())).collect();
        cuts.sort_unstable();
        let out = try_pieces(&engine, Format::Events, body.as_bytes(), &cuts).expect("a stream");
        prop_assert_eq!(out, try_pieces(&engine, Format::Events, body.as_bytes(), &[]).expect("a stream"));
    }
}
