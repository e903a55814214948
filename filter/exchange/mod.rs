//! One request and its response as a value: events in, effects out, time as an argument.
//!
//! The order of things is that of the architecture: head, body, verdict, approval, quotas, the
//! model server, its answer under the mask, the record. This is the only module that composes
//! the others; nothing in it does I/O, waits, or panics. A request leaves only by
//! [`Flow::Continue`] after a verdict; everything that goes wrong ends in [`Effect::Reply`] with a
//! refusal.

mod beside;
mod body;
mod carrier;
mod event;
mod gate;
mod guard;
mod head;
mod headers;
mod masked_request;
mod pseudonyms;
mod reply;
mod request;
mod response;
mod response_gate;
mod waiting_room;

#[cfg(test)]
mod tests;

use core::time::Duration;
use std::rc::Rc;

pub use crate::config::identity::{Algorithm, VerifyWith};
pub use crate::identity::{Board, KeyRequest, Native, NoNative, Tended};
pub use event::{Call, Effect, Event, Flow, Headers, Outcome, Reply};
pub use guard::Guard;
pub use head::{NOT_A_HEADER, unwritable};
pub use request::caller;

use crate::identity::Identity;
use crate::quota::Store;
use crate::record::{Caller, Record};
use reply::Refusal;
use request::Asked;
use response::Masking;

/// What an exchange may use of the world besides its events.
#[derive(Clone, Copy)]
pub struct World<'a> {
    /// The time since 1970.
    pub now: Duration,
    /// The counters that all workers share.
    pub store: &'a dyn Store,
    /// The host's cryptography.
    pub native: &'a dyn Native,
    /// Whether there is room for one more request that waits for keys.
    pub may_wait: bool,
    /// Whether the host hands over a body while its head waits, as far as is known.
    pub bodies_come: bool,
}

/// Names an exchange in its record.
#[derive(Clone, Debug)]
pub struct Name {
    /// The exchange's own id.
    pub id: String,
    /// The VM's id.
    pub worker: Rc<str>,
}

/// How far an exchange is.
#[derive(Debug)]
enum Phase {
    /// Nothing has come.
    New,
    /// The caller's token waits for keys.
    Verifying(Box<head::Held>),
    /// The decision waits for the body.
    Reading(Box<Asked>),
    /// The decision waits for a person.
    Waiting(Box<gate::Waiting>),
    /// The request went on.
    Passed(Masking),
    /// The filter answered, or cut the response off: nothing more is looked at.
    Over,
}

/// One request and its response.
#[derive(Debug)]
pub struct Exchange {
    guard: Rc<Guard>,
    phase: Phase,
    record: Record,
    caller: Option<Rc<Identity>>,
    /// When the first event came, since 1970.
    began: Option<Duration>,
    calls: u64,
    dialect: crate::operation::Dialect,
    head_request: bool,
}

impl Exchange {
    /// An exchange of which nothing has come yet.
    #[must_use]
    pub fn new(guard: Rc<Guard>, name: Name) -> Self {
        Self {
            guard,
            phase: Phase::New,
            record: Record::begin(name.id, name.worker),
            caller: None,
            began: None,
            calls: 0,
            dialect: crate::operation::Dialect::Openai,
            head_request: false,
        }
    }

    /// Takes an event and says what it leads to.
    pub fn handle(&mut self, event: Event<'_>, world: World<'_>) -> Outcome {
        self.began.get_or_insert(world.now);
        match event {
            Event::RequestHead {
                headers,
                end,
                cluster,
            } => self.request_head(headers, end, cluster, world),
            Event::RequestGrows { bytes } => self.request_grows(bytes, world),
            Event::RequestWhole { body } => self.request_whole(body, world),
            Event::CallAnswered { call, answer } => self.call_answered(call, answer, world),
            Event::KeysRenewed => self.keys_renewed(world),
            Event::BodyWithheld => self.body_withheld(world),
            Event::ResponseHead { headers, end } => self.response_head(headers, end, world),
            Event::ResponseBody { piece, end } => self.response_body(piece, end, world),
            Event::ResponseTrailers { trailers } => self.response_trailers(trailers, world),
            Event::Closed { number } => self.closed(number, world),
        }
    }

    /// Whether the host must hand over the request's body once it is whole.
    #[must_use]
    pub fn wants_request_body(&self) -> bool {
        matches!(self.phase, Phase::Reading(_))
    }

    /// Whether the request is held, so that no part of it may go on.
    #[must_use]
    pub fn holds_request(&self) -> bool {
        matches!(
            self.phase,
            Phase::Verifying(_) | Phase::Reading(_) | Phase::Waiting(_)
        )
    }

    /// Whether the whole response is held, so that no part of it may go on.
    #[must_use]
    pub fn holds_response(&self) -> bool {
        matches!(&self.phase, Phase::Passed(masking) if masking.is_held())
    }

    /// Whether all headers of the response are looked at.
    #[must_use]
    pub fn wants_response_head(&self) -> bool {
        matches!(&self.phase, Phase::Passed(masking) if masking.is_planned())
    }

    /// Whether the response's trailers have to come through [`Event::ResponseTrailers`].
    #[must_use]
    pub fn wants_response_trailers(&self) -> bool {
        self.wants_response_head()
    }

    /// Whether the response's body has to come through [`Event::ResponseBody`].
    #[must_use]
    pub fn wants_response_body(&self) -> bool {
        matches!(&self.phase, Phase::Passed(masking) if masking.is_active())
    }

    /// The request ends here with an answer of the filter's own.
    fn refuse(&mut self, refusal: Refusal, world: World<'_>) -> Outcome {
        self.phase = Phase::Over;
        let verdict = &mut self.record.verdict;
        verdict.action = "deny";
        verdict.code = Some(refusal.code);
        verdict.status = Some(refusal.status);
        self.record.timing.verdict = Some(self.elapsed(world));
        Outcome {
            effects: vec![Effect::Reply(refusal.into_reply(self.dialect))],
            flow: Flow::Hold,
        }
    }

    /// What waits for a body that won't come ends.
    fn body_withheld(&mut self, world: World<'_>) -> Outcome {
        match &self.phase {
            Phase::Reading(_) => self.refuse(Refusal::no_bodies(), world),
            Phase::Passed(masking) if masking.awaits_body() => {
                self.refuse_response_with(Refusal::no_bodies())
            }
            // Whoever waits for keys, or for a person, may need no body.
            _ => request::hold(),
        }
    }

    /// When the request came, since 1970.
    fn began(&self, world: World<'_>) -> Duration {
        self.began.unwrap_or(world.now)
    }

    /// Milliseconds since the request came.
    fn elapsed(&self, world: World<'_>) -> u64 {
        let elapsed = world.now.saturating_sub(self.began(world));
        u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX)
    }

    fn closed(&mut self, number: u64, world: World<'_>) -> Outcome {
        if let Phase::Passed(masking) = &self.phase {
            masking.count(&self.guard, &mut self.record);
        }
        self.phase = Phase::Over;
        self.record.number = number;
        self.record.timing.total = self.elapsed(world);
        let caller = self.caller.as_deref().map(|identity| Caller {
            provider: &identity.provider,
            issuer: &identity.issuer,
            subject: &identity.subject,
            kind: identity.kind.name(),
            client: identity.client.as_deref(),
            groups: &identity.groups,
        });
        let record = self.record.to_json(
            &self.guard.policy.digest,
            caller.as_ref(),
            self.began(world),
        );
        Outcome {
            effects: vec![Effect::Record(record)],
            flow: Flow::Continue,
        }
    }
}
