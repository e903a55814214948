//! What decisions take from a body.

use crate::dialect::FactsError;
use crate::exchange::asked::Asked;
use crate::exchange::context::Context;
use crate::exchange::reply::Refusal;
use crate::rules::{PromptSearch, patterns_of};

/// Takes from a whole body what decisions rest on.
pub(super) fn take(asked: &mut Asked, body: &[u8], context: &mut Context) -> Result<(), Refusal> {
    let policy = &context.compiled.policy;
    let mut search = PromptSearch::new(
        patterns_of(&policy.rules, asked.next_rule),
        &policy.patterns,
    );
    let taken = asked
        .operation
        .body
        .take(body, &mut |text| search.look(text));
    let mut facts = taken.map_err(|error| match error {
        FactsError::Malformed(message) => Refusal::malformed(message),
        FactsError::NotReadable(message) => Refusal::not_readable(message),
    })?;
    asked.prompts = search.end();
    // Where path and body both name a model, a server may serve either.
    if let (Some(path), Some(body)) = (&asked.operation.model, &facts.model)
        && path != body
    {
        return Err(Refusal::malformed(
            "The path and the body name different models.",
        ));
    }
    facts.model = facts.model.or_else(|| asked.operation.model.clone());
    // Only a policy that can ask a person has a use for it.
    if policy.approvals.is_some() {
        asked.digest = Some(asked.digest(body));
    }
    context.record.note_model(facts.model.as_deref());
    context.record.request.items = Some(facts.items);
    asked.facts = Some(facts);
    Ok(())
}
