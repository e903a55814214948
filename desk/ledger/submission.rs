//! What a log sends to a witness (`add-checkpoint` of c2sp.org/tlog-witness): a checkpoint, and the
//! proof that it goes on from what the witness saw last.

use std::fmt;

use super::checkpoint::Checkpoint;
use super::error::LedgerError;
use super::hash::Hash;
use super::note::Note;
use super::proof::{Nodes, consistency};

/// The most hashes of a proof: as many as a tree of 2^63 entries needs.
const MAX_PROOF: usize = 63;

/// A checkpoint on its way to a witness.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Submission {
    /// How many entries the witness saw last; 0 if none.
    pub old: u64,
    /// The proof that those are the first of the checkpoint's.
    pub proof: Vec<Hash>,
    /// What the checkpoint says.
    pub checkpoint: Checkpoint,
    /// Its signatures.
    pub note: Note,
    /// The note as it is sent.
    pub text: String,
}

impl Submission {
    /// One of the checkpoint in `text` for a witness that saw `old` entries.
    ///
    /// # Errors
    /// The text is no checkpoint, has fewer entries than that, or hashes can't be read.
    pub fn new(nodes: &impl Nodes, old: u64, text: &str) -> Result<Self, LedgerError> {
        let (checkpoint, note) = Checkpoint::of(text)
            .ok_or_else(|| LedgerError::Damaged("found no checkpoint, expected one".to_owned()))?;
        Ok(Self {
            old,
            proof: consistency(nodes, old, checkpoint.size)?,
            checkpoint,
            note,
            text: text.to_owned(),
        })
    }

    /// Reads the body of a request.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn parse(body: &str) -> Result<Self, &'static str> {
        let (head, text) = body
            .split_once("\n\n")
            .ok_or("expected an empty line in front of the checkpoint")?;
        let mut lines = head.split('\n');
        let old = lines
            .next()
            .and_then(|line| line.strip_prefix("old "))
            .filter(|size| *size == "0" || !size.starts_with('0'))
            .filter(|size| size.bytes().all(|byte| byte.is_ascii_digit()))
            .and_then(|size| size.parse().ok())
            .ok_or("expected \"old\" and a size in the first line")?;
        let proof: Vec<_> = lines
            .map(|line| Hash::from_base64(line).ok_or("expected hashes in base64 as proof"))
            .take(MAX_PROOF + 1)
            .collect::<Result<_, _>>()?;
        if proof.len() > MAX_PROOF {
            return Err("expected at most 63 hashes as proof");
        }
        let (checkpoint, note) =
            Checkpoint::of(text).ok_or("expected a checkpoint (c2sp.org/tlog-checkpoint)")?;
        Ok(Self {
            old,
            proof,
            checkpoint,
            note,
            text: text.to_owned(),
        })
    }
}

impl fmt::Display for Submission {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(formatter, "old {}", self.old)?;
        for hash in &self.proof {
            writeln!(formatter, "{}", hash.to_base64())?;
        }
        write!(formatter, "\n{}", self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ledger::note::PrivateKey;

    #[test]
    fn what_is_sent_is_read_back_and_other_forms_are_refused() {
        let key = PrivateKey::new("log", &[1; 32]).unwrap();
        let checkpoint = Checkpoint {
            origin: "log".to_owned(),
            size: 9,
            root: Hash::leaf(b"x"),
        };
        let text = checkpoint.sign(&key);
        let body = Submission {
            old: 7,
            proof: vec![Hash::leaf(b"a"), Hash::leaf(b"b")],
            note: Note::parse(&text).unwrap(),
            checkpoint,
            text,
        };
        let sent = body.to_string();
        assert_eq!(Submission::parse(&sent), Ok(body));
        let hash = format!("{}\n", Hash::leaf(b"a").to_base64());
        let with = |proof: usize| sent.replacen(&hash, &hash.repeat(proof), 1);
        assert!(Submission::parse(&with(62)).is_ok());
        for wrong in [
            with(63),
            sent.replace("old 7", "old 07"),
            sent.replace("old 7", "old -7"),
            sent.replace("old 7", "old +7"),
            sent.replace("old 7", "old 99999999999999999999"),
            sent.replace("old 7\n", ""),
            sent.replace(&hash, "AAAA\n"),
            sent.replace("\n\nlog", "\nlog"),
            sent.replace("\n9\n", "\nnine\n"),
            sent.trim_end().to_owned(),
            String::new(),
        ] {
            assert!(Submission::parse(&wrong).is_err(), "{wrong}");
        }
    }
}
