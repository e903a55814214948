//! A response's head: what its body carries, and whether it waits for that.

use super::plan::ResponsePlan;
use super::state::{Kept, ResponseState, Step};
use super::tapped::Tapped;
use crate::dialect::Stream;
use crate::exchange::compiled_policy::CompiledPolicy;
use crate::exchange::context::Context;
use crate::exchange::effect::Effect;
use crate::exchange::event::Headers;
use crate::exchange::headers::{JSON_BYTES, OF_THE_BYTES, has, single};
use crate::exchange::keeping::Going;
use crate::exchange::masked_fields::MaskedFields;
use crate::exchange::media::{self, Content, Question};
use crate::exchange::reply::Refusal;
use crate::exchange::taps::{ResponseTaps, Unread};
use crate::exchange::world::{Bodies, World};
use crate::record::LeftOut;
use base::code::Code;
use mask::Format;
use std::rc::Rc;

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
    let compiled = Rc::clone(&context.compiled);
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
    if let Some(own) = &compiled.own_secrets {
        tapped.secrets = own.head(headers, &mut effects);
    }
    let status = context.record.response.status;
    let bodiless = tapped.asked().method == "HEAD" || status == Some(304);
    if end && !bodiless {
        return Step::go_on(ResponseState::Flowing(tapped), effects);
    }
    let asked = tapped.asked();
    let question = Question {
        dialect: asked.operation.dialect,
        body: &asked.operation.body,
        operation: asked.operation_name(),
        tunnel: asked.method == "CONNECT",
    };
    let upgraded = is_upgraded(status, question.tunnel);
    let content = media::content(headers, status, question, masks.options());
    let sized = has(headers, "content-length");
    let mut measured = false;
    let mut format = None;
    let mut going: Going = match &content {
        _ if upgraded => Err(LeftOut::Session),
        Ok(_) => Err(LeftOut::NoText),
        Err(_) => Err(LeftOut::Unreadable),
    };
    let (taps, coded) = match content {
        Ok(Content::Text(form)) => {
            let form = form
                .with(asked.operation.layout())
                .within(&compiled.policy.limits);
            tapped.stream = stream(form.format);
            context.record.response.streamed = is_streamed(form.format);
            format = Some(form.format);
            going = Ok((form, tapped.wanted().is_change(masks)));
            let media = single(headers, "content-type").unwrap_or("application/json");
            tapped.held = masks.may_wait().then(|| (media.to_owned(), form));
            measured =
                tapped.wanted().is_change(masks) && matches!(form.format, Format::Tensors(_));
            let wanted = (tapped.wanted(), &tapped.asked().operation.body);
            let taps = ResponseTaps::new(form, sized, wanted, &compiled);
            (taps.map(Some), form.coding.is_some())
        }
        // Nothing comes that could have to be refused, or nothing would have been hidden.
        Err(code) if !bodiless && !masks.only_count() => {
            tapped.note(context);
            return Step::refuse_head(Refusal::not_maskable(code), context);
        }
        Ok(Content::NoText) | Err(_) => {
            let kept = tapped.wanted().is_kept();
            unread(headers, (status, upgraded), kept, &compiled)
        }
    };
    let taps = match taps {
        Ok(taps) => taps,
        // It was for a body.
        Err(_) if bodiless => None,
        Err(code) => {
            tapped.note(context);
            return Step::refuse_head(Refusal::of_answer(code), context);
        }
    };
    let Some(taps) = taps else {
        return Step::go_on(ResponseState::Flowing(tapped), effects);
    };
    let taps_rewrite = taps.rewrites();
    if taps_rewrite {
        effects.extend(of_the_bytes(headers, coded));
    }
    if bodiless {
        effects.extend(measured.then(|| Effect::RemoveResponseHeader(JSON_BYTES.to_owned())));
        // It says of a body what would not be true of it under the mask.
        return Step::go_on(ResponseState::Flowing(tapped), effects);
    }
    let proof = taps.wants_proof() && waits_for_proof(format, world);
    let waits = masks.may_cut() || masks.may_wait() || proof || measured;
    if waits && !end && !world.bodies_come() {
        tapped.note(context);
        return Step::refuse_head(Refusal::no_bodies(), context);
    }
    // Envoy's HTTP/1 codec drops trailers unless it is told otherwise, so a body in chunks ends
    // with its last piece. Of one with a length it is known when it has come: its end is written
    // then, whether or not trailers follow, and nothing has to wait for them.
    let chunked = has(headers, "transfer-encoding");
    let length = single(headers, "content-length").filter(|_| !chunked);
    tapped.to_come = length.and_then(|text| text.parse().ok());
    tapped.trailers_possible = !chunked && tapped.to_come.is_none() && !upgraded;
    context.record.response.masked |= taps.is_masked() && !masks.only_count();
    tapped.taps = Some(taps);
    context.record.begin_body();
    let encoded = coded && !taps_rewrite;
    context.keeping.begin_response(match going {
        Ok(_) if encoded => Err(LeftOut::Encoded),
        going => going,
    });
    if masks.may_wait() {
        Step::hold(ResponseState::Keeping(tapped, Kept::new(context)), effects)
    } else if waits {
        Step::hold(ResponseState::HeadWaits(tapped), effects)
    } else {
        Step::go_on(ResponseState::Flowing(tapped), effects)
    }
}

