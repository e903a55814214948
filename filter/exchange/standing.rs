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

/// Whether a grant lets a request through a gate, which its record then says.
pub(super) fn is_granted(
    asked: &Asked,
    rule: &Rule,
    gate: &Gate,
    context: &mut Context,
    world: World<'_>,
) -> bool {
    // What is asked for, and of which model, may be in the body.
    let (true, Some(facts)) = (gate.stands(), &asked.facts) else {
        return false;
    };
    let scope = Scope {
        caller: &asked.identity,
        rule: &rule.name,
        digest: &rule.digest,
        operation: asked.operation_name().unwrap_or(UNKNOWN),
        model: facts.model.name().or(asked.operation.model.name()),
    };
    let compiled = Rc::clone(&context.compiled);
    let standing = compiled.standing.borrow();
    let Some(id) = standing.grant(&scope, world.now) else {
        return false;
    };
    context.record.approval = Some(record::Approval {
        id: Some(id.to_owned()),
        state: "granted",
        rule: rule.name.clone(),
        ..record::Approval::default()
    });
    true
}
