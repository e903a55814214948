//! Exchanges of every kind at once, and what their clients saw of them.

use std::ops::Range;

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use testbed::body::{Gate, Step};
use testbed::grpc;
use testbed::http::raw::Connection;
use testbed::http::{Client, Request, Response};
use testbed::kserve::InferRequest;
use testbed::model::{Answer, Model};

use super::hex;
use crate::support::{ana, chat_body};

/// How an exchange goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// A chat that is answered whole, under a mask.
    Chat,
    /// One that is streamed, under a mask.
    Events,
    /// A list of models, which nothing looks at.
    List,
    /// A call over gRPC, under a mask.
    Call,
    /// A rule refuses it.
    Denied,
    /// It has no token.
    NoToken,
    /// The model server answers with an error.
    Failed,
    /// The model server breaks its answer off.
    Broken,
    /// The client leaves in the middle of the answer.
    Left,
    /// The client leaves before there is any.
    LeftEarly,
}

/// In turn, so that some come more often.
const KINDS: [Kind; 16] = [
    Kind::Chat,
    Kind::Events,
    Kind::List,
    Kind::Chat,
    Kind::Call,
    Kind::Denied,
    Kind::Events,
    Kind::Chat,
    Kind::Left,
    Kind::NoToken,
    Kind::List,
    Kind::Failed,
    Kind::Events,
    Kind::Broken,
    Kind::Chat,
    Kind::LeftEarly,
];

/// What a client saw of an exchange.
#[derive(Debug)]
pub struct Seen {
    pub kind: Kind,
    /// The trace that it says it belongs to, which no other exchange does.
    pub trace: String,
    pub status: Option<u16>,
    /// SHA-256 of the body that it sent, and of what came back.
    pub asked: String,
    pub digest: String,
    pub bytes: usize,
    /// Whether the answer came to its end.
    pub complete: bool,
}

/// Has the model server answer all kinds. Clients that leave wait at the gate.
pub fn answers(model: &Model) -> Gate {
    model.say("Mail jane.doe@example.com, or call her back tomorrow.");
    let gate = Gate::new();
    let text = || Answer::new(200).header("content-type", "text/plain");
    let failed = json!({"error": {"message": "out of memory"}});
    model.answer("/v1/models/failed", Answer::json(&failed).status(500));
    let broken = vec![Step::data("the beginning of it"), Step::Cut];
    model.answer("/v1/models/broken", text().steps(broken));
    let left = vec![Step::data("a word"), Step::Wait(gate.clone())];
    model.answer("/v1/models/left", text().steps(left));
    model.answer("/v1/models/early", text().gated(&gate).body("late"));
    gate
}

/// Rules for all kinds, with digests. Records go as `delivery` says.
pub fn rules(delivery: &str) -> Value {
    json!({
        "masks": {"pii": {"detect": ["email"]}},
        "sessions": {
            "digests": true,
            "delivery": delivery,
            "desk": {"cluster": "desk", "credential": "Bearer ${DESK_KEY}", "timeout": "60s"},
        },
        "rules": [
            {"name": "none", "when": {"path": ["/v1/models/denied"]}, "then": "deny"},
            {"name": "masked", "when": {"operation": ["inference.*"]}, "then": "allow", "mask": ["pii"]},
            {"name": "all", "when": {"operation": ["*", "unknown"]}, "then": "allow"},
        ],
    })
}

/// Makes the exchanges with these numbers from several clients at once, each as fast as it can.
pub fn of_all_kinds(port: u16, clients: usize, turns: &Range<usize>) -> Vec<Seen> {
    let token = ana();
    std::thread::scope(|scope| {
        let all: Vec<_> = (0..clients)
            .map(|client| {
                let token = &token;
                scope.spawn(move || {
                    let mut caller = Caller::new(port, token);
                    let turns = turns.clone().skip(client).step_by(clients);
                    turns.map(|turn| caller.exchange(turn)).collect()
                })
            })
            .collect();
        let seen = all.into_iter().map(|one| one.join().unwrap());
        seen.flat_map(|one: Vec<Seen>| one).collect()
    })
}

