//! A response's head: what its body carries, and whether it waits for that.

use super::plan::ResponsePlan;
use super::state::{Kept, ResponseState, Step};
use super::tapped::Tapped;
use crate::exchange::context::Context;
use crate::exchange::effect::Effect;
use crate::exchange::event::Headers;
use crate::exchange::headers::{JSON_BYTES, OF_THE_BYTES, has, single};
use crate::exchange::masked_fields::MaskedFields;
use crate::exchange::media::{self, Content};
use crate::exchange::reply::Refusal;
use crate::exchange::taps::ResponseTaps;
use crate::exchange::world::World;
use base::code::Code;
use mask::Format;

pub(super) fn take(
    plan: ResponsePlan,
    headers: &Headers<'_>,
    end: bool,
    context: &mut Context,
    world: World<'_>,
) -> Step {
    if plan.wanted.is_nothing() {
        return Step::go_on(ResponseState::Unseen, Vec::new());
    }
    let compiled = std::rc::Rc::clone(&context.compiled);
    let Some(masks) = plan.wanted.masks(&compiled) else {
        return Step::refuse_head(Refusal::not_maskable(Code::MaskUnavailable), context);
    };
    let mut fields = MaskedFields::default();
    let mut effects = fields.head(masks, &plan.wanted, headers);
    context.record.response.masked = fields.seen && !masks.only_count();
    let cut = fields.cut;
    let mut tapped = Box::new(Tapped::new(plan, fields));
    if cut {
        tapped.note(context);
        return Step::refuse_head(Refusal::withheld(), context);
    }
    let status = context.record.response.status;
    let bodiless = tapped.asked().method == "HEAD" || status == Some(304);
    if end && !bodiless {
        return Step::go_on(ResponseState::Flowing(tapped), effects);
    }
    let parts = masks.options().partial_content;
    let form = match media::content(headers, status, &tapped.asked().operation, parts) {
        Ok(Content::Text(form)) => form,
        Ok(Content::NoText) => return Step::go_on(ResponseState::Flowing(tapped), effects),
        // Nothing comes that could have to be refused, or nothing would have been hidden.
        Err(_) if bodiless || masks.only_count() => {
            return Step::go_on(ResponseState::Flowing(tapped), effects);
        }
        Err(code) => {
            tapped.note(context);
            return Step::refuse_head(Refusal::not_maskable(code), context);
        }
    };
    if tapped.wanted().is_change(masks) {
        effects.extend(of_the_bytes(headers, form.coding.is_some()));
    }
    let measured = tapped.wanted().is_change(masks) && matches!(form.format, Format::Tensors(_));
    if bodiless {
        effects.extend(measured.then_some(Effect::RemoveResponseHeader(JSON_BYTES)));
        // It says of a body what would not be true of it under the mask.
        return Step::go_on(ResponseState::Flowing(tapped), effects);
    }
    let waits = masks.may_cut() || masks.may_wait() || measured;
    if waits && !end && !world.bodies_come() {
        tapped.note(context);
        return Step::refuse_head(Refusal::no_bodies(), context);
    }
    let taps = match ResponseTaps::new(form, tapped.wanted(), &compiled) {
        Ok(taps) => taps,
        Err(code) => {
            tapped.note(context);
            return Step::refuse_head(Refusal::of_answer(code), context);
        }
    };
    // Envoy's HTTP/1 codec drops trailers unless it is told otherwise, so a body in chunks ends
    // with its last piece. Of one with a length it is known when it has come: its end is written
    // then, whether or not trailers follow, and nothing has to wait for them.
    let chunked = has(headers, "transfer-encoding");
    let length = single(headers, "content-length").filter(|_| !chunked);
    tapped.to_come = length.and_then(|text| text.parse().ok());
    tapped.trailers_possible = !chunked && tapped.to_come.is_none();
    tapped.taps = Some(taps);
    context.record.response.masked = !masks.only_count();
    context.record.begin_body();
    if masks.may_wait() {
        Step::hold(ResponseState::Keeping(tapped, Kept::new(context)), effects)
    } else if waits {
        Step::hold(ResponseState::HeadWaits(tapped), effects)
    } else {
        Step::go_on(ResponseState::Flowing(tapped), effects)
    }
}

/// Removes them, and with them the name of a coding that is undone. Vary stays: what the model
/// server would have sent to another client may be another text.
fn of_the_bytes(headers: &Headers<'_>, decoded: bool) -> Vec<Effect> {
    OF_THE_BYTES
        .iter()
        .chain(decoded.then_some(&"content-encoding"))
        .filter(|name| has(headers, name))
        .map(|name| Effect::RemoveResponseHeader(name))
        .collect()
}
