//! A policy compiled for use: what all exchanges under it share.

use core::cell::{OnceCell, RefCell};
use core::time::Duration;
use std::rc::Rc;

use super::buffers::Buffers;
use super::destination::Misled;
use super::own_secrets::{self, OwnSecrets};
use super::waiting_room::WaitingRoom;
use base::policy::show_size;
use mask::policy::Plan;

use crate::approval::{Answers, LAST_PUT, Standing};
use crate::dialect;
use crate::identity::{KeyAnswer, Tended, Verifier};
use crate::policy::{self, Environment, Policy, Problem};
use crate::quota::{Dimension, InFlight, Quota, Span};
use crate::record::BodyForm;
use crate::rules::{Rule, Then, headers_of};
use crate::shared::{NotAgreed, NotJoined, Shared, Table, agree};
use mask::Masks;

/// The name under which workers share a key of pseudonyms where the policy gives none. Another Envoy,
/// or the same one once restarted, draws another key; a policy that can't accept that gives one.
const PSEUDONYM_KEY: &str = "portcullis.pseudonyms";

/// A policy with its keys and masks compiled, and what its exchanges share in one VM: keys that were
/// fetched, verified tokens, who waits for a person, what is held of bodies, what stands at the desk.
#[derive(Debug)]
pub struct CompiledPolicy {
    pub(super) policy: Policy,
    pub(super) verifier: Verifier,
    /// The headers that rules ask for, in lower case.
    pub(super) rule_headers: Vec<String>,
    /// One for each of the policy's mask plans.
    pub(super) masks: Vec<Masks>,
    /// That of bodies in records, where they are kept masked.
    record_masks: Option<Masks>,
    /// That of what reviewers see.
    shown_masks: Option<Masks>,
    /// The mask of exchanges for which a rule names none.
    unmasked: Masks,
    /// What no answer may hold, if there is something.
    pub(super) own_secrets: Option<OwnSecrets>,
    warnings: Vec<Problem>,
    /// Where counts are kept; nowhere until the workers share it.
    table: OnceCell<Table>,
    /// What this VM's exchanges hold of quotas.
    pub(super) in_flight: Rc<InFlight>,
    /// Where exchanges wait for a person.
    pub(super) waiting_room: Rc<WaitingRoom>,
    /// What is held of bodies.
    pub(super) buffers: Rc<Buffers>,
    /// Which clusters requests turned out not to go to.
    pub(super) misled: Misled,
    /// What stands at the desk, as it was last heard.
    pub(super) standing: RefCell<Standing>,
}

impl CompiledPolicy {
    /// Reads and compiles a policy. `environment` gives the values that `${NAME}` stands for.
    ///
    /// # Errors
    /// Everything that is wrong with it, each with its JSON path.
    pub fn load(text: &str, environment: &Environment<'_>) -> Result<Self, Vec<Problem>> {
        Self::seeded(text, environment, None)
    }

    /// As [`Self::load`], for a worker that has random bytes of its own. Without them, every token
    /// is verified anew each time.
    ///
    /// # Errors
    /// As [`Self::load`].
    pub fn seeded(
        text: &str,
        environment: &Environment<'_>,
        seed: Option<[u8; 32]>,
    ) -> Result<Self, Vec<Problem>> {
        // Not with the first request: reading the catalog takes some milliseconds.
        let _ = dialect::built_in();
        let policy = policy::load(text, environment)?;
        let mut problems = Vec::new();
        let verifier = Verifier::new(&policy.identity, seed)
            .map_err(|found| problems.extend(found))
            .ok();
        let own_secrets = OwnSecrets::of(&policy);
        let secrets = own_secrets.as_ref().map(|own| &own.secrets);
        let mut masks = Vec::new();
        for plan in policy.plans() {
            match Masks::guarding(plan, secrets) {
                Ok(compiled) => masks.push(compiled),
                Err(error) => problems.push(Problem {
                    path: format!("/detectors/{}", error.detector),
                    found: error.reason,
                    expected: "a detector that can be looked for".to_owned(),
                }),
            }
        }
        problems.dedup();
        if let Some(key) = &policy.pseudonym_key {
            masks
                .iter()
                .for_each(|one| one.set_pseudonym_key(key.bytes()));
        }
        match verifier {
            Some(verifier) if problems.is_empty() => Ok(Self {
                waiting_room: WaitingRoom::new(policy.limits.waiting),
                buffers: Buffers::new(policy.limits.buffers),
                misled: Misled::default(),
                standing: RefCell::default(),
                warnings: [verifier.warnings(), &own_secrets::warnings(&policy)].concat(),
                own_secrets,
                rule_headers: headers_of(&policy.rules),
                shown_masks: policy.shown_mask.as_ref().and_then(|_| masks.pop()),
                record_masks: policy.record_mask.as_ref().and_then(|_| masks.pop()),
                policy,
                verifier,
                masks,
                unmasked: Masks::default(),
                table: OnceCell::new(),
                in_flight: Rc::default(),
            }),
            _ => Err(problems),
        }
    }

