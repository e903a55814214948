//! The folder of signing keys, and the entries that name them.
//!
//! An entry of the kind [`Kind::KEY`](super::Kind::KEY) is a signed note of three lines: what it
//! is, the log's origin, and a public key. The first entry of a ledger is one, signed with its own
//! key; each later one is signed with the key before it. Checkpoints of more entries than those
//! before it are signed with the new key.

use std::io;
use std::path::{Path, PathBuf};

use super::cosignature::Cosigner;
use super::error::LedgerError;
use super::files;
use super::note::{Note, Private, PrivateKey, PublicKey};

/// The first line of a key's entry.
const TITLE: &str = "portcullis/key";

/// The longest file of a key, in bytes.
const MAX_KEY_BYTES: u64 = 4096;

/// What the files of a witness' key are called.
const WITNESS: &str = "witness";

/// A folder of keys: `<id>.key`, readable by its owner only, and `<id>.pub` for each. The key by
/// which a desk is a witness for others is `witness`.
#[derive(Clone, Debug)]
pub struct Keys {
    folder: PathBuf,
}

impl Keys {
    /// Those in `folder`, which need not exist.
    #[must_use]
    pub fn new(folder: &Path) -> Self {
        Self {
            folder: folder.to_owned(),
        }
    }

    /// Makes a key and keeps it.
    ///
    /// # Errors
    /// The system has no randomness, or the key can't be written.
    pub fn make(&self, name: &str) -> Result<PrivateKey, LedgerError> {
        let key = random(name)?;
        self.keep(&key, &key.public().id())?;
        Ok(key)
    }

    /// The key with this name by which the desk is a witness; it is made if there is none.
    ///
    /// # Errors
    /// It has another name or another form, or can't be read or made.
    pub fn witness(&self, name: &str) -> Result<Cosigner, LedgerError> {
        let path = self.file(WITNESS, "key");
        let bytes = match files::read(&path, MAX_KEY_BYTES) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let key = random(name)?;
                self.keep(&key, WITNESS)?;
                return Ok(key);
            }
            result => result.map_err(LedgerError::at(&path))?,
        };
        let read = str::from_utf8(&bytes).ok().and_then(Cosigner::parse);
        match read {
            Some(key) if key.public().name() == name => Ok(key),
            Some(key) => Err(LedgerError::Key(format!(
                "{}: found the name {:?}, expected {name:?}, which the configuration gives the witness",
                path.display(),
                key.public().name()
            ))),
            None => Err(LedgerError::Key(format!(
                "{}: found another form, expected the private key of a witness",
                path.display()
            ))),
        }
    }

    fn keep<const TYPE: u8>(&self, key: &Private<TYPE>, name: &str) -> Result<(), LedgerError> {
        files::create_folder(&self.folder).map_err(LedgerError::at(&self.folder))?;
        let path = self.file(name, "pub");
        let public = format!("{}\n", key.public());
        files::replace(&path, public.as_bytes()).map_err(LedgerError::at(&path))?;
        let path = self.file(name, "key");
        let private = format!("{}\n", key.to_text());
        files::replace(&path, private.as_bytes()).map_err(LedgerError::at(&path))
    }

    /// The key with this id.
    ///
    /// # Errors
    /// It is not there, or has another form.
    pub fn load(&self, id: &str) -> Result<PrivateKey, LedgerError> {
        let path = self.file(id, "key");
        let bytes = files::read(&path, MAX_KEY_BYTES).map_err(LedgerError::at(&path))?;
        str::from_utf8(&bytes)
            .ok()
            .and_then(PrivateKey::parse)
            .filter(|key| key.public().id() == id)
            .ok_or_else(|| {
                LedgerError::Key(format!(
                    "{}: found another form, expected the private key {id}",
                    path.display()
                ))
            })
    }

    fn file(&self, id: &str, ending: &str) -> PathBuf {
        self.folder.join(format!("{id}.{ending}"))
    }
}

fn random<const TYPE: u8>(name: &str) -> Result<Private<TYPE>, LedgerError> {
    let mut seed = [0; 32];
    getrandom::fill(&mut seed)
        .map_err(|error| LedgerError::Key(format!("no randomness: {error}")))?;
    Private::new(name, &seed)
        .ok_or_else(|| LedgerError::Key(format!("{name:?} is no name of a key")))
}

