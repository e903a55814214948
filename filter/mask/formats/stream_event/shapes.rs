//! Which strings of an event are pieces of texts that go on, by the names above them.
//!
//! The servers' shapes, and what of them goes on:
//!
//! | server | strings |
//! |---|---|
//! | OpenAI chat and what speaks it | below `choices[].delta`: `content`, `refusal`, `reasoning`, `reasoning_content`, `tool_calls[].function.arguments`, `audio.transcript` |
//! | OpenAI completions | `choices[].text` |
//! | OpenAI Responses | `delta`; what `*.done` and `response.completed` repeat are texts of their own |
//! | Anthropic | `delta.text`, `delta.thinking`, `delta.partial_json` |
//! | Gemini | `candidates[].content.parts[].text`; Code Assist has all of it below `response` |
//! | TGI | `token.text`; `generated_text` repeats it |
//! | Ollama | `message.content`, `message.thinking`, `response`, `thinking` |
//! | llama.cpp, Triton | `content`, `text_output` |
//! | AG-UI | `delta` |
//! | AI SDK | `delta`, `inputTextDelta`; in its lines `argsTextDelta` |
//! | Cohere | `delta.message.content.text`, `.tool_plan`, `.tool_calls.function.arguments` |
//! | Bedrock | see `amazon` |
//!
//! The tokens of a text, as servers list them with their probabilities, are a text of their own:
//!
//! | server | strings |
//! |---|---|
//! | OpenAI chat, Responses | below `logprobs`: `token`, and by their rank those of `top_logprobs` |
//! | OpenAI completions | `logprobs.tokens` |
//! | Gemini | `logprobsResult.chosenCandidates[].token`, `.topCandidates[].candidates[].token` |
//! | TGI | below `details`: `tokens[].text`, `prefill[].text`; `top_tokens[].text` by their rank |
//! | llama.cpp | below `completion_probabilities`: `token`, `content`, `tok_str` |
//! | vLLM, of the prompt | `prompt_logprobs[].<a token's number>.decoded_token`, the first of each |
//! | SGLang, in whole answers | `output_token_logprobs[][]`, `input_token_logprobs[][]`; those of `output_top_logprobs[][][]`, `input_top_logprobs[][][]` by their rank |
//!
//! Beside that, whatever stands below a member `delta` may go on, unless it is known to come whole; and
//! so may a string of an event of which nothing is known, or one beside a string that goes on
//! (`unknown_texts`).

/// Members below `delta` that come whole.
const WHOLE: &[&[u8]] = &[
    b"role",
    b"type",
    b"id",
    b"name",
    b"finish_reason",
    b"stop_reason",
    b"stop_sequence",
    b"signature",
    b"redactedContent",
    b"encrypted_content",
    b"data",
    b"url",
    b"format",
];
/// Members below `delta` that come whole, with everything in them.
const WHOLE_BELOW: &[&[u8]] = &[
    b"citation",
    b"citations",
    b"annotations",
    b"images",
    b"usage",
];

/// How a string goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Goes {
    /// In the same place of other events.
    Text,
    /// There too, unless the events show that it is something else.
    Perhaps,
    /// In the next token of a list, here or in other events.
    Token,
}

/// Members below `delta` that are texts, whoever sends them.
const TEXTS: &[&[u8]] = &[
    b"delta",
    b"content",
    b"text",
    b"refusal",
    b"reasoning",
    b"reasoning_content",
    b"reasoning_text",
    b"thinking",
    b"summary",
    b"transcript",
    b"tool_plan",
    b"arguments",
    b"partial_json",
    b"input",
];

/// Members that come whole or are labels because they are no text, as far as a model could fill them.
const NO_TEXT: &[&[u8]] = &[
    b"signature",
    b"redactedContent",
    b"encrypted_content",
    b"data",
    b"obfuscation",
    b"digest",
];

/// Whether a string of this name is one in which only a reader of everything looks for text.
pub(super) fn is_no_text(name: &[u8]) -> bool {
    NO_TEXT.contains(&name)
}

