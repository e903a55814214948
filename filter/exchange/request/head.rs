//! A request's head: who asks, and what for.

use base::code::Code;
use core::time::Duration;
use std::rc::Rc;

use super::edits::edits;
use super::judge::judge;
use super::state::{ExpectKeys, RequestState, Step};
use crate::approval::Approvals;
use crate::dialect::{self, DIALECTS, Dialect};
use crate::exchange::asked::{Asked, Kept};
use crate::exchange::context::Context;
use crate::exchange::destination::Destination;
use crate::exchange::effect::Effect;
use crate::exchange::event::Headers;
use crate::exchange::headers::{self, single};
use crate::exchange::media::{RequestForm, decidable, speaks_grpc};
use crate::exchange::reply::Refusal;
use crate::exchange::seen::Seen;
use crate::exchange::taps::{RequestTaps, complete, prompts_of_head};
use crate::exchange::world::World;
use crate::identity::{self, Unverified, find_token};
use crate::operation::{self, Operation, PathError};
use crate::rules::{Prompts, SentHeader};

/// What a head says before its caller is known.
#[derive(Clone, Copy)]
pub(super) struct Head<'a> {
    pub(super) headers: &'a Headers<'a>,
    pub(super) end: bool,
    pub(super) cluster: Option<&'a str>,
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

/// Takes a head, the first time or once keys have come.
pub(super) fn take(head: Head<'_>, context: &mut Context, world: World<'_>) -> Step {
    let (mut asked, edits) = match read(head, context, world) {
        Ok(read) => read,
        Err(NotYet::Refused(refusal)) => return Step::refuse(refusal, context, world),
        Err(NotYet::Wait(wait)) => return wait_for_keys(head, wait, context, world),
    };
    let seen = if head.end {
        asked.readable = RequestTaps::before_verdict().look(&mut asked, b"", context);
        Seen::Here(b"")
    } else {
        Seen::Coming
    };
    let mut step = judge(Box::new(asked), seen, context, world);
    if !matches!(step.state, RequestState::Refused) {
        step.outcome.effects.splice(0..0, edits);
    }
    step
}

/// What a kept header takes besides its bytes: two vectors and their allocations.
const HEADER_OVERHEAD_BYTES: usize = 64;

fn wait_for_keys(head: Head<'_>, wait: Duration, context: &mut Context, world: World<'_>) -> Step {
    if !world.may_wait {
        let refusal = Refusal::identity(identity::Refusal::KeysUnavailable);
        return Step::refuse(refusal, context, world);
    }
    let until = context.began(world).saturating_add(wait);
    let headers = head.headers.iter();
    let bytes = headers.clone().fold(0usize, |sum, (name, value)| {
        sum.saturating_add(name.len())
            .saturating_add(value.len())
            .saturating_add(HEADER_OVERHEAD_BYTES)
    });
    let mut share = context.compiled.buffers.share();
    if share.resize(bytes).is_err() {
        return Step::refuse(Refusal::buffers_full(), context, world);
    }
    let state = ExpectKeys {
        headers: headers
            .map(|(name, value)| (name.to_vec(), value.to_vec()))
            .collect(),
        end: head.end,
        cluster: head.cluster.map(str::to_owned),
        until,
        _share: share,
    };
    Step::hold(
        RequestState::ExpectKeys(Box::new(state)),
        vec![Effect::WantKeys],
    )
}

