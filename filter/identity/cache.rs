//! Tokens that were verified, so that each worker checks a token's signature once.
//!
//! A token is known by a keyed digest of 128 bits (SipHash-2-4 with a key of the VM's own): without
//! the key nobody can find two tokens that share a digest, and the tokens themselves are not kept. An
//! entry ends with its token's lifetime, or with its key: it refers to the key weakly, and a key that
//! its provider withdraws is gone.
//!
//! There are two generations. A new entry goes into the young one; when that is full it becomes
//! the old one, and what was old is dropped. An entry that is used is young again. So the entries
//! that are in use stay, in a bounded memory, at the cost of two look-ups.

use core::hash::Hasher as _;
use core::time::Duration;
use std::collections::HashMap;
use std::rc::{Rc, Weak};

use siphasher::sip128::{Hasher128 as _, SipHasher24};

use super::Identity;
use super::checks::Lifetime;
use super::key::Key;

/// What verified tokens may take up together, in bytes, roughly.
const MAX_BYTES: usize = 4 << 20;

/// A token's digest.
pub(super) type Digest = u128;

#[derive(Clone, Debug)]
struct Entry {
    identity: Rc<Identity>,
    lifetime: Lifetime,
    key: Weak<Key>,
    bytes: usize,
}

/// Verified tokens of one worker.
#[derive(Debug)]
pub(super) struct Cache {
    secret: [u8; 16],
    most: usize,
    young: HashMap<Digest, Entry>,
    old: HashMap<Digest, Entry>,
    young_bytes: usize,
}

impl Cache {
    /// Keeps up to `most` tokens. `secret` must be random.
    pub(super) fn new(most: usize, secret: [u8; 16]) -> Self {
        Self {
            secret,
            most,
            young: HashMap::new(),
            old: HashMap::new(),
            young_bytes: 0,
        }
    }

    pub(super) fn digest(&self, token: &str) -> Digest {
        let mut hasher = SipHasher24::new_with_key(&self.secret);
        hasher.write(token.as_bytes());
        hasher.finish128().as_u128()
    }

    /// The caller of a token that was verified and may be used now.
    pub(super) fn get(&mut self, digest: Digest, now: Duration) -> Option<Rc<Identity>> {
        let entry = match self.young.get(&digest) {
            Some(entry) => entry,
            None => {
                let entry = self.old.remove(&digest)?;
                self.put(digest, entry.clone());
                self.young.get(&digest)?
            }
        };
        let valid = entry.key.strong_count() > 0 && entry.lifetime.check(now).is_ok();
        valid.then(|| Rc::clone(&entry.identity))
    }

    /// Keeps a token that was verified with `key`.
    pub(super) fn insert(
        &mut self,
        digest: Digest,
        identity: &Rc<Identity>,
        lifetime: Lifetime,
        key: &Rc<Key>,
    ) {
        let entry = Entry {
            bytes: size(identity),
            identity: Rc::clone(identity),
            lifetime,
            key: Rc::downgrade(key),
        };
        self.put(digest, entry);
    }

    fn put(&mut self, digest: Digest, entry: Entry) {
        // Each generation may have half; an entry that alone is more than that is not kept.
        if entry.bytes > MAX_BYTES / 2 || self.most == 0 {
            return;
        }
        let full = self.young.len() >= self.most.div_ceil(2)
            || self.young_bytes.saturating_add(entry.bytes) > MAX_BYTES / 2;
        if full {
            self.old = core::mem::take(&mut self.young);
            self.young_bytes = 0;
        }
        self.young_bytes = self.young_bytes.saturating_add(entry.bytes);
        self.young.insert(digest, entry);
    }
}

/// An upper bound of what an entry takes up, its allocations' own cost included.
fn size(identity: &Identity) -> usize {
    const EACH: usize = 48;
    let texts = [&identity.provider, &identity.issuer, &identity.subject];
    let claims = identity
        .claims
        .iter()
        .flat_map(|(name, values)| core::iter::once(name).chain(values));
    texts
        .into_iter()
        .chain(&identity.client)
        .chain(&identity.token)
        .chain(&identity.email)
        .chain(&identity.groups)
        .chain(claims)
        .map(|text| text.len().saturating_add(EACH))
        .fold(512, usize::saturating_add)
}

#[cfg(test)]
mod tests;
