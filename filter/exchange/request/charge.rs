//! What a request takes from the quotas of the rule that lets it go.

use std::rc::Rc;

use crate::exchange::asked::Asked;
use crate::exchange::charges::{Charges, Spender};
use crate::exchange::compiled_policy::CompiledPolicy;
use crate::exchange::context::Context;
use crate::exchange::reply::Refusal;
use crate::exchange::world::World;
use crate::rules::Then;

/// The quotas of a rule that allows, whose name goes into the record.
fn quotas_of<'p>(
    compiled: &'p CompiledPolicy,
    index: Option<usize>,
    context: &mut Context,
) -> Result<&'p [usize], Refusal> {
    let rule = index.and_then(|index| compiled.policy.rules.get(index));
    let Some((rule, Then::Allow { quotas, .. })) = rule.map(|rule| (rule, &rule.then)) else {
        return Err(Refusal::denied(None));
    };
    context.record.verdict.rule = Some(rule.name.clone());
    Ok(quotas)
}

/// Whether a rule's quotas would let the request go now.
pub(super) fn look_at_quotas(
    asked: &Asked,
    index: usize,
    context: &mut Context,
    world: World<'_>,
) -> Result<(), Refusal> {
    let compiled = Rc::clone(&context.compiled);
    let quotas = quotas_of(&compiled, Some(index), context)?;
    Charges::look(
        &compiled,
        quotas,
        &asked.spender(context.came.client.as_deref()),
        world,
        &mut context.levels,
    )
}

/// Charges the quotas of the rule that lets a request go, behind everything else that can refuse it;
/// `goes_on` if a message of it has gone already.
pub(super) fn charge(
    asked: &Asked,
    goes_on: bool,
    context: &mut Context,
    world: World<'_>,
) -> Result<Charges, Refusal> {
    let compiled = Rc::clone(&context.compiled);
    let quotas = quotas_of(&compiled, asked.rule, context)?;
    let spender = Spender {
        goes_on,
        ..asked.spender(context.came.client.as_deref())
    };
    Charges::take(&compiled, quotas, &spender, world, &mut context.levels)
}
