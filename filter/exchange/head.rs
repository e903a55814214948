//! The request's head: who asks, what for, and what changes in it.

use core::time::Duration;
use std::rc::Rc;

use super::event::{Effect, Flow, Headers, Outcome};
use super::headers::{
    self, host, is_encoded, is_field_value, is_grpc, is_json, media_type, single,
};
use super::masked_request::Carriage;
use super::reply::Refusal;
use super::request::{Asked, Seen, hold, not_readable, out_of_order, shown};
use super::{Exchange, Phase, World};
use crate::config::mask::{PartialContent, Plan};
use crate::config::upstream::{Fact, Upstream};
use crate::identity::{self, Identity, Unverified, find_token};
use crate::operation::{self, Dialect, Facts, Operation, Shape};
use crate::rules::Prompts;

/// A request whose caller can't be verified until keys have come.
#[derive(Debug)]
pub(super) struct Held {
    headers: Vec<(Vec<u8>, Vec<u8>)>,
    end: bool,
    cluster: Option<String>,
}

/// What a head says before its caller is known.
#[derive(Clone, Copy)]
struct Head<'a> {
    headers: &'a Headers<'a>,
    end: bool,
    cluster: Option<&'a str>,
}

/// Why a head leads to no [`Asked`].
enum NotYet {
    Refused(Refusal),
    Wait(Duration),
}

impl From<Refusal> for NotYet {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl Exchange {
    pub(super) fn request_head(
        &mut self,
        headers: &Headers<'_>,
        end: bool,
        cluster: Option<&str>,
        world: World<'_>,
    ) -> Outcome {
        if !matches!(self.phase, Phase::New) {
            return self.refuse(out_of_order(), world);
        }
        let head = Head {
            headers,
            end,
            cluster,
        };
        self.take_head(head, world)
    }

    /// Tries once more to verify a caller for whom keys were missing.
    pub(super) fn keys_renewed(&mut self, world: World<'_>) -> Outcome {
        match core::mem::replace(&mut self.phase, Phase::Over) {
            Phase::Verifying(held) => {
                let headers: Vec<(&[u8], &[u8])> = held
                    .headers
                    .iter()
                    .map(|(name, value)| (name.as_slice(), value.as_slice()))
                    .collect();
                let head = Head {
                    headers: &headers,
                    end: held.end,
                    cluster: held.cluster.as_deref(),
                };
                self.take_head(head, world)
            }
            other => {
                self.phase = other;
                hold()
            }
        }
    }

    fn take_head(&mut self, head: Head<'_>, world: World<'_>) -> Outcome {
        match self.read_head(head, world) {
            Err(NotYet::Refused(refusal)) => self.refuse(refusal, world),
            Err(NotYet::Wait(wait)) => self.hold_for_keys(head, wait, world),
            Ok((mut asked, effects)) => {
                if head.end {
                    asked.readable = self.take_body(&mut asked, b"");
                }
                let body = if head.end {
                    Seen::Here(b"")
                } else {
                    Seen::Coming
                };
                let mut outcome = self.judge(Box::new(asked), body, world);
                if !matches!(self.phase, Phase::Over) {
                    outcome.effects.splice(0..0, effects);
                }
                outcome
            }
        }
    }

    fn hold_for_keys(&mut self, head: Head<'_>, wait: Duration, world: World<'_>) -> Outcome {
        if !world.may_wait {
            let refusal = Refusal::identity(identity::Refusal::KeysUnavailable);
            return self.refuse(refusal, world);
        }
        self.phase = Phase::Verifying(Box::new(Held {
            headers: head
                .headers
                .iter()
                .map(|(name, value)| (name.to_vec(), value.to_vec()))
                .collect(),
            end: head.end,
            cluster: head.cluster.map(str::to_owned),
        }));
        Outcome {
            effects: vec![Effect::AwaitKeys {
                until: self.began(world).saturating_add(wait),
            }],
            flow: Flow::Hold,
        }
    }

