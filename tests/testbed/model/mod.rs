//! A model server double: OpenAI-compatible and KServe V2 (HTTP and gRPC) on one
//! port. It says what a test tells it to say, and remembers what it was asked.

mod answer;
mod echo;
mod openai;
mod rpc;
mod v2;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use http_body_util::BodyExt;
use hyper::Request;
use hyper::body::Incoming;
use serde_json::Value;

use crate::body::{Gate, Stepped};
use crate::http;
use crate::serve::Server;
use crate::{kserve, lock, wait};

pub use answer::Answer;
pub use echo::Echo;
pub use rpc::Rpc;

/// A request as it reached the model server.
#[derive(Debug, Clone)]
pub struct Received {
    /// The method.
    pub method: String,
    /// The path with its query.
    pub path: String,
    /// The headers in their order, names in lower case.
    pub headers: Vec<(String, Vec<u8>)>,
    /// The body, as far as it came.
    pub body: Vec<u8>,
    /// Whether the body came to its end.
    pub complete: bool,
    /// When the head came.
    pub at: Instant,
}

impl Received {
    /// The first header of that name (lower case), if its value is text.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        http::find(&self.headers, name)
    }

    /// The body as JSON, or `Null` if it is not.
    #[must_use]
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_default()
    }
}

/// What the model says.
#[derive(Debug, Clone)]
struct Reply {
    pieces: Vec<String>,
    gate: Option<Gate>,
}

impl Reply {
    fn text(&self) -> String {
        self.pieces.concat()
    }
}

#[derive(Debug)]
struct State {
    reply: Mutex<Reply>,
    echo: Mutex<Option<Echo>>,
    rpc: Mutex<Rpc>,
    answers: Mutex<BTreeMap<String, Answer>>,
    begun: AtomicUsize,
    received: Mutex<Vec<Received>>,
}

/// A running model server. Dropping it stops it.
#[derive(Debug)]
pub struct Model {
    server: Server,
    state: Arc<State>,
}

impl Model {
    /// Starts one on a free port of the loopback interface.
    ///
    /// # Errors
    /// When there is no port.
    pub fn start() -> Result<Self, String> {
        Self::start_on(0)
    }

    /// Starts one on a given port; 0 takes a free one.
    ///
    /// # Errors
    /// When the port is taken.
    pub fn start_on(port: u16) -> Result<Self, String> {
        let state = Arc::new(State {
            reply: Mutex::new(Reply {
                pieces: words("Hello from the model."),
                gate: None,
            }),
            echo: Mutex::new(None),
            rpc: Mutex::new(Rpc::default()),
            answers: Mutex::new(BTreeMap::new()),
            begun: AtomicUsize::new(0),
            received: Mutex::new(Vec::new()),
        });
        let shared = Arc::clone(&state);
        let server = Server::start("model server", port, move |request| {
            handle(Arc::clone(&shared), request)
        })?;
        Ok(Self { server, state })
    }

    /// Where it listens, for HTTP/1 and HTTP/2.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.server.port()
    }

    /// What the model says from now on. In a stream every word is a piece.
    pub fn say(&self, text: &str) {
        self.set_reply(words(text), None);
    }

    /// What the model says from now on, cut into these pieces in a stream.
    pub fn say_tokens(&self, pieces: &[&str]) {
        self.set_reply(owned(pieces), None);
    }

    /// As [`Model::say_tokens`], but each piece of a stream waits until the gate
    /// lets it through. What is not a stream does not wait.
    pub fn say_gated(&self, pieces: &[&str]) -> Gate {
        let gate = Gate::new();
        self.set_reply(owned(pieces), Some(gate.clone()));
        gate
    }

    /// The model repeats what it is asked, until it is told what to say.
    pub fn echo(&self, echo: Echo) {
        *lock(&self.state.echo) = Some(echo);
    }

    /// Answers every request to `path` (without the query) like this from now on,
    /// whatever its method.
    pub fn answer(&self, path: &str, answer: Answer) {
        lock(&self.state.answers).insert(path.to_owned(), answer);
    }

    /// Answers requests to `path` as if [`Model::answer`] had never said otherwise.
    pub fn answer_as_usual(&self, path: &str) {
        lock(&self.state.answers).remove(path);
    }

    /// How calls of `ModelInfer` and `ModelStreamInfer` are answered from now on.
    pub fn rpc(&self, rpc: Rpc) {
        *lock(&self.state.rpc) = rpc;
    }

    /// How many requests have begun: their head came, their body may not have.
    #[must_use]
    pub fn begun(&self) -> usize {
        self.state.begun.load(Ordering::SeqCst)
    }

    /// The requests that came so far, each once its body ended or broke off.
    #[must_use]
    pub fn received(&self) -> Vec<Received> {
        lock(&self.state.received).clone()
    }

    /// Waits for at least `count` requests; gives all there are.
    ///
    /// # Errors
    /// When there are fewer after half a minute.
    pub fn wait_received(&self, count: usize) -> Result<Vec<Received>, String> {
        let what = format!("{count} requests at the model server");
        wait::value(&what, Duration::from_secs(30), || {
            let received = self.received();
            (received.len() >= count).then_some(received)
        })
    }

    /// Forgets the requests that came so far.
    pub fn forget(&self) {
        lock(&self.state.received).clear();
        self.state.begun.store(0, Ordering::SeqCst);
    }

    fn set_reply(&self, pieces: Vec<String>, gate: Option<Gate>) {
        *lock(&self.state.echo) = None;
        *lock(&self.state.reply) = Reply { pieces, gate };
    }
}

fn words(text: &str) -> Vec<String> {
    text.split_inclusive(' ').map(str::to_owned).collect()
}

fn owned(pieces: &[&str]) -> Vec<String> {
    pieces.iter().map(|piece| (*piece).to_owned()).collect()
}

async fn handle(state: Arc<State>, request: Request<Incoming>) -> hyper::Response<Stepped> {
    state.begun.fetch_add(1, Ordering::SeqCst);
    let (head, mut body) = request.into_parts();
    let mut received = Received {
        method: head.method.to_string(),
        path: head
            .uri
            .path_and_query()
            .map_or("/", |p| p.as_str())
            .to_owned(),
        headers: http::list(&head.headers),
        body: Vec::new(),
        complete: false,
        at: Instant::now(),
    };
    let path = head.uri.path().to_owned();
    if path == format!("/{}/ModelStreamInfer", kserve::SERVICE) {
        return rpc::stream(state, received, body);
    }
    received.complete = loop {
        match body.frame().await {
            None => break true,
            Some(Err(_)) => break false,
            Some(Ok(frame)) => {
                if let Some(bytes) = frame.data_ref() {
                    received.body.extend_from_slice(bytes);
                }
            }
        }
    };
    lock(&state.received).push(received.clone());
    let chosen = lock(&state.answers).get(&path).cloned();
    let mut reply = lock(&state.reply).clone();
    if let Some(echo) = &*lock(&state.echo) {
        reply.pieces = echo.answer(&received.json());
    }
    let answer = if let Some(chosen) = chosen {
        chosen
    } else if let Some(method) = rpc::method(&path) {
        rpc::answer(method, &received.body, &reply, &lock(&state.rpc))
    } else if let Some(answer) = v2::answer(&received.method, &path, &received.json(), &reply) {
        answer
    } else {
        openai::answer(&received.method, &path, &received, &reply)
    };
    answer.into_response().await
}
