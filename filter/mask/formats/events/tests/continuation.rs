//! Texts that go on from event to event.

use serde_json::{Value, json};

use super::super::super::tests::{mask, plainly, try_pieces};
use super::super::super::{Format, Walker};
use super::{chat, chunk, contents, events};

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
    let mask = mask();
    let text = "a@b.io 1.2.3.4";
    let expected = plainly(&mask, text);
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
        let out = try_pieces(&mask, Format::Events, stream.as_bytes(), &[]).expect("a stream");
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
    let mask = mask();
    let mut walker = Walker::new(Format::Events);
    let mut step = |piece: &str| {
        let mut out = Vec::new();
        walker
            .push(&mask, piece.as_bytes(), &mut out)
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
    // Nor does anything behind it go on, keep-alives among them: what stands between events stays there.
    let comments = ": ping\n\n: ask bob@example.com\n: now\n\n";
    assert_eq!(step(comments), "");
    let ping = "event: ping\ndata: {\"type\":\"ping\"}\n\n";
    assert_eq!(step(ping), "");
    assert_eq!(
        step(&contents(&[" b "])),
        contents(&["[EMAIL]"])
            + &comments.replace("bob@example.com", "[EMAIL]")
            + ping
            + &contents(&[" b "])
    );
}

#[test]
fn a_name_on_the_way_does_not_end_a_known_text() {
    for name in ["message", "delta", ""] {
        let [one, two] = [["ask ali", "[EMAIL]"], ["ce@example.com now", " now"]];
        let body = |one: &str, two: &str| {
            let named = format!("event: {name}\nid: 8\n{}", contents(&[two]));
            contents(&[one]) + &named
        };
        assert_eq!(
            events(&body(one[0], two[0])),
            body(&one[0].replace("ali", one[1]), two[1])
        );
    }
    // What nobody knows: there a name may tell one text from another, but this one is none.
    let body = "data: ask ali\n\nevent: message\ndata: ce@example.com now\n\n";
    assert_eq!(
        events(body),
        "data: ask [EMAIL]\n\nevent: message\ndata:  now\n\n"
    );
}

#[test]
fn an_end_decides_what_it_ends() {
    let mask = mask();
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
            "data: {\"token\":{\"text\":\"\"},\"generated_text\":\"x\"}\n\n".to_owned(),
        ),
    ] {
        let mut walker = Walker::new(Format::Events);
        let mut out = Vec::new();
        walker
            .push(&mask, before.as_bytes(), &mut out)
            .expect("a stream");
        assert!(out.is_empty(), "{before} is decided too early");
        walker
            .push(&mask, end.as_bytes(), &mut out)
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
    let mask = mask();
    let mut walker = Walker::new(Format::Events);
    let mut out = Vec::new();
    let stream = chunk(0, &json!({"content": "alice@exam"}))
        + &format!(
            "data: {}\n\n",
            json!({"choices": [{"index": 1, "delta": {"content": "x"}, "finish_reason": "stop"}]})
        );
    walker
        .push(&mask, stream.as_bytes(), &mut out)
        .expect("a stream");
    assert!(out.is_empty());
    walker
        .push(
            &mask,
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
        [json!({"other": one}), json!({"another": two})],
        [
            json!({"type": "response.x", "other": one}),
            json!({"type": "response.x", "other": two}),
        ],
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

/// TGI's `StreamResponse`, whose `index` says which token of the answer it is
/// (<https://github.com/huggingface/text-generation-inference/blob/main/router/src/lib.rs>).
#[test]
fn the_tokens_of_tgi_are_one_text() {
    let stream = |pieces: &[&str]| {
        let event = |(index, piece): (usize, &&str)| {
            let event = json!({
                "index": index + 1,
                "token": {"id": 5, "text": piece, "logprob": -0.5, "special": false},
                "generated_text": null,
                "details": null,
            });
            format!("data:{event}\n\n")
        };
        pieces.iter().enumerate().map(event).collect::<String>()
    };
    let pieces = ["Write", " to ana", "@exam", "ple", ".com", " now"];
    let masked = ["Write", " to [EMAIL]", "", "", "", " now"];
    assert_eq!(events(&stream(&pieces)), stream(&masked));
}

#[test]
fn what_a_server_writes_behind_a_line_end_is_more_of_its_text() {
    // A server that puts what a model says behind `data: `, line ends and all.
    let key = "-----BEGIN RSA PRIVATE KEY-----\nMIIBOgIBAAJBAKj34GkxFhD9\nq2n8\n-----END RSA PRIVATE KEY-----";
    assert_eq!(
        events(&format!("data: see {key}\n\ndata: ok\n\n")),
        "data: see [PRIVATE_KEY]\n\ndata: ok\n\n"
    );
    // Comments and fields are none.
    assert_eq!(
        events("data: 4111 1111\n: 1111 1111\nid: 1\ndata: bob@example.com\n\n"),
        "data: 4111 1111\n: 1111 1111\nid: 1\ndata: [EMAIL]\n\n"
    );
}
