//! From what a request asks for to a verdict.

use std::rc::Rc;

use super::charge::look_at_quotas;
use super::claims::claim;
use super::kept;
use super::state::{ExpectBody, ExpectDecision, ExpectMessages, RequestState, Step};
use crate::exchange::approvals::{ApprovalStep, Gate, OPEN, Stop, enter, shown};
use crate::exchange::asked::{Asked, BodyDigest, Kept};
use crate::exchange::charges::counts_the_body;
use crate::exchange::compiled_policy::CompiledPolicy;
use crate::exchange::context::Context;
use crate::exchange::effect::Effect;
use crate::exchange::reply::Refusal;
use crate::exchange::response::ResponsePlan;
use crate::exchange::seen::Seen;
use crate::exchange::standing::{is_granted, still_granted};
use crate::exchange::taps::{RequestTaps, Wanted};
use crate::exchange::world::World;
use crate::quota::{Measure, Quota};
use crate::rules::Decision;
use crate::rules::{Rule, Then};
use mask::policy::Upgrades;

/// Tries the rules from the first that has not been tried.
pub(super) fn judge(
    mut asked: Box<Asked>,
    seen: Seen<'_>,
    context: &mut Context,
    world: World<'_>,
) -> Step {
    let compiled = Rc::clone(&context.compiled);
    // A body or a person may have been waited for since the caller was known.
    if let Err(refusal) = compiled.check_blocks(&asked.identity, world.now) {
        return Step::refuse(refusal, context, world);
    }
    // A grant may have ended since.
    if !still_granted(&asked, &compiled, world.now) {
        asked.next_rule = core::mem::take(&mut asked.granted)
            .into_iter()
            .fold(asked.next_rule, usize::min);
        // What people have approved behind it is still approved, and found once more.
        asked.gates.clear();
    }
    let first = asked.next_rule;
    match context.tried(first, |each| {
        asked.decide(&compiled.policy.rules, first, each)
    }) {
        Decision::NeedsBody => read(asked, seen, context, world),
        Decision::Deny(index) => deny(&compiled, index, context, world),
        Decision::Approve(index) => ask(asked, index, seen, context, world),
        Decision::Allow(index) => allow(asked, index, seen, context, world),
    }
}

fn deny(
    compiled: &CompiledPolicy,
    index: Option<usize>,
    context: &mut Context,
    world: World<'_>,
) -> Step {
    let rule = index.and_then(|index| compiled.policy.rules.get(index));
    context.record.verdict.rule = rule.map(|rule| rule.name.clone());
    let message = rule.and_then(|rule| rule.message.as_deref());
    Step::refuse(Refusal::denied(message), context, world)
}

fn await_body(asked: Box<Asked>, taps: RequestTaps) -> RequestState {
    RequestState::ExpectBody(Box::new(ExpectBody { asked, taps }))
}

/// Waits for the body.
fn read(asked: Box<Asked>, seen: Seen<'_>, context: &mut Context, world: World<'_>) -> Step {
    let refusal = match (&asked.readable, seen) {
        (Err(refusal), _) => refusal.clone(),
        (Ok(()), Seen::Here(_) | Seen::Gone) => Refusal::out_of_order(),
        (Ok(()), Seen::Coming) if !world.bodies_come() => Refusal::no_bodies(),
        (Ok(()), Seen::Coming) if asked.operation.body.streams() => {
            let state = ExpectMessages {
                asked,
                rule: None,
                rest: Vec::new(),
                share: context.compiled.buffers.share(),
            };
            return Step::hold(RequestState::ExpectMessages(Box::new(state)), Vec::new());
        }
        (Ok(()), Seen::Coming) => {
            return Step::hold(await_body(asked, RequestTaps::before_verdict()), Vec::new());
        }
    };
    Step::refuse(refusal, context, world)
}

