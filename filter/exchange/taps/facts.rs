//! What decisions take from a body.

use base::operation::{Model, UNKNOWN};

use base::wire::{WireError, frame};

use super::decode::undo;
use crate::dialect::{Facts, FactsError, See};
use crate::exchange::asked::{Asked, BodyDigest};
use crate::exchange::context::Context;
use crate::exchange::reply::Refusal;
use crate::operation::{EXPORT, Models, Operation, Path};
use crate::policy::Policy;
use crate::rules::{PromptSearch, Prompts, patterns_of};

/// Takes from a whole body, decoded, what decisions rest on.
pub(super) fn take(asked: &mut Asked, body: &[u8], context: &mut Context) -> Result<(), Refusal> {
    if asked.operation.body.grpc().is_some() {
        return take_message(asked, body, context);
    }
    look(asked, body, context, |asked, see| {
        let form = asked.form.head();
        asked.operation.body.take(form, body, see)
    })
}

/// Takes from one message of gRPC, with what stands in front of it, what decisions rest on.
pub(in crate::exchange) fn take_message(
    asked: &mut Asked,
    framed: &[u8],
    context: &mut Context,
) -> Result<(), Refusal> {
    const ONE: &str = "The body is not one message of gRPC.";
    let mut rest = framed;
    let (compressed, message) = frame(&mut rest).map_err(|WireError| Refusal::malformed(ONE))?;
    if !rest.is_empty() {
        return Err(Refusal::malformed(ONE));
    }
    let undone = match (compressed, asked.form.compression()) {
        (false, _) => None,
        (true, Some(coding)) => Some(undo(coding, message, &context.compiled)?),
        (true, None) => {
            return Err(Refusal::not_readable(
                "A message is compressed in a way that can't be undone.",
            ));
        }
    };
    let message = undone.as_ref().map_or(message, |(message, _room)| message);
    look(asked, framed, context, |asked, see| {
        asked.operation.body.take_message(message, see)
    })
}

/// Takes facts in this way, and looks at the texts; an approval is bound to these bytes.
fn look(
    asked: &mut Asked,
    bytes: &[u8],
    context: &mut Context,
    take: impl for<'s> FnOnce(&Asked, Option<&'s mut See<'s>>) -> Result<Facts, FactsError>,
) -> Result<(), Refusal> {
    let policy = &context.compiled.policy;
    let mut search = PromptSearch::new(
        patterns_of(&policy.rules, asked.next_rule),
        &policy.patterns,
    );
    let open = search.is_open();
    let mut see = |text: &[u8]| search.look(text);
    for text in asked.path.query_texts() {
        see(text.as_bytes());
    }
    let taken = take(asked, if open { Some(&mut see) } else { None });
    let facts = complete(taken.map_err(refusal)?, &asked.operation, &policy.models)?;
    asked.prompts = search.end();
    // Only a policy that can ask a person has a use for it.
    if policy.approvals.is_some() {
        asked.body = Some(BodyDigest::of(bytes));
    }
    note(asked, facts, context);
    Ok(())
}

/// What rules look for in texts, where there is no body that could have some.
pub(in crate::exchange) fn prompts_of_head(path: &Path, policy: &Policy) -> Prompts {
    let mut search = PromptSearch::new(patterns_of(&policy.rules, 0), &policy.patterns);
    if search.is_open() {
        for text in path.query_texts() {
            search.look(text.as_bytes());
        }
    }
    search.end()
}

/// The refusal for a body of which no facts can be taken.
fn refusal(error: FactsError) -> Refusal {
    match error {
        FactsError::Malformed(message) => Refusal::malformed(message),
        FactsError::NotReadable(message) => Refusal::not_readable(message),
    }
}

/// What is known of the request besides.
fn note(asked: &mut Asked, facts: Facts, context: &mut Context) {
    let request = &mut context.record.request;
    request.items = facts.items;
    if let Some(operation) = facts.operation {
        request.operation = Some(operation);
    }
    context.record.note_model(facts.model.name());
    asked.facts = Some(facts);
}

/// The most models that a request may name besides: who decides on it sees all of them.
const MAX_OTHERS: usize = 64;

/// The longest that these are together, in bytes: a question about the request has room for them.
const MAX_OTHERS_BYTES: usize = 16 << 10;

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
    // A model that some servers take from the head is concerned only if any is.
    if facts.model != Model::Nothing {
        facts.others.extend(operation.others.iter().cloned());
    }
    let known = |name: &String| {
        // A resource's name has its collection in front (Gemini's API), where a path has none.
        let name = name.strip_prefix("models/").unwrap_or(name);
        models.name(name).to_owned()
    };
    facts.others = facts.others.iter().map(known).collect();
    facts
        .others
        .retain(|name| facts.model.name() != Some(name.as_str()));
    let bytes = facts.others.iter().map(String::len);
    if facts.others.len() > MAX_OTHERS || bytes.fold(0, usize::saturating_add) > MAX_OTHERS_BYTES {
        return Err(Refusal::malformed("The request names too many models."));
    }
    facts.items = facts
        .items
        .map(|items| items.saturating_mul(operation.times));
    Ok(facts)
}
