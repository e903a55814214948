//! What tells one text of a stream from another.

use sha2::{Digest, Sha256};

/// A digest of the place and the names that a text has in each entry.
pub(super) type Id = [u8; 32];

/// The same text in events of this kind, where those of another kind have another one there.
pub(super) fn of_kind(id: &Id, kind: &[u8]) -> Id {
    if kind.is_empty() {
        return *id;
    }
    let mut digest = Sha256::new();
    digest.update(id);
    digest.update(kind);
    digest.finalize().into()
}
