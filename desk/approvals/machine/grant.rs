//! What an approval is good for.

use super::approval::{Approval, Covered};
use crate::approvals::protocol::{About, DecisionKind, Granted, Question, ReasonRule, State};

/// How long an approval for one request waits to be used, in milliseconds: 30 minutes.
pub const APPROVED_FOR: i64 = 30 * 60 * 1000;

/// The most requests of a wide grant that are remembered until they are claimed. When there are more, the
/// oldest has to ask again.
const MAX_COVERED: usize = 256;

impl Approval {
    /// Whether it is good for all requests of its kind, and not for the one that was asked about.
    #[must_use]
    pub fn is_wide(&self) -> bool {
        let ahead = self.question.matter.about == About::Access;
        ahead
            || self
                .question
                .grant
                .is_some_and(|grant| grant.uses != Some(1))
    }

    /// How often it can be used in all; `None` for as often as the time allows.
    #[must_use]
    pub fn uses(&self) -> Option<u64> {
        self.question.grant.map_or(Some(1), |grant| grant.uses)
    }

    /// For how many milliseconds it is good from the decision.
    pub(super) fn lasts(&self) -> i64 {
        self.question
            .grant
            .map_or(APPROVED_FOR, |grant| millis(grant.seconds))
    }

    /// What is left of it, while it is approved.
    #[must_use]
    pub fn left(&self, now: i64) -> Option<Granted> {
        (self.state == State::Approved).then(|| Granted {
            left_ms: u64::try_from(self.expires.saturating_sub(now)).unwrap_or(0),
            uses_left: self.uses().map(|uses| uses.saturating_sub(self.spent)),
        })
    }

    /// Whether filters may go by it without asking.
    #[must_use]
    pub fn is_listed(&self) -> bool {
        let known = self.question.matter.about != About::Access || self.vouched;
        self.state == State::Approved && self.is_wide() && self.uses().is_none() && known
    }

    /// Whether this live grant answers a question of `filter`: the same caller asks for the same kind of thing
    /// under the same rule. What was asked ahead of need named the reviewers itself, so that the question has
    /// to show that the rule's own would have done.
    #[must_use]
    pub fn covers(&self, question: &Question, filter: &str, now: i64) -> bool {
        let (own, other) = (&self.question.matter, &question.matter);
        let ahead = own.about == About::Access;
        let about = if ahead { About::Request } else { own.about };
        let rule = match &own.rule_digest {
            None => ahead,
            digest => *digest == other.rule_digest,
        };
        self.state == State::Approved
            && self.expires > now
            && self.is_wide()
            && self.is_for(filter)
            && (&own.issuer, &own.subject) == (&other.issuer, &other.subject)
            && (&own.rule, &own.operation, &own.model)
                == (&other.rule, &other.operation, &other.model)
            // A grant is for one model.
            && other.other_models.is_empty()
            && about == other.about
            && rule
            && (!ahead || self.vouched || self.satisfies(question))
    }

    /// Whether those who approved are those whom the question's rule wants.
    fn satisfies(&self, question: &Question) -> bool {
        let approvals = self.decisions.iter();
        let approvals = approvals.filter(|one| one.kind == DecisionKind::Approve);
        let (mut have, mut broken) = (0_u32, false);
        for one in approvals {
            let named = |group| question.matter.reviewers.contains(group);
            let explained = question.reason == ReasonRule::Optional || one.reason.is_some();
            broken |= one.break_glass;
            have = have.saturating_add(u32::from(one.groups.iter().any(named) && explained));
        }
        broken || have >= question.approvals
    }

    /// Notes that a question was answered by this grant, so that its request can be claimed. Behind the first
    /// one, what was asked ahead of need is held to what the rule said.
    #[must_use]
    pub fn cover(mut self, question: &Question, filter: &str) -> Self {
        if self.question.matter.about == About::Access {
            self.question
                .matter
                .rule_digest
                .clone_from(&question.matter.rule_digest);
            self.vouched = true;
        }
        if !self.covers_binding(&question.binding, filter) {
            if self.covered.len() >= MAX_COVERED {
                self.covered.remove(0);
            }
            self.covered.push(Covered {
                filter: filter.to_owned(),
                binding: question.binding.clone(),
            });
        }
        self
    }

    /// Whether a request of `filter` may be claimed.
    pub(super) fn covers_binding(&self, binding: &str, filter: &str) -> bool {
        let asked = self.filter.as_deref() == Some(filter) && self.question.binding == binding;
        let given = |one: &Covered| one.filter == filter && one.binding == binding;
        asked || (self.is_wide() && self.covered.iter().any(given))
    }
}

/// Seconds as milliseconds.
pub(super) fn millis(seconds: u64) -> i64 {
    i64::try_from(seconds).map_or(i64::MAX, |seconds| seconds.saturating_mul(1000))
}
