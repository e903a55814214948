//! Messages of AWS's event streams, as Bedrock sends them: Smithy's "Amazon Event Stream Specification".

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

use crate::streams::{Api, Escapes};

/// What of Bedrock's streams (docs.aws.amazon.com/bedrock/latest/APIReference).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    /// Converse's own events.
    ConverseStream,
    /// Those of Anthropic's models, in base64.
    InvokeModelWithResponseStream,
}

impl Operation {
    /// Both.
    pub const EACH: [Self; 2] = [Self::ConverseStream, Self::InvokeModelWithResponseStream];

    /// What one token is sent as.
    #[must_use]
    pub fn token(self, text: &str, escapes: Escapes) -> Vec<u8> {
        match self {
            Self::ConverseStream => {
                let string = escapes.string(text);
                let payload = format!(
                    "{{\"contentBlockIndex\":0,\"delta\":{{\"text\":{string}}},\"p\":\"abcdefgh\"}}"
                );
                message("contentBlockDelta", &payload)
            }
            Self::InvokeModelWithResponseStream => {
                let event = Api::Anthropic.token(text, escapes);
                let (_, data) = event.rsplit_once("data: ").unwrap_or_default();
                let coded = STANDARD.encode(data.trim_end());
                message(
                    "chunk",
                    &format!("{{\"bytes\":\"{coded}\",\"p\":\"abcd\"}}"),
                )
            }
        }
    }

    /// What a stream ends with.
    #[must_use]
    pub fn end(self) -> Vec<u8> {
        match self {
            Self::ConverseStream => message("messageStop", "{\"stopReason\":\"end_turn\"}"),
            Self::InvokeModelWithResponseStream => {
                let coded = STANDARD.encode("{\"type\":\"message_stop\"}");
                message("chunk", &format!("{{\"bytes\":\"{coded}\"}}"))
            }
        }
    }

    /// The text of the token's message at the front of some bytes, and how long the message is.
    #[must_use]
    pub fn read(self, bytes: &[u8]) -> Option<(String, usize)> {
        let (payload, length) = unframed(bytes)?;
        let value: Value = serde_json::from_slice(payload).ok()?;
        let said = match self {
            Self::ConverseStream => value.pointer("/delta/text")?.clone(),
            Self::InvokeModelWithResponseStream => {
                let inside = STANDARD.decode(value.get("bytes")?.as_str()?).ok()?;
                let inside: Value = serde_json::from_slice(&inside).ok()?;
                inside.pointer("/delta/text")?.clone()
            }
        };
        Some((said.as_str()?.to_owned(), length))
    }
}

/// A message whose headers are those of Bedrock's, in their order.
fn message(kind: &str, payload: &str) -> Vec<u8> {
    let header = |(name, value): (&str, &str)| {
        let mut header = vec![u8::try_from(name.len()).unwrap_or(0)];
        header.extend(name.bytes());
        // A string.
        header.push(7);
        header.extend(u16::try_from(value.len()).unwrap_or(0).to_be_bytes());
        header.extend(value.bytes());
        header
    };
    let headers: Vec<u8> = [
        (":event-type", kind),
        (":content-type", "application/json"),
        (":message-type", "event"),
    ]
    .into_iter()
    .flat_map(header)
    .collect();
    let mut message = long(16 + headers.len() + payload.len());
    message.extend(long(headers.len()));
    message.extend(crc(&message));
    message.extend(headers);
    message.extend(payload.bytes());
    message.extend(crc(&message));
    message
}

/// The payload of the message at the front of some bytes, and how long the message is.
fn unframed(bytes: &[u8]) -> Option<(&[u8], usize)> {
    let number = |at: usize| {
        let four = bytes.get(at..at + 4)?.first_chunk::<4>()?;
        usize::try_from(u32::from_be_bytes(*four)).ok()
    };
    let (length, headers) = (number(0)?, number(4)?);
    let end = length.checked_sub(4)?;
    Some((bytes.get(12 + headers..end)?, length)).filter(|_| length <= bytes.len())
}

fn long(length: usize) -> Vec<u8> {
    u32::try_from(length).unwrap_or(0).to_be_bytes().to_vec()
}

/// CRC-32, bit by bit.
fn crc(bytes: &[u8]) -> [u8; 4] {
    let mut sum = u32::MAX;
    for byte in bytes {
        sum ^= u32::from(*byte);
        for _ in 0..8 {
            sum = (sum >> 1) ^ (0xEDB8_8320 * (sum & 1));
        }
    }
    (!sum).to_be_bytes()
}
