//! The keys of one provider, and which of them a token means.

use std::collections::HashMap;
use std::rc::Rc;

use serde_json::Value;

use super::{Key, Unusable};
use crate::identity::jws::Compact;
use crate::identity::section::{Algorithm, InlineKey};
use crate::identity::{Native, Refusal};
use base::json;
use base::policy::Problem;

/// The most keys of a published set; a larger one is rejected, since it would fill the memory.
const MAX_KEYS: usize = 2048;

/// The most keys that are tried for one token. A token that names its key among keys with ids needs
/// one.
const MAX_TRIED: usize = 8;

/// A set of keys (RFC 7517, section 5) that can be used.
#[derive(Debug, Default)]
pub struct KeySet {
    pub(super) keys: Vec<Rc<Key>>,
    /// Positions by id.
    pub(super) named: HashMap<String, Vec<usize>>,
    /// Positions of keys that have no id.
    nameless: Vec<usize>,
}

impl KeySet {
    /// Compiles keys that a person wrote down. All must be usable.
    ///
    /// # Errors
    /// Each key that can't be used, with its path.
    pub fn inline(keys: &[InlineKey]) -> Result<Self, Vec<Problem>> {
        let mut problems = Vec::new();
        let mut set: Vec<Rc<Key>> = Vec::new();
        for InlineKey { path, jwk } in keys {
            let mut problem = |(found, expected): Unusable| {
                problems.push(Problem {
                    path: path.clone(),
                    found,
                    expected: expected.to_owned(),
                });
            };
            match Key::compile(jwk) {
                Ok(key) => {
                    if set.iter().any(|other| collide(other, &key)) {
                        problem((
                            "a second key with the same \"kid\"".to_owned(),
                            "a \"kid\" of its own",
                        ));
                    }
                    if set.iter().any(|other| other.is_secret() != key.is_secret()) {
                        problem((
                            "a secret in one set with public keys".to_owned(),
                            "secrets and public keys in sets of their own",
                        ));
                    }
                    set.push(Rc::new(key));
                }
                Err(unusable) => problem(unusable),
            }
        }
        if problems.is_empty() {
            Ok(Self::of(set))
        } else {
            Err(problems)
        }
    }

    /// Compiles a key set that a provider published. Keys that can't be used here are left out,
    /// since a provider may publish them for others; so are those that share an id. Keys that were in
    /// the set `before` stay the same objects, so that cached tokens stay valid.
    ///
    /// # Errors
    /// Why the document is no key set.
    pub(in crate::identity) fn published(document: &[u8], before: &Self) -> Result<Self, String> {
        let document = json::parse_published(document).map_err(|error| error.to_string())?;
        let list = document
            .get("keys")
            .and_then(Value::as_array)
            .ok_or("found no list \"keys\", expected a JSON Web Key Set (RFC 7517)")?;
        if list.len() > MAX_KEYS {
            return Err(format!(
                "found {} keys, expected at most {MAX_KEYS}",
                list.len()
            ));
        }
        let mut set: Vec<Rc<Key>> = Vec::new();
        let mut ambiguous = Vec::new();
        let mut ids: HashMap<String, usize> = HashMap::new();
        for key in list.iter().filter_map(|jwk| Key::compile(jwk).ok()) {
            if key.is_secret() {
                continue;
            }
            let earlier = key.id.as_ref().and_then(|id| ids.get(id)).copied();
            if let Some(other) = earlier.and_then(|index| set.get(index)) {
                if !other.is_same(&key) {
                    ambiguous.extend(key.id.clone());
                }
                continue;
            }
            if let Some(id) = &key.id {
                ids.insert(id.clone(), set.len());
            }
            set.push(before.same(&key).unwrap_or_else(|| Rc::new(key)));
        }
        set.retain(|key| key.id.as_ref().is_none_or(|id| !ambiguous.contains(id)));
        Ok(Self::of(set))
    }

    fn of(keys: Vec<Rc<Key>>) -> Self {
        let mut named: HashMap<String, Vec<usize>> = HashMap::new();
        let mut nameless = Vec::new();
        for (index, key) in keys.iter().enumerate() {
            match &key.id {
                Some(id) => named.entry(id.clone()).or_default().push(index),
                None => nameless.push(index),
            }
        }
        Self {
            keys,
            named,
            nameless,
        }
    }

    fn same(&self, key: &Key) -> Option<Rc<Key>> {
        let positions = match &key.id {
            Some(id) => self.named.get(id)?,
            None => &self.nameless,
        };
        positions
            .iter()
            .filter_map(|index| self.keys.get(*index))
            .find(|one| one.is_same(key))
            .cloned()
    }

    /// How many keys there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.keys.len()
    }

    /// Whether its keys are secrets; they are all, or none is.
    pub(in crate::identity) fn has_secrets(&self) -> bool {
        self.keys.iter().any(|key| key.is_secret())
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// The key whose signature the token has.
    pub(in crate::identity) fn signer(
        &self,
        token: &Compact<'_>,
        allowed: &[Algorithm],
        native: &dyn Native,
    ) -> Result<&Rc<Key>, Refusal> {
        let algorithm = token
            .header
            .algorithm
            .filter(|algorithm| allowed.contains(algorithm))
            .ok_or(Refusal::AlgorithmNotAllowed)?;
        let mut found = false;
        for key in self.candidates(token.header.key_id.as_deref(), algorithm) {
            found = true;
            if key.verifies(algorithm, token.message, &token.signature, native) {
                return Ok(key);
            }
        }
        Err(if found {
            Refusal::SignatureInvalid
        } else {
            Refusal::UnknownKey
        })
    }

    /// The keys' ids, for people; `None` for a key that has none.
    pub(in crate::identity) fn ids(&self) -> impl Iterator<Item = Option<&str>> {
        self.keys.iter().map(|key| key.id.as_deref())
    }

    /// The keys that may have signed. Without an id on either side, each of the right kind may.
    pub(in crate::identity) fn candidates(
        &self,
        id: Option<&str>,
        algorithm: Algorithm,
    ) -> impl Iterator<Item = &Rc<Key>> {
        let named = id.and_then(|id| self.named.get(id));
        let positions: Box<dyn Iterator<Item = usize> + '_> = match id {
            Some(_) => Box::new(named.into_iter().flatten().chain(&self.nameless).copied()),
            None => Box::new(0..self.keys.len()),
        };
        positions
            .filter_map(|index| self.keys.get(index))
            .filter(move |key| key.algorithms.contains(&algorithm))
            .take(MAX_TRIED)
    }
}

/// Whether a token could mean either.
fn collide(one: &Key, other: &Key) -> bool {
    one.id.is_some()
        && one.id == other.id
        && one
            .algorithms
            .iter()
            .any(|algorithm| other.algorithms.contains(algorithm))
}

/// Whether a compact JWS, whatever its payload, is signed by a key of the set with one of the
/// algorithms.
///
/// # Errors
/// What is wrong with its form, its algorithm, its key or its signature.
pub fn verify_jws(
    token: &str,
    keys: &KeySet,
    algorithms: &[Algorithm],
    native: &dyn Native,
) -> Result<(), Refusal> {
    keys.signer(&Compact::parse(token)?, algorithms, native)
        .map(|_| ())
}
