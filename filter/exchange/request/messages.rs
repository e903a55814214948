//! A request that is a stream of gRPC messages: each is judged and counted as it comes, and goes on
//! once it may.
//!
//! The head waits for the first message. What is there of a message that isn't whole yet is kept here,
//! not by the host: what it holds goes on as a piece.

use std::rc::Rc;

use super::charge::charge;
use super::state::{ExpectMessages, RequestState, Step};
use crate::exchange::asked::Asked;
use crate::exchange::charges::Charges;
use crate::exchange::context::Context;
use crate::exchange::effect::{Effect, Flow, Outcome};
use crate::exchange::reply::Refusal;
use crate::exchange::response::ResponsePlan;
use crate::exchange::taps::{Wanted, over, take_message};
use crate::exchange::world::World;
use crate::rules::{Decision, Then};

/// A flag and a length of four bytes stand in front of each message.
const PREFIX_BYTES: usize = 5;

/// The bytes that the host holds, all of those that have come as long as no message went on; `end` if
/// the request ends with them.
pub(super) fn bytes(
    state: ExpectMessages,
    bytes: &[u8],
    end: bool,
    context: &mut Context,
    world: World<'_>,
) -> Step {
    let mut charged = Vec::new();
    match go_on(state, (bytes, end), &mut charged, context, world) {
        Ok(step) => {
            for charges in charged {
                context.take_charges(charges);
            }
            step
        }
        Err(refusal) => {
            // What came with a message that is refused doesn't go either.
            for charges in charged {
                charges.give_back(&context.compiled, world);
            }
            Step::refuse(refusal, context, world)
        }
    }
}

/// Trailers have come behind the last message.
pub(super) fn ended(state: ExpectMessages, context: &mut Context, world: World<'_>) -> Step {
    if state.rest.is_empty() {
        return Step {
            state: RequestState::Passed,
            outcome: Outcome::go_on(),
            passed: None,
        };
    }
    Step::refuse(cut_short(), context, world)
}

fn go_on(
    mut state: ExpectMessages,
    (bytes, end): (&[u8], bool),
    charged: &mut Vec<Charges>,
    context: &mut Context,
    world: World<'_>,
) -> Result<Step, Refusal> {
    let limit = context.compiled.policy.limits.request_body;
    let kept = state.rest.len();
    let mut all = core::mem::take(&mut state.rest);
    all.extend_from_slice(bytes);
    let mut rest = all.as_slice();
    let mut whole = 0;
    let mut plan = None;
    while let Some((frame, behind)) = split_frame(rest, limit)? {
        let passed = judge_one(&mut state, frame, charged, context, world)?;
        plan = plan.or(passed);
        whole += frame.len();
        rest = behind;
    }
    if end && !rest.is_empty() {
        return Err(cut_short());
    }
    let Some(_) = state.rule else {
        if end {
            return Err(cut_short());
        }
        if over(rest.len(), limit) {
            return Err(Refusal::too_large(limit));
        }
        // The host keeps them.
        return Ok(Step::hold(
            RequestState::ExpectMessages(Box::new(state)),
            Vec::new(),
        ));
    };
    let mut effects = Vec::new();
    let mut sent = all;
    // Most pieces of a long message end none: what is kept stays where it is then.
    let rest = match whole {
        0 => core::mem::take(&mut sent),
        whole => sent.split_off(whole),
    };
    if kept > 0 || !rest.is_empty() {
        effects.push(Effect::ReplaceRequestBody(sent));
    }
    let room = state.share.resize(rest.capacity());
    room.map_err(|_| Refusal::buffers_full())?;
    state.rest = rest;
    Ok(Step {
        state: RequestState::ExpectMessages(Box::new(state)),
        outcome: Outcome {
            effects,
            flow: Flow::Continue,
        },
        passed: plan,
    })
}

fn cut_short() -> Refusal {
    Refusal::malformed("The request ends in the middle of a message.")
}

/// A message with what stands in front of it, and what comes behind it.
type Split<'a> = (&'a [u8], &'a [u8]);

/// Splits the first message off, if it is whole.
fn split_frame(bytes: &[u8], limit: u64) -> Result<Option<Split<'_>>, Refusal> {
    let Some(([_, length @ ..], _)) = bytes.split_first_chunk::<PREFIX_BYTES>() else {
        return Ok(None);
    };
    let length = u32::from_be_bytes(*length);
    if u64::from(length) > limit {
        return Err(Refusal::too_large(limit));
    }
    let length = usize::try_from(length).map_err(|_| Refusal::too_large(limit))?;
    Ok(bytes.split_at_checked(PREFIX_BYTES.saturating_add(length)))
}

/// Judges and counts one message. The first that may go says what becomes of the answer.
fn judge_one(
    state: &mut ExpectMessages,
    frame: &[u8],
    charged: &mut Vec<Charges>,
    context: &mut Context,
    world: World<'_>,
) -> Result<Option<Box<ResponsePlan>>, Refusal> {
    let compiled = Rc::clone(&context.compiled);
    // Once the first message has gone, the stream goes on.
    if state.rule.is_none() {
        compiled.check_blocks(&state.asked.identity, world.now)?;
    }
    let (items, bytes) = (context.record.request.items, context.record.request.bytes);
    take_message(&mut state.asked, frame, context)?;
    let request = &mut context.record.request;
    if state.rule.is_some() {
        request.items = items
            .zip(request.items)
            .map(|(one, other)| one.saturating_add(other));
    }
    let more = u64::try_from(frame.len()).unwrap_or(u64::MAX);
    request.bytes = Some(bytes.unwrap_or_default().saturating_add(more));
    let rules = &compiled.policy.rules;
    let index = match context.tried(0, |each| state.asked.decide(rules, 0, each)) {
        Decision::Allow(index) => index,
        Decision::Deny(index) => {
            let rule = index.and_then(|index| compiled.policy.rules.get(index));
            context.record.verdict.rule = rule.map(|rule| rule.name.clone());
            return Err(Refusal::denied(
                rule.and_then(|rule| rule.message.as_deref()),
            ));
        }
        Decision::Approve(_) | Decision::NeedsBody => return Err(Refusal::no_person_in_a_stream()),
    };
    // What becomes of the answer was said by the rule that let the first message go.
    if state.rule.is_some_and(|rule| rule != index) {
        return Err(Refusal::denied(None));
    }
    state.asked.rule = Some(index);
    state.asked.sent = Some(more);
    charged.push(charge(&state.asked, state.rule.is_some(), context, world)?);
    context.record.note_asked(frame, false);
    if state.rule.replace(index).is_some() {
        return Ok(None);
    }
    let rule = compiled.policy.rules.get(index);
    let Some((rule, Then::Allow { mask, request, .. })) = rule.map(|rule| (rule, &rule.then))
    else {
        return Err(Refusal::denied(None));
    };
    if request.is_some() {
        return Err(Refusal::unmaskable());
    }
    context.record.verdict.rule = Some(rule.name.clone());
    context.committed = compiled.is_committed(rule);
    context.keep_as(rule);
    context.keeping.client_stream();
    context.record.verdict.action = "allow";
    context.record.timing.verdict = Some(context.elapsed(world));
    let asked: Asked = state.asked.again();
    Ok(Some(Box::new(ResponsePlan {
        asked: Box::new(asked),
        wanted: Wanted::new(*mask, None, context.keeping.is_on(), &compiled),
    })))
}
