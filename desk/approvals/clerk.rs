//! The thread that does all work on approvals. What waits for it is done in one transaction, with one write to the
//! ledger and one to the store, so that many who ask at once don't wait for each other's disk.

use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use tokio::runtime::Handle;
use tokio::sync::{mpsc, oneshot};

use super::acts::sweep;
use super::decided::Decided;
use super::entries;
use super::news::News;
use super::refusal::{not_entered, unavailable};
use super::store::Store;
use super::work::{Enter, Failed, Halt, Told, Work, transact};
use crate::http::Refusal;
use crate::seldom::Seldom;
use crate::store::StoreError;

/// How much may wait for the thread.
const QUEUE: usize = 1024;

/// How much is done in one transaction.
const MAX_BATCH: usize = 64;

/// How often it is seen what has run out of time, and what other desks have changed in the same store.
const TICK: Duration = Duration::from_millis(250);

/// How often a transaction is tried that another desk's got in the way of.
const TRIES: u32 = 8;

/// Hands work to the thread, which ends when nobody can any more.
#[derive(Clone)]
pub struct Clerk {
    sender: mpsc::Sender<Box<dyn Job>>,
}

/// A piece of work. It may have to be done more than once.
trait Job: Send {
    fn is_awaited(&self) -> bool;
    fn work(&mut self, work: &mut Work<'_>) -> Result<(), StoreError>;
    fn done(self: Box<Self>, failed: Option<Refusal>);
}

struct One<T, F> {
    act: F,
    reply: Option<Result<T, Refusal>>,
    tell: oneshot::Sender<Result<T, Refusal>>,
}

impl<T: Send, F: FnMut(&mut Work<'_>) -> Result<T, Halt> + Send> Job for One<T, F> {
    fn is_awaited(&self) -> bool {
        !self.tell.is_closed()
    }

    fn work(&mut self, work: &mut Work<'_>) -> Result<(), StoreError> {
        self.reply = Some(match (self.act)(work) {
            Ok(reply) => Ok(reply),
            Err(Halt::Refused(refusal)) => Err(refusal),
            Err(Halt::Store(error)) => return Err(error),
        });
        Ok(())
    }

    fn done(self: Box<Self>, failed: Option<Refusal>) {
        let reply = match failed {
            Some(refusal) => Err(refusal),
            None => self.reply.unwrap_or_else(|| Err(unavailable())),
        };
        // Who left meanwhile doesn't hear it.
        let _ = self.tell.send(reply);
    }
}

impl Clerk {
    /// Starts the thread on the runtime that this is called on. What has ended is kept for `keep` milliseconds.
    ///
    /// # Errors
    /// When no thread can be started.
    pub fn start(
        store: Box<dyn Store>,
        enter: Enter,
        news: News,
        decided: Arc<Decided>,
        keep: i64,
    ) -> std::io::Result<(Self, JoinHandle<()>)> {
        let (sender, receiver) = mpsc::channel(QUEUE);
        let runtime = Handle::current();
        let mut desk = Working {
            store,
            enter,
            news,
            decided,
            keep,
            pulse: None,
            fails: false,
        };
        let thread = std::thread::Builder::new()
            .name("approvals".to_owned())
            .spawn(move || desk.run(&runtime, receiver))?;
        Ok((Self { sender }, thread))
    }

