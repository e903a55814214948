//! What stands at the desk, as exchanges use it: grants that let them pass without a question, and
//! blocks that let them pass nowhere.

use base::operation::UNKNOWN;
use core::time::Duration;
use std::rc::Rc;

use super::asked::Asked;
use super::charges::milliseconds;
use super::compiled_policy::CompiledPolicy;
use super::context::Context;
use super::reply::Refusal;
use super::world::World;
use crate::approval::{Poll, Scope};
use crate::identity::Identity;
use crate::quota::{self, NotReset, Quota, Span};
use crate::record;
use crate::rules::{Gate, Rule};
use crate::shared::Shared;

impl CompiledPolicy {
    /// The next question about what stands, and where to ask it. `now` is since 1970.
    #[must_use]
    pub fn poll_standing(&self, now: Duration) -> (Poll, String) {
        self.standing.borrow().poll(now)
    }

    /// Takes the answer to one.
    ///
    /// # Errors
    /// What is wrong with it; then what was known before stays.
    pub fn take_standing(
        &self,
        body: &[u8],
        poll: Poll,
        now: Duration,
    ) -> Result<(), &'static str> {
        self.standing.borrow_mut().take(body, poll, now)
    }

    /// Empties the counts that are to be emptied at `now` (since 1970), unless another worker has, and
    /// gives for each of them its quota's name and the reset's.
    #[inline(never)]
    pub fn reset_counts(&self, now: Duration, shared: &dyn Shared) -> Vec<(String, String)> {
        let standing = self.standing.borrow();
        let mut emptied = Vec::new();
        for reset in standing.resets(now) {
            let mut quotas = self.policy.quotas.iter();
            // What is in flight is free once it has ended, and no sooner.
            let counted = |quota: &&Quota| {
                quota.name == reset.quota && !matches!(quota.span, Span::Now { .. })
            };
            let (Some(quota), Some(table)) = (quotas.find(counted), self.table()) else {
                reset.done.set(true);
                continue;
            };
            let wanted = quota::Reset {
                id: reset.id,
                quota: &quota.id,
                key: &reset.key,
                until: milliseconds(reset.others_until),
            };
            let done = quota::reset(table, shared, &wanted, milliseconds(now));
            reset.done.set(done != Err(NotReset::Unavailable));
            if done.is_ok() {
                emptied.push((reset.quota.to_owned(), reset.id.to_owned()));
            }
        }
        emptied
    }

    /// Whether a caller may go on at all.
    #[inline(never)]
    pub(super) fn check_blocks(&self, caller: &Identity, now: Duration) -> Result<(), Refusal> {
        let Some(approvals) = self.policy.approvals.as_ref() else {
            return Ok(());
        };
        let standing = self.standing.borrow();
        match standing.block(caller, now) {
            Some(id) => Err(Refusal::blocked(id)),
            None if approvals.needs_blocks && !standing.is_heard(now) => {
                Err(Refusal::blocks_unknown())
            }
            None => Ok(()),
        }
    }
}

/// Whether the grants that let a request through gates still do, now that it has waited for something else.
pub(super) fn still_granted(asked: &Asked, compiled: &CompiledPolicy, now: Duration) -> bool {
    let standing = compiled.standing.borrow();
    asked.granted.iter().all(|index| {
        let rule = compiled.policy.rules.get(*index);
        rule.and_then(|rule| scope(asked, rule))
            .is_some_and(|scope| standing.grant(&scope, now).is_some())
    })
}

/// What a grant must cover to let a request through a rule's gate; `None` where none can.
fn scope<'a>(asked: &'a Asked, rule: &'a Rule) -> Option<Scope<'a>> {
    // What is asked for, and of which model, may be in the body.
    let facts = asked.facts.as_ref()?;
    Some(Scope {
        caller: &asked.identity,
        rule: &rule.name,
        digest: &rule.digest,
        operation: asked.operation_name().unwrap_or(UNKNOWN),
        model: facts.model.name().or(asked.operation.model.name()),
        others: !facts.others.is_empty(),
    })
}

/// Whether a grant lets a request through a gate, which its record then says.
pub(super) fn is_granted(
    asked: &Asked,
    rule: &Rule,
    gate: &Gate,
    context: &mut Context,
    world: World<'_>,
) -> bool {
    let (true, Some(scope)) = (gate.stands(), scope(asked, rule)) else {
        return false;
    };
    let compiled = Rc::clone(&context.compiled);
    let standing = compiled.standing.borrow();
    let Some(id) = standing.grant(&scope, world.now) else {
        return false;
    };
    context.record.note_approval(record::Approval {
        id: Some(id.to_owned()),
        state: "granted",
        rule: rule.name.clone(),
        ..record::Approval::default()
    });
    true
}
