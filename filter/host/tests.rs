mod bodies;
mod calls;
mod fake;
mod faults;
mod keys;
mod numbers;
mod pieces;
mod seldom;
mod sent;
mod settling;

use core::cell::RefCell;
use std::rc::Rc;

use jwt_compact::alg::Es256;
use serde_json::{Value, json};

use super::api::Action;
use super::store::SharedData;
use super::stream::Stream;
use super::vm::Vm;
use crate::exchange::{CompiledPolicy, Direction, NoNative};
use crate::testing::{ec_public, ec_secret, signed};
use fake::FakeHost;

const NOW: u64 = 1_800_000_000;

/// A stream, with as much of Envoy's filter chain as it has to do with: what goes on, and what is
/// held back.
struct Driven {
    host: FakeHost,
    vm: Rc<Vm<FakeHost>>,
    stream: Rc<RefCell<Stream<FakeHost>>>,
    request: Passage,
    response: Passage,
}

/// One direction, as the peer sees it.
#[derive(Debug, Default)]
struct Passage {
    /// Whether the head has gone.
    head: bool,
    body: Vec<u8>,
    /// Whether the end has gone.
    end: bool,
    /// Whether the end has come.
    ended: bool,
}

fn policy(sections: &Value) -> String {
    let mut policy = json!({
        "version": 1,
        "identity": {"providers": [{
            "name": "corp", "issuer": "https://idp", "audiences": ["inference"],
            "keys": {"jwks": {"keys": [ec_public(1, "a")]}},
            "claims": {"groups": "groups"},
        }]},
        "rules": [{"name": "all", "then": "allow"}],
    });
    policy
        .as_object_mut()
        .unwrap()
        .extend(sections.as_object().unwrap().clone());
    policy.to_string()
}

/// The number of the configuration, and of its stream.
const ROOT: u32 = 1;
const STREAM: u32 = 2;

fn vm(host: &FakeHost, sections: &Value) -> Rc<Vm<FakeHost>> {
    let compiled = CompiledPolicy::seeded(&policy(sections), &|_| None, Some([7; 32])).unwrap();
    compiled.join(&SharedData(host), &|| Some([9; 32])).unwrap();
    Rc::new(Vm::new(host.clone(), ROOT, compiled, Box::new(NoNative)))
}

fn token() -> String {
    signed(
        &Es256,
        &ec_secret(1),
        &json!({"alg": "ES256", "kid": "a"}),
        &json!({"iss": "https://idp", "aud": "inference", "sub": "jane", "groups": ["engineers"], "exp": NOW + 600}),
    )
}

impl Driven {
    fn new(sections: &Value) -> Self {
        let host = FakeHost::new();
        let vm = vm(&host, sections);
        host.begin();
        Self::of(&vm)
    }

    /// A stream of a configuration that others have used.
    fn of(vm: &Rc<Vm<FakeHost>>) -> Self {
        let host = vm.host.clone();
        let stream = Rc::new_cyclic(|itself| {
            let stream = Stream::new(host.clone(), STREAM, Some(Rc::clone(vm)), itself.clone());
            RefCell::new(stream)
        });
        Self {
            host,
            vm: Rc::clone(vm),
            stream,
            request: Passage::default(),
            response: Passage::default(),
        }
    }

    /// Takes a callback's word for what may go on.
    fn take(&mut self, direction: Direction, action: Action) {
        if action == Action::Continue && self.host.replies() == 0 {
            self.pass(direction);
        }
    }

    fn pass(&mut self, direction: Direction) {
        let passage = match direction {
            Direction::Request => &mut self.request,
            Direction::Response => &mut self.response,
        };
        passage.head = true;
        passage.body.extend(self.host.drain(direction));
        passage.end = passage.ended;
    }

    /// What was resumed outside a direction's callbacks goes on now.
    fn after_outside(&mut self) {
        for direction in self.host.take_resumed() {
            assert_eq!(self.host.replies(), 0, "resumed behind a reply");
            self.pass(direction);
        }
    }

    fn request_headers(&mut self, extra: &[(&str, &str)], end: bool) -> Action {
        let bearer = format!("Bearer {}", token());
        let mut headers = vec![
            (":method", "POST"),
            (":path", "/v1/chat/completions"),
            (":authority", "models:80"),
            ("authorization", &bearer),
            ("content-type", "application/json"),
        ];
        headers.extend(extra);
        self.host.set_headers(Direction::Request, &headers);
        self.request.ended = end;
        let action = self.stream.borrow_mut().request_headers(end);
        self.take(Direction::Request, action);
        action
    }

    fn request_body(&mut self, piece: &str, end: bool) -> Action {
        self.request.ended = end;
        let size = self.host.fill(Direction::Request, piece);
        let action = self.stream.borrow_mut().request_body(size, end);
        self.take(Direction::Request, action);
        action
    }

    fn request_trailers(&mut self) -> Action {
        self.request.ended = true;
        let action = self.stream.borrow_mut().request_trailers();
        self.take(Direction::Request, action);
        action
    }

    fn response_headers(&mut self, headers: &[(&str, &str)], end: bool) -> Action {
        self.host.set_headers(Direction::Response, headers);
        self.response.ended = end;
        let action = self.stream.borrow_mut().response_headers(end);
        self.take(Direction::Response, action);
        action
    }

    fn response_body(&mut self, piece: &str, end: bool) -> Action {
        self.response.ended = end;
        let size = self.host.fill(Direction::Response, piece);
        let action = self.stream.borrow_mut().response_body(size, end);
        self.take(Direction::Response, action);
        action
    }

    fn response_trailers(&mut self) -> Action {
        self.response.ended = true;
        let action = self.stream.borrow_mut().response_trailers();
        self.take(Direction::Response, action);
        action
    }

    /// The desk's answer to the last call.
    fn answered(&mut self, status: &str, body: &str) {
        let end = self.host.answer(status, body.as_bytes());
        let whom = self.host.answers_to();
        self.host.call_back(whom);
        match whom {
            ROOT => self.vm.answered(end),
            _ => self.stream.borrow_mut().call_answered(end),
        }
        self.after_outside();
    }

    /// The answer to the last call, which the root's was.
    fn root_answered(&mut self, status: &str, body: &str) {
        let end = self.host.answer(status, body.as_bytes());
        assert_eq!(
            self.host.caller(),
            ROOT,
            "the answer goes to whoever called"
        );
        self.host.call_back(ROOT);
        self.vm.answered(end);
        self.after_outside();
    }

    fn tick(&mut self) {
        self.host.call_back(ROOT);
        self.vm.tick();
        self.after_outside();
    }

    fn log(&mut self) {
        self.host.call_back(STREAM);
        self.stream.borrow_mut().log();
    }
}
