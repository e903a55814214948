//! Being a witness for other logs (c2sp.org/tlog-witness): of each, the latest checkpoint that goes on
//! from the one before is kept, and cosigned.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use super::checkpoint::Checkpoint;
use super::cosignature::{Cosigner, WitnessKey};
use super::error::LedgerError;
use super::files;
use super::hash::Hash;
use super::note::{MAX_NOTE_BYTES, PublicKey};
use super::proof::is_consistent;
use super::segments::size;
use super::submission::Submission;

/// The logs that a witness watches, and what it has seen of them.
#[derive(Debug)]
pub struct Watch {
    folder: PathBuf,
    key: Cosigner,
    logs: BTreeMap<String, Vec<PublicKey>>,
    /// What was seen is compared and replaced as one.
    turn: Mutex<()>,
}

/// Why a checkpoint is not cosigned.
#[derive(Debug)]
pub enum Unwitnessed {
    /// The request has another form: 400.
    Malformed(&'static str),
    /// No log of this origin is watched: 404.
    UnknownLog,
    /// No key of the log has signed: 403.
    Unsigned,
    /// The witness has seen this many entries, or as many with another root: 409.
    Conflict(u64),
    /// The proof doesn't show that the log only grew: 422.
    Inconsistent,
    /// What was seen can't be read or written: 500.
    Failed(LedgerError),
}

impl Watch {
    /// A witness with this key, for the logs with these public keys, that keeps what it has seen in
    /// `folder`, which is made if it is missing.
    ///
    /// # Errors
    /// The folder can't be made.
    pub fn new(
        folder: &Path,
        key: Cosigner,
        logs: impl IntoIterator<Item = PublicKey>,
    ) -> Result<Self, LedgerError> {
        files::create_folder(folder).map_err(LedgerError::at(folder))?;
        let mut known: BTreeMap<String, Vec<PublicKey>> = BTreeMap::new();
        for log in logs {
            known.entry(log.name().to_owned()).or_default().push(log);
        }
        Ok(Self {
            folder: folder.to_owned(),
            key,
            logs: known,
            turn: Mutex::new(()),
        })
    }

    /// The key that cosigns.
    #[must_use]
    pub fn key(&self) -> &WitnessKey {
        self.key.public()
    }

    /// Takes the body of an `add-checkpoint` request, and gives that of its answer: the cosignature.
    /// By then the disk has the checkpoint. `time` is in seconds since 1970.
    ///
    /// # Errors
    /// Why it is not cosigned.
    pub fn add(&self, body: &str, time: u64) -> Result<String, Unwitnessed> {
        let sent = Submission::parse(body).map_err(Unwitnessed::Malformed)?;
        let keys = self.logs.get(&sent.checkpoint.origin);
        let keys = keys.ok_or(Unwitnessed::UnknownLog)?;
        if !keys.iter().any(|key| key.has_signed(&sent.note)) {
            return Err(Unwitnessed::Unsigned);
        }
        if sent.old > sent.checkpoint.size {
            let what = "expected an old size that is no more than the checkpoint's";
            return Err(Unwitnessed::Malformed(what));
        }
        let _turn = self.turn.lock().unwrap_or_else(PoisonError::into_inner);
        let seen = self.seen(&sent.checkpoint.origin);
        let (size, root) = match seen.map_err(Unwitnessed::Failed)? {
            Some((seen, _)) => (seen.size, seen.root),
            None => (0, Hash::empty()),
        };
        if sent.old != size || (sent.checkpoint.size == size && sent.checkpoint.root != root) {
            return Err(Unwitnessed::Conflict(size));
        }
        let Checkpoint {
            size: new,
            root: new_root,
            ..
        } = sent.checkpoint;
        // Of no entries everything is the continuation, and nothing proves it.
        let grew = match size {
            0 => sent.proof.is_empty(),
            _ => is_consistent(size, root, new, new_root, &sent.proof),
        };
        if !grew {
            return Err(Unwitnessed::Inconsistent);
        }
        let line = self.key.cosign(&sent.note.text, time);
        if new > size {
            // Signatures of others, which nobody here has checked, are not kept.
            let lines = keys.iter().filter_map(|key| key.line_in(&sent.note));
            let text = format!("{}\n{}{line}", sent.note.text, lines.collect::<String>());
            let path = self.file(&sent.checkpoint.origin);
            files::replace(&path, text.as_bytes())
                .map_err(|error| Unwitnessed::Failed(LedgerError::Io(path, error)))?;
        }
        Ok(line)
    }

    /// The latest checkpoint of the log whose origin has this SHA-256 (64 hexadecimal digits), with the
    /// cosignature; `None` if there is none.
    ///
    /// # Errors
    /// It can't be read.
    pub fn latest(&self, digest: &str) -> Result<Option<String>, LedgerError> {
        let mut known = self.logs.keys();
        match known.find(|origin| name_of(origin) == digest) {
            Some(origin) => Ok(self.seen(origin)?.map(|(_, text)| text)),
            None => Ok(None),
        }
    }

    fn file(&self, origin: &str) -> PathBuf {
        self.folder.join(name_of(origin))
    }

    fn seen(&self, origin: &str) -> Result<Option<(Checkpoint, String)>, LedgerError> {
        let path = self.file(origin);
        let bytes = match files::read(&path, size(MAX_NOTE_BYTES)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            result => result.map_err(LedgerError::at(&path))?,
        };
        // What can't be read must not be taken for nothing: then everything would be cosigned.
        let read = String::from_utf8(bytes).ok();
        read.and_then(|text| Some((Checkpoint::of(&text)?.0, text)))
            .filter(|(checkpoint, _)| checkpoint.origin == origin)
            .map(Some)
            .ok_or_else(|| {
                LedgerError::Damaged(format!(
                    "{}: found another form, expected the latest checkpoint of {origin:?}",
                    path.display()
                ))
            })
    }
}

/// By what a log is called where its origin can't stand: SHA-256 in hexadecimal digits.
#[must_use]
pub fn name_of(origin: &str) -> String {
    Hash::of(origin.as_bytes()).to_string()
}
