//! The cosignatures that witnesses have given for a ledger's checkpoints, beside it: of each witness the
//! latest, in the file `cosigned/<id of its key>`.

use std::io;
use std::path::{Path, PathBuf};

use super::checkpoint::Checkpoint;
use super::cosignature::WitnessKey;
use super::error::LedgerError;
use super::files;
use super::note::{MAX_NOTE_BYTES, Note};
use super::segments::size;

/// The latest checkpoint that one witness has cosigned.
#[derive(Clone, Debug)]
pub struct Cosigned {
    path: PathBuf,
}

impl Cosigned {
    /// That of the witness with this key, for the ledger in `folder`.
    #[must_use]
    pub fn new(folder: &Path, witness: &WitnessKey) -> Self {
        Self {
            path: folder.join("cosigned").join(witness.id()),
        }
    }

    /// The file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Reads it; `None` if there is none. Nothing is known of its signatures yet.
    ///
    /// # Errors
    /// It can't be read, or is no checkpoint.
    pub fn read(&self) -> Result<Option<(Checkpoint, Note, String)>, LedgerError> {
        let path = &self.path;
        let bytes = match files::read(path, size(MAX_NOTE_BYTES)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            result => result.map_err(LedgerError::at(path))?,
        };
        let text = String::from_utf8(bytes).ok();
        let read = text.and_then(|text| {
            let (checkpoint, note) = Checkpoint::of(&text)?;
            Some((checkpoint, note, text))
        });
        read.map(Some).ok_or_else(|| {
            LedgerError::Damaged(format!(
                "{}: found another form, expected a checkpoint (c2sp.org/tlog-checkpoint)",
                path.display()
            ))
        })
    }

    /// Keeps a checkpoint with its cosignature.
    ///
    /// # Errors
    /// It can't be written.
    pub fn write(&self, text: &str) -> Result<(), LedgerError> {
        if let Some(folder) = self.path.parent() {
            files::create_folder(folder).map_err(LedgerError::at(folder))?;
        }
        files::replace(&self.path, text.as_bytes()).map_err(LedgerError::at(&self.path))
    }
}