    /// Whether the answers to a rule's requests wait for their records.
    pub(super) fn is_committed(&self, rule: &Rule) -> bool {
        let Then::Allow { committed, .. } = &rule.then else {
            return false;
        };
        committed.unwrap_or(self.policy.sessions.committed)
    }

    /// Whether the records of a rule's requests have bodies, where the policy's have.
    pub(super) fn is_full(rule: &Rule) -> bool {
        !matches!(
            rule.then,
            Then::Allow {
                full: Some(false),
                ..
            }
        )
    }

    /// What hides in bodies that records keep masked.
    pub(super) fn record_masks(&self) -> Option<&Masks> {
        self.record_masks.as_ref()
    }

    /// What hides in what reviewers see of bodies; `None` where the policy has no masks.
    pub(super) fn shown_masks(&self) -> Option<&Masks> {
        self.shown_masks.as_ref()
    }

    /// Whether something is sealed, so that exchanges need random bytes.
    #[must_use]
    pub fn seals(&self) -> bool {
        let keeps = self.policy.sessions.keeps.as_ref();
        keeps.is_some_and(|keeps| matches!(keeps.how, BodyForm::Raw(_))) || self.answers().is_some()
    }

    /// How answers that wait for a person are kept, if they are.
    pub(super) fn answers(&self) -> Option<&Answers> {
        self.policy.approvals.as_ref()?.answers.as_ref()
    }

    /// Makes what the workers share, and agrees with the others on it: before anything else, and
    /// before any worker serves. `random` draws random bytes.
    ///
    /// # Errors
    /// Something that the policy needs can't be shared.
    pub fn join(
        &self,
        shared: &dyn Shared,
        random: &dyn Fn() -> Option<[u8; 32]>,
    ) -> Result<(), Problem> {
        for name in self.verifier.shared_names() {
            shared.make(&name).map_err(|_| Problem {
                path: "/identity/providers".to_owned(),
                found: "a host without shared data for keys".to_owned(),
                expected: "keys in the policy, or a host that shares data".to_owned(),
            })?;
        }
        if self.shares_pseudonym_key() {
            self.share_pseudonym_key(shared, random())
                .map_err(|why| Problem {
                    path: "/pseudonyms".to_owned(),
                    found: format!("no key, and the workers can't draw one: {why}"),
                    expected: "{\"key\": \"${NAME}\"}".to_owned(),
                })?;
        }
        if self.answers().is_some() {
            // Without it, the desk is asked each time.
            let _ = shared.make(LAST_PUT);
        }
        if self.counts() {
            self.join_table(shared, random())?;
        }
        Ok(())
    }

    fn share_pseudonym_key(
        &self,
        shared: &dyn Shared,
        fresh: Option<[u8; 32]>,
    ) -> Result<(), NotAgreed> {
        shared.make(PSEUDONYM_KEY)?;
        let key = agree(shared, PSEUDONYM_KEY, fresh)?;
        let kept = self.record_masks.iter().chain(&self.shown_masks);
        let all = self.masks.iter().chain(kept);
        all.for_each(|one| one.set_pseudonym_key(&key));
        Ok(())
    }

