//! A response that waits, whole, for a person's decision on what was found in it.
//!
//! Nothing of it leaves before that, not even its head. The person sees what was asked for, by whom,
//! and which detectors found something; the answer itself stays here. Once it is approved, what was
//! found goes on as it is and everything else is masked as usual. An approval is bound to this very
//! answer: if the same request is answered differently, it needs another one.

use std::rc::Rc;

use super::state::{ExpectDecision, ResponseState, Step};
use super::tapped::Tapped;
use crate::approval::Subject;
use crate::call::Answer;
use crate::exchange::approval_step::{Answered, ApprovalStep, Ask};
use crate::exchange::context::Context;
use crate::exchange::effect::Effect;
use crate::exchange::reply::Refusal;
use crate::exchange::world::World;

/// Asks a person about a response with this body, in which these detectors found something.
pub(super) fn ask(
    tapped: Box<Tapped>,
    body: Vec<u8>,
    found: &[String],
    context: &mut Context,
    world: World<'_>,
) -> Step {
    let compiled = Rc::clone(&context.compiled);
    let rule = context.record.verdict.rule.clone().unwrap_or_default();
    let question = Ask {
        subject: Subject::Answer,
        digest: tapped.asked().digest_of_answer(&body),
        rule: &rule,
        reviewers: tapped.wanted().reviewers(&compiled),
        found,
    };
    match ApprovalStep::ask(question, tapped.asked(), context, world) {
        Ok((approval, call)) => {
            context.note_sent(&body);
            let state = ExpectDecision { tapped, approval };
            Step::hold(
                ResponseState::ExpectDecision(Box::new(state)),
                vec![Effect::ReplaceResponseBody(body), call],
            )
        }
        Err(refusal) => refuse(&tapped, refusal, context),
    }
}

fn refuse(tapped: &Tapped, refusal: Refusal, context: &mut Context) -> Step {
    tapped.note(context);
    context.nothing_sent();
    Step::refuse_body(refusal, context)
}

/// Takes what the desk says.
pub(super) fn answered(
    state: ExpectDecision,
    answer: Answer<'_>,
    context: &mut Context,
    world: World<'_>,
) -> Step {
    let tapped = state.tapped;
    match state.approval.answered(answer, context, world) {
        Answered::Approved => {
            context.note_goes();
            Step::go_on(ResponseState::Flowing(tapped), Vec::new())
        }
        Answered::Open(approval, call) => {
            let state = ExpectDecision { tapped, approval };
            Step::hold(ResponseState::ExpectDecision(Box::new(state)), vec![call])
        }
        Answered::Refused(refusal) => refuse(&tapped, refusal, context),
    }
}
