//! Who is calling: a token found in the request, verified, and mapped to an [`Identity`].
//!
//! Everything about a token is refused that RFC 8725 (JSON Web Token Best Current Practices)
//! warns of: the algorithm comes from the provider's key and the policy, never from the token
//! alone, and a token can't bring or name its own key.
//!
//! - [`jws`] reads a token's form, [`key`] holds keys and checks signatures, with the host's
//!   cryptography through [`Native`] where it has it;
//! - [`checks`] and [`caller`] judge the claims;
//! - [`cache`] remembers tokens that were verified;
//! - [`explain`] puts the checks in words for operators;
//! - [`fetch`] gets the keys that providers publish and keeps them fresh.

mod cache;
mod caller;
mod checks;
mod claims;
mod explain;
mod fetch;
mod jws;
mod key;
mod locate;
mod native;
mod provider;
mod refusal;
pub mod section;
mod unknown;

#[cfg(test)]
mod tests;

use core::cell::{Cell, RefCell};
use core::time::Duration;
use std::rc::Rc;

use base::policy::Problem;

use crate::shared::Shared;
use section::Section as Settings;

pub use base::identity::{Identity, Kind};
use cache::Cache;
pub use explain::{Explanation, Outcome, Stand, Step};
pub use fetch::{KeyAnswer, KeyRequest, MAX_DOCUMENT_BYTES, Tended};
use jws::{Compact, LastHeader};
pub use key::{KeySet, verify_jws};
pub use locate::{Found, find_token};
pub use native::{Native, NoNative};
use provider::{Provider, Times, Verdict};
pub use refusal::Refusal;
pub use section::{IDENTITY, Section, read};

/// Verifies tokens of the policy's providers. One worker has one.
#[derive(Debug)]
pub struct Verifier {
    providers: RefCell<Vec<Provider>>,
    cache: Option<RefCell<Cache>>,
    last_header: RefCell<LastHeader>,
    hits: Cell<u64>,
    misses: Cell<u64>,
    warnings: Vec<Problem>,
}

/// Why there is no identity, or none yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unverified {
    /// There will be none.
    Refused(Refusal),
    /// The provider's keys are being fetched. Ask again when they are there, and at the latest
    /// after this time since the request came.
    Wait(Duration),
}

impl From<Refusal> for Unverified {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl Verifier {
    /// Compiles the providers' keys. `seed` is random, and another one in each worker; without
    /// it no verified token is kept.
    ///
    /// # Errors
    /// Each key that can't be used, with its path in the policy.
    pub fn new(settings: &Settings, seed: Option<[u8; 32]>) -> Result<Self, Vec<Problem>> {
        let (secret, marks) = split(seed.unwrap_or_default());
        let mut problems = Vec::new();
        let mut providers = Vec::new();
        let mut warnings = Vec::new();
        for (index, provider) in settings.providers.iter().enumerate() {
            match Provider::new(index, provider, marks) {
                Ok((provider, ignored)) => {
                    providers.push(provider);
                    warnings.extend(ignored);
                }
                Err(found) => problems.extend(found),
            }
        }
        if !problems.is_empty() {
            return Err(problems);
        }
        let cached = seed.is_some() && settings.cache > 0;
        Ok(Self {
            providers: RefCell::new(providers),
            last_header: RefCell::default(),
            hits: Cell::default(),
            misses: Cell::default(),
            warnings,
            cache: cached.then(|| RefCell::new(Cache::new(settings.cache, secret))),
        })
    }

    /// What is ignored of the policy's keys.
    #[must_use]
    pub fn warnings(&self) -> &[Problem] {
        &self.warnings
    }

    /// Verifies the token of a request that came at `arrived`. Times are since 1970.
    ///
    /// # Errors
    /// The first check that failed, or that keys are missing which may come soon.
    pub fn verify(
        &self,
        token: &str,
        arrived: Duration,
        now: Duration,
        native: &dyn Native,
    ) -> Result<Rc<Identity>, Unverified> {
        let digest = self.cache.as_ref().map(|cache| {
            let mut cache = cache.borrow_mut();
            let digest = cache.digest(token);
            (digest, cache.get(digest, now))
        });
        let found = digest.as_ref().is_some_and(|(_, found)| found.is_some());
        if self.cache.is_some() {
            let count = if found { &self.hits } else { &self.misses };
            count.set(count.get().saturating_add(1));
        }
        if let Some((_, Some(identity))) = digest {
            return Ok(identity);
        }
        let token = Compact::parse_after(token, &mut self.last_header.borrow_mut())?;
        let claims = token.claims()?;
        let mut providers = self.providers.borrow_mut();
        let provider = providers
            .iter_mut()
            .find(|provider| provider.issued(&claims))
            .ok_or(Refusal::UnknownIssuer)?;
        match provider.judge(&token, &claims, Times { now, arrived }, native) {
            Verdict::Verified {
                identity,
                lifetime,
                key,
            } => {
                if let (Some(cache), Some((digest, _))) = (&self.cache, digest) {
                    cache.borrow_mut().insert(digest, &identity, lifetime, &key);
                }
                Ok(identity)
            }
            Verdict::Refused(refusal) => Err(refusal.into()),
            Verdict::Unready => Err(Unverified::Wait(provider.wait())),
        }
    }

    /// How often a token was there among those that were verified, and how often not, since this was
    /// last asked.
    #[must_use]
    pub fn take_lookups(&self) -> (u64, u64) {
        (self.hits.take(), self.misses.take())
    }

    /// The names of the values that must be made before the first [`Self::tend`].
    #[must_use]
    pub fn shared_names(&self) -> Vec<String> {
        self.providers
            .borrow()
            .iter()
            .flat_map(Provider::names)
            .collect()
    }

    /// Looks after the keys: takes over what other workers fetched, lets old keys go, and asks
    /// for what is due.
    pub fn tend(&self, now: Duration, shared: &dyn Shared) -> Tended {
        let mut tended = Tended::default();
        for provider in self.providers.borrow_mut().iter_mut() {
            tended.add(provider.look(now, shared));
        }
        tended
    }

    /// Takes the answer to a request for keys, `Ok(None)` if there was no whole one, `Err` if the
    /// request could not be sent.
    pub fn answered(
        &self,
        provider: usize,
        answer: Result<Option<KeyAnswer<'_>>, ()>,
        now: Duration,
        shared: &dyn Shared,
    ) -> Tended {
        let mut tended = Tended::default();
        if let Some(provider) = self.providers.borrow_mut().get_mut(provider) {
            tended.add(provider.answered(answer, now, shared));
        }
        tended
    }
}

/// The cache's key, and what tells workers apart.
fn split(seed: [u8; 32]) -> ([u8; 16], u64) {
    let (mut secret, mut mark) = ([0; 16], [0; 8]);
    for (to, from) in secret.iter_mut().chain(&mut mark).zip(seed) {
        *to = from;
    }
    (secret, u64::from_le_bytes(mark))
}
