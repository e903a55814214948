//! The gRPC service of the Open Inference Protocol (KServe V2).

use std::sync::Arc;

use http_body_util::BodyExt;
use hyper::Response;
use hyper::body::Incoming;
use prost::Message;

use super::{Answer, Received, Reply, State};
use crate::body::{Gate, Step, StepSender, Stepped, split};
use crate::grpc::{Reader, enveloped, framed};
use crate::kserve::{
    Empty, Health, InferRequest, InferResponse, ModelMetadata, ModelName, SERVICE, ServerMetadata,
    StreamResponse, TensorMetadata,
};
use crate::lock;

/// How calls for inference are answered: what the model says, one message each
/// for `ModelInfer`, one message for every piece for `ModelStreamInfer`.
#[derive(Debug, Clone, Default)]
pub struct Rpc {
    frame: Option<usize>,
    gate: Option<Gate>,
    raw: bool,
    messages: Option<Vec<Vec<u8>>>,
    status: u32,
    reason: String,
}

impl Rpc {
    /// Cuts the messages into DATA frames of so many bytes; otherwise each
    /// message is one frame.
    #[must_use]
    pub fn frames_of(mut self, bytes: usize) -> Self {
        self.frame = Some(bytes);
        self
    }

    /// Each DATA frame waits until the gate lets it through.
    #[must_use]
    pub fn gated(mut self, gate: &Gate) -> Self {
        self.gate = Some(gate.clone());
        self
    }

    /// Writes the tensors' elements raw.
    #[must_use]
    pub fn raw(mut self) -> Self {
        self.raw = true;
        self
    }

    /// Answers with these bytes as messages, whatever the model says.
    #[must_use]
    pub fn messages(mut self, messages: Vec<Vec<u8>>) -> Self {
        self.messages = Some(messages);
        self
    }

    /// Ends with this gRPC status instead of 0.
    #[must_use]
    pub fn status(mut self, code: u32, reason: &str) -> Self {
        self.status = code;
        reason.clone_into(&mut self.reason);
        self
    }

    fn response(&self, request: &InferRequest, text: &str) -> InferResponse {
        let response = InferResponse::of_texts(request, &[text]);
        match self.raw {
            true => response.into_raw(),
            false => response,
        }
    }

    /// The steps that send these messages.
    fn steps(&self, messages: Vec<Vec<u8>>) -> Vec<Step> {
        let chosen = self.messages.as_ref();
        let chosen = chosen.map(|all| all.iter().map(|message| enveloped(message)).collect());
        let mut steps = Vec::new();
        for message in chosen.unwrap_or(messages) {
            for frame in split(&message, self.frame.unwrap_or(message.len())) {
                steps.extend(self.gate.clone().map(Step::Wait));
                steps.push(frame);
            }
        }
        steps
    }

    fn end(&self) -> Step {
        Step::Trailers(vec![
            ("grpc-status".to_owned(), self.status.to_string()),
            ("grpc-message".to_owned(), self.reason.clone()),
        ])
    }
}

/// The method that a path calls, if it calls this service.
pub(super) fn method(path: &str) -> Option<&str> {
    path.strip_prefix('/')?
        .strip_prefix(SERVICE)?
        .strip_prefix('/')
}

/// Answers a call of one message.
pub(super) fn answer(method: &str, body: &[u8], reply: &Reply, rpc: &Rpc) -> Answer {
    let answered = match method {
        "ModelInfer" => inferred(body, reply, rpc),
        _ => fixed(method, body).map(|message| {
            let end = Rpc::default().end();
            vec![Step::data(message), end]
        }),
    };
    match answered {
        Ok(steps) => head().steps(steps),
        // A failure without messages has its status in the headers.
        Err((code, reason)) => head()
            .header("grpc-status", code)
            .header("grpc-message", reason),
    }
}

type Failure = (u32, String);

fn inferred(body: &[u8], reply: &Reply, rpc: &Rpc) -> Result<Vec<Step>, Failure> {
    let request: InferRequest = only(body)?;
    let message = framed(&rpc.response(&request, &reply.text()));
    let mut steps = rpc.steps(vec![message]);
    steps.push(rpc.end());
    Ok(steps)
}

/// The answers that no test needs to choose.
fn fixed(method: &str, body: &[u8]) -> Result<Vec<u8>, Failure> {
    match method {
        "ServerLive" | "ServerReady" => {
            only::<Empty>(body)?;
            Ok(framed(&Health { yes: true }))
        }
        "ModelReady" => {
            only::<ModelName>(body)?;
            Ok(framed(&Health { yes: true }))
        }
        "ServerMetadata" => {
            only::<Empty>(body)?;
            Ok(framed(&ServerMetadata {
                name: "testbed".to_owned(),
                version: "1".to_owned(),
                extensions: Vec::new(),
            }))
        }
        "ModelMetadata" => {
            let request: ModelName = only(body)?;
            let tensor = |name: &str| TensorMetadata {
                name: name.to_owned(),
                datatype: "BYTES".to_owned(),
                shape: vec![-1],
            };
            Ok(framed(&ModelMetadata {
                name: request.name,
                versions: vec!["1".to_owned()],
                platform: "testbed".to_owned(),
                inputs: vec![tensor("text_input")],
                outputs: vec![tensor("text_output")],
            }))
        }
        other => Err((12, format!("no method {other}"))),
    }
}

/// The one message of a body.
fn only<T: Message + Default>(body: &[u8]) -> Result<T, Failure> {
    let mut reader = Reader::default();
    reader.take(body);
    let message = reader
        .next_message()
        .filter(|_| reader.is_empty())
        .ok_or_else(|| (3, "the body is not one message".to_owned()))?;
    T::decode(message.as_slice()).map_err(|error| (3, error.to_string()))
}

fn head() -> Answer {
    Answer::new(200).header("content-type", "application/grpc")
}

/// Answers `ModelStreamInfer`: each request as it comes, in both directions at
/// once.
pub(super) fn stream(
    state: Arc<State>,
    mut received: Received,
    mut body: Incoming,
) -> Response<Stepped> {
    head().response_with(Stepped::fed(|sender| async move {
        let rpc = lock(&state.rpc).clone();
        let ended = converse(&state, &rpc, &mut received, &mut body, &sender).await;
        received.complete = ended.is_some();
        lock(&state.received).push(received);
        // The caller may be gone: then nobody misses the end.
        let _ = sender.send(rpc.end()).await;
    }))
}

/// Answers until the requests end. `None` when either side broke off.
async fn converse(
    state: &State,
    rpc: &Rpc,
    received: &mut Received,
    body: &mut Incoming,
    sender: &StepSender,
) -> Option<()> {
    let mut reader = Reader::default();
    while let Some(frame) = body.frame().await {
        let frame = frame.ok()?;
        let Some(bytes) = frame.data_ref() else {
            continue;
        };
        received.body.extend_from_slice(bytes);
        reader.take(bytes);
        while let Some(message) = reader.next_message() {
            let request = InferRequest::decode(message.as_slice()).ok()?;
            let pieces = lock(&state.reply).pieces.clone();
            let messages = pieces.iter().map(|piece| {
                framed(&StreamResponse {
                    error: String::new(),
                    response: Some(rpc.response(&request, piece)),
                })
            });
            for step in rpc.steps(messages.collect()) {
                sender.send(step).await?;
            }
        }
    }
    Some(())
}