/// Whether the head waits for what shows that the body is what it says. Messages of AWS's event streams
/// have checksums, and any other body isn't one. That a text is UTF-8 is seen by its first bytes: it is
/// worth a moment where bodies come. All clients read events and lines as UTF-8, so that there is
/// nothing to find out, and their first bytes may take as long as the model does.
fn waits_for_proof(format: Option<Format>, world: World<'_>) -> bool {
    match format {
        Some(Format::AmazonEvents) => true,
        Some(Format::Json | Format::Text | Format::Html | Format::Xml) => {
            world.bodies == Bodies::HandedOver
        }
        _ => false,
    }
}

/// How a body is cut into parts between which an error can be said.
fn stream(format: Format) -> Option<Stream> {
    match format {
        Format::Events => Some(Stream::Events),
        Format::Lines => Some(Stream::Lines),
        _ => None,
    }
}

/// Whether what follows the head is of another protocol, or of a tunnel (RFC 9110, sections 15.2.2 and
/// 9.3.6): each side may wait for the other.
fn is_upgraded(status: Option<u16>, tunnel: bool) -> bool {
    let success = status.is_some_and(|status| (200..300).contains(&status));
    status == Some(101) || (tunnel && success)
}

/// Whether such a body comes as events, lines or messages; `None` if it may or may not.
fn is_streamed(format: Format) -> Option<bool> {
    match format {
        Format::Events | Format::Lines | Format::AmazonEvents => Some(true),
        Format::Grpc(_) => None,
        _ => Some(false),
    }
}

/// The way of a body in which no texts are read, and whether it is decoded on it.
fn unread(
    headers: &Headers<'_>,
    (status, upgraded): (Option<u16>, bool),
    kept: bool,
    compiled: &Rc<CompiledPolicy>,
) -> (Result<Option<ResponseTaps>, Code>, bool) {
    let unread = match status {
        _ if upgraded => Unread::Messages,
        Some(204) => return (Ok(None), false),
        _ => Unread::Body,
    };
    // What is encoded in a way that is not known is looked at as it comes.
    let coding = media::coding(headers).ok().flatten();
    let taps = ResponseTaps::unread(unread, coding, kept, compiled);
    (taps, coding.is_some())
}

/// Removes them, and with them the name of a coding that is undone. Vary stays: what the model
/// server would have sent to another client may be another text.
fn of_the_bytes(headers: &Headers<'_>, decoded: bool) -> Vec<Effect> {
    OF_THE_BYTES
        .iter()
        .chain(decoded.then_some(&"content-encoding"))
        .filter(|name| has(headers, name))
        .map(|name| Effect::RemoveResponseHeader((*name).to_owned()))
        .collect()
}
