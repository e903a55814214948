//! Bedrock's streams. The payloads are those of its API reference ("ConverseStream",
//! "InvokeModelWithResponseStream", and the models' own pages) and of botocore's service models
//! `bedrock-runtime` and `bedrock-agent-runtime`.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::super::super::tests::{mask, mask_with, plainly, try_pieces};
use super::super::super::{Format, WalkError, Walker};
use super::{event, exception, in_any_pieces, message, payloads, refused, whole};
use crate::policy::{FieldRules, Options, Pointer, Segment, Style};

/// The padding of Bedrock's messages.
const PADDING: &str = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";

fn padding(length: usize) -> &'static str {
    PADDING.split_at(length).0
}

/// A `chunk` of InvokeModelWithResponseStream.
fn chunk(inner: &Value) -> Vec<u8> {
    coded(inner.to_string().as_bytes())
}

fn coded(inner: &[u8]) -> Vec<u8> {
    event(
        "chunk",
        &json!({"bytes": STANDARD.encode(inner), "p": padding(40)}),
    )
}

/// What is in the chunks of a body.
fn chunks(body: &[u8]) -> Vec<Value> {
    let inner = |payload: Value| {
        let bytes = STANDARD.decode(payload["bytes"].as_str().expect("base64"));
        serde_json::from_slice(&bytes.expect("base64")).expect("JSON")
    };
    payloads(body).into_iter().map(inner).collect()
}

/// A `contentBlockDelta` of ConverseStream.
fn delta(block: i64, delta: &Value) -> Vec<u8> {
    let payload = json!({"contentBlockIndex": block, "delta": delta, "p": padding(23)});
    event("contentBlockDelta", &payload)
}

fn stop(block: i64) -> Vec<u8> {
    event(
        "contentBlockStop",
        &json!({"contentBlockIndex": block, "p": "abc"}),
    )
}

/// A text in pieces, with other messages around them.
fn streamed(shape: impl Fn(&str) -> Vec<u8>) {
    let stream = |texts: &[&str]| -> Vec<u8> {
        let other = event("metadata", &json!({"metrics": {"latencyMs": 838}}));
        let texts = texts.iter().map(|text| shape(text));
        [event("messageStart", &json!({"role": "assistant"}))]
            .into_iter()
            .chain(texts)
            .chain([other])
            .flatten()
            .collect()
    };
    let value = "ana@example.com";
    let expected = stream(&["to [EMAIL]", "", ", and"]);
    for at in 1..value.len() {
        let (first, second) = value.split_at(at);
        let body = stream(&[&format!("to {first}"), second, ", and"]);
        assert_eq!(whole(&body), expected, "split at {at}");
    }
    let harmless = stream(&["to ", "all of ", "you"]);
    assert_eq!(whole(&harmless), harmless);
    let body = stream(&["to an", "a@example.com", ", and"]);
    assert_eq!(in_any_pieces(&body), expected);
}

#[test]
fn the_texts_of_converse_go_on_wherever_they_are_split() {
    streamed(|text| delta(0, &json!({"text": text})));
    streamed(|text| delta(1, &json!({"reasoningContent": {"text": text}})));
    streamed(|text| delta(1, &json!({"toolUse": {"input": text}})));
    streamed(|text| delta(1, &json!({"toolResult": [{"text": text}]})));
    // The order of members is the server's to choose.
    streamed(|text| {
        let payload = format!("{{\"delta\":{{\"text\":\"{text}\"}},\"contentBlockIndex\":3}}");
        message("contentBlockDelta", "application/json", payload.as_bytes())
    });
}

