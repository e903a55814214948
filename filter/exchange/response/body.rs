//! A response's body on its way through the mask.

use std::rc::Rc;

use super::decision;
use super::masking::Masking;
use super::state::{Kept, ResponseState, Step};
use crate::exchange::context::Context;
use crate::exchange::effect::{Effect, Flow};
use crate::exchange::reply::Refusal;
use crate::exchange::world::World;

/// The most that is kept of a response: Envoy's buffers hold as much, unless told otherwise.
const MAX_KEPT_BYTES: usize = 1 << 20;

impl Kept {
    fn add(&mut self, more: &[u8]) -> Result<(), &'static str> {
        if self.0.len().saturating_add(more.len()) > MAX_KEPT_BYTES {
            return Err("answer_too_large");
        }
        self.0.extend_from_slice(more);
        Ok(())
    }
}

/// Takes a piece, the last one if `end`.
pub(super) fn take(
    state: ResponseState,
    piece: &[u8],
    end: bool,
    context: &mut Context,
    world: World<'_>,
) -> Step {
    match state {
        ResponseState::Flowing(mut masking) => match push(&mut masking, piece, end, context) {
            Ok(None) => Step::go_on(ResponseState::Flowing(masking), Vec::new()),
            Ok(Some(pushed)) => send(masking, pushed, context),
            Err(code) => {
                masking.note(context);
                Step {
                    state: ResponseState::Cut,
                    outcome: context.cut_response(code),
                }
            }
        },
        ResponseState::HeadWaits(mut masking) => match push(&mut masking, piece, end, context) {
            Ok(None) => Step::go_on(ResponseState::Flowing(masking), Vec::new()),
            Ok(Some(pushed)) => send(masking, pushed, context),
            Err(code) => withhold(&masking, code, context),
        },
        ResponseState::Keeping(mut masking, mut kept) => {
            let added = push(&mut masking, piece, end, context)
                .and_then(|pushed| kept.add(&pushed.map(|pushed| pushed.out).unwrap_or_default()));
            match added {
                Err(code) => withhold(&masking, code, context),
                Ok(()) if end => whole(masking, kept, context, world),
                Ok(()) => Step::hold(
                    ResponseState::Keeping(masking, kept),
                    vec![Effect::ReplaceResponseBody(Vec::new())],
                ),
            }
        }
        state => Step::go_on(state, Vec::new()),
    }
}

/// What becomes of a piece.
struct Pushed {
    out: Vec<u8>,
    /// Whether something that has come is still to be written, where trailers may follow.
    waits: bool,
}

/// Puts a piece through the pipeline, if there is one.
fn push(
    masking: &mut Masking,
    piece: &[u8],
    end: bool,
    context: &mut Context,
) -> Result<Option<Pushed>, &'static str> {
    let compiled = Rc::clone(&context.compiled);
    let masks = masking.masks(&compiled);
    let Some(pipeline) = &mut masking.pipeline else {
        return Ok(None);
    };
    let masks = masks.ok_or("mask_unavailable")?;
    let came = u64::try_from(piece.len()).unwrap_or(u64::MAX);
    masking.to_come = masking.to_come.map(|bytes| bytes.saturating_sub(came));
    let last = end || masking.to_come == Some(0);
    let out = pipeline.push(masks, piece, last)?;
    context.record.note_received(piece.len());
    Ok(Some(Pushed {
        out,
        waits: pipeline.holds() && !last && masking.trailers_possible,
    }))
}

fn send(masking: Box<Masking>, pushed: Pushed, context: &mut Context) -> Step {
    context.record.note_sent(pushed.out.len());
    let flow = if pushed.waits {
        Flow::Hold
    } else {
        Flow::Continue
    };
    Step::new(
        ResponseState::Flowing(masking),
        vec![Effect::ReplaceResponseBody(pushed.out)],
        flow,
    )
}

/// Refuses a response of which nothing has gone.
pub(super) fn withhold(masking: &Masking, code: &'static str, context: &mut Context) -> Step {
    masking.note(context);
    Step::refuse_body(Refusal::of_answer(code), context)
}

/// A kept response is whole: it goes on, or a person is asked about it.
fn whole(masking: Box<Masking>, Kept(body): Kept, context: &mut Context, world: World<'_>) -> Step {
    let found = masking.found_for_a_person(&context.compiled);
    if !found.is_empty() {
        return decision::ask(masking, body, &found, context, world);
    }
    context.record.note_sent(body.len());
    Step::go_on(
        ResponseState::Flowing(masking),
        vec![Effect::ReplaceResponseBody(body)],
    )
}
