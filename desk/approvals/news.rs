//! Wakes those who wait for a decision.

use std::sync::Arc;

use tokio::sync::broadcast::error::RecvError;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, broadcast};

/// How many may wait at a time.
const MAX_WAITING: usize = 4096;

/// How many decisions a waiter may lag behind before it has to look at the store.
const BACKLOG: usize = 1024;

/// Announces decisions, so that nobody has to poll the store.
#[derive(Clone)]
pub struct News {
    sender: broadcast::Sender<Arc<str>>,
    permits: Arc<Semaphore>,
}

/// Receives the decisions that are announced from its creation on.
pub struct Listener {
    receiver: broadcast::Receiver<Arc<str>>,
}

impl Default for News {
    fn default() -> Self {
        Self {
            sender: broadcast::Sender::new(BACKLOG),
            permits: Arc::new(Semaphore::new(MAX_WAITING)),
        }
    }
}

impl News {
    /// Announces that the approval `id` was decided.
    pub fn decided(&self, id: &str) {
        // This fails only when nobody is waiting.
        let _ = self.sender.send(id.into());
    }

    /// Starts to listen. Call it before reading the store: a decision in between would be missed.
    #[must_use]
    pub fn listen(&self) -> Listener {
        Listener {
            receiver: self.sender.subscribe(),
        }
    }

    /// Permission to wait, until it is dropped; `None` if too many are waiting.
    #[must_use]
    pub fn permit(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.permits).try_acquire_owned().ok()
    }
}

impl Listener {
    /// Waits until `id` may have been decided.
    pub async fn wait_for(&mut self, id: &str) {
        loop {
            match self.receiver.recv().await {
                Ok(decided) if &*decided == id => return,
                Ok(_) => {}
                Err(RecvError::Lagged(_) | RecvError::Closed) => return,
            }
        }
    }
}
