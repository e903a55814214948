//! A response's body on its way through its taps.

use super::decision;
use super::state::{Kept, ResponseState, Step, Told};
use super::tapped::Tapped;
use crate::exchange::context::Context;
use crate::exchange::effect::Effect;
use crate::exchange::reply::Refusal;
use crate::exchange::world::World;
use base::code::Code;
use base::operation::UNKNOWN;

impl Kept {
    /// Nothing yet.
    pub(super) fn new(context: &Context) -> Self {
        Self {
            body: Vec::new(),
            share: context.compiled.buffers.share(),
            most: most_held(context),
        }
    }

    fn add(&mut self, more: &[u8]) -> Result<(), Code> {
        let length = self.body.len().saturating_add(more.len());
        if length > self.most {
            return Err(Code::AnswerTooLarge);
        }
        let place = self.body.capacity();
        if length > place {
            let place = place.saturating_mul(2).clamp(length, self.most);
            self.share.resize(place).map_err(|_| Code::BuffersFull)?;
            self.body
                .reserve_exact(place.saturating_sub(self.body.len()));
        }
        self.body.extend_from_slice(more);
        Ok(())
    }
}

/// The most that may be kept of a response: Envoy's buffers have to hold as much.
fn most_held(context: &Context) -> usize {
    usize::try_from(context.compiled.policy.limits.held_answer).unwrap_or(usize::MAX)
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
        ResponseState::Flowing(mut tapped) => match push(&mut tapped, piece, end, context) {
            Ok(None) => Step::go_on(ResponseState::Flowing(tapped), Vec::new()),
            Ok(Some(pushed)) => send(tapped, pushed, ResponseState::Flowing, context),
            Err(code) => cut(&tapped, code, context),
        },
        ResponseState::Begun(mut tapped) => match push(&mut tapped, piece, end, context) {
            Ok(None) => Step::go_on(ResponseState::Flowing(tapped), Vec::new()),
            Ok(Some(pushed)) => send(tapped, pushed, ResponseState::Begun, context),
            Err(code) => take_back(&tapped, code, context),
        },
        ResponseState::HeadWaits(mut tapped) => {
            let measured = tapped.measures();
            // Envoy would not hold it in front of its head.
            let most = most_held(context).max(piece.len());
            match push(&mut tapped, piece, end, context) {
                Ok(None) => Step::go_on(ResponseState::Flowing(tapped), Vec::new()),
                Ok(Some(pushed)) if tapped.wants_proof() => Step::hold(
                    ResponseState::HeadWaits(tapped),
                    vec![Effect::ReplaceResponseBody(pushed.out)],
                ),
                Ok(Some(_)) if tapped.measures() => Step::hold(
                    ResponseState::HeadWaits(tapped),
                    vec![Effect::ReplaceResponseBody(Vec::new())],
                ),
                Ok(Some(pushed)) if measured && pushed.out.len() > most => {
                    withhold(&tapped, Code::PieceTooLarge, context)
                }
                Ok(Some(pushed)) => begin(tapped, pushed, context),
                Err(code) => withhold(&tapped, code, context),
            }
        }
        ResponseState::Keeping(mut tapped, mut kept) => {
            let added = push(&mut tapped, piece, end, context)
                .and_then(|pushed| kept.add(&pushed.map(|pushed| pushed.out).unwrap_or_default()));
            match added {
                Err(code) => withhold(&tapped, code, context),
                Ok(()) if end => whole(tapped, kept, context, world),
                Ok(()) => Step::hold(
                    ResponseState::Keeping(tapped, kept),
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
    /// Whether that is what came, so that nothing has to be written.
    as_it_came: bool,
    /// Whether something that has come is still to be written, where trailers may follow.
    waits: bool,
}

/// Puts a piece through the taps, if something of the body is wanted.
fn push(
    tapped: &mut Tapped,
    piece: &[u8],
    end: bool,
    context: &mut Context,
) -> Result<Option<Pushed>, Code> {
    let Some(taps) = &mut tapped.taps else {
        return Ok(None);
    };
    let came = u64::try_from(piece.len()).unwrap_or(u64::MAX);
    tapped.to_come = tapped.to_come.map(|bytes| bytes.saturating_sub(came));
    let last = end || tapped.to_come == Some(0);
    let out = taps.push(piece, last, &mut context.record)?;
    Ok(Some(Pushed {
        out,
        as_it_came: taps.only_look(),
        waits: taps.holds() && !last && tapped.trailers_possible,
    }))
}

/// Sends the first of a response, with its head.
fn begin(tapped: Box<Tapped>, pushed: Pushed, context: &mut Context) -> Step {
    let measured = tapped.measured();
    let mut step = send(tapped, pushed, ResponseState::Begun, context);
    step.outcome.effects.splice(..0, measured);
    step
}

/// Sends a piece, or holds it until the next tick, in this state.
fn send(
    mut tapped: Box<Tapped>,
    pushed: Pushed,
    held: fn(Box<Tapped>) -> ResponseState,
    context: &mut Context,
) -> Step {
    context.note_sent(&pushed.out);
    tapped.note_gone(&pushed.out);
    let effects = match pushed.as_it_came {
        true => Vec::new(),
        false => vec![Effect::ReplaceResponseBody(pushed.out)],
    };
    if pushed.waits {
        Step::hold(held(tapped), effects)
    } else {
        Step::go_on(ResponseState::Flowing(tapped), effects)
    }
}

/// Ends a response whose head has gone: with an error in its stream, where the caller's dialect has
/// one and nothing else has been begun, or else by breaking it off.
fn cut(tapped: &Tapped, code: Code, context: &mut Context) -> Step {
    tapped.note(context);
    let asked = tapped.asked();
    // Who sends requests that are not known may not raise what is said.
    let stream = tapped
        .is_between()
        .filter(|_| asked.operation.name != UNKNOWN);
    let error = stream.and_then(|stream| {
        let refusal = Refusal::of_answer(code);
        refusal.into_stream(context.dialect, stream, &asked.path.path)
    });
    match error {
        Some(error) => {
            context.record.response.code = Some(code);
            context.note_sent(error.as_bytes());
            let told = Told { code, dropped: 0 };
            Step::go_on(
                ResponseState::Told(told),
                vec![Effect::ReplaceResponseBody(error.into_bytes())],
            )
        }
        None => broken_off(code, context),
    }
}

/// The most that is dropped behind an error. Its client has long read it by then.
const MAX_DROPPED_BYTES: usize = 1 << 20;

/// Drops a piece of a response that was ended with an error: as long as the model server doesn't
/// send on and on, the stream ends when its own does.
pub(super) fn drop_told(told: Told, piece: &[u8], context: &mut Context) -> Step {
    let dropped = told.dropped.saturating_add(piece.len());
    if dropped > MAX_DROPPED_BYTES {
        return broken_off(told.code, context);
    }
    Step::go_on(
        ResponseState::Told(Told { dropped, ..told }),
        vec![Effect::ReplaceResponseBody(Vec::new())],
    )
}

fn broken_off(code: Code, context: &mut Context) -> Step {
    Step {
        state: ResponseState::Cut,
        outcome: context.cut_response(code),
    }
}

/// Refuses a response of which nothing has gone.
pub(super) fn withhold(tapped: &Tapped, code: Code, context: &mut Context) -> Step {
    tapped.note(context);
    context.keeping.nothing_sent();
    Step::refuse_body(Refusal::of_answer(code), context)
}

/// Refuses a response that has begun, and of which nothing has gone.
pub(super) fn take_back(tapped: &Tapped, code: Code, context: &mut Context) -> Step {
    context.nothing_sent();
    withhold(tapped, code, context)
}

/// A kept response is whole: it goes on, or a person is asked about it.
fn whole(tapped: Box<Tapped>, kept: Kept, context: &mut Context, world: World<'_>) -> Step {
    let found = tapped.found_for_a_person();
    // It goes to the host's buffer, either way.
    let body = kept.body;
    let measured = tapped.measured();
    let mut step = if found.is_empty() {
        context.note_sent(&body);
        Step::go_on(
            ResponseState::Flowing(tapped),
            vec![Effect::ReplaceResponseBody(body)],
        )
    } else {
        decision::ask(tapped, body, &found, context, world)
    };
    step.outcome.effects.splice(..0, measured);
    step
}
