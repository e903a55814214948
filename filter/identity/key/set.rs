//! The keys of one provider, and which of them a token means.

use std::collections::{HashMap, HashSet};
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
    /// Compiles keys that stand in the policy, of a provider that signs with these algorithms. Those
    /// that can't be used are left out, since who copies a published set copies all of it: each is a
    /// warning.
    ///
    /// # Errors
    /// Each key, with its path, where none can be used; and what no published set has: private keys,
    /// secrets that can't be used though the algorithms need one, and secrets beside public keys.
    pub fn inline(
        keys: &[InlineKey],
        algorithms: &[Algorithm],
    ) -> Result<(Self, Vec<Problem>), Vec<Problem>> {
        let secrets = algorithms.iter().any(|one| one.is_symmetric());
        let jwks = keys.iter().map(|key| (key, &key.jwk));
        let Sorted { usable, left } = Sorted::of(jwks, secrets);
        let is_mistake = |InlineKey { jwk, .. }: &InlineKey| {
            let is_secret = jwk.get("kty").is_some_and(|kind| kind == "oct");
            jwk.get("d").is_some() || (is_secret && secrets)
        };
        let mut problems: Vec<Problem> = left
            .iter()
            .filter(|(key, _)| usable.is_empty() || is_mistake(key))
            .map(|(key, (found, expected))| problem(key, found.clone(), expected))
            .collect();
        let first_is_secret = usable.first().is_some_and(|(_, key)| key.is_secret());
        let others = usable
            .iter()
            .filter(|(_, key)| key.is_secret() != first_is_secret);
        problems.extend(others.map(|(key, _)| {
            let found = "a secret in one set with public keys".to_owned();
            problem(key, found, "secrets and public keys in sets of their own")
        }));
        if !problems.is_empty() {
            return Err(problems);
        }
        let warnings = left.into_iter().map(|(key, (found, expected))| {
            problem(key, format!("{found}, which is ignored"), expected)
        });
        let keys = usable.into_iter().map(|(_, key)| Rc::new(key)).collect();
        Ok((Self::of(keys), warnings.collect()))
    }

    /// Compiles a key set that a provider published. Keys that can't be used here are left out,
    /// since a provider may publish them for others. Keys that were in the set `before` stay the same
    /// objects, so that cached tokens stay valid.
    ///
    /// # Errors
    /// Why the document is no key set, or that no key of it can be used.
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
        let Sorted { usable, left } = Sorted::of(list.iter().map(|jwk| ((), jwk)), false);
        if usable.is_empty() {
            let why = left
                .first()
                .map(|(_, (found, _))| format!(" (the first is {found})"));
            return Err(format!(
                "found {} keys, of which none can be used{}, expected at least one",
                list.len(),
                why.unwrap_or_default()
            ));
        }
        let usable = usable.into_iter();
        let keys = usable.map(|(_, key)| before.same(&key).unwrap_or_else(|| Rc::new(key)));
        Ok(Self::of(keys.collect()))
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

fn problem(key: &InlineKey, found: String, expected: &str) -> Problem {
    Problem {
        path: key.path.clone(),
        found,
        expected: expected.to_owned(),
    }
}

/// Keys of a list, each with where it stands.
struct Sorted<Place> {
    usable: Vec<(Place, Key)>,
    left: Vec<(Place, Unusable)>,
}

impl<Place> Sorted<Place> {
    /// RFC 7517, section 5: what isn't understood is ignored. Neither is used of two keys between which
    /// a token couldn't tell; a key that is there twice is used once.
    fn of<'a>(jwks: impl Iterator<Item = (Place, &'a Value)>, secrets: bool) -> Self {
        let mut usable: Vec<(Place, Key)> = Vec::new();
        let mut left: Vec<(Place, Unusable)> = Vec::new();
        let mut ids: HashMap<String, Vec<usize>> = HashMap::new();
        let mut ambiguous = HashSet::new();
        for (place, jwk) in jwks {
            let key = match Key::compile(jwk) {
                Ok(key) if secrets || !key.is_secret() => key,
                Ok(_) => {
                    let found = "a secret, where \"algorithms\" are all of public keys";
                    let expected = "\"algorithms\" to name HS256, HS384 or HS512";
                    left.push((place, (found.to_owned(), expected)));
                    continue;
                }
                Err(unusable) => {
                    left.push((place, unusable));
                    continue;
                }
            };
            if let Some(id) = &key.id {
                let namesakes = ids.entry(id.clone()).or_default();
                let mut others = namesakes.iter().filter_map(|index| usable.get(*index));
                if others.clone().any(|(_, other)| other.is_same(&key)) {
                    continue;
                }
                if others.any(|(_, other)| collide(other, &key)) {
                    ambiguous.insert(id.clone());
                }
                namesakes.push(usable.len());
            }
            usable.push((place, key));
        }
        let is_clear = |key: &Key| key.id.as_ref().is_none_or(|id| !ambiguous.contains(id));
        let (usable, twins): (Vec<_>, Vec<_>) =
            usable.into_iter().partition(|(_, key)| is_clear(key));
        left.extend(twins.into_iter().map(|(place, _)| {
            let found = "a key with the same \"kid\" as another";
            (place, (found.to_owned(), "a \"kid\" of its own"))
        }));
        Self { usable, left }
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
