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

/// Batches that may wait for the writer; who brings another one waits, and Envoy with it.
const QUEUE: usize = 4;

/// How long the writer waits before it tries again to write what the store refused.
const PAUSE: Duration = Duration::from_secs(1);

/// Tries once the desk is stopping; before that, the writer never gives up.
const LAST_TRIES: u32 = 3;

/// The way to the writer.
#[derive(Clone)]
pub struct Writer {
    sender: mpsc::Sender<Order>,
}

enum Order {
    Store(Vec<Entry>),
    End,
}

/// The writer is gone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gone;

impl Writer {
    /// Hands over one message's records; waits while the writer is busy.
    ///
    /// # Errors
    /// [`Gone`] if nobody writes any more.
    pub async fn put(&self, entries: Vec<Entry>) -> Result<(), Gone> {
        let order = Order::Store(entries);
        self.sender.send(order).await.map_err(|_| Gone)
    }

    /// Has the writer take nothing more, store what it was given, and end.
    pub async fn end(&self) {
        // Where it is gone, it has ended.
        let _ = self.sender.send(Order::End).await;
    }

    /// Whether somebody writes.
    #[must_use]
    pub fn is_alive(&self) -> bool {
        !self.sender.is_closed()
    }
}

/// Starts the writer.
///
/// # Errors
/// The system's, if it gives no thread.
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
