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
    pub const EACH: [Self; 9] = [
        Self::Chat,
        Self::Reasoning,
        Self::Completions,
        Self::Responses,
        Self::Anthropic,
        Self::Gemini,
        Self::Tgi,
        Self::Plain,
        Self::Ollama,
    ];

    /// Whether a body is lines of JSON and not an event stream.
    #[must_use]
    pub fn lines(self) -> bool {
        self == Self::Ollama
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
        }
    }

    /// What a stream ends with.
    #[must_use]
    pub fn end(self) -> &'static str {
        match self {
            Self::Chat | Self::Reasoning | Self::Completions => "data: [DONE]\n\n",
            Self::Responses => {
                "event: response.completed\ndata: {\"type\":\"response.completed\"}\n\n"
            }
            Self::Anthropic => "event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n",
            Self::Ollama => "{\"model\":\"m\",\"done\":true}\n",
            Self::Gemini | Self::Tgi | Self::Plain => "",
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
        let separator = match self {
            Self::Ollama => "\n",
            Self::Gemini => "\r\n\r\n",
            _ => "\n\n",
        };
        let mut text = String::new();
        let mut frames = Vec::new();
        for event in stream.split_terminator(separator) {
            let (name, data) = match event.split_once('\n') {
                Some((name, data)) => (name, data),
                None => ("", event),
            };
            let data = match self {
                Self::Ollama => event,
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
            if let Some(said) = value.pointer_mut(self.pointer()) {
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
            Self::Plain => "",
            Self::Ollama => "/message/content",
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
