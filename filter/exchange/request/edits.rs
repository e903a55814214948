//! What changes in a request's head before the model server sees it.

use crate::exchange::compiled_policy::CompiledPolicy;
use crate::exchange::effect::Effect;
use crate::exchange::event::Headers;
use crate::exchange::headers::{self, is_field_value};
use crate::exchange::reply::Refusal;
use crate::identity::{self, Identity};
use crate::operation::Operation;
use crate::policy::Policy;
use crate::upstream::{Fact, Upstream};
use base::code::Code;
use mask::policy::{PartialContent, Passing, Plan};
use mask::{Format, Media};

/// Headers by which frameworks let a caller say another method or path than the one that is judged.
const OVERRIDES: &[&str] = &[
    "x-http-method-override",
    "x-http-method",
    "x-method-override",
    "x-original-url",
    "x-original-uri",
    "x-original-path",
    "x-original-method",
    "x-rewrite-url",
    "x-rewrite-uri",
    "x-rewrite-path",
    "x-waws-unencoded-url",
    "x-forwarded-uri",
    "x-forwarded-path",
    "x-forwarded-method",
];

/// Headers by which a caller that Envoy takes for an internal one has it send a request again, or to several
/// servers at once: what was approved or counted once goes once.
const REPEATS: &[&str] = &[
    "x-envoy-retry-on",
    "x-envoy-retry-grpc-on",
    "x-envoy-max-retries",
    "x-envoy-retriable-status-codes",
    "x-envoy-retriable-header-names",
    "x-envoy-hedge-on-per-try-timeout",
    "x-envoy-upstream-rq-per-try-timeout-ms",
    // Not that, but a path that some servers take for the one that was asked for.
    "x-envoy-original-path",
];

/// The headers that a caller has none of to give: its token, claims about itself, credentials (also
/// where this request gets another one), and what would make another request of it.
fn not_the_callers(policy: &Policy) -> impl Iterator<Item = &str> {
    let tokens = policy.identity.token.iter().map(|place| &place.header);
    let facts = policy
        .upstream
        .identity_headers
        .iter()
        .map(|(name, _)| name);
    let credentials = policy.upstream.credentials.iter();
    let credentials = credentials.map(|purpose| &purpose.credential.header);
    let own = tokens.chain(facts).chain(credentials);
    let own = own.map(String::as_str);
    own.chain(OVERRIDES.iter().copied())
        .chain(REPEATS.iter().copied())
}

/// What is taken out of a request's trailers: some servers read them as headers.
pub(in crate::exchange) fn trailer_edits(policy: &Policy, trailers: &Headers<'_>) -> Vec<Effect> {
    let names = not_the_callers(policy);
    let alike = names.flat_map(|name| spellings(trailers, name));
    let mut effects: Vec<Effect> = alike.map(Effect::RemoveRequestTrailer).collect();
    effects.dedup();
    effects
}

/// Removes the caller's token and its claims about itself, and adds what the policy says.
///
/// All of it is done here, since the head of a held request can't always be changed later. If the
/// request is refused after all, the edited head never leaves.
pub(super) fn edits(
    compiled: &CompiledPolicy,
    headers: &Headers<'_>,
    cluster: Option<&str>,
    identity: &Identity,
    operation: &Operation,
) -> Result<Vec<Effect>, Refusal> {
    let policy = &compiled.policy;
    let mut effects = Vec::new();
    let upstream = &policy.upstream;
    for name in not_the_callers(policy) {
        for name in spellings(headers, name) {
            let effect = Effect::RemoveRequestHeader(name);
            if !effects.contains(&effect) {
                effects.push(effect);
            }
        }
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
    let kept = compiled.record_masks().is_some();
    if kept || !policy.masks.is_empty() || compiled.own_secrets.is_some() {
        // What comes back encoded has to be decoded to be masked, and leaves decoded: between
        // here and the model server an encoding saves little, and costs both ends. So it is where
        // the guard's own secrets are looked for. Which mask applies, if any, is known only when the
        // head may have gone.
        // A head that names no encoding lets the server choose any (RFC 9110, 12.5.3).
        if headers::single(headers, "accept-encoding") != Some("identity") {
            set("accept-encoding", "identity".to_owned());
        }
        if headers::has(headers, "grpc-accept-encoding") {
            set("grpc-accept-encoding", "identity".to_owned());
        }
        // Nothing is found in messages of WebSocket that are compressed (RFC 7692).
        let extensions = "sec-websocket-extensions";
        if compiled.own_secrets.is_some() && headers::has(headers, extensions) {
            effects.push(Effect::RemoveRequestHeader(extensions.to_owned()));
        }
        // A part of a text can't be masked: the whole is asked for, unless it seems that what comes
        // passes unread.
        let part_passes = |plan: &Plan| {
            let pass = &plan.options.pass;
            plan.options.partial_content == PartialContent::Pass
                || pass.lets_operation(Some(operation.name))
                || asks_for_opaque(headers, pass)
        };
        let parts_pass = policy.masks.is_empty() || policy.masks.iter().any(part_passes);
        if headers::has(headers, "range") && !parts_pass {
            effects.push(Effect::RemoveRequestHeader("range".to_owned()));
        }
    }
    Ok(effects)
}

/// Whether the request says that it takes only what passes unread: by the types that it accepts, or
/// as browsers say it for what they show or play (`sec-fetch-dest`, W3C Fetch Metadata).
fn asks_for_opaque(headers: &Headers<'_>, pass: &Passing) -> bool {
    let passes = |media: &str| match Format::of_media(media) {
        Media::Text(_) => pass.lets_text(media),
        // A range such as `image/*` passes where a glob fits it that is as wide.
        Media::NoText | Media::Unknown => pass.lets_opaque(media, None),
    };
    let shown = headers::single(headers, "sec-fetch-dest");
    let shown = shown.filter(|kind| ["image", "audio", "video", "font"].contains(kind));
    let accepted = headers::single(headers, "accept").is_some_and(|types| {
        types.split(',').all(|media| {
            let media = media.split(';').next().unwrap_or_default();
            passes(&media.trim().to_ascii_lowercase())
        })
    });
    accepted || shown.is_some_and(|kind| passes(&format!("{kind}/*")))
}

/// The names of all headers that some server could take for this one: many read `_` as `-`, and `-`
/// as `_`.
fn spellings(headers: &Headers<'_>, name: &str) -> Vec<String> {
    let same = |one: u8, other: u8| {
        one == other || (matches!(one, b'_' | b'-') && matches!(other, b'_' | b'-'))
    };
    let alike = |found: &[u8]| {
        let pairs = found.iter().zip(name.bytes());
        found.len() == name.len() && pairs.fold(true, |all, (one, other)| all && same(*one, other))
    };
    let found = headers.iter().filter(|(found, _)| alike(found));
    let names = found.filter_map(|(found, _)| core::str::from_utf8(found).ok());
    names.map(str::to_owned).collect()
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
    let sound = |value: &String| !value.contains(',') && has_no_blank_end(value);
    if !values.iter().all(sound) {
        return Err(not_a_header());
    }
    if values.is_empty() {
        return Ok(None);
    }
    field_value(&values.join(",")).map(Some)
}

fn field_value(text: &str) -> Result<String, Refusal> {
    // A server takes blanks at the ends for none (RFC 9110, section 5.5), and the caller for another.
    (is_field_value(text) && has_no_blank_end(text))
        .then(|| text.to_owned())
        .ok_or_else(not_a_header)
}

fn has_no_blank_end(text: &str) -> bool {
    text.trim() == text
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
