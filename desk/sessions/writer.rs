//! Writes records to the store, on a thread of its own.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread::JoinHandle;
use std::time::Duration;

use rusqlite::Connection;
use tokio::sync::mpsc;

use super::archive::put;
use super::counts::Counts;
use super::record::Entry;
use crate::stop::Stop;

/// How many batches may wait for the writer. When they do, streams are read no further, and Envoy
/// buffers.
const QUEUE: usize = 4;

/// The pause before a failed write is tried again.
const PAUSE: Duration = Duration::from_secs(1);

/// How often a failing write is tried once the desk is stopping; until then, the writer never
/// gives up.
const LAST_TRIES: u32 = 3;

/// Hands records to the writer's thread.
#[derive(Clone)]
pub struct Writer {
    sender: mpsc::Sender<Order>,
}

enum Order {
    Store(Vec<Entry>),
    End,
}

/// The writer's thread has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gone;

impl Writer {
    /// Hands over the records of one message; waits while the queue is full.
    ///
    /// # Errors
    /// [`Gone`] if the thread has ended.
    pub async fn put(&self, entries: Vec<Entry>) -> Result<(), Gone> {
        let order = Order::Store(entries);
        self.sender.send(order).await.map_err(|_| Gone)
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

/// Starts the writer.
///
/// # Errors
/// When no thread can be started.
pub fn start(
    connection: Connection,
    counts: Arc<Counts>,
    stop: Stop,
) -> std::io::Result<(Writer, JoinHandle<()>)> {
    let (sender, receiver) = mpsc::channel(QUEUE);
    let thread = std::thread::Builder::new()
        .name("recorder".to_owned())
        .spawn(move || run(connection, receiver, &counts, &stop))?;
    Ok((Writer { sender }, thread))
}

fn run(
    mut connection: Connection,
    mut receiver: mpsc::Receiver<Order>,
    counts: &Counts,
    stop: &Stop,
) {
    while let Some(first) = receiver.blocking_recv() {
        let mut next = Some(first);
        let mut batches = Vec::new();
        while let Some(order) = next {
            match order {
                Order::Store(entries) => batches.push(entries),
                Order::End => receiver.close(),
            }
            next = (batches.len() < QUEUE)
                .then(|| receiver.try_recv().ok())
                .flatten();
        }
        store(&mut connection, &batches, counts, stop);
    }
}

fn store(connection: &mut Connection, batches: &[Vec<Entry>], counts: &Counts, stop: &Stop) {
    let records: usize = batches.iter().map(Vec::len).sum();
    let mut last_tries = LAST_TRIES;
    loop {
        match put(connection, batches.iter().flatten()) {
            Ok(new) => {
                count(&counts.stored, new);
                count(&counts.known, records.saturating_sub(new));
                return;
            }
            Err(error) => tracing::error!(%error, records, "session records can't be stored"),
        }
        if stop.is_requested() {
            last_tries = last_tries.saturating_sub(1);
            if last_tries == 0 {
                tracing::error!(records, "session records are lost");
                return;
            }
        }
        std::thread::sleep(PAUSE);
    }
}

fn count(counter: &std::sync::atomic::AtomicU64, by: usize) {
    counter.fetch_add(u64::try_from(by).unwrap_or(u64::MAX), Ordering::Relaxed);
}
