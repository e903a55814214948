//! `/limits` of the policy.

use base::policy::{Form, Key, Node, Object, Usual, show_size};

/// `/limits`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The largest request body that is read for a decision, in bytes.
    pub request_body: u64,
    /// The most that is held of bodies at once in each worker, in bytes.
    pub buffers: u64,
    /// The most bytes of an event, a line or a chunk of a streamed answer that is masked.
    pub stream_event: u64,
    /// The most bytes of an answer that are held before any of it goes.
    pub held_answer: u64,
    /// How many exchanges wait for a person at once.
    pub waiting: Waiting,
}

/// `/limits/waiting`: exchanges that wait for a person at once, in each worker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Waiting {
    /// In all; from 1 to 10,000.
    pub total: u64,
    /// Of one subject; from 1 to 10,000.
    pub per_subject: u64,
}

/// Each of them keeps its request's head, of up to 60 KiB, in the VM's memory.
const MAX_WAITING: u64 = 10_000;

/// A body is held in the VM's memory while it is judged, and that memory is capped.
const MAX_REQUEST_BODY_BYTES: u64 = 64 << 20;

/// One decoder may need 16 MiB.
const MIN_BUFFERS_BYTES: u64 = 32 << 20;
/// A worker's memory is capped at 1 GiB, and not all of it is for bodies.
const MAX_BUFFERS_BYTES: u64 = 768 << 20;
/// Shorter events than this are common.
const MIN_STREAM_EVENT_BYTES: u64 = 64 << 10;
/// An event under its mask is in memory some four times.
const MAX_STREAM_EVENT_BYTES: u64 = 32 << 20;
/// The JSON in front of tensors may be as long.
const MIN_HELD_ANSWER_BYTES: u64 = 64 << 10;
/// It is in memory twice, in the worker's and in the proxy's.
const MAX_HELD_ANSWER_BYTES: u64 = 64 << 20;
/// A body under its mask may be twice as long as one that is accepted, and has room to grow.
const BUFFERS_FOR_A_BODY: u64 = 3;

/// `/limits`.
pub static LIMITS: Form = Form::object(&[
    Key::usually(
        "request_body",
        Usual::Text("8MiB"),
        "The largest request body that is read for a decision. A larger one is refused where one is needed.",
        &REQUEST_BODY,
    ),
    Key::usually(
        "buffers",
        Usual::Text("256MiB"),
        "The most that each worker holds of bodies at once; at least 3 times `request_body`. What finds no room is answered with 503 `buffers_full`.",
        &BUFFERS,
    ),
    Key::usually(
        "stream_event",
        Usual::Text("4MiB"),
        "The most of a streamed answer's event, line or chunk that is masked: it is held until it is whole. A longer one ends the stream. Four times as much should find room in `buffers`.",
        &STREAM_EVENT,
    ),
    Key::usually(
        "held_answer",
        Usual::Text("1MiB"),
        "The most of an answer that is held before any of it goes: one that may wait for a person, and JSON with tensors up to the last that is text. A larger one is answered with 502. Envoy's `per_connection_buffer_limit_bytes`, of the listener and of the cluster, has to be as large (1 MiB unless set). Four times as much should find room in `buffers`.",
        &HELD_ANSWER,
    ),
    Key::usually(
        "waiting",
        Usual::Empty,
        "How many exchanges of each worker may wait for a person at once.",
        &WAITING,
    ),
    Key::later(
        "response_body",
        "a limit of the response's size (\"response_body\")",
    ),
    Key::later(
        "response_time",
        "a limit of the response's time (\"response_time\")",
    ),
    Key::later("timing_bucket", "coarse response times (\"timing_bucket\")"),
]);

static REQUEST_BODY: Form = Form::size(1, MAX_REQUEST_BODY_BYTES);
static BUFFERS: Form = Form::size(MIN_BUFFERS_BYTES, MAX_BUFFERS_BYTES);
static STREAM_EVENT: Form = Form::size(MIN_STREAM_EVENT_BYTES, MAX_STREAM_EVENT_BYTES);
static HELD_ANSWER: Form = Form::size(MIN_HELD_ANSWER_BYTES, MAX_HELD_ANSWER_BYTES);
static WAITING: Form = Form::object(&[
    Key::usually(
        "total",
        Usual::Whole(500),
        "Of all callers together.",
        &NUMBER_WAITING,
    ),
    Key::usually(
        "per_subject",
        Usual::Whole(20),
        "Of one caller. More than `total` has no effect.",
        &NUMBER_WAITING,
    ),
]);
static NUMBER_WAITING: Form = Form::whole(1, MAX_WAITING);

/// Reads `/limits`.
#[must_use]
pub fn read(node: &Node<'_>) -> Option<Limits> {
    let object = node.object()?;
    let request_body = object.size("request_body");
    let buffers = object.size("buffers");
    if let (Some(request_body), Some(buffers)) = (request_body, buffers) {
        check_buffers(&object, request_body, buffers);
    }
    let waiting = object.object("waiting")?;
    let total = waiting.whole("total");
    let per_subject = waiting.whole("per_subject");
    Some(Limits {
        request_body: request_body?,
        buffers: buffers?,
        stream_event: object.size("stream_event")?,
        held_answer: object.size("held_answer")?,
        waiting: Waiting {
            total: total?,
            per_subject: per_subject?,
        },
    })
}

fn check_buffers(object: &Object<'_>, request_body: u64, buffers: u64) {
    let least = request_body.saturating_mul(BUFFERS_FOR_A_BODY);
    if buffers < least
        && let Some(node) = object.get("buffers")
    {
        node.expected(format!(
            "at least {BUFFERS_FOR_A_BODY} times \"request_body\", which is {}",
            show_size(least)
        ));
    }
}
