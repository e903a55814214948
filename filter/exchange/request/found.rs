//! A request to which an answer is kept, until that may go, or there is none any more.

use std::rc::Rc;

use super::judge::judge;
use super::kept::refuse;
use super::state::{ExpectKept, RequestState, Step};
use crate::approval::{Decision, KeptAnswer};
use crate::call::Answer;
use crate::exchange::approvals::Found;
use crate::exchange::asked::Asked;
use crate::exchange::compiled_policy::CompiledPolicy;
use crate::exchange::context::Context;
use crate::exchange::effect::{Effect, Reply};
use crate::exchange::media::{self, Content, Question};
use crate::exchange::reply::Refusal;
use crate::exchange::seen::Seen;
use crate::exchange::world::World;
use crate::identity;
use crate::record::LeftOut;
use crate::rules::Then;

/// Takes what is said of it.
pub(super) fn decided(
    state: ExpectKept,
    decision: &Decision,
    context: &mut Context,
    world: World<'_>,
) -> Step {
    let found = state.finding.decided(decision, context, world);
    found_to(found, state.asked, context, world)
}

/// Takes what came of a call.
pub(super) fn answered(
    state: ExpectKept,
    answer: Answer<'_>,
    context: &mut Context,
    world: World<'_>,
) -> Step {
    let found = state.finding.answered(answer, context);
    found_to(found, state.asked, context, world)
}

fn found_to(found: Found, asked: Box<Asked>, context: &mut Context, world: World<'_>) -> Step {
    match found {
        Found::Open(finding, effects) => {
            let state = ExpectKept { asked, finding };
            Step::hold(RequestState::ExpectKept(Box::new(state)), effects)
        }
        Found::Nothing => judge(asked, Seen::Gone, context, world),
        Found::Refused(refusal, effects) => refuse(refusal, effects, context, world),
        Found::Answer(answer) => deliver(asked, *answer, context, world),
    }
}

/// The answer goes, if the caller may still have it.
fn deliver(asked: Box<Asked>, answer: KeptAnswer, context: &mut Context, world: World<'_>) -> Step {
    let compiled = Rc::clone(&context.compiled);
    let expired = asked.identity.expires <= world.now;
    let may = compiled.check_blocks(&asked.identity, world.now);
    let may = may.and_then(|()| match expired {
        true => Err(Refusal::identity(identity::Refusal::TokenExpired)),
        false => Ok(()),
    });
    if let Err(refusal) = may {
        return refuse(refusal, Vec::new(), context, world);
    }
    context.record.not_asked();
    context.record.verdict.action = "allow";
    context.record.timing.verdict = Some(context.elapsed(world));
    note(&asked, &answer, &compiled, context);
    let reply = Reply {
        status: answer.status,
        grpc_status: 0,
        headers: vec![("content-type", answer.media)],
        body: answer.body,
    };
    Step::hold(RequestState::Answered, vec![Effect::Reply(reply)])
}

/// What goes is recorded as if it had come just now.
fn note(asked: &Asked, answer: &KeptAnswer, compiled: &CompiledPolicy, context: &mut Context) {
    let rule = context.record.verdict.rule.as_deref();
    let mut rules = compiled.policy.rules.iter();
    let rule = rules.find(|one| Some(one.name.as_str()) == rule);
    let plan = rule.and_then(|rule| {
        context.keep_as(rule);
        match rule.then {
            Then::Allow { mask, .. } => mask,
            _ => None,
        }
    });
    context.record.begin_body();
    context.record.response.masked = true;
    let headers = [(b"content-type".as_slice(), answer.media.as_bytes())];
    let question = Question {
        dialect: asked.operation.dialect,
        body: &asked.operation.body,
        operation: asked.operation_name(),
        tunnel: false,
    };
    let masks = compiled.masks(plan);
    let content =
        masks.map(|masks| media::content(&headers, Some(answer.status), question, masks.options()));
    context.keeping.begin_response(match content {
        Some(Ok(Content::Text(form))) => {
            let form = form.with(asked.operation.layout());
            Ok((form.within(&compiled.policy.limits), true))
        }
        Some(Ok(Content::NoText)) => Err(LeftOut::NoText),
        Some(Err(_)) | None => Err(LeftOut::Unreadable),
    });
    context.note_sent(answer.body.as_bytes());
}
