//! What one who streams records may have.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::strangers::Share;

/// How many streams a peer may have open. Each worker thread of an Envoy keeps one.
pub const MAX_STREAMS: usize = 1024;

/// How many KiB of large messages a peer may have under way.
const ROOM: usize = 64 << 10;

/// A peer's streams, and the room for their large messages.
pub(super) struct Peer {
    most: usize,
    streams: Arc<Semaphore>,
    room: Arc<Semaphore>,
}

/// A stream that may be open, until this is dropped.
pub(super) struct Admitted {
    /// The room for large messages, which the peer's streams share: a permit is a KiB.
    pub(super) room: Arc<Semaphore>,
    /// Of a stream without a key, its part of what its address may have.
    _share: Option<Share>,
    _stream: OwnedSemaphorePermit,
}

impl Peer {
    /// A peer with at most so many streams.
    pub(super) fn new(most: usize) -> Self {
        Self {
            most,
            streams: Arc::new(Semaphore::new(most)),
            room: Arc::new(Semaphore::new(ROOM)),
        }
    }

    /// How many streams are open.
    pub(super) fn open(&self) -> usize {
        self.most.saturating_sub(self.streams.available_permits())
    }

    /// One more stream, with its part of what its address may have; `None` if there are as many as there may be.
    pub(super) fn admit(&self, share: Option<Share>) -> Option<Admitted> {
        let stream = Arc::clone(&self.streams).try_acquire_owned().ok()?;
        let room = Arc::clone(&self.room);
        Some(Admitted {
            room,
            _share: share,
            _stream: stream,
        })
    }
}