/// Asks a person, unless a quota would refuse the request after that.
fn ask(
    mut asked: Box<Asked>,
    index: usize,
    seen: Seen<'_>,
    context: &mut Context,
    world: World<'_>,
) -> Step {
    let compiled = Rc::clone(&context.compiled);
    let rule = compiled.policy.rules.get(index);
    let Some((rule, Then::Approve(gate))) = rule.map(|rule| (rule, &rule.then)) else {
        return Step::refuse(Refusal::denied(None), context, world);
    };
    if is_granted(&asked, rule, gate, context, world) {
        asked.next_rule = index.saturating_add(1);
        asked.granted.push(index);
        return judge(asked, seen, context, world);
    }
    if asked.body.is_none() {
        let Seen::Here(body) = seen else {
            return read(asked, seen, context, world);
        };
        asked.body = Some(BodyDigest::of(body));
    }
    // The answer may be there, so that nobody has to be asked whether there may be one.
    let behind = (asked.kept == Kept::Unknown).then(|| {
        let allowed = allowed_from(&asked, &compiled, index.saturating_add(1))?;
        compiled.policy.rules.get(allowed)
    });
    if let Some(allowed) = behind.flatten()
        && kept::may_keep(&asked, allowed, context)
    {
        if let Seen::Here(body) = seen {
            asked.shown = shown(body, &asked.form, &compiled);
        }
        asked = match kept::look(asked, allowed, context, world) {
            Ok(asked) => asked,
            Err(step) => return step,
        };
    }
    asked.next_rule = index.saturating_add(1);
    // A person must not be asked about a request that is refused all the same.
    if let Some(index) = allowed_from(&asked, &compiled, asked.next_rule) {
        let admitted = admit(&asked, &compiled, index)
            .and_then(|()| look_at_quotas(&asked, index, context, world));
        if let Err(refusal) = admitted {
            return Step::refuse(refusal, context, world);
        }
    }
    context.record.verdict.rule = Some(rule.name.clone());
    if let Seen::Here(body) = seen {
        asked.shown = shown(body, &asked.form, &compiled);
    }
    let stop = Stop {
        rule,
        reviewers: &gate.reviewers,
        terms: Some(gate),
        found: &[],
        answer: None,
        shown: None,
        open: OPEN,
    };
    match stop_at(&stop, &mut asked, context, world) {
        Ok((approval, ask)) => {
            let state = ExpectDecision { asked, approval };
            Step::hold(RequestState::ExpectDecision(Box::new(state)), vec![ask])
        }
        Err(refusal) => Step::refuse(refusal, context, world),
    }
}

/// Asks a person, from the caller's place in the waiting room.
fn stop_at(
    stop: &Stop<'_>,
    asked: &mut Asked,
    context: &mut Context,
    world: World<'_>,
) -> Result<(ApprovalStep, Effect), Refusal> {
    let gate = Gate::new(stop, asked, context, world)?;
    if asked.place.is_none() {
        asked.place = Some(enter(&gate, asked, context)?);
    }
    Ok(ApprovalStep::ask(gate, context))
}

/// The rule that will allow the request once everybody who must be asked has approved, if one will, by the rules
/// from `next` on.
fn allowed_from(asked: &Asked, compiled: &CompiledPolicy, mut next: usize) -> Option<usize> {
    loop {
        match asked.decide(&compiled.policy.rules, next, &mut |_, _| ()) {
            Decision::Approve(index) if index >= next => next = index.saturating_add(1),
            Decision::Allow(index) => return Some(index),
            Decision::Approve(_) | Decision::Deny(_) | Decision::NeedsBody => return None,
        }
    }
}

/// Whether a rule's masks can do with what the request asks for: nothing of a session is read.
fn admit(asked: &Asked, compiled: &CompiledPolicy, index: usize) -> Result<(), Refusal> {
    let rule = compiled.policy.rules.get(index);
    let Some(Then::Allow { mask, request, .. }) = rule.map(|rule| &rule.then) else {
        return Ok(());
    };
    let rule_commits = rule.is_some_and(|rule| compiled.is_committed(rule));
    if asked.opens_session && rule_commits {
        return Err(Refusal::no_end());
    }
    let mut plans = mask.iter().copied().chain(request.map(|mask| mask.plan));
    let passes = |plan: usize| {
        let masks = compiled.masks(Some(plan));
        masks.is_some_and(|masks| masks.only_count() || masks.options().upgrades == Upgrades::Pass)
    };
    match !asked.opens_session || plans.all(passes) {
        true => Ok(()),
        false => Err(Refusal::no_session()),
    }
}