#[test]
fn the_texts_of_every_model_go_on_wherever_they_are_split() {
    // Anthropic's messages, and what was before them.
    streamed(|text| {
        chunk(
            &json!({"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": text}}),
        )
    });
    streamed(|text| chunk(&json!({"type": "completion", "completion": text, "stop_reason": null})));
    // Nova.
    streamed(|text| {
        chunk(&json!({"contentBlockDelta": {"delta": {"text": text}, "contentBlockIndex": 0}}))
    });
    // Llama, Titan, Mistral, Cohere Command.
    streamed(|text| {
        chunk(
            &json!({"generation": text, "prompt_token_count": null, "generation_token_count": 2, "stop_reason": null}),
        )
    });
    streamed(|text| {
        chunk(
            &json!({"outputText": text, "index": 0, "totalOutputTextTokenCount": null, "completionReason": null}),
        )
    });
    streamed(|text| chunk(&json!({"outputs": [{"text": text, "stop_reason": null}]})));
    streamed(|text| {
        chunk(&json!({"event_type": "text-generation", "text": text, "is_finished": false}))
    });
    // Jamba, DeepSeek, gpt-oss.
    streamed(|text| {
        chunk(
            &json!({"choices": [{"index": 0, "delta": {"content": text}, "finish_reason": null}]}),
        )
    });
    streamed(|text| chunk(&json!({"choices": [{"text": text, "stop_reason": null}]})));
    // Mistral's chat completion: docs.aws.amazon.com/bedrock, "Mistral AI chat completion".
    streamed(|text| {
        chunk(
            &json!({"choices": [{"index": 0, "message": {"role": "assistant", "content": text}, "stop_reason": null}]}),
        )
    });
}

#[test]
fn the_texts_of_agents_and_knowledge_bases_go_on() {
    streamed(|text| coded(text.as_bytes()));
    streamed(|text| event("output", &json!({"text": text})));
    streamed(|text| event("chunk", &json!({"contentDelta": {"stdout": text}})));
    // A character may be cut.
    let stream = |pieces: [&[u8]; 3]| pieces.map(coded).concat();
    let (before, after) = (
        stream([b"\xc3", b"\xa9 bob@example", b".com"]),
        stream([b"\xc3", b"\xa9 [EMAIL]", b""]),
    );
    assert_eq!(in_any_pieces(&before), after);
}

#[test]
fn texts_are_told_apart_by_their_blocks_and_kinds() {
    for pair in [
        [
            delta(0, &json!({"text": "alice@exam"})),
            delta(1, &json!({"text": "ple.com"})),
        ],
        [
            delta(0, &json!({"reasoningContent": {"text": "alice@exam"}})),
            delta(0, &json!({"text": "ple.com"})),
        ],
        [
            delta(0, &json!({"text": "alice@exam"})),
            event(
                "output",
                &json!({"delta": {"text": "ple.com"}, "contentBlockIndex": 0}),
            ),
        ],
        // Strings that come whole.
        [
            event(
                "contentBlockStart",
                &json!({"contentBlockIndex": 0, "start": {"toolUse": {"name": "alice@exam"}}}),
            ),
            event(
                "contentBlockStart",
                &json!({"contentBlockIndex": 0, "start": {"toolUse": {"name": "ple.com"}}}),
            ),
        ],
    ] {
        assert_eq!(whole(&pair.concat()), pair.concat());
    }
}

#[test]
fn a_message_leaves_when_its_block_or_the_answer_is_over() {
    let mask = mask();
    let mut walker = Walker::new(Format::AmazonEvents);
    let mut step = |message: &[u8]| {
        let mut out = Vec::new();
        walker.push(&mask, message, &mut out).expect("a message");
        out
    };
    let text = |block, text: &str| delta(block, &json!({"text": text}));
    assert_eq!(step(&text(0, "Hello ")), text(0, "Hello "));
    assert!(step(&text(1, "bob@example.com")).is_empty());
    assert!(step(&stop(0)).is_empty());
    assert_eq!(
        step(&stop(1)),
        [text(1, "[EMAIL]"), stop(0), stop(1)].concat()
    );
    assert!(step(&text(2, "bob@example.com")).is_empty());
    let end = event(
        "messageStop",
        &json!({"stopReason": "end_turn", "p": "abcd"}),
    );
    assert_eq!(step(&end), [text(2, "[EMAIL]"), end].concat());
    // Nova's events say in JSON what Converse's say in headers.
    let nova = |name: &str, value: Value| chunk(&json!({name: value}));
    let text = |text: &str| {
        nova(
            "contentBlockDelta",
            json!({"delta": {"text": text}, "contentBlockIndex": 4}),
        )
    };
    assert!(step(&text("bob@example.com")).is_empty());
    let end = nova("contentBlockStop", json!({"contentBlockIndex": 4}));
    assert_eq!(step(&end), [text("[EMAIL]"), end].concat());
    assert!(step(&text("bob@example.com")).is_empty());
    let end = nova("messageStop", json!({"stopReason": "end_turn"}));
    assert_eq!(step(&end), [text("[EMAIL]"), end].concat());
    // And Anthropic's say it in their own way.
    let text = |text: &str| {
        chunk(&json!({"type": "content_block_delta", "index": 7, "delta": {"text": text}}))
    };
    assert!(step(&text("bob@example.com")).is_empty());
    let end = chunk(&json!({"type": "content_block_stop", "index": 7}));
    assert_eq!(step(&end), [text("[EMAIL]"), end].concat());
}

