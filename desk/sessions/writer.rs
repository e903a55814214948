//! Writes records to the ledger, on a thread of its own.

use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use tokio::runtime::Handle;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot};

use super::books::Books;
use super::counts::Counts;
use super::record::Entry;
use crate::stop::Stop;

/// How many batches may wait for the writer: all of them are stored by one write to the disk.
const QUEUE: usize = 1024;

/// How many KiB of records may wait. When they do, streams are read no further, and Envoy buffers.
const MAX_WAITING: u32 = 64 << 10;

/// The pause before a failed write is tried again.
const PAUSE: Duration = Duration::from_secs(1);

/// How often a failing write is tried once the desk is stopping; until then, the writer never
/// gives up.
const LAST_TRIES: u32 = 3;

/// How long records are stored and not signed for yet.
const SIGN: Duration = Duration::from_secs(1);

/// Hands records to the writer's thread.
#[derive(Clone)]
pub struct Writer {
    sender: mpsc::Sender<Order>,
    room: Arc<Semaphore>,
}

enum Order {
    Store(Batch),
    Run(Job),
    End,
}

/// What is to be done with the books behind the batches that came before.
type Job = Box<dyn FnOnce(&mut Books) + Send>;

struct Batch {
    entries: Vec<Entry>,
    stored: oneshot::Sender<Stored>,
    _room: OwnedSemaphorePermit,
}

/// What became of the records of one message: the disk has them, but for some.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stored {
    /// How many were left out since others have their ids or numbers.
    pub contradicting: usize,
}

/// The writer's thread has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gone;

/// Records are lost, since they could not be stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lost(pub usize);

impl Writer {
    /// A writer whose thread has ended already.
    #[must_use]
    pub fn gone() -> Self {
        Self {
            sender: mpsc::channel(1).0,
            room: Arc::new(Semaphore::new(1)),
        }
    }

    /// Hands over the records of one message; waits while too many wait. What is returned tells
    /// when the disk has them, or that they are lost.
    ///
    /// # Errors
    /// [`Gone`] if the thread has ended.
    pub async fn put(&self, entries: Vec<Entry>) -> Result<oneshot::Receiver<Stored>, Gone> {
        let bytes: usize = entries.iter().map(|entry| entry.text.len()).sum();
        let cost = u32::try_from(bytes >> 10).unwrap_or(MAX_WAITING);
        let cost = cost.clamp(1, MAX_WAITING);
        let (stored, told) = oneshot::channel();
        if self.sender.is_closed() {
            return Err(Gone);
        }
        let room = Arc::clone(&self.room).acquire_many_owned(cost);
        let batch = Batch {
            entries,
            stored,
            _room: room.await.map_err(|_| Gone)?,
        };
        self.sender
            .send(Order::Store(batch))
            .await
            .map_err(|_| Gone)?;
        Ok(told)
    }

    /// Has the thread do something else with the books, once it has stored what came before. It is not
    /// begun if nobody waits for it any more.
    ///
    /// # Errors
    /// [`Gone`] if the thread has ended.
    pub async fn run<T: Send + 'static>(
        &self,
        job: impl FnOnce(&mut Books) -> T + Send + 'static,
    ) -> Result<T, Gone> {
        let (done, told) = oneshot::channel();
        let job = move |books: &mut Books| {
            if !done.is_closed() {
                // Who left meanwhile doesn't hear it.
                let _ = done.send(job(books));
            }
        };
        let order = Order::Run(Box::new(job));
        self.sender.send(order).await.map_err(|_| Gone)?;
        told.await.map_err(|_| Gone)
    }

    /// Makes the thread store what it was given, and end.
    pub async fn end(&self) {
        // This fails only if it has ended already.
        let _ = self.sender.send(Order::End).await;
    }

    /// Whether the thread still takes records.
    #[must_use]
    pub fn is_alive(&self) -> bool {
        !self.sender.is_closed()
    }
}