/// Verifies the caller, names the operation, and lists what changes in the head.
fn read(
    head: Head<'_>,
    context: &mut Context,
    world: World<'_>,
) -> Result<(Asked, Vec<Effect>), NotYet> {
    let compiled = Rc::clone(&context.compiled);
    let policy = &compiled.policy;
    let headers = head.headers;
    if speaks_grpc(headers) {
        context.dialect = &dialect::GRPC;
    }
    let raw_method = headers::values(headers, ":method").next();
    let method = operation::method(raw_method.unwrap_or_default()).map_err(Refusal::method)?;
    let method = method.to_owned();
    let authority = single(headers, ":authority").unwrap_or_default();
    context.record.request.method.clone_from(&method);
    context.record.request.host = authority.to_owned();
    let ids = (
        single(headers, "x-request-id"),
        single(headers, "traceparent"),
    );
    context.record.note_ids(ids.0, ids.1);
    // What is there twice, or is no text, names no host, and is not the lack of one.
    if authority.is_empty() && headers::has(headers, ":authority") {
        return Err(Refusal::path(PathError::Host).into());
    }
    let host = operation::host(authority).map_err(Refusal::path)?;

    let raw = headers::values(headers, ":path").next().unwrap_or_default();
    let path = operation::normalize(raw).map_err(Refusal::path)?;
    let mut operation = operation::name(&policy.routes, &method, &path).map_err(Refusal::path)?;
    operation.others.extend(models_named(headers));
    if *context.dialect != dialect::GRPC {
        context.dialect = dialect_of(headers, &operation);
    }
    context.record.request.path = Some(path.path.clone());
    context.record.request.operation = Some(operation.name);
    let model = operation.model.name();
    context
        .record
        .note_model(model.map(|name| policy.models.name(name)));

    let found = find_token(&policy.identity.token, headers).map_err(Refusal::identity)?;
    let identity = compiled
        .verifier
        .verify(found.token, context.began(world), world.now, world.native)
        .map_err(|unverified| match unverified {
            Unverified::Refused(refusal) => Refusal::identity(refusal).into(),
            Unverified::Wait(wait) => NotYet::Wait(wait),
        })?;
    context.caller = Some(Rc::clone(&identity));
    compiled.check_blocks(&identity, world.now)?;

    let normal = path.to_header();
    let moved = normal.as_bytes() != raw;
    if moved && policy.upstream.asks_for_cluster() {
        // Envoy chose the cluster by a path that is not the one that will be sent: the
        // credential of one server could go to another.
        return Err(Refusal::new(
            400,
            Code::PathNotNormal,
            "The path is not in its normal form.",
        )
        .into());
    }
    let mut effects = edits(&compiled, headers, head.cluster, &identity, &operation)?;
    context.destination = Destination::of(
        &policy.upstream,
        &compiled.misled,
        head.cluster,
        operation.name,
        (&effects, found.header),
    )?;
    if moved {
        effects.push(Effect::SetRequestHeader {
            name: ":path".to_owned(),
            value: normal,
        });
    }
    let form = RequestForm::of(headers, &operation);
    let readable = readable(headers, &operation, &form, policy.limits.request_body);
    let facts = if operation.body.says_nothing() {
        Some(complete(
            operation.body.unread(),
            &operation,
            &policy.models,
        )?)
    } else {
        None
    };
    if let Some(facts) = &facts {
        context.record.note_model(facts.model.name());
    }
    let prompts = match &facts {
        Some(_) => prompts_of_head(&path, policy),
        None => Prompts::default(),
    };
    let opens_session = opens_session(headers, &method);
    let asked = Asked {
        form,
        identity,
        opens_session,
        operation,
        method,
        host,
        path,
        headers: sent(headers, &compiled.rule_headers),
        prompts,
        facts,
        bound: bound(headers, policy.approvals.as_ref()),
        body: None,
        shown: None,
        readable,
        next_rule: 0,
        rule: None,
        sent: (head.end && !opens_session).then_some(0),
        granted: Vec::new(),
        gates: Vec::new(),
        place: None,
        kept: Kept::Unknown,
    };
    Ok((asked, effects))
}

/// Whether the request, once it is answered, becomes a session: a web socket (RFC 6455, section
/// 4.1), also in HTTP/2 (RFC 8441), or a tunnel. A server may pass over an upgrade to anything else;
/// if it doesn't, its answer is refused.
fn opens_session(headers: &Headers<'_>, method: &str) -> bool {
    let is_socket = |protocol: &[u8]| {
        let name = protocol.split(|byte| *byte == b'/').next();
        name.is_some_and(|name| name.trim_ascii().eq_ignore_ascii_case(b"websocket"))
    };
    method == "CONNECT"
        || headers::has(headers, ":protocol")
        || headers::values(headers, "upgrade")
            .any(|value| value.split(|byte| *byte == b',').any(is_socket))
}

/// The models that headers name, whichever server takes them from there.
fn models_named(headers: &Headers<'_>) -> Vec<String> {
    let names = DIALECTS.iter().flat_map(|dialect| dialect.model_headers);
    let values = names.flat_map(|name| headers::values(headers, name));
    let values = values.map(|value| String::from_utf8_lossy(value).trim().to_owned());
    values.filter(|value| !value.is_empty()).collect()
}

/// Of some headers, those that were sent.
fn sent(headers: &Headers<'_>, names: &[String]) -> Vec<SentHeader> {
    let values = |name: &str| -> Vec<String> {
        let values = headers::values(headers, name);
        values
            .map(|value| String::from_utf8_lossy(value).into_owned())
            .collect()
    };
    let sent = names.iter().map(|name| SentHeader {
        values: values(name),
        name: name.clone(),
    });
    sent.filter(|header| !header.values.is_empty()).collect()
}

/// Headers that say what a body is.
const OF_THE_BODY: [&str; 1] = ["content-type"];

/// The headers that an approval is bound to.
fn bound(headers: &Headers<'_>, approvals: Option<&Approvals>) -> Vec<(String, Vec<u8>)> {
    let Some(approvals) = approvals else {
        return Vec::new();
    };
    let more = approvals.headers.iter().map(String::as_str);
    let mut bound = Vec::new();
    for name in OF_THE_BODY.into_iter().chain(more) {
        let values = headers::values(headers, name);
        bound.extend(values.map(|value| (name.to_owned(), value.to_vec())));
    }
    bound
}

/// Whether a decision can be taken from the body, by what its head says of it.
fn readable(
    headers: &Headers<'_>,
    operation: &Operation,
    form: &RequestForm,
    limit: u64,
) -> Result<(), Refusal> {
    let length = single(headers, "content-length").and_then(|text| text.parse::<u64>().ok());
    if length.is_some_and(|length| length > limit) {
        return Err(Refusal::too_large(limit));
    }
    if !operation.body.says_nothing() {
        form.coding()?;
    }
    decidable(headers, operation)
}

/// Whose errors the caller reads: of those who ask for the same route, some say who they are.
fn dialect_of(headers: &Headers<'_>, operation: &Operation) -> &'static Dialect {
    let says = |dialect: &&&Dialect| {
        let header = dialect.header;
        header.is_some_and(|header| headers::has(headers, header))
    };
    let said = DIALECTS.iter().find(says).copied();
    said.unwrap_or(operation.dialect)
}
