//! One request and its response as a value: events in, effects out, time as an argument.
//!
//! The order of things is that of the architecture: head, body, verdict, approval, quotas, the
//! model server, its answer under the mask, the record. This is the only module that composes
//! the others; nothing in it does I/O, waits, or panics. A request leaves only by
//! [`Flow::Continue`] after a verdict; everything that goes wrong ends in [`Effect::Reply`] with a
//! refusal.

mod approval_step;
mod asked;
mod buffers;
mod charges;
mod compiled_policy;
mod context;
mod event;
mod headers;
mod masked_fields;
mod media;
mod reply;
mod request;
mod response;
mod seen;
mod taps;
mod waiting_room;
mod world;

#[cfg(test)]
mod tests;

use std::borrow::Cow;
use std::rc::Rc;

pub use crate::config::identity::{Algorithm, VerifyWith};
pub use crate::identity::{KeyRequest, Native, NoNative, Tended};
pub use asked::caller;
pub use compiled_policy::CompiledPolicy;
pub use event::{Call, Effect, Event, Flow, Headers, Outcome, Reply};
pub use request::{NOT_A_HEADER, unwritable};
pub use world::{Name, World};

use crate::record::{Caller, Record};
use context::Context;
use request::RequestState;
use response::ResponseState;

/// One request and its response.
#[derive(Debug)]
pub struct Exchange {
    context: Context,
    request: RequestState,
    response: ResponseState,
}

impl Exchange {
    /// An exchange of which nothing has come yet.
    #[must_use]
    pub fn new(compiled: Rc<CompiledPolicy>, name: Name) -> Self {
        Self {
            context: Context::new(compiled, Record::begin(name.id, name.worker)),
            request: RequestState::ExpectHead,
            response: ResponseState::ExpectRequest,
        }
    }

    /// Takes an event and says what it leads to.
    pub fn handle(&mut self, event: Event<'_>, world: World<'_>) -> Outcome {
        self.context.begin(world);
        match event {
            Event::RequestHead { .. }
            | Event::RequestGrows { .. }
            | Event::RequestWhole { .. }
            | Event::KeysRenewed => self.step_request(event, world),
            Event::ResponseHead { .. }
            | Event::ResponseBody { .. }
            | Event::ResponseTrailers { .. } => self.step_response(event, world),
            // It is told by who waits.
            Event::CallAnswered { .. } | Event::BodyWithheld => match self.request {
                RequestState::Passed => self.step_response(event, world),
                _ => self.step_request(event, world),
            },
            Event::Closed { number } => self.closed(number, world),
        }
    }

    fn step_request(&mut self, event: Event<'_>, world: World<'_>) -> Outcome {
        let state = core::mem::replace(&mut self.request, RequestState::Closed);
        let had_passed = matches!(state, RequestState::Passed);
        let step = request::step(state, event, &mut self.context, world);
        self.request = step.state;
        if let Some(plan) = step.passed {
            self.response = ResponseState::ExpectHead(plan);
        } else if had_passed && !matches!(self.request, RequestState::Passed) {
            // Whatever the model server answers, it is not what the caller was told.
            let response = core::mem::replace(&mut self.response, ResponseState::Refused);
            response.close(&mut self.context);
        }
        step.outcome
    }

    fn step_response(&mut self, event: Event<'_>, world: World<'_>) -> Outcome {
        let state = core::mem::replace(&mut self.response, ResponseState::Closed);
        let step = response::step(state, event, &mut self.context, world);
        self.response = step.state;
        step.outcome
    }

    /// Whether the host must hand over the request's body once it is whole.
    #[must_use]
    pub fn wants_request_body(&self) -> bool {
        self.request.wants_body()
    }

    /// Whether the request has gone on, so that nothing more of it has to be told.
    #[must_use]
    pub fn has_passed_request(&self) -> bool {
        matches!(self.request, RequestState::Passed)
    }

    /// Whether the whole response is held, so that no part of it may go on.
    #[must_use]
    pub fn holds_response(&self) -> bool {
        self.response.is_held()
    }

    /// Whether all headers of the response are looked at.
    #[must_use]
    pub fn wants_response_head(&self) -> bool {
        self.response.wants_head()
    }

    /// Whether the response's trailers have to come through [`Event::ResponseTrailers`].
    #[must_use]
    pub fn wants_response_trailers(&self) -> bool {
        self.response.wants_trailers()
    }

    /// Whether the response's body has to come through [`Event::ResponseBody`].
    #[must_use]
    pub fn wants_response_body(&self) -> bool {
        self.response.wants_body()
    }

    fn closed(&mut self, number: u64, world: World<'_>) -> Outcome {
        let context = &mut self.context;
        let request = core::mem::replace(&mut self.request, RequestState::Closed);
        request.close(context, world);
        let response = core::mem::replace(&mut self.response, ResponseState::Closed);
        response.close(context);
        let began = context.began(world);
        let elapsed = context.elapsed(world);
        let record = &mut context.record;
        record.number = number;
        record.timing.total = elapsed;
        let caller = context.caller.as_deref().map(|identity| Caller {
            provider: &identity.provider,
            issuer: &identity.issuer,
            subject: &identity.subject,
            kind: identity.kind.name(),
            client: identity.client.as_deref(),
            groups: Cow::Borrowed(&identity.groups),
        });
        let record = record.to_json(&context.compiled.policy.digest, caller, began);
        Outcome {
            effects: vec![Effect::Record(record)],
            flow: Flow::Continue,
        }
    }
}