/// The entry that names `key`, signed by `signer`.
pub(super) fn entry(key: &PublicKey, signer: &PrivateKey) -> Vec<u8> {
    signer
        .sign(&format!("{TITLE}\n{}\n{key}\n", key.name()))
        .into_bytes()
}

/// Reads an entry that names a key, with the note that its signature must hold for; `None` if it
/// has another form.
#[must_use]
pub fn named(bytes: &[u8]) -> Option<(PublicKey, Note)> {
    let note = Note::parse(str::from_utf8(bytes).ok()?)?;
    let mut lines = note.text.strip_suffix('\n')?.split('\n');
    let (title, origin, key) = (lines.next()?, lines.next()?, lines.next()?);
    let key = PublicKey::parse(key)?;
    let right = title == TITLE && key.name() == origin && lines.next().is_none();
    right.then_some((key, note))
}

/// The keys of a ledger, each with the number of the entry that names it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Chain {
    keys: Vec<(u64, PublicKey)>,
}

impl Chain {
    /// Follows an entry that names a key. `trusted` is the key that the reader knows; without one
    /// the first entry is believed.
    ///
    /// # Errors
    /// What is wrong with it, in words.
    pub fn follow(
        &mut self,
        number: u64,
        bytes: &[u8],
        trusted: Option<&PublicKey>,
    ) -> Result<(), String> {
        let (key, note) = named(bytes)
            .ok_or("found another form, expected a key that is signed by the one before")?;
        let signer = match self.keys.last() {
            Some((_, last)) if last.name() != key.name() => {
                return Err(format!(
                    "found the origin {:?}, expected {:?}",
                    key.name(),
                    last.name()
                ));
            }
            Some((_, last)) => last,
            None => &key,
        };
        if !signer.has_signed(&note) {
            return Err(format!(
                "the key {} is not signed by the key {} before it",
                key.id(),
                signer.id()
            ));
        }
        if self.keys.is_empty() && trusted.is_some_and(|trusted| trusted.name() != key.name()) {
            return Err(format!(
                "found the origin {:?}, expected that of the given key",
                key.name()
            ));
        }
        self.keys.push((number, key));
        Ok(())
    }

    /// The key that signs checkpoints of `size` entries.
    #[must_use]
    pub fn signer(&self, size: u64) -> Option<&PublicKey> {
        let before = self.keys.iter().rev().find(|(number, _)| *number < size);
        before.map(|(_, key)| key)
    }

    /// Whether `key` is one of them.
    #[must_use]
    pub fn has(&self, key: &PublicKey) -> bool {
        self.keys.iter().any(|(_, one)| one == key)
    }

    /// The keys, oldest first, each with the number of its entry.
    #[must_use]
    pub fn keys(&self) -> &[(u64, PublicKey)] {
        &self.keys
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(seed: u8) -> PrivateKey {
        PrivateKey::new("log", &[seed; 32]).unwrap()
    }

    #[test]
    fn the_chain_follows_keys_that_the_one_before_signed() {
        let (one, two, three) = (key(1), key(2), key(3));
        let mut chain = Chain::default();
        chain
            .follow(0, &entry(one.public(), &one), Some(one.public()))
            .unwrap();
        chain.follow(9, &entry(two.public(), &one), None).unwrap();
        assert!(
            chain
                .follow(12, &entry(three.public(), &one), None)
                .is_err()
        );
        assert!(
            chain
                .follow(12, &entry(three.public(), &three), None)
                .is_err()
        );
        let stranger = PrivateKey::new("other", &[4; 32]).unwrap();
        assert!(
            chain
                .follow(12, &entry(stranger.public(), &two), None)
                .is_err()
        );
        assert!(chain.follow(12, b"garbage", None).is_err());
        for (size, expected) in [
            (0, None),
            (1, Some(&one)),
            (9, Some(&one)),
            (10, Some(&two)),
        ] {
            assert_eq!(
                chain.signer(size),
                expected.map(PrivateKey::public),
                "{size}"
            );
        }
        assert!(chain.has(two.public()) && !chain.has(three.public()));
    }

    #[test]
    fn a_first_key_that_signs_for_itself_alone_is_no_chain() {
        let mut chain = Chain::default();
        assert!(
            chain
                .follow(0, &entry(key(1).public(), &key(2)), None)
                .is_err()
        );
        let stranger = PrivateKey::new("other", &[4; 32]).unwrap();
        assert!(
            chain
                .follow(0, &entry(key(1).public(), &key(1)), Some(stranger.public()))
                .is_err()
        );
    }
}
