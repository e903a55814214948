//! How the APIs of language models carry a text that is said token by token, and how it is read
//! out of what came.

use serde_json::{Value, json};

/// An API that streams.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Api {
    /// OpenAI's chat completions.
    Chat,
    /// The same, what a reasoning model thinks.
    Reasoning,
    /// OpenAI's completions.
    Completions,
    /// OpenAI's Responses.
    Responses,
    /// Anthropic's messages.
    Anthropic,
    /// Google's Gemini.
    Gemini,
    /// Hugging Face's Text Generation Inference.
    Tgi,
    /// An event stream whose data are the text.
    Plain,
    /// Ollama's chat: JSON lines.
    Ollama,
    /// Cohere's chat, version 2 (docs.cohere.com/reference/chat-stream).
    Cohere,
    /// Cohere's chat, version 1: JSON lines (docs.cohere.com/v1/reference/chat-stream).
    CohereV1,
    /// The AI SDK, version 5 (vercel/ai, packages/ai/src/ui-message-stream/ui-message-chunks.ts).
    AiSdk,
    /// The AI SDK, version 4: lines with a code in front (packages/ui-utils/src/data-stream-parts.ts).
    AiSdkLines,
    /// IBM watsonx.ai (cloud.ibm.com/apidocs/watsonx-ai, "Infer text event stream").
    Watsonx,
    /// Dify (docs.dify.ai, "Send Chat Message", streaming mode).
    Dify,
    /// KoboldCpp (lite.koboldai.net/koboldcpp_api, "/api/extra/generate/stream").
    KoboldCpp,
    /// LMDeploy's interactive chat: JSON lines that are called an event stream
    /// (lmdeploy/serve/openai/api_server.py, `chat_interactive_v1`).
    LmDeploy,
    /// A2A (a2a-protocol.org, "Streaming", `TaskArtifactUpdateEvent`).
    A2a,
    /// AG-UI (docs.ag-ui.com, "Events").
    AgUi,
    /// SGLang's own route, whose events have all of the text so far
    /// (sglang/srt/entrypoints/http_server.py, `/generate`).
    SgLang,
}

/// How a text is written in JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Escapes {
    /// Escapes only where there must be one.
    Few,
    /// Everything but ASCII in escapes of UTF-16.
    Ascii,
    /// Every character in escapes of UTF-16.
    All,
}

impl Escapes {
    /// All of them.
    pub const EACH: [Self; 3] = [Self::Few, Self::Ascii, Self::All];

    /// The text as a JSON string.
    #[must_use]
    pub fn string(self, text: &str) -> String {
        let mut out = String::from("\"");
        for letter in text.chars() {
            let plain = match self {
                Self::Few => !letter.is_control(),
                Self::Ascii => (' '..='~').contains(&letter),
                Self::All => false,
            };
            match letter {
                '"' | '\\' if self != Self::All => {
                    out.push('\\');
                    out.push(letter);
                }
                '\n' if self != Self::All => out.push_str("\\n"),
                _ if plain => out.push(letter),
                _ => {
                    for unit in letter.encode_utf16(&mut [0; 2]) {
                        out.push_str(&format!("\\u{unit:04X}"));
                    }
                }
            }
        }
        out.push('"');
        out
    }
}

impl Api {
    /// All of them.
    pub const EACH: [Self; 20] = [
        Self::Chat,
        Self::Reasoning,
        Self::Completions,
        Self::Responses,
        Self::Anthropic,
        Self::Gemini,
        Self::Tgi,
        Self::Plain,
        Self::Ollama,
        Self::Cohere,
        Self::CohereV1,
        Self::AiSdk,
        Self::AiSdkLines,
        Self::Watsonx,
        Self::Dify,
        Self::KoboldCpp,
        Self::LmDeploy,
        Self::A2a,
        Self::AgUi,
        Self::SgLang,
    ];

    /// Whether a body is lines of JSON and not an event stream.
    #[must_use]
    pub fn lines(self) -> bool {
        matches!(self, Self::Ollama | Self::CohereV1)
    }

    /// Whether no dialect describes where its texts stand: they are joined by their places.
    #[must_use]
    pub fn by_place(self) -> bool {
        let described = [
            Self::CohereV1,
            Self::Watsonx,
            Self::Dify,
            Self::KoboldCpp,
            Self::LmDeploy,
            Self::A2a,
        ];
        described.contains(&self)
    }

    /// Whether each event says all of the text so far, and not a token.
    #[must_use]
    pub fn so_far(self) -> bool {
        self == Self::SgLang
    }

