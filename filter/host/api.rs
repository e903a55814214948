//! What the adapter asks of its host.
//!
//! Everything above this trait is the same code in Envoy and in a native test, whose host can be
//! told to refuse any call. In Envoy the trait is a value without a size, so that a call through it
//! costs what the host call does.

use core::time::Duration;

use crate::exchange::Direction;

/// A status other than Ok, as the host gave it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Status(pub(super) u32);

impl Status {
    pub(super) const NOT_FOUND: Self = Self(1);
    pub(super) const CAS_MISMATCH: Self = Self(8);
}

/// Maps of headers.
#[derive(Clone, Copy, Debug)]
#[repr(u32)]
pub(super) enum Map {
    Request = 0,
    RequestTrailers = 1,
    Response = 2,
    ResponseTrailers = 3,
    CallResponse = 6,
    CallTrailers = 7,
}

/// Buffers.
#[derive(Clone, Copy, Debug)]
#[repr(u32)]
pub(super) enum Buffer {
    RequestBody = 0,
    ResponseBody = 1,
    CallResponseBody = 4,
    #[cfg_attr(
        not(target_arch = "wasm32"),
        expect(dead_code, reason = "only the root reads it")
    )]
    PluginConfiguration = 7,
}

/// How bad a line of the log is.
#[derive(Clone, Copy, Debug)]
#[repr(u32)]
pub(super) enum Level {
    Warn = 3,
    Error = 4,
}

/// Names and values of headers, in the memory that the host filled.
pub(super) struct Pairs(pub(super) Vec<u8>);

/// Takes a number off the front.
fn number(rest: &mut &[u8]) -> Option<usize> {
    let (head, tail) = rest.split_first_chunk::<4>()?;
    *rest = tail;
    usize::try_from(u32::from_le_bytes(*head)).ok()
}

impl Pairs {
    /// All of them: a count, then for each pair the lengths of name and value, then the names and
    /// values, each with a NUL behind it. `None` if the memory holds something else.
    pub(super) fn get(&self) -> Option<Vec<(&[u8], &[u8])>> {
        let mut rest = self.0.as_slice();
        if rest.is_empty() {
            return Some(Vec::new());
        }
        let count = number(&mut rest)?;
        let (mut lengths, mut texts) = rest.split_at_checked(count.checked_mul(8)?)?;
        let mut text = |length: usize| {
            let (text, tail) = texts.split_at_checked(length)?;
            texts = tail.get(1..)?;
            Some(text)
        };
        (0..count)
            .map(|_| {
                let (name, value) = (number(&mut lengths)?, number(&mut lengths)?);
                Some((text(name)?, text(value)?))
            })
            .collect()
    }
}

/// What a callback tells the host about the thing that it brought.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Action {
    /// It goes on, and with it whatever of its direction is held.
    Continue,
    /// It is held, and with it everything behind it.
    Pause,
}

/// A request to another cluster.
#[derive(Debug)]
pub(super) struct HttpCall<'a> {
    /// The Envoy cluster.
    pub(super) cluster: &'a str,
    /// Pseudo-headers first.
    pub(super) headers: Vec<(&'a str, &'a str)>,
    pub(super) body: Option<&'a [u8]>,
    /// Never zero, which would be no limit at all.
    pub(super) timeout: Duration,
}

/// The end of a call: its token, and what there is of an answer.
#[derive(Clone, Copy, Debug)]
pub(super) struct CallEnd {
    pub(super) token: u32,
    /// How many headers there are; none if the call failed.
    pub(super) headers: usize,
    /// Bytes of the body.
    pub(super) bytes: usize,
    /// How many trailers there are.
    pub(super) trailers: usize,
}

/// An answer of the filter's own.
#[derive(Debug)]
pub(super) struct LocalReply<'a> {
    /// The HTTP status.
    pub(super) status: u16,
    /// The status for callers that speak gRPC.
    pub(super) grpc_status: u8,
    pub(super) headers: &'a [(&'a str, &'a str)],
    pub(super) body: &'a [u8],
}

