//! One request and its response, as Envoy's callbacks tell of them.

mod effects;
mod response;
pub(super) mod settle;

use core::cell::RefCell;
use std::rc::{Rc, Weak};

use crate::exchange::{Effect, Event, Exchange, Flow, Name, Outcome, Reply, World};
use crate::host::api::{Action, Buffer, Direction, Host, Level, Map, call_answer};
use crate::host::body_access::AwaitsBody;
use crate::host::delivery::{Delivery, Pieces};
use crate::host::shared::Shared;
use crate::host::store::SharedData;
use crate::host::waiting::Awaits;
use settle::{Failure, settle};

pub(in crate::host) struct Stream<H: Host> {
    host: H,
    context: u32,
    shared: Option<Rc<Shared<H>>>,
    exchange: Option<Exchange>,
    /// Tokens of calls that are under way, with the exchange's numbers for them.
    calls: Vec<(u32, u64)>,
    /// Whether a reply was sent: Envoy takes one a stream.
    replied: bool,
    /// The request's body as far as it is held, in bytes.
    request_held: usize,
    /// Whether that is all of it.
    request_ended: bool,
    /// The direction whose head waits, and nothing of whose body has come.
    bare_head: Option<Direction>,
    /// For those who call back.
    itself: Weak<RefCell<Self>>,
    pieces: Rc<Pieces>,
    /// Bytes at the front of Envoy's response buffer that are dealt with.
    response_done: usize,
}

/// The gRPC status of what may be well later.
const UNAVAILABLE: u8 = 14;

/// The desk's answers are small; larger ones are rejected.
const MAX_ANSWER_BYTES: usize = 64 << 10;

impl<H: Host> Stream<H> {
    pub(in crate::host) fn new(
        host: H,
        context: u32,
        shared: Option<Rc<Shared<H>>>,
        itself: Weak<RefCell<Self>>,
    ) -> Self {
        let exchange = shared.as_ref().map(|shared| {
            let name = Name {
                id: shared.random.hex::<16>(&shared.host),
                worker: Rc::clone(&shared.worker),
            };
            Exchange::new(Rc::clone(&shared.compiled), name)
        });
        Self {
            host,
            context,
            shared,
            exchange,
            calls: Vec::new(),
            replied: false,
            request_held: 0,
            request_ended: false,
            bare_head: None,
            itself,
            pieces: Rc::default(),
            response_done: 0,
        }
    }

    fn handle(&mut self, event: Event<'_>) -> Result<Outcome, Failure> {
        let (Some(shared), Some(exchange)) = (&self.shared, &mut self.exchange) else {
            return Err(Failure::NotConfigured);
        };
        let world = World {
            now: self.host.now().map_err(Failure::Host)?,
            shared: &SharedData(&self.host),
            native: &*shared.native,
            may_wait: shared.may_wait(),
            bodies_come: shared.body_access.may_wait(),
        };
        Ok(exchange.handle(event, world))
    }

    /// Hands an event over and does what follows from it.
    fn act(&mut self, event: Event<'_>) -> Action {
        match self.handle(event) {
            Ok(outcome) => self.apply(outcome),
            Err(failure) => self.fail(failure),
        }
    }

    fn apply(&mut self, outcome: Outcome) -> Action {
        match settle(self, outcome) {
            Ok(Flow::Continue) => Action::Continue,
            Ok(Flow::Hold) => Action::Pause,
            Err(failure) => self.fail(failure),
        }
    }

    /// The last resort: nothing is known to be right, so nothing goes on.
    fn fail(&mut self, failure: Failure) -> Action {
        self.host
            .log(Level::Error, &format!("portcullis: {failure}"));
        self.reply(&Reply {
            status: 503,
            grpc_status: UNAVAILABLE,
            headers: Vec::new(),
            body: format!("portcullis: {}", failure.code()),
        });
        Action::Pause
    }

    /// Takes the answer to a call of this stream's.
    pub(in crate::host) fn call_answered(&mut self, token: u32, headers: usize, size: usize) {
        let Some(index) = self.calls.iter().position(|(one, _)| *one == token) else {
            return;
        };
        let (_, call) = self.calls.swap_remove(index);
        let answer = call_answer(&self.host, headers, size, MAX_ANSWER_BYTES);
        self.outside(Event::CallAnswered {
            call,
            answer: answer
                .as_ref()
                .map(|(status, body)| (*status, body.as_slice())),
        });
    }

    /// Hands over an event that comes outside the request's callbacks: what goes on after it is
    /// the request that is held. If its body is wanted now and has been whole before, it comes next.
    fn outside(&mut self, event: Event<'_>) {
        self.act_outside(event);
        let wanted = self
            .exchange
            .as_ref()
            .is_some_and(Exchange::wants_request_body);
        if !(wanted && self.request_ended) || self.replied {
            return;
        }
        match self.host.buffer(Buffer::RequestBody, 0, self.request_held) {
            Ok(body) if body.len() == self.request_held => {
                self.act_outside(Event::RequestWhole { body: &body });
            }
            Ok(_) => {
                self.fail(Failure::Short);
            }
            Err(status) => {
                self.fail(Failure::Host(status));
            }
        }
    }

    fn holds_response(&self) -> bool {
        self.exchange.as_ref().is_some_and(Exchange::holds_response)
    }

