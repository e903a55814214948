//! The shapes in which servers stream.

mod arguments;
mod servers;
mod so_far;
mod tokens;
mod unknown;

use serde_json::{Value, json};

use super::super::tests::{mask, masked, try_pieces};
use super::super::{Format, Walker};

fn event(value: &Value) -> String {
    format!("data: {value}\n\n")
}

/// A text in three events of a shape, with something of another kind behind each.
fn streamed(shape: impl Fn(&str) -> Value, end: &str) {
    let stream = |texts: [&str; 3]| {
        texts.map(|text| event(&shape(text))).concat() + &event(&json!({"other": "x"})) + end
    };
    let split = stream(["to ali", "ce@exam", "ple.com, "]);
    let out = masked(&mask(), Format::Events, split.as_bytes());
    assert_eq!(
        String::from_utf8(out).unwrap(),
        stream(["to [EMAIL]", "", ", "])
    );
    let harmless = stream(["to ", "all of ", "you"]);
    let out = masked(&mask(), Format::Events, harmless.as_bytes());
    assert_eq!(String::from_utf8(out).unwrap(), harmless);
}

#[test]
fn every_servers_texts_go_on() {
    let chat = |delta: Value| json!({"choices": [{"index": 0, "delta": delta}]});
    streamed(|text| chat(json!({"content": text})), "");
    streamed(|text| chat(json!({"refusal": text})), "");
    streamed(|text| chat(json!({"reasoning_content": text})), "");
    streamed(|text| chat(json!({"audio": {"transcript": text}})), "");
    streamed(
        |text| chat(json!({"tool_calls": [{"index": 1, "function": {"arguments": text}}]})),
        "data: [DONE]\n\n",
    );
    streamed(|text| json!({"choices": [{"index": 0, "text": text}]}), "");
    for kind in [
        "response.output_text.delta",
        "response.refusal.delta",
        "response.function_call_arguments.delta",
        "response.reasoning_summary_text.delta",
    ] {
        let delta = |text: &str| json!({"type": kind, "output_index": 0, "delta": text});
        let done = |text: &str| {
            event(&json!({"type": "response.x.done", "output_index": 0, "text": text}))
        };
        streamed(delta, "");
        let whole = masked(
            &mask(),
            Format::Events,
            (event(&delta("ali")) + &event(&delta("ce@example.com")) + &done("alice@example.com"))
                .as_bytes(),
        );
        let expected = event(&delta("[EMAIL]")) + &event(&delta("")) + &done("[EMAIL]");
        assert_eq!(String::from_utf8(whole).unwrap(), expected);
    }
    for (kind, name) in [
        ("text_delta", "text"),
        ("thinking_delta", "thinking"),
        ("input_json_delta", "partial_json"),
    ] {
        streamed(
            |text| json!({"type": "content_block_delta", "index": 0, "delta": {"type": kind, name: text}}),
            &event(&json!({"type": "content_block_stop", "index": 0})),
        );
    }
    streamed(
        |text| json!({"candidates": [{"content": {"role": "model", "parts": [{"text": text}]}}]}),
        "",
    );
    streamed(
        |text| json!({"index": 1, "token": {"id": 5, "text": text}, "generated_text": null}),
        "",
    );
    streamed(
        |text| json!({"content": text, "stop": false}),
        &event(&json!({"content": "", "stop": true})),
    );
    streamed(|text| json!({"text_output": text}), "");
    streamed(
        |text| json!({"type": "content-delta", "index": 0, "delta": {"message": {"content": {"text": text}}}}),
        &event(&json!({"type": "content-end", "index": 0})),
    );
}

#[test]
fn every_line_server_s_texts_go_on() {
    for shape in [
        |text: &str| json!({"message": {"role": "assistant", "content": text}, "done": false}),
        |text: &str| json!({"message": {"content": "", "thinking": text}, "done": false}),
        |text: &str| json!({"response": text, "done": false}),
        |text: &str| json!({"response": "", "thinking": text, "done": false}),
    ] {
        let stream = |texts: [&str; 2]| texts.map(|text| shape(text).to_string() + "\n").concat();
        let out = masked(
            &mask(),
            Format::Lines,
            stream(["al", "ice@example.com"]).as_bytes(),
        );
        assert_eq!(String::from_utf8(out).unwrap(), stream(["[EMAIL]", ""]));
    }
}

