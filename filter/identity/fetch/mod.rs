//! Keys that a provider publishes: fetched by one worker for all, and again before they are old.
//!
//! For each provider, the workers share a [`Standing`] ([`Shared`]). When a fetch is due, the worker that
//! takes the lease by compare-and-set leads: it asks the provider, stores the key set beside the
//! standing, and notes that there; the others take it over at their next look. The lease of a leader
//! that is gone expires.
//!
//! When fetches fail, the last good keys serve until `keep` has passed since they were found. A
//! fetch is due early when a worker wants one, for a request whose key nobody knows, but not before
//! `cooldown` has passed since the last: made-up key ids cost the provider one fetch each
//! `cooldown`, however many there are.

mod document;
mod metadata;
mod standing;
mod tended;

#[cfg(test)]
mod tests;

use core::time::Duration;

use sha2::{Digest as _, Sha256};

use super::key::KeySet;
use crate::identity::section::{Document, Fetch};
use crate::shared::Shared;
use base::bytes::hex;
use base::url::Url;
pub use document::{KeyAnswer, MAX_DOCUMENT_BYTES};
use standing::Standing;
pub use tended::Tended;

/// A GET to send.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyRequest {
    /// The provider's place in the policy.
    pub provider: usize,
    /// The Envoy cluster.
    pub cluster: String,
    /// Where on it.
    pub url: Url,
    /// The value of `authorization`, if there is one.
    pub credential: Option<String>,
    /// How long the answer may take.
    pub timeout: Duration,
}

/// The longest pause after fetches that failed.
const MAX_PAUSE_MS: u64 = 60_000;

/// How often the standing is looked at.
const LOOK: Duration = Duration::from_secs(1);

/// How often it is looked at while requests wait for what it will say.
const LOOK_SOON: Duration = Duration::from_millis(10);

/// A step of a fetch that this worker leads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    Metadata,
    KeySet,
}

/// One worker's part in fetching one provider's keys.
#[derive(Debug)]
pub(super) struct Fetcher {
    settings: Fetch,
    issuer: String,
    /// The name of the standing, and that of the key set.
    place: String,
    keys_place: String,
    provider: usize,
    /// This worker's mark as a leader.
    mark: u64,
    random: u64,
    /// The version of the key set that this worker has.
    version: u32,
    /// When the fetch began that its key set was last found in; `None` without keys.
    asked: Option<u64>,
    /// Since when a request wants a fetch.
    wanted: Option<u64>,
    /// The fetch that this worker leads, and when it began.
    leads: Option<(Step, u64)>,
    /// Until when this worker leaves leading to others, because it could not even send a request.
    unable: u64,
    /// How a fetch ended that this worker led: whether there was a key set.
    fetched: Option<bool>,
    /// For the log.
    notes: Vec<String>,
}

impl Fetcher {
    /// `seed` must be random, and another one in each worker.
    pub(super) fn new(provider: usize, issuer: &str, settings: &Fetch, seed: u64) -> Self {
        // Another issuer, address or cluster is another set of keys.
        let source = (
            &settings.document,
            issuer,
            &settings.cluster,
            &settings.keys_cluster,
        );
        let digest = hex(&Sha256::digest(format!("{source:?}")));
        Self {
            settings: settings.clone(),
            issuer: issuer.to_owned(),
            place: format!("portcullis.standing.{digest}"),
            keys_place: format!("portcullis.keys.{digest}"),
            provider,
            mark: seed,
            random: seed,
            version: 0,
            asked: None,
            wanted: None,
            leads: None,
            unable: 0,
            fetched: None,
            notes: Vec::new(),
        }
    }

    /// The names of the values that must be made before the first look.
    pub(super) fn names(&self) -> [String; 2] {
        [self.place.clone(), self.keys_place.clone()]
    }

    /// How long a request is held for keys.
    pub(super) fn wait(&self) -> Duration {
        self.settings.wait
    }

    /// When the fetch began that the keys at hand were last found in, in milliseconds since 1970.
    pub(super) fn asked(&self) -> Option<u64> {
        self.asked
    }

