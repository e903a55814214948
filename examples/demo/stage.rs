//! Everything that the demo runs, and how a request goes through it.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};
use testbed::http::{self, Client, Request, Response, Stream};
use testbed::idp::Idp;
use testbed::mesh::Mesh;
use testbed::model::Model;
use testbed::{envoy, port, wasm};

use crate::desk::{self, Desk};
use crate::signals::Signals;

/// The policy, from the workspace's root.
pub const POLICY: &str = "examples/policies/demo.json";

/// Where things listen; 0 takes a free port.
pub struct Ports {
    envoy: u16,
    admin: u16,
    desk: u16,
    desk_grpc: u16,
}

impl Ports {
    /// Whatever is free: for a demo that nobody has to find.
    pub const FREE: Self = Self {
        envoy: 0,
        admin: 0,
        desk: 0,
        desk_grpc: 0,
    };

    /// Ports to remember.
    pub const FIXED: Self = Self {
        envoy: 10_000,
        admin: 9_901,
        desk: 7_070,
        desk_grpc: 7_071,
    };

    /// Says early, and not after minutes of building, that a port is taken.
    fn check(&self) -> Result<(), String> {
        [self.envoy, self.admin, self.desk, self.desk_grpc]
            .into_iter()
            .filter(|port| *port != 0)
            .try_for_each(port::must_be_free)
    }
}

/// A request's answer and its session record.
pub struct Seen {
    /// What came back.
    pub response: Response,
    /// What the filter wrote about it.
    pub record: Value,
}

/// Everything that runs. Dropping it stops it, Envoy first.
pub struct Stage {
    /// Envoy with the filter.
    pub mesh: Mesh,
    /// The desk.
    pub desk: Desk,
    /// The model server.
    pub model: Model,
    /// The identity provider.
    pub idp: Idp,
    /// The policy as the filter has it.
    pub policy: Value,
    /// What the model server wants to see, and what the filter puts there.
    pub model_key: String,
    signals: Signals,
    sent: usize,
}

impl Stage {
    /// Builds what is missing and starts everything.
    pub fn set(ports: Ports, signals: &Signals) -> Result<Self, String> {
        ports.check()?;
        envoy::find(None)?;
        signals.check()?;
        wasm::build()?;
        signals.check()?;
        testbed::desk::build()?;
        signals.check()?;
        eprintln!("starting a model server, an identity provider, the desk and Envoy ...");
        let model = Model::start()?;
        let idp = Idp::start()?;
        let desk = Desk::start(ports.desk, ports.desk_grpc, &idp.issuer())?;
        signals.check()?;
        let policy = policy(&idp)?;
        let model_key = desk::secret("service");
        let mesh = Mesh::builder()
            .version(None)
            .ports(ports.envoy, ports.admin)
            .policy(&policy)
            .variable("MODEL_SERVER_KEY", &model_key)
            .variable("DESK_KEY", &desk.filter_key)
            .model(model.port())
            .cluster("idp", idp.port())
            .cluster_http2("desk", desk.port)
            .cluster_http2("desk_log", desk.grpc_port)
            .start()?;
        Ok(Self {
            mesh,
            desk,
            model,
            idp,
            policy,
            model_key,
            signals: signals.clone(),
            sent: 0,
        })
    }

    /// Sends a request to the model server itself, as anybody could before.
    pub fn straight(&self, request: Request) -> Result<Response, String> {
        self.signals.check()?;
        http::send(self.model.port(), request)
    }

    /// Sends a request through Envoy, and waits for its session record.
    pub fn exchange(&mut self, request: Request) -> Result<Seen, String> {
        let answer = self.start(request)?.response()?;
        self.finish(answer)
    }

    /// Sends a request through Envoy and waits for nothing.
    pub fn start(&mut self, request: Request) -> Result<http::Pending, String> {
        self.signals.check()?;
        self.sent = self.sent.saturating_add(1);
        Client::http1(self.mesh.port())?.start(request)
    }

    /// Reads an answer to its end, and waits for its session record.
    pub fn finish(&mut self, answer: Stream) -> Result<Seen, String> {
        let response = answer.read();
        let record = self.record()?;
        Ok(Seen { response, record })
    }

    /// The record of the last request, once that has ended. Requests go one after the other,
    /// so the last record is that of the last request.
    pub fn record(&self) -> Result<Value, String> {
        self.signals.check()?;
        let mut records = self.mesh.sessions(self.sent)?;
        match records.len() == self.sent {
            true => records.pop().ok_or_else(|| "no session record".to_owned()),
            false => Err(format!(
                "{} requests made {} session records",
                self.sent,
                records.len()
            )),
        }
    }

    /// How many requests were sent through Envoy.
    pub fn sent(&self) -> usize {
        self.sent
    }

    /// A valid token of an engineer.
    pub fn engineer(&self, name: &str) -> String {
        self.idp.good(name, &["engineers"])
    }
}

/// The policy of the file, with the issuer that exists for this run only.
fn policy(idp: &Idp) -> Result<Value, String> {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(POLICY);
    let text = fs::read_to_string(&file)
        .map_err(|error| format!("cannot read {}: {error}", file.display()))?;
    let mut policy: Value = serde_json::from_str(&text)
        .map_err(|error| format!("{} is not JSON: {error}", file.display()))?;
    let path = "/identity/providers/0/issuer";
    let issuer = policy
        .pointer_mut(path)
        .ok_or_else(|| format!("{} has nothing at {path}", file.display()))?;
    *issuer = json!(idp.issuer());
    Ok(policy)
}

/// A question to the chat model.
pub fn chat(question: &str) -> Request {
    Request::post("/v1/chat/completions").json(&json!({
        "model": "small-1",
        "messages": [{ "role": "user", "content": question }]
    }))
}

/// What a chat model said.
pub fn said(response: &Response) -> String {
    response
        .json()
        .pointer("/choices/0/message/content")
        .and_then(Value::as_str)
        .unwrap_or_default()
        .to_owned()
}
