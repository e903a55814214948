//! Wakes those who wait.

use std::sync::Arc;

use tokio::sync::broadcast::error::RecvError;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, broadcast};

/// How many may wait for decisions at a time, and as many for what stands.
const MAX_WAITING: usize = 4096;

/// How much news a waiter may lag behind before it has to look at the store.
const BACKLOG: usize = 1024;

/// Something that may concern those who wait.
#[derive(Clone, Debug)]
enum Piece {
    /// An approval has another state.
    Approval(Arc<str>),
    /// Something else is listed or blocked.
    Standing,
    /// Somebody else changed the store.
    Anything,
}

/// Announces what happens, so that nobody has to poll the store.
#[derive(Clone)]
pub struct News {
    sender: broadcast::Sender<Piece>,
    deciding: Arc<Semaphore>,
    standing: Arc<Semaphore>,
}

/// Receives what is announced from its creation on.
pub struct Listener {
    receiver: broadcast::Receiver<Piece>,
}

impl Default for News {
    fn default() -> Self {
        Self {
            sender: broadcast::Sender::new(BACKLOG),
            deciding: Arc::new(Semaphore::new(MAX_WAITING)),
            standing: Arc::new(Semaphore::new(MAX_WAITING)),
        }
    }
}

impl News {
    /// Announces that the approval `id` has another state.
    pub fn decided(&self, id: &str) {
        self.tell(Piece::Approval(id.into()));
    }

    /// Announces that something else is listed or blocked.
    pub fn stands(&self) {
        self.tell(Piece::Standing);
    }

    /// Wakes everybody.
    pub fn all(&self) {
        self.tell(Piece::Anything);
    }

    fn tell(&self, piece: Piece) {
        // This fails only when nobody is waiting.
        let _ = self.sender.send(piece);
    }

    /// Starts to listen. Call it before reading the store: what happens in between would be missed.
    #[must_use]
    pub fn listen(&self) -> Listener {
        Listener {
            receiver: self.sender.subscribe(),
        }
    }

    /// Permission to wait for a decision, until it is dropped; `None` if too many are waiting.
    #[must_use]
    pub fn permit(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.deciding).try_acquire_owned().ok()
    }

    /// The same for what stands: those who wait for decisions leave room for it.
    #[must_use]
    pub fn standing_permit(&self) -> Option<OwnedSemaphorePermit> {
        Arc::clone(&self.standing).try_acquire_owned().ok()
    }

    /// How many wait for decisions.
    #[must_use]
    pub fn waiting(&self) -> usize {
        MAX_WAITING.saturating_sub(self.deciding.available_permits())
    }
}

impl Listener {
    /// Waits until `id` may have another state.
    pub async fn wait_for(&mut self, id: &str) {
        self.until(|piece| matches!(piece, Piece::Approval(decided) if &**decided == id))
            .await;
    }

    /// Waits until something else may stand.
    pub async fn wait_for_standing(&mut self) {
        self.until(|piece| matches!(piece, Piece::Standing)).await;
    }

    async fn until(&mut self, concerns: impl Fn(&Piece) -> bool) {
        loop {
            match self.receiver.recv().await {
                Ok(piece) if concerns(&piece) || matches!(piece, Piece::Anything) => return,
                Ok(_) => {}
                Err(RecvError::Lagged(_) | RecvError::Closed) => return,
            }
        }
    }
}
