//! What decisions take from a body.

use base::operation::{Model, UNKNOWN};

use crate::dialect::{Facts, FactsError};
use crate::exchange::asked::Asked;
use crate::exchange::context::Context;
use crate::exchange::reply::Refusal;
use crate::operation::{EXPORT, Models, Operation};
use crate::rules::{PromptSearch, patterns_of};

/// Takes from a whole body, decoded, what decisions rest on.
pub(super) fn take(asked: &mut Asked, body: &[u8], context: &mut Context) -> Result<(), Refusal> {
    let policy = &context.compiled.policy;
    let mut search = PromptSearch::new(
        patterns_of(&policy.rules, asked.next_rule),
        &policy.patterns,
    );
    let open = search.is_open();
    let mut see = |text: &[u8]| search.look(text);
    let taken = asked.operation.body.take(
        asked.form.head(),
        body,
        if open { Some(&mut see) } else { None },
    );
    let facts = complete(taken.map_err(refusal)?, &asked.operation, &policy.models)?;
    asked.prompts = search.end();
    // Only a policy that can ask a person has a use for it.
    if policy.approvals.is_some() {
        asked.digest = Some(asked.digest(body));
    }
    note(asked, facts, context);
    Ok(())
}

/// The refusal for a body of which no facts can be taken.
pub(in crate::exchange) fn refusal(error: FactsError) -> Refusal {
    match error {
        FactsError::Malformed(message) => Refusal::malformed(message),
        FactsError::NotReadable(message) => Refusal::not_readable(message),
    }
}

/// What is known of the request besides.
pub(in crate::exchange) fn note(asked: &mut Asked, facts: Facts, context: &mut Context) {
    let request = &mut context.record.request;
    request.items = facts.items;
    if let Some(operation) = facts.operation {
        request.operation = Some(operation);
    }
    context.record.note_model(facts.model.name());
    asked.facts = Some(facts);
}

/// Puts together what the body, the path and the query say.
pub(in crate::exchange) fn complete(
    mut facts: Facts,
    operation: &Operation,
    models: &Models,
) -> Result<Facts, Refusal> {
    let own = |model: &Model| model.name().map(|name| models.name(name).to_owned());
    facts.model = match (own(&operation.model), own(&facts.model)) {
        // A server may serve either.
        (Some(path), Some(body)) if path != body => {
            return Err(Refusal::malformed(
                "The path and the body name different models.",
            ));
        }
        (Some(name), _) | (None, Some(name)) => Model::Named(name),
        // Nobody knows what a server makes of these.
        (None, None) if [UNKNOWN, EXPORT].contains(&operation.name) => Model::Unnamed,
        (None, None) => models.resolve(facts.model),
    };
    facts.items = facts
        .items
        .map(|items| items.saturating_mul(operation.times));
    Ok(facts)
}
