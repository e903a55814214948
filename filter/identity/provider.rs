//! One provider of the policy with the keys that it has now.

use core::time::Duration;
use std::rc::Rc;

use serde_json::{Map, Value};

use super::caller::{self, SPIFFE, within};
use super::checks::{self, Lifetime};
use super::fetch::{Fetcher, KeyAnswer, KeyRequest, Tended, millis};
use super::jws::Compact;
use super::key::{Key, KeySet};
use super::unknown::UnknownIds;
use super::{Identity, Native, Refusal};
use crate::identity::section::{KeySource, Provider as Settings};
use crate::shared::Shared;
use base::policy::Problem;

/// What became of a token.
pub(super) enum Verdict {
    Verified {
        identity: Rc<Identity>,
        lifetime: Lifetime,
        key: Rc<Key>,
    },
    Refused(Refusal),
    /// A key that may come soon is missing.
    Unready,
}

impl From<Refusal> for Verdict {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

/// A provider with its keys.
#[derive(Debug)]
pub(super) struct Provider {
    pub(super) settings: Settings,
    pub(super) keys: KeySet,
    fetcher: Option<Fetcher>,
    unknown: UnknownIds,
}

impl Provider {
    /// Gives besides the provider what it ignores of the policy's keys.
    pub(super) fn new(
        index: usize,
        settings: &Settings,
        seed: u64,
    ) -> Result<(Self, Vec<Problem>), Vec<Problem>> {
        let ((keys, ignored), fetcher) = match &settings.keys {
            KeySource::Inline(keys) => (KeySet::inline(keys, &settings.algorithms)?, None),
            KeySource::Fetched(fetch) => (
                Default::default(),
                Some(Fetcher::new(index, &settings.issuer, fetch, seed)),
            ),
        };
        let provider = Self {
            settings: settings.clone(),
            keys,
            fetcher,
            unknown: UnknownIds::default(),
        };
        Ok((provider, ignored))
    }

    /// Whether a token with these claims is for this provider to judge.
    pub(super) fn issued(&self, claims: &Map<String, Value>) -> bool {
        match claims.get("iss") {
            Some(issuer) => issuer == &self.settings.issuer,
            // A JWT-SVID need not have an issuer (SPIFFE JWT-SVID, section 3).
            None => {
                self.settings.issuer.starts_with(SPIFFE)
                    && claims
                        .get("sub")
                        .and_then(Value::as_str)
                        .is_some_and(|subject| within(&self.settings.issuer, subject))
            }
        }
    }

    /// Judges a token of this provider that came with a request at `arrived`.
    ///
    /// The signature is checked before any claim but the issuer, so a forged token learns nothing
    /// about what is expected of the others.
    pub(super) fn judge(
        &mut self,
        token: &Compact<'_>,
        claims: &Map<String, Value>,
        times: Times,
        native: &dyn Native,
    ) -> Verdict {
        let signer = self
            .keys
            .signer(token, &self.settings.algorithms, native)
            .cloned();
        match signer {
            Ok(key) => match self.accept(token, claims, times.now) {
                Ok((identity, lifetime)) => Verdict::Verified {
                    identity: Rc::new(identity),
                    lifetime,
                    key,
                },
                Err(refusal) => refusal.into(),
            },
            Err(Refusal::UnknownKey) => self.key_is_missing(token.header.key_id.as_deref(), times),
            Err(refusal) => refusal.into(),
        }
    }

    /// Everything but the signature.
    pub(super) fn accept(
        &self,
        token: &Compact<'_>,
        claims: &Map<String, Value>,
        now: Duration,
    ) -> Result<(Identity, Lifetime), Refusal> {
        checks::media_type(&self.settings, token.header.media_type.as_deref())?;
        let lifetime = Lifetime::of(&self.settings, claims)?;
        lifetime.check(now)?;
        checks::audience(&self.settings, claims)?;
        Ok((caller::identity(&self.settings, claims)?, lifetime))
    }

    fn key_is_missing(&mut self, id: Option<&str>, times: Times) -> Verdict {
        let Some(fetcher) = &mut self.fetcher else {
            return Refusal::UnknownKey.into();
        };
        let id = id.unwrap_or_default();
        let now = millis(times.now);
        if let Some(asked) = fetcher.asked() {
            if self.unknown.has(id, now) {
                return Refusal::UnknownKey.into();
            }
            // The provider was asked after the request came, and has no such key.
            if asked >= millis(times.arrived) {
                self.unknown.add(id, now);
                return Refusal::UnknownKey.into();
            }
        }
        if times.now >= times.arrived.saturating_add(fetcher.wait()) {
            return Refusal::KeysUnavailable.into();
        }
        fetcher.want(now);
        Verdict::Unready
    }

    /// Takes keys as if they had been fetched, and never fetches any.
    pub(super) fn settle(&mut self, keys: KeySet) {
        self.keys = keys;
        self.fetcher = None;
    }

    /// Whether keys may still come.
    pub(super) fn awaits_keys(&self) -> bool {
        self.fetcher.is_some()
    }

    /// How long a request waits for keys.
    pub(super) fn wait(&self) -> Duration {
        self.fetcher.as_ref().map_or(Duration::ZERO, Fetcher::wait)
    }

    /// The names of the values that must be made before the first look.
    pub(super) fn names(&self) -> impl Iterator<Item = String> {
        self.fetcher.iter().flat_map(Fetcher::names)
    }

    /// Looks after the keys.
    pub(super) fn look(&mut self, now: Duration, shared: &dyn Shared) -> Tended {
        self.with_fetcher(|fetcher, keys| fetcher.look(keys, millis(now), shared))
    }

    /// Takes an answer; as [`Self::look`].
    pub(super) fn answered(
        &mut self,
        answer: Result<Option<KeyAnswer<'_>>, ()>,
        now: Duration,
        shared: &dyn Shared,
    ) -> Tended {
        self.with_fetcher(|fetcher, keys| fetcher.answered(keys, answer, millis(now), shared))
    }

    fn with_fetcher(
        &mut self,
        act: impl FnOnce(&mut Fetcher, &mut KeySet) -> Option<KeyRequest>,
    ) -> Tended {
        let Some(fetcher) = &mut self.fetcher else {
            return Tended::default();
        };
        let before = fetcher.asked();
        let name = &self.settings.name;
        let request = act(fetcher, &mut self.keys);
        Tended {
            requests: request.into_iter().collect(),
            renewed: fetcher.asked() != before,
            pause: Some(fetcher.pause()),
            fetched: fetcher
                .fetched()
                .map(|there| (name.clone(), there))
                .into_iter()
                .collect(),
            notes: fetcher.notes(),
        }
    }
}

/// When a token is judged.
#[derive(Clone, Copy, Debug)]
pub(super) struct Times {
    /// Now, since 1970.
    pub(super) now: Duration,
    /// When its request came, since 1970.
    pub(super) arrived: Duration,
}
