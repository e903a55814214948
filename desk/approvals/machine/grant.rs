//! What an approval is good for.

use super::approval::{Approval, Covered};
use crate::approvals::protocol::{
    About, DecisionKind, Granted, Matter, Models, Question, ReasonRule, State,
};

/// How long an approval for one request waits to be used, in milliseconds: 30 minutes.
pub const APPROVED_FOR: i64 = 30 * 60 * 1000;

/// The most requests of a wide grant that are remembered until they are claimed. When there are more, the
/// oldest has to ask again.
const MAX_COVERED: usize = 256;

/// The most subjects and e-mail addresses that filters are told of as apart from a group. Where there are more,
/// they ask.
const MAX_APART: usize = 64;

/// The most filters whose rule is remembered to want those who approved. About others, it is asked each time.
const MAX_VOUCHED_BY: usize = 64;

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
    pub(super) fn lasts(&self, now: i64) -> i64 {
        if let Some(calendar) = &self.ahead.calendar {
            return calendar.ends().saturating_sub(now);
        }
        self.question
            .grant
            .map_or(APPROVED_FOR, |grant| millis(grant.seconds))
    }

    /// Until when it is good without a break; `None` while its calendar is closed.
    fn open_until(&self, now: i64) -> Option<i64> {
        match &self.ahead.calendar {
            None => Some(self.expires),
            Some(calendar) => calendar
                .open_until(now)
                .map(|until| until.min(self.expires)),
        }
    }

    /// Whether it is good now, if it is approved.
    pub(super) fn holds_at(&self, now: i64) -> bool {
        self.open_until(now).is_some_and(|until| until > now)
    }

    /// Notes whether the calendar is open, and when that changes.
    pub(super) fn turn(&mut self, now: i64) {
        let Some(calendar) = &self.ahead.calendar else {
            return;
        };
        let approved = self.state == State::Approved;
        self.turns = calendar
            .turns(now)
            .filter(|_| approved && self.uses().is_none());
        self.closed = !self.holds_at(now);
    }

    /// What is left of it, while it is approved.
    #[must_use]
    pub fn left(&self, now: i64) -> Option<Granted> {
        let until = self.open_until(now).unwrap_or(now);
        (self.state == State::Approved).then(|| Granted {
            left_ms: u64::try_from(until.saturating_sub(now)).unwrap_or(0),
            uses_left: self.uses().map(|uses| uses.saturating_sub(self.spent)),
        })
    }

    /// Whether filters may go by it without asking.
    #[must_use]
    pub fn is_listed(&self) -> bool {
        let known = self.question.matter.about != About::Access || !self.vouched_by.is_empty();
        let open = !self.closed && self.apart.len() <= MAX_APART;
        self.state == State::Approved && self.is_wide() && self.uses().is_none() && known && open
    }

    /// Whether this live grant answers a question of `filter`: the same caller, or one of the group, asks for the
    /// same kind of thing under the same rule. What was asked ahead of need named the reviewers itself, so that the question has
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
            && self.holds_at(now)
            && self.is_for(filter)
            && self.is_held_by(other)
            && (&own.rule, &own.operation) == (&other.rule, &other.operation)
            && self.is_of_model(other)
            && about == other.about
            && rule
            && (!ahead || self.is_vouched_by(filter) || self.satisfies(question))
    }

    /// Whether `filter` may go by it without a question: if it wasn't asked ahead of need, or this filter's own rule
    /// wants those who approved. What another filter says of a rule holds for that filter.
    #[must_use]
    pub fn is_vouched_by(&self, filter: &str) -> bool {
        let ahead = self.question.matter.about == About::Access;
        !ahead || self.vouched_by.iter().any(|one| one == filter)
    }

    /// Whether it is for who asks.
    fn is_held_by(&self, other: &Matter) -> bool {
        let own = &self.question.matter;
        let holds = match &self.ahead.group {
            None => own.subject == other.subject,
            Some(group) => other.groups.contains(group) && !self.is_apart(other),
        };
        own.issuer == other.issuer && holds
    }

    /// Whether it is for the model that is asked for.
    fn is_of_model(&self, other: &Matter) -> bool {
        match self.ahead.models {
            Some(Models::Any) => true,
            // It is for one model, and the server may take any that is named.
            None => self.question.matter.model == other.model && other.other_models.is_empty(),
        }
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
            if !self.is_vouched_by(filter) && self.vouched_by.len() < MAX_VOUCHED_BY {
                self.vouched_by.push(filter.to_owned());
            }
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
