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
//! | Gemini | `candidates[].content.parts[].text` |
//! | TGI | `token.text`; `generated_text` repeats it |
//! | Ollama | `message.content`, `message.thinking`, `response`, `thinking` |
//! | llama.cpp, Triton | `content`, `text_output` |
//! | Cohere | `delta.message.content.text`, `.tool_plan`, `.tool_calls.function.arguments` |
//!
//! Beside that, whatever stands below a member `delta` goes on, unless it is known to come whole.

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
    b"encrypted_content",
    b"data",
    b"url",
    b"format",
];
/// Members below `delta` of which everything comes whole.
const WHOLE_BELOW: &[&[u8]] = &[
    b"citation",
    b"citations",
    b"annotations",
    b"images",
    b"usage",
];

/// Whether the string to which these names lead goes on in other events.
pub(super) fn continues(path: &[&[u8]]) -> bool {
    match path {
        [b"choices", b"text"]
        | [b"candidates", b"content", b"parts", b"text"]
        | [b"token", b"text"]
        | [b"message", b"content" | b"thinking"]
        | [b"response" | b"content" | b"text_output" | b"thinking"] => true,
        [.., last] if WHOLE.contains(last) => false,
        path => {
            let Some(delta) = path.iter().position(|name| *name == b"delta") else {
                return false;
            };
            let below = path.get(delta..).unwrap_or_default();
            !below.iter().any(|name| WHOLE_BELOW.contains(name))
        }
    }
}
