//! One request and its response as a value: events in, effects out, time as an argument.
//!
//! Order: head, body, verdict, quotas, approval, the model server, its answer under the mask, the
//! record (docs/architecture.md). The concerns are composed here; nothing does I/O, waits, or
//! panics. A request leaves only by
//! [`Flow::Continue`] or [`Effect::Resume`] after a verdict; everything that goes wrong ends in
//! [`Effect::Reply`] with a refusal.

mod approvals;
mod asked;
mod buffers;
mod charges;
mod commit;
mod committing;
mod compiled_policy;
mod context;
#[cfg(debug_assertions)]
mod contract;
mod counts;
mod destination;
mod effect;
mod ending;
mod event;
mod headers;
mod keeping;
mod levels;
mod masked_fields;
mod media;
mod own_secrets;
mod passage;
mod reply;
mod request;
mod response;
mod seen;
mod standing;
mod taps;
mod waiting_room;
mod wants;
mod world;

#[cfg(test)]
mod tests;

use core::time::Duration;
use std::rc::Rc;

pub use crate::identity::section::{Algorithm, VerifyWith};
pub use crate::identity::{KeyRequest, Native, NoNative, Tended};
pub use crate::record::Closing;
pub use crate::record::age::SEED_BYTES;
pub use approvals::Ask;
pub use compiled_policy::CompiledPolicy;
pub use context::Came;
pub use effect::{Call, Effect, Flow, Outcome, Reply};
pub use event::{Direction, Event, Headers, Purpose};
pub use request::unwritable;
pub use world::{Arrived, Bodies, Name, NothingElse, World};

use crate::approval::Subject;
use crate::record::Record;
use commit::Commit;
use committing::Gone;
use context::Context;
use passage::{Passage, WATCH_PERIOD};
use request::RequestState;
use response::ResponseState;

/// One request and its response.
#[derive(Debug)]
pub struct Exchange {
    context: Context,
    request: RequestState,
    response: ResponseState,
    /// What the host holds of the request.
    inbound: Passage,
    /// What it holds of the response.
    outbound: Passage,
    /// Whether the response's end waits for its record.
    commit: Commit,
    /// What of the response has gone.
    gone: Gone,
    /// How many bytes wait at its end.
    withheld: usize,
    /// When the host will send a tick.
    armed: Option<Duration>,
    #[cfg(debug_assertions)]
    contract: contract::Contract,
}

impl Exchange {
    /// An exchange of which nothing has come yet.
    #[must_use]
    pub fn new(compiled: Rc<CompiledPolicy>, name: Name) -> Self {
        Self {
            context: Context::new(compiled, Record::begin(name.id, name.worker)),
            request: RequestState::ExpectHead,
            response: ResponseState::ExpectRequest,
            inbound: Passage::default(),
            outbound: Passage::default(),
            commit: Commit::default(),
            gone: Gone::default(),
            withheld: 0,
            armed: None,
            #[cfg(debug_assertions)]
            contract: contract::Contract::default(),
        }
    }

    /// The same, with random bytes of its own that its record's bodies are sealed with, and answers that are
    /// kept ([`CompiledPolicy::seals`]).
    #[must_use]
    pub fn with_seed(mut self, seed: Option<[u8; SEED_BYTES]>) -> Self {
        self.context.keeping.seed(seed);
        self.context.seed = seed;
        self
    }

    /// How the request came, which approvals depend on: before its head.
    pub fn came(&mut self, came: Came) {
        self.context.came = came;
    }

