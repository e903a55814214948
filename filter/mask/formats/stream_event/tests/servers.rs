//! Servers with forms of their own, each as it streams.

use serde_json::{Value, json};

use super::super::super::Format;
use super::super::super::tests::{mask, masked, masked_text};
use super::event;
use super::unknown::goes_on;

/// A text in pieces, as events that `frame` writes.
fn goes_on_in(format: Format, frame: impl Fn(&str) -> String) {
    let of = |texts: [&str; 4]| texts.map(&frame).concat();
    for (came, goes) in [
        (
            ["ask ", "tom.", "baker@mill.exam", "ple ok"],
            ["ask ", "[EMAIL]", "", " ok"],
        ),
        (
            ["4111 ", "1111", " 111", "1 1111"],
            ["[CREDIT_CARD]", "", "", ""],
        ),
    ] {
        assert_eq!(masked_text(&mask(), format, &of(came)), of(goes));
    }
}

#[test]
fn tools_arguments_of_the_ai_sdk_go_on() {
    // vercel/ai, packages/ai/src/ui-message-stream/ui-message-chunks.ts.
    let call = |id: &str, text: &str| {
        event(&json!({"type": "tool-input-delta", "toolCallId": id, "inputTextDelta": text}))
    };
    let end = event(
        &json!({"type": "tool-input-available", "toolCallId": "c-1", "toolName": "t", "input": {}}),
    );
    let stream = |texts: [&str; 3]| {
        let [one, other, two] = texts;
        call("c-1", one) + &call("c-2", other) + &call("c-1", two) + &end
    };
    assert_eq!(
        masked_text(
            &mask(),
            Format::Events,
            &stream(["{\"card\":41111111", "{\"to\":\"al", "11111111}"]),
        ),
        stream(["{\"card\":\"[CREDIT_CARD]\"", "{\"to\":\"al", "}"])
    );
    // Two texts in turns.
    let text =
        |id: &str, text: &str| event(&json!({"type": "text-delta", "id": id, "delta": text}));
    let stream = |texts: [&str; 4]| {
        let [one, other, two, both] = texts;
        text("1", one) + &text("2", other) + &text("1", two) + &text("2", both)
    };
    assert_eq!(
        masked_text(
            &mask(),
            Format::Events,
            &stream(["al", "bob@", "ice@example.com ", "example.com "])
        ),
        stream(["[EMAIL]", "[EMAIL]", " ", " "])
    );
    // A part's end decides it.
    let end = event(&json!({"type": "text-end", "id": "1"}));
    let mut walker = super::Walker::new(Format::Events);
    assert_eq!(super::step(&mut walker, &text("1", "al")), "");
    assert_eq!(super::step(&mut walker, &end), text("1", "al") + &end);
}

#[test]
fn texts_of_ag_ui_that_come_in_turns_are_told_apart() {
    // docs.ag-ui.com, "Events": TextMessageContent, ToolCallArgs.
    let text = |id: &str, text: &str| {
        event(&json!({"type": "TEXT_MESSAGE_CONTENT", "messageId": id, "delta": text}))
    };
    let call = |id: &str, text: &str| {
        event(&json!({"type": "TOOL_CALL_ARGS", "toolCallId": id, "delta": text}))
    };
    let end = event(&json!({"type": "TEXT_MESSAGE_END", "messageId": "1"}))
        + &event(&json!({"type": "TOOL_CALL_END", "toolCallId": "1"}));
    let stream = |texts: [&str; 6]| {
        let [one, other, arguments, two, both, all] = texts;
        text("1", one)
            + &text("2", other)
            + &call("1", arguments)
            + &text("1", two)
            + &text("2", both)
            + &call("1", all)
            + &end
    };
    assert_eq!(
        masked_text(
            &mask(),
            Format::Events,
            &stream([
                "al",
                "bob@ex",
                "{\"card\":41111111",
                "ice@example.com",
                "ample.com ",
                "11111111}"
            ])
        ),
        stream([
            "[EMAIL]",
            "[EMAIL]",
            "{\"card\":\"[CREDIT_CARD]\"",
            "",
            " ",
            "}"
        ])
    );
}

#[test]
fn flowise_s_tokens_go_on() {
    // FlowiseAI/Flowise, packages/server/src/utils/SSEStreamer.ts.
    goes_on_in(Format::Events, |text| {
        format!(
            "message:\ndata:{}\n\n",
            json!({"event": "token", "data": text})
        )
    });
    // What it says beside them is no piece of the text.
    let say = |kind: &str, data: &str| {
        format!(
            "message:\ndata:{}\n\n",
            json!({"event": kind, "data": data})
        )
    };
    let stream = |one: &str, two: &str| {
        say("token", one)
            + &say("agentFlowEvent", "INPROGRESS")
            + &say("token", two)
            + &say("end", "[DONE]")
    };
    assert_eq!(
        masked_text(
            &mask(),
            Format::Events,
            &stream("tom.b", "aker@mill.example")
        ),
        stream("[EMAIL]", "")
    );
}

#[test]
fn langflow_s_tokens_go_on() {
    // langflow-ai/langflow, src/backend/base/langflow/events/event_manager.py; typed text/event-stream by
    // api/v1/endpoints.py, and application/x-ndjson by api/build.py.
    let token = |text: &str| {
        format!(
            "{}\n\n",
            json!({"event": "token", "data": {"chunk": text, "id": "m-1"}})
        )
    };
    goes_on_in(Format::Events, token);
    goes_on_in(Format::Lines, token);
}

