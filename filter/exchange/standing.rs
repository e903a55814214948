//! What stands at the desk, as exchanges use it: grants that let them pass without a question, and
//! blocks that let them pass nowhere.

use base::operation::UNKNOWN;
use core::time::Duration;
use std::rc::Rc;

use super::asked::Asked;
use super::compiled_policy::CompiledPolicy;
use super::context::Context;
use super::reply::Refusal;
use super::world::World;
use crate::approval::{Poll, Scope};
use crate::identity::Identity;
use crate::record;
use crate::rules::{Gate, Rule};

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
