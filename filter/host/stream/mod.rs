//! One request and its response, as Envoy's callbacks tell of them.

mod response;

use core::cell::RefCell;
use std::rc::{Rc, Weak};

use proxy_wasm::hostcalls::dispatch_http_call;
use proxy_wasm::types::Action;

use crate::exchange::{Call, Effect, Event, Exchange, Flow, Name, Outcome, Reply, World};
use crate::host::body_access::AwaitsBody;
use crate::host::calls::{self, Buffer, Direction, Level, Map, Status};
use crate::host::delivery::{Delivery, Pieces};
use crate::host::shared::Shared;
use crate::host::store::SharedData;
use crate::host::waiting::Awaits;

pub(in crate::host) struct Stream {
    context: u32,
    shared: Option<Rc<Shared>>,
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

/// The desk's answers are small; what is larger is none.
const MOST_ANSWER: usize = 64 << 10;

impl Stream {
    pub(in crate::host) fn new(
        context: u32,
        shared: Option<Rc<Shared>>,
        itself: Weak<RefCell<Self>>,
    ) -> Self {
        let exchange = shared.as_ref().map(|shared| {
            let name = Name {
                id: shared.random.hex::<16>(),
                worker: Rc::clone(&shared.worker),
            };
            Exchange::new(Rc::clone(&shared.guard), name)
        });
        Self {
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

    fn handle(&mut self, event: Event<'_>) -> Option<Outcome> {
        let shared = self.shared.as_ref()?;
        let world = World {
            now: calls::now(),
            store: &SharedData,
            native: &shared.native,
            may_wait: shared.may_wait(),
            bodies_come: shared.body_access.may_wait(),
        };
        let exchange = self.exchange.as_mut()?;
        Some(exchange.handle(event, world))
    }

    /// Hands an event of the request's direction over and does what follows from it.
    fn request(&mut self, event: Event<'_>) -> Action {
        let Some(outcome) = self.handle(event) else {
            return self.fail("not_configured");
        };
        self.apply(outcome)
    }

    fn apply(&mut self, outcome: Outcome) -> Action {
        for effect in outcome.effects {
            if let Err(status) = self.perform(effect) {
                calls::log(
                    Level::Error,
                    &format!("portcullis: the host refused a call: {status:?}"),
                );
                return self.fail("host_failed");
            }
        }
        match outcome.flow {
            Flow::Continue => Action::Continue,
            Flow::Hold => Action::Pause,
        }
    }

    fn perform(&mut self, effect: Effect) -> Result<(), Status> {
        match effect {
            Effect::SetRequestHeader { name, value } => {
                calls::set_header(Map::Request, &name, value.as_bytes())
            }
            Effect::RemoveRequestHeader(name) => calls::remove_header(Map::Request, &name),
            Effect::SetResponseHeader { name, value } => {
                calls::set_header(Map::Response, name, &value)
            }
            Effect::RemoveResponseHeader(name) => calls::remove_header(Map::Response, name),
            Effect::SetResponseTrailer { name, value } => {
                calls::set_header(Map::ResponseTrailers, &name, &value)
            }
            Effect::RemoveResponseTrailer(name) => {
                calls::remove_header(Map::ResponseTrailers, &name)
            }
            Effect::Call(call) => {
                self.call(&call);
                Ok(())
            }
            Effect::Reply(reply) => {
                self.reply(&reply);
                Ok(())
            }
            Effect::AwaitKeys { until } => {
                if let Some(shared) = &self.shared {
                    shared.await_keys(self.context, until, self.itself.clone());
                }
                Ok(())
            }
            Effect::CutResponse => {
                // Envoy can't answer twice: a reply behind a response's head ends the stream.
                self.reply(&Reply {
                    status: 502,
                    grpc_status: UNAVAILABLE,
                    headers: Vec::new(),
                    body: String::new(),
                });
                Ok(())
            }
            Effect::ReplaceRequestBody(bytes) => {
                calls::replace_buffer(Buffer::RequestBody, self.request_held, &bytes)?;
                self.request_held = bytes.len();
                Ok(())
            }
            Effect::Record(record) => calls::set_state("portcullis.session", record.as_bytes()),
            Effect::ReplaceResponseBody(_) => Ok(()),
        }
    }

    fn reply(&mut self, reply: &Reply) {
        if self.replied {
            return;
        }
        self.replied = true;
        let headers: Vec<(&str, &str)> = reply
            .headers
            .iter()
            .map(|(name, value)| (*name, value.as_str()))
            .collect();
        let sent = calls::reply(
            reply.status,
            reply.grpc_status,
            &headers,
            reply.body.as_bytes(),
            "portcullis",
        );
        if let Err(status) = sent {
            calls::log(
                Level::Error,
                &format!("portcullis: no reply could be sent: {status:?}"),
            );
        }
    }

    /// The last resort: nothing is known to be right, so nothing goes on.
    fn fail(&mut self, code: &str) -> Action {
        self.reply(&Reply {
            status: 503,
            grpc_status: UNAVAILABLE,
            headers: Vec::new(),
            body: format!("portcullis: {code}"),
        });
        Action::Pause
    }

    fn call(&mut self, call: &Call) {
        let mut headers = vec![
            (":method", call.method),
            (":path", call.path.as_str()),
            (":authority", call.cluster.as_str()),
        ];
        headers.extend(
            call.headers
                .iter()
                .map(|(name, value)| (*name, value.as_str())),
        );
        let sent = dispatch_http_call(
            &call.cluster,
            headers,
            Some(&call.body),
            Vec::new(),
            call.timeout,
        );
        match sent {
            Ok(token) => self.calls.push((token, call.number)),
            Err(_) => {
                // A missing cluster, or one without hosts: known at once.
                let event = Event::CallAnswered {
                    call: call.number,
                    answer: None,
                };
                let _ = self.request(event);
            }
        }
    }

    /// Takes the answer to a call of this stream's.
    pub(in crate::host) fn call_answered(&mut self, token: u32, headers: usize, size: usize) {
        let Some(index) = self.calls.iter().position(|(one, _)| *one == token) else {
            return;
        };
        let (_, call) = self.calls.swap_remove(index);
        // An answer without headers is a failure, and asking for its status would be another.
        let answer = (headers > 0 && size <= MOST_ANSWER)
            .then(|| calls::answer(Map::CallResponse, size))
            .flatten();
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
        match calls::buffer(Buffer::RequestBody, 0, self.request_held) {
            Ok(body) if body.len() == self.request_held => {
                self.act_outside(Event::RequestWhole { body: &body });
            }
            _ => {
                self.fail("host_failed");
            }
        }
    }

    fn holds_response(&self) -> bool {
        self.exchange.as_ref().is_some_and(Exchange::holds_response)
    }

    fn act_outside(&mut self, event: Event<'_>) {
        let response = self.holds_response();
        if !matches!(self.request(event), Action::Continue) || self.replied {
            return;
        }
        let direction = if response {
            Direction::Response
        } else {
            Direction::Request
        };
        self.bare_head = None;
        if calls::resume(direction).is_err() {
            self.fail("host_failed");
        } else if response {
            // Nothing more of it comes.
        } else if self.request_held > 0 && !self.request_ended {
            self.pieces.request.set(Delivery::Released);
        }
    }

    pub(in crate::host) fn request_headers(&mut self, end: bool) -> Action {
        let Ok(pairs) = calls::headers(Map::Request) else {
            return self.fail("host_failed");
        };
        let Some(headers) = pairs.get() else {
            return self.fail("host_failed");
        };
        let cluster = self.cluster();
        let action = self.request(Event::RequestHead {
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
        if !shared.guard.policy().upstream.asks_for_cluster() {
            return None;
        }
        String::from_utf8(calls::property(&["xds", "cluster_name"]).ok()?).ok()
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
            let action = self.request(Event::RequestGrows { bytes: size });
            return self.behind_what_was_held(action);
        }
        match calls::buffer(Buffer::RequestBody, 0, size) {
            Ok(body) if body.len() == size => self.request(Event::RequestWhole { body: &body }),
            _ => self.fail("host_failed"),
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
        self.request(Event::RequestGrows { bytes: 0 })
    }

    pub(in crate::host) fn log(&mut self) {
        self.pieces.end();
        if let Some(shared) = &self.shared {
            shared.memory.look();
        }
        let number = self
            .shared
            .as_ref()
            .map_or(0, |shared| shared.next_record());
        if let Some(outcome) = self.handle(Event::Closed { number }) {
            for effect in outcome.effects {
                // A reply here would take Envoy down; a record that can't be set is a gap.
                if let Effect::Record(_) = &effect {
                    let _ = self.perform(effect);
                }
            }
        }
    }
}

impl AwaitsBody for Stream {
    fn awaits_body(&self, direction: Direction) -> bool {
        self.bare_head == Some(direction) && !self.replied
    }

    fn body_withheld(&mut self) {
        self.act_outside(Event::BodyWithheld);
    }
}

impl Awaits for Stream {
    fn keys_renewed(&mut self) {
        self.outside(Event::KeysRenewed);
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        // Envoy tells of a stream's end before the next tick, also where it logs nothing.
        self.pieces.end();
    }
}