    fn join_table(&self, shared: &dyn Shared, fresh: Option<[u8; 32]>) -> Result<(), Problem> {
        let size = self.policy.store.size;
        let fresh = fresh.and_then(|bytes| bytes.first_chunk().copied());
        let table = Table::join(shared, size, fresh).map_err(|why| match why {
            NotJoined::OtherSize(there) => Problem {
                path: "/store/size".to_owned(),
                found: show_size(size),
                expected: format!(
                    "{}, which the filters of this vm_id share until Envoy ends, or another vm_id",
                    show_size(there)
                ),
            },
            NotJoined::NotAgreed(why) => not_counting(why),
        })?;
        // Whoever joins again finds the same table.
        let _ = self.table.set(table);
        let holds = |quota: &Quota| matches!(quota.span, Span::Now { .. });
        if self.policy.quotas.iter().any(holds) {
            self.in_flight.join(shared).map_err(not_counting)?;
        }
        Ok(())
    }

    /// Whether keys are fetched, so that [`Self::tend_keys`] has something to do.
    #[must_use]
    pub fn fetches_keys(&self) -> bool {
        !self.verifier.shared_names().is_empty()
    }

    /// Whether the workers draw the key of pseudonyms.
    fn shares_pseudonym_key(&self) -> bool {
        self.policy.pseudonym_key.is_none() && self.policy.plans().any(Plan::has_pseudonyms)
    }

    /// Holds so many bytes until it is dropped.
    #[cfg(test)]
    pub(crate) fn hold(&self, bytes: usize) -> impl Drop + use<> {
        let mut share = self.buffers.share();
        share.resize(bytes).unwrap();
        share
    }

    /// How many bytes are held of bodies now.
    #[must_use]
    pub fn buffered_bytes(&self) -> u64 {
        u64::try_from(self.buffers.taken()).unwrap_or(u64::MAX)
    }

    /// Whether the policy counts, so that it needs a table.
    fn counts(&self) -> bool {
        !self.policy.quotas.is_empty()
    }

    /// Where counts are kept, once the workers share it.
    pub(super) fn table(&self) -> Option<&Table> {
        self.table.get()
    }

    /// Whether something is counted by the client's address.
    #[must_use]
    pub fn counts_addresses(&self) -> bool {
        let by_address = |quota: &Quota| quota.by.contains(&Dimension::Address);
        self.policy.quotas.iter().any(by_address)
    }

    /// The time between two calls of [`Self::renew_slots`], as long as something is held that ends with
    /// its exchange.
    #[must_use]
    pub fn slots_pause(&self) -> Option<Duration> {
        self.in_flight.pause()
    }

    /// Tells the other workers that what is held still is. `now` is since 1970.
    pub fn renew_slots(&self, now: Duration, shared: &dyn Shared) {
        if let Some(table) = self.table() {
            self.in_flight.renew(table, shared, now);
        }
    }

    /// How often other workers were faster since this was last asked.
    pub(super) fn quota_retries(&self) -> u64 {
        self.table().map_or(0, Table::take_retries)
    }

    /// Looks after keys that providers publish. `now` is since 1970.
    pub fn tend_keys(&self, now: Duration, shared: &dyn Shared) -> Tended {
        self.verifier.tend(now, shared)
    }

    /// How often a token was there among those that were verified, and how often not, since this was
    /// last asked.
    #[must_use]
    pub fn take_token_lookups(&self) -> (u64, u64) {
        self.verifier.take_lookups()
    }

    /// Takes a provider's answer to a request for keys, `Ok(None)` if there was no whole one, `Err`
    /// if the request could not be sent.
    pub fn keys_answered(
        &self,
        provider: usize,
        answer: Result<Option<KeyAnswer<'_>>, ()>,
        now: Duration,
        shared: &dyn Shared,
    ) -> Tended {
        self.verifier.answered(provider, answer, now, shared)
    }

    /// The masks of a plan, or masks that do nothing where there is no plan. `None` for a plan that
    /// does not exist.
    pub(super) fn masks(&self, plan: Option<usize>) -> Option<&Masks> {
        match plan {
            None => Some(&self.unmasked),
            Some(plan) => self.masks.get(plan),
        }
    }

    /// What the policy says in vain: not wrong enough to refuse it.
    #[must_use]
    pub fn warnings(&self) -> &[Problem] {
        &self.warnings
    }

    /// The policy.
    #[must_use]
    pub fn policy(&self) -> &Policy {
        &self.policy
    }
}

fn not_counting(why: NotAgreed) -> Problem {
    Problem {
        path: "/quotas".to_owned(),
        found: format!("a host in which the workers can't count together: {why}"),
        expected: "a host that has random numbers and shares data".to_owned(),
    }
}
