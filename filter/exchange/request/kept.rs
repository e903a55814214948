//! Looks whether a request may have been made before, and its answer waits for a person since, or did.
//!
//! That is before anything is charged, or a person is asked, or the model server hears of it. If there is
//! such an answer, it is the answer; only where there is none the request goes on.

use std::rc::Rc;

use super::state::{ExpectKept, RequestState, Step};
use crate::approval::{self, Binding, Subject, Why};
use crate::exchange::approvals::{Finding, enter_to_look};
use crate::exchange::asked::{Asked, Kept};
use crate::exchange::context::Context;
use crate::exchange::effect::Effect;
use crate::exchange::reply::Refusal;
use crate::exchange::world::World;
use crate::rules::{Rule, Then};

/// Whether an answer under this rule may be kept, as far as the request can tell.
pub(super) fn may_keep(asked: &Asked, rule: &Rule, context: &Context) -> bool {
    let compiled = &context.compiled;
    let Then::Allow {
        mask: Some(plan), ..
    } = rule.then
    else {
        return false;
    };
    let waits = compiled.masks(Some(plan)).is_some_and(|one| one.may_wait());
    // A claim's id is made of the exchange's, which has to be random.
    let named = context.record.id.bytes().any(|byte| byte != b'0');
    compiled.answers().is_some()
        && waits
        && named
        && context.seed.is_some()
        && !compiled.is_committed(rule)
        // An answer of the filter's own has no messages, no session, and no lack of a body.
        && !asked.form.is_grpc()
        && !asked.opens_session
        && asked.method != "HEAD"
}

/// Looks for the answer to a request whose body is known, under this rule.
pub(super) fn look(
    mut asked: Box<Asked>,
    rule: &Rule,
    context: &mut Context,
    world: World<'_>,
) -> Result<Box<Asked>, Step> {
    let compiled = Rc::clone(&context.compiled);
    let Some(answers) = compiled.answers() else {
        return Ok(asked);
    };
    let name = answers.name(&binding(&asked, rule, context));
    asked.kept = Kept::Named(name.clone());
    let keeps = compiled.standing.borrow().keeps(&name, world.now);
    if keeps == Some(false) && !approval::put_lately(world.shared, world.now) {
        return Ok(asked);
    }
    let certain = keeps == Some(true);
    let place = match enter_to_look(&asked, context) {
        Ok(place) => place,
        Err(_) if !certain => return Ok(asked),
        Err(refusal) => return Err(refuse(refusal, Vec::new(), context, world)),
    };
    context.record.verdict.rule = Some(rule.name.clone());
    let (finding, ask) = Finding::begin((&name, &rule.name), certain, place, context, world);
    let state = ExpectKept { asked, finding };
    let state = RequestState::ExpectKept(Box::new(state));
    Err(Step::hold(state, vec![ask]))
}

/// What the answers to a request are kept by, whatever they are. The body says what else is asked for.
fn binding(asked: &Asked, rule: &Rule, context: &Context) -> String {
    let masks = &context.compiled.policy.masks_digest;
    approval::bind(&Binding {
        issuer: &asked.identity.issuer,
        subject: &asked.identity.subject,
        route: context.came.route.as_deref(),
        cluster: context.came.cluster.as_deref(),
        operation: asked.operation.name,
        // What the masks say is a part of what the rule does.
        model: Some(masks),
        others: &[],
        method: &asked.method,
        host: &asked.host,
        path: &asked.path.to_header(),
        headers: &asked.bound,
        body: asked.body.as_ref().map(|body| body.digest.as_str()),
        rule: &rule.name,
        rule_digest: &rule.digest,
        about: Subject::Answer,
        answer: None,
    })
}

/// Ends the request; what was claimed for it goes back.
pub(super) fn refuse(
    refusal: Refusal,
    mut effects: Vec<Effect>,
    context: &mut Context,
    world: World<'_>,
) -> Step {
    effects.extend(context.give_back(Why::Unanswered));
    let mut step = Step::refuse(refusal, context, world);
    step.outcome.effects.splice(0..0, effects);
    step
}