    /// Does `act` in a transaction. It is not begun if nobody waits for it any more.
    ///
    /// # Errors
    /// It was refused, or can't be done now.
    pub async fn run<T: Send + 'static>(
        &self,
        act: impl FnMut(&mut Work<'_>) -> Result<T, Halt> + Send + 'static,
    ) -> Result<T, Refusal> {
        let (tell, told) = oneshot::channel();
        let job = Box::new(One {
            act,
            reply: None,
            tell,
        });
        self.sender.send(job).await.map_err(|_| unavailable())?;
        told.await.unwrap_or_else(|_| Err(unavailable()))
    }
}

struct Working {
    store: Box<dyn Store>,
    enter: Enter,
    news: News,
    decided: Arc<Decided>,
    /// For how long what has ended is kept, in milliseconds.
    keep: i64,
    /// What the store's pulse was last.
    pulse: Option<i64>,
    /// Whether the last sweep failed.
    fails: bool,
}

impl Working {
    fn run(&mut self, runtime: &Handle, mut receiver: mpsc::Receiver<Box<dyn Job>>) {
        let mut ticked: Option<Instant> = None;
        loop {
            let age = ticked.map_or(TICK, |ticked| ticked.elapsed());
            if age >= TICK {
                self.tick();
                ticked = Some(Instant::now());
            }
            let wait = TICK.saturating_sub(age);
            // The timer must be made on the runtime, too.
            let first =
                runtime.block_on(async { tokio::time::timeout(wait, receiver.recv()).await });
            let mut next = match first {
                Ok(None) => return,
                Ok(job) => job,
                Err(_) => continue,
            };
            let mut jobs = Vec::new();
            while let Some(job) = next {
                jobs.push(job);
                next = (jobs.len() < MAX_BATCH)
                    .then(|| receiver.try_recv().ok())
                    .flatten();
            }
            jobs.retain(|job| job.is_awaited());
            self.batch(jobs);
        }
    }

    /// Does the jobs together; if the store fails, each by itself, so that one doesn't spoil the others.
    fn batch(&mut self, mut jobs: Vec<Box<dyn Job>>) {
        if jobs.is_empty() {
            return;
        }
        match self.together(&mut jobs) {
            Err(Failed::Store(_)) if jobs.len() > 1 => {
                for job in jobs {
                    let mut alone = vec![job];
                    let result = self.together(&mut alone);
                    tell(alone, result.err());
                }
            }
            result => tell(jobs, result.err()),
        }
    }

    fn together(&mut self, jobs: &mut [Box<dyn Job>]) -> Result<(), Failed> {
        self.transact(&mut |work| jobs.iter_mut().try_for_each(|job| job.work(work)))
    }

    fn transact(
        &mut self,
        act: &mut dyn FnMut(&mut Work<'_>) -> Result<(), StoreError>,
    ) -> Result<(), Failed> {
        let mut tries = 1;
        loop {
            match transact(
                &mut *self.store,
                &mut |rows| rows.now(),
                &mut self.enter,
                act,
            ) {
                Err(Failed::Store(StoreError::Conflict)) if tries < TRIES => tries += 1,
                Err(failed) => return Err(failed),
                Ok(told) => {
                    self.tell(&told);
                    return Ok(());
                }
            }
        }
    }

    fn tell(&self, told: &Told) {
        for (who, what) in &told.entries {
            self.decided.add(what);
            entries::log(what, &who.text());
        }
        for id in &told.woken {
            self.news.decided(id);
        }
        if told.standing {
            self.news.stands();
        }
    }

    fn tick(&mut self) {
        let keep = self.keep;
        let swept = self.transact(&mut |work| match sweep(work, keep) {
            Ok(()) | Err(Halt::Refused(_)) => Ok(()),
            Err(Halt::Store(error)) => Err(error),
        });
        if let Err(Failed::Store(error)) = &swept
            && !self.fails
        {
            tracing::error!(%error, "what has run out of time can't be noted");
        }
        self.fails = swept.is_err();
        if let Ok(pulse) = self.store.pulse() {
            if self.pulse.is_some_and(|before| before != pulse) {
                self.news.all();
            }
            self.pulse = Some(pulse);
        }
    }
}

fn tell(jobs: Vec<Box<dyn Job>>, failed: Option<Failed>) {
    let refusal = failed.map(|failed| match failed {
        Failed::NotEntered => not_entered(),
        Failed::Store(error) => {
            static FAILED: Seldom = Seldom::new();
            if let Some(times) = FAILED.again() {
                tracing::error!(%error, times, "the store failed");
            }
            unavailable()
        }
    });
    for job in jobs {
        job.done(refusal.clone());
    }
}