    /// Takes an event and says what it leads to.
    pub fn handle(&mut self, event: Event<'_>, world: World<'_>) -> Outcome {
        self.context.begin(world);
        let mut outcome = match event {
            Event::RequestHead { end, .. } => self.request_head(event, end, world),
            Event::RequestPiece { held, end } => self.request_piece(event, (held, end), world),
            Event::RequestTrailers { trailers } => self.request_trailers(trailers, world),
            Event::RequestBytes { .. } => self.request_bytes(event, world),
            Event::RequestWhole { .. } | Event::KeysRenewed => self
                .handle_outside(Direction::Request, |exchange| {
                    exchange.step_request(event, world)
                }),
            Event::CallAnswered {
                purpose,
                number,
                answer,
            } => match purpose {
                Purpose::RequestClaim | Purpose::KeptAnswer => self
                    .handle_outside(Direction::Request, |exchange| {
                        exchange.step_request(event, world)
                    }),
                Purpose::AnswerClaim => self.handle_outside(Direction::Response, |exchange| {
                    exchange.step_response(event, world)
                }),
                Purpose::Commit => self.record_answered(number, answer),
            },
            Event::Decided { about, .. } => match about {
                Subject::Request => self.handle_outside(Direction::Request, |exchange| {
                    exchange.step_request(event, world)
                }),
                Subject::Answer => self.handle_outside(Direction::Response, |exchange| {
                    exchange.step_response(event, world)
                }),
            },
            Event::Closing { number, closing } => self.send_record(number, closing, world),
            Event::Tick => self.tick(world),
            Event::ResponseHead { end, headers, .. } => {
                self.response_head(event, (headers, end), world)
            }
            Event::ResponseBody { piece, end } => self.response_piece(event, (piece, end), world),
            Event::ResponseTrailers { .. } => self.response_trailers(event, world),
            Event::ResponseUnseen { bytes } => {
                self.context.meter(bytes, world);
                Outcome::go_on()
            }
            Event::Closed { number, closing } => self.closed(number, closing, world),
        };
        self.close_passages(&outcome);
        self.note_gone(&event, &outcome);
        self.arm(&mut outcome);
        #[cfg(debug_assertions)]
        self.contract.check(&event, &outcome);
        outcome
    }

    fn request_head(&mut self, event: Event<'_>, end: bool, world: World<'_>) -> Outcome {
        let mut outcome = self.step_request(event, world);
        let watch = watch(outcome.flow, end, world);
        if watch.is_some() {
            outcome.effects.push(Effect::MarkRequest);
        }
        self.inbound.head(end, outcome.flow, watch);
        outcome
    }

    fn request_piece(
        &mut self,
        event: Event<'_>,
        (held, end): (usize, bool),
        world: World<'_>,
    ) -> Outcome {
        let found = bodies_come(self.inbound, world);
        if self.request.wants_messages() && self.inbound != Passage::Over {
            self.inbound.message_piece(held, end);
            let mut effects = vec![Effect::ReadRequestBytes { end }];
            effects.extend(found);
            return Outcome {
                effects,
                flow: Flow::Hold,
            };
        }
        let mut outcome = self.step_request(event, world);
        let decided = self.has_passed_request();
        let flow = self.inbound.request_piece(held, end, decided);
        // A refusal has said so already.
        outcome.flow = flow;
        outcome.effects.extend(found);
        self.read_whole(&mut outcome);
        outcome
    }

    /// Messages that have come: those that may go on do so in the same callback.
    fn request_bytes(&mut self, event: Event<'_>, world: World<'_>) -> Outcome {
        let mut outcome = self.step_request(event, world);
        if outcome.flow == Flow::Continue {
            self.inbound.messages_go();
            outcome.effects.push(Effect::Resume(Direction::Request));
        }
        outcome.flow = Flow::Hold;
        outcome
    }

    fn request_trailers(&mut self, trailers: &Headers<'_>, world: World<'_>) -> Outcome {
        let policy = &self.context.compiled.policy;
        let mut outcome = Outcome {
            effects: request::trailer_edits(policy, trailers),
            flow: Flow::Continue,
        };
        if self.inbound == Passage::Over {
            outcome.flow = Flow::Hold;
        } else if self.has_passed_request() {
            outcome.flow = self.inbound.trailers(Flow::Continue, false);
        } else if self.request.wants_messages() && self.request.has_passed() {
            let ended = self.step_request(Event::RequestTrailers { trailers }, world);
            outcome.effects.extend(ended.effects);
            outcome.flow = ended.flow;
        } else if self.request.wants_messages() {
            self.inbound.ends();
            outcome.flow = Flow::Hold;
            outcome.effects.push(Effect::ReadRequestBytes { end: true });
        } else {
            self.inbound.ends();
            outcome.flow = Flow::Hold;
            self.read_whole(&mut outcome);
        }
        outcome
    }

