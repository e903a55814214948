//! Lists of tokens with their probabilities.

use serde_json::{Value, json};

use super::super::super::Format;
use super::super::super::tests::{mask, masked, try_pieces};
use super::event;

/// A token as OpenAI's chat lists it; the bytes are those of `real`.
fn token(text: &str, real: &str, top: &[&str]) -> Value {
    let bytes = |text: &str| text.bytes().collect::<Vec<_>>();
    let top: Vec<Value> = top
        .iter()
        .map(|text| json!({"bytes": bytes(text), "logprob": -0.5, "token": text}))
        .collect();
    json!({"bytes": bytes(real), "logprob": -0.25, "token": text, "top_logprobs": top})
}

fn plain(text: &str) -> Value {
    token(text, text, &[text, "x"])
}

/// One of which something was masked.
fn gone(text: &str) -> Value {
    json!({"bytes": null, "logprob": -0.25, "token": text, "top_logprobs": []})
}

#[test]
fn the_tokens_of_an_answer_are_one_text() {
    let body = |tokens: &[Value]| {
        json!({"choices": [
            {"index": 0, "logprobs": {"content": tokens, "refusal": null}},
            {"index": 1, "logprobs": null, "text": "alice@example.com"},
            {"index": 2, "logprobs": {"content": [], "refusal": [plain("no")]}},
        ]})
    };
    let split = body(&[
        plain("to"),
        plain(" al"),
        plain("ice"),
        plain("@ex"),
        plain("ample.com"),
        plain("!"),
    ]);
    let expected = body(&[
        plain("to"),
        gone(" [EMAIL]"),
        gone(""),
        gone(""),
        gone(""),
        plain("!"),
    ]);
    let expected = expected.to_string().replace("alice@example.com", "[EMAIL]");
    for space in [
        split.to_string(),
        serde_json::to_string_pretty(&split).unwrap(),
    ] {
        let out = masked(&mask(), Format::Json, space.as_bytes());
        let out: Value = serde_json::from_slice(&out).unwrap();
        assert_eq!(out.to_string(), expected);
    }
    let harmless = body(&[plain("to"), plain(" al"), plain("ice")]).to_string();
    let harmless = harmless.replace("alice@example.com", "alice");
    let out = masked(&mask(), Format::Json, harmless.as_bytes());
    assert_eq!(String::from_utf8(out).unwrap(), harmless);
}

#[test]
fn what_could_have_come_instead_is_a_text_by_rank() {
    let body = |one: &str, two: &str| {
        json!({"logprobs": {"content": [
            {"token": "a", "top_logprobs": [{"token": "b"}, {"token": one}]},
            {"token": "c", "top_logprobs": [{"token": "d"}, {"token": two}]},
        ]}})
        .to_string()
    };
    let out = masked(
        &mask(),
        Format::Json,
        body("alice@", "example.com").as_bytes(),
    );
    assert_eq!(String::from_utf8(out).unwrap(), body("[EMAIL]", ""));
}

#[test]
fn the_lists_of_completions_and_their_alternatives_are_masked() {
    let body = |tokens: &[&str], top: Value| {
        json!({"choices": [{"text": "x", "logprobs": {
            "text_offset": [0, 1, 2], "token_logprobs": [-1, -1, -1], "tokens": tokens, "top_logprobs": top,
        }}]})
    };
    let top = json!([{"a": -1, "ice@": -2}, {" bob@": -1}, {"example.com": -1}]);
    let before = body(&["see", " bob@", "example.com"], top);
    let after = body(
        &["see", " [EMAIL]", ""],
        json!([{"a": -1, "ice@": -2}, null, null]),
    );
    let out = masked(&mask(), Format::Json, before.to_string().as_bytes());
    assert_eq!(String::from_utf8(out).unwrap(), after.to_string());
    let stream = |body: &Value| event(body) + "data: [DONE]\n\n";
    let out = masked(&mask(), Format::Events, stream(&before).as_bytes());
    assert_eq!(String::from_utf8(out).unwrap(), stream(&after));
}