    /// Asks for a fetch as soon as one is allowed.
    pub(super) fn want(&mut self, now: u64) {
        self.wanted.get_or_insert(now);
    }

    /// When the next look is due, from now.
    pub(super) fn pause(&self) -> Duration {
        if self.wanted.is_some() || self.asked.is_none() {
            LOOK_SOON
        } else {
            LOOK
        }
    }

    /// How the last fetch ended that this worker led, once.
    pub(super) fn fetched(&mut self) -> Option<bool> {
        self.fetched.take()
    }

    /// What there is to be told, once.
    pub(super) fn notes(&mut self) -> Vec<String> {
        core::mem::take(&mut self.notes)
    }

    /// Looks at the standing: takes keys over, lets old ones go, and leads if a fetch is due.
    pub(super) fn look(
        &mut self,
        keys: &mut KeySet,
        now: u64,
        shared: &dyn Shared,
    ) -> Option<KeyRequest> {
        let (bytes, version) = shared.get(&self.place).ok()?;
        let standing = Standing::read(&bytes);
        self.take_over(keys, &standing, now, shared);
        self.expire(keys, now);
        // A fetch that began after it was wanted is over, well or not.
        if standing.lease == 0 && self.wanted.is_some_and(|since| standing.tried >= since) {
            self.wanted = None;
        }
        if !self.is_due(&standing, now) || self.unable > now {
            return None;
        }
        let next = Standing {
            tried: now,
            lease: now.saturating_add(self.lease()),
            leader: self.mark,
            ..standing
        };
        if !replace(shared, &self.place, &next.write(), version) {
            return None;
        }
        let (step, cluster, url) = match &self.settings.document {
            Document::Metadata(url) => (Step::Metadata, &self.settings.cluster, url),
            Document::KeySet(url) => (Step::KeySet, &self.settings.keys_cluster, url),
        };
        self.leads = Some((step, now));
        Some(self.request(cluster.clone(), url.clone()))
    }

    /// Takes the answer to a request of this worker's; `None` for a call that failed, and `Err`
    /// for one that could not be sent.
    pub(super) fn answered(
        &mut self,
        keys: &mut KeySet,
        answer: Result<Option<KeyAnswer<'_>>, ()>,
        now: u64,
        shared: &dyn Shared,
    ) -> Option<KeyRequest> {
        let (step, began) = self.leads.take()?;
        let document = match answer {
            Ok(Some(answer)) => answer.document(),
            Ok(None) => Err("found no whole answer of at most 1 MiB".to_owned()),
            Err(()) => {
                self.unable = now.saturating_add(millis(LOOK).saturating_mul(2));
                Err(format!(
                    "the cluster {:?} can't be asked",
                    self.settings.cluster
                ))
            }
        };
        let result = match (step, document) {
            (_, Err(error)) => Err(error),
            (Step::Metadata, Ok(body)) => match metadata::key_set(&body, &self.issuer) {
                Ok(url) => {
                    self.leads = Some((Step::KeySet, began));
                    return Some(self.request(self.settings.keys_cluster.clone(), url));
                }
                Err(error) => Err(error),
            },
            (Step::KeySet, Ok(body)) => match KeySet::published(&body, keys) {
                Ok(_) => Ok(body),
                Err(error) => Err(error),
            },
        };
        self.finish(keys, began, result.as_deref(), now, shared);
        None
    }