/// A host of filters. All that concerns a stream is about the current one: that of the callback,
/// or of the last [`Host::act_for`] in it. A clone is the same host.
pub(super) trait Host: Clone + 'static {
    /// Writes a line to the host's log. There is nothing to be done where that fails.
    fn log(&self, level: Level, message: &str);

    /// The time since 1970.
    fn now(&self) -> Result<Duration, Status>;

    /// Fills `bytes` with random ones.
    fn random(&self, bytes: &mut [u8]) -> Result<(), Status>;

    /// How much memory this VM has, in bytes.
    fn memory(&self) -> u64;

    /// All headers, names in lower case as Envoy keeps them.
    fn headers(&self, map: Map) -> Result<Pairs, Status>;

    /// The first value of a header; costs less than all headers do. No value where the header is
    /// missing.
    fn header(&self, map: Map, name: &str) -> Result<Vec<u8>, Status>;

    /// Puts a header in place of all that have its name.
    fn set_header(&self, map: Map, name: &str, value: &[u8]) -> Result<(), Status>;

    /// Removes all headers with this name.
    fn remove_header(&self, map: Map, name: &str) -> Result<(), Status>;

    /// Up to `length` bytes from `start` on.
    fn buffer(&self, kind: Buffer, start: usize, length: usize) -> Result<Vec<u8>, Status>;

    /// Puts `bytes` in place of the first `length` bytes.
    fn replace_buffer(&self, kind: Buffer, length: usize, bytes: &[u8]) -> Result<(), Status>;

    /// Answers the client. Envoy takes one answer a stream.
    fn reply(&self, reply: &LocalReply<'_>) -> Result<(), Status>;

    /// Lets a held direction go on, once the current callback has returned. Never from a callback
    /// of that direction, and never for a stream that has ended.
    fn resume(&self, direction: Direction) -> Result<(), Status>;

    /// Makes another stream the current one; fails where its memory is gone.
    fn act_for(&self, context: u32) -> Result<(), Status>;

    /// Zero stops the ticks.
    fn tick_every(&self, milliseconds: u32) -> Result<(), Status>;

    /// Says that the configuration of the current context may go now, which it kept the host from.
    fn done(&self) -> Result<(), Status>;

    /// Sends a request; its answer comes with the token that this gives.
    fn call(&self, call: HttpCall<'_>) -> Result<u32, Status>;

    /// A property of the stream, by the parts of its path.
    fn property(&self, path: &[&str]) -> Result<Vec<u8>, Status>;

    /// Sets the filter state `wasm.{name}` of the stream.
    fn set_state(&self, name: &str, value: &[u8]) -> Result<(), Status>;

    /// A shared value and the number of its last change.
    fn shared(&self, key: &str) -> Result<(Vec<u8>, u32), Status>;

    /// Sets a shared value if it has not changed since `change`; always, if that is zero.
    fn set_shared(&self, key: &str, value: &[u8], change: u32) -> Result<(), Status>;

    /// A counter of the whole host; the same name is the same counter.
    fn counter(&self, name: &str) -> Result<u32, Status>;

    /// Raises a counter, or changes a gauge in either direction.
    fn change(&self, metric: u32, by: i64) -> Result<(), Status>;

    /// A gauge of the whole host; the same name is the same gauge.
    fn gauge(&self, name: &str) -> Result<u32, Status>;

    /// A histogram of the whole host; the same name is the same histogram.
    fn histogram(&self, name: &str) -> Result<u32, Status>;

    /// What a gauge has.
    fn metric(&self, gauge: u32) -> Result<u64, Status>;

    /// Sets a gauge, or puts a value into a histogram.
    fn set_metric(&self, gauge: u32, value: u64) -> Result<(), Status>;
}
