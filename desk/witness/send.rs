//! Telling one witness of a checkpoint.

use std::time::{SystemTime, UNIX_EPOCH};

use super::client::{Client, Received};
use crate::ledger::{Cosigned, Latest, LedgerError, Note, Reader, Submission, WitnessKey};

/// How many bytes of an answer are quoted.
const QUOTED: usize = 200;

/// Why a witness has not seen a checkpoint.
#[derive(Debug)]
pub(super) enum Unseen {
    /// It could not be told.
    Failed(String),
    /// It has seen another ledger.
    Contradicts(String),
}

impl From<LedgerError> for Unseen {
    fn from(error: LedgerError) -> Self {
        Self::Failed(error.to_string())
    }
}

/// How a witness is told.
pub(super) enum Way {
    /// Whatever keeps what is posted to it.
    Webhook {
        url: String,
        authorization: Option<String>,
    },
    /// A witness of c2sp.org/tlog-witness.
    Cosigner {
        url: String,
        key: Box<WitnessKey>,
        cosigned: Cosigned,
        /// How many entries it has seen, as far as is known.
        seen: u64,
    },
}

impl Way {
    /// Tells the witness of the checkpoint.
    pub fn tell(
        &mut self,
        client: &Client,
        reader: &Reader,
        latest: &Latest,
    ) -> Result<(), Unseen> {
        match self {
            Self::Webhook { url, authorization } => {
                let answer = client.post(url, authorization.as_deref(), &latest.text);
                match answer.map_err(Unseen::Failed)? {
                    Received {
                        status: 200..=299, ..
                    } => Ok(()),
                    answer => Err(unexpected(&answer, "2xx")),
                }
            }
            Self::Cosigner {
                url,
                key,
                cosigned,
                seen,
            } => {
                let url = format!("{url}/add-checkpoint");
                let size = latest.checkpoint.size;
                // The second time it is known what the witness has seen.
                for _ in 0..2 {
                    if *seen > size {
                        return Err(ahead(reader, *seen)?);
                    }
                    let sent = Submission::new(&reader.tiles(), *seen, &latest.text)?;
                    let answer = client.post(&url, None, &sent.to_string());
                    let answer = answer.map_err(Unseen::Failed)?;
                    match answer.status {
                        200 => {
                            let text = cosign(&latest.text, &latest.note, &answer.body, key)
                                .ok_or_else(|| {
                                    Unseen::Failed(format!(
                                        "its answer has no cosignature of the key {}",
                                        key.id()
                                    ))
                                })?;
                            cosigned.write(&text)?;
                            *seen = size;
                            return Ok(());
                        }
                        409 => {
                            let told = answer.body.trim_end_matches('\n').parse();
                            let told = told.map_err(|_| unexpected(&answer, "a size"))?;
                            if told == *seen {
                                return Err(Unseen::Contradicts(format!(
                                    "it has seen another root over {told} entries"
                                )));
                            }
                            *seen = told;
                        }
                        422 => {
                            return Err(Unseen::Contradicts(format!(
                                "the {seen} entries that it has seen are not the first of the {size} that there are"
                            )));
                        }
                        404 => {
                            let what = "it doesn't know the log: give it the log's public key";
                            return Err(Unseen::Failed(what.to_owned()));
                        }
                        403 => {
                            let what = "it doesn't know the key that the log signs with now: give it the log's latest public key";
                            return Err(Unseen::Failed(what.to_owned()));
                        }
                        _ => return Err(unexpected(&answer, "200")),
                    }
                }
                Err(Unseen::Failed(
                    "what it has seen changes with each call: who else sends it checkpoints?"
                        .to_owned(),
                ))
            }
        }
    }
}

/// What it means that a witness has seen more entries than the checkpoint at hand has: an auditor may have
/// sent it a later one meanwhile, or there are fewer than there were.
fn ahead(reader: &Reader, seen: u64) -> Result<Unseen, Unseen> {
    let now = reader.latest()?.map_or(0, |latest| latest.checkpoint.size);
    Ok(if seen > now {
        Unseen::Contradicts(format!("it has seen {seen} entries, and there are {now}"))
    } else {
        Unseen::Failed("it has seen a later checkpoint already".to_owned())
    })
}

/// The checkpoint with the cosignatures of this key out of an answer; `None` if none is right.
fn cosign(checkpoint: &str, note: &Note, answer: &str, key: &WitnessKey) -> Option<String> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).ok()?.as_secs();
    let right = |line: &&str| {
        let alone = Note::parse(&format!("{}\n{line}", note.text));
        let time = alone.and_then(|note| key.has_seen(&note));
        // Clocks differ, but not by a day.
        time.is_some_and(|time| time <= now.saturating_add(86_400))
    };
    let line = answer.split_inclusive('\n').find(right)?;
    Some(format!("{checkpoint}{line}"))
}

fn unexpected(answer: &Received, expected: &str) -> Unseen {
    let shown = answer.body.chars().filter(|one| !one.is_control());
    let shown: String = shown.take(QUOTED).collect();
    Unseen::Failed(format!(
        "found the answer {} ({shown:?}), expected {expected}",
        answer.status
    ))
}