/// Members whose strings some clients put together whatever they are called: openai-python
/// (`lib/streaming/_deltas.py`, `accumulate_delta`) all but types, LangChain those of tools' calls.
const PUT_TOGETHER: &[&[u8]] = &[
    b"delta",
    b"tool_calls",
    b"tool_call_chunks",
    b"function_call",
    b"functionCall",
];
/// Labels in these that a model could fill.
const FREE_LABELS: &[&[u8]] = &[b"id", b"name", b"url", b"stop_sequence"];

/// Whether these names lead to a string of which clients may put the pieces together although it is no
/// text, or a label.
pub(super) fn is_piece_of_no_text(path: &[&[u8]]) -> bool {
    let Some((last, holders)) = path.split_last() else {
        return false;
    };
    let together = |name: &&[u8]| PUT_TOGETHER.contains(name);
    holders.iter().any(together) && (is_no_text(last) || FREE_LABELS.contains(last))
}

/// Members whose values list tokens with their probabilities.
const TOKENS: &[&[u8]] = &[
    b"logprobs",
    b"logprobsResult",
    b"completion_probabilities",
    b"details",
    b"top_tokens",
    b"prompt_logprobs",
    b"output_token_logprobs",
    b"input_token_logprobs",
    b"output_top_logprobs",
    b"input_top_logprobs",
];

/// Whether a value of this name lists tokens.
pub(in crate::formats) fn lists_tokens(name: &[u8]) -> bool {
    TOKENS.contains(&name)
}

/// Whether all numbers below a member of this name say something of tokens. Details may be of anything.
pub(super) fn has_numbers(name: &[u8]) -> bool {
    lists_tokens(name) && name != b"details"
}

/// Whether the string that is the member of this name holds JSON.
pub(in crate::formats) fn holds_json(name: &[u8]) -> bool {
    matches!(
        name,
        b"arguments" | b"partial_json" | b"inputTextDelta" | b"argsTextDelta"
    )
}

/// How the string to which these names lead goes on, if it does.
pub(super) fn goes(path: &[&[u8]]) -> Option<Goes> {
    if path.iter().any(|name| lists_tokens(name)) {
        return match path {
            [.., b"token" | b"tokens" | b"tok_str" | b"content"] => Some(Goes::Token),
            [.., b"tokens" | b"prefill" | b"top_tokens", b"text"] => Some(Goes::Token),
            _ => None,
        };
    }
    match path {
        [b"choices", b"text"]
        | [b"candidates", b"content", b"parts", b"text"]
        | [b"response", b"candidates", b"content", b"parts", b"text"]
        | [b"inputTextDelta" | b"argsTextDelta"]
        | [b"token", b"text"]
        | [b"message", b"content" | b"thinking"]
        | [b"response" | b"content" | b"text_output" | b"thinking"] => Some(Goes::Text),
        [.., last] if WHOLE.contains(last) => None,
        path => {
            let delta = path.iter().position(|name| *name == b"delta")?;
            let below = path.get(delta..).unwrap_or_default();
            let whole = below.iter().any(|name| WHOLE_BELOW.contains(name));
            let known = path.last().is_some_and(|last| TEXTS.contains(last));
            let goes = if known { Goes::Text } else { Goes::Perhaps };
            (!whole).then_some(goes)
        }
    }
}

/// Members that say something of an event or of its texts, and are none themselves, whoever sends them.
const LABELS: &[&[u8]] = &[
    b"type",
    b"kind",
    b"event",
    b"event_type",
    b"object",
    b"role",
    b"name",
    b"status",
    b"state",
    b"model",
    b"modelVersion",
    b"version",
    b"language",
    b"format",
    b"url",
    b"mimeType",
    b"media_type",
    b"signature",
    b"obfuscation",
    b"jsonrpc",
    b"method",
    b"timestamp",
    b"created",
    b"createTime",
    b"system_fingerprint",
    b"service_tier",
    b"tier",
    b"p",
    b"data",
    b"code",
    b"stop",
    b"digest",
];
/// How the names of more of them begin and end.
const LABEL_FRONTS: &[&[u8]] = &[b"model_", b"finish", b"stop_", b"done"];
const LABEL_ENDS: &[&[u8]] = &[
    b"id", b"Id", b"ID", b"_at", b"_reason", b"Reason", b"_type", b"Type",
];

