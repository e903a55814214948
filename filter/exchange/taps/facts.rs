//! What decisions take from a body.

use crate::exchange::asked::Asked;
use crate::exchange::context::Context;
use crate::exchange::reply::Refusal;
use crate::operation::{self, FactsError, Shape};
use crate::rules::PromptSearch;

/// Takes from a whole body what decisions rest on.
pub(super) fn take(asked: &mut Asked, body: &[u8], context: &mut Context) -> Result<(), Refusal> {
    let nothing = body.is_empty() && asked.operation.body == Shape::Texts;
    let shape = if nothing {
        Shape::Opaque
    } else {
        asked.operation.body
    };
    let policy = &context.compiled.policy;
    let mut search = PromptSearch::new(&policy.rules, &policy.patterns, asked.next_rule);
    let taken = operation::take(shape, body, &mut |text| search.look(text));
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