#[test]
fn a_tool_s_input_is_json_in_pieces() {
    let mask = mask_with(&[("SAY \"NO\"", "Q[0-9]")], Style::Label);
    let input = |text: &str| delta(1, &json!({"toolUse": {"input": text}}));
    let body = [
        input("{\"to\": \"ana\\u0040exam"),
        input("ple.com Q"),
        input("1\"}"),
        stop(1),
    ];
    let out = try_pieces(&mask, Format::AmazonEvents, &body.concat(), &[]).expect("a stream");
    let pieces = payloads(&out);
    let pieces = pieces
        .iter()
        .filter_map(|it| it["delta"]["toolUse"]["input"].as_str());
    let whole: Value = serde_json::from_str(&pieces.collect::<String>()).expect("JSON");
    assert_eq!(whole, json!({"to": "[EMAIL] [SAY \"NO\"]"}));
}

#[test]
fn everything_else_that_is_a_string_is_masked_where_it_stands() {
    let of = |mail: &str| {
        [
            exception("modelStreamErrorException", &json!({"message": format!("no {mail}"), "originalStatusCode": 500, "originalMessage": mail})),
            delta(0, &json!({"reasoningContent": {"signature": "EqQBCgIYAh"}})),
            event("metadata", &json!({"trace": {"guardrail": {"modelOutput": [mail]}}})),
            chunk(&json!({"message": {"usage": {}, "x": mail}, "amazon-bedrock-invocationMetrics": {"inputTokenCount": 9}})),
            event("chunk", &json!({"attribution": {"citations": [{"generatedResponsePart": {"textResponsePart": {"text": mail}}}]}})),
            // What looks like padding and is none.
            event("metadata", &json!({"p": mail})),
            event("chunk", &json!({"p": mail})),
        ]
        .concat()
    };
    assert_eq!(in_any_pieces(&of("bob@example.com")), of("[EMAIL]"));
}

/// Padding that says something to a detector stays: it is no text.
#[test]
fn padding_stays() {
    let mask = mask_with(&[("P", "xyz|pad")], Style::Label);
    let run = |body: &[u8]| try_pieces(&mask, Format::AmazonEvents, body, &[]).expect("a stream");
    let padded = |p: &str| {
        event(
            "contentBlockDelta",
            &json!({"delta": {"text": "hi "}, "p": p}),
        )
    };
    let body = [padded(PADDING), padded(padding(26)), padded("")].concat();
    assert_eq!(run(&body), body);
    assert_eq!(run(&padded("a pad")), padded("a [P]"));
    let deeper = |p: &str| event("metadata", &json!({"a": {"p": p}}));
    assert_eq!(
        run(&deeper(padding(26))),
        deeper("abcdefghijklmnopqrstuvw[P]")
    );
}

#[test]
fn what_is_coded_otherwise_than_in_base64_is_refused() {
    let of = |bytes: &str| refused(&event("chunk", &json!({"bytes": bytes})));
    let inner = json!({"generation": "alice@example.com?>"}).to_string();
    assert_eq!(of(&STANDARD.encode(&inner)), None);
    assert_eq!(of(""), None);
    let malformed = Some(WalkError::Malformed);
    for bytes in [
        inner.as_str(),
        "e",
        "e30",
        "e31=",
        "e3 0=",
        "e30=\n",
        "e30=e30=",
        &STANDARD_NO_PAD.encode("{\"a\":1}"),
        &URL_SAFE.encode("{\"a\":\"\u{7fff}\u{7fff}?>?>\"}"),
    ] {
        assert_eq!(of(bytes), malformed, "{bytes}");
    }
    // Readers of JSON would find out that these are in UTF-16, or have a mark in front.
    for inner in [
        &b"\xef\xbb\xbf{\"generation\":\"ana\\u0040example.com\"}"[..],
        b"{\0\"\0a\0\"\0:\0\x31\0}\0",
    ] {
        assert_eq!(refused(&coded(inner)), malformed);
    }
    let twice = format!("{{\"bytes\":\"{0}\",\"byt\\u0065s\":\"{0}\"}}", "e30=");
    let body = message("chunk", "application/json", twice.as_bytes());
    assert_eq!(refused(&body), malformed);
    // Only a chunk's own string is.
    let body = [
        event("chunk", &json!({"a": {"bytes": "e"}})),
        event("chunk", &json!({"bytes": ["e"]})),
        event("files", &json!({"bytes": "e"})),
        chunk(&json!({"chunk": {"bytes": "e"}})),
    ];
    assert_eq!(whole(&body.concat()), body.concat());
}