#[test]
fn other_servers_lists_are_masked() {
    for (head, name, tail) in [
        (r#"{"details":{"prefill":[],"tokens":["#, "text", "]}}"),
        (r#"{"details":{"prefill":["#, "text", r#"],"tokens":[]}}"#),
        (
            r#"{"candidates":[{"logprobsResult":{"chosenCandidates":["#,
            "token",
            "]}}]}",
        ),
        (r#"{"completion_probabilities":["#, "content", "]}"),
        (r#"{"logprobs":["#, "token", "]}"),
    ] {
        let list = |tokens: [&str; 4]| {
            let element = |text| json!({"id": 1, name: text}).to_string();
            [head, &tokens.map(element).join(","), tail].concat()
        };
        let split = list(["to al", "ice@", "example.com", " x"]);
        let out = masked(&mask(), Format::Json, split.as_bytes());
        let expected = list(["to [EMAIL]", "", "", " x"]);
        assert_eq!(String::from_utf8(out).unwrap(), expected);
    }
}

/// vLLM: vllm/logprobs.py, `PromptLogprobs`, of which the one in the prompt comes first.
#[test]
fn the_tokens_of_a_prompt_are_one_text() {
    let said = |id: u32, text: &str| {
        let about = json!({"logprob": -0.5, "rank": 2, "decoded_token": text});
        let other = json!({"logprob": -0.25, "rank": 1, "decoded_token": " or"});
        json!({id.to_string(): about, "9999": other})
    };
    let body = |tokens: &[Value]| {
        let tokens: Vec<&Value> = std::iter::once(&Value::Null).chain(tokens).collect();
        json!({
            "choices": [{"index": 0, "prompt_logprobs": tokens, "message": {"content": "hi"}}],
            "prompt_logprobs": tokens,
        })
        .to_string()
    };
    let (to, gone) = (said(1, " to"), Value::Null);
    let split = body(&[
        to.clone(),
        said(22, " al"),
        said(33, "ice"),
        said(44, "@ex"),
        said(55, "ample.com"),
        said(66, "!"),
    ]);
    let expected = body(&[
        to.clone(),
        gone.clone(),
        gone.clone(),
        gone.clone(),
        gone,
        said(66, "!"),
    ]);
    let out = masked(&mask(), Format::Json, split.as_bytes());
    assert_eq!(String::from_utf8(out).unwrap(), expected);
    let event = |body: &str| format!("data: {body}\n\ndata: [DONE]\n\n");
    let out = masked(&mask(), Format::Events, event(&split).as_bytes());
    assert_eq!(String::from_utf8(out).unwrap(), event(&expected));
    let harmless = body(&[to, said(22, " al"), said(33, "ice")]);
    let out = masked(&mask(), Format::Json, harmless.as_bytes());
    assert_eq!(String::from_utf8(out).unwrap(), harmless);
    // What could have come instead stands for itself.
    let others = body(&[said(1, " to")]).replace("\" or\"", "\"bob@example.com\"");
    let out = masked(&mask(), Format::Json, others.as_bytes());
    let expected = others.replace("bob@example.com", "[EMAIL]");
    assert_eq!(String::from_utf8(out).unwrap(), expected);
}

/// SGLang: sglang/srt/managers/tokenizer_manager.py, `detokenize_logprob_tokens`, with
/// `return_text_in_logprobs`.
#[test]
fn tokens_in_lists_of_their_own_are_one_text() {
    let body = |texts: [&str; 4]| {
        let token = |text: &str| json!([-0.5, 1234, text]);
        let tokens = texts.map(token);
        let top = texts.map(|text| json!([token(text), token("x")]));
        json!({"text": "so", "meta_info": {"id": "5ba", "output_token_logprobs": tokens,
            "output_top_logprobs": top, "input_token_logprobs": tokens}})
        .to_string()
    };
    let out = masked(
        &mask(),
        Format::Json,
        body(["to al", "ice@", "example.com", " x"]).as_bytes(),
    );
    let expected = body(["to [EMAIL]", "", "", " x"]);
    assert_eq!(String::from_utf8(out).unwrap(), expected);
}

/// Ollama: github.com/ollama/ollama, api/types.go, `Logprob`.
#[test]
fn the_tokens_of_ollama_s_lines_go_on() {
    let line = |text: &str, token: &Value| {
        let line = json!({"message": {"role": "assistant", "content": text}, "done": false,
            "logprobs": [token]});
        format!("{line}\n")
    };
    let split = line(" al", &plain(" al")) + &line("ice@example.com!", &plain("ice@example.com!"));
    let out = masked(&mask(), Format::Lines, split.as_bytes());
    let expected = line(" [EMAIL]", &gone(" [EMAIL]")) + &line("!", &gone("!"));
    assert_eq!(String::from_utf8(out).unwrap(), expected);
}

#[test]
fn tokens_go_on_from_event_to_event() {
    let chunk = |token: &Value| {
        let content = token["token"].as_str().unwrap();
        event(
            &json!({"choices": [{"index": 0, "delta": {"content": content}, "logprobs": {"content": [token]}}]}),
        )
    };
    let stream = |tokens: &[Value]| tokens.iter().map(chunk).collect::<String>();
    let split = stream(&[
        plain("to"),
        plain(" al"),
        plain("ice@ex"),
        plain("ample.com"),
        plain("!"),
    ]);
    let out = masked(&mask(), Format::Events, split.as_bytes());
    let expected = stream(&[
        plain("to"),
        gone(" [EMAIL]"),
        gone(""),
        gone(""),
        plain("!"),
    ]);
    assert_eq!(String::from_utf8(out).unwrap(), expected);
    let harmless = stream(&[plain("to"), plain(" al"), plain("l of you")]);
    let out = masked(&mask(), Format::Events, harmless.as_bytes());
    assert_eq!(String::from_utf8(out).unwrap(), harmless);

    let delta = |text: &str, token: &str| {
        event(
            &json!({"type": "response.output_text.delta", "output_index": 0, "delta": text, "logprobs": [{"token": token, "top_logprobs": []}]}),
        )
    };
    let split = delta("al", "al") + &delta("ice@example.com", "ice@example.com");
    let out = masked(&mask(), Format::Events, split.as_bytes());
    assert_eq!(
        String::from_utf8(out).unwrap(),
        delta("[EMAIL]", "[EMAIL]") + &delta("", "")
    );
}

#[test]
fn broken_lists_are_read_as_json_is() {
    let mask = mask();
    for (body, expected) in [
        (
            r#"{"logprobs":{"content":[{"token":"alice@example.com"#,
            r#"{"logprobs":{"content":[{"token":"[EMAIL]"#,
        ),
        (
            r#"{"logprobs":[],"logprobs" : {}, "a":"alice@example.com"}"#,
            r#"{"logprobs":[],"logprobs" : {}, "a":"[EMAIL]"}"#,
        ),
        (
            r#"{"logprobs":null,"a":["alice@example.com"]}"#,
            r#"{"logprobs":null,"a":["[EMAIL]"]}"#,
        ),
        (
            r#"{"logprobs" "tokens":["al","to ice@example.com"]}"#,
            r#"{"logprobs" "tokens":["al","to [EMAIL]"]}"#,
        ),
        (
            r#"{"logprobs":{"a":"]}\"","tokens":["al","ice@example.com"]}}"#,
            r#"{"logprobs":{"a":"]}\"","tokens":["[EMAIL]",""]}}"#,
        ),
    ] {
        let out = masked(&mask, Format::Json, body.as_bytes());
        assert_eq!(String::from_utf8(out).unwrap(), expected);
    }
    let deep = r#"{"logprobs":"#.repeat(200_000);
    let out = try_pieces(&mask, Format::Json, deep.as_bytes(), &[100]).unwrap();
    assert!(out == deep.as_bytes());
}

#[test]
fn a_list_that_is_too_long_is_left_out() {
    let list = format!("[{}\"x\"]", "\"alice@example.com\",".repeat(250_000));
    let body = format!(r#"{{"logprobs":{{"tokens":{list}}},"a":"alice@example.com"}}"#);
    let out = try_pieces(&mask(), Format::Json, body.as_bytes(), &[9, 4000, 1 << 20]).unwrap();
    assert_eq!(
        String::from_utf8(out).unwrap(),
        r#"{"logprobs":null,"a":"[EMAIL]"}"#
    );
}
