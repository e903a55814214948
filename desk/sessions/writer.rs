//! Writes records to the ledger, on a thread of its own.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use tokio::runtime::Handle;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot};

use super::books::{Books, Outcome};
use super::counts::Counts;
use super::event::{Event, What, Who};
use super::record::Entry;
use super::standing::Sender;
use crate::ledger::Expired;
use crate::quotas::{Figures, From};
use crate::seldom::Seldom;
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

/// How long an event may take until the disk has it.
const EVENT_PATIENCE: Duration = Duration::from_secs(5);

/// Hands records and events to the writer's thread.
#[derive(Clone)]
pub struct Writer {
    sender: mpsc::Sender<Order>,
    room: Arc<Semaphore>,
    /// Whether nothing can be stored at present.
    fails: Arc<AtomicBool>,
    bytes: Arc<AtomicU64>,
}

enum Order {
    Store(Batch),
    Enter(Entering),
    Remove(Expired, u64, oneshot::Sender<bool>),
    Run(Job),
    End,
}

/// What is to be done with the books behind the batches that came before.
type Job = Box<dyn FnOnce(&mut Books) + Send>;

struct Entering {
    event: Box<Event>,
    entered: oneshot::Sender<()>,
}

struct Batch {
    from: Sender,
    entries: Vec<Entry>,
    stored: oneshot::Sender<Stored>,
    _room: OwnedSemaphorePermit,
}

/// What became of the records of one message: the disk has them, but for some.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stored {
    /// How many were left out since others have their ids or numbers.
    pub contradicting: usize,
    /// How many were left out since their worker is somebody else's.
    pub foreign: usize,
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
            fails: Arc::default(),
            bytes: Arc::default(),
        }
    }

    /// Hands over the records of one message of `from`; waits while too many wait. What is returned
    /// tells when the disk has them, or that they are lost.
    ///
    /// # Errors
    /// [`Gone`] if the thread has ended.
    pub async fn put(
        &self,
        from: Sender,
        entries: Vec<Entry>,
    ) -> Result<oneshot::Receiver<Stored>, Gone> {
        let bytes: usize = entries.iter().map(|entry| entry.text.len()).sum();
        let cost = u32::try_from(bytes >> 10).unwrap_or(MAX_WAITING);
        let cost = cost.clamp(1, MAX_WAITING);
        let (stored, told) = oneshot::channel();
        if self.sender.is_closed() {
            return Err(Gone);
        }
        let more = u64::try_from(bytes).unwrap_or(u64::MAX);
        self.bytes.fetch_add(more, Ordering::Relaxed);
        let room = Arc::clone(&self.room).acquire_many_owned(cost);
        let batch = Batch {
            from,
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

    /// Enters an event, and waits until the disk has it.
    ///
    /// # Errors
    /// [`Gone`] if it can't be stored now, or not within some seconds: then it may have been stored, and the
    /// caller must not do what it says.
    pub async fn enter(&self, who: Who, what: What) -> Result<(), Gone> {
        self.enter_all(vec![(who, what)]).await
    }

    /// Enters several events as [`Writer::enter`] does, with one write to the disk where that is possible.
    ///
    /// # Errors
    /// [`Gone`] if one of them can't be stored: others may have been.
    pub async fn enter_all(&self, events: Vec<(Who, What)>) -> Result<(), Gone> {
        let events = events.into_iter();
        let events = events.map(|(who, what)| Event::new(who, what).map(Box::new));
        let events = events.collect::<Result<Vec<_>, _>>().map_err(|_| Gone)?;
        if self.fails.load(Ordering::Relaxed) {
            return Err(Gone);
        }
        let enter = async {
            let mut waiting = Vec::with_capacity(events.len());
            for event in events {
                let (entered, told) = oneshot::channel();
                let order = Order::Enter(Entering { event, entered });
                self.sender.send(order).await.map_err(|_| Gone)?;
                waiting.push(told);
            }
            for told in waiting {
                told.await.map_err(|_| Gone)?;
            }
            Ok(())
        };
        let entered = tokio::time::timeout(EVENT_PATIENCE, enter);
        entered.await.unwrap_or(Err(Gone))
    }

    /// Removes the oldest segment, whose entries are from before `before` (milliseconds since 1970). Returns
    /// whether it went.
    ///
    /// # Errors
    /// [`Gone`] if that failed, which the log says.
    pub async fn remove(&self, expired: Expired, before: u64) -> Result<bool, Gone> {
        let (told, heard) = oneshot::channel();
        let order = Order::Remove(expired, before, told);
        self.sender.send(order).await.map_err(|_| Gone)?;
        heard.await.map_err(|_| Gone)
    }

    /// Makes the thread store what it was given, and end.
    pub async fn end(&self) {
        // This fails only if it has ended already.
        let _ = self.sender.send(Order::End).await;
    }

    /// How many bytes of records it was given.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
    }

    /// How many batches wait for the thread.
    #[must_use]
    pub fn waiting(&self) -> usize {
        let most = self.sender.max_capacity();
        most.saturating_sub(self.sender.capacity())
    }

    /// How many KiB of records wait for the disk, those that are being written among them.
    #[must_use]
    pub fn waiting_kib(&self) -> usize {
        let most = usize::try_from(MAX_WAITING).unwrap_or(usize::MAX);
        match self.is_alive() {
            true => most.saturating_sub(self.room.available_permits()),
            false => 0,
        }
    }

    /// Whether the thread still takes records.
    #[must_use]
    pub fn is_alive(&self) -> bool {
        !self.sender.is_closed()
    }
}

