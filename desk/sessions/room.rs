//! How much memory the messages of a peer take that have begun and are not whole yet.
//!
//! A message is decoded when all of it is there. Without a bound, streams that each stop in the middle of a large
//! one would take as much memory as they like.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::body::Bytes;
use axum::body::HttpBody;
use hyper::body::Frame;
use tokio::sync::{AcquireError, OwnedSemaphorePermit, Semaphore};
use tokio::time::Sleep;
use tonic::Status;
use tonic::body::Body;

/// Messages up to this many bytes take no room: with the most streams that a peer may have, they are 64 MiB. Envoy's
/// are smaller unless it was told otherwise.
const SMALL: usize = 64 << 10;

/// What stands in front of each message: a flag, and its length (gRPC's length-prefixed message).
const PREFIX: usize = 5;

type Acquired = Result<OwnedSemaphorePermit, AcquireError>;

/// The body of a stream, whose large messages wait for room, a KiB a permit.
pub(super) struct Measured {
    body: Body,
    room: Arc<Semaphore>,
    /// How long a large message may take from its first bytes to its last.
    patience: Duration,
    /// The largest message that will be decoded, in bytes. Larger ones are refused there.
    most: usize,
    prefix: Vec<u8>,
    /// How many bytes of the present message are still to come.
    left: usize,
    large: Option<Large>,
}

/// A large message.
struct Large {
    end: Pin<Box<Sleep>>,
    state: State,
}

enum State {
    /// Its first bytes wait for room.
    Waits(Frame<Bytes>, Pin<Box<dyn Future<Output = Acquired> + Send>>),
    /// The rest is coming.
    Has { _room: OwnedSemaphorePermit },
}

impl Measured {
    /// Measures a body.
    pub(super) fn new(body: Body, room: Arc<Semaphore>, patience: Duration, most: usize) -> Self {
        Self {
            body,
            room,
            patience,
            most,
            prefix: Vec::with_capacity(PREFIX),
            left: 0,
            large: None,
        }
    }

    /// Follows the messages through some bytes; the length of one that is not whole at their end and needs room that
    /// it doesn't have yet.
    fn follow(&mut self, mut bytes: &[u8]) -> Option<usize> {
        let mut begun = None;
        while !bytes.is_empty() {
            if self.left == 0 {
                let missing = PREFIX.saturating_sub(self.prefix.len());
                let (head, rest) = bytes.split_at(missing.min(bytes.len()));
                self.prefix.extend_from_slice(head);
                bytes = rest;
                if let [_, a, b, c, d] = *self.prefix.as_slice() {
                    self.prefix.clear();
                    let length = u32::from_be_bytes([a, b, c, d]);
                    self.left = usize::try_from(length).unwrap_or(usize::MAX);
                    begun = Some(self.left);
                }
            }
            let taken = self.left.min(bytes.len());
            bytes = bytes.get(taken..).unwrap_or_default();
            self.left = self.left.saturating_sub(taken);
            if self.left == 0 && self.prefix.is_empty() {
                self.large = None;
                begun = None;
            }
        }
        begun.filter(|length| (SMALL..=self.most).contains(length))
    }
}

impl HttpBody for Measured {
    type Data = Bytes;
    type Error = Status;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        let this = self.get_mut();
        if let Some(large) = &mut this.large
            && large.end.as_mut().poll(context).is_ready()
        {
            let late = Status::deadline_exceeded("a large message did not come in time");
            return Poll::Ready(Some(Err(late)));
        }
        if let Some(Large {
            state: State::Waits(..),
            ..
        }) = &this.large
        {
            return this.poll_room(context);
        }
        let frame = match ready!(Pin::new(&mut this.body).poll_frame(context)) {
            Some(Ok(frame)) => frame,
            other => return Poll::Ready(other),
        };
        let bytes = frame.data_ref().cloned().unwrap_or_default();
        let Some(length) = this.follow(&bytes) else {
            return Poll::Ready(Some(Ok(frame)));
        };
        let room = Arc::clone(&this.room);
        let kib = u32::try_from(length.div_ceil(1 << 10)).unwrap_or(u32::MAX);
        this.large = Some(Large {
            end: Box::pin(tokio::time::sleep(this.patience)),
            state: State::Waits(frame, Box::pin(room.acquire_many_owned(kib))),
        });
        // Both the timer and the room must know whom to wake.
        context.waker().wake_by_ref();
        Poll::Pending
    }
}

impl Measured {
    fn poll_room(
        &mut self,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Status>>> {
        let Some(Large { end, state }) = self.large.take() else {
            return Poll::Ready(None);
        };
        let State::Waits(frame, mut room) = state else {
            return Poll::Ready(None);
        };
        match room.as_mut().poll(context) {
            Poll::Pending => {
                let state = State::Waits(frame, room);
                self.large = Some(Large { end, state });
                Poll::Pending
            }
            Poll::Ready(Ok(room)) => {
                let state = State::Has { _room: room };
                self.large = Some(Large { end, state });
                Poll::Ready(Some(Ok(frame)))
            }
            Poll::Ready(Err(_)) => Poll::Ready(Some(Err(Status::unavailable("the desk stops")))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn measured() -> Measured {
        let room = Arc::new(Semaphore::new(100));
        Measured::new(Body::empty(), room, Duration::from_secs(1), 10 << 20)
    }

    fn message(length: usize) -> Vec<u8> {
        let mut bytes = vec![0];
        bytes.extend(u32::try_from(length).unwrap().to_be_bytes());
        bytes.resize(PREFIX + length, 7);
        bytes
    }

    /// Where large messages begin, with every way of cutting them.
    #[test]
    fn a_large_message_is_seen_where_its_length_is_known() {
        let (small, large) = (message(SMALL - 1), message(SMALL));
        let stream = [&small[..], &message(0), &large, &message(3)].concat();
        let begin = small.len() + PREFIX + PREFIX;
        let end = begin + SMALL;
        for first in (1..begin + 3).step_by(977).chain(begin - 6..begin + 3) {
            let mut measured = measured();
            let (one, other) = stream.split_at(first);
            let seen = [
                measured.follow(one),
                measured.follow(&other[..end - first - 1]),
            ];
            let at = usize::from(first < begin);
            assert_eq!(seen[at], Some(SMALL), "{first}");
            assert_eq!(seen[1 - at], None, "{first}");
            assert_eq!(measured.left, 1);
            assert_eq!(measured.follow(&stream[end - 1..]), None);
            assert_eq!((measured.left, measured.prefix.len()), (0, 0));
        }
    }

    #[test]
    fn what_will_not_be_decoded_takes_no_room() {
        let mut measured = measured();
        assert_eq!(measured.follow(&[0, 0xff, 0xff, 0xff, 0xff, 1]), None);
    }
}
