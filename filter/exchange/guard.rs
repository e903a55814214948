//! A policy compiled for use: what all exchanges under it share.

use core::time::Duration;
use std::rc::Rc;

use super::pseudonyms;
use super::waiting_room::WaitingRoom;
use crate::config::mask::Plan;
use crate::config::{self, Environment, Policy, Problem};
use crate::identity::{Board, Tended, Verifier};
use crate::mask::Masks;

/// A policy with its keys and masks compiled.
#[derive(Debug)]
pub struct Guard {
    pub(super) policy: Policy,
    pub(super) verifier: Verifier,
    /// One for each of the policy's mask plans.
    pub(super) masks: Vec<Masks>,
    /// The mask of what none is for.
    unmasked: Masks,
    /// Where exchanges wait for a person.
    pub(super) waiting_room: Rc<WaitingRoom>,
}

impl Guard {
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
        let policy = config::load(text, environment)?;
        let mut problems = Vec::new();
        let verifier = Verifier::new(&policy.identity, seed)
            .map_err(|found| problems.extend(found))
            .ok();
        let mut masks = Vec::new();
        for plan in &policy.masks {
            match Masks::new(plan) {
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
                policy,
                verifier,
                masks,
                unmasked: Masks::default(),
            }),
            _ => Err(problems),
        }
    }

    /// The names of the values that must be on the board before [`Self::tend_keys`] and
    /// [`Self::agree_on_pseudonyms`].
    #[must_use]
    pub fn board_names(&self) -> Vec<String> {
        let mut names = self.verifier.board_names();
        if self.shares_pseudonym_key() {
            names.push(pseudonyms::PLACE.to_owned());
        }
        names
    }

    /// Whether pseudonyms wait for [`Self::agree_on_pseudonyms`].
    #[must_use]
    pub fn shares_pseudonym_key(&self) -> bool {
        self.policy.pseudonym_key.is_none() && self.policy.masks.iter().any(Plan::has_pseudonyms)
    }

    /// Takes the key that the workers have agreed on, or draws it. `fresh` are random bytes.
    ///
    /// # Errors
    /// Why there is no key. Pseudonyms are labels alone then.
    pub fn agree_on_pseudonyms(
        &self,
        board: &dyn Board,
        fresh: Option<[u8; 32]>,
    ) -> Result<(), &'static str> {
        let key = pseudonyms::agree(board, fresh)?;
        self.masks
            .iter()
            .for_each(|one| one.set_pseudonym_key(&key));
        Ok(())
    }

    /// Looks after keys that providers publish. `now` is since 1970.
    pub fn tend_keys(&self, now: Duration, board: &dyn Board) -> Tended {
        self.verifier.tend(now, board)
    }

    /// Takes a provider's answer to a request for keys: status and body, `Ok(None)` if there was
    /// no whole one, `Err` if the request could not be sent.
    pub fn keys_answered(
        &self,
        provider: usize,
        answer: Result<Option<(u16, &[u8])>, ()>,
        now: Duration,
        board: &dyn Board,
    ) -> Tended {
        self.verifier.answered(provider, answer, now, board)
    }

    /// What a plan comes to; the one that does nothing where there is no plan. `None` is a plan
    /// that does not exist.
    pub(super) fn masks(&self, plan: Option<usize>) -> Option<&Masks> {
        match plan {
            None => Some(&self.unmasked),
            Some(plan) => self.masks.get(plan),
        }
    }

    /// The policy.
    #[must_use]
    pub fn policy(&self) -> &Policy {
        &self.policy
    }
}
