//! What model servers answer, of the sizes that are measured.

use serde_json::json;
use testbed::prose::{self, Prose};

/// One workload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Workload {
    /// An answer of no size to speak of: what a request costs without its body.
    Nothing,
    /// A chat completion with a megabyte of prose in it.
    Prose,
    /// An answer of embeddings.
    Floats,
    /// A KServe V2 answer: a tensor of texts and one of scores.
    Tensors,
    /// A streamed chat completion, which arrives in large writes.
    Events,
    /// The same, each event in a write of its own.
    EventByEvent,
}

/// How an upstream sends a body.
pub struct Body {
    /// The content type.
    pub kind: &'static str,
    /// The body, in the pieces in which it is written. Where there are several, each waits until
    /// something of those before has reached the client.
    pub pieces: Vec<Vec<u8>>,
    /// How many events it has; 0 if it is not a stream.
    pub events: u32,
}

/// How many events a stream has.
const EVENTS: u32 = 50_000;

/// How many bytes of text an event has.
const TOKEN: usize = 20;

const WRITE: usize = 16 << 10;

impl Workload {
    /// In the order in which they are shown.
    pub const ALL: [Self; 6] = [
        Self::Nothing,
        Self::Prose,
        Self::Floats,
        Self::Tensors,
        Self::Events,
        Self::EventByEvent,
    ];

    /// The name in the tables.
    pub fn name(self) -> &'static str {
        match self {
            Self::Nothing => "an empty object",
            Self::Prose => "prose in a chat completion",
            Self::Floats => "floats of an embedding",
            Self::Tensors => "tensors of KServe V2, JSON",
            Self::Events => "events of 20 bytes of text, in writes of 16 KiB",
            Self::EventByEvent => "events of 20 bytes of text, each in a write of its own",
        }
    }

    /// What is to be reached, in the words of the tables.
    pub fn goal(self) -> &'static str {
        match self {
            Self::Prose => "300 MB/s",
            Self::Floats => "1000 MB/s",
            Self::Nothing | Self::Tensors => "none",
            Self::Events | Self::EventByEvent => "2 microseconds an event",
        }
    }

    /// How many requests are under way at once.
    pub fn connections(self) -> usize {
        match self {
            Self::EventByEvent => 16,
            _ => 1,
        }
    }

    /// How many whole answers make a turn of each variant in a round.
    pub fn turns(self) -> u32 {
        match self {
            Self::Nothing => 200,
            Self::Prose | Self::Floats | Self::Tensors => 20,
            Self::Events => 5,
            Self::EventByEvent => 2,
        }
    }

    /// The body that one connection gets.
    pub fn body(self) -> Body {
        match self {
            Self::Nothing => whole("{}".to_owned()),
            Self::Prose => whole(chat_completion()),
            Self::Floats => whole(embeddings()),
            Self::Tensors => whole(tensors()),
            Self::Events => {
                let stream = events(EVENTS).concat();
                let pieces = stream.as_bytes().chunks(WRITE).map(<[u8]>::to_vec);
                streamed(pieces.collect(), EVENTS)
            }
            Self::EventByEvent => {
                let count = EVENTS / 16;
                let pieces = events(count).into_iter().map(String::into_bytes);
                streamed(pieces.collect(), count)
            }
        }
    }
}

impl Body {
    /// All of it.
    pub fn bytes(&self) -> Vec<u8> {
        self.pieces.concat()
    }
}

fn whole(body: String) -> Body {
    Body {
        kind: "application/json",
        pieces: vec![body.into_bytes()],
        events: 0,
    }
}

fn streamed(pieces: Vec<Vec<u8>>, events: u32) -> Body {
    Body {
        kind: "text/event-stream",
        pieces,
        events,
    }
}

fn chat_completion() -> String {
    let text = prose::escaped(&Prose::with_addresses(1, 200).take(1 << 20));
    format!(
        r#"{{"id":"chatcmpl-B9MHDbslfkBeAs8l4bebGdFOJ6PeG","object":"chat.completion","created":1741570283,"model":"gpt-4o-2024-08-06","choices":[{{"index":0,"message":{{"role":"assistant","content":"{text}","refusal":null,"annotations":[]}},"logprobs":null,"finish_reason":"stop"}}],"usage":{{"prompt_tokens":1117,"completion_tokens":46,"total_tokens":1163}},"service_tier":"default","system_fingerprint":"fp_fc9f1d7035"}}"#
    )
}

/// A float between -0.1 and 0.1, as embedding models write them.
fn float(chance: &mut Prose) -> f64 {
    let number = u32::try_from(chance.below(2_000_000_000)).unwrap_or(0);
    (f64::from(number) - 1e9) / 1e10
}

fn embeddings() -> String {
    let mut chance = Prose::new(2);
    let data: Vec<_> = (0..64)
        .map(|index| {
            let embedding: Vec<f64> = (0..1536).map(|_| float(&mut chance)).collect();
            json!({"object": "embedding", "index": index, "embedding": embedding})
        })
        .collect();
    json!({"object": "list", "data": data, "model": "text-embedding-3-small",
           "usage": {"prompt_tokens": 8, "total_tokens": 8}})
    .to_string()
}

fn tensors() -> String {
    let mut chance = Prose::with_addresses(3, 200);
    let texts: Vec<String> = (0..1000).map(|_| chance.take(600)).collect();
    let scores: Vec<f64> = (0..32_000).map(|_| float(&mut chance)).collect();
    json!({"model_name": "summaries", "model_version": "1", "outputs": [
        {"name": "text", "datatype": "BYTES", "shape": [1000], "data": texts},
        {"name": "scores", "datatype": "FP32", "shape": [1000, 32], "data": scores},
    ]})
    .to_string()
}

/// The events of a chat completion that is streamed.
pub fn events(count: u32) -> Vec<String> {
    let count = usize::try_from(count).unwrap_or(usize::MAX);
    let text = Prose::with_addresses(4, 200).take(count.saturating_mul(TOKEN + 2));
    prose::pieces(&text, TOKEN)
        .into_iter()
        .take(count)
        .map(event)
        .collect()
}

/// One event that says `text`.
pub fn event(text: &str) -> String {
    let text = prose::escaped(text);
    format!(
        "data: {{\"id\":\"chatcmpl-B9MHDbslfkBeAs8l4bebGdFOJ6PeG\",\"object\":\"chat.completion.chunk\",\
         \"created\":1741570283,\"model\":\"gpt-4o-2024-08-06\",\"service_tier\":\"default\",\
         \"system_fingerprint\":\"fp_fc9f1d7035\",\"choices\":[{{\"index\":0,\"delta\":{{\"content\":\
         \"{text}\"}},\"logprobs\":null,\"finish_reason\":null}}]}}\n\n"
    )
}