fn allow(
    mut asked: Box<Asked>,
    index: usize,
    seen: Seen<'_>,
    context: &mut Context,
    world: World<'_>,
) -> Step {
    let compiled = Rc::clone(&context.compiled);
    let rule = compiled.policy.rules.get(index);
    let Some((
        rule,
        Then::Allow {
            quotas,
            mask,
            request,
            ..
        },
    )) = rule.map(|rule| (rule, &rule.then))
    else {
        return Step::refuse(Refusal::denied(None), context, world);
    };
    if let Err(refusal) = admit(&asked, &compiled, index) {
        context.record.verdict.rule = Some(rule.name.clone());
        return Step::refuse(refusal, context, world);
    }
    let counted = |of: &dyn Fn(&Quota) -> bool| {
        let mut all = quotas.iter();
        all.any(|index| compiled.policy.quotas.get(*index).is_some_and(of))
    };
    // Of a stream, each message is counted.
    let streams = asked.operation.body.streams();
    if asked.facts.is_none() && counted(&|quota| counts_the_body(quota) || streams) {
        return read(asked, seen, context, world);
    }
    // How long a body is, is known once it is whole, and what has no end has no length.
    let measured =
        matches!(seen, Seen::Coming) && counted(&|quota| quota.count == Measure::RequestBytes);
    let endless = asked.opens_session || is_client_stream(&asked);
    let measured = measured && !endless;
    if matches!(asked.kept, Kept::Unknown | Kept::Reads) {
        if !kept::may_keep(&asked, rule, context) {
            asked.kept = Kept::Never;
        } else if let (None, Seen::Here(body)) = (&asked.body, seen) {
            asked.body = Some(BodyDigest::of(body));
        }
        if asked.body.is_some() && asked.kept != Kept::Never {
            asked = match kept::look(asked, rule, context, world) {
                Ok(asked) => asked,
                Err(step) => return step,
            };
        } else if asked.kept == Kept::Unknown && asked.readable.is_ok() && world.bodies_come() {
            // It goes by the body, which nobody has read for anything else.
            asked.next_rule = index;
            asked.kept = Kept::Reads;
            let taps = RequestTaps::behind_verdict(None, &asked.form, seen, &compiled);
            return Step::hold(await_body(asked, taps), Vec::new());
        }
    }
    // What follows the head of a session is no body, and has no end to wait for.
    let request = request.filter(|_| !asked.opens_session);
    let taps = RequestTaps::behind_verdict(request, &asked.form, seen, &compiled);
    let kept = matches!(seen, Seen::Coming)
        && CompiledPolicy::is_full(rule)
        && !asked.opens_session
        && !is_client_stream(&asked)
        && context.keeping.wants(&asked.form);
    let body = match seen {
        Seen::Here(body) => body,
        Seen::Coming if (kept || measured) && taps.are_closed() => {
            asked.next_rule = index;
            return read_to_keep(asked, taps, context, world);
        }
        Seen::Coming | Seen::Gone if taps.are_closed() => b"",
        Seen::Coming | Seen::Gone => {
            asked.next_rule = index;
            return read_to_mask(asked, taps, seen, context, world);
        }
    };
    asked.rule = Some(index);
    pass(asked, (rule, *mask, taps), body, context, world)
}

/// Lets a request go on, under its mask, once its approvals are claimed.
fn pass(
    mut asked: Box<Asked>,
    (rule, mask, taps): (&Rule, Option<usize>, RequestTaps),
    body: &[u8],
    context: &mut Context,
    world: World<'_>,
) -> Step {
    let compiled = Rc::clone(&context.compiled);
    context.record.verdict.rule = Some(rule.name.clone());
    let sent = match taps.change(&asked.form, body, &compiled, &mut context.record) {
        Ok(sent) => sent,
        Err(refusal) => return Step::refuse(refusal, context, world),
    };
    context.committed = compiled.is_committed(rule);
    context.keep_as(rule);
    if is_client_stream(&asked) {
        context.keeping.client_stream();
    }
    for effect in &sent.effects {
        if let Effect::ReplaceRequestBody(bytes) = effect {
            asked.sent = u64::try_from(bytes.len()).ok();
            context.record.note_asked(bytes, true);
        }
    }
    let plan = ResponsePlan {
        asked,
        wanted: Wanted::new(mask, sent.originals, context.keeping.is_on(), &compiled),
    };
    claim(Box::new(plan), sent.effects, context, world)
}

/// Whether a request may be a stream of messages, whose client may wait for an answer before it ends: of gRPC,
/// whatever isn't known to have one message.
fn is_client_stream(asked: &Asked) -> bool {
    let body = &asked.operation.body;
    body.streams() || (asked.form.is_grpc() && body.grpc().is_none())
}

/// Waits for the whole body, to keep it in the record or to know how long it is.
fn read_to_keep(
    asked: Box<Asked>,
    taps: RequestTaps,
    context: &mut Context,
    world: World<'_>,
) -> Step {
    if world.bodies_come() {
        return Step::hold(await_body(asked, taps), Vec::new());
    }
    Step::refuse(Refusal::no_bodies(), context, world)
}

/// Waits for the whole body, to mask it: the first time, or once more after a person was asked,
/// since nobody but the host keeps it.
fn read_to_mask(
    asked: Box<Asked>,
    taps: RequestTaps,
    seen: Seen<'_>,
    context: &mut Context,
    world: World<'_>,
) -> Step {
    let refusal = if let Err(refusal) = asked.form.readable() {
        refusal
    } else if matches!(seen, Seen::Coming) && !world.bodies_come() {
        Refusal::no_bodies()
    } else {
        return Step::hold(await_body(asked, taps), Vec::new());
    };
    Step::refuse(refusal, context, world)
}