fn step(walker: &mut Walker, event: &str) -> String {
    let mut out = Vec::new();
    walker.push(&mask(), event.as_bytes(), &mut out).unwrap();
    String::from_utf8(out).unwrap()
}

/// What comes whole does not wait for more of it.
#[test]
fn names_ids_and_citations_come_whole() {
    let mut walker = Walker::new(Format::Events);
    for delta in [
        json!({"role": "assistant", "tool_calls": [{"index": 0, "id": "call1", "type": "function", "function": {"name": "mail", "arguments": ""}}]}),
        json!({"citation": {"cited_text": "mail", "document_title": "a"}}),
        json!({"annotations": [{"title": "mail"}], "signature": "EqQBCgIYAh"}),
    ] {
        let event = event(&json!({"choices": [{"index": 0, "delta": delta}]}));
        assert_eq!(step(&mut walker, &event), event);
    }
}

/// A text that waits at its end does not hold up another one for long.
#[test]
fn a_text_that_is_over_without_a_word_is_let_go() {
    let chat =
        |name: &str, text: &str| event(&json!({"choices": [{"index": 0, "delta": {name: text}}]}));
    let mut walker = Walker::new(Format::Events);
    assert_eq!(
        step(&mut walker, &chat("reasoning_content", "so I answer")),
        ""
    );
    let mut waiting = chat("reasoning_content", "so I answer");
    for turn in 0..40 {
        let next = chat("content", "yes, ");
        waiting += &next;
        let out = step(&mut walker, &next);
        if turn < 3 {
            assert_eq!(out, "", "turn {turn}");
        } else {
            assert_eq!(out, std::mem::take(&mut waiting), "turn {turn}");
        }
    }
    // Two that take turns wait for one another as long as it takes.
    let stream: String = (0..100)
        .map(|at| {
            let one = ["a", "l", "i", "c", "e", "@", "e", "x", ".", "i", "o", " "][at % 12];
            chat("content", one) + &chat("reasoning_content", one)
        })
        .collect();
    let out = try_pieces(&mask(), Format::Events, stream.as_bytes(), &[]).unwrap();
    let out = String::from_utf8(out).unwrap();
    assert_eq!(out.matches("[EMAIL]").count(), 16);
    assert!(!out.contains("\"@\""));
}

/// Many that take turns wait for one another, too.
#[test]
fn texts_of_one_choice_that_take_turns_are_told_apart() {
    let call = |index: usize, text: &str| {
        event(
            &json!({"choices": [{"index": 0, "delta": {"tool_calls": [{"index": index, "function": {"arguments": text}}]}}]}),
        )
    };
    let turn = |texts: &dyn Fn(usize) -> String| -> String {
        (0..12).map(|index| call(index, &texts(index))).collect()
    };
    let came = turn(&|index| format!("a{index}"))
        + &turn(&|_| "@example".to_owned())
        + &turn(&|_| ".com ".to_owned());
    let goes =
        turn(&|_| "[EMAIL]".to_owned()) + &turn(&|_| String::new()) + &turn(&|_| " ".to_owned());
    let out = try_pieces(&mask(), Format::Events, came.as_bytes(), &[]).unwrap();
    assert_eq!(String::from_utf8(out).unwrap(), goes);
}

/// A label beside a text, below `delta` too, holds nothing up.
#[test]
fn labels_beside_a_text_wait_for_nothing() {
    let mut walker = Walker::new(Format::Events);
    let of = |phase: &str, text: &str| {
        event(&json!({"choices": [{"index": 0, "delta": {"phase": phase, "content": text}}]}))
    };
    let first = of("a", "Hi ");
    assert_eq!(step(&mut walker, &first), "");
    let next = of("a", "you ");
    assert_eq!(step(&mut walker, &next), first + &next);
    for phase in ["a", "think", "think", "think"] {
        step(&mut walker, &of(phase, "and "));
    }
    let next = of("think", "so on ");
    assert_eq!(step(&mut walker, &next), next);
}
