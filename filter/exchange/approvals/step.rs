//! A question, until it is decided.

use base::time::rfc3339;
use core::time::Duration;
use std::rc::Rc;

use super::gate::{Ask, Gate, unavailable};
use crate::approval::{Answer, Decision, State};
use crate::exchange::context::Context;
use crate::exchange::effect::Effect;
use crate::exchange::reply::Refusal;
use crate::exchange::world::World;

/// A question that has no decision yet.
#[derive(Debug)]
pub(in crate::exchange) struct ApprovalStep {
    gate: Gate,
    number: u64,
}

/// What a decision comes to.
pub(in crate::exchange) enum Decided {
    /// Nobody has decided.
    Open(ApprovalStep),
    /// The gate is open, as long as nobody else takes the approval.
    Approved(Gate),
    Refused(Refusal),
}

impl ApprovalStep {
    /// Asks.
    pub(in crate::exchange) fn ask(gate: Gate, context: &mut Context) -> (Self, Effect) {
        let number = context.number_call();
        let ask = Ask {
            about: gate.about,
            number,
            binding: gate.binding.clone(),
            finds: false,
            asker: gate.asker.clone(),
            question: Rc::clone(&gate.question),
            deadline: gate.deadline,
        };
        (Self { gate, number }, Effect::Ask(Box::new(ask)))
    }

    /// Asks once more, since somebody else took the approval. The question is waited for at least as
    /// long as its answer may take, and no longer than any, should the clock have been put back.
    pub(super) fn ask_anew(
        mut gate: Gate,
        (patience, longest): (Duration, Duration),
        context: &mut Context,
        world: World<'_>,
    ) -> (Self, Effect) {
        gate.anew = true;
        let latest = world.now.saturating_add(longest);
        let earliest = world.now.saturating_add(patience);
        gate.deadline = gate.deadline.min(latest).max(earliest);
        Self::ask(gate, context)
    }

    /// Whether this question's decision is awaited.
    pub(in crate::exchange) fn awaits(&self, number: u64) -> bool {
        self.number == number
    }

    /// Takes what came of it.
    pub(in crate::exchange) fn decided(
        self,
        decision: &Decision,
        context: &mut Context,
        world: World<'_>,
    ) -> Decided {
        let about = self.gate.about;
        let answer = match decision {
            Decision::Answer(answer) => answer,
            // Only what is looked for comes to that.
            Decision::Nothing => return Decided::Open(self),
            Decision::Late(id) => return Decided::Refused(Refusal::undecided(id)),
            Decision::Trouble(trouble) => {
                let refusal = Refusal::not_asked(*trouble);
                return Decided::Refused(unavailable(self.gate.number, context, refusal));
            }
        };
        note(self.gate.number, answer, context, world);
        match answer.state {
            State::Pending => Decided::Open(self),
            State::Approved => {
                let mut gate = self.gate;
                gate.id.clone_from(&answer.id);
                Decided::Approved(gate)
            }
            State::Denied => Decided::Refused(Refusal::approval_denied(about, answer)),
            State::Gone => Decided::Refused(Refusal::approval_gone(about, &answer.id)),
        }
    }
}

pub(super) fn note(gate: u64, answer: &Answer, context: &mut Context, world: World<'_>) {
    if let Some(approval) = context.record.approval_of(gate) {
        approval.id = Some(answer.id.clone());
        approval.state = answer.state.name();
        approval.reviewer.clone_from(&answer.reviewer);
        approval.reason.clone_from(&answer.reason);
        let open = answer.state == State::Pending;
        approval.decided = (!open).then(|| rfc3339(world.now));
    }
}