    /// Tells the others the outcome of a fetch, if this worker still leads.
    fn finish(
        &mut self,
        keys: &mut KeySet,
        began: u64,
        result: Result<&[u8], &String>,
        now: u64,
        shared: &dyn Shared,
    ) {
        self.fetched = Some(result.is_ok());
        if let Err(error) = result {
            let error = format!("the keys of {:?} can't be fetched: {error}", self.issuer);
            self.notes.push(error);
        }
        let Ok((bytes, version)) = shared.get(&self.place) else {
            return;
        };
        let mut standing = Standing::read(&bytes);
        if standing.leader != self.mark || standing.tried != began {
            return;
        }
        standing.lease = 0;
        match result {
            Ok(document) => {
                let digest = hex(&Sha256::digest(document));
                if digest != standing.digest {
                    standing.version = standing.version.wrapping_add(1).max(1);
                    standing.digest = digest;
                    let value = [&standing.version.to_le_bytes(), document].concat();
                    let Ok((_, version)) = shared.get(&self.keys_place) else {
                        return;
                    };
                    if !replace(shared, &self.keys_place, &value, version) {
                        return;
                    }
                }
                standing.asked = began;
                standing.failures = 0;
                // Somewhat early, and in no step with others.
                let refresh = millis(self.settings.refresh);
                let early = self.random_below(refresh / 5);
                standing.due = now.saturating_add(refresh).saturating_sub(early);
            }
            Err(_) => {
                standing.failures = standing.failures.saturating_add(1);
                let pause = 500_u64.saturating_mul(1 << standing.failures.min(10));
                let pause = pause
                    .min(MAX_PAUSE_MS)
                    .min(millis(self.settings.refresh).max(1000));
                let early = self.random_below(pause / 5);
                standing.due = now.saturating_add(pause).saturating_sub(early);
            }
        }
        if replace(shared, &self.place, &standing.write(), version) {
            self.take_over(keys, &standing, now, shared);
        }
    }

    fn take_over(&mut self, keys: &mut KeySet, standing: &Standing, now: u64, shared: &dyn Shared) {
        if standing.version == 0 || self.are_old(standing.asked, now) {
            return;
        }
        if standing.version != self.version {
            let set = shared.get(&self.keys_place).ok().and_then(|(bytes, _)| {
                let (version, document) = bytes.split_first_chunk::<4>()?;
                // Of another leader, who has not yet said so in the standing.
                if u32::from_le_bytes(*version) != standing.version {
                    return None;
                }
                KeySet::published(document, keys).ok()
            });
            let Some(set) = set else {
                return;
            };
            *keys = set;
            self.version = standing.version;
        }
        self.asked = Some(standing.asked);
    }

    /// Whether keys that were found at `asked` serve no more.
    fn are_old(&self, asked: u64, now: u64) -> bool {
        now > asked.saturating_add(millis(self.settings.keep))
    }

    /// Lets keys go that nobody has confirmed for too long.
    fn expire(&mut self, keys: &mut KeySet, now: u64) {
        if self.asked.is_some_and(|asked| self.are_old(asked, now)) {
            *keys = KeySet::default();
            self.asked = None;
            self.version = 0;
            self.notes.push(format!(
                "the keys of {:?} are too old and are used no more",
                self.issuer
            ));
        }
    }

    fn is_due(&self, standing: &Standing, now: u64) -> bool {
        // A time further ahead than any that is set comes from a clock that went back.
        let ahead = |time: u64, most: u64| time > now && time <= now.saturating_add(most);
        let refresh = millis(self.settings.refresh);
        if ahead(standing.lease, self.lease()) {
            return false;
        }
        let cooldown = millis(self.settings.cooldown);
        let early =
            self.wanted.is_some() && !ahead(standing.tried.saturating_add(cooldown), cooldown);
        early || !ahead(standing.due, refresh.max(MAX_PAUSE_MS))
    }

    /// The longest time that a leader may take: two answers, and some time to look.
    fn lease(&self) -> u64 {
        millis(self.settings.timeout)
            .saturating_mul(2)
            .saturating_add(2000)
    }

    fn request(&self, cluster: String, url: Url) -> KeyRequest {
        KeyRequest {
            provider: self.provider,
            cluster,
            url,
            credential: self.settings.credential.clone(),
            timeout: self.settings.timeout,
        }
    }

    /// SplitMix64 (Steele and others, 2014): enough to keep workers out of step.
    fn random_below(&mut self, bound: u64) -> u64 {
        self.random = self.random.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.random;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % bound.max(1)
    }
}

/// Whether a value was replaced that had not changed since.
fn replace(shared: &dyn Shared, name: &str, value: &[u8], version: u32) -> bool {
    matches!(shared.compare_and_set(name, value, version), Ok(true))
}

pub(super) fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