/// Starts the writer, on the runtime that this is called on. What records say of quotas is noted in `figures` once
/// they are stored.
///
/// # Errors
/// When no thread can be started.
pub fn start(
    books: Books,
    counts: Arc<Counts>,
    figures: Arc<Figures>,
    stop: Stop,
) -> std::io::Result<(Writer, JoinHandle<Result<(), Lost>>)> {
    let (sender, receiver) = mpsc::channel(QUEUE);
    let room = Arc::new(Semaphore::new(
        usize::try_from(MAX_WAITING).unwrap_or(usize::MAX),
    ));
    let fails = Arc::<AtomicBool>::default();
    let writer = Writer {
        sender,
        room,
        fails: Arc::clone(&fails),
        bytes: Arc::default(),
    };
    let runtime = Handle::current();
    let thread = std::thread::Builder::new()
        .name("recorder".to_owned())
        .spawn(move || {
            let mut keeping = Keeping {
                books,
                counts,
                figures,
                stop,
                fails,
                lost: 0,
            };
            keeping.run(&runtime, receiver)
        })?;
    Ok((writer, thread))
}

struct Keeping {
    books: Books,
    counts: Arc<Counts>,
    figures: Arc<Figures>,
    stop: Stop,
    fails: Arc<AtomicBool>,
    lost: usize,
}