    /// Verifies the caller, names the operation, and lists what changes in the head.
    fn read_head(
        &mut self,
        head: Head<'_>,
        world: World<'_>,
    ) -> Result<(Asked, Vec<Effect>), NotYet> {
        let guard = Rc::clone(&self.guard);
        let policy = &guard.policy;
        let headers = head.headers;
        let media = media_type(headers);
        if media.as_deref().is_some_and(is_grpc) {
            self.dialect = Dialect::Grpc;
        }
        let method = single(headers, ":method").unwrap_or_default().to_owned();
        let authority = single(headers, ":authority").unwrap_or_default();
        self.head_request = method == "HEAD";
        self.record.request.method.clone_from(&method);
        self.record.request.host = authority.to_owned();

        let raw = headers::values(headers, ":path").next().unwrap_or_default();
        let path = operation::normalize(raw).map_err(Refusal::path)?;
        let operation = operation::name(&method, &path.path);
        if self.dialect != Dialect::Grpc {
            self.dialect = operation.dialect;
        }
        self.record.request.path = Some(path.path.clone());
        self.record.request.operation = Some(operation.name);
        self.record.request.model = operation.model.as_deref().map(shown);

        let found = find_token(&policy.identity.token, headers).map_err(Refusal::identity)?;
        let identity = guard
            .verifier
            .verify(found.token, self.began(world), world.now, world.native)
            .map_err(|unverified| match unverified {
                Unverified::Refused(refusal) => Refusal::identity(refusal).into(),
                Unverified::Wait(wait) => NotYet::Wait(wait),
            })?;
        self.caller = Some(Rc::clone(&identity));

        let normal = path.to_header();
        let moved = normal.as_bytes() != raw;
        if moved && policy.upstream.asks_for_cluster() {
            // Envoy chose the cluster by a path that is not the one that will be sent: the
            // credential of one server could go to another.
            return Err(Refusal::new(
                400,
                "path_not_normal",
                "The path is not in its normal form.",
            )
            .into());
        }
        let mut effects = self.head_effects(head, &identity, &operation)?;
        if moved {
            effects.push(Effect::SetRequestHeader {
                name: ":path".to_owned(),
                value: normal,
            });
        }
        let readable = readable(
            headers,
            media.as_deref(),
            &operation,
            policy.limits.request_body,
        );
        let facts = (operation.body == Shape::Opaque).then(|| Facts {
            model: operation.model.clone(),
            items: 1,
        });
        let asked = Asked {
            carriage: Carriage::of(headers, &operation),
            only_masked: false,
            identity,
            operation,
            method,
            host: host(authority),
            path,
            facts,
            prompts: Prompts::default(),
            digest: None,
            readable,
            next_rule: 0,
        };
        Ok((asked, effects))
    }

    /// The caller's token and claims about who it is go; what the policy says comes.
    ///
    /// All of it is done here, since a held request's head can't always be changed later. A
    /// request that is refused after all never leaves with it.
    fn head_effects(
        &self,
        head: Head<'_>,
        identity: &Identity,
        operation: &Operation,
    ) -> Result<Vec<Effect>, Refusal> {
        let policy = &self.guard.policy;
        let headers = head.headers;
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
        if let Some(credential) = upstream.credential(head.cluster, operation.name) {
            set(&credential.header, credential.value.clone());
        }
        if !policy.masks.is_empty() {
            // What comes back encoded has to be decoded to be masked, and leaves decoded: between
            // here and the model server an encoding saves little, and costs both ends. Which mask
            // applies, if any, is known only when the head may have gone.
            set("accept-encoding", "identity".to_owned());
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
/// header's value. Tokens of such a caller are refused with [`NOT_A_HEADER`].
#[must_use]
pub fn unwritable<'p>(upstream: &'p Upstream, identity: &Identity) -> Vec<&'p str> {
    upstream
        .identity_headers
        .iter()
        .filter(|(_, fact)| fact_value(identity, fact).is_err())
        .map(|(name, _)| name.as_str())
        .collect()
}

/// The code of a refusal because of [`unwritable`] headers.
pub const NOT_A_HEADER: &str = "identity_not_a_header";

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
        NOT_A_HEADER,
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

/// Whether a decision can be taken from the body, by what its head says of it.
fn readable(
    headers: &Headers<'_>,
    media: Option<&str>,
    operation: &Operation,
    limit: u64,
) -> Result<(), Refusal> {
    let length = single(headers, "content-length").and_then(|text| text.parse::<u64>().ok());
    if length.is_some_and(|length| length > limit) {
        return Err(Refusal::too_large(limit));
    }
    match operation.body {
        Shape::Opaque => return Ok(()),
        // Its client may wait for an answer before it sends more: the end may never come.
        Shape::TensorsGrpcStream => return Err(not_readable(operation::STREAMED)),
        _ => {}
    }
    if is_encoded(headers) {
        return Err(Refusal::new(
            415,
            "encoding_not_supported",
            "The body is encoded, and can't be judged. Send it without content-encoding.",
        ));
    }
    let (expected, fits): (_, fn(&str) -> bool) = match operation.body {
        Shape::TensorsGrpc => ("application/grpc", is_grpc),
        _ => ("application/json", is_json),
    };
    if !media.is_some_and(fits) {
        return Err(Refusal::new(
            415,
            "media_type_not_supported",
            format!("The body can't be judged: its content-type is not {expected}."),
        ));
    }
    Ok(())
}
