//! The request under the mask: what the model is not to see.
//!
//! The body is whole, so it is changed at once, before any of it has gone. What is decided, counted
//! and approved rests on the body as the caller sent it. A body that can't be read with certainty
//! is refused: it could hold what the mask is for.

use crate::exchange::buffers::{Full, Share};
use crate::exchange::compiled_policy::CompiledPolicy;
use crate::exchange::effect::Effect;
use crate::exchange::headers::JSON_BYTES;
use crate::exchange::media::{Content, RequestForm};
use crate::exchange::reply::Refusal;
use crate::record::Record;
use crate::rules::RequestMask;
use base::code::Code;
use mask::{Masks, Originals, Pass, Stop};

/// A body as it goes to the model server.
#[derive(Debug, Default)]
pub(in crate::exchange) struct Sent {
    /// What changes.
    pub(in crate::exchange) effects: Vec<Effect>,
    /// What is put back in the answer, and the room that it takes.
    pub(in crate::exchange) originals: Option<(Originals, Share)>,
}

/// Masks the request's body.
pub(super) fn mask_request(
    compiled: &CompiledPolicy,
    record: &mut Record,
    mask: RequestMask,
    form: &RequestForm,
    body: &[u8],
) -> Result<Sent, Refusal> {
    if body.is_empty() {
        return Ok(Sent::default());
    }
    let masks = compiled
        .masks(Some(mask.plan))
        .ok_or_else(Refusal::unmaskable)?;
    let text = match form.look(body, &masks.options().pass) {
        Ok(Content::Text(text)) => (text.format, text.framing),
        Ok(Content::NoText) => return Ok(Sent::default()),
        Err(_) if masks.only_count() => return Ok(Sent::default()),
        Err(refusal) => return Err(refusal),
    };
    let mut pass = Pass::of_request(masks, text);
    let limit = compiled.policy.limits.request_body;
    let mut share = compiled.buffers.share();
    let result = run(&mut pass, masks, body, limit, &mut share);
    let originals = pass.take_originals();
    let request = &mut record.request;
    request.masked = !masks.only_count();
    request.matches = pass.matches(masks);
    request.alerts = pass.alerts(masks);
    if mask.restore {
        request.not_kept = originals.left_out();
    }
    let out = result.map_err(|unsent| match unsent {
        Unsent::TooLarge => Refusal::too_large(limit),
        Unsent::NoRoom => Refusal::buffers_full(),
        Unsent::Stopped(Stop::Cut) => Refusal::new(
            403,
            Code::MatchWithheld,
            "The request holds something that the policy does not let through.",
        ),
        Unsent::Stopped(Stop::Walk(_)) => Refusal::unmaskable(),
    })?;
    let originals = mask.restore.then(|| {
        let mut share = compiled.buffers.share();
        let room = share.resize(originals.memory());
        room.map(|()| (originals, share))
    });
    Ok(Sent {
        originals: originals
            .transpose()
            .map_err(|Full| Refusal::buffers_full())?,
        effects: if out == body {
            Vec::new()
        } else {
            changes(form, out, pass.json_bytes())
        },
    })
}

/// What is masked at once of a body.
const PIECE_BYTES: usize = 16 << 10;

/// Room for what a piece becomes, and by how much a body's place grows where that is not enough.
const PIECE_ROOM: usize = 1 << 20;
const GROWTH_BYTES: usize = 4 << 20;

/// A replacement may be longer than what it replaces: the body under the mask may have twice the
/// size that a body may have.
fn run(
    pass: &mut Pass,
    masks: &Masks,
    body: &[u8],
    limit: u64,
    share: &mut Share,
) -> Result<Vec<u8>, Unsent> {
    let room = body.len().saturating_add(PIECE_ROOM / 16);
    share.resize(room)?;
    let mut out = Vec::with_capacity(room);
    for piece in body.chunks(PIECE_BYTES) {
        // Not by the vector's own doubling, which would take three times the body for a moment.
        if body.len() > PIECE_ROOM && out.capacity() - out.len() < PIECE_ROOM {
            share.resize(out.capacity().saturating_add(GROWTH_BYTES))?;
            out.reserve_exact(GROWTH_BYTES);
        }
        pass.push(masks, piece, &mut out)?;
        share.resize(out.capacity().saturating_add(pass.buffered()))?;
        if over(out.len(), limit.saturating_mul(2)) {
            return Err(Unsent::TooLarge);
        }
    }
    pass.finish(masks, &mut out)?;
    Ok(out)
}

/// Why a masked body is not sent.
enum Unsent {
    Stopped(Stop),
    TooLarge,
    NoRoom,
}

impl From<Full> for Unsent {
    fn from(_: Full) -> Self {
        Self::NoRoom
    }
}

impl From<Stop> for Unsent {
    fn from(stop: Stop) -> Self {
        Self::Stopped(stop)
    }
}

/// A body of another length under the old length would end in the middle, or in the next
/// request; so would JSON in front of tensors.
fn changes(form: &RequestForm, body: Vec<u8>, json_bytes: Option<usize>) -> Vec<Effect> {
    let mut effects: Vec<Effect> = form
        .digests()
        .iter()
        .map(|name| Effect::RemoveRequestHeader((*name).to_owned()))
        .collect();
    if form.is_encoded() {
        effects.push(Effect::RemoveRequestHeader("content-encoding".to_owned()));
    }
    if form.is_sized() {
        effects.push(Effect::SetRequestHeader {
            name: "content-length".to_owned(),
            value: body.len().to_string(),
        });
    }
    if let Some(bytes) = json_bytes {
        effects.push(Effect::SetRequestHeader {
            name: JSON_BYTES.to_owned(),
            value: bytes.to_string(),
        });
    }
    effects.push(Effect::ReplaceRequestBody(body));
    effects
}

/// Whether so many bytes are more than a limit.
pub(in crate::exchange) fn over(bytes: usize, limit: u64) -> bool {
    u64::try_from(bytes).map_or(true, |bytes| bytes > limit)
}