impl Keeping {
    fn run(&mut self, runtime: &Handle, mut receiver: mpsc::Receiver<Order>) -> Result<(), Lost> {
        let mut signed = Instant::now();
        loop {
            let forgets = self.forget();
            let wait = match forgets {
                true => Duration::ZERO,
                false => SIGN.saturating_sub(signed.elapsed()),
            };
            // The timer must be made on the runtime, too.
            let first =
                runtime.block_on(async { tokio::time::timeout(wait, receiver.recv()).await });
            if let Ok(None) = first {
                break;
            }
            let mut next = first.ok().flatten();
            let (mut batches, mut events, mut removals) = (Vec::new(), Vec::new(), Vec::new());
            let mut job = None;
            while let Some(order) = next {
                match order {
                    Order::Store(batch) => batches.push(batch),
                    Order::Enter(event) => events.push(event),
                    Order::Remove(expired, before, told) => removals.push((expired, before, told)),
                    Order::Run(what) => {
                        job = Some(what);
                        break;
                    }
                    Order::End => receiver.close(),
                }
                next = (batches.len().saturating_add(events.len()) < QUEUE)
                    .then(|| receiver.try_recv().ok())
                    .flatten();
            }
            // Who has left must not find an entry of what didn't happen.
            events.retain(|event| !event.entered.is_closed());
            if !batches.is_empty() || !events.is_empty() {
                // While more waits, the index may lack what is stored.
                self.store(batches, events, receiver.is_empty());
            }
            for (expired, before, told) in removals {
                self.remove(&expired, before, told);
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

    fn remove(&mut self, expired: &Expired, before: u64, told: oneshot::Sender<bool>) {
        match self.books.remove(expired, before) {
            Ok(removed) => {
                if removed {
                    let (from, to) = (expired.from, expired.to);
                    tracing::info!(from, to, "old entries were removed");
                }
                // Who asked may have left.
                let _ = told.send(removed);
            }
            Err(error) => tracing::error!(%error, "old entries can't be removed"),
        }
    }

    /// Takes some rows of what was removed out of the index, and says whether there may be more.
    fn forget(&mut self) -> bool {
        self.books.forget().unwrap_or_else(|error| {
            tracing::error!(%error, "rows of removed records stay in the index until the next start");
            self.books.forgets_later();
            false
        })
    }

    /// Notes what records of a batch say of quotas; `first` is the place of its first one. What was left out says
    /// nothing, and neither does what is imported: that may be old.
    fn figure(&self, batch: &Batch, first: usize, outcome: &Outcome) {
        if batch.from == Sender::Operator {
            return;
        }
        for (place, record) in (first..).zip(&batch.entries) {
            if outcome.foreign.contains(&place) || outcome.contradicting.contains(&place) {
                continue;
            }
            let from = From {
                filter: batch.from.peer(),
                node: record.node.as_deref(),
                time: &record.time,
            };
            self.figures.note(from, &record.charges);
        }
    }

    fn store(&mut self, batches: Vec<Batch>, mut events: Vec<Entering>, settle: bool) {
        self.counts.begins();
        let records: usize = batches.iter().map(|batch| batch.entries.len()).sum();
        let mut last_tries = if self.lost > 0 { 1 } else { LAST_TRIES };
        loop {
            let offered = batches.iter().flat_map(|batch| {
                let records = batch.entries.iter();
                records.map(|record| (&batch.from, record))
            });
            let entered: Vec<_> = events.iter().map(|entering| &*entering.event).collect();
            let taken = self.books.take(offered, &entered);
            let retries = taken.is_err() && !batches.is_empty();
            self.fails.store(retries, Ordering::Relaxed);
            // An event is stored, or refused, at once: somebody waits for it. Of records that are stored when
            // the index fails, the next try says that they are known.
            for entering in events.drain(..).filter(|_| taken.is_ok()) {
                let _ = entering.entered.send(());
            }
            let stored = taken.and_then(|outcome| {
                if settle {
                    self.books.settle()?;
                }
                Ok(outcome)
            });
            match stored {
                Ok(outcome) => {
                    static CONTRADICTING: Seldom = Seldom::new();
                    static FOREIGN: Seldom = Seldom::new();
                    if !outcome.contradicting.is_empty()
                        && let Some(times) = CONTRADICTING.again()
                    {
                        tracing::warn!(
                            records = outcome.contradicting.len(),
                            times,
                            "session records were left out: others have their ids or numbers"
                        );
                    }
                    if !outcome.foreign.is_empty()
                        && let Some(times) = FOREIGN.again()
                    {
                        tracing::warn!(
                            records = outcome.foreign.len(),
                            times,
                            "session records were left out: their workers are other peers'"
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
                        let foreign = outcome.foreign.iter().filter(own).count();
                        self.figure(&batch, first, &outcome);
                        // Who left doesn't hear it.
                        let _ = batch.stored.send(Stored {
                            contradicting,
                            foreign,
                        });
                        first = next;
                    }
                    return;
                }
                Err(error) => {
                    tracing::error!(%error, records, "session records can't be stored");
                    self.counts.storing_fails(Some(error.to_string()));
                }
            }
            if batches.is_empty() {
                // Nothing waits any more; health says that it failed until something is stored.
                self.counts.ends();
                return;
            }
            if self.stop.is_requested() {
                last_tries = last_tries.saturating_sub(1);
                if last_tries == 0 {
                    tracing::error!(records, "session records are lost");
                    self.lost = self.lost.saturating_add(records);
                    self.fails.store(false, Ordering::Relaxed);
                    return;
                }
            }
            std::thread::sleep(PAUSE);
        }
    }
}
