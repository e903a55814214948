//! What changes in a request's head before the model server sees it.

use crate::exchange::effect::Effect;
use crate::exchange::event::Headers;
use crate::exchange::headers::{self, is_field_value};
use crate::exchange::reply::Refusal;
use crate::identity::{self, Identity};
use crate::operation::Operation;
use crate::policy::Policy;
use crate::upstream::{Fact, Upstream};
use base::code::Code;
use mask::policy::{PartialContent, Plan};

/// Removes the caller's token and its claims about itself, and adds what the policy says.
///
/// All of it is done here, since the head of a held request can't always be changed later. If the
/// request is refused after all, the edited head never leaves.
pub(super) fn edits(
    policy: &Policy,
    headers: &Headers<'_>,
    cluster: Option<&str>,
    identity: &Identity,
    operation: &Operation,
) -> Result<Vec<Effect>, Refusal> {
    let mut effects = Vec::new();
    for place in &policy.identity.token {
        remove(&mut effects, headers, &place.header);
    }
    let upstream = &policy.upstream;
    for (name, _) in &upstream.identity_headers {
        remove(&mut effects, headers, name);
    }
    // Also where this request gets another one: a client has none of these to give.
    for purpose in &upstream.credentials {
        remove(&mut effects, headers, &purpose.credential.header);
    }
    let mut set = |name: &str, value: String| {
        effects.push(Effect::SetRequestHeader {
            name: name.to_owned(),
            value,
        });
    };
    for (name, fact) in &upstream.identity_headers {
        if let Some(value) = fact_value(identity, fact)? {
            set(name, value);
        }
    }
    if let Some(credential) = upstream.credential(cluster, operation.name) {
        set(&credential.header, credential.value.clone());
    }
    if !policy.masks.is_empty() {
        // What comes back encoded has to be decoded to be masked, and leaves decoded: between
        // here and the model server an encoding saves little, and costs both ends. Which mask
        // applies, if any, is known only when the head may have gone.
        // A head that names no encoding lets the server choose any (RFC 9110, 12.5.3).
        if headers::single(headers, "accept-encoding") != Some("identity") {
            set("accept-encoding", "identity".to_owned());
        }
        if headers::has(headers, "grpc-accept-encoding") {
            set("grpc-accept-encoding", "identity".to_owned());
        }
        // A part of a body can't be masked.
        let part_passes = |plan: &Plan| plan.options.partial_content == PartialContent::Pass;
        if headers::has(headers, "range") && !policy.masks.iter().any(part_passes) {
            effects.push(Effect::RemoveRequestHeader("range".to_owned()));
        }
    }
    Ok(effects)
}

/// Removes all headers that some server could take for this one: many read `_` as `-`.
fn remove(effects: &mut Vec<Effect>, headers: &Headers<'_>, name: &str) {
    let alike = |found: &[u8]| {
        found.len() == name.len()
            && found
                .iter()
                .zip(name.bytes())
                .all(|(one, other)| *one == other || (*one == b'_' && other == b'-'))
    };
    for (found, _) in headers {
        if alike(found)
            && let Ok(found) = core::str::from_utf8(found)
        {
            let effect = Effect::RemoveRequestHeader(found.to_owned());
            if !effects.contains(&effect) {
                effects.push(effect);
            }
        }
    }
}

/// The headers of a policy that should name a caller and can't, since what they would say is no
/// header's value. Tokens of such a caller are refused with [`Code::IdentityNotAHeader`].
#[must_use]
pub fn unwritable<'p>(upstream: &'p Upstream, identity: &Identity) -> Vec<&'p str> {
    upstream
        .identity_headers
        .iter()
        .filter(|(_, fact)| fact_value(identity, fact).is_err())
        .map(|(name, _)| name.as_str())
        .collect()
}

/// What a header says about the caller; `None` if there is nothing to say.
fn fact_value(identity: &Identity, fact: &Fact) -> Result<Option<String>, Refusal> {
    let one = |text: &str| field_value(text).map(Some);
    match fact {
        Fact::Subject => one(&identity.subject),
        Fact::Provider => one(&identity.provider),
        Fact::Issuer => one(&identity.issuer),
        Fact::Kind => one(identity.kind.name()),
        Fact::Client => identity.client.as_deref().map(field_value).transpose(),
        Fact::Groups => list(&identity.groups),
        Fact::Claim(name) => list(identity.claims.get(name).map_or(&[], Vec::as_slice)),
    }
}

/// Values with commas between them; one that has a comma would read as two.
fn list(values: &[String]) -> Result<Option<String>, Refusal> {
    if values.iter().any(|value| value.contains(',')) {
        return Err(not_a_header());
    }
    if values.is_empty() {
        return Ok(None);
    }
    field_value(&values.join(",")).map(Some)
}

fn field_value(text: &str) -> Result<String, Refusal> {
    is_field_value(text)
        .then(|| text.to_owned())
        .ok_or_else(not_a_header)
}

fn not_a_header() -> Refusal {
    Refusal::new(
        401,
        Code::IdentityNotAHeader,
        "What the access token says about its subject can't be written in a header.",
    )
    .with_challenge()
}

impl Refusal {
    fn with_challenge(mut self) -> Self {
        let challenge = identity::Refusal::TokenMalformed.challenge();
        self.headers.push(("www-authenticate", challenge));
        self
    }
}