    /// Asks for the request's body, if it is wanted and whole.
    fn read_whole(&self, outcome: &mut Outcome) {
        if self.request.wants_body() && self.inbound.is_whole() {
            outcome.effects.push(Effect::ReadRequestBody);
        }
    }

    fn response_head(
        &mut self,
        event: Event<'_>,
        (headers, end): (&Headers<'_>, bool),
        world: World<'_>,
    ) -> Outcome {
        let from_server = matches!(self.response, ResponseState::ExpectHead(_));
        let mut outcome = self.step_response(event, world);
        if self.request.is_answered() {
            // It is on its way to the client.
            self.context.claims.settle();
        }
        if from_server {
            outcome.effects.extend(self.context.model_answered(headers));
            if !outcome.is_answer() {
                outcome.effects.extend(self.context.tell_levels());
            }
            self.commit_head(headers, end, &mut outcome);
        }
        let watch = watch(outcome.flow, end, world);
        self.outbound.head(end, outcome.flow, watch);
        outcome
    }

    fn response_piece(
        &mut self,
        event: Event<'_>,
        (piece, end): (&[u8], bool),
        world: World<'_>,
    ) -> Outcome {
        let found = bodies_come(self.outbound, world);
        if self.response.is_from_server() {
            self.context.meter(piece.len(), world);
        }
        let mut outcome = self.step_response(event, world);
        let waits = self.response.is_held();
        self.commit_piece(piece, end, &mut outcome);
        outcome.flow = self.outbound.response_piece(outcome.flow, waits);
        if self.commit.waits() {
            self.outbound.waits_for_record();
        }
        outcome.effects.extend(found);
        outcome
    }

    fn response_trailers(&mut self, event: Event<'_>, world: World<'_>) -> Outcome {
        let mut outcome = self.step_response(event, world);
        self.commit_trailers(&mut outcome);
        let written = outcome.effects.iter().any(
            |effect| matches!(effect, Effect::ReplaceResponseBody(bytes) if !bytes.is_empty()),
        );
        outcome.flow = self.outbound.trailers(outcome.flow, written);
        outcome
    }

    /// Takes an event that comes outside the direction's own: what may go on then is resumed.
    fn handle_outside(
        &mut self,
        direction: Direction,
        step: impl FnOnce(&mut Self) -> Outcome,
    ) -> Outcome {
        let mut outcome = step(self);
        let passage = match direction {
            Direction::Request => &mut self.inbound,
            Direction::Response => &mut self.outbound,
        };
        let ends = direction == Direction::Response && self.commit.awaits_end();
        if outcome.flow == Flow::Continue && passage.waits() && ends {
            self.commit.end();
            self.wait_for_record(&mut outcome);
        } else if outcome.flow == Flow::Continue && passage.waits() {
            passage.decided();
            outcome.effects.push(Effect::Resume(direction));
        }
        outcome.flow = Flow::Hold;
        if direction == Direction::Request {
            self.read_whole(&mut outcome);
        }
        outcome
    }

    fn tick(&mut self, world: World<'_>) -> Outcome {
        self.armed = None;
        let mut outcome = Outcome {
            effects: Vec::new(),
            flow: Flow::Hold,
        };
        if self.inbound.tick() {
            outcome.effects.push(Effect::Resume(Direction::Request));
        }
        if self.outbound.tick() {
            self.response.let_go();
            outcome.effects.push(Effect::Resume(Direction::Response));
        }
        if self.request.due().is_some_and(|until| until <= world.now) {
            let retried = self.handle_outside(Direction::Request, |exchange| {
                exchange.step_request(Event::KeysRenewed, world)
            });
            outcome.effects.extend(retried.effects);
        }
        if matches!(self.request, RequestState::ExpectClaims(_)) {
            let sent = self.handle_outside(Direction::Request, |exchange| {
                exchange.step_request(Event::Tick, world)
            });
            outcome.effects.extend(sent.effects);
        }
        if self.response.due().is_some() {
            let sent = self.handle_outside(Direction::Response, |exchange| {
                exchange.step_response(Event::Tick, world)
            });
            outcome.effects.extend(sent.effects);
        }
        if self.inbound.is_watched(world.now) {
            let has_come = world.arrived.has_more_of_request();
            self.look(Direction::Request, has_come, &mut outcome, world);
        }
        if self.outbound.is_watched(world.now) {
            let has_come = world.arrived.is_answered();
            self.look(Direction::Response, has_come, &mut outcome, world);
        }
        outcome
    }

    /// Looks whether a head waits in vain.
    fn look(
        &mut self,
        direction: Direction,
        has_come: bool,
        outcome: &mut Outcome,
        world: World<'_>,
    ) {
        let passage = match direction {
            Direction::Request => &mut self.inbound,
            Direction::Response => &mut self.outbound,
        };
        let withheld = match world.bodies {
            Bodies::HandedOver => false,
            Bodies::Unknown => has_come,
            Bodies::Withheld => true,
        };
        if !withheld {
            let again = world.now.saturating_add(WATCH_PERIOD);
            passage.watch_again((world.bodies == Bodies::Unknown).then_some(again));
            return;
        }
        passage.watch_again(None);
        outcome.effects.push(Effect::Bodies(Bodies::Withheld));
        let refused = match direction {
            Direction::Request => self.step_request_with(world, request::withheld),
            Direction::Response => self.step_response_with(world, response::withheld),
        };
        outcome.effects.extend(refused.effects);
    }

    fn step_request(&mut self, event: Event<'_>, world: World<'_>) -> Outcome {
        self.step_request_with(world, |state, context, world| {
            request::step(state, event, context, world)
        })
    }

    fn step_request_with(
        &mut self,
        world: World<'_>,
        step: impl FnOnce(RequestState, &mut Context, World<'_>) -> request::Step,
    ) -> Outcome {
        let state = core::mem::replace(&mut self.request, RequestState::Closed);
        let had_passed = state.has_passed();
        let step = step(state, &mut self.context, world);
        self.request = step.state;
        if let Some(plan) = step.passed {
            self.response = ResponseState::ExpectHead(plan);
        } else if had_passed && !self.request.has_passed() {
            // Whatever the model server answers, it is not what the caller was told.
            let response = core::mem::replace(&mut self.response, ResponseState::Refused);
            response.close(&mut self.context);
        }
        step.outcome
    }

    fn step_response(&mut self, event: Event<'_>, world: World<'_>) -> Outcome {
        self.step_response_with(world, |state, context, world| {
            response::step(state, event, context, world)
        })
    }

    fn step_response_with(
        &mut self,
        world: World<'_>,
        step: impl FnOnce(ResponseState, &mut Context, World<'_>) -> response::Step,
    ) -> Outcome {
        let state = core::mem::replace(&mut self.response, ResponseState::Closed);
        let step = step(state, &mut self.context, world);
        self.response = step.state;
        step.outcome
    }

    /// Behind a reply nothing is let go: there lies what could not be dealt with.
    fn close_passages(&mut self, outcome: &Outcome) {
        if outcome.is_answer() {
            self.inbound = Passage::Over;
            if !matches!(self.response, ResponseState::ExpectRequest) {
                self.outbound = Passage::Over;
            }
        }
    }

    /// Asks for a tick, if one is needed before the one that will come.
    fn arm(&mut self, outcome: &mut Outcome) {
        let due = [
            self.inbound.due(),
            self.outbound.due(),
            self.request.due(),
            self.response.due(),
        ];
        let Some(at) = due.into_iter().flatten().min() else {
            return;
        };
        if self.armed.is_none_or(|armed| at < armed) {
            self.armed = Some(at);
            outcome.effects.push(Effect::WakeAt(at));
        }
    }

    fn has_passed_request(&self) -> bool {
        matches!(self.request, RequestState::Passed)
    }
}

/// When to look at a head that waits for its body, while it isn't known whether bodies come.
fn watch(flow: Flow, end: bool, world: World<'_>) -> Option<Duration> {
    let waits = flow == Flow::Hold && !end && world.bodies == Bodies::Unknown;
    waits.then(|| world.now.saturating_add(WATCH_PERIOD))
}

/// What is known once a piece of a body comes to where the head waits.
fn bodies_come(passage: Passage, world: World<'_>) -> Option<Effect> {
    let found = passage.is_bare_head() && world.bodies == Bodies::Unknown;
    found.then_some(Effect::Bodies(Bodies::HandedOver))
}
