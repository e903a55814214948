//! What is particular to the messages of AWS's event streams.
//!
//! The name above a payload's members is the kind of its message, which stands in a header.
//!
//! | who streams | strings that go on |
//! |---|---|
//! | Converse; Nova, whose events have their kind as their only member | below `contentBlockDelta.delta`, as in other servers' events: `text`, `toolUse.input`, `reasoningContent.text`, `toolResult[].text` |
//! | Llama | `generation` |
//! | Titan | `outputText` |
//! | Mistral | `outputs[].text`, or as in chat, but for the name, `choices[].message.content` |
//! | Cohere Command | `text` |
//! | Claude before its messages | `completion` |
//! | RetrieveAndGenerateStream | `output.text` |
//! | InvokeAgentRuntimeCommand | `chunk.contentDelta.stdout`, `.stderr` |
//!
//! Other models' events have the shapes of those whom they copy: Anthropic's, OpenAI's. The shapes are
//! those of Bedrock's documentation ("Inference request parameters and response fields for foundation
//! models") and of botocore's service models.

/// Bedrock pads its messages with the beginning of this, so that their lengths don't tell their texts.
const PADDING: &[u8] = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";

/// Whether the string to which these names lead is padding. What stands there else is a text like
/// every other.
pub(super) fn is_padding(path: &[&[u8]], string: &[u8]) -> bool {
    matches!(path, [_, b"p"]) && PADDING.starts_with(string)
}

/// Whether the string to which these names lead is base64 of what the model server said.
pub(super) fn is_coded(path: &[&[u8]]) -> bool {
    matches!(path, [b"chunk", b"bytes"])
}

/// Whether the string to which these names lead goes on in other messages.
pub(super) fn goes_on(path: &[&[u8]]) -> bool {
    matches!(
        path,
        [b"generation" | b"outputText" | b"text" | b"completion"]
            | [b"outputs" | b"output", b"text"]
            | [b"choices", b"message", b"content"]
            | [b"chunk", b"contentDelta", b"stdout" | b"stderr"]
    )
}

/// Whether the string to which these names lead is a piece of JSON. Where it is whole, it is no
/// string.
pub(super) fn holds_json(path: &[&[u8]]) -> bool {
    matches!(path, [.., b"toolUse", b"input"])
}
