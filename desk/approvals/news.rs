//! Wakes those who wait for a decision.

use std::sync::Arc;

use tokio::sync::broadcast::error::RecvError;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, broadcast};

/// How many may wait at a time.
const SEATS: usize = 4096;

/// Decisions that a slow waiter may fall behind by, before it looks for itself.
const BACKLOG: usize = 1024;

/// Spreads word of decisions. Nobody polls the store.
#[derive(Clone)]
pub struct News {
    sender: broadcast::Sender<Arc<str>>,
    seats: Arc<Semaphore>,
}

/// Hears of decisions from when it was made.
pub struct Listener {
    receiver: broadcast::Receiver<Arc<str>>,
}

impl Default for News {
    fn default() -> Self {
        Self {
            sender: broadcast::Sender::new(BACKLOG),
            seats: Arc::new(Semaphore::new(SEATS)),
        }
    }
}

impl News {
    /// Says that the approval `id` was decided.
    pub fn decided(&self, id: &str) {
        // Where nobody listens, nobody misses anything.
        let _ = self.sender.send(id.into());
    }

    /// Listens; to be called before the store is looked at, so that nothing falls in between.
    #[must_use]
    pub fn listen(&self) -> Listener {
        Listener {
            receiver: self.sender.subscribe(),
        }
    }

    /// A place to wait at, or none if all are taken.
    #[must_use]
    pub fn seat(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.seats).try_acquire_owned().ok()
    }
}

impl Listener {
    /// Returns once `id` may have been decided.
    pub async fn word_of(&mut self, id: &str) {
        loop {
            match self.receiver.recv().await {
                Ok(decided) if &*decided == id => return,
                Ok(_) => {}
                Err(RecvError::Lagged(_) | RecvError::Closed) => return,
            }
        }
    }
}
