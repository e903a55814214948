//! gRPC over the testbed's HTTP/2 client: messages behind their length, and the
//! status in the trailers.

use prost::Message;

use crate::body::Step;
use crate::http::{Client, Request, Response};
use crate::kserve::{InferRequest, InferResponse, SERVICE};

/// The answer to a call.
#[derive(Debug, Clone)]
pub struct Answer<T> {
    /// The gRPC status: 0 is success, 7 permission denied, 16 unauthenticated.
    /// `None` if the stream ended without one.
    pub code: Option<u32>,
    /// What the status says, percent-encoded as it came.
    pub reason: String,
    /// The messages.
    pub messages: Vec<T>,
    /// The HTTP response that all this was read from.
    pub response: Response,
}

/// Sends one text to a model by `ModelInfer`. `headers` are added to the call.
///
/// # Errors
/// As [`call`].
pub fn infer(
    client: &Client,
    model: &str,
    text: &str,
    headers: &[(&str, &str)],
) -> Result<Answer<InferResponse>, String> {
    let request = InferRequest::of_texts(model, &[text]);
    call(client, "ModelInfer", &[request], headers)
}

/// Calls a method of the inference service with these messages, and reads the
/// answer to its end.
///
/// # Errors
/// When there is no answer, or a message in it can't be decoded.
pub fn call<T: Message + Default>(
    client: &Client,
    method: &str,
    messages: &[impl Message],
    headers: &[(&str, &str)],
) -> Result<Answer<T>, String> {
    answer(client.send(request(method, messages, headers))?)
}

/// The request that [`call`] sends.
#[must_use]
pub fn request(method: &str, messages: &[impl Message], headers: &[(&str, &str)]) -> Request {
    let mut request = Request::post(&format!("/{SERVICE}/{method}"))
        .header("content-type", "application/grpc")
        .header("te", "trailers");
    for (name, value) in headers {
        request = request.header(name, value);
    }
    request.steps(messages.iter().map(|m| Step::data(framed(m))).collect())
}

/// Reads a response as the answer to a call.
///
/// # Errors
/// When a message in it can't be decoded.
pub fn answer<T: Message + Default>(response: Response) -> Result<Answer<T>, String> {
    let mut reader = Reader::default();
    reader.take(&response.body);
    let mut messages = Vec::new();
    while let Some(message) = reader.next_message() {
        messages.push(T::decode(message.as_slice()).map_err(|error| error.to_string())?);
    }
    if !reader.is_empty() {
        return Err("the answer ends inside a message".to_owned());
    }
    // An answer with no messages may have its status in the headers.
    let field = |name| response.trailer(name).or_else(|| response.header(name));
    Ok(Answer {
        code: field("grpc-status").and_then(|code| code.parse().ok()),
        reason: field("grpc-message").unwrap_or_default().to_owned(),
        messages,
        response,
    })
}

/// A message as it travels: not compressed, its length, itself.
pub fn framed(message: &impl Message) -> Vec<u8> {
    enveloped(&message.encode_to_vec())
}

/// As [`framed`], of a message that is encoded already, or was never a message.
#[must_use]
pub fn enveloped(message: &[u8]) -> Vec<u8> {
    let length = u32::try_from(message.len()).unwrap_or(u32::MAX);
    let mut bytes = vec![0];
    bytes.extend_from_slice(&length.to_be_bytes());
    bytes.extend_from_slice(message);
    bytes
}

/// Takes bytes as they come and gives whole messages.
#[derive(Debug, Default)]
pub(crate) struct Reader(Vec<u8>);

impl Reader {
    pub(crate) fn take(&mut self, bytes: &[u8]) {
        self.0.extend_from_slice(bytes);
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn next_message(&mut self) -> Option<Vec<u8>> {
        let (head, rest) = self.0.split_first_chunk::<5>()?;
        let [_, length @ ..] = *head;
        let length = usize::try_from(u32::from_be_bytes(length)).ok()?;
        let (message, rest) = rest.split_at_checked(length)?;
        let (message, rest) = (message.to_vec(), rest.to_vec());
        self.0 = rest;
        Some(message)
    }
}

/// The first message of some frames, and the frames behind it.
#[must_use]
pub fn unframed<T: Message + Default>(frames: &[u8]) -> Option<(T, &[u8])> {
    let (_, rest) = frames.split_first()?;
    let (length, rest) = rest.split_first_chunk::<4>()?;
    let length = usize::try_from(u32::from_be_bytes(*length)).ok()?;
    let (message, rest) = rest.split_at_checked(length)?;
    Some((T::decode(message).ok()?, rest))
}