    /// What stands behind each event.
    #[must_use]
    pub fn separator(self) -> &'static str {
        match self {
            Self::Ollama | Self::CohereV1 | Self::AiSdkLines | Self::LmDeploy => "\n",
            Self::Gemini => "\r\n\r\n",
            _ => "\n\n",
        }
    }

    /// Whether a text can be said at all: what is between events can't be in one of plain text,
    /// nor what reads as JSON.
    #[must_use]
    pub fn can_say(self, text: &str) -> bool {
        self != Self::Plain || !text.contains(['\n', '\r', '{', '['])
    }

    /// What one token is sent as.
    #[must_use]
    pub fn token(self, text: &str, escapes: Escapes) -> String {
        let string = escapes.string(text);
        match self {
            Self::Chat => format!(
                "data: {{\"choices\":[{{\"index\":0,\"delta\":{{\"content\":{string}}}}}]}}\n\n"
            ),
            Self::Reasoning => format!(
                "data: {{\"choices\":[{{\"index\":0,\"delta\":{{\"reasoning_content\":{string}}}}}]}}\n\n"
            ),
            Self::Completions => {
                format!("data: {{\"choices\":[{{\"text\":{string},\"index\":0}}]}}\n\n")
            }
            Self::Responses => format!(
                "event: response.output_text.delta\ndata: {{\"type\":\"response.output_text.delta\",\
                 \"item_id\":\"m\",\"output_index\":0,\"content_index\":0,\"delta\":{string}}}\n\n"
            ),
            Self::Anthropic => format!(
                "event: content_block_delta\ndata: {{\"type\":\"content_block_delta\",\"index\":0,\
                 \"delta\":{{\"type\":\"text_delta\",\"text\":{string}}}}}\n\n"
            ),
            Self::Gemini => format!(
                "data: {{\"candidates\":[{{\"content\":{{\"parts\":[{{\"text\":{string}}}],\
                 \"role\":\"model\"}}}}]}}\r\n\r\n"
            ),
            Self::Tgi => format!(
                "data:{{\"index\":1,\"token\":{{\"id\":5,\"text\":{string},\"special\":false}},\
                 \"generated_text\":null}}\n\n"
            ),
            Self::Plain => format!("data: {text}\n\n"),
            Self::Ollama => format!(
                "{{\"model\":\"m\",\"message\":{{\"role\":\"assistant\",\"content\":{string}}},\
                 \"done\":false}}\n"
            ),
            Self::Cohere => format!(
                "event: content-delta\ndata: {{\"type\":\"content-delta\",\"index\":0,\
                 \"delta\":{{\"message\":{{\"content\":{{\"text\":{string}}}}}}}}}\n\n"
            ),
            Self::CohereV1 => format!(
                "{{\"is_finished\":false,\"event_type\":\"text-generation\",\"text\":{string}}}\n"
            ),
            Self::AiSdk => {
                format!("data: {{\"type\":\"text-delta\",\"id\":\"0\",\"delta\":{string}}}\n\n")
            }
            Self::AiSdkLines => format!("0:{string}\n"),
            Self::Watsonx => format!(
                "id: 1\nevent: message\ndata: {{\"model_id\":\"ibm/granite\",\
                 \"created_at\":\"2026-01-01T00:00:00.000Z\",\"results\":[{{\"generated_text\":{string},\
                 \"generated_token_count\":1,\"input_token_count\":0,\
                 \"stop_reason\":\"not_finished\"}}]}}\n\n"
            ),
            Self::Dify => format!(
                "data: {{\"event\":\"message\",\"task_id\":\"900bbd43\",\"message_id\":\"m-1\",\
                 \"conversation_id\":\"c-1\",\"answer\":{string},\"created_at\":1705407629}}\n\n"
            ),
            Self::KoboldCpp => {
                format!("event: message\ndata: {{\"token\":{string},\"finish_reason\":null}}\n\n")
            }
            Self::LmDeploy => format!(
                "{{\"text\":{string},\"tokens\":1,\"input_tokens\":8,\"history_tokens\":0,\
                 \"finish_reason\":null}}\n"
            ),
            Self::A2a => format!(
                "data: {{\"jsonrpc\":\"2.0\",\"id\":\"1\",\"result\":{{\"kind\":\"artifact-update\",\
                 \"taskId\":\"t-1\",\"contextId\":\"c-1\",\"artifact\":{{\"artifactId\":\"a-1\",\
                 \"parts\":[{{\"kind\":\"text\",\"text\":{string}}}]}},\"append\":true}}}}\n\n"
            ),
            Self::AgUi => format!(
                "data: {{\"type\":\"TEXT_MESSAGE_CONTENT\",\"messageId\":\"m-1\",\
                 \"delta\":{string}}}\n\n"
            ),
            Self::SgLang => format!(
                "data: {{\"text\":{string},\"output_ids\":[1],\"meta_info\":{{\"id\":\"5ba\",\
                 \"finish_reason\":null,\"prompt_tokens\":8}}}}\n\n"
            ),
        }
    }

    /// What a stream ends with.
    #[must_use]
    pub fn end(self) -> &'static str {
        match self {
            Self::Chat | Self::Reasoning | Self::Completions | Self::SgLang => "data: [DONE]\n\n",
            Self::Responses => {
                "event: response.completed\ndata: {\"type\":\"response.completed\"}\n\n"
            }
            Self::Anthropic => "event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n",
            Self::Ollama => "{\"model\":\"m\",\"done\":true}\n",
            Self::Cohere => "event: message-end\ndata: {\"type\":\"message-end\"}\n\n",
            Self::CohereV1 => {
                "{\"is_finished\":true,\"event_type\":\"stream-end\",\"finish_reason\":\"COMPLETE\"}\n"
            }
            Self::AiSdk => "data: {\"type\":\"text-end\",\"id\":\"0\"}\n\n",
            Self::AiSdkLines => "d:{\"finishReason\":\"stop\"}\n",
            Self::Dify => "data: {\"event\":\"message_end\",\"task_id\":\"900bbd43\"}\n\n",
            Self::KoboldCpp => {
                "event: message\ndata: {\"token\":\"\",\"finish_reason\":\"stop\"}\n\n"
            }
            Self::LmDeploy => {
                "{\"text\":\"\",\"tokens\":9,\"input_tokens\":8,\"history_tokens\":0,\
                 \"finish_reason\":\"stop\"}\n"
            }
            Self::A2a => {
                "data: {\"jsonrpc\":\"2.0\",\"id\":\"1\",\"result\":{\"kind\":\"status-update\",\
                 \"taskId\":\"t-1\",\"final\":true}}\n\n"
            }
            Self::AgUi => "data: {\"type\":\"TEXT_MESSAGE_END\",\"messageId\":\"m-1\"}\n\n",
            Self::Gemini | Self::Tgi | Self::Plain | Self::Watsonx => "",
        }
    }

    /// A whole stream of these tokens.
    #[must_use]
    pub fn stream(self, tokens: &[&str], escapes: Escapes) -> String {
        let mut stream: String = tokens
            .iter()
            .map(|token| self.token(token, escapes))
            .collect();
        stream.push_str(self.end());
        stream
    }

    /// The text of a stream, and the stream without it: one entry for each event.
    ///
    /// # Errors
    /// When an event is not of the form that this API has.
    pub fn read(self, stream: &[u8]) -> Result<(String, Vec<Value>), String> {
        let stream = str::from_utf8(stream).map_err(|error| error.to_string())?;
        let mut text = String::new();
        let mut frames = Vec::new();
        for event in stream.split_terminator(self.separator()) {
            let (name, data) = match event.rsplit_once('\n') {
                Some((name, data)) => (name, data),
                None => ("", event),
            };
            let data = match self {
                Self::Ollama | Self::CohereV1 | Self::LmDeploy => event,
                Self::AiSdkLines => event.get(2..).ok_or(event)?,
                _ => data.strip_prefix("data:").ok_or(event)?,
            };
            let data = data.strip_prefix(' ').unwrap_or(data);
            if self == Self::Plain {
                text.push_str(data);
                frames.push(json!([name]));
                continue;
            }
            if data == "[DONE]" {
                frames.push(json!(data));
                continue;
            }
            let mut value: Value =
                serde_json::from_str(data).map_err(|error| format!("{error}: {event}"))?;
            // Of these lines, those with another code have objects.
            let is_text = |it: &&mut Value| self != Self::AiSdkLines || it.is_string();
            if let Some(said) = value.pointer_mut(self.pointer()).filter(is_text) {
                if self.so_far() {
                    text.clear();
                }
                text.push_str(said.as_str().ok_or(event)?);
                *said = Value::Null;
            }
            frames.push(json!([name, value]));
        }
        Ok((text, frames))
    }

    /// Where the text is in an event's data.
    fn pointer(self) -> &'static str {
        match self {
            Self::Chat => "/choices/0/delta/content",
            Self::Reasoning => "/choices/0/delta/reasoning_content",
            Self::Completions => "/choices/0/text",
            Self::Responses => "/delta",
            Self::Anthropic => "/delta/text",
            Self::Gemini => "/candidates/0/content/parts/0/text",
            Self::Tgi => "/token/text",
            Self::Plain | Self::AiSdkLines => "",
            Self::Ollama => "/message/content",
            Self::Cohere => "/delta/message/content/text",
            Self::AiSdk | Self::AgUi => "/delta",
            Self::Watsonx => "/results/0/generated_text",
            Self::Dify => "/answer",
            Self::KoboldCpp => "/token",
            Self::CohereV1 | Self::LmDeploy | Self::SgLang => "/text",
            Self::A2a => "/result/artifact/parts/0/text",
        }
    }
}

/// The text in the pieces that end at these places, in characters.
#[must_use]
pub fn cut<'a>(text: &'a str, cuts: &[usize]) -> Vec<&'a str> {
    let mut pieces = Vec::new();
    let mut from = 0;
    for cut in cuts {
        let at = text
            .char_indices()
            .nth(*cut)
            .map_or(text.len(), |(at, _)| at)
            .max(from);
        pieces.push(text.get(from..at).unwrap_or_default());
        from = at;
    }
    pieces.push(text.get(from..).unwrap_or_default());
    pieces
}