/// Starts the writer, on the runtime that this is called on.
///
/// # Errors
/// When no thread can be started.
pub fn start(
    books: Books,
    counts: Arc<Counts>,
    stop: Stop,
) -> std::io::Result<(Writer, JoinHandle<Result<(), Lost>>)> {
    let (sender, receiver) = mpsc::channel(QUEUE);
    let room = Arc::new(Semaphore::new(
        usize::try_from(MAX_WAITING).unwrap_or(usize::MAX),
    ));
    let runtime = Handle::current();
    let thread = std::thread::Builder::new()
        .name("recorder".to_owned())
        .spawn(move || {
            let mut keeping = Keeping {
                books,
                counts,
                stop,
                lost: 0,
            };
            keeping.run(&runtime, receiver)
        })?;
    Ok((Writer { sender, room }, thread))
}

struct Keeping {
    books: Books,
    counts: Arc<Counts>,
    stop: Stop,
    lost: usize,
}

impl Keeping {
    fn run(&mut self, runtime: &Handle, mut receiver: mpsc::Receiver<Order>) -> Result<(), Lost> {
        let mut signed = Instant::now();
        loop {
            let wait = SIGN.saturating_sub(signed.elapsed());
            // The timer must be made on the runtime, too.
            let first =
                runtime.block_on(async { tokio::time::timeout(wait, receiver.recv()).await });
            if let Ok(None) = first {
                break;
            }
            let mut next = first.ok().flatten();
            let mut batches = Vec::new();
            let mut job = None;
            while let Some(order) = next {
                match order {
                    Order::Store(batch) => batches.push(batch),
                    Order::Run(what) => {
                        job = Some(what);
                        break;
                    }
                    Order::End => receiver.close(),
                }
                next = (batches.len() < QUEUE)
                    .then(|| receiver.try_recv().ok())
                    .flatten();
            }
            if !batches.is_empty() {
                // While more waits, the index may lack what is stored.
                self.store(batches, receiver.is_empty());
            }
            if let Some(job) = job {
                job(&mut self.books);
            }
            if signed.elapsed() >= SIGN {
                self.sign();
                signed = Instant::now();
            }
        }
        if let Err(error) = self.books.settle() {
            tracing::error!(%error, "the index lacks records, and is brought up at the next start");
        }
        self.sign();
        match self.lost {
            0 => Ok(()),
            lost => Err(Lost(lost)),
        }
    }

    fn sign(&mut self) {
        let result = self.books.checkpoint();
        if let Err(error) = &result {
            tracing::error!(%error, "session records are stored, and can't be signed for");
        }
        self.counts
            .signing_fails(result.err().map(|error| error.to_string()));
    }

    fn store(&mut self, batches: Vec<Batch>, settle: bool) {
        self.counts.begins();
        let records: usize = batches.iter().map(|batch| batch.entries.len()).sum();
        let mut last_tries = if self.lost > 0 { 1 } else { LAST_TRIES };
        loop {
            let entries = batches.iter().flat_map(|batch| &batch.entries);
            // Of records that are stored when the index fails, the next try says that they are known.
            let stored = self.books.put(entries).and_then(|outcome| {
                if settle {
                    self.books.settle()?;
                }
                Ok(outcome)
            });
            match stored {
                Ok(outcome) => {
                    if !outcome.contradicting.is_empty() {
                        tracing::warn!(
                            records = outcome.contradicting.len(),
                            "session records were left out: others have their ids or numbers"
                        );
                    }
                    self.counts.storing_fails(None);
                    self.counts.ends();
                    self.counts.add(&outcome);
                    let mut first = 0_usize;
                    for batch in batches {
                        let next = first.saturating_add(batch.entries.len());
                        let own = |place: &&usize| (first..next).contains(*place);
                        let contradicting = outcome.contradicting.iter().filter(own).count();
                        // Who left doesn't hear it.
                        let _ = batch.stored.send(Stored { contradicting });
                        first = next;
                    }
                    return;
                }
                Err(error) => {
                    tracing::error!(%error, records, "session records can't be stored");
                    self.counts.storing_fails(Some(error.to_string()));
                }
            }
            if self.stop.is_requested() {
                last_tries = last_tries.saturating_sub(1);
                if last_tries == 0 {
                    tracing::error!(records, "session records are lost");
                    self.lost = self.lost.saturating_add(records);
                    return;
                }
            }
            std::thread::sleep(PAUSE);
        }
    }
}
