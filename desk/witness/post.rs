//! The threads that tell witnesses of checkpoints, one for each.
//!
//! There is no queue: whoever has been away gets the newest checkpoint, which says all that those before
//! it did.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::client::Client;
use super::send::{Unseen, Way};
use super::states::States;
use crate::config::{Place, Witness};
use crate::ledger::{Cosigned, Reader};

/// How often a thread looks for a new checkpoint.
const LOOK: Duration = Duration::from_secs(1);

/// The longest pause between two tries; it doubles from [`LOOK`] on.
const MAX_PAUSE: Duration = Duration::from_secs(60);

/// The threads.
pub struct Post {
    /// They end once this is dropped.
    running: Vec<(Sender<()>, JoinHandle<()>)>,
}

impl Post {
    /// Starts a thread for each witness on another machine. Files are not told here: the ledger writes
    /// them itself.
    ///
    /// # Errors
    /// A witness' certificates can't be read, or no thread can be started.
    pub fn start(
        reader: &Reader,
        witnesses: &[Witness],
        states: &Arc<States>,
    ) -> Result<Self, String> {
        let mut running = Vec::new();
        for witness in witnesses {
            let (name, way, seen) = match &witness.place {
                Place::File(_) => continue,
                Place::Webhook { url, authorization } => {
                    let way = Way::Webhook {
                        url: url.clone(),
                        authorization: authorization.as_ref().map(|key| key.secret().to_owned()),
                    };
                    (host(url), way, 0)
                }
                Place::Cosigner { url, key } => {
                    let cosigned = Cosigned::new(reader.folder(), key);
                    // What can't be read is no loss: the witness tells what it has seen.
                    let seen = cosigned.read().ok().flatten();
                    let seen = seen.map_or(0, |(checkpoint, _, _)| checkpoint.size);
                    let way = Way::Cosigner {
                        url: url.clone(),
                        key: Box::new(key.clone()),
                        cosigned,
                        seen,
                    };
                    (key.name().to_owned(), way, seen)
                }
            };
            let client = Client::new(witness.ca.as_deref())?;
            let (stop, stopped) = channel();
            let mut thread = Telling {
                number: states.add(&name, witness.required_within, seen),
                name,
                way,
                client,
                reader: reader.clone(),
                states: Arc::clone(states),
                told: None,
                pause: LOOK,
            };
            let spawned = std::thread::Builder::new()
                .name("witness".to_owned())
                .spawn(move || thread.run(&stopped));
            running.push((stop, spawned.map_err(|error| error.to_string())?));
        }
        Ok(Self { running })
    }

    /// Tells the witnesses of the last checkpoint; waits for that as long as `patience` at most.
    pub fn finish(self, patience: Duration) {
        let threads = self.running.into_iter().map(|(_, thread)| thread);
        let threads: Vec<_> = threads.collect();
        let end = Instant::now() + patience;
        while threads.iter().any(|thread| !thread.is_finished()) && Instant::now() < end {
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

/// A webhook's host: the rest of its URL may be secret.
fn host(url: &str) -> String {
    let uri = url.parse::<axum::http::Uri>().ok();
    let host = uri.as_ref().and_then(|uri| uri.host());
    host.unwrap_or("webhook").to_owned()
}

struct Telling {
    name: String,
    number: usize,
    way: Way,
    client: Client,
    reader: Reader,
    states: Arc<States>,
    /// The text of the last checkpoint that it has seen.
    told: Option<String>,
    pause: Duration,
}

impl Telling {
    fn run(&mut self, stopped: &Receiver<()>) {
        let mut wait = Duration::ZERO;
        loop {
            let last = stopped.recv_timeout(wait) != Err(RecvTimeoutError::Timeout);
            wait = match self.tell() {
                Ok(()) => {
                    self.pause = LOOK;
                    LOOK
                }
                Err(unseen) => {
                    self.fail(unseen);
                    let pause = self.pause;
                    self.pause = MAX_PAUSE.min(pause * 2);
                    pause
                }
            };
            if last {
                return;
            }
        }
    }

    /// Tells the witness of the latest checkpoint, unless it has seen that.
    fn tell(&mut self) -> Result<(), Unseen> {
        let Some(latest) = self.reader.latest()? else {
            return Ok(());
        };
        if self.told.as_ref() == Some(&latest.text) {
            return Ok(());
        }
        self.states.lacks(self.number, Instant::now());
        self.way.tell(&self.client, &self.reader, &latest)?;
        self.states.has_seen(self.number, latest.checkpoint.size);
        self.told = Some(latest.text);
        Ok(())
    }

    fn fail(&self, unseen: Unseen) {
        let witness = &self.name;
        match unseen {
            Unseen::Failed(error) => {
                if self.states.failed(self.number, error.clone()) {
                    tracing::warn!(
                        witness,
                        error,
                        "a witness could not be told of a checkpoint"
                    );
                }
            }
            Unseen::Contradicts(what) => {
                if self.states.contradicted(self.number, what.clone()) {
                    tracing::error!(witness, what, "a witness contradicts the ledger");
                }
            }
        }
    }
}
