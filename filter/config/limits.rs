//! `/limits` of the policy.

use super::reader::Node;
use super::units;

/// `/limits`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// The largest request body that is read for a decision, in bytes.
    pub request_body: u64,
    /// The most that is held of bodies at once in each worker, in bytes.
    pub buffers: u64,
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

impl Default for Waiting {
    fn default() -> Self {
        Self {
            total: 500,
            per_subject: 20,
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            request_body: 8 << 20,
            buffers: 256 << 20,
            waiting: Waiting::default(),
        }
    }
}

/// Each of them keeps its request's head, of up to 60 KiB, in the VM's memory.
const MAX_WAITING: u64 = 10_000;

/// A body is held in the VM's memory while it is judged, and that memory is capped.
const MAX_REQUEST_BODY_BYTES: u64 = 64 << 20;

/// One decoder may need 16 MiB.
const MIN_BUFFERS_BYTES: u64 = 32 << 20;
/// A worker's memory is capped at 1 GiB, and not all of it is for bodies.
const MAX_BUFFERS_BYTES: u64 = 768 << 20;
/// A body under its mask may be twice as long as one that is accepted, and has room to grow.
const BUFFERS_FOR_A_BODY: u64 = 3;

pub(super) fn read(node: &Node<'_>) -> Option<Limits> {
    let object = node.object()?;
    let mut limits = Limits::default();
    if let Some(node) = object.optional("request_body")
        && let Some(size) = units::size(&node, 1, MAX_REQUEST_BODY_BYTES)
    {
        limits.request_body = size;
    }
    if let Some(node) = object.optional("buffers")
        && let Some(size) = units::size(&node, MIN_BUFFERS_BYTES, MAX_BUFFERS_BYTES)
    {
        let least = limits.request_body.saturating_mul(BUFFERS_FOR_A_BODY);
        if size < least {
            node.expected(format!(
                "at least {BUFFERS_FOR_A_BODY} times \"request_body\", which is {}",
                units::show_size(least)
            ));
        }
        limits.buffers = size;
    }
    if let Some(node) = object.optional("waiting")
        && let Some(waiting) = read_waiting(&node)
    {
        limits.waiting = waiting;
    }
    object.later(
        "response_body",
        "a limit of the response's size (\"response_body\")",
    );
    object.later(
        "response_time",
        "a limit of the response's time (\"response_time\")",
    );
    object.later("timing_bucket", "coarse response times (\"timing_bucket\")");
    object.close();
    Some(limits)
}

fn read_waiting(node: &Node<'_>) -> Option<Waiting> {
    let object = node.object()?;
    let mut waiting = Waiting::default();
    for (key, limit) in [
        ("total", &mut waiting.total),
        ("per_subject", &mut waiting.per_subject),
    ] {
        let Some(node) = object.optional(key) else {
            continue;
        };
        match node.value().as_u64() {
            Some(number) if (1..=MAX_WAITING).contains(&number) => *limit = number,
            _ => node.expected(format!("a whole number from 1 to {MAX_WAITING}")),
        }
    }
    object.close();
    Some(waiting)
}