/// One who calls, with a connection of each kind.
struct Caller<'a> {
    port: u16,
    token: &'a str,
    one: Option<Client>,
    two: Client,
}

impl<'a> Caller<'a> {
    fn new(port: u16, token: &'a str) -> Self {
        Self {
            port,
            token,
            one: None,
            two: Client::http2(port).unwrap(),
        }
    }

    fn exchange(&mut self, turn: usize) -> Seen {
        let kind = KINDS[turn % KINDS.len()];
        let trace = format!("{:032x}", turn + 1);
        let mut body = chat_body(&format!("question {turn}"));
        if kind == Kind::Events {
            body["stream"] = json!(true);
        }
        let body = body.to_string();
        let get = |name: &str| Request::get(&format!("/v1/models{name}"));
        let post = |body: &str| {
            let post = Request::post("/v1/chat/completions");
            post.header("content-type", "application/json").body(body)
        };
        let (request, asked) = match kind {
            Kind::Chat | Kind::Events => (post(&body), body.into_bytes()),
            Kind::Call => {
                let message = InferRequest::of_texts("small-1", &[&body]);
                let asked = grpc::framed(&message);
                (grpc::request("ModelInfer", &[message], &[]), asked)
            }
            Kind::List | Kind::NoToken => (get(""), Vec::new()),
            Kind::Denied => (get("/denied"), Vec::new()),
            Kind::Failed => (get("/failed"), Vec::new()),
            Kind::Broken => (get("/broken"), Vec::new()),
            Kind::Left => (get("/left"), Vec::new()),
            Kind::LeftEarly => (get("/early"), Vec::new()),
        };
        let mut request = request.header("traceparent", format!("00-{trace}-00000000000000aa-01"));
        if kind != Kind::NoToken {
            request = request.bearer(self.token);
        }
        let seen = |answer: Option<&Response>| Seen {
            kind,
            trace: trace.clone(),
            status: answer.map(|answer| answer.status),
            asked: hex(&Sha256::digest(&asked)),
            digest: hex(&Sha256::digest(answer.map_or(&[][..], |one| &one.body))),
            bytes: answer.map_or(0, |answer| answer.body.len()),
            complete: answer.is_some_and(|answer| answer.broken.is_none()),
        };
        match kind {
            Kind::LeftEarly => {
                self.leave_early(&trace);
                seen(None)
            }
            Kind::Left => {
                let client = self.client(turn);
                let mut stream = client.open(request).unwrap();
                assert!(stream.next_piece().unwrap().is_some());
                drop(stream);
                self.one = None;
                seen(None)
            }
            _ => {
                let client = match kind {
                    // Over HTTP/1, Envoy closes a connection only a second after what it broke off.
                    Kind::Call | Kind::Broken => self.two.clone(),
                    _ => self.client(turn),
                };
                seen(Some(&client.send(request).unwrap()))
            }
        }
    }

    /// The connection of one turn: HTTP/2 in one of four.
    fn client(&mut self, turn: usize) -> Client {
        if turn / KINDS.len() % 4 == 3 {
            return self.two.clone();
        }
        let port = self.port;
        let open = || Client::http1(port).unwrap();
        self.one.get_or_insert_with(open).clone()
    }

    /// Envoy reads what is on the way before it sees that the client has gone.
    fn leave_early(&self, trace: &str) {
        let token = self.token;
        let head = format!(
            "GET /v1/models/early HTTP/1.1\r\nhost: early.test\r\n\
             traceparent: 00-{trace}-00000000000000aa-01\r\nauthorization: Bearer {token}\r\n\r\n"
        );
        let mut raw = Connection::open(self.port).unwrap();
        raw.send(head.as_bytes()).unwrap();
    }
}