/// Whether the member of this name is one of these.
pub(super) fn is_label(name: &[u8]) -> bool {
    LABELS.contains(&name)
        || LABEL_FRONTS.iter().any(|front| name.starts_with(front))
        || LABEL_ENDS.iter().any(|end| name.ends_with(end))
}

/// Whether these names lead to something that comes once: an error, or the whole answer behind its
/// pieces.
pub(super) fn comes_whole(path: &[&[u8]]) -> bool {
    const ONCE: &[&[u8]] = &[
        b"error",
        b"errors",
        b"usage",
        b"response",
        b"item",
        b"tools",
    ];
    let (_, holders) = path.split_last().unwrap_or((&&b""[..], &[]));
    let listed = |name: &&[u8]| lists_tokens(name) || WHOLE_BELOW.contains(name);
    path.iter().any(listed) || holders.iter().any(|name| ONCE.contains(name))
}

/// Whether events of this `type` are known, so that it is known too which of their strings go on.
pub(super) fn is_kind_of_event(kind: &[u8]) -> bool {
    const FRONTS: &[&[u8]] = &[
        b"response.",
        b"content_block_",
        b"content-",
        b"tool-call-",
        b"tool-input-",
        b"tool-output-",
        b"tool-plan-",
        b"citation-",
        b"session.",
        b"conversation.",
        b"input_audio_buffer.",
        b"image_generation.",
        b"image_edit.",
        b"speech.",
        b"transcript.",
    ];
    // Others have kinds of their own that begin like these: `message_chunk`.
    const KINDS: &[&[u8]] = &[
        b"message_start",
        b"message_delta",
        b"message_stop",
        b"message-start",
        b"message-end",
        b"ping",
        b"error",
    ];
    KINDS.contains(&kind) || FRONTS.iter().any(|front| kind.starts_with(front))
}

/// Members whose values differ from event to event of one stream, and that say nothing about which
/// text is which or what ends it.
const VARYING: &[&[u8]] = &[
    b"sequence_number",
    b"obfuscation",
    b"created",
    b"created_at",
    b"logprob",
    b"prompt_tokens",
    b"completion_tokens",
    b"total_tokens",
    b"input_tokens",
    b"output_tokens",
    b"promptTokenCount",
    b"candidatesTokenCount",
    b"totalTokenCount",
];

/// Whether the member of this name is one of these.
pub(super) fn varies(name: &[u8]) -> bool {
    VARYING.contains(&name)
}

/// Whether the lists in the member of this name have tokens, each with its number and its probability. Each
/// event has all of them so far: only in a whole answer do they follow one another.
pub(super) fn lists_lists_of_tokens(name: &[u8]) -> bool {
    matches!(name, b"output_token_logprobs" | b"input_token_logprobs") || lists_alternatives(name)
}

/// Whether these are lists of tokens that could have come, one for each that came.
pub(super) fn lists_alternatives(name: &[u8]) -> bool {
    matches!(name, b"output_top_logprobs" | b"input_top_logprobs")
}

/// Members whose elements follow one another as one text.
const IN_ORDER: &[&[u8]] = &[
    b"parts",
    b"logprobs",
    b"content",
    b"refusal",
    b"tokens",
    b"prefill",
    b"completion_probabilities",
    b"chosenCandidates",
    b"topCandidates",
    b"prompt_logprobs",
    b"output_token_logprobs",
    b"input_token_logprobs",
];

/// Whether the elements of the member of this name follow one another as one text.
pub(super) fn are_in_order(name: &[u8]) -> bool {
    IN_ORDER.contains(&name)
}