    fn act_outside(&mut self, event: Event<'_>) {
        let response = self.holds_response();
        if !matches!(self.act(event), Action::Continue) || self.replied {
            return;
        }
        let direction = if response {
            Direction::Response
        } else {
            Direction::Request
        };
        self.bare_head = None;
        if let Err(status) = self.host.resume(direction) {
            self.fail(Failure::Host(status));
        } else if response {
            // Nothing more of it comes.
        } else if self.request_held > 0 && !self.request_ended {
            self.pieces.request.set(Delivery::Released);
        }
    }

    pub(in crate::host) fn request_headers(&mut self, end: bool) -> Action {
        self.request_ended = end;
        let pairs = match self.host.headers(Map::Request) {
            Ok(pairs) => pairs,
            Err(status) => return self.fail(Failure::Host(status)),
        };
        let Some(headers) = pairs.get() else {
            return self.fail(Failure::Short);
        };
        let cluster = self.cluster();
        let action = self.act(Event::RequestHead {
            headers: &headers,
            end,
            cluster: cluster.as_deref(),
        });
        self.after_head(Direction::Request, end, action)
    }

    /// Notes a head that waits for its body.
    fn after_head(&mut self, direction: Direction, end: bool, action: Action) -> Action {
        if !end && !self.replied && matches!(action, Action::Pause) {
            self.bare_head = Some(direction);
            if let Some(shared) = &self.shared {
                shared.await_body(self.context, direction, self.itself.clone());
            }
        }
        action
    }

    /// Notes that a body has come.
    fn body_came(&mut self, direction: Direction) {
        if self.bare_head == Some(direction) {
            self.bare_head = None;
            if let Some(shared) = &self.shared {
                shared.body_access.came();
            }
        }
    }

    /// The cluster that the request is routed to, if the policy depends on it.
    fn cluster(&self) -> Option<String> {
        let shared = self.shared.as_ref()?;
        if !shared.compiled.policy().upstream.asks_for_cluster() {
            return None;
        }
        String::from_utf8(self.host.property(&["xds", "cluster_name"]).ok()?).ok()
    }

    pub(in crate::host) fn request_body(&mut self, size: usize, end: bool) -> Action {
        self.body_came(Direction::Request);
        self.request_held = size;
        self.request_ended = end;
        let wanted = self
            .exchange
            .as_ref()
            .is_some_and(Exchange::wants_request_body);
        if !(end && wanted) {
            let action = self.request_grows(size);
            return self.behind_what_was_held(action);
        }
        match self.host.buffer(Buffer::RequestBody, 0, size) {
            Ok(body) if body.len() == size => self.act(Event::RequestWhole { body: &body }),
            Ok(_) => self.fail(Failure::Short),
            Err(status) => self.fail(Failure::Host(status)),
        }
    }

    /// Tells of bytes that are not the whole body; nobody has to hear of those that go on anyway.
    fn request_grows(&mut self, bytes: usize) -> Action {
        match &self.exchange {
            Some(exchange) if exchange.has_passed_request() => Action::Continue,
            _ => self.act(Event::RequestGrows { bytes }),
        }
    }

    /// Holds a piece that could go on, until the next tick, if the one before was held and let go.
    fn behind_what_was_held(&self, action: Action) -> Action {
        let delivery = &self.pieces.request;
        if !matches!(action, Action::Continue) || self.replied {
            return action;
        }
        match delivery.get() {
            Delivery::Direct | Delivery::Ending | Delivery::Over => Action::Continue,
            Delivery::Held => Action::Pause,
            Delivery::Released => {
                delivery.set(Delivery::Held);
                if let Some(shared) = &self.shared {
                    shared.release_soon(self.context, Direction::Request, Rc::clone(&self.pieces));
                }
                Action::Pause
            }
        }
    }

    pub(in crate::host) fn request_trailers(&mut self) -> Action {
        if self
            .exchange
            .as_ref()
            .is_some_and(Exchange::wants_request_body)
        {
            // Where trailers follow, the body has had no last callback.
            return self.request_body(self.request_held, true);
        }
        self.request_ended = true;
        // What is held goes on before the trailers do.
        if self.pieces.request.get() == Delivery::Held {
            self.pieces.request.set(Delivery::Direct);
        }
        self.request_grows(0)
    }

    pub(in crate::host) fn log(&mut self) {
        self.pieces.end();
        if let Some(shared) = &self.shared {
            shared.memory.look(&self.host);
        }
        let number = self
            .shared
            .as_ref()
            .map_or(0, |shared| shared.next_record());
        // A reply here would take Envoy down; a record that can't be set is a gap.
        if let Ok(outcome) = self.handle(Event::Closed { number }) {
            for effect in outcome.effects {
                if let Effect::Record(record) = effect {
                    let _ = self.set_record(&record);
                }
            }
        }
    }
}

impl<H: Host> AwaitsBody for Stream<H> {
    fn awaits_body(&self, direction: Direction) -> bool {
        self.bare_head == Some(direction) && !self.replied
    }

    fn body_withheld(&mut self) {
        self.act_outside(Event::BodyWithheld);
    }
}

impl<H: Host> Awaits for Stream<H> {
    fn keys_renewed(&mut self) {
        self.outside(Event::KeysRenewed);
    }
}

impl<H: Host> Drop for Stream<H> {
    fn drop(&mut self) {
        // Envoy tells of a stream's end before the next tick, also where it logs nothing.
        self.pieces.end();
    }
}