#[test]
fn lines_of_json_that_are_called_events_go_on() {
    // InternLM/lmdeploy, lmdeploy/serve/openai/api_server.py, `chat_interactive_v1`: no blank line comes.
    let line = |text: &str| {
        format!(
            "{}\n",
            json!({"text": text, "tokens": 1, "input_tokens": 8, "history_tokens": 0, "finish_reason": null})
        )
    };
    goes_on_in(Format::Events, line);
    let mut walker = super::Walker::new(Format::Events);
    assert_eq!(super::step(&mut walker, &line("Hi, ")), line("Hi, "));
}

#[test]
fn gemini_s_answers_go_on_below_another_member() {
    // google-gemini/gemini-cli, packages/core/src/code_assist/converter.ts, CaGenerateContentResponse.
    let part = |part: Value| json!({"response": {"candidates": [{"content": {"role": "model", "parts": [part]}}]}, "traceId": "t-1"});
    goes_on(|text| part(json!({"text": text})));
    goes_on(|text| part(json!({"thought": true, "text": text})));
}

#[test]
fn strings_that_are_all_of_an_event_or_line_go_on() {
    // langchain-ai/langserve, langserve/api_handler.py, `/stream` of a chain that ends in StrOutputParser.
    goes_on_in(Format::Events, |text| {
        format!("event: data\r\ndata: {}\r\n\r\n", json!(text))
    });
    goes_on_in(Format::Events, |text| format!("data:{}\n\n", json!(text)));
    goes_on_in(Format::Lines, |text| format!("{}\n", json!(text)));
    // In plain text, a word may stand in quotes.
    assert_eq!(
        masked_text(
            &mask(),
            Format::Events,
            "data: ask bob@exam\n\ndata: \"\"\n\ndata: ple.com\n\n"
        ),
        "data: ask bob@exam\n\ndata: \"\"\n\ndata: ple.com\n\n"
    );
}

#[test]
fn strings_in_lists_go_on_by_their_places() {
    // TensorRT-LLM's and vLLM's servers for one prompt or several samples of it.
    goes_on(|text| json!({"text": [text]}));
    goes_on(|text| json!({"text_output": [text]}));
    // Vertex AI: cloud.google.com/vertex-ai/docs/reference, Tensor.
    goes_on(|text| json!({"outputs": [{"dtype": "STRING", "shape": [1], "stringVal": [text]}]}));
    let both = |one: &str, two: &str| event(&json!({"text": [one, two]}));
    let out = masked(
        &mask(),
        Format::Events,
        (both("al", "bob@ex") + &both("ice@example.com ", "ample.com ")).as_bytes(),
    );
    assert_eq!(
        String::from_utf8(out).unwrap(),
        both("[EMAIL]", "[EMAIL]") + &both(" ", " ")
    );
}

#[test]
fn events_of_own_kinds_go_on() {
    for kind in [
        "message_chunk",
        "messages",
        "image_caption",
        "token",
        "error_text",
    ] {
        goes_on(|text| json!({"type": kind, "text": text}));
        goes_on(|text| json!({"type": kind, "content": text}));
    }
    // Dify: docs.dify.ai, "Send Chat Message": an agent's thought beside its answer.
    goes_on(|text| json!({"event": "agent_message", "task_id": "t-1", "answer": text}));
}

#[test]
fn artifacts_that_come_in_turns_are_told_apart() {
    // a2a-protocol.org, "Streaming", TaskArtifactUpdateEvent.
    let update = |id: &str, text: &str, last: bool| {
        event(
            &json!({"jsonrpc": "2.0", "id": 1, "result": {"kind": "artifact-update", "taskId": "t-1",
            "artifact": {"artifactId": id, "parts": [{"kind": "text", "text": text}]}, "append": true, "lastChunk": last}}),
        )
    };
    let stream = |texts: [&str; 4]| {
        let [one, other, two, both] = texts;
        update("a", one, false)
            + &update("b", other, false)
            + &update("a", two, false)
            + &update("b", both, true)
    };
    assert_eq!(
        masked_text(
            &mask(),
            Format::Events,
            &stream(["al", "bob@ex", "ice@example.com ", "ample.com"])
        ),
        stream(["[EMAIL]", "[EMAIL]", " ", ""])
    );
    // The last piece decides the artifact, and no other one.
    let mut walker = super::Walker::new(Format::Events);
    let (one, two, three) = (
        update("a", "al", false),
        update("b", "bo", true),
        update("a", " b ", true),
    );
    assert_eq!(super::step(&mut walker, &two), two);
    assert_eq!(super::step(&mut walker, &one), "");
    assert_eq!(super::step(&mut walker, &two), "");
    assert_eq!(super::step(&mut walker, &three), one + &two + &three);
}

/// Records of logs and batches on routes that nobody knows.
#[test]
fn records_are_none_of_one_text() {
    for records in [
        [
            json!({"t": "09:15"}),
            json!({"t": "10:30"}),
            json!({"t": "9:45"}),
        ],
        [
            json!({"v": "1.5"}),
            json!({"v": "2.3"}),
            json!({"v": "2.1"}),
        ],
        [
            json!({"at": "2026-01-01 09:15"}),
            json!({"at": "2026-01-01 10:30"}),
            json!({"at": "2026-01-02 11:45"}),
        ],
        [json!("10.0"), json!("20.0"), json!("30.0")],
    ] {
        let lines: String = records.iter().map(|it| format!("{it}\n")).collect();
        assert_eq!(masked_text(&mask(), Format::Lines, &lines), lines);
    }
}