#[test]
fn a_mask_s_rules_for_fields_hold_in_what_is_coded_too() {
    let name = |name: &str| Segment::Name(name.to_owned());
    let rules = FieldRules {
        remove: vec![
            Pointer(vec![name("usage")]),
            Pointer(vec![name("outputs"), Segment::Any, name("id")]),
        ],
        ..FieldRules::default()
    };
    let mask = mask().with(&Options {
        fields: rules,
        ..Options::default()
    });
    let metadata = event(
        "metadata",
        &json!({"usage": {"inputTokens": 1}, "metrics": {}}),
    );
    let coded_text = coded(b"a text. ");
    let body = [
        metadata,
        chunk(&json!({"outputs": [{"text": "a ", "id": "x"}], "usage": 1})),
        coded_text.clone(),
    ];
    let out = try_pieces(&mask, Format::AmazonEvents, &body.concat(), &[3, 40]);
    let out = out.expect("a stream");
    let front = event("metadata", &json!({"metrics": {}}));
    assert_eq!(out[..front.len()], front);
    let inner = &out[front.len()..out.len() - coded_text.len()];
    assert_eq!(chunks(inner), [json!({"outputs": [{"text": "a "}]})]);
    assert!(out.ends_with(&coded_text));
}

proptest! {
    #[test]
    fn random_tokens_of_several_texts_are_masked_as_wholes(
        nested in any::<bool>(),
        tokens in prop::collection::vec((0..3_i64, prop::sample::select(vec![
            "alice@", "example", ".com", " ", "4111", "1111", "-", "12", "10.1.", "2.3", "é", "x", "\"", "\n",
        ])), 0..40),
        cuts in prop::collection::vec(any::<prop::sample::Index>(), 0..6),
        style in prop::sample::select(vec![Style::Label, Style::Stars, Style::Partial, Style::Remove]),
    ) {
        let mask = mask_with(&[], style);
        let nova = |block: i64, text: &str| {
            chunk(&json!({"contentBlockDelta": {"contentBlockIndex": block, "delta": {"text": text}}}))
        };
        let token = |block: i64, text: &str| match nested {
            true => nova(block, text),
            false => delta(block, &json!({"text": text})),
        };
        let body: Vec<u8> = tokens.iter().flat_map(|(block, text)| token(*block, text)).collect();
        let mut cuts: Vec<usize> = cuts.iter().filter(|_| !body.is_empty()).map(|cut| cut.index(body.len())).collect();
        cuts.sort_unstable();
        let out = try_pieces(&mask, Format::AmazonEvents, &body, &cuts).expect("a stream");
        let events = match nested {
            true => chunks(&out).iter().map(|event| event["contentBlockDelta"].clone()).collect(),
            false => payloads(&out),
        };
        let blocks: Vec<Option<i64>> = events.iter().map(|event| event["contentBlockIndex"].as_i64()).collect();
        let expected: Vec<Option<i64>> = tokens.iter().map(|(block, _)| Some(*block)).collect();
        prop_assert_eq!(blocks, expected);
        for block in 0..3 {
            let own = events.iter().filter(|event| event["contentBlockIndex"] == block);
            let text: String = own.filter_map(|event| event["delta"]["text"].as_str()).collect();
            let own = tokens.iter().filter(|(of, _)| *of == block);
            let own: String = own.map(|(_, text)| *text).collect();
            prop_assert_eq!(text, plainly(&mask, &own));
        }
    }
}
